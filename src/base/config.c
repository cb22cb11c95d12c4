/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From sections and keys to struct oc_config, by config_table.c.  Goes on
 * after an error as long as that makes sense: whoever edits the file wants to
 * hear of all of them at once.
 */
#include "base/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/config_table.h"
#include "base/file.h"
#include "base/value.h"

/* Farther words are no slips of the finger. */
#define DISTANCE_MAX 3

struct loader {
	struct oc_config *config;
	struct oc_config_errors *errors;
	/* Where we are. */
	const struct oc_conf_section *section;
	bool is_nomem;
};

static void
complain(struct loader *l, const char *key, int line, const char *what)
{
	struct oc_conf_place place = {
		.file = l->section->file, .line = line, .key = key,
		.type = l->section->type, .name = l->section->name,
	};

	oc_config_errors_add(l->errors, &place, OC_ERR_CONFIG, "%s", what);
}

static char *
copy(struct loader *l, const char *text)
{
	char *out = strdup(text);

	if (out == NULL)
		l->is_nomem = true;
	return out;
}

/* The nearest of the words so far, for "did you mean". */
struct nearest {
	const char *wrong;
	const char *word;
	unsigned distance;
};

static void
nearest_try(struct nearest *n, const char *word)
{
	unsigned distance = oc_value_distance(n->wrong, word);

	if (distance > DISTANCE_MAX || distance >= strlen(word))
		return;
	if (n->word == NULL || distance < n->distance) {
		n->word = word;
		n->distance = distance;
	}
}

static const struct oc_config_section *
find_section_kind(const char *type)
{
	const struct oc_config_section *kind;

	for (kind = oc_config_sections; kind->type != NULL; kind++)
		if (strcmp(kind->type, type) == 0)
			return kind;
	return NULL;
}

static void
unknown_section(struct loader *l)
{
	struct nearest n = { .wrong = l->section->type };
	struct oc_buffer b;

	oc_buffer_init(&b, OC_ERROR_TEXT_MAX);
	oc_buffer_put_text(&b, "there is no such section; ");
	for (const struct oc_config_section *k = oc_config_sections;
	    k->type != NULL; k++)
		nearest_try(&n, k->type);
	if (n.word != NULL)
		oc_buffer_printf(&b, "did you mean [%s]?", n.word);
	else
		oc_buffer_put_text(&b, "the sections are store, daemon, "
		    "responder, api, metrics, policy, cfssl, token, "
		    "issuer and profile");
	complain(l, NULL, l->section->line, oc_buffer_text(&b));
	oc_buffer_fini(&b);
}

static void
unknown_key(struct loader *l, const struct oc_config_section *kind,
    const struct oc_conf_key *key)
{
	struct nearest n = { .wrong = key->key };
	char text[160];

	for (const struct oc_config_key *k = kind->keys; k->name != NULL; k++)
		nearest_try(&n, k->name);
	if (n.word != NULL)
		snprintf(text, sizeof(text),
		    "there is no such key; did you mean %s?", n.word);
	else
		snprintf(text, sizeof(text),
		    "there is no such key in [%s]; see ocsign.conf(5)",
		    kind->type);
	complain(l, key->key, key->line, text);
}

/* item is zeroed.  l->section may have no key of these: presets. */
static void
load_keys(struct loader *l, const struct oc_config_section *kind, void *item)
{
	for (const struct oc_config_key *k = kind->keys; k->name != NULL; k++) {
		void *field = (char *)item + k->offset;
		const struct oc_conf_key *given = NULL;
		struct oc_error error = { OC_OK, "" };
		const char *text = k->preset;

		for (size_t i = 0; i < l->section->num_keys; i++)
			if (strcmp(l->section->keys[i].key, k->name) == 0)
				given = &l->section->keys[i];
		if (given != NULL)
			text = given->value;
		oc_config_field_init(k, field);
		if (text == NULL) {
			if (k->presence == OC_KEY_REQUIRED)
				complain(l, k->name, l->section->line,
				    "is missing; add it");
			continue;
		}
		if (oc_config_field_set(k, l->config->directory, text, field,
		    &error) == OC_ERR_NOMEM)
			l->is_nomem = true;
		else if (error.code != OC_OK)
			complain(l, k->name, given != NULL ? given->line :
			    l->section->line, error.text);
	}
	for (size_t i = 0; i < l->section->num_keys; i++) {
		const struct oc_config_key *k = kind->keys;

		while (k->name != NULL &&
		    strcmp(k->name, l->section->keys[i].key) != 0)
			k++;
		if (k->name == NULL)
			unknown_key(l, kind, &l->section->keys[i]);
	}
}

