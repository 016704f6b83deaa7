"""When to listen: hotkeys, commands, and what tells a person that it does."""

from vivavoce.actors.trigger.actor import TriggerActor

__all__ = ["TriggerActor"]
