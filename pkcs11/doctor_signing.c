/* SPDX-License-Identifier: Apache-2.0 */
/* Findings about signatures: mechanisms, lost logins, sessions, speed, and
 * what the module needs of the system. */
#include <p11-kit/pkcs11.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "pkcs11/doctor_report.h"
#include "pkcs11/recover.h"

#define TEXT_MAX 512

static bool
is_done(const struct p11_report *r, enum p11_probe probe)
{
	return r->facts->outcomes[probe].end == P11_END_DONE;
}

/* --- mechanisms ------------------------------------------------------- */

struct text {
	char bytes[TEXT_MAX];
	size_t len;
};

static void append(struct text *t, const char *format, ...) OC_PRINTF(2, 3);

static void
append(struct text *t, const char *format, ...)
{
	size_t room = sizeof(t->bytes) - t->len;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->bytes + t->len, room, format, ap);
	va_end(ap);
	t->len = n < 0 || (size_t)n >= room ? sizeof(t->bytes) - 1 :
	    t->len + (size_t)n;
}

/* "sha256" of "ecdsa-sha256" and "rsa-pss-sha256". */
static const char *
hash_of(enum sign_alg alg)
{
	const char *name = sign_alg_info(alg)->name;
	const char *dash = strrchr(name, '-');

	return dash == NULL ? name : dash + 1;
}

/* "CKM_ECDSA sha256/sha384, CKM_ECDSA_SHA256" of those that worked. */
static void
list_working(const struct p11_doctor_facts *f, size_t key, struct text *out)
{
	const char *last = "";

	for (size_t i = 0; i < f->num_trials; i++) {
		const struct p11_doctor_trial *t = &f->trials[i];
		const struct p11_doctor_mechanism *m =
		    &p11_doctor_mechanisms[t->mechanism];

		if (t->key != key || t->state != P11_TRIAL_WORKS)
			continue;
		if (strcmp(last, m->name) == 0)
			append(out, "/%s", hash_of(m->alg));
		else if (m->is_whole || m->alg == SIGN_ED25519)
			append(out, "%s%s", out->len == 0 ? "" : ", ",
			    m->name);
		else
			append(out, "%s%s %s", out->len == 0 ? "" : ", ",
			    m->name, hash_of(m->alg));
		last = m->name;
	}
}

static void
put_bad_trial(struct p11_report *r, const struct p11_doctor_trial *t)
{
	const struct p11_doctor_mechanism *m =
	    &p11_doctor_mechanisms[t->mechanism];
	const char *label =
	    p11_doctor_key_text(&r->facts->keys[t->key]);
	const char *alg = sign_alg_info(m->alg)->name;

	switch (t->state) {
	case P11_TRIAL_UNTRIED:
	case P11_TRIAL_RUNNING:
	case P11_TRIAL_WORKS:
	case P11_TRIAL_REFUSED:
		return;
	case P11_TRIAL_WRONG:
		p11_say(r, P11_PROBE_TRIALS, P11_FINDING_WARNING, "ocsign "
		    "verifies every signature before it goes out, and would "
		    "give none of these out", "%s, %s, %s: a signature "
		    "that does not verify", label, m->name, alg);
		return;
	case P11_TRIAL_HUNG:
		p11_say(r, P11_PROBE_TRIALS, P11_FINDING_WARNING, "do not sign "
		    "with it: each try would cost a restart",
		    "%s, %s, %s: did not return", label, m->name, alg);
		return;
	case P11_TRIAL_CRASHED:
		p11_say(r, P11_PROBE_TRIALS, P11_FINDING_WARNING, "do not sign "
		    "with it: each try would cost a restart; tell the vendor",
		    "%s, %s, %s: crashed the process", label, m->name,
		    alg);
		return;
	}
}

/* Whether another mechanism of the same algorithm works. */
static bool
has_other_way(const struct p11_doctor_facts *f,
    const struct p11_doctor_trial *trial)
{
	enum sign_alg alg = p11_doctor_mechanisms[trial->mechanism].alg;

	for (size_t i = 0; i < f->num_trials; i++)
		if (f->trials[i].key == trial->key &&
		    f->trials[i].state == P11_TRIAL_WORKS &&
		    p11_doctor_mechanisms[f->trials[i].mechanism].alg == alg)
			return true;
	return false;
}

