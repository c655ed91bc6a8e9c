"""The files people write, read strictly: every problem at once, each with its line and a caret, never a traceback."""
