"""The leading principal directions of a set of models, a few or a thousand of them.

Shape suffixes: M models, N columns found so far, B columns of a block, Z directions. The matrix is D C D, with D the
diagonal of `root_M`. Source: Golub and Underwood 1977 (block Lanczos), orthogonalised in full; Golub and Van Loan 2013,
section 10.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from tournament.selectors.protocol import Floats
from tournament.selectors.sketch import Sketch

Singles = NDArray[np.float32]
FEW = 200
"""Up to so many models all directions are found at once, beyond only the leading ones."""
BLOCK, BLOCKS = 8, (5, 6, 7, 8, 10, 12, 16)
"""Columns of a block, and after how many blocks to look whether they are enough: a look costs less than a block."""
CONVERGED = 1e-4
"""Residual of a direction as a share of its eigenvalue."""
SAME = 1e-4
"""Eigenvalues nearer than this share of the largest count as equal."""


def leading(correlations_MM: Floats | Sketch, root_M: Floats, wanted: int) -> tuple[Floats, Floats, Floats]:
    """The largest eigenvalues of D C D, falling (Z), their vectors, and the matrix times these (M x Z both).

    Fewer than wanted where the last would be parted from an equal one: which of the two came first would be chance.
    The same for models in any order, up to rounding.
    """
    if isinstance(correlations_MM, Sketch):
        return _by_restarts(correlations_MM, root_M, min(wanted, len(root_M) - 2))
    if len(correlations_MM) <= FEW:
        matrix_MM = correlations_MM * np.outer(root_M, root_M)
        values, vectors = np.linalg.eigh(matrix_MM)
        value_Z, vector_MZ = _apart(values, vectors, wanted)
        return value_Z, vector_MZ, matrix_MM @ vector_MZ
    found = _by_blocks(np.asarray(correlations_MM, dtype=np.float32), root_M.astype(np.float32), wanted)
    return _by_restarts(correlations_MM, root_M, wanted) if found is None else found


def _apart(values: Floats, vectors: Floats, wanted: int) -> tuple[Floats, Floats]:
    """The largest, up to the last that is apart from the next."""
    order = np.argsort(-values)[: wanted + 1]
    values, vectors = values[order], vectors[:, order]
    falls = np.flatnonzero(values[:-1] - values[1:] > SAME * values[0]) + 1
    kept = int(falls[-1]) if len(falls) else min(wanted, len(values))
    return values[:kept], vectors[:, :kept]


def _by_blocks(
    correlations_MM: Singles, root_M: Singles, wanted: int
) -> tuple[Floats, Floats, Floats] | None:  # fmt: skip
    """Directions in the space that a few blocks span; None where all of them are not enough to be sure.

    In single precision, which is that of the correlations of a history.
    """
    basis_NM = np.zeros((BLOCK * BLOCKS[-1], len(root_M)), dtype=np.float32)
    images_NM = np.zeros_like(basis_NM)
    try:
        block_BM = _orthonormal(_start(correlations_MM, root_M))
        for place in range(BLOCKS[-1]):
            rows, so_far = slice(BLOCK * place, BLOCK * (place + 1)), BLOCK * (place + 1)
            basis_NM[rows] = block_BM
            images_NM[rows] = block_BM = np.asarray((block_BM * root_M) @ correlations_MM * root_M)
            if place + 1 in BLOCKS and (found := _inside(basis_NM[:so_far], images_NM[:so_far], wanted)) is not None:
                return found
            for _ in range(2):  # once leaves rounding errors that grow from block to block
                block_BM = _orthonormal(block_BM - (block_BM @ basis_NM[:so_far].T) @ basis_NM[:so_far])
    except np.linalg.LinAlgError:
        pass
    return None


def _inside(basis_NM: Singles, images_NM: Singles, wanted: int) -> tuple[Floats, Floats, Floats] | None:
    """The directions within a span (Rayleigh and Ritz), None where one of them is not yet an eigenvector."""
    inside_NN = (basis_NM @ images_NM.T).astype(float)
    values, turns = np.linalg.eigh((inside_NN + inside_NN.T) / 2.0)
    value_Z, turn_NZ = _apart(values, turns, wanted)
    turn_ZN = turn_NZ.T.astype(np.float32)
    vector_MZ, image_MZ = ((turn_ZN @ rows).T.astype(float) for rows in (basis_NM, images_NM))
    left_Z = np.linalg.norm(image_MZ - vector_MZ * value_Z, axis=0)
    return (value_Z, vector_MZ, image_MZ) if (left_Z < CONVERGED * value_Z).all() else None


def _start(correlations_MM: Singles, root_M: Singles) -> Singles:
    """What to begin with (B x M): the mean of all models, then what is left of those that it says least of.

    Pivoted Cholesky columns: they go with the models, in whatever order these stand.
    """
    block_BM = np.zeros((BLOCK, len(root_M)), dtype=np.float32)
    block_BM[0] = correlations_MM @ root_M * root_M
    block_BM[0] /= np.sqrt(np.maximum(block_BM[0] @ root_M, 1e-12))
    left_M = correlations_MM.diagonal() * root_M**2 - block_BM[0] ** 2
    for place in range(1, BLOCK):
        model = int(left_M.argmax())
        column_M = correlations_MM[model] * root_M[model] * root_M - block_BM[:place, model] @ block_BM[:place]
        block_BM[place] = column_M / np.sqrt(np.maximum(left_M[model], 1e-12))
        left_M = left_M - block_BM[place] ** 2
    return block_BM


def _orthonormal(block_BM: NDArray[np.floating[Any]]) -> Singles:
    """The same span, rows of length one at right angles. Raises LinAlgError where the rows do not span a block."""
    gram_BB = (block_BM @ block_BM.T).astype(float)
    turn_BB = np.linalg.inv(np.linalg.cholesky(gram_BB))
    if not np.abs(turn_BB).max() * np.sqrt(gram_BB.diagonal().min()) < 1e6:
        raise np.linalg.LinAlgError("the rows of a block depend on each other")
    return np.asarray(turn_BB.astype(np.float32) @ block_BM)


def _by_restarts(
    correlations_MM: Floats | Sketch, root_M: Floats, wanted: int
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """The same by implicitly restarted Lanczos (ARPACK), which goes on until it is sure; always from the same start."""
    models = len(root_M)
    matrix = LinearOperator(
        (models, models), matvec=lambda values: correlations_MM @ (values.ravel() * root_M) * root_M, dtype=float
    )
    values, vectors = eigsh(matrix, k=wanted + 1, v0=root_M, tol=CONVERGED)
    value_Z, vector_MZ = _apart(values, vectors, wanted)
    return value_Z, vector_MZ, np.column_stack([matrix @ vector_M for vector_M in vector_MZ.T])
