"""Text into other windows: typed, pasted or copied, and never lost on the way."""
