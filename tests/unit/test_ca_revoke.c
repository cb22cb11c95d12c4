/* SPDX-License-Identifier: Apache-2.0 */
/* Does a CRL say what was revoked when its number was taken, and does nothing
 * that is revoked go missing from a later one? */
#include "ca_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "ca/revoke.h"

static enum oc_err
revoke(struct ca_fixture *f, const struct oc_serial *serial,
    enum crl_reason reason, struct oc_error *error)
{
	int64_t revoked_at;

	return ca_revoke(f->issuer, f->store, serial, reason, &revoked_at, 0,
	    error);
}

/* A CRL as OpenSSL reads it, verified with the CA's key.  X509_CRL_free(). */
static X509_CRL *
make_crl(struct ca_fixture *f, struct store *store, struct signer *signer,
    uint64_t *number)
{
	struct ca_crl crl = { 0 };
	struct oc_error error = { 0 };
	const uint8_t *p = f->issuer->cert.spki.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p,
	    (long)f->issuer->cert.spki.len);
	X509_CRL *read;

	if (ca_crl_create(f->issuer, store, signer, ca_deadline(), &crl,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
	p = crl.der;
	read = d2i_X509_CRL(NULL, &p, (long)crl.der_len);
	assert_non_null(read);
	assert_ptr_equal(p, crl.der + crl.der_len);
	assert_int_equal(X509_CRL_verify(read, key), 1);
	*number = crl.number;
	EVP_PKEY_free(key);
	ca_crl_fini(&crl);
	return read;
}

/* OpenSSL's answer: 0 not in it, 1 revoked; the reason, -1 without one. */
static int
look_up(X509_CRL *crl, const struct oc_serial *serial, long *reason)
{
	BIGNUM *bn = BN_bin2bn(serial->bytes, (int)serial->len, NULL);
	ASN1_INTEGER *number = BN_to_ASN1_INTEGER(bn, NULL);
	X509_REVOKED *entry = NULL;
	ASN1_ENUMERATED *value;
	int found = X509_CRL_get0_by_serial(crl, &entry, number);

	*reason = -1;
	if (found != 0) {
		value = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL,
		    NULL);
		if (value != NULL)
			*reason = ASN1_ENUMERATED_get(value);
		ASN1_ENUMERATED_free(value);
	}
	ASN1_INTEGER_free(number);
	BN_free(bn);
	return found;
}

static bool
is_listed(struct ca_fixture *f, const struct oc_serial *serial)
{
	uint64_t number;
	X509_CRL *crl = make_crl(f, f->store, f->signer, &number);
	long reason;
	bool is = look_up(crl, serial, &reason) != 0;

	X509_CRL_free(crl);
	return is;
}

/* RFC5280:5.3.1 */
static void
crl_says_what_is_revoked(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_serial bare = ca_issue_one(f, 0, 0),
	    key = ca_issue_one(f, 0, 0), good = ca_issue_one(f, 0, 0);
	struct oc_error error = { 0 };
	ASN1_INTEGER *in_crl;
	uint64_t number = 0;
	uint64_t value;
	X509_CRL *crl;
	int days, seconds;
	long reason;

	assert_int_equal(revoke(f, &bare, CRL_REASON_UNSPECIFIED, &error),
	    OC_OK);
	assert_int_equal(revoke(f, &key, CRL_REASON_KEY_COMPROMISE, &error),
	    OC_OK);
	crl = make_crl(f, f->store, f->signer, &number);
	assert_int_equal(look_up(crl, &bare, &reason), 1);
	assert_int_equal(reason, -1);
	assert_int_equal(look_up(crl, &key, &reason), 1);
	assert_int_equal(reason, 1);
	assert_int_equal(look_up(crl, &good, &reason), 0);
	assert_int_equal(ASN1_TIME_diff(&days, &seconds,
	    X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl)), 1);
	assert_int_equal(days, 7);
	assert_int_equal(seconds, 0);
	in_crl = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	assert_non_null(in_crl);
	assert_int_equal(ASN1_INTEGER_get_uint64(&value, in_crl), 1);
	assert_int_equal(value, number);
	ASN1_INTEGER_free(in_crl);
	X509_CRL_free(crl);
}

