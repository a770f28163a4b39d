"""Words, windows, texts and tokens of punctuation, on a model without weights."""

import re
from pathlib import Path

import pytest

import uniasr
from fabricated_punctuation import WORDS, config, fabricated, never
from uniasr.errors import ModelError, OptionError
from uniasr.recognizers.punctuation.own_marks import apart
from uniasr.recognizers.punctuation.render import plain_text, published_end, published_text
from uniasr.recognizers.punctuation.windows import LONGEST
from uniasr.text.join import join_tokens
from uniasr.text.words import WordList, split_words, word_spans, words_from
from uniasr.types import Token

PLAIN = config(text_style="plain")
JAPANESE = config(text_style="plain", marks=("<unk>", "_", "、", "。", "？"))


def tokens(*texts):
    return [Token(text, 7 + i, 100 * i, 100 * i + 80, 0.5) for i, text in enumerate(texts)]


def at(**places):
    """A rule by word: its label; no mark after other words."""
    return lambda ids, place, length: places.get(WORDS[ids[place]], 1)


# Words


def test_words_are_runs_of_ascii_and_other_single_characters():
    assert split_words("GPU2023模型it's好 a 的b") == ["GPU2023", "模", "型", "it's", "好", "a", "的", "b"]
    assert split_words("Ａb") == ["Ａ", "b"]
    assert split_words(" \t\u3000\n") == []
    text = "あ ok。\x1cx\x1by"
    assert (
        [text[a:b] for a, b in word_spans(text, split_words(text))] == split_words(text) == ["あ", "ok", "。", "x\x1by"]
    )


def test_a_word_list_needs_unk_and_no_word_twice():
    assert WordList(("a", "<unk>")).ids_of(["a", "A", "b"]) == [0, 1, 1]
    for words in (["a"], ["a", "a", "<unk>"], ["", "<unk>"], [1, "<unk>"], "<unk>", None):
        with pytest.raises(ModelError, match=r"tokens\.json"):
            words_from(words, "tokens.json")


# Windows


def test_windows_grow_to_a_full_stop_that_is_not_at_the_edge():
    model = fabricated(at(う=3, お=4), split_size=4)
    model.punctuate("あいうえおかきく")
    # う stands third, so the first window closes behind it; お is too near the start of the next one
    assert model.engine.calls == [[4], [5]]


def test_look_ahead_keeps_a_window_open():
    model = fabricated(at(う=3), split_size=6, look_ahead=4)
    model.punctuate("あいうえおかきくけこ")
    assert model.engine.calls == [[6], [10]]


def test_a_sentence_without_full_stop_is_cut_at_a_comma_behind_200_words():
    model = fabricated(at(う=2))
    text = model.punctuate("あ" * 100 + "う" + "あ" * 150)
    assert text == "あ" * 100 + "う。" + "あ" * 150 + "。"
    assert max(length for call in model.engine.calls for length in call) == 220


@pytest.mark.parametrize("number", [500, 5_000])
def test_a_text_without_any_mark_costs_the_same_per_word_however_long(number):
    model = fabricated(never)
    assert model.punctuate("あ" * number) == "あ" * number + "。"
    lengths = [length for call in model.engine.calls for length in call]
    assert max(lengths) <= LONGEST + model.config.split_size
    assert sum(lengths) < 10 * number


# The second look


def told(ids, place, length):
    """う ends a sentence; い is followed by a comma, but only in a window with a word for an end."""
    word = WORDS[ids[place]]
    return 1 if word not in "いう" else 2 if word == "い" and WORDS.index("。") in ids else 3 if word == "う" else 1


def test_commas_come_from_a_second_look_that_is_told_the_ends():
    model = fabricated(told, second_look=True, text_style="plain")
    assert model.punctuate("いあうえいお") == "い，あう。えい，お。"
    assert model.engine.calls == [[6], [8]]
    assert fabricated(told).punctuate("いあうえいお") == "いあう。えいお。"


def test_what_has_no_end_yet_is_looked_at_once():
    model = fabricated(told, second_look=True)
    stream = model.stream()
    assert [stream.accept("いあうえい"), stream.accept("おう"), stream.finish()] == ["い，あう。えい", "，おう", "。"]
    found = model.punctuate_tokens(tokens("い", "う", "い", "お"), closed=False)
    assert [token.text for token in found] == ["い，", "う。", "い", "お"]


def test_a_second_look_needs_words_for_the_ends_and_a_comma():
    with pytest.raises(ModelError, match="'？'"):
        fabricated(words=WORDS[:-1], second_look=True)
    with pytest.raises(ValueError, match="second_look"):
        config(second_look=True, marks=("_", "。"), sentence_end=1)


