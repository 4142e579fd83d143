"""``circuitz concepts``: ask the lexicon what a word is to a class, and say otherwise."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuitz.cli.shell import Json, LexiconPath, app, out, say
from circuitz.disk.safe_text import escape_control_characters

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon

concepts = typer.Typer(help="What words mean: kinds, parts, surroundings.", no_args_is_help=True)
app.add_typer(concepts, name="concepts")


class KindName(StrEnum):
    """Kinds of concepts."""

    PART = "part"
    ATTRIBUTE = "attribute"
    SURROUNDINGS = "surroundings"
    ARTEFACT = "artefact"
    LOW_LEVEL = "low-level"


Word = Annotated[str, typer.Argument(help="A concept: one word or several.")]
KindOption = Annotated[KindName | None, typer.Option("--kind", help="What kind it is of.")]
IsA = Annotated[str, typer.Option("--is-a", help="The more general concept.")]
PartOf = Annotated[
    list[str] | None, typer.Option("--part-of", help="What it is part or attribute of; repeat.")
]
ContextOf = Annotated[
    list[str] | None, typer.Option("--context-of", help="What it is only found beside; repeat.")
]
Synonym = Annotated[list[str] | None, typer.Option("--synonym", help="Another name; repeat.")]
Adjective = Annotated[
    list[str] | None, typer.Option("--adjective", help="Word that makes --is-a this; repeat.")
]
Target = Annotated[
    Path, typer.Option("--lexicon", help="Your lexicon file (YAML), made where there is none.")
]


@concepts.command("kind")
def explain_or_say_kind(
    word: Word,
    kind: Annotated[
        KindName | None, typer.Argument(help="Say that it is this; leave out to be told.")
    ] = None,
    subject: Annotated[
        str,
        typer.Option("--of", "--class", help="The class, or what the classes are kinds of."),
    ] = "",
    lexicon: LexiconPath = None,
    z: Annotated[
        Path | None, typer.Option("--z", help="The bundle whose concept it is; it is kept there.")
    ] = None,
    author: Annotated[
        str,
        typer.Option(help="Who says so; your name by default.", envvar="CIRCUITZ_AUTHOR"),
    ] = "",
    as_json: Json = False,
) -> None:
    """Say what a word is to a class, why, and who says so; or, with a kind, that it is that.

    Exits 1 where it is not known. What you say is kept in the bundle (--z), or in your lexicon file.
    """
    if kind is not None:
        _say_kind(word, kind, subject, lexicon, z, author, as_json)
        return
    from circuitz.errors import UnknownConceptError

    known, subject = _lexicon_and_subject(lexicon, z, subject)
    support = known.support(word, subject)
    if as_json:
        print(json.dumps(_verdict_as_json(known, word, subject), ensure_ascii=False, indent=1))
        raise typer.Exit(1 if support.verdict == "unknown" else 0)
    if word not in known:
        raise UnknownConceptError(f"The lexicon does not know ‘{word}’.", known.hint(word))
    of = f" for the class ‘{subject}’" if subject else ""
    origin = known.kind_origin(word)
    told = (
        f"‘{word}’{of}: {support.verdict} ({known.kind(word)}; {origin}; score {support.score:.2f})"
    )
    out.print(escape_control_characters(told), markup=False, highlight=False, soft_wrap=True)
    for line in support.chain:
        out.print(
            f"  {escape_control_characters(line)}", markup=False, highlight=False, soft_wrap=True
        )
    raise typer.Exit(1 if support.verdict == "unknown" else 0)


def _lexicon_and_subject(
    path: Path | None, z_path: Path | None, subject: str
) -> tuple[Lexicon, str]:
    """Return what is known, with what people said for a z, and what its classes are kinds of."""
    from circuitz.lexicon.lexicon import Lexicon

    known = Lexicon.load(path)
    if z_path is None:
        return known, subject
    from circuitz.z.bundle.load_save import load
    from circuitz.z.kinds_said import lexicon_in_force

    z = load(z_path)
    return lexicon_in_force(z, known), subject or z.subject


def _say_kind(
    word: str,
    kind: KindName,
    subject: str,
    lexicon: Path | None,
    z_path: Path | None,
    author: str,
    as_json: bool,
) -> None:
    """Keep what somebody says of a word: in a bundle, or in a lexicon file."""
    from circuitz.errors import LexiconError

    named = author or os.environ.get("USER", "") or "somebody"
    if z_path is not None:
        from circuitz.disk.lock import hold_write_lock
        from circuitz.lexicon.lexicon import Lexicon
        from circuitz.z.bundle.load_save import load, save
        from circuitz.z.kinds_said import with_concept_kind

        with hold_write_lock(z_path):
            z = load(z_path)
            new = with_concept_kind(
                z,
                word,
                kind.value,
                author=named,
                subject=subject or None,
                lexicon=Lexicon.load(lexicon),
            )
            save(new, z_path)
        known, of = _lexicon_and_subject(lexicon, z_path, subject)
        where = z_path
    elif lexicon is not None:
        from circuitz.lexicon.edit_yaml import say_kind_in_file

        known, of = say_kind_in_file(lexicon, word, kind.value, subject, author=named), subject
        where = lexicon
    else:
        raise LexiconError(
            "Nothing says where this is to be kept.",
            "Pass --z Z to keep it in a bundle, or --lexicon mine.yaml for a file of yours.",
        )
    record = {"file": str(where), **_verdict_as_json(known, word, of)}
    if as_json:
        print(json.dumps(record, ensure_ascii=False, indent=1))
        return
    of = f" of ‘{of}’" if of else ""
    told = (
        f"‘{word}’{of} is of the kind {kind.value} ({named}): {record['verdict']}; kept in {where}"
    )
    out.print(escape_control_characters(told), markup=False, highlight=False, soft_wrap=True)


@concepts.command("add")
def add_lexicon_entry(
    word: Word,
    kind: Annotated[KindName, typer.Option("--kind", help="What kind it is of.")],
    lexicon: Target,
    is_a: IsA = "",
    part_of: PartOf = None,
    context_of: ContextOf = None,
    synonym: Synonym = None,
    adjective: Adjective = None,
    apart: Annotated[
        bool, typer.Option("--apart", help="A synonym of another becomes a concept of its own.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add a concept to your lexicon file."""
    from circuitz.lexicon.edit_yaml import add_concept_to_file

    fields = _non_empty_entry_fields(kind, is_a, part_of, context_of, synonym, adjective)
    made = add_concept_to_file(lexicon, word, fields, apart=apart)
    _print_written_entry(made, word, lexicon, as_json)


