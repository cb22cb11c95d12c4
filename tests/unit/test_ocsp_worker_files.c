/* SPDX-License-Identifier: Apache-2.0 */
/* A responder serves files: which path, what of it, to whom, and until when. */
#include "tests/unit/ocsp_worker_test.h"

#include <stdio.h>
#include <sys/socket.h>

#include "ocsp/served.h"

#define BIG_LEN (24 * 1024 * 1024)
#define SLOW_NS OC_NS_PER_S
/* More than sockets hold, for each of so many readers. */
#define OLD_LEN (8 * 1024 * 1024)
#define NUM_OLD 3
/* Enough for who is not slow, on a busy machine too. */
#define OLD_NS (4 * OC_NS_PER_S)

/* Of the worker; one world at a time.  "MDEwLTAt" begins as a request for
 * OCSP does, and is base64. */
static const char *const targets[] = { "/crl/root", "/ca_1.cer", "/MDEwLTAt",
    "/big.crl", "/none.crl" };
#define NUM_FILES 5
static struct ocsp_worker_file files[NUM_FILES];
static char paths[NUM_FILES][WORLD_PATH_MAX + 32];

static void
tune(struct ocsp_worker_options *options)
{
	options->files = files;
	options->num_files = NUM_FILES;
	options->write_timeout_ns = SLOW_NS;
}

static void
tune_old(struct ocsp_worker_options *options)
{
	tune(options);
	options->write_timeout_ns = OLD_NS;
}

/* Octets that tell where they stand. */
static void
fill(uint8_t *p, size_t len, uint8_t with)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 + i / 256 + with);
}

static void
place(const struct world *w, size_t file, size_t len, uint8_t with,
    int64_t until)
{
	struct ocsp_served_facts facts = { w->now - WORLD_AGE_S, until,
	    { 0xab, with } };
	struct oc_error error = { 0 };
	uint8_t *p = malloc(len);

	assert_non_null(p);
	fill(p, len, with);
	if (ocsp_served_write(paths[file], &facts, (struct der_bytes){ p,
	    len }, &error) != OC_OK)
		fail_msg("%s", error.text);
	free(p);
}

/* As place() does, of an issuer whose clock is ahead. */
static void
place_ahead(size_t file, int64_t modified_at, int64_t until)
{
	const struct ocsp_served_facts facts = { modified_at, until,
	    { 0xcd } };
	static const uint8_t octets[100];

	assert_int_equal(ocsp_served_write(paths[file], &facts,
	    (struct der_bytes){ octets, sizeof(octets) }, NULL), OC_OK);
}

static void
lay_out(struct world *w)
{
	world_init(w);
	for (size_t i = 0; i < NUM_FILES; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%zu.served", w->dir,
		    i);
		files[i] = (struct ocsp_worker_file){ targets[i],
		    strlen(targets[i]), paths[i],
		    i == 1 ? OC_FILE_CERTIFICATE : OC_FILE_CRL };
	}
	place(w, 0, 5000, 0, w->now + 1000);
	place(w, 1, 700, 1, w->now + 100 * WORLD_LIFE_S);
	place(w, 2, 300, 2, w->now - 10);
}

static void
begin(struct world *w, struct running *r)
{
	lay_out(w);
	worker_start(w, tune, r);
}

static void
begin_big(struct world *w, struct running *r)
{
	lay_out(w);
	place(w, 3, BIG_LEN, 3, w->now + 1000);
	worker_start(w, tune, r);
}

static void
clean(struct world *w)
{
	for (size_t i = 0; i < NUM_FILES; i++)
		(void)unlink(paths[i]);
	world_fini(w);
}

static void
end(struct world *w, struct running *r)
{
	worker_stop(r);
	clean(w);
}

static void
assert_file(const struct response *r, size_t first, size_t len, uint8_t with)
{
	uint8_t whole[16 * 1024];

	fill(whole, first + len, with);
	assert_int_equal(r->len, len);
	assert_memory_equal(r->body, whole + first, len);
}

