/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server over real sockets: caps, deadlines, limits, keep-alive, drain.
 * It runs on a thread of its own; clients are blocking.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "net/server.h"

#define HOST "Host: a\r\n"

struct fixture {
	struct event_base *base;
	struct net_server *server;
	struct event *stop, *later;
	pthread_t thread;
	int port, stop_fds[2];
	struct net_exchange *kept;	/* of "/later" */
	atomic_int num_begun, num_late;	/* requests heard; "/later"s answered */
};

static void
handle(void *arg, struct net_exchange *x)
{
	const struct net_request *r = net_exchange_request(x);
	struct fixture *f = arg;
	const struct timeval tv = { 0, 200000 };

	(void)atomic_fetch_add(&f->num_begun, 1);
	if (strcmp(r->path, "/later") == 0) {
		f->kept = x;
		event_add(f->later, &tv);
		return;
	}
	net_reply(x, 200, "text/plain", NULL, r->body, r->body_len);
}

static void
answer_later(evutil_socket_t fd, short what, void *arg)
{
	struct fixture *f = arg;

	(void)fd, (void)what;
	net_reply(f->kept, 200, "text/plain", NULL, "late", 4);
	(void)atomic_fetch_add(&f->num_late, 1);
}

static void
wait_for(atomic_int *num, int wanted)
{
	int64_t deadline_ns = oc_clock_mono_ns() + 10 * OC_NS_PER_S;

	while (atomic_load(num) < wanted) {
		assert_true(oc_clock_mono_ns() < deadline_ns);
		usleep(1000);
	}
}

static void
refuse(void *arg, const char *path, int status, char **body,
    const char **type)
{
	(void)arg;
	*type = "text/plain";
	if (asprintf(body, "refused %d at \"%s\"", status, path) < 0)
		*body = NULL;
}

/* 'd' drains, anything else ends. */
static void
on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct fixture *f = arg;
	char c = 'e';

	(void)what;
	(void)!read(fd, &c, 1);
	if (c == 'd')
		net_server_drain(f->server);
	else
		event_base_loopbreak(f->base);
}

static void *
serve(void *arg)
{
	event_base_dispatch(((struct fixture *)arg)->base);
	return NULL;
}

static void
start(struct fixture *f, struct net_server_options *o)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	struct oc_error error = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(f, 0, sizeof(*f));
	assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	f->port = ntohs(in.sin_port);
	f->base = event_base_new();
	o->base = f->base;
	o->listeners = &fd;
	o->num_listeners = 1;
	o->handler = handle;
	o->refuse = refuse;
	o->arg = f;
	assert_int_equal(net_server_new(o, &f->server, &error), OC_OK);
	assert_int_equal(pipe(f->stop_fds), 0);
	f->stop = event_new(f->base, f->stop_fds[0], EV_READ | EV_PERSIST,
	    on_stop, f);
	f->later = evtimer_new(f->base, answer_later, f);
	event_add(f->stop, NULL);
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void
end(struct fixture *f)
{
	assert_int_equal(write(f->stop_fds[1], "e", 1), 1);
	pthread_join(f->thread, NULL);
	net_server_free(f->server);
	event_free(f->stop);
	event_free(f->later);
	event_base_free(f->base);
	close(f->stop_fds[0]);
	close(f->stop_fds[1]);
}

static struct net_server_options
options(void)
{
	return (struct net_server_options){
		.connections_max = 16, .address_max = 16,
		.handshakes_max = 4,
		.header_timeout_ns = 20 * OC_NS_PER_S,
		.request_timeout_ns = 20 * OC_NS_PER_S,
		.idle_timeout_ns = 20 * OC_NS_PER_S,
		.write_timeout_ns = 20 * OC_NS_PER_S,
		.body_max = 1000,
	};
}

static int
dial(const struct fixture *f)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)f->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval tv = { 10, 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
	    strlen(text));
}

/* Until one whole answer with a body of body_len octets, or the end. */
static const char *
hear(int fd)
{
	static char text[32 * 1024];
	size_t n = 0;
	ssize_t got;
	char *body, *len;

	text[0] = '\0';
	for (;;) {
		body = strstr(text, "\r\n\r\n");
		len = strstr(text, "Content-Length: ");
		if (body != NULL && (len == NULL || len > body))
			break;		/* 100 Continue */
		if (body != NULL && n >= (size_t)(body + 4 - text) +
		    strtoul(len + 16, NULL, 10))
			break;
		got = recv(fd, text + n, 1, 0);
		if (got <= 0)
			break;
		text[n += (size_t)got] = '\0';
	}
	return text;
}