@concepts.command("override")
def override_lexicon_entry(
    word: Word,
    lexicon: Target,
    author: Annotated[str, typer.Option(help="Who says so; shown in chains of evidence.")],
    reason: Annotated[str, typer.Option(help="Why; kept beside it.")] = "",
    kind: KindOption = None,
    is_a: IsA = "",
    part_of: PartOf = None,
    context_of: ContextOf = None,
    synonym: Synonym = None,
    adjective: Adjective = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take out what was said of it before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say otherwise of a concept, in your name; this wins over all that is shipped."""
    from circuitz.errors import LexiconError
    from circuitz.lexicon.edit_yaml import add_override_to_file

    fields = _non_empty_entry_fields(kind, is_a, part_of, context_of, synonym, adjective)
    if not fields:
        raise LexiconError(
            f"Nothing is said of ‘{word}’.", "Pass --kind, --part-of, --context-of or --synonym."
        )
    made = add_override_to_file(
        lexicon, word, fields, author=author, reason=reason, replace=replace
    )
    _print_written_entry(made, word, lexicon, as_json)


def _non_empty_entry_fields(
    kind: KindName | None,
    is_a: str,
    part_of: list[str] | None,
    context_of: list[str] | None,
    synonyms: list[str] | None,
    adjectives: list[str] | None,
) -> dict[str, Any]:
    given = {
        "kind": kind.value if kind else None,
        "is_a": is_a,
        "part_of": part_of,
        "context_of": context_of,
        "synonyms": synonyms,
        "adjectives": adjectives,
    }
    return {name: value for name, value in given.items() if value}


def _print_written_entry(lexicon: Lexicon, word: str, path: Path, as_json: bool) -> None:
    subject = next(iter((*lexicon.concept(word).part_of, *lexicon.concept(word).context_of)), "")
    if as_json:
        record = _verdict_as_json(lexicon, word, subject)
        print(json.dumps({"file": str(path), **record}, ensure_ascii=False, indent=1))
        return
    entry = lexicon.concept(word)
    out.print(
        escape_control_characters(
            f"‘{entry.name}’ is of the kind {entry.kind} ({entry.source}); written to {path}"
        ),
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    say.print(f"Use it: circuitz check Z --lexicon {path}", markup=False, highlight=False)


def _verdict_as_json(lexicon: Lexicon, word: str, subject: str) -> dict[str, Any]:
    support = lexicon.support(word, subject)
    return {
        "concept": word,
        "entry": lexicon.resolve(word),
        "class": subject,
        "verdict": support.verdict,
        "kind": lexicon.kind(word),
        "origin": lexicon.kind_origin(word),
        "score": round(support.score, 4),
        "chain": list(support.chain),
        "lexicon": lexicon.hash,
    }
