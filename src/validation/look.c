/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "validation/dnsname.h"
#include "validation/html.h"
#include "validation/seen.h"

/* RFC 8555, 8.3: blanks behind what is expected; and no more than shows what
 * else there is. */
#define FILE_BEYOND_MAX 128
/* Heads are 10 KiB, or 40 with scripts in them. */
#define META_PAGE_MAX (64 * 1024)
#define META_NAME "ocsign-verification"
#define PATH_MAX_LEN 512
#define SHOWN_MAX 100

struct validation_look {
	const struct validation_eyes *eyes;
	enum validation_task task;
	int64_t deadline_ns;
	validation_look_fn *done;
	void *arg;
	/* One of them is under way. */
	struct validation_lookup *lookup;
	struct validation_visit *visit;
	struct validation_caa *caa;
	enum validation_scheme scheme;	/* META: of the visit */
	struct validation_reply reply;
	char name[VALIDATION_NAME_MAX + 1];
	char path[PATH_MAX_LEN];
	char expected[VALIDATION_EXPECTED_MAX + 1];
};

static void
finish(struct validation_look *look)
{
	look->done(look->arg, &look->reply);
	free(look);
}

static void
finish_with(struct validation_look *look, enum validation_fault fault,
    bool is_temporary, const char *seen)
{
	look->reply.fault = fault;
	look->reply.is_temporary = is_temporary;
	(void)snprintf(look->reply.seen, sizeof(look->reply.seen), "%s",
	    seen);
	finish(look);
}

/* --- TXT ---------------------------------------------------------------- */

/* <character-string>s (RFC 1035, 3.3.14), one behind the other; false: they
 * are not such. */
static bool
join_strings(const struct validation_record *record, uint8_t *text,
    size_t *len)
{
	size_t at = 0;

	*len = 0;
	while (at < record->len) {
		size_t string_len = record->octets[at++];

		if (string_len > record->len - at)
			return false;
		memcpy(text + *len, record->octets + at, string_len);
		*len += string_len;
		at += string_len;
	}
	return true;
}

static bool
is_expected(const struct validation_look *look, const void *octets,
    size_t len)
{
	return len == strlen(look->expected) &&
	    memcmp(octets, look->expected, len) == 0;
}

/* As text into what is for free(); NULL: it is none. */
static uint8_t *
text_of(const struct validation_record *record, size_t *len)
{
	uint8_t *text = malloc(record->len + 1);

	if (text != NULL && join_strings(record, text, len))
		return text;
	free(text);
	return NULL;
}

/* Looks for the one, and says that it is there, or what is. */
static bool
find_text(const struct validation_look *look,
    const struct validation_answer *answer, struct validation_text *seen)
{
	struct validation_text before = *seen;

	for (size_t i = 0; i < answer->num_records; i++) {
		size_t len = 0;
		uint8_t *text = text_of(&answer->records[i], &len);
		bool is_there = text != NULL && is_expected(look, text, len);

		if (is_there)
			*seen = before;
		validation_text_put(seen, "%s\"", i == 0 || is_there ? "" :
		    ", ");
		if (text != NULL)
			validation_text_put_octets(seen, text, len,
			    SHOWN_MAX);
		validation_text_put(seen, "\"");
		free(text);
		if (is_there)
			return true;
	}
	return false;
}

static void
on_text(void *arg, const struct validation_answer *answer)
{
	struct validation_look *look = arg;
	enum validation_fault fault = VALIDATION_DNS_FAULT;
	char text[VALIDATION_SEEN_MAX];
	struct validation_text seen;

	validation_text_init(&seen, text, sizeof(text));
	validation_text_put(&seen, "TXT of %s", look->name);
	if (strcasecmp(answer->name, look->name) != 0)
		validation_text_put(&seen, " (%.80s)", answer->name);
	validation_text_put(&seen, "%s: %s", answer->is_secure &&
	    answer->outcome == VALIDATION_DNS_FOUND ? ", signed" : "",
	    answer->why);
	switch (answer->outcome) {
	case VALIDATION_DNS_FOUND:
		fault = find_text(look, answer, &seen) ?
		    VALIDATION_NO_FAULT : VALIDATION_INCORRECT;
		break;
	case VALIDATION_DNS_NONE:
		fault = VALIDATION_INCORRECT;
		break;
	case VALIDATION_DNS_BOGUS:
	case VALIDATION_DNS_FAILED:
	case VALIDATION_DNS_TIMEOUT:
		break;
	}
	finish_with(look, fault, fault != VALIDATION_NO_FAULT, text);
}

