/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp query, sign, show: the table, and show. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "cli/ocsp_request.h"
#include "der/time.h"
#include "sign/alg.h"
#include "x509/file.h"

enum oc_err
cli_cert_read(const char *path, struct cli_cert *cert, struct oc_error *error)
{
	struct der_bytes der;
	enum oc_err err;

	err = x509_file_read(path, X509_FILE_CERTIFICATE, &cert->der,
	    &der.len, error);
	if (err != OC_OK)
		return err;
	der.p = cert->der;
	err = x509_cert_read(der, &cert->cert, error);
	if (err != OC_OK)
		oc_error_prefix(error, "%s", path);
	return err;
}

void
cli_cert_fini(struct cli_cert *cert)
{
	free(cert->der);
	cert->der = NULL;
}

enum oc_err
cli_option_serial(const struct cli *cli, struct cli_cert *cert,
    struct oc_serial *serial, struct oc_error *error)
{
	const char *path = cli_option(cli, "cert");
	const char *text = cli_option(cli, "serial");
	enum oc_err err;

	if ((path == NULL) == (text == NULL))
		return oc_error_set(error, OC_ERR_USAGE,
		    "give either --cert FILE or --serial SERIAL");
	if (text != NULL)
		return oc_serial_parse(text, serial, error);
	err = cli_cert_read(path, cert, error);
	if (err == OC_OK)
		*serial = cert->cert.serial;
	return err;
}

struct certid_plan {
	const struct ocsp_identity *identity;
	uint8_t encoding;
	const struct oc_serial *serial;
};

static void
put_certid(struct der_writer *w, const void *arg)
{
	const struct certid_plan *p = arg;
	enum ocsp_hash hash = OCSP_ENCODING_HASH(p->encoding);
	size_t len = ocsp_hash_len(hash);

	der_begin(w, DER_SEQUENCE);
	ocsp_put_certid_prefix(w, p->encoding,
	    (struct der_bytes){ p->identity->name_hash[hash], len },
	    (struct der_bytes){ p->identity->key_hash[hash], len });
	der_put_serial(w, p->serial);
	der_end(w);
}

enum oc_err
cli_certid_write(const struct ocsp_identity *identity, uint8_t encoding,
    const struct oc_serial *serial, uint8_t out[CLI_CERTID_MAX], size_t *len)
{
	const struct certid_plan plan = { identity, encoding, serial };

	return der_write(put_certid, &plan, out, CLI_CERTID_MAX, len);
}

const char *
cli_status_name(enum ocsp_cert_status status)
{
	switch (status) {
	case OCSP_GOOD:
		return "good";
	case OCSP_REVOKED:
		return "revoked";
	case OCSP_UNKNOWN:
		break;
	}
	return "unknown";
}

static const char *
hash_name(uint8_t encoding)
{
	static const char *const names[OCSP_HASH_MAX] = { "sha1", "sha224",
	    "sha256", "sha384", "sha512" };

	return encoding >= OCSP_ENCODING_MAX ? "unknown" :
	    names[OCSP_ENCODING_HASH(encoding)];
}

/* What a CertID says, whichever side sent it. */
static void
put_certid_members(json_t *object, const struct ocsp_certid *certid)
{
	struct oc_serial serial;

	if (oc_serial_from_bytes(certid->serial.p, certid->serial.len,
	    &serial) == OC_OK)
		cli_put_serial(object, &serial);
	else
		cli_put_hex(object, "serial", certid->serial);
	cli_put_text(object, "hash", hash_name(certid->encoding));
	cli_put_hex(object, "issuer_name_hash", certid->name_hash);
	cli_put_hex(object, "issuer_key_hash", certid->key_hash);
}

void
cli_put_single(json_t *object, const struct ocsp_single_view *single)
{
	cli_put_text(object, "status", cli_status_name(single->status.kind));
	if (single->status.kind == OCSP_REVOKED) {
		cli_put_time(object, "revoked_at", single->status.revoked_at);
		cli_put_text(object, "reason",
		    crl_reason_name(single->status.reason));
	}
	put_certid_members(object, &single->certid);
	cli_put_time(object, "this_update", single->this_update);
	if (single->next_update != OCSP_NO_NEXT_UPDATE)
		cli_put_time(object, "next_update", single->next_update);
}

