/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One signing profile of CFSSL's config.json: SigningProfile in its
 * config/config.go names the keys, in this order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ca/exempt.h"
#include "ca/cfssl_profile.h"
#include "ca/profile_impl.h"
#include "cfssl/duration.h"
#include "cfssl/usage.h"
#include "der/oid.h"

#define BACKDATE_S 300		/* CFSSL's, unless it is given */

/* Where an error is: the profile, then one key of it. */
struct reading {
	const struct cfssl_place *place;
	struct ca_profile *profile;
	struct oc_error *error;
};

static enum oc_err
fail(const struct reading *r, const char *key, const char *text)
{
	struct cfssl_place in = cfssl_place_in(r->place, key, 0);

	return cfssl_json_error(&in, OC_ERR_CONFIG, r->error, "%s", text);
}

/* A text of a list; NULL if that element is something else. */
static const char *
text_at(const json_t *list, size_t i)
{
	return json_string_value(json_array_get(list, i));
}

static enum oc_err
fail_at(const struct reading *r, const char *key, size_t i, const char *text)
{
	struct cfssl_place list = cfssl_place_in(r->place, key, 0);
	struct cfssl_place in = cfssl_place_in(&list, NULL, i);

	return cfssl_json_error(&in, OC_ERR_CONFIG, r->error, "%s", text);
}

static enum oc_err
read_usage(struct reading *r, const json_t *list, size_t i, uint32_t *bits)
{
	const char *name = text_at(list, i);
	const struct cfssl_usage *usage = name == NULL ? NULL :
	    cfssl_usage_find(name);
	struct der_bytes oid;
	uint8_t octets[32];

	if (usage == NULL)
		return fail_at(r, "usages", i, "is no usage that CFSSL has, "
		    "such as \"signing\", \"key encipherment\" or "
		    "\"server auth\"");
	*bits |= usage->key_usage;
	if (usage->eku == NULL)
		return OC_OK;
	oid.p = octets;
	oc_assert(der_oid_parse(usage->eku, octets, sizeof(octets),
	    &oid.len) == OC_OK);
	return ca_profile_add_eku(r->profile, oid, r->error);
}

static enum oc_err
read_usages(struct reading *r, const json_t *list)
{
	struct oc_error why = { 0 };
	uint32_t bits = 0;
	enum oc_err err = OC_OK;
	size_t i;

	for (i = 0; err == OC_OK && i < json_array_size(list); i++)
		err = read_usage(r, list, i, &bits);
	if (err != OC_OK)
		return err;
	r->profile->may_lack_key_usage = bits == 0;
	if (bits == 0 && r->profile->ca != X509_IS_CA)
		return OC_OK;
	err = ca_profile_set_key_usage(r->profile, bits, &why);
	return err == OC_OK ? OC_OK : fail(r, "usages", why.text);
}

/* Keeps what a URL of a certificate may be. */
static enum oc_err
read_url(struct reading *r, const char *key, const char *url,
    struct der_bytes *kept)
{
	const char *p;

	if (strncmp(url, "http://", 7) != 0 || url[7] == '\0')
		return fail(r, key, "must be a URL, http://HOST/PATH; https "
		    "would need what it is about to fetch");
	for (p = url; *p != '\0'; p++)
		if (*p <= 0x20 || *p >= 0x7f)
			return fail(r, key, "has a character that no URL "
			    "has");
	return ca_profile_keep(r->profile, url, strlen(url), kept, r->error);
}

static enum oc_err
read_urls(struct reading *r, const json_t *issuers, const json_t *ocsp,
    const json_t *crl)
{
	struct ca_profile *p = r->profile;
	enum oc_err err = OC_OK;
	size_t i;

	if (json_array_size(issuers) > X509_URLS_MAX)
		return fail(r, "issuer_urls", "more than 4");
	for (i = 0; err == OC_OK && i < json_array_size(issuers); i++) {
		if (text_at(issuers, i) == NULL)
			return fail_at(r, "issuer_urls", i, "must be a text");
		err = read_url(r, "issuer_urls", text_at(issuers, i),
		    &p->ca_issuers_urls[i]);
		p->num_ca_issuers_urls++;
	}
	if (err == OC_OK && json_string_length(ocsp) != 0)
		err = read_url(r, "ocsp_url", json_string_value(ocsp),
		    &p->ocsp_url);
	if (err == OC_OK && json_string_length(crl) != 0)
		err = read_url(r, "crl_url", json_string_value(crl),
		    &p->crl_url);
	p->has_ocsp_url = p->ocsp_url.len != 0;
	p->has_crl_url = p->crl_url.len != 0;
	return err;
}

