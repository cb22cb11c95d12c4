/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert lint, crl lint and ocsp lint: files through lint/, findings out.  What
 * is in them is taken as it is: a certificate that nobody else would read is
 * what these are for.
 */
#include "cli/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/pem.h"
#include "cli/print.h"
#include "der/tag.h"
#include "lint/lint.h"
#include "x509/file.h"

struct linting {
	struct cli *cli;
	const char *path;
	struct lint_input input;
	struct lint_set exempt;
	uint8_t *octets, *issuer, *request;
	size_t len;
	struct lint_report report;
	json_t *objects;		/* for --json */
	unsigned int num_objects, num_findings, num_errors;
};

static void
lint_fini(struct linting *l)
{
	json_decref(l->objects);
	free(l->octets);
	free(l->issuer);
	free(l->request);
}

/* --- output ----------------------------------------------------------- */

static json_t *
finding_object(const struct lint_finding *f)
{
	json_t *o = cli_object();

	cli_put_text(o, "rule", f->rule->name);
	cli_put_int(o, "check", f->rule->check);
	cli_put_text(o, "severity", lint_severity_name(f->severity));
	cli_put_text(o, "citation", f->rule->citation);
	cli_put_text(o, "about", f->rule->about);
	cli_put_text(o, "detail", f->detail.text);
	return o;
}

/* "site.pem: error: rule: about: detail (citation)"; of others than the first,
 * "site.pem, certificate 2: ..." */
static void
print_finding(const struct linting *l, const struct lint_finding *f)
{
	if (l->num_objects > 1)
		printf("%s, certificate %u: ", l->path, l->num_objects);
	else
		printf("%s: ", l->path);
	printf("%s: %s: %s", lint_severity_name(f->severity), f->rule->name,
	    f->rule->about);
	/* Where there is no value, they say the same. */
	if (strcmp(f->rule->about, f->detail.text) != 0)
		printf(": %s", f->detail.text);
	printf(" (%s)\n", f->rule->citation);
}

/* Of one certificate, CRL or response; kind NULL: it has none. */
static void
tell_report(struct linting *l, const char *kind)
{
	json_t *object = cli_object(), *list = cli_array();
	uint32_t i;

	l->num_objects++;
	l->num_findings += l->report.num_findings;
	l->num_errors += l->report.num_errors;
	cli_put_int(object, "number", l->num_objects);
	cli_put_text(object, "kind", kind);
	for (i = 0; i < l->report.num_findings; i++) {
		cli_append(list, finding_object(&l->report.findings[i]));
		if (l->cli->format == CLI_FORMAT_TEXT)
			print_finding(l, &l->report.findings[i]);
	}
	cli_put(object, "findings", list);
	cli_put_bool(object, "cut", l->report.is_cut);
	cli_append(l->objects, object);
	if (l->report.is_cut && l->cli->format == CLI_FORMAT_TEXT)
		printf("%s: and more\n", l->path);
}

static void
tell_sum(struct linting *l, const char *what)
{
	json_t *all;

	if (l->num_errors > 0)
		l->cli->exit_status = 1;
	if (l->cli->format == CLI_FORMAT_JSON) {
		all = cli_object();
		cli_put_text(all, "file", l->path);
		cli_put(all, "linted", json_incref(l->objects));
		cli_put_int(all, "findings", l->num_findings);
		cli_put_int(all, "errors", l->num_errors);
		cli_print(l->cli, all);
	} else if (l->num_findings == 0) {
		printf("%s: %u %s%s, nothing found\n", l->path,
		    l->num_objects, what, l->num_objects == 1 ? "" : "s");
	}
}

static enum oc_err
list_rules(struct cli *cli)
{
	static const char *const columns[] = { "rule", "check", "severity",
	    "for", "citation", "about", NULL };
	char kinds[LINT_KINDS_TEXT_MAX];
	const struct lint_rule *rule;
	json_t *rows = cli_array();
	size_t i;

	for (i = 0; (rule = lint_rule_at(i)) != NULL; i++) {
		json_t *row = cli_object();

		cli_put_text(row, "rule", rule->name);
		cli_put_int(row, "check", rule->check);
		cli_put_text(row, "severity", rule->audience == LINT_PUBLIC ?
		    "public" : lint_severity_name(rule->severity));
		cli_put_text(row, "for", lint_rule_kinds(rule, kinds));
		cli_put_text(row, "citation", rule->citation);
		cli_put_text(row, "about", rule->about);
		cli_append(rows, row);
	}
	cli_print_table(cli, rows, columns);
	return OC_OK;
}

