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
#   title: Labelling
# ---

# %%
import sys

from circuitz.widgets.labelling.labelling import labelling_from_environment

screen = labelling_from_environment()
# Labellers' kernels stay small: a network is nothing they need.
assert "torch" not in sys.modules
screen
