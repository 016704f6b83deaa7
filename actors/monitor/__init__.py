"""The monitor: what a run costs, whether it meets its targets, and what to do about it."""

from vivavoce.actors.monitor.actor import MonitorActor
from vivavoce.actors.monitor.advice import Recommendation
from vivavoce.actors.monitor.exporter import ExporterError, Health
from vivavoce.actors.monitor.report import MonitorSummary
from vivavoce.actors.monitor.sensors import Sensors, SystemSensors
from vivavoce.actors.monitor.targets import Finding

__all__ = [
    "ExporterError",
    "Finding",
    "Health",
    "MonitorActor",
    "MonitorSummary",
    "Recommendation",
    "Sensors",
    "SystemSensors",
]
