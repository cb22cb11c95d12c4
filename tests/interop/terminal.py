# SPDX-License-Identifier: Apache-2.0
#
# python3 terminal.py SECONDS ANSWER COMMAND...: runs it on a terminal, types
# ANSWER and a return when it asks "[y/N]", prints what it said, and ends with
# its exit status.

import os
import pty
import select
import signal
import sys
import time

until = time.time() + float(sys.argv[1])
answer = sys.argv[2].encode() + b"\n"
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[3], sys.argv[3:])
said = b""
has_answered = False
while time.time() < until:
    if not select.select([fd], [], [], 0.2)[0]:
        continue
    try:
        octets = os.read(fd, 4096)
    except OSError:
        break
    if not octets:
        break
    said += octets
    if not has_answered and b"[y/N]" in said:
        has_answered = True
        os.write(fd, answer)
else:
    os.kill(pid, signal.SIGKILL)
sys.stdout.write(said.decode(errors="replace").replace("\r", "\n"))
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 255)
