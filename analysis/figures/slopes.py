"""Power laws: slopes of logarithms with their intervals, and how they are written."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

_LEAST = 2


@dataclass(frozen=True)
class Slope:
    """A fitted slope of log y over log x, its 95 % interval, and how many points it rests on."""

    slope: float
    low: float
    high: float
    points: int

    def text(self) -> str:
        """Write it, such as "-0.52 [-0.57, -0.48]"; without an interval where there is none."""
        if self.points < _LEAST:
            return "none"
        if not np.isfinite(self.low):
            return f"{self.slope:.2f}"
        return f"{self.slope:.2f} [{self.low:.2f}, {self.high:.2f}]"


def fitted_slope(x: ArrayLike, y: ArrayLike) -> Slope:
    """Fit log y = a + slope log x by least squares, with Student's interval of the residuals.

    Points that are not positive and finite are left out; fewer than two give no slope, two give no
    interval.
    """
    from scipy.stats import linregress, t

    across, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    known = np.isfinite(up) & (up > 0) & (across > 0)
    across, up = np.log(across[known]), np.log(up[known])
    if len(np.unique(across)) < _LEAST:
        return Slope(np.nan, np.nan, np.nan, 0)
    fit = linregress(across, up)
    free = len(across) - 2
    half = float(t.ppf(0.975, free)) * fit.stderr if free else np.nan
    return Slope(float(fit.slope), float(fit.slope - half), float(fit.slope + half), len(across))
