/* SPDX-License-Identifier: Apache-2.0 */
/* Writing what ca commands leave behind: sections and certificates. */
#include "cli/ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/pem.h"
#include "cli/work_impl.h"
#include "der/reader.h"
#include "ipc/server.h"

/* What base/conf.c takes as a section's name. */
static enum oc_err
check_name(const char *name, struct oc_error *error)
{
	size_t len = strlen(name);

	if (len == 0 || len > OC_CONFIG_NAME_MAX || name[0] == '.' ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789._-") != len)
		return oc_error_set(error, OC_ERR_USAGE, "\"%.70s\" is no "
		    "name for an issuer; use 1 to %d letters, digits, dots, "
		    "dashes and underscores", name, OC_CONFIG_NAME_MAX);
	return OC_OK;
}

/* A value of one line, as the configuration takes it. */
static enum oc_err
check_value(const char *option, const char *text, struct oc_error *error)
{
	const unsigned char *p = (const unsigned char *)text;

	if (*p == '\0' || *p == ' ')
		return oc_error_set(error, OC_ERR_USAGE,
		    "--%s is empty or starts with a blank", option);
	for (; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			return oc_error_set(error, OC_ERR_USAGE,
			    "--%s holds a control character", option);
	return OC_OK;
}

static enum oc_err
write_file(const char *path, const struct cli_section *s,
    struct oc_error *error)
{
	struct oc_buffer b;
	char *directory;
	enum oc_err err;

	if (access(path, F_OK) == 0)
		return oc_error_set(error, OC_ERR_EXISTS, "%s is there "
		    "already, but has no [issuer %s]; move it away", path,
		    s->name);
	if (oc_path_directory(path, &directory) != OC_OK)
		cli_no_memory();
	err = oc_file_mkdir_p(directory, 0755, error);
	free(directory);
	if (err != OC_OK)
		return err;
	oc_buffer_init(&b, 64 * 1024);
	oc_buffer_printf(&b, "[issuer %s]\ncertificate = %s\n", s->name,
	    s->certificate);
	if (s->chain != NULL)
		oc_buffer_printf(&b, "chain = %s\n", s->chain);
	oc_buffer_printf(&b, "token = %s\nkey = %s\n", s->token, s->key);
	if (s->algorithm != NULL)
		oc_buffer_printf(&b, "algorithm = %s\n", s->algorithm);
	err = b.err != OC_OK ? oc_error_set(error, b.err, "%s",
	    oc_strerror(b.err)) :
	    oc_file_write(path, 0644, b.bytes, b.len, error);
	oc_buffer_fini(&b);
	return err;
}

enum oc_err
cli_section_write(struct cli *cli, const struct cli_section *section,
    char **out, struct oc_error *error)
{
	const struct oc_config *config;
	enum oc_err err;
	char *path;

	err = cli_config(cli, &config, error);
	if (err == OC_OK)
		err = check_name(section->name, error);
	if (err == OC_OK)
		err = check_value("key", section->key, error);
	if (err == OC_OK && section->algorithm != NULL)
		err = check_value("algorithm", section->algorithm, error);
	if (err == OC_OK && oc_config_find_token(config, section->token) ==
	    NULL)
		err = oc_error_set(error, OC_ERR_NOT_FOUND, "there is no "
		    "[token %.64s] in %s", section->token, config->path);
	if (err != OC_OK)
		return err;
	if (asprintf(&path, "%s.d/issuer-%s.conf", config->path,
	    section->name) < 0)
		cli_no_memory();
	err = write_file(path, section, error);
	if (err == OC_OK) {
		err = cli_config_again(cli, &config, error);
		if (err != OC_OK)
			(void)unlink(path);
	}
	if (err != OC_OK) {
		free(path);
		return err;
	}
	*out = path;
	return OC_OK;
}

enum oc_err
cli_section_check_chain(struct cli *cli,
    const struct oc_config_issuer *section, struct oc_error *error)
{
	const struct oc_config *config;
	enum oc_err err;
	char *path;

	err = cli_config(cli, &config, error);
	if (err != OC_OK || section->chain != NULL)
		return err;
	if (asprintf(&path, "%s.d/issuer-%s.conf", config->path,
	    section->name) < 0)
		cli_no_memory();
	if (strcmp(path, section->file) != 0)
		err = oc_error_set(error, OC_ERR_CONFIG, "[issuer %s] "
		    "(%s:%d) has no chain; add chain = FILE there",
		    section->name, section->file, section->line);
	free(path);
	return err;
}

/* Behind the section's head, which is line number line. */
static enum oc_err
insert_chain(const char *path, int line, const char *name,
    struct oc_error *error)
{
	uint8_t *text = NULL;
	size_t len, at = 0;
	struct oc_buffer b;
	enum oc_err err;

	err = oc_file_read(path, 1024 * 1024, &text, &len, error);
	if (err != OC_OK)
		return err;
	for (; at < len && line > 0; at++)
		line -= text[at] == '\n';
	oc_buffer_init(&b, 2 * 1024 * 1024);
	oc_buffer_put(&b, text, at);
	oc_buffer_printf(&b, "chain = %s-chain.pem\n", name);
	oc_buffer_put(&b, text + at, len - at);
	err = b.err != OC_OK ? oc_error_set(error, b.err, "%s",
	    oc_strerror(b.err)) :
	    oc_file_write(path, 0644, b.bytes, b.len, error);
	oc_buffer_fini(&b);
	free(text);
	return err;
}

enum oc_err
cli_section_add_chain(struct cli *cli,
    const struct oc_config_issuer **section, struct oc_error *error)
{
	const struct oc_config_issuer *old = *section;
	const struct oc_config *config;
	enum oc_err err;
	char *name;

	err = cli_section_check_chain(cli, old, error);
	if (err != OC_OK || old->chain != NULL)
		return err;
	name = strdup(old->name);
	if (name == NULL)
		cli_no_memory();
	err = insert_chain(old->file, old->line, name, error);
	if (err == OC_OK)
		err = cli_config_again(cli, &config, error);
	if (err == OC_OK)
		err = cli_find_issuer(cli, name, section, error);
	free(name);
	return err;
}

void
cli_section_tell(const struct cli *cli, const char *path)
{
	fprintf(stderr, "ocsign: %s %s: wrote %s; add its URLs there, and "
	    "reload ocsignd if it runs\n", cli->command->noun,
	    cli->command->verb, path);
}

void
cli_tell_reload(struct cli *cli)
{
	char *path;

	if (cli_socket(cli, "status-control.sock", &path, NULL) != OC_OK)
		return;
	if (ipc_is_served(path))
		fprintf(stderr, "ocsign: %s %s: reload ocsignd, which does "
		    "not know the certificate yet\n", cli->command->noun,
		    cli->command->verb);
	free(path);
}

enum oc_err
cli_write_certificates(const char *path, struct der_bytes der,
    struct oc_error *error)
{
	struct der_reader r = der_reader_of(der);
	struct oc_buffer b;
	struct der_bytes one;
	char *directory;
	enum oc_err err;

	if (oc_path_directory(path, &directory) != OC_OK)
		cli_no_memory();
	err = oc_file_mkdir_p(directory, 0755, error);
	free(directory);
	if (err != OC_OK)
		return err;
	oc_buffer_init(&b, 1024 * 1024);
	while (!der_at_end(&r) && der_get_tlv(&r, DER_SEQUENCE, &one))
		oc_pem_write(&b, "CERTIFICATE", one.p, one.len);
	err = b.err;
	if (err != OC_OK)
		oc_error_set(error, err, "%s", oc_strerror(err));
	else
		err = oc_file_write(path, 0644, b.bytes, b.len, error);
	oc_buffer_fini(&b);
	return err;
}
