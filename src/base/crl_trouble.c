/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "since N\n" "failures N\n" "next N\n" "why TEXT\n", in this order and
 * nothing else: another role wrote it.
 */
#include "base/crl_trouble.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/value.h"

#define FILE_MAX 512
#define TIME_MAX INT64_C(253402300799)	/* 9999-12-31 */

char *
oc_crl_trouble_path(const struct oc_config *config,
    const struct oc_config_issuer *issuer)
{
	char *path;

	return asprintf(&path, "%s/%s.crl-trouble",
	    config->daemon.issuer_directory, issuer->name) < 0 ? NULL : path;
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

void
oc_crl_trouble_say(struct oc_crl_trouble *trouble, const char *why)
{
	size_t len = 0;

	for (; *why != '\0' && len < sizeof(trouble->why) - 1; why++)
		if (!is_control(*why))
			trouble->why[len++] = *why;
	while (!oc_utf8_is_valid(trouble->why, len))
		len--;
	trouble->why[len] = '\0';
}

/* --- reading ----------------------------------------------------------- */

/* Sets *p behind the line; value is borrowed and ended. */
static bool
read_line(const char *name, char **p, char **value)
{
	size_t len = strlen(name);
	char *stop = strchr(*p, '\n');

	if (stop == NULL || strncmp(*p, name, len) != 0)
		return false;
	*stop = '\0';
	*value = *p + len;
	*p = stop + 1;
	return *value <= stop;
}

static bool
read_number(const char *name, char **p, int64_t *number)
{
	char *value;

	return read_line(name, p, &value) &&
	    oc_value_int(value, 0, TIME_MAX, number, NULL) == OC_OK;
}

static bool
read_why(char **p, char why[OC_CRL_WHY_MAX])
{
	char *value;
	size_t len;

	if (!read_line("why ", p, &value))
		return false;
	len = strlen(value);
	for (size_t i = 0; i < len; i++)
		if (is_control(value[i]))
			return false;
	if (len >= OC_CRL_WHY_MAX || !oc_utf8_is_valid(value, len))
		return false;
	memcpy(why, value, len + 1);
	return true;
}

enum oc_err
oc_crl_trouble_read(const char *path, struct oc_crl_trouble *out,
    struct oc_error *error)
{
	struct oc_crl_trouble trouble = { .since = 0 };
	char text[FILE_MAX + 1], *p = text;
	uint8_t *bytes;
	size_t len;
	enum oc_err err;

	err = oc_file_read_regular(path, FILE_MAX, &bytes, &len, NULL, error);
	if (err != OC_OK)
		return err;
	memcpy(text, bytes, len);
	text[len] = '\0';
	free(bytes);
	if (!read_number("since ", &p, &trouble.since) ||
	    !read_number("failures ", &p, &trouble.num_failures) ||
	    !read_number("next ", &p, &trouble.next_at) ||
	    !read_why(&p, trouble.why) || p != text + len)
		return oc_error_set(error, OC_ERR_MALFORMED, "%s is not as "
		    "ocsign-issuer writes it", path);
	*out = trouble;
	return OC_OK;
}

/* --- writing ----------------------------------------------------------- */

enum oc_err
oc_crl_trouble_write(const char *path, const struct oc_crl_trouble *trouble,
    struct oc_error *error)
{
	char text[FILE_MAX];
	int len;

	len = snprintf(text, sizeof(text), "since %" PRId64 "\nfailures %"
	    PRId64 "\nnext %" PRId64 "\nwhy %s\n", trouble->since,
	    trouble->num_failures, trouble->next_at, trouble->why);
	oc_assert(len > 0 && (size_t)len < sizeof(text));
	return oc_file_write(path, 0640, text, (size_t)len, error);
}
