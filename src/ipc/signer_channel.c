/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct signer over a channel: one SIGN a job.  The signer on the other side
 * verifies every signature; this one only believes it what fits the job.
 */
#include "ipc/channel.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ipc/memfd.h"

struct channel_signer {
	struct signer signer;
	struct ipc_channel *channel;
	struct pending *pendings;
	char *path, *role;
	uint8_t frame[OC_FRAME_MAX];
};

/* What a job's signer_data points to, from submit to done or cancel. */
struct pending {
	struct channel_signer *signer;
	struct sign_job *job;
	uint64_t id;
	struct pending *prev, *next;
};

static struct channel_signer *
channel_signer_of(struct signer *s)
{
	return (struct channel_signer *)(void *)s;
}

static void
pending_free(struct pending *p)
{
	if (p->prev != NULL)
		p->prev->next = p->next;
	else
		p->signer->pendings = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
	p->job->signer_data = NULL;
	free(p);
}

static struct pending *
pending_new(struct channel_signer *cs, struct sign_job *job)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->signer = cs;
	p->job = job;
	p->id = ipc_channel_next_id(cs->channel);
	p->next = cs->pendings;
	if (p->next != NULL)
		p->next->prev = p;
	cs->pendings = p;
	job->signer_data = p;
	return p;
}

static void
job_fail(struct sign_job *job, enum oc_err err, const char *text)
{
	job->err = err;
	job->signature_len = 0;
	job->signed_alg = SIGN_ALG_NONE;
	snprintf(job->error_text, sizeof(job->error_text), "%s", text);
}

static void
job_take_signed(struct sign_job *job, const struct ipc_signed *m)
{
	if (m->err != OC_OK) {
		job_fail(job, (enum oc_err)m->err, m->text);
		return;
	}
	if (job->alg != SIGN_ALG_NONE && m->alg != job->alg) {
		job_fail(job, OC_ERR_MISMATCH,
		    "the signer used another algorithm than it was asked to");
		return;
	}
	job->err = OC_OK;
	job->signed_alg = (enum sign_alg)m->alg;
	memcpy(job->signature, m->signature.p, m->signature.len);
	job->signature_len = m->signature.len;
	job->error_text[0] = '\0';
}

static void
on_reply(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields)
{
	struct pending *p = arg;
	struct sign_job *job = p->job;
	struct ipc_signed m;

	pending_free(p);
	if (err == OC_ERR_DOWN)
		job_fail(job, err, "ocsign-signer does not answer its socket");
	else if (err != OC_OK)
		job_fail(job, err, "no signature before the deadline");
	else if (type != IPC_SIGNED || ipc_read_signed(fields, &m) != OC_OK)
		job_fail(job, OC_ERR_MALFORMED,
		    "ocsign-signer answered what is no answer");
	else
		job_take_signed(job, &m);
	job->done(job, job->arg);
}

/* The channel's own, of the same memory. */
static enum oc_err
get_memfd(const struct sign_job *job, int *fd)
{
	if (!job->has_memfd)
		return ipc_memfd_new(job->tbs, fd);
	*fd = fcntl(job->memfd, F_DUPFD_CLOEXEC, 0);
	return *fd < 0 ? OC_ERR_SYSTEM : OC_OK;
}

static enum oc_err
write_sign(struct channel_signer *cs, const struct pending *p, int *fd,
    size_t *len)
{
	const struct sign_job *job = p->job;
	struct ipc_sign m = {
		.kind = (uint8_t)job->kind,
		.lane = (uint8_t)job->lane,
		.alg = (uint8_t)job->alg,
		.tbs_len = job->tbs.len,
	};
	enum oc_err err;

	if (job->tbs.len == 0 || job->tbs.len > OC_TBS_MAX)
		return OC_ERR_LIMIT;
	if (strlen(job->key) >= sizeof(m.key))
		return OC_ERR_LIMIT;
	memcpy(m.key, job->key, strlen(job->key) + 1);
	if (job->tbs.len <= OC_TBS_INLINE_MAX)
		m.tbs = job->tbs;
	err = ipc_put_sign(cs->frame, sizeof(cs->frame), p->id, &m, len);
	if (err == OC_OK && job->tbs.len > OC_TBS_INLINE_MAX)
		err = get_memfd(job, fd);
	return err;
}

