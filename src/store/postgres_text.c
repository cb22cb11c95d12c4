/* SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a word of SQLite's is called. */
static const struct {
	const char *ours, *theirs;
} words[] = {
	{ "INTEGER", "BIGINT" },
	{ "BLOB", "BYTEA" },
	{ "TEXT", "TEXT COLLATE \"C\"" },
	{ "WITHOUT", "" }, { "ROWID", "" },
	{ "only", "\"only\"" },		/* a reserved word */
	{ "instr", "strpos" },
};

static void
put_word(FILE *out, const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].ours) == len &&
		    memcmp(words[i].ours, word, len) == 0) {
			fputs(words[i].theirs, out);
			return;
		}
	fwrite(word, 1, len, out);
}

static size_t
word_len(const char *p)
{
	size_t len = 0;

	while (isalnum((unsigned char)p[len]) || p[len] == '_')
		len++;
	return len;
}

/* With both quotes; up to the end if one is missing. */
static size_t
quoted_len(const char *p)
{
	const char *end = strchr(p + 1, *p);

	return end == NULL ? strlen(p) : (size_t)(end - p) + 1;
}

char *
postgres_text(const char *text)
{
	char *made = NULL;
	size_t made_len, len;
	int num = 0;
	FILE *out = open_memstream(&made, &made_len);

	if (out == NULL)
		return NULL;
	for (const char *p = text; *p != '\0'; p += len) {
		len = word_len(p);
		if (len > 0) {
			put_word(out, p, len);
		} else if (*p == '\'' || *p == '"') {
			len = quoted_len(p);
			fwrite(p, 1, len, out);
		} else if (*p == '?' && (len = word_len(p + 1)) > 0) {
			fprintf(out, "$%.*s", (int)len++, p + 1);
		} else if (*p == '?') {
			fprintf(out, "$%d", ++num);
			len = 1;
		} else {
			fputc(*p, out);
			len = 1;
		}
	}
	if (fclose(out) != 0) {
		free(made);
		return NULL;
	}
	return made;
}
