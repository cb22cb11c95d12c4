/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at what standard input names, all of it at once, and says of each
 * line, when it is over: its number, the fault, milliseconds, what was seen.
 *
 *	txt NAME PREFIX EXPECTED	file NAME PATH EXPECTED
 *	meta NAME EXPECTED		caa NAME METHOD ACCOUNT WILD
 *	wait SECONDS			then the next are begun
 *
 * "-" is nothing, the PREFIX "acme" RFC 8555's.  The longest turn of the loop
 * goes to standard error, with the largest resident size and the most threads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "validation/look.h"

#define LIST_MAX 48
#define LINES_MAX 4096
#define TURN_MS 10

struct list {
	const char *texts[LIST_MAX];
	size_t num;
};

struct job {
	int number;
	int64_t begun_ns;
};

static struct validation_eyes eyes;
static struct job jobs[LINES_MAX];
static int num_open, num_cancel, num_turns, most_threads;
static int64_t last_turn_ns, longest_ns;
static struct event_base *base;

static void
die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static const char *
fault_text(enum validation_fault fault)
{
	switch (fault) {
	case VALIDATION_NO_FAULT: return "ok";
	case VALIDATION_DNS_FAULT: return "dns";
	case VALIDATION_CONNECTION_FAULT: return "connection";
	case VALIDATION_TLS_FAULT: return "tls";
	case VALIDATION_INCORRECT: return "incorrect";
	case VALIDATION_CAA_FAULT: return "caa";
	case VALIDATION_REFUSED: return "refused";
	case VALIDATION_OURS: return "ours";
	}
	return "?";
}

static void
on_done(void *arg, const struct validation_reply *reply)
{
	const struct job *job = arg;

	printf("%d %s %lld %s\n", job->number, fault_text(reply->fault),
	    (long long)((oc_clock_mono_ns() - job->begun_ns) / OC_NS_PER_MS),
	    reply->seen);
	fflush(stdout);
	if (--num_open == 0)
		(void)event_base_loopexit(base, NULL);
}

static const char *
word(char **at)
{
	char *text = strsep(at, " \n");

	return text == NULL || strcmp(text, "-") == 0 ? NULL : text;
}

static void
start(char *line, int number, int64_t wait_s)
{
	struct validation_question q = { .name = NULL };
	struct validation_look *look;
	const char *task = word(&line);
	struct job *job = &jobs[number - 1];
	enum oc_err err;

	q.name = word(&line);
	if (strcmp(task, "txt") == 0) {
		q.task = VALIDATION_TXT;
		q.prefix = word(&line);
		if (q.prefix != NULL && strcmp(q.prefix, "acme") == 0)
			q.prefix = "_acme-challenge.";
	} else if (strcmp(task, "file") == 0) {
		q.task = VALIDATION_FILE;
		q.path = word(&line);
	} else if (strcmp(task, "meta") == 0) {
		q.task = VALIDATION_META;
	} else {
		q.task = VALIDATION_CAA;
		q.method = word(&line);
		q.account_uri = word(&line);
		q.is_wildcard = word(&line) != NULL;
	}
	q.expected = word(&line);
	*job = (struct job){ number, oc_clock_mono_ns() };
	err = validation_look_start(&eyes, &q, job->begun_ns +
	    wait_s * OC_NS_PER_S, on_done, job, &look);
	if (err != OC_OK) {
		printf("%d not-begun 0 %s\n", number, oc_strerror(err));
		return;
	}
	if (number <= num_cancel)
		validation_look_cancel(look);
	else
		num_open++;
}

static void
count_threads(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	int num;

	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		if (sscanf(line, "Threads: %d", &num) == 1 &&
		    num > most_threads)
			most_threads = num;
	if (status != NULL)
		fclose(status);
}

static void
on_turn(evutil_socket_t fd, short events, void *arg)
{
	int64_t now_ns = oc_clock_mono_ns();

	(void)fd, (void)events, (void)arg;
	if (last_turn_ns != 0 && now_ns - last_turn_ns > longest_ns)
		longest_ns = now_ns - last_turn_ns;
	last_turn_ns = now_ns;
	if (++num_turns % 20 == 1)
		count_threads();
}

static void
add(struct list *list, const char *text)
{
	if (list->num == LIST_MAX)
		die("too many of one option");
	list->texts[list->num++] = text;
}

