/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question of src/validation to a real server:
 *
 *	reach_client mail URL TO [KEY=VALUE...]
 *	reach_client publish|withdraw ZONE SERVER PORT KEY-FILE NAME VALUE
 *	reach_client contacts NAME whois=PORT rdap=URL
 *
 * Prints the fault, whether it is temporary, and what was seen; then the
 * contacts.  $REACH_DNS is the name server of reach.test, $REACH_MS how long
 * it may take.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "base/clock.h"
#include "validation/contacts.h"
#include "validation/curl_loop.h"
#include "validation/mail.h"
#include "validation/rdap.h"
#include "validation/resolver.h"
#include "validation/update.h"
#include "validation/whois.h"

struct client {
	struct event_base *base;
	struct validation_resolver *resolver;
	struct validation_curl *loop;
	int64_t begun_ns, deadline_ns;
};

static void
die(const char *what, enum oc_err err, const struct oc_error *error)
{
	if (err == OC_OK)
		return;
	fprintf(stderr, "%s: %s: %s\n", what, oc_strerror(err), error->text);
	exit(2);
}

static void
on_done(void *arg, const struct validation_reply *reply)
{
	static const char *const faults[] = { "no-fault", "dns", "connection",
	    "tls", "incorrect", "caa", "refused", "ours" };
	const struct client *c = arg;

	printf("%s %s %lld ms: %s\n", faults[reply->fault],
	    reply->is_temporary ? "for now" : "for good",
	    (long long)((oc_clock_mono_ns() - c->begun_ns) / OC_NS_PER_MS),
	    reply->seen);
	for (uint32_t i = 0; i < reply->num_contacts; i++)
		printf("%s%s\n", reply->contacts[i],
		    i < reply->num_found ? " (found)" : "");
	(void)event_base_loopbreak(c->base);
}

/* "KEY=VALUE" among the arguments; NULL. */
static const char *
value_of(char *const *argv, const char *key)
{
	size_t len = strlen(key);

	for (; *argv != NULL; argv++)
		if (strncmp(*argv, key, len) == 0 && (*argv)[len] == '=')
			return *argv + len + 1;
	return NULL;
}

static void
ask_mail(struct client *c, char **argv)
{
	const struct validation_mail_config config = { .url = argv[0],
	    .from = "ca@reach.test", .user = value_of(argv, "user"),
	    .password_source = value_of(argv, "password"),
	    .trust_file = value_of(argv, "trust"),
	    .may_be_plain = value_of(argv, "plain") != NULL };
	const struct validation_question question = {
		.task = VALIDATION_MAIL, .to = argv[1],
		.subject = "Geh\xc3\xb6rt das dir?",
		.body = ".Der Code ist 123456\n.\nGr\xc3\xbc\xc3\x9f" "e\n"
	};
	struct oc_error error = { 0 };
	struct validation_mail *mail;
	struct validation_mail_job *job;

	die("mail", validation_mail_new(c->base, c->resolver,
	    &config, &mail, &error), &error);
	die("send", validation_mail_send(mail, &question, c->deadline_ns,
	    on_done, c, &job), &error);
	(void)event_base_dispatch(c->base);
	validation_mail_free(mail);
}

static void
ask_update(struct client *c, enum validation_task task, char **argv)
{
	const struct validation_update_config config = { .zone = argv[0],
	    .host = argv[1], .port = (uint16_t)atoi(argv[2]),
	    .key_file = argv[3] };
	const struct validation_question question = { .task = task,
	    .prefix = "_acme-challenge.", .name = argv[4],
	    .expected = argv[5] };
	struct oc_error error = { 0 };
	struct validation_update *update;
	struct validation_update_job *job;

	die("update", validation_update_new(c->base, c->resolver, &config,
	    &update, &error), &error);
	die("ask", validation_update_ask(update, &question, c->deadline_ns,
	    on_done, c, &job), &error);
	(void)event_base_dispatch(c->base);
	validation_update_free(update);
}

static void
ask_contacts(struct client *c, char **argv)
{
	const char *port = value_of(argv, "whois");
	const struct validation_whois_server server = { "test",
	    "ns.reach.test", (uint16_t)(port == NULL ? 0 : atoi(port)) };
	const struct validation_rdap_server registry = { "test",
	    value_of(argv, "rdap") };
	const struct validation_question question = {
		.task = VALIDATION_CONTACTS, .name = argv[0]
	};
	struct oc_error error = { 0 };
	struct validation_whois *whois = NULL;
	struct validation_rdap *rdap = NULL;
	struct validation_contacts *contacts;
	struct validation_contacts_job *job;

	if (port != NULL)
		die("whois", validation_whois_new(c->base, c->resolver,
		    &(struct validation_whois_config){ &server, 1, NULL },
		    &whois, &error), &error);
	if (registry.url != NULL)
		die("rdap", validation_rdap_new(c->base, c->loop, c->resolver,
		    &(struct validation_rdap_config){ &registry, 1,
		    value_of(argv, "trust") }, &rdap, &error), &error);
	die("contacts", validation_contacts_new(c->base, whois, rdap,
	    &contacts), &error);
	die("ask", validation_contacts_ask(contacts, &question,
	    c->deadline_ns, on_done, c, &job), &error);
	(void)event_base_dispatch(c->base);
	validation_contacts_free(contacts);
	validation_rdap_free(rdap);
	validation_whois_free(whois);
}

int
main(int argc, char **argv)
{
	const char *dns = getenv("REACH_DNS"), *ms = getenv("REACH_MS");
	const struct validation_stub stub = { "reach.test", dns };
	struct validation_resolver_options options = { .stubs = &stub,
	    .num_stubs = 1 };
	struct oc_error error = { 0 };
	struct client c = { .begun_ns = oc_clock_mono_ns() };

	if (argc < 4 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return 2;
	c.base = options.base = event_base_new();
	if (c.base == NULL)
		return 2;
	c.deadline_ns = c.begun_ns + OC_NS_PER_MS *
	    (ms == NULL ? 30000 : atoi(ms));
	if (dns != NULL)
		die("resolver", validation_resolver_new(&options, &c.resolver,
		    &error), &error);
	die("libcurl", validation_curl_new(c.base, &c.loop), &error);
	if (strcmp(argv[1], "mail") == 0)
		ask_mail(&c, argv + 2);
	else if (strcmp(argv[1], "contacts") == 0)
		ask_contacts(&c, argv + 2);
	else if (argc == 8)
		ask_update(&c, strcmp(argv[1], "publish") == 0 ?
		    VALIDATION_PUBLISH : VALIDATION_WITHDRAW, argv + 2);
	validation_curl_free(c.loop);
	validation_resolver_free(c.resolver);
	event_base_free(c.base);
	return 0;
}
