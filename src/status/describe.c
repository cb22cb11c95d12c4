/* SPDX-License-Identifier: Apache-2.0 */
#include "status/describe.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "der/time.h"
#include "status/crl_alarm.h"
#include "validation/counts.h"

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

/* All null and 0 before the first pass over the table. */
static json_t *
describe_horizon(const struct status_horizon *h)
{
	return json_pack("{s:o, s:o, s:i, s:i, s:i, s:o, s:o}",
	    "first_stale_at", time_of(h->first_stale_at),
	    "half_stale_at", time_of(h->half_stale_at),
	    "answers", (int)h->num_answers,
	    "ending", (int)h->num_ending,
	    "stale", (int)h->num_stale,
	    "oldest_produced_at", time_of(h->oldest_produced_at),
	    "as_of", time_of(h->begun_at));
}

/* JSON's readers have no more than 63 bits. */
static json_t *
number_of(uint64_t number)
{
	return json_integer(number > INT64_MAX ? INT64_MAX :
	    (json_int_t)number);
}

/* What responders count of the issuer; null with its other signers. */
static json_t *
describe_answered(const struct status_service *service,
    const struct ocsp_counts_total *total)
{
	const char *name = status_service_counted_as(service);
	struct ocsp_issuer_counts counts, *c = &counts;

	if (name == NULL)
		return json_null();
	counts = ocsp_counts_find(total, name);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "successful", number_of(c->successful),
	    "not_modified", number_of(c->not_modified),
	    "try_later", number_of(c->try_later),
	    "unauthorized", number_of(c->unauthorized),
	    "other", number_of(c->other),
	    "hits", number_of(c->hits),
	    "misses", number_of(c->misses),
	    "stale", number_of(c->stale));
}

/* Null where nothing is shared. */
static json_t *
describe_fleet(const struct status_fleet_report *f)
{
	if (f->lead == STATUS_LEAD_NONE)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o, s:o}",
	    "state", status_lead_word(f->lead),
	    "leader", f->leader[0] == '\0' || f->lead == STATUS_LEAD_ALONE ?
	    json_null() : json_string(f->leader),
	    "taken", number_of(f->num_taken),
	    "given", number_of(f->num_shared),
	    "refused", number_of(f->num_refused));
}

static json_t *
describe_service(const struct status_service *service,
    const struct ocsp_counts_total *total)
{
	struct status_service_report r;

	status_service_report(service, &r);
	return json_pack("{s:s, s:b, s:b, s:b, s:b, s:s, s:I, s:i, s:i, s:i, "
	    "s:i, s:i, s:i, s:I, s:I, s:I, s:i, s:i, s:i, s:i, s:o, s:o, s:s, "
	    "s:o, s:o, s:o}",
	    "issuer", status_service_name(service),
	    "ready", (int)r.is_ready,
	    "source_well", (int)r.is_source_well,
	    "compromised", (int)r.is_compromised,
	    "signer_revoked", (int)r.is_signer_revoked,
	    "source_error", r.source_error,
	    "change_seq", (json_int_t)r.seq,
	    "certificates", (int)r.num_certificates,
	    "responses", (int)r.num_slots,
	    "older_responses", (int)r.num_older,
	    "signing", (int)r.num_flights,
	    "scheduled", (int)r.num_due,
	    "urgent", (int)(r.num_due_of[STATUS_DUE_URGENT] +
	    r.num_in_lane[SIGN_LANE_REVOCATION]),
	    "signed", (json_int_t)r.num_signed,
	    "failed", (json_int_t)r.num_failed,
	    "asked", (json_int_t)r.num_asked,
	    "loaded_refused", (int)r.offline.num_refused,
	    "loaded_contradicted", (int)r.offline.num_contradicted,
	    "loaded_ending", (int)r.offline.num_ending,
	    "loaded_ended", (int)r.offline.num_ended,
	    "last_signed_at", time_of(r.last_signed_at),
	    "signer_not_after", time_of(r.signer_not_after),
	    "signer_renewal", status_renewal_word(r.renewal),
	    "horizon", describe_horizon(&r.horizon),
	    "shared", describe_fleet(&r.fleet),
	    "answered", describe_answered(service, total));
}

