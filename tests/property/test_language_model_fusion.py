"""Shallow fusion: n-grams against their definition, searches against naive sums, streams against files."""

import gzip
import math
import tempfile
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uniasr import Final
from uniasr.decoding.beam import EOS, SOS, Scorers, start_search
from uniasr.decoding.hotwords import HotwordScorer, Spelling
from uniasr.decoding.lm import LmScorer
from uniasr.decoding.ngram import read_arpa
from uniasr.errors import ModelError, ModelNotFoundError, OptionError
from uniasr.text import Vocabulary
from uniasr.types import DecodingOptions

WORDS = ("<blank>", "<s>", "</s>", "a", "b", "c", "<unk>")
IDS = {word: i for i, word in enumerate(WORDS)}
ARPA = r"""made by hand

\data\
ngram 1=6
ngram 2=4
ngram 3=2

\1-grams:
-99	<s>	-0.5
-1.0	</s>
-0.6	a	-0.3
-0.7	b	-0.2
-1.5	foreign	-0.1
-2.0	<unk>

\2-grams:
-0.2	<s> a	-0.4
-0.4	a b	-0.6
-0.5	b </s>
-0.3	a foreign

\3-grams:
-0.1	<s> a b
-0.2	a b </s>

\end\
"""


def written(tmp_path, text=ARPA, name="lm.arpa"):
    path = tmp_path / name
    data = text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def of_sentence(model, words):
    """log10 of each word of a sentence and of its end."""
    state, tokens, out = model.start(1), np.array([SOS]), []
    for word in (*words, "</s>"):
        rows, state = model.predict(state, tokens)
        out.append(float(rows[0, IDS[word]]) / math.log(10))
        tokens = np.array([IDS[word]])
    return out


@pytest.mark.parametrize("name", ["lm.arpa", "lm.arpa.gz"])
def test_an_arpa_file_says_what_its_format_means(tmp_path, name):
    model = read_arpa(written(tmp_path, name=name), IDS)
    assert of_sentence(model, "ab") == pytest.approx([-0.2, -0.1, -0.2], abs=1e-6)
    assert of_sentence(model, "b") == pytest.approx([-0.5 - 0.7, -0.5], abs=1e-6)
    assert of_sentence(model, "aa") == pytest.approx([-0.2, -0.4 - 0.3 - 0.6, -0.3 - 1.0], abs=1e-6)
    assert of_sentence(model, "c") == pytest.approx([-0.5 - 2.0, -1.0], abs=1e-6)
    assert of_sentence(model, "abb") == pytest.approx([-0.2, -0.1, -0.6 - 0.2 - 0.7, -0.5], abs=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("ngram 2=4", "ngram 2=5", "line 22"),
        ("ngram 2=4", "ngram 2=3", r"3-grams: should"),
        ("ngram 2=4", "ngram 4=4", "in order"),
        ("ngram 3=2", "ngram 3=999999999", "beyond"),
        ("-0.7	b", "nan	b", "not finite"),
        ("-0.7	b", "0.7	b", "line 12 has a probability above 1"),
        ("-0.7	b	-0.2", "b -0.7 c d", "no 1-gram"),
        ("\\end\\", "", "where"),
        ("\\data\\", "data", "no .data. part"),
        ("-1.5", "-" * 200_000, "too long"),
        ("<s> a b", "b a b", "no n-gram of their own"),
    ],
)
def test_damaged_files_are_named_with_their_line(tmp_path, old, new, complaint):
    with pytest.raises(ModelError, match=complaint):
        read_arpa(written(tmp_path, ARPA.replace(old, new)), IDS)


def test_files_over_other_words_are_refused(tmp_path):
    with pytest.raises(ModelError, match="shares no word"):
        read_arpa(written(tmp_path), {**dict.fromkeys("xyz", 3), "<s>": 1, "</s>": 2})


def test_files_that_are_none(tmp_path):
    with pytest.raises(ModelNotFoundError):
        read_arpa(tmp_path / "lost.arpa", IDS)
    (tmp_path / "cut.arpa.gz").write_bytes(gzip.compress(ARPA.encode())[:-20])
    with pytest.raises(ModelError, match="cannot be read"):
        read_arpa(tmp_path / "cut.arpa.gz", IDS)
    assert read_arpa(written(tmp_path, "\ufeff" + ARPA), IDS) is not None
    (tmp_path / "bytes.arpa").write_bytes(b"\\data\\\n\xff\xfe")
    with pytest.raises(ModelError, match="cannot be read"):
        read_arpa(tmp_path / "bytes.arpa", IDS)


