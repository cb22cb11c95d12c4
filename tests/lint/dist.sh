#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A file that no fragment names is missing from the tarball.

. "$(dirname -- "$0")/files.sh"

# Names as words between blanks.  "check" is there by dist-hook.
# shellcheck disable=SC2046
named=" check $(cat $(find_in 'Makefile.am src pkcs11 ocsp tests man dist' \
    -name '*.am') /dev/null | tr -s ' \t\\\n' ' ') "
status=0
for f in $(c_files; script_files; find_in man -name '*.[1-8]'); do
	case $named in
	*" $f "*) ;;
	*)
		echo "$f: no fragment names it, so it is not in the tarball"
		status=1
		;;
	esac
done
exit $status
