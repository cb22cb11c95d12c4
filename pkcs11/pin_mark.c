/* SPDX-License-Identifier: Apache-2.0 */
/* The salted hash of a PIN, and the file of the one that was accepted. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "base/file.h"
#include "pkcs11/pin_impl.h"

/* --- the line: which PIN ---------------------------------------------- */

/*
 * pbkdf2-sha256 SALT HASH, in hex.  Slow enough that who has the file does not
 * have a short PIN at once, quick enough for a login.  A build for tests is
 * quicker, and cannot read what another has written.
 */
#ifdef P11_PIN_QUICK
#define METHOD "quick2-sha256 "
#define ROUNDS 500
#else
#define METHOD "pbkdf2-sha256 "
#define ROUNDS 20000
#endif
#define SALT_LEN 16
#define HASH_LEN 32
_Static_assert(P11_PIN_LINE_LEN == sizeof(METHOD) - 1 + 2 * SALT_LEN + 1 +
    2 * HASH_LEN, "what a line has");
_Static_assert(P11_PIN_LINE_LEN < P11_PIN_LINE_MAX, "a line has its place");

static enum oc_err
hash_pin(const struct oc_secret *pin, const uint8_t salt[SALT_LEN],
    uint8_t hash[HASH_LEN])
{
	return PKCS5_PBKDF2_HMAC((const char *)pin->bytes, (int)pin->len,
	    salt, SALT_LEN, ROUNDS, EVP_sha256(), HASH_LEN, hash) == 1 ?
	    OC_OK : OC_ERR_INTERNAL;
}

static enum oc_err
salted_line(const struct oc_secret *pin, const uint8_t salt[SALT_LEN],
    char line[P11_PIN_LINE_MAX])
{
	char salt_text[2 * SALT_LEN + 1], hash_text[2 * HASH_LEN + 1];
	uint8_t hash[HASH_LEN];

	if (hash_pin(pin, salt, hash) != OC_OK)
		return OC_ERR_INTERNAL;
	oc_hex_encode(salt, SALT_LEN, salt_text);
	oc_hex_encode(hash, sizeof(hash), hash_text);
	(void)snprintf(line, P11_PIN_LINE_MAX, METHOD "%s %s", salt_text,
	    hash_text);
	return OC_OK;
}

enum oc_err
p11_pin_line(const struct oc_secret *pin, char line[P11_PIN_LINE_MAX],
    struct oc_error *error)
{
	uint8_t salt[SALT_LEN];

	if (RAND_bytes(salt, sizeof(salt)) != 1 ||
	    salted_line(pin, salt, line) != OC_OK)
		return oc_error_set(error, OC_ERR_INTERNAL,
		    "libcrypto cannot hash the PIN for its latch");
	return OC_OK;
}

enum p11_pin_whose
p11_pin_whose(const char *text, size_t len, const struct oc_secret *pin)
{
	const char *salt_text = text + sizeof(METHOD) - 1;
	const char *hash_text = salt_text + 2 * SALT_LEN + 1;
	uint8_t salt[SALT_LEN], hash[HASH_LEN], own[HASH_LEN];
	size_t num;

	if (len < P11_PIN_LINE_LEN ||
	    strncmp(text, METHOD, sizeof(METHOD) - 1) != 0 ||
	    oc_hex_decode(salt_text, 2 * SALT_LEN, salt, sizeof(salt),
	    &num) != OC_OK ||
	    oc_hex_decode(hash_text, 2 * HASH_LEN, hash, sizeof(hash),
	    &num) != OC_OK ||
	    hash_pin(pin, salt, own) != OC_OK)
		return P11_PIN_NO_LINE;
	return CRYPTO_memcmp(hash, own, sizeof(own)) == 0 ? P11_PIN_SAME :
	    P11_PIN_OTHER;
}

/* --- the mark --------------------------------------------------------- */

