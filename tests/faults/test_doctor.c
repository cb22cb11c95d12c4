/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "ocsign doctor" against SoftHSM, alone and behind the shim: what it finds
 * out, and that nothing a module does takes more than its line.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <p11-kit/pkcs11.h>

#include "base/clock.h"
#include "pkcs11/admin.h"
#include "pkcs11/doctor.h"
#include "tests/faults/shim_control.h"

/* Nothing is as slow as that, also on a busy machine. */
#define PATIENCE_S 60
/* What hangs is waited for that long. */
#define HANG_S 3

/* What happens when the probe begins: one rule, or a signal. */
struct trigger {
	const char *probe;
	enum shim_function function;
	enum shim_mode mode;
	unsigned long rv;
	int after, count, signal_number;
	bool is_once;		/* and not when it begins again */
	long arg;
};

struct world {
	struct softhsm hsm;
	struct shim_control *control;
	struct p11_doctor_options options;
	struct p11_doctor_facts facts;
	struct trigger trigger;
};

static struct world world;

static void
progress(void *arg, const char *text)
{
	struct world *w = arg;
	struct trigger *t = &w->trigger;
	bool is_it = t->probe != NULL && strcmp(t->probe, text) == 0;

	/* A probe's own name stands alone where it begins. */
	if (strchr(text, ':') != NULL)
		return;
	shim_clear(w->control);
	if (is_it && t->function != SHIM_NONE)
		atomic_store(&w->control->rules[shim_add(w->control,
		    t->function, t->mode, t->rv, t->after, t->count)].arg,
		    t->arg);
	if (is_it && t->signal_number != 0)
		(void)raise(t->signal_number);
	if (is_it && t->is_once)
		t->probe = NULL;
}

static int
setup(void **state)
{
	struct world *w = &world;

	if (!softhsm_is_there())
		return 0;
	memset(w, 0, sizeof(*w));
	softhsm_init(&w->hsm, "doctor");
	w->control = shim_open(&w->hsm);
	w->options.token = w->hsm.token;
	w->options.state_dir = w->hsm.state_dir;
	w->options.timeout_ns = PATIENCE_S * OC_NS_PER_S;
	w->options.round_ns = 50 * OC_NS_PER_MS;
	w->options.progress = progress;
	w->options.arg = w;
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	if (w == NULL)
		return 0;
	shim_close(w->control);
	softhsm_fini(&w->hsm);
	return 0;
}

static struct world *
world_of(void **state)
{
	if (*state == NULL)
		skip();
	return *state;
}

static enum oc_err
run(struct world *w)
{
	struct oc_error error = { 0 };
	enum oc_err err = p11_doctor_run(&w->options, &w->facts, &error);

	if (err != OC_OK && err != OC_ERR_CANCELLED)
		fail_msg("%s", error.text);
	return err;
}

static void
expect_end(const struct world *w, enum p11_probe probe,
    enum p11_probe_end end)
{
	const struct p11_probe_outcome *o = &w->facts.outcomes[probe];

	if (o->end != end)
		fail_msg("%s ended %d in %s: %s", p11_probe_name(probe),
		    (int)o->end, o->step, o->error.text);
}

/* All but those that were not asked for, and these. */
static void
expect_others_done(const struct world *w, enum p11_probe but)
{
	for (int p = 0; p < P11_PROBE_MAX; p++)
		if (p != (int)but && p != P11_PROBE_IDLE &&
		    ((p != P11_PROBE_MAKE_KEYS && p != P11_PROBE_SWEEP) ||
		    w->options.makes_keys))
			expect_end(w, (enum p11_probe)p, P11_END_DONE);
}

static bool
is_usable(const struct world *w)
{
	char reason[P11_VERDICT_MAX];

	return p11_doctor_is_usable(&w->options, &w->facts, reason);
}

