/* SPDX-License-Identifier: Apache-2.0 */
/* One response on its way: its ResponseData, and what becomes of it. */
#include "status/flight.h"

#include <stdlib.h>
#include <string.h>

#include "ocsp/answer.h"
#include "ocsp/response.h"

static enum oc_err
write_data(const struct ocsp_response_data *plan, struct status_flight *f)
{
	enum oc_err err;

	err = der_write(ocsp_put_response_data, plan, NULL, 0, &f->data_len);
	if (err != OC_OK)
		return err;
	f->data = malloc(f->data_len);
	if (f->data == NULL)
		return OC_ERR_NOMEM;
	return der_write(ocsp_put_response_data, plan, f->data, f->data_len,
	    &f->data_len);
}

/* Every single with its CertID's prefix in the encoding that was asked. */
static enum oc_err
build(const struct status_flight_plan *plan, struct status_flight *f)
{
	uint8_t (*prefixes)[OCSP_CERTID_PREFIX_MAX];
	struct ocsp_single *singles;
	struct ocsp_response_data data = {
		.produced_at = plan->produced_at,
		.num_singles = plan->num_singles,
		.nonce = plan->nonce,
		.has_extended_revoke = plan->has_extended_revoke,
	};
	enum oc_err err = OC_ERR_NOMEM;
	uint32_t i;

	prefixes = calloc(plan->num_singles, sizeof(*prefixes));
	singles = calloc(plan->num_singles, sizeof(*singles));
	if (prefixes == NULL || singles == NULL)
		goto out;
	for (i = 0; i < plan->num_singles; i++) {
		const struct status_single *s = &plan->singles[i];
		size_t len;

		err = ocsp_identity_certid_prefix(plan->identity, s->encoding,
		    prefixes[i], &len);
		if (err != OC_OK)
			goto out;
		singles[i] = (struct ocsp_single){
			.certid_prefix = { prefixes[i], len },
			.serial = { s->serial.bytes, s->serial.len },
			.status = s->status,
			.this_update = plan->this_update,
			.next_update = plan->next_update,
		};
		if (!s->is_never_issued)
			ocsp_identity_extend(plan->identity,
			    plan->produced_at, &singles[i]);
	}
	ocsp_identity_respond(plan->identity, &data);
	data.singles = singles;
	err = write_data(&data, f);
out:
	free(prefixes);
	free(singles);
	return err;
}

enum oc_err
status_flight_new(const struct status_flight_plan *plan,
    struct status_flight **out)
{
	struct status_flight *f = calloc(1, sizeof(*f));
	enum oc_err err;

	oc_assert(plan->num_singles > 0);
	if (f == NULL)
		return OC_ERR_NOMEM;
	f->first = plan->singles[0];
	f->singles = calloc(plan->num_singles, sizeof(*f->singles));
	if (f->singles == NULL) {
		free(f);
		return OC_ERR_NOMEM;
	}
	memcpy(f->singles, plan->singles,
	    plan->num_singles * sizeof(*f->singles));
	f->num_singles = plan->num_singles;
	f->produced_at = plan->produced_at;
	f->this_update = plan->this_update;
	f->next_update = plan->next_update;
	err = build(plan, f);
	if (err != OC_OK) {
		status_flight_free(f);
		return err;
	}
	f->job.kind = SIGN_KIND_OCSP;
	f->job.alg = plan->identity->alg;
	f->job.tbs = (struct der_bytes){ f->data, f->data_len };
	f->job.arg = f;
	*out = f;
	return OC_OK;
}

void
status_flight_free(struct status_flight *f)
{
	if (f == NULL)
		return;
	oc_assert(f->waiters == NULL);
	free(f->singles);
	free(f->data);
	free(f);
}

enum oc_err
status_flight_slot(const struct status_flight *f,
    const struct ocsp_identity *identity, struct ocsp_slot *out)
{
	struct ocsp_slot slot = {
		.serial = f->first.serial,
		.encoding = f->first.encoding,
		.status = f->first.status,
		.produced_at = f->produced_at,
		.this_update = f->this_update,
		.next_update = f->next_update,
	};
	enum oc_err err;

	err = ocsp_slot_take_signature(&slot, identity, (struct der_bytes){
	    f->job.signature, f->job.signature_len });
	if (err != OC_OK)
		return err;
	*out = slot;
	return OC_OK;
}

enum oc_err
status_flight_response(const struct status_flight *f,
    const struct ocsp_identity *identity, uint8_t *out, size_t out_max,
    size_t *len)
{
	struct ocsp_response response = {
		.data = { f->data, f->data_len },
		.alg = f->job.signed_alg,
		.signature = { f->job.signature, f->job.signature_len },
		.certs = { identity->certs, identity->certs_len },
	};

	return der_write(ocsp_put_response, &response, out, out_max, len);
}

enum oc_err
status_flight_wait(struct status_flight *f, status_answer_fn *answer,
    void *arg)
{
	struct status_waiter *waiter = malloc(sizeof(*waiter));

	if (waiter == NULL)
		return OC_ERR_NOMEM;
	*waiter = (struct status_waiter){ f->waiters, answer, arg };
	f->waiters = waiter;
	return OC_OK;
}

void
status_flight_move_waiters(struct status_flight *from,
    struct status_flight *to)
{
	struct status_waiter *waiter;

	while ((waiter = from->waiters) != NULL) {
		from->waiters = waiter->next;
		waiter->next = to->waiters;
		to->waiters = waiter;
	}
}

void
status_flight_answer(struct status_flight *f, const struct ipc_answer *answer)
{
	struct status_waiter *waiter;

	while ((waiter = f->waiters) != NULL) {
		f->waiters = waiter->next;
		waiter->answer(waiter->arg, answer);
		free(waiter);
	}
}
