/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, requests and lists from files, PEM or DER. */
#include "x509/file.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/pem.h"
#include "der/reader.h"

/* "CERTIFICATE REQUEST" is RFC 7468's, the one with NEW what old tools
 * write; section 7 asks readers to take both. */
static const struct {
	const char *what;
	const char *labels[2];
	size_t max;
} kinds[] = {
	[X509_FILE_CERTIFICATE] = { "certificate", { "CERTIFICATE",
	    "X509 CERTIFICATE" }, OC_CERTIFICATE_MAX },
	[X509_FILE_CSR] = { "certification request", { "CERTIFICATE REQUEST",
	    "NEW CERTIFICATE REQUEST" }, OC_CSR_MAX },
	[X509_FILE_CRL] = { "CRL", { "X509 CRL", "CRL" }, OC_TBS_MAX },
};

static bool
is_label_of(enum x509_file_kind kind, const char *label)
{
	return strcmp(label, kinds[kind].labels[0]) == 0 ||
	    strcmp(label, kinds[kind].labels[1]) == 0;
}

/* The contents of the outermost SEQUENCE so far as they are there, whatever
 * the length says: a key that is cut off is one too, and PKCS#12 may be BER. */
static bool
open_sequence(struct der_bytes whole, struct der_reader *r)
{
	size_t at = 2;

	if (whole.len < 2 || whole.p[0] != DER_SEQUENCE)
		return false;
	if (whole.p[1] > 0x80)
		at += whole.p[1] & 0x7f;
	if (at >= whole.len)
		return false;
	*r = der_reader_of((struct der_bytes){ whole.p + at,
	    whole.len - at });
	return true;
}

/*
 * EncryptedPrivateKeyInfo ::= SEQUENCE { SEQUENCE, OCTET STRING }
 * PrivateKeyInfo ::= SEQUENCE { INTEGER, SEQUENCE, OCTET STRING, ... }
 * ECPrivateKey ::= SEQUENCE { INTEGER, OCTET STRING, ... }
 * RSAPrivateKey, DSA's ::= SEQUENCE { INTEGER, INTEGER, INTEGER, INTEGER,
 *     ... }
 * PFX ::= SEQUENCE { INTEGER (3), SEQUENCE, ... }
 */
static bool
is_private_der(struct der_bytes whole)
{
	struct der_bytes part, version;
	struct der_reader r;

	if (!open_sequence(whole, &r))
		return false;
	if (der_next_is(&r, DER_SEQUENCE))
		return der_get_tlv(&r, DER_SEQUENCE, &part) &&
		    der_next_is(&r, DER_OCTET_STRING);
	if (!der_get_integer(&r, &version))
		return false;
	if (der_next_is(&r, DER_OCTET_STRING))
		return true;
	if (der_next_is(&r, DER_SEQUENCE))
		return (version.len == 1 && version.p[0] == 3) ||
		    (der_get_tlv(&r, DER_SEQUENCE, &part) &&
		    der_next_is(&r, DER_OCTET_STRING));
	return der_get_integer(&r, &part) && der_get_integer(&r, &part) &&
	    der_next_is(&r, DER_INTEGER);
}

bool
x509_file_has_private_key(const uint8_t *octets, size_t len)
{
	return oc_pem_has_private_key((const char *)octets, len) ||
	    is_private_der((struct der_bytes){ octets, len });
}

/* Who hands over two requests wants two certificates. */
static enum oc_err
check_only_request(struct oc_pem_cursor *cursor, struct oc_error *error)
{
	char label[OC_PEM_LABEL_MAX + 1];
	struct oc_error bad = { 0 };
	uint8_t *der;
	size_t der_len;
	enum oc_err err;

	while ((err = oc_pem_next(cursor, label, &der, &der_len, &bad)) ==
	    OC_OK) {
		free(der);
		if (is_label_of(X509_FILE_CSR, label))
			return oc_error_set(error, OC_ERR_MALFORMED, "holds "
			    "several certification requests; give each in a "
			    "file of its own");
	}
	return err == OC_ERR_NOT_FOUND ? OC_OK :
	    oc_error_set(error, err, "%s", bad.text);
}

