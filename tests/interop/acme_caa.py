# SPDX-License-Identifier: Apache-2.0
#
# What CAA records let an ACME account have: for acme_caa.sh.

import hashlib
import subprocess
import sys
import time

from acme_world import *  # noqa: F403
from acme_world import (account, b64, case, directory, dns_port, expect, main,
                        make_csr, responder, site, txt)

number_of_names = 0


def update(*lines):
    text = 'server 127.0.0.1 %d\nzone example.test.\n%s\nsend\nquit\n' % (
        dns_port, '\n'.join(lines))
    subprocess.run(['knsupdate', '-v', '-k', 'dns/update.key'], check=True,
                   input=text.encode(), stdout=subprocess.DEVNULL)


def name_with(*records):
    """One with these CAA records; the zone's "*" says nothing of it."""
    global number_of_names
    number_of_names += 1
    name = 'n%d.example.test' % number_of_names
    update('add %s. 1 A 127.0.0.1' % name,
           *['add %s. 1 CAA %s' % (name, r) for r in records])
    return name


def by_dns(name, _, text):
    txt(b64(hashlib.sha256(text.encode()).digest()),
        '_acme-challenge.%s.' % name)


def ready(c, names, wild='dns-01', host='http-01'):
    """An order whose names are proven, each by the method for its kind."""
    answer = expect(c.order(names), 201)
    for url in answer.json()['authorizations']:
        found = c.good(url).json()
        kind = wild if found.get('wildcard') else host
        if found['status'] == 'pending':
            c.begin(found, kind, by_dns if kind == 'dns-01' else responder())
            c.wait(url, ('valid', ))
    location = answer.headers['Location']
    return location, c.wait(location, ('ready', ))


def ask(c, names, **how):
    location, order = ready(c, names, **how)
    return location, c.post(order['finalize'], {'csr': b64(make_csr(names))})


def allowed(c, names, **how):
    location, answer = ask(c, names, **how)
    expect(answer, 200)
    c.wait(location, ('valid', ))


def forbidden(c, names, which, **how):
    location, answer = ask(c, names, **how)
    expect(answer, 403, 'caa')
    assert which in answer.json()['detail'], answer
    assert c.good(location).json()['status'] == 'ready'
    return location


@case
def in_the_directory():
    meta = site().get(directory).json()['meta']
    assert meta['caaIdentities'] == ['ca.test', 'other.ca.test'], meta


@case
def whom_they_name():
    c = site()
    # What has none is the zone's matter.
    update('add example.test. 1 CAA 0 issue "ca.test"')
    allowed(c, [name_with()])
    allowed(c, [name_with('0 issue "ca.test"')])
    allowed(c, [name_with('0 issue "else.test"', '0 issue "other.ca.test"')])
    bad = name_with('0 issue "else.test"')
    forbidden(c, [bad], bad)
    # One of several.
    bad = name_with('0 issue ";"')
    forbidden(c, [name_with(), 'below.' + bad], bad, host='dns-01')
    bad = name_with('0 issue "ca.test"', '128 unheard-of "x"')
    forbidden(c, [bad], bad)


@case
def which_account():
    c, other = site(), site(1)
    name = name_with('0 issue "ca.test; accounturi=%s"' % c.kid)
    forbidden(other, [name], name)
    allowed(c, [name])


@case
def which_method():
    c = site()
    name = name_with('0 issue "ca.test; validationmethods=dns-01"')
    forbidden(c, [name], name)
    name = name_with('0 issue "ca.test; validationmethods=http-01"')
    allowed(c, [name])
    name = name_with('0 issue "ca.test; validationmethods=dns-01"')
    allowed(c, [name], host='dns-01')


@case
def wildcards():
    c = account()
    name = name_with('0 issue "ca.test"', '0 issuewild ";"')
    forbidden(c, ['*.' + name], '*.' + name)
    allowed(c, [name])
    # A name and its wildcard, each proven by a method of its own.
    dns = '"ca.test; validationmethods=dns-01"'
    name = name_with('0 issue ' + dns)
    forbidden(c, ['*.' + name, name], name)
    name = name_with('0 issue "ca.test"', '0 issuewild ' + dns)
    allowed(c, [name, '*.' + name])


@case
def who_changes_his_mind():
    c = site()
    name = name_with('0 issue ";"')
    location = forbidden(c, [name], name)
    update('del %s. CAA' % name, 'add %s. 1 CAA 0 issue "ca.test"' % name)
    url = c.good(location).json()['finalize']
    csr = b64(make_csr([name]))
    end = time.monotonic() + 10
    answer = c.post(url, {'csr': csr})
    while answer.type() == 'caa' and time.monotonic() < end:
        time.sleep(0.2)
        answer = c.post(url, {'csr': csr})
    expect(answer, 200)
    c.wait(location, ('valid', ))


if __name__ == '__main__':
    sys.exit(main(sys.argv))
