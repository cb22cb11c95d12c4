/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a token gives a program that does nothing else: "token_loop MODULE
 * TOKEN KEY PIN-FILE SESSIONS SECONDS [CERTIFICATE]" signs the same digest
 * with the P-256 or RSA key of that label, again and again, a thread for each
 * session; with CERTIFICATE, which may be a public key, each signature is
 * verified, too.  Prints how many there were and how long the CPU took, in ns.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <p11-kit/pkcs11.h>

#include "base/clock.h"

#define SESSIONS_MAX 64
#define P256_LEN 64
#define RSA_MAX 512

static CK_FUNCTION_LIST *f;
static CK_SLOT_ID slot;
static CK_OBJECT_HANDLE key;
static EVP_PKEY *public_key;
static int64_t end_ns;
static atomic_ulong num_signed;
static const CK_BYTE digest[32] = { 1, 2, 3 };
/* DigestInfo ::= SEQUENCE { SHA-256, OCTET STRING digest } */
static const CK_BYTE digest_info[51] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09,
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
    0x20, 1, 2, 3 };
static CK_KEY_TYPE key_type;

static void
give_up(const char *what)
{
	fprintf(stderr, "token_loop: %s\n", what);
	exit(1);
}

static void
must(CK_RV rv, const char *what)
{
	if (rv != CKR_OK)
		give_up(what);
}

static CK_SESSION_HANDLE
open_session(void)
{
	CK_SESSION_HANDLE session;

	must(f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL,
	    &session), "C_OpenSession");
	return session;
}

static void
find_slot(const char *label)
{
	CK_SLOT_ID slots[64];
	CK_ULONG num = 64;

	must(f->C_GetSlotList(CK_TRUE, slots, &num), "C_GetSlotList");
	for (CK_ULONG i = 0; i < num; i++) {
		CK_TOKEN_INFO info;

		slot = slots[i];
		if (f->C_GetTokenInfo(slot, &info) == CKR_OK &&
		    strlen(label) < sizeof(info.label) &&
		    memcmp(info.label, label, strlen(label)) == 0 &&
		    info.label[strlen(label)] == ' ')
			return;
	}
	give_up("there is no such token");
}

static void
log_in(CK_SESSION_HANDLE session, const char *path)
{
	FILE *file = fopen(path, "r");
	char pin[64];

	if (file == NULL || fgets(pin, sizeof(pin), file) == NULL)
		give_up(path);
	fclose(file);
	pin[strcspn(pin, "\n")] = '\0';
	must(f->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)),
	    "C_Login");
}

static void
find_key(CK_SESSION_HANDLE session, char *label)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE what[] = { { CKA_CLASS, &class, sizeof(class) },
	    { CKA_LABEL, label, strlen(label) } };
	CK_ULONG num = 0;

	must(f->C_FindObjectsInit(session, what, 2), "C_FindObjectsInit");
	must(f->C_FindObjects(session, &key, 1, &num), "C_FindObjects");
	must(f->C_FindObjectsFinal(session), "C_FindObjectsFinal");
	if (num != 1)
		give_up("there is no such key");
	what[0] = (CK_ATTRIBUTE){ CKA_KEY_TYPE, &key_type, sizeof(key_type) };
	must(f->C_GetAttributeValue(session, key, what, 1),
	    "C_GetAttributeValue");
}

/* As a signer has to: r and s as DER, then EVP. */
static void
verify_ecdsa(EVP_PKEY_CTX *ctx, const CK_BYTE *raw)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	unsigned char *der = NULL;
	int len;

	if (sig == NULL || ECDSA_SIG_set0(sig, BN_bin2bn(raw, 32, NULL),
	    BN_bin2bn(raw + 32, 32, NULL)) != 1)
		give_up("out of memory");
	len = i2d_ECDSA_SIG(sig, &der);
	if (len <= 0 || EVP_PKEY_verify(ctx, der, (size_t)len, digest,
	    sizeof(digest)) != 1)
		give_up("a signature does not verify");
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
}

