dnl SPDX-License-Identifier: Apache-2.0
dnl
dnl OCSIGN_FLAGS: warnings, hardening, sanitizers, coverage.  Everything lands
dnl in OCSIGN_CFLAGS, OCSIGN_CPPFLAGS, OCSIGN_LDFLAGS and, for programs only,
dnl OCSIGN_PIE, so that the user's CFLAGS stay the user's.

AC_DEFUN([OCSIGN_TRY_CFLAG],
    [AS_VAR_PUSHDEF([cached], [ocsign_cv_cflag_$1])
     AC_CACHE_CHECK([whether $CC takes $1], [cached],
        [saved_CFLAGS=$CFLAGS
         CFLAGS="$CFLAGS -Werror $1"
         AC_LINK_IFELSE([AC_LANG_PROGRAM()],
            [AS_VAR_SET([cached], [yes])], [AS_VAR_SET([cached], [no])])
         CFLAGS=$saved_CFLAGS])
     AS_VAR_IF([cached], [yes], [$2="$$2 $1"])
     AS_VAR_POPDEF([cached])])

AC_DEFUN([OCSIGN_TRY_LDFLAG],
    [AS_VAR_PUSHDEF([cached], [ocsign_cv_ldflag_$1])
     AC_CACHE_CHECK([whether the linker takes $1], [cached],
        [saved_LDFLAGS=$LDFLAGS
         LDFLAGS="$LDFLAGS $1"
         AC_LINK_IFELSE([AC_LANG_PROGRAM()],
            [AS_VAR_SET([cached], [yes])], [AS_VAR_SET([cached], [no])])
         LDFLAGS=$saved_LDFLAGS])
     AS_VAR_IF([cached], [yes], [$2="$$2 $1"])
     AS_VAR_POPDEF([cached])])

AC_DEFUN([OCSIGN_FLAGS], [
AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [treat warnings as errors])],
    [], [enable_werror=no])
AC_ARG_ENABLE([hardening],
    [AS_HELP_STRING([--disable-hardening],
        [do not add PIE, RELRO, stack protector and FORTIFY (nor does a build
        for a sanitizer, unless it is asked to)])],
    [], [enable_hardening=auto])
AC_ARG_ENABLE([sanitize],
    [AS_HELP_STRING([--enable-sanitize=LIST],
        [address,undefined or thread: build for that sanitizer])],
    [], [enable_sanitize=no])
AC_ARG_ENABLE([coverage],
    [AS_HELP_STRING([--enable-coverage], [build for gcov])],
    [], [enable_coverage=no])
AC_ARG_ENABLE([fuzzer],
    [AS_HELP_STRING([--enable-fuzzer],
        [build the fuzz targets with libFuzzer (clang only)])],
    [], [enable_fuzzer=no])

OCSIGN_CFLAGS="-std=gnu11 -fvisibility=hidden"
OCSIGN_CPPFLAGS=
OCSIGN_LDFLAGS=
OCSIGN_PIE=
for flag in -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
    -Wswitch-enum -Wvla -Wpointer-arith -Wwrite-strings -Wundef \
    -Wformat=2 -Wno-missing-field-initializers; do
        OCSIGN_CFLAGS="$OCSIGN_CFLAGS $flag"
done
AS_IF([test "$enable_werror" = yes], [OCSIGN_CFLAGS="$OCSIGN_CFLAGS -Werror"])

