/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/host.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "validation/address.h"

struct validation_host {
	struct event *soon;		/* done() is not called by find() */
	struct validation_lookup *lookups[2];	/* A, AAAA */
	int num_waited_for;
	enum validation_reach reach;
	struct validation_host_found found;
	validation_host_fn *done;
	void *arg;
};

bool
validation_host_is_address(const char *name, struct oc_address *address)
{
	uint8_t octets[16];

	return (inet_pton(AF_INET, name, octets) == 1 &&
	    validation_address_of_record(octets, 4, address)) ||
	    (inet_pton(AF_INET6, name, octets) == 1 &&
	    validation_address_of_record(octets, 16, address));
}

void
validation_host_cancel(struct validation_host *host)
{
	if (host == NULL)
		return;
	for (int i = 0; i < 2; i++)
		if (host->lookups[i] != NULL)
			validation_resolver_cancel(host->lookups[i]);
	if (host->soon != NULL)
		event_free(host->soon);
	free(host);
}

static void
take(struct validation_host *host, const struct oc_address *address)
{
	struct validation_host_found *f = &host->found;
	const char *reserved = host->reach == VALIDATION_ANYWHERE ? NULL :
	    validation_address_reserved(address, NULL, 0);

	if (reserved != NULL)
		(void)snprintf(f->why, sizeof(f->why), "its address is %s",
		    reserved);
	else if (f->num < VALIDATION_HOST_ADDRESSES_MAX)
		f->addresses[f->num++] = *address;
}

static void
finish(struct validation_host *host)
{
	struct validation_host_found found = host->found;
	validation_host_fn *done = host->done;
	void *arg = host->arg;

	validation_host_cancel(host);
	done(arg, &found);
}

static void
on_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	finish(arg);
}

static void
on_answer(struct validation_host *host, int i,
    const struct validation_answer *answer)
{
	struct validation_host_found *f = &host->found;
	struct oc_address address;

	host->lookups[i] = NULL;
	if (answer->outcome != VALIDATION_DNS_FOUND && f->why[0] == '\0')
		(void)snprintf(f->why, sizeof(f->why), "%s", answer->why);
	for (size_t n = 0; answer->outcome == VALIDATION_DNS_FOUND &&
	    n < answer->num_records; n++)
		if (validation_address_of_record(answer->records[n].octets,
		    answer->records[n].len, &address))
			take(host, &address);
	if (--host->num_waited_for == 0)
		finish(host);
}

static void
on_a(void *arg, const struct validation_answer *answer)
{
	on_answer(arg, 0, answer);
}

static void
on_aaaa(void *arg, const struct validation_answer *answer)
{
	on_answer(arg, 1, answer);
}

static enum oc_err
look_up(struct validation_host *host, struct validation_resolver *resolver,
    const char *name, int64_t deadline_ns)
{
	enum oc_err err;

	err = validation_resolver_ask(resolver, name, VALIDATION_DNS_A,
	    deadline_ns, on_a, host, &host->lookups[0]);
	if (err == OC_OK)
		err = validation_resolver_ask(resolver, name,
		    VALIDATION_DNS_AAAA, deadline_ns, on_aaaa, host,
		    &host->lookups[1]);
	host->num_waited_for = 2;
	return err;
}

enum oc_err
validation_host_find(struct event_base *base,
    struct validation_resolver *resolver, const char *name,
    enum validation_reach reach, int64_t deadline_ns,
    validation_host_fn *done, void *arg, struct validation_host **out)
{
	static const struct timeval now = { 0, 0 };
	struct validation_host *host = calloc(1, sizeof(*host));
	struct oc_address address;
	bool is_address = validation_host_is_address(name, &address);
	enum oc_err err = OC_OK;

	if (host == NULL)
		return OC_ERR_NOMEM;
	host->reach = reach;
	host->done = done;
	host->arg = arg;
	if (is_address)
		take(host, &address);
	else
		(void)snprintf(host->found.why, sizeof(host->found.why), "%s",
		    resolver == NULL ? "no names are looked up" : "");
	if (is_address || resolver == NULL) {
		host->soon = evtimer_new(base, on_soon, host);
		if (host->soon == NULL || evtimer_add(host->soon, &now) != 0)
			err = OC_ERR_NOMEM;
	} else {
		err = look_up(host, resolver, name, deadline_ns);
	}
	if (err != OC_OK)
		validation_host_cancel(host);
	else
		*out = host;
	return err;
}
