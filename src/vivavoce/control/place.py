"""Where an instance is found: a folder of the user's alone, with a socket and a lock in it."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from vivavoce.config.errors import VivavoceError

DEFAULT_INSTANCE = "default"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
"""As in the profile's `control.instance`; so a name is never a path."""

_LONGEST_ADDRESS = 103
"""Bytes of a socket's path: 107 on Linux, 103 on macOS."""

_DESCRIPTORS = Path("/proc/self/fd")


class Place:
    """Where one instance listens.

    Args:
        instance: its name.
        environ: where ``XDG_RUNTIME_DIR`` and ``TMPDIR`` are read from.

    Raises:
        VivavoceError: that is no name of an instance, or this system has no Unix sockets.
    """

    def __init__(self, instance: str, environ: Mapping[str, str]) -> None:
        if sys.platform == "win32":
            raise VivavoceError(
                "a running vivavoce cannot be controlled on Windows: run with "
                "--set control.enabled=false"
            )
        if not _NAME.fullmatch(instance):
            raise VivavoceError(
                f"{instance!a} is no name of an instance: use up to 32 letters, digits, - and _"
            )
        self.instance = instance
        self.folder = _folder(environ)
        self.socket = self.folder / f"{instance}.sock"
        self.lock = self.folder / f"{instance}.lock"

    def make(self) -> None:
        """Make the folder where it is missing.

        Raises:
            VivavoceError: it cannot be made, or others could tamper with what lies in it.
        """
        try:
            with contextlib.suppress(FileExistsError):
                self.folder.mkdir(mode=0o700)
        except OSError as error:
            raise VivavoceError(
                f"{self.folder}: cannot be made ({error.strerror}): {_WITHOUT}"
            ) from error
        self.check()

    def check(self) -> bool:
        """Whether the folder is there.

        Raises:
            VivavoceError: others could tamper with what lies in it.
        """
        try:
            found = self.folder.lstat()  # a link could lead to where others may write
        except FileNotFoundError:
            return False
        except OSError as error:
            raise VivavoceError(
                f"{self.folder}: cannot be read ({error.strerror}): {_WITHOUT}"
            ) from error
        if not stat.S_ISDIR(found.st_mode):
            kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "not a folder"
            wrong = f"is {kind}, so others could control vivavoce: remove it"
        elif found.st_uid != os.geteuid():
            wrong = f"belongs to another user (uid {found.st_uid}): have it removed"
        elif stat.S_IMODE(found.st_mode) & 0o077:
            wrong = "is open to other users: run `chmod 700` on it"
        else:
            return True
        raise VivavoceError(f"{self.folder}: {wrong}, or {_WITHOUT}")

    @contextlib.contextmanager
    def address(self) -> Iterator[str]:
        """The socket's path, or one as good that is short enough for the system.

        Raises:
            VivavoceError: it is too long, and this system knows no shorter one.
        """
        plain = str(self.socket)
        if len(os.fsencode(plain)) <= _LONGEST_ADDRESS:
            yield plain
            return
        if not _DESCRIPTORS.is_dir():
            raise VivavoceError(
                f"{plain}: longer than {_LONGEST_ADDRESS} bytes, which a socket's path cannot be: "
                "set XDG_RUNTIME_DIR to a shorter one"
            )
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            yield f"{_DESCRIPTORS}/{folder}/{self.socket.name}"
        finally:
            os.close(folder)

    def others(self) -> list[str]:
        """Names of other instances that left a socket here; they need not run any more."""
        try:
            found = sorted(path.stem for path in self.folder.glob("*.sock"))
        except OSError:
            return []
        return [name for name in found if name != self.instance and _NAME.fullmatch(name)]


_WITHOUT = "run without `vivavoce ctl` (--set control.enabled=false)"


def _folder(environ: Mapping[str, str]) -> Path:
    """The user's runtime directory; where there is none, a folder of the user's beside others'.

    ``su`` and ``sudo`` keep the variable of whom they leave: a directory of somebody else's is not
    ours to write to.
    """
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        with contextlib.suppress(OSError):
            found = Path(runtime).stat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
                return Path(runtime) / "vivavoce"
    temporary = environ.get("TMPDIR", "")
    if not temporary.startswith("/"):
        temporary = "/tmp"  # noqa: S108 - the folder in it is checked before it is used
    return Path(temporary) / f"vivavoce-{os.geteuid()}"
