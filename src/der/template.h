/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frozen DER value with holes, for the hot path.  Compiled from the same
 * function that writes the value (der/writer.h), so that there is one
 * description of the bytes; filling computes the lengths bottom-up from the
 * holes' lengths, then copies.  No offset is kept by hand.
 *
 * Read-only after compiling: any number of threads may fill it.
 */
#ifndef DER_TEMPLATE_H
#define DER_TEMPLATE_H

#include "der/writer.h"

#define DER_STEPS_MAX 96
#define DER_TEMPLATE_NODES_MAX 32

/* After a step's constants comes nothing, a hole or a node's header. */
enum der_step_kind { DER_STEP_CONST, DER_STEP_HOLE, DER_STEP_BEGIN };

struct der_step {
	uint8_t kind;		/* enum der_step_kind */
	uint8_t tag;		/* BEGIN */
	uint8_t hole;		/* HOLE: which */
	uint8_t node;		/* BEGIN: which */
	uint32_t len;		/* of the constants: the next in bytes */
};

/* What one node's contents amount to.  Node 0 is the whole. */
struct der_node {
	uint32_t const_len;	/* constants, and holes of fixed lengths,
				 * directly in it */
	uint16_t holes;		/* bit i: hole i, of any length, is */
	uint8_t parent;		/* own index if it has none */
};

struct der_template {
	uint8_t *bytes;		/* the constants, end to end; owned */
	uint32_t bytes_len, bytes_max;
	struct der_step steps[DER_STEPS_MAX];
	uint32_t num_steps;
	struct der_node nodes[DER_TEMPLATE_NODES_MAX];
	uint32_t num_nodes;
	uint32_t num_holes;	/* highest hole used + 1 */
	uint16_t fixed_holes;	/* bit i: hole i has a fixed length */
	uint8_t fixed_lens[DER_HOLES_MAX];
	uint8_t open;		/* while recording: the innermost node */
};

/*
 * Zero state is legal for fini, and what a failure leaves.  LIMIT if it has
 * too many steps, nodes or octets, NOMEM, or what put failed with.  The same
 * hole may be used again, but not next to itself within one value, unless its
 * length is fixed.
 */
enum oc_err der_template_compile(struct der_template *t, der_put_fn *put,
    const void *arg) OC_MUST_CHECK;
void der_template_fini(struct der_template *t);

/*
 * holes[i] is what fills hole i; num_holes in the template.  A hole of a fixed
 * length is filled with so many octets, which is asserted; a time hole with
 * the 15 of the GeneralizedTime (der_format_gentime).  NO_SPACE if out_max is
 * too small; LIMIT over 2^32 - 1 octets.  What out holds behind the value, up
 * to out_max, is undefined then.
 */
enum oc_err der_template_fill(const struct der_template *t,
    const struct der_bytes *holes, uint8_t *out, size_t out_max, size_t *len)
    OC_MUST_CHECK;

#endif
