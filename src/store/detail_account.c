/* SPDX-License-Identifier: Apache-2.0 */
/* The details of registers' rows and of requests. */
#include <openssl/evp.h>
#include <string.h>

#include "store/detail.h"
#include "store/token.h"

/* --- registers' rows ---------------------------------------------------- */

static void
put_account(struct store_detail *d, const struct store_account *a)
{
	store_detail_init(d);
	store_detail_put_int(d, "account", a->id);
	store_detail_put_text(d, "name", a->name);
	store_detail_put_text(d, "tag", a->tag);
	store_detail_put_text(d, "email", a->email);
	store_detail_put_text(d, "state", a->state == STORE_ACCOUNT_ACTIVE ?
	    "active" : "disabled");
	store_detail_put_int(d, "live_max", a->live_max);
	store_detail_put_int(d, "period_max", a->period_max);
	store_detail_put_int(d, "period_s", a->period_s);
	store_detail_put_int(d, "created_at", a->created_at);
	store_detail_end(d);
}

static void
put_token(struct store_detail *d, const char *account,
    const struct store_token *t)
{
	store_detail_init(d);
	store_detail_put_int(d, "token", t->id);
	store_detail_put_text(d, "account", account);
	store_detail_put_text(d, "kind", store_token_kind_name(t->kind));
	store_detail_put_text(d, "prefix", t->prefix);
	store_detail_put_text(d, "label", t->label);
	store_detail_put_hex(d, "sha256", t->hash, STORE_HASH_LEN);
	store_detail_put_int(d, "created_at", t->created_at);
	store_detail_put_int(d, "expires_at", t->expires_at);
	store_detail_put_int(d, "revoked_at", t->revoked_at);
	store_detail_put_int(d, "used_at", t->used_at);
	store_detail_end(d);
}

static const char *
zone_state(enum store_zone_state state)
{
	switch (state) {
	case STORE_ZONE_ACTIVE:
		return "active";
	case STORE_ZONE_PAUSED:
		return "paused";
	case STORE_ZONE_REMOVED:
		return "removed";
	}
	return "unknown";
}

static void
put_zone(struct store_detail *d, const char *account,
    const struct store_zone *z)
{
	store_detail_init(d);
	store_detail_put_int(d, "zone", z->id);
	store_detail_put_text(d, "name", z->name);
	store_detail_put_text(d, "tag", z->tag);
	store_detail_put_text(d, "account", account);
	store_detail_put_text(d, "state", zone_state(z->state));
	store_detail_put_int(d, "created_at", z->created_at);
	store_detail_end(d);
}

enum oc_err
store_detail_of_account(struct store *s, int64_t id, struct store_detail *d)
{
	struct store_account account;
	enum oc_err err;

	err = s->ops->find_account(s, STORE_BY_ID, id, NULL, &account);
	if (err == OC_OK)
		put_account(d, &account);
	return err;
}

enum oc_err
store_detail_of_token(struct store *s, int64_t id, struct store_detail *d)
{
	struct store_account account;
	struct store_token token;
	enum oc_err err;

	err = s->ops->find_token(s, STORE_TOKEN_BY_ID, id, NULL, &token);
	if (err == OC_OK)
		err = s->ops->find_account(s, STORE_BY_ID, token.account_id,
		    NULL, &account);
	if (err == OC_OK)
		put_token(d, account.name, &token);
	return err;
}

enum oc_err
store_detail_of_zone(struct store *s, int64_t id, struct store_detail *d)
{
	struct store_account account;
	struct store_zone zone;
	enum oc_err err;

	err = s->ops->find_zone(s, STORE_ZONE_BY_ID, id, NULL, &zone);
	if (err == OC_OK)
		err = s->ops->find_account(s, STORE_BY_ID, zone.account_id,
		    NULL, &account);
	if (err == OC_OK)
		put_zone(d, account.name, &zone);
	return err;
}

enum oc_err
store_add_row_entry(struct store *s, const char *event,
    store_detail_fn *detail_of, int64_t id)
{
	struct store_detail d;
	enum oc_err err = detail_of(s, id, &d);

	return err == OC_OK ? store_add_entry(s, event, d.text) : err;
}

/* --- requests ----------------------------------------------------------- */

static bool
hash_number(EVP_MD_CTX *md, uint64_t number)
{
	uint8_t octets[8];

	for (size_t i = sizeof(octets); i-- > 0; number >>= 8)
		octets[i] = (uint8_t)number;
	return EVP_DigestUpdate(md, octets, sizeof(octets)) == 1;
}

/* Host names, CSR and zones, each with its length in front. */
static enum oc_err
hash_request(const struct store_request_row *row, const char *hostnames,
    struct store_blob csr, uint8_t hash[STORE_HASH_LEN])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t hostnames_len = strlen(hostnames);
	bool is_done;

	if (md == NULL)
		return OC_ERR_NOMEM;
	is_done = EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	    hash_number(md, hostnames_len) &&
	    EVP_DigestUpdate(md, hostnames, hostnames_len) == 1 &&
	    hash_number(md, csr.len) &&
	    EVP_DigestUpdate(md, csr.p, csr.len) == 1 &&
	    hash_number(md, row->num_zones);
	for (uint32_t i = 0; is_done && i < row->num_zones; i++)
		is_done = hash_number(md, (uint64_t)row->zone_ids[i]);
	is_done = is_done && EVP_DigestFinal_ex(md, hash, NULL) == 1;
	EVP_MD_CTX_free(md);
	return is_done ? OC_OK : OC_ERR_INTERNAL;
}

enum oc_err
store_detail_request(struct store_detail *d,
    const struct store_request_row *row, const char *hostnames,
    struct store_blob csr)
{
	uint8_t hash[STORE_HASH_LEN];
	enum oc_err err;

	err = hash_request(row, hostnames, csr, hash);
	if (err != OC_OK)
		return err;
	store_detail_init(d);
	store_detail_put_int(d, "certificate", row->id);
	if (row->account[0] != '\0')
		store_detail_put_text(d, "account", row->account);
	store_detail_put_text(d, "type", row->type);
	store_detail_put_int(d, "validity", row->validity);
	store_detail_put_hex(d, "asked_sha256", hash, sizeof(hash));
	if (row->has_key)
		store_detail_put_hex(d, "key", row->key, sizeof(row->key));
	store_detail_end(d);
	return OC_OK;
}

void
store_detail_request_end(struct store_detail *d, int64_t id)
{
	store_detail_init(d);
	store_detail_put_int(d, "certificate", id);
	store_detail_end(d);
}
