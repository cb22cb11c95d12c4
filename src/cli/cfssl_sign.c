/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gencert and sign: CFSSL's words for what "cert issue" does, with the same
 * checks, the same records and the key in its token.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ca/cfssl_config.h"
#include "ca/csr.h"
#include "ca/issue.h"
#include "ca/plan.h"
#include "ca/policy.h"
#include "cli/caa.h"
#include "cli/cfssl.h"
#include "cli/cfssl_issuer.h"
#include "cli/explain.h"

/* Everything of one run. */
struct signing {
	struct cli *cli;
	struct ca_issuer *issuer;
	const struct ca_profile *profile;
	struct ca_profile found;	/* where it is, */
	struct ca_cfssl_config *standard;	/* or here */
	struct ca_names *names;		/* -hostname; or NULL */
	uint8_t subject[OC_NAME_MAX];
	struct x509_csr csr;
	struct ca_request request;
	struct ca_certificate certificate;
	struct ca_explanation explanation;
	struct cli_caa caa;
};

/* What CFSSL signs with where nobody says otherwise. */
static enum oc_err
default_profile(struct signing *s, struct oc_error *error)
{
	static const char text[] = "{\"signing\":{\"default\":{"
	    "\"expiry\":\"8760h\",\"usages\":[\"signing\","
	    "\"key encipherment\",\"server auth\",\"client auth\"]}}}";
	enum oc_err err;

	err = ca_cfssl_config_parse("CFSSL's default", text, strlen(text),
	    &s->standard, error);
	if (err == OC_OK) {
		s->profile = ca_cfssl_config_profile(s->standard, "");
		oc_assert(s->profile != NULL);
	}
	return err;
}

/* Of -config, and of nothing else; or of [cfssl]'s, and then built in or of
 * ocsign.conf. */
static enum oc_err
find_profile(struct signing *s, struct oc_error *error)
{
	const char *path = cli_option(s->cli, "config");
	const char *name = cli_option(s->cli, "profile");
	bool is_given = path != NULL;
	const struct oc_config *config;
	enum oc_err err = cli_config(s->cli, &config, error);

	if (err != OC_OK)
		return err;
	if (name == NULL)
		name = "";
	if (path == NULL)
		path = config->cfssl.config;
	if (path == NULL && name[0] == '\0')
		return default_profile(s, error);
	s->profile = &s->found;
	err = path == NULL ? OC_ERR_NOT_FOUND :
	    ca_cfssl_config_find(path, name, &s->found, error);
	if (err == OC_ERR_NOT_FOUND && !is_given)
		err = ca_profile_find(config, name, &s->found, error);
	if (err == OC_ERR_NOT_FOUND)
		err = ca_refuse_with(&s->explanation,
		    CA_RULE_PROFILE_UNKNOWN, err, error);
	return err;
}

