/* SPDX-License-Identifier: Apache-2.0 */
#include "status/metrics_impl.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "validation/counts.h"

/* HELP and TYPE stand once above all samples of a name. */
void
status_put_family(struct oc_buffer *out, const char *name, const char *type,
    const char *help)
{
	oc_buffer_printf(out, "# HELP ocsign_%s %s\n# TYPE ocsign_%s %s\n",
	    name, help, name, type);
}

void
status_put_label(struct oc_buffer *out, const char *label, const char *value)
{
	oc_buffer_printf(out, "%s=\"", label);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			oc_buffer_put_text(out, "\\n");
		else if (*value == '"' || *value == '\\')
			oc_buffer_printf(out, "\\%c", *value);
		else
			oc_buffer_put(out, value, 1);
	}
	oc_buffer_put_text(out, "\"");
}

uint64_t
status_count_at(const void *counts, size_t offset)
{
	uint64_t count;

	memcpy(&count, (const char *)counts + offset, sizeof(count));
	return count;
}

void
status_put_number(struct oc_buffer *out, const char *name, const char *type,
    const char *help, int64_t value)
{
	status_put_family(out, name, type, help);
	oc_buffer_printf(out, "ocsign_%s %" PRId64 "\n", name, value);
}

/* --- issuers ---------------------------------------------------------- */

typedef int64_t issuer_value_fn(const struct status_service_report *r);
#define VALUE(name, expression) \
static int64_t \
name(const struct status_service_report *r) \
{ \
	return (int64_t)(expression); \
}
VALUE(is_ready, r->is_ready)
VALUE(is_source_well, r->is_source_well)
VALUE(is_signer_well, r->is_signer_well)
VALUE(is_table_well, r->is_table_well)
VALUE(num_certificates, r->num_certificates)
VALUE(num_slots, r->num_slots)
VALUE(num_older, r->num_older)
VALUE(num_waiters, r->num_waiters)
VALUE(num_signed, r->num_signed)
VALUE(num_failed, r->num_failed)
VALUE(num_asked, r->num_asked)
VALUE(leads, r->fleet.lead == STATUS_LEAD_LEADS)
VALUE(is_alone, r->fleet.lead == STATUS_LEAD_ALONE)
VALUE(num_taken, r->fleet.num_taken)
VALUE(num_given, r->fleet.num_shared)
VALUE(shared_refused, r->fleet.num_refused)
VALUE(last_signed_at, r->last_signed_at)
VALUE(signer_not_after, r->signer_not_after)
VALUE(signer_late, r->renewal >= STATUS_RENEWAL_LATE)
VALUE(signer_urgent, r->renewal >= STATUS_RENEWAL_URGENT)
VALUE(horizon_at, r->horizon.as_of == 0 ? 0 : r->horizon.begun_at)
VALUE(first_stale_at, r->horizon.first_stale_at)
VALUE(half_stale_at, r->horizon.half_stale_at)
VALUE(oldest_at, r->horizon.oldest_produced_at)
VALUE(num_answers, r->horizon.num_answers)
VALUE(num_ending, r->horizon.num_ending)
VALUE(num_stale, r->horizon.num_stale)
VALUE(is_compromised, r->is_compromised)
VALUE(is_signer_revoked, r->is_signer_revoked)
VALUE(loaded_refused, r->offline.num_refused)
VALUE(loaded_contradicted, r->offline.num_contradicted)
VALUE(loaded_ending, r->offline.num_ending)
VALUE(loaded_ended, r->offline.num_ended)
#undef VALUE

