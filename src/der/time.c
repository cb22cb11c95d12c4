/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Civil time and Unix seconds.  The calendar is counted in years that begin
 * in March, so that the leap day is the last of its year and one line gives
 * the days before a month.
 */
#include "der/time.h"

#include <stdbool.h>

#define SECONDS_PER_DAY 86400
#define DAYS_PER_ERA 146097		/* 400 years repeat exactly */
#define DAYS_TO_1970 719468		/* from 0000-03-01 */
#define DAYS_TO_MARCH 60		/* from 0000-01-01 */
#define DAYS_TO_JANUARY 306		/* from March 1st */

/*
 * Counted from the era before, to which January and February of 0000 belong:
 * nothing is negative.  The divisions are multiplications (Neri and Schneider,
 * "Euclidean affine functions and their application to calendar algorithms"):
 * what is left of one is the low half of its product.
 */
void
der_civil_from_unix(int64_t at, struct der_civil *civil)
{
	uint64_t since, years;
	uint32_t days, second, quarters, century, day_of_year, months;

	oc_assert(at >= DER_TIME_MIN && at <= DER_TIME_MAX);
	since = (uint64_t)(at - DER_TIME_MIN);
	days = (uint32_t)(since / SECONDS_PER_DAY);
	second = (uint32_t)(since - (uint64_t)days * SECONDS_PER_DAY);

	/* In quarters of days, a century has 146097 of them, a year 1461. */
	quarters = 4 * (days + DAYS_PER_ERA - DAYS_TO_MARCH) + 3;
	century = quarters / DAYS_PER_ERA;
	quarters = (quarters - century * DAYS_PER_ERA) | 3;
	years = UINT64_C(2939745) * quarters;	/* 2^32 / 1461 */
	day_of_year = (uint32_t)years / 2939745 / 4;
	/* 2^16 / 2141 days a month; the months of the year count from 3. */
	months = 2141 * day_of_year + 197913;

	civil->year = (int)(100 * century + (uint32_t)(years >> 32)) - 400;
	civil->month = (int)(months >> 16);
	civil->day = (int)((months & 0xffff) / 2141) + 1;
	if (day_of_year >= DAYS_TO_JANUARY) {
		civil->year++;
		civil->month -= 12;
	}
	civil->hour = (int)(second / 3600);
	second %= 3600;
	civil->minute = (int)(second / 60);
	civil->second = (int)(second % 60);
}

static int
days_in_month(int year, int month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30,
	    31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap);
}

enum oc_err
der_civil_to_unix(const struct der_civil *civil, int64_t *at)
{
	int64_t days;
	int year, era, year_of_era, day_of_year;

	if (civil->year < 0 || civil->year > 9999 || civil->month < 1 ||
	    civil->month > 12 || civil->day < 1 ||
	    civil->day > days_in_month(civil->year, civil->month) ||
	    civil->hour < 0 || civil->hour > 23 || civil->minute < 0 ||
	    civil->minute > 59 || civil->second < 0 || civil->second > 59)
		return OC_ERR_MALFORMED;

	year = civil->month > 2 ? civil->year : civil->year - 1;
	era = year >= 0 ? year / 400 : -1;
	year_of_era = year - 400 * era;
	day_of_year = (153 * ((civil->month + 9) % 12) + 2) / 5 +
	    civil->day - 1;
	days = (int64_t)era * DAYS_PER_ERA + 365 * year_of_era +
	    year_of_era / 4 - year_of_era / 100 + day_of_year - DAYS_TO_1970;
	*at = days * SECONDS_PER_DAY + 3600 * civil->hour +
	    60 * civil->minute + civil->second;
	return OC_OK;
}

/* 0 to 99: looked up, which takes a load and a store. */
static inline void
put_digits(uint8_t out[2], int value)
{
	static const char digits[] =
	    "0001020304050607080910111213141516171819"
	    "2021222324252627282930313233343536373839"
	    "4041424344454647484950515253545556575859"
	    "6061626364656667686970717273747576777879"
	    "8081828384858687888990919293949596979899";

	memcpy(out, digits + 2 * value, 2);
}

/* MMDDHHMMSSZ: what both types end with. */
static void
put_from_month(uint8_t out[11], const struct der_civil *civil)
{
	put_digits(out, civil->month);
	put_digits(out + 2, civil->day);
	put_digits(out + 4, civil->hour);
	put_digits(out + 6, civil->minute);
	put_digits(out + 8, civil->second);
	out[10] = 'Z';
}

void
der_format_gentime(int64_t at, uint8_t out[DER_GENTIME_LEN])
{
	struct der_civil civil;

	der_civil_from_unix(at, &civil);
	put_digits(out, civil.year / 100);
	put_digits(out + 2, civil.year % 100);
	put_from_month(out + 4, &civil);
}

void
der_format_utctime(int64_t at, uint8_t out[DER_UTCTIME_LEN])
{
	struct der_civil civil;

	oc_assert(at >= DER_UTCTIME_FIRST && at <= DER_UTCTIME_LAST);
	der_civil_from_unix(at, &civil);
	put_digits(out, civil.year % 100);
	put_from_month(out + 2, &civil);
}

/* Two decimal digits, or a value no field may have. */
static int
get_digits(const uint8_t in[2])
{
	if (in[0] < '0' || in[0] > '9' || in[1] < '0' || in[1] > '9')
		return -1;
	return 10 * (in[0] - '0') + in[1] - '0';
}

static enum oc_err
get_from_month(const uint8_t in[11], int year, int64_t *at)
{
	struct der_civil civil = {
		.year = year,
		.month = get_digits(in),
		.day = get_digits(in + 2),
		.hour = get_digits(in + 4),
		.minute = get_digits(in + 6),
		.second = get_digits(in + 8)
	};

	if (in[10] != 'Z')
		return OC_ERR_MALFORMED;
	return der_civil_to_unix(&civil, at);
}

enum oc_err
der_parse_gentime(struct der_bytes contents, int64_t *at)
{
	int century, year;

	if (contents.len != DER_GENTIME_LEN)
		return OC_ERR_MALFORMED;
	century = get_digits(contents.p);
	year = get_digits(contents.p + 2);
	if (century < 0 || year < 0)
		return OC_ERR_MALFORMED;
	return get_from_month(contents.p + 4, 100 * century + year, at);
}

enum oc_err
der_parse_utctime(struct der_bytes contents, int64_t *at)
{
	int year;

	if (contents.len != DER_UTCTIME_LEN)
		return OC_ERR_MALFORMED;
	year = get_digits(contents.p);
	if (year < 0)
		return OC_ERR_MALFORMED;
	/* RFC 5280, 4.1.2.5.1: 50 and more are of the last century. */
	year += year >= 50 ? 1900 : 2000;
	return get_from_month(contents.p + 2, year, at);
}

void
der_format_iso8601(int64_t at, char out[DER_ISO8601_MAX])
{
	uint8_t digits[DER_GENTIME_LEN];
	const uint8_t *p = digits;
	const char *pattern;

	der_format_gentime(at, digits);
	for (pattern = "dddd-dd-ddTdd:dd:ddd"; *pattern != '\0'; pattern++)
		*out++ = *pattern == 'd' ? (char)*p++ : *pattern;
	*out = '\0';
}
