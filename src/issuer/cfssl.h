/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of CFSSL's door share.  Each handler answers the exchange,
 * now or later. */
#ifndef ISSUER_CFSSL_H
#define ISSUER_CFSSL_H

#include "issuer/door.h"

/* Codes: category times 1000, plus the reason. */
#define CFSSL_BAD_REQUEST 400

/* {"success":false,...}; as CFSSL does, text/plain. */
void issuer_cfssl_fail(struct net_exchange *exchange, int status, int code,
    const char *message);
/* Takes result. */
void issuer_cfssl_succeed(struct net_exchange *exchange, json_t *result);

void issuer_cfssl_health(struct issuer_service *service,
    struct net_exchange *exchange);

#endif