/* --- responders ------------------------------------------------------- */

#define COUNT(name) { #name, offsetof(struct ocsp_counts, name) }
static const struct {
	const char *name;
	size_t offset;
} counters[] = {
	COUNT(connections), COUNT(requests), COUNT(get), COUNT(post),
	COUNT(head), COUNT(other_methods), COUNT(successful),
	COUNT(not_modified), COUNT(try_later), COUNT(unauthorized),
	COUNT(malformed), COUNT(internal_errors), COUNT(sig_required),
	COUNT(pages), COUNT(http_errors), COUNT(hits), COUNT(misses),
	COUNT(stale), COUNT(misses_refused), COUNT(timeouts), COUNT(shed),
	COUNT(accept_pauses), COUNT(buffers_exhausted),
	COUNT(address_refused), COUNT(address_limited)
};
#undef COUNT

/* The upper bound of the bucket in which this many in a hundred are; null if
 * there are none, or it has no bound. */
static json_t *
quantile(const struct ocsp_latency *latency, unsigned int percent)
{
	uint64_t all = 0, num = 0;
	size_t i;

	for (i = 0; i < OCSP_LATENCY_BUCKETS; i++)
		all += latency->num[i];
	for (i = 0; i < OCSP_LATENCY_BUCKETS - 1 && all > 0; i++) {
		num += latency->num[i];
		if (num >= all - all / 100 * (100 - percent) -
		    all % 100 * (100 - percent) / 100)
			return json_integer(ocsp_counts_bounds_ns[i] / 1000);
	}
	return json_null();
}

static json_t *
describe_file_counts(const struct ocsp_file_counts *c)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
	    "whole", number_of(c->whole),
	    "part", number_of(c->part),
	    "not_modified", number_of(c->not_modified),
	    "refused", number_of(c->refused),
	    "missing", number_of(c->missing),
	    "cut", number_of(c->cut));
}

