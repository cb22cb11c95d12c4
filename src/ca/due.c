/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/due.h"

#include "base/clock.h"
#include "base/crl_schedule.h"

#define CHANGES_MAX 64			/* read at once */

/* What was looked at is not looked at again. */
static enum oc_err
look_for_revoked(struct ca_due *p, struct store *store)
{
	struct store_change changes[CHANGES_MAX];
	uint32_t num = CHANGES_MAX;
	enum oc_err err = OC_OK;

	while (err == OC_OK && num == CHANGES_MAX && !p->is_lacking) {
		err = store_read_changes(store, p->seen_seq, changes,
		    CHANGES_MAX, &num);
		for (uint32_t i = 0; err == OC_OK && i < num; i++) {
			if (changes[i].is_revoked &&
			    changes[i].issuer_id == p->issuer->store_id)
				p->is_lacking = true;
			p->seen_seq = changes[i].seq;
		}
	}
	return err;
}

/* Of one that was made before anybody noted it nobody knows what it lacks. */
static enum oc_err
look_if_lacking(struct ca_due *p, struct store *store,
    const struct store_crl_standing *s)
{
	if (!p->has_looked || p->number != s->number) {
		p->has_looked = true;
		p->number = s->number;
		p->seen_seq = s->change_seq;
		p->is_lacking = s->change_seq < 0;
	}
	return p->is_lacking ? OC_OK : look_for_revoked(p, store);
}

/* Somebody else is at it until then; 0: nobody. */
static int64_t
claimed_until(const struct ca_due *p, const struct store_crl_standing *s,
    int64_t now)
{
	if (s->reserved_id == 0 || s->reserved_id == p->own_id ||
	    s->reserved_at > now + CA_DUE_CLAIM_S)
		return 0;
	return s->reserved_at + CA_DUE_CLAIM_S;
}

enum oc_err
ca_due_look(struct ca_due *p, struct store *store, int64_t *due_at)
{
	const struct oc_config_issuer *config = p->issuer->config;
	int64_t now = oc_clock_now_s(), at, other;
	struct store_crl_standing s;
	enum oc_err err;

	oc_assert(p->issuer->store_id != 0);
	err = store_find_crl_standing(store, p->issuer->store_id, &s);
	if (err == OC_OK && config->crl_publish == OC_PUBLISH_AT_ONCE)
		err = look_if_lacking(p, store, &s);
	if (err != OC_OK)
		return err;
	at = oc_crl_due_at(config, s.this_update, s.next_update);
	if (p->is_lacking && at > oc_crl_at_once_at(config, s.this_update))
		at = oc_crl_at_once_at(config, s.this_update);
	if (oc_crl_is_of_future(s.this_update, now))
		at = now;
	other = claimed_until(p, &s, now);
	*due_at = at > other ? at : other;
	return OC_OK;
}

/* Under the lock of whoever changes the records. */
static enum oc_err
look_again(void *arg, struct store *store)
{
	int64_t due_at;
	enum oc_err err = ca_due_look(arg, store, &due_at);

	return err == OC_OK && due_at > oc_clock_now_s() ? OC_ERR_EXISTS :
	    err;
}

enum oc_err
ca_due_publish(struct ca_due *p, struct store *store, struct signer *signer,
    int64_t deadline_ns, struct ca_crl *crl, struct oc_error *error)
{
	struct ca_crl_gate gate = { .look = look_again, .arg = p };
	enum oc_err err;

	err = ca_crl_create_if(p->issuer, store, signer, deadline_ns, &gate,
	    crl, error);
	if (gate.reserved_id != 0)
		p->own_id = gate.reserved_id;
	return err;
}
