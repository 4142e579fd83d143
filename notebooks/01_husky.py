# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The husky that was snow
#
# A small network learned six breeds of dog. Every husky it was trained on stood on snow. What did
# it learn: the dog, or the ground? Run the cells from top to bottom.

# %%
import os
from pathlib import Path

import circuitz as cz

places = [os.environ.get("CIRCUITZ_Z", ""), "circuitz-demo/husky.z", "../circuitz-demo/husky.z"]
path = next((Path(place) for place in places if place and Path(place).exists()), None)
if path is None:
    raise FileNotFoundError("There is no z yet: run `circuitz demo` in a terminal, then this cell again.")
z = cz.load(path)
z

# %% [markdown]
# ## Do words and wiring agree?
#
# The words on the units were proposed by rule, from how well each unit's responses match the
# concepts of the concept set. The check holds them against what drives what. Worst first:

# %%
report = cz.check(z)
report.frame.head(8)

# %% [markdown]
# ## Look at it
#
# Press `f` for the worst finding, `/` to search, `e` to write what a unit means, `u` to undo and
# `?` for all keys. What you write is checked at once and lies on disk when the screen says *saved*.

# %%
studio = cz.Studio(path)
studio

# %% [markdown]
# ## The same in Python
#
# A z is a value: an edit makes a new one and leaves the old one alone. Here a snow unit is called
# a coat, which fits the wiring better and the unit worse. The check says so.

# %%
drivers = [finding for finding in report.findings if finding.kind == "implausible-driver"]
unit = drivers[0].units[0] if drivers else str(z.units["unit"][0])
wrong = z.annotate(unit, "fluffy coat", author="quickstart")
again = cz.check(wrong)
again.frame[again.frame["kind"] == "mislabelled-unit"].head(3)

# %%
z.diff(wrong)

# %% [markdown]
# ## What you changed on the screen
#
# `studio.z` is the z as the screen shows it now.

# %%
cz.check(studio.z)

# %% [markdown]
# ## Next
#
# - `z.units`, `z.annotations`, `z.history()` and `report.frame` are DataFrames.
# - `cz.effect(z, unit, "output:husky", intervention="sufficiency")` runs the network again (needs torch).
# - `circuitz search Z --out REPAIRED` takes away what is flagged and checks again.
