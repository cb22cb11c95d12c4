/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/signer_server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/memfd.h"

/* What to do about it. */
#define NO_TOKEN \
	"the token is not there now; ocsign-signer's log says why"
#define STOPPING "ocsign-signer is stopping; try again"

struct served_peer;

/* A job from the wire to the signer and back. */
struct served_job {
	struct sign_job job;
	struct served_peer *peer;
	struct served_job *prev, *next_job;
	uint64_t id;
	char key[SIGN_KEY_NAME_MAX];
	struct oc_mapping mapping;	/* of a TBS that came as a memfd */
	uint8_t tbs[];
};

struct served_peer {
	struct ipc_signer_server *server;
	struct ipc_peer *peer;
	struct served_job *jobs;
	uint64_t last_id;		/* of a SIGN */
	bool is_refusal_logged;
};

struct ipc_signer_server {
	struct ipc_server *server;
	enum ipc_signer_role role;
	struct signer *signer;		/* borrowed; NULL: DOWN */
	bool is_draining;
	size_t num_jobs;
	ipc_signer_status_fn *status;
	ipc_signer_drain_fn *drain;	/* NULL: not here */
	void *arg;
	uint8_t frame[OC_FRAME_MAX];
	char text[OC_FRAME_MAX / 2];	/* 64 tokens with their lanes */
};

static bool
has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What the two roles may ask for: the rule itself. */
static bool
may_sign(enum ipc_signer_role role, enum sign_kind kind,
    const char *key)
{
	bool is_ocsp = has_prefix(key, "ocsp/");
	bool is_issuer = has_prefix(key, "issuer/");

	switch (kind) {
	case SIGN_KIND_OCSP:
		return role == IPC_SIGNER_STATUS && is_ocsp;
	case SIGN_KIND_CERTIFICATE:
	case SIGN_KIND_CRL:
		return role == IPC_SIGNER_ISSUER && is_issuer;
	case SIGN_KIND_CSR:
		return role == IPC_SIGNER_ISSUER && (is_issuer || is_ocsp);
	}
	return false;
}

static void
answer(struct served_peer *sp, uint64_t id, const struct ipc_signed *m)
{
	struct ipc_signer_server *server = sp->server;
	size_t len;

	if (ipc_put_signed(server->frame, sizeof(server->frame), id, m,
	    &len) == OC_OK)
		ipc_peer_send(sp->peer, server->frame, len);
}

static void
answer_error(struct served_peer *sp, uint64_t id, enum oc_err err,
    const char *text)
{
	struct ipc_signed m = { .err = (uint8_t)err };

	snprintf(m.text, sizeof(m.text), "%s", text);
	answer(sp, id, &m);
}

static void
job_free(struct served_job *sj)
{
	struct served_peer *sp = sj->peer;

	if (sj->prev != NULL)
		sj->prev->next_job = sj->next_job;
	else
		sp->jobs = sj->next_job;
	if (sj->next_job != NULL)
		sj->next_job->prev = sj->prev;
	sp->server->num_jobs--;
	oc_mapping_fini(&sj->mapping);
	free(sj);
}

static void
on_done(struct sign_job *job, void *arg)
{
	struct served_job *sj = arg;
	struct ipc_signed m = {
		.err = (uint8_t)job->err,
		.alg = (uint8_t)job->signed_alg,
	};

	if (job->err == OC_OK) {
		m.signature.p = job->signature;
		m.signature.len = job->signature_len;
		answer(sj->peer, sj->id, &m);
	} else {
		answer_error(sj->peer, sj->id, job->err, job->error_text);
	}
	job_free(sj);
}

static void
cancel_job(struct served_job *sj)
{
	sign_cancel(sj->peer->server->signer, &sj->job);
	job_free(sj);
}

/* Inline: a copy.  As a memfd: mapped, once its seals have been checked. */
static enum oc_err
job_new(struct served_peer *sp, uint64_t id, const struct ipc_sign *m, int fd,
    struct served_job **new)
{
	struct served_job *sj = calloc(1, sizeof(*sj) + m->tbs.len);
	enum oc_err err;

	if (sj == NULL)
		return OC_ERR_NOMEM;
	if (fd >= 0) {
		err = ipc_memfd_map(fd, m->tbs_len, &sj->mapping,
		    &sj->job.tbs);
		if (err != OC_OK) {
			free(sj);
			return err;
		}
	} else {
		memcpy(sj->tbs, m->tbs.p, m->tbs.len);
		sj->job.tbs = (struct der_bytes){ sj->tbs, m->tbs.len };
	}
	memcpy(sj->key, m->key, sizeof(sj->key));
	sj->id = id;
	sj->peer = sp;
	sj->next_job = sp->jobs;
	if (sj->next_job != NULL)
		sj->next_job->prev = sj;
	sp->jobs = sj;
	sp->server->num_jobs++;
	*new = sj;
	return OC_OK;
}

