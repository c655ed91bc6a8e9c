"""`figwatch run`: measure, decide, page, roll back and report until told to stop."""

import asyncio
import logging
import sys
from pathlib import Path

import click


@click.command()
@click.option("--config", "config", default="figwatch.yaml", show_default=True, help="The settings file.")
@click.option(
    "--record",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write every tick's inputs and outcome to this folder, for `figwatch replay`.",
)
@click.option("--quiet", is_flag=True, help="Log warnings and errors only.")
def command(config: str, record: Path | None, quiet: bool) -> None:
    """Run the agent until SIGTERM or Ctrl-C.

    It scrapes the targets of `source:`, evaluates every SLO, pages the receivers, weighs and carries out rollbacks, and
    answers on `web.listen`. State survives kill -9 at any moment; start it again and it goes on.
    """
    from figwatch_agent.files.diagnostics import render
    from figwatch_agent.files.load import load

    loaded = load(config)
    click.echo(render(loaded.notices), nl=False, err=True)
    _log_to_stderr(logging.WARNING if quiet else logging.INFO)
    asyncio.run(_run(loaded, record))


async def _run(loaded: object, record: Path | None) -> None:
    from figwatch_agent.files.load import Loaded
    from figwatch_agent.supervisor import stop_on_signals, supervise
    from figwatch_agent.wiring import build

    if not isinstance(loaded, Loaded):
        raise TypeError("loaded files are expected")
    stop = asyncio.Event()
    stop_on_signals(stop)
    async with build(loaded, record) as agent:
        settings = loaded.settings
        click.echo(
            f"figwatch watches {len(loaded.services)} services of {loaded.services[0].migration}, "
            f"rollback mode {settings.rollback.mode.value}, listening on {agent.url}",
            err=True,
        )
        await supervise(agent.parts, stop)


def _log_to_stderr(level: int) -> None:
    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
