/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/journal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "pkcs11/journal_file.h"
#include "sign/digest.h"

/* Some seconds of responses on a disk that stands still.  The last of it is
 * for what waits for its record, and for what goes wrong. */
#define RING_MAX 32768
#define RING_FOR_OCSP (RING_MAX - 8192)
#define RING_FULL (RING_FOR_OCSP / 8 * 7)
#define BATCH_NS (500 * OC_NS_PER_MS)
#define RETRY_NS OC_NS_PER_S
/* Behind this long, the disk is not slow but away: answers go on. */
#define AWAY_NS (5 * OC_NS_PER_S)
/* Of what was not signed, in a second.  Who is refused may ask again for
 * ever, and must not fill the disk. */
#define UNSIGNED_EACH_S 100
/* What was not recorded though the disk was well is told so often. */
#define GAP_EACH_NS (60 * OC_NS_PER_S)
#define KEYS_MAX 512

struct entry {
	int64_t at_us;
	struct sign_desk *desk;
	struct sign_ticket *ticket;	/* owned; NULL: nobody waits for it */
	struct p11_journal_key key;
	char *detail;			/* owned, or NULL */
	uint8_t digest[P11_HASH_LEN];
	bool has_digest;
	enum sign_kind kind;
	enum sign_lane lane;
	enum sign_alg alg;
	enum p11_outcome outcome;
};

struct p11_journal {
	struct p11_journal_file file;	/* the thread's */
	uint32_t keys_file;		/* in which these have been told */
	const char *keys[KEYS_MAX];
	size_t num_keys;
	pthread_t thread;
	p11_journal_key_fn *key_of;

	pthread_mutex_t lock;
	pthread_cond_t changed;		/* for the thread */
	pthread_cond_t emptied;
	struct entry *ring;		/* RING_MAX; owned */
	size_t first, num;
	size_t num_held;		/* of these, with a ticket */
	int64_t oldest_ns;		/* since when the first waits */
	int64_t moved_ns;		/* when some were taken out */
	bool is_attached, is_stopping, is_draining;
	bool is_well;
	struct oc_error failure;
	uint64_t lost[P11_LOST_MAX];	/* since the last gap was told */
	uint64_t num_lost, num_records, num_syncs;
	int64_t unsigned_s;		/* the second of: */
	unsigned int num_unsigned;
	int64_t gap_ns;			/* when one was last told */
};

static int64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* --- the ring: whoever has something to say ------------------------------ */

static enum p11_lost
lost_as(enum sign_kind kind, enum p11_outcome outcome)
{
	if (outcome > P11_OUTCOME_BAD)
		return P11_LOST_UNSIGNED;
	switch (kind) {
	case SIGN_KIND_CERTIFICATE:
		return P11_LOST_CERTIFICATE;
	case SIGN_KIND_CRL:
		return P11_LOST_CRL;
	case SIGN_KIND_CSR:
		return P11_LOST_CSR;
	case SIGN_KIND_OCSP:
		return P11_LOST_OCSP;
	}
	return P11_LOST_UNSIGNED;
}

/* Under lock. */
static void
lose(struct p11_journal *j, const struct entry *e)
{
	j->lost[lost_as(e->kind, e->outcome)]++;
	j->num_lost++;
}

/* Under lock: whether one more of those that anybody can cause is recorded. */
static bool
spend(struct p11_journal *j, const struct entry *e)
{
	int64_t second = e->at_us / 1000000;

	if (e->outcome <= P11_OUTCOME_BAD)
		return true;
	if (second != j->unsigned_s) {
		j->unsigned_s = second;
		j->num_unsigned = 0;
	}
	return j->num_unsigned++ < UNSIGNED_EACH_S;
}

/* False: there is no room, or no use. */
static bool
put(struct p11_journal *j, const struct entry *e)
{
	bool is_held = e->ticket != NULL, is_put;

	(void)pthread_mutex_lock(&j->lock);
	is_put = j->num < (is_held ? RING_MAX : RING_FOR_OCSP) &&
	    (is_held || j->is_well) && spend(j, e);
	if (is_put) {
		j->ring[(j->first + j->num) % RING_MAX] = *e;
		if (j->num++ == 0)
			j->oldest_ns = j->moved_ns = oc_clock_mono_ns();
		j->num_held += is_held;
		/* The others wait until it is time, or the ring fills up. */
		if (is_held || j->num == 1 || j->num == RING_MAX / 4)
			(void)pthread_cond_signal(&j->changed);
	} else
		lose(j, e);
	(void)pthread_mutex_unlock(&j->lock);
	return is_put;
}

