/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/rdap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "validation/curl_loop.h"
#include "validation/mailbox.h"
#include "validation/place.h"
#include "validation/reply.h"
#include "validation/names.h"

#define CONNECT_MAX_MS 10000L
#define HTTP_OK 200
#define HTTP_NOT_FOUND 404

struct server {
	char suffix[VALIDATION_NAME_MAX + 1];
	struct validation_place place;
};

struct validation_rdap {
	struct event_base *base;
	struct validation_curl *loop;
	struct validation_resolver *resolver;
	struct server *servers;
	size_t num_servers;
	uint8_t *trust;			/* NULL: the system's */
	size_t trust_len;
	struct validation_rdap_job *jobs;
};

struct validation_rdap_job {
	struct validation_rdap *rdap;
	const struct server *server;
	struct validation_rdap_job *next, **link;
	struct event *timer;
	struct validation_host *host;
	struct curl_slist *resolve, *headers;
	CURL *easy;
	bool is_running;
	struct oc_buffer body;
	char name[VALIDATION_NAME_MAX + 1];
	char trouble[CURL_ERROR_SIZE];
	validation_done_fn *done;
	void *arg;
};

static void
free_job(struct validation_rdap_job *job)
{
	*job->link = job->next;
	if (job->next != NULL)
		job->next->link = job->link;
	validation_host_cancel(job->host);
	if (job->is_running)
		validation_curl_remove(job->rdap->loop, job->easy);
	if (job->easy != NULL)
		curl_easy_cleanup(job->easy);
	curl_slist_free_all(job->resolve);
	curl_slist_free_all(job->headers);
	if (job->timer != NULL)
		event_free(job->timer);
	oc_buffer_fini(&job->body);
	free(job);
}

void
validation_rdap_cancel(struct validation_rdap_job *job)
{
	free_job(job);
}

static void
finish(struct validation_rdap_job *job, const struct validation_reply *reply)
{
	validation_done_fn *done = job->done;
	void *arg = job->arg;

	free_job(job);
	done(arg, reply);
}

static size_t
on_body(char *bytes, size_t size, size_t num, void *arg)
{
	struct validation_rdap_job *job = arg;

	oc_buffer_put(&job->body, bytes, size * num);
	return job->body.err == OC_OK ? size * num : 0;
}

/* --- how it went -------------------------------------------------------- */

/* The HTTP status is 200. */
static void
judge_body(const struct validation_rdap_job *job,
    struct validation_reply *reply)
{
	const char *where = job->server->place.text;
	struct oc_error error = { 0 };

	validation_reply_set(reply, VALIDATION_NO_FAULT, VALIDATION_FINAL,
	    "RDAP, %s", where);
	if (validation_rdap_read(job->body.bytes, job->body.len, job->name,
	    reply, &error) != OC_OK)
		validation_reply_set(reply, VALIDATION_NO_FAULT,
		    VALIDATION_FINAL, "RDAP, %s: %s", where, error.text);
	reply->num_found = reply->num_contacts;
}

static void
judge(const struct validation_rdap_job *job, CURLcode rc,
    struct validation_reply *reply)
{
	const char *where = job->server->place.text;
	long status = 0;

	(void)curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
	if (job->body.err != OC_OK)
		validation_reply_set(reply, VALIDATION_NO_FAULT,
		    VALIDATION_FINAL, "RDAP, %s: more than %d octets", where,
		    VALIDATION_RDAP_MAX);
	else if (rc != CURLE_OK)
		validation_reply_set(reply, rc ==
		    CURLE_PEER_FAILED_VERIFICATION || rc ==
		    CURLE_SSL_CONNECT_ERROR ? VALIDATION_TLS_FAULT :
		    VALIDATION_CONNECTION_FAULT, VALIDATION_TEMPORARY,
		    "RDAP, %s: %s", where, job->trouble[0] != '\0' ?
		    job->trouble : curl_easy_strerror(rc));
	else if (status == HTTP_OK)
		judge_body(job, reply);
	else
		validation_reply_set(reply, VALIDATION_NO_FAULT,
		    status == HTTP_NOT_FOUND ? VALIDATION_FINAL :
		    VALIDATION_TEMPORARY, "RDAP, %s: status %ld", where,
		    status);
}

