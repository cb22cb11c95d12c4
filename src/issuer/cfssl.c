/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CFSSL's HTTP API: its envelope, its codes, its habits.  What goes well is
 * application/json; what does not is text/plain with the same envelope and a
 * line end, and its HTTP status is 400, 404, 405 or 500.
 */
#include "issuer/cfssl.h"

#include <stdio.h>
#include <string.h>

static const struct issuer_endpoint endpoints[] = {
	{ "sign", NET_POST, "POST", issuer_cfssl_sign },
	{ "authsign", NET_POST, "POST", issuer_cfssl_authsign },
	{ "newkey", NET_POST, "POST", issuer_cfssl_newkey },
	{ "newcert", NET_POST, "POST", issuer_cfssl_newcert },
	{ "info", NET_POST, "POST", issuer_cfssl_info },
	{ "certinfo", NET_POST, "POST", issuer_cfssl_certinfo },
	{ "revoke", NET_POST, "POST", issuer_cfssl_revoke },
	{ "crl", NET_GET, "GET", issuer_cfssl_crl },
	{ "ocspsign", NET_POST, "POST", issuer_cfssl_ocspsign },
	{ "health", NET_GET, "GET", issuer_cfssl_health },
	{ NULL }
};

json_t *
issuer_cfssl_failure(int code, const char *message)
{
	return json_pack("{s:b, s:n, s:[{s:i, s:s}], s:[]}", "success", 0,
	    "result", "errors", "code", code, "message", message,
	    "messages");
}

/* The explanation stands beside CFSSL's members: its clients take "result" for
 * null or for what they wanted, and pass over what they do not know. */
void
issuer_cfssl_fail_explained(struct net_exchange *exchange, int status,
    int code, const char *message, const struct ca_explanation *x)
{
	json_t *json = issuer_cfssl_failure(code, message);

	issuer_door_explain(exchange, json, x);
	issuer_door_reply(exchange, status, "text/plain; charset=utf-8",
	    NULL, json);
}

void
issuer_cfssl_fail(struct net_exchange *exchange, int status, int code,
    const char *message)
{
	issuer_cfssl_fail_explained(exchange, status, code, message, NULL);
}

void
issuer_cfssl_refuse(struct net_exchange *exchange, int code,
    enum ca_rule rule, const char *message)
{
	const struct ca_explanation x = issuer_door_refusal(rule, message);

	issuer_cfssl_fail_explained(exchange, 400, code, message, &x);
}

void
issuer_cfssl_succeed_with(struct net_exchange *exchange, json_t *result,
    json_t *messages)
{
	issuer_door_reply(exchange, 200, "application/json", NULL,
	    json_pack("{s:b, s:o, s:[], s:o}", "success", 1, "result",
	    result, "errors", "messages", messages));
}

void
issuer_cfssl_succeed(struct net_exchange *exchange, json_t *result)
{
	issuer_cfssl_succeed_with(exchange, result, json_array());
}

static bool
is_served(const struct issuer_service *service, const char *name)
{
	const struct oc_config_api *api =
	    &issuer_service_config(service)->api;
	const struct oc_words *words = &api->endpoints;

	/* Without issuers CFSSL's door is for looking at things: nobody's CPU
	 * is anybody's. */
	if (api->issuers.num == 0 && strncmp(name, "new", 3) == 0)
		return false;
	for (size_t i = 0; i < words->num; i++)
		if (strcmp(words->words[i], name) == 0)
			return true;
	return false;
}

void
issuer_cfssl_handle(struct issuer_service *service,
    struct net_exchange *exchange, const char *name)
{
	static const char not_found[] = "404 page not found\n";
	const struct net_request *r = net_exchange_request(exchange);
	char message[64], allow[32];

	for (const struct issuer_endpoint *e = endpoints; e->name != NULL;
	    e++) {
		if (strcmp(e->name, name) != 0 || !is_served(service, name))
			continue;
		if (e->method == r->method ||
		    (e->method == NET_GET && r->method == NET_HEAD)) {
			e->handle(service, exchange);
			return;
		}
		snprintf(message, sizeof(message),
		    "Method is not allowed:\"%s\"", r->method_name);
		snprintf(allow, sizeof(allow), "Allow: %s\r\n",
		    e->method_name);
		issuer_door_reply(exchange, 405, "text/plain; charset=utf-8",
		    allow, issuer_cfssl_failure(405, message));
		return;
	}
	net_reply(exchange, 404, "text/plain; charset=utf-8", NULL,
	    not_found, strlen(not_found));
}

static void
tell_health(void *arg, bool is_healthy)
{
	issuer_cfssl_succeed(arg, json_pack("{s:b}", "healthy",
	    (int)is_healthy));
}

/* Whether a certificate could be had now. */
void
issuer_cfssl_health(struct issuer_service *service,
    struct net_exchange *exchange)
{
	issuer_service_ask_health(service, tell_health, exchange);
}
