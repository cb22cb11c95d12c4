/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash the readers of CFSSL's documents, and is what they
 * take written as a Name and extensions that our own readers take?
 */
#include <string.h>

#include "cfssl/request.h"
#include "cfssl/result.h"
#include "tests/fuzz/fuzz.h"
#include "x509/name.h"

static void
put_extensions(struct der_writer *w, const void *arg)
{
	x509_put_extensions(w, arg);
}

static void
check_subject(const struct cfssl_subject *subject)
{
	uint8_t name[OC_NAME_MAX];
	struct cfssl_subject again = { .num_attributes = 0 };
	uint8_t second[OC_NAME_MAX];
	size_t len, second_len;
	enum oc_err err = cfssl_subject_write(subject, name, &len, NULL);

	if (err == OC_ERR_LIMIT)
		return;
	fuzz_check(err == OC_OK);
	fuzz_check(x509_name_is_valid((struct der_bytes){ name, len }));
	/* Taken over and written again, it is the same. */
	fuzz_check(cfssl_subject_fill(&again, (struct der_bytes){ name,
	    len }, NULL) == OC_OK);
	fuzz_check(cfssl_subject_write(&again, second, &second_len, NULL) ==
	    OC_OK);
	fuzz_check(second_len == len && memcmp(name, second, len) == 0);
}

static void
check_request(const struct cfssl_request *r)
{
	static struct x509_extensions e, again;
	static uint8_t der[1024 * 1024];
	size_t len;

	check_subject(&r->subject);
	if (!cfssl_request_extensions(r, &e))
		return;
	fuzz_check(der_write(put_extensions, &e, der, sizeof(der), &len) ==
	    OC_OK);
	fuzz_check(x509_read_extensions((struct der_bytes){ der, len },
	    &again, NULL) == OC_OK);
	fuzz_check(again.num_sans == r->num_sans);
	fuzz_check((again.ca == X509_IS_CA) == r->ca.is_given);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cfssl_subject subject;
	struct cfssl_request *request;
	struct cfssl_parts parts;
	struct oc_error error = { 0 };

	if (cfssl_request_read("f", data, size, &request, NULL, &error) ==
	    OC_OK) {
		check_request(request);
		cfssl_request_free(request);
	} else
		fuzz_check(error.code != OC_OK && error.text[0] != '\0');
	if (cfssl_subject_read("f", data, size, &subject, NULL) == OC_OK)
		check_subject(&subject);
	if (cfssl_parts_read("f", data, size, CFSSL_BARE, &parts, NULL) ==
	    OC_OK)
		cfssl_parts_fini(&parts);
	if (cfssl_parts_read("f", data, size, CFSSL_ENVELOPE, &parts, NULL) ==
	    OC_OK)
		cfssl_parts_fini(&parts);
	return 0;
}
