/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is sent: OCSPRequests (RFC 6960, 4.1.1) and the HTTP around them, made
 * with our writer, and wrong where a case wants it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>

#include <openssl/evp.h>

#include "probe/case.h"
#include "x509/spki.h"

struct der_bytes
probe_copy(struct probe *p, struct der_bytes octets)
{
	uint8_t *copy = probe_take(p, octets.len);

	oc_assert(copy != NULL);
	if (octets.len > 0)
		memcpy(copy, octets.p, octets.len);
	return (struct der_bytes){ copy, octets.len };
}

struct der_bytes
probe_join(struct probe *p, struct der_bytes a, struct der_bytes b)
{
	uint8_t *both = probe_take(p, a.len + b.len);

	oc_assert(both != NULL);
	if (a.len > 0)
		memcpy(both, a.p, a.len);
	if (b.len > 0)
		memcpy(both + a.len, b.p, b.len);
	return (struct der_bytes){ both, a.len + b.len };
}

struct der_bytes
probe_text(struct probe *p, const char *format, ...)
{
	char text[16384];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	oc_assert(len >= 0 && (size_t)len < sizeof(text));
	return probe_copy(p, (struct der_bytes){ (const uint8_t *)text,
	    (size_t)len });
}

struct der_bytes
probe_random(struct probe *p, size_t len)
{
	uint8_t *octets = probe_take(p, len);

	oc_assert(octets != NULL && len <= 256);
	if (getrandom(octets, len, 0) != (ssize_t)len)
		memset(octets, 0x5a, len);
	return (struct der_bytes){ octets, len };
}

struct der_bytes
probe_write(struct probe *p, der_put_fn *put, const void *arg)
{
	uint8_t *out;
	size_t len;
	enum oc_err err = der_write(put, arg, NULL, 0, &len);

	oc_assert(err == OC_OK);
	out = probe_take(p, len);
	oc_assert(out != NULL);
	err = der_write(put, arg, out, len, &len);
	oc_assert(err == OC_OK);
	return (struct der_bytes){ out, len };
}

struct value {
	uint8_t tag;
	struct der_bytes contents;
};

static void
put_value(struct der_writer *w, const void *arg)
{
	const struct value *value = arg;

	der_put_primitive(w, value->tag, value->contents);
}

struct der_bytes
probe_wrap(struct probe *p, uint8_t tag, struct der_bytes contents)
{
	struct value value = { tag, contents };

	return probe_write(p, put_value, &value);
}

/* --- CertID ----------------------------------------------------------- */

struct certid {
	struct der_bytes oid;
	bool is_absent;
	struct der_bytes name_hash, key_hash, serial;
};

/*
 * CertID ::= SEQUENCE {
 *     hashAlgorithm   AlgorithmIdentifier,
 *     issuerNameHash  OCTET STRING,
 *     issuerKeyHash   OCTET STRING,
 *     serialNumber    CertificateSerialNumber }
 */
static void
put_certid(struct der_writer *w, const void *arg)
{
	const struct certid *certid = arg;

	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_put_oid_bytes(w, certid->oid);
	if (!certid->is_absent)
		der_put_null(w);
	der_end(w);
	der_put_octets(w, certid->name_hash);
	der_put_octets(w, certid->key_hash);
	/* As it is: some are no DER. */
	der_put_primitive(w, DER_INTEGER, certid->serial);
	der_end(w);
}

static struct der_bytes
oid_of(struct probe *p, const char *text)
{
	uint8_t oid[64];
	size_t len;
	enum oc_err err = der_oid_parse(text, oid, sizeof(oid), &len);

	oc_assert(err == OC_OK);
	return probe_copy(p, (struct der_bytes){ oid, len });
}

static const char *
hash_oid(const char *hash)
{
	static const struct { const char *name, *oid; } hashes[] = {
		{ "SHA1", "1.3.14.3.2.26" },
		{ "SHA256", "2.16.840.1.101.3.4.2.1" },
		{ "SHA384", "2.16.840.1.101.3.4.2.2" },
		{ "SHA512", "2.16.840.1.101.3.4.2.3" },
		{ "MD5", "1.2.840.113549.2.5" },
	};

	for (size_t i = 0; i < sizeof(hashes) / sizeof(*hashes); i++)
		if (strcmp(hashes[i].name, hash) == 0)
			return hashes[i].oid;
	return NULL;
}

