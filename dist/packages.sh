#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: dist/packages.sh [-n] FOR...
# FOR is build, demo, test or peer; see tests/packages.
#
# Installs what is missing where there is apt-get, as root or by sudo, asking
# nothing; elsewhere, and with -n, says what is missing.  Exit status 1: some
# of it is still missing.

set -u
top=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
PATH=$PATH:/usr/sbin:/sbin

may_install=yes
if [ "${1-}" = -n ]; then
	may_install=no
	shift
fi
if [ $# -eq 0 ]; then
	echo "usage: dist/packages.sh [-n] build|demo|test|peer..." >&2
	exit 2
fi

is_there() {
	case $1 in
	pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
	file:*) [ -e "${1#file:}" ] ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# The packages of these kinds that are not there.
missing() {
	while read -r kind package probe; do
		case " $* " in
		*" $kind "*) is_there "$probe" || printf ' %s' "$package" ;;
		esac
	done <"$top/tests/packages"
}

# As root.  A server that a test starts itself must not be started by its
# package too: policy-rc.d says so while we install.
install_them() {
	"$@" env DEBIAN_FRONTEND=noninteractive sh -c '
		policy=/usr/sbin/policy-rc.d
		if [ ! -e $policy ]; then
			printf "#!/bin/sh\nexit 101\n" >$policy &&
			    chmod 755 $policy
			trap "rm -f $policy" EXIT
			trap "exit 1" HUP INT TERM
		fi
		get="apt-get -q -y --no-install-recommends"
		$get install "$@" || { $get update && $get install "$@"; }
	' sh $packages </dev/null
}

packages=$(missing "$@")
if [ -z "$packages" ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "missing (by their names in Debian):$packages" >&2
	exit 1
fi
if [ $may_install = no ]; then
	echo "missing:$packages" >&2
	exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
	install_them
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	install_them sudo -n
else
	echo "missing; to install: sudo apt-get install$packages" >&2
	exit 1
fi >&2
packages=$(missing "$@")
if [ -n "$packages" ]; then
	echo "could not install:$packages" >&2
	exit 1
fi
