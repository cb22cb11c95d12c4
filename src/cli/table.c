/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table verify: an issuer's response table, read as responders read it, and
 * each signature in it verified, which they never do.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/value.h"
#include "cli/print.h"
#include "cli/work.h"
#include "ocsp/answer.h"
#include "ocsp/table.h"
#include "sign/verify.h"
#include "status/identity.h"
#include "x509/cert.h"
#include "x509/file.h"

#define PROGRESS_AFTER_NS (2 * OC_NS_PER_S)
#define PROGRESS_EVERY_NS (OC_NS_PER_S / 2)
/* Other machines' clocks. */
#define FUTURE_MAX_S 300

struct check {
	const struct oc_config_ocsp *ocsp;
	char path[PATH_MAX];
	struct ocsp_table *table;
	struct ocsp_context *context;
	struct sign_verifier *verifier;
	struct ocsp_table_report report;
	int64_t now, begun_ns, told_ns;
	bool has_terminal;
	/* Of num_used slots every num_used / sample: what is due so far. */
	uint64_t sample, num_used, due;
	int64_t num_walked, num_signatures;
	int64_t num_forged, num_untimely, num_stale;
	bool is_another;		/* not for what the issuer has now */
};

static void
tell_progress(struct check *c)
{
	int64_t now_ns;

	if (!c->has_terminal)
		return;
	now_ns = oc_clock_mono_ns();
	if (now_ns - c->begun_ns < PROGRESS_AFTER_NS ||
	    now_ns - c->told_ns < PROGRESS_EVERY_NS)
		return;
	c->told_ns = now_ns;
	(void)fprintf(stderr, "\rocsign: %lld of %llu responses, %lld "
	    "signatures", (long long)c->num_walked,
	    (unsigned long long)c->num_used, (long long)c->num_signatures);
}

static void
end_progress(const struct check *c)
{
	if (c->told_ns != 0)
		(void)fputs("\r\033[K", stderr);
}

/* What ocsp_context_build() puts together is what clients get. */
static bool
is_signed(const struct check *c, const struct ocsp_slot *slot)
{
	uint8_t response[OCSP_RESPONSE_MAX];
	struct ocsp_response_view view;
	size_t len;

	return ocsp_context_build(c->context, slot, response,
	    sizeof(response), &len) == OC_OK &&
	    ocsp_response_read((struct der_bytes){ response, len }, &view,
	    NULL) == OC_OK &&
	    sign_verify(c->verifier, ocsp_table_identity(c->table)->alg,
	    view.data, view.signature) == OC_OK;
}

static bool
is_timely(const struct check *c, const struct ocsp_slot *slot)
{
	return slot->produced_at <= c->now + FUTURE_MAX_S &&
	    slot->this_update <= slot->produced_at &&
	    slot->this_update < slot->next_update &&
	    slot->next_update <=
	    ocsp_table_identity(c->table)->signer_not_after &&
	    (slot->status.kind != OCSP_REVOKED ||
	    slot->status.revoked_at <= slot->produced_at + FUTURE_MAX_S);
}

static bool
check_slot(void *arg, const struct ocsp_slot *slot)
{
	struct check *c = arg;

	c->num_walked++;
	c->num_untimely += !is_timely(c, slot);
	c->num_stale += slot->next_update < c->now;
	c->due += c->sample;
	if (c->due >= c->num_used) {
		c->due -= c->num_used;
		c->num_signatures++;
		c->num_forged += !is_signed(c, slot);
	}
	tell_progress(c);
	return true;
}

static enum oc_err
make_verifier(struct check *c, struct oc_error *error)
{
	const struct ocsp_identity *identity = ocsp_table_identity(c->table);
	struct der_bytes der = { identity->certs, identity->certs_len };
	struct x509_cert cert;
	uint8_t *ca = NULL;
	enum oc_err err = OC_OK;

	if (der.len == 0) {
		err = x509_file_read(c->ocsp->issuer->certificate,
		    X509_FILE_CERTIFICATE, &ca, &der.len, error);
		der.p = ca;
	}
	if (err == OC_OK)
		err = x509_cert_read(der, &cert, error);
	if (err == OC_OK) {
		err = sign_verifier_new(cert.spki, &c->verifier);
		if (err != OC_OK)
			oc_error_set(error, err, "the signer's key is of no "
			    "use: %s", oc_strerror(err));
	}
	free(ca);
	return err;
}

static enum oc_err
open_table(struct check *c, struct oc_error *error)
{
	struct oc_error why = { 0 };
	enum oc_err err;

	err = ocsp_table_open(c->path, &c->table, &why);
	if (err == OC_ERR_MALFORMED)
		return oc_error_set(error, err, "%s: ocsignd makes it anew "
		    "when it starts, and has all signed again", why.text);
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s", why.text);
}

static enum oc_err
open_all(struct check *c, struct cli *cli, struct oc_error *error)
{
	const struct oc_config *config;
	struct ocsp_identity *identity = NULL;
	enum oc_err err;

	err = cli_config(cli, &config, error);
	if (err == OC_OK)
		err = cli_find_ocsp(cli, cli_option(cli, "issuer"),
		    cli_option(cli, "signer"), &c->ocsp, error);
	if (err != OC_OK)
		return err;
	(void)snprintf(c->path, sizeof(c->path), "%s/%s.table",
	    config->daemon.table_directory, c->ocsp->name);
	err = open_table(c, error);
	if (err == OC_OK)
		err = status_identity_load(c->ocsp, &identity, error);
	if (err != OC_OK)
		return err;
	c->is_another = !ocsp_identity_equal(identity,
	    ocsp_table_identity(c->table));
	free(identity);
	err = make_verifier(c, error);
	if (err == OC_OK && ocsp_context_new(ocsp_table_identity(c->table),
	    &c->context) != OC_OK)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	return err;
}

