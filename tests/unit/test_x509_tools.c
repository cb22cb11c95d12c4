/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do we take the requests that people really make, with openssl req and with
 * GnuTLS's certtool, and see in them what was asked for?  A tool that is not
 * installed is skipped.
 */
#include "x509_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/test_x509_tools.XXXXXX";
static const char *folder_path = folder;
static char from_environment[4096];

static int
make_folder(void **state)
{
	const char *tmpdir = getenv("TMPDIR");

	(void)state;
	if (tmpdir != NULL && tmpdir[0] != '\0') {
		snprintf(from_environment, sizeof(from_environment),
		    "%s/test_x509_tools.XXXXXX", tmpdir);
		folder_path = mkdtemp(from_environment);
	} else {
		folder_path = mkdtemp(folder);
	}
	return folder_path != NULL && chdir(folder_path) == 0 ? 0 : -1;
}

static int
remove_folder(void **state)
{
	char command[4200];

	if (chdir("/") != 0)
		return -1;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder_path);
	if (system(command) != 0)
		return -1;
	return test_free_all(state);
}

static bool
has_tool(const char *name)
{
	char command[256];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", name);
	return system(command) == 0;
}

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static struct der_bytes
read_file(const char *name)
{
	uint8_t *bytes = test_alloc(65536);
	FILE *f = fopen(name, "rb");
	size_t len;

	assert_non_null(f);
	len = fread(bytes, 1, 65536, f);
	fclose(f);
	return (struct der_bytes){ bytes, len };
}

static void
run(const char *command)
{
	int status = system(command);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%s: status %d", command, status);
}

static const char config[] =
	"[req]\n"
	"distinguished_name = dn\n"
	"prompt = no\n"
	"utf8 = yes\n"
	"string_mask = utf8only\n"
	"[dn]\n"
	"C = DE\n"
	"O = Example\n"
	"OU = Abteilung f\xc3\xbcr \xe6\x97\xa5\xe6\x9c\xac\n"
	"CN = www.example.org\n"
	"[san]\n"
	"subjectAltName = DNS:www.example.org,DNS:*.example.net,"
	"IP:192.0.2.7,IP:2001:db8::7,email:a@example.org,"
	"URI:https://example.org/\n"
	"keyUsage = critical,digitalSignature\n"
	"extendedKeyUsage = serverAuth,clientAuth\n"
	"basicConstraints = critical,CA:FALSE\n";

static const char *const san_texts[] = { "DNS:www.example.org",
    "DNS:*.example.net", "IP:192.0.2.7", "IP:2001:db8::7",
    "email:a@example.org", "URI:https://example.org/" };

enum with_san { WITHOUT_SAN, WITH_SAN };

static void
check_request(const char *file, enum with_san san)
{
	struct der_bytes der = read_file(file), value;
	char text[X509_NAME_TEXT_MAX];
	struct oc_error error = { 0 };
	struct x509_csr csr;
	uint32_t i;

	if (x509_csr_read(der, &csr, &error) != OC_OK ||
	    x509_csr_verify(&csr, &error) != OC_OK ||
	    x509_spki_check(csr.spki, &error) != OC_OK)
		fail_msg("%s: %s", file, error.text);
	assert_true(x509_name_find(csr.subject, DER_OID_ORGANIZATIONAL_UNIT,
	    &value));
	assert_bytes_equal(value, DER_LITERAL("Abteilung f\xc3\xbcr "
	    "\xe6\x97\xa5\xe6\x9c\xac"));
	assert_true(x509_name_find(csr.subject, DER_OID_COUNTRY, &value));
	assert_bytes_equal(value, DER_LITERAL("DE"));
	x509_name_format(csr.subject, text);
	assert_non_null(strstr(text, "CN=www.example.org"));
	assert_non_null(strstr(text, "OU=Abteilung f\xc3\xbcr "
	    "\xe6\x97\xa5\xe6\x9c\xac"));
	if (san == WITHOUT_SAN) {
		assert_int_equal(csr.extensions.num_sans, 0);
		return;
	}
	assert_true(csr.has_extensions);
	assert_int_equal(csr.extensions.num_sans, ARRAY_LEN(san_texts));
	for (i = 0; i < ARRAY_LEN(san_texts); i++) {
		char have[X509_SAN_TEXT_MAX];
		uint32_t j;

		/* certtool has an order of its own. */
		for (j = 0; j < csr.extensions.num_sans; j++) {
			x509_san_format(&csr.extensions.sans[j], have);
			if (strcmp(have, san_texts[i]) == 0)
				break;
		}
		if (j == csr.extensions.num_sans)
			fail_msg("%s: no %s", file, san_texts[i]);
	}
	assert_int_equal(csr.extensions.num_ekus, 2);
	assert_true(csr.extensions.key_usage & X509_KU_DIGITAL_SIGNATURE);
	assert_int_equal(csr.extensions.ca, X509_NOT_CA);
}

