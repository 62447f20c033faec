"""Forms of the wave pages.  Times are typed and shown as the clock in Cixi shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    Field,
    FloatField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import (
    AnyOf,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    Regexp,
    StopValidation,
    ValidationError,
)

from cixi_survey import clock
from cixi_survey.forms import Form
from cixi_survey.i18n import moment
from cixi_survey.models import LEGAL_BASES, QuestionnaireVersion, Wave
from cixi_survey.waves.lifecycle import Plan
from cixi_survey.waves.planner import Question
from cixi_survey.waves.reserve import Rule
from cixi_survey.waves.stages import Asked, usual

LAST_SEED = 10**9


class Moment(DateTimeLocalField):  # type: ignore[misc]
    """A time of the clock in Cixi; ``moment`` is the same in UTC."""

    def __init__(self, label: Any, validators: Any = None, **kwargs: Any) -> None:
        formats = ['%Y-%m-%dT%H:%M', '%Y-%m-%d %H:%M', '%Y-%m-%dT%H:%M:%S']
        super().__init__(label, validators, format=formats, **kwargs)

    def process_data(self, value: datetime | None) -> None:
        self.data = clock.local(value).replace(tzinfo=None) if value else None

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(
                _l('This is not a time. Write it as year-month-day and hour:minute, 24 hours.')
            ) from None

    @property
    def moment(self) -> datetime:
        assert self.data is not None  # every such field is required
        return clock.from_local(self.data)


class Day(DateField):  # type: ignore[misc]
    """A date, with our own words for a wrong one."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_l('This is not a date. Write it as year-month-day.')) from None


