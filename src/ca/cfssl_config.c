/* SPDX-License-Identifier: Apache-2.0 */
/* CFSSL's config.json: its profiles, and the keys of its callers. */
#include "ca/cfssl_config.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/limits.h"
#include "ca/cfssl_profile.h"
#include "ca/profile_impl.h"

#define DEFAULT "default"

struct auth_key {
	char *name;
	struct oc_secret secret;
};

struct ca_cfssl_config {
	struct ca_profile *profiles;	/* [0]: signing.default, if usable */
	size_t num_profiles;
	struct auth_key *keys;
	size_t num_keys;
};

void
ca_cfssl_config_free(struct ca_cfssl_config *config)
{
	size_t i;

	if (config == NULL)
		return;
	for (i = 0; i < config->num_profiles; i++)
		ca_profile_fini(&config->profiles[i]);
	for (i = 0; i < config->num_keys; i++) {
		oc_secret_fini(&config->keys[i].secret);
		free(config->keys[i].name);
	}
	free(config->profiles);
	free(config->keys);
	free(config);
}

/* --- auth_keys -------------------------------------------------------- */

/* jansson's memory, which holds a key. */
static void
cleanse(const json_t *text)
{
	OPENSSL_cleanse((char *)(uintptr_t)json_string_value(text),
	    json_string_length(text));
}

static enum oc_err
decode_key(const struct cfssl_place *place, const char *hex, size_t len,
    struct oc_secret *secret, struct oc_error *error)
{
	uint8_t octets[CA_AUTH_KEY_MAX];
	enum oc_err err = OC_ERR_MALFORMED;
	size_t num;

	while (len != 0 && strchr(" \t\r\n", hex[len - 1]) != NULL)
		len--;
	for (; len != 0 && strchr(" \t\r\n", *hex) != NULL; hex++)
		len--;
	if (len != 0 && len % 2 == 0 && len / 2 <= sizeof(octets))
		err = oc_hex_decode(hex, len, octets, sizeof(octets), &num);
	if (err == OC_OK)
		err = oc_secret_set(secret, octets, len / 2);
	OPENSSL_cleanse(octets, sizeof(octets));
	if (err == OC_ERR_NOMEM)
		return oc_error_set(error, err, "out of memory");
	if (err != OC_OK)
		return cfssl_json_error(place, OC_ERR_CONFIG, error, "must be "
		    "1 to %d octets in hex digits, env:NAME or file:PATH",
		    CA_AUTH_KEY_MAX);
	return OC_OK;
}

static enum oc_err
read_key_file(const struct cfssl_place *place, const char *path,
    struct oc_secret *secret, struct oc_error *error)
{
	struct oc_error why = { 0 };
	uint8_t *text;
	size_t len;
	enum oc_err err;

	err = oc_file_read(path, 4 * CA_AUTH_KEY_MAX, &text, &len, &why);
	if (err != OC_OK)
		return cfssl_json_error(place, OC_ERR_CONFIG, error, "%s",
		    why.text);
	err = decode_key(place, (const char *)text, len, secret, error);
	OPENSSL_cleanse(text, len);
	free(text);
	return err;
}

/* Hex, or where the hex is. */
static enum oc_err
read_key_text(const struct cfssl_place *place, const char *text,
    struct oc_secret *secret, struct oc_error *error)
{
	const char *value;

	if (strncmp(text, "file:", 5) == 0)
		return read_key_file(place, text + 5, secret, error);
	if (strncmp(text, "env:", 4) != 0)
		return decode_key(place, text, strlen(text), secret, error);
	value = getenv(text + 4);
	if (value == NULL)
		return cfssl_json_error(place, OC_ERR_CONFIG, error, "the "
		    "environment has no %.60s", text + 4);
	return decode_key(place, value, strlen(value), secret, error);
}

