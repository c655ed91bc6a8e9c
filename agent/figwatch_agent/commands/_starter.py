"""What `figwatch init` writes: the scaffold with the names and routes that the folder's own code gives away."""

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, NamedTuple

from figwatch_agent.commands.schema import GRAMMARS, schema_text
from figwatch_agent.files.applications import Application, find_applications

PLACEHOLDER: Final = "my-service"
"""Name in the scaffold that the service's own takes the place of."""

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}")

MOST_ROUTES: Final = 12
"""Routes that are written into the starter; whoever has more moves them a few at a time."""

_EXAMPLE: Final = "  - {route: /api/v1/example, stage: canary, rollback: my-service-to-legacy}\n"
_NO_PROMISE: Final = re.compile(
    r"/(?:(?:metrics|health\w*|ready\w*|live\w*|ping|favicon\.ico|docs|openapi\.json)(?:/.*)?)?"
)
"""Paths that no user calls; and the bare slash, which is rarely a route that moves by itself."""


class Starter(NamedTuple):
    """What is known of the folder, and what becomes of it."""

    service: str
    named_by: str  # where the name comes from
    applications: tuple[Application, ...]
    files: dict[Path, str]


def starter(folder: Path, service: str | None) -> Starter:
    """The files for ``folder``; an application is looked for there and where the command runs."""
    applications = find_applications(folder) or (
        () if folder.resolve() == Path.cwd() else find_applications(Path.cwd())
    )
    name, named_by = (service, "--service") if service else _named(bool(applications))
    routes = list(
        dict.fromkeys(route for one in applications for route in one.routes if not _NO_PROMISE.fullmatch(route))
    )
    written = {folder / path.replace(PLACEHOLDER, name): text for path, text in _scaffold(name, routes[:MOST_ROUTES])}
    return Starter(name, named_by, applications, written | dict(_schemas(folder)))


def _named(found: bool) -> tuple[str, str]:
    """A name for the service where an application is here to be named."""
    if found:
        for name, named_by in ((_project_name(), "pyproject.toml"), (Path.cwd().name, "the folder")):
            if NAME.fullmatch(name):
                return name, named_by
    return PLACEHOLDER, "a placeholder"


def _project_name() -> str:
    try:
        project = tomllib.loads(Path("pyproject.toml").read_text("utf-8")).get("project", {})
    except (OSError, ValueError):
        return ""
    return str(project.get("name", "")) if isinstance(project, dict) else ""


def _scaffold(service: str, routes: Sequence[str]) -> Iterator[tuple[str, str]]:
    root = files("figwatch_agent").joinpath("scaffold")
    for path, file in _walk(root, ""):
        text = file.read_text("utf-8")
        if routes:
            text = text.replace(
                _EXAMPLE, "".join(_EXAMPLE.replace("/api/v1/example", _quoted(route)) for route in routes)
            )
        yield path, text if path.endswith(".md") else text.replace(PLACEHOLDER, service)


def _quoted(route: str) -> str:
    return json.dumps(route, ensure_ascii=False) if re.search(r"[^\w/.-]", route) else route


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith((".yaml", ".md")):
            yield prefix + entry.name, entry


def _schemas(folder: Path) -> Iterator[tuple[Path, str]]:
    for name in GRAMMARS:
        yield folder / "schemas" / f"{name}.schema.json", schema_text(name)
