"""What can be said to a person of a constraint before it is broken."""

from __future__ import annotations

from cixi_survey.questionnaire.expressions import parse
from cixi_survey.questionnaire.model import Variable

_LIKELY = (35, 2, 10, 1, 0, 100, 2000)


def example(variable: Variable) -> int:
    """A number to name as an example of how to write one: within the limits of the question."""
    text = variable.question.constraint
    if text is None:
        return _LIKELY[0]
    constraint = parse(text)
    return next((number for number in _LIKELY if constraint.holds({}, number)), _LIKELY[1])


def alone(variable: Variable) -> tuple[str, ...]:
    """The choices that the constraint lets go with no other, such as “none of these”.

    Only where it looks at nothing but the answer itself, and others may go together.
    """
    text = variable.question.constraint
    if text is None or variable.kind != 'multiple':
        return ()
    constraint = parse(text)
    if constraint.names():
        return ()
    values = variable.values

    def stands_alone(value: str) -> bool:
        pairs = ([each for each in values if each in (value, other)] for other in values)
        return all(constraint.holds({}, pair) == (len(pair) == 1) for pair in pairs)

    found = tuple(filter(stands_alone, values))
    return found if len(found) < len(values) else ()
