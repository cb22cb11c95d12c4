/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a name is proven: what each method of store/challenge.h has
 * ocsign-validator look for, when it looks again, and what it says to whoever
 * waits.  Decides nothing about accounts, and asks nobody by itself.
 */
#ifndef PROOF_PROOF_H
#define PROOF_PROOF_H

#include "base/bytes.h"
#include "base/config.h"
#include "store/challenge.h"
#include "validation/validation.h"

#define PROOF_DNS_PREFIX "_ocsign-challenge."
#define PROOF_FILE_PATH "ocsign-challenge"	/* in /.well-known/ */
#define PROOF_META_NAME "ocsign-verification"

/* What is looked for, and where. */
struct proof_wanted {
	enum validation_task task;
	char name[VALIDATION_NAME_MAX + 1];
	const char *prefix;		/* constant; NULL: it has none */
	char path[VALIDATION_NAME_MAX + 1];	/* "": it has none */
	char expected[VALIDATION_EXPECTED_MAX + 1];
};
/* thumbprint: of the ACME account's key; NULL for a method of the zone
 * registry's.  UNSUPPORTED: nothing is looked for, as by e-mail; LIMIT. */
enum oc_err proof_want(const struct store_authorization *a,
    const struct store_challenge *c, const uint8_t *thumbprint,
    struct proof_wanted *wanted) OC_MUST_CHECK;
/* Borrows from wanted. */
struct validation_question proof_question(const struct proof_wanted *wanted);

/* The problem document (RFC 9457) of what was seen. */
enum oc_err proof_problem(const struct validation_reply *reply,
    char text[STORE_PROBLEM_MAX + 1]) OC_MUST_CHECK;

/* When it is looked at again, after num_tries that were in vain; 0: no more. */
int64_t proof_next_try(const struct oc_config_validation *config,
    enum store_method method, const struct validation_reply *reply,
    uint32_t num_tries, int64_t now_at);
/* After so many seconds, if one said nothing of the name. */
#define PROOF_AGAIN_S 5

/* What somebody looks at who has it claimed (store_claim_challenge()). */
struct proof_try {
	int64_t challenge_id;
	enum store_method method;
	uint32_t num_tries;		/* before */
	int64_t claimed_until;
};
/* How long looking may take, and writing down what was seen. */
int64_t proof_claim_s(const struct oc_config_validation *config);
/* Inside a change: passed; another try; or over, as where the zone is another
 * account's by now.  MISMATCH: nobody waits for it any more. */
enum oc_err proof_record(struct store *store,
    const struct oc_config_validation *config, const struct proof_try *t,
    const struct validation_reply *reply) OC_MUST_CHECK;

/* --- claims of the zone registry's -------------------------------------- */

/* A method that this configuration can use. */
bool proof_has_method(const struct oc_config *config,
    enum store_method method);
/* The account's claim of the zone that is open: the newest.  NOT_FOUND. */
enum oc_err proof_find_claim(struct store *store, int64_t account_id,
    const char *zone, int64_t now_at, struct store_authorization *a)
    OC_MUST_CHECK;
/* That one, or a new one with a challenge for each method, whoever's the zone
 * is: who proves it learns that.  LIMIT: the account has too many open, or too
 * many of this zone failed of late; CONFIG: nothing looks here. */
#define PROOF_FAILED_MAX 5		/* of a zone, in an hour */
enum oc_err proof_open_claim(struct store *store,
    const struct oc_config *config, int64_t account_id, const char *zone,
    int64_t now_at, struct store_authorization *a, struct oc_error *error)
    OC_MUST_CHECK;
/* Its challenge by a method; NULL. */
const struct store_challenge *proof_challenge_by(
    const struct store_authorization *a, enum store_method method);
/* Begun, if it was not, and in the caller's hands until t->claimed_until.
 * MISMATCH: somebody else looks, or it is over. */
enum oc_err proof_take(struct store *store,
    const struct oc_config_validation *config,
    const struct store_challenge *c, int64_t now_at, struct proof_try *t)
    OC_MUST_CHECK;

/* --- by e-mail ---------------------------------------------------------- */

#define PROOF_CODE_LEN 32		/* 160 random bits, base32 */
#define PROOF_CODE_TEXT_MAX 64		/* with what people put in between */
#define PROOF_CODE_TRIES 10		/* messages and wrong codes */
#define PROOF_MESSAGES_MAX 3		/* of one claim: who gets them may not
					 * have asked for any */
#define PROOF_MESSAGE_WAIT_S 60

/* In groups of four, for people. */
enum oc_err proof_new_code(char code[PROOF_CODE_TEXT_MAX],
    uint8_t hash[STORE_HASH_LEN]) OC_MUST_CHECK;
/* Of a code as somebody typed it: case, blanks and hyphens aside.
 * MALFORMED. */
enum oc_err proof_hash_code(const char *text, uint8_t hash[STORE_HASH_LEN])
    OC_MUST_CHECK;
/* Whether another message may go: LIMIT. */
enum oc_err proof_check_send(const struct store_challenge *c, int64_t now_at,
    struct oc_error *error) OC_MUST_CHECK;
#define PROOF_SUBJECT_MAX (VALIDATION_SUBJECT_MAX + 1)
void proof_write_mail(const struct oc_config_validation *config,
    const struct store_authorization *a, const char *account,
    const char *code, char subject[PROOF_SUBJECT_MAX],
    struct oc_buffer *body);
/* Whether it is the one that was sent and still waits for; changes nothing. */
bool proof_is_code(const struct store_authorization *a, const char *code,
    int64_t now_at);
/*
 * Whether the code is the one that was sent: then it is passed, else that
 * counts as a try, which is written down: MISMATCH must not undo it.  MISMATCH
 * too if none was sent, or it is over; EXISTS, REFUSED as
 * store_pass_challenge().
 */
enum oc_err proof_redeem_code(struct store *store,
    const struct oc_config_validation *config,
    const struct store_authorization *a, const char *code, int64_t now_at)
    OC_MUST_CHECK;

#endif
