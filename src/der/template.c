/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: recording what the writer writes, and filling.
 *
 * Node 0 is the whole; a node's children come after it, so that sizes are
 * summed up from the last to the first.  Where a node ends needs no step:
 * its size says so.
 */
#include "der/template.h"

#include <stdlib.h>

#include "der/header.h"
#include "der/record.h"

#define BYTES_FIRST 256
/* Constants are copied by so many octets; as many may be read behind them. */
#define CHUNK 32

/* The last step if it is of constants only, which may become one's that is
 * more; otherwise a new one.  NULL if there are too many. */
static struct der_step *
open_step(struct der_template *t)
{
	struct der_step *step;

	if (t->num_steps > 0 &&
	    t->steps[t->num_steps - 1].kind == DER_STEP_CONST)
		return &t->steps[t->num_steps - 1];
	if (t->num_steps == DER_STEPS_MAX)
		return NULL;
	step = &t->steps[t->num_steps++];
	*step = (struct der_step){ .kind = DER_STEP_CONST };
	return step;
}

/* Makes room for len more octets of constants. */
static enum oc_err
reserve(struct der_template *t, size_t len)
{
	size_t max = t->bytes_max == 0 ? BYTES_FIRST : t->bytes_max;
	uint8_t *bytes;

	if (len > UINT32_MAX / 2 - t->bytes_len)
		return OC_ERR_LIMIT;
	if (t->bytes_len + len + CHUNK <= t->bytes_max)
		return OC_OK;
	while (max < t->bytes_len + len + CHUNK)
		max *= 2;
	bytes = realloc(t->bytes, max);
	if (bytes == NULL)
		return OC_ERR_NOMEM;
	t->bytes = bytes;
	t->bytes_max = (uint32_t)max;
	return OC_OK;
}

enum oc_err
der_record_octets(struct der_template *t, struct der_bytes octets)
{
	struct der_step *step;
	enum oc_err err;

	err = reserve(t, octets.len);
	if (err != OC_OK)
		return err;
	if ((step = open_step(t)) == NULL)
		return OC_ERR_LIMIT;
	memcpy(t->bytes + t->bytes_len, octets.p, octets.len);
	t->bytes_len += (uint32_t)octets.len;
	step->len += (uint32_t)octets.len;
	t->nodes[t->open].const_len += (uint32_t)octets.len;
	return OC_OK;
}

/* A hole of a fixed length is as good as constants when lengths are known. */
static void
record_length(struct der_template *t, unsigned int hole, size_t len)
{
	uint16_t bit = (uint16_t)(1u << hole);
	struct der_node *node = &t->nodes[t->open];

	if (len == 0) {
		/* They are a set: the same twice would be counted once. */
		oc_assert((node->holes & bit) == 0);
		node->holes |= bit;
		return;
	}
	oc_assert(len <= DER_FIXED_HOLE_MAX && ((t->fixed_holes & bit) == 0 ||
	    t->fixed_lens[hole] == len));
	t->fixed_holes |= bit;
	t->fixed_lens[hole] = (uint8_t)len;
	node->const_len += (uint32_t)len;
}

enum oc_err
der_record_hole(struct der_template *t, unsigned int hole, size_t len)
{
	struct der_step *step;

	oc_assert(hole < DER_HOLES_MAX);
	if ((step = open_step(t)) == NULL)
		return OC_ERR_LIMIT;
	step->kind = DER_STEP_HOLE;
	step->hole = (uint8_t)hole;
	if (t->num_holes <= hole)
		t->num_holes = hole + 1;
	record_length(t, hole, len);
	return OC_OK;
}

enum oc_err
der_record_begin(struct der_template *t, uint8_t tag)
{
	struct der_step *step;

	if (t->num_nodes == DER_TEMPLATE_NODES_MAX ||
	    (step = open_step(t)) == NULL)
		return OC_ERR_LIMIT;
	step->kind = DER_STEP_BEGIN;
	step->tag = tag;
	step->node = (uint8_t)t->num_nodes;
	t->nodes[t->num_nodes] = (struct der_node){ .parent = t->open };
	t->open = (uint8_t)t->num_nodes++;
	return OC_OK;
}

/* The last node's BEGIN; how many constants have been recorded since. */
static struct der_step *
find_begin(struct der_template *t, uint32_t *len)
{
	struct der_step *step;

	oc_assert(t->num_steps > 0);
	step = &t->steps[t->num_steps - 1];
	for (*len = 0; step->kind != DER_STEP_BEGIN; step--) {
		oc_assert(step > t->steps);
		*len += step->len;
	}
	oc_assert(step->node == t->open);
	return step;
}

/*
 * The innermost node, which is the last, has a length that is known: its
 * header becomes constants of its parent, between those in front of it and
 * those of the step behind it, with which they make one.
 */
