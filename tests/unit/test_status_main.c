/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process ocsign-status, from the build tree, its signer away: what it
 * says when it is ready, what its sockets answer, and that it ends at once.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/unit/status_fixture.h"

#include <jansson.h>

#include "ipc/channel.h"
#include "ocsp/counts.h"

#define USUAL OCSP_ENCODING_USUAL

struct child {
	pid_t pid;			/* 0: none */
	int notify_fd;
	char heard[4096];
};

static struct child first, second;

static void
write_config(const struct world *w)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/run", w->directory);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/ocsign.conf", w->directory);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "[store]\npath = %s\n"
	    "[daemon]\nrun-directory = %s/run\ntable-directory = %s\n"
	    "[token t]\nmodule = %s/no-module.so\nuri = pkcs11:token=t\n"
	    "[issuer ca]\ncertificate = %s\ntoken = t\nkey = ca\n"
	    "ocsp-certificate = %s\nocsp-token = t\nocsp-key = ocsp\n"
	    "presign = asked\n", w->config.store.path, w->directory,
	    w->config.daemon.table_directory, w->directory,
	    w->issuer.certificate, w->issuer.ocsp_certificate);
	assert_int_equal(fclose(f), 0);
}

static void
child_start(const struct world *w, struct child *c, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *build = getenv("top_builddir");
	char program[1000], config[300];

	memset(c, 0, sizeof(*c));
	snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/%s",
	    w->directory, name);
	snprintf(program, sizeof(program), "%s/ocsign-status",
	    build != NULL ? build : ".");
	snprintf(config, sizeof(config), "%s/ocsign.conf", w->directory);
	c->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(c->notify_fd, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (c->pid == 0) {
		setenv("NOTIFY_SOCKET", address.sun_path, 1);
		execl(program, "ocsign-status", "-c", config, (char *)NULL);
		_exit(127);
	}
}

/* Whether it has said this, within so long. */
static bool
child_says(struct child *c, const char *text, int ms)
{
	int64_t end = oc_clock_mono_ns() + ms * OC_NS_PER_MS;
	struct pollfd p = { c->notify_fd, POLLIN, 0 };

	while (strstr(c->heard, text) == NULL) {
		size_t len = strlen(c->heard);
		ssize_t n;

		if (poll(&p, 1, oc_clock_poll_ms(end)) <= 0 ||
		    (p.revents & POLLIN) == 0)
			return false;
		n = recv(c->notify_fd, c->heard + len,
		    sizeof(c->heard) - len - 2, 0);
		if (n > 0)
			strcpy(c->heard + len + (size_t)n, "\n");
	}
	return true;
}

/* The exit status; -1 if it has not ended in ms. */
static int
child_wait(struct child *c, int ms)
{
	int status;

	for (; ms > 0; ms -= 5) {
		if (waitpid(c->pid, &status, WNOHANG) == c->pid) {
			c->pid = 0;
			close(c->notify_fd);
			return WIFEXITED(status) ? WEXITSTATUS(status) :
			    1000 + WTERMSIG(status);
		}
		usleep(5000);
	}
	return -1;
}

static void
child_end(struct child *c)
{
	assert_int_equal(kill(c->pid, SIGTERM), 0);
	assert_true(child_says(c, "STOPPING=1", 1000));
	assert_int_equal(child_wait(c, 1000), 0);
}

static int
setup(void **state)
{
	struct world *w;

	world_setup(state);
	w = *state;
	world_issue_many(w, 1, 10);
	write_config(w);
	return 0;
}

static int
teardown(void **state)
{
	struct child *children[] = { &first, &second };

	for (int i = 0; i < 2; i++)
		if (children[i]->pid != 0) {
			kill(children[i]->pid, SIGKILL);
			waitpid(children[i]->pid, NULL, 0);
			close(children[i]->notify_fd);
			children[i]->pid = 0;
		}
	return world_teardown(state);
}

