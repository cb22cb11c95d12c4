/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

/*
 * store: one row.  Whoever changes anything updates it, so its counters are
 * also what tells a journal that lost its tail.
 * certificate: small rows, read by the change feed and for CRLs; what was
 * signed stands beside it, so that neither of them has to page over it.
 * Serials are DER content octets, so "by number" is by length, then octets.
 * change_seq 0 is "never": it is taken, ascending, from store.
 */
static const char version_1[] =
"CREATE TABLE store ("
"	only INTEGER PRIMARY KEY CHECK (only = 1),"
"	id BLOB NOT NULL CHECK (length(id) = 16),"
"	epoch INTEGER NOT NULL,"
"	is_backup INTEGER NOT NULL DEFAULT 0,"
"	change_seq INTEGER NOT NULL DEFAULT 0,"
"	journal_number INTEGER NOT NULL DEFAULT 0,"
"	journal_hash BLOB NOT NULL CHECK (length(journal_hash) = 32)"
");"
"CREATE TABLE issuer ("
"	id INTEGER PRIMARY KEY,"
"	name TEXT NOT NULL UNIQUE,"
"	spki_hash BLOB NOT NULL CHECK (length(spki_hash) = 32),"
"	certificate BLOB NOT NULL,"
"	crl_counter INTEGER NOT NULL DEFAULT 0"
");"
"CREATE TABLE certificate ("
"	id INTEGER PRIMARY KEY,"
"	issuer_id INTEGER NOT NULL REFERENCES issuer (id),"
"	serial BLOB NOT NULL CHECK (length(serial) BETWEEN 1 AND 20),"
"	change_seq INTEGER NOT NULL UNIQUE,"
"	state INTEGER NOT NULL CHECK (state IN (1, 2)),"
"	reason INTEGER,"
"	revoked_at INTEGER,"
"	invalidity_at INTEGER NOT NULL DEFAULT 0,"
"	reserved_at INTEGER NOT NULL,"
"	issued_at INTEGER NOT NULL DEFAULT 0,"
"	not_before INTEGER NOT NULL,"
"	not_after INTEGER NOT NULL,"
"	profile TEXT NOT NULL,"
"	subject TEXT NOT NULL,"
"	names TEXT NOT NULL,"
"	CHECK ((reason IS NULL) = (revoked_at IS NULL)),"
"	UNIQUE (issuer_id, serial)"
");"
"CREATE INDEX certificate_not_after ON certificate (not_after);"
"CREATE INDEX certificate_revoked"
"	ON certificate (issuer_id, length(serial), serial)"
"	WHERE revoked_at IS NOT NULL;"
"CREATE TABLE certificate_tbs ("
"	id INTEGER PRIMARY KEY REFERENCES certificate (id),"
"	der BLOB NOT NULL"
");"
"CREATE TABLE certificate_der ("
"	id INTEGER PRIMARY KEY REFERENCES certificate (id),"
"	der BLOB NOT NULL"
");"
"CREATE TABLE crl ("
"	id INTEGER PRIMARY KEY,"
"	issuer_id INTEGER NOT NULL REFERENCES issuer (id),"
"	number INTEGER NOT NULL,"
"	this_update INTEGER NOT NULL,"
"	next_update INTEGER NOT NULL,"
"	reserved_at INTEGER NOT NULL,"
"	issued_at INTEGER NOT NULL DEFAULT 0,"
"	der BLOB,"
"	CHECK ((der IS NULL) = (issued_at = 0)),"
"	UNIQUE (issuer_id, number)"
");"
"CREATE TABLE journal ("
"	number INTEGER PRIMARY KEY,"
"	at INTEGER NOT NULL,"
"	actor TEXT NOT NULL,"
"	event TEXT NOT NULL,"
"	detail TEXT NOT NULL,"
"	hash BLOB NOT NULL CHECK (length(hash) = 32)"
");";

/*
 * account, account_token, zone: registers, whose rows are changed but never
 * removed; the journal has each row as it was after each change.
 * certificate_request: what was asked for, beside a certificate.  key is what
 * makes two requests one, as long as is_current says that it stands.
 */
