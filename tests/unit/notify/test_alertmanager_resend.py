"""What is open stays open at an Alertmanager, whoever is restarted; what is over ends there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.names import Severity
from figwatch_agent.model.page import PageKind
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import Alertmanager, ClientTls
from figwatch_agent.notify.alertmanager_notifier import AlertmanagerNotifier
from support.alertmanager_model import ModelAlertmanager
from support.alertmanager_story import ONE, TWO, Agent, named, page
from support.messages import stories
from support.model_values import NOON
from support.notify import reading

TRIGGER, UPDATE, RESOLVE = PageKind.TRIGGER, PageKind.UPDATE, PageKind.RESOLVE


def held(agent: Agent, url: str = ONE) -> list[str]:
    """What is open there."""
    return named(list(agent.ends[url].active()))


async def test_an_open_page_stays_open_for_hours_and_is_one_alert() -> None:
    agent = Agent()
    await agent.tell(page(1, TRIGGER, NOON))
    for _ in range(3):
        await agent.pass_time(HOUR)
        assert held(agent) == ["incident-1/page"]
    (alert,) = agent.ends[ONE].held.values()
    assert alert.starts_at == NOON + 1
    assert len(agent.ends[ONE].posted) == 1 + 3 * 60


async def test_after_the_agent_is_gone_for_good_it_ends_by_itself() -> None:
    agent = Agent()
    await agent.tell(page(1, TRIGGER, NOON))
    await agent.work()
    agent.clock.advance(4 * MINUTE - 1)
    assert held(agent) == ["incident-1/page"]
    agent.clock.advance(1)
    assert held(agent) == []


async def test_a_restarted_agent_says_at_once_what_was_open_as_the_same_alert() -> None:
    agent = Agent()
    await agent.tell(page(1, TRIGGER, NOON), page(1, UPDATE, NOON + SECOND), page(2, TRIGGER, NOON))
    await agent.work()
    before = dict(agent.ends[ONE].active())
    agent.clock.advance(HOUR)
    assert held(agent) == []
    agent.begin()
    await agent.work()
    after = agent.ends[ONE].active()
    assert {labels: one.starts_at for labels, one in after.items()} == {
        labels: one.starts_at for labels, one in before.items()
    }
    summaries = {one.annotations["summary"] for one in after.values()}
    assert summaries == {f"/api/v1/1: update at {NOON + SECOND}", f"/api/v1/2: trigger at {NOON}"}


async def test_a_restarted_alertmanager_has_it_again_within_one_resend() -> None:
    agent = Agent()
    await agent.tell(page(1, TRIGGER, NOON))
    await agent.work()
    agent.ends[ONE].held.clear()
    await agent.pass_time(MINUTE)
    assert held(agent) == ["incident-1/page"]


async def test_an_end_is_said_for_a_quarter_of_an_hour_and_then_no_more() -> None:
    agent = Agent()
    await agent.tell(page(1, TRIGGER, NOON))
    await agent.work()
    await agent.tell(page(1, RESOLVE, NOON + SECOND))
    await agent.pass_time(2 * HOUR)
    ends = [post[0]["endsAt"] for post in agent.ends[ONE].posted[1:]]
    assert len(ends) == 15
    assert set(ends) == {"2026-11-22T12:00:01.000Z"}
    assert held(agent) == []


async def test_a_page_that_was_resolved_while_the_agent_was_dead_is_resolved() -> None:
    agent = Agent()
    await agent.tell(page(1, TRIGGER, NOON))
    await agent.work()
    agent.begin()
    await agent.tell(page(1, RESOLVE, NOON + SECOND))  # the loop takes the wish before anything is delivered
    await agent.resender.turn()
    assert len(agent.ends[ONE].posted) == 1, "nobody says that it is open while its end waits"
    agent.clock.advance(SECOND)
    await agent.work()
    assert held(agent) == []
    agent.begin()
    await agent.pass_time(DAY)
    assert held(agent) == []


async def test_while_an_end_is_tried_again_nobody_says_that_it_is_open() -> None:
    agent = Agent()
    await agent.tell(page(1, TRIGGER, NOON))
    await agent.work()
    await agent.tell(page(1, RESOLVE, NOON + SECOND))
    agent.wire.faults.append("503")
    await agent.work()
    agent.clock.advance(MINUTE)
    await agent.resender.turn()
    assert len(agent.ends[ONE].posted) == 1
    await agent.work()
    assert held(agent) == []


async def test_an_end_that_is_refused_and_told_elsewhere_leaves_nothing_that_is_said_for_ever() -> None:
    agent = Agent()
    await agent.tell(page(1, TRIGGER, NOON))
    await agent.work()
    await agent.tell(page(1, RESOLVE, NOON + SECOND))
    agent.wire.faults.append("400")
    await agent.work()
    assert next(each.state for each in await agent.store.deliveries()) is DeliveryState.DEAD
    agent.begin()
    await agent.pass_time(HOUR)
    assert held(agent) == []
    assert len(agent.ends[ONE].posted) == 1


async def test_a_page_whose_end_was_committed_before_it_could_be_sent_wakes_nobody() -> None:
    agent = Agent()
    await agent.tell(page(1, TRIGGER, NOON), page(1, RESOLVE, NOON + SECOND))
    await agent.work()
    agent.clock.advance(2 * SECOND)
    assert held(agent) == ["incident-1/info"]
    await agent.pass_time(HOUR)
    assert held(agent) == []


async def test_an_update_that_is_over_by_now_says_nothing_but_the_end() -> None:
    agent = Agent()
    await agent.tell(page(1, TRIGGER, NOON))
    await agent.work()
    agent.clock.advance(2 * SECOND)
    await agent.tell(page(1, UPDATE, NOON + SECOND), page(1, RESOLVE, NOON + SECOND))
    await agent.work()
    assert len(agent.ends[ONE].posted) == 2
    assert held(agent) == []


async def test_what_asks_ends_when_it_was_answered_and_the_page_goes_on() -> None:
    agent = Agent()
    await agent.tell(page(1, TRIGGER, NOON))
    await agent.work()
    await agent.tell(page(1, UPDATE, NOON, asks=True))
    await agent.pass_time(MINUTE)
    assert held(agent) == ["incident-1/page", "incident-1?/page"]
    agent.begin()
    await agent.pass_time(HOUR)
    assert held(agent) == ["incident-1/page", "incident-1?/page"]
    await agent.tell(page(1, UPDATE, agent.clock.now()))
    await agent.pass_time(1)
    assert held(agent) == ["incident-1/page"]


async def test_all_of_a_pair_are_told_and_one_is_enough() -> None:
    agent = Agent(urls=(ONE, TWO))
    del agent.wire.ends[ONE]
    await agent.tell(page(1, TRIGGER, NOON))
    await agent.work()
    assert [each.state for each in await agent.store.deliveries()] == [DeliveryState.ACCEPTED]
    assert (held(agent, ONE), held(agent, TWO)) == ([], ["incident-1/page"])
    agent.wire.ends[ONE] = agent.ends[ONE]
    await agent.pass_time(MINUTE)
    assert (held(agent, ONE), held(agent, TWO)) == (["incident-1/page"], ["incident-1/page"])


async def test_a_member_that_was_away_when_it_ended_hears_of_the_end() -> None:
    agent = Agent(urls=(ONE, TWO))
    await agent.tell(page(1, TRIGGER, NOON))
    await agent.work()
    del agent.wire.ends[TWO]
    await agent.tell(page(1, RESOLVE, NOON))
    await agent.pass_time(SECOND)
    assert (held(agent, ONE), held(agent, TWO)) == ([], ["incident-1/page"])
    agent.wire.ends[TWO] = agent.ends[TWO]
    await agent.pass_time(MINUTE)
    assert held(agent, TWO) == []


@pytest.mark.parametrize(
    ("faults", "kind", "reason"),
    [
        (["lost", "lost"], "unconfirmed", "no_answer"),
        (["unheard", "400"], "unconfirmed", "connection_lost"),
        (["400", "503"], "retry", "server_error"),
        (["400", "401"], "refused", "rejected"),
        (["400", ""], "accepted", ""),
    ],
)
async def test_of_several_answers_the_most_hopeful_counts(faults: list[str], kind: str, reason: str) -> None:
    agent = Agent(urls=(ONE, TWO))
    agent.wire.faults.extend(faults)
    result = await agent.notifier.deliver(stories()["page"].delivery)
    assert (result.kind, result.reason) == (kind, reason)


async def test_each_member_is_reported_for_itself() -> None:
    agent = Agent(urls=(ONE, TWO))
    told: list[tuple[str, str]] = []
    settings = Alertmanager(urls=(ONE, TWO))
    notifier = AlertmanagerNotifier(
        settings,
        agent.wire.session,
        reading(""),
        agent.clock,
        lambda member, result: told.append((member, result.kind)),
    )
    agent.wire.faults.extend(["503", ""])
    await notifier.deliver(stories()["page"].delivery)
    assert told == [("1", "retry"), ("2", "accepted")]


async def test_many_alerts_go_in_several_requests() -> None:
    agent = Agent()
    await agent.tell(*(page(number, TRIGGER, NOON) for number in range(66)))
    await agent.work()
    agent.ends[ONE].held.clear()
    agent.ends[ONE].posted.clear()
    await agent.pass_time(MINUTE)
    assert [len(post) for post in agent.ends[ONE].posted] == [64, 2]
    assert len(agent.ends[ONE].active()) == 66


async def test_a_request_that_is_not_taken_ends_the_round() -> None:
    agent = Agent()
    await agent.tell(*(page(number, TRIGGER, NOON) for number in range(65)))
    await agent.work()
    agent.ends[ONE].posted.clear()
    agent.wire.faults.append("503")
    agent.clock.advance(MINUTE)
    await agent.resender.turn()
    assert agent.ends[ONE].posted == []
    agent.clock.advance(MINUTE)
    await agent.resender.turn()
    assert [len(post) for post in agent.ends[ONE].posted] == [64, 1]


async def test_ticket_and_page_of_one_incident_are_kept_apart() -> None:
    agent = Agent()
    first = page(1, TRIGGER, NOON)
    ticket = replace(first, severity=Severity.TICKET, group=f"{first.group}/ticket")
    await agent.tell(ticket, first)
    await agent.pass_time(HOUR)
    assert held(agent) == ["incident-1/page", "incident-1/ticket/ticket"]
    over = page(1, RESOLVE, agent.clock.now())
    await agent.tell(replace(over, severity=Severity.TICKET, group=ticket.group), over)
    await agent.pass_time(SECOND)
    assert held(agent) == []


@pytest.mark.parametrize(
    ("more", "header"),
    [
        ({"user": "ann", "password": Secret(env="P")}, "Basic YW5uOnMzY3JldA=="),
        ({"bearer": Secret(env="P")}, "Bearer s3cret"),
        ({"headers": (("Authorization", Secret(env="P", prefix="")),)}, "s3cret"),
    ],
)
async def test_credentials_are_read_when_they_are_sent_and_shown_nowhere(more: dict[str, object], header: str) -> None:
    agent = Agent()
    settings = Alertmanager(urls=(ONE,), **more)  # type: ignore[arg-type]  # names of the class's own members
    notifier = AlertmanagerNotifier(settings, agent.wire.session, reading("s3cret"), agent.clock)
    await notifier.deliver(stories()["page"].delivery)
    assert agent.ends[ONE].headers[0]["Authorization"] == header
    agent.wire.faults.append("400")
    agent.wire.body = f"no {header} s3cret".encode()
    refused = await notifier.deliver(stories()["page"].delivery)
    assert "s3cret" not in refused.detail
    assert header.rpartition(" ")[2] not in refused.detail


async def test_certificates_that_are_not_there_are_a_wrong_setting() -> None:
    agent = Agent()
    settings = Alertmanager(urls=(ONE,), tls=ClientTls(ca="/nowhere/ca.pem"))
    notifier = AlertmanagerNotifier(settings, agent.wire.session, reading(""), agent.clock)
    result = await notifier.deliver(stories()["page"].delivery)
    assert (result.kind, result.reason) == ("refused", "misconfigured")
    assert "No such file" in result.detail


async def test_what_another_kind_of_receiver_left_behind_is_let_alone() -> None:
    agent = Agent()
    await agent.tell(page(1, TRIGGER, NOON))
    delivery = await agent.store.next_delivery("alertmanager", NOON)
    assert delivery is not None
    result = await agent.notifier.deliver(replace(delivery, message_id="C0123/1.5"))
    assert result.kind == "accepted"
    assert held(agent) == ["incident-1/page"]


def test_the_model_ends_what_an_alertmanager_would_end() -> None:
    """What the tests above lean on, said without the agent."""
    agent = Agent()
    model: ModelAlertmanager = agent.ends[ONE]
    alert = {
        "labels": {"alertname": "x"},
        "annotations": {},
        "startsAt": "2026-11-22T11:00:00Z",
        "endsAt": "2026-11-22T12:04:00Z",
    }
    assert model.take([alert]) == 200
    assert model.take([{**alert, "endsAt": "2026-11-22T12:01:00Z"}]) == 200
    agent.clock.advance(2 * MINUTE)
    assert len(model.active()) == 1, "an end that lies ahead is no news while a later one is known"
    assert model.take([{**alert, "endsAt": "2026-11-22T12:01:00Z"}]) == 200
    assert len(model.active()) == 0
    assert model.take([{**alert, "endsAt": "2026-11-22T10:00:00Z"}]) == 400
