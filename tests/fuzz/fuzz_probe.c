/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any responder's octets crash the probe's reader, and does it keep its
 * limits?  The input is all that a connection brings before it ends.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/client.h"
#include "tests/fuzz/fuzz.h"

/* What a socket's buffer takes at once. */
#define SIZE_MAX_FED (100 * 1024)

static void
check_view(const struct probe_connection *c, struct der_bytes view)
{
	fuzz_check(view.len == 0 || (view.p >= c->in.bytes &&
	    view.p + view.len <= c->in.bytes + c->in.len));
}

static void
check_fields(const struct probe_reply *r)
{
	static const char *const names[] = { "Date", "ETag",
	    "Cache-Control", "Content-Length", "A" };
	struct der_bytes value, argument;
	int64_t at;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (probe_fields_have(r, names[i], "max-age", &argument))
			fuzz_check(argument.len == 0 ||
			    (argument.p > r->head.p && argument.p +
			    argument.len <= r->head.p + r->head.len));
		if (!probe_field(r, names[i], &value)) {
			fuzz_check(probe_num_fields(r, names[i]) != 1);
			continue;
		}
		fuzz_check(value.len == 0 || (value.p > r->head.p &&
		    value.p + value.len <= r->head.p + r->head.len));
		fuzz_check(memchr(value.p, '\r', value.len) == NULL);
		if (probe_list_has(value, "max-age", &argument))
			fuzz_check(argument.len == 0 ||
			    argument.p + argument.len <= value.p + value.len);
		if (probe_date(value, &at))
			fuzz_check(at >= 0 && value.len == 29);
	}
}

static void
check_reply(const struct probe_connection *c, enum probe_method method,
    const struct probe_reply *r)
{
	fuzz_check(r->status >= 100 && r->status <= 599);
	fuzz_check(r->head.len <= PROBE_HEAD_MAX + 2);
	fuzz_check(r->body.len <= PROBE_BODY_MAX);
	fuzz_check(r->body.len == 0 || (method != PROBE_METHOD_HEAD &&
	    r->status >= 200 && r->status != 204 && r->status != 304));
	fuzz_check(c->at <= c->in.len);
	check_view(c, r->head);
	check_view(c, r->body);
	check_fields(r);
}

static void
read_all(const uint8_t *data, size_t size, enum probe_method method)
{
	struct probe_peer peer = { .timeout_ns = 10 * OC_NS_PER_S };
	struct probe_connection c;
	struct probe_reply r;
	struct oc_error error = { 0 };
	size_t before;
	enum oc_err err;
	int fds[2];

	fuzz_check(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	fuzz_check(send(fds[1], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    (ssize_t)size || size == 0);
	(void)close(fds[1]);
	peer.first_fd = fds[0];
	fuzz_check(probe_open(&peer, &c, &error) == OC_OK);
	fuzz_check(peer.first_fd == -1);
	do {
		before = c.in.len - c.at;
		err = probe_read(&c, method, &r, &error);
		if (err == OC_OK) {
			check_reply(&c, method, &r);
			/* It comes to an end. */
			fuzz_check(c.at > 0 && (c.has_ended ||
			    c.in.len - c.at < before || before == 0 ||
			    c.in.len > before));
		}
	} while (err == OC_OK);
	fuzz_check(err == OC_ERR_MALFORMED || err == OC_ERR_LIMIT ||
	    err == OC_ERR_NOT_FOUND || err == OC_ERR_DOWN);
	fuzz_check(error.text[0] != '\0');
	probe_close(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > SIZE_MAX_FED)
		return 0;
	read_all(data, size, PROBE_METHOD_OTHER);
	read_all(data, size, PROBE_METHOD_HEAD);
	return 0;
}