@cache
def ngram_of(seed):
    """A random trigram that has been a file, and its n-grams and back-offs in log10."""
    rng = np.random.default_rng(seed)
    grams = {(word,) for word in range(len(WORDS))}
    for _ in range(2):
        grams |= {(*gram, int(rng.integers(2, len(WORDS)))) for gram in sorted(grams) if gram[-1] != EOS}
    grams = [sorted(gram for gram in grams if len(gram) == order) for order in (1, 2, 3)]
    values = {gram: round(-float(rng.exponential(1)), 3) for level in grams for gram in level}
    backoffs = {gram: round(-float(rng.exponential(1)), 3) for level in grams[:2] for gram in level}
    text = "\\data\\\n" + "".join(f"ngram {n}={len(level)}\n" for n, level in enumerate(grams, 1))
    for n, level in enumerate(grams, 1):
        text += f"\n\\{n}-grams:\n"
        for gram in rng.permutation(len(level)):
            words = " ".join(WORDS[i] for i in level[gram])
            text += f"{values[level[gram]]}\t{words}" + (f"\t{backoffs[level[gram]]}\n" if n < 3 else "\n")
    with tempfile.TemporaryDirectory() as folder:
        return read_arpa(written(Path(folder), text + "\n\\end\\\n"), IDS), values, backoffs


def said(seed, text):
    """Log-probabilities of tokens and of the end, by the recursion that defines a back-off model."""
    _, values, backoffs = ngram_of(seed)

    def log_prob(context, token):
        if (*context, token) in values:
            return values[*context, token] * math.log(10)
        return backoffs.get(context, 0.0) * math.log(10) + log_prob(context[1:], token)

    history = [SOS, *text]
    return [log_prob(tuple(history[max(0, i - 2) : i]), token) for i, token in enumerate([*history, EOS]) if i]


@given(seed=st.integers(0, 2**32), text=st.lists(st.integers(3, 6), max_size=9))
def test_rows_are_those_of_the_recursion(seed, text):
    model, _, _ = ngram_of(seed)
    state, expected = model.start(2), said(seed, text)
    for i, token in enumerate([SOS, *text]):
        rows, state = model.predict(state, np.array([3, token]))
        state = model.select(state, np.array([1, 1]))
        assert rows[1, [*text, EOS][i]] == pytest.approx(expected[i], abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), rule=st.sampled_from(["gated", "reference"]), weight=st.sampled_from([0.3, 1.0]))
def test_scores_are_sums_of_recogniser_language_model_and_words(seed, rule, weight):
    size, beam, (lm, _, _) = len(WORDS), 4, ngram_of(seed)
    rng = np.random.default_rng(seed)
    tables = np.log(rng.dirichlet(np.ones(size), 12)).astype(np.float32)
    word = Spelling((3, 4), 0)
    scorers = Scorers(hotwords=HotwordScorer(["w"], [word], size), lm=LmScorer(lm, weight))
    search = start_search(DecodingOptions(beam_size=beam, nbest=beam, search=rule), scorers)
    assert search.whole_vocabulary
    while search.ready(5, 0.5, ended=True):
        table = np.tile(tables[search.steps], (beam, 1))
        search.step(table, np.broadcast_to(np.arange(size), table.shape), table[:, EOS])
    for end in search.results(beam):
        ids = end.ids.tolist()
        own = [float(tables[i][token]) for i, token in enumerate([*ids, EOS][:12])]
        fused = [weight * value for value in said(seed, ids)]
        bonus = sum(word.bonus for i in range(len(ids)) if tuple(ids[i : i + 2]) == word.ids)
        natural, forced = sum(own) + sum(fused) + bonus, sum(own[:-1]) + sum(fused[:-1]) + bonus
        assert end.score == pytest.approx(natural, abs=1e-3) or (
            rule == "reference" and end.score == pytest.approx(forced, abs=1e-3)
        )
        np.testing.assert_array_equal(end.log_probs, [tables[i][token] for i, token in enumerate(ids)])


@pytest.fixture(scope="module")
def model(packaged_model):
    return packaged_model


@pytest.fixture(scope="module")
def speech(sample):
    return soundfile.read(sample, dtype="int16")[0]


