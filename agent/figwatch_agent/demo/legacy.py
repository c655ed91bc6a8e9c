"""The monolith that is being replaced: it still serves every route."""

import figwatch
from figwatch_agent.demo import child
from figwatch_agent.demo.aiohttp_app import add_outage, application
from figwatch_agent.demo.work import Work


def _main() -> None:
    work = Work("legacy", routes_of=None)
    app = application(work, routes_of=None)
    figwatch.instrument(app, service="monolith", side="legacy")
    add_outage(app, work.switch)
    child.serve(app)


if __name__ == "__main__":
    _main()