static enum oc_err
fold(struct der_template *t)
{
	struct der_node *node = &t->nodes[t->open];
	uint8_t header[DER_HEADER_MAX];
	uint32_t len, header_len;
	struct der_step *begin = find_begin(t, &len);
	enum oc_err err;

	header_len = (uint32_t)der_put_header(header, begin->tag,
	    node->const_len);
	err = reserve(t, header_len);
	if (err != OC_OK)
		return err;
	memmove(t->bytes + t->bytes_len - len + header_len,
	    t->bytes + t->bytes_len - len, len);
	memcpy(t->bytes + t->bytes_len - len, header, header_len);
	t->bytes_len += header_len;
	t->nodes[node->parent].const_len += header_len + node->const_len;
	t->num_nodes--;

	begin->kind = DER_STEP_CONST;
	begin->len += header_len;
	if (begin < &t->steps[t->num_steps - 1]) {
		begin[1].len += begin->len;
		t->num_steps--;
		memmove(begin, begin + 1, (size_t)(t->steps + t->num_steps -
		    begin) * sizeof(*begin));
	}
	return OC_OK;
}

enum oc_err
der_record_end(struct der_template *t)
{
	const struct der_node *node = &t->nodes[t->open];
	uint8_t parent = node->parent;
	enum oc_err err = OC_OK;

	if (node->holes == 0 && t->open == t->num_nodes - 1)
		err = fold(t);
	t->open = parent;
	return err;
}

enum oc_err
der_template_compile(struct der_template *t, der_put_fn *put, const void *arg)
{
	enum oc_err err;

	memset(t, 0, sizeof(*t));
	t->num_nodes = 1;
	err = der_record(t, put, arg);
	if (err != OC_OK)
		der_template_fini(t);
	return err;
}

void
der_template_fini(struct der_template *t)
{
	free(t->bytes);
	memset(t, 0, sizeof(*t));
}

/* The size of each node's contents, the last one first. */
static void
measure(const struct der_template *t, const struct der_bytes *holes,
    size_t sizes[DER_TEMPLATE_NODES_MAX])
{
	const struct der_node *node;
	uint32_t i, bits;
	size_t size;

	for (i = 0; i < t->num_nodes; i++)
		sizes[i] = t->nodes[i].const_len;
	for (i = t->num_nodes; i-- > 0;) {
		node = &t->nodes[i];
		size = sizes[i];
		for (bits = node->holes; bits != 0; bits &= bits - 1)
			size += holes[(uint32_t)__builtin_ctz(bits)].len;
		sizes[i] = size;
		if (i > 0)
			sizes[node->parent] += size + der_header_len(size);
	}
}

/* Is there room for a CHUNK behind the value?  Then constants are copied by
 * whole ones. */
enum room { ROOM_EXACT, ROOM_SPARE };

/* A few dozen octets, mostly: a call would take as long as the copy. */
static inline void
copy_constant(uint8_t *to, const uint8_t *from, size_t len, enum room room)
{
	if (room == ROOM_EXACT || len > 2 * CHUNK) {
		memcpy(to, from, len);
		return;
	}
	memcpy(to, from, CHUNK);
	if (len > CHUNK)
		memcpy(to + CHUNK, from + CHUNK, CHUNK);
}

/* As two halves that overlap: what is behind a hole is not ours to read. */
static inline void
copy_hole(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len > 64) {
		memcpy(to, from, len);
	} else if (len >= 32) {
		memcpy(to, from, 32);
		memcpy(to + len - 32, from + len - 32, 32);
	} else if (len >= 16) {
		memcpy(to, from, 16);
		memcpy(to + len - 16, from + len - 16, 16);
	} else if (len >= 8) {
		memcpy(to, from, 8);
		memcpy(to + len - 8, from + len - 8, 8);
	} else {
		for (size_t i = 0; i < len; i++)
			to[i] = from[i];
	}
}

/* Inlined twice, once for each kind of room. */
static inline __attribute__((always_inline)) void
run_steps(const struct der_template *t, const struct der_bytes *holes,
    const size_t *sizes, enum room room, uint8_t *out)
{
	const struct der_step *step, *end = t->steps + t->num_steps;
	const uint8_t *constant = t->bytes;
	size_t len;

	for (step = t->steps; step < end; step++) {
		len = step->len;
		if (len > 0) {
			copy_constant(out, constant, len, room);
			constant += len;
			out += len;
		}
		switch ((enum der_step_kind)step->kind) {
		case DER_STEP_CONST:
			break;
		case DER_STEP_HOLE:
			len = holes[step->hole].len;
			copy_hole(out, holes[step->hole].p, len);
			out += len;
			break;
		case DER_STEP_BEGIN:
			out += der_put_header(out, step->tag,
			    sizes[step->node]);
			break;
		}
	}
}

enum oc_err
der_template_fill(const struct der_template *t, const struct der_bytes *holes,
    uint8_t *out, size_t out_max, size_t *len)
{
	size_t sizes[DER_TEMPLATE_NODES_MAX];
	uint32_t bits;

	for (bits = t->fixed_holes; bits != 0; bits &= bits - 1)
		oc_assert(holes[__builtin_ctz(bits)].len ==
		    t->fixed_lens[__builtin_ctz(bits)]);
	measure(t, holes, sizes);
	if (sizes[0] > out_max)
		return OC_ERR_NO_SPACE;
	if (sizes[0] > UINT32_MAX)
		return OC_ERR_LIMIT;
	if (out_max - sizes[0] >= CHUNK)
		run_steps(t, holes, sizes, ROOM_SPARE, out);
	else
		run_steps(t, holes, sizes, ROOM_EXACT, out);
	*len = sizes[0];
	return OC_OK;
}
