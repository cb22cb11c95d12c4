/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash the reader of OCSP responses?  What it takes is
 * walked, and written again from its parts: where the whole ResponseData is
 * kept, octet for octet.
 */
#include <string.h>

#include "ocsp/response.h"
#include "tests/fuzz/fuzz.h"

static void
check_singles(const struct ocsp_response_view *view)
{
	struct der_bytes rest = view->singles;
	struct ocsp_single_view single;
	uint32_t num = 0;

	for (; ocsp_response_next(&rest, &single); num++) {
		fuzz_check(single.status.kind == OCSP_GOOD ||
		    single.status.kind == OCSP_REVOKED ||
		    single.status.kind == OCSP_UNKNOWN);
		fuzz_check(crl_reason_name(single.status.reason) != NULL);
		fuzz_check(single.certid.serial.len > 0);
	}
	fuzz_check(num == view->num_singles);
}

static void
write_again(struct der_bytes der, const struct ocsp_response_view *view)
{
	struct ocsp_response response = { .data = view->data,
	    .alg = sign_alg_find(view->alg_identifier),
	    .signature = view->signature, .certs = view->certs };
	uint8_t *out;
	size_t len;

	if (response.alg == SIGN_ALG_NONE)
		return;
	out = malloc(der.len);
	fuzz_check(out != NULL);
	/* An empty list of certificates is the one thing we do not write. */
	fuzz_check(der_write(ocsp_put_response, &response, out, der.len,
	    &len) == OC_OK);
	if (view->certs.len != 0 || len == der.len)
		fuzz_check(len == der.len && memcmp(out, der.p, len) == 0);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct der_bytes der = { data, size };
	struct ocsp_response_view view;
	struct oc_error error = { 0 };

	if (ocsp_response_read(der, &view, &error) != OC_OK) {
		fuzz_check(error.code != OC_OK && error.text[0] != '\0');
		return 0;
	}
	if (view.status != OCSP_SUCCESSFUL) {
		fuzz_check(size == OCSP_ERROR_RESPONSE_LEN &&
		    memcmp(data, ocsp_error_response(view.status).p, size) ==
		    0);
		return 0;
	}
	check_singles(&view);
	write_again(der, &view);
	return 0;
}