/* DER whose outermost length, in the long form, says that there is more:
 * how much in all.  0: it is none. */
static uint64_t
length_of_torn(struct der_bytes whole)
{
	uint64_t len = 0;
	size_t num = whole.len < 2 ? 0 : whole.p[1] & 0x7f;

	if (whole.len < 2 || whole.p[0] != DER_SEQUENCE ||
	    whole.p[1] < 0x81 || num > 4 || whole.len < 2 + num)
		return 0;
	for (size_t i = 0; i < num; i++)
		len = len << 8 | whole.p[2 + i];
	len += 2 + num;
	return len > whole.len ? len : 0;
}

/* first: the label of what there is; "": nothing is. */
static enum oc_err
say_none(const char *where, struct der_bytes whole, const char *first,
    enum x509_file_kind kind, struct oc_error *error)
{
	uint64_t len = length_of_torn(whole);

	if (first[0] == '\0' && len != 0)
		return oc_error_set(error, OC_ERR_MALFORMED, "%s: a %s in DER "
		    "that is cut off after octet %zu of %llu", where,
		    kinds[kind].what, whole.len, (unsigned long long)len);
	if (first[0] != '\0')
		return oc_error_set(error, OC_ERR_MALFORMED, "%s: holds a %s, "
		    "not a %s", where, first, kinds[kind].what);
	return oc_error_set(error, OC_ERR_MALFORMED, "%s: not a %s, neither "
	    "in PEM nor in DER", where, kinds[kind].what);
}

static enum oc_err
refuse_key(const char *where, enum x509_file_kind kind,
    struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_REFUSED, "%s: holds a private key; "
	    "keep it where it is, and give the %s only", where,
	    kinds[kind].what);
}

static enum oc_err
parse_pem(const char *where, const char *text, size_t len,
    enum x509_file_kind kind, uint8_t **der, size_t *der_len,
    struct oc_error *error)
{
	struct oc_pem_cursor cursor = { .text = text, .len = len };
	char label[OC_PEM_LABEL_MAX + 1], first[OC_PEM_LABEL_MAX + 1] = "";
	enum oc_err err;

	for (;;) {
		err = oc_pem_next(&cursor, label, der, der_len, error);
		if (err == OC_ERR_NOT_FOUND)
			return say_none(where, (struct der_bytes){
			    (const uint8_t *)text, len }, first, kind, error);
		if (err != OC_OK)
			return oc_error_prefix(error, "%s", where);
		if (is_label_of(kind, label))
			break;
		memcpy(first, label, sizeof(first));
		free(*der);
		*der = NULL;
	}
	if (kind == X509_FILE_CSR)
		err = check_only_request(&cursor, error);
	if (err == OC_OK)
		return OC_OK;
	free(*der);
	*der = NULL;
	return oc_error_prefix(error, "%s", where);
}

enum oc_err
x509_file_parse(const char *where, const uint8_t *octets, size_t len,
    enum x509_file_kind kind, uint8_t **out, size_t *out_len,
    struct oc_error *error)
{
	struct der_bytes contents, whole = { octets, len };
	uint8_t *der = NULL;
	size_t der_len;
	enum oc_err err;

	if (x509_file_has_private_key(octets, len))
		return refuse_key(where, kind, error);
	if (der_read_whole(whole, DER_SEQUENCE, &contents)) {
		der = malloc(len);
		if (der == NULL)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
		memcpy(der, octets, len);
		*out = der;
		*out_len = len;
		return OC_OK;
	}
	err = parse_pem(where, (const char *)octets, len, kind, &der,
	    &der_len, error);
	if (err != OC_OK)
		return err;
	*out = der;
	*out_len = der_len;
	return OC_OK;
}

static enum oc_err
spool_pem(const char *where, struct der_bytes text, enum x509_file_kind kind,
    struct oc_spool *der, struct oc_error *error)
{
	struct oc_pem_cursor cursor = { .text = (const char *)text.p,
	    .len = text.len };
	char label[OC_PEM_LABEL_MAX + 1], first[OC_PEM_LABEL_MAX + 1] = "";
	enum oc_err err;

