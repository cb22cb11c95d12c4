/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/state.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/value.h"

#define HEAD "ocsign-fetch 1\n"
#define FILE_MAX (8 * 1024)
/* The end of 9999, where a GeneralizedTime ends, too. */
#define TIME_MAX INT64_C(253402300799)

enum kind { NUMBER, NUMBER_32, TEXT, DIGEST };

/* A line each, in this order: "name value". */
#define AT(field) offsetof(struct fetch_state, field)
#define ROOM(field) sizeof(((struct fetch_state *)0)->field)
static const struct line {
	const char *name;
	enum kind kind;
	size_t at, room;
} lines[] = {
	{ "tried", NUMBER, AT(tried_at), 0 },
	{ "fetched", NUMBER, AT(fetched_at), 0 },
	{ "next", NUMBER, AT(next_at), 0 },
	{ "until", NUMBER, AT(until), 0 },
	{ "failures", NUMBER_32, AT(num_failures), 0 },
	{ "status", NUMBER_32, AT(http_status), 0 },
	{ "url", TEXT, AT(url), ROOM(url) },
	{ "etag", TEXT, AT(etag), ROOM(etag) },
	{ "modified", TEXT, AT(modified), ROOM(modified) },
	{ "digest", DIGEST, AT(digest), ROOM(digest) },
	{ "why", TEXT, AT(why), ROOM(why) }
};
#define NUM_LINES (sizeof(lines) / sizeof(lines[0]))

bool
fetch_is_wanted(const struct oc_config_issuer *issuer, enum fetch_what what)
{
	switch (what) {
	case FETCH_CRL:
		return issuer->crl_fetch.num > 0;
	case FETCH_DELTA:
		break;
	}
	return issuer->crl_delta_fetch.num > 0;
}

char *
fetch_state_path(const struct oc_config *config,
    const struct oc_config_issuer *issuer, enum fetch_what what)
{
	char *path;

	return asprintf(&path, "%s/%s.%sstate",
	    config->daemon.fetch_directory, issuer->name,
	    what == FETCH_DELTA ? "delta-" : "") < 0 ? NULL : path;
}

/* --- reading ----------------------------------------------------------- */

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool
read_text(const char *value, size_t len, char *text, size_t room)
{
	if (len >= room || !oc_utf8_is_valid(value, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if (is_control(value[i]))
			return false;
	memcpy(text, value, len);
	text[len] = '\0';
	return true;
}

static bool
read_number(const char *value, size_t len, int64_t max, int64_t *number)
{
	char text[24];

	return read_text(value, len, text, sizeof(text)) &&
	    oc_value_int(text, 0, max, number, NULL) == OC_OK;
}

static bool
read_value(const struct line *line, const char *value, size_t len,
    struct fetch_state *state)
{
	char *field = (char *)state + line->at;
	int64_t number;
	size_t num;

	switch (line->kind) {
	case NUMBER:
		return read_number(value, len, TIME_MAX, (int64_t *)(void *)
		    field);
	case NUMBER_32:
		if (!read_number(value, len, UINT32_MAX, &number))
			return false;
		*(uint32_t *)(void *)field = (uint32_t)number;
		return true;
	case TEXT:
		return read_text(value, len, field, line->room);
	case DIGEST:
		return oc_hex_decode(value, len, (uint8_t *)field, line->room,
		    &num) == OC_OK && num == line->room;
	}
	return false;
}

static bool
read_line(const struct line *line, const char **p, const char *end,
    struct fetch_state *state)
{
	size_t name_len = strlen(line->name);
	const char *stop = memchr(*p, '\n', (size_t)(end - *p));
	const char *value = *p + name_len + 1;

	if (stop == NULL || value > stop ||
	    memcmp(*p, line->name, name_len) != 0 || value[-1] != ' ')
		return false;
	*p = stop + 1;
	return read_value(line, value, (size_t)(stop - value), state);
}

enum oc_err
fetch_state_read(const char *path, struct fetch_state *out,
    struct oc_error *error)
{
	struct fetch_state state = { .tried_at = 0 };
	const char *p, *end;
	uint8_t *bytes;
	size_t len, i = 0;
	enum oc_err err;

	err = oc_file_read_regular(path, FILE_MAX, &bytes, &len, NULL, error);
	if (err != OC_OK)
		return err;
	p = (const char *)bytes;
	end = p + len;
	if (len >= strlen(HEAD) && memcmp(p, HEAD, strlen(HEAD)) == 0) {
		p += strlen(HEAD);
		while (i < NUM_LINES && read_line(&lines[i], &p, end, &state))
			i++;
	}
	free(bytes);
	if (i < NUM_LINES || p != end)
		return oc_error_set(error, OC_ERR_MALFORMED, "%s: line %zu is "
		    "not as ocsign-fetcher writes it", path, i + 2);
	*out = state;
	return OC_OK;
}

/* --- writing ----------------------------------------------------------- */

static void
put_text(struct oc_buffer *out, const char *text)
{
	size_t len = strlen(text);

	/* Cut where it was copied, in the middle of a character perhaps. */
	while (!oc_utf8_is_valid(text, len))
		len--;
	for (size_t i = 0; i < len; i++)
		if (!is_control(text[i]))
			oc_buffer_put(out, &text[i], 1);
}

static void
put_value(struct oc_buffer *out, const struct line *line,
    const struct fetch_state *state)
{
	const char *field = (const char *)state + line->at;
	char digest[OC_HEX_LEN(FETCH_DIGEST_LEN) + 1];

	switch (line->kind) {
	case NUMBER:
		oc_buffer_printf(out, "%" PRId64, *(const int64_t *)
		    (const void *)field);
		return;
	case NUMBER_32:
		oc_buffer_printf(out, "%" PRIu32, *(const uint32_t *)
		    (const void *)field);
		return;
	case TEXT:
		put_text(out, field);
		return;
	case DIGEST:
		oc_hex_encode(field, line->room, digest);
		oc_buffer_put_text(out, digest);
		return;
	}
}

enum oc_err
fetch_state_write(const char *path, const struct fetch_state *state,
    struct oc_error *error)
{
	struct oc_buffer text;
	enum oc_err err;

	oc_buffer_init(&text, FILE_MAX);
	oc_buffer_put_text(&text, HEAD);
	for (size_t i = 0; i < NUM_LINES; i++) {
		oc_buffer_printf(&text, "%s ", lines[i].name);
		put_value(&text, &lines[i], state);
		oc_buffer_put_text(&text, "\n");
	}
	err = text.err != OC_OK ? oc_error_set(error, text.err, "%s: %s",
	    path, oc_strerror(text.err)) : oc_file_write(path, 0640,
	    oc_buffer_text(&text), text.len, error);
	oc_buffer_fini(&text);
	return err;
}
