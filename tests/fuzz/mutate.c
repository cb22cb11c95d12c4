/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/mutate.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/time.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (64 * 1024)
#define CHANGES_MAX 6
#define HANG_S 20
/* Between two looks at the clock. */
#define RUNS_A_LOOK 64

/* What runs now, for who looks at what it did. */
static uint8_t input[INPUT_MAX];
static size_t input_len;
static char crash_path[256];

void
fuzz_files_take(struct fuzz_files *files, uint8_t *data, size_t len)
{
	if (files->num == files->room) {
		files->room = files->room * 2 + 64;
		files->list = realloc(files->list,
		    files->room * sizeof(*files->list));
		fuzz_check(files->list != NULL);
	}
	files->list[files->num++] = (struct fuzz_file){ data, len };
}

void
fuzz_files_fini(struct fuzz_files *files)
{
	for (size_t i = 0; i < files->num; i++)
		free(files->list[i].data);
	free(files->list);
}

/* SplitMix64: every seed is as good as another. */
static uint64_t
random_64(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* From 0 to limit - 1. */
static size_t
below(uint64_t *state, size_t limit)
{
	return (size_t)(random_64(state) % limit);
}

/* Of len octets at from, put before at; what does not fit is left out. */
static void
insert(size_t at, const uint8_t *from, size_t len)
{
	if (len > INPUT_MAX - input_len)
		len = INPUT_MAX - input_len;
	memmove(input + at + len, input + at, input_len - at);
	memcpy(input + at, from, len);
	input_len += len;
}

static void
erase(size_t at, size_t len)
{
	memmove(input + at, input + at + len, input_len - at - len);
	input_len -= len;
}

/* An octet in which lengths, tags, signs and lines go wrong. */
static uint8_t
odd_octet(uint64_t *state)
{
	static const uint8_t odd[] = { 0x00, 0x01, 0x7f, 0x80, 0x81, 0x82,
	    0x84, 0x88, 0xff, 0xfe, 0x30, 0x31, 0x02, 0x05, 0xa0, 0xa3, 0x1f,
	    '\r', '\n', ' ', '%', '/', '+', ':', '0', ';', ',', '"' };

	return odd[below(state, sizeof(odd))];
}

static void
splice(uint64_t *state, const struct fuzz_files *files)
{
	const struct fuzz_file *f = &files->list[below(state, files->num)];
	size_t from, len;

	if (f->len == 0)
		return;
	from = below(state, f->len);
	len = 1 + below(state, f->len - from);
	insert(below(state, input_len + 1), f->data + from, len);
}

static void
repeat(uint64_t *state)
{
	uint8_t part[256];
	size_t from = below(state, input_len);
	size_t len = 1 + below(state, input_len - from < sizeof(part) ?
	    input_len - from : sizeof(part));

	memcpy(part, input + from, len);
	insert(below(state, input_len + 1), part, len);
}

static void
change(uint64_t *state, const struct fuzz_files *files)
{
	uint8_t octet = odd_octet(state);
	size_t at;

	if (input_len == 0) {
		insert(0, &octet, 1);
		return;
	}
	at = below(state, input_len);
	switch (below(state, 9)) {
	case 0:
		input[at] ^= (uint8_t)(1u << below(state, 8));
		break;
	case 1:
		input[at] = octet;
		break;
	case 2:
		input[at] = (uint8_t)random_64(state);
		break;
	case 3:		/* a length is off by one */
		input[at] = (uint8_t)(input[at] + (octet & 1 ? 1 : -1));
		break;
	case 4:
		insert(at, &octet, 1);
		break;
	case 5:
		erase(at, 1 + below(state, input_len - at < 16 ?
		    input_len - at : 16));
		break;
	case 6:
		input_len = at;
		break;
	case 7:
		repeat(state);
		break;
	default:
		splice(state, files);
		break;
	}
}

static void
mutate(uint64_t *state, const struct fuzz_files *files)
{
	const struct fuzz_file *f = &files->list[below(state, files->num)];
	size_t num = 1 + below(state, CHANGES_MAX);

	input_len = f->len < INPUT_MAX ? f->len : INPUT_MAX;
	memcpy(input, f->data, input_len);
	while (num-- > 0)
		change(state, files);
}

static void
keep_input(void)
{
	FILE *out = fopen(crash_path, "wb");

	if (out == NULL)
		return;
	(void)fwrite(input, 1, input_len, out);
	(void)fclose(out);
	fprintf(stderr, "the input is in %s\n", crash_path);
}

static void
on_signal(int number)
{
	keep_input();
	(void)signal(number, SIG_DFL);
	(void)raise(number == SIGALRM ? SIGABRT : number);
}

/* Of AddressSanitizer, which ends the program itself. */
extern void __sanitizer_set_death_callback(void (*fn)(void))
    __attribute__((weak));

static void
watch(const char *name)
{
	static const int numbers[] = { SIGABRT, SIGALRM, SIGBUS, SIGFPE,
	    SIGILL, SIGSEGV };

	(void)snprintf(crash_path, sizeof(crash_path), "crash-%s", name);
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(keep_input);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (__sanitizer_set_death_callback == NULL ||
		    numbers[i] == SIGABRT || numbers[i] == SIGALRM)
			(void)signal(numbers[i], on_signal);
}

/* A copy of its very size: one octet beyond is seen. */
static void
run(void)
{
	uint8_t *copy = malloc(input_len > 0 ? input_len : 1);

	fuzz_check(copy != NULL);
	memcpy(copy, input, input_len);
	(void)LLVMFuzzerTestOneInput(copy, input_len);
	free(copy);
}

uint64_t
fuzz_mutate(const struct fuzz_plan *plan, const struct fuzz_files *files)
{
	uint64_t state = plan->seed, n;
	time_t end = time(NULL) + (time_t)plan->seconds;

	watch(plan->name != NULL ? plan->name : "input");
	for (n = 0; plan->num_runs == 0 || n < plan->num_runs; n++) {
		if (n % RUNS_A_LOOK == 0) {
			(void)alarm(HANG_S);
			if (plan->seconds != 0 && time(NULL) >= end)
				break;
		}
		mutate(&state, files);
		run();
	}
	(void)alarm(0);
	return n;
}
