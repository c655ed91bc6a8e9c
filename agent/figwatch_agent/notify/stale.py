"""A page whose incident is over by the time it can be sent is told, but wakes nobody.

Only a resolve queued behind it proves that. A page that is merely late still stands for users who may be hit right now:
it goes out as what it is, and says how late it is (see ``message``).
"""

from collections.abc import Iterable
from dataclasses import replace

from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.page import PageKind


def is_over(delivery: Delivery, known: Iterable[Delivery]) -> bool:
    """Whether a resolve for the same incident and receiver waits behind this row."""
    if delivery.row.page.kind not in (PageKind.TRIGGER, PageKind.UPDATE):
        return False
    return any(
        each.row.page.kind is PageKind.RESOLVE
        and each.row.receiver == delivery.row.receiver
        and each.row.incident == delivery.row.incident
        and not each.state.final
        for each in known
    )


def as_information(delivery: Delivery) -> Delivery:
    """The same row, told as something that is over."""
    page = delivery.row.page
    told = replace(
        page,
        kind=PageKind.INFORMATION,
        headline=f"Over by now: {page.headline}",
        action="Nothing needs to be done at once: this was resolved before it could be delivered. "
        f"What figwatch said then: {page.action}",
    )
    return replace(delivery, row=replace(delivery.row, page=told))
