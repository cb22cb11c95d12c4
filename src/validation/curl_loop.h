/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's multi interface on a libevent loop: as many transfers as there
 * are, one thread.
 */
#ifndef VALIDATION_CURL_LOOP_H
#define VALIDATION_CURL_LOOP_H

#include <curl/curl.h>

#include "base/err.h"

struct event_base;
struct validation_curl;

/* From the loop, once; the handle is out of it again, and stays the
 * caller's. */
typedef void validation_curl_done_fn(void *arg, CURLcode rc);

/* curl_global_init() has been called. */
enum oc_err validation_curl_new(struct event_base *base,
    struct validation_curl **loop) OC_MUST_CHECK;
/* Begins a transfer; done() is never called from in here.  CURLOPT_PRIVATE is
 * ours. */
enum oc_err validation_curl_add(struct validation_curl *loop, CURL *easy,
    validation_curl_done_fn *done, void *arg) OC_MUST_CHECK;
/* Ends one that is not done; done() does not run.  Not from a callback of a
 * handle. */
void validation_curl_remove(struct validation_curl *loop, CURL *easy);
/* No transfer is left.  NULL is fine. */
void validation_curl_free(struct validation_curl *loop);

#endif