enum when { ALWAYS, IF_KNOWN };		/* 0 is not known */
static const struct {
	const char *name, *type;
	issuer_value_fn *value;
	enum when when;
	const char *help;
} issuer_values[] = {
	{ "issuer_ready", "gauge", is_ready, ALWAYS,
	    "Whether the table shows all that the source had." },
	{ "issuer_source_up", "gauge", is_source_well, ALWAYS,
	    "Whether the status source can be read." },
	{ "issuer_signer_up", "gauge", is_signer_well, ALWAYS,
	    "Whether the last signature that was asked for came." },
	{ "issuer_table_up", "gauge", is_table_well, ALWAYS,
	    "Whether the table takes responses." },
	{ "issuer_certificates", "gauge", num_certificates, ALWAYS,
	    "Certificates whose status is known." },
	{ "issuer_responses", "gauge", num_slots, ALWAYS,
	    "Responses in the table." },
	{ "issuer_older_responses", "gauge", num_older, ALWAYS,
	    "Responses of the key before, not yet signed anew." },
	{ "issuer_waiting", "gauge", num_waiters, ALWAYS,
	    "Questions that wait for a signature." },
	{ "issuer_signatures_total", "counter", num_signed, ALWAYS,
	    "Responses signed since ocsign-status started." },
	{ "issuer_signature_failures_total", "counter", num_failed, ALWAYS,
	    "Signatures that did not come." },
	{ "issuer_questions_total", "counter", num_asked, ALWAYS,
	    "Questions of responders." },
	{ "issuer_shared_leader", "gauge", leads, ALWAYS,
	    "Whether this host has signed what is due for all hosts." },
	{ "issuer_shared_alone", "gauge", is_alone, ALWAYS,
	    "Whether responses are to be shared, and are not." },
	{ "issuer_shared_taken_total", "counter", num_taken, ALWAYS,
	    "Responses that another host had signed." },
	{ "issuer_shared_given_total", "counter", num_given, ALWAYS,
	    "Responses signed here and shared." },
	{ "issuer_shared_refused_total", "counter", shared_refused, ALWAYS,
	    "Shared responses that were forged or damaged." },
	{ "issuer_last_signature_timestamp_seconds", "gauge", last_signed_at,
	    IF_KNOWN, "When a response was last signed." },
	{ "issuer_signer_not_after_timestamp_seconds", "gauge",
	    signer_not_after, ALWAYS,
	    "End of the certificate that responses are signed under." },
	{ "issuer_signer_late", "gauge", signer_late, ALWAYS,
	    "Whether that should have been renewed by now." },
	{ "issuer_signer_urgent", "gauge", signer_urgent, ALWAYS,
	    "Whether that ends within a week." },
	{ "issuer_first_stale_timestamp_seconds", "gauge", first_stale_at,
	    IF_KNOWN, "If nothing is signed from now on: when the first "
	    "answer goes stale." },
	{ "issuer_half_stale_timestamp_seconds", "gauge", half_stale_at,
	    IF_KNOWN, "The same for half of the answers." },
	{ "issuer_oldest_response_timestamp_seconds", "gauge", oldest_at,
	    IF_KNOWN, "When the oldest of these answers was made." },
	{ "issuer_horizon_responses", "gauge", num_answers, ALWAYS,
	    "Answers that the three above are about." },
	{ "issuer_ending_responses", "gauge", num_ending, ALWAYS,
	    "Answers that end with their certificate." },
	{ "issuer_stale_responses", "gauge", num_stale, ALWAYS,
	    "Responses past their nextUpdate that are needed." },
	{ "issuer_horizon_timestamp_seconds", "gauge", horizon_at, IF_KNOWN,
	    "Of when the six above are." },
	{ "issuer_compromised", "gauge", is_compromised, ALWAYS,
	    "Whether the CA itself is revoked for its key's sake." },
	{ "issuer_signer_revoked", "gauge", is_signer_revoked, ALWAYS,
	    "Whether the OCSP signer's certificate is revoked." },
	{ "issuer_loaded_refused", "gauge", loaded_refused, ALWAYS,
	    "Files in responses that are not served." },
	{ "issuer_loaded_contradicted", "gauge", loaded_contradicted, ALWAYS,
	    "Times that a loaded response said good and the store revoked." },
	{ "issuer_loaded_ending", "gauge", loaded_ending, ALWAYS,
	    "Loaded responses in the last quarter of their life." },
	{ "issuer_loaded_ended", "gauge", loaded_ended, ALWAYS,
	    "Loaded responses past their nextUpdate." }
};