/* Where the section's struct is; a new array item for named ones.  NULL when
 * out of memory. */
static void *
section_item(struct loader *l, const struct oc_config_section *kind)
{
	char *config = (char *)l->config, *array, *item;
	size_t *num;

	if (kind->item_size == 0)
		return config + kind->offset;
	num = (size_t *)(void *)(config + kind->num_offset);
	memcpy(&array, config + kind->offset, sizeof(array));
	array = realloc(array, (*num + 1) * kind->item_size);
	if (array == NULL)
		return NULL;
	memcpy(config + kind->offset, &array, sizeof(array));
	item = array + *num * kind->item_size;
	memset(item, 0, kind->item_size);
	++*num;
	*(char **)(void *)(item + kind->name_offset) =
	    copy(l, l->section->name);
	*(const char **)(void *)(item + kind->file_offset) = l->section->file;
	*(int *)(void *)(item + kind->line_offset) = l->section->line;
	return item;
}

static void
load_section(struct loader *l)
{
	const struct oc_conf_section *s = l->section;
	const struct oc_config_section *kind = find_section_kind(s->type);
	char text[160];
	void *item;

	if (kind == NULL) {
		unknown_section(l);
		return;
	}
	if ((kind->item_size != 0) != (s->name != NULL)) {
		snprintf(text, sizeof(text), s->name == NULL ?
		    "the section needs a name; write [%s NAME]" :
		    "there is only one such section; write [%s]", s->type);
		complain(l, NULL, s->line, text);
		return;
	}
	item = section_item(l, kind);
	if (item == NULL)
		l->is_nomem = true;
	else
		load_keys(l, kind, item);
}

/* Sections that nobody wrote have their presets too. */
static void
load_missing(struct loader *l)
{
	const struct oc_config_section *kind;

	for (kind = oc_config_sections; kind->type != NULL; kind++) {
		char *type = (char *)(uintptr_t)kind->type;
		struct oc_conf_section empty = {
			.type = type, .file = l->config->path
		};
		bool is_there = kind->item_size != 0;

		for (size_t i = 0; i < l->config->conf->num_sections; i++)
			if (strcmp(l->config->conf->sections[i].type,
			    kind->type) == 0)
				is_there = true;
		if (is_there)
			continue;
		l->section = &empty;
		load_keys(l, kind, (char *)l->config + kind->offset);
	}
}

/* The line of a key, or of the section when it has no such key. */
static int
line_of(const struct oc_conf_section *s, const char *key)
{
	for (size_t i = 0; i < s->num_keys; i++)
		if (strcmp(s->keys[i].key, key) == 0)
			return s->keys[i].line;
	return s->line;
}

static void
check_token_name(struct loader *l, const char *key, const char *name)
{
	struct nearest n = { .wrong = name };
	char text[320];

	if (name == NULL || oc_config_find_token(l->config, name) != NULL)
		return;
	for (size_t i = 0; i < l->config->num_tokens; i++)
		nearest_try(&n, l->config->tokens[i].name);
	if (n.word != NULL)
		snprintf(text, sizeof(text), "there is no [token %.64s]; did "
		    "you mean %.64s?", name, n.word);
	else
		snprintf(text, sizeof(text), "there is no [token %.64s]; add "
		    "that section", name);
	complain(l, key, line_of(l->section, key), text);
}

/* Two issuers with one certificate would both claim every request. */
static void
check_certificate_is_unique(struct loader *l, const struct oc_config_issuer *is)
{
	char text[160];

	for (size_t i = 0; i < l->config->num_issuers; i++) {
		const struct oc_config_issuer *other = &l->config->issuers[i];

		if (other == is)
			return;
		if (other->certificate == NULL || is->certificate == NULL ||
		    strcmp(other->certificate, is->certificate) != 0)
			continue;
		snprintf(text, sizeof(text), "is that of [issuer %.64s] too; "
		    "each issuer has its own", other->name);
		complain(l, "certificate", line_of(l->section, "certificate"),
		    text);
	}
}

/* Where every answer is signed live. */
static void
check_budget(struct loader *l, const char *key)
{
	if (l->config->responder.nonce_budget == 0)
		complain(l, key, line_of(l->section, key),
		    "nothing would be answered with nonce-budget = 0 in "
		    "[responder]; raise that");
}

/* A key that says nothing without the other. */
static void
complain_alone(struct loader *l, const char *key, const char *other)
{
	char text[160];

	snprintf(text, sizeof(text), "is given without %s; add that or "
	    "remove this", other);
	complain(l, key, line_of(l->section, key), text);
}

