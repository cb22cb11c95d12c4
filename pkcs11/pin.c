/* SPDX-License-Identifier: Apache-2.0 */
/* PIN sources and the PIN latch.  Nothing here prints or keeps a PIN. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "pkcs11/pin.h"

/* A wrong type or mode of what holds the PIN is a PIN error: it must not be
 * retried by a supervisor either. */
static enum oc_err
read_fd(int fd, const char *what, struct oc_secret *pin,
    struct oc_error *error)
{
	struct stat st;
	enum oc_err err;

	if (fstat(fd, &st) != 0)
		return oc_error_set_errno(error, OC_ERR_PIN, "%s", what);
	if (!S_ISREG(st.st_mode))
		return oc_error_set(error, OC_ERR_PIN,
		    "%s is not a regular file", what);
	err = oc_secret_read(pin, fd, error);
	if (err != OC_OK) {
		oc_secret_fini(pin);
		(void)oc_error_prefix(error, "%s", what);
		if (err != OC_ERR_SYSTEM)
			err = OC_ERR_PIN;
		if (error != NULL)
			error->code = err;
		return err;
	}
	return OC_OK;
}

static enum oc_err
check_owner(int fd, const char *path, struct oc_error *error)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return oc_error_set_errno(error, OC_ERR_PIN, "%s", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return oc_error_set(error, OC_ERR_PIN,
		    "%s belongs to another user: chown it", path);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return oc_error_set(error, OC_ERR_PIN,
		    "%s can be read by others: chmod 0600 it", path);
	return OC_OK;
}

static enum oc_err
read_file(const char *path, struct oc_secret *pin, struct oc_error *error)
{
	enum oc_err err;
	int fd;

	if (path[0] != '/')
		return oc_error_set(error, OC_ERR_PIN,
		    "pin-source: the path must be absolute");
	/* A FIFO must not hang us before read_fd() refuses it. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return oc_error_set_errno(error, OC_ERR_PIN,
		    "cannot open the PIN file %s", path);
	err = check_owner(fd, path, error);
	if (err == OC_OK)
		err = read_fd(fd, path, pin, error);
	(void)close(fd);
	return err;
}

static enum oc_err
read_inherited(const char *number, struct oc_secret *pin,
    struct oc_error *error)
{
	char *end, what[48];
	int flags;
	long fd;

	errno = 0;
	fd = strtol(number, &end, 10);
	if (number[0] < '0' || number[0] > '9' || *end != '\0' ||
	    errno != 0 || fd > INT_MAX)
		return oc_error_set(error, OC_ERR_PIN,
		    "pin-source: \"fd:\" wants a number");
	(void)snprintf(what, sizeof(what), "pin-source fd %ld", fd);
	/* What was handed to us has been inherited, and so is not
	 * close-on-exec; our own files are, and none of them is a PIN. */
	flags = fcntl((int)fd, F_GETFD);
	if (flags < 0 || (flags & FD_CLOEXEC) != 0)
		return oc_error_set(error, OC_ERR_PIN, "%s was not handed to "
		    "this process: start it with %ld<FILE", what, fd);
	/* Read again at each login, so from the start each time. */
	if (lseek((int)fd, 0, SEEK_SET) != 0)
		return oc_error_set_errno(error, OC_ERR_PIN,
		    "%s must be open and seekable", what);
	return read_fd((int)fd, what, pin, error);
}

static enum oc_err
read_credential(const char *name, struct oc_secret *pin,
    struct oc_error *error)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	enum oc_err err;
	int len, fd;

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return oc_error_set(error, OC_ERR_PIN,
		    "pin-source: \"credential:\" wants a plain name");
	if (directory == NULL)
		return oc_error_set(error, OC_ERR_PIN,
		    "pin-source: CREDENTIALS_DIRECTORY is not set: give the "
		    "unit LoadCredential=%s:...", name);
	len = snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return oc_error_set(error, OC_ERR_PIN,
		    "pin-source: the credential's path is too long");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return oc_error_set_errno(error, OC_ERR_PIN,
		    "cannot open the credential %s", path);
	/* Its mode is systemd's business (it grants by ACL). */
	err = read_fd(fd, path, pin, error);
	(void)close(fd);
	return err;
}

