/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed requests: who is known and who is not, what the policies make of it,
 * and how many of them are looked at.
 */
#include "tests/unit/status_fixture.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "status/requestor.h"

#define USUAL OCSP_ENCODING_USUAL
#define HOUR 3600L
#define DNS_NAME blob_wrap(0x82, blob_hex("612e62"))	/* a.b */

/* A CA for requestors, one below it, and somebody else's. */
static EVP_PKEY *root_key, *sub_key, *stranger_key, *key;
static X509 *root, *sub, *stranger;
static char root_path[64], sub_path[64];

/* What a requestor's certificate and its request are like; zero: good. */
struct plan {
	X509 *issuer;		/* NULL: root */
	EVP_PKEY *issuer_key, *signs;
	const char *usage, *extended_usage, *san;	/* NULL: none */
	long from_s, until_s;	/* 0: an hour around now */
	struct blob requestor;	/* GeneralName; len 0: the subject */
	bool has_no_requestor, has_no_cert, is_broken;
	struct blob more;	/* Certificates behind the requestor's */
	struct blob nonce;
};

/* "dirName:desk" is CN=Desk. */
static void
add(X509 *cert, X509 *issuer, int nid, const char *value)
{
	static const char names[] = "[desk]\nCN = Desk\n";
	BIO *text = BIO_new_mem_buf(names, -1);
	CONF *conf = NCONF_new(NULL);
	X509_EXTENSION *extension;
	X509V3_CTX context;

	assert_int_equal(NCONF_load_bio(conf, text, NULL), 1);
	if (value != NULL) {
		X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
		X509V3_set_nconf(&context, conf);
		extension = X509V3_EXT_nconf_nid(conf, &context, nid, value);
		assert_non_null(extension);
		assert_int_equal(X509_add_ext(cert, extension, -1), 1);
		X509_EXTENSION_free(extension);
	}
	NCONF_free(conf);
	BIO_free(text);
}

static X509 *
requestor_cert(const struct plan *p)
{
	X509 *issuer = p->issuer == NULL ? root : p->issuer;
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 7), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert),
	    p->from_s == 0 ? -HOUR : p->from_s);
	X509_gmtime_adj(X509_getm_notAfter(cert),
	    p->until_s == 0 ? HOUR : p->until_s);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"Requestor", -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(cert,
	    X509_get_subject_name(issuer)), 1);
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	add(cert, issuer, NID_key_usage, p->usage);
	add(cert, issuer, NID_ext_key_usage, p->extended_usage);
	add(cert, issuer, NID_subject_alt_name, p->san);
	assert_true(X509_sign(cert, p->issuer_key == NULL ? root_key :
	    p->issuer_key, EVP_sha256()) > 0);
	return cert;
}

/* [1] requestorName */
static struct blob
requestor_name(const struct plan *p, X509 *cert)
{
	unsigned char *der = NULL;
	struct blob name;
	int len;

	if (p->requestor.len != 0)
		return blob_wrap(0xa1, p->requestor);
	len = i2d_X509_NAME(X509_get_subject_name(cert), &der);
	assert_true(len > 0);
	name = blob_of((struct der_bytes){ der, (size_t)len });
	OPENSSL_free(der);
	return blob_wrap(0xa1, blob_wrap(0xa4, name));
}

static struct blob
signature_of(struct blob tbs, const struct plan *p)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t octets[128];
	size_t len = sizeof(octets);

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
	    p->signs == NULL ? key : p->signs), 1);
	assert_int_equal(EVP_DigestSign(ctx, octets, &len, tbs.bytes,
	    tbs.len), 1);
	EVP_MD_CTX_free(ctx);
	/* In the middle of s, which is a number like any other. */
	octets[len - 10] ^= p->is_broken;
	return blob_join(blob_hex("300a 0608 2a8648ce3d040302"),
	    blob_wrap(0x03, blob_join(blob_hex("00"), blob_of(
	    (struct der_bytes){ octets, len }))));
}

