"""Faults of input, each with its own name: what is wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable


class AnalysisError(ValueError):
    """A fault in the data or the options; ``what`` says which, ``cure`` what to do."""

    def __init__(self, what: str, cure: str = '') -> None:
        super().__init__(f'{what} {cure}'.strip())
        self.what = what
        self.cure = cure


class BadColumn(AnalysisError):
    """A column is missing, has the wrong length, or holds something that is not a number."""


class BadOption(AnalysisError):
    """An option has a value that is not on its list, or two options contradict each other."""


class BadWeights(AnalysisError):
    """A weight or probability is negative, missing, infinite, or all are zero."""


class WeightSumFar(AnalysisError):
    """The weights add up to something far from the population that the design states."""


class ClusterInTwoStrata(AnalysisError):
    """One PSU label appears in more than one stratum."""


class PopulationTooSmall(AnalysisError):
    """A stated population (or rate) is smaller than the sample drawn from it, or varies inside."""


class LonelyPsu(AnalysisError):
    """A stratum has a single PSU, so its variance cannot be estimated from the data."""


class EmptyDomain(AnalysisError):
    """No usable row is left: nothing can be estimated."""


class ConstantColumn(AnalysisError):
    """A column does not vary where variation is needed."""


class UnknownLevel(AnalysisError):
    """A level appears in the sample but not in the population figures, or the other way round."""


class MarginsDisagree(AnalysisError):
    """The population margins add up to different totals."""


class NotConverged(AnalysisError):
    """An iteration did not reach its tolerance; the message names the worst margin."""


class InfeasibleBounds(AnalysisError):
    """No set of weights inside the bounds meets the population totals."""


class BadTarget(AnalysisError):
    """A target that cannot be compared with the estimate."""


class TooLarge(AnalysisError):
    """What was asked for does not fit into memory."""


class SampleTooLarge(AnalysisError):
    """More units are asked for than there are."""


def listed(values: Iterable[object], limit: int = 8) -> str:
    """``a, b, c and 12 more``: enough names to find the fault, not a page of them."""
    names = [str(value) for value in values]
    if len(names) <= limit:
        return ', '.join(names)
    return f'{", ".join(names[:limit])} and {len(names) - limit} more'
