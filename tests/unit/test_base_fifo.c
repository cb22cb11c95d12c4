/* SPDX-License-Identifier: Apache-2.0 */
#include "base_test.h"

#include "base/fifo.h"

#define NUM 5

struct item {
	int number;
	void *next;
};

struct fixture {
	struct item items[NUM];
	struct oc_fifo q;
};

/* All NUM, in order. */
static void
fill(struct fixture *f)
{
	oc_fifo_init(&f->q, offsetof(struct item, next));
	for (int i = 0; i < NUM; i++) {
		f->items[i].number = i;
		oc_fifo_put(&f->q, &f->items[i]);
	}
	assert_int_equal(f->q.num, NUM);
}

/* The queue gives these, as digits, and nothing else. */
static void
expect(struct oc_fifo *q, const char *numbers)
{
	struct item *item;

	assert_int_equal(q->num, strlen(numbers));
	for (; *numbers != '\0'; numbers++) {
		item = oc_fifo_take(q);
		assert_non_null(item);
		assert_int_equal(item->number, *numbers - '0');
		assert_null(item->next);
	}
	assert_null(oc_fifo_take(q));
	assert_null(q->first);
	assert_null(q->last);
	assert_int_equal(q->num, 0);
}

static void
test_order(void **state)
{
	struct fixture f;

	(void)state;
	oc_fifo_init(&f.q, offsetof(struct item, next));
	expect(&f.q, "");
	fill(&f);
	expect(&f.q, "01234");
}

/* An item comes back behind the others; also into one that was empty. */
static void
test_put_again(void **state)
{
	struct fixture f;
	struct item *item;

	(void)state;
	fill(&f);
	item = oc_fifo_take(&f.q);
	oc_fifo_put(&f.q, item);
	expect(&f.q, "12340");
	oc_fifo_put(&f.q, item);
	expect(&f.q, "0");
}

static void
test_remove(void **state)
{
	struct fixture f;

	(void)state;
	fill(&f);
	oc_fifo_remove(&f.q, &f.items[2]);
	expect(&f.q, "0134");
	fill(&f);
	oc_fifo_remove(&f.q, &f.items[0]);
	expect(&f.q, "1234");
	/* What is put now stands behind the one that is last now. */
	fill(&f);
	oc_fifo_remove(&f.q, &f.items[4]);
	oc_fifo_put(&f.q, &f.items[4]);
	oc_fifo_remove(&f.q, &f.items[3]);
	expect(&f.q, "0124");
	oc_fifo_put(&f.q, &f.items[1]);
	oc_fifo_remove(&f.q, &f.items[1]);
	expect(&f.q, "");
}

/* A copy is the queue: nothing in it points at where it was. */
static void
test_copy(void **state)
{
	struct fixture f;
	struct oc_fifo copy;

	(void)state;
	fill(&f);
	copy = f.q;
	oc_fifo_init(&f.q, copy.next_at);
	expect(&f.q, "");
	expect(&copy, "01234");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_put_again),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
