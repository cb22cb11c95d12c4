/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Octets that are too many for memory of one's own: written once, from front
 * to back, into a memfd, which is then sealed and can be mapped, here and by
 * whoever is given its descriptor.  What they take is shared memory, and gone
 * with the last descriptor and mapping.
 */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* No write, no other size, no unsealing. */
#define OC_SPOOL_SEALS \
	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* What the processor's cache holds, and so long that writing it out is not
 * about the system call. */
#define OC_SPOOL_BUFFER_LEN ((size_t)128 * 1024)

/* The first failure (NOMEM, SYSTEM, or LIMIT over max) is sticky: every put
 * after it does nothing. */
struct oc_spool {
	int fd;			/* -1: none */
	uint8_t *buffer;	/* owned; what is not in the memfd yet */
	size_t num_buffered;
	uint64_t len;		/* octets so far, those in the buffer too */
	uint64_t max;
	enum oc_err err;
};

/* name is what /proc calls it.  For oc_spool_close() whatever it returns. */
enum oc_err oc_spool_open(struct oc_spool *s, const char *name, uint64_t max)
    OC_MUST_CHECK;
void oc_spool_close(struct oc_spool *s);	/* twice is fine */

void oc_spool_put(struct oc_spool *s, const void *bytes, size_t len);
/* So many octets left out, which read as zero until they are written. */
void oc_spool_skip(struct oc_spool *s, size_t len);
/* Room for so many more octets, at most OC_SPOOL_CLAIM_MAX, of which the first
 * so many are kept that oc_spool_keep() then says; NULL after a failure. */
#define OC_SPOOL_CLAIM_MAX 4096
uint8_t *oc_spool_claim_anew(struct oc_spool *s, size_t len);
static inline uint8_t *
oc_spool_claim(struct oc_spool *s, size_t len)
{
	return len <= OC_SPOOL_BUFFER_LEN - s->num_buffered ?
	    s->buffer + s->num_buffered : oc_spool_claim_anew(s, len);
}
static inline void
oc_spool_keep(struct oc_spool *s, size_t len)
{
	s->num_buffered += len;
	s->len += len;
}
/* Over what is there, or was left out. */
void oc_spool_write_at(struct oc_spool *s, uint64_t at, const void *bytes,
    size_t len);

/* That was all.  The sticky error, if there is one. */
enum oc_err oc_spool_seal(struct oc_spool *s) OC_MUST_CHECK;

/*
 * All of a sealed one in memory, and so many octets of room behind it.  What
 * is written there, or over it, only this mapping has; the pages that it is
 * on, and no others, are memory of one's own.  Outlives the spool.
 */
struct oc_mapping {
	uint8_t *bytes;		/* NULL: none */
	size_t len;
	size_t num_mapped;	/* private */
};
enum oc_err oc_spool_map(const struct oc_spool *s, size_t room,
    struct oc_mapping *mapping) OC_MUST_CHECK;
void oc_mapping_fini(struct oc_mapping *mapping);
/* So many octets, above 0, that are zero until they are written: in shared
 * memory without a file, which no limit of a file's size is for.  NOMEM. */
enum oc_err oc_mapping_new(size_t len, struct oc_mapping *mapping)
    OC_MUST_CHECK;

#endif
