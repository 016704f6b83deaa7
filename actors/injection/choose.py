"""From a profile's `injection` section to the back ends that fit the session."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from vivavoce.actors.injection.back_end import BackEnd, Clipboard
from vivavoce.actors.injection.clipboard import ClipboardAfterPaste, ClipboardPaste
from vivavoce.actors.injection.outfit import Outfit
from vivavoce.config.injection import InjectionSettings

_WAYLAND = ("wtype", "dotool", "ydotool", "clipboard")
_X11 = ("xdotool", "pynput", "clipboard")
_ELSEWHERE = ("pynput",)


def names_of(
    settings: InjectionSettings, environ: Mapping[str, str], platform: str = sys.platform
) -> tuple[tuple[str, ...], str]:
    """The back ends in their order, and where there are none, why. Pure."""
    if settings.backend == "none":
        return (), "injection.backend is none"
    if settings.backend != "auto":
        named = settings.backend
        return tuple(named) if isinstance(named, list) else (named,), ""
    if platform in ("win32", "darwin"):
        return _ELSEWHERE, ""
    if environ.get("WAYLAND_DISPLAY"):
        return _WAYLAND, ""
    if environ.get("DISPLAY"):
        return _X11, ""
    return (), (
        "there is no graphical session (neither WAYLAND_DISPLAY nor DISPLAY is set): set "
        "injection.backend to file, stdout or command"
    )


def make_outfit(
    settings: InjectionSettings, environ: Mapping[str, str], *, persistence: bool = True
) -> Outfit:
    """Back ends and clipboard for ``settings``; nothing is asked or opened yet.

    Args:
        settings: of the profile, or of an application.
        environ: of the session.
        persistence: of the profile; where it is off, nothing is written to a file.
    """
    names, reason = names_of(settings, environ)
    if "file" in names and not persistence:
        names = tuple(name for name in names if name != "file")
        reason = "nothing is written to injection.file while persistence is off"
    clipboard: Clipboard | None
    clipboard = None if settings.backend == "none" else _clipboard(settings, environ)
    made: list[BackEnd] = []
    close: list[Callable[[], object]] = []
    for name in names:
        back_end: BackEnd
        if name == "clipboard":
            if clipboard is None:
                reason = "there is no clipboard in this session"
                continue
            back_end = paste = _paste(clipboard, made, settings, environ)
            clipboard = ClipboardAfterPaste(clipboard, paste)
        else:
            back_end = _make(name, settings, environ)
        made.append(back_end)
        closing = getattr(back_end, "close", None)
        if closing is not None:
            close.append(closing)
    return Outfit(made, clipboard, reason=reason, close=close)


def _make(name: str, settings: InjectionSettings, environ: Mapping[str, str]) -> BackEnd:
    if name == "pynput" and sys.platform not in ("win32", "darwin"):
        from vivavoce.actors.injection.x11_typing import X11Typing

        return X11Typing(environ.get("DISPLAY", ""), settings)
    if name == "pynput":
        from vivavoce.actors.injection.pynput_typing import PynputTyping

        return PynputTyping(settings)
    # These run tools as POSIX systems do it.
    from vivavoce.actors.injection import streams
    from vivavoce.actors.injection.tool import ToolRunner
    from vivavoce.actors.injection.wayland.dotool import Dotool
    from vivavoce.actors.injection.wayland.wtype import Wtype
    from vivavoce.actors.injection.wayland.ydotool import Ydotool
    from vivavoce.actors.injection.xdotool import Xdotool

    made: dict[str, Callable[[ToolRunner, InjectionSettings], BackEnd]] = {
        "wtype": Wtype,
        "ydotool": Ydotool,
        "dotool": Dotool,
        "xdotool": Xdotool,
        "command": streams.Command,
        "stdout": streams.StandardOutput,
        "file": streams.File,
    }
    return made[name](ToolRunner(environ), settings)


def _paste(
    clipboard: Clipboard,
    made: list[BackEnd],
    settings: InjectionSettings,
    environ: Mapping[str, str],
) -> ClipboardPaste:
    keys = [back_end for back_end in made if back_end.has_keys]
    if not keys:
        by_session, _ = names_of(InjectionSettings(backend="auto"), environ)
        keys = [_make(name, settings, environ) for name in by_session if name != "clipboard"]
    return ClipboardPaste(clipboard, keys, settings, restores=not made)


def _clipboard(settings: InjectionSettings, environ: Mapping[str, str]) -> Clipboard | None:
    if sys.platform == "win32":
        return None
    from vivavoce.actors.injection.tool import ToolRunner

    if environ.get("WAYLAND_DISPLAY"):
        from vivavoce.actors.injection.wayland.clipboard import WaylandClipboard

        return WaylandClipboard(ToolRunner(environ), settings)
    if environ.get("DISPLAY"):
        from vivavoce.actors.injection.x11_clipboard import XClipboard

        return XClipboard(ToolRunner(environ), settings)
    return None
