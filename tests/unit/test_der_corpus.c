/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do we take real files?  Every certificate, CRL, CSR, OCSP request and
 * response of the vectors that come with python3-cryptography: what OpenSSL
 * parses and encodes to the same octets again must be DER for us, and what
 * it does not must not, but for the few in a table, each with its reason.
 * Skipped where the package is not installed.
 */
#include "der_test.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "der/reader.h"

#define VECTORS "/usr/lib/python3/dist-packages/cryptography_vectors/x509"
#define SKIP 77

enum verdict {
	NOT_PARSED,			/* none of the five types */
	REENCODED,			/* parsed, but other octets come out */
	IDENTICAL
};

/* Where we and OpenSSL differ, and why that is right. */
static const struct {
	const char *file;		/* what its name ends with */
	bool is_valid;			/* our verdict */
	const char *why;
} exceptions[] = {
	{ "/badasn1time.pem", false,
	    "UTCTime with a year of four digits; OpenSSL reads times only "
	    "when it is asked for them" },
	{ "/custom/crl_invalid_time.der", false,
	    "UTCTime one digit short, as above" },
	{ "/requests/long-form-attribute.pem", false,
	    "a tag number over 30: DER, but in no type that we read" },
	{ "/custom/invalid_utf8_common_name.pem", true,
	    "DER says nothing of the characters in a string; whoever reads "
	    "the string looks at them" },
	{ "/cryptography-scts-tbs-precert.der", true,
	    "a bare TBSCertificate is none of the five types" },
};
static bool is_seen[sizeof(exceptions) / sizeof(exceptions[0])];

static unsigned int num_files, num_values, num_identical, num_wrong;

/*
 * Each: parsed whole, its cached encoding thrown away, encoded anew.
 */
static int
encode_x509(const unsigned char *p, long len, unsigned char **out)
{
	const unsigned char *start = p;
	X509 *x = d2i_X509(NULL, &p, len);
	unsigned char *tbs = NULL;
	int out_len = -1;

	if (x != NULL && p == start + len &&
	    i2d_re_X509_tbs(x, &tbs) > 0)
		out_len = i2d_X509(x, out);
	OPENSSL_free(tbs);
	X509_free(x);
	return out_len;
}

static int
encode_crl(const unsigned char *p, long len, unsigned char **out)
{
	const unsigned char *start = p;
	X509_CRL *x = d2i_X509_CRL(NULL, &p, len);
	unsigned char *tbs = NULL;
	int out_len = -1;

	if (x != NULL && p == start + len &&
	    i2d_re_X509_CRL_tbs(x, &tbs) > 0)
		out_len = i2d_X509_CRL(x, out);
	OPENSSL_free(tbs);
	X509_CRL_free(x);
	return out_len;
}

static int
encode_req(const unsigned char *p, long len, unsigned char **out)
{
	const unsigned char *start = p;
	X509_REQ *x = d2i_X509_REQ(NULL, &p, len);
	unsigned char *tbs = NULL;
	int out_len = -1;

	if (x != NULL && p == start + len &&
	    i2d_re_X509_REQ_tbs(x, &tbs) > 0)
		out_len = i2d_X509_REQ(x, out);
	OPENSSL_free(tbs);
	X509_REQ_free(x);
	return out_len;
}

static int
encode_ocsp_request(const unsigned char *p, long len, unsigned char **out)
{
	const unsigned char *start = p;
	OCSP_REQUEST *x = d2i_OCSP_REQUEST(NULL, &p, len);
	int out_len = -1;

	if (x != NULL && p == start + len)
		out_len = i2d_OCSP_REQUEST(x, out);
	OCSP_REQUEST_free(x);
	return out_len;
}

static int
encode_ocsp_response(const unsigned char *p, long len, unsigned char **out)
{
	const unsigned char *start = p;
	OCSP_RESPONSE *x = d2i_OCSP_RESPONSE(NULL, &p, len);
	int out_len = -1;

	if (x != NULL && p == start + len)
		out_len = i2d_OCSP_RESPONSE(x, out);
	OCSP_RESPONSE_free(x);
	return out_len;
}

