/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert revoke --file: very many at once.  A plan, which changes nothing; then
 * transactions of a bounded size, in the plan's order.  There is no file that
 * says how far it came: the store says it.
 */
#ifndef CLI_REVOKE_MANY_H
#define CLI_REVOKE_MANY_H

#include "base/serial_list.h"
#include "cli/work.h"

/* What is the matter with one of them; a byte each. */
enum cli_revoke_state {
	CLI_REVOKE_WANTED,
	CLI_REVOKE_EXPIRED,	/* wanted, and no response is made of it */
	CLI_REVOKE_DONE,	/* for as good a reason */
	CLI_REVOKE_DONE_EXPIRED,
	CLI_REVOKE_UNKNOWN,	/* never issued */
	CLI_REVOKE_REFUSED,	/* a CA's without a reason, not on hold */
	CLI_REVOKE_STATES
};

/* Named, for people: those that are not as they should be. */
#define CLI_REVOKE_NAMED_MAX 8

struct cli_revoke_plan {
	struct cli *cli;
	const char *path;		/* of the file; "-" */
	enum crl_reason reason;
	int64_t invalidity_at;		/* 0: none */
	struct ca_issuer *issuer;
	struct store *store;
	struct oc_serial_list list;
	uint8_t *states;		/* owned; of the list's */
	uint32_t *order;		/* owned; of those wanted */
	uint32_t num_wanted;		/* in it */
	uint32_t num[CLI_REVOKE_STATES];
	uint32_t num_asked;		/* of those wanted */
	struct oc_serial named[CLI_REVOKE_NAMED_MAX];
	uint32_t num_named;
	struct oc_error why;		/* of the first that is refused */
};

/* --- revoke_plan.c --- */
/* Reads the file and looks each of them up. */
enum oc_err cli_revoke_plan(struct cli_revoke_plan *plan,
    struct oc_error *error) OC_MUST_CHECK;
void cli_revoke_plan_fini(struct cli_revoke_plan *plan);

/* --- revoke_service.c --- */
/* What the running service says of the issuer, all its signers together. */
struct cli_revoke_service {
	bool is_there;			/* else the rest is nothing */
	struct oc_error notice;		/* why it is not */
	int64_t seq;			/* what the last of them has applied */
	uint32_t num_signers;		/* whose key is here */
	uint64_t num_urgent;		/* to be signed, most urgent lane */
	uint64_t num_signed;
	bool is_signer_known;
	double rate;			/* signatures a second; 0: unknown */
	bool is_measured;		/* under load, not from one's time */
};
void cli_revoke_look(const struct cli_revoke_plan *plan,
    struct cli_revoke_service *service);
/* The last change of one of the issuer's that is newer than after_seq,
 * whoever made it; 0: there is none. */
enum oc_err cli_revoke_last_seq(const struct cli_revoke_plan *plan,
    int64_t after_seq, int64_t *seq, struct oc_error *error) OC_MUST_CHECK;

/* Whether that signs responses before somebody asks for them. */
bool cli_revoke_is_signed(const struct cli_revoke_plan *plan,
    const struct oc_config_ocsp *ocsp);

/* --- revoke_wait.c --- */
/* Until all that the file names, and that the service knows of by change seq,
 * is signed; if it ends before, the service's notice says with how many left.
 * That is after a minute in which none of them was, or when it is gone. */
enum oc_err cli_revoke_wait(const struct cli_revoke_plan *plan, int64_t seq,
    struct cli_revoke_service *service, struct oc_error *error) OC_MUST_CHECK;

/* --- revoke_many.c --- */
enum oc_err cli_revoke_many(struct cli *cli, enum crl_reason reason,
    int64_t invalidity_at, struct oc_error *error) OC_MUST_CHECK;

#endif
