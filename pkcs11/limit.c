/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/limit.h"

#include "base/clock.h"

/* What comes sooner after a cut was asked for before it. */
#define SPACE_NS (50 * OC_NS_PER_MS)
/* Before one more is tried for. */
#define HOLD_MIN_NS (100 * OC_NS_PER_MS)
#define HOLD_MAX_NS (2 * OC_NS_PER_S)
/* A session that was refused: other programs give theirs back rarely. */
#define HOLD_FULL_NS (2 * OC_NS_PER_S)
#define CHOKED_AFTER 8

void
p11_limit_init(struct p11_limit *l, unsigned int max)
{
	*l = (struct p11_limit){ .now = max, .max = max,
	    .hold_ns = HOLD_MIN_NS };
}

bool
p11_limit_good(struct p11_limit *l, int64_t now_ns)
{
	l->num_good++;
	l->num_in_row = 0;
	if (l->now == l->max || l->num_good - l->good_at_step < l->now ||
	    now_ns - l->step_ns < l->hold_ns)
		return false;
	l->now++;
	l->good_at_step = l->num_good;
	l->step_ns = now_ns;
	return true;
}

/* To at most this.  A step up just before it was a mistake. */
static void
cut(struct p11_limit *l, unsigned int to, int64_t now_ns)
{
	bool was_mistake = l->cut_ns != 0 && l->step_ns > l->cut_ns &&
	    now_ns - l->step_ns < 2 * l->hold_ns + SPACE_NS;

	l->hold_ns = was_mistake ? 2 * l->hold_ns : HOLD_MIN_NS;
	if (l->hold_ns > HOLD_MAX_NS)
		l->hold_ns = HOLD_MAX_NS;
	l->now = l->found = to;
	l->good_at_step = l->num_good;
	l->cut_ns = l->step_ns = now_ns;
}

bool
p11_limit_busy(struct p11_limit *l, int64_t now_ns)
{
	bool is_again = l->busy_ns != 0 &&
	    l->num_good - l->good_at_busy < 2 * (uint64_t)l->now;

	l->busy_ns = now_ns;
	l->good_at_busy = l->num_good;
	l->num_in_row++;
	if (l->now == 1)
		return l->num_in_row >= CHOKED_AFTER;
	/* One in a while is that one's own. */
	if (!is_again || (l->cut_ns != 0 && now_ns - l->cut_ns < SPACE_NS))
		return false;
	cut(l, l->now - (l->now + 3) / 4, now_ns);
	if (l->now == 1)
		l->num_in_row = 0;
	return false;
}

void
p11_limit_full(struct p11_limit *l, unsigned int num_open, int64_t now_ns)
{
	if (num_open >= l->now)
		return;
	cut(l, num_open, now_ns);
	l->hold_ns = HOLD_FULL_NS;
}
