/* SPDX-License-Identifier: Apache-2.0 */
#include "acme/contact.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ADDRESS_MAX 254			/* RFC 5321, 4.5.3.1.3 */

/* What a message can be sent to: dot-atoms before the '@', and behind it a
 * domain of at least two labels.  '?', '#' and '%' are not the address's own
 * in a URL (RFC 6068, 2): header fields would come, or another '@'. */
static bool
is_address(const char *text)
{
	static const char letters[] = "-0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *at = strchr(text, '@');
	size_t local = at == NULL ? 0 : (size_t)(at - text);
	size_t labels = 0;

	if (local == 0 || strlen(text) > ADDRESS_MAX || text[0] == '.' ||
	    at[-1] == '.' || strspn(text, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!$&'*+-/=^_`{|}~") !=
	    local)
		return false;
	for (const char *p = at + 1;; labels++) {
		size_t len = strspn(p, letters);

		if (len == 0 || len > 63 || p[0] == '-' || p[len - 1] == '-')
			return false;
		if (p[len] == '\0')
			return labels > 0;
		if (p[len] != '.')
			return false;
		p += len + 1;
	}
}

static enum oc_err
check_one(const json_t *contact, struct acme_problem *problem)
{
	const char *text = json_string_value(contact);

	if (text == NULL || strlen(text) != json_string_length(contact))
		return acme_problem_set(problem, ACME_MALFORMED,
		    "contact is a list of texts");
	if (strncasecmp(text, "mailto:", 7) != 0)
		return acme_problem_set(problem, ACME_UNSUPPORTED_CONTACT,
		    "a contact is mailto:ADDRESS here, not %.100s", text);
	if (!is_address(text + 7))
		return acme_problem_set(problem, ACME_INVALID_CONTACT,
		    "%.150s is no mail address, or more than one", text);
	return OC_OK;
}

enum oc_err
acme_contacts_read(const json_t *contacts, char *text, size_t text_max,
    struct acme_problem *problem)
{
	size_t num = json_array_size(contacts);
	char *made;
	enum oc_err err = OC_OK;

	if (contacts != NULL && !json_is_array(contacts))
		return acme_problem_set(problem, ACME_MALFORMED,
		    "contact is a list of texts");
	if (num > ACME_CONTACTS_MAX)
		return acme_problem_set(problem, ACME_INVALID_CONTACT,
		    "at most %d contacts", ACME_CONTACTS_MAX);
	for (size_t i = 0; err == OC_OK && i < num; i++)
		err = check_one(json_array_get(contacts, i), problem);
	if (err != OC_OK)
		return err;
	made = contacts == NULL ? strdup("[]") :
	    json_dumps(contacts, JSON_COMPACT);
	if (made == NULL)
		return acme_problem_set(problem, ACME_SERVER_INTERNAL,
		    "out of memory");
	if (strlen(made) >= text_max)
		err = acme_problem_set(problem, ACME_INVALID_CONTACT,
		    "the contacts are too long together");
	else
		strcpy(text, made);
	free(made);
	return err;
}
