/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/whois.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "validation/exchange.h"
#include "validation/mailbox.h"
#include "validation/reply.h"
#include "validation/names.h"

#define WHOIS_PORT 43

struct server {
	char suffix[VALIDATION_NAME_MAX + 1];
	char host[VALIDATION_NAME_MAX + 1];
	uint16_t port;
};

struct validation_whois {
	struct event_base *base;
	struct validation_resolver *resolver;
	struct server *servers;
	size_t num_servers;
	bool has_iana;
	struct server iana;
	struct validation_whois_job *jobs;
};

struct validation_whois_job {
	struct validation_whois *whois;
	struct validation_whois_job *next, **link;
	struct validation_exchange *exchange;
	char name[VALIDATION_NAME_MAX + 1];
	bool is_referral;		/* IANA's answer is awaited */
	int64_t deadline_ns;
	validation_done_fn *done;
	void *arg;
};

/* --- one question ------------------------------------------------------- */

static void
free_job(struct validation_whois_job *job)
{
	*job->link = job->next;
	if (job->next != NULL)
		job->next->link = job->link;
	validation_exchange_cancel(job->exchange);
	free(job);
}

void
validation_whois_cancel(struct validation_whois_job *job)
{
	free_job(job);
}

static void
finish(struct validation_whois_job *job, const struct validation_reply *reply)
{
	validation_done_fn *done = job->done;
	void *arg = job->arg;

	free_job(job);
	done(arg, reply);
}

static void on_answer(void *arg, const struct validation_exchanged *x);

static enum oc_err
begin(struct validation_whois_job *job, const struct server *server,
    const char *line, enum validation_reach reach)
{
	struct validation_exchange_wish wish = { .host = server->host,
	    .port = server->port, .reach = reach, .request = line,
	    .len = strlen(line), .answer_max = VALIDATION_WHOIS_MAX,
	    .deadline_ns = job->deadline_ns };

	return validation_exchange_start(job->whois->base,
	    job->whois->resolver, &wish, on_answer, job, &job->exchange);
}

static enum oc_err
ask(struct validation_whois_job *job, const struct server *server,
    enum validation_reach reach)
{
	char line[VALIDATION_NAME_MAX + 3];

	(void)snprintf(line, sizeof(line), "%s\r\n", job->name);
	return begin(job, server, line, reach);
}

/* On to whom IANA says. */
static void
follow(struct validation_whois_job *job, const struct validation_exchanged *x)
{
	struct server server = { .port = WHOIS_PORT };
	struct validation_reply reply;
	enum oc_err err;

	err = validation_whois_referral((const char *)x->answer, x->len,
	    server.host);
	if (err == OC_OK) {
		job->is_referral = false;
		err = ask(job, &server, VALIDATION_INTERNET);
		if (err == OC_OK)
			return;
		validation_reply_set(&reply, VALIDATION_OURS,
		    VALIDATION_TEMPORARY, "WHOIS: %s", oc_strerror(err));
	} else {
		validation_reply_set(&reply, VALIDATION_NO_FAULT,
		    VALIDATION_FINAL, "WHOIS, %s: refers to no server",
		    x->where);
	}
	finish(job, &reply);
}

static void
on_answer(void *arg, const struct validation_exchanged *x)
{
	struct validation_whois_job *job = arg;
	struct validation_reply reply;
	enum oc_err err;

	job->exchange = NULL;
	if (x->fault != VALIDATION_NO_FAULT) {
		validation_reply_set(&reply, x->fault, VALIDATION_TEMPORARY,
		    "WHOIS, %s: %s", x->where, x->why);
		finish(job, &reply);
		return;
	}
	if (job->is_referral) {
		follow(job, x);
		return;
	}
	validation_reply_set(&reply, VALIDATION_NO_FAULT, VALIDATION_FINAL,
	    "WHOIS, %s", x->where);
	err = validation_whois_read((const char *)x->answer, x->len,
	    job->name, &reply);
	if (err != OC_OK)
		validation_reply_set(&reply, VALIDATION_NO_FAULT,
		    VALIDATION_FINAL, "WHOIS, %s: nothing about this domain "
		    "alone", x->where);
	reply.num_found = reply.num_contacts;
	finish(job, &reply);
}

