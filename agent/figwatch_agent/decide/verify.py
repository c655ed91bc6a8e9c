"""Did the rollback help? Judged on the edge view of the whole route, after the last step was done."""

from figwatch_agent.model.incident import RollbackVerdict


def verdict(*, rejects_burning: bool, enough: bool, deadline: bool) -> RollbackVerdict:
    """What the events since the rollback say.

    ``rejects_burning``: they contradict that the route still burns; ``enough``: had it stopped burning, there were
    events enough to show it; ``deadline``: the plan's time for verification is over.
    """
    if rejects_burning:
        return RollbackVerdict.HELPED
    if not deadline:
        return RollbackVerdict.PENDING
    return RollbackVerdict.INEFFECTIVE if enough else RollbackVerdict.UNVERIFIED
