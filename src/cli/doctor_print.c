/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's report: for people, and as one JSON document. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "cli/doctor.h"
#include "cli/print.h"
#include "cli/work_impl.h"

#define COLUMNS 78
#define NAME_WIDTH 12
#define INDENT 21

static bool
has_key(const char *key)
{
	return oc_config_has_key("token", key);
}

static const char *
level_word(enum p11_finding_level level)
{
	switch (level) {
	case P11_FINDING_OK:
		return "ok";
	case P11_FINDING_NOTE:
		return "note";
	case P11_FINDING_WARNING:
		return "WARNING";
	case P11_FINDING_BAD:
		return "BAD";
	}
	return "";
}

/* --- for people ------------------------------------------------------- */

/* Behind INDENT columns that are there already. */
static void
print_wrapped(const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > 0 && INDENT + column + 1 + len > COLUMNS) {
			printf("\n%*s", INDENT, "");
			column = 0;
		}
		printf("%s%.*s", column == 0 ? "" : " ", (int)len, text);
		column += len + 1;
		text += len;
		text += strspn(text, " ");
	}
	(void)putchar('\n');
}

static void
print_finding(void *arg, enum p11_probe probe, enum p11_finding_level level,
    const char *seen, const char *means)
{
	enum p11_probe *last = arg;

	printf("%-*s%-*s", NAME_WIDTH, *last == probe ? "" :
	    p11_probe_name(probe), INDENT - NAME_WIDTH, level_word(level));
	*last = probe;
	print_wrapped(seen);
	if (means[0] == '\0')
		return;
	printf("%*s", INDENT, "-> ");
	print_wrapped(means);
}

static void
print_findings(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts)
{
	enum p11_probe last = P11_PROBE_MAX;

	p11_doctor_findings(options, facts, print_finding, &last);
}

/* --- JSON ------------------------------------------------------------- */

static void
append_finding(void *arg, enum p11_probe probe, enum p11_finding_level level,
    const char *seen, const char *means)
{
	json_t *row = cli_object();

	cli_put_text(row, "probe", p11_probe_name(probe));
	cli_put_text(row, "level", level == P11_FINDING_WARNING ? "warning" :
	    level == P11_FINDING_BAD ? "bad" : level_word(level));
	cli_put_text(row, "seen", seen);
	cli_put_text(row, "means", means[0] == '\0' ? NULL : means);
	cli_append(arg, row);
}

static json_t *
rounds(const struct p11_doctor_facts *facts)
{
	json_t *rows = cli_array();

	for (size_t i = 0; i < facts->num_rounds; i++) {
		const struct p11_doctor_round *r = &facts->rounds[i];
		json_t *row = cli_object();

		cli_put_int(row, "sessions", r->num_sessions);
		cli_put_int(row, "per_second", r->seconds > 0 ? (int64_t)
		    ((double)r->num_signed / r->seconds) : 0);
		cli_put_int(row, "p50_us", r->p50_us);
		cli_put_int(row, "p99_us", r->p99_us);
		cli_put_int(row, "errors", (int64_t)r->num_failed);
		cli_put_int(row, "wrong", (int64_t)r->num_wrong);
		cli_append(rows, row);
	}
	return rows;
}

static const char *
state_word(enum p11_trial_state state)
{
	switch (state) {
	case P11_TRIAL_UNTRIED:
	case P11_TRIAL_RUNNING:
		return "untried";
	case P11_TRIAL_WORKS:
		return "works";
	case P11_TRIAL_REFUSED:
		return "refused";
	case P11_TRIAL_WRONG:
		return "wrong";
	case P11_TRIAL_HUNG:
		return "hung";
	case P11_TRIAL_CRASHED:
		return "crashed";
	}
	return "";
}

static json_t *
trials(const struct p11_doctor_facts *facts)
{
	json_t *rows = cli_array();

	for (size_t i = 0; i < facts->num_trials; i++) {
		const struct p11_doctor_trial *t = &facts->trials[i];
		const struct p11_doctor_mechanism *m =
		    &p11_doctor_mechanisms[t->mechanism];
		json_t *row = cli_object();

		cli_put_text(row, "key", facts->keys[t->key].entry.label);
		cli_put_text(row, "mechanism", m->name);
		cli_put_text(row, "algorithm", sign_alg_info(m->alg)->name);
		cli_put_text(row, "state", state_word(t->state));
		cli_put_int(row, "ckr", (int64_t)t->rv);
		cli_put_bool(row, "listed", facts->is_listed[t->mechanism]);
		cli_put_int(row, "init_us", t->init_us);
		cli_put_int(row, "sign_us", t->sign_us);
		cli_append(rows, row);
	}
	return rows;
}

/* What both documents have. */
static json_t *
make_document(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts)
{
	json_t *document = cli_object(), *findings = cli_array();

	p11_doctor_findings(options, facts, append_finding, findings);
	cli_put_text(document, "module", options->token.module);
	cli_put_text(document, "library", facts->description);
	cli_put(document, "findings", findings);
	return document;
}

static void
print_document(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, const char *reason,
    const char *section, const struct cli *cli)
{
	json_t *document = make_document(options, facts);

	cli_put_text(document, "token", facts->token.label);
	cli_put_text(document, "serial", facts->token.serial);
	cli_put_bool(document, "usable", reason[0] == '\0');
	cli_put_text(document, "reason", reason[0] == '\0' ? NULL : reason);
	cli_put_int(document, "sessions_opened", facts->num_opened);
	cli_put_int(document, "pool_size", p11_doctor_pool_size(facts));
	cli_put(document, "speed", rounds(facts));
	cli_put(document, "trials", trials(facts));
	cli_put_text(document, "section", section);
	cli_print(cli, document);
}