@pytest.fixture(scope="module", params=["ngram", "transformer", "seq_rnn"])
def lm(request, model, tmp_path_factory):
    """A small language model over the packaged model's tokens."""
    folder = tmp_path_factory.mktemp(request.param)
    tokens = model.vocabulary.tokens
    rng = np.random.default_rng(0)
    if request.param == "ngram":
        pairs = [f"{-rng.exponential():.3f}\t{a} {b}" for a in tokens[3:40] for b in tokens[2:60:3]]
        head = f"\\data\\\nngram 1={len(tokens)}\nngram 2={len(pairs)}\n\n\\1-grams:\n"
        unigrams = "".join(f"{-1 - rng.exponential():.3f}\t{token}\t-0.3\n" for token in tokens)
        (folder / "lm.arpa").write_text(head + unigrams + "\n\\2-grams:\n" + "\n".join(pairs) + "\n\n\\end\\\n")
        return folder / "lm.arpa"
    torch = pytest.importorskip("torch")
    from uniasr.checkpoints.language_model import LanguageModelFiles, read_language_model
    from uniasr.configs.language_model import RecurrentLmConfig, TransformerLmConfig
    from uniasr.export.directory import export_language_model
    from uniasr.networks.language_model import build_language_model

    torch.manual_seed(0)
    config = (
        TransformerLmConfig(len(tokens), "sinusoidal", 16, 16, 2, 16, 2)
        if request.param == "transformer"
        else RecurrentLmConfig(len(tokens), 16)
    )
    torch.save(build_language_model(config).state_dict(), folder / "lm.pb")
    files = LanguageModelFiles(directory=folder, config=config, tokens=tokens, weights=folder / "lm.pb")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter remarks on itself
        export_language_model(files, folder / "onnx")
    assert read_language_model(folder / "onnx").config == config
    return folder / "onnx"


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    mode=st.sampled_from(["fast", "normal", "offline"]),
    rule=st.sampled_from(["gated", "reference"]),
    beam=st.sampled_from([1, 5]),
    sizes=st.lists(st.integers(1, 20_000), max_size=12),
    segment_s=st.sampled_from([0.8, 20.0]),
)
def test_streams_with_a_language_model_are_files_with_it(model, speech, lm, mode, rule, beam, sizes, segment_s):
    options = {"lm": lm, "lm_weight": 0.4, "search": rule, "beam_size": beam, "segment_s": segment_s}
    with model.stream(mode, **options) as stream:
        ends = np.minimum(np.cumsum([0, *sizes]), len(speech))
        packets = [speech[a:b] for a, b in zip(ends, [*ends[1:], len(speech)], strict=True)]
        events = [event for packet in packets for event in stream.accept(packet)] + stream.finish()
    transcript = model.transcribe(speech, 16_000, mode, **options)
    assert tuple(event.result for event in events if isinstance(event, Final)) == transcript.segments
    company, _ = model.transcribe_batch([speech, speech[:20_000]], 16_000, mode, **options)
    assert company == transcript


def test_weight_nothing_is_no_language_model(model, speech, lm):
    plain = model.transcribe(speech, 16_000, "fast", lm="none")
    assert model.transcribe(speech, 16_000, "fast", lm=lm, lm_weight=0) == plain
    assert model.transcribe(speech, 16_000, "fast", lm=lm, lm_weight=2.0).text != plain.text


def test_what_is_no_language_model_is_an_error(model, speech, tmp_path):
    (tmp_path / "lm.bin").write_bytes(b"neither an n-gram nor a network")
    for lm, kind in (
        ("lost.arpa", ModelNotFoundError),
        (tmp_path, ModelNotFoundError),
        (tmp_path / "lm.bin", ModelError),
    ):
        with pytest.raises(kind):
            model.transcribe(speech, 16_000, lm=lm)
    with pytest.raises(OptionError, match="lm_weight"):
        model.transcribe(speech, 16_000, lm_weight=math.inf)


@pytest.mark.parametrize("name", ["~nosuchuser/x", "x" * 5000, "a\0b", "nowhere.arpa"])
def test_language_models_that_are_not_there_are_named(name, tmp_path):
    from uniasr.recognizers.language_models import lm_scorer

    with pytest.raises(ModelNotFoundError, match="language model"):
        lm_scorer(name, 0.3, Vocabulary(WORDS))


def test_a_file_of_other_words_is_refused(tmp_path):
    other = ARPA.replace("\ta", "\tx").replace("\tb", "\ty").replace(" a", " x").replace(" b", " y")
    with pytest.raises(ModelError, match=r"shares no word|begin with words"):
        read_arpa(written(tmp_path, other.replace("a ", "x ").replace("b ", "y ")), IDS)


def test_a_count_that_no_file_has_is_refused(tmp_path):
    with pytest.raises(ModelError, match="ngram N=COUNT"):
        read_arpa(written(tmp_path, ARPA.replace("ngram 1=6", "ngram 1=" + "9" * 5000)), IDS)
