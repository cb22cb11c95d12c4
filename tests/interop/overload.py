# SPDX-License-Identifier: Apache-2.0
#
# python3 overload.py URL SECONDS RATE REQUEST...: asks each second RATE times
# for each OCSP request, at the time it is due and not when the one before has
# been answered, each over a connection of its own.  For each request and kind
# of answer a line: REQUEST KIND NUMBER MS, of which 99 in 100 took no longer.
# KIND is nonce, signed (without one), later (tryLater, which says when),
# other.  "machine late": how late this program itself was 100 times a second.

import asyncio
import sys
import time
from urllib.parse import urlsplit

target = urlsplit(sys.argv[1])
seconds, rate = int(sys.argv[2]), int(sys.argv[3])
nonce_oid = bytes.fromhex("2b0601050507300102")
took = {}


def kind_of(head, body):
    if not head.startswith("http/1.1 200 "):
        return "other"
    if body == bytes.fromhex("30030a0103"):
        return "later" if "\r\nretry-after: " in head else "other"
    if len(body) < 100:
        return "other"
    return "nonce" if nonce_oid in body else "signed"


async def ask(name, request, due):
    await asyncio.sleep(due - time.monotonic())
    try:
        reader, writer = await asyncio.open_connection(
            target.hostname, target.port)
        writer.write(request)
        data = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        head, body = data.split(b"\r\n\r\n", 1)
        kind = kind_of(head.decode("latin-1").lower(), body)
    except (OSError, ValueError, asyncio.TimeoutError) as e:
        kind = "other"
        print(repr(e), file=sys.stderr)
    took.setdefault((name, kind), []).append(time.monotonic() - due)


async def beat(due):
    await asyncio.sleep(due - time.monotonic())
    took.setdefault(("machine", "late"), []).append(time.monotonic() - due)


async def main():
    begin, tasks = time.monotonic() + 0.2, []
    for name in sys.argv[4:]:
        with open(name, "rb") as f:
            der = f.read()
        request = (f"POST {target.path} HTTP/1.1\r\nHost: {target.netloc}\r\n"
                   "Content-Type: application/ocsp-request\r\n"
                   "Connection: close\r\n"
                   f"Content-Length: {len(der)}\r\n\r\n").encode() + der
        tasks += [ask(name, request, begin + n / rate)
                  for n in range(seconds * rate)]
    tasks += [beat(begin + n / 100) for n in range(seconds * 100)]
    await asyncio.gather(*tasks)


asyncio.run(main())
for (name, kind), all_s in sorted(took.items()):
    all_s.sort()
    print(name, kind, len(all_s),
          int(1000 * all_s[len(all_s) * 99 // 100]))
