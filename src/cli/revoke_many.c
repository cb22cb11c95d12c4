/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert revoke --file: the plan is told, and asked about; then carried out, and
 * watched until the responses say so.  Whatever ends it, the next run finds in
 * the records what is left.
 */
#include "cli/revoke_many.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/value.h"
#include "ca/revoke.h"
#include "cli/cert.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "sign/queue.h"

/* A transaction: others who write wait for it, so it is short, and there is a
 * pause behind it, in which they have their turn. */
#define BATCH_MAX 256
#define BATCH_NS (100 * OC_NS_PER_MS)
#define PAUSE_NS (5 * OC_NS_PER_MS)
/* Who else writes, or a server that changes its primary. */
#define TRIES_MAX 30
#define TRY_AGAIN_NS OC_NS_PER_S
#define PACE_MAX 1000000

/* Of what the token can do while all else has work for it, too. */
#define SHARE ((double)SIGN_QUEUE_AHEAD_MAX / (SIGN_QUEUE_AHEAD_MAX + 1))

struct run {
	struct cli_revoke_plan *plan;
	struct cli_progress progress;
	uint32_t pace;			/* so many a second at most; 0: all */
	uint32_t batch_max;
	uint32_t next;			/* in the plan's order */
	uint32_t num_done, num_lost;	/* lost: somebody else was faster */
	int64_t record_ns;
	struct cli_revoke_service service;
};

static void
pause_ns(int64_t ns)
{
	const struct timespec pause = { ns / OC_NS_PER_S, ns % OC_NS_PER_S };

	(void)nanosleep(&pause, NULL);
}

/* --- recording ---------------------------------------------------------- */

/* What is the matter with one, is that one's alone: it changed since the plan
 * was made. */
static bool
is_about_one(enum oc_err err)
{
	return err == OC_ERR_EXISTS || err == OC_ERR_NOT_FOUND ||
	    err == OC_ERR_REFUSED || err == OC_ERR_MISMATCH;
}

/* Inside a group: up to batch_max of them, and not for longer than BATCH_NS.
 * *end is the one behind the last. */
static enum oc_err
put_batch(struct run *run, uint32_t *end, uint32_t *num_lost,
    struct oc_error *error)
{
	struct cli_revoke_plan *plan = run->plan;
	int64_t until_ns = oc_clock_mono_ns() + BATCH_NS, revoked_at;
	enum oc_err err = OC_OK;
	uint32_t i;

	*num_lost = 0;
	for (i = run->next; i < plan->num_wanted && i - run->next <
	    run->batch_max && oc_clock_mono_ns() < until_ns; i++) {
		err = ca_revoke(plan->issuer, plan->store,
		    &plan->list.serials[plan->order[i]], plan->reason,
		    &revoked_at, plan->invalidity_at, error);
		if (is_about_one(err))
			++*num_lost;
		else if (err != OC_OK)
			return err;
	}
	*end = i;
	return OC_OK;
}

static enum oc_err
record_batch(struct run *run, struct oc_error *error)
{
	struct store *store = run->plan->store;
	uint32_t end = run->next, num_lost = 0;
	enum oc_err err = store_begin_group(store);

	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	err = put_batch(run, &end, &num_lost, error);
	if (err != OC_OK) {
		store_abandon_group(store);
		return err;
	}
	err = store_commit_group(store);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	run->num_done += end - run->next - num_lost;
	run->num_lost += num_lost;
	run->next = end;
	return OC_OK;
}

/* Until others have had their turn, and it is not too fast. */
static void
rest(const struct run *run)
{
	int64_t next_ns = 0;

	pause_ns(PAUSE_NS);
	if (run->pace > 0)
		next_ns = run->progress.begun_ns + (int64_t)run->next *
		    OC_NS_PER_S / run->pace;
	if (next_ns > oc_clock_mono_ns())
		pause_ns(next_ns - oc_clock_mono_ns());
}

/* One that failed has changed nothing, or, if nobody knows, is found done by
 * the next: then what is in it is EXISTS. */
