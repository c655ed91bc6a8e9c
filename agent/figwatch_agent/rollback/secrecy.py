"""Secrets of calls: read when the call is made, struck out of what it answers."""

from collections.abc import Callable, Iterable

from figwatch_agent.errors import FigwatchError
from figwatch_agent.model.secret import Secret

ReadSecret = Callable[[Secret], str]
"""Gives the value of a secret; raises OSError, KeyError or ValueError where there is none."""

MASKED = "***"
_DETAIL_LIMIT = 200


class SecretUnreadable(Exception):
    """A secret of a call could not be read; check its environment variable or file."""


def resolved(
    pairs: Iterable[tuple[str, str | Secret]], read_secret: ReadSecret
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Names with their values, and which of the values are secret. Raises SecretUnreadable, naming only the place."""
    values: dict[str, str] = {}
    secrets: list[str] = []
    for name, value in pairs:
        if isinstance(value, str):
            values[name] = value
            continue
        try:
            values[name] = read_secret(value).strip()
        except FigwatchError as error:  # it says where to look, and never the value
            raise SecretUnreadable(str(error)) from None
        except (OSError, KeyError, ValueError) as error:
            raise SecretUnreadable(f"{value} could not be read ({type(error).__name__})") from None
        secrets += [values[name], values[name].removeprefix(value.prefix)]  # an answer may echo either
    return values, tuple(secret for secret in secrets if secret)


def shown(text: str, secrets: Iterable[str]) -> str:
    """One short line of ``text`` without the secrets and without anything that a terminal would obey."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASKED)
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= _DETAIL_LIMIT else line[: _DETAIL_LIMIT - 1] + "…"
