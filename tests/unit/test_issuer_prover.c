/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is each challenge that is due looked at, by one of those that look, for what
 * it is; is what was seen recorded; and does nobody wait for dead servers?  The
 * validator is the real one's answering end, with lookers of the test's.
 */
#include "store_proof.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <event2/event.h>

#include "acme/jws.h"
#include "base/log.h"
#include "issuer/prover.h"
#include "issuer/service.h"
#include "proof/proof.h"
#include "validation/service.h"

/* --- a validator -------------------------------------------------------- */

#define ASKED_MAX 4096

struct world {
	struct fixture *f;
	struct event_base *base;
	struct oc_config *config;
	struct validation_service *validator;
	struct validation_counts counts;
	struct issuer_service *services[2];
	struct asked {
		enum validation_task task;
		char name[64], prefix[32], path[96], expected[128];
	} asked[ASKED_MAX];
	uint32_t num_asked, num_seen;
	int64_t account;
};

/* By the name's first label: "good" is there, "gone" is not yet, "wrong" never
 * will be, "ours" nobody can say, "dead" takes all the time there is. */
struct validation_looking {
	struct event *timer;
	validation_done_fn *done;
	void *arg;
	struct validation_reply reply;
};

static bool
begins(const char *name, const char *label)
{
	return strncmp(name, label, strlen(label)) == 0;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct validation_looking *l = arg;

	(void)fd, (void)what;
	l->done(l->arg, &l->reply);
	event_free(l->timer);
	free(l);
}

static void
note(struct world *w, const struct validation_question *q)
{
	struct asked *a = &w->asked[w->num_asked++];

	assert_true(w->num_asked < ASKED_MAX);
	a->task = q->task;
	snprintf(a->name, sizeof(a->name), "%s", q->name);
	snprintf(a->prefix, sizeof(a->prefix), "%s",
	    q->prefix == NULL ? "" : q->prefix);
	snprintf(a->path, sizeof(a->path), "%s",
	    q->path == NULL ? "" : q->path);
	snprintf(a->expected, sizeof(a->expected), "%s", q->expected);
}

static enum oc_err
look_start(void *arg, const struct validation_question *q,
    int64_t deadline_ns, validation_done_fn *done, void *done_arg,
    struct validation_looking **looking)
{
	struct world *w = arg;
	struct validation_looking *l = calloc(1, sizeof(*l));
	struct timeval tv = { 0, 1000 };

	(void)deadline_ns;
	assert_non_null(l);
	note(w, q);
	l->done = done;
	l->arg = done_arg;
	l->timer = evtimer_new(w->base, on_timer, l);
	snprintf(l->reply.seen, sizeof(l->reply.seen), "looked at %s",
	    q->name);
	if (begins(q->name, "gone") || begins(q->name, "wrong"))
		l->reply.fault = VALIDATION_INCORRECT;
	if (begins(q->name, "ours"))
		l->reply.fault = VALIDATION_OURS;
	l->reply.is_temporary = begins(q->name, "gone");
	if (!begins(q->name, "dead"))
		event_add(l->timer, &tv);
	*looking = l;
	return OC_OK;
}

static void
look_cancel(void *arg, struct validation_looking *l)
{
	(void)arg;
	event_free(l->timer);
	free(l);
}

