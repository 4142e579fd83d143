"""Read a lexicon from YAML, and say exactly what is wrong with one that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import yaml

from circuitz.errors import CircuitzError, LexiconError
from circuitz.lexicon.concept import KINDS, override_source
from circuitz.lexicon.word_forms import phrase_key

CONCEPT_FIELDS = {"kind", "is_a", "part_of", "context_of", "adjectives", "synonyms"}
_OVERRIDE_FIELDS = {"concept", "author", "reason", "time"}
_CATEGORY_FIELDS = {"is_a", "members"}
_TOP = {"version", "extends", "wordnet", "categories", "concepts", "overrides"}
MAX_BYTES, MAX_DEPTH = 2_000_000, 8
# Both build plain data only; the one in C is many times faster where it is there.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_OPEN = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSE = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


@dataclass
class Layer:
    """What one file says, before it is laid over others.

    Parameters
    ----------
    source
        Its name in evidence chains.
    standalone
        It does not build on the default lexicon.
    concepts, categories
        Name to its fields; ``None`` takes an entry of a lower layer away.
    lines
        ``concepts.snow`` to the line it is on.
    wordnet
        It rests on the shipped WordNet extract.
    overrides
        What people said, each as a layer on top.
    adds_synonyms
        Its synonyms come on top of those there are, and do not take their place.
    """

    source: str
    standalone: bool = False
    concepts: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    categories: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    wordnet: bool = True
    overrides: list[Layer] = field(default_factory=list["Layer"])
    adds_synonyms: bool = False

    def describe_entry_place(self, section: str, name: str) -> str:
        """Return `` (default lexicon, line 12)``."""
        line = self.lines.get(f"{section}.{name}")
        return f" ({self.source}, line {line})" if line else f" ({self.source})"


def parse_lexicon_layer(text: str, source: str) -> Layer:
    """Read one file.

    Parameters
    ----------
    text
        YAML.
    source
        Its name, for messages and evidence chains.

    Raises
    ------
    LexiconError
        If it is not YAML, or not a lexicon; the message names the line.
    """
    if len(text) > MAX_BYTES:
        raise LexiconError(f"The {source} is larger than {MAX_BYTES // 10**6} MB.", "Split it.")
    try:
        _refuse_unsafe_yaml(text, source)
        root = yaml.compose(text, Loader=_LOADER)
        data: object = yaml.load(text, Loader=_LOADER)  # the safe loader
    except CircuitzError:
        raise
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise LexiconError(
            f"The {source} is not valid YAML{line}: {problem}.", "Correct that line."
        ) from error
    except (RecursionError, ValueError) as error:
        raise LexiconError(f"The {source} cannot be read: {error}.", "Correct it.") from error
    layer = Layer(source)
    if data is None:
        return layer
    if not isinstance(data, dict) or root is None:
        raise LexiconError(
            f"The {source} is not a table of concepts.", "Start it with a line ‘concepts:’."
        )
    top = cast(dict[Any, Any], data)
    unknown = sorted(str(k) for k in top if k not in _TOP)
    if unknown:
        raise LexiconError(
            f"The {source} has unknown sections: {', '.join(unknown)}.",
            f"Sections are {', '.join(sorted(_TOP))}.",
        )
    if top.get("version", 1) != 1:
        raise LexiconError(
            f"The {source} is of version {top['version']}; version 1 is known.",
            "Update circuitz, or convert the file.",
        )
    extends = top.get("extends", "default")
    if extends not in ("default", "none"):
        raise LexiconError(
            f"The {source} extends {extends!r}.", "It may extend ‘default’ or ‘none’."
        )
    layer.standalone = extends == "none"
    wordnet = top.get("wordnet", not layer.standalone)
    if not isinstance(wordnet, bool):
        raise LexiconError(
            f"‘wordnet’ of the {source} is {wordnet!r}.", "Write ‘wordnet: true’ or ‘false’."
        )
    layer.wordnet = wordnet
    layer.lines = _line_by_entry_name(root, source)
    layer.concepts = _read_section(top.get("concepts"), "concepts", CONCEPT_FIELDS, layer)
    layer.categories = _read_section(top.get("categories"), "categories", _CATEGORY_FIELDS, layer)
    layer.overrides = _read_overrides(top.get("overrides"), layer)
    return layer


def _read_overrides(data: object, layer: Layer) -> list[Layer]:
    """Read what people said; each as a layer, in the order of the file."""
    if data is None:
        return []
    if not isinstance(data, list):
        raise LexiconError(
            f"‘overrides’ of the {layer.source} is not a list.",
            "Write ‘- {concept: …, kind: …, author: …}’ lines.",
        )
    found: list[Layer] = []
    for number, item in enumerate(cast(list[Any], data), 1):
        where = f" ({layer.source}, override {number})"
        entry = cast(dict[Any, Any], item) if isinstance(item, dict) else {}
        name = entry.get("concept")
        unknown = sorted(str(k) for k in entry if k not in CONCEPT_FIELDS | _OVERRIDE_FIELDS)
        if unknown:
            raise LexiconError(
                f"An override has unknown fields: {', '.join(unknown)}{where}.",
                f"Fields are {', '.join(sorted(CONCEPT_FIELDS | _OVERRIDE_FIELDS))}.",
            )
        if not isinstance(name, str) or not phrase_key(name):
            raise LexiconError(f"An override names no concept{where}.", "Write ‘concept: …’.")
        fields = {
            k: _read_checked_field(v, k, name, where)
            for k, v in entry.items()
            if k in CONCEPT_FIELDS
        }
        if not fields:
            raise LexiconError(
                f"The override of ‘{name}’ says nothing{where}.",
                f"Give one of {', '.join(sorted(CONCEPT_FIELDS))}.",
            )
        author = entry.get("author")
        by = override_source(author if isinstance(author, str) else "")
        found.append(Layer(by, concepts={name: fields}, adds_synonyms=True))
    return found


def _refuse_unsafe_yaml(text: str, source: str) -> None:
    """Refuse what is deep or refers back before anything is built from it."""
    depth = 0
    for token in yaml.scan(text, Loader=_LOADER):
        if isinstance(token, yaml.AliasToken):
            raise LexiconError(
                f"The {source} uses a YAML alias on line {token.start_mark.line + 1}.",
                "Write the values out instead.",
            )
        if isinstance(token, _OPEN):
            depth += 1
        elif isinstance(token, _CLOSE):
            depth -= 1
        if depth > MAX_DEPTH:
            raise LexiconError(
                f"The {source} is nested too deeply on line {token.start_mark.line + 1}.",
                "Concepts have plain fields and lists of words.",
            )


def _line_by_entry_name(root: Any, source: str) -> dict[str, int]:
    """Lines of all entries; two entries of one name are an error YAML itself passes over."""
    lines: dict[str, int] = {}
    for section, table in root.value:
        for entry, _ in table.value if isinstance(table, yaml.MappingNode) else ():
            name = f"{section.value}.{entry.value}"
            if name in lines:
                raise LexiconError(
                    f"‘{entry.value}’ stands twice in the {source}, on lines {lines[name]} and "
                    f"{entry.start_mark.line + 1}.",
                    "Join the two entries.",
                )
            lines[name] = entry.start_mark.line + 1
    return lines


def _read_section(
    data: object, section: str, fields: set[str], layer: Layer
) -> dict[str, dict[str, Any] | None]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise LexiconError(
            f"‘{section}’ of the {layer.source} is not a table.", "Write ‘name: {…}’ lines."
        )
    out: dict[str, dict[str, Any] | None] = {}
    for name, entry in cast(dict[Any, Any], data).items():
        where = layer.describe_entry_place(section, str(name))
        if not isinstance(name, str) or not phrase_key(name):
            raise LexiconError(f"{name!r} is no name{where}.", "Put words that are text in quotes.")
        if entry is None:
            out[name] = None
            continue
        if not isinstance(entry, dict):
            raise LexiconError(f"‘{name}’ has no fields{where}.", "Write ‘kind: …’ under it.")
        fields_given = cast(dict[Any, Any], entry)
        unknown = sorted(str(k) for k in fields_given if k not in fields)
        if unknown:
            raise LexiconError(
                f"‘{name}’ has unknown fields: {', '.join(unknown)}{where}.",
                f"Fields are {', '.join(sorted(fields))}.",
            )
        out[name] = {k: _read_checked_field(v, k, name, where) for k, v in fields_given.items()}
    return out


def _read_checked_field(value: object, name: str, owner: str, place: str) -> str | tuple[str, ...]:
    if name in ("kind", "is_a"):
        if not isinstance(value, str):
            raise LexiconError(f"‘{name}’ of ‘{owner}’ is not a word{place}.", "Give one word.")
        if name == "kind" and value not in KINDS:
            raise LexiconError(
                f"‘{owner}’ is of the unknown kind ‘{value}’{place}.",
                f"Kinds are {', '.join(KINDS)}.",
            )
        return value
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list):
        raise LexiconError(f"‘{name}’ of ‘{owner}’ is not a list of words{place}.", "Give a list.")
    words = [v for v in cast(list[object], items) if isinstance(v, str) and phrase_key(v)]
    if len(words) != len(cast(list[object], items)):
        raise LexiconError(
            f"‘{name}’ of ‘{owner}’ holds what is no word{place}.", "Put words in quotes."
        )
    return tuple(words)
