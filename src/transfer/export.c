/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conninfo.h"
#include "base/file.h"

struct run {
	const struct transfer_export *export;
	const struct transfer_writer_ops *ops;
	void *writer;
	struct transfer_export_counts counts;
	struct oc_error *error;
};

/* A number that was only reserved is no certificate, unless somebody has
 * revoked it all the same. */
static enum oc_err
put(void *arg, const struct store_certificate *c)
{
	struct run *run = arg;
	char why[TRANSFER_UNSAID_MAX] = "", serial[OC_SERIAL_TEXT_MAX];
	char text[TRANSFER_UNSAID_MAX + OC_SERIAL_TEXT_MAX + 32];
	enum oc_err err;

	if (c->state != STORE_ISSUED && !c->is_revoked) {
		run->counts.num_reserved++;
		return OC_OK;
	}
	oc_serial_format(&c->serial, serial);
	err = run->ops->put(run->writer, c, why, run->error);
	if (err != OC_OK && err != OC_ERR_UNSUPPORTED)
		return oc_error_prefix(run->error, "certificate %s", serial);
	if (why[0] != '\0') {
		run->counts.num_unsaid++;
		(void)snprintf(text, sizeof(text), "certificate %s: %s",
		    serial, why);
		run->export->unsaid(run->export->arg, text);
	}
	if (err == OC_OK)
		run->counts.num_written++;
	else
		run->counts.num_left_out++;
	if (run->export->progress != NULL)
		run->export->progress(run->export->arg, &run->counts);
	return OC_OK;
}

static enum oc_err
put_all(struct run *run)
{
	struct store *store = run->export->store;
	struct store_filter filter = {
		.issuer_id = run->export->issuer_id
	};
	enum oc_err err;

	run->error->code = OC_OK;
	err = store_list_certificates(store, &filter, put, run);
	if (err != OC_OK && run->error->code == OC_OK)
		return oc_error_set(run->error, err, "%s",
		    store_error(store));
	if (err == OC_OK && run->counts.num_unsaid > 0 &&
	    run->export->loss == TRANSFER_WHOLE)
		return oc_error_set(run->error, OC_ERR_UNSUPPORTED, "%llu "
		    "certificates have something that %s cannot say, and "
		    "nothing is written; --lossy leaves it out",
		    (unsigned long long)run->counts.num_unsaid,
		    run->export->format == TRANSFER_INDEX ? "an index.txt" :
		    "a certdb");
	return err;
}

static enum oc_err
write_all(struct run *run, const char *path)
{
	enum oc_err err = run->ops->open(run->export, path, &run->writer,
	    run->error);

	if (err == OC_OK)
		err = put_all(run);
	if (err == OC_OK)
		err = run->ops->finish(run->writer, run->error);
	run->ops->close(run->writer);
	return err;
}

static enum oc_err
sync_path(const char *path, int flags, struct oc_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	bool is_synced = fd >= 0 && fsync(fd) == 0;
	int number = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = number;
	return is_synced ? OC_OK : oc_error_set_errno(error, OC_ERR_SYSTEM,
	    "%s", path);
}

/* As a whole, or not at all. */
static enum oc_err
put_in_place(const char *from, const char *to, struct oc_error *error)
{
	char *folder = NULL;
	enum oc_err err = sync_path(from, 0, error);

	if (err == OC_OK && (chmod(from, 0644) != 0 ||
	    rename(from, to) != 0))
		err = oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", to);
	if (err == OC_OK && oc_path_directory(to, &folder) != OC_OK)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (err == OC_OK)
		err = sync_path(folder, O_DIRECTORY, error);
	free(folder);
	return err;
}

static enum oc_err
export_to_file(struct run *run)
{
	const char *to = run->export->path;
	char *path;
	enum oc_err err;
	int fd;

	if (asprintf(&path, "%s.XXXXXX", to) < 0)
		return oc_error_set(run->error, OC_ERR_NOMEM, "out of memory");
	fd = mkstemp(path);
	if (fd < 0) {
		err = oc_error_set_errno(run->error, OC_ERR_SYSTEM, "%s", to);
		free(path);
		return err;
	}
	(void)close(fd);
	err = write_all(run, path);
	if (err == OC_OK)
		err = put_in_place(path, to, run->error);
	if (err != OC_OK)
		(void)unlink(path);
	free(path);
	return err;
}

enum oc_err
transfer_export(const struct transfer_export *export,
    struct transfer_export_counts *counts, struct oc_error *error)
{
	struct run run = { .export = export, .error = error,
	    .ops = export->format == TRANSFER_INDEX ?
	    &transfer_index_writer : &transfer_certdb_writer };
	enum oc_err err;

	if (export->format == TRANSFER_CERTDB && oc_conninfo_is(export->path))
		err = write_all(&run, export->path);
	else
		err = export_to_file(&run);
	if (err == OC_OK)
		*counts = run.counts;
	return err;
}
