/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the service share; nobody else includes it. */
#ifndef STATUS_SERVICE_IMPL_H
#define STATUS_SERVICE_IMPL_H

#include "ocsp/response.h"
#include "status/flight.h"
#include "status/gate.h"
#include "status/offline.h"
#include "status/renewal.h"
#include "status/trust.h"
#include "x509/trust.h"

/* On their way at once: enough to keep every session of a token busy, few
 * enough that what is more urgent does not wait behind them. */
#define STATUS_REFRESHES_MAX 16
#define STATUS_URGENT_MAX 64
/* Taken from the agenda in a turn, some 20 ms of work: of millions that are
 * due none may be worth a signature. */
#define STATUS_PUMP_MAX 8192
/* Who waits for a signature at once; more are told to try later. */
#define STATUS_WAITERS_MAX 4096
/* A signature that somebody waits for. */
#define STATUS_LIVE_TIMEOUT_S 6
#define STATUS_TIMEOUT_S 30
/* After a failure: what a client is told, and when we try again. */
#define STATUS_RETRY_S 5
/* While the source fails nothing can be renewed: when to look again. */
#define STATUS_SOURCE_RETRY_S 60
/* A source that has not returned for so long is away. */
#define STATUS_SOURCE_STUCK_S 10
/* A nudge waits no longer than this for a signer that signs nothing. */
#define STATUS_NUDGE_WAIT_S 5
/* Nor for more signatures than this: behind a million revocations it would
 * wait for hours. */
#define STATUS_NUDGE_URGENT_MAX 16384
#define STATUS_BUCKETS 1024
/* The continuity horizon: slots looked at in a tick, some 2 ms of work, and
 * the time between two passes. */
#define STATUS_HORIZON_SLOTS 8192
#define STATUS_HORIZON_PAUSE_S 10

struct status_nudge {
	struct status_nudge *next;
	uint64_t number;		/* of the feed */
	bool is_known;			/* the feed has reached it */
	int64_t seq;			/* flights up to it are waited for */
	int64_t known_at;		/* and what was urgent by then */
	status_nudged_fn *done;
	void *arg;
};

/* A question that came before everything was known. */
struct status_early {
	struct status_early *next;
	struct ipc_ask ask;
	uint8_t nonce[OCSP_NONCE_MAX];	/* what ask.nonce views */
	status_answer_fn *answer;
	void *arg;
};
#define STATUS_EARLY_MAX 1024

/* The walk over the table once all is known: which slots are to be renewed
 * when, and which are to go. */
struct status_sweep {
	uint64_t fetched;		/* see ocsp_table_prefetch() */
	uint32_t next;			/* slot */
	uint32_t num_withdrawn;
};
/* The walk over what the key before has signed. */
struct status_older_walk {
	uint32_t next;			/* slot */
	uint32_t num_withdrawn;
	bool is_under_way;
	bool is_first;			/* when which is renewed is not known */
};
/* A turn of what goes through all of the table or of the set; and one while
 * nobody is answered from the table.  The clock is looked at after so many
 * slots or records: each may cost a read of the disk. */
#define STATUS_TURN_NS (10 * OC_NS_PER_MS)
#define STATUS_CLOSED_TURN_NS (120 * OC_NS_PER_MS)
#define STATUS_TURN_SLOTS 256
/* Slots that are tended in a tick: looked at in 5 ms, or copied to a larger
 * table in 15. */
#define STATUS_TEND_SLOTS 16384
/* Signatures that are wanted because a certificate has none: when more are
 * looked for, and how many at once. */
#define STATUS_PRESIGN_LOW 64
#define STATUS_PRESIGN_NUM 4096
/* Of those that are revoked: who is revoked meanwhile waits behind them. */
#define STATUS_URGE_MAX 512

