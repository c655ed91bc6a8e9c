"""``figwatch generate``: write what is made from the files, or say what is out of date."""

from pathlib import Path

import click

from figwatch_agent.commands._options import examples, output_option, say_json
from figwatch_agent.generate.runbook_index import INDEX, runbook_index

OUT_OF_DATE = 3


@click.command(name="generate", epilog=examples("figwatch generate", "figwatch generate --dry-run"))
@click.option(
    "--runbooks",
    default="runbooks",
    show_default=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the runbooks, one page per alert.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; exit 3 where something is out of date.")
@output_option
@click.pass_context
def command(context: click.Context, runbooks: Path, dry_run: bool, output: str) -> None:
    """Write the index of the runbooks (README.md beside them) from the pages. The same pages give the same bytes."""
    pages = {file.as_posix(): file.read_text("utf-8") for file in runbooks.glob("*.md") if file.name != INDEX}
    try:
        files = {Path(path): text for path, text in runbook_index(pages).items()}
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text("utf-8") != text]
    if not dry_run:
        for path in stale:
            path.write_text(files[path], "utf-8", newline="\n")
    _say(output, [str(path) for path in stale], dry_run)
    context.exit(OUT_OF_DATE if dry_run and stale else 0)


def _say(output: str, stale: list[str], dry_run: bool) -> None:
    if output == "json":
        say_json({"written": [] if dry_run else stale, "out_of_date": stale if dry_run else []})
        return
    for path in stale:
        click.echo(f"{'Out of date' if dry_run else 'Wrote'}: {path}")
    if not stale:
        click.echo("Everything is up to date.")
