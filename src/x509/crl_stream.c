/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands before the entries says how long they are.  So they are written
 * behind room for it, and it goes right before them when they are all there;
 * the same way the list's own header goes before the TBSCertList:
 *
 *	| room ... | 30 len  version .. nextUpdate  30 len | entries | [0] |
 *	0          tbs_at                                  ROOM
 */
#include "x509/crl_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/spool.h"
#include "der/header.h"
#include "der/reader.h"
#include "der/time.h"
#include "x509/crl_impl.h"
#include "x509/tbs.h"

/* An issuer's name, and what is beside it: three headers, a version, an
 * algorithm, two times. */
#define ROOM OC_TBS_BEFORE_MAX
#define BESIDE_NAME_MAX 1024
/* Algorithm and signature. */
#define TAIL_MAX (OC_SIGNATURE_MAX + 256)
_Static_assert(ROOM >= OC_NAME_MAX + BESIDE_NAME_MAX, "room for a name");

#define DAY_S UINT32_C(86400)
#define TIME_LEN (2 + DER_UTCTIME_LEN)

/* As a UTCTime says it; a list has few days, in any order. */
#define DAYS 512
struct day {
	uint32_t number;		/* since 1950; with text[0] 0: none */
	uint8_t text[6];		/* YYMMDD */
};

struct x509_crl_stream {
	struct oc_spool spool;
	struct oc_mapping mapping;
	size_t tbs_at;			/* in it; 0: not there yet */
	size_t tbs_len;
	uint32_t num;
	struct day days[DAYS];
};

enum oc_err
x509_crl_stream_new(struct x509_crl_stream **stream)
{
	struct x509_crl_stream *s = calloc(1, sizeof(*s));
	enum oc_err err;

	if (s == NULL)
		return OC_ERR_NOMEM;
	err = oc_spool_open(&s->spool, "ocsign-crl",
	    (uint64_t)OC_TBS_MAX + ROOM);
	oc_spool_skip(&s->spool, ROOM);
	if (err == OC_OK)
		err = s->spool.err;
	if (err != OC_OK) {
		x509_crl_stream_free(s);
		return err;
	}
	*stream = s;
	return OC_OK;
}

void
x509_crl_stream_free(struct x509_crl_stream *stream)
{
	if (stream == NULL)
		return;
	oc_mapping_fini(&stream->mapping);
	oc_spool_close(&stream->spool);
	free(stream);
}

static void
put_two_digits(uint8_t *at, unsigned int n)
{
	static const char digits[] =
	    "00010203040506070809101112131415161718192021222324252627282930"
	    "3132333435363738394041424344454647484950515253545556575859";

	memcpy(at, digits + 2 * (size_t)n, 2);
}

static __attribute__((noinline)) void
set_day(struct day *day, uint32_t number, int64_t at)
{
	uint8_t whole[DER_UTCTIME_LEN];

	der_format_utctime(at, whole);
	memcpy(day->text, whole, sizeof(day->text));
	day->number = number;
}

/* at is one that a UTCTime can say. */
static inline void
put_time(struct x509_crl_stream *s, int64_t at, uint8_t out[TIME_LEN])
{
	/* Days and seconds since the first of them, which is a midnight. */
	uint32_t since = (uint32_t)(at - DER_UTCTIME_FIRST);
	uint32_t number = since / DAY_S, second = since % DAY_S;
	struct day *day = &s->days[number % DAYS];

	if (day->number != number || day->text[0] == 0)
		set_day(day, number, at);
	out[0] = DER_UTC_TIME;
	out[1] = DER_UTCTIME_LEN;
	memcpy(out + 2, day->text, sizeof(day->text));
	put_two_digits(out + 8, second / 3600);
	put_two_digits(out + 10, second / 60 % 60);
	put_two_digits(out + 12, second % 60);
	out[14] = 'Z';
}

/* Whether it is one of those that there are a million of; of any other the
 * readable writer decides what it is. */
static bool
is_usual(const struct x509_crl_entry *e)
{
	return e->invalidity_at == 0 && e->revoked_at >= DER_UTCTIME_FIRST &&
	    e->revoked_at <= DER_UTCTIME_LAST && e->serial.len > 0 &&
	    e->serial.len <= OC_SERIAL_MAX &&
	    der_integer_is_valid((struct der_bytes){ e->serial.bytes,
	    e->serial.len }) && (unsigned int)e->reason < 32 &&
	    (X509_CRL_REASONS >> e->reason & 1) != 0;
}

/* Its octets; no more than 53, so that each length is one octet. */
static size_t
write_usual(struct x509_crl_stream *s, const struct x509_crl_entry *e,
    uint8_t *out)
{
	size_t len = e->serial.len;
	uint8_t *at = out + 4;

	out[0] = DER_SEQUENCE;
	out[2] = DER_INTEGER;
	out[3] = (uint8_t)len;
	/* All there is room for: a copy of constant size. */
	memcpy(at, e->serial.bytes, OC_SERIAL_MAX);
	at += len;
	put_time(s, e->revoked_at, at);
	at += TIME_LEN;
	if (e->reason != CRL_REASON_UNSPECIFIED) {
		memcpy(at, x509_crl_reason, X509_CRL_REASON_LEN);
		at += X509_CRL_REASON_LEN;
		at[-1] = (uint8_t)e->reason;
	}
	out[1] = (uint8_t)(at - out - 2);
	return (size_t)(at - out);
}

