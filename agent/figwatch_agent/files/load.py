"""Reads all files of one figwatch, or says everything that is wrong with any of them."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from figwatch_agent.durations import Duration
from figwatch_agent.errors import FilesInvalid
from figwatch_agent.files import settings_file, slo_file
from figwatch_agent.files.agree import ReadService, ReadSettings, agreement
from figwatch_agent.files.diagnostics import Diagnostic, ordered, render
from figwatch_agent.files.document import Document, Spot
from figwatch_agent.files.promises import Reader
from figwatch_agent.files.schema import read
from figwatch_agent.files.yaml import MAX_BYTES, parse
from figwatch_agent.model.settings import KEEP, Alerting, Rollback, Settings, Web
from figwatch_agent.model.slo import ServiceSlos

SETTINGS = "figwatch.yaml"
"""Name of the file with settings, where none is given."""

_SETTINGS_KEY = re.compile(rb"^(?:source|state|receivers|rollback|web|heartbeat|alerting)\s*:", re.MULTILINE)


class Loaded(NamedTuple):
    """All files, read and found right. Notices are worth knowing and refuse nothing."""

    settings: Settings
    services: tuple[ServiceSlos, ...]
    notices: tuple[Diagnostic, ...] = ()


class Findings:
    """What was read so far, right or wrong."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.settings: ReadSettings | None = None
        self.services: list[ReadService] = []
        self.slo_files: list[str] = []
        self.diagnostics: list[Diagnostic] = []

    def all(self) -> tuple[Diagnostic, ...]:
        """Problems and notices in the order of the files."""
        return ordered(self.diagnostics)

    def problems(self) -> tuple[Diagnostic, ...]:
        """What refuses the files."""
        return tuple(found for found in self.all() if not found.notice)


def load(settings_path: str) -> Loaded:
    """Settings and all files of their slo folder. Raises FilesInvalid with the problems of all of them."""
    findings = inspect(settings_path)
    refuse(findings)
    if findings.settings is None:
        raise FilesInvalid(f"{settings_path} could not be read", 1)
    services = tuple(one.service for one in findings.services)
    return Loaded(settings=findings.settings.settings, services=services, notices=findings.all())


def load_slo_files(paths: Sequence[str]) -> tuple[tuple[ServiceSlos, ...], tuple[Diagnostic, ...]]:
    """Files of slo/ without settings, and notices. Raises FilesInvalid with the problems of all of them."""
    findings = inspect_slo_files(paths)
    refuse(findings)
    return tuple(one.service for one in findings.services), findings.all()


def refuse(findings: Findings) -> None:
    """Raise FilesInvalid if anything is wrong."""
    problems = findings.problems()
    if problems:
        raise FilesInvalid(render(problems), len(problems))


def inspect(settings_path: str) -> Findings:
    """Everything about figwatch.yaml and the files it leads to; raises nothing for what they contain."""
    findings = Findings()
    folder = os.path.join(os.path.dirname(settings_path), "slo")
    document = open_document(settings_path)
    findings.diagnostics += document.problems
    if not document.fatal:
        members, wrong = read(document, settings_file.FILE, {"folder": os.path.dirname(settings_path)})
        findings.diagnostics += wrong
        folder = _slo_folder(document, settings_path)
        if members is not None:
            findings.settings = ReadSettings(settings=_settings(settings_path, members), document=document)
    paths = slo_paths(folder)
    if not paths and not document.fatal:
        hint = "put one file per service there, or name another folder: slo: PATH"
        findings.diagnostics.append(document.problem(("slo",), f"there is no *.yaml in {folder}", hint))
    known = findings.settings.settings.interval if findings.settings else None
    _services(findings, paths, known)
    return findings


def inspect_slo_files(paths: Sequence[str]) -> Findings:
    """Everything about files of slo/; what needs figwatch.yaml is left out."""
    findings = Findings()
    _services(findings, paths, None)
    return findings


