/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that shares responses.  In each turn, for each member: its lease,
 * what is to be put there, what was looked for or is new.  One batch goes to
 * and fro between it and the loop; meanwhile leases are prolonged.
 *
 * A turn ends with the first question that fails: what was to be told is told
 * in the next, and whoever has heard nothing for a while is alone.
 */
#include "status/share_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define POLL_MS 200
/* After a failure, and while there is no store to be opened. */
#define RETRY_MS 500
#define REOPEN_MS 2000
/* A loop that has said nothing for so long hangs, or was stopped. */
#define SAID_MS 2000
#define BUSY_MS 1000
/* Looked at for what has ended, and how often. */
#define PRUNE_NUM 8192
#define PRUNE_EVERY_MS 10000
#define PRUNE_CONTEXTS_EVERY_MS 600000
#define LOOKS_AT_ONCE 64

void
status_share_init_wake(struct status_share *share)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&share->wake, &attr);
	pthread_condattr_destroy(&attr);
}

static void
tell_loop(struct status_share *share)
{
	const uint64_t one = 1;

	/* Cannot fail: the counter is far from its limit. */
	oc_assert(write(share->event_fd, &one, sizeof(one)) == sizeof(one));
}

/* What the database answered to what was asked at asked_ms. */
static void
note_contact(struct status_member *m, int64_t asked_ms)
{
	pthread_mutex_lock(&m->share->mutex);
	status_lease_contact(&m->lease, asked_ms);
	m->share->error[0] = '\0';
	pthread_mutex_unlock(&m->share->mutex);
}

static void
note_failure(struct status_share *share, const char *text)
{
	pthread_mutex_lock(&share->mutex);
	snprintf(share->error, sizeof(share->error), "%s", text);
	pthread_mutex_unlock(&share->mutex);
}

/* --- the lease ----------------------------------------------------------- */

/* False: the service does not know enough yet. */
static bool
say_wish(struct status_member *m, int64_t now_ms,
    struct store_lease_wish *wish)
{
	enum status_fitness fitness;
	bool is_alive;

	pthread_mutex_lock(&m->share->mutex);
	fitness = m->fitness;
	is_alive = now_ms - m->said_ms <= SAID_MS;
	pthread_mutex_unlock(&m->share->mutex);
	*wish = (struct store_lease_wish){ m->share->holder, m->share->host,
	    STATUS_LEASE_MS, -1 };
	/* Whom a loop that hangs has kept it for, may not have it longer; it
	 * is given back by whoever lives. */
	if (is_alive && fitness == STATUS_FIT)
		wish->patience_ms = 0;
	else if (is_alive && fitness == STATUS_UNFIT && !m->is_leading)
		wish->patience_ms = STATUS_LEASE_UNFIT_MS;
	return fitness != STATUS_UNREADY;
}

/* What is there when it begins to lead, it has read before it signs. */
static enum oc_err
begin_to_lead(struct status_member *m)
{
	int64_t num = 0;
	enum oc_err err = store_share_count(m->share->store, m->id, &num);

	m->reach_seq = m->seq;
	pthread_mutex_lock(&m->share->mutex);
	m->num_leads++;
	m->num_counted = num;
	pthread_mutex_unlock(&m->share->mutex);
	return err;
}

static enum oc_err
renew_lease(struct status_member *m)
{
	int64_t asked_ms = oc_clock_boot_ms();
	struct store_lease_wish wish;
	struct store_lease lease = { .is_ours = false };
	enum oc_err err;

	if (asked_ms < m->lease_at_ms || !say_wish(m, asked_ms, &wish))
		return OC_OK;
	err = store_share_lease(m->share->store, m->id, &wish, &lease);
	if (err != OC_OK)
		return err;
	m->lease_at_ms = asked_ms + STATUS_LEASE_EVERY_MS;
	m->seq = lease.seq;
	if (lease.is_ours && !m->is_leading)
		err = begin_to_lead(m);
	m->is_leading = lease.is_ours;
	pthread_mutex_lock(&m->share->mutex);
	status_lease_answer(&m->lease, asked_ms, lease.is_ours);
	m->is_caught_up = m->is_leading && m->read_seq >= m->reach_seq;
	snprintf(m->leader, sizeof(m->leader), "%s", lease.is_held ?
	    lease.host : "");
	m->share->error[0] = '\0';
	pthread_mutex_unlock(&m->share->mutex);
	return err;
}