static struct ipc_channel *
dial(const struct world *w, const char *name)
{
	struct ipc_channel *channel;
	char path[300];

	snprintf(path, sizeof(path), "%s/run/%s.sock", w->directory, name);
	assert_int_equal(ipc_channel_new(path, "test", &channel), OC_OK);
	return channel;
}

static size_t
put_ask(uint64_t id, const char *issuer, uint64_t n, uint8_t *frame,
    size_t frame_max)
{
	static struct ipc_ask ask;
	size_t len;

	memset(&ask, 0, sizeof(ask));
	snprintf(ask.name, sizeof(ask.name), "%s", issuer);
	ask.num_singles = 1;
	ask.singles[0].encoding = USUAL;
	ask.singles[0].serial = world_serial(n);
	assert_int_equal(ipc_put_ask(frame, frame_max, id, &ask, &len),
	    OC_OK);
	return len;
}

static struct ipc_answer
ask(struct ipc_channel *channel, const char *issuer, uint64_t n)
{
	uint64_t id = ipc_channel_next_id(channel);
	static uint8_t frame[OC_FRAME_MAX];
	struct ipc_answer answer;
	struct der_bytes fields;
	enum ipc_type type;
	size_t len = put_ask(id, issuer, n, frame, sizeof(frame));

	assert_int_equal(ipc_channel_ask_now(channel, id, frame, len,
	    oc_clock_mono_ns() + 15 * OC_NS_PER_S, &type, &fields), OC_OK);
	assert_int_equal(type, IPC_ANSWER);
	assert_int_equal(ipc_read_answer(fields, &answer), OC_OK);
	return answer;
}

static enum oc_err
ask_bare(struct ipc_channel *channel, enum ipc_type what, int ms,
    enum ipc_type *type, struct der_bytes *fields)
{
	uint64_t id = ipc_channel_next_id(channel);
	uint8_t frame[64];
	size_t len;

	assert_int_equal(ipc_put_bare(frame, sizeof(frame), id, what, &len),
	    OC_OK);
	return ipc_channel_ask_now(channel, id, frame, len,
	    oc_clock_mono_ns() + ms * OC_NS_PER_MS, type, fields);
}

static void
assert_status(struct ipc_channel *control, int num_certificates,
    int num_failed)
{
	struct der_bytes fields, text;
	enum ipc_type type;
	json_t *root, *issuer;

	assert_int_equal(ask_bare(control, IPC_STATUS, 2000, &type, &fields),
	    OC_OK);
	assert_int_equal(type, IPC_STATUS_IS);
	assert_int_equal(ipc_read_text_message(fields, &text), OC_OK);
	root = json_loadb((const char *)text.p, text.len, 0, NULL);
	assert_non_null(root);
	assert_true(json_is_true(json_object_get(root, "ready")));
	assert_int_equal(json_array_size(json_object_get(root, "issuers")),
	    1);
	issuer = json_array_get(json_object_get(root, "issuers"), 0);
	assert_string_equal(json_string_value(json_object_get(issuer,
	    "issuer")), "ca");
	assert_true(json_is_true(json_object_get(issuer, "source_well")));
	assert_int_equal(json_integer_value(json_object_get(issuer,
	    "certificates")), num_certificates);
	assert_int_equal(json_integer_value(json_object_get(issuer,
	    "failed")), num_failed);
	assert_non_null(json_object_get(issuer, "horizon"));
	json_decref(root);
}

