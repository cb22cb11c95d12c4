/* SPDX-License-Identifier: Apache-2.0 */
/* Of CRLs: which is the newest of each issuer, and whether the next one is
 * late. */
#include "status/metrics_impl.h"

#include <inttypes.h>
#include <stddef.h>

#include "status/crl_alarm.h"

static const struct {
	const char *name, *help;
	size_t offset;			/* of 64 bits */
} crl_values[] = {
	{ "crl_number", "Of the newest CRL.",
	    offsetof(struct status_crl, newest.number) },
	{ "crl_this_update_timestamp_seconds", "When it was made.",
	    offsetof(struct status_crl, newest.this_update) },
	{ "crl_next_update_timestamp_seconds",
	    "When the next one must be there.",
	    offsetof(struct status_crl, newest.next_update) }
};

/* Who has issued none has no sample. */
static void
put_newest(struct oc_buffer *out, struct status_crls *crls)
{
	size_t num = sizeof(crl_values) / sizeof(crl_values[0]);

	for (size_t v = 0; v < num; v++) {
		status_put_family(out, crl_values[v].name, "gauge",
		    crl_values[v].help);
		for (size_t i = 0; i < status_crls_num(crls); i++) {
			struct status_crl crl = status_crls_get(crls, i);

			if (crl.newest.number == 0)
				continue;
			oc_buffer_printf(out, "ocsign_%s{",
			    crl_values[v].name);
			status_put_label(out, "issuer", crl.issuer);
			oc_buffer_printf(out, "} %" PRIu64 "\n",
			    status_count_at(&crl, crl_values[v].offset));
		}
	}
}

typedef int64_t crl_value_fn(const struct status_crl *crl, int64_t now);

static int64_t
crl_due_at(const struct status_crl *crl, int64_t now)
{
	(void)now;
	return oc_crl_due_at(crl->publish, crl->worst.is_delta,
	    crl->worst.this_update, crl->worst.next_update);
}

static int64_t
crl_failures(const struct status_crl *crl, int64_t now)
{
	(void)now;
	return crl->trouble.num_failures;
}

static int64_t
crl_late(const struct status_crl *crl, int64_t now)
{
	return status_crl_standing(crl, now) >= OC_CRL_LATE;
}

static int64_t
crl_urgent(const struct status_crl *crl, int64_t now)
{
	return status_crl_standing(crl, now) >= OC_CRL_URGENT;
}

static const struct {
	const char *name, *help;
	crl_value_fn *value;
} publish_values[] = {
	{ "crl_due_timestamp_seconds", "When the next CRL is to be published; "
	    "0: now.", crl_due_at },
	{ "crl_publish_failures", "Times in a row that it could not be.",
	    crl_failures },
	{ "crl_late", "Whether it should have been by now.", crl_late },
	{ "crl_urgent", "Whether the CRL that is there nears its end.",
	    crl_urgent }
};

/* Of those that ocsign-issuer publishes. */
static void
put_published(struct oc_buffer *out, const struct status_all *all)
{
	size_t num = sizeof(publish_values) / sizeof(publish_values[0]);
	int64_t now = oc_clock_watch_now_s(all->clock);

	for (size_t v = 0; v < num; v++) {
		status_put_family(out, publish_values[v].name, "gauge",
		    publish_values[v].help);
		for (size_t i = 0; i < status_crls_num(all->crls); i++) {
			struct status_crl crl = status_crls_get(all->crls, i);

			if (crl.publish == NULL)
				continue;
			oc_buffer_printf(out, "ocsign_%s{",
			    publish_values[v].name);
			status_put_label(out, "issuer", crl.issuer);
			oc_buffer_printf(out, "} %" PRId64 "\n",
			    publish_values[v].value(&crl, now));
		}
	}
}

void
status_put_crls(struct oc_buffer *out, const struct status_all *all)
{
	put_newest(out, all->crls);
	put_published(out, all);
}
