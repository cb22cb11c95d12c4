/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which signer holds which key: the running service, or a pool in this
 * process.  A key that the service was not started with (a CA that is just
 * being made) comes from the pool.
 */
#include "cli/work_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ipc/channel.h"
#include "ipc/server.h"
#include "pkcs11/local.h"
#include "pkcs11/uri.h"

#define ASK_S 10

static struct cli_key *
find(const struct cli *cli, const char *name)
{
	for (size_t i = 0; i < cli->work->num_keys; i++)
		if (strcmp(cli->work->keys[i].name, name) == 0)
			return &cli->work->keys[i];
	return NULL;
}

enum oc_err
cli_find_ocsp(struct cli *cli, const char *issuer, const char *signer,
    const struct oc_config_ocsp **ocsp, struct oc_error *error)
{
	const struct oc_config_issuer *section;
	const struct oc_config *config;
	enum oc_err err = cli_find_issuer(cli, issuer, &section, error);

	if (err == OC_OK)
		err = cli_config(cli, &config, error);
	for (size_t i = 0; err == OC_OK && i < config->num_ocsp; i++) {
		*ocsp = &config->ocsp[i];
		if ((*ocsp)->issuer == section && (signer == NULL ?
		    (*ocsp)->signer == NULL : (*ocsp)->signer != NULL &&
		    strcmp((*ocsp)->signer, signer) == 0))
			return OC_OK;
	}
	if (err == OC_OK)
		err = oc_error_set(error, OC_ERR_NOT_FOUND, "there is no "
		    "[ocsp-signer %.64s] of [issuer %s] in %s", signer,
		    section->name, config->path);
	return err;
}

enum oc_err
cli_need_key(struct cli *cli, enum sign_key_role role, const char *name,
    struct oc_error *error)
{
	struct cli_work *w = cli_work_of(cli);
	struct cli_key *key = &w->keys[w->num_keys];
	const struct oc_config_issuer *section;
	const struct oc_config_ocsp *ocsp;
	const struct oc_config *config;
	enum oc_err err = cli_config(cli, &config, error);

	if (err != OC_OK)
		return err;
	ocsp = role == SIGN_KEY_OCSP ? oc_config_find_ocsp(config, name) :
	    NULL;
	if (ocsp != NULL)
		section = ocsp->issuer;
	else
		err = cli_find_issuer(cli, name, &section, error);
	if (err != OC_OK)
		return err;
	if (section->responses != NULL)
		return oc_error_set(error, OC_ERR_REFUSED, "the key of "
		    "[issuer %s] is not here (%s:%d): it has responses, that "
		    "were signed elsewhere", section->name, section->file,
		    section->line);
	if (role == SIGN_KEY_ISSUER && section->key == NULL)
		return oc_error_set(error, OC_ERR_REFUSED, "the key of "
		    "[issuer %s] is not here (%s:%d): its status comes from a "
		    "CRL that is signed elsewhere", section->name,
		    section->file, section->line);
	oc_assert(w->num_keys < CLI_KEYS_MAX);
	memset(key, 0, sizeof(*key));
	key->role = role;
	(void)snprintf(key->whose, sizeof(key->whose), "%s", name);
	sign_key_name(role, name, key->name);
	w->num_keys++;
	return OC_OK;
}

enum oc_err
cli_token_of_key(struct cli *cli, const char *key, const char **token,
    struct oc_error *error)
{
	const struct oc_config *config;
	enum oc_err err;

	*token = cli_option(cli, "token");
	if (*token != NULL)
		return OC_OK;
	err = cli_config(cli, &config, error);
	if (err == OC_OK)
		err = p11_plan_token_of_key(config, key, token, error);
	return err;
}

enum oc_err
cli_need_csr_key(struct cli *cli, const char *token, const char *uri,
    struct oc_error *error)
{
	struct cli_work *w = cli_work_of(cli);
	struct cli_key *key = &w->keys[w->num_keys];
	const struct oc_config *config;
	struct p11_uri parsed;
	enum oc_err err;

	if (p11_uri_parse_key(uri, &parsed, error) != OC_OK) {
		oc_error_prefix(error, "--key");
		return OC_ERR_USAGE;
	}
	err = cli_config(cli, &config, error);
	if (err != OC_OK)
		return err;
	oc_assert(w->num_keys < CLI_KEYS_MAX);
	memset(key, 0, sizeof(*key));
	(void)snprintf(key->name, sizeof(key->name), "%s", CLI_CSR_KEY);
	key->token = token;
	key->uri = uri;
	w->num_keys++;
	return OC_OK;
}

/* The service has a socket for each kind of asker; what may be signed on it
 * is its own. */
static enum oc_err
open_service(struct cli *cli, enum sign_key_role role, struct oc_error *error)
{
	const char *name = role == SIGN_KEY_OCSP ? "signer-status.sock" :
	    "signer-issuer.sock";
	struct cli_work *w = cli->work;
	enum oc_err err;
	char *path;

	if (w->services[role] != NULL)
		return OC_OK;
	err = cli_socket(cli, name, &path, error);
	if (err == OC_OK && ipc_is_served(path))
		err = ipc_signer_new(path, "ocsign", &w->services[role]);
	free(path);
	return err;
}

