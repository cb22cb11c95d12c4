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
	oc_buffer_printf(out, ",kind=\"%s\"} %" PRId64 "\n",
	    status_publish_kind(f), value);
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

static int64_t
value_of_watch(const struct status_watch_report *r, size_t v, int64_t now)
{
	const int64_t values[] = { r->bounds.this_update,
	    r->bounds.next_update, r->num_entries, r->refused_since != 0,
	    status_watch_report_state(r, now) >= STATUS_WATCH_ENDED,
	    (int64_t)r->num_taken, (int64_t)r->num_refused };

	return values[v];
}

static const struct {
	const char *name, *type, *help;
} crl_file_values[] = {
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

void
status_put_crl_files(struct oc_buffer *out,
    const struct status_files *files, int64_t now)
{
	size_t num = sizeof(crl_file_values) / sizeof(crl_file_values[0]);
	struct status_crl_report report;

	for (size_t v = 0; v < num; v++) {
		status_put_family(out, crl_file_values[v].name,
		    crl_file_values[v].type, crl_file_values[v].help);
		for (size_t i = 0; i < status_files_num(files); i++) {
			if (!status_files_report_crl(files, i, &report))
				continue;
			oc_buffer_printf(out, "ocsign_%s{",
			    crl_file_values[v].name);
			status_put_label(out, "issuer",
			    report.of.issuer);
			oc_buffer_printf(out, "} %" PRId64 "\n",
			    value_of_watch(&report.of, v, now));
		}
	}
}