static const struct p11_doctor_trial *
trial(const struct world *w, const char *name, enum sign_alg alg)
{
	for (size_t i = 0; i < w->facts.num_trials; i++) {
		const struct p11_doctor_mechanism *m =
		    &p11_doctor_mechanisms[w->facts.trials[i].mechanism];

		if (strcmp(m->name, name) == 0 && m->alg == alg)
			return &w->facts.trials[i];
	}
	fail_msg("no trial of %s", name);
	return NULL;
}

static void
expect_trial(const struct world *w, const char *name, enum sign_alg alg,
    enum p11_trial_state state)
{
	const struct p11_doctor_trial *t = trial(w, name, alg);

	if (t->state != state)
		fail_msg("%s, %s: state %d, rv 0x%lx", name,
		    sign_alg_info(alg)->name, (int)t->state, t->rv);
}

/* Everybody's but for those that the test made. */
static size_t
num_keys(const struct world *w)
{
	static struct p11_key_entry keys[P11_ADMIN_MAX];
	struct p11_token_config token = w->hsm.token;
	struct oc_error error = { 0 };
	size_t num = 0;

	token.module = w->hsm.module;
	if (p11_admin_list_keys(&token, w->hsm.state_dir,
	    oc_clock_mono_ns() + PATIENCE_S * OC_NS_PER_S, keys, &num,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
	return num;
}

/* --- a token that is well --------------------------------------------- */

static void
test_softhsm(void **state)
{
	struct world *w = world_of(state);
	const struct p11_doctor_facts *f = &w->facts;

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	softhsm_generate(&w->hsm, "rsa", SIGN_KEY_RSA, 2048, NULL);
	w->options.idle_s = 1;
	assert_int_equal(run(w), OC_OK);
	expect_others_done(w, P11_PROBE_MAX);
	expect_end(w, P11_PROBE_IDLE, P11_END_DONE);
	assert_true(is_usable(w));
	assert_true(f->is_idle_session_alive && f->is_idle_logged_in);
	assert_int_equal(f->rv_idle_sign, CKR_OK);
	assert_int_equal(f->num_keys, 2);
	assert_true(f->is_second_logged_in && f->is_later_logged_in);
	assert_int_equal(f->rv_init_again, CKR_CRYPTOKI_ALREADY_INITIALIZED);
	expect_trial(w, "CKM_ECDSA", SIGN_ECDSA_SHA256, P11_TRIAL_WORKS);
	expect_trial(w, "CKM_RSA_PKCS", SIGN_RSA_SHA256, P11_TRIAL_WORKS);
	expect_trial(w, "CKM_RSA_PKCS_PSS", SIGN_RSA_PSS_SHA256,
	    P11_TRIAL_WORKS);
	expect_trial(w, "CKM_SHA256_RSA_PKCS", SIGN_RSA_SHA256,
	    P11_TRIAL_WORKS);
	assert_string_equal(f->keys[f->best_key].entry.label, "ec");
	/* What was measured of SoftHSM otherwise, too. */
	assert_int_equal(f->rv_sign_logged_out, CKR_OBJECT_HANDLE_INVALID);
	assert_true(f->is_state_told);
	assert_int_equal(f->rv_cancel, CKR_ARGUMENTS_BAD);
	assert_int_equal(f->rv_find_while_signing, CKR_OPERATION_ACTIVE);
	assert_int_equal(f->rv_bad_key, CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(f->num_opened, P11_DOCTOR_SESSIONS_MAX);
	assert_int_equal(f->rv_refused, CKR_OK);
	assert_true(f->num_rounds >= 2);
	for (size_t i = 0; i < f->num_rounds; i++) {
		assert_true(f->rounds[i].num_signed > 0);
		assert_int_equal(f->rounds[i].num_failed, 0);
		assert_int_equal(f->rounds[i].num_wrong, 0);
		assert_true(f->rounds[i].p50_us <= f->rounds[i].p99_us);
	}
	/* The keys are as they were. */
	assert_int_equal(num_keys(w), 2);
}

static void
test_needs(void **state)
{
	struct world *w = world_of(state);
	const struct p11_doctor_facts *f = &w->facts;
	bool has_tokens = false, has_inet = false;
	char *real = realpath(w->hsm.tokens, NULL);

	/* The shim has files of its own. */
	w->options.token.module = w->hsm.module;
	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	assert_non_null(real);
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_OBSERVE, P11_END_DONE);
	for (size_t i = 0; i < f->num_seen; i++) {
		has_tokens = has_tokens || strncmp(f->seen[i].path, real,
		    strlen(real)) == 0;
		has_inet = has_inet || f->seen[i].kind == P11_SEEN_INET;
	}
	free(real);
	assert_false(has_inet);
	if (!f->is_watched)
		skip();
	assert_true(has_tokens);
}

/* A module alone: its tokens, and no login. */
static void
test_list(void **state)
{
	struct world *w = world_of(state);

	w->options.token.uri = NULL;
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_MODULE, P11_END_DONE);
	expect_end(w, P11_PROBE_TOKEN, P11_END_NOT_RUN);
	assert_true(w->facts.num_tokens >= 1);
	assert_string_equal(w->facts.tokens[0].label, "doctor");
	assert_int_equal(shim_calls(w->control, SHIM_LOGIN), 0);
}

static void
test_no_module(void **state)
{
	struct world *w = world_of(state);

	w->options.token.module = "/etc/passwd";
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_MODULE, P11_END_FAILED);
	assert_false(is_usable(w));
}