static json_t *
describe_responders(const struct ocsp_counts_total *total)
{
	const struct ocsp_counts *c = &total->counts;
	json_t *object = json_object();
	size_t i;

	(void)json_object_set_new(object, "running",
	    json_integer(total->pages.num_held));
	(void)json_object_set_new(object, "started",
	    number_of(total->pages.num_starts));
	(void)json_object_set_new(object, "since", time_of(total->pages.since));
	for (i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		(void)json_object_set_new(object, counters[i].name,
		    number_of(*(const uint64_t *)(const void *)
		    ((const char *)c + counters[i].offset)));
	(void)json_object_set_new(object, "crls",
	    describe_file_counts(&c->crls));
	(void)json_object_set_new(object, "certificates",
	    describe_file_counts(&c->certificates));
	(void)json_object_set_new(object, "hit_p50_us",
	    quantile(&c->hit_latency, 50));
	(void)json_object_set_new(object, "hit_p99_us",
	    quantile(&c->hit_latency, 99));
	(void)json_object_set_new(object, "miss_p50_us",
	    quantile(&c->miss_latency, 50));
	(void)json_object_set_new(object, "miss_p99_us",
	    quantile(&c->miss_latency, 99));
	return object;
}

/* By HTTP status, those that there were. */
static json_t *
describe_api(const struct status_all *all)
{
	struct net_counts_total total;
	json_t *answers = json_object();
	char code[16];

	net_counts_read(all->issuer_directory, all->run, &total);
	for (size_t i = 0; i < NET_CODES; i++) {
		if (total.counts.answers[i] == 0)
			continue;
		if (i < NET_CODES - 1)
			(void)snprintf(code, sizeof(code), "%d",
			    net_codes[i]);
		(void)json_object_set_new(answers, i < NET_CODES - 1 ? code :
		    "other", number_of(total.counts.answers[i]));
	}
	return json_pack("{s:i, s:o, s:o, s:o}",
	    "running", (int)total.pages.num_held,
	    "started", number_of(total.pages.num_starts),
	    "since", time_of(total.pages.since), "answers", answers);
}

/* Of one task, by how it ended: "ok", and ACME's words. */
static json_t *
describe_task(const struct validation_counts *c, enum validation_task task)
{
	json_t *object = json_pack("{s:o}", "asked",
	    number_of(c->asked[task]));
	const char *word;

	for (int fault = 0; fault <= VALIDATION_FAULT_LAST; fault++) {
		word = fault == VALIDATION_NO_FAULT ? "ok" :
		    validation_fault_text((enum validation_fault)fault);
		if (c->ended[task][fault] > 0)
			(void)json_object_set_new(object, word,
			    number_of(c->ended[task][fault]));
	}
	return object;
}

static json_t *
describe_validation(const struct status_all *all)
{
	struct validation_counts_total total;
	json_t *object;

	if (all->validator_directory == NULL)
		return json_null();
	validation_counts_read(all->validator_directory, all->run, &total);
	object = json_pack("{s:i, s:o, s:o, s:o, s:o}",
	    "running", (int)total.pages.num_held,
	    "started", number_of(total.pages.num_starts),
	    "since", time_of(total.pages.since),
	    "waiting", number_of(validation_counts_waiting(&total.counts)),
	    "given_up", number_of(total.counts.left));
	for (int task = 1; task <= VALIDATION_TASK_LAST; task++)
		if (total.counts.asked[task] > 0)
			(void)json_object_set_new(object,
			    validation_task_text((enum validation_task)task),
			    describe_task(&total.counts,
			    (enum validation_task)task));
	return object;
}

/* What is told fits into one answer. */
#define CRL_ALARMS_MAX 8

static json_t *
describe_alarm(const struct status_crl *crl, int64_t now, size_t *num)
{
	char text[STATUS_CRL_ALARM_MAX];

	if (*num == CRL_ALARMS_MAX || !status_crl_alarm(crl, now, text))
		return json_null();
	++*num;
	return json_string(text);
}

/* 0: nobody publishes it, or the first is. */
static int64_t
due_at(const struct status_crl *crl)
{
	return crl->publish == NULL ? 0 : oc_crl_due_at(crl->publish,
	    crl->worst.is_delta, crl->worst.this_update,
	    crl->worst.next_update);
}

/* Of one list alone nothing is said. */
static void
describe_worst(const struct status_crl *crl, json_t *row)
{
	char name[STATUS_CRL_NAME_MAX];

	if (crl->publish == NULL || (crl->publish->crl_partitions == 0 &&
	    crl->publish->crl_delta_url == NULL))
		return;
	status_crl_name(crl, name);
	(void)json_object_set_new(row, "worst", json_string(name));
}

/* Null before the first one. */
static json_t *
describe_crls(const struct status_all *all)
{
	json_t *rows = json_array();
	size_t num_alarms = 0;
	int64_t now;

	(void)oc_clock_watch_look(all->clock);
	now = oc_clock_watch_now_s(all->clock);
	for (size_t i = 0; i < status_crls_num(all->crls); i++) {
		struct status_crl crl = status_crls_get(all->crls, i);
		bool is_known = crl.newest.number != 0;
		json_t *row = json_pack(
		    "{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o}",
		    "issuer", crl.issuer,
		    "number", is_known ? number_of(crl.newest.number) :
		    json_null(),
		    "this_update", time_of(crl.newest.this_update),
		    "next_update", time_of(crl.newest.next_update),
		    "age_s", is_known ? json_integer(now -
		    crl.newest.this_update) : json_null(),
		    "due_at", time_of(due_at(&crl)),
		    "state", crl.publish == NULL ? "by hand" :
		    oc_crl_standing_word(status_crl_standing(&crl, now)),
		    "alarm", describe_alarm(&crl, now, &num_alarms));

		describe_worst(&crl, row);
		(void)json_array_append_new(rows, row);
	}
	return rows;
}

/* What is told fits into one answer: the rest is in the metrics.  Of CRLs'
 * files and other sources' together: */
#define CRL_FILES_MAX 64
#define WHY_MAX 200

static json_t *
describe_why(const struct status_watch_report *r)
{
	size_t len = strnlen(r->why, WHY_MAX);

	if (r->refused_since == 0)
		return json_null();
	while (!oc_utf8_is_valid(r->why, len))
		len--;
	return json_stringn(r->why, len);
}

static json_t *
describe_crl_file(const struct status_crl_report *crl, int64_t now)
{
	const struct status_watch_report *r = &crl->of;

	return json_pack("{s:s, s:s, s:o, s:i, s:o, s:o, s:o, s:I, s:I, s:o}",
	    "issuer", r->issuer, "state",
	    status_watch_state_word(status_watch_report_state(r, now)),
	    "number", r->has_list ? json_string(crl->number) : json_null(),
	    "entries", (int)r->num_entries,
	    "this_update", time_of(r->bounds.this_update),
	    "next_update", time_of(r->bounds.next_update),
	    "refused_since", time_of(r->refused_since),
	    "taken", (json_int_t)r->num_taken,
	    "refused", (json_int_t)r->num_refused,
	    "why", describe_why(r));
}

/* How it is fetched; null: it is not. */
static json_t *
describe_fetch(const struct status_all *all, size_t i, enum fetch_what what)
{
	struct fetch_state s;
	size_t len;

	if (!status_files_report_fetch(all->files, i, what, &s))
		return json_null();
	len = strnlen(s.why, WHY_MAX);
	while (!oc_utf8_is_valid(s.why, len))
		len--;
	return json_pack("{s:o, s:o, s:o, s:o, s:I, s:o, s:o}",
	    "tried_at", time_of(s.tried_at),
	    "fetched_at", time_of(s.fetched_at),
	    "next_at", time_of(s.next_at),
	    "http_status", s.http_status == 0 ? json_null() :
	    json_integer(s.http_status),
	    "failures", (json_int_t)s.num_failures,
	    "url", s.url[0] == '\0' ? json_null() : json_stringn(s.url,
	    strnlen(s.url, WHY_MAX)),
	    "why", len == 0 ? json_null() : json_stringn(s.why, len));
}

static json_t *
describe_crl_files(const struct status_all *all)
{
	int64_t now = oc_clock_watch_now_s(all->clock);
	struct status_crl_report report;
	json_t *rows = json_array();

	for (size_t i = 0; i < status_files_num(all->files) &&
	    json_array_size(rows) < CRL_FILES_MAX; i++)
		if (status_files_report_crl(all->files, i, &report)) {
			json_t *row = describe_crl_file(&report, now);

			(void)json_object_set_new(row, "fetch",
			    describe_fetch(all, i, FETCH_CRL));
			(void)json_object_set_new(row, "fetch_delta",
			    describe_fetch(all, i, FETCH_DELTA));
			(void)json_array_append_new(rows, row);
		}
	return rows;
}

static json_t *
describe_source(const struct status_watch_report *r, int64_t now)
{
	int64_t read_at = r->bounds.this_update;

	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:o, s:o, s:o, s:o, s:I, "
	    "s:I, s:o}",
	    "issuer", r->issuer, "kind", r->noun, "state",
	    status_watch_state_word(status_watch_report_state(r, now)),
	    "certificates", (int)r->num_entries,
	    "revoked", (int)r->num_revoked,
	    "read_at", time_of(read_at),
	    "age_s", r->has_list ? json_integer(now - read_at) : json_null(),
	    "trusted_until", time_of(r->bounds.next_update),
	    "refused_since", time_of(r->refused_since),
	    "taken", (json_int_t)r->num_taken,
	    "refused", (json_int_t)r->num_refused,
	    "why", describe_why(r));
}

