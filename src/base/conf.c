/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libinih splits "key = value".  It has no line numbers as Debian builds it,
 * cuts section names at 49 bytes, merges duplicates and drops what stands
 * behind " ;": so it is fed one checked line at a time, and sections are read
 * here.
 */
#include "base/conf.h"

#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/limits.h"

#define LINE_LEN_MAX 4096
#define TYPE_LEN_MAX 32
#define KEYS_MAX 64		/* of a section; the largest has 18 */
#define SECTIONS_MAX 4096
#define FILES_MAX 256

/* inih wants room for a line end and a NUL. */
#define INI_ROOM (LINE_LEN_MAX + 3)

static const char word_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
static const char name_chars[] = "abcdefghijklmnopqrstuvwxyz"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

struct reader {
	struct oc_conf *conf;
	struct oc_config_errors *errors;
	const char *file;
	int64_t written_at;
	const char *text;
	size_t len, at;
	int line;
	/* A section with a bad header is skipped: one error is enough. */
	bool is_skipping, has_section;
	enum oc_err err;	/* sticky: NOMEM, LIMIT */
};

static struct oc_conf_section *
current_section(struct reader *r)
{
	if (!r->has_section)
		return NULL;
	return &r->conf->sections[r->conf->num_sections - 1];
}

/* "FILE:LINE: [SECTION] " and what. */
static void
complain(struct reader *r, const char *key, const char *what)
{
	struct oc_conf_section *s = current_section(r);
	struct oc_conf_place place = {
		.file = r->file, .line = r->line, .key = key,
		.type = s != NULL ? s->type : NULL,
		.name = s != NULL ? s->name : NULL,
	};

	oc_config_errors_add(r->errors, &place, OC_ERR_CONFIG, "%s", what);
}

static bool
is_same_section(const struct oc_conf_section *s, const char *type,
    const char *name)
{
	if (strcmp(s->type, type) != 0)
		return false;
	if (s->name == NULL || name == NULL)
		return s->name == NULL && name == NULL;
	return strcmp(s->name, name) == 0;
}

/* Doubles at every power of two.  NULL when out of memory. */
static void *
grow(void *array, size_t num, size_t item_size)
{
	if (num > 0 && (num & (num - 1)) != 0)
		return array;
	return realloc(array, (num == 0 ? 1 : 2 * num) * item_size);
}

static void
add_section(struct reader *r, const char *type, const char *name)
{
	struct oc_conf *conf = r->conf;
	struct oc_conf_section *s;

	if (conf->num_sections == SECTIONS_MAX) {
		complain(r, NULL, "too many sections; 4096 is the limit");
		r->err = OC_ERR_LIMIT;
		return;
	}
	s = grow(conf->sections, conf->num_sections, sizeof(*s));
	if (s == NULL) {
		r->err = OC_ERR_NOMEM;
		return;
	}
	conf->sections = s;
	s += conf->num_sections;
	*s = (struct oc_conf_section){ .file = r->file,
	    .written_at = r->written_at, .line = r->line };
	conf->num_sections++;
	r->has_section = true;
	s->type = strdup(type);
	s->name = name == NULL ? NULL : strdup(name);
	if (s->type == NULL || (name != NULL && s->name == NULL))
		r->err = OC_ERR_NOMEM;
}

/* Splits "type NAME" in place.  NULL when well-formed, else what is wrong. */
static const char *
split_header(char *header, char **name)
{
	size_t type_len = strspn(header, word_chars), name_len;

	*name = header + type_len;
	if (**name != '\0') {
		if (**name != ' ' && **name != '\t')
			type_len = 0;
		*(*name)++ = '\0';
		*name += strspn(*name, " \t");
	} else {
		*name = NULL;
	}
	if (type_len == 0 || type_len > TYPE_LEN_MAX)
		return "not a section; write [type] or [type NAME]";
	if (*name == NULL)
		return NULL;
	name_len = strspn(*name, name_chars);
	if ((*name)[name_len] != '\0' || name_len == 0 ||
	    name_len > OC_CONFIG_NAME_MAX)
		return "not a section name; use 1 to 64 letters, digits, "
		    "'.', '_' and '-'";
	return NULL;
}

