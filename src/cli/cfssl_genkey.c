/* SPDX-License-Identifier: Apache-2.0 */
/* genkey, in memory or in a token, and selfsign. */
#include "cli/cfssl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ca/lint.h"
#include "cfssl/selfsign.h"
#include "cli/csr.h"
#include "cli/print.h"
#include "pkcs11/admin.h"

/* RSA-4096 takes minutes in a smart card. */
#define GENERATE_S 600

enum oc_err
cli_cfssl_initca(const struct cfssl_request *request, struct oc_error *error)
{
	struct cli_cfssl_made made = { NULL, NULL, 0 };
	uint8_t *der = NULL;
	size_t len = 0;
	enum oc_err err = cli_cfssl_make(request, &made, error);

	if (err == OC_OK)
		err = cli_cfssl_make_root(request, &made, &der, &len, error);
	if (err == OC_OK)
		err = cli_cfssl_print((struct der_bytes){ der, len },
		    (struct der_bytes){ made.csr, made.csr_len }, made.key,
		    error);
	free(der);
	cli_cfssl_made_fini(&made);
	return err;
}

static enum oc_err
genkey_in_memory(const struct cfssl_request *request, struct oc_error *error)
{
	struct cli_cfssl_made made = { NULL, NULL, 0 };
	enum oc_err err = cli_cfssl_make(request, &made, error);

	if (err == OC_OK)
		err = cli_cfssl_print((struct der_bytes){ NULL, 0 },
		    (struct der_bytes){ made.csr, made.csr_len }, made.key,
		    error);
	cli_cfssl_made_fini(&made);
	return err;
}

/* --- in a token ------------------------------------------------------- */

struct token_key {
	const char *token;		/* [token NAME] */
	struct p11_uri uri;		/* whose object is the key's label */
};

/* A URI may name the token, too. */
static enum oc_err
find_token(struct cli *cli, struct token_key *k, struct oc_error *error)
{
	const struct oc_config *config;
	struct p11_uri uri;
	enum oc_err err = cli_config(cli, &config, error);

	k->token = cli_option(cli, "token");
	if (err == OC_OK)
		err = p11_uri_parse_key(cli_option(cli, "key"), &k->uri,
		    error);
	if (err != OC_OK)
		return oc_error_prefix(error, "-key");
	if (k->uri.object[0] == '\0')
		return oc_error_set(error, OC_ERR_USAGE, "-key must name the "
		    "new key: a label, or a pkcs11: URI with \"object=\"");
	for (size_t i = 0; k->token == NULL && i < config->num_tokens; i++)
		if (k->uri.token[0] != '\0' &&
		    p11_uri_parse_token(config->tokens[i].uri, &uri,
		    error) == OC_OK && strcmp(uri.token, k->uri.token) == 0)
			k->token = config->tokens[i].name;
	if (k->token == NULL && k->uri.token[0] != '\0')
		return oc_error_set(error, OC_ERR_NOT_FOUND, "no [token] of "
		    "%s has the token that -key names", config->path);
	if (k->token == NULL && config->num_tokens != 1)
		return oc_error_set(error, OC_ERR_USAGE, "%s has %zu [token] "
		    "sections; add -token NAME", config->path,
		    config->num_tokens);
	if (k->token == NULL)
		k->token = config->tokens[0].name;
	return OC_OK;
}

static enum oc_err
journal(struct cli *cli, const struct token_key *k, struct oc_error *error)
{
	json_t *row = cli_object();
	struct store *store;
	char *text;
	enum oc_err err;

	cli_put_text(row, "token", k->token);
	cli_put_text(row, "label", k->uri.object);
	text = json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(row);
	err = cli_store(cli, STORE_CREATE, &store, error);
	if (err == OC_OK) {
		err = text == NULL ? OC_ERR_NOMEM :
		    store_append_journal(store, "key-generate", text);
		if (err != OC_OK)
			oc_error_set(error, err, "the key is made, but the "
			    "journal does not say so: %s",
			    store_error(store));
	}
	free(text);
	return err;
}

