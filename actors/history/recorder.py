"""The history is written in a thread of its own: no disk ever holds up dictation.

Each row is committed at once where nothing else waits; what has gathered meanwhile is committed
together. A database that fails for the moment (a full disk, a lock) is tried again, with what could
not be written kept in memory up to a bound; one that is damaged is given up with a warning. What is
lost is counted and told.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from vivavoce.actors.desktop.delivery import Delivery
from vivavoce.actors.history.entry import Kept
from vivavoce.actors.history.errors import HistoryError
from vivavoce.actors.history.opening import told
from vivavoce.actors.history.store import Store, identity
from vivavoce.actors.history.upkeep import retention
from vivavoce.config.history import HistorySettings
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import Revision
from vivavoce.pipeline.metrics import Metrics

_AT_ONCE = 256
_CAPACITY = 1_000
_MOST_SOUNDS = 32
_UPKEEP_EVERY_S = 3_600.0
_RETRY_S = (1.0, 60.0)
_LOCK_S = 2.0
"""How long a lock of another program is waited for before the rows wait in memory instead."""

log = get_logger("history")


class _Work(NamedTuple):
    """Something to do; whether it is a final (which counts where it is lost), and with sound."""

    do: Callable[[Store], object]
    final: bool = False
    sound: bool = False


class Recorder:
    """Keeps the finals of one run. All methods are called in the event loop, and return at once.

    Args:
        path: the database; it is made where there is none.
        settings: how long, and how much is kept, as it is then; read by the thread.
        metrics: ``vivavoce_history_finals_total`` counts finals that were handed over,
            ``vivavoce_history_lost_total`` those that are not in the database.
        capacity: how many changes may wait to be written.
        now: wall-clock time, for retention.

    Attributes:
        run: tells this run from others in the database.
        settings: how long, and how much is kept.
        sounds: how many more sounds may wait.
        problem: why what is said is not kept, or waits to be, in a line; empty: it is kept.
    """

    def __init__(
        self,
        path: Path,
        settings: Callable[[], HistorySettings],
        metrics: Metrics,
        *,
        capacity: int = _CAPACITY,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.run = uuid.uuid4().hex
        self.settings = settings
        self._capacity = capacity
        self._now = now
        self._kept = metrics.counter("vivavoce_history_finals_total")
        self._lost = metrics.counter("vivavoce_history_lost_total")
        self._waiting: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        # A thousand texts are nothing; a thousand sounds would be the memory of a small machine.
        self.sounds = threading.Semaphore(_MOST_SOUNDS)
        self._thread: threading.Thread | None = None
        self._full_told = False
        self._sounds_told = False
        self._dead = False
        self.problem = ""

    # -- in the event loop

    async def open(self) -> None:
        """Begin: the database is opened by the thread, so that nothing waits for it here.

        Where it cannot be opened a warning says why, and all goes on without a history.
        """
        writer = _Writer(self, asyncio.get_running_loop())
        context = contextvars.copy_context()  # the log's sink is a context variable
        self._thread = threading.Thread(
            target=partial(context.run, writer.work), name="vivavoce history", daemon=True
        )
        self._thread.start()

    def add(self, row: Kept) -> None:
        """Keep a final (again: instead of what was kept of that utterance)."""
        self._kept.add()
        sound = row.wav is not None
        if sound and not self.sounds.acquire(blocking=False):
            sound, row = False, msgspec.structs.replace(row, wav=None)
            if not self._sounds_told:
                self._sounds_told = True
                log.warning("sounds are not kept: the disk of the history is too slow")
        self._put(_Work(lambda store: store.add(row), True, sound))

    def deliver(self, delivery: Delivery) -> None:
        """What became of an utterance of this run: before or after its final is here, and again
        and again."""
        self._put(_Work(lambda store: store.deliver(delivery)))

    def revise(self, revision: Revision) -> None:
        """Another text for an utterance of this run; an empty one removes it."""
        self._put(_Work(lambda store: store.revise(revision)))

    def retract(self, utterance: int, count: int) -> None:
        """The speaker took back the last ``count`` finals before ``utterance``."""
        self._put(_Work(lambda store: store.retract(utterance, count)))

    def discard(self, start: int, end: int) -> None:
        """A recording was cancelled: what was said in samples ``[start, end)`` is removed."""
        self._put(_Work(lambda store: store.discard(start, end)))

    async def close(self, timeout_s: float = 5.0) -> None:
        """Write what waits, and end; a disk that hangs is left behind after ``timeout_s``."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._waiting.put(None)
        await asyncio.to_thread(thread.join, timeout_s)
        await asyncio.sleep(0)  # what the thread told last is counted
        if lost := round(self._lost.value):
            log.warning(f"{lost} finals of this run are not in the history {self.path}")
        if thread.is_alive():
            left = sum(work.final for work in _emptied(self._waiting))
            self._lost.add(left)
            log.warning(
                f"the history {self.path} could not be brought to an end: its disk does not answer",
                lost_at_least=left,
            )

    def _put(self, work: _Work) -> None:
        alive = self._thread is not None and not self._dead
        if alive and self._waiting.qsize() < self._capacity:
            self._waiting.put(work)
            self._full_told = False
            return
        self._lost.add(work.final)
        if work.sound:
            self.sounds.release()
        if alive and not self._full_told:
            self._full_told = True
            log.warning(
                f"the history cannot keep up, so what is said is not kept ({self.path}): is its "
                "disk slow or full?"
            )

    # -- what the thread reads

    @property
    def capacity(self) -> int:
        """How many changes may wait."""
        return self._capacity

    @property
    def waiting(self) -> queue.SimpleQueue[_Work | None]:
        """What is to be written; None: nothing more will come."""
        return self._waiting

    def now(self) -> float:
        """Wall-clock time."""
        return self._now()

    # -- what the thread tells; all in the event loop

    def count_lost(self, finals: int) -> None:
        """So many finals are not in the database."""
        self._lost.add(finals)

    def has_problem(self, problem: str) -> None:
        """What is said is not kept, or waits to be kept, for this reason."""
        self.problem = problem
        log.warning(problem)

    def keeps_again(self) -> None:
        """The problem is gone."""
        self.problem = ""
        log.warning("the history is kept again")

    def has_died(self, reason: str) -> None:
        """The thread has ended, by a mistake of the program: nothing is kept any more."""
        self._dead = True
        self.problem = (
            f"what is said is not kept any more: writing the history {self.path} failed "
            f"({reason}); start vivavoce again"
        )
        log.error(self.problem)
        left = _emptied(self._waiting)
        for _ in range(sum(work.sound for work in left)):
            self.sounds.release()
        self._lost.add(sum(work.final for work in left))


