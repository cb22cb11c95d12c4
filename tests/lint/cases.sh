#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# tests/conformance/cases is whole: 118 numbers, in order, each with what
# shows it, which is there; and every case of the probe is in it.

. "$(dirname -- "$0")/files.sh"

list=tests/conformance/cases
status=0
complain() {
	echo "$list:$1"
	status=1
}

# The rows of the probe's tables.
rows=$(sed -n 's/^	{ "\([^"]*\)",.*/\1/p' src/probe/case_*.c | tr '\n' ' ')
scripts=$(cat tests/*/room.am)

# shows WHERE EVIDENCE NAME
shows() {
	case $2 in
	open)
		;;
	probe=pass | probe=policy | probe=skipped)
		case " $rows" in
		*" $3 "*) ;;
		*) complain "$1: the probe has no case $3" ;;
		esac
		;;
	tests/*:*)
		grep -qsw "^$(echo "$2" | sed 's/.*://')" "${2%:*}" ||
		    complain "$1: there is no $2"
		;;
	tests/*)
		case $scripts in
		*"$2"*) ;;
		*) complain "$1: nothing runs $2" ;;
		esac
		[ -f "$2" ] || complain "$1: there is no $2"
		;;
	*)
		complain "$1: what is $2?"
		;;
	esac
}

last=0 n=0 names=' '
while read -r number name clause evidence; do
	n=$((n + 1))
	case $number in
	'' | \#*) continue ;;
	esac
	[ "$number" -eq $last ] || [ "$number" -eq $((last + 1)) ] ||
	    complain "$n: $number behind $last"
	last=$number
	case $names in
	*" $name "*) complain "$n: $name comes twice" ;;
	esac
	names="$names$name "
	echo "$clause" | grep -Eq '^(RFC[0-9]+|X690|BR):[A-Z0-9.]+$|^-$' ||
	    complain "$n: $clause is no clause"
	[ -n "$evidence" ] || complain "$n: what shows $name?"
	for one in $evidence; do
		shows $n "$one" "$name"
	done
done <$list
[ $last -eq 118 ] || complain " there are $last cases, not 118"
for row in $rows; do
	case $names in
	*" $row "*) ;;
	*) complain " the probe's $row is not in it" ;;
	esac
done
exit $status
