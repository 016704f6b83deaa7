"""What was said, kept in a database of the user's: finals, what became of them, their sound.

The other parts are imported from their modules (``actor``, ``recorder``, ``keeper``, ``reading``):
who only asks whether there is a history pays for no more.
"""

from vivavoce.actors.history.place import history_path, history_wanted

__all__ = ["history_path", "history_wanted"]
