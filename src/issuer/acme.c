/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACME's door (RFC 8555): which path is which resource, what all calls share,
 * and the resources that need no account.
 */
#include "issuer/acme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/pem.h"
#include "ca/chain.h"

static void answer_directory(struct acme_call *call);
static void answer_nonce(struct acme_call *call);

/* Behind the base's path; "*" is one segment. */
static const struct acme_endpoint endpoints[] = {
	{ "new-nonce", NET_GET, .answer = answer_nonce },
	{ "new-nonce", NET_POST, ACME_EITHER, ACME_EMPTY, STORE_JOB_READ,
	    NULL, NULL, answer_nonce },
	{ "renewal-info/*", NET_GET, .kind = STORE_JOB_READ,
	    .run = issuer_acme_run_renewal,
	    .answer = issuer_acme_answer_renewal },
	{ "new-account", NET_POST, ACME_JWK, ACME_OBJECT, STORE_JOB_CHANGE,
	    issuer_acme_prepare_new_account, issuer_acme_run_new_account,
	    issuer_acme_answer_account },
	{ "account/*", NET_POST, ACME_KID, ACME_ANY, STORE_JOB_CHANGE, NULL,
	    issuer_acme_run_account, issuer_acme_answer_account },
	{ "account/*/orders", NET_POST, ACME_KID, ACME_EMPTY, STORE_JOB_READ,
	    NULL, issuer_acme_run_orders, issuer_acme_answer_orders },
	{ "key-change", NET_POST, ACME_KID, ACME_OBJECT, STORE_JOB_CHANGE,
	    issuer_acme_prepare_key_change, issuer_acme_run_key_change,
	    issuer_acme_answer_account },
	{ "new-order", NET_POST, ACME_KID, ACME_OBJECT, STORE_JOB_CHANGE,
	    issuer_acme_prepare_new_order, issuer_acme_run_new_order,
	    issuer_acme_answer_order },
	{ "order/*", NET_POST, ACME_KID, ACME_EMPTY, STORE_JOB_READ, NULL,
	    issuer_acme_run_order, issuer_acme_answer_order },
	{ "order/*/finalize", NET_POST, ACME_KID, ACME_OBJECT,
	    STORE_JOB_READ, issuer_acme_prepare_finalize,
	    issuer_acme_run_finalize, issuer_acme_answer_finalize },
	{ "authz/*", NET_POST, ACME_KID, ACME_ANY, STORE_JOB_CHANGE, NULL,
	    issuer_acme_run_authorization,
	    issuer_acme_answer_authorization },
	{ "challenge/*", NET_POST, ACME_KID, ACME_ANY, STORE_JOB_CHANGE,
	    NULL, issuer_acme_run_challenge, issuer_acme_answer_challenge },
	{ "certificate/*", NET_POST, ACME_KID, ACME_EMPTY, STORE_JOB_READ,
	    NULL, issuer_acme_run_certificate,
	    issuer_acme_answer_certificate },
	{ "certificate/*/*", NET_POST, ACME_KID, ACME_EMPTY, STORE_JOB_READ,
	    NULL, issuer_acme_run_certificate,
	    issuer_acme_answer_certificate },
	{ "revoke-cert", NET_POST, ACME_EITHER, ACME_OBJECT, STORE_JOB_READ,
	    issuer_acme_prepare_revoke, issuer_acme_run_revoke,
	    issuer_acme_answer_revoke },
	{ NULL }
};
/* Its name is the configuration's. */
static const struct acme_endpoint directory[] = {
	{ "", NET_GET, .answer = answer_directory },
	{ "", NET_POST, ACME_EITHER, ACME_EMPTY, STORE_JOB_READ, NULL, NULL,
	    answer_directory },
	{ NULL }
};

/* --- what all calls share ----------------------------------------------- */

static enum oc_err
split_url(struct issuer_acme *acme)
{
	const char *url = acme->config->url;
	const char *host = strstr(url, "://") + 3;

	acme->directory = strrchr(url, '/') + 1;
	acme->base = strndup(url, (size_t)(acme->directory - url));
	acme->origin_len = (size_t)(strchr(host, '/') - url);
	return acme->base == NULL ? OC_ERR_NOMEM : OC_OK;
}

static enum oc_err
load_profiles(struct issuer_acme *acme, const struct oc_config *config,
    struct oc_error *error)
{
	const struct oc_words *words = &acme->config->profiles;
	enum oc_err err = OC_OK;

	acme->profiles = calloc(words->num + 1, sizeof(*acme->profiles));
	if (acme->profiles == NULL)
		return OC_ERR_NOMEM;
	for (size_t i = 0; err == OC_OK && i < words->num; i++) {
		err = ca_profile_find(config, words->words[i],
		    &acme->profiles[i], error);
		acme->num_profiles += err == OC_OK;
	}
	return err;
}

