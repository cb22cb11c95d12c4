/* SPDX-License-Identifier: Apache-2.0 */
/* What is believed of WHOIS, by text and from servers that are not nice; and
 * of both registries' words together. */
#include "validation/tools.h"
#include "validation/whois.h"

#include "tests/unit/validation_fixture.h"
#include "validation/contacts.h"

static uint32_t
read_text(const char *text, struct validation_reply *reply)
{
	enum oc_err err;

	memset(reply, 0, sizeof(*reply));
	err = validation_whois_read(text, strlen(text), "example.com", reply);
	assert_true(err == OC_OK || err == OC_ERR_MISMATCH);
	if (err != OC_OK)
		assert_int_equal(reply->num_contacts, 0);
	return err == OC_OK ? reply->num_contacts : 99;
}

#define OURS "Domain Name: EXAMPLE.COM\r\n"

static void
test_read(void **state)
{
	static const struct {
		const char *text;
		uint32_t num;
	} cases[] = {
		{ OURS "Registrant Email: a@example.com\r\n"
		    "Admin Email: b@example.com\r\n"
		    "Tech Email: c@example.com\r\n", 3 },
		{ "domain: example.com.\nregistrant contact email:\t"
		    "A@Example.COM \nTech Email: a@example.com", 1 },
		{ "   Domain Name: example.com\n   Admin Email: a@b.example",
		    1 },
		{ OURS "Registrar Abuse Contact Email: abuse@r.example\r\n"
		    "Billing Email: x@y.example\r\nEmail: x@y.example\r\n",
		    0 },
		{ OURS "Registrant Email: REDACTED FOR PRIVACY\r\n"
		    "Admin Email: https://r.example/contact\r\n"
		    "Tech Email:\r\n", 0 },
		{ OURS "Admin Email: a@b.example, c@d.example\r\n"
		    "Tech Email: <a@b.example>\r\n"
		    "Registrant Email: a@b.example\001\r\n", 0 },
		/* Nothing, or others', or others' as well. */
		{ "", 99 }, { "\n\n:\n::\n", 99 },
		{ "Admin Email: a@b.example\n", 99 },
		{ "Domain Name: example.org\nAdmin Email: a@b.example\n", 99 },
		{ "Domain Name: example.com.evil.example\n"
		    "Admin Email: a@b.example\n", 99 },
		{ "Domain Name: www.example.com\nAdmin Email: a@b.example\n",
		    99 },
		{ OURS "Admin Email: a@b.example\n"
		    "Domain Name: example.net\nTech Email: c@d.example\n", 99 },
		{ "Domain Name: example.net\nAdmin Email: a@b.example\n" OURS,
		    99 }
	};
	struct validation_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (read_text(cases[i].text, &reply) != cases[i].num)
			fail_msg("%zu: %u contacts", i, reply.num_contacts);
	assert_int_equal(read_text(cases[0].text, &reply), 3);
	assert_string_equal(reply.contacts[0], "a@example.com");
	assert_string_equal(reply.contacts[2], "c@example.com");
	assert_int_equal(validation_whois_read("Domain Name: example.com\0"
	    "\nAdmin Email: a@b.example", 50, "example.com", &reply),
	    OC_ERR_MISMATCH);
}

/* More than there is room for. */
static void
test_many(void **state)
{
	struct validation_reply reply;
	char *text = malloc(100000);
	size_t len;

	(void)state;
	assert_non_null(text);
	len = (size_t)sprintf(text, OURS);
	for (int i = 0; i < 1000; i++)
		len += (size_t)sprintf(text + len, "Admin Email: "
		    "a%d@b.example\n", i);
	assert_int_equal(read_text(text, &reply), VALIDATION_CONTACTS_MAX);
	assert_string_equal(reply.contacts[15], "a15@b.example");
	free(text);
}

