/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/prover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "issuer/service.h"
#include "proof/proof.h"
#include "store/acme.h"

/* An indexed question of the store's thread. */
#define LOOK_S 1
/* Taken on together: each is three questions. */
#define TAKEN_MAX 32
/* Of an account that has enough under way. */
#define POSTPONED_S 5
/* What the validator may take beyond [validation] timeout, to say that it
 * found no time. */
#define ASK_MARGIN_S 5
#define PRUNE_S 300
#define PRUNE_NUM 256
#define KEPT_S (30 * INT64_C(86400))

/* One challenge that is looked at. */
struct try {
	struct issuer_prover *prover;
	struct try *next;		/* of those taken on */
	struct store_job job;
	int64_t account_id;
	struct proof_try what;
	struct proof_wanted wanted;
	struct validation_reply reply;
	struct validation_ask *ask;
};

/* Accounts with something under way, and how much. */
struct counts {
	struct {
		int64_t id;
		uint32_t num;
	} accounts[PROVER_TRIES_MAX];
	uint32_t num_accounts;
	uint32_t num;			/* of all of them */
};

struct issuer_prover {
	struct issuer_service *service;
	const struct oc_config_validation *config;
	struct validation_client *client;
	struct event *tick, *readable;
	struct counts counts;
	bool is_kicked, was_away, is_ending;
	/* What looks and takes on; while is_looking the rest is its own. */
	bool is_looking;
	struct store_job job;
	struct counts before;		/* as it was when the job began */
	uint32_t num_due;		/* that it found */
	struct try *taken;

	int64_t prune_at;
	struct store_job prune;
	bool is_pruning;
};

static void look(struct issuer_prover *p);

/* --- accounts ----------------------------------------------------------- */

static uint32_t
find_account(const struct counts *c, int64_t id)
{
	uint32_t i = 0;

	while (i < c->num_accounts && c->accounts[i].id != id)
		i++;
	return i;
}

static void
count_in(struct counts *c, int64_t id)
{
	uint32_t i = find_account(c, id);

	oc_assert(c->num < PROVER_TRIES_MAX);
	if (i == c->num_accounts) {
		c->accounts[i].id = id;
		c->accounts[i].num = 0;
		c->num_accounts++;
	}
	c->accounts[i].num++;
	c->num++;
}

static void
count_out(struct counts *c, int64_t id)
{
	uint32_t i = find_account(c, id);

	oc_assert(i < c->num_accounts);
	c->num--;
	if (--c->accounts[i].num == 0)
		c->accounts[i] = c->accounts[--c->num_accounts];
}

/* --- one try ------------------------------------------------------------ */

static void
end_try(struct try *t)
{
	struct issuer_prover *p = t->prover;

	count_out(&p->counts, t->account_id);
	free(t);
}

static void
recorded(struct store_job *job, void *arg)
{
	struct try *t = arg;
	struct issuer_prover *p = t->prover;
	bool is_over = job->err == OC_ERR_CANCELLED;

	/* MISMATCH: it was given back, or has ended meanwhile. */
	if (job->err != OC_OK && job->err != OC_ERR_CANCELLED &&
	    job->err != OC_ERR_MISMATCH)
		oc_log(OC_LOG_WARNING, "the proof of %s is looked at again: "
		    "%s", t->wanted.name, job->error_text);
	end_try(t);		/* and the job */
	if (!is_over)
		issuer_prover_kick(p);
}

/* On the store's thread. */
static enum oc_err
record(struct store *store, void *arg)
{
	struct try *t = arg;

	return proof_record(store, t->prover->config, &t->what, &t->reply);
}

/* If the store does not take it, it is due again at claimed_until. */
static void
submit_record(struct try *t)
{
	t->job = (struct store_job){ .kind = STORE_JOB_CHANGE, .fn = record,
		.done = recorded, .arg = t };
	if (issuer_service_submit(t->prover->service, &t->job) != OC_OK)
		end_try(t);
}

/* Said once, and once more when it is there again. */
static void
note_away(struct issuer_prover *p, const struct validation_reply *reply)
{
	bool is_away = reply->fault == VALIDATION_OURS;

	if (p->is_ending)
		return;
	if (is_away && !p->was_away)
		oc_log(OC_LOG_WARNING, "proofs wait: %s", reply->seen);
	else if (!is_away && p->was_away)
		oc_log(OC_LOG_INFO, "proofs are looked at again");
	p->was_away = is_away;
}

static void
seen(void *arg, const struct validation_reply *reply)
{
	struct try *t = arg;

	t->ask = NULL;
	t->reply = *reply;
	note_away(t->prover, reply);
	submit_record(t);
}

static void
begin_try(struct try *t)
{
	struct issuer_prover *p = t->prover;
	const struct validation_question question =
	    proof_question(&t->wanted);
	enum oc_err err;

	count_in(&p->counts, t->account_id);
	err = validation_client_ask(p->client, &question,
	    oc_clock_mono_ns() + (p->config->timeout_s + ASK_MARGIN_S) *
	    OC_NS_PER_S, seen, t, &t->ask);
	if (err == OC_OK)
		return;
	t->reply.fault = err == OC_ERR_REFUSED ? VALIDATION_INCORRECT :
	    VALIDATION_OURS;
	snprintf(t->reply.seen, sizeof(t->reply.seen), "%s",
	    err == OC_ERR_REFUSED ? "no name that could be looked at" :
	    oc_strerror(err));
	submit_record(t);
}

