/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/digest.h"

#include <pthread.h>

static EVP_MD *sha256, *sha384, *sha512;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
	sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
}

/* EVP's own if there was no memory for one of ours. */
const EVP_MD *
sign_digest(enum sign_hash hash)
{
	(void)pthread_once(&once, fetch);
	switch (hash) {
	case SIGN_HASH_NONE:
		return NULL;
	case SIGN_SHA256:
		return sha256 != NULL ? sha256 : EVP_sha256();
	case SIGN_SHA384:
		return sha384 != NULL ? sha384 : EVP_sha384();
	case SIGN_SHA512:
		return sha512 != NULL ? sha512 : EVP_sha512();
	}
	return NULL;
}
