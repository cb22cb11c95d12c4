/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/issuer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "fetch/check.h"
#include "fetch/client.h"
#include "fetch/schedule.h"
#include "sign/digest.h"
#include "x509/file.h"

/* What systems have in all is 250 KiB. */
#define TRUST_FILE_MAX (4 * 1024 * 1024)
/* More mirrors than anybody has; and what a CRL has of them at most. */
#define URLS_MAX 16

struct fetch_issuer {
	const struct oc_config_issuer *issuer;
	enum fetch_what what;
	const char *path, *noun;	/* where it is put; in the log */
	enum status_crl_scope scope;
	const atomic_bool *is_stopping;
	char *state_path;		/* owned */
	struct fetch_state state;
	uint8_t *certificate_der;	/* owned */
	struct x509_cert *certificate;	/* owned; views into that */
	uint8_t *trust;			/* owned; NULL: the system's */
	size_t trust_len;
};

/* What one round needs. */
struct round {
	struct fetch_issuer *f;
	struct status_crl_list *before;	/* NULL: nothing is there */
	int64_t now;
	struct fetch_reply reply;
};

static enum oc_err
read_certificate(struct fetch_issuer *f, struct oc_error *error)
{
	const char *path = f->issuer->certificate;
	size_t len;
	enum oc_err err;

	f->certificate = calloc(1, sizeof(*f->certificate));
	if (f->certificate == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = x509_file_read(path, X509_FILE_CERTIFICATE, &f->certificate_der,
	    &len, error);
	if (err != OC_OK)
		return err;
	err = x509_cert_read((struct der_bytes){ f->certificate_der, len },
	    f->certificate, error);
	return err == OC_OK ? OC_OK : oc_error_prefix(error, "%s", path);
}

static enum oc_err
read_all(struct fetch_issuer *f, struct oc_error *error)
{
	struct oc_error why = { 0 };
	enum oc_err err;

	err = read_certificate(f, error);
	if (err == OC_OK && f->issuer->crl_fetch_ca != NULL)
		err = oc_file_read(f->issuer->crl_fetch_ca, TRUST_FILE_MAX,
		    &f->trust, &f->trust_len, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "issuer %s", f->issuer->name);
	err = fetch_state_read(f->state_path, &f->state, &why);
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		oc_log(OC_LOG_WARNING, "issuer %s: how fetching stood is not "
		    "known: %s", f->issuer->name, why.text);
	return OC_OK;
}

enum oc_err
fetch_issuer_new(const struct oc_config *config,
    const struct oc_config_issuer *issuer, enum fetch_what what,
    const atomic_bool *is_stopping, struct fetch_issuer **out,
    struct oc_error *error)
{
	struct fetch_issuer *f = calloc(1, sizeof(*f));
	enum oc_err err;

	if (f == NULL || (f->state_path = fetch_state_path(config, issuer,
	    what)) == NULL) {
		free(f);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	f->issuer = issuer;
	f->what = what;
	f->path = what == FETCH_DELTA ? issuer->crl_delta_file :
	    issuer->crl_file;
	f->scope = what == FETCH_DELTA ? STATUS_CRL_DELTA : STATUS_CRL_ANY;
	f->noun = what == FETCH_DELTA ? "delta CRL" : "CRL";
	f->is_stopping = is_stopping;
	err = read_all(f, error);
	if (err != OC_OK) {
		fetch_issuer_free(f);
		return err;
	}
	*out = f;
	return OC_OK;
}

void
fetch_issuer_free(struct fetch_issuer *f)
{
	if (f == NULL)
		return;
	free(f->state_path);
	free(f->certificate);
	free(f->certificate_der);
	free(f->trust);
	free(f);
}

const struct fetch_state *
fetch_issuer_state(const struct fetch_issuer *f)
{
	return &f->state;
}

/* --- one URL ------------------------------------------------------------ */

static bool
digest_of(const struct status_crl_list *list,
    uint8_t digest[FETCH_DIGEST_LEN])
{
	return EVP_Digest(list->crl.der.p, list->crl.der.len, digest, NULL,
	    sign_digest(SIGN_SHA256), NULL) == 1;
}

/* Conditions are only for who gave what is there, as it is there. */
static bool
may_be_unchanged(const struct round *r, const char *url)
{
	const struct fetch_state *s = &r->f->state;
	uint8_t digest[FETCH_DIGEST_LEN];

	return r->before != NULL && strcmp(s->url, url) == 0 &&
	    digest_of(r->before, digest) &&
	    memcmp(s->digest, digest, sizeof(digest)) == 0;
}

static void
note_good(struct round *r, const char *url, const struct status_crl_list *list)
{
	struct fetch_state *s = &r->f->state;

	(void)snprintf(s->url, sizeof(s->url), "%s", url);
	if (!digest_of(list, s->digest))
		s->url[0] = '\0';
	s->until = list->crl.next_update;
	/* "Not modified" need not say it again. */
	if (r->reply.http_status == 200 || r->reply.etag[0] != '\0')
		memcpy(s->etag, r->reply.etag, sizeof(s->etag));
	if (r->reply.http_status == 200 || r->reply.modified[0] != '\0')
		memcpy(s->modified, r->reply.modified, sizeof(s->modified));
}

static enum oc_err
take_unchanged(struct round *r, const char *url, struct oc_error *error)
{
	enum oc_err err = status_crl_list_check_dates(r->before, r->now,
	    error);

	if (err == OC_OK)
		note_good(r, url, r->before);
	return err == OC_OK ? OC_OK : oc_error_prefix(error, "%s: not "
	    "modified", url);
}

static enum oc_err
take_new(struct round *r, const char *url, struct oc_error *error)
{
	const struct fetch_issuer *f = r->f;
	char number[STATUS_CRL_NUMBER_TEXT_MAX];
	struct status_crl_list *list;
	enum oc_err err;

	err = fetch_check(url, r->reply.body, r->reply.len, f->certificate,
	    f->scope, r->before, r->now, &list, error);
	if (err == OC_ERR_EXISTS) {
		note_good(r, url, r->before);
		return OC_OK;
	}
	if (err != OC_OK)
		return err;
	err = oc_file_write(f->path, 0640, list->crl.der.p,
	    list->crl.der.len, error);
	if (err == OC_OK) {
		note_good(r, url, list);
		status_crl_number_format(list, number);
		oc_log(OC_LOG_NOTICE, "issuer %s: the %s number %s is "
		    "fetched from %s", f->issuer->name, f->noun, number, url);
	}
	status_crl_list_release(list);
	return err;
}

static enum oc_err
ask(struct round *r, const char *url, struct oc_error *error)
{
	const struct oc_config_issuer *issuer = r->f->issuer;
	const struct fetch_state *s = &r->f->state;
	bool is_conditional = may_be_unchanged(r, url);
	const struct fetch_request request = {
		.url = url,
		.trust = r->f->trust,
		.trust_len = r->f->trust_len,
		.proxy = issuer->crl_fetch_proxy,
		.timeout_s = issuer->crl_fetch_timeout_s,
		.len_max = OC_CRL_FILE_MAX,
		.etag = is_conditional ? s->etag : "",
		.modified = is_conditional ? s->modified : "",
		.is_stopping = r->f->is_stopping,
	};
	enum oc_err err;

	err = fetch_get(&request, &r->reply, error);
	if (err == OC_OK)
		err = r->reply.http_status == 304 ? take_unchanged(r, url,
		    error) : take_new(r, url, error);
	free(r->reply.body);
	r->reply.body = NULL;
	return err;
}

/* Damaged, or of another issuer than now: as if there were nothing. */
static enum oc_err
read_before(struct round *r, struct oc_error *error)
{
	const struct fetch_issuer *f = r->f;
	struct oc_error why = { 0 };
	enum oc_err err;

	err = fetch_read(f->path, f->certificate, f->scope, &r->before, &why);
	if (err == OC_ERR_NOMEM)
		return oc_error_set(error, err, "out of memory");
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		oc_log(OC_LOG_WARNING, "issuer %s: what is there is replaced "
		    "by whatever is good: %s", f->issuer->name, why.text);
	return OC_OK;
}

/* --- all of them -------------------------------------------------------- */

/* What a round asks: views into the configuration, or owned. */
struct urls {
	const char *of[URLS_MAX];
	size_t num;
	char *owned;
};

static void
find_configured(const struct oc_words *words, struct urls *urls)
{
	for (size_t i = 0; i < words->num && urls->num < URLS_MAX; i++)
		urls->of[urls->num++] = words->words[i];
}

static bool
is_http(struct der_bytes url)
{
	return url.len < FETCH_URL_MAX && ((url.len > 7 &&
	    memcmp(url.p, "http://", 7) == 0) || (url.len > 8 &&
	    memcmp(url.p, "https://", 8) == 0));
}

/* From the list that is there: it alone is signed. */
static enum oc_err
find_freshest(const struct fetch_issuer *f, struct urls *urls,
    struct oc_error *error)
{
	struct der_bytes found[URLS_MAX];
	struct status_crl_list *list;
	uint32_t num;
	enum oc_err err;

	err = fetch_read(f->issuer->crl_file, f->certificate, STATUS_CRL_ANY,
	    &list, error);
	if (err != OC_OK)
		return err;
	num = x509_crl_freshest_urls(&list->crl, found, URLS_MAX);
	urls->owned = malloc(URLS_MAX * FETCH_URL_MAX);
	for (uint32_t i = 0; urls->owned != NULL && i < num; i++) {
		char *url = urls->owned + urls->num * FETCH_URL_MAX;

		if (!is_http(found[i]))
			continue;
		memcpy(url, found[i].p, found[i].len);
		url[found[i].len] = '\0';
		urls->of[urls->num++] = url;
	}
	status_crl_list_release(list);
	return urls->num > 0 ? OC_OK : oc_error_set(error, OC_ERR_NOT_FOUND,
	    "%s: the CRL does not say by http or https where its delta is "
	    "(freshestCRL)", f->issuer->crl_file);
}

static enum oc_err
find_urls(const struct fetch_issuer *f, struct urls *urls,
    struct oc_error *error)
{
	const struct oc_words *words = &f->issuer->crl_delta_fetch;

	switch (f->what) {
	case FETCH_CRL:
		find_configured(&f->issuer->crl_fetch, urls);
		return OC_OK;
	case FETCH_DELTA:
		break;
	}
	if (strcmp(words->words[0], "freshest") == 0)
		return find_freshest(f, urls, error);
	find_configured(words, urls);
	return OC_OK;
}

/* The first that fails is who was preferred: why is about that. */
static enum oc_err
ask_all(struct round *r, struct oc_error *error)
{
	const struct fetch_issuer *f = r->f;
	struct urls urls = { .num = 0 };
	struct oc_error why = { 0 };
	enum oc_err err = find_urls(f, &urls, error);

	if (err == OC_OK)
		err = OC_ERR_NOT_FOUND;
	for (size_t i = 0; err != OC_OK && err != OC_ERR_CANCELLED &&
	    i < urls.num; i++) {
		err = ask(r, urls.of[i], &why);
		if (err != OC_OK && urls.num > 1)
			oc_log(OC_LOG_INFO, "issuer %s: no %s: %s",
			    f->issuer->name, f->noun, why.text);
		if (i == 0)
			*error = why;
	}
	free(urls.owned);
	return err;
}

static void
say(const struct fetch_issuer *f, const struct fetch_state *before)
{
	const struct fetch_state *s = &f->state;

	if (s->num_failures > 0 && strcmp(s->why, before->why) != 0)
		oc_log(OC_LOG_WARNING, "issuer %s: the %s cannot be fetched, "
		    "what is there stays: %s", f->issuer->name, f->noun,
		    s->why);
	else if (s->num_failures == 0 && before->num_failures > 0)
		oc_log(OC_LOG_NOTICE, "issuer %s: the %s can be fetched "
		    "again", f->issuer->name, f->noun);
}

void
fetch_issuer_round(struct fetch_issuer *f, int64_t now, uint32_t random)
{
	const struct fetch_state before = f->state;
	struct round r = { .f = f, .now = now };
	struct fetch_schedule schedule;
	struct fetch_state *s = &f->state;
	struct oc_error error = { 0 };
	enum oc_err err;

	err = read_before(&r, &error);
	if (err == OC_OK)
		err = ask_all(&r, &error);
	s->until = err == OC_OK ? s->until : r.before == NULL ? 0 :
	    r.before->crl.next_update;
	status_crl_list_release(r.before);
	/* A process that ends has found out nothing. */
	if (err == OC_ERR_CANCELLED)
		return;
	s->tried_at = now;
	s->http_status = r.reply.http_status;
	s->num_failures = err == OC_OK ? 0 : s->num_failures + 1;
	if (err == OC_OK)
		s->fetched_at = now;
	(void)snprintf(s->why, sizeof(s->why), "%.*s", FETCH_WHY_MAX - 1,
	    err == OC_OK ? "" : error.text);
	schedule = (struct fetch_schedule){ f->issuer->crl_fetch_interval_s,
	    s->num_failures, s->until };
	s->next_at = now + fetch_wait_s(&schedule, now, random);
	say(f, &before);
	if (fetch_state_write(f->state_path, s, &error) != OC_OK)
		oc_log(OC_LOG_ERROR, "issuer %s: %s", f->issuer->name,
		    error.text);
}
