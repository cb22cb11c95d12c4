/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables a worker answers from: opened when they are there, opened again
 * when they were replaced, with contexts made anew when the identity in them
 * is another.  ocsign-status is their only writer; we map them read-only.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ocsp/worker_state.h"

static void
table_close(struct worker_table *t)
{
	ocsp_table_close(t->table);
	t->table = NULL;
	t->dev = 0;
	t->ino = 0;
}

/* Says once what is wrong, not four times a second. */
static void
report(struct worker_table *t, enum oc_err err, const struct oc_error *error)
{
	if (err == t->err)
		return;
	t->err = err;
	if (t->is_older && err == OC_ERR_NOT_FOUND)
		return;
	if (err == OC_OK)
		oc_log(OC_LOG_INFO, "issuer \"%s\": answers from %s", t->name,
		    t->path);
	else if (err == OC_ERR_NOT_FOUND)
		oc_log(OC_LOG_NOTICE, "issuer \"%s\": %s is not there yet",
		    t->name, t->path);
	else
		oc_log(OC_LOG_WARNING, "issuer \"%s\": %s", t->name,
		    error->text[0] == '\0' ? oc_strerror(err) : error->text);
}

/* The context is large and only depends on the identity. */
static enum oc_err
renew_context(struct worker_table *t, const struct ocsp_identity *identity)
{
	struct ocsp_context *context;
	enum oc_err err;

	if (t->context != NULL &&
	    ocsp_identity_equal(&t->identity, identity))
		return OC_OK;
	err = ocsp_context_new(identity, &context);
	if (err != OC_OK)
		return err;
	ocsp_context_free(t->context);
	t->context = context;
	t->identity = *identity;
	return OC_OK;
}

static void
table_open(struct worker_table *t, const struct stat *st)
{
	struct oc_error error = { OC_OK, "" };
	struct ocsp_table *table = NULL;
	enum oc_err err;

	err = ocsp_table_open(t->path, &table, &error);
	if (err == OC_OK) {
		ocsp_table_set_run(table, t->run);
		err = renew_context(t, ocsp_table_identity(table));
		if (err != OC_OK)
			ocsp_table_close(table);
	}
	report(t, err, &error);
	if (err != OC_OK)
		return;
	table_close(t);
	t->table = table;
	t->dev = st->st_dev;
	t->ino = st->st_ino;
}

/*
 * If the path was renamed over between stat() and open, the inode kept is the
 * old one's, and the next look opens it again.  A table that is gone is
 * answered from until another takes its place: what is in it was signed.
 */
static bool
table_check(struct worker_table *t)
{
	struct ocsp_table *before = t->table;
	struct stat st;

	if (stat(t->path, &st) != 0) {
		if (t->is_older && before != NULL &&
		    ocsp_table_is_retired(before))
			table_close(t);
		if (t->table == NULL)
			report(t, OC_ERR_NOT_FOUND, NULL);
		return t->table != before;
	}
	if (t->table != NULL && st.st_dev == t->dev && st.st_ino == t->ino)
		return false;
	table_open(t, &st);
	return t->table != before;
}

static void
make_answerer(struct ocsp_worker *w)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < w->num_tables; i++) {
		struct worker_table *t = &w->tables[i];

		if (t->table == NULL)
			continue;
		w->answerer.issuers[n].table = t->table;
		w->answerer.issuers[n].context = t->context;
		w->answerer.issuers[n].wants_nonce = t->wants_nonce;
		w->answerer.issuers[n].requires_nonce = t->requires_nonce;
		w->answerer.issuers[n].is_by_crl = t->is_by_crl;
		w->answerer.issuers[n].signed_requests = t->signed_requests;
		/* Alone, it is the signer's. */
		w->answerer.issuers[n].is_older = t->is_older &&
		    w->tables[i - 1].table != NULL;
		w->answerer_tables[n++] = t;
	}
	w->answerer.num_issuers = n;
}

struct ocsp_issuer_counts *
http_tables_counts(struct ocsp_worker *w, uint32_t issuer)
{
	return issuer < w->answerer.num_issuers ?
	    w->answerer_tables[issuer]->counts : &w->nobody;
}