enum oc_err
p11_pin_read(const char *source, struct oc_secret *pin,
    struct oc_error *error)
{
	if (strncmp(source, "file:", 5) == 0)
		return read_file(source + 5, pin, error);
	if (strncmp(source, "fd:", 3) == 0)
		return read_inherited(source + 3, pin, error);
	if (strncmp(source, "credential:", 11) == 0)
		return read_credential(source + 11, pin, error);
	if (source[0] == '/')
		return read_file(source, pin, error);
	return oc_error_set(error, OC_ERR_PIN, "pin-source must be a file's "
	    "absolute path, fd:N or credential:NAME");
}

static enum oc_err
latch_path(const char *state_dir, const char *token,
    char path[P11_PIN_PATH_MAX], struct oc_error *error)
{
	int len;

	if (token[0] == '\0' || strchr(token, '/') != NULL)
		return oc_error_set(error, OC_ERR_CONFIG,
		    "\"%s\" is no name for a token", token);
	len = snprintf(path, P11_PIN_PATH_MAX, "%s/pin-latch-%s", state_dir,
	    token);
	if (len < 0 || len >= P11_PIN_PATH_MAX - (int)sizeof(".lock"))
		return oc_error_set(error, OC_ERR_CONFIG,
		    "the state directory's path is too long");
	return OC_OK;
}

/*
 * pbkdf2-sha256 SALT HASH, in hex, and a second line until the token has said
 * what it thinks of the PIN.  Slow enough that who has the latch does not
 * have a short PIN at once, quick enough for every login.
 */
#define LATCH_METHOD "pbkdf2-sha256 "
#define LATCH_ROUNDS 20000
#define LATCH_SALT_LEN 16
#define LATCH_HASH_LEN 32
#define LATCH_LINE_LEN (sizeof(LATCH_METHOD) - 1 + 2 * LATCH_SALT_LEN + 1 + \
	2 * LATCH_HASH_LEN)
#define UNDECIDED "undecided\n"
#define LATCH_TEXT_MAX (LATCH_LINE_LEN + 1 + sizeof(UNDECIDED))

static enum oc_err
hash_pin(const struct oc_secret *pin, const uint8_t salt[LATCH_SALT_LEN],
    uint8_t hash[LATCH_HASH_LEN])
{
	return PKCS5_PBKDF2_HMAC((const char *)pin->bytes, (int)pin->len,
	    salt, LATCH_SALT_LEN, LATCH_ROUNDS, EVP_sha256(), LATCH_HASH_LEN,
	    hash) == 1 ? OC_OK : OC_ERR_INTERNAL;
}

/* text: LATCH_TEXT_MAX octets. */
static enum oc_err
latch_text(const struct oc_secret *pin, char *text, struct oc_error *error)
{
	char salt_text[2 * LATCH_SALT_LEN + 1];
	char hash_text[2 * LATCH_HASH_LEN + 1];
	uint8_t salt[LATCH_SALT_LEN], hash[LATCH_HASH_LEN];

	if (RAND_bytes(salt, sizeof(salt)) != 1 ||
	    hash_pin(pin, salt, hash) != OC_OK)
		return oc_error_set(error, OC_ERR_INTERNAL,
		    "libcrypto cannot hash the PIN for its latch");
	oc_hex_encode(salt, sizeof(salt), salt_text);
	oc_hex_encode(hash, sizeof(hash), hash_text);
	(void)snprintf(text, LATCH_TEXT_MAX, LATCH_METHOD "%s %s\n" UNDECIDED,
	    salt_text, hash_text);
	return OC_OK;
}

/* False only for a latch that is certainly another PIN's. */
static bool
is_latch_of(const char *text, size_t len, const struct oc_secret *pin)
{
	const char *salt_text = text + sizeof(LATCH_METHOD) - 1;
	const char *hash_text = salt_text + 2 * LATCH_SALT_LEN + 1;
	uint8_t salt[LATCH_SALT_LEN], hash[LATCH_HASH_LEN];
	uint8_t own[LATCH_HASH_LEN];
	size_t num;

	if (len < LATCH_LINE_LEN || strncmp(text, LATCH_METHOD,
	    sizeof(LATCH_METHOD) - 1) != 0 ||
	    oc_hex_decode(salt_text, 2 * LATCH_SALT_LEN, salt, sizeof(salt),
	    &num) != OC_OK ||
	    oc_hex_decode(hash_text, 2 * LATCH_HASH_LEN, hash, sizeof(hash),
	    &num) != OC_OK ||
	    hash_pin(pin, salt, own) != OC_OK)
		return true;
	return CRYPTO_memcmp(hash, own, sizeof(own)) == 0;
}