static enum oc_err
start_text(struct validation_look *look,
    const struct validation_question *question)
{
	int len = snprintf(look->name, sizeof(look->name), "%s%s",
	    question->prefix != NULL ? question->prefix : "", question->name);

	if (len < 0 || (size_t)len >= sizeof(look->name))
		return OC_ERR_MALFORMED;
	return validation_resolver_ask(look->eyes->resolver, look->name,
	    VALIDATION_DNS_TXT, look->deadline_ns, on_text, look,
	    &look->lookup);
}

/* --- FILE --------------------------------------------------------------- */

static bool
is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
on_file(void *arg, const struct validation_page *page)
{
	struct validation_look *look = arg;
	size_t len = page->len;

	if (page->fault != VALIDATION_NO_FAULT) {
		finish_with(look, page->fault, page->is_temporary,
		    page->seen);
		return;
	}
	while (len > 0 && is_blank(page->body[len - 1]))
		len--;
	if (is_expected(look, page->body, len))
		finish_with(look, VALIDATION_NO_FAULT, false, page->seen);
	else
		finish_with(look, VALIDATION_INCORRECT, true, page->seen);
}

static enum oc_err
start_file(struct validation_look *look,
    const struct validation_question *question)
{
	struct validation_page_wish wish = {
		.scheme = VALIDATION_HTTP,
		.name = look->name,
		.path = look->path,
		.body_max = strlen(look->expected) + FILE_BEYOND_MAX,
		.part = VALIDATION_PAGE_WHOLE,
		.deadline_ns = look->deadline_ns
	};
	int len;

	if (question->path == NULL)
		return OC_ERR_MALFORMED;
	len = snprintf(look->path, sizeof(look->path), "/.well-known/%s",
	    question->path);
	if (len < 0 || (size_t)len >= sizeof(look->path))
		return OC_ERR_MALFORMED;
	return validation_pages_get(look->eyes->pages, &wish, on_file, look,
	    &look->visit);
}

/* --- META --------------------------------------------------------------- */

struct meta_search {
	const char *expected;
	bool is_there;
	char other[SHOWN_MAX + 1];
};

static bool
on_meta(void *arg, const char *content)
{
	struct meta_search *search = arg;

	search->is_there = strcmp(content, search->expected) == 0;
	(void)snprintf(search->other, sizeof(search->other), "%s", content);
	return !search->is_there;
}

/* XHTML is not: where it is served as such, what ends its titles, comments and
 * scripts is XML's to say. */
static bool
is_html(const char *type)
{
	static const char html[] = "text/html";
	size_t len = strlen(html);

	return type[0] == '\0' || (strncasecmp(type, html, len) == 0 &&
	    (type[len] == '\0' || strchr("; \t", type[len]) != NULL));
}

static void
read_meta(struct validation_look *look, const struct validation_page *page)
{
	struct meta_search search = { .expected = look->expected };
	char text[VALIDATION_SEEN_MAX];
	struct validation_text seen;
	size_t num = 0;

	if (is_html(page->type))
		num = validation_html_metas((const char *)page->body,
		    page->len, META_NAME, on_meta, &search);
	validation_text_init(&seen, text, sizeof(text));
	if (!is_html(page->type)) {
		validation_text_put(&seen, "no HTML (%s); ", page->type);
	} else if (num == 0) {
		validation_text_put(&seen, "no meta element \"" META_NAME
		    "\" in the head; ");
	} else {
		validation_text_put(&seen, META_NAME " \"");
		validation_text_put_octets(&seen, search.other,
		    strlen(search.other), SHOWN_MAX);
		validation_text_put(&seen, "\"; ");
	}
	validation_text_put(&seen, "%s", page->seen);
	finish_with(look, search.is_there ? VALIDATION_NO_FAULT :
	    VALIDATION_INCORRECT, !search.is_there, text);
}

static enum oc_err visit_meta(struct validation_look *look);

