/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp sign: one response to a file, or those of a ceremony to a directory. */
#include "cli/ocsp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/value.h"
#include "cli/names.h"
#include "cli/target.h"
#include "ocsp/identity.h"
#include "status/identity.h"
#include "status/trust.h"

/* What pkcs11/allow.h lets pass. */
#define VALID_MAX_S (400 * INT64_C(86400))

struct signing {
	struct cli *cli;
	struct cli_target *target;	/* NULL: --all */
	struct ca_issuer *issuer;
	const struct oc_config_ocsp *ocsp;
	struct ocsp_identity *identity;
	struct status_trust trust;
	int64_t valid_s;
	int64_t now;
};

/* What a response is about, out of its record. */
struct subject {
	struct oc_serial serial;
	struct ocsp_status status;
	int64_t not_after;
};

/* A reserved serial may be that of a certificate: it counts as issued. */
static struct subject
subject_of(const struct signing *s, const struct store_certificate *record,
    const struct oc_serial *serial)
{
	const struct status_record known = { .is_revoked = record->is_revoked,
	    .reason = record->reason, .revoked_at = record->revoked_at };

	return (struct subject){ .serial = *serial,
	    .status = status_trust_says(&s->trust, &known),
	    .not_after = record->not_after + s->identity->archive_s };
}

/* --- whose word it is ------------------------------------------------- */

static enum oc_err
look_at_ca(void *arg, const struct store_certificate *record)
{
	struct signing *s = arg;

	if (der_bytes_equal(s->issuer->cert.der, (struct der_bytes){
	    record->certificate, record->certificate_len }) &&
	    (record->reason == CRL_REASON_KEY_COMPROMISE ||
	    record->reason == CRL_REASON_CA_COMPROMISE)) {
		s->trust.is_compromised = true;
		s->trust.compromised_at = record->revoked_at;
	}
	return OC_OK;
}

static enum oc_err
look_at_signer(void *arg, const struct store_certificate *record)
{
	struct signing *s = arg;

	(void)record;
	s->trust.is_signer_revoked = true;
	return OC_OK;
}

