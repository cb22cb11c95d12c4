/* SPDX-License-Identifier: Apache-2.0 */
/* csr.json: subject, key and ca; the hosts are in hosts.c. */
#include "cfssl/request.h"

#include <stdlib.h>
#include <string.h>

#include "cfssl/duration.h"

/* --- subject ---------------------------------------------------------- */

/* Go leaves empty values out. */
static enum oc_err
add_text(struct cfssl_subject *s, const struct cfssl_place *place,
    const char *key, const char *type, const json_t *value,
    struct oc_error *error)
{
	struct cfssl_place in = cfssl_place_in(place, key, 0);
	const char *text = json_string_value(value);

	if (text == NULL || text[0] == '\0')
		return OC_OK;
	return cfssl_subject_add(s, &in, type, text, error);
}

static enum oc_err
read_oids(struct cfssl_subject *s, const struct cfssl_place *place,
    json_t *oids, struct oc_error *error)
{
	const char *key;
	json_t *value;
	enum oc_err err = OC_OK;

	json_object_foreach(oids, key, value) {
		if (!json_is_string(value)) {
			struct cfssl_place in = cfssl_place_in(place, key, 0);

			return cfssl_json_error(&in, OC_ERR_MALFORMED, error,
			    "must be a text");
		}
		err = add_text(s, place, key, key, value, error);
		if (err != OC_OK)
			return err;
	}
	return OC_OK;
}

/* CFSSL reads SerialNumber here and forgets it; we take it, once. */
static enum oc_err
read_name(struct cfssl_subject *s, const struct cfssl_place *place,
    const json_t *name, const char **serial, struct oc_error *error)
{
	struct cfssl_member m[] = {
		{ "C", JSON_STRING, NULL }, { "ST", JSON_STRING, NULL },
		{ "L", JSON_STRING, NULL }, { "O", JSON_STRING, NULL },
		{ "OU", JSON_STRING, NULL }, { "E", JSON_STRING, NULL },
		{ "SerialNumber", JSON_STRING, NULL },
		{ "OID", JSON_OBJECT, NULL }, { NULL, JSON_NULL, NULL }
	};
	struct cfssl_place in;
	const char *text;
	enum oc_err err = cfssl_json_members(place, name, m, error);
	size_t i;

	for (i = 0; err == OC_OK && i < 6; i++)
		err = add_text(s, place, m[i].name, m[i].name, m[i].value,
		    error);
	if (err != OC_OK)
		return err;
	text = json_string_value(m[6].value);
	if (text != NULL && text[0] != '\0') {
		in = cfssl_place_in(place, "SerialNumber", 0);
		if (*serial != NULL && strcmp(*serial, text) != 0)
			return cfssl_json_error(&in, OC_ERR_MALFORMED, error,
			    "a subject has one serial number, and this is "
			    "another than before");
		*serial = text;
	}
	in = cfssl_place_in(place, "OID", 0);
	return m[7].value == NULL ? OC_OK :
	    read_oids(s, &in, m[7].value, error);
}

static enum oc_err
read_subject(struct cfssl_subject *s, const struct cfssl_place *place,
    const json_t *cn, const json_t *names, const json_t *serialnumber,
    struct oc_error *error)
{
	struct cfssl_place list = cfssl_place_in(place, "names", 0);
	const char *serial = json_string_value(serialnumber);
	enum oc_err err;
	size_t i;

	if (serial != NULL && serial[0] == '\0')
		serial = NULL;
	err = add_text(s, place, "CN", "CN", cn, error);
	for (i = 0; err == OC_OK && i < json_array_size(names); i++) {
		struct cfssl_place in = cfssl_place_in(&list, NULL, i);

		err = read_name(s, &in, json_array_get(names, i), &serial,
		    error);
	}
	if (err == OC_OK && serial != NULL) {
		struct cfssl_place in = cfssl_place_in(place, "serialnumber",
		    0);

		err = cfssl_subject_add(s, &in, "serialNumber", serial,
		    error);
	}
	return err;
}

enum oc_err
cfssl_subject_read(const char *where, const uint8_t *text, size_t len,
    struct cfssl_subject *subject, struct oc_error *error)
{
	const struct cfssl_place place = { .where = where };
	struct cfssl_subject s = { .num_attributes = 0 };
	struct cfssl_member m[] = {
		{ "CN", JSON_STRING, NULL }, { "names", JSON_ARRAY, NULL },
		{ "serialnumber", JSON_STRING, NULL },
		{ NULL, JSON_NULL, NULL }
	};
	json_t *document;
	enum oc_err err;

	err = cfssl_json_parse(where, text, len, &document, error);
	if (err != OC_OK)
		return err;
	err = cfssl_json_members(&place, document, m, error);
	if (err == OC_OK)
		err = read_subject(&s, &place, m[0].value, m[1].value,
		    m[2].value, error);
	json_decref(document);
	if (err == OC_OK)
		*subject = s;
	return err;
}

/* --- key and ca ------------------------------------------------------- */

