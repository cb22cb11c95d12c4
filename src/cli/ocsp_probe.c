/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp probe: the conformance cases of src/probe against a responder. */
#include "cli/ocsp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/value.h"
#include "cli/responder.h"
#include "cli/work_impl.h"
#include "probe/probe.h"
#include "x509/file.h"

#define TIMEOUT_S 10
#define TIMEOUT_MAX_S 60
/* The issuers, --cert, --revoked, --expired, --other-cert. */
#define FILES_MAX (PROBE_CERTS_MAX + 5)

struct probing {
	struct cli *cli;
	struct probe_options options;
	char *url;
	int64_t timeout_ns;
	struct cli_responder responder;
	struct {
		uint8_t *der;
		struct x509_cert *cert;
	} files[FILES_MAX];
	size_t num_files;
	struct probe_signer *signer;
	struct probe *probe;
	json_t *rows;
	unsigned int num[PROBE_SKIPPED + 1];	/* by verdict */
};

/* --- what it is asked about ------------------------------------------- */

static enum oc_err
read_cert(struct probing *g, const char *path, const struct x509_cert **out,
    struct oc_error *error)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct der_bytes der;
	enum oc_err err;

	oc_assert(g->num_files < FILES_MAX);
	if (cert == NULL)
		cli_no_memory();
	g->files[g->num_files].cert = cert;
	err = x509_file_read(path, X509_FILE_CERTIFICATE,
	    &g->files[g->num_files].der, &der.len, error);
	der.p = g->files[g->num_files++].der;
	if (err != OC_OK)
		return err;
	err = x509_cert_read(der, cert, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "%s", path);
	*out = cert;
	return OC_OK;
}

/* A certificate of this issuer, or none where the option was not given. */
static enum oc_err
read_issued(struct probing *g, const char *path,
    const struct x509_cert *issuer, const struct x509_cert **out,
    struct oc_error *error)
{
	enum oc_err err;

	if (path == NULL)
		return OC_OK;
	if (issuer == NULL)
		return oc_error_set(error, OC_ERR_USAGE,
		    "whose is --other-cert? give --other-issuer");
	err = read_cert(g, path, out, error);
	if (err != OC_OK)
		return err;
	err = x509_cert_verify_issued(*out, issuer, error);
	return err == OC_OK ? OC_OK : oc_error_prefix(error,
	    "the issuer given did not issue %s", path);
}

static enum oc_err
read_files(struct probing *g, struct oc_error *error)
{
	const char *path = cli_option(g->cli, "other-issuer");
	struct probe_options *o = &g->options;
	enum oc_err err;

	err = read_cert(g, cli_option(g->cli, "issuer"), &o->issuer, error);
	for (; err == OC_OK && cli_option_at(g->cli, "cert",
	    o->num_certs) != NULL; o->num_certs++) {
		if (o->num_certs == PROBE_CERTS_MAX)
			return oc_error_set(error, OC_ERR_USAGE,
			    "--cert more than %d times", PROBE_CERTS_MAX);
		err = read_issued(g, cli_option_at(g->cli, "cert",
		    o->num_certs), o->issuer, &o->certs[o->num_certs],
		    error);
	}
	if (err == OC_OK)
		err = read_issued(g, cli_option(g->cli, "revoked"),
		    o->issuer, &o->revoked, error);
	if (err == OC_OK)
		err = read_issued(g, cli_option(g->cli, "expired"),
		    o->issuer, &o->expired, error);
	if (err == OC_OK && path != NULL)
		err = read_cert(g, path, &o->other_issuer, error);
	if (err == OC_OK)
		err = read_issued(g, cli_option(g->cli, "other-cert"),
		    o->other_issuer, &o->other_cert, error);
	return err;
}

/* Who asks, where requests are to be signed. */
static enum oc_err
read_signer(struct probing *g, struct oc_error *error)
{
	const char *key = cli_option(g->cli, "sign-key");
	const char *cert = cli_option(g->cli, "sign-cert");
	enum oc_err err;

	if (key == NULL && cert == NULL)
		return OC_OK;
	if (key == NULL || cert == NULL)
		return oc_error_set(error, OC_ERR_USAGE, "--sign-key and "
		    "--sign-cert go together: a key and its certificate");
	err = probe_signer_read(key, cert, &g->signer, error);
	g->options.signer = g->signer;
	return err;
}

