"""A backtest for people: as text for a terminal, and as Markdown for a comment on a pull request."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from figwatch_agent.durations import format_instant, format_seconds
from figwatch_agent.model.backtested import Backtested, Judged, Page, Scored
from figwatch_agent.report.backtest import Difference, detection, difference
from figwatch_agent.report.replay import added, budget_remaining, error_ratio, reason, slo_names
from figwatch_agent.report.replay_text import percent, table

_BUDGETS = ("SLO", "under", "events", "bad", "error ratio", "budget left", "measured")
_PAGES = ("", "paged", "on", "by", "for", "rollback")
_SCORES = ("under", "pages", "tickets", "detected after (mean, worst)", "rollbacks", "pages right", "incidents paged")
_ROLLBACK_SCORES = ("rollbacks right", "right ones done")

Rows = list[tuple[str, ...]]


def backtest_text(backtested: Backtested) -> str:
    """For a terminal."""
    lines: list[str] = []
    for title, headings, rows, texts in _parts(backtested):
        lines += [title, "", *(f"  {text}" for text in texts)]
        lines += [f"  {line}" for line in table(headings, rows)] if rows else []
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def backtest_markdown(backtested: Backtested) -> str:
    """For a pull request. Names that users chose are written as they are, but for what Markdown would make of them."""
    lines: list[str] = ["## figwatch backtest", ""]
    for title, headings, rows, texts in _parts(backtested):
        lines += [f"### {title}", "", *(f"- {_escaped(text)}" for text in texts)]
        if rows:
            lines += [
                *([""] if texts else []),
                _row(headings),
                _row(["---"] * len(headings)),
                *(_row([_escaped(c) for c in row]) for row in rows),
            ]
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


Part = tuple[str, Sequence[str], Rows, list[str]]


def _parts(backtested: Backtested) -> Iterator[Part]:
    base, head = backtested.base, backtested.head
    found = None if head is None else difference(base, head)
    yield _verdict(base, head, found), _PAGES, _page_rows(base, found), _span(base)
    yield "Budget", _BUDGETS, _budget_rows([one for one in (base, head) if one is not None]), []
    scored = [one for one in (base, head, *backtested.sweep) if one is not None]
    headings: tuple[str, ...] = (*_SCORES, *_ROLLBACK_SCORES)
    if backtested.labels is None:
        headings = _SCORES[:5]
    if backtested.sweep or backtested.labels is not None:
        yield (
            "Thresholds" if backtested.sweep else "How right it was",
            headings,
            [_score_row(one)[: len(headings)] for one in scored],
            [],
        )
    notes = [
        *dict.fromkeys(text for one in scored for text in (*one.replayed.findings, *one.replayed.notices, *one.notices))
    ]
    if backtested.outside:
        notes.append(f"{_many(backtested.outside, 'incident')} of the list outside the history: not counted")
    if notes:
        yield "Notes", (), [], notes
    yield "Assumed", (), [], list(backtested.assumptions)


def _verdict(base: Judged, head: Judged | None, found: Difference | None) -> str:
    if head is None or found is None:
        return f"{_many(len(base.pages), 'page')} and {_many(base.tickets, 'ticket')} over the history"
    if not found.new and not found.lost:
        return f"No page differs, {len(found.same)} the same"
    return f"{_many(len(found.new), 'new page')}, {_many(len(found.lost), 'lost page')}, {len(found.same)} the same"


def _span(base: Judged) -> list[str]:
    start, end = base.replayed.start, base.replayed.end
    if start is None or end is None:
        return ["nothing of the history is counted"]
    return [f"{format_instant(start)} to {format_instant(end)}, {format_seconds(end - start)}"]


def _page_rows(base: Judged, found: Difference | None) -> Rows:
    if found is None:
        return [_page_row("", page) for page in base.pages]
    rows = [("new", page) for page in found.new] + [("lost", page) for page in found.lost]
    rows += [(_moved(one, other), other) for one, other in found.same]
    rows.sort(key=lambda row: (row[1].fired_at, row[1].route, row[0]))
    return [_page_row(word, page) for word, page in rows]


def _moved(base: Page, head: Page) -> str:
    moved = head.fired_at - base.fired_at
    return "same" if not moved else f"{format_seconds(abs(moved))} {'later' if moved > 0 else 'earlier'}"


def _page_row(word: str, page: Page) -> tuple[str, ...]:
    lasted = "not resolved" if page.resolved_at is None else format_seconds(page.resolved_at - page.fired_at)
    return word, format_instant(page.fired_at), page.route, ", ".join(page.fired), lasted, _back(page)


def _back(page: Page) -> str:
    if page.would_roll_back_at is None:
        return "no"
    after = page.would_roll_back_at - page.fired_at
    return f"after {format_seconds(after)}" if after > 0 else "at once"


def _budget_rows(under: Sequence[Judged]) -> Rows:
    rows: Rows = []
    for name in dict.fromkeys(name for one in under for name in slo_names(one.replayed)):
        for one in under:
            streams = [stream for stream in one.replayed.streams if stream.slo == name]
            if not streams:
                rows.append((name, one.name, "no such SLO", "", "", "", ""))
                continue
            whole, window = added(each.whole for each in streams), added(each.window for each in streams)
            why, left = reason(streams, whole, window), budget_remaining(window, streams[0].objective)
            ratio = percent(error_ratio(whole))
            remaining = percent(left) if why is None else why
            rows.append((name, one.name, str(whole.total), str(whole.bad), ratio, remaining, percent(whole.coverage)))
    return rows


def _score_row(one: Judged) -> tuple[str, ...]:
    mean, worst = detection(one.pages)
    took = "no page" if mean is None or worst is None else f"{format_seconds(round(mean))}, {format_seconds(worst)}"
    back = sum(page.would_roll_back_at is not None for page in one.pages)
    return (
        one.name if one.tried is None else f"{one.tried.key}={one.tried.value}",
        str(len(one.pages)),
        str(one.tickets),
        took,
        str(back),
        *_score_cells(one.by_pages),
        *_score_cells(one.by_rollbacks),
    )


def _score_cells(scored: Scored | None) -> tuple[str, str]:
    if scored is None:
        return "", ""
    more = f", {scored.unjudged} unjudged" if scored.unjudged else ""
    return (
        _share(scored.right, scored.happened, scored.precision) + more,
        _share(scored.found, scored.wanted, scored.recall),
    )


def _share(part: int, whole: int, ratio: Fraction | None) -> str:
    return f"none of {whole}" if ratio is None else f"{part} of {whole} ({percent(ratio)})"


def _many(many: int, noun: str) -> str:
    return f"{many} {noun}" if many == 1 else f"{many} {noun}s"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    for letter in "\\|`*_<>[]":
        text = text.replace(letter, "\\" + letter)
    return text
