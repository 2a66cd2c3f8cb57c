"""Waiting for many answers at once, in a way that Ctrl-C need not wait for any of them."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Item], Result], items: Sequence[Item], most: int
) -> tuple[Result, ...]:
    """Return what `work` makes of each item, by at most so many threads; raises the first that it raises.

    No thread is left when it returns. What raises here, a signal too, leaves them to end by themselves
    or with the process: `work` must change nothing.
    """
    waiting = deque((item, Future[Result]()) for item in items)
    futures = tuple(future for _, future in waiting)

    def run() -> None:
        while waiting:
            try:
                item, future = waiting.popleft()
            except IndexError:  # another thread was faster
                return
            try:
                future.set_result(work(item))
            except BaseException as why:  # noqa: BLE001  it is raised where it is waited for
                future.set_exception(why)

    threads = [Thread(target=run, daemon=True) for _ in range(min(len(items), most))]
    for thread in threads:
        thread.start()
    results = tuple(future.result() for future in futures)
    for thread in threads:
        thread.join()
    return results
