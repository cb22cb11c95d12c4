/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doctor's report from canned facts: what is said of them, how many
 * sessions are proposed, and a section that ocsign.conf(5) takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <p11-kit/pkcs11.h>

#include "base/config.h"
#include "base/file.h"
#include "pkcs11/doctor.h"

struct world {
	struct p11_doctor_options options;
	struct p11_doctor_facts facts;
	struct oc_buffer said, section;
	enum p11_finding_level worst;
};

static void
done(struct world *w, enum p11_probe probe)
{
	w->facts.outcomes[probe].end = P11_END_DONE;
}

/* A token that does all as it should, as far as any does. */
static void
well(struct world *w)
{
	static const unsigned int rates[] = { 1000, 1950, 2000 };

	memset(w, 0, sizeof(*w));
	w->options.token = (struct p11_token_config){ .name = "ca",
	    .module = "/usr/lib/module.so", .uri = "pkcs11:token=ca",
	    .pin_source = "file:/etc/ocsign/pin" };
	w->options.state_dir = "/var/lib/ocsign";
	w->options.timeout_ns = INT64_C(30000000000);
	for (int p = 0; p < P11_PROBE_MAX; p++)
		if (p != P11_PROBE_MAKE_KEYS && p != P11_PROBE_SWEEP &&
		    p != P11_PROBE_IDLE)
			done(w, (enum p11_probe)p);
	(void)strcpy(w->facts.description, "Test HSM");
	(void)strcpy(w->facts.token.label, "ca");
	w->facts.token.is_initialized = w->facts.token.has_user_pin = true;
	w->facts.is_same_list = true;
	w->facts.rv_init_again = CKR_CRYPTOKI_ALREADY_INITIALIZED;
	w->facts.num_tokens = 1;
	w->facts.is_unlimited = true;
	w->facts.is_second_logged_in = w->facts.is_later_logged_in = true;
	w->facts.num_keys = 1;
	(void)strcpy(w->facts.keys[0].entry.label, "web");
	w->facts.keys[0].entry.type = SIGN_KEY_P256;
	w->facts.keys[0].entry.bits = 256;
	w->facts.keys[0].entry.has_public = true;
	w->facts.keys[0].is_usable = true;
	w->facts.has_best_key = true;
	w->facts.num_opened = P11_DOCTOR_SESSIONS_MAX;
	w->facts.is_watched = true;
	w->facts.rv_sign_logged_out = CKR_USER_NOT_LOGGED_IN;
	w->facts.has_list = true;
	for (size_t m = 0; m < p11_doctor_num_mechanisms; m++)
		if (sign_alg_fits(p11_doctor_mechanisms[m].alg,
		    SIGN_KEY_P256)) {
			w->facts.trials[w->facts.num_trials++] =
			    (struct p11_doctor_trial){ .mechanism = m,
			    .state = P11_TRIAL_WORKS };
			w->facts.is_listed[m] = true;
		}
	for (w->facts.num_rounds = 0; w->facts.num_rounds < 3;
	    w->facts.num_rounds++)
		w->facts.rounds[w->facts.num_rounds] =
		    (struct p11_doctor_round){
		    .num_sessions = 1U << w->facts.num_rounds,
		    .num_signed = rates[w->facts.num_rounds], .seconds = 1,
		    .p50_us = 900, .p99_us = 2000 };
}

static void
put(void *arg, enum p11_probe probe, enum p11_finding_level level,
    const char *seen, const char *means)
{
	struct world *w = arg;

	oc_buffer_printf(&w->said, "%s|%d|%s|%s\n", p11_probe_name(probe),
	    (int)level, seen, means);
	if (level > w->worst)
		w->worst = level;
}

/* All keys that a later [token] may have, too. */
static bool
has_every_key(const char *key)
{
	(void)key;
	return true;
}

static bool
has_key(const char *key)
{
	return oc_config_has_key("token", key);
}