static void
check_where_signed(struct loader *l, struct oc_config_issuer *issuer)
{
	const char *key, *at, *what;

	for (size_t n = 0; (key = oc_config_wrong_key(issuer, &n, &at,
	    &what)) != NULL; )
		complain(l, key, line_of(l->section, at), what);
	if (issuer->responses != NULL) {
		issuer->allow = OC_ALLOW_OCSP;
		issuer->nonce = OC_NONCE_IGNORE;
	}
}

static void
check_issuer(struct loader *l, struct oc_config_issuer *issuer)
{
	bool is_delegated = issuer->ocsp_certificate != NULL;

	check_token_name(l, "token", issuer->token);
	check_token_name(l, "ocsp-token", issuer->ocsp_token);
	check_certificate_is_unique(l, issuer);
	check_where_signed(l, issuer);
	if (issuer->responses != NULL)
		return;
	if (is_delegated && issuer->ocsp_key == NULL)
		complain(l, "ocsp-key", l->section->line,
		    "is missing; ocsp-certificate needs it");
	if (!is_delegated && issuer->ocsp_key != NULL)
		complain_alone(l, "ocsp-key", "ocsp-certificate");
	if (!is_delegated && issuer->ocsp_token != NULL)
		complain_alone(l, "ocsp-token", "ocsp-certificate");
	if (issuer->ocsp_backdate_s >= issuer->ocsp_lifetime_s &&
	    issuer->ocsp_lifetime_s > 0)
		complain(l, "ocsp-backdate",
		    line_of(l->section, "ocsp-backdate"),
		    "is not shorter than ocsp-lifetime; make it so");
	if (issuer->nonce == OC_NONCE_REQUIRE)
		check_budget(l, "nonce");
	if (issuer->presign == OC_PRESIGN_NONE)
		check_budget(l, "presign");
	if (is_delegated && issuer->ocsp_token == NULL && issuer->token != NULL)
		issuer->ocsp_token = copy(l, issuer->token);
}

static bool
is_builtin_profile(const char *name)
{
	const char *const *p = oc_config_builtin_profiles;

	while (*p != NULL && strcmp(*p, name) != 0)
		p++;
	return *p != NULL;
}

static void
check_based_on(struct loader *l, const struct oc_config_profile *profile)
{
	const struct oc_config_profile *p = profile;
	int line = line_of(l->section, "based-on");
	struct nearest n = { .wrong = profile->based_on };
	char text[320];

	/* A loop is as long as there are profiles, at most. */
	for (size_t i = 0; i <= l->config->num_profiles; i++) {
		const char *base = p->based_on;

		if (base == NULL || is_builtin_profile(base))
			return;
		p = oc_config_find_profile(l->config, base);
		if (p == NULL && i > 0)
			return;		/* reported where it stands */
		if (p == NULL)
			break;
	}
	if (p != NULL) {
		complain(l, "based-on", line, "leads back to this profile or "
		    "into a loop; end at a built-in one");
		return;
	}
	for (size_t i = 0; oc_config_builtin_profiles[i] != NULL; i++)
		nearest_try(&n, oc_config_builtin_profiles[i]);
	for (size_t i = 0; i < l->config->num_profiles; i++)
		nearest_try(&n, l->config->profiles[i].name);
	if (n.word != NULL)
		snprintf(text, sizeof(text), "there is no profile \"%.64s\"; "
		    "did you mean %.64s?", profile->based_on, n.word);
	else
		snprintf(text, sizeof(text), "there is no profile \"%.64s\"; "
		    "the built-in ones are server, client, ocsp-signer, "
		    "intermediate, origin-rsa and origin-ecc",
		    profile->based_on);
	complain(l, "based-on", line, text);
}

/* Who may use a profile. */
static void
check_issuer_name(struct loader *l, const char *name)
{
	struct nearest n = { .wrong = name };
	char text[320];

	if (oc_config_find_issuer(l->config, name) != NULL)
		return;
	for (size_t i = 0; i < l->config->num_issuers; i++)
		nearest_try(&n, l->config->issuers[i].name);
	if (n.word != NULL)
		snprintf(text, sizeof(text), "there is no [issuer %.64s]; "
		    "did you mean %.64s?", name, n.word);
	else
		snprintf(text, sizeof(text), "there is no [issuer %.64s]; "
		    "add that section, or remove the name", name);
	complain(l, "issuers", line_of(l->section, "issuers"), text);
}

