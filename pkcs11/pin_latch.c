/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PIN latch and the mark of the PIN that was accepted.  All of it under
 * the lock; no PIN is kept, nor printed.
 *
 * What a try writes, each step on disk before the next one:
 *
 *   a PIN that nobody knows   latch "undecided", C_Login, then
 *     accepted                mark; no latch
 *     refused                 latch
 *   the mark's PIN            its count + 1, C_Login, then
 *     accepted                its count 0; no latch
 *     refused                 its count as high as it goes; latch; no mark
 *
 * A quick try is one of the mark's PIN with the count at 0 that waits for no
 * disk: the count outlives the process, not the machine.  So after a start of
 * the machine it is one at least.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "pkcs11/pin_impl.h"

static enum oc_err
make_path(const char *state_dir, const char *what, const char *token,
    char path[P11_PIN_PATH_MAX], struct oc_error *error)
{
	int len;

	if (token[0] == '\0' || strchr(token, '/') != NULL)
		return oc_error_set(error, OC_ERR_CONFIG,
		    "\"%s\" is no name for a token", token);
	len = snprintf(path, P11_PIN_PATH_MAX, "%s/pin-%s-%s", state_dir, what,
	    token);
	if (len < 0 || len >= P11_PIN_PATH_MAX - (int)sizeof(".lock"))
		return oc_error_set(error, OC_ERR_CONFIG,
		    "the state directory's path is too long");
	return OC_OK;
}

static enum oc_err
put_lost(const struct p11_pin_try *attempt, unsigned int num_lost,
    struct oc_error *error)
{
	const char digit = (char)('0' + num_lost);

	if (pwrite(attempt->mark, &digit, 1, P11_MARK_LOST_AT) != 1 ||
	    (!attempt->is_quick && fdatasync(attempt->mark) != 0))
		return oc_error_set_errno(error, OC_ERR_SYSTEM,
		    "cannot write %s", attempt->accepted);
	return OC_OK;
}

/* The line, and a second one until the token has said what it thinks. */
#define UNDECIDED "undecided\n"

static enum oc_err
write_latch(const char *path, const char *line, const char *second,
    struct oc_error *error)
{
	char text[P11_PIN_LINE_MAX + sizeof(UNDECIDED)];
	int len = snprintf(text, sizeof(text), "%s\n%s", line, second);

	return oc_file_write_own(path, 0600, text, (size_t)len, error);
}

static void
remove_file(const char *path)
{
	if (unlink(path) != 0 && errno != ENOENT)
		oc_log(OC_LOG_ERROR, "cannot remove %s: %s", path,
		    strerror(errno));
}

static enum oc_err
refuse_undecided(const char *token, struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_PIN, "a process ended while it "
	    "looked at this PIN, which may be wrong; it is not tried again: "
	    "put the right PIN into its pin-source, or, if it is right, run "
	    "\"ocsign token unlatch %s\"", token);
}

static enum oc_err
check_latch(const char *path, const struct p11_mark *mark, const char *token,
    const struct oc_secret *pin, struct oc_error *error)
{
	struct oc_error ignored = { 0 };
	bool is_undecided = false, is_same = true;
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum oc_err err;

	err = oc_file_read(path, 4096, &bytes, &len, &ignored);
	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	/* One that cannot be read holds, whatever it is. */
	if (err == OC_OK) {
		is_undecided = len > P11_PIN_LINE_LEN && strcmp((char *)bytes +
		    P11_PIN_LINE_LEN + 1, UNDECIDED) == 0;
		/* Who had it accepted ended before this was removed. */
		is_same = !(is_undecided && mark->fd >= 0 &&
		    memcmp(bytes, mark->line, P11_MARK_LINE_LEN) == 0) &&
		    p11_pin_whose((char *)bytes, len, pin) != P11_PIN_OTHER;
	}
	free(bytes);
	if (!is_same)
		return OC_OK;
	if (is_undecided)
		return refuse_undecided(token, error);
	return oc_error_set(error, OC_ERR_PIN, "it refused this PIN before; "
	    "it is not tried again: put the right PIN into its pin-source, "
	    "or, if it is right now, run \"ocsign token unlatch %s\"",
	    token);
}

/* Somebody who hangs in C_Login is not waited for: less than the time a
 * module has for a call. */
#define LOCK_WAIT_NS (5 * OC_NS_PER_S)
#define LOCK_LOOK_NS (20 * OC_NS_PER_MS)

