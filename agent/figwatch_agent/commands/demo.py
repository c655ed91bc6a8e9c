"""`figwatch demo`: the strangler stack in a box, a fault, and what figwatch does about it."""

import asyncio
import json
import os
import shutil
import tempfile
from fractions import Fraction
from pathlib import Path

import click

from figwatch_agent.commands._options import examples
from figwatch_agent.durations import SECOND, parse_duration

DIFFERED = 4
"""Exit code where the story was not the right one."""

SHORTEST = 60 * SECOND


@click.command(
    name="demo", epilog=examples("figwatch demo", "figwatch demo --fault outage", "figwatch demo --fault none --keep")
)
@click.option(
    "--fault",
    type=click.Choice(["errors", "latency", "outage", "shared", "flap", "none"]),
    default="errors",
    show_default=True,
    help="What goes wrong on the service side of the route; `shared` breaks legacy alike.",
)
@click.option("--route", default="/api/v1/chat", show_default=True, help="The route that the story is about.")
@click.option(
    "--rate", type=click.IntRange(5, 200), default=50, show_default=True, help="Requests/s on the service side."
)
@click.option("--duration", default="90s", show_default=True, help="How long it may take in all.")
@click.option("--keep", is_flag=True, help="Keep the files, the state and the logs, and say where they are.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(fault: str, route: str, rate: int, duration: str, keep: bool, output: str) -> None:
    """Run a migration on this machine, break it, and watch.

    Nine processes on loopback, real HTTP: a monolith, three services, an edge gateway, load, a pager, and the agent
    with files that you could have written. Exits 4 where the story was not the right one for the fault.
    """
    from figwatch_agent.demo import routes
    from figwatch_agent.demo.story import Wishes

    length = _length(duration)
    if route not in routes.templates():
        raise click.UsageError(f"{route} is not a route of the demo: choose one of {', '.join(routes.templates())}")
    folder = Path(tempfile.mkdtemp(prefix="figwatch-demo-"))
    wishes = Wishes(fault=fault, route=route, rate=Fraction(rate), duration=length, folder=folder)
    try:
        document = _told(wishes, output)
    finally:
        _leave(folder, keep)
    if document["differences"]:
        raise SystemExit(DIFFERED)


def _length(text: str) -> int:
    try:
        length = parse_duration(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if length < SHORTEST:
        raise click.UsageError("--duration must be 60s or more: a steady state, a fault and its end take that long")
    return length


def _told(wishes: object, output: str) -> dict[str, object]:
    from rich.console import Console

    from figwatch_agent.demo.story import Story, Wishes
    from figwatch_agent.demo.terminal import Terminal

    if not isinstance(wishes, Wishes):
        raise TypeError("wishes are expected")
    console = Console(stderr=output == "json")
    terminal = Terminal(console)
    with terminal:
        document = dict(asyncio.run(Story(wishes, terminal.tell).run()))
    if output == "json":
        click.echo(json.dumps(document, indent=2, allow_nan=False))
    else:
        terminal.show(document)
    return document


def _leave(folder: Path, keep: bool) -> None:
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
        return
    click.echo(f"kept: {folder}", err=True)
    for name in sorted(os.listdir(folder)):
        if name.endswith(".yaml"):
            click.echo((folder / name).read_text(encoding="utf-8"), err=True)
    for path in sorted((folder / "slo").glob("*.yaml")):
        click.echo(f"# {path}\n{path.read_text(encoding='utf-8')}", err=True)