static void
test_answers(void **state)
{
	struct world *w = *state;
	struct ipc_channel *status, *control;
	struct ipc_answer answer;
	struct der_bytes fields;
	enum ipc_type type;

	child_start(w, &first, "notify");
	assert_true(child_says(&first, "READY=1", 5000));
	status = dial(w, "status");
	control = dial(w, "status-control");
	assert_status(control, 10, 0);
	answer = ask(status, "nobody", 1);
	assert_int_equal(answer.status, OCSP_UNAUTHORIZED);
	answer = ask(status, "ca", 77);
	assert_int_equal(answer.kind, IPC_ANSWER_ERROR);
	assert_int_equal(answer.status, OCSP_UNAUTHORIZED);
	/* Nobody signs. */
	answer = ask(status, "ca", 1);
	assert_int_equal(answer.kind, IPC_ANSWER_ERROR);
	assert_int_equal(answer.status, OCSP_TRY_LATER);
	assert_true(answer.retry_after_s > 0);
	world_issue(w, 11, oc_clock_now_s() + YEAR);
	world_revoke(w, 2, CRL_REASON_SUPERSEDED);
	assert_int_equal(ask_bare(control, IPC_NUDGE, 1000, &type, &fields),
	    OC_OK);
	assert_int_equal(type, IPC_NUDGED);
	assert_status(control, 11, 1);
	ipc_channel_free(status);
	ipc_channel_free(control);
	child_end(&first);
	assert_int_equal(world_num_lines(w, "no signature: "), 1);
}

/* Even a signer that never says a word holds no nudge for long. */
static json_t *
status_of(struct ipc_channel *control)
{
	struct der_bytes fields, text;
	enum ipc_type type;
	json_t *root;

	assert_int_equal(ask_bare(control, IPC_STATUS, 2000, &type, &fields),
	    OC_OK);
	assert_int_equal(ipc_read_text_message(fields, &text), OC_OK);
	root = json_loadb((const char *)text.p, text.len, 0, NULL);
	assert_non_null(root);
	return root;
}

static json_int_t
responders_say(struct ipc_channel *control, const char *name)
{
	json_t *root = status_of(control);
	const json_t *value = json_object_get(json_object_get(root,
	    "responders"), name);
	json_int_t number;

	assert_non_null(value);
	number = json_is_integer(value) ? json_integer_value(value) : -1;
	json_decref(root);
	return number;
}

/* What responders count is read anew at each question. */
static void
test_responders(void **state)
{
	struct world *w = *state;
	struct oc_page *page;
	struct ipc_channel *control;
	struct ocsp_counts *c;
	struct oc_error error = { 0 };
	char run[300];
	int i;

	snprintf(run, sizeof(run), "%s/run", w->directory);
	child_start(w, &first, "notify");
	assert_true(child_says(&first, "READY=1", 5000));
	control = dial(w, "status-control");
	assert_int_equal(responders_say(control, "running"), 0);
	assert_int_equal(responders_say(control, "requests"), 0);
	assert_int_equal(responders_say(control, "hit_p99_us"), -1);
	if (ocsp_counts_open(run, 0, &page, &error) != OC_OK)
		fail_msg("%s", error.text);
	c = ocsp_counts_of(page);
	c->requests = 12;
	c->stale = 3;
	c->buffers_exhausted = UINT64_MAX;
	for (i = 0; i < 98; i++)
		ocsp_latency_add(&c->hit_latency, 20000);
	ocsp_latency_add(&c->hit_latency, 240000);
	ocsp_latency_add(&c->hit_latency, 3000000);
	ocsp_latency_add(&c->miss_latency, INT64_C(60000000000));
	assert_int_equal(responders_say(control, "running"), 1);
	assert_int_equal(responders_say(control, "requests"), 12);
	assert_int_equal(responders_say(control, "stale"), 3);
	assert_true(responders_say(control, "buffers_exhausted") ==
	    INT64_MAX);
	assert_int_equal(responders_say(control, "hit_p50_us"), 25);
	assert_int_equal(responders_say(control, "hit_p99_us"), 250);
	/* Over the last bound. */
	assert_int_equal(responders_say(control, "miss_p50_us"), -1);
	oc_page_close(page);
	assert_int_equal(responders_say(control, "running"), 0);
	assert_int_equal(responders_say(control, "requests"), 12);
	ipc_channel_free(control);
	child_end(&first);
	assert_true(snprintf(run, sizeof(run), "%s/run/responder-0.counts",
	    w->directory) > 0);
	assert_int_equal(unlink(run), 0);
}