static enum oc_err
record_all(struct run *run, struct oc_error *error)
{
	uint32_t num_all = run->plan->num_wanted;
	int num_tries = 0;
	enum oc_err err = OC_OK;

	cli_progress_start(&run->progress, "recorded");
	while (run->next < num_all) {
		err = record_batch(run, error);
		if ((err == OC_ERR_BUSY || err == OC_ERR_DOWN) &&
		    ++num_tries < TRIES_MAX) {
			pause_ns(TRY_AGAIN_NS);
			continue;
		}
		if (err != OC_OK)
			break;
		num_tries = 0;
		cli_progress_tell(&run->progress, run->next, num_all);
		rest(run);
	}
	cli_progress_stop(&run->progress);
	run->record_ns = oc_clock_mono_ns() - run->progress.begun_ns;
	if (err != OC_OK)
		return oc_error_prefix(error, "%u of %u are revoked; the same "
		    "command goes on from there", run->num_done, num_all);
	return OC_OK;
}

/* --- until the responses say so ----------------------------------------- */

/* What the service has to know: also what a run that was ended, or somebody
 * else, recorded a moment ago.  One that was there is waited for, even if it
 * starts again just now. */
static enum oc_err
wait_signed(struct run *run, struct oc_error *error)
{
	int64_t seq = 0, after_seq = run->service.seq;
	bool was_there = run->service.is_there;
	enum oc_err err;

	cli_revoke_look(run->plan, &run->service);
	if (run->service.is_there)
		after_seq = run->service.seq;
	else if (!was_there)
		return OC_OK;
	err = cli_revoke_last_seq(run->plan, after_seq, &seq, error);
	if (err == OC_OK)
		err = cli_revoke_wait(run->plan, seq, &run->service, error);
	if (err == OC_OK && run->service.notice.text[0] != '\0')
		run->plan->cli->exit_status = 1;
	return err;
}

/* --- telling ------------------------------------------------------------ */

/* One a certificate and signer of its issuer: of what is revoked there is a
 * response before anybody asks, unless none is kept or the key is elsewhere. */
static uint64_t
num_signatures(const struct cli_revoke_plan *plan)
{
	const struct oc_config *config;
	uint64_t num_signers = 0;

	if (cli_config(plan->cli, &config, NULL) != OC_OK)
		return 0;
	for (size_t i = 0; i < config->num_ocsp; i++)
		num_signers += cli_revoke_is_signed(plan, &config->ocsp[i]);
	return plan->num[CLI_REVOKE_WANTED] * num_signers;
}

static uint32_t
num_done(const struct cli_revoke_plan *plan)
{
	return plan->num[CLI_REVOKE_DONE] +
	    plan->num[CLI_REVOKE_DONE_EXPIRED];
}

static json_t *
describe_named(const struct cli_revoke_plan *plan)
{
	char text[OC_SERIAL_TEXT_MAX];
	json_t *rows = cli_array();

	for (uint32_t i = 0; i < plan->num_named; i++) {
		oc_serial_format(&plan->named[i], text);
		cli_append_text(rows, text);
	}
	return rows;
}

static json_t *
describe_plan(const struct cli_revoke_plan *plan,
    const struct cli_revoke_service *s)
{
	uint64_t num = num_signatures(plan);
	json_t *facts = cli_object();

	cli_put_text(facts, "issuer", plan->issuer->config->name);
	cli_put_text(facts, "reason", crl_reason_name(plan->reason));
	cli_put_int(facts, "serials", plan->list.num);
	cli_put_int(facts, "twice", plan->list.num_double);
	cli_put_int(facts, "to_revoke", plan->num_wanted);
	cli_put_int(facts, "expired", plan->num[CLI_REVOKE_EXPIRED]);
	cli_put_int(facts, "revoked_already", num_done(plan));
	cli_put_int(facts, "never_issued", plan->num[CLI_REVOKE_UNKNOWN]);
	cli_put_int(facts, "refused", plan->num[CLI_REVOKE_REFUSED]);
	cli_put_int(facts, "asked_about", plan->num_asked);
	cli_put_int(facts, "signatures", (int64_t)num);
	if (plan->num_named > 0)
		cli_put(facts, "not_revoked", describe_named(plan));
	if (plan->why.text[0] != '\0')
		cli_put_text(facts, "refused_because", plan->why.text);
	if (s->rate > 0) {
		cli_put_int(facts, "rate", (int64_t)(s->rate + 0.5));
		cli_put_bool(facts, "rate_measured", s->is_measured);
		cli_put_int(facts, "share_percent", (int64_t)(SHARE * 100));
		cli_put_int(facts, "signing_s", (int64_t)((double)num /
		    s->rate + 0.999));
		cli_put_int(facts, "signing_max_s", (int64_t)((double)num /
		    s->rate / SHARE + 0.999));
	}
	return facts;
}

