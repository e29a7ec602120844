"""A sequence aligned with another one of the same head, by a rigid motion.

The motion is the one with the highest mutual information, which needs no likeness of intensities
[1]_: each sequence may be of another contrast. It is searched from where the headers place the two,
at 4 and then at 2 mm, with points drawn by a fixed seed and in one thread, so that it is the same
each time. A motion is believed if the search finds it again from beside it.

References
----------
.. [1] Mattes D, Haynor DR, Vesselle H, et al. PET-CT image registration in the chest using
   free-form deformations. IEEE Trans Med Imaging 2003; 22: 120-128.
"""

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Geometry, corners
from lggshape.extras import require
from lggshape.readers.unusable import UnusableError

_LEVELS = (4.0, 2.0)  # mm
_BINS = 32
_POINTS, _SEED = 40_000, 1  # that are compared
_FARTHEST, _STEEPEST = 50.0, 30.0  # mm and degrees: what a head moves between two sequences
_BESIDE = (0.04, -0.04, 0.04, 3.0, -3.0, 3.0)  # radians and mm: a few voxels of the last level
_AGREEMENT = 2.0  # mm; with larger voxels, one of them


class Registration(NamedTuple):
    """How a volume lies to another one.

    Attributes
    ----------
    matrix : ndarray of shape (4, 4)
        Maps places in the fixed volume to those in the moving one that show the same, in mm.
    moved : float
        How far the corner of the fixed volume that moves most does so, in mm.
    """

    matrix: NDArray[np.float64]
    moved: float


def register(
    moving: NDArray[np.generic],
    moving_geometry: Geometry,
    fixed: NDArray[np.generic],
    fixed_geometry: Geometry,
) -> Registration:
    """Find the rigid motion between two sequences of one head.

    Parameters
    ----------
    moving, fixed : ndarray of shape (Z, Y, X)
        Intensities.
    moving_geometry, fixed_geometry : Geometry
        Where they lie, with affines.

    Returns
    -------
    Registration
        The motion. None, of 0 mm, if no other makes the two fit better.

    Raises
    ------
    UnusableError
        If a volume has values that are not finite or all the same, or the motion is not to be
        believed: larger than a head moves between two sequences, or not found again.
    """
    require("SimpleITK", "to align sequences")
    import SimpleITK as sitk  # noqa: N813

    images = [_image(fixed, fixed_geometry), _image(moving, moving_geometry)]
    start = sitk.Euler3DTransform()
    size = images[0].GetSize()
    start.SetCenter(
        images[0].TransformContinuousIndexToPhysicalPoint([(length - 1) / 2 for length in size])
    )
    method = _method()
    found, before, after = start, 0.0, 0.0
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    # Sums in several threads differ in their last digits.
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        for number, level in enumerate(_LEVELS):
            pair = [_shrunk(image, level) for image in images]
            share = min(1.0, _POINTS / pair[0].GetNumberOfPixels())
            method.SetMetricSamplingPercentage(share, _SEED)
            if number == len(_LEVELS) - 1:
                method.SetInitialTransform(start, inPlace=False)
                before = method.MetricEvaluate(*pair)
            found, after = _search(method, pair, found)
        beside = sitk.Euler3DTransform(found)
        beside.SetParameters(np.add(found.GetParameters(), _BESIDE).tolist())
        again, _ = _search(method, pair, beside)
    except RuntimeError as error:
        # Without the address in memory of what failed.
        why = re.sub(r"\(0x[0-9a-f]+\)", "", str(error).strip().splitlines()[-1])
        msg = f"no motion that aligns it with the other ({why})"
        raise UnusableError(msg) from error
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    assert fixed_geometry.affine is not None
    ends = corners(fixed_geometry.affine, fixed.shape)
    moved, repeated = (_moved(transform, ends) for transform in (found, again))
    apart = float(np.linalg.norm(moved - repeated, axis=1).max())
    if apart > max(_AGREEMENT, *images[0].GetSpacing()):
        msg = f"two motions {apart:.1f} mm apart that align it with the other about as well"
        raise UnusableError(msg)
    angle, centre = _size(found)
    if angle > _STEEPEST or centre > _FARTHEST:
        msg = f"a motion of {centre:.0f} mm and {angle:.0f} degrees, larger than a head moves"
        raise UnusableError(msg)
    if after >= before:  # the lower the better
        return Registration(np.eye(4), 0.0)
    far = float(np.linalg.norm(moved - ends, axis=1).max())
    return Registration(_matrix(found), far)


def _image(values: NDArray[np.generic], geometry: Geometry) -> Any:
    """Return a volume as SimpleITK has it, in the places of its affine."""
    import SimpleITK as sitk  # noqa: N813

    assert geometry.affine is not None
    intensities = values.astype(np.float32)
    if not np.isfinite(intensities).all() or intensities.min() == intensities.max():
        msg = "intensities that are not finite or all the same, and cannot be registered"
        raise UnusableError(msg)
    image = sitk.GetImageFromArray(intensities)
    axes = geometry.affine[:3, [2, 1, 0]]
    sizes = np.linalg.norm(axes, axis=0)
    image.SetSpacing(sizes.tolist())
    image.SetDirection((axes / sizes).ravel().tolist())
    image.SetOrigin(geometry.affine[:3, 3].tolist())
    return image


def _shrunk(image: Any, level: float) -> Any:
    """Average voxels until they are about as large as the level."""
    import SimpleITK as sitk  # noqa: N813

    factors = [
        max(1, min(round(level / size), length))
        for size, length in zip(image.GetSpacing(), image.GetSize(), strict=True)
    ]
    return sitk.BinShrink(image, factors)


def _method() -> Any:
    import SimpleITK as sitk  # noqa: N813

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=1.0, minStep=1e-3, numberOfIterations=100, gradientMagnitudeTolerance=1e-6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    return method


def _search(method: Any, pair: list[Any], start: Any) -> tuple[Any, float]:
    """Return the best motion near another one, and how well the two fit then."""
    import SimpleITK as sitk  # noqa: N813

    found = sitk.Euler3DTransform(start)
    method.SetInitialTransform(found, inPlace=True)
    method.Execute(*pair)
    return found, float(method.MetricEvaluate(*pair))


def _moved(transform: Any, points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([transform.TransformPoint(point) for point in points.tolist()])


def _matrix(transform: Any) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    for axis in range(3):
        unit = np.eye(3)[axis].tolist()
        matrix[:3, axis] = np.subtract(transform.TransformPoint(unit), matrix[:3, 3])
    return matrix


def _size(transform: Any) -> tuple[float, float]:
    """Return the angle of a rotation in degrees, and how far its centre moves."""
    turned = _matrix(transform)[:3, :3]
    angle = np.degrees(np.arccos(np.clip((np.trace(turned) - 1) / 2, -1, 1)))
    return float(angle), float(np.linalg.norm(transform.GetTranslation()))
