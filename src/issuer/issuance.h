/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Issue this for this caller": the one way to a certificate for every door.
 * The steps are ca/steps.h's, each where it may take its time: reading,
 * verifying and planning on a worker, reserving and recording on the store's
 * thread (those that come together share a commit), signing in
 * ocsign-signer.  The event loop only hands on.
 */
#ifndef ISSUER_ISSUANCE_H
#define ISSUER_ISSUANCE_H

#include "ca/policy.h"
#include "ca/steps.h"
#include "cfssl/subject.h"
#include "issuer/caa.h"
#include "issuer/service.h"

/* What a caller gives beside the request; by the profile's rules. */
struct issuer_given {
	struct ca_request_extension extensions[X509_EXTENSIONS_MAX];
	uint32_t num_extensions;	/* views into octets */
	struct oc_serial serial;	/* len 0: none */
	uint8_t octets[];
};

/* What a door wants.  The octets are copied; authority and profile stay. */
struct issuer_order {
	struct issuer_authority *authority;
	const struct ca_profile *profile;
	/* PEM or DER, as sent.  One with a private key is refused. */
	const char *csr;
	size_t csr_len;
	/* In place of the CSR's; NULL: the CSR's.  Owned from submit() on. */
	struct ca_names *names;
	/* What it has, and of the CSR's what it has not; NULL: the CSR's.
	 * Copied. */
	const struct cfssl_subject *subject;
	/* The whole subject, a Name, in place of both; len 0: not.  Copied. */
	struct der_bytes name;
	/* NULL: nothing.  Owned from submit() on. */
	struct issuer_given *given;
	int64_t validity_s;		/* 0: the profile's */
	int64_t not_before;		/* 0: now, less the back-dating */
	/* An order of ACME's that this certificate is for: taken when it is
	 * reserved, completed when it is recorded.  0: none. */
	int64_t acme_order_id;
	/* How its names were proven; NULL: not known here.  Owned from
	 * submit() on. */
	struct issuer_proofs *proofs;
	/* Who asks; NULL: the operator's configuration lets everybody.
	 * Owned from submit() on, as are names and given. */
	struct ca_policy *policy;
	/* Kept beside the certificate; account_id 0 and key NULL: not. */
	const char *hostnames;		/* JSON text, as sent */
	const char *type;
	/* What makes a repetition one: NULL: nothing.  has_csr_key: made from
	 * account, CSR, names and validity. */
	const uint8_t *key;
	bool has_csr_key;
	int64_t key_window_s;
	bool explains;			/* where each field came from */
	int64_t deadline_ns;
};

struct issuer_result {
	enum oc_err err;
	struct oc_error error;
	/* Where each field came from, and the rule that refused; borrowed.
	 * Without items if the certificate was issued before, or the order
	 * did not ask. */
	const struct ca_explanation *explanation;
	bool has_order;			/* the order was taken; whoever asked
					 * gives it back after an error */
	struct ca_certificate certificate;	/* err OC_OK; borrowed */
	int64_t not_after, validity_s;
	const char *profile;
};

/* result is borrowed.  Runs once, from the event loop. */
typedef void issuer_done_fn(void *arg, const struct issuer_result *result);

/* Never calls done() itself.  After an error nothing was taken over. */
enum oc_err issuer_issue(struct issuer_service *service,
    const struct issuer_order *order, issuer_done_fn *done, void *arg)
    OC_MUST_CHECK;

#endif
