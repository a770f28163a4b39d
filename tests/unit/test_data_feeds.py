"""Data sets as the loop reads them: features computed on the way, stores, shards; checks of transcripts."""

import io
import itertools
import json
import tarfile
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch")

from tiny_data import TOKENS, texts, write_folder, write_split
from tiny_training import CMVN, tiny_config
from uniasr.audio.load import load
from uniasr.errors import DataError, OptionError
from uniasr.features.frontend import FrontEnd
from uniasr.text import Vocabulary
from uniasr.training.batches import Batches, BatchOptions
from uniasr.training.data.check import Limits
from uniasr.training.data.clips import ClipRows, row_count
from uniasr.training.data.features import extract, open_store
from uniasr.training.data.prepare import DataOptions, prepare, usable_sets
from uniasr.training.data.shards import ShardFeed, Shards, pack
from uniasr.training.data.waveform import Spoiler, WaveformConfig, preset

pytestmark = pytest.mark.torch
CONFIG = tiny_config()
OPTIONS = BatchOptions(batch_rows=400)
LIGHT = DataOptions(spoil=preset("light"))


def prepared(data, work, options=None, vocabulary=TOKENS):
    return prepare([data], vocabulary, CONFIG, options or DataOptions(), work)


def keys_of(feed, epoch=0, skip=0, **place):
    return [batch.keys for batch in Batches(feed, CMVN, OPTIONS, workers=0, **place).epoch(epoch, skip)]


@pytest.fixture(name="folder")
def _folder(tmp_path):
    return write_folder(tmp_path / "data")


def test_rows_on_the_way_are_those_of_recognition(folder, tmp_path):
    found = prepared(folder, tmp_path / "work")
    (batches, *_) = [list(itertools.chain(*batch)) for batch in found.train.plan(OPTIONS, 1, 0, 0)]
    source = batches[0]
    samples = load(source.utterance.audio).samples
    _, expected = FrontEnd(CONFIG.frontend).step(FrontEnd(CONFIG.frontend).start(), samples, True)
    assert np.array_equal(source.store.rows(source.utterance), expected)
    assert abs(len(expected) - source.utterance.num_rows) <= 1


@pytest.mark.parametrize("seconds", [0.02, 0.025, 0.1, 1.0, 3.21])
def test_rows_are_counted_before_they_are_made(seconds):
    samples = np.random.default_rng(0).normal(0, 0.1, int(16_000 * seconds)).astype(np.float32)
    _, rows = FrontEnd(CONFIG.frontend).step(FrontEnd(CONFIG.frontend).start(), samples, True)
    assert abs(row_count(seconds, CONFIG.frontend) - len(rows)) <= 1


@pytest.mark.parametrize("spoil", [None, WaveformConfig(noise_share=0.5)])
def test_stored_features_are_the_same_to_the_bit(folder, tmp_path, spoil):
    sets, _ = usable_sets([folder], Limits(), skip_bad=False)
    spoiler = spoil and Spoiler(spoil, CONFIG.frontend.sample_rate_hz)
    copies = 1 if spoil is None else 2
    extract(sets["train"], tmp_path / "store" / "train", CONFIG.frontend, spoiler=spoiler, copies=copies)
    store = open_store(tmp_path / "store" / "train", CONFIG.frontend)
    assert len(store.utterances) == copies * len(sets["train"])
    on_the_way = prepared(folder, tmp_path / "work").train.clips
    for number, utterance in enumerate(store.utterances):
        copy, place = divmod(number, len(on_the_way))
        clip, _ = on_the_way[place]
        assert utterance.text == clip.text
        assert np.array_equal(store.rows(utterance), ClipRows(CONFIG.frontend, spoiler, copy).rows(clip))


def test_a_store_of_another_front_end_is_refused(folder, tmp_path):
    sets, _ = usable_sets([folder], Limits(), skip_bad=False)
    extract(sets["train"], tmp_path / "train", CONFIG.frontend)
    with pytest.raises(DataError, match="different: frame_shift_ms"):
        open_store(tmp_path / "train", replace(CONFIG.frontend, frame_shift_ms=20.0))


