/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand in [validation]. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_table.h"
#include "base/file.h"
#include "base/value.h"

#define MINUTE INT64_C(60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define ADDRESS_TEXT_MAX 63
/* RFC 5321, 4.5.3.1.3, without its brackets. */
#define MAILBOX_MAX 254

/* "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53". */
static enum oc_err
check_resolver(const char *directory, char **value, struct oc_error *error)
{
	const char *text = *value, *end = text + strlen(text), *port = NULL;
	char address[ADDRESS_TEXT_MAX + 1];
	struct in6_addr binary;
	bool is_v6 = text[0] == '[' ||
	    strchr(text, ':') != strrchr(text, ':');
	int64_t number;

	(void)directory;
	if (text[0] == '[' && (end = strchr(text, ']')) != NULL) {
		port = end[1] == ':' ? end + 2 : NULL;
		text++;
	} else if (!is_v6 && strchr(text, ':') != NULL) {
		end = strchr(text, ':');
		port = end + 1;
	}
	if (end != NULL && (size_t)(end - text) < sizeof(address) &&
	    (text == *value || port != NULL)) {
		memcpy(address, text, (size_t)(end - text));
		address[end - text] = '\0';
		if (inet_pton(is_v6 ? AF_INET6 : AF_INET, address,
		    &binary) == 1 && (port == NULL ||
		    oc_value_int(port, 1, 65535, &number, NULL) == OC_OK))
			return OC_OK;
	}
	return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is no address; "
	    "write 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53", *value);
}

static bool
is_host(const char *text, size_t len)
{
	return len > 0 && len <= 253 && text[0] != '-' &&
	    strspn(text, "-.:[]ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789") >= len;
}

static enum oc_err
check_mail_server(const char *directory, char **value,
    struct oc_error *error)
{
	const char *host = NULL;

	(void)directory;
	if (oc_config_starts_with(*value, "smtp://"))
		host = *value + strlen("smtp://");
	else if (oc_config_starts_with(*value, "smtps://"))
		host = *value + strlen("smtps://");
	if (host != NULL && is_host(host, strlen(host)))
		return OC_OK;
	/* What stands before an '@' is not repeated: errors are logged. */
	return oc_error_set(error, OC_ERR_CONFIG, "this is no mail server; "
	    "write smtp://HOST:PORT or smtps://HOST:PORT, and its user and "
	    "password as mail-user and mail-password-source");
}

/* One that an SMTP command and a header can have as it is. */
static enum oc_err
check_mailbox(const char *directory, char **value, struct oc_error *error)
{
	const char *at = strrchr(*value, '@');
	size_t local = at == NULL ? 0 : (size_t)(at - *value);

	(void)directory;
	if (local > 0 && strlen(*value) <= MAILBOX_MAX &&
	    strspn(*value, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&'*+-/=?^_`{|}~") ==
	    local && is_host(at + 1, strlen(at + 1)))
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is no mail "
	    "address; write ca@example.com", *value);
}

/* "com=" in front of something: what is behind it, or all of it. */
static const char *
behind_suffix(const char *text)
{
	const char *equals = strchr(text, '=');
	size_t len = equals == NULL ? 0 : (size_t)(equals - text);

	return len > 0 && text[0] != '.' && equals[-1] != '.' &&
	    strspn(text, "-.abcdefghijklmnopqrstuvwxyz0123456789") == len ?
	    equals + 1 : text;
}

/* Where there is one: a number, and not behind an address without brackets. */
static bool
has_good_port(const char *text)
{
	const char *colon = strchr(text, ':'), *end = strchr(text, ']');
	int64_t number;

	if (text[0] == '[')
		colon = end != NULL && end[1] != '\0' ? end + 1 : NULL;
	else if (colon != NULL && strchr(colon + 1, ':') != NULL)
		colon = NULL;
	return (text[0] != '[' || end != NULL) && (colon == NULL ||
	    (*colon == ':' && oc_value_int(colon + 1, 1, 65535, &number,
	    NULL) == OC_OK));
}

