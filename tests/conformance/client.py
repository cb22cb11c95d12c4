# SPDX-License-Identifier: Apache-2.0
#
# python3 client.py URL CA CERTIFICATE HASH: asks with Python's cryptography
# and prints what the answer says, one "name value" a line; what it would not
# believe it says, and ends with 1.

import sys
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

url, ca_path, cert_path, name = sys.argv[1:5]
with open(ca_path, "rb") as f:
    ca = x509.load_pem_x509_certificate(f.read())
with open(cert_path, "rb") as f:
    cert = x509.load_pem_x509_certificate(f.read())
algorithm = {"sha1": hashes.SHA1, "sha256": hashes.SHA256,
             "sha384": hashes.SHA384, "sha512": hashes.SHA512}[name]()
nonce = b"thirty-two octets, not random..."
request = (ocsp.OCSPRequestBuilder()
           .add_certificate(cert, ca, algorithm)
           .add_extension(x509.OCSPNonce(nonce), critical=False)
           .build().public_bytes(serialization.Encoding.DER))
with urllib.request.urlopen(urllib.request.Request(
        url, data=request,
        headers={"Content-Type": "application/ocsp-request"}),
        timeout=20) as reply:
    answer = ocsp.load_der_ocsp_response(reply.read())

print("response", answer.response_status.name)
if answer.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
    sys.exit(0)
asked = ocsp.load_der_ocsp_request(request)
if (answer.serial_number, answer.issuer_name_hash, answer.issuer_key_hash,
        answer.hash_algorithm.name) != (
        asked.serial_number, asked.issuer_name_hash, asked.issuer_key_hash,
        asked.hash_algorithm.name):
    sys.exit("another CertID")
if answer.extensions.get_extension_for_class(
        x509.OCSPNonce).value.nonce != nonce:
    sys.exit("another nonce")
signer = answer.certificates[0] if answer.certificates else ca
if signer is not ca:
    ca.public_key().verify(signer.signature, signer.tbs_certificate_bytes,
                           ec.ECDSA(signer.signature_hash_algorithm))
if x509.SubjectKeyIdentifier.from_public_key(
        signer.public_key()).digest != answer.responder_key_hash:
    sys.exit("another responder")
signer.public_key().verify(answer.signature, answer.tbs_response_bytes,
                           ec.ECDSA(answer.signature_hash_algorithm))
print("status", answer.certificate_status.name)
if answer.revocation_reason is not None:
    print("reason", answer.revocation_reason.value)
print("algorithm", answer.signature_algorithm_oid.dotted_string)