bool
http_tables_check(struct ocsp_worker *w)
{
	bool has_changed = false;
	size_t i;

	for (i = 0; i < w->num_tables; i++)
		has_changed |= table_check(&w->tables[i]);
	if (has_changed)
		make_answerer(w);
	return has_changed;
}

bool
http_tables_check_retired(struct ocsp_worker *w)
{
	size_t i;

	for (i = 0; i < w->num_tables; i++) {
		struct worker_table *t = &w->tables[i];

		if (t->table == NULL ? !t->is_older :
		    ocsp_table_is_retired(t->table))
			return http_tables_check(w);
	}
	return false;
}

bool
http_tables_are_complete(const struct ocsp_worker *w)
{
	size_t i;

	for (i = 0; i < w->num_tables; i++)
		if (!w->tables[i].is_older && (w->tables[i].table == NULL ||
		    !ocsp_table_is_ready(w->tables[i].table)))
			return false;
	return true;
}

enum http_verdict
http_tables_judge(void *arg, struct der_bytes der)
{
	const struct ocsp_worker *w = arg;
	struct ocsp_request request;
	struct ocsp_slot slot;
	struct oc_serial serial;
	bool is_ours = false;
	uint32_t i;

	if (ocsp_request_read(der, &request) != OC_OK)
		return HTTP_IMPOSSIBLE;
	for (i = 0; i < w->answerer.num_issuers; i++) {
		const struct ocsp_table *table = w->answerer.issuers[i].table;

		if (!ocsp_identity_matches(ocsp_table_identity(table),
		    &request.first))
			continue;
		/* Another '/' may have been lost within the serial. */
		if (oc_serial_from_bytes(request.first.serial.p,
		    request.first.serial.len, &serial) == OC_OK &&
		    ocsp_table_find(table, &serial, request.first.encoding,
		    &slot))
			return HTTP_CERTAIN;
		is_ours = true;
	}
	return is_ours ? HTTP_PLAUSIBLE : HTTP_IMPOSSIBLE;
}

static enum oc_err
add_table(struct ocsp_worker *w, const struct ocsp_worker_issuer *issuer,
    const char *suffix)
{
	struct worker_table *t = &w->tables[w->num_tables++];

	if (strlen(issuer->name) >= sizeof(t->name))
		return OC_ERR_LIMIT;
	strcpy(t->name, issuer->name);
	t->wants_nonce = issuer->wants_nonce != 0;
	t->requires_nonce = issuer->requires_nonce != 0;
	t->is_by_crl = issuer->is_by_crl != 0;
	t->counts = issuer->counts != NULL ? issuer->counts : &w->nobody;
	t->signed_requests = issuer->signed_requests;
	t->run = w->options.run;
	t->is_older = suffix[0] != '\0';
	if (asprintf(&t->path, "%s%s", issuer->table_path, suffix) < 0) {
		t->path = NULL;
		return OC_ERR_NOMEM;
	}
	return OC_OK;
}

enum oc_err
http_tables_init(struct ocsp_worker *w,
    const struct ocsp_worker_issuer *issuers, size_t num_issuers)
{
	enum oc_err err = OC_OK;
	size_t i;

	w->tables = calloc(2 * num_issuers + 1, sizeof(*w->tables));
	if (w->tables == NULL)
		return OC_ERR_NOMEM;
	for (i = 0; err == OC_OK && i < num_issuers; i++) {
		err = add_table(w, &issuers[i], "");
		if (err == OC_OK)
			err = add_table(w, &issuers[i],
			    OCSP_TABLE_OLDER_SUFFIX);
	}
	if (err != OC_OK)
		return err;
	(void)http_tables_check(w);
	return OC_OK;
}

void
http_tables_fini(struct ocsp_worker *w)
{
	size_t i;

	for (i = 0; i < w->num_tables; i++) {
		table_close(&w->tables[i]);
		ocsp_context_free(w->tables[i].context);
		free(w->tables[i].path);
	}
	free(w->tables);
}
