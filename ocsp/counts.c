/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/counts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define US INT64_C(1000)
#define MS OC_NS_PER_MS
/* "ocscnts", and the version of what stands behind it. */
#define MAGIC UINT64_C(0x6f6373636e747302)
#define CACHE_LINE 64

/* What is counted of one issuer; name[0] is written last, and once. */
struct place {
	_Alignas(CACHE_LINE) char name[OC_CONFIG_NAME_MAX + CACHE_LINE];
	struct ocsp_issuer_counts counts;
};
_Static_assert(sizeof(struct ocsp_issuer_counts) == CACHE_LINE,
    "what a request counts is in one");

/* What the file holds, in the machine's byte order. */
struct image {
	uint64_t magic, len;
	uint64_t run;
	int64_t since;		/* when this run's first writer began */
	uint64_t num_starts;
	struct ocsp_counts counts;
	struct place places[OCSP_COUNTS_ISSUERS_MAX];
};

struct ocsp_counts_page {
	int fd;
	struct image *image;
};

_Static_assert(sizeof(struct ocsp_counts) % sizeof(uint64_t) == 0,
    "summed as an array");

const int64_t ocsp_counts_bounds_ns[OCSP_LATENCY_BUCKETS - 1] = {
	5 * US, 10 * US, 25 * US, 50 * US, 100 * US, 250 * US, 500 * US,
	1 * MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS,
	250 * MS, 500 * MS, 1000 * MS, 2500 * MS, 5000 * MS
};

void
ocsp_latency_add(struct ocsp_latency *latency, int64_t ns)
{
	size_t i = 0;

	if (ns < 0)
		ns = 0;
	while (i < OCSP_LATENCY_BUCKETS - 1 && ns > ocsp_counts_bounds_ns[i])
		i++;
	latency->num[i]++;
	latency->sum_ns += (uint64_t)ns;
}

static bool
name_page(const char *directory, unsigned int number, char path[PATH_MAX])
{
	int len = snprintf(path, PATH_MAX, "%s/responder-%u.counts",
	    directory, number);

	return len > 0 && len < PATH_MAX;
}

/* BUSY if another holds it.  A lock of the open file: it ends with its
 * writer, however that ends, and is not taken along by a fork. */
static enum oc_err
hold(int fd, const char *path, struct oc_error *error)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return OC_OK;
	if (errno == EAGAIN || errno == EACCES)
		return OC_ERR_BUSY;
	return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s: it cannot be "
	    "locked", path);
}

