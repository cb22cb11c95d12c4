#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# The load of replica.sh: issues and revokes through two APIs and asks three
# responders, while a command takes the database's server away.  Prints what
# it counted; a line that begins with "BAD" is what must not be.
#
# replica.py SECONDS DIR API,API URL,URL,URL COMMAND...
# In DIR: request.der, an OCSP request for the certificate template.pem;
# site.csr; aki, in hex.

import base64, json, os, random, subprocess, sys, threading, time
import urllib.request

seconds, folder = float(sys.argv[1]), sys.argv[2]
apis, urls = sys.argv[3].split(','), sys.argv[4].split(',')
command = sys.argv[5:]
# Longer than the second that it may take: the machine is others', too.
LATE_S = 3.0


def read(name, mode='r'):
    with open(os.path.join(folder, name), mode) as f:
        return f.read()


def serial_of(pem):
    der = base64.b64decode(''.join(pem.split('\n')[1:-2]))
    # Certificate, TBSCertificate, [0] version, serialNumber: 20 octets.
    at = der.index(b'\xa0\x03\x02\x01\x02\x02\x14') + 7
    return der[at:at + 20], der


csr, aki = read('site.csr'), read('aki').strip()
request, template = read('request.der', 'rb'), serial_of(read('template.pem'))
lock = threading.Lock()
issued = {}             # serial: DER, as it was handed out
revoked = {}            # serial: when that was confirmed
tried = set()           # to be revoked, confirmed or not
counts = {'issued': 0, 'revoked': 0, 'refused': 0, 'asked': 0}
after = [0] * len(apis)
bad = []
stop = threading.Event()
back = threading.Event()


def post(url, body, kind, timeout=40):
    ask = urllib.request.Request(url, body, {'Content-Type': kind})
    with urllib.request.urlopen(ask, timeout=timeout) as answer:
        return answer.read()


def call(api, endpoint, **what):
    answer = json.loads(post(api + '/api/v1/cfssl/' + endpoint,
                             json.dumps(what).encode(), 'application/json'))
    if not answer['success']:
        raise OSError(str(answer['errors']))
    return answer['result']


def status_of(url, serial):
    got = post(url, request.replace(template[0], serial),
               'application/ocsp-request', 10)
    at = got.find(serial)
    if at < 0:
        return 'none'
    return {0x80: 'good', 0xa1: 'revoked'}.get(got[at + 20], 'unknown')


def issue(n, num):
    name = 'n%d.%d.test' % (n, num)
    pem = call(apis[n], 'sign', certificate_request=csr, hosts=[name],
               subject={'CN': name})['certificate']
    serial, der = serial_of(pem)
    with lock:
        if serial in issued:
            bad.append('a serial number came twice: ' + serial.hex())
        issued[serial] = der
        counts['issued'] += 1
        after[n] += back.is_set()


def revoke(n):
    with lock:
        left = [s for s in issued if s not in tried]
        if not left:
            return
        serial = random.choice(left)
        tried.add(serial)
    call(apis[n], 'revoke', serial=str(int.from_bytes(serial, 'big')),
         authority_key_id=aki, reason='superseded')
    with lock:
        revoked[serial] = time.monotonic()
        counts['revoked'] += 1


def issuer(n):
    num = 0
    while not stop.is_set():
        num += 1
        try:
            issue(n, num)
            if num % 3 == 0:
                revoke(n)
        except (OSError, ValueError, KeyError):
            with lock:
                counts['refused'] += 1
            time.sleep(0.1)


def look(url, serial, at, when):
    try:
        said = status_of(url, serial)
    except OSError:
        return None
    with lock:
        counts['asked'] += 1
        if said == 'good' and at is not None and when - at > LATE_S:
            bad.append('%s calls %s good %.1f s after its revocation' %
                       (url, serial.hex(), when - at))
    return said


def asker(url):
    while not stop.is_set():
        with lock:
            known = list(revoked.items())[-40:]
        if known:
            serial, at = random.choice(known)
            look(url, serial, at, time.monotonic())
        time.sleep(0.02)


def settle(serial, want):
    for url in urls:
        deadline = time.monotonic() + 30
        while look(url, serial, None, 0) not in want:
            if time.monotonic() > deadline:
                bad.append('%s does not call %s %s' %
                           (url, serial.hex(), want))
                break
            time.sleep(0.1)


def main():
    # Daemons: whatever goes wrong here ends them, too.
    threads = [threading.Thread(target=issuer, args=(n % len(apis),),
                                daemon=True)
               for n in range(2 * len(apis))]
    threads += [threading.Thread(target=asker, args=(u,), daemon=True)
                for u in urls]
    for t in threads:
        t.start()
    time.sleep(seconds / 3)
    before = dict(counts)
    gone = time.monotonic()
    subprocess.check_call(command)
    took = time.monotonic() - gone
    back.set()
    # As long as it takes until both work again, and a while more.
    deadline = time.monotonic() + 90
    while min(after) < 10 and time.monotonic() < deadline:
        time.sleep(0.1)
    away = time.monotonic() - gone
    time.sleep(seconds / 3)
    stop.set()
    for t in threads:
        t.join()
    if min(after) < 10:
        bad.append('an issuer does not go on: %s' % after)
    for serial in random.sample(sorted(issued), min(150, len(issued))):
        settle(serial, ['revoked'] if serial in revoked else
               ['good', 'revoked'] if serial in tried else ['good'])
    with open(os.path.join(folder, 'issued'), 'w') as f:
        for serial, der in issued.items():
            print(serial.hex(), der.hex(), int(serial in revoked), file=f)
    print('before', before, 'in all', counts, 'after', after,
          'promoted in %.1f s, back after %.1f s' % (took, away))
    for line in bad[:20]:
        print('BAD', line)
    sys.exit(bool(bad))


main()
