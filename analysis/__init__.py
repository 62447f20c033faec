"""Complex-survey statistics: designs, weights, estimates, intervals, verdicts, samples.

A library for statisticians with nothing of the web application in it: numpy and scipy only.
Start with ``Design`` and the estimators; ``docs/statistics.md`` has the formulas and a table
from R's ``survey`` to the names here.
"""

from analysis.design import Design
from analysis.difference import contrast, difference, smooth
from analysis.errors import AnalysisError
from analysis.estimate import mean, proportion, ratio, total
from analysis.result import Estimate, Estimates
from analysis.verdict import Verdict, decide

__all__ = [
    'AnalysisError',
    'Design',
    'Estimate',
    'Estimates',
    'Verdict',
    'contrast',
    'decide',
    'difference',
    'mean',
    'proportion',
    'ratio',
    'smooth',
    'total',
]
