"""Which questions follow from the files."""

from fractions import Fraction

from figwatch_agent.model.names import DataPlan, Stage
from figwatch_agent.model.plan import GatewayReading, HttpCall, LegacyFitness, RollbackPlan, Verification
from figwatch_agent.model.slo import Availability, Probe, Route, ServiceSlos, Slo, Uptime
from figwatch_agent.sources.questions import ProbeQuestion, ReadingQuestion, questions

PROBE = Probe(http="http://127.0.0.1:1/healthz", interval=5_000, timeout=2_000)


def get(path: str) -> HttpCall:
    return HttpCall(method="GET", url=f"http://127.0.0.1:1/{path}")


def plan(name: str) -> RollbackPlan:
    return RollbackPlan(
        name=name,
        data=DataPlan.STATELESS,
        legacy=LegacyFitness(probe=get("legacy")),
        gateway=GatewayReading(read=get("gateway"), fields=("to",)),
        steps=(),
        verify=Verification(slo="chat-availability", within=60_000),
        preconditions=(get("disk"),),
    )


CHAT = ServiceSlos(
    path="slo/chat.yaml",
    migration="ai-assistant",
    service="chat",
    window=86_400_000,
    routes=(Route(template="/chat", stage=Stage.CANARY, rollback="back"), Route(template="/x", stage=Stage.CANARY)),
    slos=(
        Slo(name="chat-availability", sli=Availability(), objective=Fraction(999, 1000), tiers=()),
        Slo(name="chat-uptime", sli=Uptime(probe=PROBE), objective=Fraction(999, 1000), tiers=()),
    ),
)


def test_every_uptime_slo_is_probed_and_no_other() -> None:
    assert questions([CHAT], []) == (ProbeQuestion(slo="chat-uptime", probe=PROBE),)


def test_a_plan_is_read_in_all_its_parts_while_a_route_names_it() -> None:
    readings = [one for one in questions([CHAT], [plan("back"), plan("unused")]) if isinstance(one, ReadingQuestion)]

    assert [(one.name, one.call.url, one.fields) for one in readings] == [
        ("back/legacy", "http://127.0.0.1:1/legacy", None),
        ("back/gateway", "http://127.0.0.1:1/gateway", ("to",)),
        ("back/precondition-0", "http://127.0.0.1:1/disk", None),
    ]
    assert {one.interval for one in readings} == {2_000}


def test_the_pace_of_readings_can_be_chosen() -> None:
    readings = [one for one in questions([CHAT], [plan("back")], 500) if isinstance(one, ReadingQuestion)]

    assert {(one.interval, one.timeout) for one in readings} == {(500, 500)}
