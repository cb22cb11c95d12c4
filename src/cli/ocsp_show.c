/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp show, and the table of ocsp commands. */
#include "cli/lint.h"
#include "cli/ocsp.h"

#include <stdlib.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/pem.h"
#include "ocsp/request.h"
#include "x509/file.h"

#define FILE_MAX (4 * OCSP_REQUEST_MAX)

static const char *
status_name(enum ocsp_cert_status kind)
{
	switch (kind) {
	case OCSP_GOOD:
		return "good";
	case OCSP_REVOKED:
		return "revoked";
	case OCSP_UNKNOWN:
		return "unknown";
	}
	return NULL;
}

static void
put_certid_serial(json_t *object, const struct ocsp_certid *certid)
{
	struct oc_serial serial;

	/* A client may ask about any INTEGER. */
	if (oc_serial_from_bytes(certid->serial.p, certid->serial.len,
	    &serial) == OC_OK)
		cli_put_serial(object, &serial);
	else
		cli_put_integer(object, "serial", certid->serial);
}

void
cli_put_single(json_t *object, const struct ocsp_single_view *single)
{
	const struct ocsp_status *status = &single->status;
	char text[X509_SAN_TEXT_MAX];

	put_certid_serial(object, &single->certid);
	cli_put_text(object, "status", status_name(status->kind));
	if (status->kind == OCSP_REVOKED) {
		cli_put_time(object, "revoked_at", status->revoked_at);
		cli_put_text(object, "reason",
		    crl_reason_name(status->reason));
	}
	cli_put_time(object, "this_update", single->this_update);
	if (single->next_update != OCSP_NO_NEXT_UPDATE)
		cli_put_time(object, "next_update", single->next_update);
	if (single->has_archive_cutoff)
		cli_put_time(object, "archive_cutoff",
		    single->archive_cutoff);
	if (single->crl_url.len > 0) {
		x509_san_format(&(struct x509_san){ X509_SAN_URI,
		    single->crl_url }, text);
		cli_put_text(object, "crl", text + strlen("URI:"));
	}
}

static void
put_certid(json_t *object, const struct ocsp_certid *certid)
{
	const char *hash = certid->encoding == OCSP_ENCODING_UNKNOWN ? NULL :
	    probe_hash_name(OCSP_ENCODING_HASH(certid->encoding));

	cli_put_text(object, "hash", hash == NULL ? "unknown" : hash);
	cli_put_hex(object, "issuer_name_hash", certid->name_hash);
	cli_put_hex(object, "issuer_key_hash", certid->key_hash);
}

static void
show_request(const struct cli *cli, const struct ocsp_request *request)
{
	json_t *facts = cli_object(), *rows = cli_array();
	struct der_bytes rest = request->singles;
	struct ocsp_certid certid;

	cli_put_text(facts, "type", "request");
	cli_put_bool(facts, "signed", request->signature.len > 0);
	if (request->nonce.len > 0)
		cli_put_hex(facts, "nonce", request->nonce);
	while (ocsp_request_next(&rest, &certid)) {
		json_t *row = cli_object();

		put_certid_serial(row, &certid);
		put_certid(row, &certid);
		cli_append(rows, row);
	}
	cli_put(facts, "certificates", rows);
	cli_print(cli, facts);
}

static void
show_response(const struct cli *cli, const struct ocsp_response_view *view)
{
	json_t *facts = cli_object(), *rows = cli_array();
	struct der_bytes rest = view->singles;
	enum sign_alg alg;
	struct ocsp_single_view single;

	cli_put_text(facts, "type", "response");
	cli_put_text(facts, "response_status",
	    ocsp_response_status_name(view->status));
	if (view->status == OCSP_SUCCESSFUL) {
		if (view->responder_name.len > 0)
			cli_put_name(facts, "responder",
			    view->responder_name);
		else
			cli_put_hex(facts, "responder_key_hash",
			    view->responder_key_hash);
		cli_put_time(facts, "produced_at", view->produced_at);
		if (view->nonce.len > 0)
			cli_put_hex(facts, "nonce", view->nonce);
		alg = sign_alg_find(view->alg_identifier);
		if (alg != SIGN_ALG_NONE)
			cli_put_text(facts, "algorithm",
			    sign_alg_info(alg)->name);
		cli_put_bool(facts, "has_certificates", view->certs.len > 0);
		while (ocsp_response_next(&rest, &single)) {
			json_t *row = cli_object();

			cli_put_single(row, &single);
			put_certid(row, &single.certid);
			cli_append(rows, row);
		}
	}
	cli_put(facts, "certificates", rows);
	cli_print(cli, facts);
}

/* Base64 as it stands in a URL or a mail: blanks and %-escapes undone. */
static bool
decode_base64(uint8_t *octets, size_t *len)
{
	size_t n = 0;

	for (size_t i = 0; i < *len; i++) {
		uint8_t c = octets[i];
		size_t one;

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c == '%' && i + 2 < *len &&
		    oc_hex_decode((const char *)octets + i + 1, 2, &c, 1,
		    &one) == OC_OK)
			i += 2;
		octets[n++] = c;
	}
	return n > 0 && oc_base64_decode_in_place(octets, n, len) == OC_OK;
}

/* What people have beside it, by its name. */
static enum oc_err
refuse_others(const char *path, const uint8_t *octets, size_t len,
    struct oc_error *error)
{
	struct oc_pem_cursor cursor = { .text = (const char *)octets,
	    .len = len };
	char label[OC_PEM_LABEL_MAX + 1];
	size_t der_len;
	uint8_t *der;

