"""Which probe fits the session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vivavoce.actors.injection.back_end import FocusProbe
from vivavoce.actors.injection.focus.hyprland import HyprlandFocus
from vivavoce.actors.injection.focus.probe import UnknownFocus
from vivavoce.actors.injection.focus.sway import SwayFocus
from vivavoce.actors.injection.focus.x11 import X11Focus


def make_probe(environ: Mapping[str, str]) -> FocusProbe:
    """The probe for the session that ``environ`` tells of; it touches nothing yet.

    An X server beside a Wayland compositor knows only of its own windows: it is not asked.
    """
    if environ.get("WAYLAND_DISPLAY"):
        if socket := environ.get("SWAYSOCK"):
            return SwayFocus(socket)
        if instance := environ.get("HYPRLAND_INSTANCE_SIGNATURE"):
            runtime = environ.get("XDG_RUNTIME_DIR") or "/tmp"  # noqa: S108 - where old ones put it
            return HyprlandFocus(str(Path(runtime) / "hypr" / instance / ".socket.sock"))
        return UnknownFocus()
    if environ.get("DISPLAY"):
        return X11Focus(environ)
    return UnknownFocus()
