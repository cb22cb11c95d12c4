/* SPDX-License-Identifier: Apache-2.0 */
/* The details of proofs, and of ACME's rows. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "store/detail.h"

/* --- hashes of what is long --------------------------------------------- */

static bool
hash_number(EVP_MD_CTX *md, int64_t number)
{
	uint64_t rest = (uint64_t)number;
	uint8_t octets[8];

	for (size_t i = sizeof(octets); i-- > 0; rest >>= 8)
		octets[i] = (uint8_t)rest;
	return EVP_DigestUpdate(md, octets, sizeof(octets)) == 1;
}

static bool
hash_text(EVP_MD_CTX *md, const char *text)
{
	size_t len = strlen(text);

	return hash_number(md, (int64_t)len) &&
	    EVP_DigestUpdate(md, text, len) == 1;
}

/* All of it but when it is due. */
static bool
hash_challenge(EVP_MD_CTX *md, const struct store_challenge *c)
{
	return hash_number(md, c->id) && hash_text(md, c->tag) &&
	    hash_number(md, c->method) && hash_text(md, c->token) &&
	    hash_number(md, c->state) && hash_number(md, c->begun_at) &&
	    hash_number(md, c->num_tries) &&
	    hash_number(md, c->validated_at) &&
	    hash_text(md, c->problem) && hash_text(md, c->seen) &&
	    hash_text(md, c->address) &&
	    EVP_DigestUpdate(md, c->code_hash, STORE_HASH_LEN) == 1;
}

static enum oc_err
put_challenges(struct store_detail *d, const struct store_authorization *a)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t hash[STORE_HASH_LEN];
	bool is_done;

	if (md == NULL)
		return OC_ERR_NOMEM;
	is_done = EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;
	for (uint32_t i = 0; is_done && i < a->num_challenges; i++)
		is_done = hash_challenge(md, &a->challenges[i]);
	is_done = is_done && EVP_DigestFinal_ex(md, hash, NULL) == 1;
	EVP_MD_CTX_free(md);
	if (!is_done)
		return OC_ERR_INTERNAL;
	store_detail_put_hex(d, "challenges_sha256", hash, sizeof(hash));
	return OC_OK;
}

static enum oc_err
put_ids(struct store_detail *d, const struct store_order *order)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t hash[STORE_HASH_LEN];
	bool is_done;

	if (md == NULL)
		return OC_ERR_NOMEM;
	is_done = EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;
	for (uint32_t i = 0; is_done && i < order->num_authorizations; i++)
		is_done = hash_number(md, order->authorization_ids[i]);
	is_done = is_done && EVP_DigestFinal_ex(md, hash, NULL) == 1;
	EVP_MD_CTX_free(md);
	if (!is_done)
		return OC_ERR_INTERNAL;
	store_detail_put_hex(d, "proofs_sha256", hash, sizeof(hash));
	return OC_OK;
}

static enum oc_err
put_text_hash(struct store_detail *d, const char *name, const char *text)
{
	return store_detail_put_hash(d, name, (struct store_blob){
	    (const uint8_t *)text, strlen(text) });
}

/* What is there; 0 and "" are not. */
static void
put_int_if(struct store_detail *d, const char *name, int64_t value)
{
	if (value != 0)
		store_detail_put_int(d, name, value);
}

static void
put_text_if(struct store_detail *d, const char *name, const char *text)
{
	if (text[0] != '\0')
		store_detail_put_text(d, name, text);
}

/* --- proofs ------------------------------------------------------------- */

static const char *
proof_state(enum store_proof_state state)
{
	switch (state) {
	case STORE_PROOF_PENDING:
		return "pending";
	case STORE_PROOF_VALID:
		return "valid";
	case STORE_PROOF_INVALID:
		return "invalid";
	case STORE_PROOF_DEACTIVATED:
		return "deactivated";
	}
	return "unknown";
}

/* The step that was made last. */
static void
put_challenge(struct store_detail *d, const struct store_challenge *c)
{
	store_detail_put_text(d, "challenge", store_method_text(c->method));
	store_detail_put_text(d, "challenge_state", proof_state(c->state));
	store_detail_put_int(d, "begun_at", c->begun_at);
	store_detail_put_int(d, "tries", c->num_tries);
	put_text_if(d, "address", c->address);
	put_text_if(d, "seen", c->seen);
}

static enum oc_err
put_proof(struct store_detail *d, const struct store_authorization *a)
{
	enum oc_err err;

	store_detail_init(d);
	store_detail_put_int(d, "proof", a->id);
	store_detail_put_text(d, "name", a->name);
	store_detail_put_text(d, "tag", a->tag);
	store_detail_put_int(d, "account_id", a->account_id);
	put_int_if(d, "acme_account_id", a->acme_account_id);
	put_int_if(d, "wildcard", a->is_wildcard);
	store_detail_put_text(d, "state", proof_state(a->state));
	store_detail_put_int(d, "created_at", a->created_at);
	store_detail_put_int(d, "expires_at", a->expires_at);
	put_int_if(d, "proved_at", a->proved_at);
	put_int_if(d, "failed_at", a->failed_at);
	if (a->method != 0)
		store_detail_put_text(d, "method",
		    store_method_text(a->method));
	put_int_if(d, "touched", a->touched_id);
	for (uint32_t i = 0; i < a->num_challenges; i++)
		if (a->challenges[i].id == a->touched_id)
			put_challenge(d, &a->challenges[i]);
	err = put_challenges(d, a);
	store_detail_end(d);
	return err;
}

