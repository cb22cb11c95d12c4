/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/caa.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/file.h"
#include "ca/rule.h"

/* One name that is asked about. */
struct asked {
	struct issuer_caa *caa;
	struct validation_ask *ask;	/* NULL: answered */
	bool is_wildcard;
	char name[VALIDATION_NAME_MAX + 1];
};

struct issuer_caa {
	struct validation_client *client;
	struct issuer_caa_order order;
	issuer_caa_fn *done;
	void *arg;
	size_t num, num_waiting;
	struct asked names[];
};

static void
leave(struct issuer_caa *caa)
{
	for (size_t i = 0; i < caa->num; i++)
		if (caa->names[i].ask != NULL)
			validation_client_cancel(caa->client,
			    caa->names[i].ask);
	free(caa);
}

void
issuer_caa_cancel(struct issuer_caa *caa)
{
	if (caa != NULL)
		leave(caa);
}

static void
finish(struct issuer_caa *caa, enum oc_err err)
{
	issuer_caa_fn *done = caa->done;
	void *arg = caa->arg;

	leave(caa);
	done(arg, err);
}

/* Forbidden, or not known to be allowed: RFC 8659, 3 and 5.4, has these for
 * one. */
static enum oc_err
refuse(const struct asked *a, const struct validation_reply *reply)
{
	const struct issuer_caa_order *o = &a->caa->order;

	return ca_refuse(o->explanation, CA_RULE_CAA, OC_ERR_REFUSED,
	    o->error, "CAA does not let this CA issue for %s%s: %s",
	    a->is_wildcard ? "*." : "", a->name, reply->seen);
}

static enum oc_err
judge(const struct asked *a, const struct validation_reply *reply)
{
	switch (reply->fault) {
	case VALIDATION_NO_FAULT:
		return OC_OK;
	case VALIDATION_CAA_FAULT:
	case VALIDATION_DNS_FAULT:
	case VALIDATION_CONNECTION_FAULT:
	case VALIDATION_TLS_FAULT:
	case VALIDATION_INCORRECT:
	case VALIDATION_REFUSED:
		return refuse(a, reply);
	case VALIDATION_OURS:
		break;
	}
	return oc_error_set(a->caa->order.error, OC_ERR_DOWN, "CAA of %s "
	    "cannot be looked up now (%s): try again", a->name, reply->seen);
}

static void
answered(void *arg, const struct validation_reply *reply)
{
	struct asked *a = arg;
	struct issuer_caa *caa = a->caa;
	enum oc_err err;

	a->ask = NULL;
	caa->num_waiting--;
	err = judge(a, reply);
	if (err != OC_OK || caa->num_waiting == 0)
		finish(caa, err);
}

const char *
issuer_proofs_method(const struct issuer_proofs *proofs, const char *name,
    bool is_wildcard)
{
	for (size_t i = 0; proofs != NULL && i < proofs->num; i++) {
		const struct issuer_proof *p = &proofs->list[i];

		if (p->is_wildcard == is_wildcard &&
		    strcmp(p->name, name) == 0)
			return p->method;
	}
	return NULL;
}

static enum oc_err
ask(struct asked *a)
{
	const struct issuer_proofs *proofs = a->caa->order.proofs;
	const struct validation_question question = {
		.task = VALIDATION_CAA,
		.name = a->name,
		.is_wildcard = a->is_wildcard,
		.method = issuer_proofs_method(proofs, a->name,
		    a->is_wildcard),
		.account_uri = proofs == NULL ||
		    proofs->account_uri[0] == '\0' ? NULL :
		    proofs->account_uri,
	};

	return validation_client_ask(a->caa->client, &question,
	    a->caa->order.deadline_ns, answered, a, &a->ask);
}

/* As it stands in the plan: lower case, A-labels. */
static bool
take_name(struct asked *a, const struct x509_san *san)
{
	struct der_bytes text = san->value;

	a->is_wildcard = text.len > 2 && memcmp(text.p, "*.", 2) == 0;
	if (a->is_wildcard)
		text = (struct der_bytes){ text.p + 2, text.len - 2 };
	if (text.len > VALIDATION_NAME_MAX)
		return false;
	memcpy(a->name, text.p, text.len);
	a->name[text.len] = '\0';
	return true;
}

static enum oc_err
take_names(struct issuer_caa *caa, const struct x509_extensions *extensions)
{
	for (uint32_t i = 0; i < extensions->num_sans; i++) {
		struct asked *a = &caa->names[caa->num];

		if (extensions->sans[i].kind != X509_SAN_DNS)
			continue;
		a->caa = caa;
		if (!take_name(a, &extensions->sans[i]))
			return OC_ERR_LIMIT;
		caa->num++;
	}
	return OC_OK;
}

