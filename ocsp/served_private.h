/* SPDX-License-Identifier: Apache-2.0 */
/* What served.c and served_write.c share. */
#ifndef OCSP_SERVED_PRIVATE_H
#define OCSP_SERVED_PRIVATE_H

#include "ocsp/served.h"

/* "ocsfile", and the version of what stands behind it.  Read by the machine
 * that wrote it, as tables are. */
#define SERVED_MAGIC UINT64_C(0x6f637366696c6501)

struct served_header {
	uint64_t magic;
	uint64_t len;			/* of the DER, to the file's end */
	struct ocsp_served_facts facts;
	uint8_t zero[16];
};
_Static_assert(sizeof(struct served_header) == 64, "what is on disk");

#endif
