/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/tsig.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* RFC 8945, 3 and 5.3.  */
#define BADSIG 16
#define BADKEY 17
#define ARCOUNT_AT 10

static const struct algorithm {
	const char *name, *digest;
	size_t mac_len;
} algorithms[] = {
	[VALIDATION_HMAC_SHA256] = { "hmac-sha256", "SHA256", 32 },
	[VALIDATION_HMAC_SHA384] = { "hmac-sha384", "SHA384", 48 },
	[VALIDATION_HMAC_SHA512] = { "hmac-sha512", "SHA512", 64 }
};

const char *
validation_tsig_algorithm_name(enum validation_tsig_algorithm algorithm)
{
	return algorithms[algorithm].name;
}

void
validation_tsig_key_fini(struct validation_tsig_key *key)
{
	oc_secret_fini(&key->secret);
}

/* A record, and what of it is in the digest beside its name and algorithm. */
struct tsig {
	uint64_t signed_at;		/* 48 bits */
	uint16_t fudge_s, original_id, code;
	const uint8_t *mac, *other;
	size_t mac_len, other_len;
};

static void
put_time(struct validation_dns_writer *w, uint64_t at)
{
	validation_dns_put_u16(w, (unsigned int)(at >> 32 & 0xffff));
	validation_dns_put_u32(w, (uint32_t)at);
}

/*
 * What the MAC is of (RFC 8945, 4.3.3): the variables, behind the message,
 * behind (in an answer) the request's MAC.
 *
 *	NAME, CLASS = ANY, TTL = 0, algorithm name, time signed, fudge, error,
 *	other length, other data
 */
static void
put_variables(struct validation_dns_writer *w,
    const struct validation_tsig_key *key, const struct tsig *t)
{
	validation_dns_put_name(w, key->name);
	validation_dns_put_u16(w, VALIDATION_CLASS_ANY);
	validation_dns_put_u32(w, 0);
	validation_dns_put_name(w, algorithms[key->algorithm].name);
	put_time(w, t->signed_at);
	validation_dns_put_u16(w, t->fudge_s);
	validation_dns_put_u16(w, t->code);
	validation_dns_put_u16(w, (unsigned int)t->other_len);
	validation_dns_put(w, t->other, t->other_len);
}

static enum oc_err
make_mac(const struct validation_tsig_key *key,
    const struct validation_dns_writer *digested, struct validation_mac *mac)
{
	const struct algorithm *a = &algorithms[key->algorithm];
	size_t len = 0;

	if (digested->is_bad)
		return OC_ERR_LIMIT;
	if (EVP_Q_mac(NULL, "HMAC", NULL, a->digest, NULL, key->secret.bytes,
	    key->secret.len, digested->bytes, digested->len, mac->bytes,
	    sizeof(mac->bytes), &len) == NULL || len != a->mac_len)
		return OC_ERR_INTERNAL;
	mac->len = len;
	return OC_OK;
}

/*
 * NAME, TYPE = TSIG, CLASS = ANY, TTL = 0, RDLENGTH, then
 *	algorithm name, time signed (48), fudge (16), MAC size (16), MAC,
 *	original ID (16), error (16), other length (16), other data
 */
static void
put_record(struct validation_dns_writer *w,
    const struct validation_tsig_key *key, const struct tsig *t)
{
	const char *algorithm = algorithms[key->algorithm].name;

	validation_dns_put_name(w, key->name);
	validation_dns_put_u16(w, VALIDATION_RR_TSIG);
	validation_dns_put_u16(w, VALIDATION_CLASS_ANY);
	validation_dns_put_u32(w, 0);
	/* A name is two octets longer than its text. */
	validation_dns_put_u16(w, (unsigned int)(strlen(algorithm) + 2 + 16 +
	    t->mac_len + t->other_len));
	validation_dns_put_name(w, algorithm);
	put_time(w, t->signed_at);
	validation_dns_put_u16(w, t->fudge_s);
	validation_dns_put_u16(w, (unsigned int)t->mac_len);
	validation_dns_put(w, t->mac, t->mac_len);
	validation_dns_put_u16(w, t->original_id);
	validation_dns_put_u16(w, t->code);
	validation_dns_put_u16(w, (unsigned int)t->other_len);
	validation_dns_put(w, t->other, t->other_len);
}

