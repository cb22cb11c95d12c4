/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash the reader of OCSP requests, or the way from there to
 * an answer?  What is read must walk, and say the same when it is written and
 * read again; and every outcome must be a whole one.
 *
 * The table is of a made-up issuer: the corpus has its hashes.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ocsp/answer.h"
#include "tests/fuzz/fuzz.h"

#define NOW INT64_C(1790000000)

static struct ocsp_answerer answerer;

static void
remove_files(const char *path)
{
	char name[128];

	(void)unlink(path);
	(void)snprintf(name, sizeof(name), "%s.lock", path);
	(void)unlink(name);
	(void)snprintf(name, sizeof(name), "%s", path);
	*strrchr(name, '/') = '\0';
	(void)rmdir(name);
}

static void
fill(struct ocsp_table *table)
{
	struct ocsp_slot slot;
	uint8_t n;

	for (n = 1; n < 40; n++) {
		memset(&slot, 0, sizeof(slot));
		fuzz_check(oc_serial_from_bytes(&n, 1, &slot.serial) ==
		    OC_OK);
		slot.encoding = n % OCSP_ENCODING_MAX;
		slot.status.kind = (enum ocsp_cert_status)(n % 3);
		slot.status.reason = n % 2 == 0 ? CRL_REASON_SUPERSEDED :
		    CRL_REASON_UNSPECIFIED;
		slot.produced_at = slot.this_update = NOW - 10;
		slot.next_update = n % 7 == 0 ? NOW : NOW + 1000;
		slot.signature_len = 64;
		memset(slot.signature, n, 64);
		fuzz_check(ocsp_table_put(table, &slot) == OC_OK);
	}
	ocsp_table_set_ready(table, true);
}

/* The file has no name any more once it is made. */
static void
make_answerer(void)
{
	static const uint8_t store_id[OCSP_STORE_ID_LEN];
	static struct ocsp_identity identity;
	char path[64] = "/tmp/fuzz-ocsp-XXXXXX";

	memset(identity.name_hash, 0x11, sizeof(identity.name_hash));
	memset(identity.key_hash, 0x22, sizeof(identity.key_hash));
	identity.alg = SIGN_ECDSA_SHA256;
	identity.signature_len = 64;
	fuzz_check(mkdtemp(path) != NULL);
	(void)strcat(path, "/table");
	fuzz_check(ocsp_table_create(path, &identity, store_id, 64,
	    &answerer.issuers[0].table, NULL) == OC_OK);
	remove_files(path);
	fuzz_check(ocsp_context_new(&identity,
	    &answerer.issuers[0].context) == OC_OK);
	fill(answerer.issuers[0].table);
	answerer.num_issuers = 1;
}

static void
check_within(struct der_bytes whole, struct der_bytes part)
{
	fuzz_check(part.len == 0 || (part.p >= whole.p &&
	    part.p + part.len <= whole.p + whole.len));
}

static void
check_signature(struct der_bytes der, const struct ocsp_request *request)
{
	struct ocsp_request_signature signature;

	check_within(der, request->tbs);
	check_within(der, request->requestor);
	check_within(der, request->signature);
	if (request->signature.len == 0)
		return;
	ocsp_request_signature(request, &signature);
	check_within(request->signature, signature.alg_identifier);
	check_within(request->signature, signature.octets);
	check_within(request->signature, signature.certs);
}

static void
check_request(struct der_bytes der, const struct ocsp_request *request)
{
	static struct der_bytes certids[OCSP_REQUEST_SINGLES_MAX];
	static uint8_t out[OCSP_REQUEST_MAX + 64];
	struct ocsp_request_plan plan = { certids, 0, request->nonce };
	struct ocsp_certid certid;
	struct ocsp_request again;
	struct der_bytes rest = request->singles;
	size_t len;

	while (ocsp_request_next(&rest, &certid)) {
		fuzz_check(plan.num_certids < OCSP_REQUEST_SINGLES_MAX);
		fuzz_check(certid.tlv.p >= der.p && certid.tlv.p +
		    certid.tlv.len <= der.p + der.len);
		certids[plan.num_certids++] = certid.tlv;
	}
	fuzz_check(plan.num_certids == request->num_singles);
	fuzz_check(request->nonce.len <= OCSP_NONCE_MAX);
	fuzz_check(der_write(ocsp_put_request, &plan, out, sizeof(out),
	    &len) == OC_OK);
	fuzz_check(ocsp_request_read((struct der_bytes){ out, len },
	    &again) == OC_OK);
	fuzz_check(again.num_singles == request->num_singles);
	fuzz_check(der_bytes_equal(again.first.tlv, request->first.tlv));
	fuzz_check(der_bytes_equal(again.nonce, request->nonce));
}

static void
check_reply(const struct ocsp_reply *reply)
{
	struct ocsp_response_view view;

	fuzz_check(ocsp_response_read((struct der_bytes){ reply->out,
	    reply->len }, &view, NULL) == OC_OK);
	fuzz_check(view.status == reply->status);
	fuzz_check(reply->status != OCSP_INTERNAL_ERROR &&
	    reply->status != OCSP_TRY_LATER);
	fuzz_check(reply->is_cacheable == (reply->status ==
	    OCSP_SUCCESSFUL));
	fuzz_check(reply->status != OCSP_SIG_REQUIRED ||
	    answerer.issuers[0].signed_requests == OCSP_SIGNED_REQUIRED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[OCSP_RESPONSE_MAX];
	struct ocsp_reply reply = { .out = out, .out_max = sizeof(out) };
	struct der_bytes der = { data, size };
	struct ocsp_request request;
	struct ocsp_miss miss;

	if (answerer.num_issuers == 0)
		make_answerer();
	/* A nonce of one octet more or less decides about the policy. */
	answerer.issuers[0].wants_nonce = size % 2 == 0;
	answerer.issuers[0].requires_nonce = size % 4 == 0;
	answerer.issuers[0].signed_requests =
	    (enum ocsp_signed_requests)(size % 3);
	if (ocsp_request_read(der, &request) == OC_OK) {
		check_request(der, &request);
		check_signature(der, &request);
	}
	if (ocsp_answer(&answerer, der, NOW, OCSP_NONCE_WANTED, &reply,
	    &miss) == OCSP_ANSWERED) {
		check_reply(&reply);
	} else {
		fuzz_check(miss.issuer == 0 && miss.num_singles > 0 &&
		    miss.num_singles <= OCSP_REQUEST_SINGLES_MAX &&
		    miss.nonce_len <= OCSP_NONCE_MAX);
		fuzz_check(miss.signed_request.len == 0 ||
		    (request.signature.len != 0 && size % 3 != 0));
	}
	return 0;
}
