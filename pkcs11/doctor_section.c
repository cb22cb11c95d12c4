/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "[token NAME]" section that the facts lead to.  What has no key in this
 * ocsign.conf(5) is said in a comment.
 */
#include <p11-kit/pkcs11.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "pkcs11/doctor_report.h"
#include "pkcs11/recover.h"

#define COLUMNS 76

/* --- how many sessions ------------------------------------------------ */

static bool
is_clean(const struct p11_doctor_round *r)
{
	return r->num_failed == 0 && r->num_wrong == 0 && r->num_signed > 0;
}

static double
rate_of(const struct p11_doctor_round *r)
{
	return r->seconds > 0 ? (double)r->num_signed / r->seconds : 0;
}

/* The fewest that are within a tenth of the fastest, without errors; but two
 * where two do no harm, so that one that is lost stops nothing. */
unsigned int
p11_doctor_pool_size(const struct p11_doctor_facts *facts)
{
	enum p11_probe_end end = facts->outcomes[P11_PROBE_SPEED].end;
	unsigned int size = 0, max = P11_SESSIONS_MAX;
	double best = 0;

	/* What breaks with four at once, two break another day. */
	if (end == P11_END_CRASHED || end == P11_END_HUNG)
		return 1;
	for (size_t i = 0; i < facts->num_rounds; i++)
		if (is_clean(&facts->rounds[i]) &&
		    rate_of(&facts->rounds[i]) > best)
			best = rate_of(&facts->rounds[i]);
	for (size_t i = facts->num_rounds; i-- > 0; )
		if (is_clean(&facts->rounds[i]) &&
		    rate_of(&facts->rounds[i]) >= 0.9 * best)
			size = facts->rounds[i].num_sessions;
	if (size == 1 && facts->num_rounds > 1 &&
	    is_clean(&facts->rounds[1]) &&
	    rate_of(&facts->rounds[1]) >= 0.9 * best)
		size = 2;
	if (size == 0)
		size = facts->num_rounds > 0 ? 1 : P11_SESSIONS_DEFAULT;
	/* The keeper has one of its own. */
	if (facts->rv_refused != CKR_OK && facts->num_opened > 0)
		max = facts->num_opened > 1 ? facts->num_opened - 1 : 1;
	return size < max ? size : max;
}

/* Seconds for one call; 0: the default will do. */
static int64_t
timeout_s(const struct p11_doctor_facts *facts)
{
	unsigned int slowest = 0;
	int64_t s;

	for (size_t i = 0; i < facts->num_rounds; i++)
		if (facts->rounds[i].p99_us > slowest)
			slowest = facts->rounds[i].p99_us;
	for (size_t i = 0; i < facts->num_trials; i++)
		if (facts->trials[i].state == P11_TRIAL_WORKS &&
		    facts->trials[i].sign_us > slowest)
			slowest = facts->trials[i].sign_us;
	/* Twenty times the slowest, where that is over the default. */
	s = (int64_t)slowest * 20 / 1000000;
	if (s <= P11_TIMEOUT_DEFAULT_NS / OC_NS_PER_S)
		return 0;
	return s > 600 ? 600 : s;
}

/* --- what it needs of the system -------------------------------------- */

static bool
is_below(const char *path, const char *directory)
{
	size_t len = strlen(directory);

	return len > 0 && strncmp(path, directory, len) == 0 &&
	    (path[len] == '/' || path[len] == '\0');
}

bool
p11_doctor_is_ours(const struct p11_doctor_options *options,
    const struct p11_doctor_seen *seen)
{
	static const char *const everybodys[] = { "/dev/log",
	    "/run/systemd/journal", "/var/run/nscd", "/run/nscd",
	    "/run/systemd/userdb" };
	const char *pin = options->token.pin_source;

	if (pin != NULL && strncmp(pin, "file:", 5) == 0)
		pin += 5;
	if ((pin != NULL && strcmp(pin, seen->path) == 0) ||
	    (options->state_dir != NULL &&
	    is_below(seen->path, options->state_dir)) ||
	    is_below(seen->path, options->token.module))
		return true;
	for (size_t i = 0; i < sizeof(everybodys) / sizeof(everybodys[0]);
	    i++)
		if (is_below(seen->path, everybodys[i]))
			return true;
	return false;
}

bool
p11_doctor_has_network(const struct p11_doctor_facts *facts)
{
	for (size_t i = 0; i < facts->num_seen; i++)
		if (facts->seen[i].kind == P11_SEEN_INET &&
		    facts->seen[i].is_answered)
			return true;
	return false;
}

