/* SPDX-License-Identifier: Apache-2.0 */
/* Does no certificate exist that the store does not know, wherever signer or
 * store give up, and is nothing signed for the wrong issuer? */
#include "ca_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "ca/revoke.h"

static const struct x509_csr *
plain_csr(void)
{
	return ca_csr("P-256", "CN=a.example", "subjectAltName",
	    "DNS:a.example,DNS:b.example", NULL);
}

static void
assert_record(struct ca_fixture *f, const struct ca_certificate *certificate)
{
	struct store_certificate record = { 0 };

	assert_int_equal(store_find_certificate(f->store,
	    f->issuer->store_id, &certificate->serial, &record), OC_OK);
	assert_int_equal(record.id, certificate->store_id);
	assert_int_equal(record.state, STORE_ISSUED);
	assert_string_equal(record.profile, "server");
	assert_string_equal(record.subject, "CN=a.example");
	assert_string_equal(record.names, "DNS:a.example\nDNS:b.example");
	assert_int_equal(record.certificate_len, certificate->der_len);
	assert_memory_equal(record.certificate, certificate->der,
	    certificate->der_len);
	/* The TBS stands in the certificate, behind its header. */
	assert_non_null(memmem(certificate->der, certificate->der_len,
	    record.tbs, record.tbs_len));
	store_certificate_fini(&record);
}

static void
issued_is_recorded(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_certificate a = { 0 }, b = { 0 };
	struct oc_error error = { 0 };
	int64_t num_entries, bad;

	assert_int_equal(ca_try(f, "server", plain_csr(), &a, &error), OC_OK);
	assert_int_equal(ca_try(f, "server", plain_csr(), &b, &error), OC_OK);
	assert_record(f, &a);
	assert_record(f, &b);
	assert_false(oc_serial_equal(&a.serial, &b.serial));
	assert_int_equal(ca_count(f, STORE_RESERVED), 0);
	assert_int_equal(store_verify_journal(f->store, &num_entries, &bad),
	    OC_OK);
	ca_certificate_fini(&a);
	ca_certificate_fini(&b);
	assert_null(a.der);
}

/* --- the signer fails ------------------------------------------------- */

static enum oc_err
try_faulty(struct ca_fixture *f, struct faulty_signer *faulty,
    struct oc_error *error)
{
	struct ca_certificate certificate = { 0 };
	struct ca_profile profile;
	const struct ca_request request = { .profile = &profile,
	    .csr = plain_csr() };
	enum oc_err err;

	ca_get_profile(f, "server", &profile);
	err = ca_issue(f->issuer, f->store, &faulty->signer, &request,
	    ca_deadline(), &certificate, error);
	if (err != OC_OK)
		assert_null(certificate.der);
	ca_certificate_fini(&certificate);
	return err;
}

static void
failed_signature_leaves_a_reserved_row(void **state)
{
	static const struct {
		enum fail_at at;
		enum oc_err err;
		uint32_t num_reserved;
	} rows[] = {
		{ FAIL_FIND, OC_ERR_DOWN, 0 },
		{ FAIL_FIND, OC_ERR_NOT_FOUND, 0 },
		{ FAIL_SUBMIT, OC_ERR_REFUSED, 1 },
		{ FAIL_SUBMIT, OC_ERR_BUSY, 1 },
		{ FAIL_DONE, OC_ERR_DOWN, 1 },
		{ FAIL_DONE, OC_ERR_TIMEOUT, 1 },
		{ FAIL_DONE, OC_ERR_SIGNATURE, 1 },
	};
	struct ca_fixture *f = *state;
	uint32_t num_reserved = 0, num_issued = ca_count(f, STORE_ISSUED);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct oc_error error = { 0 };
		struct faulty_signer faulty;

		faulty_signer_init(&faulty, f->signer);
		faulty.fail_at = rows[i].at;
		faulty.err = rows[i].err;
		assert_int_equal(try_faulty(f, &faulty, &error),
		    rows[i].err);
		assert_int_equal(error.code, rows[i].err);
		assert_string_not_equal(error.text, "");
		num_reserved += rows[i].num_reserved;
		assert_int_equal(ca_count(f, STORE_RESERVED), num_reserved);
		assert_int_equal(ca_count(f, STORE_ISSUED), num_issued);
	}
}

/* --- the store fails -------------------------------------------------- */

