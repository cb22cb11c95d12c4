/* SPDX-License-Identifier: Apache-2.0 */
/* cert issue. */
#include "cli/cert.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/pem.h"
#include "ca/csr.h"
#include "ca/issue.h"
#include "ca/plan.h"
#include "cli/account.h"
#include "cli/caa.h"
#include "cli/csr.h"
#include "cli/explain.h"
#include "cli/names.h"
#include "cli/print.h"
#include "cli/work.h"

/* Everything of one run. */
struct issuing {
	struct cli *cli;
	uint8_t *csr_der;
	struct x509_csr csr;
	struct cli_names *names;
	struct ca_profile profile;
	struct ca_issuer *issuer;
	struct ca_chain chain;
	struct ca_request request;
	struct cli_asked *asked;	/* NULL: for no account */
	struct ca_certificate certificate;
	struct ca_explanation explanation;
	struct ca_explanation late;	/* of what only the records know */
	struct cli_caa caa;
};

enum oc_err
cli_cert_chain(struct cli *cli, const struct ca_issuer *issuer,
    struct ca_chain *chain, struct oc_error *error)
{
	const char *alternate = cli_option(cli, "alternate");
	const struct oc_config *config;
	size_t number = 0;
	enum oc_err err = cli_config(cli, &config, error);

	if (err == OC_OK && alternate != NULL && !cli_has(cli, "chain"))
		err = oc_error_set(error, OC_ERR_USAGE, "--alternate says "
		    "which --chain; give both");
	if (err != OC_OK || !cli_has(cli, "chain"))
		return err;
	if (alternate != NULL) {
		err = ca_chain_find(config, issuer, alternate, &number, error);
		if (err != OC_OK)
			return oc_error_prefix(error, "--alternate");
	}
	return ca_chain_read(issuer, number, chain, error);
}

/* Whatever can be found wrong without the token. */
static enum oc_err
prepare(struct issuing *i, struct oc_error *error)
{
	const struct oc_config *config;
	enum oc_err err;

	err = cli_validity(i->cli, &i->request.validity_s, error);
	if (err == OC_OK)
		err = cli_names_new(i->cli, &i->explanation, &i->names,
		    error);
	if (err == OC_OK)
		err = ca_csr_read(i->cli->args[0], &i->csr_der, &i->csr,
		    &i->explanation, error);
	if (err == OC_OK)
		err = cli_config(i->cli, &config, error);
	if (err == OC_OK)
		err = ca_profile_find(config, cli_option(i->cli, "profile"),
		    &i->profile, error);
	if (err == OC_ERR_NOT_FOUND)
		err = ca_refuse_with(&i->explanation,
		    CA_RULE_PROFILE_UNKNOWN, err, error);
	if (err == OC_OK)
		err = cli_open_listed_issuer(i->cli, cli_option(i->cli,
		    "issuer"), &i->issuer, error);
	/* Status is answered for what it issued. */
	if (err == OC_OK && !ca_profile_is_ocsp_signer(&i->profile))
		err = ca_issuer_check_blocked(i->issuer, &i->explanation,
		    error);
	if (err == OC_OK)
		err = cli_cert_chain(i->cli, i->issuer, &i->chain, error);
	if (err != OC_OK)
		return err;
	i->request.profile = &i->profile;
	i->request.csr = &i->csr;
	i->request.subject = (struct der_bytes){ i->names->subject,
	    i->names->subject_len };
	i->request.sans = i->names->num_sans > 0 ? i->names->sans : NULL;
	i->request.num_sans = i->names->num_sans;
	i->request.explanation = &i->explanation;
	i->caa = (struct cli_caa){ .cli = i->cli,
	    .may_override = cli_has(i->cli, "no-caa") };
	i->request.check_arg = &i->caa;
	if (cli_has(i->cli, "dry-run"))
		i->request.check = cli_caa_check;
	if (cli_has(i->cli, "account"))
		err = cli_asked_new(i->cli, cli_option(i->cli, "account"),
		    &i->request, &i->asked, error);
	if (err == OC_OK)
		err = ca_plan_preview(i->issuer, &i->request, error);
	i->request.explanation = NULL;
	return err;
}

/* In front of what is issued, or instead of it.  JSON that goes with a
 * certificate is put there. */
static void
explain(const struct issuing *i, enum oc_err err)
{
	bool is_dry = cli_has(i->cli, "dry-run");
	bool is_refused = i->explanation.refusal[0] != '\0';

	if (!cli_has(i->cli, "explain") || (err != OC_OK && !is_refused))
		return;
	if (i->cli->format == CLI_FORMAT_TEXT)
		cli_explain_text(is_dry || is_refused ? stdout : stderr,
		    &i->explanation);
	else if (is_dry || is_refused)
		cli_print(i->cli, cli_explain_json(&i->explanation));
}