static bool
is_closed(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 0;
}

static void
assert_hears(int fd, const char *status, const char *body)
{
	const char *text = hear(fd);

	if (strncmp(text, "HTTP/1.1 ", 9) != 0 ||
	    strncmp(text + 9, status, 3) != 0 ||
	    (body != NULL && strstr(text, body) == NULL))
		fail_msg("not %s \"%s\": \"%s\"", status, body, text);
}

static void
test_keep_alive(void **state)
{
	struct net_server_options o = options();
	struct fixture f;
	int fd;

	(void)state;
	start(&f, &o);
	fd = dial(&f);
	say(fd, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
	    "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	    "2;x=y\r\nde\r\n1\r\nf\r\n0\r\nTrailer: x\r\n\r\n"
	    "HEAD / HTTP/1.1\r\n" HOST "\r\n");
	assert_hears(fd, "200", "\r\n\r\nabc");
	assert_hears(fd, "200", "\r\n\r\ndef");
	assert_hears(fd, "200", "Content-Length: 0");
	say(fd, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 1\r\n"
	    "Expect: 100-continue\r\n\r\n");
	assert_hears(fd, "100", NULL);
	say(fd, "z");
	assert_hears(fd, "200", "late");
	say(fd, "GET /x HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	assert_hears(fd, "200", "Connection: close");
	assert_true(is_closed(fd));
	close(fd);
	end(&f);
}

/* Who hangs up before the answer costs nothing but itself. */
static void
test_gone_client(void **state)
{
	struct net_server_options o = options();
	struct fixture f;
	int fd;

	(void)state;
	start(&f, &o);
	fd = dial(&f);
	say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	wait_for(&f.num_begun, 1);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER,
	    &(struct linger){ 1, 0 }, sizeof(struct linger));
	close(fd);
	wait_for(&f.num_late, 1);
	fd = dial(&f);
	say(fd, "GET / HTTP/1.1\r\n" HOST "\r\n");
	assert_hears(fd, "200", NULL);
	/* Half-closed: it still wants to hear. */
	say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	shutdown(fd, SHUT_WR);
	assert_hears(fd, "200", "late");
	assert_true(is_closed(fd));
	close(fd);
	/* To all that is whole; half a head is no request. */
	fd = dial(&f);
	say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n"
	    "POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
	    "GET /later HTTP/1.1\r\n" HOST "\r\n"
	    "GET /half HTTP/1.1\r\n");
	shutdown(fd, SHUT_WR);
	assert_hears(fd, "200", "late");
	assert_hears(fd, "200", "\r\n\r\nabc");
	assert_hears(fd, "200", "late");
	assert_true(is_closed(fd));
	close(fd);
	end(&f);
}

static void
test_limits(void **state)
{
	struct net_server_options o = options();
	struct fixture f;
	char big[NET_HEAD_MAX + 100];
	int fd;

	(void)state;
	start(&f, &o);
	fd = dial(&f);
	say(fd, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 10000000\r\n"
	    "\r\nabc");
	assert_hears(fd, "413", "refused 413 at \"/a\"");
	assert_true(is_closed(fd));
	close(fd);
	fd = dial(&f);
	say(fd, "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
	    "\r\n3e9\r\n");
	assert_hears(fd, "413", NULL);
	close(fd);
	fd = dial(&f);
	say(fd, "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
	    "\r\nzz\r\n");
	assert_hears(fd, "400", NULL);
	close(fd);
	fd = dial(&f);
	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	say(fd, "GET /b?c HTTP/1.1\r\nX: ");
	say(fd, big);
	assert_hears(fd, "431", "refused 431 at \"/b\"");
	close(fd);
	fd = dial(&f);
	say(fd, "GET / HTTP/1.1\r\n\r\n");
	assert_hears(fd, "400", "refused 400");
	close(fd);
	fd = dial(&f);
	say(fd, "GET /b\r\n\r\n");
	assert_hears(fd, "400", "refused 400 at \"/b\"");
	close(fd);
	end(&f);
}