static void
test_nudge_without_signer(void **state)
{
	struct world *w = *state;
	struct ipc_channel *control;
	struct der_bytes fields;
	enum ipc_type type;

	child_start(w, &first, "notify");
	assert_true(child_says(&first, "READY=1", 5000));
	control = dial(w, "status-control");
	world_revoke(w, 2, CRL_REASON_SUPERSEDED);
	assert_int_equal(ask_bare(control, IPC_NUDGE, 10000, &type, &fields),
	    OC_OK);
	assert_int_equal(type, IPC_NUDGED);
	ipc_channel_free(control);
	child_end(&first);
}

static void
never_answered(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields)
{
	(void)err, (void)type, (void)fields;
	++*(int *)arg;
}

/* With questions and nudges open it ends as fast; the questions are told to
 * come again, the nudge that was not served is not said to be. */
static void
test_ends_with_work(void **state)
{
	struct world *w = *state;
	struct ipc_channel *status, *control;
	static uint8_t frame[OC_FRAME_MAX];
	int64_t deadline = oc_clock_mono_ns() + 20 * OC_NS_PER_S;
	struct pollfd p;
	int num = 0, num_nudged = 0;
	uint64_t id;
	size_t len;

	child_start(w, &first, "notify");
	assert_true(child_says(&first, "READY=1", 5000));
	status = dial(w, "status");
	control = dial(w, "status-control");
	for (uint64_t n = 1; n <= 10; n++) {
		id = ipc_channel_next_id(status);
		len = put_ask(id, "ca", n, frame, sizeof(frame));
		assert_int_equal(ipc_channel_ask(status, id, frame, len, -1,
		    deadline, never_answered, &num), OC_OK);
	}
	world_revoke(w, 1, CRL_REASON_SUPERSEDED);
	id = ipc_channel_next_id(control);
	assert_int_equal(ipc_put_bare(frame, sizeof(frame), id, IPC_NUDGE,
	    &len), OC_OK);
	assert_int_equal(ipc_channel_ask(control, id, frame, len, -1,
	    deadline, never_answered, &num_nudged), OC_OK);
	p = (struct pollfd){ ipc_channel_fd(status), POLLIN, 0 };
	for (int i = 0; i < 20; i++) {
		(void)poll(&p, 1, 20);
		ipc_channel_dispatch(status);
		ipc_channel_dispatch(control);
	}
	assert_int_equal(num, 0);
	assert_int_equal(num_nudged, 0);
	child_end(&first);
	for (int i = 0; i < 10; i++) {
		ipc_channel_dispatch(control);
		usleep(10000);
	}
	assert_int_equal(num_nudged, 0);
	ipc_channel_free(status);
	ipc_channel_free(control);
}

static void
test_standby(void **state)
{
	struct world *w = *state;
	struct ipc_channel *control;

	child_start(w, &first, "notify");
	assert_true(child_says(&first, "READY=1", 5000));
	child_start(w, &second, "notify2");
	assert_true(child_says(&second, "STATUS=standby", 5000));
	assert_false(child_says(&second, "READY=1", 300));
	control = dial(w, "status-control");
	assert_status(control, 10, 0);
	child_end(&first);
	assert_true(child_says(&second, "READY=1", 5000));
	/* The same channel finds the new one. */
	assert_status(control, 10, 0);
	ipc_channel_free(control);
	child_end(&second);
}

