/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCSP files of python3-cryptography-vectors, real and made up: our
 * verdict is OpenSSL's, but for the files named here, each with its reason.
 * Skipped (77) where the package is not installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>

#include "base/file.h"
#include "tests/unit/ocsp_fixture.h"

#include <openssl/err.h>

#define FOLDER "/usr/lib/python3/dist-packages/cryptography_vectors/x509/ocsp"

enum { SKIPPED = 77 };

/* What OpenSSL takes and we do not. */
static const char *const stricter[] = {
	"req-duplicate-ext.der",		/* two nonces */
	"resp-unknown-response-status.der",	/* none of RFC 6960's six */
};

static const char *
folder(void)
{
	const char *from_environment = getenv("OCSIGN_OCSP_VECTORS");

	return from_environment == NULL ? FOLDER : from_environment;
}

static bool
we_are_stricter(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(stricter) / sizeof(stricter[0]); i++)
		if (strcmp(stricter[i], name) == 0)
			return true;
	return false;
}

static bool
openssl_takes_request(struct der_bytes der)
{
	const unsigned char *p = der.p;
	OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &p, (long)der.len);
	bool is_taken = request != NULL && p == der.p + der.len;

	OCSP_REQUEST_free(request);
	return is_taken;
}

static bool
openssl_takes_response(struct der_bytes der)
{
	const unsigned char *p = der.p;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)der.len);
	OCSP_BASICRESP *basic = NULL;
	bool is_taken = response != NULL && p == der.p + der.len;

	if (is_taken && OCSP_response_status(response) == 0) {
		basic = OCSP_response_get1_basic(response);
		is_taken = basic != NULL;
	}
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return is_taken;
}

/* The first CertID is the one that OpenSSL sees. */
static void
compare_requests(struct der_bytes der, const struct ocsp_request *ours)
{
	const unsigned char *p = der.p;
	OCSP_REQUEST *theirs = d2i_OCSP_REQUEST(NULL, &p, (long)der.len);
	OCSP_CERTID *id = OCSP_onereq_get0_id(
	    OCSP_request_onereq_get0(theirs, 0));
	unsigned char *id_der = NULL;
	int len = i2d_OCSP_CERTID(id, &id_der);

	assert_int_equal(OCSP_request_onereq_count(theirs),
	    ours->num_singles);
	assert_int_equal(len, ours->first.tlv.len);
	assert_memory_equal(id_der, ours->first.tlv.p, len);
	assert_int_equal(OCSP_REQUEST_get_ext_by_NID(theirs,
	    NID_id_pkix_OCSP_Nonce, -1) >= 0, ours->nonce.len > 0);
	OPENSSL_free(id_der);
	OCSP_REQUEST_free(theirs);
}

static void
compare_responses(struct der_bytes der, const struct ocsp_response_view *ours)
{
	const unsigned char *p = der.p;
	OCSP_RESPONSE *theirs = d2i_OCSP_RESPONSE(NULL, &p, (long)der.len);
	struct der_bytes rest = ours->singles;
	struct ocsp_single_view single;
	OCSP_BASICRESP *basic;
	int i, reason;

	assert_int_equal(OCSP_response_status(theirs), ours->status);
	if (ours->status == OCSP_SUCCESSFUL) {
		basic = OCSP_response_get1_basic(theirs);
		assert_int_equal(OCSP_resp_count(basic), ours->num_singles);
		for (i = 0; ocsp_response_next(&rest, &single); i++) {
			assert_int_equal(OCSP_single_get0_status(
			    OCSP_resp_get0(basic, i), &reason, NULL, NULL,
			    NULL), single.status.kind);
			if (single.status.kind == OCSP_REVOKED && reason >= 0)
				assert_int_equal(reason,
				    single.status.reason);
		}
		assert_int_equal(i, ours->num_singles);
		OCSP_BASICRESP_free(basic);
	}
	OCSP_RESPONSE_free(theirs);
}

static bool
check_file(const char *name, struct der_bytes der)
{
	bool is_response = strstr(name, "resp") != NULL, is_ours, is_theirs;
	struct ocsp_response_view view;
	struct ocsp_request request;

	if (is_response) {
		is_ours = ocsp_response_read(der, &view, NULL) == OC_OK;
		is_theirs = openssl_takes_response(der);
		if (is_ours && is_theirs)
			compare_responses(der, &view);
	} else {
		is_ours = ocsp_request_read(der, &request) == OC_OK;
		is_theirs = openssl_takes_request(der);
		if (is_ours && is_theirs)
			compare_requests(der, &request);
	}
	ERR_clear_error();
	if (is_ours == is_theirs && !we_are_stricter(name))
		return true;
	if (is_theirs && !is_ours && we_are_stricter(name))
		return true;
	print_error("%s: ours %d, OpenSSL's %d\n", name, is_ours, is_theirs);
	return false;
}

static void
all_files(void **state)
{
	DIR *dir = opendir(folder());
	unsigned int num = 0, num_wrong = 0;
	struct dirent *entry;
	char path[512];

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		uint8_t *bytes;
		size_t len;

		if (strstr(entry->d_name, ".der") == NULL)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder(),
		    entry->d_name);
		assert_int_equal(oc_file_read(path, 65536, &bytes, &len,
		    NULL), OC_OK);
		num++;
		num_wrong += !check_file(entry->d_name,
		    (struct der_bytes){ bytes, len });
		free(bytes);
	}
	closedir(dir);
	assert_true(num >= 20);
	assert_int_equal(num_wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_files),
	};

	if (access(folder(), R_OK) != 0) {
		(void)fprintf(stderr, "no %s: skipped\n", folder());
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
