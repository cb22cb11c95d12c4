/* SPDX-License-Identifier: Apache-2.0 */
/* origin check, and the table of origin commands. */
#include "cli/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "ca/hostname.h"
#include "cli/print.h"
#include "cli/work_impl.h"

#define TIMEOUT_S 10
#define TIMEOUT_MAX_S 300

static const char *const modes[] = {
	[CLI_ORIGIN_NONE] = "none",
	[CLI_ORIGIN_FLEXIBLE] = "flexible",
	[CLI_ORIGIN_FULL] = "full",
	[CLI_ORIGIN_STRICT] = "strict",
};

static const char *const results[] = {
	[CLI_ORIGIN_SKIPPED] = "skipped",
	[CLI_ORIGIN_OK] = "ok",
	[CLI_ORIGIN_FAILED] = "failed",
};

/* --- what was asked --------------------------------------------------- */

static enum oc_err
parse_port(const char *text, char port[8], struct oc_error *error)
{
	int64_t number;

	if (oc_value_int(text, 1, 65535, &number, NULL) != OC_OK)
		return oc_error_set(error, OC_ERR_USAGE, "\"%.40s\" is no "
		    "port; write a number from 1 to 65535", text);
	(void)snprintf(port, 8, "%d", (int)number);
	return OC_OK;
}

/* A host as people write it, in any script, to what DNS and certificates
 * have. */
static enum oc_err
parse_name(const char *text, char name[256], struct x509_host *host,
    struct oc_error *error)
{
	char ascii[CA_HOST_MAX];

	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x80)
			continue;
		if (ca_host_to_ascii(text, strlen(text), ascii, error) !=
		    OC_OK)
			return OC_ERR_USAGE;
		text = ascii;
		break;
	}
	if (strlen(text) >= 256)
		return oc_error_set(error, OC_ERR_USAGE, "\"%.80s...\" is "
		    "longer than any host name", text);
	if (x509_host_parse(text, host, error) != OC_OK)
		return OC_ERR_USAGE;
	(void)snprintf(name, 256, "%s", text);
	return OC_OK;
}

/* Where the host ends and the port begins; NULL: there is no port. */
static enum oc_err
find_colon(const char *text, size_t *start, size_t *len, const char **colon,
    struct oc_error *error)
{
	const char *end;

	*start = 0;
	*colon = strchr(text, ':');
	if (strchr(text, '/') != NULL)
		return oc_error_set(error, OC_ERR_USAGE, "\"%.80s\" is "
		    "neither a host name nor an IP address; of a URL, give "
		    "the host only", text);
	if (text[0] == '[') {
		end = strchr(text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':') ||
		    memchr(text, ':', (size_t)(end - text)) == NULL)
			return oc_error_set(error, OC_ERR_USAGE, "\"%.80s\": "
			    "write an IPv6 address with its port as "
			    "[2001:db8::1]:443", text);
		*start = 1;
		*len = (size_t)(end - text - 1);
		*colon = end[1] == ':' ? end + 1 : NULL;
	} else if (*colon != NULL && strchr(*colon + 1, ':') != NULL) {
		*colon = NULL;		/* a bare IPv6 address */
		*len = strlen(text);
	} else
		*len = *colon == NULL ? strlen(text) :
		    (size_t)(*colon - text);
	return OC_OK;
}

enum oc_err
cli_origin_parse_host(const char *text, char host[256], char port[8],
    struct oc_error *error)
{
	struct x509_host parsed;
	const char *colon;
	size_t start = 0, len = 0;
	char *part, name[256];
	enum oc_err err = find_colon(text, &start, &len, &colon, error);

	if (err != OC_OK)
		return err;
	part = strndup(text + start, len);
	if (part == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = parse_name(part, name, &parsed, error);
	free(part);
	if (start == 1 && (err != OC_OK || parsed.len != 16))
		return oc_error_set(error, OC_ERR_USAGE, "\"%.80s\" is no "
		    "IPv6 address", text);
	if (err == OC_OK && colon != NULL)
		err = parse_port(colon + 1, port, error);
	if (err == OC_OK)
		memcpy(host, name, sizeof(name));
	return err;
}

static enum oc_err
read_where(const struct cli *cli, struct cli_origin *o,
    struct oc_error *error)
{
	const char *connect = cli_option(cli, "connect");
	const char *http_port = cli_option(cli, "http-port");
	char port[8] = "";
	enum oc_err err;

