/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ca/hostname.h"
#include "ca/policy.h"
#include "x509/name.h"

/* A host name in any script is a DNS name, as its A-labels. */
static enum oc_err
parse_san(const char *text, uint8_t *octets, size_t max,
    struct x509_san *san, struct oc_error *error)
{
	char host[CA_HOST_MAX], prefixed[CA_HOST_MAX + 4];
	const char *p = text;
	enum oc_err err;

	while (*p != '\0' && (uint8_t)*p < 0x80)
		p++;
	if (*p == '\0' || strchr(text, '@') != NULL)
		return x509_san_parse(text, octets, max, san, error);
	if (strncasecmp(text, "DNS:", 4) == 0)
		text += 4;
	err = ca_host_to_ascii(text, strlen(text), host, error);
	if (err != OC_OK)
		return err;
	(void)snprintf(prefixed, sizeof(prefixed), "DNS:%s", host);
	return x509_san_parse(prefixed, octets, max, san, error);
}

static enum oc_err
take_san(const char *text, struct cli_names *names, uint32_t n,
    struct ca_explanation *x, struct oc_error *error)
{
	size_t skipped = strncasecmp(text, "DNS:", 4) == 0 ? 4 : 0;
	struct oc_error why = { 0 };
	enum oc_err err;

	err = parse_san(text, names->octets[n], sizeof(names->octets[n]),
	    &names->sans[n], &why);
	if (err == OC_OK)
		return OC_OK;
	return oc_error_set(error, ca_refuse_with(x, ca_names_rule(text +
	    skipped, strlen(text + skipped)), err, &why), "%s", why.text);
}

enum oc_err
cli_names_new(const struct cli *cli, struct ca_explanation *x,
    struct cli_names **out, struct oc_error *error)
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
			err = ca_refuse(x, CA_RULE_NAMES_MAX, OC_ERR_LIMIT,
			    error, "more than %d --san", X509_SANS_MAX);
		else
			err = take_san(text, names, n, x, error);
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
