/* SPDX-License-Identifier: Apache-2.0 */
/* PCRE2, within limits. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "ca/pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* A name of 2048 octets against a pattern without nested repetition takes
 * some thousand steps; a hundred thousand take about a millisecond. */
#define MATCH_STEPS_MAX 100000
#define MATCH_DEPTH_MAX 1000
#define MATCH_HEAP_KIB_MAX 1024

struct ca_pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
	char *text;
};

enum oc_err
ca_pattern_new(const char *text, struct ca_pattern **out,
    struct oc_error *error)
{
	const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY |
	    PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE;
	struct ca_pattern *p;
	char message[120];
	PCRE2_SIZE at = 0;
	int number = 0;

	if (strlen(text) > OC_PATTERN_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "the regular "
		    "expression has more than %d characters", OC_PATTERN_MAX);
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	p->code = pcre2_compile((PCRE2_SPTR)text, strlen(text), options,
	    &number, &at, NULL);
	if (p->code == NULL) {
		ca_pattern_free(p);
		(void)pcre2_get_error_message(number, (PCRE2_UCHAR *)message,
		    sizeof(message));
		return oc_error_set(error, OC_ERR_MALFORMED, "the regular "
		    "expression is wrong at character %zu: %s", at + 1,
		    message);
	}
	p->limits = pcre2_match_context_create(NULL);
	p->text = strdup(text);
	if (p->limits == NULL || p->text == NULL) {
		ca_pattern_free(p);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	pcre2_set_match_limit(p->limits, MATCH_STEPS_MAX);
	pcre2_set_depth_limit(p->limits, MATCH_DEPTH_MAX);
	pcre2_set_heap_limit(p->limits, MATCH_HEAP_KIB_MAX);
	*out = p;
	return OC_OK;
}

void
ca_pattern_free(struct ca_pattern *pattern)
{
	if (pattern == NULL)
		return;
	pcre2_code_free(pattern->code);
	pcre2_match_context_free(pattern->limits);
	free(pattern->text);
	free(pattern);
}

const char *
ca_pattern_text(const struct ca_pattern *pattern)
{
	return pattern->text;
}

bool
ca_pattern_matches(const struct ca_pattern *pattern, struct der_bytes octets)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	static const uint8_t none[1];
	int found;

	if (data == NULL)
		return false;
	found = pcre2_match(pattern->code, octets.len != 0 ? octets.p : none,
	    octets.len, 0, 0, data, pattern->limits);
	pcre2_match_data_free(data);
	return found >= 0;
}
