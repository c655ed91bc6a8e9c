"""Real processes of plans."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from figwatch_agent.durations import SECOND
from figwatch_agent.model.journal import ActionResult, ActionResultKind
from figwatch_agent.model.plan import ExecCall
from figwatch_agent.model.secret import Secret
from figwatch_agent.rollback.exec import OUTPUT_LIMIT, ExecAction, exit_of_probe

DONE, FAILED, UNKNOWN = ActionResultKind.DONE, ActionResultKind.FAILED, ActionResultKind.UNKNOWN
PLANTED = "planted-7f3a9c-secret"


def python(code: str, *, stdin: str | None = None, environment: tuple[tuple[str, str | Secret], ...] = ()) -> ExecCall:
    return ExecCall(argv=(sys.executable, "-S", "-c", code), stdin=stdin, environment=environment)


async def run(
    call: ExecCall, *, inherited: Mapping[str, str] | None = None, deadline: int = 20 * SECOND
) -> ActionResult:
    return await ExecAction(lambda secret: PLANTED, inherited or {}).run(call, key="key-1", deadline=deadline)


async def test_a_process_gets_a_clean_environment() -> None:
    inherited = {"PATH": "/bin", "HOME": "/home/x", "LD_PRELOAD": "evil.so", "AWS_SECRET_ACCESS_KEY": "not yours"}
    code = "import os; print(sorted(set(os.environ) - {'LC_CTYPE', '__CF_USER_TEXT_ENCODING'}))"
    result = await run(python(code, environment=(("ROUTE", "/a b;$(id)"),)), inherited=inherited)
    assert result.body.strip() == "['FIGWATCH_IDEMPOTENCY_KEY', 'HOME', 'PATH', 'ROUTE']"


async def test_values_reach_the_process_as_they_are_and_no_shell_sees_them() -> None:
    hostile = "/a b;$(touch x)`id`\n'\""
    code = "import os,sys; print(repr(os.environ['ROUTE'])); print(repr(sys.stdin.read()))"
    result = await run(python(code, stdin=hostile, environment=(("ROUTE", hostile),)))
    assert result.body.splitlines() == [repr(hostile)] * 2


async def test_without_stdin_the_process_reads_an_end_at_once() -> None:
    assert (await run(python("import sys; print(repr(sys.stdin.read()))"))).body.strip() == "''"


async def test_the_idempotency_key_is_handed_over() -> None:
    assert (await run(python("import os; print(os.environ['FIGWATCH_IDEMPOTENCY_KEY'])"))).body.strip() == "key-1"


@pytest.mark.parametrize(
    ("code", "step", "probe"), [(0, DONE, DONE), (1, FAILED, FAILED), (2, FAILED, UNKNOWN), (77, FAILED, UNKNOWN)]
)
async def test_an_exit_code_means_one_thing_for_a_step_and_another_for_a_probe(
    code: int, step: ActionResultKind, probe: ActionResultKind
) -> None:
    call = python(f"raise SystemExit({code})")
    assert (await run(call)).kind is step
    asked = ExecAction(lambda secret: "", {}, judge=exit_of_probe)
    assert (await asked.run(call, key="", deadline=20 * SECOND)).kind is probe


async def test_a_process_that_a_signal_ended_said_nothing() -> None:
    assert (await run(python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))).kind is UNKNOWN


@pytest.mark.parametrize("argv", [("/no/such/program",), ("/",), ("a\0b",)])
async def test_what_cannot_be_started_has_failed(argv: tuple[str, ...]) -> None:
    result = await run(ExecCall(argv=argv))
    assert result.kind is FAILED
    assert result.detail.startswith("not started")


async def test_output_is_kept_up_to_a_cap_and_never_blocks_the_process() -> None:
    result = await run(python("import sys; sys.stdout.write('x' * 5_000_000); sys.exit(3)"))
    assert len(result.body) == OUTPUT_LIMIT
    assert result.detail.startswith("exit 3")


async def test_a_secret_that_is_printed_is_struck_out_of_the_detail() -> None:
    code = "import os; print('token is', os.environ['TOKEN'])"
    result = await run(python(code, environment=(("TOKEN", Secret(env="T")),)))
    assert result.detail == "exit 0: token is ***"


async def test_a_deadline_ends_the_whole_process_group(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = (
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"  # stubborn, and so is its child
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(600)\n"
    )
    result = await run(python(code), deadline=2 * SECOND)
    assert result.kind is UNKNOWN
    assert "deadline" in result.detail
    for pid in pids.read_text().split():
        await _gone(int(pid))


async def test_a_child_left_behind_with_the_output_open_does_not_hold_us_up() -> None:
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(8)'])"
    async with asyncio.timeout(6):
        assert (await run(python(code))).kind is DONE


async def test_a_cancelled_call_leaves_no_process_behind(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    task = asyncio.create_task(run(python(code)))
    async with asyncio.timeout(10):
        while not (pid.exists() and pid.read_text()):  # noqa: ASYNC110 (another process writes it)
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _gone(int(pid.read_text()))


async def _gone(pid: int) -> None:
    """Wait until nothing runs under this id; one that has ended and was not yet collected runs no more."""
    async with asyncio.timeout(10):
        while _runs(pid):  # noqa: ASYNC110 (the system tells nobody when a stranger's child has ended)
            await asyncio.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