static json_t *
describe_sources(const struct status_all *all, size_t num_max)
{
	int64_t now = oc_clock_watch_now_s(all->clock);
	struct status_watch_report report;
	json_t *rows = json_array();

	for (size_t i = 0; i < status_files_num(all->files) &&
	    json_array_size(rows) < num_max; i++)
		if (status_files_report_records(all->files, i, &report))
			(void)json_array_append_new(rows,
			    describe_source(&report, now));
	return rows;
}

/* All must go into a frame: of more files, as with many CRLs in parts, the
 * first are told, and the metrics have all; URLs are cut. */
#define FILES_TOLD_MAX 128
#define URL_TOLD_MAX 160

/* Null while there is none. */
static json_t *
describe_files(const struct status_all *all)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < status_publish_num(all->publish) &&
	    i < FILES_TOLD_MAX; i++) {
		struct status_published f = status_publish_get(all->publish,
		    i);

		(void)json_array_append_new(rows, json_pack(
		    "{s:s, s:s, s:i, s:s#, s:o, s:o, s:o}",
		    "issuer", f.file->issuer->name,
		    "kind", status_publish_kind(&f),
		    "partition", (int)f.file->partition,
		    "url", f.file->url,
		    (int)strnlen(f.file->url, URL_TOLD_MAX),
		    "size", f.len == 0 ? json_null() : number_of(f.len),
		    "modified_at", time_of(f.modified_at),
		    "until", time_of(f.until)));
	}
	return rows;
}

