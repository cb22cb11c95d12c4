/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a certificate is for a host, RFC 9525: by its subject alternative
 * names only; the subject's common name is not looked at.
 */
#ifndef X509_HOST_H
#define X509_HOST_H

#include "base/err.h"
#include "x509/ext.h"

/* The reference identifier: what the client set out to reach. */
struct x509_host {
	enum x509_san_kind kind;	/* X509_SAN_DNS or X509_SAN_IP */
	uint8_t octets[256];		/* lower case, NUL behind; or the
					 * address */
	size_t len;
};

/*
 * An IPv4 or IPv6 address (without brackets), or a DNS name in A-labels, of
 * LDH labels, a dot at its end dropped.  MALFORMED for anything else, "*"
 * among it.
 */
enum oc_err x509_host_parse(const char *text, struct x509_host *host,
    struct oc_error *error) OC_MUST_CHECK;

/*
 * RFC 9525, 6.3 and 6.5: a name octet for octet, in any case; "*" only as the
 * whole first label, for exactly one label, and, as edges do, only with at
 * least two labels behind it; an address only by an iPAddress.
 */
bool x509_host_matches(const struct x509_host *host,
    const struct x509_extensions *extensions);

#endif