/* What a key refuses, together where the answer is the same. */
static void
put_refused(struct p11_report *r, size_t key)
{
	const struct p11_doctor_facts *f = r->facts;
	const struct p11_doctor_trial *last = NULL;
	enum p11_finding_level level = P11_FINDING_OK;
	struct text text = { .len = 0 };

	for (size_t i = 0; i < f->num_trials; i++) {
		const struct p11_doctor_trial *t = &f->trials[i];
		const struct p11_doctor_mechanism *m =
		    &p11_doctor_mechanisms[t->mechanism];

		if (t->key != key || t->state != P11_TRIAL_REFUSED)
			continue;
		if (!has_other_way(f, t))
			level = P11_FINDING_NOTE;
		if (last != NULL && last->rv != t->rv)
			append(&text, ": %s; ", p11_ckr(last->rv));
		else if (last != NULL)
			append(&text, ", ");
		append(&text, m->is_whole ? "%s" : "%s (%s)", m->name,
		    hash_of(m->alg));
		last = t;
	}
	if (last != NULL)
		p11_say(r, P11_PROBE_TRIALS, level, level == P11_FINDING_OK ?
		    "the other mechanism of the same algorithm is used" :
		    "these algorithms cannot be used", "%s refuses %s: %s",
		    p11_doctor_key_text(&f->keys[key]), text.bytes,
		    p11_ckr(last->rv));
}

static void
put_trials_of(struct p11_report *r, size_t key)
{
	const struct p11_doctor_facts *f = r->facts;
	struct text text = { .len = 0 };
	bool is_tried = false, is_der = false, is_short = false;

	for (size_t i = 0; i < f->num_trials; i++) {
		const struct p11_doctor_trial *t = &f->trials[i];

		if (t->key != key)
			continue;
		is_tried = is_tried || t->state != P11_TRIAL_UNTRIED;
		is_der = is_der || (t->is_der && t->state == P11_TRIAL_WORKS);
		is_short = is_short || (t->is_short &&
		    t->state == P11_TRIAL_WORKS);
		put_bad_trial(r, t);
	}
	if (!is_tried)
		return;
	list_working(f, key, &text);
	if (text.len > 0)
		p11_say(r, P11_PROBE_TRIALS, P11_FINDING_OK,
		    "each verified here",
		    "%s signs with %s", p11_doctor_key_text(&f->keys[key]),
		    text.bytes);
	else
		p11_say(r, P11_PROBE_TRIALS, P11_FINDING_WARNING,
		    "ocsign cannot "
		    "use this key", "%s signs with nothing that we know",
		    p11_doctor_key_text(&f->keys[key]));
	put_refused(r, key);
	if (is_der)
		p11_say(r, P11_PROBE_TRIALS, P11_FINDING_NOTE,
		    "ocsign tells the "
		    "forms by their length", "ECDSA signatures come in DER, "
		    "not as r||s");
	if (is_short)
		p11_say(r, P11_PROBE_TRIALS, P11_FINDING_NOTE,
		    "ocsign puts them "
		    "back", "RSA signatures come without leading zeros");
}

static void
put_lies(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;
	struct text idle = { .len = 0 }, silent = { .len = 0 };

	for (size_t m = 0; m < p11_doctor_num_mechanisms; m++) {
		bool is_tried = false, works = false;
		const char *name = p11_doctor_mechanisms[m].name;

		/* Rows of one mechanism are one line of the list. */
		if (m > 0 && strcmp(name, p11_doctor_mechanisms[m -
		    1].name) == 0)
			continue;
		for (size_t i = 0; i < f->num_trials; i++) {
			const struct p11_doctor_trial *t = &f->trials[i];

			if (strcmp(p11_doctor_mechanisms[t->mechanism].name,
			    name) != 0)
				continue;
			is_tried = is_tried ||
			    t->state != P11_TRIAL_UNTRIED;
			works = works || t->state == P11_TRIAL_WORKS;
		}
		if (is_tried && !works && f->is_listed[m])
			append(&idle, "%s%s", idle.len == 0 ? "" : ", ",
			    name);
		if (works && !f->is_listed[m])
			append(&silent, "%s%s", silent.len == 0 ? "" : ", ",
			    name);
	}
	if (idle.len > 0)
		p11_say(r, P11_PROBE_TRIALS, P11_FINDING_NOTE, "ocsign goes by "
		    "trials, not by the list", "the mechanism list has what "
		    "does not work: %s", idle.bytes);
	if (silent.len > 0 && f->has_list)
		p11_say(r, P11_PROBE_TRIALS, P11_FINDING_NOTE, "ocsign goes by "
		    "trials, not by the list", "the mechanism list leaves out "
		    "what works: %s", silent.bytes);
}

/* --- logout, operations ----------------------------------------------- */

