"""Packages are found, so a new part or study needs no line here; all else is in pyproject.toml."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["lggshape", "lggshape.*"]), "lggshape_cli"])
