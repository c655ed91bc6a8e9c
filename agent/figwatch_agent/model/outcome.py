"""What one tick decided; the store takes it in one transaction or not at all."""

from dataclasses import dataclass
from enum import StrEnum

from figwatch_agent.durations import Instant
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.event import Event
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.intent import RollbackIntent
from figwatch_agent.model.page import OutboxRow


class TransitionKind(StrEnum):
    """Everything that is remembered as having happened."""

    ALERT_FIRED = "alert_fired"
    ALERT_RESOLVED = "alert_resolved"
    INCIDENT_OPENED = "incident_opened"
    INCIDENT_PAGED = "incident_paged"
    INCIDENT_ACKNOWLEDGED = "incident_acknowledged"
    INCIDENT_MITIGATED = "incident_mitigated"
    INCIDENT_RESOLVED = "incident_resolved"
    DECIDED = "decided"
    ROLLBACK_STATE = "rollback_state"
    ROLLBACK_VERIFIED = "rollback_verified"
    SILENCED = "silenced"
    REARMED = "re-armed"
    COMMAND_REFUSED = "command_refused"
    EVENT_RECORDED = "event_recorded"
    EXCLUDED = "excluded"  # somebody declared or ended an exclusion
    BASELINE_RECORDED = "baseline_recorded"
    FINDING = "finding"  # something odd about the data
    CLOCK_STEPPED = "clock_stepped"
    RESTARTED = "restarted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A stored fact."""

    at: Instant
    kind: TransitionKind
    subject: str  # alert, incident, route or scrape target
    text: str  # one sentence for people
    data: tuple[tuple[str, str], ...] = ()
    actor: str = ""  # who, where a person wished it


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """Budget spent: absolute counts of one cell so far. The cells sum to the whole, exactly."""

    interval: Instant  # start of the cell's interval
    slo: str
    route: str
    side: str
    incident: str  # "" where none was open
    bad: int
    total: int
    exclusion: str = ""  # id of the exclusion that sets them aside; "" where they are spent


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAside:
    """Events of earlier intervals that an exclusion sets aside after the fact, whichever side and incident they had."""

    start: Instant  # of the first interval
    end: Instant  # where the last one ends
    slo: str
    route: str
    exclusion: str
    bad: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RingRow:
    """One boundary of one ring level, as bytes; replaces what stood in its slot."""

    ring: str
    level: int
    slot: int
    boundary: Instant
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One tick's decisions and the state they leave behind."""

    sequence: int  # counts ticks of this state; committing one twice is committing it once
    at: Instant
    transitions: tuple[Transition, ...] = ()
    outbox: tuple[OutboxRow, ...] = ()
    intents: tuple[RollbackIntent, ...] = ()
    incidents: tuple[Incident, ...] = ()  # those that changed, whole
    ledger: tuple[LedgerEntry, ...] = ()
    ledger_late: tuple[LedgerEntry, ...] = ()  # increments of cells of earlier intervals, told late
    ledger_aside: tuple[LedgerAside, ...] = ()  # after those: spent events of earlier intervals that are set aside
    ring_rows: tuple[RingRow, ...] = ()
    sections: tuple[tuple[str, bytes], ...] = ()  # named parts of the engine's state that changed
    commands: tuple[str, ...] = ()  # ids consumed
    effects: tuple[str, ...] = ()  # ids consumed
    events: tuple[Event, ...] = ()  # newly told
    baselines: tuple[RecordedBaseline, ...] = ()  # recorded, each in the place of any before it


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a store hands back at start."""

    sequence: int  # of the last committed Outcome; 0 for a new state
    at: Instant | None
    sections: tuple[tuple[str, bytes], ...] = ()
    ring_rows: tuple[RingRow, ...] = ()
    ledger: tuple[LedgerEntry, ...] = ()  # cells of the current interval, to go on counting
    incidents: tuple[Incident, ...] = ()  # open ones and the newest thousand closed
    events: tuple[Event, ...] = ()  # all that are kept, oldest first
    baselines: tuple[RecordedBaseline, ...] = ()  # by criterion
