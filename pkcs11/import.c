/* SPDX-License-Identifier: Apache-2.0 */
/* With OpenSSL from the file to numbers, with C_CreateObject into the token. */
#include "pkcs11/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "der/reader.h"
#include "pkcs11/admin_impl.h"
#include "pkcs11/key.h"
#include "pkcs11/object.h"
#include "x509/spki.h"

#define FILE_LEN_MAX (64 * 1024)
#define NUMBER_MAX 1024			/* RSA-8192's modulus */
#define NUMBERS_MAX 8
#define ID_LEN 16

/* --- the file --------------------------------------------------------- */

struct text {
	uint8_t bytes[FILE_LEN_MAX];
	size_t len;
};

static enum oc_err
check_file(int fd, const char *path, struct oc_error *error)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	if (!S_ISREG(st.st_mode))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "%s is not a regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return oc_error_set(error, OC_ERR_REFUSED,
		    "%s belongs to another user: chown it", path);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return oc_error_set(error, OC_ERR_REFUSED, "%s can be read "
		    "by others, who may have the key: chmod 0600 it if it is "
		    "still a secret", path);
	return OC_OK;
}

static enum oc_err
read_all(int fd, const char *path, struct text *text, struct oc_error *error)
{
	ssize_t n;

	do {
		n = read(fd, text->bytes + text->len,
		    sizeof(text->bytes) - text->len);
		if (n > 0)
			text->len += (size_t)n;
	} while ((n > 0 && text->len < sizeof(text->bytes)) ||
	    (n < 0 && errno == EINTR));
	if (n < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	if (text->len == sizeof(text->bytes))
		return oc_error_set(error, OC_ERR_LIMIT,
		    "%s is too long for a key", path);
	return OC_OK;
}

/* Which of two were meant, nobody says. */
static enum oc_err
check_only_key(const struct text *text, const char *path,
    struct oc_error *error)
{
	static const char begin[] = "-----BEGIN ", end[] = "PRIVATE KEY-----";
	const char *p = (const char *)text->bytes, *all = p + text->len, *eol;
	int num = 0;

	for (; p < all; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(all - p));
		if (eol == NULL)
			break;
		if ((size_t)(eol - p) > sizeof(begin) + sizeof(end) - 3 &&
		    memcmp(p, begin, sizeof(begin) - 1) == 0 &&
		    memmem(p, (size_t)(eol - p), end, sizeof(end) - 1) != NULL)
			num++;
	}
	return num < 2 ? OC_OK : oc_error_set(error, OC_ERR_MALFORMED, "%s "
	    "holds several private keys; give each in a file of its own",
	    path);
}

static void
text_free(struct text *text)
{
	if (text != NULL)
		OPENSSL_cleanse(text, sizeof(*text));
	free(text);
}

static enum oc_err
text_read(const char *path, struct text **out, struct oc_error *error)
{
	struct text *text = calloc(1, sizeof(*text));
	enum oc_err err;
	int fd;

	if (text == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		err = oc_error_set_errno(error, errno == ENOENT ?
		    OC_ERR_NOT_FOUND : OC_ERR_SYSTEM, "%s", path);
	} else {
		err = check_file(fd, path, error);
		if (err == OC_OK)
			err = read_all(fd, path, text, error);
		if (err == OC_OK)
			err = check_only_key(text, path, error);
		(void)close(fd);
	}
	if (err != OC_OK) {
		text_free(text);
		return err;
	}
	*out = text;
	return OC_OK;
}

/* --- the key in it ---------------------------------------------------- */

struct asked {
	const struct oc_secret *passphrase;
	bool was_asked;
};

static int
give_passphrase(char *out, int max, int is_writing, void *arg)
{
	struct asked *asked = arg;

	(void)is_writing;
	asked->was_asked = true;
	if (asked->passphrase == NULL ||
	    asked->passphrase->len > (size_t)max)
		return -1;
	memcpy(out, asked->passphrase->bytes, asked->passphrase->len);
	return (int)asked->passphrase->len;
}

/* PEM, or encrypted PKCS#8 in DER, or any private key in DER. */
static EVP_PKEY *
decode(const struct text *text, struct asked *asked)
{
	const unsigned char *p = text->bytes;
	EVP_PKEY *key = NULL;
	BIO *bio = BIO_new_mem_buf(text->bytes, (int)text->len);

	if (bio == NULL)
		return NULL;
	key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, asked);
	if (key == NULL && !asked->was_asked) {
		(void)BIO_reset(bio);
		key = d2i_PKCS8PrivateKey_bio(bio, NULL, give_passphrase,
		    asked);
	}
	if (key == NULL && !asked->was_asked)
		key = d2i_AutoPrivateKey(NULL, &p, (long)text->len);
	(void)BIO_free(bio);
	return key;
}

