#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Can the lints fail?  Each gets a tree with one bad line and must name it,
# and the same tree without it and must be content.

. "$(dirname -- "$0")/files.sh"

dir=$(mktemp -d "${TMPDIR:-/tmp}/ocsign-lint-XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
failed=0
tab=$(printf '\t')
licence='/* SPDX-License-Identifier: Apache-2.0 */'

# A small tree in which all is well.
fresh() {
	rm -rf "$dir/t"
	mkdir -p "$dir/t/src/base" "$dir/t/src/der" "$dir/t/src/store" \
	    "$dir/t/ocsp" "$dir/t/pkcs11" "$dir/t/man" "$dir/t/tests" \
	    "$dir/t/src/probe" "$dir/t/tests/conformance"
	cat >"$dir/t/src/base/thing.h" <<END
$licence
#ifndef BASE_THING_H
#define BASE_THING_H
#include <stdint.h>
/* A comment with oddly(named) things in it; and more. */
enum oc_thing {
${tab}OC_THING_ONE = 1,	/* one */
${tab}OC_THING_TWO
};
struct oc_box {
${tab}void (*run)(struct oc_box *box);
};
typedef void run_fn(void *arg);
#define oc_twice(x) \\
${tab}strange((x), (x))
const char *oc_thing_name(enum oc_thing thing);
static inline int
oc_thing_value(enum oc_thing thing)
{
${tab}return other((int)thing);
}
int oc_thing_parse(const char *text,
    enum oc_thing *thing) __attribute__((warn_unused_result));
#endif
END
	cat >"$dir/t/src/base/thing.c" <<END
$licence
#include "base/thing.h"

#include <ini.h>

const char *
oc_thing_name(enum oc_thing thing)
{
${tab}switch (thing) {
${tab}case OC_THING_ONE:
${tab}${tab}return "default: one";
${tab}case OC_THING_TWO:
${tab}${tab}return "two";	/* default: */
${tab}}
${tab}switch (errno) {
${tab}case EINTR:
${tab}${tab}return "again";
${tab}default:
${tab}${tab}return 0;
${tab}}
}
END
	printf '%s\n#include "base/thing.h"\n#include "der/x.h"\n' \
	    "$licence" >"$dir/t/ocsp/answer.c"
	cat >"$dir/t/src/room.am" <<END
# SPDX-License-Identifier: Apache-2.0
libcore_la_SOURCES += src/base/thing.c src/base/thing.h \\
${tab}ocsp/answer.c
dist_man_MANS += man/thing.1
END
	printf '.\\" SPDX-License-Identifier: Apache-2.0\n' \
	    >"$dir/t/man/thing.1"
	printf '.Dd January 1, 2026\n.Dt THING 1\n.Os\n.Sh NAME\n' \
	    >>"$dir/t/man/thing.1"
	printf '.Nm thing\n.Nd one thing\n.Sh DESCRIPTION\nIt is.\n' \
	    >>"$dir/t/man/thing.1"
	printf '%s\nvoid\ncase_one(void)\n{\n}\n\t{ "one", 0 },\n' \
	    "$licence" >"$dir/t/src/probe/case_x.c"
	{
		echo '# SPDX-License-Identifier: Apache-2.0'
		echo 'libcore_la_SOURCES += src/probe/case_x.c'
	} >"$dir/t/tests/conformance/room.am"
	{
		echo '1 one RFC6960:A.1 probe=pass'
		for n in $(awk 'BEGIN { while (++n < 118) print n + 1 }'); do
			echo "$n case$n - open"
		done
	} >"$dir/t/tests/conformance/cases"
}

# complains LINT FILE: it must fail and say where.
complains() {
	out=$("$lint_dir/$1.sh" "$dir/t" 2>&1)
	status=$?
	case $status,$out in
	0,*)
		echo "FAIL: $1 does not mind: $3"
		failed=1
		;;
	*,*"$2"*)
		echo "ok: $1: $3" ;;
	*)
		echo "FAIL: $1 fails without naming $2: $3"
		echo "$out"
		failed=1
		;;
	esac
}

# bad LINT FILE LINE: the line is put at the end of the file, made if need be.
bad() {
	fresh
	[ -f "$dir/t/$2" ] || echo "$licence" >"$dir/t/$2"
	printf '%s\n' "$3" >>"$dir/t/$2"
	complains "$1" "$2" "$3"
}

