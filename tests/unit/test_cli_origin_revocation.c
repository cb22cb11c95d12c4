/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom "origin check" believes about revocation: responses and CRLs that
 * OpenSSL made, right and wrong in one thing each.  What cannot be believed
 * must come out as "not strict", whatever it says.
 */
#include "ocsp_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "cli/origin.h"

struct world {
	EVP_PKEY *ca_key, *other_key, *key;
	X509 *ca, *other, *leaf;	/* other: the same name, another key */
	/* A server for /crl: what it answers, and where. */
	int listener;
	pthread_t thread;
	char url[64];
	struct blob crl;
};

/* --- the CRL's server ------------------------------------------------- */

static void *
serve(void *arg)
{
	struct world *w = arg;
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
	char octets[4096];
	int fd;

	while ((fd = accept(w->listener, NULL, NULL)) >= 0) {
		(void)!read(fd, octets, sizeof(octets));
		(void)send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL);
		(void)send(fd, w->crl.bytes, w->crl.len, MSG_NOSIGNAL);
		(void)close(fd);
	}
	return NULL;
}

static void
start(struct world *w)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	w->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(w->listener >= 0);
	assert_int_equal(bind(w->listener, (struct sockaddr *)&address, len),
	    0);
	assert_int_equal(listen(w->listener, 8), 0);
	assert_int_equal(getsockname(w->listener,
	    (struct sockaddr *)&address, &len), 0);
	(void)snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u/crl",
	    ntohs(address.sin_port));
	assert_int_equal(pthread_create(&w->thread, NULL, serve, w), 0);
}

/* --- certificates ----------------------------------------------------- */

/* An extension as OpenSSL's configuration files have it. */
static X509_EXTENSION *
from_config(const char *name, const char *value, const char *config)
{
	BIO *bio = BIO_new_mem_buf(config, -1);
	CONF *conf = NCONF_new(NULL);
	X509_EXTENSION *e;
	X509V3_CTX ctx;

	assert_true(NCONF_load_bio(conf, bio, NULL) > 0);
	X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	e = X509V3_EXT_nconf(conf, &ctx, name, value);
	assert_non_null(e);
	NCONF_free(conf);
	BIO_free(bio);
	return e;
}

/* points: in a section "[p]"; NULL: none. */
static X509 *
new_certificate(const struct world *w, enum fixture_kind kind,
    const char *points)
{
	X509 *x = fixture_cert("leaf", w->key, kind, w->ca, w->ca_key);
	X509_EXTENSION *e;
	char text[256];

	if (points == NULL)
		return x;
	(void)snprintf(text, sizeof(text), "[p]\n%s\n", points);
	e = from_config("crlDistributionPoints", "p", text);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
	assert_true(X509_sign(x, w->ca_key, EVP_sha256()) > 0);
	return x;
}

static X509 *
new_leaf(const struct world *w, const char *crl_url)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "fullname = URI:%s",
	    crl_url == NULL ? "" : crl_url);
	return new_certificate(w, FIXTURE_LEAF, crl_url == NULL ? NULL :
	    text);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	(void)signal(SIGPIPE, SIG_IGN);
	start(w);
	w->ca_key = fixture_key("P-256");
	w->other_key = fixture_key("P-256");
	w->key = fixture_key("P-256");
	w->ca = fixture_cert("CA", w->ca_key, FIXTURE_CA, NULL, NULL);
	w->other = fixture_cert("CA", w->other_key, FIXTURE_CA, NULL, NULL);
	w->leaf = new_leaf(w, NULL);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	(void)shutdown(w->listener, SHUT_RDWR);
	(void)pthread_join(w->thread, NULL);
	(void)close(w->listener);
	X509_free(w->leaf);
	X509_free(w->other);
	X509_free(w->ca);
	EVP_PKEY_free(w->key);
	EVP_PKEY_free(w->other_key);
	EVP_PKEY_free(w->ca_key);
	free(w);
	return 0;
}

/* --- the check -------------------------------------------------------- */

/* Chain and revocation of leaf, with what is stapled; for forget(). */
static struct cli_origin *
check(const struct world *w, X509 *leaf, struct der_bytes staple)
{
	struct cli_origin *o = calloc(1, sizeof(*o));
	struct blob der = fixture_cert_der(leaf);

	assert_non_null(o);
	cli_origin_init(o);
	o->timeout_s = 5;
	o->cas_name = "nowhere";
	oc_buffer_put(&o->presented, der.bytes, der.len);
	der = fixture_cert_der(w->ca);
	oc_buffer_put(&o->cas, der.bytes, der.len);
	if (staple.len > 0) {
		o->staple = malloc(staple.len);
		assert_non_null(o->staple);
		memcpy(o->staple, staple.p, staple.len);
		o->staple_len = staple.len;
	}
	cli_origin_check_chain(o);
	if (!o->has_path)
		fail_msg("%s", o->lines[0].seen.text);
	cli_origin_check_revocation(o);
	return o;
}

