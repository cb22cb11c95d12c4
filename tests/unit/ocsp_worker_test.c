/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ocsp_worker_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "base/bytes.h"
#include "base/log.h"

/* --- the issuer ------------------------------------------------------- */

/* ResponseData, signed; the slot that stands for it. */
static void
sign_slot(struct world *w, struct ocsp_slot *slot)
{
	struct blob prefix = fixture_prefix(w->ca, slot->encoding);
	struct ocsp_single single = {
		.certid_prefix = blob_bytes(&prefix),
		.serial = { slot->serial.bytes, slot->serial.len },
		.status = slot->status,
		.this_update = slot->this_update,
		.next_update = slot->next_update,
	};
	struct ocsp_response_data data = {
		.responder_key_hash = { w->identity.responder_key_hash, 20 },
		.produced_at = slot->produced_at,
		.singles = &single, .num_singles = 1,
	};
	uint8_t tbs[1024], der[128];
	size_t tbs_len, der_len = sizeof(der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert_int_equal(der_write(ocsp_put_response_data, &data, tbs,
	    sizeof(tbs), &tbs_len), OC_OK);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
	    w->key), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &der_len, tbs, tbs_len), 1);
	EVP_MD_CTX_free(ctx);
	slot->signature_len = 64;
	assert_int_equal(sign_ecdsa_from_der((struct der_bytes){ der,
	    der_len }, slot->signature, 64), OC_OK);
}

struct blob
world_put(struct world *w, const char *serial_hex,
    enum ocsp_cert_status status, int64_t this_update, int64_t next_update)
{
	struct ocsp_slot slot = {
		.serial = fixture_serial(serial_hex),
		.encoding = OCSP_ENCODING_USUAL,
		.status = { status, CRL_REASON_KEY_COMPROMISE, w->now - 60 },
		.produced_at = this_update,
		.this_update = this_update,
		.next_update = next_update,
	};
	struct blob answer;

	sign_slot(w, &slot);
	assert_int_equal(ocsp_context_build(w->context, &slot, answer.bytes,
	    sizeof(answer.bytes), &answer.len), OC_OK);
	assert_int_equal(ocsp_table_put(w->table, &slot), OC_OK);
	return answer;
}

struct blob
world_request(struct world *w, const char *serial_hex, size_t nonce_len)
{
	struct blob none = { .len = 0 };

	return fixture_request(fixture_single(w->ca, OCSP_ENCODING_USUAL,
	    serial_hex), nonce_len == 0 ? none : fixture_nonce(nonce_len));
}

void
world_path(struct blob request, char *path, size_t path_max)
{
	assert_true(OC_BASE64_LEN(request.len) + 2 <= path_max);
	path[0] = '/';
	oc_base64_encode(request.bytes, request.len, path + 1);
}

/* A serial whose request has everything in its base64 that clients and
 * proxies get wrong: '+', '=', and "//" once. */
static bool
find_awkward_serial(struct world *w)
{
	uint64_t chance = (uint64_t)time(NULL) | 1;
	uint8_t serial[13];
	const char *twice;
	int i;

	for (i = 0; i < 20000; i++) {
		test_random_fill(&chance, serial, sizeof(serial));
		serial[0] = 0x41;
		oc_hex_encode(serial, sizeof(serial), w->serial_hex);
		w->request = world_request(w, w->serial_hex, 0);
		world_path(w->request, w->path, sizeof(w->path));
		twice = strstr(w->path, "//");
		if (twice != NULL && strstr(twice + 1, "//") == NULL &&
		    strchr(w->path, '+') != NULL &&
		    strchr(w->path, '=') != NULL)
			return true;
	}
	return false;
}

/* Hashes that have three slashes in a row on their own are as rare as they
 * are useless here. */
static void
make_ca(struct world *w)
{
	do {
		X509_free(w->ca);
		EVP_PKEY_free(w->key);
		w->key = fixture_key("P-256");
		w->ca = fixture_cert("CA", w->key, FIXTURE_CA, NULL, NULL);
	} while (!find_awkward_serial(w));
}

void
world_init(struct world *w)
{
	static const uint8_t store_id[OCSP_STORE_ID_LEN] = "a store";
	struct oc_error error = { 0 };

	memset(w, 0, sizeof(*w));
	oc_log_init("test", OC_LOG_ERROR);
	ipc_dir_new(w->dir);
	snprintf(w->table_path, sizeof(w->table_path), "%s/ca.table", w->dir);
	snprintf(w->status_path, sizeof(w->status_path), "%s/status.sock",
	    w->dir);
	w->now = oc_clock_now_s();
	make_ca(w);
	fixture_identity(w->ca, &w->identity);
	assert_int_equal(ocsp_context_new(&w->identity, &w->context), OC_OK);
	if (ocsp_table_create(w->table_path, &w->identity, store_id, 64,
	    &w->table, &error) != OC_OK)
		fail_msg("%s", error.text);
	w->answer = world_put(w, w->serial_hex, OCSP_GOOD,
	    w->now - WORLD_AGE_S, w->now + WORLD_LIFE_S);
	ocsp_table_set_ready(w->table, true);
}