static enum oc_err
check_whois(const char *directory, char **value, struct oc_error *error)
{
	const char *host = behind_suffix(*value);

	(void)directory;
	if (is_host(host, strlen(host)) && has_good_port(host))
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is no server; "
	    "write HOST, HOST:PORT, com=HOST or iana", *value);
}

static enum oc_err
check_rdap(const char *directory, char **value, struct oc_error *error)
{
	const char *url = behind_suffix(*value);
	size_t len = strlen(url);
	enum oc_err err = OC_ERR_CONFIG;
	char *copy;

	(void)directory;
	if (len > 0 && url[len - 1] == '/') {
		copy = strdup(url);
		err = copy == NULL ? OC_ERR_NOMEM :
		    oc_config_check_fetched(directory, &copy, NULL);
		free(copy);
	}
	if (err == OC_OK)
		return OC_OK;
	return oc_error_set(error, err, "\"%.80s\" is no base URL of RDAP; "
	    "write https://HOST/PATH/ or com=https://HOST/PATH/", *value);
}

static enum oc_err
check_stub(const char *directory, char **value, struct oc_error *error)
{
	const char *server = behind_suffix(*value);
	char *copy = server == *value ? NULL : strdup(server);
	enum oc_err err = copy == NULL ? OC_ERR_CONFIG :
	    check_resolver(directory, &copy, NULL);

	free(copy);
	if (err == OC_OK)
		return OC_OK;
	return oc_error_set(error, err, "\"%.80s\" is no zone with its "
	    "server; write corp.example=192.0.2.1:53", *value);
}

/* Whether signatures count must not hang on whether a file is there. */
static enum oc_err
check_anchor(const char *directory, char **value, struct oc_error *error)
{
	char *path;

	if (strcmp(*value, "none") == 0)
		return OC_OK;
	if (oc_path_join(directory, *value, &path) != OC_OK)
		path = NULL;
	return oc_config_replace(value, path, error);
}

static enum oc_err
check_hook(const char *directory, char **value, struct oc_error *error)
{
	(void)directory;
	if ((*value)[0] == '/')
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "\"%.120s\" is not "
	    "absolute; write the whole path of the program", *value);
}

/* What goes into a message as it is. */
static enum oc_err
check_link(const char *directory, char **value, struct oc_error *error)
{
	const char *p = *value;
	size_t len = strlen(p);

	(void)directory;
	if ((oc_config_starts_with(p, "https://") ||
	    oc_config_starts_with(p, "http://")) && len > 8 && len <= 255 &&
	    p[len - 1] == '/' && strspn(p, "-._~:/[]ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789") == len)
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is no URL that "
	    "a page could be below; write https://HOST/", p);
}

