/* SPDX-License-Identifier: Apache-2.0 */
/* Names of zones, and of the records that proofs are in. */
#ifndef VALIDATION_NAMES_H
#define VALIDATION_NAMES_H

#include <stdbool.h>

#include "validation/validation.h"

/* "a.example.com" and "com" have "com"; every name has "". */
bool validation_has_suffix(const char *name, const char *suffix);

/* Of PUBLISH and WITHDRAW: prefix and name.  False: not a question like that.
 * In a name are letters, digits, hyphens and underscores alone, in a value
 * what is visible ASCII. */
bool validation_record_name(const struct validation_question *question,
    char name[VALIDATION_NAME_MAX + 1]);

#endif
