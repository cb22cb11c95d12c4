/* SPDX-License-Identifier: Apache-2.0 */
#include "status/crl_file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/thread.h"
#include "der/time.h"
#include "x509/file.h"

#define PAUSE_NS OC_NS_PER_S
/* What cannot be read is somebody's who still writes it, for so long after
 * the file has last changed, and no longer than that in all. */
#define SETTLE_NS (3 * OC_NS_PER_S)
#define WRITING_MAX_NS (60 * OC_NS_PER_S)
/* Time alone may make good what was refused: it is from the future. */
#define AGAIN_NS (30 * OC_NS_PER_S)

struct status_crl_file {
	struct status_crl_plan plan;	/* strings owned */
	uint8_t *certificate_der;	/* owned */
	struct x509_cert *certificate;	/* owned; views into that */

	/* The thread's. */
	struct oc_file_stamp seen;	/* as it was last */
	int64_t seen_ns;		/* since when it is so; 0: never */
	int64_t read_ns;		/* when it was last read */
	int64_t unread_ns;		/* since when it is no good, and that
					 * is not said yet; 0: it is */
	bool is_copied;			/* what is in force */
	bool is_first;			/* look */
	bool has_said_end;
	struct status_issued_file issued_file;

	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;		/* for the rest */
	pthread_cond_t stopping;
	bool is_stopping;
	struct status_crl_list *list;	/* in force; held */
	struct status_issued *issued;	/* held */
	uint64_t generation;
	int64_t refused_since;
	char why[OC_ERROR_TEXT_MAX];
	uint64_t num_taken, num_refused;
};

char *
status_crl_copy_path(const struct oc_config *config,
    const struct oc_config_issuer *issuer)
{
	char *path;

	return asprintf(&path, "%s/%s.crl", config->daemon.table_directory,
	    issuer->name) < 0 ? NULL : path;
}

/* --- what is said ------------------------------------------------------ */

static void
set_trouble(struct status_crl_file *f, int64_t now, const char *why)
{
	pthread_mutex_lock(&f->lock);
	if (f->refused_since == 0)
		f->refused_since = now;
	f->num_refused++;
	(void)snprintf(f->why, sizeof(f->why), "%s", why);
	pthread_mutex_unlock(&f->lock);
}

/* Only this thread writes to f->why. */
static bool
is_said(const struct status_crl_file *f, const char *why)
{
	return f->refused_since != 0 && strcmp(f->why, why) == 0;
}

/* Once for each reason. */
static void
refuse(struct status_crl_file *f, int64_t now, const struct oc_error *why)
{
	char until[DER_ISO8601_MAX];

	if (is_said(f, why->text))
		return;
	set_trouble(f, now, why->text);
	if (f->list == NULL) {
		oc_log(OC_LOG_ERROR, "issuer %s: crl-file %s is refused, and "
		    "there was no good one before: %s", f->plan.issuer,
		    f->plan.path, why->text);
		return;
	}
	der_format_iso8601(f->list->crl.next_update, until);
	oc_log(OC_LOG_ERROR, "issuer %s: crl-file %s is refused: %s; the last "
	    "good one stays in force until %s", f->plan.issuer, f->plan.path,
	    why->text, until);
}

static void
note_end(struct status_crl_file *f, int64_t now)
{
	char at[DER_ISO8601_MAX];

	if (f->list == NULL || f->list->crl.next_update > now ||
	    f->has_said_end)
		return;
	f->has_said_end = true;
	der_format_iso8601(f->list->crl.next_update, at);
	oc_log(OC_LOG_ERROR, "issuer %s: the CRL has ended at %s, and there "
	    "is no newer good one in %s", f->plan.issuer, at, f->plan.path);
}

static void
note_well(struct status_crl_file *f)
{
	if (f->refused_since == 0)
		return;
	pthread_mutex_lock(&f->lock);
	f->refused_since = 0;
	f->why[0] = '\0';
	pthread_mutex_unlock(&f->lock);
	oc_log(OC_LOG_NOTICE, "issuer %s: crl-file %s is well again",
	    f->plan.issuer, f->plan.path);
}

