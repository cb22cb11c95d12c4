# SPDX-License-Identifier: Apache-2.0
#
# One order, with ocsign-issuer killed after each of its steps, and many with
# it killed at a random moment of a step: "acme_kill.py ROUNDS SEED COMMAND".
# The command says which process it is; with "begin" behind it, it may begin
# anew, now that it was killed.  Prints "NAME SERIAL" for each certificate.

import http.client
import os
import random
import signal
import subprocess
import sys
import threading
import time

from acme_world import *  # noqa: F403
from acme_world import (Client, Failed, b64, certificates, directory, eab,
                        expect, make_csr, responder)

rounds, seed, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
chance = random.Random(seed)
AWAY = (OSError, http.client.HTTPException)


begun = time.monotonic()


def say(text):
    print('%.1f s: %s' % (time.monotonic() - begun, text), file=sys.stderr,
          flush=True)


def find():
    return int(subprocess.check_output(command))


def strike(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def begin():
    subprocess.run(command + ['begin'], check=True)


def insist(client, function, seconds=60):
    """Tries again while the server is away or begins anew, as clients do.
    One that was killed in between may have done it, or not."""
    end = time.monotonic() + seconds
    while True:
        try:
            return function()
        except AWAY as error:
            what = error
        except Failed as failed:
            kind = failed.answer.type()
            if failed.answer.status < 500 and kind not in (
                    'badNonce', 'rateLimited'):
                raise
            what = failed
        client.close()
        client.nonces.clear()
        if time.monotonic() > end:
            raise what
        time.sleep(0.05)


def new_client():
    client = Client(directory, timeout=20)
    kid, secret = eab()

    def register():
        answer = client.register(kid, secret)
        if answer.status not in (200, 201):
            raise Failed(answer)

    insist(client, register)
    return client


class Walk:
    """The steps of one order; each may be repeated."""

    def __init__(self, client, name):
        self.client, self.name = client, name
        self.csr = make_csr([name])
        self.location = self.order = self.killer = None

    def steps(self):
        return [self.new_order, self.authorization, self.challenge,
                self.proven, self.is_ready, self.finalize, self.is_valid,
                self.download]

    def new_order(self):
        answer = self.client.order([self.name])
        if answer.status != 201:
            raise Failed(answer)
        self.location = answer.headers['Location']
        self.order = answer.json()

    def authorization(self):
        self.authz = self.client.good(self.order['authorizations'][0]).json()

    def challenge(self):
        if self.authz['status'] == 'pending':
            self.client.begin(self.authz, 'http-01', responder())

    def proven(self):
        found = self.client.wait(self.order['authorizations'][0],
                                 ('valid', 'invalid'))
        assert found['status'] == 'valid', found

    def is_ready(self):
        self.order = self.client.wait(self.location, ('ready', 'valid'))

    def finalize(self):
        self.order = self.client.good(self.location).json()
        if self.order['status'] == 'ready':
            if self.killer is not None:
                self.killer.start()
                self.killer = None
            answer = self.client.post(self.order['finalize'],
                                      {'csr': b64(self.csr)})
            if answer.type() != 'orderNotReady' and answer.status != 200:
                raise Failed(answer)

    def is_valid(self):
        self.order = self.client.wait(self.location,
                                      ('valid', 'invalid', 'ready'))
        if self.order['status'] == 'ready':     # killed before it was recorded
            self.finalize()
            self.order = self.client.wait(self.location, ('valid', 'invalid'))
        assert self.order['status'] == 'valid', self.order

    def download(self):
        self.pem = self.client.good(self.order['certificate']).body

    def state(self):
        """What must be the same after the kill."""
        if self.location is None:
            return None
        order = self.client.good(self.location).json()
        proofs = [self.client.good(url).json()
                  for url in order['authorizations']]
        return order, proofs

    def end(self):
        leaf = certificates(self.pem)[0]
        print(self.name, '%x' % leaf.serial_number, flush=True)


def settled(walk):
    """Not while a proof is looked at, or a certificate signed."""
    state = insist(walk.client, walk.state)
    if state is None or state[0]['status'] == 'processing':
        return None
    for proof in state[1]:
        for challenge in proof['challenges']:
            if challenge['status'] == 'processing':
                return None
    # It was proven between the two questions.
    if state[0]['status'] == 'pending' and all(
            proof['status'] == 'valid' for proof in state[1]):
        return None
    return state


def between_steps():
    client = new_client()
    walk = Walk(client, 'between.example.test')
    for step in walk.steps():
        insist(client, step)
        before = settled(walk)
        strike(find())
        begin()
        after = insist(client, walk.state)
        if before is not None:
            assert before == after, '%s: %s, then %s' % (step.__name__,
                                                         before, after)
        say('killed after %s' % step.__name__)
    walk.end()


def within_steps():
    client = new_client()
    for n in range(rounds):
        walk = Walk(client, 'within%d.example.test' % n)
        steps = walk.steps()
        # Mostly where there is most to lose.
        which = walk.finalize if n % 2 else chance.choice(steps)
        for step in steps:
            killer = None
            if step == which:
                # A request takes some milliseconds.
                killer = threading.Timer(chance.random() * 0.008, strike,
                                         (find(), ))
                if step == walk.finalize:
                    walk.killer = killer
                else:
                    killer.start()
            insist(client, step)
            if killer is not None:
                killer.join()
                begin()
                say('killed within %s' % step.__name__)
        walk.end()


try:
    between_steps()
    within_steps()
finally:
    responder().close()
