/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp compare: two responders are asked the same, and each difference in what
 * they mean is a line.  Threads ask, each over a connection of its own to
 * each; what they share is under one mutex.
 */
#include "cli/ocsp.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/serial_list.h"
#include "base/thread.h"
#include "base/value.h"
#include "cli/progress.h"
#include "cli/responder.h"
#include "cli/work_impl.h"
#include "probe/ask.h"
#include "x509/file.h"

#define EXIT_ERROR 2
#define CONNECTIONS 4
#define CONNECTIONS_MAX 64
#define RATE 200
#define RATE_MAX 100000
#define TIMEOUT_S 10
#define TIMEOUT_MAX_S 60
/* Who asks for too much at once is told to come later: so often we do. */
#define TRIES_MAX 3
#define TRY_AGAIN_NS (300 * OC_NS_PER_MS)
/* One that has not answered for so many questions in a row is gone. */
#define SILENT_MAX 20

enum { A, B, SIDES };

struct side {
	const char *url;
	struct cli_responder responder;
	uint32_t num_answers, num_silent;	/* silent: in a row */
	char why[PROBE_SAID_WHY_MAX];
};

struct comparing {
	struct cli *cli;
	struct side sides[SIDES];
	uint8_t *issuer_der;
	struct x509_cert issuer;
	struct oc_serial_list list;
	enum ocsp_hash hash;
	int64_t num_connections, rate, timeout_s;
	unsigned int ignored;			/* bits of differences */

	pthread_mutex_t lock;			/* of all below */
	uint32_t next, num_done, num_same;
	uint32_t num_told;			/* at least one knew it */
	int64_t next_ns;			/* when the next is asked */
	uint32_t num[PROBE_DIFFERENCES];
	uint32_t num_rows;			/* printed */
	bool is_over;
	enum oc_err err;
	struct oc_error error;
	struct cli_progress progress;
};

/* --- what is said ------------------------------------------------------- */

static void
print_row(struct comparing *c, const char *serial,
    enum probe_difference difference, const struct probe_said said[SIDES])
{
	char words[SIDES][PROBE_WORDS_MAX];
	json_t *row;
	char *text;

	for (int i = 0; i < SIDES; i++)
		probe_say(&said[i], difference, words[i]);
	if (c->cli->format == CLI_FORMAT_TEXT) {
		(void)printf("%s %s: %s / %s\n", serial,
		    probe_difference_name(difference), words[A], words[B]);
		return;
	}
	/* There may be millions: each as it comes. */
	row = cli_object();
	cli_put_text(row, "serial", serial);
	cli_put_text(row, "difference", probe_difference_name(difference));
	cli_put_text(row, "a", words[A]);
	cli_put_text(row, "b", words[B]);
	text = json_dumps(row, 0);
	if (text == NULL)
		cli_no_memory();
	(void)printf("%s\n    %s", c->num_rows > 0 ? "," : "", text);
	c->num_rows++;
	free(text);
	json_decref(row);
}

static bool
is_told(const struct probe_said *said)
{
	return said->meaning == PROBE_SAYS_GOOD ||
	    said->meaning == PROBE_SAYS_REVOKED ||
	    said->meaning == PROBE_SAYS_UNKNOWN;
}

/* With the lock. */
static void
take(struct comparing *c, const struct oc_serial *serial,
    const struct probe_said said[SIDES])
{
	unsigned int bits = probe_compare(&said[A], &said[B]) & ~c->ignored;
	char text[OC_SERIAL_TEXT_MAX];

	oc_serial_format(serial, text);
	c->num_done++;
	c->num_same += bits == 0;
	c->num_told += is_told(&said[A]) || is_told(&said[B]);
	for (int d = 0; d < PROBE_DIFFERENCES; d++) {
		if ((bits & 1u << d) == 0)
			continue;
		c->num[d]++;
		cli_progress_stop(&c->progress);
		print_row(c, text, (enum probe_difference)d, said);
	}
	cli_progress_tell(&c->progress, c->num_done, c->list.num);
}

