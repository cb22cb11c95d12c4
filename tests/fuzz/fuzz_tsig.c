/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can an answer to an update crash its reader, or be believed though nobody
 * has signed it?  The corpus has messages whose MAC is right; they were signed
 * at a time of which this one is not within the fudge.  The same octets as a
 * key file.
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "validation/tsig.h"

static void
try_names(const uint8_t *data, size_t size)
{
	struct validation_dns_reader r = { data, size, 0, false };
	char name[VALIDATION_NAME_MAX + 1];

	while (!r.is_bad && r.at < r.len) {
		size_t before = r.at;

		validation_dns_get_name(&r, name);
		fuzz_check(strlen(name) <= VALIDATION_NAME_MAX);
		fuzz_check(r.is_bad || (r.at > before && r.at <= r.len));
	}
}

static void
try_key(const uint8_t *data, size_t size)
{
	struct validation_tsig_key key;
	struct oc_error error = { 0 };
	enum oc_err err = validation_tsig_key_parse((const char *)data, size,
	    &key, &error);

	fuzz_check((err == OC_OK) == (error.text[0] == '\0'));
	fuzz_check((err == OC_OK) == (key.secret.len > 0));
	if (err == OC_OK)
		fuzz_check(key.secret.len >= 16 && key.name[0] != '\0');
	validation_tsig_key_fini(&key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] = "hmac-sha256:a.b:"
	    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
	const struct validation_mac mac = { .bytes = "some MAC", .len = 32 };
	struct validation_tsig_key key;
	struct oc_error error = { 0 };
	uint16_t code;

	fuzz_check(validation_tsig_key_parse(text, sizeof(text) - 1, &key,
	    NULL) == OC_OK);
	fuzz_check(validation_tsig_verify(&key, 1900000000, &mac, data, size,
	    &code, &error) != OC_OK);
	fuzz_check(error.text[0] != '\0');
	validation_tsig_key_fini(&key);
	try_names(data, size);
	try_key(data, size);
	return 0;
}
