/* SPDX-License-Identifier: Apache-2.0 */
#include "ca_fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/pem.h"
#include "ca/revoke.h"

/* --- a signer that fails ---------------------------------------------- */

static struct faulty_signer *
faulty_of(const struct signer *s)
{
	return (struct faulty_signer *)(uintptr_t)s;
}

static enum oc_err
faulty_submit(struct signer *s, struct sign_job *job)
{
	struct faulty_signer *f = faulty_of(s);
	void (*before)(void *arg) = f->before;

	f->before = NULL;
	if (before != NULL)
		before(f->arg);
	if (f->fail_at == FAIL_SUBMIT)
		return f->err;
	if (f->fail_at == FAIL_DONE) {
		f->taken = job;
		return OC_OK;
	}
	return sign_submit(f->behind, job);
}

static void
faulty_cancel(struct signer *s, struct sign_job *job)
{
	sign_cancel(faulty_of(s)->behind, job);
}

static int
faulty_fd(const struct signer *s)
{
	return sign_fd(faulty_of(s)->behind);
}

static void
faulty_dispatch(struct signer *s)
{
	struct faulty_signer *f = faulty_of(s);
	struct sign_job *job = f->taken;

	f->taken = NULL;
	if (job != NULL) {
		job->err = f->err;
		job->done(job, job->arg);
	}
	sign_dispatch(f->behind);
}

static enum oc_err
faulty_find_key(struct signer *s, const char *name, int64_t deadline_ns,
    struct sign_key_info *info, struct oc_error *error)
{
	struct faulty_signer *f = faulty_of(s);

	if (f->fail_at == FAIL_FIND)
		return oc_error_set(error, f->err, "told to fail");
	return sign_find_key(f->behind, name, deadline_ns, info, error);
}

void
faulty_signer_init(struct faulty_signer *f, struct signer *behind)
{
	static const struct signer_ops ops = {
		.submit = faulty_submit,
		.cancel = faulty_cancel,
		.fd = faulty_fd,
		.dispatch = faulty_dispatch,
		.find_key = faulty_find_key,
	};

	*f = (struct faulty_signer){ .signer.ops = &ops, .behind = behind,
	    .err = OC_ERR_DOWN };
}

/* --- the CA ----------------------------------------------------------- */

int64_t
ca_deadline(void)
{
	return oc_clock_mono_ns() + 30 * OC_NS_PER_S;
}

void
ca_get_profile(const struct ca_fixture *f, const char *name,
    struct ca_profile *profile)
{
	struct oc_error error = { 0 };

