/* SPDX-License-Identifier: Apache-2.0 */
/* The CRLs in files of all issuers that have one: one thread each. */
#ifndef STATUS_CRL_FILES_H
#define STATUS_CRL_FILES_H

#include "status/crl_file.h"

struct status_crl_files;

/*
 * Reads them; config is borrowed.  An issuer without a certificate yet is left
 * out.  Blocks.  Nobody looks at them again before _watch(), which is for when
 * no predecessor does any more.
 */
enum oc_err status_crl_files_new(const struct oc_config *config,
    struct status_crl_files **files, struct oc_error *error) OC_MUST_CHECK;
enum oc_err status_crl_files_watch(struct status_crl_files *files)
    OC_MUST_CHECK;
void status_crl_files_stop(struct status_crl_files *files);  /* NULL: fine */
void status_crl_files_free(struct status_crl_files *files);  /* NULL: fine */

/* By an issuer of the configuration; NULL: it has none. */
struct status_crl_file *status_crl_files_find(
    const struct status_crl_files *files,
    const struct oc_config_issuer *issuer);

/* For people and metrics: by a place below _num(), of which NULL has none;
 * false where that issuer has no such file. */
size_t status_crl_files_num(const struct status_crl_files *files);
bool status_crl_files_report(const struct status_crl_files *files, size_t i,
    struct status_crl_report *report);

#endif
