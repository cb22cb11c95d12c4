/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs: begun, tried, passed, failed, each step with its entry. */
#include "store/challenge.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "store/backend.h"
#include "store/detail.h"

static const char *const methods[] = {
	[STORE_METHOD_DNS] = "dns",
	[STORE_METHOD_META] = "meta",
	[STORE_METHOD_FILE] = "file",
	[STORE_METHOD_EMAIL] = "email",
	[STORE_METHOD_HTTP_01] = "http-01",
	[STORE_METHOD_DNS_01] = "dns-01",
	[STORE_METHOD_OPERATOR] = "operator"
};

const char *
store_method_text(enum store_method method)
{
	return (int)method >= 1 && (int)method <= STORE_METHODS_NUM ?
	    methods[method] : "unknown";
}

enum oc_err
store_method_find(const char *text, enum store_method *method)
{
	for (int i = 1; i <= STORE_METHODS_NUM; i++)
		if (strcmp(text, methods[i]) == 0) {
			*method = (enum store_method)i;
			return OC_OK;
		}
	return OC_ERR_NOT_FOUND;
}

/* --- what comes from outside -------------------------------------------- */

enum oc_err
store_check_line(struct store *s, const char *what, const char *text,
    size_t len_max)
{
	size_t len = strnlen(text, len_max + 1);

	if (len > len_max)
		return store_fail(s, OC_ERR_LIMIT, "%s has more than %zu "
		    "octets", what, len_max);
	if (!oc_utf8_is_valid(text, len))
		return store_fail(s, OC_ERR_MALFORMED, "%s is not UTF-8",
		    what);
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return store_fail(s, OC_ERR_MALFORMED, "%s is not "
			    "one line", what);
	return OC_OK;
}

static enum oc_err
check_name(struct store *s, const char *name)
{
	size_t len = strnlen(name, STORE_ZONE_NAME_MAX + 1);

	if (len == 0 || len > STORE_ZONE_NAME_MAX ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-._") != len ||
	    name[0] == '.' || name[len - 1] == '.' ||
	    strstr(name, "..") != NULL)
		return store_fail(s, OC_ERR_MALFORMED, "\"%.64s\" is no name "
		    "that can be proven", name);
	return OC_OK;
}

