/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/message.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "validation/mail.h"
#include "validation/mailbox.h"

#define LINE_MAX 76			/* RFC 2045, 6.7 */
/* RFC 2047, 2: a line has 76, with what stands around base64, and "Subject: ".
 */
#define WORD_OCTETS_MAX 39

/* --- what may be in it -------------------------------------------------- */

static bool
is_address(const char *text)
{
	return text != NULL &&
	    validation_mailbox_is_valid(text, strlen(text));
}

/* No control character; of a text, tabs and line ends. */
static bool
is_text(const char *text, bool has_lines)
{
	if (text == NULL || !oc_utf8_is_valid(text, strlen(text)))
		return false;
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c < 0x20 || c == 0x7f) &&
		    !(has_lines && (c == '\n' || c == '\t')))
			return false;
	}
	return true;
}

/* Nothing to encode, and no line that is too long. */
static bool
is_plain(const char *text, size_t line_max)
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		len = *text == '\n' ? 0 : len + 1;
		if ((unsigned char)*text > 0x7e || len > line_max)
			return false;
	}
	return true;
}

/* --- the header --------------------------------------------------------- */

/* =?UTF-8?B?...?=, each with whole characters, folded between. */
static void
put_words(struct oc_buffer *b, const char *text)
{
	char base64[OC_BASE64_LEN(WORD_OCTETS_MAX) + 1];
	size_t left = strlen(text), len;

	while (left > 0) {
		for (len = 0; len < left;) {
			size_t one = oc_utf8_first(text + len, left - len);

			if (len + one > WORD_OCTETS_MAX)
				break;
			len += one;
		}
		oc_base64_encode(text, len, base64);
		oc_buffer_printf(b, "=?UTF-8?B?%s?=", base64);
		text += len;
		left -= len;
		if (left > 0)
			oc_buffer_put_text(b, "\r\n ");
	}
}

static void
put_subject(struct oc_buffer *b, const char *subject)
{
	oc_buffer_put_text(b, "Subject: ");
	/* What looks like an encoded word would be read as one. */
	if (is_plain(subject, LINE_MAX - strlen("Subject: ")) &&
	    strstr(subject, "=?") == NULL)
		oc_buffer_put_text(b, subject);
	else
		put_words(b, subject);
	oc_buffer_put_text(b, "\r\n");
}

/* In English, whatever the locale. */
static void
put_date(struct oc_buffer *b, int64_t at)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
	    "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)at;
	struct tm tm;

	oc_assert(gmtime_r(&seconds, &tm) != NULL);
	oc_buffer_printf(b, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* --- the text ----------------------------------------------------------- */

static void
put_lines(struct oc_buffer *b, const char *body)
{
	while (*body != '\0') {
		size_t len = strcspn(body, "\n");

		oc_buffer_put(b, body, len);
		oc_buffer_put_text(b, "\r\n");
		body += len + (body[len] == '\n');
	}
}

/* Itself, but for "=", what is not ASCII, and a blank at a line's end. */
static bool
is_itself(const char *c)
{
	if (*c == ' ' || *c == '\t')
		return c[1] != '\n' && c[1] != '\0';
	return (unsigned char)*c > 0x20 && (unsigned char)*c < 0x7f &&
	    *c != '=';
}

/* quoted-printable: RFC 2045, 6.7. */
static void
put_quoted(struct oc_buffer *b, const char *body)
{
	size_t column = 0;

	for (; *body != '\0'; body++) {
		size_t len = is_itself(body) ? 1 : 3;

		if (*body == '\n') {
			oc_buffer_put_text(b, "\r\n");
			column = 0;
			continue;
		}
		if (column + len > LINE_MAX - 1) {
			oc_buffer_put_text(b, "=\r\n");
			column = 0;
		}
		if (len == 1)
			oc_buffer_put(b, body, 1);
		else
			oc_buffer_printf(b, "=%02X", (unsigned char)*body);
		column += len;
	}
	if (column > 0)
		oc_buffer_put_text(b, "\r\n");
}

enum oc_err
validation_message_put(struct oc_buffer *b,
    const struct validation_message *m)
{
	bool is_ascii;

	if (!is_address(m->from) || !is_address(m->to) ||
	    !is_text(m->subject, false) || !is_text(m->body, true))
		return OC_ERR_MALFORMED;
	if (strlen(m->subject) > VALIDATION_SUBJECT_MAX ||
	    strlen(m->body) > VALIDATION_BODY_MAX)
		return OC_ERR_LIMIT;
	is_ascii = is_plain(m->body, LINE_MAX);
	oc_buffer_printf(b, "From: <%s>\r\nTo: <%s>\r\n", m->from, m->to);
	put_subject(b, m->subject);
	put_date(b, m->sent_at);
	oc_buffer_printf(b, "Message-ID: <%s@%s>\r\n", m->id,
	    strchr(m->from, '@') + 1);
	oc_buffer_put_text(b, "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n");
	oc_buffer_printf(b, "Content-Transfer-Encoding: %s\r\n\r\n",
	    is_ascii ? "7bit" : "quoted-printable");
	if (is_ascii)
		put_lines(b, m->body);
	else
		put_quoted(b, m->body);
	return b->err;
}
