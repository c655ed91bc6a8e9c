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

    def commit(self, objective: str) -> str:
        """Promise this, and the id of the commit."""
        self.folder.joinpath("slo/cart.yaml").write_text(PROMISE.format(objective=objective), "utf-8")
        self.git("add", "slo")
        self.git("commit", "-q", "-m", "promise")
        return self.git("rev-parse", "HEAD")

    def report(self, **inputs: str) -> Ran:
        """Run the action's script, as the action does."""
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.runner),
            "RUNNER_TEMP": str(self.runner),
            "GITHUB_OUTPUT": str(self.runner / "output"),
            "GITHUB_STEP_SUMMARY": str(self.runner / "summary"),
        }
        done = subprocess.run(
            [program("bash"), ROOT / "deploy/github/report.sh"],
            cwd=self.folder,
            env={**environment, **inputs},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        said = done.stdout + done.stderr
        outputs = self.runner.joinpath("output").read_text("utf-8").splitlines()
        return Ran(
            code=done.returncode,
            said=said,
            report=self.runner.joinpath("figwatch.md").read_text("utf-8"),
            outputs={key: value for key, _, value in (line.partition("=") for line in outputs)},
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


def test_a_base_without_promises_is_no_failure(repository: Repository) -> None:
    repository.git("commit", "-q", "--allow-empty", "-m", "empty")
    base = repository.git("rev-parse", "HEAD")
    repository.commit("99.9%")
    ran = repository.report(BASE=base, HISTORY="h.om")
    assert (ran.code, ran.outputs["backtest"]) == (0, ""), ran.said
    assert "the base has no slo" in ran.said


GH = """#!/bin/sh
echo "$*" >> "$NOTES"
case "$*" in *--paginate*) printf '%s' "$FOUND";; esac
"""


@pytest.mark.parametrize(
    ("found", "asked"),
    [
        ("", "--method POST repos/team/shop/issues/7/comments"),
        ("41\n42\n", "--method PATCH repos/team/shop/issues/comments/41"),
    ],
    ids=["the first comment is made", "a later report replaces it"],
)
def test_there_is_one_comment(tmp_path: Path, found: str, asked: str) -> None:
    (tmp_path / "gh").write_text(GH, "utf-8")
    (tmp_path / "gh").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "NOTES": str(tmp_path / "notes"),
        "FOUND": found,
        "GITHUB_REPOSITORY": "team/shop",
        "NUMBER": "7",
        "MARKDOWN": "report.md",
    }
    subprocess.run([program("bash"), ROOT / "deploy/github/comment.sh"], env=environment, check=True, timeout=30)
    assert f"{asked} --field body=@report.md" in (tmp_path / "notes").read_text("utf-8").splitlines()[-1]
