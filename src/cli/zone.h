/* SPDX-License-Identifier: Apache-2.0 */
/* Zones: claimed, proven, shown. */
#ifndef CLI_ZONE_H
#define CLI_ZONE_H

#include "cli/account.h"
#include "proof/proof.h"

const char *cli_zone_state(enum store_zone_state state);
enum oc_err cli_print_zone(struct cli *cli, struct store *store,
    const struct store_zone *zone, struct oc_error *error) OC_MUST_CHECK;

/* zone_claims.c */
/* EXISTS: the zone is another account's: no proof would help. */
enum oc_err cli_zone_check_free(struct store *store, const char *name,
    const struct store_account *account, struct oc_error *error)
    OC_MUST_CHECK;
enum oc_err cli_zone_methods(struct cli *cli, struct oc_error *error);
enum oc_err cli_zone_claim(struct cli *cli, struct oc_error *error);
enum oc_err cli_zone_status(struct cli *cli, struct oc_error *error);

/* zone_proof.c: one "zone verify". */
struct cli_proof {
	struct cli *cli;
	const struct oc_config *config;
	struct store *store;
	struct store_account account;
	enum store_method method;
	struct store_authorization claim;
	struct validation_client *validator;	/* owned */
};
enum oc_err cli_zone_verify(struct cli *cli, struct oc_error *error);
/* Asks ocsign-validator, and waits. */
enum oc_err cli_proof_ask(struct cli_proof *p,
    const struct validation_question *question,
    struct validation_reply *reply, struct oc_error *error) OC_MUST_CHECK;
/* How it stands: the zone, or what was seen and exit status 1. */
enum oc_err cli_proof_print(struct cli_proof *p, struct oc_error *error)
    OC_MUST_CHECK;

/* zone_mail.c */
enum oc_err cli_proof_by_mail(struct cli_proof *p, struct oc_error *error)
    OC_MUST_CHECK;

#endif
