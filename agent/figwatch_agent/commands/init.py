"""``figwatch init``: write a starter that passes ``figwatch check``."""

import json
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

PLACEHOLDER = "my-service"
"""Name in the scaffold that the service's own takes the place of."""

MOST_SHOWN = 3
"""Files that stand in the way, by name."""


@click.command(name="init")
@click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path), default=".", help="Where to write.")
@click.option("--service", default=PLACEHOLDER, show_default=True, help="Name of the service that takes over.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the answer."
)
def command(folder: Path, service: str, dry_run: bool, output: str) -> None:
    """Write figwatch.yaml, slo/SERVICE.yaml and the runbooks. Nothing that exists is overwritten."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,99}", service):
        raise click.BadParameter(
            "a name has letters, digits, - _ and ., and begins with a letter", param_hint="--service"
        )
    starter = {folder / path.replace(PLACEHOLDER, service): text for path, text in _scaffold(service)}
    standing = [str(path) for path in starter if path.exists()]
    if standing:
        raise click.ClickException(_refusal(standing))
    if not dry_run:
        for path, text in starter.items():
            _write(path, text)
    click.echo(_answer([str(path) for path in starter], folder, dry_run, output))


def _refusal(standing: Sequence[str]) -> str:
    shown = ", ".join(standing[:MOST_SHOWN])
    more = f" and {len(standing) - MOST_SHOWN} more" if len(standing) > MOST_SHOWN else ""
    return (
        f"nothing was written, since {shown}{more} exist{'' if len(standing) > 1 else 's'} already. "
        "For one more service, copy a file of slo/ beside it, and its plan in figwatch.yaml; "
        "for another migration, choose a folder with --dir"
    )


def _scaffold(service: str) -> Iterator[tuple[str, str]]:
    root = files("figwatch_agent").joinpath("scaffold")
    for path, file in _walk(root, ""):
        text = file.read_text("utf-8")
        yield path, text if path.endswith(".md") else text.replace(PLACEHOLDER, service)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith((".yaml", ".md")):
            yield prefix + entry.name, entry


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None


def _answer(paths: list[str], folder: Path, dry_run: bool, output: str) -> str:
    if output == "json":
        return json.dumps({"written": [] if dry_run else paths, "would_write": paths if dry_run else []}, indent=2)
    head = "Would write:" if dry_run else "Wrote:"
    after = f"\nNow say in it where your services are, then run: figwatch check {folder / 'figwatch.yaml'}"
    return "\n".join((head, *(f"  {path}" for path in paths))) + ("" if dry_run else after)
