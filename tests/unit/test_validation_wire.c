/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions and replies in frames: what is written is read, nothing that a
 * query, a request line or an SMTP command must not have gets through in
 * either direction, and half a message is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "validation/wire.h"

static uint8_t out[OC_FRAME_MAX + 4];
static char long_text[VALIDATION_BODY_MAX + 2];

#define ID 77
#define NAME "www.example.com"
#define TOKEN "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"

static const struct validation_question questions[] = {
	{ .task = VALIDATION_TXT, .name = NAME, .prefix = "_acme-challenge.",
	    .expected = TOKEN },
	{ .task = VALIDATION_FILE, .name = NAME,
	    .path = "acme-challenge/" TOKEN, .expected = TOKEN "." TOKEN },
	{ .task = VALIDATION_META, .name = "xn--bcher-kva.example",
	    .expected = TOKEN },
	{ .task = VALIDATION_CAA, .name = NAME, .is_wildcard = true,
	    .method = "dns-01", .account_uri = "https://ca.test/acct/1?x=%20" },
	{ .task = VALIDATION_CAA, .name = "_a.b-c.example" },
	{ .task = VALIDATION_CONTACTS, .name = NAME },
	{ .task = VALIDATION_MAIL, .to = "o'neil+ca@example.com",
	    .subject = "Is b\xc3\xbc" "cher.example yours?",
	    .body = "Yes:\r\n\n\thttps://ca.test/" TOKEN "\n" },
	{ .task = VALIDATION_MAIL, .name = NAME, .to = "a@b", .subject = "x",
	    .body = "" },
	{ .task = VALIDATION_PUBLISH, .name = NAME,
	    .prefix = "_ocsign-challenge.", .expected = TOKEN },
	{ .task = VALIDATION_WITHDRAW, .name = NAME,
	    .prefix = "_acme-challenge.", .expected = TOKEN },
};
#define NUM_QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static struct der_bytes
fields_of(size_t len, uint16_t type)
{
	struct ipc_header header;
	struct der_bytes fields;
	size_t used;

	assert_int_equal(ipc_frame_parse(out, len, &header, &fields, &used),
	    1);
	assert_int_equal(used, len);
	assert_int_equal(header.type, type);
	assert_int_equal(header.id, ID);
	return fields;
}

static void
assert_same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a != NULL)
		assert_string_equal(a, b);
}

static void
assert_same(const struct validation_question *a,
    const struct validation_question *b)
{
	assert_int_equal(a->task, b->task);
	assert_int_equal(a->is_wildcard, b->is_wildcard);
	assert_same_text(a->name, b->name);
	assert_same_text(a->prefix, b->prefix);
	assert_same_text(a->path, b->path);
	assert_same_text(a->expected, b->expected);
	assert_same_text(a->method, b->method);
	assert_same_text(a->account_uri, b->account_uri);
	assert_same_text(a->to, b->to);
	assert_same_text(a->subject, b->subject);
	assert_same_text(a->body, b->body);
}

static void
what_is_written_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_QUESTIONS; i++) {
		struct validation_asked *asked;
		const char *which = NULL;
		size_t len;

		if (validation_put_question(out, sizeof(out), ID,
		    &questions[i], 1234, &len, &which) != OC_OK)
			fail_msg("%zu: %s", i, which);
		assert_int_equal(validation_read_question(fields_of(len,
		    IPC_VALIDATE), &asked), OC_OK);
		assert_same(&asked->question, &questions[i]);
		assert_int_equal(asked->timeout_ms, 1234);
		free(asked);
	}
}

/* The channel writes it anew in each frame that it sends. */
static void
the_time_that_is_left_stands_where_channels_write_it(void **state)
{
	struct validation_asked *asked;
	const char *which;
	size_t len;

	(void)state;
	assert_true(ipc_has_timeout(IPC_VALIDATE));
	assert_int_equal(validation_put_question(out, sizeof(out), ID,
	    &questions[3], 0, &len, &which), OC_OK);
	ipc_set_timeout(out, len, 98765);
	assert_int_equal(validation_read_question(fields_of(len,
	    IPC_VALIDATE), &asked), OC_OK);
	assert_int_equal(asked->timeout_ms, 98765);
	assert_same(&asked->question, &questions[3]);
	free(asked);
}

/* All of them are allocated; sanitizers see what is read beyond. */
static void
assert_malformed(struct der_bytes fields)
{
	struct validation_asked *asked = NULL;
	uint8_t *copy = malloc(fields.len + 1);

	assert_non_null(copy);
	memcpy(copy, fields.p, fields.len);
	if (validation_read_question((struct der_bytes){ copy, fields.len },
	    &asked) == OC_OK)
		fail_msg("%zu octets of it are read", fields.len);
	assert_null(asked);
	free(copy);
}

