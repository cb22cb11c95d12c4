# SPDX-License-Identifier: Apache-2.0
#
# What the cases of acme_traps*.py share: a server that acme.sh has started,
# accounts there, and what an answer must be.  In the folder of the test, with
# ocsign in the PATH.

import os
import re
import subprocess
import sys
import time
import traceback

from acme_client import *  # noqa: F401,F403
from acme_client import Client, Failed, Key, Responder, b64, unb64

directory = os.environ['ACME_DIRECTORY']
http_port = int(os.environ['ACME_HTTP_PORT'])
dns_port = int(os.environ['ACME_DNS_PORT'])
cases = []


def case(function):
    cases.append(function)
    return function


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          universal_newlines=True).stdout


def eab(account='site', *options):
    """A kid and its key, good once."""
    text = run('ocsign', 'account', 'acme-key', account, *options)
    return (re.search('^kid: *(.*)$', text, re.M).group(1),
            re.search('^key: *(.*)$', text, re.M).group(1))


def account(of='site', key=None):
    client = Client(directory, key)
    answer = client.register(*eab(of))
    expect(answer, 201)
    return client


shared = {}


def site(n=0):
    """One that is kept: for cases that only need any account."""
    if n not in shared:
        shared[n] = account()
    return shared[n]


def responder():
    if 'responder' not in shared:
        shared['responder'] = Responder(http_port)
    return shared['responder']


def txt(value, name='_acme-challenge.example.test.', verb='add'):
    lines = ('server 127.0.0.1 %d\nzone example.test.\n%s %s 1 TXT "%s"\n'
             'send\nquit\n' % (dns_port, verb, name, value))
    subprocess.run(['knsupdate', '-v', '-k', 'dns/update.key'], check=True,
                   input=lines.encode(), stdout=subprocess.DEVNULL)


def no_empty(value):
    """lego reads "" as a time, and fails; certbot knows no "expired"."""
    if isinstance(value, dict):
        for k, v in value.items():
            assert v != '' and v is not None, 'an empty ' + k
            assert not (k == 'status' and v == 'expired'), value
            no_empty(v)
    elif isinstance(value, list):
        for v in value:
            no_empty(v)


def expect(answer, status, kind=None):
    """The status, the problem's type (several with |), and what every answer
    has."""
    assert answer.status == status, 'not %s: %s' % (status, answer)
    if kind is not None:
        assert answer.type() in kind.split('|'), 'not %s: %s' % (kind, answer)
        problem = answer.json()
        assert problem['status'] == status, answer
        assert problem['detail'], answer
        assert 'identifier' not in problem, answer
    elif status >= 400:
        assert answer.headers['Content-Type'] == 'application/problem+json'
    elif answer.headers.get('Content-Type') == 'application/json':
        no_empty(answer.json())
    return answer


def expect_nonce(answer):
    nonce = answer.headers['Replay-Nonce']
    assert re.fullmatch('[A-Za-z0-9_-]+', nonce) and len(nonce) % 4 != 1
    assert b64(unb64(nonce)) == nonce
    return answer


def main(argv):
    wanted = argv[1:]
    failed = 0
    for function in cases:
        name = function.__name__
        if wanted and name not in wanted:
            continue
        begun = time.monotonic()
        try:
            function()
        except Exception as error:
            failed += 1
            where = traceback.extract_tb(error.__traceback__)
            line = [f for f in where if 'acme_world' not in f.filename][-1]
            print('FAILED: %s, line %s: %s: %s' % (
                name, line.lineno, type(error).__name__, error))
        else:
            print('ok: %s, %.1f s' % (name, time.monotonic() - begun))
    if 'responder' in shared:
        shared['responder'].close()
    return failed != 0 or not cases


__all__ = [n for n in dir() if not n.startswith('_')]
sys.modules.setdefault('acme_world', sys.modules[__name__])
