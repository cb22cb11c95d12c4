/* SPDX-License-Identifier: Apache-2.0 */
/* key clone, import: a key that comes from elsewhere, and what that means. */
#include "cli/key.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "cli/print.h"
#include "cli/token.h"
#include "cli/work.h"
#include "pkcs11/clone.h"
#include "pkcs11/import.h"

/* A card makes an RSA key of 4096 bits to unwrap with. */
#define MOVE_S 600

static enum oc_err
journal(struct store *store, const char *event, const json_t *row,
    struct oc_error *error)
{
	char *text = json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS);
	enum oc_err err = OC_ERR_NOMEM;

	if (text != NULL)
		err = store_append_journal(store, event, text);
	free(text);
	if (err != OC_OK)
		return oc_error_set(error, err, "the key is there, but the "
		    "journal does not say so: %s", store_error(store));
	return OC_OK;
}

/* A document, or its URI and what people should know. */
static void
tell(const struct cli *cli, json_t *row, const char *what)
{
	if (cli->format != CLI_FORMAT_TEXT) {
		cli_print(cli, row);
		return;
	}
	printf("%s\n", json_string_value(json_object_get(row, "uri")));
	fprintf(stderr, "ocsign: %s %s: %s\n", cli->command->noun,
	    cli->command->verb, what);
	json_decref(row);
}

/* --- clone ------------------------------------------------------------ */

static enum oc_err
read_clone(struct cli *cli, struct p11_clone *clone, struct oc_error *error)
{
	const char *from = cli_option(cli, "from"), *to = cli_option(cli,
	    "to");
	enum oc_err err;

	if (strcmp(from, to) == 0)
		return oc_error_set(error, OC_ERR_USAGE, "--from and --to "
		    "are the same token");
	clone->key = cli->args[0];
	clone->is_extractable = cli_has(cli, "extractable");
	clone->is_sealed = cli_has(cli, "seal");
	err = cli_token(cli, from, &clone->from, &clone->state_dir, error);
	if (err == OC_OK)
		err = cli_token(cli, to, &clone->to, &clone->state_dir,
		    error);
	return err;
}

static void
tell_clone(const struct cli *cli, const struct p11_clone *clone,
    const struct p11_cloned *cloned, json_t *row)
{
	const char *from = clone->from->name, *to = clone->to->name;
	char what[800];

	(void)snprintf(what, sizeof(what), "the same key is in %s and %s now, "
	    "proven by a signature.  It was never in the clear outside of "
	    "them, but it was not made in %s: always-sensitive, "
	    "never-extractable and local are%s false there, for ever.  It "
	    "%s be taken out of %s; out of %s it %s.  Write \"token = %s "
	    "%s\" into the sections that use it", from, to, to,
	    cloned->target.was_never_extractable ? " not, but should be," :
	    "", cloned->target.is_extractable ? "can still" : "cannot", to,
	    from, cloned->source.is_extractable ? "still can, by whoever has "
	    "its PIN (--seal ends that)" : "cannot any more", from, to);
	tell(cli, row, what);
}

