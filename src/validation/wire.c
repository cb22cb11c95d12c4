/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question:
 *	task	 u8	enum validation_task
 *	given	 u16	bit n: the n-th of strings[]; bit 15: is_wildcard
 *	timeout	 u32	ms (IPC_TIMEOUT_AT)
 *	those strings
 * A reply:
 *	fault	 u8
 *	flags	 u8	1: is_temporary
 *	seen	 text
 *	num_found, num_contacts  u8 each
 *	contacts text each
 */
#include "validation/wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

_Static_assert(IPC_TIMEOUT_AT == 3, "behind task and given");

#define WILDCARD 0x8000u
#define TEMPORARY 0x01u
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* --- what a string may be ------------------------------------------------ */

/* Labels of 1 to 63 octets; "_" is in names that only hold records. */
static bool
is_name(const char *text)
{
	const char *label = text;
	size_t len;

	for (;;) {
		len = strspn(label, LOWER DIGITS "-_");
		if (len == 0 || len > 63)
			return false;
		if (label[len] == '\0')
			return true;
		if (label[len] != '.')
			return false;
		label += len + 1;
	}
}

/* "_acme-challenge." */
static bool
is_prefix(const char *text)
{
	size_t len = strlen(text);

	return len > 2 && text[0] == '_' &&
	    strspn(text, LOWER DIGITS "-_") == len - 1 &&
	    text[len - 1] == '.';
}

/* Behind a slash, and never up. */
static bool
is_path(const char *text)
{
	return text[0] != '\0' && text[0] != '/' && text[0] != '.' &&
	    strspn(text, LOWER UPPER DIGITS "-._~/") == strlen(text) &&
	    strstr(text, "..") == NULL && strstr(text, "//") == NULL &&
	    strstr(text, "/.") == NULL;
}

/* ASCII without blanks and controls. */
static bool
is_word(const char *text)
{
	const char *p = text;

	while (*p > 0x20 && *p < 0x7f)
		p++;
	return p != text && *p == '\0';
}

static bool
is_method(const char *text)
{
	return text[0] != '\0' &&
	    strspn(text, LOWER DIGITS "-") == strlen(text);
}

/* Between the angle brackets of an SMTP command. */
static bool
is_mailbox(const char *text)
{
	const char *at = strrchr(text, '@');

	return is_word(text) && at != NULL && at != text && at[1] != '\0' &&
	    strpbrk(text, "<>\"\\,;:()[]") == NULL;
}

/* UTF-8 that no terminal obeys; those of allowed aside. */
static bool
is_printable(const char *text, const char *allowed)
{
	size_t len = strlen(text), n;

	for (size_t i = 0; i < len; i += n) {
		unsigned char c = (unsigned char)text[i];

		n = oc_utf8_first(text + i, len - i);
		if (n == 0 || (n == 1 && (c < 0x20 || c == 0x7f) &&
		    strchr(allowed, (int)c) == NULL) ||
		    (n == 2 && c == 0xc2 && (unsigned char)text[i + 1] < 0xa0))
			return false;
	}
	return true;
}

static bool
is_subject(const char *text)
{
	return text[0] != '\0' && is_printable(text, "");
}

static bool
is_body(const char *text)
{
	return is_printable(text, "\r\n\t");
}

/* --- a question's strings ------------------------------------------------ */

enum string {
	NAME = 1 << 0, PREFIX = 1 << 1, FILE_PATH = 1 << 2,
	EXPECTED = 1 << 3, METHOD = 1 << 4, ACCOUNT_URI = 1 << 5,
	TO = 1 << 6, SUBJECT = 1 << 7, BODY = 1 << 8
};
#define NUM_STRINGS 9
#define ALL_STRINGS ((1u << NUM_STRINGS) - 1)

#define AT(field) #field, offsetof(struct validation_question, field)
static const struct {
	const char *field;
	size_t offset, max;
	bool (*is_fine)(const char *text);
} strings[NUM_STRINGS] = {
	{ AT(name), VALIDATION_NAME_MAX, is_name },
	{ AT(prefix), VALIDATION_PREFIX_MAX, is_prefix },
	{ AT(path), VALIDATION_PATH_MAX, is_path },
	{ AT(expected), VALIDATION_EXPECTED_MAX, is_word },
	{ AT(method), VALIDATION_METHOD_MAX, is_method },
	{ AT(account_uri), VALIDATION_URI_MAX, is_word },
	{ AT(to), VALIDATION_ADDRESS_MAX, is_mailbox },
	{ AT(subject), VALIDATION_SUBJECT_MAX, is_subject },
	{ AT(body), VALIDATION_BODY_MAX, is_body },
};
#undef AT

/* What each task needs, and what it takes beside that. */
static const struct {
	unsigned int needs, takes;
} tasks[VALIDATION_TASK_LAST + 1] = {
	[VALIDATION_TXT] = { NAME | PREFIX | EXPECTED, 0 },
	[VALIDATION_FILE] = { NAME | FILE_PATH | EXPECTED, 0 },
	[VALIDATION_META] = { NAME | EXPECTED, 0 },
	[VALIDATION_CAA] = { NAME, METHOD | ACCOUNT_URI | WILDCARD },
	[VALIDATION_CONTACTS] = { NAME, 0 },
	[VALIDATION_MAIL] = { TO | SUBJECT | BODY, NAME },
	[VALIDATION_PUBLISH] = { NAME | PREFIX | EXPECTED, 0 },
	[VALIDATION_WITHDRAW] = { NAME | PREFIX | EXPECTED, 0 },
};

static const char *
string_of(const struct validation_question *q, size_t i)
{
	const char *text;

	memcpy(&text, (const char *)q + strings[i].offset, sizeof(text));
	return text;
}

