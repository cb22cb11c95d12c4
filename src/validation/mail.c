/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/secret.h"
#include "validation/host.h"
#include "validation/mailbox.h"
#include "validation/message.h"
#include "validation/place.h"
#include "validation/post.h"
#include "validation/reply.h"

#define CONNECT_MAX_MS 30000L
#define ID_OCTETS 16

struct validation_mail {
	struct event_base *base;
	struct validation_resolver *resolver;
	struct validation_post *post;
	struct event *sent;		/* the post has a letter back */
	struct validation_place place;	/* of the server */
	char *url;			/* with the name that we say EHLO
					 * with */
	char from[VALIDATION_ADDRESS_MAX + 1];
	char *user;			/* NULL: no password */
	struct oc_secret password;
	uint8_t *trust;			/* NULL: the system's */
	size_t trust_len;
	bool may_be_plain;
	struct validation_mail_job *jobs;
};

struct validation_mail_job {
	struct validation_mail *mail;
	struct validation_mail_job *next, **link;
	struct event *timer;
	struct validation_host *host;
	struct validation_letter *letter;
	bool is_posted;			/* the letter is the post's */
	char address[VALIDATION_ADDRESS_MAX + 1];
	int64_t deadline_ns;
	validation_done_fn *done;
	void *arg;
};

static void
free_job(struct validation_mail_job *job)
{
	*job->link = job->next;
	if (job->next != NULL)
		job->next->link = job->link;
	validation_host_cancel(job->host);
	if (job->is_posted) {
		job->letter->job = NULL;
		atomic_store(&job->letter->is_abandoned, true);
	} else {
		validation_letter_free(job->letter);
	}
	if (job->timer != NULL)
		event_free(job->timer);
	free(job);
}

void
validation_mail_cancel(struct validation_mail_job *job)
{
	free_job(job);
}

static void
finish(struct validation_mail_job *job, const struct validation_reply *reply)
{
	validation_done_fn *done = job->done;
	void *arg = job->arg;

	free_job(job);
	done(arg, reply);
}

/* --- how it went -------------------------------------------------------- */

/* What the server's last code says of the message. */
static void
judge_code(const struct validation_mail_job *job, const char *trouble,
    struct validation_reply *reply)
{
	const char *where = job->mail->place.text;
	const struct validation_letter *letter = job->letter;

	if (letter->code / 100 == 5)
		validation_reply_set(reply, VALIDATION_REFUSED,
		    VALIDATION_FINAL, "%s does not take a message for %s: %s",
		    where, job->address, letter->line);
	else if (letter->code / 100 == 4)
		validation_reply_set(reply, VALIDATION_REFUSED,
		    VALIDATION_TEMPORARY, "%s takes no message for %s now: %s",
		    where, job->address, letter->line);
	else
		validation_reply_set(reply, VALIDATION_CONNECTION_FAULT,
		    VALIDATION_TEMPORARY, "%s: %s", where, trouble);
}

static void
judge(const struct validation_mail_job *job, struct validation_reply *reply)
{
	const struct validation_letter *letter = job->letter;
	const char *where = job->mail->place.text;
	const char *trouble = letter->trouble[0] != '\0' ? letter->trouble :
	    curl_easy_strerror(letter->rc);

	switch ((int)letter->rc) {
	case CURLE_OK:
		validation_reply_set(reply, VALIDATION_NO_FAULT,
		    VALIDATION_FINAL, "%s has taken a message for %s: %s",
		    where, job->address, letter->line);
		return;
	case CURLE_USE_SSL_FAILED:
		validation_reply_set(reply, VALIDATION_TLS_FAULT,
		    letter->code / 100 == 4 ? VALIDATION_TEMPORARY :
		    VALIDATION_FINAL, "%s does no STARTTLS: %s", where,
		    letter->line);
		return;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
		validation_reply_set(reply, VALIDATION_TLS_FAULT,
		    VALIDATION_FINAL, "%s: %s", where, trouble);
		return;
	case CURLE_LOGIN_DENIED:
		validation_reply_set(reply, VALIDATION_OURS,
		    letter->code / 100 == 4 ? VALIDATION_TEMPORARY :
		    VALIDATION_FINAL, "%s does not let us in: %s", where,
		    letter->line);
		return;
	case CURLE_ABORTED_BY_CALLBACK:
		if (letter->code / 100 == 4 || letter->code / 100 == 5)
			break;
		/* FALLTHROUGH */
	case CURLE_OPERATION_TIMEDOUT:
		validation_reply_set(reply, VALIDATION_OURS,
		    VALIDATION_TEMPORARY, "%s: no answer in time", where);
		return;
	case CURLE_OUT_OF_MEMORY:
		validation_reply_set(reply, VALIDATION_OURS,
		    VALIDATION_TEMPORARY, "out of memory");
		return;
	}
	judge_code(job, trouble, reply);
}

