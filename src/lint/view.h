/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules look at: a certificate taken apart as far as it can be, views
 * into its DER.  A part that cannot be read is empty, and `broken' says where
 * the walk ended.  Private to lint/.
 */
#ifndef LINT_VIEW_H
#define LINT_VIEW_H

#include "der/oid.h"
#include "der/reader.h"
#include "lint/lint.h"

#define LINT_ATTRIBUTES_MAX 32		/* of one name; more are not seen */
#define LINT_EXTENSIONS_MAX 32		/* more is a finding */

struct lint_time {
	uint8_t tag;			/* 0: not there */
	struct der_bytes contents;
	bool is_read;			/* at is right */
	int64_t at;
};

struct lint_attribute {
	enum der_oid id;		/* UNKNOWN: none of ours */
	uint8_t tag;			/* of its value */
	struct der_bytes value;
};

struct lint_name {
	struct der_bytes tlv;
	bool is_read;			/* a Name, all of it */
	bool has_empty_rdn, has_multiple_rdn;
	struct lint_attribute attributes[LINT_ATTRIBUTES_MAX];
	uint32_t num_attributes;
};

struct lint_extension {
	struct der_bytes oid;
	enum der_oid id;
	bool is_critical;
	bool is_false_written;		/* critical FALSE: DEFAULT in DER */
	struct der_bytes value;		/* contents of extnValue */
};

struct lint_algorithm {
	struct der_bytes tlv;
	struct der_bytes oid;
	enum der_oid id;
	struct der_bytes parameters;	/* TLV; len 0: absent */
};

/* basicConstraints without a pathLenConstraint; with one that is no number
 * from 0 to 1000. */
#define LINT_NO_PATH_LENGTH (-1)
#define LINT_BAD_PATH_LENGTH (-2)

struct lint_cert {
	const struct lint_input *input;
	const struct lint_cert *issuer;	/* NULL: not known */
	enum lint_kind kind;
	const char *broken;		/* NULL: whole */
	bool is_signed;			/* a Certificate, not a TBS */
	struct der_bytes tbs;		/* TLV */
	struct lint_algorithm outer;	/* if is_signed */
	struct der_bytes signature;	/* BIT STRING contents */

	struct der_bytes version;	/* INTEGER contents; len 0: absent */
	struct der_bytes serial;	/* INTEGER contents */
	struct lint_algorithm inner;
	struct der_bytes issuer_name;	/* Name TLV */
	struct lint_time not_before, not_after;
	struct lint_name subject;
	struct der_bytes spki;		/* TLV */
	struct lint_algorithm spki_alg;
	struct der_bytes key;		/* BIT STRING contents */
	bool has_unique_id;
	bool has_extensions;		/* [3] is there */
	bool has_more_extensions;	/* than fit */
	struct lint_extension extensions[LINT_EXTENSIONS_MAX];
	uint32_t num_extensions;
	/* 1 + the first extension of that type; 0: none. */
	uint8_t first[DER_OID_MAX];

	/* From the extensions; zero if absent or not readable. */
	bool has_ca_true;
	int path_length;
	uint32_t key_usage;		/* enum x509_key_usage */
	struct der_bytes sans;		/* contents of GeneralNames */
	struct der_bytes ekus;		/* contents of ExtKeyUsageSyntax */
	struct der_bytes subject_key_id;	/* octets */
};

/* Reads input->der, or another certificate in its place. */
void lint_cert_read(const struct lint_input *input, struct der_bytes der,
    struct lint_cert *cert);
enum lint_kind lint_cert_kind(const struct lint_cert *cert);

void lint_algorithm_read(struct der_bytes tlv, struct lint_algorithm *alg);
void lint_time_read(struct der_reader *r, struct lint_time *time);
void lint_name_read(struct der_bytes tlv, struct lint_name *name);
bool lint_extension_get(struct der_reader *r, struct lint_extension *e);

static inline const struct lint_extension *
lint_find_extension(const struct lint_cert *c, enum der_oid id)
{
	return c->first[id] == 0 ? NULL : &c->extensions[c->first[id] - 1];
}

static inline bool
lint_is_ca(const struct lint_cert *c)
{
	return c->kind == LINT_INTERMEDIATE || c->kind == LINT_ROOT;
}

/* For kinds in a row. */
#define LINT_BIT(kind) (1u << (kind))
#define LINT_CAS (LINT_BIT(LINT_INTERMEDIATE) | LINT_BIT(LINT_ROOT))
#define LINT_LEAVES (LINT_BIT(LINT_SERVER) | LINT_BIT(LINT_CLIENT) | \
	LINT_BIT(LINT_OCSP_SIGNER) | LINT_BIT(LINT_OTHER))
#define LINT_ALL (LINT_CAS | LINT_LEAVES)
#define LINT_NOT_ROOT (LINT_ALL & ~LINT_BIT(LINT_ROOT))

/* Writes the detail; true, so that it can be returned. */
bool lint_found(struct lint_detail *detail, const char *format, ...)
    OC_PRINTF(2, 3);
/* Octets as visible ASCII, others as \xNN; cut to fit. */
#define LINT_TEXT_MAX 96
const char *lint_text(struct der_bytes octets, char text[LINT_TEXT_MAX]);
/* An extension by its name, or its dotted OID. */
const char *lint_extension_name(const struct lint_extension *e,
    char text[DER_OID_TEXT_MAX]);

/*
 * The DER rules (X.690) over exactly one TLV and all in it, to DER_DEPTH_MAX
 * levels: NULL, or what is wrong.  Times and BIT STRINGs have rules of their
 * own, and are not looked into.
 */
const char *lint_der_fault(struct der_bytes bytes);
/* Where the walk over der ended, NULL for nowhere, else lint_der_fault(). */
bool lint_is_not_der(const char *broken, struct der_bytes der,
    struct lint_detail *detail);

/* The next GeneralName; false at the end, and if there is none. */
bool lint_next_name(struct der_reader *r, uint8_t *tag,
    struct der_bytes *value);
/* The next that is of one kind. */
bool lint_next_name_of(struct der_reader *r, uint8_t kind,
    struct der_bytes *value);
enum {
	LINT_NAME_OTHER = 0xa0,
	LINT_NAME_EMAIL = 0x81,
	LINT_NAME_DNS = 0x82,
	LINT_NAME_X400 = 0xa3,
	LINT_NAME_DIRECTORY = 0xa4,
	LINT_NAME_EDI_PARTY = 0xa5,
	LINT_NAME_URI = 0x86,
	LINT_NAME_IP = 0x87,
	LINT_NAME_REGISTERED_ID = 0x88
};

/* "http://" and a host behind it, visible ASCII. */
bool lint_is_http_url(struct der_bytes url);
/* INTEGER contents, not negative; false over 2^31 or if it is none. */
bool lint_small_integer(struct der_bytes contents, int *value);
/* The value of an attribute, the first of its type; NULL: none. */
const struct lint_attribute *lint_find_attribute(
    const struct lint_name *name, enum der_oid id);
bool lint_is_ecdsa(enum der_oid alg);
/* By ECDSA, and not what RFC 3279 2.2.3 says.  bits: BIT STRING contents. */
bool lint_is_ecdsa_wrong(enum der_oid alg, struct der_bytes bits,
    struct lint_detail *detail);

/* The groups, in the order of the table. */
extern const struct lint_rule lint_rules_tbs[], lint_rules_time[],
    lint_rules_key[], lint_rules_name[], lint_rules_san[],
    lint_rules_usage[], lint_rules_constraint[], lint_rules_ext[],
    lint_rules_url[], lint_rules_policy[], lint_rules_crl[],
    lint_rules_ocsp[];

#endif
