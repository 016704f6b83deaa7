"""A profile that can change while the program runs: its files are watched, and SIGHUP reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from vivavoce.config import Profile, ProfileError, load_profile
from vivavoce.config.changes import Change, changes
from vivavoce.config.effects import changes_while_running, keep_until_restart
from vivavoce.config.layers import known_profiles, user_folder
from vivavoce.folder_watch import FolderWatch
from vivavoce.pipeline.log import get_logger

_SETTLE_S = 0.3
"""From the first sign of a change until the files are read: several may be written at once."""
_BUSY_S = 2.0
"""How long a folder in which only other files change is left alone."""

_State: TypeAlias = tuple[int, ...] | None

log = get_logger("profile")


class LiveProfile:
    """Knows where a profile came from, and reads it again when that changes.

    A change that is wrong is told in one line and changes nothing. What takes effect only at the
    next start stays as it is and is told, too.

    Args:
        profile: the name or path that was loaded.
        loaded: what was loaded from there; it is in force.
        environ: as for :func:`vivavoce.config.load_profile`; not watched.
        overrides: as for :func:`vivavoce.config.load_profile`.
        gone: what was told already of settings that have gone.

    Attributes:
        profile: what is in force now.
    """

    def __init__(
        self,
        profile: str | Path,
        loaded: Profile,
        *,
        environ: Mapping[str, str],
        overrides: Sequence[str] = (),
        gone: Iterable[str] = (),
    ) -> None:
        self.profile = loaded
        self._started = loaded
        self._written = loaded  # as the files have it, also what waits for the next start
        self._name = profile
        self._environ = environ
        self._overrides = tuple(overrides)
        self._gone = set(gone)
        self._read_from: dict[Path, _State] = {}  # the files, as they were when they were read
        self._known: dict[str, str] = {}
        self._wrong = False
        self._asked = False
        self._moved = False  # another profile is followed, whose files are not watched yet
        self._turn = asyncio.Lock()  # one profile is read and applied at a time
        self._stirred = asyncio.Event()

    def reload(self) -> None:
        """Read the profile again now; what :meth:`follow` does not notice by itself."""
        self._asked = True
        self._stirred.set()

    @property
    def name(self) -> str:
        """The name or path of the profile that is followed."""
        return str(self._name)

    async def switch(
        self, profile: str | Path, apply: Callable[[Profile], Awaitable[None]]
    ) -> None:
        """Await ``apply(profile)`` with another profile, and follow that one from then on.

        Raises:
            ProfileError: there is none, or it is wrong; nothing has changed.
            Exception: what ``apply`` raised; the one before is followed still.
        """
        async with self._turn:
            files: dict[Path, _State] = {}
            written = await asyncio.to_thread(self._load, profile, files)
            await apply(keep_until_restart(self._started, written))
            self._name = profile
            self._read_from = files
            self._take(written, asked=True)
        self._moved = True
        self._stirred.set()

    def _load(self, profile: str | Path, files: dict[Path, _State]) -> Profile:
        """Read a profile; ``files`` are those it was read from, also where it is wrong."""
        return load_profile(
            profile,
            environ=self._environ,
            overrides=self._overrides,
            on_file=lambda file: files.update({file: _state(file)}),
            on_gone=self._tell_gone,
        )

    def _tell_gone(self, line: str) -> None:
        if line not in self._gone:
            self._gone.add(line)
            log.warning(line)

    async def follow(self, apply: Callable[[Profile], Awaitable[None]]) -> None:
        """Await ``apply(profile)`` with each changed profile, until cancelled."""
        watch = self._make_watch()
        try:
            while True:
                asked, self._asked, self._moved = self._asked, False, False
                async with self._turn:
                    fresh = await asyncio.to_thread(self.read, asked=asked)
                    if watch is not None:
                        self._watch_files(watch)
                        if self._differs():  # since it was read, and before it was watched
                            self._stirred.set()
                    if fresh is not None:
                        await apply(fresh)
                await self._next_change(watch)
        finally:
            if watch is not None:
                watch.close()

    def read(self, *, asked: bool = False) -> Profile | None:
        """Read the profile; the one that is in force from now on, None where none other is.

        Args:
            asked: tell also that nothing has changed.
        """
        files: dict[Path, _State] = {}
        self._known = known_profiles(self._environ)
        try:
            written = self._load(self._name, files)
        except ProfileError as error:
            self._read_from |= files
            self._wrong = True
            log.warning(f"the profile stays as it was: {error}")
            return None
        self._read_from = files
        return self._take(written, asked=asked or self._wrong)

    def _take(self, written: Profile, *, asked: bool) -> Profile | None:
        self._wrong = False
        found = changes(self._written, written)
        self._written = written
        fresh = keep_until_restart(self._started, written)
        if found:
            self._tell(found, written)
        elif asked:
            log.info("the profile was read again: nothing has changed")
        if fresh == self.profile:
            return None
        self.profile = fresh
        return fresh

    def _tell(self, found: list[Change], written: Profile) -> None:
        log.info(f"the profile has changed: {', '.join(map(str, found))}")
        differing = {change.path for change in changes(self._started, written)}
        late = [
            change
            for change in found
            if change.path in differing and not changes_while_running(change.path)
        ]
        if late:
            names = ", ".join(str(change) for change in late)
            log.warning(f"this takes effect at the next start: {names}")

    # -- noticing

    def _make_watch(self) -> FolderWatch | None:
        try:
            return FolderWatch(self._stirred.set)
        except OSError as error:
            log.info(f"changes of the profile are noticed only with SIGHUP: {error}")
            return None

    def _watch_files(self, watch: FolderWatch) -> None:
        folders = {user_folder(self._environ)}
        for file in self._read_from:
            folders |= {file.parent, file.resolve().parent}
        try:
            watch.watch(folders)
        except OSError as error:
            log.info(f"changes of the profile are noticed only with SIGHUP: {error}")

    async def _next_change(self, watch: FolderWatch | None) -> None:
        """Wait until the profile should be read again."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            if self._asked or self._moved or watch is None:
                return
            watch.pause()
            try:
                await asyncio.sleep(_SETTLE_S)
                watch.forget()
                if await self._has_reason():
                    return
                await self._asked_within(_BUSY_S)
            finally:
                watch.resume()

    async def _has_reason(self) -> bool:
        return self._asked or await asyncio.to_thread(self._differs)

    async def _asked_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stirred.wait()
        except TimeoutError:
            return

    def _differs(self) -> bool:
        """Whether a file of the profile, or which file a name stands for, has changed."""
        states = self._read_from.items()
        return (
            any(_state(file) != state for file, state in states)
            or known_profiles(self._environ) != self._known
        )


def _state(file: Path) -> _State:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
