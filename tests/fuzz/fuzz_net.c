/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash the reader of API requests' heads, of their queries or
 * of JSON bodies, and does it keep what its header promises?  The input is a
 * connection's: a head, and the body behind it.
 */
#include <string.h>
#include <strings.h>

#include "net/http.h"
#include "net/json.h"
#include "tests/fuzz/fuzz.h"

/* A text of the head, with its NUL. */
static void
check_text(const char *text, const char *head, size_t len)
{
	size_t text_len = strlen(text);

	if (text_len == 0)		/* may be a constant */
		return;
	fuzz_check(text >= head && text + text_len < head + len);
	for (; *text != '\0'; text++)
		fuzz_check(((unsigned char)*text >= 0x20 || *text == '\t') &&
		    *text != 0x7f);
}

static void
check_fields(const struct net_request *r, const char *head, size_t len)
{
	uint32_t num_lengths = 0, num_codings = 0, num_hosts = 0;

	fuzz_check(r->num_fields <= NET_FIELDS_MAX);
	for (uint32_t i = 0; i < r->num_fields; i++) {
		const struct net_field *f = &r->fields[i];
		size_t value_len = strlen(f->value);

		fuzz_check(f->name[0] != '\0' &&
		    strpbrk(f->name, " \t:\r\n") == NULL);
		check_text(f->name, head, len);
		check_text(f->value, head, len);
		fuzz_check(value_len == 0 ||
		    (strchr(" \t", f->value[0]) == NULL &&
		    strchr(" \t", f->value[value_len - 1]) == NULL));
		fuzz_check(net_request_field(r, f->name) != NULL);
		num_lengths += strcasecmp(f->name, "Content-Length") == 0;
		num_codings += strcasecmp(f->name, "Transfer-Encoding") == 0;
		num_hosts += strcasecmp(f->name, "Host") == 0;
	}
	/* One body, framed in one way; one host. */
	fuzz_check(num_lengths + num_codings <= 1 && num_hosts <= 1);
	fuzz_check(num_hosts == 1 || r->is_http10);
	fuzz_check((r->framing == NET_LENGTH) == (num_lengths == 1) &&
	    (r->framing == NET_CHUNKED) == (num_codings == 1));
	fuzz_check(r->framing == NET_LENGTH || r->content_length == 0);
}

static void
check_query(const struct net_request *r)
{
	static const char *const names[] = { "expiry", "zone_id", "page", "a",
	    "explain" };
	char value[64], shorter[8];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool is_there = net_request_query(r, names[i], value,
		    sizeof(value));

		if (is_there)
			fuzz_check(strlen(value) < sizeof(value));
		/* What does not fit is not cut. */
		if (net_request_query(r, names[i], shorter, sizeof(shorter)))
			fuzz_check(is_there && strcmp(value, shorter) == 0);
	}
}

/* As connection.c does it, but with no octet behind the head. */
static void
try_head(const uint8_t *data, size_t len)
{
	char *head = malloc(len), *again = malloc(len);
	struct net_request request, same;
	int status;

	fuzz_check(head != NULL && again != NULL);
	memcpy(head, data, len);
	memcpy(again, data, len);
	status = net_head_parse(head, len, &request);
	fuzz_check(status == net_head_parse(again, len, &same));
	fuzz_check(memcmp(head, again, len) == 0);
	switch (status) {
	case 0:
		fuzz_check(request.path[0] == '/' &&
		    strlen(request.path) + strlen(request.query) <=
		    HTTP_TARGET_MAX);
		check_text(request.method_name, head, len);
		check_text(request.path, head, len);
		check_text(request.query, head, len);
		check_fields(&request, head, len);
		check_query(&request);
		(void)net_request_is_type(&request, "application/json");
		break;
	case 400: case 414: case 417: case 431: case 501: case 505:
		break;
	default:
		fuzz_check(0);
	}
	fuzz_check(strcmp(net_status_text(status == 0 ? 200 : status),
	    "Unknown") != 0);
	free(again);
	free(head);
}

static void
try_json(const uint8_t *data, size_t len)
{
	struct oc_error error = { 0 };
	const json_t *list = NULL, *object = NULL;
	const char *text = NULL;
	int64_t number = 0;
	json_t *json;
	enum oc_err err = net_json_parse(data, len, &json, &error);

	if (err != OC_OK) {
		fuzz_check(error.text[0] != '\0');
		return;
	}
	fuzz_check(json_is_object(json));
	if (net_json_get_string(json, "a", &text) == OC_OK && text != NULL)
		fuzz_check(strlen(text) == json_string_length(
		    json_object_get(json, "a")));
	fuzz_check(net_json_get_integer(json, "a", &number) == OC_OK ||
	    number == 0);
	fuzz_check(net_json_get_strings(json, "a", &list) != OC_OK ||
	    list == NULL || json_is_array(list));
	fuzz_check(net_json_get_object(json, "a", &object) != OC_OK ||
	    object == NULL || json_is_object(object));
	json_decref(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = net_head_len(data, size);

	fuzz_check(len <= size);
	if (len > 0) {
		/* What is behind the head is nothing to it, and no shorter
		 * one is whole. */
		fuzz_check(net_head_len(data, len) == len);
		fuzz_check(net_head_len(data, len - 1) == 0);
		try_head(data, len);
	}
	try_json(data + len, size - len);
	return 0;
}
