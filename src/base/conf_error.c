/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

void
oc_config_errors_add(struct oc_config_errors *errors,
    const struct oc_conf_place *place, enum oc_err code, const char *format,
    ...)
{
	char where[320], what[OC_ERROR_TEXT_MAX];
	struct oc_buffer b;
	va_list ap;

	errors->num_found++;
	if (errors->num == OC_CONFIG_ERRORS_MAX)
		return;
	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	oc_buffer_init(&b, sizeof(where) - 1);
	if (place->file != NULL)
		oc_buffer_printf(&b, "%.160s", place->file);
	if (place->line > 0)
		oc_buffer_printf(&b, ":%d", place->line);
	if (place->file != NULL)
		oc_buffer_put_text(&b, ":");
	if (place->type != NULL)
		oc_buffer_printf(&b, " [%.40s%s%.64s]", place->type,
		    place->name != NULL ? " " : "",
		    place->name != NULL ? place->name : "");
	if (place->key != NULL)
		oc_buffer_printf(&b, " %.40s", place->key);
	if (place->type != NULL || place->key != NULL)
		oc_buffer_put_text(&b, ":");
	oc_error_set(&errors->list[errors->num++], code, "%s%s%s",
	    oc_buffer_text(&b), b.len > 0 ? " " : "", what);
	oc_buffer_fini(&b);
}

void
oc_conf_find_place(const struct oc_conf *conf, struct oc_conf_place *place)
{
	const struct oc_conf_section *s = conf->sections;
	size_t i;

	while (s < conf->sections + conf->num_sections && (s->name == NULL ||
	    strcmp(s->type, place->type) != 0 ||
	    strcmp(s->name, place->name) != 0))
		s++;
	if (s == conf->sections + conf->num_sections)
		return;
	place->file = s->file;
	place->line = s->line;
	for (i = 0; i < s->num_keys; i++)
		if (strcmp(s->keys[i].key, place->key) == 0)
			place->line = s->keys[i].line;
}
