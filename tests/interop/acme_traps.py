# SPDX-License-Identifier: Apache-2.0
#
# Requests and accounts: each way in which a JWS, a key or an account can be
# wrong (RFC 8555, 6 and 7.3), and what clients trip over in what is right.

import json
import sys

from acme_world import *  # noqa: F403
from acme_world import (JOSE, Client, Key, account, b64, binding, case,
                        directory, eab, expect, expect_nonce, flattened, main,
                        number, run, site)


# --- what is there, and how it is asked for

@case
def the_directory():
    answer = expect(Client(directory).get(directory), 200)
    found = answer.json()
    base = directory.rsplit('/', 1)[0] + '/'
    for name in ('newNonce', 'newAccount', 'newOrder', 'revokeCert',
                 'keyChange', 'renewalInfo'):
        assert found[name].startswith(base), answer
    assert found['meta']['externalAccountRequired'] is True, answer
    assert found['meta']['profiles']['server'], answer


@case
def nonces():
    c = Client(directory)
    seen = set()
    for method, status in (('HEAD', 200), ('GET', 204)):
        answer = c.request(method, c.at('newNonce'))
        expect(answer, status)
        expect_nonce(answer)
        assert 'no-store' in answer.headers['Cache-Control'], answer.headers
        assert answer.body == b''
        seen.add(answer.headers['Replay-Nonce'])
    assert len(seen) == 2
    # Every answer to a POST has one, errors above all.
    answer = expect(c.send(c.at('newAccount'), b'{}'), 400, 'malformed')
    expect_nonce(answer)
    answer = expect(c.send(c.at('newAccount'), b'{}', 'text/plain'), 415,
                    'malformed')
    expect_nonce(answer)


@case
def links_to_the_directory():
    c = site()
    assert c.good(c.kid).links('index') == [directory]


@case
def nonce_rules():
    c = site()
    url = c.kid
    expect(c.post(url, None, nonce=None), 400, 'badNonce')
    for bad in ('AAAA', 'A' * 22, b64(b'x' * 64)):
        expect(c.post(url, None, nonce=bad), 400, 'badNonce')
    for bad in ('', 'AA==', 'a b', '+/+/', 'AB', 7):
        expect(c.post(url, None, nonce=bad), 400, 'malformed')
    jws = c.jws(url, None)
    expect(c.send(url, jws), 200)
    answer = expect(c.send(url, jws), 400, 'badNonce')
    assert answer.json()['status'] == 400
    # Used up by what was wrong otherwise, too.
    nonce = c.nonce()
    expect(c.post(url, b'x', nonce=nonce), 400, 'malformed')
    expect(c.post(url, None, nonce=nonce), 400, 'badNonce')
    # Not bound to a connection or a key.
    other = site(1)
    expect(other.post(other.kid, None, nonce=c.nonce()), 200)
    # A nonce in the request's head is nobody's.
    jws = json.dumps(c.jws(url, None))
    answer = c.request('POST', url, jws.encode(), {
        'Content-Type': JOSE, 'Replay-Nonce': 'AAAA'})
    assert answer.status in (200, 400), answer


@case
def content_types():
    c = site()
    for bad in ('application/json', 'text/plain', 'application/jose',
                'application/x-www-form-urlencoded', None):
        answer = c.send(c.kid, c.jws(c.kid, None), bad)
        expect(answer, 415, 'malformed')


@case
def methods():
    c = site()
    for url in (c.kid, c.at('newOrder'), c.at('newAccount')):
        for method in ('GET', 'PUT', 'DELETE'):
            answer = expect(c.request(method, url), 405, 'malformed')
            assert answer.headers['Allow'] == 'POST', answer.headers
    # What anybody may GET, an account may POST-as-GET (7.1.1, 7.2).
    answer = expect(c.post(directory, None), 200)
    assert answer.json() == c.get(directory).json()
    assert c.post(c.at('newNonce'), None).status in (200, 204)
    for method in ('PUT', 'DELETE'):
        expect(c.request(method, directory), 405, 'malformed')
    nowhere = directory + '/nowhere'
    expect(c.get(nowhere), 404, 'malformed')
    expect(c.post(nowhere, None), 404, 'malformed')


