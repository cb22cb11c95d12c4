/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/names.h"

#include <stdlib.h>

#include "x509/name.h"

enum oc_err
cli_names_new(const struct cli *cli, struct cli_names **out,
    struct oc_error *error)
{
	struct cli_names *names = calloc(1, sizeof(*names));
	const char *text = cli_option(cli, "subject");
	enum oc_err err = OC_OK;

	if (names == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (text != NULL) {
		err = x509_name_parse(text, names->subject,
		    sizeof(names->subject), &names->subject_len, error);
		if (err != OC_OK) {
			oc_error_prefix(error, "--subject");
			err = OC_ERR_USAGE;
		}
	}
	while (err == OC_OK && (text = cli_option_at(cli, "san",
	    names->num_sans)) != NULL) {
		uint32_t n = names->num_sans;

		if (n == X509_SANS_MAX)
			err = oc_error_set(error, OC_ERR_LIMIT,
			    "more than %d --san", X509_SANS_MAX);
		else
			err = x509_san_parse(text, names->octets[n],
			    sizeof(names->octets[n]), &names->sans[n], error);
		names->num_sans++;
		if (err != OC_OK) {
			oc_error_prefix(error, "--san");
			err = OC_ERR_USAGE;
		}
	}
	if (err != OC_OK) {
		free(names);
		return err;
	}
	*out = names;
	return OC_OK;
}

enum oc_err
cli_encode(der_put_fn *put, const void *arg, uint8_t **out, size_t *len,
    struct oc_error *error)
{
	uint8_t *der = NULL;
	enum oc_err err;

	err = der_write(put, arg, NULL, 0, len);
	if (err == OC_OK && (der = malloc(*len)) == NULL)
		err = OC_ERR_NOMEM;
	if (err == OC_OK)
		err = der_write(put, arg, der, *len, len);
	if (err != OC_OK) {
		free(der);
		return oc_error_set(error, err, "cannot be encoded: %s",
		    oc_strerror(err));
	}
	*out = der;
	return OC_OK;
}
