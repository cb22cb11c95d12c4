/* SPDX-License-Identifier: Apache-2.0 */
/* What --explain prints: each field and where it came from. */
#include "cli/explain.h"

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
	json_t *object = cli_object(), *fields = cli_array(), *field;
	const struct ca_explained *item;
	size_t i;

	cli_put_bool(object, "accepted", !is_refused(x));
	if (is_refused(x)) {
		cli_put_text(object, "rule", ca_rule_name(x->rule));
		cli_put_text(object, "refusal", x->refusal);
	}
	for (i = 0; i < x->num_items; i++) {
		item = &x->items[i];
		field = cli_object();
		cli_put_text(field, "field", item->field);
		cli_put_text(field, "value", item->value);
		cli_put_text(field, "source", ca_source_name(item->source));
		if (item->detail[0] != '\0')
			cli_put_text(field, "detail", item->detail);
		cli_append(fields, field);
	}
	cli_put(object, "fields", fields);
	return object;
}