/* --- one list ---------------------------------------------------------- */

static enum oc_err
check_dates(const struct x509_crl *crl, int64_t now, struct oc_error *error)
{
	char text[DER_ISO8601_MAX];

	der_format_iso8601(crl->this_update, text);
	if (crl->this_update > now + STATUS_CRL_SKEW_S)
		return oc_error_set(error, OC_ERR_REFUSED, "CRL: it is from "
		    "the future (thisUpdate %s)", text);
	if (crl->next_update == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "CRL: it has no "
		    "nextUpdate, which there must be (RFC 5280, 5.1.2.5)");
	der_format_iso8601(crl->next_update, text);
	if (crl->next_update <= crl->this_update)
		return oc_error_set(error, OC_ERR_REFUSED, "CRL: it ends "
		    "before it begins (nextUpdate %s)", text);
	if (crl->next_update <= now)
		return oc_error_set(error, OC_ERR_REFUSED, "CRL: it has "
		    "expired (nextUpdate %s)", text);
	return OC_OK;
}

static enum oc_err
write_copy(const struct status_crl_file *f, const struct status_crl_list *list,
    struct oc_error *error)
{
	return oc_file_write(f->plan.copy, 0644, list->der, list->der_len,
	    error);
}

/* Keeps what is to be known after a restart; tried again until it is.  What is
 * said of the file itself is worse than that it can't be. */
static void
keep_copy(struct status_crl_file *f, int64_t now, bool is_file_well)
{
	struct oc_error error = { 0 };
	enum oc_err err;

	if (f->is_copied || f->list == NULL)
		return;
	err = write_copy(f, f->list, &error);
	f->is_copied = err == OC_OK;
	if (err == OC_OK || !is_file_well || is_said(f, error.text))
		return;
	set_trouble(f, now, error.text);
	oc_log(OC_LOG_ERROR, "issuer %s: the CRL is in force, but no copy of "
	    "it could be kept, and a restart would take an older one: %s",
	    f->plan.issuer, error.text);
}

static void
say_taken(const struct status_crl_file *f, const struct status_crl_list *list,
    const struct status_crl_lost *lost)
{
	char first[OC_SERIAL_TEXT_MAX];
	char number[STATUS_CRL_NUMBER_TEXT_MAX], until[DER_ISO8601_MAX];

	status_crl_number_format(list, number);
	der_format_iso8601(list->crl.next_update, until);
	oc_log(OC_LOG_NOTICE, "issuer %s: the CRL number %s is in force, with "
	    "%u entries, until %s", f->plan.issuer, number, list->num_entries,
	    until);
	if (lost->first.len == 0)
		return;
	oc_serial_format(&lost->first, first);
	oc_log(OC_LOG_WARNING, "issuer %s: %u that were revoked for good are "
	    "no longer so by the CRL number %s, %s for one", f->plan.issuer,
	    lost->num_dropped + lost->num_removed, number, first);
}

static void
put_in_force(struct status_crl_file *f, struct status_crl_list *list)
{
	struct status_crl_list *before = f->list;

	pthread_mutex_lock(&f->lock);
	f->list = list;
	f->generation++;
	f->num_taken++;
	f->has_said_end = false;
	pthread_mutex_unlock(&f->lock);
	status_crl_list_release(before);
}

/* Who has been answered by it is not to be answered by an older one after a
 * crash: the copy is there first.  Without one it is in force all the same.
 * der is taken over if there is no error.  EXISTS: it is in force already. */
static enum oc_err
take(struct status_crl_file *f, uint8_t **der, size_t der_len, int64_t now,
    struct oc_error *error)
{
	struct status_crl_list *list = NULL;
	struct status_crl_lost lost = { .num_final = 0 };
	enum oc_err err;