# Text


@pytest.mark.parametrize(
    ("text", "ended"),
    [("a、", "a。"), ("あ，", "あ。"), ("a,", "a."), ("あ", "あ。"), ("a", "a."), ("a?", "a?"), ("あ？", "あ？")],
)
def test_published_texts_end_in_a_full_stop(text, ended):
    assert published_end(text) == ended


def test_plain_text_leaves_words_as_they_are():
    words, labels = ["GPU", "is", "OK", "好", "GPU"], [1, 1, 3, 1, 3]
    assert published_text(words, labels, [0], PLAIN) == " Gpu is OK.好GPU."
    assert plain_text(apart(words), labels, PLAIN) == "GPU is OK.好GPU。"
    assert plain_text(apart(["gpu", "is", "ok"]), [1, 2, 3], PLAIN) == "Gpu is, ok."
    assert plain_text(apart(["gpu", "NBA", "10", "2"]), [2, 3, 2, 1], JAPANESE) == "gpu、NBA。10、2"


def test_an_empty_text_stays_empty():
    model = fabricated()
    assert model.punctuate("") == model.punctuate(" \n") == ""
    assert model.punctuate_tokens([]) == []
    stream = model.stream()
    assert [stream.accept(""), stream.finish()] == ["", ""]


def test_marks_that_are_there_already_stay_in_plain_style():
    model = fabricated(at(う=3, え=2), text_style="plain")
    assert model.punctuate("あ。いう、えお") == "あ。いう、え，お。"
    assert model.punctuate("えあ！？えok!う…お！") == "え，あ！？え，ok!う…お！"
    assert model.punctuate(model.punctuate("あいうえ")) == model.punctuate("あいうえ")
    assert model.punctuate("。、") == "。、"


def test_a_stream_puts_no_mark_beside_one_that_is_there():
    model = fabricated(at(う=3, え=2), text_style="plain")
    stream = model.stream()
    assert [stream.accept("あう"), stream.accept("！いえ、"), stream.accept("う"), stream.accept("お。")] == [
        "あう",
        "！いえ、",
        "う",
        "。お。",
    ]
    assert [stream.finish(), stream.accept("…"), stream.finish(), stream.accept("ok"), stream.finish()] == [
        "",
        "…",
        "",
        "ok",
        "。",
    ]


def test_tokens_that_have_marks_get_no_further_ones():
    found = fabricated(at(い=2, う=3)).punctuate_tokens(tokens("い、", "う", "！", "い", "うお。"))
    assert [token.text for token in found] == ["い、", "う", "！", "い，", "うお。"]


@pytest.mark.parametrize("arguments", [{"style": "x"}, {"split_size": 0}, {"split_size": "a"}])
def test_wrong_options_are_refused(arguments):
    with pytest.raises(OptionError, match=next(iter(arguments))):
        fabricated().punctuate("あ", **arguments)
    with pytest.raises(OptionError, match="string"):
        fabricated().punctuate(3)


# Tokens


def test_marks_stand_at_the_end_of_the_token_that_they_follow():
    given = tokens("あい", "う", "o@@", "k", "え")
    found = fabricated(at(い=2, う=3, ok=2)).punctuate_tokens(given)
    assert [token.text for token in found] == ["あい，", "う。", "o@@", "k，", "え。"]
    assert [(t.id, t.start_ms, t.end_ms, t.confidence) for t in found] == [
        (t.id, t.start_ms, t.end_ms, t.confidence) for t in given
    ]
    assert join_tokens([token.text for token in found]) == "あい，う。ok，え。"


def test_a_mark_inside_a_token_is_left_out_and_tokens_without_text_stay():
    found = fabricated(at(あ=3)).punctuate_tokens(tokens("あい", "<unk>", "う"))
    assert [token.text for token in found] == ["あい", "<unk>", "う。"]


def test_tokens_of_a_text_that_goes_on_end_without_a_mark():
    found = fabricated(at(い=3)).punctuate_tokens(tokens("い", "い"), closed=False)
    assert [token.text for token in found] == ["い。", "い"]


def test_words_of_word_pieces_are_seen_whole():
    found = fabricated(at(ok=3)).punctuate_tokens(tokens("▁o", "k", "▁o", "k"))
    assert [token.text for token in found] == ["▁o", "k.", "▁o", "k."]


# Streams