static void
test_referral(void **state)
{
	char host[VALIDATION_NAME_MAX + 1] = "";
	static const struct {
		const char *text;
		enum oc_err err;
	} cases[] = {
		{ "% IANA\n\ndomain: COM\nwhois:        whois.nic.example\n",
		    OC_OK },
		{ "refer: whois.nic.example\r\n", OC_OK },
		{ "domain: COM\n", OC_ERR_NOT_FOUND },
		{ "whois:\nrefer:\n", OC_ERR_NOT_FOUND },
		{ "whois: 127.0.0.1\n", OC_ERR_MALFORMED },
		{ "whois: localhost\n", OC_ERR_MALFORMED },
		{ "whois: a.example:25\n", OC_ERR_MALFORMED },
		{ "whois: a.example/x\n", OC_ERR_MALFORMED }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(validation_whois_referral(cases[i].text,
		    strlen(cases[i].text), host), cases[i].err);
	assert_string_equal(host, "whois.nic.example");
}

/* --- servers ------------------------------------------------------------ */

struct world {
	struct waiter waiter;
	struct stand stand;
	struct validation_whois *whois;
	struct validation_contacts *contacts;
};

static void
world_open(struct world *w, stand_answer_fn *answer, const char *suffix)
{
	struct validation_whois_server server = { suffix, "127.0.0.1", 0 };
	struct validation_whois_config config = { &server, 1, NULL };
	struct oc_error error = { 0 };

	memset(w, 0, sizeof(*w));
	waiter_init(&w->waiter);
	w->stand.answer = answer;
	w->stand.is_closing = true;
	stand_open(&w->stand, w->waiter.base);
	server.port = w->stand.port;
	if (suffix == NULL)
		config = (struct validation_whois_config){ NULL, 0, &server };
	assert_int_equal(validation_whois_new(w->waiter.base, NULL, &config,
	    &w->whois, &error), OC_OK);
	assert_int_equal(validation_contacts_new(w->waiter.base, w->whois,
	    NULL, &w->contacts), OC_OK);
}

static void
world_close(struct world *w)
{
	validation_contacts_free(w->contacts);
	validation_whois_free(w->whois);
	stand_close(&w->stand);
	waiter_fini(&w->waiter);
}

static void
world_ask(struct world *w, int64_t ms)
{
	struct validation_whois_job *job;

	w->waiter.num = 0;
	assert_int_equal(validation_whois_ask(w->whois, "example.com",
	    deadline_in_ms(ms), waiter_done, &w->waiter, &job), OC_OK);
	assert_int_equal(w->waiter.num, 0);
	waiter_wait(&w->waiter);
}

static char *
say(const char *text, size_t *len)
{
	*len = strlen(text);
	return strdup(text);
}

static char *
answer_good(struct stand *stand, const char *said, size_t len, size_t *n)
{
	(void)stand;
	assert_int_equal(len, strlen("example.com\r\n"));
	assert_string_equal(said, "example.com\r\n");
	return say(OURS "Registrant Email: a@example.com\r\n"
	    "Admin Email: admin@example.com\r\n", n);
}

static char *
answer_referral(struct stand *stand, const char *said, size_t len, size_t *n)
{
	(void)stand, (void)len;
	assert_string_equal(said, "com\r\n");
	return say("whois: whois.nic.example\n", n);
}

static char *
answer_nothing(struct stand *stand, const char *said, size_t len, size_t *n)
{
	(void)stand, (void)said, (void)len, (void)n;
	return NULL;
}

static char *
answer_empty(struct stand *stand, const char *said, size_t len, size_t *n)
{
	(void)stand, (void)said, (void)len;
	return say("", n);
}

static char *
answer_flood(struct stand *stand, const char *said, size_t len, size_t *n)
{
	char *text = malloc(VALIDATION_WHOIS_MAX + 1);

	(void)stand, (void)said, (void)len;
	assert_non_null(text);
	*n = VALIDATION_WHOIS_MAX + 1;
	memset(text, '\n', *n);
	memcpy(text, OURS "Admin Email: a@b.example\n", 51);
	return text;
}

static void
test_servers(void **state)
{
	struct validation_whois_job *job;
	struct world w;

	(void)state;
	world_open(&w, answer_good, "com");
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_NO_FAULT);
	assert_int_equal(w.waiter.reply.num_found, 2);
	assert_non_null(strstr(w.waiter.reply.seen, "127.0.0.1 port "));
	assert_int_equal(validation_whois_ask(w.whois, "example.org",
	    deadline_in_ms(100), waiter_done, &w.waiter, &job),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(validation_whois_ask(w.whois, "a\r\nb.com",
	    deadline_in_ms(100), waiter_done, &w.waiter, &job),
	    OC_ERR_MALFORMED);
	world_close(&w);

	world_open(&w, answer_empty, "");
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_NO_FAULT);
	assert_int_equal(w.waiter.reply.num_found, 0);
	world_close(&w);

	world_open(&w, answer_flood, "");
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_CONNECTION_FAULT);
	assert_non_null(strstr(w.waiter.reply.seen, "too long"));
	world_close(&w);

	/* Names have no address without a resolver; the referral was
	 * followed. */
	world_open(&w, answer_referral, NULL);
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_CONNECTION_FAULT);
	assert_non_null(strstr(w.waiter.reply.seen, "whois.nic.example"));
	world_close(&w);
}

