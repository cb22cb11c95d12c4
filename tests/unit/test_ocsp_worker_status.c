/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a responder go on whatever its tables and ocsign-status do?  Each test
 * has an issuer and a worker of its own.
 */
#include "tests/unit/ocsp_worker_test.h"

#include <stdio.h>
#include <sys/socket.h>

static struct scripted scripted;
static struct response r;

#define PORT running.port

static void
expect_good(void)
{
	http_get(PORT, world.path, "", &r);
	assert_body(&r, world.answer);
}

/* --- ocsign-status ---------------------------------------------------- */

static void
tune_status(struct ocsp_worker_options *options)
{
	options->status_timeout_ns = 500 * OC_NS_PER_MS;
	options->misses_max = 4;
}

static void
miss_table(void **state)
{
	(void)state;
	worker_start(&world, NULL, &running);
	scripted_start(&world, STUB_TABLE, &scripted);
	http_get_serial(&world, PORT, "1234", 0, &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(world_verify(&world, world_request(&world, "1234",
	    0), r.body, r.len), V_OCSP_CERTSTATUS_REVOKED);
	assert_non_null(strstr(r.head, "max-age="));
	http_get_serial(&world, PORT, "1234", 0, &r);
	assert_int_equal(r.status, 200);
	worker_stop(&running);
	scripted_stop(&scripted);
	assert_int_equal(scripted.num_asked, 1);
}

/* A table that still has nothing: no second question, no loop. */
static void
miss_table_lie(void **state)
{
	(void)state;
	worker_start(&world, NULL, &running);
	scripted_start(&world, STUB_TABLE_LIE, &scripted);
	http_get_serial(&world, PORT, "1234", 0, &r);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	assert_field(&r, "Retry-After", "5");
	worker_stop(&running);
	scripted_stop(&scripted);
	assert_int_equal(scripted.num_asked, 1);
}

/* nonce-nocache: made for one client, kept for none. */
static void
miss_response(void **state)
{
	(void)state;
	worker_start(&world, NULL, &running);
	scripted_start(&world, STUB_RESPONSE, &scripted);
	http_get_serial(&world, PORT, world.serial_hex, 32, &r);
	assert_body(&r, world.answer);
	assert_field(&r, "Cache-Control", "no-store");
	assert_field(&r, "ETag", NULL);
	assert_field(&r, "Expires", NULL);
	worker_stop(&running);
	scripted_stop(&scripted);
	assert_int_equal(scripted.num_nonces, 1);
}

static void
miss_error(void **state)
{
	(void)state;
	worker_start(&world, NULL, &running);
	scripted_start(&world, STUB_ERROR, &scripted);
	http_get_serial(&world, PORT, "1234", 0, &r);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	assert_field(&r, "Retry-After", "17");
	worker_stop(&running);
	scripted_stop(&scripted);
}

/* nonce-budget spent: the answer without one, from the table if it is there,
 * else by a question without one. */
static void
miss_no_nonce(void **state)
{
	(void)state;
	worker_start(&world, NULL, &running);
	scripted_start(&world, STUB_NO_NONCE, &scripted);
	http_get_serial(&world, PORT, world.serial_hex, 32, &r);
	assert_body(&r, world.answer);
	assert_non_null(strstr(r.head, "max-age="));
	assert_int_equal(scripted.num_asked, 1);
	http_get_serial(&world, PORT, "1234", 32, &r);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	assert_int_equal(scripted.num_asked, 3);
	assert_int_equal(scripted.num_nonces, 2);
	worker_stop(&running);
	scripted_stop(&scripted);
}

/* Away, silent, dying, mad: tryLater for what must be asked; the table's
 * answers go on; and all is well when it is back. */
static void
status_in_trouble(void **state)
{
	static const enum scripted_mode modes[] = { STUB_SILENT, STUB_HANG_UP,
	    STUB_GARBAGE };
	int64_t begin;
	size_t i;

	(void)state;
	worker_start(&world, tune_status, &running);
	begin = now_ms();
	http_get_serial(&world, PORT, "1234", 0, &r);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	assert_field(&r, "Retry-After", "5");
	assert_in_range(now_ms() - begin, 0, 3000);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		scripted_start(&world, modes[i], &scripted);
		http_get_serial(&world, PORT, "1234", 0, &r);
		assert_ocsp_error(&r, OCSP_TRY_LATER);
		expect_good();
		scripted_stop(&scripted);
	}
	scripted_start(&world, STUB_TABLE, &scripted);
	for (begin = now_ms(); now_ms() - begin < 10000; sleep_ms(50)) {
		http_get_serial(&world, PORT, "1234", 0, &r);
		if (r.len > OCSP_ERROR_RESPONSE_LEN)
			break;
	}
	assert_true(r.len > OCSP_ERROR_RESPONSE_LEN);
	worker_stop(&running);
	scripted_stop(&scripted);
}