static enum p11_outcome
outcome_of(struct sign_desk *desk, const struct sign_ticket *t,
    enum oc_err err)
{
	if (err == OC_OK)
		return sign_desk_is_wanted(desk, t) ? P11_OUTCOME_SIGNED :
		    P11_OUTCOME_LATE;
	/* It may have come out of the token before anybody looked. */
	if (err == OC_ERR_CANCELLED)
		return t->signature_len > 0 ? P11_OUTCOME_LATE :
		    P11_OUTCOME_CANCELLED;
	return err == OC_ERR_SIGNATURE ? P11_OUTCOME_BAD :
	    P11_OUTCOME_FAILED;
}

/* The desk's recorder, on a session's thread or the one that verifies. */
static bool
record(void *arg, struct sign_desk *desk, struct sign_ticket *t,
    enum oc_err err, const char *text)
{
	struct p11_journal *j = arg;
	struct entry e = {
		.at_us = now_us(),
		.key = j->key_of(t->key),
		.has_digest = t->has_digest,
		.kind = t->kind,
		.lane = t->lane,
		.alg = t->alg,
		.outcome = outcome_of(desk, t, err),
	};
	bool is_held = e.outcome == P11_OUTCOME_SIGNED &&
	    t->kind != SIGN_KIND_OCSP;

	if (t->has_digest)
		memcpy(e.digest, t->digest, sizeof(e.digest));
	if (err != OC_OK && err != OC_ERR_CANCELLED)
		e.detail = strdup(text != NULL ? text : oc_strerror(err));
	if (is_held) {
		e.desk = desk;
		e.ticket = t;
	}
	if (put(j, &e))
		return is_held;
	free(e.detail);
	if (!is_held)
		return false;
	sign_desk_release(desk, t, OC_ERR_BUSY,
	    "the signing journal is behind: try again");
	return true;
}

void
p11_journal_attach(struct p11_journal *j, struct sign_desk *desk,
    p11_journal_key_fn *key_of)
{
	j->key_of = key_of;
	j->keys_file = 0;	/* none of this signer's is told yet */
	j->is_attached = true;
	desk->record = record;
	desk->record_arg = j;
}

void
p11_journal_refused(struct p11_journal *j, const struct p11_journal_key *key,
    const struct sign_job *job, const char *why)
{
	struct entry e = {
		.at_us = now_us(),
		.key = *key,
		.kind = job->kind,
		.lane = job->lane,
		.alg = job->alg,
		.outcome = P11_OUTCOME_REFUSED,
	};

	if (j == NULL)
		return;
	if (job->tbs.len <= OC_TBS_INLINE_MAX)
		e.has_digest = EVP_Digest(job->tbs.p, job->tbs.len, e.digest,
		    NULL, sign_digest(SIGN_SHA256), NULL) == 1;
	e.detail = strdup(why);
	if (!put(j, &e))
		free(e.detail);
}

enum oc_err
p11_journal_admit(struct p11_journal *j, enum sign_kind kind,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;

	if (j == NULL)
		return OC_OK;
	(void)pthread_mutex_lock(&j->lock);
	if (kind != SIGN_KIND_OCSP && !j->is_well)
		err = oc_error_set(error, OC_ERR_DOWN, "nothing is signed "
		    "that could not be recorded: %.400s", j->failure.text);
	else if (kind == SIGN_KIND_OCSP && j->is_well &&
	    j->num >= RING_FULL &&
	    oc_clock_mono_ns() - j->moved_ns < AWAY_NS)
		err = oc_error_set(error, OC_ERR_BUSY,
		    "the signing journal is behind");
	(void)pthread_mutex_unlock(&j->lock);
	return err;
}

/* --- the thread ---------------------------------------------------------- */

/* Cut to fit. */
static void
copy(char *to, size_t max, const char *from)
{
	size_t len = strnlen(from, max - 1);

	memcpy(to, from, len);
	to[len] = '\0';
}