void
world_fini(struct world *w)
{
	ocsp_table_close(w->table);
	ocsp_context_free(w->context);
	X509_free(w->ca);
	EVP_PKEY_free(w->key);
	ipc_dir_remove(w->dir);
}

int
world_verify(struct world *w, struct blob request, const uint8_t *der,
    size_t len)
{
	const uint8_t *p = request.bytes;
	OCSP_REQUEST *req = d2i_OCSP_REQUEST(NULL, &p, (long)request.len);
	OCSP_RESPONSE *resp;
	OCSP_BASICRESP *basic;
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *certs = sk_X509_new_null();
	OCSP_CERTID *id;
	int status = -1, reason;

	p = der;
	resp = d2i_OCSP_RESPONSE(NULL, &p, (long)len);
	assert_non_null(req);
	assert_non_null(resp);
	assert_ptr_equal(p, der + len);
	assert_int_equal(OCSP_response_status(resp),
	    OCSP_RESPONSE_STATUS_SUCCESSFUL);
	basic = OCSP_response_get1_basic(resp);
	assert_non_null(basic);
	X509_STORE_add_cert(store, w->ca);
	sk_X509_push(certs, w->ca);
	assert_int_equal(OCSP_basic_verify(basic, certs, store, 0), 1);
	id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(req, 0));
	assert_int_equal(OCSP_resp_find_status(basic, id, &status, &reason,
	    NULL, NULL, NULL), 1);
	sk_X509_free(certs);
	X509_STORE_free(store);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(resp);
	OCSP_REQUEST_free(req);
	return status;
}

/* --- the worker ------------------------------------------------------- */

static int
listen_somewhere(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 512), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len),
	    0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void OC_NORETURN
