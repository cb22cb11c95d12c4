/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRLs, RFC 5280 section 5.  A list has up to millions of entries, so the
 * entries are written one by one into a buffer and the list around them.
 */
#ifndef X509_CRL_H
#define X509_CRL_H

#include "base/err.h"
#include "base/reason.h"
#include "base/serial.h"
#include "der/bytes.h"
#include "der/writer.h"
#include "sign/alg.h"

struct x509_crl_entry {
	struct oc_serial serial;
	int64_t revoked_at;
	enum crl_reason reason;		/* UNSPECIFIED: extension left out */
	int64_t invalidity_at;		/* 0: extension left out */
};

/* One element of revokedCertificates: at most this many octets. */
#define X509_CRL_ENTRY_MAX 96
enum oc_err x509_crl_entry_write(const struct x509_crl_entry *entry,
    uint8_t out[X509_CRL_ENTRY_MAX], size_t *len) OC_MUST_CHECK;

/* TBSCertList; entries are the TLVs of revokedCertificates end to end, and
 * the field is left out when there are none.  What may be left out is, where
 * it is zero. */
#define X509_CRL_POINTS_MAX 4
struct x509_crl_tbs {
	enum sign_alg alg;
	struct der_bytes issuer;		/* Name TLV */
	int64_t this_update, next_update;
	struct der_bytes entries;
	struct der_bytes authority_key_id;	/* octets */
	uint64_t number;
	uint64_t base_number;			/* of a delta; 0: it is none */
	/* issuingDistributionPoint, if there is a URL. */
	struct der_bytes points[X509_CRL_POINTS_MAX];
	uint32_t num_points;
	bool has_only_user_certs;
	struct der_bytes freshest_url;		/* where deltas to it are */
};
void x509_put_crl_tbs(struct der_writer *w, const void *crl_tbs);

/* issuingDistributionPoint, 5.2.5: what the list leaves out. */
struct x509_crl_point {
	struct der_bytes full_name;	/* contents of GeneralNames; len 0: no
					 * such name */
	bool has_relative_name;		/* nameRelativeToCRLIssuer */
	bool has_only_user_certs, has_only_ca_certs, has_only_attribute_certs;
	bool has_only_some_reasons;
	bool is_indirect;		/* others' certificates are in it */
};
/* Those of its fullName, up to num_max; how many. */
uint32_t x509_crl_point_urls(const struct x509_crl_point *point,
    struct der_bytes *urls, uint32_t num_max);
/* Octet for octet: as certificates name it (4.2.1.13). */
bool x509_crl_point_has_url(const struct x509_crl_point *point,
    struct der_bytes url);

/* Views into the DER it was read from. */
struct x509_crl {
	struct der_bytes der;
	struct der_bytes tbs;
	struct der_bytes issuer;
	int64_t this_update;
	int64_t next_update;		/* 0: none */
	struct der_bytes entries;	/* contents of revokedCertificates */
	struct der_bytes authority_key_id;
	struct der_bytes number;	/* INTEGER contents; len 0: none */
	bool is_delta;
	struct der_bytes base_number;	/* then: of the one it is to */
	bool has_idp;
	struct der_bytes idp;		/* then: the whole of it */
	struct der_bytes freshest;	/* freshestCRL, not looked at; len 0:
					 * none, or a critical one */
	struct x509_crl_point point;	/* of the IDP; without one: all false */
	bool has_unknown_critical;
	struct der_bytes unknown_critical;	/* then: OID contents of the
						 * first, also of an entry's */
	enum sign_alg alg;
	struct der_bytes alg_identifier;
	struct der_bytes signature;
};
enum oc_err x509_crl_read(struct der_bytes der, struct x509_crl *crl,
    struct oc_error *error) OC_MUST_CHECK;
/* The same, and each entry, in the list's order, as soon as it has been
 * checked: of what comes behind it nothing is known yet.  place: octets of
 * crl->entries before it, from where x509_crl_next_entry() reads it again.  An
 * error of fn's is returned, with fn's own words. */
typedef enum oc_err x509_crl_entry_fn(void *arg,
    const struct x509_crl_entry *entry, uint32_t place);
enum oc_err x509_crl_read_each(struct der_bytes der, struct x509_crl *crl,
    x509_crl_entry_fn *fn, void *arg, struct oc_error *error) OC_MUST_CHECK;
/* Walks crl->entries; at_end once *rest is empty. */
enum oc_err x509_crl_next_entry(struct der_bytes *rest,
    struct x509_crl_entry *entry) OC_MUST_CHECK;

/*
 * Does the issuer say by it which of its certificates are revoked, each and
 * for whatever reason?  MISMATCH: it is another's.  UNSUPPORTED, by name: it
 * is a delta or an indirect CRL, for some reasons or for attribute
 * certificates alone, has a critical extension that is not known here, or is
 * signed with an algorithm that is not.  REFUSED: the issuer may not sign
 * one.  SIGNATURE.  When it was issued is not looked at.
 */
struct x509_cert;
enum oc_err x509_crl_verify(const struct x509_crl *crl,
    const struct x509_cert *issuer, struct oc_error *error) OC_MUST_CHECK;
/* The same of a delta CRL, which by itself says nothing: it has to go together
 * with one that is whole. */
enum oc_err x509_delta_crl_verify(const struct x509_crl *crl,
    const struct x509_cert *issuer, struct oc_error *error) OC_MUST_CHECK;
/*
 * RFC 5280, 5.2.4, of two that were verified: REFUSED if what the delta
 * changes is not this list: it is of another scope or key, or to a later one
 * than this.  EXISTS: the list is as new as the delta, or newer.
 */
enum oc_err x509_delta_crl_check(const struct x509_crl *delta,
    const struct x509_crl *base, struct oc_error *error) OC_MUST_CHECK;
/* Where the delta CRLs to this one are (5.2.6): up to num_max URLs.  How many;
 * 0 also if it does not say that well. */
uint32_t x509_crl_freshest_urls(const struct x509_crl *crl,
    struct der_bytes *urls, uint32_t num_max);
/* As numbers: minimal, not negative, and none the least. */
int x509_crl_number_compare(struct der_bytes a, struct der_bytes b);
/* The name of a part, "onlyContainsUserCerts" say, if it may leave out some of
 * the issuer's certificates; NULL if it does not. */
const char *x509_crl_partial(const struct x509_crl *crl);

#endif
