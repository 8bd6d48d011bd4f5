"""Ordinary least squares by singular value decomposition, with what is needed to judge a fit.

beta = argmin |y - X beta|^2, the textbook's (X'X)^-1 X'y, without forming X'X: its condition number is the square of
X's, so half of the digits would be lost. Columns are scaled before solving; of many solutions (rank below the number
of columns) the one of least norm in the scaled columns is taken. Golub and Van Loan, "Matrix Computations", 5.3-5.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Values = NDArray[np.float64]


@dataclass(frozen=True)
class LeastSquares:
    """A fit of n observations by k columns of rank r."""

    coefficients: Values  # (k,), by column of the design matrix
    rank: int
    observations: int
    r_squared: float  # 1 - |residuals|^2 / |y - mean|^2; NaN when y is constant
    residual_deviation: float  # sqrt(|residuals|^2 / (n - r)); NaN when n = r
    _root: Values  # (k, r): _root @ _root.T = pseudo-inverse of X'X

    def predict(self, design: Values) -> Values:
        """Expected values for rows of a design matrix: (m, k) to (m,)."""
        return np.asarray(design @ self.coefficients)

    def deviation(self, design: Values) -> Values:
        """Standard deviation of a new observation around its prediction: s * sqrt(1 + x (X'X)^+ x'), (m,)."""
        return np.asarray(self.residual_deviation * np.sqrt(1.0 + self.leverage(design)))

    def leverage(self, design: Values) -> Values:
        """x (X'X)^+ x' of rows: how much the fit itself is uncertain there, in residual variances; (m,)."""
        return np.asarray(np.square(np.asarray(design) @ self._root).sum(axis=1))

    def interval(self, design: Values, coverage: float = 0.95) -> tuple[Values, Values]:
        """Prediction interval (low, high) of new observations, by Student's t with n - r degrees of freedom."""
        free = self.observations - self.rank
        half = special.stdtrit(free, 0.5 + coverage / 2.0) * self.deviation(design) if free > 0 else np.nan
        expected = self.predict(design)
        return expected - half, expected + half


def least_squares(design: Values, observed: Values) -> LeastSquares:
    """Fit ``observed`` (n,) by the columns of ``design`` (n, k); rows with a NaN in either are left out.

    Works for any n >= 0: with fewer rows than columns, or columns that depend on each other, the rank says so.
    """
    design, observed = np.asarray(design, np.float64), np.asarray(observed, np.float64)
    known = ~(np.isnan(observed) | np.isnan(design).any(axis=1))
    x, y = design[known], observed[known]
    size = np.sqrt(np.square(x).sum(axis=0))
    size[size == 0.0] = 1.0
    # Of a tall matrix the singular values are those of its triangle (QR first: Golub and Van Loan, 5.4.4).
    orthogonal, triangle = np.linalg.qr(x / size)
    left, singular, right = np.linalg.svd(triangle, full_matrices=False)
    tolerance = max(x.shape) * np.finfo(np.float64).eps * singular.max(initial=0.0)
    rank = int((singular > tolerance).sum())
    root = (right[:rank].T / singular[:rank]) / size[:, None]
    coefficients = root @ (left[:, :rank].T @ (orthogonal.T @ y))
    residuals = y - x @ coefficients
    squares, total = float(residuals @ residuals), float(np.square(y - y.mean()).sum()) if len(y) else 0.0
    free = len(y) - rank
    return LeastSquares(
        coefficients=coefficients,
        rank=rank,
        observations=len(y),
        r_squared=1.0 - squares / total if total > 0.0 else float("nan"),
        residual_deviation=float(np.sqrt(squares / free)) if free > 0 else float("nan"),
        _root=root,
    )
