# SPDX-License-Identifier: Apache-2.0
#
# python3 asker.py URL REQUEST STOP: asks for the OCSP request in the file
# REQUEST without end, in several ways at once, until the file STOP is there:
# over a new connection each time, at once or after a while; over one that is
# kept as long as the other end likes, without a pause or with one.  Each
# answer must be whole and signed.  Prints what was not, and how many were.
#
# One thing is forgiven: a kept connection may be closed while nobody asks.
# Whoever has sent a request must be answered, unless the connection had been
# idle for longer than IDLE_S before: then the two may have met half-way.

import asyncio
import os
import random
import sys
from urllib.parse import urlsplit

IDLE_S = 1.5
SLOW_S = 20

target = urlsplit(sys.argv[1])
with open(sys.argv[2], "rb") as f:
    der = f.read()
request = (f"POST {target.path} HTTP/1.1\r\nHost: {target.netloc}\r\n"
           "Content-Type: application/ocsp-request\r\n"
           f"Content-Length: {len(der)}\r\n\r\n").encode() + der
count = {"answers": 0, "kept": 0, "last": 0, "met": 0}
failures = []


def is_over():
    return len(failures) > 20 or os.path.exists(sys.argv[3])


def connect():
    return asyncio.open_connection(target.hostname, target.port)


async def answer(reader):
    """Whether the connection stays open."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith("http/1.1 200 ") or length < 100:
        raise ValueError(head.split("\r\n")[0] + f", {body[:8].hex()}")
    count["answers"] += 1
    return "connection: close" not in head


async def new_each(pause_s):
    reader, writer = await connect()
    await asyncio.sleep(random.uniform(0, pause_s))
    writer.write(request)
    await answer(reader)
    writer.close()


async def keep_one(pause_s):
    reader, writer = await connect()
    is_kept, idle_s = True, 0
    while is_kept and not is_over():
        if reader.at_eof():
            break
        try:
            writer.write(request)
            is_kept = await answer(reader)
        except (OSError, asyncio.IncompleteReadError):
            if idle_s <= IDLE_S:
                raise
            count["met"] += 1
            break
        count["kept" if is_kept else "last"] += 1
        idle_s = random.uniform(0, pause_s)
        await asyncio.sleep(idle_s)
    writer.close()


async def go_on(way, pause_s):
    while not is_over():
        try:
            await asyncio.wait_for(way(pause_s), None if way is keep_one
                                   else SLOW_S)
        except (OSError, ValueError, asyncio.IncompleteReadError,
                asyncio.TimeoutError) as e:
            failures.append(f"{way.__name__} {pause_s}: {e!r}")
        await asyncio.sleep(0.002)


async def main():
    await asyncio.gather(*[go_on(*way) for way in
                           4 * [(new_each, 0)] + 8 * [(new_each, 0.5)] +
                           2 * [(keep_one, 0)] + 8 * [(keep_one, 1)] +
                           4 * [(keep_one, 4)]])


asyncio.run(main())
for line in failures:
    print("failed:", line)
print(*[f"{n} {what}" for what, n in count.items()])
