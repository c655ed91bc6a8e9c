"""The actions that plans can use, by the kind of call."""

from collections.abc import Mapping

import aiohttp

from figwatch_agent.durations import Duration
from figwatch_agent.model.journal import ActionResult, ActionResultKind
from figwatch_agent.model.plan import Call, ExecCall, HttpCall
from figwatch_agent.model.secret import ReadSecret
from figwatch_agent.ports import Action
from figwatch_agent.rollback.exec import ExecAction, exit_of_probe
from figwatch_agent.rollback.http import HttpAction, status_of_probe


class Dispatch:
    """ports.Action that hands each call to the action of its kind."""

    def __init__(self, actions: Mapping[type, Action]) -> None:
        self._actions = actions

    async def run(self, call: Call, *, key: str, deadline: Duration) -> ActionResult:
        """What the action of this kind of call gave."""
        return await self._actions[type(call)].run(call, key=key, deadline=deadline)


def steps(session: aiohttp.ClientSession, read_secret: ReadSecret, inherited: Mapping[str, str]) -> Dispatch:
    """For steps and compensations: what was never sent has certainly failed."""
    return Dispatch({HttpCall: HttpAction(session, read_secret), ExecCall: ExecAction(read_secret, inherited)})


def probes(session: aiohttp.ClientSession, read_secret: ReadSecret, inherited: Mapping[str, str]) -> Dispatch:
    """For probes of steps: DONE says that the step was done, FAILED that it certainly was not, UNKNOWN nothing."""
    unknown = ActionResultKind.UNKNOWN
    return Dispatch(
        {
            HttpCall: HttpAction(session, read_secret, judge=status_of_probe, unreached=unknown),
            ExecCall: ExecAction(read_secret, inherited, judge=exit_of_probe, unreached=unknown),
        }
    )
