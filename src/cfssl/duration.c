/* SPDX-License-Identifier: Apache-2.0 */
#include "cfssl/duration.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DURATION_MAX_S (INT64_C(100) * 365 * 24 * 3600)

static const struct {
	char unit;
	int64_t seconds;
} units[] = { { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
#define NUM_UNITS (sizeof(units) / sizeof(units[0]))

enum oc_err
cfssl_duration_parse(const char *text, int64_t *seconds,
    struct oc_error *error)
{
	int64_t sum = 0, number;
	const char *p = text;
	size_t unit = 0, num_digits;

	do {
		num_digits = strspn(p, "0123456789");
		for (number = 0; num_digits > 0; num_digits--, p++)
			if (number <= DURATION_MAX_S)
				number = number * 10 + (*p - '0');
		while (unit < NUM_UNITS && units[unit].unit != *p)
			unit++;
		if (p == text || unit == NUM_UNITS || p[-1] < '0' ||
		    p[-1] > '9')
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "\"%.20s\" is no duration; write hours, minutes "
			    "and seconds, such as 8760h or 1h30m", text);
		if (number > DURATION_MAX_S ||
		    (sum += number * units[unit].seconds) > DURATION_MAX_S)
			return oc_error_set(error, OC_ERR_LIMIT,
			    "\"%.20s\" is more than 100 years", text);
		unit++;
		p++;
	} while (*p != '\0');
	*seconds = sum;
	return OC_OK;
}

enum oc_err
cfssl_instant_parse(const char *text, int64_t *at, struct oc_error *error)
{
	int hours = 0, minutes = 0, used = 0;
	struct tm tm = { .tm_isdst = 0 };
	const char *rest;

	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest == NULL || strlen(text) < 20 || tm.tm_year < 50)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "must be like 2030-01-31T00:00:00Z");
	if (strcmp(rest, "Z") != 0 && (strlen(rest) != 6 ||
	    (rest[0] != '+' && rest[0] != '-') ||
	    sscanf(rest + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 ||
	    used != 5))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "must end with Z or an offset such as +01:00");
	*at = timegm(&tm) - (rest[0] == '-' ? -1 : 1) *
	    (hours * INT64_C(3600) + minutes * 60);
	return OC_OK;
}
