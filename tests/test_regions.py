import pickle

import pytest

from lggshape.errors import InputError
from lggshape.regions import BUNDLED, read_regions, regions_of_values


def of(regions, *values):
    return tuple(sorted(one) for one in regions.coding_of(values).values())


@pytest.mark.parametrize(
    ("found", "whole", "core", "enhancing"),
    [
        # Bakas et al. 2018, arXiv 1811.02629: 1 necrosis, 2 oedema, 4 enhancing; 3 since 2023.
        ((1, 2, 4), [1, 2, 4], [1, 4], [4]),
        ((2, 4), [1, 2, 4], [1, 4], [4]),
        ((1, 2, 3), [1, 2, 3], [1, 3], [3]),
        ((3,), [1, 2, 3], [1, 3], [3]),
    ],
)
def test_the_coding_of_brats_follows_from_the_values_analytic(found, whole, core, enhancing):
    assert of(BUNDLED["brats"], *found) == (whole, core, enhancing)


@pytest.mark.parametrize("found", [(1, 2), (1,), (2,), ()])
def test_where_both_codings_agree_neither_is_needed_invariant(found):
    for values in BUNDLED["brats"].coding_of(found).values():
        other = {one & set(found) for one in (values, values - {4} | {3}, values - {3} | {4})}
        assert len(other) == 1


@pytest.mark.parametrize("found", [(1, 2, 3, 4), (3, 4), (5,), (1, 2, 4, 9)])
def test_values_of_no_coding_are_refused_analytic(found):
    listed = ", ".join(map(str, found))
    wanted = rf"the values of brats \(1, 2, 4 or 1, 2, 3\), found {listed}\."
    with pytest.raises(InputError, match=wanted):
        BUNDLED["brats"].coding_of(found)


def test_the_first_challenges_had_another_coding_analytic():
    # Menze et al. 2015: 1 necrosis, 2 oedema, 3 non-enhancing, 4 enhancing.
    regions = read_regions("brats2013")
    assert of(regions, 1, 2, 3, 4) == ([1, 2, 3, 4], [1, 3, 4], [4])
    assert of(regions, 1, 2, 3) == ([1, 2, 3, 4], [1, 3, 4], [4])


def test_codings_that_contradict_each_other_decide_nothing_analytic():
    brats = BUNDLED["brats"]
    both = type(brats)("both", (*brats.codings, *BUNDLED["brats2013"].codings), complete=True)
    assert of(both, 1, 2) == of(brats, 1, 2)
    with pytest.raises(InputError, match="found 1, 2, 3"):
        both.coding_of([1, 2, 3])


def test_a_file_and_a_mapping_are_alike_invariant(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("core = [1, 4]\noedema = [2]\n", encoding="utf-8")
    from_file, mapped = read_regions(path), read_regions({"core": [1, 4], "oedema": (2,)})
    assert from_file.codings == mapped.codings
    assert read_regions(str(path)) == from_file == read_regions(from_file)
    assert from_file.names == ("core", "oedema")
    # Values that are in no region are outside.
    assert of(from_file, 1, 2, 4, 7) == ([1, 4], [2])
    assert pickle.loads(pickle.dumps(from_file)) == from_file
    assert hash(from_file) == hash(read_regions(path))


@pytest.mark.parametrize(
    ("regions", "whole"),
    [
        ("brats", "whole_tumour"),
        ({"core": [1], "all": [1, 2]}, "all"),
        ({"core": [1], "oedema": [2]}, ""),
        ({"tumour": [7]}, "tumour"),
    ],
)
def test_the_region_that_holds_all_others_analytic(regions, whole):
    assert read_regions(regions).whole == whole


@pytest.mark.parametrize(
    ("regions", "found"),
    [
        ({}, "found none"),
        ({"core": []}, r"found \[\]"),
        ({"core": 1}, "found 1"),
        ({"core": "1"}, "found '1'"),
        ({"core": [0]}, r"found \[0\]"),
        ({"core": [1.5]}, r"found \[1.5\]"),
        ({"core": [True]}, r"found \[True\]"),
        ({"core": [1, 1]}, r"found \[1, 1\]"),
        ({"core": [70000]}, "from 1 to 65535"),
        ({"a/b": [1]}, "a separator of folders"),
        ({"": [1]}, "an empty name"),
        ({1: [1]}, "no text"),
        ("BraTS", "brats, brats2013, names or a TOML file"),
        ("none.toml", "No such file"),
    ],
)
def test_unusable_regions_are_refused_analytic(regions, found):
    with pytest.raises(InputError, match=found):
        read_regions(regions)


def test_values_alone_are_one_region_analytic():
    regions = regions_of_values([4, 1])
    assert regions.names == ("1+4",)
    assert of(regions, 1, 2) == ([1, 4],)
    with pytest.raises(InputError, match="each once"):
        regions_of_values([1, 1])