def test_a_mark_found_late_begins_the_next_piece():
    def rule(ids, place, length):
        return 3 if place == 2 and length > 3 else 1

    stream = fabricated(rule).stream()
    assert stream.accept("あいう") == "あいう"
    assert stream.accept("えお") == "。えお"
    assert stream.carry.words == ("え", "お")
    assert stream.finish() == "。"
    assert stream.carry.words == ()


def test_the_last_mark_of_a_stream_comes_with_finish():
    stream = fabricated(at(う=4)).stream()
    assert stream.accept("あいう") == "あいう"
    assert stream.finish() == "？"


def test_a_stream_without_full_stops_keeps_a_bounded_number_of_words():
    model = fabricated(never)
    stream = model.stream()
    for _ in range(100):
        stream.accept("あいうえお")
        assert len(stream.carry.words) <= LONGEST
    assert max(length for call in model.engine.calls for length in call) <= LONGEST + 25


@pytest.mark.parametrize(
    "changes",
    [
        {"marks": ("_", "、")},
        {"marks": ("_", "。", "。")},
        {"sentence_end": 9},
        {"split_size": 0},
        {"look_ahead": 20},
        {"memory_shift": 2},
        {"text_style": "other"},
        {"ngram_order": 2},
        {"ngram_order": 0},
        {"ngram_order": 3, "ngram_buckets": 2**40, "ngram_size": 8},
        {"ngram_order": 3, "ngram_buckets": 64},
    ],
)
def test_impossible_configurations_are_refused(changes):
    with pytest.raises(ValueError, match=next(iter(changes)) if "marks" not in changes else "marks"):
        config(**changes)


# The graph


@pytest.mark.torch
@pytest.mark.parametrize("causal", [False, True])
def test_the_graph_is_the_documented_one(causal):
    pytest.importorskip("torch")
    from uniasr.networks.ct_transformer import CtTransformerNetwork
    from uniasr.networks.graphs import ct_transformer_graphs

    page = Path(__file__).parents[2] / "docs" / "families" / "ct_transformer.md"
    if not page.is_file():
        pytest.skip("the tests run without their checkout")
    pattern = r"^\| `(\w+)` \| (in|out)(?:, (VAD-realtime))? \| (\w+) \| `\[(.*)\]` \|$"
    lines = re.findall(pattern, page.read_text(encoding="utf-8"), re.M)
    graph = ct_transformer_graphs(CtTransformerNetwork(config(causal=causal)).eval())["punctuation"]
    assert [name for name, way, *_ in lines if way == "in"] == list(graph.inputs)
    assert [name for name, way, *_ in lines if way == "out"] == list(graph.outputs)
    arguments = graph.example()
    for (name, _, only, kind, letters), value in zip(lines, [*arguments, graph.module(*arguments)], strict=True):
        assert str(value.dtype) == f"torch.{kind}"
        varying = {axis: letter for axis, letter in enumerate(letters.split(", ")) if letter in ("W", "K")}
        assert varying == graph.axes.get(name, varying if only and not causal else {}), name


@pytest.mark.torch
def test_runs_of_words_are_told_apart_and_padding_is_not_seen(tmp_path):
    torch = pytest.importorskip("torch")
    from uniasr.checkpoints.ct_transformer import read_punctuation, write_punctuation
    from uniasr.export.directory import export_punctuation
    from uniasr.networks.ct_transformer import CtTransformerNetwork

    torch.manual_seed(3)
    network = CtTransformerNetwork(config(ngram_order=3, ngram_buckets=5_003, ngram_size=4)).eval()
    torch.nn.init.normal_(network.runs.views.weight)
    ids, valid = torch.tensor([[5, 1, 2, 3, 6, 4, 5, 1, 2, 3, 6, 9]]), torch.tensor([[1.0] * 11 + [0.0]])
    rows = network.runs(ids, valid)[0]
    assert torch.equal(rows[2], rows[8])  # 5 1 (2) 3 6
    assert not torch.equal(rows[1], rows[7])  # a start and a 4, two words before
    assert not torch.equal(rows[3], rows[9])  # a 4 and an end, two words behind
    assert torch.equal(network.runs(ids[:, :11], valid[:, :11])[0], rows[:11])

    folder = write_punctuation(tmp_path / "weights", network.config, WordList(WORDS), state=network.state_dict())
    graph = export_punctuation(read_punctuation(folder), tmp_path / "graph")
    text = "あいうえおかきくけこok gpuあいう" * 9
    by_torch, by_graph = (uniasr.load_punctuator(path).label(text) for path in (folder, graph))
    assert by_torch == by_graph
    assert len(set(by_torch.labels)) > 2
