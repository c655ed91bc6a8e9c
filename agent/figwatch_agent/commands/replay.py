"""``figwatch replay``: run a recording again and compare every decision byte for byte."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from figwatch_agent.commands._options import config_option, loaded_from, output_option, say_json
from figwatch_agent.engine import Engine
from figwatch_agent.errors import FigwatchError, NotEnoughData, ReplayDiffers
from figwatch_agent.files.load import Loaded
from figwatch_agent.model.outcome import Saved
from figwatch_agent.model.wire import decode, encode
from figwatch_agent.sources.recording import RecordedRuns, RecordedTick

SAVED: Final = "saved.json"
"""State that a recording began with; without this file it began with none."""

SHOWN: Final = 200
"""Characters of a value that differs."""


class SavedUnreadable(FigwatchError):
    """The state that a recording began with cannot be read; restore saved.json from the recording."""


@click.command(name="replay")
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

    With the files that were used then, everything is the same. With others, the first difference shows what they
    change. Exits 1 at the first difference.
    """
    loaded = loaded_from(config)
    saved = _saved(recorded)
    runs = RecordedRuns(recorded)
    with click.progressbar(
        _after(runs, saved), label="Replaying", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as ticks:
        count = _compare(loaded, saved, ticks)
    if not count:
        raise NotEnoughData(f"{recorded} holds no tick after the state in {SAVED}: record for longer")
    if output == "json":
        say_json({"ticks": count, "same": True, "notices": runs.notices})
        return
    for notice in runs.notices:
        click.echo(notice, err=True)
    click.echo(f"All {count} ticks gave the same Outcome, byte for byte.")


def _saved(folder: Path) -> Saved | None:
    path = folder / SAVED
    if not path.is_file():
        return None
    try:
        return decode(Saved, path.read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SavedUnreadable(f"{path} cannot be read: {error}; restore it from the recording") from None


def _after(runs: RecordedRuns, saved: Saved | None) -> Iterator[RecordedTick]:
    """The ticks that follow the state; an earlier run in the same folder led up to it."""
    since = saved.at if saved is not None else None
    return (tick for tick in runs if since is None or tick.now > since)


def _compare(loaded: Loaded, saved: Saved | None, ticks: Iterator[RecordedTick]) -> int:
    engine = Engine(loaded.services, loaded.settings, saved)
    count = 0
    for tick in ticks:
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