/* A drop at a time does not move a deadline, and hurts nobody else. */
static void
test_slow(void **state)
{
	struct net_server_options o = options();
	struct fixture f;
	int head, body, other;
	int64_t begun = oc_clock_mono_ns();

	(void)state;
	o.header_timeout_ns = OC_NS_PER_S;
	o.request_timeout_ns = 2 * OC_NS_PER_S;
	start(&f, &o);
	head = dial(&f);
	body = dial(&f);
	say(body, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 900\r\n\r\n");
	say(head, "GET ");
	other = dial(&f);
	for (int i = 0; i < 3; i++) {
		say(head, "/");
		say(body, "x");
		say(other, "GET / HTTP/1.1\r\n" HOST "\r\n");
		assert_hears(other, "200", NULL);
		usleep(100000);
	}
	assert_hears(head, "408", "refused 408 at \"///\"");
	assert_true(oc_clock_mono_ns() - begun >= OC_NS_PER_S);
	assert_hears(body, "408", "refused 408 at \"/a\"");
	assert_true(oc_clock_mono_ns() - begun >= 2 * OC_NS_PER_S);
	assert_true(is_closed(head));
	close(head);
	close(body);
	/* Nothing at all: closed without a word. */
	head = dial(&f);
	assert_true(is_closed(head));
	close(head);
	close(other);
	end(&f);
}

/* As soon as it has seen that somebody left. */
static int
dial_let_in(const struct fixture *f)
{
	const char *request = "GET / HTTP/1.1\r\n" HOST "\r\n";
	int64_t deadline_ns = oc_clock_mono_ns() + 10 * OC_NS_PER_S;

	for (;;) {
		int fd = dial(f);

		(void)!send(fd, request, strlen(request), MSG_NOSIGNAL);
		if (strncmp(hear(fd), "HTTP/1.1 200", 12) == 0)
			return fd;
		close(fd);
		assert_true(oc_clock_mono_ns() < deadline_ns);
	}
}

static void
test_caps(void **state)
{
	struct net_server_options o = options();
	struct fixture f;
	int fds[4], last;

	(void)state;
	o.address_max = 4;
	start(&f, &o);
	for (int i = 0; i < 4; i++) {
		fds[i] = dial(&f);
		say(fds[i], "GET / HTTP/1.1\r\n" HOST "\r\n");
		assert_hears(fds[i], "200", NULL);
	}
	last = dial(&f);
	assert_true(is_closed(last));
	close(last);
	close(fds[0]);
	last = dial_let_in(&f);
	close(last);
	for (int i = 1; i < 4; i++)
		close(fds[i]);
	end(&f);

	/* All taken: the one that is idle longest makes room. */
	o.address_max = 16;
	o.connections_max = 3;
	start(&f, &o);
	for (int i = 0; i < 3; i++) {
		fds[i] = dial(&f);
		say(fds[i], "GET / HTTP/1.1\r\n" HOST "\r\n");
		assert_hears(fds[i], "200", NULL);
	}
	last = dial(&f);
	say(last, "GET / HTTP/1.1\r\n" HOST "\r\n");
	assert_hears(last, "200", NULL);
	assert_true(is_closed(fds[0]));
	say(fds[1], "GET / HTTP/1.1\r\n" HOST "\r\n");
	assert_hears(fds[1], "200", NULL);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	close(last);
	end(&f);
}

/* What was begun is finished, by who was let in last, too. */
static void
test_drain(void **state)
{
	struct net_server_options o = options();
	struct fixture f;
	int busy, idle, new, silent;
	int64_t begun;

	(void)state;
	start(&f, &o);
	idle = dial(&f);
	say(idle, "GET / HTTP/1.1\r\n" HOST "\r\n");
	assert_hears(idle, "200", NULL);
	silent = dial(&f);
	new = dial(&f);
	busy = dial(&f);
	say(busy, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	wait_for(&f.num_begun, 2);
	begun = oc_clock_mono_ns();
	assert_int_equal(write(f.stop_fds[1], "d", 1), 1);
	assert_true(is_closed(idle));
	say(new, "GET / HTTP/1.1\r\n" HOST "\r\n");
	assert_hears(new, "200", "Connection: close");
	assert_true(is_closed(new));
	assert_hears(busy, "200", "Connection: close");
	assert_true(is_closed(busy));
	assert_true(is_closed(silent));
	assert_true(oc_clock_mono_ns() - begun >= OC_NS_PER_S);
	close(idle);
	close(silent);
	close(new);
	close(busy);
	end(&f);
}

/* Who is still reading when it begins is not idle for long afterwards. */
static void
test_drain_of_a_reader(void **state)
{
	enum { LEN = 16 * 1024 * 1024 };	/* more than sockets hold */
	struct net_server_options o = options();
	char *text = malloc(LEN);
	struct fixture f;
	int64_t begun;
	ssize_t got;
	int fd;

	(void)state;
	o.body_max = LEN;
	start(&f, &o);
	fd = dial(&f);
	memset(text, 'x', LEN);
	dprintf(fd, "POST /a HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
	    LEN);
	for (size_t n = 0; n < LEN; n += (size_t)got) {
		got = send(fd, text + n, LEN - n, MSG_NOSIGNAL);
		assert_true(got > 0);
	}
	wait_for(&f.num_begun, 1);
	assert_int_equal(write(f.stop_fds[1], "d", 1), 1);
	usleep(100000);
	begun = oc_clock_mono_ns();
	while ((got = recv(fd, text, LEN, 0)) > 0)
		continue;
	assert_int_equal(got, 0);
	assert_true(oc_clock_mono_ns() - begun < o.idle_timeout_ns / 2);
	close(fd);
	free(text);
	end(&f);
}

/* --- TLS ---------------------------------------------------------------- */

static char tls_dir[32];
static char cert_path[64], key_path[64];

static int
make_tls(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	FILE *file;

	(void)state;
	strcpy(tls_dir, "/tmp/ocsign-net.XXXXXX");
	assert_non_null(mkdtemp(tls_dir));
	snprintf(cert_path, sizeof(cert_path), "%s/c.pem", tls_dir);
	snprintf(key_path, sizeof(key_path), "%s/k.pem", tls_dir);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	file = fopen(cert_path, "w");
	PEM_write_X509(file, cert);
	fclose(file);
	file = fopen(key_path, "w");
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	chmod(key_path, 0600);
	X509_free(cert);
	EVP_PKEY_free(key);
	return 0;
}

static int
remove_tls(void **state)
{
	(void)state;
	unlink(cert_path);
	unlink(key_path);
	return rmdir(tls_dir);
}

static void
assert_tls_answers(const struct fixture *f, int version)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	char text[1024] = "";
	size_t n = 0;
	int fd = dial(f), got;

	SSL_set_max_proto_version(ssl, version);
	/* Lest it is the client who will not have TLS 1.1. */
	SSL_set_security_level(ssl, 0);
	SSL_set_fd(ssl, fd);
	if (version < TLS1_2_VERSION) {
		assert_int_not_equal(SSL_connect(ssl), 1);
	} else {
		assert_int_equal(SSL_connect(ssl), 1);
		assert_true(SSL_write(ssl, "GET / HTTP/1.1\r\n" HOST
		    "Connection: close\r\n\r\n", 46) > 0);
		while (n < sizeof(text) - 1 && (got = SSL_read(ssl, text + n,
		    (int)(sizeof(text) - 1 - n))) > 0)
			n += (size_t)got;
		assert_non_null(strstr(text, "HTTP/1.1 200"));
		/* A close_notify, not a cut. */
		assert_int_equal(SSL_get_error(ssl, got),
		    SSL_ERROR_ZERO_RETURN);
	}
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
}

static void
test_tls(void **state)
{
	struct net_server_options o = options();
	struct oc_error error = { 0 };
	struct fixture f;
	int stalled[10];

	(void)state;
	assert_int_equal(net_tls_new(cert_path, key_path, &o.tls, &error),
	    OC_OK);
	start(&f, &o);
	assert_tls_answers(&f, TLS1_3_VERSION);
	assert_tls_answers(&f, TLS1_2_VERSION);
	assert_tls_answers(&f, TLS1_1_VERSION);
	/* More than handshakes_max that never go on: the oldest has to go,
	 * and who means it is served. */
	for (int i = 0; i < 10; i++)
		stalled[i] = dial(&f);
	assert_tls_answers(&f, TLS1_3_VERSION);
	assert_true(is_closed(stalled[0]));
	for (int i = 0; i < 10; i++)
		close(stalled[i]);
	end(&f);
	net_tls_free(o.tls);
}

static void
test_tls_files(void **state)
{
	struct oc_error error = { 0 };
	struct net_tls *tls;

	(void)state;
	assert_int_equal(net_tls_new(key_path, key_path, &tls, &error),
	    OC_ERR_MALFORMED);
	assert_int_equal(net_tls_new(cert_path, "/nowhere", &tls, &error),
	    OC_ERR_NOT_FOUND);
	chmod(key_path, 0644);
	assert_int_equal(net_tls_new(cert_path, key_path, &tls, &error),
	    OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "chmod"));
	chmod(key_path, 0600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_gone_client),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_drain_of_a_reader),
		cmocka_unit_test_setup_teardown(test_tls, make_tls,
		    remove_tls),
		cmocka_unit_test_setup_teardown(test_tls_files, make_tls,
		    remove_tls),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