@case
def large_bodies():
    c = site()
    body = json.dumps(c.jws(c.kid, None)).encode()
    answer = c.send(c.kid, body + b' ' * (64 * 1024 - len(body)))
    expect(answer, 200)
    body = json.dumps(c.jws(c.kid, None)).encode()
    answer = c.send(c.kid, body + b' ' * (64 * 1024 + 1 - len(body)))
    assert answer.status in (400, 413), answer
    assert answer.type() == 'malformed', answer


@case
def urls():
    c = site()
    for bad in (directory, c.kid + '/', c.kid + '?a', c.kid.upper(),
                c.kid.replace('http:', 'https:'),
                c.kid.replace('127.0.0.1', 'localhost')):
        expect(c.post(c.kid, None, change={'url': bad}), 403, 'unauthorized')
    for bad in (None, 7, ['x']):
        expect(c.post(c.kid, None, change={'url': bad}), 400, 'malformed')
    # What clients are told does not come from the Host field.
    jws = json.dumps(c.jws(c.kid, None))
    answer = c.request('POST', c.kid, jws.encode(), {
        'Content-Type': JOSE, 'Host': 'evil.example'})
    expect(answer, 200)
    assert b'evil' not in answer.body, answer
    assert 'evil' not in str(answer.headers)


# --- the JWS

@case
def who_signs():
    c = site()
    url = c.at('newOrder')
    both = {'jwk': c.key.jwk()}
    expect(c.post(url, {}, change=both), 400, 'malformed')
    expect(c.post(url, {}, kid=None), 400, 'malformed')
    expect(c.post(url, {}, change={'kid': None}), 400, 'malformed')
    expect(c.post(c.at('newAccount'), {}), 400, 'malformed')
    base = directory.rsplit('/', 1)[0]
    for kid in ('', 'x', base + '/account/' + '0' * 32, c.kid + 'x',
                c.kid[:-1], c.kid.replace('http', 'https'),
                c.kid.rsplit('/', 1)[1]):
        expect(c.post(url, {}, kid=kid), 400, 'accountDoesNotExist|malformed')
    # Another's kid, one's own key.
    other = site(1)
    expect(c.post(other.kid, None, kid=other.kid), 400, 'malformed')
    expect(c.post(c.kid, None, key=Key()), 400, 'malformed')


@case
def algorithms():
    c = site()
    for alg in ('none', 'HS256', 'RS384', 'PS256', 'ES256K', ''):
        answer = c.post(c.kid, None, change={'alg': alg})
        expect(answer, 400, 'badSignatureAlgorithm')
        assert set(answer.json()['algorithms']) == {
            'RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'}, answer
    # Of another key; RS256 for an EC key.
    for alg in ('RS256', 'ES384', 'EdDSA'):
        expect(c.post(c.kid, None, change={'alg': alg}), 400,
               'badSignatureAlgorithm')
    # HMAC with the public key for a secret.
    for secret in (b'', b64(b'').encode()):
        jws = c.jws(c.kid, None, change={'alg': 'HS256'})
        jws['signature'] = b64(secret)
        expect(c.send(c.kid, jws), 400, 'badSignatureAlgorithm')


@case
def all_algorithms():
    for alg in ('RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'):
        c = account(key=Key(alg))
        expect(c.post(c.kid, None), 200)


@case
def signatures():
    c = site()
    good = c.jws(c.kid, None)['signature']
    for bad in ('', 'AAAA', good[:-2], good + 'AA', b64(b'\0' * 64), good):
        jws = c.jws(c.kid, None)
        jws['signature'] = bad
        expect(c.send(c.kid, jws), 400, 'malformed')
    for alg in ('RS256', 'EdDSA'):
        key = Key(alg)
        jws = c.jws(c.at('newAccount'), {}, key=key, kid=None)
        jws['signature'] = b64(b'\0' * 256 if alg == 'RS256' else b'\0' * 64)
        expect(c.send(c.at('newAccount'), jws), 400, 'malformed')


