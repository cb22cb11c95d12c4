/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response table's writer: making, taking over and closing.
 *
 * A file is complete before it gets its name, and never changes its size:
 * what has mapped it may read all of it for ever.  Its blocks are allocated
 * before it is mapped, so that a full disk is an error here and not a SIGBUS
 * later.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "ocsp/table_private.h"

/* Beyond RLIMIT_FSIZE the kernel answers with a signal; and what others need
 * of a disk that is nearly full is not to be taken first. */
static int
look_for_room(int fd, uint64_t len)
{
	struct rlimit limit;
	struct statvfs st;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY && len > limit.rlim_cur)
		return EFBIG;
	return fstatvfs(fd, &st) == 0 && st.f_frsize != 0 &&
	    len / st.f_frsize > st.f_bavail ? ENOSPC : 0;
}

int
ocsp_table_allocate(int fd, uint64_t from, uint64_t len)
{
	return posix_fallocate(fd, (off_t)from, (off_t)len);
}

static void
get_boot_id(uint8_t boot_id[TABLE_BOOT_ID_LEN])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	/* All zero is unlike any, itself included: see is_same_boot(). */
	memset(boot_id, 0, TABLE_BOOT_ID_LEN);
	if (f == NULL)
		return;
	if (fread(boot_id, 1, TABLE_BOOT_ID_LEN, f) != TABLE_BOOT_ID_LEN)
		memset(boot_id, 0, TABLE_BOOT_ID_LEN);
	(void)fclose(f);
}

static bool
is_same_boot(const uint8_t a[TABLE_BOOT_ID_LEN])
{
	uint8_t now[TABLE_BOOT_ID_LEN];

	get_boot_id(now);
	return now[0] != 0 && memcmp(a, now, sizeof(now)) == 0;
}

char *
ocsp_table_beside(const char *path, const char *suffix)
{
	size_t len = strlen(path) + strlen(suffix) + 1;
	char *name = malloc(len);

	if (name != NULL)
		(void)snprintf(name, len, "%s%s", path, suffix);
	return name;
}

enum oc_err
ocsp_table_plan(const struct ocsp_identity *identity,
    const uint8_t store_id[OCSP_STORE_ID_LEN], uint32_t num_slots,
    struct table_header *header)
{
	memset(header, 0, sizeof(*header));
	memcpy(header->magic, TABLE_MAGIC, sizeof(header->magic));
	header->byte_order = TABLE_BYTE_ORDER;
	header->version = TABLE_VERSION;
	header->identity_len = sizeof(*identity);
	header->slot_len = ocsp_table_slot_len_for(identity->signature_len);
	header->num_slots = num_slots;
	header->num_buckets = ocsp_table_num_buckets_for(num_slots);
	if (getrandom(header->hash_key, sizeof(header->hash_key), 0) !=
	    (ssize_t)sizeof(header->hash_key))
		return OC_ERR_SYSTEM;
	memcpy(header->store_id, store_id, sizeof(header->store_id));
	memcpy(&header->identity, identity, sizeof(*identity));
	header->crc = ocsp_table_header_crc(header);
	header->flags = TABLE_OPEN;
	get_boot_id(header->boot_id);
	return OC_OK;
}

int
ocsp_table_make_file(const char *name, const struct table_header *header)
{
	int fd, why;

	(void)unlink(name);
	fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return -1;
	/* Whatever the umask is: the folder says whom it lets in. */
	(void)fchmod(fd, 0640);
	why = look_for_room(fd, ocsp_table_file_len_for(header));
	if (why == 0 && pwrite(fd, header, sizeof(*header), 0) !=
	    (ssize_t)sizeof(*header))
		why = errno == 0 ? ENOSPC : errno;
	if (why == 0)
		return fd;
	(void)close(fd);
	(void)unlink(name);
	errno = why;
	return -1;
}

/* An empty table, mapped into *table, in a file of this name. */
static enum oc_err
make_whole(struct ocsp_table *table, const char *name,
    const struct table_header *header, struct oc_error *error)
{
	int fd = ocsp_table_make_file(name, header);
	enum oc_err err;

	if (fd < 0)
		return ocsp_table_fail(error, "make", name);
	errno = ocsp_table_allocate(fd, 0, ocsp_table_file_len_for(header));
	if (errno != 0)
		err = ocsp_table_fail(error, "allocate", name);
	else
		err = ocsp_table_map_file(table, fd, header,
		    TABLE_READ_WRITE, error);
	if (err != OC_OK) {
		(void)close(fd);
		(void)unlink(name);
		return err;
	}
	table->fd = fd;
	return OC_OK;
}

