/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages: whom one may go to, what is in it whatever comes in, and what a
 * server's answer means.  tests/interop/validate_reach.sh has a real server.
 */
#include "validation/mail.h"

#include <curl/curl.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "tests/unit/base_test.h"
#include "tests/unit/validation_fixture.h"
#include "validation/mailbox.h"
#include "validation/message.h"
#include "validation/place.h"

static void
test_mailbox(void **state)
{
	static const char *const good[] = { "a@b.c", "admin@example.com",
	    "first.last+tag@xn--bcher-kva.example", "o'brien@example.com",
	    "A@EXAMPLE.COM", "a@1.example", "_x-y=z~{}#&*?^@a-b.example" };
	static const char *const bad[] = { "", "@", "a", "a@", "@b.c", "a@b",
	    "a@b.c.", "a@.b.c", "a@b..c", ".a@b.c", "a.@b.c", "a..b@c.d",
	    "a@b@c.d", "a b@c.d", "\"a\"@c.d", "a@[192.0.2.1]",
	    "a@192.0.2.1", "a@c.1", "a@-b.c", "a@b-.c", "a@b_c.d",
	    "a@b.c\r\nBcc: x@y.z", "a\r\n@b.c", "a\n@b.c", "a%b@c.d",
	    "a!b@c.d", "a|b@c.d", "a`b@c.d", "a$b@c.d", "a/b@c.d",
	    "-a@b.c", "<a@b.c>", "a@b.c>", "a,b@c.d", "a;b@c.d", "a:b@c.d",
	    "a(b)@c.d", "a\\b@c.d", "\xc3\xa4@b.c", "a@b\xc3\xa4.c" };
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(validation_mailbox_is_valid(good[i],
		    strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (validation_mailbox_is_valid(bad[i], strlen(bad[i])))
			fail_msg("\"%s\" is valid", bad[i]);
	assert_false(validation_mailbox_is_valid("a\0b@c.d", 7));
	/* 64 and one more in front of the "@"; 254 and one more in all. */
	memset(text, 'a', sizeof(text));
	memcpy(text + 64, "@b.c", 5);
	assert_true(validation_mailbox_is_valid(text, 68));
	memcpy(text + 64, "a@b.c", 6);
	assert_false(validation_mailbox_is_valid(text, 69));
	memset(text, 'a', sizeof(text));
	text[1] = '@';
	for (size_t i = 61; i < 254; i += 60)
		text[i] = '.';
	assert_true(validation_mailbox_is_valid(text, 254));
	assert_false(validation_mailbox_is_valid(text, 255));
}

static void
test_constructed(void **state)
{
	static const char *const five[] = { "admin@a.example",
	    "administrator@a.example", "webmaster@a.example",
	    "hostmaster@a.example", "postmaster@a.example" };
	char address[VALIDATION_ADDRESS_MAX + 1];
	char name[VALIDATION_NAME_MAX + 1];

	(void)state;
	for (unsigned int i = 0; i < VALIDATION_CONSTRUCTED_NUM; i++) {
		assert_true(validation_mailbox_construct(i, "a.example",
		    address));
		assert_string_equal(address, five[i]);
	}
	memset(name, 'a', sizeof(name));
	for (size_t i = 60; i < 250; i += 60)
		name[i] = '.';
	name[250] = '\0';
	assert_false(validation_mailbox_construct(0, name, address));
}

/* --- the message -------------------------------------------------------- */

static const struct validation_message usual = {
	.from = "ca@ca.example", .to = "admin@example.com",
	.subject = "Is it you?", .body = "Code: 123\n\n.\nBye\n",
	.sent_at = 1700000000, .id = "0123"
};

static void
put(const struct validation_message *message, struct oc_buffer *b)
{
	oc_buffer_init(b, VALIDATION_MESSAGE_MAX);
	assert_int_equal(validation_message_put(b, message), OC_OK);
}

static void
test_golden(void **state)
{
	struct oc_buffer b;

	(void)state;
	put(&usual, &b);
	assert_string_equal(oc_buffer_text(&b),
	    "From: <ca@ca.example>\r\n"
	    "To: <admin@example.com>\r\n"
	    "Subject: Is it you?\r\n"
	    "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
	    "Message-ID: <0123@ca.example>\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n"
	    "\r\n"
	    "Code: 123\r\n\r\n.\r\nBye\r\n");
	oc_buffer_fini(&b);
}

static void
test_not_ascii(void **state)
{
	struct validation_message m = usual;
	struct oc_buffer b;
	const char *text;

	(void)state;
	m.subject = "B\xc3\xbc" "cher f\xc3\xbcr alle, und noch viel l\xc3\xa4"
	    "nger, damit es zwei werden m\xc3\xbcssen";
	m.body = "Gr\xc3\xbc\xc3\x9f" "e = \nblank \t\n"
	    "https://ca.example/a-link-that-is-longer-than-one-line-may-be/"
	    "0123456789012345678901234567890123456789\nend";
	put(&m, &b);
	text = oc_buffer_text(&b);
	assert_non_null(strstr(text, "Subject: =?UTF-8?B?QsO8Y2hlciBmw7xyIGFs"
	    "bGUsIHVuZCBub2NoIHZpZWwgbMOkbmdl?=\r\n =?UTF-8?B?ciwgZGFtaX"
	    "QgZXMgendlaSB3ZXJkZW4gbcO8c3Nlbg==?=\r\n"));
	assert_non_null(strstr(text, "quoted-printable\r\n\r\n"
	    "Gr=C3=BC=C3=9Fe =3D=20\r\n"
	    "blank =09\r\n"
	    "https://ca.example/a-link-that-is-longer-than-one-line-may-be/"
	    "0123456789012=\r\n"
	    "345678901234567890123456789\r\nend\r\n"));
	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\r");

		assert_in_range(len, 0, 76);
		assert_memory_equal(line + len, "\r\n", 2);
		line += len + 2;
	}
	for (size_t i = 0; i < b.len; i++)
		assert_true(b.bytes[i] < 0x7f);
	oc_buffer_fini(&b);
	/* It is not one, and would be read as one. */
	m = usual;
	m.subject = "=?UTF-8?B?eA==?=";
	put(&m, &b);
	assert_null(strstr(oc_buffer_text(&b), "B?eA==?="));
	oc_buffer_fini(&b);
}

static void
refuse(struct validation_message m, enum oc_err err)
{
	struct oc_buffer b;

	oc_buffer_init(&b, VALIDATION_MESSAGE_MAX);
	assert_int_equal(validation_message_put(&b, &m), err);
	oc_buffer_fini(&b);
}

static void
test_injection(void **state)
{
	static const char *const subjects[] = { "a\r\nBcc: x@y.z", "a\nb",
	    "a\rb", "a\x7f", "a\x01", "a\tb", "\xff", "\xed\xa0\x80" };
	static const char *const bodies[] = { "a\rb", "a\x1b[0m", "\xc3",
	    "a\r\n.\r\nMAIL FROM:<x@y.z>" };
	struct validation_message m = usual;
	char *text = malloc(VALIDATION_BODY_MAX + 2);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		m.subject = subjects[i];
		refuse(m, OC_ERR_MALFORMED);
	}
	m = usual;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		m.body = bodies[i];
		refuse(m, OC_ERR_MALFORMED);
	}
	m = usual;
	m.to = "a@b.c\r\nBcc: x@y.z";
	refuse(m, OC_ERR_MALFORMED);
	m.to = NULL;
	refuse(m, OC_ERR_MALFORMED);
	m = usual;
	memset(text, 'a', VALIDATION_BODY_MAX + 1);
	text[VALIDATION_BODY_MAX + 1] = '\0';
	m.body = text;
	refuse(m, OC_ERR_LIMIT);
	m.body = "";
	m.subject = text + VALIDATION_BODY_MAX - VALIDATION_SUBJECT_MAX;
	refuse(m, OC_ERR_LIMIT);
	/* The longest there may be does fit. */
	m = usual;
	memset(text, '=', VALIDATION_BODY_MAX);
	text[0] = '\xc3';
	text[1] = '\xbc';
	text[VALIDATION_BODY_MAX] = '\0';
	m.body = text;
	refuse(m, OC_OK);
	free(text);
}