static const struct {
	const char *name;
	const char *openssl;		/* genpkey's arguments */
	const char *digest;
} keys[] = {
	{ "rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "-sha256" },
	{ "p256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
	    "-sha256" },
	{ "p384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
	    "-sha384" },
	{ "ed25519", "-algorithm ED25519", "" },
};

static void
make_keys(void)
{
	char command[512];
	size_t i;

	for (i = 0; i < ARRAY_LEN(keys); i++) {
		snprintf(command, sizeof(command),
		    "test -f %s.key || openssl genpkey %s -out %s.key "
		    "2>/dev/null", keys[i].name, keys[i].openssl,
		    keys[i].name);
		run(command);
	}
}

static void
test_openssl_req(void **state)
{
	char command[512];
	size_t i;

	(void)state;
	if (!has_tool("openssl"))
		skip();
	write_file("req.cnf", config);
	make_keys();
	for (i = 0; i < ARRAY_LEN(keys); i++) {
		snprintf(command, sizeof(command), "openssl req -new -config "
		    "req.cnf -key %s.key %s -outform DER -out a.csr",
		    keys[i].name, keys[i].digest);
		run(command);
		check_request("a.csr", WITHOUT_SAN);
		snprintf(command, sizeof(command), "openssl req -new -config "
		    "req.cnf -key %s.key %s -reqexts san -outform DER -out "
		    "b.csr", keys[i].name, keys[i].digest);
		run(command);
		check_request("b.csr", WITH_SAN);
	}
}

/* Signatures that are not taken, and those of PSS that are. */
static void
test_openssl_signatures(void **state)
{
	static const struct {
		const char *key, *arguments;
		enum oc_err err;
	} all[] = {
		{ "rsa", "-sha1", OC_ERR_UNSUPPORTED },
		{ "p256", "-sha1", OC_ERR_UNSUPPORTED },
		{ "rsa", "-md5", OC_ERR_UNSUPPORTED },
		{ "rsa", "-sha224", OC_ERR_UNSUPPORTED },
		{ "rsa", "-sha3-256", OC_ERR_UNSUPPORTED },
		{ "rsa", "-sha512", OC_OK },
		{ "rsa", "-sha256 -sigopt rsa_padding_mode:pss -sigopt "
		    "rsa_pss_saltlen:32", OC_OK },
		{ "rsa", "-sha256 -sigopt rsa_padding_mode:pss -sigopt "
		    "rsa_pss_saltlen:20", OC_ERR_UNSUPPORTED },
		{ "rsa", "-sha384 -sigopt rsa_padding_mode:pss -sigopt "
		    "rsa_pss_saltlen:48", OC_OK },
	};
	struct oc_error error;
	struct x509_csr csr;
	char command[512];
	size_t i;

	(void)state;
	if (!has_tool("openssl"))
		skip();
	write_file("req.cnf", config);
	make_keys();
	for (i = 0; i < ARRAY_LEN(all); i++) {
		snprintf(command, sizeof(command), "openssl req -new -config "
		    "req.cnf -key %s.key %s -outform DER -out c.csr",
		    all[i].key, all[i].arguments);
		run(command);
		if (x509_csr_read(read_file("c.csr"), &csr, &error) !=
		    all[i].err)
			fail_msg("%s: %s", all[i].arguments, error.text);
		if (all[i].err == OC_OK)
			assert_int_equal(x509_csr_verify(&csr, &error),
			    OC_OK);
	}
}

static const char gnutls_template[] =
	"country = \"DE\"\n"
	"organization = \"Example\"\n"
	"unit = \"Abteilung f\xc3\xbcr \xe6\x97\xa5\xe6\x9c\xac\"\n"
	"cn = \"www.example.org\"\n"
	"challenge_password = \"a secret\"\n";

static const char gnutls_names[] =
	"dns_name = \"www.example.org\"\n"
	"dns_name = \"*.example.net\"\n"
	"ip_address = \"192.0.2.7\"\n"
	"ip_address = \"2001:db8::7\"\n"
	"email = \"a@example.org\"\n"
	"uri = \"https://example.org/\"\n"
	"signing_key\n"
	"tls_www_server\n"
	"tls_www_client\n";

static void
test_certtool(void **state)
{
	char command[512], both[4096];
	size_t i;

	(void)state;
	if (!has_tool("certtool") || !has_tool("openssl"))
		skip();
	make_keys();
	write_file("plain.tmpl", gnutls_template);
	snprintf(both, sizeof(both), "%s%s", gnutls_template, gnutls_names);
	write_file("names.tmpl", both);
	for (i = 0; i < ARRAY_LEN(keys); i++) {
		snprintf(command, sizeof(command), "certtool "
		    "--generate-request --load-privkey %s.key --template "
		    "plain.tmpl --outder --outfile d.csr 2>certtool.log",
		    keys[i].name);
		run(command);
		check_request("d.csr", WITHOUT_SAN);
		snprintf(command, sizeof(command), "certtool "
		    "--generate-request --load-privkey %s.key --template "
		    "names.tmpl --outder --outfile e.csr 2>certtool.log",
		    keys[i].name);
		run(command);
		check_request("e.csr", WITH_SAN);
	}
}

/* A certificate of ours, in the eyes of both tools. */
static void
test_tools_read_ours(void **state)
{
	struct x509_tbs tbs = { .alg = SIGN_ECDSA_SHA256,
	    .serial = DER_LITERAL("\x12\x34"), .not_before = 1700000000,
	    .not_after = INT64_C(2600000000) };
	uint8_t key_id[X509_KEY_ID_LEN];
	struct x509_extensions *e = &tbs.extensions;
	struct der_bytes der;
	FILE *f;

	(void)state;
	if (!has_tool("openssl"))
		skip();
	tbs.issuer = tbs.subject = test_name("CN=root,O=Example,C=DE");
	tbs.spki = test_spki("P-256");
	assert_int_equal(x509_spki_key_id(tbs.spki, key_id), OC_OK);
	e->has_basic_constraints = true;
	e->ca = X509_IS_CA;
	e->path_length = 1;
	e->key_usage = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN;
	e->subject_key_id = DER_ARRAY(key_id);
	e->authority_key_id = DER_ARRAY(key_id);
	der = test_sign(test_write(x509_put_tbs, &tbs), "P-256", tbs.alg);
	f = fopen("root.der", "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(der.p, 1, der.len, f), der.len);
	assert_int_equal(fclose(f), 0);
	run("openssl x509 -inform DER -in root.der -out root.pem");
	run("openssl verify -x509_strict -CAfile root.pem root.pem "
	    ">/dev/null");
	run("openssl x509 -in root.pem -noout -enddate | grep -q "
	    "'May 22 14:13:20 2052 GMT'");
	if (has_tool("certtool"))
		run("certtool --verify --load-ca-certificate root.pem "
		    "--infile root.pem >/dev/null 2>certtool.log");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_req),
		cmocka_unit_test(test_openssl_signatures),
		cmocka_unit_test(test_certtool),
		cmocka_unit_test(test_tools_read_ours),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
