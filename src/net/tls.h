/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate and key of a server, TLS 1.2 and 1.3. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/err.h"

struct bufferevent;
struct event_base;

/* What a server does with a connection.  It calls these, so that a program
 * whose server is plain HTTP alone links nothing of tls.c and no libssl. */
struct net_tls {
	/* Takes fd over, if it returns one; NULL: out of memory. */
	struct bufferevent *(*accept)(struct net_tls *tls,
	    struct event_base *base, int fd);
	/* Says that nothing more is sent. */
	void (*end)(struct bufferevent *bev);
};

/* Both PEM; the certificate with its chain.  REFUSED unless only its owner and
 * group may read the key, and only its owner write it; MISMATCH if it is not
 * the certificate's.  Blocks. */
enum oc_err net_tls_new(const char *certificate_path, const char *key_path,
    struct net_tls **tls, struct oc_error *error) OC_MUST_CHECK;
void net_tls_free(struct net_tls *tls);		/* NULL is fine */

#endif
