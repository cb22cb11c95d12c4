/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do we take and refuse what OpenSSL does, and see the same in it, over the
 * certificates, requests and CRLs that Debian's python3-cryptography-vectors
 * has, NIST's PKITS among them?  Where we are stricter, it says so, and why,
 * in one table.  Skipped (77) where the package is not installed.
 */
#include "x509_test.h"

#include "sign/public.h"
#include "x509_vectors.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define VECTORS "/usr/lib/python3/dist-packages/cryptography_vectors/x509"
#define PKITS_MAX 1024

static const char *const kind_names[NUM_KINDS] = { "certificate", "request",
    "CRL" };

static bool was_met[ARRAY_LEN(exceptions)];

static unsigned int num_taken[NUM_KINDS], num_refused[NUM_KINDS];
static unsigned int num_names_compared;
static bool has_failed;

static void
complain(const char *file, enum kind kind, const char *what)
{
	fprintf(stderr, "%s as a %s: %s\n", file, kind_names[kind], what);
	has_failed = true;
}

static const struct exception *
find_exception(const char *file, enum kind kind)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(exceptions); i++)
		if (exceptions[i].kind == kind &&
		    strcmp(exceptions[i].file, file) == 0)
			return &exceptions[i];
	return NULL;
}

/* Whether ours and theirs agree, or the table knows why not. */
static bool
is_verdict_right(const char *file, enum kind kind, enum oc_err ours,
    bool theirs, const struct oc_error *error)
{
	const struct exception *e = find_exception(file, kind);
	char what[700];

	num_taken[kind] += ours == OC_OK;
	num_refused[kind] += ours != OC_OK && theirs;
	if (ours == OC_OK && theirs && e == NULL)
		return true;
	if (ours != OC_OK && !theirs && e == NULL)
		return false;
	if (ours != OC_OK && theirs && e != NULL && e->err == ours) {
		was_met[e - exceptions] = true;
		return false;
	}
	snprintf(what, sizeof(what), "we say \"%s\" (%s), OpenSSL %s it%s",
	    oc_strerror(ours), error->text, theirs ? "takes" : "refuses",
	    e != NULL ? ", and the table says otherwise" : "");
	complain(file, kind, what);
	return false;
}

static int64_t
unix_time(const ASN1_TIME *time)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return INT64_MIN;
	return (int64_t)timegm(&tm);
}

static bool
is_same_string(struct der_bytes ours, const ASN1_STRING *theirs)
{
	return ours.len == (size_t)ASN1_STRING_length(theirs) &&
	    memcmp(ours.p, ASN1_STRING_get0_data(theirs), ours.len) == 0;
}

static bool
is_ascii_text(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((text[i] & 0x80) != 0)
			return false;
	return true;
}

static void
compare_name(const char *file, enum kind kind, struct der_bytes ours,
    const X509_NAME *theirs)
{
	char text[X509_NAME_TEXT_MAX], *data;
	BIO *bio = BIO_new(BIO_s_mem());
	struct der_bytes der = test_i2d_name(theirs);
	long len;

	if (!der_bytes_equal(ours, der))
		complain(file, kind, "another name");
	X509_NAME_print_ex(bio, theirs, 0, XN_FLAG_RFC2253);
	len = BIO_get_mem_data(bio, &data);
	x509_name_format(ours, text);
	/* OpenSSL escapes what is not ASCII, and knows more types by name;
	 * those we give as numbers, in hex. */
	if (is_ascii_text(text, strlen(text)) &&
	    strstr(text, "=#") == NULL && strstr(text, "...") == NULL) {
		num_names_compared++;
		if (strlen(text) != (size_t)len || (len != 0 &&
		    memcmp(text, data, (size_t)len) != 0)) {
			fprintf(stderr, "%s\n%.*s\n", text, (int)len, data);
			complain(file, kind, "another name text");
		}
	}
	BIO_free(bio);
}