/* Clients want two certificates at least: where the issuer is a root, it is
 * the second. */
enum oc_err
issuer_acme_read_chain(const struct ca_issuer *issuer, size_t number,
    char **out, struct oc_error *error)
{
	struct ca_chain chain = { NULL, 0 };
	struct oc_buffer pem;
	uint8_t *text = NULL;
	size_t len;
	enum oc_err err = ca_chain_read(issuer, number, &chain, error);

	if (err != OC_OK)
		return err;
	oc_buffer_init(&pem, 16 * OC_CERTIFICATE_MAX);
	ca_chain_put(&chain, &pem);
	if (pem.len == 0)
		oc_pem_write(&pem, "CERTIFICATE", issuer->cert.der.p,
		    issuer->cert.der.len);
	err = oc_buffer_take(&pem, &text, &len);
	if (err == OC_OK)
		*out = (char *)text;
	oc_buffer_fini(&pem);
	ca_chain_fini(&chain);
	return err;
}

static enum oc_err
load_chain(struct issuer_acme *acme, const struct ca_issuer *issuer,
    size_t number, struct oc_error *error)
{
	enum oc_err err = issuer_acme_read_chain(issuer, number,
	    &acme->chains[acme->num_chains], error);

	acme->num_chains += err == OC_OK;
	return err;
}

/* An alternate chain that is missing keeps nobody from a certificate. */
static enum oc_err
load_chains(struct issuer_acme *acme, struct oc_error *error)
{
	const struct issuer_authority *authority = issuer_service_find_name(
	    acme->service, acme->config->issuer);
	size_t num;
	enum oc_err err;

	if (authority == NULL)		/* it is not there yet */
		return OC_OK;
	err = load_chain(acme, authority->issuer, 0, error);
	num = acme->config->alternates == OC_SWITCH_YES ?
	    authority->issuer->config->alternate_chain.num : 0;
	for (size_t n = 1; err == OC_OK && n <= num &&
	    acme->num_chains < ACME_CHAINS_MAX; n++) {
		struct oc_error why = { 0 };

		if (load_chain(acme, authority->issuer, n, &why) != OC_OK)
			oc_log(OC_LOG_NOTICE, "[acme]: %s: not offered",
			    why.text);
	}
	return err;
}

static json_t *
describe_profiles(const struct issuer_acme *acme)
{
	json_t *json = json_object();

	for (size_t i = 0; i < acme->num_profiles; i++) {
		const struct ca_profile *p = &acme->profiles[i];

		(void)json_object_set_new(json, p->name, json_sprintf(
		    "certificates for %lld hours",
		    (long long)(p->validity_s / 3600)));
	}
	return json;
}

static json_t *
describe_meta(const struct issuer_acme *acme, const struct oc_config *config)
{
	const struct oc_words *caa = &config->validation.caa_identities;
	json_t *meta = json_pack("{s:b, s:o}", "externalAccountRequired",
	    acme->config->external_account == OC_EXTERNAL_REQUIRED,
	    "profiles", describe_profiles(acme));
	json_t *list = json_array();

	if (acme->config->terms_of_service != NULL)
		(void)json_object_set_new(meta, "termsOfService",
		    json_string(acme->config->terms_of_service));
	if (acme->config->website != NULL)
		(void)json_object_set_new(meta, "website",
		    json_string(acme->config->website));
	for (size_t i = 0; i < caa->num; i++)
		(void)json_array_append_new(list, json_string(caa->words[i]));
	if (caa->num > 0)
		(void)json_object_set(meta, "caaIdentities", list);
	json_decref(list);
	return meta;
}

static enum oc_err
make_directory(struct issuer_acme *acme, const struct oc_config *config)
{
	static const char *const names[][2] = {
		{ "newNonce", "new-nonce" }, { "newAccount", "new-account" },
		{ "newOrder", "new-order" }, { "revokeCert", "revoke-cert" },
		{ "keyChange", "key-change" },
		{ "renewalInfo", "renewal-info" }
	};
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (json_object_set_new(json, names[i][0], json_sprintf(
		    "%s%s", acme->base, names[i][1])) != 0) {
			json_decref(json);
			return OC_ERR_NOMEM;
		}
	acme->directory_json = json;
	return json_object_set_new(json, "meta", describe_meta(acme,
	    config)) == 0 ? OC_OK : OC_ERR_NOMEM;
}

enum oc_err
issuer_acme_new(struct issuer_service *service, struct issuer_acme **out,
    struct oc_error *error)
{
	const struct oc_config *config = issuer_service_config(service);
	struct issuer_acme *acme = calloc(1, sizeof(*acme));
	enum oc_err err;