@case
def forms():
    c = site()
    jws = c.jws(c.kid, None)
    for more in ({'header': {}}, {'header': {'alg': 'none'}},
                 {'signatures': []}, {'x': 1}):
        expect(c.send(c.kid, dict(c.jws(c.kid, None), **more)), 400,
               'malformed')
    for name in ('protected', 'payload', 'signature'):
        short = dict(jws)
        del short[name]
        expect(c.send(c.kid, short), 400, 'malformed')
        for bad in (7, None, jws[name] + '=', jws[name] + '\n', '+/', 'A'):
            expect(c.send(c.kid, dict(jws, **{name: bad})), 400, 'malformed')
    text = json.dumps(jws)
    for bad in ('', 'x', '[]', '[' * 2000, text + 'x', text + text,
                text[:-1], '{"protected":"",' + text[1:],
                '.'.join(jws[n] for n in ('protected', 'payload',
                                          'signature'))):
        expect(c.send(c.kid, bad), 400, 'malformed')
    expect(c.send(c.kid, text.encode() + b'\0'), 400, 'malformed')
    expect(c.send(c.kid, b'\xff' * 20), 400, 'malformed')


@case
def headers():
    c = site()
    for more in ({'crit': ['b64'], 'b64': False}, {'crit': []},
                 {'b64': True}, {'x5c': []}, {'jku': 'http://127.0.0.1/'},
                 {'zip': 'DEF'}):
        expect(c.post(c.kid, None, change=more), 400, 'malformed')
    # As certbot has it: indented.
    header = {'alg': 'ES256', 'kid': c.kid, 'url': c.kid, 'nonce': c.nonce(),
              'typ': 'x'}
    protected = b64(json.dumps(header, indent=2).encode())
    jws = {'protected': protected, 'payload': '',
           'signature': b64(c.key.sign((protected + '.').encode()))}
    expect(c.send(c.kid, json.dumps(jws, indent=2)), 200)
    # A member twice: the last of them is what is signed for.
    text = json.dumps(header)[:-1] + ', "url": "%s"}' % c.kid
    protected = b64(text.encode())
    jws = {'protected': protected, 'payload': '',
           'signature': b64(c.key.sign((protected + '.').encode()))}
    expect(c.send(c.kid, jws), 400, 'malformed')


@case
def payloads():
    c = site()
    for bad in (b'x', b'[]', b'7', b'""', b'null', b'{"a":1,"a":2}', b'{}x',
                b'{"a":"\\u0000"}', b'\xff'):
        expect(c.post(c.at('newOrder'), bad), 400, 'malformed')
    expect(c.post(c.at('newOrder'), None), 400, 'malformed')
    # POST-as-GET has nothing in it.
    answer = c.order(['post-as-get.example.test'])
    expect(answer, 201)
    for url in (answer.headers['Location'], c.kid + '/orders'):
        expect(c.post(url, None), 200)
        expect(c.post(url, {}), 400, 'malformed')


@case
def keys():
    c = Client(directory)
    url = c.at('newAccount')

    def refused(jwk, alg='RS256', kind='badPublicKey'):
        jws = c.jws(url, {}, change={'alg': alg, 'jwk': jwk})
        jws['signature'] = b64(b'\1' * 256)
        expect(c.send(url, jws), 400, kind)

    for bits in (512, 1024, 2040, 8192, 16384, 32768):
        refused({'kty': 'RSA', 'e': 'AQAB', 'n': number((1 << bits) - 1)})
    good = Key('RS256').jwk()
    for e in ('AQ', 'Aw', 'AQAA', ''):
        refused(dict(good, e=e))
    refused(dict(good, n=b64(b'\0' + b'\xff' * 256)))
    refused(dict(good, d='AQAB'))
    ec = Key('ES256').jwk()
    refused(dict(ec, x=ec['y'], y=ec['x']), 'ES256')
    refused(dict(ec, x=b64(b'\0' * 32), y=b64(b'\0' * 32)), 'ES256')
    refused(dict(ec, x=b64(b'\1' * 31)), 'ES256')
    refused(dict(ec, x=b64(b'\0' + b'\1' * 32)), 'ES256')
    refused(dict(ec, crv='P-384'), 'ES384')
    refused(dict(ec, crv='secp256k1'), 'ES256')
    refused({'kty': 'OKP', 'crv': 'Ed25519', 'x': b64(b'\1' + b'\0' * 31)},
            'EdDSA')
    refused({'kty': 'OKP', 'crv': 'X25519', 'x': b64(b'\1' * 32)}, 'EdDSA')
    refused({'kty': 'oct', 'k': 'AAAA'}, 'ES256')
    for bad in ([], 'x', 7, {}, {'kty': 7}):
        refused(bad, 'ES256', 'malformed|badPublicKey')