/* --- taking them on ----------------------------------------------------- */

struct taking {
	struct issuer_prover *prover;
	struct store *store;
	int64_t now;
};

/* Of one account: those under way, and those taken just now. */
static bool
has_enough(const struct counts *c, int64_t account_id)
{
	uint32_t i = find_account(c, account_id);

	return i < c->num_accounts &&
	    c->accounts[i].num >= PROVER_ACCOUNT_MAX;
}

/* What there is to look for, now that it is somebody's. */
static enum oc_err
want(struct store *store, const struct store_authorization *a,
    struct proof_wanted *wanted)
{
	struct store_acme_account owner;
	enum oc_err err;

	if (a->acme_account_id == 0)
		return proof_want(a, &a->challenges[0], NULL, wanted);
	err = store_get_acme_account(store, a->acme_account_id, &owner);
	if (err == OC_OK && owner.state != STORE_ACME_VALID)
		err = OC_ERR_UNSUPPORTED;
	return err != OC_OK ? err : proof_want(a, &a->challenges[0],
	    owner.thumbprint, wanted);
}

/* Nobody will ever look at it. */
static enum oc_err
drop(struct taking *taking, const struct store_challenge *c)
{
	static const char problem[] = "{\"type\":\"urn:ietf:params:acme:"
	    "error:unauthorized\",\"detail\":\"the account is over\"}";
	const struct store_try result = { .id = c->id, .at = taking->now,
		.problem = problem };

	return store_fail_challenge(taking->store, &result);
}

static enum oc_err
take(struct taking *taking, const struct store_authorization *a)
{
	struct issuer_prover *p = taking->prover;
	const struct store_challenge *c = &a->challenges[0];
	struct try *t = calloc(1, sizeof(*t));
	enum oc_err err;

	if (t == NULL)
		return OC_ERR_NOMEM;
	t->prover = p;
	t->account_id = a->account_id;
	err = want(taking->store, a, &t->wanted);
	if (err == OC_OK)
		err = proof_take(taking->store, p->config, c, taking->now,
		    &t->what);
	if (err == OC_OK) {
		t->next = p->taken;
		p->taken = t;
		count_in(&p->before, t->account_id);
		return OC_OK;
	}
	free(t);
	return err == OC_ERR_UNSUPPORTED || err == OC_ERR_LIMIT ?
	    drop(taking, c) : err == OC_ERR_MISMATCH ? OC_OK : err;
}

/* Read first: a walk's rows are not to be changed under it. */
struct due {
	struct store_authorization rows[TAKEN_MAX];
	uint32_t num;
};

static enum oc_err
note_due(void *arg, const struct store_authorization *a)
{
	struct due *due = arg;

	due->rows[due->num++] = *a;
	return OC_OK;
}

static enum oc_err
take_all(struct taking *taking, const struct due *due)
{
	enum oc_err err = OC_OK;

	for (uint32_t i = 0; err == OC_OK && i < due->num; i++) {
		const struct store_authorization *a = &due->rows[i];

		if (!has_enough(&taking->prover->before,
		    a->account_id))
			err = take(taking, a);
		else
			err = store_claim_challenge(taking->store,
			    a->challenges[0].id, a->challenges[0].next_try_at,
			    taking->now + POSTPONED_S);
		if (err == OC_ERR_MISMATCH)
			err = OC_OK;
	}
	return err;
}

/* On the store's thread: one transaction, all or nothing. */
static enum oc_err
take_due(struct store *store, void *arg)
{
	struct issuer_prover *p = arg;
	struct taking taking = { .prover = p, .store = store,
		.now = oc_clock_now_s() };
	uint32_t room = PROVER_TRIES_MAX - p->before.num;
	struct due *due = calloc(1, sizeof(*due));
	enum oc_err err;

	if (due == NULL)
		return OC_ERR_NOMEM;
	err = store_list_due_challenges(store, taking.now, taking.now,
	    room < TAKEN_MAX ? room : TAKEN_MAX, note_due, due);
	if (err == OC_OK)
		err = take_all(&taking, due);
	p->num_due = due->num;
	free(due);
	return err;
}

static void
taken(struct store_job *job, void *arg)
{
	struct issuer_prover *p = arg;
	struct try *t;

	p->is_looking = false;
	if (job->err != OC_OK && job->err != OC_ERR_CANCELLED)
		oc_log(OC_LOG_WARNING, "challenges: %s", job->error_text);
	while ((t = p->taken) != NULL) {
		p->taken = t->next;
		if (job->err == OC_OK)
			begin_try(t);
		else
			free(t);
	}
	/* There may be more. */
	if (job->err == OC_OK && (p->is_kicked || p->num_due > 0))
		look(p);
}

/* --- looking ------------------------------------------------------------ */