_Static_assert(P11_MARK_LINE_LEN == sizeof(METHOD) - 1 + 2 * SALT_LEN + 1 + 2,
    "what its line has");
_Static_assert(P11_MARK_LEN == P11_MARK_LINE_LEN + 20 + 1 +
    sizeof("\nbooted \nlost \n") - 1, "what a mark has");
_Static_assert(P11_PIN_LOST_MAX < 10, "a digit");

/* In seconds, and from the clocks, since /proc is not always there.  A clock
 * that is set makes one boot look like two, which is counted; two look like one
 * only if it is set back by just the time between them. */
#define BOOT_SLACK_S 2

static int64_t
boot_time(void)
{
	return (oc_clock_now_ms() - oc_clock_boot_ms()) / 1000;
}

bool
p11_mark_is_of_this_boot(const struct p11_mark *mark)
{
	int64_t between_s = boot_time() - mark->booted_at;

	return between_s >= -BOOT_SLACK_S && between_s <= BOOT_SLACK_S;
}

bool
p11_mark_is_of_pin(const struct p11_mark *mark, const struct oc_secret *pin,
    char line[P11_PIN_LINE_MAX])
{
	char own[P11_PIN_LINE_MAX];
	uint8_t salt[SALT_LEN];
	size_t num;

	if (oc_hex_decode(mark->line + sizeof(METHOD) - 1, 2 * SALT_LEN, salt,
	    sizeof(salt), &num) != OC_OK || salted_line(pin, salt, own) !=
	    OC_OK || memcmp(own, mark->line, P11_MARK_LINE_LEN) != 0)
		return false;
	memcpy(line, own, sizeof(own));
	return true;
}

/* Room for more than a mark has: what is longer is none. */
#define TEXT_MAX 256

static int
mark_text(const struct p11_mark *mark, char text[TEXT_MAX])
{
	return snprintf(text, TEXT_MAX, "%s\nbooted %020lld\nlost %u\n",
	    mark->line, (long long)mark->booted_at, mark->num_lost);
}

/* What is not just what we would write is no mark. */
static bool
parse_mark(const char *text, size_t len, struct p11_mark *mark)
{
	char again[TEXT_MAX];
	long long booted_at;

	if (len != P11_MARK_LEN || sscanf(text + P11_MARK_LINE_LEN,
	    "\nbooted %20lld\nlost %1u\n", &booted_at, &mark->num_lost) != 2)
		return false;
	memcpy(mark->line, text, P11_MARK_LINE_LEN);
	mark->line[P11_MARK_LINE_LEN] = '\0';
	mark->booted_at = booted_at;
	return mark_text(mark, again) == P11_MARK_LEN &&
	    memcmp(again, text, P11_MARK_LEN) == 0;
}

void
p11_mark_open(const char *path, struct p11_mark *mark)
{
	char text[TEXT_MAX];
	struct stat st;
	ssize_t len;

	*mark = (struct p11_mark){ .fd = open(path, O_RDWR | O_CLOEXEC |
	    O_NOFOLLOW | O_NOCTTY | O_NONBLOCK) };
	if (mark->fd < 0)
		return;
	len = fstat(mark->fd, &st) == 0 && S_ISREG(st.st_mode) ?
	    pread(mark->fd, text, sizeof(text) - 1, 0) : -1;
	text[len > 0 ? len : 0] = '\0';
	if (len < 0 || !parse_mark(text, (size_t)len, mark)) {
		(void)close(mark->fd);
		mark->fd = -1;
	}
}

enum oc_err
p11_mark_write(const char *path, const char *line, unsigned int num_lost,
    struct oc_error *error)
{
	struct p11_mark mark = { .booted_at = boot_time(),
		.num_lost = num_lost };
	char text[TEXT_MAX];
	int len;

	memcpy(mark.line, line, P11_MARK_LINE_LEN);
	len = mark_text(&mark, text);
	oc_assert(len == P11_MARK_LEN);
	return oc_file_write_own(path, 0600, text, (size_t)len, error);
}