static enum verdict
ask_openssl(struct der_bytes value)
{
	static int (*const encode[])(const unsigned char *, long,
	    unsigned char **) = { encode_x509, encode_crl, encode_req,
	    encode_ocsp_response, encode_ocsp_request };
	enum verdict verdict = NOT_PARSED;
	unsigned char *out;
	unsigned int i;
	int len;

	for (i = 0; i < sizeof(encode) / sizeof(encode[0]) &&
	    verdict == NOT_PARSED; i++) {
		out = NULL;
		len = encode[i](value.p, (long)value.len, &out);
		if (len >= 0)
			verdict = (size_t)len == value.len &&
			    memcmp(out, value.p, value.len) == 0 ?
			    IDENTICAL : REENCODED;
		OPENSSL_free(out);
	}
	return verdict;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len >= end_len && strcmp(s + len - end_len, end) == 0;
}

static void
check_value(const char *path, struct der_bytes value)
{
	enum verdict theirs = ask_openssl(value);
	bool is_valid = der_is_valid(value);
	unsigned int i;

	num_values++;
	num_identical += theirs == IDENTICAL;
	if (is_valid == (theirs == IDENTICAL))
		return;
	for (i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
		if (ends_with(path, exceptions[i].file) &&
		    is_valid == exceptions[i].is_valid) {
			is_seen[i] = true;
			return;
		}
	}
	num_wrong++;
	print_error("%s: %s, but OpenSSL %s\n", path,
	    is_valid ? "taken" : "refused", theirs == IDENTICAL ?
	    "encodes it the same" : theirs == REENCODED ?
	    "encodes it otherwise" : "does not parse it");
}

/* PEM types that are one of the five. */
static bool
is_of_interest(const char *type)
{
	return strcmp(type, PEM_STRING_X509) == 0 ||
	    strcmp(type, PEM_STRING_X509_OLD) == 0 ||
	    strcmp(type, PEM_STRING_X509_CRL) == 0 ||
	    strcmp(type, PEM_STRING_X509_REQ) == 0 ||
	    strcmp(type, PEM_STRING_X509_REQ_OLD) == 0;
}

static void
check_pem(const char *path)
{
	BIO *in = BIO_new_file(path, "r");
	char *type, *header;
	unsigned char *data;
	long len;

	assert_non_null(in);
	while (PEM_read_bio(in, &type, &header, &data, &len) == 1) {
		if (is_of_interest(type))
			check_value(path, (struct der_bytes){ data,
			    (size_t)len });
		OPENSSL_free(type);
		OPENSSL_free(header);
		OPENSSL_free(data);
	}
	BIO_free(in);
}

static void
check_der(const char *path)
{
	FILE *in = fopen(path, "rb");
	struct stat st;
	uint8_t *data;

	assert_non_null(in);
	assert_int_equal(fstat(fileno(in), &st), 0);
	data = malloc((size_t)st.st_size + 1);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, (size_t)st.st_size, in), st.st_size);
	check_value(path, (struct der_bytes){ data, (size_t)st.st_size });
	free(data);
	assert_int_equal(fclose(in), 0);
}

static void
check_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	struct stat st;
	char path[1024];

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		assert_true((size_t)snprintf(path, sizeof(path), "%s/%s",
		    folder, entry->d_name) < sizeof(path));
		assert_int_equal(stat(path, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			check_folder(path);
		} else if (ends_with(path, ".pem")) {
			num_files++;
			check_pem(path);
		} else if (ends_with(path, ".der") ||
		    ends_with(path, ".crt") || ends_with(path, ".crl")) {
			num_files++;
			check_der(path);
		}
	}
	(void)closedir(dir);
}

static void
test_corpus(void **state)
{
	unsigned int i;

	(void)state;
	check_folder(VECTORS);
	print_message("%u files, %u values, %u the same from OpenSSL\n",
	    num_files, num_values, num_identical);
	assert_int_equal(num_wrong, 0);
	/* The package is large: less means that we looked in vain. */
	assert_true(num_files > 600);
	assert_true(num_identical > 600);
	/* An exception that no file needs is not to stay. */
	for (i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
		if (!is_seen[i])
			fail_msg("no exception: %s", exceptions[i].file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpus),
	};

	if (access(VECTORS, R_OK) != 0)
		return SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
