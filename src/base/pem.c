/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pem.h"

#include <stdlib.h>
#include <string.h>

/* 64 is what generators must write; older ones, MIME's, wrote 76. */
#define LINE_CHARS_MAX 76
#define WRITE_OCTETS 48		/* 64 characters */

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char dashes[] = "-----";

struct line {
	const char *text;	/* without its end */
	size_t len;
};

static bool
starts_with(const struct line *line, const char *mark)
{
	size_t len = strlen(mark);

	return line->len >= len && memcmp(line->text, mark, len) == 0;
}

/* Takes the line end too.  False at the end of the text. */
static bool
next_line(struct oc_pem_cursor *c, struct line *line)
{
	const char *start = c->text + c->at, *end;
	size_t left = c->len - c->at;

	if (left == 0)
		return false;
	end = memchr(start, '\n', left);
	line->text = start;
	line->len = end == NULL ? left : (size_t)(end - start);
	c->at += end == NULL ? left : line->len + 1;
	if (line->len > 0 && start[line->len - 1] == '\r')
		line->len--;
	return true;
}

/* For the error text only. */
static size_t
line_number(const struct oc_pem_cursor *c)
{
	size_t number = 0;

	for (size_t i = 0; i < c->at; i++)
		number += c->text[i] == '\n';
	return c->at > 0 && c->text[c->at - 1] == '\n' ? number : number + 1;
}

static enum oc_err
malformed(const struct oc_pem_cursor *c, const char *what,
    struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_MALFORMED, "PEM line %zu: %s",
	    line_number(c), what);
}

/*
 * labelchar = %x21-2C / %x2E-7E        ; any printable but hyphen-minus
 * label     = [ labelchar *( ["-" / SP] labelchar ) ]
 */
static bool
is_label(const char *text, size_t len)
{
	bool may_separate = false;

	for (size_t i = 0; i < len; i++) {
		bool is_separator = text[i] == '-' || text[i] == ' ';

		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
		if (is_separator && !may_separate)
			return false;
		may_separate = !is_separator;
	}
	return len == 0 || may_separate;
}

/* "-----BEGIN label-----": the label's place in the line. */
static bool
get_label(const struct line *line, const char *mark, const char **label,
    size_t *label_len)
{
	size_t head = strlen(mark), tail = strlen(dashes);

	if (!starts_with(line, mark) || line->len < head + tail)
		return false;
	if (memcmp(line->text + line->len - tail, dashes, tail) != 0)
		return false;
	*label = line->text + head;
	*label_len = line->len - head - tail;
	return *label_len <= OC_PEM_LABEL_MAX && is_label(*label, *label_len);
}

/* Up to and with the BEGIN line. */
static enum oc_err
find_begin(struct oc_pem_cursor *c, char label[OC_PEM_LABEL_MAX + 1],
    struct oc_error *error)
{
	const char *text;
	struct line line;
	size_t len;

	while (next_line(c, &line)) {
		if (starts_with(&line, end_mark))
			return malformed(c, "an END without its BEGIN", error);
		if (!starts_with(&line, "-----BEGIN"))
			continue;
		if (!get_label(&line, begin_mark, &text, &len))
			return malformed(c, "not a proper BEGIN line", error);
		memcpy(label, text, len);
		label[len] = '\0';
		return OC_OK;
	}
	return oc_error_set(error, OC_ERR_NOT_FOUND, "no PEM block here");
}

static bool
is_end_of(const struct line *line, const char *label)
{
	const char *text;
	size_t len;

	return get_label(line, end_mark, &text, &len) &&
	    len == strlen(label) && memcmp(text, label, len) == 0;
}

typedef enum oc_err body_fn(void *arg, const struct line *line);

static enum oc_err
put_line(void *arg, const struct line *line)
{
	oc_buffer_put(arg, line->text, line->len);
	return OC_OK;
}

static enum oc_err
spool_octets(void *arg, const struct line *line)
{
	char text[LINE_CHARS_MAX];
	size_t len;

	memcpy(text, line->text, line->len);
	if (oc_base64_decode_in_place(text, line->len, &len) != OC_OK)
		return OC_ERR_MALFORMED;
	oc_spool_put(arg, text, len);
	return OC_OK;
}

/* Each line of the base64 text, up to and with the END line. */
static enum oc_err
get_body(struct oc_pem_cursor *c, const char *label, body_fn *fn, void *arg,
    struct oc_error *error)
{
	bool is_last = false, is_empty = true;
	struct line line;

