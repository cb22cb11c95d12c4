/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand in [acme]. */
#include <stddef.h>
#include <string.h>

#include "base/config_table.h"

#define MINUTE INT64_C(60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* One that clients compare octet by octet: no user, query, fragment, nor an
 * empty segment; something behind its last slash. */
static enum oc_err
check_url(const char *directory, char **value, struct oc_error *error)
{
	const char *p = *value, *host = NULL, *path;
	size_t len;

	(void)directory;
	if (oc_config_starts_with(p, "https://"))
		host = p + strlen("https://");
	else if (oc_config_starts_with(p, "http://"))
		host = p + strlen("http://");
	len = host == NULL ? 0 : strcspn(host, "/");
	path = len == 0 ? "" : host + len;
	if (path[0] == '/' && path[strlen(path) - 1] != '/' &&
	    strstr(path, "//") == NULL && strlen(p) <= OC_ACME_URL_MAX &&
	    strspn(host, "-.:[]ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789") == len &&
	    strspn(path, "/-._~ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(path))
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is no URL of a "
	    "directory; write https://HOST/acme/directory", p);
}

static enum oc_err
check_page(const char *directory, char **value, struct oc_error *error)
{
	const char *p = *value;

	(void)directory;
	if ((oc_config_starts_with(p, "https://") ||
	    oc_config_starts_with(p, "http://")) && strlen(p) > 8 &&
	    strlen(p) <= OC_ACME_URL_MAX && strpbrk(p, " <>\"\\") == NULL)
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is no URL; "
	    "write https://HOST/PATH", p);
}

static const struct oc_config_word externals[] = {
	{ "required", OC_EXTERNAL_REQUIRED },
	{ "optional", OC_EXTERNAL_OPTIONAL },
	{ NULL, 0 }
};

#define AT(field) .offset = offsetof(struct oc_config_acme, field)
const struct oc_config_key oc_config_acme_keys[] = {
	{ "url", OC_KIND_STRING, AT(url), .check = check_url },
	{ "issuer", OC_KIND_STRING, AT(issuer) },
	{ "profiles", OC_KIND_LIST, AT(profiles), .preset = "server" },
	{ "external-account", OC_KIND_ENUM, AT(external_account),
	    .preset = "required", .words = externals },
	{ "account", OC_KIND_STRING, AT(account) },
	{ "terms-of-service", OC_KIND_STRING, AT(terms_of_service),
	    .check = check_page },
	{ "website", OC_KIND_STRING, AT(website), .check = check_page },
	{ "alternates", OC_KIND_ENUM, AT(alternates), .preset = "yes",
	    .words = oc_config_switches },
	{ "order-lifetime", OC_KIND_DURATION, AT(order_lifetime_s),
	    .preset = "7d", .min = MINUTE, .max = 30 * DAY },
	{ "accounts-max", OC_KIND_INT, AT(accounts_max), .preset = "100",
	    .min = 1, .max = 1000000 },
	{ "orders-max", OC_KIND_INT, AT(orders_max), .preset = "300",
	    .min = 1, .max = 10000000 },
	{ "orders-period", OC_KIND_DURATION, AT(orders_period_s),
	    .preset = "1h", .min = 1, .max = 7 * DAY },
	{ "zone-orders-max", OC_KIND_INT, AT(zone_orders_max),
	    .preset = "300", .min = 0, .max = 10000000 },
	{ "failures-max", OC_KIND_INT, AT(failures_max), .preset = "20",
	    .min = 1, .max = 100000 },
	{ "zone-failures-max", OC_KIND_INT, AT(zone_failures_max),
	    .preset = "200", .min = 1, .max = 1000000 },
	{ "renewal-retry", OC_KIND_DURATION, AT(renewal_retry_s),
	    .preset = "6h", .min = 1, .max = 7 * DAY },
	{ NULL }
};
#undef AT

static bool
has_profiles(const struct oc_config *config)
{
	const struct oc_words *words = &config->acme.profiles;

	for (size_t i = 0; i < words->num; i++) {
		bool is_there = oc_config_find_profile(config,
		    words->words[i]) != NULL;

		for (size_t n = 0; oc_config_builtin_profiles[n] != NULL; n++)
			is_there |= strcmp(oc_config_builtin_profiles[n],
			    words->words[i]) == 0;
		if (!is_there)
			return false;
	}
	return words->num > 0;
}

const char *
oc_config_wrong_acme(const struct oc_config *config, size_t *n,
    const char **at, const char **what)
{
	const struct oc_config_acme *a = &config->acme;
	bool is_optional = a->external_account == OC_EXTERNAL_OPTIONAL;
	const struct oc_config_wrong keys[] = {
		{ "url", a->url == NULL, "is missing; add it", NULL },
		{ "issuer", a->issuer == NULL, "is missing; add it", NULL },
		{ "issuer", a->issuer != NULL && oc_config_find_issuer(config,
		    a->issuer) == NULL, "there is no [issuer] of that name; "
		    "add that section", NULL },
		{ "profiles", !has_profiles(config), "one of them is no "
		    "profile; add a [profile] of that name", NULL },
		{ "account", is_optional && a->account == NULL, "is missing; "
		    "external-account = optional needs it", NULL },
		{ "account", !is_optional && a->account != NULL, "nobody is "
		    "without an account of his own; leave it out, or add "
		    "external-account = optional", NULL },
		{ "url", config->api.listen.num == 0, "is nowhere listened "
		    "for; add an [api] section with listen", NULL },
		{ "url", !config->has_validation, "no name could be proven; "
		    "add a [validation] section", NULL },
	};

	return oc_config_find_wrong(keys, sizeof(keys) / sizeof(keys[0]), n,
	    at, what);
}
