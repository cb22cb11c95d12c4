/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/address.h"
#include "validation/contacts.h"
#include "validation/curl_loop.h"
#include "validation/hook.h"
#include "validation/look.h"
#include "validation/mail.h"
#include "validation/rdap.h"
#include "validation/update.h"
#include "validation/whois.h"

#define IANA_WHOIS "whois.iana.org"

struct validation_tools {
	const struct oc_config_validation *config;
	struct event_base *base;
	struct oc_address_range *allowed;
	size_t num_allowed;
	struct validation_curl *curl;
	struct validation_resolver *resolver;
	struct validation_resolver *caa;	/* its own: lookups at dead
						 * servers are bounded, too */
	struct validation_pages *pages;
	struct validation_eyes eyes, caa_eyes;
	struct validation_whois *whois;
	struct validation_rdap *rdap;
	struct validation_contacts *contacts;
	struct validation_mail *mail;		/* NULL: none, as are */
	struct validation_update **updates;	/* these two */
	size_t num_updates;
	struct validation_hook *hook;
};

/* One that is under way, and who does it. */
struct validation_looking {
	struct validation_tools *tools;
	validation_done_fn *done;
	void *arg;
	enum {
		BY_EYES, BY_CONTACTS, BY_MAIL, BY_UPDATE, BY_HOOK
	} by;
	union {
		struct validation_look *look;
		struct validation_contacts_job *contacts;
		struct validation_mail_job *mail;
		struct validation_update_job *update;
		struct validation_hook_job *hook;
	} job;
};

/* --- "com=HOST:PORT" and its like -------------------------------------- */

/* A copy of a word, cut in two at its '='; suffix "" where it has none. */
struct word {
	char *text;
	const char *suffix;
	char *rest;
};