static enum oc_err
check_new(struct store *s, const struct store_authorization *a)
{
	bool is_valid = a->state == STORE_PROOF_VALID;

	if (a->num_challenges > STORE_CHALLENGES_MAX)
		return store_fail(s, OC_ERR_LIMIT, "a proof has at most %d "
		    "challenges", STORE_CHALLENGES_MAX);
	if (a->state != 0 && a->state != STORE_PROOF_PENDING && !is_valid)
		return store_fail(s, OC_ERR_MALFORMED,
		    "a new proof is pending or valid");
	if (is_valid && ((int)a->method < 1 || (int)a->method >
	    STORE_METHODS_NUM || a->num_challenges != 0))
		return store_fail(s, OC_ERR_MALFORMED, "what is valid from "
		    "the start has a method and no challenges");
	for (uint32_t i = 0; i < a->num_challenges; i++) {
		const struct store_challenge *c = &a->challenges[i];

		if ((int)c->method < 1 || (int)c->method > STORE_METHODS_NUM)
			return store_fail(s, OC_ERR_MALFORMED,
			    "there is no method %d", (int)c->method);
		if (strspn(c->token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz0123456789-_") !=
		    strlen(c->token))
			return store_fail(s, OC_ERR_MALFORMED,
			    "a token is base64url");
	}
	return check_name(s, a->name);
}

/* --- a new one ---------------------------------------------------------- */

/* RFC 4648, section 5, without padding. */
static enum oc_err
new_token(struct store *s, char token[STORE_TOKEN_TEXT_LEN + 1])
{
	uint8_t bytes[32];
	char text[OC_BASE64_LEN(sizeof(bytes)) + 1];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return store_fail(s, OC_ERR_INTERNAL, "no random octets");
	oc_base64_encode(bytes, sizeof(bytes), text);
	for (size_t i = 0; i < STORE_TOKEN_TEXT_LEN; i++)
		token[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' :
		    text[i];
	token[STORE_TOKEN_TEXT_LEN] = '\0';
	return OC_OK;
}

/* Only what the caller may say. */
static enum oc_err
fill(struct store *s, const struct store_authorization *given,
    struct store_authorization *a)
{
	int64_t now = oc_clock_now_s();
	enum oc_err err;

	*a = (struct store_authorization){
		.account_id = given->account_id,
		.acme_account_id = given->acme_account_id,
		.is_wildcard = given->is_wildcard,
		.state = STORE_PROOF_PENDING,
		.created_at = now,
		.expires_at = given->expires_at,
		.num_challenges = given->num_challenges
	};
	memcpy(a->name, given->name, strlen(given->name));
	if (given->state == STORE_PROOF_VALID) {
		a->state = STORE_PROOF_VALID;
		a->proved_at = now;
		a->method = given->method;
	}
	err = store_new_tag(s, a->tag);
	for (uint32_t i = 0; err == OC_OK && i < a->num_challenges; i++) {
		struct store_challenge *c = &a->challenges[i];

		c->method = given->challenges[i].method;
		c->state = STORE_PROOF_PENDING;
		memcpy(c->token, given->challenges[i].token,
		    sizeof(c->token));
		err = store_new_tag(s, c->tag);
		if (err == OC_OK && c->token[0] == '\0')
			err = new_token(s, c->token);
	}
	return err;
}

/* Inside a change. */
static enum oc_err
add(struct store *s, struct store_authorization *a)
{
	enum oc_err err = s->ops->add_proof(s, a, &a->id);

	for (uint32_t i = 0; err == OC_OK && i < a->num_challenges; i++) {
		a->challenges[i].authorization_id = a->id;
		err = s->ops->add_challenge(s, &a->challenges[i],
		    &a->challenges[i].id);
	}
	return err == OC_OK ? store_add_proof_entry(s, a) : err;
}

enum oc_err
store_add_authorization(struct store *store, struct store_authorization *a)
{
	struct store_authorization added;
	enum oc_err err;

	err = check_new(store, a);
	if (err == OC_OK)
		err = fill(store, a, &added);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	err = store_end_change(store, add(store, &added));
	if (err == OC_OK)
		*a = added;
	return err;
}

/* --- steps -------------------------------------------------------------- */

/* Inside a change: the challenge with this id, in its proof. */
static enum oc_err
find_challenge(struct store *s, int64_t id, struct store_authorization *a,
    struct store_challenge **challenge)
{
	enum oc_err err;

	err = s->ops->find_proof(s, STORE_PROOF_BY_CHALLENGE, id, NULL, a);
	if (err != OC_OK)
		return err;
	for (uint32_t i = 0; i < a->num_challenges; i++)
		if (a->challenges[i].id == id) {
			*challenge = &a->challenges[i];
			return OC_OK;
		}
	return store_fail(s, OC_ERR_NOT_FOUND, "there is no such challenge");
}

/* Inside a change: both as they are now, and the entry that says so. */
static enum oc_err
keep(struct store *s, struct store_authorization *a,
    const struct store_challenge *c)
{
	enum oc_err err;

	a->touched_id = c->id;
	err = s->ops->set_challenge(s, c);
	if (err == OC_OK)
		err = s->ops->set_proof(s, a);
	return err == OC_OK ? store_add_proof_entry(s, a) : err;
}

static enum oc_err
check_waits(struct store *s, const struct store_authorization *a,
    const struct store_challenge *c, int64_t now)
{
	if (a->state != STORE_PROOF_PENDING || a->expires_at <= now ||
	    c->state != STORE_PROOF_PENDING)
		return store_fail(s, OC_ERR_MISMATCH, "the proof of %s no "
		    "longer waits", a->name);
	return OC_OK;
}

/* Inside a change. */
static enum oc_err
begin(struct store *s, int64_t id, int64_t now)
{
	struct store_authorization a;
	struct store_challenge *c;
	enum oc_err err = find_challenge(s, id, &a, &c);

	if (err != OC_OK)
		return err;
	if (c->begun_at != 0 || c->state != STORE_PROOF_PENDING)
		return store_fail(s, OC_ERR_EXISTS, "the challenge of %s was "
		    "begun already", a.name);
	if (c->method == STORE_METHOD_EMAIL)
		return store_fail(s, OC_ERR_MISMATCH, "to prove %s by e-mail "
		    "a message has to be sent", a.name);
	err = check_waits(s, &a, c, now);
	if (err != OC_OK)
		return err;
	c->begun_at = c->next_try_at = now;
	return keep(s, &a, c);
}

enum oc_err
store_begin_challenge(struct store *store, int64_t id, int64_t now_at)
{
	enum oc_err err = store_begin_change(store);

	if (err != OC_OK)
		return err;
	return store_end_change(store, begin(store, id, now_at));
}

/* Inside a change. */
static enum oc_err
send(struct store *s, int64_t id, const char *address,
    const uint8_t code_hash[STORE_HASH_LEN], int64_t now)
{
	struct store_authorization a;
	struct store_challenge *c;
	enum oc_err err = find_challenge(s, id, &a, &c);

	if (err == OC_OK)
		err = check_waits(s, &a, c, now);
	if (err != OC_OK)
		return err;
	if (c->method != STORE_METHOD_EMAIL)
		return store_fail(s, OC_ERR_MISMATCH, "%s is not to be proven "
		    "by e-mail", a.name);
	c->begun_at = now;
	c->num_tries++;
	memset(c->address, 0, sizeof(c->address));
	memcpy(c->address, address, strlen(address));
	memcpy(c->code_hash, code_hash, STORE_HASH_LEN);
	return keep(s, &a, c);
}

enum oc_err
store_send_challenge(struct store *store, int64_t id, const char *address,
    const uint8_t code_hash[STORE_HASH_LEN], int64_t now_at)
{
	enum oc_err err;

	err = store_check_line(store, "the e-mail address", address,
	    STORE_EMAIL_MAX);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	return store_end_change(store, send(store, id, address, code_hash,
	    now_at));
}

/* Inside a change. */
static enum oc_err
claim(struct store *s, int64_t id, int64_t due_at, int64_t next_try_at)
{
	struct store_authorization a;
	struct store_challenge *c;
	enum oc_err err = find_challenge(s, id, &a, &c);

	if (err != OC_OK)
		return err;
	if (c->next_try_at != due_at || c->state != STORE_PROOF_PENDING ||
	    a.state != STORE_PROOF_PENDING)
		return store_fail(s, OC_ERR_MISMATCH, "somebody else looks at "
		    "the challenge of %s", a.name);
	return s->ops->plan_challenge(s, id, next_try_at);
}

enum oc_err
store_claim_challenge(struct store *store, int64_t id, int64_t due_at,
    int64_t next_try_at)
{
	enum oc_err err = store_begin_change(store);

	if (err != OC_OK)
		return err;
	return store_end_change(store, claim(store, id, due_at,
	    next_try_at));
}

/* --- how a try went ----------------------------------------------------- */

static enum oc_err
check_try(struct store *s, const struct store_try *t)
{
	enum oc_err err;

	err = store_check_line(s, "the problem",
	    t->problem == NULL ? "" : t->problem, STORE_PROBLEM_MAX);
	if (err == OC_OK)
		err = store_check_line(s, "what was seen",
		    t->seen == NULL ? "" : t->seen, STORE_SEEN_MAX);
	return err;
}

static void
take_try(struct store_challenge *c, const struct store_try *t)
{
	memset(c->problem, 0, sizeof(c->problem));
	memset(c->seen, 0, sizeof(c->seen));
	if (t->problem != NULL)
		memcpy(c->problem, t->problem, strlen(t->problem));
	if (t->seen != NULL)
		memcpy(c->seen, t->seen, strlen(t->seen));
	c->num_tries++;
	c->next_try_at = t->next_try_at;
}

/* Inside a change. */
static enum oc_err
fail_try(struct store *s, const struct store_try *t)
{
	struct store_authorization a;
	struct store_challenge *c;
	enum oc_err err = find_challenge(s, t->id, &a, &c);

	if (err == OC_OK)
		err = check_waits(s, &a, c, t->at);
	if (err != OC_OK)
		return err;
	take_try(c, t);
	if (t->next_try_at != 0)
		return keep(s, &a, c);
	c->state = a.state = STORE_PROOF_INVALID;
	a.failed_at = t->at;
	err = keep(s, &a, c);
	return err == OC_OK ? store_fail_orders(s, a.id, c->problem) : err;
}

enum oc_err
store_fail_challenge(struct store *store, const struct store_try *t)
{
	enum oc_err err = check_try(store, t);

	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	return store_end_change(store, fail_try(store, t));
}

/* Inside a change: a zone that was proven is its account's. */
static enum oc_err
make_zone(struct store *s, const struct store_authorization *a)
{
	struct store_zone zone = {
		.account_id = a->account_id,
		.state = STORE_ZONE_ACTIVE
	};
	struct store_zone other;
	enum oc_err err;

	err = s->ops->find_zone(s, STORE_ZONE_BY_NAME, 0, a->name, &other);
	if (err == OC_OK && other.account_id == a->account_id)
		return OC_OK;
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return err;
	memcpy(zone.name, a->name, sizeof(zone.name));
	memcpy(zone.tag, a->tag, sizeof(zone.tag));
	return store_add_zone(s, &zone, STORE_ZONE_ALONE);
}

/* Inside a change. */
static enum oc_err
pass_try(struct store *s, const struct store_try *t, int64_t expires_at)
{
	struct store_authorization a;
	struct store_challenge *c;
	enum oc_err err = find_challenge(s, t->id, &a, &c);

	if (err == OC_OK)
		err = check_waits(s, &a, c, t->at);
	if (err != OC_OK)
		return err;
	take_try(c, t);
	c->next_try_at = 0;
	c->state = a.state = STORE_PROOF_VALID;
	c->validated_at = a.proved_at = t->at;
	a.method = c->method;
	a.expires_at = expires_at;
	/* Nobody has to look at the others any more. */
	for (uint32_t i = 0; err == OC_OK && i < a.num_challenges; i++)
		if (a.challenges[i].next_try_at != 0)
			err = s->ops->plan_challenge(s, a.challenges[i].id, 0);
	if (err == OC_OK)
		err = keep(s, &a, c);
	if (err == OC_OK && a.acme_account_id == 0)
		err = make_zone(s, &a);
	if (err == OC_OK)
		err = store_ready_orders(s, a.id, t->at);
	return err;
}

enum oc_err
store_pass_challenge(struct store *store, const struct store_try *t,
    int64_t expires_at)
{
	enum oc_err err = check_try(store, t);

	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	return store_end_change(store, pass_try(store, t, expires_at));
}

/* Inside a change. */
static enum oc_err
deactivate(struct store *s, int64_t id)
{
	static const char problem[] = "{\"type\":\"urn:ietf:params:acme:"
	    "error:unauthorized\",\"detail\":\"an authorization was "
	    "deactivated\"}";
	struct store_authorization a;
	enum oc_err err;

	err = s->ops->find_proof(s, STORE_PROOF_BY_ID, id, NULL, &a);
	if (err != OC_OK)
		return err;
	if (a.state != STORE_PROOF_PENDING && a.state != STORE_PROOF_VALID)
		return store_fail(s, OC_ERR_EXISTS, "the proof of %s is over "
		    "already", a.name);
	a.state = STORE_PROOF_DEACTIVATED;
	for (uint32_t i = 0; err == OC_OK && i < a.num_challenges; i++)
		if (a.challenges[i].next_try_at != 0)
			err = s->ops->plan_challenge(s, a.challenges[i].id, 0);
	if (err == OC_OK)
		err = s->ops->set_proof(s, &a);
	if (err == OC_OK)
		err = store_add_proof_entry(s, &a);
	return err == OC_OK ? store_fail_orders(s, id, problem) : err;
}

enum oc_err
store_deactivate_authorization(struct store *store, int64_t id)
{
	enum oc_err err = store_begin_change(store);

	if (err != OC_OK)
		return err;
	return store_end_change(store, deactivate(store, id));
}