/* --- a server ----------------------------------------------------------- */

struct world {
	struct waiter waiter;
	struct stand stand;
	struct validation_mail *mail;
	char url[64];
	struct validation_mail_config config;
};

static const struct validation_question question = {
	.task = VALIDATION_MAIL, .to = "admin@example.com",
	.subject = "Is it you?", .body = ".Code: 123\n.\nmore\n"
};

static void
world_open(struct world *w, stand_answer_fn *answer)
{
	memset(w, 0, sizeof(*w));
	waiter_init(&w->waiter);
	w->stand.answer = answer;
	w->stand.greeting = "220 stand ESMTP\r\n";
	stand_open(&w->stand, w->waiter.base);
	(void)snprintf(w->url, sizeof(w->url), "smtp://127.0.0.1:%u",
	    (unsigned int)w->stand.port);
	w->config = (struct validation_mail_config){ .url = w->url,
	    .from = "ca@ca.example", .may_be_plain = true };
}

static void
world_begin(struct world *w, int64_t ms, struct validation_mail_job **job)
{
	struct oc_error error = { 0 };

	if (w->mail == NULL)
		assert_int_equal(validation_mail_new(w->waiter.base,
		    NULL, &w->config, &w->mail, &error), OC_OK);
	assert_int_equal(validation_mail_send(w->mail, &question,
	    deadline_in_ms(ms), waiter_done, &w->waiter, job), OC_OK);
	assert_int_equal(w->waiter.num, 0);
}

