/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a table whole?  Reads as readers do, maybe beside a writer: what seems
 * wrong is looked at again a little later before it counts.
 */
#include <time.h>

#include "base/clock.h"
#include "ocsp/table_private.h"

#define AGAIN_TRIES 3
#define AGAIN_NS OC_NS_PER_MS
/* So often; a table of which nothing is right need not take an hour. */
#define AGAIN_MAX 1000

struct verify {
	const struct ocsp_table *table;
	struct ocsp_table_report report;
	uint32_t num_again;
};

static bool
may_look_again(struct verify *v, int *tries)
{
	const struct timespec pause = { 0, AGAIN_NS };

	if (v->num_again >= AGAIN_MAX || ++*tries >= AGAIN_TRIES)
		return false;
	v->num_again++;
	(void)nanosleep(&pause, NULL);
	return true;
}

static void
verify_slot(struct verify *v, uint32_t number)
{
	enum table_found found;
	int tries = 0;

	do {
		found = ocsp_table_look_at(v->table, number);
	} while ((found == TABLE_TORN || found == TABLE_LOST) &&
	    may_look_again(v, &tries));
	switch (found) {
	case TABLE_FREE:
		return;
	case TABLE_GOOD:
		v->report.num_good++;
		return;
	case TABLE_TORN:
		v->report.num_torn++;
		return;
	case TABLE_LOST:
		v->report.num_lost++;
		return;
	}
}

static bool
is_stray(const struct ocsp_table *table, uint32_t bucket, bool *is_empty)
{
	uint32_t words[SLOT_WORDS_MAX];
	uint32_t entry = atomic_load_explicit(&table->index[bucket],
	    memory_order_acquire);

	*is_empty = entry == 0;
	/* A torn slot is counted as that. */
	return entry != 0 && (entry > table->num_slots ||
	    (ocsp_table_load_slot(table, entry - 1, words) &&
	    !ocsp_table_slot_is_live(words)));
}

/* How many lead to a slot that is not free. */
static uint32_t
verify_index(struct verify *v)
{
	uint32_t bucket, num_leading = 0;
	bool is_empty;
	int tries;

	for (bucket = 0; bucket < v->table->num_buckets; bucket++) {
		tries = 0;
		while (is_stray(v->table, bucket, &is_empty) &&
		    may_look_again(v, &tries))
			;
		if (is_stray(v->table, bucket, &is_empty))
			v->report.num_strays++;
		else
			num_leading += !is_empty;
	}
	return num_leading;
}

/* A torn slot may have been a live one or a free one. */
static bool
is_miscounted(const struct ocsp_table_report *report, uint32_t num_used)
{
	uint32_t num_live = report->num_good + report->num_lost;

	return num_used < num_live || num_used - num_live > report->num_torn;
}

enum oc_err
ocsp_table_verify(const struct ocsp_table *table,
    struct ocsp_table_report *report)
{
	struct verify v = { .table = table };
	struct table_header *header = table->header;
	uint32_t i, num_touched, num_leading;

	if (ocsp_table_check_header(header, table->map_len) != NULL)
		return OC_ERR_MALFORMED;
	num_touched = atomic_load(&header->num_touched);
	if (num_touched > table->num_slots)
		return OC_ERR_MALFORMED;
	for (i = 0; i < num_touched; i++)
		verify_slot(&v, i);
	num_leading = verify_index(&v);
	if ((atomic_load(&header->flags) & TABLE_OPEN) == 0) {
		if (num_leading > v.report.num_good + v.report.num_torn)
			v.report.num_strays += num_leading -
			    v.report.num_good - v.report.num_torn;
		v.report.is_miscounted = is_miscounted(&v.report,
		    atomic_load(&header->num_used));
	}
	*report = v.report;
	return OC_OK;
}
