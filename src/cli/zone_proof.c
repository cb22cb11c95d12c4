/* SPDX-License-Identifier: Apache-2.0 */
/* zone verify: looks now, by ocsign-validator, and writes down what it saw.
 * The service may look at the same: one of them has it at a time. */
#include "cli/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/value.h"
#include "ca/hostname.h"
#include "ipc/server.h"

#define LOOK_US 500000
/* What the validator may take beyond its own time. */
#define ASK_MARGIN_S 5

/* --- asking ------------------------------------------------------------- */

static enum oc_err
open_validator(struct cli_proof *p, struct oc_error *error)
{
	char *path;
	enum oc_err err;

	err = cli_socket(p->cli, VALIDATION_SOCKET_NAME, &path, error);
	if (err != OC_OK)
		return err;
	if (!ipc_is_served(path))
		err = oc_error_set(error, OC_ERR_DOWN, "ocsign-validator does "
		    "not run, and nobody else looks: start the service");
	if (err == OC_OK) {
		err = validation_client_new(path, &p->validator);
		if (err != OC_OK)
			(void)oc_error_set(error, err, "%s: %s", path,
			    oc_strerror(err));
	}
	free(path);
	return err;
}

enum oc_err
cli_proof_ask(struct cli_proof *p, const struct validation_question *question,
    struct validation_reply *reply, struct oc_error *error)
{
	int64_t deadline_ns = oc_clock_mono_ns() +
	    (p->config->validation.timeout_s + ASK_MARGIN_S) * OC_NS_PER_S;
	enum oc_err err;

	memset(reply, 0, sizeof(*reply));
	err = validation_client_ask_now(p->validator, question, deadline_ns,
	    reply);
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s cannot be "
	    "asked for: %s", question->name, oc_strerror(err));
}

/* --- how it stands ------------------------------------------------------ */

static enum oc_err
say_store(struct cli_proof *p, enum oc_err err, struct oc_error *error)
{
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s",
	    store_error(p->store));
}

static enum oc_err
read_claim(struct cli_proof *p, struct oc_error *error)
{
	return say_store(p, store_get_authorization(p->store, p->claim.id,
	    &p->claim), error);
}

enum oc_err
cli_proof_print(struct cli_proof *p, struct oc_error *error)
{
	const struct store_challenge *c;
	struct store_zone zone;
	json_t *facts;
	enum oc_err err = read_claim(p, error);

	if (err == OC_OK && p->claim.state == STORE_PROOF_VALID) {
		err = say_store(p, store_find_zone(p->store, p->claim.name,
		    &zone), error);
		return err != OC_OK ? err : cli_print_zone(p->cli, p->store,
		    &zone, error);
	}
	if (err != OC_OK)
		return err;
	p->cli->exit_status = 1;
	c = proof_challenge_by(&p->claim, p->method);
	facts = cli_object();
	cli_put_text(facts, "zone", p->claim.name);
	cli_put_text(facts, "account", p->account.name);
	cli_put_text(facts, "state", p->claim.state == STORE_PROOF_PENDING ?
	    "pending" : "failed");
	cli_put_text(facts, "method", store_method_text(p->method));
	cli_put_int(facts, "tries", c->num_tries);
	cli_put_text(facts, "seen", c->seen);
	if (p->claim.state == STORE_PROOF_PENDING && c->next_try_at != 0)
		cli_put_time(facts, "next_try_at", c->next_try_at);
	cli_print(p->cli, facts);
	return OC_OK;
}

/* --- looking ------------------------------------------------------------ */

/* In one change: begun, and ours. */
static enum oc_err
take(struct cli_proof *p, struct proof_try *t)
{
	enum oc_err err = store_begin_group(p->store);

	if (err != OC_OK)
		return err;
	err = proof_take(p->store, &p->config->validation,
	    proof_challenge_by(&p->claim, p->method), oc_clock_now_s(), t);
	if (err == OC_OK)
		return store_commit_group(p->store);
	store_abandon_group(p->store);
	return err;
}

static enum oc_err
record(struct cli_proof *p, const struct proof_try *t,
    const struct validation_reply *reply)
{
	enum oc_err err = store_begin_group(p->store);

	if (err != OC_OK)
		return err;
	err = proof_record(p->store, &p->config->validation, t, reply);
	if (err == OC_OK)
		return store_commit_group(p->store);
	store_abandon_group(p->store);
	return err;
}

/* Once; if somebody else looks, they do. */
static enum oc_err
look(struct cli_proof *p, struct oc_error *error)
{
	struct validation_question question;
	struct validation_reply reply;
	struct proof_wanted wanted;
	struct proof_try t;
	enum oc_err err = take(p, &t);

	if (err == OC_ERR_MISMATCH)
		return OC_OK;
	if (err != OC_OK)
		return say_store(p, err, error);
	err = proof_want(&p->claim, proof_challenge_by(&p->claim, p->method),
	    NULL, &wanted);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s: %s", p->claim.name,
		    oc_strerror(err));
	question = proof_question(&wanted);
	err = cli_proof_ask(p, &question, &reply, error);
	if (err != OC_OK)
		return err;
	if (reply.fault == VALIDATION_OURS)
		oc_log(OC_LOG_WARNING, "%s could not be looked at: %s",
		    p->claim.name, reply.seen);
	err = record(p, &t, &reply);
	return err == OC_ERR_MISMATCH ? OC_OK : say_store(p, err, error);
}