static void
world_ask(struct world *w, int64_t ms)
{
	struct validation_mail_job *job;

	w->waiter.num = 0;
	world_begin(w, ms, &job);
	waiter_wait(&w->waiter);
}

static void
world_close(struct world *w)
{
	validation_mail_free(w->mail);
	stand_close(&w->stand);
	waiter_fini(&w->waiter);
}

/* What a server says, to a line of which it hears the first word; arg is what
 * it says to RCPT or to DATA's end instead. */
struct saying {
	const char *to_ehlo, *to_rcpt, *to_end;
	bool is_data;
};

static char *
answer_smtp(struct stand *stand, const char *said, size_t len, size_t *n)
{
	struct saying *s = stand->arg;
	const char *text = "250 fine\r\n";

	(void)len;
	if (s->is_data) {
		if (stand->heard_len < 5 || memcmp(stand->heard +
		    stand->heard_len - 5, "\r\n.\r\n", 5) != 0)
			return NULL;
		s->is_data = false;
		text = s->to_end != NULL ? s->to_end : "250 2.0.0 queued\r\n";
	} else if (strncmp(said, "EHLO", 4) == 0) {
		text = s->to_ehlo != NULL ? s->to_ehlo :
		    "250-stand\r\n250 SIZE\r\n";
	} else if (strncmp(said, "RCPT", 4) == 0 && s->to_rcpt != NULL) {
		text = s->to_rcpt;
	} else if (strncmp(said, "DATA", 4) == 0) {
		s->is_data = true;
		text = "354 go on\r\n";
	}
	*n = strlen(text);
	return strdup(text);
}

static void
test_taken(void **state)
{
	struct saying s = { NULL, NULL, NULL, false };
	struct world w;

	(void)state;
	world_open(&w, answer_smtp);
	w.stand.arg = &s;
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_NO_FAULT);
	assert_non_null(strstr(w.waiter.reply.seen, "admin@example.com"));
	assert_non_null(strstr(w.waiter.reply.seen, "queued"));
	assert_non_null(strstr(w.stand.heard, "EHLO ca.example\r\n"));
	assert_non_null(strstr(w.stand.heard, "MAIL FROM:<ca@ca.example>"));
	assert_non_null(strstr(w.stand.heard,
	    "RCPT TO:<admin@example.com>\r\n"));
	/* RFC 5321, 4.5.2. */
	assert_non_null(strstr(w.stand.heard,
	    "\r\n\r\n..Code: 123\r\n..\r\nmore\r\n.\r\n"));
	/* Another, with nothing of the first left. */
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_NO_FAULT);
	assert_int_equal(w.stand.num_connections, 2);
	world_close(&w);
}

