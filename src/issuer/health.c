/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/health.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ipc/channel.h"
#include "ipc/message.h"
#include "issuer/service.h"

#define TIMEOUT_NS OC_NS_PER_S
#define FRESH_NS OC_NS_PER_S

struct waiter {
	struct waiter *next;
	issuer_health_fn *done;
	void *arg;
};

struct issuer_health {
	struct ipc_channel *signer;
	const struct issuer_authority *authorities;
	size_t num_authorities;
	struct waiter *waiters;
	bool is_asking, is_healthy;
	int64_t fresh_until_ns;		/* 0: nobody has asked yet */
};

enum oc_err
issuer_health_new(const char *path,
    const struct issuer_authority *authorities, size_t num_authorities,
    struct issuer_health **health)
{
	struct issuer_health *h = calloc(1, sizeof(*h));
	enum oc_err err;

	if (h == NULL)
		return OC_ERR_NOMEM;
	h->authorities = authorities;
	h->num_authorities = num_authorities;
	err = ipc_channel_new(path, "ocsign-issuer", &h->signer);
	if (err != OC_OK) {
		free(h);
		return err;
	}
	*health = h;
	return OC_OK;
}

/* An answer may be the end of who waits, and he may ask anew. */
static void
tell(struct issuer_health *h, bool is_healthy)
{
	struct waiter *w = h->waiters, *next;

	h->waiters = NULL;
	h->is_asking = false;
	h->is_healthy = is_healthy;
	h->fresh_until_ns = oc_clock_mono_ns() + FRESH_NS;
	for (; w != NULL; w = next) {
		next = w->next;
		w->done(w->arg, is_healthy);
		free(w);
	}
}

void
issuer_health_free(struct issuer_health *h)
{
	if (h == NULL)
		return;
	ipc_channel_free(h->signer);
	tell(h, false);
	free(h);
}

int
issuer_health_fd(const struct issuer_health *h)
{
	return ipc_channel_fd(h->signer);
}

void
issuer_health_dispatch(struct issuer_health *h)
{
	ipc_channel_dispatch(h->signer);
}

static bool
is_up(const json_t *tokens, const char *name)
{
	size_t i;
	const json_t *token;

	json_array_foreach(tokens, i, token) {
		const char *is = json_string_value(json_object_get(token,
		    "name"));

		if (is != NULL && strcmp(is, name) == 0)
			return json_is_true(json_object_get(token, "up"));
	}
	return false;
}

static bool
is_any_up(const json_t *tokens, const struct oc_words *names)
{
	for (size_t i = 0; i < names->num; i++)
		if (is_up(tokens, names->words[i]))
			return true;
	return false;
}

static void
answered(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields)
{
	struct issuer_health *h = arg;
	bool is_healthy = h->num_authorities > 0;
	json_t *status = NULL;
	struct der_bytes text;

	if (err == OC_OK && type == IPC_STATUS_IS &&
	    ipc_read_text_message(fields, &text) == OC_OK)
		status = json_loadb((const char *)text.p, text.len, 0, NULL);
	for (size_t i = 0; i < h->num_authorities; i++)
		is_healthy &= h->authorities[i].info != NULL &&
		    is_any_up(json_object_get(status, "tokens"),
		    &h->authorities[i].issuer->config->tokens);
	json_decref(status);
	tell(h, is_healthy);
}

enum oc_err
issuer_health_ask_now(const char *path, int64_t deadline_ns,
    const struct oc_words *tokens, bool *is_up)
{
	struct ipc_channel *channel = NULL;
	uint8_t frame[IPC_HEADER_LEN];
	struct der_bytes fields, text;
	json_t *status = NULL;
	enum ipc_type type;
	enum oc_err err;
	uint64_t id;
	size_t len;

	err = ipc_channel_new(path, "ocsign-issuer", &channel);
	if (err != OC_OK)
		return err;
	id = ipc_channel_next_id(channel);
	err = ipc_put_bare(frame, sizeof(frame), id, IPC_STATUS, &len);
	if (err == OC_OK)
		err = ipc_channel_ask_now(channel, id, frame, len,
		    deadline_ns, &type, &fields);
	if (err == OC_OK && (type != IPC_STATUS_IS ||
	    ipc_read_text_message(fields, &text) != OC_OK))
		err = OC_ERR_MALFORMED;
	if (err == OC_OK) {
		status = json_loadb((const char *)text.p, text.len, 0, NULL);
		*is_up = is_any_up(json_object_get(status, "tokens"), tokens);
	}
	json_decref(status);
	ipc_channel_free(channel);
	return err;
}

static void
ask_signer(struct issuer_health *h)
{
	uint64_t id = ipc_channel_next_id(h->signer);
	uint8_t frame[IPC_HEADER_LEN];
	enum oc_err err;
	size_t len;

	h->is_asking = true;
	err = ipc_put_bare(frame, sizeof(frame), id, IPC_STATUS, &len);
	if (err == OC_OK)
		err = ipc_channel_ask(h->signer, id, frame, len, -1,
		    oc_clock_mono_ns() + TIMEOUT_NS, answered, h);
	if (err != OC_OK)
		tell(h, false);
}

void
issuer_health_ask(struct issuer_health *h, issuer_health_fn *done, void *arg)
{
	struct waiter *w;

	if (!h->is_asking && oc_clock_mono_ns() < h->fresh_until_ns) {
		done(arg, h->is_healthy);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (w == NULL) {
		done(arg, false);
		return;
	}
	*w = (struct waiter){ h->waiters, done, arg };
	h->waiters = w;
	if (!h->is_asking)
		ask_signer(h);
}
