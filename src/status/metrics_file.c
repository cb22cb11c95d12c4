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
