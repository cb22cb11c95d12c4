/* SPDX-License-Identifier: Apache-2.0 */
/* What allow.c (each kind) and allow_certificate.c share. */
#ifndef PKCS11_ALLOW_IMPL_H
#define PKCS11_ALLOW_IMPL_H

#include "der/reader.h"
#include "pkcs11/allow.h"

/* Real ones have a dozen. */
#define P11_EXTENSIONS_MAX 32

enum oc_err p11_allow_malformed(struct oc_error *error, const char *what);
enum oc_err p11_allow_refuse(struct oc_error *error, const char *why);
/* The inner AlgorithmIdentifier must be what we sign with: RFC 5280,
 * 4.1.1.2 and 5.1.1.2. */
enum oc_err p11_allow_check_alg(struct der_bytes identifier,
    enum sign_alg alg, struct oc_error *error);

struct p11_extension {
	enum der_oid oid;		/* UNKNOWN: see id */
	struct der_bytes id;		/* OID contents */
	bool is_critical;
	struct der_bytes value;		/* what extnValue holds */
};
/*
 * Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension, its contents, each one
 * at most once (RFC 5280, 4.2).
 */
struct p11_extensions {
	struct p11_extension list[P11_EXTENSIONS_MAX];
	size_t num;
};
enum oc_err p11_allow_read_extensions(struct der_bytes contents,
    struct p11_extensions *out, struct oc_error *error);
/* NULL: it has none of these. */
const struct p11_extension *p11_allow_find(const struct p11_extensions *all,
    enum der_oid oid);

/* keyIdentifier is this key's.  key_id empty: anything is. */
enum oc_err p11_allow_check_authority(const struct p11_extensions *all,
    struct der_bytes key_id, struct oc_error *error);

/* Whether one of the TLVs has these contents. */
bool p11_allow_is_listed(struct der_bytes list, struct der_bytes contents);
/* dNSNames, and what some take for one in subject, which is empty for a CA. */
enum oc_err p11_allow_check_dns(const struct p11_limits *limits,
    const struct p11_extensions *all, struct der_bytes subject,
    struct oc_error *error);

enum oc_err p11_allow_check_certificate(const struct p11_allow *allow,
    struct der_bytes spki, enum sign_alg alg, struct der_bytes tbs,
    int64_t now_s, struct oc_error *error);
enum oc_err p11_allow_check_crl(const struct p11_allow *allow,
    enum sign_alg alg, struct der_bytes tbs, int64_t now_s,
    struct oc_error *error);

#endif