def test_stores_and_shards_train_like_the_folder(folder, tmp_path):
    sets, _ = usable_sets([folder], Limits(), skip_bad=False)
    for name, usable in sets.items():
        extract(usable, tmp_path / "store" / name, CONFIG.frontend)
        pack(usable, tmp_path / "packed" / name, per_shard=5)
    ways = [prepared(place, tmp_path / "work") for place in (folder, tmp_path / "store", tmp_path / "packed")]
    contents = []
    for way in ways:
        assert way.dev is not None
        found = {}
        for batch in Batches(way.train, CMVN, BatchOptions(batch_rows=400, join_share=0)).epoch(0):
            for i, key in enumerate(batch.keys):
                found[key] = batch.rows[i, : batch.row_counts[i]], batch.tokens[i, : batch.token_counts[i]]
        contents.append(found)
    for found in contents[1:]:
        assert found.keys() == contents[0].keys()
        for key, (rows, tokens) in found.items():
            assert np.array_equal(rows, contents[0][key][0])
            assert np.array_equal(tokens, contents[0][key][1])
    assert len(ways[0].held_back) == len(ways[2].held_back) == 3
    assert ways[1].held_back == []
    assert "no error rates" in ways[1].notes[-1]


def test_large_reads_a_folder_through_lists(folder, tmp_path):
    options = DataOptions(dataset_type="large")
    found = prepared(folder, tmp_path / "work", options)
    assert isinstance(found.train, ShardFeed)
    assert found.train.shards.linked
    assert not list((tmp_path / "work" / "shards").rglob("*.tar"))
    heard = {key for keys in keys_of(found.train) for joined in keys for key in joined.split("+")}
    assert heard == {f"u{i}" for i in range(12)}
    assert len(found.held_back) == 3


@pytest.fixture(name="shards")
def _shards(tmp_path):
    write_split(tmp_path / "set" / "train", texts(40))
    sets, _ = usable_sets([tmp_path / "set"], Limits(), skip_bad=False)
    assert pack(sets["train"], tmp_path / "shards", per_shard=6) == 7
    return Shards(tmp_path / "shards")


def feed(shards, **options):
    labels = {packed.text: np.array([TOKENS.id_of(char) for char in packed.text]) for packed in shards.utterances()}
    return ShardFeed(shards, lambda text, _: labels[text], CONFIG.frontend, block=2, **options)


def test_shards_resume_in_the_middle_of_an_epoch(shards):
    spoiler = Spoiler(preset("light"), 16_000)
    for epoch in (0, 1):
        whole = [(b.keys, b.rows) for b in Batches(feed(shards, spoiler=spoiler), CMVN, OPTIONS).epoch(epoch)]
        for skip in (0, 1, len(whole) // 2, len(whole) - 1):
            rest = [(b.keys, b.rows) for b in Batches(feed(shards, spoiler=spoiler), CMVN, OPTIONS).epoch(epoch, skip)]
            assert [keys for keys, _ in rest] == [keys for keys, _ in whole[skip:]]
            assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(rest, whole[skip:], strict=True))
    assert keys_of(feed(shards), 0) != keys_of(feed(shards), 1)


def test_every_utterance_of_the_shards_is_heard_once(shards):
    heard = [key for keys in keys_of(feed(shards)) for joined in keys for key in joined.split("+")]
    assert sorted(heard) == sorted(f"u{i}" for i in range(40))


def test_audio_before_the_place_is_not_read(shards, monkeypatch):
    whole = keys_of(feed(shards))
    read = []
    from uniasr.training.data.clips import Clip

    real = Clip.load
    monkeypatch.setattr(Clip, "load", lambda clip: read.append(clip.key) or real(clip))
    keys_of(feed(shards), skip=len(whole) - 1)
    assert set(read) == {key for joined in whole[-1] for key in joined.split("+")}


def test_processes_divide_each_batch(shards):
    alone = [set(keys) for keys in keys_of(feed(shards))]
    halves = [Batches(feed(shards), CMVN, BatchOptions(batch_rows=200), rank=r, world=2, workers=0) for r in (0, 1)]
    for whole, *parts in zip(alone, *(batches.epoch(0) for batches in halves), strict=True):
        assert set().union(*(part.keys for part in parts)) == whole


def test_loading_ahead_changes_nothing(shards):
    alone = keys_of(feed(shards))
    assert [batch.keys for batch in Batches(feed(shards), CMVN, OPTIONS, workers=3).epoch(0)] == alone
    abandoned = Batches(feed(shards), CMVN, OPTIONS, workers=3).epoch(0)
    next(abandoned)
    abandoned.close()


