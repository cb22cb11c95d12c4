/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what was fetched may take the place of what is there: so that
 * neither a captive portal's page nor another CA's list does, and a mirror
 * that has fallen behind changes nothing.  Whether it comes into force, only
 * ocsign-status says (status/crl_file.h).
 */
#ifndef FETCH_CHECK_H
#define FETCH_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "status/crl_list.h"

/*
 * PEM or DER, from where; scope: DELTA, or ANY; before: what is there, NULL
 * for nothing.  That a delta goes with the list, ocsign-status says.  What
 * x509_file_parse(), status_crl_list_new(), status_crl_list_check_dates() and
 * status_crl_list_check_older() say.  EXISTS: it is the one before, in force
 * still.
 */
enum oc_err fetch_check(const char *where, uint8_t *octets, size_t len,
    const struct x509_cert *issuer, enum status_crl_scope scope,
    const struct status_crl_list *before, int64_t now,
    struct status_crl_list **list, struct oc_error *error) OC_MUST_CHECK;

/* What is there: NOT_FOUND, or why it counts as nothing. */
enum oc_err fetch_read(const char *path, const struct x509_cert *issuer,
    enum status_crl_scope scope, struct status_crl_list **list,
    struct oc_error *error) OC_MUST_CHECK;

#endif