static void
check_all(struct check *c)
{
	c->num_used = ocsp_table_num_used(c->table);
	if (c->sample == 0 || c->sample > c->num_used)
		c->sample = c->num_used;
	/* Another run looks at others. */
	if (c->sample < c->num_used &&
	    getrandom(&c->due, sizeof(c->due), 0) == sizeof(c->due))
		c->due %= c->num_used;
	ocsp_table_walk(c->table, check_slot, c);
	end_progress(c);
}

static void
put_defect(json_t *defects, const char *kind, int64_t num, const char *about)
{
	json_t *row;

	if (num == 0)
		return;
	row = cli_object();
	cli_put_text(row, "kind", kind);
	cli_put_int(row, "number", num);
	cli_put_text(row, "about", about);
	cli_append(defects, row);
}

#define MENDED "ocsign-status drops them within minutes, and has signed " \
	"again what is missing"
#define START_AGAIN "start ocsignd again, which makes the index anew"
#define SIGN_AGAIN "stop ocsignd, remove the table, and start ocsignd: all " \
	"is signed again; then find out who wrote to it"

static json_t *
list_defects(const struct check *c)
{
	json_t *list = cli_array();

	put_defect(list, "another identity", c->is_another,
	    "it is not for the certificates that the issuer has now; ocsignd "
	    "makes it anew with the next reload");
	put_defect(list, "damaged slots", c->report.num_torn,
	    "nobody is answered from them; " MENDED);
	put_defect(list, "lost slots", c->report.num_lost,
	    "whole, but the index does not lead to them; " MENDED);
	put_defect(list, "stray entries", c->report.num_strays,
	    "in the index, and they lead nowhere; " START_AGAIN);
	put_defect(list, "wrong count", c->report.is_miscounted,
	    "the header has another number of responses; " START_AGAIN);
	put_defect(list, "bad signatures", c->num_forged,
	    "they are not by the key that responses are signed with; "
	    SIGN_AGAIN);
	put_defect(list, "impossible times", c->num_untimely,
	    "made in the future, or not valid when made, or longer than who "
	    "signed; " SIGN_AGAIN);
	return list;
}

static void
tell(struct cli *cli, const struct check *c)
{
	json_t *facts = cli_object(), *defects = list_defects(c), *row;
	size_t i;

	if (json_array_size(defects) > 0)
		cli->exit_status = 1;
	cli_put_text(facts, "table", c->path);
	cli_put_text(facts, "verdict", cli->exit_status == 0 ? "good" :
	    "bad");
	cli_put_int(facts, "responses", c->num_walked);
	cli_put_int(facts, "past_their_time", c->num_stale);
	cli_put_int(facts, "signatures_verified", c->num_signatures);
	if (cli->format == CLI_FORMAT_JSON) {
		cli_put(facts, "defects", defects);
		cli_print(cli, facts);
		return;
	}
	cli_print(cli, facts);
	json_array_foreach(defects, i, row)
		printf("%s (%lld): %s\n",
		    json_string_value(json_object_get(row, "kind")),
		    (long long)json_integer_value(json_object_get(row,
		    "number")),
		    json_string_value(json_object_get(row, "about")));
	json_decref(defects);
}

static enum oc_err
table_verify(struct cli *cli, struct oc_error *error)
{
	const char *sample = cli_option(cli, "sample");
	struct check c = { .now = oc_clock_now_s(),
	    .begun_ns = oc_clock_mono_ns(),
	    .has_terminal = isatty(STDERR_FILENO) };
	int64_t num = 0;
	enum oc_err err;

	if (sample != NULL && oc_value_int(sample, 1, UINT32_MAX, &num,
	    error) != OC_OK) {
		oc_error_prefix(error, "--sample");
		return OC_ERR_USAGE;
	}
	c.sample = (uint64_t)num;
	err = open_all(&c, cli, error);
	if (err == OC_OK) {
		check_all(&c);
		err = ocsp_table_verify(c.table, &c.report);
		if (err != OC_OK)
			oc_error_set(error, err, "%s has a damaged header",
			    c.path);
	}
	if (err == OC_OK)
		tell(cli, &c);
	sign_verifier_free(c.verifier);
	ocsp_context_free(c.context);
	ocsp_table_close(c.table);
	return err;
}

static const struct cli_option verify_options[] = {
	{ "issuer", "NAME", CLI_REQUIRED, "the [issuer NAME] whose it is" },
	{ "signer", "NAME", CLI_OPTIONAL,
	    "the [ocsp-signer NAME]; else the issuer's own" },
	{ "sample", "NUMBER", CLI_OPTIONAL,
	    "verify so many signatures instead of all" },
	{ NULL }
};

const struct cli_command cli_table_commands[] = {
	{ .noun = "table", .verb = "verify", .options = verify_options,
	    .summary = "check a response table",
	    .about = "Checks that an issuer's response table is whole, and "
		"verifies the signatures in it; also while the service runs. "
		"What is wrong is a line for each kind, and exit status 1.",
	    .example = "ocsign table verify --issuer web --sample 10000",
	    .run = table_verify },
	{ NULL }
};
