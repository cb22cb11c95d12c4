/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsign-signer: the only process with the module, the PIN and the keys.
 *
 * The main thread runs the event loop: two sockets, the pool's fd, signals
 * and a tick.  Opening the pool blocks, so a thread does it, and goes on
 * trying while the token is away; until then all is answered DOWN.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/clock_watch.h"
#include "base/file.h"
#include "base/log.h"
#include "base/thread.h"
#include "ipc/handover.h"
#include "ipc/landlock.h"
#include "ipc/peers.h"
#include "ipc/role.h"
#include "ipc/sandbox.h"
#include "ipc/signer_server.h"
#include "pkcs11/journal.h"
#include "pkcs11/local.h"
#include "pkcs11/plan.h"

/* sysexits.h's EX_TEMPFAIL: another process may do better. */
#define EXIT_STUCK 75
/* Less than the supervisor waits for READY. */
#define OPEN_TIMEOUT_NS (20 * OC_NS_PER_S)
#define RETRY_MIN_S 1
#define RETRY_MAX_S 30
#define DRAIN_MS 5000
#define DRAIN_LOOK_MS 20
/* More than all tokens together have; one beyond fails to be written to. */
#define FILES_MAX 512
/* For C_Finalize, once nothing is left to sign. */
#define CLOSE_S 3

/* The thread that opens the pool, and what it has to say. */
struct opener {
	pthread_t thread;
	pthread_mutex_t lock;
	int event_fd;
	struct p11_local_config config;
	/* Under lock. */
	struct signer *pool;
	enum oc_err err;
	struct oc_error error;
};

struct program {
	struct oc_config *config;
	struct p11_plan *plan;
	struct oc_clock_watch clock;
	struct event_base *base;
	struct opener opener;
	struct signer *pool;		/* NULL: not open yet */
	struct oc_error down;		/* why not */
	int issuer_fd, status_fd;	/* listeners; the servers' later on */
	struct ipc_peers issuer_peers, status_peers;
	struct ipc_signer_server *issuer, *status;	/* NULL: not yet */
	struct event *pool_event, *opener_event, *tick, *drain;
	struct event *term, *interrupt;
	int64_t drain_until_ns;
	bool is_ready, is_stopping;
};

/* --- opening the pool ------------------------------------------------- */

/* Nobody but a person can change this: no second try, no restart. */
static bool
is_final(enum oc_err err)
{
	return err == OC_ERR_PIN || err == OC_ERR_CONFIG ||
	    err == OC_ERR_MISMATCH || err == OC_ERR_EXISTS ||
	    err == OC_ERR_LIMIT || err == OC_ERR_UNSUPPORTED ||
	    err == OC_ERR_MALFORMED;
}

static void
opener_tell(struct opener *o, struct signer *pool, enum oc_err err,
    const struct oc_error *error)
{
	const uint64_t one = 1;

	(void)pthread_mutex_lock(&o->lock);
	o->pool = pool;
	o->err = err;
	o->error = *error;
	(void)pthread_mutex_unlock(&o->lock);
	(void)!write(o->event_fd, &one, sizeof(one));
}

/* A pool whose module does not come back is never tried again here: its
 * threads still stand in it. */
static void *
opener_main(void *arg)
{
	struct opener *o = arg;
	unsigned int pause_s = RETRY_MIN_S;
	enum oc_err err;

	do {
		struct oc_error error = { 0 };
		struct signer *pool = NULL;

		err = p11_local_new(&o->config, &pool, &error);
		opener_tell(o, pool, err, &error);
		if (err == OC_OK || err == OC_ERR_TIMEOUT || is_final(err))
			return NULL;
		sleep(pause_s);
		pause_s = 2 * pause_s > RETRY_MAX_S ? RETRY_MAX_S :
		    2 * pause_s;
	} while (err != OC_OK);
	return NULL;
}

/* Signals are for the main thread. */
static enum oc_err
opener_start(struct opener *o, const struct p11_local_config *config,
    struct oc_clock_watch *clock)
{
	o->config = *config;
	o->config.clock = clock;
	o->config.start_timeout_ns = OPEN_TIMEOUT_NS;
	o->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (o->event_fd < 0 || pthread_mutex_init(&o->lock, NULL) != 0)
		return OC_ERR_SYSTEM;
	return oc_thread_start(&o->thread, opener_main, o) == 0 ? OC_OK :
	    OC_ERR_SYSTEM;
}

