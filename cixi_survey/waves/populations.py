"""Population figures of a wave: adults by town, and margins of the questionnaire's variables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from cixi_survey import audit, places
from cixi_survey.errors import N_, ProblemsFound
from cixi_survey.models import Wave, WaveMargin, WaveStratum
from cixi_survey.questionnaire import answers, definition
from cixi_survey.questionnaire.definition import Questionnaire
from cixi_survey.waves import frame, lifecycle, table, villages

POPULATION_COLUMNS = (
    table.Column('town_code', ('stratum', '镇街代码'), 30),
    table.Column('town', ('镇街', '镇（街道）', '镇街名称'), 60, optional=True),
    table.Column('adults', ('population', '成年人口', '人口'), 20),
    table.Column('source', ('来源', '数据来源'), 300),
)
MARGIN_COLUMNS = (
    table.Column('variable', ('变量',), 64),
    table.Column('category', ('类别', '选项'), 64),
    table.Column('share', ('占比', '比例'), 30),
    table.Column('source', ('来源', '数据来源'), 300),
)
ROUNDING = 0.002
SOURCES_LENGTH = 300


@dataclass(frozen=True)
class Population:
    """Adults of one town."""

    town_code: str
    name: dict[str, str]
    adults: int
    source: str


@dataclass(frozen=True)
class Margin:
    """The share of one category."""

    variable: str
    category: str
    label: dict[str, str]
    share: float
    source: str


@dataclass(frozen=True)
class ParsedPopulations:
    """A population file without faults."""

    rows: tuple[Population, ...]
    encoding: str
    sha256: str

    @property
    def total(self) -> int:
        return sum(row.adults for row in self.rows)

    def missing(self) -> list[dict[str, str]]:
        """Towns of the survey's area that the file leaves out."""
        given = {row.town_code for row in self.rows}
        return [name for code, name in places.towns().items() if code not in given]


@dataclass(frozen=True)
class ParsedMargins:
    """A margins file without faults."""

    rows: tuple[Margin, ...]
    encoding: str
    sha256: str


def parse(content: bytes) -> ParsedPopulations:
    """Read and check a population file; raises TableRefused."""
    faults = table.Faults()
    read = table.read(content, POPULATION_COLUMNS, faults)
    lines: dict[str, int] = {}
    rows: dict[str, Population] = {}
    for line, row in read:
        code = row['town_code']
        if not table.known_code(code, places.towns(), line, 'town_code', faults):
            continue
        _check_name(code, row.get('town', ''), line, faults)
        first = lines.setdefault(code, line)
        if first != line:
            message = N_('%(town)s stands already in line %(first)s.')
            name = places.towns()[code]
            faults.add(line, 'town_code', 'town_twice', message, town=name, first=first)
        adults = table.whole(row['adults'])
        if adults is None:
            message = N_('“%(column)s” is “%(text)s”; it must be a whole number from 1 up.')
            faults.add(line, 'adults', 'adults_wrong', message, text=row['adults'][:40])
        else:
            rows[code] = Population(code, places.towns()[code], adults, row['source'])
    _check_sources([row.source for row in rows.values()], faults)
    faults.refuse()
    ordered = tuple(rows[code] for code in places.towns() if code in rows)
    return ParsedPopulations(ordered, read.encoding, read.sha256)


def _check_name(code: str, written: str, line: int, faults: table.Faults) -> None:
    """Note a name that is not of the code: one of the two is in the wrong row."""
    name = places.towns()[code]
    if written and written not in name.values():
        message = N_('The code %(code)s is %(town)s, but the row says “%(written)s”.')
        cure = N_('Put code, name and figure of the same town into one row.')
        faults.add(
            line, 'town', 'town_other', message, cure, code=code, town=name, written=written[:40]
        )


def _check_sources(sources: Sequence[str], faults: table.Faults) -> None:
    if len(_joined(sources)) > SOURCES_LENGTH:
        message = N_('The sources together have more than %(longest)s characters.')
        cure = N_('Name the same source in the same words in every row.')
        faults.add(0, 'source', 'sources_long', message, cure, longest=SOURCES_LENGTH)


def _joined(sources: Sequence[str]) -> str:
    return '; '.join(dict.fromkeys(sources))


def parse_margins(content: bytes, questionnaire: Questionnaire) -> ParsedMargins:
    """Read and check a margins file against the questionnaire; raises TableRefused."""
    faults = table.Faults()
    read = table.read(content, MARGIN_COLUMNS, faults)
    lines: dict[tuple[str, str], int] = {}
    rows: list[Margin] = []
    for line, row in read:
        variable, category = row['variable'], row['category']
        label = _label(questionnaire, variable, category, line, faults)
        share = _share(row['share'], line, faults)
        first = lines.setdefault((variable, category), line)
        if first != line:
            message = N_('%(variable)s = %(category)s stands already in line %(first)s.')
            values: dict[str, object] = {
                'variable': variable,
                'category': category,
                'first': first,
            }
            faults.add(line, 'category', 'category_twice', message, **values)
        elif label and share is not None:
            rows.append(Margin(variable, category, label, share, row['source']))
    if not faults.total:
        rows = _whole_variables(rows, questionnaire, faults)
    faults.refuse()
    return ParsedMargins(tuple(rows), read.encoding, read.sha256)