/* --- out ----------------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	const struct store_shared *x = a, *y = b;
	size_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = memcmp(x->name, y->name, len);

	if (order != 0)
		return order;
	if (x->name_len != y->name_len)
		return x->name_len < y->name_len ? -1 : 1;
	if (x->change_seq != y->change_seq)
		return x->change_seq < y->change_seq ? -1 : 1;
	return x->next_update < y->next_update ? -1 :
	    x->next_update > y->next_update;
}

/* In order, and of those with the same name the newest. */
static uint32_t
sort(struct store_shared *rows, uint32_t num)
{
	uint32_t n = 0;

	qsort(rows, num, sizeof(*rows), compare);
	for (uint32_t i = 0; i < num; i++) {
		if (n > 0 && rows[n - 1].name_len == rows[i].name_len &&
		    memcmp(rows[n - 1].name, rows[i].name,
		    rows[i].name_len) == 0)
			n--;
		rows[n++] = rows[i];
	}
	return n;
}

/* What is put stays in line until it is there. */
static enum oc_err
put_some(struct status_member *m, uint32_t *num_left)
{
	struct status_share *share = m->share;
	struct store_shared *rows = share->put;
	int64_t seq = 0;
	uint32_t num, num_rows;
	enum oc_err err;

	pthread_mutex_lock(&share->mutex);
	num = m->num_out < STORE_SHARED_NUM_MAX ? m->num_out :
	    STORE_SHARED_NUM_MAX;
	if (num > 0)
		memcpy(rows, m->out, num * sizeof(*rows));
	pthread_mutex_unlock(&share->mutex);
	*num_left = 0;
	if (num == 0)
		return OC_OK;
	num_rows = sort(rows, num);
	err = store_share_put(share->store, m->id, rows, num_rows, &seq);
	if (err != OC_OK)
		return err;
	/* Nobody else has put anything since we read. */
	if (seq == m->read_seq + 1)
		m->read_seq = seq;
	if (m->seq < seq)
		m->seq = seq;
	pthread_mutex_lock(&share->mutex);
	*num_left = m->num_out -= num;
	memmove(m->out, m->out + num, m->num_out * sizeof(*rows));
	m->num_shared += num_rows;
	pthread_mutex_unlock(&share->mutex);
	return OC_OK;
}

/* All that is in line, but not what comes meanwhile for ever. */
static enum oc_err
put_out(struct status_member *m)
{
	uint32_t num_left = 1;
	enum oc_err err = OC_OK;

	for (uint32_t i = 0; err == OC_OK && num_left > 0 &&
	    i < STATUS_SHARE_OUT_MAX / STORE_SHARED_NUM_MAX; i++)
		err = put_some(m, &num_left);
	return err;
}

/* --- in ------------------------------------------------------------------ */

static enum status_share_stage
stage_of(struct status_share *share)
{
	enum status_share_stage stage;

	pthread_mutex_lock(&share->mutex);
	stage = share->stage;
	pthread_mutex_unlock(&share->mutex);
	return stage;
}

static void
hand_over(struct status_share *share, enum status_share_stage stage)
{
	pthread_mutex_lock(&share->mutex);
	share->stage = stage;
	share->filled_ms = oc_clock_boot_ms();
	pthread_mutex_unlock(&share->mutex);
	tell_loop(share);
}

static void
note_refused(struct status_member *m, uint32_t num)
{
	if (num == 0)
		return;
	pthread_mutex_lock(&m->share->mutex);
	m->num_refused += num;
	pthread_mutex_unlock(&m->share->mutex);
	oc_log(OC_LOG_WARNING, "issuer %s: %u shared responses are damaged, "
	    "not signed by its key, or good of what is revoked: dropped; see "
	    "who else may write to the database", m->plan.ocsp->name, num);
}

/* False: it has no name, and is nobody's. */
static bool
read_row(const struct status_member *m, const struct store_shared *raw,
    bool is_sought, struct status_shared *row)
{
	*row = (struct status_shared){ .change_seq = raw->change_seq };
	if (!status_shared_read_name(raw, &row->slot))
		return false;
	if (is_sought && raw->seq == 0)
		return true;
	row->is_there = status_shared_read(m->plan.identity, raw,
	    &row->slot) == OC_OK;
	row->is_refused = !row->is_there;
	return true;
}

/* Reads raw into rows. */
static void
read_rows(struct status_member *m, uint32_t num, bool is_look)
{
	struct status_share *share = m->share;
	uint32_t num_rows = 0;

	for (uint32_t i = 0; i < num; i++)
		if (read_row(m, &share->raw[i], is_look,
		    &share->rows[num_rows]))
			share->raw[num_rows++] = share->raw[i];
	share->of = m;
	share->num_rows = num_rows;
	share->is_look = is_look;
}

