/* SPDX-License-Identifier: Apache-2.0 */
/* What is believed of RDAP, by text and from servers that are not nice. */
#include "validation/rdap.h"

#include <curl/curl.h>

#include "tests/unit/validation_fixture.h"
#include "validation/curl_loop.h"

#define DOMAIN "{\"objectClassName\":\"domain\",\"ldhName\":\"EXAMPLE.com\","
#define CARD(email) "\"vcardArray\":[\"vcard\",[[\"version\",{},\"text\"," \
	"\"4.0\"],[\"fn\",{},\"text\",\"A B\"],[\"email\",{\"type\":" \
	"\"work\"},\"text\",\"" email "\"]]]"
#define ENTITY(role, email) "{\"objectClassName\":\"entity\",\"roles\":[\"" \
	role "\"]," CARD(email) "}"

static void
test_read(void **state)
{
	static const struct {
		const char *text;
		enum oc_err err;
		uint32_t num;
	} cases[] = {
		{ DOMAIN "\"entities\":[" ENTITY("registrant", "a@b.example")
		    "," ENTITY("administrative", "c@b.example") ","
		    ENTITY("technical", "d@b.example") "]}", OC_OK, 3 },
		{ DOMAIN "\"entities\":[{\"roles\":[\"billing\",\"technical\"]"
		    "," CARD("a@b.example") "}]}", OC_OK, 1 },
		{ DOMAIN "\"entities\":[" ENTITY("registrar", "a@b.example")
		    "," ENTITY("abuse", "c@b.example") "]}", OC_OK, 0 },
		/* Those of an entity are not the domain's. */
		{ DOMAIN "\"entities\":[{\"roles\":[\"registrar\"],"
		    "\"entities\":[" ENTITY("technical", "a@b.example")
		    "]}]}", OC_OK, 0 },
		{ DOMAIN "\"entities\":[" ENTITY("registrant", "not one") ","
		    ENTITY("registrant", "a@b.example\\r\\nBcc: c@d.example")
		    "]}", OC_OK, 0 },
		{ DOMAIN "\"entities\":{}}", OC_OK, 0 },
		{ DOMAIN "\"entities\":[1,null,[],\"a\",{}]}", OC_OK, 0 },
		{ DOMAIN "\"entities\":[{\"roles\":[\"registrant\"],"
		    "\"vcardArray\":[\"vcard\",[[\"email\"],[\"email\",{},"
		    "\"text\",[\"a@b.example\"]],[\"email\",{},\"uri\","
		    "\"a@b.example\"],[1,2,3,4],null]]}]}", OC_OK, 0 },
		{ DOMAIN "\"entities\":[{\"roles\":[\"registrant\"],"
		    "\"vcardArray\":[\"card\",[[\"email\",{},\"text\","
		    "\"a@b.example\"]]]}]}", OC_OK, 0 },
		{ "{\"objectClassName\":\"domain\",\"ldhName\":\"b.example\","
		    "\"entities\":[" ENTITY("registrant", "a@b.example") "]}",
		    OC_ERR_MISMATCH, 0 },
		{ "{\"objectClassName\":\"entity\",\"ldhName\":"
		    "\"example.com\"}", OC_ERR_MALFORMED, 0 },
		{ "{\"objectClassName\":\"domain\"}", OC_ERR_MALFORMED, 0 },
		{ "{\"errorCode\":404}", OC_ERR_MALFORMED, 0 },
		{ "[]", OC_ERR_MALFORMED, 0 }, { "", OC_ERR_MALFORMED, 0 },
		{ "<html>", OC_ERR_MALFORMED, 0 },
		{ DOMAIN "\"a\":\"\\u0000\"}", OC_ERR_MALFORMED, 0 },
		{ DOMAIN "\"ldhName\":\"b.example\"}", OC_ERR_MALFORMED, 0 },
		{ DOMAIN "\"a\":[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]"
		    "]]]}", OC_ERR_LIMIT, 0 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct validation_reply reply = { .num_contacts = 0 };
		struct oc_error error = { 0 };
		enum oc_err err = validation_rdap_read(
		    (const uint8_t *)cases[i].text, strlen(cases[i].text),
		    "example.com", &reply, &error);

		if (err != cases[i].err || reply.num_contacts != cases[i].num)
			fail_msg("%zu: %d, %u contacts: %s", i, err,
			    reply.num_contacts, error.text);
		assert_true((err == OC_OK) == (error.text[0] == '\0'));
	}
}

/* --- servers ------------------------------------------------------------ */

struct world {
	struct waiter waiter;
	struct stand stand;
	struct validation_curl *loop;
	struct validation_rdap *rdap;
};

static void
world_open(struct world *w, stand_answer_fn *answer, const char *path)
{
	char url[100];
	struct validation_rdap_server server = { "com", url };
	struct validation_rdap_config config = { &server, 1, NULL };
	struct oc_error error = { 0 };

	memset(w, 0, sizeof(*w));
	waiter_init(&w->waiter);
	w->stand.answer = answer;
	stand_open(&w->stand, w->waiter.base);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s",
	    (unsigned int)w->stand.port, path);
	assert_int_equal(validation_curl_new(w->waiter.base, &w->loop),
	    OC_OK);
	assert_int_equal(validation_rdap_new(w->waiter.base, w->loop, NULL,
	    &config, &w->rdap, &error), OC_OK);
}

static void
world_close(struct world *w)
{
	validation_rdap_free(w->rdap);
	validation_curl_free(w->loop);
	stand_close(&w->stand);
	waiter_fini(&w->waiter);
}

