"""A secret is named, not held: its value is read from a file or the environment where it is used."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from figwatch_agent.errors import SecretUnreadable

MASKED: Final = "***"
"""Stands where a secret was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Exactly one of ``env`` and ``file`` is given. Its text form never shows the value, since it does not know it."""

    env: str | None = None
    file: str | None = None
    prefix: str = ""  # stands before the value where it is used, such as "Bearer "

    def __str__(self) -> str:
        return f"<secret from {'environment ' + self.env if self.env else 'file ' + str(self.file)}>"


ReadSecret = Callable[[Secret], str]
"""Gives the value of a secret behind its prefix; raises SecretUnreadable, which names the place and never the value."""


def resolved(value: str | Secret, read_secret: ReadSecret) -> str:
    """The text itself, or what the secret holds without blanks around it. Raises SecretUnreadable."""
    if isinstance(value, str):
        return value
    read = read_secret(value).strip()
    if not read:
        raise SecretUnreadable(f"{value} is empty")
    return read


def struck_out(text: str, secrets: Iterable[str]) -> str:
    """``text`` without the secrets; the longest goes first, so that none leaves a part of another."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASKED)
    return text