/* What is at hand, without the nonce, is better than nothing. */
static void
nonce_without_a_signature(void **state)
{
	struct blob request = world_request(&world, world.serial_hex, 16);
	static const enum scripted_mode modes[] = { STUB_SILENT, STUB_HANG_UP,
	    STUB_GARBAGE, STUB_ERROR };
	int64_t begin = now_ms();
	size_t i;

	(void)state;
	worker_start(&world, tune_status, &running);
	http_post(PORT, "", request, &r);
	assert_body(&r, world.answer);
	assert_in_range(now_ms() - begin, 0, 3000);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		scripted_start(&world, modes[i], &scripted);
		http_post(PORT, "", request, &r);
		assert_body(&r, world.answer);
		/* Not in the table: nothing is at hand. */
		http_post(PORT, "", world_request(&world, "1234", 16), &r);
		assert_ocsp_error(&r, OCSP_TRY_LATER);
		scripted_stop(&scripted);
	}
	worker_stop(&running);
}

static void
tune_required(struct ocsp_worker_options *options)
{
	static struct ocsp_worker_issuer issuer;

	tune_status(options);
	issuer = options->issuers[0];
	issuer.requires_nonce = 1;
	options->issuers = &issuer;
}

/* The other policy: what is at hand is of no use to anybody. */
static void
nonce_required(void **state)
{
	static const enum scripted_mode modes[] = { STUB_NO_NONCE, STUB_ERROR,
	    STUB_SILENT, STUB_HANG_UP, STUB_GARBAGE };
	struct blob request = world_request(&world, world.serial_hex, 32);
	size_t i;

	(void)state;
	worker_start(&world, tune_required, &running);
	scripted_start(&world, STUB_RESPONSE, &scripted);
	http_post(PORT, "", request, &r);
	assert_body(&r, world.answer);
	assert_field(&r, "Cache-Control", "no-store");
	/* Nobody is asked about it. */
	http_get(PORT, world.path, "", &r);
	assert_ocsp_error(&r, OCSP_UNAUTHORIZED);
	scripted_stop(&scripted);
	assert_int_equal(scripted.num_asked, 1);
	assert_int_equal(scripted.num_nonces, 1);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		scripted_start(&world, modes[i], &scripted);
		http_post(PORT, "", request, &r);
		assert_ocsp_error(&r, OCSP_TRY_LATER);
		assert_field(&r, "Retry-After", "5");
		http_get(PORT, world.path, "", &r);
		assert_ocsp_error(&r, OCSP_UNAUTHORIZED);
		scripted_stop(&scripted);
		assert_int_equal(scripted.num_asked, scripted.num_nonces);
	}
	worker_stop(&running);
}

static enum ocsp_signed_requests signed_policy;

static void
tune_signed(struct ocsp_worker_options *options)
{
	static struct ocsp_worker_issuer issuer;

	tune_status(options);
	issuer = options->issuers[0];
	issuer.signed_requests = signed_policy;
	options->issuers = &issuer;
}

/* What a responder takes for a signature: whether it is good, it cannot
 * tell. */
static struct blob
fixture_signed(struct blob request)
{
	struct blob inner = blob_of((struct der_bytes){ request.bytes + 2,
	    request.len - 2 });

	assert_true(request.bytes[1] < 0x80);
	return blob_wrap(0x30, blob_join(inner, blob_wrap(0xa0, blob_wrap(0x30,
	    blob_hex("300a 0608 2a8648ce3d040302 0303 00 3000")))));
}

/* signed-ok and the others: without ocsign-status's word nothing is said,
 * whatever stands in the table; and what is said is for no cache. */