# --- accounts

@case
def one_account_a_key():
    c = Client(directory)
    expect(c.register(only_existing=True), 400, 'accountDoesNotExist')
    assert c.kid is None
    answer = c.register(*eab(), contact=['mailto:a@example.test'])
    expect(answer, 201)
    found = answer.json()
    assert found['status'] == 'valid', answer
    assert found['contact'] == ['mailto:a@example.test'], answer
    assert found['orders'].startswith(c.kid), answer
    kid = c.kid
    # Again, with or without a binding: the same, 200.
    for again in (c.register(), c.register(only_existing=True),
                  c.register(*eab())):
        expect(again, 200)
        assert again.headers['Location'] == kid, again
    # A list without contacts is a list.
    other = account()
    assert other.good(other.kid).json().get('contact', []) == []


@case
def contacts():
    key = Key()
    for bad, kind in ((['tel:+1'], 'unsupportedContact'),
                      (['a@example.test'],
                       'unsupportedContact|invalidContact'),
                      (['mailto:'], 'invalidContact'),
                      (['mailto:x'], 'invalidContact'),
                      (['mailto:a@b.test,c@d.test'], 'invalidContact'),
                      (['mailto:a@b.test?subject=x'], 'invalidContact'),
                      (['mailto:a@b.test\n'], 'invalidContact'),
                      (['mailto:a@b.test'] * 50,
                       'invalidContact|malformed'),
                      ('mailto:a@b.test', 'malformed|invalidContact'),
                      ([7], 'malformed|invalidContact')):
        c = Client(directory, key)
        expect(c.register(*eab(), contact=bad), 400, kind)
    c = site()
    expect(c.post(c.kid, {'contact': ['mailto:new@example.test']}), 200)
    assert c.good(c.kid).json()['contact'] == ['mailto:new@example.test']
    expect(c.post(c.kid, {'contact': ['tel:+1']}), 400,
           'unsupportedContact')
    assert c.good(c.kid).json()['contact'] == ['mailto:new@example.test']
    # What is not a client's to set.
    for field in ({'orders': 'x'}, {'status': 'valid'},
                  {'status': 'revoked'}):
        answer = c.post(c.kid, field)
        assert answer.status in (200, 400), answer
    assert c.good(c.kid).json()['orders'].startswith(c.kid)


@case
def bindings():
    c = Client(directory)
    url = c.at('newAccount')
    expect(c.register(), 403, 'externalAccountRequired')
    kid, secret = eab()
    assert '=' not in secret and len(secret) >= 43

    def refused(jws, status=403, kind='unauthorized'):
        expect(c.register(externalAccountBinding=jws), status, kind)
        assert c.kid is None

    refused(binding(c.key, url, kid, b64(b'x' * 32)))
    refused(binding(c.key, url, 'x' + kid, secret))
    refused(binding(Key(), url, kid, secret), 400,
            'malformed|badPublicKey')
    refused(binding(c.key, url + 'x', kid, secret), 400,
            'malformed')
    refused(binding(c.key, url, kid, secret, nonce='AAAA'), 400, 'malformed')
    refused(binding(c.key, url, kid, secret, jwk=c.key.jwk()), 400,
            'malformed')
    for alg in ('ES256', 'none', 'HS1'):
        jws = flattened({'alg': alg, 'kid': kid, 'url': url}, c.key.jwk(),
                        lambda _: b'\1' * 32)
        refused(jws, 400, 'malformed|badSignatureAlgorithm')
    for bad in ('x', [], 7, {}):
        refused(bad, 400, 'malformed')
    jws = binding(c.key, url, kid, secret)
    refused(dict(jws, header={}), 400, 'malformed')
    refused(dict(jws, signature=''))
    # None of these has used it up; the account has.
    expect(c.register(externalAccountBinding=jws), 201)
    other = Client(directory)
    expect(other.register(kid, secret), 403, 'unauthorized')
    for alg in ('HS384', 'HS512'):
        expect(Client(directory).register(*eab(), alg=alg), 201)


