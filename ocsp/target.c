/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two passes over a GET's path: the first makes plain base64 of it, the
 * second makes octets of that.  Both only ever write at or before what they
 * read.  When the DER header says more octets than there are, a proxy may
 * have made one '/' of two, and the lost ones are looked for.
 */
#include "ocsp/target.h"

#include "base/bytes.h"
#include "der/reader.h"

/* Beyond this nobody's GET goes through a proxy that collapses slashes. */
#define REPAIR_CHARS_MAX 512
#define REPAIR_LOST_MAX 2
#define REPAIR_SLASHES_MAX 64
/* Every try decodes all of it, and strangers choose how many there are.  A
 * request of 255 characters has four slashes: ten ways to lose two. */
#define REPAIR_TRIES_MAX 256

#define NOT_BASE64 0xff

static const uint8_t sextets[256] = {
	[0 ... '+' - 1] = NOT_BASE64, ['+'] = 62,
	[',' ... '.'] = NOT_BASE64, ['/'] = 63,
	['0'] = 52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
	[':' ... '@'] = NOT_BASE64,
	['A'] = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
	18, 19, 20, 21, 22, 23, 24, 25,
	['[' ... '`'] = NOT_BASE64,
	['a'] = 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
	['{' ... 255] = NOT_BASE64
};

/*
 * The character at p[*at], its escapes resolved however often they were
 * applied: %252B is %2B is '+'.  -1 for a '%' without two digits.
 */
static int
next_char(const uint8_t *p, size_t len, size_t *at, unsigned int *cured)
{
	int c = p[(*at)++], high, low;
	bool is_again = false;

	while (c == '%') {
		if (len - *at < 2)
			return -1;
		high = oc_hex_value(p[*at]);
		low = oc_hex_value(p[*at + 1]);
		if (high < 0 || low < 0)
			return -1;
		c = high << 4 | low;
		*at += 2;
		if (is_again)
			*cured |= HTTP_CURED_ESCAPES;
		is_again = true;
	}
	return c;
}

/*
 * Makes plain base64 characters of the path, without padding, where it is.
 * False if it is no base64.
 */
static bool
normalise(uint8_t *p, size_t len, size_t *num_chars, unsigned int *cured)
{
	size_t at = 0, n = 0;
	bool is_padding = false;
	int c;

	while (at < len && p[at] != '?') {
		c = next_char(p, len, &at, cured);
		if (c == ' ' || c == '-' || c == '_') {
			c = c == '_' ? '/' : '+';
			*cured |= HTTP_CURED_ALPHABET;
		} else if (c == '\r' || c == '\n') {
			*cured |= HTTP_CURED_ALPHABET;
			continue;
		} else if (c == '=') {
			is_padding = true;
			continue;
		}
		if (c < 0 || sextets[c] == NOT_BASE64 || is_padding)
			return false;
		p[n++] = (uint8_t)c;
	}
	*num_chars = n;
	return true;
}

/* n characters of base64 to octets; in and out may begin together.  False if
 * the bits that are left over are not zero, or are a whole character. */
static bool
decode(const uint8_t *in, size_t n, uint8_t *out, size_t *len)
{
	uint32_t bits = 0;
	unsigned int num_bits = 0;
	size_t i, at = 0;

	for (i = 0; i + 4 <= n; i += 4) {
		bits = (uint32_t)sextets[in[i]] << 18 |
		    (uint32_t)sextets[in[i + 1]] << 12 |
		    (uint32_t)sextets[in[i + 2]] << 6 | sextets[in[i + 3]];
		out[at++] = (uint8_t)(bits >> 16);
		out[at++] = (uint8_t)(bits >> 8);
		out[at++] = (uint8_t)bits;
	}
	for (bits = 0; i < n; i++) {
		bits = bits << 6 | sextets[in[i]];
		num_bits += 6;
		if (num_bits >= 8) {
			num_bits -= 8;
			out[at++] = (uint8_t)(bits >> num_bits);
			bits &= (1u << num_bits) - 1;
		}
	}
	*len = at;
	return num_bits < 6 && bits == 0;
}

static size_t
chars_of(size_t len)
{
	return (len * 8 + 5) / 6;
}

/* How many octets a value says it has, header included; 0 if that cannot be
 * seen in the first len. */
static size_t
der_len(const uint8_t *p, size_t len)
{
	size_t num_octets, i, n = 0;

	if (len < 2)
		return 0;
	if (p[1] < 0x80)
		return 2u + p[1];
	num_octets = p[1] & 0x7f;
	if (num_octets == 0 || num_octets > 2 || len < 2 + num_octets)
		return 0;
	for (i = 0; i < num_octets; i++)
		n = n << 8 | p[2 + i];
	return 2 + num_octets + n;
}

/* The search for lost slashes. */
struct repair {
	const uint8_t *chars;		/* what has come */
	size_t num_chars;
	/* where one may have been two */
	uint16_t slashes[REPAIR_SLASHES_MAX];
	size_t num_slashes;
	size_t num_lost;
	unsigned int num_tries;
	http_judge_fn *judge;
	void *arg;
	uint8_t candidate[REPAIR_CHARS_MAX + REPAIR_LOST_MAX];
	uint8_t best[REPAIR_CHARS_MAX];	/* octets */
	size_t best_len;
	unsigned int num_plausible;
	bool is_certain, has_given_up;
};

static enum http_verdict
judge_der(void *arg, struct der_bytes der)
{
	struct der_bytes contents;

	(void)arg;
	return der_read_whole(der, DER_SEQUENCE, &contents) &&
	    der_is_valid(der) ? HTTP_PLAUSIBLE : HTTP_IMPOSSIBLE;
}

