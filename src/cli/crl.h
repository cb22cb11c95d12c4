/* SPDX-License-Identifier: Apache-2.0 */
/* What of the noun crl has files of its own. */
#ifndef CLI_CRL_H
#define CLI_CRL_H

#include "ca/crl.h"
#include "cli/cli.h"

/* All lists of an issuer, in DER, each by the name that its URL ends in: all,
 * or the old ones.  paths: of each, for free(), NULL where a higher number was
 * there already, which stays.  BUSY: another is at it for a minute. */
struct cli_crl_files {
	const char *directory;
	const struct ca_issuer *issuer;
	const struct ca_crl *lists;
	uint32_t num;			/* at least 1 */
};
enum oc_err cli_crl_write(const struct cli_crl_files *files, char **paths,
    struct oc_error *error) OC_MUST_CHECK;

enum oc_err cli_crl_publish(struct cli *cli, struct oc_error *error)
    OC_MUST_CHECK;
extern const struct cli_option cli_crl_publish_options[];

enum oc_err cli_crl_list(struct cli *cli, struct oc_error *error)
    OC_MUST_CHECK;
extern const struct cli_option cli_crl_list_options[];

#endif
