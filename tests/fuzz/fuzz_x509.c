/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash the readers of certificates and CRLs, and is what they
 * take put together again as it was, octet for octet?
 */
#include <string.h>

#include "der/reader.h"
#include "tests/fuzz/fuzz.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/name.h"
#include "x509/tbs.h"

static void
check_shell(enum sign_alg alg, struct der_bytes tbs,
    struct der_bytes signature, struct der_bytes der)
{
	struct x509_signed s = { .tbs = tbs, .alg = alg,
	    .signature = signature };
	uint8_t *out;
	size_t len;

	if (alg == SIGN_ALG_NONE)
		return;
	out = malloc(der.len);
	fuzz_check(out != NULL);
	fuzz_check(der_write(x509_put_signed, &s, out, der.len, &len) ==
	    OC_OK);
	fuzz_check(len == der.len && memcmp(out, der.p, len) == 0);
	free(out);
}

/*
 * The fields in the writer's order, and none that it has not: then the whole
 * TBS must come out of the writer as it went in.  Others stay readable.
 */
static void
check_certificate(const struct x509_cert *cert)
{
	static struct x509_tbs tbs;
	static uint8_t out[256 * 1024];
	static struct x509_cert again;
	static uint8_t whole[256 * 1024];
	struct x509_signed s = { .alg = cert->alg,
	    .signature = cert->signature };
	size_t len;

	if (cert->alg == SIGN_ALG_NONE)
		return;
	tbs = (struct x509_tbs){
		.serial = { cert->serial.bytes, cert->serial.len },
		.alg = cert->alg,
		.issuer = cert->issuer,
		.not_before = cert->not_before,
		.not_after = cert->not_after,
		.subject = cert->subject,
		.spki = cert->spki,
		.extensions = cert->extensions,
	};
	if (der_write(x509_put_tbs, &tbs, out, sizeof(out), &len) != OC_OK)
		return;
	s.tbs = (struct der_bytes){ out, len };
	fuzz_check(der_write(x509_put_signed, &s, whole, sizeof(whole),
	    &len) == OC_OK);
	if (len > 64 * 1024)
		return;
	fuzz_check(x509_cert_read((struct der_bytes){ whole, len }, &again,
	    NULL) == OC_OK);
	fuzz_check(oc_serial_equal(&again.serial, &cert->serial));
	fuzz_check(again.not_before == cert->not_before &&
	    again.not_after == cert->not_after);
	fuzz_check(der_bytes_equal(again.subject, cert->subject) &&
	    der_bytes_equal(again.issuer, cert->issuer) &&
	    der_bytes_equal(again.spki, cert->spki));
	fuzz_check(again.extensions.num_sans == cert->extensions.num_sans);
	fuzz_check(again.extensions.ca == cert->extensions.ca &&
	    again.extensions.key_usage == cert->extensions.key_usage);
}

static void
try_certificate(struct der_bytes der)
{
	static struct x509_cert cert;
	struct oc_error error = { 0 };
	char text[X509_NAME_TEXT_MAX];

	if (x509_cert_read(der, &cert, &error) != OC_OK) {
		fuzz_check(error.code != OC_OK && error.text[0] != '\0');
		return;
	}
	check_shell(cert.alg, cert.tbs, cert.signature, der);
	check_certificate(&cert);
	x509_name_format(cert.subject, text);
	(void)x509_cert_is_ca(&cert);
	(void)x509_cert_has_eku(&cert, DER_OID_OCSP_SIGNING);
	if (der_bytes_equal(cert.subject, cert.issuer))
		(void)!x509_cert_verify_issued(&cert, &cert, &error);
}

/* Entries that hold nothing else come out of the writer as they went in;
 * none is longer than the writer's. */
static void
check_entry(struct der_bytes tlv, const struct x509_crl_entry *entry)
{
	uint8_t out[X509_CRL_ENTRY_MAX];
	struct x509_crl_entry again;
	struct der_bytes rest;
	size_t len;

	/* Times before 1950 cannot be read, so all can be written. */
	fuzz_check(x509_crl_entry_write(entry, out, &len) == OC_OK);
	rest = (struct der_bytes){ out, len };
	fuzz_check(x509_crl_next_entry(&rest, &again) == OC_OK);
	fuzz_check(rest.len == 0);
	fuzz_check(oc_serial_equal(&again.serial, &entry->serial));
	fuzz_check(again.revoked_at == entry->revoked_at &&
	    again.reason == entry->reason &&
	    again.invalidity_at == entry->invalidity_at);
	fuzz_check(len <= tlv.len);
}

/* What is told of each entry as it is checked: a sum, and how many. */
struct told {
	uint64_t sum, num;
};

static void
add_told(struct told *told, const struct x509_crl_entry *e)
{
	uint64_t sum = told->sum;

	for (size_t i = 0; i < OC_SERIAL_MAX; i++)
		sum = sum * 31 + e->serial.bytes[i];
	sum = sum * 31 + e->serial.len;
	sum = sum * 31 + (uint64_t)e->revoked_at;
	sum = sum * 31 + (uint64_t)e->reason;
	told->sum = sum * 31 + (uint64_t)e->invalidity_at;
	told->num++;
}

static enum oc_err
tell(void *arg, const struct x509_crl_entry *entry, uint32_t place)
{
	struct told *told = arg;

	/* An entry has seven octets at least. */
	fuzz_check(place >= told->num * 7);
	add_told(told, entry);
	return OC_OK;
}

static void
try_crl(struct der_bytes der)
{
	struct told told = { 0, 0 }, walked = { 0, 0 };
	struct oc_error error = { 0 };
	struct x509_crl_entry entry;
	struct der_bytes rest, before;
	struct x509_crl crl;

	if (x509_crl_read_each(der, &crl, tell, &told, &error) != OC_OK) {
		fuzz_check(error.code != OC_OK && error.text[0] != '\0');
		return;
	}
	check_shell(crl.alg, crl.tbs, crl.signature, der);
	for (rest = crl.entries; rest.len != 0;) {
		before = rest;
		fuzz_check(x509_crl_next_entry(&rest, &entry) == OC_OK);
		fuzz_check(rest.len < before.len);
		before.len -= rest.len;
		check_entry(before, &entry);
		add_told(&walked, &entry);
	}
	/* Two readers, and both say the same. */
	fuzz_check(told.num == walked.num && told.sum == walked.sum);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_certificate((struct der_bytes){ data, size });
	try_crl((struct der_bytes){ data, size });
	return 0;
}
