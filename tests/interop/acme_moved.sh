#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# [acme] issuer is another from one day on: what the old one has issued is
# still fetched with its own chain, renewed, replaced and revoked.

. "$top_srcdir/tests/interop/acme.sh"
is_ours || exit 77
acme_folder
cat >>ocsign.conf <<END
[issuer second]
certificate = second.pem
token = demo
key = second
allow = certificate
END
ocsign key generate --token demo --label second >/dev/null
ocsign ca create second --subject 'CN=Second Root,C=DE' >/dev/null
PYTHONDONTWRITEBYTECODE=1
PYTHONWARNINGS=ignore
PYTHONPATH=$top_srcdir/tests/interop
ACME_DIRECTORY=$directory
ACME_HTTP_PORT=$http_port
ACME_DNS_PORT=$dns_port
export PYTHONDONTWRITEBYTECODE PYTHONWARNINGS PYTHONPATH ACME_DIRECTORY \
    ACME_HTTP_PORT ACME_DNS_PORT
service_start
within 20 acme_is_there || fail "$(cat ocsignd.log)"
cat >before.py <<'END'
from acme_world import *
c = account()
certificate = Key()
names = ['a.example.test']
order = c.order(names)
c.prove(order.json(), 'http-01', responder())
url = order.headers['Location']
pem = c.finish(url, make_csr(names, certificate.key))
open('account.key', 'wb').write(c.key.pem())
open('old.key', 'wb').write(certificate.pem())
open('old.pem', 'wb').write(pem)
open('urls', 'w').write('%s %s' % (c.kid, c.good(url).json()['certificate']))
responder().close()
END
python3 before.py || fail "before: $(cat ocsignd.log)"
service_stop
sed 's/^issuer = ca$/issuer = second/; s/^\[api\]$/&\
issuers = ca/' ocsign.conf >new.conf
mv new.conf ocsign.conf
service_start
within 20 acme_is_there || fail "$(cat ocsignd.log)"
cat >after.py <<'END'
from acme_world import *
c = Client(directory, Key(pem=open('account.key', 'rb').read()))
c.kid, url = open('urls').read().split()
pem = open('old.pem', 'rb').read()
old = certificates(pem)[0]
answer = expect(c.post(url, None), 200)
assert answer.body == pem, answer
assert answer.links('alternate') == [], answer.headers
info = c.at('renewalInfo') + '/' + renewal_id(old)
assert expect(c.get(info), 200).json()['suggestedWindow']
order = expect(c.order(['a.example.test'], replaces=renewal_id(old)), 201)
assert order.json()['replaces'] == renewal_id(old), order
where = order.headers['Location']
assert c.good(where).json()['replaces'] == renewal_id(old)
new = certificates(c.finish(where, make_csr(['a.example.test'])))
assert new[0].issuer == new[1].subject != old.issuer, new
# Who issues ACME's above it has never ordered here.
expect(c.revoke(certificates(pem)[1]), 404, 'malformed')
expect(c.revoke(old, key=Key(pem=open('old.key', 'rb').read())), 200)
expect(c.revoke(new[0]), 200)
END
python3 after.py || fail "after: $(cat ocsignd.log)"
service_stop
