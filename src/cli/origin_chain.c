/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path from the origin's certificate to a root of ours, by libcrypto's
 * path validation (RFC 5280, 6), as edges do it: a path ends at a self-signed
 * certificate that is trusted.  Times and the leaf's usage are left to the
 * lines that are about them.
 */
#include "cli/origin.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "der/reader.h"
#include "x509/name.h"

/* Of RSA 2048 and P-224 on, and no SHA-1: what OpenSSL's level 2 means. */
#define AUTH_LEVEL 2

struct verification {
	X509_STORE *store;		/* those we trust */
	STACK_OF(X509) *presented;	/* the leaf first */
	X509_STORE_CTX *context;
};

static X509 *
to_openssl(struct der_bytes der)
{
	const unsigned char *p = der.p;

	return d2i_X509(NULL, &p, (long)der.len);
}

static bool
put_presented(struct verification *v, const struct cli_origin *o)
{
	struct der_reader r = der_reader_of((struct der_bytes){
	    o->presented.bytes, o->presented.len });
	struct der_bytes der;

	while (!der_at_end(&r) && der_get_tlv(&r, DER_SEQUENCE, &der)) {
		X509 *x = to_openssl(der);

		if (x == NULL || sk_X509_push(v->presented, x) == 0) {
			X509_free(x);
			return false;
		}
	}
	return sk_X509_num(v->presented) > 0;
}

static bool
put_trusted(struct verification *v, const struct cli_origin *o)
{
	struct der_reader r = der_reader_of((struct der_bytes){
	    o->cas.bytes, o->cas.len });
	struct der_bytes der;

	while (!der_at_end(&r) && der_get_tlv(&r, DER_SEQUENCE, &der)) {
		X509 *x = to_openssl(der);
		bool is_put = x != NULL &&
		    X509_STORE_add_cert(v->store, x) == 1;

		X509_free(x);
		if (!is_put)
			return false;
	}
	return true;
}

/* The leaf's usage has a line of its own; what stands above must be for TLS
 * servers too. */
static int
on_verify(int is_ok, X509_STORE_CTX *context)
{
	return is_ok == 1 || (X509_STORE_CTX_get_error_depth(context) == 0 &&
	    X509_STORE_CTX_get_error(context) == X509_V_ERR_INVALID_PURPOSE);
}

static bool
set_up(struct verification *v, const struct cli_origin *o)
{
	X509_VERIFY_PARAM *param;

	v->store = X509_STORE_new();
	v->presented = sk_X509_new_null();
	v->context = X509_STORE_CTX_new();
	if (v->store == NULL || v->presented == NULL || v->context == NULL ||
	    !put_trusted(v, o) || !put_presented(v, o) ||
	    X509_STORE_CTX_init(v->context, v->store,
	    sk_X509_value(v->presented, 0), v->presented) != 1 ||
	    X509_STORE_CTX_set_default(v->context, "ssl_server") != 1)
		return false;
	param = X509_STORE_CTX_get0_param(v->context);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	X509_VERIFY_PARAM_set_depth(param, CLI_ORIGIN_PATH_MAX - 2);
	if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME) !=
	    1)
		return false;
	X509_STORE_CTX_set_verify_cb(v->context, on_verify);
	return true;
}

static void
tear_down(struct verification *v)
{
	X509_STORE_CTX_free(v->context);
	sk_X509_pop_free(v->presented, X509_free);
	X509_STORE_free(v->store);
	ERR_clear_error();
}

/* --- what it says ----------------------------------------------------- */

static void
format_name(X509_NAME *name, char text[X509_NAME_TEXT_MAX])
{
	const unsigned char *der;
	size_t len;

	text[0] = '\0';
	if (X509_NAME_get0_der(name, &der, &len) == 1)
		x509_name_format((struct der_bytes){ der, len }, text);
}

