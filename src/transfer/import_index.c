/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From openssl's index.txt, and the certificates that "openssl ca" leaves
 * beside it (new_certs_dir), where they are.  A certificate's record is its
 * line, octet for octet, so that the same line can be written again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "status/index_txt.h"
#include "transfer/import_impl.h"
#include "transfer/record.h"
#include "x509/file.h"

struct reader {
	struct transfer_run *run;
	char subject[OC_INDEX_LINE_MAX + 1];
};

/* A certificate that is not there is no error: who has moved the folder can
 * still take over what is in the file. */
static enum oc_err
find_certificate(const struct reader *r, const struct status_index_line *line,
    uint8_t **der, size_t *len, struct oc_error *error)
{
	const char *folder = r->run->import->certificates;
	char *path = NULL;
	enum oc_err err;

	*der = NULL;
	if (folder == NULL)
		return OC_OK;
	if (asprintf(&path, "%s/%.*s.pem", folder, (int)line->serial_len,
	    line->serial) < 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (access(path, F_OK) != 0 && errno == ENOENT) {
		free(path);
		return OC_OK;
	}
	err = x509_file_read(path, X509_FILE_CERTIFICATE, der, len, error);
	free(path);
	return err;
}

/* The revocation's time and what goes with it. */
static void
put_status(const struct status_index_line *line, struct store_import *row)
{
	row->is_revoked = line->entry.is_revoked != 0;
	if (!row->is_revoked)
		return;
	row->reason = (enum crl_reason)line->entry.reason;
	row->revoked_at = line->entry.revoked_at;
	row->invalidity_at = line->invalidity_at;
}

static enum oc_err
take(struct reader *r, const struct status_index_line *line,
    struct oc_error *error)
{
	struct transfer_run *run = r->run;
	struct store_import row = {
		.serial = line->entry.serial,
		.state = STORE_ISSUED,
		.not_after = line->entry.not_after,
		.profile = "",
		.subject = r->subject,
		.names = ""
	};
	char subject[X509_NAME_TEXT_MAX];
	uint8_t *der = NULL;
	size_t len = 0;
	enum oc_err err;

	put_status(line, &row);
	(void)snprintf(r->subject, sizeof(r->subject), "%.*s",
	    (int)line->subject_len, line->subject);
	run->record.len = 0;
	oc_buffer_printf(&run->record, "%s%.*s", TRANSFER_RECORD_INDEX,
	    (int)line->len, line->text);
	row.record = oc_buffer_text(&run->record);
	err = run->record.err != OC_OK ? oc_error_set(error,
	    run->record.err, "%s", oc_strerror(run->record.err)) :
	    find_certificate(r, line, &der, &len, error);
	if (err == OC_OK && der != NULL)
		err = transfer_describe(run, (struct der_bytes){ der, len },
		    subject, &row, error);
	row.reserved_at = row.issued_at = row.not_before;
	if (err == OC_OK)
		err = transfer_take(run, &row, error);
	free(der);
	return err;
}

static enum oc_err
take_line(void *arg, const struct status_index_line *line,
    struct oc_error *error)
{
	struct reader *r = arg;
	char serial[OC_SERIAL_TEXT_MAX];
	enum oc_err err = transfer_digest(r->run, line->text, line->len,
	    error);

	if (err == OC_OK)
		err = transfer_digest(r->run, "\n", 1, error);
	if (err == OC_OK)
		err = take(r, line, error);
	if (err == OC_OK)
		return OC_OK;
	oc_serial_format(&line->entry.serial, serial);
	return oc_error_prefix(error, "certificate %s", serial);
}

enum oc_err
transfer_read_index(struct transfer_run *run, struct oc_error *error)
{
	struct reader *r = calloc(1, sizeof(*r));
	enum oc_err err;

	if (r == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	r->run = run;
	err = status_index_walk(run->import->path, take_line, r, error);
	free(r);
	return err;
}
