"""Frozen values that the rooms hand to each other. Nothing here does I/O, reads a clock or draws a number."""