static void
check_profile(struct loader *l, const struct oc_config_profile *profile)
{
	if (is_builtin_profile(profile->name))
		complain(l, NULL, l->section->line, "this name is a built-in "
		    "profile's; choose another");
	check_based_on(l, profile);
	for (size_t i = 0; i < profile->issuers.num; i++)
		check_issuer_name(l, profile->issuers.words[i]);
	if (profile->subject == OC_SUBJECT_FIXED &&
	    profile->subject_name == NULL)
		complain(l, "subject-name", l->section->line,
		    "is missing; subject = fixed needs it");
	if (profile->subject != OC_SUBJECT_FIXED &&
	    profile->subject_name != NULL)
		complain_alone(l, "subject-name", "subject = fixed");
}

static void
check_api_issuer(struct loader *l, const char *key, const char *name)
{
	char text[160];

	if (name == NULL || oc_config_find_issuer(l->config, name) != NULL)
		return;
	snprintf(text, sizeof(text), "there is no [issuer %.64s]; add that "
	    "section", name);
	complain(l, key, line_of(l->section, key), text);
}

static bool
is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 ||
	    strncmp(address, "[::1]:", 6) == 0;
}

/* Whoever reads the wire reads tokens and certificates' keys. */
static void
check_api_listen(struct loader *l, const struct oc_config_api *api)
{
	char text[200];

	if (api->tls_certificate != NULL ||
	    api->allow_plain == OC_SWITCH_YES)
		return;
	for (size_t i = 0; i < api->listen.num; i++) {
		if (is_loopback(api->listen.words[i]))
			continue;
		snprintf(text, sizeof(text), "%.64s is not a loopback "
		    "address and there is no tls-certificate; add one, or "
		    "allow-plain = yes if a proxy before it does TLS",
		    api->listen.words[i]);
		complain(l, "listen", line_of(l->section, "listen"), text);
	}
}

static void
check_api(struct loader *l, const struct oc_config_api *api)
{
	if (api->listen.num == 0)
		complain(l, "listen", l->section->line,
		    "is missing; add it");
	if ((api->tls_certificate == NULL) != (api->tls_key == NULL))
		complain(l, api->tls_key == NULL ? "tls-key" :
		    "tls-certificate", l->section->line, "is missing; "
		    "tls-certificate and tls-key go together");
	check_api_listen(l, api);
	if (api->issuers.num == 0 && api->origin_rsa == NULL &&
	    api->origin_ecc == NULL)
		complain(l, "issuers", l->section->line, "is missing, and "
		    "origin-rsa and origin-ecc too: nobody would issue; add "
		    "one");
	for (size_t i = 0; i < api->issuers.num; i++)
		check_api_issuer(l, "issuers", api->issuers.words[i]);
	check_api_issuer(l, "origin-rsa", api->origin_rsa);
	check_api_issuer(l, "origin-ecc", api->origin_ecc);
	for (size_t i = 0; i < api->profiles.num; i++) {
		const char *name = api->profiles.words[i];
		char text[160];

		if (is_builtin_profile(name) ||
		    oc_config_find_profile(l->config, name) != NULL)
			continue;
		snprintf(text, sizeof(text), "there is no profile \"%.64s\"; "
		    "add a [profile %.40s]", name, name);
		complain(l, "profiles", line_of(l->section, "profiles"),
		    text);
	}
}

/* Names of issuers, how many certificates: not for everybody. */
static void
check_metrics(struct loader *l, const struct oc_config_metrics *metrics)
{
	char text[200];

	if (metrics->listen.num == 0)
		complain(l, "listen", l->section->line,
		    "is missing; add it");
	for (size_t i = 0; i < metrics->listen.num &&
	    metrics->allow_remote != OC_SWITCH_YES; i++) {
		if (is_loopback(metrics->listen.words[i]))
			continue;
		snprintf(text, sizeof(text), "%.64s is not a loopback "
		    "address; listen on one, or add allow-remote = yes",
		    metrics->listen.words[i]);
		complain(l, "listen", line_of(l->section, "listen"), text);
	}
}

/* What one section says of another. */
static void
cross_check(struct loader *l)
{
	const struct oc_conf *conf = l->config->conf;
	size_t num_issuers = 0, num_profiles = 0;

	/* Items are in the order of the sections. */
	for (size_t i = 0; i < conf->num_sections; i++) {
		l->section = &conf->sections[i];
		if (strcmp(l->section->type, "api") == 0)
			check_api(l, &l->config->api);
		if (strcmp(l->section->type, "metrics") == 0)
			check_metrics(l, &l->config->metrics);
		if (l->section->name == NULL)
			continue;
		if (strcmp(l->section->type, "issuer") == 0)
			check_issuer(l, &l->config->issuers[num_issuers++]);
		if (strcmp(l->section->type, "profile") == 0)
			check_profile(l, &l->config->profiles[num_profiles++]);
	}
}

