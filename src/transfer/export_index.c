/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openssl's index.txt, as "openssl ca" writes it, and what it wants beside
 * it: FILE.attr, and the certificates themselves.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pem.h"
#include "der/time.h"
#include "status/index_txt.h"
#include "transfer/export.h"
#include "transfer/record.h"

struct writer {
	const struct transfer_export *export;
	FILE *file;
	struct x509_cert *cert;		/* room for one */
};

static void
index_close(void *arg)
{
	struct writer *w = arg;

	if (w == NULL)
		return;
	if (w->file != NULL)
		(void)fclose(w->file);
	free(w->cert);
	free(w);
}

static enum oc_err
index_open(const struct transfer_export *export, const char *path,
    void **writer, struct oc_error *error)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (w == NULL || (w->cert = calloc(1, sizeof(*w->cert))) == NULL) {
		index_close(w);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	w->export = export;
	w->file = fopen(path, "we");
	if (w->file == NULL) {
		index_close(w);
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	}
	*writer = w;
	return export->certificates == NULL ? OC_OK :
	    oc_file_mkdir_p(export->certificates, 0755, error);
}

/* --- one line ----------------------------------------------------------- */

/* The line that it came from; false: it came from elsewhere. */
static bool
read_record(const struct store_certificate *c, struct status_index_line *line)
{
	size_t len = strlen(TRANSFER_RECORD_INDEX);
	const char *record = c->import_record;

	return record != NULL &&
	    strncmp(record, TRANSFER_RECORD_INDEX, len) == 0 &&
	    status_index_line_read(record + len, strlen(record + len), line,
	    NULL) == OC_OK;
}

static bool
is_unchanged(const struct store_certificate *c,
    const struct status_index_line *line)
{
	if ((line->entry.is_revoked != 0) != c->is_revoked)
		return false;
	return !c->is_revoked || (line->entry.reason == c->reason &&
	    line->entry.revoked_at == c->revoked_at &&
	    line->invalidity_at == c->invalidity_at);
}

#define TIME_TEXT_MAX (DER_GENTIME_LEN + 1)

static void
format_time(int64_t at, char text[TIME_TEXT_MAX])
{
	memset(text, 0, TIME_TEXT_MAX);
	if (at >= DER_UTCTIME_FIRST && at <= DER_UTCTIME_LAST)
		der_format_utctime(at, (uint8_t *)text);
	else
		der_format_gentime(at, (uint8_t *)text);
}

/* What "openssl ca" knows of RFC 5280's reasons. */
static const char *
reason_of(const struct store_certificate *c, char unsaid[TRANSFER_UNSAID_MAX])
{
	switch (c->reason) {
	case CRL_REASON_UNSPECIFIED:
		return "";
	case CRL_REASON_CA_COMPROMISE:
		return c->invalidity_at != 0 ? ",CAkeyTime" : ",CACompromise";
	case CRL_REASON_KEY_COMPROMISE:
		return c->invalidity_at != 0 ? ",keyTime" : ",keyCompromise";
	case CRL_REASON_AFFILIATION_CHANGED:
		return ",affiliationChanged";
	case CRL_REASON_SUPERSEDED:
		return ",superseded";
	case CRL_REASON_CESSATION_OF_OPERATION:
		return ",cessationOfOperation";
	case CRL_REASON_CERTIFICATE_HOLD:
		return ",certificateHold";
	case CRL_REASON_REMOVE_FROM_CRL:
	case CRL_REASON_PRIVILEGE_WITHDRAWN:
	case CRL_REASON_AA_COMPROMISE:
		break;
	}
	(void)snprintf(unsaid, TRANSFER_UNSAID_MAX, "openssl has no reason "
	    "%s", crl_reason_name(c->reason));
	return "";
}

static void
write_revocation(const struct store_certificate *c, char *text, size_t room,
    char unsaid[TRANSFER_UNSAID_MAX])
{
	const char *reason = reason_of(c, unsaid);
	bool has_date = strstr(reason, "Time") != NULL;
	char at[TIME_TEXT_MAX], date[TIME_TEXT_MAX] = "";

	format_time(c->revoked_at, at);
	if (has_date)
		der_format_gentime(c->invalidity_at, (uint8_t *)date);
	else if (c->invalidity_at != 0)
		(void)snprintf(unsaid, TRANSFER_UNSAID_MAX, "openssl has an "
		    "invalidity date with keyCompromise and CACompromise "
		    "alone");
	(void)snprintf(text, room, "%s%s%s%s", at, reason,
	    has_date ? "," : "", date);
}