static bool
is_same_san(const struct x509_san *ours, const GENERAL_NAME *theirs)
{
	int type;
	void *value = GENERAL_NAME_get0_value(theirs, &type);

	/* GEN_* have the values of the choice's tags. */
	if (type != (int)ours->kind)
		return false;
	switch (ours->kind) {
	case X509_SAN_EMAIL:
	case X509_SAN_DNS:
	case X509_SAN_URI:
	case X509_SAN_IP:
		return is_same_string(ours->value, value);
	case X509_SAN_DIRECTORY:
		return der_bytes_equal(ours->value, test_i2d_name(value));
	}
	return false;
}

typedef void *get_fn(const void *from, int nid);

static void *
get_cert_extension(const void *from, int nid)
{
	return X509_get_ext_d2i(from, nid, NULL, NULL);
}

static void *
get_stack_extension(const void *from, int nid)
{
	return X509V3_get_d2i(from, nid, NULL, NULL);
}

static void
compare_sans(const char *file, enum kind kind,
    const struct x509_extensions *ours, get_fn *get, const void *from)
{
	GENERAL_NAMES *names = get(from, NID_subject_alt_name);
	int i, n = names != NULL ? sk_GENERAL_NAME_num(names) : 0;

	if ((int)ours->num_sans != n)
		complain(file, kind, "another number of names");
	else
		for (i = 0; i < n; i++)
			if (!is_same_san(&ours->sans[i],
			    sk_GENERAL_NAME_value(names, i)))
				complain(file, kind, "another name in SAN");
	GENERAL_NAMES_free(names);
}

static void
compare_usages(const char *file, enum kind kind,
    const struct x509_extensions *ours, get_fn *get, const void *from)
{
	ASN1_BIT_STRING *bits = get(from, NID_key_usage);
	EXTENDED_KEY_USAGE *ekus = get(from, NID_ext_key_usage);
	BASIC_CONSTRAINTS *bc = get(from, NID_basic_constraints);
	uint32_t usage = 0;
	int i, n = ekus != NULL ? sk_ASN1_OBJECT_num(ekus) : 0;

	for (i = 0; bits != NULL && i < 9; i++)
		usage |= (uint32_t)ASN1_BIT_STRING_get_bit(bits, i) << i;
	if (usage != ours->key_usage)
		complain(file, kind, "another keyUsage");
	if (n != (int)ours->num_ekus)
		complain(file, kind, "another number of extKeyUsages");
	for (i = 0; i < n && n == (int)ours->num_ekus; i++) {
		ASN1_OBJECT *object = sk_ASN1_OBJECT_value(ekus, i);

		if (ours->ekus[i].len != OBJ_length(object) ||
		    memcmp(ours->ekus[i].p, OBJ_get0_data(object),
		    OBJ_length(object)) != 0)
			complain(file, kind, "another extKeyUsage");
	}
	if ((bc != NULL) != ours->has_basic_constraints)
		complain(file, kind, "basicConstraints there or not");
	else if (bc != NULL && ((bc->ca != 0) != (ours->ca == X509_IS_CA) ||
	    (bc->pathlen != NULL ? ASN1_INTEGER_get(bc->pathlen) : -1) !=
	    ours->path_length))
		complain(file, kind, "other basicConstraints");
	ASN1_BIT_STRING_free(bits);
	EXTENDED_KEY_USAGE_free(ekus);
	BASIC_CONSTRAINTS_free(bc);
}

static void
compare_key_ids(const char *file, enum kind kind,
    const struct x509_extensions *ours, get_fn *get, const void *from)
{
	ASN1_OCTET_STRING *ski = get(from, NID_subject_key_identifier);
	AUTHORITY_KEYID *aki = get(from, NID_authority_key_identifier);
	bool has_keyid = aki != NULL && aki->keyid != NULL;

	if (ski != NULL ? !is_same_string(ours->subject_key_id, ski) :
	    ours->subject_key_id.len != 0)
		complain(file, kind, "another subjectKeyIdentifier");
	if (has_keyid ? !is_same_string(ours->authority_key_id, aki->keyid) :
	    ours->authority_key_id.len != 0)
		complain(file, kind, "another authorityKeyIdentifier");
	ASN1_OCTET_STRING_free(ski);
	AUTHORITY_KEYID_free(aki);
}

