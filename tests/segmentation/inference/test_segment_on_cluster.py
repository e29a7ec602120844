import shutil

import pytest

from helpers.case_files import contents
from lggshape.readers import open_cases
from lggshape.segmentation import segment_cases


@pytest.fixture(scope="module")
def scheduler():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp://",
        dashboard_address=None,
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


def test_a_cluster_gives_the_same_files_invariant(cohort, networks, tmp_path, scheduler):
    sources = open_cases(cohort)[:4]
    given = {"networks": networks, "maps": ("probability", "entropy")}
    segment_cases(sources, tmp_path / "here", **given)
    calls = []
    segment_cases(
        sources, tmp_path / "there", **given, scheduler=scheduler, on_progress=calls.append
    )
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert [one.done for one in calls] == [0, 1, 2, 3, 4]


def test_what_a_cluster_has_not_done_is_done_by_resume_invariant(
    cohort, networks, tmp_path, scheduler
):
    sources = open_cases(cohort)[:4]
    segment_cases(sources, tmp_path / "whole", networks=networks)
    out, found = tmp_path / "out", []
    segment_cases(sources[:2], out, networks=networks, scheduler=scheduler)
    segment_cases(
        sources, out, networks=networks, scheduler=scheduler, resume=True,
        on_result=lambda case, _: found.append(case),
    )  # fmt: skip
    assert found == [source.id for source in sources[2:]]
    assert contents(out) == contents(tmp_path / "whole")


def test_a_bad_case_on_a_cluster_has_its_reason(cohort, networks, tmp_path, scheduler):
    sources = open_cases(shutil.copytree(cohort, tmp_path / "cases"))[:3]
    for path in sources[1].path.iterdir():
        path.write_bytes(b"damaged")
    table = segment_cases(sources, tmp_path / "out", networks=networks, scheduler=scheduler)
    assert table.table["status"].tolist() == ["ok", "failed", "ok"]
    assert list(table.failures) == [sources[1].id]
