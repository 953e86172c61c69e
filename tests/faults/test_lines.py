"""Lines whose values do what nobody expects, and lines that are logged while logging itself is set up anew."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .project import Project

PREAMBLE = """
import json, logging, os, signal, sqlite3, threading, time
from pathlib import Path
from loguru import logger
from baked_server.logging.destinations.sqlite import SQLiteDestination
from baked_server.logging.unified_logger import UnifiedLogger

DATABASE = Path("lines.db")
DATABASE.unlink(missing_ok=True)

def stored():
    return [message for (message,) in sqlite3.connect(DATABASE).execute("SELECT message FROM unified_logs")]
"""

VALUES = """
class Nested:
    def __str__(self):
        logger.info("a line of __str__")
        return "nested"

class Interrupted:
    def __str__(self):
        os.kill(os.getpid(), signal.SIGUSR1)
        return "interrupted"

UnifiedLogger.initialize(SQLiteDestination(DATABASE))
signal.signal(signal.SIGUSR1, lambda *_: logger.info("a line of a signal handler"))
logger.bind(value=Nested()).info("nested")
logger.bind(value=Interrupted()).info("interrupted")
logging.getLogger().handle(logging.makeLogRecord({"msg": "nameless", "name": None, "levelno": 20, "levelname": "INFO"}))
UnifiedLogger.shutdown()
print(json.dumps(stored()))
"""

SLOW = """
looked, seen = threading.Event(), threading.Event()

class Slow:
    def __str__(self):
        looked.set()
        assert seen.wait(20), "the other thread waits for this one"
        return "slow"

UnifiedLogger.initialize(SQLiteDestination(DATABASE))
slow = threading.Thread(target=lambda: logger.bind(value=Slow()).info("slow"))
slow.start()
looked.wait(20)
logger.info("quick")
seen.set()
slow.join()
UnifiedLogger.shutdown()
print(json.dumps(stored()))
"""

ANEW = """
UnifiedLogger.initialize(SQLiteDestination(DATABASE))
counts, goes_on = [0] * 4, True

def log(thread):
    while goes_on:
        logger.info(f"{thread} {counts[thread]}")
        counts[thread] += 1
        time.sleep(0.001)

threads = [threading.Thread(target=log, args=(thread,)) for thread in range(len(counts))]
for thread in threads:
    thread.start()
for _ in range(10):
    time.sleep(0.05)
    UnifiedLogger.initialize(SQLiteDestination(DATABASE))
goes_on = False
for thread in threads:
    thread.join()
UnifiedLogger.shutdown()
print(json.dumps([sum(counts), len({message for message in stored() if message[0].isdigit()})]))
"""


def _result(project: Project, script: str) -> Any:
    done = project.run("-c", PREAMBLE + script)
    assert done.returncode == 0, done.stderr
    assert "Logging error" not in done.stderr
    return json.loads(done.stdout)


def test_a_value_that_logs_or_is_interrupted_by_a_signal_handler_that_does_costs_no_line(project: Project) -> None:
    """Loguru refuses lines that are logged while it writes one, and shows that one as it is: here it never writes."""
    expected = ["nested", "a line of __str__", "interrupted", "a line of a signal handler", "nameless"]
    assert sorted(_result(project, VALUES)) == sorted(expected)


def test_nobody_waits_for_the_values_of_another_threads_line(project: Project) -> None:
    """A value that takes long to be shown costs time to the one who logs it."""
    assert sorted(_result(project, SLOW)) == ["quick", "slow"]


def test_no_line_is_lost_while_logging_is_set_up_anew(project: Project) -> None:
    """Threads log all the time: what the one destination does not get goes to the next."""
    logged, arrived = _result(project, ANEW)
    assert arrived == logged > 0
