"""Reading a YAML mapping key by key: types, bounds, unknown keys, each mistake with its line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import yaml

# A path into JSON: dotted in YAML, its keys here.
JsonPath = tuple[str, ...]


class Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[str] = []

    def wrong(self, line: int | None, text: str, hint: str) -> None:
        place = f"{self.file}, line {line}" if line else self.file
        self.mistakes.append(f"{place}: {text} {hint}".rstrip())

    def section(self, data: Any, node: yaml.Node | None, name: str, known: Iterable[str]) -> Section:
        return Section(self, data, node, name, tuple(known))


class Section:
    """One mapping of the file. A mistake is noted and the default given, so that all are found in one go."""

    def __init__(self, reader: Reader, data: Any, node: yaml.Node | None, name: str, known: tuple[str, ...]) -> None:
        self.reader = reader
        self.name = name
        self.data: dict[Any, Any] = data if isinstance(data, dict) else {}
        self.nodes: dict[str, yaml.Node] = {}
        self.lines: dict[str, int] = {}
        if not isinstance(node, yaml.MappingNode):
            if node is not None:
                reader.wrong(node.start_mark.line + 1, f"{name} is not a mapping.", f"Keys: {', '.join(known)}.")
            return
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in self.lines:
                reader.wrong(line, f"{self.full(key)} is given twice.", "Keep one.")
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(sorted(known))}."
                reader.wrong(line, f"there is no key {self.full(key)}.", hint)
            self.nodes[key] = value_node
            self.lines[key] = line

    def full(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key

    def wrong(self, key: str, text: str, hint: str) -> None:
        self.reader.wrong(self.lines.get(key), f"{self.full(key)} {text}.", hint)

    def missing(self, key: str, hint: str) -> None:
        self.reader.wrong(None, f"{self.full(key)} is missing.", hint)

    def text(self, key: str, default: str | None = None) -> str | None:
        value = self.data.get(key)
        if value is None:
            return default
        if isinstance(value, bool | dict | list) or not str(value).strip():
            self.wrong(key, f"is {shown(value)}", "Write a text.")
            return default
        return str(value).strip()

    def needed(self, key: str, hint: str) -> str:
        found = self.text(key)
        if found is None and self.data.get(key) is None:
            self.missing(key, hint)
        return found or ""

    def choice(self, key: str, options: tuple[str, ...], default: str) -> str:
        value = self.text(key, default) or default
        if value not in options:
            near = difflib.get_close_matches(value, options, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Choose one of: {', '.join(options)}."
            self.wrong(key, f"is '{value}'", hint)
            return default
        return value

    def number(self, key: str, default: Any, low: float, high: float, *, whole: bool = True) -> Any:
        value = self.data.get(key)
        if value is None:
            return default
        kinds: Any = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
            what = "a whole number" if whole else "a number"
            self.wrong(key, f"is {shown(value)}", f"Write {what} from {low:g} to {high:g}.")
            return default
        return value

    def flag(self, key: str) -> bool:
        value = self.data.get(key)
        if value is not None and not isinstance(value, bool):
            self.wrong(key, f"is {shown(value)}", "Write true or false.")
        return value is True

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.data.get(key)
        if value is None:
            return ()
        found = value if isinstance(value, list) else [value]
        if any(isinstance(item, bool | dict | list) or not str(item).strip() for item in found):
            self.wrong(key, f"is {shown(value)}", "Write a text or a list of texts.")
            return ()
        return tuple(str(item).strip() for item in found)

    def json_path(self, key: str, default: JsonPath | None = None) -> JsonPath | None:
        text = self.text(key)
        if text is None:
            return default
        if text == ".":
            return ()
        if any(not part for part in text.split(".")):
            self.wrong(key, f"is '{text}'", "Write keys joined by dots, such as data.items.")
            return default
        return tuple(text.split("."))

    def day(self, key: str) -> date | None:
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.date()
        if not isinstance(value, date):
            self.wrong(key, f"is {shown(value)}", "Write it as YYYY-MM-DD.")
            return None
        return value


def shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
