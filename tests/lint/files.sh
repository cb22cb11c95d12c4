# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the lints: which files there are.  Found by looking, not by
# asking git, so that a tarball is checked too.  $1 of a lint or $top_srcdir
# is the tree.

root=${1:-${top_srcdir:-.}}
lint_dir=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 99
cd "$root" || exit 99
LC_ALL=C
export LC_ALL

# find_in 'DIR...' EXPRESSION...: whatever is hidden or generated stays out.
find_in() {
	dirs=
	for d in $1; do
		[ -e "$d" ] && dirs="$dirs $d"
	done
	shift
	[ -z "$dirs" ] && return
	# shellcheck disable=SC2086
	find -L $dirs -name '.?*' -prune -o -type f \( "$@" \) -print | sort
}

# The C of the programs.
source_files() {
	find_in 'src pkcs11 ocsp' -name '*.[ch]'
}

# All C.
c_files() {
	find_in 'src pkcs11 ocsp tests' -name '*.[ch]'
}

script_files() {
	find_in 'quickstart check src pkcs11 ocsp tests dist debian .ci' \
	    -name '*.sh' -o -name '*.awk' -o -name quickstart -o -name check
}

# All that a person writes, data aside.
text_files() {
	find_in 'src pkcs11 ocsp tests man dist' \
	    -name '*.[ch]' -o -name '*.sh' -o -name '*.awk' -o -name '*.am' \
	    -o -name '*.py' -o -name '*.[1-8]' -o -name '*.conf' \
	    -o -name '*.supp' -o -name '*.service' -o -name '*.socket' \
	    -o -name packages -o -name README | grep -v '^tests/data/'
	find_in 'Makefile.am configure.ac quickstart check README HACKING
	    DECISIONS CHANGES SECURITY SIZE' -name '*'
	find_in m4 -name 'ocsign-*.m4'
}
