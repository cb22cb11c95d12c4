/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that come from elsewhere: cloned from another token, or imported from
 * a file; what is refused, and that nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "pkcs11/admin.h"
#include "pkcs11/clone.h"
#include "pkcs11/import.h"
#include "tests/unit/softhsm_fixture.h"

#define DEADLINE (oc_clock_mono_ns() + 120 * OC_NS_PER_S)
#define PASSPHRASE "correct horse"

static struct softhsm hsm;
static struct p11_token_config a, b;
static struct p11_key_entry keys[P11_ADMIN_MAX];

static size_t
list(const struct p11_token_config *token)
{
	struct oc_error error = { 0 };
	size_t num = 0;

	assert_int_equal(p11_admin_list_keys(token, hsm.state_dir, DEADLINE,
	    keys, &num, &error), OC_OK);
	return num;
}

static const struct p11_key_entry *
find(const struct p11_token_config *token, const char *label)
{
	size_t num = list(token);

	for (size_t i = 0; i < num; i++)
		if (strcmp(keys[i].label, label) == 0)
			return &keys[i];
	return NULL;
}

static enum oc_err
clone_key(const char *key, bool is_extractable, bool is_sealed,
    struct p11_cloned *cloned, struct oc_error *error)
{
	const struct p11_clone c = { .from = &a, .to = &b,
	    .state_dir = hsm.state_dir, .key = key,
	    .is_extractable = is_extractable, .is_sealed = is_sealed };

	memset(cloned, 0, sizeof(*cloned));
	return p11_clone(&c, DEADLINE, cloned, error);
}

static void
clones(enum sign_key_type type, unsigned int bits, const char *label)
{
	struct p11_cloned cloned;
	struct oc_error error = { 0 };
	struct sign_key_info info;
	const struct p11_key_entry *entry;
	enum oc_err err;

	assert_int_equal(p11_admin_generate_extractable(&a, hsm.state_dir,
	    label, type, bits, DEADLINE, &info, &error), OC_OK);
	entry = find(&a, label);
	assert_non_null(entry);
	assert_true(entry->is_extractable);
	assert_true(entry->is_local);
	assert_true(entry->was_always_sensitive);
	assert_false(entry->was_never_extractable);
	err = clone_key(label, false, false, &cloned, &error);
	if (err != OC_OK)
		fail_msg("%s", error.text);
	print_message("%s by %s\n", label, cloned.mechanisms);
	assert_int_equal(cloned.info.spki_len, info.spki_len);
	assert_memory_equal(cloned.info.spki, info.spki, info.spki_len);
	assert_true(cloned.source.is_extractable);
	entry = find(&b, label);
	assert_non_null(entry);
	assert_int_equal(entry->type, type);
	assert_true(entry->has_private && entry->has_public);
	assert_false(entry->is_extractable);
	assert_false(entry->is_local);
	assert_false(entry->was_always_sensitive);
	assert_false(entry->was_never_extractable);
	/* There it is. */
	assert_int_equal(clone_key(label, false, false, &cloned, &error),
	    OC_ERR_EXISTS);
	assert_non_null(strstr(error.text, "token b"));
}

static void
clones_each_type(void **state)
{
	(void)state;
	clones(SIGN_KEY_P256, 256, "p256");
	clones(SIGN_KEY_P384, 384, "p384");
	clones(SIGN_KEY_RSA, 2048, "rsa");
}

/* SoftHSM 2.6 wraps no such key: refused in one line, and nothing is left. */
static void
clones_ed25519_or_says_why(void **state)
{
	struct p11_cloned cloned;
	struct oc_error error = { 0 };
	struct sign_key_info info;
	size_t num;

	(void)state;
	assert_int_equal(p11_admin_generate_extractable(&a, hsm.state_dir,
	    "ed25519", SIGN_KEY_ED25519, 256, DEADLINE, &info, &error),
	    OC_OK);
	num = list(&b);
	if (clone_key("ed25519", false, false, &cloned, &error) == OC_OK) {
		assert_non_null(find(&b, "ed25519"));
		return;
	}
	print_message("%s\n", error.text);
	assert_non_null(strstr(error.text, "from token a to token b"));
	assert_int_equal(list(&b), num);
}

static void
sealed_afterwards(void **state)
{
	struct p11_cloned cloned;
	struct oc_error error = { 0 };
	struct sign_key_info info;

	(void)state;
	assert_int_equal(p11_admin_generate_extractable(&a, hsm.state_dir,
	    "sealed", SIGN_KEY_P256, 256, DEADLINE, &info, &error), OC_OK);
	assert_int_equal(clone_key("sealed", true, true, &cloned, &error),
	    OC_OK);
	assert_false(cloned.source.is_extractable);
	assert_false(find(&a, "sealed")->is_extractable);
	assert_true(find(&b, "sealed")->is_extractable);
}

