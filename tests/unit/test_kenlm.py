"""KenLM's binary files: the same numbers as our reader of the .arpa file that they were made from (build_binary)."""

import sys
from pathlib import Path

import numpy as np
import pytest

from uniasr.decoding.hypotheses import SOS
from uniasr.decoding.kenlm import is_kenlm, read_kenlm
from uniasr.decoding.ngram import read_arpa
from uniasr.errors import MissingExtraError, ModelError
from uniasr.recognizers.language_models import lm_scorer
from uniasr.text.vocabulary import Vocabulary

RECORDED = Path(__file__).parents[1] / "recorded" / "kenlm"
FILES = sorted(RECORDED.glob("*.klm"))
WORDS = ("<blank>", "<s>", "</s>", "a", "b", "c", "<unk>")
IDS = {word: i for i, word in enumerate(WORDS)}


def need_kenlm():
    pytest.importorskip("kenlm", reason="the extra kenlm is not installed")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_binary_files_say_what_their_arpa_file_says(path):
    need_kenlm()
    random = np.random.default_rng(0)
    ours, theirs = read_arpa(RECORDED / "made.arpa", IDS), read_kenlm(path, IDS)
    states = [model.start(4) for model in (ours, theirs)]
    tokens = np.full(4, SOS)
    for _ in range(60):
        found = [model.predict(state, tokens) for model, state in zip((ours, theirs), states, strict=True)]
        rows, states = [row for row, _ in found], [state for _, state in found]
        said = [3, 4, 5, 2]  # <blank> and <s> are never asked for
        np.testing.assert_allclose(rows[1][:, said], rows[0][:, said], atol=1e-5)
        parents = random.integers(0, 4, 4)
        states = [model.select(state, parents) for model, state in zip((ours, theirs), states, strict=True)]
        tokens = random.choice([3, 4, 5], 4)


def test_a_file_is_known_by_its_content_and_used_by_a_recogniser(tmp_path):
    need_kenlm()
    (tmp_path / "lm").write_bytes(FILES[0].read_bytes())
    assert is_kenlm(tmp_path / "lm")
    scorer = lm_scorer(tmp_path / "lm", 0.5, Vocabulary(WORDS))
    assert scorer.model.vocab_size == len(WORDS)
    with pytest.raises(ModelError, match="shares no word"):
        lm_scorer(tmp_path / "lm", 0.5, Vocabulary(("<blank>", "<s>", "</s>", "x", "y", "<unk>")))


@pytest.mark.parametrize("length", [40, 100, 300, 400])
def test_a_cut_file_is_an_error(tmp_path, length):
    need_kenlm()
    (tmp_path / "cut.klm").write_bytes(FILES[0].read_bytes()[:length])
    with pytest.raises(ModelError, match=r"cut\.klm"):
        lm_scorer(tmp_path / "cut.klm", 0.5, Vocabulary(WORDS))


def test_without_the_library_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "kenlm", None)
    with pytest.raises(MissingExtraError, match=r"uniasr\[kenlm\].*\.arpa"):
        read_kenlm(FILES[0], IDS)
