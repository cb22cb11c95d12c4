/* SPDX-License-Identifier: Apache-2.0 */
/* What the ca commands share. */
#ifndef CLI_CA_H
#define CLI_CA_H

#include "cli/work.h"

/*
 * Writes [issuer NAME] to ocsign.conf.d/issuer-NAME.conf, 0644, and reads
 * the configuration again.  EXISTS if there is one; if the new configuration
 * is wrong the file is removed again.  *path is for free().
 */
struct cli_section {
	const char *name, *token, *key;
	const char *certificate, *chain;	/* chain may be NULL */
	const char *algorithm;			/* so may this */
};
enum oc_err cli_section_write(struct cli *cli,
    const struct cli_section *section, char **path, struct oc_error *error)
    OC_MUST_CHECK;
/*
 * Adds chain = NAME-chain.pem to a section that cli_section_write() wrote and
 * that has none, and reads the configuration again, which ends the life of
 * *section: that is the new one then.  CONFIG if somebody else wrote it.
 */
enum oc_err cli_section_check_chain(struct cli *cli,
    const struct oc_config_issuer *section, struct oc_error *error)
    OC_MUST_CHECK;
enum oc_err cli_section_add_chain(struct cli *cli,
    const struct oc_config_issuer **section, struct oc_error *error)
    OC_MUST_CHECK;
/* On standard error: that it was written and what comes next. */
void cli_section_tell(const struct cli *cli, const char *path);

/* On standard error, if ocsignd runs: that it does not know the certificate
 * yet. */
void cli_tell_reload(struct cli *cli);

/* Certificates in PEM, 0644; der holds one or more, end to end.  The
 * directory is made if it is not there. */
enum oc_err cli_write_certificates(const char *path, struct der_bytes der,
    struct oc_error *error) OC_MUST_CHECK;

extern const struct cli_option cli_ca_create_options[];
extern const struct cli_option cli_ca_import_options[];
extern const struct cli_option cli_ca_add_options[];
enum oc_err cli_ca_create(struct cli *cli, struct oc_error *error);
enum oc_err cli_ca_import(struct cli *cli, struct oc_error *error);
enum oc_err cli_ca_add(struct cli *cli, struct oc_error *error);
extern const struct cli_option cli_ca_cross_options[];
enum oc_err cli_ca_cross(struct cli *cli, struct oc_error *error);

#endif