static void
job_submit(struct served_job *sj, const struct ipc_sign *m)
{
	struct served_peer *sp = sj->peer;
	uint64_t id = sj->id;
	char text[sizeof(sj->job.error_text)];
	enum oc_err err;

	sj->job.key = sj->key;
	sj->job.kind = (enum sign_kind)m->kind;
	sj->job.lane = (enum sign_lane)m->lane;
	sj->job.alg = (enum sign_alg)m->alg;
	sj->job.deadline_ns = oc_clock_mono_ns() +
	    m->timeout_ms * OC_NS_PER_MS;
	sj->job.done = on_done;
	sj->job.arg = sj;
	err = sign_submit(sp->server->signer, &sj->job);
	if (err == OC_OK)
		return;
	/* The signer may have said which rule it breaks. */
	snprintf(text, sizeof(text), "%s", sj->job.error_text[0] != '\0' ?
	    sj->job.error_text : oc_strerror(err));
	job_free(sj);
	answer_error(sp, id, err, text);
}

static void
refuse(struct served_peer *sp, uint64_t id, const struct ipc_sign *m)
{
	char text[160];

	snprintf(text, sizeof(text), "a TBS of kind %u is not signed with "
	    "%.96s on this socket", m->kind, m->key);
	if (!sp->is_refusal_logged)
		oc_log(OC_LOG_WARNING, "refused process %ld: %s",
		    (long)ipc_peer_pid(sp->peer), text);
	sp->is_refusal_logged = true;
	answer_error(sp, id, OC_ERR_REFUSED, text);
}

static void
take_sign(struct served_peer *sp, uint64_t id, struct der_bytes fields, int fd)
{
	struct ipc_signer_server *server = sp->server;
	struct served_job *sj;
	struct ipc_sign m;
	enum oc_err err;

	if (ipc_read_sign(fields, &m) != OC_OK ||
	    (fd >= 0) != (m.tbs_len > OC_TBS_INLINE_MAX) ||
	    id <= sp->last_id) {
		ipc_peer_close(sp->peer);
		return;
	}
	sp->last_id = id;
	if (!may_sign(server->role, (enum sign_kind)m.kind, m.key)) {
		refuse(sp, id, &m);
		return;
	}
	if (server->signer == NULL || server->is_draining) {
		answer_error(sp, id, OC_ERR_DOWN, server->is_draining ?
		    STOPPING : NO_TOKEN);
		return;
	}
	err = job_new(sp, id, &m, fd, &sj);
	if (err != OC_OK)
		answer_error(sp, id, err, "the memory with the TBS cannot "
		    "be used");
	else
		job_submit(sj, &m);
}

static void
take_cancel(struct served_peer *sp, uint64_t id)
{
	struct served_job *sj = sp->jobs;

	while (sj != NULL && sj->id != id)
		sj = sj->next_job;
	if (sj != NULL)
		cancel_job(sj);
}

static enum oc_err
find_key(struct served_peer *sp, const char *key, struct sign_key_info *info,
    struct oc_error *error)
{
	struct ipc_signer_server *server = sp->server;

	if (server->role == IPC_SIGNER_STATUS && !has_prefix(key, "ocsp/"))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "this key is not told on this socket");
	if (server->signer == NULL)
		return oc_error_set(error, OC_ERR_DOWN, NO_TOKEN);
	/* A deadline that is past: what the signer knows, it knows now. */
	return sign_find_key(server->signer, key, oc_clock_mono_ns(), info,
	    error);
}

static void
take_find_key(struct served_peer *sp, uint64_t id, struct der_bytes fields)
{
	struct ipc_signer_server *server = sp->server;
	struct sign_key_info info;
	struct oc_error error = { 0 };
	struct ipc_find_key find;
	struct ipc_key m = { 0 };
	size_t len;

	if (ipc_read_find_key(fields, &find) != OC_OK) {
		ipc_peer_close(sp->peer);
		return;
	}
	m.err = (uint8_t)find_key(sp, find.key, &info, &error);
	if (m.err == OC_OK) {
		m.type = (uint8_t)info.type;
		m.bits = info.bits;
		m.alg = (uint8_t)info.alg;
		m.spki = (struct der_bytes){ info.spki, info.spki_len };
	}
	snprintf(m.text, sizeof(m.text), "%.*s", (int)sizeof(m.text) - 1,
	    error.text);
	if (ipc_put_key(server->frame, sizeof(server->frame), id, &m,
	    &len) == OC_OK)
		ipc_peer_send(sp->peer, server->frame, len);
}

static void
take_status(struct served_peer *sp, uint64_t id)
{
	struct ipc_signer_server *server = sp->server;
	size_t len;

	server->status(server->arg, server->text, sizeof(server->text));
	if (ipc_put_text_message(server->frame, sizeof(server->frame), id,
	    IPC_STATUS_IS, server->text, &len) == OC_OK)
		ipc_peer_send(sp->peer, server->frame, len);
}

