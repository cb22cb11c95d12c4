/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An issuer whose key is elsewhere: which of its responses are loaded, by
 * OpenSSL's hand, and what is served of them when.
 */
#include <sys/stat.h>

#include "status/identity.h"
#include "status/loaded.h"
#include "tests/unit/status_fixture.h"

#include <openssl/pem.h>

#define USUAL OCSP_ENCODING_USUAL
#define DAY 86400

/* What OpenSSL is to sign; zero is a good answer of ours, for a day.  The
 * fixture's certificates last for ten. */
struct order {
	uint64_t n;
	int64_t begins_s, lasts_s;	/* from now; 0: -600, DAY */
	int status;			/* V_OCSP_CERTSTATUS_... */
	int reason;
	EVP_PKEY *key;			/* NULL: the CA's */
	X509 *signer, *issuer;		/* NULL: the CA */
	const EVP_MD *md;		/* NULL: SHA-256 */
	unsigned long without;		/* flags not to have */
	bool is_endless, is_twice, has_extension, has_nonce;
};

static void
add_single(struct world *w, OCSP_BASICRESP *basic, const struct order *o,
    uint64_t n)
{
	struct oc_serial serial = world_serial(n);
	BIGNUM *number = BN_bin2bn(serial.bytes, serial.len, NULL);
	ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
	X509 *issuer = o->issuer != NULL ? o->issuer : w->ca;
	OCSP_CERTID *id = OCSP_cert_id_new(EVP_sha1(),
	    X509_get_subject_name(issuer), X509_get0_pubkey_bitstr(issuer),
	    integer);
	time_t now = (time_t)oc_clock_now_s();
	ASN1_TIME *begins = X509_gmtime_adj(NULL,
	    o->begins_s != 0 ? (long)o->begins_s : -600);
	ASN1_TIME *ends = X509_gmtime_adj(NULL,
	    o->lasts_s != 0 ? (long)o->lasts_s : DAY);
	ASN1_TIME *revoked = ASN1_TIME_set(NULL, now - DAY);
	OCSP_SINGLERESP *single = OCSP_basic_add1_status(basic, id, o->status,
	    o->reason, revoked, begins, o->is_endless ? NULL : ends);

	assert_non_null(single);
	if (o->has_extension)
		assert_int_equal(OCSP_SINGLERESP_add1_ext_i2d(single,
		    NID_id_pkix_OCSP_archiveCutoff, begins, 0, 0), 1);
	ASN1_TIME_free(begins);
	ASN1_TIME_free(ends);
	ASN1_TIME_free(revoked);
	OCSP_CERTID_free(id);
	ASN1_INTEGER_free(integer);
	BN_free(number);
}

static struct blob
order(struct world *w, const struct order *o)
{
	unsigned long flags = (OCSP_RESPID_KEY | OCSP_NOCERTS) & ~o->without;
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_RESPONSE *response;
	unsigned char *der = NULL;
	struct blob blob = { .len = 0 };
	int len;

	add_single(w, basic, o, o->n);
	if (o->is_twice)
		add_single(w, basic, o, o->n + 1);
	if (o->has_nonce)
		assert_int_equal(OCSP_basic_add1_nonce(basic, NULL, 16), 1);
	assert_int_equal(OCSP_basic_sign(basic, o->signer != NULL ? o->signer :
	    w->ca, o->key != NULL ? o->key : w->ca_key, o->md != NULL ?
	    o->md : EVP_sha256(), NULL, flags), 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL,
	    basic);
	len = i2d_OCSP_RESPONSE(response, &der);
	assert_true(len > 0 && (size_t)len <= sizeof(blob.bytes));
	memcpy(blob.bytes, der, (size_t)len);
	blob.len = (size_t)len;
	OPENSSL_free(der);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	return blob;
}

/* The CA signs itself, and its responses lie in a directory.  Beside it there
 * may be others, whose keys are here. */
static int
setup(void **state)
{
	static char name[] = "soft";
	static struct oc_config_token token = { .name = name, .sessions = 4 };
	struct world *w;

	world_setup(state);
	w = *state;
	free(w->issuer.ocsp_certificate);
	w->issuer.ocsp_certificate = NULL;
	w->issuer.presign = OC_PRESIGN_ALL;
	w->config.tokens = &token;
	w->config.num_tokens = 1;
	assert_true(asprintf(&w->issuer.responses, "%s/responses",
	    w->directory) > 0);
	assert_int_equal(mkdir(w->issuer.responses, 0700), 0);
	w->gate.refuse = OC_ERR_DOWN;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char *responses = w->issuer.responses;
	int rc;

	assert_int_equal(w->gate.num_refused + w->gate.num_submitted, 0);
	rc = world_teardown(state);
	free(responses);
	return rc;
}