static void
compare_info_access(const char *file, enum kind kind,
    const struct x509_extensions *ours, get_fn *get, const void *from)
{
	AUTHORITY_INFO_ACCESS *access = get(from, NID_info_access);
	uint32_t num_ocsp = 0, num_ca_issuers = 0;
	int i;

	for (i = 0; access != NULL && i < sk_ACCESS_DESCRIPTION_num(access);
	    i++) {
		ACCESS_DESCRIPTION *a = sk_ACCESS_DESCRIPTION_value(access, i);
		int nid = OBJ_obj2nid(a->method), type;
		void *value = GENERAL_NAME_get0_value(a->location, &type);

		if (type != GEN_URI)
			continue;
		if (nid == NID_ad_OCSP && (num_ocsp >= ours->num_ocsp_urls ||
		    !is_same_string(ours->ocsp_urls[num_ocsp++], value)))
			complain(file, kind, "another OCSP URL");
		if (nid == NID_ad_ca_issuers &&
		    (num_ca_issuers >= ours->num_ca_issuers_urls ||
		    !is_same_string(ours->ca_issuers_urls[num_ca_issuers++],
		    value)))
			complain(file, kind, "another caIssuers URL");
	}
	if (num_ocsp != ours->num_ocsp_urls ||
	    num_ca_issuers != ours->num_ca_issuers_urls)
		complain(file, kind, "another number of URLs in AIA");
	AUTHORITY_INFO_ACCESS_free(access);
}

static void
compare_crl_points(const char *file, enum kind kind,
    const struct x509_extensions *ours, get_fn *get, const void *from)
{
	CRL_DIST_POINTS *points = get(from, NID_crl_distribution_points);
	uint32_t num = 0;
	int i, j;

	for (i = 0; points != NULL && i < sk_DIST_POINT_num(points); i++) {
		DIST_POINT_NAME *name =
		    sk_DIST_POINT_value(points, i)->distpoint;

		if (name == NULL || name->type != 0)
			continue;
		for (j = 0; j < sk_GENERAL_NAME_num(name->name.fullname);
		    j++) {
			int type;
			void *value = GENERAL_NAME_get0_value(
			    sk_GENERAL_NAME_value(name->name.fullname, j),
			    &type);

			if (type == GEN_URI && (num >= ours->num_crl_urls ||
			    !is_same_string(ours->crl_urls[num++], value)))
				complain(file, kind, "another CRL URL");
		}
	}
	if (num != ours->num_crl_urls)
		complain(file, kind, "another number of CRL URLs");
	CRL_DIST_POINTS_free(points);
}

static void
compare_extensions(const char *file, enum kind kind,
    const struct x509_extensions *ours, get_fn *get, const void *from)
{
	compare_sans(file, kind, ours, get, from);
	compare_usages(file, kind, ours, get, from);
	compare_key_ids(file, kind, ours, get, from);
	compare_info_access(file, kind, ours, get, from);
	compare_crl_points(file, kind, ours, get, from);
}

/* The outside: for algorithms of ours the writer gives the same octets. */
static void
compare_shell(const char *file, enum kind kind, enum sign_alg alg,
    struct der_bytes tbs, struct der_bytes signature, struct der_bytes der)
{
	struct x509_signed s = { .tbs = tbs, .alg = alg,
	    .signature = signature };

	if (alg != SIGN_ALG_NONE &&
	    !der_bytes_equal(test_write(x509_put_signed, &s), der))
		complain(file, kind, "put together otherwise");
}

/* The key as we read it is the one that OpenSSL reads, if it is of ours. */
static void
compare_key(const char *file, struct der_bytes spki, EVP_PKEY *theirs)
{
	enum sign_key_type type;
	EVP_PKEY *ours = NULL;
	enum oc_err err = sign_public_key_new(spki, &type, &ours);

	if (err != OC_ERR_UNSUPPORTED && (err == OC_OK) != (theirs != NULL))
		complain(file, CERTIFICATE, "a key or none");
	if (err == OC_OK && theirs != NULL && EVP_PKEY_eq(ours, theirs) != 1)
		complain(file, CERTIFICATE, "another key");
	EVP_PKEY_free(ours);
}

