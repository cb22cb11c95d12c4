/* SPDX-License-Identifier: Apache-2.0 */
/* The names that CFSSL has for key usages and extended ones, in its profiles
 * and in what it says of them. */
#ifndef CFSSL_USAGE_H
#define CFSSL_USAGE_H

#include <stdint.h>

struct cfssl_usage {
	const char *name;		/* NULL ends the table */
	uint32_t key_usage;		/* X509_KU_; 0: an extended one */
	const char *eku;		/* dotted; NULL: none */
};

/* Of several names for one thing, the first is what it is called. */
extern const struct cfssl_usage cfssl_usages[];
/* NULL: there is none of that name. */
const struct cfssl_usage *cfssl_usage_find(const char *name);

#endif