/* See fleet.c. */
struct status_fleet {
	struct status_member *member;	/* the share's; NULL: alone for good */
	enum status_lead said;		/* when it was last looked at */
	int64_t alone_at;		/* 0: it is not, or always was */
	bool has_led;			/* before it was alone, or now */
	bool presigns;
	bool is_offering;		/* what is in the table */
	uint32_t offer_next;		/* slot */
	uint32_t num_leads;
	uint32_t num_looking;
	int64_t taken_at;
	uint64_t num_taken;
};
/* A look that is not answered by then is given up. */
#define STATUS_LOOK_NS (400 * OC_NS_PER_MS)

struct status_service {
	struct status_service_plan plan;
	struct ocsp_identity *identity;
	struct status_offline *offline;	/* NULL: the key is here */
	struct status_trust trust;
	struct ocsp_table *table;
	struct ocsp_table *older;	/* NULL: nothing; see older.c */
	int64_t older_until;		/* the last nextUpdate in it */
	struct status_older_walk older_walk;
	struct oc_serial older_signer;	/* its certificate; len 0: the CA */
	bool is_delegated;		/* the next three; see signer.c */
	int64_t signer_not_before, reminded_at;
	enum status_renewal renewal;	/* when it was last looked at */
	struct status_set *set;
	uint32_t num_valid;		/* of what was there at the start */
	struct status_feed *feed;
	struct status_bounds bounds;	/* of what the feed has brought */
	bool is_between;		/* two lists with bounds each */
	struct x509_trust *requestors;	/* NULL: signatures of requests are
					 * ignored */
	struct status_agenda agenda;
	struct status_fleet fleet;
	char key[SIGN_KEY_NAME_MAX];

	/* Flights for the table by serial; live ones in a list. */
	struct status_flight *flights[STATUS_BUCKETS];
	struct status_flight *live;
	uint32_t num_flights, num_waiters;
	struct status_gate gate;	/* of those in SIGN_LANE_LIVE */
	uint32_t num_in_lane[SIGN_LANE_MAX];	/* for the table */
	struct status_nudge *nudges;
	struct status_early *early;
	uint32_t num_early;

	int64_t seq;			/* the last one applied */
	uint64_t num_signed, num_failed, num_asked;
	int64_t known_at;		/* when the source was last well; only
					 * while it is not */
	int64_t last_signed_at;		/* something */
	int64_t table_retry_at;		/* only while it takes nothing */
	int64_t looked_at;		/* whether the table is in place */
	struct status_horizon horizon;		/* of the last whole pass */
	struct status_horizon_pass pass;
	struct status_sweep sweep;
	uint32_t presigned;		/* so many of the set are wanted */
	uint32_t urged;			/* the same of those revoked */
	uint32_t presign_max;		/* wanted, in one go */
	/* Current: nothing in the table is untrue, and news come as they
	 * happen.  Ready: every certificate is known, too. */
	bool is_current, is_ready;
	/* What changes is told before what is read again, because something
	 * is served meanwhile: the table, or what the key before has signed. */
	bool is_following;
	bool is_sweeping, is_presigning, is_urging;
	bool has_more;			/* for who walks: a turn was over */
	bool is_closed;			/* see status_service_sweep_all() */
	uint32_t closed_slots;		/* in a turn then; a test's */
	uint32_t nudge_urgent_max;	/* STATUS_NUDGE_URGENT_MAX */
	bool is_source_well, is_signer_well, is_table_well;
	bool has_said_expired;
	char source_error[OC_ERROR_TEXT_MAX];
};

/*
 * Makes or finds the flight for the table; one that says what is no longer
 * so is replaced, and who waited for it waits for the new one.  BUSY when the
 * signer's queue is full, REFUSED when there is no time left to sign for;
 * other failures have been noted.
 */
enum oc_err status_service_fly(struct status_service *s,
    const struct status_record *record, uint8_t encoding, enum sign_lane lane,
    struct status_flight **flight) OC_MUST_CHECK;
/* NULL if there is none. */
struct status_flight *status_service_find_flight(struct status_service *s,
    const struct oc_serial *serial, uint8_t encoding);
