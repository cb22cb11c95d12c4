/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


/* With a buffer that is full, so that nothing is claimed any more. */
static void
fail(struct oc_spool *s, enum oc_err err)
{
	if (s->err == OC_OK)
		s->err = err;
	s->num_buffered = OC_SPOOL_BUFFER_LEN;
}

enum oc_err
oc_spool_open(struct oc_spool *s, const char *name, uint64_t max)
{
	*s = (struct oc_spool){ .fd = -1, .max = max };
	s->buffer = malloc(OC_SPOOL_BUFFER_LEN);
	if (s->buffer != NULL)
		s->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->fd < 0)
		fail(s, s->buffer == NULL ? OC_ERR_NOMEM : OC_ERR_SYSTEM);
	return s->err;
}

void
oc_spool_close(struct oc_spool *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->buffer);
	s->fd = -1;
	s->buffer = NULL;
	s->num_buffered = OC_SPOOL_BUFFER_LEN;
}

/* At the memfd's own position, or, where at says so, anywhere. */
static void
write_out(struct oc_spool *s, const uint8_t *bytes, size_t len, off_t at)
{
	while (s->err == OC_OK && len > 0) {
		ssize_t n = at < 0 ? write(s->fd, bytes, len) :
		    pwrite(s->fd, bytes, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			fail(s, errno == ENOMEM || errno == ENOSPC ?
			    OC_ERR_NOMEM : OC_ERR_SYSTEM);
			return;
		}
		bytes += n;
		len -= (size_t)n;
		at += at < 0 ? 0 : n;
	}
}

static void
flush(struct oc_spool *s)
{
	size_t num = s->num_buffered;

	if (s->err != OC_OK)
		return;
	s->num_buffered = 0;
	write_out(s, s->buffer, num, -1);
	if (s->len > s->max)
		fail(s, OC_ERR_LIMIT);
}

void
oc_spool_put(struct oc_spool *s, const void *bytes, size_t len)
{
	if (s->err != OC_OK || len == 0)
		return;
	if (len > s->max || s->len > s->max - len) {
		fail(s, OC_ERR_LIMIT);
		return;
	}
	if (len > OC_SPOOL_BUFFER_LEN - s->num_buffered)
		flush(s);
	s->len += len;
	if (len > OC_SPOOL_BUFFER_LEN) {
		write_out(s, bytes, len, -1);
		return;
	}
	memcpy(s->buffer + s->num_buffered, bytes, len);
	s->num_buffered += len;
}

void
oc_spool_skip(struct oc_spool *s, size_t len)
{
	flush(s);
	if (s->err != OC_OK)
		return;
	s->len += len;
	if (lseek(s->fd, (off_t)s->len, SEEK_SET) < 0)
		fail(s, OC_ERR_SYSTEM);
}

uint8_t *
oc_spool_claim_anew(struct oc_spool *s, size_t len)
{
	oc_assert(len <= OC_SPOOL_CLAIM_MAX);
	flush(s);
	return s->err == OC_OK ? s->buffer : NULL;
}

void
oc_spool_write_at(struct oc_spool *s, uint64_t at, const void *bytes,
    size_t len)
{
	oc_assert(at <= s->len && len <= s->len - at);
	flush(s);
	write_out(s, bytes, len, (off_t)at);
}

enum oc_err
oc_spool_seal(struct oc_spool *s)
{
	flush(s);
	/* What was left out at the end is there too. */
	if (s->err == OC_OK && (ftruncate(s->fd, (off_t)s->len) != 0 ||
	    fcntl(s->fd, F_ADD_SEALS, OC_SPOOL_SEALS) != 0))
		fail(s, OC_ERR_SYSTEM);
	return s->err;
}

/* The memfd ends in a page of its own, whose rest may be written to, too; the
 * room that this is not enough for are pages without a file. */
enum oc_err
oc_spool_map(const struct oc_spool *s, size_t room,
    struct oc_mapping *mapping)
{
	size_t num = (size_t)s->len + room;
	uint8_t *p;

	if (s->err != OC_OK)
		return s->err;
	if (num == 0)
		return OC_ERR_LIMIT;
	p = mmap(NULL, num, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return OC_ERR_NOMEM;
	if (s->len > 0 && mmap(p, (size_t)s->len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_FIXED, s->fd, 0) == MAP_FAILED) {
		(void)munmap(p, num);
		return OC_ERR_SYSTEM;
	}
	*mapping = (struct oc_mapping){ p, (size_t)s->len, num };
	return OC_OK;
}

enum oc_err
oc_mapping_new(size_t len, struct oc_mapping *mapping)
{
	uint8_t *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return OC_ERR_NOMEM;
	*mapping = (struct oc_mapping){ p, len, len };
	return OC_OK;
}

void
oc_mapping_fini(struct oc_mapping *mapping)
{
	if (mapping->bytes != NULL)
		(void)munmap(mapping->bytes, mapping->num_mapped);
	*mapping = (struct oc_mapping){ 0 };
}