static enum oc_err
submit(struct signer *s, struct sign_job *job)
{
	struct channel_signer *cs = channel_signer_of(s);
	struct pending *p = pending_new(cs, job);
	size_t len;
	int fd = -1;
	enum oc_err err;

	if (p == NULL)
		return OC_ERR_NOMEM;
	err = write_sign(cs, p, &fd, &len);
	if (err == OC_OK)
		err = ipc_channel_ask(cs->channel, p->id, cs->frame, len, fd,
		    job->deadline_ns, on_reply, p);
	if (err != OC_OK)
		pending_free(p);
	return err;
}

static void
cancel(struct signer *s, struct sign_job *job)
{
	struct channel_signer *cs = channel_signer_of(s);
	struct pending *p = job->signer_data;

	if (p == NULL)
		return;		/* done() has run */
	ipc_channel_cancel(cs->channel, p->id);
	pending_free(p);
}

static int
signer_fd(const struct signer *s)
{
	const struct channel_signer *cs = (const void *)s;

	return ipc_channel_fd(cs->channel);
}

static void
dispatch(struct signer *s)
{
	ipc_channel_dispatch(channel_signer_of(s)->channel);
}

static void
hold(struct signer *s, bool is_held)
{
	ipc_channel_hold(channel_signer_of(s)->channel, is_held);
}

static enum oc_err
key_info_of(const struct ipc_key *m, struct sign_key_info *info,
    struct oc_error *error)
{
	if (m->err != OC_OK)
		return oc_error_set(error, (enum oc_err)m->err, "%s", m->text);
	info->type = (enum sign_key_type)m->type;
	info->bits = m->bits;
	info->alg = (enum sign_alg)m->alg;
	memcpy(info->spki, m->spki.p, m->spki.len);
	info->spki_len = m->spki.len;
	return OC_OK;
}

static enum oc_err
ask_key(struct ipc_channel *ch, const struct channel_signer *cs,
    const char *key, int64_t deadline_ns, struct sign_key_info *info,
    struct oc_error *error)
{
	uint8_t frame[IPC_HEADER_LEN + 4 + SIGN_KEY_NAME_MAX];
	struct ipc_find_key find = { "" };
	char words[SIGN_KEY_WORDS_MAX];
	struct ipc_key answer;
	struct der_bytes fields;
	enum ipc_type type;
	uint64_t id = ipc_channel_next_id(ch);
	size_t len;
	enum oc_err err;

	memcpy(find.key, key, strlen(key) + 1);
	err = ipc_put_find_key(frame, sizeof(frame), id, &find, &len);
	if (err == OC_OK)
		err = ipc_channel_ask_now(ch, id, frame, len, deadline_ns,
		    &type, &fields);
	if (err != OC_OK) {
		sign_key_words(key, words);
		return oc_error_set(error, err, "asking %s for %s: %s",
		    cs->path, words, oc_strerror(err));
	}
	if (type != IPC_KEY || ipc_read_key(fields, &answer) != OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "%s answered what is no answer", cs->path);
	return key_info_of(&answer, info, error);
}

/* On a channel of its own: on the other, the wait would run the done() of
 * other jobs, which only dispatch() may. */
static enum oc_err
find_key(struct signer *s, const char *key, int64_t deadline_ns,
    struct sign_key_info *info, struct oc_error *error)
{
	struct channel_signer *cs = channel_signer_of(s);
	struct ipc_channel *ch;
	enum oc_err err;

	if (strlen(key) >= SIGN_KEY_NAME_MAX)
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "no key has a name that long");
	err = ipc_channel_new(cs->path, cs->role, &ch);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s: %s", cs->path,
		    oc_strerror(err));
	err = ask_key(ch, cs, key, deadline_ns, info, error);
	ipc_channel_free(ch);
	return err;
}

static void
signer_free(struct signer *s)
{
	struct channel_signer *cs = channel_signer_of(s);

	while (cs->pendings != NULL)
		pending_free(cs->pendings);
	ipc_channel_free(cs->channel);
	free(cs->path);
	free(cs->role);
	free(cs);
}

enum oc_err
ipc_signer_new(const char *path, const char *role, struct signer **signer)
{
	static const struct signer_ops ops = {
		submit, cancel, signer_fd, dispatch, find_key, signer_free,
		hold
	};
	struct channel_signer *cs = calloc(1, sizeof(*cs));
	enum oc_err err = OC_ERR_NOMEM;

	if (cs == NULL)
		return OC_ERR_NOMEM;
	cs->signer.ops = &ops;
	cs->path = strdup(path);
	cs->role = strdup(role);
	if (cs->path != NULL && cs->role != NULL)
		err = ipc_channel_new(path, role, &cs->channel);
	if (err != OC_OK) {
		signer_free(&cs->signer);
		return err;
	}
	*signer = &cs->signer;
	return OC_OK;
}
