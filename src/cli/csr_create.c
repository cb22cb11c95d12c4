/* SPDX-License-Identifier: Apache-2.0 */
/* csr create: for a key in a token, or a new one in a file. */
#include "cli/csr.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "cli/key.h"
#include "cli/names.h"
#include "cli/print.h"
#include "x509/name.h"
#include "x509/tbs.h"

static enum oc_err
encode_info(struct der_bytes subject, struct der_bytes spki,
    const struct x509_extensions *extensions, uint8_t **info, size_t *len,
    struct oc_error *error)
{
	const struct x509_csr_info plan = { .subject = subject, .spki = spki,
	    .extensions = extensions };

	return cli_encode(x509_put_csr_info, &plan, info, len, error);
}

static enum oc_err
encode_signed(struct der_bytes info, enum sign_alg alg,
    struct der_bytes signature, uint8_t **der, size_t *der_len,
    struct oc_error *error)
{
	const struct x509_signed whole = { .tbs = info, .alg = alg,
	    .signature = signature };

	return cli_encode(x509_put_signed, &whole, der, der_len, error);
}

enum oc_err
cli_csr_sign(const struct cli *cli, const char *key, struct der_bytes subject,
    const struct x509_extensions *extensions, uint8_t **der, size_t *der_len,
    struct oc_error *error)
{
	struct sign_key_info *info = calloc(1, sizeof(*info));
	struct sign_job *job = calloc(1, sizeof(*job));
	uint8_t *tbs = NULL;
	enum oc_err err = OC_ERR_NOMEM;

	if (info == NULL || job == NULL) {
		oc_error_set(error, err, "out of memory");
		goto out;
	}
	err = cli_find_key(cli, key, info, error);
	if (err == OC_OK)
		err = encode_info(subject, (struct der_bytes){ info->spki,
		    info->spki_len }, extensions, &tbs, &job->tbs.len, error);
	if (err != OC_OK)
		goto out;
	job->key = key;
	job->kind = SIGN_KIND_CSR;
	job->lane = SIGN_LANE_CERTIFICATE;
	job->tbs.p = tbs;
	job->deadline_ns = cli_deadline(CLI_SIGN_S);
	err = sign_now(cli_signer(cli, key), job, error);
	if (err == OC_OK)
		err = encode_signed(job->tbs, job->signed_alg,
		    (struct der_bytes){ job->signature, job->signature_len },
		    der, der_len, error);
out:
	free(tbs);
	free(job);
	free(info);
	return err;
}

/* --- a key in a file -------------------------------------------------- */

static EVP_PKEY *
generate(enum sign_key_type type, unsigned int bits)
{
	switch (type) {
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
	case SIGN_KEY_NONE:
		break;
	}
	return NULL;
}

static enum oc_err
sign_with(EVP_PKEY *key, enum sign_alg alg, struct der_bytes tbs,
    uint8_t *signature, size_t *len)
{
	static const char *const names[] = { [SIGN_HASH_NONE] = NULL,
	    [SIGN_SHA256] = "SHA256", [SIGN_SHA384] = "SHA384",
	    [SIGN_SHA512] = "SHA512" };
	const char *md = names[sign_alg_info(alg)->hash];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = ctx != NULL && EVP_DigestSignInit_ex(ctx, NULL, md, NULL,
	    NULL, key, NULL) == 1 &&
	    EVP_DigestSign(ctx, signature, len, tbs.p, tbs.len) == 1;

	EVP_MD_CTX_free(ctx);
	return rc ? OC_OK : OC_ERR_INTERNAL;
}

static enum oc_err
make_csr(EVP_PKEY *key, enum sign_key_type type, struct der_bytes subject,
    const struct x509_extensions *extensions, uint8_t **der, size_t *der_len,
    struct oc_error *error)
{
	uint8_t *spki = NULL, *info = NULL, signature[OC_SIGNATURE_MAX];
	int spki_len = i2d_PUBKEY(key, &spki);
	size_t info_len, signature_len = sizeof(signature);
	enum sign_alg alg = sign_alg_default(type);
	enum oc_err err = OC_ERR_INTERNAL;