/* What a list of ocsign.conf(5) cannot hold, nor systemd. */
static bool
is_plain(const char *path)
{
	for (const char *p = path; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return path[0] == '/' && strpbrk(path, " \"'\\$%;#") == NULL;
}

static bool
is_path(const struct p11_doctor_options *options,
    const struct p11_doctor_seen *seen)
{
	return seen->kind != P11_SEEN_INET &&
	    seen->kind != P11_SEEN_DEVICE && is_plain(seen->path) &&
	    !p11_doctor_is_ours(options, seen);
}

bool
p11_doctor_is_covered(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, size_t seen)
{
	const char *path = facts->seen[seen].path;

	for (size_t i = 0; i < facts->num_seen; i++)
		if (i != seen && is_path(options, &facts->seen[i]) &&
		    is_below(path, facts->seen[i].path))
			return true;
	return false;
}

void
p11_doctor_list_paths(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, struct oc_buffer *out)
{
	for (size_t i = 0; i < facts->num_seen; i++)
		if (is_path(options, &facts->seen[i]) &&
		    !p11_doctor_is_covered(options, facts, i))
			oc_buffer_printf(out, "%s%s", out->len > 0 ? " " :
			    "", facts->seen[i].path);
}

static void
list_devices(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, struct oc_buffer *out)
{
	for (size_t i = 0; i < facts->num_seen; i++)
		if (facts->seen[i].kind == P11_SEEN_DEVICE &&
		    is_plain(facts->seen[i].path) &&
		    !p11_doctor_is_ours(options, &facts->seen[i]))
			oc_buffer_printf(out, "%s%s", out->len > 0 ? " " :
			    "", facts->seen[i].path);
}

/* --- the text --------------------------------------------------------- */

struct section {
	struct oc_buffer *out;
	bool (*has_key)(const char *key);
};

/* A comment in lines of COLUMNS; a value must not be cut by it. */
static void
put_comment(struct oc_buffer *out, const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > 0 && column + 1 + len > COLUMNS) {
			oc_buffer_put_text(out, "\n");
			column = 0;
		}
		oc_buffer_put_text(out, column == 0 ? "# " : " ");
		oc_buffer_put(out, text, len);
		column += len + 1;
		text += len;
		text += strspn(text, " ");
	}
	oc_buffer_put_text(out, "\n");
}

static void
put_key(struct section *s, const char *key, const char *value)
{
	oc_buffer_printf(s->out, "%s%s = %s\n", s->has_key(key) ? "" : "# ",
	    key, value);
}

static void
put_environment(struct section *s, const char *const *environment)
{
	struct oc_buffer b;

	if (environment == NULL || *environment == NULL)
		return;
	oc_buffer_init(&b, 4096);
	for (; *environment != NULL; environment++)
		oc_buffer_printf(&b, "%s%s", b.len > 0 ? " " : "",
		    *environment);
	put_key(s, "environment", oc_buffer_text(&b));
	oc_buffer_fini(&b);
}

static void
put_needs(struct section *s, const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts)
{
	struct oc_buffer b;

	if (facts->outcomes[P11_PROBE_OBSERVE].end == P11_END_NOT_RUN)
		return;
	put_key(s, "network", p11_doctor_has_network(facts) ? "yes" : "no");
	oc_buffer_init(&b, 4000);
	list_devices(options, facts, &b);
	if (b.len > 0)
		put_key(s, "devices", oc_buffer_text(&b));
	oc_buffer_fini(&b);
	oc_buffer_init(&b, 4000);
	p11_doctor_list_paths(options, facts, &b);
	if (b.len > 0)
		put_key(s, "paths", oc_buffer_text(&b));
	oc_buffer_fini(&b);
}

/* Whoever reads the file later wants to know what is odd about the token. */
static void
put_oddity(void *arg, enum p11_probe probe, enum p11_finding_level level,
    const char *seen, const char *means)
{
	struct oc_buffer line;

	(void)means;
	if (level == P11_FINDING_OK || probe == P11_PROBE_SWEEP ||
	    probe == P11_PROBE_MAKE_KEYS)
		return;
	oc_buffer_init(&line, 4096);
	oc_buffer_printf(&line, "%s: %s", p11_probe_name(probe), seen);
	put_comment(arg, oc_buffer_text(&line));
	oc_buffer_fini(&line);
}

void
p11_doctor_section(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, bool (*has_key)(const char *key),
    struct oc_buffer *out)
{
	const struct p11_token_config *token = &options->token;
	struct section s = { out, has_key };
	char text[160];

	(void)snprintf(text, sizeof(text), "\"%s\" (%s, serial %s), through "
	    "%s %u.%u, as \"ocsign doctor\" found it.", facts->token.label,
	    facts->token.model, facts->token.serial, facts->description,
	    facts->library_version[0], facts->library_version[1]);
	put_comment(out, text);
	p11_doctor_findings(options, facts, put_oddity, out);
	oc_buffer_printf(out, "[token %s]\n", token->name);
	put_key(&s, "module", token->module);
	put_key(&s, "uri", token->uri);
	if (token->pin_source != NULL)
		put_key(&s, "pin-source", token->pin_source);
	(void)snprintf(text, sizeof(text), "%u",
	    p11_doctor_pool_size(facts));
	put_key(&s, "sessions", text);
	if (timeout_s(facts) > 0) {
		(void)snprintf(text, sizeof(text), "%llds",
		    (long long)timeout_s(facts));
		put_key(&s, "timeout", text);
	}
	if (facts->outcomes[P11_PROBE_IDLE].end == P11_END_DONE &&
	    facts->idle_s > 0 && (!facts->is_idle_logged_in ||
	    facts->rv_idle_sign != CKR_OK)) {
		(void)snprintf(text, sizeof(text), "%llds", (long long)
		    (facts->idle_s > 1 ? facts->idle_s / 2 : 1));
		put_key(&s, "keep-alive", text);
	}
	if (token->init_args != NULL)
		put_key(&s, "init-args", token->init_args);
	put_environment(&s, token->environment);
	put_needs(&s, options, facts);
}
