/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "ocsign doctor": what a PKCS#11 module really does, found out by trying.
 *
 * Each probe runs in a child of its own, killed when a call does not return in
 * time, and writes what it sees into facts that both share: one that hangs or
 * crashes costs its own line.  The caller has no threads and has opened no
 * module.  What the facts mean is said by findings and a section of
 * ocsign.conf(5), made from the facts alone.  CK_RV is an unsigned long here.
 */
#ifndef PKCS11_DOCTOR_H
#define PKCS11_DOCTOR_H

#include "base/bytes.h"
#include "pkcs11/admin.h"

enum p11_probe {
	P11_PROBE_MODULE,
	P11_PROBE_NULL_INIT,
	P11_PROBE_TOKEN,
	P11_PROBE_LOGIN,
	P11_PROBE_MAKE_KEYS,
	P11_PROBE_KEYS,
	P11_PROBE_OBSERVE,
	P11_PROBE_TRIALS,
	P11_PROBE_LOGOUT,
	P11_PROBE_OPERATIONS,
	P11_PROBE_SESSIONS,
	P11_PROBE_SPEED,
	P11_PROBE_IDLE,
	P11_PROBE_SWEEP,
	P11_PROBE_MAX
};

/* "keys"; what it is called in the report. */
const char *p11_probe_name(enum p11_probe probe);

enum p11_probe_end {
	P11_END_NOT_RUN,	/* not asked for, or nothing to try it with */
	P11_END_DONE,
	P11_END_FAILED,		/* error says why */
	P11_END_HUNG,		/* in step */
	P11_END_CRASHED		/* in step, by signal; 0: it ended us */
};

#define P11_STEP_MAX 80
#define P11_SAID_MAX 120

struct p11_probe_outcome {
	enum p11_probe_end end;
	int signal;
	char step[P11_STEP_MAX];
	struct oc_error error;
	char said[P11_SAID_MAX];	/* the last line on standard error */
};

#define P11_DOCTOR_TOKENS_MAX 32
#define P11_DOCTOR_KEYS_MAX 32
#define P11_DOCTOR_TRIALS_MAX 128
#define P11_DOCTOR_ROUNDS_MAX 7		/* 1, 2, 4 ... 64 sessions */
#define P11_DOCTOR_SESSIONS_MAX 128
#define P11_DOCTOR_SEEN_MAX 64
#define P11_DOCTOR_PATH_MAX 256

enum p11_point_form { P11_POINT_NONE, P11_POINT_WRAPPED, P11_POINT_RAW };

struct p11_doctor_key {
	struct p11_key_entry entry;
	enum p11_point_form point;
	unsigned long key_type;		/* CKA_KEY_TYPE */
	bool is_always_authenticate, is_always_authenticate_error;
	bool is_temporary;		/* made by us */
	bool is_usable;			/* it can be read and tried */
	unsigned int num_same_id;	/* other private keys of its CKA_ID */
	char reason[128];		/* why it is not */
};

enum p11_trial_state {
	P11_TRIAL_UNTRIED,
	P11_TRIAL_RUNNING,
	P11_TRIAL_WORKS,
	P11_TRIAL_REFUSED,	/* rv */
	P11_TRIAL_WRONG,	/* it signs, and that does not verify */
	P11_TRIAL_HUNG,
	P11_TRIAL_CRASHED
};

struct p11_doctor_trial {
	size_t key;			/* of facts->keys */
	size_t mechanism;		/* p11_doctor_mechanism() */
	enum p11_trial_state state;
	unsigned long rv;
	bool is_der;			/* ECDSA: not r||s */
	bool is_short;			/* RSA: without leading zeros */
	unsigned int init_us, sign_us;
};

/* A row of the trials. */
struct p11_doctor_mechanism {
	const char *name;		/* "CKM_RSA_PKCS" */
	unsigned long type;
	enum sign_alg alg;
	bool is_whole;			/* the token hashes */
};
extern const struct p11_doctor_mechanism p11_doctor_mechanisms[];
extern const size_t p11_doctor_num_mechanisms;

struct p11_doctor_round {
	unsigned int num_sessions;
	uint64_t num_signed, num_failed, num_wrong;
	unsigned long rv;		/* of the first failure */
	double seconds;
	unsigned int p50_us, p99_us;
};

enum p11_seen_kind {
	P11_SEEN_INET,		/* "192.0.2.1 port 2321" */
	P11_SEEN_UNIX,		/* a socket's path */
	P11_SEEN_DEVICE,
	P11_SEEN_WRITTEN,	/* a directory in which a file was written */
	P11_SEEN_READ		/* outside where every program reads */
};

struct p11_doctor_seen {
	enum p11_seen_kind kind;
	bool is_answered;		/* INET: somebody is there, or may be */
	char path[P11_DOCTOR_PATH_MAX];
};

struct p11_doctor_facts {
	struct p11_probe_outcome outcomes[P11_PROBE_MAX];

