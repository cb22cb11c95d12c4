/* SPDX-License-Identifier: Apache-2.0 */
/* Names as we ask DNS about them: text without escapes, no dot behind it. */
#ifndef VALIDATION_DNSNAME_H
#define VALIDATION_DNSNAME_H

#include <stdbool.h>

#define VALIDATION_DNS_NAME_MAX 253	/* RFC 1035, 2.3.4, as text */

/* Letters, digits, '-' and '_' in labels of 1 to 63. */
bool validation_dns_name_is_valid(const char *name);

#endif