static json_t *
describe_request(const struct ocsp_request *request)
{
	json_t *object = cli_object(), *list = cli_array();
	struct der_bytes rest = request->singles;
	struct ocsp_certid certid;

	while (ocsp_request_next(&rest, &certid)) {
		json_t *one = cli_object();

		put_certid_members(one, &certid);
		cli_append(list, one);
	}
	cli_put_text(object, "type", "request");
	cli_put(object, "certificates", list);
	if (request->nonce.len != 0)
		cli_put_hex(object, "nonce", request->nonce);
	cli_put_bool(object, "signed", request->is_signed);
	return object;
}

static json_t *
describe_response(const struct ocsp_response_view *view)
{
	json_t *object = cli_object(), *list = cli_array();
	struct der_bytes rest = view->singles;
	struct ocsp_single_view single;
	enum sign_alg alg;

	cli_put_text(object, "type", "response");
	cli_put_text(object, "response_status",
	    ocsp_response_status_name(view->status));
	if (view->status != OCSP_SUCCESSFUL) {
		json_decref(list);
		return object;
	}
	if (view->responder_name.len != 0)
		cli_put_name(object, "responder_name", view->responder_name);
	else
		cli_put_hex(object, "responder_key_hash",
		    view->responder_key_hash);
	cli_put_time(object, "produced_at", view->produced_at);
	while (ocsp_response_next(&rest, &single)) {
		json_t *one = cli_object();

		cli_put_single(one, &single);
		cli_append(list, one);
	}
	cli_put(object, "certificates", list);
	if (view->nonce.len != 0)
		cli_put_hex(object, "nonce", view->nonce);
	alg = sign_alg_find(view->alg_identifier);
	cli_put_text(object, "signature_algorithm",
	    alg == SIGN_ALG_NONE ? "unknown" : sign_alg_info(alg)->name);
	cli_put_bool(object, "has_certificate", view->certs.len != 0);
	return object;
}

/* DER, or base64 of it, as it stands in a GET. */
static enum oc_err
read_octets(const char *path, uint8_t **octets, struct der_bytes *der,
    struct oc_error *error)
{
	struct der_bytes contents;
	size_t len;
	enum oc_err err;

	err = oc_file_read(path, OCSP_REQUEST_MAX * 2, octets, &der->len,
	    error);
	if (err != OC_OK)
		return err;
	der->p = *octets;
	if (der_read_whole(*der, DER_SEQUENCE, &contents))
		return OC_OK;
	for (len = der->len; len > 0 && ((*octets)[len - 1] == '\n' ||
	    (*octets)[len - 1] == '\r'); )
		len--;
	if (oc_base64_decode_in_place(*octets, len, &der->len) != OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED, "%s: neither DER "
		    "nor base64", path);
	return OC_OK;
}

static enum oc_err
show(struct cli *cli, struct oc_error *error)
{
	struct ocsp_response_view view;
	struct ocsp_request request;
	struct der_bytes der;
	uint8_t *octets = NULL;
	enum oc_err err;

	err = read_octets(cli->args[0], &octets, &der, error);
	if (err != OC_OK)
		goto out;
	/* A response begins with an ENUMERATED, a request never does. */
	if (ocsp_request_read(der, &request) == OC_OK) {
		cli_print(cli, describe_request(&request));
		goto out;
	}
	err = ocsp_response_read(der, &view, error);
	if (err == OC_OK)
		cli_print(cli, describe_response(&view));
	else
		oc_error_set(error, err, "%s: neither an OCSP request nor a "
		    "response (RFC 6960)", cli->args[0]);
out:
	free(octets);
	return err;
}

const struct cli_command cli_ocsp_commands[] = {
	{ "ocsp", "query", "[URL]", 0, 1, cli_ocsp_query_options,
	    "ask a responder, and check the answer",
	    "Asks as a careful client does: the answer must be for this "
	    "certificate, signed by the issuer or by an OCSP signer that it "
	    "issued, and of now.  Without URL, the one in the certificate.  "
	    "The exit status is 0 for good, 1 for anything else.",
	    "ocsign ocsp query --issuer ca.pem --cert site.pem",
	    cli_ocsp_query },
	{ "ocsp", "sign", NULL, 0, 0, cli_ocsp_sign_options,
	    "sign a response to a file",
	    "Signs what the records say of a certificate of ours.  nginx "
	    "takes the file as its ssl_stapling_file.",
	    "ocsign ocsp sign --issuer web --cert site.pem --out site.ocsp",
	    cli_ocsp_sign },
	{ "ocsp", "show", "FILE", 1, 1, NULL,
	    "decode a request or a response",
	    "FILE is DER, or base64 as in a GET; - is standard input.",
	    "ocsign ocsp show site.ocsp", show },
	{ NULL }
};
