"""The knowledge service: an aiohttp application."""

import figwatch
from figwatch_agent.demo import child
from figwatch_agent.demo.aiohttp_app import add_outage, application
from figwatch_agent.demo.work import Work

SEARCHES = figwatch.counter("searches_total", "Searches answered.")


def _main() -> None:
    work = Work("knowledge", routes_of="knowledge")
    app = application(work, routes_of="knowledge", answered=SEARCHES.inc)
    figwatch.instrument(app, service="knowledge")
    add_outage(app, work.switch)
    child.serve(app)


if __name__ == "__main__":
    _main()
