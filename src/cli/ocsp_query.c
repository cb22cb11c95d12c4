/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp query: asks a responder as a careful client would. */
#include "cli/ocsp.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/http.h"
#include "cli/names.h"
#include "cli/target.h"
#include "ocsp/request.h"
#include "x509/file.h"

#define ASK_S 15
#define NONCE_LEN 32		/* RFC 9654, 2.1 */

struct query {
	struct cli *cli;
	uint8_t *issuer_der;
	struct x509_cert issuer;
	struct cli_target *target;
	char *url;
	uint8_t *certid;
	size_t certid_len;
	uint8_t nonce_octets[NONCE_LEN];
	struct der_bytes nonce;		/* len 0: none */
	uint8_t *reply;
	size_t reply_len;
};

static enum oc_err
read_issuer(struct query *q, struct oc_error *error)
{
	const char *path = cli_option(q->cli, "issuer");
	struct der_bytes der;
	enum oc_err err;

	err = x509_file_read(path, X509_FILE_CERTIFICATE, &q->issuer_der,
	    &der.len, error);
	if (err != OC_OK)
		return err;
	der.p = q->issuer_der;
	err = x509_cert_read(der, &q->issuer, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "%s", path);
	if (q->target->der == NULL)
		return OC_OK;
	err = x509_cert_verify_issued(&q->target->cert, &q->issuer, error);
	if (err != OC_OK)
		oc_error_prefix(error, "%s did not issue %s", path,
		    cli_option(q->cli, "cert"));
	return err;
}

/* The argument, or what the certificate says. */
static enum oc_err
find_url(struct query *q, struct oc_error *error)
{
	const struct x509_extensions *e = &q->target->cert.extensions;

	if (q->cli->num_args > 0) {
		if (cli_http_check_url(q->cli->args[0], error) != OC_OK)
			return OC_ERR_USAGE;
		q->url = strdup(q->cli->args[0]);
	} else if (q->target->der == NULL)
		return oc_error_set(error, OC_ERR_USAGE,
		    "whom? give the responder's URL");
	else if (e->num_ocsp_urls == 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "the "
		    "certificate names no responder; give its URL");
	else
		q->url = strndup((const char *)e->ocsp_urls[0].p,
		    e->ocsp_urls[0].len);
	if (q->url == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	return OC_OK;
}

static enum oc_err
parse_hash(const struct cli *cli, enum ocsp_hash *hash,
    struct oc_error *error)
{
	const char *text = cli_option(cli, "hash");

	*hash = OCSP_HASH_SHA1;
	if (text == NULL || strcmp(text, "sha1") == 0)
		return OC_OK;
	*hash = OCSP_HASH_SHA256;
	if (strcmp(text, "sha256") == 0)
		return OC_OK;
	return oc_error_set(error, OC_ERR_USAGE, "--hash %.40s is neither "
	    "sha1 nor sha256", text);
}

static enum oc_err
ask(struct query *q, struct oc_error *error)
{
	struct ocsp_request_plan plan = { .num_certids = 1 };
	enum ocsp_hash hash;
	struct der_bytes certid, request;
	uint8_t *der = NULL;
	enum oc_err err;

	err = parse_hash(q->cli, &hash, error);
	if (err == OC_OK)
		err = probe_certid(&q->issuer, hash, &q->target->serial,
		    &q->certid, &q->certid_len, error);
	if (err == OC_OK && cli_has(q->cli, "nonce")) {
		if (getrandom(q->nonce_octets, NONCE_LEN, 0) != NONCE_LEN)
			return oc_error_set_errno(error, OC_ERR_SYSTEM,
			    "getrandom");
		q->nonce = DER_ARRAY(q->nonce_octets);
	}
	if (err != OC_OK)
		return err;
	certid = (struct der_bytes){ q->certid, q->certid_len };
	plan.certids = &certid;
	plan.nonce = q->nonce;
	err = cli_encode(ocsp_put_request, &plan, &der, &request.len, error);
	request.p = der;
	if (err == OC_OK) {
		cli_progress_begin("the responder");
		err = cli_http_ask(q->url, cli_has(q->cli, "get") ?
		    CLI_HTTP_GET : CLI_HTTP_POST, request,
		    cli_deadline(ASK_S), &q->reply, &q->reply_len, error);
		cli_progress_end();
	}
	free(der);
	return err;
}

static void
print_verdict(struct query *q, const struct ocsp_response_view *view,
    const struct probe_checked *verdict)
{
	json_t *facts = cli_object();

	cli_put_single(facts, &verdict->single);
	cli_put_time(facts, "produced_at", view->produced_at);
	cli_put_name(facts, "signed_by", verdict->signer);
	cli_put_bool(facts, "delegated", verdict->is_delegated);
	if (verdict->nonce != PROBE_NONCE_UNASKED)
		cli_put_text(facts, "nonce", verdict->nonce ==
		    PROBE_NONCE_SAME ? "same" : "absent");
	cli_put_text(facts, "url", q->url);
	cli_print(q->cli, facts);
	if (verdict->single.status.kind != OCSP_GOOD)
		q->cli->exit_status = 1;
}

static enum oc_err
judge(struct query *q, struct oc_error *error)
{
	const char *out = cli_option(q->cli, "out");
	struct probe_checked verdict = { 0 };
	struct ocsp_response_view view;
	enum oc_err err = OC_OK;

	/* Also what cannot be believed is worth a look. */
	if (out != NULL)
		err = cli_write(out, CLI_DER, NULL, (struct der_bytes){
		    q->reply, q->reply_len }, error);
	if (err != OC_OK)
		return err;
	err = ocsp_response_read((struct der_bytes){ q->reply,
	    q->reply_len }, &view, error);
	if (err == OC_OK)
		err = probe_check(&view, &q->issuer, (struct der_bytes){
		    q->certid, q->certid_len }, q->nonce, oc_clock_now_s(),
		    &verdict, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "%s", q->url);
	print_verdict(q, &view, &verdict);
	return OC_OK;
}

enum oc_err
cli_ocsp_query(struct cli *cli, struct oc_error *error)
{
	struct query *q = calloc(1, sizeof(*q));
	enum oc_err err;

	if (q == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	q->cli = cli;
	err = cli_target_options(cli, &q->target, error);
	if (err == OC_OK)
		err = cli_check_out(cli, "out", error);
	if (err == OC_OK)
		err = read_issuer(q, error);
	if (err == OC_OK)
		err = find_url(q, error);
	if (err == OC_OK)
		err = ask(q, error);
	if (err == OC_OK)
		err = judge(q, error);
	free(q->reply);
	free(q->certid);
	free(q->url);
	cli_target_free(q->target);
	free(q->issuer_der);
	free(q);
	return err;
}

const struct cli_option cli_ocsp_query_options[] = {
	{ "issuer", "FILE", CLI_REQUIRED, "the issuer's certificate" },
	{ "cert", "FILE", CLI_OPTIONAL, "the certificate asked about" },
	{ "serial", "SERIAL", CLI_OPTIONAL, "or its serial number" },
	{ "hash", "HASH", CLI_OPTIONAL, "sha1 (default) or sha256" },
	{ "nonce", NULL, CLI_OPTIONAL, "send a nonce" },
	{ "get", NULL, CLI_OPTIONAL, "by GET; else by POST" },
	{ "out", "FILE", CLI_OPTIONAL, "keep the response, in DER" },
	{ NULL }
};
