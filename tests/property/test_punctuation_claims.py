"""What punctuation claims for all inputs: company does not matter, words are never changed, work is bounded."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import uniasr
from fabricated_punctuation import fabricated
from uniasr.text.words import split_words, word_spans
from uniasr.types import Token

LETTERS = "あいうえおかきくけこ"
texts = st.text(st.sampled_from(LETTERS + " ok。"), max_size=150)
token_lists = st.lists(st.sampled_from([*LETTERS, "あい", "o@@", "ok", "k", "<unk>", "gpu"]), max_size=60)


def tokens_of(words):
    return [Token(text, i, 50 * i, 50 * i + 40, 0.9) for i, text in enumerate(words)]


def between(text, written):
    """What was put before each character of a text and at its end."""
    put = [""]
    for char in written:
        if len(put) <= len(text) and char == text[len(put) - 1]:
            put.append("")
        else:
            put[-1] += char
    return put


@pytest.fixture(scope="module")
def packaged():
    """The packaged model, on the default engine."""
    if not (Path(uniasr.__file__).parent / "packaged" / "ja-punctuation").is_dir():
        pytest.skip("no packaged punctuation model in this checkout")
    return uniasr.load_punctuator(threads=1)


@given(st.text(st.sampled_from("aZ3'あ龘é \t\u3000\x1c\x85\x00。"), max_size=30))
def test_words_are_split_as_the_published_system_does(text):
    wanted = []
    for piece in text.split():
        run = ""
        for char in piece:
            if char.isascii():
                run += char
                continue
            wanted += [run, char] if run else [char]
            run = ""
        wanted += [run] if run else []
    assert split_words(text) == wanted
    assert [text[start:end] for start, end in word_spans(text, wanted)] == wanted


@settings(deadline=None, max_examples=60)
@given(st.lists(texts, max_size=6), st.integers(1, 30), st.booleans())
def test_a_batch_gives_what_each_text_gives_alone(company, split_size, twice):
    model = fabricated(second_look=twice)
    together = model.label_batch(company, split_size=split_size)
    assert together == [model.label(text, split_size=split_size) for text in company]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(st.sampled_from(LETTERS + "。！、"), max_size=20), max_size=8), st.booleans())
def test_the_marks_of_a_text_stay_where_they_stand_and_get_no_neighbours(pieces, twice):
    model, text = fabricated(second_look=twice, text_style="plain"), "".join(pieces)
    stream = model.stream()
    for written in (model.punctuate(text), "".join([*map(stream.accept, pieces), stream.finish()])):
        put = between(text, written)
        assert all(len(mark) <= 1 and mark in ("", *model.marks) for mark in put)
        for place, mark in enumerate(put):
            assert not mark or not {"。", "！", "、"} & set(text[max(0, place - 1) : place + 1])


@settings(deadline=None, max_examples=60)
@given(texts, st.sampled_from(["published", "plain"]))
def test_words_stay_and_labels_are_as_many(text, style):
    result = fabricated().label(text, style=style)
    assert len(result.labels) == len(result.words)
    wanted = split_words(text)
    if style == "plain":
        wanted = [word for word in wanted if word != "。"]
        letters = "".join(result.words).lower()
        assert letters == "".join(char for char in result.text.lower() if char not in "，。？、,.? ")
    assert list(result.words) == wanted
    assert not result.words or result.text[-1] in "。？.?"


@settings(deadline=None, max_examples=60)
@given(st.lists(token_lists, max_size=5), st.booleans(), st.booleans())
def test_tokens_keep_their_number_order_times_and_words(company, closed, twice):
    model = fabricated(second_look=twice)
    given_tokens = [tokens_of(words) for words in company]
    found = model.punctuate_tokens_batch(given_tokens, closed=closed)
    assert found == [model.punctuate_tokens(tokens, closed=closed) for tokens in given_tokens]
    for before, after in zip(given_tokens, found, strict=True):
        assert [(t.id, t.start_ms, t.end_ms) for t in after] == [(t.id, t.start_ms, t.end_ms) for t in before]
        assert all(new.text.startswith(old.text) for old, new in zip(before, after, strict=True))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from([*LETTERS, "あい"]), max_size=60), max_size=8), st.integers(1, 30), st.booleans()
)
def test_groups_of_a_long_text_get_the_marks_of_the_whole(groups, split_size, twice):
    model = fabricated(second_look=twice, split_size=split_size)
    long_text = model.long_text()
    given_tokens = [tokens_of(words) for words in groups]
    found = [group for tokens in given_tokens for group in long_text.add(tokens)] + long_text.finish()
    wanted = model.punctuate_tokens([token for tokens in given_tokens for token in tokens])
    assert [token.text for group in found for token in group] == [token.text for token in wanted]


@settings(deadline=None, max_examples=60)
@given(st.lists(texts, max_size=8), st.booleans())
def test_the_pieces_of_a_stream_hold_all_words_and_its_memory_is_bounded(pieces, twice):
    model = fabricated(second_look=twice)
    stream = model.stream()
    written = ""
    for piece in pieces:
        written += stream.accept(piece) + " "
        assert len(stream.carry.words) <= 200
    written += stream.finish()
    kept = [word for word in split_words(written) if word not in model.marks]
    assert kept == [word for piece in pieces for word in split_words(piece) if word not in model.marks]


def test_the_packaged_model_gives_the_same_bits_in_any_company(packaged):
    rng = np.random.default_rng(3)
    company = [
        "".join(rng.choice(list("アイウエオカキクケコ今日は雨が降る"), size)) for size in rng.integers(1, 300, 40)
    ]
    together = packaged.label_batch(company)
    assert together == [packaged.label(text) for text in company]
    assert packaged.label_batch(company[::-1]) == together[::-1]
