"""How the sampled units of a town ended, the response rates, and the adjustments they call for.

Outcomes: I complete and kept, W complete and withdrawn, R refusal, NE not eligible, U without any
sign (eligibility not known).  A withdrawn answer comes from an eligible person but cannot be
used, so it counts with the refusals.  e is the eligible share of the units whose eligibility is
known (proportional allocation).  Source: AAPOR, Standard Definitions, 10th edition (2023), response
rates 1 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from cixi_survey import places
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import Wave
from cixi_survey.results.dataset import Dataset, Outcomes


class OutcomesDiffer(Refusal):
    """The invitations and the answers do not tell the same story."""

    code = 'outcomes_differ'
    title = N_('The sample and the answers do not add up')
    message = N_(
        'In %(town)s, %(invited)s sampled units are marked as complete, but %(answered)s complete '
        'answers are stored.'
    )
    cure = N_('Do not publish anything. Ask those who run the system to find out what happened.')


class NothingToEstimate(Refusal):
    """The probability stream has no complete answer."""

    code = 'nothing_to_estimate'
    title = N_('There is nothing to make figures from')
    message = N_('No sampled household has given a complete answer in this wave.')
    cure = N_('Figures need answers by invitation code; the open link cannot replace them.')


@dataclass(frozen=True)
class Returns:
    """Counts (or sums of base weights) of the outcomes of some sampled units."""

    complete: float
    withdrawn: float
    refusal: float
    ineligible: float
    unknown: float

    @property
    def total(self) -> float:
        return self.complete + self.withdrawn + self.refusal + self.ineligible + self.unknown

    @property
    def eligible(self) -> float:
        """Units known to be eligible."""
        return self.complete + self.withdrawn + self.refusal

    @property
    def eligibility(self) -> float:
        """e: the eligible share of the units whose eligibility is known."""
        known = self.eligible + self.ineligible
        return self.eligible / known if known else 1.0

    @property
    def rr1(self) -> float:
        """Complete / all that may be eligible: the lowest possible rate."""
        return _share(self.complete, self.eligible + self.unknown)

    @property
    def rr3(self) -> float:
        """Complete / (eligible + e · unknown)."""
        return _share(self.complete, self.eligible + self.eligibility * self.unknown)

    @property
    def refusal_rate(self) -> float:
        """Refusals and withdrawals / all that may be eligible (REF1)."""
        return _share(self.refusal + self.withdrawn, self.eligible + self.unknown)

    @property
    def unknown_factor(self) -> float:
        """By how much the units of known eligibility also stand for the others."""
        return self.total / (self.total - self.unknown)

    @property
    def nonresponse_factor(self) -> float:
        """By how much the complete answers also stand for the other eligible units."""
        return self.eligible / self.complete

    def as_dict(self) -> dict[str, float]:
        """Outcomes and rates."""
        return {
            'invited': self.total,
            'complete': self.complete,
            'withdrawn': self.withdrawn,
            'refusal': self.refusal,
            'ineligible': self.ineligible,
            'unknown': self.unknown,
            'e': self.eligibility,
            'rr1': self.rr1,
            'rr3': self.rr3,
            'refusal_rate': self.refusal_rate,
        }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def reconciled(
    dataset: Dataset, outcomes: Mapping[str, Outcomes], wave: Wave
) -> tuple[dict[str, Returns], dict[str, Returns]]:
    """Outcomes by stratum as counts and by base weight; they add up to the answers kept.

    Raises NothingToEstimate and OutcomesDiffer.
    """
    if not dataset.n or dataset.sampling is None:
        raise NothingToEstimate
    stratum = dataset.sampling.stratum
    size = len(stratum.labels)
    kept = np.bincount(stratum.codes, minlength=size)
    weight = np.bincount(stratum.codes, dataset.sampling.base_weight, size)
    by_town = {str(s): (int(kept[i]), float(weight[i])) for i, s in enumerate(stratum.labels)}
    kept_names = {s.town_code: s.name for s in wave.strata}
    counts: dict[str, Returns] = {}
    weighted: dict[str, Returns] = {}
    for town in sorted(set(outcomes) | set(by_town) | set(dataset.withdrawn)):
        found = outcomes.get(town, Outcomes({}, {}))
        n, sum_of_weights = by_town.get(town, (0, 0.0))
        gone = dataset.withdrawn.get(town, 0)
        invited = found.counts.get('complete', 0)
        if invited != n + gone:
            name = places.town(town, kept_names.get(town))
            raise OutcomesDiffer(town=name, invited=invited, answered=n + gone)
        lost = found.weighted.get('complete', 0.0) - sum_of_weights if gone else 0.0
        counts[town] = _returns(found.counts, n, gone)
        weighted[town] = _returns(found.weighted, sum_of_weights, lost)
    return counts, weighted


def _returns(found: Mapping[str, float], complete: float, withdrawn: float) -> Returns:
    return Returns(
        complete=complete,
        withdrawn=withdrawn,
        refusal=found.get('refusal', 0),
        ineligible=found.get('ineligible', 0),
        unknown=found.get('pending', 0),
    )


def together(parts: Iterable[Returns]) -> Returns:
    """All towns as one."""
    rows = list(parts)
    return Returns(
        complete=sum(row.complete for row in rows),
        withdrawn=sum(row.withdrawn for row in rows),
        refusal=sum(row.refusal for row in rows),
        ineligible=sum(row.ineligible for row in rows),
        unknown=sum(row.unknown for row in rows),
    )
