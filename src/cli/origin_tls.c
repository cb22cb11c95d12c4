/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS handshake with whatever certificate the origin has.  libssl verifies
 * nothing here: what it is worth is the other checks' question.  A response
 * of OCSP is asked for and kept.
 */
#include "cli/origin.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "cli/connect.h"

struct handshake {
	struct cli_origin *o;
	int64_t deadline_ns;
	int fd;
	SSL_CTX *context;
	SSL *ssl;
};

static enum oc_err
set_up(struct handshake *h, struct oc_error *error)
{
	struct cli_origin *o = h->o;

	h->context = SSL_CTX_new(TLS_client_method());
	if (h->context == NULL)
		goto bad;
	SSL_CTX_set_verify(h->context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_max_cert_list(h->context, (long)o->presented.max);
	if (SSL_CTX_set_min_proto_version(h->context, TLS1_2_VERSION) != 1)
		goto bad;
	h->ssl = SSL_new(h->context);
	if (h->ssl == NULL || SSL_set_fd(h->ssl, h->fd) != 1 ||
	    SSL_set_tlsext_status_type(h->ssl, TLSEXT_STATUSTYPE_ocsp) != 1)
		goto bad;
	/* RFC 6066, 3: an address is not sent. */
	if (o->name.kind == X509_SAN_DNS &&
	    SSL_set_tlsext_host_name(h->ssl, (const char *)o->name.octets) !=
	    1)
		goto bad;
	return OC_OK;
bad:
	return oc_error_set(error, OC_ERR_INTERNAL, "libssl: %s",
	    ERR_reason_error_string(ERR_peek_error()));
}

/* What libssl says, in words that help. */
static const char *
explain(int reason, const char **advice)
{
	*advice = "look into the server's log";
	switch (reason) {
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_UNEXPECTED_MESSAGE:
	case SSL_R_BAD_PACKET_LENGTH:
	case SSL_R_RECORD_LENGTH_MISMATCH:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
	case SSL_R_BAD_RECORD_TYPE:
	case SSL_R_UNEXPECTED_RECORD:
		*advice = "let the server speak TLS on this port (nginx: "
		    "listen ... ssl)";
		return "what it answers is not TLS";
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		*advice = "turn TLS 1.2 and 1.3 on";
		return "speaks no TLS 1.2 or newer";
	case SSL_R_TLSV1_UNRECOGNIZED_NAME:
		*advice = "add the name to the server's configuration";
		return "does not know the name (unrecognized_name)";
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
		*advice = "does it have a certificate, and ciphers of today?";
		return "refuses the handshake (handshake_failure)";
	case SSL_R_EXCESSIVE_MESSAGE_SIZE:
		return "sends more certificates than can be taken";
	default:
		return NULL;
	}
}

static void
fail(struct cli_origin *o, const char *what, const char *advice)
{
	struct cli_origin_line *line = cli_origin_say(o, "tls",
	    CLI_ORIGIN_FULL, CLI_ORIGIN_FAILED, "%s", what);

	oc_error_set(&line->advice, OC_OK, "%s", advice);
}

static void
fail_handshake(struct cli_origin *o, int ssl_error, int saved_errno)
{
	unsigned long code = ERR_peek_error();
	const char *advice, *what = explain(ERR_GET_REASON(code), &advice);
	char text[OC_ERROR_TEXT_MAX];

	if (ssl_error == SSL_ERROR_SSL && ERR_GET_REASON(code) ==
	    SSL_R_UNEXPECTED_EOF_WHILE_READING)
		what = "closes the connection within the handshake";
	else if (ssl_error == SSL_ERROR_SYSCALL && code == 0) {
		what = "the connection breaks within the handshake";
		if (saved_errno != 0) {
			(void)snprintf(text, sizeof(text), "%s: %s", what,
			    strerror(saved_errno));
			what = text;
		}
	}
	if (what == NULL) {
		(void)snprintf(text, sizeof(text), "the handshake fails: %s",
		    code == 0 ? "without a reason" :
		    ERR_reason_error_string(code));
		what = text;
	}
	fail(o, what, advice);
}

/* True once it is done; otherwise the line is said. */
static bool
shake(struct handshake *h)
{
	for (;;) {
		int rc, ssl_error, saved_errno;

		ERR_clear_error();
		errno = 0;
		rc = SSL_connect(h->ssl);
		saved_errno = errno;
		if (rc == 1)
			return true;
		ssl_error = SSL_get_error(h->ssl, rc);
		if (ssl_error != SSL_ERROR_WANT_READ &&
		    ssl_error != SSL_ERROR_WANT_WRITE) {
			fail_handshake(h->o, ssl_error, saved_errno);
			return false;
		}
		if (!cli_wait(h->fd, ssl_error == SSL_ERROR_WANT_READ ?
		    POLLIN : POLLOUT, h->deadline_ns)) {
			fail(h->o, "hangs: the handshake does not end in time",
			    "look into the server's log, or give --timeout");
			return false;
		}
	}
}

static void
put_presented(struct cli_origin *o, X509 *x)
{
	uint8_t *der = NULL;
	int len = i2d_X509(x, &der);

	if (len > 0)
		oc_buffer_put(&o->presented, der, (size_t)len);
	OPENSSL_free(der);
}

static void
take_staple(struct cli_origin *o, SSL *ssl)
{
	const unsigned char *octets;
	long len = SSL_get_tlsext_status_ocsp_resp(ssl, &octets);

	if (len <= 0)
		return;
	o->staple = malloc((size_t)len);
	if (o->staple == NULL)
		return;
	memcpy(o->staple, octets, (size_t)len);
	o->staple_len = (size_t)len;
}

static void
take(struct handshake *h)
{
	STACK_OF(X509) *certs = SSL_get_peer_cert_chain(h->ssl);
	struct cli_origin *o = h->o;

	for (int i = 0; i < sk_X509_num(certs); i++)
		put_presented(o, sk_X509_value(certs, i));
	if (o->presented.len == 0 || o->presented.err != OC_OK) {
		oc_buffer_fini(&o->presented);
		fail(o, "shows no certificate", "give the server one");
		return;
	}
	take_staple(o, h->ssl);
	cli_origin_say(o, "tls", CLI_ORIGIN_FULL, CLI_ORIGIN_OK, "%s, %s, %d "
	    "certificate%s%s", SSL_get_version(h->ssl),
	    SSL_get_cipher_name(h->ssl), sk_X509_num(certs),
	    sk_X509_num(certs) == 1 ? "" : "s",
	    o->staple == NULL ? "" : ", OCSP stapled");
}

void
cli_origin_probe_tls(struct cli_origin *o)
{
	struct handshake h = { .o = o, .fd = -1,
	    .deadline_ns = cli_origin_deadline(o) };
	struct oc_error error = { 0 };
	enum oc_err err;

	err = cli_connect(o->address, o->tls_port, h.deadline_ns, &h.fd,
	    &error);
	if (err == OC_OK)
		err = set_up(&h, &error);
	if (err != OC_OK)
		fail(o, error.text, "let the server listen there, with TLS");
	else if (shake(&h)) {
		take(&h);
		(void)SSL_shutdown(h.ssl);
	}
	SSL_free(h.ssl);
	SSL_CTX_free(h.context);
	ERR_clear_error();
	if (h.fd >= 0)
		(void)close(h.fd);
}