/* From now on the database takes no certificate. */
static void
spoil_store(void *arg)
{
	const struct ca_fixture *f = arg;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TRIGGER spoiled BEFORE "
	    "INSERT ON certificate_der BEGIN SELECT RAISE(ABORT, 'spoiled'); "
	    "END", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
store_that_fails_after_signing_knows_it_as_reserved(void **state)
{
	struct ca_fixture *f = *state;
	uint32_t num_issued = ca_count(f, STORE_ISSUED);
	struct oc_error error = { 0 };
	struct faulty_signer faulty;

	faulty_signer_init(&faulty, f->signer);
	faulty.before = spoil_store;
	faulty.arg = f;
	assert_int_not_equal(try_faulty(f, &faulty, &error), OC_OK);
	assert_non_null(strstr(error.text, "spoiled"));
	assert_int_equal(ca_count(f, STORE_RESERVED), 1);
	assert_int_equal(ca_count(f, STORE_ISSUED), num_issued);
}

static void
lock_store(void *arg)
{
	assert_int_equal(sqlite3_exec(arg, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
}

static void
locked_store_signs_nothing(void **state)
{
	struct ca_fixture *f = *state;
	unsigned long num_signed = sign_soft_num_signed(f->signer);
	struct oc_error error = { 0 };
	struct faulty_signer faulty;
	sqlite3 *db;

	faulty_signer_init(&faulty, f->signer);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	lock_store(db);
	store_set_busy_timeout(f->store, 50);
	assert_int_equal(try_faulty(f, &faulty, &error), OC_ERR_BUSY);
	assert_int_equal(sign_soft_num_signed(f->signer), num_signed);
	sqlite3_close(db);
	assert_int_equal(ca_count(f, STORE_RESERVED), 0);
	assert_int_equal(try_faulty(f, &faulty, &error), OC_OK);
}

/* --- whose key it is -------------------------------------------------- */

/* The signer was started with another key under this name. */
static void
another_key_of_this_name_signs_nothing(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_issuer *issuer = f->issuer;
	unsigned long num_signed = sign_soft_num_signed(f->signer);
	struct ca_certificate certificate = { 0 };
	struct oc_error error = { 0 };
	struct ca_profile profile;
	const struct ca_request request = { .profile = &profile,
	    .csr = plain_csr() };

	ca_get_profile(f, "server", &profile);
	issuer->config = &f->other;
	assert_int_equal(ca_issue(issuer, f->store, f->signer, &request,
	    ca_deadline(), &certificate, &error), OC_ERR_MISMATCH);
	assert_non_null(strstr(error.text, "issuer other"));
	assert_int_equal(sign_soft_num_signed(f->signer), num_signed);
	assert_int_equal(ca_count(f, STORE_RESERVED), 0);
	issuer->config = &f->section;
}

/* --- roots ------------------------------------------------------------ */

static enum oc_err
try_root(struct ca_fixture *f, const struct oc_config_issuer *section,
    const char *profile_name, struct signer *signer, struct oc_error *error)
{
	struct ca_certificate certificate = { 0 };
	struct ca_profile profile;
	const struct ca_request request = { .profile = &profile,
	    .subject = test_name("CN=Test Root,O=Example") };
	enum oc_err err;

	ca_get_profile(f, profile_name, &profile);
	err = ca_issue_root(section, f->store, signer, &request,
	    ca_deadline(), &certificate, error);
	ca_certificate_fini(&certificate);
	return err;
}

/* A second one that is not signed must not cost the store the first. */
static void
store_keeps_the_roots_certificate(void **state)
{
	struct ca_fixture *f = *state;
	struct store_issuer row = { 0 };
	struct oc_error error = { 0 };
	struct faulty_signer faulty;

	faulty_signer_init(&faulty, f->signer);
	faulty.fail_at = FAIL_SUBMIT;
	assert_int_equal(try_root(f, &f->section, "root", &faulty.signer,
	    &error), OC_ERR_DOWN);
	assert_int_equal(store_find_issuer(f->store, "ca", &row), OC_OK);
	assert_int_equal(row.certificate_len, f->issuer->cert.der.len);
	assert_memory_equal(row.certificate, f->issuer->cert.der.p,
	    row.certificate_len);
	store_issuer_fini(&row);
}

static void
root_of_another_key_or_profile_is_refused(void **state)
{
	struct ca_fixture *f = *state;
	uint32_t num = ca_count(f, 0);
	struct oc_error error = { 0 };
	struct signer *signer;

	assert_int_equal(sign_soft_new(&signer), OC_OK);
	assert_int_equal(sign_soft_generate(signer, "issuer/ca",
	    SIGN_KEY_P384, 384), OC_OK);
	assert_int_equal(try_root(f, &f->section, "root", signer, &error),
	    OC_ERR_MISMATCH);
	sign_free(signer);
	assert_int_equal(try_root(f, &f->other, "client", f->signer, &error),
	    OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "the profile client"));
	assert_int_equal(ca_count(f, 0), num);
}

/* --- issuers ---------------------------------------------------------- */

static void
expire(struct x509_tbs *tbs)
{
	tbs->not_after = tbs->not_before + 3600;
}

static void
make_end_entity(struct x509_tbs *tbs)
{
	tbs->extensions.ca = X509_NOT_CA;
	tbs->extensions.key_usage = X509_KU_DIGITAL_SIGNATURE;
}

static void
drop_cert_sign(struct x509_tbs *tbs)
{
	tbs->extensions.key_usage = X509_KU_CRL_SIGN;
}

static void
must_not_load(struct ca_fixture *f, void (*change)(struct x509_tbs *tbs),
    const char *words)
{
	struct ca_issuer *issuer = NULL;
	struct x509_tbs tbs = ca_tbs(f);
	struct oc_error error = { 0 };

	change(&tbs);
	ca_write_certificate(f, &tbs);
	assert_int_equal(ca_issuer_load(&f->section, &issuer, &error),
	    OC_ERR_REFUSED);
	assert_null(issuer);
	if (strstr(error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
}

/* It can be said that a certificate is revoked for as long as anybody may
 * believe it; issued is nothing any more. */
static void
expired_issuer_revokes_but_issues_nothing(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_certificate certificate = { 0 };
	struct x509_tbs tbs = ca_tbs(f);
	struct ca_issuer *issuer = NULL;
	struct oc_error error = { 0 };
	struct ca_profile profile;
	const struct ca_request request = { .profile = &profile,
	    .csr = plain_csr() };

	expire(&tbs);
	ca_write_certificate(f, &tbs);
	assert_int_equal(ca_issuer_load(&f->section, &issuer, &error), OC_OK);
	assert_int_equal(ca_issuer_register(issuer, f->store, &error), OC_OK);
	ca_get_profile(f, "server", &profile);
	assert_int_equal(ca_issue(issuer, f->store, f->signer, &request,
	    ca_deadline(), &certificate, &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "has expired"));
	assert_int_equal(ca_count(f, STORE_RESERVED), 0);
	ca_issuer_free(issuer);
}

/* What it issued is answered for, and by nobody who can do more. */
static void
revoked_issuer_only_has_its_status_signed(void **state)
{
	static const char *const nothing[] = { "server", "client",
	    "intermediate" };
	struct ca_fixture *f = *state;
	const struct x509_csr *csr = ca_csr("P-256", "CN=OCSP", NULL);
	struct ca_certificate certificate = { 0 };
	struct oc_error error = { 0 };
	struct ca_crl crl = { 0 };
	struct ca_profile profile;
	const struct ca_request request = { .profile = &profile, .csr = csr };

	/* A root's command refuses that; it is one in the records, too. */
	assert_int_equal(store_revoke(f->store, &(struct store_revocation){
	    .issuer_id = f->issuer->store_id,
	    .serial = f->issuer->cert.serial,
	    .reason = CRL_REASON_CA_COMPROMISE, .revoked_at = time(NULL) }),
	    OC_OK);
	for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
		assert_int_equal(ca_try(f, nothing[i], plain_csr(),
		    &certificate, &error), OC_ERR_REFUSED);
		assert_non_null(strstr(error.text, "was revoked at"));
	}
	ca_get_profile(f, "ocsp-signer", &profile);
	memcpy(profile.eku_octets[1], profile.eku_octets[0],
	    profile.eku_len[0]);
	profile.eku_len[1] = profile.eku_len[0];
	profile.eku_octets[1][profile.eku_len[1] - 1] = 2;	/* clientAuth */
	profile.num_ekus = 2;
	assert_int_equal(ca_issue(f->issuer, f->store, f->signer, &request,
	    ca_deadline(), &certificate, &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "was revoked at"));
	assert_int_equal(ca_count(f, STORE_RESERVED), 0);
	X509_free(ca_must_issue(f, "ocsp-signer", csr));
	assert_int_equal(ca_crl_create(f->issuer, f->store, f->signer,
	    ca_deadline(), &crl, &error), OC_OK);
	ca_crl_fini(&crl);
}

static void
issuer_must_be_a_ca(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_issuer *issuer = NULL;
	struct oc_error error = { 0 };

	must_not_load(f, make_end_entity, "not a CA certificate");
	must_not_load(f, drop_cert_sign, "not a CA certificate");
	assert_int_equal(unlink(f->certificate), 0);
	assert_int_equal(ca_issuer_load(&f->section, &issuer, &error),
	    OC_ERR_NOT_FOUND);
	assert_non_null(strstr(error.text, "ocsign ca create ca"));
	assert_null(issuer);
}

static void
one_name_has_one_key(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_error error = { 0 };
	int64_t id = f->issuer->store_id;

	f->issuer->spki_hash[0] ^= 1;
	assert_int_equal(ca_issuer_register(f->issuer, f->store, &error),
	    OC_ERR_MISMATCH);
	assert_non_null(strstr(error.text, "another name"));
	assert_int_equal(f->issuer->store_id, id);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ca_setup, \
	ca_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(issued_is_recorded),
		TEST(failed_signature_leaves_a_reserved_row),
		TEST(store_that_fails_after_signing_knows_it_as_reserved),
		TEST(locked_store_signs_nothing),
		TEST(another_key_of_this_name_signs_nothing),
		TEST(store_keeps_the_roots_certificate),
		TEST(root_of_another_key_or_profile_is_refused),
		TEST(expired_issuer_revokes_but_issues_nothing),
		TEST(revoked_issuer_only_has_its_status_signed),
		TEST(issuer_must_be_a_ca),
		TEST(one_name_has_one_key),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
