"""Engines: equal bits per item whatever the leading size and the threads on onnxruntime, near numbers on torch."""

import gzip
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import uniasr
from uniasr.checkpoints import read_model, write_native
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.uniasr import ChunkConfig
from uniasr.engines.onnx import OnnxEngine
from uniasr.errors import ModelError, OptionError
from uniasr.graph_files import pack_graph
from uniasr.recognizers.uniasr import graphs_of
from uniasr.recognizers.uniasr.model import GRAPHS

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from conftest import MODELS  # noqa: E402
from small_config import small_config  # noqa: E402
from uniasr.engines.torch import TorchEngine  # noqa: E402
from uniasr.features.cmvn import Cmvn  # noqa: E402
from uniasr.networks.graphs import uniasr_graphs  # noqa: E402
from uniasr.networks.uniasr import UniasrNetwork  # noqa: E402
from uniasr.text import Vocabulary  # noqa: E402

pytestmark = pytest.mark.torch

MOST = 40
SIZES = (1, 2, 7, MOST)
BEAMS = (2, 5)  # a beam of one goes in twice (`recognizers.uniasr.steps`)
PAST = 4


def wide_config():
    """Few layers of the published widths, where runtimes use blocked and threaded code."""
    config = small_config(
        FrontendConfig(),
        (ChunkConfig(size=20, stride=10, pad_left=5),),
        (ChunkConfig(size=45, stride=35, pad_left=5),),
        vocab_size=93,
        encoder_sizes={
            "output_size": 320,
            "attention_heads": 4,
            "linear_units": 1280,
            "num_blocks": 2,
            "kernel_size": 11,
        },
        decoder_sizes={"attention_dim": 256, "attention_heads": 4, "linear_units": 1024, "kernel_size": 11},
        ctc_heads=True,
    )
    return replace(
        config,
        encoder2=replace(config.encoder2, num_blocks=1, kernel_size=21),
        decoder2=replace(config.decoder2, attention_dim=320, linear_units=1280),
    )


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A network of `wide_config` with random weights."""
    torch.manual_seed(3)
    config = wide_config()
    tokens = Vocabulary(("<blank>", "<s>", "</s>", *(f"t{i}" for i in range(89)), "<unk>"))
    cmvn = Cmvn(np.zeros(560, np.float32), np.ones(560, np.float32))
    return write_native(
        tmp_path_factory.mktemp("wide") / "model", config, tokens, cmvn, state=UniasrNetwork(config).state_dict()
    )


@pytest.fixture(params=[*MODELS, "wide"])
def checkpoint(request, recorded):
    return request.getfixturevalue("wide") if request.param == "wide" else recorded(request.param) / "model_1x"


@pytest.fixture
def engines(checkpoint, exported):
    graphs = graphs_of(read_model(checkpoint).config)
    return {threads: OnnxEngine(exported(checkpoint), graphs, threads=threads) for threads in (1, 2)}


@pytest.fixture
def network(checkpoint):
    from uniasr.checkpoints.network import load_network

    return load_network(read_model(checkpoint))


def feeds(config, seed=0):
    """For each graph at each latency: inputs that have one entry per item, and inputs that all items share."""
    rng = np.random.default_rng(seed)

    def normal(*shape):
        return rng.normal(0, 1, shape).astype(np.float32)

    for number, suffix in ((1, ""), (2, "2")):
        encoder, decoder = config.encoder_of(number), config.decoder_of(number)
        heads, layers = decoder.attention_heads, decoder.att_layer_num
        head = decoder.attention_dim // heads
        for chunk in encoder.chunks:
            valid = np.ones((MOST, chunk.size), np.float32)
            valid[3, chunk.pad_left + 1 :] = 0  # a cut last chunk in the middle of the others
            items, common = {"chunks": normal(MOST, chunk.size, encoder.input_size) * 5, "valid": valid}, {}
            if encoder.look_back:
                past = (PAST, encoder.num_blocks, chunk.stride, encoder.output_size)
                common = {"past_keys": normal(*past), "past_values": normal(*past)}
                most = max(one.look_back for one in encoder.chunks)
                items["predecessors"] = rng.integers(0, PAST, (MOST, most))
            yield f"encoder{suffix}", items, common
            yield f"memory{suffix}", {"rows": normal(MOST, chunk.size, encoder.output_size)}, {}
            if config.ctc_heads:
                yield f"ctc{suffix}", {"rows": normal(MOST, chunk.size, encoder.output_size)}, {}
            window = chunk.size + chunk.decoder_look_back * chunk.stride
            mask = np.ones((MOST, window), np.float32)
            mask[::3, : window // 2] = 0
            for beam in BEAMS:
                yield (
                    f"decoder{suffix}",
                    {
                        "tokens": rng.integers(0, config.vocab_size, (MOST, beam)),
                        "acoustic": normal(MOST, encoder.output_size),
                        "keys": normal(MOST, layers, heads, head, window),
                        "values": normal(MOST, layers, heads, window, head),
                        "window": mask,
                        "cache": normal(MOST, beam, decoder.num_blocks, decoder.kernel_size - 1, decoder.attention_dim),
                    },
                    {},
                )
    width = config.encoder2.input_size * config.bridge.kernel_size
    for chunk in config.encoder2.chunks:
        yield "bridge", {"windows": normal(MOST, chunk.size, width)}, {}


def test_every_graph_gives_equal_bits_for_any_leading_size_and_threads(engines, network):
    graphs = uniasr_graphs(network)
    seen = set()
    for graph, items, common in feeds(network.config):
        outputs = graphs[graph].outputs
        whole = engines[1].run(graph, {**items, **common}, outputs)
        seen.add(graph)
        for threads, engine in engines.items():
            for size in SIZES:
                for start in {0, 3 if size < MOST else 0, MOST - size}:
                    some = slice(start, start + size)
                    part = engine.run(graph, {**{name: a[some] for name, a in items.items()}, **common}, outputs)
                    for name in outputs:
                        where = f"{graph}.{name}: {size} items from {start}, {threads} threads"
                        np.testing.assert_array_equal(part[name], whole[name][some], where)
    assert seen == set(graphs) == set(graphs_of(network.config))


def test_padding_after_a_cut_chunk_changes_nothing(engines, network):
    for graph, items, common in feeds(network.config):
        if not graph.startswith("encoder"):
            continue
        names = uniasr_graphs(network)[graph].outputs
        clean = engines[1].run(graph, {**items, **common}, names)
        spoiled = items["chunks"].copy()
        spoiled[items["valid"] == 0] = 1e3
        dirty = engines[1].run(graph, {**items, **common, "chunks": spoiled}, names)
        for name in ("rows", "alphas"):
            np.testing.assert_array_equal(dirty[name], clean[name], f"{graph}.{name}")
            assert not clean[name][items["valid"] == 0].any()


def test_rows_outside_the_window_change_nothing(engines, network):
    for graph, items, _ in feeds(network.config):
        if not graph.startswith("decoder"):
            continue
        clean = engines[1].run(graph, items, ["log_probs"])["log_probs"]
        hidden = items["window"][:, None, None, None, :] == 0
        spoiled = {
            **items,
            "keys": np.where(hidden, np.float32(50), items["keys"]),
            "values": np.where(hidden.swapaxes(3, 4), np.float32(50), items["values"]),
        }
        np.testing.assert_array_equal(engines[1].run(graph, spoiled, ["log_probs"])["log_probs"], clean)


def test_torch_and_onnxruntime_compute_the_same(engines, network):
    graphs = uniasr_graphs(network)
    torch_engine = TorchEngine(graphs)
    for graph, items, common in feeds(network.config, seed=1):
        outputs = [name for name in graphs[graph].outputs if name != "top_ids"]  # near ties may swap
        ours, theirs = (engine.run(graph, {**items, **common}, outputs) for engine in (engines[1], torch_engine))
        for name in outputs:
            assert ours[name].shape == theirs[name].shape
            assert ours[name].dtype == theirs[name].dtype == np.float32
            scale = max(1.0, float(np.abs(theirs[name]).max()))
            np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=2e-5 * scale, err_msg=f"{graph}.{name}")


def test_only_the_outputs_that_are_asked_for_come_in_the_order_of_names(engines, network):
    torch_engine = TorchEngine(uniasr_graphs(network))
    graph, items, common = next(iter(feeds(network.config)))
    for engine in (engines[1], torch_engine):
        assert list(engine.run(graph, {**items, **common}, ["alphas"])) == ["alphas"]
        assert list(engine.run(graph, {**items, **common}, ["alphas", "rows"])) == ["alphas", "rows"]


def test_an_engine_serves_many_threads(checkpoint, exported, engines, network):
    inputs = list(feeds(network.config))
    outputs = {name: graph.outputs for name, graph in uniasr_graphs(network).items()}
    alone = [engines[1].run(graph, {**items, **common}, outputs[graph]) for graph, items, common in inputs]
    fresh, wrong, done = OnnxEngine(exported(checkpoint), tuple(outputs), threads=1), [], []

    def work():
        for (graph, items, common), expected in zip(inputs, alone, strict=True):
            found = fresh.run(graph, {**items, **common}, outputs[graph])
            wrong.extend(name for name in found if not np.array_equal(found[name], expected[name]))
        done.append(True)  # an exception in a thread fails no test by itself

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(done) == len(threads)


@pytest.mark.parametrize("device", ["tpu", "", "cuda", "cuda:x"])
def test_unusable_devices_are_named(tmp_path, device):
    if device == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime may find a GPU")
    with pytest.raises(OptionError, match=f"device is '{device}'"):
        OnnxEngine(tmp_path, GRAPHS, device)


@pytest.mark.parametrize(("device", "number"), [("cuda", 0), ("cuda:1", 1)])
def test_a_gpu_is_the_one_that_was_named(tmp_path, monkeypatch, device, number):
    opened = []
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, providers: opened.append(providers))
    (tmp_path / "encoder.onnx").touch()
    OnnxEngine(tmp_path, ["encoder"], device)
    assert opened == [[("CUDAExecutionProvider", {"device_id": number}), "CPUExecutionProvider"]]


def test_missing_and_broken_graphs_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"encoder\.onnx is missing"):
        OnnxEngine(tmp_path, GRAPHS)
    (tmp_path / "encoder.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"encoder\.onnx is no graph"):
        OnnxEngine(tmp_path, GRAPHS)


def test_a_graph_of_another_network_is_named():
    packaged = Path(uniasr.__file__).parent / "packaged" / "ja"
    if not (packaged / "encoder.onnx").is_file():
        pytest.skip("no packaged model in this checkout")
    engine = OnnxEngine(packaged, ["encoder"])
    with pytest.raises(ModelError, match=r"encoder\.onnx does not fit"):
        engine.run("encoder", {}, ["rows"])


def graph_with_weights_in(location):
    """A graph whose only output is eight bytes of another file."""
    weights = onnx.TensorProto(name="w", data_type=onnx.TensorProto.UINT8, dims=[8])
    weights.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", str(location)), ("offset", "0"), ("length", "8")):
        weights.external_data.add(key=key, value=value)
    output = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.UINT8, [8])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["w"], ["y"])], "g", [], [output], [weights])
    return onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)])


def test_a_graph_reads_weights_in_its_directory_only(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    for place in (model / "weights", tmp_path / "secret"):
        place.write_bytes(b"12345678")
    (model / "g.onnx").write_bytes(graph_with_weights_in("weights").SerializeToString())
    assert bytes(OnnxEngine(model, ["g"]).run("g", {}, ["y"])["y"]) == b"12345678"
    for location in (tmp_path / "secret", "../secret"):
        (model / "g.onnx").write_bytes(graph_with_weights_in(location).SerializeToString())
        with pytest.raises(ModelError, match=r"g\.onnx"):
            OnnxEngine(model, ["g"])


def identity_graph():
    """A graph that returns its input."""
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n"]) for name in ("x", "y")]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "g", ends[:1], ends[1:])
    return onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)])


def test_a_packed_graph_runs(tmp_path):
    (tmp_path / "g.onnx").write_bytes(identity_graph().SerializeToString())
    assert pack_graph(tmp_path / "g.onnx") == tmp_path / "g.onnx.gz"
    assert [path.name for path in tmp_path.iterdir()] == ["g.onnx.gz"]
    given = np.array([1, 2], np.float32)
    np.testing.assert_array_equal(OnnxEngine(tmp_path, ["g"]).run("g", {"x": given}, ["y"])["y"], given)


@pytest.mark.parametrize(
    "content", [b"", b"no gzip", gzip.compress(b"no graph"), gzip.compress(bytes(9999))[:-9], gzip.compress(bytes(99))]
)
def test_a_damaged_packed_graph_is_named(tmp_path, content):
    (tmp_path / "g.onnx.gz").write_bytes(content)
    with pytest.raises(ModelError, match=r"g\.onnx\.gz"):
        OnnxEngine(tmp_path, ["g"])


def test_a_packed_graph_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("uniasr.graph_files.MOST_BYTES", 1000)
    (tmp_path / "g.onnx.gz").write_bytes(gzip.compress(bytes(1001)))
    with pytest.raises(ModelError, match="more than 1000 bytes"):
        OnnxEngine(tmp_path, ["g"])


def test_a_packed_graph_reads_weights_in_its_directory_only(tmp_path, monkeypatch):
    model = tmp_path / "model"
    model.mkdir()
    monkeypatch.chdir(tmp_path)
    for place in (model / "weights", tmp_path / "secret"):
        place.write_bytes(b"12345678")
    (model / "g.onnx.gz").write_bytes(gzip.compress(graph_with_weights_in("weights").SerializeToString()))
    assert bytes(OnnxEngine(model, ["g"]).run("g", {}, ["y"])["y"]) == b"12345678"
    for location in (tmp_path / "secret", "../secret", "secret"):
        (model / "g.onnx.gz").write_bytes(gzip.compress(graph_with_weights_in(location).SerializeToString()))
        with pytest.raises(ModelError, match=r"g\.onnx\.gz"):
            OnnxEngine(model, ["g"])
