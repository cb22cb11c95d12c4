/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/page_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "base/clock.h"
#include "validation/address.h"

#define VISITS_MAX 2048
#define LOOKUP_NS (12 * OC_NS_PER_S)
#define CONNECT_NS (10 * OC_NS_PER_S)
#define URL_SHOWN_MAX 120
#define BODY_SHOWN_MAX 64

static void on_answer(struct validation_visit *v, size_t which,
    const struct validation_answer *answer);
static void connect_next(struct validation_visit *v);

static int64_t
earlier(int64_t a_ns, int64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* --- the end ------------------------------------------------------------ */

static void
visit_free(struct validation_visit *v)
{
	for (size_t i = 0; i < 2; i++)
		if (v->lookups[i] != NULL)
			validation_resolver_cancel(v->lookups[i]);
	validation_transfer_end(v);
	if (v->timer != NULL)
		event_free(v->timer);
	curl_url_cleanup(v->url);
	free(v);
}

static void
visit_remove(struct validation_visit *v)
{
	TAILQ_REMOVE(&v->pages->visits, v, link);
	v->pages->num--;
}

/* Where we were: the first URL, the last one, its address. */
static void
put_place(struct validation_text *text, const struct validation_visit *v)
{
	char address[INET6_ADDRSTRLEN];

	validation_text_put_octets(text, v->first, strlen(v->first),
	    URL_SHOWN_MAX);
	if (v->num_redirects > 0) {
		validation_text_put(text, v->num_redirects == 1 ? " -> " :
		    " -> ... -> ");
		validation_text_put_octets(text, v->at, strlen(v->at),
		    URL_SHOWN_MAX);
	}
	if (v->transfer.curl != NULL) {
		validation_address_text(&v->transfer.address, address);
		validation_text_put(text, " [%s]", address);
	}
	validation_text_put(text, ": ");
}

/* What a server said of itself, and nobody else did. */
static void
put_trust(struct validation_text *text, const struct validation_visit *v)
{
	long result = 0;

	if (v->transfer.curl == NULL || strncmp(v->at, "https:", 6) != 0)
		return;
	(void)curl_easy_getinfo(v->transfer.curl, CURLINFO_SSL_VERIFYRESULT,
	    &result);
	if (result != X509_V_OK)
		validation_text_put(text, " (certificate not verified: %s)",
		    X509_verify_cert_error_string(result));
}

static void
copy_type(const struct validation_visit *v, char type[VALIDATION_TYPE_MAX])
{
	struct validation_text text;
	char *said = NULL;

	validation_text_init(&text, type, VALIDATION_TYPE_MAX);
	if (v->transfer.curl != NULL && curl_easy_getinfo(v->transfer.curl,
	    CURLINFO_CONTENT_TYPE, &said) == CURLE_OK && said != NULL)
		validation_text_put_octets(&text, said, strlen(said),
		    VALIDATION_TYPE_MAX);
}

static void
finish(struct validation_visit *v, struct validation_page *page)
{
	struct oc_buffer *body = &v->transfer.body;

	if (v->transfer.curl != NULL) {
		copy_type(v, page->type);
		page->body = (const uint8_t *)oc_buffer_text(body);
		page->len = body->len;
	}
	visit_remove(v);
	v->done(v->arg, page);
	visit_free(v);
}

/* Frees the visit. */
static void
fail(struct validation_visit *v, enum validation_fault fault,
    bool is_temporary, const char *why)
{
	struct validation_page page = { .fault = fault,
		.is_temporary = is_temporary, .body = (const uint8_t *)"" };
	struct validation_text text;

	validation_text_init(&text, page.seen, sizeof(page.seen));
	put_place(&text, v);
	validation_text_put(&text, "%s", why);
	finish(v, &page);
}

/* An answer that is no redirect. */
static void
succeed(struct validation_visit *v)
{
	struct validation_page page = { .body = (const uint8_t *)"" };
	const struct validation_transfer *t = &v->transfer;
	long status = validation_transfer_status(v);
	struct validation_text text;

	if (status != VALIDATION_STATUS_OK) {
		page.fault = VALIDATION_INCORRECT;
		page.is_temporary = status == 429 || status >= 500 ||
		    status == 404;
	} else if (t->stop == VALIDATION_TOO_LONG) {
		page.fault = VALIDATION_INCORRECT;
	}
	validation_text_init(&text, page.seen, sizeof(page.seen));
	put_place(&text, v);
	validation_text_put(&text, "status %ld, ", status);
	if (t->stop == VALIDATION_TOO_LONG)
		validation_text_put(&text, "more than %zu octets, ",
		    v->body_max);
	validation_text_put(&text, "\"");
	validation_text_put_octets(&text, oc_buffer_text(&t->body),
	    t->body.len, BODY_SHOWN_MAX);
	validation_text_put(&text, "\"");
	put_trust(&text, v);
	finish(v, &page);
}

static void
on_deadline(evutil_socket_t fd, short events, void *arg)
{
	struct validation_visit *v = arg;

	(void)fd, (void)events;
	if (v->lookups[0] != NULL || v->lookups[1] != NULL)
		fail(v, VALIDATION_DNS_FAULT, true, "no answer from DNS in "
		    "time");
	else
		fail(v, VALIDATION_CONNECTION_FAULT, true, "no whole answer "
		    "in time");
}

/* --- one hop: its addresses --------------------------------------------- */

static void
on_aaaa(void *arg, const struct validation_answer *answer)
{
	on_answer(arg, 0, answer);
}

static void
on_a(void *arg, const struct validation_answer *answer)
{
	on_answer(arg, 1, answer);
}

static enum oc_err
look_up(struct validation_visit *v)
{
	int64_t until_ns = earlier(v->deadline_ns, oc_clock_mono_ns() +
	    LOOKUP_NS);
	enum oc_err err;

	v->num_targets = v->target = 0;
	v->why[0] = '\0';
	v->is_dns_temporary = false;
	v->reserved = NULL;
	err = validation_resolver_ask(v->pages->resolver, v->host,
	    VALIDATION_DNS_AAAA, until_ns, on_aaaa, v, &v->lookups[0]);
	if (err != OC_OK)
		return err;
	err = validation_resolver_ask(v->pages->resolver, v->host,
	    VALIDATION_DNS_A, until_ns, on_a, v, &v->lookups[1]);
	if (err != OC_OK) {
		validation_resolver_cancel(v->lookups[0]);
		v->lookups[0] = NULL;
	}
	return err;
}

/* IPv6's in front of IPv4's, two of each; both may come first. */
static void
add_targets(struct validation_visit *v,
    const struct validation_answer *answer, bool is_v4)
{
	struct oc_address found[VALIDATION_TARGETS_MAX / 2];
	size_t num = 0;

	for (size_t i = 0; i < answer->num_records; i++) {
		struct oc_address address;
		const char *reserved;

		if (num == VALIDATION_TARGETS_MAX / 2 ||
		    !validation_address_of_record(answer->records[i].octets,
		    answer->records[i].len, &address))
			continue;
		reserved = validation_address_reserved(&address,
		    v->pages->allowed, v->pages->num_allowed);
		if (reserved == NULL) {
			found[num++] = address;
		} else {
			v->reserved = reserved;
			v->refused = address;
		}
	}
	if (!is_v4)
		memmove(v->targets + num, v->targets,
		    v->num_targets * sizeof(v->targets[0]));
	memcpy(v->targets + (is_v4 ? v->num_targets : 0), found,
	    num * sizeof(found[0]));
	v->num_targets += num;
}

static void
fail_without_target(struct validation_visit *v)
{
	char address[INET6_ADDRSTRLEN], why[VALIDATION_SEEN_MAX];

	if (v->reserved != NULL) {
		validation_address_text(&v->refused, address);
		(void)snprintf(why, sizeof(why), "%.253s has the address %s, "
		    "which is not the internet's (%s)", v->host, address,
		    v->reserved);
		fail(v, VALIDATION_CONNECTION_FAULT, false, why);
		return;
	}
	(void)snprintf(why, sizeof(why), "no address of %.100s: %.200s",
	    v->host, v->why);
	fail(v, VALIDATION_DNS_FAULT, true, why);
}

/* One that has nothing does no harm to the other; one that is bogus says that
 * somebody is lying. */
static void
on_answer(struct validation_visit *v, size_t which,
    const struct validation_answer *answer)
{
	v->lookups[which] = NULL;
	switch (answer->outcome) {
	case VALIDATION_DNS_FOUND:
		add_targets(v, answer, which == 1);
		break;
	case VALIDATION_DNS_BOGUS:
		fail(v, VALIDATION_DNS_FAULT, true, answer->why);
		return;
	case VALIDATION_DNS_NONE:
		if (v->why[0] == '\0')
			(void)snprintf(v->why, sizeof(v->why), "%s",
			    answer->why);
		break;
	case VALIDATION_DNS_FAILED:
	case VALIDATION_DNS_TIMEOUT:
		(void)snprintf(v->why, sizeof(v->why), "%s", answer->why);
		break;
	}
	if (v->lookups[0] != NULL || v->lookups[1] != NULL)
		return;
	if (v->num_targets == 0)
		fail_without_target(v);
	else
		connect_next(v);
}

/* Each address has its share of the time that is left. */
static void
connect_next(struct validation_visit *v)
{
	int64_t left_ns = v->deadline_ns - oc_clock_mono_ns();
	int64_t share_ns = left_ns / (int64_t)(v->num_targets - v->target);

	if (left_ns <= 0)
		left_ns = share_ns = 1;
	validation_transfer_end(v);
	v->transfer.address = v->targets[v->target++];
	if (validation_transfer_start(v, earlier(share_ns, CONNECT_NS)) !=
	    OC_OK)
		fail(v, VALIDATION_OURS, true, "out of memory");
}

/* --- one hop: what came of it ------------------------------------------- */

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 ||
	    status == 307 || status == 308;
}