/* What the pool makes of a C_SignInit that was refused so. */
static const char *
logged_out_advice(enum p11_class class)
{
	if (class == P11_CLASS_OK)
		return "it signs for whoever opens a session: guard who may";
	if (class == P11_CLASS_LOGIN || class == P11_CLASS_PIN)
		return "read as a login lost: one new login, never a second "
		    "with a refused PIN";
	if (class == P11_CLASS_SESSION || class == P11_CLASS_LIMIT)
		return "read as a session lost: another is opened, and when "
		    "that does not sign either, one new login";
	if (class == P11_CLASS_REQUEST)
		return "read as the fault of what was to be signed: ocsign "
		    "would not log in again until its canary fails";
	return "read as a module that is broken: one new login, or the "
	    "module is started anew";
}

static void
put_logout(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;
	enum p11_class class = p11_classify(P11_CALL_SIGN,
	    f->rv_sign_logged_out);

	if (!is_done(r, P11_PROBE_LOGOUT))
		return;
	p11_say(r, P11_PROBE_LOGOUT, class == P11_CLASS_OK ||
	    class == P11_CLASS_REQUEST ? P11_FINDING_WARNING :
	    class == P11_CLASS_LOGIN ? P11_FINDING_OK : P11_FINDING_NOTE,
	    logged_out_advice(class),
	    "logged out, C_SignInit says %s, C_GetSessionInfo %s",
	    p11_ckr(f->rv_sign_logged_out), f->is_state_told ?
	    "tells it" : "does not tell");
	p11_say(r, P11_PROBE_LOGOUT, P11_FINDING_OK,
	    "ocsign finds its keys again after every login",
	    "logged in again, the old handle gives %s; found again it has %s "
	    "number", p11_ckr(f->rv_old_handle),
	    f->is_handle_same ? "the same" : "another");
}

static void
put_operations(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;

	if (!is_done(r, P11_PROBE_OPERATIONS))
		return;
	p11_say(r, P11_PROBE_OPERATIONS, P11_FINDING_OK,
	    "ocsign closes a session "
	    "after a failure instead", "to cancel by C_SignInit(NULL): %s",
	    p11_ckr(f->rv_cancel));
	p11_say(r, P11_PROBE_OPERATIONS, P11_FINDING_OK,
	    "keys are looked for in "
	    "a session that signs nothing meanwhile",
	    "C_FindObjectsInit while signing: %s",
	    p11_ckr(f->rv_find_while_signing));
	p11_say(r, P11_PROBE_OPERATIONS, P11_FINDING_OK,
	    "ocsign always has room "
	    "for the longest, and never asks", "C_Sign(NULL) for the size: "
	    "%s, %lu; a buffer too small: %s", p11_ckr(f->rv_ask_size),
	    f->asked_size, p11_ckr(f->rv_small_buffer));
	p11_say(r, P11_PROBE_OPERATIONS, f->rv_after_failure == CKR_OK ?
	    P11_FINDING_OK : P11_FINDING_NOTE, f->rv_after_failure == CKR_OK ?
	    "" : "ocsign closes a session after a failure, and opens another",
	    "over-long data: %s, and the session then signs: %s; a handle of "
	    "no key: %s", p11_ckr(f->rv_over_long),
	    p11_ckr(f->rv_after_failure), p11_ckr(f->rv_bad_key));
}

/* --- sessions, speed -------------------------------------------------- */

static void
put_sessions(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;
	bool is_few = f->rv_refused != CKR_OK;

	if (r->options->is_in_use && is_done(r, P11_PROBE_LOGIN))
		p11_say(r, P11_PROBE_SESSIONS, P11_FINDING_NOTE, "stop ocsignd "
		    "to have them", "ocsignd uses this token: sessions and "
		    "speed were not tried");
	if (f->outcomes[P11_PROBE_SESSIONS].end == P11_END_NOT_RUN)
		return;
	if (!is_done(r, P11_PROBE_SESSIONS))
		p11_say(r, P11_PROBE_SESSIONS, P11_FINDING_NOTE, "",
		    "%u sessions could be opened before", f->num_opened);
	else if (is_few)
		p11_say(r, P11_PROBE_SESSIONS, P11_FINDING_NOTE,
		    "sessions in the "
		    "section leaves one to the pool's keeper, and takes none "
		    "from what is left", "%u sessions, then %s",
		    f->num_opened, p11_ckr(f->rv_refused));
	else
		p11_say(r, P11_PROBE_SESSIONS, P11_FINDING_OK, "",
		    "%u sessions and more; %u us to open one, %u to close",
		    f->num_opened, f->open_us, f->close_us);
	if (!f->is_unlimited && !f->is_max_unknown && is_few &&
	    f->max_sessions != f->num_opened)
		p11_say(r, P11_PROBE_SESSIONS, P11_FINDING_NOTE, "what was "
		    "opened counts", "it says that it has %lu",
		    f->max_sessions);
}

