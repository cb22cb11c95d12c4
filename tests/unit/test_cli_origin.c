/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "origin check" against servers that hang, talk nonsense, never end or speak
 * TLS of the past: each ends in time, with a line that says what it was.
 */
#include "ocsp_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "cli/origin.h"

enum behaviour {
	HANGS,			/* accepts, says nothing */
	SAYS,			/* what, then closes */
	SAYS_AND_HANGS,
	SAYS_FOR_EVER,		/* what, again and again */
	DRIPS,			/* one octet of what each 50 ms */
	SHAKES_HANDS		/* TLS, by context */
};

struct server {
	enum behaviour behaviour;
	const char *what;
	size_t what_len;
	SSL_CTX *context;
	pthread_t thread;
	int listener;
	char port[8];
};

/* --- a server --------------------------------------------------------- */

static void
shake_hands(struct server *s, int fd)
{
	SSL *ssl = SSL_new(s->context);
	char octet;

	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	if (SSL_accept(ssl) == 1)
		(void)SSL_read(ssl, &octet, 1);
	SSL_free(ssl);
}

static void
behave(struct server *s, int fd)
{
	size_t at = 0;
	char octet;

	if (s->behaviour == SHAKES_HANDS) {
		shake_hands(s, fd);
		return;
	}
	/* Whoever closes with octets unread resets the connection. */
	if (s->behaviour != HANGS)
		(void)!read(fd, &octet, 1);
	if (s->what != NULL && s->behaviour != DRIPS)
		(void)!send(fd, s->what, s->what_len, MSG_NOSIGNAL);
	while (s->behaviour == SAYS_FOR_EVER && send(fd, s->what, s->what_len,
	    MSG_NOSIGNAL) > 0)
		continue;
	while (s->behaviour == DRIPS && send(fd, s->what + at++ % s->what_len,
	    1, MSG_NOSIGNAL) > 0)
		(void)usleep(50 * 1000);
	/* Until the client gives up, or has sent everything. */
	if (s->behaviour == SAYS)
		(void)shutdown(fd, SHUT_WR);
	while (read(fd, &octet, 1) > 0)
		continue;
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	int fd;

	/* Closing the listener ends it. */
	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		behave(s, fd);
		(void)close(fd);
	}
	return NULL;
}

