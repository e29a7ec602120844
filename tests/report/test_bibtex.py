import re

import pytest

from lggshape.association import TESTS
from lggshape.report.adjustment import REFERENCES
from lggshape.report.bibtex import bibtex


def test_an_article_has_its_parts_analytic() -> None:
    reference = (
        "Buda M, Saha A, Mazurowski MA. Association of genomic subtypes & shape. Computers in "
        "Biology and Medicine 2019; 109: 218-225."
    )
    assert bibtex([reference]) == (
        "@article{buda2019,\n"
        "  author = {Buda, M and Saha, A and Mazurowski, MA},\n"
        "  title = {Association of genomic subtypes \\& shape},\n"
        "  journal = {Computers in Biology and Medicine},\n"
        "  year = {2019},\n"
        "  volume = {109},\n"
        "  pages = {218--225}\n"
        "}"
    )


def test_what_is_no_article_is_kept_as_it_stands() -> None:
    book = "Cohen J. Statistical power analysis. 2nd ed. Hillsdale: Erlbaum; 1988."
    assert bibtex([book]) == f"@misc{{cohen1988,\n  note = {{{book}}}\n}}"


def test_two_references_of_an_author_and_year_differ_invariant() -> None:
    text = bibtex([f"Fisher RA. Title {n}. Metron 1924; 3: 1-2." for n in range(3)])
    assert re.findall(r"@article\{(\w+),", text) == ["fisher1924", "fisher1924b", "fisher1924c"]


@pytest.mark.parametrize("name", TESTS)
def test_the_articles_that_reports_cite_are_parsed(name: str) -> None:
    articles = [one for one in TESTS[name].references if re.search(r"\d{4}; \d+: ", one)]
    assert bibtex(articles).count("@article{") == len(articles)
    assert bibtex(REFERENCES).count("@article{") == len(REFERENCES)