static void
try_certificate(const char *file, struct der_bytes der)
{
	struct oc_error error = { 0 };
	const uint8_t *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.len);
	bool theirs = x != NULL && p == der.p + der.len;
	struct x509_cert cert;
	BIGNUM *serial = NULL;
	uint8_t octets[OC_SERIAL_MAX];
	enum oc_err ours;
	size_t i;

	ours = x509_cert_read(der, &cert, &error);
	if (is_verdict_right(file, CERTIFICATE, ours, theirs, &error)) {
		serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
		if (BN_bn2binpad(serial, octets, cert.serial.len) !=
		    cert.serial.len ||
		    memcmp(octets, cert.serial.bytes, cert.serial.len) != 0)
			complain(file, CERTIFICATE, "another serial");
		compare_name(file, CERTIFICATE, cert.subject,
		    X509_get_subject_name(x));
		compare_name(file, CERTIFICATE, cert.issuer,
		    X509_get_issuer_name(x));
		if (unix_time(X509_get0_notBefore(x)) != cert.not_before ||
		    unix_time(X509_get0_notAfter(x)) != cert.not_after)
			complain(file, CERTIFICATE, "other times");
		compare_extensions(file, CERTIFICATE, &cert.extensions,
		    get_cert_extension, x);
		compare_shell(file, CERTIFICATE, cert.alg, cert.tbs,
		    cert.signature, der);
		compare_key(file, cert.spki, X509_get0_pubkey(x));
		for (i = 0; i < cert.extensions.num_others; i++)
			if (!der_oid_is_valid(cert.extensions.others[i]))
				complain(file, CERTIFICATE, "no OID");
	}
	BN_free(serial);
	X509_free(x);
}

static void
try_request(const char *file, struct der_bytes der)
{
	struct oc_error error = { 0 };
	const uint8_t *p = der.p;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.len);
	bool theirs = req != NULL && p == der.p + der.len;
	STACK_OF(X509_EXTENSION) *stack;
	struct x509_csr csr;
	enum oc_err ours;

	ours = x509_csr_read(der, &csr, &error);
	if (is_verdict_right(file, REQUEST, ours, theirs, &error)) {
		compare_name(file, REQUEST, csr.subject,
		    X509_REQ_get_subject_name(req));
		stack = X509_REQ_get_extensions(req);
		if ((stack != NULL && sk_X509_EXTENSION_num(stack) != 0) !=
		    csr.has_extensions)
			complain(file, REQUEST, "extensions there or not");
		compare_extensions(file, REQUEST, &csr.extensions,
		    get_stack_extension, stack);
		compare_shell(file, REQUEST, csr.alg, csr.info,
		    csr.signature, der);
		if ((x509_csr_verify(&csr, &error) == OC_OK) !=
		    (X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1))
			complain(file, REQUEST, "verified otherwise");
		sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
	}
	X509_REQ_free(req);
}

static void
compare_revoked(const char *file, const struct x509_crl_entry *ours,
    const X509_REVOKED *theirs)
{
	BIGNUM *serial = ASN1_INTEGER_to_BN(
	    X509_REVOKED_get0_serialNumber(theirs), NULL);
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(theirs,
	    NID_crl_reason, NULL, NULL);
	ASN1_GENERALIZEDTIME *invalidity = X509_REVOKED_get_ext_d2i(theirs,
	    NID_invalidity_date, NULL, NULL);
	uint8_t octets[OC_SERIAL_MAX];

	if (BN_bn2binpad(serial, octets, ours->serial.len) !=
	    ours->serial.len ||
	    memcmp(octets, ours->serial.bytes, ours->serial.len) != 0)
		complain(file, CRL, "another serial in an entry");
	if (unix_time(X509_REVOKED_get0_revocationDate(theirs)) !=
	    ours->revoked_at)
		complain(file, CRL, "another time in an entry");
	if ((reason != NULL ? ASN1_ENUMERATED_get(reason) : 0) !=
	    (long)ours->reason)
		complain(file, CRL, "another reason in an entry");
	if ((invalidity != NULL ? unix_time(invalidity) : 0) !=
	    ours->invalidity_at)
		complain(file, CRL, "another invalidity date in an entry");
	BN_free(serial);
	ASN1_ENUMERATED_free(reason);
	ASN1_GENERALIZEDTIME_free(invalidity);
}

