/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration to the pool's tokens and keys. */
#include "pkcs11/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "pkcs11/journal.h"
#include "pkcs11/plan_limits.h"
#include "x509/cert.h"
#include "x509/file.h"

#define TOKENS_MAX 64
#define KEYS_MAX 256

/* A certificate whose views the limits of a key borrow. */
struct plan_certificate {
	struct plan_certificate *next;
	uint8_t *der;			/* owned */
	struct x509_cert cert;
};

struct p11_plan {
	const struct oc_config *config;
	char *state_dir;				/* owned */
	struct p11_token_config tokens[TOKENS_MAX];
	char **environment[TOKENS_MAX];			/* owned arrays */
	struct p11_uri uris[TOKENS_MAX];
	struct p11_key_config keys[KEYS_MAX];
	char *key_names[KEYS_MAX];			/* owned */
	char **others[KEYS_MAX];			/* owned arrays */
	uint8_t *key_lists[KEYS_MAX];			/* owned, or NULL */
	struct plan_certificate *certificates;		/* owned */
	struct p11_local_config local;
};

enum oc_err
p11_plan_new(const struct oc_config *config, struct p11_plan **out,
    struct oc_error *error)
{
	struct p11_plan *plan = calloc(1, sizeof(*plan));

	if (plan == NULL || (plan->state_dir =
	    strdup(config->daemon.signer_directory)) == NULL) {
		free(plan);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	plan->config = config;
	plan->local.tokens = plan->tokens;
	plan->local.keys = plan->keys;
	plan->local.state_dir = plan->state_dir;
	*out = plan;
	return OC_OK;
}

void
p11_plan_free(struct p11_plan *plan)
{
	struct plan_certificate *c;
	size_t i;

	if (plan == NULL)
		return;
	while ((c = plan->certificates) != NULL) {
		plan->certificates = c->next;
		free(c->der);
		free(c);
	}
	for (i = 0; i < plan->local.num_tokens; i++)
		free(plan->environment[i]);
	for (i = 0; i < plan->local.num_keys; i++) {
		free(plan->key_names[i]);
		free(plan->others[i]);
	}
	for (i = 0; i < KEYS_MAX; i++)
		free(plan->key_lists[i]);
	p11_journal_free(plan->local.journal);
	free(plan->state_dir);
	free(plan);
}

enum oc_err
p11_plan_open_journal(struct p11_plan *plan, const char *chain,
    struct oc_error *error)
{
	const struct oc_config_store *store = &plan->config->store;

	oc_assert(plan->local.journal == NULL);
	return p11_journal_new(&(struct p11_journal_config){
		.directory = store->signing_journal,
		.chain = chain,
		.size_max = (uint64_t)store->signing_journal_mib << 20,
	    }, &plan->local.journal, error);
}

const struct p11_local_config *
p11_plan_config(const struct p11_plan *plan)
{
	return &plan->local;
}

const char *
p11_plan_state_dir(const struct p11_plan *plan)
{
	return plan->state_dir;
}

/* The module wants a list that ends with NULL. */
static char **
environment_of(const struct oc_config_token *token)
{
	char **list = calloc(token->environment.num + 1, sizeof(*list));

	if (list != NULL && token->environment.num != 0)
		memcpy(list, token->environment.words,
		    token->environment.num * sizeof(*list));
	return list;
}

/* What the URI says beside which token it is must be what the section says. */
static enum oc_err
read_uri(const struct oc_config_token *token, struct p11_uri *uri,
    struct oc_error *error)
{
	enum oc_err err;

