/* SPDX-License-Identifier: Apache-2.0 */
/* Where commands write, and what must not be lost by it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/pem.h"
#include "cli/print.h"
#include "cli/work_impl.h"
#include "x509/file.h"

/* No key is larger, with whatever text around it. */
#define KEY_FILE_MAX (1024 * 1024)

static bool
is_standard(const char *path)
{
	return path == NULL || strcmp(path, "-") == 0;
}

static bool
is_same(const struct stat *a, const char *path)
{
	struct stat b;

	return stat(path, &b) == 0 && a->st_dev == b.st_dev &&
	    a->st_ino == b.st_ino;
}

bool
cli_is_same_file(const char *path, const char *other)
{
	const char *name = strrchr(path, '/'), *other_name;
	char *directory = NULL, *other_directory = NULL;
	struct stat st;
	bool is_one;

	if (stat(path, &st) == 0)
		return is_same(&st, other);
	if (stat(other, &st) == 0)
		return false;
	other_name = strrchr(other, '/');
	if (strcmp(name == NULL ? path : name + 1,
	    other_name == NULL ? other : other_name + 1) != 0)
		return false;
	if (oc_path_directory(path, &directory) != OC_OK ||
	    oc_path_directory(other, &other_directory) != OC_OK)
		cli_no_memory();
	is_one = stat(directory, &st) == 0 && is_same(&st, other_directory);
	free(directory);
	free(other_directory);
	return is_one;
}

/* Can a file be made, or replaced, there?  *st is of the one there is, which
 * has st_nlink 0 if there is none. */
static enum oc_err
check_place(const char *option, const char *path, struct stat *st,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;
	char *directory;

	memset(st, 0, sizeof(*st));
	if (stat(path, st) == 0 && S_ISDIR(st->st_mode))
		return oc_error_set(error, OC_ERR_REFUSED, "--%s: %s is a "
		    "directory; name a file in it", option, path);
	if (st->st_nlink != 0 && !S_ISREG(st->st_mode))
		return oc_error_set(error, OC_ERR_REFUSED, "--%s: %s is no "
		    "regular file; \"-\" is standard output", option, path);
	if (oc_path_directory(path, &directory) != OC_OK)
		cli_no_memory();
	if (access(directory, W_OK | X_OK) != 0)
		err = oc_error_set_errno(error, OC_ERR_SYSTEM, "--%s: "
		    "cannot create a file in %s", option, directory);
	free(directory);
	return err;
}

/* The store's file and SQLite's beside it; and what says where it is.  A
 * command that needs no configuration has none to lose. */
static enum oc_err
check_records(struct cli *cli, const char *option, const char *path,
    const struct stat *st, struct oc_error *error)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	const struct oc_config *config;
	bool is_records = false;
	char *file;

	if (cli_config(cli, &config, NULL) != OC_OK)
		return OC_OK;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (asprintf(&file, "%s%s", config->store.path, ends[i]) < 0)
			cli_no_memory();
		is_records = is_records || is_same(st, file);
		free(file);
	}
	if (!is_records && !is_same(st, config->path))
		return OC_OK;
	return oc_error_set(error, OC_ERR_REFUSED, "--%s: %s is the %s, and "
	    "would be lost; name another file", option, path, is_records ?
	    "store with all records" : "configuration");
}

static enum oc_err
check_key(const char *option, const char *path, struct oc_error *error)
{
	uint8_t *octets = NULL;
	bool has_key;
	size_t len;
	enum oc_err err;

	err = oc_file_read(path, KEY_FILE_MAX, &octets, &len, error);
	if (err == OC_ERR_LIMIT)
		return OC_OK;
	if (err != OC_OK)
		return oc_error_prefix(error, "--%s", option);
	has_key = x509_file_has_private_key(octets, len);
	explicit_bzero(octets, len);
	free(octets);
	if (has_key)
		return oc_error_set(error, OC_ERR_REFUSED, "--%s: %s holds a "
		    "private key, which would be lost; name another file",
		    option, path);
	return OC_OK;
}

enum oc_err
cli_check_key_out(struct cli *cli, const char *option, struct oc_error *error)
{
	const char *path = cli_option(cli, option);
	struct stat st;
	enum oc_err err;

	if (path == NULL)
		return OC_OK;
	err = check_place(option, path, &st, error);
	if (err == OC_OK && st.st_nlink != 0)
		err = check_records(cli, option, path, &st, error);
	return err;
}

enum oc_err
cli_check_out(struct cli *cli, const char *option, struct oc_error *error)
{
	const char *path = cli_option(cli, option);
	struct stat st;
	enum oc_err err;

	if (path != NULL && is_standard(path) &&
	    cli->format == CLI_FORMAT_JSON)
		return oc_error_set(error, OC_ERR_USAGE, "--json goes to "
		    "standard output; leave out --%s -", option);
	if (is_standard(path))
		return OC_OK;
	err = check_place(option, path, &st, error);
	if (err == OC_OK && st.st_nlink != 0)
		err = check_key(option, path, error);
	if (err == OC_OK && st.st_nlink != 0)
		err = check_records(cli, option, path, &st, error);
	return err;
}

enum oc_err
cli_flush(struct oc_error *error)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return OC_OK;
	return oc_error_set_errno(error, OC_ERR_SYSTEM, "standard output");
}

enum oc_err
cli_write_text(const char *path, const void *text, size_t len,
    struct oc_error *error)
{
	if (!is_standard(path))
		return oc_file_write(path, 0644, text, len, error);
	(void)fwrite(text, 1, len, stdout);
	return cli_flush(error);
}

/* A long list is a third longer in PEM: not in memory of our own. */
static enum oc_err
write_long_pem(const char *path, const char *label, struct der_bytes der,
    struct oc_error *error)
{
	struct oc_mapping text = { 0 };
	struct oc_spool spool;
	enum oc_err err;

	err = oc_spool_open(&spool, "ocsign-pem", UINT64_MAX);
	if (err == OC_OK) {
		oc_pem_spool(&spool, label, der.p, der.len);
		err = oc_spool_seal(&spool);
	}
	if (err == OC_OK)
		err = oc_spool_map(&spool, 0, &text);
	oc_spool_close(&spool);
	if (err != OC_OK)
		return oc_error_set(error, err, "no memory for PEM: %s",
		    oc_strerror(err));
	err = cli_write_text(path, text.bytes, text.len, error);
	oc_mapping_fini(&text);
	return err;
}

enum oc_err
cli_write(const char *path, enum cli_encoding encoding, const char *label,
    struct der_bytes der, struct oc_error *error)
{
	struct oc_buffer b;
	enum oc_err err;

	if (encoding == CLI_DER)
		return cli_write_text(path, der.p, der.len, error);
	if (der.len > OC_TBS_INLINE_MAX)
		return write_long_pem(path, label, der, error);
	oc_buffer_init(&b, SIZE_MAX / 2);
	oc_pem_write(&b, label, der.p, der.len);
	err = b.err;
	if (err != OC_OK)
		oc_error_set(error, err, "%s", oc_strerror(err));
	else
		err = cli_write_text(path, b.bytes, b.len, error);
	oc_buffer_fini(&b);
	return err;
}