static void
print_time(const struct cli_revoke_plan *plan,
    const struct cli_revoke_service *s)
{
	double num = (double)num_signatures(plan);

	if (plan->num_wanted == 0)
		return;
	if (!s->is_there)
		printf("responses: %s\n", s->notice.text);
	else if (num == 0)
		printf("responses: none is signed before somebody asks\n");
	else if (s->rate <= 0)
		printf("responses: %.0f to be signed; how long that takes is "
		    "not known before some are\n", num);
	else
		printf("responses: %.0f to be signed, at %.0f a second (%s): "
		    "%.0f s, or %.0f s with %.0f %% of it, if all else that "
		    "is signed needs the rest\n", num, s->rate,
		    s->is_measured ? "measured" : "by one signature's time",
		    num / s->rate + 0.5, num / s->rate / SHARE + 0.5,
		    SHARE * 100);
}

static void
print_plan(const struct cli_revoke_plan *plan,
    const struct cli_revoke_service *s)
{
	char text[OC_SERIAL_TEXT_MAX];

	printf("%u serial numbers of %s, %u of them to be revoked (%s)\n",
	    plan->list.num, plan->issuer->config->name, plan->num_wanted,
	    crl_reason_name(plan->reason));
	if (plan->list.num_double > 0)
		printf("%u stand there more than once\n",
		    plan->list.num_double);
	if (num_done(plan) > 0)
		printf("%u are revoked already\n", num_done(plan));
	if (plan->num[CLI_REVOKE_EXPIRED] > 0)
		printf("%u have expired: no responses are made of them\n",
		    plan->num[CLI_REVOKE_EXPIRED]);
	if (plan->num[CLI_REVOKE_UNKNOWN] > 0)
		printf("%u were never issued: nothing is recorded of them\n",
		    plan->num[CLI_REVOKE_UNKNOWN]);
	if (plan->num[CLI_REVOKE_REFUSED] > 0)
		printf("%u may not be revoked so: %s\n",
		    plan->num[CLI_REVOKE_REFUSED], plan->why.text);
	for (uint32_t i = 0; i < plan->num_named; i++) {
		oc_serial_format(&plan->named[i], text);
		printf("  not revoked: %s\n", text);
	}
	if (plan->num_asked > 0)
		printf("%u have been asked about: these first\n",
		    plan->num_asked);
	print_time(plan, s);
	(void)fflush(stdout);
}

static void
tell(struct run *run, json_t *plan)
{
	const struct cli_revoke_service *s = &run->service;
	struct cli *cli = run->plan->cli;
	json_t *facts;

	if (cli->format == CLI_FORMAT_TEXT) {
		printf("%u of %s are revoked (%s), %.0f s\n", run->num_done,
		    run->plan->issuer->config->name,
		    crl_reason_name(run->plan->reason),
		    (double)run->record_ns / 1e9);
		if (run->num_lost > 0)
			printf("%u were changed by others meanwhile\n",
			    run->num_lost);
		printf("OCSP: %s\n", s->notice.text[0] != '\0' ?
		    s->notice.text : "all responses say so");
		return;
	}
	facts = cli_object();
	cli_put(facts, "plan", json_incref(plan));
	cli_put_int(facts, "revoked", run->num_done);
	cli_put_int(facts, "revoked_by_others", run->num_lost);
	cli_put_int(facts, "recording_ms", run->record_ns / OC_NS_PER_MS);
	cli_put_bool(facts, "signed", s->notice.text[0] == '\0');
	if (s->notice.text[0] != '\0')
		cli_put_text(facts, "ocsp_notice", s->notice.text);
	cli_print(cli, facts);
}