static void
forget(struct cli_origin *o)
{
	cli_origin_fini(o);
	free(o);
}

static const struct cli_origin_line *
find_line(const struct cli_origin *o, const char *name)
{
	for (size_t i = 0; i < o->num_lines; i++)
		if (strcmp(o->lines[i].check, name) == 0)
			return &o->lines[i];
	fail_msg("no line %s", name);
	return NULL;
}

/* Of a line and of the verdict; words are those of the line. */
static void
expect(struct cli_origin *o, const char *name,
    enum cli_origin_result result, const char *words,
    enum cli_origin_result verdict)
{
	const struct cli_origin_line *line = find_line(o, name);

	if (line->result != result || strstr(line->seen.text, words) == NULL)
		fail_msg("%s: \"%s\", not \"%s\"", name, line->seen.text,
		    words);
	line = find_line(o, "revocation");
	if (line->result != verdict)
		fail_msg("%s: verdict \"%s\"", words, line->seen.text);
	assert_true((cli_origin_obstacle(o, CLI_ORIGIN_STRICT) == NULL) ==
	    (verdict == CLI_ORIGIN_OK));
	forget(o);
}

/* --- stapled ---------------------------------------------------------- */

struct recipe {
	int status;			/* V_OCSP_CERTSTATUS_... */
	int this_s, next_s;		/* from now; next_s 0: none */
	bool is_sha256, is_others_key, is_other_serial;
};

static struct blob
make_response(const struct world *w, const struct recipe *recipe)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	const X509 *subject = recipe->is_other_serial ? w->ca : w->leaf;
	OCSP_CERTID *id = OCSP_cert_to_id(recipe->is_sha256 ? EVP_sha256() :
	    EVP_sha1(), subject, w->ca);
	ASN1_TIME *this_update = X509_gmtime_adj(NULL, recipe->this_s);
	ASN1_TIME *next_update = recipe->next_s == 0 ? NULL :
	    X509_gmtime_adj(NULL, recipe->next_s);
	ASN1_TIME *revoked_at = X509_gmtime_adj(NULL, -7200);
	OCSP_RESPONSE *response;
	struct blob out;
	uint8_t *p = out.bytes;
	int len;

	/* The parent of a root is itself: its own serial. */
	assert_non_null(OCSP_basic_add1_status(basic, id, recipe->status,
	    OCSP_REVOKED_STATUS_KEYCOMPROMISE, revoked_at, this_update,
	    next_update));
	assert_int_equal(OCSP_basic_sign(basic, w->ca,
	    recipe->is_others_key ? w->other_key : w->ca_key, EVP_sha256(),
	    NULL, OCSP_NOCERTS), 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL,
	    basic);
	len = i2d_OCSP_RESPONSE(response, NULL);
	assert_true(len > 0 && (size_t)len <= sizeof(out.bytes));
	out.len = (size_t)i2d_OCSP_RESPONSE(response, &p);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(this_update);
	ASN1_TIME_free(next_update);
	ASN1_TIME_free(revoked_at);
	return out;
}

/* A key that is not the certificate's signs, too. */
static struct blob
make_forged(struct world *w, const struct recipe *recipe)
{
	struct blob made;
	X509 *ca = w->ca;

	w->ca = w->other;
	made = make_response(w, recipe);
	w->ca = ca;
	return made;
}