static void
empty_crl_and_rising_numbers(void **state)
{
	struct ca_fixture *f = *state;
	uint64_t before = 0, number;

	for (int i = 0; i < 3; i++) {
		X509_CRL *crl = make_crl(f, f->store, f->signer, &number);

		assert_null(X509_CRL_get_REVOKED(crl));
		assert_true(number > before);
		before = number;
		X509_CRL_free(crl);
	}
}

static void
hold_comes_and_goes(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_serial serial = ca_issue_one(f, 0, 0);
	struct oc_error error = { 0 };
	uint64_t number;
	X509_CRL *crl;
	long reason;

	assert_int_equal(revoke(f, &serial, CRL_REASON_REMOVE_FROM_CRL,
	    &error), OC_ERR_MISMATCH);
	assert_non_null(strstr(error.text, "not on hold"));
	assert_int_equal(revoke(f, &serial, CRL_REASON_CERTIFICATE_HOLD,
	    &error), OC_OK);
	crl = make_crl(f, f->store, f->signer, &number);
	assert_int_equal(look_up(crl, &serial, &reason), 1);
	assert_int_equal(reason, 6);
	X509_CRL_free(crl);
	assert_int_equal(revoke(f, &serial, CRL_REASON_REMOVE_FROM_CRL,
	    &error), OC_OK);
	assert_false(is_listed(f, &serial));
	/* And for good. */
	assert_int_equal(revoke(f, &serial, CRL_REASON_CERTIFICATE_HOLD,
	    &error), OC_OK);
	assert_int_equal(revoke(f, &serial, CRL_REASON_SUPERSEDED, &error),
	    OC_OK);
	assert_int_equal(revoke(f, &serial, CRL_REASON_REMOVE_FROM_CRL,
	    &error), OC_ERR_MISMATCH);
	assert_int_equal(revoke(f, &serial, CRL_REASON_CERTIFICATE_HOLD,
	    &error), OC_ERR_EXISTS);
	assert_non_null(strstr(error.text, "revoked already"));
	assert_true(is_listed(f, &serial));
}

static void
strangers_are_not_revoked(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_serial serial = { .len = 2, .bytes = { 0x12, 0x34 } };
	struct oc_error error = { 0 };

	assert_int_equal(revoke(f, &serial, CRL_REASON_UNSPECIFIED, &error),
	    OC_ERR_NOT_FOUND);
	assert_non_null(strstr(error.text, "issuer ca never issued"));
	assert_non_null(strstr(error.text, "1234"));
	assert_int_equal(revoke(f, &serial, (enum crl_reason)7, &error),
	    OC_ERR_MALFORMED);
}

/* BR:7.3: a CA's certificate is never revoked without one, and stays good
 * until somebody says why not. */
static void
a_ca_has_a_reason(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_certificate certificate = { 0 };
	struct oc_error error = { 0 };
	struct ca_profile profile;
	const struct ca_request request = {
		.profile = &profile,
		.csr = ca_csr("P-256", "CN=Sub CA,O=Example,C=DE", NULL),
	};

	ca_get_profile(f, "intermediate", &profile);
	if (ca_issue(f->issuer, f->store, f->signer, &request, ca_deadline(),
	    &certificate, &error) != OC_OK)
		fail_msg("%s", error.text);
	assert_int_equal(revoke(f, &certificate.serial,
	    CRL_REASON_UNSPECIFIED, &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "a CA's certificate"));
	assert_false(is_listed(f, &certificate.serial));
	assert_int_equal(revoke(f, &certificate.serial,
	    CRL_REASON_CERTIFICATE_HOLD, &error), OC_OK);
	assert_int_equal(revoke(f, &certificate.serial,
	    CRL_REASON_UNSPECIFIED, &error), OC_ERR_REFUSED);
	assert_int_equal(revoke(f, &certificate.serial,
	    CRL_REASON_CA_COMPROMISE, &error), OC_OK);
	assert_true(is_listed(f, &certificate.serial));
	ca_certificate_fini(&certificate);
}

