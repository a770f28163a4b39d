"""Marks on the results of a live recogniser, with a stand-in that says what it is told."""

import numpy as np
import pytest

import uniasr
from fabricated_punctuation import WORDS, fabricated
from uniasr.errors import AudioError, OptionError
from uniasr.types import Final, Partial, Refresh, Segment, Token

SILENCE = np.zeros(1600, np.float32)


def comma_behind_i_stop_behind_u(ids, place, length):
    return {"い": 5, "う": 3}.get(WORDS[ids[place]], 1)


class StandIn:
    """Each packet closes a segment of one of the given texts; what is left comes with the end."""

    def __init__(self, during, at_the_end):
        self.during, self.at_the_end, self.count = list(during), at_the_end, 0

    def stream(self, *shape, **options):
        return self

    def set_hotwords(self, hotwords):
        pass

    def accept(self, packet):
        text = self.during.pop(0)
        tokens = self._tokens(text)
        open_text = [kind(self.count, text, tokens, 100, len(tokens)) for kind in (Partial, Refresh)]
        return [*open_text, self._final(text)]

    def finish(self):
        return [self._final(text) for text in self.at_the_end]

    def _tokens(self, text):
        return tuple(Token(char, i, 10 * i, 10 * i + 5, 0.5) for i, char in enumerate(text))

    def _final(self, text):
        tokens = self._tokens(text)
        segment = Segment(index=self.count, text=text, tokens=tokens, start_ms=0, end_ms=100, nbest=())
        self.count += 1
        return Final(segment.index, text, tokens, 100, len(tokens), segment)


def heard(during, at_the_end):
    pipeline = uniasr.Pipeline(StandIn(during, at_the_end), punctuation=fabricated(comma_behind_i_stop_behind_u))
    with pipeline.stream() as stream:
        events = [event for _ in during for event in stream.accept(SILENCE)]
        return events, stream.finish()


@pytest.mark.parametrize(
    ("during", "at_the_end", "texts"),
    [
        (["あい"], ["かき"], ["あい、", "かき。"]),
        (["あう"], ["かい"], ["あう。", "かい。"]),
        ([], ["あい", "かき", ""], ["あい、", "かき。", ""]),
        (["かき"], [""], ["かき", ""]),  # already given out: a final stays as it is
    ],
)
def test_the_last_final_ends_in_a_full_stop(during, at_the_end, texts):
    events, closing = heard(during, at_the_end)
    finals = [event for event in [*events, *closing] if isinstance(event, Final)]
    assert [final.text for final in finals] == texts
    assert [final.result.text for final in finals] == texts
    assert [final.segment for final in finals] == list(range(len(finals)))
    for final, said in zip(finals, [*during, *at_the_end], strict=True):
        times = [(token.id, token.start_ms, token.end_ms) for token in final.tokens]
        assert times == [(i, 10 * i, 10 * i + 5) for i in range(len(said))]
        assert final.stable == len(final.tokens)


def test_open_text_has_marks_but_none_at_its_end():
    """Partials as well as refreshes, so that marks do not come and go."""
    events, _ = heard(["あいかう"], [])
    assert [event.text for event in events] == ["あい、かう", "あい、かう", "あい、かう。"]


def test_what_is_stable_has_the_text_of_the_final():
    (*open_text, final), _ = heard(["あいかう"], [])
    assert all(event.tokens[: event.stable] == final.tokens[: event.stable] for event in open_text)
    assert final.stable == 4


def test_a_finished_stream_takes_no_more_audio_and_no_words():
    with uniasr.Pipeline(StandIn([], [])).stream() as stream:
        assert stream.finish() == []
        for call in (lambda: stream.accept(SILENCE), lambda: stream.set_hotwords(["カイ"])):
            with pytest.raises(AudioError, match="open another one"):
                call()


def test_parts_of_another_kind_are_refused():
    punctuation = fabricated(comma_behind_i_stop_behind_u)
    recogniser = StandIn([], [])
    classes = ({"asr": uniasr.Uniasr}, {"asr": StandIn}, {"asr": recogniser, "vad": uniasr.Vad})
    for wrong in ({"asr": punctuation}, {"asr": 5}, {"asr": recogniser, "vad": recogniser}, *classes):
        with pytest.raises(OptionError, match=r"give what load_\w+ returns"):
            uniasr.Pipeline(**wrong)
    with pytest.raises(OptionError, match="punctuation is a StandIn"):
        uniasr.Pipeline(recogniser, punctuation=recogniser)
    assert uniasr.Pipeline(recogniser, punctuation=punctuation).asr is recogniser
