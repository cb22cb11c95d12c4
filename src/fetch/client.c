/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/client.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"

#define REDIRECTS_MAX 5
#define CONNECT_LIMIT_MS 10000
/* Of what nobody reads: what a redirect or an error says beside. */
#define IDLE_MAX (64 * 1024)

/* One request of a chain of redirects. */
struct transfer {
	const struct fetch_request *request;
	struct fetch_reply *reply;
	CURL *curl;
	struct oc_buffer body;
	size_t num_idle;		/* octets of a body nobody reads */
	bool is_too_large;
};

enum oc_err
fetch_client_init(struct oc_error *error)
{
	CURLcode rc = curl_global_init(CURL_GLOBAL_DEFAULT);

	return rc == CURLE_OK ? OC_OK : oc_error_set(error, OC_ERR_INTERNAL,
	    "libcurl: %s", curl_easy_strerror(rc));
}

static long
status_of(const struct transfer *t)
{
	long status = 0;

	(void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* --- what libcurl calls ------------------------------------------------- */

static size_t
on_body(char *bytes, size_t size, size_t num, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * num;

	if (status_of(t) != 200) {
		t->num_idle += len;
		return t->num_idle > IDLE_MAX ? 0 : len;
	}
	oc_buffer_put(&t->body, bytes, len);
	t->is_too_large = t->body.err == OC_ERR_LIMIT;
	return t->body.err == OC_OK ? len : 0;
}

/* Of visible characters and blanks within; what does not fit is nothing. */
static void
copy_value(const char *value, size_t len, char *text, size_t room)
{
	while (len > 0 && (*value == ' ' || *value == '\t'))
		value++, len--;
	while (len > 0 && strchr(" \t\r\n", value[len - 1]) != NULL)
		len--;
	text[0] = '\0';
	if (len >= room)
		return;
	for (size_t i = 0; i < len; i++)
		if (value[i] < 0x20 || value[i] > 0x7e)
			return;
	memcpy(text, value, len);
	text[len] = '\0';
}

static size_t
on_header(char *line, size_t size, size_t num, void *arg)
{
	struct transfer *t = arg;
	struct fetch_reply *reply = t->reply;
	size_t len = size * num;
	const struct {
		const char *name;
		char *text;
		size_t room;
	} fields[] = {
		{ "ETag:", reply->etag, sizeof(reply->etag) },
		{ "Last-Modified:", reply->modified, sizeof(reply->modified) }
	};

	/* An interim one was before. */
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		reply->etag[0] = reply->modified[0] = '\0';
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t name_len = strlen(fields[i].name);

		if (len > name_len && strncasecmp(line, fields[i].name,
		    name_len) == 0)
			copy_value(line + name_len, len - name_len,
			    fields[i].text, fields[i].room);
	}
	return len;
}

static int
on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct transfer *t = arg;

	(void)a, (void)b, (void)c, (void)d;
	return t->request->is_stopping != NULL &&
	    atomic_load(t->request->is_stopping);
}

/* --- one request -------------------------------------------------------- */

static bool
set_long(const struct transfer *t, CURLoption option, long value)
{
	return curl_easy_setopt(t->curl, option, value) == CURLE_OK;
}

static bool
set_text(const struct transfer *t, CURLoption option, const char *text)
{
	return curl_easy_setopt(t->curl, option, text) == CURLE_OK;
}

static bool
set_limits(const struct transfer *t, int64_t left_ms)
{
	return set_text(t, CURLOPT_PROTOCOLS_STR, "http,https") &&
	    set_long(t, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) &&
	    set_long(t, CURLOPT_FOLLOWLOCATION, 0) &&
	    set_long(t, CURLOPT_FAILONERROR, 1) &&
	    set_long(t, CURLOPT_NOSIGNAL, 1) &&
	    set_long(t, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_LIMIT_MS) &&
	    set_long(t, CURLOPT_TIMEOUT_MS, (long)left_ms) &&
	    curl_easy_setopt(t->curl, CURLOPT_MAXFILESIZE_LARGE,
	    (curl_off_t)t->request->len_max) == CURLE_OK;
}