class Whole(IntegerField):  # type: ignore[misc]
    """A whole number, with our own words for a wrong one."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata([text.replace(',', '').strip() for text in valuelist])
        except ValueError:
            raise ValueError(_l('This is not a whole number. Use digits only.')) from None


def at_most(characters: int) -> Length:
    return Length(
        max=characters,
        message=_l('At most %(count)s characters fit here.', count=characters),
    )


def title_language(form: FlaskForm, field: Field) -> None:
    """A Chinese title in the English field is a slip that would be printed."""
    del form
    if any('\u4e00' <= character <= '\u9fff' for character in field.data or ''):
        raise ValidationError(_l('Write the English title in English.'))


class WaveForm(Form):
    seen = HiddenField()
    slug = StringField(
        _l('Address'),
        [
            InputRequired(_l('Enter the last part of the address.')),
            Regexp(
                r'^[a-z0-9](-?[a-z0-9])*$',
                message=_l('Use small letters, digits and single hyphens, such as 2027-spring.'),
            ),
            at_most(40),
        ],
        description=_l('The last part of the address residents see, such as 2027-spring.'),
        render_kw={'autocapitalize': 'none', 'spellcheck': 'false'},
    )
    title_zh = StringField(
        _l('Title in Chinese'),
        [InputRequired(_l('Enter the Chinese title.')), at_most(200)],
        render_kw={'lang': 'zh-CN'},
    )
    title_en = StringField(
        _l('Title in English'),
        [InputRequired(_l('Enter the English title.')), at_most(200), title_language],
        render_kw={'lang': 'en'},
    )
    version_sha256 = SelectField(
        _l('Questionnaire'),
        [InputRequired(_l('Choose a questionnaire.'))],
        validate_choice=False,
        description=_l('A published version. It cannot change while the wave runs.'),
    )
    opens_at = Moment(
        _l('Opens'),
        [InputRequired(_l('Enter the opening time.'))],
        description=_l('Beijing time.'),
    )
    closes_at = Moment(
        _l('Closes'),
        [InputRequired(_l('Enter the closing time.'))],
        description=_l('Beijing time. Answers are taken to the end of this minute.'),
    )
    target_n = Whole(
        _l('Completed questionnaires wanted'),
        [
            InputRequired(_l('Enter how many completed questionnaires you want.')),
            NumberRange(1, 1_000_000, _l('Enter a number from 1 to 1,000,000.')),
        ],
        description=_l('The official rule is at least one per thousand inhabitants: about 1,600.'),
    )
    operator = StringField(
        _l('Carried out by'),
        [InputRequired(_l('Enter who carries out the survey.')), at_most(200)],
        description=_l('The statistics bureau, its survey team or a third party; it is published.'),
    )
    contact = StringField(
        _l('Contact for residents'),
        [InputRequired(_l('Enter a telephone number or address for questions.')), at_most(200)],
        description=_l('A telephone number or address; printed at the head of the form.'),
    )
    open_link = BooleanField(
        _l('Also offer an open link'),
        description=_l('Anybody may answer; shown apart and never part of the headline figures.'),
    )
    form_number = StringField(_l('Form number'), [Optional(), at_most(60)])
    form_authority = StringField(_l('Issuing body'), [Optional(), at_most(200)])
    approval_number = StringField(_l('Approval or filing number'), [Optional(), at_most(100)])
    approval_valid_until = Day(
        _l('Valid until'),
        [Optional()],
        description=_l('The last day. The wave cannot open or run beyond it.'),
    )
    legal_basis = RadioField(
        _l('Answers are handled on the ground of'),
        [Optional(), AnyOf(LEGAL_BASES, _l('Choose one of the list.'))],
        validate_choice=False,
        choices=[
            SelectChoice(
                'consent',
                _l('the consent of each person: answers that are withdrawn are deleted at once'),
            ),
            SelectChoice(
                'statutory',
                _l(
                    'the duty under the statistics law: answers that are withdrawn leave all '
                    'figures, and the record is kept locked until its time is over'
                ),
            ),
        ],
        description=_l(
            'Residents read it in the privacy notice. It cannot be changed once the wave is open.'
        ),
    )
    retention_years = Whole(
        _l('Single answers are kept for, in years'),
        [
            InputRequired(_l('Enter for how many years single answers are kept.')),
            NumberRange(2, 30, _l('Enter a number from 2 to 30.')),
        ],
        description=_l(
            'Counted from the closing. The rules on statistics ask for two years at least; then '
            'this site deletes them.'
        ),
    )
    satisfaction_scale = RadioField(
        _l('Satisfaction is measured by'),
        [InputRequired(_l('Choose a scale.'))],
        choices=[
            SelectChoice('share', _l('the share of satisfied residents (%)')),
            SelectChoice('score', _l('the score from 0 to 100')),
        ],
        description=_l('The two are different numbers. The target is bound to this one.'),
    )
    target_basis = RadioField(
        _l('The verdict is against'),
        [InputRequired(_l('Choose a target.'))],
        choices=[
            SelectChoice('national', _l('the national threshold (80 %)')),
            SelectChoice('plan', _l('the target of the plan for the year (80 %, from 2025: 85 %)')),
            SelectChoice('chapter8', _l('chapter 8 of the plan (95 %)')),
        ],
        description=_l('Fixed before fieldwork: it cannot be changed once the wave is open.'),
    )

    @classmethod
    def for_versions(
        cls, versions: Sequence[QuestionnaireVersion], wave: Wave | None = None
    ) -> WaveForm:
        """The form with the versions to choose from, filled from ``wave``."""
        form = cls(obj=wave)
        form.version_sha256.choices = [
            SelectChoice(
                each.sha256, f'{each.name} · {moment(each.published_at)} · {each.sha256[:12]}'
            )
            for each in versions
        ]
        if wave is None and not form.is_submitted():
            form.satisfaction_scale.data, form.target_basis.data = 'share', 'national'
            form.open_link.data, form.retention_years.data = True, 2
        return form

    def plan(self) -> Plan:
        """What was typed, as the work function takes it."""
        return Plan(
            slug=self.slug.data,
            title_zh=self.title_zh.data.strip(),
            title_en=self.title_en.data.strip(),
            version_sha256=self.version_sha256.data,
            opens_at=self.opens_at.moment,
            closes_at=self.closes_at.moment,
            target_n=self.target_n.data,
            operator=self.operator.data.strip(),
            contact=self.contact.data.strip(),
            form_number=(self.form_number.data or '').strip(),
            form_authority=(self.form_authority.data or '').strip(),
            approval_number=(self.approval_number.data or '').strip(),
            approval_valid_until=self.approval_valid_until.data,
            satisfaction_scale=self.satisfaction_scale.data,
            target_basis=self.target_basis.data,
            open_link=bool(self.open_link.data),
            legal_basis=self.legal_basis.data or '',
            retention_years=self.retention_years.data,
        )


class Decimal(FloatField):  # type: ignore[misc]
    """A number, with our own words for a wrong one."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata([text.replace(',', '').strip() for text in valuelist])
        except ValueError:
            raise ValueError(_l('This is not a number. Write it in digits, such as 1.5.')) from None


