"""``figwatch import``: make files of slo/ from those of Sloth, Pyrra, OpenSLO and slo-generator."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from figwatch_agent.commands._options import dry_run_option, examples, output_option, say_json
from figwatch_agent.durations import Duration, parse_duration
from figwatch_agent.files.diagnostics import Diagnostic, render
from figwatch_agent.files.foreign.imported import Options
from figwatch_agent.files.foreign.ours import OurFile
from figwatch_agent.files.foreign.reading import Imported, import_files
from figwatch_agent.files.load import open_document, slo_paths

FOUND = 3
"""Exit code when there are problems in the files."""

UNNAMED = "imported"
"""The migration of files that stand alone."""


@click.command(
    name="import",
    epilog=examples(
        "figwatch import sloth/*.yaml --migration ai-assistant",
        "figwatch import slos.yaml alert-windows.yaml --out deploy/slo",
        "figwatch import openslo/*.yaml --dry-run --output json",
    ),
)
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--out", default="slo", show_default=True, type=click.Path(file_okay=False), help="Where to write.")
@click.option("--migration", help=f"Name of the migration; else that of the files in --out, else {UNNAMED}.")
@click.option("--window", help="Period of error budgets where FILES state none; else what their tool takes.")
@click.option("--interval", default="15s", show_default=True, help="Time between two looks; it bounds short windows.")
@dry_run_option
@output_option
@click.pass_context
def command(
    context: click.Context,
    files: tuple[str, ...],
    out: str,
    migration: str | None,
    window: str | None,
    interval: str,
    dry_run: bool,
    output: str,
) -> None:
    """Make files of slo/ from FILES (or folders) of Sloth, Pyrra, OpenSLO v1 or slo-generator v2, one for each service.

    Give files that refer to each other together. What cannot be carried over is told, with the reason. Where anything
    is wrong in any file, all problems are shown, nothing is written, and the exit code is 3.
    """
    options = Options(
        window=None if window is None else _duration(window, "--window"), interval=_duration(interval, "--interval")
    )
    imported = import_files(_given(files), options, migration or _migration(out))
    paths = [Path(out, file.name) for file in imported.files]
    _refuse(paths, imported)
    if not dry_run:
        for path, file in zip(paths, imported.files, strict=True):
            _write(path, file)
    _say(output, imported, paths, dry_run)
    context.exit(FOUND if imported.problems() else 0)


def _given(files: tuple[str, ...]) -> tuple[str, ...]:
    """Each file once; a folder stands for the YAML files in it."""
    found = [path for name in files for path in (slo_paths(name) if os.path.isdir(name) else (name,))]
    if not found:
        raise click.UsageError(f"there is no *.yaml in {', '.join(files)}")
    return tuple(dict.fromkeys(found))


def _duration(text: str, option: str) -> Duration:
    try:
        duration = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None
    if duration <= 0:
        raise click.BadParameter("it is no time at all", param_hint=option)
    return duration


def _migration(out: str) -> str:
    """That of the files which stand there already: one figwatch watches one migration."""
    for path in slo_paths(out):
        name = open_document(path).root().get("migration")
        if isinstance(name, str):
            return name
    return UNNAMED


def _refuse(paths: Sequence[Path], imported: Imported) -> None:
    standing = [str(path) for path in paths if os.path.lexists(path)]
    if standing:
        raise click.ClickException(
            f"nothing was written, since {', '.join(standing)} exists already: choose another --out"
        )
    if not paths and not imported.problems():
        click.echo(render(imported.diagnostics), nl=False, err=True)
        raise click.ClickException("nothing was written: no SLO of these files could be carried over")


def _write(path: Path, file: OurFile) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(file.text)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None


def _say(output: str, imported: Imported, paths: Sequence[Path], dry_run: bool) -> None:
    if output == "json":
        say_json(_json(imported, paths, dry_run))
        return
    click.echo(render(imported.diagnostics), nl=False)
    if paths and imported.diagnostics:
        click.echo()
    for path, file in zip(paths, imported.files, strict=True):
        slos = f"{len(file.slos)} SLO{'' if len(file.slos) == 1 else 's'}"
        click.echo(f"{'Would write' if dry_run else 'Wrote'} {path}: {slos}.")


def _json(imported: Imported, paths: Sequence[Path], dry_run: bool) -> dict[str, object]:
    written = [str(path) for path in paths]
    return {
        "read": [
            {"file": source.path, "tools": list(source.tools), "slos": list(source.slos)} for source in imported.sources
        ],
        "written": [] if dry_run else written,
        "would_write": written if dry_run else [],
        "problems": [_plain(found) for found in imported.problems()],
        "notices": [_plain(found) for found in imported.diagnostics if found.notice],
    }


def _plain(found: Diagnostic) -> dict[str, object]:
    body = found._asdict()
    del body["notice"]
    return body