static const char *const kinds[STATUS_DUE_MAX] = {
	[STATUS_DUE_URGENT] = "urgent",
	[STATUS_DUE_NEW] = "new",
	[STATUS_DUE_REFRESH] = "refresh"
};

struct issuers {
	const struct status_all *all;
	const struct ocsp_counts_total *total;
	struct status_service_report *reports;
};

static void
put_issuer_label(struct oc_buffer *out, const struct issuers *issuers,
    uint32_t i)
{
	status_put_label(out, "issuer", status_service_name(
	    issuers->all->services[i]));
}

static void
put_issuer_values(struct oc_buffer *out, const struct issuers *issuers)
{
	size_t num = sizeof(issuer_values) / sizeof(issuer_values[0]);

	for (size_t v = 0; v < num; v++) {
		const char *name = issuer_values[v].name;

		status_put_family(out, name, issuer_values[v].type,
		    issuer_values[v].help);
		for (uint32_t i = 0; i < issuers->all->num_services; i++) {
			int64_t value = issuer_values[v].value(
			    &issuers->reports[i]);

			if (value == 0 && issuer_values[v].when == IF_KNOWN)
				continue;
			oc_buffer_printf(out, "ocsign_%s{", name);
			put_issuer_label(out, issuers, i);
			oc_buffer_printf(out, "} %" PRId64 "\n", value);
		}
	}
}

#define AT(field) offsetof(struct ocsp_issuer_counts, field)
static const struct status_counter issuer_counters[] = {
	{ "issuer_responses_total", "outcome", "successful", AT(successful),
	    "How responders answered requests about it." },
	{ "issuer_responses_total", "outcome", "not_modified",
	    AT(not_modified), NULL },
	{ "issuer_responses_total", "outcome", "try_later", AT(try_later),
	    NULL },
	{ "issuer_responses_total", "outcome", "unauthorized",
	    AT(unauthorized), NULL },
	{ "issuer_responses_total", "outcome", "other", AT(other), NULL },
	{ "issuer_hits_total", NULL, NULL, AT(hits),
	    "Requests about it answered from its table at once." },
	{ "issuer_misses_total", NULL, NULL, AT(misses),
	    "Questions about it to ocsign-status." },
	{ "issuer_stale_total", NULL, NULL, AT(stale),
	    "Misses for which its table had a response past its nextUpdate." }
};
#undef AT

/* What responders count, issuer by issuer, whichever of its signers it was
 * that answered. */
static void
put_issuer_counters(struct oc_buffer *out, const struct issuers *issuers)
{
	size_t num = sizeof(issuer_counters) / sizeof(issuer_counters[0]);

	for (size_t n = 0; n < num; n++) {
		const struct status_counter *c = &issuer_counters[n];

		if (c->help != NULL)
			status_put_family(out, c->name, "counter", c->help);
		for (uint32_t i = 0; i < issuers->all->num_services; i++) {
			const char *name = status_service_counted_as(
			    issuers->all->services[i]);
			struct ocsp_issuer_counts counts;

			if (name == NULL)
				continue;
			counts = ocsp_counts_find(issuers->total, name);
			oc_buffer_printf(out, "ocsign_%s{", c->name);
			put_issuer_label(out, issuers, i);
			if (c->label != NULL)
				oc_buffer_printf(out, ",%s=\"%s\"", c->label,
				    c->value);
			oc_buffer_printf(out, "} %" PRIu64 "\n",
			    status_count_at(&counts, c->offset));
		}
	}
}

