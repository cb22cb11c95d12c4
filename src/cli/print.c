/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents, and the same for people. */
#include "cli/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/pem.h"
#include "cli/work_impl.h"
#include "der/time.h"
#include "x509/name.h"

#define COLUMNS_MAX 16
#define CELL_MAX 4096

static json_t *
have(json_t *value)
{
	if (value == NULL)
		cli_no_memory();
	return value;
}

json_t *
cli_object(void)
{
	return have(json_object());
}

json_t *
cli_array(void)
{
	return have(json_array());
}

void
cli_put(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, have(value)) != 0)
		cli_no_memory();
}

void
cli_append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, have(value)) != 0)
		cli_no_memory();
}

static json_t *
text_value(const char *text)
{
	json_t *value;
	char *copy;

	if (oc_utf8_is_valid(text, strlen(text)))
		return json_string(text);
	copy = strdup(text);
	for (char *p = copy; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	value = copy == NULL ? NULL : json_string(copy);
	free(copy);
	return value;
}

void
cli_put_text(json_t *object, const char *name, const char *text)
{
	if (text != NULL)
		cli_put(object, name, text_value(text));
}

void
cli_append_text(json_t *array, const char *text)
{
	cli_append(array, text_value(text));
}

void
cli_put_int(json_t *object, const char *name, int64_t value)
{
	cli_put(object, name, json_integer(value));
}

void
cli_put_bool(json_t *object, const char *name, bool value)
{
	cli_put(object, name, json_boolean(value));
}

void
cli_put_time(json_t *object, const char *name, int64_t at)
{
	char text[DER_ISO8601_MAX];

	der_format_iso8601(at, text);
	cli_put_text(object, name, text);
}

void
cli_put_hex(json_t *object, const char *name, struct der_bytes bytes)
{
	char *text = malloc(OC_HEX_LEN(bytes.len) + 1);

	if (text == NULL)
		cli_no_memory();
	oc_hex_encode(bytes.p, bytes.len, text);
	cli_put_text(object, name, text);
	free(text);
}

void
cli_put_integer(json_t *object, const char *name, struct der_bytes contents)
{
	char *text = malloc(OC_HEX_LEN(contents.len) + 1);

	/* The octet that only carries the sign says nothing. */
	if (contents.len > 1 && contents.p[0] == 0) {
		contents.p++;
		contents.len--;
	}
	if (text == NULL)
		cli_no_memory();
	oc_hex_encode(contents.p, contents.len, text);
	for (char *p = text; *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'f')
			*p = (char)(*p - 'a' + 'A');
	cli_put_text(object, name, text);
	free(text);
}

void
cli_put_number(json_t *object, const char *name, uint64_t number)
{
	uint8_t bytes[sizeof(number)];
	size_t i, first = sizeof(bytes) - 1;

	for (i = sizeof(bytes); i-- > 0; number >>= 8) {
		bytes[i] = (uint8_t)number;
		if (bytes[i] != 0)
			first = i;
	}
	cli_put_integer(object, name, (struct der_bytes){ bytes + first,
	    sizeof(bytes) - first });
}

void
cli_put_name(json_t *object, const char *name, struct der_bytes tlv)
{
	char text[X509_NAME_TEXT_MAX];

	x509_name_format(tlv, text);
	cli_put_text(object, name, text);
}

void
cli_put_serial(json_t *object, const struct oc_serial *serial)
{
	char text[OC_SERIAL_TEXT_MAX];

	oc_serial_format(serial, text);
	cli_put_text(object, "serial", text);
}

/* --- for people ------------------------------------------------------- */

static void
put_cell(struct oc_buffer *b, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		oc_buffer_put_text(b, json_string_value(value));
		return;
	case JSON_INTEGER:
		oc_buffer_printf(b, "%lld",
		    (long long)json_integer_value(value));
		return;
	case JSON_REAL:
		oc_buffer_printf(b, "%g", json_real_value(value));
		return;
	case JSON_TRUE:
		oc_buffer_put_text(b, "yes");
		return;
	case JSON_FALSE:
		oc_buffer_put_text(b, "no");
		return;
	case JSON_NULL:
		oc_buffer_put_text(b, "-");
		return;
	case JSON_ARRAY:
		for (size_t i = 0; i < json_array_size(value); i++) {
			oc_buffer_put_text(b, i == 0 ? "" : ", ");
			put_cell(b, json_array_get(value, i));
		}
		return;
	case JSON_OBJECT: {
		char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);

		if (text == NULL)
			cli_no_memory();
		oc_buffer_put_text(b, text);
		free(text);
		return;
	}
	}
}

