/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cfssl_issuer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11/uri.h"
#include "x509/file.h"

/* The section whose certificate this is, or NULL. */
static const struct oc_config_issuer *
find_by_certificate(const struct oc_config *config, struct der_bytes der)
{
	const struct oc_config_issuer *found = NULL;

	for (size_t i = 0; found == NULL && i < config->num_issuers; i++) {
		const char *path = config->issuers[i].certificate;
		struct oc_error ignored = { 0 };
		uint8_t *own;
		size_t len;

		if (access(path, F_OK) != 0 || x509_file_read(path,
		    X509_FILE_CERTIFICATE, &own, &len, &ignored) != OC_OK)
			continue;
		if (der_bytes_equal(der, (struct der_bytes){ own, len }))
			found = &config->issuers[i];
		free(own);
	}
	return found;
}

static enum oc_err
find_section(const struct oc_config *config, const char *ca,
    const struct oc_config_issuer **section, struct oc_error *error)
{
	uint8_t *der;
	size_t len;
	enum oc_err err;

	*section = oc_config_find_issuer(config, ca);
	if (*section != NULL)
		return OC_OK;
	if (access(ca, F_OK) != 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "-ca %.80s: "
		    "neither an [issuer] of %s nor a file", ca, config->path);
	err = x509_file_read(ca, X509_FILE_CERTIFICATE, &der, &len, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "-ca");
	*section = find_by_certificate(config, (struct der_bytes){ der,
	    len });
	free(der);
	if (*section != NULL)
		return OC_OK;
	return oc_error_set(error, OC_ERR_NOT_FOUND, "-ca %.80s: the "
	    "certificate of no [issuer] of %s; put its key into a token and "
	    "take it in with \"ocsign ca add\"; ocsign(1), CFSSL'S COMMANDS, "
	    "says how", ca, config->path);
}

/* What a URI leaves open is not asked. */
static bool
is_same_key(const struct p11_uri *given, const struct p11_uri *own,
    const struct p11_uri *token)
{
	if (given->token[0] != '\0' && token->token[0] != '\0' &&
	    strcmp(given->token, token->token) != 0)
		return false;
	if (given->object[0] != '\0' && own->object[0] != '\0' &&
	    strcmp(given->object, own->object) != 0)
		return false;
	return given->id_len == 0 || own->id_len == 0 ||
	    (given->id_len == own->id_len &&
	    memcmp(given->id, own->id, own->id_len) == 0);
}

static enum oc_err
check_uri(const struct oc_config *config,
    const struct oc_config_issuer *section, const char *key,
    struct oc_error *error)
{
	struct p11_uri uris[3];
	bool is_same = false;
	enum oc_err err = p11_uri_parse_key(key, &uris[0], error);

	if (section->key == NULL)
		return oc_error_set(error, OC_ERR_MISMATCH, "-ca-key: that of "
		    "issuer %s is not here", section->name);
	if (err == OC_OK)
		err = p11_uri_parse_key(section->key, &uris[1], error);
	for (size_t i = 0; err == OC_OK && i < section->tokens.num; i++) {
		err = p11_uri_parse_token(oc_config_find_token(config,
		    section->tokens.words[i])->uri, &uris[2], error);
		is_same = is_same || (err == OC_OK &&
		    is_same_key(&uris[0], &uris[1], &uris[2]));
	}
	if (err != OC_OK)
		return oc_error_prefix(error, "-ca-key");
	if (!is_same)
		return oc_error_set(error, OC_ERR_MISMATCH, "-ca-key: not the "
		    "key of issuer %s; leave it out", section->name);
	return OC_OK;
}

/* Before -ca: who has a key in a file has no [issuer] either, and should
 * hear what to do with the key first. */
static enum oc_err
refuse_file(const struct oc_config *config, const char *ca,
    struct oc_error *error)
{
	const struct oc_config_issuer *section;
	struct oc_error none = { 0 };

	if (find_section(config, ca, &section, &none) == OC_OK)
		return oc_error_set(error, OC_ERR_REFUSED, "-ca-key: a CA's "
		    "key in a file is not used; that of issuer %s is in its "
		    "token: leave -ca-key out", section->name);
	return oc_error_set(error, OC_ERR_REFUSED, "-ca-key: a CA's key in a "
	    "file is not used; put it into a token (softhsm2-util --import, "
	    "or the vendor's tool) and take it in with \"ocsign ca add\"; "
	    "ocsign(1), CFSSL'S COMMANDS, says how");
}

enum oc_err
cli_cfssl_issuer(struct cli *cli, struct ca_issuer **issuer,
    struct oc_error *error)
{
	const char *ca = cli_option(cli, "ca");
	const char *key = cli_option(cli, "ca-key");
	const struct oc_config_issuer *section;
	const struct oc_config *config;
	enum oc_err err = cli_config(cli, &config, error);

	if (err != OC_OK)
		return err;
	if (ca == NULL || ca[0] == '\0')
		return oc_error_set(error, OC_ERR_USAGE, "which CA? give -ca "
		    "NAME, an [issuer NAME] of %s, or its certificate",
		    config->path);
	if (key != NULL && strncmp(key, "pkcs11:", 7) != 0)
		return refuse_file(config, ca, error);
	err = find_section(config, ca, &section, error);
	if (err == OC_OK && key != NULL)
		err = check_uri(config, section, key, error);
	if (err == OC_OK)
		err = cli_open_issuer(cli, section->name, issuer, error);
	return err;
}
