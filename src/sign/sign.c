/* SPDX-License-Identifier: Apache-2.0 */
/* The door itself: forwards to whoever stands behind it, and waits. */
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "sign/sign.h"

enum oc_err
sign_submit(struct signer *s, struct sign_job *job)
{
	job->err = OC_OK;
	job->signed_alg = SIGN_ALG_NONE;
	job->signature_len = 0;
	job->error_text[0] = '\0';
	job->signer_data = NULL;
	job->next = NULL;
	return s->ops->submit(s, job);
}

void
sign_hold(struct signer *s, bool is_held)
{
	if (s->ops->hold != NULL)
		s->ops->hold(s, is_held);
}

void
sign_cancel(struct signer *s, struct sign_job *job)
{
	s->ops->cancel(s, job);
}

int
sign_fd(const struct signer *s)
{
	return s->ops->fd(s);
}

void
sign_dispatch(struct signer *s)
{
	s->ops->dispatch(s);
}

enum oc_err
sign_find_key(struct signer *s, const char *key, int64_t deadline_ns,
    struct sign_key_info *info, struct oc_error *error)
{
	return s->ops->find_key(s, key, deadline_ns, info, error);
}

void
sign_free(struct signer *s)
{
	if (s != NULL)
		s->ops->free(s);
}

static void
note_done(struct sign_job *job, void *arg)
{
	(void)job;
	*(bool *)arg = true;
}

/* A signer that misses its own deadline by this much is not waited for. */
#define GRACE_NS (2 * OC_NS_PER_S)

void
sign_key_words(const char *name, char words[SIGN_KEY_WORDS_MAX])
{
	if (strncmp(name, "issuer/", 7) == 0)
		(void)snprintf(words, SIGN_KEY_WORDS_MAX, "issuer %s",
		    name + 7);
	else if (strncmp(name, "ocsp/", 5) == 0)
		(void)snprintf(words, SIGN_KEY_WORDS_MAX,
		    "the OCSP key of issuer %s", name + 5);
	else
		(void)snprintf(words, SIGN_KEY_WORDS_MAX, "the key");
}

enum oc_err
sign_now(struct signer *s, struct sign_job *job, struct oc_error *error)
{
	struct pollfd pfd = { .fd = sign_fd(s), .events = POLLIN };
	char words[SIGN_KEY_WORDS_MAX];
	bool is_done = false;
	enum oc_err err;

	sign_key_words(job->key, words);
	job->done = note_done;
	job->arg = &is_done;
	err = sign_submit(s, job);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s: %s", words,
		    job->error_text[0] != '\0' ? job->error_text :
		    oc_strerror(err));
	for (;;) {
		sign_dispatch(s);
		if (is_done)
			break;
		if (oc_clock_mono_ns() > job->deadline_ns + GRACE_NS) {
			sign_cancel(s, job);
			if (!is_done)
				return oc_error_set(error, OC_ERR_TIMEOUT,
				    "%s: no answer from the signer", words);
			break;
		}
		(void)poll(&pfd, 1,
		    oc_clock_poll_ms(job->deadline_ns + GRACE_NS + 1));
	}
	if (job->err == OC_OK)
		return OC_OK;
	return oc_error_set(error, job->err, "%s: %s", words,
	    job->error_text[0] != '\0' ? job->error_text :
	    oc_strerror(job->err));
}

void
sign_key_name(enum sign_key_role role, const char *whose,
    char name[SIGN_KEY_NAME_MAX])
{
	const char *prefix = "";
	int len;

	switch (role) {
	case SIGN_KEY_ISSUER:
		prefix = "issuer";
		break;
	case SIGN_KEY_OCSP:
		prefix = "ocsp";
		break;
	}
	len = snprintf(name, SIGN_KEY_NAME_MAX, "%s/%s", prefix, whose);
	oc_assert(len > 0 && len < SIGN_KEY_NAME_MAX);
}

const char *
sign_lane_name(enum sign_lane lane)
{
	static const char *const names[SIGN_LANE_MAX] = {
		[SIGN_LANE_REVOCATION] = "revocation",
		[SIGN_LANE_CERTIFICATE] = "certificate",
		[SIGN_LANE_LIVE] = "live",
		[SIGN_LANE_REFRESH] = "refresh",
		[SIGN_LANE_CRL] = "crl"
	};

	return (unsigned int)lane < SIGN_LANE_MAX ? names[lane] : NULL;
}