/* Its name and key stand in each file before the first record with it. */
static void
tell_key(struct p11_journal *j, const struct p11_journal_key *key,
    int64_t at_us)
{
	struct p11_record r = { .type = P11_RECORD_KEY, .at_us = at_us,
	    .has_digest = true };

	if (j->keys_file != j->file.file)
		j->num_keys = 0;
	j->keys_file = j->file.file;
	for (size_t i = 0; i < j->num_keys; i++)
		if (j->keys[i] == key->name)
			return;
	copy(r.key, sizeof(r.key), key->name);
	if (EVP_Digest(key->spki.p, key->spki.len, r.digest, NULL,
	    sign_digest(SIGN_SHA256), NULL) != 1)
		return;
	p11_journal_file_put(&j->file, &r);
	if (j->num_keys < KEYS_MAX)
		j->keys[j->num_keys++] = key->name;
}

static void
put_entry(struct p11_journal *j, const struct entry *e)
{
	struct p11_record r;

	r.type = P11_RECORD_SIGN;
	r.at_us = e->at_us;
	r.kind = e->kind;
	r.lane = e->lane;
	r.alg = e->alg;
	r.outcome = e->outcome;
	r.has_digest = e->has_digest;
	memcpy(r.digest, e->digest, sizeof(r.digest));
	copy(r.key, sizeof(r.key), e->key.name);
	copy(r.detail, sizeof(r.detail), e->detail != NULL ? e->detail : "");
	tell_key(j, &e->key, e->at_us);
	p11_journal_file_put(&j->file, &r);
}

/* Not before there is something to say: who asks a token for nothing leaves
 * nothing. */
static enum oc_err
open_chain(struct p11_journal *j, struct oc_error *error)
{
	return p11_journal_file_is_open(&j->file) ? OC_OK :
	    p11_journal_file_open(&j->file, error);
}

/* Two records an entry at most. */
static enum oc_err
flush_if_full(struct p11_journal *j, struct oc_error *error)
{
	if (j->file.num_put + 2 <= P11_JOURNAL_PUT_MAX)
		return OC_OK;
	return p11_journal_file_flush(&j->file, error);
}

/* The first num of the ring, without the lock: they stay where they are. */
static enum oc_err
write_entries(struct p11_journal *j, size_t num, struct oc_error *error)
{
	enum oc_err err = open_chain(j, error);

	for (size_t i = 0; err == OC_OK && i < num; i++) {
		err = flush_if_full(j, error);
		if (err == OC_OK)
			put_entry(j, &j->ring[(j->first + i) % RING_MAX]);
	}
	if (err == OC_OK)
		err = p11_journal_file_flush(&j->file, error);
	if (err == OC_OK)
		err = p11_journal_file_sync(&j->file, error);
	return err;
}

/* They leave the ring, and who waits is told. */
static void
release_entries(struct p11_journal *j, size_t num, enum oc_err err,
    const struct oc_error *error)
{
	char text[OC_ERROR_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "what was signed is held back, "
	    "for it could not be recorded: %.400s", error->text);
	for (size_t i = 0; i < num; i++) {
		struct entry *e = &j->ring[(j->first + i) % RING_MAX];

		if (e->ticket != NULL)
			sign_desk_release(e->desk, e->ticket, err == OC_OK ?
			    OC_OK : OC_ERR_DOWN, err == OC_OK ? NULL : text);
		free(e->detail);
	}
	(void)pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < num; i++) {
		const struct entry *e = &j->ring[(j->first + i) % RING_MAX];

		j->num_held -= e->desk != NULL;
		if (err != OC_OK)
			lose(j, e);
	}
	j->first = (j->first + num) % RING_MAX;
	j->num -= num;
	j->moved_ns = j->oldest_ns = oc_clock_mono_ns();
	if (err == OC_OK) {
		j->num_records += num;
		j->num_syncs++;
	}
	if (j->num == 0)
		(void)pthread_cond_broadcast(&j->emptied);
	(void)pthread_mutex_unlock(&j->lock);
}

static void
break_down(struct p11_journal *j, const struct oc_error *error)
{
	bool is_news;

	(void)pthread_mutex_lock(&j->lock);
	is_news = j->is_well || strcmp(j->failure.text, error->text) != 0;
	j->is_well = false;
	j->failure = *error;
	(void)pthread_mutex_unlock(&j->lock);
	if (is_news)
		oc_log(OC_LOG_ERROR, "the signing journal: %s; no certificate "
		    "or CRL is signed until it can be written, OCSP "
		    "responses are", error->text);
}

