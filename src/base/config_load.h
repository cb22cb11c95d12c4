/* SPDX-License-Identifier: Apache-2.0 */
/* What config.c, which reads the sections, and config_check.c, which holds
 * them against each other, share; nobody else includes it. */
#ifndef BASE_CONFIG_LOAD_H
#define BASE_CONFIG_LOAD_H

#include <stdbool.h>

#include "base/config.h"

struct oc_config_loader {
	struct oc_config *config;
	struct oc_config_errors *errors;
	/* Where we are. */
	const struct oc_conf_section *section;
	bool is_nomem;
};

/* About a key of the section where we are; NULL: about the section. */
void oc_config_complain(struct oc_config_loader *l, const char *key, int line,
    const char *what);
/* For free(); NULL: l is out of memory. */
char *oc_config_copy(struct oc_config_loader *l, const char *text);

/* The nearest of the words so far, for "did you mean". */
struct oc_config_nearest {
	const char *wrong;
	const char *word;		/* NULL: none is near */
	unsigned distance;
};
void oc_config_nearest_try(struct oc_config_nearest *n, const char *word);

/* What one section says of another, of all of them. */
void oc_config_cross_check(struct oc_config_loader *l);

#endif