/* As the API reads "hostname". */
static enum oc_err
read_hostname(struct signing *s, struct oc_error *error)
{
	const char *hosts = cli_option(s->cli, "hostname");
	enum oc_err err = OC_OK;

	if (hosts == NULL || hosts[0] == '\0')
		return OC_OK;
	s->names = calloc(1, sizeof(*s->names));
	if (s->names == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	while (err == OC_OK && hosts[0] != '\0') {
		size_t len = strcspn(hosts, ",");

		if (len > 0)
			err = ca_names_add_cfssl(s->names, hosts, len,
			    &s->explanation, error);
		hosts += len;
		hosts += *hosts == ',';
	}
	if (err != OC_OK)
		oc_error_prefix(error, "-hostname");
	s->request.sans = s->names->sans;
	s->request.num_sans = s->names->num_sans;
	return err;
}

/* All that can be found wrong before a key is made or asked. */
static enum oc_err
prepare(struct signing *s, struct oc_error *error)
{
	enum oc_err err = cli_cfssl_check(s->cli, error);

	if (err == OC_OK)
		err = read_hostname(s, error);
	if (err == OC_OK)
		err = find_profile(s, error);
	if (err == OC_OK)
		err = cli_cfssl_issuer(s->cli, &s->issuer, error);
	return err;
}

static enum oc_err
issue(struct signing *s, struct oc_error *error)
{
	const char *name = s->issuer->config->name;
	struct ca_explanation late = { 0 };
	char key[SIGN_KEY_NAME_MAX];
	struct store *store;
	enum oc_err err;

	s->request.profile = s->profile;
	s->request.csr = &s->csr;
	s->request.explanation = &s->explanation;
	err = ca_plan_preview(s->issuer, &s->request, error);
	s->request.explanation = NULL;
	if (err == OC_OK)
		err = cli_store(s->cli, STORE_CREATE, &store, error);
	if (err == OC_OK)
		err = cli_need_key(s->cli, SIGN_KEY_ISSUER, name, error);
	if (err == OC_OK)
		err = cli_open_signers(s->cli, error);
	if (err != OC_OK)
		return err;
	sign_key_name(SIGN_KEY_ISSUER, name, key);
	s->request.explanation = &late;
	s->caa = (struct cli_caa){ .cli = s->cli, .store = store };
	s->request.check = cli_caa_check;
	s->request.check_arg = &s->caa;
	cli_progress_begin("the token");
	err = ca_issue(s->issuer, store, cli_signer(s->cli, key),
	    &s->request, cli_deadline(CLI_SIGN_S), &s->certificate, error);
	cli_progress_end();
	s->explanation.rule = late.rule;
	memcpy(s->explanation.refusal, late.refusal, sizeof(late.refusal));
	ca_explanation_fini(&late);
	return err;
}

static enum oc_err
print(struct signing *s, const struct cfssl_key *key, struct oc_error *error)
{
	char serial[OC_SERIAL_TEXT_MAX];
	enum oc_err err;

	err = cli_cfssl_print((struct der_bytes){ s->certificate.der,
	    s->certificate.der_len }, s->csr.der, key, error);
	if (err != OC_OK) {
		oc_serial_format(&s->certificate.serial, serial);
		oc_error_prefix(error, "it is issued (serial %s), but not "
		    "printed; \"ocsign cert revoke %s\" takes it back", serial,
		    serial);
	}
	cli_nudge(s->cli);
	return err;
}

/* On standard error: standard output is cfssljson's. */
static void
explain(const struct signing *s, enum oc_err err)
{
	if (cli_has(s->cli, "explain") && (err == OC_OK ||
	    s->explanation.refusal[0] != '\0'))
		cli_explain_text(stderr, &s->explanation);
}

static void
signing_fini(struct signing *s)
{
	ca_certificate_fini(&s->certificate);
	ca_issuer_free(s->issuer);
	ca_explanation_fini(&s->explanation);
	free(s->names);
	ca_cfssl_config_free(s->standard);
	ca_profile_fini(&s->found);
}

/* --- gencert ---------------------------------------------------------- */

static enum oc_err
check_gencert(struct cli *cli, const struct cfssl_request *request,
    struct oc_error *error)
{
	static const char *const no[] = { "ca", "ca-key", "profile" };

	if (!cli_has(cli, "initca")) {
		if (!request->ca.is_given)
			return OC_OK;
		return oc_error_set(error, OC_ERR_REFUSED, "%s: ca: only with "
		    "-initca; take it out, or add -initca", cli->args[0]);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (cli_has(cli, no[i]))
			return oc_error_set(error, OC_ERR_USAGE, "-initca "
			    "makes a key of its own; leave -%s out (\"ocsign "
			    "ca create\" makes a CA with its key in a token)",
			    no[i]);
	return OC_OK;
}

static enum oc_err
override(struct cli *cli, struct cfssl_request *request,
    struct oc_error *error)
{
	const char *hosts = cli_option(cli, "hostname");
	const char *name = cli_option(cli, "cn");
	enum oc_err err = OC_OK;

	if (hosts != NULL && hosts[0] != '\0')
		err = cfssl_request_set_hosts(request, "-hostname", hosts,
		    error);
	if (err == OC_OK && name != NULL && name[0] != '\0')
		err = cfssl_request_set_common_name(request, "-cn", name,
		    error);
	return err;
}

static enum oc_err
gencert(struct signing *s, const struct cfssl_request *request,
    struct oc_error *error)
{
	struct cli_cfssl_made made = { NULL, NULL, 0 };
	enum oc_err err = prepare(s, error);

	if (err == OC_OK)
		err = cli_cfssl_make(request, &made, error);
	if (err == OC_OK)
		err = x509_csr_read((struct der_bytes){ made.csr,
		    made.csr_len }, &s->csr, error);
	if (err == OC_OK)
		err = issue(s, error);
	explain(s, err);
	if (err == OC_OK)
		err = print(s, made.key, error);
	cli_cfssl_made_fini(&made);
	return err;
}

enum oc_err
cli_gencert(struct cli *cli, struct oc_error *error)
{
	struct signing *s = calloc(1, sizeof(*s));
	struct cfssl_request *request = NULL;
	enum oc_err err;

	if (s == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	s->cli = cli;
	err = cli_cfssl_read(cli->args[0], &request, error);
	if (err == OC_OK)
		err = check_gencert(cli, request, error);
	if (err == OC_OK)
		err = override(cli, request, error);
	if (err == OC_OK)
		err = cli_has(cli, "initca") ?
		    cli_cfssl_initca(request, error) :
		    gencert(s, request, error);
	signing_fini(s);
	cfssl_request_free(request);
	free(s);
	return err;
}

/* --- sign ------------------------------------------------------------- */

/* What SUBJECTJSON has, and of the request's subject what it has not. */
static enum oc_err
read_subject(struct signing *s, const char *path, struct oc_error *error)
{
	struct cfssl_subject *subject = calloc(1, sizeof(*subject));
	uint8_t *text = NULL;
	size_t len;
	enum oc_err err;

	if (subject == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = oc_file_read(path, CFSSL_JSON_MAX, &text, &len, error);
	if (err == OC_OK)
		err = cfssl_subject_read(path, text, len, subject, error);
	if (err == OC_OK)
		err = cfssl_subject_fill(subject, s->csr.subject, error);
	if (err == OC_OK)
		err = cfssl_subject_write(subject, s->subject,
		    &s->request.subject.len, error);
	s->request.subject.p = s->subject;
	free(text);
	free(subject);
	return err;
}

static enum oc_err
sign(struct signing *s, uint8_t **csr, struct oc_error *error)
{
	struct cli *cli = s->cli;
	const char *path = cli_option(cli, "csr");
	size_t at = 0;
	enum oc_err err;

	if (path == NULL && cli->num_args == 0)
		return oc_error_set(error, OC_ERR_USAGE, "CSR is missing; see "
		    "\"ocsign help sign\"");
	if (path == NULL)
		path = cli->args[at++];
	if (at + 1 < cli->num_args)
		return oc_error_set(error, OC_ERR_USAGE, "\"%.60s\" is one "
		    "argument too many beside -csr", cli->args[at + 1]);
	err = ca_csr_read(path, csr, &s->csr, &s->explanation, error);
	if (err == OC_OK && at < cli->num_args)
		err = read_subject(s, cli->args[at], error);
	if (err == OC_OK)
		err = prepare(s, error);
	if (err == OC_OK)
		err = issue(s, error);
	explain(s, err);
	return err == OC_OK ? print(s, NULL, error) : err;
}

enum oc_err
cli_sign(struct cli *cli, struct oc_error *error)
{
	struct signing *s = calloc(1, sizeof(*s));
	uint8_t *csr = NULL;
	enum oc_err err;

	if (s == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	s->cli = cli;
	err = sign(s, &csr, error);
	signing_fini(s);
	free(csr);
	free(s);
	return err;
}

/* --- options ---------------------------------------------------------- */

const struct cli_option cli_gencert_options[] = {
	{ "initca", NULL, CLI_OPTIONAL, "a new self-signed CA, as genkey" },
	{ "ca", "CA", CLI_OPTIONAL, "the [issuer NAME], or its certificate" },
	{ "ca-key", "KEY", CLI_OPTIONAL, "not needed: the issuer's own" },
	{ "config", "FILE", CLI_OPTIONAL, "CFSSL's config.json" },
	{ "profile", "NAME", CLI_OPTIONAL, "of config.json or ocsign.conf" },
	{ "hostname", "A,B", CLI_OPTIONAL, "instead of CSRJSON's hosts" },
	{ "cn", "NAME", CLI_OPTIONAL, "instead of CSRJSON's CN" },
	{ "explain", NULL, CLI_OPTIONAL, "say where each field comes from" },
	{ "loglevel", "N", CLI_OPTIONAL, "taken for CFSSL's sake: 0 to 5" },
	{ NULL }
};

const struct cli_option cli_sign_options[] = {
	{ "ca", "CA", CLI_OPTIONAL, "the [issuer NAME], or its certificate" },
	{ "ca-key", "KEY", CLI_OPTIONAL, "not needed: the issuer's own" },
	{ "config", "FILE", CLI_OPTIONAL, "CFSSL's config.json" },
	{ "profile", "NAME", CLI_OPTIONAL, "of config.json or ocsign.conf" },
	{ "hostname", "A,B", CLI_OPTIONAL, "instead of the request's names" },
	{ "csr", "FILE", CLI_OPTIONAL, "instead of the argument" },
	{ "explain", NULL, CLI_OPTIONAL, "say where each field comes from" },
	{ "loglevel", "N", CLI_OPTIONAL, "taken for CFSSL's sake: 0 to 5" },
	{ NULL }
};
