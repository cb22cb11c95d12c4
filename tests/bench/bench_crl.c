/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of a million entries, with serials of 20 octets and reasons, against
 * OpenSSL's X509_CRL.  The key is the same RSA key, and its signatures are
 * too: before anything is timed the two lists are found to be the same octets.
 *
 * crl-build-1m: from an iterator to a signed list.  crl-publish-1m: from the
 * rows of a store to a signed list that is recorded there and in a file.
 * crl-read-1m: from DER to the first entry that is looked for, verified.
 */
#include "tests/bench/bench_crl.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/file.h"
#include "ca/revoke.h"
#include "sign/verify.h"
#include "status/crl_list.h"
#include "tests/bench/bench.h"
#include "x509/crl_stream.h"

#define NUM 1000000
#define DAY_S INT64_C(86400)

/* Signs where it is asked, and verifies, as a signer has to. */
struct bench_signer {
	struct signer signer;		/* first */
	EVP_PKEY *key;
	struct sign_verifier *verifier;
	struct sign_key_info info;
	struct sign_job *job;
};

struct subject {
	struct bench_signer signer;
	EVP_PKEY *key;
	char directory[64], certificate[96], store_path[96], out[96];
	struct oc_config_issuer section;
	struct ca_issuer *issuer;
	struct store *store;
	struct x509_crl_tbs tbs;
	/* What was made last. */
	struct x509_crl_stream *stream;
	struct der_bytes ours;
	struct ca_crl published;
	X509_CRL *theirs;
	unsigned char *their_der;
	size_t their_len;
	struct status_crl_list *list;
	/* What is read. */
	uint8_t *der;
	uint8_t *lent;
	size_t der_len;
	struct oc_serial last;
};

/* --- the key ------------------------------------------------------------ */

/* As pkcs11/: one digest, for the key and for verifying. */
static enum oc_err
submit(struct signer *signer, struct sign_job *job)
{
	struct bench_signer *s = (void *)signer;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->key, NULL);
	uint8_t digest[32];
	struct sign_claim claim = { .alg = SIGN_RSA_SHA256, .tbs = job->tbs,
	    .digest = digest };

	job->signature_len = sizeof(job->signature);
	bench_must(EVP_Digest(job->tbs.p, job->tbs.len, digest, NULL,
	    EVP_sha256(), NULL) == 1);
	bench_must(EVP_PKEY_sign_init(ctx) == 1);
	bench_must(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1);
	bench_must(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1);
	bench_must(EVP_PKEY_sign(ctx, job->signature, &job->signature_len,
	    digest, sizeof(digest)) == 1);
	EVP_PKEY_CTX_free(ctx);
	claim.signature = (struct der_bytes){ job->signature,
	    job->signature_len };
	sign_verify_all(s->verifier, &claim, 1);
	job->err = claim.verdict;
	job->signed_alg = SIGN_RSA_SHA256;
	s->job = job;
	return OC_OK;
}

static void
cancel(struct signer *signer, struct sign_job *job)
{
	(void)signer;
	(void)job;
}

static void
dispatch(struct signer *signer)
{
	struct sign_job *job = ((struct bench_signer *)(void *)signer)->job;

	job->done(job, job->arg);
}

static int
always_ready(const struct signer *signer)
{
	(void)signer;
	return -1;
}

static enum oc_err
find_key(struct signer *signer, const char *key, int64_t deadline_ns,
    struct sign_key_info *info, struct oc_error *error)
{
	(void)key;
	(void)deadline_ns;
	(void)error;
	*info = ((struct bench_signer *)(void *)signer)->info;
	return OC_OK;
}

static const struct signer_ops ops = {
	.submit = submit, .cancel = cancel, .fd = always_ready,
	.dispatch = dispatch, .find_key = find_key
};

static void
make_signer(struct subject *s)
{
	struct sign_key_info *info = &s->signer.info;
	unsigned char *p = info->spki;
	int len;

	s->key = EVP_RSA_gen(2048);
	bench_must(s->key != NULL);
	s->signer.signer.ops = &ops;
	s->signer.key = s->key;
	len = i2d_PUBKEY(s->key, NULL);
	bench_must(len > 0 && len <= OC_SPKI_MAX);
	(void)i2d_PUBKEY(s->key, &p);
	info->spki_len = (size_t)len;
	info->type = SIGN_KEY_RSA;
	info->bits = 2048;
	info->alg = SIGN_RSA_SHA256;
	bench_must(sign_verifier_new((struct der_bytes){ info->spki,
	    info->spki_len }, &s->signer.verifier) == OC_OK);
}

