/* SPDX-License-Identifier: Apache-2.0 */
/* The files of all issuers in which somebody else says what is so: one thread
 * each. */
#ifndef STATUS_FILES_H
#define STATUS_FILES_H

#include "fetch/state.h"
#include "status/crl_file.h"
#include "status/records.h"

struct status_files;

/*
 * Reads them; config is borrowed.  An issuer without a certificate yet is left
 * out.  Blocks.  Nobody looks at them again before _watch(), which is for when
 * no predecessor does any more.
 */
enum oc_err status_files_new(const struct oc_config *config,
    struct status_files **files, struct oc_error *error) OC_MUST_CHECK;
enum oc_err status_files_watch(struct status_files *files)
    OC_MUST_CHECK;
void status_files_stop(struct status_files *files);  /* NULL: fine */
void status_files_free(struct status_files *files);  /* NULL: fine */

/* By an issuer of the configuration; NULL: it has none. */
struct status_crl_file *status_files_find_crl(
    const struct status_files *files,
    const struct oc_config_issuer *issuer);
struct status_records *status_files_find_records(
    const struct status_files *files,
    const struct oc_config_issuer *issuer);

/* For people and metrics: by a place below _num(), of which NULL has none;
 * false where that issuer has no such file. */
size_t status_files_num(const struct status_files *files);
bool status_files_report_crl(const struct status_files *files, size_t i,
    struct status_crl_report *report);
/* Of one whose CRL is fetched: how that stands; zero before the first try, or
 * if it cannot be read.  False: it is not fetched. */
bool status_files_report_fetch(const struct status_files *files, size_t i,
    enum fetch_what what, struct fetch_state *state);
const char *status_files_issuer(const struct status_files *files, size_t i);
bool status_files_report_records(const struct status_files *files, size_t i,
    struct status_watch_report *report);

#endif