def _label(
    questionnaire: Questionnaire, variable: str, category: str, line: int, faults: table.Faults
) -> dict[str, str] | None:
    known = {each.name: each for each in questionnaire.variables() if each.kind == 'single'}
    if variable not in known:
        message = N_('The questionnaire has no single-choice question “%(variable)s”.')
        cure = N_('It has: %(known)s.')
        names = ', '.join(name for name in known if not known[name].right)[:200]
        faults.add(
            line, 'variable', 'variable_unknown', message, cure, variable=variable, known=names
        )
        return None
    if category not in known[variable].values:
        message = N_('“%(category)s” is not an option of “%(variable)s”.')
        cure = N_('Its options are: %(known)s.')
        values = {'category': category, 'variable': variable}
        names = ', '.join(known[variable].values)
        faults.add(line, 'category', 'category_unknown', message, cure, **values, known=names)
        return None
    return dict(known[variable].option(category).label)


def _share(text: str, line: int, faults: table.Faults) -> float | None:
    percent = text.endswith('%')
    try:
        share = float(text.rstrip('%')) / (100 if percent else 1)
    except ValueError:
        share = -1.0
    if 0 < share < 1:
        return share
    message = N_('“%(column)s” is “%(text)s”; it must lie between 0 and 1, or be a per cent value.')
    faults.add(line, 'share', 'share_wrong', message, text=text)
    return None


def _whole_variables(
    rows: Sequence[Margin], questionnaire: Questionnaire, faults: table.Faults
) -> list[Margin]:
    """Every variable must be complete and sum to 1; rounding in the source is evened out."""
    by_variable: defaultdict[str, list[Margin]] = defaultdict(list)
    for row in rows:
        by_variable[row.variable].append(row)
    evened: list[Margin] = []
    for name, group in by_variable.items():
        variable = questionnaire.variable(name)
        given = {row.category for row in group}
        lacking = [
            value
            for value in variable.values
            if value not in given
            and value not in variable.apart
            and answers.screened(questionnaire, {name: value}) is None  # nobody who answers is
        ]
        if lacking:
            message = N_('%(variable)s lacks the category %(lacking)s.')
            cure = N_('Give every category of a variable, or leave the variable out.')
            values = {'variable': name, 'lacking': ', '.join(lacking)}
            faults.add(0, 'category', 'category_lacking', message, cure, **values)
        total = sum(row.share for row in group)
        if abs(total - 1) > ROUNDING:
            message = N_('The shares of %(variable)s add up to %(total)s, not to 1.')
            cure = N_('Check whether a category is missing or given twice.')
            values = {'variable': name, 'total': f'{total:.4f}'}
            faults.add(0, 'share', 'shares_sum', message, cure, **values)
        evened += [
            Margin(row.variable, row.category, row.label, row.share / total, row.source)
            for row in group
        ]
    return evened


def store(
    session: Session, slug: str, content: bytes, *, sha256: str, actor: str, now: datetime
) -> Wave:
    """Store the populations seen in the preview; they replace earlier ones.

    Frame and villages that were checked against other towns are forgotten.
    Raises NotPlanned, SampleDrawn, VillagesDrawn, TableRefused, ProblemsFound.
    """
    wave = lifecycle.planned(session, slug)
    frame.refuse_if_drawn(session, wave)
    villages.refuse_if_drawn(session, wave)
    parsed = parse(content)
    if parsed.sha256 != sha256:
        raise ProblemsFound([frame.another_file()])
    if {row.town_code for row in parsed.rows} != {each.town_code for each in wave.strata}:
        frame.remove(session, wave)
        villages.remove(session, wave)
    wave.strata.clear()
    session.flush()
    wave.strata += [
        WaveStratum(
            town_code=row.town_code,
            name_zh=row.name['zh'],
            name_en=row.name['en'],
            population=row.adults,
        )
        for row in parsed.rows
    ]
    wave.population_source = _joined([row.source for row in parsed.rows])
    session.flush()
    details = {'sha256': sha256, 'towns': len(parsed.rows), 'adults': parsed.total}
    details |= {'source': wave.population_source}
    audit.on_wave(session, wave, 'wave.populations', actor, now, details)
    return wave


def store_margins(
    session: Session, slug: str, content: bytes, *, sha256: str, actor: str, now: datetime
) -> Wave:
    """Store the margins seen in the preview; they replace earlier ones.

    Raises NotPlanned, TableRefused, ProblemsFound.
    """
    wave = lifecycle.planned(session, slug)
    parsed = parse_margins(content, definition.from_canonical(wave.version.definition))
    if parsed.sha256 != sha256:
        raise ProblemsFound([frame.another_file()])
    wave.margins.clear()
    session.flush()
    wave.margins += [
        WaveMargin(variable=row.variable, category=row.category, share=row.share, source=row.source)
        for row in parsed.rows
    ]
    session.flush()
    details = {'sha256': sha256, 'variables': sorted({row.variable for row in parsed.rows})}
    audit.on_wave(session, wave, 'wave.margins', actor, now, details)
    return wave


def remove_margins(session: Session, slug: str, *, actor: str, now: datetime) -> Wave:
    """Forget the margins.  Raises NotPlanned."""
    wave = lifecycle.planned(session, slug)
    wave.margins.clear()
    session.flush()
    audit.on_wave(session, wave, 'wave.margins', actor, now, {'variables': []})
    return wave