/* line is trimmed and starts with '['. */
static void
read_header(struct reader *r, char *line)
{
	size_t len = strlen(line);
	struct oc_conf_section *old;
	const char *what;
	char text[320], *header = line + 1, *name;

	r->has_section = false;
	r->is_skipping = true;
	if (line[len - 1] != ']') {
		complain(r, NULL, "the section has no ']' at the end of the "
		    "line; write [type] or [type NAME]");
		return;
	}
	line[len - 1] = '\0';
	header += strspn(header, " \t");
	for (len = strlen(header); len > 0 && (header[len - 1] == ' ' ||
	    header[len - 1] == '\t'); len--)
		header[len - 1] = '\0';
	what = split_header(header, &name);
	if (what != NULL) {
		complain(r, NULL, what);
		return;
	}
	for (size_t i = 0; i < r->conf->num_sections; i++) {
		old = &r->conf->sections[i];
		if (!is_same_section(old, header, name))
			continue;
		snprintf(text, sizeof(text), "[%s%s%s] is also at %.160s:%d; "
		    "join the two", header, name != NULL ? " " : "",
		    name != NULL ? name : "", old->file, old->line);
		complain(r, NULL, text);
		return;
	}
	r->is_skipping = false;
	add_section(r, header, name);
}

static bool
has_inline_comment(const char *value)
{
	for (const char *p = value; *p != '\0'; p++)
		if ((*p == ';' || *p == '#') &&
		    (p == value || p[-1] == ' ' || p[-1] == '\t'))
			return true;
	return false;
}

/* NULL when inih may have the line, else what is wrong.  *key_len is that of
 * what looks like the key. */
static const char *
check_key_line(const char *line, size_t *key_len)
{
	const char *value;

	*key_len = strcspn(line, "= \t");
	value = line + *key_len;
	value += strspn(value, " \t");
	if (*value != '=')
		return "there is no '=' behind the key; write key = value";
	if (*key_len == 0 || strspn(line, word_chars) != *key_len)
		return "not a key; keys are lower-case letters, digits and '-'";
	value++;
	value += strspn(value, " \t");
	if (*value == '\0')
		return "has no value; give it one or remove the line";
	if (has_inline_comment(value))
		return "a comment behind a value; put it on a line of its own";
	return NULL;
}

/* Is line, trimmed, something for inih? */
static bool
take_line(struct reader *r, char *line, size_t room)
{
	const char *what;
	size_t key_len;

	if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
		return false;
	if (line[0] == '[') {
		read_header(r, line);
		return false;
	}
	if (r->is_skipping)
		return false;
	what = check_key_line(line, &key_len);
	if (what == NULL && strlen(line) + 3 > room) {
		complain(r, NULL, "the line is too long for this libinih; "
		    "shorten it");
		return false;
	}
	if (what == NULL && r->has_section)
		return true;
	line[key_len < 40 ? key_len : 40] = '\0';
	complain(r, line[0] != '\0' ? line : NULL, what != NULL ? what :
	    "stands before the first section; move it into one");
	return false;
}

/* The next line of the text without blanks around it, cut off at nothing:
 * false at the end of the text. */
static bool
next_line(struct reader *r, char line[LINE_LEN_MAX + 1])
{
	const char *start, *end, *stop = r->text + r->len;

	for (;;) {
		if (r->at >= r->len)
			return false;
		start = r->text + r->at;
		end = memchr(start, '\n', r->len - r->at);
		if (end == NULL)
			end = stop;
		r->at = (size_t)(end - r->text) + 1;
		r->line++;
		while (start < end && (*start == ' ' || *start == '\t'))
			start++;
		while (start < end && (end[-1] == ' ' || end[-1] == '\t' ||
		    end[-1] == '\r'))
			end--;
		if (end - start <= LINE_LEN_MAX)
			break;
		complain(r, NULL, "the line is longer than 4096 bytes; "
		    "shorten it");
	}
	memcpy(line, start, (size_t)(end - start));
	line[end - start] = '\0';
	return true;
}