static enum oc_err
note_any(void *arg, const struct store_authorization *a)
{
	(void)a;
	*(uint32_t *)arg = 1;
	return OC_OK;
}

/* On the store's thread: nothing to do is what it mostly is, and costs no
 * lock. */
static enum oc_err
look_for_due(struct store *store, void *arg)
{
	struct issuer_prover *p = arg;
	int64_t now = oc_clock_now_s();

	p->num_due = 0;
	return store_list_due_challenges(store, now, now, 1, note_any,
	    &p->num_due);
}

static void
submit(struct issuer_prover *p, enum store_job_kind kind, store_job_fn *fn,
    store_job_done_fn *done)
{
	p->job = (struct store_job){ .kind = kind, .fn = fn, .done = done,
		.arg = p };
	p->is_looking = issuer_service_submit(p->service, &p->job) == OC_OK;
}

static void
looked(struct store_job *job, void *arg)
{
	struct issuer_prover *p = arg;

	p->is_looking = false;
	if (job->err != OC_OK || p->num_due == 0)
		return;
	p->before = p->counts;
	submit(p, STORE_JOB_CHANGE, take_due, taken);
}

/* Whoever ends looks again, so that what finds no room waits for it. */
static void
look(struct issuer_prover *p)
{
	if (p->is_looking || p->counts.num == PROVER_TRIES_MAX)
		return;
	p->is_kicked = false;
	submit(p, STORE_JOB_READ, look_for_due, looked);
}

void
issuer_prover_kick(struct issuer_prover *p)
{
	if (p == NULL)
		return;
	p->is_kicked = true;
	look(p);
}

/* --- what ended long ago ------------------------------------------------ */

static enum oc_err
prune(struct store *store, void *arg)
{
	uint32_t num;

	(void)arg;
	return store_prune_challenges(store, oc_clock_now_s() - KEPT_S,
	    PRUNE_NUM, &num);
}

static void
pruned(struct store_job *job, void *arg)
{
	struct issuer_prover *p = arg;

	p->is_pruning = false;
	if (job->err != OC_OK && job->err != OC_ERR_CANCELLED)
		oc_log(OC_LOG_WARNING, "old proofs: %s", job->error_text);
}

static void
prune_if_due(struct issuer_prover *p)
{
	int64_t now = oc_clock_now_s();

	if (p->is_pruning || now < p->prune_at)
		return;
	p->prune_at = now + PRUNE_S;
	p->prune = (struct store_job){ .kind = STORE_JOB_CHANGE, .fn = prune,
		.done = pruned, .arg = p };
	p->is_pruning = issuer_service_submit(p->service, &p->prune) ==
	    OC_OK;
}

/* --- start and end ------------------------------------------------------ */

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct issuer_prover *p = arg;

	(void)fd, (void)what;
	look(p);
	prune_if_due(p);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	validation_client_dispatch(((struct issuer_prover *)arg)->client);
}

static enum oc_err
add_events(struct issuer_prover *p)
{
	const struct timeval every = { LOOK_S, 0 };
	struct event_base *base = issuer_service_base(p->service);

	p->tick = event_new(base, -1, EV_PERSIST, on_tick, p);
	p->readable = event_new(base, validation_client_fd(p->client),
	    EV_READ | EV_PERSIST, on_readable, p);
	if (p->tick == NULL || p->readable == NULL ||
	    event_add(p->readable, NULL) != 0 ||
	    event_add(p->tick, &every) != 0)
		return OC_ERR_NOMEM;
	event_active(p->tick, EV_TIMEOUT, 0);
	return OC_OK;
}

static enum oc_err
open_client(struct issuer_prover *p)
{
	const struct oc_config *config = issuer_service_config(p->service);
	enum oc_err err;
	char *path;

	if (asprintf(&path, "%s/" VALIDATION_SOCKET_NAME,
	    config->daemon.run_directory) < 0)
		return OC_ERR_NOMEM;
	err = validation_client_new(path, &p->client);
	free(path);
	return err;
}

enum oc_err
issuer_prover_new(struct issuer_service *service,
    struct issuer_prover **prover, struct oc_error *error)
{
	const struct oc_config *config = issuer_service_config(service);
	struct issuer_prover *p;
	enum oc_err err;

	*prover = NULL;
	if (!config->has_validation)
		return OC_OK;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	p->service = service;
	p->config = &config->validation;
	p->prune_at = oc_clock_now_s() + PRUNE_S;
	err = open_client(p);
	if (err == OC_OK)
		err = add_events(p);
	if (err != OC_OK) {
		issuer_prover_free(p);
		return oc_error_set(error, err, "proofs: %s",
		    oc_strerror(err));
	}
	*prover = p;
	return OC_OK;
}

struct validation_client *
issuer_prover_client(struct issuer_prover *prover)
{
	return prover->client;
}

/* What is asked, is answered for the last time: it is recorded no more, and due
 * again after the claim. */
void
issuer_prover_free(struct issuer_prover *p)
{
	if (p == NULL)
		return;
	p->is_ending = true;
	if (p->tick != NULL)
		event_free(p->tick);
	if (p->readable != NULL)
		event_free(p->readable);
	validation_client_free(p->client);
	free(p);
}
