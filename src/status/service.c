/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One signer's status service: how it starts, ends, and how it stands.
 */
#include "status/service_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "status/identity.h"
#include "status/state.h"

#define TABLE_SLOTS_FIRST 4096

static enum oc_err
open_table(struct status_service *s, const char *path,
    const uint8_t store_id[OCSP_STORE_ID_LEN], struct oc_error *error)
{
	enum oc_err err;

	/* Other users' responders read it. */
	err = oc_file_mkdir_p(s->plan.config->daemon.table_directory, 0755,
	    error);
	if (err != OC_OK)
		return err;
	return ocsp_table_create(path, s->identity, store_id,
	    TABLE_SLOTS_FIRST, &s->table, error);
}

/* Once: a successor tries to open the table again and again. */
static enum oc_err
read_about(struct status_service *s, struct status_source *source,
    struct oc_error *error)
{
	const struct oc_config_ocsp *ocsp = s->plan.ocsp;
	enum oc_err err;

	err = status_trust_init(&s->trust, ocsp, source, error);
	if (err != OC_OK)
		return err;
	if (ocsp->issuer->responses != NULL)
		return status_offline_new(ocsp->issuer, s->identity,
		    status_service_now(s), &s->offline, error);
	status_signer_note(s);
	return OC_OK;
}

/* A CA that is not there yet is only planned; who may ask is not. */
static enum oc_err
load_requestors(struct status_service *s, struct oc_error *error)
{
	const struct oc_config_issuer *issuer = s->plan.ocsp->issuer;
	enum oc_err err;

	if (issuer->signed_requests == OC_SIGNED_REQUESTS_IGNORE)
		return OC_OK;
	err = x509_trust_load(issuer->requestor_ca, &s->requestors, error);
	if (err == OC_OK || err == OC_ERR_NOMEM)
		return err;
	if (error != NULL)
		error->code = OC_ERR_CONFIG;
	(void)oc_error_prefix(error, "requestor-ca");
	return OC_ERR_CONFIG;
}

bool
status_service_keeps(const struct status_service *s)
{
	return s->plan.ocsp->presign != OC_PRESIGN_NONE;
}

/* Of all tokens that have the key; an issuer whose key is elsewhere has
 * none. */
static uint32_t
num_sessions(const struct status_service_plan *plan)
{
	const struct oc_words *names = &plan->ocsp->tokens;
	const struct oc_config_token *token;
	uint32_t num = 0;

	for (size_t i = 0; i < names->num; i++) {
		token = oc_config_find_token(plan->config, names->words[i]);
		/* A standby works alone. */
		if (token != NULL && (token->weight > 0 || num == 0))
			num += (uint32_t)token->sessions;
	}
	return num == 0 ? 1 : num;
}

/* What is current is served while all is read again: a start is no outage.
 * But not what was kept by another policy. */
static enum oc_err
serve_current(struct status_service *s, const char *path,
    struct status_source *source, const uint8_t id[OCSP_STORE_ID_LEN],
    struct oc_error *error)
{
	enum oc_err err = OC_OK;

	/* What numbers mean must be the same for both. */
	if (s->plan.fellow != NULL && !source->ops->is_state)
		s->set = status_set_hold(s->plan.fellow->set);
	else
		err = status_set_new(&s->set);
	if (err != OC_OK)
		return oc_error_set(error, err, "out of memory");
	status_set_retain(s->set, s->identity->archive_s);
	s->is_current = ocsp_table_was_ready(s->table) &&
	    status_service_withdraw_missed(s, source) &&
	    (status_service_keeps(s) || ocsp_table_num_used(s->table) == 0);
	err = status_older_open(s, path, source, id, error);
	if (err != OC_OK)
		return err;
	/* As it is by now. */
	s->is_current = s->is_current && !s->trust.is_compromised &&
	    !s->trust.is_signer_revoked;
	ocsp_table_set_ready(s->table, s->is_current);
	s->is_following = s->is_current || status_older_is_served(s);
	return OC_OK;
}

static enum oc_err
open_source(const struct status_service_plan *plan,
    struct status_source **source, struct oc_error *error)
{
	const struct oc_config_issuer *issuer = plan->ocsp->issuer;
	struct status_state_plan state = { .unlisted = issuer->unlisted };

	switch (issuer->source) {
	case OC_SOURCE_STORE:
		return status_own_open(oc_config_store_where(plan->config),
		    issuer->name, source, error);
	case OC_SOURCE_CRL:
		oc_assert(plan->crl_file != NULL);
		state.watch = status_crl_file_watched(plan->crl_file);
		state.ca = status_crl_file_certificate(plan->crl_file);
		break;
	case OC_SOURCE_INDEX:
	case OC_SOURCE_CERTDB:
		oc_assert(plan->records != NULL);
		state.watch = status_records_watched(plan->records);
		state.ca = status_records_certificate(plan->records);
		state.max_age_s = issuer->source_max_age_s;
		break;
	}
	return status_state_open(&state, source, error);
}

enum oc_err
status_service_new(const struct status_service_plan *plan,
    struct status_service **out, struct oc_error *error)
{
	struct status_service *s = calloc(1, sizeof(*s));
	struct status_source *source = NULL;
	char *path = NULL;
	uint8_t id[16];
	enum oc_err err;

