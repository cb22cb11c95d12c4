/* SPDX-License-Identifier: Apache-2.0 */
#include "acme/instant.h"

#include <string.h>

#include "der/time.h"

/* num digits, and then end; '\0': whatever. */
static bool
take_number(const char **p, int num, char end, int *value)
{
	*value = 0;
	for (; num > 0; num--, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		*value = *value * 10 + (**p - '0');
	}
	if (end == '\0')
		return true;
	return *(*p)++ == end;
}

static bool
take_offset(const char **p, int64_t *offset_s)
{
	int hours, minutes, sign;

	*offset_s = 0;
	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		return true;
	}
	sign = **p == '-' ? -1 : 1;
	if (**p != '-' && **p != '+')
		return false;
	(*p)++;
	if (!take_number(p, 2, ':', &hours) ||
	    !take_number(p, 2, '\0', &minutes) || hours > 23 || minutes > 59)
		return false;
	*offset_s = sign * INT64_C(60) * (60 * hours + minutes);
	return true;
}

enum oc_err
acme_instant_parse(const char *text, int64_t *at)
{
	struct der_civil c;
	const char *p = text;
	int64_t offset_s, local;

	if (!take_number(&p, 4, '-', &c.year) ||
	    !take_number(&p, 2, '-', &c.month) ||
	    !take_number(&p, 2, '\0', &c.day) || (*p != 'T' && *p != 't'))
		return OC_ERR_MALFORMED;
	p++;
	if (!take_number(&p, 2, ':', &c.hour) ||
	    !take_number(&p, 2, ':', &c.minute) ||
	    !take_number(&p, 2, '\0', &c.second))
		return OC_ERR_MALFORMED;
	if (*p == '.') {
		size_t num = strspn(++p, "0123456789");

		if (num == 0)
			return OC_ERR_MALFORMED;
		p += num;
	}
	if (!take_offset(&p, &offset_s) || *p != '\0' ||
	    der_civil_to_unix(&c, &local) != OC_OK)
		return OC_ERR_MALFORMED;
	*at = local - offset_s;
	return OC_OK;
}