static void
signed_requests(void **state)
{
	static const enum scripted_mode modes[] = { STUB_ERROR, STUB_SILENT,
	    STUB_HANG_UP, STUB_GARBAGE };
	struct blob request = fixture_signed(world_request(&world,
	    world.serial_hex, 0));
	struct blob with_nonce = fixture_signed(world_request(&world,
	    world.serial_hex, 16));
	size_t i;

	(void)state;
	signed_policy = OCSP_SIGNED_REQUIRED;
	worker_start(&world, tune_signed, &running);
	http_get(PORT, world.path, "", &r);
	assert_ocsp_error(&r, OCSP_SIG_REQUIRED);
	http_post(PORT, "", request, &r);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		scripted_start(&world, modes[i], &scripted);
		http_post(PORT, "", request, &r);
		assert_ocsp_error(&r, OCSP_TRY_LATER);
		http_post(PORT, "", with_nonce, &r);
		assert_ocsp_error(&r, OCSP_TRY_LATER);
		scripted_stop(&scripted);
		assert_int_equal(scripted.num_asked, scripted.num_signed);
	}
	scripted_start(&world, STUB_TABLE_LIE, &scripted);
	http_post(PORT, "", request, &r);
	assert_body(&r, world.answer);
	assert_field(&r, "Cache-Control", "no-store");
	assert_field(&r, "ETag", NULL);
	assert_int_equal(scripted.num_signed, 1);
	scripted_stop(&scripted);
	/* No budget for the nonce: known all the same. */
	scripted_start(&world, STUB_NO_NONCE, &scripted);
	http_post(PORT, "", with_nonce, &r);
	assert_body(&r, world.answer);
	assert_field(&r, "Cache-Control", "no-store");
	assert_int_equal(scripted.num_signed, 1);
	scripted_stop(&scripted);
	worker_stop(&running);
}

/* The next request of a connection starts anew. */
static void
signed_requests_verified(void **state)
{
	struct blob request = fixture_signed(world_request(&world,
	    world.serial_hex, 0));
	struct client *c;
	char head[128];
	int i;

	(void)state;
	signed_policy = OCSP_SIGNED_VERIFIED;
	worker_start(&world, tune_signed, &running);
	expect_good();
	assert_non_null(strstr(r.head, "max-age="));
	scripted_start(&world, STUB_TABLE_LIE, &scripted);
	snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: x\r\n"
	    "Content-Type: application/ocsp-request\r\n"
	    "Content-Length: %zu\r\n\r\n", request.len);
	c = client_new(PORT);
	for (i = 1; i <= 3; i++) {
		client_send_text(c, head);
		client_send(c, request.bytes, request.len);
		assert_true(client_read(c, false, &r));
		assert_body(&r, world.answer);
		assert_int_equal(scripted.num_signed, i);
	}
	client_free(c);
	scripted_stop(&scripted);
	worker_stop(&running);
}

/* Only so many wait; the others are told at once. */
static void
misses_bounded(void **state)
{
	struct client *clients[8];
	char path[512], text[1024];
	int64_t begin;
	int i;

	(void)state;
	worker_start(&world, tune_status, &running);
	scripted_start(&world, STUB_SILENT, &scripted);
	world_path(world_request(&world, "1234", 0), path, sizeof(path));
	get_text(path, text);
	begin = now_ms();
	for (i = 0; i < 8; i++) {
		clients[i] = client_new(PORT);
		client_send_text(clients[i], text);
	}
	for (i = 7; i >= 0; i--) {
		assert_true(client_read(clients[i], false, &r));
		assert_ocsp_error(&r, OCSP_TRY_LATER);
		if (i == 4)
			assert_in_range(now_ms() - begin, 0, 400);
		client_free(clients[i]);
	}
	assert_true(now_ms() - begin >= 400);
	worker_stop(&running);
	scripted_stop(&scripted);
	assert_int_equal(running.counts->misses_refused, 4);
	assert_int_equal(scripted.num_asked, 4);
}

/* While one request waits, those behind it do, and no others. */
static void
pipeline_behind_miss(void **state)
{
	struct client *c;
	char path[512], text[1024];
	int64_t begin;
	int i;

	(void)state;
	worker_start(&world, NULL, &running);
	scripted_start(&world, STUB_SLOW, &scripted);
	world_path(world_request(&world, "1234", 0), path, sizeof(path));
	begin = now_ms();
	c = client_new(PORT);
	for (i = 0; i < 3; i++) {
		get_text(world.path, text);
		client_send_text(c, text);
		get_text(path, text);
		client_send_text(c, text);
	}
	expect_good();
	assert_in_range(now_ms() - begin, 0, 250);
	for (i = 0; i < 3; i++) {
		assert_true(client_read(c, false, &r));
		assert_body(&r, world.answer);
		assert_true(client_read(c, false, &r));
		assert_ocsp_error(&r, OCSP_UNAUTHORIZED);
	}
	assert_true(now_ms() - begin >= 850);
	client_free(c);
	worker_stop(&running);
	scripted_stop(&scripted);
}

