/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands print: a JSON document made with jansson, written as it is
 * for --json and as a table or "name: value" lines otherwise.  Out of memory
 * ends the process.
 */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <jansson.h>

#include "base/serial.h"
#include "cli/cli.h"
#include "der/bytes.h"

json_t *cli_object(void);
json_t *cli_array(void);
/* Octets that are not UTF-8 become '?'.  text NULL: no such member. */
void cli_put_text(json_t *object, const char *name, const char *text);
void cli_put_int(json_t *object, const char *name, int64_t value);
void cli_put_bool(json_t *object, const char *name, bool value);
/* ISO 8601. */
void cli_put_time(json_t *object, const char *name, int64_t at);
void cli_put_hex(json_t *object, const char *name, struct der_bytes bytes);
void cli_put_name(json_t *object, const char *name, struct der_bytes tlv);
void cli_put_serial(json_t *object, const struct oc_serial *serial);
/* An INTEGER's contents as serial numbers are written: upper-case hex. */
void cli_put_integer(json_t *object, const char *name,
    struct der_bytes contents);
/* The same, as for all numbers that may pass 2^53: JSON's readers round
 * those. */
void cli_put_number(json_t *object, const char *name, uint64_t number);
/* These take the value over. */
void cli_put(json_t *object, const char *name, json_t *value);
void cli_append(json_t *array, json_t *value);
void cli_append_text(json_t *array, const char *text);

/* Takes the document over.  Members are printed in the order in which they
 * were put; "_" in their names becomes a blank. */
void cli_print(const struct cli *cli, json_t *document);
/* An array of objects; columns: which members, NULL at the end. */
void cli_print_table(const struct cli *cli, json_t *rows,
    const char *const *columns);

/*
 * Before something is signed that cannot be taken back: whether the file that
 * this option names can be made, so far as can be told.  REFUSED if it is
 * there and something would be lost with it: a private key, the records, the
 * configuration.  No such option and "-", standard output, are fine, but for
 * "-" beside --json: USAGE.
 */
enum oc_err cli_check_out(struct cli *cli, const char *option,
    struct oc_error *error) OC_MUST_CHECK;
/* The same where a private key is to be written: may replace another. */
enum oc_err cli_check_key_out(struct cli *cli, const char *option,
    struct oc_error *error) OC_MUST_CHECK;
/* Are these the same file, or will they be, once they are there? */
bool cli_is_same_file(const char *path, const char *other);

enum cli_encoding { CLI_PEM, CLI_DER };
/*
 * One object in PEM or DER to a file, 0644, or to standard output if path is
 * NULL or "-".
 */
enum oc_err cli_write(const char *path, enum cli_encoding encoding,
    const char *label, struct der_bytes der, struct oc_error *error)
    OC_MUST_CHECK;
/* The same for text that is ready. */
enum oc_err cli_write_text(const char *path, const void *text, size_t len,
    struct oc_error *error) OC_MUST_CHECK;
/* What was printed has arrived: asked where the error must say what happened
 * all the same. */
enum oc_err cli_flush(struct oc_error *error) OC_MUST_CHECK;

#endif