static struct blob
signed_request(const struct plan *p)
{
	X509 *cert = requestor_cert(p);
	struct blob tbs = { .len = 0 }, signature, certs = { .len = 0 };

	if (!p->has_no_requestor)
		tbs = requestor_name(p, cert);
	tbs = blob_join(tbs, blob_wrap(0x30, blob_wrap(0x30, blob_wrap(0x30,
	    blob_hex("3009 0605 2b0e03021a 0500"
	    "0414 1111111111111111111111111111111111111111"
	    "0414 2222222222222222222222222222222222222222 0201 01")))));
	if (p->nonce.len != 0)
		tbs = blob_join(tbs, blob_wrap(0xa2, blob_wrap(0x30,
		    p->nonce)));
	tbs = blob_wrap(0x30, tbs);
	signature = signature_of(tbs, p);
	if (!p->has_no_cert)
		certs = fixture_cert_der(cert);
	certs = blob_join(certs, p->more);
	if (certs.len != 0)
		signature = blob_join(signature, blob_wrap(0xa0,
		    blob_wrap(0x30, certs)));
	X509_free(cert);
	return blob_wrap(0x30, blob_join(tbs, blob_wrap(0xa0,
	    blob_wrap(0x30, signature))));
}

static void
write_path(char file[64], X509 *cert)
{
	FILE *f;
	int fd;

	strcpy(file, "/tmp/ocsign-requestor-XXXXXX");
	fd = mkstemp(file);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
	(void)state;
	root_key = fixture_key("P-256");
	sub_key = fixture_key("P-384");
	stranger_key = fixture_key("P-256");
	key = fixture_key("P-256");
	root = fixture_cert("Requestors", root_key, FIXTURE_CA, NULL, NULL);
	sub = fixture_cert("Department", sub_key, FIXTURE_CA, root, root_key);
	/* The same name with another key. */
	stranger = fixture_cert("Requestors", stranger_key, FIXTURE_CA, NULL,
	    NULL);
	write_path(root_path, root);
	write_path(sub_path, sub);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(root_path);
	unlink(sub_path);
	X509_free(root);
	X509_free(sub);
	X509_free(stranger);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(sub_key);
	EVP_PKEY_free(stranger_key);
	EVP_PKEY_free(key);
	return 0;
}

static enum oc_err
check_below(const char *trusted, const struct plan *p, struct oc_error *error)
{
	struct ocsp_budget budget = { .rate = 10 };
	struct blob request = signed_request(p);
	struct x509_trust *trust;
	enum oc_err err;

	memset(error, 0, sizeof(*error));
	if (x509_trust_load(trusted, &trust, error) != OC_OK)
		fail_msg("%s", error->text);
	err = status_requestor_check(trust, &budget, blob_bytes(&request),
	    oc_clock_now_s(), error);
	x509_trust_free(trust);
	return err;
}