static void
compare_entries(const char *file, const struct x509_crl *crl, X509_CRL *theirs)
{
	STACK_OF(X509_REVOKED) *stack = X509_CRL_get_REVOKED(theirs);
	struct der_bytes rest = crl->entries;
	struct x509_crl_entry entry;
	int i, n = stack != NULL ? sk_X509_REVOKED_num(stack) : 0;

	for (i = 0; rest.len != 0; i++) {
		if (x509_crl_next_entry(&rest, &entry) != OC_OK || i >= n) {
			complain(file, CRL, "other entries");
			return;
		}
		compare_revoked(file, &entry, sk_X509_REVOKED_value(stack, i));
	}
	if (i != n)
		complain(file, CRL, "another number of entries");
}

static void
try_crl(const char *file, struct der_bytes der)
{
	struct oc_error error = { 0 };
	const uint8_t *p = der.p;
	X509_CRL *theirs = d2i_X509_CRL(NULL, &p, (long)der.len);
	bool is_taken = theirs != NULL && p == der.p + der.len;
	const ASN1_TIME *next;
	AUTHORITY_KEYID *aki;
	struct x509_crl crl;
	enum oc_err ours;

	ours = x509_crl_read(der, &crl, &error);
	if (is_verdict_right(file, CRL, ours, is_taken, &error)) {
		compare_name(file, CRL, crl.issuer,
		    X509_CRL_get_issuer(theirs));
		next = X509_CRL_get0_nextUpdate(theirs);
		if (unix_time(X509_CRL_get0_lastUpdate(theirs)) !=
		    crl.this_update ||
		    (next != NULL ? unix_time(next) : 0) != crl.next_update)
			complain(file, CRL, "other times");
		aki = X509_CRL_get_ext_d2i(theirs,
		    NID_authority_key_identifier, NULL, NULL);
		if (aki != NULL && aki->keyid != NULL ?
		    !is_same_string(crl.authority_key_id, aki->keyid) :
		    crl.authority_key_id.len != 0)
			complain(file, CRL, "another key identifier");
		AUTHORITY_KEYID_free(aki);
		if (crl.is_delta != (X509_CRL_get_ext_by_NID(theirs,
		    NID_delta_crl, -1) >= 0) ||
		    crl.has_idp != (X509_CRL_get_ext_by_NID(theirs,
		    NID_issuing_distribution_point, -1) >= 0))
			complain(file, CRL, "delta or IDP otherwise");
		compare_entries(file, &crl, theirs);
		compare_shell(file, CRL, crl.alg, crl.tbs, crl.signature,
		    der);
	}
	X509_CRL_free(theirs);
}

/* Every blob is tried as every kind, from memory of exactly its size. */
static void
try_blob(const char *file, const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len);
	struct der_bytes der = { exact, len };

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	try_certificate(file, der);
	try_request(file, der);
	try_crl(file, der);
	ERR_clear_error();
	free(exact);
}

static void
try_file(const char *file)
{
	char path[8192], *name, *header;
	unsigned int num_blocks = 0;
	uint8_t *bytes;
	BIO *bio;
	long len;

	snprintf(path, sizeof(path), "%s/%s", VECTORS, file);
	bio = BIO_new_file(path, "rb");
	assert_non_null(bio);
	while (PEM_read_bio(bio, &name, &header, &bytes, &len) == 1) {
		try_blob(file, bytes, (size_t)len);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(bytes);
		num_blocks++;
	}
	ERR_clear_error();
	BIO_free(bio);
	if (num_blocks == 0) {
		static uint8_t raw[2 * 1024 * 1024];
		FILE *f = fopen(path, "rb");

		assert_non_null(f);
		len = (long)fread(raw, 1, sizeof(raw), f);
		fclose(f);
		try_blob(file, raw, (size_t)len);
	}
}