static enum oc_err
read_key(const struct p11_import *import, EVP_PKEY **key,
    struct oc_error *error)
{
	struct asked asked = { .passphrase = import->passphrase };
	struct text *text;
	enum oc_err err;

	err = text_read(import->path, &text, error);
	if (err != OC_OK)
		return err;
	*key = decode(text, &asked);
	text_free(text);
	if (*key != NULL)
		return OC_OK;
	if (asked.was_asked)
		return oc_error_set(error, OC_ERR_PIN, "%s is encrypted, and "
		    "%s", import->path, import->passphrase == NULL ?
		    "there is no passphrase" : "the passphrase is wrong");
	return oc_error_set(error, OC_ERR_MALFORMED, "%s holds no private "
	    "key: it must be PKCS#8, in PEM or DER", import->path);
}

enum oc_err
p11_import_wants_passphrase(const char *path, bool *wants,
    struct oc_error *error)
{
	struct asked asked = { .passphrase = NULL };
	struct text *text;
	EVP_PKEY *key;
	enum oc_err err;

	err = text_read(path, &text, error);
	if (err != OC_OK)
		return err;
	key = decode(text, &asked);
	text_free(text);
	*wants = key == NULL && asked.was_asked;
	EVP_PKEY_free(key);
	return OC_OK;
}

static enum oc_err
tell_public(EVP_PKEY *key, struct sign_key_info *info,
    struct oc_error *error)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	enum oc_err err = OC_ERR_UNSUPPORTED;

	if (len > 0 && (size_t)len <= sizeof(info->spki)) {
		memcpy(info->spki, der, (size_t)len);
		info->spki_len = (size_t)len;
		err = sign_spki_type((struct der_bytes){ info->spki,
		    info->spki_len }, &info->type, &info->bits);
	}
	OPENSSL_free(der);
	if (err != OC_OK)
		return oc_error_set(error, err, "it is no key we sign with: "
		    "RSA from 2048 bits, P-256, P-384, P-521 and Ed25519 "
		    "are");
	info->alg = sign_alg_default(info->type);
	return x509_spki_check((struct der_bytes){ info->spki,
	    info->spki_len }, error);
}

/* --- into the token --------------------------------------------------- */

/* The private numbers, for as long as the token is asked. */
struct numbers {
	uint8_t bytes[NUMBERS_MAX][NUMBER_MAX];
	size_t num;
};

/* In as many octets as given, or in as few as it has. */
static bool
put_number(struct p11_template *t, struct numbers *n, EVP_PKEY *key,
    const char *name, CK_ATTRIBUTE_TYPE type, int len)
{
	uint8_t *out = n->bytes[n->num];
	BIGNUM *number = NULL;
	bool is_ok;

	oc_assert(n->num < NUMBERS_MAX);
	if (EVP_PKEY_get_bn_param(key, name, &number) != 1)
		return false;
	if (len == 0)
		len = BN_num_bytes(number);
	is_ok = len > 0 && len <= NUMBER_MAX &&
	    BN_bn2binpad(number, out, len) == len;
	BN_clear_free(number);
	if (!is_ok)
		return false;
	p11_template_bytes(t, type, out, (size_t)len);
	n->num++;
	return true;
}

static bool
put_rsa(struct p11_template *t, struct numbers *n, EVP_PKEY *key)
{
	static const struct {
		const char *name;
		CK_ATTRIBUTE_TYPE type;
	} parts[] = {
		{ OSSL_PKEY_PARAM_RSA_N, CKA_MODULUS },
		{ OSSL_PKEY_PARAM_RSA_E, CKA_PUBLIC_EXPONENT },
		{ OSSL_PKEY_PARAM_RSA_D, CKA_PRIVATE_EXPONENT },
		{ OSSL_PKEY_PARAM_RSA_FACTOR1, CKA_PRIME_1 },
		{ OSSL_PKEY_PARAM_RSA_FACTOR2, CKA_PRIME_2 },
		{ OSSL_PKEY_PARAM_RSA_EXPONENT1, CKA_EXPONENT_1 },
		{ OSSL_PKEY_PARAM_RSA_EXPONENT2, CKA_EXPONENT_2 },
		{ OSSL_PKEY_PARAM_RSA_COEFFICIENT1, CKA_COEFFICIENT },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!put_number(t, n, key, parts[i].name, parts[i].type, 0))
			return false;
	return true;
}

static bool
put_ec(struct p11_template *t, struct numbers *n, EVP_PKEY *key,
    const struct sign_key_info *info, bool is_by_oid)
{
	struct der_bytes curve = p11_key_params(info->type, is_by_oid ?
	    P11_PARAMS_OID : P11_PARAMS_NAME);
	size_t len = NUMBER_MAX;

	p11_template_bytes(t, CKA_EC_PARAMS, curve.p, curve.len);
	if (info->type != SIGN_KEY_ED25519)
		return put_number(t, n, key, OSSL_PKEY_PARAM_PRIV_KEY,
		    CKA_VALUE, (int)(info->bits + 7) / 8);
	if (EVP_PKEY_get_raw_private_key(key, n->bytes[0], &len) != 1)
		return false;
	p11_template_bytes(t, CKA_VALUE, n->bytes[0], len);
	return true;
}

