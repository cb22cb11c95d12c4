/* SPDX-License-Identifier: Apache-2.0 */
/* key generate, list; clone and import are in key_move.c. */
#include "cli/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print.h"
#include "cli/work.h"
#include "pkcs11/admin.h"

/* RSA-4096 takes minutes in a smart card. */
#define GENERATE_S 600
#define LIST_S 60

static const struct {
	const char *name;
	enum sign_key_type type;
	unsigned int bits;
} types[] = {
	{ "rsa2048", SIGN_KEY_RSA, 2048 },
	{ "rsa3072", SIGN_KEY_RSA, 3072 },
	{ "rsa4096", SIGN_KEY_RSA, 4096 },
	{ "p256", SIGN_KEY_P256, 256 },
	{ "p384", SIGN_KEY_P384, 384 },
	{ "p521", SIGN_KEY_P521, 521 },
	{ "ed25519", SIGN_KEY_ED25519, 256 },
};
#define NUM_TYPES (sizeof(types) / sizeof(types[0]))

enum oc_err
cli_key_type_parse(const char *text, enum sign_key_type *type,
    unsigned int *bits, struct oc_error *error)
{
	for (size_t i = 0; i < NUM_TYPES; i++)
		if (strcmp(types[i].name, text == NULL ? "p256" : text) ==
		    0) {
			*type = types[i].type;
			*bits = types[i].bits;
			return OC_OK;
		}
	return oc_error_set(error, OC_ERR_USAGE, "--type %.40s is no key "
	    "type; write rsa2048, rsa3072, rsa4096, p256, p384, p521 or "
	    "ed25519", text);
}

static void
type_name(enum sign_key_type type, unsigned int bits, char text[16])
{
	switch (type) {
	case SIGN_KEY_RSA:
		(void)snprintf(text, 16, "rsa%u", bits);
		return;
	case SIGN_KEY_P256:
		(void)snprintf(text, 16, "p256");
		return;
	case SIGN_KEY_P384:
		(void)snprintf(text, 16, "p384");
		return;
	case SIGN_KEY_P521:
		(void)snprintf(text, 16, "p521");
		return;
	case SIGN_KEY_ED25519:
		(void)snprintf(text, 16, "ed25519");
		return;
	case SIGN_KEY_NONE:
		break;
	}
	(void)snprintf(text, 16, "unknown");
}

/* RFC 7512, 2.3: what may stand as it is in a path attribute. */
static void
put_encoded(struct oc_buffer *b, const void *bytes, size_t len, bool is_hex)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._~:[]@!$'()*+,=";
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		if (!is_hex && p[i] != '\0' && strchr(plain, p[i]) != NULL)
			oc_buffer_put(b, &p[i], 1);
		else
			oc_buffer_printf(b, "%%%02X", p[i]);
}

/* "pkcs11:token=ca;object=web;type=private": the token as its section names
 * it, the key by its label, or by its id if it has none. */
static void
put_key_uri(json_t *row, const struct p11_token_config *token,
    const struct p11_key_entry *key)
{
	struct oc_buffer b;
	size_t len = strcspn(token->uri, "?");

	oc_buffer_init(&b, 4096);
	oc_buffer_put(&b, token->uri, len);
	oc_buffer_put_text(&b, token->uri[len - 1] == ':' ? "" : ";");
	if (key->label[0] != '\0') {
		oc_buffer_put_text(&b, "object=");
		put_encoded(&b, key->label, strlen(key->label), false);
	} else {
		oc_buffer_put_text(&b, "id=");
		put_encoded(&b, key->id, key->id_len, true);
	}
	oc_buffer_put_text(&b, ";type=private");
	cli_put_text(row, "uri", oc_buffer_text(&b));
	oc_buffer_fini(&b);
}

void
cli_put_key(json_t *row, const struct p11_token_config *token,
    const struct p11_key_entry *key)
{
	char type[16];

	type_name(key->type, key->bits, type);
	cli_put_text(row, "token", token->name);
	put_key_uri(row, token, key);
	cli_put_text(row, "type", type);
	cli_put_text(row, "label", key->label);
	cli_put_hex(row, "id", (struct der_bytes){ key->id, key->id_len });
	cli_put_bool(row, "extractable", key->is_extractable);
	cli_put_bool(row, "always_sensitive", key->was_always_sensitive);
	cli_put_bool(row, "never_extractable", key->was_never_extractable);
	cli_put_bool(row, "local", key->is_local);
	cli_put_bool(row, "public_key", key->has_public);
}

