"""Forms of the contact pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from cixi_survey.contacts.lists import Offer
from cixi_survey.forms import Form

LAST_SEED = 10**9


class OfferForm(Form):
    news = BooleanField(
        _l('Tell people when the results are published'),
        description=_l('Whoever has answered may leave a mobile number or an e-mail address.'),
    )
    prizes = IntegerField(
        _l('Number of prizes'),
        [
            InputRequired(_l('Enter a number; 0 for no draw.')),
            NumberRange(0, 10_000, _l('Enter a number from 0 to 10,000.')),
        ],
        description=_l('Drawn among the people of the sample who sign up; 0 for no draw.'),
    )
    rules_zh = TextAreaField(
        _l('Rules of the draw in Chinese'),
        [Optional(), Length(max=1000, message=_l('At most 1,000 characters fit here.'))],
        description=_l('What can be won, who draws, when and where, how winners are told.'),
        render_kw={'lang': 'zh-CN', 'rows': 4},
    )
    rules_en = TextAreaField(
        _l('Rules of the draw in English'),
        [Optional(), Length(max=1000, message=_l('At most 1,000 characters fit here.'))],
        render_kw={'lang': 'en', 'rows': 4},
    )
    keep_until = DateField(
        _l('Delete the contacts after'),
        [InputRequired(_l('Enter a day.'))],
        description=_l('The last day on which a contact is kept. Residents are told.'),
    )

    def offer(self) -> Offer:
        """What was typed, as the work function takes it."""
        return Offer(
            news=bool(self.news.data),
            prizes=self.prizes.data,
            rules_zh=(self.rules_zh.data or '').strip(),
            rules_en=(self.rules_en.data or '').strip(),
            keep_until=self.keep_until.data,
        )


class SeedForm(Form):
    seed = IntegerField(
        _l('Seed'),
        [
            InputRequired(_l('Enter the number that was drawn.')),
            NumberRange(0, LAST_SEED, _l('Enter a number from 0 to 1,000,000,000.')),
        ],
        description=_l(
            'A number that nobody could choose, for instance from a public lottery of a day '
            'announced before. With it everybody can see that the draw was not tried twice.'
        ),
    )


_TYPED_NUMBER = {
    'autocomplete': 'off',
    'autocapitalize': 'characters',
    'spellcheck': 'false',
    'maxlength': '40',
}


class RemovalForm(Form):
    number = StringField(
        _l('Removal number'),
        [InputRequired(_l('Enter the number you were given.'))],
        render_kw=_TYPED_NUMBER,
    )
    receipt = StringField(
        _l('Receipt number, if you may want to sign up again'),
        [Optional()],
        description=_l(
            'Without it nobody can sign up with your receipt a second time. It is not kept.'
        ),
        render_kw=_TYPED_NUMBER,
    )