static void
on_sent(evutil_socket_t fd, short what, void *arg)
{
	struct validation_mail *mail = arg;
	struct validation_letter *letter;
	struct validation_reply reply;

	(void)fd, (void)what;
	/* One at a time: who is told of it may free all of this. */
	letter = validation_post_take(mail->post);
	if (letter == NULL)
		return;
	event_active(mail->sent, EV_READ, 0);
	if (letter->job != NULL) {
		struct validation_mail_job *job = letter->job;

		job->is_posted = false;
		judge(job, &reply);
		finish(job, &reply);
	} else {
		validation_letter_free(letter);
	}
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct validation_mail_job *job = arg;
	struct validation_reply reply;

	(void)fd, (void)what;
	validation_reply_set(&reply, VALIDATION_OURS, VALIDATION_TEMPORARY,
	    "%s: no answer in time", job->mail->place.text);
	finish(job, &reply);
}

/* --- one message -------------------------------------------------------- */

static bool
set_long(const struct validation_mail_job *job, CURLoption option, long value)
{
	return curl_easy_setopt(job->letter->easy, option, value) == CURLE_OK;
}

static bool
set_text(const struct validation_mail_job *job, CURLoption option,
    const char *text)
{
	return curl_easy_setopt(job->letter->easy, option, text) == CURLE_OK;
}

static bool
set_server(const struct validation_mail_job *job)
{
	const struct validation_mail *mail = job->mail;

	return set_text(job, CURLOPT_URL, mail->url) &&
	    set_text(job, CURLOPT_PROTOCOLS_STR, "smtp,smtps") &&
	    set_text(job, CURLOPT_PROXY, "") &&
	    set_long(job, CURLOPT_NOSIGNAL, 1) &&
	    set_long(job, CURLOPT_FRESH_CONNECT, 1) &&
	    set_long(job, CURLOPT_FORBID_REUSE, 1) &&
	    set_long(job, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MAX_MS) &&
	    curl_easy_setopt(job->letter->easy, CURLOPT_RESOLVE,
	    job->letter->resolve) == CURLE_OK;
}

/* A password goes out by TLS alone, in one of the two ways that have no
 * digest to be broken. */
static bool
set_trust(const struct validation_mail_job *job)
{
	const struct validation_mail *mail = job->mail;
	struct curl_blob trust = { mail->trust, mail->trust_len,
	    CURL_BLOB_COPY };

	if (!set_long(job, CURLOPT_USE_SSL, mail->may_be_plain ?
	    CURLUSESSL_TRY : CURLUSESSL_ALL) ||
	    !set_long(job, CURLOPT_SSL_VERIFYPEER, 1) ||
	    !set_long(job, CURLOPT_SSL_VERIFYHOST, 2) ||
	    !set_long(job, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2))
		return false;
	if (mail->trust != NULL && (curl_easy_setopt(job->letter->easy,
	    CURLOPT_CAINFO_BLOB, &trust) != CURLE_OK ||
	    !set_text(job, CURLOPT_CAPATH, NULL)))
		return false;
	return mail->user == NULL || (set_text(job, CURLOPT_LOGIN_OPTIONS,
	    "AUTH=PLAIN;AUTH=LOGIN") &&
	    set_text(job, CURLOPT_USERNAME, mail->user) &&
	    set_text(job, CURLOPT_PASSWORD,
	    (const char *)mail->password.bytes));
}

