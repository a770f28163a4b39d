"""Error rates, their intervals, readings of Japanese, delays from events, the page to read."""

import html.parser
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rapidfuzz")

from fabricated import RATE_HZ, fabricated_model, samples_of

from uniasr.cli.app import cli
from uniasr.errors import MissingExtraError, OptionError
from uniasr.training.data.manifest import Entry
from uniasr.training.evaluation import measure as measuring
from uniasr.training.evaluation.errors import Counts, align, count, interval
from uniasr.training.evaluation.measure import measure, plan, score, units_for
from uniasr.training.evaluation.report import as_text, page, table
from uniasr.training.evaluation.units import characters, find_reader, has_words, kana_only, normalised, reading, words

strings = st.text("abc", max_size=8)


@given(strings, strings)
def test_alignments_spell_both_texts(said, heard):
    edits = align(said, heard)
    assert "".join(edit.reference for edit in edits) == said
    assert "".join(edit.hypothesis for edit in edits) == heard
    counts = count(edits)
    assert counts.length == len(said)
    assert counts.errors == sum(edit.kind != "equal" for edit in edits)
    assert abs(len(said) - len(heard)) <= counts.errors <= max(len(said), len(heard))


def test_the_three_kinds_of_errors_are_counted():
    assert count(align("abcd", "xbcde")) == Counts(1, 1, 0, 4)
    assert count(align("abcd", "bd")) == Counts(0, 0, 2, 4)
    assert count(align("", "ab")).rate == 2.0
    assert Counts(1, 2, 3, 12).rate == 0.5


def test_intervals_hold_the_rate_and_narrow_with_more_utterances():
    random = np.random.default_rng(0)
    counts = [Counts(substitutions=int(n), length=10) for n in random.integers(0, 4, 400)]
    rate = sum(counts, Counts()).rate
    low, high = interval(counts)
    assert low < rate < high
    wide = interval(counts[:20])
    assert high - low < (wide[1] - wide[0]) / 2
    assert interval(counts) == (low, high), "seeded"
    assert interval([]) == (0.0, 0.0)


def test_normalisation():
    assert normalised("Ｈｅｌｌｏ,  World!") == "hello world"
    assert normalised("It’s 'quoted'") == "it's quoted"
    assert characters("「コーーヒー」を、 飲む。") == list("コーヒーを飲む")
    assert characters("スキ−") == list("スキー")
    assert words("don't stop - now") == ["don't", "stop", "now"]
    assert characters("あっっ") == list("あっ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("とうきょう", "トーキョー"),
        ("えいが", "エーガ"),
        ("つづく", "ツズク"),
        ("ヴァイオリン", "バイオリン"),
        ("はなぢ", "ハナジ"),
        ("わたしは、いえへ。", "ワタシワイエエ"),
        ("おおきい", "オーキイ"),
        ("本", "本"),
    ],
)
def test_spellings_of_one_sound_read_alike(one, other):
    assert reading(one) == reading(other)


def test_readings_keep_different_sounds_apart():
    assert reading("おう") != reading("あう")
    assert reading("きって") != reading("きて")
    assert kana_only("こーひー、どうぞ。")
    assert not kana_only("珈琲")


def test_readings_come_from_the_reader():
    assert reading("東京は", lambda text: {"東京は": "トーキョーワ"}[text]) == reading("とうきょうわ")


def test_units_follow_the_script():
    assert list(units_for(["hello world"])) == ["WER", "CER"]
    assert list(units_for(["みず"])) == ["CER", "kCER"]
    assert list(units_for(["みず"], readings=False)) == ["CER"]
    assert has_words("ok です")
    assert not has_words("水 を")


def test_readings_of_kanji_need_a_dictionary(monkeypatch):
    def none():
        raise MissingExtraError("no reader")

    monkeypatch.setattr(measuring, "find_reader", none)
    assert list(units_for(["水"])) == ["CER"]
    assert list(units_for(["水を"])) == ["CER"]
    with pytest.raises(MissingExtraError):
        units_for(["水を"], readings=True)


def test_no_dictionary_is_downloaded(monkeypatch, tmp_path):
    other = SimpleNamespace(OPEN_JTALK_DICT_DIR=str(tmp_path / "none").encode())
    monkeypatch.setitem(sys.modules, "pyopenjtalk", other)
    with pytest.raises(MissingExtraError, match="pip uninstall pyopenjtalk"):
        find_reader()


def test_scores_of_a_set():
    (wer, cer) = score(["a cat sat", "dogs"], ["a cat", "dog"], units_for(["a cat sat"]))
    assert (wer.name, wer.counts) == ("WER", Counts(1, 0, 1, 4))
    assert (cer.name, cer.counts) == ("CER", Counts(0, 0, 4, 11))
    assert wer.low <= 0.5 <= wer.high