/* --- the command -------------------------------------------------------- */

static enum oc_err
parse_pace(struct run *run, struct oc_error *error)
{
	const char *text = cli_option(run->plan->cli, "pace");
	int64_t pace = 0;

	if (text != NULL && oc_value_int(text, 1, PACE_MAX, &pace, NULL) !=
	    OC_OK)
		return oc_error_set(error, OC_ERR_USAGE, "--pace \"%.40s\" "
		    "is no number from 1 to %d", text, PACE_MAX);
	run->pace = (uint32_t)pace;
	run->batch_max = pace > 0 && pace / 4 < BATCH_MAX ?
	    (uint32_t)pace / 4 + 1 : BATCH_MAX;
	return OC_OK;
}

static enum oc_err
check_options(struct cli *cli, struct oc_error *error)
{
	if (cli_option(cli, "issuer") == NULL ||
	    cli_option(cli, "reason") == NULL)
		return oc_error_set(error, OC_ERR_USAGE, "--file wants "
		    "--issuer and --reason");
	if (cli_has(cli, "dry-run") || cli_has(cli, "yes"))
		return OC_OK;
	if (strcmp(cli_option(cli, "file"), "-") == 0 ||
	    isatty(STDIN_FILENO) != 1)
		return oc_error_set(error, OC_ERR_USAGE, "nobody can be asked "
		    "whether to go on: add --yes, or --dry-run for the plan "
		    "alone");
	return OC_OK;
}

static enum oc_err
confirm(const struct cli_revoke_plan *plan, struct oc_error *error)
{
	char line[16] = "";

	if (cli_has(plan->cli, "yes") || plan->num_wanted == 0)
		return OC_OK;
	fprintf(stderr, "ocsign: revoke these %u certificates of %s, for "
	    "good? [y/N] ", plan->num_wanted, plan->issuer->config->name);
	if (fgets(line, sizeof(line), stdin) != NULL &&
	    (strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0))
		return OC_OK;
	return oc_error_set(error, OC_ERR_CANCELLED, "nothing is revoked");
}

static enum oc_err
carry_out(struct run *run, struct oc_error *error)
{
	struct cli_revoke_plan *plan = run->plan;
	json_t *facts = describe_plan(plan, &run->service);
	enum oc_err err = OC_OK;

	if (plan->cli->format == CLI_FORMAT_TEXT)
		print_plan(plan, &run->service);
	if (cli_has(plan->cli, "dry-run")) {
		if (plan->cli->format == CLI_FORMAT_JSON)
			cli_print(plan->cli, json_incref(facts));
	} else {
		err = confirm(plan, error);
		if (err == OC_OK)
			err = record_all(run, error);
		if (err == OC_OK && cli_has(plan->cli, "no-wait"))
			oc_error_set(&run->service.notice, OC_OK,
			    "not waited for");
		else if (err == OC_OK)
			err = wait_signed(run, error);
		if (err == OC_OK)
			tell(run, facts);
	}
	json_decref(facts);
	if (plan->num[CLI_REVOKE_UNKNOWN] + plan->num[CLI_REVOKE_REFUSED] > 0)
		plan->cli->exit_status = 1;
	return err;
}

enum oc_err
cli_revoke_many(struct cli *cli, enum crl_reason reason,
    int64_t invalidity_at, struct oc_error *error)
{
	struct cli_revoke_plan plan = { .cli = cli,
	    .path = cli_option(cli, "file"), .reason = reason,
	    .invalidity_at = invalidity_at };
	struct run run = { .plan = &plan };
	enum oc_err err = check_options(cli, error);

	if (err == OC_OK)
		err = parse_pace(&run, error);
	if (err == OC_OK)
		err = cli_revoke_plan(&plan, error);
	if (err == OC_OK) {
		cli_revoke_look(&plan, &run.service);
		err = carry_out(&run, error);
	}
	cli_revoke_plan_fini(&plan);
	return err;
}