	for (;;) {
		err = oc_pem_next_spooled(&cursor, kinds[kind].labels, der,
		    label, error);
		if (err != OC_ERR_MISMATCH)
			break;
		memcpy(first, label, sizeof(first));
	}
	if (err == OC_ERR_NOT_FOUND)
		return say_none(where, text, first, kind, error);
	return err == OC_OK ? OC_OK : oc_error_prefix(error, "%s", where);
}

enum oc_err
x509_file_parse_mapped(const char *where, struct oc_mapping *file,
    enum x509_file_kind kind, struct oc_mapping *der, struct oc_error *error)
{
	struct der_bytes contents, whole = { file->bytes, file->len };
	struct oc_spool spool;
	enum oc_err err;

	oc_assert(kind != X509_FILE_CSR);
	if (x509_file_has_private_key(file->bytes, file->len))
		return refuse_key(where, kind, error);
	if (der_read_whole(whole, DER_SEQUENCE, &contents)) {
		*der = *file;
		*file = (struct oc_mapping){ .bytes = NULL };
		return OC_OK;
	}
	if (oc_spool_open(&spool, "ocsign-der", kinds[kind].max) == OC_OK) {
		err = spool_pem(where, whole, kind, &spool, error);
		if (err != OC_OK) {
			oc_spool_close(&spool);
			return err;
		}
	}
	err = oc_spool_seal(&spool);
	if (err == OC_OK)
		err = oc_spool_map(&spool, 0, der);
	oc_spool_close(&spool);
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s: %s",
	    where, oc_strerror(err));
}

enum oc_err
x509_file_read(const char *path, enum x509_file_kind kind, uint8_t **der,
    size_t *der_len, struct oc_error *error)
{
	uint8_t *octets;
	size_t len;
	enum oc_err err;

	/* PEM is a third larger, and has text around it. */
	err = oc_file_read(path, 2 * kinds[kind].max, &octets, &len, error);
	if (err != OC_OK)
		return err;
	err = x509_file_parse(strcmp(path, "-") == 0 ? "standard input" :
	    path, octets, len, kind, der, der_len, error);
	if (err == OC_ERR_REFUSED)
		OPENSSL_cleanse(octets, len);	/* a private key */
	free(octets);
	return err;
}

enum oc_err
x509_file_read_chain(const char *path, uint8_t **out, size_t *out_len,
    struct oc_error *error)
{
	struct oc_buffer chain;
	char label[OC_PEM_LABEL_MAX + 1];
	struct oc_pem_cursor cursor = { 0 };
	uint8_t *text = NULL, *der;
	size_t der_len;
	uint32_t num = 0;
	enum oc_err err;

	oc_buffer_init(&chain, OC_CHAIN_FILE_MAX);
	err = oc_file_read(path, OC_CHAIN_FILE_MAX, &text, &cursor.len, error);
	if (err != OC_OK)
		return err;
	cursor.text = (const char *)text;
	if (x509_file_has_private_key(text, cursor.len)) {
		err = oc_error_set(error, OC_ERR_REFUSED,
		    "%s: holds a private key; give certificates only", path);
		goto out;
	}
	while ((err = oc_pem_next(&cursor, label, &der, &der_len, error)) ==
	    OC_OK) {
		if (is_label_of(X509_FILE_CERTIFICATE, label)) {
			num++;
			oc_buffer_put(&chain, der, der_len);
		}
		free(der);
	}
	if (err != OC_ERR_NOT_FOUND) {
		err = oc_error_prefix(error, "%s", path);
		goto out;
	}
	if (num == 0 || num > OC_CHAIN_MAX) {
		err = oc_error_set(error, num == 0 ? OC_ERR_MALFORMED :
		    OC_ERR_LIMIT, "%s: holds %u certificates; a chain has 1 "
		    "to %d, in PEM", path, num, OC_CHAIN_MAX);
		goto out;
	}
	err = oc_buffer_take(&chain, out, out_len);
	if (err != OC_OK)
		oc_error_set(error, err, "%s: %s", path, oc_strerror(err));
out:
	oc_buffer_fini(&chain);
	if (err == OC_ERR_REFUSED)
		OPENSSL_cleanse(text, cursor.len);	/* a private key */
	free(text);
	return err;
}