/* Where nobody answers http, https is asked. */
static void
on_page(void *arg, const struct validation_page *page)
{
	struct validation_look *look = arg;
	char text[VALIDATION_SEEN_MAX];
	struct validation_text seen;

	if (page->fault == VALIDATION_NO_FAULT) {
		read_meta(look, page);
		return;
	}
	validation_text_init(&seen, text, sizeof(text));
	if (look->scheme == VALIDATION_HTTP &&
	    page->fault == VALIDATION_CONNECTION_FAULT) {
		validation_text_put(&seen, "%.180s", page->seen);
		memcpy(look->reply.seen, text, sizeof(text));
		look->scheme = VALIDATION_HTTPS;
		if (visit_meta(look) == OC_OK)
			return;
		finish_with(look, VALIDATION_OURS, true, text);
		return;
	}
	if (look->scheme == VALIDATION_HTTPS)
		validation_text_put(&seen, "%s; ", look->reply.seen);
	validation_text_put(&seen, "%s", page->seen);
	finish_with(look, page->fault, page->is_temporary, text);
}

/* http has half of the time, or who does not answer it would have it all. */
static enum oc_err
visit_meta(struct validation_look *look)
{
	int64_t now_ns = oc_clock_mono_ns();
	struct validation_page_wish wish = {
		.scheme = look->scheme,
		.name = look->name,
		.path = "/",
		.body_max = META_PAGE_MAX,
		.part = VALIDATION_PAGE_START,
		.deadline_ns = look->deadline_ns
	};

	if (look->scheme == VALIDATION_HTTP)
		wish.deadline_ns = now_ns + (look->deadline_ns - now_ns) / 2;
	return validation_pages_get(look->eyes->pages, &wish, on_page, look,
	    &look->visit);
}

/* --- CAA ---------------------------------------------------------------- */

static void
on_caa(void *arg, enum validation_fault fault, bool is_temporary,
    const char *seen)
{
	finish_with(arg, fault, is_temporary, seen);
}

static enum oc_err
start_caa(struct validation_look *look,
    const struct validation_question *question)
{
	const struct validation_caa_wish wish = {
		.identities = look->eyes->identities,
		.num_identities = look->eyes->num_identities,
		.is_wildcard = question->is_wildcard,
		.method = question->method,
		.account_uri = question->account_uri
	};

	return validation_caa_start(look->eyes->resolver, look->name, &wish,
	    look->deadline_ns, on_caa, look, &look->caa);
}

/* --- all of them -------------------------------------------------------- */

static enum oc_err
start(struct validation_look *look,
    const struct validation_question *question)
{
	switch (look->task) {
	case VALIDATION_TXT:
		return start_text(look, question);
	case VALIDATION_FILE:
		return start_file(look, question);
	case VALIDATION_META:
		return visit_meta(look);
	case VALIDATION_CAA:
		return start_caa(look, question);
	case VALIDATION_CONTACTS:
	case VALIDATION_MAIL:
	case VALIDATION_PUBLISH:
	case VALIDATION_WITHDRAW:
		break;
	}
	return OC_ERR_UNSUPPORTED;
}

/* An empty one would be everywhere. */
static bool
is_whole(const struct validation_question *question)
{
	if (question->name == NULL ||
	    !validation_dns_name_is_valid(question->name))
		return false;
	return question->task == VALIDATION_CAA ||
	    (question->expected != NULL && question->expected[0] != '\0' &&
	    strlen(question->expected) <= VALIDATION_EXPECTED_MAX);
}

enum oc_err
validation_look_start(const struct validation_eyes *eyes,
    const struct validation_question *question, int64_t deadline_ns,
    validation_look_fn *done, void *arg, struct validation_look **look)
{
	struct validation_look *l;
	enum oc_err err;

	if (!is_whole(question))
		return OC_ERR_MALFORMED;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return OC_ERR_NOMEM;
	l->eyes = eyes;
	l->task = question->task;
	l->deadline_ns = deadline_ns;
	l->done = done;
	l->arg = arg;
	(void)snprintf(l->name, sizeof(l->name), "%s", question->name);
	(void)snprintf(l->expected, sizeof(l->expected), "%s",
	    question->expected != NULL ? question->expected : "");
	err = start(l, question);
	if (err != OC_OK) {
		free(l);
		return err;
	}
	*look = l;
	return OC_OK;
}

void
validation_look_cancel(struct validation_look *look)
{
	switch (look->task) {
	case VALIDATION_TXT:
		validation_resolver_cancel(look->lookup);
		break;
	case VALIDATION_FILE:
	case VALIDATION_META:
		validation_pages_cancel(look->visit);
		break;
	case VALIDATION_CAA:
		validation_caa_cancel(look->caa);
		break;
	case VALIDATION_CONTACTS:
	case VALIDATION_MAIL:
	case VALIDATION_PUBLISH:
	case VALIDATION_WITHDRAW:
		break;
	}
	free(look);
}