	while (next_line(c, &line)) {
		if (starts_with(&line, dashes)) {
			if (!is_end_of(&line, label))
				return malformed(c,
				    "END does not match BEGIN", error);
			return is_empty ? malformed(c, "an empty block",
			    error) : OC_OK;
		}
		if (is_last)
			return malformed(c,
			    "base64 goes on behind its last line", error);
		if (line.len == 0 || line.len > LINE_CHARS_MAX)
			return malformed(c,
			    "a base64 line is empty or too long", error);
		is_last = line.len % 4 != 0 || line.text[line.len - 1] == '=';
		is_empty = false;
		if (fn(arg, &line) != OC_OK)
			return malformed(c, "it is not base64", error);
	}
	return malformed(c, "the END line is missing", error);
}

enum oc_err
oc_pem_next(struct oc_pem_cursor *cursor, char label[OC_PEM_LABEL_MAX + 1],
    uint8_t **der, size_t *der_len, struct oc_error *error)
{
	char found[OC_PEM_LABEL_MAX + 1];
	struct oc_buffer body;
	size_t len;
	enum oc_err err;

	err = find_begin(cursor, found, error);
	if (err != OC_OK)
		return err;
	oc_buffer_init(&body, cursor->len);
	err = get_body(cursor, found, put_line, &body, error);
	if (err == OC_OK)
		err = body.err;
	if (err == OC_OK && oc_base64_decode_in_place(body.bytes, body.len,
	    &len) != OC_OK)
		err = malformed(cursor, "not base64 above this line", error);
	if (err == OC_OK) {
		*der = body.bytes;
		*der_len = len;
		body.bytes = NULL;
		strcpy(label, found);
	} else if (err != OC_ERR_MALFORMED) {
		oc_error_set(error, err, "%s", oc_strerror(err));
	}
	oc_buffer_fini(&body);
	return err;
}

enum oc_err
oc_pem_next_spooled(struct oc_pem_cursor *cursor, const char *const labels[2],
    struct oc_spool *der, char label[OC_PEM_LABEL_MAX + 1],
    struct oc_error *error)
{
	struct oc_pem_cursor at = *cursor;
	uint8_t *other;
	size_t other_len;
	enum oc_err err = find_begin(&at, label, error);

	if (err != OC_OK)
		return err;
	if (strcmp(label, labels[0]) == 0 || strcmp(label, labels[1]) == 0) {
		*cursor = at;
		return get_body(cursor, label, spool_octets, der, error);
	}
	err = oc_pem_next(cursor, label, &other, &other_len, error);
	if (err == OC_OK)
		free(other);
	return err == OC_OK ? OC_ERR_MISMATCH : err;
}

void
oc_pem_write(struct oc_buffer *b, const char *label, const void *der,
    size_t der_len)
{
	const uint8_t *p = der;
	char line[OC_BASE64_LEN(WRITE_OCTETS) + 1];

	oc_buffer_printf(b, "%s%s%s\n", begin_mark, label, dashes);
	while (der_len > 0) {
		size_t len = der_len < WRITE_OCTETS ? der_len : WRITE_OCTETS;

		oc_base64_encode(p, len, line);
		oc_buffer_printf(b, "%s\n", line);
		p += len;
		der_len -= len;
	}
	oc_buffer_printf(b, "%s%s%s\n", end_mark, label, dashes);
}

static void
spool_mark(struct oc_spool *s, const char *mark, const char *label)
{
	oc_spool_put(s, mark, strlen(mark));
	oc_spool_put(s, label, strlen(label));
	oc_spool_put(s, dashes, strlen(dashes));
	oc_spool_put(s, "\n", 1);
}

void
oc_pem_spool(struct oc_spool *s, const char *label, const void *der,
    size_t der_len)
{
	const uint8_t *p = der;
	char line[OC_BASE64_LEN(WRITE_OCTETS) + 1];

	spool_mark(s, begin_mark, label);
	while (der_len > 0) {
		size_t len = der_len < WRITE_OCTETS ? der_len : WRITE_OCTETS;
		size_t line_len = OC_BASE64_LEN(len);

		oc_base64_encode(p, len, line);
		line[line_len] = '\n';	/* where its NUL was */
		oc_spool_put(s, line, line_len + 1);
		p += len;
		der_len -= len;
	}
	spool_mark(s, end_mark, label);
}

bool
oc_pem_has_private_key(const char *text, size_t len)
{
	static const char begin[] = "-----BEGIN", key[] = "PRIVATE KEY";
	struct oc_pem_cursor c = { .text = text, .len = len };
	struct line line;

	/* Anywhere in the line: a file mangled by an editor or a mailer still
	 * has the key in it. */
	while (next_line(&c, &line))
		if (memmem(line.text, line.len, begin, strlen(begin)) &&
		    memmem(line.text, line.len, key, strlen(key)))
			return true;
	return false;
}
