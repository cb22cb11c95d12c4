/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines are put together by hand: a responder's refresh writes thousands a
 * second.
 */
#include "pkcs11/journal_record.h"

#include <string.h>

#include "base/bytes.h"
#include "der/time.h"
#include "sign/digest.h"

#define HASH_TEXT_LEN OC_HEX_LEN(P11_HASH_LEN)
#define US_PER_S 1000000
#define TIME_LEN 27		/* 2026-11-27T11:02:03.123456Z */

static const char *const types[] = {
	NULL, "open", "key", "sign", "gap", "close"
};
static const char *const kinds[] = {
	NULL, "certificate", "crl", "ocsp", "csr"
};
static const char *const outcomes[] = {
	NULL, "signed", "late", "bad", "failed", "refused", "cancelled"
};

#define NUM(list) (sizeof(list) / sizeof((list)[0]))

const char *
p11_outcome_name(enum p11_outcome outcome)
{
	return outcomes[outcome];
}

const char *
p11_kind_name(enum sign_kind kind)
{
	return kinds[kind];
}

/*
 * SHA-256(hash of the record before, in hexadecimal || the line to its last
 * blank, with that).
 */
static void
chain(const uint8_t previous[P11_HASH_LEN], const char *line, size_t len,
    uint8_t hash[P11_HASH_LEN])
{
	char text[HASH_TEXT_LEN + P11_RECORD_MAX];

	oc_assert(len <= P11_RECORD_MAX);
	oc_hex_encode(previous, P11_HASH_LEN, text);
	memcpy(text + HASH_TEXT_LEN, line, len);
	oc_assert(EVP_Digest(text, HASH_TEXT_LEN + len, hash, NULL,
	    sign_digest(SIGN_SHA256), NULL) == 1);
}

/* --- writing ------------------------------------------------------------ */

/* It always fits: each part has its limit, and P11_RECORD_MAX is above their
 * sum. */
struct line {
	char *p, *end;
};

static void
put(struct line *l, const char *text, size_t len)
{
	oc_assert(len < (size_t)(l->end - l->p));
	memcpy(l->p, text, len);
	l->p += len;
	*l->p++ = ' ';
}

static void
put_word(struct line *l, const char *text)
{
	put(l, text, strlen(text));
}

static void
put_number(struct line *l, uint64_t value)
{
	char text[20];
	size_t at = sizeof(text);

	do
		text[--at] = (char)('0' + value % 10);
	while ((value /= 10) != 0);
	put(l, text + at, sizeof(text) - at);
}

static void
put_time(struct line *l, int64_t at_us)
{
	char text[DER_ISO8601_MAX + 8];
	int64_t fraction = at_us % US_PER_S;

	der_format_iso8601(at_us / US_PER_S, text);
	text[19] = '.';
	for (int i = 25; i >= 20; i--, fraction /= 10)
		text[i] = (char)('0' + fraction % 10);
	text[26] = 'Z';
	put(l, text, TIME_LEN);
}

static void
put_hash(struct line *l, const uint8_t *hash)
{
	char text[HASH_TEXT_LEN + 1];

	oc_hex_encode(hash, P11_HASH_LEN, text);
	put(l, text, HASH_TEXT_LEN);
}

/* One line of visible ASCII, with blanks: whatever a token has said. */
static void
put_detail(struct line *l, const char *detail)
{
	size_t len = strlen(detail);
	char *from = l->p;

	put(l, len > 0 ? detail : "-", len > 0 ? len : 1);
	for (; from < l->p - 1; from++)
		if (*from < ' ' || *from > '~')
			*from = '?';
}

static void
put_open(struct line *l, const struct p11_record *r)
{
	put_word(l, r->chain);
	put_number(l, r->file);
	put_number(l, r->octets);
	put_number(l, r->torn);
	put_hash(l, r->previous);
	put_detail(l, r->detail);
}

static void
put_sign(struct line *l, const struct p11_record *r)
{
	put_word(l, kinds[r->kind]);
	put_word(l, sign_lane_name(r->lane));
	put_word(l, r->key);
	put_word(l, r->alg == SIGN_ALG_NONE ? "-" :
	    sign_alg_info(r->alg)->name);
	put_word(l, outcomes[r->outcome]);
	if (r->has_digest)
		put_hash(l, r->digest);
	else
		put(l, "-", 1);
	put_detail(l, r->detail);
}

