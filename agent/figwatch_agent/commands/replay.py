"""``figwatch replay``: run a recording again and compare every decision byte for byte."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from figwatch_agent.commands._options import config_option, examples, loaded_from, output_option, say_json
from figwatch_agent.engine import Engine
from figwatch_agent.errors import NotEnoughData, ReplayDiffers
from figwatch_agent.files.load import Loaded
from figwatch_agent.model.wire import encode
from figwatch_agent.sources.recording import RecordedRuns, RecordedTick

SHOWN: Final = 200
"""Characters of a value that differs."""


@click.command(name="replay", epilog=examples("figwatch replay --recorded recording/"))
@click.option(
    "--recorded",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder that `figwatch run --record` wrote to.",
)
@config_option
@output_option
def command(recorded: Path, config: str, output: str) -> None:
    """Run a recording again with the files of --config and compare every decision byte for byte.

    A folder may hold several runs, such as those before and after a restart. With the files that were used then,
    everything is the same. With others, the first difference shows what they change. Exits 1 at the first difference.
    """
    loaded = loaded_from(config)
    runs = RecordedRuns(recorded)
    with click.progressbar(iter(runs), label="Replaying", file=sys.stderr, hidden=not sys.stderr.isatty()) as ticks:
        count = _compare(loaded, ticks)
    if not count:
        raise NotEnoughData(f"{recorded} holds no whole tick: record for longer")
    if output == "json":
        say_json({"ticks": count, "same": True, "notices": runs.notices})
        return
    for notice in runs.notices:
        click.echo(notice, err=True)
    click.echo(f"All {count} ticks gave the same Outcome, byte for byte.")


def _compare(loaded: Loaded, ticks: Iterator[RecordedTick]) -> int:
    """How many ticks were the same. Each run begins with the state it began with then, as after a kill."""
    engine = Engine(loaded.services, loaded.settings)
    count = 0
    for tick in ticks:
        if tick.first:
            engine = Engine(loaded.services, loaded.settings, tick.saved)
        replayed = encode(engine.advance(tick.inputs, tick.now))
        if replayed != tick.outcome:
            raise ReplayDiffers(_difference(count + 1, tick, replayed))
        count += 1
    return count


def _difference(number: int, tick: RecordedTick, replayed: str) -> str:
    where, then, now = first_difference(json.loads(tick.outcome), json.loads(replayed), "outcome")
    return (
        f"tick {number} (at {tick.now}) differs at {where}: recorded {_short(then)}, replayed {_short(now)}. "
        "Replay with the files and the version of figwatch that recorded it, or read this as what the change does"
    )


def first_difference(then: object, now: object, where: str) -> tuple[str, object, object]:
    """Path, recorded and replayed value of the first place where two JSON values differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name in dict.fromkeys((*then, *now)):  # what people read comes before the engine's state
            if then.get(name) != now.get(name):
                return first_difference(then.get(name), now.get(name), f"{where}.{name}")
    if isinstance(then, list) and isinstance(now, list):
        for index, (old, new) in enumerate(zip(then, now, strict=False)):
            if old != new:
                return first_difference(old, new, f"{where}[{index}]")
        return f"the length of {where}", len(then), len(now)
    return where, then, now


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
