import pytest

from lggshape.names import natural_key, what_is_unsafe


def test_natural_order_is_by_number_and_ignores_case_analytic() -> None:
    long = "1" + "0" * 5000
    names = ["b_1", "A_10", "a_9", "A_2", long, "10", "9", "a", "a0", "a_010"]
    ordered = ["9", "10", long, "a", "a0", "A_2", "a_9", "A_10", "a_010", "b_1"]
    assert sorted(names, key=natural_key) == ordered


def test_order_of_equal_numbers_is_total_analytic() -> None:
    assert natural_key("a_07") != natural_key("a_7")


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " a",
        ".",
        "..",
        ".hidden",
        "../../x",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "C:x",
        "a\x00b",
        "a\nb",
        "a\u202eb",
        "x" * 129,
        "é" * 65,
        "NUL",
        "con.txt",
        "\udc80",
        "=cmd()",
        "@x",
        "run.json",
        "Segmentation.CSV",
    ],
)
def test_names_that_leave_a_folder_or_cannot_be_files_are_unsafe_analytic(name: str) -> None:
    assert what_is_unsafe(name)


@pytest.mark.parametrize("name", ["a", "sub-07", "TCGA_CS_4941_19960909", "Ärztin 7 (left)", "x.y"])
def test_names_of_cases_are_safe_analytic(name: str) -> None:
    assert what_is_unsafe(name) == ""