fresh
for lint in cases dist layers names size spdx switch man paths todo; do
	"$lint_dir/$lint.sh" "$dir/t" >"$dir/out" 2>&1
	status=$?
	if [ $lint = man ] && [ $status -eq 77 ]; then
		continue
	fi
	if [ $status -ne 0 ]; then
		echo "FAIL: $lint complains about a good tree:"
		cat "$dir/out"
		failed=1
	fi
done

for line in '120 far - open' '118 case7 - open' '118 x RFC6960 open' \
    '118 x -' '118 x - probe=pass' '118 one - probe=pass' '118 x - maybe' \
    '118 x - tests/no.sh' '118 x - tests/conformance/room.am' \
    '118 x - src/probe/case_x.c:case_one' \
    '118 x - tests/conformance/cases:case_one' '119 more - open'; do
	bad cases tests/conformance/cases "$line"
done
fresh
echo '	{ "two", 0 },' >>"$dir/t/src/probe/case_x.c"
complains cases 'the probe'"'"'s two' "a case of the probe that is missing"
fresh
sed -i 118d "$dir/t/tests/conformance/cases"
complains cases '117 cases' "a number that is missing"
bad dist src/der/x.c 'int x;'
bad dist src/base/thing.hh.h 'int x;'
bad dist tests/x.sh 'x=1'
bad layers src/base/thing.c '#include "der/reader.h"'
bad layers src/der/x.c '#include "x509/name.h"'
bad layers src/der/x.c '#include <openssl/evp.h>'
bad layers src/base/x.h '#  include <openssl/evp.h>'
bad layers src/store/x.c '#include <event2/event.h>'
bad layers src/der/x.c '#include <sqlite3.h>'
bad layers ocsp/answer.c '#include <p11-kit/pkcs11.h>'
bad layers ocsp/answer.c '#include <libp11.h>'
bad layers ocsp/answer.c '#include "ocsp/http.h"'
bad layers ocsp/request.c '#include "ocsp/answer.h"'
bad layers ocsp/http.c '#include "store/store.h"'
bad layers src/der/x.c '#include "reader.h"'
bad layers src/der/x.c '#include "nowhere/reader.h"'
bad names src/base/thing.h 'int thing_count(void);'
bad names src/base/thing.h 'int *der_count(int (*oc_f)(int));'
bad names src/der/x.h 'static inline int oc_len(int x) { return x; }'
bad names src/der/x.h 'int crl_len(int x);'
bad names src/store/store.h 'int sqlite_open(void);'
bad names ocsp/x.h 'void x509_put(void);'
bad size src/der/x.c 'int x; '
bad size src/der/x.c '        int x;'
bad size src/der/x.c " ${tab}int x;"
bad size src/der/x.c "${tab}${tab}${tab}int x$(printf '%051d' 0);"
bad size tests/x.sh "x=1 "
bad switch src/der/x.c 'void f(int x) { switch (x) {
case OC_THING_ONE:
	switch (errno) { case EINTR: break; }
default:
	break; } }'
bad paths src/der/x.c 'const char *x = "/home/somebody/ocsign";'
bad paths src/der/x.c '/* see /srv/notes */'
bad todo src/der/x.c '/* TODO: all of it */'
bad todo tests/x.sh '# FIXME'

fresh
echo 'int x;' >"$dir/t/src/der/x.c"
complains spdx src/der/x.c "a file without a licence"

fresh
{
	echo "$licence"
	printf 'int\nf(void)\n{\n'
	i=0
	while [ $i -lt 81 ]; do
		printf '\tg();\n'
		i=$((i + 1))
	done
	echo '}'
} >"$dir/t/src/der/x.c"
complains size src/der/x.c "a function of 81 lines"

fresh
{
	echo "$licence"
	i=0
	while [ $i -lt 700 ]; do
		echo 'int x;'
		i=$((i + 1))
	done
} >"$dir/t/src/der/x.c"
complains size src/der/x.c "a file of 701 lines"

if command -v mandoc >/dev/null; then
	fresh
	printf '.Bl -tag\n.It x\n' >>"$dir/t/man/thing.1"
	complains man man/thing.1 "a list without its end"
fi

exit $failed
