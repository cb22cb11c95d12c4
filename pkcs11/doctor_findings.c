/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From facts to sentences: what was seen, and what ocsign does about it or
 * somebody has to do.  Looks at nothing but the facts.
 */
#include <p11-kit/pkcs11.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "pkcs11/doctor_report.h"
#include "pkcs11/recover.h"

#define SEEN_MAX 512
/* No device has more. */
#define SANE_SESSIONS 1000000

void
p11_say(const struct p11_report *r, enum p11_probe probe,
    enum p11_finding_level level, const char *means, const char *format, ...)
{
	char seen[SEEN_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(seen, sizeof(seen), format, ap);
	va_end(ap);
	r->put(r->arg, probe, level, seen, means);
}

const char *
p11_ckr(unsigned long rv)
{
	static char texts[8][P11_CKR_TEXT_MAX];
	static unsigned int next;

	return p11_ckr_text(rv, texts[next++ % 8]);
}

static bool
is_done(const struct p11_report *r, enum p11_probe probe)
{
	return r->facts->outcomes[probe].end == P11_END_DONE;
}

static bool
mentions(const struct p11_report *r, const char *word)
{
	const struct p11_doctor_facts *f = r->facts;

	return strcasestr(r->options->token.module, word) != NULL ||
	    strcasestr(f->description, word) != NULL ||
	    strcasestr(f->manufacturer, word) != NULL ||
	    strcasestr(f->token.model, word) != NULL ||
	    strcasestr(f->token.manufacturer, word) != NULL;
}

/* --- what went wrong -------------------------------------------------- */

/* What clears the sessions that a process has left in the device. */
static const char *
leftover_advice(const struct p11_report *r, const char *text)
{
	bool is_login = strstr(text, "C_Login: CKR_GENERAL_ERROR") != NULL;

	if (mentions(r, "tpm2") && (is_login ||
	    strstr(text, "CKR_DEVICE_MEMORY") != NULL ||
	    strstr(text, "CKR_GENERAL_ERROR") != NULL))
		return "a process that died may have left its sessions in "
		    "the TPM: \"tpm2_flushcontext -t; tpm2_flushcontext -l; "
		    "tpm2_flushcontext -s\" clears them, with the signer "
		    "stopped: the TPM calls the PIN wrong of who is logging "
		    "in just then";
	if (strstr(text, "C_OpenSession: CKR_SESSION_COUNT") != NULL &&
	    mentions(r, "yubi"))
		return "all 16 sessions of the device are taken; those of a "
		    "process that died end by themselves after 30 s without "
		    "use: wait, and stop what else uses it";
	if (strstr(text, "C_OpenSession: CKR_SESSION_COUNT") != NULL)
		return "all of its sessions are taken, by others or by a "
		    "process that died: stop what else uses it, or end them "
		    "with the vendor's tool";
	return NULL;
}

static const char *
daemon_advice(const struct p11_report *r, const char *text)
{
	if (mentions(r, "opencryptoki"))
		return "its daemon must run first: start pkcsslotd, and be "
		    "in the group pkcs11";
	if (mentions(r, "p11-kit-client"))
		return "\"p11-kit server\" must run, and --environment "
		    "P11_KIT_SERVER_ADDRESS=unix:path=... say where";
	if (mentions(r, "tpm2"))
		return "the TPM, or its resource manager, must be there: "
		    "--environment TPM2_PKCS11_TCTI=... says where";
	if (mentions(r, "softokn"))
		return "NSS wants to be told its database: --init-args "
		    "\"configdir='sql:/DIRECTORY' certPrefix='' keyPrefix='' "
		    "secmod='secmod.db'\"";
	if (strstr(text, "CKR_ARGUMENTS_BAD") != NULL)
		return "the module wants to be told something, or something "
		    "else: --init-args; read what its vendor says of "
		    "C_Initialize";
	return "see what its vendor says of daemons, networks and variables "
	    "that it needs; --environment NAME=VALUE sets one";
}

static const char *
failure_advice(const struct p11_report *r, enum p11_probe probe,
    const struct p11_probe_outcome *o)
{
	const char *advice = leftover_advice(r, o->error.text);

	if (advice != NULL)
		return advice;
	if (probe == P11_PROBE_MODULE)
		return daemon_advice(r, o->error.text);
	if (probe == P11_PROBE_SWEEP)
		return "remove them with the vendor's tool: their labels "
		    "begin with \"ocsign doctor, temporary\"";
	return "";
}

static void
put_failure(struct p11_report *r, enum p11_probe probe)
{
	static const char alone[] = "the module is not made for several "
	    "sessions at once: sessions = 1, and tell the vendor";
	const struct p11_probe_outcome *o = &r->facts->outcomes[probe];
	bool is_vital = probe <= P11_PROBE_LOGIN &&
	    probe != P11_PROBE_NULL_INIT;
	/* With one it was well. */
	bool is_crowd = probe == P11_PROBE_SPEED && r->facts->num_rounds > 0;
	enum p11_finding_level level = is_vital ? P11_FINDING_BAD :
	    P11_FINDING_WARNING;

	switch (o->end) {
	case P11_END_NOT_RUN:
	case P11_END_DONE:
		return;
	case P11_END_FAILED:
		p11_say(r, probe, level, failure_advice(r, probe, o),
		    o->said[0] == '\0' ? "%s" : "%s; the module said: %s",
		    o->error.text, o->said);
		return;
	case P11_END_HUNG:
		p11_say(r, probe, level, is_crowd ? alone :
		    "a call that hangs longer than timeout "
		    "costs ocsign-signer: it is killed, another is started, "
		    "and what was under way is tried there",
		    "%s did not return in %lld s", o->step, (long long)
		    (r->options->timeout_ns / OC_NS_PER_S));
		return;
	case P11_END_CRASHED:
		p11_say(r, probe, level, is_crowd ? alone :
		    "a crash costs ocsign-signer, which is "
		    "started again; tell the vendor", o->signal != 0 ?
		    "%s crashed the process (signal %d)" :
		    "%s ended the process", o->step, o->signal);
		return;
	}
}

/* --- module, token, login --------------------------------------------- */

static void
put_module(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;

	if (!is_done(r, P11_PROBE_MODULE))
		return;
	p11_say(r, P11_PROBE_MODULE, P11_FINDING_OK, "",
	    "%s (%s) %u.%u, Cryptoki %u.%u; %u slots, %zu with a token",
	    f->description, f->manufacturer, f->library_version[0],
	    f->library_version[1], f->cryptoki_version[0],
	    f->cryptoki_version[1], f->num_slots, f->num_tokens);
	if (f->num_tokens == 0)
		p11_say(r, P11_PROBE_MODULE, P11_FINDING_BAD,
		    daemon_advice(r, ""), "no slot has a token");
	if (!f->is_same_list)
		p11_say(r, P11_PROBE_MODULE, P11_FINDING_NOTE, "ocsign asks "
		    "once, and shares it with nothing", "each "
		    "C_GetFunctionList gives an instance of its own");
	if (f->rv_init_again != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		p11_say(r, P11_PROBE_MODULE, P11_FINDING_NOTE, "ocsign takes "
		    "both for an answer", "a second C_Initialize: %s",
		    p11_ckr(f->rv_init_again));
	if (is_done(r, P11_PROBE_NULL_INIT) && f->rv_init_null != CKR_OK)
		p11_say(r, P11_PROBE_NULL_INIT, P11_FINDING_NOTE,
		    "ocsign always "
		    "passes CKF_OS_LOCKING_OK", "C_Initialize without "
		    "arguments: %s", p11_ckr(f->rv_init_null));
}

static void
put_max_sessions(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;

	if (f->is_unlimited)
		p11_say(r, P11_PROBE_TOKEN, P11_FINDING_OK, "",
		    "says that it has sessions without limit");
	else if (!f->is_max_unknown && f->max_sessions > SANE_SESSIONS)
		p11_say(r, P11_PROBE_TOKEN, P11_FINDING_NOTE,
		    "what can be opened counts", "says that it has 0x%lx "
		    "sessions, which nothing has",
		    f->max_sessions);
	else if (f->is_max_unknown)
		p11_say(r, P11_PROBE_TOKEN, P11_FINDING_OK, "",
		    "does not say how many sessions it has");
	else
		p11_say(r, P11_PROBE_TOKEN, P11_FINDING_OK, "",
		    "says that it has %lu sessions, %lu of them for writing",
		    f->max_sessions, f->max_rw_sessions);
}

static void
put_token(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;
	const struct p11_token_entry *t = &f->token;

	if (!is_done(r, P11_PROBE_TOKEN))
		return;
	p11_say(r, P11_PROBE_TOKEN, P11_FINDING_OK, "", "\"%s\", serial %s, %s "
	    "%s%s", t->label, t->serial, t->manufacturer, t->model,
	    t->has_pin_pad ? ", with a pin pad" : "");
	put_max_sessions(r);
	if (f->rv_open_rw != CKR_OK)
		p11_say(r, P11_PROBE_TOKEN, P11_FINDING_NOTE, f->rv_open_rw ==
		    CKR_TOKEN_WRITE_PROTECTED ? "ocsign takes read-only ones; "
		    "keys are made with other tools" : "ocsign takes "
		    "read-only ones after CKR_TOKEN_WRITE_PROTECTED alone",
		    "no sessions for writing: %s", p11_ckr(f->rv_open_rw));
	if (f->rv_open_ro != CKR_OK)
		p11_say(r, P11_PROBE_TOKEN, P11_FINDING_NOTE, "ocsign asks for "
		    "the others first", "no read-only sessions: %s",
		    p11_ckr(f->rv_open_ro));
	if (t->is_pin_locked)
		p11_say(r, P11_PROBE_TOKEN, P11_FINDING_BAD, "its security "
		    "officer must set a new one", "the user PIN is locked");
	else if (!t->has_user_pin)
		p11_say(r, P11_PROBE_TOKEN, P11_FINDING_BAD,
		    "\"ocsign token init\" sets one on a new token",
		    "there is no user PIN");
	else if (t->is_final_try)
		p11_say(r, P11_PROBE_TOKEN, P11_FINDING_BAD, "it is not tried "
		    "here: log in once by hand, which resets the count",
		    "one wrong PIN more would lock the token");
}

static void
put_login(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;

	if (!is_done(r, P11_PROBE_LOGIN)) {
		if (is_done(r, P11_PROBE_TOKEN) &&
		    f->outcomes[P11_PROBE_LOGIN].end == P11_END_NOT_RUN)
			p11_say(r, P11_PROBE_LOGIN, P11_FINDING_WARNING,
			    "give --pin-source FILE", "not tried: no PIN");
		return;
	}
	p11_say(r, P11_PROBE_LOGIN, P11_FINDING_OK, "", "C_Login took %u.%u ms "
	    "with our latch around it", f->login_us / 1000,
	    f->login_us % 1000 / 100);
	if (f->is_second_logged_in && f->is_later_logged_in)
		p11_say(r, P11_PROBE_LOGIN, P11_FINDING_OK, "one login is for "
		    "the whole pool", "logged in once, every session of the "
		    "process is");
	else
		p11_say(r, P11_PROBE_LOGIN, P11_FINDING_WARNING,
		    "PKCS#11 has one "
		    "login for a process, and ocsign counts on that: its "
		    "sessions would find themselves logged out",
		    "a session opened %s the login is not logged in",
		    f->is_second_logged_in ? "after" : "before");
}

/* --- keys ------------------------------------------------------------- */

static const char *
type_text(const struct p11_doctor_key *key, char text[24])
{
	switch (key->entry.type) {
	case SIGN_KEY_RSA:
		(void)snprintf(text, 24, "RSA-%u", key->entry.bits);
		return text;
	case SIGN_KEY_P256:
		return "P-256";
	case SIGN_KEY_P384:
		return "P-384";
	case SIGN_KEY_P521:
		return "P-521";
	case SIGN_KEY_ED25519:
		return "Ed25519";
	case SIGN_KEY_NONE:
		break;
	}
	(void)snprintf(text, 24, "type 0x%lx", key->key_type);
	return text;
}

const char *
p11_doctor_key_text(const struct p11_doctor_key *key)
{
	static char texts[4][P11_OBJECT_LABEL_MAX + 24];
	static unsigned int next;
	char *text = texts[next++ % 4], type[24];

	(void)snprintf(text, sizeof(texts[0]), key->is_temporary ?
	    "the temporary %s key" : "\"%s\"", key->is_temporary ?
	    type_text(key, type) : key->entry.label);
	return text;
}

static void
put_key(struct p11_report *r, const struct p11_doctor_key *k)
{
	char type[24];
	const char *point = k->point == P11_POINT_WRAPPED ? ", EC point as "
	    "an OCTET STRING" : k->point == P11_POINT_RAW ?
	    ", EC point bare" : "";

	p11_say(r, P11_PROBE_KEYS, P11_FINDING_OK, "", "\"%s\": %s%s, %s%s",
	    k->entry.label, type_text(k, type), k->entry.has_public ?
	    "" : ", without a public key object", k->entry.is_extractable ?
	    "extractable" : "not extractable", point);
	if (k->entry.is_extractable && !k->is_temporary)
		p11_say(r, P11_PROBE_KEYS, P11_FINDING_WARNING, "a CA's key is "
		    "better made so that it cannot be taken out",
		    "\"%s\" can be taken out of the token",
		    k->entry.label);
	if (k->num_same_id > 0)
		p11_say(r, P11_PROBE_KEYS, P11_FINDING_WARNING, "ocsign never "
		    "takes the first of several: name it by object= and id= "
		    "both, or change one of the ids", "\"%s\" shares its "
		    "CKA_ID with %u other private keys", k->entry.label,
		    k->num_same_id);
	if (k->is_always_authenticate)
		p11_say(r, P11_PROBE_KEYS, P11_FINDING_NOTE,
		    "such a key is slow, "
		    "and was not tried here", "\"%s\" wants the PIN for each "
		    "signature (CKA_ALWAYS_AUTHENTICATE)", k->entry.label);
	else if (!k->is_usable)
		p11_say(r, P11_PROBE_KEYS, P11_FINDING_NOTE, "it was not tried",
		    "\"%s\": %s", k->entry.label, k->reason);
}

static void
put_made(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;

	for (int t = 0; t <= SIGN_KEY_ED25519; t++) {
		struct p11_doctor_key key = { .entry.type =
		    (enum sign_key_type)t, .entry.bits = 2048 };
		char type[24];

		if (!f->made[t].is_tried)
			continue;
		if (f->made[t].is_made)
			p11_say(r, P11_PROBE_MAKE_KEYS, P11_FINDING_OK, "",
			    "%s: made in %u ms", type_text(&key, type),
			    f->made[t].took_ms);
		else
			p11_say(r, P11_PROBE_MAKE_KEYS, P11_FINDING_NOTE, "it "
			    "has no keys of this type for us", "%s: %s",
			    type_text(&key, type), f->made[t].reason);
	}
}

static void
put_keys(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;
	bool has_leftover = false, has_silent = false;

	put_made(r);
	if (!is_done(r, P11_PROBE_KEYS))
		return;
	for (size_t i = 0; i < f->num_keys; i++) {
		const struct p11_doctor_key *k = &f->keys[i];

		has_leftover = has_leftover || k->is_temporary;
		has_silent = has_silent || k->is_always_authenticate_error;
		if (!k->is_temporary)
			put_key(r, k);
	}
	if (f->num_keys == 0)
		p11_say(r, P11_PROBE_KEYS, P11_FINDING_WARNING, "\"ocsign key "
		    "generate\" makes one; --make-keys tries with some that "
		    "are destroyed again", "there is no private key");
	if (r->options->key != NULL && !f->has_best_key)
		p11_say(r, P11_PROBE_KEYS, P11_FINDING_WARNING, "what "
		    "--key names is the label of a private key; nothing was "
		    "measured", "there is no key \"%s\" that can be tried",
		    r->options->key);
	if (f->has_more_keys)
		p11_say(r, P11_PROBE_KEYS, P11_FINDING_NOTE, "",
		    "there are more "
		    "than %d private keys; the first were looked at",
		    P11_DOCTOR_KEYS_MAX);
	if (f->num_public_only > 0)
		p11_say(r, P11_PROBE_KEYS, P11_FINDING_NOTE, "", "%zu public "
		    "keys have no private key of their CKA_ID",
		    f->num_public_only);
	if (has_silent)
		p11_say(r, P11_PROBE_KEYS, P11_FINDING_OK, "read as \"no\"",
		    "CKA_ALWAYS_AUTHENTICATE cannot be asked for");
	if (has_leftover && !r->options->makes_keys)
		p11_say(r, P11_PROBE_KEYS, P11_FINDING_WARNING, "--make-keys "
		    "destroys them when it ends", "a doctor that was killed "
		    "has left temporary keys");
}

/* --- all -------------------------------------------------------------- */

static void
put_idle(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;
	bool is_alive = f->is_idle_logged_in && f->rv_idle_sign == CKR_OK;

	if (!is_done(r, P11_PROBE_LOGIN))
		return;
	if (f->idle_s == 0)
		p11_say(r, P11_PROBE_IDLE, P11_FINDING_OK,
		    "--idle SECONDS waits "
		    "and looks", "whether a session outlives idle time was "
		    "not tried");
	else if (is_done(r, P11_PROBE_IDLE) && is_alive)
		p11_say(r, P11_PROBE_IDLE, P11_FINDING_OK, "no keep-alive is "
		    "needed for that long", "after %lld s a session still "
		    "signs", (long long)f->idle_s);
	else if (is_done(r, P11_PROBE_IDLE))
		p11_say(r, P11_PROBE_IDLE, P11_FINDING_WARNING, "a canary "
		    "signature well within that time keeps it: keep-alive; "
		    "without, the first signature after a pause is retried "
		    "on a new session", "after %lld s a session is lost: "
		    "C_GetSessionInfo %s%s, C_Sign %s", (long long)f->idle_s,
		    p11_ckr(f->rv_idle_info), f->is_idle_session_alive &&
		    !f->is_idle_logged_in ? " but logged out" : "",
		    p11_ckr(f->rv_idle_sign));
}

void
p11_doctor_findings(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, p11_finding_fn *put, void *arg)
{
	struct p11_report r = { .options = options, .facts = facts, .put = put,
	    .arg = arg };

	put_module(&r);
	put_failure(&r, P11_PROBE_MODULE);
	put_failure(&r, P11_PROBE_NULL_INIT);
	put_token(&r);
	put_failure(&r, P11_PROBE_TOKEN);
	put_login(&r);
	put_failure(&r, P11_PROBE_LOGIN);
	put_keys(&r);
	for (int p = P11_PROBE_MAKE_KEYS; p < P11_PROBE_OBSERVE; p++)
		put_failure(&r, (enum p11_probe)p);
	p11_doctor_sign_findings(options, facts, put, arg);
	for (int p = P11_PROBE_OBSERVE; p < P11_PROBE_MAX; p++)
		put_failure(&r, (enum p11_probe)p);
	put_idle(&r);
	if (options->makes_keys && is_done(&r, P11_PROBE_SWEEP))
		p11_say(&r, P11_PROBE_SWEEP, P11_FINDING_OK, "",
		    "%u temporary keys destroyed", facts->num_swept);
}

/* --- the verdict ------------------------------------------------------ */

static bool
has_trial(const struct p11_doctor_facts *facts, enum p11_trial_state state)
{
	for (size_t i = 0; i < facts->num_trials; i++)
		if (facts->trials[i].state == state)
			return true;
	return false;
}

bool
p11_doctor_is_usable(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, char *reason)
{
	static const enum p11_probe vital[] = { P11_PROBE_MODULE,
	    P11_PROBE_TOKEN, P11_PROBE_LOGIN, P11_PROBE_KEYS };
	const char *why = NULL;

	for (size_t i = 0; i < 4 && why == NULL; i++)
		if (facts->outcomes[vital[i]].end == P11_END_NOT_RUN)
			why = options->token.pin_source == NULL ?
			    "nothing was tried without a PIN" : "a probe "
			    "before it failed";
		else if (facts->outcomes[vital[i]].end != P11_END_DONE) {
			(void)snprintf(reason, P11_VERDICT_MAX, "the probe "
			    "\"%s\" failed", p11_probe_name(vital[i]));
			return false;
		}
	if (why == NULL && !has_trial(facts, P11_TRIAL_WORKS))
		why = facts->num_trials == 0 ? "there is no key to try: make "
		    "one, or run this with --make-keys" :
		    "no key made a good signature";
	/* A token that signs wrongly now and then is one nobody wants. */
	for (size_t i = 0; i < facts->num_rounds && why == NULL; i++)
		if (facts->rounds[i].num_wrong > 0)
			why = "it made signatures that do not verify";
	(void)snprintf(reason, P11_VERDICT_MAX, "%s", why == NULL ? "" :
	    why);
	return why == NULL;
}
