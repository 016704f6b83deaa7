"""Which Python an engine's process is started with, on which path, and in which environment.

The program that we are part of need not be a plain `python program.py`. Packaged by PyInstaller and
its like, or embedding Python, its ``sys.executable`` is the program itself, or nothing: started as
if it were Python it would open a second window, and that one a third. And what it finds by a
``sys.path`` of its own, the engine's process must find, too.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from vivavoce.actors.transcription.engines.base import EngineError

CANNOT_IMPORT = 71
"""Exit code of a Python in which the module that it was started for cannot be imported."""

_FIX = (
    "set `transcription.python` (or VIVAVOCE_TRANSCRIPTION__PYTHON in the environment) to a Python "
    "3.11 or later in which vivavoce is installed"
)
_MARK = "_VIVAVOCE_STARTED_AS_PYTHON"
_PYTHON = re.compile(
    r"(python|pypy|graalpy)w?(\d+(\.\d+)*)?(t|d|_d|-dbg|-intel64)?(\.exe)?", re.IGNORECASE
)
_ARCHIVE = re.compile(r"python\d+t?\.zip")
_OF_ONE_PYTHON = ("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")
_LIBRARIES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH")

# Our own Python gets the host's path as it is, in its order. `vivavoce` is imported from where the
# host has it before anything of that path can take its place. Another Python has a path of its own,
# behind which the host's is of use where it is of the same version; else compiled parts would not
# fit. `typing` and `runpy` are imported first: so they come from the standard library.
_BOOTSTRAP = f"""\
import os, runpy, sys, typing
greeting, module, home, tag, count, *rest = sys.argv[1:]
os.environ.pop({_MARK!r}, None)
path, sys.argv[1:] = rest[:int(count)], rest[int(count):]
if not tag:
    if home:
        sys.path[:] = [home, *path]
        try:
            import vivavoce
        except ImportError:
            pass
    sys.path[:] = path if home in path or not home else [*path, home]
elif tag == sys.implementation.cache_tag:
    sys.path += [entry for entry in path if entry not in sys.path]
if greeting:
    print(greeting, flush=True)
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
except ImportError as error:
    print(error, file=sys.stderr, flush=True)
    sys.exit({CANNOT_IMPORT})
"""


class InterpreterError(EngineError):
    """There is no Python to start an engine's process with; the text names the setting."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{' '.join(why.split())}: {_FIX}", "no_interpreter")


class HostProgram(Struct, frozen=True, kw_only=True):
    """What matters of the program that we are part of.

    Attributes:
        executable: ``sys.executable``; empty where there is none.
        version: of its Python, as the file's name of the interpreter ends: ``3.11``.
        frozen: it was made by a packager: its executable is the program.
        path: what is handed on of ``sys.path``; see :func:`handed_path`.
        home: the folder or archive from which ``vivavoce`` was imported.
        prefixes: where its Python is installed, most special first.
        library: the folder of its standard library.
        flags: of the interpreter, those that say what of its surroundings it heeds.
        tag: ``sys.implementation.cache_tag``: compiled parts fit those of the same tag.
    """

    executable: str
    version: str
    frozen: bool
    path: tuple[str, ...]
    home: str
    prefixes: tuple[str, ...]
    library: str
    flags: tuple[str, ...]
    tag: str


def _runnable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)  # noqa: PTH113 - "\0" is no error here