static uint32_t
take_looks(struct status_member *m)
{
	struct status_share *share = m->share;
	uint32_t num, i;

	pthread_mutex_lock(&share->mutex);
	num = m->num_looks < LOOKS_AT_ONCE ? m->num_looks : LOOKS_AT_ONCE;
	for (i = 0; i < num; i++) {
		share->raw[i] = (struct store_shared){
			.name_len = m->looks[i].name_len };
		memcpy(share->raw[i].name, m->looks[i].name,
		    m->looks[i].name_len);
	}
	m->num_looks -= num;
	memmove(m->looks, m->looks + num, m->num_looks * sizeof(*m->looks));
	pthread_mutex_unlock(&share->mutex);
	return num;
}

/* Who looked and is not answered signs by itself after a moment. */
static enum oc_err
look(struct status_member *m, bool *is_filled)
{
	uint32_t num = take_looks(m);
	enum oc_err err;

	*is_filled = false;
	if (num == 0)
		return OC_OK;
	err = store_share_find(m->share->store, m->id, m->share->raw, num);
	if (err != OC_OK)
		return err;
	read_rows(m, num, true);
	*is_filled = true;
	hand_over(m->share, STATUS_SHARE_FILLED);
	return OC_OK;
}

static void
note_read(struct status_member *m, int64_t seq)
{
	m->read_seq = seq;
	pthread_mutex_lock(&m->share->mutex);
	m->is_caught_up = m->is_leading && m->read_seq >= m->reach_seq;
	pthread_mutex_unlock(&m->share->mutex);
}

/* Up to m->seq.  What was there is gone if there are fewer. */
static enum oc_err
read_new(struct status_member *m, bool *is_filled)
{
	struct status_share *share = m->share;
	uint32_t num = 0;
	enum oc_err err;

	*is_filled = false;
	err = store_share_read(share->store, m->id, m->read_seq, share->raw,
	    STATUS_SHARE_ROWS, &num);
	if (err != OC_OK)
		return err;
	share->last_seq = num > 0 ? share->raw[num - 1].seq : m->seq;
	if (m->seq < share->last_seq)
		m->seq = share->last_seq;
	read_rows(m, num, false);
	if (num == 0 || share->num_rows == 0) {
		note_read(m, share->last_seq);
		return OC_OK;
	}
	*is_filled = true;
	hand_over(share, STATUS_SHARE_FILLED);
	return OC_OK;
}

/* The loop has said what it wants of it.  What is dropped is gone before it is
 * told, and may offer a true one. */
static enum oc_err
verify_batch(struct status_share *share)
{
	struct status_member *m = share->of;
	uint32_t num_bad = 0;
	enum oc_err err = OC_OK;

	status_shared_verify(m->verifier, share->rows, share->num_rows);
	for (uint32_t i = 0; i < share->num_rows; i++) {
		struct status_shared *row = &share->rows[i];

		row->is_refused |= row->is_wanted && !row->is_good;
		if (row->is_refused)
			share->raw[num_bad++] = share->raw[i];
	}
	note_refused(m, num_bad);
	if (num_bad > 0)
		err = store_share_drop(share->store, m->id, share->raw,
		    num_bad);
	hand_over(share, STATUS_SHARE_VERIFIED);
	return err;
}

static void
end_batch(struct status_share *share)
{
	if (!share->is_look)
		note_read(share->of, share->last_seq);
	pthread_mutex_lock(&share->mutex);
	share->stage = STATUS_SHARE_FREE;
	pthread_mutex_unlock(&share->mutex);
}

static enum oc_err
go_on_with_batch(struct status_share *share)
{
	switch (stage_of(share)) {
	case STATUS_SHARE_FREE:
	case STATUS_SHARE_FILLED:
	case STATUS_SHARE_VERIFIED:
		break;
	case STATUS_SHARE_MARKED:
		return verify_batch(share);
	case STATUS_SHARE_TAKEN:
		end_batch(share);
		break;
	}
	return OC_OK;
}

/* --- a turn -------------------------------------------------------------- */

static enum oc_err
prune(struct status_member *m, int64_t now_ms)
{
	struct status_share *share = m->share;
	enum oc_err err = OC_OK;

	if (!m->is_leading || now_ms < m->prune_at_ms)
		return OC_OK;
	m->prune_at_ms = now_ms + PRUNE_EVERY_MS;
	err = store_share_prune(share->store, m->id, PRUNE_NUM,
	    &m->prune_seq);
	if (err == OC_OK && now_ms >= share->prune_at_ms) {
		share->prune_at_ms = now_ms + PRUNE_CONTEXTS_EVERY_MS;
		err = store_share_prune_contexts(share->store, PRUNE_NUM);
	}
	return err;
}

/* What is new is asked in any case: it is what tells that somebody answers. */
static enum oc_err
look_for_news(struct status_member *m)
{
	int64_t asked_ms = oc_clock_boot_ms();
	enum oc_err err = store_share_seq(m->share->store, m->id, &m->seq);

	if (err == OC_OK && m->read_seq > m->seq)
		m->read_seq = 0;	/* another context by that number */
	if (err == OC_OK)
		note_contact(m, asked_ms);
	return err;
}

