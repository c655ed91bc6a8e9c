"""Secrets of calls: read when the call is made, struck out of what it answers."""

from collections.abc import Iterable

from figwatch_agent.model.secret import ReadSecret, Secret, resolved, struck_out

_DETAIL_LIMIT = 200


def all_resolved(
    pairs: Iterable[tuple[str, str | Secret]], read_secret: ReadSecret
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Names with their values, and which of the values are secret. Raises SecretUnreadable, naming only the place."""
    values: dict[str, str] = {}
    secrets: list[str] = []
    for name, value in pairs:
        values[name] = resolved(value, read_secret)
        if isinstance(value, Secret):
            secrets += [values[name], values[name].removeprefix(value.prefix)]  # an answer may echo either
    return values, tuple(secrets)


def shown(text: str, secrets: Iterable[str]) -> str:
    """One short line of ``text`` without the secrets and without anything that a terminal would obey."""
    text = struck_out(text, secrets)
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= _DETAIL_LIMIT else line[: _DETAIL_LIMIT - 1] + "…"