static const char version_2[] =
"CREATE TABLE account ("
"	id INTEGER PRIMARY KEY,"
"	tag TEXT NOT NULL UNIQUE CHECK (length(tag) = 32),"
"	name TEXT NOT NULL UNIQUE,"
"	email TEXT UNIQUE CHECK (email <> ''),"
"	state INTEGER NOT NULL CHECK (state IN (1, 2)),"
"	live_max INTEGER NOT NULL CHECK (live_max >= 0),"
"	period_max INTEGER NOT NULL CHECK (period_max >= 0),"
"	period_s INTEGER NOT NULL CHECK (period_s >= 0),"
"	created_at INTEGER NOT NULL"
");"
"CREATE TABLE account_token ("
"	id INTEGER PRIMARY KEY,"
"	account_id INTEGER NOT NULL REFERENCES account (id),"
"	kind INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),"
"	prefix TEXT NOT NULL UNIQUE CHECK (prefix <> ''),"
"	label TEXT NOT NULL,"
"	hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),"
"	created_at INTEGER NOT NULL,"
"	expires_at INTEGER NOT NULL DEFAULT 0,"
"	revoked_at INTEGER NOT NULL DEFAULT 0,"
"	used_at INTEGER NOT NULL DEFAULT 0"
");"
"CREATE INDEX account_token_account ON account_token (account_id);"
"CREATE TABLE zone ("
"	id INTEGER PRIMARY KEY,"
"	tag TEXT NOT NULL UNIQUE CHECK (length(tag) = 32),"
"	name TEXT NOT NULL,"
"	account_id INTEGER NOT NULL REFERENCES account (id),"
"	state INTEGER NOT NULL CHECK (state IN (1, 2, 3)),"
"	created_at INTEGER NOT NULL"
");"
"CREATE UNIQUE INDEX zone_name ON zone (name) WHERE state <> 3;"
"CREATE INDEX zone_account ON zone (account_id);"
"CREATE TABLE certificate_request ("
"	id INTEGER PRIMARY KEY REFERENCES certificate (id),"
"	account_id INTEGER REFERENCES account (id),"
"	reserved_at INTEGER NOT NULL,"
"	is_current INTEGER NOT NULL CHECK (is_current IN (0, 1)),"
"	key BLOB CHECK (length(key) = 32),"
"	hostnames TEXT NOT NULL,"
"	csr BLOB NOT NULL,"
"	type TEXT NOT NULL,"
"	validity INTEGER NOT NULL"
");"
"CREATE UNIQUE INDEX certificate_request_key"
"	ON certificate_request (key) WHERE is_current = 1;"
"CREATE INDEX certificate_request_account"
"	ON certificate_request (account_id, reserved_at);"
"CREATE TABLE certificate_zone ("
"	zone_id INTEGER NOT NULL REFERENCES zone (id),"
"	id INTEGER NOT NULL REFERENCES certificate_request (id),"
"	PRIMARY KEY (zone_id, id)"
") WITHOUT ROWID;"
"CREATE INDEX certificate_zone_id ON certificate_zone (id);";

/* run: whose reservation it is, as store_lock_acquire_run() says. */
static const char version_3[] =
"ALTER TABLE certificate_request ADD COLUMN run INTEGER NOT NULL DEFAULT 0;";

/*
 * crl_part: a list's octets in order, STORE_CRL_PART_LEN each but for the
 * last; der_len is all of them together.
 * certificate_revoked: with all that a list says, so that making one reads
 * that index and no row.
 */
static const char version_4[] =
"ALTER TABLE crl RENAME TO crl_3;"
"CREATE TABLE crl ("
"	id INTEGER PRIMARY KEY,"
"	issuer_id INTEGER NOT NULL REFERENCES issuer (id),"
"	number INTEGER NOT NULL,"
"	this_update INTEGER NOT NULL,"
"	next_update INTEGER NOT NULL,"
"	reserved_at INTEGER NOT NULL,"
"	issued_at INTEGER NOT NULL DEFAULT 0,"
"	der_len INTEGER NOT NULL DEFAULT 0,"
"	CHECK ((der_len = 0) = (issued_at = 0)),"
"	UNIQUE (issuer_id, number)"
");"
"INSERT INTO crl SELECT id, issuer_id, number, this_update, next_update,"
"	reserved_at, issued_at, coalesce(length(der), 0) FROM crl_3;"
"CREATE TABLE crl_part ("
"	id INTEGER PRIMARY KEY,"
"	crl_id INTEGER NOT NULL REFERENCES crl (id),"
"	number INTEGER NOT NULL CHECK (number >= 0),"
"	der BLOB NOT NULL,"
"	UNIQUE (crl_id, number)"
");"
"WITH RECURSIVE part (crl_id, number, len) AS ("
"	SELECT id, 0, length(der) FROM crl_3 WHERE der IS NOT NULL"
"	UNION ALL SELECT crl_id, number + 1, len FROM part"
"		WHERE (number + 1) * 1048576 < len)"
"INSERT INTO crl_part (crl_id, number, der)"
"	SELECT p.crl_id, p.number, substr(c.der, p.number * 1048576 + 1,"
"		1048576) FROM part p JOIN crl_3 c ON c.id = p.crl_id"
"	ORDER BY p.crl_id, p.number;"
"DROP TABLE crl_3;"
"DROP INDEX certificate_revoked;"
"CREATE INDEX certificate_revoked ON certificate (issuer_id,"
"	length(serial), serial, not_after, revoked_at, reason, invalidity_at)"
"	WHERE revoked_at IS NOT NULL;";

