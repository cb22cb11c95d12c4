/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/contacts.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "validation/mailbox.h"
#include "validation/rdap.h"
#include "validation/reply.h"
#include "validation/whois.h"

/* The constructed five always have room. */
#define FOUND_MAX (VALIDATION_CONTACTS_MAX - VALIDATION_CONSTRUCTED_NUM)

struct validation_contacts {
	struct event_base *base;
	struct validation_whois *whois;
	struct validation_rdap *rdap;
	struct validation_contacts_job *jobs;
};

struct validation_contacts_job {
	struct validation_contacts *contacts;
	struct validation_contacts_job *next, **link;
	struct event *soon;		/* nobody was asked */
	struct validation_rdap_job *rdap;
	struct validation_whois_job *whois;
	char name[VALIDATION_NAME_MAX + 1];
	struct validation_reply by_rdap, by_whois;
	validation_done_fn *done;
	void *arg;
};

static void
free_job(struct validation_contacts_job *job)
{
	*job->link = job->next;
	if (job->next != NULL)
		job->next->link = job->link;
	if (job->rdap != NULL)
		validation_rdap_cancel(job->rdap);
	if (job->whois != NULL)
		validation_whois_cancel(job->whois);
	if (job->soon != NULL)
		event_free(job->soon);
	free(job);
}

void
validation_contacts_cancel(struct validation_contacts_job *job)
{
	free_job(job);
}

static void
put_found(struct validation_reply *reply, const struct validation_reply *from)
{
	for (uint32_t i = 0; i < from->num_contacts &&
	    reply->num_contacts < FOUND_MAX; i++)
		validation_reply_put_contact(reply, from->contacts[i]);
}

static void
finish(struct validation_contacts_job *job)
{
	const struct validation_reply *rdap = &job->by_rdap;
	const struct validation_reply *whois = &job->by_whois;
	validation_done_fn *done = job->done;
	struct validation_reply reply;
	char address[VALIDATION_ADDRESS_MAX + 1];
	void *arg = job->arg;

	validation_reply_set(&reply, VALIDATION_NO_FAULT,
	    rdap->is_temporary || whois->is_temporary ? VALIDATION_TEMPORARY :
	    VALIDATION_FINAL, "%.190s; %.190s", rdap->seen, whois->seen);
	put_found(&reply, rdap);
	put_found(&reply, whois);
	reply.num_found = reply.num_contacts;
	for (unsigned int i = 0; i < VALIDATION_CONSTRUCTED_NUM; i++)
		if (validation_mailbox_construct(i, job->name, address))
			validation_reply_put_contact(&reply, address);
	free_job(job);
	done(arg, &reply);
}

static void
on_rdap(void *arg, const struct validation_reply *reply)
{
	struct validation_contacts_job *job = arg;

	job->rdap = NULL;
	job->by_rdap = *reply;
	if (job->whois == NULL)
		finish(job);
}

static void
on_whois(void *arg, const struct validation_reply *reply)
{
	struct validation_contacts_job *job = arg;

	job->whois = NULL;
	job->by_whois = *reply;
	if (job->rdap == NULL)
		finish(job);
}

static void
on_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	finish(arg);
}

/* What was not begun is said, and is no reason not to go on. */
static void
say_not_asked(struct validation_reply *reply, const char *what,
    enum oc_err err)
{
	if (err == OC_ERR_NOT_FOUND)
		validation_reply_set(reply, VALIDATION_NO_FAULT,
		    VALIDATION_FINAL, "%s: not asked", what);
	else
		validation_reply_set(reply, VALIDATION_OURS,
		    VALIDATION_TEMPORARY, "%s: %s", what, oc_strerror(err));
}

static enum oc_err
begin(struct validation_contacts_job *job, int64_t deadline_ns)
{
	static const struct timeval now = { 0, 0 };
	const struct validation_contacts *contacts = job->contacts;
	enum oc_err by_rdap = OC_ERR_NOT_FOUND, by_whois = OC_ERR_NOT_FOUND;

	if (contacts->rdap != NULL)
		by_rdap = validation_rdap_ask(contacts->rdap, job->name,
		    deadline_ns, on_rdap, job, &job->rdap);
	if (by_rdap != OC_OK)
		say_not_asked(&job->by_rdap, "RDAP", by_rdap);
	if (contacts->whois != NULL)
		by_whois = validation_whois_ask(contacts->whois, job->name,
		    deadline_ns, on_whois, job, &job->whois);
	if (by_whois != OC_OK)
		say_not_asked(&job->by_whois, "WHOIS", by_whois);
	if (by_rdap == OC_OK || by_whois == OC_OK)
		return OC_OK;
	job->soon = evtimer_new(contacts->base, on_soon, job);
	return job->soon != NULL && evtimer_add(job->soon, &now) == 0 ?
	    OC_OK : OC_ERR_NOMEM;
}

enum oc_err
validation_contacts_ask(struct validation_contacts *contacts,
    const struct validation_question *question, int64_t deadline_ns,
    validation_done_fn *done, void *arg, struct validation_contacts_job **out)
{
	struct validation_contacts_job *job;
	enum oc_err err;

	if (question->name == NULL ||
	    !validation_host_is_valid(question->name, strlen(question->name)))
		return OC_ERR_MALFORMED;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return OC_ERR_NOMEM;
	job->contacts = contacts;
	job->done = done;
	job->arg = arg;
	memcpy(job->name, question->name, strlen(question->name));
	job->link = &contacts->jobs;
	job->next = contacts->jobs;
	if (job->next != NULL)
		job->next->link = &job->next;
	contacts->jobs = job;
	err = begin(job, deadline_ns);
	if (err != OC_OK)
		free_job(job);
	else
		*out = job;
	return err;
}

enum oc_err
validation_contacts_new(struct event_base *base,
    struct validation_whois *whois, struct validation_rdap *rdap,
    struct validation_contacts **out)
{
	struct validation_contacts *contacts = calloc(1, sizeof(*contacts));

	if (contacts == NULL)
		return OC_ERR_NOMEM;
	contacts->base = base;
	contacts->whois = whois;
	contacts->rdap = rdap;
	*out = contacts;
	return OC_OK;
}

void
validation_contacts_free(struct validation_contacts *contacts)
{
	if (contacts == NULL)
		return;
	while (contacts->jobs != NULL)
		free_job(contacts->jobs);
	free(contacts);
}
