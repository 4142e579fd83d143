"""circuitz: see what a neural network relies on, and say so in words that are checked.

The verbs are functions of this package; importing it loads no torch.

>>> import circuitz as cz
>>> z = cz.wrap(net, data, layers=["conv4"], classes=names)   # doctest: +SKIP
>>> z = cz.prepare(z, concept_set)                            # doctest: +SKIP
>>> report = cz.check(z)                                      # doctest: +SKIP
"""

import lazy_loader

from circuitz.old_paths import install

__version__ = "0.1.0"

# The face is __init__.pyi: each name is written there once, and imported from its room when it is
# first used, so that a screen which only shows a z never pays for torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
install()