	/* MODULE */
	char description[33], manufacturer[33];
	unsigned int library_version[2], cryptoki_version[2];
	bool is_same_list;		/* C_GetFunctionList: the same again */
	unsigned long rv_init, rv_init_again;
	unsigned long rv_init_null;	/* without locks: NULL_INIT */
	unsigned int num_slots;		/* also without a token */
	size_t num_tokens;
	struct p11_token_entry tokens[P11_DOCTOR_TOKENS_MAX];

	/* TOKEN */
	struct p11_token_entry token;
	unsigned long max_sessions, max_rw_sessions;
	bool is_unlimited, is_max_unknown;	/* what it says of those */
	unsigned long rv_open_rw, rv_open_ro;
	bool is_login_required;

	/* LOGIN */
	unsigned long rv_login;
	unsigned int login_us;
	bool is_second_logged_in, is_later_logged_in;
	unsigned long rv_login_again;

	/* KEYS */
	size_t num_keys;
	struct p11_doctor_key keys[P11_DOCTOR_KEYS_MAX];
	bool has_more_keys;
	size_t num_public_only;
	size_t best_key;		/* the one most probes sign with */
	bool has_best_key;

	/* MAKE_KEYS: by enum sign_key_type; OK, or what was said */
	struct {
		bool is_tried, is_made;
		unsigned int took_ms;
		char reason[128];
	} made[SIGN_KEY_ED25519 + 1];

	/* OBSERVE */
	bool is_watched;		/* each call; else what stayed open */
	size_t num_seen;
	struct p11_doctor_seen seen[P11_DOCTOR_SEEN_MAX];
	bool has_more_seen;

	/* TRIALS */
	bool has_list;			/* C_GetMechanismList */
	bool is_listed[64];		/* by mechanism row */
	size_t num_trials;
	struct p11_doctor_trial trials[P11_DOCTOR_TRIALS_MAX];

	/* LOGOUT */
	unsigned long rv_logout, rv_sign_logged_out, rv_relogin;
	unsigned long rv_old_handle;	/* after the login */
	bool is_state_told;		/* C_GetSessionInfo says "public" */
	bool is_handle_same;		/* found again: the same number */

	/* OPERATIONS */
	unsigned long rv_cancel, rv_find_while_signing, rv_ask_size,
	    rv_small_buffer, rv_over_long, rv_bad_key, rv_after_failure;
	unsigned long asked_size;

	/* SESSIONS */
	unsigned int num_opened;	/* also while it runs */
	unsigned long rv_refused;	/* 0: not refused up to the maximum */
	unsigned int open_us, close_us;

	/* SPEED */
	size_t num_rounds;
	struct p11_doctor_round rounds[P11_DOCTOR_ROUNDS_MAX];

	/* IDLE */
	int64_t idle_s;			/* 0: not asked for */
	bool is_idle_session_alive, is_idle_logged_in;
	unsigned long rv_idle_info, rv_idle_sign;

	/* SWEEP */
	unsigned int num_swept;
};

/* Where the doctor is; text is one line.  Also called now and then while a
 * probe goes on. */
typedef void p11_doctor_progress_fn(void *arg, const char *text);

struct p11_doctor_options {
	struct p11_token_config token;	/* uri NULL: only list; pin_source
					 * NULL without a pin pad: no login */
	const char *state_dir;		/* for the PIN latch */
	const char *key;		/* label; NULL: the doctor chooses */
	int64_t timeout_ns;		/* one call */
	int64_t round_ns;		/* one round of signatures */
	int64_t idle_s;
	bool makes_keys;
	bool is_in_use;			/* a service has it: nothing that
					 * takes its sessions or its speed */
	p11_doctor_progress_fn *progress;
	void *arg;
};

/*
 * Runs all probes; facts are zeroed first.  An error is ours, such as no
 * memory; what the module did wrong is in the outcomes.  CANCELLED after
 * SIGINT or SIGTERM, keys that were made destroyed all the same.
 */
enum oc_err p11_doctor_run(const struct p11_doctor_options *options,
    struct p11_doctor_facts *facts, struct oc_error *error) OC_MUST_CHECK;

enum p11_finding_level {
	P11_FINDING_OK,
	P11_FINDING_NOTE,	/* unusual; ocsign copes */
	P11_FINDING_WARNING,	/* somebody should act */
	P11_FINDING_BAD		/* the token cannot be used so */
};

/* means: what ocsign does about it, or what to do; may be "". */
typedef void p11_finding_fn(void *arg, enum p11_probe probe,
    enum p11_finding_level level, const char *seen, const char *means);
void p11_doctor_findings(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, p11_finding_fn *put, void *arg);

/* Can the pool sign with it?  reason has P11_VERDICT_MAX octets. */
#define P11_VERDICT_MAX 256
bool p11_doctor_is_usable(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, char *reason);

/* How many sessions the pool is best given. */
unsigned int p11_doctor_pool_size(const struct p11_doctor_facts *facts);

/* The "[token NAME]" section; text that ocsign.conf(5) takes, with comments.
 * has_key: does this ocsign's [token] section have such a key? */
void p11_doctor_section(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, bool (*has_key)(const char *key),
    struct oc_buffer *out);

#endif
