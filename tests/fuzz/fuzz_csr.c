/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash the reader of certification requests, and is what it
 * takes put together again as it was, octet for octet?  Its key is checked
 * and its names are printed, as for every request a stranger sends.
 */
#include <string.h>

#include "der/reader.h"
#include "tests/fuzz/fuzz.h"
#include "x509/csr.h"
#include "x509/name.h"
#include "x509/spki.h"
#include "x509/tbs.h"

static void
put_extensions(struct der_writer *w, const void *arg)
{
	x509_put_extensions(w, arg);
}

/* Written anew, and that read and written again, they stay what they are. */
static void
check_extensions(const struct x509_extensions *e)
{
	static struct x509_extensions again;
	static uint8_t first[128 * 1024], second[128 * 1024];
	size_t first_len, second_len;
	enum oc_err err;

	err = der_write(put_extensions, e, first, sizeof(first), &first_len);
	if (err == OC_ERR_MALFORMED)	/* nothing that we write */
		return;
	if (err == OC_ERR_LIMIT)	/* more nodes than a writer has */
		return;
	fuzz_check(err == OC_OK);
	fuzz_check(x509_read_extensions((struct der_bytes){ first,
	    first_len }, &again, NULL) == OC_OK);
	fuzz_check(again.num_sans == e->num_sans);
	fuzz_check(again.key_usage == e->key_usage);
	fuzz_check(der_write(put_extensions, &again, second, sizeof(second),
	    &second_len) == OC_OK);
	fuzz_check(first_len == second_len &&
	    memcmp(first, second, first_len) == 0);
}

static void
check_sans(const struct x509_extensions *e)
{
	char text[X509_SAN_TEXT_MAX];
	uint8_t buffer[4096], parsed[4096];
	struct x509_san san, again;
	uint32_t i;

	for (i = 0; i < e->num_sans; i++) {
		x509_san_format(&e->sans[i], text);
		fuzz_check(strlen(text) < X509_SAN_TEXT_MAX);
		if (x509_san_normalize(&e->sans[i], buffer, sizeof(buffer),
		    &san, NULL) != OC_OK)
			continue;
		x509_san_format(&san, text);
		if (strstr(text, "...") != NULL)
			continue;
		fuzz_check(x509_san_parse(text, parsed, sizeof(parsed),
		    &again, NULL) == OC_OK);
		fuzz_check(again.kind == san.kind &&
		    der_bytes_equal(again.value, san.value));
	}
}

static void
check_name(struct der_bytes name)
{
	char text[X509_NAME_TEXT_MAX];
	uint8_t out[8192];
	size_t len;

	fuzz_check(x509_name_is_valid(name));
	x509_name_format(name, text);
	fuzz_check(strlen(text) < X509_NAME_TEXT_MAX);
	/* Not every name can be typed, but typing must not crash either. */
	if (x509_name_parse(text, out, sizeof(out), &len, NULL) == OC_OK)
		fuzz_check(x509_name_is_valid((struct der_bytes){ out,
		    len }));
}

static void
check_again(const struct x509_csr *csr)
{
	struct x509_signed s = { .tbs = csr->info, .alg = csr->alg,
	    .signature = csr->signature };
	uint8_t *out = malloc(csr->der.len);
	size_t len;

	fuzz_check(out != NULL);
	fuzz_check(der_write(x509_put_signed, &s, out, csr->der.len, &len) ==
	    OC_OK);
	fuzz_check(len == csr->der.len && memcmp(out, csr->der.p, len) == 0);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct x509_csr csr;
	struct oc_error error = { 0 };
	char text[64];

	if (x509_csr_read((struct der_bytes){ data, size }, &csr, &error) !=
	    OC_OK) {
		fuzz_check(error.code != OC_OK && error.text[0] != '\0');
		return 0;
	}
	check_again(&csr);
	check_name(csr.subject);
	if (csr.has_extensions) {
		check_extensions(&csr.extensions);
		check_sans(&csr.extensions);
	}
	x509_spki_format(csr.spki, text);
	if (x509_spki_check(csr.spki, &error) == OC_OK)
		(void)!x509_csr_verify(&csr, &error);
	return 0;
}
