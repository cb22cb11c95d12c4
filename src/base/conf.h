/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syntax of the configuration: sections of keys, read by way of libinih.
 * No expansion, no include, no continuation lines, comments only on lines of
 * their own.  What the keys mean is config.h's.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define OC_CONFIG_ERRORS_MAX 20

/*
 * Each is one line, "FILE:LINE: [SECTION] KEY: what; what to do", in the
 * order found.  Zero state is "none".
 */
struct oc_config_errors {
	struct oc_error list[OC_CONFIG_ERRORS_MAX];
	size_t num;		/* in the list */
	size_t num_found;	/* may be more */
};

/* Where something stands.  Borrowed; type, name, key may be NULL. */
struct oc_conf_place {
	const char *file;
	int line;
	const char *type, *name;
	const char *key;
};

void oc_config_errors_add(struct oc_config_errors *errors,
    const struct oc_conf_place *place, enum oc_err code, const char *format,
    ...) OC_PRINTF(4, 5);

struct oc_conf_key {
	char *key;		/* [a-z0-9-]+ */
	char *value;		/* never empty, no blanks around it */
	int line;
};

/* "[type]" or "[type NAME]".  All of a section stands in one file. */
struct oc_conf_section {
	char *type;		/* [a-z0-9-]+ */
	char *name;		/* [A-Za-z0-9._-]{1,64}, or NULL */
	const char *file;
	int64_t written_at;	/* the file, Unix seconds; 0: not known */
	int line;
	struct oc_conf_key *keys;
	size_t num_keys;
};

struct oc_conf {
	struct oc_conf_section *sections;
	size_t num_sections;
	char **files;		/* what was read, in that order */
	size_t num_files;
};

/*
 * Reads path and then, in the order of their names, the files path.d/x.conf.
 * One mebibyte in all.  Whatever is wrong lands in errors and the result is
 * CONFIG; also NOMEM, and what oc_file_read() says of path itself.
 */
enum oc_err oc_conf_read(const char *path, struct oc_conf **conf,
    struct oc_config_errors *errors) OC_MUST_CHECK;

void oc_conf_free(struct oc_conf *conf);

/* Of a place whose type, name and key are set: where that key stands, or the
 * section where it has no such key. */
void oc_conf_find_place(const struct oc_conf *conf,
    struct oc_conf_place *place);

#endif