	err = cli_origin_parse_host(cli->args[0], o->host, port, error);
	if (err != OC_OK)
		return err;
	memcpy(o->address, o->host, sizeof(o->address));
	if (connect != NULL) {
		err = cli_origin_parse_host(connect, o->address, port, error);
		if (err != OC_OK) {
			oc_error_prefix(error, "--connect");
			return err;
		}
	}
	(void)snprintf(o->tls_port, sizeof(o->tls_port), "%s",
	    port[0] == '\0' ? "443" : port);
	(void)snprintf(o->http_port, sizeof(o->http_port), "%s",
	    port[0] == '\0' ? "80" : port);
	if (http_port != NULL) {
		err = parse_port(http_port, o->http_port, error);
		if (err != OC_OK)
			oc_error_prefix(error, "--http-port");
	}
	return err;
}

static enum oc_err
read_cas(struct cli *cli, struct cli_origin *o, struct oc_error *error)
{
	const char *path = cli_option(cli, "ca");

	if (path != NULL && cli_has(cli, "issuer"))
		return oc_error_set(error, OC_ERR_USAGE,
		    "give either --ca or --issuer");
	o->cas_name = path == NULL ? "the configuration" : path;
	if (path == NULL)
		return cli_origin_collect(cli, &o->cas, error);
	return cli_origin_read_cas(path, &o->cas, error);
}

static enum oc_err
read_options(struct cli *cli, struct cli_origin *o, struct oc_error *error)
{
	const char *timeout = cli_option(cli, "timeout");
	const char *name = cli_option(cli, "servername");
	char ascii[256];
	enum oc_err err = read_where(cli, o, error);

	o->timeout_s = TIMEOUT_S;
	if (err == OC_OK && timeout != NULL && oc_value_int(timeout, 1,
	    TIMEOUT_MAX_S, &o->timeout_s, NULL) != OC_OK)
		err = oc_error_set(error, OC_ERR_USAGE, "--timeout \"%.40s\" "
		    "is no number of seconds from 1 to %d", timeout,
		    TIMEOUT_MAX_S);
	if (err == OC_OK) {
		err = parse_name(name == NULL ? o->host : name, ascii,
		    &o->name, error);
		if (err != OC_OK)
			oc_error_prefix(error, "--servername");
	}
	if (err == OC_OK)
		err = read_cas(cli, o, error);
	return err;
}

/* --- what came of it -------------------------------------------------- */

static void
print_text(const struct cli_origin *o, enum cli_origin_mode mode,
    const struct cli_origin_line *obstacle)
{
	for (size_t i = 0; i < o->num_lines; i++) {
		const struct cli_origin_line *line = &o->lines[i];

		printf("%-10s  %-7s  %s%s%s\n", line->check,
		    results[line->result], line->seen.text,
		    line->advice.text[0] == '\0' ? "" : "; ",
		    line->advice.text);
	}
	if (obstacle == NULL)
		printf("%-10s  %s\n", "mode", modes[mode]);
	else
		printf("%-10s  %-7s  not %s: %s\n", "mode", modes[mode],
		    modes[mode + 1], obstacle->check);
}

static void
print_json(const struct cli *cli, const struct cli_origin *o,
    enum cli_origin_mode mode, const struct cli_origin_line *obstacle)
{
	json_t *facts = cli_object(), *checks = cli_array();

	cli_put_text(facts, "host", o->host);
	cli_put_text(facts, "mode", modes[mode]);
	if (obstacle != NULL) {
		cli_put_text(facts, "not", modes[mode + 1]);
		cli_put_text(facts, "because", obstacle->check);
	}
	for (size_t i = 0; i < o->num_lines; i++) {
		const struct cli_origin_line *line = &o->lines[i];
		json_t *row = cli_object();

		cli_put_text(row, "check", line->check);
		cli_put_text(row, "result", results[line->result]);
		cli_put_text(row, "seen", line->seen.text);
		if (line->advice.text[0] != '\0')
			cli_put_text(row, "advice", line->advice.text);
		cli_append(checks, row);
	}
	cli_put(facts, "checks", checks);
	cli_print(cli, facts);
}

static void
check(struct cli *cli, struct cli_origin *o)
{
	const struct cli_origin_line *obstacle = NULL;
	enum cli_origin_mode mode;

	cli_progress_begin("the origin");
	mode = cli_origin_run(o);
	cli_progress_end();
	if (mode != CLI_ORIGIN_STRICT)
		obstacle = cli_origin_obstacle(o, mode + 1);
	if (cli->format == CLI_FORMAT_JSON)
		print_json(cli, o, mode, obstacle);
	else
		print_text(o, mode, obstacle);
	cli->exit_status = mode == CLI_ORIGIN_STRICT ? 0 : 1;
}

static enum oc_err
origin_check(struct cli *cli, struct oc_error *error)
{
	struct cli_origin *o = calloc(1, sizeof(*o));
	enum oc_err err;

	if (o == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	cli_origin_init(o);
	err = read_options(cli, o, error);
	if (err == OC_OK)
		check(cli, o);
	cli_origin_fini(o);
	free(o);
	return err;
}

static const struct cli_option check_options[] = {
	{ "connect", "ADDRESS[:PORT]", CLI_OPTIONAL,
	    "connect there instead" },
	{ "http-port", "PORT", CLI_OPTIONAL,
	    "of plain HTTP; default: PORT, else 80" },
	{ "servername", "NAME", CLI_OPTIONAL,
	    "SNI, and the name the certificate needs" },
	{ "ca", "FILE", CLI_OPTIONAL, "the CAs to trust, in PEM" },
	{ "issuer", "NAME", CLI_OPTIONAL,
	    "trust this [issuer]; else all of them" },
	{ "timeout", "SECONDS", CLI_OPTIONAL,
	    "of each exchange; default: 10" },
	{ NULL }
};

const struct cli_command cli_origin_commands[] = {
	{ .noun = "origin", .verb = "check", .arguments = "HOST[:PORT]",
	    .num_args_min = 1, .num_args_max = 1, .options = check_options,
	    .summary = "flexible, full or strict?",
	    .about = "Connects to an origin server as an edge would, by plain "
		"HTTP and by TLS, and says which mode it is good for and what "
		"is in the way of the next: a line for each check.  Strict "
		"means a certificate of your CA for this name, in force and "
		"not revoked.  Exit status 0 is strict.",
	    .example = "ocsign origin check www.example.com "
		"--connect 192.0.2.7",
	    .run = origin_check },
	{ .noun = "origin", .verb = "bundle",
	    .options = cli_origin_bundle_options,
	    .summary = "the CA certificates that an edge needs",
	    .about = "Writes the CA certificates of the configuration in PEM, "
		"roots first, as an edge needs them to verify origins in "
		"strict mode (nginx: proxy_ssl_trusted_certificate).",
	    .example = "ocsign origin bundle --out origin-cas.pem",
	    .run = cli_origin_bundle },
	{ NULL }
};
