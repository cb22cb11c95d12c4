/* SPDX-License-Identifier: Apache-2.0 */
/* --subject and --san, and DER in memory of its own. */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "base/limits.h"
#include "ca/explain.h"
#include "cli/cli.h"
#include "der/writer.h"
#include "x509/ext.h"

#define CLI_SAN_OCTETS_MAX 256

struct cli_names {
	uint8_t subject[OC_NAME_MAX];
	size_t subject_len;		/* 0: no --subject */
	uint32_t num_sans;
	struct x509_san sans[X509_SANS_MAX];	/* views into octets */
	uint8_t octets[X509_SANS_MAX][CLI_SAN_OCTETS_MAX];
};

/* What the command's options of these names say; USAGE if one cannot be
 * right, with the rule for a name in explanation, which may be NULL.  For
 * free(). */
enum oc_err cli_names_new(const struct cli *cli,
    struct ca_explanation *explanation, struct cli_names **names,
    struct oc_error *error) OC_MUST_CHECK;

/* *der is for free(). */
enum oc_err cli_encode(der_put_fn *put, const void *arg, uint8_t **der,
    size_t *len, struct oc_error *error) OC_MUST_CHECK;

#endif
