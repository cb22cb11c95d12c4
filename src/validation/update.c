/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/update.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "validation/exchange.h"
#include "validation/mailbox.h"
#include "validation/reply.h"
#include "validation/names.h"
#include "validation/tsig.h"

#define DNS_PORT 53
#define TTL_S 60
#define STRING_MAX 255			/* of a TXT record */
#define IS_ANSWER 0x80			/* QR; the opcode is in four bits */
#define OPCODE_SHIFT 3
#define LENGTH_LEN 2			/* of what is in front, by TCP */

struct validation_update {
	struct event_base *base;
	struct validation_resolver *resolver;
	char zone[VALIDATION_NAME_MAX + 1];
	char host[VALIDATION_NAME_MAX + 1];
	uint16_t port;
	uint32_t ttl_s;
	struct validation_tsig_key key;
	struct validation_update_job *jobs;
};

struct validation_update_job {
	struct validation_update *update;
	struct validation_update_job *next, **link;
	struct validation_exchange *exchange;
	const char *what;
	char name[VALIDATION_NAME_MAX + 1];	/* of the record */
	uint16_t id;
	struct validation_mac mac;	/* of the request */
	validation_done_fn *done;
	void *arg;
};

/* RFC 2136, 2.2 and 3; RFC 8945, 3. */
static const char *
code_text(unsigned int code)
{
	static const struct {
		unsigned int code;
		const char *text;
	} codes[] = {
		{ 1, "FORMERR: does not understand the message" },
		{ 2, "SERVFAIL: cannot do it now" },
		{ 3, "NXDOMAIN" },
		{ 4, "NOTIMP: takes no updates" },
		{ 5, "REFUSED: the key may not change that" },
		{ 6, "YXDOMAIN" }, { 7, "YXRRSET" }, { 8, "NXRRSET" },
		{ 9, "NOTAUTH: does not have the zone, or not the key" },
		{ 10, "NOTZONE: the name is not in the zone" },
		{ 16, "BADSIG: the key's secret is another" },
		{ 17, "BADKEY: does not know the key" },
		{ 18, "BADTIME: its clock or ours is wrong" },
		{ 22, "BADTRUNC: wants a longer MAC" }
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			return codes[i].text;
	return "an error that is not known";
}

/* SERVFAIL and the clocks may be right again. */
static enum validation_again
code_again(unsigned int code)
{
	return code == 2 || code == 18 ? VALIDATION_TEMPORARY :
	    VALIDATION_FINAL;
}

/* --- the message -------------------------------------------------------- */

/* <character-string>s of 255 octets at most (RFC 1035, 3.3.14). */
static void
put_strings(struct validation_dns_writer *w, const char *value)
{
	size_t len = strlen(value), part;

	validation_dns_put_u16(w, (unsigned int)(len +
	    (len + STRING_MAX - 1) / STRING_MAX));
	for (; len > 0; len -= part, value += part) {
		part = len > STRING_MAX ? STRING_MAX : len;
		validation_dns_put_u8(w, (unsigned int)part);
		validation_dns_put(w, value, part);
	}
}

/*
 * RFC 2136, 2: a header (opcode UPDATE; one zone, no prerequisite, one
 * update), the zone as its SOA, and to add a record it itself (2.5.1), to
 * delete it the same with class NONE and TTL 0 (2.5.4).
 */
static void
put_message(struct validation_dns_writer *w,
    const struct validation_update *update,
    const struct validation_update_job *job, enum validation_task task,
    const char *value)
{
	bool is_added = task == VALIDATION_PUBLISH;

	validation_dns_put_u16(w, job->id);
	validation_dns_put_u16(w, VALIDATION_OPCODE_UPDATE <<
	    (8 + OPCODE_SHIFT));
	validation_dns_put_u16(w, 1);
	validation_dns_put_u16(w, 0);
	validation_dns_put_u16(w, 1);
	validation_dns_put_u16(w, 0);
	validation_dns_put_name(w, update->zone);
	validation_dns_put_u16(w, VALIDATION_RR_SOA);
	validation_dns_put_u16(w, VALIDATION_CLASS_IN);
	validation_dns_put_name(w, job->name);
	validation_dns_put_u16(w, VALIDATION_RR_TXT);
	validation_dns_put_u16(w, is_added ? VALIDATION_CLASS_IN :
	    VALIDATION_CLASS_NONE);
	validation_dns_put_u32(w, is_added ? update->ttl_s : 0);
	put_strings(w, value);
}

/* --- one update --------------------------------------------------------- */

static void
free_job(struct validation_update_job *job)
{
	*job->link = job->next;
	if (job->next != NULL)
		job->next->link = job->link;
	validation_exchange_cancel(job->exchange);
	free(job);
}

void
validation_update_cancel(struct validation_update_job *job)
{
	free_job(job);
}

/* By TCP a message has its length in front. */
static bool
is_whole(const uint8_t *answer, size_t len)
{
	return len >= LENGTH_LEN && len >= LENGTH_LEN +
	    ((size_t)answer[0] << 8 | answer[1]);
}

/* To this very request. */
static bool
is_answer(const struct validation_update_job *job, const uint8_t *message,
    size_t len)
{
	return len >= VALIDATION_DNS_HEADER_LEN &&
	    (message[0] << 8 | message[1]) == job->id &&
	    (message[2] & (IS_ANSWER | 0xf << OPCODE_SHIFT)) ==
	    (IS_ANSWER | VALIDATION_OPCODE_UPDATE << OPCODE_SHIFT);
}

static void
judge(const struct validation_update_job *job, const char *where,
    const uint8_t *message, size_t len, struct validation_reply *reply)
{
	const struct validation_update *update = job->update;
	struct oc_error error = { 0 };
	unsigned int rcode = message[3] & 0xf;
	uint16_t code;
	enum oc_err err = validation_tsig_verify(&update->key,
	    oc_clock_now_s(), &job->mac, message, len, &code, &error);

	if (code == 0)
		code = (uint16_t)rcode;
	if (rcode != 0)
		validation_reply_set(reply, VALIDATION_REFUSED,
		    code_again(code), "%s: %s TXT %s: %s%s%s", where,
		    job->what, job->name, code_text(code),
		    err != OC_OK ? "; " : "", error.text);
	else if (err != OC_OK)
		validation_reply_set(reply, VALIDATION_REFUSED,
		    VALIDATION_TEMPORARY, "%s: %s TXT %s: cannot believe the "
		    "answer: %s", where, job->what, job->name, error.text);
	else
		validation_reply_set(reply, VALIDATION_NO_FAULT,
		    VALIDATION_FINAL, "%s: %s TXT %s: done", where, job->what,
		    job->name);
}

static void
on_exchanged(void *arg, const struct validation_exchanged *x)
{
	struct validation_update_job *job = arg;
	validation_done_fn *done = job->done;
	struct validation_reply reply;
	void *done_arg = job->arg;
	size_t len = 0;

	job->exchange = NULL;
	if (x->fault == VALIDATION_NO_FAULT)
		len = (size_t)x->answer[0] << 8 | x->answer[1];
	if (x->fault != VALIDATION_NO_FAULT)
		validation_reply_set(&reply, x->fault, VALIDATION_TEMPORARY,
		    "%s: %s TXT %s: %s", x->where, job->what, job->name,
		    x->why);
	else if (!is_answer(job, x->answer + LENGTH_LEN, len))
		validation_reply_set(&reply, VALIDATION_CONNECTION_FAULT,
		    VALIDATION_TEMPORARY, "%s: %s TXT %s: what comes is no "
		    "answer", x->where, job->what, job->name);
	else
		judge(job, x->where, x->answer + LENGTH_LEN, len, &reply);
	free_job(job);
	done(done_arg, &reply);
}

static enum oc_err
send_update(struct validation_update_job *job,
    const struct validation_question *question, int64_t deadline_ns)
{
	const struct validation_update *update = job->update;
	struct validation_dns_writer w = { .len = 0 };
	uint8_t request[LENGTH_LEN + VALIDATION_DNS_MAX];
	struct validation_exchange_wish wish = { .host = update->host,
	    .port = update->port, .reach = VALIDATION_ANYWHERE,
	    .request = request, .answer_max = LENGTH_LEN + VALIDATION_DNS_MAX,
	    .is_whole = is_whole, .deadline_ns = deadline_ns };
	enum oc_err err;

	if (getrandom(&job->id, sizeof(job->id), 0) !=
	    (ssize_t)sizeof(job->id))
		return OC_ERR_SYSTEM;
	put_message(&w, update, job, question->task, question->expected);
	if (w.is_bad)
		return OC_ERR_MALFORMED;
	err = validation_tsig_sign(&update->key, oc_clock_now_s(), &w,
	    &job->mac);
	if (err != OC_OK)
		return err;
	request[0] = (uint8_t)(w.len >> 8);
	request[1] = (uint8_t)w.len;
	memcpy(request + LENGTH_LEN, w.bytes, w.len);
	wish.len = LENGTH_LEN + w.len;
	return validation_exchange_start(update->base, update->resolver,
	    &wish, on_exchanged, job, &job->exchange);
}

enum oc_err
validation_update_ask(struct validation_update *update,
    const struct validation_question *question, int64_t deadline_ns,
    validation_done_fn *done, void *arg, struct validation_update_job **out)
{
	char name[VALIDATION_NAME_MAX + 1];
	struct validation_update_job *job;
	enum oc_err err;

	if (!validation_record_name(question, name))
		return OC_ERR_MALFORMED;
	if (validation_update_covers(update, question->name) == 0)
		return OC_ERR_REFUSED;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return OC_ERR_NOMEM;
	job->update = update;
	job->what = question->task == VALIDATION_PUBLISH ? "add" : "delete";
	(void)snprintf(job->name, sizeof(job->name), "%s", name);
	job->done = done;
	job->arg = arg;
	job->link = &update->jobs;
	job->next = update->jobs;
	if (job->next != NULL)
		job->next->link = &job->next;
	update->jobs = job;
	err = send_update(job, question, deadline_ns);
	if (err != OC_OK)
		free_job(job);
	else
		*out = job;
	return err;
}

/* --- the zone ----------------------------------------------------------- */

size_t
validation_update_covers(const struct validation_update *update,
    const char *name)
{
	return validation_has_suffix(name, update->zone) ?
	    strlen(update->zone) : 0;
}

static enum oc_err
check_config(const struct validation_update_config *config,
    struct oc_error *error)
{
	struct oc_address address;

	if (!validation_host_is_valid(config->zone, strlen(config->zone)))
		return oc_error_set(error, OC_ERR_CONFIG, "%s: no zone's name",
		    config->zone);
	if (!validation_host_is_valid(config->host, strlen(config->host)) &&
	    !validation_host_is_address(config->host, &address))
		return oc_error_set(error, OC_ERR_CONFIG, "%s: neither a host "
		    "nor an address", config->host);
	return OC_OK;
}

enum oc_err
validation_update_new(struct event_base *base,
    struct validation_resolver *resolver,
    const struct validation_update_config *config,
    struct validation_update **out, struct oc_error *error)
{
	struct validation_update *update;
	enum oc_err err = check_config(config, error);

	if (err != OC_OK)
		return err;
	update = calloc(1, sizeof(*update));
	if (update == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	update->base = base;
	update->resolver = resolver;
	(void)snprintf(update->zone, sizeof(update->zone), "%s",
	    config->zone);
	(void)snprintf(update->host, sizeof(update->host), "%s",
	    config->host);
	update->port = config->port == 0 ? DNS_PORT : config->port;
	update->ttl_s = config->ttl_s == 0 ? TTL_S : config->ttl_s;
	err = validation_tsig_key_load(config->key_file, &update->key, error);
	if (err != OC_OK)
		validation_update_free(update);
	else
		*out = update;
	return err;
}

void
validation_update_free(struct validation_update *update)
{
	if (update == NULL)
		return;
	while (update->jobs != NULL)
		free_job(update->jobs);
	validation_tsig_key_fini(&update->key);
	free(update);
}