static void
world_ask(struct world *w, int64_t ms)
{
	struct validation_rdap_job *job;

	w->waiter.num = 0;
	assert_int_equal(validation_rdap_ask(w->rdap, "example.com",
	    deadline_in_ms(ms), waiter_done, &w->waiter, &job), OC_OK);
	assert_int_equal(w->waiter.num, 0);
	waiter_wait(&w->waiter);
}

/* What the stand's argument is, as a whole response. */
static char *
answer_text(struct stand *stand, const char *said, size_t len, size_t *n)
{
	(void)said, (void)len;
	*n = strlen(stand->arg);
	return strdup(stand->arg);
}

static char *
answer_nothing(struct stand *stand, const char *said, size_t len, size_t *n)
{
	(void)stand, (void)said, (void)len, (void)n;
	return NULL;
}

static char *
answer_flood(struct stand *stand, const char *said, size_t len, size_t *n)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\n{\"a\":\"";
	char *text = malloc(VALIDATION_RDAP_MAX + 1000);

	(void)stand, (void)said, (void)len;
	assert_non_null(text);
	*n = VALIDATION_RDAP_MAX + 1000;
	memset(text, 'a', *n);
	memcpy(text, head, sizeof(head) - 1);
	return text;
}

#define HEAD(status) "HTTP/1.1 " status "\r\nConnection: close\r\n" \
	"Content-Type: application/rdap+json\r\n"
#define BODY DOMAIN "\"entities\":[" ENTITY("registrant", "a@b.example") "]}"

static void
test_servers(void **state)
{
	static const struct {
		const char *text;
		enum validation_fault fault;
		uint32_t num;
		bool is_temporary;
		const char *seen;
	} cases[] = {
		{ HEAD("200 OK") "\r\n" BODY, VALIDATION_NO_FAULT, 1, false,
		    "RDAP, 127.0.0.1:" },
		{ HEAD("404 Not Found") "\r\n" BODY, VALIDATION_NO_FAULT, 0,
		    false, "status 404" },
		{ HEAD("429 Slow down") "\r\n" BODY, VALIDATION_NO_FAULT, 0,
		    true, "status 429" },
		{ HEAD("302 Found") "Location: http://127.0.0.1:1/\r\n\r\n"
		    BODY, VALIDATION_NO_FAULT, 0, true, "status 302" },
		{ HEAD("200 OK") "\r\n<html>\x1b[31m", VALIDATION_NO_FAULT, 0,
		    false, "JSON" },
		{ HEAD("200 OK") "Content-Length: 100000\r\n\r\n" BODY,
		    VALIDATION_CONNECTION_FAULT, 0, true, "" },
		{ "nonsense\r\n\r\n", VALIDATION_CONNECTION_FAULT, 0, true,
		    "" }
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_open(&w, answer_text, i % 2 == 0 ? "" : "/v1/");
		w.stand.arg = (void *)(uintptr_t)cases[i].text;
		w.stand.is_closing = true;
		world_ask(&w, PATIENCE_S * 1000);
		assert_non_null(strstr(w.stand.heard, i % 2 == 0 ?
		    "GET /domain/example.com HTTP/1.1\r\n" :
		    "GET /v1/domain/example.com HTTP/1.1\r\n"));
		assert_non_null(strstr(w.stand.heard,
		    "application/rdap+json"));
		if (w.waiter.reply.fault != cases[i].fault ||
		    w.waiter.reply.num_found != cases[i].num ||
		    w.waiter.reply.is_temporary != cases[i].is_temporary ||
		    strstr(w.waiter.reply.seen, cases[i].seen) == NULL)
			fail_msg("%zu: fault %d, %u found: %s", i,
			    w.waiter.reply.fault, w.waiter.reply.num_found,
			    w.waiter.reply.seen);
		assert_int_equal(w.stand.num_connections, 1);
		world_close(&w);
	}
}

static void
test_bad_servers(void **state)
{
	struct validation_rdap_job *job;
	struct world w;

	(void)state;
	world_open(&w, answer_flood, "/");
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.num_found, 0);
	assert_non_null(strstr(w.waiter.reply.seen, "more than"));
	world_close(&w);

	world_open(&w, answer_nothing, "/");
	world_ask(&w, 200);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_CONNECTION_FAULT);
	assert_int_equal(validation_rdap_ask(w.rdap, "example.com",
	    deadline_in_ms(1000), waiter_done, &w.waiter, &job), OC_OK);
	waiter_idle(&w.waiter, 50);
	validation_rdap_cancel(job);
	waiter_idle(&w.waiter, 1100);
	assert_int_equal(validation_rdap_ask(w.rdap, "example.com",
	    deadline_in_ms(100), waiter_done, &w.waiter, &job), OC_OK);
	assert_int_equal(validation_rdap_ask(w.rdap, "example.org",
	    deadline_in_ms(100), waiter_done, &w.waiter, &job),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(validation_rdap_ask(w.rdap, "../x.com",
	    deadline_in_ms(100), waiter_done, &w.waiter, &job),
	    OC_ERR_MALFORMED);
	world_close(&w);

	world_open(&w, answer_text, "/");
	w.stand.arg = (void *)(uintptr_t)HEAD("200 OK") "\r\n" BODY;
	w.stand.drip_ms = 10;
	world_ask(&w, 300);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_CONNECTION_FAULT);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_bad_servers)
	};

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
