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

static const char *const steps[] = { version_1 };

const struct store_schema *
store_sqlite_schema(void)
{
	static const struct store_schema schema = {
		steps, sizeof(steps) / sizeof(steps[0])
	};

	return &schema;
}
