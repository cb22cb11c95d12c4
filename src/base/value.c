/* SPDX-License-Identifier: Apache-2.0 */
#include "base/value.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define DAY INT64_C(86400)
#define DURATION_MAX (100 * 365 * DAY)
#define DISTANCE_LEN_MAX 64

struct unit {
	char letter;
	int64_t factor;
};

static const struct unit duration_units[] = {
	{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', DAY }, { 'w', 7 * DAY },
	{ 'y', 365 * DAY }, { '\0', 0 }
};

/* Digits up to end; saturates, which is over every limit. */
static bool
parse_digits(const char *text, const char *end, int64_t *value)
{
	int64_t v = 0;

	if (text == end || (*text == '0' && text + 1 != end))
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v > (INT64_MAX - 9) / 10 ? INT64_MAX :
		    v * 10 + (*text - '0');
	}
	*value = v;
	return true;
}

enum oc_err
oc_value_int(const char *text, int64_t min, int64_t max, int64_t *value,
    struct oc_error *error)
{
	bool is_negative = text[0] == '-';
	const char *digits = is_negative ? text + 1 : text;
	int64_t v;

	if (!parse_digits(digits, text + strlen(text), &v))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "\"%.64s\" is no number; write %" PRId64 " to %" PRId64,
		    text, min, max);
	if (is_negative)
		v = -v;
	if (v < min || v > max)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "%.64s is out of range; write %" PRId64 " to %" PRId64,
		    text, min, max);
	*value = v;
	return OC_OK;
}

static enum oc_err
parse_duration(const char *text, int64_t *seconds)
{
	const char *end = text + strlen(text);
	const struct unit *unit = duration_units;
	int64_t v;

	if (end == text)
		return OC_ERR_MALFORMED;
	while (unit->letter != '\0' && unit->letter != end[-1])
		unit++;
	if (unit->letter == '\0' || !parse_digits(text, end - 1, &v))
		return OC_ERR_MALFORMED;
	if (v > DURATION_MAX / unit->factor)
		return OC_ERR_LIMIT;
	*seconds = v * unit->factor;
	return OC_OK;
}

enum oc_err
oc_value_duration(const char *text, int64_t *seconds, struct oc_error *error)
{
	enum oc_err err = parse_duration(text, seconds);

	if (err == OC_ERR_LIMIT)
		return oc_error_set(error, err,
		    "%.64s is longer than 100 years", text);
	if (err != OC_OK)
		return oc_error_set(error, err,
		    "\"%.64s\" is no duration; write a number and s, m, h, d, "
		    "w or y, such as 90s or 7d", text);
	return OC_OK;
}

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment: Levenshtein's, and two neighbours that changed
 * places are one step.  Three rows of the matrix at a time. */
unsigned
oc_value_distance(const char *a, const char *b)
{
	unsigned rows[3][DISTANCE_LEN_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > DISTANCE_LEN_MAX || b_len > DISTANCE_LEN_MAX)
		return DISTANCE_LEN_MAX + 1;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *above = rows[(i + 2) % 3];
		const unsigned *two_above = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1,
			    above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && two_above[j - 2] + 1 <
			    row[j])
				row[j] = two_above[j - 2] + 1;
		}
	}
	return rows[a_len % 3][b_len];
}

/* --- dates ------------------------------------------------------------ */

/* Exactly so many digits. */
static bool
get_digits(const char **text, int num, int *value)
{
	for (*value = 0; num > 0; num--, ++*text) {
		if (**text < '0' || **text > '9')
			return false;
		*value = *value * 10 + (**text - '0');
	}
	return true;
}

static bool
get_char(const char **text, char c)
{
	if (**text != c)
		return false;
	++*text;
	return true;
}

static bool
get_date(const char **p, struct tm *tm)
{
	return get_digits(p, 4, &tm->tm_year) && get_char(p, '-') &&
	    get_digits(p, 2, &tm->tm_mon) && get_char(p, '-') &&
	    get_digits(p, 2, &tm->tm_mday);
}

static bool
get_time(const char **p, struct tm *tm)
{
	return get_char(p, 'T') && get_digits(p, 2, &tm->tm_hour) &&
	    get_char(p, ':') && get_digits(p, 2, &tm->tm_min) &&
	    get_char(p, ':') && get_digits(p, 2, &tm->tm_sec) &&
	    get_char(p, 'Z');
}

enum oc_err
oc_value_date(const char *text, int64_t latest, int64_t *at,
    struct oc_error *error)
{
	struct tm tm = { 0 }, same;
	const char *p = text;
	bool is_date = get_date(&p, &tm) &&
	    (*p == '\0' || (get_time(&p, &tm) && *p == '\0'));
	time_t value;

	/* What is no day of that month becomes one of the next. */
	tm.tm_year -= 1900;
	tm.tm_mon--;
	same = tm;
	value = timegm(&same);
	if (!is_date || value <= 0 || same.tm_mday != tm.tm_mday ||
	    same.tm_mon != tm.tm_mon || same.tm_hour != tm.tm_hour ||
	    same.tm_min != tm.tm_min || same.tm_sec != tm.tm_sec)
		return oc_error_set(error, OC_ERR_MALFORMED, "\"%.40s\" is no "
		    "date; write 2026-11-23 or 2026-11-23T22:00:00Z", text);
	if (value > latest && value > oc_clock_now_s())
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "%.40s lies in the future", text);
	*at = value;
	return OC_OK;
}