static void
test_staples(void **state)
{
	static const struct {
		struct recipe recipe;
		enum cli_origin_result result, verdict;
		const char *words;
	} cases[] = {
		{ { V_OCSP_CERTSTATUS_GOOD, -60, 3600, 0 }, CLI_ORIGIN_OK,
		    CLI_ORIGIN_OK, "good at" },
		{ { V_OCSP_CERTSTATUS_GOOD, -60, 3600, .is_sha256 = true },
		    CLI_ORIGIN_OK, CLI_ORIGIN_OK, "good at" },
		{ { V_OCSP_CERTSTATUS_REVOKED, -60, 3600, 0 },
		    CLI_ORIGIN_FAILED, CLI_ORIGIN_FAILED, "keyCompromise" },
		{ { V_OCSP_CERTSTATUS_UNKNOWN, -60, 3600, 0 },
		    CLI_ORIGIN_FAILED, CLI_ORIGIN_FAILED, "unknown" },
		{ { V_OCSP_CERTSTATUS_GOOD, -7200, -3600, 0 },
		    CLI_ORIGIN_FAILED, CLI_ORIGIN_FAILED, "too old" },
		{ { V_OCSP_CERTSTATUS_GOOD, 7200, 9000, 0 },
		    CLI_ORIGIN_FAILED, CLI_ORIGIN_FAILED, "future" },
		{ { V_OCSP_CERTSTATUS_GOOD, -3600, 0, 0 }, CLI_ORIGIN_OK,
		    CLI_ORIGIN_OK, "good at" },
		{ { V_OCSP_CERTSTATUS_GOOD, -2 * 86400, 0, 0 },
		    CLI_ORIGIN_FAILED, CLI_ORIGIN_FAILED, "no nextUpdate" },
		{ { V_OCSP_CERTSTATUS_GOOD, -60, 3600,
		    .is_other_serial = true }, CLI_ORIGIN_FAILED,
		    CLI_ORIGIN_FAILED, "not about the certificate" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct blob made = make_response(w, &cases[i].recipe);

		expect(check(w, w->leaf, blob_bytes(&made)), "staple",
		    cases[i].result, cases[i].words, cases[i].verdict);
	}
}

static void
test_forged(void **state)
{
	const struct recipe recipe = { V_OCSP_CERTSTATUS_GOOD, -60, 3600,
	    .is_others_key = true };
	struct world *w = *state;
	struct blob made = make_forged(w, &recipe);

	expect(check(w, w->leaf, blob_bytes(&made)), "staple",
	    CLI_ORIGIN_FAILED, "cannot be believed", CLI_ORIGIN_FAILED);
}

/* Cut anywhere, or one bit turned over anywhere: never good. */
static void
test_damaged(void **state)
{
	const struct recipe recipe = { V_OCSP_CERTSTATUS_GOOD, -60, 3600, 0 };
	struct world *w = *state;
	struct blob made = make_response(w, &recipe);

	for (size_t len = 1; len < made.len; len += 3)
		expect(check(w, w->leaf, (struct der_bytes){ made.bytes,
		    len }), "staple", CLI_ORIGIN_FAILED, "cannot be believed",
		    CLI_ORIGIN_FAILED);
	for (size_t bit = 0; bit < 8 * made.len; bit += 11) {
		made.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		expect(check(w, w->leaf, blob_bytes(&made)), "staple",
		    CLI_ORIGIN_FAILED, "cannot be believed",
		    CLI_ORIGIN_FAILED);
		made.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* --- CRLs ------------------------------------------------------------- */

struct crl_recipe {
	bool is_revoking, is_others_key, is_other_issuer, is_delta;
	int this_s, next_s;		/* next_s 0: none */
	const char *idp;		/* a section's lines; NULL: none */
};

/* Critical. */
static void
add_extension(X509_CRL *crl, int nid, const char *hex)
{
	struct blob value = blob_hex(hex);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	assert_int_equal(ASN1_OCTET_STRING_set(octets, value.bytes,
	    (int)value.len), 1);
	e = X509_EXTENSION_create_by_NID(NULL, nid, 1, octets);
	assert_non_null(e);
	assert_int_equal(X509_CRL_add_ext(crl, e, -1), 1);
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(octets);
}

static void
add_point(X509_CRL *crl, const char *lines)
{
	char text[512];
	X509_EXTENSION *e;

	(void)snprintf(text, sizeof(text), "[p]\n%s\n[n]\nCN = point\n",
	    lines);
	e = from_config("issuingDistributionPoint", "critical,@p", text);
	assert_int_equal(X509_CRL_add_ext(crl, e, -1), 1);
	X509_EXTENSION_free(e);
}

static void
add_leaf(X509_CRL *crl, const struct world *w)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *at = X509_gmtime_adj(NULL, -7200);
	ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();

	assert_int_equal(X509_REVOKED_set_serialNumber(entry,
	    X509_get_serialNumber(w->leaf)), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(entry, at), 1);
	assert_int_equal(ASN1_ENUMERATED_set(reason,
	    OCSP_REVOKED_STATUS_SUPERSEDED), 1);
	assert_int_equal(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason,
	    reason, 0, 0), 1);
	assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
	ASN1_ENUMERATED_free(reason);
	ASN1_TIME_free(at);
}

static struct blob
make_crl(const struct world *w, const struct crl_recipe *recipe)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *this_update = X509_gmtime_adj(NULL, recipe->this_s);
	ASN1_TIME *next_update = X509_gmtime_adj(NULL, recipe->next_s);
	struct blob out;
	uint8_t *p = out.bytes;
	int len;

	assert_int_equal(X509_CRL_set_version(crl, 1), 1);
	assert_int_equal(X509_CRL_set_issuer_name(crl, X509_get_subject_name(
	    recipe->is_other_issuer ? w->leaf : w->ca)), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, this_update), 1);
	if (recipe->next_s != 0)
		assert_int_equal(X509_CRL_set1_nextUpdate(crl, next_update),
		    1);
	if (recipe->is_revoking)
		add_leaf(crl, w);
	if (recipe->is_delta)
		add_extension(crl, NID_delta_crl, "020101");
	if (recipe->idp != NULL)
		add_point(crl, recipe->idp);
	assert_true(X509_CRL_sign(crl, recipe->is_others_key ?
	    w->other_key : w->ca_key, EVP_sha256()) > 0);
	len = i2d_X509_CRL(crl, NULL);
	assert_true(len > 0 && (size_t)len <= sizeof(out.bytes));
	out.len = (size_t)i2d_X509_CRL(crl, &p);
	X509_CRL_free(crl);
	ASN1_TIME_free(this_update);
	ASN1_TIME_free(next_update);
	return out;
}