static enum oc_err
check_latch(const char *path, const char *token, const struct oc_secret *pin,
    struct oc_error *error)
{
	struct oc_error ignored = { 0 };
	bool is_undecided, is_same;
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum oc_err err;

	err = oc_file_read(path, 4096, &bytes, &len, &ignored);
	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	/* One that cannot be read holds, whatever it is. */
	is_same = err != OC_OK || is_latch_of((char *)bytes, len, pin);
	is_undecided = err == OC_OK && is_same && len > LATCH_LINE_LEN &&
	    strcmp((char *)bytes + LATCH_LINE_LEN + 1, UNDECIDED) == 0;
	free(bytes);
	if (!is_same)
		return OC_OK;
	if (is_undecided)
		return oc_error_set(error, OC_ERR_PIN, "a process ended while "
		    "it looked at this PIN, which may be wrong; it is not "
		    "tried again: put the right PIN into its pin-source, or, "
		    "if it is right, run \"ocsign token unlatch %s\"", token);
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

enum oc_err
p11_pin_begin(const char *state_dir, const char *token,
    const struct oc_secret *pin, struct p11_pin_try *attempt,
    struct oc_error *error)
{
	char text[LATCH_TEXT_MAX];
	struct p11_pin_try new;
	enum oc_err err;

	err = latch_path(state_dir, token, new.latch, error);
	if (err == OC_OK)
		err = oc_file_mkdir_p(state_dir, 0750, error);
	if (err == OC_OK)
		err = lock_latch(new.latch, &new.lock, error);
	if (err != OC_OK)
		return err;
	err = check_latch(new.latch, token, pin, error);
	if (err == OC_OK)
		err = latch_text(pin, text, error);
	if (err == OC_OK)
		err = oc_file_write_own(new.latch, 0600, text, strlen(text),
		    error);
	if (err != OC_OK) {
		(void)close(new.lock);
		return err;
	}
	*attempt = new;
	return OC_OK;
}

/* "Undecided" latches as well as "refused": what cannot be written here
 * costs the reason only. */
static void
note_refused(const char *latch)
{
	char *text = NULL;
	uint8_t *bytes = NULL;
	size_t len = 0;

	if (oc_file_read(latch, 4096, &bytes, &len, NULL) == OC_OK &&
	    (text = strchr((char *)bytes, '\n')) != NULL &&
	    oc_file_write_own(latch, 0600, bytes,
	    (size_t)(text + 1 - (char *)bytes), NULL) != OC_OK)
		oc_log(OC_LOG_WARNING, "%s still says that it is undecided",
		    latch);
	free(bytes);
}

void
p11_pin_end(struct p11_pin_try *attempt, enum p11_pin_outcome outcome)
{
	switch (outcome) {
	case P11_PIN_REFUSED:
		note_refused(attempt->latch);
		break;
	case P11_PIN_ACCEPTED:
	case P11_PIN_NOT_LOOKED_AT:
		if (unlink(attempt->latch) != 0 && errno != ENOENT)
			oc_log(OC_LOG_ERROR, "cannot remove %s: %s",
			    attempt->latch, strerror(errno));
		break;
	}
	(void)close(attempt->lock);
}

enum oc_err
p11_pin_unlatch(const char *state_dir, const char *token,
    struct oc_error *error)
{
	char path[P11_PIN_PATH_MAX];
	enum oc_err err = latch_path(state_dir, token, path, error);

	if (err != OC_OK)
		return err;
	if (unlink(path) == 0)
		return OC_OK;
	if (errno == ENOENT)
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "token %s is not latched", token);
	return oc_error_set_errno(error, OC_ERR_SYSTEM, "cannot remove %s",
	    path);
}
