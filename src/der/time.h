/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Civil time and Unix seconds, both ways, without the C library's time zone;
 * GeneralizedTime and UTCTime as RFC 5280 4.1.2.5 allows them.
 */
#ifndef DER_TIME_H
#define DER_TIME_H

#include "base/err.h"
#include "der/bytes.h"

#define DER_GENTIME_LEN 15	/* YYYYMMDDHHMMSSZ */
#define DER_UTCTIME_LEN 13	/* YYMMDDHHMMSSZ */
/* 0000-01-01 and 9999-12-31T23:59:59 as Unix seconds; the last also says "no
 * well-defined expiration" (RFC 5280, 4.1.2.5). */
#define DER_TIME_MIN INT64_C(-62167219200)
#define DER_TIME_MAX INT64_C(253402300799)
/* 1950-01-01 and 2049-12-31T23:59:59: what UTCTime can say. */
#define DER_UTCTIME_FIRST INT64_C(-631152000)
#define DER_UTCTIME_LAST INT64_C(2524607999)

struct der_civil {
	int year, month, day, hour, minute, second;	/* month, day from 1 */
};

/* at in DER_TIME_MIN..MAX. */
void der_civil_from_unix(int64_t at, struct der_civil *civil);
/* MALFORMED if a field is out of range (a leap second is); years 0 to 9999. */
enum oc_err der_civil_to_unix(const struct der_civil *civil, int64_t *at)
    OC_MUST_CHECK;

/* Writes exactly DER_GENTIME_LEN octets, no NUL; at in DER_TIME_MIN..MAX. */
void der_format_gentime(int64_t at, uint8_t out[DER_GENTIME_LEN]);
/* at in DER_UTCTIME_FIRST..LAST. */
void der_format_utctime(int64_t at, uint8_t out[DER_UTCTIME_LEN]);

enum oc_err der_parse_gentime(struct der_bytes contents, int64_t *at)
    OC_MUST_CHECK;
enum oc_err der_parse_utctime(struct der_bytes contents, int64_t *at)
    OC_MUST_CHECK;

/* "2026-11-23T22:00:00Z", NUL-terminated, for people and JSON. */
#define DER_ISO8601_MAX 21
void der_format_iso8601(int64_t at, char out[DER_ISO8601_MAX]);

#endif
