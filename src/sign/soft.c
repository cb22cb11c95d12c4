/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys in memory behind the door: one worker thread, fed by a queue.
 *
 * Keys are only ever added, by the caller's thread; the worker sees those
 * that a ticket points to.  A key's verifier is the worker's alone.
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "sign/desk.h"
#include "sign/soft.h"
#include "sign/verify.h"

struct soft_key {
	struct soft_key *next;
	char name[SIGN_KEY_NAME_MAX];
	EVP_PKEY *pkey;
	struct sign_verifier *verifier;
	struct sign_key_info info;
};

struct soft {
	struct signer signer;
	struct sign_desk desk;
	struct sign_queue queue;
	pthread_t thread;
	struct soft_key *keys;
	atomic_ulong num_signed;
};

static struct soft_key *
find_key(struct soft *soft, const char *name)
{
	struct soft_key *key = soft->keys;

	while (key != NULL && strcmp(key->name, name) != 0)
		key = key->next;
	return key;
}

static const EVP_MD *
digest_of(enum sign_hash hash)
{
	switch (hash) {
	case SIGN_HASH_NONE:
		return NULL;
	case SIGN_SHA256:
		return EVP_sha256();
	case SIGN_SHA384:
		return EVP_sha384();
	case SIGN_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

static enum oc_err
sign_tbs(const struct soft_key *key, struct sign_ticket *t,
    struct der_bytes tbs)
{
	const struct sign_alg_info *alg = sign_alg_info(t->alg);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum oc_err err = OC_ERR_INTERNAL;
	EVP_PKEY_CTX *key_ctx;

	t->signature_len = sizeof(t->signature);
	if (ctx == NULL || EVP_DigestSignInit(ctx, &key_ctx,
	    digest_of(alg->hash), NULL, key->pkey) != 1)
		goto out;
	if (alg->is_pss && (EVP_PKEY_CTX_set_rsa_padding(key_ctx,
	    RSA_PKCS1_PSS_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx,
	    RSA_PSS_SALTLEN_DIGEST) <= 0))
		goto out;
	if (EVP_DigestSign(ctx, t->signature, &t->signature_len, tbs.p,
	    tbs.len) != 1)
		goto out;
	err = sign_verify(key->verifier, t->alg, tbs,
	    (struct der_bytes){ t->signature, t->signature_len });
out:
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return err;
}

static void *
work(void *arg)
{
	struct soft *soft = arg;
	struct sign_ticket *t;
	struct der_bytes tbs;
	enum oc_err err;

	while ((t = sign_queue_take(&soft->queue)) != NULL) {
		if (!sign_desk_pin(&soft->desk, t, &tbs)) {
			sign_desk_finish(&soft->desk, t, OC_ERR_CANCELLED,
			    NULL);
			continue;
		}
		err = sign_tbs(t->key, t, tbs);
		sign_desk_unpin(&soft->desk, t);
		if (err == OC_OK)
			(void)atomic_fetch_add(&soft->num_signed, 1);
		sign_desk_finish(&soft->desk, t, err, NULL);
	}
	return NULL;
}

static enum oc_err
soft_submit(struct signer *s, struct sign_job *job)
{
	struct soft *soft = (struct soft *)s;
	struct soft_key *key = find_key(soft, job->key);
	struct sign_ticket *t;
	enum sign_alg alg;
	enum oc_err err;

	if (key == NULL)
		return OC_ERR_NOT_FOUND;
	alg = job->alg == SIGN_ALG_NONE ? key->info.alg : job->alg;
	if (!sign_alg_fits(alg, key->info.type))
		return OC_ERR_MISMATCH;
	err = sign_desk_open(&soft->desk, job, key, alg, &t);
	if (err != OC_OK)
		return err;
	err = sign_queue_put(&soft->queue, t);
	if (err != OC_OK)
		sign_desk_discard(&soft->desk, t);
	return err;
}

static void
soft_cancel(struct signer *s, struct sign_job *job)
{
	sign_desk_cancel(&((struct soft *)s)->desk, job);
}

static int
soft_fd(const struct signer *s)
{
	return ((const struct soft *)s)->desk.epoll_fd;
}

static void
soft_dispatch(struct signer *s)
{
	sign_desk_dispatch(&((struct soft *)s)->desk);
}

static enum oc_err
soft_find_key(struct signer *s, const char *name, int64_t deadline_ns,
    struct sign_key_info *info, struct oc_error *error)
{
	struct soft_key *key = find_key((struct soft *)s, name);

	(void)deadline_ns;
	if (key == NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "there is no key \"%s\"", name);
	*info = key->info;
	return OC_OK;
}

static void
key_free(struct soft_key *key)
{
	if (key == NULL)
		return;
	sign_verifier_free(key->verifier);
	EVP_PKEY_free(key->pkey);
	free(key);
}

static void
soft_free(struct signer *s)
{
	struct soft *soft = (struct soft *)s;
	struct sign_ticket *t;
	struct soft_key *key;

	sign_queue_close(&soft->queue);
	(void)pthread_join(soft->thread, NULL);
	while ((t = sign_queue_drain(&soft->queue)) != NULL)
		sign_desk_discard(&soft->desk, t);
	sign_queue_fini(&soft->queue);
	sign_desk_fini(&soft->desk);
	while ((key = soft->keys) != NULL) {
		soft->keys = key->next;
		key_free(key);
	}
	free(soft);
}

static const struct signer_ops soft_ops = {
	.submit = soft_submit,
	.cancel = soft_cancel,
	.fd = soft_fd,
	.dispatch = soft_dispatch,
	.find_key = soft_find_key,
	.free = soft_free,
};

enum oc_err
sign_soft_new(struct signer **s)
{
	struct soft *soft = calloc(1, sizeof(*soft));
	enum oc_err err;

	if (soft == NULL)
		return OC_ERR_NOMEM;
	soft->signer.ops = &soft_ops;
	err = sign_desk_init(&soft->desk, NULL);
	if (err != OC_OK)
		goto no_desk;
	err = sign_queue_init(&soft->queue, SIGN_SOFT_QUEUE_MAX);
	if (err != OC_OK)
		goto no_queue;
	if (pthread_create(&soft->thread, NULL, work, soft) != 0) {
		err = OC_ERR_SYSTEM;
		goto no_thread;
	}
	*s = &soft->signer;
	return OC_OK;
no_thread:
	sign_queue_fini(&soft->queue);
no_queue:
	sign_desk_fini(&soft->desk);
no_desk:
	free(soft);
	return err;
}

static EVP_PKEY *
generate(enum sign_key_type type, unsigned int bits)
{
	switch (type) {
	case SIGN_KEY_NONE:
		return NULL;
	case SIGN_KEY_RSA:
		return EVP_RSA_gen(bits);
	case SIGN_KEY_P256:
		return EVP_EC_gen("P-256");
	case SIGN_KEY_P384:
		return EVP_EC_gen("P-384");
	case SIGN_KEY_P521:
		return EVP_EC_gen("P-521");
	case SIGN_KEY_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
	return NULL;
}

enum oc_err
sign_soft_generate(struct signer *s, const char *name,
    enum sign_key_type type, unsigned int bits)
{
	struct soft *soft = (struct soft *)s;
	struct soft_key *key;
	unsigned char *p;
	enum oc_err err = OC_ERR_INTERNAL;
	int len;

	if (find_key(soft, name) != NULL)
		return OC_ERR_EXISTS;
	key = calloc(1, sizeof(*key));
	if (key == NULL)
		return OC_ERR_NOMEM;
	len = snprintf(key->name, sizeof(key->name), "%s", name);
	oc_assert(len > 0 && (size_t)len < sizeof(key->name));
	key->pkey = generate(type, bits);
	if (key->pkey == NULL)
		goto fail;
	len = i2d_PUBKEY(key->pkey, NULL);
	if (len <= 0 || (size_t)len > sizeof(key->info.spki))
		goto fail;
	p = key->info.spki;
	key->info.spki_len = (size_t)i2d_PUBKEY(key->pkey, &p);
	err = sign_spki_type((struct der_bytes){ key->info.spki,
	    key->info.spki_len }, &key->info.type, &key->info.bits);
	if (err == OC_OK)
		err = sign_verifier_new((struct der_bytes){ key->info.spki,
		    key->info.spki_len }, &key->verifier);
	if (err != OC_OK)
		goto fail;
	key->info.alg = sign_alg_default(key->info.type);
	key->next = soft->keys;
	soft->keys = key;
	return OC_OK;
fail:
	ERR_clear_error();
	key_free(key);
	return err;
}

void
sign_soft_hold(struct signer *s)
{
	sign_queue_pause(&((struct soft *)s)->queue);
}

void
sign_soft_release(struct signer *s)
{
	sign_queue_resume(&((struct soft *)s)->queue);
}

unsigned long
sign_soft_num_signed(const struct signer *s)
{
	return atomic_load(&((const struct soft *)s)->num_signed);
}