/* Threads may stand in the module: nothing is freed. */
static void
leave_now(int status)
{
	ipc_notify("STOPPING=1");
	_exit(status);
}

static void
note_ready(struct program *p, const char *status)
{
	ipc_notify(p->is_ready ? "STATUS=%s" : "READY=1\nSTATUS=%s", status);
	p->is_ready = true;
}

static void
on_pool(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	sign_dispatch(arg);
}

static json_t *
describe_errors(const struct p11_token_status *st)
{
	/* People see a table of them all. */
	json_t *errors = json_pack("{s:s}", "token", st->name);

	for (int class = P11_CLASS_OK + 1; class < P11_CLASS_MAX; class++)
		(void)json_object_set_new(errors, p11_class_name(
		    (enum p11_class)class), json_integer(
		    (json_int_t)st->num_errors[class]));
	return errors;
}

static json_t *
describe_token(const struct program *p, size_t i)
{
	struct p11_token_status st;

	p11_local_status(p->pool, i, &st);
	return json_pack("{s:s, s:b, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, "
	    "s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:o}",
	    "name", st.name,
	    "up", (int)st.is_up,
	    "state", st.state,
	    "error", st.failure,
	    "drained", (int)st.is_drained,
	    "weight", (json_int_t)st.weight,
	    "moved", (json_int_t)st.num_moved,
	    "sessions", (json_int_t)st.num_sessions,
	    "waiting", (json_int_t)st.num_waiting,
	    "logins", (json_int_t)st.num_logins,
	    "signed", (json_int_t)st.num_signed,
	    "failed", (json_int_t)st.num_failed,
	    "recovered", (json_int_t)st.num_recovered,
	    "restarts", (json_int_t)st.num_restarts,
	    "lost", (json_int_t)st.num_lost,
	    "limit", (json_int_t)st.limit,
	    "limit_found", (json_int_t)st.limit_found,
	    "each_us", (json_int_t)((st.each_ns + 999) / 1000),
	    "each_measured", (int)st.is_each_measured,
	    "recovered_at", (json_int_t)st.recovered_at,
	    "recovered_ms", (json_int_t)(st.recovered_ns / OC_NS_PER_MS),
	    "errors", describe_errors(&st));
}

/* A row for each lane of a token: how many jobs wait and the first has waited
 * for; how many have been taken out, and waited all together. */
static void
describe_lanes(const struct program *p, size_t i, json_t *rows)
{
	struct p11_token_status st;

	p11_local_status(p->pool, i, &st);
	for (int lane = 0; lane < SIGN_LANE_MAX; lane++) {
		const struct sign_queue_lane *l = &st.lanes[lane];

		(void)json_array_append_new(rows, json_pack(
		    "{s:s, s:s, s:I, s:I, s:I, s:I}",
		    "token", st.name,
		    "lane", sign_lane_name((enum sign_lane)lane),
		    "waiting", (json_int_t)l->num_tickets,
		    "oldest_us", (json_int_t)(l->oldest_ns / 1000),
		    "taken", (json_int_t)l->num_taken,
		    "waited_us", (json_int_t)(l->waited_ns / 1000)));
	}
}

/* Keys that several tokens may have. */
static json_t *
describe_places(const struct program *p)
{
	json_t *rows = json_array();
	struct p11_place_status st;

	for (size_t i = 0; p11_local_place(p->pool, i, &st); i++)
		(void)json_array_append_new(rows, json_pack(
		    "{s:s, s:s, s:s, s:s}", "key", st.key, "token", st.token,
		    "state", st.works ? "proven" : st.is_wrong ? "wrong" :
		    "not seen", "error", st.wrong));
	return rows;
}

static json_t *
describe_journal(const struct program *p)
{
	struct p11_journal_status st;

	p11_journal_look(p11_plan_config(p->plan)->journal, &st);
	return json_pack("{s:b, s:s, s:I, s:I, s:I, s:I}",
	    "well", (int)st.is_well,
	    "failure", st.failure,
	    "records", (json_int_t)st.num_records,
	    "syncs", (json_int_t)st.num_syncs,
	    "lost", (json_int_t)st.num_lost,
	    "waiting", (json_int_t)st.num_waiting);
}