/* Gone, one way or another, before the answer is there. */
static void
gone_while_waiting(void **state)
{
	struct client *c;
	char path[512], text[1024];
	int num_fds, i;

	(void)state;
	worker_start(&world, NULL, &running);
	scripted_start(&world, STUB_SLOW, &scripted);
	http_get_serial(&world, PORT, "1234", 0, &r);
	num_fds = worker_num_fds(&running);
	world_path(world_request(&world, "1234", 0), path, sizeof(path));
	get_text(path, text);
	for (i = 0; i < 10; i++) {
		c = client_new(PORT);
		client_send_text(c, text);
		sleep_ms(10);
		if (i % 2 == 0)
			client_reset(c);
		else
			client_free(c);
	}
	/* One that has said all it wanted still wants to hear. */
	c = client_new(PORT);
	client_send_text(c, text);
	shutdown(c->fd, SHUT_WR);
	assert_true(client_read(c, false, &r));
	assert_ocsp_error(&r, OCSP_UNAUTHORIZED);
	assert_true(client_is_closed(c, 2000));
	client_free(c);
	assert_int_equal(worker_num_fds(&running), num_fds);
	expect_good();
	worker_stop(&running);
	scripted_stop(&scripted);
}

/* --- tables ----------------------------------------------------------- */

/* The table grows under the worker: what is new is found in the new file
 * without a question. */
static void
table_grows(void **state)
{
	char hex[16];
	int i;

	(void)state;
	worker_start(&world, tune_status, &running);
	expect_good();
	for (i = 0; i < 2000; i++) {
		snprintf(hex, sizeof(hex), "41%06x", i);
		(void)world_put(&world, hex, OCSP_GOOD, world.now - 60,
		    world.now + WORLD_LIFE_S);
		if (i % 100 == 0)
			expect_good();
	}
	for (i = 0; i < 2000; i += 50) {
		snprintf(hex, sizeof(hex), "41%06x", i);
		http_get_serial(&world, PORT, hex, 0, &r);
		assert_int_equal(world_verify(&world, world_request(&world,
		    hex, 0), r.body, r.len), V_OCSP_CERTSTATUS_GOOD);
	}
	expect_good();
	worker_stop(&running);
	assert_int_equal(running.counts->misses_refused, 0);
	assert_int_equal(running.counts->try_later, 0);
}

/* Another identity at the same path: other contexts. */
static void
table_of_another(void **state)
{
	struct world other;
	struct running *run = &running;

	(void)state;
	worker_start(&world, NULL, run);
	expect_good();
	world_init(&other);
	assert_int_equal(rename(other.table_path, world.table_path), 0);
	sleep_ms(700);
	http_get(PORT, other.path, "", &r);
	assert_body(&r, other.answer);
	assert_int_equal(world_verify(&other, other.request, r.body, r.len),
	    V_OCSP_CERTSTATUS_GOOD);
	http_get(PORT, world.path, "", &r);
	assert_ocsp_error(&r, OCSP_UNAUTHORIZED);
	worker_stop(run);
	world_fini(&other);
}

/* Not there, there but not ready, ready, and away again. */
static void
table_comes_late(void **state)
{
	char away[WORLD_PATH_MAX + 8];

	(void)state;
	snprintf(away, sizeof(away), "%s.away", world.table_path);
	assert_int_equal(rename(world.table_path, away), 0);
	ocsp_table_set_ready(world.table, false);
	worker_start(&world, tune_status, &running);
	http_get(PORT, world.path, "", &r);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	assert_field(&r, "Retry-After", "5");
	assert_int_equal(rename(away, world.table_path), 0);
	sleep_ms(600);
	http_get(PORT, world.path, "", &r);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	ocsp_table_set_ready(world.table, true);
	expect_good();
	/* What is in it was signed; it is served while we have it. */
	assert_int_equal(rename(world.table_path, away), 0);
	sleep_ms(600);
	expect_good();
	worker_stop(&running);
}

