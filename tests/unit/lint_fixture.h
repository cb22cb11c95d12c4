/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates for the tests of lint/, put together from text, so that any
 * octet of them can be wrong and all others right.
 *
 * The text: hexadecimal octets; 'characters'; tag{contents}, whose length is
 * counted; (N what), N times; $NAME, something with keys:
 *	$P-256		a SubjectPublicKeyInfo, of test_key()
 *	$id:P-256	its SHA-1 key identifier
 *	$bits:P-256	its BIT STRING's octets
 *	$n:RSA2048	its modulus, with the octet in front
 */
#ifndef TESTS_UNIT_LINT_FIXTURE_H
#define TESTS_UNIT_LINT_FIXTURE_H

#include "x509_test.h"

#include "lint/lint.h"

/* Lives until test_free_all(). */
struct der_bytes lint_assemble(const char *text);

/* The parts of a certificate, each its whole TLV in that text; "" for none.
 * From EXT_BASIC on: one whole Extension each, in this order. */
enum lint_part {
	PART_VERSION, PART_SERIAL, PART_ALG, PART_ISSUER, PART_NOT_BEFORE,
	PART_NOT_AFTER, PART_SUBJECT, PART_SPKI, PART_UNIQUE,
	PART_EXTENSIONS,	/* instead of those below: [3] and all */
	PART_OUTER_ALG,		/* "": PART_ALG */
	PART_SIGNATURE,		/* "": a good one, by the root's key */
	PART_TBS,		/* "": of all those above */
	EXT_BASIC, EXT_KEY_USAGE, EXT_EKU, EXT_SKI, EXT_AKI, EXT_SAN,
	EXT_AIA, EXT_CRL, EXT_POLICIES, EXT_CONSTRAINTS, EXT_NOCHECK,
	EXT_OTHER,
	NUM_PARTS
};
struct lint_parts {
	const char *part[NUM_PARTS];
};

/* For EXT_SKI: made of whatever PART_SPKI is. */
#define LINT_OWN_SKI "own"

/* What breaks no rule, not even for a public CA: of 90 days from 2026-01-01,
 * with a P-384 key, by the root, whose key is P-256. */
enum lint_base {
	BASE_SERVER, BASE_RSA_SERVER, BASE_CLIENT, BASE_OCSP_SIGNER,
	BASE_INTERMEDIATE, BASE_ROOT, BASE_OTHER, NUM_BASES
};
struct lint_parts lint_base_parts(enum lint_base base);
enum lint_kind lint_base_kind(enum lint_base base);

struct der_bytes lint_build(const struct lint_parts *parts);
struct der_bytes lint_build_tbs(const struct lint_parts *parts);
/* The root's certificate. */
struct der_bytes lint_root(void);

/* Signs with the root's key, ECDSA with SHA-256; whole: with the shell. */
struct der_bytes lint_sign(struct der_bytes tbs);

/* C=DE, O=Example and this; the root's is LINT_NAME("Root"). */
#define LINT_NAME(cn) "30{31{30{0603550406 13{'DE'}}}" \
    "31{30{060355040a 13{'Example'}}}31{30{0603550403 0c{'" cn "'}}}}"
/* ecdsa-with-SHA256 */
#define LINT_ECDSA "30{06082a8648ce3d040302}"

/* An Extension, and a critical one; oid in hex. */
#define EXTENSION(oid, value) "30{06{" oid "}04{" value "}}"
#define CRITICAL(oid, value) "30{06{" oid "}0101ff04{" value "}}"

/* True if the findings are exactly these rules, whose names are set apart by
 * blanks; "": none.  Otherwise it prints what was found; what says of what. */
bool lint_has_exactly(const char *what, const struct lint_report *report,
    const char *rules);
/* Fails the test unless it is so. */
void lint_expect(const char *what, const struct lint_report *report,
    const char *rules);

/* A case: parts of a base replaced, and the one rule that this breaks. */
struct lint_case {
	const char *rule;		/* NULL ends a list */
	enum lint_base base;
	struct {
		enum lint_part part;
		const char *text;	/* NULL: no more */
	} changes[4];
	/* The issuer's, instead of the root: the root with this changed. */
	enum lint_part issuer_part;
	const char *issuer_text;
	int64_t now;
	enum lint_kind kind;
};
extern const struct lint_case lint_cases_fields[], lint_cases_names[],
    lint_cases_extensions[];

#endif
