"""Arguments as real, finite numbers; errors name the argument."""

import numpy as np


def real(name, value):
    """An array of float64, without a copy where it is one."""
    try:
        found = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if found.dtype.kind not in "biufO":
        raise TypeError(f"{name}: real numbers are needed, not {found.dtype}")
    try:
        found = found.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    finite = np.isfinite(found)
    if not finite.all():
        place = tuple(int(axis) for axis in np.unravel_index(finite.argmin(), found.shape))
        where = f"[{', '.join(map(str, place))}]" if place else ""
        raise ValueError(f"{name}{where} is {found[place]}: every entry must be finite")
    return found


def number(name, value):
    """A float."""
    found = real(name, value)
    if found.size != 1:
        raise ValueError(f"{name}: shape {found.shape}; a number is needed")
    return float(found.ravel()[0])


def corners(lower, upper):
    """Two corners of a box as lists."""
    return real("lower", lower).ravel().tolist(), real("upper", upper).ravel().tolist()
