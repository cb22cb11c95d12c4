/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/caa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "validation/seen.h"

/* Of one name; what gives none in that time is not known, which is said while
 * there is time to say so. */
#define QUESTION_NS (15 * OC_NS_PER_S)

struct validation_caa {
	struct validation_resolver *resolver;
	struct validation_lookup *lookup;
	int64_t deadline_ns;
	validation_caa_fn *done;
	void *arg;
	struct validation_caa_wish wish;	/* its texts are below */
	char *method, *account_uri;
	char name[VALIDATION_NAME_MAX + 1];
	const char *at;			/* within name: whose it is asked */
};

static void on_answer(void *arg, const struct validation_answer *answer);

static void
caa_free(struct validation_caa *caa)
{
	free(caa->method);
	free(caa->account_uri);
	free(caa);
}

static void
finish(struct validation_caa *caa, enum validation_fault fault,
    bool is_temporary, const char *seen)
{
	caa->done(caa->arg, fault, is_temporary, seen);
	caa_free(caa);
}

static enum oc_err
ask(struct validation_caa *caa)
{
	int64_t until_ns = oc_clock_mono_ns() + QUESTION_NS;

	if (until_ns > caa->deadline_ns)
		until_ns = caa->deadline_ns;
	return validation_resolver_ask(caa->resolver, caa->at,
	    VALIDATION_DNS_CAA, until_ns, on_answer, caa, &caa->lookup);
}

/* To the name above; the root is not asked (RFC 8659, 3). */
static void
climb(struct validation_caa *caa)
{
	char seen[VALIDATION_SEEN_MAX];
	const char *dot = strchr(caa->at, '.');
	enum oc_err err;

	if (dot == NULL) {
		(void)snprintf(seen, sizeof(seen), "no CAA record at %s or "
		    "above", caa->name);
		finish(caa, VALIDATION_NO_FAULT, false, seen);
		return;
	}
	caa->at = dot + 1;
	err = ask(caa);
	if (err != OC_OK) {
		(void)snprintf(seen, sizeof(seen), "CAA of %.253s: %s",
		    caa->at, oc_strerror(err));
		finish(caa, VALIDATION_OURS, true, seen);
	}
}

static void
weigh(struct validation_caa *caa, const struct validation_answer *answer)
{
	char what[VALIDATION_SEEN_MAX], seen[VALIDATION_SEEN_MAX];
	struct validation_text text;
	bool is_allowed = validation_caa_allows(answer->records,
	    answer->num_records, &caa->wish, what);

	validation_text_init(&text, seen, sizeof(seen));
	validation_text_put(&text, "%s: %s", caa->at, what);
	finish(caa, is_allowed ? VALIDATION_NO_FAULT : VALIDATION_CAA_FAULT,
	    false, seen);
}

static void
on_answer(void *arg, const struct validation_answer *answer)
{
	struct validation_caa *caa = arg;
	char seen[VALIDATION_SEEN_MAX];
	struct validation_text text;

	switch (answer->outcome) {
	case VALIDATION_DNS_FOUND:
		weigh(caa, answer);
		return;
	case VALIDATION_DNS_NONE:
		climb(caa);
		return;
	case VALIDATION_DNS_BOGUS:
	case VALIDATION_DNS_FAILED:
	case VALIDATION_DNS_TIMEOUT:
		break;
	}
	validation_text_init(&text, seen, sizeof(seen));
	validation_text_put(&text, "whether CAA of %s forbids it cannot be "
	    "known: %s", caa->at, answer->why);
	finish(caa, VALIDATION_CAA_FAULT, true, seen);
}

static char *
copy(const char *text, bool *is_copied)
{
	char *made = text == NULL ? NULL : strdup(text);

	*is_copied &= (made == NULL) == (text == NULL);
	return made;
}

enum oc_err
validation_caa_start(struct validation_resolver *resolver, const char *name,
    const struct validation_caa_wish *wish, int64_t deadline_ns,
    validation_caa_fn *done, void *arg, struct validation_caa **caa)
{
	struct validation_caa *c;
	bool is_copied = true;
	enum oc_err err;

	if (strlen(name) > VALIDATION_NAME_MAX)
		return OC_ERR_MALFORMED;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return OC_ERR_NOMEM;
	c->resolver = resolver;
	c->deadline_ns = deadline_ns;
	c->done = done;
	c->arg = arg;
	c->wish = *wish;
	c->wish.method = c->method = copy(wish->method, &is_copied);
	c->wish.account_uri = c->account_uri = copy(wish->account_uri,
	    &is_copied);
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
	c->at = c->name;
	err = is_copied ? ask(c) : OC_ERR_NOMEM;
	if (err != OC_OK) {
		caa_free(c);
		return err;
	}
	*caa = c;
	return OC_OK;
}

void
validation_caa_cancel(struct validation_caa *caa)
{
	validation_resolver_cancel(caa->lookup);
	caa_free(caa);
}