def python_command(
    module: str,
    arguments: Sequence[str] = (),
    *,
    python: str | None,
    host: HostProgram,
    environ: Mapping[str, str],
    greeting: str = "",
    runnable: Callable[[str], bool] = _runnable,
) -> tuple[list[str], dict[str, str]]:
    """How a module of ours is run in a process of its own. Pure, but for looking at files.

    Args:
        module: by its full name.
        arguments: of the module.
        python: the interpreter that the user named: a path, or a name on ``PATH``. None: the one
            that this program runs in.
        host: see :func:`host_program`.
        environ: this program's environment.
        greeting: a line that Python prints as soon as it runs, before anything is imported.
        runnable: whether a path is a file that may be executed.

    Returns:
        the command, and the environment for it. The process ends with :data:`CANNOT_IMPORT` where
        the module cannot be imported.

    Raises:
        InterpreterError: there is no such interpreter, or this program has none; never is a
            packaged program named here.
    """
    if environ.get(_MARK):
        raise InterpreterError(
            f"{host.executable!r} was started as if it were Python, but is this program itself"
        )
    if python is None:
        interpreter = _own(host, runnable)
        flags, tag, path, home = host.flags, "", host.path, host.home
        inherited = _for_our_python(environ, host)
    else:
        interpreter = _named(python, host, environ, runnable)
        flags, tag, path, home = (), host.tag, _of_no_python(host), ""
        inherited = _for_another_python(environ, host)
    command = [
        interpreter,
        "-P",  # what lies in the current directory must not shadow the program
        *flags,
        *("-c", _BOOTSTRAP),
        *(greeting, module, home, tag, str(len(path)), *path, *arguments),
    ]
    return command, {**inherited, _MARK: "1"}


def host_program() -> HostProgram:
    """This program, as it is now."""
    main = sys.modules.get("__main__")
    script = getattr(main, "__file__", None)
    compiled = getattr(main, "__compiled__", None)  # by Nuitka; `standalone` is not told by all
    bundle = getattr(sys, "_MEIPASS", None)
    try:
        here = os.getcwd()  # noqa: PTH109 - text in, text out
    except OSError:  # it was removed
        here = ""
    flags = {"-E": "ignore_environment", "-s": "no_user_site", "-S": "no_site"}
    return HostProgram(
        executable=os.fsdecode(getattr(sys, "executable", None) or ""),
        version=f"{sys.version_info.major}.{sys.version_info.minor}{getattr(sys, 'abiflags', '')}",
        frozen=bool(
            getattr(sys, "frozen", False)
            or bundle
            or getattr(sys, "oxidized", False)
            or (compiled is not None and getattr(compiled, "standalone", True))
        ),
        path=handed_path(sys.path, here=here, script=_folder_of(script, here)),
        home=str(Path(here, __file__).parents[3]),
        prefixes=tuple(
            dict.fromkeys(
                prefix
                for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix, bundle)
                if prefix
            )
        ),
        library=str(Path(os.__file__ or "").parent),
        flags=tuple(flag for flag, name in flags.items() if getattr(sys.flags, name)),
        tag=sys.implementation.cache_tag or "",
    )


def handed_path(
    path: Iterable[object],
    *,
    here: str,
    script: str,
    exists: Callable[[str], bool] = os.path.exists,
) -> tuple[str, ...]:
    """What another process is given of a ``sys.path``: entries that mean the same there. Pure.

    Relative ones are made absolute. `''` is the current directory of whoever asks, and is left out;
    that directory and the one of the program that runs come last where they are on the path, so
    that a file that lies there by chance shadows nothing.

    Args:
        path: as ``sys.path``; what is no text is nothing that Python heeds.
        here: the current directory; empty where it is gone.
        script: the directory of the program; empty where it has none.
        exists: whether a relative entry, made absolute, is there. Entries that are not are left as
            they are: import hooks put names on the path that are no files.
    """
    first: dict[str, None] = {}
    last: dict[str, None] = {}
    for entry in path:
        if not isinstance(entry, str) or not entry or "\0" in entry:
            continue
        full = entry
        if not Path(entry).is_absolute():
            if not here and entry.startswith("."):
                continue
            absolute = os.path.join(here, entry)  # noqa: PTH118 - text in, text out
            full = os.path.normpath(absolute) if here and exists(absolute) else entry
        (last if full in (here, script) else first)[full] = None
    return (*first, *last)


# -- inside


def _folder_of(script: str | None, here: str) -> str:
    return os.path.normpath(Path(here, script).parent) if script else ""


