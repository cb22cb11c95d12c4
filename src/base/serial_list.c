/* SPDX-License-Identifier: Apache-2.0 */
#include "base/serial_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

#define CHUNK (64 * 1024)
/* "0x", two digits and a colon each. */
#define WORD_MAX (3 * OC_SERIAL_MAX + 8)
/* Behind the first: what has more is no list of serial numbers. */
#define BAD_MAX 1000

void
oc_serial_list_fini(struct oc_serial_list *list)
{
	free(list->serials);
	*list = (struct oc_serial_list){ 0 };
}

int
oc_serial_compare(const struct oc_serial *a, const struct oc_serial *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->bytes, b->bytes, a->len);
}

/* --- a line ------------------------------------------------------------- */

static void
add(struct oc_serial_list *list, const struct oc_serial *serial)
{
	struct oc_serial *larger;
	uint32_t room;

	if (list->num == OC_SERIAL_LIST_MAX) {
		list->err = OC_ERR_LIMIT;
		return;
	}
	if (list->num == list->room) {
		room = list->room + list->room / 2 + 1024;
		larger = reallocarray(list->serials, room, sizeof(*larger));
		if (larger == NULL) {
			list->err = OC_ERR_NOMEM;
			return;
		}
		list->serials = larger;
		list->room = room;
	}
	list->serials[list->num++] = *serial;
}

static void
note_bad(struct oc_serial_list *list, const char *why)
{
	if (list->num_bad++ == 0)
		oc_error_set(&list->bad, OC_ERR_MALFORMED, "line %llu: %s",
		    (unsigned long long)list->num_lines, why);
}

/* A word without blanks.  What oc_serial_parse() says of one that is none
 * offers decimal, which would be taken for hexadecimal here. */
static void
take_word(struct oc_serial_list *list, const char *text, size_t len)
{
	char word[WORD_MAX + 3] = "0x";
	struct oc_error error = { 0 };
	static const char none[] = "that is no serial number in hexadecimal, "
	    "above zero";
	struct oc_serial serial;
	enum oc_err err;
	bool is_plain = memchr(text, ':', len) == NULL &&
	    !(len > 1 && text[0] == '0' && (text[1] | 0x20) == 'x');

	/* What is hidden behind a NUL would be taken for less than it is. */
	if (len > WORD_MAX || memchr(text, '\0', len) != NULL) {
		note_bad(list, none);
		return;
	}
	memcpy(word + (is_plain ? 2 : 0), text, len);
	word[len + (is_plain ? 2 : 0)] = '\0';
	err = oc_serial_parse(word, &serial, &error);
	if (err == OC_OK)
		add(list, &serial);
	else
		note_bad(list, err == OC_ERR_LIMIT ? error.text : none);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void
end_line(struct oc_serial_list *list)
{
	const char *text = list->line, *comment;
	size_t len = list->line_len;

	list->num_lines++;
	list->line_len = 0;
	if (len > OC_SERIAL_LINE_MAX) {
		note_bad(list, "it is too long");
		return;
	}
	comment = memchr(text, '#', len);
	if (comment != NULL)
		len = (size_t)(comment - text);
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	while (len > 0 && is_blank(*text)) {
		text++;
		len--;
	}
	if (len > 0 && list->err == OC_OK)
		take_word(list, text, len);
}

void
oc_serial_list_feed(struct oc_serial_list *list, const char *octets,
    size_t len)
{
	while (len > 0) {
		const char *end = memchr(octets, '\n', len);
		size_t part = end == NULL ? len : (size_t)(end - octets);

		if (list->line_len + part <= OC_SERIAL_LINE_MAX) {
			memcpy(list->line + list->line_len, octets, part);
			list->line_len += part;
		} else
			list->line_len = OC_SERIAL_LINE_MAX + 1;
		if (end == NULL)
			return;
		end_line(list);
		octets += part + 1;
		len -= part + 1;
	}
}

/* --- all of them -------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	return oc_serial_compare(a, b);
}

static void
sort(struct oc_serial_list *list)
{
	uint32_t num = 0, i;

	if (list->num > 1)
		qsort(list->serials, list->num, sizeof(*list->serials),
		    compare);
	for (i = 0; i < list->num; i++)
		if (num == 0 || !oc_serial_equal(&list->serials[num - 1],
		    &list->serials[i]))
			list->serials[num++] = list->serials[i];
	list->num_double = list->num - num;
	list->num = num;
}

/* Which never ends, maybe. */
static bool
is_hopeless(const struct oc_serial_list *list)
{
	return list->num_bad > BAD_MAX || list->line_len > OC_SERIAL_LINE_MAX;
}

enum oc_err
oc_serial_list_end(struct oc_serial_list *list, struct oc_error *error)
{
	if (list->line_len > 0)
		end_line(list);
	if (list->num_bad == 1)
		return oc_error_set(error, OC_ERR_MALFORMED, "%s",
		    list->bad.text);
	if (list->num_bad > 1)
		return oc_error_set(error, OC_ERR_MALFORMED, "%s; and %s%llu "
		    "lines behind it", list->bad.text, is_hopeless(list) ?
		    "at least " : "", (unsigned long long)list->num_bad - 1);
	if (list->err == OC_ERR_LIMIT)
		return oc_error_set(error, list->err, "there are more than %u "
		    "serial numbers in it: give them in several files",
		    OC_SERIAL_LIST_MAX);
	if (list->err != OC_OK)
		return oc_error_set(error, list->err, "out of memory");
	if (list->num == 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "there is no "
		    "serial number in it");
	sort(list);
	return OC_OK;
}

static enum oc_err
feed_all(int fd, struct oc_serial_list *list, struct oc_error *error)
{
	char *chunk = malloc(CHUNK);
	ssize_t len = -1;

	if (chunk == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	/* What is no text, or far too much, is not read to its end. */
	while (list->err == OC_OK && !is_hopeless(list)) {
		len = read(fd, chunk, CHUNK);
		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			break;
		oc_serial_list_feed(list, chunk, (size_t)len);
	}
	free(chunk);
	if (list->err == OC_OK && !is_hopeless(list) && len < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM,
		    "it cannot be read");
	return OC_OK;
}

enum oc_err
oc_serial_list_read(const char *path, struct oc_serial_list *list,
    struct oc_error *error)
{
	bool is_standard = strcmp(path, "-") == 0;
	const char *name = is_standard ? "standard input" : path;
	int fd = is_standard ? STDIN_FILENO : open(path, O_RDONLY |
	    O_CLOEXEC | O_NOCTTY);
	enum oc_err err;

	if (fd < 0)
		return oc_error_set_errno(error, errno == ENOENT ?
		    OC_ERR_NOT_FOUND : OC_ERR_SYSTEM, "cannot open %s", path);
	err = feed_all(fd, list, error);
	if (!is_standard)
		(void)close(fd);
	if (err == OC_OK)
		err = oc_serial_list_end(list, error);
	return err == OC_OK ? OC_OK : oc_error_prefix(error, "%s", name);
}