/* Judges the characters with a '/' more at each of the places chosen. */
static void
try_places(struct repair *r, const uint16_t *places)
{
	size_t at = 0, lost, n = 0, len;
	struct der_bytes der;

	for (lost = 0; lost < r->num_lost; lost++) {
		memcpy(r->candidate + n, r->chars + at, places[lost] - at);
		n += places[lost] - at;
		at = places[lost];
		r->candidate[n++] = '/';
	}
	memcpy(r->candidate + n, r->chars + at, r->num_chars - at);
	n += r->num_chars - at;
	if (!decode(r->candidate, n, r->candidate, &len))
		return;
	der = (struct der_bytes){ r->candidate, len };
	if (der_len(der.p, len) != len)
		return;
	switch (r->judge(r->arg, der)) {
	case HTTP_IMPOSSIBLE:
		return;
	case HTTP_CERTAIN:
		r->is_certain = true;
		break;
	case HTTP_PLAUSIBLE:
		if (r->num_plausible++ > 0)
			return;
		break;
	}
	memcpy(r->best, der.p, len);
	r->best_len = len;
}

static void
try_all(struct repair *r)
{
	uint16_t places[REPAIR_LOST_MAX];
	size_t i, j;

	for (i = 0; i < r->num_slashes; i++) {
		places[0] = r->slashes[i];
		for (j = r->num_lost == 1 ? r->num_slashes - 1 : i;
		    j < r->num_slashes; j++) {
			places[1] = r->slashes[j];
			if (r->is_certain)
				return;
			if (r->num_tries++ == REPAIR_TRIES_MAX) {
				r->has_given_up = true;
				return;
			}
			try_places(r, places);
		}
	}
}

/*
 * Finds the places where one '/' stands for two (or three).  True if there
 * was a way to tell; the octets are then where the characters were.
 */
static bool
repair(uint8_t *p, size_t num_chars, size_t num_lost, http_judge_fn *judge,
    void *arg, size_t *len)
{
	struct repair r;
	size_t i;

	r.chars = p;
	r.num_chars = num_chars;
	r.num_lost = num_lost;
	r.num_slashes = r.num_tries = r.num_plausible = 0;
	r.is_certain = r.has_given_up = false;
	r.judge = judge == NULL ? judge_der : judge;
	r.arg = arg;
	for (i = 0; i < num_chars; i++) {
		if (p[i] != '/')
			continue;
		if (r.num_slashes == REPAIR_SLASHES_MAX)
			return false;
		r.slashes[r.num_slashes++] = (uint16_t)i;
	}
	try_all(&r);
	/* What was not tried may be plausible, too. */
	if (!r.is_certain && (r.has_given_up || r.num_plausible != 1))
		return false;
	memcpy(p, r.best, r.best_len);
	*len = r.best_len;
	return true;
}

/* How many characters are missing, as far as the DER header can be believed;
 * 0 if none are, or more than a proxy can have taken. */
static size_t
num_lost_of(const uint8_t *p, size_t num_chars)
{
	uint8_t start[6];
	size_t len, wanted;

	if (!decode(p, num_chars < 8 ? num_chars : 8, start, &len) &&
	    num_chars <= 8)
		return 0;
	wanted = chars_of(der_len(start, len));
	return wanted > num_chars && wanted - num_chars <= REPAIR_LOST_MAX ?
	    wanted - num_chars : 0;
}

/* What is behind the prefix and the slashes that follow it; false if that is
 * not where the target is. */
static bool
strip_prefix(const uint8_t *p, size_t len, const char *prefix, size_t *at)
{
	size_t i = 0, prefix_len = strlen(prefix);

	if (prefix_len > 0)		/* without its last '/' */
		prefix_len--;
	if (prefix_len > 0) {
		/* "//ocsp" where a client joined "host/" and "/ocsp". */
		while (len - i >= 2 && p[i] == '/' && p[i + 1] == '/')
			i++;
		if (len - i < prefix_len ||
		    memcmp(p + i, prefix, prefix_len) != 0)
			return false;
		i += prefix_len;
		if (i < len && p[i] != '/' && p[i] != '?')
			return false;
	}
	while (i < len && p[i] == '/')
		i++;
	*at = i;
	return true;
}

enum http_target_kind
http_target_decode(uint8_t *target, size_t len, const char *prefix,
    http_judge_fn *judge, void *arg, struct der_bytes *der,
    unsigned int *cured)
{
	unsigned int found = 0;
	size_t at, num_chars, num_lost, der_octets;
	uint8_t *p;

	if (!strip_prefix(target, len, prefix, &at))
		return HTTP_TARGET_OTHER;
	if (at == len || target[at] == '?')
		return HTTP_TARGET_ROOT;
	p = target + at;
	if (!normalise(p, len - at, &num_chars, &found) || num_chars < 3 ||
	    p[0] != 'M' || p[1] < 'A' || p[1] > 'P')
		return HTTP_TARGET_OTHER;
	num_lost = num_lost_of(p, num_chars);
	if (num_lost > 0 && num_chars <= REPAIR_CHARS_MAX &&
	    repair(p, num_chars, num_lost, judge, arg, &der_octets))
		found |= HTTP_CURED_SLASHES;
	else if (!decode(p, num_chars, p, &der_octets))
		return HTTP_TARGET_OTHER;
	*der = (struct der_bytes){ p, der_octets };
	*cured = found;
	return HTTP_TARGET_REQUEST;
}

enum http_target_kind
http_target_of_post(const uint8_t *target, size_t len, const char *prefix)
{
	size_t at;

	if (strcmp(prefix, "/") == 0)
		return HTTP_TARGET_ROOT;
	if (!strip_prefix(target, len, prefix, &at))
		return HTTP_TARGET_OTHER;
	return at == len || target[at] == '?' ? HTTP_TARGET_ROOT :
	    HTTP_TARGET_OTHER;
}
