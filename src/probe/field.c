/* SPDX-License-Identifier: Apache-2.0 */
/* A reply's fields: RFC 9110, sections 5.5 to 5.6. */
#include <strings.h>

#include "der/time.h"
#include "probe/client.h"

static struct der_bytes
trim(const uint8_t *p, const uint8_t *end)
{
	while (p != end && (*p == ' ' || *p == '\t'))
		p++;
	while (p != end && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (struct der_bytes){ p, (size_t)(end - p) };
}

/* The next line's value, if its name is this; false at the end. */
static bool
next_field(struct der_bytes *head, const char *name, struct der_bytes *value)
{
	size_t name_len = strlen(name), len;
	const uint8_t *p, *end;

	while (head->len > 0) {
		p = head->p;
		end = memmem(p, head->len, "\r\n", 2);
		if (end == NULL)
			return false;
		len = (size_t)(end - p);
		*head = (struct der_bytes){ end + 2, head->len - len - 2 };
		if (len > name_len && p[name_len] == ':' &&
		    strncasecmp((const char *)p, name, name_len) == 0) {
			*value = trim(p + name_len + 1, end);
			return true;
		}
	}
	return false;
}

unsigned int
probe_num_fields(const struct probe_reply *reply, const char *name)
{
	struct der_bytes head = reply->head, value;
	unsigned int n = 0;

	while (next_field(&head, name, &value))
		n++;
	return n;
}

bool
probe_field(const struct probe_reply *reply, const char *name,
    struct der_bytes *value)
{
	struct der_bytes head = reply->head, found;

	if (probe_num_fields(reply, name) != 1 ||
	    !next_field(&head, name, &found))
		return false;
	*value = found;
	return true;
}

/* Up to the next comma that is in no quoted string: RFC 9110, 5.6.4. */
static size_t
element_len(struct der_bytes list)
{
	bool is_quoted = false;
	size_t i;

	for (i = 0; i < list.len && (is_quoted || list.p[i] != ','); i++)
		if (list.p[i] == '"')
			is_quoted = !is_quoted;
		else if (is_quoted && list.p[i] == '\\' && i + 1 < list.len)
			i++;
	return i;
}

bool
probe_list_has(struct der_bytes list, const char *word,
    struct der_bytes *argument)
{
	size_t word_len = strlen(word), len;
	struct der_bytes element;

	while (list.len > 0) {
		len = element_len(list);
		element = trim(list.p, list.p + len);
		len += len < list.len;
		list = (struct der_bytes){ list.p + len, list.len - len };
		if (element.len < word_len || strncasecmp(
		    (const char *)element.p, word, word_len) != 0)
			continue;
		if (element.len == word_len) {
			if (argument != NULL)
				*argument = (struct der_bytes){ NULL, 0 };
			return true;
		}
		if (element.p[word_len] != '=')
			continue;
		if (argument != NULL)
			*argument = (struct der_bytes){
			    element.p + word_len + 1,
			    element.len - word_len - 1 };
		return true;
	}
	return false;
}

bool
probe_fields_have(const struct probe_reply *reply, const char *name,
    const char *word, struct der_bytes *argument)
{
	struct der_bytes head = reply->head, value;

	while (next_field(&head, name, &value))
		if (probe_list_has(value, word, argument))
			return true;
	return false;
}

/* The n digits at p, -1 if they are none. */
static int
digits(const uint8_t *p, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		value = value * 10 + p[i] - '0';
	}
	return value;
}

/* Which of the three-letter words of list it is, from 0; -1. */
static int
word_of(const uint8_t *p, const char *list)
{
	for (int i = 0; list[3 * i] != '\0'; i++)
		if (memcmp(p, list + 3 * i, 3) == 0)
			return i;
	return -1;
}

/* Sun, 06 Nov 1994 08:49:37 GMT; the epoch was a Thursday. */
bool
probe_date(struct der_bytes text, int64_t *at)
{
	const uint8_t *p = text.p;
	struct der_civil civil;
	int64_t found;

	if (text.len != 29 || memcmp(p + 3, ", ", 2) != 0 || p[7] != ' ' ||
	    p[11] != ' ' || p[16] != ' ' || p[19] != ':' || p[22] != ':' ||
	    memcmp(p + 25, " GMT", 4) != 0)
		return false;
	civil = (struct der_civil){ .day = digits(p + 5, 2),
	    .month = word_of(p + 8, "JanFebMarAprMayJunJulAugSepOctNovDec") +
	    1, .year = digits(p + 12, 4), .hour = digits(p + 17, 2),
	    .minute = digits(p + 20, 2), .second = digits(p + 23, 2) };
	if (civil.year < 1970 ||
	    der_civil_to_unix(&civil, &found) != OC_OK ||
	    word_of(p, "ThuFriSatSunMonTueWed") !=
	    (int)(found / (24 * 60 * 60) % 7))
		return false;
	*at = found;
	return true;
}