/* With the lock. */
static void
note_side(struct comparing *c, int i, const struct probe_said *said)
{
	struct side *side = &c->sides[i];

	if (said->meaning != PROBE_SAYS_NOTHING) {
		side->num_answers++;
		side->num_silent = 0;
		return;
	}
	(void)snprintf(side->why, sizeof(side->why), "%s", said->why);
	if (++side->num_silent < SILENT_MAX || c->is_over)
		return;
	c->is_over = true;
	c->err = oc_error_set(&c->error, OC_ERR_DOWN, "%s has not answered "
	    "%d times in a row (%s): %u of %u were asked about", side->url,
	    SILENT_MAX, said->why, c->num_done, c->list.num);
}

static json_t *
describe_sum(const struct comparing *c)
{
	json_t *kinds = cli_object(), *all = cli_object();

	cli_put_text(all, "a", c->sides[A].url);
	cli_put_text(all, "b", c->sides[B].url);
	cli_put_int(all, "serials", c->list.num);
	cli_put_int(all, "asked", c->num_done);
	cli_put_int(all, "same", c->num_same);
	for (int d = 0; d < PROBE_DIFFERENCES; d++)
		if ((c->ignored & 1u << d) == 0)
			cli_put_int(kinds, probe_difference_name(
			    (enum probe_difference)d), c->num[d]);
	cli_put(all, "different", kinds);
	return all;
}

/* {"differences": [ ... ], "sum": { ... }} */
static void
tell_sum(const struct comparing *c)
{
	json_t *sum;
	char *text;

	if (c->cli->format == CLI_FORMAT_JSON) {
		sum = describe_sum(c);
		text = json_dumps(sum, 0);
		if (text == NULL)
			cli_no_memory();
		(void)printf("%s],\n  \"sum\": %s\n}\n", c->num_rows > 0 ?
		    "\n  " : "", text);
		free(text);
		json_decref(sum);
		return;
	}
	(void)printf("%u asked about, %u the same", c->num_done, c->num_same);
	for (int d = 0; d < PROBE_DIFFERENCES; d++)
		if (c->num[d] > 0)
			(void)printf(", %u with another %s", c->num[d],
			    probe_difference_name((enum probe_difference)d));
	(void)printf("\n");
}

/* --- asking ------------------------------------------------------------- */

