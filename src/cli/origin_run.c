/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of "origin check" in their order, and what they come to. */
#include "cli/origin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/work_impl.h"
#include "der/time.h"
#include "x509/name.h"

/* One record of a TLS handshake's certificates is at most 16 MiB; libssl is
 * told to take less. */
#define PRESENTED_MAX OC_CHAIN_FILE_MAX

void
cli_origin_init(struct cli_origin *o)
{
	oc_buffer_init(&o->cas, OC_BUNDLE_FILE_MAX);
	oc_buffer_init(&o->presented, PRESENTED_MAX);
	oc_buffer_init(&o->path_der, 2 * PRESENTED_MAX);
	o->path = calloc(CLI_ORIGIN_PATH_MAX, sizeof(*o->path));
	if (o->path == NULL)
		cli_no_memory();
}

void
cli_origin_fini(struct cli_origin *o)
{
	oc_buffer_fini(&o->cas);
	oc_buffer_fini(&o->presented);
	oc_buffer_fini(&o->path_der);
	free(o->staple);
	free(o->path);
}

int64_t
cli_origin_deadline(const struct cli_origin *o)
{
	return oc_clock_mono_ns() + o->timeout_s * OC_NS_PER_S;
}

struct cli_origin_line *
cli_origin_say(struct cli_origin *o, const char *check,
    enum cli_origin_mode needed_for, enum cli_origin_result result,
    const char *format, ...)
{
	struct cli_origin_line *line;
	char text[OC_ERROR_TEXT_MAX];
	va_list args;

	oc_assert(o->num_lines < CLI_ORIGIN_LINES_MAX);
	line = &o->lines[o->num_lines++];
	*line = (struct cli_origin_line){ .check = check,
	    .needed_for = needed_for, .result = result };
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	oc_error_set(&line->seen, OC_OK, "%s", text);
	return line;
}

/* --- the leaf --------------------------------------------------------- */

static void
put_names(const struct x509_extensions *e, struct oc_buffer *b)
{
	char text[X509_SAN_TEXT_MAX];

	for (uint32_t i = 0; i < e->num_sans; i++) {
		x509_san_format(&e->sans[i], text);
		oc_buffer_printf(b, "%s%s", i == 0 ? "" : ", ", text);
	}
}

static void
check_name(struct cli_origin *o, const struct x509_cert *leaf)
{
	struct x509_san wanted = { o->name.kind, { o->name.octets,
	    o->name.len } };
	struct cli_origin_line *line;
	char name[X509_SAN_TEXT_MAX];
	struct oc_buffer b;

	oc_buffer_init(&b, X509_SANS_MAX * X509_SAN_TEXT_MAX);
	put_names(&leaf->extensions, &b);
	x509_san_format(&wanted, name);
	if (x509_host_matches(&o->name, &leaf->extensions)) {
		cli_origin_say(o, "name", CLI_ORIGIN_STRICT, CLI_ORIGIN_OK,
		    "%s, of %s", name, oc_buffer_text(&b));
	} else {
		line = cli_origin_say(o, "name", CLI_ORIGIN_STRICT,
		    CLI_ORIGIN_FAILED, "not for %s; it is for %.300s", name,
		    leaf->extensions.num_sans == 0 ?
		    "no name (there is no subjectAltName)" :
		    oc_buffer_text(&b));
		oc_error_set(&line->advice, OC_OK,
		    "issue one with --san %s", name);
	}
	oc_buffer_fini(&b);
}

/* The whole path, or what there is of it. */
static void
check_dates(struct cli_origin *o)
{
	int64_t now = oc_clock_now_s(), until = INT64_MAX;
	struct cli_origin_line *line = NULL;
	char text[DER_ISO8601_MAX], name[X509_NAME_TEXT_MAX];

	for (size_t i = 0; i < o->path_len && line == NULL; i++) {
		const struct x509_cert *cert = &o->path[i];

		x509_name_format(cert->subject, name);
		if (cert->not_after < until)
			until = cert->not_after;
		if (now < cert->not_before) {
			der_format_iso8601(cert->not_before, text);
			line = cli_origin_say(o, "dates", CLI_ORIGIN_STRICT,
			    CLI_ORIGIN_FAILED, "%.200s is valid from %s only",
			    name, text);
			oc_error_set(&line->advice, OC_OK,
			    "wait, or set the clocks right");
		} else if (now > cert->not_after) {
			der_format_iso8601(cert->not_after, text);
			line = cli_origin_say(o, "dates", CLI_ORIGIN_STRICT,
			    CLI_ORIGIN_FAILED, "%.200s has expired, at %s",
			    name, text);
			oc_error_set(&line->advice, OC_OK, "renew it");
		}
	}
	if (line != NULL)
		return;
	der_format_iso8601(until, text);
	cli_origin_say(o, "dates", CLI_ORIGIN_STRICT, CLI_ORIGIN_OK,
	    "until %s", text);
}

/* RFC 5280, 4.2.1.3 and 4.2.1.12, as TLS servers need them: RFC 8446,
 * 4.4.2.2.  Certificates without the extensions are good for everything. */
static void
check_usage(struct cli_origin *o, const struct x509_cert *leaf)
{
	const uint32_t usable = X509_KU_DIGITAL_SIGNATURE |
	    X509_KU_KEY_ENCIPHERMENT | X509_KU_KEY_AGREEMENT;
	const struct x509_extensions *e = &leaf->extensions;
	const char *fault = NULL;
	struct cli_origin_line *line;

	if (e->num_ekus != 0 &&
	    !x509_cert_has_eku(leaf, DER_OID_SERVER_AUTH))
		fault = "its extended key usage has no serverAuth";
	else if (e->key_usage != 0 && (e->key_usage & usable) == 0)
		fault = "its key usage is none that TLS has";
	if (fault == NULL) {
		cli_origin_say(o, "usage", CLI_ORIGIN_STRICT, CLI_ORIGIN_OK,
		    "%s", e->num_ekus == 0 ? "any" : "serverAuth");
		return;
	}
	line = cli_origin_say(o, "usage", CLI_ORIGIN_STRICT,
	    CLI_ORIGIN_FAILED, "%s", fault);
	oc_error_set(&line->advice, OC_OK,
	    "issue one with a profile for servers");
}

void
cli_origin_check_leaf(struct cli_origin *o)
{
	if (o->path_len == 0)
		return;
	check_name(o, &o->path[0]);
	check_dates(o);
	check_usage(o, &o->path[0]);
}

/* --- all of them ------------------------------------------------------ */

const struct cli_origin_line *
cli_origin_obstacle(const struct cli_origin *o, enum cli_origin_mode mode)
{
	for (size_t i = 0; i < o->num_lines; i++)
		if (o->lines[i].needed_for == mode &&
		    o->lines[i].result != CLI_ORIGIN_OK)
			return &o->lines[i];
	return NULL;
}

enum cli_origin_mode
cli_origin_run(struct cli_origin *o)
{
	cli_origin_probe_http(o);
	cli_origin_probe_tls(o);
	if (o->presented.len > 0) {
		cli_origin_check_chain(o);
		cli_origin_check_leaf(o);
		cli_origin_check_revocation(o);
	}
	if (cli_origin_obstacle(o, CLI_ORIGIN_FULL) == NULL)
		return cli_origin_obstacle(o, CLI_ORIGIN_STRICT) == NULL ?
		    CLI_ORIGIN_STRICT : CLI_ORIGIN_FULL;
	return cli_origin_obstacle(o, CLI_ORIGIN_FLEXIBLE) == NULL ?
	    CLI_ORIGIN_FLEXIBLE : CLI_ORIGIN_NONE;
}
