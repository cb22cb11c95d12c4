# SPDX-License-Identifier: Apache-2.0
#
# What each of ACME's resources says, to good and to bad requests: for
# acme_doors.sh.  Arguments: the directory, the port of http-01, and files with
# keys for external account binding, two lines each.

import datetime
import subprocess
import sys
import threading

import acme_client
from acme_client import (Client, Key, b64, binding, certificates, make_csr,
                         renewal_id)
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

directory, http_port = sys.argv[1], int(sys.argv[2])
base = directory.rsplit('/', 1)[0] + '/'
answers = acme_client.Responder(http_port)


def bound(path):
    with open(path) as file:
        return [line.split()[1] for line in file]


keys = [bound(path) for path in sys.argv[3:]]
num = 0


def expect(answer, status, kind=None, detail=''):
    """Every answer has a nonce and the way to the directory; every error is
    a problem with its status as a number."""
    global num
    num += 1
    said = '%s\n%s' % (answer, answer.headers)
    assert answer.status == status, said
    assert answer.type() == kind, said
    assert answer.headers['Replay-Nonce'], said
    assert answer.headers['Cache-Control'] == 'no-store', said
    assert answer.links('index') == [directory], said
    if kind is not None:
        problem = answer.json()
        assert problem['status'] == status, said
        assert detail in problem['detail'], said
        if kind == 'rateLimited' or status == 503:
            assert int(answer.headers['Retry-After']) > 0, said
    return answer


def dns_01(name, _, text):
    value = b64(acme_client.hashlib.sha256(text.encode()).digest())
    subprocess.run(['sh', 'update.sh', '_acme-challenge.%s. 1 TXT %s' %
                    (name, value)], check=True)


def text_of(moment):
    return moment.strftime('%Y-%m-%dT%H:%M:%SZ')


def life(certificate):
    """When it begins and ends, by whatever cryptography there is."""
    if hasattr(certificate, 'not_valid_after_utc'):
        return (certificate.not_valid_before_utc,
                certificate.not_valid_after_utc)
    return certificate.not_valid_before, certificate.not_valid_after


def is_issued(certificate, issuer):
    issuer.public_key().verify(
        certificate.signature, certificate.tbs_certificate_bytes,
        ec.ECDSA(certificate.signature_hash_algorithm))
    assert certificate.issuer == issuer.subject


def at(days):
    now = datetime.datetime.now(datetime.timezone.utc)
    return text_of(now + datetime.timedelta(days=days))


# --- for everybody

c = Client(directory)
answer = expect(c.get(directory), 200)
meta = answer.json()['meta']
assert meta['externalAccountRequired'] is True
assert meta['termsOfService'] == 'http://ca.test/terms'
assert meta['website'] == 'http://ca.test/'
assert set(meta['profiles']) == {'server', 'short'}
for name in ('newNonce', 'newAccount', 'newOrder', 'revokeCert', 'keyChange',
             'renewalInfo'):
    assert answer.json()[name].startswith(base)
nonces = {expect(c.request('HEAD', c.at('newNonce')), 200).headers[
    'Replay-Nonce'], expect(c.get(c.at('newNonce')), 204).headers[
    'Replay-Nonce']}
assert len(nonces) == 2
expect(c.get(base + 'nothing'), 404, 'malformed')
expect(c.get(c.at('newOrder')), 405, 'malformed')
expect(c.request('DELETE', directory), 405, 'malformed')
expect(c.send(c.at('newOrder'), '{}', 'application/json'), 415, 'malformed')
expect(c.send(c.at('newOrder'), '{}', None), 415, 'malformed')
expect(c.send(c.at('newOrder'), 'hello'), 400, 'malformed')
# Too long for this door, and for the server.
answer = c.send(c.at('newOrder'), ' ' * 70000)
expect(answer, answer.status, 'malformed')
try:
    answer = c.send(c.at('newOrder'), ' ' * 300000)
    assert (answer.status, answer.type()) == (413, 'malformed'), answer
except OSError:
    pass
# Whatever host is asked for.
answer = c.request('HEAD', c.at('newNonce'), headers={'Host': 'evil.test'})
expect(answer, 200)

# --- accounts

new_account = c.at('newAccount')
expect(c.register(only_existing=True), 400, 'accountDoesNotExist')
expect(c.register(), 403, 'externalAccountRequired')
kid, secret = keys[0]
answer = expect(c.register(kid, secret, termsOfServiceAgreed=False), 403,
                'userActionRequired')
