/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash what reads host names and tokens, and does a name
 * that was taken stay what it is: lower-case A-labels that mean the same when
 * they are read again?
 */
#include <string.h>

#include "ca/hostname.h"
#include "ca/policy.h"
#include "store/token.h"
#include "tests/fuzz/fuzz.h"

static void
check_host(const char *text, size_t len)
{
	char host[CA_HOST_MAX], again[CA_HOST_MAX], unicode[2048];
	struct oc_error error = { 0 };

	if (ca_host_to_ascii(text, len, host, &error) != OC_OK) {
		fuzz_check(error.text[0] != '\0');
		return;
	}
	fuzz_check(strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.*") ==
	    strlen(host));
	fuzz_check(strchr(host + 1, '*') == NULL);
	fuzz_check(ca_host_to_ascii(host, strlen(host), again, NULL) ==
	    OC_OK);
	fuzz_check(strcmp(host, again) == 0);
	fuzz_check(ca_host_is_in(host, host));
	ca_host_to_unicode(host, unicode, sizeof(unicode));
	fuzz_check(unicode[0] != '\0');
}

static void
check_names(const char *text, size_t len)
{
	struct ca_names *names = calloc(1, sizeof(*names));
	const char *end = text + len;

	fuzz_check(names != NULL);
	while (text < end) {
		const char *line = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = line == NULL ? (size_t)(end - text) :
		    (size_t)(line - text);
		uint32_t num = names->num_sans;
		enum oc_err err = ca_names_add_host(names, text, line_len,
		    NULL, NULL);

		fuzz_check(names->num_sans == num ||
		    (err == OC_OK && names->num_sans == num + 1));
		text += line_len + 1;
	}
	free(names);
}

static void
check_token(const char *text)
{
	for (int kind = STORE_TOKEN_BEARER; kind <= STORE_TOKEN_GLOBAL_KEY;
	    kind++) {
		char prefix[STORE_TAG_LEN + 1];
		uint8_t hash[STORE_HASH_LEN];

		if (store_token_parse((enum store_token_kind)kind, text,
		    prefix, hash) == OC_OK)
			fuzz_check(strlen(text) < STORE_TOKEN_TEXT_MAX &&
			    strlen(prefix) <= STORE_TAG_LEN);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	fuzz_check(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_host(text, size);
	check_names(text, size);
	check_token(text);
	free(text);
	return 0;
}
