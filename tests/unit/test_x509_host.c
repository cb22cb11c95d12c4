/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificate is for which host: RFC 9525's rules one by one, and every
 * pair of many names against OpenSSL's X509_check_host(). */
#include "x509_test.h"

#include <string.h>

#include "x509/host.h"

static struct x509_host
host_of(const char *text)
{
	struct x509_host host;
	struct oc_error error = { 0 };

	if (x509_host_parse(text, &host, &error) != OC_OK)
		fail_msg("%s", error.text);
	return host;
}

static bool
matches(const char *dns, const char *host)
{
	struct x509_extensions *e = test_alloc(sizeof(*e));
	struct x509_host h = host_of(host);

	memset(e, 0, sizeof(*e));
	e->sans[0] = (struct x509_san){ X509_SAN_DNS, {
	    (const uint8_t *)dns, strlen(dns) } };
	e->num_sans = 1;
	return x509_host_matches(&h, e);
}

static void
test_rules(void **state)
{
	static const struct {
		const char *dns, *host;
		bool is_match;
	} cases[] = {
		{ "www.example.com", "www.example.com", true },
		{ "www.example.com", "WWW.Example.COM", true },
		{ "WWW.EXAMPLE.com", "www.example.com", true },
		{ "www.example.com", "www.example.com.", true },
		{ "www.example.com.", "www.example.com", false },
		{ "example.com", "www.example.com", false },
		{ "www.example.com", "example.com", false },
		/* One whole label, the first: 6.3. */
		{ "*.example.com", "www.example.com", true },
		{ "*.EXAMPLE.com", "www.example.COM", true },
		{ "*.example.com", "example.com", false },
		{ "*.example.com", "a.b.example.com", false },
		{ "www.*.com", "www.example.com", false },
		{ "w*.example.com", "www.example.com", false },
		{ "*w.example.com", "www.example.com", false },
		{ "*.*.com", "www.example.com", false },
		{ "*", "localhost", false },
		{ "*.com", "example.com", false },
		{ "*.", "example", false },
		{ "*example.com", "wexample.com", false },
		{ "**.example.com", "www.example.com", false },
		{ "*.-example.com", "www.example.com", false },
		/* A-labels are labels: 6.3 says nothing else of them. */
		{ "xn--bcher-kva.example", "xn--bcher-kva.example", true },
		{ "XN--BCHER-KVA.example", "xn--bcher-kva.example", true },
		{ "*.example.com", "xn--bcher-kva.example.com", true },
		{ "xn--*.example.com", "xn--bcher-kva.example.com", false },
		{ "*.xn--bcher-kva.example", "a.xn--bcher-kva.example",
		    true },
		/* An address is no name, nor the other way round: 6.5. */
		{ "192.0.2.1", "192.0.2.1", false },
		{ "*.0.2.1", "192.0.2.1", false },
		{ "::1", "::1", false },
		{ "localhost", "localhost", true },
		{ "", "localhost", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (matches(cases[i].dns, cases[i].host) !=
		    cases[i].is_match)
			fail_msg("%s for %s", cases[i].dns, cases[i].host);
}

static void
test_addresses(void **state)
{
	static const uint8_t v4[4] = { 192, 0, 2, 1 };
	static const uint8_t v6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 1 };
	struct x509_extensions *e = test_alloc(sizeof(*e));
	struct x509_host host;

	(void)state;
	memset(e, 0, sizeof(*e));
	e->sans[0] = (struct x509_san){ X509_SAN_IP, DER_ARRAY(v4) };
	e->sans[1] = (struct x509_san){ X509_SAN_IP, DER_ARRAY(v6) };
	e->num_sans = 2;
	host = host_of("192.0.2.1");
	assert_true(x509_host_matches(&host, e));
	host = host_of("192.0.2.2");
	assert_false(x509_host_matches(&host, e));
	host = host_of("2001:DB8:0::1");
	assert_true(x509_host_matches(&host, e));
	host = host_of("::ffff:192.0.2.1");
	assert_false(x509_host_matches(&host, e));
	host = host_of("www.example.com");
	assert_false(x509_host_matches(&host, e));
	e->num_sans = 0;
	host = host_of("192.0.2.1");
	assert_false(x509_host_matches(&host, e));
}

static void
test_what_is_no_host(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a..b", "-a.b",
	    "a-.b", "*.example.com", "a_b.example", "DNS:a.example",
	    "IP:192.0.2.1", "a@b.example", "a b", "1.2.3", "1.2.3.256",
	    "[::1]", "::1%lo", "http://a", "b\xc3\xbc" "cher.example",
	    "a.b\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaa.example" };
	struct x509_host host = { .len = 77 };
	char text[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (x509_host_parse(bad[i], &host, NULL) !=
		    OC_ERR_MALFORMED)
			fail_msg("\"%s\" is taken", bad[i]);
		assert_int_equal(host.len, 77);
	}
	memset(text, 'a', sizeof(text));
	for (size_t i = 50; i < sizeof(text); i += 50)
		text[i] = '.';
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(x509_host_parse(text, &host, NULL),
	    OC_ERR_MALFORMED);
}