static void
put_queues(struct oc_buffer *out, const struct issuers *issuers)
{
	uint32_t num = issuers->all->num_services, i;
	int n;

	status_put_family(out, "issuer_signing", "gauge",
	    "Responses at the signer, by lane.");
	for (i = 0; i < num; i++)
		for (n = 0; n < SIGN_LANE_MAX; n++) {
			oc_buffer_put_text(out, "ocsign_issuer_signing{");
			put_issuer_label(out, issuers, i);
			oc_buffer_printf(out, ",lane=\"%s\"} %" PRIu32 "\n",
			    sign_lane_name((enum sign_lane)n),
			    issuers->reports[i].num_in_lane[n]);
		}
	status_put_family(out, "issuer_scheduled", "gauge",
	    "Responses to be signed, now or later, by kind.");
	for (i = 0; i < num; i++)
		for (n = 0; n < STATUS_DUE_MAX; n++) {
			oc_buffer_put_text(out, "ocsign_issuer_scheduled{");
			put_issuer_label(out, issuers, i);
			oc_buffer_printf(out, ",kind=\"%s\"} %" PRIu32 "\n",
			    kinds[n], issuers->reports[i].num_due_of[n]);
		}
}

/* --- the API ------------------------------------------------------------ */

/* All codes, so that none begins in the middle; nothing where no API is. */
static void
put_api(struct oc_buffer *out, const struct status_all *all)
{
	struct net_counts_total total;

	net_counts_read(all->issuer_directory, all->run, &total);
	status_put_family(out, "api_responses_total", "counter",
	    "How requests to the API ended, by HTTP status.");
	for (size_t i = 0; total.pages.num_pages > 0 && i < NET_CODES; i++) {
		oc_buffer_put_text(out, "ocsign_api_responses_total{code=\"");
		if (i < NET_CODES - 1)
			oc_buffer_printf(out, "%d", net_codes[i]);
		else
			oc_buffer_put_text(out, "other");
		oc_buffer_printf(out, "\"} %" PRIu64 "\n",
		    total.counts.answers[i]);
	}
}

/* --- what is validated -------------------------------------------------- */

static void
put_validations(struct oc_buffer *out, const struct validation_counts *c,
    enum validation_task task)
{
	for (int fault = 0; fault <= VALIDATION_FAULT_LAST; fault++)
		oc_buffer_printf(out, "ocsign_validations_total{task=\"%s\","
		    "outcome=\"%s\"} %" PRIu64 "\n",
		    validation_task_text(task), fault == VALIDATION_NO_FAULT ?
		    "ok" : validation_fault_text((enum validation_fault)fault),
		    c->ended[task][fault]);
}

/* Nothing where nothing is. */
static void
put_validation(struct oc_buffer *out, const struct status_all *all)
{
	struct validation_counts_total total;

	if (all->validator_directory == NULL)
		return;
	validation_counts_read(all->validator_directory, all->run, &total);
	status_put_family(out, "validations_total", "counter",
	    "How looking at names ended.");
	for (int task = 1; task <= VALIDATION_TASK_LAST; task++)
		put_validations(out, &total.counts,
		    (enum validation_task)task);
	status_put_family(out, "validations_waiting", "gauge",
	    "Names that are looked at, or wait for that.");
	oc_buffer_printf(out, "ocsign_validations_waiting %" PRIu64 "\n",
	    validation_counts_waiting(&total.counts));
}

/* --- the signer ------------------------------------------------------- */

static const struct {
	const char *name, *type, *member, *help;
	int64_t per_unit;		/* of what it is told in; 0: 1 */
} token_values[] = {
	{ "token_up", "gauge", "up", "Whether the token signs." },
	{ "token_drained", "gauge", "drained",
	    "Whether a person keeps work from it." },
	{ "token_weight", "gauge", "weight",
	    "Its share of the work; 0: a standby." },
	{ "token_moved_total", "counter", "moved",
	    "Signatures that another token made instead." },
	{ "token_sessions", "gauge", "sessions", "Sessions open." },
	{ "token_waiting", "gauge", "waiting",
	    "Signatures that wait for a session." },
	{ "token_logins_total", "counter", "logins", "Logins." },
	{ "token_signatures_total", "counter", "signed", "Signatures." },
	{ "token_failures_total", "counter", "failed",
	    "Signatures that failed." },
	{ "token_recoveries_total", "counter", "recovered",
	    "Times that it went away and came back." },
	{ "token_restarts_total", "counter", "restarts",
	    "Times that the module was started anew." },
	{ "token_lost_sessions", "gauge", "lost",
	    "Threads that stand in a call which does not return." },
	{ "token_limit", "gauge", "limit",
	    "Signatures that it is asked for at once." },
	{ "token_limit_found", "gauge", "limit_found",
	    "To how many that was last lowered; 0: never." },
	{ "token_recovered_timestamp_seconds", "gauge", "recovered_at",
	    "When it last came back; 0: never." },
	{ "token_recovery_seconds", "gauge", "recovered_ms",
	    "How long it had been away then.", 1000 }
};