#define LABEL_MAX 255		/* as pkcs11/admin.h has it */

enum oc_err
cli_key_check_label(const struct cli *cli, struct oc_error *error)
{
	size_t len = strlen(cli_option(cli, "label"));

	if (len == 0 || len > LABEL_MAX)
		return oc_error_set(error, OC_ERR_USAGE, "--label: a key's "
		    "label has 1 to %d octets", LABEL_MAX);
	return OC_OK;
}

static enum oc_err
journal(struct store *store, json_t *row, struct oc_error *error)
{
	char *text = json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS);
	enum oc_err err = OC_ERR_NOMEM;

	if (text != NULL)
		err = store_append_journal(store, "key-generate", text);
	free(text);
	if (err != OC_OK)
		return oc_error_set(error, err, "the key is made, but the "
		    "journal does not say so: %s", store_error(store));
	return OC_OK;
}

static enum oc_err
generate(struct cli *cli, const struct p11_token_config *token,
    const char *state_dir, json_t *row, struct oc_error *error)
{
	bool is_extractable = cli_has(cli, "extractable");
	struct p11_key_entry key = { .has_private = true, .has_public = true,
	    .is_extractable = is_extractable, .was_always_sensitive = true,
	    .was_never_extractable = !is_extractable, .is_local = true };
	struct sign_key_info *info = calloc(1, sizeof(*info));
	enum oc_err err;

	if (info == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = cli_key_type_parse(cli_option(cli, "type"), &key.type,
	    &key.bits, error);
	if (err == OC_OK) {
		cli_progress_begin("the token to make the key");
		err = (is_extractable ? p11_admin_generate_extractable :
		    p11_admin_generate_key)(token, state_dir,
		    cli_option(cli, "label"), key.type, key.bits,
		    cli_deadline(GENERATE_S), info, error);
		cli_progress_end();
	}
	free(info);
	if (err != OC_OK)
		return oc_error_prefix(error, "token %s", token->name);
	(void)snprintf(key.label, sizeof(key.label), "%s",
	    cli_option(cli, "label"));
	cli_put_key(row, token, &key);
	return OC_OK;
}

static enum oc_err
key_generate(struct cli *cli, struct oc_error *error)
{
	const struct p11_token_config *token;
	enum sign_key_type type;
	json_t *row = cli_object();
	const char *state_dir;
	struct store *store;
	unsigned int bits;
	enum oc_err err;

	err = cli_key_type_parse(cli_option(cli, "type"), &type, &bits,
	    error);
	if (err == OC_OK)
		err = cli_key_check_label(cli, error);
	if (err == OC_OK)
		err = cli_token(cli, cli_option(cli, "token"), &token,
		    &state_dir, error);
	if (err == OC_OK)
		err = cli_store(cli, STORE_CREATE, &store, error);
	if (err == OC_OK)
		err = generate(cli, token, state_dir, row, error);
	if (err == OC_OK) {
		(void)json_object_del(row, "id");
		err = journal(store, row, error);
	}
	if (err != OC_OK || cli->format == CLI_FORMAT_TEXT) {
		if (err == OC_OK)
			printf("%s\n", json_string_value(
			    json_object_get(row, "uri")));
		json_decref(row);
		return err;
	}
	cli_print(cli, row);
	return OC_OK;
}

static enum oc_err
list_one(struct cli *cli, const char *name, json_t *rows,
    struct oc_error *error)
{
	struct p11_key_entry *keys = calloc(P11_ADMIN_MAX, sizeof(*keys));
	const struct p11_token_config *token;
	const char *state_dir;
	enum oc_err err;
	size_t num = 0;

	if (keys == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = cli_token(cli, name, &token, &state_dir, error);
	if (err == OC_OK)
		err = p11_admin_list_keys(token, state_dir,
		    cli_deadline(LIST_S), keys, &num, error);
	for (size_t i = 0; err == OC_OK && i < num; i++) {
		json_t *row;

		if (!keys[i].has_private)
			continue;
		row = cli_object();
		cli_put_key(row, token, &keys[i]);
		cli_append(rows, row);
	}
	free(keys);
	if (err != OC_OK)
		oc_error_prefix(error, "token %s", name);
	return err;
}

static enum oc_err
key_list(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "uri", "type", "extractable",
	    "always_sensitive", "never_extractable", "local", NULL };
	const char *only = cli_option(cli, "token");
	const struct oc_config *config;
	json_t *rows = cli_array();
	enum oc_err err;

	err = cli_config(cli, &config, error);
	cli_progress_begin("the token");
	if (err == OC_OK && only != NULL)
		err = list_one(cli, only, rows, error);
	else
		for (size_t i = 0; err == OC_OK && i < config->num_tokens;
		    i++)
			err = list_one(cli, config->tokens[i].name, rows,
			    error);
	cli_progress_end();
	if (err == OC_OK)
		cli_print_table(cli, rows, columns);
	else
		json_decref(rows);
	return err;
}

static const struct cli_option generate_options[] = {
	{ "token", "NAME", CLI_REQUIRED, "the [token NAME] to make it in" },
	{ "label", "TEXT", CLI_REQUIRED, "what the key is called there" },
	{ "type", "TYPE", CLI_OPTIONAL,
	    "p256 (default), p384, p521, ed25519, rsa2048 ..." },
	{ "extractable", NULL, CLI_OPTIONAL,
	    "may be taken out, wrapped: for \"key clone\"" },
	{ NULL }
};

static const struct cli_option clone_options[] = {
	{ "from", "NAME", CLI_REQUIRED, "the [token NAME] it is in" },
	{ "to", "NAME", CLI_REQUIRED, "the [token NAME] it goes to" },
	{ "extractable", NULL, CLI_OPTIONAL,
	    "there too: it can be cloned on from it" },
	{ "seal", NULL, CLI_OPTIONAL,
	    "then nothing takes it out of --from any more" },
	{ NULL }
};

static const struct cli_option import_options[] = {
	{ "token", "NAME", CLI_REQUIRED, "the [token NAME] it goes to" },
	{ "label", "TEXT", CLI_REQUIRED, "what the key is called there" },
	{ "passphrase-source", "FILE", CLI_OPTIONAL,
	    "where the passphrase of FILE is" },
	{ NULL }
};

static const struct cli_option list_options[] = {
	{ "token", "NAME", CLI_OPTIONAL, "of this [token NAME] only" },
	{ NULL }
};

const struct cli_command cli_key_commands[] = {
	{ .noun = "key", .verb = "generate", .options = generate_options,
	    .summary = "generate a key pair inside a token",
	    .about = "Generates a key pair inside the token; the private key "
		"is sensitive and cannot be taken out of it.  Prints the "
		"key's URI.  A label that the token has already is refused.  "
		"With --extractable the token lets it out wrapped by another "
		"key, which \"ocsign key clone\" needs, and whoever has the "
		"PIN can do as well.",
	    .example = "ocsign key generate --token ca --label web",
	    .run = key_generate },
	{ .noun = "key", .verb = "list", .options = list_options,
	    .summary = "list the private keys in the tokens",
	    .about = "Logs in and lists private keys: URI, type, and whether "
		"the token would let them out; and what it says of their "
		"past: always sensitive, never extractable, made in it "
		"(local).",
	    .example = "ocsign key list --token ca",
	    .run = key_list },
	{ .noun = "key", .verb = "clone", .arguments = "KEY",
	    .num_args_min = 1, .num_args_max = 1, .options = clone_options,
	    .summary = "bring a key into a second token",
	    .about = "Brings a private key from one token into another, "
		"wrapped by a key pair that the second makes for it, so that "
		"it is never in the clear outside of them.  It must have "
		"been made extractable; if it was not, only its vendor's own "
		"backup or cloning can carry it.  The copy is compared, "
		"proven by a signature, and not extractable unless "
		"--extractable says so.",
	    .example = "ocsign key clone web --from hsm-a --to hsm-b --seal",
	    .run = cli_key_clone },
	{ .noun = "key", .verb = "import", .arguments = "FILE",
	    .num_args_min = 1, .num_args_max = 1, .options = import_options,
	    .summary = "bring a key from a file into a token",
	    .about = "Brings the private key of a file (PKCS#8, PEM or DER, "
		"encrypted or not; RSA, P-256, P-384, P-521, Ed25519) into a "
		"token, sensitive and not extractable from then on.  Nobody "
		"else may be able to read the file.  A passphrase is read "
		"from a source as a PIN is, or from the terminal.  The key "
		"was outside, and the token says so for ever: destroy the "
		"file and its backups.",
	    .example = "ocsign key import old-ca.pem --token ca --label old",
	    .run = cli_key_import },
	{ NULL }
};
