/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/page_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "validation/address.h"

/* Status line and fields, of which nobody needs more. */
#define HEAD_MAX (16 * 1024)
/* Of a body that is not the page that was wanted: for people. */
#define OTHER_BODY_MAX 128
/* Octets a second, for so many seconds: who is slower holds us up. */
#define SLOWEST 16
#define SLOWEST_S 10
/* 2,000 of them are 8 MiB; libcurl's own are four times as long. */
#define RECEIVE_MAX 4096

long
validation_transfer_status(const struct validation_visit *visit)
{
	long status = 0;

	if (visit->transfer.curl != NULL)
		(void)curl_easy_getinfo(visit->transfer.curl,
		    CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* --- what libcurl calls ------------------------------------------------- */

/* The last word on where we connect to.  What we are out of is no fault of
 * the site's; that there is no IPv6 is as if it did not answer. */
static curl_socket_t
on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct validation_visit *v = arg;
	struct oc_address address;
	int fd;

	if (purpose != CURLSOCKTYPE_IPCXN ||
	    !oc_address_of(&to->addr, &address) ||
	    memcmp(&address, &v->transfer.address, sizeof(address)) != 0)
		return CURL_SOCKET_BAD;
	fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE ||
	    errno == ENOBUFS || errno == ENOMEM))
		v->transfer.stop = VALIDATION_NO_SOCKET;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static size_t
on_body(char *octets, size_t size, size_t num, void *arg)
{
	struct validation_visit *v = arg;
	struct validation_transfer *t = &v->transfer;
	bool is_page = validation_transfer_status(v) == VALIDATION_STATUS_OK;
	size_t len = size * num;
	size_t max = is_page ? v->body_max : OTHER_BODY_MAX;
	size_t left = max - t->body.len;

	oc_buffer_put(&t->body, octets, len < left ? len : left);
	if (t->body.err != OC_OK)
		t->stop = VALIDATION_NO_MEMORY;
	else if (len > left)
		t->stop = is_page && !v->is_start_enough ?
		    VALIDATION_TOO_LONG : VALIDATION_ENOUGH;
	return t->stop == VALIDATION_NOT_STOPPED ? len : 0;
}

/* The value of a "Location" field; what does not fit, or has control
 * characters, is one that leads nowhere. */
static void
note_location(struct validation_transfer *t, const char *value, size_t len)
{
	while (len > 0 && (*value == ' ' || *value == '\t'))
		value++, len--;
	while (len > 0 && value[len - 1] != '\0' &&
	    strchr(" \t\r\n", value[len - 1]) != NULL)
		len--;
	t->has_two_locations |= t->location[0] != '\0';
	if (len == 0 || len >= sizeof(t->location) ||
	    memchr(value, '\0', len) != NULL) {
		(void)snprintf(t->location, sizeof(t->location), "\n");
		return;
	}
	memcpy(t->location, value, len);
	t->location[len] = '\0';
}

static size_t
on_header(char *line, size_t size, size_t num, void *arg)
{
	static const char name[] = "location:";
	struct validation_visit *v = arg;
	struct validation_transfer *t = &v->transfer;
	size_t len = size * num;

	t->head_len += len;
	if (t->head_len > HEAD_MAX) {
		t->stop = VALIDATION_HEAD_TOO_LONG;
		return 0;
	}
	/* An interim response was before. */
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0) {
		t->location[0] = '\0';
		t->has_two_locations = false;
	}
	if (len >= strlen(name) && strncasecmp(line, name, strlen(name)) == 0)
		note_location(t, line + strlen(name), len - strlen(name));
	return len;
}

/* --- one transfer ------------------------------------------------------- */

static bool
set_long(CURL *curl, CURLoption option, long value)
{
	return curl_easy_setopt(curl, option, value) == CURLE_OK;
}

static bool
set_text(CURL *curl, CURLoption option, const char *text)
{
	return curl_easy_setopt(curl, option, text) == CURLE_OK;
}

