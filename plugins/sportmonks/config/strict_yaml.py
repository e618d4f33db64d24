"""Reads YAML files strictly: repeated and unknown keys are refused, and every mistake is reported with its line."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec
import yaml

from sportmonks.config.conversion import (
    Field,
    Mistake,
    as_error,
    fields_of,
    full_key,
    read_struct,
    read_value,
    shown,
    unknown_keys,
)
from sportmonks.errors import ConfigurationError

log = logging.getLogger(__name__)

# A path into JSON: dotted in YAML, its keys here.
JsonPath = tuple[str, ...]
T = TypeVar("T", bound=msgspec.Struct)
DEFAULT: Any = object()
_KEY = r"""(?:"[^"]+"|'[^']+'|[^."'\[]*(?:\[[^\]]*\])?)"""
_PATH = re.compile(rf"(?!\.|.*\.\.|.*\.$){_KEY}(?:\.{_KEY})*")
_PATH_PART = re.compile(r"""(?:^|\.)(?:"([^"]+)"|'([^']+)'|([^."'\[]*(?:\[[^\]]*\])?))""")


class Document:
    """A YAML file with keys and values: its plain ``data``, the line of every key, and the mistakes found so far."""

    def __init__(self, text: str, file: str, *, start: str, old_names: Mapping[str, str] | None = None) -> None:
        """``start``: the hint for a file without keys; an empty file has no data. ``old_names``: earlier names of
        keys -> present ones; they are read with a warning in the log. Raises ConfigurationError when the text is no
        YAML mapping."""
        self.file = file
        self.mistakes: list[Mistake] = []
        node, data = self._load(text, old_names or {})
        if data is not None and (not isinstance(data, dict) or not all(isinstance(key, str) for key in data)):
            raise ConfigurationError(f"{file}: expected keys and values.", hint=start)
        self.node: yaml.Node | None = node
        self.data: dict[str, Any] = data or {}
        self.is_empty = data is None

    def _load(self, text: str, old_names: Mapping[str, str]) -> tuple[yaml.Node | None, Any]:
        try:
            loader = yaml.SafeLoader(text)
            try:
                node = loader.get_single_node()
                self._check_keys(node, "", old_names, set())
                return node, None if node is None else loader.construct_document(node)
            finally:
                loader.dispose()
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            place = f"{self.file}, line {mark.line + 1}" if mark else self.file
            problem = getattr(error, "problem", None) or str(error)
            raise ConfigurationError(f"{place}: not valid YAML ({problem}).", hint="Correct that line.") from None

    def _check_keys(self, node: yaml.Node | None, name: str, old_names: Mapping[str, str], done: set[int]) -> None:
        """Give old keys their present names, and note repeated keys: YAML lets the last of them win, silently."""
        if node is None or id(node) in done:
            return
        done.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for place, item in enumerate(node.value):
                self._check_keys(item, f"{name}[{place}]", old_names, done)
        if not isinstance(node, yaml.MappingNode):
            return
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # a list or mapping as a key: refused when the data are built
            line, written = key.start_mark.line + 1, str(key.value)
            if written in old_names:
                key.value = old_names[written]
                message = "%s, line %d: '%s' is now called '%s'. Version 0.3 will not read the old name."
                log.warning(message, self.file, line, written, key.value)
            full = full_key(name, str(key.value))
            if key.value in seen:
                hint = f"Keep one; {written} is its old name." if written != key.value else "Keep one."
                self.mistakes.append(Mistake(f"line {line}", f"{full} is given twice.", hint))
            seen.add(key.value)
            self._check_keys(value, full, old_names, done)

    def fill(self, kind: type[T]) -> T:
        """The file as a ``kind``. Raises ConfigurationError that names every mistake found so far."""
        found = read_struct(kind, self.data, "", self.mistakes)
        self.raise_mistakes()
        assert found is not None  # else there is a mistake
        return found

    def wrong(self, key: str, problem: str, hint: str) -> None:
        """Note a mistake: ``<key> <problem>``."""
        self.mistakes.append(Mistake(key, f"{key} {problem}.", hint))

    def raise_mistakes(self) -> None:
        """Raises ConfigurationError with one line per mistake where there is any."""
        if self.mistakes:
            raise as_error((f"{self.place(found.key)}: {found.message}", found.hint) for found in self.mistakes)

    def place(self, key: str) -> str:
        """``file, line N`` of a dotted key, as deep as it can be followed; ``key`` may be ``line N`` itself."""
        if key.startswith("line "):
            return f"{self.file}, {key}"
        line: int | None = None
        node = self.node
        for part in re.findall(r"[^.\[\]]+", key):
            if isinstance(node, yaml.MappingNode):
                found = {k.value: (k, v) for k, v in node.value if isinstance(k.value, str)}
                if part not in found:
                    break
                line, node = found[part][0].start_mark.line + 1, found[part][1]
            elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
                node = node.value[int(part)]
                line = node.start_mark.line + 1
            else:
                break
        return f"{self.file}, line {line}" if line else self.file

    def section(self, data: Any, name: str, kind: Any, *, without: tuple[str, ...] = ()) -> Section:
        """The keys below ``name`` (the top of the file: empty); allowed are the fields of ``kind``, a dataclass or
        Struct, but for those named in ``without``."""
        return Section(self, data, name, {key: field for key, field in fields_of(kind).items() if key not in without})