worker_child(struct world *w, worker_tune_fn *tune, struct running *r,
    int listener)
{
	struct ocsp_worker_issuer issuer = { "ca", w->table_path, 1, 0,
	    NULL, OCSP_SIGNED_IGNORED };
	struct ocsp_worker_options options;
	struct ocsp_worker *worker;
	struct oc_error error = { 0 };
	struct rlimit limit;
	int status = 1;

	/* A test that fails leaves nobody behind. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	ocsp_worker_options_init(&options);
	options.listeners = &listener;
	options.num_listeners = 1;
	options.issuers = &issuer;
	options.num_issuers = 1;
	options.status_path = w->status_path;
	if (tune != NULL)
		tune(&options);
	if (ocsp_worker_new(&options, &worker, &error) != OC_OK)
		_exit(2);
	if (r->fds_max != 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = r->fds_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (ocsp_worker_run(worker) == OC_OK)
		status = 0;
	*r->counts = *ocsp_worker_counts(worker);
	ocsp_worker_free(worker);
	_exit(status);
}

void
worker_start(struct world *w, worker_tune_fn *tune, struct running *r)
{
	int listener = listen_somewhere(&r->port);

	r->counts = mmap(NULL, sizeof(*r->counts), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(r->counts, MAP_FAILED);
	fflush(NULL);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0)
		worker_child(w, tune, r, listener);
	close(listener);
}

void
worker_stop(struct running *r)
{
	assert_int_equal(kill(r->pid, SIGTERM), 0);
	worker_wait(r);
}

void
worker_wait(struct running *r)
{
	int status;

	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

struct world world;
struct running running;

int
worker_setup(void **state)
{
	(void)state;
	world_init(&world);
	memset(&running, 0, sizeof(running));
	return 0;
}

int
worker_setup_started(void **state)
{
	(void)worker_setup(state);
	worker_start(&world, NULL, &running);
	return 0;
}

void
worker_stop_untroubled(void)
{
	worker_stop(&running);
	assert_int_equal(running.counts->misses, 0);
	assert_int_equal(running.counts->timeouts, 0);
	assert_int_equal(running.counts->accept_pauses, 0);
	assert_int_equal(running.counts->buffers_exhausted, 0);
}

int
worker_teardown(void **state)
{
	(void)state;
	world_fini(&world);
	return 0;
}

void
sleep_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

int64_t
now_ms(void)
{
	return oc_clock_mono_ns() / OC_NS_PER_MS;
}

int64_t
worker_cpu_ms(const struct running *r)
{
	struct timespec used;
	clockid_t id;

	assert_int_equal(clock_getcpuclockid(r->pid, &id), 0);
	assert_int_equal(clock_gettime(id, &used), 0);
	return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

int
worker_num_fds(const struct running *r)
{
	char path[64];
	int fd, num = 0;

	sleep_ms(150);
	for (fd = 0; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)r->pid,
		    fd);
		num += faccessat(AT_FDCWD, path, F_OK,
		    AT_SYMLINK_NOFOLLOW) == 0;
	}
	return num;
}

/* --- ocsign-status ---------------------------------------------------- */

struct later {
	struct scripted *scripted;
	struct ipc_peer *peer;
	uint64_t id;
};

static void
say(struct ipc_peer *peer, uint64_t id, const struct ipc_answer *answer)
{
	static uint8_t frame[OC_FRAME_MAX];
	size_t len;

	if (ipc_put_answer(frame, sizeof(frame), id, answer, &len) != OC_OK)
		abort();
	ipc_peer_send(peer, frame, len);
}

static void
say_later(evutil_socket_t fd, short what, void *arg)
{
	struct later *later = arg;

	(void)fd;
	(void)what;
	later->scripted->num_pending--;
	say(later->peer, later->id, &(struct ipc_answer){
	    .kind = IPC_ANSWER_ERROR, .status = OCSP_UNAUTHORIZED });
	free(later);
}

static void
postpone(struct scripted *s, struct ipc_peer *peer, uint64_t id)
{
	static const struct timeval delay = { 0, 300000 };
	struct later *later = malloc(sizeof(*later));

	*later = (struct later){ s, peer, id };
	s->num_pending++;
	event_base_once(s->base, -1, EV_TIMEOUT, say_later, later, &delay);
}

static void
put_what_was_asked(struct scripted *s, const struct ipc_ask *ask)
{
	char hex[2 * OC_SERIAL_MAX + 1];

	oc_hex_encode(ask->singles[0].serial.bytes,
	    ask->singles[0].serial.len, hex);
	(void)world_put(s->world, hex, OCSP_REVOKED, s->world->now - 1,
	    s->world->now + WORLD_LIFE_S);
}

static void
scripted_frame(void *arg, struct ipc_peer *peer,
    const struct ipc_header *header,
    struct der_bytes fields, int fd)
{
	static const uint8_t garbage[] = { 0, 0, 0, 20, 0xff, 0xff, 0, 0, 0, 0,
	    0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct scripted *s = arg;
	struct ipc_ask ask;

	if (fd >= 0)
		close(fd);
	if (header->type != IPC_ASK)
		return;
	if (ipc_read_ask(fields, &ask) != OC_OK ||
	    strcmp(ask.name, "ca") != 0)
		abort();
	s->num_asked++;
	s->num_nonces += ask.nonce.len > 0;
	s->num_signed += ask.request.len > 0;
	switch ((enum scripted_mode)s->mode) {
	case STUB_TABLE:
		put_what_was_asked(s, &ask);
		/* FALLTHROUGH */
	case STUB_TABLE_LIE:
		say(peer, header->id, &(struct ipc_answer){
		    .kind = IPC_ANSWER_TABLE });
		return;
	case STUB_RESPONSE:
		say(peer, header->id, &(struct ipc_answer){
		    .kind = IPC_ANSWER_RESPONSE,
		    .this_update = s->world->now,
		    .next_update = s->world->now + 60,
		    .response = blob_bytes(&s->world->answer) });
		return;
	case STUB_ERROR:
		say(peer, header->id, &(struct ipc_answer){
		    .kind = IPC_ANSWER_ERROR, .status = OCSP_TRY_LATER,
		    .retry_after_s = 17 });
		return;
	case STUB_NO_NONCE:
		say(peer, header->id, &(struct ipc_answer){
		    .kind = IPC_ANSWER_NO_NONCE });
		return;
	case STUB_SILENT:
		return;
	case STUB_HANG_UP:
		ipc_peer_close(peer);
		return;
	case STUB_GARBAGE:
		ipc_peer_send(peer, garbage, sizeof(garbage));
		return;
	case STUB_SLOW:
		postpone(s, peer, header->id);
		return;
	}
}

static void
scripted_gone(void *arg, struct ipc_peer *peer)
{
	(void)arg;
	(void)peer;
}

static void
scripted_setup(struct event_base *base, void *arg)
{
	struct scripted *s = arg;
	struct oc_error error = { 0 };
	int fd;

	s->base = base;
	if (ipc_listen(s->world->status_path, &fd, &error) != OC_OK ||
	    ipc_server_new(base, fd, "status", scripted_frame, scripted_gone, s,
	    &s->server) != OC_OK)
		abort();
}

static void
scripted_teardown(struct event_base *base, void *arg)
{
	struct scripted *s = arg;

	(void)base;
	ipc_server_free(s->server);
}

void
scripted_start(struct world *w, enum scripted_mode mode, struct scripted *s)
{
	memset(s, 0, sizeof(*s));
	s->world = w;
	s->mode = mode;
	s->thread = ipc_thread_start(scripted_setup, scripted_teardown, s);
}

void
scripted_stop(struct scripted *s)
{
	ipc_thread_stop(s->thread);
	assert_int_equal(s->num_pending, 0);
	unlink(s->world->status_path);
}