static void
refuse_redirect(struct validation_visit *v, const char *location,
    const char *why)
{
	char line[VALIDATION_SEEN_MAX];
	struct validation_text text;

	validation_text_init(&text, line, sizeof(line));
	validation_text_put(&text, "a redirect to %s: \"", why);
	validation_text_put_octets(&text, location, strlen(location),
	    URL_SHOWN_MAX);
	validation_text_put(&text, "\"");
	fail(v, VALIDATION_CONNECTION_FAULT, false, line);
}

static void
follow(struct validation_visit *v)
{
	char location[VALIDATION_URL_MAX];
	struct oc_address literal;
	bool is_literal = false;
	const char *why = NULL;

	(void)snprintf(location, sizeof(location), "%s",
	    v->transfer.location);
	if (location[0] == '\0')
		why = "nowhere";
	else if (v->transfer.has_two_locations)
		why = "two places";
	else if (v->num_redirects == VALIDATION_REDIRECTS_MAX)
		why = "one place too many";
	if (why == NULL) {
		char before[VALIDATION_URL_MAX];

		/* What is refused is told by where it was said. */
		(void)snprintf(before, sizeof(before), "%s", v->at);
		why = validation_url_follow(v, location, &literal,
		    &is_literal);
		if (why != NULL)
			(void)snprintf(v->at, sizeof(v->at), "%s", before);
	}
	if (why != NULL) {
		refuse_redirect(v, location, why);
		return;
	}
	v->num_redirects++;
	validation_transfer_end(v);
	if (is_literal) {
		v->targets[0] = literal;
		v->num_targets = 1;
		v->target = 0;
		connect_next(v);
	} else if (look_up(v) != OC_OK) {
		fail(v, VALIDATION_OURS, true, "too much to look up at once");
	}
}