static EVP_PKEY_CTX *
open_verifier(void)
{
	EVP_PKEY_CTX *ctx;

	if (public_key == NULL)
		return NULL;
	ctx = EVP_PKEY_CTX_new(public_key, NULL);
	if (ctx == NULL || EVP_PKEY_verify_init(ctx) != 1)
		give_up("EVP_PKEY_verify_init");
	if (key_type == CKK_RSA && (EVP_PKEY_CTX_set_rsa_padding(ctx,
	    RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1))
		give_up("EVP_PKEY_CTX_set_signature_md");
	return ctx;
}

static void
verify(EVP_PKEY_CTX *ctx, const CK_BYTE *signature, CK_ULONG len)
{
	if (key_type != CKK_RSA) {
		if (len != P256_LEN)
			give_up("not a P-256 key");
		verify_ecdsa(ctx, signature);
	} else if (EVP_PKEY_verify(ctx, signature, len, digest,
	    sizeof(digest)) != 1)
		give_up("a signature does not verify");
}

static void *
run(void *arg)
{
	const CK_BYTE *data = key_type == CKK_RSA ? digest_info : digest;
	CK_ULONG data_len = key_type == CKK_RSA ? sizeof(digest_info) :
	    sizeof(digest);
	CK_MECHANISM mechanism = { key_type == CKK_RSA ? CKM_RSA_PKCS :
	    CKM_ECDSA, NULL, 0 };
	CK_SESSION_HANDLE session = open_session();
	EVP_PKEY_CTX *ctx = open_verifier();

	(void)arg;
	while (oc_clock_mono_ns() < end_ns) {
		CK_BYTE signature[RSA_MAX];
		CK_ULONG len = sizeof(signature);

		must(f->C_SignInit(session, &mechanism, key), "C_SignInit");
		must(f->C_Sign(session, (CK_BYTE *)(uintptr_t)data, data_len,
		    signature, &len), "C_Sign");
		if (ctx != NULL)
			verify(ctx, signature, len);
		atomic_fetch_add(&num_signed, 1);
	}
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

static void
load(const char *path)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_C_GetFunctionList get;

	if (module == NULL)
		give_up(dlerror());
	*(void **)&get = dlsym(module, "C_GetFunctionList");
	if (get == NULL)
		give_up("not a PKCS#11 module");
	must(get(&f), "C_GetFunctionList");
	must(f->C_Initialize(&args), "C_Initialize");
}

static void
load_certificate(const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *cert;

	if (file == NULL)
		give_up(path);
	cert = PEM_read_X509(file, NULL, NULL, NULL);
	rewind(file);
	public_key = cert != NULL ? X509_get_pubkey(cert) :
	    PEM_read_PUBKEY(file, NULL, NULL, NULL);
	fclose(file);
	X509_free(cert);
	if (public_key == NULL)
		give_up(path);
}

int
main(int argc, char **argv)
{
	pthread_t threads[SESSIONS_MAX];
	CK_SESSION_HANDLE first;
	struct rusage use;
	int num;

	if (argc < 7 || argc > 8)
		give_up("MODULE TOKEN KEY PIN-FILE SESSIONS SECONDS "
		    "[CERTIFICATE]");
	num = atoi(argv[5]);
	if (num < 1 || num > SESSIONS_MAX)
		give_up("SESSIONS");
	load(argv[1]);
	find_slot(argv[2]);
	first = open_session();
	log_in(first, argv[4]);
	find_key(first, argv[3]);
	if (argc == 8)
		load_certificate(argv[7]);
	end_ns = oc_clock_mono_ns() + atoi(argv[6]) * OC_NS_PER_S;
	for (int i = 0; i < num; i++)
		if (pthread_create(&threads[i], NULL, run, NULL) != 0)
			give_up("pthread_create");
	for (int i = 0; i < num; i++)
		pthread_join(threads[i], NULL);
	getrusage(RUSAGE_SELF, &use);
	printf("%lu %lld\n", atomic_load(&num_signed),
	    (long long)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) *
	    OC_NS_PER_S + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) *
	    1000LL);
	f->C_Finalize(NULL);
	EVP_PKEY_free(public_key);
	return 0;
}
