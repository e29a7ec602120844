from pathlib import Path

import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.labels import Codebook, Kind, Labels, as_labels, read_codebook, read_labels
from lggshape.labels.codebook import LabelCodes, TableCodes


def table(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


SIZES = {"1": "small", "2": "medium", "3": "large"}

CLUSTERS = "RNASeqCluster,MethylationCluster,miRNACluster,CNCluster,COCCluster,gender"


def test_codes_are_decoded_in_the_order_of_the_codebook(tmp_path: Path) -> None:
    path = table(
        tmp_path, "data.csv", f"Patient,{CLUSTERS}\na,4,1,1,1,1,2\nb,2.0,1,1,1,1,\nc,,1,1,1,1,1\n"
    )
    labels = read_labels([path])
    rna = labels["RNASeqCluster"]
    assert rna.values.to_dict() == {"a": "R4", "b": "R2"}
    assert rna.levels == ("R2", "R4")
    assert labels["gender"].values.to_dict() == {"a": "male", "c": "female"}
    assert labels.patients == {"a", "b", "c"}
    assert list(labels) == CLUSTERS.split(",")


def test_an_unknown_code_is_named_with_patient_and_file(tmp_path: Path) -> None:
    path = table(tmp_path, "data.csv", f"Patient,{CLUSTERS}\na,4,1,1,1,1,2\nb,7,1,1,1,1,2\n")
    with pytest.raises(InputError, match=r"codes 1, 2, 3, 4, found '7' for patient b: .*data\.csv"):
        read_labels([path], codebook=read_codebook())


def test_a_number_is_expected_where_the_codebook_says_continuous(tmp_path: Path) -> None:
    path = table(
        tmp_path, "data.csv", f"Patient,{CLUSTERS},age_at_initial_pathologic\na,4,1,1,1,1,2,old\n"
    )
    with pytest.raises(InputError, match="to be a number, found 'old' for patient a"):
        read_labels([path], codebook=read_codebook())


def test_a_bundled_codebook_without_the_codes_of_a_table_leaves_it_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    columns = "OS,OS.time,PFI,PFI.time,neoplasm_histologic_grade"
    path = table(tmp_path, "own.csv", f"Patient,{columns}\na,1,9,1,9,G4\nb,0,8,1,8,G2\n")
    labels = read_labels([path])
    assert labels["neoplasm_histologic_grade"].levels == ("G2", "G4")
    assert labels["OS"].levels == ("0", "1")
    assert "found 'G4' for patient a" in caplog.text


def test_words_for_missing_of_a_bundled_codebook_hold_in_its_own_tables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = b"missing = ['x']\n[[table]]\nrecognised_by = ['a']\nlabels.a = {1 = 'one'}"
    monkeypatch.setattr("lggshape.labels.codebook.shipped_files", lambda _: {"study": code})
    tables = {name: pd.DataFrame({"patient": ["p", "q"], name: [1, "x"]}) for name in "ab"}
    labels = read_labels(tables)
    assert labels["a"].values.to_dict() == {"p": "one"}
    assert labels["b"].values.to_dict() == {"p": "1", "q": "x"}


def test_an_ordinal_label_has_the_order_of_its_codebook(tmp_path: Path) -> None:
    book = table(
        tmp_path,
        "codes.toml",
        "[[table]]\nrecognised_by = ['risk']\n[table.labels.risk]\nkind = 'ordinal'\n"
        "levels = {l = 'low', m = 'middle', h = 'high'}\n",
    )
    risk = pd.DataFrame({"patient": list("abc"), "risk": list("hml")})
    label = read_labels(risk, codebook=book)["risk"]
    assert (label.kind, label.levels) == (Kind.ORDINAL, ("low", "middle", "high"))
    assert repr(label) == "Label('risk' of 3 patients, ordinal, 3 levels)"
    assert "<td>1</td>" in label._repr_html_()


def test_kinds_of_undescribed_columns_are_told_apart(tmp_path: Path) -> None:
    rows = "\n".join(
        f"p{i},{i * 1.5},{i % 3},site {i % 4},name{i},{i * 30},{'x' if i % 2 else 'NA'}"
        for i in range(24)
    )
    path = table(tmp_path, "own.csv", f"patient,age,arm,site,name,OS.time,one\n{rows}\n")
    labels = read_labels([path])
    kinds = {name: labels[name].kind for name in labels}
    assert kinds == {
        "age": Kind.CONTINUOUS,
        "arm": Kind.NOMINAL,
        "site": Kind.NOMINAL,
        "name": Kind.IDENTIFIER,
        "OS.time": Kind.TIME,
        "one": Kind.NOMINAL,
    }
    assert labels["age"].values["p2"] == 3.0
    assert labels["one"].levels == ("x",)


def test_levels_without_a_codebook_are_in_natural_order(tmp_path: Path) -> None:
    path = table(tmp_path, "own.csv", "patient,c\na,c10\nb,c9\nc,c10\nd,c9\n")
    assert read_labels([path])["c"].levels == ("c9", "c10")


def test_tables_that_agree_are_one_label(tmp_path: Path) -> None:
    first = table(tmp_path, "first.csv", "patient,arm,x\na,1,u\nb,,u\nc,2,u\n")
    second = table(tmp_path, "second.csv", "PATIENT,arm\na,1\nb,3\nd,2\n")
    label = read_labels([first, second])["arm"]
    assert label.values.to_dict() == {"a": "1", "b": "3", "c": "2", "d": "2"}
    assert label.levels == ("1", "2", "3")
    assert label.sources == ("first", "second")


def test_levels_of_merged_tables_are_in_natural_order(tmp_path: Path) -> None:
    first = table(tmp_path, "first.csv", "patient,c\na,c1\nb,c3\n")
    second = table(tmp_path, "second.csv", "patient,c\nc,c10\nd,c2\n")
    assert read_labels([first, second])["c"].levels == ("c1", "c2", "c3", "c10")


def test_levels_of_merged_tables_keep_the_order_of_the_codebook(tmp_path: Path) -> None:
    codes = Codebook(
        frozenset(),
        (TableCodes(("size",), {"size": LabelCodes(Kind.NOMINAL, SIZES)}),),
    )
    first = table(tmp_path, "first.csv", "patient,size\na,3\nb,1\n")
    second = table(tmp_path, "second.csv", "patient,size\nc,2\n")
    labels = read_labels([first, second], codebook=codes)
    assert labels["size"].levels == ("small", "medium", "large")


def test_a_codebook_that_describes_no_table_is_refused(tmp_path: Path) -> None:
    own = table(tmp_path, "own.csv", "patient,grade\na,1\nb,2\n")
    book = tmp_path / "codebook.toml"
    book.write_text(
        '[[table]]\nrecognised_by = ["Grade", "idh"]\n[table.labels]\nGrade = "ordinal"\n'
    )
    with pytest.raises(InputError, match=r"codebook\.toml to describe .* \(Grade, idh\)"):
        read_labels(own, codebook=book)
    book.write_text('missing = ["unknown"]\n')
    assert read_labels(own, codebook=book)["grade"].levels == ("1", "2")


def test_tables_are_taken_as_paths_texts_and_in_memory(tmp_path: Path) -> None:
    path = table(tmp_path, "own.csv", "patient,arm\n7,x\n8,y\n")
    frame = pd.DataFrame({"patient": [7.0, 8.0], "arm": ["x", "y"]})
    expected = {"7": "x", "8": "y"}
    for source in (path, str(path), [path], frame, [frame], {"own": frame}, {"own": str(path)}):
        assert read_labels(source)["arm"].values.to_dict() == expected
    assert read_labels({"a:b": frame})["a:b:arm"].sources == ("a:b",)
    assert as_labels(read_labels(path))["arm"].values.to_dict() == expected


def test_no_table_is_refused() -> None:
    with pytest.raises(InputError, match="at least one table of labels"):
        read_labels([])


def test_an_infinite_number_is_no_number(tmp_path: Path) -> None:
    rows = "\n".join(f"p{i},{i}.5" for i in range(20))
    path = table(tmp_path, "own.csv", f"patient,age\n{rows}\nx,inf\n")
    assert read_labels(path)["age"].kind is Kind.IDENTIFIER


def contradicting(folder: Path) -> Labels:
    first = table(folder, "first.csv", "patient,arm\na,1\nb,2\nc,1\n")
    second = table(folder, "second.csv", "patient,arm\na,1\nb,1\nc,2\n")
    return read_labels([first, second])


def test_tables_that_contradict_each_other_are_refused_with_the_patients(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"agree on arm, found: patients b, c differ.*second:arm"):
        contradicting(tmp_path)["arm"]


def test_a_qualified_label_is_that_of_one_table(tmp_path: Path) -> None:
    labels = contradicting(tmp_path)
    assert labels["second:arm"].values.to_dict() == {"a": "1", "b": "1", "c": "2"}
    assert labels["second:arm"].name == "second:arm"
    assert "third:arm" not in labels


def test_tables_with_different_kinds_are_refused(tmp_path: Path) -> None:
    first = table(tmp_path, "first.csv", "patient,age\na,young\nb,old\n")
    ages = "\n".join(f"p{i},{i}.5" for i in range(20))
    second = table(tmp_path, "second.csv", f"patient,age\n{ages}\n")
    with pytest.raises(InputError, match="categorical in one and continuous in the other"):
        read_labels([first, second])["age"]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_few_numbers_of_one_table_are_numbers_where_another_has_many(order: slice) -> None:
    few = pd.DataFrame({"patient": ["a", "b", "c"], "age": [41, 60, 41]})
    many = pd.DataFrame({"patient": [f"p{i}" for i in range(20)], "age": range(30, 50)})
    tables = dict(list({"few": few, "many": many}.items())[order])
    label = read_labels(tables)["age"]
    assert (label.kind, label.levels, len(label.values)) == (Kind.CONTINUOUS, (), 23)
    assert label.values[["a", "p19"]].tolist() == [41.0, 49.0]


def test_an_absent_label_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no 'grade'\. The labels are: arm"):
        contradicting(tmp_path)["grade"]


def test_two_tables_of_one_name_are_refused(tmp_path: Path) -> None:
    paths = [table(tmp_path / f, "data.csv", "patient,arm\na,1\n") for f in ("x", "y")]
    with pytest.raises(InputError, match="found two called data"):
        read_labels(paths)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name,arm\na,1\n", "one column of patients, .* among: name, arm"),
        ("patient,arm\na,1\na,2\n", "one row per patient in .*, found several of: a"),
        ("patient,arm\na,1\n,2\n", "found none in line 3"),
        ("patient,arm,arm\na,1,2\n", "found twice: .*arm"),
        ("", "found an empty file"),
    ],
)
def test_a_bad_table_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read_labels([table(tmp_path, "labels.csv", text)])


def test_the_patient_column_can_be_named(tmp_path: Path) -> None:
    path = table(tmp_path, "labels.csv", "id,arm\na,1\n")
    assert read_labels([path], patient_column="id")["arm"].values.to_dict() == {"a": "1"}
    with pytest.raises(InputError, match="have the column subject"):
        read_labels([path], patient_column="subject")


def test_the_public_tables_agree_where_they_overlap_paper(dataset: Path) -> None:
    # Counts: the study's own table of the clusters, and the description of the data.
    folder = dataset.parents[1] / "tcga_lgg"
    paths = [dataset / "data.csv", folder / "idh_1p19q.csv", folder / "clinical.csv"]
    labels = read_labels(paths)
    for name in labels:
        assert labels[name].values.index.isin(list(labels.patients)).all()
    assert labels["RNASeqCluster"].values.value_counts().to_dict() == {
        "R2": 28,
        "R4": 27,
        "R1": 25,
        "R3": 12,
    }
    assert labels["idh_1p19q_buda_table2"].values.value_counts().to_dict() == {
        "IDHmut-non-codel": 56,
        "IDHmut-codel": 26,
        "IDHwt": 25,
    }
    assert len(labels["gender"].values) == 110