/* One more, or one less, additional record. */
static void
add_additional(uint8_t *message, int num)
{
	unsigned int n = (unsigned int)message[ARCOUNT_AT] << 8 |
	    message[ARCOUNT_AT + 1];

	n += (unsigned int)num;
	message[ARCOUNT_AT] = (uint8_t)(n >> 8);
	message[ARCOUNT_AT + 1] = (uint8_t)n;
}

enum oc_err
validation_tsig_sign(const struct validation_tsig_key *key, int64_t now_at,
    struct validation_dns_writer *w, struct validation_mac *mac)
{
	struct validation_dns_writer digested = *w;
	struct tsig t = { .signed_at = (uint64_t)now_at,
	    .fudge_s = VALIDATION_TSIG_FUDGE_S };
	enum oc_err err;

	oc_assert(w->len >= VALIDATION_DNS_HEADER_LEN);
	put_variables(&digested, key, &t);
	err = make_mac(key, &digested, mac);
	if (err != OC_OK)
		return err;
	t.mac = mac->bytes;
	t.mac_len = mac->len;
	t.original_id = (uint16_t)(w->bytes[0] << 8 | w->bytes[1]);
	put_record(w, key, &t);
	if (w->is_bad)
		return OC_ERR_LIMIT;
	add_additional(w->bytes, 1);
	return OC_OK;
}

/* --- an answer's -------------------------------------------------------- */

static uint32_t
num_records(const uint8_t *message)
{
	uint32_t num = 0;

	for (size_t at = 6; at < VALIDATION_DNS_HEADER_LEN; at += 2)
		num += (uint32_t)(message[at] << 8 | message[at + 1]);
	return num;
}

/* The last record, which alone may be one of these. */
static enum oc_err
find_record(const uint8_t *message, size_t len,
    struct validation_dns_record *record)
{
	struct validation_dns_reader r = { message, len, 0, false };
	char name[VALIDATION_NAME_MAX + 1];
	uint32_t num;

	if (validation_dns_get(&r, VALIDATION_DNS_HEADER_LEN) == NULL)
		return OC_ERR_MALFORMED;
	for (int i = message[4] << 8 | message[5]; i > 0 && !r.is_bad; i--) {
		validation_dns_get_name(&r, name);
		(void)validation_dns_get_u32(&r);
	}
	num = num_records(message);
	record->type = 0;
	for (; num > 0 && !r.is_bad; num--) {
		if (record->type == VALIDATION_RR_TSIG)
			return OC_ERR_MALFORMED;
		validation_dns_get_record(&r, record);
	}
	if (r.is_bad || r.at != len)
		return OC_ERR_MALFORMED;
	return record->type == VALIDATION_RR_TSIG &&
	    (message[ARCOUNT_AT] | message[ARCOUNT_AT + 1]) != 0 ? OC_OK :
	    OC_ERR_UNSIGNED;
}

static enum oc_err
read_record(const uint8_t *message,
    const struct validation_dns_record *record,
    char algorithm[VALIDATION_NAME_MAX + 1], struct tsig *t)
{
	struct validation_dns_reader r = { message, record->data_at +
	    record->data_len, record->data_at, false };

	validation_dns_get_name(&r, algorithm);
	t->signed_at = (uint64_t)validation_dns_get_u16(&r) << 32;
	t->signed_at |= validation_dns_get_u32(&r);
	t->fudge_s = validation_dns_get_u16(&r);
	t->mac_len = validation_dns_get_u16(&r);
	t->mac = validation_dns_get(&r, t->mac_len);
	t->original_id = validation_dns_get_u16(&r);
	t->code = validation_dns_get_u16(&r);
	t->other_len = validation_dns_get_u16(&r);
	t->other = validation_dns_get(&r, t->other_len);
	if (r.is_bad || r.at != r.len || record->ttl != 0 ||
	    record->class != VALIDATION_CLASS_ANY)
		return OC_ERR_MALFORMED;
	return OC_OK;
}