	err = p11_uri_parse_token(token->uri, uri, error);
	if (err == OC_OK)
		err = p11_uri_check_module(uri, token->module, error);
	if (err == OC_OK && token->pin_source != NULL &&
	    uri->pin_source[0] != '\0' &&
	    strcmp(token->pin_source, uri->pin_source) != 0)
		err = oc_error_set(error, OC_ERR_CONFIG, "pin-source and that "
		    "of the URI differ: leave one out");
	return err;
}

enum oc_err
p11_plan_token(struct p11_plan *plan, const char *name,
    const struct p11_token_config **out, struct oc_error *error)
{
	const struct oc_config_token *token;
	size_t n = plan->local.num_tokens, i;
	enum oc_err err;

	for (i = 0; i < n; i++)
		if (strcmp(plan->tokens[i].name, name) == 0) {
			*out = &plan->tokens[i];
			return OC_OK;
		}
	token = oc_config_find_token(plan->config, name);
	if (token == NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "there is no "
		    "[token %s] in %s", name, plan->config->path);
	if (n == TOKENS_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "more than %d tokens", TOKENS_MAX);
	err = read_uri(token, &plan->uris[n], error);
	if (err != OC_OK)
		return err;
	plan->environment[n] = environment_of(token);
	if (plan->environment[n] == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	plan->tokens[n] = (struct p11_token_config){
		.name = token->name,
		.module = token->module,
		.uri = token->uri,
		.pin_source = token->pin_source != NULL ? token->pin_source :
		    plan->uris[n].pin_source[0] != '\0' ?
		    plan->uris[n].pin_source : NULL,
		.weight = (unsigned int)token->weight,
		.is_standby = token->weight == 0,
		.num_sessions = (unsigned int)token->sessions,
		.timeout_ns = token->timeout_s * INT64_C(1000000000),
		.keep_alive_ns = token->keep_alive_s * INT64_C(1000000000),
		.environment = (const char *const *)plan->environment[n],
		.init_args = token->init_args,
	};
	plan->local.num_tokens++;
	*out = &plan->tokens[n];
	return OC_OK;
}

static enum oc_err
read_certificate(struct p11_plan *plan, const char *path,
    const struct x509_cert **out, struct oc_error *error)
{
	struct plan_certificate *c = calloc(1, sizeof(*c));
	struct der_bytes der;
	enum oc_err err;

	if (c == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = x509_file_read(path, X509_FILE_CERTIFICATE, &c->der, &der.len,
	    error);
	if (err == OC_OK) {
		der.p = c->der;
		err = x509_cert_read(der, &c->cert, error);
		if (err != OC_OK)
			oc_error_prefix(error, "%s", path);
	}
	if (err != OC_OK) {
		free(c->der);
		free(c);
		return err;
	}
	c->next = plan->certificates;
	plan->certificates = c;
	*out = &c->cert;
	return OC_OK;
}

/* key.name is copied; its tokens' sections are taken in. */
static enum oc_err
add_key(struct p11_plan *plan, struct p11_key_config key,
    const char *const *tokens, size_t num_tokens, struct oc_error *error)
{
	const struct p11_token_config *token;
	size_t n = plan->local.num_keys;
	enum oc_err err = OC_OK;

	if (n == KEYS_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "more than %d keys",
		    KEYS_MAX);
	if (num_tokens == 0)
		return oc_error_set(error, OC_ERR_CONFIG, "it has no token");
	for (size_t i = 0; err == OC_OK && i < num_tokens; i++) {
		err = p11_plan_token(plan, tokens[i], &token, error);
		/* Who asks for a token alone knows which. */
		if (err != OC_OK && err != OC_ERR_NOT_FOUND)
			oc_error_prefix(error, "token %s", tokens[i]);
	}
	if (err != OC_OK)
		return err;
	plan->key_names[n] = strdup(key.name);
	plan->others[n] = calloc(num_tokens, sizeof(*plan->others[n]));
	if (plan->key_names[n] == NULL || plan->others[n] == NULL) {
		free(plan->key_names[n]);
		free(plan->others[n]);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	for (size_t i = 1; i < num_tokens; i++)
		plan->others[n][i - 1] = (char *)(uintptr_t)tokens[i];
	key.name = plan->key_names[n];
	key.token = tokens[0];
	key.others = (const char *const *)plan->others[n];
	plan->keys[n] = key;
	plan->local.num_keys++;
	return OC_OK;
}

enum oc_err
p11_plan_token_of_key(const struct oc_config *config, const char *key,
    const char **token, struct oc_error *error)
{
	struct p11_uri wanted, uri;
	const char *found = NULL;
	size_t i, num = 0;
	enum oc_err err;

	err = p11_uri_parse_key(key, &wanted, error);
	for (i = 0; err == OC_OK && i < config->num_tokens; i++) {
		err = p11_uri_parse_token(config->tokens[i].uri, &uri, error);
		if (err != OC_OK || p11_uri_is_other_token(&wanted, &uri))
			continue;
		found = config->tokens[i].name;
		num++;
	}
	if (err != OC_OK)
		return err;
	if (num == 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "no [token NAME] "
		    "in %s is the one of this key: add one, or give --token",
		    config->path);
	if (num > 1)
		return oc_error_set(error, OC_ERR_MISMATCH, "the key may be "
		    "in %zu tokens: say in which by --token", num);
	*token = found;
	return OC_OK;
}

static enum oc_err
add_words(struct p11_plan *plan, struct p11_key_config key,
    const struct oc_words *tokens, struct oc_error *error)
{
	return add_key(plan, key, (const char *const *)tokens->words,
	    tokens->num, error);
}

static enum oc_err
add_issuer_key(struct p11_plan *plan, const struct oc_config_issuer *issuer,
    const char *name, struct oc_error *error)
{
	const struct x509_cert *cert;
	struct p11_key_config key = {
		.name = name,
		.uri = issuer->key,
		.alg = sign_alg_configured(issuer->algorithm),
	};
	enum oc_err err;

	if (access(issuer->certificate, F_OK) != 0) {
		key.allow.kinds = P11_ALLOW(SIGN_KIND_CERTIFICATE) |
		    P11_ALLOW(SIGN_KIND_CSR);
		return add_words(plan, key, &issuer->tokens, error);
	}
	err = read_certificate(plan, issuer->certificate, &cert, error);
	if (err != OC_OK)
		return err;
	if (plan->local.num_keys == KEYS_MAX)
		return add_words(plan, key, &issuer->tokens, error);
	err = p11_plan_limits(issuer, cert, &key.allow.limits,
	    &plan->key_lists[plan->local.num_keys], error);
	if (err != OC_OK)
		return err;
	key.spki = cert->spki;
	key.allow.name = cert->subject;
	key.allow.kinds = P11_ALLOW(SIGN_KIND_CSR);
	/* A certificate by what is no CA would not be one. */
	if ((issuer->allow & OC_ALLOW_CERTIFICATE) != 0 &&
	    x509_cert_is_ca(cert))
		key.allow.kinds |= P11_ALLOW(SIGN_KIND_CERTIFICATE);
	if ((issuer->allow & OC_ALLOW_CRL) != 0)
		key.allow.kinds |= P11_ALLOW(SIGN_KIND_CRL);
	return add_words(plan, key, &issuer->tokens, error);
}

/* A delegated signer's key, or the CA's own. */
static enum oc_err
add_ocsp_key(struct p11_plan *plan, const struct oc_config_ocsp *ocsp,
    const char *name, struct oc_error *error)
{
	const struct x509_cert *ca, *own;
	struct p11_key_config key = {
		.name = name,
		.uri = ocsp->key,
		.alg = sign_alg_configured(ocsp->algorithm),
		.allow.kinds = P11_ALLOW(SIGN_KIND_OCSP),
	};
	enum oc_err err;

	err = read_certificate(plan, ocsp->issuer->certificate, &ca, error);
	own = ca;
	if (err == OC_OK && ocsp->certificate != NULL)
		err = read_certificate(plan, ocsp->certificate, &own, error);
	if (err != OC_OK)
		return err;
	key.spki = own->spki;
	key.allow.name = own->subject;
	key.allow.ca_name = ca->subject;
	key.allow.ca_spki = ca->spki;
	return add_words(plan, key, &ocsp->tokens, error);
}

enum oc_err
p11_plan_add(struct p11_plan *plan, enum sign_key_role role,
    const char *name, struct oc_error *error)
{
	const struct oc_config_issuer *issuer;
	const struct oc_config_ocsp *ocsp;
	char key_name[SIGN_KEY_NAME_MAX];
	enum oc_err err = OC_ERR_INTERNAL;

	issuer = oc_config_find_issuer(plan->config, name);
	ocsp = oc_config_find_ocsp(plan->config, name);
	if (role == SIGN_KEY_ISSUER ? issuer == NULL : ocsp == NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "there is no "
		    "[issuer %s] in %s", name, plan->config->path);
	sign_key_name(role, name, key_name);
	switch (role) {
	case SIGN_KEY_ISSUER:
		err = add_issuer_key(plan, issuer, key_name, error);
		break;
	case SIGN_KEY_OCSP:
		err = add_ocsp_key(plan, ocsp, key_name, error);
		break;
	}
	if (err != OC_OK)
		return oc_error_prefix(error, "issuer %s", name);
	return OC_OK;
}

/* That an issuer is left out is said once, not for each of its signers. */
static enum oc_err
add_configured(struct p11_plan *plan, const struct oc_config_ocsp *ocsp,
    struct oc_error *error)
{
	const struct oc_config_issuer *issuer = ocsp->issuer;
	bool is_first = ocsp->signer == NULL;
	enum oc_err err = OC_OK;

	if (issuer->responses != NULL)
		return OC_OK;		/* its key is elsewhere */
	if (access(issuer->certificate, F_OK) != 0) {
		if (is_first)
			oc_log(OC_LOG_NOTICE, "issuer %s: %s is not there "
			    "yet: left out until the next reload",
			    issuer->name, issuer->certificate);
		return OC_OK;
	}
	if (is_first && issuer->key != NULL)
		err = p11_plan_add(plan, SIGN_KEY_ISSUER, issuer->name,
		    error);
	if (err == OC_OK && (issuer->allow & OC_ALLOW_OCSP) != 0)
		err = p11_plan_add(plan, SIGN_KEY_OCSP, ocsp->name, error);
	return err;
}

enum oc_err
p11_plan_add_all(struct p11_plan *plan, struct oc_error *error)
{
	enum oc_err err = OC_OK;
	size_t i;

	for (i = 0; err == OC_OK && i < plan->config->num_ocsp; i++)
		err = add_configured(plan, &plan->config->ocsp[i], error);
	return err;
}

enum oc_err
p11_plan_add_csr_key(struct p11_plan *plan, const char *name,
    const char *token, const char *uri, struct oc_error *error)
{
	return add_key(plan, (struct p11_key_config){
		.name = name,
		.uri = uri,
		.is_alg_free = true,
		.allow.kinds = P11_ALLOW(SIGN_KIND_CSR),
	    }, &token, 1, error);
}

/* False if all tokens of a list are drained, or would be. */
static enum oc_err
check_left(const struct p11_plan *plan, const struct oc_words *tokens,
    const char *token, const char *whose, struct oc_error *error)
{
	bool is_among = false, is_any_left = false, is_drained;
	enum oc_err err = OC_OK;

	for (size_t i = 0; err == OC_OK && i < tokens->num; i++) {
		if (strcmp(tokens->words[i], token) == 0) {
			is_among = true;
			continue;
		}
		err = p11_drain_is_set(plan->state_dir, tokens->words[i],
		    &is_drained, error);
		is_any_left = is_any_left || !is_drained;
	}
	if (err == OC_OK && is_among && !is_any_left)
		err = oc_error_set(error, OC_ERR_REFUSED, "no other token is "
		    "left for the key of %s, and nothing would be signed "
		    "with it; --force drains it anyway", whose);
	return err;
}

enum oc_err
p11_plan_drain(const struct p11_plan *plan, const char *token,
    enum p11_drain drain, struct oc_error *error)
{
	const struct oc_config *config = plan->config;
	enum oc_err err = OC_OK;

	if (oc_config_find_token(config, token) == NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "there is no "
		    "[token %s] in %s", token, config->path);
	for (size_t i = 0; drain == P11_DRAIN && err == OC_OK &&
	    i < config->num_issuers; i++)
		err = check_left(plan, &config->issuers[i].tokens, token,
		    config->issuers[i].name, error);
	for (size_t i = 0; drain == P11_DRAIN && err == OC_OK &&
	    i < config->num_ocsp; i++)
		err = check_left(plan, &config->ocsp[i].tokens, token,
		    config->ocsp[i].name, error);
	if (err == OC_OK)
		err = p11_drain_set(plan->state_dir, token,
		    drain != P11_UNDRAIN, error);
	return err;
}
