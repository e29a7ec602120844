import math
import operator
import socket
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from lggshape.errors import CaseError, InputError
from lggshape.parallel import cluster, in_workers, map_all, map_cases
from lggshape.readers.source import UnreadableCase

distributed = pytest.importorskip("distributed")

READ = operator.methodcaller("read")
DEATH = "__import__('os')._exit(1)"


@pytest.fixture(scope="module")
def scheduler():
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        protocol="tcp://",
        dashboard_address=":0",
    ) as local:
        yield local.scheduler_address


@pytest.fixture
def on_cluster(scheduler):
    with in_workers(scheduler):
        yield


@pytest.fixture
def other_process():
    """Yield a scheduler and a worker that are a process of their own, and its address."""
    script = (
        "import distributed, time\n"
        "with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False,\n"
        "                              protocol='tcp://', dashboard_address=':0') as local:\n"
        "    print(local.scheduler_address, flush=True)\n"
        "    time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


def values(outcomes):
    return [outcome.value for outcome in outcomes]


def test_a_cluster_gives_the_same_outcomes_invariant(scheduler):
    items = [4, -1, 9]
    with in_workers(scheduler):
        there = list(map_cases(math.sqrt, items))
    here = list(map_cases(math.sqrt, items, jobs=1))
    assert values(there) == values(here) == [2, None, 3]
    assert [str(outcome.error) for outcome in there] == [str(outcome.error) for outcome in here]


@pytest.mark.usefixtures("on_cluster")
def test_what_fails_there_is_told_here(caplog):
    bad = UnreadableCase("A", "A", Path(), has_image=False, has_mask=False, reason="No A.")
    (outcome,) = map_cases(READ, [bad])
    assert (type(outcome.error), str(outcome.error)) == (CaseError, "No A.")
    with pytest.raises(ZeroDivisionError):
        list(map_all(eval, ["1", "1 / 0"]))
    list(map_cases(eval, ["1 / 0", "__import__('warnings').warn('Odd.')"]))
    assert "in _call" in caplog.text.partition("Traceback")[2]
    assert "UserWarning: Odd." in caplog.text


@pytest.mark.usefixtures("on_cluster")
def test_a_worker_does_one_item_at_a_time():
    # More items than are sent before their turn, on two threads.
    asleep = "(__import__('time').monotonic(), __import__('time').sleep(0.02))[0]"
    begun = sorted(values(map_cases(eval, [asleep] * 9)))
    assert min(after - before for before, after in pairwise(begun)) >= 0.02


@pytest.mark.usefixtures("on_cluster")
def test_a_cluster_can_be_left_early():
    outcomes = map_cases(math.sqrt, range(20))
    assert next(outcomes).value == 0
    outcomes.close()
    assert values(map_cases(math.sqrt, [1, 4])) == [1, 2]


def fail_to_load():
    raise ImportError("no such package")


class UnknownThere:
    def __reduce__(self):
        return fail_to_load, ()


@pytest.mark.parametrize(
    ("function", "item", "found"),
    [(str, threading.Lock(), "can be sent to other processes, found: .*lock"),
     (eval, "__import__('threading').Lock()", "can be sent to other processes, found: .*lock"),
     (str, UnknownThere(), "the packages of this environment, found: .*no such package")],
)  # fmt: skip
@pytest.mark.usefixtures("on_cluster")
def test_what_cannot_be_sent_is_refused(function, item, found):
    with pytest.raises(InputError, match=found):
        list(map_cases(function, [item]))


def test_a_death_costs_only_the_item_that_causes_it():
    dask = pytest.importorskip("dask")
    # Without a second chance, what waits on the same worker seems to have caused it, too.
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=":0"
        ) as local,
        in_workers(local.scheduler_address),
    ):
        outcomes = list(map_cases(eval, ["0", DEATH, "2", "3"]))
    assert values(outcomes) == [0, None, 2, 3]
    assert "the Dask workers working on it died" in str(outcomes[1].error)


def test_a_scheduler_that_dies_ends_the_work(other_process):
    process, address = other_process
    with in_workers(address):
        outcomes = map_cases(eval, ["1", "__import__('time').sleep(60)", "3"])
        assert next(outcomes).value == 1
        process.kill()
        with pytest.raises(
            InputError, match=f"the Dask scheduler at {address} to run until .* it is gone"
        ):
            next(outcomes)
        begun = time.monotonic()
        with pytest.raises(InputError, match="it is gone"):
            list(map_cases(eval, ["1"]))
    assert time.monotonic() - begun < 5


def test_workers_that_do_not_come_are_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr(cluster, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(cluster, "_WORKERLESS_SECONDS", 0.2)
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, protocol="tcp://", dashboard_address=":0"
        ) as local,
        in_workers(local.scheduler_address),
        pytest.raises(InputError, match=r"no worker for 0\.2 seconds"),
    ):
        list(map_cases(eval, ["1"]))


@pytest.mark.parametrize(
    "address",
    ["tcp://127.0.0.1:1", "tcp://no-such-host.invalid:8786", "nonsense://127.0.0.1", "8786", ""],
)
def test_a_scheduler_that_is_not_there(monkeypatch, address):
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.2)
    with (
        pytest.raises(InputError, match=f"a Dask scheduler at {address}, found.*Start one"),
        in_workers(address),
    ):
        pass


@pytest.mark.parametrize("banner", [b"", b"SSH-2.0-OpenSSH_9.2p1 Debian"])
def test_a_server_that_is_no_scheduler(monkeypatch, banner):
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"

        def answer():
            with server.accept()[0] as connection:
                connection.sendall(banner)
                connection.recv(10_000)
                connection.recv(1)  # until the other side gives up

        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(InputError, match="a Dask scheduler at"), in_workers(address):
            pass
        answering.join()


def test_a_missing_extra_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(InputError, match=r'pip install "lggshape\[dask\]"'),
        in_workers("tcp://127.0.0.1:8786"),
    ):
        pass