static bool
is_connected(const struct validation_visit *v)
{
	curl_off_t us = 0;

	return curl_easy_getinfo(v->transfer.curl, CURLINFO_CONNECT_TIME_T,
	    &us) == CURLE_OK && us > 0;
}

/* What libcurl says of a transfer that failed. */
static void
fail_transfer(struct validation_visit *v, CURLcode rc)
{
	char why[CURL_ERROR_SIZE];

	(void)snprintf(why, sizeof(why), "%s", v->transfer.said[0] != '\0' ?
	    v->transfer.said : curl_easy_strerror(rc));
	switch ((int)rc) {
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
		fail(v, VALIDATION_OURS, true, why);
		return;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_PEER_FAILED_VERIFICATION:
		fail(v, VALIDATION_TLS_FAULT, true, why);
		return;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		fail(v, VALIDATION_INCORRECT, false, why);
		return;
	}
	fail(v, VALIDATION_CONNECTION_FAULT, true, why);
}

void
validation_visit_on_transfer(struct validation_visit *visit, CURLcode rc)
{
	enum validation_stop stop = visit->transfer.stop;

	if (stop == VALIDATION_NO_MEMORY) {
		fail(visit, VALIDATION_OURS, true, "out of memory");
	} else if (stop == VALIDATION_NO_SOCKET) {
		fail(visit, VALIDATION_OURS, true, "out of sockets");
	} else if (stop == VALIDATION_HEAD_TOO_LONG) {
		fail(visit, VALIDATION_INCORRECT, false, "more header fields "
		    "than anybody needs");
	} else if (rc == CURLE_OK || stop != VALIDATION_NOT_STOPPED) {
		if (is_redirect(validation_transfer_status(visit)))
			follow(visit);
		else
			succeed(visit);
	} else if (!is_connected(visit) &&
	    visit->target < visit->num_targets) {
		connect_next(visit);
	} else {
		fail_transfer(visit, rc);
	}
}