@case
def bindings_that_ended():
    kid, secret = eab()
    run('ocsign', 'account', 'acme-revoke', 'site', kid)
    expect(Client(directory).register(kid, secret), 403, 'unauthorized')


@case
def deactivated():
    c = account()
    order = c.order(['gone.example.test'])
    expect(order, 201)
    expect(c.post(c.kid, {'status': 'gone'}), 400, 'malformed')
    answer = expect(c.post(c.kid, {'status': 'deactivated'}), 200)
    assert answer.json()['status'] == 'deactivated', answer
    for url, payload in ((c.kid, None), (c.kid, {'status': 'valid'}),
                         (order.headers['Location'], None)):
        expect(c.post(url, payload), 403, 'unauthorized')
    expect(c.order(['gone.example.test']), 403, 'unauthorized')
    # Its key is nobody's again.
    expect(c.register(*eab()), 403, 'unauthorized')
    expect(c.register(only_existing=True), 403, 'unauthorized')


@case
def ended_by_the_operator():
    c = account()
    tag = c.kid.rsplit('/', 1)[1]
    rows = run('ocsign', 'account', 'acme-accounts', 'site')
    assert re.search('^%s +valid ' % tag, rows, re.M), rows
    run('ocsign', 'account', 'acme-end', 'site', tag)
    expect(c.post(c.kid, None), 403, 'unauthorized')
    expect(c.order(['gone.example.test']), 403, 'unauthorized')
    rows = run('ocsign', 'account', 'acme-accounts', 'site')
    assert re.search('^%s +ended ' % tag, rows, re.M), rows


@case
def not_ones_own():
    a, b = site(), site(1)
    for url in (b.kid, b.kid + '/orders'):
        answer = a.post(url, None)
        assert answer.status in (403, 404), answer
    answer = a.post(b.kid, {'status': 'deactivated'})
    assert answer.status in (403, 404), answer
    expect(b.post(b.kid, None), 200)


# --- another key

@case
def rolled_over():
    c = account()
    old = c.key
    for alg in ('RS256', 'ES512', 'EdDSA'):
        expect(c.roll(Key(alg)), 200)
        expect(c.post(c.kid, None), 200)
    expect(c.post(c.kid, None, key=old), 400,
           'malformed|unauthorized|badSignatureAlgorithm')
    answer = Client(directory, c.key).register(only_existing=True)
    expect(answer, 200)
    assert answer.headers['Location'] == c.kid
    expect(Client(directory, old).register(only_existing=True), 400,
           'accountDoesNotExist')


@case
def rolled_over_wrongly():
    c, other = account(), site(1)
    url = c.at('keyChange')
    new = Key()

    def refused(header, payload, kind='malformed', sign=None, status=400):
        full = {'alg': new.alg, 'jwk': new.jwk(), 'url': url}
        full.update(header)
        full = {k: v for k, v in full.items() if v is not None}
        inner = flattened(full, payload, sign or new.sign)
        expect(c.post(url, inner), status, kind)

    good = {'account': c.kid, 'oldKey': c.key.jwk()}
    refused({}, dict(good, account=other.kid))
    refused({}, dict(good, oldKey=other.key.jwk()))
    refused({}, dict(good, oldKey=new.jwk()))
    refused({}, {'oldKey': good['oldKey']})
    refused({}, {'account': c.kid}, 'malformed|badPublicKey')
    refused({'url': c.kid}, good)
    refused({'url': None}, good)
    refused({'nonce': 'AAAA'}, good)
    refused({'jwk': None, 'kid': c.kid}, good)
    refused({'alg': 'none'}, good, 'badSignatureAlgorithm')
    refused({}, good, sign=Key().sign)
    expect(c.post(url, {}), 400, 'malformed')
    # A key that has an account: whose it is, is said.
    answer = c.roll(other.key)
    expect(answer, 409)
    assert answer.headers['Location'] == other.kid, answer.headers
    answer = c.roll(c.key)
    expect(answer, 409)
    # Nobody but the account itself.
    inner = flattened({'alg': new.alg, 'jwk': new.jwk(), 'url': url}, good,
                      new.sign)
    expect(other.post(url, inner), 400, 'malformed')
    expect(c.post(c.kid, None), 200)


if __name__ == '__main__':
    sys.exit(main(sys.argv))
