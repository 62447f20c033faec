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

from analysis.arguments import checked
from analysis.columns import Floats, Groups, flags, positive_or_zero
from analysis.errors import BadColumn, BadOption, ConstantColumn, EmptyDomain, listed
from analysis.regression import logistic_fit, term_matrix


@checked
def propensities(responded: Any, x: Mapping[str, Any], weights: Any = None) -> Floats:
    """Modelled probability to answer, by row; text columns of ``x`` become indicators."""
    answered = flags(responded, 'responded').astype(np.float64)
    rows = len(answered)
    if not rows:
        raise EmptyDomain('responded has no rows.')
    if answered.min() == answered.max():
        raise ConstantColumn(
            f'{"Everybody" if answered[0] else "Nobody"} answered: there is no propensity to model.'
        )
    names, matrix = term_matrix(x, rows)
    gaps = [name for name, column in zip(names, matrix.T, strict=True) if np.isnan(column).any()]
    if gaps:
        raise BadColumn(
            f'{listed(gaps)} is missing in some rows.',
            'Use what is known of everybody asked, or a category for "not known".',
        )
    used = np.ones(rows) if weights is None else positive_or_zero(weights, 'weights', rows)
    _, _, left = logistic_fit(matrix, answered, used, names)
    return np.asarray(answered - left)


@checked
def propensity_classes(
    responded: Any, x: Mapping[str, Any], *, weights: Any = None, classes: int = 5
) -> Groups:
    """Classes of about equal size by the propensity to answer, lowest first."""
    chance = propensities(responded, x, weights)
    if not 2 <= classes <= len(chance):
        raise BadOption(f'classes must lie from 2 to the number of rows; it is {classes}.')
    cuts = np.unique(np.quantile(chance, np.arange(1, classes) / classes))
    codes = np.searchsorted(cuts, chance, side='right')
    labels, codes = np.unique(codes, return_inverse=True)
    return Groups(codes.astype(np.intp), tuple(f'class {label + 1}' for label in labels.tolist()))


@checked
def r_indicator(responded: Any, x: Mapping[str, Any], weights: Any = None) -> float:
    """1 − 2·S(ρ̂): 1 when everybody is equally likely to answer, as far as ``x`` can tell.

    S² is the weighted mean square about the weighted mean times n/(n − 1), n the rows asked.
    """
    chance = propensities(responded, x, weights)
    used = np.ones(len(chance)) if weights is None else positive_or_zero(weights)
    mean = float(used @ chance / used.sum())
    spread = float(used @ (chance - mean) ** 2 / used.sum()) * len(chance) / (len(chance) - 1)
    return 1.0 - 2.0 * math.sqrt(spread)