/* As openssl has it; for OPENSSL_free(). */
static enum oc_err
find_subject(struct writer *w, const struct store_certificate *c,
    char **subject, struct oc_error *error)
{
	X509_NAME *name = NULL;
	const uint8_t *p;
	enum oc_err err = OC_OK;

	if (c->certificate_len == 0) {
		*subject = OPENSSL_strdup("/");
	} else {
		err = x509_cert_read_frame((struct der_bytes){ c->certificate,
		    c->certificate_len }, w->cert, error);
		if (err != OC_OK)
			return err;
		p = w->cert->subject.p;
		name = d2i_X509_NAME(NULL, &p, (long)w->cert->subject.len);
		*subject = name == NULL ? NULL :
		    X509_NAME_oneline(name, NULL, 0);
		X509_NAME_free(name);
	}
	return *subject != NULL ? OC_OK : oc_error_set(error,
	    OC_ERR_INTERNAL, "OpenSSL cannot write its subject");
}

static char
letter_of(const struct writer *w, const struct store_certificate *c)
{
	if (c->is_revoked)
		return 'R';
	return c->not_after < w->export->now ? 'E' : 'V';
}

static enum oc_err
put_new(struct writer *w, const struct store_certificate *c,
    const struct status_index_line *old, char unsaid[TRANSFER_UNSAID_MAX],
    struct oc_error *error)
{
	char revocation[128] = "", end[TIME_TEXT_MAX];
	char serial[OC_SERIAL_TEXT_MAX], *subject = NULL;
	enum oc_err err;

	if (c->is_revoked)
		write_revocation(c, revocation, sizeof(revocation), unsaid);
	format_time(c->not_after, end);
	oc_serial_format(&c->serial, serial);
	(void)fprintf(w->file, "%c\t%s\t%s\t", letter_of(w, c), end,
	    revocation);
	if (old != NULL) {
		/* Serial number, file and subject, as they were. */
		(void)fwrite(old->serial, 1, old->len - (size_t)(old->serial -
		    old->text), w->file);
		(void)fputc('\n', w->file);
		return OC_OK;
	}
	err = find_subject(w, c, &subject, error);
	if (err == OC_OK)
		(void)fprintf(w->file, "%s\tunknown\t%s\n", serial, subject);
	OPENSSL_free(subject);
	return err;
}

static enum oc_err
put_certificate(struct writer *w, const struct store_certificate *c,
    struct oc_error *error)
{
	char serial[OC_SERIAL_TEXT_MAX], *path = NULL;
	struct oc_buffer b;
	enum oc_err err = OC_OK;

	oc_serial_format(&c->serial, serial);
	oc_buffer_init(&b, 2 * OC_CERTIFICATE_MAX);
	oc_pem_write(&b, "CERTIFICATE", c->certificate, c->certificate_len);
	if (b.err != OC_OK || asprintf(&path, "%s/%s.pem",
	    w->export->certificates, serial) < 0)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	/* The one that is there may be openssl's, with text in front. */
	else if (access(path, F_OK) != 0)
		err = oc_file_write(path, 0644, b.bytes, b.len, error);
	free(path);
	oc_buffer_fini(&b);
	return err;
}

static enum oc_err
index_put(void *arg, const struct store_certificate *c,
    char unsaid[TRANSFER_UNSAID_MAX], struct oc_error *error)
{
	struct writer *w = arg;
	struct status_index_line line;
	bool has_line = read_record(c, &line);
	enum oc_err err = OC_OK;

	if (has_line && is_unchanged(c, &line))
		(void)fprintf(w->file, "%.*s\n", (int)line.len, line.text);
	else
		err = put_new(w, c, has_line ? &line : NULL, unsaid, error);
	if (err == OC_OK && ferror(w->file))
		err = oc_error_set_errno(error, errno == ENOSPC ?
		    OC_ERR_NO_SPACE : OC_ERR_SYSTEM, "writing");
	if (err == OC_OK && w->export->certificates != NULL &&
	    c->certificate_len > 0)
		err = put_certificate(w, c, error);
	return err;
}

/* Renewed certificates have the subject of those before them: openssl is to
 * allow that, or it would not even read the file. */
static enum oc_err
index_finish(void *arg, struct oc_error *error)
{
	static const char attributes[] = "unique_subject = no\n";
	struct writer *w = arg;
	char *path = NULL;
	enum oc_err err;

	if (fflush(w->file) != 0 || ferror(w->file))
		return oc_error_set_errno(error, errno == ENOSPC ?
		    OC_ERR_NO_SPACE : OC_ERR_SYSTEM, "writing");
	if (asprintf(&path, "%s.attr", w->export->path) < 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = oc_file_write(path, 0644, attributes, sizeof(attributes) - 1,
	    error);
	free(path);
	return err;
}

const struct transfer_writer_ops transfer_index_writer = {
	.open = index_open,
	.put = index_put,
	.finish = index_finish,
	.close = index_close
};
