/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several tokens gets the next ticket.  Numbers only. */
#include "pkcs11/route.h"

/* Slower than the fastest by more than this, and it gets less. */
#define SLOW_FACTOR 2
/* However slow it was: how slow it is, shows only who works. */
#define SLOW_MAX 16

/* Those that count: standbys only where nobody else is usable. */
static bool
is_in(const struct p11_candidate *c, bool is_for_standbys)
{
	return c->is_usable && c->is_standby == is_for_standbys;
}

static bool
is_free(const struct p11_candidate *c)
{
	return c->load < c->num_sessions;
}

static int64_t
share_of(const struct p11_candidate *c, int64_t best_ns)
{
	int64_t share = (int64_t)c->weight * c->health, ratio;

	if (best_ns > 0 && c->mean_ns > SLOW_FACTOR * best_ns) {
		ratio = c->mean_ns / best_ns;
		share = share / (ratio < SLOW_MAX ? ratio : SLOW_MAX) *
		    SLOW_FACTOR;
	}
	return share < 1 ? 1 : share;
}

/* How long the next would wait, beside others. */
static double
wait_of(const struct p11_candidate *c, int64_t best_ns)
{
	double mean_ns = (double)(c->mean_ns > 0 ? c->mean_ns :
	    best_ns > 0 ? best_ns : 1);

	return (double)(c->load + 1) * mean_ns / c->num_sessions *
	    P11_HEALTH_MAX / c->health;
}

static int64_t
best_mean(const struct p11_candidate *candidates, size_t num,
    bool is_for_standbys)
{
	int64_t best_ns = 0;

	for (size_t i = 0; i < num; i++)
		if (is_in(&candidates[i], is_for_standbys) &&
		    candidates[i].mean_ns > 0 &&
		    (best_ns == 0 || candidates[i].mean_ns < best_ns))
			best_ns = candidates[i].mean_ns;
	return best_ns;
}

static size_t
least_wait(const struct p11_candidate *candidates, size_t num,
    bool is_for_standbys, int64_t best_ns)
{
	size_t best = num;

	for (size_t i = 0; i < num; i++)
		if (is_in(&candidates[i], is_for_standbys) && (best == num ||
		    wait_of(&candidates[i], best_ns) <
		    wait_of(&candidates[best], best_ns)))
			best = i;
	return best;
}

/* Each gets its share in credit, and who has most pays for all. */
static size_t
take_turns(const struct p11_candidate *candidates, size_t num,
    bool is_for_standbys, int64_t best_ns, int64_t *credits)
{
	int64_t total = 0;
	size_t best = num;

	for (size_t i = 0; i < num; i++) {
		const struct p11_candidate *c = &candidates[i];

		if (!is_in(c, is_for_standbys)) {
			credits[i] = 0;
			continue;
		}
		if (!is_free(c))
			continue;
		credits[i] += share_of(c, best_ns);
		total += share_of(c, best_ns);
		if (best == num || credits[i] > credits[best])
			best = i;
	}
	if (best < num)
		credits[best] -= total;
	return best;
}

size_t
p11_route_choose(const struct p11_candidate *candidates, size_t num,
    int64_t *credits)
{
	bool is_for_standbys = true;
	int64_t best_ns;
	size_t chosen;

	for (size_t i = 0; i < num; i++)
		if (is_in(&candidates[i], false))
			is_for_standbys = false;
	best_ns = best_mean(candidates, num, is_for_standbys);
	chosen = take_turns(candidates, num, is_for_standbys, best_ns,
	    credits);
	if (chosen == num)
		chosen = least_wait(candidates, num, is_for_standbys,
		    best_ns);
	return chosen;
}