static bool
set_addresses(struct validation_mail_job *job)
{
	struct validation_letter *letter = job->letter;
	char address[VALIDATION_ADDRESS_MAX + 3];

	(void)snprintf(address, sizeof(address), "<%s>", job->address);
	letter->to = curl_slist_append(NULL, address);
	(void)snprintf(address, sizeof(address), "<%s>", job->mail->from);
	return letter->to != NULL && set_text(job, CURLOPT_MAIL_FROM,
	    address) && curl_easy_setopt(letter->easy, CURLOPT_MAIL_RCPT,
	    letter->to) == CURLE_OK;
}

static void
on_host(void *arg, const struct validation_host_found *found)
{
	struct validation_mail_job *job = arg;
	struct validation_reply reply;
	enum oc_err err = OC_ERR_NOMEM;

	job->host = NULL;
	if (found->num == 0) {
		validation_reply_set(&reply, VALIDATION_CONNECTION_FAULT,
		    VALIDATION_TEMPORARY, "%s: %s", job->mail->place.text,
		    found->why[0] != '\0' ? found->why : "no address");
		finish(job, &reply);
		return;
	}
	job->letter->easy = curl_easy_init();
	if (job->letter->easy != NULL && validation_place_resolve(
	    &job->mail->place, found, &job->letter->resolve) &&
	    set_server(job) && set_trust(job) && set_addresses(job))
		err = validation_post_put(job->mail->post, job->letter);
	job->is_posted = err == OC_OK;
	if (err == OC_OK)
		return;
	validation_reply_set(&reply, VALIDATION_OURS, VALIDATION_TEMPORARY,
	    "%s: %s", job->mail->place.text, oc_strerror(err));
	finish(job, &reply);
}

static enum oc_err
make_message(struct validation_mail_job *job,
    const struct validation_question *question)
{
	uint8_t random[ID_OCTETS];
	char id[OC_HEX_LEN(ID_OCTETS) + 1];
	struct validation_message message = { .from = job->mail->from,
	    .to = question->to, .subject = question->subject,
	    .body = question->body, .sent_at = oc_clock_now_s(), .id = id };

	job->letter = calloc(1, sizeof(*job->letter));
	if (job->letter == NULL)
		return OC_ERR_NOMEM;
	job->letter->job = job;
	job->letter->deadline_ns = job->deadline_ns;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return OC_ERR_SYSTEM;
	oc_hex_encode(random, sizeof(random), id);
	oc_buffer_init(&job->letter->message, VALIDATION_MESSAGE_MAX);
	return validation_message_put(&job->letter->message, &message);
}

static enum oc_err
begin(struct validation_mail_job *job,
    const struct validation_question *question)
{
	int64_t left_ns = job->deadline_ns - oc_clock_mono_ns();
	struct timeval tv = { 0, 0 };
	enum oc_err err = make_message(job, question);

	if (err != OC_OK)
		return err;
	(void)snprintf(job->address, sizeof(job->address), "%s",
	    question->to);
	if (left_ns > 0) {
		tv.tv_sec = (time_t)(left_ns / OC_NS_PER_S);
		tv.tv_usec = (suseconds_t)(left_ns % OC_NS_PER_S / 1000);
	}
	job->timer = evtimer_new(job->mail->base, on_timer, job);
	if (job->timer == NULL || evtimer_add(job->timer, &tv) != 0)
		return OC_ERR_NOMEM;
	return validation_host_find(job->mail->base, job->mail->resolver,
	    job->mail->place.host, VALIDATION_ANYWHERE, job->deadline_ns,
	    on_host, job, &job->host);
}

enum oc_err
validation_mail_send(struct validation_mail *mail,
    const struct validation_question *question, int64_t deadline_ns,
    validation_done_fn *done, void *arg, struct validation_mail_job **out)
{
	struct validation_mail_job *job = calloc(1, sizeof(*job));
	enum oc_err err;

	if (job == NULL)
		return OC_ERR_NOMEM;
	job->mail = mail;
	job->deadline_ns = deadline_ns;
	job->done = done;
	job->arg = arg;
	job->link = &mail->jobs;
	job->next = mail->jobs;
	if (job->next != NULL)
		job->next->link = &job->next;
	mail->jobs = job;
	err = begin(job, question);
	if (err != OC_OK)
		free_job(job);
	else
		*out = job;
	return err;
}

