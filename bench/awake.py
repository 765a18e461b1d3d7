"""Keeps the CPUs from halting while something is measured.

To wake a virtual CPU that halted costs many microseconds, which belong to the host and which the system
counts as the subject's; how often it happens depends on what else the machine does. A process of idle
priority on each CPU takes what nobody else wants, and is left at once when somebody does.
"""

import contextlib
import os
import signal


def spin(cpu):
    """A process that does nothing, on one CPU."""
    child = os.fork()
    if child:
        return child
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.sched_setaffinity(0, {cpu})
    parent = os.getppid()
    while os.getppid() == parent:
        for _ in range(1_000_000):
            pass
    os._exit(0)


@contextlib.contextmanager
def awake():
    children = [spin(cpu) for cpu in sorted(os.sched_getaffinity(0))]
    try:
        yield
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
