/* SPDX-License-Identifier: Apache-2.0 */
#include "status/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/conninfo.h"
#include "base/log.h"
#include "der/time.h"
#include "status/certdb.h"
#include "status/index_txt.h"
#include "x509/file.h"
#include "x509/spki.h"

#define HASH_LEN 32
#define COPY_MARK "# ocsign 1"
#define HEAD_MAX 160

struct status_records {
	struct status_records_plan plan;	/* strings owned */
	uint8_t *certificate_der;	/* owned */
	struct x509_cert *certificate;	/* owned; views into that */
	struct status_certdb_issuer issuer;	/* of CERTDB */
	struct status_certdb_server *server;	/* owned; NULL: a file */
	char key_hash[OC_HEX_LEN(HASH_LEN) + 1];
	struct status_watch *watch;	/* owned */
	struct status_lost lost;	/* by what was judged last */
};

char *
status_records_copy_path(const struct oc_config *config,
    const struct oc_config_issuer *issuer)
{
	char *path;

	return asprintf(&path, "%s/%s.source", config->daemon.table_directory,
	    issuer->name) < 0 ? NULL : path;
}

/* --- reading ----------------------------------------------------------- */

static enum oc_err
records_stamp(void *arg, struct oc_file_stamp *stamp, struct oc_error *error)
{
	const struct status_records *r = arg;

	if (r->server != NULL)
		return status_certdb_server_stamp(r->server, stamp, error);
	return r->plan.source == OC_SOURCE_CERTDB ?
	    status_certdb_stamp_sqlite(r->plan.path, stamp, error) :
	    oc_file_stamp(r->plan.path, stamp, error);
}

static enum oc_err
read_file(const struct status_records *r, struct status_list **list,
    struct oc_error *error)
{
	struct oc_file_stamp stamp = { .len = 0 };
	enum oc_err err;

	/* Nobody has written it at any one time. */
	if (r->server != NULL)
		return status_certdb_server_read(r->server, &r->issuer, list,
		    error);
	if (r->plan.source == OC_SOURCE_CERTDB) {
		err = records_stamp((void *)(uintptr_t)r, &stamp, error);
		if (err == OC_OK)
			err = status_certdb_read_sqlite(r->plan.path,
			    &r->issuer, list, error);
	} else
		err = status_index_read(r->plan.path, list, &stamp, error);
	if (err == OC_OK)
		(*list)->written_ns = stamp.written_ns;
	return err;
}

/* "# ocsign 1 KEY-HASH WRITTEN-NS READ-AT" */
static enum oc_err
read_head(const struct status_records *r, struct status_list *list,
    struct oc_error *error)
{
	char line[HEAD_MAX], hash[sizeof(r->key_hash)];
	FILE *f = fopen(r->plan.copy, "re");
	bool is_well = f != NULL && fgets(line, sizeof(line), f) != NULL &&
	    sscanf(line, COPY_MARK " %64s %" SCNd64 " %" SCNd64, hash,
	    &list->written_ns, &list->this_update) == 3;

	if (f != NULL)
		(void)fclose(f);
	if (!is_well)
		return oc_error_set(error, OC_ERR_MALFORMED, "its first line "
		    "is not ocsign's");
	return strcmp(hash, r->key_hash) == 0 ? OC_OK : oc_error_set(error,
	    OC_ERR_MISMATCH, "it is of another key");
}

static enum oc_err
read_copy(const struct status_records *r, struct status_list **list,
    struct oc_error *error)
{
	struct oc_file_stamp stamp;
	enum oc_err err = status_index_read(r->plan.copy, list, &stamp, error);

	return err == OC_OK ? read_head(r, *list, error) : err;
}

static enum oc_err
records_load(void *arg, enum status_from from,
    const struct status_list *before, struct status_list **list,
    struct oc_error *error)
{
	const struct status_records *r = arg;
	struct status_list *read = NULL;
	enum oc_err err;

	err = from == STATUS_FROM_COPY ? read_copy(r, &read, error) :
	    read_file(r, &read, error);
	if (err == OC_OK && before != NULL && status_list_equal(read, before))
		err = OC_ERR_EXISTS;
	if (err == OC_OK)
		*list = read;
	else
		status_list_release(read);
	return err;
}

/* --- judging ----------------------------------------------------------- */

