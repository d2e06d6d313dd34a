"""A loop in which a seed decides who goes first, and in which waiting costs nothing.

Time is virtual: when nobody can go on, it jumps to the next timer. Of all tasks that could go on at one moment, the
seed picks one; plain callbacks keep their order, as asyncio promises. There is no selector, no thread and no machine
clock, so whoever would bring chance in from outside is stopped here with a sentence.
"""

import asyncio
import heapq
import itertools
from collections import deque
from random import Random


class Standstill(RuntimeError):  # noqa: N818  # a fact about the world
    """Everybody waits for somebody, and no timer runs: a deadlock."""


class NumberedTask(asyncio.Task):
    """Hashed by its number and not by its address, so that a set of tasks has one order in every process."""

    def __init__(self, *arguments, number, **more) -> None:
        self._number = number
        super().__init__(*arguments, **more)

    def __hash__(self) -> int:
        return self._number


class NumberedFuture(asyncio.Future):
    """Likewise."""

    def __init__(self, *, number, loop) -> None:
        self._number = number
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._number


class SeededLoop(asyncio.BaseEventLoop):
    """`asyncio.Runner(loop_factory=lambda: SeededLoop(random))`."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random
        self._virtual_s = 0.0
        self._clock_resolution = 1e-9
        self._ready = deque[asyncio.Handle]()
        self._numbers = itertools.count()
        self.set_task_factory(self._new_task)

    def _new_task(self, loop, coro, **more):
        return NumberedTask(coro, loop=loop, number=next(self._numbers), **more)

    def create_future(self):
        """Also the ones that asyncio makes for itself."""
        return NumberedFuture(number=next(self._numbers), loop=self)

    def time(self) -> float:
        """Virtual seconds since the world began."""
        return self._virtual_s

    def call_soon_threadsafe(self, callback, *args, context=None):
        raise RuntimeError("A thread rang in: what it does next is not the seed's choice.")

    def run_in_executor(self, executor, func, *args):
        raise RuntimeError(f"{func} was sent to a thread: when it ends is not the seed's choice.")

    async def shutdown_default_executor(self, timeout=None):  # noqa: ASYNC109  # the signature is asyncio's
        """There is none."""

    def _run_once(self) -> None:
        """One step of one task, or every plain callback that stands before the first task."""
        self._wake()
        if not isinstance(_owner(self._ready[0]), asyncio.Task):
            self._run(self._ready.popleft())
            return
        tasks = [place for place, handle in enumerate(self._ready) if _is_step(handle)]
        chosen = self._random.choice(tasks)
        handle = self._ready[chosen]
        del self._ready[chosen]
        self._run(handle)

    def _wake(self) -> None:
        """Timers that are due now; if nobody is ready, the next moment at which somebody is."""
        timers = self._scheduled
        while timers and timers[0]._cancelled:
            self._drop(heapq.heappop(timers))
        if not self._ready:
            if not timers:
                raise Standstill("Everybody waits for somebody, and no timer runs.")
            self._virtual_s = max(self._virtual_s, timers[0].when())
        while timers and timers[0].when() <= self._virtual_s:
            self._drop(timer := heapq.heappop(timers))
            if not timer._cancelled:
                self._ready.append(timer)

    def _drop(self, timer: asyncio.TimerHandle) -> None:
        if timer._cancelled:
            self._timer_cancelled_count -= 1
        timer._scheduled = False

    @staticmethod
    def _run(handle: asyncio.Handle) -> None:
        if not handle._cancelled:
            handle._run()

    def _process_events(self, event_list) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps in a selector."""


def _owner(handle: asyncio.Handle) -> object:
    """A task's steps and wake-ups are bound to it."""
    return getattr(handle._callback, "__self__", None)


def _is_step(handle: asyncio.Handle) -> bool:
    return isinstance(_owner(handle), asyncio.Task)
