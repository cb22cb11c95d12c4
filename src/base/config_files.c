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
		return;
	}
	config->files[config->num_files++] = *file;
}

enum oc_err
oc_config_list_files(struct oc_config *config, struct oc_config_errors *errors)
{
	config->files = calloc(2 * config->num_issuers + 1,
	    sizeof(*config->files));
	if (config->files == NULL)
		return OC_ERR_NOMEM;
	if (config->responder.serve_files == OC_SWITCH_NO)
		return OC_OK;
	for (size_t i = 0; i < config->num_issuers; i++) {
		const struct oc_config_issuer *issuer = &config->issuers[i];
		struct oc_config_file crl = { OC_FILE_CRL, issuer,
		    issuer->crl_url, NULL, 0 };
		struct oc_config_file certificate = { OC_FILE_CERTIFICATE,
		    issuer, issuer->ca_issuers_url, NULL, 0 };

		if (crl.url != NULL && find_path(config, &crl))
			add(config, errors, &crl);
		if (certificate.url != NULL && find_path(config, &certificate))
			add(config, errors, &certificate);
	}
	return OC_OK;
}
