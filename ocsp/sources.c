/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/sources.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "base/clock.h"
#include "ocsp/table_private.h"

struct ocsp_source {
	uint64_t key[2];		/* its address */
	struct ocsp_source *next;	/* of the same bucket */
	TAILQ_ENTRY(ocsp_source) link;	/* only without connections */
	/* When what was asked is forgotten: each question adds its share of a
	 * second, and none may come that reaches beyond one. */
	int64_t asked_until_ns;
	uint32_t num_connections;
};

struct ocsp_sources {
	struct ocsp_sources_options options;
	struct oc_address_range *exempt;	/* owned */
	uint64_t seed[2];
	struct ocsp_source **buckets;
	size_t num_buckets;		/* a power of two */
	struct ocsp_source *all;
	size_t num, num_used;		/* used: ever */
	/* Those without connections, who left first first. */
	TAILQ_HEAD(http_source_list, ocsp_source) left;
};

enum oc_err
ocsp_sources_new(const struct ocsp_sources_options *options,
    struct ocsp_sources **out)
{
	struct ocsp_sources *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return OC_ERR_NOMEM;
	s->options = *options;
	TAILQ_INIT(&s->left);
	s->num = 2 * (size_t)options->connections_max;
	for (s->num_buckets = 64; s->num_buckets < s->num; )
		s->num_buckets *= 2;
	/* Pages that are never touched cost nothing. */
	s->all = calloc(s->num, sizeof(*s->all));
	s->buckets = calloc(s->num_buckets, sizeof(struct ocsp_source *));
	s->exempt = calloc(options->num_exempt + 1, sizeof(*s->exempt));
	if (s->all == NULL || s->buckets == NULL || s->exempt == NULL ||
	    getrandom(s->seed, sizeof(s->seed), 0) != sizeof(s->seed)) {
		ocsp_sources_free(s);
		return OC_ERR_NOMEM;
	}
	if (options->num_exempt > 0)
		memcpy(s->exempt, options->exempt, options->num_exempt *
		    sizeof(*s->exempt));
	*out = s;
	return OC_OK;
}

void
ocsp_sources_free(struct ocsp_sources *s)
{
	if (s == NULL)
		return;
	free(s->exempt);
	free(s->buckets);
	free(s->all);
	free(s);
}

static bool
is_exempt(const struct ocsp_sources *s, const struct oc_address *address)
{
	for (size_t i = 0; i < s->options.num_exempt; i++)
		if (oc_address_range_has(&s->exempt[i], address))
			return true;
	return false;
}

/* IPv4 as it is; of IPv6 the first half. */
static void
set_key(const struct oc_address *address, uint64_t key[2])
{
	static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(key, address->octets, 16);
	if (memcmp(address->octets, v4, sizeof(v4)) != 0)
		key[1] = 0;
}

/* Keyed, so that nobody can choose addresses that share a bucket; and by all
 * octets, since an address's neighbours are who comes with it. */
static struct ocsp_source **
bucket_of(const struct ocsp_sources *s, const uint64_t key[2])
{
	return &s->buckets[ocsp_table_siphash(s->seed, key, 2) &
	    (s->num_buckets - 1)];
}

static struct ocsp_source *
find(const struct ocsp_sources *s, const uint64_t key[2])
{
	struct ocsp_source *source = *bucket_of(s, key);

	while (source != NULL && (source->key[0] != key[0] ||
	    source->key[1] != key[1]))
		source = source->next;
	return source;
}

static void
forget(struct ocsp_sources *s, struct ocsp_source *source)
{
	struct ocsp_source **at = bucket_of(s, source->key);

	while (*at != source)
		at = &(*at)->next;
	*at = source->next;
	TAILQ_REMOVE(&s->left, source, link);
}

/* One that was never used, or the one that left longest ago: there is one,
 * since not more than half of all have connections. */
static struct ocsp_source *
add(struct ocsp_sources *s, const uint64_t key[2])
{
	struct ocsp_source **bucket = bucket_of(s, key), *source;

	if (s->num_used < s->num) {
		source = &s->all[s->num_used++];
	} else {
		source = TAILQ_FIRST(&s->left);
		oc_assert(source != NULL);
		forget(s, source);
	}
	*source = (struct ocsp_source){ .key = { key[0], key[1] },
	    .next = *bucket };
	*bucket = source;
	TAILQ_INSERT_TAIL(&s->left, source, link);
	return source;
}

bool
ocsp_sources_enter(struct ocsp_sources *s, const struct sockaddr *from,
    struct ocsp_source **out)
{
	struct oc_address address;
	struct ocsp_source *source;
	uint64_t key[2];

	*out = NULL;
	if ((s->options.connections_each == 0 &&
	    s->options.misses_each == 0) || !oc_address_of(from, &address) ||
	    is_exempt(s, &address))
		return true;
	set_key(&address, key);
	source = find(s, key);
	if (source == NULL)
		source = add(s, key);
	if (s->options.connections_each != 0 &&
	    source->num_connections >= s->options.connections_each)
		return false;
	if (source->num_connections++ == 0)
		TAILQ_REMOVE(&s->left, source, link);
	*out = source;
	return true;
}

void
ocsp_sources_leave(struct ocsp_sources *s, struct ocsp_source *source)
{
	if (source != NULL && --source->num_connections == 0)
		TAILQ_INSERT_TAIL(&s->left, source, link);
}

bool
ocsp_source_may_ask(const struct ocsp_sources *s, struct ocsp_source *source,
    int64_t now_ns)
{
	int64_t share_ns;

	if (source == NULL || s->options.misses_each == 0)
		return true;
	share_ns = OC_NS_PER_S / s->options.misses_each;
	if (source->asked_until_ns < now_ns)
		source->asked_until_ns = now_ns;
	if (source->asked_until_ns + share_ns > now_ns + OC_NS_PER_S)
		return false;
	source->asked_until_ns += share_ns;
	return true;
}
