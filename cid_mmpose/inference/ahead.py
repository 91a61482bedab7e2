"""Work that is done before it is asked for, by threads, while the network is busy; the order stays."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Given = TypeVar('Given')
Made = TypeVar('Made')


def ahead(
    items: Iterable[Given],
    make: Callable[[Given], Made],
    depth: int,
    workers: int = 2,
    start: Callable[[], None] | None = None,
) -> Iterator[Made]:
    """``make(item)`` of each item, in order; some are under way before they are asked for.

    Whoever stops early leaves nothing running: what has begun is waited for, and the items are closed.

    Args:
        items: taken one by one, by one thread.
        make: called by several threads at once.
        depth: items that are taken before they are asked for, at least 1.
        workers: threads that make.
        start: called first by each of them.
    """
    source = iter(items)
    end: Any = object()
    taker = ThreadPoolExecutor(1, 'take')
    makers = ThreadPoolExecutor(workers, 'make', initializer=start)

    def take() -> Future | None:
        item = next(source, end)
        if item is end:
            return None
        return makers.submit(make, item)

    waiting = deque(taker.submit(take) for _ in range(depth))
    try:
        while True:
            made = waiting.popleft().result()
            if made is None:
                return
            waiting.append(taker.submit(take))
            yield made.result()
    finally:
        taker.shutdown(cancel_futures=True)
        makers.shutdown(cancel_futures=True)
        if hasattr(source, 'close'):
            source.close()