/* --- expiry ----------------------------------------------------------- */

/*
 * RFC5280:3.3: an entry stands in one CRL at least that is later than the
 * certificate's life, however long ago that ended.
 */
static void
expired_leave_after_one_crl(void **state)
{
	struct ca_fixture *f = *state;
	int64_t now = oc_clock_now_s();
	struct oc_serial long_ago = ca_issue_one(f, now - 90 * CA_FIXTURE_DAY_S,
	    30 * CA_FIXTURE_DAY_S);
	struct oc_serial lately = ca_issue_one(f, now - 90 * CA_FIXTURE_DAY_S,
	    89 * CA_FIXTURE_DAY_S);
	struct oc_error error = { 0 };
	uint64_t number;
	X509_CRL *crl;
	long reason;

	assert_int_equal(revoke(f, &long_ago, CRL_REASON_SUPERSEDED, &error),
	    OC_OK);
	assert_int_equal(revoke(f, &lately, CRL_REASON_SUPERSEDED, &error),
	    OC_OK);
	crl = make_crl(f, f->store, f->signer, &number);
	assert_int_equal(look_up(crl, &long_ago, &reason), 1);
	assert_int_equal(look_up(crl, &lately, &reason), 1);
	X509_CRL_free(crl);
	crl = make_crl(f, f->store, f->signer, &number);
	assert_int_equal(look_up(crl, &long_ago, &reason), 0);
	/* A lifetime of CRLs is not over. */
	assert_int_equal(look_up(crl, &lately, &reason), 1);
	X509_CRL_free(crl);
}

/* --- failures --------------------------------------------------------- */

static void
must_fail(struct ca_fixture *f, const struct ca_issuer *issuer,
    struct signer *signer, enum oc_err err)
{
	struct ca_crl crl = { 0 };
	struct oc_error error = { 0 };

	assert_int_equal(ca_crl_create((struct ca_issuer *)(uintptr_t)issuer,
	    f->store, signer, ca_deadline(), &crl, &error), err);
	assert_int_equal(error.code, err);
	assert_string_not_equal(error.text, "");
	assert_null(crl.der);
}

static void
unsigned_crl_costs_its_number(void **state)
{
	static const enum fail_at places[] = { FAIL_FIND, FAIL_SUBMIT,
	    FAIL_DONE };
	struct ca_fixture *f = *state;
	struct faulty_signer faulty;
	struct store_crl newest = { 0 };
	uint64_t first, second;

	faulty_signer_init(&faulty, f->signer);
	X509_CRL_free(make_crl(f, f->store, f->signer, &first));
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		faulty.fail_at = places[i];
		must_fail(f, f->issuer, &faulty.signer, OC_ERR_DOWN);
		assert_int_equal(store_find_crl(f->store,
		    f->issuer->store_id, &newest), OC_OK);
		assert_int_equal(newest.number, first);
		store_crl_fini(&newest);
	}
	X509_CRL_free(make_crl(f, f->store, f->signer, &second));
	/* Those two that came as far as the signer. */
	assert_int_equal(second, first + 3);
}

static void
drop_crl_sign(struct x509_tbs *tbs)
{
	tbs->extensions.key_usage = X509_KU_KEY_CERT_SIGN;
}

static void
issuers_without_crl_sign_or_key_sign_none(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_issuer *issuer = ca_reissue(f, drop_crl_sign);

	must_fail(f, issuer, f->signer, OC_ERR_REFUSED);
	ca_issuer_free(issuer);
	f->issuer->config = &f->other;
	must_fail(f, f->issuer, f->signer, OC_ERR_MISMATCH);
	f->issuer->config = &f->section;
}

