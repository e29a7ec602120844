from pathlib import Path

import pytest

from lggshape.errors import InputError
from lggshape.labels import Kind, read_codebook


def write(folder: Path, text: str) -> Path:
    path = folder / "codes.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_codebook_knows_the_columns_of_the_public_table_paper() -> None:
    # Levels as published: TCGA Research Network, NEJM 2015.
    columns = ["RNASeqCluster", "MethylationCluster", "miRNACluster", "CNCluster", "COCCluster"]
    (table,) = read_codebook().tables_with([*columns, "something else"])
    codes = table.labels
    assert list(codes["RNASeqCluster"].levels.values()) == ["R1", "R2", "R3", "R4"]
    assert codes["CNCluster"].levels["3"] == "C3"
    assert codes["age_at_initial_pathologic"].kind is Kind.CONTINUOUS


def test_a_table_without_the_signature_columns_is_not_decoded() -> None:
    assert read_codebook().tables_with(["RNASeqCluster", "gender"]) == []


def test_own_codebook(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'missing = ["?"]\n[[table]]\nrecognised_by = ["sex"]\n'
        'labels = {sex = {1 = "woman", 2 = "man"}, followed = "time", id = "identifier"}',
    )
    codebook = read_codebook(path)
    codes = codebook.tables_with(["sex", "followed"])[0].labels
    assert codes["sex"].levels == {"1": "woman", "2": "man"}
    assert codes["followed"].kind is Kind.TIME
    assert codebook.missing == {"?"}


def test_numbers_of_a_codebook_are_those_of_tables(tmp_path: Path) -> None:
    # In a table that is read, -9.0 is the cell "-9", and 1.0 the code "1".
    path = write(
        tmp_path,
        'missing = [-9.0, 99]\n[[table]]\nrecognised_by = ["arm"]\n'
        'labels = {arm = {"1.0" = "a", 2 = "b"}, grade = "ordinal", site = "categorical"}',
    )
    codebook = read_codebook(str(path))
    assert codebook.missing == {"-9", "99"}
    codes = codebook.tables_with(["arm"])[0].labels
    assert codes["arm"].levels == {"1": "a", "2": "b"}
    assert (codes["grade"].kind, codes["site"].kind) == (Kind.ORDINAL, Kind.NOMINAL)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no toml [", "to be TOML"),
        ('table = "x"', r"\[\[table\]\] entries"),
        ('[[table]]\nlabels = {sex = "time"}', "recognised_by"),
        ("table = [3]", "found 3"),
        ("tabel = [3]", "found tabel"),
        ('[[table]]\nrecognised_by = ["sex"]\nlabels = {sex = "colour"}', "found 'colour'"),
        ('[[table]]\nrecognised_by = ["sex"]\nlabels = {sex = {}}', "found {}"),
        (
            '[[table]]\nrecognised_by = ["t"]\nlabels.t = {kind = "time", levels = {1 = "a"}}',
            r"a table with `kind` \(categorical or ordinal\)",
        ),
    ],
)
def test_a_bad_codebook_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read_codebook(write(tmp_path, text))


def test_a_missing_codebook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_codebook(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("codes", "complaint"),
    [
        ('{1 = "x", "1.0" = "y"}', "every code of label sex once"),
        ('{1 = "", 2 = "y"}', "name"),
        ('{1 = ["x"], 2 = "y"}', "name"),
    ],
)
def test_codes_that_name_no_level_or_two_are_refused(
    tmp_path: Path, codes: str, complaint: str
) -> None:
    text = f'[[table]]\nrecognised_by = ["sex"]\nlabels.sex = {codes}'
    with pytest.raises(InputError, match=complaint):
        read_codebook(write(tmp_path, text))