def _own(host: HostProgram, runnable: Callable[[str], bool]) -> str:
    """The interpreter that this program runs in, or the one beside it that has its name."""
    executable = host.executable
    if host.frozen:
        raise InterpreterError(
            f"this program is packaged (frozen): its executable {executable!r} is no Python "
            "that an engine could be run with"
        )
    there = Path(executable).is_absolute() and runnable(executable)
    if there and _is_called_python(executable):
        return executable
    for prefix in host.prefixes:
        for place in (f"bin/python{host.version}", f"bin/pypy{host.version}", "python.exe"):
            beside = os.path.join(prefix, *place.split("/"))  # noqa: PTH118 - text in, text out
            if runnable(beside):
                return beside
    if not executable:
        why = "sys.executable is empty: this program names no Python for the engine"
    elif there:
        why = f"sys.executable: {executable!r} is no Python by its name and is not started as one"
    else:
        why = f"sys.executable: {executable!r} cannot be run: it is no executable file"
    raise InterpreterError(why)


def _is_called_python(path: str) -> bool:
    """Whether its name, or the name of what it links to, is one that interpreters have.

    Nothing else can be known without starting it.
    """
    names = (os.path.basename(path), os.path.basename(os.path.realpath(path)))  # noqa: PTH119
    return any(_PYTHON.fullmatch(name) for name in names)


def _named(
    python: str, host: HostProgram, environ: Mapping[str, str], runnable: Callable[[str], bool]
) -> str:
    path = os.path.expanduser(python)  # noqa: PTH111 - a home that is not known is no error here
    if os.path.dirname(path):  # noqa: PTH120 - "./python" is a path, "python" is not
        found = os.path.abspath(path)  # noqa: PTH100 - a link stays one: a venv is known by it
    else:
        import shutil  # not at the start: it brings every kind of archive with it

        found = shutil.which(path, path=environ.get("PATH")) or ""
    if not found or not runnable(found):
        raise InterpreterError(
            f"transcription.python: {python!r} cannot be run: it is no executable file"
        )
    if host.frozen and host.executable and _same(found, host.executable):
        raise InterpreterError(
            f"transcription.python: {python!r} is this program itself, packaged (frozen)"
        )
    return found


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _of_no_python(host: HostProgram) -> tuple[str, ...]:
    """What of the path is neither of the host's Python itself nor of its bundle."""
    bundle = [*host.prefixes, str(Path(host.executable).parent)] if host.frozen else []

    def own(entry: str) -> bool:
        path = Path(entry)
        return (
            entry in (host.library, str(Path(host.library, "lib-dynload")))
            or _ARCHIVE.fullmatch(path.name) is not None
            or any(path.is_relative_to(folder) for folder in bundle)
        )

    wanted = dict.fromkeys([*host.path, *([host.home] if host.home else [])])
    return tuple(entry for entry in wanted if not own(entry))


def _for_our_python(environ: Mapping[str, str], host: HostProgram) -> dict[str, str]:
    """Without a PYTHONHOME that this program does not stand on itself: ours would not start."""
    told = dict(environ)
    home = told.get("PYTHONHOME", "").split(os.pathsep)[0]
    if not any(_same(home, prefix) for prefix in host.prefixes if home):
        told.pop("PYTHONHOME", None)
    return told


def _for_another_python(environ: Mapping[str, str], host: HostProgram) -> dict[str, str]:
    """Without what was meant for this program's Python, and with the system's libraries again."""
    told = {name: value for name, value in environ.items() if name not in _OF_ONE_PYTHON}
    for name in _LIBRARIES if host.frozen else ():
        # PyInstaller's loader puts the bundle first, and keeps what was there before.
        before = told.pop(f"{name}_ORIG", None)
        if before is not None:
            told[name] = before
        elif any(entry in host.prefixes for entry in told.get(name, "").split(os.pathsep)):
            told.pop(name)
    return told
