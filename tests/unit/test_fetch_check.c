/* SPDX-License-Identifier: Apache-2.0 */
/* What was fetched and may not take the place of what is there, each by its
 * name. */
#include "tests/unit/crl_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "fetch/check.h"
#include "x509/cert.h"

#define WHERE "http://pki.example.com/ca.crl"

struct place {
	struct blob der;
	struct x509_cert cert;
};

static void
read_issuer(const struct crl_world *w, struct place *p)
{
	struct oc_error error = { 0 };

	p->der = fixture_cert_der(w->ca);
	if (x509_cert_read((struct der_bytes){ p->der.bytes, p->der.len },
	    &p->cert, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static enum oc_err
check(const struct place *p, const void *octets, size_t len,
    const struct status_crl_list *before, struct status_crl_list **list,
    struct oc_error *error)
{
	uint8_t *copy = malloc(len + 1);
	enum oc_err err;

	memcpy(copy, octets, len);
	err = fetch_check(WHERE, copy, len, &p->cert, STATUS_CRL_ANY,
	    before, oc_clock_now_s(), list, error);
	free(copy);
	return err;
}

static struct status_crl_list *
take(const struct crl_world *w, const struct place *p,
    const struct crl_order *order)
{
	struct status_crl_list *list = NULL;
	struct oc_error error = { 0 };
	size_t len;
	uint8_t *der = fixture_crl(order, w->ca, w->key, &len);

	if (check(p, der, len, NULL, &list, &error) != OC_OK)
		fail_msg("%s", error.text);
	OPENSSL_free(der);
	return list;
}

static void
expect(enum oc_err expected, const char *why, enum oc_err got,
    const struct oc_error *error)
{
	if (got != expected || strstr(error->text, why) == NULL ||
	    strncmp(error->text, WHERE, strlen(WHERE)) != 0)
		fail_msg("%d, %s, not %d, %s", got, error->text, expected,
		    why);
}

static void
expect_order(const struct crl_world *w, const struct place *p,
    const struct crl_order *order, const struct status_crl_list *before,
    const char *why)
{
	struct status_crl_list *list = NULL;
	struct oc_error error = { 0 };
	size_t len;
	uint8_t *der = fixture_crl(order, w->ca, w->key, &len);
	enum oc_err err = check(p, der, len, before, &list, &error);

	expect(error.code, why, err, &error);
	assert_null(list);
	assert_int_not_equal(err, OC_OK);
	OPENSSL_free(der);
}

static void
test_taken(void **state)
{
	struct crl_world *w = *state;
	struct status_crl_list *list, *again = NULL, *newer = NULL;
	struct oc_error error = { 0 };
	struct place p;
	size_t len;
	uint8_t *der;

	read_issuer(w, &p);
	list = take(w, &p, &(struct crl_order){ .number = 5, .items = two });
	assert_int_equal(list->list.num_entries, 2);
	/* The same; a later one. */
	assert_int_equal(check(&p, list->crl.der.p, list->crl.der.len, list,
	    &again, &error), OC_ERR_EXISTS);
	assert_null(again);
	der = fixture_crl(&(struct crl_order){ .number = 6 }, w->ca, w->key,
	    &len);
	assert_int_equal(check(&p, der, len, list, &newer, &error), OC_OK);
	OPENSSL_free(der);
	status_crl_list_release(newer);
	status_crl_list_release(list);
}

static void
test_dates(void **state)
{
	struct crl_world *w = *state;
	struct status_crl_list *list;
	struct place p;

	read_issuer(w, &p);
	list = take(w, &p, &(struct crl_order){ .number = 5, .items = two });
	expect_order(w, &p, &(struct crl_order){ .number = 6,
	    .begins_s = -7200, .lasts_s = -3600 }, NULL, "it has expired");
	expect_order(w, &p, &(struct crl_order){ .number = 6,
	    .begins_s = 3600 }, NULL, "it is from the future");
	expect_order(w, &p, &(struct crl_order){ .number = 6,
	    .is_endless = true }, NULL, "it has no nextUpdate");
	expect_order(w, &p, &(struct crl_order){ .number = 4 }, list,
	    "it is older than the last good one: its number is 4");
	expect_order(w, &p, &(struct crl_order){ .number = 6,
	    .begins_s = -7200 }, list, "its thisUpdate is");
	expect_order(w, &p, &(struct crl_order){ .number = 5 }, list,
	    "says something else");
	status_crl_list_release(list);
}

static void
test_not_a_list(void **state)
{
	static const char html[] = "<html><body>Log in</body></html>";
	struct crl_world *w = *state;
	struct status_crl_list *list = NULL;
	struct oc_error error = { 0 };
	struct place p;
	size_t len;
	uint8_t *der;
	X509 *other;

	read_issuer(w, &p);
	expect(OC_ERR_MALFORMED, "neither in PEM nor in DER", check(&p, html,
	    strlen(html), NULL, &list, &error), &error);
	expect(OC_ERR_MALFORMED, "is empty", check(&p, "", 0, NULL, &list,
	    &error), &error);
	expect(OC_ERR_MALFORMED, "", check(&p, p.der.bytes, p.der.len, NULL,
	    &list, &error), &error);
	der = fixture_crl(&(struct crl_order){ .number = 5, .items = two },
	    w->ca, w->key, &len);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(check(&p, der, n, NULL, &list, &error),
		    OC_ERR_MALFORMED);
	der[len - 1] ^= 1;
	expect(OC_ERR_SIGNATURE, "", check(&p, der, len, NULL, &list, &error),
	    &error);
	OPENSSL_free(der);
	other = fixture_cert("Other", w->key, FIXTURE_CA, NULL, NULL);
	der = fixture_crl(&(struct crl_order){ .number = 5 }, other, w->key,
	    &len);
	expect(OC_ERR_MISMATCH, "it is issued by", check(&p, der, len, NULL,
	    &list, &error), &error);
	OPENSSL_free(der);
	X509_free(other);
	assert_null(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_list, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