static bool
set_trust(const struct transfer *t)
{
	const struct fetch_request *rq = t->request;
	struct curl_blob blob;

	/* "" is none, also where the environment names one. */
	if (!set_text(t, CURLOPT_PROXY, rq->proxy != NULL ? rq->proxy : "") ||
	    !set_text(t, CURLOPT_NOPROXY, "") ||
	    !set_long(t, CURLOPT_SSL_VERIFYPEER, 1) ||
	    !set_long(t, CURLOPT_SSL_VERIFYHOST, 2) ||
	    !set_long(t, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2))
		return false;
	if (rq->trust == NULL)
		return true;
	blob = (struct curl_blob){ (void *)(uintptr_t)rq->trust,
	    rq->trust_len, CURL_BLOB_COPY };
	return curl_easy_setopt(t->curl, CURLOPT_CAINFO_BLOB, &blob) ==
	    CURLE_OK && set_text(t, CURLOPT_CAPATH, NULL) &&
	    curl_easy_setopt(t->curl, CURLOPT_PROXY_CAINFO_BLOB, &blob) ==
	    CURLE_OK && set_text(t, CURLOPT_PROXY_CAPATH, NULL);
}

static bool
set_callbacks(struct transfer *t, char *said)
{
	CURL *curl = t->curl;

	return curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, said) ==
	    CURLE_OK && curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION,
	    on_body) == CURLE_OK && curl_easy_setopt(curl, CURLOPT_WRITEDATA,
	    t) == CURLE_OK && curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION,
	    on_header) == CURLE_OK && curl_easy_setopt(curl,
	    CURLOPT_HEADERDATA, t) == CURLE_OK && curl_easy_setopt(curl,
	    CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t) == CURLE_OK &&
	    set_long(t, CURLOPT_NOPROGRESS, 0);
}

static bool
add_header(struct curl_slist **headers, const char *name, const char *value)
{
	char line[FETCH_ETAG_MAX + 64];
	struct curl_slist *longer;

	if (value[0] == '\0')
		return true;
	(void)snprintf(line, sizeof(line), "%s: %s", name, value);
	longer = curl_slist_append(*headers, line);
	if (longer != NULL)
		*headers = longer;
	return longer != NULL;
}

static enum oc_err
say_failure(const struct transfer *t, const char *url, CURLcode rc,
    const char *said, struct oc_error *error)
{
	const char *why = said[0] != '\0' ? said : curl_easy_strerror(rc);

	if (t->body.err == OC_ERR_NOMEM || rc == CURLE_OUT_OF_MEMORY)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (t->is_too_large || rc == CURLE_FILESIZE_EXCEEDED)
		return oc_error_set(error, OC_ERR_LIMIT, "%s: more than %zu "
		    "octets", url, t->request->len_max);
	switch ((int)rc) {
	case CURLE_HTTP_RETURNED_ERROR:
		return oc_error_set(error, OC_ERR_REFUSED, "%s: HTTP status "
		    "%ld", url, status_of(t));
	case CURLE_OPERATION_TIMEDOUT:
		return oc_error_set(error, OC_ERR_TIMEOUT, "%s: %s", url, why);
	case CURLE_ABORTED_BY_CALLBACK:
		return oc_error_set(error, OC_ERR_CANCELLED, "%s: stopped",
		    url);
	}
	return oc_error_set(error, OC_ERR_DOWN, "%s: %s", url, why);
}

static enum oc_err
send_one(struct transfer *t, const char *url, int64_t left_ms,
    struct oc_error *error)
{
	const struct fetch_request *rq = t->request;
	struct curl_slist *headers = NULL;
	char said[CURL_ERROR_SIZE] = "";
	enum oc_err err = OC_OK;
	CURLcode rc;

	curl_easy_reset(t->curl);
	if (!add_header(&headers, "Accept", "application/pkix-crl, */*") ||
	    !add_header(&headers, "If-None-Match", rq->etag) ||
	    !add_header(&headers, "If-Modified-Since", rq->modified) ||
	    !set_limits(t, left_ms) || !set_trust(t) ||
	    !set_callbacks(t, said) ||
	    !set_text(t, CURLOPT_USERAGENT, "ocsign/" PACKAGE_VERSION) ||
	    curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, headers) !=
	    CURLE_OK || !set_text(t, CURLOPT_URL, url))
		err = oc_error_set(error, OC_ERR_INTERNAL, "%s: libcurl does "
		    "not take what it is told", url);
	if (err == OC_OK) {
		rc = curl_easy_perform(t->curl);
		t->reply->http_status = (uint32_t)status_of(t);
		if (rc != CURLE_OK)
			err = say_failure(t, url, rc, said, error);
	}
	curl_slist_free_all(headers);
	return err;
}

