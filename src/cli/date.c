/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/date.h"

#include <string.h>

#include "base/clock.h"
#include "der/time.h"

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
get_date(const char **p, struct der_civil *civil)
{
	return get_digits(p, 4, &civil->year) && get_char(p, '-') &&
	    get_digits(p, 2, &civil->month) && get_char(p, '-') &&
	    get_digits(p, 2, &civil->day);
}

static bool
get_time(const char **p, struct der_civil *civil)
{
	return get_char(p, 'T') && get_digits(p, 2, &civil->hour) &&
	    get_char(p, ':') && get_digits(p, 2, &civil->minute) &&
	    get_char(p, ':') && get_digits(p, 2, &civil->second) &&
	    get_char(p, 'Z');
}

enum oc_err
cli_date_parse(const char *text, int64_t *at, struct oc_error *error)
{
	struct der_civil civil = { 0 };
	const char *p = text;
	int64_t value;

	if (!get_date(&p, &civil) ||
	    (*p != '\0' && (!get_time(&p, &civil) || *p != '\0')) ||
	    der_civil_to_unix(&civil, &value) != OC_OK || value <= 0)
		return oc_error_set(error, OC_ERR_MALFORMED, "\"%.40s\" is no "
		    "date; write 2026-11-23 or 2026-11-23T22:00:00Z", text);
	if (value > oc_clock_now_s())
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "%.40s lies in the future", text);
	*at = value;
	return OC_OK;
}
