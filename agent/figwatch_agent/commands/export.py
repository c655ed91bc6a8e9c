"""``figwatch export``: write files of slo/ for other tools."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from figwatch_agent.commands._options import dry_run_option, examples, output_option, say_json
from figwatch_agent.files.foreign.exported import Exported, Said
from figwatch_agent.files.foreign.writing_openslo import openslo_files
from figwatch_agent.files.foreign.writing_sloth import sloth_files
from figwatch_agent.files.load import load_slo_files, slo_paths

WRITERS = {"openslo": openslo_files, "sloth": sloth_files}


@click.command(
    name="export",
    epilog=examples("figwatch export --to openslo", "figwatch export --to sloth slo/chat.yaml --out sloth"),
)
@click.argument("files", nargs=-1, type=click.Path())
@click.option("--to", "tool", required=True, type=click.Choice(list(WRITERS)), help="The tool to write for.")
@click.option("--out", type=click.Path(file_okay=False), help="Folder to write into; printed if left out.")
@dry_run_option
@output_option
def command(files: tuple[str, ...], tool: str, out: str | None, dry_run: bool, output: str) -> None:
    """Write FILES of slo/ (all of slo/ here if left out) as files of another tool.

    What that tool has no place for is told for each SLO, on the other stream.
    """
    services, _ = load_slo_files(_given(files))
    exported = WRITERS[tool](services)
    paths = [Path(out or "", name) for name in exported.files]
    if out is not None:
        _write(paths, exported, dry_run)
    if output == "json":
        say_json(_json(exported, paths, written=out is not None and not dry_run))
        return
    click.echo(_text(exported.said), nl=False, err=True)
    if out is None:
        click.echo("---\n".join(exported.files.values()), nl=False)
        return
    for path in paths:
        click.echo(f"{'Would write' if dry_run else 'Wrote'} {path}.")


def _given(files: tuple[str, ...]) -> Sequence[str]:
    named = files or ("slo",)
    found = [path for name in named for path in (slo_paths(name) if os.path.isdir(name) else (name,))]
    if not found:
        raise click.UsageError(f"there is no *.yaml in {', '.join(named)}: name FILES")
    return found


def _write(paths: Sequence[Path], exported: Exported, dry_run: bool) -> None:
    standing = [str(path) for path in paths if os.path.lexists(path)]
    if standing:
        raise click.ClickException(
            f"nothing was written, since {', '.join(standing)} exists already: choose another --out"
        )
    for path, text in zip(paths, exported.files.values(), strict=True):
        if dry_run:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as opened:
                opened.write(text)
        except OSError as error:
            raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None


def _text(said: Sequence[Said]) -> str:
    return "".join(f"{one.file}: {one.slo}: {one.message}\n" for one in said)


def _json(exported: Exported, paths: Sequence[Path], *, written: bool) -> dict[str, object]:
    return {
        "files": {str(path): text for path, text in zip(paths, exported.files.values(), strict=True)},
        "written": [str(path) for path in paths] if written else [],
        "notices": [one._asdict() for one in exported.said],
    }