/* Beside a certificate that was issued elsewhere, what its source said. */
static const char version_5[] =
"CREATE TABLE certificate_import ("
"	id INTEGER PRIMARY KEY REFERENCES certificate (id),"
"	record TEXT NOT NULL"
");";

/*
 * crl_partition: of which of its issuer's CRLs a certificate is, for good; 0
 * is the one that is not partitioned.  released_seq: change_seq of when its
 * hold was lifted last, which a delta CRL has to say.
 * crl: base_number 0 is a full list, else a delta to that one, and both may
 * have one number; change_seq is the store's when its entries were read, -1
 * that nobody knows; point the URLs of its issuingDistributionPoint, "" none;
 * num_entries -1 that nobody counted them.
 */
static const char version_6[] =
"ALTER TABLE certificate ADD COLUMN"
"	crl_partition INTEGER NOT NULL DEFAULT 0;"
"ALTER TABLE certificate ADD COLUMN"
"	released_seq INTEGER NOT NULL DEFAULT 0;"
"DROP INDEX certificate_revoked;"
"CREATE INDEX certificate_revoked ON certificate (issuer_id, crl_partition,"
"	length(serial), serial, not_after, change_seq, revoked_at, reason,"
"	invalidity_at) WHERE revoked_at IS NOT NULL;"
"CREATE INDEX certificate_changed"
"	ON certificate (issuer_id, crl_partition, change_seq)"
"	WHERE revoked_at IS NOT NULL;"
"CREATE INDEX certificate_released"
"	ON certificate (issuer_id, crl_partition, released_seq)"
"	WHERE released_seq <> 0;"
"CREATE INDEX certificate_partition ON certificate (issuer_id, crl_partition)"
"	WHERE crl_partition <> 0;"
"ALTER TABLE crl_part RENAME TO crl_part_5;"
"ALTER TABLE crl RENAME TO crl_5;"
"CREATE TABLE crl ("
"	id INTEGER PRIMARY KEY,"
"	issuer_id INTEGER NOT NULL REFERENCES issuer (id),"
"	number INTEGER NOT NULL,"
"	this_update INTEGER NOT NULL,"
"	next_update INTEGER NOT NULL,"
"	reserved_at INTEGER NOT NULL,"
"	issued_at INTEGER NOT NULL DEFAULT 0,"
"	der_len INTEGER NOT NULL DEFAULT 0,"
"	crl_partition INTEGER NOT NULL DEFAULT 0,"
"	base_number INTEGER NOT NULL DEFAULT 0,"
"	change_seq INTEGER NOT NULL DEFAULT -1,"
"	point TEXT NOT NULL DEFAULT '',"
"	num_entries INTEGER NOT NULL DEFAULT -1,"
"	CHECK ((der_len = 0) = (issued_at = 0)),"
"	UNIQUE (issuer_id, number, base_number)"
");"
"INSERT INTO crl (id, issuer_id, number, this_update, next_update,"
"	reserved_at, issued_at, der_len) SELECT id, issuer_id, number,"
"	this_update, next_update, reserved_at, issued_at, der_len FROM crl_5;"
"CREATE TABLE crl_part ("
"	id INTEGER PRIMARY KEY,"
"	crl_id INTEGER NOT NULL REFERENCES crl (id),"
"	number INTEGER NOT NULL CHECK (number >= 0),"
"	der BLOB NOT NULL,"
"	UNIQUE (crl_id, number)"
");"
"INSERT INTO crl_part (id, crl_id, number, der)"
"	SELECT id, crl_id, number, der FROM crl_part_5;"
"DROP TABLE crl_part_5;"
"DROP TABLE crl_5;"
"CREATE INDEX crl_scope ON crl (issuer_id, crl_partition, number);"
"CREATE INDEX crl_current ON crl (issuer_id, crl_partition, next_update);";

