"""Weights, step by step: base, unknown eligibility, non-response, post-stratification, raking.

Each step takes the weights of the one before and returns ``Weights``: the new values, a
report on what happened, and the ``step`` that ``Design.calibrated`` needs so that the
variance follows it.  Nothing is collapsed or cut unless it was asked for.
"""

from analysis.weights.cells import post_stratify
from analysis.weights.fieldwork import base, nonresponse, unknown_eligibility
from analysis.weights.raking import rake, rake_and_trim
from analysis.weights.report import TINY, Report, Weights, kish
from analysis.weights.trimming import trim

__all__ = [
    'TINY',
    'Report',
    'Weights',
    'base',
    'kish',
    'nonresponse',
    'post_stratify',
    'rake',
    'rake_and_trim',
    'trim',
    'unknown_eligibility',
]