static void
half_a_question_is_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_QUESTIONS; i++) {
		struct der_bytes fields;
		const char *which;
		size_t len;

		assert_int_equal(validation_put_question(out, sizeof(out), ID,
		    &questions[i], 1, &len, &which), OC_OK);
		fields = fields_of(len, IPC_VALIDATE);
		for (size_t n = 0; n < fields.len; n++)
			assert_malformed((struct der_bytes){ fields.p, n });
		out[len] = 0;
		assert_malformed((struct der_bytes){ fields.p,
		    fields.len + 1 });
	}
}

/* Written by somebody who does not look: what given says. */
static void
put_raw(const struct validation_question *q, unsigned int given, size_t *len)
{
	const char *const all[] = { q->name, q->prefix, q->path, q->expected,
	    q->method, q->account_uri, q->to, q->subject, q->body };
	struct ipc_writer w;

	ipc_begin(&w, out, sizeof(out), IPC_VALIDATE, 0, ID);
	ipc_put_u8(&w, (uint8_t)q->task);
	ipc_put_u16(&w, (uint16_t)given);
	ipc_put_u32(&w, 1);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] != NULL)
			ipc_put_text(&w, all[i]);
	assert_int_equal(ipc_end(&w, len), OC_OK);
}

static unsigned int
given_by(const struct validation_question *q)
{
	const char *const all[] = { q->name, q->prefix, q->path, q->expected,
	    q->method, q->account_uri, q->to, q->subject, q->body };
	unsigned int given = q->is_wildcard ? 0x8000 : 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] != NULL)
			given |= 1u << i;
	return given;
}

/* Neither written nor read. */
static void
assert_refused(const struct validation_question *q, const char *field)
{
	const char *which = NULL;
	size_t len;

	assert_int_equal(validation_put_question(out, sizeof(out), ID, q, 1,
	    &len, &which), OC_ERR_REFUSED);
	assert_string_equal(which, field);
	put_raw(q, given_by(q), &len);
	assert_malformed(fields_of(len, IPC_VALIDATE));
}

#define NAME_OF(text) { .task = VALIDATION_CONTACTS, .name = text }
#define PREFIX_OF(text) { .task = VALIDATION_TXT, .name = NAME, \
	.prefix = text, .expected = TOKEN }
#define PATH_OF(text) { .task = VALIDATION_FILE, .name = NAME, \
	.path = text, .expected = TOKEN }
#define EXPECTED_OF(text) { .task = VALIDATION_META, .name = NAME, \
	.expected = text }
#define METHOD_OF(text) { .task = VALIDATION_CAA, .name = NAME, \
	.method = text }
#define URI_OF(text) { .task = VALIDATION_CAA, .name = NAME, \
	.account_uri = text }
#define TO_OF(text) { .task = VALIDATION_MAIL, .to = text, \
	.subject = "x", .body = "x" }
#define SUBJECT_OF(text) { .task = VALIDATION_MAIL, .to = "a@b.test", \
	.subject = text, .body = "x" }
#define BODY_OF(text) { .task = VALIDATION_MAIL, .to = "a@b.test", \
	.subject = "x", .body = text }