void
p11_record_write(struct p11_record *record,
    const uint8_t previous[P11_HASH_LEN], char line[P11_RECORD_MAX],
    size_t *len)
{
	struct line l = { line, line + P11_RECORD_MAX - HASH_TEXT_LEN - 2 };

	put_number(&l, record->number);
	put_time(&l, record->at_us);
	put_word(&l, types[record->type]);
	switch (record->type) {
	case P11_RECORD_OPEN:
		put_open(&l, record);
		break;
	case P11_RECORD_KEY:
		put_word(&l, record->key);
		put_hash(&l, record->digest);
		break;
	case P11_RECORD_SIGN:
		put_sign(&l, record);
		break;
	case P11_RECORD_GAP:
		for (int i = 0; i < P11_LOST_MAX; i++)
			put_number(&l, record->lost[i]);
		put_detail(&l, record->detail);
		break;
	case P11_RECORD_CLOSE:
		break;
	}
	chain(previous, line, (size_t)(l.p - line), record->hash);
	oc_hex_encode(record->hash, P11_HASH_LEN, l.p);
	l.p[HASH_TEXT_LEN] = '\n';
	*len = (size_t)(l.p - line) + HASH_TEXT_LEN + 1;
}

/* --- reading ------------------------------------------------------------ */

/* The words of a line; sticky. */
struct words {
	const char *p, *end;		/* end: behind the last blank */
	bool has_failed;
};

struct word {
	const char *p;
	size_t len;
};

static struct word
next(struct words *w)
{
	const char *blank = w->has_failed ? NULL :
	    memchr(w->p, ' ', (size_t)(w->end - w->p));
	struct word word = { "", 0 };

	if (blank == NULL || blank == w->p) {
		w->has_failed = true;
		return word;
	}
	word = (struct word){ w->p, (size_t)(blank - w->p) };
	w->p = blank + 1;
	return word;
}

static bool
is(struct word word, const char *text)
{
	return word.len == strlen(text) &&
	    memcmp(word.p, text, word.len) == 0;
}

/* Which of them; 0, and failed, if none is it. */
static unsigned int
get_one_of(struct words *w, const char *const *list, size_t num)
{
	struct word word = next(w);

	for (size_t i = 1; i < num; i++)
		if (is(word, list[i]))
			return (unsigned int)i;
	w->has_failed = true;
	return 0;
}

static uint64_t
get_number(struct words *w)
{
	struct word word = next(w);
	uint64_t value = 0;

	w->has_failed = w->has_failed || word.len > 19 ||
	    (word.len > 1 && word.p[0] == '0');
	for (size_t i = 0; !w->has_failed && i < word.len; i++) {
		w->has_failed = word.p[i] < '0' || word.p[i] > '9';
		value = value * 10 + (uint64_t)(word.p[i] - '0');
	}
	return value;
}

