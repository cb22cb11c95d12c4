/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tbs_samples.h"

#include "der/writer.h"

static const uint8_t name[] = { 0x30, 0x14, 0x31, 0x12, 0x30, 0x10, 0x06,
    0x03, 0x55, 0x04, 0x03, 0x0c, 0x09, 'S', 'a', 'm', 'p', 'l', 'e', ' ',
    'C', 'A' };
static const uint8_t other_name[] = { 0x30, 0x13, 0x31, 0x11, 0x30, 0x0f,
    0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x08, 'O', 't', 'h', 'e', 'r', ' ',
    'C', 'A' };
/* An Ed25519 SubjectPublicKeyInfo with a key of nobody. */
static const uint8_t some_spki[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
    0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
    30, 31, 32 };
static const uint8_t some_serial[] = { 0x01, 0x02, 0x03 };

const struct der_bytes tbs_name = { name, sizeof(name) };
const struct der_bytes tbs_other_name = { other_name, sizeof(other_name) };

void
tbs_sample_init(struct tbs_sample *s, int64_t now_s)
{
	*s = (struct tbs_sample){
		.alg = SIGN_ECDSA_SHA256,
		.issuer = tbs_name,
		.subject = tbs_other_name,
		.spki = { some_spki, sizeof(some_spki) },
		.version = 2,
		.serial = { some_serial, sizeof(some_serial) },
		.not_before = now_s,
		.not_after = now_s + 86400,
		.hash = DER_OID_SHA1,
		.produced_at = now_s,
		.this_update = now_s,
		.next_update = now_s + 86400,
		.num_singles = 1,
	};
}

struct one_extension {
	enum der_oid oid;
	bool is_critical;
	struct der_bytes value;
};

static void
put_extension(struct der_writer *w, const void *arg)
{
	const struct one_extension *e = arg;

	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, e->oid);
	if (e->is_critical)
		der_put_boolean(w, true);
	der_put_octets(w, e->value);
	der_end(w);
}

struct der_bytes
tbs_add_extension(struct der_bytes extensions, uint8_t *out, size_t max,
    enum der_oid oid, bool is_critical, struct der_bytes value)
{
	const struct one_extension e = { oid, is_critical, value };
	size_t len = 0;

	oc_assert(der_write(put_extension, &e, out + extensions.len,
	    max - extensions.len, &len) == OC_OK);
	return (struct der_bytes){ out, extensions.len + len };
}

static void
put_extensions(struct der_writer *w, const struct tbs_sample *s)
{
	der_begin(w, DER_SEQUENCE);
	der_put_raw(w, s->extensions);
	der_end(w);
}

static void
put_certificate(struct der_writer *w, const void *arg)
{
	const struct tbs_sample *s = arg;

	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_CONTEXT(0));
	der_put_uint(w, s->version);
	der_end(w);
	der_put_integer(w, s->serial);
	der_put_raw(w, sign_alg_info(s->alg)->identifier);
	der_put_raw(w, s->issuer);
	der_begin(w, DER_SEQUENCE);
	der_put_time(w, s->not_before);
	der_put_time(w, s->not_after);
	der_end(w);
	der_put_raw(w, s->subject);
	der_put_raw(w, s->spki);
	if (s->extensions.len > 0) {
		der_begin(w, DER_CONTEXT(3));
		put_extensions(w, s);
		der_end(w);
	}
	if (s->has_trailing_null)
		der_put_null(w);
	der_end(w);
}

static void
put_crl(struct der_writer *w, const void *arg)
{
	const struct tbs_sample *s = arg;

	der_begin(w, DER_SEQUENCE);
	der_put_uint(w, s->version);
	der_put_raw(w, sign_alg_info(s->alg)->identifier);
	der_put_raw(w, s->issuer);
	der_put_time(w, s->not_before);
	if (s->not_after != TBS_NO_NEXT_UPDATE)
		der_put_time(w, s->not_after);
	if (s->extensions.len > 0) {
		der_begin(w, DER_CONTEXT(0));
		put_extensions(w, s);
		der_end(w);
	}
	if (s->has_trailing_null)
		der_put_null(w);
	der_end(w);
}

static void
put_csr(struct der_writer *w, const void *arg)
{
	const struct tbs_sample *s = arg;

	der_begin(w, DER_SEQUENCE);
	der_put_uint(w, s->version);
	der_put_raw(w, s->subject);
	der_put_raw(w, s->spki);
	der_begin(w, DER_CONTEXT(0));
	der_end(w);
	if (s->has_trailing_null)
		der_put_null(w);
	der_end(w);
}

static void
put_single(struct der_writer *w, const struct tbs_sample *s)
{
	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, s->hash);
	der_end(w);
	der_put_octets(w, s->name_hash);
	der_put_octets(w, s->key_hash);
	der_put_integer(w, s->serial);
	der_end(w);
	der_put_primitive(w, DER_CONTEXT_PRIMITIVE(0),
	    (struct der_bytes){ NULL, 0 });
	der_put_gentime(w, s->this_update);
	if (s->next_update != 0) {
		der_begin(w, DER_CONTEXT(0));
		der_put_gentime(w, s->next_update);
		der_end(w);
	}
	der_end(w);
}

static void
put_ocsp(struct der_writer *w, const void *arg)
{
	const struct tbs_sample *s = arg;

	der_begin(w, DER_SEQUENCE);
	if (s->responder_name.len > 0) {
		der_begin(w, DER_CONTEXT(1));
		der_put_raw(w, s->responder_name);
		der_end(w);
	} else {
		der_begin(w, DER_CONTEXT(2));
		der_put_octets(w, s->responder_key_hash);
		der_end(w);
	}
	der_put_gentime(w, s->produced_at);
	der_begin(w, DER_SEQUENCE);
	for (unsigned int i = 0; i < s->num_singles; i++)
		put_single(w, s);
	der_end(w);
	if (s->has_trailing_null)
		der_put_null(w);
	der_end(w);
}

static size_t
write_all(der_put_fn *put, const struct tbs_sample *s, uint8_t *out,
    size_t max)
{
	size_t len = 0;

	oc_assert(der_write(put, s, out, max, &len) == OC_OK);
	return len;
}

size_t
tbs_certificate(const struct tbs_sample *s, uint8_t *out, size_t max)
{
	return write_all(put_certificate, s, out, max);
}

size_t
tbs_crl(const struct tbs_sample *s, uint8_t *out, size_t max)
{
	return write_all(put_crl, s, out, max);
}

size_t
tbs_csr(const struct tbs_sample *s, uint8_t *out, size_t max)
{
	return write_all(put_csr, s, out, max);
}

size_t
tbs_ocsp(const struct tbs_sample *s, uint8_t *out, size_t max)
{
	return write_all(put_ocsp, s, out, max);
}
