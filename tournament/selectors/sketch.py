"""How alike many models are without the table of all pairs: C ~ L L' + what is left of each family of copies.

Shape suffixes: N assets, M models, K factors, F families, H models held. For standardised predictions P, L = P'Q /
sqrt(N) with Q an orthonormal basis of the assets' leading directions. What L leaves of a model's variance is its own,
but for near copies, whose rests are the same rest: a family has one, else clones would look like different models.
Source: Halko, Martinsson and Tropp 2011, algorithm 4.4 (the basis); the shared rests are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from tournament.errors import BadInput, Fault

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
EXACT_MODELS = 2_000
"""Up to so many models the table of all pairs is kept."""
FACTORS = 256
OVER, POWERS = 16, 2
"""More directions than wanted, and rounds of refinement, for the basis."""
FAMILY = 0.99
"""Models more alike than this are a family of copies."""
SQUARINGS = 6
"""Copies are counted by C^64, as in the allocator."""
ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """A matrix of correlations as factors (M x K), a family's label (M) and its rest (M, the same in a family)."""

    factor_MK: Singles
    family_M: NDArray[np.intp]
    rest_M: Floats

    __array_ufunc__ = None  # a vector times a sketch is the sketch's business, not numpy's

    def __post_init__(self) -> None:
        """Refuse shapes that do not meet. Raises BadInput."""
        shapes = (len(self.factor_MK), len(self.family_M), len(self.rest_M))
        if len(set(shapes)) > 1:
            raise BadInput(Fault("shape", f"a sketch of {shapes} rows of factors, families and rests does not meet"))

    def __len__(self) -> int:
        return len(self.rest_M)

    def __matmul__(self, values_M: Floats) -> Floats:
        """C times a vector (M), in M K steps."""
        by_family = np.bincount(self.family_M, weights=values_M)[self.family_M]
        return np.asarray(self.factor_MK @ (values_M @ self.factor_MK) + self.rest_M * by_family)

    def __rmatmul__(self, values_M: Floats) -> Floats:
        """The same from the left: C is symmetric."""
        return self @ values_M

    def diagonal(self) -> Floats:
        """Correlation of each model with itself (M): 1, but for models without variance."""
        return np.asarray(np.einsum("mk,mk->m", self.factor_MK, self.factor_MK) + self.rest_M)

    def take(self, chosen: NDArray[np.intp]) -> Sketch:
        """The sketch of some of the models."""
        family_H = np.unique(self.family_M[chosen], return_inverse=True)[1]
        return replace(self, factor_MK=self.factor_MK[chosen], family_M=family_H, rest_M=self.rest_M[chosen])

    def placed(self, columns: NDArray[np.intp], models: int) -> Sketch:
        """The same models in these places among more, of which nothing is known."""
        factor_MK = np.zeros((models, self.factor_MK.shape[1]), dtype=np.float32)
        rest_M, family_M = np.zeros(models), len(self) + np.arange(models)
        factor_MK[columns], rest_M[columns], family_M[columns] = self.factor_MK, self.rest_M, self.family_M
        return Sketch(factor_MK, np.unique(family_M, return_inverse=True)[1], rest_M)

    def rows(self, chosen: NDArray[np.intp]) -> Floats:
        """Rows of C of a few models (H x M)."""
        chosen = np.asarray(chosen)
        same_HM = self.family_M[chosen][:, None] == self.family_M
        return np.asarray(self.factor_MK[chosen] @ self.factor_MK.T + same_HM * self.rest_M[chosen][:, None])

    def copies(self, active_M: NDArray[np.bool_]) -> Floats:
        """How many active models each model stands for (M), a few rows at a time."""
        counted_M, out_M = active_M.astype(float), np.ones(len(self))
        for first in range(0, len(self), ROWS_AT_ONCE):
            chosen = np.arange(first, min(first + ROWS_AT_ONCE, len(self)))
            alike = np.clip(self.rows(chosen), 0.0, 1.0)
            for _ in range(SQUARINGS):
                np.multiply(alike, alike, out=alike)
            out_M[chosen] = alike @ counted_M
        return np.maximum(out_M, 1.0)