static enum oc_err
ask_all(struct issuer_caa *caa)
{
	enum oc_err err = OC_OK;

	for (size_t i = 0; err == OC_OK && i < caa->num; i++) {
		err = ask(&caa->names[i]);
		caa->num_waiting += err == OC_OK;
	}
	return err;
}

enum oc_err
issuer_caa_start(struct validation_client *client,
    const struct issuer_caa_order *order, issuer_caa_fn *done, void *arg,
    struct issuer_caa **caa)
{
	const struct x509_extensions *extensions =
	    &order->plan->tbs.extensions;
	struct issuer_caa *c = calloc(1, sizeof(*c) +
	    extensions->num_sans * sizeof(c->names[0]));
	enum oc_err err;

	if (c == NULL)
		return oc_error_set(order->error, OC_ERR_NOMEM,
		    "out of memory");
	c->client = client;
	c->order = *order;
	c->done = done;
	c->arg = arg;
	err = take_names(c, extensions);
	if (err == OC_OK)
		err = ask_all(c);
	if (err == OC_OK && c->num > 0) {
		*caa = c;
		return OC_OK;
	}
	leave(c);
	*caa = NULL;
	return err == OC_OK ? OC_OK : oc_error_set(order->error,
	    err == OC_ERR_REFUSED ? err : OC_ERR_DOWN,
	    "CAA cannot be asked for now: %s", oc_strerror(err));
}

/* --- in an event loop ---------------------------------------------------- */

struct issuer_caa_way {
	struct validation_client *client;
	struct event *event;
	int64_t timeout_ns;
};

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	struct issuer_caa_way *way = arg;

	(void)fd, (void)what;
	validation_client_dispatch(way->client);
}

enum oc_err
issuer_caa_way_new(const struct oc_config *config, struct event_base *base,
    struct issuer_caa_way **way, struct oc_error *error)
{
	struct issuer_caa_way *w;
	enum oc_err err = OC_ERR_NOMEM;

	if (config->validation.caa_identities.num == 0)
		return OC_OK;
	w = calloc(1, sizeof(*w));
	if (w != NULL)
		err = issuer_caa_client_new(config, &w->client);
	if (err == OC_OK) {
		w->timeout_ns = issuer_caa_timeout(config);
		w->event = event_new(base, validation_client_fd(w->client),
		    EV_READ | EV_PERSIST, on_client, w);
		if (w->event == NULL || event_add(w->event, NULL) != 0)
			err = OC_ERR_NOMEM;
	}
	if (err == OC_OK) {
		*way = w;
		return OC_OK;
	}
	issuer_caa_way_free(w);
	return oc_error_set(error, err, VALIDATION_SOCKET_NAME ": %s",
	    oc_strerror(err));
}

void
issuer_caa_way_free(struct issuer_caa_way *way)
{
	if (way == NULL)
		return;
	if (way->event != NULL)
		event_free(way->event);
	validation_client_free(way->client);
	free(way);
}

enum oc_err
issuer_caa_ask(struct issuer_caa_way *way,
    const struct issuer_caa_order *order, issuer_caa_fn *done, void *arg,
    struct issuer_caa **caa)
{
	struct issuer_caa_order timed = *order;
	int64_t until_ns = oc_clock_mono_ns() + way->timeout_ns;

	if (timed.deadline_ns > until_ns)
		timed.deadline_ns = until_ns;
	return issuer_caa_start(way->client, &timed, done, arg, caa);
}

/* --- for commands --------------------------------------------------------- */

enum oc_err
issuer_caa_client_new(const struct oc_config *config,
    struct validation_client **client)
{
	char *path;
	enum oc_err err = oc_path_join(config->daemon.run_directory,
	    VALIDATION_SOCKET_NAME, &path);

	if (err != OC_OK)
		return err;
	err = validation_client_new(path, client);
	free(path);
	return err;
}

int64_t
issuer_caa_timeout(const struct oc_config *config)
{
	return (config->validation.timeout_s + 1) * OC_NS_PER_S;
}

struct waiting {
	bool is_done;
	enum oc_err err;
};

static void
on_now(void *arg, enum oc_err err)
{
	struct waiting *w = arg;

	*w = (struct waiting){ true, err };
}

enum oc_err
issuer_caa_now(struct validation_client *client,
    const struct issuer_caa_order *order)
{
	struct pollfd pfd = { .fd = validation_client_fd(client),
	    .events = POLLIN };
	struct waiting w = { false, OC_OK };
	struct issuer_caa *caa;
	enum oc_err err;

	err = issuer_caa_start(client, order, on_now, &w, &caa);
	if (err != OC_OK || caa == NULL)
		return err;
	/* The deadline ends it: no timeout of our own. */
	while (!w.is_done)
		if (poll(&pfd, 1, -1) > 0)
			validation_client_dispatch(client);
	return w.err;
}