enum oc_err
cli_key_clone(struct cli *cli, struct oc_error *error)
{
	struct p11_clone clone = { .from = NULL };
	struct p11_cloned *cloned = calloc(1, sizeof(*cloned));
	json_t *row = cli_object();
	struct store *store;
	enum oc_err err;

	if (cloned == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = read_clone(cli, &clone, error);
	if (err == OC_OK)
		err = cli_store(cli, STORE_CREATE, &store, error);
	if (err == OC_OK) {
		cli_progress_begin("the tokens");
		err = p11_clone(&clone, cli_deadline(MOVE_S), cloned, error);
		cli_progress_end();
	}
	if (err == OC_OK) {
		cli_put_key(row, clone.to, &cloned->target);
		cli_put_text(row, "from", clone.from->name);
		cli_put_bool(row, "from_extractable",
		    cloned->source.is_extractable);
		cli_put_text(row, "mechanisms", cloned->mechanisms);
		cli_put_int(row, "transport_bits", cloned->transport_bits);
		err = journal(store, "key-clone", row, error);
	}
	if (err == OC_OK)
		tell_clone(cli, &clone, cloned, row);
	else
		json_decref(row);
	free(cloned);
	return err;
}

/* --- import ----------------------------------------------------------- */

/* OpenSSL would ask whoever writes to our standard input. */
static bool
has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* From --passphrase-source, or from the terminal if the file wants one. */
static enum oc_err
read_passphrase(struct cli *cli, const char *path, struct oc_secret *secret,
    bool *is_given, struct oc_error *error)
{
	const char *source = cli_option(cli, "passphrase-source");
	char typed[OC_PIN_MAX + 1];
	enum oc_err err;
	int rc;

	*is_given = true;
	if (source != NULL)
		return cli_read_pin(source, secret, error);
	err = p11_import_wants_passphrase(path, is_given, error);
	if (err != OC_OK || !*is_given)
		return err;
	rc = has_terminal() ? EVP_read_pw_string_min(typed, 1,
	    sizeof(typed) - 1, "Passphrase: ", 0) : -1;
	err = rc == 0 ? oc_secret_set(secret, typed, strlen(typed)) :
	    oc_error_set(error, OC_ERR_PIN, "%s is encrypted, and there is "
	    "no terminal: add --passphrase-source FILE", path);
	explicit_bzero(typed, sizeof(typed));
	return err;
}

static enum oc_err
import_key(struct cli *cli, struct p11_import *import,
    struct p11_imported *imported, struct oc_error *error)
{
	struct oc_secret secret = { .len = 0 };
	bool is_given;
	enum oc_err err;

	err = read_passphrase(cli, import->path, &secret, &is_given, error);
	if (err == OC_OK) {
		import->passphrase = is_given ? &secret : NULL;
		cli_progress_begin("the token");
		err = p11_import(import, cli_deadline(MOVE_S), imported,
		    error);
		cli_progress_end();
	}
	oc_secret_fini(&secret);
	return err;
}

static const char *
what_import_means(const struct p11_imported *imported)
{
	if (imported->entry.is_extractable)
		return "the key is in the token, proven by a signature, but "
		    "the token lets it out again.  It was in a file: whoever "
		    "has read that has the key, so destroy it and its "
		    "backups";
	return "the key is in the token, proven by a signature, and cannot "
	    "be taken out of it.  But it was in a file: whoever has read "
	    "that has the key, so destroy it and its backups.  The token "
	    "says for ever that it came from outside (always-sensitive, "
	    "never-extractable and local are false), and no rule that wants "
	    "keys made in hardware is met";
}

static void
tell_import(const struct cli *cli, const struct p11_imported *imported,
    json_t *row)
{
	tell(cli, row, what_import_means(imported));
	if (!imported->is_locked)
		fprintf(stderr, "ocsign: key import: this user may not lock "
		    "memory: without encrypted swap the key may be left "
		    "there\n");
}

enum oc_err
cli_key_import(struct cli *cli, struct oc_error *error)
{
	struct p11_imported *imported = calloc(1, sizeof(*imported));
	struct p11_import import = { .path = cli->args[0],
	    .label = cli_option(cli, "label") };
	json_t *row = cli_object();
	struct store *store;
	enum oc_err err;

	if (imported == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = cli_key_check_label(cli, error);
	if (err == OC_OK)
		err = cli_token(cli, cli_option(cli, "token"), &import.token,
		    &import.state_dir, error);
	if (err == OC_OK)
		err = cli_store(cli, STORE_CREATE, &store, error);
	if (err == OC_OK)
		err = import_key(cli, &import, imported, error);
	if (err == OC_OK) {
		cli_put_key(row, import.token, &imported->entry);
		err = journal(store, "key-import", row, error);
	}
	if (err == OC_OK)
		tell_import(cli, imported, row);
	else
		json_decref(row);
	free(imported);
	return err;
}
