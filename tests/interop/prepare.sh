# SPDX-License-Identifier: Apache-2.0
#
# usage: sh prepare.sh service|lib TAR
#
# What the scripts on top of service.sh and of lib.sh begin with, made once for
# all of them: token, store and certificates of the CA that they make with the
# configuration as it is written there.

kind=$1
case $2 in
/*) tar=$2 ;;
*) tar=$(pwd)/$2 ;;
esac
. "${top_srcdir:?}/tests/interop/$kind.sh"
prepared=none
case $kind in
service)
	ca_folder
	ca_make
	;;
lib)
	write_config
	make_cas
	rm -f out err
	;;
esac
rm -f ocsign.conf softhsm*.conf ./*.pin
# Not the folder itself: whose it is and its mode are the script's.
tar -cf "$tar.part" -- * && mv "$tar.part" "$tar"
