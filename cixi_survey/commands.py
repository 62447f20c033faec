"""``flask --app app …``: thin commands over the same functions as the pages."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from cixi_survey import audit, clock, database, i18n, migrate, retention, serve, versions
from cixi_survey.contacts import lists as contact_lists
from cixi_survey.demo import load as demo
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal
from cixi_survey.models import Staff
from cixi_survey.questionnaire import library, xlsform
from cixi_survey.staff import accounts

P = ParamSpec('P')
T = TypeVar('T')
AT_THE_SHELL = 'command line'


class FileTaken(Refusal):
    """What is written there stays."""

    code = 'file_taken'
    title = N_('There is such a file already')
    message = N_('%(file)s exists and is not overwritten.')
    cure = N_('Give another name.')


def plainly(command: Callable[P, T]) -> Callable[P, T]:
    """Turn refusals and problems into lines on standard error and exit status 2."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except ProblemsFound as found:
            for problem in found.problems:
                click.echo(_line(problem), err=True)
        except Refusal as refusal:
            texts = i18n.refusal_texts(refusal)
            click.echo(' '.join(text for text in texts.values() if text), err=True)
        sys.exit(2)

    return run


def _line(problem: Problem, file: str = '') -> str:
    where = [i18n.problem_place(problem)] if problem.sheet else [problem.line, problem.column]
    place = ':'.join(str(part) for part in (file, *where) if part)
    return f'{place}: {i18n.problem_text(problem)}' if place else i18n.problem_text(problem)


db = AppGroup('db', help='The database schema.')
questionnaire = AppGroup('questionnaire', help='Questionnaire files.')
staff = AppGroup('staff', help='Accounts of the people who run the survey.')
answers = AppGroup('answers', help='Single answers, and how long they are kept.')
audit_group = AppGroup('audit', help='The chain of what staff did.')


@db.command('upgrade')
@plainly
def db_upgrade() -> None:
    """Bring the database to the newest schema."""
    changed = migrate.upgrade(database.get())
    click.echo('The schema was brought up to date.' if changed else 'The schema is up to date.')