static bool
is_held(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* Room on the disk first: a store into a hole of a full one is SIGBUS. */
static enum oc_err
map(struct ocsp_counts_page *page, const char *path, struct oc_error *error)
{
	struct stat st;
	void *p;
	int rc;

	if (fstat(page->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "%s is no regular file", path);
	rc = posix_fallocate(page->fd, 0, sizeof(*page->image));
	if (rc != 0) {
		errno = rc;
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	}
	p = mmap(NULL, sizeof(*page->image), PROT_READ | PROT_WRITE,
	    MAP_SHARED, page->fd, 0);
	if (p == MAP_FAILED)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	page->image = p;
	return OC_OK;
}

static void
begin(struct image *image, uint64_t run)
{
	if (image->magic != MAGIC || image->len != sizeof(*image) ||
	    image->run != run) {
		memset(image, 0, sizeof(*image));
		image->len = sizeof(*image);
		image->run = run;
		image->since = oc_clock_now_s();
		image->magic = MAGIC;
	}
	image->num_starts++;
}

static enum oc_err
open_page(struct ocsp_counts_page *page, const char *path, uint64_t run,
    struct oc_error *error)
{
	enum oc_err err;

	page->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC, 0600);
	if (page->fd < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	err = hold(page->fd, path, error);
	if (err == OC_OK)
		err = map(page, path, error);
	if (err == OC_OK)
		begin(page->image, run);
	return err;
}

enum oc_err
ocsp_counts_open(const char *directory, uint64_t run,
    struct ocsp_counts_page **out, struct oc_error *error)
{
	struct ocsp_counts_page *page;
	char path[PATH_MAX];
	enum oc_err err;
	unsigned int i;

	for (i = 0; i < OCSP_COUNTS_PAGES_MAX; i++) {
		if (!name_page(directory, i, path))
			return oc_error_set(error, OC_ERR_LIMIT,
			    "%s: the name is too long", directory);
		page = calloc(1, sizeof(*page));
		if (page == NULL)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
		err = open_page(page, path, run, error);
		if (err == OC_OK) {
			*out = page;
			return OC_OK;
		}
		ocsp_counts_close(page);
		if (err != OC_ERR_BUSY)
			return err;
	}
	return oc_error_set(error, OC_ERR_BUSY, "%s: all %d pages for counts "
	    "are in use", directory, OCSP_COUNTS_PAGES_MAX);
}

struct ocsp_counts *
ocsp_counts_of(struct ocsp_counts_page *page)
{
	return &page->image->counts;
}

struct ocsp_issuer_counts *
ocsp_counts_of_issuer(struct ocsp_counts_page *page, const char *name)
{
	size_t len = strlen(name), i;

	oc_assert(len > 0 && len <= OC_CONFIG_NAME_MAX);
	for (i = 0; i < OCSP_COUNTS_ISSUERS_MAX; i++) {
		struct place *place = &page->image->places[i];

		if (place->name[0] == '\0') {
			memcpy(place->name + 1, name + 1, len);
			atomic_thread_fence(memory_order_release);
			place->name[0] = name[0];
			return &place->counts;
		}
		if (strncmp(place->name, name, sizeof(place->name)) == 0)
			return &place->counts;
	}
	return NULL;
}

void
ocsp_counts_close(struct ocsp_counts_page *page)
{
	if (page == NULL)
		return;
	if (page->image != NULL)
		munmap(page->image, sizeof(*page->image));
	if (page->fd >= 0)
		close(page->fd);
	free(page);
}

/* Of two structs that are nothing but numbers. */
static void
add(void *to, const void *from, size_t len)
{
	uint64_t *sums = to;
	const uint64_t *more = from;
	size_t i;

	for (i = 0; i < len / sizeof(*sums); i++)
		sums[i] += more[i];
}

/* Which of the total's it is; UINT32_MAX: none. */
static uint32_t
find_issuer(const struct ocsp_counts_total *total, const char *name)
{
	uint32_t i;

	for (i = 0; i < total->num_issuers; i++)
		if (strcmp(total->issuers[i].name, name) == 0)
			return i;
	return UINT32_MAX;
}

/* What is no name that one of us wrote is left out. */
static void
add_issuer(const struct place *place, struct ocsp_counts_total *total)
{
	size_t len = strnlen(place->name, sizeof(place->name));
	uint32_t i;

	if (len == 0 || len > OC_CONFIG_NAME_MAX)
		return;
	i = find_issuer(total, place->name);
	if (i == UINT32_MAX) {
		if (total->num_issuers == OCSP_COUNTS_ISSUERS_MAX)
			return;
		i = total->num_issuers++;
		memcpy(total->issuers[i].name, place->name, len + 1);
	}
	add(&total->issuers[i].counts, &place->counts,
	    sizeof(place->counts));
}

static void
read_page(int fd, uint64_t run, struct ocsp_counts_total *total)
{
	struct image image;
	size_t i;

	if (pread(fd, &image, sizeof(image), 0) != (ssize_t)sizeof(image) ||
	    image.magic != MAGIC || image.len != sizeof(image) ||
	    image.run != run)
		return;
	add(&total->counts, &image.counts, sizeof(image.counts));
	for (i = 0; i < OCSP_COUNTS_ISSUERS_MAX; i++)
		add_issuer(&image.places[i], total);
	total->num_pages++;
	total->num_held += is_held(fd);
	total->num_starts += image.num_starts;
	if (total->since == 0 || image.since < total->since)
		total->since = image.since;
}

void
ocsp_counts_read(const char *directory, uint64_t run,
    struct ocsp_counts_total *total)
{
	char path[PATH_MAX];
	struct stat st;
	unsigned int i;
	int fd;

	memset(total, 0, sizeof(*total));
	for (i = 0; i < OCSP_COUNTS_PAGES_MAX; i++) {
		if (!name_page(directory, i, path))
			return;
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
		    O_CLOEXEC);
		/* They are made in this order. */
		if (fd < 0 && errno == ENOENT)
			return;
		if (fd < 0)
			continue;
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			read_page(fd, run, total);
		close(fd);
	}
}

struct ocsp_issuer_counts
ocsp_counts_find(const struct ocsp_counts_total *total, const char *issuer)
{
	uint32_t i = find_issuer(total, issuer);

	return i == UINT32_MAX ? (struct ocsp_issuer_counts){ 0 } :
	    total->issuers[i].counts;
}
