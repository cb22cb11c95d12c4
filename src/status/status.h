/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a certificate's status comes from: one vtable, read by ocsign-status
 * only.  A source yields a full snapshot first and what has changed since
 * after that, in batches, always in the order in which it changed.
 *
 * A source blocks and lives on its own thread; never call it from an event
 * loop.  When it fails, what it yielded before stays: nothing becomes `good`
 * because a source is away.
 */
#ifndef STATUS_STATUS_H
#define STATUS_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "base/reason.h"
#include "base/serial.h"
#include "der/bytes.h"

struct status_change {
	int64_t seq;
	struct oc_serial serial;
	bool is_revoked;
	enum crl_reason reason;
	int64_t revoked_at;
	int64_t not_after;	/* of the certificate; or: */
#define STATUS_GONE 0		/* nothing is told of it any more */
	/* It is the CA's own, and revoked because the key is compromised; */
	bool is_of_ca;
	bool is_elsewhere;	/* that another CA issued: none of ours */
};

/* From when and until when what was read may be said to be so; zero: only the
 * clock's word counts. */
struct status_bounds {
	int64_t this_update, next_update;
};

struct status_source;
/* Told of a change that read() has told, or will. */
typedef void status_look_fn(void *arg, const struct status_change *change);

struct status_ops {
	/* It knows what is so, not what happened: its numbers begin anew each
	 * time it is opened, so that they are nobody else's, and no table of a
	 * run before can be told what it has missed. */
	bool is_state;
	/* Random, of the data it reads: a table made from other data is made
	 * anew. */
	enum oc_err (*id)(struct status_source *s, uint8_t id[16]);
	/* Up to num_max changes with seq > after_seq.  *num 0: none (yet).
	 * NOT_FOUND: it does not know anything yet, which is said already, and
	 * no trouble. */
	enum oc_err (*read)(struct status_source *s, int64_t after_seq,
	    struct status_change *changes, uint32_t num_max, uint32_t *num);
	/* Cheap: true if read() may have something new since the last call. */
	bool (*has_news)(struct status_source *s);
	/* Of all that was read, once there is no more of it. */
	void (*bounds)(struct status_source *s, struct status_bounds *bounds);
	/* NULL, both: it knows of no other issuer's certificates, and all is
	 * read before anything is served.
	 * Before the first read, for each certificate that the CA itself has:
	 * whoever issued it, changes say when it is revoked for
	 * keyCompromise or cACompromise. */
	enum oc_err (*watch)(struct status_source *s,
	    const struct oc_serial *serial, struct der_bytes certificate);
	/* Revocations of certificates with this serial number: for what must
	 * be known before all is read. */
	enum oc_err (*look)(struct status_source *s,
	    const struct oc_serial *serial, status_look_fn *fn, void *arg);
	const char *(*error)(const struct status_source *s);
	void (*close)(struct status_source *s);
};

/* Embedded first in each implementation. */
struct status_source {
	const struct status_ops *ops;
};

/* Our own store, for one [issuer NAME]; migrated if it is older. */
enum oc_err status_own_open(const char *store_path, const char *issuer,
    struct status_source **source, struct oc_error *error) OC_MUST_CHECK;

/* What is known of the certificates of one issuer, in memory: by serial. */
struct status_set;
struct status_record {
	struct oc_serial serial;
	bool is_revoked;
	enum crl_reason reason : 8;	/* beside it: 48 octets in all */
	int64_t revoked_at;
	int64_t not_after;	/* from then on its status is not told */
	int64_t seq;
};
enum oc_err status_set_new(struct status_set **set) OC_MUST_CHECK;
/* Before the first is applied: a status is told for so long after its
 * certificate's end (RFC 6960, 4.4.4); 0: not. */
void status_set_retain(struct status_set *set, int64_t retention_s);
/* The same one, for another who reads the same source; each frees it. */
struct status_set *status_set_hold(struct status_set *set);
void status_set_free(struct status_set *set);
/* Takes it in; an older seq than what is there is ignored. */
enum oc_err status_set_apply(struct status_set *set,
    const struct status_change *change) OC_MUST_CHECK;
/* NULL if the serial was never issued.  What is found stays where it is. */
const struct status_record *status_set_find(const struct status_set *set,
    const struct oc_serial *serial);
uint32_t status_set_num(const struct status_set *set);
/* All, in the order in which they came, in parts, with applies in between: of
 * num at most, until fn returns false.  *next starts as 0.  False: that was
 * the end. */
typedef bool status_set_fn(void *arg, const struct status_record *record);
bool status_set_walk_part(const struct status_set *set, uint32_t *next,
    uint32_t num, status_set_fn *fn, void *arg);

#endif
