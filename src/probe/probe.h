/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conformance cases of an OCSP responder, as far as they can be told from
 * outside: each sends something, right or wrong, and says what came back.
 * The responder may be anybody's, broken or hostile: everything is bounded in
 * octets and time, and no answer counts that is not signed by the issuer or
 * its delegate.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include "probe/client.h"
#include "x509/cert.h"

#define PROBE_CERTS_MAX 8
/* One case, however many exchanges it has. */
#define PROBE_CASE_S 90

enum probe_verdict {
	PROBE_PASS,
	PROBE_FAIL,
	PROBE_POLICY,	/* the standards leave a choice; the text says which
			 * was seen */
	PROBE_SKIPPED	/* the text says why */
};
/* "pass", "fail", "policy", "skipped" */
const char *probe_verdict_name(enum probe_verdict verdict);

struct probe_result {
	enum probe_verdict verdict;
	struct oc_error seen;		/* its text: one line */
};

struct probe;
struct probe_case;
typedef void probe_case_fn(struct probe *p, const struct probe_case *c);

/* One row of a table; several may share a function. */
struct probe_case {
	const char *name;		/* NULL ends the table */
	const char *clause;		/* "RFC6960:4.2.1" */
	probe_case_fn *run;
	int variant;			/* the function's own */
	const char *about;		/* half a line */
};

/* The n-th of all, from 0; NULL beyond the last. */
const struct probe_case *probe_case_at(size_t n);
const struct probe_case *probe_case_find(const char *name);

/* Who may ask where requests must be signed. */
struct probe_signer;
/* A private key, in PEM or DER and without a password, and its certificate,
 * before those between it and whom the responder trusts. */
enum oc_err probe_signer_read(const char *key_path, const char *cert_path,
    struct probe_signer **signer, struct oc_error *error) OC_MUST_CHECK;
void probe_signer_free(struct probe_signer *signer);	/* NULL is fine */

/* Borrowed as long as the probe lives. */
struct probe_options {
	struct probe_peer peer;		/* first_fd: taken, also on error */
	const char *authority;		/* for the Host field */
	const char *path;		/* of the URL, without query */
	const struct x509_cert *issuer;
	/* The first is asked about nearly always, the others beside it. */
	const struct x509_cert *certs[PROBE_CERTS_MAX];
	size_t num_certs;
	/* Each may be NULL: then the cases that need it are skipped. */
	const struct x509_cert *revoked, *expired;
	const struct x509_cert *other_issuer, *other_cert;
	const struct probe_signer *signer;	/* NULL: nobody is known */
	/* Also what sends hundreds of requests. */
	bool is_thorough;
};

/*
 * Asks what the cases are then held against.  An error is that nobody
 * answers, or nothing that can be believed: there are no verdicts then.
 */
enum oc_err probe_new(const struct probe_options *options, struct probe **p,
    struct oc_error *error) OC_MUST_CHECK;
void probe_free(struct probe *p);		/* NULL is fine */
void probe_run(struct probe *p, const struct probe_case *c,
    struct probe_result *result);

#endif