static enum oc_err
fill(struct status_member *m, bool *is_filled)
{
	enum status_fitness fitness;
	enum oc_err err;

	pthread_mutex_lock(&m->share->mutex);
	fitness = m->fitness;
	pthread_mutex_unlock(&m->share->mutex);
	if (fitness == STATUS_UNREADY)
		return OC_OK;
	err = look(m, is_filled);
	if (err == OC_OK && !*is_filled && m->read_seq < m->seq)
		err = read_new(m, is_filled);
	return err;
}

static enum oc_err
serve_member(struct status_member *m, bool *is_filled)
{
	enum oc_err err = OC_OK;

	*is_filled = false;
	if (m->id == 0)
		err = store_share_find_context(m->share->store, m->name,
		    &m->id);
	if (err == OC_OK)
		err = renew_lease(m);
	if (err == OC_OK)
		err = put_out(m);
	if (err == OC_OK)
		err = look_for_news(m);
	/* One batch at a time. */
	if (err == OC_OK && stage_of(m->share) == STATUS_SHARE_FREE)
		err = fill(m, is_filled);
	if (err == OC_OK)
		err = prune(m, oc_clock_boot_ms());
	if (err == OC_ERR_NOT_FOUND)	/* nobody used it for long */
		m->id = 0;
	return err;
}

static enum oc_err
open_store(struct status_share *share)
{
	struct oc_error error = { 0 };
	enum oc_err err;

	if (share->store != NULL)
		return OC_OK;
	err = store_open(share->where, STORE_SHARE, &share->store, &error);
	if (err != OC_OK) {
		note_failure(share, error.text);
		return err;
	}
	store_set_busy_timeout(share->store, BUSY_MS);
	return OC_OK;
}

/* Each member is served once; who could read is the last one next time. */
static enum oc_err
take_turn(struct status_share *share)
{
	uint32_t first = share->next_member, i;
	bool is_filled = false;
	enum oc_err err;

	err = open_store(share);
	if (err != OC_OK)
		return err;
	err = go_on_with_batch(share);
	for (i = 0; err == OC_OK && i < share->num_members; i++) {
		uint32_t n = (first + i) % share->num_members;

		err = serve_member(share->members[n], &is_filled);
		if (is_filled)
			share->next_member = (n + 1) % share->num_members;
	}
	if (err != OC_OK)
		note_failure(share, store_error(share->store));
	return err;
}

/* Mutex held.  What the loop has for us. */
static bool
has_work(const struct status_share *share)
{
	bool is_free = share->stage == STATUS_SHARE_FREE;

	if (share->stage == STATUS_SHARE_MARKED ||
	    share->stage == STATUS_SHARE_TAKEN)
		return true;
	for (uint32_t i = 0; i < share->num_members; i++)
		if (share->members[i]->num_out > 0 ||
		    (share->members[i]->num_looks > 0 && is_free))
			return true;
	return false;
}

/* False: stop. */
static bool
wait_work(struct status_share *share, int wait_ms, bool has_failed)
{
	struct timespec until;
	bool goes_on;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * OC_NS_PER_MS;
	if (until.tv_nsec >= OC_NS_PER_S) {
		until.tv_nsec -= OC_NS_PER_S;
		until.tv_sec++;
	}
	pthread_mutex_lock(&share->mutex);
	while (rc != ETIMEDOUT && !share->is_stopping &&
	    (has_failed || !has_work(share)))
		rc = pthread_cond_timedwait(&share->wake, &share->mutex,
		    &until);
	goes_on = !share->is_stopping;
	pthread_mutex_unlock(&share->mutex);
	return goes_on;
}

/* Somebody may lead at once. */
static void
give_back(struct status_share *share)
{
	for (uint32_t i = 0; i < share->num_members; i++) {
		struct status_member *m = share->members[i];
		const struct store_lease_wish wish = { share->holder,
		    share->host, STATUS_LEASE_MS, -1 };
		struct store_lease lease;

		if (m->is_leading && store_share_lease(share->store, m->id,
		    &wish, &lease) != OC_OK)
			return;
	}
}

void *
status_share_main(void *arg)
{
	struct status_share *share = arg;
	enum oc_err err;

	do {
		err = take_turn(share);
	} while (wait_work(share, err == OC_OK ? POLL_MS : share->store !=
	    NULL ? RETRY_MS : REOPEN_MS, err != OC_OK));
	if (err == OC_OK)
		give_back(share);
	store_close(share->store);
	share->store = NULL;
	return NULL;
}
