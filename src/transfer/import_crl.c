/* SPDX-License-Identifier: Apache-2.0 */
/* From a CRL: certificates of which nothing is known but that they are
 * revoked.  Ours that follow have numbers above its own. */
#include <stdlib.h>

#include "transfer/import_impl.h"
#include "x509/crl.h"
#include "x509/file.h"

static enum oc_err
take_entry(struct transfer_run *run, const struct x509_crl_entry *entry,
    struct oc_error *error)
{
	struct store_import row = {
		.serial = entry->serial,
		.state = STORE_ISSUED,
		.not_after = STORE_NO_END,
		.profile = "", .subject = "", .names = "", .record = "",
		.is_revoked = true,
		.reason = entry->reason,
		.revoked_at = entry->revoked_at,
		.invalidity_at = entry->invalidity_at
	};
	char serial[OC_SERIAL_TEXT_MAX];
	enum oc_err err;

	/* RFC 5280, 5.3.1: only a delta CRL should say so; it is good. */
	if (entry->reason == CRL_REASON_REMOVE_FROM_CRL)
		return OC_OK;
	err = transfer_take(run, &row, error);
	if (err == OC_OK)
		return OC_OK;
	oc_serial_format(&entry->serial, serial);
	return oc_error_prefix(error, "certificate %s", serial);
}

static enum oc_err
take_entries(struct transfer_run *run, const struct x509_crl *crl,
    struct oc_error *error)
{
	struct der_bytes rest = crl->entries;
	enum oc_err err = OC_OK;

	while (err == OC_OK && rest.len > 0) {
		struct x509_crl_entry entry;

		err = x509_crl_next_entry(&rest, &entry);
		if (err != OC_OK)
			return oc_error_set(error, err,
			    "an entry is malformed");
		err = take_entry(run, &entry, error);
	}
	return err;
}

static enum oc_err
pass_number(struct transfer_run *run, const struct x509_crl *crl,
    struct oc_error *error)
{
	uint64_t number = 0;
	enum oc_err err;

	if (crl->number.len > sizeof(number) + 1)
		return oc_error_set(error, OC_ERR_LIMIT, "its number has %zu "
		    "octets; ours have 8, and none would be above it",
		    crl->number.len);
	for (size_t i = 0; i < crl->number.len; i++)
		number = number << 8 | crl->number.p[i];
	err = store_pass_crl_number(run->import->store, number,
	    &run->is_moved);
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s",
	    store_error(run->import->store));
}

static enum oc_err
read_crl(struct transfer_run *run, struct der_bytes der,
    struct oc_error *error)
{
	struct x509_crl crl;
	const char *part;
	enum oc_err err = x509_crl_read(der, &crl, error);

	if (err == OC_OK)
		err = x509_crl_verify(&crl, run->import->issuer, error);
	if (err != OC_OK)
		return err;
	part = x509_crl_partial(&crl);
	if (part != NULL)
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "it is one "
		    "part of a list (%s): take in the whole", part);
	err = transfer_digest(run, der.p, der.len, error);
	if (err == OC_OK)
		err = take_entries(run, &crl, error);
	if (err == OC_OK)
		err = pass_number(run, &crl, error);
	return err;
}

enum oc_err
transfer_read_crl(struct transfer_run *run, struct oc_error *error)
{
	uint8_t *der = NULL;
	size_t len;
	enum oc_err err = x509_file_read(run->import->path, X509_FILE_CRL,
	    &der, &len, error);

	if (err == OC_OK)
		err = read_crl(run, (struct der_bytes){ der, len }, error);
	free(der);
	return err;
}