/* inih's fgets(): only lines "key = value" that are right. */
static char *
feed(char *out, int room, void *stream)
{
	struct reader *r = stream;
	char line[LINE_LEN_MAX + 1];

	while (r->err == OC_OK && next_line(r, line)) {
		if (!take_line(r, line, (size_t)room))
			continue;
		snprintf(out, (size_t)room, "%s\n", line);
		return out;
	}
	return NULL;
}

/* inih's handler.  Never says "error": inih would only count lines. */
static int
add_key(void *user, const char *section, const char *key, const char *value)
{
	struct reader *r = user;
	struct oc_conf_section *s = current_section(r);
	struct oc_conf_key *k;
	char text[80];

	(void)section;
	for (size_t i = 0; i < s->num_keys; i++) {
		if (strcmp(s->keys[i].key, key) != 0)
			continue;
		snprintf(text, sizeof(text), "is also on line %d; "
		    "remove one of them", s->keys[i].line);
		complain(r, key, text);
		return 1;
	}
	if (s->num_keys == KEYS_MAX) {
		complain(r, key, "too many keys; 64 is the limit");
		r->err = OC_ERR_LIMIT;
		return 1;
	}
	k = grow(s->keys, s->num_keys, sizeof(*k));
	if (k == NULL) {
		r->err = OC_ERR_NOMEM;
		return 1;
	}
	s->keys = k;
	k += s->num_keys++;
	k->line = r->line;
	k->key = strdup(key);
	k->value = strdup(value);
	if (k->key == NULL || k->value == NULL)
		r->err = OC_ERR_NOMEM;
	return 1;
}

/* What would make every message about the file nonsense. */
static bool
is_text(struct reader *r)
{
	const char *what = NULL;
	size_t i;

	r->line = 1;
	for (i = 0; i < r->len && what == NULL; i++) {
		unsigned char c = (unsigned char)r->text[i];

		if (c == '\n')
			r->line++;
		else if (c < 0x20 && c != '\t' && c != '\r')
			what = c == '\0' ? "a NUL byte; this is no text file" :
			    "a control character; remove it";
		else if (c == 0x7f)
			what = "a control character; remove it";
	}
	if (what == NULL && !oc_utf8_is_valid(r->text, r->len)) {
		/* Which line: a line end is never inside a character. */
		size_t at = 0;

		for (r->line = 1; at < r->len; r->line++) {
			const char *end = memchr(r->text + at, '\n',
			    r->len - at);
			size_t len = end == NULL ? r->len - at :
			    (size_t)(end - (r->text + at)) + 1;

			if (!oc_utf8_is_valid(r->text + at, len))
				break;
			at += len;
		}
		what = "not UTF-8; save the file as UTF-8";
	}
	if (what != NULL)
		complain(r, NULL, what);
	r->line = 0;
	return what == NULL;
}

static void
tune_inih(void)
{
#if HAVE_DECL_INI_MAX_LINE
	/* Debian's can be told; others take lines of 197 bytes. */
	ini_use_stack = true;
	ini_max_line = INI_ROOM;
#endif
}

static enum oc_err
parse_text(struct reader *r)
{
	static const char bom[] = "\xef\xbb\xbf";

	if (r->len >= 3 && memcmp(r->text, bom, 3) == 0) {
		r->text += 3;
		r->len -= 3;
	}
	if (!is_text(r))
		return OC_OK;
	tune_inih();
	/* -2 is inih's word for out of memory; lines were checked before. */
	if (ini_parse_stream(feed, r, add_key, r) < 0 && r->err == OC_OK)
		return OC_ERR_NOMEM;
	return r->err;
}

/* The file's name lives as long as conf: sections point to it. */
static enum oc_err
read_one(struct oc_conf *conf, char *file, size_t *left,
    struct oc_config_errors *errors)
{
	struct oc_conf_place place = { .file = file };
	struct oc_error error = { OC_OK, "" };
	struct reader r = { .conf = conf, .errors = errors, .file = file };
	struct stat st;
	uint8_t *text;
	char **files;
	enum oc_err err;