/* In a child, before a module is opened here. */
static enum oc_err
generate(struct cli *cli, const struct cfssl_request *request,
    const struct token_key *k, struct oc_error *error)
{
	struct sign_key_info *info = calloc(1, sizeof(*info));
	const struct p11_token_config *token;
	const char *state_dir;
	enum oc_err err;

	if (info == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = cli_token(cli, k->token, &token, &state_dir, error);
	if (err == OC_OK) {
		cli_progress_begin("the token to make the key");
		err = p11_admin_generate_key(token, state_dir, k->uri.object,
		    request->key_type, request->key_bits,
		    cli_deadline(GENERATE_S), info, error);
		cli_progress_end();
		if (err != OC_OK)
			oc_error_prefix(error, "token %s", k->token);
	}
	free(info);
	cli_close_signers(cli);
	return err == OC_OK ? journal(cli, k, error) : err;
}

static enum oc_err
sign_csr(struct cli *cli, const struct cfssl_request *request,
    const struct token_key *k, struct oc_error *error)
{
	struct x509_extensions *extensions = calloc(1, sizeof(*extensions));
	uint8_t subject[OC_NAME_MAX], *csr = NULL;
	struct der_bytes name = { subject, 0 };
	size_t len = 0;
	enum oc_err err;

	if (extensions == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = cfssl_subject_write(&request->subject, subject, &name.len,
	    error);
	if (err == OC_OK)
		err = cli_need_csr_key(cli, k->token, k->uri.object, error);
	if (err == OC_OK)
		err = cli_open_signers(cli, error);
	if (err == OC_OK)
		err = cli_csr_sign(cli, CLI_CSR_KEY, name,
		    cfssl_request_extensions(request, extensions) ?
		    extensions : NULL, &csr, &len, error);
	if (err == OC_OK)
		err = cli_cfssl_print((struct der_bytes){ NULL, 0 },
		    (struct der_bytes){ csr, len }, NULL, error);
	free(csr);
	free(extensions);
	return err;
}

static enum oc_err
genkey_in_token(struct cli *cli, const struct cfssl_request *request,
    struct oc_error *error)
{
	struct token_key k = { .token = NULL };
	enum oc_err err;

	if (cli_has(cli, "initca"))
		return oc_error_set(error, OC_ERR_USAGE, "a CA with its key "
		    "in a token is made by \"ocsign key generate\" and "
		    "\"ocsign ca create\"; leave -initca out, or -key");
	if (!cli_has(cli, "key"))
		return oc_error_set(error, OC_ERR_USAGE, "-token wants -key, "
		    "what the new key is called there");
	err = find_token(cli, &k, error);
	if (err == OC_OK)
		err = generate(cli, request, &k, error);
	if (err != OC_OK)
		return err;
	err = sign_csr(cli, request, &k, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "the key \"%.64s\" is made, "
		    "but not its request (\"ocsign csr create --key\" makes "
		    "one)", k.uri.object);
	return OC_OK;
}

/* --- the commands ----------------------------------------------------- */

enum oc_err
cli_genkey(struct cli *cli, struct oc_error *error)
{
	struct cfssl_request *request = NULL;
	enum oc_err err = cli_cfssl_check(cli, error);

	if (err == OC_OK)
		err = cli_cfssl_read(cli->args[0], &request, error);
	if (err == OC_OK && request->ca.is_given && !cli_has(cli, "initca"))
		err = oc_error_set(error, OC_ERR_REFUSED, "%s: ca: only with "
		    "-initca; take it out, or add -initca", cli->args[0]);
	if (err == OC_OK && (cli_has(cli, "token") || cli_has(cli, "key")))
		err = genkey_in_token(cli, request, error);
	else if (err == OC_OK && cli_has(cli, "initca"))
		err = cli_cfssl_initca(request, error);
	else if (err == OC_OK)
		err = genkey_in_memory(request, error);
	cfssl_request_free(request);
	return err;
}

enum oc_err
cli_selfsign(struct cli *cli, struct oc_error *error)
{
	const struct cfssl_place place = { .where = "HOSTNAME" };
	struct cli_cfssl_made made = { NULL, NULL, 0 };
	struct cfssl_request *request = NULL;
	uint8_t *der = NULL;
	size_t len = 0;
	enum oc_err err = cli_cfssl_check(cli, error);

	if (err == OC_OK)
		err = cli_cfssl_read(cli->args[1], &request, error);
	if (err == OC_OK && request->ca.is_given)
		err = oc_error_set(error, OC_ERR_REFUSED, "%s: ca: no CA is "
		    "made here; \"ocsign genkey -initca\" makes one",
		    cli->args[1]);
	if (err == OC_OK)
		err = cfssl_request_add_host(request, &place, cli->args[0],
		    error);
	if (err == OC_OK)
		err = cli_cfssl_make(request, &made, error);
	if (err == OC_OK)
		err = cfssl_selfsign(made.key, request, oc_clock_now_s(),
		    &der, &len, error);
	if (err == OC_OK)
		err = ca_lint_self_signed((struct der_bytes){ der, len },
		    error);
	if (err == OC_OK)
		err = cli_cfssl_print((struct der_bytes){ der, len },
		    (struct der_bytes){ made.csr, made.csr_len }, made.key,
		    error);
	if (err == OC_OK)
		fprintf(stderr, "ocsign: selfsign: nobody vouches for this "
		    "certificate, and nobody can revoke it: use it for tests "
		    "only\n");
	free(der);
	cli_cfssl_made_fini(&made);
	cfssl_request_free(request);
	return err;
}

const struct cli_option cli_genkey_options[] = {
	{ "initca", NULL, CLI_OPTIONAL, "a self-signed CA certificate, too" },
	{ "token", "NAME", CLI_OPTIONAL, "make the key in this [token NAME]" },
	{ "key", "KEY", CLI_OPTIONAL,
	    "and call it so: a label or a pkcs11: URI" },
	{ "config", "FILE", CLI_OPTIONAL, "taken for CFSSL's sake" },
	{ "loglevel", "N", CLI_OPTIONAL, "taken for CFSSL's sake: 0 to 5" },
	{ NULL }
};

const struct cli_option cli_selfsign_options[] = {
	{ "config", "FILE", CLI_OPTIONAL, "taken for CFSSL's sake" },
	{ "loglevel", "N", CLI_OPTIONAL, "taken for CFSSL's sake: 0 to 5" },
	{ NULL }
};