static void
test_refused(void **state)
{
	static const struct {
		struct saying saying;
		enum validation_fault fault;
		bool is_temporary;
		const char *seen;
	} cases[] = {
		{ { NULL, "550 5.1.1 no such user\r\n", NULL, false },
		    VALIDATION_REFUSED, false, "550 5.1.1 no such user" },
		{ { NULL, "451 4.7.1 greylisted\r\n", NULL, false },
		    VALIDATION_REFUSED, true, "451 4.7.1 greylisted" },
		{ { NULL, NULL, "554 spam\r\n", false },
		    VALIDATION_REFUSED, false, "554 spam" },
		{ { NULL, NULL, "452 full\r\n", false },
		    VALIDATION_REFUSED, true, "452 full" },
		{ { "nonsense\r\n", NULL, NULL, false },
		    VALIDATION_OURS, true, "in time" },
		{ { NULL, "250 \x1b[31m\xff red\r\n", NULL, false },
		    VALIDATION_NO_FAULT, false, "queued" },
		{ { NULL, "550 \x1b[31m\xff red\r\n", NULL, false },
		    VALIDATION_REFUSED, false, "550 ?[31m? red" }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct saying s = cases[i].saying;
		struct world w;

		world_open(&w, answer_smtp);
		w.stand.arg = &s;
		world_ask(&w, cases[i].fault == VALIDATION_OURS ? 300 :
		    PATIENCE_S * 1000);
		if (w.waiter.reply.fault != cases[i].fault ||
		    w.waiter.reply.is_temporary != cases[i].is_temporary ||
		    strstr(w.waiter.reply.seen, cases[i].seen) == NULL)
			fail_msg("%zu: fault %d, %d: %s", i,
			    w.waiter.reply.fault, w.waiter.reply.is_temporary,
			    w.waiter.reply.seen);
		world_close(&w);
	}
}

/* Nothing of the message, and no address, goes where there is no TLS. */
static void
test_no_tls(void **state)
{
	struct saying s = { NULL, NULL, NULL, false };
	struct world w;

	(void)state;
	world_open(&w, answer_smtp);
	w.stand.arg = &s;
	w.config.may_be_plain = false;
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_TLS_FAULT);
	assert_null(strstr(w.stand.heard, "MAIL"));
	world_close(&w);
	/* It says that it does, and does not. */
	world_open(&w, answer_smtp);
	w.stand.arg = &s;
	s.to_ehlo = "250-stand\r\n250 STARTTLS\r\n";
	w.config.may_be_plain = false;
	world_ask(&w, 2000);
	assert_int_not_equal(w.waiter.reply.fault, VALIDATION_NO_FAULT);
	assert_null(strstr(w.stand.heard, "MAIL"));
	world_close(&w);
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
	static const char line[] = "250-and so on\r\n";
	char *text = malloc(200000);

	(void)stand, (void)said, (void)len;
	assert_non_null(text);
	for (*n = 0; *n + sizeof(line) < 200000; *n += sizeof(line) - 1)
		memcpy(text + *n, line, sizeof(line) - 1);
	return text;
}

static void
test_bad_servers(void **state)
{
	struct saying s = { NULL, NULL, NULL, false };
	struct validation_mail_job *job;
	int64_t begun_ns;
	struct world w;

	(void)state;
	/* Silent from the start, silent after a line, and dripping. */
	for (int i = 0; i < 3; i++) {
		world_open(&w, i == 2 ? answer_smtp : answer_nothing);
		w.stand.arg = &s;
		w.stand.greeting = i == 0 ? NULL : w.stand.greeting;
		w.stand.drip_ms = i == 2 ? 50 : 0;
		begun_ns = deadline_in_ms(0);
		world_ask(&w, 400);
		assert_int_equal(w.waiter.reply.fault, VALIDATION_OURS);
		assert_true(w.waiter.reply.is_temporary);
		assert_true(deadline_in_ms(0) - begun_ns >=
		    INT64_C(350000000));
		world_close(&w);
	}
	world_open(&w, answer_flood);
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_CONNECTION_FAULT);
	world_close(&w);
	/* Nobody there. */
	world_open(&w, answer_nothing);
	stand_close(&w.stand);
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_CONNECTION_FAULT);
	world_close(&w);
	/* Cancelled: before, and while it waits. */
	world_open(&w, answer_nothing);
	world_begin(&w, 200, &job);
	validation_mail_cancel(job);
	waiter_idle(&w.waiter, 100);
	world_begin(&w, 2000, &job);
	waiter_idle(&w.waiter, 100);
	validation_mail_cancel(job);
	waiter_idle(&w.waiter, 2000);
	/* And by whom it belongs to. */
	world_begin(&w, 2000, &job);
	waiter_idle(&w.waiter, 50);
	world_close(&w);
}