static void
put_speed(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;
	bool has_errors = false;

	for (size_t i = 0; i < f->num_rounds; i++) {
		const struct p11_doctor_round *n = &f->rounds[i];
		double rate = n->seconds > 0 ? (double)n->num_signed /
		    n->seconds : 0;
		char errors[64] = "";

		if (n->num_failed > 0)
			(void)snprintf(errors, sizeof(errors), ", %llu "
			    "errors (%s)", (unsigned long long)n->num_failed,
			    p11_ckr(n->rv));
		if (n->num_wrong > 0)
			p11_say(r, P11_PROBE_SPEED, P11_FINDING_BAD, "ocsign "
			    "verifies every signature before it goes out",
			    "%llu signatures with %u sessions do not verify",
			    (unsigned long long)n->num_wrong,
			    n->num_sessions);
		has_errors = has_errors || n->num_failed > 0;
		p11_say(r, P11_PROBE_SPEED, n->num_failed > 0 ?
		    P11_FINDING_NOTE : P11_FINDING_OK, n->num_failed > 0 ?
		    "each costs its session; ocsign tries once more on "
		    "another" : "", "%2u sessions: %.0f signatures a second, "
		    "half within %u us, 99 of 100 within %u us%s",
		    n->num_sessions, rate, n->p50_us, n->p99_us, errors);
	}
	if (f->num_rounds > 0)
		p11_say(r, P11_PROBE_SPEED, P11_FINDING_OK, "", "best with %u "
		    "sessions%s, with %s", p11_doctor_pool_size(f),
		    has_errors ? ", without errors" : "",
		    p11_doctor_key_text(&f->keys[f->best_key]));
}

/* --- what it needs ---------------------------------------------------- */

static void
put_one_seen(struct p11_report *r, const struct p11_doctor_seen *seen)
{
	static const char *const kinds[] = {
		[P11_SEEN_INET] = "connects to",
		[P11_SEEN_UNIX] = "connects to the socket",
		[P11_SEEN_DEVICE] = "opens the device",
		[P11_SEEN_WRITTEN] = "writes in",
		[P11_SEEN_READ] = "reads",
	};

	if (seen->kind == P11_SEEN_INET && !seen->is_answered)
		p11_say(r, P11_PROBE_OBSERVE, P11_FINDING_OK, "not needed, "
		    "so it seems: network = no", "tries to connect to %s, "
		    "where nobody listens", seen->path);
	else
		p11_say(r, P11_PROBE_OBSERVE, P11_FINDING_OK, "", "%s %s",
		    kinds[seen->kind], seen->path);
}

static void
put_seen(struct p11_report *r)
{
	const struct p11_doctor_facts *f = r->facts;

	if (f->outcomes[P11_PROBE_OBSERVE].end == P11_END_NOT_RUN)
		return;
	for (size_t i = 0; i < f->num_seen; i++)
		if (!p11_doctor_is_ours(r->options, &f->seen[i]) &&
		    (f->seen[i].kind != P11_SEEN_READ ||
		    !p11_doctor_is_covered(r->options, f, i)))
			put_one_seen(r, &f->seen[i]);
	if (f->has_more_seen)
		p11_say(r, P11_PROBE_OBSERVE, P11_FINDING_NOTE, "look at the "
		    "section's lists yourself", "more than %d files and "
		    "addresses", P11_DOCTOR_SEEN_MAX);
	if (!f->is_watched)
		p11_say(r, P11_PROBE_OBSERVE, P11_FINDING_NOTE,
		    "what it closes again, such as files of keys, is missing "
		    "here", "this kernel does not let us watch: only what "
		    "stayed open was seen");
}

void
p11_doctor_sign_findings(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, p11_finding_fn *put, void *arg)
{
	struct p11_report r = { .options = options, .facts = facts, .put = put,
	    .arg = arg };

	for (size_t i = 0; i < facts->num_keys; i++)
		put_trials_of(&r, i);
	if (facts->num_trials > 0)
		put_lies(&r);
	put_logout(&r);
	put_operations(&r);
	put_sessions(&r);
	put_speed(&r);
	put_seen(&r);
}
