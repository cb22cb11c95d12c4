/* SPDX-License-Identifier: Apache-2.0 */
/* Which sections and keys there are.  Private to config*.c. */
#ifndef BASE_CONFIG_TABLE_H
#define BASE_CONFIG_TABLE_H

#include <stdbool.h>

#include "base/config.h"

enum oc_config_kind {
	OC_KIND_STRING,		/* char * */
	OC_KIND_PATH,		/* char *, made absolute */
	OC_KIND_INT,		/* int64_t */
	OC_KIND_DURATION,	/* int64_t, seconds */
	OC_KIND_DATE,		/* int64_t, Unix seconds, not to come */
	OC_KIND_ENUM,		/* an enum, one of words */
	OC_KIND_FLAGS,		/* unsigned, some of words */
	OC_KIND_LIST		/* struct oc_words */
};

enum oc_config_presence {
	OC_KEY_OPTIONAL,
	OC_KEY_REQUIRED
};

struct oc_config_word {
	const char *word;
	int value;
};

/* Checks one value (an item of a list), and may replace it; directory is
 * where relative paths start.  *value is for free(). */
typedef enum oc_err oc_config_check_fn(const char *directory, char **value,
    struct oc_error *error);

/* http://: what is printed into certificates; what is fetched; by whom. */
oc_config_check_fn oc_config_check_url, oc_config_check_fetched,
    oc_config_check_delta, oc_config_check_proxy;

/* Address ranges; a domain and all below it. */
oc_config_check_fn oc_config_check_addresses, oc_config_check_domain;

struct oc_config_key {
	const char *name;	/* NULL ends the table */
	enum oc_config_kind kind;
	size_t offset;		/* in the section's struct */
	enum oc_config_presence presence;
	const char *preset;	/* as somebody would have written it */
	int64_t min, max;	/* INT, DURATION */
	const struct oc_config_word *words;
	oc_config_check_fn *check;
};

struct oc_config_section {
	const char *type;	/* NULL ends the table */
	const struct oc_config_key *keys;
	/* In struct oc_config: the section's struct, or, for named sections,
	 * the pointer to an array of item_size and its number. */
	size_t offset;
	size_t num_offset;
	size_t item_size;	/* 0: not named */
	size_t name_offset;	/* in an item */
	size_t file_offset;
	size_t line_offset;
};

/* field is zeroed. */
void oc_config_field_init(const struct oc_config_key *key, void *field);
void oc_config_field_fini(const struct oc_config_key *key, void *field);

bool oc_config_starts_with(const char *text, const char *prefix);
/* Takes the new text over; NULL is out of memory. */
enum oc_err oc_config_replace(char **value, char *text,
    struct oc_error *error) OC_MUST_CHECK;

/* Of a [token NAME]; and where its PIN, or a database's password, comes
 * from. */
oc_config_check_fn oc_config_check_module, oc_config_check_uri,
    oc_config_check_secret_source, oc_config_check_environment;

/* Converts and checks.  written_at: when the file was; a date up to then has
 * passed, also where the clock was set back since.  CONFIG, MALFORMED, LIMIT:
 * the text has no place in front.  NOMEM may come without a text. */
enum oc_err oc_config_field_set(const struct oc_config_key *key,
    const char *directory, int64_t written_at, const char *text, void *field,
    struct oc_error *error) OC_MUST_CHECK;

/* Checks the [ocsp-signer NAME]s against what they name, and lists who signs
 * whose responses.  NOMEM; what is wrong is in errors. */
enum oc_err oc_config_list_ocsp(struct oc_config *config,
    struct oc_config_errors *errors) OC_MUST_CHECK;

/* Lists what responders serve.  NOMEM; two for one path are in errors. */
enum oc_err oc_config_list_files(struct oc_config *config,
    struct oc_config_errors *errors) OC_MUST_CHECK;

extern const struct oc_config_section oc_config_sections[];
/* "no", "yes". */
extern const struct oc_config_word oc_config_switches[];
/* [validation]'s, which stand in a file of their own. */
extern const struct oc_config_key oc_config_validation_keys[];

/* The keys of an issuer that do not go with others, or with where its
 * responses are signed, here or elsewhere, one a call: *n is 0 first.  *at is
 * the key whose line it is about.  NULL: no more. */
const char *oc_config_wrong_key(const struct oc_config_issuer *issuer,
    size_t *n, const char **at, const char **what);
/* The same of those that do not go with its source. */
const char *oc_config_wrong_source(const struct oc_config_issuer *issuer,
    size_t *n, const char **at, const char **what);
/* The same of those about publishing its CRLs; they are complete then. */
const char *oc_config_wrong_publish(const struct oc_config_issuer *issuer,
    size_t *n, const char **at, const char **what);
/* What was not said of that. */
void oc_config_complete_publish(struct oc_config_issuer *issuer);
/* And of those about CRLs in parts. */
const char *oc_config_wrong_crl(const struct oc_config_issuer *issuer,
    size_t *n, const char **at, const char **what);
/* And of those of [validation]. */
const char *oc_config_wrong_validation(
    const struct oc_config_validation *validation, size_t *n, const char **at,
    const char **what);
struct oc_config_wrong {
	const char *key;
	bool is_wrong;
	const char *what;
	const char *at;		/* NULL: the key */
};
const char *oc_config_find_wrong(const struct oc_config_wrong *keys,
    size_t num, size_t *n, const char **at, const char **what);

/* The profiles that ca/ has; NULL ends it. */
extern const char *const oc_config_builtin_profiles[];

#endif