/* A sample for each class of each token. */
static void
put_errors(struct oc_buffer *out, const json_t *tokens)
{
	status_put_family(out, "token_errors_total", "counter",
	    "What went wrong, by class.");
	for (size_t i = 0; i < json_array_size(tokens); i++) {
		json_t *token = json_array_get(tokens, i);
		json_t *errors = json_object_get(token, "errors");
		const char *name = json_string_value(json_object_get(token,
		    "name"));

		for (void *it = json_object_iter(errors); name != NULL &&
		    it != NULL; it = json_object_iter_next(errors, it)) {
			if (!json_is_integer(json_object_iter_value(it)))
				continue;
			oc_buffer_put_text(out, "ocsign_token_errors_total{");
			status_put_label(out, "token", name);
			oc_buffer_put_text(out, ",");
			status_put_label(out, "class",
			    json_object_iter_key(it));
			oc_buffer_printf(out, "} %lld\n", (long long)
			    json_integer_value(json_object_iter_value(it)));
		}
	}
}

static void
put_value(struct oc_buffer *out, json_int_t value, int64_t per_unit)
{
	if (per_unit == 0)
		oc_buffer_printf(out, "} %lld\n", (long long)value);
	else
		oc_buffer_printf(out, "} %.15g\n", (double)value /
		    (double)per_unit);
}

static void
put_tokens(struct oc_buffer *out, const json_t *signer)
{
	const json_t *tokens = json_object_get(signer, "tokens");
	size_t num = sizeof(token_values) / sizeof(token_values[0]);

	status_put_number(out, "signer_up", "gauge",
	    "Whether ocsign-signer answers and has its tokens open.",
	    json_is_true(json_object_get(signer, "open")));
	for (size_t v = 0; v < num && json_array_size(tokens) > 0; v++) {
		const char *name = token_values[v].name;

		status_put_family(out, name, token_values[v].type,
		    token_values[v].help);
		for (size_t i = 0; i < json_array_size(tokens); i++) {
			const json_t *token = json_array_get(tokens, i);
			const json_t *value = json_object_get(token,
			    token_values[v].member);
			const char *text = json_string_value(
			    json_object_get(token, "name"));

			if (text == NULL || value == NULL)
				continue;
			oc_buffer_printf(out, "ocsign_%s{", name);
			status_put_label(out, "token", text);
			put_value(out, json_is_integer(value) ?
			    json_integer_value(value) : json_is_true(value),
			    token_values[v].per_unit);
		}
	}
	if (json_array_size(tokens) > 0)
		put_errors(out, tokens);
}

static const struct {
	const char *name, *type, *member, *help;
} journal_values[] = {
	{ "signing_journal_up", "gauge", "well",
	    "Whether the signing journal is written." },
	{ "signing_journal_records_total", "counter", "records",
	    "Records written to it." },
	{ "signing_journal_syncs_total", "counter", "syncs",
	    "Times that it was synced." },
	{ "signing_journal_lost_total", "counter", "lost",
	    "What is not in it, but for its count." },
	{ "signing_journal_waiting", "gauge", "waiting",
	    "Records that wait to be written." }
};

