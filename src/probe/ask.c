/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange over a kept connection, and what its answer means. */
#include "probe/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "ocsp/request.h"
#include "probe/case.h"

#define NONCE_LEN 32			/* RFC 9654, 2.1 */
#define REQUEST_MAX 1024
#define HTTP_MAX (8 * 1024)
/* A year: more says no more. */
#define CACHE_MAX_S 31536000

/* A question that is under way. */
struct question {
	struct der_bytes certid;		/* owned: certid_octets */
	uint8_t *certid_octets;
	uint8_t nonce_octets[NONCE_LEN];
	struct der_bytes nonce;			/* len 0: none */
	uint8_t der[REQUEST_MAX];
	size_t der_len;
	struct oc_buffer http;
};

/* --- asking ------------------------------------------------------------- */

void
probe_asker_close(struct probe_asker *asker)
{
	if (asker->is_open)
		probe_close(&asker->connection);
	asker->is_open = false;
}

/* RFC 6960, A.1: base64 in the path, with +, / and = escaped. */
static void
put_path(struct oc_buffer *b, const struct probe_asker *asker,
    const struct question *q)
{
	char base64[OC_BASE64_LEN(REQUEST_MAX) + 1];
	size_t len = strlen(asker->path);

	oc_buffer_printf(b, "%s%s", asker->path, len > 0 &&
	    asker->path[len - 1] == '/' ? "" : "/");
	oc_base64_encode(q->der, q->der_len, base64);
	for (const char *c = base64; *c != '\0'; c++)
		oc_buffer_printf(b, *c == '+' || *c == '/' || *c == '=' ?
		    "%%%02X" : "%c", *c);
}

static void
put_http(struct oc_buffer *b, const struct probe_asker *asker,
    const struct question *q)
{
	if (asker->is_by_get) {
		oc_buffer_printf(b, "GET ");
		put_path(b, asker, q);
		oc_buffer_printf(b, " HTTP/1.1\r\nHost: %s\r\n\r\n",
		    asker->authority);
		return;
	}
	oc_buffer_printf(b, "POST %s HTTP/1.1\r\nHost: %s\r\n"
	    "Content-Type: application/ocsp-request\r\n"
	    "Content-Length: %zu\r\n\r\n", asker->path[0] == '\0' ? "/" :
	    asker->path, asker->authority, q->der_len);
	oc_buffer_put(b, q->der, q->der_len);
}

static enum oc_err
begin(const struct probe_asker *asker, const struct oc_serial *serial,
    struct question *q)
{
	struct ocsp_request_plan plan = { .num_certids = 1,
	    .certids = &q->certid };
	enum oc_err err;

	oc_buffer_init(&q->http, HTTP_MAX);
	err = probe_certid(asker->issuer, asker->hash, serial,
	    &q->certid_octets, &q->certid.len, NULL);
	if (err != OC_OK)
		return err;
	q->certid.p = q->certid_octets;
	if (asker->wants_nonce) {
		if (getrandom(q->nonce_octets, NONCE_LEN, 0) != NONCE_LEN)
			return OC_ERR_SYSTEM;
		q->nonce = DER_ARRAY(q->nonce_octets);
	}
	plan.nonce = q->nonce;
	err = der_write(ocsp_put_request, &plan, q->der, sizeof(q->der),
	    &q->der_len);
	if (err == OC_OK) {
		put_http(&q->http, asker, q);
		err = q->http.err;
	}
	return err;
}

static void
end(struct question *q)
{
	oc_buffer_fini(&q->http);
	free(q->certid_octets);
}

/* On the connection there is, or on a new one. */
static enum oc_err
exchange(struct probe_asker *asker, const struct question *q,
    struct probe_reply *reply, struct oc_error *error)
{
	struct probe_connection *c = &asker->connection;
	enum oc_err err = OC_OK;

	if (!asker->is_open) {
		asker->is_open = true;
		err = probe_open(asker->peer, c, error);
	} else
		c->deadline_ns = oc_clock_mono_ns() + asker->peer->timeout_ns;
	if (err != OC_OK)
		return err;
	/* Who has closed may have said before why: the reply tells. */
	(void)!probe_send(c, (struct der_bytes){ q->http.bytes,
	    q->http.len }, NULL);
	do
		err = probe_read(c, PROBE_METHOD_OTHER, reply, error);
	while (err == OC_OK && reply->status / 100 == 1 &&
	    oc_clock_mono_ns() < c->deadline_ns);
	return err;
}

/* --- what came back ----------------------------------------------------- */

static void
say_nothing(struct probe_said *said, enum probe_meaning meaning,
    const char *why)
{
	said->meaning = meaning;
	(void)snprintf(said->why, sizeof(said->why), "%.*s",
	    PROBE_SAID_WHY_MAX - 1, why);
}

