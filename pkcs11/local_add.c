/* SPDX-License-Identifier: Apache-2.0 */
/* From what the pool is told to its tokens, routes and places. */
#include <stdlib.h>

#include "pkcs11/local_impl.h"

struct p11_token *
p11_local_token(struct p11_local *local, const char *name)
{
	for (size_t i = 0; i < local->num_tokens; i++)
		if (strcmp(local->tokens[i].name, name) == 0)
			return &local->tokens[i];
	return NULL;
}

static enum oc_err
check_same_args(const struct p11_module *module,
    const struct p11_token_config *config, struct oc_error *error)
{
	const char *a = module->init_args != NULL ? module->init_args : "";
	const char *b = config->init_args != NULL ? config->init_args : "";

	if (strcmp(a, b) == 0)
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "token %s: another token of "
	    "the same module has other init-args: it can be initialised in "
	    "one way only", config->name);
}

/* Tokens behind one library share it: C_Finalize would end it for all. */
static enum oc_err
find_module(struct p11_local *local, const struct p11_token_config *config,
    struct p11_module **module, struct oc_error *error)
{
	enum oc_err err;

	for (size_t i = 0; i < local->num_modules; i++)
		if (strcmp(local->modules[i]->path, config->module) == 0) {
			*module = local->modules[i];
			return check_same_args(*module, config, error);
		}
	err = p11_module_load(config->module, config->environment,
	    config->init_args, module, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "token %s", config->name);
	local->modules[local->num_modules++] = *module;
	return OC_OK;
}

enum oc_err
p11_local_add_token(struct p11_local *local,
    const struct p11_token_config *config,
    const struct p11_local_config *all, struct oc_error *error)
{
	struct p11_token *token = &local->tokens[local->num_tokens];
	struct p11_module *module = NULL;
	struct oc_error missing = { 0 };
	bool is_drained = false;
	enum oc_err err;

	if (p11_local_token(local, config->name) != NULL)
		return oc_error_set(error, OC_ERR_EXISTS,
		    "there are two tokens named \"%s\"", config->name);
	err = find_module(local, config, &module, &missing);
	/* With others, it may be done without. */
	if (err != OC_OK && (all->num_tokens == 1 || err == OC_ERR_CONFIG))
		return oc_error_set(error, err, "%s", missing.text);
	err = p11_token_init(token, config, all->state_dir,
	    all->queue_max != 0 ? all->queue_max : P11_QUEUE_DEFAULT, error);
	if (err != OC_OK)
		return err;
	token->module = module;
	token->desk = &local->desk;
	token->to_verify = &local->to_verify;
	token->router = &local->router;
	if (module == NULL) {
		token->state = P11_STATE_FAILED;
		token->failure = missing;
	}
	local->router.num_tokens = ++local->num_tokens;
	err = p11_drain_is_set(all->state_dir, token->name, &is_drained,
	    error);
	atomic_store(&token->is_drained, is_drained);
	return err;
}

static enum oc_err
place_new(struct p11_route *route, struct p11_token *token,
    struct p11_key **place)
{
	struct p11_key *key = calloc(1, sizeof(*key));

	if (key == NULL)
		return OC_ERR_NOMEM;
	if (pthread_mutex_init(&key->verifying, NULL) != 0) {
		free(key);
		return OC_ERR_SYSTEM;
	}
	key->token = token;
	key->next = token->keys;
	token->keys = key;
	key->route = route;
	route->places[route->num_places++] = key;
	memcpy(key->name, route->name, sizeof(key->name));
	*place = key;
	return OC_OK;
}

/* What the URI says of a token is not asked of every one of several. */
static void
forget_token(struct p11_uri *uri)
{
	uri->token[0] = uri->serial[0] = '\0';
	uri->manufacturer[0] = uri->model[0] = '\0';
}

static enum oc_err
add_place(struct p11_local *local, struct p11_route *route,
    const struct p11_key_config *config, const char *name, bool *is_named,
    struct oc_error *error)
{
	struct p11_token *token = p11_local_token(local, name);
	struct p11_key *key;
	enum oc_err err;

	if (token == NULL)
		return oc_error_set(error, OC_ERR_CONFIG,
		    "there is no token \"%s\"", name);
	if (route->num_places == P11_PLACES_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "more than %d tokens", P11_PLACES_MAX);
	for (size_t i = 0; i < route->num_places; i++)
		if (route->places[i]->token == token)
			return oc_error_set(error, OC_ERR_EXISTS,
			    "it has token %s twice", name);
	err = place_new(route, token, &key);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", oc_strerror(err));
	if (config->spki.len > 0)
		memcpy(key->expected, config->spki.p, config->spki.len);
	key->expected_len = config->spki.len;
	key->alg = config->alg;
	/* A request goes to any of its tokens. */
	key->is_alg_free = config->is_alg_free && (config->others == NULL ||
	    *config->others == NULL);
	err = p11_uri_parse_key(config->uri, &key->uri, error);
	if (err != OC_OK)
		return err;
	if (p11_uri_is_other_token(&key->uri, &token->uri))
		forget_token(&key->uri);
	else
		*is_named = true;
	/* Both must be true of the token that is opened. */
	p11_uri_narrow(&token->uri, &key->uri);
	if (p11_allow_copy(&config->allow, &key->allow,
	    &key->allow_bytes) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	return OC_OK;
}

static enum oc_err
add_places(struct p11_local *local, struct p11_route *route,
    const struct p11_key_config *config, struct oc_error *error)
{
	const char *const *other = config->others;
	bool is_named = false;
	enum oc_err err;

	err = add_place(local, route, config, config->token, &is_named,
	    error);
	for (; err == OC_OK && other != NULL && *other != NULL; other++)
		err = add_place(local, route, config, *other, &is_named,
		    error);
	if (err == OC_OK && !is_named)
		err = oc_error_set(error, OC_ERR_CONFIG, "the key's URI "
		    "names another token than the uri of [token %s] does",
		    config->token);
	return err;
}

enum oc_err
p11_local_add_key(struct p11_local *local, const struct p11_key_config *config,
    struct oc_error *error)
{
	char words[SIGN_KEY_WORDS_MAX];
	struct p11_route *route;
	enum oc_err err;

	sign_key_words(config->name, words);
	if (strlen(config->name) >= SIGN_KEY_NAME_MAX ||
	    config->spki.len > OC_SPKI_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "%s: its name or public key is too long", words);
	err = p11_router_add(&local->router, config->name, &route);
	if (err == OC_ERR_EXISTS)
		return oc_error_set(error, err, "%s is there twice", words);
	if (err != OC_OK)
		return oc_error_set(error, err, "out of memory");
	err = add_places(local, route, config, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "%s", words);
	return OC_OK;
}