static enum oc_err
lock_latch(const char *latch, int *fd, struct oc_error *error)
{
	const struct timespec pause = { 0, LOCK_LOOK_NS };
	int64_t deadline_ns = oc_clock_mono_ns() + LOCK_WAIT_NS;
	char path[P11_PIN_PATH_MAX];
	enum oc_err err;

	(void)snprintf(path, sizeof(path), "%.*s.lock",
	    P11_PIN_PATH_MAX - (int)sizeof(".lock"), latch);
	while ((err = oc_file_lock(path, fd, error)) == OC_ERR_BUSY &&
	    oc_clock_mono_ns() < deadline_ns)
		(void)nanosleep(&pause, NULL);
	if (err != OC_OK)
		return oc_error_prefix(error, "logging in");
	return OC_OK;
}

/* --- a PIN that this process knows ------------------------------------ */

void
p11_pin_forget(struct p11_pin_known *known)
{
	OPENSSL_cleanse(known, sizeof(*known));
}

static bool
digest_pin(const struct oc_secret *pin, const uint8_t key[32],
    uint8_t digest[32])
{
	return HMAC(EVP_sha256(), key, 32, pin->bytes, pin->len, digest,
	    NULL) != NULL;
}

/* What known will be if the PIN is accepted. */
static void
prepare_known(struct p11_pin_known *next, const struct oc_secret *pin)
{
	next->is_known = RAND_bytes(next->key, sizeof(next->key)) == 1 &&
	    digest_pin(pin, next->key, next->digest);
}

static bool
is_known(const struct p11_pin_known *known, const struct oc_secret *pin)
{
	uint8_t digest[32];

	return known != NULL && known->is_known &&
	    digest_pin(pin, known->key, digest) &&
	    CRYPTO_memcmp(digest, known->digest, sizeof(digest)) == 0;
}

/* --- a try ------------------------------------------------------------ */

/* Only where nothing has happened since it was accepted. */
static bool
begin_known(struct p11_pin_try *new, const struct p11_mark *mark,
    const struct oc_secret *pin)
{
	if (mark->fd < 0 || mark->num_lost != 0 ||
	    !p11_mark_is_of_this_boot(mark) || !is_known(new->known, pin) ||
	    memcmp(mark->line, new->known->line, P11_MARK_LINE_LEN) != 0 ||
	    access(new->latch, F_OK) == 0 || errno != ENOENT)
		return false;
	new->is_quick = true;
	memcpy(new->line, new->known->line, sizeof(new->line));
	return put_lost(new, 1, NULL) == OC_OK;
}

static enum oc_err
begin_accepted(struct p11_pin_try *new, struct p11_mark *mark,
    const char *token, struct oc_error *error)
{
	enum oc_err err;

	new->num_lost = mark->num_lost;
	if (p11_mark_is_of_this_boot(mark)) {
		if (new->num_lost >= P11_PIN_LOST_MAX)
			return refuse_undecided(token, error);
		return put_lost(new, new->num_lost + 1, error);
	}
	/* A quick try may have been on nobody's disk. */
	if (new->num_lost == 0)
		new->num_lost = 1;
	if (new->num_lost >= P11_PIN_LOST_MAX)
		return refuse_undecided(token, error);
	err = p11_mark_write(new->accepted, new->line, new->num_lost + 1,
	    error);
	if (err != OC_OK)
		return err;
	(void)close(mark->fd);
	p11_mark_open(new->accepted, mark);
	new->mark = mark->fd;
	return mark->fd >= 0 ? OC_OK : oc_error_set(error, OC_ERR_SYSTEM,
	    "%s is not what was written there", new->accepted);
}

static enum oc_err
begin_anew(struct p11_pin_try *new, struct p11_mark *mark, const char *token,
    const struct oc_secret *pin, struct oc_error *error)
{
	enum oc_err err = check_latch(new->latch, mark, token, pin, error);

	if (err != OC_OK)
		return err;
	if (new->known != NULL)
		prepare_known(&new->next, pin);
	if (mark->fd >= 0 && p11_mark_is_of_pin(mark, pin, new->line))
		return begin_accepted(new, mark, token, error);
	if (mark->fd >= 0)
		(void)close(mark->fd);
	new->mark = mark->fd = -1;
	err = p11_pin_line(pin, new->line, error);
	if (err == OC_OK)
		err = write_latch(new->latch, new->line, UNDECIDED, error);
	return err;
}

enum oc_err
p11_pin_begin(const char *state_dir, const char *token,
    const struct oc_secret *pin, struct p11_pin_known *known,
    struct p11_pin_try *attempt, struct oc_error *error)
{
	struct p11_pin_try new = { .known = known };
	struct p11_mark mark;
	enum oc_err err;