	if (s == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	s->plan = *plan;
	s->closed_slots = UINT32_MAX;
	s->nudge_urgent_max = STATUS_NUDGE_URGENT_MAX;
	s->is_source_well = s->is_signer_well = s->is_table_well = true;
	/* With a delegated signer or without, the key is the one that this
	 * issuer's responses are signed with. */
	sign_key_name(SIGN_KEY_OCSP, plan->ocsp->name, s->key);
	s->gate.num_sessions = num_sessions(plan);
	err = status_identity_load(plan->ocsp, &s->identity, error);
	if (err != OC_OK)
		goto out;
	err = load_requestors(s, error);
	if (err != OC_OK)
		goto out;
	err = open_source(plan, &source, error);
	if (err != OC_OK)
		goto out;
	err = source->ops->id(source, id);
	if (err != OC_OK) {
		oc_error_set(error, err, "%s", source->ops->error(source));
		goto out;
	}
	if (asprintf(&path, "%s/%s.table",
	    plan->config->daemon.table_directory, plan->ocsp->name) < 0) {
		path = NULL;
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
		goto out;
	}
	err = open_table(s, path, id, error);
	if (err == OC_OK)
		err = read_about(s, source, error);
	if (err != OC_OK)
		goto out;
	ocsp_table_set_run(s->table, plan->run);
	err = serve_current(s, path, source, id, error);
	if (err == OC_OK)
		err = status_fleet_join(s, id, error);
	if (err != OC_OK)
		goto out;
	err = status_feed_new(source, s->is_following ? s->seq : 0,
	    &s->feed);
	source = NULL;
	if (err != OC_OK) {
		oc_error_set(error, err, "out of memory");
		goto out;
	}
	*out = s;
	s = NULL;
out:
	free(path);
	if (source != NULL)
		source->ops->close(source);
	status_service_free(s);
	return err;
}

static void
cancel_all(struct status_service *s, struct status_flight *flight)
{
	struct status_flight *next;

	for (; flight != NULL; flight = next) {
		next = flight->next;
		if (!flight->is_looking)
			sign_cancel(s->plan.signer, &flight->job);
		status_flight_answer(flight, &(struct ipc_answer){
		    .kind = IPC_ANSWER_ERROR, .status = OCSP_TRY_LATER,
		    .retry_after_s = 1 });
		status_flight_free(flight);
	}
}

void
status_service_free(struct status_service *s)
{
	struct status_nudge *nudge;
	uint32_t i;

	if (s == NULL)
		return;
	status_feed_free(s->feed);
	for (i = 0; i < STATUS_BUCKETS; i++)
		cancel_all(s, s->flights[i]);
	cancel_all(s, s->live);
	s->is_ready = false;
	status_service_answer_early(s);
	while ((nudge = s->nudges) != NULL) {
		s->nudges = nudge->next;
		nudge->done(nudge->arg);
		free(nudge);
	}
	/* Whoever has the table's lock, has the older one's. */
	ocsp_table_close(s->older);
	ocsp_table_close(s->table);
	x509_trust_free(s->requestors);
	status_set_free(s->set);
	status_agenda_fini(&s->agenda);
	status_offline_free(s->offline);
	free(s->identity);
	free(s);
}

bool
status_service_is_current(const struct status_service *s)
{
	return s->is_current;
}

bool
status_service_is_started(const struct status_service *s)
{
	return s->is_current || (!s->is_source_well &&
	    s->plan.ocsp->issuer->source != OC_SOURCE_STORE);
}

bool
status_service_is_ready(const struct status_service *s)
{
	return s->is_ready;
}

const struct status_record *
status_service_find_record(const struct status_service *s,
    const struct oc_serial *serial)
{
	const struct status_record *record = status_set_find(s->set, serial);

	return record == NULL || record->not_after == STATUS_GONE ? NULL :
	    record;
}

const char *
status_service_name(const struct status_service *s)
{
	return s->plan.ocsp->name;
}

const char *
status_service_counted_as(const struct status_service *s)
{
	return s->plan.ocsp->signer == NULL ? s->plan.ocsp->issuer->name :
	    NULL;
}

enum oc_err
status_service_nudge(struct status_service *s, status_nudged_fn *done,
    void *arg)
{
	struct status_nudge *nudge = calloc(1, sizeof(*nudge));

	if (nudge == NULL)
		return OC_ERR_NOMEM;
	nudge->number = status_feed_nudge(s->feed);
	nudge->done = done;
	nudge->arg = arg;
	nudge->next = s->nudges;
	s->nudges = nudge;
	return OC_OK;
}

void
status_service_report(const struct status_service *s,
    struct status_service_report *out)
{
	int kind;

	*out = (struct status_service_report){
		.num_certificates = status_set_num(s->set),
		.num_slots = ocsp_table_num_used(s->table),
		.num_older = s->older == NULL ? 0 :
		    ocsp_table_num_used(s->older),
		.num_flights = s->num_flights,
		.num_waiters = s->num_waiters,
		.signer_not_after = s->identity->signer_not_after,
		.renewal = status_signer_renewal(s, status_service_now(s)),
		.last_signed_at = s->last_signed_at,
		.is_signer_well = s->is_signer_well,
		.is_table_well = s->is_table_well,
		.num_signed = s->num_signed,
		.num_failed = s->num_failed,
		.num_asked = s->num_asked,
		.seq = s->seq,
		.is_ready = s->is_ready && !s->is_closed,
		.is_compromised = s->trust.is_compromised,
		.is_signer_revoked = s->trust.is_signer_revoked,
		.is_source_well = s->is_source_well,
	};
	for (kind = 0; kind < STATUS_DUE_MAX; kind++) {
		out->num_due_of[kind] = status_agenda_num(&s->agenda,
		    (enum status_due_kind)kind);
		out->num_due += out->num_due_of[kind];
	}
	memcpy(out->num_in_lane, s->num_in_lane, sizeof(out->num_in_lane));
	memcpy(out->source_error, s->source_error, sizeof(out->source_error));
	out->horizon = s->horizon;
	status_fleet_report(s, &out->fleet);
	if (s->offline != NULL)
		status_offline_report(s->offline, &out->offline);
}
