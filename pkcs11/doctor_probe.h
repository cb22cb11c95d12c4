/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doctor's own: what a probe has, in its child.  A probe returns OC_OK
 * when it has seen what it wanted to see, also of a token that refuses.
 */
#ifndef PKCS11_DOCTOR_PROBE_H
#define PKCS11_DOCTOR_PROBE_H

#include <stdatomic.h>

#include "pkcs11/doctor.h"
#include "pkcs11/module.h"

#define P11_DOCTOR_LABEL "ocsign doctor, temporary "

/* In memory that parent and child share. */
struct p11_doctor_shared {
	_Atomic int64_t step_until_ns;	/* when the step is late */
	char step[P11_STEP_MAX];
	atomic_bool is_cancelled;	/* no further step */
	bool is_over;
	enum oc_err err;
	struct oc_error error;
	struct p11_doctor_facts facts;
};

struct p11_doctor_child {
	const struct p11_doctor_options *options;
	struct p11_doctor_shared *shared;
	struct p11_doctor_facts *facts;
	enum sign_key_type make;	/* MAKE_KEYS: which */

	struct p11_module *module;
	CK_FUNCTION_LIST *f;
	CK_SLOT_ID slot;
	CK_TOKEN_INFO info;
};

typedef enum oc_err p11_probe_fn(struct p11_doctor_child *c,
    struct oc_error *error);

p11_probe_fn p11_probe_module, p11_probe_null_init, p11_probe_token,
    p11_probe_login, p11_probe_make_key, p11_probe_keys, p11_probe_observe,
    p11_probe_trials, p11_probe_logout, p11_probe_operations,
    p11_probe_sessions, p11_probe_speed, p11_probe_idle, p11_probe_sweep;

/* What comes next, and may take as long as one call may.  Does not return if
 * somebody has had enough: a token is left between two calls, not in one, as
 * long as it answers.  The probe's own thread. */
void p11_doctor_step(struct p11_doctor_child *c, const char *format, ...)
    OC_PRINTF(2, 3);
/* The same for what takes longer by itself. */
void p11_doctor_long_step(struct p11_doctor_child *c, int64_t more_ns,
    const char *format, ...) OC_PRINTF(3, 4);
/* The same step goes on; any thread. */
void p11_doctor_go_on(struct p11_doctor_child *c);

/* Opens the module and finds the token's slot. */
enum oc_err p11_doctor_open(struct p11_doctor_child *c,
    struct oc_error *error) OC_MUST_CHECK;
/* A session, and with the first of a process the login. */
enum oc_err p11_doctor_open_session(struct p11_doctor_child *c,
    CK_SESSION_HANDLE *session, struct oc_error *error) OC_MUST_CHECK;
enum oc_err p11_doctor_login(struct p11_doctor_child *c,
    CK_SESSION_HANDLE session, struct oc_error *error) OC_MUST_CHECK;
/* All three. */
enum oc_err p11_doctor_start(struct p11_doctor_child *c,
    CK_SESSION_HANDLE *session, struct oc_error *error) OC_MUST_CHECK;

/* The key that most probes sign with, in this process. */
enum oc_err p11_doctor_find_key(struct p11_doctor_child *c,
    CK_SESSION_HANDLE session, size_t key, CK_OBJECT_HANDLE *handle,
    struct oc_error *error) OC_MUST_CHECK;

/*
 * A signature over a canary, which says so and is no TBS.  What works for the
 * best key is remembered from its trials.
 */
struct p11_doctor_canary {
	char text[32];
	uint8_t nonce[32];
};
void p11_doctor_canary(struct p11_doctor_canary *canary);

struct p11_doctor_signing {
	const struct p11_doctor_mechanism *how;
	enum sign_key_type type;
	unsigned int bits;
	CK_OBJECT_HANDLE handle;
};
/* How to sign with a key; the row that works, else the default. */
void p11_doctor_choose(const struct p11_doctor_facts *facts, size_t key,
    CK_OBJECT_HANDLE handle, struct p11_doctor_signing *s);

struct p11_doctor_signature {
	uint8_t bytes[OC_SIGNATURE_MAX];
	size_t len;			/* as the token gave it */
	unsigned int init_us, sign_us;
};
/* init only: C_SignInit and no C_Sign. */
CK_RV p11_doctor_sign_init(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const struct p11_doctor_signing *s);
CK_RV p11_doctor_sign(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const struct p11_doctor_signing *s,
    const struct p11_doctor_canary *canary, struct p11_doctor_signature *out);
/* SIGNATURE if it does not verify; out is then in DER, if it can be. */
enum oc_err p11_doctor_check(const struct p11_doctor_signing *s,
    struct der_bytes spki, const struct p11_doctor_canary *canary,
    struct p11_doctor_signature *out) OC_MUST_CHECK;
/* The key's SubjectPublicKeyInfo. */
enum oc_err p11_doctor_spki(struct p11_doctor_child *c,
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle,
    struct sign_key_info *info, struct oc_error *error) OC_MUST_CHECK;

unsigned int p11_doctor_us_since(int64_t since_ns);

/* Watching what a child opens and connects to. */
/* In the child: installs the filter and sends the listener; false where the
 * kernel has none. */
bool p11_observe_begin(int socket);
/* In the parent: the listener, or -1. */
int p11_observe_receive(int socket);
/* In the parent: one call of the child that waits on the listener. */
void p11_observe_take(int listener, struct p11_doctor_facts *facts);
/* In the parent, at the end: which of the addresses had somebody there. */
void p11_observe_settle(struct p11_doctor_facts *facts);
/* In the child: what is open now. */
void p11_observe_look(struct p11_doctor_facts *facts);
void p11_observe_add(struct p11_doctor_facts *facts, enum p11_seen_kind kind,
    const char *path);

#endif