/* One try: with all that is said of it, or with what every token takes. */
static bool
create(const struct p11_side *side, const struct p11_new_key *new,
    const struct sign_key_info *info, EVP_PKEY *key, bool is_by_oid,
    CK_OBJECT_HANDLE *object, CK_RV *rv)
{
	struct p11_template t = { .num = 0 };
	struct numbers *n = calloc(1, sizeof(*n));
	bool is_ok = false;

	*rv = CKR_HOST_MEMORY;
	if (n == NULL)
		return false;
	p11_template_private(&t, new);
	is_ok = new->type == CKK_RSA ? put_rsa(&t, n, key) :
	    put_ec(&t, n, key, info, is_by_oid);
	*rv = CKR_DATA_INVALID;
	if (is_ok)
		*rv = side->f->C_CreateObject(side->session, t.attributes,
		    t.num, object);
	OPENSSL_cleanse(n, sizeof(*n));
	free(n);
	return *rv == CKR_OK;
}

static enum oc_err
put_private(const struct p11_side *side, struct p11_new_key *new,
    const struct sign_key_info *info, EVP_PKEY *key,
    CK_OBJECT_HANDLE *object, struct oc_error *error)
{
	CK_RV rv = CKR_OK;

	for (int i = 0; i < 4; i++) {
		new->is_plain = (i & 1) != 0;
		if (create(side, new, info, key, (i & 2) != 0, object, &rv))
			return OC_OK;
		if (i == 1 && info->type != SIGN_KEY_ED25519)
			break;
	}
	*object = CK_INVALID_HANDLE;
	return p11_side_error(error, side, "C_CreateObject of a private key "
	    "(many HSMs take none from outside)", rv);
}

static CK_KEY_TYPE
key_type(enum sign_key_type type)
{
	return type == SIGN_KEY_RSA ? CKK_RSA : type == SIGN_KEY_ED25519 ?
	    CKK_EC_EDWARDS : CKK_EC;
}

static enum oc_err
bring_in(struct p11_side *side, const struct p11_import *import,
    EVP_PKEY *key, struct p11_imported *out, struct oc_error *error)
{
	CK_OBJECT_HANDLE private = CK_INVALID_HANDLE;
	CK_OBJECT_HANDLE public = CK_INVALID_HANDLE;
	struct p11_new_key new = { .id_len = ID_LEN };
	enum oc_err err;

	new.type = key_type(out->info.type);
	(void)snprintf(new.label, sizeof(new.label), "%s", import->label);
	if (getrandom(new.id, ID_LEN, 0) != ID_LEN)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "getrandom");
	err = p11_object_is_free(side, &new, error);
	if (err == OC_OK)
		err = put_private(side, &new, &out->info, key, &private,
		    error);
	if (err == OC_OK)
		err = p11_object_put_public(side, &new, &out->info, &public,
		    error);
	if (err == OC_OK)
		err = p11_object_prove(side, private, &out->info,
		    &out->entry, error);
	if (err != OC_OK) {
		p11_side_destroy(side, &private);
		p11_side_destroy(side, &public);
		return err;
	}
	memcpy(out->entry.label, new.label, sizeof(new.label));
	memcpy(out->entry.id, new.id, ID_LEN);
	out->entry.id_len = ID_LEN;
	return OC_OK;
}

/* libcrypto copies the key about while it reads it, so it is all of this
 * process, which is for this alone. */
static bool
lock_memory(void)
{
	struct rlimit limit;

	/* Who may lock some would have no memory for the module behind it. */
	if (geteuid() != 0 && (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
	    limit.rlim_cur != RLIM_INFINITY))
		return false;
	return mlockall(MCL_CURRENT | MCL_FUTURE) == 0;
}

static enum oc_err
run(const void *request, void *out, struct oc_error *error)
{
	const struct p11_import *import = request;
	struct p11_imported *imported = out;
	struct p11_side side = { .module = NULL };
	EVP_PKEY *key = NULL;
	enum oc_err err;

	imported->is_locked = lock_memory();
	err = read_key(import, &key, error);
	if (err == OC_OK)
		err = tell_public(key, &imported->info, error);
	if (err == OC_OK)
		err = p11_side_open(&side, import->token, import->state_dir,
		    error);
	if (err == OC_OK)
		err = bring_in(&side, import, key, imported, error);
	EVP_PKEY_free(key);
	p11_side_close(&side);
	return err;
}

enum oc_err
p11_import(const struct p11_import *import, int64_t deadline_ns,
    struct p11_imported *imported, struct oc_error *error)
{
	return p11_admin_run(run, import, import->token->module, deadline_ns,
	    imported, sizeof(*imported), error);
}