static void
say(struct world *w)
{
	oc_buffer_init(&w->said, 65536);
	oc_buffer_init(&w->section, 65536);
	w->worst = P11_FINDING_OK;
	p11_doctor_findings(&w->options, &w->facts, put, w);
	p11_doctor_section(&w->options, &w->facts, has_every_key,
	    &w->section);
	assert_int_equal(w->said.err, OC_OK);
	assert_int_equal(w->section.err, OC_OK);
}

static void
forget(struct world *w)
{
	oc_buffer_fini(&w->said);
	oc_buffer_fini(&w->section);
}

static void
expect(const char *text, const char *wanted)
{
	if (strstr(text, wanted) == NULL)
		fail_msg("no \"%s\" in:\n%s", wanted, text);
}

static void
expect_none(const char *text, const char *unwanted)
{
	if (strstr(text, unwanted) != NULL)
		fail_msg("\"%s\" in:\n%s", unwanted, text);
}

#define SAID(w, text) expect(oc_buffer_text(&(w)->said), text)
#define SECTION(w, text) expect(oc_buffer_text(&(w)->section), text)

static struct world world;

static void
test_well(void **state)
{
	struct world *w = &world;
	char reason[P11_VERDICT_MAX];

	(void)state;
	well(w);
	say(w);
	assert_int_equal(w->worst, P11_FINDING_OK);
	assert_true(p11_doctor_is_usable(&w->options, &w->facts, reason));
	assert_string_equal(reason, "");
	SAID(w, "CKM_ECDSA sha256/sha384/sha512, CKM_ECDSA_SHA256");
	SAID(w, "best with 2 sessions");
	SECTION(w, "\n[token ca]\nmodule = /usr/lib/module.so\n"
	    "uri = pkcs11:token=ca\npin-source = file:/etc/ocsign/pin\n"
	    "sessions = 2\n");
	SECTION(w, "network = no\n");
	expect_none(oc_buffer_text(&w->section), "timeout");
	expect_none(oc_buffer_text(&w->section), "devices");
	expect_none(oc_buffer_text(&w->section), "keep-alive");
	forget(w);
}

/* One that hangs or crashes is a line, and the rest is still said. */
static void
test_ends(void **state)
{
	struct world *w = &world;
	struct p11_probe_outcome *o = &w->facts.outcomes[P11_PROBE_SESSIONS];
	char reason[P11_VERDICT_MAX];

	(void)state;
	well(w);
	o->end = P11_END_HUNG;
	(void)strcpy(o->step, "C_OpenSession, number 7");
	w->facts.num_opened = 6;
	o = &w->facts.outcomes[P11_PROBE_LOGOUT];
	o->end = P11_END_CRASHED;
	o->signal = 11;
	(void)strcpy(o->step, "C_Logout");
	say(w);
	SAID(w, "C_OpenSession, number 7 did not return in 30 s");
	SAID(w, "6 sessions could be opened before");
	SAID(w, "C_Logout crashed the process (signal 11)");
	SAID(w, "best with 2 sessions");
	assert_true(p11_doctor_is_usable(&w->options, &w->facts, reason));
	forget(w);
}

static void
test_vital_ends(void **state)
{
	static const enum p11_probe vital[] = { P11_PROBE_MODULE,
	    P11_PROBE_TOKEN, P11_PROBE_LOGIN, P11_PROBE_KEYS };
	struct world *w = &world;
	char reason[P11_VERDICT_MAX];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		well(w);
		w->facts.outcomes[vital[i]].end = P11_END_HUNG;
		assert_false(p11_doctor_is_usable(&w->options, &w->facts,
		    reason));
		expect(reason, p11_probe_name(vital[i]));
		well(w);
		w->facts.outcomes[vital[i]].end = P11_END_NOT_RUN;
		assert_false(p11_doctor_is_usable(&w->options, &w->facts,
		    reason));
	}
}