static enum oc_err
read_ca_constraint(struct reading *r, const json_t *value)
{
	struct cfssl_place in = cfssl_place_in(r->place, "ca_constraint", 0);
	struct cfssl_member m[] = {
		{ "is_ca", JSON_TRUE, NULL },
		{ "max_path_len", JSON_INTEGER, NULL },
		{ "max_path_len_zero", JSON_TRUE, NULL },
		{ NULL }
	};
	json_int_t length;
	enum oc_err err;

	r->profile->path_length = X509_NO_PATH_LENGTH;
	if (value == NULL)
		return OC_OK;
	err = cfssl_json_members(&in, value, m, r->error);
	if (err != OC_OK)
		return err;
	length = json_integer_value(m[1].value);
	if (length < 0 || length > 16)
		return fail(r, "ca_constraint", "max_path_len: from 0 to 16");
	if (!json_is_true(m[0].value)) {
		if (length != 0 || json_is_true(m[2].value))
			return fail(r, "ca_constraint", "a path length "
			    "without is_ca means nothing");
		return OC_OK;
	}
	r->profile->ca = X509_IS_CA;
	if (length != 0 || json_is_true(m[2].value))
		r->profile->path_length = (int)length;
	if (length != 0 && json_is_true(m[2].value))
		return fail(r, "ca_constraint", "max_path_len and "
		    "max_path_len_zero contradict each other");
	return OC_OK;
}

/* Go's zero time is none. */
static enum oc_err
read_instant(struct reading *r, const char *key, const json_t *value,
    int64_t *at)
{
	const char *text = json_string_value(value);
	struct oc_error why = { 0 };

	if (value == NULL || strcmp(text, "0001-01-01T00:00:00Z") == 0)
		return OC_OK;
	if (cfssl_instant_parse(text, at, &why) != OC_OK)
		return fail(r, key, why.text);
	return OC_OK;
}

static enum oc_err
read_duration(struct reading *r, const char *key, const json_t *value,
    int64_t *seconds)
{
	struct oc_error why = { 0 };

	if (json_string_length(value) == 0)
		return OC_OK;
	if (cfssl_duration_parse(json_string_value(value), seconds, &why) !=
	    OC_OK)
		return fail(r, key, why.text);
	return OC_OK;
}

static enum oc_err
read_oids(struct reading *r, const json_t *list)
{
	struct ca_profile *p = r->profile;
	struct oc_error why = { 0 };
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		if (text_at(list, i) == NULL)
			return fail_at(r, "allowed_extensions", i,
			    "must be a text");
		if (ca_profile_add_oid(p, text_at(list, i), p->allowed_oids,
		    &p->num_allowed_oids, &why) != OC_OK)
			return fail_at(r, "allowed_extensions", i, why.text);
	}
	return OC_OK;
}