static bool
has_ending(const char *name)
{
	static const char *const endings[] = { ".pem", ".der", ".crt",
	    ".crl" };
	size_t i, len = strlen(name);

	for (i = 0; i < ARRAY_LEN(endings); i++)
		if (len > 4 && strcmp(name + len - 4, endings[i]) == 0)
			return true;
	return false;
}

static unsigned int
try_directory(const char *directory)
{
	char path[4096];
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", VECTORS, directory);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (!has_ending(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%s%s%s", directory,
		    directory[0] != '\0' ? "/" : "", entry->d_name);
		try_file(path);
		n++;
	}
	closedir(dir);
	return n;
}

static void
test_verdicts(void **state)
{
	static const char *const directories[] = { "", "custom", "custom/ca",
	    "ed25519", "ed448", "ocsp", "requests", "PKITS_data/certs",
	    "PKITS_data/crls" };
	unsigned int n = 0;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(directories); i++)
		n += try_directory(directories[i]);
	print_message("%u files: %u certificates, %u requests, %u CRLs "
	    "taken; %u, %u, %u refused that OpenSSL takes; %u names in "
	    "text\n", n, num_taken[CERTIFICATE], num_taken[REQUEST],
	    num_taken[CRL], num_refused[CERTIFICATE], num_refused[REQUEST],
	    num_refused[CRL], num_names_compared);
	for (i = 0; i < ARRAY_LEN(exceptions); i++)
		if (!was_met[i])
			complain(exceptions[i].file, exceptions[i].kind,
			    "in the table, but not met");
	assert_false(has_failed);
}

struct pkits {
	X509 *x;
	struct der_bytes der;
	struct x509_cert cert;
	bool is_taken;
};

static size_t
load_pkits(struct pkits *all)
{
	DIR *dir = opendir(VECTORS "/PKITS_data/certs");
	struct dirent *entry;
	char path[4096];
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		BIO *bio;

		if (!has_ending(entry->d_name))
			continue;
		assert_true(n < PKITS_MAX);
		snprintf(path, sizeof(path), "%s/PKITS_data/certs/%s",
		    VECTORS, entry->d_name);
		bio = BIO_new_file(path, "rb");
		all[n].x = d2i_X509_bio(bio, NULL);
		BIO_free(bio);
		if (all[n].x == NULL)
			continue;
		all[n].der = test_i2d_x509(all[n].x);
		all[n].is_taken = x509_cert_read(all[n].der, &all[n].cert,
		    NULL) == OC_OK;
		n++;
	}
	closedir(dir);
	return n;
}

/* Each certificate of PKITS against each that bears its issuer's name. */
static void
test_pkits_pairs(void **state)
{
	struct pkits *all = test_alloc(PKITS_MAX * sizeof(*all));
	size_t n = load_pkits(all), i, j, num_good = 0, num_bad = 0;

	(void)state;
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			bool theirs;
			enum oc_err ours;

			if (!all[i].is_taken || !all[j].is_taken ||
			    all[i].cert.alg == SIGN_ALG_NONE ||
			    !der_bytes_equal(all[i].cert.issuer,
			    all[j].cert.subject))
				continue;
			theirs = X509_verify(all[i].x,
			    X509_get0_pubkey(all[j].x)) == 1;
			ours = x509_cert_verify_issued(&all[i].cert,
			    &all[j].cert, NULL);
			assert_int_equal(ours == OC_OK, theirs);
			num_good += theirs;
			num_bad += !theirs;
		}
	}
	print_message("%zu pairs verified, %zu not\n", num_good, num_bad);
	assert_true(num_good > 300 && num_bad > 0);
	for (i = 0; i < n; i++)
		X509_free(all[i].x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_pkits_pairs),
	};
	struct stat st;

	if (stat(VECTORS, &st) != 0) {
		fprintf(stderr, "python3-cryptography-vectors is not "
		    "installed\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
