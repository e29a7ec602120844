import numpy as np

from lggshape.case import Case

NAMES = ("pre-contrast", "FLAIR", "post-contrast")


def case_of(*channels: np.ndarray, sequences: tuple[str, ...]) -> Case:
    return Case("a", "a", image=np.stack(channels, axis=-1), sequences=sequences)


def test_copies_of_flair_constant_and_absent_channels_are_missing_invariant() -> None:
    rng = np.random.default_rng(0)
    flair, other = rng.integers(0, 255, (2, 3, 8, 8)).astype(np.uint8)
    whole = case_of(other, flair, other, sequences=NAMES)
    assert whole.missing_sequences(NAMES) == ()
    filled = case_of(flair, flair, np.full_like(flair, 7), sequences=NAMES)
    assert filled.missing_sequences(NAMES) == ("pre-contrast", "post-contrast")
    alone = case_of(flair, sequences=("FLAIR",))
    assert alone.missing_sequences(NAMES) == ("pre-contrast", "post-contrast")
    assert alone.missing_sequences(("FLAIR",)) == ()
    assert Case("a", "a").missing_sequences(NAMES) == NAMES


def test_a_single_voxel_tells_a_sequence_from_flair_invariant() -> None:
    flair = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    nearly = flair.copy()
    nearly[0, 0, 0] += 1
    case = case_of(nearly, flair, flair, sequences=NAMES)
    assert case.missing_sequences(NAMES) == ("post-contrast",)