enum oc_err
store_detail_of_proof(struct store *s, int64_t id, struct store_detail *d)
{
	struct store_authorization a;
	enum oc_err err;

	err = s->ops->find_proof(s, STORE_PROOF_BY_ID, id, NULL, &a);
	return err == OC_OK ? put_proof(d, &a) : err;
}

enum oc_err
store_add_proof_entry(struct store *s, const struct store_authorization *a)
{
	struct store_detail d;

	if (put_proof(&d, a) != OC_OK)
		return store_fail(s, OC_ERR_INTERNAL, "SHA-256 failed");
	return store_add_entry(s, "proof", d.text);
}

/* --- orders ------------------------------------------------------------- */

static const char *
order_state(enum store_order_state state)
{
	switch (state) {
	case STORE_ORDER_PENDING:
		return "pending";
	case STORE_ORDER_READY:
		return "ready";
	case STORE_ORDER_PROCESSING:
		return "processing";
	case STORE_ORDER_VALID:
		return "valid";
	case STORE_ORDER_INVALID:
		return "invalid";
	}
	return "unknown";
}

static enum oc_err
put_order(struct store_detail *d, const struct store_order *o)
{
	enum oc_err err;

	store_detail_init(d);
	store_detail_put_int(d, "order", o->id);
	store_detail_put_text(d, "tag", o->tag);
	store_detail_put_int(d, "account_id", o->account_id);
	store_detail_put_int(d, "acme_account_id", o->acme_account_id);
	store_detail_put_text(d, "state", order_state(o->state));
	store_detail_put_int(d, "created_at", o->created_at);
	store_detail_put_int(d, "expires_at", o->expires_at);
	put_int_if(d, "not_before", o->not_before);
	put_int_if(d, "not_after", o->not_after);
	put_text_if(d, "profile", o->profile);
	put_int_if(d, "replaces", o->replaces_id);
	put_int_if(d, "certificate", o->certificate_id);
	err = put_text_hash(d, "names_sha256", o->names);
	if (err == OC_OK && o->problem[0] != '\0')
		err = put_text_hash(d, "problem_sha256", o->problem);
	if (err == OC_OK)
		err = put_ids(d, o);
	store_detail_end(d);
	return err;
}

enum oc_err
store_detail_of_order(struct store *s, int64_t id, struct store_detail *d)
{
	struct store_order_row row = { .run = 0 };
	enum oc_err err;

	err = s->ops->find_order(s, STORE_ORDER_BY_ID, id, NULL, &row);
	if (err == OC_OK)
		err = put_order(d, &row.order);
	store_order_fini(&row.order);
	return err;
}

enum oc_err
store_add_order_entry(struct store *s, const struct store_order *order)
{
	struct store_detail d;

	if (put_order(&d, order) != OC_OK)
		return store_fail(s, OC_ERR_INTERNAL, "SHA-256 failed");
	return store_add_entry(s, "order", d.text);
}

enum oc_err
store_add_removal(struct store *s, const char *event, const char *what,
    int64_t id)
{
	struct store_detail d;

	store_detail_init(&d);
	store_detail_put_int(&d, what, id);
	store_detail_end(&d);
	return store_add_entry(s, event, d.text);
}

/* --- accounts and their keys -------------------------------------------- */

static const char *
acme_state(enum store_acme_state state)
{
	switch (state) {
	case STORE_ACME_VALID:
		return "valid";
	case STORE_ACME_DEACTIVATED:
		return "deactivated";
	case STORE_ACME_REVOKED:
		return "revoked";
	}
	return "unknown";
}

enum oc_err
store_detail_of_acme_account(struct store *s, int64_t id,
    struct store_detail *d)
{
	struct store_acme_account a;
	enum oc_err err;

	err = s->ops->find_acme_account(s, STORE_ACME_BY_ID, id, NULL, &a);
	if (err != OC_OK)
		return err;
	store_detail_init(d);
	store_detail_put_int(d, "acme", a.id);
	store_detail_put_text(d, "tag", a.tag);
	store_detail_put_int(d, "account_id", a.account_id);
	store_detail_put_text(d, "state", acme_state(a.state));
	store_detail_put_hex(d, "thumbprint", a.thumbprint, STORE_HASH_LEN);
	store_detail_put_int(d, "agreed", a.has_agreed);
	store_detail_put_int(d, "bound", a.is_bound);
	store_detail_put_int(d, "created_at", a.created_at);
	err = put_text_hash(d, "jwk_sha256", a.jwk);
	if (err == OC_OK)
		err = put_text_hash(d, "contacts_sha256", a.contacts);
	store_detail_end(d);
	return err;
}

/* Of the key itself its hash: nobody finds 256 random bits by that. */
enum oc_err
store_detail_of_eab_key(struct store *s, int64_t id, struct store_detail *d)
{
	struct store_eab_key key = { 0 };
	enum oc_err err;

	err = s->ops->find_eab_key(s, STORE_EAB_BY_ID, id, NULL, &key);
	if (err != OC_OK)
		return err;
	store_detail_init(d);
	store_detail_put_int(d, "eab", key.id);
	store_detail_put_text(d, "kid", key.kid);
	store_detail_put_int(d, "account_id", key.account_id);
	store_detail_put_text(d, "label", key.label);
	store_detail_put_int(d, "created_at", key.created_at);
	store_detail_put_int(d, "expires_at", key.expires_at);
	store_detail_put_int(d, "revoked_at", key.revoked_at);
	store_detail_put_int(d, "used_at", key.used_at);
	err = store_detail_put_hash(d, "hmac_sha256", (struct store_blob){
	    key.hmac, sizeof(key.hmac) });
	OPENSSL_cleanse(&key, sizeof(key));
	store_detail_end(d);
	return err;
}
