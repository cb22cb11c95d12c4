# SPDX-License-Identifier: Apache-2.0
#
# A declaration is what stands outside braces up to ';' or '}'; its name is
# what stands before its first '('.

BEGIN {
	prefix["base"] = "oc_"
	prefix["der"] = "der_"
	prefix["sign"] = "sign_ signer_"
	prefix["x509"] = "x509_"
	prefix["lint"] = "lint_"
	prefix["store"] = "store_"
	prefix["status"] = "status_"
	prefix["transfer"] = "transfer_"
	prefix["ca"] = "ca_"
	prefix["cfssl"] = "cfssl_"
	prefix["ipc"] = "ipc_"
	prefix["cli"] = "cli_"
	prefix["daemon"] = "daemon_"
	prefix["pkcs11"] = "p11_"
	prefix["ocsp"] = "ocsp_ http_"
	prefix["probe"] = "probe_"
	prefix["net"] = "net_ http_"
	prefix["validation"] = "validation_"
	prefix["acme"] = "acme_"
	prefix["proof"] = "proof_"
	prefix["issuer"] = "issuer_"
	prefix["fetch"] = "fetch_"
	status = 0
}

function begin_file(    part, path) {
	path = FILENAME
	sub(/^\.\//, "", path)
	sub(/^src\//, "", path)
	split(path, part, "/")
	room = part[1]
	allowed = prefix[room]
	if (path == "base/reason.h" || path ~ /^x509\/crl/)
		allowed = allowed " crl_"
	# Private to the folder: statements, and what one database needs.
	if (path ~ /^store\/(sql|postgres)/)
		allowed = allowed " sql_ sqlite_ postgres_"
	depth = 0
	in_directive = 0
	declaration = ""
}

function check(text,    n, part, i, name) {
	if (text ~ /^[ \t]*typedef/ || index(text, "(") == 0)
		return
	name = text
	sub(/[ \t]*\(.*/, "", name)
	sub(/.*[^A-Za-z0-9_]/, "", name)
	if (name == "" || name == "_Static_assert" || name == "__attribute__")
		return
	n = split(allowed, part, " ")
	for (i = 1; i <= n; i++)
		if (index(name, part[i]) == 1)
			return
	print FILENAME ":" FNR ": " name "() does not start with " allowed
	status = 1
}

FNR == 1 { begin_file() }

{
	line = strip($0)
	is_directive = in_directive || line ~ /^[ \t]*#/
	in_directive = is_directive && line ~ /\\$/
	if (is_directive)
		next
	n = split(line, chars, "")
	for (i = 1; i <= n; i++) {
		c = substr(line, i, 1)
		if (c == "{") {
			depth++
		} else if (c == "}") {
			depth--
			# A function's body ends its declaration; a struct's
			# is followed by ';'.
			if (depth == 0 && index(declaration, "(") > 0) {
				check(declaration)
				declaration = ""
			}
		} else if (depth == 0 && c == ";") {
			check(declaration)
			declaration = ""
		} else if (depth == 0) {
			declaration = declaration c
		}
	}
	if (depth == 0)
		declaration = declaration " "
}

END { exit status }