def sketch(standard_NM: NDArray[np.floating[Any]], *, factors: int = FACTORS) -> Sketch:
    """The sketch of standardised predictions (N x M; a constant model all zeros), the same for any order of models.

    In single precision. Memory is N x M and M x K; families are found a few rows at a time.
    """
    standard_NM = np.asarray(standard_NM, dtype=np.float32)
    assets, models = standard_NM.shape
    wanted = min(factors, assets, models)
    drawn_NK = np.random.default_rng(0).standard_normal((assets, min(wanted + OVER, assets)))
    basis_NK = np.linalg.qr(drawn_NK.astype(np.float32))[0]
    family_M = _families(standard_NM)
    share_M1 = (1.0 / np.bincount(family_M)[family_M]).astype(np.float32)[:, None]  # else factors lean to a flood
    for _ in range(POWERS):
        basis_NK = np.linalg.qr(standard_NM @ (share_M1 * (standard_NM.T @ basis_NK)) / assets)[0]
    factor_MK = standard_NM.T @ basis_NK / np.sqrt(np.float32(assets))
    turn_KK = np.linalg.eigh((factor_MK.T @ (share_M1 * factor_MK)).astype(float))[1][:, ::-1][:, :wanted]
    factor_MK = factor_MK @ turn_KK.astype(np.float32)
    told_M = np.einsum("mk,mk->m", factor_MK, factor_MK, dtype=float)
    rest_M = np.maximum(np.einsum("nm,nm->m", standard_NM, standard_NM, dtype=float) / assets - told_M, 0.0)
    rest_F = np.bincount(family_M, weights=rest_M) / np.bincount(family_M)
    return Sketch(factor_MK, family_M, rest_F[family_M])


def _families(standard_NM: Singles) -> NDArray[np.intp]:
    """Labels of near copies, by the first model that each is like, told from a random projection of the assets.

    Its error falls with the distance: exact copies are always found, and who is about as alike as the bound may come to
    stand on either side of it, which changes next to nothing, for such models have little rest to share.
    """
    assets, models = standard_NM.shape
    turn_NK = np.random.default_rng(1).standard_normal((assets, FACTORS)).astype(np.float32)
    near_MK = standard_NM.T @ turn_NK
    near_MK = near_MK / np.maximum(np.linalg.norm(near_MK, axis=1, keepdims=True), 1e-12)
    first_M = np.arange(models)
    for first in range(0, models, ROWS_AT_ONCE):
        rows = np.arange(first, min(first + ROWS_AT_ONCE, models))
        alike = near_MK[rows] @ near_MK.T > FAMILY
        alike[np.arange(len(rows)), rows] = True  # a constant model is like no other
        first_M[rows] = alike.argmax(axis=1)
    graph = coo_array((np.ones(models), (np.arange(models), first_M)), shape=(models, models))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Penalized:
    """A sketch with something more on its diagonal (M): what the allocator minimises over."""

    sketch: Sketch
    own_M: Floats

    def __matmul__(self, values_M: Floats) -> Floats:
        """Times a vector (M)."""
        return np.asarray(self.sketch @ values_M + self.own_M * values_M)

    def solve(self, held: NDArray[np.intp], linear_H: Floats) -> Floats:
        """The solution for the models held alone (H), others at zero.

        Twice by Sherman, Morrison and Woodbury: first the diagonal with each family's shared rest, then the factors.
        """
        part, own_H = self.sketch.take(held), self.own_M[held]
        factor_HK = part.factor_MK.astype(float)
        load_H = np.bincount(part.family_M, weights=1.0 / own_H)[part.family_M]
        pull_H = part.rest_M / (1.0 + part.rest_M * load_H) / own_H

        def apart(values: Floats) -> Floats:
            """The inverse of the diagonal and the shared rests, times columns (H x columns)."""
            scaled = values / own_H[:, None]
            membership = csr_array((np.ones(len(held)), (part.family_M, np.arange(len(held)))))
            return np.asarray(scaled - pull_H[:, None] * (membership @ scaled)[part.family_M])

        both = apart(np.column_stack([linear_H, factor_HK]))
        first_H, factors_HK = both[:, 0], both[:, 1:]
        inside_KK = np.eye(factor_HK.shape[1]) + factor_HK.T @ factors_HK
        return np.asarray(first_H - factors_HK @ cho_solve(cho_factor(inside_KK), factor_HK.T @ first_H))