	if (spki_len <= 0)
		return oc_error_set(error, err, "OpenSSL cannot encode the "
		    "key");
	err = encode_info(subject, (struct der_bytes){ spki,
	    (size_t)spki_len }, extensions, &info, &info_len, error);
	if (err == OC_OK) {
		err = sign_with(key, alg, (struct der_bytes){ info, info_len },
		    signature, &signature_len);
		if (err != OC_OK)
			oc_error_set(error, err, "OpenSSL cannot sign with "
			    "the new key");
	}
	if (err == OC_OK)
		err = encode_signed((struct der_bytes){ info, info_len }, alg,
		    (struct der_bytes){ signature, signature_len }, der,
		    der_len, error);
	OPENSSL_free(spki);
	free(info);
	return err;
}

/* PKCS#8 in PEM, RFC 7468 section 10. */
static enum oc_err
write_key(const char *path, EVP_PKEY *key, struct oc_error *error)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	enum oc_err err = OC_ERR_INTERNAL;
	char *text;
	long len;

	if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL,
	    0, NULL, NULL) != 1 || (len = BIO_get_mem_data(bio, &text)) <= 0)
		oc_error_set(error, err, "OpenSSL cannot encode the key");
	else
		err = oc_file_write(path, 0600, text, (size_t)len, error);
	BIO_free(bio);
	return err;
}

/*
 * Key and request are both written or neither: the request first, so that a
 * failure loses no key, not even one that --force is about to replace.  On
 * standard output it cannot be taken back, and comes last.
 */
static enum oc_err
write_both(const struct cli *cli, EVP_PKEY *key, struct der_bytes request,
    struct oc_error *error)
{
	const char *key_path = cli_option(cli, "new-key");
	const char *out = cli_option(cli, "out");
	bool is_file = out != NULL && strcmp(out, "-") != 0;
	bool is_new = access(is_file ? out : key_path, F_OK) != 0;
	enum oc_err err;

	if (is_file) {
		err = cli_csr_put(cli, "out", request, error);
		if (err != OC_OK)
			return err;
		err = write_key(key_path, key, error);
	} else {
		err = write_key(key_path, key, error);
		if (err != OC_OK)
			return err;
		err = cli_csr_put(cli, "out", request, error);
	}
	if (err != OC_OK && is_new)
		(void)unlink(is_file ? out : key_path);
	return err;
}

/* Checks and makes all before it writes. */
static enum oc_err
create_with_new_key(const struct cli *cli, struct der_bytes subject,
    const struct x509_extensions *extensions, struct oc_error *error)
{
	const char *path = cli_option(cli, "new-key");
	enum sign_key_type type;
	struct der_bytes request;
	EVP_PKEY *key = NULL;
	uint8_t *der = NULL;
	unsigned int bits;
	enum oc_err err;

	if (!cli_has(cli, "force") && access(path, F_OK) == 0)
		return oc_error_set(error, OC_ERR_EXISTS, "%s is there "
		    "already; choose another --new-key, or --force to lose "
		    "that key", path);
	err = cli_key_type_parse(cli_option(cli, "type"), &type, &bits,
	    error);
	if (err != OC_OK)
		return err;
	cli_progress_begin("the new key");
	key = generate(type, bits);
	cli_progress_end();
	if (key == NULL)
		return oc_error_set(error, OC_ERR_INTERNAL,
		    "OpenSSL cannot generate the key");
	err = make_csr(key, type, subject, extensions, &der, &request.len,
	    error);
	request.p = der;
	if (err == OC_OK)
		err = write_both(cli, key, request, error);
	EVP_PKEY_free(key);
	free(der);
	return err;
}

/* --- the command ------------------------------------------------------ */

static enum oc_err
check_options(const struct cli *cli, struct oc_error *error)
{
	bool in_token = cli_has(cli, "key"), in_file = cli_has(cli, "new-key");

	if (in_token == in_file)
		return oc_error_set(error, OC_ERR_USAGE, "whose key? give "
		    "either --key KEY, or --new-key FILE");
	if (!in_token && cli_has(cli, "token"))
		return oc_error_set(error, OC_ERR_USAGE,
		    "--token is for --key only");
	if (in_token && (cli_has(cli, "type") || cli_has(cli, "force")))
		return oc_error_set(error, OC_ERR_USAGE,
		    "--type and --force are for --new-key only");
	return OC_OK;
}

