# SPDX-License-Identifier: Apache-2.0

BEGIN {
	# What a room may include beside itself.
	may["base"] = ""
	may["der"] = "base"
	may["sign"] = "base der"
	may["x509"] = "base der sign"
	may["lint"] = "base der sign x509"
	may["store"] = "base"
	may["transfer"] = "base der sign x509 store status"
	may["status"] = "base der sign x509 store"
	# What ocsign-status does with the sources.
	may["status-service"] = "base der sign x509 store status ipc " \
	    "net ocsp-codec ocsp-engine fetch validation"
	may["fetch"] = "base der sign x509 status ipc"
	may["ca"] = "base der sign x509 lint cfssl store"
	may["cfssl"] = "base der sign x509"
	may["ipc"] = "base der sign"
	may["pkcs11"] = "base der sign x509 ipc"
	may["ocsp-codec"] = "base der sign"
	may["ocsp-engine"] = "base der sign x509 ocsp-codec"
	may["ocsp-net"] = "base der ipc ocsp-codec ocsp-engine"
	may["probe"] = "base der sign x509 ocsp-codec"
	may["daemon"] = "base ipc"
	may["net"] = "base"
	may["validation"] = "base der net ipc"
	may["acme"] = "base der sign x509 ca store net validation"
	may["proof"] = "base store validation acme"
	may["issuer"] = "base der sign x509 ca store cfssl ipc net " \
	    "validation acme proof ocsp-codec ocsp-engine"
	# These wire parts together.
	may["cli"] = "*"
	may["main"] = "*"

	# Which rooms may include a library's header.
	library["event2"] = "ocsp-net ipc status-service net validation " \
	    "acme issuer daemon main"
	library["sqlite3.h"] = "store status transfer"
	library["libpq-fe.h"] = "store status transfer"
	library["libp11.h"] = "pkcs11"
	library["pkcs11.h"] = "pkcs11"
	library["p11-kit"] = "pkcs11"
	library["ini.h"] = "base"
	library["curl"] = "fetch validation"
	library["unbound.h"] = "validation"
	library["idn2.h"] = "ca lint"
	library["pcre2.h"] = "ca"
	library["libpsl.h"] = "lint"
	library["openssl"] = "sign x509 lint store status transfer ca " \
	    "cfssl ipc probe pkcs11 ocsp-codec ocsp-engine net validation " \
	    "acme proof issuer cli main"
	engine = "^(answer|asked|context|counts|identity|preferred|proof|" \
	    "refresh|served|table[._])"
	source = "^(status\\.h|own|index_txt|crl|issued|certdb|list|records|" \
	    "state|watch)"
	codec = "^(certid|extension|request|response|single)[._]"
	status = 0
}

function complain(what) {
	print FILENAME ":" FNR ": " what
	status = 1
}

function has(list, word) {
	return list == "*" || index(" " list " ", " " word " ") > 0
}

function room_of(path,    part, n) {
	sub(/^\.\//, "", path)
	sub(/^src\//, "", path)
	n = split(path, part, "/")
	if (n < 2)
		return ""
	if (part[1] == "status" &&
	    part[2] !~ source)
		return "status-service"
	if (part[1] == "ocsp") {
		if (part[2] ~ engine)
			return "ocsp-engine"
		if (!(part[2] ~ codec))
			return "ocsp-net"
		return "ocsp-codec"
	}
	return part[1]
}

FNR == 1 {
	room = room_of(FILENAME)
	own = room
	if (FILENAME ~ /_main\.c$/)
		room = "main"
	if (FILENAME != "/dev/null" && !(own in may))
		complain("layers.awk does not know the room " own)
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	if (part[2] == "config.h")
		next
	other = room_of(part[2])
	if (other == "")
		complain("write #include \"room/" part[2] "\"")
	else if (!(other in may))
		complain("there is no room " other)
	else if (other != own && !has(may[room], other))
		complain(room " may not include " part[2])
	next
}

/^[ \t]*#[ \t]*include[ \t]*</ {
	header = $0
	sub(/^[^<]*</, "", header)
	sub(/>.*/, "", header)
	top = header
	sub(/\/.*/, "", top)
	base = header
	sub(/.*\//, "", base)
	if (!(top in library))
		top = base
	if (top in library && !has(library[top], room) &&
	    !has(library[top], own))
		complain(room " may not include <" header ">")
}

END { exit status }
