"""A page in words that every receiver can carry. Plain text, cleaned, not yet escaped.

Written for somebody who was asleep a minute ago: what broke, for whom, how bad, what figwatch does about it,
and what to type next.
"""

from dataclasses import dataclass
from typing import Final, Literal

from figwatch_agent.durations import MINUTE, Duration, Instant, format_seconds
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.names import Severity
from figwatch_agent.model.page import Page, PageKind
from figwatch_agent.notify import facts, judgement, stages
from figwatch_agent.notify.words import one_line, point_in_time, safe_url

TITLE_LIMIT: Final = 1000
TEXT_LIMIT: Final = 600
LATE_AFTER: Final[Duration] = 15 * MINUTE
"""A page older than this says so: what it reports may have changed."""

LinkName = Literal["runbook", "incident", "status"]
Tag = Literal["Page", "Ticket", "Update", "Resolved", "Information"]

_TAGS: Final[dict[PageKind, Tag]] = {
    PageKind.UPDATE: "Update",
    PageKind.RESOLVE: "Resolved",
    PageKind.INFORMATION: "Information",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Texts under one label."""

    label: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with its label, short enough to stand beside another."""

    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a person may do next, and what is typed for it."""

    text: str
    command: str

    def __str__(self) -> str:
        return f"{self.text}: {self.command}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Something to follow; the URL is http or https and percent-encoded."""

    name: LinkName
    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is said, before any receiver's markup."""

    tag: Tag
    urgent: bool  # an update that nobody may miss
    title: str  # one line: route, symptom, size, what figwatch does
    notes: tuple[str, ...]  # about this delivery: late, repeated, at the fallback
    broke: tuple[str, ...]
    whom: tuple[str, ...]
    size: tuple[str, ...]
    does: str
    steps: tuple[Step, ...]
    why: tuple[str, ...]
    stages: tuple[str, ...]
    figures: tuple[Figure, ...]  # whom and size once more, in pieces
    links: tuple[Link, ...]
    origin: tuple[str, ...]  # which incident, of which migration, since when

    @property
    def subject(self) -> str:
        """Tag and title in one line."""
        return f"{self.tag}: {self.title}"

    @property
    def lines(self) -> tuple[Line, ...]:
        """Everything but the title, labelled; parts that say nothing are left out."""
        parts = (
            ("Note", self.notes),
            ("What broke", self.broke),
            ("For whom", self.whom),
            ("How bad", self.size),
            ("What figwatch does", (self.does,) if self.does else ()),
            ("What you can do", tuple(str(step) for step in self.steps)),
            ("Why", self.why),
            ("Stages", self.stages),
        )
        return tuple(Line(label=label, texts=texts) for label, texts in parts if texts)


def message_for(delivery: Delivery, now: Instant) -> Message:
    """The words for one attempt at ``now``."""
    page = delivery.row.page
    return Message(
        tag=_TAGS.get(page.kind) or _loudness(page),
        urgent=judgement.asks_for_a_person(page),
        title=one_line(page.headline, TITLE_LIMIT),
        notes=_clean(_notes(delivery, now)),
        broke=_clean(facts.what_broke(page)),
        whom=_clean(facts.for_whom(page)),
        size=_clean(facts.how_bad(page)),
        does=one_line(page.action, TEXT_LIMIT),
        steps=tuple(
            Step(text=text, command=one_line(command, TEXT_LIMIT)) for text, command in judgement.next_steps(page)
        ),
        why=_clean(judgement.conditions(page)),
        stages=_clean(stages.told(page)),
        figures=tuple(Figure(label=label, text=one_line(text, TEXT_LIMIT)) for label, text in facts.figures(page)),
        links=_links(page),
        origin=_clean(_origin(page)),
    )


def _clean(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(clean for text in texts if (clean := one_line(text, TEXT_LIMIT)))


def _loudness(page: Page) -> Tag:
    return "Page" if page.severity is Severity.PAGE else "Ticket"


def _notes(delivery: Delivery, now: Instant) -> tuple[str, ...]:
    notes: list[str] = []
    age = now - delivery.row.page.at
    if age > LATE_AFTER:
        notes.append(f"Late: this was written {format_seconds(age)} ago and could not be delivered before.")
    if delivery.ambiguous:
        notes.append("This may be a repetition: the reply to an earlier attempt was lost.")
    if delivery.original_receiver:
        notes.append(f"It comes here because {delivery.original_receiver} did not take it.")
    return tuple(notes)


def _links(page: Page) -> tuple[Link, ...]:
    wanted: tuple[tuple[LinkName, str, str | None], ...] = (
        ("runbook", "Runbook", page.runbook_url),
        ("incident", "Incident", page.status_url),
        ("status", "Status", page.overview_url),
    )
    return tuple(
        Link(name=name, text=text, url=url) for name, text, raw in wanted if (url := safe_url(raw)) is not None
    )


def _origin(page: Page) -> tuple[str, ...]:
    incident = page.incident
    if not incident.alerts:
        return (f"figwatch, {point_in_time(page.at)}",)
    parts = [f"incident {incident.id}"]
    if incident.service and incident.service != "figwatch":
        parts.append(f"service {incident.service}")
    if incident.migration:
        parts.append(f"migration {incident.migration}")
    return *parts, f"figwatch, {point_in_time(page.at)}"