	if (f->list != NULL && f->list->der_len == der_len &&
	    memcmp(f->list->der, *der, der_len) == 0)
		return OC_ERR_EXISTS;
	err = status_crl_list_new(der, der_len, f->certificate, f->plan.scope,
	    &list, error);
	if (err == OC_OK)
		err = check_dates(&list->crl, now, error);
	if (err == OC_OK && f->list != NULL) {
		err = status_crl_list_succeeds(list, f->list,
		    f->plan.dropped_max_percent, &lost, error);
		if (err != OC_OK)
			(void)oc_error_set(error, err, "%s (to take it all "
			    "the same, remove %s and reload)", error->text,
			    f->plan.copy);
	}
	if (err != OC_OK) {
		status_crl_list_release(list);
		return err;
	}
	f->is_copied = write_copy(f, list, NULL) == OC_OK;
	say_taken(f, list, &lost);
	put_in_force(f, list);
	return OC_OK;
}

/* --- the file ---------------------------------------------------------- */

/* *der is for free(). */
static enum oc_err
read_der(const char *path, uint8_t **der, size_t *der_len,
    struct oc_error *error)
{
	uint8_t *octets;
	size_t len;
	enum oc_err err;

	err = oc_file_read_regular(path, OC_CRL_FILE_MAX, &octets, &len, NULL,
	    error);
	if (err != OC_OK)
		return err;
	if (len == 0)
		err = oc_error_set(error, OC_ERR_MALFORMED, "%s is empty",
		    path);
	else
		err = x509_file_parse(path, octets, len, X509_FILE_CRL, der,
		    der_len, error);
	if (err == OC_ERR_REFUSED)
		explicit_bzero(octets, len);	/* a private key */
	free(octets);
	return err;
}

/* What is wrong with it while somebody writes it, or removes it first, is
 * gone a moment later. */
static bool
may_be_unfinished(struct status_crl_file *f, int64_t mono_ns)
{
	bool is;

	if (f->unread_ns == 0)
		f->unread_ns = mono_ns;
	is = !f->is_first && mono_ns - f->seen_ns < SETTLE_NS &&
	    mono_ns - f->unread_ns < WRITING_MAX_NS;
	if (!is)
		f->unread_ns = 0;
	return is;
}

/* It has changed; or it was read so soon after a change that another may have
 * left no trace in its times; or time has passed. */
static bool
is_to_be_read(struct status_crl_file *f, const struct oc_file_stamp *stamp,
    int64_t mono_ns)
{
	if (f->is_first || f->seen_ns == 0 ||
	    !oc_file_stamp_equal(stamp, &f->seen)) {
		f->seen = *stamp;
		f->seen_ns = mono_ns;
		return true;
	}
	return f->read_ns - f->seen_ns < SETTLE_NS ||
	    (f->refused_since != 0 && mono_ns - f->read_ns >= AGAIN_NS);
}

static bool
look_at_issued(struct status_crl_file *f, int64_t mono_ns)
{
	struct status_issued *before = f->issued, *issued;

	if (f->plan.issued == NULL)
		return false;
	issued = status_issued_file_look(&f->issued_file, f->plan.issuer,
	    mono_ns);
	if (issued == NULL)
		return false;
	pthread_mutex_lock(&f->lock);
	f->issued = issued;
	f->generation++;
	pthread_mutex_unlock(&f->lock);
	status_issued_release(before);
	return true;
}

static bool
look_at_list(struct status_crl_file *f, int64_t now, int64_t mono_ns)
{
	struct oc_file_stamp stamp = { .len = 0 };
	struct oc_error error = { 0 };
	uint8_t *der = NULL;
	size_t der_len = 0;
	enum oc_err err;

	err = oc_file_stamp(f->plan.path, &stamp, &error);
	if (!is_to_be_read(f, &stamp, mono_ns)) {
		note_end(f, now);
		return false;
	}
	f->read_ns = mono_ns;
	if (err == OC_OK)
		err = read_der(f->plan.path, &der, &der_len, &error);
	if (err == OC_OK)
		err = take(f, &der, der_len, now, &error);
	free(der);
	if (err == OC_OK || err == OC_ERR_EXISTS) {
		f->unread_ns = 0;
		keep_copy(f, now, true);
		if (f->is_copied)
			note_well(f);
	} else {
		if (!may_be_unfinished(f, mono_ns))
			refuse(f, now, &error);
		keep_copy(f, now, false);
	}
	f->is_first = false;
	note_end(f, now);
	return err == OC_OK;
}

