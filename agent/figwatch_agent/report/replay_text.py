"""A replayed history for people: a table of the SLOs, and what fired when."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from figwatch_agent.durations import format_duration, format_instant, format_seconds
from figwatch_agent.model.replayed import Replayed, ReplayedAlert
from figwatch_agent.report.replay import added, alerts_of, budget_remaining, error_ratio, reason, slo_names

_HEADINGS = ("SLO", "events", "bad", "error ratio", "budget left", "measured", "alerts")


def replay_text(replayed: Replayed) -> str:
    """The whole of it; ratios are rounded here, and only here."""
    return "\n".join(_lines(replayed)) + "\n"


def _lines(replayed: Replayed) -> Iterator[str]:
    if replayed.start is not None and replayed.end is not None:
        span = format_seconds(replayed.end - replayed.start)
        yield (
            f"{format_instant(replayed.start)} to {format_instant(replayed.end)}, {span}, "
            f"a sample every {format_duration(replayed.step)}, {replayed.ticks} ticks"
        )
        yield ""
    yield from table(_HEADINGS, [_row(replayed, name) for name in slo_names(replayed)])
    yield ""
    if not replayed.alerts:
        yield "Nothing would have alerted."
    for one in replayed.alerts:
        yield alert_line(one)
    for title, texts in (("Findings", replayed.findings), ("Notices", replayed.notices)):
        if texts:
            yield ""
            yield f"{title}:"
            yield from (f"  {text}" for text in texts)


def _row(replayed: Replayed, name: str) -> tuple[str, ...]:
    streams = [stream for stream in replayed.streams if stream.slo == name]
    whole, window = added(one.whole for one in streams), added(one.window for one in streams)
    why = reason(streams, whole, window)
    return (
        name,
        str(whole.total),
        str(whole.bad),
        percent(error_ratio(whole)),
        percent(budget_remaining(window, streams[0].objective)) if why is None else why,
        percent(whole.coverage),
        str(len(alerts_of(replayed, name))),
    )


def alert_line(one: ReplayedAlert) -> str:
    """One alert: when, what, for how long."""
    alert = one.alert
    ended = (
        f"for {format_seconds(alert.resolved_at - alert.fired_at)}" if alert.resolved_at is not None else "unresolved"
    )
    where = f" on {alert.route}" if alert.route else ""
    lane = " (service side)" if alert.lane == "service" else ""
    sure = "" if alert.certified else ", not certified"
    return (
        f"{format_instant(alert.fired_at)}  {alert.severity.value:<6}  {alert.slo}{where}  tier {alert.tier}{lane}, "
        f"{ended}{sure}"
    )


def percent(value: Fraction | None) -> str:
    """For people: rounded, but never to all or none of what is not."""
    if value is None:
        return "unknown"
    shown = f"{float(value * 100):.3f}".rstrip("0").rstrip(".")
    if shown in ("0", "-0", "100") and value not in (0, 1):
        return {"0": "< 0.001", "-0": "> -0.001", "100": "< 100" if value < 1 else "> 100"}[shown] + " %"
    return f"{shown} %"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell."""
    widths = [max(len(row[place]) for row in (headings, *rows)) for place in range(len(headings))]
    for row in (headings, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
