/* SPDX-License-Identifier: Apache-2.0 */
#include "cfssl/duration.h"

#include <stdbool.h>
#include <string.h>

#include "der/time.h"

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

/* Moves *text over what it must be like: '0' stands for a digit, all else for
 * itself.  The two-digit numbers go into fields; a year is two of them. */
static bool
read_fields(const char **text, const char *like, int *fields)
{
	const char *p = *text;
	int num_digits = 0;

	for (; *like != '\0'; like++, p++) {
		if (*like != '0') {
			if (*p != *like)
				return false;
			continue;
		}
		if (*p < '0' || *p > '9')
			return false;
		if (num_digits++ % 2 == 0)
			*fields = 10 * (*p - '0');
		else
			*fields++ += *p - '0';
	}
	*text = p;
	return true;
}

/* What the clock there is ahead of UTC; nothing may follow. */
static bool
read_offset(const char *text, int64_t *offset_s)
{
	int sign = *text == '-' ? -1 : 1, fields[2];

	*offset_s = 0;
	if (strcmp(text, "Z") == 0)
		return true;
	if (*text != '+' && *text != '-')
		return false;
	text++;
	if (!read_fields(&text, "00:00", fields) || *text != '\0' ||
	    fields[0] > 23 || fields[1] > 59)
		return false;
	*offset_s = sign * (fields[0] * INT64_C(3600) + fields[1] * 60);
	return true;
}

enum oc_err
cfssl_instant_parse(const char *text, int64_t *at, struct oc_error *error)
{
	struct der_civil civil;
	int64_t local, offset_s;
	int fields[7];

	if (!read_fields(&text, "0000-00-00T00:00:00", fields))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "must be like 2030-01-31T00:00:00Z");
	if (!read_offset(text, &offset_s))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "must end with Z or an offset such as +01:00");
	civil = (struct der_civil){ 100 * fields[0] + fields[1], fields[2],
	    fields[3], fields[4], fields[5], fields[6] };
	if (der_civil_to_unix(&civil, &local) != OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "there is no such day or time of day");
	if (local - offset_s < DER_UTCTIME_FIRST ||
	    local - offset_s > DER_TIME_MAX)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "must be from 1950 to 9999");
	*at = local - offset_s;
	return OC_OK;
}
