/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/record.h"

#include <string.h>

static const char special[] = "\\\t\n\r", letters[] = "\\tnr";

static void
put_column(struct oc_buffer *b, const char *text)
{
	if (text == NULL) {
		oc_buffer_put_text(b, "\\N");
		return;
	}
	while (*text != '\0') {
		size_t len = strcspn(text, special);

		oc_buffer_put(b, text, len);
		text += len;
		if (*text == '\0')
			return;
		oc_buffer_printf(b, "\\%c",
		    letters[strchr(special, *text++) - special]);
	}
}

void
transfer_record_write(struct oc_buffer *b,
    const char *const columns[TRANSFER_NUM_COLUMNS])
{
	oc_buffer_put_text(b, TRANSFER_RECORD_CERTDB);
	for (int i = 0; i < TRANSFER_NUM_COLUMNS; i++) {
		if (i > 0)
			oc_buffer_put_text(b, "\t");
		put_column(b, columns[i]);
	}
}

/* In place; false: a backslash before something else. */
static bool
take_escapes(char *text)
{
	char *out = text;
	const char *letter;

	for (; *text != '\0'; text++) {
		if (*text != '\\') {
			*out++ = *text;
			continue;
		}
		text++;
		letter = *text == '\0' ? NULL : strchr(letters, *text);
		if (letter == NULL)
			return false;
		*out++ = special[letter - letters];
	}
	*out = '\0';
	return true;
}

enum oc_err
transfer_record_read(char *text, const char *columns[TRANSFER_NUM_COLUMNS])
{
	size_t len = strlen(TRANSFER_RECORD_CERTDB);
	char *at = text + len;

	if (strncmp(text, TRANSFER_RECORD_CERTDB, len) != 0)
		return OC_ERR_MALFORMED;
	for (int i = 0; i < TRANSFER_NUM_COLUMNS; i++) {
		char *end = at + strcspn(at, "\t");
		bool is_last = i == TRANSFER_NUM_COLUMNS - 1;

		if ((*end == '\0') != is_last)
			return OC_ERR_MALFORMED;
		*end = '\0';
		columns[i] = strcmp(at, "\\N") == 0 ? NULL : at;
		if (columns[i] != NULL && !take_escapes(at))
			return OC_ERR_MALFORMED;
		at = is_last ? end : end + 1;
	}
	return OC_OK;
}
