# SPDX-License-Identifier: Apache-2.0
#
# python3 mass_asker.py URL HASHES TARGETS OTHERS STOP: asks about one serial
# number after the other, over a few kept connections, until the file STOP is
# there; half of the time about one of TARGETS, which are revoked meanwhile,
# and of these mostly about a few.  HASHES has the issuer's name and key hash,
# in hex.  Each answer must be of its time.  Once one of TARGETS is revoked it
# stays so; of OTHERS nothing but "good" will do, at once.
#
# Prints "last SERIAL TIME" for each target that was called good: when that
# was asked for the last time.  Then how many answers there were of each kind.

import asyncio
import calendar
import os
import random
import sys
import time
from urllib.parse import urlsplit

CONNECTIONS = 6
HOT = 50

target = urlsplit(sys.argv[1])
name_hash, key_hash = (bytes.fromhex(h) for h in open(sys.argv[2]).read()
                       .split())
targets = open(sys.argv[3]).read().split()
others = open(sys.argv[4]).read().split()
last_good, revoked = {}, set()
count = {"good": 0, "revoked": 0, "later": 0, "others": 0}
failures = []


def tlv(tag, content):
    n = len(content)
    size = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else \
        bytes([0x82, n >> 8, n & 255])
    return bytes([tag]) + size + content


def request(serial):
    number = bytes.fromhex(serial)
    if number[0] & 0x80:
        number = b"\0" + number
    sha1 = tlv(0x30, bytes.fromhex("06052b0e03021a0500"))
    certid = tlv(0x30, sha1 + tlv(4, name_hash) + tlv(4, key_hash) +
                 tlv(2, number))
    der = tlv(0x30, tlv(0x30, tlv(0x30, tlv(0x30, certid))))
    return (f"POST {target.path} HTTP/1.1\r\nHost: {target.netloc}\r\n"
            "Content-Type: application/ocsp-request\r\n"
            f"Content-Length: {len(der)}\r\n\r\n").encode() + der


def split(der):
    """The first tag, its contents, and what is behind it."""
    n, at = der[1], 2
    if n & 0x80:
        at += n & 0x7f
        n = int.from_bytes(der[2:at], "big")
    return der[0], der[at:at + n], der[at + n:]


def parts(der):
    while der:
        tag, content, der = split(der)
        yield tag, content


def when(text):
    return calendar.timegm(time.strptime(text.decode(), "%Y%m%d%H%M%SZ"))


def read(body):
    """certStatus' tag, thisUpdate, nextUpdate; None: tryLater."""
    whole = list(parts(split(body)[1]))
    if whole[0][1] == b"\3":
        return None
    if whole[0][1] != b"\0":
        raise ValueError(body[:8].hex())
    octets = list(parts(split(whole[1][1])[1]))[1][1]
    basic = split(octets)[1]
    data = list(parts(split(basic)[1]))
    singles = [c for t, c in data if t == 0x30][-1]
    certid, status, this, after = list(parts(split(singles)[1]))[:4]
    return status[0], when(this[1]), when(split(after[1])[1])


def judge(serial, is_target, asked_at, answer):
    now = time.time()
    if answer is None:
        count["later"] += 1
        if not is_target:
            failures.append(f"{serial}: tryLater, and nobody revoked it")
        return
    status, this_update, next_update = answer
    if not this_update <= now + 1 or next_update < asked_at - 1:
        failures.append(f"{serial}: stale: {this_update}-{next_update}, "
                        f"asked at {asked_at}")
    if status == 0x80:
        count["good" if is_target else "others"] += 1
        if serial in revoked:
            failures.append(f"{serial}: good after revoked")
        if is_target:
            last_good[serial] = max(asked_at, last_good.get(serial, 0))
    elif status == 0xa1 and is_target:
        count["revoked"] += 1
        revoked.add(serial)
    else:
        failures.append(f"{serial}: status {status:x}")


async def exchange(reader, writer, serial):
    writer.write(request(serial))
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    return read(await reader.readexactly(length))


def is_over():
    return len(failures) > 20 or os.path.exists(sys.argv[5])


async def go_on():
    reader, writer = await asyncio.open_connection(target.hostname,
                                                   target.port)
    while not is_over():
        is_target = random.random() < 0.5
        serial = random.choice(
            others if not is_target else
            targets[-HOT:] if random.random() < 0.7 else targets)
        asked_at = time.time()
        try:
            answer = await asyncio.wait_for(exchange(reader, writer, serial),
                                            20)
            judge(serial, is_target, asked_at, answer)
        except (OSError, ValueError, IndexError, asyncio.TimeoutError,
                asyncio.IncompleteReadError) as e:
            failures.append(f"{serial}: {e!r}")
        await asyncio.sleep(0.001)
    writer.close()


async def main():
    await asyncio.gather(*[go_on() for _ in range(CONNECTIONS)])


asyncio.run(main())
for serial, at in last_good.items():
    print("last", serial, int(at))
for line in failures:
    print("failed:", line)
print(*[f"{n} {what}" for what, n in count.items()])