static void
test_crls(void **state)
{
	static const struct {
		struct crl_recipe recipe;
		enum cli_origin_result result;
		const char *words;
	} cases[] = {
		{ { .this_s = -60, .next_s = 3600 }, CLI_ORIGIN_OK,
		    "not in the CRL" },
		{ { .this_s = -60, .next_s = 3600, .is_revoking = true },
		    CLI_ORIGIN_FAILED, "superseded" },
		{ { .this_s = -60, .next_s = 3600, .is_others_key = true },
		    CLI_ORIGIN_FAILED, "verif" },
		{ { .this_s = -60, .next_s = 3600, .is_other_issuer = true },
		    CLI_ORIGIN_FAILED, "another issuer" },
		{ { .this_s = -60, .next_s = 3600, .is_delta = true },
		    CLI_ORIGIN_FAILED, "cannot judge: delta CRL" },
		{ { .this_s = -7200, .next_s = -3600 }, CLI_ORIGIN_FAILED,
		    "too old" },
		{ { .this_s = -60, .next_s = 0 }, CLI_ORIGIN_FAILED,
		    "nextUpdate missing" },
		{ { .this_s = 7200, .next_s = 9000 }, CLI_ORIGIN_FAILED,
		    "future" },
	};
	const struct der_bytes none = { NULL, 0 };
	struct world *w = *state;
	X509 *leaf = new_leaf(w, w->url);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w->crl = make_crl(w, &cases[i].recipe);
		expect(check(w, leaf, none), "crl", cases[i].result,
		    cases[i].words, cases[i].result);
	}
	w->crl = blob_hex("3003020101");
	expect(check(w, leaf, none), "crl", CLI_ORIGIN_FAILED, "CRL",
	    CLI_ORIGIN_FAILED);
	w->crl = (struct blob){ .len = 0 };
	expect(check(w, leaf, none), "crl", CLI_ORIGIN_FAILED, w->url,
	    CLI_ORIGIN_FAILED);
	X509_free(leaf);
}

/* '@' becomes the URL. */
static void
put_url(const char *lines, const char *url, char out[256])
{
	size_t before = strcspn(lines, "@");

	(void)snprintf(out, 256, "%.*s%s%s", (int)before, lines,
	    lines[before] == '@' ? url : "",
	    lines[before] == '@' ? lines + before + 1 : "");
}

