/* SPDX-License-Identifier: Apache-2.0 */
/* A certdb in PostgreSQL: the tables that CFSSL's migrations make, or those
 * that are there, filled by COPY in one transaction. */
#include "transfer/export_certdb.h"

#ifdef HAVE_LIBPQ
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/postgres_link.h"

static const char schema[] =
"SET client_min_messages = warning;"
"CREATE TABLE IF NOT EXISTS certificates ("
"  serial_number            bytea NOT NULL,"
"  authority_key_identifier bytea NOT NULL,"
"  ca_label                 bytea,"
"  status                   bytea NOT NULL,"
"  reason                   int,"
"  expiry                   timestamptz,"
"  revoked_at               timestamptz,"
"  pem                      bytea NOT NULL,"
"  issued_at                timestamp,"
"  not_before               timestamp,"
"  metadata                 jsonb,"
"  sans                     jsonb,"
"  common_name              text,"
"  PRIMARY KEY(serial_number, authority_key_identifier));"
"CREATE TABLE IF NOT EXISTS ocsp_responses ("
"  serial_number            bytea NOT NULL,"
"  authority_key_identifier bytea NOT NULL,"
"  body                     bytea NOT NULL,"
"  expiry                   timestamptz,"
"  PRIMARY KEY(serial_number, authority_key_identifier),"
"  FOREIGN KEY(serial_number, authority_key_identifier)"
"    REFERENCES certificates(serial_number, authority_key_identifier));";
/* Nobody else's row comes between the look and the end. */
static const char lock[] = "LOCK TABLE certificates IN EXCLUSIVE MODE";
static const char look[] = "SELECT 1 FROM certificates LIMIT 1";
static const char empty[] =
    "DELETE FROM ocsp_responses; DELETE FROM certificates";
/* In the order of enum transfer_column; CFSSL's first schema has no more than
 * the first. */
#define OLD_COLUMNS "authority_key_identifier, pem, serial_number, status," \
    " reason, expiry, revoked_at, ca_label"
static const char has_new[] = "SELECT 1 FROM pg_attribute WHERE attrelid ="
    " CAST('certificates' AS regclass) AND attname = 'common_name'"
    " AND NOT attisdropped";
static const char copy_new[] = "COPY certificates (" OLD_COLUMNS
    ", issued_at, not_before, metadata, sans, common_name) FROM STDIN";
static const char copy_old[] =
    "COPY certificates (" OLD_COLUMNS ") FROM STDIN";
#define NUM_OLD (TRANSFER_MORE + STATUS_CERTDB_CA_LABEL + 1)

struct sink {
	PGconn *db;
	int num_columns;		/* of the table */
	struct oc_buffer line;
};

static enum oc_err
fail_said(struct sink *s, const PGresult *result, struct oc_error *error)
{
	const char *said = result == NULL ? NULL :
	    PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *state = result == NULL ? NULL :
	    PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *place = result == NULL ? NULL :
	    PQresultErrorField(result, PG_DIAG_CONTEXT);
	char text[OC_ERROR_TEXT_MAX];

	if (said == NULL)
		postgres_link_error(s->db, text);
	else
		(void)snprintf(text, sizeof(text), "%.240s%s%.160s", said,
		    place == NULL ? "" : ": ", place == NULL ? "" : place);
	text[strcspn(text, "\n")] = '\0';
	return oc_error_set(error, state != NULL && strcmp(state, "53100") ==
	    0 ? OC_ERR_NO_SPACE : OC_ERR_SYSTEM, "PostgreSQL: %s", text);
}

/* has_row may be NULL. */
static enum oc_err
run(struct sink *s, const char *text, ExecStatusType wanted, bool *has_row,
    struct oc_error *error)
{
	PGresult *result = PQexec(s->db, text);
	enum oc_err err = OC_OK;

	if (PQresultStatus(result) != wanted)
		err = fail_said(s, result, error);
	else if (has_row != NULL)
		*has_row = PQntuples(result) > 0;
	PQclear(result);
	return err;
}

static void
sink_close(void *arg)
{
	struct sink *s = arg;

	if (s == NULL)
		return;
	PQfinish(s->db);
	oc_buffer_fini(&s->line);
	free(s);
}

static enum oc_err
make_room(struct sink *s, bool replaces, struct oc_error *error)
{
	bool has_rows = false;
	enum oc_err err;

	err = run(s, schema, PGRES_COMMAND_OK, NULL, error);
	if (err == OC_OK)
		err = run(s, lock, PGRES_COMMAND_OK, NULL, error);
	if (err == OC_OK)
		err = run(s, look, PGRES_TUPLES_OK, &has_rows, error);
	if (err != OC_OK || !has_rows)
		return err;
	if (!replaces)
		return oc_error_set(error, OC_ERR_EXISTS, "there are "
		    "certificates in it already; --force replaces them, of "
		    "whichever issuer");
	return run(s, empty, PGRES_COMMAND_OK, NULL, error);
}

static enum oc_err
begin(struct sink *s, const char *path, bool replaces, struct oc_error *error)
{
	const struct postgres_link_session session = { "read-write", true };
	bool has_more = false;
	enum oc_err err;

	err = postgres_link_open(path, &session, &s->db, error);
	if (err == OC_OK)
		err = run(s, "SET lock_timeout = 5000; SET DateStyle = 'ISO';"
		    "SET TimeZone = 'UTC'; BEGIN", PGRES_COMMAND_OK, NULL,
		    error);
	if (err == OC_OK)
		err = make_room(s, replaces, error);
	if (err == OC_OK)
		err = run(s, has_new, PGRES_TUPLES_OK, &has_more, error);
	if (err != OC_OK)
		return err;
	s->num_columns = has_more ? TRANSFER_NUM_COLUMNS : NUM_OLD;
	return run(s, has_more ? copy_new : copy_old, PGRES_COPY_IN, NULL,
	    error);
}

