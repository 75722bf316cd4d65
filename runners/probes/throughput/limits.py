"""A limit on what never comes back."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runners.outcomes import TimedOut


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise `TimedOut` when the time is over; by an alarm, so in the main thread of a POSIX system.

    Elsewhere, and for code that never returns to Python, the limit of the whole trial is what is left.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring_bell(*_: object) -> None:
        raise TimedOut(f"a step or a turn lasted longer than its limit of {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring_bell)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
