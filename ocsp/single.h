/* SPDX-License-Identifier: Apache-2.0 */
/* One SingleResponse, RFC 6960 section 4.2.1. */
#ifndef OCSP_SINGLE_H
#define OCSP_SINGLE_H

#include "base/reason.h"
#include "der/bytes.h"
#include "der/reader.h"
#include "der/writer.h"
#include "ocsp/certid.h"

/* The values stand in table files. */
enum ocsp_cert_status { OCSP_GOOD = 0, OCSP_REVOKED = 1, OCSP_UNKNOWN = 2 };

struct ocsp_status {
	enum ocsp_cert_status kind;
	enum crl_reason reason;		/* REVOKED */
	int64_t revoked_at;		/* REVOKED */
};

#define OCSP_NO_NEXT_UPDATE INT64_MAX

struct ocsp_single {
	struct der_bytes certid_prefix;	/* see ocsp/certid.h */
	struct der_bytes serial;	/* INTEGER contents; hole */
	struct ocsp_status status;	/* revoked_at: hole */
	int64_t this_update;		/* hole */
	int64_t next_update;		/* hole, or OCSP_NO_NEXT_UPDATE */
	/* Instead of a status.reason that is not UNSPECIFIED: its one octet,
	 * a hole.  p NULL: none. */
	struct der_bytes reason;
	/* singleExtensions */
	bool has_archive_cutoff;
	int64_t archive_cutoff;		/* hole */
	struct der_bytes crl_url;	/* IA5; len 0: none */
};

void ocsp_put_single(struct der_writer *w, const struct ocsp_single *single);

/* What a client reads back. */
struct ocsp_single_view {
	struct ocsp_certid certid;
	struct ocsp_status status;
	int64_t this_update;
	int64_t next_update;		/* OCSP_NO_NEXT_UPDATE if absent */
	bool has_archive_cutoff;
	int64_t archive_cutoff;
	struct der_bytes crl_url;	/* IA5; len 0: none */
};
bool ocsp_get_single(struct der_reader *r, struct ocsp_single_view *single);

#endif