assert answer.links('terms-of-service') == ['http://ca.test/terms']
assert answer.json()['instance'] == 'http://ca.test/terms', answer
expect(c.register(kid, secret, termsOfServiceAgreed='yes'), 400, 'malformed')
expect(c.register(kid, keys[1][1]), 403, 'unauthorized')
expect(c.register('0' * 32, secret), 403, 'unauthorized')
expect(c.register(externalAccountBinding=binding(
    c.key, c.at('newOrder'), kid, secret)), 400, 'malformed', 'inner url')
expect(c.register(externalAccountBinding=binding(
    Key(), new_account, kid, secret)), 400, 'malformed', 'another key')
expect(c.register(externalAccountBinding=binding(
    c.key, new_account, kid, secret, nonce='AAAA')), 400, 'malformed')
expect(c.register(kid, secret, contact=['tel:+1']), 400,
       'unsupportedContact')
expect(c.register(kid, secret, contact=['mailto:a']), 400, 'invalidContact')
answer = expect(c.register(kid, secret, contact=['mailto:a@b.test']), 201)
assert answer.json()['contact'] == ['mailto:a@b.test']
assert answer.json()['status'] == 'valid'
account = answer.headers['Location']
for answer in (c.register(), c.register(only_existing=True),
               c.register(keys[1][0], keys[1][1])):
    expect(answer, 200)
    assert answer.headers['Location'] == account
d = Client(directory, Key('RS256'))
expect(d.register(kid, secret), 403, 'unauthorized')
expect(d.register(keys[1][0], keys[1][1], 'HS384'), 201)
e = Client(directory, Key('EdDSA'))
expect(e.register(keys[2][0], keys[2][1], 'HS512'), 201)
expect(c.post(account, None), 200)
expect(d.post(account, None), 403, 'unauthorized')
expect(c.post(account, {'contact': ['mailto:c@d.test']}), 200)
assert c.good(account).json()['contact'] == ['mailto:c@d.test']
expect(c.post(account, {'contact': ['x']}), 400, 'unsupportedContact')
expect(c.post(account, {'status': 'revoked'}), 400, 'malformed')
expect(c.post(base + 'account/' + '0' * 32, None), 403, 'unauthorized')
expect(c.post(c.at('newOrder'), {}, kid=base + 'account/' + '0' * 32), 400,
       'accountDoesNotExist')
expect(c.post(c.at('newOrder'), {}, kid=account + 'x'), 400,
       'accountDoesNotExist')
expect(c.post(c.at('newOrder'), {}, kid=None), 400, 'malformed', 'kid')
expect(c.post(new_account, {}), 400, 'malformed', 'jwk')
expect(c.post(c.at('newOrder'), None), 400, 'malformed', 'payload')

# RFC 8555, 6.3: what everybody may get, an account may too.
expect(c.post(c.at('newNonce'), None), 204)
assert expect(c.post(directory, None), 200).json() == c.directory
expect(c.post(directory, {}), 400, 'malformed')
expect(c.post(c.at('renewalInfo') + '/AQ.AQ', None), 405, 'malformed')

# --- orders

expect(c.post(c.at('newOrder'), {'identifiers': []}), 400, 'malformed')
expect(c.post(c.at('newOrder'), {'identifiers': [
    {'type': 'ip', 'value': '192.0.2.1'}]}), 400, 'unsupportedIdentifier')
expect(c.order(['nowhere.test']), 400, 'rejectedIdentifier', '(zone)')
expect(c.order(['www.other.test']), 400, 'rejectedIdentifier',
       '(zone-delegated)')
answer = expect(c.order(['a.example.test', 'nowhere.test', 'b.other.test']),
                400, 'rejectedIdentifier')
assert [p['identifier']['value'] for p in answer.json()['subproblems']] == [
    'nowhere.test', 'b.other.test']
expect(c.order(['*.*.example.test']), 400, 'rejectedIdentifier',
       '(name-wildcard)')
expect(c.order(['a.example.test'], profile='long'), 400, 'invalidProfile')
expect(c.order(['a.example.test'], notAfter='tomorrow'), 400, 'malformed')
expect(c.order(['a.example.test'], notAfter=at(-1)), 400, 'malformed')
expect(c.order(['a.example.test'], notAfter=at(1000)), 400, 'malformed')
expect(c.order(['a.example.test'], notBefore=at(-2)), 400, 'malformed')
expect(c.order(['a.example.test'], notBefore=at(100)), 400, 'malformed')
expect(c.order(['a.example.test'], replaces='x'), 400, 'malformed')
expect(c.order(['a.example.test'], replaces='AQ.AQ'), 400, 'malformed')