static enum oc_err
read_rsa(struct cfssl_request *r, const struct cfssl_place *place,
    json_int_t size, struct oc_error *error)
{
	if (size < 2048 || size > CFSSL_RSA_BITS_MAX)
		return cfssl_json_error(place, OC_ERR_UNSUPPORTED, error,
		    "an RSA key has 2048 to %d bits, not %lld; give a size",
		    CFSSL_RSA_BITS_MAX, (long long)size);
	r->key_type = SIGN_KEY_RSA;
	r->key_bits = (unsigned int)size;
	return OC_OK;
}

static enum oc_err
read_ecdsa(struct cfssl_request *r, const struct cfssl_place *place,
    json_int_t size, struct oc_error *error)
{
	if (size == 256)
		r->key_type = SIGN_KEY_P256;
	else if (size == 384)
		r->key_type = SIGN_KEY_P384;
	else if (size == 521)
		r->key_type = SIGN_KEY_P521;
	else
		return cfssl_json_error(place, OC_ERR_UNSUPPORTED, error,
		    "an ECDSA key has 256, 384 or 521 bits, not %lld",
		    (long long)size);
	r->key_bits = (unsigned int)size;
	return OC_OK;
}

/* As in Go, what is not given is ECDSA and 256, each by itself. */
static enum oc_err
read_key(struct cfssl_request *r, const struct cfssl_place *place,
    const json_t *key, struct oc_error *error)
{
	struct cfssl_member m[] = {
		{ "algo", JSON_STRING, NULL }, { "size", JSON_INTEGER, NULL },
		{ NULL, JSON_NULL, NULL }
	};
	struct cfssl_place algo_in = cfssl_place_in(place, "algo", 0);
	struct cfssl_place size_in = cfssl_place_in(place, "size", 0);
	const char *algo = "ecdsa";
	json_int_t size = 256;
	enum oc_err err = OC_OK;

	if (key != NULL)
		err = cfssl_json_members(place, key, m, error);
	if (err != OC_OK)
		return err;
	if (m[0].value != NULL)
		algo = json_string_value(m[0].value);
	if (m[1].value != NULL)
		size = json_integer_value(m[1].value);
	if (strcmp(algo, "rsa") == 0)
		return read_rsa(r, &size_in, size, error);
	if (strcmp(algo, "ecdsa") == 0)
		return read_ecdsa(r, &size_in, size, error);
	if (strcmp(algo, "ed25519") != 0)
		return cfssl_json_error(&algo_in, OC_ERR_UNSUPPORTED, error,
		    "\"%.40s\" is no algorithm; write rsa, ecdsa or ed25519",
		    algo);
	if (m[1].value != NULL && size != 0 && size != 256)
		return cfssl_json_error(&size_in, OC_ERR_UNSUPPORTED, error,
		    "an Ed25519 key has 256 bits; leave the size out");
	r->key_type = SIGN_KEY_ED25519;
	r->key_bits = 256;
	return OC_OK;
}

static enum oc_err
read_duration(const struct cfssl_place *place, const char *key,
    const json_t *value, int64_t *seconds, struct oc_error *error)
{
	struct cfssl_place in = cfssl_place_in(place, key, 0);
	const char *text = json_string_value(value);
	enum oc_err err;

	if (text == NULL || text[0] == '\0')
		return OC_OK;
	err = cfssl_duration_parse(text, seconds, error);
	if (err != OC_OK)
		cfssl_json_prefix(&in, error);
	return err;
}

static enum oc_err
read_ca(struct cfssl_request *r, const struct cfssl_place *place,
    const json_t *ca, struct oc_error *error)
{
	struct cfssl_member m[] = {
		{ "pathlen", JSON_INTEGER, NULL },
		{ "pathlenzero", JSON_TRUE, NULL },
		{ "expiry", JSON_STRING, NULL },
		{ "backdate", JSON_STRING, NULL }, { NULL, JSON_NULL, NULL }
	};
	struct cfssl_place in = cfssl_place_in(place, "pathlen", 0);
	json_int_t length;
	enum oc_err err;

	if (ca == NULL)
		return OC_OK;
	err = cfssl_json_members(place, ca, m, error);
	if (err == OC_OK)
		err = read_duration(place, "expiry", m[2].value,
		    &r->ca.expiry_s, error);
	if (err == OC_OK)
		err = read_duration(place, "backdate", m[3].value,
		    &r->ca.backdate_s, error);
	if (err != OC_OK)
		return err;
	length = json_integer_value(m[0].value);
	if (length < 0 || length > 255)
		return cfssl_json_error(&in, OC_ERR_MALFORMED, error,
		    "a path length is 0 to 255");
	if (length != 0 && json_is_true(m[1].value))
		return cfssl_json_error(&in, OC_ERR_MALFORMED, error,
		    "is %lld, but pathlenzero says 0; leave one out",
		    (long long)length);
	/* 0 alone says nothing: Go cannot tell it from no number. */
	if (length != 0 || json_is_true(m[1].value))
		r->ca.path_length = (int)length;
	r->ca.is_given = true;
	return OC_OK;
}

