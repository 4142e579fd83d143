from __future__ import annotations

from circuitz.plausibility.check import check

KIND = "mislabelled-edge"


def test_words_on_edges_are_held_against_what_runs_along_them(plant) -> None:
    z = plant()
    for edge, text in {
        "edge:conv4:4->output:beagle": "floppy ears make a beagle",
        "edge:conv4:7->output:beagle": "curls make a beagle",
        "edge:conv4:5->output:corgi": "a fluffy coat speaks against a corgi",
        "edge:conv4:3->output:corgi": "pointed ears suppress corgi",
    }.items():
        z = z.annotate(edge, text, author="anna")
    found = {(f.units[0], f.target): f for f in check(z).of(KIND)}
    verdicts = {key: f.verdict for key, f in found.items()}
    assert verdicts[("conv4:4", "output:beagle")] == "supported"
    assert verdicts[("conv4:7", "output:beagle")] == "flagged"
    assert verdicts[("conv4:3", "output:corgi")] == "flagged"
    assert verdicts[("conv4:5", "output:corgi")] != "flagged"
    assert "not what they say" in found[("conv4:7", "output:beagle")].sentence


def test_an_edge_between_units_was_not_measured(plant) -> None:
    z = plant().annotate("edge:conv4:0->conv4:3", "snow feeds ears", author="anna")
    (found,) = check(z).of(KIND)
    assert found.verdict == "inconclusive"
    assert "cz.edges" in found.decide
