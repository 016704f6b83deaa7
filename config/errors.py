"""Errors that a person can mend: one clear line, and the exit code that goes with it."""

from __future__ import annotations


class VivavoceError(Exception):
    """Base of the errors whose text is meant for the user.

    The text is one line: what, where, what was expected, how to fix it. The command line prints it
    without a traceback and exits with ``exit_code``.
    """

    exit_code = 1


class ProfileError(VivavoceError):
    """A profile (or a layer over it) is wrong: syntax, unknown key, wrong type, bad combination.

    Args:
        text: one line. It quotes what others wrote, so control characters are written as escapes.
    """

    exit_code = 2

    def __init__(self, text: str) -> None:
        super().__init__("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))