def _between(low: float, high: float) -> list[Any]:
    text = _l('Enter a number from %(low)s to %(high)s.', low=f'{low:g}', high=f'{high:,.10g}')
    return [InputRequired(text), NumberRange(low, high, text)]


class PlannerForm(Form):
    """The question of the planner; shares are typed in per cent."""

    target = Decimal(_l('Target, in per cent'), _between(5, 99))
    truth = Decimal(
        _l('What may be true, in per cent'),
        _between(1, 99.9),
        description=_l('The share that you expect, for instance from the last wave.'),
    )
    power = Decimal(
        _l('Chance of proving it then, in per cent'),
        _between(50, 99),
        description=_l('80 is usual: in one of five such waves it would still stay undecided.'),
    )
    margin = Decimal(
        _l('Wanted in every town: ± points'),
        _between(1, 30),
        description=_l('Half the 95 per cent interval of a town.'),
    )
    response = Decimal(_l('Expected response, in per cent'), _between(1, 100))
    deff = Decimal(
        _l('Design effect'),
        _between(1, 10),
        description=_l(
            '1 for a simple sample of persons, about 1.5 for ten persons in each village '
            '(1 + 9 × 0.05), times what unequal weights cost.'
        ),
    )
    inhabitants = Whole(
        _l('Inhabitants of the area, children included'),
        [Optional(), NumberRange(0, 100_000_000, _l('Enter the number of inhabitants.'))],
        description=_l('For the official minimum. Left empty, the adults are taken.'),
    )
    visits = Decimal(_l('Visits or letters for each address'), _between(1, 20))
    cost = Decimal(_l('Cost of one visit or letter, in yuan'), _between(0, 10_000))
    answers = Whole(
        _l('Answers to plan for'),
        [Optional(), NumberRange(0, 1_000_000, _l('Enter a number from 0 to 1,000,000.'))],
        description=_l('Left empty: as many as the reasons below ask for.'),
    )

    SHARES = ('target', 'truth', 'power', 'margin', 'response')

    @classmethod
    def of(cls, question: Question) -> PlannerForm:
        """The form filled from a question."""
        values = {name: getattr(question, name) for name in cls.names()}
        values |= {name: round(100 * values[name], 6) for name in cls.SHARES}
        values |= {name: values[name] or None for name in ('inhabitants', 'answers')}
        return cls(formdata=None, data=values)

    @classmethod
    def names(cls) -> list[str]:
        return [field.name for field in fields(Question)]

    def question(self) -> Question:
        """What was typed, as the work function takes it."""
        values = {name: self[name].data or 0 for name in self.names()}
        shares = {name: values[name] / 100 for name in self.SHARES}
        return Question(**{**values, **shares})  # type: ignore[arg-type]


class OpenForm(Form):
    """The press of a button."""


class CloseForm(Form):
    """Closing; before the announced end it has to be said that this is meant."""

    early = BooleanField(
        _l('I know that the wave was announced to run longer, and close it now.'),
        [InputRequired(_l('Tick this if the wave is really to end before the announced time.'))],
    )


class PutForwardForm(Form):
    without_sample = BooleanField(
        _l('Open link only, without a sample'),
        description=_l('Then there are no headline figures, only an unweighted open stream.'),
    )


