/* SPDX-License-Identifier: Apache-2.0 */
#include "status/crl_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "der/time.h"
#include "x509/file.h"

struct status_crl_file {
	struct status_crl_plan plan;	/* strings owned */
	char *delta_copy;		/* owned; there only with a delta */
	uint8_t *certificate_der;	/* owned */
	struct x509_cert *certificate;	/* owned; views into that */
	struct status_watch *watch;	/* owned */
	struct status_lost lost;	/* by what was judged last */
};

char *
status_crl_copy_path(const struct oc_config *config,
    const struct oc_config_issuer *issuer)
{
	char *path;

	return asprintf(&path, "%s/%s.crl", config->daemon.table_directory,
	    issuer->name) < 0 ? NULL : path;
}

/* --- one list ---------------------------------------------------------- */

/* *der is for oc_mapping_fini(). */
static enum oc_err
read_der(const char *path, struct oc_mapping *der, struct oc_error *error)
{
	struct oc_mapping file;
	enum oc_err err = oc_file_map(path, OC_CRL_FILE_MAX, &file, error);

	if (err != OC_OK)
		return err;
	if (file.len == 0)
		return oc_error_set(error, OC_ERR_MALFORMED, "%s is empty",
		    path);
	err = x509_file_parse_mapped(path, &file, X509_FILE_CRL, der, error);
	oc_mapping_fini(&file);
	return err;
}

static bool
is_same(const struct oc_mapping *a, const struct status_crl_list *b)
{
	return a->bytes == NULL ? b == NULL : b != NULL &&
	    der_bytes_equal((struct der_bytes){ a->bytes, a->len },
	    b->crl.der);
}

/* A delta is a must where one is configured: without it nobody knows what has
 * been revoked since.  A copy has one if what was in force had. */
static enum oc_err
read_both(const struct status_crl_file *f, enum status_from from,
    struct oc_mapping *whole, struct oc_mapping *delta,
    struct oc_error *error)
{
	bool is_copy = from == STATUS_FROM_COPY;
	enum oc_err err = read_der(is_copy ? f->plan.copy : f->plan.path,
	    whole, error);

	if (err != OC_OK || f->plan.delta == NULL)
		return err;
	err = read_der(is_copy ? f->delta_copy : f->plan.delta, delta, error);
	if (err == OC_ERR_NOT_FOUND && is_copy)
		return OC_OK;
	return err == OC_OK ? OC_OK : oc_error_prefix(error, "delta CRL");
}

/* The log names the file of the other one. */
static enum oc_err
prefix_delta(const struct status_crl_file *f, struct oc_error *error)
{
	return oc_error_prefix(error, "delta CRL %s", f->plan.delta);
}

/* delta: with no octets, there is none. */
static enum oc_err
make_list(const struct status_crl_file *f, struct oc_mapping *whole,
    struct oc_mapping *delta, struct status_crl_list **list,
    struct oc_error *error)
{
	struct status_crl_list *read = NULL, *changes = NULL;
	enum oc_err err;

	err = status_crl_list_new_mapped(whole, f->certificate, f->plan.scope,
	    &read, error);
	if (err == OC_OK && delta->bytes != NULL &&
	    (err = status_crl_list_new_mapped(delta, f->certificate,
	    STATUS_CRL_DELTA, &changes, error)) != OC_OK)
		(void)prefix_delta(f, error);
	if (err == OC_OK && changes != NULL)
		err = status_crl_list_combine(read, &changes, error);
	status_crl_list_release(changes);
	if (err != OC_OK) {
		status_crl_list_release(read);
		return err;
	}
	*list = read;
	return OC_OK;
}

static enum oc_err
crl_load(void *arg, enum status_from from, const struct status_list *before,
    struct status_list **list, struct oc_error *error)
{
	struct status_crl_file *f = arg;
	const struct status_crl_list *last =
	    (const struct status_crl_list *)before;
	struct oc_mapping whole = { .bytes = NULL }, delta = { .bytes = NULL };
	struct status_crl_list *read = NULL;
	enum oc_err err = read_both(f, from, &whole, &delta, error);

	if (err == OC_OK && last != NULL && is_same(&whole, last) &&
	    is_same(&delta, last->delta))
		err = OC_ERR_EXISTS;
	if (err == OC_OK)
		err = make_list(f, &whole, &delta, &read, error);
	oc_mapping_fini(&whole);
	oc_mapping_fini(&delta);
	if (err == OC_OK)
		*list = &read->list;
	return err;
}

