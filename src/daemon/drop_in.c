/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/drop_in.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/user.h"

#define TEXT_MAX (64 * 1024)
#define NAME "50-ocsign.conf"

typedef enum oc_err put_fn(const struct oc_config *config,
    struct oc_buffer *out, struct oc_error *error);

/* --- the words of unit files -------------------------------------------- */

/* systemd.syntax(7): in quotes, with escapes; % begins a specifier. */
static void
put_quoted(struct oc_buffer *out, const char *text)
{
	oc_buffer_put_text(out, "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			oc_buffer_put_text(out, "\\");
		if (*text == '%')
			oc_buffer_put_text(out, "%");
		oc_buffer_put(out, text, 1);
	}
	oc_buffer_put_text(out, "\"");
}

/* A value that takes no quotes. */
static void
put_plain(struct oc_buffer *out, const char *text)
{
	for (; *text != '\0'; text++)
		oc_buffer_put_text(out, (char [3]){ *text, *text == '%' ?
		    '%' : '\0', '\0' });
}

/* "ReadWritePaths=-\"/path\"": one that is not there is none. */
static void
put_writable(struct oc_buffer *out, const char *path)
{
	oc_buffer_put_text(out, "ReadWritePaths=-");
	put_quoted(out, path);
	oc_buffer_put_text(out, "\n");
}

static void
put_user(struct oc_buffer *out, const char *user)
{
	if (user != NULL)
		oc_buffer_printf(out, "User=%s\n", user);
}

static void
put_network(struct oc_buffer *out)
{
	oc_buffer_put_text(out, "PrivateNetwork=no\n"
	    "RestrictAddressFamilies=AF_INET AF_INET6\n");
}

static void
put_allowed(struct oc_buffer *out, const struct oc_words *network)
{
	put_network(out);
	for (size_t i = 0; i < network->num; i++)
		oc_buffer_printf(out, "IPAddressAllow=%s\n",
		    strcmp(network->words[i], "yes") == 0 ? "any" :
		    network->words[i]);
}

static bool
is_elsewhere(const char *database, const struct oc_words *network)
{
	return database != NULL && network->num > 0 &&
	    strcmp(network->words[0], "no") != 0;
}

/* The records are on another machine. */
static bool
has_database_network(const struct oc_config *config)
{
	return is_elsewhere(config->store.database,
	    &config->store.database_network);
}

