/* SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres_link.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conninfo.h"
#include "base/secret.h"

/* --- the connection string ---------------------------------------------- */

/* "": not said. */
static const char *
option_of(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val == NULL ? "" : options->val;
	return "";
}

static enum oc_err
name_database(const PQconninfoOption *options, char **name,
    struct oc_error *error)
{
	const char *service = option_of(options, "service");
	const char *database = option_of(options, "dbname");
	const char *host = option_of(options, "host");
	char *text;

	if (asprintf(&text, "%s%s%s", database[0] != '\0' ?
	    database : service[0] != '\0' ? service : "(default)",
	    host[0] != '\0' ? " at " : "", host) < 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	*name = text;
	return OC_OK;
}

enum oc_err
postgres_link_name(const char *where, char **name, bool *says_session,
    struct oc_error *error)
{
	PQconninfoOption *options;
	const char *text;
	char *said = NULL, *source;
	enum oc_err err;

	if (oc_conninfo_split(where, &source, &text) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	free(source);
	options = PQconninfoParse(text, &said);
	PQfreemem(said);
	/* What libpq says quotes the string, which may have a password. */
	if (options == NULL)
		return oc_error_set(error, OC_ERR_CONFIG, "database is no "
		    "connection string of PostgreSQL: write keywords, "
		    "\"host=a,b dbname=ocsign\", or a postgresql:// URI");
	if (option_of(options, "password")[0] != '\0' ||
	    option_of(options, "sslpassword")[0] != '\0')
		err = oc_error_set(error, OC_ERR_CONFIG, "a password is not "
		    "for the connection string: put it into a file that "
		    "password-source names");
	else
		err = name_database(options, name, error);
	if (says_session != NULL)
		*says_session = option_of(options,
		    "target_session_attrs")[0] != '\0';
	PQconninfoFree(options);
	return err;
}

/* --- a try --------------------------------------------------------------- */

void
postgres_link_error(struct pg_conn *db, char text[OC_ERROR_TEXT_MAX])
{
	size_t len;

	(void)snprintf(text, OC_ERROR_TEXT_MAX, "%s", PQerrorMessage(db));
	for (len = 0; text[len] != '\0'; len++)
		if (text[len] == '\n' || text[len] == '\t')
			text[len] = ' ';
	while (len > 0 && text[len - 1] == ' ')
		text[--len] = '\0';
}

/* password may be NULL. */
static enum oc_err
connect_by(const char *text, const char *password,
    const struct postgres_link_session *session, struct pg_conn **out,
    struct oc_error *error)
{
	/* The string's own words win over those in front of it, and lose to
	 * those behind it. */
	const char *const keywords[] = { "connect_timeout",
		"tcp_user_timeout", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "gssencmode", "target_session_attrs",
		"fallback_application_name", "dbname", "client_encoding",
		"password", "target_session_attrs", NULL };
	const char *const values[] = { "3", "10000", "10", "3", "3",
		"disable", session->attributes, "ocsign", text, "UTF8",
		password, session->is_must ? session->attributes : NULL,
		NULL };
	PGconn *db = PQconnectdbParams(keywords, values, 1);
	char said[OC_ERROR_TEXT_MAX];

	if (db == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (PQstatus(db) == CONNECTION_OK) {
		*out = db;
		return OC_OK;
	}
	postgres_link_error(db, said);
	PQfinish(db);
	return oc_error_set(error, OC_ERR_DOWN, "%s", said);
}

enum oc_err
postgres_link_open(const char *where,
    const struct postgres_link_session *session, struct pg_conn **db,
    struct oc_error *error)
{
	struct oc_secret password = { .len = 0 };
	const char *text;
	char *source;
	enum oc_err err = OC_OK;

	if (oc_conninfo_split(where, &source, &text) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (source != NULL)
		err = oc_secret_take(source, &oc_secret_password, &password,
		    error);
	if (err == OC_OK)
		err = connect_by(text, source == NULL ? NULL :
		    (const char *)password.bytes, session, db, error);
	oc_secret_fini(&password);
	free(source);
	return err;
}
