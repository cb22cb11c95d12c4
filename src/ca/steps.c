/* SPDX-License-Identifier: Apache-2.0 */
/* One step after the other: what they do, not when. */
#include "ca/steps.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ca/serial.h"
#include "x509/name.h"

#define DAY_S INT64_C(86400)

enum oc_err
ca_check_blocked(const struct ca_blocklist *blocklist,
    const struct ca_request *request, const struct ca_plan *plan,
    struct oc_error *error)
{
	enum oc_err err = ca_blocklist_check_key(blocklist, plan->tbs.spki,
	    "the key", "make a new one", error);

	return err != OC_ERR_REFUSED ? err : ca_refuse_with(
	    request->explanation, CA_RULE_KEY_BLOCKED, err, error);
}

enum oc_err
ca_prepare(uint32_t epoch, struct ca_plan *plan, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	if (!plan->is_serial_given)
		err = ca_serial_new(epoch, &plan->serial);
	if (err != OC_OK)
		return oc_error_set(error, err, "serial number: %s",
		    oc_strerror(err));
	err = ca_plan_write(plan, error);
	return err == OC_OK ? OC_OK : oc_error_prefix(error, "planning");
}

/* What the store lists and searches: one "DNS:name" a line. */
static enum oc_err
list_names(const struct x509_extensions *extensions, struct oc_buffer *names)
{
	char text[X509_SAN_TEXT_MAX];
	uint32_t i;

	for (i = 0; i < extensions->num_sans; i++) {
		x509_san_format(&extensions->sans[i], text);
		oc_buffer_printf(names, "%s%s", i == 0 ? "" : "\n", text);
	}
	return names->err;
}

static enum oc_err
reserve(struct store *store, const struct store_reservation *r,
    const struct store_request *asked, int64_t validity_s,
    struct store_reserved *reserved)
{
	struct store_request whole;

	if (asked != NULL) {
		whole = *asked;
		whole.validity = validity_s / DAY_S;
		return store_reserve_request(store, r, &whole, reserved);
	}
	*reserved = (struct store_reserved){
	    .outcome = STORE_OUTCOME_RESERVED };
	return store_reserve(store, r, &reserved->id);
}

enum oc_err
ca_reserve(struct store *store, int64_t issuer_id,
    const struct ca_plan *plan, const struct store_request *asked,
    struct store_reserved *reserved, struct oc_error *error)
{
	char subject[X509_NAME_TEXT_MAX], serial[OC_SERIAL_TEXT_MAX];
	struct oc_buffer names;
	enum oc_err err;

	oc_buffer_init(&names, X509_SANS_MAX * X509_SAN_TEXT_MAX);
	x509_name_format(plan->tbs.subject, subject);
	err = list_names(&plan->tbs.extensions, &names);
	if (err == OC_OK)
		err = reserve(store, &(struct store_reservation){
			.issuer_id = issuer_id,
			.serial = plan->serial,
			.tbs = { plan->der, plan->der_len },
			.not_before = plan->tbs.not_before,
			.not_after = plan->tbs.not_after,
			.profile = plan->profile,
			.subject = subject,
			.names = oc_buffer_text(&names),
			.crl_partition = plan->crl_partition,
		    }, asked, plan->validity_s, reserved);
	oc_buffer_fini(&names);
	if (err == OC_ERR_EXISTS && plan->is_serial_given) {
		oc_serial_format(&plan->serial, serial);
		return oc_error_set(error, OC_ERR_REFUSED, "the serial "
		    "number %s is another certificate's", serial);
	}
	if (err != OC_OK && err != OC_ERR_EXISTS)
		return oc_error_set(error, err, "%s", store_error(store));
	return err;
}

void
ca_sign_job_init(const struct ca_plan *plan, const char *key,
    int64_t deadline_ns, struct sign_job *job)
{
	job->key = key;
	job->kind = SIGN_KIND_CERTIFICATE;
	job->lane = SIGN_LANE_CERTIFICATE;
	job->alg = plan->tbs.alg;
	job->tbs = (struct der_bytes){ plan->der, plan->der_len };
	job->deadline_ns = deadline_ns;
}

/* Certificate ::= SEQUENCE { tbs, algorithm, signature } */
enum oc_err
ca_assemble(const struct ca_plan *plan, const struct sign_job *job,
    struct ca_certificate *out, struct oc_error *error)
{
	const struct x509_signed whole = {
		.tbs = { plan->der, plan->der_len },
		.alg = job->signed_alg,
		.signature = { job->signature, job->signature_len },
	};
	enum oc_err err;

	err = der_write(x509_put_signed, &whole, NULL, 0, &out->der_len);
	if (err == OC_OK) {
		out->der = malloc(out->der_len);
		err = out->der == NULL ? OC_ERR_NOMEM :
		    der_write(x509_put_signed, &whole, out->der,
		    out->der_len, &out->der_len);
	}
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", oc_strerror(err));
	out->serial = plan->serial;
	return OC_OK;
}

enum oc_err
ca_record(struct store *store, const struct ca_certificate *certificate,
    struct oc_error *error)
{
	enum oc_err err;

	err = store_issue(store, certificate->store_id, (struct store_blob){
	    certificate->der, certificate->der_len });
	return err == OC_OK ? OC_OK :
	    oc_error_set(error, err, "%s", store_error(store));
}
