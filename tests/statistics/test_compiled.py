import pytest
from numba.core.caching import CacheImpl

from lggshape.statistics.compiled import compiled


def test_without_a_folder_for_what_is_compiled_analytic(monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a container where neither the package nor the home can be written.
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])

    @compiled
    def twice(number: int) -> int:
        return 2 * number

    assert twice(3) == 6
