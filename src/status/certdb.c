/* SPDX-License-Identifier: Apache-2.0 */
#include "status/certdb.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "der/time.h"
#include "x509/file.h"

/* --- times ------------------------------------------------------------- */

struct scanner { const char *at; bool is_well; };

static int
take_number(struct scanner *s, int num_digits)
{
	int value = 0;

	for (; num_digits > 0; num_digits--, s->at++) {
		if (*s->at < '0' || *s->at > '9') {
			s->is_well = false;
			return 0;
		}
		value = value * 10 + (*s->at - '0');
	}
	return value;
}

static void
take_any(struct scanner *s, const char *allowed)
{
	if (*s->at != '\0' && strchr(allowed, *s->at) != NULL)
		s->at++;
	else
		s->is_well = false;
}

static void
skip_fraction(struct scanner *s)
{
	if (*s->at != '.')
		return;
	s->at++;
	(void)take_number(s, 1);
	while (s->is_well && *s->at >= '0' && *s->at <= '9')
		s->at++;
}

/* "Z", "+00:00", "+0000", "+00", or nothing, which is UTC; Go's String() has
 * a blank before, and the zone's name behind it. */
static int64_t
take_zone_s(struct scanner *s)
{
	int sign, hours, minutes = 0;

	if (*s->at == ' ')
		s->at++;
	if (*s->at == '\0')
		return 0;
	if (*s->at == 'Z') {
		s->at++;
		return 0;
	}
	sign = *s->at == '-' ? -1 : 1;
	take_any(s, "+-");
	hours = take_number(s, 2);
	if (*s->at == ':')
		s->at++;
	if (s->is_well && *s->at != '\0' && *s->at != ' ')
		minutes = take_number(s, 2);
	if (strcmp(s->at, " UTC") == 0)
		s->at += strlen(" UTC");
	return (int64_t)sign * (hours * 3600 + minutes * 60);
}

enum oc_err
status_certdb_time(const char *text, int64_t *at)
{
	struct scanner s = { text, true };
	struct der_civil civil;
	int64_t zone_s, local;

	civil.year = take_number(&s, 4);
	take_any(&s, "-");
	civil.month = take_number(&s, 2);
	take_any(&s, "-");
	civil.day = take_number(&s, 2);
	take_any(&s, " T");
	civil.hour = take_number(&s, 2);
	take_any(&s, ":");
	civil.minute = take_number(&s, 2);
	take_any(&s, ":");
	civil.second = take_number(&s, 2);
	skip_fraction(&s);
	zone_s = take_zone_s(&s);
	if (!s.is_well || *s.at != '\0' ||
	    der_civil_to_unix(&civil, &local) != OC_OK)
		return OC_ERR_MALFORMED;
	local -= zone_s;
	if (local < DER_TIME_MIN || local > DER_TIME_MAX)
		return OC_ERR_MALFORMED;
	*at = local;
	return OC_OK;
}

/* --- rows -------------------------------------------------------------- */

static enum oc_err
wrong(struct oc_error *error, const char *serial, const char *what)
{
	return oc_error_set(error, OC_ERR_MALFORMED, "certificate %.60s: %s",
	    serial, what);
}

static bool
read_serial(const char *text, struct oc_serial *serial)
{
	return text != NULL && *text >= '1' && *text <= '9' &&
	    strspn(text, "0123456789") == strlen(text) &&
	    oc_serial_parse(text, serial, NULL) == OC_OK;
}

/* No reason is "unspecified", as it is in a CRL that CFSSL makes. */
static enum oc_err
read_revocation(const struct status_certdb_row *row,
    struct status_entry *entry, struct oc_error *error)
{
	enum crl_reason reason = CRL_REASON_UNSPECIFIED;

	if (row->revoked_at == NULL || status_certdb_time(row->revoked_at,
	    &entry->revoked_at) != OC_OK)
		return wrong(error, row->serial, "it is revoked, and "
		    "revoked_at is no time");
	if (row->reason != NULL && (strspn(row->reason, "0123456789") !=
	    strlen(row->reason) || crl_reason_parse(row->reason, &reason,
	    NULL) != OC_OK))
		return wrong(error, row->serial, "its reason is none of RFC "
		    "5280's");
	entry->reason = (uint8_t)reason;
	entry->is_revoked = reason != CRL_REASON_REMOVE_FROM_CRL;
	return OC_OK;
}

enum oc_err
status_certdb_entry(const struct status_certdb_row *row,
    struct status_entry *out, struct oc_error *error)
{
	struct status_entry entry = { .is_revoked = 0 };
	bool is_revoked = row->status != NULL &&
	    strcmp(row->status, "revoked") == 0;
	enum oc_err err = OC_OK;

	if (!read_serial(row->serial, &entry.serial))
		return oc_error_set(error, OC_ERR_MALFORMED, "serial_number "
		    "\"%.60s\" is no number, above zero, in decimal",
		    row->serial == NULL ? "" : row->serial);
	if (row->expiry == NULL || status_certdb_time(row->expiry,
	    &entry.not_after) != OC_OK)
		return wrong(error, row->serial, "expiry is no time");
	if (!is_revoked && (row->status == NULL ||
	    strcmp(row->status, "good") != 0))
		return wrong(error, row->serial, "its status is neither good "
		    "nor revoked");
	if (is_revoked)
		err = read_revocation(row, &entry, error);
	if (err == OC_OK)
		*out = entry;
	return err;
}