/* realpath() of a directory that oc_conf_read() has just read from. */
static enum oc_err
set_directory(struct oc_config *config)
{
	char *directory;

	if (oc_path_directory(config->path, &directory) != OC_OK)
		return OC_ERR_NOMEM;
	config->directory = realpath(directory, NULL);
	free(directory);
	return config->directory == NULL ? OC_ERR_SYSTEM : OC_OK;
}

static enum oc_err
load(struct oc_config *config, struct oc_config_errors *errors)
{
	struct loader l = { .config = config, .errors = errors };
	enum oc_err err;

	err = oc_conf_read(config->path, &config->conf, errors);
	if (err != OC_OK)
		return err;
	err = set_directory(config);
	if (err != OC_OK) {
		struct oc_conf_place place = { .file = config->path };

		oc_config_errors_add(errors, &place, err,
		    "cannot find its directory");
		return err;
	}
	for (size_t i = 0; i < config->conf->num_sections; i++) {
		l.section = &config->conf->sections[i];
		load_section(&l);
	}
	load_missing(&l);
	if (!l.is_nomem)
		cross_check(&l);
	if (l.is_nomem) {
		struct oc_conf_place place = { .file = config->path };

		oc_config_errors_add(errors, &place, OC_ERR_NOMEM,
		    "out of memory");
		return OC_ERR_NOMEM;
	}
	return errors->num_found > 0 ? OC_ERR_CONFIG : OC_OK;
}

enum oc_err
oc_config_load(const char *path, struct oc_config **config,
    struct oc_config_errors *errors)
{
	struct oc_config *c = calloc(1, sizeof(*c));
	enum oc_err err;

	if (c != NULL)
		c->path = strdup(path);
	if (c == NULL || c->path == NULL) {
		struct oc_conf_place place = { .file = path };

		oc_config_errors_add(errors, &place, OC_ERR_NOMEM,
		    "out of memory");
		oc_config_free(c);
		return OC_ERR_NOMEM;
	}
	err = load(c, errors);
	if (err != OC_OK) {
		oc_config_free(c);
		return err;
	}
	*config = c;
	return OC_OK;
}

static void
free_item(const struct oc_config_section *kind, char *item)
{
	for (const struct oc_config_key *k = kind->keys; k->name != NULL; k++)
		oc_config_field_fini(k, item + k->offset);
	if (kind->item_size != 0)
		free(*(char **)(void *)(item + kind->name_offset));
}

void
oc_config_free(struct oc_config *config)
{
	const struct oc_config_section *kind;

	if (config == NULL)
		return;
	for (kind = oc_config_sections; kind->type != NULL; kind++) {
		char *base = (char *)config, *array;
		size_t num;

		if (kind->item_size == 0) {
			free_item(kind, base + kind->offset);
			continue;
		}
		memcpy(&array, base + kind->offset, sizeof(array));
		memcpy(&num, base + kind->num_offset, sizeof(num));
		for (size_t i = 0; i < num; i++)
			free_item(kind, array + i * kind->item_size);
		free(array);
	}
	oc_conf_free(config->conf);
	free(config->directory);
	free(config->path);
	free(config);
}

const char *
oc_config_default_path(void)
{
	const char *path = getenv("OCSIGN_CONF");

	return path != NULL && path[0] != '\0' ? path :
	    OCSIGN_SYSCONFDIR "/ocsign.conf";
}

const struct oc_config_token *
oc_config_find_token(const struct oc_config *config, const char *name)
{
	for (size_t i = 0; i < config->num_tokens; i++)
		if (strcmp(config->tokens[i].name, name) == 0)
			return &config->tokens[i];
	return NULL;
}

const struct oc_config_issuer *
oc_config_find_issuer(const struct oc_config *config, const char *name)
{
	for (size_t i = 0; i < config->num_issuers; i++)
		if (strcmp(config->issuers[i].name, name) == 0)
			return &config->issuers[i];
	return NULL;
}

const struct oc_config_profile *
oc_config_find_profile(const struct oc_config *config, const char *name)
{
	for (size_t i = 0; i < config->num_profiles; i++)
		if (strcmp(config->profiles[i].name, name) == 0)
			return &config->profiles[i];
	return NULL;
}
