/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands work with, opened when first asked for and closed once, by
 * main(): configuration, store, signers, and the running service.
 *
 * Modules are only ever opened behind the lock STORE-DIRECTORY/ocsign.lock,
 * and pkcs11/admin.h, which forks, is only used by commands that open no
 * signer.
 */
#ifndef CLI_WORK_H
#define CLI_WORK_H

#include <jansson.h>

#include "base/config.h"
#include "ca/issuer.h"
#include "cli/cli.h"
#include "pkcs11/plan.h"
#include "sign/sign.h"
#include "store/store.h"

/* How long one signature may take. */
#define CLI_SIGN_S 60

/* Ends the process without waiting if a module hangs. */
void cli_close(struct cli *cli, int exit_status);

/* The error is the first of those in the file, and says how many more. */
enum oc_err cli_config(struct cli *cli, const struct oc_config **config,
    struct oc_error *error) OC_MUST_CHECK;
/* Closes the store and reads the configuration again: a section was added.
 * What came from the old one is no longer valid. */
enum oc_err cli_config_again(struct cli *cli, const struct oc_config **config,
    struct oc_error *error) OC_MUST_CHECK;

/* Made with its directory if it is not there; STORE_READ does not make it,
 * and is what it stays for the rest of the command. */
enum oc_err cli_store(struct cli *cli, enum store_mode mode,
    struct store **store, struct oc_error *error) OC_MUST_CHECK;

/* NOT_FOUND names the sections there are. */
enum oc_err cli_find_issuer(struct cli *cli, const char *name,
    const struct oc_config_issuer **issuer, struct oc_error *error)
    OC_MUST_CHECK;
/* Its certificate read, and known to the store, which must have been opened
 * for writing.  For ca_issuer_free().  REFUSED if its key, or that of one
 * above it, is on the block list. */
enum oc_err cli_open_issuer(struct cli *cli, const char *name,
    struct ca_issuer **issuer, struct oc_error *error) OC_MUST_CHECK;
/* The same with its block list, on it or not: who goes on asks
 * ca_issuer_check_blocked(). */
enum oc_err cli_open_listed_issuer(struct cli *cli, const char *name,
    struct ca_issuer **issuer, struct oc_error *error) OC_MUST_CHECK;
/* The same without one: a CA whose key is known to others may still
 * revoke. */
enum oc_err cli_open_any_issuer(struct cli *cli, const char *name,
    struct ca_issuer **issuer, struct oc_error *error) OC_MUST_CHECK;

/* The same from a store that is there; with STORE_READ nothing is written, and
 * one that the store does not know is NOT_FOUND. */
enum oc_err cli_open_known_issuer(struct cli *cli, const char *name,
    enum store_mode mode, struct ca_issuer **issuer, struct oc_error *error)
    OC_MUST_CHECK;

/* [policy] blocklist, loaded once; borrowed. */
enum oc_err cli_blocklist(struct cli *cli,
    const struct ca_blocklist **blocklist, struct oc_error *error)
    OC_MUST_CHECK;

/* The token's section as pkcs11/ wants it; the default is the only one.
 * Takes the lock. */
enum oc_err cli_token(struct cli *cli, const char *name,
    const struct p11_token_config **token, const char **state_dir,
    struct oc_error *error) OC_MUST_CHECK;
/* Only one process opens modules: waits up to 30 s, then BUSY. */
enum oc_err cli_lock(struct cli *cli, struct oc_error *error) OC_MUST_CHECK;

/*
 * Signers.  A command first says which keys it needs, then opens them all;
 * those that the running service holds are asked of it, the others come from
 * a pool in this process.
 */
#define CLI_CSR_KEY "csr/key"
/* name: the issuer's; for SIGN_KEY_OCSP a struct oc_config_ocsp's. */
enum oc_err cli_need_key(struct cli *cli, enum sign_key_role role,
    const char *name, struct oc_error *error) OC_MUST_CHECK;
/* The signer of an issuer's OCSP responses: the one of its own section, or
 * that of [ocsp-signer SIGNER], unless that is NULL. */
enum oc_err cli_find_ocsp(struct cli *cli, const char *issuer,
    const char *signer, const struct oc_config_ocsp **ocsp,
    struct oc_error *error) OC_MUST_CHECK;
/* Which section's key: --token, or, without it, what the key's URI says. */
enum oc_err cli_token_of_key(struct cli *cli, const char *key,
    const char **token, struct oc_error *error) OC_MUST_CHECK;
/* The key that --key names, by URI or label, under the name CLI_CSR_KEY; USAGE
 * if it can name none. */
enum oc_err cli_need_csr_key(struct cli *cli, const char *token,
    const char *key, struct oc_error *error) OC_MUST_CHECK;
enum oc_err cli_open_signers(struct cli *cli, struct oc_error *error)
    OC_MUST_CHECK;
/* Forgets all keys, so that a command may write a new configuration. */
void cli_close_signers(struct cli *cli);
/* key: sign_key_name(); one of those needed. */
struct signer *cli_signer(const struct cli *cli, const char *key);
enum oc_err cli_find_key(const struct cli *cli, const char *key,
    struct sign_key_info *info, struct oc_error *error) OC_MUST_CHECK;

/* --validity: over 0, or 0 if it was not given; else USAGE. */
enum oc_err cli_validity(const struct cli *cli, int64_t *seconds,
    struct oc_error *error) OC_MUST_CHECK;

/* CLOCK_MONOTONIC so many seconds from now. */
int64_t cli_deadline(int64_t seconds);

/* The path of a socket in the run directory, for free(). */
enum oc_err cli_socket(struct cli *cli, const char *name, char **path,
    struct oc_error *error) OC_MUST_CHECK;
/* Tells the running service, if any, that the store has changed, and waits
 * until its answers show it; a service that does not answer is a warning. */
enum cli_nudged {
	CLI_NUDGED,
	CLI_NUDGED_NOBODY,	/* no service runs */
	CLI_NUDGED_IN_VAIN	/* it does not answer */
};
enum cli_nudged cli_nudge(struct cli *cli);
/* What a role says of itself; path is its socket.  Waits 5 s at most. */
enum oc_err cli_ask_status(const char *path, json_t **answer,
    struct oc_error *error) OC_MUST_CHECK;

/* Has the ocsignd behind this socket of a role read its configuration again,
 * as SIGHUP does; what becomes of it, it does not tell.  REFUSED if it is not
 * ocsignd that made the socket, or another user's. */
enum oc_err cli_reload(const char *path, struct oc_error *error)
    OC_MUST_CHECK;

/* "ocsign: waiting for WHAT ..." on a terminal, if it takes over 2 s. */
void cli_progress_begin(const char *what);
void cli_progress_end(void);

#endif