/* One line, whatever is in it; for free(). */
static char *
cell_of(const json_t *value)
{
	struct oc_buffer b;
	uint8_t *bytes;
	size_t len;

	oc_buffer_init(&b, 1024 * 1024);
	if (value != NULL)
		put_cell(&b, value);
	if (b.len == 0)
		oc_buffer_put_text(&b, "-");
	/* An empty buffer has no bytes to take. */
	oc_buffer_put(&b, "", 1);
	if (oc_buffer_take(&b, &bytes, &len) != OC_OK)
		cli_no_memory();
	for (uint8_t *p = bytes; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = ' ';
	return (char *)bytes;
}

/* Columns on a terminal; UTF-8's tail octets take none. */
static size_t
width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void
print_padded(const char *text, size_t width)
{
	size_t own = width_of(text);

	(void)fputs(text, stdout);
	for (; own < width; own++)
		(void)putchar(' ');
}

static void
print_label(const char *name, size_t width)
{
	char text[64];
	size_t i;

	for (i = 0; name[i] != '\0' && i < sizeof(text) - 2; i++)
		text[i] = name[i] == '_' ? ' ' : name[i];
	text[i] = ':';
	text[i + 1] = '\0';
	print_padded(text, width + 3);
}

static void
print_rows(const json_t *rows, const char *const *columns)
{
	size_t widths[COLUMNS_MAX] = { 0 }, num = 0, i, row;
	char *cell;

	while (columns[num] != NULL)
		num++;
	oc_assert(num <= COLUMNS_MAX);
	for (i = 0; i < num; i++) {
		widths[i] = strlen(columns[i]);
		for (row = 0; row < json_array_size(rows); row++) {
			cell = cell_of(json_object_get(json_array_get(rows,
			    row), columns[i]));
			if (width_of(cell) > widths[i])
				widths[i] = width_of(cell);
			free(cell);
		}
	}
	for (i = 0; i < num; i++) {
		char *name = strdup(columns[i]);

		for (char *p = name; p != NULL && *p != '\0'; p++)
			*p = *p == '_' ? ' ' : *p;
		print_padded(name == NULL ? "" : name,
		    i + 1 < num ? widths[i] + 2 : 0);
		free(name);
	}
	(void)putchar('\n');
	for (row = 0; row < json_array_size(rows); row++) {
		for (i = 0; i < num; i++) {
			cell = cell_of(json_object_get(json_array_get(rows,
			    row), columns[i]));
			print_padded(cell, i + 1 < num ? widths[i] + 2 : 0);
			free(cell);
		}
		(void)putchar('\n');
	}
}

/* All members of the first row are columns. */
static void
print_inner_table(const char *name, const json_t *rows)
{
	const char *columns[COLUMNS_MAX + 1] = { NULL };
	json_t *first = json_array_get(rows, 0);
	void *at = json_object_iter(first);
	size_t num = 0;

	(void)putchar('\n');
	print_label(name, 0);
	(void)putchar('\n');
	for (; at != NULL && num < COLUMNS_MAX;
	    at = json_object_iter_next(first, at))
		columns[num++] = json_object_iter_key(at);
	print_rows(rows, columns);
}

static bool
is_table(const json_t *value)
{
	return json_is_array(value) &&
	    json_is_object(json_array_get(value, 0));
}

static void
print_members(json_t *object)
{
	size_t width = 0;
	void *at;

	for (at = json_object_iter(object); at != NULL;
	    at = json_object_iter_next(object, at))
		if (strlen(json_object_iter_key(at)) > width)
			width = strlen(json_object_iter_key(at));
	for (at = json_object_iter(object); at != NULL;
	    at = json_object_iter_next(object, at)) {
		char *cell;

		if (is_table(json_object_iter_value(at)))
			continue;
		cell = cell_of(json_object_iter_value(at));
		print_label(json_object_iter_key(at), width);
		printf("%s\n", cell);
		free(cell);
	}
	for (at = json_object_iter(object); at != NULL;
	    at = json_object_iter_next(object, at))
		if (is_table(json_object_iter_value(at)))
			print_inner_table(json_object_iter_key(at),
			    json_object_iter_value(at));
}

static void
print_json(const json_t *document)
{
	(void)json_dumpf(document, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
	(void)putchar('\n');
}

void
cli_print(const struct cli *cli, json_t *document)
{
	if (cli->format == CLI_FORMAT_JSON)
		print_json(document);
	else
		print_members(document);
	json_decref(document);
}

void
cli_print_table(const struct cli *cli, json_t *rows,
    const char *const *columns)
{
	if (cli->format == CLI_FORMAT_JSON)
		print_json(rows);
	else
		print_rows(rows, columns);
	json_decref(rows);
}