/* Who is issued before who is revoked: a list may be made of both at once. */
bool
status_crl_file_look(struct status_crl_file *f, int64_t now, int64_t mono_ns)
{
	bool has_issued = look_at_issued(f, mono_ns);

	return look_at_list(f, now, mono_ns) || has_issued;
}

/* False: stop. */
static bool
pause_a_while(struct status_crl_file *f)
{
	int64_t until_ns = oc_clock_mono_ns() + PAUSE_NS;
	struct timespec until = { until_ns / OC_NS_PER_S,
	    until_ns % OC_NS_PER_S };
	bool goes_on;
	int rc = 0;

	pthread_mutex_lock(&f->lock);
	while (!f->is_stopping && rc == 0)
		rc = pthread_cond_timedwait(&f->stopping, &f->lock, &until);
	goes_on = !f->is_stopping;
	pthread_mutex_unlock(&f->lock);
	return goes_on;
}

static void *
watch_main(void *arg)
{
	struct status_crl_file *f = arg;

	while (pause_a_while(f))
		(void)status_crl_file_look(f, oc_clock_now_s(),
		    oc_clock_mono_ns());
	return NULL;
}

/* --- start and end ----------------------------------------------------- */

/* Another key's, or damaged: as if there were none. */
static void
read_copy(struct status_crl_file *f)
{
	struct status_crl_list *list = NULL;
	struct oc_error error = { 0 };
	uint8_t *der = NULL;
	size_t der_len;
	enum oc_err err;

	err = read_der(f->plan.copy, &der, &der_len, &error);
	if (err == OC_OK)
		err = status_crl_list_new(&der, der_len, f->certificate,
		    f->plan.scope, &list, &error);
	free(der);
	if (err == OC_OK) {
		f->list = list;
		f->generation++;
		f->is_copied = true;
	} else if (err != OC_ERR_NOT_FOUND)
		oc_log(OC_LOG_WARNING, "issuer %s: the copy of the last good "
		    "CRL is not used, and whether the next is older is not "
		    "known: %s", f->plan.issuer, error.text);
}

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
	if (plan->issued != NULL)
		f->plan.issued = strdup(plan->issued);
	f->issued_file.path = f->plan.issued;
	f->certificate = calloc(1, sizeof(*f->certificate));
	return f->plan.issuer != NULL && f->plan.path != NULL &&
	    f->plan.certificate != NULL && f->plan.copy != NULL &&
	    (f->plan.issued == NULL) == (plan->issued == NULL) &&
	    f->certificate != NULL;
}

static void
init_lock(struct status_crl_file *f)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&f->stopping, &attr);
	(void)pthread_condattr_destroy(&attr);
}

enum oc_err
status_crl_file_new(const struct status_crl_plan *plan,
    struct status_crl_file **file, struct oc_error *error)
{
	struct status_crl_file *f = calloc(1, sizeof(*f));
	enum oc_err err = OC_OK;