#define AT(field) .offset = offsetof(struct oc_config_validation, field)
const struct oc_config_key oc_config_validation_keys[] = {
	{ "resolvers", OC_KIND_LIST, AT(resolvers), .check = check_resolver },
	{ "stub-zones", OC_KIND_LIST, AT(stub_zones), .check = check_stub },
	{ "insecure-zones", OC_KIND_LIST, AT(insecure_zones),
	    .check = oc_config_check_domain },
	{ "trust-anchor", OC_KIND_STRING, AT(trust_anchor),
	    .preset = "/usr/share/dns/root.key", .check = check_anchor },
	{ "http-port", OC_KIND_INT, AT(http_port), .preset = "80",
	    .min = 1, .max = 65535 },
	{ "https-port", OC_KIND_INT, AT(https_port), .preset = "443",
	    .min = 1, .max = 65535 },
	{ "allow-addresses", OC_KIND_LIST, AT(allow_addresses),
	    .check = oc_config_check_addresses },
	{ "timeout", OC_KIND_DURATION, AT(timeout_s), .preset = "10s",
	    .min = 1, .max = 2 * MINUTE },
	{ "caa-identities", OC_KIND_LIST, AT(caa_identities),
	    .check = oc_config_check_domain },
	{ "challenge-lifetime", OC_KIND_DURATION, AT(challenge_lifetime_s),
	    .preset = "7d", .min = MINUTE, .max = 30 * DAY },
	{ "proof-lifetime", OC_KIND_DURATION, AT(proof_lifetime_s),
	    .preset = "30d", .min = MINUTE, .max = 398 * DAY },
	{ "tries", OC_KIND_INT, AT(tries), .preset = "10",
	    .min = 1, .max = 1000 },
	{ "pending-max", OC_KIND_INT, AT(pending_max), .preset = "300",
	    .min = 1, .max = 100000 },
	{ "mail-server", OC_KIND_STRING, AT(mail_server),
	    .check = check_mail_server },
	{ "mail-from", OC_KIND_STRING, AT(mail_from),
	    .check = check_mailbox },
	{ "mail-user", OC_KIND_STRING, AT(mail_user) },
	{ "mail-password-source", OC_KIND_STRING, AT(mail_password_source),
	    .check = oc_config_check_secret_source },
	{ "mail-ca", OC_KIND_PATH, AT(mail_ca) },
	{ "mail-plain", OC_KIND_ENUM, AT(mail_plain), .preset = "no",
	    .words = oc_config_switches },
	{ "mail-link", OC_KIND_STRING, AT(mail_link), .check = check_link },
	{ "whois-servers", OC_KIND_LIST, AT(whois_servers),
	    .check = check_whois },
	{ "rdap-urls", OC_KIND_LIST, AT(rdap_urls), .check = check_rdap },
	{ "update-server", OC_KIND_STRING, AT(update_server),
	    .check = check_resolver },
	{ "update-key", OC_KIND_PATH, AT(update_key) },
	{ "update-zones", OC_KIND_LIST, AT(update_zones),
	    .check = oc_config_check_domain },
	{ "publish-hook", OC_KIND_STRING, AT(publish_hook),
	    .check = check_hook },
	{ NULL }
};
#undef AT

const char *
oc_config_wrong_validation(const struct oc_config_validation *v, size_t *n,
    const char **at, const char **what)
{
	bool has_update = v->update_server != NULL || v->update_key != NULL ||
	    v->update_zones.num > 0;
	bool has_mail = v->mail_server != NULL || v->mail_from != NULL;
	const char *of_update = "is missing; update-server, update-key and "
	    "update-zones go together";
	const char *of_mail = "is missing; mail-server and mail-from go "
	    "together";
	const char *of_user = "is missing; mail-user and "
	    "mail-password-source go together";
	const struct oc_config_wrong keys[] = {
		{ "update-server", has_update && v->update_server == NULL,
		    of_update, NULL },
		{ "update-key", has_update && v->update_key == NULL,
		    of_update, NULL },
		{ "update-zones", has_update && v->update_zones.num == 0,
		    of_update, NULL },
		{ "mail-server", has_mail && v->mail_server == NULL, of_mail,
		    NULL },
		{ "mail-from", has_mail && v->mail_from == NULL, of_mail,
		    NULL },
		{ "mail-user", v->mail_user == NULL &&
		    v->mail_password_source != NULL, of_user, NULL },
		{ "mail-password-source", v->mail_user != NULL &&
		    v->mail_password_source == NULL, of_user, NULL },
		{ "mail-user", v->mail_user != NULL && !has_mail,
		    "is given without mail-server; add that or remove this",
		    NULL },
		{ "mail-link", v->mail_link != NULL && !has_mail,
		    "is given without mail-server; add that or remove this",
		    NULL },
		{ "mail-plain", v->mail_plain == OC_SWITCH_YES &&
		    v->mail_user != NULL, "is given with a password, which "
		    "anybody on the way could read then; remove one of the "
		    "two", NULL },
		{ "caa-identities", v->caa_identities.num >
		    OC_CAA_IDENTITIES_MAX, "are more than 8; a CA has one or "
		    "two", NULL },
	};

	return oc_config_find_wrong(keys, sizeof(keys) / sizeof(keys[0]), n,
	    at, what);
}