static enum oc_err
check_written(const struct status_list *list,
    const struct status_list *before, int64_t now, struct oc_error *error)
{
	char its[DER_ISO8601_MAX], last[DER_ISO8601_MAX];
	int64_t at = list->written_ns / OC_NS_PER_S;

	der_format_iso8601(at, its);
	if (at > now + STATUS_SKEW_S)
		return oc_error_set(error, OC_ERR_REFUSED, "it is from the "
		    "future (written at %s)", its);
	if (before == NULL || list->written_ns >= before->written_ns)
		return OC_OK;
	der_format_iso8601(before->written_ns / OC_NS_PER_S, last);
	return oc_error_set(error, OC_ERR_REFUSED, "it is older than the last "
	    "good one: it was written at %s, that one at %s", its, last);
}

static enum oc_err
check_lost(const struct status_records *r, struct oc_error *error)
{
	const struct status_lost *lost = &r->lost;
	char first[OC_SERIAL_TEXT_MAX];

	if (status_lost_is_above(lost->num_dropped, lost->num_final,
	    r->plan.dropped_max_percent)) {
		oc_serial_format(&lost->first, first);
		return oc_error_set(error, OC_ERR_REFUSED, "of %u that were "
		    "revoked for good %u no longer are, %s for one, and "
		    "source-dropped is %d per cent", lost->num_final,
		    lost->num_dropped, first,
		    (int)r->plan.dropped_max_percent);
	}
	if (status_lost_is_above(lost->num_missing, lost->num_live,
	    r->plan.dropped_max_percent)) {
		oc_serial_format(&lost->first_missing, first);
		return oc_error_set(error, OC_ERR_REFUSED, "of %u that have "
		    "not expired %u are missing or have another end, %s for "
		    "one, and source-dropped is %d per cent: is it another "
		    "issuer's?", lost->num_live, lost->num_missing, first,
		    (int)r->plan.dropped_max_percent);
	}
	return OC_OK;
}

static enum oc_err
records_judge(void *arg, const struct status_list *list,
    const struct status_list *before, int64_t now, struct oc_error *error)
{
	struct status_records *r = arg;
	enum oc_err err = r->server != NULL ? OC_OK :
	    check_written(list, before, now, error);

	r->lost = (struct status_lost){ .num_final = 0 };
	if (err == OC_OK && before != NULL) {
		status_list_compare(list, before, now - r->plan.retention_s,
		    &r->lost);
		err = check_lost(r, error);
	}
	return err == OC_OK || before == NULL ? err : oc_error_set(error, err,
	    "%s (to take it all the same, remove %s and reload)", error->text,
	    r->plan.copy);
}

/* Lines are missing, and a file is written line by line; what SQLite has
 * committed is whole. */
static bool
records_may_be_half(void *arg)
{
	const struct status_records *r = arg;

	return r->plan.source != OC_SOURCE_CERTDB &&
	    (r->lost.num_dropped > 0 || r->lost.num_missing > 0);
}

/* --- keeping ----------------------------------------------------------- */

static enum oc_err
records_keep(void *arg, const struct status_list *list, struct oc_error *error)
{
	const struct status_records *r = arg;
	struct oc_mapping text = { .bytes = NULL };
	char head[HEAD_MAX];
	enum oc_err err;

	(void)snprintf(head, sizeof(head), COPY_MARK " %s %" PRId64 " %" PRId64,
	    r->key_hash, list->written_ns, list->this_update);
	err = status_index_write(list, head, &text);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s: %s", r->plan.copy,
		    oc_strerror(err));
	err = oc_file_write(r->plan.copy, 0644, text.bytes, text.len, error);
	oc_mapping_fini(&text);
	return err;
}

static const char *
noun_of(enum oc_config_source source)
{
	return source == OC_SOURCE_CERTDB ? "certdb" : "index";
}

static void
records_say_taken(void *arg, const struct status_list *list)
{
	const struct status_records *r = arg;
	const struct status_lost *lost = &r->lost;
	const char *noun = noun_of(r->plan.source);
	char first[OC_SERIAL_TEXT_MAX];

	oc_log(OC_LOG_NOTICE, "issuer %s: the %s is in force, with %u "
	    "certificates, %u of them revoked", r->plan.issuer, noun,
	    list->num_entries, list->num_revoked);
	if (lost->first.len == 0)
		return;
	oc_serial_format(&lost->first, first);
	oc_log(OC_LOG_WARNING, "issuer %s: %u that were revoked for good are "
	    "no longer so by the %s, %s for one", r->plan.issuer,
	    lost->num_dropped + lost->num_removed, noun, first);
}

