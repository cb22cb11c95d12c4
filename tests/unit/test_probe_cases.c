/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe's verdicts on responders that are no good: one that says the same
 * to everything, whatever it was asked, one that says nonsense, one that is
 * silent, and one that goes away.  Whether good ones pass,
 * tests/conformance/ shows.
 */
#include "tests/unit/ocsp_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/probe.h"

#define TIMEOUT_NS (2 * OC_NS_PER_S)
#define LATE_NS (20 * OC_NS_PER_S)

struct responder {
	pthread_t thread;
	int listener;
	atomic_int num_left;		/* connections it still takes */
	bool is_silent;
	const char *head;		/* NULL: usual_head */
	struct blob reply;		/* HTTP and all */
};

static const char usual_head[] = "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/ocsp-response\r\nETag: \"x\"\r\n"
    "Cache-Control: public, max-age=9999999\r\nDate: today\r\n";

struct world {
	EVP_PKEY *ca_key, *other_key, *leaf_key;
	X509 *ca, *impostor, *leaf;
	struct blob ca_der, leaf_der;
	struct x509_cert issuer, cert;
	struct responder responder;
	struct probe_options options;
};

/* --- a responder ------------------------------------------------------ */

/* The head, and the body that it announces; or what comes before the end. */
static void
read_request(int fd)
{
	char octets[16384];
	size_t len = 0, want = sizeof(octets) - 1;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	const char *end, *length;

	while (len < want && poll(&pfd, 1, 500) > 0) {
		ssize_t n = read(fd, octets + len, sizeof(octets) - 1 - len);

		if (n <= 0)
			return;
		len += (size_t)n;
		octets[len] = '\0';
		end = strstr(octets, "\r\n\r\n");
		if (end == NULL)
			continue;
		length = strstr(octets, "Content-Length: ");
		want = (size_t)(end - octets) + 4 + (length == NULL ? 0 :
		    strtoul(length + 16, NULL, 10));
	}
}

static void *
serve(void *arg)
{
	struct responder *r = arg;
	char octets[256];
	int fd;

	while (atomic_fetch_sub(&r->num_left, 1) > 0) {
		fd = accept(r->listener, NULL, NULL);
		if (fd < 0)
			break;
		if (r->is_silent)
			while (read(fd, octets, sizeof(octets)) > 0)
				;
		else
			read_request(fd);
		(void)send(fd, r->reply.bytes, r->reply.len, MSG_NOSIGNAL);
		(void)shutdown(fd, SHUT_WR);
		while (read(fd, octets, sizeof(octets)) > 0)
			;
		(void)close(fd);
	}
	(void)close(r->listener);
	return NULL;
}

static void
responder_start(struct world *w, struct blob body, int num_left)
{
	struct responder *r = &w->responder;
	struct probe_peer *peer = &w->options.peer;
	struct sockaddr_in *address = (void *)&peer->address;

	atomic_store(&r->num_left, num_left);
	*peer = (struct probe_peer){ .address_len = sizeof(*address),
	    .timeout_ns = TIMEOUT_NS, .first_fd = -1 };
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(r->listener, (void *)address,
	    sizeof(*address)), 0);
	assert_int_equal(getsockname(r->listener, (void *)address,
	    &peer->address_len), 0);
	assert_int_equal(listen(r->listener, 64), 0);
	r->reply.len = (size_t)snprintf((char *)r->reply.bytes, 512,
	    "%sContent-Length: %zu\r\nConnection: close\r\n\r\n",
	    r->head != NULL ? r->head : usual_head, body.len);
	assert_true(r->reply.len < 512);
	memcpy(r->reply.bytes + r->reply.len, body.bytes, body.len);
	r->reply.len += body.len;
	assert_int_equal(pthread_create(&r->thread, NULL, serve, r), 0);
}

/* Before it has taken all its connections: then it has ended by itself. */
static void
responder_stop(struct world *w)
{
	struct responder *r = &w->responder;
	struct sockaddr *address = (void *)&w->options.peer.address;
	int fd;

	/* Wakes it up. */
	atomic_store(&r->num_left, 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)connect(fd, address, w->options.peer.address_len);
	(void)close(fd);
	(void)pthread_join(r->thread, NULL);
	r->is_silent = false;
	r->head = NULL;
}