static enum oc_err
read_qualifier(struct reading *r, const struct cfssl_place *place,
    const json_t *value)
{
	struct cfssl_member m[] = {
		{ "Type", JSON_STRING, NULL },
		{ "Value", JSON_STRING, NULL },
		{ NULL }
	};
	enum x509_qualifier_kind kind = X509_QUALIFIER_CPS;
	struct oc_error why = { 0 };
	enum oc_err err;

	err = cfssl_json_members(place, value, m, r->error);
	if (err != OC_OK)
		return err;
	if (m[0].value == NULL || m[1].value == NULL)
		return cfssl_json_error(place, OC_ERR_CONFIG, r->error,
		    "needs Type and Value");
	if (strcmp(json_string_value(m[0].value), "id-qt-unotice") == 0)
		kind = X509_QUALIFIER_NOTICE;
	else if (strcmp(json_string_value(m[0].value), "id-qt-cps") != 0)
		return cfssl_json_error(place, OC_ERR_CONFIG, r->error,
		    "Type: neither id-qt-cps nor id-qt-unotice");
	if (ca_profile_add_qualifier(r->profile, kind,
	    json_string_value(m[1].value), &why) != OC_OK)
		return cfssl_json_error(place, OC_ERR_CONFIG, r->error, "%s",
		    why.text);
	return OC_OK;
}

static enum oc_err
read_policy(struct reading *r, const struct cfssl_place *place,
    const json_t *value)
{
	struct cfssl_member m[] = {
		{ "ID", JSON_STRING, NULL },
		{ "Qualifiers", JSON_ARRAY, NULL },
		{ NULL }
	};
	struct cfssl_place list = cfssl_place_in(place, "Qualifiers", 0), in;
	struct oc_error why = { 0 };
	enum oc_err err;
	size_t i;

	err = cfssl_json_members(place, value, m, r->error);
	if (err != OC_OK)
		return err;
	if (ca_profile_add_policy(r->profile, m[0].value != NULL ?
	    json_string_value(m[0].value) : "", &why) != OC_OK)
		return cfssl_json_error(place, OC_ERR_CONFIG, r->error,
		    "ID: %s", why.text);
	for (i = 0; err == OC_OK && i < json_array_size(m[1].value); i++) {
		in = cfssl_place_in(&list, NULL, i);
		err = read_qualifier(r, &in, json_array_get(m[1].value, i));
	}
	return err;
}

static enum oc_err
read_policies(struct reading *r, const json_t *list)
{
	struct cfssl_place all = cfssl_place_in(r->place, "Policies", 0), in;
	enum oc_err err = OC_OK;
	size_t i;

	for (i = 0; err == OC_OK && i < json_array_size(list); i++) {
		in = cfssl_place_in(&all, NULL, i);
		err = read_policy(r, &in, json_array_get(list, i));
	}
	return err;
}

/*
 * What of a CSR is looked at.  Its key must be; the names of algorithms have
 * no say in what Go signs, and none here.
 */
static enum oc_err
read_csr_whitelist(struct reading *r, const json_t *value)
{
	static const unsigned parts[] = { CA_CSR_SUBJECT, 0, 0, 0, CA_CSR_DNS,
	    CA_CSR_IP, CA_CSR_EMAIL, CA_CSR_URI };
	struct cfssl_place in = cfssl_place_in(r->place, "CSRWhitelist", 0);
	struct cfssl_member m[] = {
		{ "Subject", JSON_TRUE, NULL },
		{ "PublicKey", JSON_TRUE, NULL },
		{ "PublicKeyAlgorithm", JSON_TRUE, NULL },
		{ "SignatureAlgorithm", JSON_TRUE, NULL },
		{ "DNSNames", JSON_TRUE, NULL },
		{ "IPAddresses", JSON_TRUE, NULL },
		{ "EmailAddresses", JSON_TRUE, NULL },
		{ "URIs", JSON_TRUE, NULL },
		{ NULL }
	};
	enum oc_err err;
	size_t i;

	r->profile->csr_parts = CA_CSR_ALL;
	if (value == NULL)
		return OC_OK;
	err = cfssl_json_members(&in, value, m, r->error);
	if (err != OC_OK)
		return err;
	if (!json_is_true(m[1].value))
		return fail(r, "CSRWhitelist", "PublicKey: must be true: "
		    "there is no certificate without a key");
	r->profile->csr_parts = 0;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (json_is_true(m[i].value))
			r->profile->csr_parts |= parts[i];
	return OC_OK;
}