static void
take_drain(struct served_peer *sp, uint64_t id, struct der_bytes fields)
{
	struct ipc_signer_server *server = sp->server;
	struct ipc_drained m = { .err = OC_ERR_REFUSED };
	struct oc_error error = { 0 };
	struct ipc_drain drain;
	size_t len;

	if (ipc_read_drain(fields, &drain) != OC_OK) {
		ipc_peer_close(sp->peer);
		return;
	}
	/* The API's own process, which strangers talk to, has no use for it. */
	if (ipc_peer_is_role(sp->peer))
		(void)oc_error_set(&error, OC_ERR_REFUSED, "root and "
		    "operators drain tokens");
	else if (server->drain != NULL)
		m.err = (uint8_t)server->drain(server->arg, drain.token,
		    drain.how, &error);
	else
		(void)oc_error_set(&error, OC_ERR_REFUSED,
		    "tokens are not drained on this socket");
	snprintf(m.text, sizeof(m.text), "%.*s", (int)sizeof(m.text) - 1,
	    error.text);
	if (ipc_put_drained(server->frame, sizeof(server->frame), id, &m,
	    &len) == OC_OK)
		ipc_peer_send(sp->peer, server->frame, len);
}

static struct served_peer *
served_peer_of(struct ipc_signer_server *server, struct ipc_peer *peer)
{
	struct served_peer *sp = ipc_peer_data(peer);

	if (sp != NULL)
		return sp;
	sp = calloc(1, sizeof(*sp));
	if (sp == NULL)
		return NULL;
	sp->server = server;
	sp->peer = peer;
	ipc_peer_set_data(peer, sp);
	return sp;
}

static void
take_frame(struct served_peer *sp, const struct ipc_header *header,
    struct der_bytes fields, int fd)
{
	switch ((enum ipc_type)header->type) {
	case IPC_SIGN:
		take_sign(sp, header->id, fields, fd);
		return;
	case IPC_CANCEL:
		take_cancel(sp, header->id);
		return;
	case IPC_FIND_KEY:
		take_find_key(sp, header->id, fields);
		return;
	case IPC_STATUS:
		take_status(sp, header->id);
		return;
	case IPC_DRAIN:
		take_drain(sp, header->id, fields);
		return;
	case IPC_HELLO:
	case IPC_SIGNED:
	case IPC_KEY:
	case IPC_ASK:
	case IPC_ANSWER:
	case IPC_NUDGE:
	case IPC_NUDGED:
	case IPC_STATUS_IS:
	case IPC_DRAINED:
	case IPC_VALIDATE:
	case IPC_VALIDATED:
		break;
	}
	ipc_peer_close(sp->peer);
}

/* The mapping outlives the fd. */
static void
on_frame(void *arg, struct ipc_peer *peer, const struct ipc_header *header,
    struct der_bytes fields, int fd)
{
	struct served_peer *sp = served_peer_of(arg, peer);

	if (sp == NULL)
		ipc_peer_close(peer);
	else
		take_frame(sp, header, fields, fd);
	if (fd >= 0)
		close(fd);
}

static void
on_gone(void *arg, struct ipc_peer *peer)
{
	struct served_peer *sp = ipc_peer_data(peer);

	(void)arg;
	if (sp == NULL)
		return;
	while (sp->jobs != NULL)
		cancel_job(sp->jobs);
	free(sp);
}

enum oc_err
ipc_signer_server_new(struct event_base *base, int listener,
    enum ipc_signer_role role, ipc_signer_status_fn *status, void *arg,
    struct ipc_signer_server **server)
{
	struct ipc_signer_server *s = calloc(1, sizeof(*s));
	enum oc_err err;

	if (s == NULL)
		return OC_ERR_NOMEM;
	s->role = role;
	s->status = status;
	s->arg = arg;
	err = ipc_server_new(base, listener, "ocsign-signer", on_frame,
	    on_gone, s, &s->server);
	if (err != OC_OK) {
		free(s);
		return err;
	}
	*server = s;
	return OC_OK;
}

void
ipc_signer_server_let_drain(struct ipc_signer_server *server,
    ipc_signer_drain_fn *drain)
{
	server->drain = drain;
}

void
ipc_signer_server_allow(struct ipc_signer_server *server,
    const struct ipc_peers *peers)
{
	ipc_server_allow(server->server, peers);
}

void
ipc_signer_server_free(struct ipc_signer_server *server)
{
	if (server == NULL)
		return;
	ipc_server_free(server->server);
	free(server);
}

void
ipc_signer_server_set(struct ipc_signer_server *server, struct signer *signer)
{
	oc_assert(server->num_jobs == 0);
	server->signer = signer;
}

void
ipc_signer_server_drain(struct ipc_signer_server *server)
{
	if (server == NULL)
		return;
	server->is_draining = true;
	ipc_server_stop(server->server);
}

size_t
ipc_signer_server_num_jobs(const struct ipc_signer_server *server)
{
	return server != NULL ? server->num_jobs : 0;
}