static void
test_no_key(void **state)
{
	struct world *w = &world;
	char reason[P11_VERDICT_MAX];

	(void)state;
	well(w);
	w->facts.num_keys = w->facts.num_trials = w->facts.num_rounds = 0;
	w->facts.has_best_key = false;
	assert_false(p11_doctor_is_usable(&w->options, &w->facts, reason));
	expect(reason, "--make-keys");
	say(w);
	SAID(w, "there is no private key");
	SECTION(w, "sessions = 4\n");
	forget(w);
	w->options.key = "other";
	say(w);
	SAID(w, "there is no key \"other\"");
	forget(w);

	/* Keys, but none that signs. */
	well(w);
	for (size_t i = 0; i < w->facts.num_trials; i++) {
		w->facts.trials[i].state = P11_TRIAL_REFUSED;
		w->facts.trials[i].rv = CKR_MECHANISM_INVALID;
	}
	assert_false(p11_doctor_is_usable(&w->options, &w->facts, reason));
	expect(reason, "no key made a good signature");
	say(w);
	SAID(w, "refuses CKM_ECDSA (sha256), CKM_ECDSA (sha384)");
	SAID(w, "the mechanism list has what does not work: CKM_ECDSA,");
	forget(w);
}

static void
test_wrong_signatures(void **state)
{
	struct world *w = &world;
	char reason[P11_VERDICT_MAX];

	(void)state;
	well(w);
	w->facts.trials[0].state = P11_TRIAL_WRONG;
	w->facts.trials[1].state = P11_TRIAL_CRASHED;
	w->facts.trials[2].state = P11_TRIAL_HUNG;
	w->facts.rounds[1].num_wrong = 3;
	say(w);
	SAID(w, "ecdsa-sha256: a signature that does not verify");
	SAID(w, "ecdsa-sha384: crashed the process");
	SAID(w, "ecdsa-sha512: did not return");
	SAID(w, "3 signatures with 2 sessions do not verify");
	assert_int_equal(w->worst, P11_FINDING_BAD);
	assert_false(p11_doctor_is_usable(&w->options, &w->facts, reason));
	expect(reason, "do not verify");
	forget(w);
}

static void
test_lies(void **state)
{
	struct world *w = &world;

	(void)state;
	well(w);
	memset(w->facts.is_listed, 0, sizeof(w->facts.is_listed));
	say(w);
	SAID(w, "the mechanism list leaves out what works: CKM_ECDSA, "
	    "CKM_ECDSA_SHA256");
	forget(w);
	/* No list is no lie. */
	w->facts.has_list = false;
	say(w);
	expect_none(oc_buffer_text(&w->said), "mechanism list");
	forget(w);
}

/* What a lost login looks like, and what the pool would make of it. */
static void
test_logged_out(void **state)
{
	static const struct {
		unsigned long rv;
		const char *means;
		enum p11_finding_level level;
	} cases[] = {
		{ CKR_USER_NOT_LOGGED_IN, "a login lost", P11_FINDING_OK },
		{ CKR_OBJECT_HANDLE_INVALID, "a login lost",
		    P11_FINDING_OK },
		{ CKR_DEVICE_ERROR, "broken", P11_FINDING_NOTE },
		{ CKR_SESSION_CLOSED, "a session lost", P11_FINDING_NOTE },
		{ CKR_MECHANISM_INVALID, "would not log in again",
		    P11_FINDING_WARNING },
		{ CKR_OK, "whoever opens a session", P11_FINDING_WARNING },
	};
	struct world *w = &world;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		well(w);
		w->facts.rv_sign_logged_out = cases[i].rv;
		say(w);
		SAID(w, cases[i].means);
		assert_int_equal(w->worst, cases[i].level);
		forget(w);
	}
}

/* --- how many sessions ------------------------------------------------ */

static void
rounds(struct world *w, size_t num, const unsigned int *rates,
    const unsigned int *errors)
{
	w->facts.num_rounds = num;
	for (size_t i = 0; i < num; i++)
		w->facts.rounds[i] = (struct p11_doctor_round){
		    .num_sessions = 1U << i, .num_signed = rates[i],
		    .num_failed = errors == NULL ? 0 : errors[i],
		    .rv = CKR_OPERATION_ACTIVE, .seconds = 1 };
}

