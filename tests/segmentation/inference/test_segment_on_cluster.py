import shutil
from contextlib import contextmanager

import pytest

from helpers.case_files import contents
from lggshape.errors import InputError
from lggshape.parallel import in_workers
from lggshape.readers import open_cases
from lggshape.segmentation import segment_cases


@contextmanager
def local_cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, protocol="tcp://",
            dashboard_address=":0",
        ) as cluster,
        in_workers(cluster.scheduler_address),
    ):  # fmt: skip
        yield cluster


def test_a_cluster_gives_the_same_files_invariant(cohort, networks, tmp_path):
    sources = open_cases(cohort)[:4]
    given = {"networks": networks, "maps": ("probability", "entropy")}
    segment_cases(sources, tmp_path / "here", **given)
    calls = []
    with local_cluster():
        segment_cases(sources, tmp_path / "there", **given, on_progress=calls.append)
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert [one.done for one in calls] == [0, 1, 2, 3, 4]


def test_what_a_cluster_has_not_done_is_done_by_resume_invariant(cohort, networks, tmp_path):
    sources = open_cases(cohort)[:4]
    segment_cases(sources, tmp_path / "whole", networks=networks)
    out, found = tmp_path / "out", []
    with local_cluster() as cluster:

        def lose_scheduler(progress):
            if progress.done == 2:
                cluster.close()

        with pytest.raises(InputError, match=r"Dask scheduler .* until the work is done"):
            segment_cases(sources, out, networks=networks, on_progress=lose_scheduler)
    with local_cluster():
        segment_cases(
            sources, out, networks=networks, resume=True,
            on_result=lambda case, _: found.append(case),
        )  # fmt: skip
    assert found == [source.id for source in sources[2:]]
    assert contents(out) == contents(tmp_path / "whole")


def test_a_bad_case_on_a_cluster_has_its_reason(cohort, networks, tmp_path):
    sources = open_cases(shutil.copytree(cohort, tmp_path / "cases"))[:3]
    for path in sources[1].path.iterdir():
        path.write_bytes(b"damaged")
    with local_cluster():
        table = segment_cases(sources, tmp_path / "out", networks=networks)
    assert table.table["status"].tolist() == ["ok", "failed", "ok"]
    assert list(table.failures) == [sources[1].id]
