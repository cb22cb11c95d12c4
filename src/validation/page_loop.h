/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's multi interface on libevent; private to page.c. */
#ifndef VALIDATION_PAGE_LOOP_H
#define VALIDATION_PAGE_LOOP_H

#include "validation/page_impl.h"

enum oc_err validation_page_loop_open(struct validation_pages *pages)
    OC_MUST_CHECK;
/* No transfer is under way.  What was not opened is fine. */
void validation_page_loop_close(struct validation_pages *pages);

#endif