/* revoke-latency: who has the answer of before is given the new one. */
static void
etag_of_before(void **state)
{
	int64_t now = oc_clock_now_s();
	struct blob answer;
	char path[512], etag[256], date[256], fields[600];

	(void)state;
	worker_start(&world, tune_status, &running);
	answer = world_put(&world, "44", OCSP_GOOD, now - 60, now + 600);
	world_path(world_request(&world, "44", 0), path, sizeof(path));
	http_get(PORT, path, "", &r);
	assert_body(&r, answer);
	snprintf(fields, sizeof(fields), "If-None-Match: %s\r\n"
	    "If-Modified-Since: %s\r\n", response_field(&r, "ETag", etag),
	    response_field(&r, "Last-Modified", date));
	answer = world_put(&world, "44", OCSP_REVOKED, now - 60, now + 600);
	http_get(PORT, path, fields, &r);
	assert_body(&r, answer);
	assert_int_equal(world_verify(&world, world_request(&world, "44", 0),
	    r.body, r.len), V_OCSP_CERTSTATUS_REVOKED);
	worker_stop(&running);
}

/* stale-never: the answer ends with its nextUpdate, at the second. */
static void
table_expires(void **state)
{
	(void)state;
	worker_start(&world, tune_status, &running);
	(void)world_put(&world, "77", OCSP_GOOD, world.now - 60,
	    oc_clock_now_s() + 2);
	http_get_serial(&world, PORT, "77", 0, &r);
	assert_true(r.len > OCSP_ERROR_RESPONSE_LEN);
	sleep_ms(2100);
	http_get_serial(&world, PORT, "77", 0, &r);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	worker_stop(&running);
}

/* The calendar clock was set back by a day: what it should say counts. */
static struct oc_clock_watch day_behind;

static void
tune_clock(struct ocsp_worker_options *options)
{
	tune_status(options);
	options->clock = &day_behind;
}

static void
clock_set_back(void **state)
{
	(void)state;
	assert_int_equal(oc_clock_watch_init(&day_behind, world.dir,
	    OC_CLOCK_WATCH_READS), OC_OK);
	day_behind.offset_ms += 86400 * 1000;
	worker_start(&world, tune_clock, &running);
	(void)world_put(&world, "78", OCSP_GOOD, world.now - 60,
	    world.now + 86400 - 10);
	(void)world_put(&world, "79", OCSP_GOOD, world.now - 60,
	    world.now + 86400 + 600);
	http_get_serial(&world, PORT, "78", 0, &r);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	http_get_serial(&world, PORT, "79", 0, &r);
	assert_true(r.len > OCSP_ERROR_RESPONSE_LEN);
	worker_stop(&running);
	oc_clock_watch_fini(&day_behind);
}

static void
tune_no_basic(struct ocsp_worker_options *options)
{
	options->refuses_no_basic = 1;
}

/* acceptable-no-basic: a basic response, or, by the other policy, an error;
 * counted in both, and a miss as one. */
static void
no_basic(void **state)
{
	const struct blob extension = fixture_extension(DER_OID_OCSP_RESPONSE,
	    "", blob_hex("3003 06012a"));
	struct blob request = fixture_request(fixture_single(world.ca,
	    OCSP_ENCODING_USUAL, world.serial_hex), extension);

	(void)state;
	worker_start(&world, NULL, &running);
	scripted_start(&world, STUB_TABLE, &scripted);
	http_post(PORT, "", request, &r);
	assert_body(&r, world.answer);
	http_post(PORT, "", world.request, &r);
	assert_body(&r, world.answer);
	http_post(PORT, "", fixture_request(fixture_single(world.ca,
	    OCSP_ENCODING_USUAL, "4711"), extension), &r);
	assert_int_equal(r.status, 200);
	worker_stop(&running);
	scripted_stop(&scripted);
	assert_int_equal(running.counts->misses, 1);
	assert_int_equal(running.counts->without_basic, 2);
	worker_start(&world, tune_no_basic, &running);
	http_post(PORT, "", request, &r);
	assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
	worker_stop(&running);
	assert_int_equal(running.counts->without_basic, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORKER_TEST(miss_table),
		WORKER_TEST(miss_table_lie),
		WORKER_TEST(miss_response),
		WORKER_TEST(miss_error),
		WORKER_TEST(miss_no_nonce),
		WORKER_TEST(status_in_trouble),
		WORKER_TEST(nonce_without_a_signature),
		WORKER_TEST(nonce_required),
		WORKER_TEST(signed_requests),
		WORKER_TEST(signed_requests_verified),
		WORKER_TEST(misses_bounded),
		WORKER_TEST(no_basic),
		WORKER_TEST(pipeline_behind_miss),
		WORKER_TEST(gone_while_waiting),
		WORKER_TEST(table_grows),
		WORKER_TEST(table_of_another),
		WORKER_TEST(table_comes_late),
		WORKER_TEST(etag_of_before),
		WORKER_TEST(table_expires),
		WORKER_TEST(clock_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