static void
open_validator(struct world *w, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct ipc_peers peers = { .is_listed = false };
	const struct validation_looker looker = { look_start, look_cancel,
		w };
	struct validation_service_options options = { .base = w->base,
		.peers = &peers, .looker = &looker,
		.timeout_ns = 600 * OC_NS_PER_S, .counts = &w->counts };

	strcpy(address.sun_path, path);
	options.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	assert_int_equal(bind(options.listener, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	assert_int_equal(listen(options.listener, 16), 0);
	assert_ok(validation_service_new(&options, &w->validator));
}

/* --- what looks --------------------------------------------------------- */

static void
load_config(struct world *w)
{
	struct oc_config_errors errors = { .num = 0 };
	char path[320];
	FILE *file;

	snprintf(path, sizeof(path), "%s/ocsign.conf", w->f->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "[store]\npath = %s\n[daemon]\nrun-directory = %s\n"
	    "[validation]\ntimeout = 100s\ntries = 4\n", w->f->path,
	    w->f->directory);
	fclose(file);
	if (oc_config_load(path, &w->config, &errors) != OC_OK)
		fail_msg("%s", errors.list[0].text);
}

static void
start(struct world *w, int i)
{
	struct oc_error error = { 0 };

	if (issuer_service_new(w->config, w->base, &w->services[i], &error) !=
	    OC_OK)
		fail_msg("%s", error.text);
}

static int
setup(void **state)
{
	struct world *w;
	char path[320];

	if (setup_store(state) != 0)
		return -1;
	w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->f = *state;
	w->base = event_base_new();
	assert_non_null(w->base);
	w->account = add_account(w->f, "a");
	load_config(w);
	snprintf(path, sizeof(path), "%s/" VALIDATION_SOCKET_NAME,
	    w->f->directory);
	open_validator(w, path);
	start(w, 0);
	*state = w;
	return 0;
}

static int
teardown_world(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 2; i++)
		issuer_service_free(w->services[i]);
	validation_service_free(w->validator);
	event_base_free(w->base);
	oc_config_free(w->config);
	*state = w->f;
	free(w);
	return teardown(state);
}

static void
begin(struct world *w, int64_t challenge_id)
{
	assert_ok(store_begin_challenge(w->f->store, challenge_id,
	    oc_clock_now_s()));
	issuer_prover_kick(issuer_service_prover(w->services[0]));
}

typedef bool is_so_fn(struct world *w, int64_t id);

static void
stop_loop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	event_base_loopbreak(arg);
}

/* The loop runs until it is so. */
static void
wait_until(struct world *w, is_so_fn *is_so, int64_t id)
{
	const struct timeval turn = { 0, 5000 };
	int64_t deadline_ns = oc_clock_mono_ns() + 60 * OC_NS_PER_S;

	while (!is_so(w, id)) {
		if (oc_clock_mono_ns() > deadline_ns)
			fail_msg("it does not come to that");
		assert_int_equal(event_base_once(w->base, -1, EV_TIMEOUT,
		    stop_loop, w->base, &turn), 0);
		event_base_dispatch(w->base);
	}
}

static bool
is_over(struct world *w, int64_t id)
{
	return get_proof(w->f, id).state != STORE_PROOF_PENDING;
}

/* Once more than it was. */
static bool
is_tried_again(struct world *w, int64_t id)
{
	struct store_authorization a = get_proof(w->f, id);

	if (a.challenges[0].num_tries <= w->num_seen)
		return false;
	w->num_seen = a.challenges[0].num_tries;
	return true;
}

/* --- each for what it is ------------------------------------------------ */

static const struct asked *
only_asked(const struct world *w)
{
	assert_int_equal(w->num_asked, 1);
	return &w->asked[0];
}

static void
test_registry(void **state)
{
	static const struct {
		enum store_method method;
		enum validation_task task;
		const char *prefix, *path;
	} cases[] = {
		{ STORE_METHOD_DNS, VALIDATION_TXT, "_ocsign-challenge.",
		    "" },
		{ STORE_METHOD_META, VALIDATION_META, "", "" },
		{ STORE_METHOD_FILE, VALIDATION_FILE, "",
		    "ocsign-challenge" }
	};
	struct world *w = *state;

	for (size_t i = 0; i < 3; i++) {
		struct store_authorization a = proof_of(w->account, 0, "");
		struct store_zone zone;

		snprintf(a.name, sizeof(a.name), "good%d.test", (int)i);
		a.num_challenges = 1;
		a.challenges[0].method = cases[i].method;
		assert_ok(store_add_authorization(w->f->store, &a));
		w->num_asked = 0;
		begin(w, a.challenges[0].id);
		wait_until(w, is_over, a.id);
		assert_int_equal(only_asked(w)->task, cases[i].task);
		assert_string_equal(only_asked(w)->name, a.name);
		assert_string_equal(only_asked(w)->prefix, cases[i].prefix);
		assert_string_equal(only_asked(w)->path, cases[i].path);
		assert_string_equal(only_asked(w)->expected,
		    a.challenges[0].token);
		a = get_proof(w->f, a.id);
		assert_int_equal(a.state, STORE_PROOF_VALID);
		assert_int_equal(a.method, cases[i].method);
		assert_int_equal(a.expires_at, a.proved_at +
		    w->config->validation.proof_lifetime_s);
		assert_non_null(strstr(a.challenges[0].seen, "looked at"));
		assert_ok(store_find_zone(w->f->store, a.name, &zone));
	}
	assert_verifies(w->f->store);
}

