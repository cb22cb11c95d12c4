/* SPDX-License-Identifier: Apache-2.0 */
#include "status/describe.h"

#include <jansson.h>

#include "der/time.h"

/* "2026-11-23T22:00:00Z"; 0 is null. */
static json_t *
time_of(int64_t at)
{
	char text[DER_ISO8601_MAX];

	if (at == 0)
		return json_null();
	der_format_iso8601(at, text);
	return json_string(text);
}

static json_t *
describe_horizon(const struct status_horizon *h)
{
	if (h->as_of == 0)
		return json_null();
	return json_pack("{s:o, s:o, s:i, s:i, s:i, s:o, s:o}",
	    "first_stale_at", time_of(h->first_stale_at),
	    "half_stale_at", time_of(h->half_stale_at),
	    "answers", (int)h->num_answers,
	    "ending", (int)h->num_ending,
	    "stale", (int)h->num_stale,
	    "oldest_produced_at", time_of(h->oldest_produced_at),
	    "as_of", time_of(h->begun_at));
}

static json_t *
describe_service(const struct status_service *service)
{
	struct status_service_report r;

	status_service_report(service, &r);
	return json_pack("{s:s, s:b, s:b, s:s, s:I, s:i, s:i, s:i, s:i, s:I, "
	    "s:I, s:I, s:o}",
	    "issuer", status_service_name(service),
	    "ready", (int)r.is_ready,
	    "source_well", (int)r.is_source_well,
	    "source_error", r.source_error,
	    "change_seq", (json_int_t)r.seq,
	    "certificates", (int)r.num_certificates,
	    "responses", (int)r.num_slots,
	    "signing", (int)r.num_flights,
	    "scheduled", (int)r.num_due,
	    "signed", (json_int_t)r.num_signed,
	    "failed", (json_int_t)r.num_failed,
	    "asked", (json_int_t)r.num_asked,
	    "horizon", describe_horizon(&r.horizon));
}

char *
status_describe(struct status_service *const *services,
    uint32_t num_services, bool is_ready)
{
	json_t *issuers = json_array(), *whole;
	char *text = NULL;
	uint32_t i;

	for (i = 0; i < num_services; i++)
		(void)json_array_append_new(issuers,
		    describe_service(services[i]));
	whole = json_pack("{s:b, s:o}", "ready", (int)is_ready, "issuers",
	    issuers);
	if (whole != NULL)
		text = json_dumps(whole, JSON_COMPACT);
	json_decref(whole);
	return text;
}
