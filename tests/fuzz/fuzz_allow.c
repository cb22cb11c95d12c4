/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash what looks at a to-be-signed value before it is signed,
 * and does it refuse with a reason, and take nothing that is not one value of
 * its kind?  The first octet says which kind and which limits.
 */
#include <string.h>

#include "der/reader.h"
#include "pkcs11/allow.h"
#include "tests/fuzz/fuzz.h"

#define NOW INT64_C(1790000000)

static const uint8_t name[] = { 0x30, 0x14, 0x31, 0x12, 0x30, 0x10, 0x06,
    0x03, 0x55, 0x04, 0x03, 0x0c, 0x09, 'S', 'a', 'm', 'p', 'l', 'e', ' ',
    'C', 'A' };
static const uint8_t spki[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b,
    0x65, 0x70, 0x03, 0x21, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
    14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
    32 };
static const uint8_t key_id[] = { 9, 8, 7, 6 };
static const uint8_t domains[] = { 0x16, 7, 'e', 'x', 'a', 'm', 'p', 'l',
    'e' };
static const uint8_t ekus[] = { 0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1 };

static struct p11_allow
limits_of(uint8_t bits)
{
	struct p11_allow allow = {
		.kinds = P11_ALLOW_ISSUER | P11_ALLOW(SIGN_KIND_OCSP),
		.ca_name = DER_ARRAY(name),
		.ca_spki = DER_ARRAY(spki),
	};

	if ((bits & 0x04) != 0)
		allow.name = DER_ARRAY(name);
	if ((bits & 0x08) != 0)
		allow.limits.key_id = DER_ARRAY(key_id);
	if ((bits & 0x10) != 0)
		allow.limits.permitted_dns = DER_ARRAY(domains);
	if ((bits & 0x20) != 0)
		allow.limits.ekus = DER_ARRAY(ekus);
	if ((bits & 0x40) != 0)
		allow.limits.sign_ca = P11_MAY;
	if ((bits & 0x80) != 0) {
		allow.limits.not_before = NOW - 86400;
		allow.limits.not_after = NOW + INT64_C(1000) * 86400;
		allow.limits.max_validity_s = INT64_C(900) * 86400;
	}
	return allow;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oc_error error = { 0 };
	struct p11_allow allow;
	struct der_bytes tbs, contents;
	enum sign_kind kind;
	enum oc_err err;

	if (size == 0)
		return 0;
	kind = (enum sign_kind)(1 + (data[0] & 3));
	allow = limits_of(data[0]);
	tbs = (struct der_bytes){ data + 1, size - 1 };
	err = p11_allow_check(&allow, DER_ARRAY(spki), kind,
	    SIGN_ECDSA_SHA256, tbs, NOW, &error);
	fuzz_check((err == OC_OK) == (error.text[0] == '\0'));
	fuzz_check(err == OC_OK || err == OC_ERR_REFUSED ||
	    err == OC_ERR_MALFORMED || err == OC_ERR_LIMIT);
	if (err == OC_OK)
		fuzz_check(der_read_whole(tbs, DER_SEQUENCE, &contents));
	return 0;
}