static void
ask_with(struct client *c, const char *method, const char *path,
    const char *fields)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n",
	    method, path, fields);
	client_send_text(c, text);
}

static void
test_heads(void **state)
{
	struct world w;
	struct running r = { .fds_max = 0 };
	struct response got;
	char value[256];

	(void)state;
	begin(&w, &r);
	http_get(r.port, "/crl/root", "", &got);
	assert_int_equal(got.status, 200);
	assert_file(&got, 0, 5000, 0);
	assert_field(&got, "Content-Type", "application/pkix-crl");
	assert_field(&got, "Accept-Ranges", "bytes");
	assert_field(&got, "ETag", "\"ab000000000000000000000000000000\"");
	assert_non_null(response_field(&got, "Last-Modified", value));
	assert_non_null(response_field(&got, "Cache-Control", value));
	/* What is left of the 1000 s. */
	assert_in_range(atoi(value + strlen("max-age=")), 900, 1000);
	assert_non_null(strstr(value, ", public"));
	http_get(r.port, "/crl/root?x=1", "", &got);
	assert_int_equal(got.status, 200);
	http_get(r.port, "http://elsewhere/crl/root", "", &got);
	assert_int_equal(got.status, 200);

	http_get(r.port, "/ca_1.cer", "", &got);
	assert_int_equal(got.status, 200);
	assert_file(&got, 0, 700, 1);
	assert_field(&got, "Content-Type", "application/pkix-cert");
	assert_non_null(response_field(&got, "Cache-Control", value));
	assert_int_equal(strncmp(value, "max-age=86400,", 14), 0);

	/* Past its end: served, and no cache keeps it. */
	http_get(r.port, "/MDEwLTAt", "", &got);
	assert_int_equal(got.status, 200);
	assert_file(&got, 0, 300, 2);
	assert_non_null(response_field(&got, "Cache-Control", value));
	assert_int_equal(strncmp(value, "max-age=0,", 10), 0);

	http_get(r.port, "/none.crl", "", &got);
	assert_int_equal(got.status, 404);
	assert_field(&got, "Cache-Control", "no-store");
	http_get(r.port, "/crl/roo", "", &got);
	assert_int_equal(got.status, 404);
	http_get(r.port, "/crl/root/", "", &got);
	assert_int_equal(got.status, 404);
	end(&w, &r);
	assert_true(r.counts->crls.whole == 4);
	assert_true(r.counts->certificates.whole == 1);
	assert_true(r.counts->crls.missing == 1);
	assert_true(r.counts->http_errors == 2);
	assert_true(r.counts->crls.cut == 0);
}