/*
 * Of hosts that share a database: see store/share.h.  Derived data, in no
 * journal, and empty in SQLite.  name: encoding and serial; body: times,
 * status and signature.  100 octets a certificate beside the signature, and
 * 70 of indexes.
 */
static const char version_7[] =
"CREATE TABLE response_context ("
"	id INTEGER PRIMARY KEY,"
"	name BLOB NOT NULL UNIQUE CHECK (length(name) = 32),"
"	seq INTEGER NOT NULL DEFAULT 0,"
"	holder BLOB NOT NULL,"
"	host TEXT NOT NULL,"
"	expires_at INTEGER NOT NULL DEFAULT 0"
");"
"CREATE TABLE response ("
"	context_id INTEGER NOT NULL,"
"	seq INTEGER NOT NULL,"
"	change_seq INTEGER NOT NULL,"
"	next_update INTEGER NOT NULL,"
"	name BLOB NOT NULL CHECK (length(name) BETWEEN 2 AND 21),"
"	body BLOB NOT NULL CHECK (length(body) BETWEEN 20 AND 531),"
"	PRIMARY KEY (context_id, name)"
");"
"CREATE INDEX response_seq ON response (context_id, seq);";

/*
 * proof, proof_challenge: store/challenge.h's authorizations.  touched_id: the
 * challenge that changed last.  next_try_at is a plan: in no journal.
 * acme_external_key: hmac is zeros once it was used or revoked.
 * acme_order: certificate_id is what is being signed for it, too; run and
 * processing_at say whose that is, as in certificate_request.
 */
