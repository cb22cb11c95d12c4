/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a file that is said to be a CRL, or a list of who was issued, crash
 * whoever reads it?  And is what is taken in order, found again, and no step
 * back from itself?
 *
 * The corpus has lists that this CA has signed.
 */
#include <stdlib.h>
#include <string.h>

#include "status/crl_list.h"
#include "status/issued.h"
#include "tests/fuzz/fuzz.h"
#include "x509/file.h"

static const char ca[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBhjCCASygAwIBAgITEPdpi0FPk80zdGfbNtm4XzrRoDAKBggqhkjOPQQDAjAQ\n"
    "MQ4wDAYDVQQDDAVMaXN0czAgFw0yNjExMjcwNTQxMDRaGA8yMTI2MTEwMzA1NDEw\n"
    "NFowEDEOMAwGA1UEAwwFTGlzdHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASU\n"
    "5jF4COgkhjlRmDafW/fa3uVOTjQ2RLfwEssmXc+BUvW/u6I9ChSTtn/PS43ebAh3\n"
    "moiqFg+TSGHfSkcb5k9Wo2MwYTAdBgNVHQ4EFgQU5cdpax4Sk5Lt/s6dmhbtQwi1\n"
    "jqYwHwYDVR0jBBgwFoAU5cdpax4Sk5Lt/s6dmhbtQwi1jqYwDwYDVR0TAQH/BAUw\n"
    "AwEB/zAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZIzj0EAwIDSAAwRQIgepY1IUdVepx7\n"
    "w0VzFKYp2/1VM+E7CdLw8w9pWtbLiRICIQCombY8xoJ9Tm1ioywvRK0/9J2wxEYc\n"
    "Ug/DW0N8GFK7nQ==\n"
    "-----END CERTIFICATE-----\n";

static struct x509_cert cert;
static uint8_t *cert_der;

static void
load(void)
{
	size_t len;

	fuzz_check(x509_file_parse("ca", (const uint8_t *)ca, sizeof(ca) - 1,
	    X509_FILE_CERTIFICATE, &cert_der, &len, NULL) == OC_OK);
	fuzz_check(x509_cert_read((struct der_bytes){ cert_der, len }, &cert,
	    NULL) == OC_OK);
}

static void
check_list(const struct status_crl_list *list)
{
	struct status_entry found, last = { .reason = 0 };
	struct status_lost lost;
	uint32_t num_revoked = 0, i;

	for (i = 0; i < list->list.num_entries; i++) {
		struct status_entry e = status_list_at(&list->list, i);

		fuzz_check(status_list_find(&list->list, &e.serial, &found) &&
		    status_entry_says_same(&e, &found));
		fuzz_check(i == 0 || status_serial_compare(&last.serial,
		    &e.serial) < 0);
		num_revoked += e.is_revoked;
		last = e;
	}
	fuzz_check(num_revoked == list->list.num_revoked);
	fuzz_check(status_crl_list_succeeds(list, list, 0, &lost, NULL) ==
	    OC_OK && lost.num_dropped == 0);
}

static enum oc_err
read_list(const uint8_t *octets, size_t len, enum status_crl_scope scope)
{
	struct status_crl_list *list = NULL;
	struct oc_error error = { 0 };
	uint8_t *der = NULL;
	size_t der_len;
	enum oc_err err;

	err = x509_file_parse("file", octets, len, X509_FILE_CRL, &der,
	    &der_len, &error);
	if (err == OC_OK)
		err = status_crl_list_new(&der, der_len, &cert, scope, &list,
		    &error);
	fuzz_check((err == OC_OK) == (error.text[0] == '\0'));
	fuzz_check((err == OC_OK) == (list != NULL));
	if (list != NULL)
		check_list(list);
	status_crl_list_release(list);
	free(der);
	return err;
}

/* What is done with one that nobody has signed yet. */
static void
read_parts(const uint8_t *octets, size_t len)
{
	struct der_bytes urls[4];
	struct oc_error error = { 0 };
	struct x509_crl crl;
	uint8_t *der = NULL;
	size_t der_len;
	uint32_t num;

	if (x509_file_parse("file", octets, len, X509_FILE_CRL, &der,
	    &der_len, &error) == OC_OK && x509_crl_read((struct der_bytes){ der,
	    der_len }, &crl, &error) == OC_OK) {
		num = x509_crl_freshest_urls(&crl, urls, 4);
		for (uint32_t i = 0; i < num; i++)
			fuzz_check(urls[i].len > 0 && urls[i].p >= der &&
			    urls[i].p + urls[i].len <= der + der_len);
		fuzz_check(!crl.is_delta || crl.base_number.len > 0);
		fuzz_check(x509_delta_crl_check(&crl, &crl, &error) != OC_OK);
	}
	free(der);
}

static void
read_issued(const char *text, size_t len)
{
	struct status_issued *issued = NULL;
	struct oc_error error = { 0 };
	uint32_t i;

	if (status_issued_parse(text, len, &issued, &error) != OC_OK) {
		fuzz_check(error.text[0] != '\0');
		return;
	}
	for (i = 0; i < issued->num_singles; i++)
		fuzz_check(status_issued_has(issued, &issued->singles[i]));
	for (i = 0; i < issued->num_ranges; i++) {
		const struct status_issued_range *r = &issued->ranges[i];

		fuzz_check(status_issued_has(issued, &r->first) &&
		    status_issued_has(issued, &r->last));
		fuzz_check(i == 0 || status_serial_compare(&r[-1].last,
		    &r->first) < 0);
	}
	status_issued_release(issued);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum oc_err any, whole, delta;

	if (cert_der == NULL)
		load();
	any = read_list(data, size, STATUS_CRL_ANY);
	whole = read_list(data, size, STATUS_CRL_WHOLE);
	fuzz_check(whole == any || (any == OC_OK &&
	    whole == OC_ERR_UNSUPPORTED));
	fuzz_check(any != OC_ERR_INTERNAL && any != OC_ERR_NOMEM);
	delta = read_list(data, size, STATUS_CRL_DELTA);
	fuzz_check(delta != OC_OK || any == OC_ERR_UNSUPPORTED);
	read_parts(data, size);
	read_issued((const char *)data, size);
	return 0;
}
