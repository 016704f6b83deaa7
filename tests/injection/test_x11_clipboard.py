"""Pasting into a real xterm, and what becomes of what was in the clipboard before."""

import asyncio
import shutil
from pathlib import Path

import pytest
from support.injecting import Rig, flaky_tool, profile
from support.waiting import advance, given_up, moment, until
from support.x11 import Terminal, XDisplay

from vivavoce.actors.desktop.delivery import Outcome
from vivavoce.actors.injection.back_end import Content, Manner, Result
from vivavoce.actors.injection.focus.x11 import X11Focus
from vivavoce.actors.injection.tool import ToolRunner
from vivavoce.actors.injection.x11_clipboard import XClipboard
from vivavoce.config.injection import InjectionSettings

pytestmark = [pytest.mark.desktop, pytest.mark.patient]

PICTURE = b"\x89PNG\r\n\x1a\n not really"
RESTORE_MS = 150


def _rig(display: XDisplay, path: str = "", **settings) -> Rig:
    environ = dict(display.environ)
    if path:
        environ["PATH"] = f"{path}:{environ['PATH']}"
    return Rig(
        profile({"backend": ["clipboard"], "restore_clipboard_ms": RESTORE_MS, **settings}),
        probe=X11Focus(display.environ),
        environ=environ,
    )


def _clipboard(display: XDisplay) -> XClipboard:
    return XClipboard(ToolRunner(display.environ), InjectionSettings())


@pytest.mark.smoke
async def test_a_text_is_pasted_and_the_previous_comes_back(display: XDisplay, editor: Terminal):
    display.copy("früher ☕".encode())
    rig = _rig(display)
    await rig.say_texts("Pasted, ñ and 😀.", "And once more.")
    await asyncio.to_thread(editor.wait_for, "Pasted, ñ and 😀. And once more.")
    assert rig.outcomes == [Outcome.TYPED] * 2
    await rig.stop()
    assert display.clipboard().decode() == "früher ☕"


async def test_what_somebody_copies_meanwhile_stays(display: XDisplay, editor: Terminal):
    display.copy(b"before")
    rig = _rig(display)
    await rig.say_texts("Pasted.")
    await asyncio.to_thread(editor.wait_for, "Pasted.")
    display.copy(b"copied by somebody")
    await rig.stop()
    assert display.clipboard() == b"copied by somebody"


@pytest.mark.parametrize("kind", ["image/png", "text/uri-list", "x-special/gnome-copied-files"])
async def test_what_is_no_text_is_not_touched(display: XDisplay, editor: Terminal, kind: str):
    display.copy(PICTURE, kind)
    rig = _rig(display)
    await rig.say_texts("Not pasted.")
    assert rig.outcomes == [Outcome.FAILED]
    assert "vivavoce history copy last" in rig.deliveries[0].reason
    assert display.clipboard(kind) == PICTURE
    assert editor.typed == ""


async def test_the_next_back_end_types_where_there_is_a_picture(
    display: XDisplay, editor: Terminal
):
    display.copy(PICTURE, "image/png")
    rig = _rig(display, backend=["clipboard", "xdotool"])
    await rig.say_texts("Typed.")
    await asyncio.to_thread(editor.wait_for, "Typed.")
    assert [delivery.back_end for delivery in rig.deliveries] == ["xdotool"]
    assert display.clipboard("image/png") == PICTURE
    await rig.stop()


async def test_where_pasting_is_only_a_fallback_the_text_stays_in_the_clipboard(
    display: XDisplay, editor: Terminal, tmp_path: Path
):
    display.copy(b"before")
    path = flaky_tool(
        tmp_path / "bin",
        "xdotool",
        shutil.which("xdotool"),
        'case "$1" in type|-) exit 0;; esac; exec "$REAL" "$@"',
    )
    rig = _rig(display, path, backend=["xdotool", "clipboard"])
    await rig.say_texts("Perhaps nobody took it.")
    assert [each.back_end for each in rig.deliveries] == ["clipboard"]
    await asyncio.to_thread(editor.wait_for, "Perhaps nobody took it.")
    advance(2 * RESTORE_MS / 1_000)
    await moment()
    await rig.stop()
    assert display.clipboard() == b"Perhaps nobody took it."