static void
never_extractable(void **state)
{
	struct p11_cloned cloned;
	struct oc_error error = { 0 };
	size_t num;

	(void)state;
	softhsm_generate(&hsm, "kept", SIGN_KEY_P256, 256, NULL);
	assert_true(find(&a, "kept")->was_never_extractable);
	num = list(&b);
	assert_int_equal(clone_key("kept", false, false, &cloned, &error),
	    OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "CKA_EXTRACTABLE"));
	assert_non_null(strstr(error.text, "--extractable"));
	assert_int_equal(list(&b), num);
	assert_int_equal(clone_key("nobody", false, false, &cloned, &error),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(clone_key("pkcs11:token=b;object=kept", false, false,
	    &cloned, &error), OC_ERR_MISMATCH);
	/* The other token is not there. */
	b.uri = "pkcs11:token=nobody";
	assert_int_equal(clone_key("kept", false, false, &cloned, &error),
	    OC_ERR_NOT_FOUND);
	assert_non_null(strstr(error.text, "token b"));
	b.uri = "pkcs11:token=b";
}

/* --- import ----------------------------------------------------------- */

enum form { PLAIN_PEM, PLAIN_DER, CRYPT_PEM, CRYPT_DER, OLD_PEM };

static void
write_key(const char *path, EVP_PKEY *key, enum form form)
{
	const EVP_CIPHER *cipher = form == CRYPT_PEM || form == CRYPT_DER ?
	    EVP_aes_256_cbc() : NULL;
	const char *secret = cipher != NULL ? PASSPHRASE : NULL;
	int len = secret != NULL ? (int)strlen(secret) : 0, rc = 0;
	BIO *bio;
	FILE *f;

	(void)umask(077);
	f = fopen(path, "we");
	assert_non_null(f);
	switch (form) {
	case PLAIN_PEM:
	case CRYPT_PEM:
		rc = PEM_write_PKCS8PrivateKey(f, key, cipher, secret, len,
		    NULL, NULL);
		break;
	case PLAIN_DER:
	case CRYPT_DER:
		rc = i2d_PKCS8PrivateKey_fp(f, key, cipher, secret, len, NULL,
		    NULL);
		break;
	case OLD_PEM:
		bio = BIO_new_fp(f, BIO_NOCLOSE);
		assert_non_null(bio);
		rc = PEM_write_bio_PrivateKey_traditional(bio, key, NULL,
		    NULL, 0, NULL, NULL);
		(void)BIO_free(bio);
		break;
	}
	assert_int_equal(rc, 1);
	assert_int_equal(fclose(f), 0);
}

static EVP_PKEY *
make_key(enum sign_key_type type)
{
	switch (type) {
	case SIGN_KEY_RSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	case SIGN_KEY_P256:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	case SIGN_KEY_P384:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	case SIGN_KEY_P521:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	case SIGN_KEY_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case SIGN_KEY_NONE:
		break;
	}
	return NULL;
}

static enum oc_err
import(const char *path, const char *passphrase, const char *label,
    struct p11_imported *imported, struct oc_error *error)
{
	struct oc_secret secret = { .len = 0 };
	struct p11_import i = { .token = &b, .state_dir = hsm.state_dir,
		.path = path, .label = label };

	memset(imported, 0, sizeof(*imported));
	if (passphrase != NULL) {
		assert_int_equal(oc_secret_set(&secret, passphrase,
		    strlen(passphrase)), OC_OK);
		i.passphrase = &secret;
	}
	return p11_import(&i, DEADLINE, imported, error);
}

static void
imports(enum sign_key_type type, enum form form, const char *label)
{
	EVP_PKEY *key = make_key(type);
	struct p11_imported imported;
	const struct p11_key_entry *entry;
	struct oc_error error = { 0 };
	unsigned char *der = NULL;
	char path[300];
	enum oc_err err;
	int len;

	assert_non_null(key);
	(void)snprintf(path, sizeof(path), "%.250s/%s.key", hsm.dir, label);
	write_key(path, key, form);
	err = import(path, form == CRYPT_PEM || form == CRYPT_DER ?
	    PASSPHRASE : NULL, label, &imported, &error);
	if (err != OC_OK)
		fail_msg("%s: %s", label, error.text);
	len = i2d_PUBKEY(key, &der);
	assert_int_equal(imported.info.spki_len, len);
	assert_memory_equal(imported.info.spki, der, len);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	entry = find(&b, label);
	assert_non_null(entry);
	assert_int_equal(entry->type, type);
	assert_false(entry->is_extractable);
	assert_false(entry->was_always_sensitive);
	assert_false(entry->was_never_extractable);
	assert_false(entry->is_local);
	assert_int_equal(import(path, PASSPHRASE, label, &imported, &error),
	    OC_ERR_EXISTS);
}