AS_CASE([$enable_sanitize],
    [no], [],
    [yes], [enable_sanitize=address,undefined],
    [address|undefined|thread|address,undefined|undefined,address], [],
    [thread,undefined|undefined,thread], [],
    [AC_MSG_ERROR([--enable-sanitize=$enable_sanitize: not address, undefined,
thread, or undefined with one of the two others])])
AS_IF([test "$enable_sanitize" != no], [
    OCSIGN_CFLAGS="$OCSIGN_CFLAGS -fsanitize=$enable_sanitize -fno-omit-frame-pointer"
    OCSIGN_CFLAGS="$OCSIGN_CFLAGS -fno-sanitize-recover=all"
    dnl What is read before it is set shall not find the zeros of a fresh stack.
    OCSIGN_TRY_CFLAG([-ftrivial-auto-var-init=pattern], [OCSIGN_CFLAGS])
    OCSIGN_LDFLAGS="$OCSIGN_LDFLAGS -fsanitize=$enable_sanitize"
    dnl Each round of the PIN's hash allocates, and a thousand programs log in.
    OCSIGN_CPPFLAGS="$OCSIGN_CPPFLAGS -DP11_PIN_QUICK"])
AS_IF([test "$enable_fuzzer" = yes], [
    OCSIGN_CFLAGS="$OCSIGN_CFLAGS -fsanitize=fuzzer-no-link"])
AM_CONDITIONAL([FUZZER], [test "$enable_fuzzer" = yes])
AM_CONDITIONAL([SANITIZE], [test "$enable_sanitize" != no])
AS_IF([test "$enable_coverage" = yes], [
    OCSIGN_CFLAGS="$OCSIGN_CFLAGS --coverage"
    OCSIGN_LDFLAGS="$OCSIGN_LDFLAGS --coverage"])

dnl A program links the libraries that it uses, and no others of the core's.
OCSIGN_TRY_LDFLAG([-Wl,--as-needed], [OCSIGN_LDFLAGS])

dnl What is relocated, and bound at once, is most of how long a program of a
dnl sanitizer's takes to start.
AS_IF([test "$enable_hardening" = auto], [
    enable_hardening=yes
    AS_CASE([$enable_sanitize], [no], [], [
        enable_hardening=no
        AS_CASE([$enable_sanitize], [*address*], [
            OCSIGN_TRY_LDFLAG([-no-pie], [OCSIGN_PIE])
            AS_IF([test -n "$OCSIGN_PIE"], [
                OCSIGN_TRY_CFLAG([-fno-pie], [OCSIGN_CFLAGS])])])])])
AS_IF([test "$enable_hardening" = yes], [
    OCSIGN_TRY_CFLAG([-fstack-protector-strong], [OCSIGN_CFLAGS])
    OCSIGN_TRY_CFLAG([-fstack-clash-protection], [OCSIGN_CFLAGS])
    AS_CASE([$host_cpu], [x86_64|i?86],
        [OCSIGN_TRY_CFLAG([-fcf-protection], [OCSIGN_CFLAGS])])
    OCSIGN_TRY_CFLAG([-fPIE], [OCSIGN_CFLAGS])
    OCSIGN_TRY_LDFLAG([-pie], [OCSIGN_PIE])
    OCSIGN_TRY_LDFLAG([-Wl,-z,relro], [OCSIGN_LDFLAGS])
    OCSIGN_TRY_LDFLAG([-Wl,-z,now], [OCSIGN_LDFLAGS])
    OCSIGN_TRY_LDFLAG([-Wl,-z,noexecstack], [OCSIGN_LDFLAGS])
    dnl FORTIFY needs the optimiser, hides what a sanitizer would show, and
    dnl may already be set in the user's CPPFLAGS (dpkg-buildflags does).
    AS_CASE(["$CFLAGS $enable_sanitize"],
        [*-O0*|*address*|*thread*], [],
        [AS_CASE(["$CPPFLAGS $CFLAGS"], [*FORTIFY_SOURCE*], [],
            [OCSIGN_CPPFLAGS="$OCSIGN_CPPFLAGS -D_FORTIFY_SOURCE=2"])])])
AC_SUBST([OCSIGN_CFLAGS])
AC_SUBST([OCSIGN_CPPFLAGS])
AC_SUBST([OCSIGN_LDFLAGS])
AC_SUBST([OCSIGN_PIE])
])