/* --- whom ------------------------------------------------------------- */

/* The argument, or what the first certificate says. */
static enum oc_err
find_url(struct probing *g, struct oc_error *error)
{
	const struct x509_extensions *e = &g->options.certs[0]->extensions;

	if (g->cli->num_args > 0)
		g->url = strdup(g->cli->args[0]);
	else if (e->num_ocsp_urls == 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "the "
		    "certificate names no responder; give its URL");
	else
		g->url = strndup((const char *)e->ocsp_urls[0].p,
		    e->ocsp_urls[0].len);
	if (g->url == NULL)
		cli_no_memory();
	return OC_OK;
}

/* The address that answers now is the one that is probed. */
static enum oc_err
find_peer(struct probing *g, struct oc_error *error)
{
	enum oc_err err = cli_responder_find(g->url, g->timeout_ns,
	    &g->responder, error);

	g->options.peer = g->responder.peer;
	g->responder.peer.first_fd = -1;
	g->options.authority = g->responder.authority;
	g->options.path = g->responder.path;
	return err;
}

static enum oc_err
parse_options(struct probing *g, struct oc_error *error)
{
	const char *timeout = cli_option(g->cli, "timeout"), *name;
	int64_t timeout_s = TIMEOUT_S;

	if (timeout != NULL && oc_value_int(timeout, 1, TIMEOUT_MAX_S,
	    &timeout_s, NULL) != OC_OK)
		return oc_error_set(error, OC_ERR_USAGE, "--timeout \"%.40s\" "
		    "is no number of seconds from 1 to %d", timeout,
		    TIMEOUT_MAX_S);
	g->timeout_ns = timeout_s * OC_NS_PER_S;
	g->options.is_thorough = cli_has(g->cli, "thorough");
	if (cli_option(g->cli, "issuer") == NULL ||
	    cli_option(g->cli, "cert") == NULL)
		return oc_error_set(error, OC_ERR_USAGE, "about which "
		    "certificate? give --issuer and --cert, or --list");
	for (size_t n = 0; (name = cli_option_at(g->cli, "case", n)) != NULL;
	    n++)
		if (probe_case_find(name) == NULL)
			return oc_error_set(error, OC_ERR_USAGE, "there is "
			    "no case \"%.60s\"; --list names them", name);
	return OC_OK;
}

/* --- what is said ----------------------------------------------------- */

static void
tell(struct probing *g, const struct probe_case *c,
    const struct probe_result *r)
{
	json_t *row;

	g->num[r->verdict]++;
	if (g->cli->format == CLI_FORMAT_TEXT) {
		(void)printf("%-8s %-23s %-16s %s\n",
		    probe_verdict_name(r->verdict), c->name, c->clause,
		    r->seen.text);
		(void)fflush(stdout);
		return;
	}
	row = cli_object();
	cli_put_text(row, "case", c->name);
	cli_put_text(row, "clause", c->clause);
	cli_put_text(row, "about", c->about);
	cli_put_text(row, "verdict", probe_verdict_name(r->verdict));
	cli_put_text(row, "seen", r->seen.text);
	cli_append(g->rows, row);
}

static void
tell_sum(struct probing *g)
{
	json_t *all;

	if (g->cli->format == CLI_FORMAT_TEXT) {
		(void)printf("%s: %u passed, %u failed, %u by policy, "
		    "%u skipped\n", g->url, g->num[PROBE_PASS],
		    g->num[PROBE_FAIL], g->num[PROBE_POLICY],
		    g->num[PROBE_SKIPPED]);
		return;
	}
	all = cli_object();
	cli_put_text(all, "url", g->url);
	cli_put_int(all, "pass", g->num[PROBE_PASS]);
	cli_put_int(all, "fail", g->num[PROBE_FAIL]);
	cli_put_int(all, "policy", g->num[PROBE_POLICY]);
	cli_put_int(all, "skipped", g->num[PROBE_SKIPPED]);
	cli_put(all, "cases", g->rows);
	g->rows = NULL;
	cli_print(g->cli, all);
}

