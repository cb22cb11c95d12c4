#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Name servers as they must not be: each behaviour has a socket of its own on
127.0.0.1, the same port for UDP and TCP.  "BEHAVIOUR PORT" lines say where, on
standard output, when all are there."""
import os
import select
import socket
import struct
import sys
import time

SLOW_S = 1.2


def listen():
    """A port that both have."""
    while True:
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.bind(("127.0.0.1", 0))
        tcp.listen(64)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
            continue
        return udp, tcp


def question_of(query):
    """End of the question section, type."""
    at = 12
    while query[at]:
        at += query[at] + 1
    return at + 5, struct.unpack(">H", query[at + 1:at + 3])[0]


def name_of(text):
    return b"".join(bytes([len(p)]) + p.encode() for p in text.split(".")
                    if p) + b"\0"


def reply(query, flags, records=(), rcode=0):
    end, _ = question_of(query)
    head = query[:2] + struct.pack(">HHHHH", 0x8400 | flags | rcode, 1,
                                   len(records), 0, 0)
    out = head + query[12:end]
    for name, kind, data in records:
        out += name + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
    return out


def text(data):
    return (b"\xc0\x0c", 16, bytes([len(data)]) + data)


def good(query):
    """Only what was asked for."""
    _, kind = question_of(query)
    return reply(query, 0, [text(b"token")] if kind == 16 else [])


def long(query):
    """More than fits into UDP."""
    _, kind = question_of(query)
    texts = [text(bytes([97 + i % 26]) * 250) for i in range(60)]
    return reply(query, 0, texts + [text(b"token")] if kind == 16 else [])


def loop(query):
    """x -> y.x -> ...: each asked for leads to another, for ever."""
    end, _ = question_of(query)
    name = query[12:end - 4]
    if len(name) > 200:
        name = name[-40:]
    return reply(query, 0, [(b"\xc0\x0c", 5, b"\1x" + name)])


def other_id(query):
    return bytes([query[0] ^ 1, query[1]]) + good(query)[2:]


def other_name(query):
    return reply(query, 0, [(name_of("elsewhere.example"), 16, b"\5token")])


def forward(query):
    """A resolver that others have kept waiting: of some it says nothing."""
    return None if b"\4dead" in query.lower() else good(query)


def lame(query):
    """It does not know the zone, and sends whoever asks to the root."""
    target = name_of("ns.elsewhere.example")
    return query[:2] + struct.pack(">HHHHH", 0x8000, 1, 0, 1, 0) + \
        query[12:question_of(query)[0]] + \
        b"\0" + struct.pack(">HHIH", 2, 1, 60, len(target)) + target


BEHAVIOURS = {
    # UDP's answer, TCP's, seconds before it.
    "good": (good, good, 0),
    "forward": (forward, forward, 0),
    "dead": (None, None, 0),
    "servfail": (lambda q: reply(q, 0, rcode=2),) * 2 + (0,),
    "refused": (lambda q: reply(q, 0, rcode=5),) * 2 + (0,),
    "lame": (lame, lame, 0),
    "slow": (good, good, SLOW_S),
    "truncated": (lambda q: reply(q, 0x200), long, 0),
    "untcp": (lambda q: reply(q, 0x200), None, 0),
    "loop": (loop, loop, 0),
    "spoof": (other_id, good, 0),
    "othername": (other_name, other_name, 0),
    "garbage": (lambda q: q[:2] + os.urandom(60),
                lambda q: q[:2] + os.urandom(60), 0),
    "short": (lambda q: good(q)[:-3], lambda q: good(q)[:-3], 0),
    "nothing": (lambda q: b"", lambda q: b"", 0),
}


def main():
    udps, tcps, open_tcp, later = {}, {}, {}, []
    for name, behaviour in BEHAVIOURS.items():
        udp, tcp = listen()
        udps[udp], tcps[tcp] = behaviour, behaviour
        print(name, udp.getsockname()[1])
    print("end 0", flush=True)
    sys.stdout.close()
    while True:
        wait = max(0, later[0][0] - time.monotonic()) if later else None
        ready, _, _ = select.select(list(udps) + list(tcps) + list(open_tcp),
                                    [], [], wait)
        while later and later[0][0] <= time.monotonic():
            later.pop(0)[1]()
        for sock in ready:
            if sock in udps:
                query, peer = sock.recvfrom(4096)
                answer, _, delay = udps[sock]
                said = answer(query) if answer else None
                if said is not None:
                    later.append((time.monotonic() + delay,
                                  lambda s=sock, a=said, p=peer:
                                  s.sendto(a, p)))
                    later.sort(key=lambda entry: entry[0])
            elif sock in tcps:
                # Those that say nothing keep what they are given.
                client, _ = sock.accept()
                open_tcp[client] = tcps[sock]
            else:
                serve(sock, open_tcp)


def serve(sock, open_tcp):
    _, answer, _ = open_tcp[sock]
    try:
        query = sock.recv(4096)
        if query and not answer:
            return
        if query:
            said = answer(query[2:]) or b""
            sock.sendall(struct.pack(">H", len(said)) + said)
            return
    except OSError:
        pass
    del open_tcp[sock]
    sock.close()


main()