/* Of very many keys in many tokens it tells what it has room for. */
static char *
dump_within(json_t *whole, size_t text_max)
{
	static const char *const last[] = { "keys", "queues", "tokens" };
	char *json = json_dumps(whole, JSON_COMPACT);

	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]) &&
	    json != NULL && strlen(json) >= text_max; i++) {
		free(json);
		(void)json_object_del(whole, last[i]);
		json = json_dumps(whole, JSON_COMPACT);
	}
	return json;
}

static void
tell_status(void *arg, char *text, size_t text_max)
{
	const struct program *p = arg;
	json_t *tokens = json_array(), *queues = json_array(), *whole;
	char *json = NULL;

	for (size_t i = 0; p->pool != NULL &&
	    i < p11_local_num_tokens(p->pool); i++) {
		json_array_append_new(tokens, describe_token(p, i));
		describe_lanes(p, i, queues);
	}
	whole = json_pack("{s:b, s:s, s:o, s:o, s:o, s:o}", "open",
	    (int)(p->pool != NULL), "error", p->pool != NULL ? "" :
	    p->down.text, "tokens", tokens, "queues", queues, "keys",
	    p->pool != NULL ? describe_places(p) : json_array(),
	    "journal", describe_journal(p));
	if (whole != NULL)
		json = dump_within(whole, text_max);
	/* Half a JSON text would be none. */
	snprintf(text, text_max, "%s",
	    json != NULL && strlen(json) < text_max ? json : "{}");
	free(json);
	json_decref(whole);
}

/* Without a pool it is recorded, for when there is one. */
static enum oc_err
drain(void *arg, const char *token, unsigned int how, struct oc_error *error)
{
	struct program *p = arg;
	enum oc_err err;

	if (p->pool != NULL)
		err = p11_local_drain(p->pool, token, (enum p11_drain)how,
		    error);
	else
		err = OC_ERR_NOT_FOUND;
	/* No pool, or none of its tokens. */
	if (err == OC_ERR_NOT_FOUND)
		err = p11_plan_drain(p->plan, token, (enum p11_drain)how,
		    error);
	if (err == OC_OK)
		oc_log(OC_LOG_NOTICE, how == P11_UNDRAIN ? "token %s may work "
		    "again" : "token %s is drained: it gets no new work",
		    token);
	return err;
}

/*
 * From now on there is an answer.  Before the tokens were tried once, who
 * connects waits in the listener's queue, which is better than being told
 * that a token is away that is about to be there.
 */
static void
serve(struct program *p)
{
	if (p->issuer != NULL)
		return;
	if (ipc_signer_server_new(p->base, p->issuer_fd, IPC_SIGNER_ISSUER,
	    tell_status, p, &p->issuer) != OC_OK ||
	    ipc_signer_server_new(p->base, p->status_fd, IPC_SIGNER_STATUS,
	    tell_status, p, &p->status) != OC_OK)
		leave_now(EXIT_STUCK);
	ipc_signer_server_let_drain(p->issuer, drain);
	ipc_signer_server_allow(p->issuer, &p->issuer_peers);
	ipc_signer_server_allow(p->status, &p->status_peers);
}

static void
pool_is_open(struct program *p, struct signer *pool)
{
	p->pool_event = event_new(p->base, sign_fd(pool),
	    EV_READ | EV_PERSIST, on_pool, pool);
	if (p->pool_event == NULL || event_add(p->pool_event, NULL) != 0)
		leave_now(EXIT_STUCK);
	serve(p);
	p11_local_take_errors(pool);
	p->pool = pool;
	ipc_signer_server_set(p->issuer, pool);
	ipc_signer_server_set(p->status, pool);
	if (p->is_ready)
		oc_log(OC_LOG_NOTICE, "every key is in a token that works "
		    "now");
	note_ready(p, "signing");
}

/* One line for each new reason, not for each try. */
static void
pool_is_down(struct program *p, enum oc_err err, const struct oc_error *error)
{
	if (is_final(err)) {
		oc_log(OC_LOG_ERROR, "%s", error->text);
		leave_now(IPC_EXIT_CONFIG);
	}
	if (err == OC_ERR_TIMEOUT) {
		oc_log(OC_LOG_ERROR, "%s: another process will try",
		    error->text);
		leave_now(EXIT_STUCK);
	}
	if (strcmp(p->down.text, error->text) != 0)
		oc_log(OC_LOG_ERROR, "%s; trying again", error->text);
	p->down = *error;
	serve(p);
	note_ready(p, error->text);
}