static enum oc_err
put_ours(struct status_certdb *db, const struct status_certdb_row *row,
    struct oc_error *error)
{
	struct status_entry entry;
	enum oc_err err = status_certdb_entry(row, &entry, error);

	if (err != OC_OK)
		return err;
	if (db->fn != NULL)
		return db->fn(db->arg, row, &entry, db->more, error);
	err = status_list_add(db->list, &entry);
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s",
	    err == OC_ERR_LIMIT ? "there are too many certificates" :
	    oc_strerror(err));
}

static bool
is_issued_by(const struct x509_cert *cert, const struct x509_cert *issuer)
{
	return der_bytes_equal(cert->issuer, issuer->subject) &&
	    der_bytes_equal(cert->extensions.authority_key_id,
	    issuer->extensions.subject_key_id);
}

/* CFSSL 1.2, built by a Go that no longer tells it, leaves the column empty:
 * then it is the certificate itself that says whose it is. */
static enum oc_err
look_at_pem(const struct status_certdb_issuer *issuer,
    const struct status_certdb_row *row, bool *is_ours,
    struct oc_error *error)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	const char *pem = row->pem == NULL ? "" : row->pem;
	uint8_t *der = NULL;
	size_t len;
	enum oc_err err = cert == NULL ? OC_ERR_NOMEM : OC_OK;

	if (err == OC_OK)
		err = x509_file_parse("pem", (const uint8_t *)pem,
		    strlen(pem), X509_FILE_CERTIFICATE, &der, &len, error);
	if (err == OC_OK)
		err = x509_cert_read((struct der_bytes){ der, len }, cert,
		    error);
	if (err == OC_OK)
		*is_ours = is_issued_by(cert, issuer->cert);
	else
		err = wrong(error, row->serial == NULL ? "" : row->serial,
		    "it has no authority_key_identifier, and its pem cannot "
		    "be read");
	free(der);
	free(cert);
	return err;
}

static enum oc_err
is_of_issuer(const struct status_certdb_issuer *issuer,
    const struct status_certdb_row *row, bool *is_ours,
    struct oc_error *error)
{
	if (row->key_id == NULL || row->key_id[0] == '\0')
		return look_at_pem(issuer, row, is_ours, error);
	*is_ours = strcasecmp(row->key_id, issuer->key_id) == 0;
	return OC_OK;
}

enum oc_err
status_certdb_put(struct status_certdb *db,
    const struct status_certdb_row *row, struct oc_error *error)
{
	bool is_ours = false;
	enum oc_err err = is_of_issuer(db->issuer, row, &is_ours, error);

	if (err != OC_OK)
		return err;
	if (is_ours)
		return put_ours(db, row, error);
	db->num_others++;
	return OC_OK;
}

enum oc_err
status_certdb_finish(struct status_certdb *db, struct oc_error *error)
{
	struct status_list *list = db->list;
	char serial[OC_SERIAL_TEXT_MAX];
	struct oc_serial twice;

	if (list->num_entries == 0 && db->num_others > 0)
		return oc_error_set(error, OC_ERR_MISMATCH, "all certificates "
		    "in it are of other issuers");
	if (list->num_entries == 0)
		return oc_error_set(error, OC_ERR_MALFORMED, "no certificate "
		    "is in it");
	if (status_list_sort(list) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (status_list_double(list, &twice)) {
		oc_serial_format(&twice, serial);
		return oc_error_set(error, OC_ERR_MALFORMED, "the serial "
		    "number %s (hexadecimal) is there twice", serial);
	}
	status_list_close(list);
	return OC_OK;
}

enum oc_err
status_certdb_list(status_certdb_rows_fn *rows, void *source,
    const struct status_certdb_issuer *issuer, struct status_list **list,
    struct oc_error *error)
{
	struct status_certdb db = { .issuer = issuer };
	enum oc_err err;

	if (status_list_new(&db.list) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = rows(source, &db, error);
	if (err == OC_OK)
		err = status_certdb_finish(&db, error);
	if (err == OC_OK)
		*list = db.list;
	else
		status_list_release(db.list);
	return err;
}

enum oc_err
status_certdb_walk(status_certdb_rows_fn *rows, void *source,
    const struct status_certdb_issuer *issuer, status_certdb_row_fn *fn,
    void *arg, uint64_t *num_others, struct oc_error *error)
{
	struct status_certdb db = { .issuer = issuer, .fn = fn, .arg = arg };
	enum oc_err err = rows(source, &db, error);

	if (err == OC_OK)
		*num_others = db.num_others;
	return err;
}

enum oc_err
status_certdb_issuer_init(struct status_certdb_issuer *issuer,
    const struct x509_cert *cert, struct oc_error *error)
{
	struct der_bytes id = cert->extensions.subject_key_id;

	if (id.len == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "it has no "
		    "subjectKeyIdentifier, by which the rows of a certdb are "
		    "told from those of others");
	issuer->cert = cert;
	issuer->key_id = malloc(OC_HEX_LEN(id.len) + 1);
	if (issuer->key_id == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	oc_hex_encode(id.p, id.len, issuer->key_id);
	return OC_OK;
}

void
status_certdb_issuer_fini(struct status_certdb_issuer *issuer)
{
	free(issuer->key_id);
	issuer->key_id = NULL;
}
