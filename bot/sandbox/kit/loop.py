"""One thread for everything: what a loop would give to another thread is done at once, in place."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from miniprograms.sdk.testing.vocabulary import PlayError


class InPlace(ThreadPoolExecutor):
    """Does at once what it is given, in no thread."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":  # noqa: ANN401  # as declared above it
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def refuse_running_loop(work: Coroutine[Any, Any, Any]) -> None:
    """A step that is taken inside somebody else's loop could only wait for itself."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    work.close()
    raise PlayError("The test kit has a loop of its own: write `def test_…`, not `async def test_…`.")