/* More than there are threads, at a server that hangs: each is answered in
 * time, and none of those that waited is sent when it listens again. */
static void
test_queue(void **state)
{
	struct saying s = { NULL, NULL, NULL, false };
	struct validation_mail_job *job;
	struct world w;

	(void)state;
	world_open(&w, answer_nothing);
	w.stand.arg = &s;
	for (int i = 0; i < 20; i++)
		world_begin(&w, 300, &job);
	for (int i = 0; i < 20; i++) {
		w.waiter.num = 0;
		waiter_wait(&w.waiter);
		assert_int_equal(w.waiter.reply.fault, VALIDATION_OURS);
	}
	w.stand.answer = answer_smtp;
	world_ask(&w, PATIENCE_S * 1000);
	assert_int_equal(w.waiter.reply.fault, VALIDATION_NO_FAULT);
	waiter_idle(&w.waiter, 100);
	assert_in_range(w.stand.num_connections, 1, 5);
	world_close(&w);
}

static void
test_config(void **state)
{
	static const char *const bad[] = { "http://127.0.0.1",
	    "smtp://127.0.0.1/x", "smtp://user:pw@127.0.0.1", "smtp://",
	    "127.0.0.1", "smtp://127.0.0.1:0", "smtp://127.0.0.1:65536",
	    "smtp://127.0.0.1:x", "smtp://[::1", "smtp://::1",
	    "smtp://a b.example", "smtp://a.example\r\nx" };
	struct validation_mail *mail;
	struct oc_error error = { 0 };
	struct world w;

	world_open(&w, answer_nothing);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		w.config.url = bad[i];
		assert_int_equal(validation_mail_new(w.waiter.base,
		    NULL, &w.config, &mail, &error), OC_ERR_CONFIG);
	}
	w.config.url = "smtps://[::1]:587";
	w.config.from = "nobody";
	assert_int_equal(validation_mail_new(w.waiter.base, NULL,
	    &w.config, &mail, &error), OC_ERR_CONFIG);
	/* A password goes out by TLS alone, and comes from a file that
	 * nobody else reads. */
	w.config.from = "ca@ca.example";
	w.config.user = "ca";
	base_test_put_text("password", "secret\n");
	assert_true(asprintf((char **)(uintptr_t)&w.config.password_source,
	    "%s/password", (const char *)*state) > 0);
	assert_int_equal(chmod("password", 0600), 0);
	assert_int_equal(validation_mail_new(w.waiter.base, NULL,
	    &w.config, &mail, &error), OC_ERR_CONFIG);
	w.config.may_be_plain = false;
	assert_int_equal(validation_mail_new(w.waiter.base, NULL,
	    &w.config, &mail, &error), OC_OK);
	validation_mail_free(mail);
	assert_int_equal(chmod("password", 0644), 0);
	assert_int_equal(validation_mail_new(w.waiter.base, NULL,
	    &w.config, &mail, &error), OC_ERR_CONFIG);
	assert_null(strstr(error.text, "secret"));
	free((char *)(uintptr_t)w.config.password_source);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mailbox),
		cmocka_unit_test(test_constructed),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_not_ascii),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_tls),
		cmocka_unit_test(test_bad_servers),
		cmocka_unit_test(test_queue),
		cmocka_unit_test_setup_teardown(test_config, base_test_enter,
		    base_test_leave)
	};

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