/* --- the whole -------------------------------------------------------- */

static enum oc_err
read_hosts(struct cfssl_request *r, const struct cfssl_place *place,
    const json_t *hosts, struct oc_error *error)
{
	enum oc_err err = OC_OK;
	size_t i;

	for (i = 0; err == OC_OK && i < json_array_size(hosts); i++) {
		struct cfssl_place in = cfssl_place_in(place, NULL, i);
		const json_t *host = json_array_get(hosts, i);

		if (!json_is_string(host))
			return cfssl_json_error(&in, OC_ERR_MALFORMED, error,
			    "must be a text");
		err = cfssl_request_add_host(r, &in,
		    json_string_value(host), error);
	}
	return err;
}

/* Known to CFSSL, but not the applicant's to say. */
static enum oc_err
refuse_others(const struct cfssl_place *place, const struct cfssl_member *m,
    struct oc_error *error)
{
	for (; m->name != NULL; m++) {
		struct cfssl_place in = cfssl_place_in(place, m->name, 0);

		if (m->value != NULL && !json_is_false(m->value) &&
		    !(json_is_array(m->value) &&
		    json_array_size(m->value) == 0))
			return cfssl_json_error(&in, OC_ERR_UNSUPPORTED,
			    error, "is the profile's to say, not the "
			    "request's; take it out");
	}
	return OC_OK;
}

static enum oc_err
read_all(struct cfssl_request *r, const struct cfssl_place *place,
    const json_t *document, enum cfssl_fault *fault, struct oc_error *error)
{
	struct cfssl_member m[] = {
		{ "CN", JSON_STRING, NULL }, { "names", JSON_ARRAY, NULL },
		{ "serialnumber", JSON_STRING, NULL },
		{ "hosts", JSON_ARRAY, NULL }, { "key", JSON_OBJECT, NULL },
		{ "ca", JSON_OBJECT, NULL }, { "crl_url", JSON_STRING, NULL },
		{ "extensions", JSON_ARRAY, NULL },
		{ "delegation_enabled", JSON_TRUE, NULL },
		{ NULL, JSON_NULL, NULL }
	};
	struct cfssl_place hosts = cfssl_place_in(place, "hosts", 0);
	struct cfssl_place key = cfssl_place_in(place, "key", 0);
	struct cfssl_place ca = cfssl_place_in(place, "ca", 0);
	enum oc_err err = cfssl_json_members(place, document, m, error);

	if (err == OC_OK)
		err = refuse_others(place, m + 6, error);
	if (err == OC_OK)
		err = read_subject(&r->subject, place, m[0].value,
		    m[1].value, m[2].value, error);
	if (err == OC_OK)
		err = read_hosts(r, &hosts, m[3].value, error);
	if (err == OC_OK) {
		err = read_key(r, &key, m[4].value, error);
		if (err != OC_OK)
			*fault = CFSSL_FAULT_IN_KEY;
	}
	if (err == OC_OK)
		err = read_ca(r, &ca, m[5].value, error);
	return err;
}

enum oc_err
cfssl_request_read(const char *where, const uint8_t *text, size_t len,
    struct cfssl_request **request, enum cfssl_fault *fault,
    struct oc_error *error)
{
	const struct cfssl_place place = { .where = where };
	enum cfssl_fault ignored = CFSSL_FAULT_ELSEWHERE;
	struct cfssl_request *r;
	json_t *document;
	enum oc_err err;

	if (fault == NULL)
		fault = &ignored;
	*fault = CFSSL_FAULT_ELSEWHERE;
	err = cfssl_json_parse(where, text, len, &document, error);
	if (err != OC_OK)
		return err;
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		json_decref(document);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	r->ca.path_length = X509_NO_PATH_LENGTH;
	err = read_all(r, &place, document, fault, error);
	json_decref(document);
	if (err != OC_OK) {
		cfssl_request_free(r);
		return err;
	}
	*request = r;
	return OC_OK;
}

void
cfssl_request_free(struct cfssl_request *r)
{
	if (r == NULL)
		return;
	for (uint32_t i = 0; i < r->num_sans; i++)
		free(r->octets[i]);
	free(r);
}

enum oc_err
cfssl_request_set_common_name(struct cfssl_request *r, const char *where,
    const char *name, struct oc_error *error)
{
	const struct cfssl_place place = { .where = where };

	cfssl_subject_remove(&r->subject, "CN");
	return name[0] == '\0' ? OC_OK :
	    cfssl_subject_add(&r->subject, &place, "CN", name, error);
}

bool
cfssl_request_extensions(const struct cfssl_request *r,
    struct x509_extensions *e)
{
	memset(e, 0, sizeof(*e));
	memcpy(e->sans, r->sans, sizeof(r->sans));
	e->num_sans = r->num_sans;
	e->path_length = X509_NO_PATH_LENGTH;
	if (r->ca.is_given) {
		e->has_basic_constraints = true;
		e->ca = X509_IS_CA;
		e->path_length = r->ca.path_length;
	}
	return r->num_sans > 0 || r->ca.is_given;
}
