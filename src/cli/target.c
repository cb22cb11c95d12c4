/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/target.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "x509/file.h"

void
cli_target_free(struct cli_target *target)
{
	if (target == NULL)
		return;
	free(target->der);
	free(target);
}

static enum oc_err
read_file(const char *path, struct cli_target *target, struct oc_error *error)
{
	struct der_bytes der;
	enum oc_err err;

	err = x509_file_read(path, X509_FILE_CERTIFICATE, &target->der,
	    &der.len, error);
	if (err != OC_OK)
		return err;
	der.p = target->der;
	err = x509_cert_read(der, &target->cert, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "%s", path);
	target->serial = target->cert.serial;
	return OC_OK;
}

static enum oc_err
new_target(const char *path, const char *serial, struct cli_target **out,
    struct oc_error *error)
{
	struct cli_target *target = calloc(1, sizeof(*target));
	enum oc_err err;

	if (target == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (path != NULL)
		err = read_file(path, target, error);
	else
		err = oc_serial_parse(serial, &target->serial, error) ==
		    OC_OK ? OC_OK : OC_ERR_USAGE;
	if (err != OC_OK) {
		cli_target_free(target);
		return err;
	}
	*out = target;
	return OC_OK;
}

/* Then the error is about a number, not about a file. */
static bool
is_like_serial(const char *text)
{
	return text[0] != '\0' &&
	    text[strspn(text, "0123456789abcdefABCDEF:xX")] == '\0';
}

enum oc_err
cli_target_read(const char *text, struct cli_target **target,
    struct oc_error *error)
{
	bool is_file = strcmp(text, "-") == 0 || access(text, F_OK) == 0;
	struct oc_serial serial;
	bool is_serial = oc_serial_parse(text, &serial, NULL) == OC_OK;

	if (is_file && is_serial)
		return oc_error_set(error, OC_ERR_USAGE, "\"%.60s\" is a file "
		    "here and a serial number too; write ./%.60s or 0x...",
		    text, text);
	if (is_serial || (!is_file && is_like_serial(text)))
		return new_target(NULL, text, target, error);
	if (!is_file && strpbrk(text, "./") == NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "\"%.60s\" is "
		    "neither a file nor a serial number; write the serial as "
		    "hex or decimal digits", text);
	return new_target(text, NULL, target, error);
}

enum oc_err
cli_target_options(const struct cli *cli, struct cli_target **target,
    struct oc_error *error)
{
	const char *path = cli_option(cli, "cert");
	const char *serial = cli_option(cli, "serial");
	enum oc_err err;

	if ((path == NULL) == (serial == NULL))
		return oc_error_set(error, OC_ERR_USAGE, "which certificate? "
		    "give either --cert FILE or --serial SERIAL");
	err = new_target(path, serial, target, error);
	if (err != OC_OK && serial != NULL)
		oc_error_prefix(error, "--serial");
	return err;
}

/* --- whose it is ------------------------------------------------------ */

static bool
is_issued_by(const struct cli_target *target,
    const struct oc_config_issuer *section)
{
	struct oc_error bad = { 0 };
	struct ca_issuer *issuer;
	bool is_issued;

	/* Another CA's damaged file does not keep this one from revoking. */
	if (access(section->certificate, F_OK) != 0 ||
	    ca_issuer_load(section, &issuer, &bad) != OC_OK)
		return false;
	is_issued = x509_cert_verify_issued(&target->cert, &issuer->cert,
	    NULL) == OC_OK;
	ca_issuer_free(issuer);
	return is_issued;
}

static bool
has_serial(struct store *store, const struct cli_target *target,
    const struct oc_config_issuer *section)
{
	struct store_certificate record = { 0 };
	struct store_issuer row = { 0 };
	bool has;

	if (store_find_issuer(store, section->name, &row) != OC_OK)
		return false;
	has = store_find_certificate(store, row.id, &target->serial,
	    &record) == OC_OK;
	store_certificate_fini(&record);
	store_issuer_fini(&row);
	return has;
}

static enum oc_err
not_found(const struct cli_target *target, struct oc_error *error)
{
	char text[OC_SERIAL_TEXT_MAX];

	oc_serial_format(&target->serial, text);
	if (target->der != NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "no [issuer] of "
		    "the configuration issued this certificate (serial %s)",
		    text);
	return oc_error_set(error, OC_ERR_NOT_FOUND, "no [issuer] of the "
	    "configuration ever issued serial %s; see \"ocsign cert list\"",
	    text);
}

enum oc_err
cli_target_issuer(struct cli *cli, const struct cli_target *target,
    const char *name, struct ca_issuer **issuer, struct oc_error *error)
{
	const struct oc_config *config;
	struct store *store;
	enum oc_err err;

	err = cli_config(cli, &config, error);
	if (err == OC_OK)
		err = cli_store(cli, STORE_CREATE, &store, error);
	for (size_t i = 0; err == OC_OK && name == NULL &&
	    target->der != NULL && i < config->num_issuers; i++)
		if (is_issued_by(target, &config->issuers[i]))
			name = config->issuers[i].name;
	if (err == OC_OK && name == NULL && target->der == NULL)
		for (size_t i = 0; i < config->num_issuers; i++) {
			if (!has_serial(store, target, &config->issuers[i]))
				continue;
			if (name != NULL)
				return oc_error_set(error, OC_ERR_MISMATCH,
				    "the issuers %s and %s both have this "
				    "serial; add --issuer", name,
				    config->issuers[i].name);
			name = config->issuers[i].name;
		}
	if (err == OC_OK && name == NULL)
		err = not_found(target, error);
	if (err == OC_OK)
		err = cli_open_any_issuer(cli, name, issuer, error);
	return err;
}

enum oc_err
cli_target_record(struct cli *cli, const struct cli_target *target,
    const struct ca_issuer *issuer, struct store_certificate *record,
    struct oc_error *error)
{
	char text[OC_SERIAL_TEXT_MAX];
	struct store *store;
	enum oc_err err;

	err = cli_store(cli, STORE_CREATE, &store, error);
	if (err != OC_OK)
		return err;
	oc_serial_format(&target->serial, text);
	err = store_find_certificate(store, issuer->store_id, &target->serial,
	    record);
	if (err == OC_ERR_NOT_FOUND)
		return oc_error_set(error, err, "issuer %s never issued "
		    "serial %s; see \"ocsign cert list\"",
		    issuer->config->name, text);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	if (target->der != NULL && record->certificate != NULL &&
	    !der_bytes_equal(target->cert.der, (struct der_bytes){
	    record->certificate, record->certificate_len })) {
		store_certificate_fini(record);
		return oc_error_set(error, OC_ERR_MISMATCH, "issuer %s gave "
		    "serial %s to another certificate than this",
		    issuer->config->name, text);
	}
	return OC_OK;
}