/* --- beginning ---------------------------------------------------------- */

static enum oc_err
start_timer(struct validation_visit *v)
{
	int64_t left_ns = v->deadline_ns - oc_clock_mono_ns();
	struct timeval tv;

	if (left_ns < 0)
		left_ns = 0;
	tv.tv_sec = (time_t)(left_ns / OC_NS_PER_S);
	tv.tv_usec = (suseconds_t)(left_ns % OC_NS_PER_S / 1000);
	v->timer = evtimer_new(v->pages->base, on_deadline, v);
	return v->timer != NULL && evtimer_add(v->timer, &tv) == 0 ? OC_OK :
	    OC_ERR_NOMEM;
}

enum oc_err
validation_pages_get(struct validation_pages *pages,
    const struct validation_page_wish *wish, validation_page_fn *done,
    void *arg, struct validation_visit **visit)
{
	struct validation_visit *v;
	enum oc_err err = OC_ERR_NOMEM;

	if (pages->num >= pages->max)
		return OC_ERR_BUSY;
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return OC_ERR_NOMEM;
	v->pages = pages;
	v->deadline_ns = wish->deadline_ns;
	v->body_max = wish->body_max;
	v->is_start_enough = wish->part == VALIDATION_PAGE_START;
	v->done = done;
	v->arg = arg;
	v->url = curl_url();
	if (v->url != NULL)
		err = validation_url_start(v, wish) == NULL ? start_timer(v) :
		    OC_ERR_MALFORMED;
	if (err == OC_OK)
		err = look_up(v);
	if (err != OC_OK) {
		visit_free(v);
		return err;
	}
	TAILQ_INSERT_TAIL(&pages->visits, v, link);
	pages->num++;
	*visit = v;
	return OC_OK;
}

void
validation_pages_cancel(struct validation_visit *visit)
{
	visit_remove(visit);
	visit_free(visit);
}

enum oc_err
validation_pages_new(const struct validation_pages_options *options,
    struct validation_pages **pages, struct oc_error *error)
{
	struct validation_pages *p = calloc(1, sizeof(*p));
	enum oc_err err = OC_ERR_NOMEM;

	if (p == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	oc_assert(options->num_ports <= VALIDATION_PORTS_MAX);
	TAILQ_INIT(&p->visits);
	p->base = options->base;
	p->resolver = options->resolver;
	p->http_port = options->http_port != 0 ? options->http_port : 80;
	p->https_port = options->https_port != 0 ? options->https_port : 443;
	p->num_ports = options->num_ports;
	for (size_t i = 0; i < p->num_ports; i++)
		p->ports[i] = options->ports[i];
	p->max = options->visits_max != 0 ? options->visits_max : VISITS_MAX;
	p->num_allowed = options->num_allowed;
	p->allowed = calloc(p->num_allowed + 1, sizeof(p->allowed[0]));
	if (p->allowed != NULL) {
		for (size_t i = 0; i < p->num_allowed; i++)
			p->allowed[i] = options->allowed[i];
		err = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ?
		    validation_curl_new(p->base, &p->curl) : OC_ERR_INTERNAL;
	}
	if (err != OC_OK) {
		validation_pages_free(p);
		return oc_error_set(error, err, "libcurl does not start");
	}
	*pages = p;
	return OC_OK;
}

void
validation_pages_free(struct validation_pages *pages)
{
	struct validation_visit *v;

	if (pages == NULL)
		return;
	while ((v = TAILQ_FIRST(&pages->visits)) != NULL)
		validation_pages_cancel(v);
	validation_curl_free(pages->curl);
	free(pages->allowed);
	free(pages);
}
