"""The schema of an explanation."""

from figwatch_agent.model.names import AlertName, Mode, Severity, Stage, Tri
from figwatch_agent.web.openapi_parts import (
    COUNT,
    COUNTS,
    DURATION,
    FLAG,
    INSTANT,
    NUMBER,
    SHARE,
    TEXT,
    VERSION,
    WHOLE,
    Schema,
    many,
    maybe,
    of,
    ref,
    said,
    word,
    words,
)

_CONDITIONS = many(of(name=TEXT, holds=words(Tri), evidence=TEXT))
_WINDOW = of(
    name=word(("long", "short")),
    seconds=DURATION,
    inside=said(COUNTS, "surely in the window"),
    edge=said(of(bad=WHOLE, total=WHOLE), "in the slot that its start cuts"),
    imputed=said(COUNT, "good events that time without measurement is taken to have had"),
    covered_seconds=DURATION,
    error_ratio_low=maybe(NUMBER),
    error_ratio_high=maybe(NUMBER),
    over=words(Tri),
    certified=FLAG,
    excluded=said(
        many(
            of(
                exclusion=TEXT,
                who=TEXT,
                why=TEXT,
                seconds=DURATION,
                inside=of(bad=WHOLE, total=WHOLE),
                edge=of(bad=WHOLE, total=WHOLE),
            )
        ),
        "left out of the other figures: with inside and edge they are all that was counted in the window",
    ),
)
_WATCH = of(
    key=TEXT,
    alert=words(AlertName),
    slo=TEXT,
    service=TEXT,
    route=TEXT,
    tier=TEXT,
    lane=word(("all", "service")),
    severity=words(Severity),
    objective=SHARE,
    factor=NUMBER,
    threshold=said(NUMBER, "error ratio above which it fires"),
    known=FLAG,
    firing=maybe(of(id=TEXT, fired_at=INSTANT, certified=FLAG)),
    because=_CONDITIONS,
    windows=many(_WINDOW),
    evidence=maybe(of(counts=COUNTS, p_value=SHARE, alpha=SHARE, needed=COUNT, enough=FLAG)),
    early=maybe(of(statistic=NUMBER, threshold=NUMBER, null=NUMBER, alternative=NUMBER)),
    recovery=maybe(
        of(
            last_bad=maybe(INSTANT),
            hold_seconds=DURATION,
            held=FLAG,
            since=COUNTS,
            needed=said(COUNT, "clean requests in a row that would end it"),
            rejected=FLAG,
        )
    ),
    ignored=said(WHOLE, "bad events before the last resolve: they cannot fire it"),
)
_PAST = of(
    at=INSTANT,
    alerts=many(of(id=TEXT, fired_at=INSTANT, bad=WHOLE, total=COUNT)),
    decisions=many(of(incident=TEXT, at=maybe(INSTANT), text=maybe(TEXT), conditions=_CONDITIONS)),
    counted=many(
        of(
            route=TEXT,
            side=word(("service", "legacy")),
            begins=INSTANT,
            ends=INSTANT,
            bad=maybe(WHOLE),
            total=maybe(WHOLE),
        )
    ),
    before=many(ref("Transition")),
    after=many(ref("Transition")),
    unknown=said(many(TEXT), "what cannot be told of that instant, and why"),
)


def explained(incident: Schema) -> Schema:
    """An explanation, with incidents as they are shown elsewhere."""
    return of(
        version=VERSION,
        at=INSTANT,
        subject=TEXT,
        kind=word(("route", "slo", "incident", "alert")),
        mode=words(Mode),
        routes=many(of(route=TEXT, service=TEXT, stage=words(Stage), plan=maybe(TEXT), latched=FLAG)),
        watches=said(many(_WATCH), "as the last tick decided them; none for an instant of the past"),
        incidents=many(incident),
        silences=many(of(subject=TEXT, until=INSTANT, actor=TEXT, why=TEXT)),
        exclusions=said(many(ref("Exclusion")), "that concern it; with an instant of the past those of that instant"),
        past=maybe(_PAST),
    )