/* What is missing, if anything is; and with it, whether it can be written. */
static enum oc_err
tell_gap(struct p11_journal *j, struct oc_error *error)
{
	struct p11_record r = { .type = P11_RECORD_GAP, .at_us = now_us() };
	bool has_gap = false;
	enum oc_err err;

	(void)pthread_mutex_lock(&j->lock);
	for (int i = 0; i < P11_LOST_MAX; i++) {
		r.lost[i] = j->lost[i];
		has_gap = has_gap || r.lost[i] != 0;
	}
	(void)snprintf(r.detail, sizeof(r.detail), "%.*s", P11_DETAIL_MAX - 1,
	    j->is_well ? "more than are recorded" : j->failure.text);
	(void)pthread_mutex_unlock(&j->lock);
	if (!has_gap)
		return OC_OK;
	err = open_chain(j, error);
	if (err != OC_OK)
		return err;
	p11_journal_file_put(&j->file, &r);
	err = p11_journal_file_flush(&j->file, error);
	if (err == OC_OK)
		err = p11_journal_file_sync(&j->file, error);
	if (err != OC_OK)
		return err;
	(void)pthread_mutex_lock(&j->lock);
	for (int i = 0; i < P11_LOST_MAX; i++)
		j->lost[i] -= r.lost[i];
	j->gap_ns = oc_clock_mono_ns();
	(void)pthread_mutex_unlock(&j->lock);
	return OC_OK;
}

static void
serve_entries(struct p11_journal *j, size_t num)
{
	struct oc_error error = { 0 };
	enum oc_err err;

	err = write_entries(j, num, &error);
	if (err != OC_OK)
		break_down(j, &error);
	release_entries(j, num, err, &error);
	if (err != OC_OK)
		return;
	if (err == OC_OK && oc_clock_mono_ns() - j->gap_ns > GAP_EACH_NS)
		err = tell_gap(j, &error);
	if (err == OC_OK)
		err = p11_journal_file_rotate(&j->file, &error);
	if (err != OC_OK)
		break_down(j, &error);
}

static enum oc_err
try_again(struct p11_journal *j, struct oc_error *error)
{
	enum oc_err err = open_chain(j, error);

	if (err == OC_OK)
		err = p11_journal_file_probe(&j->file, error);
	if (err == OC_OK)
		err = tell_gap(j, error);
	if (err == OC_OK)
		err = p11_journal_file_rotate(&j->file, error);
	return err;
}

static void
recover(struct p11_journal *j)
{
	bool is_first = j->failure.code == OC_OK;
	struct oc_error error = { 0 };
	enum oc_err err;

	err = is_first ? p11_journal_file_lock(&j->file, &error) :
	    try_again(j, &error);
	if (err != OC_OK) {
		break_down(j, &error);
		return;
	}
	(void)pthread_mutex_lock(&j->lock);
	j->is_well = true;
	j->moved_ns = oc_clock_mono_ns();
	(void)pthread_mutex_unlock(&j->lock);
	if (!is_first)
		oc_log(OC_LOG_NOTICE, "the signing journal is written again");
}

static void
wait_until(struct p11_journal *j, int64_t at_ns)
{
	struct timespec at = { at_ns / OC_NS_PER_S, at_ns % OC_NS_PER_S };

	(void)pthread_cond_timedwait(&j->changed, &j->lock, &at);
}

/* Under lock: how many are to be written now; 0: none, for it ends, or is
 * broken, or a gap is to be told. */
static size_t
wait_for_entries(struct p11_journal *j)
{
	while (!j->is_stopping && !j->is_draining && j->is_well) {
		int64_t due_ns = j->oldest_ns + BATCH_NS;

		if (j->num_held > 0 || j->num >= RING_MAX / 4)
			return j->num;
		if (j->num == 0)
			(void)pthread_cond_wait(&j->changed, &j->lock);
		else if (oc_clock_mono_ns() >= due_ns)
			return j->num;
		else
			wait_until(j, due_ns);
	}
	return j->num;
}

static void
close_chain(struct p11_journal *j)
{
	struct p11_record r = { .type = P11_RECORD_CLOSE, .at_us = now_us() };
	struct oc_error error = { 0 };
	enum oc_err err;

	err = tell_gap(j, &error);
	if (err == OC_OK && p11_journal_file_is_open(&j->file)) {
		p11_journal_file_put(&j->file, &r);
		err = p11_journal_file_flush(&j->file, &error);
	}
	if (err == OC_OK && p11_journal_file_is_open(&j->file))
		err = p11_journal_file_sync(&j->file, &error);
	if (err != OC_OK)
		oc_log(OC_LOG_ERROR, "the signing journal: %s", error.text);
}