static void
put(const struct world *w, const char *name, const struct blob *blob)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", w->issuer.responses, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(blob->bytes, 1, blob->len, f), blob->len);
	assert_int_equal(fclose(f), 0);
}

static void
put_order(struct world *w, const char *name, const struct order *o)
{
	struct blob blob = order(w, o);

	put(w, name, &blob);
}

static void
put_fifo(const struct world *w, const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", w->issuer.responses, name);
	assert_int_equal(mkfifo(path, 0600), 0);
}

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
	struct blob blob = order(w, &(struct order){ .n = 1 }), bad;
	struct oc_error error;
	struct ocsp_slot slot;

	assert_int_equal(load(loader, &blob, &slot, &error), OC_OK);
	assert_int_equal(slot.status.kind, OCSP_GOOD);
	assert_int_equal(slot.encoding, USUAL);
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
		struct blob blob = order(w, &rows[i].order);

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

static void
use_delegate(struct world *w, X509 *signer)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/signer.pem", w->directory);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, signer), 1);
	assert_int_equal(fclose(f), 0);
	w->issuer.ocsp_certificate = strdup(path);
}

/* With responder-id = name they are made so, and what is not is told so. */
static void
test_by_name(void **state)
{
	struct world *w = *state;
	const struct refusal by_key = { { .n = 1 }, "is a key, not a name" };
	struct ocsp_identity *identity;
	struct status_loader *loader;
	struct blob blob = order(w, &(struct order){ .n = 1,
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
	struct blob blob = order(w, &his);
	struct oc_error error;
	struct ocsp_slot slot;

	use_delegate(w, signer);
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

static void
expect(struct world *w, uint64_t n, uint8_t kind, uint8_t status)
{
	struct reply reply = { 0 };

	world_ask(w, n, USUAL, &reply);
	assert_int_equal(reply.num, 1);
	assert_int_equal(reply.kind, kind);
	if (kind == IPC_ANSWER_ERROR)
		assert_int_equal(reply.status, status);
}

/* With another key what was loaded stays, until there is newer; but not what
 * the store contradicts. */
static void
test_other_key(void **state)
{
	struct world *w = *state;
	EVP_PKEY *key = fixture_key("P-256");
	X509 *signer = fixture_cert("Signer", key, FIXTURE_DELEGATE, w->ca,
	    w->ca_key);

	put_order(w, "1.der", &(struct order){ .n = 1 });
	put_order(w, "2.der", &(struct order){ .n = 2 });
	world_start(w);
	assert_int_equal(world_num_slots(w), 2);
	world_stop(w);
	use_delegate(w, signer);
	put_order(w, "2.der", &(struct order){ .n = 2, .key = key,
	    .signer = signer, .without = OCSP_NOCERTS });
	world_start(w);
	assert_int_equal(world_num_slots(w), 1);
	expect(w, 1, IPC_ANSWER_TABLE, 0);
	expect(w, 2, IPC_ANSWER_TABLE, 0);
	world_issue(w, 1, oc_clock_now_s() + YEAR);
	world_revoke(w, 1, CRL_REASON_SUPERSEDED);
	world_until(w, ocsp_table_num_used(w->service->older) == 1);
	expect(w, 1, IPC_ANSWER_ERROR, OCSP_TRY_LATER);
	X509_free(signer);
	EVP_PKEY_free(key);
}

/* In a store that knows nothing of it. */
static void
test_served(void **state)
{
	struct world *w = *state;
	static const uint64_t both[] = { 1, 2 };
	struct reply reply = { 0 };
	struct ocsp_slot slot;

	put_order(w, "1.der", &(struct order){ .n = 1 });
	put_order(w, "2.der", &(struct order){ .n = 2,
	    .status = V_OCSP_CERTSTATUS_REVOKED, .reason = 5 });
	put_order(w, ".3.der", &(struct order){ .n = 3 });
	put_fifo(w, "pipe");
	world_start(w);
	assert_int_equal(world_num_lines(w, "pipe is no regular "
	    "file"), 1);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_GOOD);
	assert_true(world_look(w, 2, USUAL, &slot));
	assert_int_equal(slot.status.reason, 5);
	expect(w, 1, IPC_ANSWER_TABLE, 0);
	expect(w, 3, IPC_ANSWER_ERROR, OCSP_UNAUTHORIZED);
	world_ask(w, 1, OCSP_ENCODING(OCSP_HASH_SHA256, 0), &reply);
	assert_int_equal(reply.status, OCSP_UNAUTHORIZED);
	world_ask_live(w, both, 2, 0, &reply);
	assert_int_equal(reply.status, OCSP_UNAUTHORIZED);
	world_ask_live(w, both, 1, 16, &reply);
	assert_int_equal(reply.kind, IPC_ANSWER_NO_NONCE);
	assert_int_equal(reply.num, 3);
	assert_int_equal(world_num_lines(w, "2 responses loaded"), 1);
}

static void
report(const struct world *w, struct status_offline_report *out)
{
	struct status_service_report all;

	status_service_report(w->service, &all);
	*out = all.offline;
}

/* A restart with other files: newer ones are taken, older ones are not, good
 * after revoked is not, and what has no file any more stays. */
static void
test_replaced(void **state)
{
	struct world *w = *state;
	struct status_offline_report r;
	struct ocsp_slot slot, before;
	char path[400];

	put_order(w, "1.der", &(struct order){ .n = 1, .begins_s = -600 });
	put_order(w, "2.der", &(struct order){ .n = 2,
	    .status = V_OCSP_CERTSTATUS_REVOKED, .reason = 1 });
	put_order(w, "3.der", &(struct order){ .n = 3,
	    .status = V_OCSP_CERTSTATUS_REVOKED, .reason = 6 });
	put_order(w, "4.der", &(struct order){ .n = 4 });
	world_start(w);
	assert_true(world_look(w, 1, USUAL, &before));
	world_stop(w);
	put_order(w, "1.der", &(struct order){ .n = 1, .begins_s = -900 });
	put_order(w, "2.der", &(struct order){ .n = 2, .begins_s = -100 });
	put_order(w, "3.der", &(struct order){ .n = 3, .begins_s = -100 });
	snprintf(path, sizeof(path), "%s/4.der", w->issuer.responses);
	assert_int_equal(unlink(path), 0);
	world_start(w);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.this_update, before.this_update);
	assert_int_equal(world_num_lines(w, "1.der is refused: it is older"),
	    1);
	assert_true(world_look(w, 2, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	assert_int_equal(world_num_lines(w, "2.der is refused: it says "
	    "\"good\" of a certificate that was revoked for good"), 1);
	assert_true(world_look(w, 3, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_GOOD);
	assert_true(world_look(w, 4, USUAL, &slot));
	report(w, &r);
	assert_int_equal(r.num_refused, 2);
	world_stop(w);
	put_order(w, "1.der", &(struct order){ .n = 1, .begins_s = -300 });
	world_start(w);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.this_update, before.this_update + 300);
}

/* The store says revoked: at the start, while it runs, and over a restart. */
static void
test_contradicted(void **state)
{
	struct world *w = *state;
	struct status_offline_report r;
	struct ocsp_slot slot;

	for (uint64_t n = 1; n <= 4; n++) {
		char name[20];

		world_issue(w, n, oc_clock_now_s() + YEAR);
		snprintf(name, sizeof(name), "%d.der", (int)n);
		put_order(w, name, &(struct order){ .n = n });
	}
	put_order(w, "4.der", &(struct order){ .n = 4,
	    .status = V_OCSP_CERTSTATUS_REVOKED, .reason = 5 });
	world_revoke(w, 1, CRL_REASON_SUPERSEDED);
	world_start(w);
	assert_false(world_look(w, 1, USUAL, &slot));
	expect(w, 1, IPC_ANSWER_ERROR, OCSP_TRY_LATER);
	expect(w, 2, IPC_ANSWER_TABLE, 0);
	w->never_good = world_serial(1);
	world_revoke(w, 2, CRL_REASON_CERTIFICATE_HOLD);
	world_until(w, !world_look(w, 2, USUAL, &slot));
	expect(w, 2, IPC_ANSWER_ERROR, OCSP_TRY_LATER);
	assert_int_equal(world_num_lines(w, "as revoked, and the response "
	    "that was loaded says \"good\": withdrawn"), 1);
	/* The response knows more than the store. */
	assert_true(world_look(w, 4, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	report(w, &r);
	assert_int_equal(r.num_contradicted, 2);
	world_stop(w);
	/* Revoked while nobody ran: what the table has is not said either. */
	world_revoke(w, 3, CRL_REASON_SUPERSEDED);
	w->never_good = world_serial(3);
	world_start(w);
	assert_false(world_look(w, 3, USUAL, &slot));
	expect(w, 3, IPC_ANSWER_ERROR, OCSP_TRY_LATER);
	assert_true(world_look(w, 4, USUAL, &slot));
	w->never_good.len = 0;
}

/* Said once when the last quarter begins, once a day, and when it is over. */
static void
test_alarm(void **state)
{
	struct world *w = *state;
	struct status_offline_report r;
	struct status_service_report all;

	put_order(w, "1.der", &(struct order){ .n = 1, .lasts_s = 8 * DAY });
	put_order(w, "2.der", &(struct order){ .n = 2,
	    .lasts_s = 9 * DAY + DAY / 2 });
	world_start(w);
	world_until(w, (status_service_report(w->service, &all),
	    all.horizon.as_of != 0));
	assert_int_equal(world_num_lines(w, "end soon"), 0);
	assert_int_equal(all.horizon.num_answers, 2);
	assert_true(all.horizon.first_stale_at <=
	    oc_clock_now_s() + 8 * DAY);
	w->skip_s = 6 * DAY + DAY / 12;
	world_until(w, world_num_lines(w, "1 of the responses that were "
	    "loaded end soon") == 1);
	report(w, &r);
	assert_int_equal(r.num_ending, 1);
	w->skip_s += 3600;
	world_idle(w, 100);
	assert_int_equal(world_num_lines(w, "end soon"), 1);
	w->skip_s += DAY;
	world_until(w, world_num_lines(w, "end soon") == 2);
	w->skip_s = 8 * DAY + DAY / 12;
	world_until(w, world_num_lines(w, "1 of the responses that were "
	    "loaded have ended") == 1);
	report(w, &r);
	assert_int_equal(r.num_ending, 1);
	assert_int_equal(r.num_ended, 1);
}

/* What may not be said is not put where responders find it, not even until it
 * is taken out again. */
static void
test_compromised(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;

	put_order(w, "1.der", &(struct order){ .n = 1 });
	put_order(w, "2.der", &(struct order){ .n = 2,
	    .status = V_OCSP_CERTSTATUS_REVOKED, .reason = 5 });
	w->issuer.compromised_since = 1700000001;
	world_start(w);
	assert_int_equal(world_num_lines(w, "1.der is refused: it says "
	    "\"good\", and the CA is compromised"), 1);
	assert_int_equal(world_num_lines(w, "1 responses loaded"), 1);
	assert_false(world_look(w, 1, USUAL, &slot));
	assert_true(world_look(w, 2, USUAL, &slot));
	expect(w, 1, IPC_ANSWER_ERROR, OCSP_UNAUTHORIZED);
}

/* Who starts while the clock is a month ahead holds files against what it
 * should say. */
static void
test_clock_ahead(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;

	world_set_clock(w, 0);
	put_order(w, "1.der", &(struct order){ .n = 1 });
	world_set_clock(w, 30 * DAY);
	world_start(w);
	assert_int_equal(world_num_lines(w, "it ended at"), 0);
	assert_true(world_look(w, 1, USUAL, &slot));
}

static void
test_no_directory(void **state)
{
	struct world *w = *state;
	struct status_offline_report r;

	assert_int_equal(rmdir(w->issuer.responses), 0);
	world_start(w);
	assert_int_equal(world_num_lines(w, "nothing is loaded"), 1);
	report(w, &r);
	assert_int_equal(r.num_refused, 1);
	expect(w, 1, IPC_ANSWER_ERROR, OCSP_UNAUTHORIZED);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_any_bit), T(test_refused), T(test_delegate),
		T(test_other_key),
		T(test_served), T(test_replaced), T(test_contradicted),
		T(test_alarm), T(test_compromised), T(test_clock_ahead),
		T(test_by_name), T(test_no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