/* Makes what the file holds and then its name durable. */
static enum oc_err
give_name(struct ocsp_table *table, const char *name, struct oc_error *error)
{
	char *directory;
	enum oc_err err;
	int fd;

	if (msync(table->map, table->map_len, MS_SYNC) < 0 ||
	    fsync(table->fd) < 0 || rename(name, table->path) < 0)
		return ocsp_table_fail(error, "write", table->path);
	/* Losing the new name would only cost signatures: no error. */
	err = oc_path_directory(table->path, &directory);
	if (err != OC_OK)
		return OC_OK;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		(void)close(fd);
	}
	free(directory);
	return OC_OK;
}

void
ocsp_table_retire_file(int fd)
{
	struct table_header *header;
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size < OCSP_TABLE_HEADER_LEN)
		return;
	header = mmap(NULL, sizeof(*header), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (header == MAP_FAILED)
		return;
	if (memcmp(header->magic, TABLE_MAGIC, sizeof(header->magic)) == 0)
		atomic_fetch_or(&header->flags, TABLE_RETIRED);
	(void)munmap(header, sizeof(*header));
}

/* fd is the old file's, or -1. */
static enum oc_err
make_anew(struct ocsp_table *table, int fd,
    const struct table_header *header, struct oc_error *error)
{
	char *name = ocsp_table_beside(table->path, ".new");
	enum oc_err err;

	if (name == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = make_whole(table, name, header, error);
	if (err == OC_OK) {
		if (fd >= 0)
			ocsp_table_retire_file(fd);
		err = give_name(table, name, error);
		if (err != OC_OK)
			(void)unlink(name);
	}
	free(name);
	return err;
}

/*
 * The machine went down with it.  Which pages reached the disk, nobody knows:
 * what has changed since the last sync must be applied again, to all that is
 * there, so all is gone through first.
 */
static void
recover(struct ocsp_table *table)
{
	uint32_t num_torn = ocsp_table_recover(table);

	oc_log(OC_LOG_NOTICE, "the response table %s was open when the "
	    "machine went down: %u answers in it, %u torn ones dropped",
	    table->path, (unsigned)ocsp_table_num_used(table),
	    (unsigned)num_torn);
	atomic_store(&table->header->seq,
	    atomic_load(&table->header->durable_seq));
}

/*
 * Takes over a file that is good, and ours.  Of one that was closed nothing
 * is looked at, for that takes the longer the larger it is.  Nor, before it is
 * served, of one whose writer alone has died: what it had half done is a slot
 * that is torn or that nothing leads to, or an index entry that leads to none.
 */
static enum oc_err
take_over(struct ocsp_table *table, int fd, const struct table_header *header,
    struct oc_error *error)
{
	enum oc_err err;
	uint32_t flags;

	/* A copy may have holes where the file had none. */
	errno = ocsp_table_allocate(fd, 0, ocsp_table_file_len_for(header));
	if (errno != 0)
		return ocsp_table_fail(error, "allocate", table->path);
	err = ocsp_table_map_file(table, fd, header, TABLE_READ_WRITE, error);
	if (err != OC_OK)
		return err;
	table->fd = fd;
	flags = atomic_load(&table->header->flags);
	table->is_damaged = (flags & TABLE_OPEN) != 0;
	if ((flags & TABLE_OPEN) != 0 &&
	    !is_same_boot(table->header->boot_id))
		recover(table);
	else if ((flags & TABLE_OPEN) != 0)
		oc_log(OC_LOG_NOTICE, "the response table %s was left open: "
		    "%u answers in it, looked through while it is served",
		    table->path, (unsigned)ocsp_table_num_used(table));
	get_boot_id(table->header->boot_id);
	/* Who died just before a larger one had the name, had said so. */
	atomic_fetch_and(&table->header->flags, ~(uint32_t)TABLE_RETIRED);
	atomic_fetch_or(&table->header->flags, TABLE_OPEN);
	return OC_OK;
}

/* NULL, or what is wrong with it. */
static const char *
check_owner(const struct table_header *header,
    const struct ocsp_identity *identity,
    const uint8_t store_id[OCSP_STORE_ID_LEN])
{
	if (memcmp(header->store_id, store_id, OCSP_STORE_ID_LEN) != 0)
		return "belongs to another store";
	if (!ocsp_identity_has_issuer(&header->identity, identity))
		return "is another issuer's";
	if (!ocsp_identity_has_key(&header->identity, identity))
		return "is another key's";
	if (!ocsp_identity_has_choices(&header->identity, identity))
		return "says more or less than is configured";
	return NULL;
}

/* Under the one before, nothing is to be served for long. */
#define SOON_S 86400

/*
 * The same slots in a file that says who signs now: for the same key, under
 * another certificate.  Of a large one, or where there is no room on the disk
 * yet, it is made by and by: either certificate goes with each signature, as
 * long as it is valid.
 */
static enum oc_err
renew(struct ocsp_table *table, const struct ocsp_identity *identity,
    struct oc_error *error)
{
	int64_t left_s = table->identity.signer_not_after - oc_clock_now_s();
	enum oc_err err;

	table->identity = *identity;
	table->growth.is_renewing = true;
	oc_log(OC_LOG_NOTICE, "the response table %s: there is another "
	    "certificate for the key: %u answers go with it from now on",
	    table->path, (unsigned)ocsp_table_num_used(table));
	if (left_s >= SOON_S && ocsp_table_num_used(table) > TABLE_LARGE)
		return OC_OK;
	err = ocsp_table_grow(table, table->num_slots);
	return err == OC_OK || left_s > 0 ? OC_OK : ocsp_table_fail(error,
	    "write", table->path);
}

static enum oc_err
take_over_for(struct ocsp_table *table, int fd,
    const struct table_header *header, const struct ocsp_identity *identity,
    struct oc_error *error)
{
	enum oc_err err = take_over(table, fd, header, error);

	if (err != OC_OK)
		(void)close(fd);
	else if (!ocsp_identity_equal(&table->identity, identity))
		err = renew(table, identity, error);
	return err;
}

static uint32_t
clamp_slots(uint64_t num_slots)
{
	if (num_slots < TABLE_SLOTS_MIN)
		return TABLE_SLOTS_MIN;
	return num_slots > TABLE_SLOTS_MAX ? TABLE_SLOTS_MAX :
	    (uint32_t)num_slots;
}

static enum oc_err
open_or_make(struct ocsp_table *table, const struct ocsp_identity *identity,
    const uint8_t store_id[OCSP_STORE_ID_LEN], uint32_t num_slots,
    struct oc_error *error)
{
	struct table_header header, planned;
	const char *trouble;
	enum oc_err err;
	int fd;

	fd = open(table->path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return ocsp_table_fail(error, "open", table->path);
	if (fd >= 0) {
		trouble = ocsp_table_read_header(fd, &header);
		if (trouble != NULL)
			memset(&header, 0, sizeof(header));
		else
			trouble = check_owner(&header, identity, store_id);
		if (trouble == NULL)
			return take_over_for(table, fd, &header, identity,
			    error);
		if (ocsp_table_set_aside(table, &header, identity,
		    store_id)) {
			(void)close(fd);
			fd = -1;
		} else {
			oc_log(OC_LOG_WARNING, "the response table %s %s: "
			    "making it anew", table->path, trouble);
		}
	}
	err = ocsp_table_plan(identity, store_id, clamp_slots(num_slots),
	    &planned);
	if (err == OC_OK)
		err = make_anew(table, fd, &planned, error);
	else
		(void)oc_error_set_errno(error, err, "no random numbers");
	if (fd >= 0)
		(void)close(fd);
	return err;
}

enum oc_err
ocsp_table_create(const char *path, const struct ocsp_identity *identity,
    const uint8_t store_id[OCSP_STORE_ID_LEN], uint32_t num_slots,
    struct ocsp_table **table, struct oc_error *error)
{
	struct ocsp_table *made = ocsp_table_alloc(path);
	char *lock_name = ocsp_table_beside(path, ".lock");
	enum oc_err err;

	if (made == NULL || lock_name == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else
		err = oc_file_lock(lock_name, &made->lock_fd, error);
	if (err == OC_OK)
		err = open_or_make(made, identity, store_id, num_slots, error);
	free(lock_name);
	if (err != OC_OK) {
		if (made != NULL)
			ocsp_table_free(made);
		return err;
	}
	*table = made;
	return OC_OK;
}

enum oc_err
ocsp_table_sync(struct ocsp_table *table)
{
	uint64_t seq = atomic_load(&table->header->seq);

	oc_assert(table->lock_fd >= 0);
	if (msync(table->map, table->map_len, MS_SYNC) < 0)
		return OC_ERR_SYSTEM;
	atomic_store(&table->header->durable_seq, seq);
	return msync(table->map, OCSP_TABLE_HEADER_LEN, MS_SYNC) < 0 ?
	    OC_ERR_SYSTEM : OC_OK;
}

void
ocsp_table_close(struct ocsp_table *table)
{
	if (table == NULL)
		return;
	if (table->lock_fd >= 0) {
		ocsp_table_stop_growing(table);
		if (ocsp_table_sync(table) != OC_OK) {
			/* It stays "not closed", and will be gone through. */
			oc_log(OC_LOG_ERROR, "cannot write the response table "
			    "%s", table->path);
		} else {
			atomic_fetch_and(&table->header->flags,
			    ~(uint32_t)TABLE_OPEN);
			(void)msync(table->map, OCSP_TABLE_HEADER_LEN,
			    MS_SYNC);
		}
	}
	ocsp_table_free(table);
}