static const struct status_watch_ops records_ops = {
	.stamp = records_stamp,
	.load = records_load,
	.judge = records_judge,
	.may_be_half = records_may_be_half,
	.keep = records_keep,
	.say_taken = records_say_taken,
};

/* --- start and end ----------------------------------------------------- */

static enum oc_err
read_certificate(struct status_records *r, struct oc_error *error)
{
	uint8_t hash[HASH_LEN];
	size_t len;
	enum oc_err err;

	err = x509_file_read(r->plan.certificate, X509_FILE_CERTIFICATE,
	    &r->certificate_der, &len, error);
	if (err == OC_OK)
		err = x509_cert_read((struct der_bytes){ r->certificate_der,
		    len }, r->certificate, error);
	if (err == OC_OK)
		err = x509_spki_hash(r->certificate->spki, hash);
	if (err == OC_OK && r->plan.source == OC_SOURCE_CERTDB)
		err = status_certdb_issuer_init(&r->issuer, r->certificate,
		    error);
	if (err != OC_OK)
		return oc_error_prefix(error, "%s", r->plan.certificate);
	oc_hex_encode(hash, sizeof(hash), r->key_hash);
	return OC_OK;
}

static bool
copy_plan(struct status_records *r, const struct status_records_plan *plan)
{
	r->plan = *plan;
	r->plan.issuer = strdup(plan->issuer);
	r->plan.path = strdup(plan->path);
	r->plan.certificate = strdup(plan->certificate);
	r->plan.copy = strdup(plan->copy);
	r->certificate = calloc(1, sizeof(*r->certificate));
	return r->plan.issuer != NULL && r->plan.path != NULL &&
	    r->plan.certificate != NULL && r->plan.copy != NULL &&
	    r->certificate != NULL;
}

enum oc_err
status_records_new(const struct status_records_plan *plan,
    struct status_records **records, struct oc_error *error)
{
	struct status_records *r = calloc(1, sizeof(*r));
	struct status_watch_plan watch = {
		.issuer = plan->issuer,
		.key = plan->source == OC_SOURCE_CERTDB ? "certdb-file" :
		    "index-file",
		.noun = noun_of(plan->source),
		.path = plan->path,
		.max_age_s = plan->max_age_s,
		.clock_directory = plan->clock_directory,
		.ops = &records_ops,
		.arg = r,
	};
	enum oc_err err;

	if (r == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = copy_plan(r, plan) ? read_certificate(r, error) :
	    oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (err == OC_OK && plan->source == OC_SOURCE_CERTDB &&
	    oc_conninfo_is(plan->path)) {
		err = status_certdb_server_new(plan->path, &r->server, error);
		watch.key = "certdb-database";
		watch.path = err != OC_OK ? NULL :
		    status_certdb_server_name(r->server);
		watch.is_exact = true;
	}
	if (err == OC_OK)
		err = status_watch_new(&watch, &r->watch, error);
	if (err != OC_OK) {
		status_records_free(r);
		return err;
	}
	*records = r;
	return OC_OK;
}

void
status_records_free(struct status_records *r)
{
	if (r == NULL)
		return;
	status_watch_free(r->watch);
	free(r->certificate);
	free(r->certificate_der);
	status_certdb_issuer_fini(&r->issuer);
	status_certdb_server_free(r->server);
	free((char *)r->plan.issuer);
	free((char *)r->plan.path);
	free((char *)r->plan.certificate);
	free((char *)r->plan.copy);
	free(r);
}

/* --- for everybody ----------------------------------------------------- */

struct status_watch *
status_records_watched(struct status_records *r)
{
	return r->watch;
}

const struct x509_cert *
status_records_certificate(const struct status_records *r)
{
	return r->certificate;
}

bool
status_records_is_complete(struct status_records *r)
{
	struct status_watch_report report;

	status_watch_report(r->watch, &report);
	return report.has_list && report.refused_since == 0;
}