class DecisionForm(Form):
    """What a second person says to a wave that was put forward; ``seen`` is what it was then."""

    seen = HiddenField()
    decision = RadioField(
        _l('Your decision'),
        choices=[
            SelectChoice('approve', _l('Approve: the wave may be opened as it is')),
            SelectChoice('send_back', _l('Send back with a remark')),
        ],
        validators=[InputRequired(_l('Choose one.'))],
    )
    remark = TextAreaField(
        _l('Remark'),
        description=_l('What has to be mended; needed when you send it back.'),
        validators=[Length(max=1000)],
    )

    def validate_remark(self, field: Field) -> None:
        if self.decision.data == 'send_back' and not (field.data or '').strip():
            raise ValidationError(_l('Say what has to be mended.'))


def file_given(form: FlaskForm, field: Field) -> None:
    """A file was chosen and is not empty of a name."""
    del form
    if not field.data or not getattr(field.data, 'filename', ''):
        raise StopValidation(_l('Choose a file.'))


file_given.field_flags = {'required': True}  # type: ignore[attr-defined]


class TableForm(Form):
    file = FileField(_l('File'), [file_given], render_kw={'accept': '.csv,text/csv,.xlsx'})


class FrameForm(TableForm):
    source = StringField(
        _l('Where the list comes from'),
        [InputRequired(_l('Say where the list comes from and of which day it is.')), at_most(300)],
        description=_l('For instance: household list of the towns, as of 1 November 2026.'),
    )


class VillagesForm(FrameForm):
    """The same for the list of villages and communities."""


class StagesForm(Form):
    """Two stages: how many villages in each town, how many persons in each of them.

    ``for_towns`` adds the two numbers of every town, ``villages_<code>`` and ``persons_<code>``.
    """

    villages = Whole(
        _l('Villages in each town'),
        [
            InputRequired(_l('Enter how many villages to draw in each town.')),
            NumberRange(2, 1000, _l('Enter a number from 2 to 1,000.')),
        ],
        description=_l('More villages with fewer persons in each tell more than the reverse.'),
    )
    all_up_to = Whole(
        _l('All villages in towns with up to'),
        [
            InputRequired(_l('Enter a number; 0 for no such town.')),
            NumberRange(0, 1000, _l('Enter a number from 0 to 1,000.')),
        ],
        description=_l('In so small a town every village is taken, and chance is left to persons.'),
    )
    persons = Whole(
        _l('Persons in each village'),
        [
            InputRequired(_l('Enter how many persons to draw in each village.')),
            NumberRange(2, 10_000, _l('Enter a number from 2 to 10,000.')),
        ],
        description=_l('Persons or addresses that get a letter, not completed questionnaires.'),
    )
    response = Whole(
        _l('Expected response, in per cent'),
        [
            InputRequired(_l('Enter the response you expect.')),
            NumberRange(1, 100, _l('Enter a number from 1 to 100.')),
        ],
        description=_l('Used only for the expected precision below.'),
    )
    rho = Decimal(
        _l('Likeness of neighbours'),
        _between(0, 1),
        description=_l(
            'The correlation of answers inside a village. 0.05 is usual for the environment: one '
            'river or one factory is seen by a whole village.'
        ),
    )
    seed = Whole(
        _l('Seed'),
        [Optional(), NumberRange(0, LAST_SEED, _l('Enter a number from 0 to 1,000,000,000.'))],
        description=_l(
            'Leave it empty for a random one. Seed and list together give the same villages again.'
        ),
    )
    GENERAL = ('villages', 'all_up_to', 'persons', 'response', 'rho', 'seed')

    @classmethod
    def for_towns(cls, towns: Iterable[str]) -> type[StagesForm]:
        """The form with the numbers of these towns; an empty one is filled from the general."""
        fields = {
            f'{name}_{town}': Whole(label, [Optional()])
            for town in towns
            for name, label in (('villages', _l('Villages')), ('persons', _l('Persons')))
        }
        return type('TownStagesForm', (cls,), fields)

    def asked(self, counts: Mapping[str, int]) -> dict[str, Asked]:
        """What is wanted of every town; ``counts`` are its villages."""
        found = {}
        for town, count in counts.items():
            number = self[f'villages_{town}'].data
            if number is None:
                number = usual(count, number=self.villages.data, all_up_to=self.all_up_to.data)
            persons = self[f'persons_{town}'].data
            found[town] = Asked(number, self.persons.data if persons is None else persons)
        return found


