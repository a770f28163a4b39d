import contextlib
import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uniasr.checkpoints import load_strictly, read_model, read_state
from uniasr.errors import ModelError, UniasrError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))


@pytest.fixture
def state():
    return network().state_dict()


def same(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: s,
        lambda s: {"state_dict": s, "epoch": 3},
        lambda s: {"model_state_dict": s},
        lambda s: {"model": s},
        lambda s: {"state_dict": {"model": s}},
        lambda s: {f"module.{name}": tensor for name, tensor in s.items()},
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_published_wrappings_are_taken_off(tmp_path, state, wrap, zipped):
    torch.save(wrap(state), tmp_path / "model.pt", _use_new_zipfile_serialization=zipped)
    assert same(read_state(tmp_path / "model.pt"), state)


def test_safetensors_are_read(tmp_path, state):
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file(state, tmp_path / "model.safetensors")
    assert same(read_state(tmp_path / "model.safetensors"), state)
    (tmp_path / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(ModelError, match="safetensors"):
        read_state(tmp_path / "model.safetensors")


class Harmful:
    def __reduce__(self):
        return (print, ("this must not run",))


@pytest.mark.parametrize("content", [[1, 2], {}, {"a": 1}, {"a": {"b": torch.zeros(1)}}, {1: torch.zeros(1)}])
def test_what_is_no_state_dict_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(ModelError, match=r"model.pt"):
        read_state(tmp_path / "model.pt")


def test_a_pickle_runs_nothing(tmp_path, capsys):
    (tmp_path / "model.pt").write_bytes(pickle.dumps(Harmful()))
    torch.save({"a": Harmful()}, tmp_path / "zip.pt")
    for name in ("model.pt", "zip.pt"):
        with pytest.raises(ModelError, match="state dict"):
            read_state(tmp_path / name)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["model.bin", "model.ckpt-100", "model.pb"])
def test_tensorflow_weights_are_called_so(tmp_path, name):
    (tmp_path / name).write_bytes(b"\n\x1e\n\x05input\x12\x0bPlaceholder")
    with pytest.raises(ModelError, match="TensorFlow"):
        read_state(tmp_path / name)
    with pytest.raises(ModelError, match="missing"):
        read_state(tmp_path / "nothing.pt")


def test_a_fitting_state_is_copied(state):
    module = network()
    torch.nn.init.zeros_(module[0].weight)
    load_strictly(module, state, "file")
    assert same(module.state_dict(), state)


def test_everything_that_does_not_fit_is_named(state):
    module = network()
    del state["0.weight"]
    state["extra"] = torch.zeros(1)
    state["0.bias"] = torch.zeros(5)
    state["1.bias"] = torch.full((1,), float("nan"))
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with pytest.raises(ModelError) as caught:
        load_strictly(module, state, "some/file")
    for part in ("some/file", "1 missing: 0.weight", "1 unexpected: extra", "0.bias (5,) instead of (2,)", "1.bias"):
        assert part in str(caught.value)
    assert same(module.state_dict(), before)


def test_long_complaints_are_cut():
    with pytest.raises(ModelError, match=r"4 missing.*9 unexpected.*and 4 more"):
        load_strictly(network(), {f"x{i}": torch.zeros(1) for i in range(9)}, "file")


def test_unused_ctc_heads_are_passed_over_and_used_ones_are_not(state):
    heads = {"ctc.ctc_lo.weight": torch.zeros(2, 2), "ctc2.ctc_lo.bias": torch.zeros(2)}
    load_strictly(network(), {**state, **heads}, "file")
    module = torch.nn.ModuleDict({"ctc": torch.nn.Linear(2, 2)})
    with pytest.raises(ModelError, match=r"ctc\.ctc_lo\.weight"):
        load_strictly(module, {**module.state_dict(), **heads}, "file")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_only_our_errors_escape_from_damaged_weights(tmp_path, state, data):
    path = tmp_path / data.draw(st.sampled_from(["zip.pt", "old.pt"]))
    torch.save(state, path, _use_new_zipfile_serialization=path.name == "zip.pt")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2, 3, 0]))])
    with contextlib.suppress(UniasrError):
        load_strictly(network(), read_state(path), str(path))


@pytest.mark.parametrize("fixture", ["uniasr_ja_template", "uniasr_lookback", "uniasr_odd"])
def test_golden_weights_fit_the_network(fixture, golden):
    networks = pytest.importorskip("uniasr.networks.uniasr")
    states = []
    for layout in ("model_0x", "model_1x"):
        model = read_model(golden(fixture) / layout)
        states.append(read_state(model.weights))
        load_strictly(networks.UniasrNetwork(model.config), states[-1], str(model.weights))
    assert same(*states)


def test_a_tensor_that_claims_any_size_is_refused_by_its_shape(state):
    state["0.weight"] = torch.zeros(1).expand(10**12)
    with pytest.raises(ModelError, match=r"of another shape.*1000000000000"):
        load_strictly(network(), state, "x.pt")


def test_a_graph_without_the_scale_of_a_weight_is_no_model(tmp_path):
    onnx = pytest.importorskip("onnx")
    from uniasr.checkpoints.graph_weights import read_graph_state

    weight = onnx.numpy_helper.from_array(torch.ones(2, dtype=torch.int8).numpy(), "encoder.w.int8")
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], [weight])), str(tmp_path / "encoder.onnx"))
    with pytest.raises(ModelError, match=r"encoder\.onnx"):
        read_graph_state((tmp_path / "encoder.onnx",))
