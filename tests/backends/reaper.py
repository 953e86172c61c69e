"""Kill the servers of a test process when it ends in any way, also by SIGKILL.

Runs beside the test process and reads `+<pid>` and `-<pid>` from it. The end of that pipe is the end of the test
process. (PR_SET_PDEATHSIG would do it without a process, but on Linux only, it fires when the *thread* that started
the server ends, and it leaves the stopped children of a paused PostgreSQL behind.)
"""

from __future__ import annotations

import contextlib
import signal
import sys

import psutil


def main() -> int:
    """Remember servers until the test process is gone, then kill what is left of them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    servers: dict[int, psutil.Process] = {}
    for line in sys.stdin:
        note(servers, line[0], int(line[1:]))
    for server in servers.values():
        kill(server)
    return 0


def note(servers: dict[int, psutil.Process], sign: str, pid: int) -> None:
    """Add a server, or forget it; a pid that is used again later is another process to psutil."""
    servers.pop(pid, None)
    if sign == "+":
        with contextlib.suppress(psutil.NoSuchProcess):
            servers[pid] = psutil.Process(pid)


def kill(server: psutil.Process) -> None:
    """Kill a server and its children, the server first so that it starts no more of them."""
    with contextlib.suppress(psutil.NoSuchProcess):
        children = server.children(recursive=True)
        for process in (server, *children):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


if __name__ == "__main__":
    sys.exit(main())
