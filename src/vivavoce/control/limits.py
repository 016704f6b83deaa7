"""What both ends of the socket keep to."""

from __future__ import annotations

VERSION = 1
"""Of the protocol: the ``v`` of every line."""

LINE_BYTES = 65_536
"""A line is not longer than this, its end included."""