static const char version_8[] =
"CREATE TABLE acme_account ("
"	id INTEGER PRIMARY KEY,"
"	tag TEXT NOT NULL UNIQUE CHECK (length(tag) = 32),"
"	account_id INTEGER NOT NULL REFERENCES account (id),"
"	state INTEGER NOT NULL CHECK (state IN (1, 2, 3)),"
"	thumbprint BLOB NOT NULL CHECK (length(thumbprint) = 32),"
"	jwk TEXT NOT NULL,"
"	contacts TEXT NOT NULL,"
"	has_agreed INTEGER NOT NULL CHECK (has_agreed IN (0, 1)),"
"	is_bound INTEGER NOT NULL CHECK (is_bound IN (0, 1)),"
"	created_at INTEGER NOT NULL"
");"
"CREATE UNIQUE INDEX acme_account_key"
"	ON acme_account (thumbprint) WHERE state = 1;"
"CREATE INDEX acme_account_thumbprint ON acme_account (thumbprint, state);"
"CREATE INDEX acme_account_account ON acme_account (account_id);"
"CREATE INDEX acme_account_unbound ON acme_account (account_id, created_at)"
"	WHERE is_bound = 0;"
"CREATE TABLE acme_external_key ("
"	id INTEGER PRIMARY KEY,"
"	account_id INTEGER NOT NULL REFERENCES account (id),"
"	kid TEXT NOT NULL UNIQUE CHECK (length(kid) = 32),"
"	hmac BLOB NOT NULL CHECK (length(hmac) = 32),"
"	label TEXT NOT NULL,"
"	created_at INTEGER NOT NULL,"
"	expires_at INTEGER NOT NULL DEFAULT 0,"
"	revoked_at INTEGER NOT NULL DEFAULT 0,"
"	used_at INTEGER NOT NULL DEFAULT 0"
");"
"CREATE INDEX acme_external_key_account ON acme_external_key (account_id);"
"CREATE TABLE proof ("
"	id INTEGER PRIMARY KEY,"
"	tag TEXT NOT NULL UNIQUE CHECK (length(tag) = 32),"
"	account_id INTEGER NOT NULL REFERENCES account (id),"
"	acme_account_id INTEGER REFERENCES acme_account (id),"
"	name TEXT NOT NULL,"
"	is_wildcard INTEGER NOT NULL CHECK (is_wildcard IN (0, 1)),"
"	state INTEGER NOT NULL CHECK (state IN (1, 2, 3, 4)),"
"	created_at INTEGER NOT NULL,"
"	expires_at INTEGER NOT NULL,"
"	proved_at INTEGER NOT NULL DEFAULT 0,"
"	failed_at INTEGER NOT NULL DEFAULT 0,"
"	method INTEGER NOT NULL DEFAULT 0,"
"	touched_id INTEGER NOT NULL DEFAULT 0"
");"
"CREATE INDEX proof_account ON proof (account_id, id);"
"CREATE INDEX proof_name ON proof (name, id);"
"CREATE INDEX proof_ended ON proof (expires_at);"
"CREATE INDEX proof_valid ON proof (name, account_id, proved_at)"
"	WHERE state = 2;"
"CREATE INDEX proof_pending ON proof (account_id, name) WHERE state = 1;"
"CREATE INDEX proof_failed ON proof (account_id, failed_at)"
"	WHERE state = 3;"
"CREATE TABLE proof_challenge ("
"	id INTEGER PRIMARY KEY,"
"	tag TEXT NOT NULL UNIQUE CHECK (length(tag) = 32),"
"	proof_id INTEGER NOT NULL REFERENCES proof (id),"
"	method INTEGER NOT NULL CHECK (method BETWEEN 1 AND 7),"
"	token TEXT NOT NULL,"
"	state INTEGER NOT NULL CHECK (state IN (1, 2, 3, 4)),"
"	begun_at INTEGER NOT NULL DEFAULT 0,"
"	num_tries INTEGER NOT NULL DEFAULT 0,"
"	next_try_at INTEGER NOT NULL DEFAULT 0,"
"	validated_at INTEGER NOT NULL DEFAULT 0,"
"	problem TEXT NOT NULL DEFAULT '',"
"	seen TEXT NOT NULL DEFAULT '',"
"	address TEXT NOT NULL DEFAULT '',"
"	code_hash BLOB CHECK (length(code_hash) = 32)"
");"
"CREATE INDEX proof_challenge_proof ON proof_challenge (proof_id, id);"
"CREATE INDEX proof_challenge_due ON proof_challenge (next_try_at)"
"	WHERE next_try_at <> 0;"
"CREATE TABLE acme_order ("
"	id INTEGER PRIMARY KEY,"
"	tag TEXT NOT NULL UNIQUE CHECK (length(tag) = 32),"
"	acme_account_id INTEGER NOT NULL REFERENCES acme_account (id),"
"	account_id INTEGER NOT NULL REFERENCES account (id),"
"	state INTEGER NOT NULL CHECK (state IN (1, 2, 3, 4, 5)),"
"	created_at INTEGER NOT NULL,"
"	expires_at INTEGER NOT NULL,"
"	not_before INTEGER NOT NULL DEFAULT 0,"
"	not_after INTEGER NOT NULL DEFAULT 0,"
"	profile TEXT NOT NULL,"
"	names TEXT NOT NULL,"
"	replaces_id INTEGER REFERENCES certificate (id),"
"	certificate_id INTEGER REFERENCES certificate (id),"
"	problem TEXT NOT NULL DEFAULT '',"
"	run INTEGER NOT NULL DEFAULT 0,"
"	processing_at INTEGER NOT NULL DEFAULT 0,"
"	CHECK (state <> 4 OR certificate_id IS NOT NULL)"
");"
"CREATE INDEX acme_order_owner ON acme_order (acme_account_id, id);"
"CREATE INDEX acme_order_account ON acme_order (account_id, created_at);"
"CREATE INDEX acme_order_replaces ON acme_order (replaces_id)"
"	WHERE replaces_id IS NOT NULL;"
"CREATE INDEX acme_order_certificate ON acme_order (certificate_id)"
"	WHERE certificate_id IS NOT NULL;"
"CREATE INDEX acme_order_ended ON acme_order (expires_at)"
"	WHERE certificate_id IS NULL;"
"CREATE TABLE acme_order_proof ("
"	proof_id INTEGER NOT NULL REFERENCES proof (id),"
"	order_id INTEGER NOT NULL REFERENCES acme_order (id),"
"	PRIMARY KEY (proof_id, order_id)"
") WITHOUT ROWID;"
"CREATE INDEX acme_order_proof_order ON acme_order_proof (order_id);";

static const char *const steps[] = {
	version_1, version_2, version_3, version_4, version_5, version_6,
	version_7, version_8
};

const struct store_schema *
store_sqlite_schema(void)
{
	static const struct store_schema schema = {
		steps, sizeof(steps) / sizeof(steps[0])
	};

	return &schema;
}