static bool
wait_some(const char *line)
{
	struct timeval tv = { 0, 0 };

	if (strncmp(line, "wait ", 5) != 0)
		return false;
	tv.tv_sec = atoi(line + 5);
	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
	return true;
}

/* Reads all, starts all, waits for all. */
static void
look_at_all(int64_t wait_s)
{
	struct timeval turn = { 0, TURN_MS * 1000 };
	struct event *ticker = event_new(base, -1, EV_PERSIST, on_turn, NULL);
	char line[2048];
	int number = 0;

	event_add(ticker, &turn);
	while (number < LINES_MAX && fgets(line, sizeof(line), stdin) != NULL)
		if (!wait_some(line))
			start(line, ++number, wait_s);
	if (num_open > 0)
		event_base_dispatch(base);
	event_free(ticker);
}

static void
say_cost(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	fprintf(stderr, "longest turn %lld ms, resident %ld KiB, threads %d, "
	    "lookups %u\n", (long long)(longest_ns / OC_NS_PER_MS),
	    usage.ru_maxrss, most_threads,
	    (unsigned int)validation_resolver_num(eyes.resolver));
}

struct options {
	struct validation_resolver_options resolver;
	struct validation_pages_options pages;
	struct list stubs, allowed, identities, forwarders;
	int64_t wait_s;
};

static void
read_options(int argc, char **argv, struct options *o)
{
	static uint16_t port;
	int c;

	while ((c = getopt(argc, argv, "a:c:f:h:i:l:n:o:p:r:s:t:")) != -1)
		switch (c) {
		case 'a': o->resolver.trust_anchor_path = optarg; break;
		case 'c': num_cancel = atoi(optarg); break;
		case 'f': add(&o->forwarders, optarg); break;
		case 'h': o->pages.http_port = (uint16_t)atoi(optarg); break;
		case 'i': add(&o->identities, optarg); break;
		case 'l': o->pages.visits_max = (uint32_t)atoi(optarg); break;
		case 'n': o->resolver.lookups_max = (uint32_t)atoi(optarg);
			break;
		case 'o': port = (uint16_t)atoi(optarg);
			o->pages.ports = &port;
			o->pages.num_ports = 1;
			break;
		case 'p': o->pages.https_port = (uint16_t)atoi(optarg); break;
		case 'r': add(&o->allowed, optarg); break;
		case 's': add(&o->stubs, optarg); break;
		case 't': o->wait_s = atoi(optarg); break;
		default: die("what?");
		}
}

int
main(int argc, char **argv)
{
	static struct options o = { .wait_s = 20 };
	static struct oc_address_range allowed[LIST_MAX];
	static struct validation_stub stubs[LIST_MAX];
	struct oc_error error = { 0 };

	read_options(argc, argv, &o);
	base = event_base_new();
	for (size_t i = 0; i < o.allowed.num; i++)
		if (oc_address_range_parse(o.allowed.texts[i], &allowed[i],
		    &error) != OC_OK)
			die(error.text);
	for (size_t i = 0; i < o.stubs.num; i++) {
		char *zone = strdup(o.stubs.texts[i]);
		char *equals = strchr(zone, '=');

		*equals = '\0';
		stubs[i] = (struct validation_stub){ zone, equals + 1 };
	}
	o.resolver.base = o.pages.base = base;
	o.resolver.stubs = stubs;
	o.resolver.num_stubs = o.stubs.num;
	o.resolver.forwarders = o.forwarders.texts;
	o.resolver.num_forwarders = o.forwarders.num;
	o.resolver.allowed = o.pages.allowed = allowed;
	o.resolver.num_allowed = o.pages.num_allowed = o.allowed.num;
	if (validation_resolver_new(&o.resolver, &eyes.resolver, &error) !=
	    OC_OK)
		die(error.text);
	o.pages.resolver = eyes.resolver;
	if (validation_pages_new(&o.pages, &eyes.pages, &error) != OC_OK)
		die(error.text);
	eyes.identities = o.identities.texts;
	eyes.num_identities = o.identities.num;
	look_at_all(o.wait_s);
	say_cost();
	validation_pages_free(eyes.pages);
	validation_resolver_free(eyes.resolver);
	for (size_t i = 0; i < o.stubs.num; i++)
		free((void *)(uintptr_t)stubs[i].zone);
	event_base_free(base);
	return 0;
}
