/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lint: is a certificate, a CRL or an OCSP response as RFC 5280, RFC 6960,
 * the Baseline Requirements and what clients choke on want it?  Named rules,
 * each with its citation; ocsign-lint(7) lists them.
 *
 * Any octets may be given: what our strict readers refuse is walked as far as
 * it goes, and what is wrong with it is found.  Never allocates, but for the
 * serials of a CRL that are not in order and what libcrypto does for a key.
 */
#ifndef LINT_LINT_H
#define LINT_LINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "der/bytes.h"

enum lint_severity {
	LINT_NOTICE,		/* good to know */
	LINT_WARNING,		/* a SHOULD */
	LINT_ERROR		/* a MUST: not to be issued */
};

/* What a certificate is to be. */
enum lint_kind {
	LINT_KIND_DERIVED = 0,	/* what its extensions say */
	LINT_SERVER,
	LINT_CLIENT,
	LINT_OCSP_SIGNER,
	LINT_INTERMEDIATE,
	LINT_ROOT,
	LINT_OTHER		/* a leaf that is none of these */
};

/*
 * Rules that only bind CAs in browsers' and systems' root stores are errors
 * for PUBLIC and notices for PRIVATE.
 */
enum lint_audience { LINT_PRIVATE, LINT_PUBLIC };

/* Whether the key has passed x509_spki_check(), which takes 30 times as long
 * as all the rest. */
enum lint_key { LINT_KEY_UNCHECKED, LINT_KEY_CHECKED };

struct lint_cert;
struct lint_crl;
struct lint_ocsp;
struct lint_detail;
struct lint_rule;

/* True if the rule is broken; detail then names the offending value. */
typedef bool lint_cert_fn(const struct lint_cert *cert,
    const struct lint_rule *rule, struct lint_detail *detail);
typedef bool lint_crl_fn(const struct lint_crl *crl,
    const struct lint_rule *rule, struct lint_detail *detail);
typedef bool lint_ocsp_fn(const struct lint_ocsp *ocsp,
    const struct lint_rule *rule, struct lint_detail *detail);

/* A row of the table.  Exactly one of the functions is there. */
struct lint_rule {
	const char *name;		/* NULL ends a group */
	unsigned int check;		/* its number in ocsign-lint(7) */
	enum lint_severity severity;	/* for LINT_PUBLIC */
	enum lint_audience audience;	/* PUBLIC: a notice for PRIVATE */
	unsigned int kinds;		/* 1 << enum lint_kind, of each */
	const char *citation;
	const char *about;		/* half a line: what is wrong */
	unsigned int argument;		/* the function's */
	lint_cert_fn *cert;
	lint_crl_fn *crl;
	lint_ocsp_fn *ocsp;
};

/* A check that is not of something finished: it is made elsewhere. */
struct lint_elsewhere {
	unsigned int check;		/* 0 ends the list */
	const char *where;		/* file: function */
	const char *test;		/* file: function */
};
extern const struct lint_elsewhere lint_elsewhere[];

#define LINT_CHECKS_MAX 65

/* The table, row by row from 0; NULL behind the last. */
const struct lint_rule *lint_rule_at(size_t n);
const char *lint_severity_name(enum lint_severity severity);
/* "any", "CA", "leaf", "server, client", "CRL", "OCSP": what it is for. */
#define LINT_KINDS_TEXT_MAX 64
const char *lint_rule_kinds(const struct lint_rule *rule,
    char text[LINT_KINDS_TEXT_MAX]);
const char *lint_kind_name(enum lint_kind kind);
/* "server", "client", "ocsp-signer", "intermediate", "root", "other".
 * NOT_FOUND names them. */
enum oc_err lint_kind_parse(const char *text, enum lint_kind *kind,
    struct oc_error *error) OC_MUST_CHECK;

/* A set of rules.  Zero state is the empty set. */
#define LINT_RULES_MAX 256
struct lint_set {
	uint64_t bits[LINT_RULES_MAX / 64];
};
/* NOT_FOUND with the nearest name there is. */
enum oc_err lint_set_add(struct lint_set *set, const char *name,
    struct oc_error *error) OC_MUST_CHECK;
bool lint_set_has(const struct lint_set *set, const struct lint_rule *rule);

/* Longer ones are cut; visible ASCII. */
#define LINT_DETAIL_MAX 160
struct lint_detail {
	char text[LINT_DETAIL_MAX];
};

struct lint_finding {
	const struct lint_rule *rule;
	enum lint_severity severity;
	struct lint_detail detail;
};

/* In the order of the table, one a rule.  Need not be initialised. */
#define LINT_FINDINGS_MAX 64
struct lint_report {
	struct lint_finding findings[LINT_FINDINGS_MAX];
	uint32_t num_findings;
	uint32_t num_errors;		/* of all, also those that are cut */
	bool is_cut;			/* there were more */
};

/* Everything is borrowed, while lint_ runs. */
struct lint_input {
	struct der_bytes der;		/* a Certificate, or a TBSCertificate */
	struct der_bytes issuer;	/* its issuer's; len 0: not known */
	enum lint_kind kind;
	enum lint_audience audience;
	enum lint_key key;
	const struct lint_set *exempt;	/* NULL: none */
	int64_t now;			/* 0: it is not being issued now */
};
/* *kind is what it was taken for; may be NULL. */
void lint_certificate(const struct lint_input *input,
    struct lint_report *report, enum lint_kind *kind);

struct lint_crl_input {
	struct der_bytes der;
	struct der_bytes issuer;	/* its certificate; len 0: not known */
	struct der_bytes last_number;	/* INTEGER contents of the CRL before;
					 * len 0: not known */
	struct der_bytes url;		/* where certificates say it is; len
					 * 0: not known */
	const struct lint_set *exempt;
};
/* NOMEM when there is none for the serials. */
enum oc_err lint_crl(const struct lint_crl_input *input,
    struct lint_report *report) OC_MUST_CHECK;

struct lint_ocsp_input {
	struct der_bytes der;		/* OCSPResponse */
	struct der_bytes signer;	/* its signer's certificate, or */
	struct der_bytes request;	/* OCSPRequest; len 0: not known */
	enum lint_audience audience;
	const struct lint_set *exempt;
};
/* The signer's certificate, where it is not given, is the first in the
 * response.  That one is lint_certificate()'s to look at. */
void lint_ocsp(const struct lint_ocsp_input *input,
    struct lint_report *report);

#endif