	if (f == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	init_lock(f);
	f->is_first = true;
	if (!copy_plan(f, plan))
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else
		err = read_certificate(f, error);
	if (err != OC_OK) {
		status_crl_file_free(f);
		return err;
	}
	read_copy(f);
	(void)status_crl_file_look(f, oc_clock_now_s(), oc_clock_mono_ns());
	*file = f;
	return OC_OK;
}

/* Of whoever watched until now: what he took last need not be in the file any
 * more. */
static void
take_copy(struct status_crl_file *f)
{
	struct oc_error error = { 0 };
	uint8_t *der = NULL;
	size_t der_len;

	if (read_der(f->plan.copy, &der, &der_len, &error) == OC_OK &&
	    take(f, &der, der_len, oc_clock_now_s(), &error) == OC_OK)
		f->is_copied = true;
	free(der);
}

enum oc_err
status_crl_file_watch(struct status_crl_file *f)
{
	take_copy(f);
	if (oc_thread_start(&f->thread, watch_main, f) != 0)
		return OC_ERR_NOMEM;
	f->has_thread = true;
	return OC_OK;
}

void
status_crl_file_stop(struct status_crl_file *f)
{
	pthread_mutex_lock(&f->lock);
	f->is_stopping = true;
	pthread_cond_signal(&f->stopping);
	pthread_mutex_unlock(&f->lock);
	if (f->has_thread)
		(void)pthread_join(f->thread, NULL);
	f->has_thread = false;
}

void
status_crl_file_free(struct status_crl_file *f)
{
	if (f == NULL)
		return;
	status_crl_file_stop(f);
	status_crl_list_release(f->list);
	status_issued_release(f->issued);
	(void)pthread_cond_destroy(&f->stopping);
	(void)pthread_mutex_destroy(&f->lock);
	free(f->certificate);
	free(f->certificate_der);
	free((char *)f->plan.issuer);
	free((char *)f->plan.path);
	free((char *)f->plan.certificate);
	free((char *)f->plan.copy);
	free((char *)f->plan.issued);
	free(f);
}

/* --- for everybody ----------------------------------------------------- */

struct status_crl_list *
status_crl_file_hold(struct status_crl_file *f)
{
	struct status_crl_list *list;

	pthread_mutex_lock(&f->lock);
	list = f->list;
	if (list != NULL)
		status_crl_list_hold(list);
	pthread_mutex_unlock(&f->lock);
	return list;
}

struct status_issued *
status_crl_file_hold_issued(struct status_crl_file *f)
{
	struct status_issued *issued;

	pthread_mutex_lock(&f->lock);
	issued = f->issued;
	if (issued != NULL)
		status_issued_hold(issued);
	pthread_mutex_unlock(&f->lock);
	return issued;
}

enum status_crl_unlisted
status_crl_file_unlisted(struct status_crl_file *f,
    const struct oc_config_issuer *issuer, const struct oc_serial *serial)
{
	struct status_issued *issued;
	enum status_crl_unlisted is;

	switch (issuer->unlisted) {
	case OC_UNLISTED_UNAUTHORIZED:
		return STATUS_UNLISTED_UNTOLD;
	case OC_UNLISTED_GOOD:
		break;
	}
	if (issuer->issued == NULL)
		return STATUS_UNLISTED_ISSUED;
	issued = status_crl_file_hold_issued(f);
	if (issued == NULL)
		return STATUS_UNLISTED_UNKNOWN;
	is = status_issued_has(issued, serial) ? STATUS_UNLISTED_ISSUED :
	    STATUS_UNLISTED_NEVER;
	status_issued_release(issued);
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
	uint64_t generation;

	pthread_mutex_lock(&f->lock);
	generation = f->generation;
	pthread_mutex_unlock(&f->lock);
	return generation;
}

void
status_crl_file_report(struct status_crl_file *f,
    struct status_crl_report *report)
{
	struct status_crl_report r = { .issuer = f->plan.issuer };

	pthread_mutex_lock(&f->lock);
	r.refused_since = f->refused_since;
	(void)snprintf(r.why, sizeof(r.why), "%s", f->why);
	r.num_taken = f->num_taken;
	r.num_refused = f->num_refused;
	if (f->list != NULL) {
		r.has_list = true;
		r.this_update = f->list->crl.this_update;
		r.next_update = f->list->crl.next_update;
		r.num_entries = f->list->num_entries;
		status_crl_number_format(f->list, r.number);
	}
	pthread_mutex_unlock(&f->lock);
	*report = r;
}

enum status_crl_state
status_crl_report_state(const struct status_crl_report *r, int64_t now)
{
	if (!r->has_list)
		return STATUS_CRL_NONE;
	if (r->next_update <= now)
		return STATUS_CRL_ENDED;
	return r->refused_since != 0 ? STATUS_CRL_REFUSED :
	    STATUS_CRL_CURRENT;
}

const char *
status_crl_state_word(enum status_crl_state state)
{
	switch (state) {
	case STATUS_CRL_CURRENT:
		return "current";
	case STATUS_CRL_REFUSED:
		return "refused";
	case STATUS_CRL_ENDED:
		return "ended";
	case STATUS_CRL_NONE:
		break;
	}
	return "none";
}