static void
test_acme(void **state)
{
	struct world *w = *state;
	int64_t acme = add_acme_account(w->f, w->account, 7);
	struct store_authorization a = add_proof(w->f, w->account, acme,
	    "good.test");
	struct store_authorization b = add_proof(w->f, w->account, acme,
	    "good.b.test");
	struct store_acme_account owner;
	char authorization[256], value[ACME_THUMBPRINT_TEXT_LEN + 1];
	char path[96];

	assert_ok(store_get_acme_account(w->f->store, acme, &owner));
	begin(w, a.challenges[0].id);
	wait_until(w, is_over, a.id);
	acme_key_authorization(a.challenges[0].token, owner.thumbprint,
	    authorization, sizeof(authorization));
	assert_ok(acme_dns_value(authorization, value));
	assert_int_equal(only_asked(w)->task, VALIDATION_TXT);
	assert_string_equal(only_asked(w)->prefix, "_acme-challenge.");
	assert_string_equal(only_asked(w)->expected, value);
	w->num_asked = 0;
	begin(w, b.challenges[1].id);
	wait_until(w, is_over, b.id);
	acme_key_authorization(b.challenges[1].token, owner.thumbprint,
	    authorization, sizeof(authorization));
	snprintf(path, sizeof(path), "acme-challenge/%s",
	    b.challenges[1].token);
	assert_int_equal(only_asked(w)->task, VALIDATION_FILE);
	assert_string_equal(only_asked(w)->path, path);
	assert_string_equal(only_asked(w)->expected, authorization);
	assert_int_equal(get_proof(w->f, b.id).method, STORE_METHOD_HTTP_01);
	assert_verifies(w->f->store);
}

/* --- in vain ------------------------------------------------------------ */

/* Again after 5 s and 15 s, and no oftener than it may. */
static void
test_again(void **state)
{
	static const int64_t waits_s[] = { 5, 15, 60 };
	struct world *w = *state;
	struct store_authorization a = add_proof(w->f, w->account, 0,
	    "gone.test");

	begin(w, a.challenges[0].id);
	for (uint32_t i = 0; i < 4; i++) {
		const struct store_challenge *c = &a.challenges[0];
		int64_t before = oc_clock_now_s();

		wait_until(w, is_tried_again, a.id);
		assert_int_equal(w->num_asked, i + 1);
		a = get_proof(w->f, a.id);
		assert_non_null(strstr(c->problem, "incorrectResponse"));
		assert_non_null(strstr(c->problem, "looked at gone.test"));
		if (i == 3)
			break;
		assert_int_equal(a.state, STORE_PROOF_PENDING);
		assert_in_range(c->next_try_at, before + waits_s[i],
		    oc_clock_now_s() + waits_s[i]);
		/* The time has come. */
		run_sql(w->f->path, "UPDATE proof_challenge SET next_try_at"
		    " = 1 WHERE next_try_at <> 0");
	}
	assert_int_equal(a.state, STORE_PROOF_INVALID);
	assert_verifies(w->f->store);
}

