/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and records as members of a JSON object. */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include "cli/print.h"
#include "store/store.h"
#include "x509/cert.h"

/* Those that are there. */
void cli_put_extensions(json_t *object,
    const struct x509_extensions *extensions);
void cli_put_certificate(json_t *object, const struct x509_cert *cert);
/* State and, if revoked, why and since when. */
void cli_put_record(json_t *object,
    const struct store_certificate *certificate);

#endif
