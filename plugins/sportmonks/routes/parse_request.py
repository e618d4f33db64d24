"""The parts of a route file that say what a request carries: authentication, query, headers, body."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import asdict
from typing import Any

from sportmonks.config.conversion import shown
from sportmonks.config.strict_yaml import Document, Section
from sportmonks.routes.request import is_credential, names_in
from sportmonks.routes.spec import AuthSpec

_AUTH_WORDS = ("auto", "none", "bearer", "basic", "header", "query", "oauth2")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# What looks like a credential; it belongs to the connection.
SECRET_NAME = re.compile(r"token|api[-_]?key|access[-_]?key|password|secret|authorization|^app_?id$|^key$", re.I)
_CREDENTIALS = (
    "Keys belong to the connection's fields: auth says where the password goes, {login} or {extra.NAME} names another."
)


def read_auth(top: Section, document: Document) -> AuthSpec:
    """``auth``: a word, the name of a header, or keys of its own."""
    value = top.data.get("auth")
    if value is None:
        return AuthSpec()
    if not isinstance(value, dict):
        return _auth_word(top)
    part = document.section(value, "auth", AuthSpec)
    spec = AuthSpec(
        type=part.value("type"),
        name=part.text("name"),
        prefix=part.text("prefix"),
        token_url=part.text("token_url"),
        scope=part.text("scope"),
        credentials=part.value("credentials"),
        grant=part.value("grant"),
        parameters=_token_parameters(part),
    )
    if isinstance(value.get("prefix"), str):
        spec = AuthSpec(**{**asdict(spec), "prefix": value["prefix"]})  # its blank at the end counts
    if spec.type in ("header", "query") and not spec.name:
        part.missing("name", f"Give the name of the {spec.type} that carries the connection's password.")
    if spec.type == "oauth2" and not spec.token_url:
        part.missing("token_url", "Give the address where a token is fetched with the client credentials.")
    if spec.token_url and "://" in spec.token_url and not spec.token_url.startswith(("https://", "http://")):
        part.wrong("token_url", f"is '{spec.token_url}'", "Write a path or an address with https://.")
    kinds_of = {
        **dict.fromkeys(("token_url", "scope", "grant", "parameters"), ("oauth2",)),
        "name": ("header", "query"),
    }
    for key, kinds in kinds_of.items():
        if value.get(key) and spec.type not in kinds:
            part.wrong(key, f"does not apply to type {spec.type}", f"It belongs to type {' or '.join(kinds)}.")
    return spec


def _token_parameters(part: Section) -> tuple[tuple[str, str], ...]:
    """``parameters``: what is sent with the request of a token, such as ``audience``."""
    found = read_pairs(part, "parameters", part.data.get("parameters"))
    for name in sorted(name for name in names_in(text for _, text in found) if not is_credential(name)):
        part.wrong("parameters", f"uses {{{name}}}", "They may name {login}, {password} and {extra.NAME}.")
    return found


def _auth_word(top: Section) -> AuthSpec:
    word = str(top.text("auth", "auto"))
    if word in ("header", "query", "oauth2"):
        top.wrong("auth", f"is '{word}' alone", f"Write its keys, such as auth: {{type: {word}, ...}}.")
    elif word in _AUTH_WORDS:
        return AuthSpec(type=word)  # type: ignore[arg-type]
    elif near := difflib.get_close_matches(word.lower(), _AUTH_WORDS, n=1, cutoff=0.7):
        top.wrong(
            "auth", f"is '{word}'", f"Did you mean {near[0]}? A header is named exactly: {{type: header, name: N}}."
        )
    elif not _HEADER_NAME.fullmatch(word):
        top.wrong("auth", f"is '{word}'", f"Write one of {', '.join(_AUTH_WORDS[:4])}, or the name of a header.")
    else:
        return AuthSpec(type="header", name=word)
    return AuthSpec()


def read_query(top: Section) -> tuple[tuple[str, str | tuple[str, ...]], ...]:
    """Names and values of ``query``; a parameter with a list is sent once for each of its values."""
    value = top.data.get("query")
    if not isinstance(value, dict):
        return read_pairs(top, "query", value)
    found: list[tuple[str, str | tuple[str, ...]]] = []
    for name, item in value.items():
        several = item if isinstance(item, list) and item else [item]
        texts = tuple(text for one in several for _, text in read_pairs(top, "query", {name: one}))
        if texts:
            found.append((str(name), texts if isinstance(item, list) else texts[0]))
    return tuple(found)


def read_pairs(top: Section, key: str, value: Any) -> tuple[tuple[str, str], ...]:
    """Names and values of ``query`` or ``headers``; credentials are refused."""
    if value is None:
        return ()
    if not isinstance(value, dict) or any(isinstance(item, dict | list) or item is None for item in value.values()):
        top.wrong(key, f"is {shown(value)}", f"Write names and values, such as {key}: {{order: asc}}.")
        return ()
    for name in value:
        if SECRET_NAME.search(str(name)) and "{" not in str(value[name]):
            top.wrong(key, f"holds {name}", _CREDENTIALS)
    return tuple((str(name), text_of(item)) for name, item in value.items())


def read_body(top: Section) -> str | None:
    """``body``: JSON that is sent, with placeholders."""
    value = top.data.get("body")
    if value is None:
        return None
    if not isinstance(value, dict | list):
        top.wrong("body", f"is {shown(value)}", "Write the keys and values of a JSON object.")
        return None
    text = json.dumps(value, default=str, ensure_ascii=False)
    if found := [name for name in re.findall(r'"([^"]+)":\s*"(?!\{)[^"]+"', text) if SECRET_NAME.search(name)]:
        top.wrong("body", f"holds {found[0]}", _CREDENTIALS)
    return text


def text_of(value: Any) -> str:
    """A value of YAML as an API takes it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
