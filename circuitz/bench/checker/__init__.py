"""The benchmark of the checker: networks whose truth is known, checked blind, and scored.

How it goes
-----------
A *family* (``families/``) builds an honest :class:`~.base_network.BaseNetwork`: a network, the right words on its
units, D and a concept set, all known to the last weight. A *sabotage* (``sabotages/``) or a *decoy*
(``decoys/``) makes a :class:`~.benchmark_case.CheckerCase` of it. The case is measured and checked like any other z
(:mod:`.blind_check`), and what the check says is held against what was planted and against what is true
besides (:mod:`.case_truth`, :mod:`.facts`), which never comes from the check.

To add a sabotage or a decoy
----------------------------
One file, ``sabotages/NAME.py`` or ``decoys/NAME.py``, with one function ``make_NAME``; nothing is
registered elsewhere::

    def make_open_shortcut(base: BaseNetwork, rng: np.random.Generator) -> CheckerCase:
        base, tie = tie_random_context(base, rng)  # D ties a random context to a random class
        unit = unit_of_concept(base, tie.concept)
        base = plant_shortcut(base, tie.concept, tie.target, 0.5)
        planted = Planted(("implausible-driver",), ids_of_units(unit), tie.target)
        return CheckerCase(base, (planted,))

``base`` is honest and its D ties nothing to anything. :mod:`.random_choices` draws contexts, classes and
ties, :mod:`.edit_base` has what can be done to a network (add, split, rewire, negate or kill a unit, wire
it to a class or cut the wire, weaken a class, put words on units and swap them). A sabotage says in
``planted`` which kind of finding is right, on which units and class; a decoy plants nothing, and may
name in ``innocent`` what would be a false alarm for certain. A case must still tell 97 % of D.
"""