/* RFC5280:6.3.3 */
static void
test_scopes(void **state)
{
	static const struct {
		const char *idp;	/* '@': the certificate's URL */
		const char *of_user, *of_ca;	/* NULL: it is in it */
	} cases[] = {
		{ "onlyuser = TRUE", NULL, "users only" },
		{ "onlyCA = TRUE", "CAs only", NULL },
		{ "fullname = URI:@", NULL, NULL },
		{ "fullname = URI:@\nonlyuser = TRUE", NULL,
		    "users only" },
		{ "fullname = URI:http://else.test/,URI:@", NULL, NULL },
		{ "fullname = URI:http://else.test/", "another distribution",
		    "another distribution" },
		{ "fullname = URI:@/more", "another distribution",
		    "another distribution" },
		{ "fullname = dirName:n", "another distribution",
		    "another distribution" },
		{ "fullname = dirName:n,URI:@", NULL, NULL },
		{ "relativename = n", "relative to its issuer",
		    "relative to its issuer" },
		{ "onlyAA = TRUE", "attribute", "attribute" },
		{ "fullname = URI:@\nindirectCRL = TRUE",
		    "cannot judge: indirect CRL",
		    "cannot judge: indirect CRL" },
		{ "fullname = URI:@\nonlysomereasons = keyCompromise",
		    "cannot judge: a CRL for some reasons only",
		    "cannot judge: a CRL for some reasons only" },
	};
	const struct der_bytes none = { NULL, 0 };
	struct world *w = *state;
	char points[128], idp[256];

	(void)snprintf(points, sizeof(points), "fullname = URI:%s", w->url);
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		X509 *x = new_certificate(w, i % 2 == 0 ? FIXTURE_LEAF :
		    FIXTURE_CA, points);
		const char *words = i % 2 == 0 ? cases[i / 2].of_user :
		    cases[i / 2].of_ca;
		enum cli_origin_result result = words == NULL ?
		    CLI_ORIGIN_OK : CLI_ORIGIN_FAILED;
		struct crl_recipe recipe = { .this_s = -60, .next_s = 3600,
		    .idp = idp };

		put_url(cases[i / 2].idp, w->url, idp);
		w->crl = make_crl(w, &recipe);
		expect(check(w, x, none), "crl", result, words == NULL ?
		    "not in the CRL" : words, result);
		X509_free(x);
	}
}

/* What is revoked is so in a part of a list too; but a point of some reasons
 * is silent of the others. */
static void
test_parts(void **state)
{
	struct crl_recipe recipe = { .this_s = -60, .next_s = 3600,
	    .is_revoking = true, .idp = "onlyuser = TRUE" };
	const struct der_bytes none = { NULL, 0 };
	struct world *w = *state;
	X509 *leaf = new_leaf(w, w->url);
	char points[128];

	w->crl = make_crl(w, &recipe);
	expect(check(w, leaf, none), "crl", CLI_ORIGIN_FAILED, "superseded",
	    CLI_ORIGIN_FAILED);
	X509_free(leaf);
	(void)snprintf(points, sizeof(points), "fullname = URI:%s\n"
	    "reasons = keyCompromise", w->url);
	leaf = new_certificate(w, FIXTURE_LEAF, points);
	recipe = (struct crl_recipe){ .this_s = -60, .next_s = 3600 };
	w->crl = make_crl(w, &recipe);
	expect(check(w, leaf, none), "crl", CLI_ORIGIN_FAILED,
	    "cannot judge: a CRL for some reasons only", CLI_ORIGIN_FAILED);
	X509_free(leaf);
}

/* Stapled "good", but the CRL knows better; and the other way round. */
static void
test_both(void **state)
{
	const struct recipe good = { V_OCSP_CERTSTATUS_GOOD, -60, 3600, 0 };
	const struct recipe bad = { V_OCSP_CERTSTATUS_REVOKED, -60, 3600,
	    0 };
	const struct crl_recipe crl = { .this_s = -60, .next_s = 3600 };
	const struct crl_recipe revoking = { .this_s = -60, .next_s = 3600,
	    .is_revoking = true };
	const struct crl_recipe forged = { .this_s = -60, .next_s = 3600,
	    .is_revoking = true, .is_others_key = true };
	struct world *w = *state;
	X509 *leaf = new_leaf(w, w->url);
	struct blob staple = make_response(w, &good);

	w->crl = make_crl(w, &revoking);
	expect(check(w, leaf, blob_bytes(&staple)), "crl", CLI_ORIGIN_FAILED,
	    "superseded", CLI_ORIGIN_FAILED);
	/* Nobody revokes by forging. */
	w->crl = make_crl(w, &forged);
	expect(check(w, leaf, blob_bytes(&staple)), "crl", CLI_ORIGIN_FAILED,
	    "verif", CLI_ORIGIN_OK);
	staple = make_response(w, &bad);
	w->crl = make_crl(w, &crl);
	expect(check(w, leaf, blob_bytes(&staple)), "staple",
	    CLI_ORIGIN_FAILED, "keyCompromise", CLI_ORIGIN_FAILED);
	X509_free(leaf);
}

static void
test_nobody_to_ask(void **state)
{
	struct world *w = *state;

	expect(check(w, w->leaf, (struct der_bytes){ NULL, 0 }), "staple",
	    CLI_ORIGIN_SKIPPED, "nothing is stapled", CLI_ORIGIN_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_staples),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_crls),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_nobody_to_ask),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
