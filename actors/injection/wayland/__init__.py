"""Typing and the clipboard on Wayland, and below every window system (uinput)."""

from vivavoce.actors.injection.wayland.clipboard import WaylandClipboard
from vivavoce.actors.injection.wayland.dotool import Dotool
from vivavoce.actors.injection.wayland.wtype import Wtype
from vivavoce.actors.injection.wayland.ydotool import Ydotool

__all__ = ["Dotool", "WaylandClipboard", "Wtype", "Ydotool"]
