/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/resolver.h"

#include <arpa/nameser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <unbound.h>

#include "base/clock.h"
#include "validation/dnsname.h"
#include "validation/resolver_setup.h"
#include "validation/seen.h"

#define CLASS_IN 1

/* One that nobody waits for any more stays until libunbound has done with it:
 * what it costs is counted. */
struct validation_lookup {
	TAILQ_ENTRY(validation_lookup) link;
	struct validation_resolver *resolver;
	struct event *timer;
	validation_answer_fn *done;	/* NULL: nobody waits */
	void *arg;
	char name[VALIDATION_DNS_NAME_MAX + 1];
};

struct validation_resolver {
	struct ub_ctx *ctx;
	struct event *readable;
	struct event_base *base;
	TAILQ_HEAD(, validation_lookup) lookups;
	uint32_t num, max;
};

static void
remove_lookup(struct validation_lookup *l)
{
	struct validation_resolver *r = l->resolver;

	TAILQ_REMOVE(&r->lookups, l, link);
	r->num--;
	if (l->timer != NULL)
		event_free(l->timer);
	free(l);
}

static void
give(struct validation_lookup *l, const struct validation_answer *answer)
{
	validation_answer_fn *done = l->done;

	(void)event_del(l->timer);
	l->done = NULL;
	done(l->arg, answer);
}

/* --- what libunbound found --------------------------------------------- */

/* How many CNAMEs led to it; -1: it cannot be read. */
static int
count_cnames(const struct ub_result *result)
{
	ns_msg message;
	ns_rr rr;
	int num = 0;

	/* What was made up, and never on the wire. */
	if (result->answer_packet == NULL || result->answer_len <= 0)
		return 0;
	if (ns_initparse(result->answer_packet, result->answer_len,
	    &message) != 0)
		return -1;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		if (ns_parserr(&message, ns_s_an, i, &rr) != 0)
			return -1;
		num += ns_rr_type(rr) == ns_t_cname;
	}
	return num;
}

static void
say(struct validation_answer *answer, const char *what, const char *more)
{
	struct validation_text text;

	validation_text_init(&text, answer->why, sizeof(answer->why));
	validation_text_put(&text, "%s%s", what, more != NULL ? more : "");
}

static const char *
rcode_text(int rcode)
{
	switch (rcode) {
	case ns_r_formerr: return "FORMERR";
	case ns_r_servfail: return "SERVFAIL: no server of the zone gives an "
	    "answer";
	case ns_r_notimpl: return "NOTIMP";
	case ns_r_refused: return "REFUSED";
	}
	return "an error";
}

static void
say_nothing(struct validation_answer *answer)
{
	answer->outcome = VALIDATION_DNS_NONE;
	say(answer, answer->is_nxdomain ? "there is no such name" :
	    "there is none of that type", answer->is_secure ?
	    ", by proof" : "");
}

/* What is bogus comes first: it must not pass for anything else. */
static void
judge(const struct ub_result *result, struct validation_answer *answer)
{
	int num_cnames = count_cnames(result);

	answer->outcome = VALIDATION_DNS_FAILED;
	answer->is_secure = result->secure != 0;
	answer->is_nxdomain = result->nxdomain != 0;
	if (result->bogus) {
		answer->outcome = VALIDATION_DNS_BOGUS;
		say(answer, "DNSSEC: ", result->why_bogus);
	} else if (num_cnames < 0) {
		say(answer, "an answer that cannot be read", NULL);
	} else if (num_cnames > VALIDATION_CNAMES_MAX) {
		say(answer, "a chain of too many CNAMEs", NULL);
	} else if (result->havedata) {
		answer->outcome = VALIDATION_DNS_FOUND;
	} else if (result->rcode == ns_r_noerror ||
	    result->rcode == ns_r_nxdomain) {
		say_nothing(answer);
	} else {
		say(answer, rcode_text(result->rcode), NULL);
	}
}

/* The array is the caller's to free; NULL with none, or without memory. */
static struct validation_record *
list_records(const struct ub_result *result, size_t *num)
{
	struct validation_record *records;
	size_t n = 0;

	*num = 0;
	while (result->data != NULL && result->data[n] != NULL)
		n++;
	records = n == 0 ? NULL : calloc(n, sizeof(*records));
	if (records == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		records[i].octets = (const uint8_t *)result->data[i];
		records[i].len = (size_t)result->len[i];
	}
	*num = n;
	return records;
}

static const char *
without_dot(char *name)
{
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		name[len - 1] = '\0';
	return name;
}

