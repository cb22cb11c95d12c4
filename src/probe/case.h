/* SPDX-License-Identifier: Apache-2.0 */
/* What the cases share; private to the room. */
#ifndef PROBE_CASE_H
#define PROBE_CASE_H

#include "ocsp/response.h"
#include "probe/check.h"
#include "probe/probe.h"

/* --- what came back --------------------------------------------------- */

/* What a reply amounts to.  The first three are believed: signed, in time,
 * about the CertID that was asked, with the nonce if it has one. */
enum probe_outcome {
	PROBE_GOOD,
	PROBE_REVOKED,
	PROBE_UNKNOWN,
	PROBE_MALFORMED,
	PROBE_INTERNAL,
	PROBE_TRY_LATER,
	PROBE_SIG_REQUIRED,
	PROBE_UNAUTHORIZED,
	PROBE_UNBELIEVED,		/* successful, and something is wrong */
	PROBE_OTHER_TYPE,		/* 2xx and no OCSP response */
	PROBE_REFUSED,			/* 4xx */
	PROBE_FAILED,			/* 5xx, 3xx */
	PROBE_NO_HTTP,			/* what came is no HTTP reply */
	PROBE_CLOSED,			/* it closed without one */
	PROBE_SILENT			/* nothing came in time */
};
#define PROBE_BIT(outcome) (1u << (outcome))
/* Bits beside those of outcomes: the status that the certificate has, and,
 * where responses are made ahead of time, the very same octets. */
#define PROBE_SAME (1u << 24)
#define PROBE_BELIEVED (PROBE_BIT(PROBE_GOOD) | PROBE_BIT(PROBE_REVOKED) | \
	PROBE_BIT(PROBE_UNKNOWN))

struct probe_answer {
	enum probe_outcome outcome;
	bool is_same;
	int status;			/* of HTTP; 0: none */
	struct probe_reply reply;	/* copied: its views stay */
	struct ocsp_response_view view;
	struct probe_checked checked;	/* if believed */
	struct oc_error seen;		/* what it is, in words */
};

/* What a reply is to be about; zero state: the plain request. */
struct probe_asked {
	enum probe_method method;
	struct der_bytes certid;	/* len 0: the first certificate's */
	const struct x509_cert *issuer;	/* NULL: the issuer */
	struct der_bytes nonce;
	bool takes_interim;		/* a reply 1xx is what is looked for */
};

struct probe {
	const struct probe_options *o;
	struct probe_peer peer;
	struct der_bytes certid;	/* SHA-1, of the first certificate */
	struct der_bytes request;	/* about it, plain */
	struct der_bytes target;	/* of a GET for it */
	struct probe_answer plain;	/* what that is answered */
	bool is_by_get;			/* POST does not work */
	bool is_presigned;		/* twice the same octets */
	bool wants_signatures;		/* the plain request is not answered;
					 * plain is what a signed one is */
	/* of the case that runs */
	struct probe_result result;
	bool is_decided;
	bool is_dead;			/* it does not answer any more */
	int64_t deadline_ns;
	/* All that a case makes, let go at its end. */
	uint8_t *arena;
	size_t arena_used, arena_kept;
};

/* --- verdicts --------------------------------------------------------- */

/* What is said first stands. */
void probe_pass(struct probe *p, const char *format, ...) OC_PRINTF(2, 3);
void probe_fail(struct probe *p, const char *format, ...) OC_PRINTF(2, 3);
void probe_policy(struct probe *p, const char *format, ...) OC_PRINTF(2, 3);
void probe_skip(struct probe *p, const char *format, ...) OC_PRINTF(2, 3);
/* By what it amounts to: bits of pass, else of policy, else it is a fail.
 * wanted: what should have come, in words. */
void probe_judge(struct probe *p, const struct probe_answer *a,
    unsigned int pass, unsigned int policy, const char *wanted);
/* True if it is in bits; else the case has failed. */
bool probe_expect(struct probe *p, const struct probe_answer *a,
    unsigned int bits, const char *wanted);

/* --- octets ----------------------------------------------------------- */

/* From the arena; NULL if it is full. */
uint8_t *probe_take(struct probe *p, size_t len);
struct der_bytes probe_copy(struct probe *p, struct der_bytes octets);
/* What the case has made since is let go. */
void probe_rewind(struct probe *p, size_t mark);
struct der_bytes probe_text(struct probe *p, const char *format, ...)
    OC_PRINTF(2, 3);

struct der_bytes probe_write(struct probe *p, der_put_fn *put,
    const void *arg);

/* A CertID, however wrong.  Zero state: SHA-1 with NULL, of the issuer and
 * the first certificate. */