static void
test_fails(void **state)
{
	struct world *w = *state;
	int64_t acme = add_acme_account(w->f, w->account, 7);
	struct store_authorization a = add_proof(w->f, w->account, acme,
	    "wrong.test");
	struct store_order order = { .account_id = w->account,
		.acme_account_id = acme, .names = (char *)"[\"wrong.test\"]",
		.expires_at = oc_clock_now_s() + HOUR,
		.num_authorizations = 1, .authorization_ids = { a.id } };

	assert_ok(store_add_order(w->f->store, &order));
	begin(w, a.challenges[0].id);
	wait_until(w, is_over, a.id);
	assert_int_equal(get_proof(w->f, a.id).state, STORE_PROOF_INVALID);
	assert_ok(store_find_order(w->f->store, order.tag, &order));
	assert_int_equal(order.state, STORE_ORDER_INVALID);
	assert_non_null(strstr(order.problem,
	    "urn:ietf:params:acme:error:incorrectResponse"));
	store_order_fini(&order);
	assert_verifies(w->f->store);
}

static bool
is_planned(struct world *w, int64_t id)
{
	int64_t at = get_proof(w->f, id).challenges[0].next_try_at;

	return w->num_asked > 0 && at > oc_clock_now_s() &&
	    at <= oc_clock_now_s() + PROOF_AGAIN_S;
}

/* That nobody can say says nothing of the name. */
static void
test_ours(void **state)
{
	struct world *w = *state;
	struct store_authorization a = add_proof(w->f, w->account, 0,
	    "ours.test");

	begin(w, a.challenges[0].id);
	wait_until(w, is_planned, a.id);
	a = get_proof(w->f, a.id);
	assert_int_equal(a.state, STORE_PROOF_PENDING);
	assert_int_equal(a.challenges[0].num_tries, 0);
	assert_verifies(w->f->store);
}

/* It is there, and the zone is another's by now. */
static void
test_lost(void **state)
{
	struct world *w = *state;
	int64_t other = add_account(w->f, "b");
	struct store_authorization a = add_proof(w->f, w->account, 0,
	    "good.test");
	struct store_authorization b = add_proof(w->f, other, 0,
	    "good.test");

	pass(w->f, &b);
	begin(w, a.challenges[0].id);
	wait_until(w, is_over, a.id);
	a = get_proof(w->f, a.id);
	assert_int_equal(a.state, STORE_PROOF_INVALID);
	assert_non_null(strstr(a.challenges[0].problem,
	    "rejectedIdentifier"));
	assert_verifies(w->f->store);
}

/* Its account is over: nobody looks. */
static void
test_account_over(void **state)
{
	struct world *w = *state;
	int64_t acme = add_acme_account(w->f, w->account, 7);
	struct store_authorization a = add_proof(w->f, w->account, acme,
	    "good.test");
	struct store_acme_account owner;

	assert_ok(store_get_acme_account(w->f->store, acme, &owner));
	owner.state = STORE_ACME_DEACTIVATED;
	assert_ok(store_change_acme_account(w->f->store, &owner));
	begin(w, a.challenges[0].id);
	wait_until(w, is_over, a.id);
	assert_int_equal(get_proof(w->f, a.id).state, STORE_PROOF_INVALID);
	assert_int_equal(w->num_asked, 0);
	assert_verifies(w->f->store);
}

/* --- many --------------------------------------------------------------- */

static void
begin_many(struct world *w, int64_t account, const char *label, int num)
{
	assert_ok(store_begin_group(w->f->store));
	for (int i = 0; i < num; i++) {
		struct store_authorization a;
		char name[64];

		snprintf(name, sizeof(name), "%s.n%d.test", label, i);
		a = add_proof(w->f, account, 0, name);
		assert_ok(store_begin_challenge(w->f->store,
		    a.challenges[0].id, oc_clock_now_s()));
	}
	assert_ok(store_commit_group(w->f->store));
}

static bool
has_asked(struct world *w, int64_t num)
{
	return w->num_asked >= num;
}

