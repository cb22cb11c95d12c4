/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/status_watch.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/value.h"
#include "cli/print.h"
#include "der/time.h"

#define INTERVAL_S 2
#define INTERVAL_MAX_S 86400

/* What the rates are of: requests that ended so, or what was made. */
enum figure {
	REQUESTS, HITS, MISSES, STALE, TRY_LATER, SIGNED, FAILED, FIGURE_MAX
};
static const char *const names[FIGURE_MAX] = {
	"requests", "hits", "misses", "stale", "try_later", "signed", "failed"
};

struct sample {
	int64_t at_ms;
	json_int_t values[FIGURE_MAX];
};

static json_int_t
integer(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* False if ocsign-status does not say: of what is not known, none is 0. */
static bool
take_sample(const json_t *facts, struct sample *sample)
{
	const json_t *status = json_object_get(facts, "status");
	const json_t *responders = json_object_get(status, "responders");
	const json_t *issuers = json_object_get(status, "issuers");
	size_t i;
	int figure;

	if (!json_is_object(responders))
		return false;
	*sample = (struct sample){ .at_ms = oc_clock_mono_ns() /
	    OC_NS_PER_MS };
	for (figure = 0; figure < SIGNED; figure++)
		sample->values[figure] = integer(responders, names[figure]);
	for (i = 0; i < json_array_size(issuers); i++)
		for (figure = SIGNED; figure < FIGURE_MAX; figure++)
			sample->values[figure] += integer(json_array_get(
			    issuers, i), names[figure]);
	return true;
}

/* The earliest of all issuers; "-" if there is none. */
static const char *
first_stale(const json_t *facts)
{
	const json_t *issuers = json_object_get(json_object_get(facts,
	    "status"), "issuers");
	const char *first = NULL;
	size_t i;

	for (i = 0; i < json_array_size(issuers); i++) {
		const char *at = json_string_value(json_object_get(
		    json_object_get(json_array_get(issuers, i), "horizon"),
		    "first_stale_at"));

		/* They sort as they stand. */
		if (at != NULL && (first == NULL || strcmp(at, first) < 0))
			first = at;
	}
	return first == NULL ? "-" : first;
}

/* Rates since the sample before; a service that was started anew meanwhile
 * counts from nothing. */
static void
print_line(const json_t *facts, const char *now, const struct sample *before,
    const struct sample *sample)
{
	double seconds = (double)(sample->at_ms - before->at_ms) / 1000;
	int figure;

	printf("%s", now);
	for (figure = 0; figure < FIGURE_MAX; figure++) {
		json_int_t num = sample->values[figure];

		if (num >= before->values[figure])
			num -= before->values[figure];
		printf(" %s/s %.1f", names[figure],
		    seconds > 0 ? (double)num / seconds : 0.0);
	}
	printf(" first_stale %s\n", first_stale(facts));
}

static void
print_json_line(json_t *facts, const char *now)
{
	cli_put_text(facts, "at", now);
	(void)json_dumpf(facts, stdout, JSON_COMPACT | JSON_SORT_KEYS);
	(void)putchar('\n');
}

static void
wait_until(int64_t at_ms)
{
	int64_t left_ms;

	while ((left_ms = at_ms - oc_clock_mono_ns() / OC_NS_PER_MS) > 0)
		(void)poll(NULL, 0, (int)left_ms);
}

struct watch {
	struct cli *cli;
	cli_look_fn *look;
	cli_show_fn *show;
	bool has_terminal, has_before;
	struct sample before;
};

static void
print_facts(struct watch *w, json_t *facts, const char *now)
{
	struct sample sample;
	const char *trouble;

	if (w->cli->format == CLI_FORMAT_JSON) {
		print_json_line(facts, now);
		return;
	}
	if (w->has_terminal) {
		printf("\033[H\033[2J%s\n\n", now);
		w->show(w->cli, facts);
		return;
	}
	if (!take_sample(facts, &sample)) {
		trouble = json_string_value(json_object_get(json_object_get(
		    facts, "status"), "error"));
		printf("%s status: %s\n", now, trouble != NULL ? trouble :
		    "it does not run");
		return;
	}
	/* Of the first interval nothing is known yet. */
	if (w->has_before)
		print_line(facts, now, &w->before, &sample);
	w->before = sample;
	w->has_before = true;
}

static void
print_trouble(struct watch *w, const char *now, const char *text)
{
	json_t *facts;

	if (w->cli->format == CLI_FORMAT_JSON) {
		facts = cli_object();
		cli_put_text(facts, "error", text);
		print_json_line(facts, now);
		json_decref(facts);
		return;
	}
	printf("%s%s %s\n", w->has_terminal ? "\033[H\033[2J" : "", now, text);
}

static enum oc_err
look_once(struct watch *w, bool is_first, struct oc_error *error)
{
	struct oc_error trouble = { 0 };
	char now[DER_ISO8601_MAX];
	json_t *facts = NULL;
	enum oc_err err = w->look(w->cli, &facts, &trouble);

	der_format_iso8601(oc_clock_now_s(), now);
	if (err != OC_OK && is_first) {
		*error = trouble;
		return err;
	}
	if (err == OC_OK)
		print_facts(w, facts, now);
	else
		print_trouble(w, now, trouble.text);
	json_decref(facts);
	return cli_flush(error);
}

enum oc_err
cli_status_watch(struct cli *cli, const char *interval, cli_look_fn *look,
    cli_show_fn *show, struct oc_error *error)
{
	struct watch w = { .cli = cli, .look = look, .show = show,
	    .has_terminal = isatty(STDOUT_FILENO) };
	int64_t seconds = INTERVAL_S, next_ms, now_ms;
	enum oc_err err;
	bool is_first;

	if (interval[0] != '\0' && oc_value_int(interval, 1, INTERVAL_MAX_S,
	    &seconds, NULL) != OC_OK)
		return oc_error_set(error, OC_ERR_USAGE, "--watch %.20s: "
		    "write a number of seconds, 1 to %d", interval,
		    INTERVAL_MAX_S);
	next_ms = oc_clock_mono_ns() / OC_NS_PER_MS;
	for (is_first = true; ; is_first = false) {
		err = look_once(&w, is_first, error);
		if (err != OC_OK)
			return err;
		/* Who was slow, or stopped, has missed some: they are not
		 * made up for. */
		now_ms = oc_clock_mono_ns() / OC_NS_PER_MS;
		next_ms += seconds * 1000;
		if (next_ms < now_ms)
			next_ms = now_ms;
		wait_until(next_ms);
	}
}
