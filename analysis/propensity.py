"""Non-response classes from the modelled probability to answer.

A logistic regression of answering on what is known of everybody asked; its fitted
probabilities are cut at their quantiles, and the classes go to ``weights.nonresponse``.
Source: Little 1986 (Int. Stat. Rev. 54); R-indicator: Schouten, Cobben and Bethlehem 2009
(Surv. Meth. 35).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.columns import Floats, Groups, flags, positive_or_zero
from analysis.errors import BadColumn, BadOption, listed
from analysis.regression import logistic_fit, term_matrix


def propensities(responded: Any, x: Mapping[str, Any], weights: Any = None) -> Floats:
    """Modelled probability to answer, by row; text columns of ``x`` become indicators."""
    rows = len(responded)
    answered = flags(responded, 'responded', rows).astype(np.float64)
    names, matrix = term_matrix(x, rows)
    gaps = [name for name, column in zip(names, matrix.T, strict=True) if np.isnan(column).any()]
    if gaps:
        raise BadColumn(
            f'{listed(gaps)} is missing in some rows.',
            'Use what is known of everybody asked, or a category for "not known".',
        )
    used = np.ones(rows) if weights is None else positive_or_zero(weights)
    _, _, left = logistic_fit(matrix, answered, used, names)
    return np.asarray(answered - left)


def propensity_classes(
    responded: Any, x: Mapping[str, Any], *, weights: Any = None, classes: int = 5
) -> Groups:
    """Classes of about equal size by the propensity to answer, lowest first."""
    if classes < 2:
        raise BadOption(f'At least 2 classes are needed, not {classes}.')
    chance = propensities(responded, x, weights)
    cuts = np.unique(np.quantile(chance, np.arange(1, classes) / classes))
    codes = np.searchsorted(cuts, chance, side='right')
    labels, codes = np.unique(codes, return_inverse=True)
    return Groups(codes.astype(np.intp), tuple(f'class {label + 1}' for label in labels.tolist()))


def r_indicator(responded: Any, x: Mapping[str, Any], weights: Any = None) -> float:
    """1 − 2·S(ρ̂): 1 when everybody is equally likely to answer, as far as ``x`` can tell."""
    chance = propensities(responded, x, weights)
    used = np.ones(len(chance)) if weights is None else positive_or_zero(weights)
    mean = float(used @ chance / used.sum())
    spread = float(used @ (chance - mean) ** 2 / used.sum()) * len(chance) / (len(chance) - 1)
    return 1.0 - 2.0 * math.sqrt(spread)
