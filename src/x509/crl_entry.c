/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of a CRL, RFC 5280 5.1.2.6.  The usual one, a serial, a UTCTime
 * and perhaps a reason, is told by its octets, since there may be millions;
 * what is not quite that goes to the reader, which alone says what is wrong.
 */
#include "x509/crl_impl.h"

#include <string.h>

#include "base/limits.h"
#include "der/reader.h"
#include "der/time.h"
#include "x509/ext.h"

/* What of an entry its struct does not say. */
struct entry_facts {
	bool has_extensions;
	struct der_bytes unknown_critical;	/* OID contents */
};

static bool
read_reason(struct der_bytes value, enum crl_reason *reason)
{
	struct der_reader r = der_reader_of(value);
	unsigned int number = 0;

	if (!der_get_enum(&r, &number) || !der_is_done(&r) ||
	    crl_reason_name((enum crl_reason)number) == NULL)
		return false;
	*reason = (enum crl_reason)number;
	return true;
}

static bool
read_invalidity(struct der_bytes value, int64_t *at)
{
	struct der_reader r = der_reader_of(value);

	return der_get_gentime(&r, at) && der_is_done(&r);
}

/*
 * crlEntryExtensions.  Of those not named here only whether one is critical
 * is kept: certificateIssuer of an indirect CRL is.
 */
static bool
read_entry_extensions(struct der_reader *r, struct x509_crl_entry *entry,
    struct entry_facts *facts)
{
	struct der_bytes seen[X509_EXTENSIONS_MAX], id, value;
	uint32_t num_seen = 0, i;
	bool is_critical;
	enum der_oid oid;

	if (der_at_end(r))
		return false;
	while (!der_at_end(r)) {
		if (num_seen == X509_EXTENSIONS_MAX ||
		    !x509_get_extension(r, &id, &is_critical, &value))
			return false;
		for (i = 0; i < num_seen; i++)
			if (der_bytes_equal(seen[i], id))
				return false;
		seen[num_seen++] = id;
		oid = der_oid_find(id);
		if (oid == DER_OID_REASON_CODE) {
			if (!read_reason(value, &entry->reason))
				return false;
		} else if (oid == DER_OID_INVALIDITY_DATE) {
			if (!read_invalidity(value, &entry->invalidity_at))
				return false;
		} else if (is_critical) {
			facts->unknown_critical = id;
		}
	}
	return true;
}

static bool
get_entry(struct der_reader *r, struct x509_crl_entry *entry,
    struct entry_facts *facts)
{
	struct x509_crl_entry e = { .reason = CRL_REASON_UNSPECIFIED };
	struct der_reader inner, extensions;

	*facts = (struct entry_facts){ false, { NULL, 0 } };
	der_enter(r, DER_SEQUENCE, &inner);
	der_get_serial(&inner, &e.serial);
	der_get_time(&inner, &e.revoked_at);
	if (der_next_is(&inner, DER_SEQUENCE)) {
		facts->has_extensions = true;
		if (!der_enter(&inner, DER_SEQUENCE, &extensions) ||
		    !read_entry_extensions(&extensions, &e, facts) ||
		    !der_leave(&inner, &extensions)) {
			der_reader_fail(r);
			return false;
		}
	}
	if (!der_leave(r, &inner))
		return false;
	*entry = e;
	return true;
}

enum oc_err
x509_crl_next_entry(struct der_bytes *rest, struct x509_crl_entry *entry)
{
	struct der_reader r = der_reader_of(*rest);
	struct entry_facts facts;

	if (!get_entry(&r, entry, &facts))
		return OC_ERR_MALFORMED;
	*rest = (struct der_bytes){ r.p, (size_t)(r.end - r.p) };
	return OC_OK;
}

/*
 * --- the usual entry -----------------------------------------------------
 *
 *	30 len  02 len SERIAL  17 0d YYMMDDHHMMSSZ  [ reasonCode ]
 */

#define TIME_LEN (2 + DER_UTCTIME_LEN)
/* Days that were read; a list has few, in any order. */
#define DAYS 1024
struct day {
	uint64_t text;			/* YYMMDD; 0: none */
	int64_t at;			/* 00:00:00 */
};

/* A serial that der_get_serial() takes. */
static inline bool
is_serial(const uint8_t *p, size_t len)
{
	return len >= 1 && len <= OC_SERIAL_MAX && p[0] < 0x80 &&
	    (p[0] != 0 || (len > 1 && p[1] >= 0x80));
}

/* Below max, or at least that: what is no digit makes it so. */
static inline unsigned int
two_digits(const uint8_t *p)
{
	unsigned int a = p[0] - (unsigned int)'0', b = p[1] -
	    (unsigned int)'0';

	return a <= 9 && b <= 9 ? 10 * a + b : 100;
}