answer = expect(c.order(['Www.Example.test', 'www.example.test',
                         '*.example.test']), 201)
order, location = answer.json(), answer.headers['Location']
assert order['status'] == 'pending' and order['profile'] == 'server'
assert order['identifiers'] == [{'type': 'dns', 'value': 'www.example.test'},
                                {'type': 'dns', 'value': '*.example.test'}]
assert len(order['authorizations']) == 2
host, wild = [expect(c.post(u, None), 200).json()
              for u in order['authorizations']]
assert host['identifier']['value'] == 'www.example.test'
assert 'wildcard' not in host and wild['wildcard'] is True
assert wild['identifier']['value'] == 'example.test'
assert {x['type'] for x in host['challenges']} == {'http-01', 'dns-01'}
assert [x['type'] for x in wild['challenges']] == ['dns-01']
for challenge in host['challenges'] + wild['challenges']:
    assert challenge['status'] == 'pending' and len(challenge['token']) >= 22
    assert not {'validated', 'error'} & set(challenge)
    answer = expect(c.post(challenge['url'], None), 200)
    assert len(answer.links('up')) == 1
    assert answer.links('up')[0] in order['authorizations']
    assert answer.json() == challenge
url = host['challenges'][0]['url']
for client, path in ((d, location), (d, order['authorizations'][0]),
                     (d, url), (e, order['finalize'])):
    expect(client.post(path, {'csr': b64(make_csr(['x.test']))}
                       if path == order['finalize'] else None), 403,
           'unauthorized')
expect(d.post(url, {}), 403, 'unauthorized')
expect(c.post(url, {'x': 1}), 400, 'malformed')
expect(c.post(base + 'order/' + '0' * 32, None), 404, 'malformed')
expect(c.post(base + 'authz/' + '0' * 32, None), 404, 'malformed')
expect(c.post(base + 'challenge/' + '0' * 32, {}), 404, 'malformed')
expect(c.post(location, {}), 400, 'malformed')
expect(c.post(order['authorizations'][0], {'status': 'valid'}), 400,
       'malformed')
csr = make_csr(['*.example.test', 'WWW.example.test'])
expect(c.post(order['finalize'], {'csr': b64(csr)}), 403, 'orderNotReady')
expect(c.post(base + 'certificate/' + location.rsplit('/', 1)[1], None), 404,
       'malformed')


def either(client, order):
    """dns-01 for wildcards, http-01 for the rest."""
    for url in order['authorizations']:
        authorization = client.good(url).json()
        if authorization['status'] == 'pending':
            is_wild = authorization.get('wildcard')
            client.begin(authorization, 'dns-01' if is_wild else 'http-01',
                         dns_01 if is_wild else answers)
    for url in order['authorizations']:
        authorization = client.wait(url, ('valid', 'invalid'))
        assert authorization['status'] == 'valid', authorization


either(c, order)
order = c.wait(location, ('ready',))
host = c.good(order['authorizations'][0]).json()
assert [x['type'] for x in host['challenges']] == ['http-01']
assert host['challenges'][0]['validated'].endswith('Z')
# One that is over stays as it is.
assert expect(c.post(host['challenges'][0]['url'], {}), 200).json()[
    'status'] == 'valid'

# --- finalize

finalize = order['finalize']
expect(c.post(finalize, {}), 400, 'malformed')
expect(c.post(finalize, {'csr': '='}), 400, 'malformed')
expect(c.post(finalize, {'csr': b64(b'hello')}), 400, 'badCSR')
expect(c.post(finalize, {'csr': b64(make_csr(['www.example.test']))}), 400,
       'badCSR')
names = ['www.example.test', '*.example.test']
for bad in (make_csr(names + ['x.example.test']),
            make_csr(names, common_name='x.example.test'),
            make_csr(names, key=c.key.key),
            make_csr(names, more=[x509.RFC822Name('a@example.test')]),
            make_csr(names)[:-1] + b'x',
            make_csr([], common_name='www.example.test')):
    expect(c.post(finalize, {'csr': b64(bad)}), 400, 'badCSR')
