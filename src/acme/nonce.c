/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A nonce is one block of AES-256 under a key that nobody else has and that
 * ends with the process: eight octets that are zero, and the counter.
 *
 *	00 00 00 00 00 00 00 00 | counter, 64 bits
 *
 * To whoever has not the key it is random octets, all different.  A block that
 * somebody makes up deciphers to random octets: that the first 64 bits are
 * zero, and the others are one of the window's million, has a chance of one
 * in 2^108.
 */
#include "acme/nonce.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acme/base64url.h"

#define KEY_LEN 32
#define BLOCK_LEN 16

struct acme_nonces {
	EVP_CIPHER_CTX *seal, *open;
	uint64_t next;			/* what the next one has; from 1 */
	/* By counter modulo the window: of those that are in it. */
	uint8_t used[ACME_NONCES_WINDOW / 8];
};

static EVP_CIPHER_CTX *
make_context(const uint8_t key[KEY_LEN], int is_to_seal)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx != NULL && EVP_CipherInit_ex(ctx, EVP_aes_256_ecb(), NULL, key,
	    NULL, is_to_seal) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

enum oc_err
acme_nonces_new(struct acme_nonces **nonces)
{
	struct acme_nonces *n = calloc(1, sizeof(*n));
	uint8_t key[KEY_LEN];

	if (n == NULL)
		return OC_ERR_NOMEM;
	if (RAND_priv_bytes(key, sizeof(key)) != 1) {
		free(n);
		return OC_ERR_INTERNAL;
	}
	n->seal = make_context(key, 1);
	n->open = make_context(key, 0);
	n->next = 1;
	OPENSSL_cleanse(key, sizeof(key));
	if (n->seal == NULL || n->open == NULL) {
		acme_nonces_free(n);
		return OC_ERR_NOMEM;
	}
	*nonces = n;
	return OC_OK;
}

/* Either way; a whole block, of which nothing is kept back. */
static void
cipher(EVP_CIPHER_CTX *ctx, const uint8_t in[BLOCK_LEN],
    uint8_t out[BLOCK_LEN])
{
	int len = 0;

	oc_assert(EVP_CipherUpdate(ctx, out, &len, in, BLOCK_LEN) == 1 &&
	    len == BLOCK_LEN);
}

static uint8_t *
used_of(struct acme_nonces *n, uint64_t counter, uint8_t *bit)
{
	uint64_t place = counter % ACME_NONCES_WINDOW;

	*bit = (uint8_t)(1U << place % 8);
	return &n->used[place / 8];
}

void
acme_nonces_make(struct acme_nonces *nonces, char text[ACME_NONCE_TEXT_MAX])
{
	uint8_t block[BLOCK_LEN] = { 0 }, sealed[BLOCK_LEN], bit, *used;
	uint64_t counter = nonces->next++;

	/* Whose place this was is too old from now on. */
	used = used_of(nonces, counter, &bit);
	*used = (uint8_t)(*used & ~bit);
	for (int i = 0; i < 8; i++)
		block[BLOCK_LEN - 1 - i] = (uint8_t)(counter >> 8 * i);
	cipher(nonces->seal, block, sealed);
	_Static_assert(ACME_BASE64URL_LEN(BLOCK_LEN) < ACME_NONCE_TEXT_MAX,
	    "a nonce's text");
	acme_base64url_encode(sealed, sizeof(sealed), text);
}

enum oc_err
acme_nonces_use(struct acme_nonces *nonces, const char *text)
{
	static const uint8_t zeros[BLOCK_LEN / 2];
	uint8_t sealed[BLOCK_LEN], block[BLOCK_LEN], bit, *used;
	uint64_t counter = 0;
	size_t len;

	if (acme_base64url_decode(text, strlen(text), sealed, sizeof(sealed),
	    &len) != OC_OK || len != BLOCK_LEN)
		return OC_ERR_REFUSED;
	cipher(nonces->open, sealed, block);
	for (size_t i = BLOCK_LEN / 2; i < BLOCK_LEN; i++)
		counter = counter << 8 | block[i];
	if (CRYPTO_memcmp(block, zeros, sizeof(zeros)) != 0 || counter == 0 ||
	    counter >= nonces->next ||
	    nonces->next - counter > ACME_NONCES_WINDOW)
		return OC_ERR_REFUSED;
	used = used_of(nonces, counter, &bit);
	if ((*used & bit) != 0)
		return OC_ERR_REFUSED;
	*used |= bit;
	return OC_OK;
}

void
acme_nonces_free(struct acme_nonces *nonces)
{
	if (nonces == NULL)
		return;
	EVP_CIPHER_CTX_free(nonces->seal);
	EVP_CIPHER_CTX_free(nonces->open);
	free(nonces);
}
