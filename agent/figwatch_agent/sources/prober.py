"""Asks probes and readings over HTTP, each on its own schedule; what was answered waits to be drained."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import aiohttp

from figwatch_agent.clock import Clock
from figwatch_agent.durations import SECOND, Duration, Instant, format_duration
from figwatch_agent.model.batch import ProbeResult, Reading
from figwatch_agent.model.plan import HttpCall
from figwatch_agent.model.secret import ReadSecret
from figwatch_agent.sources.asking import ask, is_success, open_session
from figwatch_agent.sources.fault import Fault, FaultReason, fault_of, is_our_own
from figwatch_agent.sources.questions import ProbeQuestion, Question, ReadingQuestion
from figwatch_agent.sources.reading_value import reading_value

STALL: Final = SECOND // 2
"""A timeout noticed this much too late was noticed by a process that stood still: it says nothing of the other side."""


class OurFault(Exception):
    """The question could not be asked, or its answer not be judged, because of this process or machine."""


class HttpProber:
    """2xx within the timeout is up, another answer or none is down; what we ourselves could not ask gives nothing."""

    def __init__(
        self,
        questions: Iterable[Question],
        clock: Clock,
        read_secret: ReadSecret,
        session: Callable[[], aiohttp.ClientSession] = open_session,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``read_secret`` reads the value of a secret header; ``sleep`` takes seconds and may wake early."""
        self._questions = tuple(questions)
        self._clock = clock
        self._read_secret = read_secret
        self._open = session
        self._sleep = sleep
        self._probes: list[ProbeResult] = []
        self._readings: list[Reading] = []

    async def run(self) -> None:
        """Ask every question at once, then each at its interval, until cancelled."""
        async with self._open() as session, asyncio.TaskGroup() as group:
            for question in self._questions:
                group.create_task(self._keep_asking(session, question))
            await asyncio.Event().wait()  # with nothing to ask it runs as well: a part that ends stops the agent

    def drain(self) -> tuple[tuple[ProbeResult, ...], tuple[Reading, ...]]:
        """Everything answered since the last call, oldest first."""
        probes, readings = tuple(self._probes), tuple(self._readings)
        self._probes.clear()
        self._readings.clear()
        return probes, readings

    async def _keep_asking(self, session: aiohttp.ClientSession, question: Question) -> None:
        interval = question.probe.interval if isinstance(question, ProbeQuestion) else question.interval
        due = self._clock.now()
        while True:
            if isinstance(question, ProbeQuestion):
                await self._probe(session, question)
            else:
                await self._read(session, question)
            due = next_due(due, interval, self._clock.now())
            while (wait := due - self._clock.now()) > 0:
                await self._sleep(wait / SECOND)

    async def _probe(self, session: aiohttp.ClientSession, question: ProbeQuestion) -> None:
        call = HttpCall(method="GET", url=question.probe.http)
        asked = self._clock.now()
        try:
            status, _ = await self._ask(session, call, question.probe.timeout, whole=False)
        except OurFault:
            return
        except Fault as fault:
            self._probes.append(ProbeResult(slo=question.slo, at=self._clock.now(), up=False, detail=fault.detail))
            return
        at = self._clock.now()
        detail = f"{status} in {at - asked} ms"
        self._probes.append(ProbeResult(slo=question.slo, at=at, up=is_success(status), detail=detail))

    async def _read(self, session: aiohttp.ClientSession, question: ReadingQuestion) -> None:
        asked = self._clock.now()
        try:
            whole = question.fields is not None
            status, body = await self._ask(session, question.call, question.timeout, whole=whole)
        except OurFault:
            return
        except Fault as fault:
            self._readings.append(_no_reading(question, self._clock.now(), fault.detail))
            return
        self._readings.append(_reading(question, asked, self._clock.now(), status, body))

    async def _ask(
        self, session: aiohttp.ClientSession, call: HttpCall, within: Duration, *, whole: bool
    ) -> tuple[int, bytes]:
        """Status, and the body where the ``whole`` answer is wanted. Raises Fault or OurFault."""
        asked = self._clock.now()
        try:
            async with asyncio.timeout(within / SECOND):
                return await ask(session, call, self._read_secret, within, whole=whole)
        except TimeoutError:
            if self._clock.now() - asked > within + STALL:
                raise OurFault from None
            raise Fault(FaultReason.TIMEOUT, f"no answer within {format_duration(within)}") from None
        except Exception as error:
            if is_our_own(error):
                raise OurFault from error
            raise fault_of(error) from error


def next_due(due: Instant, interval: Duration, now: Instant) -> Instant:
    """When to ask next: on the beat that began at ``due``, without making up for beats that were missed."""
    if now < due + interval:
        return due + interval
    return now + interval - (now - due) % interval


def _reading(question: ReadingQuestion, asked: Instant, at: Instant, status: int, body: bytes) -> Reading:
    if not is_success(status):
        return _no_reading(question, at, f"answered {status}")
    try:
        value = "" if question.fields is None else reading_value(body, question.fields)
    except ValueError as error:
        return _no_reading(question, at, str(error))
    return Reading(name=question.name, at=at, ok=True, detail=f"{status} in {at - asked} ms", value=value)


def _no_reading(question: ReadingQuestion, at: Instant, detail: str) -> Reading:
    return Reading(name=question.name, at=at, ok=False, detail=detail)
