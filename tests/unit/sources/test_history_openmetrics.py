"""OpenMetrics text with timestamps becomes columns, and what is wrong with it is said with file and line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from figwatch_agent.model.batch import Series
from figwatch_agent.model.past import History
from figwatch_agent.sources import history_lines
from figwatch_agent.sources.history import HistoryInvalid
from figwatch_agent.sources.history_openmetrics import read_history

NAMES = frozenset({"requests_total", "seconds_bucket", "seconds_count"})


def history(folder: Path, text: str, *, end: str = "# EOF\n", wanted: str = "") -> History:
    """What is read of a file with this text."""
    file = folder / "history.om"
    file.write_text(text + end, encoding="utf-8")
    return read_history((file,), NAMES, lambda series: not wanted or dict(series.labels).get("code") == wanted)


def columns(found: History) -> dict[str, list[tuple[int, float]]]:
    """(instant, value) of every series by its labels."""
    return {
        f"{track.series.name} {dict(track.series.labels)}": list(
            zip(track.at.tolist(), track.values.tolist(), strict=True)
        )
        for target in found.targets
        for track in target.tracks
    }


def only(found: History) -> list[tuple[int, float]]:
    """The samples of the only series."""
    (samples,) = columns(found).values()
    return samples


def problem(folder: Path, text: str, end: str = "# EOF\n") -> str:
    """What is said about a file that is refused."""
    with pytest.raises(HistoryInvalid) as raised:
        history(folder, text, end=end)
    return str(raised.value).replace(str(folder) + "/", "")


@pytest.mark.parametrize(
    ("line", "sample"),
    [
        ("requests_total 5 1700000000", (1_700_000_000_000, 5.0)),  # whole seconds
        ("requests_total 5.0 1700000000.123", (1_700_000_000_123, 5.0)),  # milliseconds
        ("requests_total 5e3 1.7e9", (1_700_000_000_000, 5_000.0)),  # exponents
        ("requests_total  5  1700000000", (1_700_000_000_000, 5.0)),  # more blanks than needed
        ("requests_total\t5\t1700000000", (1_700_000_000_000, 5.0)),  # tabs
        ('requests_total{} 5 1700000000 # {trace_id="a b"} 1 1700000000', (1_700_000_000_000, 5.0)),  # exemplar
        ('requests_total{} 5 1700000000 # {trace_id="a b"} 1', (1_700_000_000_000, 5.0)),  # exemplar without time
    ],
)
def test_a_sample_is_read_in_every_form_that_the_format_has(
    tmp_path: Path, line: str, sample: tuple[int, float]
) -> None:
    assert only(history(tmp_path, line + "\n")) == [sample]


def test_labels_with_blanks_quotes_and_line_ends_are_one_series(tmp_path: Path) -> None:
    text = 'requests_total{path="a b \\"c\\" \\n \\\\ # {x} 1"} 1 10\n' * 1 + (
        'requests_total{path="a b \\"c\\" \\n \\\\ # {x} 1"} 2 20\n'
    )
    found = history(tmp_path, text)
    assert only(found) == [(10_000, 1.0), (20_000, 2.0)]
    assert found.targets[0].tracks[0].series == Series(
        name="requests_total", labels=(("path", 'a b "c" \n \\ # {x} 1'),)
    )


def test_comments_types_and_empty_lines_are_passed_over(tmp_path: Path) -> None:
    text = (
        "# TYPE requests counter\n# HELP requests Of users.\n\nrequests_total 1 10\n# UNIT x y\nrequests_total 2 20\n"
    )
    assert only(history(tmp_path, text)) == [(10_000, 1.0), (20_000, 2.0)]


def test_what_nobody_wants_is_left_out_by_name_and_by_labels(tmp_path: Path) -> None:
    text = 'up 1 10\nrequests_total{code="500"} 3 10\nrequests_total{code="200"} 9 10\nup{} nonsense\n'
    assert columns(history(tmp_path, text, wanted="500")) == {"requests_total {'code': '500'}": [(10_000, 3.0)]}


def test_series_whose_lines_lie_apart_and_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    text = (
        'requests_total{code="200"} 3 30\nrequests_total{code="500"} 1 10\nrequests_total{code="200"} 1 10\n'
        'requests_total{code="500"} 2 20\nrequests_total{code="200"} 2 20\n'
    )
    assert columns(history(tmp_path, text)) == {
        "requests_total {'code': '200'}": [(10_000, 1.0), (20_000, 2.0), (30_000, 3.0)],
        "requests_total {'code': '500'}": [(10_000, 1.0), (20_000, 2.0)],
    }


def test_a_sample_that_stands_twice_counts_once(tmp_path: Path) -> None:
    assert only(history(tmp_path, "requests_total 1 10\nrequests_total 1 10\n")) == [(10_000, 1.0)]


def test_two_values_at_one_instant_are_refused_with_both_lines(tmp_path: Path) -> None:
    said = problem(tmp_path, 'requests_total{a="b"} 1 10\nrequests_total{a="b"} 1 20\nrequests_total{a="b"} 2 10\n')
    assert said.startswith("history.om:1, ")
    assert 'history.om:3: requests_total{a="b"} has two values at 1970-01-01T00:00:10.000Z' in said


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1", "1e300"])
def test_what_is_no_count_is_left_out_and_named(tmp_path: Path, value: str) -> None:
    found = history(tmp_path, f"requests_total 1 10\nrequests_total {value} 20\nrequests_total 3 30\n")
    assert only(found) == [(10_000, 1.0), (30_000, 3.0)]
    (notice,) = found.notices
    assert notice.startswith("1 sample is no count, and left out: ")
    assert f"history.om:2 'requests_total {value} 20'" in notice


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("requests_total 1 10\nrequests_total 5\n", "history.om:2: 'requests_total 5' is no sample of a history"),
        ("requests_total 1 10\nrequests_total\n", "history.om:2: 'requests_total' is no sample"),
        ("requests_total x 10\n", "history.om:1: 'requests_total x 10' has no number for a value"),
        ("requests_total 1_0 10\n", "history.om:1: 'requests_total 1_0 10' has no number for a value"),
        ("requests_total 1 1-0\n", "history.om:1: 'requests_total 1 1-0' has no number for a timestamp"),
        ("requests_total 1 1700000000000\n", "timestamps are seconds since 1970, not milliseconds"),
        ("requests_total 1 -5\n", "history.om:1: 'requests_total 1 -5' is from no time that can be"),
        ('requests_total{a="b} 1 10\n', "history.om:1"),
        ('requests_total{a="b",a="c"} 1 10\n', "history.om:1: the label 'a' is given twice"),
        ("\nrequests_total 1 10\n# EOF\nrequests_total 2 20\n", "history.om:4: text stands after # EOF"),
    ],
)
def test_what_breaks_the_format_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert said in problem(tmp_path, text)


def test_a_file_without_an_end_was_cut_off(tmp_path: Path) -> None:
    assert "history.om:3: the file ends without # EOF" in problem(
        tmp_path, "requests_total 1 10\nrequests_total 2 20\n", ""
    )


def test_a_packed_file_is_the_same_history(tmp_path: Path) -> None:
    packed = tmp_path / "history.om.gz"
    packed.write_bytes(gzip.compress(b"requests_total 1 10\nrequests_total 2 20\n# EOF\n"))
    assert only(read_history((packed,), NAMES, lambda series: True)) == [(10_000, 1.0), (20_000, 2.0)]


def test_a_packed_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "history.om.gz"
    packed.write_bytes(gzip.compress(b"requests_total 1 10\nrequests_total 2 20\n# EOF\n")[:-12])
    with pytest.raises(HistoryInvalid, match="cannot be unpacked"):
        read_history((packed,), NAMES, lambda series: True)


def test_blocks_cut_lines_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_lines, "BLOCK", 37)
    lines = [f'requests_total{{code="{at % 3}"}} {at} {10 + at}.5\n' for at in range(200)]
    told: list[int] = []
    file = tmp_path / "history.om"
    file.write_text("".join(lines) + "# EOF\n", encoding="utf-8")
    found = read_history((file,), NAMES, lambda series: True, told.append)
    assert columns(found) == {
        f"requests_total {{'code': '{code}'}}": [(10_500 + at * 1000, float(at)) for at in range(code, 200, 3)]
        for code in range(3)
    }
    assert sum(told) == file.stat().st_size


def test_series_of_one_scrape_share_their_instants(tmp_path: Path) -> None:
    text = "".join(f'requests_total{{code="{code}"}} {at} {at}\n' for code in (200, 500) for at in range(5))
    one, other = history(tmp_path, text).targets[0].tracks
    assert one.at is other.at


def test_targets_are_told_apart_by_job_and_instance(tmp_path: Path) -> None:
    text = (
        'requests_total{job="chat",instance="b:1"} 1 10\nrequests_total{job="chat",instance="a:1"} 1 10\n'
        "requests_total 1 10\n"
    )
    assert [target.name for target in history(tmp_path, text).targets] == ["", "chat a:1", "chat b:1"]


def test_several_files_are_one_history(tmp_path: Path) -> None:
    for name, at in (("a.om", 20), ("b.om", 10)):
        (tmp_path / name).write_text(f"requests_total {at} {at}\n# EOF\n", encoding="utf-8")
    paths = (tmp_path / "a.om", tmp_path / "b.om")
    assert only(read_history(paths, NAMES, lambda series: True)) == [(10_000, 10.0), (20_000, 20.0)]
