"""Forms of the questionnaire pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import SelectField

from cixi_survey.forms import Form


class QuestionnaireForm(Form):
    file = FileField(_l('Your own file'), render_kw={'accept': '.yaml,.yml'})
    file_name = SelectField(_l('A file that comes with the program'), validate_choice=False)