/* Until it is over, or so long. */
static enum oc_err
look_until(struct cli_proof *p, int64_t until_at, struct oc_error *error)
{
	enum oc_err err = look(p, error);

	for (;;) {
		const struct store_challenge *c;
		int64_t now = oc_clock_now_s();

		if (err == OC_OK)
			err = read_claim(p, error);
		if (err != OC_OK || p->claim.state != STORE_PROOF_PENDING ||
		    p->claim.expires_at <= now || now >= until_at)
			return err;
		c = proof_challenge_by(&p->claim, p->method);
		if (c->next_try_at <= now)
			err = look(p, error);
		else
			(void)usleep(LOOK_US);
	}
}

/* --- on the site's behalf ----------------------------------------------- */

static enum oc_err
publish(struct cli_proof *p, enum validation_task task,
    struct oc_error *error)
{
	const struct validation_question question = {
		.task = task,
		.name = p->claim.name,
		.prefix = PROOF_DNS_PREFIX,
		.expected = proof_challenge_by(&p->claim, p->method)->token
	};
	struct validation_reply reply;
	enum oc_err err = cli_proof_ask(p, &question, &reply, error);

	if (err != OC_OK || reply.fault == VALIDATION_NO_FAULT)
		return err;
	return oc_error_set(error, OC_ERR_REFUSED, "the record at "
	    PROOF_DNS_PREFIX "%s: %s", p->claim.name, reply.seen);
}

static enum oc_err
look_published(struct cli_proof *p, int64_t until_at, struct oc_error *error)
{
	struct oc_error other = { 0 };
	enum oc_err err = publish(p, VALIDATION_PUBLISH, error);

	if (err != OC_OK)
		return err;
	err = look_until(p, until_at, error);
	if (publish(p, VALIDATION_WITHDRAW, &other) != OC_OK)
		oc_log(OC_LOG_WARNING, "it stays there: %s", other.text);
	return err;
}

/* --- options ------------------------------------------------------------ */

static enum oc_err
read_options(struct cli_proof *p, int64_t *wait_s, struct oc_error *error)
{
	struct cli *cli = p->cli;
	const char *method = cli_option(cli, "method");
	const char *wait = cli_option(cli, "wait");
	bool is_mail;

	if (store_method_find(method, &p->method) != OC_OK ||
	    p->method > STORE_METHOD_EMAIL)
		return oc_error_set(error, OC_ERR_USAGE, "--method: there is "
		    "no \"%.40s\"; dns, meta, file or email", method);
	is_mail = p->method == STORE_METHOD_EMAIL;
	if (!is_mail && (cli_has(cli, "to") || cli_has(cli, "code")))
		return oc_error_set(error, OC_ERR_USAGE, "--to and --code are "
		    "for --method email");
	if (cli_has(cli, "to") && cli_has(cli, "code"))
		return oc_error_set(error, OC_ERR_USAGE, "--to sends a code, "
		    "--code is the one that arrived: one of them");
	if (cli_has(cli, "publish") && p->method != STORE_METHOD_DNS)
		return oc_error_set(error, OC_ERR_USAGE, "--publish is for "
		    "--method dns");
	if (is_mail && wait != NULL)
		return oc_error_set(error, OC_ERR_USAGE, "--wait: who has the "
		    "code comes again with it");
	*wait_s = 0;
	if (wait == NULL)
		return OC_OK;
	*wait_s = INT32_MAX;
	if (wait[0] != '\0' && oc_value_duration(wait, wait_s, error) !=
	    OC_OK) {
		oc_error_prefix(error, "--wait");
		return OC_ERR_USAGE;
	}
	return OC_OK;
}

static enum oc_err
verify(struct cli_proof *p, int64_t wait_s, struct oc_error *error)
{
	int64_t until_at = oc_clock_now_s() + wait_s;
	enum oc_err err;

	if (p->method == STORE_METHOD_EMAIL)
		return cli_proof_by_mail(p, error);
	err = cli_has(p->cli, "publish") ?
	    look_published(p, until_at, error) :
	    look_until(p, until_at, error);
	return err == OC_OK ? cli_proof_print(p, error) : err;
}

enum oc_err
cli_zone_verify(struct cli *cli, struct oc_error *error)
{
	struct cli_proof *p = calloc(1, sizeof(*p));
	char name[CA_HOST_MAX];
	int64_t wait_s = 0;
	enum oc_err err;

	if (p == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	p->cli = cli;
	err = read_options(p, &wait_s, error);
	if (err == OC_OK)
		err = ca_zone_to_ascii(cli->args[0], name, error);
	if (err == OC_OK)
		err = cli_config(cli, &p->config, error);
	if (err == OC_OK)
		err = cli_find_account(cli, cli_option(cli, "account"),
		    STORE_WRITE, &p->store, &p->account, error);
	if (err == OC_OK)
		err = cli_zone_check_free(p->store, name, &p->account,
		    error);
	if (err == OC_OK)
		err = proof_open_claim(p->store, p->config, p->account.id,
		    name, oc_clock_now_s(), &p->claim, error);
	if (err == OC_OK && proof_challenge_by(&p->claim, p->method) == NULL)
		err = oc_error_set(error, OC_ERR_UNSUPPORTED, "there is no "
		    "proof by %s here; \"ocsign zone methods\" has those "
		    "there are", store_method_text(p->method));
	if (err == OC_OK && !cli_has(cli, "code"))
		err = open_validator(p, error);
	if (err == OC_OK)
		err = verify(p, wait_s, error);
	validation_client_free(p->validator);
	free(p);
	return err;
}
