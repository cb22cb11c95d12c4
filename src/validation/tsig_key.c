/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a TSIG key as BIND and as knot write it. */
#include "validation/tsig.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 4096
/* What is shorter could be guessed (RFC 8945, 10, wants the MAC's length). */
#define SECRET_MIN 16
#define SECRET_TEXT_MAX OC_BASE64_LEN(OC_PIN_MAX)
#define WORD_MAX (16 + VALIDATION_NAME_MAX + SECRET_TEXT_MAX)

struct scan {
	const char *text;
	size_t len, at;
	char word[WORD_MAX + 1];
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
begins(const struct scan *s, const char *with)
{
	size_t len = strlen(with);

	return s->len - s->at >= len &&
	    memcmp(s->text + s->at, with, len) == 0;
}

static void
skip_to(struct scan *s, const char *end)
{
	while (s->at < s->len && !begins(s, end))
		s->at++;
	if (s->at < s->len)
		s->at += strlen(end);
}

/* Blanks, and comments where a word could begin. */
static void
skip(struct scan *s)
{
	for (;;) {
		if (s->at < s->len && is_blank(s->text[s->at]))
			s->at++;
		else if (begins(s, "#") || begins(s, "//"))
			skip_to(s, "\n");
		else if (begins(s, "/*"))
			skip_to(s, "*/");
		else
			return;
	}
}

/* A word, with or without quotation marks. */
static bool
take_word(struct scan *s)
{
	bool is_quoted;
	size_t len = 0;

	skip(s);
	is_quoted = begins(s, "\"");
	if (is_quoted)
		s->at++;
	while (s->at < s->len) {
		char c = s->text[s->at];

		if (is_quoted ? c == '"' : is_blank(c) || c == '\0' ||
		    strchr("{};\"", c) != NULL)
			break;
		if (c == '\0' || len == WORD_MAX)
			return false;
		s->word[len++] = c;
		s->at++;
	}
	if (is_quoted && s->at == s->len)
		return false;
	s->at += is_quoted;
	s->word[len] = '\0';
	return len > 0;
}

static bool
take(struct scan *s, const char *mark)
{
	skip(s);
	if (!begins(s, mark))
		return false;
	s->at += strlen(mark);
	return true;
}

/* --- its parts ---------------------------------------------------------- */

static enum oc_err
set_name(struct validation_tsig_key *key, const char *name,
    struct oc_error *error)
{
	struct validation_dns_writer w = { .len = 0 };
	struct validation_dns_reader r = { w.bytes, 0, 0, false };

	/* There and back: its length, its letters, and nothing odd. */
	validation_dns_put_name(&w, name);
	r.len = w.len;
	validation_dns_get_name(&r, key->name);
	if (w.is_bad || r.is_bad || key->name[0] == '\0' ||
	    strchr(key->name, '?') != NULL)
		return oc_error_set(error, OC_ERR_CONFIG, "the key's name is "
		    "no domain name");
	return OC_OK;
}

static enum oc_err
set_algorithm(struct validation_tsig_key *key, const char *name,
    struct oc_error *error)
{
	for (int a = VALIDATION_HMAC_SHA256; a <= VALIDATION_HMAC_SHA512; a++)
		if (strcasecmp(name, validation_tsig_algorithm_name(
		    (enum validation_tsig_algorithm)a)) == 0) {
			key->algorithm = (enum validation_tsig_algorithm)a;
			return OC_OK;
		}
	return oc_error_set(error, OC_ERR_CONFIG, "the key's algorithm must "
	    "be hmac-sha256, hmac-sha384 or hmac-sha512");
}

/* Where the text was is overwritten. */
static enum oc_err
set_secret(struct validation_tsig_key *key, char *text,
    struct oc_error *error)
{
	size_t text_len = strlen(text), len = 0;
	enum oc_err err = oc_base64_decode_in_place(text, text_len, &len);

	if (err == OC_OK && len >= SECRET_MIN)
		err = oc_secret_set(&key->secret, text, len);
	explicit_bzero(text, text_len);
	if (err != OC_OK)
		return oc_error_set(error, OC_ERR_CONFIG, "the key's secret "
		    "is not base64 of %d octets at most", OC_PIN_MAX);
	if (len < SECRET_MIN)
		return oc_error_set(error, OC_ERR_CONFIG, "the key's secret "
		    "has fewer than %d octets", SECRET_MIN);
	return OC_OK;
}

/* --- the two forms ------------------------------------------------------ */

static enum oc_err
say_form(struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_CONFIG, "it must be 'key \"NAME\" "
	    "{ algorithm hmac-sha256; secret \"BASE64\"; };', or "
	    "hmac-sha256:NAME:BASE64, and no more than one key");
}