static void
quick(struct store_job *job, void *arg)
{
	assert_ok(job->err);
	*(bool *)arg = true;
}

static enum oc_err
change_little(struct store *store, void *arg)
{
	(void)arg;
	return store_append_journal(store, "test", "{}");
}

/* A thousand wait on dead servers: no more than so many of one account, and
 * neither others' proofs nor the store wait for them. */
static void
test_dead(void **state)
{
	struct world *w = *state;
	int64_t other = add_account(w->f, "b");
	struct store_authorization a;
	bool is_done = false;
	struct store_job job = { .kind = STORE_JOB_CHANGE,
		.fn = change_little, .done = quick, .arg = &is_done };
	int64_t begun_ns;

	begin_many(w, w->account, "dead", 1000);
	wait_until(w, has_asked, PROVER_ACCOUNT_MAX);
	a = add_proof(w->f, other, 0, "good.other.test");
	begun_ns = oc_clock_mono_ns();
	begin(w, a.challenges[0].id);
	assert_ok(issuer_service_submit(w->services[0], &job));
	while (!is_done)
		event_base_loop(w->base, EVLOOP_ONCE);
	assert_true(oc_clock_mono_ns() - begun_ns < 5 * OC_NS_PER_S);
	wait_until(w, is_over, a.id);
	assert_true(oc_clock_mono_ns() - begun_ns < 20 * OC_NS_PER_S);
	assert_int_equal(w->num_asked, PROVER_ACCOUNT_MAX + 1);
	/* Of many accounts: so many in all. */
	for (int i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "more%d", i);
		begin_many(w, add_account(w->f, name), "dead",
		    PROVER_ACCOUNT_MAX);
	}
	wait_until(w, has_asked, PROVER_TRIES_MAX + 1);
	for (int i = 0; i < 20; i++)
		event_base_loop(w->base, EVLOOP_ONCE);
	assert_int_equal(w->num_asked, PROVER_TRIES_MAX + 1);
	assert_verifies(w->f->store);
}

static bool
has_none(struct world *w, int64_t id)
{
	(void)id;
	return read_sql(w->f->path, "SELECT count(*) FROM proof WHERE state"
	    " = 1") == 0;
}

/* Two look, each at what the other does not. */
static void
test_two(void **state)
{
	struct world *w = *state;

	start(w, 1);
	begin_many(w, w->account, "good", 300);
	for (int i = 0; i < 2; i++)
		issuer_prover_kick(issuer_service_prover(w->services[i]));
	wait_until(w, has_none, 0);
	assert_int_equal(w->num_asked, 300);
	assert_int_equal(read_sql(w->f->path, "SELECT count(*) FROM"
	    " proof_challenge WHERE num_tries = 1"), 300);
	assert_verifies(w->f->store);
}

/* One ends meanwhile: what it looked at is due again. */
static void
test_restart(void **state)
{
	struct world *w = *state;
	struct store_authorization a = add_proof(w->f, w->account, 0,
	    "dead.test");

	begin(w, a.challenges[0].id);
	wait_until(w, has_asked, 1);
	issuer_service_free(w->services[0]);
	w->services[0] = NULL;
	a = get_proof(w->f, a.id);
	assert_int_equal(a.challenges[0].num_tries, 0);
	assert_true(a.challenges[0].next_try_at > oc_clock_now_s() + 100);
	run_sql(w->f->path, "UPDATE proof_challenge SET next_try_at = 1 WHERE"
	    " next_try_at <> 0");
	start(w, 0);
	wait_until(w, has_asked, 2);
	assert_verifies(w->f->store);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown_world)
	const struct CMUnitTest tests[] = {
		TEST(test_registry),
		TEST(test_acme),
		TEST(test_again),
		TEST(test_fails),
		TEST(test_ours),
		TEST(test_lost),
		TEST(test_account_over),
		TEST(test_dead),
		TEST(test_two),
		TEST(test_restart)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