static void
test_slow(void **state)
{
	struct validation_whois_job *job;
	struct world w;

	(void)state;
	world_open(&w, answer_nothing, "com");
	world_ask(&w, 200);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_CONNECTION_FAULT);
	assert_true(w.waiter.reply.is_temporary);
	/* Cancelled, by itself and with what it belongs to. */
	assert_int_equal(validation_whois_ask(w.whois, "example.com",
	    deadline_in_ms(1000), waiter_done, &w.waiter, &job), OC_OK);
	waiter_idle(&w.waiter, 50);
	validation_whois_cancel(job);
	waiter_idle(&w.waiter, 1100);
	assert_int_equal(validation_whois_ask(w.whois, "example.com",
	    deadline_in_ms(100), waiter_done, &w.waiter, &job), OC_OK);
	world_close(&w);

	world_open(&w, answer_good, "com");
	w.stand.drip_ms = 20;
	world_ask(&w, 300);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_CONNECTION_FAULT);
	assert_int_equal(w.waiter.reply.num_contacts, 0);
	world_close(&w);

	world_open(&w, answer_good, "com");
	stand_close(&w.stand);
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_CONNECTION_FAULT);
	assert_non_null(strstr(w.waiter.reply.seen, "refused"));
	world_close(&w);
}

/* --- contacts ----------------------------------------------------------- */

static void
ask_contacts(struct world *w, const char *name)
{
	struct validation_question question = { .task = VALIDATION_CONTACTS,
	    .name = name };
	struct validation_contacts_job *job;

	w->waiter.num = 0;
	assert_int_equal(validation_contacts_ask(w->contacts, &question,
	    deadline_in_ms(500), waiter_done, &w->waiter, &job), OC_OK);
	assert_int_equal(w->waiter.num, 0);
	waiter_wait(&w->waiter);
	assert_int_equal(w->waiter.reply.fault, VALIDATION_NO_FAULT);
}

static void
test_contacts(void **state)
{
	struct validation_question question = { .task = VALIDATION_CONTACTS };
	struct validation_contacts_job *job;
	struct world w;

	(void)state;
	/* admin@ was found, and is not there twice. */
	world_open(&w, answer_good, "com");
	ask_contacts(&w, "example.com");
	assert_int_equal(w.waiter.reply.num_found, 2);
	assert_int_equal(w.waiter.reply.num_contacts, 6);
	assert_string_equal(w.waiter.reply.contacts[0], "a@example.com");
	assert_string_equal(w.waiter.reply.contacts[1], "admin@example.com");
	assert_string_equal(w.waiter.reply.contacts[5],
	    "postmaster@example.com");
	assert_false(w.waiter.reply.is_temporary);
	ask_contacts(&w, "example.org");
	assert_int_equal(w.waiter.reply.num_found, 0);
	assert_int_equal(w.waiter.reply.num_contacts, 5);
	assert_non_null(strstr(w.waiter.reply.seen, "WHOIS: not asked"));
	question.name = "localhost";
	assert_int_equal(validation_contacts_ask(w.contacts, &question,
	    deadline_in_ms(500), waiter_done, &w.waiter, &job),
	    OC_ERR_MALFORMED);
	world_close(&w);
	/* Whoever hangs takes none of the five away. */
	world_open(&w, answer_nothing, "com");
	ask_contacts(&w, "example.com");
	assert_int_equal(w.waiter.reply.num_contacts, 5);
	assert_true(w.waiter.reply.is_temporary);
	question.name = "example.com";
	assert_int_equal(validation_contacts_ask(w.contacts, &question,
	    deadline_in_ms(100), waiter_done, &w.waiter, &job), OC_OK);
	validation_contacts_cancel(job);
	waiter_idle(&w.waiter, 200);
	world_close(&w);
}

/* --- as configured ------------------------------------------------------ */

/* With the word alone, or without servers. */
static void
ask_configured(struct waiter *w, size_t num_words)
{
	char nobody[] = "127.0.0.1:1", none[] = "none", iana[] = "iana";
	char *resolvers[] = { nobody }, *words[] = { iana };
	const struct oc_config_validation config = {
		.resolvers = { resolvers, 1 },
		.trust_anchor = none,
		.whois_servers = { words, num_words }
	};
	const struct validation_question question = {
		.task = VALIDATION_CONTACTS, .name = "example.com" };
	struct validation_looking *looking;
	struct validation_looker looker;
	struct validation_tools *tools;
	struct oc_error error = { 0 };

	if (validation_tools_new(&config, w->base, &tools, &error) != OC_OK)
		fail_msg("%s", error.text);
	looker = validation_tools_looker(tools);
	assert_int_equal(looker.start(looker.arg, &question,
	    deadline_in_ms(500), waiter_done, w, &looking), OC_OK);
	waiter_wait(w);
	validation_tools_free(tools);
}

/* IANA is asked by who says so. */
static void
test_iana(void **state)
{
	struct waiter w;

	(void)state;
	waiter_init(&w);
	ask_configured(&w, 0);
	assert_non_null(strstr(w.reply.seen, "WHOIS: not asked"));
	assert_int_equal(w.reply.num_contacts, 5);
	waiter_fini(&w);
	waiter_init(&w);
	ask_configured(&w, 1);
	assert_non_null(strstr(w.reply.seen, "whois.iana.org"));
	waiter_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_referral),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_contacts),
		cmocka_unit_test(test_iana)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
