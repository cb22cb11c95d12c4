/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash the HTTP parser, the decoder of chunked bodies or the
 * decoder of GET paths, and do they keep what their headers promise?  The
 * input is a connection's: a head, a body, another head.
 */
#include <string.h>

#include "ocsp/http.h"
#include "ocsp/http_date.h"
#include "ocsp/http_reply.h"
#include "ocsp/target.h"
#include "tests/fuzz/fuzz.h"

static uint8_t *
copy_of(const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	fuzz_check(copy != NULL);
	if (len > 0)
		memcpy(copy, p, len);
	return copy;
}

static void
check_view(struct der_bytes view, const uint8_t *p, size_t len)
{
	fuzz_check(view.len == 0 || (view.p >= p && view.p + view.len <=
	    p + len));
}

static enum http_verdict
judge(void *arg, struct der_bytes der)
{
	unsigned int *num = arg;

	fuzz_check(der.len > 0 && ++*num <= 512);
	return *num % 3 == 0 ? HTTP_CERTAIN : HTTP_PLAUSIBLE;
}

static void
try_target(const uint8_t *p, size_t len, const char *prefix,
    http_judge_fn *fn)
{
	uint8_t *copy = copy_of(p, len);
	struct der_bytes der;
	unsigned int num = 0, cured;

	if (http_target_decode(copy, len, prefix, fn, &num, &der, &cured) ==
	    HTTP_TARGET_REQUEST) {
		fuzz_check(der.len > 0);
		check_view(der, copy, len);
	}
	(void)http_target_of_post(copy, len, prefix);
	free(copy);
}

/* However the body comes in pieces, it is the same body. */
static void
try_chunked(const uint8_t *p, size_t len)
{
	uint8_t *whole = copy_of(p, len), *pieces = copy_of(p, len);
	struct http_chunked a = { .left = 0 }, b = { .left = 0 };
	size_t at, used_a = 0, used_b = 0;
	int rv_a = http_chunked_decode(&a, whole, len, &used_a), rv_b = 0;

	fuzz_check(rv_a <= 1 && a.len <= OCSP_REQUEST_MAX);
	for (at = 0; at < len && rv_b == 0; at++) {
		pieces[b.len] = p[at];
		rv_b = http_chunked_decode(&b, pieces, b.len + 1, &used_b);
	}
	fuzz_check(rv_a == rv_b);
	if (rv_a >= 0) {
		fuzz_check(a.len == b.len && a.len <= len);
		fuzz_check(memcmp(whole, pieces, a.len) == 0);
	}
	if (rv_a == 1)
		fuzz_check(used_a == at && used_a <= len);
	free(whole);
	free(pieces);
}

static void
try_conditions(const struct http_request *request)
{
	struct ocsp_reply reply = { .status = OCSP_SUCCESSFUL,
	    .is_cacheable = true };
	int64_t at;

	(void)http_is_not_modified(request, &reply, 1764000000);
	if (http_date_parse(request->if_modified_since, 1764000000, &at)) {
		char date[HTTP_DATE_LEN];

		http_date_format(at, date);
		fuzz_check(memcmp(date + 25, " GMT", 4) == 0);
	}
}

static void
try_select(const struct http_request *request)
{
	static const uint8_t etag[HTTP_ETAG_OCTETS] = { 0 };
	const struct http_file file = { .len = 1000, .etag = etag,
	    .modified_at = 1763000000 };
	struct http_range range;

	switch (http_select(request, &file, 1764000000, &range)) {
	case HTTP_WHOLE:
		fuzz_check(range.first == 0 && range.len == file.len);
		return;
	case HTTP_PART:
		fuzz_check(range.len > 0 && range.first < file.len &&
		    range.len <= file.len - range.first);
		return;
	case HTTP_NOT_MODIFIED:
	case HTTP_NOT_MATCHED:
	case HTTP_NO_SUCH_PART:
		return;
	}
}

static void
try_head(const uint8_t *data, size_t len)
{
	uint8_t *p = copy_of(data, len);
	struct http_request request, again;
	int rv = http_request_parse(p, len, &request);

	fuzz_check(rv <= (int)len && rv <= HTTP_HEAD_MAX && rv > -600);
	if (rv > 0) {
		fuzz_check(request.target.len > 0 &&
		    request.target.len <= HTTP_TARGET_MAX);
		check_view(request.content_type, p, (size_t)rv);
		check_view(request.if_none_match, p, (size_t)rv);
		check_view(request.if_modified_since, p, (size_t)rv);
		check_view(request.if_match, p, (size_t)rv);
		check_view(request.if_unmodified_since, p, (size_t)rv);
		check_view(request.range, p, (size_t)rv);
		check_view(request.if_range, p, (size_t)rv);
		fuzz_check(request.content_length <= OCSP_REQUEST_MAX);
		/* What is behind the head is nothing to it. */
		fuzz_check(http_request_parse(p, (size_t)rv, &again) == rv);
		fuzz_check(http_request_parse(p, (size_t)rv - 1, &again) <=
		    0);
		try_conditions(&request);
		try_select(&request);
		try_target(request.target.p, request.target.len, "/", NULL);
		try_target(request.target.p, request.target.len, "/ocsp/",
		    judge);
		try_target(request.target.p, request.target.len, "/", judge);
		if (request.framing == HTTP_CHUNKED)
			try_chunked(data + rv, len - (size_t)rv);
	}
	free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t blank = http_blank_len(data, size);

	fuzz_check(blank <= size && blank % 2 == 0);
	try_head(data + blank, size - blank);
	try_target(data, size < HTTP_TARGET_MAX ? size : HTTP_TARGET_MAX, "/",
	    judge);
	try_chunked(data, size);
	return 0;
}