static void
on_opener(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	struct opener *o = &p->opener;
	struct signer *pool;
	struct oc_error error;
	uint64_t count;
	enum oc_err err;

	(void)what;
	(void)!read(fd, &count, sizeof(count));
	(void)pthread_mutex_lock(&o->lock);
	pool = o->pool;
	err = o->err;
	error = o->error;
	(void)pthread_mutex_unlock(&o->lock);
	if (err == OC_OK && p->pool == NULL)
		pool_is_open(p, pool);
	else if (err != OC_OK)
		pool_is_down(p, err, &error);
}

/* --- watching it ------------------------------------------------------ */

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	struct oc_error error = { 0 };

	(void)fd, (void)what;
	if (p->pool == NULL)
		return;
	if (p11_local_is_stuck(p->pool)) {
		oc_log(OC_LOG_ERROR, "a call into the token's module does "
		    "not come back: leaving, another process will try");
		p11_local_keep_errors(p->pool);
		leave_now(EXIT_STUCK);
	}
	if (p11_local_failure(p->pool, &error) == OC_ERR_PIN) {
		oc_log(OC_LOG_ERROR, "%s", error.text);
		leave_now(IPC_EXIT_CONFIG);
	}
}

/* --- the end ---------------------------------------------------------- */

static void
on_alarm(int sig)
{
	(void)sig;
	_exit(EXIT_SUCCESS);
}

static void
on_drain(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	size_t num = ipc_signer_server_num_jobs(p->issuer) +
	    ipc_signer_server_num_jobs(p->status);

	(void)fd, (void)what;
	if (num > 0 && oc_clock_mono_ns() < p->drain_until_ns)
		return;
	if (num > 0)
		oc_log(OC_LOG_WARNING, "%zu jobs are left unsigned", num);
	event_base_loopexit(p->base, NULL);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval look = { 0, DRAIN_LOOK_MS * 1000 };
	struct program *p = arg;

	(void)fd, (void)what;
	if (p->is_stopping)
		return;
	p->is_stopping = true;
	ipc_notify("STOPPING=1");
	ipc_signer_server_drain(p->issuer);
	ipc_signer_server_drain(p->status);
	p->drain_until_ns = oc_clock_mono_ns() + DRAIN_MS * OC_NS_PER_MS;
	event_add(p->drain, &look);
}

/* A pool that does not close in time is left as it is: the process ends. */
static void
program_close(struct program *p)
{
	ipc_signer_server_free(p->issuer);
	ipc_signer_server_free(p->status);
	if (p->pool == NULL)
		_exit(EXIT_SUCCESS);	/* the opener may be in the module */
	(void)signal(SIGALRM, on_alarm);
	(void)alarm(CLOSE_S);
	event_free(p->pool_event);
	sign_free(p->pool);
	(void)alarm(0);
	(void)pthread_join(p->opener.thread, NULL);
	event_free(p->opener_event);
	event_free(p->tick);
	event_free(p->drain);
	event_free(p->term);
	event_free(p->interrupt);
	event_base_free(p->base);
	close(p->opener.event_fd);
	(void)pthread_mutex_destroy(&p->opener.lock);
	p11_plan_free(p->plan);
	oc_clock_watch_fini(&p->clock);
	oc_config_free(p->config);
}

/* --- the start -------------------------------------------------------- */

static bool
add_events(struct program *p)
{
	static const struct timeval second = { 1, 0 };

	p->opener_event = event_new(p->base, p->opener.event_fd,
	    EV_READ | EV_PERSIST, on_opener, p);
	p->tick = event_new(p->base, -1, EV_PERSIST, on_tick, p);
	p->drain = event_new(p->base, -1, EV_PERSIST, on_drain, p);
	p->term = evsignal_new(p->base, SIGTERM, on_signal, p);
	p->interrupt = evsignal_new(p->base, SIGINT, on_signal, p);
	return p->opener_event != NULL && p->tick != NULL &&
	    p->drain != NULL && p->term != NULL && p->interrupt != NULL &&
	    event_add(p->opener_event, NULL) == 0 &&
	    event_add(p->tick, &second) == 0 &&
	    event_add(p->term, NULL) == 0 &&
	    event_add(p->interrupt, NULL) == 0;
}

/* Handed over, or, run alone, our own. */
static enum oc_err
listen_on(const struct program *p, const char *name, int *listener,
    struct oc_error *error)
{
	char path[512];

