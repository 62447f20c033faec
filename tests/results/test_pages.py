"""What the public reads, and what staff do to get there."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
import sqlalchemy as sa
from flask import Flask

from cixi_survey import audit
from cixi_survey.database import Database
from cixi_survey.models import AuditEntry, Publication, Run, Wave
from cixi_survey.results import publish
from cixi_survey.results.publish import (
    AlreadyPublic,
    ReasonMissing,
    RunDamaged,
    RunOfAnotherWave,
)
from tests import factories
from tests.client import CheckingClient
from tests.results.conftest import NOW, database_of, made, opened, published, tiny, whole

PERCENT = r'\d+(?:\.\d+)?%'
RANGE = {'en': rf'{PERCENT} to {PERCENT}', 'zh': rf'{PERCENT} 至 {PERCENT}'}
# What is exact and no estimate: targets, confidence levels, counted shares of the sample.
EXACT = {
    'en': (
        rf'target {PERCENT}',
        rf'{PERCENT} interval',
        rf'RR[13] {PERCENT}',
        rf'{PERCENT} of those who could be asked',
        rf'each at {PERCENT}',
        rf'Confidence level {PERCENT}',
    ),
    'zh': (
        rf'目标 {PERCENT}',
        rf'{PERCENT}置信区间',
        rf'RR[13]为{PERCENT}',
        rf'占可访对象的{PERCENT}',
        rf'单侧置信水平均为{PERCENT}',
        rf'置信水平{PERCENT}；',
        r'（≥80%?）',
    ),
}


class Blocks(HTMLParser):
    """The texts of a page by block: a row, a card, a paragraph, a text of a chart."""

    BLOCKS = frozenset(['tr', 'p', 'li', 'dd', 'h2', 'h3', 'text', 'article', 'summary', 'caption'])
    WHOLE = frozenset(['tr', 'article'])

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self.inside: list[tuple[str, bool]] = []
        self.current = ''
        self.feed(text)
        self.flush()

    def flush(self) -> None:
        if self.current.strip():
            self.blocks.append(' '.join(self.current.split()))
        self.current = ''

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = str(dict(attrs).get('class') or '').split()
        if tag in self.BLOCKS and not any(name in self.WHOLE for name, _ in self.inside):
            self.flush()
        silent = 'counted' in classes or (tag == 'text' and {'muted', 'target'} & set(classes))
        if tag not in {'br', 'input', 'meta', 'link', 'img'}:
            self.inside.append((tag, bool(silent)))
        self.current += ' '

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop()[0] != tag:
            pass
        if tag in self.BLOCKS and not any(name in self.WHOLE for name, _ in self.inside):
            self.flush()

    def handle_data(self, data: str) -> None:
        if not any(silent for _, silent in self.inside):
            self.current += data


def page(app: Flask, language: str, path: str = '/results/w2026-11') -> str:
    client = app.test_client()
    response = client.get(f'{path}?lang={language}')
    assert response.status_code == 200
    return html.unescape(response.get_data(as_text=True))


def bare(text: str, language: str) -> list[str]:
    """Blocks with a percentage that has no interval beside it."""
    found = []
    for block in Blocks(text).blocks:
        left = block
        for exact in EXACT[language]:
            left = re.sub(exact, '', left)
        numbers = len(re.findall(PERCENT, left))
        if numbers != 3 * len(re.findall(RANGE[language], left)):
            found.append(block)
    return found


@pytest.mark.parametrize('language', ['en', 'zh'])
def test_no_percentage_stands_without_its_interval(published_app: Flask, language: str) -> None:
    text = page(published_app, language)
    assert len(re.findall(RANGE[language], text)) > 50
    assert bare(text.partition('<main')[2], language) == []


def test_the_finder_of_bare_percentages_finds_one() -> None:
    assert bare('<p>84.3% of us</p>', 'en') == ['84.3% of us']
    assert bare('<tr><td>84.3%</td><td>82.0% to 86.1%</td></tr>', 'en') == []


def test_the_page_says_what_was_found_in_both_languages(published_app: Flask) -> None:
    english, chinese = page(published_app, 'en'), page(published_app, 'zh')
    for text, words in (
        (english, ('Met', 'Undecided', 'target 80%', 'effective n =', '95% interval', 'RR3')),
        (chinese, ('达标', '尚不能判定', '目标 80%', '有效样本量', '95%置信区间', 'RR3')),
    ):
        for word in words:
            assert word in text
    assert 'National' in english
    assert '国家指标' in chinese
    assert 'lang="zh-CN"' in chinese
    assert 'source: <span lang="zh-CN">表2—3</span>' in english


@pytest.mark.parametrize(
    ('language', 'words'),
    [
        (
            'en',
            (
                'approval or filing 慈统审〔2026〕1号',
                'form 慈环调1号',
                'valid until',
                '慈溪市统计局',
                'lived for at least 6 of the last 12 months',
                'Raked on: town / Age',
                'Wilson interval',
                'finite population correction',
                'at least 50 answers',
                'Kish',
                'version ',
                'numpy',
            ),
        ),
        ('zh', ('批准（备案）文号：慈统审〔2026〕1号', '表号：慈环调1号', '有效期至', '迭代加权')),
    ],
)
def test_the_page_says_how_it_was_measured(
    published_app: Flask, language: str, words: tuple[str, ...]
) -> None:
    text = page(published_app, language)
    for word in words:
        assert word in text, word


def test_the_baseline_of_2017_is_on_the_card_of_the_score_and_nowhere_else(
    published_app: Flask,
) -> None:
    text = page(published_app, 'en')
    assert text.count('75.3 points') == 1
    card = re.search(r'<article class="stat" id="satisfaction_score">.*?</article>', text, re.S)
    assert card is not None
    assert '2017: 75.3 points' in card[0]
    assert 'Probably the provincial score' in card[0]
    assert 'the rule is bound to the other scale' in card[0]


def test_the_open_stream_is_apart_and_claims_nothing(published_app: Flask) -> None:
    text = page(published_app, 'en')
    section = re.search(r'<section aria-labelledby="open".*?</section>', text, re.S)
    assert section is not None
    words = ' '.join(Blocks(section[0]).blocks)
    assert 'No sampling error can be calculated' in words
    assert 'Self-selected sample, not weighted' in words
    for forbidden in ('interval', 'Met', 'target', 'Town', 'town', 'effective', '80%'):
        assert forbidden not in words, forbidden
    assert '自愿样本，未加权' in page(published_app, 'zh')


def test_a_town_without_a_figure_is_named_without_one(app: Flask) -> None:
    with database_of(app).transaction() as session:
        published(session, whole(session, sizes={'330282108': 24}))
    text = page(app, 'zh')
    assert re.search(r'没有数值的镇（街道）：[^。]*附海镇', text)
    rows = re.findall(r'<tr><th scope="row">附海镇.*?</tr>', text, re.S)
    assert len(rows) == 1  # the returns, which say nothing either
    assert '答卷少，不公布' in rows[0]
    charts = re.findall(r'<svg class="chart towns".*?</svg>', text, re.S)
    assert charts
    assert not any('附海镇' in chart for chart in charts)


def test_few_answers_are_marked_as_indicative(app: Flask) -> None:
    with database_of(app).transaction() as session:
        published(session, whole(session, sizes={'330282108': 45}))
    assert re.search(r'附海镇 <span class="tag ">仅供参考</span>', page(app, 'zh'))


def test_every_chart_has_words_and_a_table_and_marks_by_shape(published_app: Flask) -> None:
    text = page(published_app, 'en')
    charts = re.findall(r'<svg class="chart towns".*?</svg>', text, re.S)
    assert len(charts) == 4
    for chart in charts:
        assert re.search(r'<title id="[^"]+">[^<]+ by town</title>', chart)
        assert '<desc' in chart
        assert 'style=' not in chart
    satisfaction = next(chart for chart in charts if 'chart-satisfaction_share' in chart)
    assert '<circle class="point"' in satisfaction
    assert 'class="point hollow"' in satisfaction
    assert text.count('<table id="towns-') == 4


def test_simulated_figures_are_labelled_and_real_ones_are_not(app: Flask) -> None:
    with database_of(app).transaction() as session:
        published(session, whole(session))
        published(session, tiny(session, slug='real', demonstration=False))
    assert 'was made up by a program' in page(app, 'en')
    assert '由程序编造' in page(app, 'zh')
    assert 'was made up by a program' not in page(app, 'en', '/results/real')
    listed = page(app, 'en', '/results')
    assert listed.count('<span class="tag warn">demonstration data</span>') == 1


def test_a_tiny_wave_is_published_without_figures(app: Flask) -> None:
    with database_of(app).transaction() as session:
        published(session, tiny(session))
    text = page(app, 'en', '/results/tiny')
    assert text.count('Not shown') >= 4
    assert bare(text.partition('<main')[2], 'en') == []


def test_the_list_of_results_is_empty_and_says_so(client: CheckingClient) -> None:
    text = client.get('/results?lang=en').get_data(as_text=True)
    assert 'Nothing has been published yet' in text


@pytest.mark.parametrize('end', ['', '.json', '.csv'])
def test_nothing_is_shown_of_a_wave_before_it_is_published(app: Flask, end: str) -> None:
    with database_of(app).transaction() as session:
        made(session, whole(session))
    assert app.test_client().get(f'/results/w2026-11{end}').status_code == 404
    assert app.test_client().get(f'/results/unknown{end}').status_code == 404


def statistician(app: Flask) -> CheckingClient:
    client = app.test_client()
    assert isinstance(client, CheckingClient)
    factories.sign_in(client, database_of(app), 'statistician')
    return client


ADDRESS = '/staff/waves/w2026-11/estimates'


def test_from_a_closed_wave_to_a_revised_result_in_the_browser_s_steps(app: Flask) -> None:
    with database_of(app).transaction() as session:
        opened(session, whole(session), [{}] * 3)
    client = statistician(app)
    assert ADDRESS in client.get('/staff/estimates').get_data(as_text=True)
    token = {'csrf_token': client.token()}
    assert 'Make figures' in client.get(f'{ADDRESS}?lang=en').get_data(as_text=True)
    first = client.post(ADDRESS, data={**token, 'level': '0.95', 'method': 'wilson'})
    assert first.status_code == 303
    run_page = client.get(first.location).get_data(as_text=True)
    assert 'Publish these figures' in run_page
    preview = client.get(f'{first.location}/preview').get_data(as_text=True)
    assert 'Preview: this is what the public would see' in preview
    assert client.get('/results/w2026-11').status_code == 404
    assert client.post(f'{first.location}/publish', data=token).status_code == 303
    assert client.get('/results/w2026-11').status_code == 200
    second = client.post(
        ADDRESS, data={**token, 'level': '0.9', 'method': 'logit', 'raking': 'yes'}
    )
    unexplained = client.post(f'{second.location}/publish', data=token)
    assert unexplained.status_code == 422
    assert 'Say why the published figures change' in unexplained.get_data(as_text=True)
    reason = '区间改按九成计算'
    done = client.post(f'{second.location}/publish', data={**token, 'reason': reason})
    assert done.status_code == 303
    text = page(app, 'zh')
    assert reason in text
    assert '第2版' in text
    assert '90%置信区间' in text
    with database_of(app).reading() as session:
        acts = list(session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))
        assert acts == ['run.make', 'result.publish', 'run.make', 'result.publish']
        assert audit.broken_at(session) is None
        assert session.scalars(sa.select(Wave.state)).one() == 'published'


def test_bad_options_come_back_with_their_fault_and_nothing_lost(app: Flask) -> None:
    with database_of(app).transaction() as session:
        whole(session)
    client = statistician(app)
    answer = client.post(
        f'{ADDRESS}?lang=en',
        data={'csrf_token': client.token(), 'level': '0.99', 'method': 'logit', 'raking': 'no'},
    )
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'href="#f-reason"' in text
    assert 'value="0.99" selected' in text
    assert 'value="logit" selected' in text


def test_an_open_wave_offers_no_figures(app: Flask) -> None:
    with database_of(app).transaction() as session:
        factories.wave(session, slug='w2026-11')
    client = statistician(app)
    assert 'Make figures' not in client.get(f'{ADDRESS}?lang=en').get_data(as_text=True)
    answer = client.post(f'{ADDRESS}?lang=en', data={'csrf_token': client.token(), 'level': '0.95'})
    assert answer.status_code == 409
    assert 'This wave is not closed yet' in answer.get_data(as_text=True)


def test_microdata_go_to_statisticians_only_and_leave_a_trace(app: Flask) -> None:
    with database_of(app).transaction() as session:
        number = made(session, whole(session)).id
    organiser = app.test_client()
    factories.sign_in(organiser, database_of(app), 'organiser', username='li')
    address = f'{ADDRESS}/{number}/microdata'
    token = {'csrf_token': organiser.token()}
    assert organiser.post(address, data=token).status_code == 403
    assert 'microdata' not in organiser.get(f'{ADDRESS}/{number}').get_data(as_text=True)
    client = statistician(app)
    answer = client.post(address, data={'csrf_token': client.token()})
    assert answer.mimetype == 'application/zip'
    with database_of(app).reading() as session:
        entry = session.scalars(sa.select(AuditEntry)).one()
    assert (entry.actor, entry.action) == ('zhang', 'microdata.export')


@pytest.mark.parametrize('path', ['', '/1', '/1/preview'])
def test_strangers_and_administrators_do_not_see_runs(app: Flask, path: str) -> None:
    with database_of(app).transaction() as session:
        made(session, whole(session))
    assert app.test_client().get(ADDRESS + path).status_code == 302
    administrator = app.test_client()
    factories.sign_in(administrator, database_of(app), 'administrator')
    assert administrator.get(ADDRESS + path).status_code == 403


def test_a_run_is_found_under_its_own_wave_only(app: Flask) -> None:
    with database_of(app).transaction() as session:
        number = made(session, whole(session)).id
        tiny(session)
    client = statistician(app)
    assert client.get(f'/staff/waves/tiny/estimates/{number}').status_code == 404
    assert client.get(f'/staff/waves/tiny/estimates/{2**70}').status_code == 404
    assert client.get(f'{ADDRESS}/{number + 1}').status_code == 404


def test_a_revision_needs_a_reason_and_the_old_one_stays(both_apps: Flask) -> None:
    database: Database = database_of(both_apps)
    with database.transaction() as session:
        wave = whole(session)
        first = publish.publish(session, wave, made(session, wave), by=None, now=NOW)
        before = first.result
        again = made(session, wave, level=0.9)
        with pytest.raises(ReasonMissing):
            publish.publish(session, wave, again, by=None, now=NOW, reason='  ')
        second = publish.publish(session, wave, again, by=None, now=NOW, reason='修正')
        assert (first.revision, second.revision) == (1, 2)
    with database.reading() as session:
        kept = session.scalars(sa.select(Publication).order_by(Publication.revision)).all()
        assert kept[0].result == before
    with (
        pytest.raises(sa.exc.IntegrityError, match='publication is frozen'),
        database.transaction() as session,
    ):
        session.execute(sa.update(Publication).values(result='{}'))


def test_the_figures_that_are_public_are_not_published_once_more(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = tiny(session)
        run = made(session, wave)
        publish.publish(session, wave, run, by=None, now=NOW)
        for reason in ('', '修正'):
            with pytest.raises(AlreadyPublic):
                publish.publish(session, wave, run, by=None, now=NOW, reason=reason)


def test_a_run_of_another_wave_or_with_changed_figures_is_not_published(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave, other = whole(session), tiny(session)
        run = made(session, other)
        with pytest.raises(RunOfAnotherWave):
            publish.publish(session, wave, run, by=None, now=NOW)
        damaged = Run(wave_id=wave.id, figures=run.figures + ' ', figures_sha256=run.figures_sha256)
        with pytest.raises(RunDamaged):
            publish.preview(damaged)
