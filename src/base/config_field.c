/* SPDX-License-Identifier: Apache-2.0 */
/* From the text of one value to its field, as the key's line in the table
 * says. */
#include "base/config_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/value.h"

void
oc_config_field_init(const struct oc_config_key *key, void *field)
{
	if (key->kind == OC_KIND_INT || key->kind == OC_KIND_DURATION ||
	    key->kind == OC_KIND_DATE)
		*(int64_t *)field = OC_CONFIG_UNSET;
}

/* "all, asked" */
static void
put_words(struct oc_buffer *b, const struct oc_config_word *words)
{
	for (const struct oc_config_word *w = words; w->word != NULL; w++)
		oc_buffer_printf(b, "%s%s", w == words ? "" : ", ", w->word);
}

static enum oc_err
find_word(const struct oc_config_word *words, const char *text, int *value,
    struct oc_error *error)
{
	struct oc_buffer b;

	for (const struct oc_config_word *w = words; w->word != NULL; w++) {
		if (strcmp(w->word, text) == 0) {
			*value = w->value;
			return OC_OK;
		}
	}
	oc_buffer_init(&b, OC_ERROR_TEXT_MAX);
	put_words(&b, words);
	oc_error_set(error, OC_ERR_CONFIG, "\"%.64s\" is none of %s", text,
	    oc_buffer_text(&b));
	oc_buffer_fini(&b);
	return OC_ERR_CONFIG;
}

static enum oc_err
add_word(struct oc_words *list, char *word)
{
	char **words = realloc(list->words, (list->num + 1) * sizeof(*words));

	if (words == NULL)
		return OC_ERR_NOMEM;
	list->words = words;
	words[list->num++] = word;
	return OC_OK;
}

/* One item of a list, which is changed only when all is well. */
static enum oc_err
put_item(const struct oc_config_key *key, const char *directory,
    const char *text, struct oc_words *list, struct oc_error *error)
{
	char *word = strdup(text);
	enum oc_err err = word == NULL ? OC_ERR_NOMEM : OC_OK;

	if (err == OC_OK && key->check != NULL)
		err = key->check(directory, &word, error);
	for (size_t i = 0; err == OC_OK && i < list->num; i++)
		if (strcmp(list->words[i], word) == 0)
			err = oc_error_set(error, OC_ERR_CONFIG,
			    "\"%.80s\" is there twice; remove one", text);
	if (err == OC_OK)
		err = add_word(list, word);
	if (err != OC_OK)
		free(word);
	return err;
}

/* Words between blanks, each an item of a list or a flag. */
static enum oc_err
convert_words(const struct oc_config_key *key, const char *directory,
    const char *text, void *field, struct oc_error *error)
{
	char *words = strdup(text), *rest = words, *word;
	unsigned *flags = field;
	enum oc_err err = words == NULL ? OC_ERR_NOMEM : OC_OK;
	int flag;

	while (err == OC_OK && (word = strtok_r(rest, " \t", &rest)) != NULL) {
		if (key->kind == OC_KIND_LIST) {
			err = put_item(key, directory, word, field, error);
			continue;
		}
		err = find_word(key->words, word, &flag, error);
		if (err == OC_OK)
			*flags |= (unsigned)flag;
	}
	free(words);
	return err;
}

static enum oc_err
convert_number(const struct oc_config_key *key, const char *text,
    int64_t *number, struct oc_error *error)
{
	int64_t value;
	enum oc_err err;

	if (key->kind == OC_KIND_INT)
		return oc_value_int(text, key->min, key->max, number, error);
	err = oc_value_duration(text, &value, error);
	if (err != OC_OK)
		return err;
	if (value < key->min)
		return oc_error_set(error, OC_ERR_LIMIT, "%.64s is too short; "
		    "write at least %llds", text, (long long)key->min);
	if (value > key->max)
		return oc_error_set(error, OC_ERR_LIMIT, "%.64s is too long; "
		    "write at most %llds", text, (long long)key->max);
	*number = value;
	return OC_OK;
}

static enum oc_err
convert_string(const struct oc_config_key *key, const char *directory,
    const char *text, char **field, struct oc_error *error)
{
	char *value;
	enum oc_err err;

	while (key->kind == OC_KIND_PATH && strncmp(text, "./", 2) == 0 &&
	    text[2] != '\0')
		text += 2;
	err = oc_path_join(key->kind == OC_KIND_PATH ? directory :
	    "", text, &value);
	if (err != OC_OK)
		return oc_error_set(error, err, "out of memory");
	if (key->check != NULL)
		err = key->check(directory, &value, error);
	if (err != OC_OK) {
		free(value);
		return err;
	}
	*field = value;
	return OC_OK;
}

_Static_assert(sizeof(enum oc_config_presign) == sizeof(int),
    "enums are stored as int");

enum oc_err
oc_config_field_set(const struct oc_config_key *key, const char *directory,
    int64_t written_at, const char *text, void *field,
    struct oc_error *error)
{
	int value;
	enum oc_err err;

	switch (key->kind) {
	case OC_KIND_STRING:
	case OC_KIND_PATH:
		return convert_string(key, directory, text, field, error);
	case OC_KIND_INT:
	case OC_KIND_DURATION:
		return convert_number(key, text, field, error);
	case OC_KIND_DATE:
		return oc_value_date(text, written_at, field, error);
	case OC_KIND_ENUM:
		err = find_word(key->words, text, &value, error);
		if (err == OC_OK)
			memcpy(field, &value, sizeof(value));
		return err;
	case OC_KIND_FLAGS:
	case OC_KIND_LIST:
		return convert_words(key, directory, text, field, error);
	}
	return OC_ERR_INTERNAL;
}

void
oc_config_field_fini(const struct oc_config_key *key, void *field)
{
	struct oc_words *list = field;

	switch (key->kind) {
	case OC_KIND_STRING:
	case OC_KIND_PATH:
		free(*(char **)field);
		return;
	case OC_KIND_LIST:
		for (size_t i = 0; i < list->num; i++)
			free(list->words[i]);
		free(list->words);
		return;
	case OC_KIND_INT:
	case OC_KIND_DURATION:
	case OC_KIND_DATE:
	case OC_KIND_ENUM:
	case OC_KIND_FLAGS:
		return;
	}
}