static void
test_selection(void **state)
{
	struct client *c;
	struct world w;
	struct running r = { .fds_max = 0 };
	struct response got;

	(void)state;
	begin(&w, &r);
	c = client_new(r.port);
	/* All on one connection, some sent before the answer has come. */
	ask_with(c, "GET", "/crl/root", "Range: bytes=100-199\r\n");
	ask_with(c, "HEAD", "/crl/root", "Range: bytes=100-199\r\n");
	ask_with(c, "GET", "/crl/root", "Range: bytes=5000-\r\n");
	ask_with(c, "GET", w.path, "");
	ask_with(c, "GET", "/crl/root",
	    "If-None-Match: \"ab000000000000000000000000000000\"\r\n");
	assert_true(client_read(c, false, &got));
	assert_int_equal(got.status, 206);
	assert_field(&got, "Content-Range", "bytes 100-199/5000");
	assert_file(&got, 100, 100, 0);
	assert_true(client_read(c, true, &got));
	assert_int_equal(got.status, 200);
	assert_int_equal(got.content_length, 5000);
	assert_true(client_read(c, false, &got));
	assert_int_equal(got.status, 416);
	assert_field(&got, "Content-Range", "bytes */5000");
	assert_true(client_read(c, false, &got));
	assert_body(&got, w.answer);
	assert_true(client_read(c, false, &got));
	assert_int_equal(got.status, 304);
	ask_with(c, "GET", "/ca_1.cer", "If-Match: \"x\"\r\n");
	assert_true(client_read(c, false, &got));
	assert_int_equal(got.status, 412);
	/* What is not for files. */
	ask_with(c, "POST", "/crl/root", "Content-Length: 0\r\n");
	assert_true(client_read(c, false, &got));
	assert_int_equal(got.status, 405);
	assert_field(&got, "Allow", "GET, HEAD");
	ask_with(c, "DELETE", "/ca_1.cer", "");
	assert_true(client_read(c, false, &got));
	assert_int_equal(got.status, 405);
	assert_field(&got, "Allow", "GET, HEAD");
	ask_with(c, "GET", "/crl/root", "Connection: close\r\n");
	assert_true(client_read(c, false, &got));
	assert_file(&got, 0, 5000, 0);
	assert_true(client_is_closed(c, 5000));
	client_free(c);
	end(&w, &r);
	assert_true(r.counts->crls.part == 1);
	assert_true(r.counts->crls.refused == 2);
	assert_true(r.counts->crls.not_modified == 1);
	assert_true(r.counts->certificates.refused == 2);
	assert_true(r.counts->hits == 1);
}

/* Nothing was changed later than now: RFC 9110, 8.8.2.1. */
static void
test_ahead(void **state)
{
	struct world w;
	struct running r = { .fds_max = 0 };
	struct response got;
	char date[256], modified[256];

	(void)state;
	lay_out(&w);
	place_ahead(0, w.now + 300, w.now + 1000);
	worker_start(&w, tune, &r);
	http_get(r.port, "/crl/root", "", &got);
	assert_int_equal(got.status, 200);
	assert_non_null(response_field(&got, "Date", date));
	assert_non_null(response_field(&got, "Last-Modified", modified));
	assert_string_equal(modified, date);
	end(&w, &r);
}

/* A path that is a request is one, whatever else it is. */
static void
test_request_wins(void **state)
{
	struct world w;
	struct running r = { .fds_max = 0 };
	struct response got;

	(void)state;
	lay_out(&w);
	files[0].target = w.path;
	files[0].target_len = strlen(w.path);
	worker_start(&w, tune, &r);
	http_get(r.port, w.path, "", &got);
	assert_body(&got, w.answer);
	end(&w, &r);
	assert_true(r.counts->crls.whole == 0);
}

static bool
has_body(const struct running *r, const char *path, uint8_t with)
{
	struct response got;
	uint8_t first[16];

	http_get(r->port, path, "Range: bytes=0-15\r\n", &got);
	fill(first, sizeof(first), with);
	return got.status == 206 && memcmp(got.body, first, 16) == 0;
}

/* Within five seconds. */
static bool
gets_body(const struct running *r, const char *path, uint8_t with)
{
	int64_t end_ms = now_ms() + 5000;

	while (!has_body(r, path, with)) {
		if (now_ms() > end_ms)
			return false;
		sleep_ms(50);
	}
	return true;
}