static void
on_done(void *arg, CURLcode rc)
{
	struct validation_rdap_job *job = arg;
	struct validation_reply reply;

	job->is_running = false;
	judge(job, rc, &reply);
	finish(job, &reply);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct validation_rdap_job *job = arg;
	struct validation_reply reply;

	(void)fd, (void)what;
	validation_reply_set(&reply, VALIDATION_CONNECTION_FAULT,
	    VALIDATION_TEMPORARY, "RDAP, %s: no whole answer in time",
	    job->server->place.text);
	finish(job, &reply);
}

/* --- one question ------------------------------------------------------- */

static bool
set_long(const struct validation_rdap_job *job, CURLoption option, long value)
{
	return curl_easy_setopt(job->easy, option, value) == CURLE_OK;
}

static bool
set_text(const struct validation_rdap_job *job, CURLoption option,
    const char *text)
{
	return curl_easy_setopt(job->easy, option, text) == CURLE_OK;
}

static bool
set_url(struct validation_rdap_job *job)
{
	const struct validation_place *place = &job->server->place;
	size_t path_len = strlen(place->path);
	bool is_open = path_len > 0 && place->path[path_len - 1] != '/';
	char *url;
	bool is_set;

	if (asprintf(&url, "%s/%s%sdomain/%s", place->url, place->path,
	    is_open ? "/" : "", job->name) < 0)
		return false;
	job->headers = curl_slist_append(NULL, "Accept: "
	    "application/rdap+json, application/json;q=0.5");
	is_set = job->headers != NULL && set_text(job, CURLOPT_URL, url) &&
	    curl_easy_setopt(job->easy, CURLOPT_HTTPHEADER, job->headers) ==
	    CURLE_OK;
	free(url);
	return is_set;
}

