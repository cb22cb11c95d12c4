/* SPDX-License-Identifier: Apache-2.0 */
/* One response that was signed elsewhere, by OpenSSL's hand: is it taken, and
 * what is said if it is not? */
#include "status/identity.h"
#include "status/loaded.h"
#include "tests/unit/offline_fixture.h"

static struct status_loader *
loader_of(struct world *w, struct ocsp_identity **identity)
{
	const struct oc_config_ocsp ocsp = { .issuer = &w->issuer,
	    .certificate = w->issuer.ocsp_certificate };
	struct status_loader *loader = NULL;
	struct oc_error error = { 0 };

	assert_int_equal(status_identity_load(&ocsp, identity, &error),
	    OC_OK);
	assert_int_equal(status_loader_new(&w->issuer, *identity, &loader,
	    &error), OC_OK);
	return loader;
}

static enum oc_err
load(const struct status_loader *loader, const struct blob *blob,
    struct ocsp_slot *slot, struct oc_error *error)
{
	*error = (struct oc_error){ 0 };
	return status_loader_read(loader, blob_bytes(blob),
	    oc_clock_now_s(), slot, error);
}

/* Every single bit that is wrong is seen, and every octet that is missing. */
static void
test_any_bit(void **state)
{
	struct world *w = *state;
	struct ocsp_identity *identity;
	struct status_loader *loader = loader_of(w, &identity);
	struct blob blob = offline_order(w, &(struct order){ .n = 1 }), bad;
	struct oc_error error;
	struct ocsp_slot slot;

	assert_int_equal(load(loader, &blob, &slot, &error), OC_OK);
	assert_int_equal(slot.status.kind, OCSP_GOOD);
	assert_int_equal(slot.encoding, OCSP_ENCODING_USUAL);
	for (size_t i = 0; i < blob.len * 8; i++) {
		bad = blob;
		bad.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
		if (load(loader, &bad, &slot, &error) == OC_OK)
			fail_msg("bit %zu", i);
		assert_true(error.text[0] != '\0');
	}
	for (size_t len = 0; len < blob.len; len++) {
		bad = blob;
		bad.len = len;
		assert_int_not_equal(load(loader, &bad, &slot, &error),
		    OC_OK);
	}
	bad = blob;
	bad.bytes[bad.len++] = 0;
	assert_int_not_equal(load(loader, &bad, &slot, &error), OC_OK);
	status_loader_free(loader);
	free(identity);
}

struct refusal {
	struct order order;
	const char *why;
};

static void
refused(struct world *w, const struct refusal *rows, size_t num)
{
	struct ocsp_identity *identity;
	struct status_loader *loader = loader_of(w, &identity);
	struct oc_error error;
	struct ocsp_slot slot;

	for (size_t i = 0; i < num; i++) {
		struct blob blob = offline_order(w, &rows[i].order);

		if (load(loader, &blob, &slot, &error) == OC_OK)
			fail_msg("taken: %s", rows[i].why);
		if (strstr(error.text, rows[i].why) == NULL)
			fail_msg("no \"%s\" in: %s", rows[i].why, error.text);
	}
	status_loader_free(loader);
	free(identity);
}

static void
test_refused(void **state)
{
	struct world *w = *state;
	EVP_PKEY *key = fixture_key("P-256");
	X509 *other = fixture_cert("Other CA", key, FIXTURE_CA, NULL, NULL);
	const struct refusal rows[] = {
		{ { .status = V_OCSP_CERTSTATUS_UNKNOWN }, "\"unknown\"" },
		{ { .is_twice = true }, "answers for 2 certificates" },
		{ { .issuer = other }, "of another issuer" },
		{ { .key = key, .signer = other }, "its signature is not" },
		{ { .key = key, .signer = other, .without = OCSP_NOCERTS },
		    "belongs in ocsp-certificate" },
		{ { .md = EVP_sha384() }, "ecdsa-sha384" },
		{ { .is_endless = true }, "no nextUpdate" },
		{ { .begins_s = -2 * DAY, .lasts_s = -DAY }, "it ended at" },
		{ { .begins_s = DAY / 2 }, "it begins at" },
		{ { .begins_s = 200 }, "begins after it was made" },
		{ { .lasts_s = 50 * 365 * (int64_t)DAY }, "outlasts" },
		{ { .without = OCSP_RESPID_KEY }, "is a name, not a key" },
		{ { .without = OCSP_NOCERTS }, "certificates inside" },
		{ { .has_extension = true }, "an extension" },
		{ { .has_nonce = true }, "a nonce" },
	};

	refused(w, rows, sizeof(rows) / sizeof(rows[0]));
	X509_free(other);
	EVP_PKEY_free(key);
}

/* With responder-id = name they are made so, and what is not is told so. */
static void
test_by_name(void **state)
{
	struct world *w = *state;
	const struct refusal by_key = { { .n = 1 }, "is a key, not a name" };
	struct ocsp_identity *identity;
	struct status_loader *loader;
	struct blob blob = offline_order(w, &(struct order){ .n = 1,
	    .without = OCSP_RESPID_KEY });
	struct oc_error error;
	struct ocsp_slot slot;

	w->issuer.responder_id = OC_RESPONDER_ID_NAME;
	loader = loader_of(w, &identity);
	assert_int_equal(load(loader, &blob, &slot, &error), OC_OK);
	status_loader_free(loader);
	free(identity);
	refused(w, &by_key, 1);
}

/* Of a delegated signer: his and nobody else's, with his certificate. */
static void
test_delegate(void **state)
{
	struct world *w = *state;
	EVP_PKEY *key = fixture_key("P-256");
	X509 *signer = fixture_cert("Signer", key, FIXTURE_DELEGATE, w->ca,
	    w->ca_key);
	const struct order his = { .key = key, .signer = signer,
	    .without = OCSP_NOCERTS };
	struct refusal rows[] = {
		{ { .n = 1 }, "not that of ocsp-certificate" },
		{ his, "" },
	};
	struct ocsp_identity *identity;
	struct status_loader *loader;
	struct blob blob = offline_order(w, &his);
	struct oc_error error;
	struct ocsp_slot slot;

	offline_use_delegate(w, signer);
	loader = loader_of(w, &identity);
	assert_int_equal(load(loader, &blob, &slot, &error), OC_OK);
	status_loader_free(loader);
	free(identity);
	refused(w, rows, 1);
	rows[1].order.without = 0;
	rows[1].why = "certificate inside is not";
	refused(w, &rows[1], 1);
	X509_free(signer);
	EVP_PKEY_free(key);
}

#define T(name) cmocka_unit_test_setup_teardown(name, offline_setup,	\
    offline_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_any_bit), T(test_refused), T(test_by_name),
		T(test_delegate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