class Section:
    """One mapping of a file, read key by key where keys depend on each other.

    A mistake is noted in the document and the field's default given, so that all mistakes are found in one pass. A key
    without a value counts as absent.
    """

    def __init__(self, document: Document, data: Any, name: str, fields: Mapping[str, Field]) -> None:
        self.document = document
        self.name = name
        self.fields = fields
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        if isinstance(data, dict):
            document.mistakes.extend(unknown_keys(map(str, data), tuple(fields), name))
        else:
            document.wrong(name, "is not a mapping", f"Keys: {', '.join(fields)}.")

    def wrong(self, key: str, problem: str, hint: str) -> None:
        """Note a mistake in ``key``."""
        self.document.wrong(full_key(self.name, key), problem, hint)

    def missing(self, key: str, hint: str) -> None:
        """Note that ``key`` is missing."""
        self.document.mistakes.append(Mistake("", f"{full_key(self.name, key)} is missing.", hint))

    def value(self, key: str, default: Any = DEFAULT) -> Any:
        """The value as its field's type says; ``default`` (else the field's) where it is absent or wrong."""
        field = self.fields[key]
        fallback = field.default if default is DEFAULT else default
        if self.data.get(key) is None:
            return fallback
        before = len(self.document.mistakes)
        found = read_value(field.type, self.data[key], full_key(self.name, key), self.document.mistakes)
        return found if len(self.document.mistakes) == before else fallback

    def text(self, key: str, default: Any = DEFAULT) -> Any:
        """A text, or a number taken as text; without blanks around it."""
        value = self.data.get(key)
        fallback = self.fields[key].default if default is DEFAULT else default
        if value is None:
            return fallback
        if isinstance(value, bool | dict | list) or not str(value).strip():
            self.wrong(key, f"is {shown(value)}", "Write a text.")
            return fallback
        return str(value).strip()

    def required(self, key: str, hint: str) -> str:
        """A text that has to be given; empty after noting that it is missing or wrong."""
        if self.data.get(key) is None:
            self.missing(key, hint)
            return ""
        return str(self.text(key, ""))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or a single one; empty where the key is absent or wrong."""
        value = self.data.get(key)
        if value is None:
            return ()
        found = value if isinstance(value, list) else [value]
        if any(isinstance(item, bool | dict | list) or not str(item).strip() for item in found):
            self.wrong(key, f"is {shown(value)}", "Write a text or a list of texts.")
            return ()
        return tuple(str(item).strip() for item in found)

    def json_path(self, key: str, default: Any = DEFAULT) -> Any:
        """A path into JSON, written with dots; ``.`` is the top."""
        fallback = self.fields[key].default if default is DEFAULT else default
        text = self.text(key, None)
        if text is None:
            return fallback
        found = self._path(key, text)
        return fallback if found is None else found

    def json_paths(self, key: str) -> tuple[JsonPath, ...]:
        """A list of paths into JSON, or a single one; empty where the key is absent."""
        return tuple(path for text in self.texts(key) if (path := self._path(key, text)))

    def _path(self, key: str, text: str) -> JsonPath | None:
        found = split_path(text)
        if found is None:
            self.wrong(key, f"is '{text}'", "Write keys joined by dots, such as data.items; quote a key with a dot.")
        return found

    def day(self, key: str) -> date | None:
        """A date; of a date with a time, the date."""
        value = self.data.get(key)
        return value.date() if isinstance(value, datetime) else self.value(key)


def split_path(text: str) -> JsonPath | None:
    """The keys of a path: joined by dots, a key with dots of its own in quotes; ``.`` is the top. None when it is no
    path."""
    if text == ".":
        return ()
    if not _PATH.fullmatch(text):
        return None
    return tuple(quoted or single or plain for quoted, single, plain in _PATH_PART.findall(text))
