/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that responders serve: an issuer's CRL or certificate, with what a
 * head says of it in front.  ocsign-status writes one beside the tables, each
 * time anew under the same name; responders send what they have opened.  So
 * nothing that is being sent ever changes.
 */
#ifndef OCSP_SERVED_H
#define OCSP_SERVED_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/config.h"
#include "base/err.h"
#include "der/bytes.h"

#define OCSP_SERVED_ETAG_LEN 16

struct ocsp_served_facts {
	/* thisUpdate and nextUpdate; notBefore and notAfter; the first of
	 * them later than that of whatever had its place. */
	int64_t modified_at, until;
	uint8_t etag[OCSP_SERVED_ETAG_LEN];
};

struct ocsp_served {
	struct ocsp_served_facts facts;
	int fd;
	off_t at;			/* where in it the DER begins */
	uint64_t len;			/* of the DER */
	dev_t dev;
	ino_t ino;
};

/* For free(); NULL without memory. */
char *ocsp_served_path(const char *directory,
    const struct oc_config_file *file);

/* The first octets of the DER's SHA-256. */
enum oc_err ocsp_served_make_etag(struct der_bytes der,
    uint8_t etag[OCSP_SERVED_ETAG_LEN]) OC_MUST_CHECK;
/* Blocks until it is on disk. */
enum oc_err ocsp_served_write(const char *path,
    const struct ocsp_served_facts *facts, struct der_bytes der,
    struct oc_error *error) OC_MUST_CHECK;

/* NOT_FOUND; MALFORMED if it is none. */
enum oc_err ocsp_served_open(const char *path, struct ocsp_served *served,
    struct oc_error *error) OC_MUST_CHECK;
void ocsp_served_close(struct ocsp_served *served);
/* That what stat() says is this file. */
bool ocsp_served_is(const struct ocsp_served *served, const struct stat *st);

#endif
