/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resources of RFC 8555, 7.1, as clients see them, made of the records.
 * What has ended at now_at is "invalid": "expired" some clients cannot read.
 * A field without a value is left out.  Pure; NULL: no memory.
 *
 * base is what every URL begins with: "https://ca.example.com/acme/".
 */
#ifndef ACME_OBJECT_H
#define ACME_OBJECT_H

#include <jansson.h>

#include "store/acme.h"

#define ACME_URL_MAX (OC_ACME_URL_MAX + 101)

json_t *acme_account_json(const char *base,
    const struct store_acme_account *account);

/* As it is now. */
enum store_order_state acme_order_state(const struct store_order *order,
    int64_t now_at);
enum store_proof_state acme_authorization_state(
    const struct store_authorization *authorization, int64_t now_at);

/* What an order's JSON has of other records. */
struct acme_order_view {
	const struct store_order *order;
	const char (*tags)[STORE_TAG_LEN + 1];	/* of its authorizations */
	const char *replaces;		/* a certificate's id; NULL: none */
	int64_t now_at;
};
json_t *acme_order_json(const char *base, const struct acme_order_view *view);
json_t *acme_authorization_json(const char *base,
    const struct store_authorization *authorization, int64_t now_at);
json_t *acme_challenge_json(const char *base,
    const struct store_authorization *authorization,
    const struct store_challenge *challenge, int64_t now_at);

#endif
