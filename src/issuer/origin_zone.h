/* SPDX-License-Identifier: Apache-2.0 */
/* Zones in Cloudflare's dialect: what its two files share. */
#ifndef ISSUER_ORIGIN_ZONE_H
#define ISSUER_ORIGIN_ZONE_H

#include "issuer/origin.h"
#include "proof/proof.h"

#define ORIGIN_STATUS_MAX 16

struct origin_zone {
	char tag[STORE_TAG_LEN + 1];	/* asked for */
	char name[STORE_ZONE_NAME_MAX + 1];	/* the same; "": any */
	char status[ORIGIN_STATUS_MAX];	/* the same */
	/* What is there. */
	bool has_zone, has_claim;
	struct store_zone zone;
	struct store_authorization claim;
	/* activation_check */
	enum store_method method;
	const char *to, *code;		/* borrowed from the call's document */
	char contact[VALIDATION_ADDRESS_MAX + 1];
	char secret[PROOF_CODE_TEXT_MAX];	/* cleansed */
	uint8_t hash[STORE_HASH_LEN];
};

/* Both or one, of the account's, by tag: NOT_FOUND. */
enum oc_err issuer_origin_find_zone(struct store *store,
    struct origin_call *call, struct oc_error *error) OC_MUST_CHECK;
/* As the API shows what is there; NULL: no memory. */
json_t *issuer_origin_describe_zone(const struct origin_call *call);

/* origin_zone_check.c */
void issuer_origin_check_zone(struct origin_call *call);

#endif