static bool
set_connection(const struct validation_rdap_job *job)
{
	const struct validation_rdap *rdap = job->rdap;
	struct curl_blob trust = { rdap->trust, rdap->trust_len,
	    CURL_BLOB_COPY };

	if (rdap->trust != NULL && (curl_easy_setopt(job->easy,
	    CURLOPT_CAINFO_BLOB, &trust) != CURLE_OK ||
	    !set_text(job, CURLOPT_CAPATH, NULL)))
		return false;
	return set_text(job, CURLOPT_PROTOCOLS_STR, "http,https") &&
	    set_long(job, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) &&
	    set_long(job, CURLOPT_FOLLOWLOCATION, 0) &&
	    set_text(job, CURLOPT_PROXY, "") &&
	    set_long(job, CURLOPT_NOSIGNAL, 1) &&
	    set_long(job, CURLOPT_SSL_VERIFYPEER, 1) &&
	    set_long(job, CURLOPT_SSL_VERIFYHOST, 2) &&
	    set_long(job, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
	    set_long(job, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MAX_MS) &&
	    set_text(job, CURLOPT_USERAGENT, "ocsign/" PACKAGE_VERSION) &&
	    curl_easy_setopt(job->easy, CURLOPT_RESOLVE, job->resolve) ==
	    CURLE_OK;
}

static bool
set_callbacks(struct validation_rdap_job *job)
{
	return curl_easy_setopt(job->easy, CURLOPT_WRITEFUNCTION, on_body) ==
	    CURLE_OK && curl_easy_setopt(job->easy, CURLOPT_WRITEDATA, job) ==
	    CURLE_OK && curl_easy_setopt(job->easy, CURLOPT_ERRORBUFFER,
	    job->trouble) == CURLE_OK;
}

static void
on_host(void *arg, const struct validation_host_found *found)
{
	struct validation_rdap_job *job = arg;
	const char *where = job->server->place.text;
	struct validation_reply reply;
	enum oc_err err = OC_ERR_NOMEM;

	job->host = NULL;
	if (found->num == 0) {
		validation_reply_set(&reply, VALIDATION_CONNECTION_FAULT,
		    VALIDATION_TEMPORARY, "RDAP, %s: %s", where,
		    found->why[0] != '\0' ? found->why : "no address");
		finish(job, &reply);
		return;
	}
	job->easy = curl_easy_init();
	if (job->easy != NULL && validation_place_resolve(&job->server->place,
	    found, &job->resolve) && set_url(job) && set_connection(job) &&
	    set_callbacks(job))
		err = validation_curl_add(job->rdap->loop, job->easy, on_done,
		    job);
	job->is_running = err == OC_OK;
	if (err == OC_OK)
		return;
	validation_reply_set(&reply, VALIDATION_OURS, VALIDATION_TEMPORARY,
	    "RDAP, %s: libcurl does not take what it is told", where);
	finish(job, &reply);
}

static enum oc_err
begin(struct validation_rdap_job *job, int64_t deadline_ns)
{
	int64_t left_ns = deadline_ns - oc_clock_mono_ns();
	struct timeval tv = { 0, 0 };

	if (left_ns > 0) {
		tv.tv_sec = (time_t)(left_ns / OC_NS_PER_S);
		tv.tv_usec = (suseconds_t)(left_ns % OC_NS_PER_S / 1000);
	}
	job->timer = evtimer_new(job->rdap->base, on_timer, job);
	if (job->timer == NULL || evtimer_add(job->timer, &tv) != 0)
		return OC_ERR_NOMEM;
	return validation_host_find(job->rdap->base, job->rdap->resolver,
	    job->server->place.host, VALIDATION_ANYWHERE, deadline_ns,
	    on_host, job, &job->host);
}

/* NULL: none. */
static const struct server *
find_server(const struct validation_rdap *rdap, const char *name)
{
	const struct server *found = NULL;

	for (size_t i = 0; i < rdap->num_servers; i++) {
		const struct server *s = &rdap->servers[i];

		if (validation_has_suffix(name, s->suffix) && (found == NULL ||
		    strlen(s->suffix) > strlen(found->suffix)))
			found = s;
	}
	return found;
}

enum oc_err
validation_rdap_ask(struct validation_rdap *rdap, const char *name,
    int64_t deadline_ns, validation_done_fn *done, void *arg,
    struct validation_rdap_job **out)
{
	const struct server *server = find_server(rdap, name);
	struct validation_rdap_job *job;
	enum oc_err err;

	if (!validation_host_is_valid(name, strlen(name)))
		return OC_ERR_MALFORMED;
	if (server == NULL)
		return OC_ERR_NOT_FOUND;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return OC_ERR_NOMEM;
	job->rdap = rdap;
	job->server = server;
	job->done = done;
	job->arg = arg;
	(void)snprintf(job->name, sizeof(job->name), "%s", name);
	oc_buffer_init(&job->body, VALIDATION_RDAP_MAX);
	job->link = &rdap->jobs;
	job->next = rdap->jobs;
	if (job->next != NULL)
		job->next->link = &job->next;
	rdap->jobs = job;
	err = begin(job, deadline_ns);
	if (err != OC_OK)
		free_job(job);
	else
		*out = job;
	return err;
}

/* --- whom to ask -------------------------------------------------------- */

static enum oc_err
set_server(struct server *to, const struct validation_rdap_server *from,
    struct oc_error *error)
{
	static const struct validation_scheme_port schemes[] = {
		{ "https", 443 }, { "http", 80 }, { NULL, 0 }
	};

	if (strlen(from->suffix) > VALIDATION_NAME_MAX)
		return oc_error_set(error, OC_ERR_CONFIG, "%s: too long for a "
		    "domain", from->suffix);
	(void)snprintf(to->suffix, sizeof(to->suffix), "%s", from->suffix);
	return validation_place_parse(from->url, schemes, &to->place, error);
}

enum oc_err
validation_rdap_new(struct event_base *base, struct validation_curl *loop,
    struct validation_resolver *resolver,
    const struct validation_rdap_config *config, struct validation_rdap **out,
    struct oc_error *error)
{
	struct validation_rdap *rdap = calloc(1, sizeof(*rdap));
	enum oc_err err = OC_OK;

	if (rdap != NULL)
		rdap->servers = calloc(config->num_servers + 1,
		    sizeof(*rdap->servers));
	if (rdap == NULL || rdap->servers == NULL) {
		free(rdap);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	rdap->base = base;
	rdap->loop = loop;
	rdap->resolver = resolver;
	for (; err == OC_OK && rdap->num_servers < config->num_servers;
	    rdap->num_servers++)
		err = set_server(&rdap->servers[rdap->num_servers],
		    &config->servers[rdap->num_servers], error);
	if (err == OC_OK && config->trust_file != NULL)
		err = oc_file_read_regular(config->trust_file,
		    OC_BUNDLE_FILE_MAX, &rdap->trust, &rdap->trust_len, NULL,
		    error);
	if (err != OC_OK)
		validation_rdap_free(rdap);
	else
		*out = rdap;
	return err;
}

void
validation_rdap_free(struct validation_rdap *rdap)
{
	if (rdap == NULL)
		return;
	while (rdap->jobs != NULL)
		free_job(rdap->jobs);
	free(rdap->servers);
	free(rdap->trust);
	free(rdap);
}