@questionnaire.command('check')
@click.argument('file', type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option('--json', 'as_json', is_flag=True, help='Print the problems as JSON.')
@plainly
def questionnaire_check(file: Path, as_json: bool) -> None:
    """Check FILE and print every problem with its place; status 1 when there is one.

    FILE is a questionnaire, a bank of the question library, or an XLSForm workbook (.xlsx).
    """
    if file.suffix == '.xlsx':
        problems = xlsform.read(file.read_bytes()).problems
    else:
        problems = library.check_file(file)
    if as_json:
        rows = [
            {
                'file': str(file),
                'sheet': problem.sheet,
                'line': problem.line,
                'column': problem.column,
                'where': problem.where,
                'code': problem.code,
                'message': i18n.problem_text(problem),
            }
            for problem in problems
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            click.echo(_line(problem, str(file)))
        if not problems:
            click.echo(f'{file}: no problems')
    if problems:
        sys.exit(1)


@questionnaire.command('publish')
@click.argument('file', type=click.Path(exists=True, dir_okay=False, path_type=Path))
@plainly
def questionnaire_publish(file: Path) -> None:
    """Publish FILE as an immutable version and print its SHA-256."""
    content = file.read_bytes()
    with database.transaction() as session:
        published = versions.publish(
            session, content, filename=file.name, actor=AT_THE_SHELL, now=clock.now()
        )
    said = 'Published' if published.new else 'Published before, nothing changed'
    click.echo(f'{said}: {published.name} {published.sha256}')


@staff.command('create-administrator')
@click.argument('username')
@click.option('--name', default='', help='Name of the person; the user name unless given.')
@click.option('--generate', is_flag=True, help='Generate the password and print it once.')
@plainly
def staff_create_administrator(username: str, name: str, generate: bool) -> None:
    """Make an account that may manage accounts.

    The password is asked for twice and not shown, or generated with --generate; a generated one
    must be changed at the first sign-in.
    """
    migrate.upgrade(database.get())  # it may be the very first command
    password = _new_password(generate)
    with database.transaction() as session:
        accounts.create(
            session,
            username=username,
            name=name,
            password=password,
            roles=['administrator'],
            actor=AT_THE_SHELL,
            now=clock.now(),
            must_change_password=generate,
        )
    click.echo(f'The administrator {username} was created.')
    if generate:
        click.echo(f'Password, shown only now: {password}')


@staff.command('reset-password')
@click.argument('username')
@click.option('--generate', is_flag=True, help='Generate the password and print it once.')
@plainly
def staff_reset_password(username: str, generate: bool) -> None:
    """Give USERNAME a new password, to be changed at the next sign-in, and end its sessions."""
    password = _new_password(generate)
    with database.transaction() as session:
        accounts.reset_password(
            session, username=username, password=password, actor=AT_THE_SHELL, now=clock.now()
        )
    click.echo(f'The password of {username} was changed.')
    if generate:
        click.echo(f'Password, shown only now: {password}')


def _new_password(generate: bool) -> str:
    if generate:
        return accounts.generate_password()
    return str(click.prompt('Password', hide_input=True, confirmation_prompt=True))


@click.command('retention')
@with_appcontext
@plainly
def retention_command() -> None:
    """Delete what was promised to be deleted by today; run it daily.

    Contacts whose day has come, and the answers of waves whose time is over.  The server does it
    at its start.
    """
    contacts, waves = _keep_promises()
    click.echo(f'{contacts} contacts were deleted, the answers of {waves} waves were erased.')


def _keep_promises() -> tuple[int, int]:
    now = clock.now()
    with database.transaction() as session:
        contacts = contact_lists.purge(session, now)
        waves = retention.erase_due(session, actor=AT_THE_SHELL, now=now)
    if contacts or waves:
        database.get().scrub('contact', 'response')
    return contacts, waves


@answers.command('unlock')
@click.argument('slug')
@click.argument('file', type=click.Path(dir_okay=False, path_type=Path))
@click.option('--reason', required=True, help='The inspection or order; it is put on record.')
@plainly
def answers_unlock(slug: str, file: Path, reason: str) -> None:
    """Write the withdrawn answers of the wave SLUG to a new FILE, one JSON object a line.

    Only a wave on statutory ground has any: they are kept for inspections and for nothing else.
    """
    with database.transaction() as session:
        rows = retention.unlock(
            session,
            slug,
            secret_key=current_app.config['SECRET_KEY'],
            reason=reason,
            actor=AT_THE_SHELL,
            now=clock.now(),
        )
        _write_private(file, [json.dumps(row, ensure_ascii=False) for row in rows])
    click.echo(f'{len(rows)} withdrawn answers were unlocked; the record says so.')


def _write_private(file: Path, lines: Sequence[str]) -> None:
    """Make a file that only its owner may read."""
    try:
        with file.open('x', encoding='utf-8') as out:
            file.chmod(0o600)
            out.writelines(f'{line}\n' for line in lines)
    except FileExistsError as error:
        raise FileTaken(file=str(file)) from error


@audit_group.command('verify')
@plainly
def audit_verify() -> None:
    """Follow the chain of audit entries; status 1 when one was changed or removed."""
    with database.reading() as session:
        broken = audit.broken_at(session)
    if broken is not None:
        click.echo(f'The chain is broken at entry {broken}.', err=True)
        sys.exit(1)
    click.echo('The chain is whole.')


@click.command('serve')
@with_appcontext
@plainly
def serve_command() -> None:
    """Migrate the database, load the demonstration into an empty one, and serve the site."""
    settings = current_app.config['SETTINGS']
    serve.check_port(settings)
    migrate.upgrade(database.get())
    _keep_promises()
    _load_demonstration_once()
    _tell_of_first_account()
    click.echo(f'http://{settings.host}:{settings.port}  (Ctrl-C stops)')
    serve.run(current_app._get_current_object(), settings)  # type: ignore[attr-defined]


def _load_demonstration_once() -> None:
    if not current_app.config['SETTINGS'].demo:
        return
    with database.transaction() as session:
        if not demo.is_empty(session):
            return
        click.echo('Loading the demonstration …')
        loaded = demo.load(session, secret_key=current_app.config['SECRET_KEY'], now=clock.now())
    click.echo(f'{loaded.responses} simulated responses were sent through the form’s own code.')
    click.echo('Demonstration accounts for /staff, shown only now:')
    for username, password in loaded.passwords:
        click.echo(f'  {username:<14}{password}')
    click.echo(f'An invitation code to try at /i: {loaded.code}')


def _tell_of_first_account() -> None:
    """There is no default password, so an empty site has to say how anybody gets in."""
    with database.reading() as session:
        if session.scalar(sa.select(sa.exists().where(Staff.id.is_not(None)))):
            return
    click.echo('Nobody can sign in yet. In another terminal, with the same settings:')
    click.echo('  .venv/bin/flask --app app staff create-administrator NAME --generate')


def register(app: Flask) -> None:
    app.cli.add_command(serve_command)
    app.cli.add_command(retention_command)
    for group in (db, questionnaire, staff, answers, audit_group):
        app.cli.add_command(group)
