/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an issuer's key before has signed: a table beside the one of the key
 * that signs now, until each answer in it has been signed anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "ocsp/table_private.h"

/* Whoever reads what it replaces is told first. */
static bool
rename_over(const char *path, const char *older)
{
	int fd = open(older, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		ocsp_table_retire_file(fd);
		(void)close(fd);
	}
	return rename(path, older) == 0;
}

bool
ocsp_table_set_aside(const struct ocsp_table *table,
    const struct table_header *header, const struct ocsp_identity *identity,
    const uint8_t store_id[OCSP_STORE_ID_LEN])
{
	char *older;
	bool is_done;

	if (memcmp(header->store_id, store_id, OCSP_STORE_ID_LEN) != 0 ||
	    !ocsp_identity_has_issuer(&header->identity, identity) ||
	    ocsp_identity_has_key(&header->identity, identity))
		return false;
	older = ocsp_table_beside(table->path, OCSP_TABLE_OLDER_SUFFIX);
	is_done = older != NULL && rename_over(table->path, older);
	free(older);
	if (is_done)
		oc_log(OC_LOG_NOTICE, "the response table %s is another "
		    "key's: what is in it is served until it is signed anew",
		    table->path);
	return is_done;
}

/* The identity of what lies there, if it is of any use.  One that is ours and
 * cannot be opened is an error: who has it open may be answering from it. */
static enum oc_err
read_identity(const char *path, const struct ocsp_identity *ours,
    const uint8_t store_id[OCSP_STORE_ID_LEN],
    struct ocsp_identity *identity, bool *is_of_use, struct oc_error *error)
{
	struct table_header header;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	*is_of_use = false;
	if (fd < 0)
		return errno == ENOENT || errno == EACCES ? OC_OK :
		    ocsp_table_fail(error, "open", path);
	*is_of_use = ocsp_table_read_header(fd, &header) == NULL &&
	    memcmp(header.store_id, store_id, OCSP_STORE_ID_LEN) == 0 &&
	    ocsp_identity_has_issuer(&header.identity, ours) &&
	    !ocsp_identity_has_key(&header.identity, ours);
	if (*is_of_use)
		*identity = header.identity;
	else
		ocsp_table_retire_file(fd);
	(void)close(fd);
	return OC_OK;
}

enum oc_err
ocsp_table_take_older(const char *path, const struct ocsp_identity *identity,
    const uint8_t store_id[OCSP_STORE_ID_LEN], struct ocsp_table **out,
    struct oc_error *error)
{
	char *older = ocsp_table_beside(path, OCSP_TABLE_OLDER_SUFFIX);
	struct ocsp_table *table = NULL;
	struct ocsp_identity theirs;
	bool is_of_use;
	enum oc_err err;

	if (older == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = read_identity(older, identity, store_id, &theirs, &is_of_use,
	    error);
	if (err == OC_OK && is_of_use)
		err = ocsp_table_create(older, &theirs, store_id, 0, &table,
		    error);
	else if (err == OC_OK)
		(void)unlink(older);
	free(older);
	if (err != OC_OK)
		return err;
	if (table != NULL)
		table->is_older = true;
	*out = table;
	return OC_OK;
}

void
ocsp_table_discard(struct ocsp_table *table)
{
	char *lock_name;

	if (table == NULL)
		return;
	oc_assert(table->lock_fd >= 0);
	atomic_fetch_or(&table->header->flags, TABLE_RETIRED);
	(void)unlink(table->path);
	lock_name = ocsp_table_beside(table->path, ".lock");
	if (lock_name != NULL)
		(void)unlink(lock_name);
	free(lock_name);
	ocsp_table_free(table);
}
