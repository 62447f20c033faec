"""Codes: unguessable, forgiving of how they are typed, strict about what was typed."""

import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cixi_survey import codes

any_code = st.builds(codes.new_code)


def test_a_code_holds_at_least_fifty_random_bits():
    assert (codes.CODE_LENGTH - 1) * math.log2(len(codes.ALPHABET)) >= 50


def test_the_alphabet_has_no_look_alikes_and_makes_no_words():
    assert not set(codes.ALPHABET) & set('AEIOU01LZ5SB')


@given(any_code)
def test_case_width_and_separators_do_not_matter(code):
    wide = ''.join(chr(ord(character) + 0xFEE0) for character in code.lower())
    assert codes.normalise(f'  {code[:4]}－{code[4:8]} {code[8:]}\n') == code
    assert codes.normalise(wide) == code
    assert codes.normalise(codes.grouped(code)) == code


@given(any_code, st.integers(0, codes.CODE_LENGTH - 1), st.sampled_from(codes.ALPHABET))
def test_one_wrong_character_is_called_a_typing_slip(code, place, other):
    typed = code[:place] + other + code[place + 1 :]
    if typed != code:
        with pytest.raises(codes.CodeMistyped):
            codes.normalise(typed)


@given(any_code, st.integers(0, codes.CODE_LENGTH - 2))
def test_two_neighbours_swapped_are_called_a_typing_slip(code, place):
    typed = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    ends = {code[place], code[place + 1]} == {codes.ALPHABET[0], codes.ALPHABET[-1]}
    if typed != code and not ends:
        with pytest.raises(codes.CodeMistyped):
            codes.normalise(typed)


@pytest.mark.parametrize('typed', ['', 'ABCD', '7KQW-3MNP', '你好', "' OR 1=1 --", 'A' * 5000])
def test_what_cannot_be_a_code_is_refused_with_an_example(typed):
    with pytest.raises(codes.CodeMistyped, match='7KQW-3MNP-X9DT'):
        codes.normalise(typed)


def test_the_stored_hash_depends_on_the_key_and_hides_the_code():
    code = codes.new_code()
    first, second = codes.hashed(code, 'k' * 32), codes.hashed(code, 'l' * 32)
    assert first != second
    assert len(first) == 64
    assert set(first) <= set(string.hexdigits)
    assert code not in first.upper()


def test_references_are_shorter_and_grouped_for_reading_out():
    reference = codes.new_reference()
    assert codes.normalise_reference(codes.grouped(reference).lower()) == reference
    assert len(codes.grouped(reference)) == len('ABC-DEF-GHJ')
    assert codes.normalise_reference(reference[:-1]) is None


def test_a_check_code_is_that_of_its_wave_and_its_site():
    made = {codes.check_code(slug, key) for slug in ('a', 'b', 'c') for key in ('k' * 32, 'q' * 32)}
    assert len(made) == 6
    assert codes.check_code('a', 'k' * 32) in made


@given(st.text(min_size=1, max_size=40))
def test_a_check_code_is_read_back_from_any_spelling(slug):
    code = codes.check_code(slug, 'k' * 32)
    assert codes.normalise_check_code(f' {codes.grouped(code).lower()} ') == code
    assert codes.normalise_reference(code) is None
