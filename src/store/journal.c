/* SPDX-License-Identifier: Apache-2.0 */
#include "store/journal.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/clock.h"
#include "store/backend.h"

#define EVENT_LEN_MAX 32
#define DETAIL_LEN_MAX 8192

static void
write_be(uint64_t value, uint8_t *out, size_t len)
{
	for (size_t i = len; i-- > 0; value >>= 8)
		out[i] = (uint8_t)value;
}

static bool
hash_field(EVP_MD_CTX *md, const void *bytes, size_t len)
{
	uint8_t prefix[4];

	write_be(len, prefix, sizeof(prefix));
	return EVP_DigestUpdate(md, prefix, sizeof(prefix)) == 1 &&
	    EVP_DigestUpdate(md, bytes, len) == 1;
}

static bool
hash_text(EVP_MD_CTX *md, const char *text)
{
	return hash_field(md, text, strlen(text));
}

enum oc_err
store_entry_hash(const uint8_t previous[STORE_HASH_LEN],
    const struct store_entry *entry, uint8_t hash[STORE_HASH_LEN])
{
	uint8_t number[8], at[8], made[STORE_HASH_LEN];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool is_done;

	if (md == NULL)
		return OC_ERR_NOMEM;
	write_be((uint64_t)entry->number, number, sizeof(number));
	write_be((uint64_t)entry->at, at, sizeof(at));
	is_done = EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	    hash_field(md, previous, STORE_HASH_LEN) &&
	    hash_field(md, number, sizeof(number)) &&
	    hash_field(md, at, sizeof(at)) &&
	    hash_text(md, entry->actor) && hash_text(md, entry->event) &&
	    hash_text(md, entry->detail) &&
	    EVP_DigestFinal_ex(md, made, NULL) == 1;
	EVP_MD_CTX_free(md);
	if (!is_done)
		return OC_ERR_INTERNAL;
	memcpy(hash, made, sizeof(made));
	return OC_OK;
}

enum oc_err
store_add_entry(struct store *s, const char *event, const char *detail)
{
	struct store_entry entry = {
		.at = oc_clock_now_s(),
		.actor = s->actor,
		.event = event,
		.detail = detail
	};
	struct store_head head;
	enum oc_err err;

	err = store_read_head(s, &head);
	if (err != OC_OK)
		return err;
	entry.number = head.journal_number + 1;
	err = store_entry_hash(head.journal_hash, &entry, entry.hash);
	if (err != OC_OK)
		return store_fail(s, err, "SHA-256 failed");
	err = s->ops->add_entry(s, &entry);
	if (err != OC_OK)
		return err;
	head.journal_number = entry.number;
	memcpy(head.journal_hash, entry.hash, STORE_HASH_LEN);
	return store_write_head(s, &head);
}

/* Events that stand for a row's change are the store's to write. */
static bool
is_own_event(const char *event)
{
	static const char *const own[] = {
		"create", "migrate", "restore", "issuer", "reserve", "issue",
		"revoke", "release", "crl-reserve", "crl", "account", "token",
		"zone", "request", "request-end", "proof", "proof-remove",
		"order", "order-remove", "acme-account", "eab-key"
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(event, own[i]) == 0)
			return true;
	return false;
}

static enum oc_err
check_entry(struct store *s, const char *event, const char *detail)
{
	size_t event_len = strlen(event), detail_len = strlen(detail);

	if (event_len == 0 || strspn(event,
	    "abcdefghijklmnopqrstuvwxyz0123456789-") != event_len)
		return store_fail(s, OC_ERR_MALFORMED, "an event is named "
		    "with lower-case letters, digits and '-'");
	if (event_len > EVENT_LEN_MAX || detail_len > DETAIL_LEN_MAX)
		return store_fail(s, OC_ERR_LIMIT, "a journal entry may have "
		    "%d octets of event and %d of detail", EVENT_LEN_MAX,
		    DETAIL_LEN_MAX);
	if (is_own_event(event))
		return store_fail(s, OC_ERR_REFUSED,
		    "\"%s\" is written only by the change itself", event);
	for (const char *p = detail; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return store_fail(s, OC_ERR_MALFORMED,
			    "the detail is not one line");
	if (detail_len < 2 || detail[0] != '{' ||
	    detail[detail_len - 1] != '}')
		return store_fail(s, OC_ERR_MALFORMED,
		    "the detail is not a JSON object");
	return OC_OK;
}

enum oc_err
store_append_journal(struct store *store, const char *event,
    const char *detail)
{
	enum oc_err err;

	err = check_entry(store, event, detail);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	return store_end_change(store, store_add_entry(store, event, detail));
}

enum oc_err
store_list_journal(struct store *store, int64_t after_number,
    store_entry_fn *fn, void *arg)
{
	return store->ops->list_entries(store, after_number, fn, arg);
}