/* CFSSL takes all names but those of these kinds out of a CA's. */
static void
set_names(struct ca_profile *p)
{
	p->sans_rule = CA_SANS_OPTIONAL;
	p->names_max = X509_SANS_MAX;
	p->name_kinds = p->ca == X509_IS_CA ? CA_NAME_IP : CA_NAME_ALL;
	if (p->ca == X509_IS_CA)
		p->csr_parts &= (unsigned)(CA_CSR_SUBJECT | CA_CSR_IP);
}

static enum oc_err
read_auth_keys(struct reading *r, const json_t *key, const json_t *previous)
{
	struct ca_profile *p = r->profile;

	if (json_string_length(key) == 0) {
		if (json_string_length(previous) != 0)
			return fail(r, "prev_auth_key", "is nothing without "
			    "auth_key");
		return OC_OK;
	}
	p->auth_key = ca_profile_keep_text(p, json_string_value(key));
	if (p->auth_key != NULL && json_string_length(previous) != 0)
		p->prev_auth_key = ca_profile_keep_text(p,
		    json_string_value(previous));
	if (p->auth_key == NULL || (json_string_length(previous) != 0 &&
	    p->prev_auth_key == NULL))
		return oc_error_set(r->error, OC_ERR_NOMEM, "out of memory");
	return OC_OK;
}

/* Nothing, in any of JSON's ways. */
static bool
is_nothing(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return json_object_size(value) == 0;
	case JSON_ARRAY:
		return json_array_size(value) == 0;
	case JSON_STRING:
		return json_string_length(value) == 0;
	case JSON_INTEGER:
		return json_integer_value(value) == 0;
	case JSON_REAL:
	case JSON_TRUE:
		return false;
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
	return true;
}

/* What CFSSL has and is not done here.  Go takes keys in any case. */
static enum oc_err
refuse_unhonoured(struct reading *r, json_t *value)
{
	static const struct {
		const char *key, *why;
	} all[] = {
		{ "remote", "another CFSSL would sign; ocsign signs itself" },
		{ "auth_remote", "another CFSSL would sign; ocsign signs "
		    "itself" },
		{ "ct_log_servers", "ocsign sends no precertificates to CT "
		    "logs" },
		{ "cert_store", "ocsign has its own store, [store], and "
		    "records everything in it" },
		{ "lint_error_level", "these are zlint's levels; ocsign "
		    "lints by rules of its own, always" },
		{ "ignored_lints", "these are zlint's names" },
		{ "ignored_lint_sources", "these are zlint's names" },
	};
	json_t *member;
	const char *key;
	char text[160];
	size_t i;
	void *tmp;

	json_object_foreach_safe(value, tmp, key, member) {
		for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
			if (strcasecmp(all[i].key, key) != 0)
				continue;
			if (!is_nothing(member)) {
				snprintf(text, sizeof(text), "cannot be "
				    "honoured: %s; take it out", all[i].why);
				return fail(r, key, text);
			}
			json_object_del(value, key);
			break;
		}
	}
	return OC_OK;
}

static enum oc_err
read_times(struct reading *r, const struct ca_cfssl_members *m)
{
	struct ca_profile *p = r->profile;
	enum oc_err err;

	p->backdate_s = BACKDATE_S;
	p->round_s = 60;
	p->validity_end = CA_END_EXACT;
	err = read_duration(r, "expiry", m->expiry, &p->validity_s);
	if (err == OC_OK)
		err = read_duration(r, "backdate", m->backdate,
		    &p->backdate_s);
	if (p->backdate_s == 0)
		p->backdate_s = BACKDATE_S;	/* as in CFSSL */
	if (err == OC_OK)
		err = read_instant(r, "not_before", m->not_before,
		    &p->not_before);
	if (err == OC_OK)
		err = read_instant(r, "not_after", m->not_after,
		    &p->not_after);
	if (err == OC_OK && p->not_before != 0 && p->not_after != 0 &&
	    p->not_after <= p->not_before)
		return fail(r, "not_after", "is not after not_before");
	return err;
}