/* --- keys made for it ------------------------------------------------- */

static void
test_make_keys(void **state)
{
	struct world *w = world_of(state);

	w->options.makes_keys = true;
	assert_int_equal(run(w), OC_OK);
	expect_others_done(w, P11_PROBE_MAX);
	assert_true(is_usable(w));
	assert_int_equal(w->facts.num_swept, 4);
	expect_trial(w, "CKM_EDDSA", SIGN_ED25519, P11_TRIAL_WORKS);
	expect_trial(w, "CKM_ECDSA", SIGN_ECDSA_SHA384, P11_TRIAL_WORKS);
	expect_trial(w, "CKM_RSA_PKCS", SIGN_RSA_SHA512, P11_TRIAL_WORKS);
	assert_int_equal(num_keys(w), 0);
}

/* Also when somebody has had enough. */
static void
test_interrupted(void **state)
{
	struct world *w = world_of(state);

	w->options.makes_keys = true;
	w->trigger = (struct trigger){ .probe = "mechanisms",
	    .signal_number = SIGINT };
	assert_int_equal(run(w), OC_ERR_CANCELLED);
	expect_end(w, P11_PROBE_SWEEP, P11_END_DONE);
	assert_true(w->facts.num_swept > 0);
	assert_int_equal(num_keys(w), 0);
}

/* And when there are none to be made. */
static void
test_nothing_can_be_made(void **state)
{
	struct world *w = world_of(state);

	w->options.makes_keys = true;
	w->trigger = (struct trigger){ .probe = "make-keys",
	    .function = SHIM_GENERATE_KEY_PAIR, .mode = SHIM_RETURN,
	    .rv = CKR_MECHANISM_INVALID };
	assert_int_equal(run(w), OC_OK);
	assert_false(w->facts.made[SIGN_KEY_RSA].is_made);
	assert_non_null(strstr(w->facts.made[SIGN_KEY_RSA].reason,
	    "CKR_MECHANISM_INVALID"));
	assert_int_equal(w->facts.num_keys, 0);
	assert_false(is_usable(w));
}

/* --- sessions --------------------------------------------------------- */

static void
test_session_limit(void **state)
{
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	w->trigger = (struct trigger){ .probe = "sessions",
	    .function = SHIM_OPEN_SESSION, .mode = SHIM_FULL,
	    .rv = CKR_SESSION_COUNT, .arg = 2 };
	assert_int_equal(run(w), OC_OK);
	expect_others_done(w, P11_PROBE_MAX);
	assert_int_equal(w->facts.num_opened, 2);
	assert_int_equal(w->facts.rv_refused, CKR_SESSION_COUNT);
	assert_int_equal(p11_doctor_pool_size(&w->facts), 1);
	assert_true(is_usable(w));
}