static void
fail(struct cli_origin *o, const struct verification *v)
{
	int code = X509_STORE_CTX_get_error(v->context);
	int depth = X509_STORE_CTX_get_error_depth(v->context);
	X509 *x = X509_STORE_CTX_get_current_cert(v->context);
	char subject[X509_NAME_TEXT_MAX] = "", issuer[X509_NAME_TEXT_MAX] = "";
	const char *advice = "install one that your origin CA has issued";
	char what[OC_ERROR_TEXT_MAX];
	struct cli_origin_line *line;

	if (x != NULL) {
		format_name(X509_get_subject_name(x), subject);
		format_name(X509_get_issuer_name(x), issuer);
	}
	if (code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)
		(void)snprintf(what, sizeof(what), "%.200s is self-signed, "
		    "and not in %.100s", subject, o->cas_name);
	else if (code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN)
		(void)snprintf(what, sizeof(what), "its root %.200s is not in "
		    "%.100s", subject, o->cas_name);
	else if (code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	    code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	    code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE) {
		(void)snprintf(what, sizeof(what), "the issuer of %.150s, "
		    "%.150s, is neither in %.100s nor sent by the origin",
		    subject, issuer, o->cas_name);
		advice = "if that is a CA of yours, let the origin send it "
		    "with its certificate; else install one that your origin "
		    "CA has issued";
	} else
		(void)snprintf(what, sizeof(what), "%.200s (number %d of the "
		    "path): %.200s", subject, depth + 1,
		    X509_verify_cert_error_string(code));
	line = cli_origin_say(o, "chain", CLI_ORIGIN_STRICT,
	    CLI_ORIGIN_FAILED, "%s", what);
	oc_error_set(&line->advice, OC_OK, "%s", advice);
}

static void
put_path(struct cli_origin *o, X509 *x)
{
	uint8_t *der = NULL;
	int len = i2d_X509(x, &der);

	if (len > 0)
		oc_buffer_put(&o->path_der, der, (size_t)len);
	OPENSSL_free(der);
}

/* The same certificates by our own reader, which the rest works with. */
static enum oc_err
read_path(struct cli_origin *o, struct oc_error *error)
{
	struct der_reader r = der_reader_of((struct der_bytes){
	    o->path_der.bytes, o->path_der.len });
	struct der_bytes der;
	enum oc_err err = o->path_der.err;

	while (err == OC_OK && !der_at_end(&r) &&
	    der_get_tlv(&r, DER_SEQUENCE, &der)) {
		if (o->path_len == CLI_ORIGIN_PATH_MAX)
			return OC_ERR_LIMIT;
		err = x509_cert_read(der, &o->path[o->path_len], error);
		if (err == OC_OK)
			o->path_len++;
	}
	return err;
}

static void
take_path(struct cli_origin *o, const struct verification *v)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(v->context);
	char root[X509_NAME_TEXT_MAX];
	struct oc_error error = { 0 };

	for (int i = 0; i < sk_X509_num(chain); i++)
		put_path(o, sk_X509_value(chain, i));
	if (read_path(o, &error) != OC_OK) {
		cli_origin_say(o, "chain", CLI_ORIGIN_STRICT,
		    CLI_ORIGIN_FAILED, "%s", error.text);
		return;
	}
	o->has_path = true;
	x509_name_format(o->path[o->path_len - 1].subject, root);
	cli_origin_say(o, "chain", CLI_ORIGIN_STRICT, CLI_ORIGIN_OK,
	    "%zu certificates to %.300s", o->path_len, root);
}

/* Without a path: the leaf alone, for what can be said of it. */
static void
take_leaf(struct cli_origin *o, const struct verification *v)
{
	struct oc_error error = { 0 };

	put_path(o, sk_X509_value(v->presented, 0));
	if (read_path(o, &error) != OC_OK)
		cli_origin_say(o, "leaf", CLI_ORIGIN_STRICT,
		    CLI_ORIGIN_FAILED, "%s", error.text);
}

void
cli_origin_check_chain(struct cli_origin *o)
{
	struct verification v = { NULL, NULL, NULL };

	if (!set_up(&v, o))
		cli_origin_say(o, "chain", CLI_ORIGIN_STRICT,
		    CLI_ORIGIN_FAILED, "libcrypto: %s",
		    ERR_reason_error_string(ERR_peek_error()));
	else if (X509_verify_cert(v.context) == 1)
		take_path(o, &v);
	else {
		fail(o, &v);
		take_leaf(o, &v);
	}
	tear_down(&v);
}
