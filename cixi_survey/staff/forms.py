"""Forms of the staff pages.  Passwords are judged by ``accounts``, not here."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from cixi_survey.access import ROLE_NAMES
from cixi_survey.forms import Form
from cixi_survey.models import ROLES
from cixi_survey.staff.accounts import MAXIMUM_LENGTH

ROLE_DUTIES = {
    'administrator': _l('Manages accounts and reads the record of what was done.'),
    'organiser': _l('Publishes questionnaires, runs waves, draws samples, prints codes.'),
    'statistician': _l('Computes estimates, publishes results, exports data.'),
}


class SignInForm(Form):
    username = StringField(
        _l('User name'),
        [InputRequired(_l('Enter your user name.'))],
        render_kw={'autocomplete': 'username', 'autocapitalize': 'none', 'spellcheck': 'false'},
    )
    password = PasswordField(
        _l('Password'),
        [InputRequired(_l('Enter your password.'))],
        render_kw={'autocomplete': 'current-password'},
    )


class PasswordForm(Form):
    old = PasswordField(
        _l('Present password'),
        [InputRequired(_l('Enter your present password.'))],
        render_kw={'autocomplete': 'current-password'},
    )
    password = PasswordField(
        _l('New password'),
        [InputRequired(_l('Enter a new password.'))],
        description=_l('At least 12 characters. Four unrelated words are easy to remember.'),
        render_kw={'autocomplete': 'new-password', 'maxlength': MAXIMUM_LENGTH},
    )
    again = PasswordField(
        _l('New password, once more'),
        [InputRequired(_l('Enter the new password a second time.'))],
        render_kw={'autocomplete': 'new-password', 'maxlength': MAXIMUM_LENGTH},
    )

    def validate(self, extra_validators: Any = None) -> bool:
        sound = bool(super().validate(extra_validators))
        if sound and self.password.data != self.again.data:
            self.again.errors = [_l('The two new passwords differ. Type them again.')]
            return False
        return sound


def _roles_field() -> SelectMultipleField:
    choices = [SelectChoice(role, _l(ROLE_NAMES[role])) for role in ROLES]
    return SelectMultipleField(
        _l('Roles'), choices=choices, validate_choice=False, render_kw={'required': True}
    )


class AccountForm(Form):
    username = StringField(
        _l('User name'),
        [InputRequired(_l('Enter a user name.'))],
        description=_l('3 to 32 small letters, digits, dots or hyphens; used to sign in.'),
        render_kw={'autocomplete': 'off', 'autocapitalize': 'none', 'spellcheck': 'false'},
    )
    name = StringField(
        _l('Full name'),
        [
            InputRequired(_l('Enter the name of the person.')),
            Length(max=100, message=_l('The name may have at most 100 characters.')),
        ],
        description=_l('As colleagues know the person; shown in the record of what was done.'),
        render_kw={'autocomplete': 'off'},
    )
    roles = _roles_field()


class RolesForm(Form):
    roles = _roles_field()
