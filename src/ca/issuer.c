/* SPDX-License-Identifier: Apache-2.0 */
/* An issuer's certificate, read and checked. */
#include "ca/issuer.h"

#include <stdlib.h>
#include <string.h>

#include "der/reader.h"
#include "der/time.h"
#include "x509/file.h"
#include "x509/name.h"
#include "x509/spki.h"

/* keyIdentifier of what it issues: the issuer's own SKI octets, whatever
 * they were made from (RFC 5280, 4.2.1.1), or SHA-1 if it has none. */
static enum oc_err
set_key_id(struct ca_issuer *issuer)
{
	struct der_bytes ski = issuer->cert.extensions.subject_key_id;

	if (ski.len == 0) {
		issuer->key_id_len = X509_KEY_ID_LEN;
		return x509_spki_key_id(issuer->cert.spki, issuer->key_id);
	}
	if (ski.len > sizeof(issuer->key_id))
		return OC_ERR_LIMIT;
	memcpy(issuer->key_id, ski.p, ski.len);
	issuer->key_id_len = ski.len;
	return OC_OK;
}

static enum oc_err
check(struct ca_issuer *issuer, struct oc_error *error)
{
	const char *path = issuer->config->certificate;
	enum oc_err err;

	if (!x509_cert_is_ca(&issuer->cert))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "%s: is not a CA certificate (basicConstraints, keyUsage "
		    "keyCertSign)", path);
	err = x509_spki_hash(issuer->cert.spki, issuer->spki_hash);
	if (err == OC_OK)
		err = set_key_id(issuer);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s: %s", path,
		    oc_strerror(err));
	return OC_OK;
}

static enum oc_err
add_constraints(struct ca_issuer *issuer, const struct x509_cert *cert,
    struct oc_error *error)
{
	const struct x509_name_constraints *c =
	    &cert->extensions.name_constraints;
	struct x509_name_constraints *all;

