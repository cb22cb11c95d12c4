/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the path of a GET to the DER of an OCSPRequest (RFC 6960, appendix A),
 * in place, in every spelling that real clients and the proxies before us
 * make of it:
 *
 *	escapes in either case, some or all or none; escaped twice or more;
 *	a space, raw or escaped, for '+'; the base64url alphabet; padding
 *	missing; line ends inside; ?query behind; more than one '/' before;
 *	"//" inside the base64 collapsed to "/"
 *
 * In a path '+' is itself, never a space.
 */
#ifndef OCSP_TARGET_H
#define OCSP_TARGET_H

#include "base/limits.h"
#include "der/bytes.h"

enum http_target_kind {
	HTTP_TARGET_REQUEST,	/* base64 of something that begins 0x30 */
	HTTP_TARGET_ROOT,	/* nothing behind the prefix */
	HTTP_TARGET_OTHER	/* not ours: 404 */
};

/* What the target had to be cured of, for the counters. */
enum {
	HTTP_CURED_ESCAPES = 1,		/* escaped more than once */
	HTTP_CURED_ALPHABET = 2,	/* spaces, base64url, line ends */
	HTTP_CURED_SLASHES = 4		/* a collapsed "//" */
};

/*
 * Several places may have held the lost '/'.  A judge tells candidates apart;
 * arg is http_target_decode()'s.  NULL: any whole DER value is PLAUSIBLE.
 * The first CERTAIN one is taken, else the PLAUSIBLE one if there is only one.
 */
enum http_verdict { HTTP_IMPOSSIBLE, HTTP_PLAUSIBLE, HTTP_CERTAIN };
typedef enum http_verdict http_judge_fn(void *arg, struct der_bytes der);

/*
 * target is overwritten; *der points into it, set for HTTP_TARGET_REQUEST.
 * prefix: "/", or "/path/" as the configuration has it; a target that is not
 * below it is HTTP_TARGET_OTHER.  What is base64, but not the length that its
 * DER header says, comes out as it is: the OCSP reader refuses it.
 */
enum http_target_kind http_target_decode(uint8_t *target, size_t len,
    const char *prefix, http_judge_fn *judge, void *arg,
    struct der_bytes *der, unsigned int *cured);

/* The same decision for the target of a POST: OTHER unless it is the prefix,
 * with or without slashes behind it; with "/" anything is ROOT. */
enum http_target_kind http_target_of_post(const uint8_t *target, size_t len,
    const char *prefix);

#endif