static int
two(const char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

static int64_t
get_time(struct words *w)
{
	static const char shape[] = "0000-00-00T00:00:00.000000Z";
	struct word word = next(w);
	struct der_civil civil;
	int64_t at = 0;

	w->has_failed = w->has_failed || word.len != TIME_LEN;
	for (size_t i = 0; !w->has_failed && i < TIME_LEN; i++)
		w->has_failed = shape[i] == '0' ? word.p[i] < '0' ||
		    word.p[i] > '9' : word.p[i] != shape[i];
	if (w->has_failed)
		return 0;
	civil = (struct der_civil){ two(word.p) * 100 + two(word.p + 2),
	    two(word.p + 5), two(word.p + 8), two(word.p + 11),
	    two(word.p + 14), two(word.p + 17) };
	if (der_civil_to_unix(&civil, &at) != OC_OK || at < 0)
		w->has_failed = true;
	return at * US_PER_S + two(word.p + 20) * 10000 +
	    two(word.p + 22) * 100 + two(word.p + 24);
}

static void
get_hash(struct words *w, uint8_t hash[P11_HASH_LEN])
{
	struct word word = next(w);
	size_t len;

	if (w->has_failed || oc_hex_decode(word.p, word.len, hash,
	    P11_HASH_LEN, &len) != OC_OK || len != P11_HASH_LEN)
		w->has_failed = true;
}

static void
get_text(struct words *w, char *text, size_t max)
{
	struct word word = next(w);

	if (word.len >= max) {
		w->has_failed = true;
		return;
	}
	memcpy(text, word.p, word.len);
	text[word.len] = '\0';
}

/* All that is left. */
static void
get_detail(struct words *w, char detail[P11_DETAIL_MAX])
{
	size_t len = (size_t)(w->end - w->p);

	if (w->has_failed || len < 2 || len > P11_DETAIL_MAX) {
		w->has_failed = true;
		return;
	}
	memcpy(detail, w->p, len - 1);
	detail[len - 1] = '\0';
	if (strcmp(detail, "-") == 0)
		detail[0] = '\0';
	w->p = w->end;
}

static void
get_sign(struct words *w, struct p11_record *r)
{
	struct words again;
	struct word alg;

	r->kind = (enum sign_kind)get_one_of(w, kinds, NUM(kinds));
	again = *w;
	for (int lane = 0; lane < SIGN_LANE_MAX; lane++)
		if (is(next(&(struct words){ again.p, again.end,
		    again.has_failed }), sign_lane_name((enum sign_lane)lane)))
			r->lane = (enum sign_lane)lane;
	w->has_failed = w->has_failed ||
	    !is(next(w), sign_lane_name(r->lane));
	get_text(w, r->key, sizeof(r->key));
	alg = next(w);
	for (int i = 1; i < SIGN_ALG_MAX; i++)
		if (is(alg, sign_alg_info((enum sign_alg)i)->name))
			r->alg = (enum sign_alg)i;
	w->has_failed = w->has_failed || (r->alg == SIGN_ALG_NONE &&
	    !is(alg, "-"));
	r->outcome = (enum p11_outcome)get_one_of(w, outcomes,
	    NUM(outcomes));
	again = *w;
	if (is(next(&again), "-"))
		*w = again;
	else {
		get_hash(w, r->digest);
		r->has_digest = true;
	}
	get_detail(w, r->detail);
}

static void
get_rest(struct words *w, struct p11_record *r)
{
	switch (r->type) {
	case P11_RECORD_OPEN:
		get_text(w, r->chain, sizeof(r->chain));
		r->file = (uint32_t)get_number(w);
		r->octets = get_number(w);
		r->torn = get_number(w);
		get_hash(w, r->previous);
		get_detail(w, r->detail);
		return;
	case P11_RECORD_KEY:
		get_text(w, r->key, sizeof(r->key));
		get_hash(w, r->digest);
		r->has_digest = true;
		return;
	case P11_RECORD_SIGN:
		get_sign(w, r);
		return;
	case P11_RECORD_GAP:
		for (int i = 0; i < P11_LOST_MAX; i++)
			r->lost[i] = get_number(w);
		get_detail(w, r->detail);
		return;
	case P11_RECORD_CLOSE:
		return;
	}
	w->has_failed = true;
}

static bool
is_plain(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i] < ' ' || line[i] > '~')
			return false;
	return true;
}

enum oc_err
p11_record_read(const char *line, size_t len, struct p11_record *record)
{
	struct p11_record r = { 0 };
	struct words w;
	size_t hash_len;

	if (len >= P11_RECORD_MAX || len < HASH_TEXT_LEN + 2 ||
	    !is_plain(line, len) || line[len - HASH_TEXT_LEN - 1] != ' ' ||
	    oc_hex_decode(line + len - HASH_TEXT_LEN, HASH_TEXT_LEN, r.hash,
	    P11_HASH_LEN, &hash_len) != OC_OK)
		return OC_ERR_MALFORMED;
	w = (struct words){ line, line + len - HASH_TEXT_LEN, false };
	r.number = get_number(&w);
	r.at_us = get_time(&w);
	r.type = (enum p11_record_type)get_one_of(&w, types, NUM(types));
	get_rest(&w, &r);
	if (w.has_failed || w.p != w.end)
		return OC_ERR_MALFORMED;
	*record = r;
	return OC_OK;
}

bool
p11_record_is_chained(const char *line, size_t len,
    const uint8_t previous[P11_HASH_LEN], const struct p11_record *record)
{
	char text[HASH_TEXT_LEN + 1];
	uint8_t hash[P11_HASH_LEN];

	chain(previous, line, len - HASH_TEXT_LEN, hash);
	/* As text: one digit's case is a change, too. */
	oc_hex_encode(hash, sizeof(hash), text);
	return memcmp(hash, record->hash, sizeof(hash)) == 0 &&
	    memcmp(text, line + len - HASH_TEXT_LEN, HASH_TEXT_LEN) == 0;
}