/* delta-seconds, RFC 9111 1.2.2; -1: none. */
static int64_t
seconds_of(struct der_bytes text)
{
	int64_t seconds = 0;

	if (text.len >= 2 && text.p[0] == '"')
		text = (struct der_bytes){ text.p + 1, text.len - 2 };
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return -1;
		if (seconds < CACHE_MAX_S)
			seconds = 10 * seconds + text.p[i] - '0';
	}
	return text.len == 0 ? -1 : seconds;
}

/* RFC 9111, 4.2.1 and 5.2.2, as a cache that is shared would read it. */
static void
find_caching(const struct probe_reply *reply, int64_t now,
    struct probe_said *said)
{
	static const char name[] = "Cache-Control";
	struct der_bytes value;
	int64_t seconds = -1, at;

	if (probe_fields_have(reply, name, "no-store", &value) ||
	    probe_fields_have(reply, name, "private", &value) ||
	    probe_fields_have(reply, name, "no-cache", &value)) {
		said->caching = PROBE_CACHE_FORBIDDEN;
		return;
	}
	if (probe_fields_have(reply, name, "s-maxage", &value) ||
	    probe_fields_have(reply, name, "max-age", &value))
		seconds = seconds_of(value);
	else if (probe_field(reply, "Expires", &value))
		seconds = probe_date(value, &at) && at > now ? at - now : 0;
	if (seconds < 0)
		return;
	said->cache_s = seconds;
	said->caching = seconds == 0 ? PROBE_CACHE_FORBIDDEN :
	    said->next_update != OCSP_NO_NEXT_UPDATE && now + seconds >
	    said->next_update + PROBE_SKEW_S ? PROBE_CACHE_TOO_LONG :
	    PROBE_CACHE_ALLOWED;
}

static void
understand_ocsp(const struct probe_asker *asker, const struct question *q,
    const struct probe_reply *reply, struct probe_said *said)
{
	struct probe_checked checked = { 0 };
	struct ocsp_response_view view;
	struct oc_error error = { 0 };
	int64_t now = oc_clock_now_s();
	enum oc_err err = ocsp_response_read(reply->body, &view, &error);

	if (err == OC_OK && view.status != OCSP_SUCCESSFUL) {
		said->meaning = PROBE_SAYS_ERROR;
		said->error = view.status;
		return;
	}
	if (err == OC_OK)
		err = probe_check(&view, asker->issuer, q->certid, q->nonce,
		    now, &checked, &error);
	if (err != OC_OK) {
		say_nothing(said, PROBE_SAYS_NONSENSE, error.text);
		return;
	}
	said->status = checked.single.status;
	said->this_update = checked.single.this_update;
	said->next_update = checked.single.next_update;
	said->has_nonce = checked.nonce == PROBE_NONCE_SAME;
	switch (said->status.kind) {
	case OCSP_GOOD:
		said->meaning = PROBE_SAYS_GOOD;
		break;
	case OCSP_REVOKED:
		said->meaning = PROBE_SAYS_REVOKED;
		break;
	case OCSP_UNKNOWN:
		said->meaning = PROBE_SAYS_UNKNOWN;
		break;
	}
	if (asker->is_by_get)
		find_caching(reply, now, said);
}

static void
understand(const struct probe_asker *asker, const struct question *q,
    const struct probe_reply *reply, struct probe_said *said)
{
	if (reply->status / 100 == 2 && probe_num_fields(reply,
	    "Content-Encoding") == 0 && probe_is_ocsp(reply)) {
		understand_ocsp(asker, q, reply, said);
		return;
	}
	said->meaning = PROBE_SAYS_NOTHING;
	(void)snprintf(said->why, sizeof(said->why), "HTTP %d%s",
	    reply->status, reply->status / 100 == 2 ?
	    " without an OCSP response" : "");
}

enum oc_err
probe_ask(struct probe_asker *asker, const struct oc_serial *serial,
    struct probe_said *out)
{
	bool was_kept = asker->is_open && asker->connection.fd >= 0;
	struct question *q = calloc(1, sizeof(*q));
	struct probe_said said = { .next_update = OCSP_NO_NEXT_UPDATE };
	struct oc_error error = { 0 };
	struct probe_reply reply;
	enum oc_err err;

	if (q == NULL)
		return OC_ERR_NOMEM;
	err = begin(asker, serial, q);
	if (err != OC_OK)
		goto out;
	err = exchange(asker, q, &reply, &error);
	if ((err == OC_ERR_NOT_FOUND || err == OC_ERR_DOWN) && was_kept) {
		/* It was closed while nobody asked. */
		probe_asker_close(asker);
		err = exchange(asker, q, &reply, &error);
	}
	if (err == OC_OK)
		understand(asker, q, &reply, &said);
	else
		say_nothing(&said, PROBE_SAYS_NOTHING, err == OC_ERR_TIMEOUT ?
		    "no reply in time" : error.text);
	if (err != OC_OK || !reply.is_kept)
		probe_asker_close(asker);
	*out = said;
	err = OC_OK;
out:
	end(q);
	free(q);
	return err;
}