/* Of both files: it changes with either. */
static enum oc_err
crl_stamp(void *arg, struct oc_file_stamp *stamp, struct oc_error *error)
{
	const struct status_crl_file *f = arg;
	struct oc_file_stamp delta = { .len = 0 };
	enum oc_err err = oc_file_stamp(f->plan.path, stamp, error);

	if (err == OC_OK && f->plan.delta != NULL) {
		err = oc_file_stamp(f->plan.delta, &delta, error);
		if (err != OC_OK)
			(void)oc_error_prefix(error, "delta CRL");
	}
	stamp->inode = stamp->inode * 31 + delta.inode;
	stamp->len += delta.len;
	stamp->written_ns ^= delta.written_ns * 3;
	stamp->changed_ns ^= delta.changed_ns * 3;
	return err;
}

static enum oc_err
crl_judge(void *arg, const struct status_list *list,
    const struct status_list *before, int64_t now, struct oc_error *error)
{
	struct status_crl_file *f = arg;
	const struct status_crl_list *crl =
	    (const struct status_crl_list *)list;
	enum oc_err err = status_crl_list_check_dates(crl, now, error);

	f->lost = (struct status_lost){ .num_final = 0 };
	if (err != OC_OK || before == NULL)
		return err;
	err = status_crl_list_succeeds(crl,
	    (const struct status_crl_list *)before,
	    f->plan.dropped_max_percent, &f->lost, error);
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s (to take "
	    "it all the same, remove %s and reload)", error->text,
	    f->plan.copy);
}

/* Both, or neither; a delta of before goes after that, and is none of a list
 * that is as new until then. */
static enum oc_err
crl_keep(void *arg, const struct status_list *list, struct oc_error *error)
{
	const struct status_crl_file *f = arg;
	const struct status_crl_list *crl =
	    (const struct status_crl_list *)list;
	const struct status_crl_list *delta = crl->delta;
	const struct oc_file_part parts[] = {
		{ f->plan.copy, 0644, crl->crl.der.p, crl->crl.der.len },
		{ f->delta_copy, 0644, delta == NULL ? NULL :
		    delta->crl.der.p, delta == NULL ? 0 :
		    delta->crl.der.len },
	};
	enum oc_err err = oc_file_write_all(parts, delta != NULL ? 2 : 1,
	    error);

	if (err == OC_OK && delta == NULL)
		(void)unlink(f->delta_copy);
	return err;
}

static void
crl_say_taken(void *arg, const struct status_list *list)
{
	const struct status_crl_file *f = arg;
	const struct status_lost *lost = &f->lost;
	char first[OC_SERIAL_TEXT_MAX];
	char number[STATUS_CRL_NUMBER_TEXT_MAX], until[DER_ISO8601_MAX];

	status_crl_number_format((const struct status_crl_list *)list, number);
	der_format_iso8601(list->next_update, until);
	oc_log(OC_LOG_NOTICE, "issuer %s: the CRL number %s%s is in force, "
	    "with %u entries, until %s", f->plan.issuer, number,
	    ((const struct status_crl_list *)list)->delta != NULL ?
	    " (by a delta)" : "", list->num_entries, until);
	if (lost->first.len == 0)
		return;
	oc_serial_format(&lost->first, first);
	oc_log(OC_LOG_WARNING, "issuer %s: %u that were revoked for good are "
	    "no longer so by the CRL number %s, %s for one", f->plan.issuer,
	    lost->num_dropped + lost->num_removed, number, first);
}

static const struct status_watch_ops crl_ops = {
	.stamp = crl_stamp,
	.load = crl_load,
	.judge = crl_judge,
	.keep = crl_keep,
	.say_taken = crl_say_taken,
};

/* --- start and end ----------------------------------------------------- */

static enum oc_err
read_certificate(struct status_crl_file *f, struct oc_error *error)
{
	size_t len;
	enum oc_err err;

	err = x509_file_read(f->plan.certificate, X509_FILE_CERTIFICATE,
	    &f->certificate_der, &len, error);
	if (err == OC_OK)
		err = x509_cert_read((struct der_bytes){ f->certificate_der,
		    len }, f->certificate, error);
	return err != OC_OK ? oc_error_prefix(error, "%s",
	    f->plan.certificate) : OC_OK;
}

