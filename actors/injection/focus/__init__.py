"""Which window has the focus: probes for each window system."""

from vivavoce.actors.injection.focus.choice import make_probe
from vivavoce.actors.injection.focus.hyprland import HyprlandFocus
from vivavoce.actors.injection.focus.probe import Probe, UnknownFocus
from vivavoce.actors.injection.focus.sway import SwayFocus
from vivavoce.actors.injection.focus.x11 import X11Focus

__all__ = [
    "HyprlandFocus",
    "Probe",
    "SwayFocus",
    "UnknownFocus",
    "X11Focus",
    "make_probe",
]
