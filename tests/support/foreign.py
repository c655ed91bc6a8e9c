"""Files of other tools in tests: import a text, and read what came of it as our own loader does."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.files.foreign.documents import documents
from figwatch_agent.files.foreign.imported import Options
from figwatch_agent.files.foreign.reading import Imported, import_documents
from figwatch_agent.files.load import load_slo_files
from figwatch_agent.model.slo import ServiceSlos

GOLDEN = Path(__file__).parent.parent / "golden" / "foreign"
SPECS = {file.stem: file.read_text("utf-8") for file in sorted(GOLDEN.joinpath("good").glob("*/*.yaml"))}
"""Specs of all tools that are read, by name."""


def imported(
    *texts: str | bytes, window: Duration | None = None, interval: Duration = 15 * SECOND, migration: str = "m"
) -> Imported:
    """What becomes of these files."""
    contents = [text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text for text in texts]
    found = [one for index, content in enumerate(contents) for one in documents(content, f"{index}.yaml")]
    return import_documents(found, Options(window=window, interval=interval), migration)


def read_back(found: Imported) -> tuple[ServiceSlos, ...]:
    """The files written, read by our own loader, which must take them."""
    assert [one.message for one in found.problems()] == []
    return loaded((file.name, file.text) for file in found.files)


def loaded(files: Iterable[tuple[str, str]]) -> tuple[ServiceSlos, ...]:
    """Files of slo/ as the agent reads them."""
    with TemporaryDirectory() as folder:
        paths = []
        for name, text in files:
            paths.append(str(Path(folder, name)))
            Path(folder, name).write_text(text, "utf-8")
        services, _ = load_slo_files(paths)
    return services
