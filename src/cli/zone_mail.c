/* SPDX-License-Identifier: Apache-2.0 */
/* zone verify --method email: who may be written to, the message, the code. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/zone.h"

static enum oc_err
ask_contacts(struct cli_proof *p, struct validation_reply *reply,
    struct oc_error *error)
{
	const struct validation_question question = {
		.task = VALIDATION_CONTACTS,
		.name = p->claim.name
	};
	enum oc_err err = cli_proof_ask(p, &question, reply, error);

	if (err == OC_OK && reply->fault != VALIDATION_NO_FAULT)
		err = oc_error_set(error, OC_ERR_DOWN, "whom to write to: %s",
		    reply->seen);
	return err;
}

static enum oc_err
list_contacts(struct cli_proof *p, const struct validation_reply *reply)
{
	static const char *const columns[] = { "address", "from", NULL };
	json_t *rows = cli_array();

	for (uint32_t i = 0; i < reply->num_contacts; i++) {
		json_t *row = cli_object();

		cli_put_text(row, "address", reply->contacts[i]);
		cli_put_text(row, "from", i < reply->num_found ?
		    "registry" : "constructed");
		cli_append(rows, row);
	}
	cli_print_table(p->cli, rows, columns);
	p->cli->exit_status = 1;
	return OC_OK;
}

/* The one they mean, as it was found: a local part's case may count. */
static const char *
find_contact(const struct validation_reply *reply, const char *to)
{
	for (uint32_t i = 0; i < reply->num_contacts; i++)
		if (strcasecmp(reply->contacts[i], to) == 0)
			return reply->contacts[i];
	return NULL;
}

static enum oc_err
say_store(struct cli_proof *p, enum oc_err err, struct oc_error *error)
{
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s",
	    store_error(p->store));
}

/* Inside a group: the claim as it is now, since others may have sent one while
 * the contacts were looked for. */
static enum oc_err
note_in_group(struct cli_proof *p, const char *to,
    const uint8_t hash[STORE_HASH_LEN], struct oc_error *error)
{
	int64_t now_at = oc_clock_now_s();
	const struct store_challenge *c;
	enum oc_err err;

	err = store_get_authorization(p->store, p->claim.id, &p->claim);
	if (err != OC_OK)
		return say_store(p, err, error);
	c = proof_challenge_by(&p->claim, p->method);
	err = proof_check_send(c, now_at, error);
	return err != OC_OK ? err : say_store(p, store_send_challenge(
	    p->store, c->id, to, hash, now_at), error);
}

static enum oc_err
note_sent(struct cli_proof *p, const char *to,
    const uint8_t hash[STORE_HASH_LEN], struct oc_error *error)
{
	enum oc_err err = store_begin_group(p->store);

	if (err != OC_OK)
		return say_store(p, err, error);
	err = note_in_group(p, to, hash, error);
	if (err == OC_OK)
		return say_store(p, store_commit_group(p->store), error);
	store_abandon_group(p->store);
	return err;
}

/* Written down first: a code that arrives is one that is known. */
static enum oc_err
send_code(struct cli_proof *p, const char *to, struct oc_error *error)
{
	char code[PROOF_CODE_TEXT_MAX], subject[PROOF_SUBJECT_MAX];
	uint8_t hash[STORE_HASH_LEN];
	struct validation_question question = { .task = VALIDATION_MAIL,
		.name = p->claim.name, .to = to, .subject = subject };
	struct validation_reply reply = { .fault = VALIDATION_NO_FAULT };
	struct oc_buffer body;
	enum oc_err err;

	oc_buffer_init(&body, VALIDATION_BODY_MAX);
	err = proof_new_code(code, hash);
	if (err == OC_OK) {
		proof_write_mail(&p->config->validation, &p->claim,
		    p->account.name, code, subject, &body);
		err = body.err;
	}
	if (err != OC_OK)
		(void)oc_error_set(error, err, "a code: %s",
		    oc_strerror(err));
	if (err == OC_OK)
		err = note_sent(p, to, hash, error);
	question.body = oc_buffer_text(&body);
	if (err == OC_OK)
		err = cli_proof_ask(p, &question, &reply, error);
	if (err == OC_OK && reply.fault != VALIDATION_NO_FAULT)
		err = oc_error_set(error, OC_ERR_REFUSED, "the message to %s: "
		    "%s", to, reply.seen);
	oc_buffer_fini(&body);
	OPENSSL_cleanse(code, sizeof(code));
	return err;
}

static enum oc_err
send(struct cli_proof *p, struct oc_error *error)
{
	const char *to = cli_option(p->cli, "to"), *contact;
	struct validation_reply reply;
	json_t *facts;
	enum oc_err err = ask_contacts(p, &reply, error);

	if (err != OC_OK)
		return err;
	if (to == NULL)
		return list_contacts(p, &reply);
	contact = find_contact(&reply, to);
	if (contact == NULL)
		return oc_error_set(error, OC_ERR_REFUSED, "%.254s is none of "
		    "those who may be written to; without --to they are "
		    "listed", to);
	err = send_code(p, contact, error);
	if (err != OC_OK)
		return err;
	facts = cli_object();
	cli_put_text(facts, "zone", p->claim.name);
	cli_put_text(facts, "account", p->account.name);
	cli_put_text(facts, "state", "pending");
	cli_put_text(facts, "sent_to", contact);
	cli_put_text(facts, "note", "not acceptable for certificates that the "
	    "public is to trust");
	cli_print(p->cli, facts);
	return OC_OK;
}

static enum oc_err
redeem(struct cli_proof *p, struct oc_error *error)
{
	const char *code = cli_option(p->cli, "code");
	struct oc_secret typed = { .len = 0 };
	enum oc_err err = OC_OK;

	if (strcmp(code, "-") == 0) {
		err = oc_secret_read(&typed, "code", STDIN_FILENO, error);
		code = (const char *)typed.bytes;
	}
	if (err == OC_OK) {
		err = proof_redeem_code(p->store, &p->config->validation,
		    &p->claim, code, oc_clock_now_s());
		err = err == OC_ERR_MISMATCH ? OC_OK : say_store(p, err,
		    error);
	}
	oc_secret_fini(&typed);
	return err == OC_OK ? cli_proof_print(p, error) : err;
}

enum oc_err
cli_proof_by_mail(struct cli_proof *p, struct oc_error *error)
{
	return cli_has(p->cli, "code") ? redeem(p, error) : send(p, error);
}