static enum oc_err
word_of(const char *text, struct word *word, struct oc_error *error)
{
	char *equals;

	word->text = strdup(text);
	if (word->text == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	equals = strchr(word->text, '=');
	word->suffix = equals == NULL ? "" : word->text;
	word->rest = equals == NULL ? word->text : equals + 1;
	if (equals != NULL)
		*equals = '\0';
	return OC_OK;
}

static void
words_free(struct word *words, size_t num)
{
	for (size_t i = 0; words != NULL && i < num; i++)
		free(words[i].text);
	free(words);
}

static enum oc_err
words_of(const struct oc_words *list, struct word **words,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;

	*words = calloc(list->num + 1, sizeof(**words));
	if (*words == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (size_t i = 0; err == OC_OK && i < list->num; i++)
		err = word_of(list->words[i], &(*words)[i], error);
	return err;
}

/* "HOST", "HOST:PORT", "192.0.2.1", "[2001:db8::1]:53", in place. */
static uint16_t
cut_port(char *text, const char **host)
{
	char *colon = strrchr(text, ':'), *end = strchr(text, ']');
	uint16_t port = 0;

	if (text[0] == '[' && end != NULL) {
		if (end[1] == ':')
			port = (uint16_t)strtoul(end + 2, NULL, 10);
		*end = '\0';
		*host = text + 1;
		return port;
	}
	*host = text;
	if (colon != NULL && strchr(text, ':') == colon) {
		port = (uint16_t)strtoul(colon + 1, NULL, 10);
		*colon = '\0';
	}
	return port;
}

/* --- what each is made with -------------------------------------------- */

static enum oc_err
read_allowed(struct validation_tools *t, struct oc_error *error)
{
	const struct oc_words *list = &t->config->allow_addresses;
	enum oc_err err = OC_OK;

	t->allowed = calloc(list->num + 1, sizeof(*t->allowed));
	if (t->allowed == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (size_t i = 0; err == OC_OK && i < list->num; i++)
		err = oc_address_range_parse(list->words[i],
		    &t->allowed[t->num_allowed++], error);
	return err;
}

static enum oc_err
make_resolver(const struct validation_tools *t,
    struct validation_resolver **resolver, struct oc_error *error)
{
	const struct oc_config_validation *v = t->config;
	struct validation_stub *stubs = calloc(v->stub_zones.num + 1,
	    sizeof(*stubs));
	struct word *words = NULL;
	const char *anchor = strcmp(v->trust_anchor, "none") == 0 ? NULL :
	    v->trust_anchor;
	struct validation_resolver_options options = {
		.base = t->base,
		.trust_anchor_path = anchor,
		.insecure_zones =
		    (const char *const *)v->insecure_zones.words,
		.num_insecure_zones = v->insecure_zones.num,
		.forwarders = (const char *const *)v->resolvers.words,
		.num_forwarders = v->resolvers.num,
		.stubs = stubs,
		.num_stubs = v->stub_zones.num,
		.allowed = t->allowed,
		.num_allowed = t->num_allowed,
	};
	enum oc_err err = OC_ERR_NOMEM;

	/* It is read with the first question: too late to say so. */
	if (anchor != NULL && access(anchor, R_OK) != 0) {
		free(stubs);
		return oc_error_set_errno(error, OC_ERR_CONFIG, "[validation] "
		    "trust-anchor: %s (install dns-root-data, name another, "
		    "or \"none\")", anchor);
	}
	if (stubs != NULL)
		err = words_of(&v->stub_zones, &words, error);
	for (size_t i = 0; err == OC_OK && i < v->stub_zones.num; i++)
		stubs[i] = (struct validation_stub){ words[i].suffix,
		    words[i].rest };
	if (err == OC_OK)
		err = validation_resolver_new(&options, resolver, error);
	words_free(words, v->stub_zones.num);
	free(stubs);
	return err;
}

static enum oc_err
make_pages(struct validation_tools *t, struct oc_error *error)
{
	const struct oc_config_validation *v = t->config;
	const struct validation_pages_options options = {
		.base = t->base,
		.resolver = t->resolver,
		.allowed = t->allowed,
		.num_allowed = t->num_allowed,
		.http_port = (uint16_t)v->http_port,
		.https_port = (uint16_t)v->https_port,
	};
	enum oc_err err = validation_pages_new(&options, &t->pages, error);

	t->eyes = (struct validation_eyes){ t->resolver, t->pages, NULL, 0 };
	t->caa_eyes = (struct validation_eyes){ t->caa, t->pages,
	    (const char *const *)v->caa_identities.words,
	    v->caa_identities.num };
	return err;
}

/* The word "iana" is no server, but where servers are looked for. */
static enum oc_err
make_whois(struct validation_tools *t, struct oc_error *error)
{
	static const struct validation_whois_server iana = { "", IANA_WHOIS,
	    0 };
	const struct oc_words *list = &t->config->whois_servers;
	struct validation_whois_config config = { .num_servers = 0 };
	struct validation_whois_server *servers;
	struct word *words = NULL;
	enum oc_err err = OC_ERR_NOMEM;

	if (list->num == 0)
		return OC_OK;
	servers = calloc(list->num, sizeof(*servers));
	if (servers != NULL)
		err = words_of(list, &words, error);
	for (size_t i = 0; err == OC_OK && i < list->num; i++) {
		struct validation_whois_server *s =
		    &servers[config.num_servers];

		if (strcmp(list->words[i], "iana") == 0) {
			config.iana = &iana;
			continue;
		}
		s->suffix = words[i].suffix;
		s->port = cut_port(words[i].rest, &s->host);
		config.num_servers++;
	}
	config.servers = servers;
	if (err == OC_OK)
		err = validation_whois_new(t->base, t->resolver, &config,
		    &t->whois, error);
	words_free(words, list->num);
	free(servers);
	return err;
}

static enum oc_err
make_rdap(struct validation_tools *t, struct oc_error *error)
{
	const struct oc_words *list = &t->config->rdap_urls;
	struct validation_rdap_server *servers;
	struct word *words = NULL;
	enum oc_err err = OC_ERR_NOMEM;

	if (list->num == 0)
		return OC_OK;
	servers = calloc(list->num, sizeof(*servers));
	if (servers != NULL)
		err = words_of(list, &words, error);
	for (size_t i = 0; err == OC_OK && i < list->num; i++)
		servers[i] = (struct validation_rdap_server){
		    words[i].suffix, words[i].rest };
	if (err == OC_OK)
		err = validation_rdap_new(t->base, t->curl, t->resolver,
		    &(struct validation_rdap_config){ .servers = servers,
		    .num_servers = list->num }, &t->rdap, error);
	words_free(words, list->num);
	free(servers);
	return err;
}

static enum oc_err
make_mail(struct validation_tools *t, struct oc_error *error)
{
	const struct oc_config_validation *v = t->config;
	const struct validation_mail_config config = {
		.url = v->mail_server,
		.from = v->mail_from,
		.user = v->mail_user,
		.password_source = v->mail_password_source,
		.trust_file = v->mail_ca,
		.may_be_plain = v->mail_plain == OC_SWITCH_YES,
	};

	return v->mail_server == NULL ? OC_OK : validation_mail_new(t->base,
	    t->resolver, &config, &t->mail, error);
}

static enum oc_err
make_updates(struct validation_tools *t, struct oc_error *error)
{
	const struct oc_config_validation *v = t->config;
	struct validation_update_config config = {
		.key_file = v->update_key };
	struct word server = { NULL };
	enum oc_err err = OC_OK;

	if (v->update_server == NULL)
		return OC_OK;
	t->updates = calloc(v->update_zones.num, sizeof(*t->updates));
	if (t->updates == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = word_of(v->update_server, &server, error);
	if (err == OC_OK)
		config.port = cut_port(server.text, &config.host);
	for (size_t i = 0; err == OC_OK && i < v->update_zones.num; i++) {
		config.zone = v->update_zones.words[i];
		err = validation_update_new(t->base, t->resolver, &config,
		    &t->updates[i], error);
		t->num_updates += err == OC_OK;
	}
	free(server.text);
	return err;
}

enum oc_err
validation_tools_new(const struct oc_config_validation *config,
    struct event_base *base, struct validation_tools **tools,
    struct oc_error *error)
{
	struct validation_tools *t = calloc(1, sizeof(*t));
	enum oc_err err = OC_OK;

	if (t == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	t->config = config;
	t->base = base;
	/* Before there is anything that its runner could take along. */
	if (config->publish_hook != NULL)
		err = validation_hook_new(base, config->publish_hook,
		    &t->hook, error);
	if (err == OC_OK && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		err = oc_error_set(error, OC_ERR_INTERNAL, "libcurl does not "
		    "start");
	if (err == OC_OK)
		err = validation_curl_new(base, &t->curl);
	if (err == OC_OK)
		err = read_allowed(t, error);
	if (err == OC_OK)
		err = make_resolver(t, &t->resolver, error);
	if (err == OC_OK && config->caa_identities.num > 0)
		err = make_resolver(t, &t->caa, error);
	if (err == OC_OK)
		err = make_pages(t, error);
	if (err == OC_OK)
		err = make_whois(t, error);
	if (err == OC_OK)
		err = make_rdap(t, error);
	if (err == OC_OK)
		err = validation_contacts_new(base, t->whois, t->rdap,
		    &t->contacts);
	if (err == OC_OK)
		err = make_mail(t, error);
	if (err == OC_OK)
		err = make_updates(t, error);
	if (err != OC_OK) {
		if (error->text[0] == '\0')
			(void)oc_error_set(error, err, "%s",
			    oc_strerror(err));
		validation_tools_free(t);
		return err;
	}
	*tools = t;
	return OC_OK;
}

void
validation_tools_free(struct validation_tools *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->num_updates; i++)
		validation_update_free(t->updates[i]);
	free(t->updates);
	validation_mail_free(t->mail);
	validation_contacts_free(t->contacts);
	validation_rdap_free(t->rdap);
	validation_whois_free(t->whois);
	validation_pages_free(t->pages);
	validation_resolver_free(t->caa);
	validation_resolver_free(t->resolver);
	validation_curl_free(t->curl);
	validation_hook_free(t->hook);
	free(t->allowed);
	free(t);
}

/* --- each task to the one that does it --------------------------------- */

static void
done(void *arg, const struct validation_reply *reply)
{
	struct validation_looking *l = arg;
	validation_done_fn *fn = l->done;
	void *fn_arg = l->arg;

	free(l);
	fn(fn_arg, reply);
}

/* The one for the nearest zone above the name; NULL. */
static struct validation_update *
find_update(const struct validation_tools *t, const char *name)
{
	struct validation_update *best = NULL;
	size_t best_len = 0, len;

	for (size_t i = 0; i < t->num_updates; i++) {
		len = validation_update_covers(t->updates[i], name);
		if (len > best_len) {
			best = t->updates[i];
			best_len = len;
		}
	}
	return best;
}

static enum oc_err
act(struct validation_looking *l, const struct validation_question *q,
    int64_t deadline_ns)
{
	struct validation_update *update = find_update(l->tools, q->name);

	if (update != NULL) {
		l->by = BY_UPDATE;
		return validation_update_ask(update, q, deadline_ns, done, l,
		    &l->job.update);
	}
	if (l->tools->hook == NULL)
		return OC_ERR_UNSUPPORTED;
	l->by = BY_HOOK;
	return validation_hook_ask(l->tools->hook, q, deadline_ns, done, l,
	    &l->job.hook);
}

static enum oc_err
begin(struct validation_looking *l, const struct validation_question *q,
    int64_t deadline_ns)
{
	struct validation_tools *t = l->tools;

	switch (q->task) {
	case VALIDATION_CAA:
		if (t->caa == NULL)
			return OC_ERR_UNSUPPORTED;
		l->by = BY_EYES;
		return validation_look_start(&t->caa_eyes, q, deadline_ns,
		    done, l, &l->job.look);
	case VALIDATION_TXT:
	case VALIDATION_FILE:
	case VALIDATION_META:
		l->by = BY_EYES;
		return validation_look_start(&t->eyes, q, deadline_ns, done, l,
		    &l->job.look);
	case VALIDATION_CONTACTS:
		l->by = BY_CONTACTS;
		return validation_contacts_ask(t->contacts, q, deadline_ns,
		    done, l, &l->job.contacts);
	case VALIDATION_MAIL:
		if (t->mail == NULL)
			return OC_ERR_UNSUPPORTED;
		l->by = BY_MAIL;
		return validation_mail_send(t->mail, q, deadline_ns, done, l,
		    &l->job.mail);
	case VALIDATION_PUBLISH:
	case VALIDATION_WITHDRAW:
		return act(l, q, deadline_ns);
	}
	return OC_ERR_UNSUPPORTED;
}

static enum oc_err
start(void *arg, const struct validation_question *question,
    int64_t deadline_ns, validation_done_fn *fn, void *fn_arg,
    struct validation_looking **looking)
{
	struct validation_looking *l = calloc(1, sizeof(*l));
	enum oc_err err;

	if (l == NULL)
		return OC_ERR_NOMEM;
	l->tools = arg;
	l->done = fn;
	l->arg = fn_arg;
	err = begin(l, question, deadline_ns);
	if (err != OC_OK) {
		free(l);
		return err;
	}
	*looking = l;
	return OC_OK;
}

static void
cancel(void *arg, struct validation_looking *l)
{
	(void)arg;
	switch (l->by) {
	case BY_EYES:
		validation_look_cancel(l->job.look);
		break;
	case BY_CONTACTS:
		validation_contacts_cancel(l->job.contacts);
		break;
	case BY_MAIL:
		validation_mail_cancel(l->job.mail);
		break;
	case BY_UPDATE:
		validation_update_cancel(l->job.update);
		break;
	case BY_HOOK:
		validation_hook_cancel(l->job.hook);
		break;
	}
	free(l);
}

struct validation_looker
validation_tools_looker(struct validation_tools *tools)
{
	return (struct validation_looker){ start, cancel, tools };
}
