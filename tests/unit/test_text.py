import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniasr.errors import ModelError
from uniasr.text import Vocabulary, join_tokens, pieces, read_tokens, reference_text
from uniasr.text.kana import hiragana, katakana, katakana_only

FIXTURES = ("uniasr_ja_template", "uniasr_lookback", "uniasr_odd")
TOKENS = ("<blank>", "<s>", "</s>", "あ", "い", "<unk>")


def test_vocabulary_gives_ids_and_tokens():
    words = Vocabulary(TOKENS)
    assert len(words) == 6
    assert words.id_of("い") == 4
    assert words.id_of("z") == words.unknown_id == 5
    assert [words[3], words[4]] == ["あ", "い"]
    assert "あ" in words
    assert "z" not in words


@pytest.mark.parametrize("name", ["tokens.txt", "tokens.json"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_both_file_kinds_give_the_same_vocabulary(tmp_path, name, encoding):
    text = json.dumps(TOKENS) if name.endswith("json") else "".join(f"{t}\r\n" for t in TOKENS)
    (tmp_path / name).write_bytes(text.encode(encoding))
    assert read_tokens(tmp_path / name) == Vocabulary(TOKENS)


def test_a_line_separator_may_be_a_token(tmp_path):
    (tmp_path / "tokens.txt").write_text("<blank>\n<s>\n</s>\n\u2028\n<unk>", encoding="utf-8")
    assert read_tokens(tmp_path / "tokens.txt").tokens[3] == "\u2028"


@pytest.mark.parametrize(
    ("tokens", "complaint"),
    [
        (["<blank>", "<s>", "</s>"], "3 tokens"),
        (["<blank>", "<s>", "</s>", "a", "a", "<unk>"], "duplicate"),
        (["<blank>", "<s>", "</s>", "", "<unk>"], "token 3"),
        (["<blank>", "<s>", "</s>", 7, "<unk>"], "token 3"),
        (["a", "<s>", "</s>", "b", "<unk>"], "token 0"),
        (["<blank>", "</s>", "<s>", "b", "<unk>"], "token 1"),
        (["<blank>", "<s>", "</s>", "b", "c"], "token 4"),
        ("abc", "no list"),
        ({"a": 1}, "no list"),
    ],
)
def test_a_wrong_token_list_is_named_with_its_file(tmp_path, tokens, complaint):
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps(tokens))
    with pytest.raises(ModelError, match=complaint) as caught:
        read_tokens(path)
    assert str(path) in str(caught.value)


def test_unreadable_token_lists_are_model_errors(tmp_path):
    with pytest.raises(ModelError, match="token list"):
        read_tokens(tmp_path / "tokens.txt")
    (tmp_path / "tokens.txt").write_bytes(b"\xff\xfe<blank>")
    with pytest.raises(ModelError, match="UTF-8"):
        read_tokens(tmp_path / "tokens.txt")
    (tmp_path / "tokens.json").write_text("[" * 100_000)
    with pytest.raises(ModelError):
        read_tokens(tmp_path / "tokens.json")


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("み ず を の む", "みずをのむ"),
        ("カ ー 々 〇 。 中", "カー々〇。中"),
        ("hello wor@@ ld", "hello world"),
        ("▁he llo ▁world", "hello world"),
        ("▁ a b ▁c", "ab c"),
        ("a b c", "ABC"),
        ("was I a fool", "was I a fool"),
        ("ア プ リ A P I を", "アプリAPIを"),
        ("don ' t", "don't"),
        ("2 0 2 6 年", "2026年"),
        ("при@@ вет мир", "привет мир"),
        ("สวัส ดี", "สวัสดี"),
        ("안녕 하세요", "안녕 하세요"),
        ("yes , no", "yes, no"),
        ("あ <unk> い", "あい"),
        ("あ <oov> い <UNK> う <PAD> <S> </S>", "あいう"),
        ("▁a <UNK> ▁b", "a b"),
        ("do@@ g s", "dog s"),
        ("", ""),
    ],
)
def test_joined_text_reads_as_its_script_is_written(tokens, text):
    assert join_tokens(tokens.split()) == text


@given(
    st.lists(
        st.sampled_from(["あ", "中", "a", "b", "I", "ab@@", "▁c", "1", ",", "é", "ก", "ー", "<unk>", "가"]), max_size=8
    )
)
def test_pieces_make_up_the_text(tokens):
    assert len(pieces(tokens)) == len(tokens)
    assert "".join(pieces(tokens)).strip() == join_tokens(tokens)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("み ず を の む", "み ず を の む"),
        ("中 国 1 2", "中国12"),
        ("hello wor@@ ld", "hello world"),
        ("a b c", "ABC"),
        ("I", "I"),
        ("A I を", "AI を"),
        ("み ず 中", "み ず中"),
        ("あ <unk> </s> い", "あ い"),
        ("ab 。 中", "ab 中"),
        ("ab@@ 中", "中"),
        ("", ""),
    ],
)
def test_reference_text_follows_the_published_rules(tokens, text):
    assert reference_text(tokens.split()) == text


@pytest.mark.parametrize("fixture", FIXTURES)
def test_reference_text_of_the_golden_lists(fixture, golden):
    path = golden(fixture) / "nbest.json"
    lists = json.loads(path.read_text())
    words = read_tokens(path.parent / "model_1x" / "tokens.json")
    searches = {"fast": "model1.ind0", "normal": "model2.ind0", "offline": "model2.ind1"}
    checked = 0
    for utterance, texts in lists["auto_text"].items():
        for name, text in texts.items():
            mode, beam = name.split(".")
            best = lists["nbest"][utterance][f"{searches[mode]}.{beam}"]["hyps"][0]["ids"]
            assert reference_text([words[i] for i in best[1:-1] if i != 0]) == text
            checked += 1
    assert checked >= 27


@given(st.text(st.sampled_from("ぁあがゖゔゝゞァアガヶヴヽヾーーa亜・ン")))
def test_hiragana_and_katakana_are_one_another(text):
    assert katakana(hiragana(text)) == katakana(text)
    assert hiragana(katakana(text)) == hiragana(text)
    assert len(katakana(text)) == len(text)
    assert katakana_only(katakana(text)) == "".join(
        char for char in katakana(text) if "ァ" <= char <= "ヴ" or char == "ー"
    )
