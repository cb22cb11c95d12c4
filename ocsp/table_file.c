/* SPDX-License-Identifier: Apache-2.0 */
/* The response table's file: what it must look like, and mapping it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ocsp/table_private.h"

/* At a load of at most 0.6. */
uint32_t
ocsp_table_num_buckets_for(uint32_t num_slots)
{
	return (uint32_t)((uint64_t)num_slots * 5 / 3 + 1);
}

uint32_t
ocsp_table_slot_len_for(uint32_t signature_len)
{
	return (SLOT_SIGNATURE + (signature_len + 3) / 4) * 4;
}

static uint64_t
slots_offset(uint32_t num_buckets)
{
	return OCSP_TABLE_HEADER_LEN + ((uint64_t)num_buckets * 4 + 63) / 64 *
	    64;
}

uint64_t
ocsp_table_file_len_for(const struct table_header *header)
{
	return slots_offset(header->num_buckets) +
	    (uint64_t)header->num_slots * header->slot_len;
}

uint32_t
ocsp_table_header_crc(const struct table_header *header)
{
	return ocsp_table_crc32c(header, offsetof(struct table_header, crc));
}

const char *
ocsp_table_check_header(const struct table_header *header, uint64_t file_len)
{
	const struct ocsp_identity *identity = &header->identity;

	if (file_len < OCSP_TABLE_HEADER_LEN ||
	    memcmp(header->magic, TABLE_MAGIC, sizeof(header->magic)) != 0)
		return "is no response table";
	if (header->byte_order != TABLE_BYTE_ORDER ||
	    header->identity_len != sizeof(*identity))
		return "is from another kind of machine";
	if (header->version != TABLE_VERSION)
		return "is of another version";
	if (header->crc != ocsp_table_header_crc(header))
		return "has a damaged header";
	if (identity->signature_len > OC_SIGNATURE_MAX ||
	    identity->certs_len > OCSP_CERTS_MAX ||
	    identity->responder_name_len > OCSP_RESPONDER_NAME_MAX ||
	    identity->crl_url_len > OCSP_CRL_URL_MAX ||
	    identity->alg <= SIGN_ALG_NONE || identity->alg >= SIGN_ALG_MAX ||
	    header->slot_len !=
	    ocsp_table_slot_len_for(identity->signature_len) ||
	    header->num_slots > TABLE_SLOTS_MAX ||
	    header->num_buckets !=
	    ocsp_table_num_buckets_for(header->num_slots))
		return "has numbers in its header that cannot be";
	if (file_len < ocsp_table_file_len_for(header))
		return "is cut short";
	return NULL;
}

enum oc_err
ocsp_table_fail(struct oc_error *error, const char *what, const char *path)
{
	enum oc_err err = OC_ERR_SYSTEM;

	if (errno == ENOENT)
		err = OC_ERR_NOT_FOUND;
	else if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		err = OC_ERR_NO_SPACE;
	else if (errno == ENOMEM)
		err = OC_ERR_NOMEM;
	return oc_error_set_errno(error, err, "cannot %s the response table "
	    "%s", what, path);
}

enum oc_err
ocsp_table_map_file(struct ocsp_table *table, int fd,
    const struct table_header *header, enum table_access access,
    struct oc_error *error)
{
	uint64_t len = ocsp_table_file_len_for(header);
	uint8_t *map;

	if (len > SIZE_MAX / 2)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "the response table %s is too large for this machine",
		    table->path);
	map = mmap(NULL, (size_t)len, access == TABLE_READ_WRITE ?
	    PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return ocsp_table_fail(error, "map", table->path);
	table->map = map;
	table->map_len = (size_t)len;
	table->header = (struct table_header *)(void *)map;
	table->index = (_Atomic uint32_t *)(void *)(map +
	    OCSP_TABLE_HEADER_LEN);
	table->slots = (_Atomic uint32_t *)(void *)(map +
	    slots_offset(header->num_buckets));
	table->num_slots = header->num_slots;
	table->num_buckets = header->num_buckets;
	table->slot_words = header->slot_len / 4;
	memcpy(table->hash_key, header->hash_key, sizeof(table->hash_key));
	memcpy(table->store_id, header->store_id, sizeof(table->store_id));
	memcpy(&table->identity, &header->identity, sizeof(table->identity));
	return OC_OK;
}

const char *
ocsp_table_read_header(int fd, struct table_header *header)
{
	struct stat st;

	memset(header, 0, sizeof(*header));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "is no regular file";
	if (pread(fd, header, sizeof(*header), 0) != (ssize_t)sizeof(*header))
		return "is cut short";
	return ocsp_table_check_header(header, (uint64_t)st.st_size);
}

struct ocsp_table *
ocsp_table_alloc(const char *path)
{
	struct ocsp_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->fd = table->lock_fd = -1;
	table->path = strdup(path);
	if (table->path == NULL) {
		free(table);
		return NULL;
	}
	return table;
}

void
ocsp_table_unmap(struct ocsp_table *table)
{
	if (table->map != NULL)
		(void)munmap(table->map, table->map_len);
	if (table->fd >= 0)
		(void)close(table->fd);
	table->map = NULL;
	table->fd = -1;
}

void
ocsp_table_free(struct ocsp_table *table)
{
	ocsp_table_stop_growing(table);
	ocsp_table_unmap(table);
	if (table->lock_fd >= 0)
		(void)close(table->lock_fd);
	free(table->path);
	free(table);
}

enum oc_err
ocsp_table_open(const char *path, struct ocsp_table **table,
    struct oc_error *error)
{
	struct table_header header;
	struct ocsp_table *opened;
	const char *trouble;
	enum oc_err err;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ocsp_table_fail(error, "open", path);
	trouble = ocsp_table_read_header(fd, &header);
	opened = trouble == NULL ? ocsp_table_alloc(path) : NULL;
	if (trouble != NULL)
		err = oc_error_set(error, OC_ERR_MALFORMED,
		    "the response table %s %s", path, trouble);
	else if (opened == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else
		err = ocsp_table_map_file(opened, fd, &header,
		    TABLE_READ_ONLY, error);
	(void)close(fd);
	if (err != OC_OK) {
		if (opened != NULL)
			ocsp_table_free(opened);
		return err;
	}
	*table = opened;
	return OC_OK;
}

bool
ocsp_table_is_in_place(const struct ocsp_table *table)
{
	struct stat named, mapped;

	return stat(table->path, &named) == 0 &&
	    fstat(table->fd, &mapped) == 0 &&
	    named.st_dev == mapped.st_dev && named.st_ino == mapped.st_ino &&
	    (uint64_t)mapped.st_size >= table->map_len;
}
