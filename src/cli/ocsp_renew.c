/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp renew: the certificates of the delegated OCSP signers that have lived
 * two thirds of their lives, each for the same key, put where the
 * configuration says in one step; and, if that is wanted, the running service
 * is told.  What is not due is left alone: made to be run every day.
 */
#include "cli/ocsp.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/clock_watch.h"
#include "base/file.h"
#include "base/pem.h"
#include "ca/issue.h"
#include "der/time.h"
#include "ipc/server.h"
#include "ocsp/identity.h"
#include "status/renewal.h"
#include "x509/file.h"

struct renewal {
	struct cli *cli;
	const struct oc_config_ocsp *ocsp;
	uint8_t *old_der;
	struct x509_cert old;
	struct ca_issuer *issuer;
	struct ca_profile profile;
	struct ca_certificate certificate;
	struct x509_cert made;		/* views that */
	bool is_renewed;
};

static void
renewal_fini(struct renewal *r)
{
	cli_close_signers(r->cli);
	ca_certificate_fini(&r->certificate);
	ca_profile_fini(&r->profile);
	ca_issuer_free(r->issuer);
	free(r->old_der);
}

/* The profile it was issued with. */
static enum oc_err
find_profile(struct renewal *r, struct store *store, struct oc_error *error)
{
	struct store_certificate record = { 0 };
	const struct oc_config *config;
	enum oc_err err;

	err = store_find_certificate(store, r->issuer->store_id,
	    &r->old.serial, &record);
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return oc_error_set(error, err, "%s", store_error(store));
	err = cli_config(r->cli, &config, error);
	if (err == OC_OK)
		err = ca_profile_find(config, record.profile[0] == '\0' ?
		    "ocsp-signer" : record.profile, &r->profile, error);
	store_certificate_fini(&record);
	if (err == OC_OK && !ca_profile_is_ocsp_signer(&r->profile))
		err = oc_error_set(error, OC_ERR_REFUSED, "the profile %s "
		    "gives no certificate for an OCSP signer",
		    r->profile.name);
	return err;
}

/* Made by a clock that was ahead: whatever it says, it is of no use yet. */
static bool
has_begun(const struct x509_cert *cert)
{
	return oc_clock_now_s() >= cert->not_before;
}

static bool
is_due(const struct x509_cert *cert)
{
	return !has_begun(cert) || oc_clock_now_s() >=
	    status_renewal_at(cert->not_before, cert->not_after);
}

/* As long as the one before, if that is less than what the profile gives. */
static int64_t
life_of(const struct renewal *r)
{
	int64_t life_s = r->old.not_after - r->old.not_before +
	    (r->profile.validity_end == CA_END_INCLUSIVE);

	if (life_s >= r->profile.validity_s ||
	    r->profile.num_validity_choices != 0 ||
	    oc_clock_now_s() + life_s > r->issuer->cert.not_after)
		return 0;
	return life_s;
}

/* A certificate for a key that the token has no more were of no use. */
static enum oc_err
check_key(const struct renewal *r, struct oc_error *error)
{
	struct sign_key_info *info = calloc(1, sizeof(*info));
	char key[SIGN_KEY_NAME_MAX];
	enum oc_err err;

	if (info == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	sign_key_name(SIGN_KEY_OCSP, r->ocsp->name, key);
	err = cli_find_key(r->cli, key, info, error);
	if (err == OC_OK && !der_bytes_equal((struct der_bytes){ info->spki,
	    info->spki_len }, r->old.spki))
		err = oc_error_set(error, OC_ERR_MISMATCH, "ocsignd signs "
		    "with another key than that of %s: reload it first",
		    r->ocsp->certificate);
	free(info);
	return err;
}

static enum oc_err
refuse_shorter(const struct renewal *r, struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_REFUSED, "the new certificate would "
	    "end before the old one, which stays: see the validity that the "
	    "profile %s gives", r->profile.name);
}

/* What cannot be of use is not issued, time and again. */
static enum oc_err
check_use(const struct renewal *r, struct oc_error *error)
{
	int64_t life_s = life_of(r);

	if (life_s == 0)
		life_s = r->profile.validity_s;
	if (has_begun(&r->old) && r->profile.not_after == 0 &&
	    oc_clock_now_s() - r->profile.backdate_s + life_s <
	    r->old.not_after)
		return refuse_shorter(r, error);
	return oc_file_try_write(r->ocsp->certificate, error);
}