static void
start(struct server *s)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	if (s->what != NULL && s->what_len == 0)
		s->what_len = strlen(s->what);
	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(s->listener >= 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&address, len),
	    0);
	assert_int_equal(listen(s->listener, 8), 0);
	assert_int_equal(getsockname(s->listener,
	    (struct sockaddr *)&address, &len), 0);
	(void)snprintf(s->port, sizeof(s->port), "%u",
	    ntohs(address.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void
stop(struct server *s)
{
	(void)shutdown(s->listener, SHUT_RDWR);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	(void)close(s->listener);
}

/* --- asking it -------------------------------------------------------- */

static struct cli_origin *
ask(struct server *s, void (*probe)(struct cli_origin *))
{
	struct cli_origin *o = calloc(1, sizeof(*o));
	struct oc_error error;

	assert_non_null(o);
	cli_origin_init(o);
	o->timeout_s = 1;
	o->cas_name = "nowhere";
	(void)snprintf(o->host, sizeof(o->host), "www.example.test");
	(void)snprintf(o->address, sizeof(o->address), "127.0.0.1");
	memcpy(o->http_port, s->port, sizeof(o->http_port));
	memcpy(o->tls_port, s->port, sizeof(o->tls_port));
	assert_int_equal(x509_host_parse(o->host, &o->name, &error), OC_OK);
	probe(o);
	return o;
}

static void
forget(struct cli_origin *o)
{
	cli_origin_fini(o);
	free(o);
}

/* The first line, and that no exchange took more than its second. */
static void
expect(enum behaviour behaviour, const char *what, size_t what_len,
    void (*probe)(struct cli_origin *), enum cli_origin_result result,
    const char *words)
{
	struct server s = { .behaviour = behaviour, .what = what,
	    .what_len = what_len };
	struct cli_origin *o;
	int64_t from_ns;

	start(&s);
	from_ns = oc_clock_mono_ns();
	o = ask(&s, probe);
	if (oc_clock_mono_ns() - from_ns > 3 * OC_NS_PER_S)
		fail_msg("took %lld ms", (long long)((oc_clock_mono_ns() -
		    from_ns) / OC_NS_PER_MS));
	assert_int_equal(o->num_lines, 1);
	if (o->lines[0].result != result ||
	    strstr(o->lines[0].seen.text, words) == NULL)
		fail_msg("\"%s\", not \"%s\"", o->lines[0].seen.text, words);
	if (result == CLI_ORIGIN_FAILED)
		assert_true(o->lines[0].advice.text[0] != '\0');
	forget(o);
	stop(&s);
}

#define HTTP(behaviour, what, result, words) \
	expect(behaviour, what, 0, cli_origin_probe_http, \
	    CLI_ORIGIN_##result, words)
#define TLS(behaviour, what, words) \
	expect(behaviour, what, 0, cli_origin_probe_tls, \
	    CLI_ORIGIN_FAILED, words)

static void
test_plain_http(void **state)
{
	(void)state;
	HTTP(SAYS, "HTTP/1.1 200 OK\r\n\r\nhello", OK, "HTTP/1.1 200 OK");
	HTTP(SAYS_AND_HANGS, "HTTP/1.0 404 Not Found\r\nA: b\r\n\r\n", OK,
	    "404");
	HTTP(SAYS, "HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n", OK,
	    "302");
	HTTP(SAYS, "HTTP/1.1 301 Moved\r\nlocation:HTTPS://x/\r\n\r\n",
	    FAILED, "to HTTPS://x/: an edge in flexible mode would go round");
	HTTP(SAYS, "HTTP/1.1 400 Bad Request\r\n\r\n", FAILED, "400");
	HTTP(SAYS, "HTTP/1.1 503 Busy\r\n\r\n", FAILED, "503 Busy");
	HTTP(SAYS, "HTTP/1.1 200\x1b[31mOK\r\n\r\n", OK, "200?[31mOK");
}

static void
test_bad_http(void **state)
{
	static const char nul[] = "HTTP/1.1\0 200 OK\r\n\r\n";

	(void)state;
	HTTP(HANGS, NULL, FAILED, "in time");
	HTTP(SAYS, NULL, FAILED, "closes without a word");
	HTTP(SAYS, "SSH-2.0-OpenSSH_9.2\r\n", FAILED, "not HTTP");
	HTTP(SAYS, "HTTP/2 200\r\n\r\n", FAILED, "not HTTP");
	HTTP(SAYS, "HTTP/1.1 abc\r\n\r\n", FAILED, "not HTTP");
	HTTP(SAYS, "HTTP/1.1", FAILED, "not HTTP");
	HTTP(SAYS_AND_HANGS, "HTTP/1.1 200 OK\r\nX: y\r\n", FAILED,
	    "does not end its header");
	HTTP(DRIPS, "HTTP/1.1 200 OK\r\n", FAILED, "in time");
	HTTP(SAYS_FOR_EVER, "X-Header: and another one of them\r\n", FAILED,
	    "header of more than 16384 octets");
	expect(SAYS, nul, sizeof(nul) - 1, cli_origin_probe_http,
	    CLI_ORIGIN_FAILED, "not HTTP");
}

static void
test_not_tls(void **state)
{
	/* An alert: protocol_version; one: handshake_failure. */
	static const char version[] = "\x15\x03\x01\x00\x02\x02\x46";
	static const char failure[] = "\x15\x03\x03\x00\x02\x02\x28";
	/* A record of 16 KiB that never comes, and one too long. */
	static const char cut[] = "\x16\x03\x03\x40\x00\x02";
	static const char too_long[] = "\x16\x03\x03\xff\xff\x02";

	(void)state;
	TLS(HANGS, NULL, "hangs");
	TLS(SAYS, NULL, "closes the connection within the handshake");
	TLS(SAYS, "HTTP/1.1 400 Bad Request\r\n\r\n", "not TLS");
	TLS(SAYS, "SSH-2.0-OpenSSH_9.2\r\n", "not TLS");
	TLS(SAYS_FOR_EVER, "220 mail.example.test ESMTP\r\n", "not TLS");
	TLS(DRIPS, "\x16\x03\x03\x40\x00\x02\x00\x00\x40", "hangs");
	expect(SAYS, version, 7, cli_origin_probe_tls, CLI_ORIGIN_FAILED,
	    "no TLS 1.2 or newer");
	expect(SAYS, failure, 7, cli_origin_probe_tls, CLI_ORIGIN_FAILED,
	    "handshake_failure");
	expect(SAYS, cut, 6, cli_origin_probe_tls, CLI_ORIGIN_FAILED,
	    "closes the connection");
	expect(SAYS_AND_HANGS, cut, 6, cli_origin_probe_tls,
	    CLI_ORIGIN_FAILED, "hangs");
	expect(SAYS, too_long, 6, cli_origin_probe_tls, CLI_ORIGIN_FAILED,
	    "not TLS");
}

static void
test_nobody(void **state)
{
	struct server s = { .behaviour = HANGS };
	struct cli_origin *o;

	(void)state;
	start(&s);
	stop(&s);
	o = ask(&s, cli_origin_probe_tls);
	assert_non_null(strstr(o->lines[0].seen.text, "Connection refused"));
	forget(o);
	o = ask(&s, cli_origin_probe_http);
	assert_non_null(strstr(o->lines[0].seen.text, "Connection refused"));
	assert_int_equal(cli_origin_run(o), CLI_ORIGIN_NONE);
	forget(o);
}

/* --- TLS -------------------------------------------------------------- */

static int
staple(SSL *ssl, void *arg)
{
	struct der_bytes *octets = arg;
	uint8_t *copy = OPENSSL_memdup(octets->p, octets->len);

	assert_non_null(copy);
	(void)SSL_set_tlsext_status_ocsp_resp(ssl, copy, (int)octets->len);
	return SSL_TLSEXT_ERR_OK;
}

/* A context with a leaf; num_more of the CA's certificates behind it. */
static SSL_CTX *
new_context(X509 **ca_out, unsigned int num_more)
{
	EVP_PKEY *ca_key = fixture_key("P-256"), *key = fixture_key("P-256");
	X509 *ca = fixture_cert("CA", ca_key, FIXTURE_CA, NULL, NULL);
	X509 *leaf = fixture_cert("leaf", key, FIXTURE_LEAF, ca, ca_key);
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_security_level(context, 0);
	assert_int_equal(SSL_CTX_use_certificate(context, leaf), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
	while (num_more-- > 0)
		assert_int_equal(SSL_CTX_add1_chain_cert(context, ca), 1);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	X509_free(leaf);
	*ca_out = ca;
	return context;
}

static void
test_tls_of_the_past(void **state)
{
	struct server s = { .behaviour = SHAKES_HANDS };
	struct cli_origin *o;
	X509 *ca;

	(void)state;
	s.context = new_context(&ca, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(s.context,
	    TLS1_VERSION), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(s.context,
	    TLS1_VERSION), 1);
	start(&s);
	o = ask(&s, cli_origin_probe_tls);
	assert_int_equal(o->lines[0].result, CLI_ORIGIN_FAILED);
	if (strstr(o->lines[0].seen.text, "no TLS 1.2 or newer") == NULL)
		fail_msg("%s", o->lines[0].seen.text);
	forget(o);
	stop(&s);
	SSL_CTX_free(s.context);
	X509_free(ca);
}

/* 1200 certificates of 400 octets are more than anybody needs. */
static void
test_too_many_certificates(void **state)
{
	struct server s = { .behaviour = SHAKES_HANDS };
	struct cli_origin *o;
	X509 *ca;

	(void)state;
	s.context = new_context(&ca, 1200);
	start(&s);
	o = ask(&s, cli_origin_probe_tls);
	assert_int_equal(o->lines[0].result, CLI_ORIGIN_FAILED);
	if (strstr(o->lines[0].seen.text, "more certificates than") == NULL)
		fail_msg("%s", o->lines[0].seen.text);
	assert_int_equal(o->presented.len, 0);
	forget(o);
	stop(&s);
	SSL_CTX_free(s.context);
	X509_free(ca);
}

static const struct cli_origin_line *
find_line(const struct cli_origin *o, const char *check)
{
	for (size_t i = 0; i < o->num_lines; i++)
		if (strcmp(o->lines[i].check, check) == 0)
			return &o->lines[i];
	fail_msg("no line %s", check);
	return NULL;
}

static void
run_with_ca(struct cli_origin *o)
{
	(void)o;
}

/* What is stapled is nonsense: the line says so, and that nobody else could
 * be asked. */
static void
test_a_bad_staple(void **state)
{
	static const uint8_t junk[] = { 0x30, 0x82, 0x01, 0x00, 0x0a, 0x01 };
	struct der_bytes octets = DER_ARRAY(junk);
	struct server s = { .behaviour = SHAKES_HANDS };
	struct cli_origin *o;
	struct blob der;
	X509 *ca;

	(void)state;
	s.context = new_context(&ca, 1);
	assert_true(SSL_CTX_set_tlsext_status_cb(s.context, staple) == 1);
	assert_true(SSL_CTX_set_tlsext_status_arg(s.context, &octets) == 1);
	start(&s);
	o = ask(&s, run_with_ca);
	der = fixture_cert_der(ca);
	oc_buffer_put(&o->cas, der.bytes, der.len);
	assert_int_equal(cli_origin_run(o), CLI_ORIGIN_FULL);
	assert_int_equal(find_line(o, "chain")->result, CLI_ORIGIN_OK);
	assert_int_equal(find_line(o, "staple")->result, CLI_ORIGIN_FAILED);
	assert_non_null(strstr(find_line(o, "staple")->seen.text,
	    "cannot be believed"));
	assert_non_null(strstr(find_line(o, "name")->seen.text, "no name"));
	assert_non_null(strstr(find_line(o, "revocation")->seen.text,
	    "names neither"));
	forget(o);
	stop(&s);
	SSL_CTX_free(s.context);
	X509_free(ca);
}

/* --- HOST[:PORT] ------------------------------------------------------ */

static void
test_hosts(void **state)
{
	static const struct {
		const char *text, *host, *port;
	} good[] = {
		{ "www.example.com", "www.example.com", "-" },
		{ "www.example.com:8443", "www.example.com", "8443" },
		{ "192.0.2.1", "192.0.2.1", "-" },
		{ "192.0.2.1:1", "192.0.2.1", "1" },
		{ "::1", "::1", "-" },
		{ "2001:db8::1", "2001:db8::1", "-" },
		{ "[::1]", "::1", "-" },
		{ "[2001:db8::1]:65535", "2001:db8::1", "65535" },
		{ "localhost:443", "localhost", "443" },
		{ "B\xc3\xbc" "cher.example:1", "xn--bcher-kva.example",
		    "1" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example", "-" },
	};
	char host[256], port[8];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		strcpy(port, "-");
		assert_int_equal(cli_origin_parse_host(good[i].text, host,
		    port, NULL), OC_OK);
		assert_string_equal(host, good[i].host);
		assert_string_equal(port, good[i].port);
	}
}

static void
test_bad_hosts(void **state)
{
	static const char *const bad[] = { "", ":443", "a:", "a:0", "a:65536",
	    "a:70000", "a:-1", "a:+1", "a:01", "a: 1", "a:1x", "a:https",
	    "[::1", "[::1]x", "[::1]443", "[::1]:", "[::1]:0", "[a]:1",
	    "[127.0.0.1]:1", "[]:1", "::1:", "1:2:3", "http://a/", "a/b",
	    "a b", "*.example.com", "a@b", "-a", "a..b", "a_b",
	    "b\xc3.example", "\xe2\x98\xba.example", "999.1.1.1", "a\n" };
	struct oc_error error;
	char host[256] = "before", port[8] = "before", text[600];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (cli_origin_parse_host(bad[i], host, port, &error) !=
		    OC_ERR_USAGE)
			fail_msg("\"%s\" is taken", bad[i]);
		assert_true(error.text[0] != '\0');
		assert_string_equal(host, "before");
	}
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(cli_origin_parse_host(text, host, port, &error),
	    OC_ERR_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_http),
		cmocka_unit_test(test_bad_http),
		cmocka_unit_test(test_not_tls),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_tls_of_the_past),
		cmocka_unit_test(test_too_many_certificates),
		cmocka_unit_test(test_a_bad_staple),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_bad_hosts),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