static struct der_bytes
digest(struct probe *p, const char *hash, struct der_bytes octets)
{
	uint8_t value[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	EVP_MD *md = EVP_MD_fetch(NULL, hash, NULL);

	/* Where a policy has no MD5, any 16 octets will do. */
	if (md == NULL || EVP_Digest(octets.p, octets.len, value, &len, md,
	    NULL) != 1) {
		len = 16;
		memset(value, 0x55, len);
	}
	EVP_MD_free(md);
	return probe_copy(p, (struct der_bytes){ value, len });
}

struct der_bytes
probe_serial(struct probe *p, const struct x509_cert *cert)
{
	return probe_copy(p, (struct der_bytes){ cert->serial.bytes,
	    cert->serial.len });
}

struct der_bytes
probe_random_serial(struct probe *p)
{
	struct der_bytes serial = probe_random(p, 20);

	((uint8_t *)(uintptr_t)serial.p)[0] = 0x3d;
	return serial;
}

struct der_bytes
probe_make_certid(struct probe *p, const struct probe_certid_plan *plan)
{
	const struct x509_cert *issuer = plan->issuer != NULL ?
	    plan->issuer : p->o->issuer;
	const char *hash = plan->hash != NULL ? plan->hash : "SHA1";
	struct certid certid = { .is_absent = plan->is_absent };
	struct der_bytes key;

	certid.oid = oid_of(p, plan->oid != NULL ? plan->oid :
	    hash_oid(hash));
	if (x509_spki_key_bits(issuer->spki, &key) != OC_OK)
		key = issuer->spki;
	if (plan->has_other_key)
		key = DER_LITERAL("nobody's key");
	certid.name_hash = digest(p, hash, issuer->subject);
	certid.key_hash = digest(p, hash, key);
	certid.name_hash.len -= plan->cut;
	certid.key_hash.len -= plan->cut;
	certid.serial = plan->serial.len > 0 ? plan->serial :
	    probe_serial(p, p->o->certs[0]);
	return probe_write(p, put_certid, &certid);
}

/* --- OCSPRequest ------------------------------------------------------ */

/*
 * Extension ::= SEQUENCE {
 *     extnID     OBJECT IDENTIFIER,
 *     critical   BOOLEAN DEFAULT FALSE,
 *     extnValue  OCTET STRING }
 */
struct extension {
	struct der_bytes oid, value;
	bool is_critical;
};

static void
put_extension(struct der_writer *w, const void *arg)
{
	const struct extension *e = arg;

	der_begin(w, DER_SEQUENCE);
	der_put_oid_bytes(w, e->oid);
	if (e->is_critical)
		der_put_boolean(w, true);
	der_put_octets(w, e->value);
	der_end(w);
}

struct der_bytes
probe_extension(struct probe *p, const char *oid, bool is_critical,
    struct der_bytes value)
{
	struct extension e = { oid_of(p, oid), value, is_critical };

	return probe_write(p, put_extension, &e);
}

struct der_bytes
probe_nonce_extension(struct probe *p, bool is_critical,
    struct der_bytes nonce)
{
	return probe_extension(p, "1.3.6.1.5.5.7.48.1.2", is_critical,
	    probe_wrap(p, DER_OCTET_STRING, nonce));
}

struct der_bytes
probe_acceptable(struct probe *p, struct der_bytes oids)
{
	struct der_bytes basic = probe_wrap(p, DER_OID,
	    der_oid_bytes(DER_OID_OCSP_BASIC));

	return probe_extension(p, "1.3.6.1.5.5.7.48.1.4", false,
	    probe_wrap(p, DER_SEQUENCE, probe_join(p, basic, oids)));
}

static void
put_extensions(struct der_writer *w, uint8_t tag, struct der_bytes extensions)
{
	if (extensions.len == 0)
		return;
	der_begin(w, tag);
	der_begin(w, DER_SEQUENCE);
	der_put_raw(w, extensions);
	der_end(w);
	der_end(w);
}

/*
 * TBSRequest ::= SEQUENCE {
 *     version            [0] EXPLICIT Version DEFAULT v1,
 *     requestorName      [1] EXPLICIT GeneralName OPTIONAL,
 *     requestList        SEQUENCE OF Request,
 *     requestExtensions  [2] EXPLICIT Extensions OPTIONAL }
 *
 * Request ::= SEQUENCE {
 *     reqCert                  CertID,
 *     singleRequestExtensions  [0] EXPLICIT Extensions OPTIONAL }
 */
static void
put_tbs(struct der_writer *w, const void *arg)
{
	const struct probe_request *plan = arg;

	der_begin(w, DER_SEQUENCE);
	if (plan->version != PROBE_VERSION_LEFT_OUT) {
		der_begin(w, DER_CONTEXT(0));
		der_put_uint(w, plan->version == PROBE_VERSION_2);
		der_end(w);
	}
	if (plan->requestor.len > 0) {
		der_begin(w, DER_CONTEXT(1));
		der_put_raw(w, plan->requestor);
		der_end(w);
	}
	der_begin(w, DER_SEQUENCE);
	for (uint32_t i = 0; i < plan->num_certids; i++) {
		der_begin(w, DER_SEQUENCE);
		der_put_raw(w, plan->certids[i]);
		if (i == 0)
			put_extensions(w, DER_CONTEXT(0),
			    plan->single_extensions);
		der_end(w);
	}
	der_end(w);
	put_extensions(w, DER_CONTEXT(2), plan->extensions);
	der_end(w);
}

/*
 * OCSPRequest ::= SEQUENCE {
 *     tbsRequest         TBSRequest,
 *     optionalSignature  [0] EXPLICIT Signature OPTIONAL }
 */
static void
put_request(struct der_writer *w, const void *arg)
{
	const struct probe_request *plan = arg;

	der_begin(w, DER_SEQUENCE);
	put_tbs(w, plan);
	if (plan->signature.len > 0) {
		der_begin(w, DER_CONTEXT(0));
		der_put_raw(w, plan->signature);
		der_end(w);
	}
	der_end(w);
}

static struct probe_request
whole(const struct probe *p, const struct probe_request *plan)
{
	struct probe_request request = *plan;

	if (request.certids == NULL && !request.is_empty) {
		request.certids = &p->certid;
		request.num_certids = 1;
	}
	return request;
}

struct der_bytes
probe_make_tbs(struct probe *p, const struct probe_request *plan)
{
	struct probe_request request = whole(p, plan);

	return probe_write(p, put_tbs, &request);
}

struct der_bytes
probe_make_request(struct probe *p, const struct probe_request *plan)
{
	struct probe_request request = whole(p, plan);

	return probe_write(p, put_request, &request);
}

/* --- HTTP ------------------------------------------------------------- */

struct der_bytes
probe_target_of(struct probe *p, const char *chars)
{
	size_t len = strlen(p->o->path);

	return probe_text(p, "%s%s%s", p->o->path,
	    len > 0 && p->o->path[len - 1] == '/' ? "" : "/", chars);
}

struct der_bytes
probe_target(struct probe *p, struct der_bytes request)
{
	char base64[OC_BASE64_LEN(2048) + 1], escaped[3 * sizeof(base64)];
	size_t n = 0;

	oc_assert(request.len <= 2048);
	oc_base64_encode(request.p, request.len, base64);
	for (const char *c = base64; *c != '\0'; c++)
		n += (size_t)snprintf(escaped + n, sizeof(escaped) - n,
		    *c == '+' || *c == '/' || *c == '=' ? "%%%02X" : "%c",
		    *c);
	return probe_target_of(p, escaped);
}

struct der_bytes
probe_make_http(struct probe *p, const struct probe_http *http)
{
	const char *type = http->type != NULL ? http->type :
	    "application/ocsp-request";
	bool has_body = http->body.len > 0 ||
	    (http->method != NULL && strcmp(http->method, "POST") == 0);
	struct oc_buffer b;
	struct der_bytes octets;

	oc_buffer_init(&b, 256 * 1024);
	oc_buffer_printf(&b, "%s ", http->method != NULL ? http->method :
	    has_body ? "POST" : "GET");
	if (http->target.len > 0)
		oc_buffer_put(&b, http->target.p, http->target.len);
	else
		oc_buffer_put_text(&b, p->o->path[0] == '\0' ? "/" :
		    p->o->path);
	oc_buffer_printf(&b, " %s\r\n", http->version != NULL ?
	    http->version : "HTTP/1.1");
	if ((http->flags & PROBE_NO_HOST) == 0)
		oc_buffer_printf(&b, "Host: %s\r\n", p->o->authority);
	if (has_body && type[0] != '\0')
		oc_buffer_printf(&b, "Content-Type: %s\r\n", type);
	if (has_body && (http->flags & PROBE_NO_LENGTH) == 0)
		oc_buffer_printf(&b, "Content-Length: %zu\r\n",
		    http->body.len);
	if (http->fields != NULL)
		oc_buffer_put_text(&b, http->fields);
	if ((http->flags & PROBE_KEEP) == 0)
		oc_buffer_put_text(&b, "Connection: close\r\n");
	oc_buffer_put_text(&b, "\r\n");
	oc_buffer_put(&b, http->body.p, http->body.len);
	oc_assert(b.err == OC_OK);
	octets = probe_copy(p, (struct der_bytes){ b.bytes, b.len });
	oc_buffer_fini(&b);
	return octets;
}