static enum oc_err
issue(struct renewal *r, struct store *store, struct oc_error *error)
{
	const struct ca_request request = {
		.profile = &r->profile,
		.spki = r->old.spki,
		.subject = r->old.subject,
		.validity_s = life_of(r),
	};
	const char *name = r->ocsp->issuer->name;
	char key[SIGN_KEY_NAME_MAX];
	enum oc_err err;

	err = cli_need_key(r->cli, SIGN_KEY_ISSUER, name, error);
	if (err == OC_OK)
		err = cli_need_key(r->cli, SIGN_KEY_OCSP, r->ocsp->name,
		    error);
	if (err == OC_OK)
		err = cli_open_signers(r->cli, error);
	if (err == OC_OK)
		err = check_key(r, error);
	if (err != OC_OK)
		return err;
	sign_key_name(SIGN_KEY_ISSUER, name, key);
	cli_progress_begin("the token");
	err = ca_issue(r->issuer, store, cli_signer(r->cli, key), &request,
	    cli_deadline(CLI_SIGN_S), &r->certificate, error);
	cli_progress_end();
	return err;
}

/* Whoever opens the path finds the old one or the new.  It must be one that
 * ocsign-status takes, and no worse than what it replaces. */
static enum oc_err
put_in_place(struct renewal *r, struct oc_error *error)
{
	struct der_bytes der = { r->certificate.der, r->certificate.der_len };
	struct ocsp_identity *identity = calloc(1, sizeof(*identity));
	const char *path = r->ocsp->certificate;
	struct oc_buffer pem;
	struct stat st;
	enum oc_err err;

	if (identity == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = ocsp_identity_make(r->issuer->cert.der, der,
	    sign_alg_configured(r->ocsp->algorithm), identity, error);
	free(identity);
	if (err == OC_OK)
		err = x509_cert_read(der, &r->made, error);
	if (err == OC_OK && has_begun(&r->old) &&
	    r->made.not_after < r->old.not_after)
		err = refuse_shorter(r, error);
	if (err != OC_OK)
		return err;
	oc_buffer_init(&pem, OC_CHAIN_FILE_MAX);
	oc_pem_write(&pem, "CERTIFICATE", der.p, der.len);
	err = pem.err != OC_OK ?
	    oc_error_set(error, pem.err, "%s", oc_strerror(pem.err)) :
	    oc_file_write(path, stat(path, &st) == 0 ?
	    st.st_mode & 0777 : 0644, pem.bytes, pem.len, error);
	oc_buffer_fini(&pem);
	if (err == OC_OK)
		r->is_renewed = true;
	return err;
}

static enum oc_err
read_old(struct renewal *r, struct oc_error *error)
{
	struct der_bytes der;
	enum oc_err err;

	err = x509_file_read(r->ocsp->certificate, X509_FILE_CERTIFICATE,
	    &r->old_der, &der.len, error);
	der.p = r->old_der;
	if (err == OC_OK && (err = x509_cert_read(der, &r->old, error)) !=
	    OC_OK)
		oc_error_prefix(error, "%s", r->ocsp->certificate);
	return err;
}

static enum oc_err
renew(struct renewal *r, struct oc_error *error)
{
	struct store *store;
	enum oc_err err;

	err = cli_store(r->cli, STORE_CREATE, &store, error);
	if (err == OC_OK)
		err = cli_open_listed_issuer(r->cli, r->ocsp->issuer->name,
		    &r->issuer, error);
	if (err == OC_OK)
		err = find_profile(r, store, error);
	if (err == OC_OK)
		err = check_use(r, error);
	if (err == OC_OK)
		err = issue(r, store, error);
	if (err == OC_OK)
		err = put_in_place(r, error);
	return err;
}

/* --- all of them ------------------------------------------------------ */

struct run {
	struct cli *cli;
	json_t *rows;
	int num_renewed;
	enum oc_err err;		/* of the first that failed */
	struct oc_error error;
};

static void
put_row(struct run *run, const struct renewal *r, const char *state)
{
	const struct x509_cert *cert = r->is_renewed ? &r->made : &r->old;
	json_t *row = cli_object();

	cli_put_text(row, "issuer", r->ocsp->issuer->name);
	cli_put_text(row, "signer", r->ocsp->signer);
	cli_put_text(row, "state", state);
	if (cert->not_after != 0) {
		cli_put_time(row, "not_after", cert->not_after);
		cli_put_time(row, "renewed_from", status_renewal_at(
		    cert->not_before, cert->not_after));
	}
	cli_put_text(row, "certificate", r->ocsp->certificate);
	cli_append(run->rows, row);
}

/* The next one may still be renewed. */
static void
note_failure(struct run *run, const struct renewal *r, enum oc_err err,
    struct oc_error *error)
{
	char until[DER_ISO8601_MAX] = "?";

	if (r->old.not_after != 0)
		der_format_iso8601(r->old.not_after, until);
	(void)oc_error_prefix(error, "the OCSP signer of issuer %s, whose "
	    "certificate ends at %s", r->ocsp->name, until);
	if (run->err == OC_OK) {
		run->err = err;
		run->error = *error;
	} else
		fprintf(stderr, "ocsign: ocsp renew: %s\n", error->text);
}

static void
look_at(struct run *run, const struct oc_config_ocsp *ocsp)
{
	struct renewal *r = calloc(1, sizeof(*r));
	struct oc_error error = { 0 };
	enum oc_err err;

	if (r == NULL) {
		run->err = oc_error_set(&run->error, OC_ERR_NOMEM,
		    "out of memory");
		return;
	}
	r->cli = run->cli;
	r->ocsp = ocsp;
	err = read_old(r, &error);
	if (err == OC_ERR_NOT_FOUND) {
		/* Planned: "ocsign cert issue" makes the first. */
		put_row(run, r, "missing");
		err = OC_OK;
	} else if (err == OC_OK && !cli_has(run->cli, "force") &&
	    !is_due(&r->old)) {
		put_row(run, r, "valid");
	} else if (err == OC_OK) {
		err = renew(r, &error);
		run->num_renewed += r->is_renewed;
		put_row(run, r, r->is_renewed ? "renewed" : "failed");
	}
	if (err != OC_OK)
		note_failure(run, r, err, &error);
	renewal_fini(r);
	free(r);
}

/* True if the service says that it signs under the certificate in the file;
 * one that is not there is nobody's to take. */
static bool
has_taken(json_t *issuers, const json_t *row)
{
	const char *issuer = json_string_value(json_object_get(row, "issuer"));
	const char *signer = json_string_value(json_object_get(row, "signer"));
	const char *end = json_string_value(json_object_get(row, "not_after"));
	char name[OC_OCSP_NAME_MAX + 1];
	json_t *told;
	size_t i;

	if (end == NULL)
		return true;
	(void)snprintf(name, sizeof(name), "%s%s%s", issuer,
	    signer == NULL ? "" : "+", signer == NULL ? "" : signer);
	json_array_foreach(issuers, i, told) {
		const char *told_end = json_string_value(json_object_get(told,
		    "signer_not_after"));

		if (strcmp(json_string_value(json_object_get(told, "issuer")),
		    name) == 0)
			return told_end != NULL && strcmp(end, told_end) == 0;
	}
	return false;
}

static bool
has_taken_all(const char *path, const json_t *rows)
{
	json_t *status = NULL, *row;
	struct oc_error error = { 0 };
	bool is_taken = true;
	size_t i;

	if (cli_ask_status(path, &status, &error) != OC_OK)
		return false;
	json_array_foreach(rows, i, row)
		is_taken &= has_taken(json_object_get(status, "issuers"), row);
	json_decref(status);
	return is_taken;
}

#define RELOAD_S 60

/* Also what an earlier run has renewed, should the service not know it. */
static enum oc_err
reload(struct run *run, struct oc_error *error)
{
	int64_t until = cli_deadline(RELOAD_S);
	enum oc_err err;
	char *path;

	err = cli_socket(run->cli, "status-control.sock", &path, error);
	if (err != OC_OK)
		return err;
	if (!ipc_is_served(path) || has_taken_all(path, run->rows)) {
		free(path);
		return OC_OK;
	}
	err = cli_reload(path, error);
	cli_progress_begin("ocsignd");
	while (err == OC_OK && !has_taken_all(path, run->rows)) {
		if (oc_clock_mono_ns() > until)
			err = oc_error_set(error, OC_ERR_TIMEOUT, "ocsignd "
			    "does not sign under the new certificate: its "
			    "log says why");
		usleep(100000);
	}
	cli_progress_end();
	free(path);
	return err;
}

/* What the running service does not believe is nothing to date certificates
 * by; and the reload would be taken for somebody's word that it is right. */
static enum oc_err
check_clock(const struct run *run, const struct oc_config *config,
    struct oc_error *error)
{
	struct oc_clock_watch watch;
	int64_t jump_s = 0;
	enum oc_err err;
	char *path;

	err = cli_socket(run->cli, "status-control.sock", &path, error);
	if (err == OC_OK && ipc_is_served(path)) {
		err = oc_clock_watch_init(&watch,
		    config->daemon.status_directory, OC_CLOCK_WATCH_READS);
		if (err == OC_OK)
			jump_s = oc_clock_watch_look(&watch) / 1000;
		oc_clock_watch_fini(&watch);
	}
	free(path);
	return jump_s == 0 ? err : oc_error_set(error, OC_ERR_REFUSED, "the "
	    "clock was set %lld s %s at once, and nothing is dated by it: set "
	    "it right, or reload ocsignd if it is right now",
	    (long long)(jump_s < 0 ? -jump_s : jump_s),
	    jump_s < 0 ? "back" : "ahead");
}

/* ocsignd, a timer and a person may all be at it. */
static enum oc_err
lock(const struct oc_config *config, int *fd, struct oc_error *error)
{
	char *directory = NULL, *path = NULL;
	enum oc_err err = OC_OK;

	if (oc_path_directory(config->store.path, &directory) != OC_OK ||
	    oc_path_join(directory, "renew.lock", &path) != OC_OK)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (err == OC_OK)
		err = oc_file_mkdir_p(directory, 0700, error);
	if (err == OC_OK)
		err = oc_file_lock(path, fd, error);
	free(path);
	free(directory);
	return err;
}

enum oc_err
cli_ocsp_renew(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "issuer", "signer", "state",
	    "not_after", "renewed_from", NULL };
	const char *name = cli_option(cli, "issuer");
	const struct oc_config_issuer *only = NULL;
	struct run run = { .cli = cli };
	const struct oc_config *config;
	int lock_fd = -1;
	enum oc_err err;

	err = cli_config(cli, &config, error);
	if (err == OC_OK && name != NULL)
		err = cli_find_issuer(cli, name, &only, error);
	if (err == OC_OK)
		err = check_clock(&run, config, error);
	if (err == OC_OK)
		err = lock(config, &lock_fd, error);
	if (err != OC_OK)
		return err;
	run.rows = cli_array();
	for (size_t i = 0; i < config->num_ocsp; i++) {
		const struct oc_config_ocsp *ocsp = &config->ocsp[i];

		if (ocsp->certificate != NULL && ocsp->key != NULL &&
		    (ocsp->issuer->allow & OC_ALLOW_OCSP) != 0 &&
		    ocsp->issuer->source == OC_SOURCE_STORE &&
		    (only == NULL || ocsp->issuer == only))
			look_at(&run, ocsp);
	}
	if (run.num_renewed > 0)
		cli_nudge(cli);
	err = cli_has(cli, "reload") ? reload(&run, error) : OC_OK;
	cli_print_table(cli, run.rows, columns);
	close(lock_fd);
	if (run.err != OC_OK) {
		if (err != OC_OK)
			fprintf(stderr, "ocsign: ocsp renew: %s\n",
			    error->text);
		*error = run.error;
		err = run.err;
	}
	return err;
}

const struct cli_option cli_ocsp_renew_options[] = {
	{ "issuer", "NAME", CLI_OPTIONAL, "only its signers" },
	{ "force", NULL, CLI_OPTIONAL, "also what is not due" },
	{ "reload", NULL, CLI_OPTIONAL,
	    "have the running ocsignd take what is new" },
	{ NULL }
};
