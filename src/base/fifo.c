/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fifo.h"

#include "base/err.h"

static void **
link_of(const struct oc_fifo *q, void *item)
{
	return (void **)(void *)((char *)item + q->next_at);
}

void
oc_fifo_init(struct oc_fifo *q, size_t next_at)
{
	*q = (struct oc_fifo){ .next_at = next_at };
}

void
oc_fifo_put(struct oc_fifo *q, void *item)
{
	*link_of(q, item) = NULL;
	if (q->last == NULL)
		q->first = item;
	else
		*link_of(q, q->last) = item;
	q->last = item;
	q->num++;
}

void *
oc_fifo_take(struct oc_fifo *q)
{
	void *item = q->first;

	if (item != NULL)
		oc_fifo_remove(q, item);
	return item;
}

void
oc_fifo_remove(struct oc_fifo *q, void *item)
{
	void *before = NULL, *at = q->first;

	for (; at != item; at = *link_of(q, at)) {
		oc_assert(at != NULL);
		before = at;
	}
	if (before == NULL)
		q->first = *link_of(q, item);
	else
		*link_of(q, before) = *link_of(q, item);
	if (q->last == item)
		q->last = before;
	*link_of(q, item) = NULL;
	q->num--;
}
