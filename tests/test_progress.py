from lggshape.progress import Progress, counter


def test_progress_is_told_at_once_and_after_each_unit_analytic() -> None:
    seen: list[Progress] = []
    advance = counter(seen.append, "measuring", 2)
    advance()
    advance()
    assert seen == [("measuring", 0, 2), ("measuring", 1, 2), ("measuring", 2, 2)]


def test_without_a_listener_nothing_happens_analytic() -> None:
    counter(None, "measuring", 1)()