def test_plans_of_modes_and_latencies():
    model = fabricated_model()
    assert plan(model, ["fast", "offline"], "all") == [("fast", 0), ("offline", 0)]
    assert plan(model, ["normal"], None) == [("normal", 0)]
    for latency in ("1", "x", "0,"):
        with pytest.raises(OptionError, match="'all' or indexes"):
            plan(model, ["fast"], latency)
    with pytest.raises(OptionError, match="slow"):
        plan(model, ["slow"], None)


@pytest.fixture(name="entries")
def _entries(tmp_path):
    import soundfile

    entries = []
    for number, length in enumerate((60, 90)):
        alphas = np.zeros(length, int)
        alphas[5:45:8] = 64
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, samples_of(alphas) / 4, RATE_HZ, subtype="FLOAT")
        entries.append(Entry(f"k{number}", str(path), "あいう<b>", ""))
    return entries


def test_delays_are_the_audio_that_a_listener_waits_for():
    token = SimpleNamespace(start_ms=100, end_ms=700)
    result = SimpleNamespace(tokens=(token,))

    def event(stable, final=False):
        kind = measuring.Final if final else measuring.Event.__args__[0]
        made = object.__new__(kind)
        for name, value in (("segment", 0), ("stable", stable), ("tokens", (token,)), ("result", result)):
            if name != "result" or final:
                object.__setattr__(made, name, value)
        return made

    timed = [(900.0, event(0)), (1200.0, event(1)), (2000.0, event(1, final=True))]
    assert list(measuring._waits(timed)) == [500.0]
    assert list(measuring._waits(timed[:1] + timed[2:])) == [1300.0]


def test_a_model_is_measured(entries):
    model = fabricated_model()
    outcome = measure(model, entries, "normal", 0, units=units_for([entry.text for entry in entries]))
    assert [one.key for one in outcome.utterances] == ["k0", "k1"]
    assert outcome.rtf > 0
    assert outcome.delays is not None
    assert 0 < outcome.delays.first_text[0] <= outcome.delays.first_text[1]
    files = [model.transcribe(entry.audio, mode="normal").text for entry in entries]
    assert [one.hypothesis for one in outcome.utterances] == files
    numbers = json.loads(json.dumps(outcome.to_dict()))
    assert numbers["CER"]["length"] == outcome.scores[-1].counts.length or "WER" in numbers
    alone = measure(model, entries, "fast", 0, units=units_for(["あ"]), delays=False)
    assert alone.delays is None


def test_files_are_recognised_once_for_modes_that_end_in_the_same_pass(entries, monkeypatch):
    model, calls = fabricated_model(), []
    whole = type(model).transcribe_batch
    monkeypatch.setattr(
        type(model), "transcribe_batch", lambda *given, **named: calls.append(named["mode"]) or whole(*given, **named)
    )
    outcomes = []
    for mode in ("fast", "normal", "offline"):
        outcomes.append(measure(model, entries, mode, 0, units=units_for(["あ"]), known=outcomes))
    assert calls == ["fast", "normal"]
    assert [outcome.mode for outcome in outcomes] == ["fast", "normal", "offline"]
    texts = [[one.hypothesis for one in outcome.utterances] for outcome in outcomes]
    assert texts[2] == [model.transcribe(entry.audio, mode="offline").text for entry in entries]
    assert outcomes[2].delays != outcomes[1].delays  # streams differ
    monkeypatch.setattr(type(model.config), "beam_of", lambda _, mode: 1 + (mode == "offline"))
    measure(model, entries, "offline", 0, units=units_for(["あ"]), known=outcomes[:2])
    assert calls == ["fast", "normal", "offline"]


@pytest.mark.parametrize("option", ["--report", "--json"])
def test_a_file_that_cannot_be_written_is_told_before_the_data_is_read(option, tmp_path):
    file = tmp_path / "no" / "such" / "file"
    outcome = CliRunner().invoke(cli, ["evaluate", "--data", str(tmp_path / "none"), option, str(file)])
    assert outcome.exit_code == 2
    assert f"{file} cannot be written" in outcome.output


def test_the_page_shows_every_alignment_and_is_well_formed(entries):
    outcome = measure(fabricated_model(), entries, "fast", 0, units=units_for(["あ"]), delays=False)
    text = page("a <model>", [outcome])
    assert "a &lt;model&gt;" in text
    assert "<b>" not in text

    class Balanced(html.parser.HTMLParser):
        def __init__(self):
            super().__init__()
            self.open = []

        def handle_starttag(self, tag, attributes):
            if tag != "meta":
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    assert text.count("<summary>") == 2
    lines = as_text(table([outcome])).splitlines()
    assert len(lines) == 2
    assert lines[0].split()[:2] == ["mode", "latency"]
    assert lines[1].split()[0] == "fast"
