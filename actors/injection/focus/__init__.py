"""Which window has the focus: probes for each window system, and the actor that takes notes."""

from vivavoce.actors.injection.focus.choice import make_probe
from vivavoce.actors.injection.focus.hyprland import HyprlandFocus
from vivavoce.actors.injection.focus.probe import Probe, UnknownFocus
from vivavoce.actors.injection.focus.sway import SwayFocus
from vivavoce.actors.injection.focus.watch import FocusWatch
from vivavoce.actors.injection.focus.x11 import X11Focus

__all__ = [
    "FocusWatch",
    "HyprlandFocus",
    "Probe",
    "SwayFocus",
    "UnknownFocus",
    "X11Focus",
    "make_probe",
]