async def test_a_chord_that_fails_leaves_the_text_in_the_clipboard(
    display: XDisplay, editor: Terminal, tmp_path: Path
):
    display.copy(b"before")
    path = flaky_tool(
        tmp_path / "bin",
        "xdotool",
        shutil.which("xdotool"),
        'case "$1" in key) exit 1;; esac; exec "$REAL" "$@"',
    )
    rig = _rig(display, path)
    await rig.say_texts("For later.")
    assert rig.outcomes == [Outcome.COPIED]
    await rig.stop()
    assert display.clipboard() == b"For later."


async def test_what_the_clipboard_holds(display: XDisplay):
    clipboard = _clipboard(display)
    assert await clipboard.available() is None
    assert (await clipboard.set("Ünïcode 😀\nlines")).done
    assert await clipboard.get() == Content(text="Ünïcode 😀\nlines")
    display.copy(PICTURE, "image/png")
    assert await clipboard.get() == Content(text=None)
    long = "x" * 300_000
    assert (await clipboard.set(long)).done
    assert await clipboard.get() == Content(text=long)


async def test_an_owner_that_does_not_answer(display: XDisplay):
    """A program that owns the clipboard and hangs is not waited for."""
    import os
    import signal
    import subprocess

    owner = subprocess.Popen(
        ["xclip", "-quiet", "-selection", "clipboard"],
        env=display.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    owner.stdin.write(b"owned")
    owner.stdin.close()
    try:
        await until(lambda: display.clipboard() == b"owned", "it does not own it")
        os.kill(owner.pid, signal.SIGSTOP)
        assert await given_up(_clipboard(display).get()) is None
        assert (await given_up(_clipboard(display).set("new"))).done
    finally:
        owner.kill()
        owner.wait()


async def test_typing_without_a_tool(display: XDisplay, editor: Terminal):
    rig = _rig(display, backend=["pynput"])
    texts = ["Hello, WÖRLD $(id) ~!", "Ещё раз: «да»!", "😀👍🏽 日本語"]
    await rig.say_texts(*texts)
    await asyncio.to_thread(editor.wait_for, " ".join(texts))
    assert rig.outcomes == [Outcome.TYPED] * 3
    await rig.stop()


async def test_pynput(display: XDisplay, monkeypatch: pytest.MonkeyPatch):
    """On X11 only credulous windows take what pynput itself types: it is for other systems."""
    monkeypatch.setenv("DISPLAY", display.display)
    pytest.importorskip("pynput")
    from vivavoce.actors.injection.pynput_typing import PynputTyping

    terminal = display.terminal(credulous=True)
    typing = PynputTyping(InjectionSettings())
    try:
        assert await typing.available() is None
        assert (await typing.type("Hello $(id) World!", Manner())).done
        assert (await typing.press("backspace", Manner(), 2)).done
        assert (await typing.press("ctrl+a", Manner())).done
        await asyncio.to_thread(terminal.wait_for, "Hello $(id) World!\x7f\x7f\x01")
        late = await typing.type("x" * 100, Manner(characters_per_s=20, timeout_s=0.2))
        assert late.result is Result.UNCERTAIN
        await moment(0.3)
        typed = terminal.typed
        assert 0 < typed.count("x") < 100
        await moment(0.3)
        assert terminal.typed == typed, "it goes on after it was given up"
    finally:
        typing.close()
        terminal.close()


@pytest.mark.smoke
async def test_no_display():
    for name in ("xdotool", "pynput", "clipboard"):
        rig = Rig(profile({"backend": [name]}), probe=_Unknown(), environ={"PATH": "/usr/bin:/bin"})
        await rig.say_texts("Hello.")
        assert rig.outcomes == [Outcome.FAILED]
        assert rig.deliveries[0].reason


class _Unknown:
    async def focus(self) -> None:
        return None