	files = grow(conf->files, conf->num_files, sizeof(*files));
	if (files == NULL) {
		free(file);
		return OC_ERR_NOMEM;
	}
	conf->files = files;
	files[conf->num_files++] = file;
	err = oc_file_read(file, *left, &text, &r.len, &error);
	if (err == OC_ERR_LIMIT) {
		oc_config_errors_add(errors, &place, err, "the configuration "
		    "is larger than %d bytes in all", OC_CONFIG_FILE_MAX);
		return err;
	}
	if (err != OC_OK) {
		place.file = NULL;	/* the text names it */
		oc_config_errors_add(errors, &place, err, "%s", error.text);
		return err;
	}
	*left -= r.len;
	r.text = (const char *)text;
	if (stat(file, &st) == 0)
		r.written_at = st.st_mtime;
	err = parse_text(&r);
	free(text);
	return err;
}

static int
is_conf_file(const struct dirent *entry)
{
	static const char suffix[] = ".conf";
	size_t len = strlen(entry->d_name), suffix_len = strlen(suffix);

	return entry->d_name[0] != '.' && len > suffix_len &&
	    strcmp(entry->d_name + len - suffix_len, suffix) == 0;
}

/* Not alphasort(): its order depends on the locale. */
static int
compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum oc_err
read_directory(struct oc_conf *conf, const char *path, size_t *left,
    struct oc_config_errors *errors)
{
	struct oc_conf_place place = { .file = path };
	struct dirent **entries;
	enum oc_err err = OC_OK;
	int num = scandir(path, &entries, is_conf_file, compare_names);

	if (num < 0 && errno == ENOENT)
		return OC_OK;
	if (num < 0) {
		oc_config_errors_add(errors, &place, OC_ERR_SYSTEM,
		    "cannot read the directory: %m");
		return OC_ERR_SYSTEM;
	}
	if (num > FILES_MAX) {
		oc_config_errors_add(errors, &place, OC_ERR_LIMIT,
		    "more than %d files", FILES_MAX);
		err = OC_ERR_LIMIT;
	}
	for (int i = 0; i < num; i++) {
		char *file;

		if (err == OC_OK)
			err = oc_path_join(path, entries[i]->d_name, &file);
		if (err == OC_OK)
			err = read_one(conf, file, left, errors);
		free(entries[i]);
	}
	free(entries);
	return err;
}

enum oc_err
oc_conf_read(const char *path, struct oc_conf **conf,
    struct oc_config_errors *errors)
{
	struct oc_conf *c = calloc(1, sizeof(*c));
	struct oc_conf_place place = { .file = path };
	size_t left = OC_CONFIG_FILE_MAX;
	char *file = strdup(path), *directory = NULL;
	enum oc_err err = OC_ERR_NOMEM;

	if (c == NULL || file == NULL ||
	    asprintf(&directory, "%s.d", path) < 0) {
		free(file);
		directory = NULL;
		goto out;
	}
	err = read_one(c, file, &left, errors);
	if (err == OC_OK)
		err = read_directory(c, directory, &left, errors);
	if (err == OC_OK && errors->num_found > 0)
		err = OC_ERR_CONFIG;
	if (err == OC_OK) {
		*conf = c;
		c = NULL;
	}
out:
	if (err == OC_ERR_NOMEM)
		oc_config_errors_add(errors, &place, err, "out of memory");
	else if (err == OC_ERR_LIMIT)
		err = OC_ERR_CONFIG;
	free(directory);
	oc_conf_free(c);
	return err;
}

void
oc_conf_free(struct oc_conf *conf)
{
	if (conf == NULL)
		return;
	for (size_t i = 0; i < conf->num_sections; i++) {
		struct oc_conf_section *s = &conf->sections[i];

		for (size_t k = 0; k < s->num_keys; k++) {
			free(s->keys[k].key);
			free(s->keys[k].value);
		}
		free(s->keys);
		free(s->type);
		free(s->name);
	}
	for (size_t i = 0; i < conf->num_files; i++)
		free(conf->files[i]);
	free(conf->files);
	free(conf->sections);
	free(conf);
}
