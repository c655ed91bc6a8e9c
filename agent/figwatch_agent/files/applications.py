"""Finds the web applications of a folder by reading its Python, without running any of it.

What is looked for is how each framework's own documentation makes an application: FastAPI, Starlette, Flask, aiohttp
and Django. Routes are those written on the application itself; what an included router or a URL file adds cannot be
known without running the code, and is left out.
"""

import ast
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FRAMEWORKS: Final[Mapping[str, str]] = {
    "fastapi.FastAPI": "FastAPI",
    "fastapi.applications.FastAPI": "FastAPI",
    "starlette.applications.Starlette": "Starlette",
    "flask.Flask": "Flask",
    "aiohttp.web.Application": "aiohttp",
    "django.core.asgi.get_asgi_application": "Django",
    "django.core.wsgi.get_wsgi_application": "Django",
}
"""What makes an application, by its full name."""

MOST_FILES: Final = 2000
MOST_BYTES: Final = 1024 * 1024
DEEPEST: Final = 6

_PASSED_BY: Final = frozenset(
    {"__pycache__", "build", "dist", "env", "node_modules", "site-packages", "test", "tests", "venv"}
)
_VERBS: Final = frozenset({"get", "post", "put", "patch", "delete", "route", "api_route"})
_AIOHTTP_VERBS: Final = frozenset({"get", "post", "put", "patch", "delete", "view"})
_ADDERS: Final = frozenset(f"add_{verb}" for verb in _AIOHTTP_VERBS)
_FLASK: Final = re.compile(r"<(?:(?P<kind>[^<>:]*):)?(?P<name>[^<>:]+)>")
_CONVERTED: Final = re.compile(r"\{([^{}:]+):(?!path\})[^{}]*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application, where it is made, and the routes that are written on it."""

    framework: str
    file: str  # relative to the folder, with slashes
    line: int  # of the statement that makes it; where it ends
    variable: str
    routes: tuple[str, ...]  # as figwatch writes templates, in the order of the file

    def lines_to_add(self, service: str) -> tuple[str, str]:
        """What to write into the file: at its top, and after ``line``."""
        return "import figwatch", f'{self.variable} = figwatch.instrument({self.variable}, service="{service}")'


def find_applications(folder: Path) -> tuple[Application, ...]:
    """All applications below ``folder``, by file and line. Files that cannot be read or parsed are passed by."""
    return tuple(found for file in _python_files(folder) for found in _applications(folder, file))


def _python_files(folder: Path) -> Iterator[Path]:
    left = MOST_FILES
    for place, folders, names in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if depth < DEEPEST and not _passed_by(Path(place, name)))
        for name in sorted(name for name in names if name.endswith(".py")):
            if left == 0:
                return
            left -= 1
            yield Path(place, name)


def _passed_by(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in _PASSED_BY or folder.joinpath("pyvenv.cfg").exists()


def _applications(folder: Path, file: Path) -> Iterator[Application]:
    tree = _parsed(file)
    if tree is None:
        return
    known = _imported(tree)
    for variable, call, line in _made(tree):
        framework = FRAMEWORKS.get(_full_name(call.func, known))
        if framework is not None:
            routes = tuple(dict.fromkeys(_templates(tree, variable, framework, known)))
            where = file.relative_to(folder).as_posix()
            yield Application(framework=framework, file=where, line=line, variable=variable, routes=routes)


def _parsed(file: Path) -> ast.Module | None:
    try:
        if file.stat().st_size > MOST_BYTES:
            return None
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imported(tree: ast.Module) -> dict[str, str]:
    """Local names and what they stand for."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]  # `import a.b` binds a
                known |= {alias.asname: alias.name} if alias.asname else {root: root}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return known


def _full_name(node: ast.expr, known: Mapping[str, str]) -> str:
    """The dotted name that an expression stands for; empty for what is none."""
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        owner = _full_name(node.value, known)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def _made(tree: ast.Module) -> Iterator[tuple[str, ast.Call, int]]:
    """Every ``name = something(...)``: name, call, last line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name) and isinstance(value, ast.Call):
            yield target.id, value, node.end_lineno or node.lineno


def _templates(tree: ast.Module, variable: str, framework: str, known: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _declares(node.func, variable, framework, known):
            path = node.args[0]
            if isinstance(path, ast.Constant) and isinstance(path.value, str) and path.value.startswith("/"):
                yield template(path.value)


def _declares(called: ast.expr, variable: str, framework: str, known: Mapping[str, str]) -> bool:
    """Whether a call declares a route of this application."""
    if not isinstance(called, ast.Attribute):
        return False
    owner = called.value
    if framework == "aiohttp":
        on_router = isinstance(owner, ast.Attribute) and owner.attr == "router" and called.attr in _ADDERS
        return on_router or (called.attr in _AIOHTTP_VERBS and _full_name(owner, known) == "aiohttp.web")
    return isinstance(owner, ast.Name) and owner.id == variable and called.attr in _VERBS


def template(path: str) -> str:
    """A framework's path as figwatch writes it: ``/chat/<int:id>/`` is ``/chat/{id}``."""
    written = _FLASK.sub(lambda found: _parameter(found["name"], found["kind"]), path)
    written = _CONVERTED.sub(r"{\1}", written)
    return written.rstrip("/") or "/"


def _parameter(name: str, kind: str | None) -> str:
    return f"{{{name}:path}}" if kind == "path" else f"{{{name}}}"