/* The records' directory, or the way to their server. */
static enum oc_err
put_store(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	char *directory = NULL;

	if (has_database_network(config))
		put_allowed(out, &config->store.database_network);
	if (oc_path_directory(config->store.path, &directory) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	put_writable(out, directory);
	free(directory);
	return OC_OK;
}

static void
put_listen(struct oc_buffer *out, const struct oc_words *addresses)
{
	/* Those of the unit itself first. */
	oc_buffer_put_text(out, "[Socket]\nListenStream=\n");
	for (size_t i = 0; i < addresses->num; i++) {
		oc_buffer_put_text(out, "ListenStream=");
		put_plain(out, addresses->words[i]);
		oc_buffer_put_text(out, "\n");
	}
}

/* --- one for each unit -------------------------------------------------- */

static void
put_token(struct oc_buffer *out, const struct oc_config_token *token)
{
	oc_buffer_printf(out, "# [token %s]\n", token->name);
	if (oc_config_has_network(token))
		put_allowed(out, &token->network);
	if (token->devices.num > 0)
		oc_buffer_put_text(out, "PrivateDevices=no\n");
	for (size_t i = 0; i < token->devices.num; i++)
		oc_buffer_printf(out, "DeviceAllow=%s rw\n",
		    token->devices.words[i]);
	for (size_t i = 0; i < token->paths.num; i++)
		put_writable(out, token->paths.words[i]);
}

static enum oc_err
put_signer(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	(void)error;
	oc_buffer_put_text(out, "[Service]\n");
	put_user(out, config->daemon.signer_user);
	put_writable(out, config->daemon.signer_directory);
	put_writable(out, config->store.signing_journal);
	for (size_t i = 0; i < config->num_tokens; i++)
		put_token(out, &config->tokens[i]);
	return OC_OK;
}

static enum oc_err
put_status(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	const struct oc_config_metrics *metrics = &config->metrics;

	oc_buffer_put_text(out, "[Service]\n");
	put_user(out, config->daemon.status_user);
	put_writable(out, config->daemon.status_directory);
	put_writable(out, config->daemon.table_directory);
	if (metrics->listen.num > 0) {
		put_network(out);
		oc_buffer_printf(out, "IPAddressAllow=%s\n",
		    metrics->allow_remote == OC_SWITCH_YES ? "any" :
		    "localhost");
	}
	for (size_t i = 0; i < config->num_issuers; i++) {
		const struct oc_config_issuer *issuer = &config->issuers[i];

		if (is_elsewhere(issuer->certdb_database,
		    &issuer->certdb_network))
			put_allowed(out, &issuer->certdb_network);
	}
	return put_store(config, out, error);
}

static enum oc_err
put_issuer(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	if (!oc_config_has_issuer(config))
		return OC_OK;
	if (config->api.listen.num > 0)
		oc_buffer_put_text(out, "[Unit]\n"
		    "Requires=ocsign-issuer.socket\n[Service]\n"
		    "Sockets=ocsign-issuer.socket\n");
	else
		oc_buffer_put_text(out, "[Service]\n");
	put_user(out, config->daemon.issuer_user);
	put_writable(out, config->daemon.issuer_directory);
	return put_store(config, out, error);
}

static enum oc_err
put_issuer_socket(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	(void)error;
	if (config->api.listen.num > 0)
		put_listen(out, &config->api.listen);
	return OC_OK;
}

static enum oc_err
put_fetcher(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	(void)error;
	if (!oc_config_fetches(config))
		return OC_OK;
	oc_buffer_put_text(out, "[Service]\n");
	put_user(out, config->daemon.fetcher_user);
	put_writable(out, config->daemon.fetch_directory);
	return OC_OK;
}

/* Its hook is a program, which runs under the same rules. */
static enum oc_err
put_validator(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	(void)error;
	if (!oc_config_validates(config))
		return OC_OK;
	oc_buffer_put_text(out, "[Unit]\nRequires=ocsign-validator.socket\n"
	    "[Service]\nSockets=ocsign-validator.socket\n");
	put_user(out, config->daemon.validator_user);
	put_writable(out, config->daemon.validator_directory);
	return OC_OK;
}

static enum oc_err
put_responder(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	(void)error;
	oc_buffer_put_text(out, "[Service]\n");
	put_user(out, config->daemon.responder_user);
	put_writable(out, config->daemon.responder_directory);
	return OC_OK;
}

static enum oc_err
put_responder_socket(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	(void)error;
	put_listen(out, &config->responder.listen);
	return OC_OK;
}

/* It has the network, and no socket for it. */
static enum oc_err
put_renew(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	(void)error;
	if (has_database_network(config))
		oc_buffer_put_text(out, "[Service]\n"
		    "RestrictAddressFamilies=AF_INET AF_INET6\n");
	return OC_OK;
}

/* Who takes over while the others are replaced has the sockets of all. */
static enum oc_err
put_relief(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	(void)error;
	oc_buffer_put_text(out, "[Service]\nSockets=");
	for (int64_t i = 1; i <= config->responder.workers; i++)
		oc_buffer_printf(out, "%socsign-responder@%lld.socket",
		    i > 1 ? " " : "", (long long)i);
	oc_buffer_put_text(out, "\n");
	return OC_OK;
}

static enum oc_err
put_target(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	(void)error;
	oc_buffer_put_text(out, "[Unit]\n");
	for (int64_t i = 1; i <= config->responder.workers; i++)
		oc_buffer_printf(out, "Wants=ocsign-responder@%lld.socket "
		    "ocsign-responder@%lld.service\n", (long long)i,
		    (long long)i);
	if (config->api.listen.num > 0)
		oc_buffer_put_text(out, "Wants=ocsign-issuer.socket\n");
	if (oc_config_has_issuer(config))
		oc_buffer_put_text(out, "Wants=ocsign-issuer.service\n");
	if (oc_config_fetches(config))
		oc_buffer_put_text(out, "Wants=ocsign-fetcher.service\n");
	if (oc_config_validates(config))
		oc_buffer_put_text(out, "Wants=ocsign-validator.socket "
		    "ocsign-validator.service\n");
	return OC_OK;
}

/* For the folders in the run directory. */
static enum oc_err
put_prepare(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	const struct oc_config_daemon *d = &config->daemon;

	(void)error;
	if (!oc_config_is_separate(config))
		return OC_OK;
	oc_buffer_printf(out, "[Service]\nEnvironment=OCSIGN_STATUS_USER=%s "
	    "OCSIGN_RESPONDER_USER=%s\n", d->status_user, d->responder_user);
	if (d->issuer_user != NULL)
		oc_buffer_printf(out, "Environment=OCSIGN_ISSUER_USER=%s\n",
		    d->issuer_user);
	if (d->validator_user != NULL)
		oc_buffer_printf(out, "Environment=OCSIGN_VALIDATOR_USER=%s\n",
		    d->validator_user);
	return OC_OK;
}

/* Of whoever answers there, for the group of whoever asks. */
static enum oc_err
put_door(const struct oc_config *config, const char *name, const char *owner,
    const char *asker, struct oc_buffer *out, struct oc_error *error)
{
	struct oc_user group = { .gid = 0 };
	enum oc_err err = OC_OK;

	if (asker != NULL)
		err = oc_user_find(asker, &group, error);
	if (err != OC_OK)
		return err;
	oc_buffer_put_text(out, "[Socket]\nListenStream=\nListenStream=");
	put_plain(out, config->daemon.run_directory);
	oc_buffer_printf(out, "/%s.sock\n", name);
	if (owner != NULL)
		oc_buffer_printf(out, "SocketUser=%s\n", owner);
	if (asker != NULL)
		oc_buffer_printf(out, "SocketGroup=%ld\n", (long)group.gid);
	return OC_OK;
}

static enum oc_err
put_signer_status(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	return put_door(config, "signer-status", config->daemon.signer_user,
	    config->daemon.status_user, out, error);
}

static enum oc_err
put_signer_issuer(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	return put_door(config, "signer-issuer", config->daemon.signer_user,
	    config->daemon.issuer_user, out, error);
}

static enum oc_err
put_status_socket(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	return put_door(config, "status", config->daemon.status_user,
	    config->daemon.responder_user, out, error);
}

static enum oc_err
put_control(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	return put_door(config, "status-control", config->daemon.status_user,
	    config->daemon.issuer_user, out, error);
}

static enum oc_err
put_validator_socket(const struct oc_config *config, struct oc_buffer *out,
    struct oc_error *error)
{
	if (!oc_config_validates(config))
		return OC_OK;
	return put_door(config, "validator", config->daemon.validator_user,
	    config->daemon.issuer_user, out, error);
}

static const struct {
	const char *unit;
	put_fn *put;
} all[] = {
	{ "ocsign.target", put_target },
	{ "ocsign-prepare.service", put_prepare },
	{ "ocsign-signer.service", put_signer },
	{ "ocsign-signer-status.socket", put_signer_status },
	{ "ocsign-signer-issuer.socket", put_signer_issuer },
	{ "ocsign-status.service", put_status },
	{ "ocsign-status.socket", put_status_socket },
	{ "ocsign-status-control.socket", put_control },
	{ "ocsign-issuer.service", put_issuer },
	{ "ocsign-issuer.socket", put_issuer_socket },
	{ "ocsign-fetcher.service", put_fetcher },
	{ "ocsign-validator.service", put_validator },
	{ "ocsign-validator.socket", put_validator_socket },
	{ "ocsign-renew.service", put_renew },
	{ "ocsign-responder@.service", put_responder },
	{ "ocsign-responder@.socket", put_responder_socket },
	{ "ocsign-responder@relief.service", put_relief },
};

const char *
daemon_drop_in_unit(size_t n)
{
	return n < sizeof(all) / sizeof(all[0]) ? all[n].unit : NULL;
}

enum oc_err
daemon_drop_in_put(const struct oc_config *config, size_t n,
    struct oc_buffer *out, struct oc_error *error)
{
	enum oc_err err = all[n].put(config, out, error);

	if (err == OC_OK && out->err != OC_OK)
		err = oc_error_set(error, out->err, "%s: %s", all[n].unit,
		    oc_strerror(out->err));
	return err;
}

/* --- files -------------------------------------------------------------- */

static bool
is_there(const char *path, const struct oc_buffer *text)
{
	uint8_t *bytes;
	size_t len;
	bool is_same;

	if (oc_file_read(path, TEXT_MAX, &bytes, &len, NULL) != OC_OK)
		return false;
	is_same = len == text->len &&
	    memcmp(bytes, oc_buffer_text(text), len) == 0;
	free(bytes);
	return is_same;
}

static enum oc_err
write_one(const char *directory, const char *unit,
    const struct oc_buffer *text, struct oc_error *error)
{
	char folder[PATH_MAX], path[PATH_MAX + sizeof(NAME) + 1];
	enum oc_err err;

	if ((size_t)snprintf(folder, sizeof(folder), "%s/%s.d", directory,
	    unit) >= sizeof(folder))
		return oc_error_set(error, OC_ERR_LIMIT, "%s: the name is too "
		    "long", directory);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, NAME);
	if (text->len == 0) {
		if (unlink(path) == 0)
			printf("%s is removed\n", path);
		else if (errno != ENOENT)
			return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s",
			    path);
		return OC_OK;
	}
	if (is_there(path, text))
		return OC_OK;
	err = oc_file_mkdir_p(folder, 0755, error);
	if (err == OC_OK)
		err = oc_file_write(path, 0644, oc_buffer_text(text),
		    text->len, error);
	if (err == OC_OK)
		printf("%s is new\n", path);
	return err;
}

enum oc_err
daemon_drop_in_write(const struct oc_config *config, const char *directory,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;
	const char *unit;

	for (size_t n = 0; err == OC_OK &&
	    (unit = daemon_drop_in_unit(n)) != NULL; n++) {
		struct oc_buffer text;

		oc_buffer_init(&text, TEXT_MAX);
		err = daemon_drop_in_put(config, n, &text, error);
		if (err == OC_OK && strcmp(directory, "-") != 0)
			err = write_one(directory, unit, &text, error);
		else if (err == OC_OK && text.len > 0)
			printf("# %s.d/%s\n%s\n", unit, NAME,
			    oc_buffer_text(&text));
		oc_buffer_fini(&text);
	}
	return err;
}
