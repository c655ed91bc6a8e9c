"""What can go wrong in the agent, as a tree; every message says what, where and what to do.

FigwatchError
├── FilesInvalid      the files checked have problems (exit 3); carries all of them
├── NotEnoughData     the question cannot be answered yet (exit 5)
├── AgentUnreachable  no agent answers at the address of figwatch.yaml
├── SecretUnreadable  a secret that figwatch.yaml names is not there, or is none
├── StoreError
│   ├── StoreLocked       another agent owns this state
│   ├── StoreTooNew       the state was written by a newer figwatch
│   └── StoreUnavailable  locked, full or gone; trying again may help
└── ReplayDiffers     a recorded Outcome and its replay are not the same bytes
"""


class FigwatchError(Exception):
    """An error that a person can act on."""


class FilesInvalid(FigwatchError):
    """The files have problems; see ``rendered`` for all of them with line and caret."""

    def __init__(self, rendered: str, count: int) -> None:
        super().__init__(rendered)
        self.rendered = rendered
        self.count = count


class NotEnoughData(FigwatchError):
    """There is not enough data to answer; let the agent run and ask again."""


class AgentUnreachable(FigwatchError):
    """No agent answers; start it with `figwatch run`, or check `web.listen` in figwatch.yaml."""


class SecretUnreadable(FigwatchError):
    """A secret that figwatch.yaml names cannot be read; set the variable or write the file."""


class StoreError(FigwatchError):
    """The state could not be read or written."""


class StoreLocked(StoreError):
    """Another agent already runs on this state; stop it, or give this one a state of its own."""


class StoreTooNew(StoreError):
    """The state was written by a newer figwatch; upgrade figwatch, or start with a new state file."""


class StoreUnavailable(StoreError):
    """The state cannot be written now (locked, disk full or gone); the agent keeps trying."""


class ReplayDiffers(FigwatchError):
    """The replayed Outcome differs from the recorded one."""