static const struct {
	const char *field;
	struct validation_question question;
} bad[] = {
	{ "name", NAME_OF("") }, { "name", NAME_OF(".") },
	{ "name", NAME_OF("a.") }, { "name", NAME_OF(".a") },
	{ "name", NAME_OF("a..b") }, { "name", NAME_OF("A.example") },
	{ "name", NAME_OF("*.example") }, { "name", NAME_OF("a b.example") },
	{ "name", NAME_OF("a\n.example") }, { "name", NAME_OF("a/b") },
	{ "name", NAME_OF("a@b") }, { "name", NAME_OF("a:80") },
	{ "name", NAME_OF("b\xc3\xbc" "cher.example") },
	{ "name", NAME_OF("[::1]") },
	{ "prefix", PREFIX_OF("") }, { "prefix", PREFIX_OF("_.") },
	{ "prefix", PREFIX_OF("acme-challenge.") },
	{ "prefix", PREFIX_OF("_acme-challenge") },
	{ "prefix", PREFIX_OF("_a.b.") }, { "prefix", PREFIX_OF("_a ") },
	{ "path", PATH_OF("") }, { "path", PATH_OF("/etc/passwd") },
	{ "path", PATH_OF("a/../b") }, { "path", PATH_OF("..") },
	{ "path", PATH_OF("a//b") }, { "path", PATH_OF("a/.b") },
	{ "path", PATH_OF("a b") }, { "path", PATH_OF("a?b") },
	{ "path", PATH_OF("a#b") }, { "path", PATH_OF("a%2e") },
	{ "path", PATH_OF("a\r\nHost: b") },
	{ "expected", EXPECTED_OF("") }, { "expected", EXPECTED_OF("a b") },
	{ "expected", EXPECTED_OF("a\n") },
	{ "expected", EXPECTED_OF("\xc3\xbc") },
	{ "method", METHOD_OF("") }, { "method", METHOD_OF("DNS-01") },
	{ "method", METHOD_OF("dns,http") },
	{ "account_uri", URI_OF("") }, { "account_uri", URI_OF("a;b c") },
	{ "to", TO_OF("") }, { "to", TO_OF("a") }, { "to", TO_OF("@b") },
	{ "to", TO_OF("a@") }, { "to", TO_OF("a@b>\r\nRCPT TO:<c@d") },
	{ "to", TO_OF("<a@b>") }, { "to", TO_OF("a@b,c@d") },
	{ "to", TO_OF("\"a\"@b") }, { "to", TO_OF("a b@c") },
	{ "subject", SUBJECT_OF("") }, { "subject", SUBJECT_OF("a\nBcc: b") },
	{ "subject", SUBJECT_OF("a\rb") }, { "subject", SUBJECT_OF("\xff") },
	{ "subject", SUBJECT_OF("\xc2\x85") },
	{ "body", BODY_OF("\x1b[2J") }, { "body", BODY_OF("\xc3") },
	/* What a task needs, and what it has no use for. */
	{ "task", { .task = 0, .name = NAME } },
	{ "task", { .task = (enum validation_task)9, .name = NAME } },
	{ "name", { .task = VALIDATION_META, .expected = TOKEN } },
	{ "expected", { .task = VALIDATION_META, .name = NAME } },
	{ "prefix", { .task = VALIDATION_META, .name = NAME, .prefix = "_a.",
	    .expected = TOKEN } },
	{ "prefix", { .task = VALIDATION_PUBLISH, .name = NAME,
	    .expected = TOKEN } },
	{ "path", { .task = VALIDATION_FILE, .name = NAME,
	    .expected = TOKEN } },
	{ "to", { .task = VALIDATION_MAIL, .subject = "x", .body = "x" } },
	{ "body", { .task = VALIDATION_MAIL, .to = "a@b", .subject = "x" } },
	{ "method", { .task = VALIDATION_CONTACTS, .name = NAME,
	    .method = "dns-01" } },
	{ "is_wildcard", { .task = VALIDATION_CONTACTS, .name = NAME,
	    .is_wildcard = true } },
};

static void
what_could_be_more_than_that_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		print_message("%zu %s\n", i, bad[i].field);
		assert_refused(&bad[i].question, bad[i].field);
	}
}

static const char *
as_long(size_t len)
{
	memset(long_text, 'a', len);
	long_text[len] = '\0';
	return long_text;
}

/* As long as it may be, and one more. */
static void
each_has_its_length(void **state)
{
	static const struct {
		const char *field;
		size_t max;
		struct validation_question question;
	} all[] = {
		{ "name", 63, NAME_OF(long_text) },
		{ "path", VALIDATION_PATH_MAX, PATH_OF(long_text) },
		{ "expected", VALIDATION_EXPECTED_MAX,
		    EXPECTED_OF(long_text) },
		{ "method", VALIDATION_METHOD_MAX, METHOD_OF(long_text) },
		{ "account_uri", VALIDATION_URI_MAX, URI_OF(long_text) },
		{ "subject", VALIDATION_SUBJECT_MAX, SUBJECT_OF(long_text) },
		{ "body", VALIDATION_BODY_MAX, BODY_OF(long_text) },
	};
	const char *which = NULL;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		(void)as_long(all[i].max);
		assert_int_equal(validation_put_question(out, sizeof(out), ID,
		    &all[i].question, 1, &len, &which), OC_OK);
		(void)as_long(all[i].max + 1);
		assert_refused(&all[i].question, all[i].field);
	}
	(void)as_long(VALIDATION_NAME_MAX);
	for (size_t i = 60; i < VALIDATION_NAME_MAX; i += 60)
		long_text[i] = '.';
	assert_int_equal(validation_put_question(out, sizeof(out), ID,
	    &all[0].question, 1, &len, &which), OC_OK);
	(void)as_long(VALIDATION_NAME_MAX + 1);
	for (size_t i = 60; i < VALIDATION_NAME_MAX; i += 60)
		long_text[i] = '.';
	assert_refused(&all[0].question, "name");
}

static void
bits_that_mean_nothing_are_refused(void **state)
{
	size_t len;

	(void)state;
	for (unsigned int bit = 9; bit < 15; bit++) {
		put_raw(&questions[5], 1 | 1u << bit, &len);
		assert_malformed(fields_of(len, IPC_VALIDATE));
	}
}

/* --- replies ------------------------------------------------------------ */

