/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/stat.h>

struct tls {
	struct net_tls net;		/* first */
	SSL_CTX *context;
};

/* What OpenSSL said last, translated at this edge. */
static enum oc_err
ssl_error(struct oc_error *error, enum oc_err code, const char *path,
    const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	(void)oc_error_set(error, code, "%s: %s: %s", path, what,
	    reason == NULL ? "no reason given" : reason);
	ERR_clear_error();
	return code;
}

static enum oc_err
check_mode(const char *path, struct oc_error *error)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return oc_error_set_errno(error, OC_ERR_NOT_FOUND, "%s",
		    path);
	if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		return oc_error_set(error, OC_ERR_REFUSED, "%s: a private key "
		    "that only its owner and group may read, and only its "
		    "owner write, has mode 0600 or 0640; chmod it", path);
	return OC_OK;
}

/* Nobody is there to type a passphrase. */
static int
no_passphrase(char *buffer, int size, int is_writing, void *arg)
{
	(void)buffer, (void)size, (void)is_writing, (void)arg;
	return -1;
}

static enum oc_err
configure(SSL_CTX *context, const char *certificate_path,
    const char *key_path, struct oc_error *error)
{
	enum oc_err err = check_mode(key_path, error);

	if (err != OC_OK)
		return err;
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
	    /* Of TLS 1.2 only what is both forward secret and AEAD. */
	    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:"
	    "ECDHE+CHACHA20") != 1)
		return ssl_error(error, OC_ERR_INTERNAL, "TLS", "versions");
	if (SSL_CTX_use_certificate_chain_file(context,
	    certificate_path) != 1)
		return ssl_error(error, OC_ERR_MALFORMED, certificate_path,
		    "cannot be read as a PEM certificate");
	if (SSL_CTX_use_PrivateKey_file(context, key_path,
	    SSL_FILETYPE_PEM) != 1)
		return ssl_error(error, OC_ERR_MISMATCH, key_path, "is not "
		    "the certificate's private key in PEM without passphrase");
	return OC_OK;
}

static struct bufferevent *
accept_tls(struct net_tls *net, struct event_base *base, int fd)
{
	struct tls *tls = (struct tls *)(void *)net;
	SSL *ssl = SSL_new(tls->context);
	struct bufferevent *bev;

	if (ssl == NULL)
		return NULL;
	bev = bufferevent_openssl_socket_new(base, fd, ssl,
	    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		SSL_free(ssl);
	else
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

static void
end_tls(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (ssl != NULL)
		(void)SSL_shutdown(ssl);
}

enum oc_err
net_tls_new(const char *certificate_path, const char *key_path,
    struct net_tls **tls, struct oc_error *error)
{
	struct tls *t = calloc(1, sizeof(*t));
	enum oc_err err = OC_ERR_NOMEM;

	if (t != NULL)
		t->context = SSL_CTX_new(TLS_server_method());
	if (t == NULL || t->context == NULL)
		(void)oc_error_set(error, err, "out of memory");
	else
		err = configure(t->context, certificate_path, key_path,
		    error);
	if (err != OC_OK) {
		net_tls_free(t == NULL ? NULL : &t->net);
		return err;
	}
	t->net = (struct net_tls){ accept_tls, end_tls };
	*tls = &t->net;
	return OC_OK;
}

void
net_tls_free(struct net_tls *net)
{
	struct tls *tls = (struct tls *)(void *)net;

	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	free(tls);
}
