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
#include "der/time.h"

#define BYTES_FIRST 256
/* Constants are copied by so many octets; as many may be read behind them. */
#define CHUNK 32

static struct der_step *
last_step(struct der_template *t)
{
	return t->num_steps == 0 ? NULL : &t->steps[t->num_steps - 1];
}

static enum oc_err
add_step(struct der_template *t, const struct der_step *step)
{
	if (t->num_steps == DER_STEPS_MAX)
		return OC_ERR_LIMIT;
	t->steps[t->num_steps++] = *step;
	return OC_OK;
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
	struct der_step *last = last_step(t);
	enum oc_err err;

	err = reserve(t, octets.len);
	if (err != OC_OK)
		return err;
	if (last == NULL || last->kind != DER_STEP_CONST) {
		err = add_step(t, &(struct der_step){ .kind = DER_STEP_CONST,
		    .offset = t->bytes_len });
		if (err != OC_OK)
			return err;
		last = last_step(t);
	}
	memcpy(t->bytes + t->bytes_len, octets.p, octets.len);
	t->bytes_len += (uint32_t)octets.len;
	last->len += (uint32_t)octets.len;
	t->nodes[t->open].const_len += (uint32_t)octets.len;
	return OC_OK;
}

enum oc_err
der_record_hole(struct der_template *t, unsigned int hole)
{
	const struct der_step *last = last_step(t);
	uint16_t bit = (uint16_t)(1u << hole);
	struct der_node *node = &t->nodes[t->open];

	oc_assert(hole < DER_HOLES_MAX);
	/* A node's holes are a set: the same twice would be counted once. */
	oc_assert((node->holes & bit) == 0);
	if (last != NULL && last->kind == DER_STEP_BEGIN &&
	    last->tag == DER_GENERALIZED_TIME)
		t->time_holes |= bit;
	node->holes |= bit;
	if (t->num_holes <= hole)
		t->num_holes = hole + 1;
	return add_step(t, &(struct der_step){ .kind = DER_STEP_HOLE,
	    .hole = (uint8_t)hole });
}

enum oc_err
der_record_begin(struct der_template *t, uint8_t tag)
{
	enum oc_err err;

	if (t->num_nodes == DER_TEMPLATE_NODES_MAX)
		return OC_ERR_LIMIT;
	err = add_step(t, &(struct der_step){ .kind = DER_STEP_BEGIN,
	    .tag = tag, .node = (uint8_t)t->num_nodes });
	if (err != OC_OK)
		return err;
	t->nodes[t->num_nodes] = (struct der_node){ .parent = t->open };
	t->open = (uint8_t)t->num_nodes++;
	return OC_OK;
}

/*
 * The innermost node has no hole: its BEGIN, and the constants behind it if
 * there are any, become constants of its parent.  It is the last node, and
 * its octets are the last ones.
 */
static enum oc_err
fold(struct der_template *t, struct der_step *begin)
{
	uint8_t header[DER_HEADER_MAX], parent = t->nodes[t->open].parent;
	uint32_t len = t->nodes[t->open].const_len, header_len;
	enum oc_err err;

	oc_assert(t->open == t->num_nodes - 1);
	header_len = (uint32_t)der_put_header(header, begin->tag, len);
	err = reserve(t, header_len);
	if (err != OC_OK)
		return err;
	memmove(t->bytes + t->bytes_len - len + header_len,
	    t->bytes + t->bytes_len - len, len);
	memcpy(t->bytes + t->bytes_len - len, header, header_len);

	t->num_nodes--;
	t->nodes[parent].const_len += header_len + len;
	t->num_steps = (uint32_t)(begin - t->steps);
	if (t->num_steps > 0 && begin[-1].kind == DER_STEP_CONST) {
		begin[-1].len += header_len + len;
	} else {
		*begin = (struct der_step){ .kind = DER_STEP_CONST,
		    .offset = t->bytes_len - len, .len = header_len + len };
		t->num_steps++;
	}
	t->bytes_len += header_len;
	return OC_OK;
}

enum oc_err
der_record_end(struct der_template *t)
{
	struct der_step *step = last_step(t);
	uint8_t node = t->open;
	enum oc_err err = OC_OK;

	if (step->kind == DER_STEP_CONST && step > t->steps)
		step--;
	if (step->kind == DER_STEP_BEGIN && step->node == node)
		err = fold(t, step);
	t->open = t->nodes[node].parent;
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
	uint32_t i, bits;

	for (i = 0; i < t->num_nodes; i++)
		sizes[i] = t->nodes[i].const_len;
	for (i = t->num_nodes; i-- > 0;) {
		for (bits = t->nodes[i].holes; bits != 0; bits &= bits - 1)
			sizes[i] += holes[__builtin_ctz(bits)].len;
		if (i > 0)
			sizes[t->nodes[i].parent] += sizes[i] +
			    der_header_len(sizes[i]);
	}
}

/* For a few dozen octets, mostly: a call takes as long as the copy. */
static inline void
copy_constant(uint8_t *to, const uint8_t *from, size_t len, size_t room)
{
	size_t i;

	if (len + CHUNK > room) {
		memcpy(to, from, len);
		return;
	}
	for (i = 0; i < len; i += CHUNK)
		memcpy(to + i, from + i, CHUNK);
}

/* Up to 16 octets as two that overlap. */
static inline void
copy_hole(uint8_t *to, const uint8_t *from, size_t len)
{
	uint64_t first, last;

	if (len > 16) {
		memcpy(to, from, len);
	} else if (len >= 8) {
		memcpy(&first, from, 8);
		memcpy(&last, from + len - 8, 8);
		memcpy(to, &first, 8);
		memcpy(to + len - 8, &last, 8);
	} else {
		for (size_t i = 0; i < len; i++)
			to[i] = from[i];
	}
}

enum oc_err
der_template_fill(const struct der_template *t, const struct der_bytes *holes,
    uint8_t *out, size_t out_max, size_t *len)
{
	size_t sizes[DER_TEMPLATE_NODES_MAX];
	const struct der_step *step, *end = t->steps + t->num_steps;
	uint8_t *p = out;
	uint32_t bits;

	for (bits = t->time_holes; bits != 0; bits &= bits - 1)
		oc_assert(holes[__builtin_ctz(bits)].len == DER_GENTIME_LEN);
	measure(t, holes, sizes);
	if (sizes[0] > out_max)
		return OC_ERR_NO_SPACE;
	if (sizes[0] > UINT32_MAX)
		return OC_ERR_LIMIT;
	for (step = t->steps; step < end; step++) {
		switch ((enum der_step_kind)step->kind) {
		case DER_STEP_CONST:
			copy_constant(p, t->bytes + step->offset, step->len,
			    (size_t)(out + out_max - p));
			p += step->len;
			break;
		case DER_STEP_HOLE:
			copy_hole(p, holes[step->hole].p,
			    holes[step->hole].len);
			p += holes[step->hole].len;
			break;
		case DER_STEP_BEGIN:
			p += der_put_header(p, step->tag, sizes[step->node]);
			break;
		}
	}
	*len = sizes[0];
	return OC_OK;
}