static enum oc_err
issue(struct issuing *i, struct oc_error *error)
{
	const char *name = i->issuer->config->name;
	char key[SIGN_KEY_NAME_MAX];
	struct store *store;
	enum oc_err err;

	err = cli_store(i->cli, STORE_CREATE, &store, error);
	if (err == OC_OK)
		err = cli_need_key(i->cli, SIGN_KEY_ISSUER, name, error);
	if (err == OC_OK)
		err = cli_open_signers(i->cli, error);
	if (err != OC_OK)
		return err;
	sign_key_name(SIGN_KEY_ISSUER, name, key);
	i->request.explanation = &i->late;
	i->request.check = cli_caa_check;
	i->caa.store = store;
	cli_progress_begin("the token");
	err = ca_issue(i->issuer, store, cli_signer(i->cli, key), &i->request,
	    cli_deadline(CLI_SIGN_S), &i->certificate, error);
	cli_progress_end();
	i->explanation.rule = i->late.rule;
	memcpy(i->explanation.refusal, i->late.refusal,
	    sizeof(i->late.refusal));
	return err;
}

static enum oc_err
write_out(const struct issuing *i, struct oc_error *error)
{
	const char *path = cli_option(i->cli, "out");
	bool is_json = i->cli->format == CLI_FORMAT_JSON;
	char serial[OC_SERIAL_TEXT_MAX];
	struct oc_buffer b;
	enum oc_err err;

	oc_buffer_init(&b, 1024 * 1024);
	oc_pem_write(&b, "CERTIFICATE", i->certificate.der,
	    i->certificate.der_len);
	if (cli_has(i->cli, "chain"))
		ca_chain_put(&i->chain, &b);
	oc_serial_format(&i->certificate.serial, serial);
	err = b.err;
	if (err != OC_OK)
		oc_error_set(error, err, "%s", oc_strerror(err));
	else if (path != NULL || !is_json)
		err = cli_write_text(path, b.bytes, b.len, error);
	if (err == OC_OK && is_json) {
		json_t *facts = cli_object();

		cli_put_text(facts, "serial", serial);
		cli_put_text(facts, "issuer", i->issuer->config->name);
		cli_put_text(facts, "pem", oc_buffer_text(&b));
		cli_put_text(facts, "out", path);
		if (cli_has(i->cli, "explain"))
			cli_put(facts, "explanation",
			    cli_explain_json(&i->explanation));
		cli_print(i->cli, facts);
		err = cli_flush(error);
	}
	if (err != OC_OK)
		oc_error_prefix(error, "it is issued (serial %s), but not "
		    "written; \"ocsign cert show --pem %s\" prints it",
		    serial, serial);
	oc_buffer_fini(&b);
	return err;
}

enum oc_err
cli_cert_issue(struct cli *cli, struct oc_error *error)
{
	struct issuing *i = calloc(1, sizeof(*i));
	enum oc_err err;

	if (i == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	i->cli = cli;
	err = prepare(i, error);
	if (err == OC_OK && !cli_has(cli, "dry-run"))
		err = cli_check_out(cli, "out", error);
	if (err == OC_OK && !cli_has(cli, "dry-run"))
		err = issue(i, error);
	explain(i, err);
	if (err == OC_OK && !cli_has(cli, "dry-run")) {
		err = write_out(i, error);
		cli_nudge(cli);
	}
	ca_certificate_fini(&i->certificate);
	cli_asked_free(i->asked);
	ca_explanation_fini(&i->explanation);
	ca_explanation_fini(&i->late);
	ca_profile_fini(&i->profile);
	ca_chain_fini(&i->chain);
	ca_issuer_free(i->issuer);
	free(i->names);
	free(i->csr_der);
	free(i);
	return err;
}

const struct cli_option cli_cert_issue_options[] = {
	{ "issuer", "NAME", CLI_REQUIRED, "the [issuer NAME] that signs" },
	{ "profile", "NAME", CLI_REQUIRED,
	    "server, client, origin-ecc, ..., or yours" },
	{ "subject", "NAME", CLI_OPTIONAL, "instead of the request's" },
	{ "san", "NAME", CLI_REPEATED, "instead of the request's names" },
	{ "account", "ACCOUNT", CLI_OPTIONAL,
	    "only for names in this one's zones" },
	{ "validity", "DURATION", CLI_OPTIONAL,
	    "such as 30d; at most the profile's" },
	{ "chain", NULL, CLI_OPTIONAL, "add the issuers, but for the root" },
	{ "alternate", "WHICH", CLI_OPTIONAL,
	    "of the alternate chain: its number, or an issuer" },
	{ "out", "FILE", CLI_OPTIONAL, "else standard output" },
	{ "explain", NULL, CLI_OPTIONAL, "say where each field comes from" },
	{ "no-caa", NULL, CLI_OPTIONAL,
	    "whatever CAA says; the journal has it" },
	{ "dry-run", NULL, CLI_OPTIONAL, "check it all, sign nothing" },
	{ NULL }
};
