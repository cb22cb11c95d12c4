/* SPDX-License-Identifier: Apache-2.0 */
#include "store/detail.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

static void
put_octets(struct store_detail *d, const char *text, size_t len)
{
	oc_assert(len < sizeof(d->text) - d->len);
	memcpy(d->text + d->len, text, len);
	d->len += len;
	d->text[d->len] = '\0';
}

static void
put(struct store_detail *d, const char *text)
{
	put_octets(d, text, strlen(text));
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c != 0x7f && c != '"' && c != '\\';
}

/* RFC 8259, section 7.  Octets over 0x7f pass: text is UTF-8 already. */
static void
put_string(struct store_detail *d, const char *text)
{
	put(d, "\"");
	while (*text != '\0') {
		unsigned char c;
		char escaped[8];
		size_t len = 0;

		while (text[len] != '\0' && is_plain((unsigned char)text[len]))
			len++;
		put_octets(d, text, len);
		text += len;
		if (*text == '\0')
			break;
		c = (unsigned char)*text++;
		if (c == '"' || c == '\\')
			snprintf(escaped, sizeof(escaped), "\\%c", c);
		else
			snprintf(escaped, sizeof(escaped), "\\u%04x", c);
		put(d, escaped);
	}
	put(d, "\"");
}

static void
put_name(struct store_detail *d, const char *name)
{
	if (d->len > 1)
		put(d, ",");
	put_string(d, name);
	put(d, ":");
}

void
store_detail_init(struct store_detail *d)
{
	d->len = 0;
	put(d, "{");
}

void
store_detail_put_int(struct store_detail *d, const char *name, int64_t value)
{
	char text[24];

	put_name(d, name);
	snprintf(text, sizeof(text), "%" PRId64, value);
	put(d, text);
}

void
store_detail_put_text(struct store_detail *d, const char *name,
    const char *value)
{
	put_name(d, name);
	put_string(d, value);
}

void
store_detail_put_hex(struct store_detail *d, const char *name,
    const uint8_t *bytes, size_t len)
{
	char text[OC_HEX_LEN(STORE_HASH_LEN) + 1];

	oc_assert(len <= STORE_HASH_LEN);
	oc_hex_encode(bytes, len, text);
	store_detail_put_text(d, name, text);
}

enum oc_err
store_detail_put_hash(struct store_detail *d, const char *name,
    struct store_blob blob)
{
	uint8_t hash[STORE_HASH_LEN];

	if (EVP_Digest(blob.p, blob.len, hash, NULL, EVP_sha256(), NULL) != 1)
		return OC_ERR_INTERNAL;
	store_detail_put_hex(d, name, hash, sizeof(hash));
	return OC_OK;
}

void
store_detail_end(struct store_detail *d)
{
	put(d, "}");
}

static void
put_certificate(struct store_detail *d, const char *issuer, int64_t id,
    const struct oc_serial *serial)
{
	char text[OC_SERIAL_TEXT_MAX];

	oc_serial_format(serial, text);
	store_detail_init(d);
	store_detail_put_int(d, "certificate", id);
	store_detail_put_text(d, "issuer", issuer);
	store_detail_put_text(d, "serial", text);
}

enum oc_err
store_detail_issuer(struct store_detail *d, int64_t id, const char *name,
    struct store_blob certificate, const uint8_t spki_hash[STORE_HASH_LEN])
{
	enum oc_err err;

	store_detail_init(d);
	store_detail_put_int(d, "id", id);
	store_detail_put_text(d, "issuer", name);
	store_detail_put_hex(d, "spki_sha256", spki_hash, STORE_HASH_LEN);
	err = store_detail_put_hash(d, "certificate_sha256", certificate);
	store_detail_end(d);
	return err;
}

static enum oc_err
put_text_hash(struct store_detail *d, const char *name, const char *text)
{
	return store_detail_put_hash(d, name, (struct store_blob){
	    (const uint8_t *)text, strlen(text) });
}

