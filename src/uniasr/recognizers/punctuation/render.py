"""Words and labels as text, in the published system's way or plainly."""

from __future__ import annotations

from collections.abc import Sequence

from uniasr.configs.ct_transformer import COMMAS, FULL_STOPS, NO_MARK, UNKNOWN_MARK, CtTransformerConfig
from uniasr.recognizers.punctuation.own_marks import Apart, brings_mark

LATIN_MARKS = {"，": ",", "。": ".", "？": "?"}
_OPEN_ENDS = (NO_MARK, UNKNOWN_MARK, *COMMAS)


def marks_of(labels: Sequence[int], config: CtTransformerConfig) -> list[str]:
    """The mark after each word; the empty string for none."""
    return ["" if config.marks[i] in (NO_MARK, UNKNOWN_MARK) else config.marks[i] for i in labels]


def with_end(labels: Sequence[int], config: CtTransformerConfig) -> list[int]:
    """The labels of a text that ends here: its last word is followed by a full stop."""
    if labels and config.marks[labels[-1]] in _OPEN_ENDS:
        return [*labels[:-1], config.sentence_end]
    return list(labels)


def plain_marks(words: Sequence[str], labels: Sequence[int], config: CtTransformerConfig) -> list[str]:
    """The mark after each word; Latin marks in sentences of a Chinese and English model that are all Latin."""
    marks = marks_of(labels, config)
    if "，" not in config.marks:
        return marks
    for start, end in sentences(marks):
        if all(is_latin(word) for word in words[start:end]):
            marks[start:end] = [
                _latin(word, mark) for word, mark in zip(words[start:end], marks[start:end], strict=True)
            ]
    return marks


def plain_text(text: Apart, labels: Sequence[int], config: CtTransformerConfig) -> str:
    """Text in which words and its own marks stay as they are, but a sentence with Latin marks begins with a capital."""
    shown = list(text.words)
    for start, end in sentences(marks_of(labels, config)):
        if "，" in config.marks and all(is_latin(word) for word in text.words[start:end]):
            shown[start] = shown[start][:1].upper() + shown[start][1:]
    return joined(Apart(text.lead, tuple(shown), text.own, text.places), plain_marks(text.words, labels, config))


def joined(text: Apart, marks: Sequence[str], blank: str = "") -> str:
    """Words with their own marks, or else with those that were found; `blank` stands before the first word."""
    out, before = text.lead, ""
    spaces = [blank, *blanks(text.words)[1:]] if text.words else []
    for space, word, own, mark in zip(spaces, text.words, text.own, marks, strict=True):
        mark = own if brings_mark(word, own) else mark
        out += (space if before.isascii() else "") + word + mark  # marks of full width bring their own blank
        before = mark
    return out


def published_text(
    words: Sequence[str], labels: Sequence[int], starts: Sequence[int], config: CtTransformerConfig
) -> str:
    """The published system's text, its oddities included.

    The first Latin word of a window (those begin at `starts`) or sentence becomes Capitalised whatever it was, a blank
    stands before a Latin word at the start of a window, marks after Latin words are Latin.
    Source: funasr 1.4.16 funasr/models/ct_transformer/model.py.
    """
    begins, text, after_stop = set(starts), "", False
    for i, (word, mark) in enumerate(zip(words, marks_of(labels, config), strict=True)):
        latin = is_latin(word)
        if latin and (i in begins or after_stop):
            word = word.capitalize()
        if latin and (i in begins or is_latin(words[i - 1])):
            word = " " + word
        text += word + (LATIN_MARKS.get(mark, mark) if latin else mark)
        after_stop = mark in FULL_STOPS
    return text


def published_end(text: str) -> str:
    """A text as the published system ends it: a comma at the end becomes a full stop, and one is added if none is."""
    if text[-1] in "，、":
        return text[:-1] + "。"
    if text[-1] == ",":
        return text[:-1] + "."
    if text[-1] in "。？.?":
        return text
    return text + ("." if text[-1].isascii() else "。")


def _latin(word: str, mark: str) -> str:
    """The Latin form of a mark; nothing behind a word that brings its own."""
    return "" if word[-1] in ",.?!" else LATIN_MARKS.get(mark, mark)


def blanks(words: Sequence[str]) -> list[str]:
    """The blank before each word: between two words that meet in Latin letters or digits."""
    before = ["", *words[:-1]]
    return [
        " " if left and left[-1].isascii() and right[0].isascii() else ""
        for left, right in zip(before, words, strict=True)
    ]


def is_latin(word: str) -> bool:
    """Whether a word is a run of ASCII characters."""
    return word[0].isascii()


def sentences(marks: Sequence[str]) -> list[tuple[int, int]]:
    """Where sentences begin and end; the last one may lack its full stop."""
    ends = [i + 1 for i, mark in enumerate(marks) if mark in FULL_STOPS]
    if marks and (not ends or ends[-1] < len(marks)):
        ends.append(len(marks))
    return list(zip([0, *ends], ends, strict=False))