static void
test_hang_in_open_session(void **state)
{
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	w->options.timeout_ns = HANG_S * OC_NS_PER_S;
	w->trigger = (struct trigger){ .probe = "sessions",
	    .function = SHIM_OPEN_SESSION, .mode = SHIM_HANG, .after = 6 };
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_SESSIONS, P11_END_HUNG);
	assert_int_equal(w->facts.num_opened, 6);
	assert_non_null(strstr(w->facts.outcomes[P11_PROBE_SESSIONS].step,
	    "C_OpenSession, number 7"));
	expect_others_done(w, P11_PROBE_SESSIONS);
	assert_true(is_usable(w));
}

/* --- signatures ------------------------------------------------------- */

static void
test_hang_in_sign(void **state)
{
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	w->options.timeout_ns = HANG_S * OC_NS_PER_S;
	w->trigger = (struct trigger){ .probe = "mechanisms",
	    .function = SHIM_SIGN, .mode = SHIM_HANG, .is_once = true };
	assert_int_equal(run(w), OC_OK);
	expect_trial(w, "CKM_ECDSA", SIGN_ECDSA_SHA256, P11_TRIAL_HUNG);
	expect_trial(w, "CKM_ECDSA", SIGN_ECDSA_SHA384, P11_TRIAL_WORKS);
	expect_others_done(w, P11_PROBE_MAX);
	assert_true(is_usable(w));
}

/* A child for what crashed, another for what comes after it. */
static void
test_crash_in_sign(void **state)
{
	static const enum shim_mode modes[] = { SHIM_CRASH, SHIM_ABORT };
	static const int signals[] = { SIGSEGV, SIGABRT };
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	for (size_t i = 0; i < 2; i++) {
		w->trigger = (struct trigger){ .probe = "mechanisms",
		    .function = SHIM_SIGN, .mode = modes[i],
		    .is_once = true };
		assert_int_equal(run(w), OC_OK);
		expect_trial(w, "CKM_ECDSA", SIGN_ECDSA_SHA256,
		    P11_TRIAL_CRASHED);
		expect_trial(w, "CKM_ECDSA", SIGN_ECDSA_SHA384,
		    P11_TRIAL_WORKS);
		expect_others_done(w, P11_PROBE_MAX);
		assert_true(is_usable(w));

		w->trigger = (struct trigger){ .probe = "logout",
		    .function = SHIM_LOGOUT, .mode = modes[i] };
		assert_int_equal(run(w), OC_OK);
		expect_end(w, P11_PROBE_LOGOUT, P11_END_CRASHED);
		/* A sanitizer ends the process itself. */
		if (w->facts.outcomes[P11_PROBE_LOGOUT].signal != 0)
			assert_int_equal(w->facts.outcomes[
			    P11_PROBE_LOGOUT].signal, signals[i]);
		expect_others_done(w, P11_PROBE_LOGOUT);
		assert_true(is_usable(w));
	}
}

static void
test_bare_point(void **state)
{
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	assert_int_equal(run(w), OC_OK);
	assert_int_equal(w->facts.keys[0].point, P11_POINT_WRAPPED);
	w->trigger = (struct trigger){ .probe = "keys",
	    .function = SHIM_GET_ATTRIBUTE_VALUE, .mode = SHIM_RAW_POINT };
	assert_int_equal(run(w), OC_OK);
	assert_int_equal(w->facts.keys[0].point, P11_POINT_RAW);
	assert_true(is_usable(w));
}

static void
test_wrong_signature(void **state)
{
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	w->trigger = (struct trigger){ .probe = "mechanisms",
	    .function = SHIM_SIGN, .mode = SHIM_FLIP };
	assert_int_equal(run(w), OC_OK);
	expect_trial(w, "CKM_ECDSA", SIGN_ECDSA_SHA256, P11_TRIAL_WRONG);
	assert_false(is_usable(w));
}