/* --- two at once ------------------------------------------------------ */

#define RIVALS 4
#define ROUNDS 50

/* A process of its own, but for the memory. */
struct rival {
	pthread_t thread;
	struct ca_fixture *f;
	struct store *store;
	struct oc_serial serials[ROUNDS];
};

/* Signs nothing worth verifying, but at once and from any thread. */
static enum oc_err
quick_submit(struct signer *s, struct sign_job *job)
{
	struct faulty_signer *f = (struct faulty_signer *)(uintptr_t)s;

	job->err = OC_OK;
	job->signed_alg = job->alg;
	job->signature_len = 64;
	f->taken = job;
	return OC_OK;
}

static void
quick_dispatch(struct signer *s)
{
	struct faulty_signer *f = (struct faulty_signer *)(uintptr_t)s;

	f->taken->done(f->taken, f->taken->arg);
}

static void *
revoke_and_list(void *arg)
{
	struct rival *r = arg;
	struct signer_ops ops;
	struct faulty_signer quick;

	faulty_signer_init(&quick, r->f->signer);
	ops = *quick.signer.ops;
	ops.submit = quick_submit;
	ops.dispatch = quick_dispatch;
	quick.signer.ops = &ops;
	for (int i = 0; i < ROUNDS; i++) {
		struct oc_error error = { 0 };
		struct ca_crl crl = { 0 };
		int64_t revoked_at;

		assert_int_equal(ca_revoke(r->f->issuer, r->store,
		    &r->serials[i], CRL_REASON_SUPERSEDED, &revoked_at, 0,
		    &error), OC_OK);
		assert_int_equal(ca_crl_create(r->f->issuer, r->store,
		    &quick.signer, ca_deadline(), &crl, &error), OC_OK);
		ca_crl_fini(&crl);
	}
	return NULL;
}

/* The more is revoked the longer a CRL is, and nothing is taken back. */
static void
assert_crls_only_grow(struct ca_fixture *f)
{
	sqlite3_stmt *statement;
	sqlite3 *db;
	int num = 0, len = 0;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT der_len FROM crl"
	    " WHERE issued_at <> 0 ORDER BY number", -1, &statement, NULL),
	    SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		int now = sqlite3_column_int(statement, 0);

		if (now < len)
			fail_msg("CRL %d is shorter than the one before it",
			    num);
		len = now;
		num++;
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
	assert_int_equal(num, RIVALS * ROUNDS);
}

/* Whatever a CRL says, those of a higher number say too. */
static void
no_revocation_is_lost_between_two_at_once(void **state)
{
	struct ca_fixture *f = *state;
	struct rival rivals[RIVALS];
	struct oc_error error = { 0 };

	for (int i = 0; i < RIVALS; i++) {
		rivals[i].f = f;
		assert_int_equal(store_open(f->path, STORE_CREATE,
		    &rivals[i].store, &error), OC_OK);
		store_set_busy_timeout(rivals[i].store, 60 * 1000);
		for (int k = 0; k < ROUNDS; k++)
			rivals[i].serials[k] = ca_issue_one(f, 0, 0);
	}
	for (int i = 0; i < RIVALS; i++)
		assert_int_equal(pthread_create(&rivals[i].thread, NULL,
		    revoke_and_list, &rivals[i]), 0);
	for (int i = 0; i < RIVALS; i++) {
		assert_int_equal(pthread_join(rivals[i].thread, NULL), 0);
		store_close(rivals[i].store);
	}
	assert_crls_only_grow(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ca_setup, \
	ca_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(crl_says_what_is_revoked),
		TEST(empty_crl_and_rising_numbers),
		TEST(hold_comes_and_goes),
		TEST(strangers_are_not_revoked), TEST(a_ca_has_a_reason),
		TEST(expired_leave_after_one_crl),
		TEST(unsigned_crl_costs_its_number),
		TEST(issuers_without_crl_sign_or_key_sign_none),
		TEST(no_revocation_is_lost_between_two_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
