"""A secret is named, not held: its value is read from a file or the environment where it is used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Exactly one of ``env`` and ``file`` is given. Its text form never shows the value, since it does not know it."""

    env: str | None = None
    file: str | None = None
    prefix: str = ""  # stands before the value where it is used, such as "Bearer "

    def __str__(self) -> str:
        return f"<secret from {'environment ' + self.env if self.env else 'file ' + str(self.file)}>"
