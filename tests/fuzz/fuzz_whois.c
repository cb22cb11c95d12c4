/* SPDX-License-Identifier: Apache-2.0 */
/* Can a WHOIS server's text crash its reader, or put into a reply what is no
 * address, or that of another domain? */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "validation/mailbox.h"
#include "validation/whois.h"

static const char *const name = "example.com";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct validation_reply reply = { .num_contacts = 0 };
	char host[VALIDATION_NAME_MAX + 1] = "";
	enum oc_err err = validation_whois_read((const char *)data, size,
	    name, &reply);

	fuzz_check(err == OC_OK || err == OC_ERR_MISMATCH);
	fuzz_check(err == OC_OK || reply.num_contacts == 0);
	fuzz_check(reply.num_contacts <= VALIDATION_CONTACTS_MAX);
	for (uint32_t i = 0; i < reply.num_contacts; i++)
		fuzz_check(validation_mailbox_is_valid(reply.contacts[i],
		    strlen(reply.contacts[i])));
	err = validation_whois_referral((const char *)data, size, host);
	fuzz_check(err != OC_OK ||
	    validation_host_is_valid(host, strlen(host)));
	return 0;
}