struct probe_certid_plan {
	const struct x509_cert *issuer;	/* NULL: the issuer */
	const char *hash;		/* NULL: "SHA1"; OpenSSL's name */
	const char *oid;		/* NULL: the hash's own */
	bool is_absent;			/* parameters left out */
	bool has_other_key;		/* key hash of nobody's key */
	size_t cut;			/* so many octets off the hashes */
	struct der_bytes serial;	/* INTEGER contents, as they are */
};
struct der_bytes probe_make_certid(struct probe *p,
    const struct probe_certid_plan *plan);
/* INTEGER contents of a certificate's serial number. */
struct der_bytes probe_serial(struct probe *p, const struct x509_cert *cert);
/* 20 octets that the issuer has hardly given out. */
struct der_bytes probe_random_serial(struct probe *p);

/* An OCSPRequest; zero state: the plain one. */
enum probe_version { PROBE_VERSION_LEFT_OUT, PROBE_VERSION_1,
	PROBE_VERSION_2 };
struct probe_request {
	const struct der_bytes *certids;	/* NULL: the plain one */
	uint32_t num_certids;
	enum probe_version version;
	struct der_bytes requestor;		/* GeneralName TLV */
	struct der_bytes extensions;		/* Extension TLVs */
	struct der_bytes single_extensions;	/* of the first */
	struct der_bytes signature;		/* Signature TLV */
	bool is_empty;				/* no certificate at all */
};
struct der_bytes probe_make_request(struct probe *p,
    const struct probe_request *plan);
struct der_bytes probe_make_tbs(struct probe *p,
    const struct probe_request *plan);
/* An Extension; several are joined. */
struct der_bytes probe_extension(struct probe *p, const char *oid,
    bool is_critical, struct der_bytes value);
struct der_bytes probe_join(struct probe *p, struct der_bytes a,
    struct der_bytes b);
/* The nonce's extension, its octets in an OCTET STRING. */
struct der_bytes probe_nonce_extension(struct probe *p, bool is_critical,
    struct der_bytes nonce);
/* AcceptableResponses: basic, and these. */
struct der_bytes probe_acceptable(struct probe *p, struct der_bytes oids);
struct der_bytes probe_random(struct probe *p, size_t len);
/* tag, length, contents */
struct der_bytes probe_wrap(struct probe *p, uint8_t tag,
    struct der_bytes contents);

/* Base64 in the path, each of +, / and = escaped: RFC 6960, A.1. */
struct der_bytes probe_target(struct probe *p, struct der_bytes request);
/* The same from characters that are ready. */
struct der_bytes probe_target_of(struct probe *p, const char *chars);

/* --- exchanges -------------------------------------------------------- */

/* An HTTP request; zero state: a GET of the URL's path. */
struct probe_http {
	const char *method;		/* NULL: POST with a body, else GET */
	struct der_bytes target;	/* len 0: the URL's path */
	const char *version;		/* NULL: "HTTP/1.1" */
	const char *fields;		/* more lines, or NULL */
	const char *type;		/* NULL: application/ocsp-request; ""
					 * none */
	struct der_bytes body;
	enum {
		PROBE_NO_HOST = 1,
		PROBE_NO_LENGTH = 2,
		PROBE_KEEP = 4		/* no "Connection: close" */
	} flags;
};
struct der_bytes probe_make_http(struct probe *p,
    const struct probe_http *http);

/* By its Content-Type, in any case, RFC 9110, 8.3.1; a parameter has no
 * meaning. */
bool probe_is_ocsp(const struct probe_reply *reply);

/* Before the case's deadline, too.  False: the case has failed. */
bool probe_connect(struct probe *p, struct probe_connection *c);
/* Sends it, unless it is too late for that: an answer may have come. */
void probe_put(struct probe *p, struct probe_connection *c,
    struct der_bytes octets);
/* The next reply and what it amounts to. */
void probe_get(struct probe *p, struct probe_connection *c,
    const struct probe_asked *asked, struct probe_answer *a);
/* A connection of its own; asked NULL: about the plain request. */
void probe_exchange(struct probe *p, struct der_bytes octets,
    const struct probe_asked *asked, struct probe_answer *a);
/* The same with an OCSPRequest, by POST. */
void probe_post(struct probe *p, struct der_bytes request,
    const struct probe_asked *asked, struct probe_answer *a);
/* The plain request as it is usually asked. */
void probe_ask_plain(struct probe *p, struct probe_answer *a);

/* What it sends is signed, or is about just that. */
bool probe_case_signs(const struct probe_case *c);

extern const struct probe_case probe_cases_target[];
extern const struct probe_case probe_cases_http[];
extern const struct probe_case probe_cases_body[];
extern const struct probe_case probe_cases_cache[];
extern const struct probe_case probe_cases_der[];
extern const struct probe_case probe_cases_certid[];
extern const struct probe_case probe_cases_extension[];
extern const struct probe_case probe_cases_nonce[];
extern const struct probe_case probe_cases_status[];

#endif