static bool
read_day(const uint8_t *p, struct day *day, uint64_t text)
{
	uint8_t midnight[DER_UTCTIME_LEN] = "YYMMDD000000Z";
	int64_t at;

	memcpy(midnight, p, 6);
	if (der_parse_utctime(DER_ARRAY(midnight), &at) != OC_OK)
		return false;
	*day = (struct day){ text, at };
	return true;
}

/* p: what stands behind its tag and length. */
static inline bool
read_time(struct day *days, const uint8_t *p, int64_t *at)
{
	unsigned int hour = two_digits(p + 6), minute = two_digits(p + 8),
	    second = two_digits(p + 10);
	struct day *day;
	uint64_t text = 0;

	memcpy(&text, p, 6);
	day = &days[(text * UINT64_C(0x9e3779b97f4a7c15)) >> 54];
	if (hour > 23 || minute > 59 || second > 59 || p[12] != 'Z' ||
	    text == 0 || (day->text != text && !read_day(p, day, text)))
		return false;
	*at = day->at + (int64_t)(hour * 3600 + minute * 60 + second);
	return true;
}

/* Takes one, or nothing.  e->invalidity_at is 0. */
static inline bool
get_usual(struct der_reader *r, struct day *days, struct x509_crl_entry *e,
    bool *has_extensions)
{
	const uint8_t *p = r->p, *end;
	size_t len;

	if (r->end - p < 4 || p[0] != DER_SEQUENCE || p[1] >= 0x80 ||
	    p[1] > r->end - p - 2 || p[2] != DER_INTEGER)
		return false;
	end = p + 2 + p[1];
	len = p[3];
	p += 4;
	if ((size_t)(end - p) < len + TIME_LEN || !is_serial(p, len) ||
	    p[len] != DER_UTC_TIME || p[len + 1] != DER_UTCTIME_LEN ||
	    !read_time(days, p + len + 2, &e->revoked_at))
		return false;
	if (len == OC_SERIAL_MAX)	/* a copy of constant size */
		memcpy(e->serial.bytes, p, OC_SERIAL_MAX);
	else {
		memset(e->serial.bytes, 0, OC_SERIAL_MAX);
		memcpy(e->serial.bytes, p, len);
	}
	e->serial.len = (uint8_t)len;
	p += len + TIME_LEN;
	e->reason = CRL_REASON_UNSPECIFIED;
	*has_extensions = p != end;
	if (p != end) {
		if (end - p != X509_CRL_REASON_LEN || memcmp(p,
		    x509_crl_reason, X509_CRL_REASON_LEN - 1) != 0 ||
		    end[-1] > 31 || (X509_CRL_REASONS >> end[-1] & 1) == 0)
			return false;
		e->reason = (enum crl_reason)end[-1];
	}
	r->p = end;
	return true;
}

/*
 * --- all of them ---------------------------------------------------------
 */

/* Any entry; what else there is to be said of it is said of the list. */
static enum oc_err
take_unusual(struct x509_crl *crl, struct der_reader *r, size_t n,
    struct x509_crl_entry *entry, bool *has_extensions,
    struct oc_error *error)
{
	struct entry_facts facts;

	if (!get_entry(r, entry, &facts))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CRL: entry %zu is not as RFC 5280 5.1.2.6 has it", n);
	*has_extensions = facts.has_extensions;
	if (facts.unknown_critical.len != 0)
		x509_crl_note_critical(crl, facts.unknown_critical);
	return OC_OK;
}

enum oc_err
x509_crl_check_entries(struct x509_crl *crl, enum x509_crl_version version,
    x509_crl_entry_fn *fn, void *arg, struct oc_error *error)
{
	struct der_reader r = der_reader_of(crl->entries);
	struct day days[DAYS] = { { 0, 0 } };
	struct x509_crl_entry entry = { .invalidity_at = 0 };
	bool has_extensions = false;
	uint32_t place;
	enum oc_err err;
	size_t n;

	for (n = 1; !der_at_end(&r); n++) {
		place = (uint32_t)(r.p - crl->entries.p);
		if (get_usual(&r, days, &entry, &has_extensions))
			err = OC_OK;
		else
			err = take_unusual(crl, &r, n, &entry,
			    &has_extensions, error);
		if (err != OC_OK)
			return err;
		if (has_extensions && version == X509_CRL_IS_V1)
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "CRL: entry %zu has extensions, but the version "
			    "is v1", n);
		if (fn != NULL && (err = fn(arg, &entry, place)) !=
		    OC_OK)
			return err;
		entry.invalidity_at = 0;
	}
	return OC_OK;
}
