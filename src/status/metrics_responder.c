/* SPDX-License-Identifier: Apache-2.0 */
/* What responders count, and what is written of all of them. */
#include "status/metrics_impl.h"

#include <inttypes.h>
#include <stddef.h>

#define AT(field) offsetof(struct ocsp_counts, field)
static const struct status_counter counters[] = {
	{ "responder_connections_total", NULL, NULL, AT(connections),
	    "Connections accepted." },
	{ "responder_requests_total", "method", "get", AT(get),
	    "HTTP requests by method; what could not be read is other." },
	{ "responder_requests_total", "method", "post", AT(post), NULL },
	{ "responder_requests_total", "method", "head", AT(head), NULL },
	{ "responder_requests_total", "method", "other", AT(other_methods),
	    NULL },
	{ "responder_responses_total", "outcome", "successful",
	    AT(successful), "How requests ended: OCSP response status, or "
	    "what was answered instead." },
	{ "responder_responses_total", "outcome", "not_modified",
	    AT(not_modified), NULL },
	{ "responder_responses_total", "outcome", "try_later", AT(try_later),
	    NULL },
	{ "responder_responses_total", "outcome", "unauthorized",
	    AT(unauthorized), NULL },
	{ "responder_responses_total", "outcome", "malformed_request",
	    AT(malformed), NULL },
	{ "responder_responses_total", "outcome", "internal_error",
	    AT(internal_errors), NULL },
	{ "responder_responses_total", "outcome", "sig_required",
	    AT(sig_required), NULL },
	{ "responder_responses_total", "outcome", "page", AT(pages), NULL },
	{ "responder_responses_total", "outcome", "http_error",
	    AT(http_errors), NULL },
	{ "responder_files_total", "kind=\"crl\",outcome", "whole",
	    AT(crls.whole), "Requests for files, by kind and by how "
	    "they ended." },
	{ "responder_files_total", "kind=\"crl\",outcome", "part",
	    AT(crls.part), NULL },
	{ "responder_files_total", "kind=\"crl\",outcome", "not_modified",
	    AT(crls.not_modified), NULL },
	{ "responder_files_total", "kind=\"crl\",outcome", "refused",
	    AT(crls.refused), NULL },
	{ "responder_files_total", "kind=\"crl\",outcome", "missing",
	    AT(crls.missing), NULL },
	{ "responder_files_total", "kind=\"certificate\",outcome", "whole",
	    AT(certificates.whole), NULL },
	{ "responder_files_total", "kind=\"certificate\",outcome", "part",
	    AT(certificates.part), NULL },
	{ "responder_files_total", "kind=\"certificate\",outcome",
	    "not_modified", AT(certificates.not_modified), NULL },
	{ "responder_files_total", "kind=\"certificate\",outcome", "refused",
	    AT(certificates.refused), NULL },
	{ "responder_files_total", "kind=\"certificate\",outcome", "missing",
	    AT(certificates.missing), NULL },
	{ "responder_files_cut_total", "kind", "crl", AT(crls.cut),
	    "Files that were not sent to their end." },
	{ "responder_files_cut_total", "kind", "certificate",
	    AT(certificates.cut), NULL },
	{ "responder_hits_total", NULL, NULL, AT(hits),
	    "Requests answered from a table at once." },
	{ "responder_misses_total", NULL, NULL, AT(misses),
	    "Questions to ocsign-status." },
	{ "responder_stale_total", NULL, NULL, AT(stale),
	    "Misses for which the table had a response past its nextUpdate." },
	{ "responder_misses_refused_total", NULL, NULL, AT(misses_refused),
	    "Misses not asked because too many waited." },
	{ "responder_repaired_total", "what", "escapes", AT(cured_escapes),
	    "GET requests that were understood though written wrongly." },
	{ "responder_repaired_total", "what", "alphabet", AT(cured_alphabet),
	    NULL },
	{ "responder_repaired_total", "what", "slashes", AT(cured_slashes),
	    NULL },
	{ "responder_other_content_types_total", NULL, NULL,
	    AT(other_content_types),
	    "POST requests of another Content-Type." },
	{ "responder_without_basic_total", NULL, NULL, AT(without_basic),
	    "Requests whose AcceptableResponses lack basic." },
	{ "responder_timeouts_total", NULL, NULL, AT(timeouts),
	    "Connections closed because a client took too long." },
	{ "responder_shed_total", NULL, NULL, AT(shed),
	    "Idle connections closed to make room." },
	{ "responder_accept_pauses_total", NULL, NULL, AT(accept_pauses),
	    "Times that no more connections could be taken." },
	{ "responder_buffers_exhausted_total", NULL, NULL,
	    AT(buffers_exhausted), "Connections closed for want of a "
	    "buffer." },
	{ "responder_address_refused_total", NULL, NULL,
	    AT(address_refused), "Connections closed because their address "
	    "had enough." },
	{ "responder_address_limited_total", NULL, NULL,
	    AT(address_limited), "Misses not asked because their address "
	    "had asked too many." }
};
#undef AT

static void
put_counters(struct oc_buffer *out, const struct ocsp_counts *counts)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const struct status_counter *c = &counters[i];

		if (c->help != NULL)
			status_put_family(out, c->name, "counter", c->help);
		oc_buffer_printf(out, "ocsign_%s", c->name);
		if (c->label != NULL)
			oc_buffer_printf(out, "{%s=\"%s\"}", c->label,
			    c->value);
		oc_buffer_printf(out, " %" PRIu64 "\n",
		    status_count_at(counts, c->offset));
	}
}

/* Bounds have at most microseconds. */
static void
put_seconds(struct oc_buffer *out, uint64_t ns)
{
	oc_buffer_printf(out, "%" PRIu64 ".%09" PRIu64,
	    ns / 1000000000, ns % 1000000000);
}

static void
put_histogram(struct oc_buffer *out, const char *name, const char *help,
    const struct ocsp_latency *latency)
{
	uint64_t num = 0;
	size_t i;

	status_put_family(out, name, "histogram", help);
	for (i = 0; i < OCSP_LATENCY_BUCKETS; i++) {
		num += latency->num[i];
		oc_buffer_printf(out, "ocsign_%s_bucket{le=\"", name);
		if (i < OCSP_LATENCY_BUCKETS - 1)
			oc_buffer_printf(out, "%g",
			    (double)ocsp_counts_bounds_ns[i] / 1e9);
		else
			oc_buffer_put_text(out, "+Inf");
		oc_buffer_printf(out, "\"} %" PRIu64 "\n", num);
	}
	oc_buffer_printf(out, "ocsign_%s_sum ", name);
	put_seconds(out, latency->sum_ns);
	oc_buffer_printf(out, "\nocsign_%s_count %" PRIu64 "\n", name, num);
}

void
status_put_responders(struct oc_buffer *out,
    const struct ocsp_counts_total *total)
{
	status_put_number(out, "responders", "gauge", "Responders that run.",
	    total->pages.num_held);
	status_put_number(out, "responder_starts_total", "counter",
	    "Responders started.", total->pages.num_starts > INT64_MAX ?
	    INT64_MAX : (int64_t)total->pages.num_starts);
	put_counters(out, &total->counts);
	put_histogram(out, "responder_hit_duration_seconds",
	    "Of one hit in 64: from the word that something came to the "
	    "answer sent.", &total->counts.hit_latency);
	put_histogram(out, "responder_miss_duration_seconds",
	    "Of each miss: from the question to ocsign-status to its answer.",
	    &total->counts.miss_latency);
}
