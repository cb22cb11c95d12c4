/* SPDX-License-Identifier: Apache-2.0 */
#include "cfssl/duration.h"

#include <string.h>

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