static void
test_pool_size(void **state)
{
	static const unsigned int flat[] = { 100, 95 };
	static const unsigned int worse[] = { 100, 70 };
	static const unsigned int grows[] = { 100, 200, 400, 800, 820 };
	static const unsigned int busy[] = { 0, 12, 80 };
	struct world *w = &world;

	(void)state;
	well(w);
	rounds(w, 5, grows, NULL);
	assert_int_equal(p11_doctor_pool_size(&w->facts), 8);
	/* Serial, and patient: one may be lost. */
	rounds(w, 2, flat, NULL);
	assert_int_equal(p11_doctor_pool_size(&w->facts), 2);
	/* Worse for it. */
	rounds(w, 2, worse, NULL);
	assert_int_equal(p11_doctor_pool_size(&w->facts), 1);
	/* Serial, and not patient. */
	rounds(w, 2, flat, busy);
	assert_int_equal(p11_doctor_pool_size(&w->facts), 1);
	rounds(w, 3, grows, busy);
	assert_int_equal(p11_doctor_pool_size(&w->facts), 1);
	/* Errors wherever one looks. */
	rounds(w, 2, flat, busy + 1);
	assert_int_equal(p11_doctor_pool_size(&w->facts), 1);
	/* What takes the process along is a reason to be alone. */
	w->facts.outcomes[P11_PROBE_SPEED].end = P11_END_CRASHED;
	rounds(w, 3, grows, NULL);
	assert_int_equal(p11_doctor_pool_size(&w->facts), 1);
	say(w);
	SAID(w, "not made for several sessions at once: sessions = 1");
	SECTION(w, "sessions = 1\n");
	forget(w);
	done(w, P11_PROBE_SPEED);
	/* The keeper's own, of few. */
	rounds(w, 5, grows, NULL);
	w->facts.rv_refused = CKR_SESSION_COUNT;
	w->facts.num_opened = 5;
	assert_int_equal(p11_doctor_pool_size(&w->facts), 4);
	w->facts.is_unlimited = false;
	w->facts.max_sessions = CK_UNAVAILABLE_INFORMATION - 1;
	w->facts.num_opened = 1;
	assert_int_equal(p11_doctor_pool_size(&w->facts), 1);
	say(w);
	SAID(w, "1 sessions, then CKR_SESSION_COUNT");
	SAID(w, "sessions, which nothing has");
	forget(w);
}

/* --- what failed ------------------------------------------------------ */

static void
say_failed(struct world *w, enum p11_probe probe, const char *text)
{
	struct p11_probe_outcome *o = &w->facts.outcomes[probe];

	o->end = P11_END_FAILED;
	(void)oc_error_set(&o->error, OC_ERR_TOKEN, "%s", text);
}

static void
test_leftovers(void **state)
{
	struct world *w = &world;

	(void)state;
	well(w);
	w->options.token.module = "/usr/lib/libtpm2_pkcs11.so.1";
	say_failed(w, P11_PROBE_LOGIN, "C_Login: CKR_GENERAL_ERROR");
	say(w);
	SAID(w, "tpm2_flushcontext");
	assert_int_equal(w->worst, P11_FINDING_BAD);
	forget(w);
	/* Not of one that has no such sessions. */
	w->options.token.module = "/usr/lib/other.so";
	say(w);
	expect_none(oc_buffer_text(&w->said), "tpm2_flushcontext");
	forget(w);
	well(w);
	(void)strcpy(w->facts.manufacturer, "Yubico");
	(void)strcpy(w->facts.description, "YubiHSM PKCS#11");
	say_failed(w, P11_PROBE_TOKEN, "C_OpenSession: CKR_SESSION_COUNT");
	say(w);
	SAID(w, "30 s");
	forget(w);
}

