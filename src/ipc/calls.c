/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/calls.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
queue_append(struct ipc_call_queue *q, struct ipc_call *call)
{
	call->prev = q->last;
	call->next = NULL;
	if (q->last != NULL)
		q->last->next = call;
	else
		q->first = call;
	q->last = call;
}

static void
queue_remove(struct ipc_call_queue *q, struct ipc_call *call)
{
	if (call->prev != NULL)
		call->prev->next = call->next;
	else
		q->first = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
	else
		q->last = call->prev;
}

static struct ipc_call_queue *
queue_of(struct ipc_calls *calls, const struct ipc_call *call)
{
	return call->is_sent ? &calls->sent : &calls->waiting;
}

static void
heap_set(struct ipc_calls *calls, size_t at, struct ipc_call *call)
{
	calls->heap[at] = call;
	call->heap_at = at;
}

static void
heap_up(struct ipc_calls *calls, size_t at)
{
	struct ipc_call *call = calls->heap[at];

	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (calls->heap[parent]->deadline_ns <= call->deadline_ns)
			break;
		heap_set(calls, at, calls->heap[parent]);
		at = parent;
	}
	heap_set(calls, at, call);
}

static void
heap_down(struct ipc_calls *calls, size_t at)
{
	struct ipc_call *call = calls->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= calls->num)
			break;
		if (child + 1 < calls->num &&
		    calls->heap[child + 1]->deadline_ns <
		    calls->heap[child]->deadline_ns)
			child++;
		if (call->deadline_ns <= calls->heap[child]->deadline_ns)
			break;
		heap_set(calls, at, calls->heap[child]);
		at = child;
	}
	heap_set(calls, at, call);
}

static bool
heap_grow(struct ipc_calls *calls)
{
	size_t max = calls->heap_max == 0 ? 64 : 2 * calls->heap_max;
	struct ipc_call **heap;

	if (calls->num < calls->heap_max)
		return true;
	heap = reallocarray(calls->heap, max, sizeof(*heap));
	if (heap == NULL)
		return false;
	calls->heap = heap;
	calls->heap_max = max;
	return true;
}

static void
heap_remove(struct ipc_calls *calls, const struct ipc_call *call)
{
	size_t at = call->heap_at;
	struct ipc_call *last = calls->heap[--calls->num];

	if (last == call)
		return;
	heap_set(calls, at, last);
	heap_up(calls, at);
	heap_down(calls, last->heap_at);
}

static struct ipc_call **
bucket_of(struct ipc_calls *calls, uint64_t id)
{
	return &calls->buckets[id % IPC_CALL_BUCKETS];
}

static void
bucket_remove(struct ipc_calls *calls, const struct ipc_call *call)
{
	struct ipc_call **at = bucket_of(calls, call->id);

	while (*at != call)
		at = &(*at)->bucket_next;
	*at = call->bucket_next;
}

static void
call_free(struct ipc_calls *calls, struct ipc_call *call)
{
	queue_remove(queue_of(calls, call), call);
	calls->num_bytes -= call->len;
	if (call->fd >= 0)
		close(call->fd);
	free(call);
}

void
ipc_calls_fini(struct ipc_calls *calls)
{
	while (calls->sent.first != NULL)
		call_free(calls, calls->sent.first);
	while (calls->waiting.first != NULL)
		call_free(calls, calls->waiting.first);
	free(calls->heap);
	memset(calls, 0, sizeof(*calls));
}

static struct ipc_call *
call_new(uint64_t id, const uint8_t *frame, size_t len)
{
	struct ipc_call *call = calloc(1, sizeof(*call) + len);

	if (call == NULL)
		return NULL;
	call->id = id;
	call->fd = -1;
	call->type = (uint16_t)(frame[4] << 8 | frame[5]);
	call->len = len;
	memcpy(call->frame, frame, len);
	return call;
}

enum oc_err
ipc_calls_add(struct ipc_calls *calls, uint64_t id, const uint8_t *frame,
    size_t len, int fd, int64_t deadline_ns, ipc_reply_fn *reply, void *arg)
{
	struct ipc_call *call;

	if (calls->num >= IPC_CALLS_MAX ||
	    calls->num_bytes + len > IPC_CALLS_BYTES_MAX)
		return OC_ERR_BUSY;
	if (!heap_grow(calls))
		return OC_ERR_NOMEM;
	call = call_new(id, frame, len);
	if (call == NULL)
		return OC_ERR_NOMEM;
	call->fd = fd;
	call->deadline_ns = deadline_ns;
	call->reply = reply;
	call->arg = arg;
	calls->num_bytes += len;
	queue_append(&calls->waiting, call);
	if (reply == NULL)
		return OC_OK;
	call->bucket_next = *bucket_of(calls, id);
	*bucket_of(calls, id) = call;
	heap_set(calls, calls->num++, call);
	heap_up(calls, call->heap_at);
	return OC_OK;
}

struct ipc_call *
ipc_calls_find(const struct ipc_calls *calls, uint64_t id)
{
	struct ipc_call *call = calls->buckets[id % IPC_CALL_BUCKETS];

	while (call != NULL && call->id != id)
		call = call->bucket_next;
	return call;
}

struct ipc_call *
ipc_calls_next_due(const struct ipc_calls *calls)
{
	return calls->num == 0 ? NULL : calls->heap[0];
}

void
ipc_calls_sent(struct ipc_calls *calls, struct ipc_call *call)
{
	if (call->reply == NULL) {
		call_free(calls, call);
		return;
	}
	queue_remove(&calls->waiting, call);
	call->is_sent = true;
	queue_append(&calls->sent, call);
}

void
ipc_calls_drop(struct ipc_calls *calls, struct ipc_call *call)
{
	bucket_remove(calls, call);
	heap_remove(calls, call);
	call->reply = NULL;
	if (call->is_sent || call->num_sent == 0)
		call_free(calls, call);
}

static void
orphans_free(struct ipc_calls *calls)
{
	struct ipc_call *next;

	for (struct ipc_call *c = calls->waiting.first; c != NULL; c = next) {
		next = c->next;
		if (c->reply == NULL)
			call_free(calls, c);
	}
}

void
ipc_calls_rewind(struct ipc_calls *calls)
{
	struct ipc_call *call;

	orphans_free(calls);
	if (calls->waiting.first != NULL)
		calls->waiting.first->num_sent = 0;
	/* The sent ones are older than all that wait: they go in front. */
	while ((call = calls->sent.last) != NULL) {
		queue_remove(&calls->sent, call);
		call->is_sent = false;
		call->num_sent = 0;
		call->prev = NULL;
		call->next = calls->waiting.first;
		if (call->next != NULL)
			call->next->prev = call;
		else
			calls->waiting.last = call;
		calls->waiting.first = call;
	}
}