assert c.good(location).json()['status'] == 'ready'
answer = expect(c.post(finalize, {'csr': b64(csr)}), 200)
assert answer.headers['Location'] == location
assert answer.json()['status'] == 'valid'
again = expect(c.post(finalize, {'csr': b64(csr)}), 200)
assert again.json() == answer.json()
expect(c.post(finalize, {'csr': b64(make_csr(names))}), 403, 'orderNotReady')
url = answer.json()['certificate']
answer = expect(c.post(url, None), 200)
assert answer.headers['Content-Type'] == 'application/pem-certificate-chain'
assert answer.body.endswith(b'-----END CERTIFICATE-----\n')
assert answer.body.count(b'\n\n') == 0
chain = certificates(answer.body)
assert len(chain) >= 2
leaf = chain[0]
sans = leaf.extensions.get_extension_for_class(
    x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
assert sorted(sans) == sorted(names)
is_issued(leaf, chain[1])
other = answer.links('alternate')
assert len(other) == 1
answer = expect(c.post(other[0], None), 200)
assert answer.links('alternate') == [url]
crossed = certificates(answer.body)
assert crossed[0] == leaf and crossed[1] != chain[1]
is_issued(leaf, crossed[1])
expect(c.post(url + '/2', None), 404, 'malformed')
expect(c.post(url + '/x', None), 404, 'malformed')
expect(d.post(url, None), 403, 'unauthorized')

# --- what was proven before

answer = expect(c.order(['www.example.test', 'example.test']), 201)
assert answer.json()['status'] == 'ready', answer
reused = answer.json()['authorizations']
assert reused[0] == order['authorizations'][0]
assert reused[1] != order['authorizations'][1]
assert c.good(reused[1]).json()['status'] == 'valid'
# http-01 proves neither what is below a name nor its wildcard; nor is one
# account's proof another's.
for client, name in ((c, 'x.www.example.test'), (c, '*.www.example.test'),
                     (d, 'www.example.test')):
    answer = expect(client.order([name]), 201)
    assert answer.json()['status'] == 'pending'
# A client gives up: the order is over.
url = answer.json()['authorizations'][0]
assert expect(d.post(url, {'status': 'deactivated'}), 200).json()[
    'status'] == 'deactivated'
expect(d.post(url, {'status': 'deactivated'}), 200)
gone = d.good(answer.headers['Location']).json()
assert gone['status'] == 'invalid' and gone['error']['type']

# --- many at once for one order: it has one certificate

answer = expect(c.order(['www.example.test']), 201)
once, where = answer.json()['finalize'], answer.headers['Location']
got = []


def race():
    client = Client(directory, c.key)
    client.kid = account
    got.append(client.post(once, {'csr': b64(make_csr(
        ['www.example.test']))}))


racers = [threading.Thread(target=race) for _ in range(8)]
for racer in racers:
    racer.start()
for racer in racers:
    racer.join()
for answer in got:
    if answer.status == 200:
        assert answer.json()['status'] in ('processing', 'valid'), answer
    else:
        expect(answer, 403, 'orderNotReady')
assert c.wait(where, ('valid',))['certificate']

# --- profiles and lives

pem = c.obtain(['www.example.test'], 'http-01', answers, profile='short')
short = certificates(pem)[0]
assert (life(short)[1] - life(short)[0]).days <= 3
until = at(5)
pem = c.obtain(['www.example.test'], 'http-01', answers, notAfter=until)
x = certificates(pem)[0]
assert text_of(life(x)[1]) == until
fresh = x
since = at(0.1)
pem = c.obtain(['www.example.test'], 'http-01', answers, notAfter=until,
               notBefore=since)
x = certificates(pem)[0]
assert text_of(life(x)[0]) == since and text_of(life(x)[1]) == until

# --- renewal

info = c.at('renewalInfo') + '/'
answer = expect(c.get(info + renewal_id(leaf)), 200)
assert int(answer.headers['Retry-After']) == 7200
window = answer.json()['suggestedWindow']
assert at(0) < window['start'] < window['end']
assert window['end'] < text_of(life(leaf)[1])
expect(c.get(info + 'AQ.AQ'), 404, 'malformed')
expect(c.get(info + 'AQ'), 400, 'malformed')
expect(c.order(['www.other.test'], replaces=renewal_id(leaf)), 400,
       'malformed')
expect(d.order(['www.example.test'], replaces=renewal_id(leaf)), 400,
       'malformed')
answer = expect(c.order(['www.example.test'], replaces=renewal_id(leaf)),
                201)
assert answer.json()['replaces'] == renewal_id(leaf)
assert c.good(answer.headers['Location']).json()['replaces'] == renewal_id(
    leaf)
expect(c.order(['www.example.test'], replaces=renewal_id(leaf)), 409,
       'alreadyReplaced')

# --- revocation

key = Key()
pem = c.obtain(['www.example.test'], 'http-01', answers,
               make_csr(['www.example.test'], key.key))
x = certificates(pem)[0]
expect(c.revoke(x, reason=6), 400, 'badRevocationReason')
expect(c.revoke(x, reason='1'), 400, 'malformed')
expect(c.post(c.at('revokeCert'), {}), 400, 'malformed')
expect(c.post(c.at('revokeCert'), {'certificate': 'AAAA'}), 400, 'malformed')
expect(c.revoke(chain[1]), 404, 'malformed')
expect(d.revoke(x), 403, 'unauthorized')
expect(d.revoke(x, key=Key()), 403, 'unauthorized')
expect(d.revoke(x, key=key, reason=1), 200)
expect(c.revoke(x), 400, 'alreadyRevoked')
expect(c.revoke(leaf, reason=4), 200)
expect(c.revoke(leaf), 400, 'alreadyRevoked')
answer = expect(c.get(info + renewal_id(leaf)), 200)
assert answer.json()['suggestedWindow']['end'] < at(0)
# Who has proven all its names may revoke what another has ordered.
d.obtain(['www.example.test'], 'http-01', answers)
expect(d.revoke(short), 200)

# --- another key

first = c.key
expect(c.roll(d.key), 409, 'malformed')
expect(c.roll(Key(), account=base + 'account/x'), 400, 'malformed')
expect(c.roll(Key(), oldKey=Key().jwk()), 400, 'malformed')
answer = expect(c.roll(Key('ES384')), 200)
assert c.key is not first
expect(c.post(account, None), 200)
expect(c.post(account, None, key=first), 400, 'badSignatureAlgorithm')
second = c.key
expect(c.roll(Key('ES384')), 200)
answer = c.post(account, None, key=second)
assert answer.status in (400, 403), answer
expect(c.post(account, None), 200)

# --- how much

for name in ('absent.example.test', 'absent.example.test',
             'x.absent.example.test'):
    answer = expect(d.order([name]), 201)
    d.begin(d.good(answer.json()['authorizations'][0]).json(), 'http-01')
    bad = d.wait(answer.json()['authorizations'][0], ('invalid',))
    gone = d.wait(answer.headers['Location'], ('invalid',))
    assert gone['error']['status'], gone
    error = [x['error'] for x in bad['challenges'] if 'error' in x]
    assert error[0]['type'].endswith(':incorrectResponse'), bad
expect(d.order(['absent.example.test']), 429, 'rateLimited', 'this name')
expect(d.order(['y.example.test']), 429, 'rateLimited', 'this zone')
expect(d.order(['www.example.test']), 201)
expect(e.order(['www.busy.test']), 429, 'rateLimited', '(quota')
listed = 0
url = c.good(account).json()['orders']
expect(d.post(url, None), 403, 'unauthorized')


def order_until_limited(name, detail):
    while True:
        answer = c.order([name])
        if answer.status != 201:
            break
    expect(answer, 429, 'rateLimited', detail)
    assert int(answer.headers['Retry-After']) <= 3601, answer


# Of a zone, but for a renewal whose time has come and of no other names.
order_until_limited('www.example.test', 'the zone example.test')
expect(d.order(['www.second.test', 'x.example.test']), 429, 'rateLimited',
       'the zone example.test')
expect(c.order(['www.example.test'], replaces=renewal_id(fresh)), 429,
       'rateLimited', 'the zone example.test')
expect(c.order(['www.example.test', 'example.test'],
               replaces=renewal_id(short)), 429, 'rateLimited',
       'the zone example.test')
expect(c.order(['www.example.test'], replaces=renewal_id(short)), 201)
# And of the account.
order_until_limited('www.second.test', 'too many orders of late')
while url is not None:
    answer = expect(c.post(url, None), 200)
    listed += len(answer.json()['orders'])
    assert len(answer.json()['orders']) <= 50
    url = (answer.links('next') or [None])[0]
assert listed > 50, listed
expect(c.post(account + '/orders?cursor=x', None), 404, 'malformed')

# --- the end of an account

expect(c.post(account, {'status': 'deactivated'}), 200)
expect(c.post(account, None), 403, 'unauthorized')
expect(c.order(['www.example.test']), 403, 'unauthorized')
expect(c.register(), 403, 'unauthorized')
print('%d answers' % num)