/* Sets the signer of every key that the service has. */
static enum oc_err
ask_service(struct cli *cli, struct oc_error *error)
{
	struct sign_key_info *info = calloc(1, sizeof(*info));
	struct cli_work *w = cli->work;
	enum oc_err err = OC_OK;

	if (info == NULL)
		cli_no_memory();
	for (size_t i = 0; err == OC_OK && i < w->num_keys; i++) {
		struct cli_key *key = &w->keys[i];

		if (key->uri != NULL)
			continue;
		err = open_service(cli, key->role, error);
		if (err != OC_OK || w->services[key->role] == NULL)
			continue;
		err = sign_find_key(w->services[key->role], key->name,
		    cli_deadline(ASK_S), info, error);
		if (err == OC_OK)
			key->signer = w->services[key->role];
		else if (err == OC_ERR_NOT_FOUND) {
			err = OC_OK;
			*error = (struct oc_error){ 0 };
		} else if (err == OC_ERR_DOWN) {
			(void)oc_error_set(error, err, "the service's signer "
			    "is not available now; ocsignd's log says why");
		}
	}
	free(info);
	return err;
}

static enum oc_err
plan_keys(struct cli_work *w, size_t *num_local, struct oc_error *error)
{
	enum oc_err err = p11_plan_new(w->config, &w->plan, error);

	*num_local = 0;
	for (size_t i = 0; err == OC_OK && i < w->num_keys; i++) {
		struct cli_key *key = &w->keys[i];

		if (key->signer != NULL)
			continue;
		++*num_local;
		if (key->uri != NULL)
			err = p11_plan_add_csr_key(w->plan, key->name,
			    key->token, key->uri, error);
		else
			err = p11_plan_add(w->plan, key->role, key->whose,
			    error);
	}
	return err;
}

enum oc_err
cli_open_signers(struct cli *cli, struct oc_error *error)
{
	struct cli_work *w = cli->work;
	size_t num_local;
	enum oc_err err;

	cli_progress_begin("the token");
	err = ask_service(cli, error);
	if (err == OC_OK)
		err = plan_keys(w, &num_local, error);
	if (err == OC_OK && num_local > 0)
		err = cli_lock(cli, error);
	if (err == OC_OK && num_local > 0)
		err = p11_plan_open_journal(w->plan, "ocsign", error);
	if (err == OC_OK && num_local > 0) {
		cli_progress_begin("the token");
		err = p11_local_new(p11_plan_config(w->plan), &w->local,
		    error);
	}
	cli_progress_end();
	for (size_t i = 0; err == OC_OK && i < w->num_keys; i++)
		if (w->keys[i].signer == NULL)
			w->keys[i].signer = w->local;
	return err;
}

void
cli_close_signers(struct cli *cli)
{
	struct cli_work *w = cli_work_of(cli);

	/* A thread inside the module cannot be joined. */
	if (w->local != NULL && p11_local_is_stuck(w->local))
		w->is_stuck = true;
	else
		sign_free(w->local);
	for (size_t i = 0; i < CLI_ROLES; i++) {
		sign_free(w->services[i]);
		w->services[i] = NULL;
	}
	p11_plan_free(w->plan);
	w->local = NULL;
	w->plan = NULL;
	w->num_keys = 0;
}

struct signer *
cli_signer(const struct cli *cli, const char *key)
{
	struct cli_key *found = find(cli, key);

	oc_assert(found != NULL && found->signer != NULL);
	return found->signer;
}

enum oc_err
cli_find_key(const struct cli *cli, const char *key,
    struct sign_key_info *info, struct oc_error *error)
{
	return sign_find_key(cli_signer(cli, key), key,
	    cli_deadline(ASK_S), info, error);
}

enum oc_err
cli_token(struct cli *cli, const char *name,
    const struct p11_token_config **token, const char **state_dir,
    struct oc_error *error)
{
	struct cli_work *w = cli_work_of(cli);
	const struct oc_config *config;
	enum oc_err err;

	err = cli_config(cli, &config, error);
	if (err == OC_OK && name == NULL && config->num_tokens != 1)
		err = oc_error_set(error, OC_ERR_USAGE, "%s has %zu [token] "
		    "sections; add --token NAME", config->path,
		    config->num_tokens);
	if (err == OC_OK && w->plan == NULL)
		err = p11_plan_new(config, &w->plan, error);
	if (err == OC_OK)
		err = p11_plan_token(w->plan, name == NULL ?
		    config->tokens[0].name : name, token, error);
	if (err == OC_OK)
		err = cli_lock(cli, error);
	if (err == OC_OK)
		*state_dir = p11_plan_state_dir(w->plan);
	return err;
}
