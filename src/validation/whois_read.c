/* SPDX-License-Identifier: Apache-2.0 */
/* What may be believed of a WHOIS server's text. */
#include "validation/whois.h"

#include <string.h>
#include <strings.h>

#include "validation/mailbox.h"
#include "validation/reply.h"

/* "Key: value", neither with blanks around it. */
struct line {
	const char *key, *value;
	size_t key_len, value_len;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void
trim(const char **text, size_t *len)
{
	while (*len > 0 && is_blank((*text)[0])) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*text)[*len - 1]))
		(*len)--;
}

/* False at the end; a line without a colon has an empty key. */
static bool
next_line(const char **text, size_t *len, struct line *line)
{
	const char *begin = *text, *end, *colon;
	size_t line_len;

	if (*len == 0)
		return false;
	end = memchr(begin, '\n', *len);
	line_len = end == NULL ? *len : (size_t)(end - begin);
	*text += line_len + (end != NULL);
	*len -= line_len + (end != NULL);
	colon = memchr(begin, ':', line_len);
	line->key = begin;
	line->key_len = colon == NULL ? 0 : (size_t)(colon - begin);
	line->value = colon == NULL ? begin : colon + 1;
	line->value_len = colon == NULL ? 0 : line_len - line->key_len - 1;
	trim(&line->key, &line->key_len);
	trim(&line->value, &line->value_len);
	return true;
}

static bool
is_key(const struct line *line, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		if (line->key_len == strlen(*keys) &&
		    strncasecmp(line->key, *keys, line->key_len) == 0)
			return true;
	return false;
}

static bool
is_name(const struct line *line, const char *name)
{
	size_t len = line->value_len;

	if (len > 0 && line->value[len - 1] == '.')
		len--;
	return len == strlen(name) &&
	    strncasecmp(line->value, name, len) == 0;
}

static void
put(struct validation_reply *reply, const struct line *line)
{
	char address[VALIDATION_ADDRESS_MAX + 1];

	if (!validation_mailbox_is_valid(line->value, line->value_len))
		return;
	memcpy(address, line->value, line->value_len);
	address[line->value_len] = '\0';
	validation_reply_put_contact(reply, address);
}

enum oc_err
validation_whois_read(const char *text, size_t len, const char *name,
    struct validation_reply *reply)
{
	static const char *const domain[] = { "Domain Name", "domain", NULL };
	static const char *const email[] = { "Registrant Email",
	    "Registrant Contact Email", "Admin Email",
	    "Administrative Contact Email", "Tech Email",
	    "Technical Contact Email", NULL };
	const char *rest = text;
	size_t rest_len = len;
	uint32_t num_before = reply->num_contacts;
	bool is_ours = false;
	struct line line;

	while (next_line(&rest, &rest_len, &line)) {
		if (is_key(&line, email)) {
			put(reply, &line);
		} else if (is_key(&line, domain)) {
			is_ours = is_name(&line, name);
			if (!is_ours)
				break;
		}
	}
	if (is_ours)
		return OC_OK;
	reply->num_contacts = num_before;
	return OC_ERR_MISMATCH;
}

enum oc_err
validation_whois_referral(const char *text, size_t len,
    char host[VALIDATION_NAME_MAX + 1])
{
	static const char *const refer[] = { "refer", "whois", NULL };
	struct line line;

	while (next_line(&text, &len, &line)) {
		if (!is_key(&line, refer) || line.value_len == 0)
			continue;
		if (!validation_host_is_valid(line.value, line.value_len))
			return OC_ERR_MALFORMED;
		memcpy(host, line.value, line.value_len);
		host[line.value_len] = '\0';
		return OC_OK;
	}
	return OC_ERR_NOT_FOUND;
}