static void
sleep_until(int64_t until_ns)
{
	const struct timespec at = { until_ns / OC_NS_PER_S,
	    until_ns % OC_NS_PER_S };

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* The next, when it is its turn; false: there is none. */
static bool
next_serial(struct comparing *c, struct oc_serial *serial)
{
	int64_t now_ns = oc_clock_mono_ns(), at_ns;
	bool is_there;

	(void)pthread_mutex_lock(&c->lock);
	is_there = !c->is_over && c->next < c->list.num;
	if (is_there)
		*serial = c->list.serials[c->next++];
	at_ns = c->next_ns > now_ns ? c->next_ns : now_ns;
	c->next_ns = at_ns + OC_NS_PER_S / c->rate;
	(void)pthread_mutex_unlock(&c->lock);
	if (is_there)
		sleep_until(at_ns);
	return is_there;
}

/* What passes is no difference: who is told to try later does. */
static enum oc_err
ask(struct probe_asker *asker, const struct oc_serial *serial,
    struct probe_said *said)
{
	enum oc_err err = OC_OK;

	for (int n = 0; n < TRIES_MAX; n++) {
		if (n > 0)
			sleep_until(oc_clock_mono_ns() + n * TRY_AGAIN_NS);
		err = probe_ask(asker, serial, said);
		if (err != OC_OK || said->meaning != PROBE_SAYS_ERROR ||
		    said->error != OCSP_TRY_LATER)
			break;
	}
	return err;
}

/* The connections that were there first are for who comes first. */
static void
begin(struct comparing *c, struct probe_asker askers[SIDES],
    struct probe_peer peers[SIDES])
{
	(void)pthread_mutex_lock(&c->lock);
	for (int i = 0; i < SIDES; i++) {
		struct cli_responder *r = &c->sides[i].responder;

		peers[i] = r->peer;
		r->peer.first_fd = -1;
		askers[i] = (struct probe_asker){
			.authority = r->authority,
			.path = r->path,
			.issuer = &c->issuer,
			.peer = &peers[i],
			.hash = c->hash,
			.wants_nonce = cli_has(c->cli, "nonce"),
			.is_by_get = cli_has(c->cli, "get"),
		};
	}
	(void)pthread_mutex_unlock(&c->lock);
}

static void *
work(void *arg)
{
	struct comparing *c = arg;
	struct probe_asker askers[SIDES];
	struct probe_said said[SIDES];
	struct probe_peer peers[SIDES];
	struct oc_serial serial;
	enum oc_err err = OC_OK;

	begin(c, askers, peers);
	while (err == OC_OK && next_serial(c, &serial)) {
		for (int i = 0; err == OC_OK && i < SIDES; i++)
			err = ask(&askers[i], &serial, &said[i]);
		(void)pthread_mutex_lock(&c->lock);
		if (err == OC_OK) {
			take(c, &serial, said);
			for (int i = 0; i < SIDES; i++)
				note_side(c, i, &said[i]);
		} else if (!c->is_over) {
			c->is_over = true;
			c->err = oc_error_set(&c->error, err, "%s",
			    oc_strerror(err));
		}
		(void)pthread_mutex_unlock(&c->lock);
	}
	for (int i = 0; i < SIDES; i++)
		probe_asker_close(&askers[i]);
	return NULL;
}

static enum oc_err
run(struct comparing *c, struct oc_error *error)
{
	pthread_t threads[CONNECTIONS_MAX];
	int64_t num = 0;
	int rc = 0;

	if (c->cli->format == CLI_FORMAT_JSON)
		(void)printf("{\n  \"differences\": [");
	cli_progress_start(&c->progress, "compared");
	(void)pthread_mutex_lock(&c->lock);
	while (rc == 0 && num < c->num_connections &&
	    (uint64_t)num < c->list.num) {
		rc = oc_thread_start(&threads[num], work, c);
		num += rc == 0;
	}
	(void)pthread_mutex_unlock(&c->lock);
	for (int64_t i = 0; i < num; i++)
		(void)pthread_join(threads[i], NULL);
	cli_progress_stop(&c->progress);
	tell_sum(c);
	if (num == 0)
		return oc_error_set(error, OC_ERR_SYSTEM, "no thread: %s",
		    strerror(rc));
	if (c->err != OC_OK)
		return oc_error_set(error, c->err, "%s", c->error.text);
	for (int i = 0; i < SIDES; i++)
		if (c->sides[i].num_answers == 0)
			return oc_error_set(error, OC_ERR_DOWN, "%s has not "
			    "answered at all (%s)", c->sides[i].url,
			    c->sides[i].why);
	if (c->num_same < c->num_done)
		c->cli->exit_status = 1;
	else if (c->num_told == 0)
		return oc_error_set(error, OC_ERR_MISMATCH, "both say errors "
		    "alone, such as unauthorized, and nothing of any "
		    "certificate: is %s its issuer's?",
		    cli_option(c->cli, "issuer"));
	return OC_OK;
}

/* --- what is asked ------------------------------------------------------ */

static enum oc_err
parse_number(const struct cli *cli, const char *option, int64_t max,
    int64_t *value, struct oc_error *error)
{
	const char *text = cli_option(cli, option);

	if (text != NULL && oc_value_int(text, 1, max, value, NULL) != OC_OK)
		return oc_error_set(error, OC_ERR_USAGE, "--%s \"%.40s\" is "
		    "no number from 1 to %lld", option, text,
		    (long long)max);
	return OC_OK;
}

static enum oc_err
parse_ignored(struct comparing *c, struct oc_error *error)
{
	const char *text;

	for (size_t n = 0; (text = cli_option_at(c->cli, "ignore", n)) !=
	    NULL; n++) {
		int d = 0;

		while (d < PROBE_DIFFERENCES && strcmp(text,
		    probe_difference_name((enum probe_difference)d)) != 0)
			d++;
		if (d == PROBE_DIFFERENCES)
			return oc_error_set(error, OC_ERR_USAGE, "--ignore "
			    "%.40s: status, time, reason, life, nonce and "
			    "caching are what there is", text);
		c->ignored |= 1u << d;
	}
	return OC_OK;
}

static enum oc_err
parse(struct comparing *c, struct oc_error *error)
{
	const char *hash = cli_option(c->cli, "hash");
	enum oc_err err;

	c->num_connections = CONNECTIONS;
	c->rate = RATE;
	c->timeout_s = TIMEOUT_S;
	if (hash != NULL && strcmp(hash, "sha1") != 0 &&
	    strcmp(hash, "sha256") != 0)
		return oc_error_set(error, OC_ERR_USAGE, "--hash %.40s is "
		    "neither sha1 nor sha256", hash);
	c->hash = hash != NULL && strcmp(hash, "sha256") == 0 ?
	    OCSP_HASH_SHA256 : OCSP_HASH_SHA1;
	err = parse_number(c->cli, "connections", CONNECTIONS_MAX,
	    &c->num_connections, error);
	if (err == OC_OK)
		err = parse_number(c->cli, "rate", RATE_MAX, &c->rate, error);
	if (err == OC_OK)
		err = parse_number(c->cli, "timeout", TIMEOUT_MAX_S,
		    &c->timeout_s, error);
	if (err == OC_OK)
		err = parse_ignored(c, error);
	return err;
}

static enum oc_err
read_files(struct comparing *c, struct oc_error *error)
{
	const char *path = cli_option(c->cli, "issuer");
	struct der_bytes der;
	enum oc_err err;

	err = x509_file_read(path, X509_FILE_CERTIFICATE, &c->issuer_der,
	    &der.len, error);
	if (err != OC_OK)
		return err;
	der.p = c->issuer_der;
	err = x509_cert_read(der, &c->issuer, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "%s", path);
	return oc_serial_list_read(cli_option(c->cli, "serials"), &c->list,
	    error);
}

/* Both must be there before anything is compared. */
static enum oc_err
find_sides(struct comparing *c, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	for (int i = 0; err == OC_OK && i < SIDES; i++) {
		struct side *side = &c->sides[i];

		side->url = c->cli->args[i];
		err = cli_responder_find(side->url, c->timeout_s *
		    OC_NS_PER_S, &side->responder, error);
	}
	return err;
}

enum oc_err
cli_ocsp_compare(struct cli *cli, struct oc_error *error)
{
	struct comparing *c = calloc(1, sizeof(*c));
	enum oc_err err;

	cli->error_status = EXIT_ERROR;
	if (c == NULL || pthread_mutex_init(&c->lock, NULL) != 0) {
		free(c);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	c->cli = cli;
	for (int i = 0; i < SIDES; i++)
		c->sides[i].responder.peer.first_fd = -1;
	err = parse(c, error);
	if (err == OC_OK)
		err = read_files(c, error);
	if (err == OC_OK)
		err = find_sides(c, error);
	if (err == OC_OK)
		err = run(c, error);
	for (int i = 0; i < SIDES; i++)
		cli_responder_fini(&c->sides[i].responder);
	oc_serial_list_fini(&c->list);
	free(c->issuer_der);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
	return err;
}

const struct cli_option cli_ocsp_compare_options[] = {
	{ "issuer", "FILE", CLI_REQUIRED, "the issuer's certificate" },
	{ "serials", "FILE", CLI_REQUIRED,
	    "serial numbers, one a line; - for standard input" },
	{ "ignore", "KIND", CLI_REPEATED,
	    "of difference: status, time, reason, life ..." },
	{ "hash", "HASH", CLI_OPTIONAL, "sha1 (default) or sha256" },
	{ "nonce", NULL, CLI_OPTIONAL, "send nonces" },
	{ "get", NULL, CLI_OPTIONAL, "by GET; else by POST" },
	{ "rate", "NUMBER", CLI_OPTIONAL, "a second; 200 by default" },
	{ "connections", "NUMBER", CLI_OPTIONAL, "to each; 4 by default" },
	{ "timeout", "SECONDS", CLI_OPTIONAL,
	    "of one exchange; 10 by default" },
	{ NULL }
};
