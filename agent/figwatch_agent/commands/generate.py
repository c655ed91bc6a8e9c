"""``figwatch generate``: write what is made from the files, or say what is out of date."""

from importlib.util import find_spec
from pathlib import Path

import click

from figwatch_agent.commands._options import examples, output_option, say_json
from figwatch_agent.generate.runbook_index import INDEX, runbook_index

OUT_OF_DATE = 3
RUNBOOK_URL = "http://127.0.0.1:9464/runbooks/"
GRAFANA = "http://127.0.0.1:3000"
AGENT = "http://127.0.0.1:9464"
SDK = "grafana_foundation_sdk"


@click.command(
    name="generate",
    epilog=examples(
        "figwatch generate",
        "figwatch generate slo/*.yaml --out alerts",
        "figwatch generate slo/*.yaml --out alerts --standalone --sloth-names",
        "figwatch generate --dashboards dashboards --business orders_total",
        "figwatch generate slo/*.yaml --dry-run",
    ),
)
@click.argument("slo_files", metavar="[SLO.yaml]...", nargs=-1)
@click.option(
    "--out",
    default="alerts",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the rules.",
)
@click.option("--standalone", is_flag=True, help="Rules that need no agent: every window, budget and tier.")
@click.option(
    "--sloth-names", is_flag=True, help="With --standalone: the same under Sloth's names, for its dashboards."
)
@click.option("--runbook-url", default=RUNBOOK_URL, show_default=True, help="Prefix of the links to runbooks.")
@click.option("--grafana", default=GRAFANA, show_default=True, help="Where links to dashboards lead.")
@click.option("--agent", default=AGENT, show_default=True, help="Where links to figwatch itself lead.")
@click.option(
    "--dashboards",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write Grafana's dashboards into this folder; needs the extra figwatch[dashboards].",
)
@click.option(
    "--business", multiple=True, metavar="NAME", help="With --dashboards: a counter or histogram to show; repeatable."
)
@click.option(
    "--runbooks",
    default="runbooks",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the runbooks, one page per alert.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; exit 3 where something is out of date.")
@output_option
@click.pass_context
def command(
    context: click.Context,
    slo_files: tuple[str, ...],
    out: Path,
    standalone: bool,
    sloth_names: bool,
    runbook_url: str,
    grafana: str,
    agent: str,
    dashboards: Path | None,
    business: tuple[str, ...],
    runbooks: Path,
    dry_run: bool,
    output: str,
) -> None:
    """Write Prometheus rules for slo/*.yaml, with their promtool tests and Alertmanager's side.

    With --dashboards: dashboards for Grafana, which are the same whatever the files promise. Without files and
    dashboards: the index of the runbooks (README.md beside them). The same input gives the same bytes.
    """
    notices: list[str] = []
    files: dict[Path, str] = {}
    if business and dashboards is None:
        raise click.UsageError("--business says what a dashboard shows: add --dashboards FOLDER")
    try:
        if slo_files:
            files, notices = _rules(slo_files, out, (standalone, sloth_names), (runbook_url, grafana))
        elif standalone or sloth_names:
            raise click.UsageError("rules are made from files: name them, such as slo/*.yaml")
        elif dashboards is None:
            files = _index(runbooks)
        if dashboards is not None:
            files |= _dashboards(dashboards, business, (runbook_url, grafana, agent))
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text("utf-8") != text]
    if not dry_run:
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], "utf-8", newline="\n")
    _say(output, [str(path) for path in stale], notices, dry_run)
    context.exit(OUT_OF_DATE if dry_run and stale else 0)


def _rules(
    slo_files: tuple[str, ...], out: Path, kind: tuple[bool, bool], links: tuple[str, str]
) -> tuple[dict[Path, str], list[str]]:
    """The rule files and what is to be said about them."""
    from figwatch_agent.files.load import load_slo_files  # whoever writes the index does without them
    from figwatch_agent.generate.rule_files import rule_files
    from figwatch_agent.generate.rules import Options, left_out
    from figwatch_agent.generate.texts import Links

    standalone, sloth_names = kind
    if sloth_names and not standalone:
        raise click.UsageError("--sloth-names gives the standalone rules other names: add --standalone")
    services, _ = load_slo_files(slo_files)
    where = Links(runbooks=links[0].rstrip("/") + "/", grafana=links[1].rstrip("/"))
    made = rule_files(services, Options(standalone=standalone, sloth_names=sloth_names, links=where))
    notices = [f"{name} is PromQL of its own: the agent evaluates it, rules do not" for name in left_out(services)]
    return {out / path: text for path, text in made.items()}, notices


def _dashboards(folder: Path, business: tuple[str, ...], links: tuple[str, str, str]) -> dict[Path, str]:
    """The boards of figwatch, with the business metrics that were named."""
    from figwatch_agent.generate.dashboards.files import dashboard_files  # as above
    from figwatch_agent.generate.texts import Links

    if find_spec(SDK) is None:
        raise click.ClickException("dashboards are made by Grafana's SDK: pip install 'figwatch[dashboards]'")
    runbooks, grafana, agent = (link.rstrip("/") for link in links)
    made = dashboard_files(Links(runbooks=f"{runbooks}/", grafana=grafana, agent=agent), business)
    return {folder / path: text for path, text in made.items()}


def _index(runbooks: Path) -> dict[Path, str]:
    if not runbooks.is_dir():
        raise click.UsageError(f"there is no folder {runbooks}: name it with --runbooks, or name slo/*.yaml for rules")
    pages = {file.as_posix(): file.read_text("utf-8") for file in runbooks.glob("*.md") if file.name != INDEX}
    return {Path(path): text for path, text in runbook_index(pages).items()}


def _say(output: str, stale: list[str], notices: list[str], dry_run: bool) -> None:
    if output == "json":
        written, old = ([], stale) if dry_run else (stale, [])
        say_json({"written": written, "out_of_date": old, "notices": notices})
        return
    for notice in notices:
        click.echo(f"Notice: {notice}", err=True)
    for path in stale:
        click.echo(f"{'Out of date' if dry_run else 'Wrote'}: {path}")
    if not stale:
        click.echo("Everything is up to date.")
