/* SPDX-License-Identifier: Apache-2.0 */
#include "base/page.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define CACHE_LINE 64

/* What the file begins with, in the machine's byte order. */
struct header {
	alignas(CACHE_LINE) uint64_t magic;
	uint64_t len;			/* of all */
	uint64_t run;
	int64_t since;			/* when this run's first writer began */
	uint64_t num_starts;
};
_Static_assert(sizeof(struct header) == CACHE_LINE, "the data is aligned");

struct oc_page {
	int fd;
	size_t len;
	struct header *header;		/* mapped, with the data behind it */
};

static bool
name_page(const char *directory, const char *name, unsigned int number,
    char path[PATH_MAX])
{
	int len = snprintf(path, PATH_MAX, "%s/%s-%u.counts", directory, name,
	    number);

	return len > 0 && len < PATH_MAX;
}

/* BUSY if another holds it.  A lock of the open file: it ends with its
 * writer, however that ends, and not when another descriptor of the file is
 * closed, as a process's own would. */
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
map(struct oc_page *page, const char *path, struct oc_error *error)
{
	struct stat st;
	void *p;
	int rc;

	if (fstat(page->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "%s is no regular file", path);
	rc = posix_fallocate(page->fd, 0, (off_t)page->len);
	if (rc != 0) {
		errno = rc;
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	}
	p = mmap(NULL, page->len, PROT_READ | PROT_WRITE, MAP_SHARED,
	    page->fd, 0);
	if (p == MAP_FAILED)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	page->header = p;
	return OC_OK;
}

static bool
is_ours(const struct header *header, const struct oc_page_kind *kind,
    uint64_t run)
{
	return header->magic == kind->magic &&
	    header->len == sizeof(*header) + kind->len &&
	    (header->run == run || run == OC_PAGE_ANY_RUN);
}

static void
begin(struct oc_page *page, const struct oc_page_kind *kind, uint64_t run)
{
	struct header *header = page->header;

	if (!is_ours(header, kind, run)) {
		memset(header, 0, page->len);
		header->len = page->len;
		header->run = run;
		header->since = oc_clock_now_s();
		header->magic = kind->magic;
	}
	header->num_starts++;
}

static enum oc_err
open_page(struct oc_page *page, const char *path,
    const struct oc_page_kind *kind, uint64_t run, struct oc_error *error)
{
	enum oc_err err;

	page->len = sizeof(*page->header) + kind->len;
	page->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC, 0600);
	if (page->fd < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	/* Whose folder it is says who of the group is let to it. */
	(void)fchmod(page->fd, 0640);
	err = hold(page->fd, path, error);
	if (err == OC_OK)
		err = map(page, path, error);
	if (err == OC_OK)
		begin(page, kind, run);
	return err;
}

enum oc_err
oc_page_open(const char *directory, const struct oc_page_kind *kind,
    uint64_t run, struct oc_page **out, struct oc_error *error)
{
	struct oc_page *page;
	char path[PATH_MAX];
	enum oc_err err;
	unsigned int i;

	oc_assert(kind->len <= OC_PAGE_LEN_MAX);
	for (i = 0; i < OC_PAGES_MAX; i++) {
		if (!name_page(directory, kind->name, i, path))
			return oc_error_set(error, OC_ERR_LIMIT,
			    "%s: the name is too long", directory);
		page = calloc(1, sizeof(*page));
		if (page == NULL)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
		err = open_page(page, path, kind, run, error);
		if (err == OC_OK) {
			*out = page;
			return OC_OK;
		}
		oc_page_close(page);
		if (err != OC_ERR_BUSY)
			return err;
	}
	return oc_error_set(error, OC_ERR_BUSY, "%s: all %d pages for counts "
	    "are in use", directory, OC_PAGES_MAX);
}

void *
oc_page_data(struct oc_page *page)
{
	return page->header + 1;
}

void
oc_page_close(struct oc_page *page)
{
	if (page == NULL)
		return;
	if (page->header != NULL)
		(void)munmap(page->header, page->len);
	if (page->fd >= 0)
		(void)close(page->fd);
	free(page);
}

/* --- reading ------------------------------------------------------------ */

/* image: room for one. */
static void
read_page(int fd, const struct oc_page_kind *kind, uint64_t run,
    struct header *image, oc_page_fn *each, void *arg,
    struct oc_page_total *total)
{
	size_t len = sizeof(*image) + kind->len;

	if (pread(fd, image, len, 0) != (ssize_t)len ||
	    !is_ours(image, kind, run))
		return;
	each(arg, image + 1);
	total->num_pages++;
	total->num_held += is_held(fd);
	total->num_starts += image->num_starts;
	if (total->since == 0 || image->since < total->since)
		total->since = image->since;
}

void
oc_page_read(const char *directory, const struct oc_page_kind *kind,
    uint64_t run, oc_page_fn *each, void *arg, struct oc_page_total *total)
{
	struct header *image;
	char path[PATH_MAX];
	struct stat st;
	unsigned int i;
	int fd;

	oc_assert(kind->len <= OC_PAGE_LEN_MAX);
	memset(total, 0, sizeof(*total));
	/* A multiple of the cache line, as aligned_alloc() wants it. */
	image = aligned_alloc(CACHE_LINE, (sizeof(*image) + kind->len +
	    CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
	for (i = 0; image != NULL && i < OC_PAGES_MAX; i++) {
		if (!name_page(directory, kind->name, i, path))
			break;
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
		    O_CLOEXEC);
		/* They are made in this order. */
		if (fd < 0 && errno == ENOENT)
			break;
		if (fd < 0)
			continue;
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			read_page(fd, kind, run, image, each, arg, total);
		(void)close(fd);
	}
	free(image);
}

void
oc_page_add(void *to, const void *from, size_t len)
{
	uint64_t *sums = to;
	const uint64_t *more = from;
	size_t i;

	for (i = 0; i < len / sizeof(*sums); i++)
		sums[i] += more[i];
}