enum oc_err
x509_crl_stream_put(struct x509_crl_stream *stream,
    const struct x509_crl_entry *entry)
{
	uint8_t *out = oc_spool_claim(&stream->spool, X509_CRL_ENTRY_MAX);
	enum oc_err err;
	size_t len;

	if (out == NULL)
		return stream->spool.err;
	if (is_usual(entry)) {
		len = write_usual(stream, entry, out);
	} else {
		err = x509_crl_entry_write(entry, out, &len);
		if (err != OC_OK)
			return err;
	}
	oc_spool_keep(&stream->spool, len);
	stream->num++;
	return OC_OK;
}

uint32_t
x509_crl_stream_num(const struct x509_crl_stream *stream)
{
	return stream->num;
}

/*
 * The octets before the first entry, at the end of out; how many.  A list
 * without entries has no revokedCertificates.
 */
static enum oc_err
write_head(const struct x509_crl_tbs *tbs, size_t entries_len,
    size_t behind_len, uint8_t out[ROOM], size_t *len)
{
	uint8_t fields[ROOM], list[DER_HEADER_MAX], whole[DER_HEADER_MAX];
	size_t fields_len, list_len = 0, whole_len;
	enum oc_err err;

	err = der_write(x509_put_crl_before, tbs, fields,
	    ROOM - 3 * DER_HEADER_MAX, &fields_len);
	if (err != OC_OK)
		return err == OC_ERR_NO_SPACE ? OC_ERR_LIMIT : err;
	if (entries_len > 0)
		list_len = der_put_header(list, DER_SEQUENCE, entries_len);
	whole_len = der_put_header(whole, DER_SEQUENCE, fields_len +
	    list_len + entries_len + behind_len);
	*len = whole_len + fields_len + list_len;
	out += ROOM - *len;
	memcpy(out, whole, whole_len);
	memcpy(out + whole_len, fields, fields_len);
	if (list_len > 0)
		memcpy(out + whole_len + fields_len, list, list_len);
	return OC_OK;
}

enum oc_err
x509_crl_stream_end(struct x509_crl_stream *stream,
    const struct x509_crl_tbs *tbs)
{
	struct oc_spool *spool = &stream->spool;
	size_t entries_len = (size_t)spool->len - ROOM, behind_len, head_len;
	uint8_t head[ROOM], *behind;
	enum oc_err err;

	oc_assert(stream->tbs_at == 0);
	behind = oc_spool_claim(spool, OC_SPOOL_CLAIM_MAX);
	if (behind == NULL)
		return spool->err;
	err = der_write(x509_put_crl_behind, tbs, behind, OC_SPOOL_CLAIM_MAX,
	    &behind_len);
	if (err == OC_OK)
		err = write_head(tbs, entries_len, behind_len, head,
		    &head_len);
	if (err != OC_OK)
		return err;
	oc_spool_keep(spool, behind_len);
	oc_spool_write_at(spool, ROOM - head_len, head + ROOM - head_len,
	    head_len);
	err = oc_spool_seal(spool);
	if (err == OC_OK && spool->len - (ROOM - head_len) > OC_TBS_MAX)
		err = OC_ERR_LIMIT;
	if (err == OC_OK)
		err = oc_spool_map(spool, TAIL_MAX, &stream->mapping);
	if (err != OC_OK)
		return err;
	stream->tbs_at = ROOM - head_len;
	stream->tbs_len = (size_t)spool->len - stream->tbs_at;
	return OC_OK;
}

struct der_bytes
x509_crl_stream_tbs(const struct x509_crl_stream *stream)
{
	oc_assert(stream->tbs_at != 0);
	return (struct der_bytes){ stream->mapping.bytes + stream->tbs_at,
	    stream->tbs_len };
}

int
x509_crl_stream_fd(const struct x509_crl_stream *stream)
{
	return stream->spool.fd;
}

/* signatureAlgorithm AlgorithmIdentifier, signature BIT STRING */
static void
put_tail(struct der_writer *w, const void *arg)
{
	const struct x509_signed *s = arg;

	der_put_raw(w, sign_alg_info(s->alg)->identifier);
	der_put_bits(w, s->signature);
}

enum oc_err
x509_crl_stream_sign(struct x509_crl_stream *stream, enum sign_alg alg,
    struct der_bytes signature, struct der_bytes *list)
{
	const struct x509_signed tail = { .alg = alg, .signature = signature };
	uint8_t *tbs = stream->mapping.bytes + stream->tbs_at;
	uint8_t header[DER_HEADER_MAX];
	size_t tail_len, header_len;
	enum oc_err err;

	oc_assert(stream->tbs_at != 0);
	err = der_write(put_tail, &tail, tbs + stream->tbs_len, TAIL_MAX,
	    &tail_len);
	if (err != OC_OK)
		return err;
	header_len = der_put_header(header, DER_SEQUENCE,
	    stream->tbs_len + tail_len);
	memcpy(tbs - header_len, header, header_len);
	*list = (struct der_bytes){ tbs - header_len,
	    header_len + stream->tbs_len + tail_len };
	return OC_OK;
}
