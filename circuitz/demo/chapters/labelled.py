"""4: D′ labelled with z*. Every figure rests on a simulated rater and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuitz.demo.plotted_shares import PlottedShare, percent_as_text, share_with_interval

if TYPE_CHECKING:
    from circuitz.demo.husky_story import HuskyStory

_CARDS = (
    ("no_card", "no card", "class names alone", "control"),
    ("unrepaired", "card of the network as trained", "before the repair", "before"),
    ("permuted", "card of z*, words permuted", "same units, wrong words", "control"),
    ("notes", "notes, no network", "from {notes} labelled images of D", "control"),
    ("zstar", "card of z*", "this is what was exported", "after"),
)
_FURTHER = {
    "zstar_network": "the network of z* itself, no answers",
    "answers_alone": "answers with z*'s card, without z*'s own predictions",
    "answers_without_card": "z* and answers given without a card",
    "answers_permuted_card": "z* and answers given with the permuted card",
}


def labelled_chapter_context(story: HuskyStory) -> dict[str, Any]:
    """Return what the fourth chapter shows."""
    labels: dict[str, Any] = story.summary["labels"]
    details: dict[str, Any] = labels.get("details", {})
    rater: dict[str, Any] = details.get("rater", {})
    learned: dict[str, Any] = details.get("m_l_test", {})
    notes = str(details.get("notes_from", 60))
    error, lapse = rater.get("perception_error"), rater.get("lapse")
    return {
        "judgements": int(labels["judgements"]),
        "questions": int(details.get("questions", labels["judgements"])),
        "perception": percent_as_text(float(error)) if error is not None else "",
        "lapse": percent_as_text(float(lapse)) if lapse is not None else "",
        "chance": 1 / max(len(story.shifted.truth.classes), 1),
        "bars": [
            {
                "name": name,
                "note": note.format(notes=notes),
                "style": style,
                "figure": _rater_accuracy_with_interval(labels, details, key),
            }
            for key, name, note, style in _CARDS
            if f"rater_{key}" in labels
        ],
        "accuracy": share_with_interval(
            float(labels["m_l_test_accuracy"]), int(learned.get("n", 0))
        ),
        "worst": _worst_group_with_interval(float(labels["m_l_test_worst_group"]), learned),
        "worst_group": str(learned.get("group", "")),
        "form": str(learned.get("form", "")),
        "further": [
            {
                "name": _FURTHER.get(key, key.replace("_", " ")),
                "accuracy": share_with_interval(float(found["accuracy"]), int(found.get("n", 0))),
                "worst": _worst_group_with_interval(float(found["worst_group"]), found),
                "group": str(found.get("group", "")),
            }
            for key, found in details.get("further_controls", {}).items()
        ],
    }


def _rater_accuracy_with_interval(
    labels: dict[str, Any], details: dict[str, Any], key: str
) -> PlottedShare:
    value, n = float(labels[f"rater_{key}"]), int(details.get("questions", 0))
    interval = details.get("intervals", {}).get(f"rater_{key}")
    return (
        PlottedShare(value, float(interval[0]), float(interval[1]), n)
        if interval
        else share_with_interval(value, n)
    )


def _worst_group_with_interval(value: float, figures: dict[str, Any]) -> PlottedShare:
    interval = figures.get("group_interval")
    if not interval:
        return PlottedShare(value)
    return PlottedShare(
        value, float(interval[0]), float(interval[1]), int(figures.get("group_n", 0))
    )