	err = make_path(state_dir, "latch", token, new.latch, error);
	if (err == OC_OK)
		err = make_path(state_dir, "accepted", token, new.accepted,
		    error);
	if (err == OC_OK)
		err = oc_file_mkdir_p(state_dir, 0750, error);
	if (err == OC_OK)
		err = lock_latch(new.latch, &new.lock, error);
	if (err != OC_OK)
		return err;
	p11_mark_open(new.accepted, &mark);
	new.mark = mark.fd;
	if (!begin_known(&new, &mark, pin)) {
		new.is_quick = false;
		err = begin_anew(&new, &mark, token, pin, error);
	}
	if (err != OC_OK) {
		if (mark.fd >= 0)
			(void)close(mark.fd);
		(void)close(new.lock);
	} else
		*attempt = new;
	OPENSSL_cleanse(&new.next, sizeof(new.next));
	return err;
}

static void
accept_pin(struct p11_pin_try *attempt)
{
	struct oc_error error = { 0 };
	enum oc_err err;

	if (attempt->mark >= 0)
		err = put_lost(attempt, 0, &error);
	else
		err = p11_mark_write(attempt->accepted, attempt->line, 0,
		    &error);
	if (err != OC_OK)
		oc_log(OC_LOG_ERROR, "%s", error.text);
	if (attempt->is_quick)
		return;
	remove_file(attempt->latch);
	if (attempt->known != NULL && err == OC_OK) {
		memcpy(attempt->next.line, attempt->line,
		    sizeof(attempt->line));
		*attempt->known = attempt->next;
	}
}

/* The mark first: it must not outlive what is known now.  What cannot be
 * written holds without its reason, as "undecided" or by its count. */
static void
refuse_pin(struct p11_pin_try *attempt)
{
	struct oc_error error = { 0 };
	enum oc_err err;

	attempt->is_quick = false;
	if (attempt->mark >= 0 && put_lost(attempt, P11_PIN_LOST_MAX,
	    &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "%s", error.text);
		remove_file(attempt->accepted);
	}
	err = write_latch(attempt->latch, attempt->line, "", &error);
	if (err != OC_OK)
		oc_log(OC_LOG_WARNING, "that the PIN was refused is not on "
		    "record: %s", error.text);
	else if (attempt->mark >= 0)
		remove_file(attempt->accepted);
	if (attempt->known != NULL)
		p11_pin_forget(attempt->known);
}

static void
undo(struct p11_pin_try *attempt)
{
	struct oc_error error = { 0 };

	if (attempt->mark < 0)
		remove_file(attempt->latch);
	else if (put_lost(attempt, attempt->num_lost, &error) != OC_OK)
		oc_log(OC_LOG_ERROR, "%s", error.text);
}

void
p11_pin_end(struct p11_pin_try *attempt, enum p11_pin_outcome outcome)
{
	switch (outcome) {
	case P11_PIN_ACCEPTED:
		accept_pin(attempt);
		break;
	case P11_PIN_REFUSED:
		refuse_pin(attempt);
		break;
	case P11_PIN_NOT_LOOKED_AT:
		undo(attempt);
		break;
	}
	if (attempt->mark >= 0)
		(void)close(attempt->mark);
	(void)close(attempt->lock);
	OPENSSL_cleanse(&attempt->next, sizeof(attempt->next));
}

enum oc_err
p11_pin_unlatch(const char *state_dir, const char *token,
    struct oc_error *error)
{
	char latch[P11_PIN_PATH_MAX], accepted[P11_PIN_PATH_MAX];
	struct p11_mark mark;
	enum oc_err err = make_path(state_dir, "latch", token, latch, error);
	bool was_latched;

	if (err == OC_OK)
		err = make_path(state_dir, "accepted", token, accepted,
		    error);
	if (err != OC_OK)
		return err;
	p11_mark_open(accepted, &mark);
	was_latched = mark.fd >= 0 && mark.num_lost >= P11_PIN_LOST_MAX;
	if (mark.fd >= 0)
		(void)close(mark.fd);
	if (was_latched && unlink(accepted) != 0 && errno != ENOENT)
		return oc_error_set_errno(error, OC_ERR_SYSTEM,
		    "cannot remove %s", accepted);
	if (unlink(latch) == 0 || (errno == ENOENT && was_latched))
		return OC_OK;
	if (errno == ENOENT)
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "token %s is not latched", token);
	return oc_error_set_errno(error, OC_ERR_SYSTEM, "cannot remove %s",
	    latch);
}