static void
imports_each_type(void **state)
{
	(void)state;
	imports(SIGN_KEY_RSA, PLAIN_PEM, "i-rsa");
	imports(SIGN_KEY_P256, CRYPT_PEM, "i-p256");
	imports(SIGN_KEY_P384, PLAIN_DER, "i-p384");
	imports(SIGN_KEY_P521, CRYPT_DER, "i-p521");
	imports(SIGN_KEY_ED25519, PLAIN_PEM, "i-ed25519");
	imports(SIGN_KEY_RSA, OLD_PEM, "i-old");
}

/* Too short for anybody to believe; and which of two is meant, nobody says. */
static void
odd_files_are_refused(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	struct p11_imported imported;
	struct oc_error error = { 0 };
	bool wants = false;
	char path[300];
	size_t num;
	FILE *f;

	(void)state;
	assert_non_null(key);
	num = list(&b);
	(void)snprintf(path, sizeof(path), "%.250s/odd.key", hsm.dir);
	write_key(path, key, PLAIN_PEM);
	EVP_PKEY_free(key);
	assert_int_equal(import(path, NULL, "odd", &imported, &error),
	    OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "1024 bits"));
	key = make_key(SIGN_KEY_P256);
	write_key(path, key, PLAIN_PEM);
	EVP_PKEY_free(key);
	key = make_key(SIGN_KEY_P384);
	f = fopen(path, "ae");
	assert_non_null(f);
	assert_int_equal(PEM_write_PKCS8PrivateKey(f, key, EVP_aes_256_cbc(),
	    PASSPHRASE, (int)strlen(PASSPHRASE), NULL, NULL), 1);
	assert_int_equal(fclose(f), 0);
	EVP_PKEY_free(key);
	assert_int_equal(import(path, PASSPHRASE, "odd", &imported, &error),
	    OC_ERR_MALFORMED);
	assert_non_null(strstr(error.text, "several"));
	assert_int_equal(p11_import_wants_passphrase(path, &wants, &error),
	    OC_ERR_MALFORMED);
	assert_int_equal(list(&b), num);
}

static void
import_is_refused(void **state)
{
	EVP_PKEY *key = make_key(SIGN_KEY_P256), *other;
	struct p11_imported imported;
	struct oc_error error = { 0 };
	bool wants = false;
	char path[300];
	size_t num;

	(void)state;
	num = list(&b);
	(void)snprintf(path, sizeof(path), "%.250s/bad.key", hsm.dir);
	write_key(path, key, CRYPT_PEM);
	assert_int_equal(p11_import_wants_passphrase(path, &wants, &error),
	    OC_OK);
	assert_true(wants);
	assert_int_equal(import(path, "wrong", "bad", &imported, &error),
	    OC_ERR_PIN);
	assert_null(strstr(error.text, "wrong key"));
	assert_int_equal(import(path, NULL, "bad", &imported, &error),
	    OC_ERR_PIN);
	write_key(path, key, PLAIN_PEM);
	assert_int_equal(p11_import_wants_passphrase(path, &wants, &error),
	    OC_OK);
	assert_false(wants);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(import(path, NULL, "bad", &imported, &error),
	    OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "chmod"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(import(path, NULL, "bad", &imported, &error),
	    OC_ERR_MALFORMED);
	other = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	assert_non_null(other);
	assert_int_equal(unlink(path), 0);
	write_key(path, other, PLAIN_PEM);
	assert_int_equal(import(path, NULL, "bad", &imported, &error),
	    OC_ERR_UNSUPPORTED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(import(path, NULL, "bad", &imported, &error),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(list(&b), num);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static int
set_up(void **state)
{
	(void)state;
	softhsm_init(&hsm, "a");
	softhsm_add_token(&hsm, "b");
	a = b = hsm.token;
	a.name = "a";
	b.name = "b";
	b.uri = "pkcs11:token=b";
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	softhsm_fini(&hsm);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(clones_each_type),
		cmocka_unit_test(clones_ed25519_or_says_why),
		cmocka_unit_test(sealed_afterwards),
		cmocka_unit_test(never_extractable),
		cmocka_unit_test(imports_each_type),
		cmocka_unit_test(odd_files_are_refused),
		cmocka_unit_test(import_is_refused),
	};

	if (!softhsm_is_there())
		return 77;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