/* --- input ------------------------------------------------------------ */

static enum oc_err
begin(struct linting *l, enum oc_err (*read)(struct linting *l,
    struct oc_error *error), struct oc_error *error)
{
	const char *name;
	size_t i;

	l->objects = cli_array();
	l->path = l->cli->args[0];
	for (i = 0; (name = cli_option_at(l->cli, "exempt", i)) != NULL; i++)
		if (lint_set_add(&l->exempt, name, error) != OC_OK) {
			oc_error_prefix(error, "--exempt");
			return OC_ERR_USAGE;
		}
	return read(l, error);
}

/* The issuer's, or a signer's: the first in its file. */
static enum oc_err
read_issuer(struct linting *l, const char *option, struct oc_error *error)
{
	const char *path = cli_option(l->cli, option);
	enum oc_err err;

	if (path == NULL)
		return OC_OK;
	err = x509_file_read(path, X509_FILE_CERTIFICATE, &l->issuer,
	    &l->input.issuer.len, error);
	l->input.issuer.p = l->issuer;
	return err;
}

static enum oc_err
read_file(struct linting *l, size_t max, struct oc_error *error)
{
	enum oc_err err;

	err = oc_file_read(l->path, max, &l->octets, &l->len, error);
	if (err == OC_OK && oc_pem_has_private_key((const char *)l->octets,
	    l->len))
		err = oc_error_set(error, OC_ERR_REFUSED, "%s: holds a "
		    "private key; keep it where it is, and give the "
		    "certificate only", l->path);
	if (strcmp(l->path, "-") == 0)
		l->path = "standard input";
	return err;
}

static enum oc_err
read_certificates(struct linting *l, struct oc_error *error)
{
	const char *kind = cli_option(l->cli, "as");
	enum oc_err err;

	if (kind != NULL && lint_kind_parse(kind, &l->input.kind, error) !=
	    OC_OK) {
		oc_error_prefix(error, "--as");
		return OC_ERR_USAGE;
	}
	if (cli_has(l->cli, "public"))
		l->input.audience = LINT_PUBLIC;
	l->input.exempt = &l->exempt;
	err = read_issuer(l, "issuer-cert", error);
	if (err == OC_OK)
		err = read_file(l, OC_LINT_FILE_MAX, error);
	return err;
}

/* --- cert lint -------------------------------------------------------- */

/* --issuer-cert is of the first: what follows in a file is its chain, or has
 * nothing to do with it. */
static void
lint_one(struct linting *l, struct der_bytes der)
{
	enum lint_kind kind;

	if (l->num_objects > 0)
		l->input.issuer = (struct der_bytes){ NULL, 0 };
	l->input.der = der;
	lint_certificate(&l->input, &l->report, &kind);
	tell_report(l, lint_kind_name(kind));
}

static bool
is_certificate(const char *label)
{
	return strcmp(label, "CERTIFICATE") == 0 ||
	    strcmp(label, "X509 CERTIFICATE") == 0;
}

/* Every certificate in PEM; without a block of PEM, the file as DER. */
static enum oc_err
lint_file(struct linting *l, struct oc_error *error)
{
	struct oc_pem_cursor cursor = { .text = (const char *)l->octets,
	    .len = l->len };
	char label[OC_PEM_LABEL_MAX + 1];
	uint8_t *der;
	size_t len;
	enum oc_err err;

	if (l->len > 0 && l->octets[0] == DER_SEQUENCE) {
		lint_one(l, (struct der_bytes){ l->octets, l->len });
		return OC_OK;
	}
	while ((err = oc_pem_next(&cursor, label, &der, &len, error)) ==
	    OC_OK) {
		if (is_certificate(label))
			lint_one(l, (struct der_bytes){ der, len });
		free(der);
	}
	if (err != OC_ERR_NOT_FOUND)
		return oc_error_prefix(error, "%s", l->path);
	if (l->num_objects == 0)
		return oc_error_set(error, OC_ERR_MALFORMED, "%s: not a "
		    "certificate, neither in PEM nor in DER", l->path);
	return OC_OK;
}