	if (c->num_permitted == 0 && c->num_excluded == 0)
		return OC_OK;
	all = reallocarray(issuer->constraints, issuer->num_constraints + 1,
	    sizeof(*all));
	if (all == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	issuer->constraints = all;
	all[issuer->num_constraints++] = *c;
	return OC_OK;
}

/* Those of the chain were looked at by nobody yet. */
static enum oc_err
find_constraints(struct ca_issuer *issuer, struct oc_error *error)
{
	struct der_reader r = der_reader_of((struct der_bytes){
	    issuer->chain, issuer->chain_len });
	struct x509_cert *cert = malloc(sizeof(*cert));
	struct der_bytes der;
	enum oc_err err = OC_OK;

	if (cert == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = add_constraints(issuer, &issuer->cert, error);
	while (err == OC_OK && !der_at_end(&r) &&
	    der_get_tlv(&r, DER_SEQUENCE, &der)) {
		err = x509_cert_read(der, cert, error);
		if (err == OC_OK)
			err = add_constraints(issuer, cert, error);
		else
			oc_error_prefix(error, "%s", issuer->config->chain);
	}
	free(cert);
	return err;
}

/* Of nobody else's certificate is anything recorded. */
struct revoked_search {
	struct der_bytes der;
	bool is_revoked;
	enum crl_reason reason;
	int64_t revoked_at;
};

static enum oc_err
look_at_revoked(void *arg, const struct store_certificate *record)
{
	struct revoked_search *search = arg;

	if (der_bytes_equal(search->der, (struct der_bytes){
	    record->certificate, record->certificate_len })) {
		search->is_revoked = true;
		search->reason = record->reason;
		search->revoked_at = record->revoked_at;
	}
	return OC_OK;
}

static enum oc_err
check_revoked(const struct ca_issuer *issuer, const struct x509_cert *cert,
    struct store *store, struct ca_explanation *x, struct oc_error *error)
{
	const struct store_filter filter = { .serial = &cert->serial,
	    .only_revoked = true };
	struct revoked_search search = { .der = cert->der };
	char name[X509_NAME_TEXT_MAX], at[DER_ISO8601_MAX];
	enum oc_err err;

	err = store_list_certificates(store, &filter, look_at_revoked,
	    &search);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	if (!search.is_revoked)
		return OC_OK;
	x509_name_format(cert->subject, name);
	der_format_iso8601(search.revoked_at, at);
	return ca_refuse(x, CA_RULE_ISSUER_REVOKED, OC_ERR_REFUSED, error,
	    "issuer %s: the certificate of \"%.80s\" was revoked at %s (%s): "
	    "it can still revoke and have its OCSP signer renewed, but issue "
	    "nothing else", issuer->config->name, name, at,
	    crl_reason_name(search.reason));
}

enum oc_err
ca_issuer_check_revoked(const struct ca_issuer *issuer, struct store *store,
    struct ca_explanation *x, struct oc_error *error)
{
	struct der_reader r = der_reader_of((struct der_bytes){
	    issuer->chain, issuer->chain_len });
	struct x509_cert *above;
	struct der_bytes der;
	enum oc_err err;

	err = check_revoked(issuer, &issuer->cert, store, x, error);
	if (err != OC_OK || issuer->chain_len == 0)
		return err;
	above = calloc(1, sizeof(*above));
	if (above == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	while (err == OC_OK && !der_at_end(&r) &&
	    der_get_tlv(&r, DER_SEQUENCE, &der)) {
		err = x509_cert_read(der, above, error);
		if (err == OC_OK)
			err = check_revoked(issuer, above, store, x, error);
	}
	free(above);
	return err;
}

/* The error names the section: the file is not what was typed. */
static enum oc_err
load_chain(struct ca_issuer *issuer, struct oc_error *error)
{
	struct oc_error bad = { 0 };
	enum oc_err err;

	err = x509_file_read_chain(issuer->config->chain, &issuer->chain,
	    &issuer->chain_len, &bad);
	if (err == OC_OK) {
		err = x509_cert_check_chain(&issuer->cert, (struct der_bytes){
		    issuer->chain, issuer->chain_len }, &bad);
		if (err != OC_OK)
			oc_error_prefix(&bad, "%s", issuer->config->chain);
	}
	if (err != OC_OK)
		return oc_error_set(error, err, "[issuer %s] chain: %s",
		    issuer->config->name, bad.text);
	return OC_OK;
}

enum oc_err
ca_issuer_load(const struct oc_config_issuer *config, struct ca_issuer **out,
    struct oc_error *error)
{
	struct ca_issuer *issuer = calloc(1, sizeof(*issuer));
	struct der_bytes der;
	enum oc_err err;

	if (issuer == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	issuer->config = config;
	err = x509_file_read(config->certificate, X509_FILE_CERTIFICATE,
	    &issuer->der, &der.len, error);
	if (err == OC_ERR_NOT_FOUND)
		oc_error_set(error, err, "issuer %s has no certificate yet "
		    "(%s): make it with \"ocsign ca create %s\"",
		    config->name, config->certificate, config->name);
	if (err != OC_OK)
		goto out;
	der.p = issuer->der;
	err = x509_cert_read(der, &issuer->cert, error);
	if (err != OC_OK) {
		oc_error_prefix(error, "%s", config->certificate);
		goto out;
	}
	err = check(issuer, error);
	if (err == OC_OK && config->chain != NULL)
		err = load_chain(issuer, error);
	if (err == OC_OK)
		err = find_constraints(issuer, error);
	if (err != OC_OK)
		goto out;
	*out = issuer;
	issuer = NULL;
out:
	ca_issuer_free(issuer);
	return err;
}

void
ca_issuer_free(struct ca_issuer *issuer)
{
	if (issuer == NULL)
		return;
	free(issuer->der);
	free(issuer->chain);
	free(issuer->constraints);
	free(issuer);
}

enum oc_err
ca_issuer_check_blocked(const struct ca_issuer *issuer,
    struct ca_explanation *x, struct oc_error *error)
{
	enum oc_err err = ca_blocklist_check(issuer->blocklist,
	    issuer->cert.der, error);

	if (err == OC_OK)
		err = ca_blocklist_check(issuer->blocklist, (struct der_bytes){
		    issuer->chain, issuer->chain_len }, error);
	if (err == OC_OK)
		return OC_OK;
	err = oc_error_prefix(error, "issuer %s", issuer->config->name);
	return err != OC_ERR_REFUSED ? err : ca_refuse_with(x,
	    CA_RULE_ISSUER_BLOCKED, err, error);
}

static enum oc_err
say_another_key(const struct ca_issuer *issuer, struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_MISMATCH, "issuer %s: the store "
	    "knows this name with another key; a new key is a new issuer: "
	    "give it another name", issuer->config->name);
}

enum oc_err
ca_issuer_register(struct ca_issuer *issuer, struct store *store,
    struct oc_error *error)
{
	const struct store_blob der = { issuer->cert.der.p,
	    issuer->cert.der.len };
	enum oc_err err = store_put_issuer(store, issuer->config->name, der,
	    issuer->spki_hash, &issuer->store_id);

	if (err == OC_ERR_MISMATCH)
		return say_another_key(issuer, error);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	return OC_OK;
}

enum oc_err
ca_issuer_recognize(struct ca_issuer *issuer, struct store *store,
    struct oc_error *error)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct store_issuer row = { 0 };
	enum oc_err err = OC_ERR_NOMEM;

	if (cert != NULL)
		err = store_find_issuer(store, issuer->config->name, &row);
	if (err == OC_ERR_NOT_FOUND)
		oc_error_set(error, err, "issuer %s is not in the records: "
		    "nothing was issued yet", issuer->config->name);
	else if (err != OC_OK)
		oc_error_set(error, err, "%s", cert == NULL ?
		    oc_strerror(err) : store_error(store));
	if (err == OC_OK)
		err = x509_cert_read((struct der_bytes){ row.certificate,
		    row.certificate_len }, cert, error);
	if (err == OC_OK && !der_bytes_equal(cert->spki, issuer->cert.spki))
		err = say_another_key(issuer, error);
	if (err == OC_OK)
		issuer->store_id = row.id;
	store_issuer_fini(&row);
	free(cert);
	return err;
}

enum oc_err
ca_issuer_find_key(const struct ca_issuer *issuer, struct signer *signer,
    int64_t deadline_ns, char name[SIGN_KEY_NAME_MAX],
    struct sign_key_info *info, struct oc_error *error)
{
	enum oc_err err;

	sign_key_name(SIGN_KEY_ISSUER, issuer->config->name, name);
	err = sign_find_key(signer, name, deadline_ns, info, error);
	if (err != OC_OK)
		return err;
	if (!der_bytes_equal(issuer->cert.spki, (struct der_bytes){
	    info->spki, info->spki_len }))
		return oc_error_set(error, OC_ERR_MISMATCH, "issuer %s: the "
		    "signer's key is not that of %s: was it changed without "
		    "a reload?", issuer->config->name,
		    issuer->config->certificate);
	return OC_OK;
}