static void
on_result(void *arg, int err, struct ub_result *result)
{
	struct validation_lookup *l = arg;
	struct validation_answer answer = { .outcome = VALIDATION_DNS_FAILED,
		.name = l->name };
	struct validation_record *records = NULL;

	if (l->done != NULL && (err != 0 || result == NULL)) {
		say(&answer, "libunbound: ", ub_strerror(err));
		give(l, &answer);
	} else if (l->done != NULL) {
		judge(result, &answer);
		if (result->canonname != NULL)
			answer.name = without_dot(result->canonname);
		if (answer.outcome == VALIDATION_DNS_FOUND) {
			records = list_records(result, &answer.num_records);
			answer.records = records;
			if (records == NULL) {
				answer.outcome = VALIDATION_DNS_FAILED;
				say(&answer, "out of memory", NULL);
			}
		}
		give(l, &answer);
	}
	free(records);
	ub_resolve_free(result);
	remove_lookup(l);
}

static void
on_readable(evutil_socket_t fd, short events, void *arg)
{
	struct validation_resolver *r = arg;

	(void)fd, (void)events;
	(void)ub_process(r->ctx);
}

static void
on_deadline(evutil_socket_t fd, short events, void *arg)
{
	struct validation_lookup *l = arg;
	struct validation_answer answer = {
		.outcome = VALIDATION_DNS_TIMEOUT, .name = l->name };

	(void)fd, (void)events;
	say(&answer, "no answer in time", NULL);
	give(l, &answer);
}

/* --- asking ------------------------------------------------------------ */

static enum oc_err
start_timer(struct validation_lookup *l, int64_t deadline_ns)
{
	int64_t left_ns = deadline_ns - oc_clock_mono_ns();
	struct timeval tv;

	if (left_ns < 0)
		left_ns = 0;
	tv.tv_sec = (time_t)(left_ns / OC_NS_PER_S);
	tv.tv_usec = (suseconds_t)(left_ns % OC_NS_PER_S / 1000);
	l->timer = evtimer_new(l->resolver->base, on_deadline, l);
	return l->timer != NULL && evtimer_add(l->timer, &tv) == 0 ? OC_OK :
	    OC_ERR_NOMEM;
}

enum oc_err
validation_resolver_ask(struct validation_resolver *resolver,
    const char *name, enum validation_dns_type type, int64_t deadline_ns,
    validation_answer_fn *done, void *arg, struct validation_lookup **lookup)
{
	struct validation_lookup *l;
	enum oc_err err;

	if (!validation_dns_name_is_valid(name))
		return OC_ERR_MALFORMED;
	if (resolver->num >= resolver->max)
		return OC_ERR_BUSY;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return OC_ERR_NOMEM;
	l->resolver = resolver;
	l->done = done;
	l->arg = arg;
	(void)snprintf(l->name, sizeof(l->name), "%s", name);
	TAILQ_INSERT_TAIL(&resolver->lookups, l, link);
	resolver->num++;
	err = start_timer(l, deadline_ns);
	if (err == OC_OK && ub_resolve_async(resolver->ctx, l->name,
	    (int)type, CLASS_IN, l, on_result, NULL) != 0)
		err = OC_ERR_SYSTEM;
	if (err != OC_OK) {
		remove_lookup(l);
		return err;
	}
	*lookup = l;
	return OC_OK;
}

void
validation_resolver_cancel(struct validation_lookup *lookup)
{
	(void)event_del(lookup->timer);
	lookup->done = NULL;
}

uint32_t
validation_resolver_num(const struct validation_resolver *resolver)
{
	return resolver->num;
}

/* --- the resolver ------------------------------------------------------ */

enum oc_err
validation_resolver_new(const struct validation_resolver_options *options,
    struct validation_resolver **resolver, struct oc_error *error)
{
	struct validation_resolver *r = calloc(1, sizeof(*r));
	enum oc_err err;

	if (r == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	TAILQ_INIT(&r->lookups);
	r->base = options->base;
	r->max = options->lookups_max != 0 ? options->lookups_max :
	    VALIDATION_LOOKUPS_MAX;
	err = validation_resolver_set_up(options, r->max, &r->ctx, error);
	if (err != OC_OK)
		goto out;
	r->readable = event_new(r->base, ub_fd(r->ctx), EV_READ | EV_PERSIST,
	    on_readable, r);
	if (r->readable == NULL || event_add(r->readable, NULL) != 0) {
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
		goto out;
	}
	*resolver = r;
	r = NULL;
out:
	validation_resolver_free(r);
	return err;
}

void
validation_resolver_free(struct validation_resolver *resolver)
{
	struct validation_lookup *l;

	if (resolver == NULL)
		return;
	if (resolver->readable != NULL)
		event_free(resolver->readable);
	/* Its thread has ended then. */
	ub_ctx_delete(resolver->ctx);
	while ((l = TAILQ_FIRST(&resolver->lookups)) != NULL)
		remove_lookup(l);
	free(resolver);
}
