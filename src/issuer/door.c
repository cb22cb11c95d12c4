/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/door.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/explain_json.h"
#include "issuer/acme.h"
#include "net/json.h"

static const char text_type[] = "text/plain; charset=utf-8";

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* [acme] url may have any path, and the others' go before. */
static bool
is_acme_path(struct issuer_service *service, const char *path)
{
	const struct issuer_acme *acme = issuer_service_acme(service);

	return acme != NULL && issuer_acme_is_path(acme, path) &&
	    !starts_with(path, ISSUER_CFSSL_PREFIX) &&
	    !starts_with(path, ISSUER_CONFIRM_PREFIX) &&
	    !issuer_origin_is_path(path);
}

void
issuer_door_handle(void *arg, struct net_exchange *exchange)
{
	static const char not_found[] = "404 page not found\n";
	const char *path = net_exchange_request(exchange)->path;

	if (starts_with(path, ISSUER_CFSSL_PREFIX))
		issuer_cfssl_handle(arg, exchange,
		    path + strlen(ISSUER_CFSSL_PREFIX));
	else if (issuer_origin_is_path(path))
		issuer_origin_handle(arg, exchange);
	else if (starts_with(path, ISSUER_CONFIRM_PREFIX))
		issuer_confirm_handle(arg, exchange,
		    path + strlen(ISSUER_CONFIRM_PREFIX));
	else if (issuer_origin_root(arg, exchange))
		return;
	else if (is_acme_path(arg, path))
		issuer_acme_handle(issuer_service_acme(arg), exchange);
	else
		net_reply(exchange, 404, text_type, NULL, not_found,
		    strlen(not_found));
}

static char *
dump(json_t *json)
{
	char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
	char *line = NULL;

	if (text != NULL && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
	return line;
}

void
issuer_door_refuse(void *arg, const char *path, int status, char **body,
    const char **type)
{
	const char *text = net_status_text(status);
	json_t *json;

	if (is_acme_path(arg, path)) {
		json = issuer_acme_failure(status, text);
		*type = "application/problem+json";
	} else if (issuer_origin_is_path(path)) {
		json = issuer_origin_failure(status, text);
		*type = "application/json";
	} else {
		json = issuer_cfssl_failure(status, text);
		*type = text_type;
	}
	*body = dump(json);
	json_decref(json);
}

bool
issuer_door_explains(const struct net_exchange *exchange)
{
	char value[8];

	return net_request_query(net_exchange_request(exchange), "explain",
	    value, sizeof(value)) && strcmp(value, "1") == 0;
}

void
issuer_door_explain(const struct net_exchange *exchange, json_t *object,
    const struct ca_explanation *x)
{
	if (x != NULL && issuer_door_explains(exchange))
		(void)json_object_set_new(object, "explanation",
		    ca_explanation_json(x));
}

struct ca_explanation
issuer_door_refusal(enum ca_rule rule, const char *text)
{
	struct ca_explanation x = { .rule = rule };

	snprintf(x.refusal, sizeof(x.refusal), "%s", text);
	return x;
}

void
issuer_door_reply(struct net_exchange *exchange, int status,
    const char *type, const char *fields, json_t *json)
{
	static const char failed[] = "out of memory\n";
	json_t *result = json_object_get(json, "result");
	char *text = dump(json);

	if (text != NULL)
		net_reply(exchange, status, type, fields, text,
		    strlen(text));
	else
		net_reply(exchange, 500, text_type, NULL, failed,
		    strlen(failed));
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
	net_json_cleanse(json_object_get(result, "private_key"));
	json_decref(json);
}
