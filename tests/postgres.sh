# SPDX-License-Identifier: Apache-2.0
#
# Sourced by tests that need a server of PostgreSQL: a real one, as a user
# without rights, on a socket in a folder of the test's own.  pg_find first.

# Sets pg_bin; false if there is none.
pg_find() {
	pg_bin=
	for pg_dir in $(command -v initdb | sed 's|/[^/]*$||') \
	    /usr/lib/postgresql/*/bin /usr/libexec/postgresql*; do
		[ -x "$pg_dir/initdb" ] && [ -x "$pg_dir/pg_ctl" ] &&
		    pg_bin=$pg_dir
	done
	[ -n "$pg_bin" ]
}

# As somebody who is not root: a server refuses to be.
pg_as() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=nobody --regid="$(id -g nobody)" \
		    --clear-groups env HOME=/ "$@"
	else
		"$@"
	fi
}

# pg_make DIR: a folder for a server, which its user owns.
pg_make() {
	mkdir -p "$1" && chmod 700 "$1" || return 1
	[ "$(id -u)" -ne 0 ] || chown nobody "$1"
}

# pg_create DIR: a new one in it, with a database "ocsign" once it runs.
pg_create() {
	pg_make "$1" || return 1
	(cd "$1" && pg_as "$pg_bin/initdb" -D "$1/data" -U ocsign -A trust \
	    -E UTF8 --locale=C >initdb.log 2>&1) || {
		cat "$1/initdb.log"
		return 1
	}
	pg_configure "$1"
}

# pg_configure DIR: where it listens; fsync stays on.
pg_configure() {
	cat >>"$1/data/postgresql.conf" <<-EOF
	listen_addresses = ''
	unix_socket_directories = '$1'
	shared_buffers = 32MB
	log_min_messages = fatal
	EOF
}

# pg_start DIR; pg_stop DIR [MODE]
pg_start() {
	(cd "$1" && pg_as "$pg_bin/pg_ctl" -D "$1/data" -w -t 60 \
	    -l "$1/log" start >/dev/null) || {
		cat "$1/log"
		return 1
	}
}
pg_stop() {
	(cd "$1" && pg_as "$pg_bin/pg_ctl" -D "$1/data" -w -t 60 \
	    -m "${2:-immediate}" stop >/dev/null 2>&1)
}

# pg_sql DIR TEXT: what it says, bare.
pg_sql() {
	psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$1" -U ocsign \
	    -d "${3:-ocsign}" -c "$2"
}
