/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a response that was signed elsewhere crash whoever is to serve it?  And
 * is what is taken given back octet for octet, and not once it has ended or
 * before it begins, nothing written when it is refused, and the same said
 * twice?
 *
 * The corpus has responses that this CA has signed, and others.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "status/identity.h"
#include "status/loaded.h"
#include "tests/fuzz/fuzz.h"

/* A minute after the corpus was made: 2026-11-27. */
#define NOW 1795757505

static const char ca[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBaTCCAQ+gAwIBAgICShEwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHT2ZmbGlu\n"
    "ZTAgFw0yNjExMjcwNTMwNDRaGA8yMTI2MTEwMzA1MzA0NFowEjEQMA4GA1UEAwwH\n"
    "T2ZmbGluZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPnA/AzprK2g0W59HPtH\n"
    "MrW8oTc5JZ5tF/AirEN4OOCW6GbJiuRDZe28FQqu43G1JxIJilbgicoSc89O9qc6\n"
    "gAmjUzBRMB0GA1UdDgQWBBSc5H4a/Q8Q3KG3NxRr6KqNOYfiijAfBgNVHSMEGDAW\n"
    "gBSc5H4a/Q8Q3KG3NxRr6KqNOYfiijAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49\n"
    "BAMCA0gAMEUCIQD/jUInR04JJp/pWFr1gubUwOPLhFNUaYbZ4Si7SAtXIQIgGtEj\n"
    "ewATFA1aPiX+1zKxIo3P8SjZM3Ye1/b+X8abImU=\n"
    "-----END CERTIFICATE-----\n";

static struct status_loader *loader;
static struct ocsp_context *context;

static void
load(void)
{
	char path[] = "/tmp/fuzz-loaded-XXXXXX";
	struct oc_config_issuer issuer = { .certificate = path };
	const struct oc_config_ocsp ocsp = { .issuer = &issuer };
	/* The loader's as long as we run. */
	static struct ocsp_identity *identity;
	int fd = mkstemp(path);

	fuzz_check(fd >= 0 && write(fd, ca, sizeof(ca) - 1) ==
	    (ssize_t)(sizeof(ca) - 1));
	fuzz_check(close(fd) == 0);
	fuzz_check(status_identity_load(&ocsp, &identity, NULL) == OC_OK);
	fuzz_check(status_loader_new(&issuer, identity, &loader, NULL) ==
	    OC_OK);
	fuzz_check(ocsp_context_new(identity, &context) == OC_OK);
	fuzz_check(unlink(path) == 0);
}

static enum oc_err
read_at(struct der_bytes der, int64_t now, struct ocsp_slot *slot)
{
	struct ocsp_slot before;
	struct oc_error error = { 0 };
	enum oc_err err;

	memset(slot, 0xa5, sizeof(*slot));
	before = *slot;
	err = status_loader_read(loader, der, now, slot, &error);
	fuzz_check((err == OC_OK) == (error.text[0] == '\0'));
	fuzz_check(err == OC_OK || memcmp(slot, &before, sizeof(before)) ==
	    0);
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct der_bytes der = { data, size };
	uint8_t built[OCSP_RESPONSE_MAX];
	struct ocsp_slot slot, again;
	enum oc_err err;
	size_t len;

	if (loader == NULL)
		load();
	err = read_at(der, NOW, &slot);
	fuzz_check(read_at(der, NOW, &again) == err);
	if (err != OC_OK) {
		fuzz_check(err == OC_ERR_MALFORMED ||
		    err == OC_ERR_UNSUPPORTED || err == OC_ERR_MISMATCH ||
		    err == OC_ERR_SIGNATURE || err == OC_ERR_REFUSED);
		return 0;
	}
	fuzz_check(ocsp_context_build(context, &slot, built, sizeof(built),
	    &len) == OC_OK && len == size && memcmp(built, data, len) == 0);
	fuzz_check(slot.status.kind != OCSP_UNKNOWN &&
	    slot.this_update <= slot.produced_at &&
	    slot.next_update > NOW);
	fuzz_check(read_at(der, slot.next_update, &again) == OC_ERR_REFUSED);
	fuzz_check(read_at(der, slot.this_update - 3600, &again) ==
	    OC_ERR_REFUSED);
	return 0;
}