/* --- OpenSSL's verdict ------------------------------------------------ */

static X509 *
openssl_cert(int type, const void *octets, size_t len)
{
	X509 *x = X509_new();
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *string = type == GEN_DNS ? ASN1_IA5STRING_new() :
	    ASN1_OCTET_STRING_new();

	assert_true(ASN1_STRING_set(string, octets, (int)len));
	GENERAL_NAME_set0_value(name, type, string);
	assert_true(sk_GENERAL_NAME_push(names, name));
	assert_true(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0));
	GENERAL_NAMES_free(names);
	/* Nobody may look at it. */
	assert_true(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
	    MBSTRING_ASC, (const uint8_t *)"www.example.com", -1, -1, 0));
	return x;
}

static void
test_as_openssl_does(void **state)
{
	static const char *const labels[] = { "www", "*", "a", "w*w", "*w",
	    "xn--bcher-kva", "xn--*", "WWW", "a-b", "-" };
	static const char *const tails[] = { "", ".example.com", ".com",
	    ".b.example.com", ".EXAMPLE.COM", ".xn--bcher-kva.de", ".*.com",
	    ".example.com.", ".example-.com", ".a.b.c.d" };
	static const char *const hosts[] = { "www.example.com", "www",
	    "a.example.com", "example.com", "www.b.example.com", "com",
	    "xn--bcher-kva.example.com", "www.xn--bcher-kva.de", "a.com",
	    "a-b.example.com", "x.a.b.c.d", "localhost" };
	unsigned int num_matches = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(labels) * ARRAY_LEN(tails); i++) {
		char dns[64];
		X509 *x;

		(void)snprintf(dns, sizeof(dns), "%s%s",
		    labels[i / ARRAY_LEN(tails)],
		    tails[i % ARRAY_LEN(tails)]);
		x = openssl_cert(GEN_DNS, dns, strlen(dns));
		for (size_t j = 0; j < ARRAY_LEN(hosts); j++) {
			int theirs = X509_check_host(x, hosts[j], 0,
			    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
			    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL);

			assert_true(theirs >= 0);
			if (matches(dns, hosts[j]) != (theirs == 1))
				fail_msg("%s for %s: OpenSSL says %d", dns,
				    hosts[j], theirs);
			num_matches += theirs == 1;
		}
		X509_free(x);
	}
	/* The table is no use if it is all one answer. */
	assert_true(num_matches >= 15);
}

static void
test_addresses_as_openssl_does(void **state)
{
	static const char *const addresses[] = { "192.0.2.1", "192.0.2.2",
	    "2001:db8::1", "::1", "::ffff:192.0.2.1", "127.0.0.1" };
	struct x509_extensions *e = test_alloc(sizeof(*e));

	(void)state;
	memset(e, 0, sizeof(*e));
	e->num_sans = 1;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct x509_host san = host_of(addresses[i]);
		X509 *x = openssl_cert(GEN_IPADD, san.octets, san.len);

		e->sans[0] = (struct x509_san){ X509_SAN_IP, {
		    san.octets, san.len } };
		for (size_t j = 0; j < ARRAY_LEN(addresses); j++) {
			struct x509_host host = host_of(addresses[j]);

			assert_int_equal(x509_host_matches(&host, e),
			    X509_check_ip_asc(x, addresses[j], 0) == 1);
		}
		X509_free(x);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_what_is_no_host),
		cmocka_unit_test(test_as_openssl_does),
		cmocka_unit_test(test_addresses_as_openssl_does),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
