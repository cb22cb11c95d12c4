/* SPDX-License-Identifier: Apache-2.0 */
/* What --explain prints: each field and where it came from. */
#include "cli/explain.h"

#include "ca/explain_json.h"
#include "cli/work_impl.h"

/* What a stranger wrote into a CSR must not move the cursor. */
static void
put_safe(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		(void)fputc((unsigned char)*text < 0x20 || *text == 0x7f ?
		    '?' : *text, out);
}

static bool
is_refused(const struct ca_explanation *x)
{
	return x->refusal[0] != '\0';
}

void
cli_explain_text(FILE *out, const struct ca_explanation *x)
{
	const struct ca_explained *item;
	size_t i;

	for (i = 0; i < x->num_items; i++) {
		item = &x->items[i];
		fprintf(out, "%s: ", item->field);
		put_safe(out, item->value);
		fprintf(out, " (%s%s", ca_source_name(item->source),
		    item->detail[0] != '\0' ? ": " : "");
		put_safe(out, item->detail);
		fprintf(out, ")\n");
	}
	if (!is_refused(x))
		return;
	fprintf(out, "refused by the rule %s: ", ca_rule_name(x->rule));
	put_safe(out, x->refusal);
	fprintf(out, "\n");
}

json_t *
cli_explain_json(const struct ca_explanation *x)
{
	json_t *json = ca_explanation_json(x);

	if (json == NULL)
		cli_no_memory();
	return json;
}