static enum oc_err
check_files(struct cli *cli, struct oc_error *error)
{
	const char *key = cli_option(cli, "new-key");
	const char *out = cli_option(cli, "out");
	enum oc_err err;

	if (key != NULL && strcmp(key, "-") == 0)
		return oc_error_set(error, OC_ERR_USAGE, "--new-key - would "
		    "print the private key; name a file");
	if (key != NULL && out != NULL && cli_is_same_file(key, out))
		return oc_error_set(error, OC_ERR_USAGE, "--new-key and "
		    "--out are both %s; the key would be lost: name two "
		    "files", out);
	err = cli_check_key_out(cli, "new-key", error);
	if (err == OC_OK)
		err = cli_check_out(cli, "out", error);
	return err;
}

static enum oc_err
create_with_token(struct cli *cli, struct der_bytes subject,
    const struct x509_extensions *extensions, struct oc_error *error)
{
	struct der_bytes request = { NULL, 0 };
	const char *token;
	uint8_t *der = NULL;
	enum oc_err err;

	err = cli_token_of_key(cli, cli_option(cli, "key"), &token, error);
	if (err == OC_OK)
		err = cli_need_csr_key(cli, token, cli_option(cli, "key"),
		    error);
	if (err == OC_OK)
		err = cli_open_signers(cli, error);
	if (err == OC_OK)
		err = cli_csr_sign(cli, CLI_CSR_KEY, subject, extensions,
		    &der, &request.len, error);
	request.p = der;
	if (err == OC_OK)
		err = cli_csr_put(cli, "out", request, error);
	free(der);
	return err;
}

static enum oc_err
check_names(const struct cli_names *names, struct oc_error *error)
{
	const struct der_bytes subject = { names->subject,
	    names->subject_len };

	if (names->num_sans == 0 && x509_name_is_empty(subject))
		return oc_error_set(error, OC_ERR_USAGE, "neither a subject "
		    "nor a name: nothing to certify; add --san, or give "
		    "--subject something");
	return OC_OK;
}

enum oc_err
cli_csr_create(struct cli *cli, struct oc_error *error)
{
	struct x509_extensions *wish = calloc(1, sizeof(*wish));
	struct cli_names *names = NULL;
	struct der_bytes subject;
	enum oc_err err;

	if (wish == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = check_options(cli, error);
	if (err == OC_OK)
		err = cli_names_new(cli, NULL, &names, error);
	if (err == OC_OK)
		err = check_names(names, error);
	if (err == OC_OK)
		err = check_files(cli, error);
	if (err != OC_OK)
		goto out;
	memcpy(wish->sans, names->sans, sizeof(names->sans));
	wish->num_sans = names->num_sans;
	subject = (struct der_bytes){ names->subject, names->subject_len };
	if (cli_has(cli, "new-key"))
		err = create_with_new_key(cli, subject,
		    names->num_sans > 0 ? wish : NULL, error);
	else
		err = create_with_token(cli, subject,
		    names->num_sans > 0 ? wish : NULL, error);
out:
	free(names);
	free(wish);
	return err;
}

const struct cli_option cli_csr_create_options[] = {
	{ "subject", "NAME", CLI_REQUIRED, "such as CN=www.example.com" },
	{ "san", "NAME", CLI_REPEATED,
	    "a DNS name, IP address or e-mail address" },
	{ "new-key", "FILE", CLI_OPTIONAL, "make a key and write it there" },
	{ "type", "TYPE", CLI_OPTIONAL,
	    "of the new key: p256 (default), p384, rsa2048 ..." },
	{ "force", NULL, CLI_OPTIONAL, "overwrite the key that is there" },
	{ "key", "KEY", CLI_OPTIONAL, "a key in a token: URI or label" },
	{ "token", "NAME", CLI_OPTIONAL, "the [token NAME] it is in" },
	{ "out", "FILE", CLI_OPTIONAL, "else standard output" },
	{ NULL }
};