def needed_with_reserve(form: FlaskForm, field: Field) -> None:
    """A reserve has a rule, and the rule is complete; without one the field does not count."""
    if field.raw_data and str(field.raw_data[0]).strip() and form.replicates.data:
        return
    field.errors, field.data = [], None
    raise StopValidation(_l('A reserve needs this, too.') if form.replicates.data else '')


needed_with_reserve.field_flags = {'optional': True}  # type: ignore[attr-defined]


class ReserveForm(Form):
    """The reserve of a sample, part of every form that draws one."""

    replicates = Whole(
        _l('Replicates in reserve'),
        [Optional(), NumberRange(0, 10, _l('Enter a number from 0 to 10.'))],
        description=_l('Random parts of the lists, added whole if too few answer. 0 for none.'),
    )
    reserve_share = Whole(
        _l('Size of a replicate, in per cent of the sample'),
        [needed_with_reserve, NumberRange(1, 100, _l('Enter a number from 1 to 100.'))],
    )
    reserve_from = Day(
        _l('Not released before'),
        [needed_with_reserve],
        description=_l('The next one a week later at the earliest.'),
    )
    reserve_below = Whole(
        _l('Released only with fewer complete answers than'),
        [needed_with_reserve, NumberRange(1, 1_000_000, _l('Enter a number from 1 to 1,000,000.'))],
        description=_l('From the sample, without the open link.'),
    )
    RESERVE = ('replicates', 'reserve_share', 'reserve_from', 'reserve_below')

    def rule(self) -> dict[str, object] | None:
        """The rule as the draw takes it; none without a reserve."""
        if not self.replicates.data:
            return None
        return Rule(
            self.replicates.data,
            self.reserve_share.data,
            self.reserve_from.data,
            self.reserve_below.data,
        ).kept()


class SeedForm(ReserveForm):
    """A draw of which everything but the seed and the reserve is settled."""

    seed = Whole(
        _l('Seed'),
        [Optional(), NumberRange(0, LAST_SEED, _l('Enter a number from 0 to 1,000,000,000.'))],
        description=_l(
            'Leave it empty for a random one. Seed and lists together give the same sample again.'
        ),
    )


class DrawForm(ReserveForm):
    """How many units to draw, and how to spread them over the towns."""

    method = RadioField(
        _l('Spread over the towns'),
        [InputRequired(_l('Choose how to spread the sample.'))],
        choices=[
            SelectChoice(
                'power', _l('by the square root of the population: a balance of city and towns')
            ),
            SelectChoice('proportional', _l('in proportion to the population: best for the city')),
            SelectChoice('equal', _l('the same number everywhere: best for comparing towns')),
        ],
    )
    total = Whole(
        _l('Units to draw'),
        [
            InputRequired(_l('Enter how many units to draw.')),
            NumberRange(1, 1_000_000, _l('Enter a number from 1 to 1,000,000.')),
        ],
        description=_l('Addresses or persons that get a letter, not completed questionnaires.'),
    )
    minimum = Whole(
        _l('At least in every town'),
        [
            InputRequired(_l('Enter the minimum per town; 0 for none.')),
            NumberRange(0, 100_000, _l('Enter a number from 0 to 100,000.')),
        ],
    )
    response = Whole(
        _l('Expected response, in per cent'),
        [
            InputRequired(_l('Enter the response you expect.')),
            NumberRange(1, 100, _l('Enter a number from 1 to 100.')),
        ],
        description=_l('Used only for the expected precision below.'),
    )
    seed = Whole(
        _l('Seed'),
        [Optional(), NumberRange(0, LAST_SEED, _l('Enter a number from 0 to 1,000,000,000.'))],
        description=_l(
            'Leave it empty for a random one. Seed and frame together give the same sample again.'
        ),
    )


class CodesForm(Form):
    town = SelectField(_l('Town'), validate_choice=False)
    sure = HiddenField()
    making = Whole(validators=[Optional()])
