"""``figwatch init``."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from figwatch_agent.commands.check import command as check
from figwatch_agent.commands.init import command
from figwatch_agent.files.load import load
from figwatch_agent.model.names import AlertName

APPLICATION = """from fastapi import FastAPI
app = FastAPI()

@app.get("/api/v1/chat")
def one(): ...

@app.post("/api/v1/chat/{id}")
def two(): ...
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command runs: an empty folder, unless a test puts code there."""
    folder = tmp_path_factory.mktemp("project")
    monkeypatch.chdir(folder)
    return folder


def init(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def written(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_the_starter_passes_check(tmp_path: Path) -> None:
    assert init("--dir", str(tmp_path)).exit_code == 0
    result = CliRunner().invoke(check, [str(tmp_path / "figwatch.yaml")], catch_exceptions=False)
    assert (result.exit_code, "All is right" in result.output) == (0, True)


def test_the_starter_holds_settings_promises_and_a_runbook_per_alert(tmp_path: Path) -> None:
    init("--dir", str(tmp_path / "new"))
    runbooks = {f"runbooks/{name}.md" for name in AlertName}
    schemas = {"schemas/slo.schema.json", "schemas/settings.schema.json"}
    assert written(tmp_path / "new") == {"figwatch.yaml", "slo/my-service.yaml"} | schemas | runbooks


def test_each_file_names_the_schema_that_stands_beside_it(tmp_path: Path) -> None:
    init("--dir", str(tmp_path))
    for file in (tmp_path / "figwatch.yaml", tmp_path / "slo" / "my-service.yaml"):
        line = file.read_text("utf-8").splitlines()[0]
        named = file.parent / line.removeprefix("# yaml-language-server: $schema=")
        schema = json.loads(named.read_text("utf-8"))
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema).validate(yaml.safe_load(file.read_text("utf-8")))


def test_an_application_gives_the_starter_its_name_and_routes(elsewhere: Path) -> None:
    elsewhere.joinpath("pyproject.toml").write_text('[project]\nname = "chat"\n', "utf-8")
    elsewhere.joinpath("app.py").write_text(APPLICATION, "utf-8")
    said = init().output
    (service,) = load("figwatch.yaml").services
    assert [(route.template, str(route.stage)) for route in service.routes] == [
        ("/api/v1/chat", "canary"),
        ("/api/v1/chat/{id}", "canary"),
    ]
    assert service.service == "chat"
    assert "Found a FastAPI application: app in app.py, line 2" in said
    assert 'app = figwatch.instrument(app, service="chat")' in said


def test_paths_that_no_user_calls_are_no_promise(elsewhere: Path) -> None:
    text = APPLICATION + '\n@app.get("/healthz")\ndef well(): ...\n\n@app.get("/metrics")\ndef metrics(): ...\n'
    elsewhere.joinpath("app.py").write_text(text, "utf-8")
    init("--service", "chat")
    (service,) = load("figwatch.yaml").services
    assert [route.template for route in service.routes] == ["/api/v1/chat", "/api/v1/chat/{id}"]


def test_without_an_application_the_line_is_shown_all_the_same() -> None:
    said = init().output
    assert "Found no FastAPI" in said
    assert 'app = figwatch.instrument(app, service="my-service")' in said


def test_the_service_gets_its_own_name_everywhere(tmp_path: Path) -> None:
    init("--dir", str(tmp_path), "--service", "billing")
    loaded = load(str(tmp_path / "figwatch.yaml"))
    assert [service.service for service in loaded.services] == ["billing"]
    assert [plan.name for plan in loaded.settings.rollback.plans] == ["billing-to-legacy"]
    assert not [file for file in tmp_path.rglob("*.yaml") if "my-service" in file.read_text("utf-8")]


def test_nothing_that_exists_is_overwritten(tmp_path: Path) -> None:
    tmp_path.joinpath("figwatch.yaml").write_text("mine", "utf-8")
    result = init("--dir", str(tmp_path))
    assert result.exit_code == 1
    assert "nothing was written" in result.output
    assert tmp_path.joinpath("figwatch.yaml").read_text("utf-8") == "mine"
    assert written(tmp_path) == {"figwatch.yaml"}


def test_for_a_second_service_the_way_is_told_in_few_lines(tmp_path: Path) -> None:
    init("--dir", str(tmp_path), "--service", "chat")
    said = init("--dir", str(tmp_path), "--service", "models").output
    assert "For one more service, copy a file of slo/" in said
    assert said.count(".md") < 5


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    result = init("--dir", str(tmp_path), "--dry-run", "--output", "json")
    body = json.loads(result.output)
    assert body["written"] == []
    assert str(tmp_path / "figwatch.yaml") in body["would_write"]
    assert written(tmp_path) == set()


@pytest.mark.parametrize("name", ["../evil", "a b", "", "9lives"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    assert init("--dir", str(tmp_path), "--service", name).exit_code == 2
    assert written(tmp_path) == set()