	if (ca_profile_find(&f->config, name, profile, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static void
write_pem(const char *path, const uint8_t *der, size_t der_len)
{
	struct oc_error error = { 0 };
	struct oc_buffer b;

	oc_buffer_init(&b, 64 * 1024);
	oc_pem_write(&b, "CERTIFICATE", der, der_len);
	assert_int_equal(b.err, OC_OK);
	assert_int_equal(oc_file_write(path, 0644, b.bytes, b.len, &error),
	    OC_OK);
	oc_buffer_fini(&b);
}

static void
make_root(struct ca_fixture *f)
{
	struct ca_certificate certificate = { 0 };
	struct oc_error error = { 0 };
	struct ca_profile profile;
	const struct ca_request request = {
		.profile = &profile,
		.subject = test_name("CN=Test Root,O=Example"),
		.not_before = oc_clock_now_s() - 5 * 365 * CA_FIXTURE_DAY_S,
		.validity_s = 10 * 365 * CA_FIXTURE_DAY_S,
	};

	ca_get_profile(f, "root", &profile);
	if (ca_issue_root(&f->section, f->store, f->signer, &request,
	    ca_deadline(), &certificate, &error) != OC_OK)
		fail_msg("%s", error.text);
	write_pem(f->certificate, certificate.der, certificate.der_len);
	ca_certificate_fini(&certificate);
	if (ca_issuer_load(&f->section, &f->issuer, &error) != OC_OK ||
	    ca_issuer_register(f->issuer, f->store, &error) != OC_OK)
		fail_msg("%s", error.text);
}

int
ca_setup(void **state)
{
	struct ca_fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");
	struct oc_error error = { 0 };

	assert_non_null(f);
	snprintf(f->directory, sizeof(f->directory), "%.200s/ocsign-ca.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof(f->path), "%s/store.db", f->directory);
	snprintf(f->certificate, sizeof(f->certificate), "%s/ca.pem",
	    f->directory);
	f->section = (struct oc_config_issuer){
		.name = (char *)(uintptr_t)"ca",
		.certificate = f->certificate,
		.ocsp_url = (char *)(uintptr_t)"http://ocsp.example/",
		.ca_issuers_url = (char *)(uintptr_t)"http://example/ca.der",
		.crl_url = (char *)(uintptr_t)"http://example/ca.crl",
		.crl_lifetime_s = 7 * CA_FIXTURE_DAY_S,
	};
	f->other = f->section;
	f->other.name = (char *)(uintptr_t)"other";
	if (store_open(f->path, STORE_CREATE, &f->store, &error) != OC_OK)
		fail_msg("%s", error.text);
	assert_int_equal(sign_soft_new(&f->signer), OC_OK);
	assert_int_equal(sign_soft_generate(f->signer, "issuer/ca",
	    SIGN_KEY_P256, 256), OC_OK);
	assert_int_equal(sign_soft_generate(f->signer, "issuer/other",
	    SIGN_KEY_P256, 256), OC_OK);
	make_root(f);
	*state = f;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

int
ca_teardown(void **state)
{
	struct ca_fixture *f = *state;

	ca_issuer_free(f->issuer);
	sign_free(f->signer);
	store_close(f->store);
	nftw(f->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

struct x509_tbs
ca_tbs(const struct ca_fixture *f)
{
	const struct x509_cert *cert = &f->issuer->cert;

	return (struct x509_tbs){
		.serial = { cert->serial.bytes, cert->serial.len },
		.alg = SIGN_ECDSA_SHA256,
		.issuer = cert->issuer,
		.not_before = cert->not_before,
		.not_after = cert->not_after,
		.subject = cert->subject,
		.spki = cert->spki,
		.extensions = cert->extensions,
	};
}

/* Nobody looks at the signature of a CA in its file. */
void
ca_write_certificate(const struct ca_fixture *f, const struct x509_tbs *tbs)
{
	struct der_bytes der = test_sign(test_write(x509_put_tbs, tbs),
	    "P-256", tbs->alg);

	write_pem(f->certificate, der.p, der.len);
}

struct ca_issuer *
ca_reissue(const struct ca_fixture *f, void (*change)(struct x509_tbs *tbs))
{
	struct x509_tbs tbs = ca_tbs(f);
	struct ca_issuer *issuer = NULL;
	struct oc_error error = { 0 };

	change(&tbs);
	ca_write_certificate(f, &tbs);
	if (ca_issuer_load(&f->section, &issuer, &error) != OC_OK)
		fail_msg("%s", error.text);
	issuer->store_id = f->issuer->store_id;
	return issuer;
}

/* --- requests --------------------------------------------------------- */

static void
add_extension(STACK_OF(X509_EXTENSION) *list, const char *name,
    const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	extension = X509V3_EXT_nconf(NULL, &ctx, name, value);
	if (extension == NULL)
		fail_msg("OpenSSL makes no %s = %s", name, value);
	assert_true(sk_X509_EXTENSION_push(list, extension) > 0);
}

static void
set_subject(X509_REQ *req, const char *subject)
{
	struct der_bytes name = test_name(subject);
	const uint8_t *p = name.p;
	X509_NAME *parsed = d2i_X509_NAME(NULL, &p, (long)name.len);

	assert_non_null(parsed);
	assert_int_equal(X509_REQ_set_subject_name(req, parsed), 1);
	X509_NAME_free(parsed);
}

/* The extensions in an attribute of the type nid; takes them over. */
static const struct x509_csr *
make_csr(const char *key, const char *subject,
    STACK_OF(X509_EXTENSION) *list, int nid)
{
	struct x509_csr *csr = test_alloc(sizeof(*csr));
	X509_REQ *req = X509_REQ_new();
	struct oc_error error = { 0 };

	assert_non_null(req);
	set_subject(req, subject);
	assert_int_equal(X509_REQ_set_pubkey(req, test_key(key)), 1);
	if (sk_X509_EXTENSION_num(list) > 0)
		assert_int_equal(X509_REQ_add_extensions_nid(req, list, nid),
		    1);
	assert_true(X509_REQ_sign(req, test_key(key), strcmp(key,
	    "ED25519") == 0 ? NULL : EVP_sha256()) > 0);
	if (x509_csr_read(test_i2d_req(req), csr, &error) != OC_OK ||
	    x509_csr_verify(csr, &error) != OC_OK)
		fail_msg("%s", error.text);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_free(req);
	return csr;
}

const struct x509_csr *
ca_csr(const char *key, const char *subject, ...)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	const char *name;
	va_list ap;

	va_start(ap, subject);
	while ((name = va_arg(ap, const char *)) != NULL)
		add_extension(list, name, va_arg(ap, const char *));
	va_end(ap);
	return make_csr(key, subject, list, NID_ext_req);
}

const struct x509_csr *
ca_csr_microsoft(const char *key, const char *subject, const char *name,
    const char *value)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();

	add_extension(list, name, value);
	return make_csr(key, subject, list, NID_ms_ext_req);
}

/* --- issuing ---------------------------------------------------------- */

enum oc_err
ca_try(struct ca_fixture *f, const char *name, const struct x509_csr *csr,
    struct ca_certificate *certificate, struct oc_error *error)
{
	struct ca_profile profile;
	const struct ca_request request = { .profile = &profile, .csr = csr };
	enum oc_err err;

	ca_get_profile(f, name, &profile);
	err = ca_issue(f->issuer, f->store, f->signer, &request,
	    ca_deadline(), certificate, error);
	ca_profile_fini(&profile);
	return err;
}

X509 *
ca_must_issue(struct ca_fixture *f, const char *profile,
    const struct x509_csr *csr)
{
	struct ca_certificate certificate = { 0 };
	struct oc_error error = { 0 };
	const uint8_t *p = f->issuer->cert.spki.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p,
	    (long)f->issuer->cert.spki.len);
	X509 *cert;

	if (ca_try(f, profile, csr, &certificate, &error) != OC_OK)
		fail_msg("%s", error.text);
	p = certificate.der;
	cert = d2i_X509(NULL, &p, (long)certificate.der_len);
	assert_non_null(cert);
	assert_int_equal(X509_verify(cert, key), 1);
	EVP_PKEY_free(key);
	ca_certificate_fini(&certificate);
	return cert;
}

void
ca_must_refuse(struct ca_fixture *f, const char *profile,
    const struct x509_csr *csr, const char *words)
{
	uint32_t num_before = ca_count(f, 0);
	struct ca_certificate certificate = { 0 };
	struct oc_error error = { 0 };
	enum oc_err err;

	err = ca_try(f, profile, csr, &certificate, &error);
	if (err == OC_OK)
		fail_msg("issued; wanted: %s", words);
	if (strstr(error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
	assert_int_equal(error.code, err);
	assert_null(certificate.der);
	assert_int_equal(ca_count(f, 0), num_before);
}

char *
ca_print_extensions(const X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long len;

	assert_non_null(bio);
	for (int i = 0; i < X509_get_ext_count(cert); i++) {
		X509_EXTENSION *e = X509_get_ext(cert, i);

		BIO_printf(bio, "%s%s: ", OBJ_nid2ln(OBJ_obj2nid(
		    X509_EXTENSION_get_object(e))),
		    X509_EXTENSION_get_critical(e) ? "!" : "");
		assert_int_equal(X509V3_EXT_print(bio, e, 0, 0), 1);
		BIO_printf(bio, "\n");
	}
	len = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)len);
	assert_non_null(copy);
	BIO_free(bio);
	return copy;
}

static enum oc_err
count_one(void *arg, const struct store_certificate *certificate)
{
	(void)certificate;
	++*(uint32_t *)arg;
	return OC_OK;
}

uint32_t
ca_count(struct ca_fixture *f, enum store_state state)
{
	const struct store_filter filter = { .state = state };
	uint32_t num = 0;

	assert_int_equal(store_list_certificates(f->store, &filter, count_one,
	    &num), OC_OK);
	return num;
}

struct oc_serial
ca_issue_one(struct ca_fixture *f, int64_t not_before, int64_t validity_s)
{
	struct ca_certificate certificate = { 0 };
	struct oc_error error = { 0 };
	struct ca_profile profile;
	struct oc_serial serial;
	const struct ca_request request = {
		.profile = &profile,
		.csr = ca_csr("P-256", "CN=a.example", NULL),
		.not_before = not_before,
		.validity_s = validity_s,
	};

	ca_get_profile(f, "server", &profile);
	/* To have one that has expired. */
	assert_int_equal(lint_set_add(&profile.lint_exempt,
	    "excessively_backdated", &error), OC_OK);
	if (ca_issue(f->issuer, f->store, f->signer, &request, ca_deadline(),
	    &certificate, &error) != OC_OK)
		fail_msg("%s", error.text);
	serial = certificate.serial;
	ca_certificate_fini(&certificate);
	return serial;
}

void
ca_put_status(struct ca_fixture *f, const struct oc_serial *serial,
    enum crl_reason reason)
{
	struct oc_error error = { 0 };
	int64_t revoked_at;

	if (ca_revoke(f->issuer, f->store, serial, reason, &revoked_at, 0,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
}