	if (x509_file_has_private_key(octets, len))
		return oc_error_set(error, OC_ERR_REFUSED, "%s: holds a "
		    "private key; keep it where it is, and give a request or "
		    "response only", path);
	if (oc_pem_next(&cursor, label, &der, &der_len, NULL) != OC_OK)
		return OC_OK;
	free(der);
	return oc_error_set(error, OC_ERR_MALFORMED, "%s: holds a %s; OCSP "
	    "requests and responses are in DER or base64", path, label);
}

static enum oc_err
ocsp_show(struct cli *cli, struct oc_error *error)
{
	const char *path = cli->args[0];
	struct ocsp_response_view view;
	struct ocsp_request request;
	struct oc_error bad = { 0 };
	struct der_bytes der;
	uint8_t *octets;
	enum oc_err err;

	err = oc_file_read(path, FILE_MAX, &octets, &der.len, error);
	if (err != OC_OK)
		return err;
	der.p = octets;
	err = refuse_others(path, octets, der.len, error);
	if (err != OC_OK)
		;
	else if (der.len > 0 && octets[0] != DER_SEQUENCE &&
	    !decode_base64(octets, &der.len))
		err = oc_error_set(error, OC_ERR_MALFORMED,
		    "%s: neither DER nor base64", path);
	else if (ocsp_response_read(der, &view, &bad) == OC_OK)
		show_response(cli, &view);
	else if (ocsp_request_read(der, &request) == OC_OK)
		show_request(cli, &request);
	else
		err = oc_error_set(error, OC_ERR_MALFORMED, "%s: neither an "
		    "OCSP request nor a response (%.200s)", path, bad.text);
	free(octets);
	return err;
}

const struct cli_command cli_ocsp_commands[] = {
	{ .noun = "ocsp", .verb = "query", .arguments = "URL",
	    .num_args_max = 1, .options = cli_ocsp_query_options,
	    .summary = "ask a responder, and check its answer",
	    .about = "Asks a responder, by default the one that the "
		"certificate names, and checks the answer as a careful client "
		"would: signature, delegation, CertID, times, nonce.  The "
		"exit status is 0 for \"good\" and 1 for anything else.",
	    .example = "ocsign ocsp query --issuer web.pem --cert site.pem",
	    .run = cli_ocsp_query },
	{ .noun = "ocsp", .verb = "sign",
	    .options = cli_ocsp_sign_options,
	    .summary = "sign a response to a file, or all to a directory",
	    .about = "Signs a response for one certificate of the records, as "
		"nginx's ssl_stapling_file takes it; or, with --all, those "
		"that an offline root's responder loads.",
	    .example = "ocsign ocsp sign --issuer web --cert site.pem "
		"--out site.ocsp",
	    .run = cli_ocsp_sign },
	{ .noun = "ocsp", .verb = "renew",
	    .options = cli_ocsp_renew_options,
	    .summary = "renew the certificates of OCSP signers",
	    .about = "Renews the certificates of delegated OCSP signers that "
		"have lived two thirds of their lives: for the same key, with "
		"the profile they were issued with, put where the "
		"configuration says.  What is not due is left alone, so a "
		"timer runs it every day.  With --reload a running ocsignd "
		"takes what is new.  The exit status is not 0 if one could "
		"not be renewed.",
	    .example = "ocsign ocsp renew --reload",
	    .run = cli_ocsp_renew },
	{ .noun = "ocsp", .verb = "show", .arguments = "FILE",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "decode a request or a response",
	    .about = "Prints what an OCSP request or response says, from DER "
		"or base64.  Its signature is not checked.",
	    .example = "ocsign ocsp show site.ocsp",
	    .run = ocsp_show },
	{ .noun = "ocsp", .verb = "lint", .arguments = "FILE",
	    .num_args_min = 1, .num_args_max = 1,
	    .options = cli_ocsp_lint_options,
	    .summary = "check a response against the rules",
	    .about = "Checks an OCSP response in DER, anybody's, against the "
		"rules of ocsign-lint(7).  The exit status is 1 if it breaks "
		"one whose severity is error.",
	    .example = "ocsign ocsp lint site.ocsp",
	    .run = cli_ocsp_lint },
	{ .noun = "ocsp", .verb = "probe", .arguments = "URL",
	    .num_args_max = 1, .options = cli_ocsp_probe_options,
	    .summary = "hold a responder against the standards",
	    .about = "Asks any responder, by default the one that the "
		"certificate names, what real and broken clients ask, one "
		"case after the other, and says of each: pass, fail, policy "
		"(the standards leave a choice), or skipped.  What comes "
		"back is checked as \"ocsp query\" does.  Garbage is among "
		"what is sent, and slow connections: ask before you probe "
		"what is not yours.  The exit status is 1 if a case failed.",
	    .example = "ocsign ocsp probe --issuer web.pem --cert site.pem",
	    .run = cli_ocsp_probe },
	{ .noun = "ocsp", .verb = "compare", .arguments = "A B",
	    .num_args_min = 2, .num_args_max = 2,
	    .options = cli_ocsp_compare_options,
	    .summary = "ask two responders the same",
	    .about = "Asks two responders about the same serial numbers, and "
		"prints a line for each difference in what their answers "
		"mean: status, time and reason of a revocation, what cannot "
		"be believed, how long it lasts, nonce, caching.  The exit "
		"status is 0 if there is none, 1 if there is one, and 2 if "
		"they could not be compared.",
	    .example = "ocsign ocsp compare http://old.example.com/ "
		"http://127.0.0.1/ --issuer web.pem --serials serials.txt",
	    .run = cli_ocsp_compare },
	{ NULL }
};
