"""A screen that does what terminals do, in memory."""

import re
from dataclasses import dataclass, field

from wcwidth import wcwidth

_PIECE = re.compile(r"\x1b\[(?P<number>[\d;]*)(?P<command>[A-Za-z])|(?P<text>.)", re.DOTALL)


@dataclass
class Screen:
    """A terminal with scroll-back: printing with late wrap, CR, LF, cursor up, clear row."""

    columns: int
    height: int
    rows: list[list[str]] = field(default_factory=lambda: [[]])
    row: int = 0
    column: int = 0

    def feed(self, data: bytes) -> None:
        for piece in _PIECE.finditer(data.decode()):
            if piece["command"]:
                self._command(piece["command"], piece["number"])
            elif piece["text"] == "\r":
                self.column = 0
            elif piece["text"] == "\n":
                self._down()
            else:
                self._put(piece["text"])

    def _command(self, command: str, number: str) -> None:
        if command == "A":
            top = max(0, len(self.rows) - self.height)
            assert self.row - int(number or 1) >= top, "the cursor would leave the screen"
            self.row -= int(number or 1)
        elif (command, number) == ("K", "2"):
            self.rows[self.row] = []
        else:
            assert command == "m", command

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append([])

    def _put(self, character: str) -> None:
        assert character.isprintable() or wcwidth(character) == 0, repr(character)
        columns = wcwidth(character)
        if columns == 0:
            self.rows[self.row][-1] += character
            return
        if self.column + columns > self.columns:
            self.column = 0
            self._down()
        row = self.rows[self.row]
        assert self.column == len(row), "text is written over text"
        row.extend([character, *[""] * (columns - 1)])
        self.column += columns

    @property
    def lines(self) -> list[str]:
        lines = ["".join(row) for row in self.rows]
        assert not any(lines[self.row + 1 :]), "something is left below the cursor"
        return lines[: self.row + 1]