static void
fill_reply(struct validation_reply *reply)
{
	*reply = (struct validation_reply){ .fault = VALIDATION_NO_FAULT,
	    .is_temporary = true, .seen = "b\xc3\xbc" "cher: 2 found",
	    .num_contacts = VALIDATION_CONTACTS_MAX, .num_found = 2 };
	for (size_t i = 0; i < VALIDATION_CONTACTS_MAX; i++)
		(void)snprintf(reply->contacts[i],
		    sizeof(reply->contacts[i]), "c%zu@example.com", i);
}

static void
put_reply(const struct validation_reply *reply, struct der_bytes *fields)
{
	size_t len;

	assert_int_equal(validation_put_reply(out, sizeof(out), ID, reply,
	    &len), OC_OK);
	*fields = fields_of(len, IPC_VALIDATED);
}

static void
a_reply_is_read_as_it_was(void **state)
{
	struct validation_reply reply, got;
	struct der_bytes fields;

	(void)state;
	for (int fault = 0; fault <= VALIDATION_FAULT_LAST; fault++) {
		memset(&got, 0xff, sizeof(got));
		fill_reply(&reply);
		reply.fault = (enum validation_fault)fault;
		put_reply(&reply, &fields);
		assert_int_equal(validation_read_reply(fields, &got), OC_OK);
		assert_int_equal(got.fault, fault);
		assert_true(got.is_temporary);
		assert_string_equal(got.seen, reply.seen);
		assert_int_equal(got.num_found, 2);
		assert_int_equal(got.num_contacts, VALIDATION_CONTACTS_MAX);
		for (size_t i = 0; i < VALIDATION_CONTACTS_MAX; i++)
			assert_string_equal(got.contacts[i],
			    reply.contacts[i]);
		for (size_t n = 0; n < fields.len; n++)
			assert_int_equal(validation_read_reply(
			    (struct der_bytes){ fields.p, n }, &got),
			    OC_ERR_MALFORMED);
	}
}

/* The validator reads what strangers send: it is not believed either. */
static void
a_bad_reply_is_none(void **state)
{
	static const char *const seen[] = { "a\nb", "\x1b[2J", "\xff",
	    "\xc2\x9b" };
	static const char *const contacts[] = { "", "a", "a@", "a@b>c",
	    "a b@c", "a\r\n@b" };
	struct validation_reply reply, got = { .seen = "before" };
	struct der_bytes fields;

	(void)state;
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		fill_reply(&reply);
		(void)snprintf(reply.seen, sizeof(reply.seen), "%s", seen[i]);
		put_reply(&reply, &fields);
		assert_int_equal(validation_read_reply(fields, &got),
		    OC_ERR_MALFORMED);
	}
	for (size_t i = 0; i < sizeof(contacts) / sizeof(contacts[0]); i++) {
		fill_reply(&reply);
		(void)snprintf(reply.contacts[7], sizeof(reply.contacts[7]),
		    "%s", contacts[i]);
		put_reply(&reply, &fields);
		assert_int_equal(validation_read_reply(fields, &got),
		    OC_ERR_MALFORMED);
	}
	fill_reply(&reply);
	reply.num_found = VALIDATION_CONTACTS_MAX + 1;
	put_reply(&reply, &fields);
	assert_int_equal(validation_read_reply(fields, &got),
	    OC_ERR_MALFORMED);
	fill_reply(&reply);
	put_reply(&reply, &fields);
	out[IPC_HEADER_LEN] = VALIDATION_FAULT_LAST + 1;
	assert_int_equal(validation_read_reply(fields, &got),
	    OC_ERR_MALFORMED);
	out[IPC_HEADER_LEN] = 0;
	out[IPC_HEADER_LEN + 1] = 2;
	assert_int_equal(validation_read_reply(fields, &got),
	    OC_ERR_MALFORMED);
	assert_string_equal(got.seen, "before");
}

static void
each_word_is_another(void **state)
{
	(void)state;
	for (int a = 1; a <= VALIDATION_TASK_LAST; a++)
		for (int b = 1; b < a; b++)
			assert_string_not_equal(
			    validation_task_text((enum validation_task)a),
			    validation_task_text((enum validation_task)b));
	for (int a = 0; a <= VALIDATION_FAULT_LAST; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(
			    validation_fault_text((enum validation_fault)a),
			    validation_fault_text((enum validation_fault)b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(
		    the_time_that_is_left_stands_where_channels_write_it),
		cmocka_unit_test(half_a_question_is_none),
		cmocka_unit_test(what_could_be_more_than_that_is_refused),
		cmocka_unit_test(each_has_its_length),
		cmocka_unit_test(bits_that_mean_nothing_are_refused),
		cmocka_unit_test(a_reply_is_read_as_it_was),
		cmocka_unit_test(a_bad_reply_is_none),
		cmocka_unit_test(each_word_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
