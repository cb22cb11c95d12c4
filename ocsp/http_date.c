/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP dates, RFC 9110 section 5.6.7; without locale or time zone. */
#include "ocsp/http_date.h"

#include <string.h>

#include "der/time.h"

#define SECONDS_A_DAY 86400

static const char day_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static void
put_two(char *out, int value)
{
	out[0] = (char)('0' + value / 10);
	out[1] = (char)('0' + value % 10);
}

void
http_date_format(int64_t at, char out[HTTP_DATE_LEN])
{
	struct der_civil c;
	int64_t day = at / SECONDS_A_DAY - (at % SECONDS_A_DAY < 0);
	/* The first of January 1970 was a Thursday. */
	int weekday = (int)(((day + 4) % 7 + 7) % 7);

	der_civil_from_unix(at, &c);
	memcpy(out, "Ddd, 00 Mmm 0000 00:00:00 GMT", HTTP_DATE_LEN);
	memcpy(out, day_names + 3 * weekday, 3);
	put_two(out + 5, c.day);
	memcpy(out + 8, month_names + 3 * (c.month - 1), 3);
	put_two(out + 12, c.year / 100);
	put_two(out + 14, c.year % 100);
	put_two(out + 17, c.hour);
	put_two(out + 20, c.minute);
	put_two(out + 23, c.second);
}

/* len digits. */
static bool
number(const uint8_t *p, size_t len, int *value)
{
	size_t i;

	for (*value = 0, i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*value = *value * 10 + (p[i] - '0');
	}
	return true;
}

static bool
month(const uint8_t *p, int *value)
{
	for (*value = 1; *value <= 12; (*value)++)
		if (memcmp(p, month_names + 3 * (*value - 1), 3) == 0)
			return true;
	return false;
}

/* hh:mm:ss */
static bool
time_of_day(const uint8_t *p, struct der_civil *c)
{
	return number(p, 2, &c->hour) && p[2] == ':' &&
	    number(p + 3, 2, &c->minute) && p[5] == ':' &&
	    number(p + 6, 2, &c->second);
}

/* 06 Nov 1994 08:49:37 GMT */
static bool
parse_imf(struct der_bytes t, struct der_civil *c)
{
	const uint8_t *p = t.p + 5;

	return number(p, 2, &c->day) && p[2] == ' ' &&
	    month(p + 3, &c->month) && p[6] == ' ' &&
	    number(p + 7, 4, &c->year) && p[11] == ' ' &&
	    time_of_day(p + 12, c) && memcmp(p + 20, " GMT", 4) == 0;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool
parse_rfc850(struct der_bytes t, int64_t now, struct der_civil *c)
{
	const uint8_t *p = t.p + t.len - 22;
	struct der_civil today;

	if (!(number(p, 2, &c->day) && p[2] == '-' &&
	    month(p + 3, &c->month) && p[6] == '-' &&
	    number(p + 7, 2, &c->year) && p[9] == ' ' &&
	    time_of_day(p + 10, c) && memcmp(p + 18, " GMT", 4) == 0))
		return false;
	der_civil_from_unix(now, &today);
	c->year += today.year - today.year % 100;
	if (c->year > today.year + 50)
		c->year -= 100;
	return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool
parse_asctime(struct der_bytes t, struct der_civil *c)
{
	const uint8_t *p = t.p + 4;
	bool has_space = p[4] == ' ';

	return month(p, &c->month) && p[3] == ' ' &&
	    number(p + 4 + has_space, has_space ? 1 : 2, &c->day) &&
	    p[6] == ' ' && time_of_day(p + 7, c) && p[15] == ' ' &&
	    number(p + 16, 4, &c->year);
}

bool
http_date_parse(struct der_bytes text, int64_t now, int64_t *at)
{
	struct der_civil c = { 0 };
	bool is_date;

	if (text.len == HTTP_DATE_LEN && text.p[3] == ',')
		is_date = parse_imf(text, &c);
	else if (text.len == 24 && text.p[3] == ' ')
		is_date = parse_asctime(text, &c);
	else
		is_date = text.len >= 30 && text.len <= 33 &&
		    text.p[text.len - 24] == ',' &&
		    parse_rfc850(text, now, &c);
	return is_date && der_civil_to_unix(&c, at) == OC_OK;
}
