/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a signed request crash whoever looks for who signed it?  And is nobody
 * known whom an unsigned or unreadable one would make so, nothing verified
 * without a budget, and the same said twice?
 *
 * The corpus has requests of who stands below this CA.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ocsp/request.h"
#include "status/requestor.h"
#include "tests/fuzz/fuzz.h"

static const char ca[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBgTCCASegAwIBAgIUDdNDiURftoC0zzpAu7gJBmeWygswCgYIKoZIzj0EAwIw\n"
    "FTETMBEGA1UEAwwKUmVxdWVzdG9yczAgFw0yNjExMjYyMzU3NTVaGA8yMTI2MTEw\n"
    "MjIzNTc1NVowFTETMBEGA1UEAwwKUmVxdWVzdG9yczBZMBMGByqGSM49AgEGCCqG\n"
    "SM49AwEHA0IABFR0bcYPp0WCsHQor8IrLkdc4F65j0tZFWrrE4D4CZsaQd6AAb1P\n"
    "8kughzHvIk3ZZ2UMO2+n1dmxWdQwDyEFm2yjUzBRMB0GA1UdDgQWBBTX2WxXC84q\n"
    "xVg4oGk3cMWepM12mzAfBgNVHSMEGDAWgBTX2WxXC84qxVg4oGk3cMWepM12mzAP\n"
    "BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDkWoV2zAyUISLRSCav\n"
    "dyO0O4k/MN0haqUreO33KUp1yQIgd1GBZ9hePBCOiyabL2fyAupQcvxR5HcavxkX\n"
    "Oiu6Ruw=\n"
    "-----END CERTIFICATE-----\n";

static struct x509_trust *trust;

static void
load(void)
{
	char path[] = "/tmp/fuzz-requestor-XXXXXX";
	int fd = mkstemp(path);

	fuzz_check(fd >= 0 && write(fd, ca, sizeof(ca) - 1) ==
	    (ssize_t)(sizeof(ca) - 1));
	fuzz_check(close(fd) == 0);
	fuzz_check(x509_trust_load(path, &trust, NULL) == OC_OK);
	fuzz_check(unlink(path) == 0);
}

static enum oc_err
check(struct der_bytes der, int64_t rate)
{
	struct ocsp_budget budget = { .rate = rate };
	struct oc_error error = { 0 };
	enum oc_err err = status_requestor_check(trust, &budget, der,
	    oc_clock_now_s(), &error);

	fuzz_check((err == OC_OK) == (error.text[0] == '\0'));
	/* Nobody is known, or has cost anything, by themselves. */
	fuzz_check(budget.num_taken <= rate);
	fuzz_check(err != OC_OK || budget.num_taken >= 2);
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct der_bytes der = { data, size };
	struct ocsp_request request;
	enum oc_err err, without;

	if (trust == NULL)
		load();
	err = check(der, STATUS_VERIFICATIONS_MAX);
	fuzz_check(check(der, STATUS_VERIFICATIONS_MAX) == err);
	without = check(der, 0);
	fuzz_check(without == err || without == OC_ERR_BUSY);
	if (ocsp_request_read(der, &request) != OC_OK ||
	    request.signature.len == 0)
		fuzz_check(err == OC_ERR_MALFORMED);
	fuzz_check(err != OC_ERR_BUSY && err != OC_ERR_INTERNAL);
	return 0;
}
