"""The agent's own counters: names, labels, and no number that is none."""

from __future__ import annotations

import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from figwatch.contract import __version__
from figwatch_agent.telemetry import Telemetry


def samples(telemetry: Telemetry) -> dict[tuple[str, str], float]:
    """Value by name and labels, as a scraper reads them."""
    families = text_string_to_metric_families(telemetry.render().decode())
    return {
        (one.name, ",".join(f"{name}={value}" for name, value in sorted(one.labels.items()))): one.value
        for family in families
        for one in family.samples
    }


def test_every_name_begins_alike() -> None:
    telemetry = Telemetry()
    telemetry.scrape_failed("refused")
    telemetry.delivered("oncall", "accepted")
    assert all(name.startswith("figwatch_agent_") for name, _ in samples(telemetry))


def test_a_tick_is_counted_with_its_seconds() -> None:
    telemetry = Telemetry()
    telemetry.tick(0.004)
    telemetry.tick(3.0)
    telemetry.tick_failed()
    found = samples(telemetry)
    assert found["figwatch_agent_ticks_total", ""] == 2
    assert found["figwatch_agent_tick_failures_total", ""] == 1
    assert found["figwatch_agent_tick_seconds_bucket", "le=0.005"] == 1
    assert found["figwatch_agent_tick_seconds_sum", ""] == pytest.approx(3.004)


def test_the_store_is_healthy_again_after_a_commit() -> None:
    telemetry = Telemetry()
    telemetry.commit_failed()
    assert samples(telemetry)["figwatch_agent_store_healthy", ""] == 0
    telemetry.committed(1_790_000_000_500)
    found = samples(telemetry)
    assert found["figwatch_agent_store_healthy", ""] == 1
    assert found["figwatch_agent_last_commit_timestamp_seconds", ""] == 1_790_000_000.5
    assert found["figwatch_agent_commit_failures_total", ""] == 1


def test_deliveries_and_scrapes_carry_closed_words() -> None:
    telemetry = Telemetry()
    telemetry.delivered("oncall", "retry")
    telemetry.delivered("oncall", "accepted")
    telemetry.scrape_failed("timeout")
    telemetry.member_told("alertmanager", "2", "unconfirmed")
    found = samples(telemetry)
    assert found["figwatch_agent_deliveries_total", "receiver=oncall,result=retry"] == 1
    assert found["figwatch_agent_scrape_failures_total", "reason=timeout"] == 1
    told = "member=2,receiver=alertmanager,result=unconfirmed"
    assert found["figwatch_agent_alertmanager_requests_total", told] == 1


def test_gauges_follow_what_they_are_told() -> None:
    telemetry = Telemetry()
    telemetry.open_incidents(2, 1)
    telemetry.wall_step(-1500)
    telemetry.oldest_pending(12.5)
    found = samples(telemetry)
    assert found["figwatch_agent_open_incidents", "severity=page"] == 2
    assert found["figwatch_agent_open_incidents", "severity=ticket"] == 1
    assert found["figwatch_agent_wall_clock_step_seconds", ""] == -1.5
    assert found["figwatch_agent_oldest_pending_page_seconds", ""] == 12.5
    assert found["figwatch_agent_build_info", f"version={__version__}"] == 1


def test_no_value_is_ever_nan_or_infinite() -> None:
    telemetry = Telemetry()
    for odd in (math.nan, math.inf, -math.inf, -1.0):
        telemetry.tick(odd)
        telemetry.oldest_pending(odd)
    assert all(math.isfinite(value) for value in samples(telemetry).values())


def test_two_agents_in_one_process_do_not_mix() -> None:
    one, other = Telemetry(), Telemetry()
    one.tick(0.1)
    assert samples(other)["figwatch_agent_ticks_total", ""] == 0