enum oc_err
store_detail_reserve(struct store_detail *d, const char *issuer, int64_t id,
    const struct store_reservation *r)
{
	enum oc_err err;

	put_certificate(d, issuer, id, &r->serial);
	store_detail_put_text(d, "profile", r->profile);
	store_detail_put_int(d, "not_before", r->not_before);
	store_detail_put_int(d, "not_after", r->not_after);
	err = store_detail_put_hash(d, "tbs_sha256", r->tbs);
	/* What people search and are shown: the TBS says it, too, but only to
	 * who reads DER. */
	if (err == OC_OK && r->subject != NULL)
		err = put_text_hash(d, "subject_sha256", r->subject);
	if (err == OC_OK && r->subject != NULL)
		err = put_text_hash(d, "names_sha256", r->names);
	if (r->crl_partition != 0)
		store_detail_put_int(d, "crl_partition", r->crl_partition);
	store_detail_end(d);
	return err;
}

enum oc_err
store_detail_import(struct store_detail *d, const char *issuer, int64_t id,
    const struct store_import *i)
{
	enum oc_err err = OC_OK;

	put_certificate(d, issuer, id, &i->serial);
	store_detail_put_text(d, "profile", i->profile);
	store_detail_put_int(d, "reserved_at", i->reserved_at);
	store_detail_put_int(d, "issued_at", i->issued_at);
	store_detail_put_int(d, "not_before", i->not_before);
	store_detail_put_int(d, "not_after", i->not_after);
	if (i->tbs.len > 0)
		err = store_detail_put_hash(d, "tbs_sha256", i->tbs);
	if (err == OC_OK && i->certificate.len > 0)
		err = store_detail_put_hash(d, "certificate_sha256",
		    i->certificate);
	if (err == OC_OK)
		err = put_text_hash(d, "subject_sha256", i->subject);
	if (err == OC_OK)
		err = put_text_hash(d, "names_sha256", i->names);
	if (err == OC_OK)
		err = put_text_hash(d, "record_sha256", i->record);
	if (i->crl_partition != 0)
		store_detail_put_int(d, "crl_partition", i->crl_partition);
	store_detail_end(d);
	return err;
}

enum oc_err
store_detail_issue(struct store_detail *d, const char *issuer, int64_t id,
    const struct oc_serial *serial, struct store_blob certificate)
{
	enum oc_err err;

	put_certificate(d, issuer, id, serial);
	err = store_detail_put_hash(d, "certificate_sha256", certificate);
	store_detail_end(d);
	return err;
}

void
store_detail_status(struct store_detail *d, const char *issuer, int64_t id,
    const struct oc_serial *serial, const struct store_status *status)
{
	put_certificate(d, issuer, id, serial);
	if (status->is_revoked) {
		const char *reason = crl_reason_name(status->reason);

		/* A row that somebody else wrote may hold any number. */
		store_detail_put_text(d, "reason",
		    reason == NULL ? "" : reason);
		store_detail_put_int(d, "revoked_at", status->revoked_at);
		if (status->invalidity_at != 0)
			store_detail_put_int(d, "invalidity_at",
			    status->invalidity_at);
	}
	store_detail_end(d);
}

/* The number is text: JSON readers cut numbers over 53 bits. */
static void
put_crl(struct store_detail *d, const struct store_crl_row *row)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, row->number);
	store_detail_init(d);
	store_detail_put_int(d, "crl", row->id);
	store_detail_put_text(d, "issuer", row->issuer);
	store_detail_put_text(d, "number", number);
	if (row->partition != 0)
		store_detail_put_int(d, "partition", row->partition);
	if (row->base_number == 0)
		return;
	snprintf(number, sizeof(number), "%" PRIu64, row->base_number);
	store_detail_put_text(d, "base_number", number);
}

void
store_detail_crl_reserve(struct store_detail *d,
    const struct store_crl_row *row)
{
	put_crl(d, row);
	store_detail_put_int(d, "this_update", row->this_update);
	store_detail_put_int(d, "next_update", row->next_update);
	/* Not of those before schema 6. */
	if (row->change_seq >= 0)
		store_detail_put_int(d, "change_seq", row->change_seq);
	if (row->point[0] != '\0')
		store_detail_put_text(d, "point", row->point);
	store_detail_end(d);
}

void
store_detail_crl(struct store_detail *d, const struct store_crl_row *row,
    const uint8_t hash[STORE_HASH_LEN])
{
	put_crl(d, row);
	store_detail_put_hex(d, "crl_sha256", hash, STORE_HASH_LEN);
	store_detail_end(d);
}

int64_t
store_detail_id(const char *detail)
{
	char word[16];
	int64_t id;

	return sscanf(detail, "{\"%15[a-z]\":%" SCNd64, word, &id) == 2 ?
	    id : 0;
}