/* Hands it to the signer; in SIGN_LANE_LIVE it is counted in the gate until
 * status_service_leave(). */
enum oc_err status_service_submit(struct status_service *s,
    struct status_flight *flight, enum sign_lane lane, int64_t timeout_s,
    sign_done_fn *done) OC_MUST_CHECK;
/* The job is over; STATUS_GATE_OTHER: cancelled. */
void status_service_leave(struct status_service *s,
    const struct status_flight *flight, enum status_gate_end end);
enum status_gate_end status_gate_end_of(enum oc_err err);
void status_service_times(const struct status_service *s, int64_t now,
    int64_t not_after, struct status_flight_plan *plan);
/* Unix seconds; after a jump of the clock, for which it looks, what it should
 * say. */
int64_t status_service_now(const struct status_service *s);
/* False once the certificate of whoever signs has expired or is revoked, which
 * is said; and while the clock is not believed. */
bool status_service_may_sign(struct status_service *s, int64_t now);
/* False: presign = none.  The table is there, for its identity, and empty. */
bool status_service_keeps(const struct status_service *s);
/* Puts it among what is due; nothing is where nothing is kept, or where the
 * key is not. */
void status_service_renew_at(struct status_service *s,
    enum status_due_kind kind, const struct oc_serial *serial,
    uint8_t encoding, int64_t at);
/* At start, before the feed runs: what changed since last, the newest change
 * that a table has, one after the other, and in *seq the newest of all.
 * False: the source fails or went back in time, missed did not take one, or
 * one is about all certificates. */
typedef enum oc_err status_missed_fn(struct status_service *s,
    const struct status_change *c, int64_t now);
bool status_service_read_missed(struct status_service *s,
    struct status_source *source, int64_t last, status_missed_fn *missed,
    int64_t *seq);
/* At start, before the feed runs: reads what changed since the table was
 * written and withdraws what it made untrue, so that the rest can be served
 * while all is read again; s->seq is then the last of it.  False: this table
 * can't be served before that. */
bool status_service_withdraw_missed(struct status_service *s,
    struct status_source *source);
/* The first time that everything is known: holds the table against it, now
 * if it is not served yet, else in parts. */
enum oc_err status_service_catch_up(struct status_service *s) OC_MUST_CHECK;
/* The next turn of that; nothing once it is over. */
enum oc_err status_service_sweep(struct status_service *s, int64_t now)
    OC_MUST_CHECK;
/* Another may be said of all certificates at once: nobody is answered from the
 * table until what is not so is out of it.  The first part of that; ticks do
 * the rest, and whoever asks meanwhile waits. */
enum oc_err status_service_sweep_all(struct status_service *s, int64_t now)
    OC_MUST_CHECK;
/* The next part of what goes through the whole table: see ocsp_table_tend().
 * What that drops is signed again. */
void status_service_tend(struct status_service *s);
/* Looks for certificates that have no signature, if few are waiting; again:
 * for all of them, since something has gone. */
void status_service_presign(struct status_service *s);
void status_service_presign_again(struct status_service *s);
/* Memory has run out: what the table says can't be kept true, so it is no
 * longer said, and whoever restarts us starts from the source. */
void status_service_give_up(struct status_service *s)
    __attribute__((noreturn));
/* A slot that does not say what is so, or that is past its time. */
bool status_service_is_stale(const struct status_service *s,
    const struct ocsp_slot *slot, const struct status_record *record,
    int64_t now);
void status_service_withdraw(struct status_service *s,
    const struct oc_serial *serial);
/* From before ocsp-lifetime was made shorter, or a certificate that ends
 * later. */
bool status_service_outlives(const struct status_service *service,
    const struct ocsp_slot *slot);
/* A record of a certificate of which something is told; NULL: none. */
const struct status_record *status_service_find_record(
    const struct status_service *s, const struct oc_serial *serial);