static bool
is_wanted(const struct cli *cli, const struct probe_case *c)
{
	const char *name = cli_option(cli, "case");

	if (name == NULL)
		return true;
	for (size_t n = 0; (name = cli_option_at(cli, "case", n)) != NULL;
	    n++)
		if (strcmp(name, c->name) == 0)
			return true;
	return false;
}

static void
run_cases(struct probing *g)
{
	const struct probe_case *c;
	struct probe_result result;

	g->rows = cli_array();
	for (size_t n = 0; (c = probe_case_at(n)) != NULL; n++) {
		if (!is_wanted(g->cli, c))
			continue;
		probe_run(g->probe, c, &result);
		tell(g, c, &result);
	}
	tell_sum(g);
	if (g->num[PROBE_FAIL] > 0)
		g->cli->exit_status = 1;
}

static enum oc_err
list_cases(const struct cli *cli)
{
	static const char *const columns[] = { "case", "clause", "about",
	    NULL };
	json_t *rows = cli_array();
	const struct probe_case *c;

	for (size_t n = 0; (c = probe_case_at(n)) != NULL; n++) {
		json_t *row = cli_object();

		cli_put_text(row, "case", c->name);
		cli_put_text(row, "clause", c->clause);
		cli_put_text(row, "about", c->about);
		cli_append(rows, row);
	}
	cli_print_table(cli, rows, columns);
	return OC_OK;
}

static void
probing_fini(struct probing *g)
{
	probe_free(g->probe);
	probe_signer_free(g->signer);
	json_decref(g->rows);
	for (size_t i = 0; i < g->num_files; i++) {
		free(g->files[i].der);
		free(g->files[i].cert);
	}
	free(g->url);
	cli_responder_fini(&g->responder);
}

enum oc_err
cli_ocsp_probe(struct cli *cli, struct oc_error *error)
{
	struct probing g = { .cli = cli,
	    .responder.peer.first_fd = -1 };
	enum oc_err err;

	if (cli_has(cli, "list"))
		return list_cases(cli);
	err = parse_options(&g, error);
	if (err == OC_OK)
		err = read_files(&g, error);
	if (err == OC_OK)
		err = read_signer(&g, error);
	if (err == OC_OK)
		err = find_url(&g, error);
	if (err == OC_OK)
		err = find_peer(&g, error);
	if (err == OC_OK) {
		err = probe_new(&g.options, &g.probe, error);
		if (err != OC_OK)
			oc_error_prefix(error, "%s", g.url);
	}
	if (err == OC_OK)
		run_cases(&g);
	probing_fini(&g);
	return err;
}

const struct cli_option cli_ocsp_probe_options[] = {
	{ "issuer", "FILE", CLI_OPTIONAL, "the issuer's certificate" },
	{ "cert", "FILE", CLI_REPEATED,
	    "a good one, or several" },
	{ "revoked", "FILE", CLI_OPTIONAL, "one that is revoked" },
	{ "expired", "FILE", CLI_OPTIONAL, "one that has expired" },
	{ "other-issuer", "FILE", CLI_OPTIONAL,
	    "another issuer of the same responder" },
	{ "other-cert", "FILE", CLI_OPTIONAL, "one that it has issued" },
	{ "sign-key", "FILE", CLI_OPTIONAL,
	    "a key whose signed requests it answers" },
	{ "sign-cert", "FILE", CLI_OPTIONAL,
	    "its certificate, and those above it" },
	{ "case", "NAME", CLI_REPEATED, "only this case" },
	{ "thorough", NULL, CLI_OPTIONAL,
	    "also what sends hundreds of requests" },
	{ "timeout", "SECONDS", CLI_OPTIONAL,
	    "of one exchange; 10 by default" },
	{ "list", NULL, CLI_OPTIONAL, "print the cases instead" },
	{ NULL }
};
