# SPDX-License-Identifier: Apache-2.0
#
# python3 prefer.py IN OUT WORD...: an OCSP request without extensions, and
# with PreferredSignatureAlgorithms (RFC 6960, 4.4.7).  "garbage" is a list
# that is none.

import sys

ALGORITHMS = {
    "rsa-sha1": "300d06092a864886f70d0101050500",
    "rsa-sha256": "300d06092a864886f70d01010b0500",
    "ecdsa-sha1": "300906072a8648ce3d0401",
    "ecdsa-sha256": "300a06082a8648ce3d040302",
    "ecdsa-sha384": "300a06082a8648ce3d040303",
    "ed448": "300506032b6571",
}
PREFERRED = bytes.fromhex("06092b0601050507300108")


def wrap(tag, contents):
    length = len(contents)
    if length < 0x80:
        head = bytes([tag, length])
    else:
        octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
        head = bytes([tag, 0x80 | len(octets)]) + octets
    return head + contents


def unwrap(der):
    """The contents of the one TLV that it is."""
    at = 2
    length = der[1]
    if length >= 0x80:
        at += length & 0x7f
        length = int.from_bytes(der[2:at], "big")
    assert at + length == len(der)
    return der[at:]


with open(sys.argv[1], "rb") as f:
    tbs = unwrap(unwrap(f.read()))
words = sys.argv[3:]
value = b"\x30\x03\x02" if words == ["garbage"] else wrap(0x30, b"".join(
    wrap(0x30, bytes.fromhex(ALGORITHMS[word])) for word in words))
extension = wrap(0x30, PREFERRED + wrap(0x04, value))
extensions = wrap(0xa2, wrap(0x30, extension))
with open(sys.argv[2], "wb") as f:
    f.write(wrap(0x30, wrap(0x30, tbs + extensions)))