/* NULL: none. */
static const struct server *
find_server(const struct validation_whois *whois, const char *name)
{
	const struct server *found = NULL;

	for (size_t i = 0; i < whois->num_servers; i++) {
		const struct server *s = &whois->servers[i];

		if (validation_has_suffix(name, s->suffix) && (found == NULL ||
		    strlen(s->suffix) > strlen(found->suffix)))
			found = s;
	}
	return found;
}

enum oc_err
validation_whois_ask(struct validation_whois *whois, const char *name,
    int64_t deadline_ns, validation_done_fn *done, void *arg,
    struct validation_whois_job **out)
{
	const struct server *server = find_server(whois, name);
	const char *dot = strrchr(name, '.');
	char line[VALIDATION_NAME_MAX + 3];
	struct validation_whois_job *job;
	enum oc_err err;

	if (!validation_host_is_valid(name, strlen(name)))
		return OC_ERR_MALFORMED;
	if (server == NULL && !whois->has_iana)
		return OC_ERR_NOT_FOUND;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return OC_ERR_NOMEM;
	job->whois = whois;
	job->deadline_ns = deadline_ns;
	job->done = done;
	job->arg = arg;
	(void)snprintf(job->name, sizeof(job->name), "%s", name);
	job->link = &whois->jobs;
	job->next = whois->jobs;
	if (job->next != NULL)
		job->next->link = &job->next;
	whois->jobs = job;
	if (server != NULL) {
		err = ask(job, server, VALIDATION_ANYWHERE);
	} else {
		job->is_referral = true;
		(void)snprintf(line, sizeof(line), "%s\r\n", dot + 1);
		err = begin(job, &whois->iana, line, VALIDATION_ANYWHERE);
	}
	if (err != OC_OK)
		free_job(job);
	else
		*out = job;
	return err;
}

/* --- whom to ask -------------------------------------------------------- */

static enum oc_err
set_server(struct server *to, const struct validation_whois_server *from,
    struct oc_error *error)
{
	struct oc_address address;

	if (from->suffix != NULL && strlen(from->suffix) > VALIDATION_NAME_MAX)
		return oc_error_set(error, OC_ERR_CONFIG, "%s: too long for a "
		    "domain", from->suffix);
	if (!validation_host_is_valid(from->host, strlen(from->host)) &&
	    !validation_host_is_address(from->host, &address))
		return oc_error_set(error, OC_ERR_CONFIG, "%s: neither a host "
		    "nor an address", from->host);
	(void)snprintf(to->suffix, sizeof(to->suffix), "%s",
	    from->suffix == NULL ? "" : from->suffix);
	(void)snprintf(to->host, sizeof(to->host), "%s", from->host);
	to->port = from->port == 0 ? WHOIS_PORT : from->port;
	return OC_OK;
}

enum oc_err
validation_whois_new(struct event_base *base,
    struct validation_resolver *resolver,
    const struct validation_whois_config *config,
    struct validation_whois **out, struct oc_error *error)
{
	struct validation_whois *whois = calloc(1, sizeof(*whois));
	enum oc_err err = OC_OK;

	if (whois != NULL)
		whois->servers = calloc(config->num_servers + 1,
		    sizeof(*whois->servers));
	if (whois == NULL || whois->servers == NULL) {
		free(whois);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	whois->base = base;
	whois->resolver = resolver;
	for (; err == OC_OK && whois->num_servers < config->num_servers;
	    whois->num_servers++)
		err = set_server(&whois->servers[whois->num_servers],
		    &config->servers[whois->num_servers], error);
	whois->has_iana = config->iana != NULL;
	if (err == OC_OK && whois->has_iana)
		err = set_server(&whois->iana, config->iana, error);
	if (err != OC_OK)
		validation_whois_free(whois);
	else
		*out = whois;
	return err;
}

void
validation_whois_free(struct validation_whois *whois)
{
	if (whois == NULL)
		return;
	while (whois->jobs != NULL)
		free_job(whois->jobs);
	free(whois->servers);
	free(whois);
}