/* When this slot is to be signed again. */
int64_t status_service_due_at(const struct status_service *service,
    const struct ocsp_slot *slot);
/* Hands the signer what is due, as much as is good for it. */
void status_service_pump(struct status_service *s, int64_t now);
/* Counts, and says it when the signer's state has changed. */
void status_service_note_signer(struct status_service *s, enum oc_err err,
    const char *text);
void status_service_finish_nudges(struct status_service *s);
/* Answers the questions that came too early: now, or, if it is still not
 * ready, with tryLater. */
void status_service_answer_early(struct status_service *s);
/* A slot that does not say what is so, or that is past its time; whether who
 * signed it may be believed is another question. */
bool status_service_is_untrue(const struct status_service *s,
    const struct ocsp_slot *slot, const struct status_record *record,
    int64_t now);

/*
 * older.c: what the key before has signed, if there is anything.  All but
 * open do nothing if there is not.
 */
/* path: the table's.  Withdraws what the source made untrue meanwhile; after
 * status_service_withdraw_missed(), which knows better whom to trust. */
enum oc_err status_older_open(struct status_service *s, const char *path,
    struct status_source *source, const uint8_t store_id[OCSP_STORE_ID_LEN],
    struct oc_error *error) OC_MUST_CHECK;
/* Nobody is served from it any more. */
void status_older_end(struct status_service *s);
bool status_older_find(const struct status_service *s,
    const struct oc_serial *serial, uint8_t encoding, struct ocsp_slot *slot);
/* Withdraws what is no longer so; true for the encodings that were there. */
void status_older_note(struct status_service *s,
    const struct status_record *record, int64_t now,
    bool is_withdrawn[OCSP_ENCODING_MAX]);
/* The table has another answer about it. */
void status_older_turn(struct status_service *s,
    const struct oc_serial *serial);
/* It is, by whoever asks: nothing in it is untrue. */
bool status_older_is_served(const struct status_service *s);
/* From now on, in parts, holds it against what is known, and, the first time,
 * has it signed anew, each at its time; then it is served, if it was not. */
void status_older_catch_up(struct status_service *s);
void status_older_set_seq(struct status_service *s);
void status_older_set_ready(struct status_service *s, bool is_ready);
void status_older_tick(struct status_service *s, int64_t now);

/*
 * fleet.c: what hosts share.  Where nothing is, all of it does nothing, and
 * there is nobody to be patient for.
 */
/* Before anything is signed. */
enum oc_err status_fleet_join(struct status_service *s,
    const uint8_t store_id[STORE_ID_LEN], struct oc_error *error)
    OC_MUST_CHECK;
/* What became due less than so many seconds ago is left to who leads. */
int64_t status_fleet_patience(const struct status_service *s,
    enum status_due_kind kind, int64_t now);
/* What was never signed is this host's to have signed. */
bool status_fleet_presigns(const struct status_service *s, int64_t now);
/* It is in the table now. */
void status_fleet_offer(struct status_service *s,
    const struct ocsp_slot *slot);
/* True: it is looked for among what others had signed before it is signed; it
 * ends by status_service_launch() or _end_look(). */
bool status_fleet_look(struct status_service *s,
    struct status_flight *flight, enum sign_lane lane);
void status_fleet_tick(struct status_service *s, int64_t now);
void status_fleet_report(const struct status_service *s,
    struct status_fleet_report *report);
/* flights.c: it was not found, and goes to the signer; it was, and is in the
 * table. */
void status_service_launch(struct status_service *s,
    struct status_flight *flight);
void status_service_end_look(struct status_service *s,
    struct status_flight *flight);

/* signer.c: the certificate that is signed under.  Read at start; looked at
 * once a second. */
void status_signer_note(struct status_service *s);
enum status_renewal status_signer_renewal(const struct status_service *s,
    int64_t now);
void status_signer_tick(struct status_service *s, int64_t now);

bool status_is_equal(const struct ocsp_status *a, const struct ocsp_status *b);

#endif
