# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the benches of whole servers: what their processes take, and
# medians.  Servers have one CPU, the client another.

. "$top_srcdir/tests/interop/failure.sh"
seconds=${BENCH_SECONDS:-3}
rounds=${BENCH_ROUNDS:-5}
server_cpus=${BENCH_SERVER_CPUS:-0}
client_cpus=${BENCH_CLIENT_CPUS:-1}
taskset -c "$client_cpus" true 2>/dev/null || client_cpus=$server_cpus
tools=$top_builddir/tests/bench

# cpu PID...: how long their threads have run, in ns.
cpu() {
	for cpu_pid; do
		cat /proc/"$cpu_pid"/task/*/schedstat
	done | awk '{ ns += $1 } END { printf "%.0f\n", ns }'
}

# median FILE FIELD
median() {
	sort -n -k"$2,$2" "$1" |
	    awk -v f="$2" '{ r[NR] = $f } END { print r[int((NR + 1) / 2)] }'
}

# report NAME UNIT: the line for the rounds in the file rates, ours and the
# peer's in each; the ratio is the median of the rounds' own.
report() {
	awk '{ print $1, $2, $1 / $2 }' rates >ratios
	printf '%s %.0f %.0f %.2f %s\n' "$1" "$(median ratios 1)" \
	    "$(median ratios 2)" "$(median ratios 3)" "$2"
}
