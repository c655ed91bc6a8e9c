"""The GitHub Action's scripts, with the real figwatch and git, and a `gh` that notes what it is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.parts import ROOT, program

pytestmark = pytest.mark.needs("bash", "git")

PROMISE = """\
version: 1
migration: shop
service: cart
window: 30d
slos:
  - name: cart-availability
    sli: {{events: {{bad: 'hits_total{{code=~"5.."}}', total: hits_total}}}}
    objective: {objective}
"""


def history() -> str:
    """Two requests a second for an hour and ten minutes, as OpenMetrics; of the last ten minutes all fail."""
    lines = ["# TYPE hits counter"]
    for step in range(141):
        bad = max(0, step - 120) * 60
        for code, count in (("200", step * 60 - bad), ("500", bad)):
            lines.append(f'hits_total{{code="{code}",job="edge",instance="a"}} {count} {1763000000 + 30 * step}')
    return "\n".join([*lines, "# EOF", ""])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run of the report left behind."""

    code: int
    said: str
    report: str
    outputs: dict[str, str]
    summary: str


class Repository:
    """A repository of a team with slo/, and its pull request."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runner = folder / "repository", folder / "runner"
        self.runner.mkdir()
        self.folder.joinpath("slo").mkdir(parents=True)
        self.git("init", "-q")

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=team", "-c", "user.email=team@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            [program("git"), *who, *words], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, objective: str, where: str = ".") -> str:
        """Promise this in ``where``, and the id of the commit."""
        self.folder.joinpath(where, "slo").mkdir(parents=True, exist_ok=True)
        self.folder.joinpath(where, "slo/cart.yaml").write_text(PROMISE.format(objective=objective), "utf-8")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "promise")
        return self.git("rev-parse", "HEAD")

    def report(self, where: str = ".", **inputs: str) -> Ran:
        """Run the action's script in ``where``, as the action does."""
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.runner),
            "RUNNER_TEMP": str(self.runner),
            "GITHUB_OUTPUT": str(self.runner / "output"),
            "GITHUB_STEP_SUMMARY": str(self.runner / "summary"),
        }
        done = subprocess.run(
            [program("bash"), ROOT / "deploy/github/report.sh"],
            cwd=self.folder / where,
            env={**environment, "WHERE": where, **inputs},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        said = done.stdout + done.stderr
        lines = self.runner.joinpath("output").read_text("utf-8").splitlines()
        outputs = {key: value for key, _, value in (line.partition("=") for line in lines)}
        return Ran(
            code=done.returncode,
            said=said,
            report=Path(outputs["markdown"]).read_text("utf-8"),
            outputs=outputs,
            summary=self.runner.joinpath("summary").read_text("utf-8"),
        )


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_findings_fail_the_job_and_stand_in_the_report_as_code(repository: Repository) -> None:
    repository.commit("102%")
    ran = repository.report()
    assert ran.code == 3
    assert ran.outputs["check"] == "3"
    assert ran.outputs["backtest"] == ""
    assert ran.report.startswith("<!-- figwatch -->\n## figwatch check: findings\n\n    slo/cart.yaml:")
    assert ran.summary == ran.report


@pytest.mark.slow
def test_a_stricter_promise_is_backtested_against_the_base(repository: Repository) -> None:
    base = repository.commit("50%")
    repository.commit("99.9%")
    repository.folder.joinpath("h.om").write_text(history(), "utf-8")
    ran = repository.report(BASE=base, HISTORY="h.om")
    assert (ran.code, ran.outputs["check"], ran.outputs["backtest"]) == (0, "0", "0"), ran.said
    assert "## figwatch backtest" in ran.report
    failing = repository.report(BASE=base, HISTORY="h.om", FAIL_ON="any")
    assert (failing.code, failing.outputs["check"], failing.outputs["backtest"]) == (4, "0", "4"), failing.said
    assert "1 new page" in failing.report


@pytest.mark.slow
def test_two_folders_of_one_job_are_compared_each_with_its_own_base(repository: Repository) -> None:
    repository.commit("50%", "one")
    repository.folder.joinpath("one/slo/gone.yaml").write_text(
        PROMISE.format(objective="70%").replace("cart", "gone"), "utf-8"
    )
    base = repository.commit("60%", "two")
    repository.folder.joinpath("h.om").write_text(history(), "utf-8")
    one = repository.report("one", BASE=base, HISTORY="../h.om")
    two = repository.report("two", BASE=base, HISTORY="../h.om")
    assert (one.code, two.code) == (0, 0), one.said + two.said
    assert one.report.startswith("<!-- figwatch one -->\n")
    assert two.report.startswith("<!-- figwatch two -->\n")
    assert "gone-availability" in one.report
    assert "gone-availability" not in two.report


def test_files_may_stand_on_lines_of_their_own_and_none_is_taken_for_an_option_or_for_shell(
    repository: Repository,
) -> None:
    repository.commit("99.9%")
    for name in ("-o.yaml", "second.yaml"):
        text = PROMISE.format(objective="99%").replace("cart", Path(name).stem.strip("-"))
        repository.folder.joinpath(name).write_text(text, "utf-8")
    ran = repository.report(FILES="-o.yaml\nslo/cart.yaml second.yaml\n")
    assert "All is right: 3 files" in ran.report, ran.said
    assert repository.report(FILES="$(touch${IFS}was-here) `touch${IFS}was-here`").code != 0
    assert list(repository.folder.rglob("was-here")) == []


def test_a_base_without_promises_is_no_failure(repository: Repository) -> None:
    repository.git("commit", "-q", "--allow-empty", "-m", "empty")
    base = repository.git("rev-parse", "HEAD")
    repository.commit("99.9%")
    ran = repository.report(BASE=base, HISTORY="h.om")
    assert (ran.code, ran.outputs["backtest"]) == (0, ""), ran.said
    assert "the base has no slo" in ran.said


GH = """#!/bin/sh
case "$*" in *--paginate*) printf '%s' "$FOUND"; echo "MARKER=$MARKER" >> "$NOTES";; esac
echo "$*" >> "$NOTES"
"""


def commented(folder: Path, report: str, found: str) -> list[str]:
    """What GitHub is asked for this report, where it has these comments."""
    (folder / "gh").write_text(GH, "utf-8")
    (folder / "gh").chmod(0o755)
    (folder / "report.md").write_text(report, "utf-8")
    environment = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "NOTES": str(folder / "notes"),
        "FOUND": found,
        "GITHUB_REPOSITORY": "team/shop",
        "NUMBER": "7",
        "MARKDOWN": str(folder / "report.md"),
    }
    subprocess.run([program("bash"), ROOT / "deploy/github/comment.sh"], env=environment, check=True, timeout=30)
    return (folder / "notes").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    ("found", "asked"),
    [
        ("", "--method POST repos/team/shop/issues/7/comments"),
        ("41\n42\n", "--method PATCH repos/team/shop/issues/comments/41"),
    ],
    ids=["the first comment is made", "a later report replaces it"],
)
def test_there_is_one_comment(tmp_path: Path, found: str, asked: str) -> None:
    asking = commented(tmp_path, "<!-- figwatch -->\nall is right\n", found)
    assert asking[-1].endswith(f"{asked} --field body=@{tmp_path / 'report.md'}")
    assert "MARKER=<!-- figwatch -->" in asking


def test_a_report_that_is_too_long_for_a_comment_is_cut_at_the_end_of_a_line(tmp_path: Path) -> None:
    line = "| é | " * 10
    asking = commented(tmp_path, "<!-- figwatch -->\n" + f"{line}\n" * 2000, "")
    short = tmp_path / "report.md.short"
    assert asking[-1].endswith(f"body=@{short}")
    said = short.read_text("utf-8")
    assert len(said.encode()) < 65_536
    first, *lines, empty, end = said.splitlines()
    assert (first, set(lines), empty) == ("<!-- figwatch -->", {line}, "")
    assert end == "The rest is too long for a comment: it stands in the summary of the job."