def inspect_paths(paths: Sequence[str]) -> tuple[Findings, ...]:
    """Everything about these files and folders; each file with settings brings its own slo folder along."""
    files = [file for path in paths for file in (slo_paths(path) or [path] if os.path.isdir(path) else [path])]
    settings = [path for path in files if holds_settings(path)]
    findings = [inspect(path) for path in settings]
    covered = {os.path.realpath(path) for found in findings for path in found.slo_files}
    alone = [path for path in files if path not in settings and os.path.realpath(path) not in covered]
    return (*findings, inspect_slo_files(alone)) if alone else tuple(findings)


def holds_settings(path: str) -> bool:
    """Whether the file is meant to be figwatch.yaml and not one of slo/, told by its text: it may be broken."""
    if os.path.basename(path) == SETTINGS:
        return True
    try:
        with open(path, "rb") as file:
            return _SETTINGS_KEY.search(file.read(MAX_BYTES)) is not None
    except OSError:
        return False


def slo_paths(folder: str) -> tuple[str, ...]:
    """The YAML files of a folder, sorted by name; none if there is no such folder."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return ()
    return tuple(
        os.path.join(folder, name) for name in names if name.endswith((".yaml", ".yml")) and not name.startswith(".")
    )


def open_document(path: str) -> Document:
    """The parsed file; one that cannot be read is a document with that problem."""
    try:
        with open(path, "rb") as file:
            return parse(file.read(MAX_BYTES + 1), path)
    except OSError as error:
        document = Document(path=path, lines=("",), fatal=True)
        reason = error.strerror or type(error).__name__
        document.problems.append(document.at(Spot(1, 1), f"the file cannot be read: {reason}"))
        return document


def _services(findings: Findings, paths: Sequence[str], interval: Duration | None) -> None:
    complete = bool(paths)
    for path in paths:
        findings.slo_files.append(path)
        document = open_document(path)
        findings.diagnostics += document.problems
        found = None if document.fatal else _service(findings, document, interval)
        complete = complete and found is not None
        if found is not None:
            findings.services.append(found)
    findings.diagnostics += agreement(findings.services, findings.settings, complete=complete)


def _service(findings: Findings, document: Document, interval: Duration | None) -> ReadService | None:
    written, wrong = read(document, slo_file.FILE, {"folder": os.path.dirname(document.path)})
    findings.diagnostics += wrong
    if written is None:
        return None
    reader = Reader(document, written, interval)
    service = reader.service()
    findings.diagnostics += reader.problems + reader.notices
    return ReadService(service=service, document=document)


def _slo_folder(document: Document, settings_path: str) -> str:
    given = document.root().get("slo")
    return os.path.join(os.path.dirname(settings_path), os.path.expanduser(given) if isinstance(given, str) else "slo")


def _settings(path: str, members: dict[str, Any]) -> Settings:
    rollback: Rollback = members.get("rollback", Rollback())
    web: Web = members.get("web", Web())
    if rollback.kill_switch is not None:
        rollback = replace(rollback, kill_switch=os.path.abspath(rollback.kill_switch))
    return Settings(
        path=path,
        source=members["source"],
        state=os.path.abspath(members["state"]["sqlite"]),
        keep=members["state"].get("keep", KEEP),
        layout=members["state"].get("layout", "default"),
        runbook_url=_runbook_url(members.get("runbooks"), web),
        receivers=members.get("receivers", ()),
        rollback=rollback,
        alerting=members.get("alerting", Alerting()),
        web=web,
        heartbeat=members.get("heartbeat"),
    )


def _runbook_url(given: str | None, web: Web) -> str:
    """Where the alert's name is appended: as given, else the agent's own pages."""
    host = f"[{web.host}]" if ":" in web.host else web.host
    scheme = "http" if web.tls is None else "https"
    own = (web.external_url or f"{scheme}://{host}:{web.port}").rstrip("/") + "/runbooks/"
    return own if given is None else given if given.endswith(("/", "=", "#")) else given + "/"
