from __future__ import annotations

from circuitz.plausibility.check import check

KIND = "unexplained-effect"


def husky(report):
    return report.of(KIND, "husky")[0]


def test_the_share_of_what_is_left_out_is_flagged_and_what_to_look_at_named(plant) -> None:
    report = check(plant(words={3: "pointed ears", 6: "curled tail"}, groups=[(3, 6)]))
    found = husky(report)
    assert found.verdict == "flagged"
    assert 0.75 < found.estimate < 0.95
    assert report.unexplained["husky"] == (found.estimate, *found.ci)
    annotate = [r for r in found.remedies if r.action == "annotate"]
    assert annotate[0].arguments == {"unit": "conv4:0", "text": "snow", "concepts": ["snow"]}


def test_little_left_is_supported_and_the_bound_can_be_moved(plant) -> None:
    z = plant(words={0: "snow", 1: "snow", 3: "pointed ears"}, groups=[(0, 1, 3)])
    assert husky(check(z)).verdict == "supported"
    assert husky(check(z, unexplained_bound=0.01)).verdict == "flagged"
    assert husky(check(z, unexplained_bound=0.01)).delta == 0.01


def test_without_annotations_everything_is_unexplained(plant) -> None:
    report = check(plant())
    assert {f.verdict for f in report.of(KIND)} == {"flagged"}
    assert report.unexplained["husky"] == (1, 1, 1)
    assert "Nothing of what makes husky" in husky(report).sentence


def test_words_that_fail_explain_nothing(plant) -> None:
    vague = dict.fromkeys((0, 1, 2, 7), "pointed ears, floppy ears, fluffy coat, curled tail")
    report = check(plant(words=vague))
    assert report.unexplained["husky"] == (1, 1, 1)
