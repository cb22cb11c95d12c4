/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Origins as an edge sees them: one connection for plain HTTP, one for TLS,
 * then everything that strict mode asks of the certificate.  Each function
 * here adds the lines of its checks to the report and never fails but for
 * memory, which ends the process: "no" is a result.
 *
 * In the room of the command, because only a person asks this: no role of
 * ocsignd links libssl for it, and it takes the command's own clients for
 * HTTP and OCSP.
 */
#ifndef CLI_ORIGIN_H
#define CLI_ORIGIN_H

#include "base/bytes.h"
#include "base/err.h"
#include "cli/cli.h"
#include "x509/cert.h"
#include "x509/host.h"

/* Each includes the one before it, but for plain HTTP. */
enum cli_origin_mode {
	CLI_ORIGIN_NONE,
	CLI_ORIGIN_FLEXIBLE,	/* plain HTTP */
	CLI_ORIGIN_FULL,	/* TLS with any certificate */
	CLI_ORIGIN_STRICT	/* with one of ours, for the name, in force */
};

enum cli_origin_result {
	CLI_ORIGIN_SKIPPED,
	CLI_ORIGIN_OK,
	CLI_ORIGIN_FAILED
};

/* What a failed line stands in the way of; NONE: nothing. */
struct cli_origin_line {
	const char *check;		/* "chain" */
	enum cli_origin_mode needed_for;
	enum cli_origin_result result;
	struct oc_error seen;		/* its text; control bytes are '?' */
	struct oc_error advice;		/* what to do; may be "" */
};

/* Of 9 certificates 4 URLs of each kind and a verdict, and the others. */
#define CLI_ORIGIN_LINES_MAX 100
/* As OC_CHAIN_MAX, with the leaf and a root. */
#define CLI_ORIGIN_PATH_MAX 10

struct cli_origin {
	/* What was asked; see cli_origin_check_options(). */
	char host[256];			/* in the Host field */
	struct x509_host name;		/* SNI; what the certificate needs */
	char address[256];		/* where to connect */
	char tls_port[8], http_port[8];
	int64_t timeout_s;		/* of each exchange */
	struct oc_buffer cas;		/* those to trust: DER, end to end */
	const char *cas_name;		/* a file's, or "the configuration" */

	/* Of the handshake; DER, the leaf first. */
	struct oc_buffer presented;
	uint8_t *staple;		/* owned; NULL: none */
	size_t staple_len;

	/* The leaf; and its path to a root of ours, if there is one. */
	struct oc_buffer path_der;
	struct x509_cert *path;		/* views into path_der; owned */
	size_t path_len;		/* without a path 1, or 0 */
	bool has_path;

	struct cli_origin_line lines[CLI_ORIGIN_LINES_MAX];
	size_t num_lines;
};

/* Zeroed before; the buffers and limits. */
void cli_origin_init(struct cli_origin *o);
void cli_origin_fini(struct cli_origin *o);

/* All of it, in order. */
enum cli_origin_mode cli_origin_run(struct cli_origin *o);
/* The first line in the way of this mode; NULL: none. */
const struct cli_origin_line *cli_origin_obstacle(const struct cli_origin *o,
    enum cli_origin_mode mode);

/* Adds a line; format is what was seen. */
struct cli_origin_line *cli_origin_say(struct cli_origin *o,
    const char *check, enum cli_origin_mode needed_for,
    enum cli_origin_result result, const char *format, ...) OC_PRINTF(5, 6);

/* The parts, for cli_origin_run() and the tests. */
void cli_origin_probe_http(struct cli_origin *o);
void cli_origin_probe_tls(struct cli_origin *o);
void cli_origin_check_chain(struct cli_origin *o);
void cli_origin_check_leaf(struct cli_origin *o);
void cli_origin_check_revocation(struct cli_origin *o);

/* CLOCK_MONOTONIC, timeout_s from now. */
int64_t cli_origin_deadline(const struct cli_origin *o);

/* "HOST[:PORT]", the host in any script, which becomes A-labels; port stays
 * as it is if there is none.  USAGE. */
enum oc_err cli_origin_parse_host(const char *text, char host[256],
    char port[8], struct oc_error *error) OC_MUST_CHECK;

/*
 * The CA certificates of the configuration, or of those of its issuers that
 * were named by --issuer, with their chains and alternates: each once, roots
 * first; those that have expired are left out.
 */
enum oc_err cli_origin_collect(struct cli *cli, struct oc_buffer *der,
    struct oc_error *error) OC_MUST_CHECK;
/* Those of a PEM file.  MALFORMED if there is none, or one is not a
 * certificate. */
enum oc_err cli_origin_read_cas(const char *path, struct oc_buffer *der,
    struct oc_error *error) OC_MUST_CHECK;

extern const struct cli_option cli_origin_bundle_options[];
enum oc_err cli_origin_bundle(struct cli *cli, struct oc_error *error);

#endif
