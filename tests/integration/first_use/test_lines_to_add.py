"""The first five minutes: what ``figwatch init`` shows, done to the letter, gives a service that can be measured."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from figwatch_agent.demo.child import free_port
from support.parts import ROOT

WITHIN = 30.0
"""Seconds for a service to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An application as somebody has it before they know figwatch, and how they start it."""

    name: str
    file: str
    text: str
    start: tuple[str, ...]  # after the interpreter; {port} stands for the port
    template: str = "/hello/{name}"


SAMPLES = (
    Sample(
        name="FastAPI",
        file="main.py",
        start=("-m", "uvicorn", "main:app", "--port", "{port}", "--log-level", "warning"),
        text="""from fastapi import FastAPI

app = FastAPI(
    title="Greetings",
)


@app.get("/hello/{name}")
async def hello(name: str) -> dict[str, str]:
    return {"hello": name}
""",
    ),
    Sample(
        name="Flask",
        file="app.py",
        start=("-m", "flask", "--app", "app", "run", "--port", "{port}"),
        text='''"""Greetings."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/hello/<name>")
def hello(name: str) -> str:
    return name


if __name__ == "__main__":
    app.run()
''',
    ),
    Sample(
        name="Django",
        file="site_of_mine/wsgi.py",
        start=("-m", "gunicorn", "--bind", "127.0.0.1:{port}", "site_of_mine.wsgi:application"),
        text="""import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_of_mine.settings")

application = get_wsgi_application()
""",
    ),
    Sample(
        name="aiohttp",
        file="service.py",
        start=("service.py", "{port}"),
        text="""import sys

from aiohttp import web


async def hello(request):
    return web.Response(text=request.match_info["name"])


app = web.Application()
app.add_routes([web.get("/hello/{name}", hello)])

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
""",
    ),
)

DJANGO = {
    "site_of_mine/__init__.py": "",
    "site_of_mine/settings.py": """SECRET_KEY = "of a test"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "site_of_mine.urls"
""",
    "site_of_mine/urls.py": """from django.http import HttpResponse
from django.urls import path


def hello(request, name):
    return HttpResponse(name)


urlpatterns = [path("hello/<str:name>", hello)]
""",
}


def environment() -> dict[str, str]:
    """What a shell would have, and the checkout as if it were installed."""
    parts = (str(ROOT / part) for part in ("instrumentation", "agent"))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(parts), "NO_COLOR": "1"}


def figwatch(folder: Path, *arguments: str) -> str:
    """What a verb prints; it must end well."""
    command = [sys.executable, "-m", "figwatch_agent", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def follow(folder: Path, shown: str) -> None:
    """Write the lines that were shown where it was said that they go."""
    [(file, top)] = re.findall(r"^ +(\S+\.py), with its imports +(.+)$", shown, re.MULTILINE)
    [(below_file, number, below)] = re.findall(r"^ +(\S+\.py), below line (\d+) +(.+)$", shown, re.MULTILINE)
    assert below_file == file
    path = folder / file
    lines = path.read_text("utf-8").splitlines()
    lines.insert(int(number), below)
    first = next(place for place, line in enumerate(lines) if line.startswith(("import ", "from ")))
    future = lines[first].startswith("from __future__")
    lines.insert(first + future, top)
    path.write_text("\n".join([*lines, ""]), "utf-8")


@contextmanager
def started(folder: Path, sample: Sample) -> Iterator[str]:
    """The service as its owner starts it; gives its URL."""
    port = free_port()
    command = [sys.executable, *(part.format(port=port) for part in sample.start)]
    log = folder / "service.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=output, stderr=output)
    try:
        yield f"http://127.0.0.1:{port}"
    except urllib.error.URLError as error:
        raise AssertionError(log.read_text("utf-8")) from error
    finally:
        process.terminate()
        process.wait(20)


def got(url: str) -> str:
    """The text of a page, as soon as anybody answers."""
    deadline = time.monotonic() + WITHIN
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (our own loopback)
                return str(answer.read(), "utf-8")
        except urllib.error.HTTPError:
            raise
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_lines_that_init_shows_make_a_service_that_can_be_measured(sample: Sample, tmp_path: Path) -> None:
    folder = tmp_path / "greetings"
    files = {sample.file: sample.text, **(DJANGO if sample.name == "Django" else {})}
    for name, text in files.items():
        folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(name).write_text(text, "utf-8")
    shown = figwatch(folder, "init")
    assert f"Found a {sample.name} application" in shown
    assert "greetings" in shown
    follow(folder, shown)
    with started(folder, sample) as url:
        assert "ada" in got(f"{url}/hello/ada")
        page = got(f"{url}/metrics")
    counted = [line for line in page.splitlines() if line.startswith("http_server_request_duration_seconds_count")]
    assert [line for line in counted if f'http_route="{sample.template}"' in line and line.endswith(" 1.0")], page


@pytest.mark.parametrize("sample", SAMPLES[:2], ids=lambda sample: sample.name)
def test_the_files_that_init_writes_pass_the_check_and_name_the_routes(sample: Sample, tmp_path: Path) -> None:
    tmp_path.joinpath(sample.file).write_text(sample.text, "utf-8")
    figwatch(tmp_path, "init", "--service", "greetings")
    assert sample.template in tmp_path.joinpath("slo", "greetings.yaml").read_text("utf-8")
    figwatch(tmp_path, "check")
