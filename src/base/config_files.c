/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What responders serve beside OCSP: the CRL and the certificate of each
 * issuer, at the paths of the URLs that are printed into certificates.  The
 * host's name does not count: whoever asks us got here by it.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_table.h"

static const char *
key_of(enum oc_config_file_kind kind)
{
	switch (kind) {
	case OC_FILE_CRL:
		return "crl-url";
	case OC_FILE_CERTIFICATE:
		return "ca-issuers-url";
	case OC_FILE_DELTA_CRL:
		return "crl-delta-url";
	}
	return NULL;
}

/* However many slashes there are at either end, as for who asks there.  NULL:
 * the one that was given is no good. */
static bool
is_prefix(const char *path, size_t len, const char *prefix)
{
	size_t prefix_len;

	if (prefix == NULL)
		return false;
	prefix_len = strlen(prefix) - 1;	/* without its last '/' */
	while (len > 0 && path[len - 1] == '/')
		len--;
	for (; len > 1 && path[1] == '/'; len--)
		path++;
	return len == prefix_len && memcmp(path, prefix, len) == 0;
}

/* "/web.crl" of "http://host/web.crl?x#y"; the scheme has been checked.  "/"
 * alone is where OCSP is asked, and so is the prefix. */
static bool
find_path(const struct oc_config *config, struct oc_config_file *file)
{
	const char *p = strstr(file->url, "://");

	if (p == NULL)
		return false;
	p += 3;
	p += strcspn(p, "/?#");
	file->path = p;
	file->path_len = strcspn(p, "?#");
	return strspn(p, "/") < file->path_len &&
	    !is_prefix(p, file->path_len, config->responder.prefix);
}

static void
complain(const struct oc_config *config, struct oc_config_errors *errors,
    const struct oc_config_file *file, const struct oc_config_file *other)
{
	struct oc_conf_place place = { .type = "issuer",
	    .name = file->issuer->name, .key = key_of(file->kind) };

	oc_conf_find_place(config->conf, &place);
	oc_config_errors_add(errors, &place, OC_ERR_CONFIG, "has the path of "
	    "%s of [issuer %.64s], and responders serve one file there; "
	    "choose another path, or serve-files = no in [responder]",
	    key_of(other->kind), other->issuer->name);
}

/* Takes what it has made over. */
static void
add(struct oc_config *config, struct oc_config_errors *errors,
    const struct oc_config_file *file)
{
	for (size_t i = 0; i < config->num_files; i++) {
		const struct oc_config_file *other = &config->files[i];

		if (other->path_len != file->path_len ||
		    memcmp(other->path, file->path, file->path_len) != 0)
			continue;
		complain(config, errors, file, other);
		free(file->made);
		return;
	}
	config->files[config->num_files++] = *file;
}

static enum oc_err
add_at(struct oc_config *config, struct oc_config_errors *errors,
    struct oc_config_file file)
{
	char text[OC_CRL_URL_MAX + 1];

	if (file.url == NULL)
		return OC_OK;
	if (file.partition != 0) {
		/* What is too long was complained of. */
		if (!oc_config_partition_url(file.url, file.partition, text))
			return OC_OK;
		file.url = file.made = strdup(text);
		if (file.made == NULL)
			return OC_ERR_NOMEM;
	}
	if (find_path(config, &file))
		add(config, errors, &file);
	else
		free(file.made);
	return OC_OK;
}

static enum oc_err
add_issuer(struct oc_config *config, struct oc_config_errors *errors,
    const struct oc_config_issuer *issuer)
{
	enum oc_err err = OC_OK;

	for (uint32_t n = 0; err == OC_OK && n <= issuer->crl_partitions;
	    n++) {
		err = add_at(config, errors, (struct oc_config_file){
		    .kind = OC_FILE_CRL, .issuer = issuer, .partition = n,
		    .url = issuer->crl_url });
		if (err == OC_OK)
			err = add_at(config, errors, (struct oc_config_file){
			    .kind = OC_FILE_DELTA_CRL, .issuer = issuer,
			    .partition = n, .url = issuer->crl_delta_url });
	}
	return err != OC_OK ? err : add_at(config, errors,
	    (struct oc_config_file){ .kind = OC_FILE_CERTIFICATE,
	    .issuer = issuer, .url = issuer->ca_issuers_url });
}

enum oc_err
oc_config_list_files(struct oc_config *config, struct oc_config_errors *errors)
{
	size_t num = 1, i;
	enum oc_err err = OC_OK;

	for (i = 0; i < config->num_issuers; i++)
		num += 3 + 2 * (size_t)config->issuers[i].crl_partitions;
	config->files = calloc(num, sizeof(*config->files));
	if (config->files == NULL)
		return OC_ERR_NOMEM;
	if (config->responder.serve_files == OC_SWITCH_NO)
		return OC_OK;
	for (i = 0; err == OC_OK && i < config->num_issuers; i++)
		err = add_issuer(config, errors, &config->issuers[i]);
	return err;
}
