/* SPDX-License-Identifier: Apache-2.0 */
/* Zones: whose a name is. */
#include <string.h>

#include "base/clock.h"
#include "store/backend.h"
#include "store/detail.h"

/* What ca_zone_to_ascii() gives: two labels or more of lower-case letters,
 * digits and hyphens. */
static enum oc_err
check_zone_name(struct store *s, const char *name)
{
	size_t len = strnlen(name, STORE_ZONE_NAME_MAX + 1);

	if (len > STORE_ZONE_NAME_MAX)
		return store_fail(s, OC_ERR_LIMIT, "a zone's name has at most "
		    "%d octets", STORE_ZONE_NAME_MAX);
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != len ||
	    strchr(name, '.') == NULL || name[0] == '.' ||
	    name[len - 1] == '.' || strstr(name, "..") != NULL)
		return store_fail(s, OC_ERR_MALFORMED, "\"%.64s\" is no name "
		    "of a zone", name);
	return OC_OK;
}

static enum oc_err
check_zone_state(struct store *s, enum store_zone_state state)
{
	switch (state) {
	case STORE_ZONE_ACTIVE:
	case STORE_ZONE_PAUSED:
	case STORE_ZONE_REMOVED:
		return OC_OK;
	}
	return store_fail(s, OC_ERR_MALFORMED,
	    "a zone is active, paused or removed");
}

/* Inside a change. */
static enum oc_err
add_entry(struct store *s, int64_t id)
{
	return store_add_row_entry(s, "zone", store_detail_of_zone, id);
}

/* --- add ---------------------------------------------------------------- */

static enum oc_err
refuse_nested(struct store *s, const struct store_zone *zone,
    const struct store_zone *other, const char *where)
{
	struct store_account owner;
	enum oc_err err;

	err = s->ops->find_account(s, STORE_BY_ID, other->account_id, NULL,
	    &owner);
	if (err != OC_OK)
		return err;
	return store_fail(s, OC_ERR_REFUSED, "%s lies %s %s, a zone of "
	    "account %s: --delegated says that this is meant", zone->name,
	    where, other->name, owner.name);
}

/* Inside a change: another account's zones around and inside it. */
static enum oc_err
check_alone(struct store *s, const struct store_zone *zone)
{
	const char *parent = strchr(zone->name, '.') + 1;
	struct store_zone other;
	enum oc_err err = OC_ERR_NOT_FOUND;

	for (; strchr(parent, '.') != NULL; parent = strchr(parent, '.') + 1) {
		err = s->ops->find_zone(s, STORE_ZONE_BY_NAME, 0, parent,
		    &other);
		if (err == OC_OK && other.account_id != zone->account_id)
			return refuse_nested(s, zone, &other, "inside");
		if (err != OC_OK && err != OC_ERR_NOT_FOUND)
			return err;
	}
	err = s->ops->find_zone_inside(s, zone->name, zone->account_id,
	    &other);
	if (err == OC_OK)
		return refuse_nested(s, zone, &other, "around");
	return err == OC_ERR_NOT_FOUND ? OC_OK : err;
}

/* Inside a change. */
static enum oc_err
add_zone(struct store *s, struct store_zone *zone,
    enum store_zone_nesting nesting)
{
	struct store_account account;
	struct store_zone other;
	enum oc_err err;

	err = s->ops->find_account(s, STORE_BY_ID, zone->account_id, NULL,
	    &account);
	if (err != OC_OK)
		return err;
	err = s->ops->find_zone(s, STORE_ZONE_BY_NAME, 0, zone->name, &other);
	if (err == OC_OK) {
		err = s->ops->find_account(s, STORE_BY_ID, other.account_id,
		    NULL, &account);
		return err != OC_OK ? err : store_fail(s, OC_ERR_EXISTS,
		    "%s is a zone of account %s already", zone->name,
		    account.name);
	}
	if (err != OC_ERR_NOT_FOUND)
		return err;
	err = nesting == STORE_ZONE_ALONE ? check_alone(s, zone) : OC_OK;
	if (err == OC_OK)
		err = s->ops->add_zone(s, zone, &zone->id);
	return err == OC_OK ? add_entry(s, zone->id) : err;
}

enum oc_err
store_add_zone(struct store *store, struct store_zone *zone,
    enum store_zone_nesting nesting)
{
	struct store_zone added = *zone;
	enum oc_err err;

	err = check_zone_name(store, added.name);
	if (err == OC_OK)
		err = check_zone_state(store, added.state);
	if (err == OC_OK && added.tag[0] == '\0')
		err = store_new_tag(store, added.tag);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	added.id = 0;
	added.created_at = oc_clock_now_s();
	err = store_end_change(store, add_zone(store, &added, nesting));
	if (err == OC_OK)
		*zone = added;
	return err;
}

/* --- change ------------------------------------------------------------- */

/* Inside a change. */
static enum oc_err
set_state(struct store *s, int64_t id, enum store_zone_state state)
{
	static const char *const names[] = {
		[STORE_ZONE_ACTIVE] = "active",
		[STORE_ZONE_PAUSED] = "paused",
		[STORE_ZONE_REMOVED] = "removed"
	};
	struct store_zone zone;
	enum oc_err err;

	err = s->ops->find_zone(s, STORE_ZONE_BY_ID, id, NULL, &zone);
	if (err != OC_OK)
		return err;
	if (zone.state == STORE_ZONE_REMOVED && state != STORE_ZONE_REMOVED)
		return store_fail(s, OC_ERR_NOT_FOUND, "zone %s is removed: "
		    "add it again", zone.name);
	if (zone.state == state)
		return store_fail(s, OC_ERR_EXISTS, "zone %s is %s already",
		    zone.name, names[state]);
	err = s->ops->set_zone_state(s, id, state);
	return err == OC_OK ? add_entry(s, id) : err;
}

enum oc_err
store_set_zone_state(struct store *store, int64_t id,
    enum store_zone_state state)
{
	enum oc_err err;

	err = check_zone_state(store, state);
	if (err == OC_OK)
		err = store_begin_change(store);
	if (err != OC_OK)
		return err;
	return store_end_change(store, set_state(store, id, state));
}

/* --- look --------------------------------------------------------------- */

enum oc_err
store_find_zone(struct store *store, const char *name,
    struct store_zone *zone)
{
	return store->ops->find_zone(store, STORE_ZONE_BY_NAME, 0, name,
	    zone);
}

enum oc_err
store_find_zone_tag(struct store *store, const char *tag,
    struct store_zone *zone)
{
	return store->ops->find_zone(store, STORE_ZONE_BY_TAG, 0, tag, zone);
}

enum oc_err
store_match_zone(struct store *store, const char *name,
    struct store_zone *zone)
{
	enum oc_err err = OC_ERR_NOT_FOUND;

	/* A zone has two labels at least: there is a dot in it. */
	while (strchr(name, '.') != NULL) {
		err = store->ops->find_zone(store, STORE_ZONE_BY_NAME, 0,
		    name, zone);
		if (err != OC_ERR_NOT_FOUND)
			return err;
		name = strchr(name, '.') + 1;
	}
	return store_fail(store, OC_ERR_NOT_FOUND, "there is no such zone");
}

enum oc_err
store_list_zones(struct store *store, int64_t account_id,
    store_zone_fn *fn, void *arg)
{
	return store->ops->list_zones(store, account_id, fn, arg);
}