static json_t *
describe_clock(const struct status_all *all)
{
	int64_t jump_ms = oc_clock_watch_look(all->clock);

	return json_pack("{s:b, s:I}", "well", (int)(jump_ms == 0),
	    "ahead_s", (json_int_t)(jump_ms / 1000));
}

/* Who has several of them, in the order in which they can be spared. */
static const char *const lists[] = {
	"files", "sources", "crl_files", "crls", "issuers"
};

/* Takes half of the rows, and one, from the end of the first list that has
 * any: so many. */
static size_t
shorten(json_t *whole)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		json_t *rows = json_object_get(whole, lists[i]);
		size_t num = json_array_size(rows), left = num / 2;

		for (size_t at = num; at > left; at--)
			(void)json_array_remove(rows, at - 1);
		if (num > 0)
			return num - left;
	}
	return 0;
}

/* Better some of it than nothing; how many rows are missing is in it. */
static char *
dump_up_to(json_t *whole, size_t len_max)
{
	char *text = json_dumps(whole, JSON_COMPACT);
	size_t num_out = 0, num;

	while (text != NULL && strlen(text) > len_max) {
		free(text);
		num = shorten(whole);
		if (num == 0)
			return NULL;
		num_out += num;
		(void)json_object_set_new(whole, "left_out",
		    number_of(num_out));
		text = json_dumps(whole, JSON_COMPACT);
	}
	return text;
}

char *
status_describe(const struct status_all *all, size_t len_max)
{
	json_t *issuers = json_array(), *crls = describe_crl_files(all);
	size_t num_left = CRL_FILES_MAX - json_array_size(crls);
	json_t *whole;
	struct ocsp_counts_total total;
	char *text = NULL;
	uint32_t i;

	ocsp_counts_read(all->responder_directory, all->run, &total);
	for (i = 0; i < all->num_services; i++)
		(void)json_array_append_new(issuers,
		    describe_service(all->services[i], &total));
	whole = json_pack("{s:b, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
	    "s:o}",
	    "ready", (int)all->is_ready, "left_out", 0,
	    "clock", describe_clock(all),
	    "responders", describe_responders(&total),
	    "issuers", issuers, "crls", describe_crls(all),
	    "crl_files", crls,
	    "sources", describe_sources(all, num_left),
	    "files", describe_files(all), "api", describe_api(all),
	    "validation", describe_validation(all));
	if (whole != NULL)
		text = dump_up_to(whole, len_max);
	json_decref(whole);
	return text;
}