static enum oc_err
answer_mac(const struct validation_tsig_key *key,
    const struct validation_mac *request, const uint8_t *message, size_t len,
    const struct tsig *t, struct validation_mac *mac)
{
	struct validation_dns_writer w = { .len = 0 };
	size_t begin;

	validation_dns_put_u16(&w, (unsigned int)request->len);
	validation_dns_put(&w, request->bytes, request->len);
	begin = w.len;
	validation_dns_put(&w, message, len);
	if (w.is_bad)
		return OC_ERR_LIMIT;
	w.bytes[begin] = (uint8_t)(t->original_id >> 8);
	w.bytes[begin + 1] = (uint8_t)t->original_id;
	add_additional(w.bytes + begin, -1);
	put_variables(&w, key, t);
	return make_mac(key, &w, mac);
}

static enum oc_err
check_record(const struct validation_tsig_key *key, int64_t now_at,
    const struct validation_mac *request, const uint8_t *message,
    const struct validation_dns_record *record, const struct tsig *t,
    struct oc_error *error)
{
	struct validation_mac mac;
	int64_t late_s = now_at - (int64_t)t->signed_at;
	enum oc_err err;

	if (t->mac_len != algorithms[key->algorithm].mac_len)
		return oc_error_set(error, OC_ERR_SIGNATURE, "its MAC is cut");
	err = answer_mac(key, request, message, record->begins_at, t, &mac);
	if (err != OC_OK)
		return oc_error_set(error, err, "its MAC cannot be made");
	if (CRYPTO_memcmp(mac.bytes, t->mac, mac.len) != 0)
		return oc_error_set(error, OC_ERR_SIGNATURE, "its MAC is not "
		    "that of the key \"%s\"", key->name);
	if (late_s > VALIDATION_TSIG_FUDGE_S ||
	    late_s < -VALIDATION_TSIG_FUDGE_S)
		return oc_error_set(error, OC_ERR_MISMATCH, "it was signed "
		    "%lld s %s our time", (long long)(late_s < 0 ? -late_s :
		    late_s), late_s < 0 ? "after" : "before");
	return OC_OK;
}

enum oc_err
validation_tsig_verify(const struct validation_tsig_key *key, int64_t now_at,
    const struct validation_mac *request, const uint8_t *message, size_t len,
    uint16_t *code, struct oc_error *error)
{
	struct validation_dns_record record;
	char algorithm[VALIDATION_NAME_MAX + 1];
	struct tsig t;
	enum oc_err err;

	*code = 0;
	err = find_record(message, len, &record);
	if (err == OC_OK)
		err = read_record(message, &record, algorithm, &t);
	if (err != OC_OK)
		return oc_error_set(error, err, err == OC_ERR_UNSIGNED ?
		    "it is not signed" : "it is no DNS message");
	*code = t.code;
	if (strcmp(record.name, key->name) != 0 ||
	    strcmp(algorithm, algorithms[key->algorithm].name) != 0)
		return oc_error_set(error, OC_ERR_MISMATCH, "it is signed by "
		    "another key, \"%s\" of %s", record.name, algorithm);
	/* RFC 8945, 5.3.2: such an answer has no MAC. */
	if (t.mac_len == 0 && (t.code == BADSIG || t.code == BADKEY))
		return oc_error_set(error, OC_ERR_UNSIGNED,
		    "it is not signed");
	return check_record(key, now_at, request, message, &record, &t,
	    error);
}
