"""Hotwords behind a recogniser: numbers in digits leave them as they are."""

import numpy as np
import pytest

import uniasr
from uniasr.types import Final, HotwordMatch, Partial, Segment, Token, Transcript

NAME, SAID = "四月一日", "四月一日さんは三月三日に来た"
SILENCE = np.zeros(1600, np.float32)
TOKENS = tuple(Token(char, i, 10 * i, 10 * i + 10, 0.5) for i, char in enumerate(SAID))


class Hearing:
    """A recogniser that hears the same sentence in everything, and the hotword at its beginning if it is listed."""

    def attempt(self, audios, *shape, hotwords=(), **options):
        for _ in audios:
            yield Transcript(SAID, (self._segment(hotwords),), 1000)

    def stream(self, *shape, hotwords=(), **options):
        self.listed = hotwords
        return self

    def set_hotwords(self, hotwords):
        self.listed = hotwords or ()

    def accept(self, packet):
        return [Partial(0, SAID, TOKENS, 100, 0)]

    def finish(self):
        return [Final(0, SAID, TOKENS, 100, len(TOKENS), self._segment(self.listed))]

    def _segment(self, listed):
        found = tuple(HotwordMatch(one.word, 0, 40, 0) for one in listed if one.word == NAME)
        return Segment(0, 0, 1000, SAID, TOKENS, (), found)


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        ([f"{NAME} わたぬき 2", "五月雨"], "四月一日さんは3月3日に来た"),
        (["五月雨"], "4月1日さんは3月3日に来た"),
    ],
)
def test_a_hotword_in_the_text_is_not_written_in_digits(listed, text):
    pipeline = uniasr.Pipeline(Hearing(), itn="ja")
    found = pipeline.transcribe(SILENCE, 16_000, hotwords=listed)
    assert found.text == "".join(token.text for token in found.tokens) == text
    assert all(match.word in found.text for match in found.hotwords)
    with pipeline.stream(hotwords=listed) as stream:
        assert [event.text for event in [*stream.accept(SILENCE), *stream.finish()]] == [text, text]
    with pipeline.stream() as stream:
        stream.set_hotwords(listed)
        assert [event.text for event in [*stream.accept(SILENCE), *stream.finish()]] == [text, text]


def test_a_function_of_ones_own_decides_about_hotwords_by_itself():
    pipeline = uniasr.Pipeline(Hearing(), itn=lambda text: text.replace(NAME, "4/1"))
    assert pipeline.transcribe(SILENCE, 16_000, hotwords=[NAME]).text == "4/1さんは三月三日に来た"
