"""What all forms have in common: problems beside their fields, our words, a switch of language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext, ngettext
from flask_wtf import FlaskForm

from cixi_survey import i18n
from cixi_survey.errors import N_, Problem

# What WTForms says by itself when a field has no message of ours, for the catalogues.
BUILT_IN = (
    N_('Not a valid choice.'),
    N_('Not a valid date value.'),
    N_('Not a valid datetime value.'),
    N_('Not a valid integer value.'),
    N_('Invalid Choice: could not coerce.'),
    N_('This field is required.'),
)


class OurWords:
    """WTForms' own messages from our catalogues; it has not every language, nor our tone."""

    def gettext(self, text: str) -> str:
        return str(gettext(text))

    def ngettext(self, one: str, many: str, count: int) -> str:
        return str(ngettext(one, many, count))


class Form(FlaskForm):  # type: ignore[misc]
    """A form that can show the problems that a work function found."""

    class Meta:
        def get_translations(self, form: FlaskForm) -> OurWords:
            del form
            return OurWords()

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Whether it was sent and is sound; not when it was sent to change the language only."""
        return self.was_tried() and bool(super().validate_on_submit(extra_validators))

    def was_tried(self) -> bool:
        """Whether it was sent to be acted upon, sound or not."""
        return bool(self.is_submitted()) and not i18n.switching()

    def show(self, problems: Sequence[Problem]) -> None:
        """Put each problem beside its field."""
        for problem in problems:
            field = self[problem.where]
            field.errors = [*field.errors, i18n.problem_text(problem)]
