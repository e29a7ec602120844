"""What pyproject.toml cannot say: packages that are found, and the README of a package index."""

import re
import tomllib
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?!https?:|#)(?P<path>[^)]*)\)")


def index_readme() -> str:
    """Return the README with links that work outside the repository.

    They lead to the files of this version under the `Repository` of `project.urls`. Until the
    project has such an address, the texts of links stay, and pictures are left out.
    """
    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    repository = project["urls"].get("Repository")

    def absolute(link: re.Match[str]) -> str:
        if repository is None:
            return "" if link["image"] else link["text"]
        kind = "raw" if link["image"] else "blob"
        address = f"{repository}/{kind}/v{project['version']}/{link['path']}"
        return f"{link['image']}[{link['text']}]({address})"

    return _LINK.sub(absolute, (HERE / "README.md").read_text(encoding="utf-8"))


setup(
    packages=[*find_packages(include=["lggshape", "lggshape.*"]), "lggshape_cli"],
    long_description=index_readme(),
    long_description_content_type="text/markdown",
)
