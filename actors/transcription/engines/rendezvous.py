"""Equal calls of several threads, made as one: how utterances are decoded in batches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class _Call:
    """One thread's call; ``result`` or ``failure`` once it is done."""

    def __init__(
        self, key: Hashable, argument: Any, run: Callable[[Sequence[Any]], Sequence[Any]]
    ) -> None:
        self.key = key
        self.argument = argument
        self.run = run
        self.result: Any = None
        self.failure: BaseException | None = None
        self.done = False
        self.leads = False


class Rendezvous:
    """Where threads meet that decode one utterance each.

    A call waits until every member waits with one; then one thread makes all of them, those with
    the same key together. So a batch needs no timer, and each utterance goes through the same code
    as alone.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._members = 0
        self._waiting: list[_Call] = []

    @contextmanager
    def member(self) -> Iterator[None]:
        """Take part; the others wait for this thread's calls until it leaves."""
        with self._changed:
            self._members += 1
        try:
            yield
        finally:
            with self._changed:
                self._members -= 1
                self._appoint()

    def call(self, key: Hashable, argument: A, run: Callable[[Sequence[A]], Sequence[R]]) -> R:
        """The result that ``run`` gives for ``argument``, among those of equal calls.

        Args:
            key: calls with the same key may be made together.
            argument: of this call.
            run: makes them: a result for each argument, in order.
        """
        call = _Call(key, argument, run)
        with self._changed:
            self._waiting.append(call)
            self._appoint()
            self._changed.wait_for(lambda: call.done or call.leads)
            batch = self._waiting if call.leads else []
            if call.leads:
                self._waiting = []
        if batch:
            _make(batch)
            with self._changed:
                for made in batch:
                    made.done = True
                self._changed.notify_all()
        if call.failure is not None:
            raise call.failure
        result: R = call.result
        return result

    def _appoint(self) -> None:
        """Let one of the waiting threads make the calls when nobody else is to come."""
        if self._waiting and len(self._waiting) >= self._members:
            self._waiting[0].leads = True
            self._changed.notify_all()


def _make(calls: Sequence[_Call]) -> None:
    groups: dict[Hashable, list[_Call]] = {}
    for call in calls:
        groups.setdefault(call.key, []).append(call)
    for group in groups.values():
        try:
            results = group[0].run([call.argument for call in group])
            for call, result in zip(group, results, strict=True):
                call.result = result
        except BaseException as failure:  # noqa: BLE001 - raised again in each caller's thread
            for call in group:
                call.failure = failure
