"""``figwatch init``: write a starter that passes ``figwatch check``, and say what to do with it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from figwatch_agent.commands._options import examples
from figwatch_agent.commands._starter import NAME, Starter, starter
from figwatch_agent.files.applications import Application

MOST_SHOWN: Final = 3
"""Files that stand in the way, by name."""

PURPOSES: Final = {
    "": "where things are: what to scrape, whom to page, how a route goes back",
    "slo": "what is promised: routes, objectives, success criteria",
    "schemas": "for your editor: completes keys, underlines mistakes",
}
"""What is in a folder that is written."""

_EXAMPLE: Final = Application(framework="", file="your application", line=0, variable="app", routes=())


@click.command(
    name="init",
    epilog=examples("figwatch init", "figwatch init --service chat --dir deploy/figwatch", "figwatch init --dry-run"),
)
@click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path), default=".", help="Where to write.")
@click.option("--service", help="Name of the service that takes over; else that of pyproject.toml or of the folder.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the answer."
)
def command(folder: Path, service: str | None, dry_run: bool, output: str) -> None:
    """Write figwatch.yaml, slo/SERVICE.yaml, schemas and runbooks, and say what to do next.

    Nothing is asked and nothing that exists is overwritten. Python files here are read, not run, to find the web
    application (FastAPI, Starlette, Flask, Django, aiohttp): its routes go into slo/, and the one line that it needs is
    shown.
    """
    if service is not None and not NAME.fullmatch(service):
        raise click.BadParameter(
            "a name has letters, digits, - _ and ., and begins with a letter", param_hint="--service"
        )
    made = starter(folder, service)
    standing = [str(path) for path in made.files if path.exists()]
    if standing:
        raise click.ClickException(_refusal(standing))
    if not dry_run:
        for path, text in made.files.items():
            _write(path, text)
    click.echo(_json(made, dry_run) if output == "json" else _text(made, folder, dry_run))


def _refusal(standing: Sequence[str]) -> str:
    shown = ", ".join(standing[:MOST_SHOWN])
    more = f" and {len(standing) - MOST_SHOWN} more" if len(standing) > MOST_SHOWN else ""
    return (
        f"nothing was written, since {shown}{more} exist{'' if len(standing) > 1 else 's'} already. "
        "For one more service, copy a file of slo/ beside it, and its plan in figwatch.yaml; "
        "for another migration, choose a folder with --dir"
    )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None


def _json(made: Starter, dry_run: bool) -> str:
    paths = [str(path) for path in made.files]
    body = {
        "service": made.service,
        "applications": [_plain(one, made.service) for one in made.applications],
        "written": [] if dry_run else paths,
        "would_write": paths if dry_run else [],
    }
    return json.dumps(body, indent=2)


def _plain(application: Application, service: str) -> dict[str, object]:
    return {
        "framework": application.framework,
        "file": application.file,
        "line": application.line,
        "variable": application.variable,
        "routes": list(application.routes),
        "add": list(application.lines_to_add(service)),
    }


def _text(made: Starter, folder: Path, dry_run: bool) -> str:
    found = [_found(one) for one in made.applications] or [
        "Found no FastAPI, Starlette, Flask, Django or aiohttp application here; the starter has an example route."
    ]
    named = f"The service is called {made.service} ({made.named_by}; --service chooses another name)."
    written = ["Would write:" if dry_run else "Wrote:", *_listed(made.files, folder)]
    return "\n".join([*found, named, "", *written, *([] if dry_run else ["", *_next(made, folder)])])


def _found(one: Application) -> str:
    count = len(one.routes)
    routes = f"{count} route{'' if count == 1 else 's'} written on it" if count else "no routes written on it"
    return f"Found a {one.framework} application: {one.variable} in {one.file}, line {one.line}, {routes}."


def _listed(written: Mapping[Path, str], folder: Path) -> list[str]:
    """Files with what each is for; the runbooks in one line."""
    runbooks = [path for path in written if path.suffix == ".md"]
    rows = [(str(path), PURPOSES[_within(path, folder)]) for path in written if path.suffix != ".md"]
    rows.append((f"{runbooks[0].parent}/ ({len(runbooks)} files)", "a page per alert; every message links to its own"))
    return _aligned(rows)


def _within(path: Path, folder: Path) -> str:
    return "" if path.parent == folder else path.parent.name


def _aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(name) for name, _ in rows)
    return [f"  {name:<{width}}  {purpose}" for name, purpose in rows]


def _next(made: Starter, folder: Path) -> list[str]:
    settings = folder / "figwatch.yaml"
    named = "" if settings == Path("figwatch.yaml") else f" --config {settings}"
    return [
        "Next:",
        "  1. Measure. One line in the service, below where it is made:",
        *_aligned([row for one in made.applications or (_EXAMPLE,) for row in _additions(one, made.service)]),
        "     It then answers at /metrics. Name the gateway's page first: it sees what users see.",
        f"  2. Say where things are: edit {settings}, then",
        f"       figwatch check {settings}",
        "  3. Watch. Nothing is rolled back in mode dry-run; it says what it would do:",
        f"       figwatch run{named}",
        f"       figwatch status{named}",
    ]


def _additions(one: Application, service: str) -> Iterator[tuple[str, str]]:
    top, below = one.lines_to_add(service)
    yield f"     {one.file}, with its imports", top
    yield f"     {one.file}, {f'below line {one.line}' if one.line else 'where it is made'}", below
