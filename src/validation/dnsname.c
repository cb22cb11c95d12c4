/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/dnsname.h"

#include <stddef.h>
#include <string.h>

#define LABEL_MAX 63

bool
validation_dns_name_is_valid(const char *name)
{
	size_t len = strlen(name), label_len;

	if (len == 0 || len > VALIDATION_DNS_NAME_MAX)
		return false;
	for (;; name++) {
		label_len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
		if (label_len == 0 || label_len > LABEL_MAX)
			return false;
		name += label_len;
		if (*name != '.')
			return *name == '\0';
	}
}
