/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several hosts on one database, and each response signed once: the thread
 * that talks to it, one for all services of the process.  It holds the leases,
 * puts there what was signed here, and brings what others had signed, after
 * having verified what the service wants of it.
 *
 * All functions but the last are called from the loop's thread and never
 * block.  A service is a member from join, before start, until free.
 */
#ifndef STATUS_SHARE_H
#define STATUS_SHARE_H

#include "base/config.h"
#include "status/lease.h"
#include "status/shared.h"

struct status_share;
struct status_member;

/* What others had signed, or, with is_look, what was asked for by
 * status_member_look(). */
enum status_share_step {
	STATUS_SHARE_MARK,	/* say which are wanted, or refused: nothing is
				 * verified */
	STATUS_SHARE_TAKE	/* take those that are wanted, and good */
};
struct status_share_batch {
	enum status_share_step step;
	bool is_look;
	bool is_last_call;	/* false is not heard any more */
	struct status_shared *rows;
	uint32_t num;
};
/* MARK: false, once in a while: ask me again, I do not know yet what they are
 * about.  TAKE: true. */
typedef bool status_share_fn(void *arg, struct status_share_batch *batch);

enum oc_err status_share_new(const char *where, struct status_share **share,
    struct oc_error *error) OC_MUST_CHECK;
struct status_member_plan {
	const struct oc_config_ocsp *ocsp;	/* borrowed, as the next */
	const struct ocsp_identity *identity;
	const uint8_t *store_id;	/* STORE_ID_LEN; only for join */
	status_share_fn *fn;
	void *arg;
};
enum oc_err status_share_join(struct status_share *share,
    const struct status_member_plan *plan, struct status_member **member,
    struct oc_error *error) OC_MUST_CHECK;
enum oc_err status_share_start(struct status_share *share,
    struct oc_error *error) OC_MUST_CHECK;

/* Readable when there is something to dispatch; also called in each tick. */
int status_share_fd(const struct status_share *share);
void status_share_dispatch(struct status_share *share);

/* Whether this host could lead, and, before that, would know what to do with
 * what others have.  A lease is prolonged while this is said at least once in
 * two seconds. */
enum status_fitness { STATUS_UNREADY, STATUS_UNFIT, STATUS_FIT };
void status_member_say(struct status_member *member,
    enum status_fitness fitness);

/* False: there is no room for more, now. */
bool status_member_offer(struct status_member *member,
    const struct ocsp_slot *slot, int64_t change_seq);
/* Looks for one; fn is told.  False: it can't be looked for. */
bool status_member_look(struct status_member *member,
    const struct oc_serial *serial, uint8_t encoding);

struct status_member_state {
	enum status_lead lead;	/* LEADS once it has read what others had */
	char leader[STORE_HOST_MAX + 1];	/* "": nobody known */
	uint32_t num_leads;	/* how often it began to */
	int64_t num_rows;	/* that there were, when it did */
	uint32_t num_room;	/* so many may be offered */
	uint64_t num_shared;	/* put there */
	uint64_t num_refused;	/* forged, or damaged */
	char error[OC_ERROR_TEXT_MAX];	/* why it is alone */
};
enum status_lead status_member_lead(struct status_member *member);
void status_member_state(struct status_member *member,
    struct status_member_state *state);

/* Waits for the thread, which may wait for the server, five seconds.  Gives
 * leases back.  NULL: fine. */
void status_share_free(struct status_share *share);

#endif
