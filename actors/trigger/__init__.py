"""When to listen: hotkeys, commands, and what tells a person that it does."""
