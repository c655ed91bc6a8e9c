"""Applications are found by reading Python, whatever way a framework is imported."""

from pathlib import Path

import pytest

from figwatch_agent.files.applications import MOST_BYTES, Application, find_applications, template

FASTAPI = """
from fastapi import FastAPI

app = FastAPI(
    title="chat",
)

@app.get("/api/v1/chat")
def one(): ...

@app.post("/api/v1/chat/{id:int}/")
def two(): ...

@other.get("/not/ours")
def three(): ...
"""

FLASK = """
import flask

def create_app():
    server = flask.Flask(__name__)

    @server.route("/items/<int:id>")
    def item(id): ...

    @server.route("/files/<path:name>")
    def file(name): ...

    return server
"""

AIOHTTP = """
from aiohttp import web as http

app: http.Application = http.Application()
app.router.add_get("/api/v1/models", models)
app.add_routes([http.post("/api/v1/models/{name}", model)])
"""

DJANGO = """
import os
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")
application = get_asgi_application()
"""


def found(folder: Path, text: str, name: str = "main.py") -> tuple[Application, ...]:
    folder.joinpath(name).write_text(text, "utf-8")
    return find_applications(folder)


@pytest.mark.parametrize(
    ("text", "framework", "line", "variable", "routes"),
    [
        (FASTAPI, "FastAPI", 6, "app", ("/api/v1/chat", "/api/v1/chat/{id}")),
        (FLASK, "Flask", 5, "server", ("/items/{id}", "/files/{name:path}")),
        (AIOHTTP, "aiohttp", 4, "app", ("/api/v1/models", "/api/v1/models/{name}")),
        (DJANGO, "Django", 6, "application", ()),
    ],
)
def test_each_framework_is_found_with_its_line_and_routes(
    tmp_path: Path, text: str, framework: str, line: int, variable: str, routes: tuple[str, ...]
) -> None:
    expected = Application(framework=framework, file="main.py", line=line, variable=variable, routes=routes)
    assert found(tmp_path, text) == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "import fastapi as f\napp = f.FastAPI()\n",
        "from fastapi import FastAPI as Made\napp = Made()\n",
        "from starlette.applications import Starlette\napp = Starlette()\n",
        "import starlette.applications\napp = starlette.applications.Starlette()\n",
    ],
)
def test_an_import_under_another_name_hides_nothing(tmp_path: Path, text: str) -> None:
    assert [one.variable for one in found(tmp_path, text)] == ["app"]


@pytest.mark.parametrize("text", ["class FastAPI: ...\napp = FastAPI()\n", "app = Flask()\n", "def broken(:\n", "\x00"])
def test_what_is_no_application_is_not_taken_for_one(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text) == ()


@pytest.mark.parametrize("folder", [".venv", "venv", "node_modules", "tests", "a/b/c/d/e/f/g", "other"])
def test_folders_of_other_peoples_code_are_passed_by(tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder
    place.mkdir(parents=True)
    if folder == "other":
        place.joinpath("pyvenv.cfg").touch()  # an environment under any name
    place.joinpath("main.py").write_text(FASTAPI, "utf-8")
    assert find_applications(tmp_path) == ()


def test_a_file_that_is_too_large_to_be_somebodys_code_is_passed_by(tmp_path: Path) -> None:
    assert found(tmp_path, FASTAPI + "#" * MOST_BYTES) == ()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("/a/<id>", "/a/{id}"),
        ("/a/<uuid:id>/b/", "/a/{id}/b"),
        ("/a/{rest:path}", "/a/{rest:path}"),
        ("/a/{n:[0-9]+}", "/a/{n}"),
        ("/", "/"),
    ],
)
def test_templates_are_written_in_one_way(written: str, expected: str) -> None:
    assert template(written) == expected
