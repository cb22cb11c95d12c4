/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: finding them, their tokens, and issuing for them. */
#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H

#include "ca/policy.h"
#include "ca/issue.h"
#include "cli/print.h"
#include "cli/work.h"
#include "store/account.h"

/* Opens the store in this mode.  NOT_FOUND says where they are listed. */
enum oc_err cli_find_account(struct cli *cli, const char *name,
    enum store_mode mode, struct store **store,
    struct store_account *account, struct oc_error *error) OC_MUST_CHECK;

enum oc_err cli_account_acme_key(struct cli *cli, struct oc_error *error);
enum oc_err cli_account_acme_keys(struct cli *cli, struct oc_error *error);
enum oc_err cli_account_acme_revoke(struct cli *cli, struct oc_error *error);
enum oc_err cli_account_acme_accounts(struct cli *cli,
    struct oc_error *error);
enum oc_err cli_account_acme_end(struct cli *cli, struct oc_error *error);
enum oc_err cli_account_token(struct cli *cli, struct oc_error *error);
enum oc_err cli_account_tokens(struct cli *cli, struct oc_error *error);
enum oc_err cli_account_revoke(struct cli *cli, struct oc_error *error);

/* What an account asks for with cert issue --account. */
struct cli_asked;

/*
 * Names and limits held against the account; request then asks for them, with
 * the names normalised.  REFUSED says which rule.  For cli_asked_free(), after
 * ca_issue().
 */
enum oc_err cli_asked_new(struct cli *cli, const char *account,
    struct ca_request *request, struct cli_asked **asked,
    struct oc_error *error) OC_MUST_CHECK;
void cli_asked_free(struct cli_asked *asked);	/* NULL is fine */

#endif
