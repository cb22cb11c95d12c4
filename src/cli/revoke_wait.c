/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert revoke --file: waits until responders say so, by what is in the tables
 * that they answer from.  Who else revokes meanwhile, and a service that starts
 * again, change nothing of that.
 */
#include "cli/revoke_many.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "cli/progress.h"
#include "ocsp/table.h"

#define LOOK_NS (500 * OC_NS_PER_MS)
/* Of these responses not one was signed: the token is away, or others' stand
 * before them. */
#define STUCK_NS (60 * OC_NS_PER_S)
/* A reload, or a role that starts again, is shorter. */
#define GONE_NS (10 * OC_NS_PER_S)

/* One table: what stands before next in the order is in it. */
struct watched {
	char path[PATH_MAX];
	uint32_t num, next;
	bool is_readable;
};

struct wait {
	const struct cli_revoke_plan *plan;
	struct cli_revoke_service *service;
	int64_t seq;
	uint32_t *order;		/* owned; of the plan's list */
	uint32_t num_order, num_new;	/* new: not revoked before */
	struct watched *tables;		/* owned */
	size_t num_tables;
	bool is_by_table;		/* all of them can be read */
	uint64_t num_all, num_left;	/* left: the least there was */
	int64_t moved_ns, there_ns;
};

/* Of what has expired there is no response. */
static enum oc_err
list_order(struct wait *w)
{
	const struct cli_revoke_plan *plan = w->plan;

	w->order = reallocarray(NULL, plan->list.num + (size_t)1,
	    sizeof(*w->order));
	if (w->order == NULL)
		return OC_ERR_NOMEM;
	for (uint32_t i = 0; i < plan->num_wanted; i++)
		if (plan->states[plan->order[i]] == CLI_REVOKE_WANTED)
			w->order[w->num_order++] = plan->order[i];
	w->num_new = w->num_order;
	for (uint32_t i = 0; i < plan->list.num; i++)
		if (plan->states[i] == CLI_REVOKE_DONE)
			w->order[w->num_order++] = i;
	return OC_OK;
}

static enum oc_err
list_tables(struct wait *w)
{
	const struct oc_config *config;
	enum oc_err err = cli_config(w->plan->cli, &config, NULL);

	if (err != OC_OK)
		return err;
	w->tables = calloc(config->num_ocsp + 1, sizeof(*w->tables));
	if (w->tables == NULL)
		return OC_ERR_NOMEM;
	for (size_t i = 0; i < config->num_ocsp; i++) {
		const struct oc_config_ocsp *ocsp = &config->ocsp[i];
		struct watched *t = &w->tables[w->num_tables];

		if (!cli_revoke_is_signed(w->plan, ocsp))
			continue;
		(void)snprintf(t->path, sizeof(t->path), "%s/%s.table",
		    config->daemon.table_directory, ocsp->name);
		/* What nobody asks about may have had its last response. */
		t->num = ocsp->presign == OC_PRESIGN_ALL ? w->num_order :
		    w->num_new;
		w->num_tables++;
	}
	return OC_OK;
}

/* Once the change is known there is nothing in it that was so before. */
static bool
is_said(const struct wait *w, const struct ocsp_table *table, uint32_t i)
{
	const struct cli_revoke_plan *plan = w->plan;
	struct ocsp_slot slot;

	return ocsp_table_find(table, &plan->list.serials[w->order[i]],
	    OCSP_ENCODING_USUAL, &slot) && (slot.status.kind ==
	    OCSP_REVOKED) == (plan->reason != CRL_REASON_REMOVE_FROM_CRL);
}

/* How many it lacks; from the first that it lacks on, or each of them. */
static uint32_t
look_at_table(struct wait *w, struct watched *t, bool is_exact)
{
	struct ocsp_table *table;
	uint32_t num = 0;

	t->is_readable = ocsp_table_open(t->path, &table, NULL) == OC_OK;
	if (!t->is_readable)
		return t->num - t->next;
	while (t->next < t->num && is_said(w, table, t->next))
		t->next++;
	for (uint32_t i = t->next; is_exact && i < t->num; i++)
		num += !is_said(w, table, i);
	ocsp_table_close(table);
	return is_exact ? num : t->num - t->next;
}

/* How many are not signed yet; where a table cannot be read, by what the
 * service says of all that is urgent. */
static uint64_t
count_left(struct wait *w, bool is_exact)
{
	uint64_t num = 0;

	w->is_by_table = w->num_tables > 0;
	for (size_t i = 0; i < w->num_tables; i++) {
		num += look_at_table(w, &w->tables[i], is_exact);
		if (!w->tables[i].is_readable)
			w->is_by_table = false;
	}
	if (w->is_by_table)
		return num;
	return w->service->is_there ? w->service->num_urgent : w->num_left;
}

static void
note_left(struct wait *w, uint64_t num, int64_t now_ns)
{
	if (num > w->num_all)
		w->num_all = num;
	if (num < w->num_left) {
		w->num_left = num;
		w->moved_ns = now_ns;
	}
}

static void
pause_a_while(void)
{
	const struct timespec pause = { 0, LOOK_NS };

	(void)nanosleep(&pause, NULL);
}

static void
say_left(struct wait *w, const char *why)
{
	oc_error_set(&w->service->notice, OC_ERR_TIMEOUT, "%llu responses are "
	    "not signed yet: %s", (unsigned long long)w->num_left, why);
}

/* True: it is not waited any longer. */
static bool
look(struct wait *w)
{
	struct cli_revoke_service *s = w->service;
	int64_t now_ns, seq = s->seq;

	cli_revoke_look(w->plan, s);
	now_ns = oc_clock_mono_ns();
	if (s->is_there)
		w->there_ns = now_ns;
	if (s->is_there && s->seq < w->seq) {
		if (s->seq > seq)
			w->moved_ns = now_ns;
	} else {
		note_left(w, count_left(w, false), now_ns);
		if (s->is_there && w->num_left == 0)
			return true;
	}
	if (now_ns - w->there_ns > GONE_NS) {
		note_left(w, count_left(w, true), now_ns);
		say_left(w, "ocsignd does not run");
		return true;
	}
	if (now_ns - w->moved_ns <= STUCK_NS)
		return false;
	/* Those that came out of their turn count, too. */
	note_left(w, count_left(w, true), now_ns);
	if (now_ns - w->moved_ns <= STUCK_NS)
		return false;
	say_left(w, "not one of them was in a minute; it goes on, see "
	    "\"ocsign status\"");
	return true;
}

enum oc_err
cli_revoke_wait(const struct cli_revoke_plan *plan, int64_t seq,
    struct cli_revoke_service *service, struct oc_error *error)
{
	struct wait w = { .plan = plan, .service = service, .seq = seq,
	    .num_left = UINT64_MAX, .moved_ns = oc_clock_mono_ns(),
	    .there_ns = oc_clock_mono_ns() };
	struct cli_progress progress;
	enum oc_err err = list_order(&w);

	if (err == OC_OK)
		err = list_tables(&w);
	if (err != OC_OK) {
		oc_error_set(error, err, "%s", oc_strerror(err));
	} else {
		cli_progress_start(&progress, "signed");
		while (!look(&w)) {
			if (w.num_left != UINT64_MAX)
				cli_progress_tell(&progress, w.num_all -
				    w.num_left, w.num_all);
			pause_a_while();
		}
		cli_progress_stop(&progress);
	}
	free(w.order);
	free(w.tables);
	return err;
}