/* One round.  False: it is over. */
static bool
turn(struct p11_journal *j)
{
	bool is_well, is_stopping;
	size_t num;

	(void)pthread_mutex_lock(&j->lock);
	num = wait_for_entries(j);
	is_well = j->is_well;
	is_stopping = j->is_stopping;
	if (num == 0 && j->is_draining) {
		j->is_draining = false;
		(void)pthread_cond_broadcast(&j->emptied);
	}
	(void)pthread_mutex_unlock(&j->lock);
	if (num > 0 && is_well)
		serve_entries(j, num);
	else if (num > 0)
		release_entries(j, num, OC_ERR_DOWN, &j->failure);
	if (is_stopping)
		return num > 0;
	if (is_well)
		return true;
	(void)pthread_mutex_lock(&j->lock);
	if (j->num == 0 && !j->is_stopping && !j->is_draining)
		wait_until(j, oc_clock_mono_ns() + RETRY_NS);
	(void)pthread_mutex_unlock(&j->lock);
	recover(j);
	return true;
}

static void *
journal_main(void *arg)
{
	struct p11_journal *j = arg;

	while (turn(j))
		;
	close_chain(j);
	return NULL;
}

/* --- outside ------------------------------------------------------------- */

static enum oc_err
init_locks(struct p11_journal *j)
{
	pthread_condattr_t attr;

	if (pthread_condattr_init(&attr) != 0)
		return OC_ERR_SYSTEM;
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&j->lock, NULL);
	(void)pthread_cond_init(&j->changed, &attr);
	(void)pthread_cond_init(&j->emptied, NULL);
	(void)pthread_condattr_destroy(&attr);
	return OC_OK;
}

static void
fini(struct p11_journal *j)
{
	p11_journal_file_fini(&j->file);
	(void)pthread_cond_destroy(&j->emptied);
	(void)pthread_cond_destroy(&j->changed);
	(void)pthread_mutex_destroy(&j->lock);
	free(j->ring);
	free(j);
}

enum oc_err
p11_journal_new(const struct p11_journal_config *config,
    struct p11_journal **journal, struct oc_error *error)
{
	struct p11_journal *j = calloc(1, sizeof(*j));

	if (j == NULL || init_locks(j) != OC_OK) {
		free(j);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	j->ring = calloc(RING_MAX, sizeof(*j->ring));
	if (p11_journal_file_init(&j->file, config->directory, config->chain,
	    config->size_max) != OC_OK || j->ring == NULL) {
		fini(j);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	recover(j);
	if (oc_thread_start(&j->thread, journal_main, j) != 0) {
		fini(j);
		return oc_error_set(error, OC_ERR_SYSTEM,
		    "cannot start a thread");
	}
	*journal = j;
	return OC_OK;
}

static void
drain(struct p11_journal *j)
{
	(void)pthread_mutex_lock(&j->lock);
	j->is_draining = true;
	(void)pthread_cond_signal(&j->changed);
	while (j->is_draining)
		(void)pthread_cond_wait(&j->emptied, &j->lock);
	(void)pthread_mutex_unlock(&j->lock);
}

void
p11_journal_drain(struct p11_journal *j)
{
	if (j == NULL)
		return;
	drain(j);
	j->is_attached = false;
}

void
p11_journal_free(struct p11_journal *j)
{
	if (j == NULL)
		return;
	/* A thread that is stuck in a token may come back and use it. */
	if (j->is_attached) {
		drain(j);
		return;
	}
	(void)pthread_mutex_lock(&j->lock);
	j->is_stopping = true;
	(void)pthread_cond_signal(&j->changed);
	(void)pthread_mutex_unlock(&j->lock);
	(void)pthread_join(j->thread, NULL);
	fini(j);
}

void
p11_journal_look(struct p11_journal *j, struct p11_journal_status *status)
{
	(void)pthread_mutex_lock(&j->lock);
	*status = (struct p11_journal_status){
		.is_well = j->is_well,
		.num_records = j->num_records,
		.num_syncs = j->num_syncs,
		.num_lost = j->num_lost,
		.num_waiting = j->num,
	};
	if (!j->is_well)
		(void)snprintf(status->failure, sizeof(status->failure),
		    "%.*s", (int)sizeof(status->failure) - 1,
		    j->failure.text);
	(void)pthread_mutex_unlock(&j->lock);
}
