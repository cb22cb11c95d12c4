/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loop sees of it.  The mutex guards what both threads touch: each
 * member's part below the line, and whose the batch is.
 */
#include "status/share_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

/* --- start --------------------------------------------------------------- */

static void
name_host(char host[STORE_HOST_MAX + 1])
{
	char name[64];

	if (gethostname(name, sizeof(name)) != 0)
		strcpy(name, "?");
	name[sizeof(name) - 1] = '\0';
	snprintf(host, STORE_HOST_MAX + 1, "%s[%ld]", name, (long)getpid());
}

enum oc_err
status_share_new(const char *where, struct status_share **out,
    struct oc_error *error)
{
	struct status_share *share = calloc(1, sizeof(*share));

	if (share == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	pthread_mutex_init(&share->mutex, NULL);
	status_share_init_wake(share);
	name_host(share->host);
	share->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	share->where = strdup(where);
	share->raw = calloc(STATUS_SHARE_ROWS, sizeof(*share->raw));
	share->put = calloc(STORE_SHARED_NUM_MAX, sizeof(*share->put));
	share->rows = calloc(STATUS_SHARE_ROWS, sizeof(*share->rows));
	if (share->event_fd < 0 || share->where == NULL ||
	    share->raw == NULL || share->put == NULL || share->rows == NULL ||
	    getrandom(share->holder, STORE_HOLDER_LEN, 0) != STORE_HOLDER_LEN) {
		status_share_free(share);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	*out = share;
	return OC_OK;
}

enum oc_err
status_share_join(struct status_share *share,
    const struct status_member_plan *plan, struct status_member **out,
    struct oc_error *error)
{
	struct status_member *m = calloc(1, sizeof(*m));
	struct status_member **members = reallocarray(share->members,
	    share->num_members + 1, sizeof(struct status_member *));
	enum oc_err err;

	oc_assert(!share->is_started);
	if (members != NULL)
		share->members = members;
	if (m == NULL || members == NULL) {
		free(m);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	m->share = share;
	m->plan = *plan;
	err = status_shared_verifier_new(plan->ocsp, plan->identity,
	    &m->verifier, error);
	if (err == OC_OK && status_shared_context(plan->identity, plan->ocsp,
	    plan->store_id, m->name) != OC_OK)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (err != OC_OK) {
		status_shared_verifier_free(m->verifier);
		free(m);
		return err;
	}
	m->lease.begun_ms = oc_clock_boot_ms();
	share->members[share->num_members++] = m;
	*out = m;
	return OC_OK;
}

enum oc_err
status_share_start(struct status_share *share, struct oc_error *error)
{
	errno = oc_thread_start(&share->thread, status_share_main, share);
	if (errno != 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM,
		    "cannot start the thread that shares responses");
	share->is_started = true;
	return OC_OK;
}

void
status_share_free(struct status_share *share)
{
	if (share == NULL)
		return;
	if (share->is_started) {
		pthread_mutex_lock(&share->mutex);
		share->is_stopping = true;
		pthread_cond_signal(&share->wake);
		pthread_mutex_unlock(&share->mutex);
		pthread_join(share->thread, NULL);
	}
	for (uint32_t i = 0; i < share->num_members; i++) {
		status_shared_verifier_free(share->members[i]->verifier);
		free(share->members[i]->out);
		free(share->members[i]);
	}
	if (share->event_fd >= 0)
		close(share->event_fd);
	pthread_cond_destroy(&share->wake);
	pthread_mutex_destroy(&share->mutex);
	free(share->members);
	free(share->where);
	free(share->raw);
	free(share->put);
	free(share->rows);
	free(share);
}

/* --- the batch ----------------------------------------------------------- */

int
status_share_fd(const struct status_share *share)
{
	return share->event_fd;
}

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
hand_back(struct status_share *share, enum status_share_stage stage)
{
	pthread_mutex_lock(&share->mutex);
	share->stage = stage;
	pthread_cond_signal(&share->wake);
	pthread_mutex_unlock(&share->mutex);
}

/* It is, or is to be dropped. */
static bool
is_any_marked(const struct status_share *share)
{
	for (uint32_t i = 0; i < share->num_rows; i++)
		if (share->rows[i].is_wanted || share->rows[i].is_refused)
			return true;
	return false;
}

/* Nobody but the loop's thread has rows in these two stages. */
void
status_share_dispatch(struct status_share *share)
{
	struct status_share_batch batch = { .rows = share->rows };
	const struct status_member *m;
	enum status_share_stage stage;
	uint64_t count;

	(void)!read(share->event_fd, &count, sizeof(count));
	stage = stage_of(share);
	if (stage != STATUS_SHARE_FILLED && stage != STATUS_SHARE_VERIFIED)
		return;
	m = share->of;
	batch.num = share->num_rows;
	batch.is_look = share->is_look;
	if (stage == STATUS_SHARE_FILLED) {
		batch.step = STATUS_SHARE_MARK;
		batch.is_last_call = oc_clock_boot_ms() - share->filled_ms >
		    STATUS_SHARE_WAIT_MS;
		if (!m->plan.fn(m->plan.arg, &batch) && !batch.is_last_call)
			return;
		if (is_any_marked(share)) {
			hand_back(share, STATUS_SHARE_MARKED);
			return;
		}
	}
	batch.step = STATUS_SHARE_TAKE;
	(void)m->plan.fn(m->plan.arg, &batch);
	hand_back(share, STATUS_SHARE_TAKEN);
}

/* --- members ------------------------------------------------------------- */

void
status_member_say(struct status_member *m, enum status_fitness fitness)
{
	pthread_mutex_lock(&m->share->mutex);
	m->fitness = fitness;
	m->said_ms = oc_clock_boot_ms();
	pthread_mutex_unlock(&m->share->mutex);
}

/* Mutex held. */
static bool
make_room(struct status_member *m)
{
	uint32_t max = m->out_max * 2 + 64;
	struct store_shared *out;

	if (m->num_out < m->out_max)
		return true;
	if (max > STATUS_SHARE_OUT_MAX)
		max = STATUS_SHARE_OUT_MAX;
	if (m->num_out >= max)
		return false;
	out = reallocarray(m->out, max, sizeof(*out));
	if (out == NULL)
		return false;
	m->out = out;
	m->out_max = max;
	return true;
}

bool
status_member_offer(struct status_member *m, const struct ocsp_slot *slot,
    int64_t change_seq)
{
	struct store_shared row;
	bool is_taken;

	if (status_shared_write(slot, change_seq, &row) != OC_OK)
		return true;
	pthread_mutex_lock(&m->share->mutex);
	is_taken = make_room(m);
	if (is_taken) {
		m->out[m->num_out++] = row;
		pthread_cond_signal(&m->share->wake);
	}
	pthread_mutex_unlock(&m->share->mutex);
	return is_taken;
}

bool
status_member_look(struct status_member *m, const struct oc_serial *serial,
    uint8_t encoding)
{
	struct store_shared row;
	struct status_look *look;
	bool is_taken;

	status_shared_name(serial, encoding, &row);
	pthread_mutex_lock(&m->share->mutex);
	is_taken = m->num_looks < STATUS_SHARE_LOOKS &&
	    status_lease_lead(&m->lease, oc_clock_boot_ms()) !=
	    STATUS_LEAD_ALONE;
	if (is_taken) {
		look = &m->looks[m->num_looks++];
		memcpy(look->name, row.name, row.name_len);
		look->name_len = row.name_len;
		pthread_cond_signal(&m->share->wake);
	}
	pthread_mutex_unlock(&m->share->mutex);
	return is_taken;
}

/* Mutex held. */
static enum status_lead
lead_of(const struct status_member *m)
{
	enum status_lead lead = status_lease_lead(&m->lease,
	    oc_clock_boot_ms());

	return lead == STATUS_LEAD_LEADS && !m->is_caught_up ?
	    STATUS_LEAD_FOLLOWS : lead;
}

enum status_lead
status_member_lead(struct status_member *m)
{
	enum status_lead lead;

	pthread_mutex_lock(&m->share->mutex);
	lead = lead_of(m);
	pthread_mutex_unlock(&m->share->mutex);
	return lead;
}

void
status_member_state(struct status_member *m, struct status_member_state *out)
{
	pthread_mutex_lock(&m->share->mutex);
	*out = (struct status_member_state){
		.lead = lead_of(m),
		.num_leads = m->num_leads,
		.num_rows = m->num_counted,
		.num_room = STATUS_SHARE_OUT_MAX - m->num_out,
		.num_shared = m->num_shared,
		.num_refused = m->num_refused,
	};
	snprintf(out->leader, sizeof(out->leader), "%s", m->leader);
	snprintf(out->error, sizeof(out->error), "%s", m->share->error);
	pthread_mutex_unlock(&m->share->mutex);
}