static void
set_string(struct validation_question *q, size_t i, const char *text)
{
	memcpy((char *)q + strings[i].offset, &text, sizeof(text));
}

static unsigned int
given_by(const struct validation_question *q)
{
	unsigned int given = q->is_wildcard ? WILDCARD : 0;

	for (size_t i = 0; i < NUM_STRINGS; i++)
		if (string_of(q, i) != NULL)
			given |= 1u << i;
	return given;
}

/* NULL: all is well. */
static const char *
find_wrong(const struct validation_question *q)
{
	unsigned int given = given_by(q), wrong;
	const char *text;

	if (q->task < VALIDATION_TXT || q->task > VALIDATION_TASK_LAST)
		return "task";
	wrong = (tasks[q->task].needs & ~given) |
	    (given & ~(tasks[q->task].needs | tasks[q->task].takes));
	if ((wrong & WILDCARD) != 0)
		return "is_wildcard";
	for (size_t i = 0; i < NUM_STRINGS; i++) {
		text = string_of(q, i);
		if ((wrong & (1u << i)) != 0 || (text != NULL &&
		    (strlen(text) > strings[i].max ||
		    !strings[i].is_fine(text))))
			return strings[i].field;
	}
	return NULL;
}

enum oc_err
validation_put_question(uint8_t *out, size_t out_max, uint64_t id,
    const struct validation_question *q, uint32_t timeout_ms, size_t *len,
    const char **which)
{
	const char *wrong = find_wrong(q);
	struct ipc_writer w;

	if (wrong != NULL) {
		*which = wrong;
		return OC_ERR_REFUSED;
	}
	ipc_begin(&w, out, out_max, IPC_VALIDATE, 0, id);
	ipc_put_u8(&w, (uint8_t)q->task);
	ipc_put_u16(&w, (uint16_t)given_by(q));
	ipc_put_u32(&w, timeout_ms);
	for (size_t i = 0; i < NUM_STRINGS; i++)
		if (string_of(q, i) != NULL)
			ipc_put_text(&w, string_of(q, i));
	return ipc_end(&w, len);
}

enum oc_err
validation_read_question(struct der_bytes fields,
    struct validation_asked **asked)
{
	struct ipc_reader r = ipc_reader_of(fields);
	/* Each string's length field has room for the NUL behind it. */
	struct validation_asked *a = calloc(1, sizeof(*a) + fields.len + 1);
	struct validation_question *q;
	unsigned int given;
	size_t used = 0;

	if (a == NULL)
		return OC_ERR_NOMEM;
	q = &a->question;
	q->task = (enum validation_task)ipc_get_u8(&r);
	given = ipc_get_u16(&r);
	a->timeout_ms = ipc_get_u32(&r);
	q->is_wildcard = (given & WILDCARD) != 0;
	for (size_t i = 0; i < NUM_STRINGS && !r.has_failed; i++) {
		if ((given & (1u << i)) == 0)
			continue;
		ipc_get_text(&r, a->octets + used, fields.len + 1 - used);
		set_string(q, i, a->octets + used);
		used += strlen(a->octets + used) + 1;
	}
	if (!ipc_is_done(&r) || (given & ~(ALL_STRINGS | WILDCARD)) != 0 ||
	    find_wrong(q) != NULL) {
		free(a);
		return OC_ERR_MALFORMED;
	}
	*asked = a;
	return OC_OK;
}

/* --- replies -------------------------------------------------------------- */

enum oc_err
validation_put_reply(uint8_t *out, size_t out_max, uint64_t id,
    const struct validation_reply *reply, size_t *len)
{
	struct ipc_writer w;

	oc_assert(reply->num_contacts <= VALIDATION_CONTACTS_MAX);
	ipc_begin(&w, out, out_max, IPC_VALIDATED, 0, id);
	ipc_put_u8(&w, (uint8_t)reply->fault);
	ipc_put_u8(&w, reply->is_temporary ? TEMPORARY : 0);
	ipc_put_text(&w, reply->seen);
	ipc_put_u8(&w, (uint8_t)reply->num_found);
	ipc_put_u8(&w, (uint8_t)reply->num_contacts);
	for (uint32_t i = 0; i < reply->num_contacts; i++)
		ipc_put_text(&w, reply->contacts[i]);
	return ipc_end(&w, len);
}

enum oc_err
validation_read_reply(struct der_bytes fields, struct validation_reply *reply)
{
	struct ipc_reader r = ipc_reader_of(fields);
	struct validation_reply m = { .num_contacts = 0 };
	uint8_t fault = ipc_get_u8(&r), flags = ipc_get_u8(&r);

	ipc_get_text(&r, m.seen, sizeof(m.seen));
	m.num_found = ipc_get_u8(&r);
	m.num_contacts = ipc_get_u8(&r);
	if (r.has_failed || fault > VALIDATION_FAULT_LAST ||
	    (flags & ~TEMPORARY) != 0 || !is_printable(m.seen, "") ||
	    m.num_contacts > VALIDATION_CONTACTS_MAX ||
	    m.num_found > m.num_contacts)
		return OC_ERR_MALFORMED;
	for (uint32_t i = 0; i < m.num_contacts; i++) {
		ipc_get_text(&r, m.contacts[i], sizeof(m.contacts[i]));
		if (r.has_failed || !is_mailbox(m.contacts[i]))
			return OC_ERR_MALFORMED;
	}
	if (!ipc_is_done(&r))
		return OC_ERR_MALFORMED;
	m.fault = (enum validation_fault)fault;
	m.is_temporary = (flags & TEMPORARY) != 0;
	*reply = m;
	return OC_OK;
}