def test_shards_are_ordinary_tar_files(shards, tmp_path):
    packed = {one.key: one for one in shards.utterances()}
    found = {}
    for path in sorted((tmp_path / "shards").glob("*.tar")):
        with tarfile.open(path) as tar:
            for name in tar.getnames():
                content = tar.extractfile(name).read()
                found.setdefault((path, name.split(".")[0]), {})[name.split(".")[1]] = content
    assert len(found) == 40
    said = sorted(parts["txt"].decode() for parts in found.values())
    assert said == sorted(one.text for one in packed.values())
    one = packed["u7"]
    with one.audio.archive.open("rb") as archive:
        archive.seek(one.audio.start)
        samples, rate = soundfile.read(io.BytesIO(archive.read(one.audio.size)), dtype="float32")
    assert rate == 16_000
    assert np.array_equal(samples, load(tmp_path / "set" / "train" / "audio" / "u7.wav").samples)


def test_half_a_set_of_shards_is_never_read(shards, tmp_path, monkeypatch):
    monkeypatch.setattr("uniasr.training.data.shards._add", lambda *_: 1 / 0)
    sets, _ = usable_sets([tmp_path / "set"], Limits(), skip_bad=False)
    with pytest.raises(ZeroDivisionError):
        pack(sets["train"], tmp_path / "shards")
    with pytest.raises(DataError, match="no finished shards"):
        Shards(tmp_path / "shards")


def test_planning_needs_the_memory_of_a_few_shards(tmp_path):
    def most(number):
        place = tmp_path / str(number)
        place.mkdir()
        for i in range(number):
            lines = [f"k{i}-{j}\t{j}\t1\t1.5\tabcde\n" for j in range(200)]
            (place / f"s{i}.tsv").write_text("".join(lines), encoding="utf-8")
        about = [{"name": f"s{i}", "utterances": 200, "seconds": 300.0} for i in range(number)]
        (place / "shards.json").write_text(json.dumps({"format": 1, "linked": False, "shards": about}), "utf-8")
        plan = ShardFeed(Shards(place), lambda *_: np.arange(5), CONFIG.frontend, block=2)
        tracemalloc.start()
        count = sum(len(group) for batch in plan.plan(BatchOptions(join_share=0), 1, 0, 0) for group in batch)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == 200 * number
        return peak

    assert most(24) < 1.5 * most(4)


# Transcripts


def test_unknown_characters_are_listed_with_their_numbers(tmp_path):
    write_folder(tmp_path / "data", train=["abx", "xc", "a。b", "d"], dev=["e"])
    with pytest.raises(DataError) as caught:
        prepared(tmp_path / "data", tmp_path / "work")
    assert [problem.split(": ")[1] for problem in caught.value.problems] == [
        "character 'x' has no token; it occurs 2 times; training asks for --unknown extend or drop",
        "character '。' has no token; it occurs 1 times; training asks for --unknown extend or drop",
    ]
    assert "line 1" in caught.value.problems[0]
    with pytest.raises(DataError):
        prepared(tmp_path / "data", tmp_path / "work", DataOptions(skip_bad=True))


def test_dropping_says_what_is_lost(tmp_path):
    write_folder(tmp_path / "data", train=["abx", "xc", "a。b", "d"], dev=["e"])
    found = prepared(tmp_path / "data", tmp_path / "work", DataOptions(unknown="drop"))
    assert found.vocabulary == TOKENS
    assert [(clip.text, list(tokens)) for clip, tokens in found.train.clips] == [("a。b", [3, 4]), ("d", [6])]
    assert found.notes == [
        "left out of transcripts, as the model does not write them: 。 x 1",
        "2 utterances left out because of unknown characters: x x 2",
    ]


def test_extending_learns_all_of_training_and_reports_the_rest(tmp_path):
    write_folder(tmp_path / "data", train=["abx", "d"], dev=["e", "q"])
    found = prepared(tmp_path / "data", tmp_path / "work", DataOptions(unknown="extend"))
    assert found.vocabulary.tokens == (*TOKENS.tokens[:-1], "x", "<unk>")
    assert len(found.train.clips) == 2
    assert [clip.text for clip in found.held_back] == ["e"]
    assert found.notes == ["1 utterances left out because of unknown characters: q x 1"]