int
cli_doctor_print(struct cli *cli, const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts)
{
	char reason[P11_VERDICT_MAX];
	struct oc_buffer section;
	bool is_usable;

	is_usable = p11_doctor_is_usable(options, facts, reason);
	oc_buffer_init(&section, 64 * 1024);
	/* Of a token that was found: else there is nothing to say of it. */
	if (facts->outcomes[P11_PROBE_TOKEN].end == P11_END_DONE)
		p11_doctor_section(options, facts, has_key, &section);
	if (section.err != OC_OK)
		cli_no_memory();
	if (cli->format == CLI_FORMAT_JSON)
		print_document(options, facts, reason, oc_buffer_text(
		    &section), cli);
	else {
		print_findings(options, facts);
		if (is_usable)
			printf("\nThe token can be used.\n");
		else
			printf("\nThe token cannot be used so: %s.\n",
			    reason);
		if (section.len > 0)
			printf("\nFor ocsign.conf:\n\n%s",
			    oc_buffer_text(&section));
	}
	oc_buffer_fini(&section);
	return is_usable ? 0 : 1;
}

/* --- a module alone --------------------------------------------------- */

static const char *
state_of(const struct p11_token_entry *e)
{
	if (!e->is_initialized)
		return "not initialised";
	if (e->is_pin_locked)
		return "PIN locked";
	if (!e->has_user_pin)
		return "no user PIN";
	if (e->is_final_try)
		return "one PIN try left";
	return "ready";
}

/* RFC 7512, 2.3, and what a shell leaves alone in single quotes. */
static void
put_encoded(struct oc_buffer *b, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text != '\0'; text++)
		if (strchr(plain, *text) != NULL)
			oc_buffer_put(b, text, 1);
		else
			oc_buffer_printf(b, "%%%02X", (uint8_t)*text);
}

/* By its label, or by its serial number where that says more. */
static void
put_uri(struct oc_buffer *b, const struct p11_doctor_facts *facts, size_t i)
{
	const struct p11_token_entry *e = &facts->tokens[i];
	unsigned int num_same = 0;

	for (size_t n = 0; n < facts->num_tokens; n++)
		num_same += strcmp(facts->tokens[n].label, e->label) == 0;
	oc_buffer_put_text(b, "pkcs11:");
	if (e->label[0] != '\0') {
		oc_buffer_put_text(b, "token=");
		put_encoded(b, e->label);
	}
	if (num_same > 1 || e->label[0] == '\0') {
		oc_buffer_put_text(b, e->label[0] != '\0' ? ";serial=" :
		    "serial=");
		put_encoded(b, e->serial);
	}
}

static json_t *
token_rows(const struct p11_doctor_facts *facts)
{
	json_t *rows = cli_array();

	for (size_t i = 0; i < facts->num_tokens; i++) {
		const struct p11_token_entry *e = &facts->tokens[i];
		json_t *row = cli_object();
		struct oc_buffer b;

		oc_buffer_init(&b, 1024);
		put_uri(&b, facts, i);
		cli_put_text(row, "label", e->label);
		cli_put_text(row, "serial", e->serial);
		cli_put_text(row, "manufacturer", e->manufacturer);
		cli_put_text(row, "model", e->model);
		cli_put_text(row, "state", state_of(e));
		cli_put_text(row, "uri", e->is_initialized ?
		    oc_buffer_text(&b) : NULL);
		cli_append(rows, row);
		oc_buffer_fini(&b);
	}
	return rows;
}

static size_t
first_ready(const struct p11_doctor_facts *facts)
{
	size_t i = 0;

	while (i < facts->num_tokens && strcmp(state_of(&facts->tokens[i]),
	    "ready") != 0)
		i++;
	return i;
}

/* As it would be typed; values with a quote are the reader's. */
static void
put_next(struct oc_buffer *b, const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts)
{
	const char *const *e = options->token.environment;
	size_t i = first_ready(facts);

	oc_buffer_printf(b, "ocsign doctor %s '", options->token.module);
	put_uri(b, facts, i);
	oc_buffer_put_text(b, "'");
	if (!facts->tokens[i].has_pin_pad)
		oc_buffer_put_text(b, " --pin-source FILE");
	for (; e != NULL && *e != NULL; e++)
		oc_buffer_printf(b, " --environment '%s'", *e);
	if (options->token.init_args != NULL)
		oc_buffer_printf(b, " --init-args \"%s\"",
		    options->token.init_args);
}

int
cli_doctor_print_tokens(struct cli *cli,
    const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts)
{
	static const char *const columns[] = { "label", "serial", "model",
	    "state", "uri", NULL };
	bool is_ready = first_ready(facts) < facts->num_tokens;
	json_t *document, *rows = token_rows(facts);
	struct oc_buffer next;

	oc_buffer_init(&next, 16 * 1024);
	if (is_ready)
		put_next(&next, options, facts);
	if (cli->format == CLI_FORMAT_JSON) {
		document = make_document(options, facts);
		cli_put(document, "tokens", rows);
		cli_put_text(document, "next", is_ready ?
		    oc_buffer_text(&next) : NULL);
		cli_print(cli, document);
	} else {
		print_findings(options, facts);
		if (facts->num_tokens > 0) {
			(void)putchar('\n');
			cli_print_table(cli, rows, columns);
		} else
			json_decref(rows);
		if (is_ready)
			printf("\nNext, to try one of them:\n\n  $ %s\n",
			    oc_buffer_text(&next));
		else if (facts->num_tokens > 0)
			printf("\nNone is ready: write a [token] section and "
			    "run \"ocsign token init\".\n");
	}
	oc_buffer_fini(&next);
	return is_ready ? 0 : 1;
}
