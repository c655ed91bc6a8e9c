"""Who gets what was meant for a receiver that failed."""

from collections.abc import Callable


def destination(receiver: str, fallback_of: Callable[[str], str | None]) -> str:
    """The receiver at the end of the chain of fallbacks. The chain has an end: see ``takes_over``."""
    following = fallback_of(receiver)
    while following is not None:
        receiver, following = following, fallback_of(following)
    return receiver


def takes_over(receiver: str, fallback: str | None, fallback_of: Callable[[str], str | None]) -> str | None:
    """The receiver that takes over from ``receiver``, or None where nobody is left.

    A fallback whose own chain leads back to ``receiver`` has failed for this incident already; it is not tried again,
    so that chains never become rings.
    """
    if fallback is None:
        return None
    end = destination(fallback, fallback_of)
    return None if end == receiver else end
