/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificate a command is about: a serial number or a file. */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "cli/work.h"
#include "store/store.h"

struct cli_target {
	struct oc_serial serial;
	uint8_t *der;			/* of a file; owned; NULL: a serial */
	struct x509_cert cert;		/* of der */
};
void cli_target_free(struct cli_target *target);	/* NULL is fine */

/* USAGE if text could be both; otherwise what reading it says. */
enum oc_err cli_target_read(const char *text, struct cli_target **target,
    struct oc_error *error) OC_MUST_CHECK;
/* From --cert or --serial, whichever was given; USAGE if not exactly one. */
enum oc_err cli_target_options(const struct cli *cli,
    struct cli_target **target, struct oc_error *error) OC_MUST_CHECK;

/*
 * The issuer of it: name if that is not NULL; else, for a file, the one
 * whose certificate verifies it, and, for a serial, the one that has it in
 * the store.  NOT_FOUND, or MISMATCH if several have it.  For
 * ca_issuer_free().
 */
enum oc_err cli_target_issuer(struct cli *cli,
    const struct cli_target *target, const char *name,
    struct ca_issuer **issuer, struct oc_error *error) OC_MUST_CHECK;

/* The store's record of it; NOT_FOUND says that the issuer never gave out
 * the serial, MISMATCH that another certificate has it. */
enum oc_err cli_target_record(struct cli *cli,
    const struct cli_target *target, const struct ca_issuer *issuer,
    struct store_certificate *record, struct oc_error *error) OC_MUST_CHECK;

#endif
