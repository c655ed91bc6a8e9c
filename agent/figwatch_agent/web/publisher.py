"""Where the newest view stands, for whoever looks."""

from figwatch_agent.model.view import View


class Latest:
    """Keeps the newest view; views are frozen, so readers need no lock."""

    def __init__(self) -> None:
        self._view: View | None = None

    @property
    def latest(self) -> View | None:
        """The newest view; None before the first tick of this process."""
        return self._view

    def publish(self, view: View) -> None:
        """Called once a tick after the commit."""
        self._view = view