static enum oc_err
read_key(const struct cfssl_place *place, const char *name,
    const json_t *value, struct auth_key *key, struct oc_error *error)
{
	struct cfssl_member m[] = {
		{ "type", JSON_STRING, NULL },
		{ "key", JSON_STRING, NULL },
		{ NULL }
	};
	struct cfssl_place in = cfssl_place_in(place, "key", 0);
	enum oc_err err;

	err = cfssl_json_members(place, value, m, error);
	if (err != OC_OK)
		return err;
	if (m[0].value == NULL || strcmp(json_string_value(m[0].value),
	    "standard") != 0)
		return cfssl_json_error(place, OC_ERR_CONFIG, error,
		    "type: must be \"standard\"; CFSSL has no other");
	if (m[1].value == NULL)
		return cfssl_json_error(&in, OC_ERR_CONFIG, error,
		    "is missing");
	key->name = strdup(name);
	if (key->name == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = read_key_text(&in, json_string_value(m[1].value),
	    &key->secret, error);
	cleanse(m[1].value);
	return err;
}

static enum oc_err
read_keys(const struct cfssl_place *root, json_t *value,
    struct ca_cfssl_config *config, struct oc_error *error)
{
	struct cfssl_place all = cfssl_place_in(root, "auth_keys", 0), in;
	enum oc_err err = OC_OK;
	const char *name;
	json_t *member;

	if (json_object_size(value) == 0)
		return OC_OK;
	config->keys = calloc(json_object_size(value),
	    sizeof(config->keys[0]));
	if (config->keys == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	json_object_foreach(value, name, member) {
		in = cfssl_place_in(&all, name, 0);
		err = read_key(&in, name, member,
		    &config->keys[config->num_keys++], error);
		if (err != OC_OK)
			break;
	}
	return err;
}

static bool
has_key(const struct ca_cfssl_config *config, const char *name)
{
	return ca_cfssl_config_auth_key(config, name).len != 0;
}

/* --- signing ---------------------------------------------------------- */

static bool
has_usages(const struct ca_profile *p)
{
	return p->num_ekus != 0 || p->key_usage_rsa != 0;
}

static enum oc_err
keep_url(struct ca_profile *p, struct der_bytes url, struct der_bytes *kept,
    struct oc_error *error)
{
	return ca_profile_keep(p, url.p, url.len, kept, error);
}

/* What CFSSL takes from signing.default where a profile has none. */
static enum oc_err
inherit(const struct ca_profile *from, struct ca_profile *p,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;
	uint32_t i;

	if (p->validity_s == 0)
		p->validity_s = from->validity_s;
	if (!p->has_ocsp_url && from->has_ocsp_url) {
		err = keep_url(p, from->ocsp_url, &p->ocsp_url,
		    error);
		p->has_ocsp_url = true;
	}
	if (err == OC_OK && !p->has_crl_url && from->has_crl_url) {
		err = keep_url(p, from->crl_url, &p->crl_url,
		    error);
		p->has_crl_url = true;
	}
	if (p->num_ca_issuers_urls != 0)
		return err;
	for (i = 0; err == OC_OK && i < from->num_ca_issuers_urls; i++) {
		err = keep_url(p, from->ca_issuers_urls[i],
		    &p->ca_issuers_urls[i], error);
		p->num_ca_issuers_urls++;
	}
	return err;
}

static enum oc_err
check_profile(const struct ca_cfssl_config *config,
    const struct cfssl_place *place, const struct ca_profile *p,
    struct oc_error *error)
{
	if (!has_usages(p))
		return cfssl_json_error(place, OC_ERR_CONFIG, error,
		    "usages: there are none; a certificate needs one");
	if (p->validity_s == 0 && p->not_after == 0)
		return cfssl_json_error(place, OC_ERR_CONFIG, error,
		    "expiry: is missing, here and in signing.default");
	if (p->auth_key != NULL && !has_key(config, p->auth_key))
		return cfssl_json_error(place, OC_ERR_CONFIG, error,
		    "auth_key: there is no \"%.60s\" in auth_keys",
		    p->auth_key);
	if (p->prev_auth_key != NULL && !has_key(config, p->prev_auth_key))
		return cfssl_json_error(place, OC_ERR_CONFIG, error,
		    "prev_auth_key: there is no \"%.60s\" in auth_keys",
		    p->prev_auth_key);
	return OC_OK;
}

static enum oc_err
name_profile(const struct cfssl_place *place, const char *name,
    struct ca_profile *p, struct oc_error *error)
{
	char text[OC_ERROR_TEXT_MAX];
	const char *c;

	for (c = name; *c > 0x20 && *c < 0x7f; c++)
		;
	if (*c != '\0' || *name == '\0' || strlen(name) +
	    sizeof(CA_CFSSL_PREFIX) > sizeof(p->name))
		return cfssl_json_error(place, OC_ERR_CONFIG, error, "a name "
		    "has 1 to %zu visible ASCII characters",
		    sizeof(p->name) - sizeof(CA_CFSSL_PREFIX));
	snprintf(p->name, sizeof(p->name), CA_CFSSL_PREFIX "%.57s", name);
	snprintf(text, sizeof(text), "%s: %s", place->where, place->path);
	p->origin = ca_profile_keep_text(p, text);
	if (p->origin == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	return OC_OK;
}

static enum oc_err
read_profile(const struct ca_cfssl_config *config,
    const struct cfssl_place *place, const char *name, json_t *value,
    const struct ca_profile *base, struct ca_profile *p,
    struct oc_error *error)
{
	enum oc_err err;

	err = ca_cfssl_profile_read(place, value, p, error);
	if (err == OC_OK && base != NULL)
		err = inherit(base, p, error);
	if (err == OC_OK)
		err = name_profile(place, name, p, error);
	/* A default without usages is what others inherit from. */
	if (err == OC_OK && (base != NULL || has_usages(p)))
		err = check_profile(config, place, p, error);
	return err;
}

/* CFSSL's own, where signing.default is missing: a year. */
static json_t *
builtin_default(void)
{
	return json_pack("{s:s, s:[s, s, s, s]}", "expiry", "8760h",
	    "usages", "signing", "key encipherment", "server auth",
	    "client auth");
}

static enum oc_err
read_default(const struct cfssl_place *signing, json_t *value,
    struct ca_cfssl_config *config, struct oc_error *error)
{
	struct cfssl_place in = cfssl_place_in(signing, DEFAULT, 0);
	json_t *own = value == NULL ? builtin_default() : json_incref(value);
	enum oc_err err;

	if (own == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = read_profile(config, &in, DEFAULT, own, NULL,
	    &config->profiles[0], error);
	json_decref(own);
	return err;
}

static enum oc_err
read_profiles(const struct cfssl_place *signing, json_t *value,
    struct ca_cfssl_config *config, struct oc_error *error)
{
	struct cfssl_place all = cfssl_place_in(signing, "profiles", 0), in;
	enum oc_err err = OC_OK;
	const char *name;
	json_t *member;

	json_object_foreach(value, name, member) {
		in = cfssl_place_in(&all, name, 0);
		if (strcmp(name, DEFAULT) == 0)
			return cfssl_json_error(&in, OC_ERR_CONFIG, error,
			    "is signing.default's name here; choose another");
		err = read_profile(config, &in, name, member,
		    &config->profiles[0],
		    &config->profiles[config->num_profiles++], error);
		if (err != OC_OK)
			break;
	}
	return err;
}

static enum oc_err
read_signing(const struct cfssl_place *root, const json_t *value,
    struct ca_cfssl_config *config, struct oc_error *error)
{
	struct cfssl_place in = cfssl_place_in(root, "signing", 0);
	struct cfssl_member m[] = {
		{ DEFAULT, JSON_OBJECT, NULL },
		{ "profiles", JSON_OBJECT, NULL },
		{ NULL }
	};
	enum oc_err err;

	if (value == NULL)
		return cfssl_json_error(&in, OC_ERR_CONFIG, error,
		    "is missing");
	err = cfssl_json_members(&in, value, m, error);
	if (err != OC_OK)
		return err;
	config->profiles = calloc(1 + json_object_size(m[1].value),
	    sizeof(config->profiles[0]));
	if (config->profiles == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	config->num_profiles = 1;
	err = read_default(&in, m[0].value, config, error);
	if (err == OC_OK)
		err = read_profiles(&in, m[1].value, config, error);
	return err;
}

/* --- the whole -------------------------------------------------------- */

static enum oc_err
read_root(const struct cfssl_place *root, const json_t *document,
    struct ca_cfssl_config *config, struct oc_error *error)
{
	struct cfssl_member m[] = {
		{ "signing", JSON_OBJECT, NULL },
		{ "auth_keys", JSON_OBJECT, NULL },
		{ "remotes", JSON_OBJECT, NULL },
		{ "ocsp", JSON_OBJECT, NULL },
		{ NULL }
	};
	struct cfssl_place in;
	enum oc_err err;
	int i;

	err = cfssl_json_members(root, document, m, error);
	if (err == OC_OK)
		err = read_keys(root, m[1].value, config, error);
	for (i = 2; err == OC_OK && i < 4; i++) {
		in = cfssl_place_in(root, m[i].name, 0);
		if (json_object_size(m[i].value) != 0)
			err = cfssl_json_error(&in, OC_ERR_CONFIG, error,
			    "cannot be honoured: %s; take it out", i == 2 ?
			    "ocsign asks no other CFSSL to sign" :
			    "[issuer] says who signs OCSP responses");
	}
	if (err == OC_OK)
		err = read_signing(root, m[0].value, config, error);
	return err;
}

enum oc_err
ca_cfssl_config_parse(const char *where, const char *text, size_t len,
    struct ca_cfssl_config **out, struct oc_error *error)
{
	struct cfssl_place root = { .where = where };
	struct ca_cfssl_config *config = calloc(1, sizeof(*config));
	struct oc_error why = { 0 };
	json_t *document = NULL;
	enum oc_err err;

	if (config == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = cfssl_json_parse(where, (const uint8_t *)text, len, &document,
	    &why);
	if (err == OC_OK)
		err = read_root(&root, document, config, &why);
	json_decref(document);
	if (err == OC_OK) {
		*out = config;
		return OC_OK;
	}
	ca_cfssl_config_free(config);
	return oc_error_set(error, err == OC_ERR_NOMEM ? err : OC_ERR_CONFIG,
	    "%s", why.text);
}

enum oc_err
ca_cfssl_config_load(const char *path, struct ca_cfssl_config **config,
    struct oc_error *error)
{
	uint8_t *text;
	size_t len;
	enum oc_err err;

	err = oc_file_read(path, CFSSL_JSON_MAX, &text, &len, error);
	if (err != OC_OK)
		return err;
	err = ca_cfssl_config_parse(path, (const char *)text, len, config,
	    error);
	OPENSSL_cleanse(text, len);
	free(text);
	return err;
}

const struct ca_profile *
ca_cfssl_config_profile(const struct ca_cfssl_config *config,
    const char *name)
{
	const char *own = *name == '\0' ? DEFAULT : name;
	size_t i;

	for (i = 0; i < config->num_profiles; i++)
		if (strcmp(config->profiles[i].name +
		    strlen(CA_CFSSL_PREFIX), own) == 0)
			return has_usages(&config->profiles[i]) ?
			    &config->profiles[i] : NULL;
	return NULL;
}

enum oc_err
ca_cfssl_config_check_names(const struct ca_cfssl_config *config,
    const char *path, const struct oc_words *profiles,
    struct oc_error *error)
{
	for (size_t i = 0; i < config->num_profiles; i++)
		for (size_t j = 0; j < profiles->num; j++)
			if (strcmp(config->profiles[i].name +
			    strlen(CA_CFSSL_PREFIX), profiles->words[j]) == 0)
				return oc_error_set(error, OC_ERR_CONFIG,
				    "[api] profiles: %s has a profile \"%s\", "
				    "too: rename one or leave one out", path,
				    profiles->words[j]);
	return OC_OK;
}

size_t
ca_cfssl_config_num_profiles(const struct ca_cfssl_config *config)
{
	return config->num_profiles;
}

const struct ca_profile *
ca_cfssl_config_profile_at(const struct ca_cfssl_config *config, size_t i)
{
	oc_assert(i < config->num_profiles);
	return &config->profiles[i];
}

struct der_bytes
ca_cfssl_config_auth_key(const struct ca_cfssl_config *config,
    const char *name)
{
	size_t i;

	for (i = 0; i < config->num_keys; i++)
		if (strcmp(config->keys[i].name, name) == 0)
			return (struct der_bytes){
			    config->keys[i].secret.bytes,
			    config->keys[i].secret.len };
	return (struct der_bytes){ NULL, 0 };
}

enum oc_err
ca_cfssl_config_find(const char *path, const char *name,
    struct ca_profile *profile, struct oc_error *error)
{
	struct ca_cfssl_config *config;
	struct ca_profile *found;
	enum oc_err err;

	if (path == NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "there is no "
		    "profile \"" CA_CFSSL_PREFIX "%s\": ocsign.conf has no "
		    "config in [cfssl]", name);
	err = ca_cfssl_config_load(path, &config, error);
	if (err != OC_OK)
		return err;
	found = (struct ca_profile *)(uintptr_t)
	    ca_cfssl_config_profile(config, name);
	if (found != NULL) {
		*profile = *found;
		*found = (struct ca_profile){ .num_ekus = 0 };
	} else
		err = oc_error_set(error, OC_ERR_NOT_FOUND, "%s has no "
		    "profile \"%s\" that gives any usage", path, name);
	ca_cfssl_config_free(config);
	return err;
}