static void
expect_known(const struct plan *p)
{
	struct oc_error error;

	if (check_below(root_path, p, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static void
expect_refused(const struct plan *p, enum oc_err err, const char *why)
{
	struct oc_error error;

	assert_int_equal(check_below(root_path, p, &error), err);
	if (strstr(error.text, why) == NULL)
		fail_msg("\"%s\" says nothing of \"%s\"", error.text, why);
}

/* signed-ok: below a CA that is trusted, or below one below it. */
static void
test_known(void **state)
{
	struct blob sub_der = fixture_cert_der(sub);
	struct oc_error error;

	(void)state;
	expect_known(&(struct plan){ 0 });
	expect_known(&(struct plan){ .usage = "digitalSignature",
	    .extended_usage = "clientAuth" });
	expect_known(&(struct plan){ .usage = "keyAgreement,digitalSignature",
	    .extended_usage = "serverAuth,anyExtendedKeyUsage" });
	expect_known(&(struct plan){ .nonce = fixture_nonce(32) });
	expect_known(&(struct plan){ .requestor = DNS_NAME,
	    .san = "DNS:x.y,DNS:a.b" });
	expect_known(&(struct plan){ .issuer = sub, .issuer_key = sub_key,
	    .more = sub_der });
	/* Who is trusted need not be a root. */
	assert_int_equal(check_below(sub_path, &(struct plan){ .issuer = sub,
	    .issuer_key = sub_key }, &error), OC_OK);
	assert_int_equal(check_below(sub_path, &(struct plan){ 0 }, &error),
	    OC_ERR_REFUSED);
}

/* signed-bad, signed-nocert, signed-unknown-ca, and all else that is wrong
 * with who asks. */
static void
test_unknown(void **state)
{
	struct blob sub_der = fixture_cert_der(sub);
	struct blob many = blob_join(blob_join(sub_der, sub_der),
	    blob_join(sub_der, sub_der));
	struct plan of_stranger = { .issuer = stranger,
	    .issuer_key = stranger_key };

	(void)state;
	expect_refused(&(struct plan){ .is_broken = true }, OC_ERR_SIGNATURE,
	    "does not verify");
	expect_refused(&(struct plan){ .signs = stranger_key },
	    OC_ERR_SIGNATURE, "does not verify");
	expect_refused(&(struct plan){ .has_no_cert = true }, OC_ERR_REFUSED,
	    "no certificate");
	expect_refused(&of_stranger, OC_ERR_REFUSED, "nobody who is trusted");
	of_stranger.more = fixture_cert_der(stranger);
	expect_refused(&of_stranger, OC_ERR_REFUSED, "nobody who is trusted");
	expect_refused(&(struct plan){ .issuer = sub, .issuer_key = sub_key },
	    OC_ERR_REFUSED, "nobody who is trusted");
	expect_refused(&(struct plan){ .issuer = sub, .issuer_key = sub_key,
	    .more = many }, OC_ERR_LIMIT, "more than 4");
	expect_refused(&(struct plan){ .from_s = -2 * HOUR,
	    .until_s = -HOUR }, OC_ERR_REFUSED, "expired");
	expect_refused(&(struct plan){ .from_s = HOUR / 2 }, OC_ERR_REFUSED,
	    "not yet valid");
	expect_refused(&(struct plan){ .usage = "keyEncipherment" },
	    OC_ERR_REFUSED, "digitalSignature");
	expect_refused(&(struct plan){ .extended_usage = "serverAuth" },
	    OC_ERR_REFUSED, "clientAuth");
	/* The certificate of a CA's neighbour makes nobody a CA. */
	expect_refused(&(struct plan){ .more = blob_hex("3003 020101") },
	    OC_ERR_MALFORMED, "");
}

static void
test_requestor_name(void **state)
{
	(void)state;
	expect_refused(&(struct plan){ .has_no_requestor = true },
	    OC_ERR_REFUSED, "no requestorName");
	expect_refused(&(struct plan){ .requestor = DNS_NAME },
	    OC_ERR_REFUSED, "neither the subject");
	expect_refused(&(struct plan){ .requestor = DNS_NAME,
	    .san = "DNS:a.c,email:a.b,URI:a.b" }, OC_ERR_REFUSED,
	    "neither the subject");
	/* CN=Requestos */
	expect_refused(&(struct plan){ .requestor = blob_wrap(0xa4, blob_hex(
	    "3014 3112 3010 0603 550403 0c09 526571756573746f73")) },
	    OC_ERR_REFUSED, "neither the subject");
	/* CN=Requestor, and nothing; another case is the same name. */
	expect_known(&(struct plan){ .requestor = blob_wrap(0xa4, blob_hex(
	    "3014 3112 3010 0603 550403 0c09 52457175657374 6f72")) });
	expect_refused(&(struct plan){ .requestor = blob_wrap(0xa4,
	    blob_hex("3000")) }, OC_ERR_REFUSED, "neither the subject");
}

/* RFC 6960, 4.1.2, does not say which name it is: one in subjectAltName will
 * do, also a directoryName, which is compared as the subject is. */
static void
test_directory_name(void **state)
{
	/* CN=desk, and CN=desks */
	struct blob desk = blob_wrap(0xa4, blob_hex(
	    "300f 310d 300b 0603 550403 0c04 6465736b"));
	struct blob desks = blob_wrap(0xa4, blob_hex(
	    "3010 310e 300c 0603 550403 0c05 6465736b73"));

	(void)state;
	expect_known(&(struct plan){ .requestor = desk,
	    .san = "DNS:a.b,dirName:desk" });
	expect_known(&(struct plan){ .san = "dirName:desk" });
	expect_refused(&(struct plan){ .requestor = desk, .san = "DNS:desk" },
	    OC_ERR_REFUSED, "neither the subject");
	expect_refused(&(struct plan){ .requestor = desks,
	    .san = "dirName:desk" }, OC_ERR_REFUSED, "neither the subject");
	expect_refused(&(struct plan){ .requestor = blob_wrap(0xa4,
	    blob_hex("3000")), .san = "dirName:desk" }, OC_ERR_REFUSED,
	    "neither the subject");
}

/* What costs nothing does not use the budget up; two signatures a request do,
 * and what is over it waits. */
static void
test_budget(void **state)
{
	struct ocsp_budget budget = { .rate = 4 };
	struct blob good = signed_request(&(struct plan){ 0 });
	struct blob nameless = signed_request(&(struct plan){
	    .has_no_requestor = true });
	struct oc_error error;
	struct x509_trust *trust;
	int64_t begin = oc_clock_mono_ns();
	int num_known = 0, i;

	(void)state;
	assert_int_equal(x509_trust_load(root_path, &trust, &error), OC_OK);
	for (i = 0; i < 100; i++)
		assert_int_equal(status_requestor_check(trust, &budget,
		    blob_bytes(&nameless), oc_clock_now_s(), &error),
		    OC_ERR_REFUSED);
	assert_int_equal(budget.num_taken, 0);
	for (i = 0; i < 20; i++)
		num_known += status_requestor_check(trust, &budget,
		    blob_bytes(&good), oc_clock_now_s(), &error) == OC_OK;
	if (oc_clock_mono_ns() - begin < OC_NS_PER_S)
		assert_int_equal(num_known, 2);
	assert_true(num_known >= 2);
	x509_trust_free(trust);
}

/* --- in the service ------------------------------------------------------ */

static struct reply
ask(struct world *w, uint64_t n, struct blob *request, size_t nonce_len)
{
	static const uint8_t nonce[32];
	static struct ipc_ask question;
	struct reply reply = { 0 };

	memset(&question, 0, sizeof(question));
	question.num_singles = 1;
	question.singles[0].encoding = USUAL;
	question.singles[0].serial = world_serial(n);
	question.nonce = (struct der_bytes){ nonce, nonce_len };
	if (request != NULL)
		question.request = blob_bytes(request);
	status_service_ask(w->service, &question, reply_take, &reply);
	world_until(w, reply.num == 1);
	return reply;
}

static void
expect_error(struct reply reply, enum ocsp_response_status status)
{
	assert_int_equal(reply.kind, IPC_ANSWER_ERROR);
	assert_int_equal(reply.status, status);
	assert_int_equal(reply.retry_after_s != 0, status == OCSP_TRY_LATER);
}

static void
start(struct world *w, enum oc_config_signed_requests policy)
{
	w->issuer.signed_requests = policy;
	w->issuer.requestor_ca = strdup(root_path);
	world_issue_many(w, 1, 5);
	world_start(w);
}

static void
test_verify(void **state)
{
	struct world *w = *state;
	struct blob good = signed_request(&(struct plan){ 0 });
	struct blob bad = signed_request(&(struct plan){ .is_broken = true });

	start(w, OC_SIGNED_REQUESTS_VERIFY);
	expect_error(ask(w, 1, &bad, 0), OCSP_UNAUTHORIZED);
	expect_error(ask(w, 1, &bad, 32), OCSP_UNAUTHORIZED);
	/* A forged signature makes none of ours. */
	assert_int_equal(w->gate.num_submitted, 0);
	assert_int_equal(w->budget.num_taken, 0);
	assert_int_equal(ask(w, 1, &good, 0).kind, IPC_ANSWER_TABLE);
	assert_int_equal(ask(w, 1, &good, 32).kind, IPC_ANSWER_RESPONSE);
	assert_int_equal(ask(w, 2, NULL, 0).kind, IPC_ANSWER_TABLE);
	assert_int_equal(ask(w, 2, NULL, 32).kind, IPC_ANSWER_RESPONSE);
	assert_int_equal(w->gate.num_submitted, 4);
	w->verify_budget.rate = 1;
	(void)ask(w, 1, &good, 0);
	expect_error(ask(w, 1, &good, 0), OCSP_TRY_LATER);
	assert_int_equal(ask(w, 2, NULL, 0).kind, IPC_ANSWER_TABLE);
}

static void
test_require(void **state)
{
	struct world *w = *state;
	struct blob good = signed_request(&(struct plan){ 0 });
	struct blob nameless = signed_request(&(struct plan){
	    .has_no_requestor = true });

	start(w, OC_SIGNED_REQUESTS_REQUIRE);
	expect_error(ask(w, 1, NULL, 0), OCSP_SIG_REQUIRED);
	expect_error(ask(w, 1, NULL, 32), OCSP_SIG_REQUIRED);
	expect_error(ask(w, 1, &nameless, 32), OCSP_UNAUTHORIZED);
	assert_int_equal(w->gate.num_submitted, 0);
	assert_int_equal(ask(w, 1, &good, 0).kind, IPC_ANSWER_TABLE);
	assert_int_equal(ask(w, 1, &good, 32).kind, IPC_ANSWER_RESPONSE);
}

/* Judged when it comes, though it waits for everything to be known. */
static void
test_early(void **state)
{
	struct world *w = *state;
	struct blob good = signed_request(&(struct plan){ 0 });
	static struct ipc_ask question;
	struct reply known = { 0 }, unknown = { 0 };

	w->issuer.signed_requests = OC_SIGNED_REQUESTS_REQUIRE;
	w->issuer.requestor_ca = strdup(root_path);
	world_issue_many(w, 1, 5);
	world_open(w);
	question.num_singles = 1;
	question.singles[0].serial = world_serial(1);
	status_service_ask(w->service, &question, reply_take, &unknown);
	question.request = blob_bytes(&good);
	status_service_ask(w->service, &question, reply_take, &known);
	memset(good.bytes, 0xee, sizeof(good.bytes));
	expect_error(unknown, OCSP_SIG_REQUIRED);
	assert_int_equal(known.num, 0);
	world_until(w, known.num == 1);
	assert_int_equal(known.kind, IPC_ANSWER_TABLE);
}

/* After a jump of the clock it is what the clock should say that counts. */
static void
test_clock_ahead(void **state)
{
	struct world *w = *state;
	struct blob good = signed_request(&(struct plan){ 0 });

	world_set_clock(w, 0);
	start(w, OC_SIGNED_REQUESTS_REQUIRE);
	assert_int_equal(ask(w, 1, &good, 0).kind, IPC_ANSWER_TABLE);
	world_set_clock(w, 86400);
	assert_int_equal(ask(w, 1, &good, 0).kind, IPC_ANSWER_TABLE);
}

/* A file that is not there is said, and is not an issuer that is to come. */
static void
test_no_file(void **state)
{
	struct world *w = *state;
	const struct status_service_plan plan = { .config = &w->config,
	    .ocsp = &w->ocsp, .signer = &w->gate.signer,
	    .budget = &w->budget, .verify_budget = &w->verify_budget };
	struct oc_error error = { 0 };

	w->issuer.signed_requests = OC_SIGNED_REQUESTS_VERIFY;
	w->issuer.requestor_ca = strdup("/nonexistent/r.pem");
	assert_int_equal(status_service_new(&plan, &w->service, &error),
	    OC_ERR_CONFIG);
	assert_int_equal(error.code, OC_ERR_CONFIG);
	assert_non_null(strstr(error.text, "requestor-ca: "));
	assert_non_null(strstr(error.text, "/nonexistent/r.pem"));
}

#define SERVICE(f) cmocka_unit_test_setup_teardown(f, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_requestor_name),
		cmocka_unit_test(test_directory_name),
		cmocka_unit_test(test_budget),
		SERVICE(test_verify),
		SERVICE(test_require),
		SERVICE(test_early),
		SERVICE(test_clock_ahead),
		SERVICE(test_no_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
