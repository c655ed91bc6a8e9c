"""Reads a secret where it is used; it is kept nowhere and shown nowhere."""

import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.secret import Secret

MAX_BYTES = 64 * 1024


def read_secret(secret: Secret) -> str:
    """The secret's value behind its prefix, without the one newline that editors append.

    Raises SecretUnreadable when it is not there, is empty or is not text; the message names the place, never the value.
    """
    value = _from_environment(secret.env) if secret.env is not None else _from_file(str(secret.file))
    value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SecretUnreadable(f"{secret} is empty")
    return secret.prefix + value


def missing_secrets(settings: object) -> list[str]:
    """Why secrets that ``settings`` name anywhere cannot be read now, each said once."""
    problems: dict[str, None] = {}  # in order
    for secret in _named(settings):
        try:
            read_secret(secret)
        except SecretUnreadable as error:
            problems[str(error)] = None
    return list(problems)


def _named(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, (tuple, frozenset)):
        for member in value:
            yield from _named(member)
    elif is_dataclass(value):
        for each in fields(value):
            yield from _named(getattr(value, each.name))


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise SecretUnreadable(f"the environment variable {name} is not set; figwatch.yaml names it as a secret")
    return value


def _from_file(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) <= MAX_BYTES:
            return content.decode("utf-8")
    except OSError as error:
        raise SecretUnreadable(
            f"the secret in {path} cannot be read: {error.strerror or type(error).__name__}"
        ) from None
    except UnicodeDecodeError:
        raise SecretUnreadable(f"the secret in {path} is not UTF-8 text") from None
    raise SecretUnreadable(f"the secret in {path} is larger than {MAX_BYTES // 1024} KiB, which no secret is")
