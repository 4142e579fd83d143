"""Showing a screen to others: JupyterLab, Voila, and who may come in."""