/* --- the entries -------------------------------------------------------- */

/* In the order of serials, revoked on any day of a year. */
static void
make_entry(uint32_t n, struct x509_crl_entry *e)
{
	static const enum crl_reason reasons[] = { CRL_REASON_KEY_COMPROMISE,
	    CRL_REASON_SUPERSEDED, CRL_REASON_AFFILIATION_CHANGED,
	    CRL_REASON_CESSATION_OF_OPERATION };
	uint64_t x = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
	uint64_t y = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	uint32_t order = htonl(n);

	e->serial.len = OC_SERIAL_MAX;
	e->serial.bytes[0] = 0x40;
	memcpy(e->serial.bytes + 1, &order, 4);
	memcpy(e->serial.bytes + 5, &x, 8);
	memcpy(e->serial.bytes + 12, &y, 8);
	e->revoked_at = INT64_C(1764000000) + (uint32_t)(y >> 32) %
	    (365 * 86400);
	e->reason = reasons[n % 4];
	e->invalidity_at = 0;
}

static void
clear(void *arg)
{
	struct subject *s = arg;

	x509_crl_stream_free(s->stream);
	s->stream = NULL;
	ca_crl_fini(&s->published);
	X509_CRL_free(s->theirs);
	s->theirs = NULL;
	OPENSSL_free(s->their_der);
	s->their_der = NULL;
	status_crl_list_release(s->list);
	s->list = NULL;
}

/* --- crl-build-1m ------------------------------------------------------- */

static void
build_ours(void *arg)
{
	struct subject *s = arg;
	struct sign_job job = { .kind = SIGN_KIND_CRL, .key = "issuer/bench",
	    .alg = SIGN_RSA_SHA256, .lane = SIGN_LANE_CRL };
	struct oc_error error = { 0 };
	struct x509_crl_entry e;

	bench_must(x509_crl_stream_new(&s->stream) == OC_OK);
	for (uint32_t i = 0; i < NUM; i++) {
		make_entry(i, &e);
		bench_must(x509_crl_stream_put(s->stream, &e) == OC_OK);
	}
	bench_must(x509_crl_stream_end(s->stream, &s->tbs) == OC_OK);
	job.tbs = x509_crl_stream_tbs(s->stream);
	bench_must(sign_now(&s->signer.signer, &job, &error) == OC_OK);
	bench_must(x509_crl_stream_sign(s->stream, job.signed_alg,
	    (struct der_bytes){ job.signature, job.signature_len },
	    &s->ours) == OC_OK);
}

static void
build_theirs(void *arg)
{
	struct subject *s = arg;
	struct x509_crl_entry e;

	s->theirs = openssl_crl_new(&s->tbs);
	for (uint32_t i = 0; i < NUM; i++) {
		make_entry(i, &e);
		openssl_crl_add(s->theirs, &e);
	}
	openssl_crl_sign(s->theirs, s->key, &s->their_der, &s->their_len);
}

static void
check_same(const struct subject *s)
{
	bench_must(s->ours.len == s->their_len);
	bench_must(memcmp(s->ours.p, s->their_der, s->their_len) == 0);
}

/* --- crl-publish-1m ----------------------------------------------------- */