/* --- all of them -------------------------------------------------------- */

static bool
is_redirect(uint32_t status)
{
	return status == 301 || status == 302 || status == 303 ||
	    status == 307 || status == 308;
}

static bool
has_scheme(const char *url, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncasecmp(url, scheme, len) == 0 &&
	    strncmp(url + len, "://", 3) == 0;
}

/* Where to, absolute. */
static enum oc_err
follow(const struct transfer *t, const char *from, char to[FETCH_URL_MAX],
    struct oc_error *error)
{
	char *url = NULL;

	(void)curl_easy_getinfo(t->curl, CURLINFO_REDIRECT_URL, &url);
	if (url == NULL)
		return oc_error_set(error, OC_ERR_REFUSED, "%s: a redirect to "
		    "nowhere", from);
	if (!has_scheme(url, "https") && !has_scheme(url, "http"))
		return oc_error_set(error, OC_ERR_REFUSED, "%s: a redirect to "
		    "\"%.80s\", which is neither http nor https", from, url);
	if (has_scheme(from, "https") && !has_scheme(url, "https"))
		return oc_error_set(error, OC_ERR_REFUSED, "%s: a redirect "
		    "from https to \"%.80s\"", from, url);
	if (strlen(url) >= FETCH_URL_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "%s: a redirect to a "
		    "URL of more than %d characters", from, FETCH_URL_MAX - 1);
	(void)snprintf(to, FETCH_URL_MAX, "%s", url);
	return OC_OK;
}

/* What is neither the thing nor "not modified". */
static enum oc_err
check_status(const struct transfer *t, const char *url,
    struct oc_error *error)
{
	const struct fetch_request *rq = t->request;
	uint32_t status = t->reply->http_status;

	if (status == 200)
		return OC_OK;
	if (status == 304 && (rq->etag[0] != '\0' || rq->modified[0] != '\0'))
		return OC_OK;
	return oc_error_set(error, OC_ERR_REFUSED, "%s: HTTP status %u%s", url,
	    (unsigned int)status, status == 304 ? ", which nobody asked for" :
	    "");
}

static enum oc_err
get_all(struct transfer *t, struct oc_error *error)
{
	int64_t until_ns = oc_clock_mono_ns() +
	    t->request->timeout_s * OC_NS_PER_S, left_ms;
	char url[FETCH_URL_MAX], next[FETCH_URL_MAX];
	enum oc_err err;

	(void)snprintf(url, sizeof(url), "%s", t->request->url);
	for (int num = 0;; num++) {
		left_ms = (until_ns - oc_clock_mono_ns()) / OC_NS_PER_MS;
		if (left_ms <= 0)
			return oc_error_set(error, OC_ERR_TIMEOUT, "%s: no "
			    "answer within %lld s", t->request->url,
			    (long long)t->request->timeout_s);
		err = send_one(t, url, left_ms, error);
		if (err != OC_OK)
			return err;
		if (!is_redirect(t->reply->http_status))
			return check_status(t, url, error);
		if (num == REDIRECTS_MAX)
			return oc_error_set(error, OC_ERR_REFUSED, "%s: more "
			    "than %d redirects", t->request->url,
			    REDIRECTS_MAX);
		err = follow(t, url, next, error);
		if (err != OC_OK)
			return err;
		memcpy(url, next, sizeof(url));
	}
}

enum oc_err
fetch_get(const struct fetch_request *request, struct fetch_reply *reply,
    struct oc_error *error)
{
	struct transfer t = { .request = request, .reply = reply };
	enum oc_err err;

	*reply = (struct fetch_reply){ .http_status = 0 };
	if (strlen(request->url) >= FETCH_URL_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "%.80s...: a URL of "
		    "more than %d characters", request->url,
		    FETCH_URL_MAX - 1);
	t.curl = curl_easy_init();
	if (t.curl == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	oc_buffer_init(&t.body, request->len_max);
	err = get_all(&t, error);
	if (err == OC_OK && reply->http_status == 200)
		err = oc_buffer_take(&t.body, &reply->body, &reply->len);
	oc_buffer_fini(&t.body);
	curl_easy_cleanup(t.curl);
	return err;
}
