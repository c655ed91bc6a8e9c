"""Processes of plans: an argument list, a clean environment, their own process group, a deadline, an output cap."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Final

from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.journal import ActionResult, ActionResultKind
from figwatch_agent.model.plan import Call, ExecCall
from figwatch_agent.model.secret import ReadSecret
from figwatch_agent.rollback.secrecy import all_resolved, shown

KEY_VARIABLE: Final = "FIGWATCH_IDEMPOTENCY_KEY"
INHERITED: Final = ("PATH", "HOME")
OUTPUT_LIMIT: Final = 64 * 1024
"""Bytes kept of standard output and standard error together; the rest is read and dropped, so that nothing blocks."""
GRACE: Final[Duration] = 2 * SECOND
"""Between asking a process group to end and ending it."""
_LAST_WORDS: Final[Duration] = SECOND // 2  # a child left behind may hold the pipe open for ever

JudgeExit = Callable[[int], ActionResultKind]

_FAILED = ActionResultKind.FAILED
_UNKNOWN = ActionResultKind.UNKNOWN


def exit_of_step(code: int) -> ActionResultKind:
    """A step is done on 0 and says that it failed on any other code; ended by a signal, it said nothing."""
    if code == 0:
        return ActionResultKind.DONE
    return _FAILED if code > 0 else _UNKNOWN


def exit_of_probe(code: int) -> ActionResultKind:
    """A probe answers yes on 0 and no on 1; every other code is no answer."""
    return {0: ActionResultKind.DONE, 1: _FAILED}.get(code, _UNKNOWN)


class ExecAction:
    """ports.Action for ExecCall. ``inherited`` is the environment of which only PATH and HOME are passed on."""

    def __init__(
        self,
        read_secret: ReadSecret,
        inherited: Mapping[str, str],
        *,
        judge: JudgeExit = exit_of_step,
        unreached: ActionResultKind = _FAILED,
    ) -> None:
        self._read_secret = read_secret
        self._inherited = {name: inherited[name] for name in INHERITED if name in inherited}
        self._judge = judge
        self._unreached = unreached  # what it means that the process was not started

    async def run(self, call: Call, *, key: str, deadline: Duration) -> ActionResult:
        """One process; at its deadline the whole group is ended, and what it did is unknown."""
        if not isinstance(call, ExecCall):
            raise TypeError(f"{type(call).__name__} is no process")
        try:
            declared, secrets = all_resolved(call.environment, self._read_secret)
        except SecretUnreadable as error:
            return ActionResult(kind=self._unreached, detail=str(error))
        environment = {**self._inherited, **declared} | ({KEY_VARIABLE: key} if key else {})
        with _stdin(call.stdin) as stdin, _Output() as output:
            try:
                process = await _start(call.argv, environment, stdin, output)
            except (OSError, ValueError) as error:
                return ActionResult(kind=self._unreached, detail=f"not started: {type(error).__name__}")
            ended = await _wait(process, deadline)
            text = await output.text()
        if not ended:
            detail = f"ended at its deadline of {deadline} ms: {text}"
            return ActionResult(kind=_UNKNOWN, detail=shown(detail, secrets), body=text)
        code = process.returncode if process.returncode is not None else -1
        return ActionResult(kind=self._judge(code), detail=shown(f"exit {code}: {text}", secrets), body=text)


class _Output:
    """A pipe of our own: asyncio's would make waiting for the process wait for every child that holds it."""

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        self._kept = bytearray()
        self._closed = asyncio.Event()
        os.set_blocking(self._read_end, False)
        asyncio.get_running_loop().add_reader(self._read_end, self._readable)

    def __enter__(self) -> "_Output":
        return self

    def __exit__(self, *_: object) -> None:
        self.close_write_end()
        asyncio.get_running_loop().remove_reader(self._read_end)
        os.close(self._read_end)

    def close_write_end(self) -> None:
        """The child has its own copy."""
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    async def text(self) -> str:
        """What was written, as far as it is kept."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), _LAST_WORDS / SECOND)
        return bytes(self._kept).decode("utf-8", "replace")

    def _readable(self) -> None:
        with suppress(BlockingIOError):
            part = os.read(self._read_end, OUTPUT_LIMIT)
            self._kept += part[: OUTPUT_LIMIT - len(self._kept)]
            if not part:
                asyncio.get_running_loop().remove_reader(self._read_end)
                self._closed.set()


def _stdin(text: str | None) -> IO[bytes]:
    """A file without a name: nothing has to be fed to the process, and nothing stays behind."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by the with statement of the caller)
    file.write((text or "").encode())
    file.seek(0)
    return file


async def _start(
    argv: tuple[str, ...], environment: Mapping[str, str], stdin: IO[bytes], output: _Output
) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=dict(environment),
        stdin=stdin,
        stdout=output.write_end,
        stderr=output.write_end,
        start_new_session=True,
    )
    output.close_write_end()
    return process


async def _wait(process: asyncio.subprocess.Process, deadline: Duration) -> bool:
    """Whether it ended by itself; if not, its group is asked to end, and then ended."""
    if await _ended(process, deadline):
        return True
    _signal_group(process, signal.SIGTERM)
    await _ended(process, GRACE)
    _signal_group(
        process, signal.SIGKILL
    )  # the group, even if its leader is gone: children may have ignored the request
    await process.wait()
    return False


async def _ended(process: asyncio.subprocess.Process, duration: Duration) -> bool:
    try:
        await asyncio.wait_for(process.wait(), duration / SECOND)
    except TimeoutError:
        return False
    except BaseException:
        # Cancelled from outside: nothing of the group may outlive the agent.
        _signal_group(process, signal.SIGKILL)
        await process.wait()  # it is gone at once; left alone, nobody would ever know
        raise
    return True


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
