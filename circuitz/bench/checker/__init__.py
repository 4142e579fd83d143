"""The benchmark of the checker: networks whose truth is known, checked blind, and scored.

How it goes
-----------
A *family* (``families/``) builds an honest :class:`~.base.Base`: a network, the right words on its
units, D and a concept set, all known to the last weight. A *sabotage* (``sabotages/``) or a *decoy*
(``decoys/``) makes a :class:`~.case.Case` of it. The case is measured and checked like any other z
(:mod:`.look`), and what the check says is held against what was planted and against what is true
besides (:mod:`.truth`, :mod:`.facts`), which never comes from the check.

To add a sabotage or a decoy
----------------------------
One file, ``sabotages/NAME.py`` or ``decoys/NAME.py``, with one function; nothing is registered
elsewhere::

    def make(base: Base, draw: np.random.Generator) -> Case:
        base, tie = tied(base, draw)  # D ties a random context to a random class
        unit = unit_of(base, tie.concept)
        base = shortcut(base, tie.concept, tie.target, 0.5)
        return Case(base, (Planted(("implausible-driver",), names(unit), tie.target),))

``base`` is honest and its D ties nothing to anything. :mod:`.choose` draws contexts, classes and
ties, :mod:`.edit` has what can be done to a network (add, split, rewire, negate or kill a unit, wire
it to a class or cut the wire, weaken a class, put words on units and swap them). A sabotage says in
``planted`` which kind of finding is right, on which units and class; a decoy plants nothing, and may
name in ``innocent`` what would be a false alarm for certain. A case must still tell 97 % of D.
"""
