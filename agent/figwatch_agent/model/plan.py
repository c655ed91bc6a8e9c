"""How a route is sent back to legacy, and what must be known before and after."""

from dataclasses import dataclass

from figwatch_agent.durations import Duration
from figwatch_agent.model.names import DataPlan, Repeat
from figwatch_agent.model.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """One HTTP request. Done when the answer is 2xx."""

    method: str
    url: str
    json: str | None = None  # the body, canonical JSON
    headers: tuple[tuple[str, str | Secret], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecCall:
    """One process: an argument list, never a shell string. Done when it exits 0."""

    argv: tuple[str, ...]
    environment: tuple[tuple[str, str | Secret], ...] = ()  # nothing else is inherited but PATH and HOME
    stdin: str | None = None


Call = HttpCall | ExecCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a plan."""

    id: str
    repeat: Repeat
    call: Call
    deadline: Duration
    probe: Call | None = None  # asked after a lost outcome: 2xx or exit 0 means it was done
    compensation: Call | None = None  # undoes the step when a later one fails


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayReading:
    """How to read what the gateway does now, so that a newer human change is never overwritten."""

    read: HttpCall
    fields: tuple[str, ...]  # members of the JSON answer that count; dots go deeper; empty: the whole answer


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyFitness:
    """What is asked of legacy before traffic is sent there."""

    probe: HttpCall
    capacity_per_second: int | None = None  # requests a second that legacy can carry in all


@dataclass(frozen=True, slots=True, kw_only=True)
class LagReading:
    """How far legacy's data is behind, for plans that write to both sides."""

    read: HttpCall
    field: str  # member of the JSON answer that holds seconds; dots go deeper
    at_most: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What must be seen on the edge after the last step."""

    slo: str
    within: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackPlan:
    """A plan of figwatch.yaml. An intent carries a copy of it, and only that copy is executed."""

    name: str
    data: DataPlan
    legacy: LegacyFitness
    gateway: GatewayReading | None
    steps: tuple[Step, ...]
    verify: Verification
    lag: LagReading | None = None
    preconditions: tuple[HttpCall, ...] = ()  # each must answer 2xx
    data_loss: str = ""  # for people: what would be lost, such as "writes of the last 30 s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that is read regularly for the guard."""

    name: str  # of the Reading that answers it
    call: HttpCall
    fields: tuple[str, ...] = ()  # members of the JSON answer that make the reading's value
    valued: bool = False  # whether the reading has a value: the whole answer where no fields are named


def plan_questions(plan: RollbackPlan) -> tuple[Question, ...]:
    """Everything that is read regularly for the guard."""
    questions = [Question(name=f"{plan.name}/legacy", call=plan.legacy.probe)]
    if plan.gateway is not None:
        call, fields = plan.gateway.read, plan.gateway.fields
        questions.append(Question(name=f"{plan.name}/gateway", call=call, fields=fields, valued=True))
    if plan.lag is not None:
        questions.append(Question(name=f"{plan.name}/lag", call=plan.lag.read, fields=(plan.lag.field,), valued=True))
    questions += [
        Question(name=f"{plan.name}/precondition-{index}", call=call) for index, call in enumerate(plan.preconditions)
    ]
    return tuple(questions)