static void
test_daemons(void **state)
{
	static const struct {
		const char *module, *advice;
	} cases[] = {
		{ "/usr/lib/opencryptoki/libopencryptoki.so.0", "pkcsslotd" },
		{ "/usr/lib/pkcs11/p11-kit-client.so", "p11-kit server" },
		{ "/usr/lib/libsoftokn3.so", "configdir" },
		{ "/usr/lib/other.so", "--environment" },
	};
	struct world *w = &world;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		well(w);
		w->options.token.module = cases[i].module;
		say_failed(w, P11_PROBE_MODULE,
		    "C_Initialize: CKR_FUNCTION_FAILED");
		say(w);
		SAID(w, cases[i].advice);
		forget(w);
	}
}

static void
test_pin_flags(void **state)
{
	struct world *w = &world;

	(void)state;
	well(w);
	w->facts.token.is_final_try = true;
	say_failed(w, P11_PROBE_LOGIN, "one wrong PIN more locks it");
	say(w);
	SAID(w, "one wrong PIN more would lock the token");
	assert_int_equal(w->worst, P11_FINDING_BAD);
	forget(w);
}

/* --- odd keys --------------------------------------------------------- */

static void
test_odd_keys(void **state)
{
	struct world *w = &world;

	(void)state;
	well(w);
	w->facts.keys[0].entry.is_extractable = true;
	w->facts.keys[0].entry.has_public = false;
	w->facts.keys[0].point = P11_POINT_RAW;
	w->facts.keys[0].num_same_id = 1;
	w->facts.keys[0].is_always_authenticate = true;
	w->facts.trials[0].is_der = true;
	say(w);
	SAID(w, "\"web\": P-256, without a public key object, extractable, "
	    "EC point bare");
	SAID(w, "can be taken out");
	SAID(w, "shares its CKA_ID with 1 other");
	SAID(w, "CKA_ALWAYS_AUTHENTICATE");
	SAID(w, "come in DER");
	SECTION(w, "# keys: \"web\" shares its CKA_ID");
	forget(w);
}

/* --- the section ------------------------------------------------------ */

static void
see(struct world *w, enum p11_seen_kind kind, const char *path)
{
	struct p11_doctor_seen *seen = &w->facts.seen[w->facts.num_seen++];

	seen->kind = kind;
	(void)snprintf(seen->path, sizeof(seen->path), "%s", path);
}

static void
test_needs(void **state)
{
	static const char *const environment[] = { "A=1", "B=/x", NULL };
	struct world *w = &world;

	(void)state;
	well(w);
	w->options.token.environment = environment;
	see(w, P11_SEEN_INET, "192.0.2.1 port 9000");
	w->facts.seen[0].is_answered = true;
	see(w, P11_SEEN_INET, "127.0.0.1 port 30003");
	see(w, P11_SEEN_DEVICE, "/dev/tpmrm0");
	see(w, P11_SEEN_WRITTEN, "/srv2/tokens/one");
	see(w, P11_SEEN_READ, "/srv2/tokens");
	see(w, P11_SEEN_WRITTEN, "/srv2/tokens/two");
	see(w, P11_SEEN_UNIX, "/run/hsm.sock");
	see(w, P11_SEEN_READ, "/opt/a file");
	/* These are ours, or everybody's. */
	see(w, P11_SEEN_READ, "/etc/ocsign/pin");
	see(w, P11_SEEN_WRITTEN, "/var/lib/ocsign");
	see(w, P11_SEEN_READ, "/usr/lib/module.so");
	see(w, P11_SEEN_UNIX, "/dev/log");
	see(w, P11_SEEN_UNIX, "@abstract");
	say(w);
	SECTION(w, "environment = A=1 B=/x\n");
	SECTION(w, "network = yes\n");
	SECTION(w, "devices = /dev/tpmrm0\n");
	SECTION(w, "paths = /srv2/tokens /run/hsm.sock\n");
	SAID(w, "|connects to 192.0.2.1 port 9000");
	SAID(w, "tries to connect to 127.0.0.1 port 30003");
	expect_none(oc_buffer_text(&w->said), "/etc/ocsign/pin");
	expect_none(oc_buffer_text(&w->said), "/dev/log");
	forget(w);
	/* Nobody was there. */
	w->facts.seen[0].is_answered = false;
	say(w);
	SECTION(w, "network = no\n");
	forget(w);
}