/* A good answer for w->leaf, or one that key has signed. */
static struct blob
answer(const struct world *w, X509 *signer, EVP_PKEY *key,
    const char *nonce)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, w->leaf, w->ca);
	ASN1_TIME *from = ASN1_TIME_set(NULL, time(NULL) - 60);
	ASN1_TIME *to = ASN1_TIME_set(NULL, time(NULL) + 3600);
	OCSP_RESPONSE *response;
	struct blob out;
	uint8_t *p = out.bytes;
	int len;

	assert_non_null(OCSP_basic_add1_status(basic, id,
	    V_OCSP_CERTSTATUS_GOOD, 0, NULL, from, to));
	if (nonce != NULL)
		assert_int_equal(OCSP_basic_add1_nonce(basic,
		    (unsigned char *)(uintptr_t)nonce, 16), 1);
	assert_int_equal(OCSP_basic_sign(basic, signer, key, EVP_sha256(),
	    NULL, OCSP_NOCERTS | OCSP_RESPID_KEY), 1);
	response = OCSP_response_create(0, basic);
	len = i2d_OCSP_RESPONSE(response, NULL);
	assert_true(len > 0 && (size_t)len < sizeof(out.bytes) - 512);
	out.len = (size_t)i2d_OCSP_RESPONSE(response, &p);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return out;
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct oc_error error = { 0 };

	assert_non_null(w);
	w->ca_key = fixture_key("P-256");
	w->other_key = fixture_key("P-256");
	w->leaf_key = fixture_key("P-256");
	w->ca = fixture_cert("CA", w->ca_key, FIXTURE_CA, NULL, NULL);
	w->impostor = fixture_cert("CA", w->other_key, FIXTURE_CA, NULL,
	    NULL);
	w->leaf = fixture_cert("leaf", w->leaf_key, FIXTURE_LEAF, w->ca,
	    w->ca_key);
	w->ca_der = fixture_cert_der(w->ca);
	w->leaf_der = fixture_cert_der(w->leaf);
	if (x509_cert_read(blob_bytes(&w->ca_der), &w->issuer, &error) !=
	    OC_OK || x509_cert_read(blob_bytes(&w->leaf_der), &w->cert,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
	w->options = (struct probe_options){ .authority = "127.0.0.1",
	    .path = "/", .issuer = &w->issuer, .certs = { &w->cert },
	    .num_certs = 1 };
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	X509_free(w->ca);
	X509_free(w->impostor);
	X509_free(w->leaf);
	EVP_PKEY_free(w->ca_key);
	EVP_PKEY_free(w->other_key);
	EVP_PKEY_free(w->leaf_key);
	free(w);
	return 0;
}

/* --- verdicts --------------------------------------------------------- */

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/*
 * Right by chance is whoever says "good" where that is the answer.  All that
 * wants something else must not pass; what the standards demand must fail.
 */
static void
test_says_the_same(void **state)
{
	static const char *const slow[] = { "slowloris", "byte-at-a-time",
	    "keepalive-1000", "der-bitflip", "nonce-budget", NULL };
	static const char *const failing[] = {
		"get-garbage", "get-huge", "http11-nohost", "http09", "put",
		"delete", "head", "dup-cl", "cl-short", "expect-100",
		"dates-gmt", "max-age-bound", "err-nostore",
		"der-trunc", "version-v2", "empty-list", "post-empty",
		"sha1-absent", "sha256", "sha384", "sha512",
		"sha256-no-sha1-leak", "hash-unknown-oid", "hash-wrong-len",
		"name-ok-key-wrong", "serial-zero", "serial-negative",
		"serial-20", "serial-21", "serial-64",
		"ext-unknown-critical", "st-unissued", NULL };
	static const char *const passing[] = {
		"get-escaped", "get-lower-hex", "get-raw-plus", "post=get",
		"ctype-charset", "version-v1-explicit", "sha1-null",
		"multi-dup", "reqname-unsigned", "ext-unknown",
		"service-locator", "st-good", "certs-minimal",
		"interop-openssl", "interop-size", "batch-mode", NULL };
	struct world *w = *state;
	struct oc_error error = { 0 };
	struct probe_result result;
	const struct probe_case *c;
	struct probe *p;
	size_t num = 0;

	responder_start(w, answer(w, w->ca, w->ca_key, NULL), 1000000);
	if (probe_new(&w->options, &p, &error) != OC_OK)
		fail_msg("%s", error.text);
	for (size_t n = 0; (c = probe_case_at(n)) != NULL; n++) {
		if (is_one_of(c->name, slow))
			continue;
		probe_run(p, c, &result);
		if (is_one_of(c->name, failing) ?
		    result.verdict != PROBE_FAIL : is_one_of(c->name,
		    passing) ? result.verdict != PROBE_PASS : false)
			fail_msg("%s: %s: %s", c->name, probe_verdict_name(
			    result.verdict), result.seen.text);
		assert_true(result.seen.text[0] != '\0');
		num++;
	}
	assert_true(num > 100);
	probe_free(p);
	responder_stop(w);
}

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n"

static void
expect_no_probe(struct world *w, struct blob body, const char *says)
{
	int64_t began_ns = oc_clock_mono_ns();
	struct oc_error error = { 0 };
	struct probe *p;

	responder_start(w, body, 1000000);
	assert_int_equal(probe_new(&w->options, &p, &error),
	    OC_ERR_REFUSED);
	if (strstr(error.text, says) == NULL)
		fail_msg("no \"%s\" in \"%s\"", says, error.text);
	assert_true(oc_clock_mono_ns() - began_ns < LATE_NS);
	responder_stop(w);
}

/* Then nothing else it says counts. */
static void
test_not_believed(void **state)
{
	struct world *w = *state;
	struct blob changed = answer(w, w->ca, w->ca_key, NULL);

	expect_no_probe(w, blob_hex("30 03 0a 01 06"), "unauthorized");
	expect_no_probe(w, blob_hex("30 80 00 00"), "not an OCSPResponse");
	expect_no_probe(w, blob_hex(""), "not an OCSPResponse");
	expect_no_probe(w, answer(w, w->impostor, w->other_key, NULL),
	    "signed");
	expect_no_probe(w, answer(w, w->ca, w->ca_key, "sixteen octets.."),
	    "nonce");
	changed.bytes[changed.len - 1] ^= 1;
	expect_no_probe(w, changed, "verify");
	w->responder.head = HEAD "Content-Encoding: gzip\r\n";
	expect_no_probe(w, answer(w, w->ca, w->ca_key, NULL),
	    "Content-Encoding");
	w->responder.head = "HTTP/1.1 100 Continue\r\n\r\n"
	    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
	    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
	    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
	    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
	    HEAD;
	expect_no_probe(w, answer(w, w->ca, w->ca_key, NULL), "interim");
	w->responder.is_silent = true;
	expect_no_probe(w, changed, "in time");
}

/* The verdict of one case on who answers well, behind this head. */
static void
expect_verdict(struct world *w, const char *head, const char *name,
    enum probe_verdict verdict, const char *says)
{
	struct oc_error error = { 0 };
	struct probe_result result;
	struct probe *p;

	w->responder.head = head;
	responder_start(w, answer(w, w->ca, w->ca_key, NULL), 1000000);
	if (probe_new(&w->options, &p, &error) != OC_OK)
		fail_msg("%s: %s", head, error.text);
	probe_run(p, probe_case_find(name), &result);
	if (result.verdict != verdict || strstr(result.seen.text, says) ==
	    NULL)
		fail_msg("%s%s: %s: %s", head, name, probe_verdict_name(
		    result.verdict), result.seen.text);
	probe_free(p);
	responder_stop(w);
}

/* What HTTP allows counts as what it means, what lies as what it is. */
static void
test_heads(void **state)
{
	struct world *w = *state;

	/* A sum that no number holds is no time left. */
	expect_verdict(w, HEAD "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n"
	    "Cache-Control: max-age=9223372036854775807\r\n",
	    "max-age-bound", PROBE_FAIL, "behind nextUpdate");
	expect_verdict(w, HEAD "Cache-Control: max-age=-1\r\n",
	    "max-age-bound", PROBE_FAIL, "no number");
	expect_verdict(w, HEAD "Cache-Control: public\r\n"
	    "Cache-Control: max-age=86400\r\n",
	    "max-age-bound", PROBE_FAIL, "behind nextUpdate");
	expect_verdict(w, HEAD "Cache-Control: x=\"\\\", max-age=9999999\", "
	    "max-age=60\r\n", "max-age-bound", PROBE_PASS, "before");
	/* Interim replies that nobody asked for. */
	expect_verdict(w, "HTTP/1.1 100 Continue\r\n\r\n"
	    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" HEAD,
	    "sha1-null", PROBE_PASS, "good");
	expect_verdict(w, "HTTP/1.1 200 OK\r\nContent-Type: "
	    "Application/OCSP-Response ; a=b\r\n", "sha1-null", PROBE_PASS,
	    "good");
}

/* Two for the start, four for two cases; then it is gone. */
static void
test_goes_away(void **state)
{
	struct world *w = *state;
	struct oc_error error = { 0 };
	struct probe_result result;
	struct probe *p;
	size_t n;

	responder_start(w, answer(w, w->ca, w->ca_key, NULL), 6);
	if (probe_new(&w->options, &p, &error) != OC_OK)
		fail_msg("%s", error.text);
	for (n = 0; n < 2; n++) {
		probe_run(p, probe_case_at(n), &result);
		assert_int_equal(result.verdict, PROBE_PASS);
	}
	probe_run(p, probe_case_at(n), &result);
	assert_int_equal(result.verdict, PROBE_FAIL);
	assert_non_null(strstr(result.seen.text, "then it is away"));
	for (n = 3; probe_case_at(n) != NULL; n++) {
		probe_run(p, probe_case_at(n), &result);
		assert_int_equal(result.verdict, PROBE_SKIPPED);
	}
	probe_free(p);
	responder_stop(w);
}

static void
test_names(void **state)
{
	const struct probe_case *c;

	(void)state;
	for (size_t n = 0; (c = probe_case_at(n)) != NULL; n++) {
		assert_ptr_equal(probe_case_find(c->name), c);
		assert_non_null(strchr(c->clause, ':'));
		assert_non_null(c->about);
	}
	assert_null(probe_case_find("get"));
	assert_null(probe_case_find(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_says_the_same, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_not_believed, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_heads, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_goes_away, set_up,
		    tear_down),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
