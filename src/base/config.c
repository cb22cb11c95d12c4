/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From sections and keys to struct oc_config, by config_table.c.  Goes on
 * after an error as long as that makes sense: whoever edits the file wants to
 * hear of all of them at once.
 */
#include "base/config_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/config_table.h"
#include "base/file.h"
#include "base/value.h"

/* Farther words are no slips of the finger. */
#define DISTANCE_MAX 3

void
oc_config_complain(struct oc_config_loader *l, const char *key, int line,
    const char *what)
{
	struct oc_conf_place place = {
		.file = l->section->file, .line = line, .key = key,
		.type = l->section->type, .name = l->section->name,
	};

	oc_config_errors_add(l->errors, &place, OC_ERR_CONFIG, "%s", what);
}

char *
oc_config_copy(struct oc_config_loader *l, const char *text)
{
	char *out = strdup(text);

	if (out == NULL)
		l->is_nomem = true;
	return out;
}

void
oc_config_nearest_try(struct oc_config_nearest *n, const char *word)
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
unknown_section(struct oc_config_loader *l)
{
	struct oc_config_nearest n = { .wrong = l->section->type };
	struct oc_buffer b;

	oc_buffer_init(&b, OC_ERROR_TEXT_MAX);
	oc_buffer_put_text(&b, "there is no such section; ");
	for (const struct oc_config_section *k = oc_config_sections;
	    k->type != NULL; k++)
		oc_config_nearest_try(&n, k->type);
	if (n.word != NULL)
		oc_buffer_printf(&b, "did you mean [%s]?", n.word);
	else
		oc_buffer_put_text(&b, "the sections are store, daemon, "
		    "responder, api, metrics, policy, cfssl, token, "
		    "issuer, ocsp-signer and profile");
	oc_config_complain(l, NULL, l->section->line, oc_buffer_text(&b));
	oc_buffer_fini(&b);
}

static void
unknown_key(struct oc_config_loader *l, const struct oc_config_section *kind,
    const struct oc_conf_key *key)
{
	struct oc_config_nearest n = { .wrong = key->key };
	char text[160];

	for (const struct oc_config_key *k = kind->keys; k->name != NULL; k++)
		oc_config_nearest_try(&n, k->name);
	if (n.word != NULL)
		snprintf(text, sizeof(text),
		    "there is no such key; did you mean %s?", n.word);
	else
		snprintf(text, sizeof(text),
		    "there is no such key in [%s]; see ocsign.conf(5)",
		    kind->type);
	oc_config_complain(l, key->key, key->line, text);
}

/* item is zeroed.  l->section may have no key of these: presets. */
static void
load_keys(struct oc_config_loader *l, const struct oc_config_section *kind,
    void *item)
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
				oc_config_complain(l, k->name, l->section->line,
				    "is missing; add it");
			continue;
		}
		if (oc_config_field_set(k, l->config->directory,
		    l->section->written_at, text, field, &error) ==
		    OC_ERR_NOMEM)
			l->is_nomem = true;
		else if (error.code != OC_OK)
			oc_config_complain(l, k->name, given != NULL ?
			    given->line : l->section->line, error.text);
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
section_item(struct oc_config_loader *l, const struct oc_config_section *kind)
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
	    oc_config_copy(l, l->section->name);
	*(const char **)(void *)(item + kind->file_offset) = l->section->file;
	*(int *)(void *)(item + kind->line_offset) = l->section->line;
	return item;
}

static void
load_section(struct oc_config_loader *l)
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
		oc_config_complain(l, NULL, s->line, text);
		return;
	}
	item = section_item(l, kind);
	if (item == NULL)
		l->is_nomem = true;
	else
		load_keys(l, kind, item);
	if (strcmp(s->type, "validation") == 0)
		l->config->has_validation = true;
}

/* Sections that nobody wrote have their presets too. */
static void
load_missing(struct oc_config_loader *l)
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

bool
oc_config_is_separate(const struct oc_config *config)
{
	return config->daemon.signer_user != NULL;
}

bool
oc_config_fetches(const struct oc_config *config)
{
	for (size_t i = 0; i < config->num_issuers; i++)
		if (config->issuers[i].crl_fetch.num > 0)
			return true;
	return false;
}

bool
oc_config_validates(const struct oc_config *config)
{
	return config->has_validation;
}

bool
oc_config_publishes(const struct oc_config *config)
{
	for (size_t i = 0; i < config->num_issuers; i++)
		if (config->issuers[i].crl_publish > OC_PUBLISH_NO)
			return true;
	return false;
}

bool
oc_config_has_issuer(const struct oc_config *config)
{
	return config->api.listen.num > 0 || oc_config_publishes(config);
}

bool
oc_config_has_network(const struct oc_config_token *token)
{
	return token->network.num > 0 &&
	    strcmp(token->network.words[0], "no") != 0;
}

const char *
oc_config_store_where(const struct oc_config *config)
{
	const struct oc_config_store *store = &config->store;

	return store->database != NULL ? store->database : store->path;
}

/* What others than its owner must not write has a folder of its owner's. */
static void
set_directories(struct oc_config_loader *l)
{
	struct oc_config_daemon *d = &l->config->daemon;
	const struct {
		char **path;
		const char *name;
	} all[] = {
		{ &d->status_directory, "status" },
		{ &d->responder_directory, "responder" },
		{ &d->issuer_directory, "issuer" },
		{ &d->validator_directory, "validator" },
	};

	for (size_t i = 0; d->run_directory != NULL &&
	    i < sizeof(all) / sizeof(all[0]); i++)
		if (!oc_config_is_separate(l->config))
			*all[i].path = oc_config_copy(l, d->run_directory);
		else if (oc_path_join(d->run_directory, all[i].name,
		    all[i].path) != OC_OK)
			l->is_nomem = true;
	if (d->signer_directory == NULL && l->config->store.path != NULL &&
	    oc_path_directory(l->config->store.path, &d->signer_directory) !=
	    OC_OK)
		l->is_nomem = true;
}

static enum oc_err
load(struct oc_config *config, struct oc_config_errors *errors)
{
	struct oc_config_loader l = { .config = config, .errors = errors };
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
	set_directories(&l);
	if (!l.is_nomem)
		oc_config_cross_check(&l);
	if (!l.is_nomem && (oc_config_list_ocsp(config, errors) != OC_OK ||
	    oc_config_list_files(config, errors) != OC_OK))
		l.is_nomem = true;
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
	free(config->daemon.status_directory);
	free(config->daemon.responder_directory);
	free(config->daemon.issuer_directory);
	free(config->daemon.validator_directory);
	free(config->ocsp);
	for (size_t i = 0; i < config->num_files; i++)
		free(config->files[i].made);
	free(config->files);
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

bool
oc_config_has_key(const char *section, const char *key)
{
	const struct oc_config_section *s = oc_config_sections;

	for (; s->type != NULL; s++) {
		if (strcmp(s->type, section) != 0)
			continue;
		for (const struct oc_config_key *k = s->keys; k->name != NULL;
		    k++)
			if (strcmp(k->name, key) == 0)
				return true;
	}
	return false;
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