	*listener = ipc_handover_fd(name, 0);
	if (*listener >= 0)
		return OC_OK;
	snprintf(path, sizeof(path), "%s/%s.sock",
	    p->config->daemon.run_directory, name);
	return ipc_listen(path, listener, error);
}

/* One process has all modules: what one is allowed, all are. */
static enum ipc_sandbox
sandbox_of(const struct oc_config *config)
{
	for (size_t i = 0; i < config->num_tokens; i++)
		if (oc_config_has_network(&config->tokens[i]))
			return IPC_SANDBOX_SIGNER_NETWORK;
	return IPC_SANDBOX_SIGNER;
}

/* False: of one nobody has said what it writes. */
static bool
has_paths(const struct oc_config *config)
{
	for (size_t i = 0; i < config->num_tokens; i++)
		if (config->tokens[i].paths.num == 0)
			return false;
	return config->num_tokens > 0;
}

/* Where all tokens say what their modules write, they write nothing else. */
static enum oc_err
limit_files(const struct oc_config *config, struct oc_error *error)
{
	static const char *const read[] = { "/", NULL };
	const char *write[FILES_MAX] = { config->daemon.signer_directory,
	    "/dev/null", config->store.signing_journal };
	size_t num = 3;

	if (!has_paths(config))
		return OC_OK;
	/* What is made later could not be let in. */
	(void)!oc_file_mkdir_p(config->store.signing_journal, 0700, NULL);
	for (size_t i = 0; i < config->num_tokens; i++) {
		const struct oc_config_token *token = &config->tokens[i];

		for (size_t n = 0; n < token->paths.num && num + 1 <
		    FILES_MAX; n++)
			write[num++] = token->paths.words[n];
		for (size_t n = 0; n < token->devices.num && num + 1 <
		    FILES_MAX; n++)
			write[num++] = token->devices.words[n];
	}
	return ipc_landlock_enter(&(struct ipc_files){ read, write }, error);
}

static enum oc_err
program_open(struct program *p, struct oc_error *error)
{
	enum oc_err err;

	err = p11_plan_new(p->config, &p->plan, error);
	if (err == OC_OK)
		err = p11_plan_add_all(p->plan, error);
	if (err == OC_OK)
		err = ipc_peers_find(p->config, IPC_DOOR_SIGNER_ISSUER,
		    &p->issuer_peers, error);
	if (err == OC_OK)
		err = ipc_peers_find(p->config, IPC_DOOR_SIGNER_STATUS,
		    &p->status_peers, error);
	if (err != OC_OK)
		return err;
	p->base = event_base_new();
	if (p->base == NULL || oc_clock_watch_init(&p->clock,
	    p->config->daemon.status_directory, OC_CLOCK_WATCH_READS) != OC_OK)
		return oc_error_set(error, OC_ERR_INTERNAL, "no event loop");
	err = listen_on(p, "signer-issuer", &p->issuer_fd, error);
	if (err == OC_OK)
		err = listen_on(p, "signer-status", &p->status_fd, error);
	/* Before a module is loaded. */
	if (err == OC_OK)
		err = limit_files(p->config, error);
	if (err == OC_OK)
		err = ipc_sandbox_enter(sandbox_of(p->config), error);
	/* It has a thread. */
	if (err == OC_OK)
		err = p11_plan_open_journal(p->plan, "signer", error);
	if (err == OC_OK && (opener_start(&p->opener,
	    p11_plan_config(p->plan), &p->clock) != OC_OK || !add_events(p)))
		err = oc_error_set(error, OC_ERR_SYSTEM,
		    "no thread or no event: out of memory?");
	return err;
}

int
main(int argc, char **argv)
{
	struct program program = { 0 };
	struct oc_error error = { 0 };
	enum oc_err err;
	int status;

	status = ipc_role_start(argc, argv, "ocsign-signer",
	    "Signs for ocsign and ocsign-status with the keys of the tokens.",
	    &program.config);
	if (status != IPC_ROLE_RUN)
		return status;
	err = program_open(&program, &error);
	if (err != OC_OK) {
		oc_log(OC_LOG_ERROR, "%s", error.text);
		/* A socket that is taken (EXISTS) will be free one day. */
		leave_now(err != OC_ERR_EXISTS && is_final(err) ?
		    IPC_EXIT_CONFIG : EXIT_STUCK);
	}
	event_base_dispatch(program.base);
	program_close(&program);
	return EXIT_SUCCESS;
}