static void
publish_ours(void *arg)
{
	struct subject *s = arg;
	struct oc_error error = { 0 };

	if (ca_crl_create(s->issuer, s->store, &s->signer.signer,
	    oc_clock_mono_ns() + 60 * OC_NS_PER_S, &s->published, &error) !=
	    OC_OK || oc_file_write(s->out, 0644, s->published.der,
	    s->published.der_len, &error) != OC_OK) {
		(void)fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	bench_must(s->published.num_entries == NUM);
}

static enum oc_err
add_row(void *arg, const struct store_revocation *c)
{
	const struct x509_crl_entry e = { c->serial, c->revoked_at, c->reason,
	    c->invalidity_at };

	openssl_crl_add(arg, &e);
	return OC_OK;
}

static void
publish_theirs(void *arg)
{
	struct subject *s = arg;
	struct oc_error error = { 0 };
	uint64_t number;
	int64_t id;

	bench_must(store_reserve_crl(s->store, s->issuer->store_id,
	    s->tbs.this_update, s->tbs.next_update, &id, &number) == OC_OK);
	s->theirs = openssl_crl_new(&s->tbs);
	bench_must(store_list_revoked(s->store, s->issuer->store_id, 0,
	    add_row, s->theirs) == OC_OK);
	openssl_crl_sign(s->theirs, s->key, &s->their_der, &s->their_len);
	bench_must(store_issue_crl(s->store, id, (struct store_blob){
	    s->their_der, s->their_len }) == OC_OK);
	bench_must(oc_file_write(s->out, 0644, s->their_der, s->their_len,
	    &error) == OC_OK);
}

/* As ca_crl_create() has just dated its own. */
static void
publish_check(struct subject *s)
{
	struct x509_crl crl;

	publish_ours(s);
	s->ours = (struct der_bytes){ s->published.der,
	    s->published.der_len };
	bench_must(x509_crl_read(s->ours, &crl, NULL) == OC_OK);
	s->tbs.number = s->published.number;
	s->tbs.this_update = crl.this_update;
	s->tbs.next_update = crl.next_update;
	publish_theirs(s);
	check_same(s);
	clear(s);
}

/* --- crl-read-1m -------------------------------------------------------- */

/* It is in memory for either; ours takes it over. */
static void
lend(void *arg)
{
	struct subject *s = arg;

	clear(s);
	free(s->lent);
	s->lent = malloc(s->der_len);
	bench_must(s->lent != NULL);
	memcpy(s->lent, s->der, s->der_len);
}

static void
read_ours(void *arg)
{
	struct subject *s = arg;
	struct status_entry found;

	bench_must(status_crl_list_new(&s->lent, s->der_len, &s->issuer->cert,
	    STATUS_CRL_WHOLE, &s->list, NULL) == OC_OK);
	bench_must(status_list_find(&s->list->list, &s->last, &found));
}

static void
read_theirs(void *arg)
{
	struct subject *s = arg;
	const unsigned char *p = s->der;
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	X509_REVOKED *found;

	s->theirs = d2i_X509_CRL(NULL, &p, (long)s->der_len);
	bench_must(s->theirs != NULL);
	bench_must(X509_CRL_verify(s->theirs, s->key) == 1);
	bench_must(ASN1_STRING_set(serial, s->last.bytes, s->last.len) == 1);
	bench_must(X509_CRL_get0_by_serial(s->theirs, &found, serial) == 1);
	ASN1_INTEGER_free(serial);
}

/* --- the world ---------------------------------------------------------- */

static void
add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bench_must(e != NULL && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

static void
make_certificate(struct subject *s)
{
	FILE *file = fopen(s->certificate, "w");
	X509_NAME *name = X509_NAME_new();
	X509 *x = X509_new();

	bench_must(file != NULL && x != NULL && name != NULL);
	bench_must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)"Bench CA", -1, -1, 0) == 1);
	bench_must(X509_set_version(x, X509_VERSION_3) == 1);
	bench_must(ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1);
	bench_must(X509_set_subject_name(x, name) == 1);
	bench_must(X509_set_issuer_name(x, name) == 1);
	bench_must(X509_gmtime_adj(X509_getm_notBefore(x), -86400) != NULL);
	bench_must(X509_gmtime_adj(X509_getm_notAfter(x), 86400 * 365) !=
	    NULL);
	bench_must(X509_set_pubkey(x, s->key) == 1);
	add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(x, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(x, NID_subject_key_identifier, "hash");
	bench_must(X509_sign(x, s->key, EVP_sha256()) > 0);
	bench_must(PEM_write_X509(file, x) == 1);
	bench_must(fclose(file) == 0);
	X509_NAME_free(name);
	X509_free(x);
}

/* A row each, as a service leaves them when it revokes; in the order in which
 * they were issued, which is not that of their serials. */