static bool
set_limits(CURL *curl, int64_t connect_ns)
{
	return set_text(curl, CURLOPT_PROTOCOLS_STR, "http,https") &&
	    set_long(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) &&
	    set_long(curl, CURLOPT_HTTP09_ALLOWED, 0) &&
	    set_long(curl, CURLOPT_FOLLOWLOCATION, 0) &&
	    set_long(curl, CURLOPT_NOSIGNAL, 1) &&
	    set_long(curl, CURLOPT_FRESH_CONNECT, 1) &&
	    set_long(curl, CURLOPT_FORBID_REUSE, 1) &&
	    set_long(curl, CURLOPT_BUFFERSIZE, RECEIVE_MAX) &&
	    set_long(curl, CURLOPT_LOW_SPEED_LIMIT, SLOWEST) &&
	    set_long(curl, CURLOPT_LOW_SPEED_TIME, SLOWEST_S) &&
	    set_long(curl, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(connect_ns / OC_NS_PER_MS) + 1) &&
	    /* "" is none, also where the environment names one. */
	    set_text(curl, CURLOPT_PROXY, "") &&
	    set_text(curl, CURLOPT_NOPROXY, "*");
}

/* Not verified, but looked at: with a file of all the roots each connection
 * would read that, so that they come from the directory, one by one. */
static bool
set_tls(CURL *curl)
{
	return set_long(curl, CURLOPT_SSL_VERIFYPEER, 0) &&
	    set_long(curl, CURLOPT_SSL_VERIFYHOST, 0) &&
	    set_long(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
	    set_long(curl, CURLOPT_SSL_SESSIONID_CACHE, 0) &&
	    set_text(curl, CURLOPT_CAINFO, NULL);
}

static bool
set_callbacks(struct validation_visit *v)
{
	CURL *curl = v->transfer.curl;

	return curl_easy_setopt(curl, CURLOPT_ERRORBUFFER,
	    v->transfer.said) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION,
	    on_socket) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, v) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION,
	    on_body) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_WRITEDATA, v) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION,
	    on_header) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_HEADERDATA, v) == CURLE_OK;
}

/* Whatever the host is called: to the address that was looked at. */
static bool
set_target(struct validation_visit *v)
{
	struct validation_transfer *t = &v->transfer;
	char address[INET6_ADDRSTRLEN], line[INET6_ADDRSTRLEN + 8];
	bool is_v4 = validation_address_is_v4(&t->address);

	validation_address_text(&t->address, address);
	(void)snprintf(line, sizeof(line), is_v4 ? "::%s:" : "::[%s]:",
	    address);
	t->connect_to = curl_slist_append(NULL, line);
	return t->connect_to != NULL && curl_easy_setopt(t->curl,
	    CURLOPT_CONNECT_TO, t->connect_to) == CURLE_OK &&
	    set_text(t->curl, CURLOPT_URL, v->at) &&
	    set_text(t->curl, CURLOPT_USERAGENT,
	    "ocsign-validator/" PACKAGE_VERSION);
}

static void
on_done(void *arg, CURLcode rc)
{
	struct validation_visit *v = arg;

	v->transfer.is_running = false;
	validation_visit_on_transfer(v, rc);
}

enum oc_err
validation_transfer_start(struct validation_visit *visit, int64_t connect_ns)
{
	struct validation_transfer *t = &visit->transfer;
	size_t body_max = visit->body_max;

	if (body_max < OTHER_BODY_MAX)
		body_max = OTHER_BODY_MAX;
	t->curl = curl_easy_init();
	if (t->curl == NULL)
		return OC_ERR_NOMEM;
	t->said[0] = t->location[0] = '\0';
	t->has_two_locations = false;
	t->head_len = 0;
	t->stop = VALIDATION_NOT_STOPPED;
	oc_buffer_init(&t->body, body_max);
	t->is_running = set_limits(t->curl, connect_ns) && set_tls(t->curl) &&
	    set_callbacks(visit) && set_target(visit) &&
	    validation_curl_add(visit->pages->curl, t->curl, on_done,
	    visit) == OC_OK;
	if (!t->is_running)
		validation_transfer_end(visit);
	return t->is_running ? OC_OK : OC_ERR_NOMEM;
}

void
validation_transfer_end(struct validation_visit *visit)
{
	struct validation_transfer *t = &visit->transfer;

	if (t->curl == NULL)
		return;
	if (t->is_running)
		validation_curl_remove(visit->pages->curl, t->curl);
	t->is_running = false;
	curl_easy_cleanup(t->curl);
	curl_slist_free_all(t->connect_to);
	oc_buffer_fini(&t->body);
	t->curl = NULL;
	t->connect_to = NULL;
}
