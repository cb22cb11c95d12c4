/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First in, first out: items that are linked through a field of their own,
 * a void *, so that nothing is allocated and nothing fails.  It owns no item,
 * has no lock, and may be copied: the copy is the queue then.
 */
#ifndef BASE_FIFO_H
#define BASE_FIFO_H

#include <stddef.h>

struct oc_fifo {
	void *first, *last;
	size_t next_at;			/* where in an item its link is */
	unsigned int num;
};

/* next_at: offsetof(struct item, next). */
void oc_fifo_init(struct oc_fifo *q, size_t next_at);
/* An item is in one at a time. */
void oc_fifo_put(struct oc_fifo *q, void *item);
/* NULL if it is empty. */
void *oc_fifo_take(struct oc_fifo *q);
/* The item is in it.  Walks to it from the first. */
void oc_fifo_remove(struct oc_fifo *q, void *item);

#endif