/* Another one, one that is none, one that is gone. */
static void
test_replaced(void **state)
{
	struct world w;
	struct running r = { .fds_max = 0 };
	struct response got;
	int64_t end_ms;
	FILE *f;

	(void)state;
	begin(&w, &r);
	assert_true(has_body(&r, "/crl/root", 0));
	place(&w, 0, 4000, 9, w.now + 1000);
	assert_true(gets_body(&r, "/crl/root", 9));
	/* Damaged: what was there stays. */
	f = fopen(paths[2], "w");
	assert_non_null(f);
	assert_true(fputs("nothing", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(paths[2], paths[0]), 0);
	sleep_ms(1500);
	assert_true(has_body(&r, "/crl/root", 9));
	assert_int_equal(unlink(paths[0]), 0);
	end_ms = now_ms() + 5000;
	do {
		sleep_ms(50);
		http_get(r.port, "/crl/root", "", &got);
	} while (got.status != 404 && now_ms() < end_ms);
	assert_int_equal(got.status, 404);
	end(&w, &r);
}

/* What is there cannot be looked at: that is not as if it were gone. */
static void
test_out_of_sight(void **state)
{
	char loop[WORLD_PATH_MAX + 64];
	struct world w;
	struct running r = { .fds_max = 0 };

	(void)state;
	begin(&w, &r);
	assert_true(has_body(&r, "/crl/root", 0));
	snprintf(loop, sizeof(loop), "%s/loop", w.dir);
	assert_int_equal(symlink(paths[0], loop), 0);
	assert_int_equal(rename(loop, paths[0]), 0);
	sleep_ms(1500);
	assert_true(has_body(&r, "/crl/root", 0));
	assert_int_equal(unlink(paths[0]), 0);
	place(&w, 0, 4000, 9, w.now + 1000);
	assert_true(gets_body(&r, "/crl/root", 9));
	end(&w, &r);
}

/* How much of the body of c comes, len at a time with a pause; until the end
 * or max.  with < 0: what it is does not matter. */
static size_t
drink(struct client *c, size_t len, int pause_ms, size_t max, int with)
{
	uint8_t *chunk = malloc(len);
	uint8_t expected;
	size_t total = 0, at = 0;
	bool has_head = false;
	ssize_t n;

	assert_non_null(chunk);
	while (total < max && (n = recv(c->fd, chunk, len, 0)) > 0) {
		if (!has_head) {
			const uint8_t *body = memmem(chunk, (size_t)n,
			    "\r\n\r\n", 4);

			assert_non_null(body);
			has_head = true;
			at = (size_t)(body + 4 - chunk);
		}
		for (; at < (size_t)n; at++, total++) {
			expected = (uint8_t)(total * 7 + total / 256 +
			    (size_t)with);
			if (with >= 0 && chunk[at] != expected)
				fail_msg("at %zu: %d, not %d", total,
				    chunk[at], expected);
		}
		at = 0;
		sleep_ms(pause_ms);
	}
	free(chunk);
	return total;
}

static struct client *
slow_client(uint16_t port)
{
	struct client *c = client_new(port);
	int small = 32 * 1024;

	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	return c;
}

/* One that takes 24 MB, one that takes nothing, one that takes little: the
 * first two are told apart by progress, and others do not notice. */
static void
test_big(void **state)
{
	struct client *fast, *stuck, *slow;
	struct world w;
	struct running r = { .fds_max = 0 };
	struct response got;
	int64_t began_ms;
	size_t i;

	(void)state;
	begin_big(&w, &r);
	stuck = slow_client(r.port);
	ask_with(stuck, "GET", "/big.crl", "");
	slow = slow_client(r.port);
	ask_with(slow, "GET", "/big.crl", "");
	fast = client_new(r.port);
	ask_with(fast, "GET", "/big.crl", "");
	/* Replaced meanwhile: those who have begun get what they began. */
	place(&w, 3, BIG_LEN, 8, w.now + 1000);
	began_ms = now_ms();
	for (i = 0; i < 20; i++) {
		http_get_serial(&w, r.port, w.serial_hex, 0, &got);
		assert_body(&got, w.answer);
	}
	assert_int_equal(drink(fast, 256 * 1024, 0, BIG_LEN, 3), BIG_LEN);
	client_free(fast);
	/* 8 KiB each 20 ms is more than enough, for three deadlines. */
	assert_true(drink(slow, 8 * 1024, 20, 1500 * 1024, 3) >=
	    1500 * 1024);
	assert_true(now_ms() - began_ms > 3 * SLOW_NS / OC_NS_PER_MS - 500);
	client_free(slow);
	/* The other one was let go meanwhile. */
	i = drink(stuck, 64 * 1024, 0, BIG_LEN, 3);
	assert_true(i < BIG_LEN);
	client_free(stuck);
	assert_true(gets_body(&r, "/big.crl", 8));
	end(&w, &r);
	assert_true(r.counts->crls.whole == 3);
	assert_true(r.counts->crls.cut == 2);
	assert_true(r.counts->timeouts >= 1);
}

/* Each of them on a version of its own, which is gone but for him: as many
 * are kept as there are such readers, and none longer than they may stay. */
static void
test_old_ones(void **state)
{
	struct client *slow[NUM_OLD];
	struct world w;
	struct running r = { .fds_max = 0 };
	int num_fds, i;

	(void)state;
	lay_out(&w);
	place(&w, 3, OLD_LEN, 0, w.now + 1000);
	worker_start(&w, tune_old, &r);
	assert_true(gets_body(&r, "/big.crl", 0));
	num_fds = worker_num_fds(&r);
	for (i = 0; i < NUM_OLD; i++) {
		slow[i] = slow_client(r.port);
		ask_with(slow[i], "GET", "/big.crl", "");
		assert_true(drink(slow[i], 1024, 0, 1024, i) >= 1024);
		place(&w, 3, OLD_LEN, (uint8_t)(i + 1), w.now + 1000);
		assert_true(gets_body(&r, "/big.crl", (uint8_t)(i + 1)));
	}
	assert_in_range(worker_num_fds(&r), num_fds, num_fds + 2 * NUM_OLD);
	sleep_ms(2 * OLD_NS / OC_NS_PER_MS);
	assert_int_equal(worker_num_fds(&r), num_fds);
	for (i = 0; i < NUM_OLD; i++)
		client_free(slow[i]);
	end(&w, &r);
	assert_true(r.counts->crls.cut == NUM_OLD);
	assert_true(r.counts->timeouts == NUM_OLD);
}

/* What is cut short under its reader ends a connection and nothing else; so
 * does a client that goes. */
static void
test_cut(void **state)
{
	struct client *c;
	struct world w;
	struct running r = { .fds_max = 0 };
	struct response got;

	(void)state;
	begin_big(&w, &r);
	c = slow_client(r.port);
	ask_with(c, "GET", "/big.crl", "");
	sleep_ms(200);
	assert_int_equal(truncate(paths[3], 100000), 0);
	/* A page that is cut has zeros in it. */
	assert_true(drink(c, 64 * 1024, 0, BIG_LEN, -1) < BIG_LEN);
	client_free(c);
	place(&w, 3, BIG_LEN, 4, w.now + 1000);
	assert_true(gets_body(&r, "/big.crl", 4));
	c = slow_client(r.port);
	ask_with(c, "GET", "/big.crl", "");
	assert_true(drink(c, 64 * 1024, 0, 100000, 4) >= 100000);
	client_reset(c);
	http_get_serial(&w, r.port, w.serial_hex, 0, &got);
	assert_body(&got, w.answer);
	end(&w, &r);
	assert_true(r.counts->crls.cut == 2);
}

/* Told to end: what is under way goes on. */
static void
test_drain(void **state)
{
	struct client *c;
	struct world w;
	struct running r = { .fds_max = 0 };

	(void)state;
	begin_big(&w, &r);
	c = slow_client(r.port);
	ask_with(c, "GET", "/big.crl", "");
	sleep_ms(200);
	assert_int_equal(kill(r.pid, SIGTERM), 0);
	sleep_ms(200);
	assert_int_equal(drink(c, 256 * 1024, 0, BIG_LEN, 3), BIG_LEN);
	assert_true(client_is_closed(c, 5000));
	client_free(c);
	worker_wait(&r);
	clean(&w);
	assert_true(r.counts->crls.cut == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_selection),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_request_wins),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_out_of_sight),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_old_ones),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_drain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
