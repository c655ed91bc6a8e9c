"""A page in words that every receiver can carry: a title, labelled lines, links. Plain text, cleaned, not yet escaped.

Written for somebody who was asleep a minute ago: what broke, for whom, how bad, what figwatch does about it,
and what to type next.
"""

from dataclasses import dataclass
from typing import Final

from figwatch_agent.durations import MINUTE, Duration, Instant, format_seconds
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.names import Severity
from figwatch_agent.model.page import Page, PageKind
from figwatch_agent.notify import facts, judgement, stages
from figwatch_agent.notify.words import one_line, safe_url

TITLE_LIMIT: Final = 1000
TEXT_LIMIT: Final = 600
LATE_AFTER: Final[Duration] = 15 * MINUTE
"""A page older than this says so: what it reports may have changed."""

_TAGS: Final = {
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
class Link:
    """Something to follow; the URL is http or https and percent-encoded."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is said, before any receiver's markup."""

    tag: str  # Page | Ticket | Update | Resolved | Information
    title: str  # one line: route, symptom, size, what figwatch does
    lines: tuple[Line, ...]
    links: tuple[Link, ...]

    @property
    def subject(self) -> str:
        """Tag and title in one line."""
        return f"{self.tag}: {self.title}"


def message_for(delivery: Delivery, now: Instant) -> Message:
    """The words for one attempt at ``now``."""
    page = delivery.row.page
    parts = (
        ("Note", _notes(delivery, now)),
        ("What broke", facts.what_broke(page)),
        ("For whom", facts.for_whom(page)),
        ("How bad", facts.how_bad(page)),
        ("What figwatch does", (page.action,)),
        ("What you can do", judgement.next_steps(page)),
        ("Why", judgement.conditions(page)),
        ("Stages", stages.told(page)),
    )
    return Message(
        tag=_TAGS.get(page.kind) or _loudness(page),
        title=one_line(page.headline, TITLE_LIMIT),
        lines=tuple(line for label, texts in parts if (line := _line(label, texts)).texts),
        links=_links(page),
    )


def _line(label: str, texts: tuple[str, ...]) -> Line:
    return Line(label=label, texts=tuple(clean for text in texts if (clean := one_line(text, TEXT_LIMIT))))


def _loudness(page: Page) -> str:
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
    wanted = (("Runbook", page.runbook_url), ("Status", page.status_url))
    return tuple(Link(text=text, url=url) for text, raw in wanted if (url := safe_url(raw)) is not None)
