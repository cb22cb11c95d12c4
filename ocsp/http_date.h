/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP dates, RFC 9110 section 5.6.7. */
#ifndef OCSP_HTTP_DATE_H
#define OCSP_HTTP_DATE_H

#include "der/bytes.h"

#define HTTP_DATE_LEN 29	/* Sun, 06 Nov 1994 08:49:37 GMT */

/* Writes IMF-fixdate, no NUL; at in DER_TIME_MIN..MAX. */
void http_date_format(int64_t at, char out[HTTP_DATE_LEN]);

/* Any of the three forms: IMF-fixdate, RFC 850's, asctime()'s.  A two-digit
 * year that looks over 50 years ahead of now is in the past.  The day's name
 * is not held against the date. */
bool http_date_parse(struct der_bytes text, int64_t now, int64_t *at);

#endif
