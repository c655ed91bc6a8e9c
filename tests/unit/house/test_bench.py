"""`make bench` fails where a ratio is over its limit, and measures what it says."""

from __future__ import annotations

import pytest

from bench import __main__ as bench
from bench.cpu import spent
from bench.row import Row


def registered(monkeypatch: pytest.MonkeyPatch, *rows: Row) -> None:
    """Let the registry hold one bench that gives ``rows``."""
    monkeypatch.setattr(bench, "REGISTRY", {"only": lambda: rows})


def test_a_ratio_at_its_limit_passes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    registered(monkeypatch, Row(name="a / b", ratio=1.15, limit=1.15, note="23.0 ms / 20.0 ms CPU"))
    assert bench.main([]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("1.150   1.150  23.0 ms / 20.0 ms CPU          ok")


def test_a_small_ratio_is_said_as_one_part_of_many(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registered(monkeypatch, Row(name="a / b", ratio=0.01, limit=0.02))
    assert bench.main([]) == 0
    assert "1/100" in capsys.readouterr().out
    assert "1/50" in bench.line(Row(name="a / b", ratio=0.01, limit=0.02))


def test_a_ratio_over_its_limit_fails_even_if_a_later_row_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registered(monkeypatch, Row(name="a / b", ratio=1.16, limit=1.15), Row(name="c / d", ratio=1.0, limit=1.15))
    assert bench.main([]) == 1
    assert "OVER" in capsys.readouterr().out


def test_a_fault_fails_whatever_the_ratio(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    registered(monkeypatch, Row(name="a / b", ratio=0.5, limit=1.15, fault="loads numpy"))
    assert bench.main([]) == 1
    assert "FAILED: loads numpy" in capsys.readouterr().out


def test_a_bench_that_breaks_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> list[Row]:
        raise RuntimeError("ended with 3")

    monkeypatch.setattr(bench, "REGISTRY", {"only": breaks})
    assert bench.main([]) == 1


def test_an_unknown_bench_is_a_usage_error() -> None:
    assert bench.main(["no-such-bench"]) == 2


def test_more_work_costs_more_cpu_time() -> None:
    assert spent("sum(range(3_000_000))") > 3 * spent("sum(range(3_000))")


def test_a_program_that_fails_says_its_last_words() -> None:
    with pytest.raises(RuntimeError, match="ValueError: no such folder"):
        spent("raise ValueError('no such folder')")