def test_the_same_policies_hold_for_shards(tmp_path):
    write_folder(tmp_path / "data", train=["abx", "a", "d"], dev=["e"])
    for unknown, kept in (("drop", 2), ("extend", 3)):
        found = prepared(tmp_path / "data", tmp_path / unknown, DataOptions(unknown=unknown, dataset_type="large"))
        assert sum(len(joined.split("+")) for keys in keys_of(found.train) for joined in keys) == kept


def test_too_many_tokens_for_the_audio_are_a_problem(tmp_path):
    write_folder(tmp_path / "data", train=["a", "b"], dev=["e"])
    (tmp_path / "data" / "train" / "text").write_text(f"u0 {'abcde' * 30}\nu1 b\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        prepared(tmp_path / "data", tmp_path / "work")
    assert "150 tokens, too many for" in caught.value.problems[0]
    assert len(prepared(tmp_path / "data", tmp_path / "work", DataOptions(skip_bad=True)).train.clips) == 1


def test_nothing_left_is_an_error(tmp_path):
    write_folder(tmp_path / "data", train=["xy"], dev=["e"])
    with pytest.raises(DataError, match="no utterance is left"):
        prepared(tmp_path / "data", tmp_path / "work", DataOptions(unknown="drop"))


def test_several_folders_become_one_set(tmp_path):
    for name in ("one", "two"):
        write_folder(tmp_path / name, train=["ab", "c"], dev=["d"])
    found = prepare([tmp_path / "one", tmp_path / "two"], TOKENS, CONFIG, LIGHT, tmp_path / "work")
    assert sorted(clip.key for clip, _ in found.train.clips) == ["0-u0", "0-u1", "1-u0", "1-u1"]
    sets, _ = usable_sets([tmp_path / "one"], Limits(), skip_bad=False)
    pack(sets["train"], tmp_path / "packed" / "train")
    with pytest.raises(OptionError, match="cannot be joined"):
        prepare([tmp_path / "packed", tmp_path / "two"], TOKENS, CONFIG, LIGHT, tmp_path / "work")


def test_stores_and_folders_become_one_set(folder, tmp_path):
    sets, _ = usable_sets([folder], Limits(), skip_bad=False)
    for name, usable in sets.items():
        extract(usable, tmp_path / "store" / name, CONFIG.frontend)
    write_folder(tmp_path / "more", train=["ab", "c"], dev=["d"])
    data = [tmp_path / "store", tmp_path / "more", tmp_path / "store"]
    found = prepare(data, TOKENS, CONFIG, DataOptions(), tmp_path / "work")
    heard = [key for keys in keys_of(found.train) for joined in keys for key in joined.split("+")]
    assert sorted(heard) == sorted(["u0", "u1", *[f"u{i}" for i in range(12)] * 2])
    assert [source.utterance.key for source in found.dev.stored] == ["u0", "u1", "u2"]
    assert [clip.text for clip in found.held_back] == ["d"]
    alone = prepare([tmp_path / "more"], TOKENS, CONFIG, DataOptions(), tmp_path / "work")
    store = prepare([tmp_path / "store"], TOKENS, CONFIG, DataOptions(), tmp_path / "work")
    assert found.num_rows == alone.num_rows + 2 * store.num_rows
    with pytest.raises(OptionError, match="'small'"):
        prepare(data, TOKENS, CONFIG, DataOptions(dataset_type="large"), tmp_path / "work")


def test_a_folder_named_twice_is_heard_twice_but_measured_once(tmp_path):
    write_folder(tmp_path / "one", train=4, dev=2)
    found = prepare([tmp_path / "one"] * 2, TOKENS, CONFIG, LIGHT, tmp_path / "work")
    assert len({clip.key for clip, _ in found.train.clips}) == 8
    assert len(found.dev.clips) == len(found.held_back) == 2


def test_a_vocabulary_can_be_made_from_the_transcripts(folder, tmp_path):
    def make(lines):
        return Vocabulary(("<blank>", "<s>", "</s>", *sorted(set("".join(lines))), "<unk>"))

    found = prepared(folder, tmp_path / "work", DataOptions(unknown="drop"), make)
    assert set(found.vocabulary.tokens[3:-1]) <= set("abcde")


def test_options_that_do_not_exist_are_refused():
    with pytest.raises(OptionError, match="'small' or 'large'"):
        DataOptions(dataset_type="huge")
    with pytest.raises(OptionError, match="'extend' or 'drop'"):
        DataOptions(unknown="guess")
