"""`figwatch run`: measure, decide, page, roll back and report until told to stop."""

import asyncio
import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from figwatch_agent.commands._options import config_option, examples, loaded_from

if TYPE_CHECKING:
    from figwatch_agent.clock import Clock
    from figwatch_agent.files.load import Loaded
    from figwatch_agent.model.agent import Reload
    from figwatch_agent.ports import Audit


@click.command(
    name="run",
    epilog=examples(
        "figwatch run", "figwatch run --config /etc/figwatch/figwatch.yaml", "figwatch run --record recording/"
    ),
)
@config_option
@click.option(
    "--record",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write every tick's inputs and outcome to this folder, for `figwatch replay`.",
)
@click.option("--quiet", is_flag=True, help="Log warnings and errors only.")
def command(config: str, record: Path | None, quiet: bool) -> None:
    """Run the agent until SIGTERM or Ctrl-C; SIGHUP reads the files anew.

    It scrapes the targets of `source:`, evaluates every SLO, pages the receivers, weighs rollbacks and carries them out
    as far as `rollback.mode` allows, and answers on `web.listen`. State survives kill -9 at any moment: start it
    again and it goes on.
    """
    from figwatch_agent.files.diagnostics import render

    loaded = loaded_from(config)
    click.echo(render(loaded.notices), nl=False, err=True)
    _log_to_stderr(logging.WARNING if quiet else logging.INFO)
    asyncio.run(_run(config, loaded, record))


async def _run(config: str, loaded: "Loaded", record: Path | None) -> None:
    from figwatch_agent.files.secrets import missing_secrets
    from figwatch_agent.supervisor import Part, supervise, watch_signals
    from figwatch_agent.wiring import build

    files = _Files(config, loaded)
    watch_signals(stop=files.stop, reload=files.asked)
    while not files.stopped:
        files.ended.clear()
        async with build(files.loaded, record, files.newest) as agent:
            files.clock, files.audit = agent.clock, agent.audit
            click.echo(_greeting(files.loaded, agent.url), err=True)
            for problem in missing_secrets(files.loaded.settings):
                click.echo(f"warning: {problem}", err=True)
            parts = (*agent.parts, Part(name="reload", run=files.watch))
            await supervise(parts, files.ended)


class _Files:
    """The files in force; on SIGHUP all are read, and only what is right as a whole takes their place."""

    def __init__(self, config: str, loaded: "Loaded") -> None:
        self.loaded = loaded
        self.stopped = False
        self.ended = asyncio.Event()  # the agent that runs is to end
        self.clock: Clock | None = None  # of the agent that runs
        self.audit: Audit | None = None  # of the same
        self._newest: Reload | None = None
        self._config = config
        self._wanted = asyncio.Event()

    def stop(self) -> None:
        """SIGTERM, SIGINT."""
        self.stopped = True
        self.ended.set()

    def asked(self) -> None:
        """SIGHUP."""
        self._wanted.set()

    def newest(self) -> "Reload | None":
        """The newest time that the files were read anew, and how that went."""
        return self._newest

    async def _told(self, problem: str = "") -> None:
        from figwatch_agent.errors import StoreError
        from figwatch_agent.model.agent import Reload
        from figwatch_agent.model.audit import AuditKind, AuditNote

        at = self.clock.now() if self.clock is not None else 0
        self._newest = Reload(at=at, ok=not problem, reason=problem)
        note = AuditNote(at=at, kind=AuditKind.RELOAD, actor="", origin="agent", subject=self._config, why=problem)
        with suppress(StoreError):  # the files hold whether or not anything can be remembered of it
            if self.audit is not None:
                await self.audit.note(note)

    async def watch(self) -> None:
        """Read the files when asked to, until cancelled."""
        from figwatch_agent.errors import FigwatchError
        from figwatch_agent.files.load import load
        from figwatch_agent.web.listening import tls_context

        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                loaded = await asyncio.to_thread(load, self._config)
                tls_context(loaded.settings.web.tls)  # refused here, where the old one can go on
            except FigwatchError as error:
                await self._told(str(error))
                click.echo(f"{error}\nthe files are wrong: the agent goes on with those it has", err=True)
                continue
            self.loaded = loaded
            await self._told()
            click.echo("the files were read anew", err=True)
            self.ended.set()


def _greeting(loaded: "Loaded", url: str) -> str:
    migration = ", ".join(dict.fromkeys(service.migration for service in loaded.services)) or "nothing yet"
    mode = loaded.settings.rollback.mode.value
    count = len(loaded.services)
    files = f"{count} file{'' if count == 1 else 's'} of slo/"
    return f"figwatch watches {migration} ({files}), rollback mode {mode}, at {url}"


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
