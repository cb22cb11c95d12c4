/* SPDX-License-Identifier: Apache-2.0 */
/* json: what cfssljson does. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cfssl/json.h"
#include "cfssl/result.h"
#include "cli/cfssl.h"

/* A file of ours that was made read-only is meant to stay. */
static enum oc_err
check_path(const char *path, struct oc_error *error)
{
	if (access(path, W_OK) != 0 && errno != ENOENT)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s may not "
		    "be overwritten", path);
	return OC_OK;
}

/* The umask, as for everything that is created; a key's mode is as it is. */
static mode_t
mode_of(const struct cfssl_part *part)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	return part->mode & ~mask;
}

static enum oc_err
write_parts(const char *base, const struct cfssl_parts *parts,
    struct oc_error *error)
{
	struct oc_file_part files[CFSSL_PARTS_MAX] = { { NULL, 0, NULL, 0 } };
	char *paths[CFSSL_PARTS_MAX] = { NULL };
	enum oc_err err = OC_OK;
	size_t i;

	for (i = 0; err == OC_OK && i < parts->num_parts; i++) {
		const struct cfssl_part *p = &parts->parts[i];

		if (asprintf(&paths[i], "%s%s", base, p->suffix) < 0) {
			paths[i] = NULL;
			err = oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
			break;
		}
		files[i] = (struct oc_file_part){ paths[i], mode_of(p),
		    p->bytes, p->len };
		err = check_path(paths[i], error);
	}
	if (err == OC_OK)
		err = oc_file_write_all(files, parts->num_parts, error);
	for (i = 0; i < parts->num_parts; i++)
		free(paths[i]);
	return err;
}

/* What is binary is printed as base64. */
static enum oc_err
print_parts(const struct cfssl_parts *parts, struct oc_error *error)
{
	for (size_t i = 0; i < parts->num_parts; i++) {
		const struct cfssl_part *p = &parts->parts[i];
		char *text;

		if (!p->is_binary) {
			(void)fwrite(p->bytes, 1, p->len, stdout);
			(void)putchar('\n');
			continue;
		}
		text = malloc(OC_BASE64_LEN(p->len) + 1);
		if (text == NULL)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
		oc_base64_encode(p->bytes, p->len, text);
		printf("%s\n", text);
		free(text);
	}
	return OC_OK;
}

enum oc_err
cli_json(struct cli *cli, struct oc_error *error)
{
	const char *path = cli_option(cli, "f");
	const char *base = cli->num_args > 0 ? cli->args[0] : "cert";
	struct cfssl_parts parts = { .num_parts = 0 };
	uint8_t *text = NULL;
	size_t len = 0;
	enum oc_err err;

	if (path == NULL)
		path = "-";
	cfssl_json_cleanse();
	err = oc_file_read(path, CFSSL_JSON_MAX, &text, &len, error);
	if (err != OC_OK)
		return err;
	err = cfssl_parts_read(strcmp(path, "-") == 0 ? "standard input" :
	    path, text, len, cli_has(cli, "bare") ? CFSSL_BARE :
	    CFSSL_ENVELOPE, &parts, error);
	explicit_bzero(text, len);
	free(text);
	if (err == OC_OK)
		err = cli_has(cli, "stdout") ? print_parts(&parts, error) :
		    write_parts(base, &parts, error);
	cfssl_parts_fini(&parts);
	return err;
}

const struct cli_option cli_json_options[] = {
	{ "bare", NULL, CLI_OPTIONAL,
	    "it is what cfssl prints, not its API's answer" },
	{ "f", "FILE", CLI_OPTIONAL, "read this; default: standard input" },
	{ "stdout", NULL, CLI_OPTIONAL, "print it; write no files" },
	{ NULL }
};