static enum oc_err
read_rest(struct reading *r, const struct ca_cfssl_members *m)
{
	struct oc_error why = { 0 };
	enum oc_err err = OC_OK;

	r->profile->has_ocsp_nocheck = json_is_true(m->ocsp_no_check);
	if (json_is_true(m->copy_extensions))
		r->profile->copy_rule = CA_COPY_ALL;
	if (json_is_true(m->client_serials))
		r->profile->serial_rule = CA_SERIAL_OF_CALLER;
	if (json_string_length(m->name_whitelist) != 0 &&
	    ca_profile_set_whitelist(r->profile,
	    json_string_value(m->name_whitelist), &why) != OC_OK)
		return fail(r, "name_whitelist", why.text);
	err = read_oids(r, m->allowed_extensions);
	if (err == OC_OK)
		err = read_policies(r, m->policies);
	if (err == OC_OK)
		err = read_csr_whitelist(r, m->csr_whitelist);
	if (err == OC_OK)
		err = read_auth_keys(r, m->auth_key, m->prev_auth_key);
	return err;
}

static enum oc_err
read_members(struct reading *r, const json_t *value,
    struct ca_cfssl_members *m)
{
	struct cfssl_member all[] = {
		{ "usages", JSON_ARRAY, NULL },
		{ "issuer_urls", JSON_ARRAY, NULL },
		{ "ocsp_url", JSON_STRING, NULL },
		{ "crl_url", JSON_STRING, NULL },
		{ "ca_constraint", JSON_OBJECT, NULL },
		{ "ocsp_no_check", JSON_TRUE, NULL },
		{ "expiry", JSON_STRING, NULL },
		{ "backdate", JSON_STRING, NULL },
		{ "auth_key", JSON_STRING, NULL },
		{ "prev_auth_key", JSON_STRING, NULL },
		{ "not_before", JSON_STRING, NULL },
		{ "not_after", JSON_STRING, NULL },
		{ "name_whitelist", JSON_STRING, NULL },
		{ "allowed_extensions", JSON_ARRAY, NULL },
		{ "copy_extensions", JSON_TRUE, NULL },
		{ "Policies", JSON_ARRAY, NULL },
		{ "CSRWhitelist", JSON_OBJECT, NULL },
		{ "ClientProvidesSerialNumbers", JSON_TRUE, NULL },
		{ NULL }
	};
	json_t **to[] = { &m->usages, &m->issuer_urls, &m->ocsp_url,
	    &m->crl_url, &m->ca_constraint, &m->ocsp_no_check, &m->expiry,
	    &m->backdate, &m->auth_key, &m->prev_auth_key, &m->not_before,
	    &m->not_after, &m->name_whitelist, &m->allowed_extensions,
	    &m->copy_extensions, &m->policies, &m->csr_whitelist,
	    &m->client_serials };
	enum oc_err err;
	size_t i;

	err = cfssl_json_members(r->place, value, all, r->error);
	for (i = 0; err == OC_OK && i < sizeof(to) / sizeof(to[0]); i++)
		*to[i] = all[i].value;
	return err;
}

enum oc_err
ca_cfssl_profile_read(const struct cfssl_place *place, json_t *value,
    struct ca_profile *profile, struct oc_error *error)
{
	struct reading r = { place, profile, error };
	struct ca_cfssl_members m = { NULL };
	enum oc_err err;

	profile->key_kinds = CA_KEY_ALL;
	ca_exempt_cfssl(&profile->lint_exempt);
	if (!json_is_object(value))
		return cfssl_json_error(place, OC_ERR_CONFIG, error,
		    "must be an object {...}");
	err = refuse_unhonoured(&r, value);
	if (err == OC_OK)
		err = read_members(&r, value, &m);
	if (err == OC_OK)
		err = read_ca_constraint(&r, m.ca_constraint);
	if (err == OC_OK && json_array_size(m.usages) != 0)
		err = read_usages(&r, m.usages);
	if (err == OC_OK)
		err = read_urls(&r, m.issuer_urls, m.ocsp_url, m.crl_url);
	if (err == OC_OK)
		err = read_times(&r, &m);
	if (err == OC_OK)
		err = read_rest(&r, &m);
	if (err == OC_OK)
		set_names(profile);
	return err;
}
