"""What stands at an Alertmanager, as text that comes back with every later row of its group."""

from figwatch_agent.model.alertmanager import Standing
from figwatch_agent.model.wire import decode, encode


def kept(standing: Standing) -> str:
    """As the outbox keeps it: what the receiver calls the message that stands for the group."""
    return encode(standing)


def standing_of(text: str) -> Standing | None:
    """What ``kept`` wrote; None for what another kind of receiver called its message."""
    try:
        found = decode(Standing, text)
        return found if found.alerts else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