/* What the store says of the two certificates, whichever issuer's they are. */
static enum oc_err
search(struct signing *s, struct store *store, struct oc_error *error)
{
	struct x509_cert *signer = calloc(1, sizeof(*signer));
	struct store_filter filter = { .serial = &s->issuer->cert.serial,
	    .only_revoked = true };
	enum oc_err err;

	if (signer == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = store_list_certificates(store, &filter, look_at_ca, s);
	if (err == OC_OK && s->identity->certs_len != 0) {
		err = x509_cert_read((struct der_bytes){ s->identity->certs,
		    s->identity->certs_len }, signer, error);
		filter.serial = &signer->serial;
		filter.issuer_id = s->issuer->store_id;
		if (err == OC_OK)
			err = store_list_certificates(store, &filter,
			    look_at_signer, s);
	}
	free(signer);
	return err == OC_OK || (error != NULL && error->text[0] != '\0') ?
	    err : oc_error_set(error, err, "%s", store_error(store));
}

/* As ocsign-status has it: status/trust. */
static enum oc_err
check_trust(struct signing *s, struct oc_error *error)
{
	const struct oc_config_issuer *config = s->issuer->config;
	struct store *store;
	enum oc_err err = cli_store(s->cli, STORE_CREATE, &store, error);

	s->trust.ocsp = s->ocsp;
	if (err == OC_OK)
		err = search(s, store, error);
	if (err != OC_OK)
		return err;
	if (config->compromised_since > 0) {
		s->trust.is_compromised = true;
		s->trust.compromised_at = config->compromised_since;
	}
	if (s->trust.is_signer_revoked)
		return oc_error_set(error, OC_ERR_REFUSED, "%s is revoked: "
		    "what it signs nobody believes; put another in its "
		    "place", s->ocsp->certificate);
	if (status_trust_refuses(&s->trust))
		return oc_error_set(error, OC_ERR_REFUSED, "issuer %s is "
		    "compromised, and on-compromise = refused: nothing is "
		    "said of its certificates", config->name);
	return OC_OK;
}

/* --- one response ----------------------------------------------------- */

static void
set_single(const struct signing *s, const struct subject *subject,
    struct ocsp_single *single)
{
	single->serial = (struct der_bytes){ subject->serial.bytes,
	    subject->serial.len };
	single->status = subject->status;
	single->this_update = s->now - s->issuer->config->ocsp_backdate_s;
	single->next_update = single->this_update + s->valid_s - 1;
	if (single->next_update > s->identity->signer_not_after)
		single->next_update = s->identity->signer_not_after;
	if (s->target == NULL && single->next_update > subject->not_after)
		single->next_update = subject->not_after;
}

static enum oc_err
sign_data(struct signing *s, const struct ocsp_response_data *plan,
    uint8_t **der, size_t *der_len, struct oc_error *error)
{
	struct sign_job *job = calloc(1, sizeof(*job));
	struct ocsp_response response = { .alg = s->identity->alg };
	char key[SIGN_KEY_NAME_MAX];
	uint8_t *data = NULL;
	enum oc_err err;

	if (job == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	sign_key_name(SIGN_KEY_OCSP, s->ocsp->name, key);
	err = cli_encode(ocsp_put_response_data, plan, &data, &job->tbs.len,
	    error);
	if (err == OC_OK) {
		job->key = key;
		job->kind = SIGN_KIND_OCSP;
		job->lane = SIGN_LANE_LIVE;
		job->alg = s->identity->alg;
		job->tbs.p = data;
		job->deadline_ns = cli_deadline(CLI_SIGN_S);
		cli_progress_begin("the token");
		err = sign_now(cli_signer(s->cli, key), job, error);
		cli_progress_end();
	}
	if (err == OC_OK) {
		response.data = job->tbs;
		response.signature = (struct der_bytes){ job->signature,
		    job->signature_len };
		response.certs = (struct der_bytes){ s->identity->certs,
		    s->identity->certs_len };
		err = cli_encode(ocsp_put_response, &response, der, der_len,
		    error);
	}
	free(data);
	free(job);
	return err;
}

/* *der is for free(). */
static enum oc_err
make_response(struct signing *s, const struct subject *subject,
    uint8_t encoding, struct ocsp_single *single, uint8_t **der,
    size_t *der_len, struct oc_error *error)
{
	uint8_t prefix[OCSP_CERTID_PREFIX_MAX];
	struct ocsp_response_data plan = {
		.produced_at = s->now,
		.singles = single,
		.num_singles = 1,
	};
	size_t len;
	enum oc_err err;

	err = ocsp_identity_certid_prefix(s->identity, encoding, prefix, &len);
	if (err != OC_OK)
		return oc_error_set(error, err, "cannot be encoded: %s",
		    oc_strerror(err));
	single->certid_prefix = (struct der_bytes){ prefix, len };
	set_single(s, subject, single);
	ocsp_identity_respond(s->identity, &plan);
	ocsp_identity_extend(s->identity, plan.produced_at, single);
	return sign_data(s, &plan, der, der_len, error);
}

static json_t *
describe(const struct subject *subject, const struct ocsp_single *single)
{
	json_t *facts = cli_object();

	cli_put_serial(facts, &subject->serial);
	cli_put_text(facts, "status", subject->status.kind == OCSP_REVOKED ?
	    "revoked" : "good");
	cli_put_time(facts, "this_update", single->this_update);
	cli_put_time(facts, "next_update", single->next_update);
	return facts;
}

/* --- one -------------------------------------------------------------- */

static enum oc_err
sign_one(struct signing *s, const struct subject *subject,
    struct oc_error *error)
{
	const char *out = cli_option(s->cli, "out");
	uint8_t encoding = cli_has(s->cli, "sha256") ?
	    OCSP_ENCODING(OCSP_HASH_SHA256, 0) : OCSP_ENCODING_USUAL;
	struct ocsp_single single = { .status = { .kind = OCSP_GOOD } };
	uint8_t *der = NULL;
	size_t len = 0;
	json_t *facts, *what;
	enum oc_err err;

	err = make_response(s, subject, encoding, &single, &der, &len, error);
	if (err == OC_OK)
		err = cli_write(out, CLI_DER, NULL, (struct der_bytes){ der,
		    len }, error);
	free(der);
	if (err != OC_OK || s->cli->format == CLI_FORMAT_TEXT)
		return err;
	facts = cli_object();
	cli_put_text(facts, "issuer", s->issuer->config->name);
	what = describe(subject, &single);
	(void)json_object_update(facts, what);
	json_decref(what);
	cli_put_text(facts, "out", out);
	cli_print(s->cli, facts);
	return OC_OK;
}

/* --- all, for an offline root ----------------------------------------- */

/* In what clients ask. */
static const struct {
	uint8_t encoding;
	const char *name;
} usual[] = {
	{ OCSP_ENCODING(OCSP_HASH_SHA1, 0), "sha1" },
	{ OCSP_ENCODING(OCSP_HASH_SHA1, 1), "sha1-absent" },
	{ OCSP_ENCODING(OCSP_HASH_SHA256, 0), "sha256" },
	{ OCSP_ENCODING(OCSP_HASH_SHA256, 1), "sha256-absent" },
};
#define NUM_USUAL (sizeof(usual) / sizeof(usual[0]))

struct listing {
	const struct signing *signing;
	struct subject *subjects;	/* owned */
	size_t num, num_max;
};

static enum oc_err
list_one(void *arg, const struct store_certificate *record)
{
	struct listing *list = arg;

	struct subject subject = subject_of(list->signing, record,
	    &record->serial);

	if (subject.not_after <= list->signing->now)
		return OC_OK;
	if (list->num == list->num_max) {
		size_t max = list->num_max * 2 + 16;
		struct subject *subjects = reallocarray(list->subjects, max,
		    sizeof(*subjects));

		if (subjects == NULL)
			return OC_ERR_NOMEM;
		list->subjects = subjects;
		list->num_max = max;
	}
	list->subjects[list->num++] = subject;
	return OC_OK;
}

static enum oc_err
list_all(struct signing *s, struct listing *list, struct oc_error *error)
{
	struct store_filter filter = { .issuer_id = s->issuer->store_id };
	struct store *store;
	enum oc_err err;

	err = cli_store(s->cli, STORE_CREATE, &store, error);
	if (err != OC_OK)
		return err;
	err = store_list_certificates(store, &filter, list_one, list);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", err == OC_ERR_NOMEM ?
		    "out of memory" : store_error(store));
	if (list->num == 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "issuer %s has "
		    "no certificate that has not expired; see \"ocsign cert "
		    "list\"", s->issuer->config->name);
	return OC_OK;
}

/* The responses of one certificate, to the end of parts. */
static enum oc_err
sign_usual(struct signing *s, const char *directory,
    const struct subject *subject, struct oc_file_part *parts,
    struct ocsp_single *single, struct oc_error *error)
{
	char serial[OC_SERIAL_TEXT_MAX];
	enum oc_err err = OC_OK;

	oc_serial_format(&subject->serial, serial);
	for (size_t i = 0; err == OC_OK && i < NUM_USUAL; i++) {
		uint8_t *der = NULL;
		char *path;

		if (asprintf(&path, "%s/%s-%s.der", directory, serial,
		    usual[i].name) < 0)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
		parts[i].path = path;
		parts[i].mode = 0644;
		err = make_response(s, subject, usual[i].encoding, single,
		    &der, &parts[i].len, error);
		parts[i].bytes = der;
	}
	return err;
}

/* Nothing is written unless all is signed. */
static enum oc_err
sign_all(struct signing *s, struct oc_error *error)
{
	static const char *const columns[] = { "serial", "status",
	    "this_update", "next_update", NULL };
	const char *out = cli_option(s->cli, "out");
	struct listing list = { .signing = s };
	struct oc_file_part *parts = NULL;
	json_t *rows = cli_array();
	size_t num_parts = 0, i;
	enum oc_err err = list_all(s, &list, error);

	if (err == OC_OK) {
		num_parts = list.num * NUM_USUAL;
		parts = calloc(num_parts, sizeof(*parts));
		if (parts == NULL)
			err = oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
	}
	for (i = 0; err == OC_OK && i < list.num; i++) {
		struct ocsp_single single = { .status.kind = OCSP_GOOD };

		err = sign_usual(s, out, &list.subjects[i],
		    &parts[i * NUM_USUAL], &single, error);
		if (err == OC_OK)
			cli_append(rows, describe(&list.subjects[i], &single));
	}
	if (err == OC_OK)
		err = oc_file_mkdir_p(out, 0755, error);
	if (err == OC_OK)
		err = oc_file_write_all(parts, num_parts, error);
	for (i = 0; parts != NULL && i < num_parts; i++) {
		free((char *)(uintptr_t)parts[i].path);
		free((void *)(uintptr_t)parts[i].bytes);
	}
	free(parts);
	free(list.subjects);
	if (err == OC_OK)
		cli_print_table(s->cli, rows, columns);
	else
		json_decref(rows);
	return err;
}

/* --- both ------------------------------------------------------------- */

/* --valid, or ocsp-lifetime. */
static enum oc_err
read_valid(struct signing *s, struct oc_error *error)
{
	const char *text = cli_option(s->cli, "valid");
	int64_t read_s;

	if (text == NULL)
		return OC_OK;
	if (oc_value_duration(text, &read_s, error) != OC_OK) {
		oc_error_prefix(error, "--valid");
		return OC_ERR_USAGE;
	}
	if (read_s == 0 || read_s > VALID_MAX_S)
		return oc_error_set(error, OC_ERR_USAGE, "--valid %.64s: from "
		    "1s to 400d", text);
	s->valid_s = read_s;
	return OC_OK;
}

static enum oc_err
read_options(struct signing *s, struct oc_error *error)
{
	enum oc_err err = read_valid(s, error);

	if (err != OC_OK)
		return err;
	if (!cli_has(s->cli, "all")) {
		err = cli_target_options(s->cli, &s->target, error);
		return err != OC_OK ? err : cli_check_out(s->cli, "out",
		    error);
	}
	if (cli_has(s->cli, "cert") || cli_has(s->cli, "serial") ||
	    cli_has(s->cli, "sha256"))
		return oc_error_set(error, OC_ERR_USAGE, "--all is about all "
		    "certificates in each encoding; leave out --cert, "
		    "--serial and --sha256");
	return OC_OK;
}

static enum oc_err
open_issuer(struct signing *s, struct oc_error *error)
{
	const char *name = cli_option(s->cli, "issuer");
	enum oc_err err;

	err = cli_open_any_issuer(s->cli, name, &s->issuer, error);
	if (err == OC_OK && (s->issuer->config->allow & OC_ALLOW_OCSP) == 0)
		err = oc_error_set(error, OC_ERR_REFUSED, "[issuer %s] does "
		    "not allow ocsp (%s:%d)", name, s->issuer->config->file,
		    s->issuer->config->line);
	if (err == OC_OK && s->issuer->config->source != OC_SOURCE_STORE)
		err = oc_error_set(error, OC_ERR_REFUSED, "[issuer %s] says "
		    "by a %s what is so (%s:%d), which only the service "
		    "reads: ask that, by ocsign ocsp query", name,
		    s->issuer->config->source == OC_SOURCE_CRL ? "CRL" :
		    "database", s->issuer->config->file,
		    s->issuer->config->line);
	if (err == OC_OK)
		err = cli_find_ocsp(s->cli, name, cli_option(s->cli,
		    "signer"), &s->ocsp, error);
	if (err == OC_OK)
		err = cli_need_key(s->cli, SIGN_KEY_OCSP, s->ocsp->name,
		    error);
	if (err == OC_OK && s->valid_s == 0)
		s->valid_s = s->issuer->config->ocsp_lifetime_s;
	if (err == OC_OK && s->valid_s <= s->issuer->config->ocsp_backdate_s)
		err = oc_error_set(error, OC_ERR_USAGE, "--valid is not longer "
		    "than ocsp-backdate of [issuer %s]", name);
	return err;
}

static enum oc_err
run(struct signing *s, struct oc_error *error)
{
	struct store_certificate record = { 0 };
	enum oc_err err;

	err = read_options(s, error);
	if (err == OC_OK)
		err = open_issuer(s, error);
	if (err == OC_OK && s->target != NULL)
		err = cli_target_record(s->cli, s->target, s->issuer, &record,
		    error);
	if (err == OC_OK)
		err = status_identity_load(s->ocsp, &s->identity, error);
	if (err == OC_OK)
		err = check_trust(s, error);
	if (err == OC_OK)
		err = cli_open_signers(s->cli, error);
	s->now = oc_clock_now_s();
	if (err == OC_OK && s->target == NULL) {
		err = sign_all(s, error);
	} else if (err == OC_OK) {
		struct subject subject = subject_of(s, &record,
		    &s->target->serial);

		err = sign_one(s, &subject, error);
	}
	store_certificate_fini(&record);
	return err;
}

enum oc_err
cli_ocsp_sign(struct cli *cli, struct oc_error *error)
{
	struct signing s = { .cli = cli };
	enum oc_err err = run(&s, error);

	free(s.identity);
	ca_issuer_free(s.issuer);
	cli_target_free(s.target);
	return err;
}

const struct cli_option cli_ocsp_sign_options[] = {
	{ "issuer", "NAME", CLI_REQUIRED, "the [issuer NAME] that answers" },
	{ "cert", "FILE", CLI_OPTIONAL, "the certificate it is about" },
	{ "serial", "SERIAL", CLI_OPTIONAL, "or its serial number" },
	{ "all", NULL, CLI_OPTIONAL,
	    "or all it has issued; --out is a directory" },
	{ "out", "FILE", CLI_REQUIRED, "where the DER goes" },
	{ "valid", "DURATION", CLI_OPTIONAL, "else ocsp-lifetime" },
	{ "signer", "NAME", CLI_OPTIONAL,
	    "the [ocsp-signer NAME]; else the issuer's own" },
	{ "sha256", NULL, CLI_OPTIONAL,
	    "a CertID with SHA-256; else with SHA-1" },
	{ NULL }
};
