"""A release: one version, a README for a package index, and recipes that name what there is."""

import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest
import setuptools

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RECIPES = ("Dockerfile", "apptainer.def", "environment.yml")


@pytest.mark.parametrize(
    ("document", "pattern"),
    [
        ("CITATION.cff", r"^version: (\S+)$"),
        ("CHANGELOG.md", r"^## \[([0-9.]+)\] - \d{4}-\d\d-\d\d$"),
    ],
)
def test_a_document_names_the_version_of_the_project_invariant(document: str, pattern: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert re.findall(pattern, text, re.MULTILINE)[0] == PROJECT["version"]


def index_readme(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what a package index is given as the description."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", lambda **options: given.update(options))
    runpy.run_path(str(ROOT / "setup.py"))
    return str(given["long_description"])


def relative_links(text: str) -> list[str]:
    return re.findall(r"\]\((?!https://|#)[^)]*\)", text)


def test_a_package_index_shows_no_link_that_leads_nowhere_invariant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert relative_links((ROOT / "README.md").read_text(encoding="utf-8"))
    text = index_readme(monkeypatch)
    assert relative_links(text) == []
    assert "docs/inputs.md" in text


def test_links_lead_to_the_repository_once_it_has_an_address_analytic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    urls = PROJECT["urls"] | {"Repository": "https://example.org/lggshape"}
    monkeypatch.setattr(tomllib, "loads", lambda _: {"project": PROJECT | {"urls": urls}})
    text = index_readme(monkeypatch)
    place = f"v{PROJECT['version']}"
    assert f"(https://example.org/lggshape/raw/{place}/docs/figures/report.png)" in text
    assert f"[docs/inputs.md](https://example.org/lggshape/blob/{place}/docs/inputs.md)" in text
    assert relative_links(text) == []


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_names_a_supported_python_and_extras_that_exist_invariant(recipe: str) -> None:
    text = (ROOT / recipe).read_text(encoding="utf-8")
    (minor,) = set(re.findall(r"python[:=]3\.(\d+)", text))
    assert f"Programming Language :: Python :: 3.{minor}" in PROJECT["classifiers"]
    extras = re.findall(r"(?:EXTRAS=|(?:source|- \.)\[)([a-z]+)", text)
    assert extras
    assert set(extras) <= PROJECT["optional-dependencies"].keys()


def test_the_texts_of_all_licences_are_part_of_a_release_invariant() -> None:
    texts = {path for pattern in PROJECT["license-files"] for path in ROOT.glob(pattern)}
    first_lines = {
        path.read_text(encoding="utf-8").strip().splitlines()[0].strip() for path in texts
    }
    assert first_lines == {
        "MIT License", "Apache License", "Attribution-NonCommercial-ShareAlike 4.0 International",
    }  # fmt: skip
