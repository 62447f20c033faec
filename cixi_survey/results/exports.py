"""Files: aggregates for everybody, weighted microdata for statisticians.

The aggregates come from a PublicResult alone.  The microdata are the rows behind a run with every
step of their weights; the commands in their README give the published figures again.  They have no
reference, time, language or channel, no free text, and their order is that of their hashes.  Nor do
they name the village: with age, occupation and the weight it would point at somebody.  Villages
have a number in place of their name, so that their likeness can still be measured.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from cixi_survey.errors import N_, Refusal
from cixi_survey.models import Run, Wave
from cixi_survey.questionnaire.definition import Questionnaire, Variable
from cixi_survey.questionnaire.indicators import Coded
from cixi_survey.results import dataset, measures, rates, weighting
from cixi_survey.results.dataset import Dataset, Floats, Sampling
from cixi_survey.results.disclosure import PublicResult
from cixi_survey.results.measures import Measure
from cixi_survey.results.weighting import Weighting

DEMONSTRATION = '演示数据 demonstration data'
AGGREGATE_COLUMNS = (
    'data',
    'wave',
    'kind',
    'indicator',
    'name',
    'label_zh',
    'label_en',
    'town_code',
    'town_zh',
    'town_en',
    'status',
    'scale',
    'estimate',
    'se',
    'lci',
    'uci',
    'level',
    'method',
    'df',
    'n',
    'n_eff',
    'deff',
    'target',
    'target_basis',
    'decision',
)
STAGES = '--psu PSU --ssu ROW --rate RATE,RATE_IN_PSU --certainty CERTAIN --lonely average'
ONE_STAGE = """Adults at drawn addresses answered, so villages
are no stage of the design: the commands do not need them."""
TWO_STAGES = """Villages were drawn first, with
chances by their size, then persons in them. A village taken for certain is a stratum of its own."""
ONE_STAGE_IN_R = """`svydesign(~1, strata = ~STRATUM,
weights = ~W_ADJUSTED, fpc = ~RATE)`"""
TWO_STAGES_IN_R = """with `options(survey.lonely.psu = "average")`,
`svydesign(~ifelse(CERTAIN, paste("row", ROW), PSU) + ROW,
strata = ~ifelse(CERTAIN, paste("psu", PSU), STRATUM), weights = ~W_ADJUSTED,
fpc = ~ifelse(CERTAIN, RATE_IN_PSU, RATE) + ifelse(CERTAIN, 1, RATE_IN_PSU))`
(which has no error where a village drawn by its size gave one answer only)"""
FIXED_TIME = (2020, 1, 1, 0, 0, 0)


class DataChanged(Refusal):
    """The stored answers are no longer those of the run."""

    code = 'data_changed'
    title = N_('The data are no longer those of this run')
    message = N_('An answer was withdrawn or changed after these figures were made.')
    cure = N_('Make a new run and export from that one.')


def sha256(content: bytes) -> str:
    """The checksum of a file."""
    return hashlib.sha256(content).hexdigest()


def guarded(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ('=', '+', '-', '@', '\t', '\r') else text


def aggregates_csv(result: PublicResult) -> bytes:
    """Every published figure, one a line; UTF-8 with a byte order mark, as Excel wants it."""
    content = result.content
    towns = {town['town']: town['name'] for town in content['wave']['towns']}
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, AGGREGATE_COLUMNS, restval='', lineterminator='\r\n')
    writer.writeheader()
    for row in _aggregates(content, towns):
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return buffer.getvalue().encode('utf-8-sig')


def _cell(value: object) -> str:
    if value is None:
        return ''
    return guarded(value) if isinstance(value, str) else repr(value)


def _aggregates(
    content: Mapping[str, Any], towns: Mapping[str, Mapping[str, str]]
) -> Iterator[dict[str, Any]]:
    shared = {
        'data': DEMONSTRATION if content['demonstration'] else 'survey',
        'wave': content['wave']['slug'],
        'level': content['options']['level'],
    }
    for kind in ('indicators', 'items'):
        for each in content[kind]:
            target = each.get('target')
            described = {
                **shared,
                'kind': kind[:-1],
                'indicator': each.get('indicator', each['name']),
                'name': each['name'],
                'label_zh': each['label'].get('zh', ''),
                'label_en': each['label'].get('en', ''),
                'scale': each['scale'],
                'target': target['value'] if target else None,
                'target_basis': target['basis'] if target else None,
            }
            yield described | _figure(each['total'])
            for row in each['towns']:
                name = towns[row['town']]
                place = {
                    'town_code': row['town'],
                    'town_zh': name.get('zh', ''),
                    'town_en': name.get('en', ''),
                }
                yield described | place | _figure(row)


def _figure(figure: Mapping[str, Any]) -> dict[str, Any]:
    if 'est' not in figure:
        return {'status': figure['status'], 'level': None, 'target': None, 'target_basis': None}
    numbers = ('se', 'lci', 'uci', 'method', 'df', 'n', 'n_eff', 'deff')
    verdict = figure['verdict']
    return {
        'status': figure['status'],
        'estimate': figure['est'],
        **{name: figure[name] for name in numbers},
        'decision': verdict['decision'] if verdict else None,
    }


@dataclass(frozen=True)
class Column:
    """One variable of the microdata with its line in the codebook."""

    name: str
    values: Sequence[str]
    label: Mapping[str, str]
    coded: str = ''
    missing: str = ''
    made: str = ''


def microdata_zip(session: Session, wave: Wave, run: Run) -> bytes:
    """Microdata, codebook, figures of the run and README in one file.

    Raises DataChanged when the answers are not those of the run any more.
    """
    figures = json.loads(run.figures)
    sample = dataset.load(session, wave, 'probability')
    if sample.sha256 != run.dataset_sha256:
        raise DataChanged
    _, weighted = rates.reconciled(sample, dataset.outcomes(session, wave), wave)
    weighed = weighting.weigh(sample, wave, weighted, raking=figures['options']['raking'])
    questionnaire = dataset.questionnaire_of(wave)
    columns = list(_columns(questionnaire, sample, weighed, wave))
    parts = {
        'microdata.csv': _microdata(columns),
        'codebook.csv': _codebook(columns),
        'figures.json': run.figures.encode(),
        'README.md': _readme(wave, run, figures, questionnaire, sample, weighed).encode(),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def _columns(
    questionnaire: Questionnaire, sample: Dataset, weighed: Weighting, wave: Wave
) -> Iterator[Column]:
    yield from _design_columns(sample, weighed)
    for name, coded in weighed.margins.items():
        label = {'zh': f'加权用的类别：{name}', 'en': f'category used for raking: {name}'}
        made = f'{name}; answers without a population figure are {weighting.NOT_KNOWN}'
        yield Column(f'RAKE_{name}', _labels(coded), label, made=made)
    for variable in questionnaire.variables():
        if variable.kind not in ('text', 'village'):
            yield from _answer_columns(variable, sample.columns[variable.name])
    yield from _measure_columns(questionnaire, sample, weighed)
    note = DEMONSTRATION if wave.demonstration else 'survey'
    label = {'zh': '数据性质', 'en': 'nature of the data'}
    yield Column('DATA', [note] * sample.n, label)


def _design_columns(sample: Dataset, weighed: Weighting) -> Iterator[Column]:
    sampling = sample.sampling
    assert sampling is not None
    label = {'zh': '层（镇、街道）', 'en': 'stratum (town)'}
    yield Column('STRATUM', _labels(sampling.stratum), label, made='from the frame')
    yield from (_one_stage if sampling.first is None else _two_stages)(sampling, weighed.adjusted)
    described: Sequence[tuple[str, Sequence[str], str, str, str]] = (
        ('W_BASE', _numbers(weighed.base), '设计权重', 'base weight', 'adults / probability'),
        (
            'W_ADJUSTED',
            _numbers(weighed.adjusted),
            '无回答调整后的权重',
            'weight after unknown eligibility and non-response',
            'W_BASE * factors of the town',
        ),
        ('W_FINAL', _numbers(weighed.final), '最终权重', 'final weight', 'W_ADJUSTED, raked'),
    )
    for name, values, zh, en, made in described:
        yield Column(name, values, {'zh': zh, 'en': en}, made=made)


def _village_column(sampling: Sampling, made: str) -> Column:
    zh = '村（社区）的编号，不是行政区划代码'
    en = 'village or community: a number that means nothing elsewhere'
    return Column('PSU', _numbered(sampling.psu), {'zh': zh, 'en': en}, made=made)


def _one_stage(sampling: Sampling, adjusted: Floats) -> Iterator[Column]:
    made = 'in the order of the rows; villages are not a stage of this design'
    yield _village_column(sampling, made)
    label = {'zh': '抽样框中该层的单位数', 'en': 'units of the stratum in the frame'}
    yield Column('FPC', _numbers(sampling.frame_count), label, made='from the frame')
    rate = weighting.sampled_share(sampling.stratum, adjusted)
    zh = '有限总体校正用的抽样比（按成年人计）'
    en = 'sampled share of the adults, for the finite population correction'
    made = 'sum of W_ADJUSTED / sum of its squares, in the stratum'
    yield Column('RATE', _numbers(rate), {'zh': zh, 'en': en}, made=made)


def _two_stages(sampling: Sampling, adjusted: Floats) -> Iterator[Column]:
    # Without the length of a village's list, which would say which village it is.
    first = sampling.first
    assert first is not None
    yield _village_column(sampling, 'in the order of the rows; the unit of the first stage')
    numbers = [str(number) for number in range(1, len(adjusted) + 1)]
    label = {'zh': '行号，第二阶段的单元', 'en': 'number of the row, the unit of the second stage'}
    yield Column('ROW', numbers, label)
    label = {'zh': '村（社区）必然入样', 'en': 'village taken for certain'}
    certain = [str(int(each)) for each in first.certain.tolist()]
    yield Column('CERTAIN', certain, label, '1=yes; 0=drawn by its size')
    rates = weighting.rates_of_stages(sampling, adjusted)
    zh = '第一阶段的抽样比'
    en = 'rate of the first stage, for the finite population correction'
    made = 'sum of squared chances / sum of chances, over the villages not certain'
    yield Column('RATE', _numbers(rates[0]), {'zh': zh, 'en': en}, made=made)
    zh = '第二阶段的抽样比（按成年人计）'
    en = 'sampled share of the adults of the village'
    made = 'sum of W_ADJUSTED * chance of the village / sum of its squares, in the village'
    yield Column('RATE_IN_PSU', _numbers(rates[1]), {'zh': zh, 'en': en}, made=made)


def _answer_columns(variable: Variable, column: Coded) -> Iterator[Column]:
    label = dict(variable.label)
    if variable.kind != 'multiple':
        coded = '; '.join(_option(variable, value) for value in variable.values)
        yield Column(variable.name, _labels(column), label, coded, 'empty: no answer')
        return
    for value in variable.values:
        table = ['' if not each else str(int(value in _several(each))) for each in column.labels]
        yield Column(
            f'{variable.name}__{value}',
            _looked_up(table, column),
            {key: f'{text}: {_name(variable, value, key)}' for key, text in label.items()},
            '1=chosen; 0=not chosen',
            'empty: question not answered',
        )


def _several(label: object) -> tuple[str, ...]:
    return label if isinstance(label, tuple) else tuple(str(label).split())


def _option(variable: Variable, value: str) -> str:
    labels = variable.option(value).label
    return f'{value}={"/".join(labels[language] for language in sorted(labels, reverse=True))}'


def _name(variable: Variable, value: str, language: str) -> str:
    return variable.option(value).label.get(language, value)


def _measure_columns(
    questionnaire: Questionnaire, sample: Dataset, weighed: Weighting
) -> Iterator[Column]:
    seen: set[str] = set()
    for indicator in questionnaire.indicators:
        made = f'indicator {indicator.name}: rule {indicator.rule}'
        found = [measures.headline(indicator, sample), *measures.items(indicator, sample)]
        for place, measure in enumerate(found):
            prefix = 'I' if place == 0 else 'S'
            name = f'{prefix}_{measure.name.replace(".", "__")}'
            if name not in seen:
                seen.add(name)
                yield from _measure(name, measure, made, weighed)


def _measure(name: str, measure: Measure, made: str, weighed: Weighting) -> Iterator[Column]:
    scale = '0 to 1' if measure.scale == 'share' else '0 to 100'
    label, missing = dict(measure.label), 'empty: out of the base'
    if measure.per is None:
        yield Column(name, _numbers(measure.values), label, scale, missing, made)
        return
    share = np.where(np.isnan(measure.values), np.nan, 1.0 / measure.per)
    yield Column(name, _numbers(measure.values), label, scale, missing, made)
    top = f'{name} / adults of the household'
    yield Column(f'{name}_NUM', _numbers(measure.values * share), label, '', missing, top)
    bottom = '1 / adults of the household'
    yield Column(f'{name}_DEN', _numbers(share), label, '', missing, bottom)
    weight = weighed.final * np.where(np.isnan(share), 0.0, share)
    yield Column(
        f'{name}_WEIGHT', _numbers(weight), label, '', '', 'W_FINAL / adults of the household'
    )


def _labels(column: Coded) -> list[str]:
    table = ['' if label is None else str(label) for label in column.labels]
    return _looked_up(table, column)


def _numbered(column: Coded) -> list[str]:
    """The labels as numbers in the order in which they appear, which nobody can work back."""
    places: dict[int, int] = {}
    return [str(places.setdefault(code, len(places) + 1)) for code in column.codes.tolist()]


def _looked_up(table: Sequence[str], column: Coded) -> list[str]:
    return [table[code] for code in column.codes.tolist()]


def _numbers(values: Floats) -> list[str]:
    # repr gives the shortest text that is read back as the same number.
    return ['' if value != value else repr(value) for value in values.tolist()]


def _microdata(columns: Sequence[Column]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator='\r\n')
    writer.writerow([column.name for column in columns])
    writer.writerows(zip(*(column.values for column in columns), strict=True))
    return buffer.getvalue().encode('utf-8-sig')


def _codebook(columns: Sequence[Column]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator='\r\n')
    writer.writerow(['variable', 'label_zh', 'label_en', 'values', 'missing', 'how_made'])
    for each in columns:
        texts = (
            each.name,
            each.label.get('zh', ''),
            each.label.get('en', ''),
            each.coded,
            each.missing,
            each.made,
        )
        writer.writerow([guarded(text) for text in texts])
    return buffer.getvalue().encode('utf-8-sig')


def commands(figures: Mapping[str, Any], margins: Sequence[str]) -> list[str]:
    """For each indicator the line that computes it from the microdata."""
    options = figures['options']
    design = 'microdata.csv --weights W_FINAL --strata STRATUM '
    design += STAGES if figures['wave'].get('villages') else '--rate RATE'
    if margins:
        raked = ','.join(f'RAKE_{name}' for name in margins)
        design += f' --raked-on {raked} --base-weights W_ADJUSTED'
    lines = []
    for indicator in figures['indicators']:
        name = f'I_{indicator["name"]}'
        what = {
            'household': f'--ratio {name}_NUM/{name}_DEN',
            'proportion': f'--proportion {name} --ci {options["method"]}',
            'mean': f'--mean {name} '
            + (
                f'--ci {options["method"]} --limits 0,1'
                if indicator['scale'] == 'share'
                else '--ci t --limits 0,100'
            ),
        }[indicator['kind']]
        line = f'python -m analysis estimate {design} {what} --level {options["level"]:g}'
        target = indicator['target']
        if target is not None and indicator['kind'] != 'household':
            line += f' --target {target["value"]:g}'
        lines.append(line)
    return lines


def _readme(
    wave: Wave,
    run: Run,
    figures: Mapping[str, Any],
    questionnaire: Questionnaire,
    sample: Dataset,
    weighed: Weighting,
) -> str:
    note = f'**{DEMONSTRATION}**\n\n' if wave.demonstration else ''
    lines = '\n'.join(commands(figures, list(weighed.margins)))
    reason = (
        '' if figures['options']['raking'] else f'\nNot raked: {figures["options"]["reason"]}\n'
    )
    staged = sample.sampling is not None and sample.sampling.first is not None
    stages, in_r = (TWO_STAGES, TWO_STAGES_IN_R) if staged else (ONE_STAGE, ONE_STAGE_IN_R)
    return f"""# {wave.title_zh} / {wave.title_en}