enum oc_err
cli_cert_lint(struct cli *cli, struct oc_error *error)
{
	struct linting *l;
	enum oc_err err;

	if (cli_has(cli, "list"))
		return list_rules(cli);
	if (cli->num_args == 0)
		return oc_error_set(error, OC_ERR_USAGE, "cert lint wants a "
		    "file: \"ocsign cert lint FILE\", or --list");
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	l->cli = cli;
	err = begin(l, read_certificates, error);
	if (err == OC_OK)
		err = lint_file(l, error);
	if (err == OC_OK)
		tell_sum(l, "certificate");
	lint_fini(l);
	free(l);
	return err;
}

/* --- crl lint, ocsp lint ---------------------------------------------- */

static enum oc_err
read_crl(struct linting *l, struct oc_error *error)
{
	enum oc_err err = read_issuer(l, "issuer-cert", error);

	return err != OC_OK ? err : x509_file_read(l->path, X509_FILE_CRL,
	    &l->octets, &l->len, error);
}

static enum oc_err
read_response(struct linting *l, struct oc_error *error)
{
	enum oc_err err = read_issuer(l, "signer-cert", error);

	return err != OC_OK ? err : read_file(l, OCSP_RESPONSE_MAX, error);
}

static enum oc_err
lint_the_crl(struct linting *l, struct oc_error *error)
{
	const char *url = cli_option(l->cli, "url");
	const struct lint_crl_input input = {
		.der = { l->octets, l->len },
		.issuer = l->input.issuer,
		.url = { (const uint8_t *)url, url == NULL ? 0 :
		    strlen(url) },
		.exempt = &l->exempt,
	};

	if (lint_crl(&input, &l->report) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	return OC_OK;
}

static enum oc_err
lint_the_response(struct linting *l, struct oc_error *error)
{
	const char *path = cli_option(l->cli, "request");
	struct lint_ocsp_input input = {
		.der = { l->octets, l->len },
		.signer = l->input.issuer,
		.audience = cli_has(l->cli, "public") ? LINT_PUBLIC :
		    LINT_PRIVATE,
		.exempt = &l->exempt,
	};
	enum oc_err err = OC_OK;

	if (path != NULL)
		err = oc_file_read(path, OCSP_REQUEST_MAX, &l->request,
		    &input.request.len, error);
	input.request.p = l->request;
	if (err == OC_OK)
		lint_ocsp(&input, &l->report);
	return err;
}

static enum oc_err
lint_single(struct cli *cli, enum oc_err (*read)(struct linting *l,
    struct oc_error *error), enum oc_err (*run)(struct linting *l,
    struct oc_error *error), const char *what, struct oc_error *error)
{
	struct linting *l = calloc(1, sizeof(*l));
	enum oc_err err;

	if (l == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	l->cli = cli;
	err = begin(l, read, error);
	if (err == OC_OK)
		err = run(l, error);
	if (err == OC_OK) {
		tell_report(l, NULL);
		tell_sum(l, what);
	}
	lint_fini(l);
	free(l);
	return err;
}

enum oc_err
cli_crl_lint(struct cli *cli, struct oc_error *error)
{
	return lint_single(cli, read_crl, lint_the_crl, "CRL", error);
}

enum oc_err
cli_ocsp_lint(struct cli *cli, struct oc_error *error)
{
	return lint_single(cli, read_response, lint_the_response, "response",
	    error);
}

/* --- options ---------------------------------------------------------- */

const struct cli_option cli_cert_lint_options[] = {
	{ "issuer-cert", "FILE", CLI_OPTIONAL,
	    "hold the first against its issuer's, too" },
	{ "as", "KIND", CLI_OPTIONAL, "server, client, ocsp-signer, ..." },
	{ "public", NULL, CLI_OPTIONAL, "by the rules for public CAs" },
	{ "exempt", "RULE", CLI_REPEATED, "without this rule" },
	{ "list", NULL, CLI_OPTIONAL, "print all rules instead" },
	{ NULL }
};

const struct cli_option cli_crl_lint_options[] = {
	{ "issuer-cert", "FILE", CLI_OPTIONAL,
	    "hold it against its issuer's, too" },
	{ "url", "URL", CLI_OPTIONAL, "where certificates say it is" },
	{ "exempt", "RULE", CLI_REPEATED, "without this rule" },
	{ NULL }
};

const struct cli_option cli_ocsp_lint_options[] = {
	{ "signer-cert", "FILE", CLI_OPTIONAL,
	    "its signer's, if that is not inside" },
	{ "request", "FILE", CLI_OPTIONAL, "the request, in DER" },
	{ "public", NULL, CLI_OPTIONAL, "by the rules for public CAs" },
	{ "exempt", "RULE", CLI_REPEATED, "without this rule" },
	{ NULL }
};
