"""The screens, as widgets for JupyterLab, Notebook 7 and Voila. No torch."""
