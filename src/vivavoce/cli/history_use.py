"""`vivavoce history copy` and `replay`: a text once more, and its sound."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vivavoce.config.errors import VivavoceError

if TYPE_CHECKING:  # not needed to start
    from vivavoce.actors.history.entry import Entry
    from vivavoce.actors.history.reading import Reader

_PATIENCE_S = 5.0

# All control characters but line feed and tab: pasted into a terminal, they would be obeyed.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def find(reader: Reader, number: str) -> Entry:
    """The row that a person named: by its number, or ``last``.

    Raises:
        VivavoceError: there is none.
    """
    if number == "last":
        entry = reader.newest()
        if entry is None:
            raise VivavoceError("the history is empty: nothing was kept yet")
        return entry
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise click.UsageError(f"{number!r} is no number of the history, and not `last`")
    entry = reader.get(int(number))
    if entry is None:
        raise VivavoceError(
            f"there is no {number} in the history (any more): `vivavoce history list` shows what is"
        )
    return entry


@click.command("copy")
@click.argument("number", metavar="[ID|last]", default="last")
@click.pass_context
def copy(context: click.Context, *, number: str) -> None:
    """Copy a text into the clipboard: the last one, or that with the number ID."""
    from vivavoce.actors.history.reading import Reader

    with Reader(context.obj()) as reader:
        entry = find(reader, number)
    to_clipboard(_CONTROL.sub("", entry.text), os.environ)
    click.echo(f"copied {entry.id} to the clipboard", err=True)


def clipboard_tools(
    environ: Mapping[str, str],
    platform: str = sys.platform,
    which: Callable[[str], str | None] = shutil.which,
) -> Iterator[list[str]]:
    """Commands that take a text on standard input into the clipboard, the fittest first."""
    known: list[list[str]] = []
    if platform == "darwin":
        known.append(["pbcopy"])
    if environ.get("WAYLAND_DISPLAY"):
        known.append(["wl-copy", "--type", "text/plain;charset=utf-8"])
    if environ.get("DISPLAY"):
        known.append(["xclip", "-selection", "clipboard", "-in"])
        known.append(["xsel", "--clipboard", "--input"])
    known.append(["clip.exe"])  # Windows, and Linux inside of it
    for program, *arguments in known:
        found = which(program)
        if found is not None:
            yield [found, *arguments]


def to_clipboard(text: str, environ: Mapping[str, str]) -> None:
    """Put ``text`` into the clipboard of the session.

    Raises:
        VivavoceError: no tool is there, or none can.
    """
    failed = ""
    for tool in clipboard_tools(environ):
        encoding = "utf-16-le" if tool[0].lower().endswith("clip.exe") else "utf-8"
        try:
            # xclip and wl-copy stay behind to serve the clipboard, and keep what they inherit open:
            # a pipe would never come to its end.
            done = subprocess.run(  # noqa: S603 - known tools; the text is on standard input
                tool,
                input=text.encode(encoding),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            failed = f"{Path(tool[0]).name} does not answer"
        except OSError as error:
            failed = f"{Path(tool[0]).name} cannot be run: {error.strerror}"
        else:
            if done.returncode == 0:
                return
            failed = f"{Path(tool[0]).name} failed (exit code {done.returncode})"
    if failed:
        raise VivavoceError(f"the clipboard cannot be reached: {failed}")
    raise VivavoceError(
        "no tool for the clipboard is there: install wl-clipboard (Wayland) or xclip (X11)"
    )


@click.command("replay")
@click.argument("number", metavar="[ID|last]", default="last")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.wav",
    help="Write the sound to a file instead.",
)
@click.pass_context
def replay(context: click.Context, *, number: str, output: Path | None) -> None:
    """Play the sound of the last final, or of that with the number ID.

    Sound is kept only where the profile says `history.audio: true`.
    """
    from vivavoce.actors.history.reading import Reader

    with Reader(context.obj()) as reader:
        entry = find(reader, number)
        wav = reader.wav(entry.id)
    if wav is None:
        raise VivavoceError(
            f"no sound of {entry.id} is kept: sound is kept where the profile says "
            "`history.audio: true`"
        )
    if output is None:
        _play(wav)
        return
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(wav)
    except OSError as error:
        raise VivavoceError(f"cannot write {output}: {error.strerror}") from error


def _play(wav: bytes) -> None:
    from vivavoce.actors.capture.devices import portaudio
    from vivavoce.actors.history.sound import from_wav

    sounddevice = portaudio()
    try:
        sounddevice.play(from_wav(wav), samplerate=16_000, blocking=True)
    except sounddevice.PortAudioError as error:
        raise VivavoceError(
            f"the sound cannot be played ({error}): `vivavoce history replay -o FILE.wav` writes "
            "it to a file"
        ) from error
    except ValueError as error:
        raise VivavoceError(f"the sound cannot be played: {error}") from error
