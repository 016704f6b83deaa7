"""What was said, kept in a database of the user's: finals, what became of them, their sound."""

from vivavoce.actors.history.actor import HistoryActor
from vivavoce.actors.history.keeper import AudioBook, AudioKeeper
from vivavoce.actors.history.place import history_path, history_wanted
from vivavoce.actors.history.recorder import Recorder

__all__ = [
    "AudioBook",
    "AudioKeeper",
    "HistoryActor",
    "Recorder",
    "history_path",
    "history_wanted",
]