/* { algorithm WORD; secret WORD; }; in any order. */
static enum oc_err
read_bind(struct scan *s, struct validation_tsig_key *key,
    struct oc_error *error)
{
	bool has_algorithm = false, has_secret = false;
	enum oc_err err;

	if (!take_word(s))
		return say_form(error);
	err = set_name(key, s->word, error);
	if (err != OC_OK)
		return err;
	if (!take(s, "{"))
		return say_form(error);
	while (!take(s, "}")) {
		bool *is_there;

		if (!take_word(s))
			return say_form(error);
		is_there = strcmp(s->word, "secret") == 0 ? &has_secret :
		    &has_algorithm;
		if (*is_there || (is_there == &has_algorithm &&
		    strcmp(s->word, "algorithm") != 0) || !take_word(s))
			return say_form(error);
		*is_there = true;
		err = is_there == &has_secret ? set_secret(key, s->word,
		    error) : set_algorithm(key, s->word, error);
		if (err != OC_OK)
			return err;
		if (!take(s, ";"))
			return say_form(error);
	}
	return has_algorithm && has_secret && take(s, ";") ? OC_OK :
	    say_form(error);
}

/* ALGORITHM:NAME:BASE64 */
static enum oc_err
read_knot(struct scan *s, struct validation_tsig_key *key,
    struct oc_error *error)
{
	char *name = strchr(s->word, ':'), *secret;
	enum oc_err err;

	secret = name == NULL ? NULL : strchr(name + 1, ':');
	if (secret == NULL)
		return say_form(error);
	*name++ = *secret++ = '\0';
	err = set_algorithm(key, s->word, error);
	if (err == OC_OK)
		err = set_name(key, name, error);
	if (err == OC_OK)
		err = set_secret(key, secret, error);
	return err;
}

enum oc_err
validation_tsig_key_parse(const char *text, size_t len,
    struct validation_tsig_key *key, struct oc_error *error)
{
	struct scan s = { .text = text, .len = len };
	enum oc_err err;

	memset(key, 0, sizeof(*key));
	if (!take_word(&s))
		err = say_form(error);
	else if (strcmp(s.word, "key") == 0)
		err = read_bind(&s, key, error);
	else
		err = read_knot(&s, key, error);
	skip(&s);
	if (err == OC_OK && s.at != s.len)
		err = say_form(error);
	explicit_bzero(&s, sizeof(s));
	if (err != OC_OK)
		validation_tsig_key_fini(key);
	return err;
}

/* --- the file ----------------------------------------------------------- */

static enum oc_err
check_file(int fd, const char *path, struct oc_error *error)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return oc_error_set_errno(error, OC_ERR_CONFIG, "%s", path);
	if (!S_ISREG(st.st_mode))
		return oc_error_set(error, OC_ERR_CONFIG, "%s is not a "
		    "regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return oc_error_set(error, OC_ERR_CONFIG, "%s belongs to "
		    "another user: chown it", path);
	/* Roles may have users of their own, and share a group. */
	if ((st.st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) != 0)
		return oc_error_set(error, OC_ERR_CONFIG, "%s can be read by "
		    "others: chmod 0600 or 0640 it", path);
	return OC_OK;
}

static enum oc_err
read_file(int fd, const char *path, char *text, size_t *len,
    struct oc_error *error)
{
	ssize_t n;

	for (*len = 0; *len <= FILE_MAX; *len += (size_t)n) {
		n = read(fd, text + *len, FILE_MAX + 1 - *len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return oc_error_set_errno(error, OC_ERR_CONFIG, "%s",
			    path);
		else if (n == 0)
			return OC_OK;
	}
	return oc_error_set(error, OC_ERR_CONFIG, "%s has more than %d "
	    "octets", path, FILE_MAX);
}

enum oc_err
validation_tsig_key_load(const char *path, struct validation_tsig_key *key,
    struct oc_error *error)
{
	char text[FILE_MAX + 1];
	size_t len = 0;
	enum oc_err err;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return oc_error_set_errno(error, OC_ERR_CONFIG, "cannot open "
		    "the key file %s", path);
	err = check_file(fd, path, error);
	if (err == OC_OK)
		err = read_file(fd, path, text, &len, error);
	(void)close(fd);
	if (err == OC_OK) {
		err = validation_tsig_key_parse(text, len, key, error);
		if (err != OC_OK)
			(void)oc_error_prefix(error, "%s", path);
	}
	explicit_bzero(text, sizeof(text));
	return err;
}