static void
test_wrong_under_load(void **state)
{
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	w->trigger = (struct trigger){ .probe = "speed",
	    .function = SHIM_SIGN, .mode = SHIM_FLIP, .after = 3,
	    .count = 1 };
	/* So long that there are four on a busy machine, too. */
	w->options.round_ns = OC_NS_PER_S;
	assert_int_equal(run(w), OC_OK);
	assert_int_equal(w->facts.rounds[0].num_wrong, 1);
	assert_false(is_usable(w));
}

static void
test_der_signatures(void **state)
{
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	w->trigger = (struct trigger){ .probe = "mechanisms",
	    .function = SHIM_SIGN, .mode = SHIM_TO_DER };
	assert_int_equal(run(w), OC_OK);
	expect_trial(w, "CKM_ECDSA", SIGN_ECDSA_SHA256, P11_TRIAL_WORKS);
	assert_true(trial(w, "CKM_ECDSA", SIGN_ECDSA_SHA256)->is_der);
}

/* In the list, and not done. */
static void
test_lying_list(void **state)
{
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "rsa", SIGN_KEY_RSA, 2048, NULL);
	w->trigger = (struct trigger){ .probe = "mechanisms",
	    .function = SHIM_SIGN_INIT, .mode = SHIM_RETURN,
	    .rv = CKR_MECHANISM_INVALID, .count = 3 };
	assert_int_equal(run(w), OC_OK);
	expect_trial(w, "CKM_RSA_PKCS", SIGN_RSA_SHA256, P11_TRIAL_REFUSED);
	assert_true(w->facts.is_listed[trial(w, "CKM_RSA_PKCS",
	    SIGN_RSA_SHA256)->mechanism]);
	expect_trial(w, "CKM_SHA256_RSA_PKCS", SIGN_RSA_SHA256,
	    P11_TRIAL_WORKS);
	/* What goes on, goes on with what works. */
	expect_others_done(w, P11_PROBE_MAX);
	assert_true(is_usable(w));
}

/* 0x90 when two sign at once: the pool gets one session. */
static void
test_single_lane(void **state)
{
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	w->options.round_ns = OC_NS_PER_S;
	w->trigger = (struct trigger){ .probe = "speed",
	    .function = SHIM_SIGN, .mode = SHIM_BUSY,
	    .rv = CKR_OPERATION_ACTIVE, .arg = 1 };
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_SPEED, P11_END_DONE);
	assert_int_equal(w->facts.rounds[0].num_failed, 0);
	assert_true(w->facts.num_rounds >= 2);
	assert_true(w->facts.rounds[1].num_failed > 0);
	assert_int_equal(w->facts.rounds[1].rv, CKR_OPERATION_ACTIVE);
	assert_int_equal(p11_doctor_pool_size(&w->facts), 1);
}

static void
test_errors_under_load(void **state)
{
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	w->options.round_ns = OC_NS_PER_S;
	w->trigger = (struct trigger){ .probe = "speed",
	    .function = SHIM_SIGN, .mode = SHIM_RETURN,
	    .rv = CKR_OPERATION_ACTIVE, .after = 2, .count = 5 };
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_SPEED, P11_END_DONE);
	assert_int_equal(w->facts.rounds[0].num_failed, 5);
	assert_int_equal(w->facts.rounds[0].rv, CKR_OPERATION_ACTIVE);
	assert_true(w->facts.rounds[0].num_signed > 0);
	assert_int_equal(w->facts.rounds[1].num_failed, 0);
}

/* --- PINs ------------------------------------------------------------- */

static void
test_wrong_pin(void **state)
{
	struct world *w = world_of(state);

	softhsm_write_pin(&w->hsm, "9999");
	for (int n = 0; n < 3; n++) {
		assert_int_equal(run(w), OC_OK);
		expect_end(w, P11_PROBE_LOGIN, P11_END_FAILED);
		expect_end(w, P11_PROBE_KEYS, P11_END_NOT_RUN);
		assert_int_equal(shim_calls(w->control, SHIM_LOGIN), 1);
		assert_false(is_usable(w));
	}
	/* Another one is another try. */
	softhsm_write_pin(&w->hsm, SOFTHSM_PIN);
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_LOGIN, P11_END_DONE);
}