class _Writer:
    """What the thread does."""

    def __init__(self, recorder: Recorder, loop: asyncio.AbstractEventLoop) -> None:
        self._recorder = recorder
        self._loop = loop
        self._store: Store | None = None
        self._given_up = False
        self._unusable: tuple[int, int] | None = None  # the file that was given up
        self._failing = False
        self._backlog: deque[_Work] = deque()  # what could not be written so far
        self._retry_s = _RETRY_S[0]
        self._upkeep: Iterator[None] | None = None
        self._upkeep_at = 0.0

    def work(self) -> None:
        """Write until the end is told; a failure is told at once, and what it costs is counted."""
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - the thread ends: told, and what is lost counted
            self._lose(self._backlog)
            self._call(self._recorder.has_died, f"{type(error).__name__}: {error}")
        if self._store is not None:
            with suppress(HistoryError):  # all is written; the log (WAL) is replayed by the next
                self._store.close()

    def _work(self) -> None:
        self._write([])  # opens it: a mistake in the settings is told at once
        self._keep_up(wrote=False)
        going_on = True
        while going_on:
            works, going_on = self._next()
            self._write(works)
            if going_on:
                self._keep_up(wrote=bool(works))
        self._lose(self._backlog)

    def _next(self) -> tuple[list[_Work], bool]:
        """What waits, at most so much; and whether more may come."""
        found: list[_Work] = []
        waiting = self._recorder.waiting
        with suppress(queue.Empty):
            if self._upkeep is not None:
                first = waiting.get_nowait()
            elif self._backlog:
                first = waiting.get(timeout=self._retry_s)
            else:
                first = waiting.get()
            while first is not None:
                found.append(first)
                if len(found) >= _AT_ONCE:
                    return found, True
                first = waiting.get_nowait()
            return found, False
        return found, True

    def _write(self, works: list[_Work]) -> None:
        self._backlog.extend(works)
        if self._given_up and identity(self._recorder.path) == self._unusable:
            self._lose(self._backlog)
            return
        given_up, self._given_up = self._given_up, False
        if given_up:  # somebody has moved it away, as the warning said
            self._drop_store()
        try:
            if self._store is not None and not self._store.is_there:
                self._drop_store()  # somebody has moved it away: a new one is begun
            if self._store is None:
                self._store = Store(self._recorder.path, self._recorder.run, patience_s=_LOCK_S)
            while self._backlog:
                batch = [self._backlog[at] for at in range(min(_AT_ONCE, len(self._backlog)))]
                with self._store.transaction():
                    for work in batch:
                        work.do(self._store)
                for work in batch:
                    self._backlog.popleft()
                    if work.sound:
                        self._recorder.sounds.release()
        except HistoryError as error:
            self._failed(error)
        else:
            if self._failing or given_up:
                self._failing = False
                self._retry_s = _RETRY_S[0]
                self._call(self._recorder.keeps_again)

    def _drop_store(self) -> None:
        store, self._store, self._upkeep = self._store, None, None
        self._upkeep_at = 0.0
        if store is not None:
            with suppress(HistoryError):
                store.close()

    def _failed(self, error: HistoryError) -> None:
        if not error.passing:
            self._given_up = True
            self._unusable = identity(self._recorder.path)
            self._upkeep = None
            self._call(self._recorder.has_problem, f"what is said is not kept: {error}")
            self._lose(self._backlog)
            return
        if self._failing:
            self._retry_s = min(_RETRY_S[1], self._retry_s * 2)
        else:
            self._failing = True
            self._call(self._recorder.has_problem, f"what is said waits to be kept: {error}")
        too_many = max(0, len(self._backlog) - self._recorder.capacity)
        self._lose(deque(self._backlog.popleft() for _ in range(too_many)))

    def _keep_up(self, *, wrote: bool) -> None:
        """A step of what retention has to do; it begins at most once an hour, and by no timer."""
        store = self._store
        if store is None or self._given_up or self._failing:
            return
        now = self._recorder.now()
        if self._upkeep is None and (wrote or not self._upkeep_at):
            if self._upkeep_at and abs(now - self._upkeep_at) < _UPKEEP_EVERY_S:
                return
            self._upkeep_at = now
            self._upkeep = retention(store.connection, self._recorder.settings(), now)
        if self._upkeep is not None:
            try:
                with told(store.path):
                    next(self._upkeep)
            except StopIteration:
                self._upkeep = None
            except HistoryError as error:
                self._upkeep = None
                self._failed(error)

    def _lose(self, works: deque[_Work] | list[_Work]) -> None:
        finals = sum(work.final for work in works)
        for _ in range(sum(work.sound for work in works)):
            self._recorder.sounds.release()
        works.clear()
        if finals:
            self._call(self._recorder.count_lost, finals)

    def _call(self, call: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody is there to be told
            self._loop.call_soon_threadsafe(call, *arguments)


def _emptied(waiting: queue.SimpleQueue[_Work | None]) -> list[_Work]:
    found: list[_Work] = []
    with suppress(queue.Empty):
        while True:
            work = waiting.get_nowait()
            if work is not None:
                found.append(work)
    return found
