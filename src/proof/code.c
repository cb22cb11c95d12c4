/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The code that goes by e-mail: made, told, recognised.  It is in no log and
 * no journal, and the records have its hash alone.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "proof/proof.h"

/* RFC 4648, section 6, in lower case: no 0, 1, 8 or 9. */
static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

static enum oc_err
hash_digits(const char digits[PROOF_CODE_LEN], uint8_t hash[STORE_HASH_LEN])
{
	return EVP_Digest(digits, PROOF_CODE_LEN, hash, NULL, EVP_sha256(),
	    NULL) == 1 ? OC_OK : OC_ERR_INTERNAL;
}

enum oc_err
proof_new_code(char code[PROOF_CODE_TEXT_MAX], uint8_t hash[STORE_HASH_LEN])
{
	uint8_t octets[PROOF_CODE_LEN];
	char digits[PROOF_CODE_LEN];
	size_t len = 0;
	enum oc_err err;

	if (RAND_priv_bytes(octets, sizeof(octets)) != 1)
		return OC_ERR_INTERNAL;
	for (size_t i = 0; i < PROOF_CODE_LEN; i++) {
		digits[i] = letters[octets[i] % 32];
		if (i > 0 && i % 4 == 0)
			code[len++] = '-';
		code[len++] = digits[i];
	}
	code[len] = '\0';
	err = hash_digits(digits, hash);
	OPENSSL_cleanse(octets, sizeof(octets));
	OPENSSL_cleanse(digits, sizeof(digits));
	return err;
}

enum oc_err
proof_hash_code(const char *text, uint8_t hash[STORE_HASH_LEN])
{
	char digits[PROOF_CODE_LEN];
	size_t num = 0;
	enum oc_err err = OC_OK;

	for (; err == OC_OK && *text != '\0'; text++) {
		char c = *text >= 'A' && *text <= 'Z' ?
		    (char)(*text - 'A' + 'a') : *text;

		if (c == '-' || c == ' ')
			continue;
		if (num == PROOF_CODE_LEN || strchr(letters, c) == NULL)
			err = OC_ERR_MALFORMED;
		else
			digits[num++] = c;
	}
	if (err == OC_OK)
		err = num == PROOF_CODE_LEN ? hash_digits(digits, hash) :
		    OC_ERR_MALFORMED;
	OPENSSL_cleanse(digits, sizeof(digits));
	return err;
}

enum oc_err
proof_check_send(const struct store_challenge *c, int64_t now_at,
    struct oc_error *error)
{
	if (c->num_tries >= PROOF_MESSAGES_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "no more messages "
		    "are sent for this claim: use the code that came last, or "
		    "wait until it ends");
	if (c->begun_at != 0 && now_at < c->begun_at + PROOF_MESSAGE_WAIT_S)
		return oc_error_set(error, OC_ERR_LIMIT, "a message went %lld "
		    "s ago: wait for it, and a minute before the next",
		    (long long)(now_at - c->begun_at));
	return OC_OK;
}

void
proof_write_mail(const struct oc_config_validation *config,
    const struct store_authorization *a, const char *account,
    const char *code, char subject[PROOF_SUBJECT_MAX],
    struct oc_buffer *body)
{
	snprintf(subject, PROOF_SUBJECT_MAX, "Certificates for %.180s",
	    a->name);
	oc_buffer_printf(body,
	    "Somebody asks for the right to have certificates for\n"
	    "%s and all names below it, as account \"%s\".\n\n"
	    "If that is meant to be so, give them this code:\n\n"
	    "    %s\n\n", a->name, account, code);
	if (config->mail_link != NULL)
		oc_buffer_printf(body, "or open this page and confirm it "
		    "there:\n\n    %szone-proof/%s/%s\n\n",
		    config->mail_link, a->tag, code);
	oc_buffer_put_text(body, "Code and link are good once.  If you do "
	    "not know of it, do nothing, and\ngive them to nobody: without "
	    "them nothing comes of this.\n");
}

static const struct store_challenge *
find_sent(const struct store_authorization *a)
{
	for (uint32_t i = 0; i < a->num_challenges; i++)
		if (a->challenges[i].method == STORE_METHOD_EMAIL &&
		    a->challenges[i].begun_at != 0)
			return &a->challenges[i];
	return NULL;
}

/* In constant time, whether it could be one or not. */
static bool
is_equal(const struct store_challenge *c, const char *code)
{
	uint8_t hash[STORE_HASH_LEN] = { 0 };
	bool is_code = proof_hash_code(code, hash) == OC_OK;

	return CRYPTO_memcmp(hash, c->code_hash, sizeof(hash)) == 0 &&
	    is_code;
}

bool
proof_is_code(const struct store_authorization *a, const char *code,
    int64_t now_at)
{
	const struct store_challenge *c = find_sent(a);

	return c != NULL && is_equal(c, code) &&
	    a->state == STORE_PROOF_PENDING && a->expires_at > now_at;
}

enum oc_err
proof_redeem_code(struct store *store,
    const struct oc_config_validation *config,
    const struct store_authorization *a, const char *code, int64_t now_at)
{
	static const char problem[] = "{\"type\":\"urn:ietf:params:acme:"
	    "error:unauthorized\",\"detail\":\"another code\"}";
	const struct store_challenge *c = find_sent(a);
	char seen[STORE_SEEN_MAX + 1];
	struct store_try t = { .at = now_at, .seen = seen };
	enum oc_err err;

	if (c == NULL)
		return OC_ERR_MISMATCH;
	t.id = c->id;
	if (is_equal(c, code)) {
		snprintf(seen, sizeof(seen), "the code that went to %s",
		    c->address);
		return store_pass_challenge(store, &t,
		    now_at + config->proof_lifetime_s);
	}
	snprintf(seen, sizeof(seen), "another code than went to %s",
	    c->address);
	t.problem = problem;
	t.next_try_at = c->num_tries + 1 >= PROOF_CODE_TRIES ? 0 : now_at;
	err = store_fail_challenge(store, &t);
	return err == OC_OK ? OC_ERR_MISMATCH : err;
}
