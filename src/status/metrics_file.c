/* SPDX-License-Identifier: Apache-2.0 */
/* What responders serve beside OCSP. */
#include "status/metrics_impl.h"

#include <inttypes.h>

static void
put_file(struct oc_buffer *out, const char *name,
    const struct status_published *f, int64_t value)
{
	oc_buffer_printf(out, "ocsign_%s{", name);
	status_put_label(out, "issuer", f->file->issuer->name);
	oc_buffer_printf(out, ",kind=\"%s\"", status_publish_kind(f));
	if (f->file->partition != 0)
		oc_buffer_printf(out, ",partition=\"%u\"",
		    f->file->partition);
	oc_buffer_printf(out, "} %" PRId64 "\n", value);
}

void
status_put_files(struct oc_buffer *out, struct status_publish *publish)
{
	size_t num = status_publish_num(publish), i;
	struct status_published f;

	status_put_family(out, "file_served", "gauge",
	    "Whether there is one at its URL.");
	for (i = 0; i < num; i++) {
		f = status_publish_get(publish, i);
		put_file(out, "file_served", &f, f.len > 0);
	}
	status_put_family(out, "file_until_timestamp_seconds", "gauge",
	    "nextUpdate of the CRL, notAfter of the certificate there.");
	for (i = 0; i < num; i++) {
		f = status_publish_get(publish, i);
		if (f.len > 0)
			put_file(out, "file_until_timestamp_seconds", &f,
			    f.until);
	}
}

/* One for each value of both kinds. */
static int64_t
value_of_watch(const struct status_watch_report *r, size_t v, int64_t now)
{
	const int64_t values[] = { r->bounds.this_update,
	    r->bounds.next_update, r->num_entries, r->refused_since != 0,
	    status_watch_report_state(r, now) >= STATUS_WATCH_ENDED,
	    (int64_t)r->num_taken, (int64_t)r->num_refused, r->num_revoked };

	return values[v];
}

struct watch_value { const char *name, *type, *help; };

static const struct watch_value crl_file_values[] = {
	{ "crl_file_this_update_timestamp_seconds", "gauge",
	    "When the CRL in force was made; 0: there was none." },
	{ "crl_file_next_update_timestamp_seconds", "gauge",
	    "When it ends; 0: there was none." },
	{ "crl_file_entries", "gauge", "Who is on it." },
	{ "crl_file_refused", "gauge",
	    "Whether what is in the file is refused." },
	{ "crl_file_ended", "gauge",
	    "Whether nothing is in force: it has ended, or never was." },
	{ "crl_file_taken_total", "counter", "How many came into force." },
	{ "crl_file_refusals_total", "counter", "How many were refused." }
};

static const struct watch_value source_values[] = {
	{ "source_read_timestamp_seconds", "gauge",
	    "When the source's file was last read well; 0: never." },
	{ "source_trusted_until_timestamp_seconds", "gauge",
	    "Until when what it said then is trusted; 0: it never was." },
	{ "source_certificates", "gauge", "Of which something is said." },
	{ "source_refused", "gauge",
	    "Whether what is in the file is refused." },
	{ "source_ended", "gauge",
	    "Whether nothing is in force: it is too old, or never was." },
	{ "source_taken_total", "counter", "How many came into force." },
	{ "source_refusals_total", "counter", "How many were refused." },
	{ "source_revoked", "gauge", "Which of them are revoked." }
};

static void
put_watch(struct oc_buffer *out, const struct watch_value *value, size_t v,
    const struct status_watch_report *report, int64_t now)
{
	oc_buffer_printf(out, "ocsign_%s{", value->name);
	status_put_label(out, "issuer", report->issuer);
	oc_buffer_printf(out, "} %" PRId64 "\n", value_of_watch(report, v,
	    now));
}

static void
put_crl_files(struct oc_buffer *out, const struct status_files *files,
    int64_t now)
{
	size_t num = sizeof(crl_file_values) / sizeof(crl_file_values[0]);
	const struct watch_value *value = crl_file_values;
	struct status_crl_report report;

	for (size_t v = 0; v < num; v++, value++) {
		status_put_family(out, value->name, value->type, value->help);
		for (size_t i = 0; i < status_files_num(files); i++)
			if (status_files_report_crl(files, i, &report))
				put_watch(out, value, v, &report.of, now);
	}
}

/* One for each value of fetch_values. */
static int64_t
value_of_fetch(const struct fetch_state *s, size_t v)
{
	const int64_t values[] = { s->tried_at, s->fetched_at, s->next_at,
	    s->num_failures, s->http_status };

	return values[v];
}

static const struct watch_value fetch_values[] = {
	{ "crl_fetch_tried_timestamp_seconds", "gauge",
	    "When the CRL was last asked for; 0: never." },
	{ "crl_fetch_success_timestamp_seconds", "gauge",
	    "When that last gave a good one, or the same; 0: never." },
	{ "crl_fetch_next_timestamp_seconds", "gauge",
	    "When it is asked for next." },
	{ "crl_fetch_failures", "gauge", "Failures since the last success." },
	{ "crl_fetch_http_status", "gauge",
	    "Of the last answer; 0: there was none." }
};

static void
put_fetch(struct oc_buffer *out, const struct status_files *files, size_t v,
    enum fetch_what what)
{
	struct fetch_state state;

	for (size_t i = 0; i < status_files_num(files); i++) {
		if (!status_files_report_fetch(files, i, what, &state))
			continue;
		oc_buffer_printf(out, "ocsign_%s{", fetch_values[v].name);
		status_put_label(out, "issuer", status_files_issuer(files,
		    i));
		oc_buffer_printf(out, ",kind=\"%s\"} %" PRId64 "\n",
		    what == FETCH_DELTA ? "delta" : "crl",
		    value_of_fetch(&state, v));
	}
}

static void
put_fetches(struct oc_buffer *out, const struct status_files *files)
{
	size_t num = sizeof(fetch_values) / sizeof(fetch_values[0]);

	for (size_t v = 0; v < num; v++) {
		status_put_family(out, fetch_values[v].name,
		    fetch_values[v].type, fetch_values[v].help);
		put_fetch(out, files, v, FETCH_CRL);
		put_fetch(out, files, v, FETCH_DELTA);
	}
}

static void
put_sources(struct oc_buffer *out, const struct status_files *files,
    int64_t now)
{
	size_t num = sizeof(source_values) / sizeof(source_values[0]);
	const struct watch_value *value = source_values;
	struct status_watch_report report;

	for (size_t v = 0; v < num; v++, value++) {
		status_put_family(out, value->name, value->type, value->help);
		for (size_t i = 0; i < status_files_num(files); i++)
			if (status_files_report_records(files, i, &report))
				put_watch(out, value, v, &report, now);
	}
}

void
status_put_source_files(struct oc_buffer *out,
    const struct status_files *files, int64_t now)
{
	put_crl_files(out, files, now);
	put_fetches(out, files);
	put_sources(out, files, now);
}