static void
test_idle(void **state)
{
	struct world *w = &world;

	(void)state;
	well(w);
	w->facts.idle_s = 60;
	done(w, P11_PROBE_IDLE);
	w->facts.rv_idle_info = CKR_OK;
	w->facts.is_idle_session_alive = true;
	w->facts.is_idle_logged_in = true;
	w->facts.rv_idle_sign = CKR_DEVICE_ERROR;
	say(w);
	SAID(w, "after 60 s a session is lost: C_GetSessionInfo CKR_OK, "
	    "C_Sign CKR_DEVICE_ERROR");
	SECTION(w, "keep-alive = 30s\n");
	forget(w);
	w->facts.rv_idle_sign = CKR_OK;
	say(w);
	SAID(w, "still signs");
	expect_none(oc_buffer_text(&w->section), "keep-alive");
	forget(w);
}

static void
test_timeout(void **state)
{
	struct world *w = &world;

	(void)state;
	well(w);
	w->facts.rounds[2].p99_us = 1500000;
	say(w);
	SECTION(w, "timeout = 30s\n");
	forget(w);
}

/* Everything that can be odd at once, in a file that is read. */
static void
test_section_is_taken(void **state)
{
	static const char *const environment[] = { "A=1", NULL };
	const char *tmp = getenv("TMPDIR");
	struct oc_config_errors errors = { 0 };
	struct oc_error error = { 0 };
	struct world *w = &world;
	struct oc_config *config;
	char directory[256], path[300];
	struct oc_buffer text;

	(void)state;
	well(w);
	w->options.token.environment = environment;
	w->facts.idle_s = 60;
	done(w, P11_PROBE_IDLE);
	(void)strcpy(w->facts.token.model, "Model ; # 1");
	w->facts.keys[0].num_same_id = 1;
	w->facts.rounds[2].p99_us = 1500000;
	see(w, P11_SEEN_INET, "192.0.2.1 port 9000");
	w->facts.seen[0].is_answered = true;
	see(w, P11_SEEN_DEVICE, "/dev/tpmrm0");
	see(w, P11_SEEN_WRITTEN, "/srv2/tokens");
	/* A line of its own would be another key. */
	see(w, P11_SEEN_WRITTEN, "/srv2/a\nnetwork = yes");
	see(w, P11_SEEN_DEVICE, "/dev/a\nnetwork = yes");
	say_failed(w, P11_PROBE_OPERATIONS, "C_SignInit: CKR_GENERAL_ERROR");
	oc_buffer_init(&text, 65536);
	p11_doctor_section(&w->options, &w->facts, has_key, &text);
	assert_int_equal(text.err, OC_OK);

	(void)snprintf(directory, sizeof(directory), "%s/ocsign-doctor-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/ocsign.conf", directory);
	if (oc_file_write(path, 0600, text.bytes, text.len, &error) != OC_OK)
		fail_msg("%s", error.text);
	if (oc_config_load(path, &config, &errors) != OC_OK)
		fail_msg("%s:\n%s", errors.list[0].text,
		    oc_buffer_text(&text));
	assert_int_equal(config->num_tokens, 1);
	assert_string_equal(config->tokens[0].uri, "pkcs11:token=ca");
	assert_int_equal(config->tokens[0].sessions, 2);
	assert_int_equal(config->tokens[0].timeout_s, 30);
	oc_config_free(config);
	oc_buffer_fini(&text);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_vital_ends),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_wrong_signatures),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_logged_out),
		cmocka_unit_test(test_pool_size),
		cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_daemons),
		cmocka_unit_test(test_pin_flags),
		cmocka_unit_test(test_odd_keys),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_section_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
