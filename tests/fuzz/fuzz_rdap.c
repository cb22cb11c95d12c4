/* SPDX-License-Identifier: Apache-2.0 */
/* Can an RDAP server's answer crash its reader, or put into a reply what is no
 * address? */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "validation/mailbox.h"
#include "validation/rdap.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct validation_reply reply = { .num_contacts = 0 };
	struct oc_error error = { 0 };
	enum oc_err err = validation_rdap_read(data, size, "example.com",
	    &reply, &error);

	fuzz_check((err == OC_OK) == (error.text[0] == '\0'));
	fuzz_check(err == OC_OK || reply.num_contacts == 0);
	fuzz_check(reply.num_contacts <= VALIDATION_CONTACTS_MAX);
	for (uint32_t i = 0; i < reply.num_contacts; i++)
		fuzz_check(validation_mailbox_is_valid(reply.contacts[i],
		    strlen(reply.contacts[i])));
	return 0;
}
