"""SIGHUP: files that are right as a whole take over, others do not, and the audit tells which it was."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from figwatch_agent.clock import ManualClock
from figwatch_agent.commands.run import _Files
from figwatch_agent.errors import StoreUnavailable
from figwatch_agent.files.load import load
from figwatch_agent.model.audit import AuditNote
from figwatch_agent.store.memory import MemoryStore
from support.agent_site import write_files
from support.model_values import NOON

DEADLINE = 10.0


class Store(MemoryStore):
    """Says when it was told something, and may be gone."""

    def __init__(self, gone: bool = False) -> None:
        super().__init__()
        self.told = asyncio.Event()
        self._gone = gone

    async def note(self, note: AuditNote) -> None:
        """Takes it, or cannot."""
        self.told.set()
        if self._gone:
            raise StoreUnavailable("disk full")
        await super().note(note)


async def reloaded(config: str, change: Callable[[Path], None], store: Store, *, wait_for_end: bool = False) -> _Files:
    """Change the file, send the signal, and wait for what is made of it."""
    files = _Files(config, load(config))
    files.clock, files.audit = ManualClock(NOON), store
    watching = asyncio.create_task(files.watch())
    change(Path(config))
    files.asked()
    async with asyncio.timeout(DEADLINE):
        await store.told.wait()
        if wait_for_end:
            await files.ended.wait()
    watching.cancel()
    return files


def append(text: str) -> Callable[[Path], None]:
    """Puts a line at the end of the file."""

    def change(path: Path) -> None:
        path.write_text(path.read_text("utf-8") + text, "utf-8")

    return change


async def test_right_files_take_over_and_a_line_tells_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store()
    files = await reloaded(write_files(tmp_path, 9464), append("alerting: {hold: 7m}\n"), store, wait_for_end=True)
    assert files.loaded.settings.alerting.hold == 7 * 60_000
    (line,) = await store.audit_lines()
    assert (line.note.kind, line.note.why, line.note.at) == ("reload", "", NOON)
    assert line.note.subject == str(tmp_path / "figwatch.yaml")


async def test_wrong_files_do_not_and_the_line_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store()
    config = write_files(tmp_path, 9464)
    before = load(config)
    files = await reloaded(config, append("alerting: {hold: soon}\n"), store)
    assert files.loaded.settings == before.settings
    assert not files.ended.is_set()
    assert '"soon" is not a duration' in (await store.audit_lines())[0].note.why
    assert "the agent goes on with those it has" in capsys.readouterr().err


async def test_a_certificate_that_cannot_be_used_leaves_the_agent_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store()

    def change(path: Path) -> None:
        text = path.read_text("utf-8").replace("web: {", "web: {tls: {certificate: gone.pem, key: gone.key}, ")
        path.write_text(text, "utf-8")

    files = await reloaded(write_files(tmp_path, 9464), change, store)
    assert files.loaded.settings.web.tls is None
    assert not files.ended.is_set()
    assert "web.tls" in (await store.audit_lines())[0].note.why
    assert "gone.pem" in capsys.readouterr().err


async def test_while_the_state_is_gone_files_are_read_anew_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = await reloaded(
        write_files(tmp_path, 9464), append("alerting: {hold: 7m}\n"), Store(gone=True), wait_for_end=True
    )
    assert files.loaded.settings.alerting.hold == 7 * 60_000
