/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer tells a template while it is recorded.  Private to der/:
 * writer.c calls it, template.c implements it.
 *
 * The header of a value whose length cannot change becomes plain octets when
 * it ends, so that only what can change costs anything when the template is
 * filled.
 */
#ifndef DER_RECORD_H
#define DER_RECORD_H

#include "der/template.h"

/* Runs put in DER_RECORD mode. */
enum oc_err der_record(struct der_template *t, der_put_fn *put,
    const void *arg) OC_MUST_CHECK;

/* All of them: LIMIT if there is too much of it, NOMEM. */
enum oc_err der_record_octets(struct der_template *t, struct der_bytes octets)
    OC_MUST_CHECK;
/* len is 0 if it may have any. */
enum oc_err der_record_hole(struct der_template *t, unsigned int hole,
    size_t len) OC_MUST_CHECK;
enum oc_err der_record_begin(struct der_template *t, uint8_t tag)
    OC_MUST_CHECK;
enum oc_err der_record_end(struct der_template *t) OC_MUST_CHECK;

#endif
