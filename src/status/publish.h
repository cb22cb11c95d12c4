/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What responders serve beside OCSP: puts each issuer's certificate and newest
 * CRL where they look for it (ocsp/served.h), and puts it there again when it
 * is another.  The CRL is that of crl-file where there is one, else the
 * store's.
 *
 * The thread of status/crls.h does the work; the rest is for any thread.
 */
#ifndef STATUS_PUBLISH_H
#define STATUS_PUBLISH_H

#include "base/config.h"
#include "base/err.h"
#include "status/files.h"
#include "store/store.h"

struct status_publish;

struct status_published {
	const struct oc_config_file *file;	/* the configuration's */
	uint64_t len;			/* 0: there is none, nor the rest */
	int64_t modified_at, until;	/* see ocsp/served.h */
};

/* Both are borrowed.  files may be NULL where no issuer has a crl-file. */
enum oc_err status_publish_new(const struct oc_config *config,
    const struct status_files *files,
    struct status_publish **publish, struct oc_error *error) OC_MUST_CHECK;
void status_publish_free(struct status_publish *publish);  /* NULL: fine */

/* Once a second, a status_crls_fn.  Blocks: on the disk, and for large CRLs
 * for a while. */
void status_publish_look(void *publish, struct store *store, bool has_news);

/* "crl", "certificate", "delta-crl". */
const char *status_publish_kind(const struct status_published *published);
size_t status_publish_num(const struct status_publish *publish); /* NULL: 0 */
struct status_published status_publish_get(struct status_publish *publish,
    size_t i);

#endif