	if (acme == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	pthread_mutex_init(&acme->lock, NULL);
	acme->service = service;
	acme->config = &config->acme;
	err = split_url(acme);
	if (err == OC_OK)
		err = acme_nonces_new(&acme->nonces);
	if (err == OC_OK)
		err = load_profiles(acme, config, error);
	if (err == OC_OK)
		err = load_chains(acme, error);
	if (err == OC_OK)
		err = make_directory(acme, config);
	if (err != OC_OK) {
		issuer_acme_free(acme);
		if (error->text[0] == '\0')
			(void)oc_error_set(error, err, "%s",
			    oc_strerror(err));
		return oc_error_prefix(error, "[acme]");
	}
	*out = acme;
	return OC_OK;
}

void
issuer_acme_free(struct issuer_acme *acme)
{
	if (acme == NULL)
		return;
	for (size_t i = 0; i < acme->num_profiles; i++)
		ca_profile_fini(&acme->profiles[i]);
	for (size_t i = 0; i < acme->num_chains; i++)
		free(acme->chains[i]);
	for (size_t i = 0; i < ACME_KEYS_KNOWN; i++)
		free(acme->keys[i].jwk);
	json_decref(acme->directory_json);
	acme_nonces_free(acme->nonces);
	pthread_mutex_destroy(&acme->lock);
	free(acme->profiles);
	free(acme->base);
	free(acme);
}

const struct ca_profile *
issuer_acme_profile(const struct issuer_acme *acme, const char *name)
{
	if (name == NULL || name[0] == '\0')
		return acme->profiles;
	for (size_t i = 0; i < acme->num_profiles; i++)
		if (strcmp(acme->profiles[i].name, name) == 0)
			return &acme->profiles[i];
	return NULL;
}

/* --- resources for everybody -------------------------------------------- */

static void
answer_directory(struct acme_call *call)
{
	issuer_acme_succeed(call, 200,
	    json_incref(call->acme->directory_json));
}

/* RFC 8555, 7.2. */
static void
answer_nonce(struct acme_call *call)
{
	bool is_head = net_exchange_request(call->exchange)->method ==
	    NET_HEAD;

	issuer_acme_succeed_empty(call, is_head ? 200 : 204);
}

/* --- paths -------------------------------------------------------------- */

/* The base's path, with slashes around it. */
static const char *
prefix_of(const struct issuer_acme *acme)
{
	return acme->base + acme->origin_len;
}

bool
issuer_acme_is_path(const struct issuer_acme *acme, const char *path)
{
	const char *prefix = prefix_of(acme);

	return strncmp(path, prefix, strlen(prefix)) == 0;
}

/* A segment that is too long matches nothing. */
static bool
matches(const char *pattern, const char *path,
    char ids[ACME_PATH_IDS][ACME_PATH_ID_MAX])
{
	size_t num = 0;

	while (*pattern != '\0') {
		size_t len = strcspn(path, "/");

		if (*pattern != '*') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		if (len == 0 || len >= ACME_PATH_ID_MAX)
			return false;
		memcpy(ids[num], path, len);
		ids[num++][len] = '\0';
		path += len;
		pattern++;
	}
	return *path == '\0';
}

/* What is there for the method; NULL, and *allow is what there is for others,
 * or NULL. */
static const struct acme_endpoint *
find_endpoint(const struct issuer_acme *acme, const struct net_request *r,
    char ids[ACME_PATH_IDS][ACME_PATH_ID_MAX], const char **allow)
{
	const char *rest = r->path + strlen(prefix_of(acme));
	const struct acme_endpoint *e = endpoints;
	bool gets = false, posts = false;

	if (strcmp(rest, acme->directory) == 0) {
		rest = "";
		e = directory;
	}
	for (; e->pattern != NULL; e++) {
		if (!matches(e->pattern, rest, ids))
			continue;
		if (e->method == r->method ||
		    (e->method == NET_GET && r->method == NET_HEAD))
			return e;
		gets |= e->method == NET_GET;
		posts |= e->method == NET_POST;
	}
	*allow = gets && posts ? "Allow: GET, HEAD, POST\r\n" : gets ?
	    "Allow: GET, HEAD\r\n" : posts ? "Allow: POST\r\n" : NULL;
	return NULL;
}

void
issuer_acme_handle(struct issuer_acme *acme, struct net_exchange *exchange)
{
	char ids[ACME_PATH_IDS][ACME_PATH_ID_MAX] = { "" };
	const char *allow;
	const struct acme_endpoint *e = find_endpoint(acme,
	    net_exchange_request(exchange), ids, &allow);
	struct acme_problem problem = { .error = ACME_OK };

	if (e != NULL) {
		issuer_acme_begin(acme, exchange, e, ids);
		return;
	}
	(void)acme_problem_set(&problem, ACME_MALFORMED, allow == NULL ?
	    "there is no such resource" : "the method is not allowed here");
	problem.status = allow == NULL ? 404 : 405;
	issuer_acme_refuse(acme, exchange, &problem, allow);
	acme_problem_fini(&problem);
}