static void
test_final_try(void **state)
{
	static const unsigned long flags[] = { CKF_USER_PIN_FINAL_TRY,
	    CKF_USER_PIN_LOCKED };
	struct world *w = world_of(state);

	for (size_t i = 0; i < 2; i++) {
		w->options.progress = NULL;
		shim_clear(w->control);
		(void)shim_add(w->control, SHIM_GET_TOKEN_INFO, SHIM_FLAGS,
		    flags[i], 0, 0);
		assert_int_equal(run(w), OC_OK);
		expect_end(w, P11_PROBE_LOGIN, P11_END_FAILED);
		assert_int_equal(shim_calls(w->control, SHIM_LOGIN), 0);
		assert_false(is_usable(w));
	}
}

/* A login that fails for another reason latches nothing. */
static void
test_leftover_sessions(void **state)
{
	struct world *w = world_of(state);

	w->trigger = (struct trigger){ .probe = "login",
	    .function = SHIM_LOGIN, .mode = SHIM_RETURN,
	    .rv = CKR_GENERAL_ERROR };
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_LOGIN, P11_END_FAILED);
	assert_non_null(strstr(w->facts.outcomes[P11_PROBE_LOGIN].error.text,
	    "C_Login: CKR_GENERAL_ERROR"));
	w->trigger.probe = NULL;
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_LOGIN, P11_END_DONE);
}

/* A child that is killed in C_Login leaves the latch, and nobody tries. */
static void
test_hang_in_login(void **state)
{
	struct world *w = world_of(state);

	w->options.timeout_ns = HANG_S * OC_NS_PER_S;
	w->trigger = (struct trigger){ .probe = "login",
	    .function = SHIM_LOGIN, .mode = SHIM_HANG };
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_LOGIN, P11_END_HUNG);
	assert_int_equal(shim_calls(w->control, SHIM_LOGIN), 1);
	w->trigger.probe = NULL;
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_LOGIN, P11_END_FAILED);
	assert_int_equal(shim_calls(w->control, SHIM_LOGIN), 1);
}

/* What a session says of itself is not believed: a signature is. */
static void
test_idle_is_fatal(void **state)
{
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	w->options.idle_s = 2;
	w->trigger = (struct trigger){ .probe = "idle",
	    .function = SHIM_SIGN, .mode = SHIM_RETURN,
	    .rv = CKR_DEVICE_ERROR };
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_IDLE, P11_END_DONE);
	assert_true(w->facts.is_idle_session_alive);
	assert_int_equal(w->facts.rv_idle_sign, CKR_DEVICE_ERROR);
}

/* A service that uses the token keeps its sessions. */
static void
test_in_use(void **state)
{
	struct world *w = world_of(state);

	softhsm_generate(&w->hsm, "ec", SIGN_KEY_P256, 256, NULL);
	w->options.is_in_use = true;
	assert_int_equal(run(w), OC_OK);
	expect_end(w, P11_PROBE_SESSIONS, P11_END_NOT_RUN);
	expect_end(w, P11_PROBE_SPEED, P11_END_NOT_RUN);
	expect_end(w, P11_PROBE_LOGOUT, P11_END_DONE);
	assert_true(is_usable(w));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_softhsm),
		T(test_needs),
		T(test_list),
		T(test_no_module),
		T(test_make_keys),
		T(test_interrupted),
		T(test_nothing_can_be_made),
		T(test_session_limit),
		T(test_hang_in_open_session),
		T(test_hang_in_sign),
		T(test_crash_in_sign),
		T(test_bare_point),
		T(test_wrong_signature),
		T(test_wrong_under_load),
		T(test_der_signatures),
		T(test_lying_list),
		T(test_single_lane),
		T(test_errors_under_load),
		T(test_wrong_pin),
		T(test_final_try),
		T(test_leftover_sessions),
		T(test_hang_in_login),
		T(test_idle_is_fatal),
		T(test_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
