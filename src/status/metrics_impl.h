/* SPDX-License-Identifier: Apache-2.0 */
/* What metrics*.c share; nobody else includes it. */
#ifndef STATUS_METRICS_IMPL_H
#define STATUS_METRICS_IMPL_H

#include "ocsp/counts.h"
#include "status/metrics.h"

/* A row of a table of counters. */
struct status_counter {
	const char *name;
	const char *label, *value;	/* NULL: none */
	size_t offset;			/* in its struct */
	const char *help;		/* with the first of a name */
};
/* 64 bits of a struct. */
uint64_t status_count_at(const void *counts, size_t offset);

/* HELP and TYPE stand once above all samples of a name. */
void status_put_family(struct oc_buffer *out, const char *name,
    const char *type, const char *help);
/* label="value" */
void status_put_label(struct oc_buffer *out, const char *label,
    const char *value);
void status_put_number(struct oc_buffer *out, const char *name,
    const char *type, const char *help, int64_t value);

/* metrics_responder.c */
void status_put_responders(struct oc_buffer *out,
    const struct ocsp_counts_total *total);
/* metrics_crl.c */
void status_put_crls(struct oc_buffer *out, const struct status_all *all);
/* metrics_file.c */
void status_put_files(struct oc_buffer *out,
    struct status_publish *publish);
void status_put_source_files(struct oc_buffer *out,
    const struct status_files *files, int64_t now);

#endif