static void
fill_store(struct subject *s)
{
	static const char text[] = "INSERT INTO certificate (issuer_id, serial,"
	    " change_seq, state, reason, revoked_at, reserved_at, issued_at,"
	    " not_before, not_after, profile, subject, names) VALUES (?, ?, ?,"
	    " 2, ?, ?, 1764000000, 1764000000, 1764000000, 4000000000,"
	    " 'server', 'CN=www.example.com', 'DNS:www.example.com')";
	sqlite3_stmt *q;
	sqlite3 *db;

	bench_must(sqlite3_open(s->store_path, &db) == SQLITE_OK);
	bench_must(sqlite3_exec(db, "PRAGMA synchronous = OFF;"
	    "PRAGMA cache_size = -200000; BEGIN", NULL, NULL, NULL) ==
	    SQLITE_OK);
	bench_must(sqlite3_prepare_v2(db, text, -1, &q, NULL) == SQLITE_OK);
	for (uint32_t i = 0; i < NUM; i++) {
		struct x509_crl_entry e;

		make_entry((uint32_t)((uint64_t)i * 7919 % NUM), &e);
		bench_must(sqlite3_bind_int64(q, 1, s->issuer->store_id) ==
		    SQLITE_OK);
		bench_must(sqlite3_bind_blob(q, 2, e.serial.bytes,
		    e.serial.len, SQLITE_STATIC) == SQLITE_OK);
		bench_must(sqlite3_bind_int64(q, 3, 100 + (int64_t)i) ==
		    SQLITE_OK);
		bench_must(sqlite3_bind_int(q, 4, (int)e.reason) ==
		    SQLITE_OK);
		bench_must(sqlite3_bind_int64(q, 5, e.revoked_at) ==
		    SQLITE_OK);
		bench_must(sqlite3_step(q) == SQLITE_DONE);
		bench_must(sqlite3_reset(q) == SQLITE_OK);
	}
	bench_must(sqlite3_finalize(q) == SQLITE_OK);
	bench_must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) ==
	    SQLITE_OK);
	bench_must(sqlite3_close(db) == SQLITE_OK);
}

static void
make_world(struct subject *s)
{
	const char *tmp = getenv("TMPDIR");
	struct oc_error error = { 0 };
	int64_t now = oc_clock_now_s();

	(void)snprintf(s->directory, sizeof(s->directory),
	    "%.40s/bench-crl.XXXXXX", tmp != NULL ? tmp : "/tmp");
	bench_must(mkdtemp(s->directory) != NULL);
	(void)snprintf(s->certificate, sizeof(s->certificate), "%s/ca.pem",
	    s->directory);
	(void)snprintf(s->store_path, sizeof(s->store_path), "%s/store.db",
	    s->directory);
	(void)snprintf(s->out, sizeof(s->out), "%s/crl", s->directory);
	make_signer(s);
	make_certificate(s);
	s->section.name = (char *)(uintptr_t)"bench";
	s->section.certificate = s->certificate;
	s->section.crl_lifetime_s = 7 * DAY_S;
	if (ca_issuer_load(&s->section, &s->issuer, &error) != OC_OK ||
	    store_open(s->store_path, STORE_CREATE, &s->store, &error) !=
	    OC_OK || ca_issuer_register(s->issuer, s->store, &error) !=
	    OC_OK) {
		(void)fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	s->tbs = (struct x509_crl_tbs){
		.alg = SIGN_RSA_SHA256,
		.issuer = s->issuer->cert.subject,
		.this_update = now,
		.next_update = now + 7 * DAY_S,
		.authority_key_id = { s->issuer->key_id,
		    s->issuer->key_id_len },
		.number = 1,
	};
}

static void
remove_world(struct subject *s)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	char path[128];

	store_close(s->store);
	ca_issuer_free(s->issuer);
	sign_verifier_free(s->signer.verifier);
	EVP_PKEY_free(s->key);
	free(s->der);
	free(s->lent);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", s->store_path,
		    suffixes[i]);
		(void)unlink(path);
	}
	(void)unlink(s->certificate);
	(void)unlink(s->out);
	(void)rmdir(s->directory);
}

int
main(void)
{
	static struct subject s;
	struct x509_crl_entry last;

	bench_begin();
	make_world(&s);
	build_ours(&s);
	build_theirs(&s);
	check_same(&s);
	s.der_len = s.ours.len;
	s.der = malloc(s.der_len);
	bench_must(s.der != NULL);
	memcpy(s.der, s.ours.p, s.der_len);
	make_entry(NUM - 1, &last);
	s.last = last.serial;
	bench_compare_long("crl-build-1m", build_ours, build_theirs, clear,
	    &s);
	bench_compare_long("crl-read-1m", read_ours, read_theirs, lend, &s);
	fill_store(&s);
	publish_check(&s);
	bench_compare_long("crl-publish-1m", publish_ours, publish_theirs,
	    clear, &s);
	remove_world(&s);
	return 0;
}