{note}Weighted microdata of the probability sample, {sample.n} rows, one a complete response.
Confidential statistical data: for statistical work only (Statistics Law, articles 11 and 28).
统计用途的个体资料，须依法保密，不得用于其他目的（《统计法》第十一条、第二十八条）。

- Questionnaire {questionnaire.name}, version {wave.version_sha256}
- Run {run.id}: figures {run.figures_sha256}
- Data {run.dataset_sha256}
- Made with {run.software}
{reason}
| file | what |
|---|---|
| microdata.csv | one row a response; UTF-8 with byte order mark |
| codebook.csv | every column: labels, values, missing values, how it was made |
| figures.json | all figures of the run, as they were frozen |

The order of the rows says nothing. There is no reference, time, language, channel, free text or
village; `PSU` numbers the villages of this file. {stages}
Columns in capitals were added to the answers. `W_FINAL` is the weight of a person; `*_WEIGHT`,
`*_NUM` and `*_DEN` belong to the indicator about households.

## The figures again
In this folder (`--by STRATUM` gives the towns, `--json` all digits). The first line says where the
project lies, whose Python and `analysis` are used:

```sh
project=/srv/cixi_survey; export PYTHONPATH=$project PATH=$project/.venv/bin:$PATH
{lines}
```

The interval of the indicator about households is the same t interval held inside 0 to 1.

In R the same estimates and standard errors come from `survey`: {in_r} and, where raked,
`calibrate(…, calfun = "raking")` on the RAKE columns with the sums of W_FINAL as population.
(`rake()` gives the same weights but takes its standard errors from the last rounds only.)
"""
