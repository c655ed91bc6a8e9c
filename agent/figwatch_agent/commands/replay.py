"""``figwatch replay``: what would have alerted over a history; or a recording again, compared byte for byte."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from figwatch_agent.commands._history import (
    Services,
    bare_settings,
    read_by,
    read_for,
    replayed,
)
from figwatch_agent.commands._options import config_option, examples, loaded_from, output_option, say_json
from figwatch_agent.commands._span import Span, history_options
from figwatch_agent.durations import Duration, Instant
from figwatch_agent.engine import Engine
from figwatch_agent.errors import NotEnoughData, ReplayDiffers
from figwatch_agent.files.load import Loaded, load_slo_files
from figwatch_agent.model.settings import Settings
from figwatch_agent.model.wire import encode
from figwatch_agent.report.replay import replay_document
from figwatch_agent.report.replay_text import replay_text
from figwatch_agent.sources.recording import RecordedRuns, RecordedTick

SHOWN: Final = 200
"""Characters of a value that differs."""


@click.command(
    name="replay",
    epilog=examples(
        "figwatch replay slo/chat.yaml --history metrics.om.gz",
        "figwatch replay slo/chat.yaml --history metrics.om --from 2026-11-01T00:00:00Z --output json",
        "figwatch replay slo/chat.yaml --prometheus http://127.0.0.1:9090 --from 2026-11-01T00:00:00Z",
        "figwatch replay --recorded recording/",
    ),
)
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@history_options
@click.option(
    "--recorded",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder that `figwatch run --record` wrote to.",
)
@config_option
@output_option
@click.pass_context
def command(
    context: click.Context,
    files: tuple[str, ...],
    history: tuple[Path, ...],
    prometheus: str | None,
    start: Instant | None,
    end: Instant | None,
    step: Duration | None,
    tick: Duration | str | None,
    recorded: Path | None,
    config: str,
    output: str,
) -> None:
    """Tell what the SLOs of FILES would have counted, spent and alerted over a history.

    Without FILES the files of --config are held against it. With --recorded instead, a recording is run again with
    these files and every decision compared byte for byte; a folder may hold several runs, such as those before and
    after a restart, and the first difference, if there is one, ends it with exit code 1.
    """
    past = bool(history) or prometheus is not None
    if recorded is not None and not past:
        _recorded(recorded, config, output)
    elif recorded is None and past:
        services, settings = promises(context, files, config)
        span = Span(start=start, end=end, step=step, tick=tick)
        found = replayed(
            services, settings, read_for(services, settings, read_by(history, prometheus, settings, span)), span
        )
        if output == "json":
            say_json(replay_document(found))
        else:
            click.echo(replay_text(found), nl=False)
    else:
        raise click.UsageError("name one of --history FILE, --prometheus URL and --recorded FOLDER")


def promises(context: click.Context, files: tuple[str, ...], config: str) -> tuple[Services, Settings]:
    """The SLOs of FILES with the settings of --config where it is given, or else everything of --config."""
    given = context.get_parameter_source("config") is not ParameterSource.DEFAULT
    if not files:
        loaded = loaded_from(config, instead=", or name files of slo/")
        return loaded.services, loaded.settings
    services, notices = load_slo_files(files)
    for notice in notices:
        click.echo(f"{notice.path}:{notice.line}: {notice.message}", err=True)
    return services, loaded_from(config).settings if given else bare_settings()


def _recorded(recorded: Path, config: str, output: str) -> None:
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