/* --- the server --------------------------------------------------------- */

static enum oc_err
take_password(struct validation_mail *mail,
    const struct validation_mail_config *config, struct oc_error *error)
{
	static const struct oc_secret_kind kind = { "mail-password-source",
	    "password", OC_ERR_CONFIG, true };

	if (config->user == NULL)
		return OC_OK;
	if (config->may_be_plain)
		return oc_error_set(error, OC_ERR_CONFIG, "a password goes "
		    "out by TLS alone");
	if (config->password_source == NULL)
		return oc_error_set(error, OC_ERR_CONFIG, "there is a user, "
		    "and no password");
	mail->user = strdup(config->user);
	if (mail->user == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	return oc_secret_take(config->password_source, &kind,
	    &mail->password, error);
}

static enum oc_err
set_names(struct validation_mail *mail,
    const struct validation_mail_config *config, struct oc_error *error)
{
	const char *helo = config->helo;

	if (!validation_mailbox_is_valid(config->from, strlen(config->from)))
		return oc_error_set(error, OC_ERR_CONFIG, "%s: no address "
		    "that messages may come from", config->from);
	(void)snprintf(mail->from, sizeof(mail->from), "%s", config->from);
	if (helo == NULL)
		helo = strchr(mail->from, '@') + 1;
	if (!validation_host_is_valid(helo, strlen(helo)))
		return oc_error_set(error, OC_ERR_CONFIG, "%s: no host's name",
		    helo);
	if (asprintf(&mail->url, "%s/%s", mail->place.url, helo) < 0) {
		mail->url = NULL;
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	return OC_OK;
}

static enum oc_err
open_post(struct validation_mail *mail, struct oc_error *error)
{
	enum oc_err err = validation_post_new(&mail->post);

	if (err != OC_OK)
		return oc_error_set(error, err, "mail: %s", oc_strerror(err));
	mail->sent = event_new(mail->base, validation_post_fd(mail->post),
	    EV_READ | EV_PERSIST, on_sent, mail);
	return mail->sent != NULL && event_add(mail->sent, NULL) == 0 ?
	    OC_OK : oc_error_set(error, OC_ERR_NOMEM, "out of memory");
}

enum oc_err
validation_mail_new(struct event_base *base,
    struct validation_resolver *resolver,
    const struct validation_mail_config *config,
    struct validation_mail **out, struct oc_error *error)
{
	static const struct validation_scheme_port schemes[] = {
		{ "smtp", 25 }, { "smtps", 465 }, { NULL, 0 }
	};
	struct validation_mail *mail = calloc(1, sizeof(*mail));
	enum oc_err err;

	if (mail == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	mail->base = base;
	mail->resolver = resolver;
	mail->may_be_plain = config->may_be_plain;
	err = validation_place_parse(config->url, schemes, &mail->place,
	    error);
	if (err == OC_OK && mail->place.path[0] != '\0')
		err = oc_error_set(error, OC_ERR_CONFIG, "%s: smtp://HOST or "
		    "smtp://HOST:PORT, and nothing behind it", config->url);
	if (err == OC_OK)
		err = set_names(mail, config, error);
	if (err == OC_OK)
		err = take_password(mail, config, error);
	if (err == OC_OK && config->trust_file != NULL)
		err = oc_file_read_regular(config->trust_file,
		    OC_BUNDLE_FILE_MAX, &mail->trust, &mail->trust_len, NULL,
		    error);
	if (err == OC_OK)
		err = open_post(mail, error);
	if (err != OC_OK)
		validation_mail_free(mail);
	else
		*out = mail;
	return err;
}

void
validation_mail_free(struct validation_mail *mail)
{
	if (mail == NULL)
		return;
	while (mail->jobs != NULL)
		free_job(mail->jobs);
	if (mail->sent != NULL)
		event_free(mail->sent);
	/* Its threads use what is freed below. */
	validation_post_free(mail->post);
	oc_secret_fini(&mail->password);
	free(mail->trust);
	free(mail->user);
	free(mail->url);
	free(mail);
}
