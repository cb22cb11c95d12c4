/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/needs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/value.h"

/* Each value with its length, so that no two texts run together. */
static void
put(struct oc_buffer *out, const char *text)
{
	if (text == NULL)
		oc_buffer_put_text(out, "-;");
	else
		oc_buffer_printf(out, "%zu:%s;", strlen(text), text);
}

static void
put_number(struct oc_buffer *out, int64_t value)
{
	oc_buffer_printf(out, "%" PRId64 ";", value);
}

static void
put_words(struct oc_buffer *out, const struct oc_words *words)
{
	put_number(out, (int64_t)words->num);
	for (size_t i = 0; i < words->num; i++)
		put(out, words->words[i]);
}

/* A certificate renewed under the same path is another one. */
static void
put_file(struct oc_buffer *out, const char *path)
{
	uint8_t *bytes;
	size_t len;

	put(out, path);
	if (path == NULL || oc_file_read(path, OC_CHAIN_FILE_MAX, &bytes,
	    &len, NULL) != OC_OK) {
		put(out, NULL);
		return;
	}
	put_number(out, (int64_t)len);
	oc_buffer_put(out, bytes, len);
	free(bytes);
}

static void
put_token(struct oc_buffer *out, const struct oc_config_token *token)
{
	put(out, token->name);
	put(out, token->module);
	put(out, token->uri);
	put(out, token->pin_source);
	put_number(out, token->weight);
	put_number(out, token->sessions);
	put_number(out, token->timeout_s);
	put_number(out, token->keep_alive_s);
	put_words(out, &token->environment);
	put(out, token->init_args);
	put_words(out, &token->network);
	put_words(out, &token->devices);
	put_words(out, &token->paths);
	oc_buffer_put_text(out, "\n");
}

static void
put_issuer(struct oc_buffer *out, const struct oc_config_issuer *issuer)
{
	put(out, issuer->name);
	put_file(out, issuer->certificate);
	put_words(out, &issuer->tokens);
	put(out, issuer->key);
	put_number(out, issuer->algorithm);
	put_number(out, issuer->allow);
	put_number(out, issuer->allow_ca);
	put_number(out, issuer->max_path_length);
	put_number(out, issuer->max_validity_s);
	put_words(out, &issuer->permitted_ekus);
	put_words(out, &issuer->permitted_dns);
	put_words(out, &issuer->excluded_dns);
	put_words(out, &issuer->critical_extensions);
	oc_buffer_put_text(out, "\n");
}

static void
put_ocsp(struct oc_buffer *out, const struct oc_config_ocsp *ocsp)
{
	put(out, ocsp->name);
	put_file(out, ocsp->certificate);
	put_words(out, &ocsp->tokens);
	put(out, ocsp->key);
	put_number(out, ocsp->algorithm);
	oc_buffer_put_text(out, "\n");
}

void
daemon_put_signer_needs(const struct oc_config *config,
    struct oc_buffer *out)
{
	put(out, config->store.signing_journal);
	put_number(out, config->store.signing_journal_mib);
	put(out, config->daemon.signer_directory);
	put(out, config->daemon.signer_user);
	put(out, config->daemon.status_user);
	put(out, config->daemon.issuer_user);
	put_words(out, &config->daemon.operators);
	put_number(out, (int64_t)config->daemon.log_level);
	oc_buffer_put_text(out, "\n");
	for (size_t i = 0; i < config->num_tokens; i++)
		put_token(out, &config->tokens[i]);
	for (size_t i = 0; i < config->num_issuers; i++)
		put_issuer(out, &config->issuers[i]);
	for (size_t i = 0; i < config->num_ocsp; i++)
		put_ocsp(out, &config->ocsp[i]);
}

static void
keep(struct daemon_kept *kept, const char *source)
{
	int64_t fd;

	if (source == NULL || strncmp(source, "fd:", 3) != 0 ||
	    oc_value_int(source + 3, 3, 1023, &fd, NULL) != OC_OK ||
	    kept->num == DAEMON_KEPT_MAX)
		return;
	kept->fds[kept->num++] = (int)fd;
}

void
daemon_find_kept(const struct oc_config *config,
    struct daemon_launch *launch)
{
	launch->pins.num = launch->passwords.num = launch->mail.num = 0;
	for (size_t i = 0; i < config->num_tokens; i++)
		keep(&launch->pins, config->tokens[i].pin_source);
	keep(&launch->passwords, config->store.password_source);
	keep(&launch->mail, config->validation.mail_password_source);
	for (size_t i = 0; i < config->num_issuers; i++)
		keep(&launch->passwords,
		    config->issuers[i].certdb_password_source);
}
