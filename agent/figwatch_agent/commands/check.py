"""``figwatch check``: say everything that is wrong with the files, or that they are right."""

import os
from collections.abc import Iterable, Sequence

import click

from figwatch_agent.commands._options import examples
from figwatch_agent.files.diagnostics import Diagnostic, ordered, render
from figwatch_agent.files.load import SETTINGS, Findings, inspect_paths

FOUND = 3
"""Exit code when there are findings in the files."""


@click.command(
    name="check",
    epilog=examples(
        "figwatch check", "figwatch check deploy/figwatch.yaml", "figwatch check slo/chat.yaml --output json"
    ),
)
@click.argument("files", nargs=-1, type=click.Path())
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the answer."
)
@click.pass_context
def command(context: click.Context, files: tuple[str, ...], output: str) -> None:
    """Check FILES: figwatch.yaml with its slo folder, or files and folders of slo/ alone.

    Without FILES: figwatch.yaml here, or else slo/ here. Exits 3 when something is wrong.
    """
    findings = inspect_paths(files or _standing_here())
    diagnostics = ordered(one for found in findings for one in found.diagnostics)
    wrong = any(not one.notice for one in diagnostics)
    click.echo(_json(findings, diagnostics) if output == "json" else _text(findings, diagnostics, wrong), nl=False)
    context.exit(FOUND if wrong else 0)


def _standing_here() -> tuple[str, ...]:
    here = next((path for path in (SETTINGS, "slo") if os.path.exists(path)), None)
    if here is None:
        raise click.UsageError(f"there is no {SETTINGS} and no slo/ here: name FILES, or begin with `figwatch init`")
    return (here,)


def _text(findings: Iterable[Findings], diagnostics: Sequence[Diagnostic], wrong: bool) -> str:
    rendered = render(diagnostics)
    if wrong:
        return rendered
    services = [read.service for found in findings for read in found.services]
    files = _files(findings)
    slos = sum(len(service.slos) for service in services)
    criteria = sum(len(service.criteria) for service in services)
    counted = (_many(len(files), "file"), _many(slos, "SLO"), _many(criteria, "criterion", "criteria"))
    line = f"All is right: {', '.join(counted)}.\n"
    return f"{rendered}\n{line}" if rendered else line


def _json(findings: Iterable[Findings], diagnostics: Sequence[Diagnostic]) -> str:
    import json  # on the way of those who ask for it

    body = {
        "files": _files(findings),
        "problems": [_plain(found) for found in diagnostics if not found.notice],
        "notices": [_plain(found) for found in diagnostics if found.notice],
    }
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"


def _plain(found: Diagnostic) -> dict[str, object]:
    body = found._asdict()
    del body["notice"]
    return body


def _files(findings: Iterable[Findings]) -> list[str]:
    settings = [found.settings.document.path for found in findings if found.settings is not None]
    return settings + [path for found in findings for path in found.slo_files]


def _many(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
