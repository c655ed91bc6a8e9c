"""Reads files of other tools, whatever is in them, and makes files of ours of what can be carried over."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from figwatch_agent.files.diagnostics import Diagnostic, ordered, quoted
from figwatch_agent.files.document import Document
from figwatch_agent.files.foreign import openslo, pyrra, slo_generator, sloth, sloth_windows
from figwatch_agent.files.foreign.documents import open_documents, resources
from figwatch_agent.files.foreign.imported import Options, Reading
from figwatch_agent.files.foreign.ours import OurFile, our_files

UNKNOWN: Final = "this is no file of Sloth, Pyrra, OpenSLO or slo-generator"
BEGINNINGS: Final = (
    "they begin with version: prometheus/v1, or with apiVersion: sloth.slok.dev/v1, pyrra.dev/v1alpha1, openslo/v1 "
    "or sre.google.com/v2"
)


class Source(NamedTuple):
    """A file that was given, the tools that it is for, and the SLOs carried over."""

    path: str
    tools: tuple[str, ...]
    slos: tuple[str, ...]


class Imported(NamedTuple):
    """Files to write, none where anything is wrong; and all there is to say."""

    files: tuple[OurFile, ...]
    sources: tuple[Source, ...]
    diagnostics: tuple[Diagnostic, ...]

    def problems(self) -> tuple[Diagnostic, ...]:
        """What refuses the files."""
        return tuple(one for one in self.diagnostics if not one.notice)


def import_files(paths: Sequence[str], options: Options, migration: str) -> Imported:
    """Everything that these files promise. Raises nothing for what they contain."""
    given = {path: open_documents(path) for path in paths}
    return import_documents([one for documents in given.values() for one in documents], options, migration)


def import_documents(documents: Iterable[Document], options: Options, migration: str) -> Imported:
    """The same for documents that were opened."""
    found = _Documents(options)
    for document in documents:
        found.take(document)
    found.read()
    reading = found.reading
    _unique(reading)
    wrong = any(not one.notice for one in reading.diagnostics)
    files = () if wrong else our_files(reading, migration)
    wrong = any(not one.notice for one in reading.diagnostics)
    return Imported(() if wrong else files, found.sources(), ordered(reading.diagnostics))


class _Documents:
    """Sorts documents by tool; what others refer to is read first."""

    def __init__(self, options: Options) -> None:
        self.reading = Reading(options)
        self._tools: dict[str, list[str]] = {}
        self._catalogues: list[tuple[Document, sloth_windows.Windows]] = []
        self._policies: dict[str, slo_generator.Policy] = {}
        self._library = openslo.Library(self.reading)
        self._sloth: list[Document] = []
        self._pyrra: list[Document] = []
        self._slo_generator: list[Document] = []

    def take(self, document: Document) -> None:
        self.reading.diagnostics += document.problems
        self._tools.setdefault(document.path, [])
        if document.fatal:
            return
        for resource in resources(document):
            tool = self._sorted(resource)
            if tool is not None and tool not in self._tools[document.path]:
                self._tools[document.path].append(tool)

    def _sorted(self, document: Document) -> str | None:
        root = document.root()
        if sloth_windows.mine(root):
            windows = sloth_windows.read_windows(document, self.reading)
            self._catalogues += [] if windows is None else [(document, windows)]
            return "sloth"
        if sloth.mine(root):
            self._sloth.append(document)
            return "sloth"
        if pyrra.mine(root):
            self._pyrra.append(document)
            return "pyrra"
        if openslo.mine(root):
            self._library.add(document)
            return "openslo"
        if slo_generator.mine(root):
            self._slo_generator.append(document)
            return "slo-generator"
        if slo_generator.shared(root):
            self._policies |= slo_generator.read_policies(document, self.reading)
            return "slo-generator"
        self._unknown(document)
        return None

    def _unknown(self, document: Document) -> None:
        root = document.root()
        kind, api = root.get("kind"), root.get("apiVersion")
        if isinstance(kind, str) and isinstance(api, str):
            self.reading.notice(document, ("kind",), f"{quoted(kind)} of {quoted(api)} holds no SLOs and is not read")
        elif "slo_target" in root:
            hint = "convert it first: slo-generator migrate"
            self.reading.problem(document, (), "this is slo-generator's first format, and only v2 is read", hint)
        else:
            self.reading.problem(document, (), UNKNOWN, BEGINNINGS)

    def read(self) -> None:
        """SLOs of all tools."""
        given = self.reading.options.window
        if self._sloth and given is None:
            sloth_windows.undecided(self._catalogues, self.reading)
        windows = sloth_windows.chosen(self._catalogues, given, self.reading)
        for document in self._sloth:
            sloth.read_sloth(document, self.reading, windows)
        for document in self._pyrra:
            pyrra.read_pyrra(document, self.reading)
        self._library.read_slos()
        for document in self._slo_generator:
            slo_generator.read_slo(document, self.reading, self._policies)

    def sources(self) -> tuple[Source, ...]:
        """What was given, in that order."""
        return tuple(
            Source(path, tuple(tools), tuple(slo.name for slo in self.reading.slos if slo.document.path == path))
            for path, tools in self._tools.items()
        )


def _unique(reading: Reading) -> None:
    seen: dict[str, str] = {}
    for slo in reading.slos:
        here = f"{slo.document.path}:{slo.document.value_spot(slo.place).line}"
        if slo.name in seen:
            message = f"the SLO {quoted(slo.name)} is named twice"
            reading.problem(slo.document, slo.place, message, f"it stands at {seen[slo.name]} already")
        seen.setdefault(slo.name, here)