static enum oc_err
sink_open(const char *path, bool replaces, void **sink,
    struct oc_error *error)
{
	struct sink *s = calloc(1, sizeof(*s));
	enum oc_err err;

	if (s == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	oc_buffer_init(&s->line, (size_t)8 * 1024 * 1024);
	err = begin(s, path, replaces, error);
	if (err == OC_OK)
		*sink = s;
	else
		sink_close(s);
	return err;
}

/* --- rows: COPY's text format -------------------------------------------- */

static bool
is_octets(int column)
{
	switch ((enum transfer_column)column) {
	case TRANSFER_KEY_ID:
	case TRANSFER_PEM:
	case TRANSFER_SERIAL:
	case TRANSFER_STATUS:
		return true;
	case TRANSFER_REASON:
	case TRANSFER_EXPIRY:
	case TRANSFER_REVOKED_AT:
	case TRANSFER_NUM_COLUMNS:
		return false;
	case TRANSFER_MORE:
		break;
	}
	return column == TRANSFER_MORE + STATUS_CERTDB_CA_LABEL;
}

/* The backslashes of bytea's own escapes once more for COPY. */
static void
put_octets(struct oc_buffer *b, const char *text)
{
	oc_buffer_put_text(b, "\\\\x");
	for (; *text != '\0'; text++)
		oc_buffer_printf(b, "%02x", (unsigned char)*text);
}

/* Go's String() says the zone twice. */
static size_t
length_of(int column, const char *text)
{
	size_t len = strlen(text);
	bool is_moment = column == TRANSFER_EXPIRY ||
	    column == TRANSFER_REVOKED_AT ||
	    column == TRANSFER_MORE + STATUS_CERTDB_ISSUED_AT ||
	    column == TRANSFER_MORE + STATUS_CERTDB_NOT_BEFORE;

	return is_moment && len > 4 && strcmp(text + len - 4, " UTC") == 0 ?
	    len - 4 : len;
}

static void
put_text(struct oc_buffer *b, const char *text, size_t len)
{
	static const char special[] = "\\\t\n\r", letters[] = "\\tnr";

	for (size_t i = 0; i < len; i++) {
		const char *at = strchr(special, text[i]);

		if (at == NULL)
			oc_buffer_put(b, text + i, 1);
		else
			oc_buffer_printf(b, "\\%c", letters[at - special]);
	}
}

static void
put_column(struct oc_buffer *b, int column, const char *text)
{
	if (column > 0)
		oc_buffer_put_text(b, "\t");
	if (text == NULL)
		oc_buffer_put_text(b, "\\N");
	else if (is_octets(column))
		put_octets(b, text);
	else
		put_text(b, text, length_of(column, text));
}

static enum oc_err
sink_insert(void *arg, const char *const columns[TRANSFER_NUM_COLUMNS],
    struct oc_error *error)
{
	struct sink *s = arg;

	s->line.len = 0;
	for (int i = 0; i < s->num_columns; i++)
		put_column(&s->line, i, columns[i]);
	oc_buffer_put_text(&s->line, "\n");
	for (int i = s->num_columns; i < TRANSFER_NUM_COLUMNS; i++)
		if (columns[i] != NULL)
			return oc_error_set(error, OC_ERR_SYSTEM, "it has "
			    "more than the table has columns for: migrate "
			    "the table as CFSSL's newer release wants it");
	if (s->line.err != OC_OK)
		return oc_error_set(error, s->line.err, "%s",
		    oc_strerror(s->line.err));
	if (PQputCopyData(s->db, (const char *)s->line.bytes,
	    (int)s->line.len) != 1)
		return fail_said(s, NULL, error);
	return OC_OK;
}

static enum oc_err
sink_finish(void *arg, struct oc_error *error)
{
	struct sink *s = arg;
	PGresult *result;
	enum oc_err err = OC_OK;

	if (PQputCopyEnd(s->db, NULL) != 1)
		return fail_said(s, NULL, error);
	while ((result = PQgetResult(s->db)) != NULL) {
		if (err == OC_OK &&
		    PQresultStatus(result) != PGRES_COMMAND_OK)
			err = fail_said(s, result, error);
		PQclear(result);
	}
	return err == OC_OK ? run(s, "COMMIT", PGRES_COMMAND_OK, NULL,
	    error) : err;
}

const struct transfer_sink_ops transfer_sink_postgres = {
	.open = sink_open,
	.insert = sink_insert,
	.finish = sink_finish,
	.close = sink_close
};

#else

static enum oc_err
sink_open(const char *path, bool replaces, void **sink,
    struct oc_error *error)
{
	(void)path, (void)replaces, (void)sink;
	return oc_error_set(error, OC_ERR_UNSUPPORTED, "this ocsign was built "
	    "without PostgreSQL; build it with libpq");
}

static void
sink_close(void *sink)
{
	(void)sink;
}

const struct transfer_sink_ops transfer_sink_postgres = {
	.open = sink_open,
	.close = sink_close
};
#endif