/* Sends these octets and waits to be hung up on. */
static void
assert_hung_up(const struct world *w, const char *name, const void *octets,
    size_t len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd p = { sock, POLLIN, 0 };
	char buffer[1000];
	ssize_t n;

	snprintf(address.sun_path, sizeof(address.sun_path),
	    "%.80s/run/%s.sock", w->directory, name);
	assert_int_equal(connect(sock, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	assert_int_equal(send(sock, octets, len, MSG_NOSIGNAL), len);
	do {
		assert_int_equal(poll(&p, 1, 3000), 1);
		n = recv(sock, buffer, sizeof(buffer), 0);
	} while (n > 0);
	close(sock);
}

static void
test_garbage(void **state)
{
	struct world *w = *state;
	static uint8_t frame[OC_FRAME_MAX];
	struct ipc_channel *status, *control;
	struct ipc_answer answer;
	size_t len;

	child_start(w, &first, "notify");
	assert_true(child_says(&first, "READY=1", 5000));
	status = dial(w, "status");
	control = dial(w, "status-control");
	assert_status(control, 10, 0);
	answer = ask(status, "ca", 77);
	assert_int_equal(answer.status, OCSP_UNAUTHORIZED);
	/* No frame; a frame of no type; half a question; another socket's. */
	memset(frame, 0xff, 64);
	assert_hung_up(w, "status", frame, 64);
	assert_hung_up(w, "status-control", frame, 64);
	assert_int_equal(ipc_put_bare(frame, sizeof(frame), 1,
	    (enum ipc_type)999, &len), OC_OK);
	assert_hung_up(w, "status", frame, len);
	assert_hung_up(w, "status-control", frame, len);
	assert_int_equal(ipc_put_bare(frame, sizeof(frame), 1, IPC_ASK,
	    &len), OC_OK);
	assert_hung_up(w, "status", frame, len);
	assert_hung_up(w, "status-control", frame, len);
	assert_int_equal(ipc_put_bare(frame, sizeof(frame), 1, IPC_NUDGE,
	    &len), OC_OK);
	assert_hung_up(w, "status", frame, len);
	len = put_ask(7, "ca", 1, frame, sizeof(frame));
	assert_hung_up(w, "status-control", frame, len);
	/* The others notice nothing. */
	assert_status(control, 10, 0);
	answer = ask(status, "ca", 78);
	assert_int_equal(answer.status, OCSP_UNAUTHORIZED);
	ipc_channel_free(status);
	ipc_channel_free(control);
	child_end(&first);
}

static void
test_no_certificate_yet(void **state)
{
	struct world *w = *state;

	assert_int_equal(unlink(w->issuer.certificate), 0);
	child_start(w, &first, "notify");
	assert_true(child_says(&first, "READY=1", 5000));
	assert_int_equal(world_num_lines(w, "left out until"), 1);
	child_end(&first);
}

static void
test_bad_certificate(void **state)
{
	struct world *w = *state;
	FILE *f = fopen(w->issuer.ocsp_certificate, "w");

	assert_non_null(f);
	fputs("no certificate\n", f);
	assert_int_equal(fclose(f), 0);
	child_start(w, &first, "notify");
	assert_int_equal(child_wait(&first, 5000), 78);
	assert_int_equal(world_num_lines(w, "ocsp.pem"), 1);
}

static void
test_no_store(void **state)
{
	struct world *w = *state;

	store_close(w->store);
	w->store = NULL;
	assert_int_equal(unlink(w->config.store.path), 0);
	child_start(w, &first, "notify");
	assert_true(child_wait(&first, 5000) > 0);
	assert_true(world_num_lines(w, "store.db") > 0);
}

/* Each issuer's source has a connection; nobody else needs one. */
static void
test_opens_the_store_once(void **state)
{
	struct world *w = *state;
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), num_opened = 0;
	struct inotify_event event;

	/* Closing is watched lest two openings are told as one. */
	assert_true(inotify_add_watch(fd, w->config.store.path,
	    IN_OPEN | IN_CLOSE) >= 0);
	child_start(w, &first, "notify");
	assert_true(child_says(&first, "READY=1", 5000));
	while (read(fd, &event, sizeof(event)) == sizeof(event))
		num_opened += (event.mask & IN_OPEN) != 0;
	assert_int_equal(num_opened, 1);
	child_end(&first);
	close(fd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_answers), T(test_responders),
		T(test_nudge_without_signer),
		T(test_ends_with_work), T(test_standby), T(test_garbage),
		T(test_no_certificate_yet), T(test_bad_certificate),
		T(test_no_store), T(test_opens_the_store_once),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