static bool
copy_plan(struct status_crl_file *f, const struct status_crl_plan *plan)
{
	f->plan = *plan;
	f->plan.issuer = strdup(plan->issuer);
	f->plan.path = strdup(plan->path);
	f->plan.certificate = strdup(plan->certificate);
	f->plan.copy = strdup(plan->copy);
	if (plan->delta != NULL)
		f->plan.delta = strdup(plan->delta);
	if (asprintf(&f->delta_copy, "%s-delta", plan->copy) < 0)
		f->delta_copy = NULL;
	f->certificate = calloc(1, sizeof(*f->certificate));
	return f->plan.issuer != NULL && f->plan.path != NULL &&
	    f->plan.certificate != NULL && f->plan.copy != NULL &&
	    f->delta_copy != NULL &&
	    (plan->delta == NULL) == (f->plan.delta == NULL) &&
	    f->certificate != NULL;
}

enum oc_err
status_crl_file_new(const struct status_crl_plan *plan,
    struct status_crl_file **file, struct oc_error *error)
{
	struct status_crl_file *f = calloc(1, sizeof(*f));
	const struct status_watch_plan watch = {
		.issuer = plan->issuer,
		.key = "crl-file",
		.noun = "CRL",
		.path = plan->path,
		.issued = plan->issued,
		.is_fetched = plan->is_fetched,
		.clock_directory = plan->clock_directory,
		.ops = &crl_ops,
		.arg = f,
	};
	enum oc_err err = OC_OK;

	if (f == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (!copy_plan(f, plan))
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else
		err = read_certificate(f, error);
	if (err == OC_OK)
		err = status_watch_new(&watch, &f->watch, error);
	if (err != OC_OK) {
		status_crl_file_free(f);
		return err;
	}
	*file = f;
	return OC_OK;
}

void
status_crl_file_free(struct status_crl_file *f)
{
	if (f == NULL)
		return;
	status_watch_free(f->watch);
	free(f->certificate);
	free(f->certificate_der);
	free((char *)f->plan.issuer);
	free((char *)f->plan.path);
	free((char *)f->plan.certificate);
	free((char *)f->plan.copy);
	free((char *)f->plan.delta);
	free(f->delta_copy);
	free(f);
}

/* --- for everybody ----------------------------------------------------- */

struct status_watch *
status_crl_file_watched(struct status_crl_file *f)
{
	return f->watch;
}

struct status_crl_list *
status_crl_file_hold(struct status_crl_file *f)
{
	struct status_said said;

	status_watch_hold(f->watch, &said);
	status_issued_release(said.issued);
	return (struct status_crl_list *)said.list;
}

enum status_crl_unlisted
status_crl_file_unlisted(struct status_crl_file *f,
    const struct oc_config_issuer *issuer, const struct oc_serial *serial)
{
	struct status_said said;
	enum status_crl_unlisted is;

	switch (issuer->unlisted) {
	case OC_UNLISTED_UNAUTHORIZED:
		return STATUS_UNLISTED_UNTOLD;
	case OC_UNLISTED_GOOD:
		break;
	}
	if (issuer->issued == NULL)
		return STATUS_UNLISTED_ISSUED;
	status_watch_hold(f->watch, &said);
	if (said.issued == NULL)
		is = STATUS_UNLISTED_UNKNOWN;
	else
		is = status_issued_has(said.issued, serial) ?
		    STATUS_UNLISTED_ISSUED : STATUS_UNLISTED_NEVER;
	status_said_fini(&said);
	return is;
}

const struct x509_cert *
status_crl_file_certificate(const struct status_crl_file *f)
{
	return f->certificate;
}

uint64_t
status_crl_file_generation(struct status_crl_file *f)
{
	return status_watch_generation(f->watch);
}

void
status_crl_file_report(struct status_crl_file *f,
    struct status_crl_report *report)
{
	struct status_crl_list *list = status_crl_file_hold(f);

	status_watch_report(f->watch, &report->of);
	report->number[0] = '\0';
	if (list != NULL)
		status_crl_number_format(list, report->number);
	report->of.has_list = list != NULL;
	status_crl_list_release(list);
}