static void
put_journal(struct oc_buffer *out, const json_t *signer)
{
	const json_t *journal = json_object_get(signer, "journal");
	size_t num = sizeof(journal_values) / sizeof(journal_values[0]);

	for (size_t v = 0; v < num && journal != NULL; v++) {
		const json_t *value = json_object_get(journal,
		    journal_values[v].member);

		if (value != NULL)
			status_put_number(out, journal_values[v].name,
			    journal_values[v].type, journal_values[v].help,
			    json_is_integer(value) ?
			    json_integer_value(value) : json_is_true(value));
	}
}

static const struct {
	const char *name, *type, *member, *help;
	int64_t per_unit;		/* of what it is told in */
} queue_values[] = {
	{ "token_queue_waiting", "gauge", "waiting",
	    "Signatures that wait for a session, by lane.", 1 },
	{ "token_queue_oldest_seconds", "gauge", "oldest_us",
	    "How long the first of these has waited.", 1000000 },
	{ "token_queue_taken_total", "counter", "taken",
	    "Signatures that a session has taken up, by lane.", 1 },
	{ "token_queue_waited_seconds_total", "counter", "waited_us",
	    "How long these had waited, all together.", 1000000 }
};

static void
put_lanes(struct oc_buffer *out, const json_t *signer)
{
	const json_t *rows = json_object_get(signer, "queues");
	size_t num = sizeof(queue_values) / sizeof(queue_values[0]);

	for (size_t v = 0; v < num && json_array_size(rows) > 0; v++) {
		status_put_family(out, queue_values[v].name,
		    queue_values[v].type, queue_values[v].help);
		for (size_t i = 0; i < json_array_size(rows); i++) {
			const json_t *row = json_array_get(rows, i);
			const json_t *value = json_object_get(row,
			    queue_values[v].member);
			const char *token = json_string_value(
			    json_object_get(row, "token"));
			const char *lane = json_string_value(
			    json_object_get(row, "lane"));

			if (token == NULL || lane == NULL ||
			    !json_is_integer(value))
				continue;
			oc_buffer_printf(out, "ocsign_%s{",
			    queue_values[v].name);
			status_put_label(out, "token", token);
			oc_buffer_put_text(out, ",");
			status_put_label(out, "lane", lane);
			oc_buffer_printf(out, "} %.15g\n",
			    (double)json_integer_value(value) /
			    (double)queue_values[v].per_unit);
		}
	}
}

bool
status_put_metrics(const struct status_all *all, const json_t *signer,
    struct oc_buffer *out)
{
	struct ocsp_counts_total total;
	struct issuers issuers = { .all = all, .total = &total };
	uint32_t i;

	ocsp_counts_read(all->responder_directory, all->run, &total);
	issuers.reports = calloc(all->num_services + 1,
	    sizeof(*issuers.reports));
	if (issuers.reports == NULL)
		return false;
	for (i = 0; i < all->num_services; i++)
		status_service_report(all->services[i], &issuers.reports[i]);
	status_put_family(out, "build_info", "gauge", "The version.");
	oc_buffer_put_text(out, "ocsign_build_info{version=\""
	    PACKAGE_VERSION "\"} 1\n");
	status_put_number(out, "ready", "gauge",
	    "Whether all tables have caught up.", all->is_ready);
	status_put_number(out, "clock_well", "gauge",
	    "Whether the clock is believed: it has not jumped.",
	    oc_clock_watch_look(all->clock) == 0);
	status_put_number(out, "clock_ahead_seconds", "gauge",
	    "After a jump: how far the clock is ahead of what it should say.",
	    oc_clock_watch_look(all->clock) / 1000);
	status_put_responders(out, &total);
	put_issuer_counters(out, &issuers);
	put_issuer_values(out, &issuers);
	put_queues(out, &issuers);
	status_put_crls(out, all);
	status_put_source_files(out, all->files,
	    oc_clock_watch_now_s(all->clock));
	status_put_files(out, all->publish);
	put_api(out, all);
	put_validation(out, all);
	put_tokens(out, signer);
	put_lanes(out, signer);
	put_journal(out, signer);
	free(issuers.reports);
	return out->err == OC_OK;
}
