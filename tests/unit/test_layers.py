"""Layers against naive implementations of the published rules, on small random networks of random shapes.

The oracle lays out one long sequence of overlapping chunks with gaps and uses T x T masks, as the reference does.
Our encoder cuts first and knows chunks only.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from uniasr.configs.decoding import published_modes
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.uniasr import (
    BridgeConfig,
    ChunkConfig,
    DecoderConfig,
    EncoderConfig,
    PredictorConfig,
    UniasrConfig,
)
from uniasr.decoding.cif import integrate, start_cif
from uniasr.recognizers.uniasr.encoding import encode
from uniasr.recognizers.uniasr.firing import kept_count
from uniasr.recognizers.uniasr.passes import plan_pass, start_pass
from uniasr.recognizers.uniasr.rows import RowBuffer
from uniasr.types import DecodingOptions

torch = pytest.importorskip("torch")

from uniasr.engines.torch import TorchEngine  # noqa: E402
from uniasr.networks.graphs import uniasr_graphs  # noqa: E402
from uniasr.networks.layers import cif  # noqa: E402
from uniasr.networks.layers.dropout import Dropout  # noqa: E402
from uniasr.networks.layers.fsmn_decoder import ScamaDecoder  # noqa: E402
from uniasr.networks.uniasr import UniasrNetwork  # noqa: E402

pytestmark = pytest.mark.torch

seeds = st.integers(0, 2**31 - 1)
relaxed = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


# The encoders


@st.composite
def chunk_configs(draw):
    stride, pad, ahead = draw(st.integers(1, 6)), draw(st.integers(0, 3)), draw(st.integers(0, 3))
    return ChunkConfig(size=stride + pad + ahead, stride=stride, pad_left=pad, look_back=draw(st.integers(0, 3)))


@st.composite
def encoder_configs(draw, input_size, count):
    heads = draw(st.integers(1, 3))
    return EncoderConfig(
        input_size=input_size,
        output_size=4 * heads,
        attention_heads=heads,
        linear_units=draw(st.integers(3, 9)),
        num_blocks=draw(st.integers(1, 3)),
        kernel_size=draw(st.sampled_from([1, 3, 5, 9])),
        chunks=tuple(draw(chunk_configs()) for _ in range(count)),
    )


@st.composite
def network_configs(draw):
    count = draw(st.integers(1, 2))
    frontend = FrontendConfig(n_mels=4, lfr_m=draw(st.sampled_from([1, 2, 3])), lfr_n=1)
    encoder = draw(encoder_configs(frontend.feature_size, count))
    kernel = draw(st.integers(1, 3))
    left = draw(st.integers(0, kernel - 1))
    bridge = BridgeConfig(kernel_size=kernel, stride=draw(st.integers(1, 3)), pad=(left, kernel - 1 - left))
    encoder2 = draw(encoder_configs(frontend.feature_size + encoder.output_size, count))
    predictors = [
        PredictorConfig(
            l_order=draw(st.integers(0, part.kernel_size // 2)),
            r_order=draw(st.integers(0, part.kernel_size // 2)),
            smooth_factor=draw(st.sampled_from([1.0, 1.3])),
            noise_threshold=draw(st.sampled_from([0.0, 0.1])),
        )
        for part in (encoder, encoder2)
    ]
    decoder = DecoderConfig(
        attention_dim=4, attention_heads=1, linear_units=4, num_blocks=1, att_layer_num=1, kernel_size=3
    )
    return UniasrConfig(
        vocab_size=5,
        frontend=frontend,
        encoder=encoder,
        predictor=predictors[0],
        decoder=decoder,
        bridge=bridge,
        encoder2=encoder2,
        predictor2=predictors[1],
        decoder2=decoder,
        modes=published_modes(count),
    )


def random_network(config, seed):
    """Weights and biases without zeros and ones: norms of zero rows and of padding would hide behind them."""
    torch.manual_seed(seed)
    network = UniasrNetwork(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return network


def weights_of(module):
    return {name: tensor.detach().numpy().astype(np.float64) for name, tensor in module.state_dict().items()}


def norm(x, w, name):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-12) * w[f"{name}.weight"] + w[f"{name}.bias"]


def linear(x, w, name):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def position_code(t, size):
    half = size // 2
    angles = [t * np.exp(-k * np.log(10000.0) / (half - 1)) for k in range(half)]
    return np.concatenate([np.sin(angles), np.cos(angles)])


class Layout:
    """Places of the one long sequence: chunk and row of each, -1 and less for the rows of a gap."""

    def __init__(self, config, chunk, length):
        self.gap = (config.kernel_size - 1) // 2
        block, self.count = self.gap + chunk.size, -(-length // chunk.stride)
        total = (self.count - 1) * block + self.gap + chunk.pad_left + length - (self.count - 1) * chunk.stride
        self.chunk, self.row = np.divmod(np.arange(total), block)
        self.row = self.row - self.gap
        self.content = self.row >= 0
        self.centre = (self.row >= chunk.pad_left) & (self.row < chunk.pad_left + chunk.stride)
        self.source = self.chunk * chunk.stride + self.row - chunk.pad_left

    def sees(self, query, key, chunk):
        if not self.content[query] or not self.content[key]:
            return False
        back = self.chunk[query] - self.chunk[key]
        if back == 0:
            return True
        return 1 <= back <= chunk.look_back and self.row[query] < chunk.stride and self.row[key] < chunk.stride


def dense_encoder(w, config, chunk, x):
    """Rows [T, d] of the layout of plain input rows x [L, F], by T x T masks."""
    length, (heads, d) = len(x), (config.attention_heads, config.output_size)
    layout = Layout(config, chunk, length)
    scaled = [row * np.sqrt(d) + position_code(t + 1, x.shape[1]) for t, row in enumerate(x)]
    h = np.zeros((len(layout.row), x.shape[1]))
    for place, source in enumerate(layout.source):
        if layout.content[place] and 0 <= source < length:
            h[place] = scaled[source]
    places = range(len(h))
    seen = np.array([[layout.sees(query, key, chunk) for key in places] for query in places])
    for layer in range(config.num_blocks):
        name = "encoders0.0" if layer == 0 else f"encoders.{layer - 1}"
        q, k, v = np.split(linear(norm(h, w, f"{name}.norm1"), w, f"{name}.self_attn.linear_q_k_v"), 3, axis=1)
        attended = np.zeros((len(h), d))
        for head in range(heads):
            part = slice(head * d // heads, (head + 1) * d // heads)
            scores = np.where(seen, np.exp(q[:, part] @ k[:, part].T / np.sqrt(d // heads)), 0.0)
            attended[:, part] = scores @ v[:, part] / np.maximum(scores.sum(axis=1, keepdims=True), 1e-300)
        y = linear(attended, w, f"{name}.self_attn.linear_out")
        y += depthwise(v, w[f"{name}.self_attn.fsmn_block.weight"][:, 0], layout.content)
        y += h if h.shape[1] == d else 0.0
        inner = np.maximum(linear(norm(y, w, f"{name}.norm2"), w, f"{name}.feed_forward.w_1"), 0.0)
        h = y + linear(inner, w, f"{name}.feed_forward.w_2")
    return norm(h, w, "after_norm"), layout


def depthwise(v, kernel, content):
    u = v * content[:, None]
    size = kernel.shape[1]
    padded = np.pad(u, ((size // 2, size // 2), (0, 0)))
    out = np.stack([(padded[t : t + size] * kernel.T).sum(axis=0) for t in range(len(u))])
    return (out + u) * content[:, None]


def dense_alphas(w, config, rows, layout):
    """Weights of the layout's rows; the convolution looks beyond the centre rows but finds zeros in gaps."""
    h = np.pad(rows * layout.content[:, None], ((config.l_order, config.r_order), (0, 0)))
    kernel = w["cif_conv1d.weight"]
    o = np.stack(
        [np.einsum("oik,ki->o", kernel, h[t : t + kernel.shape[2]]) + w["cif_conv1d.bias"] for t in range(len(rows))]
    )
    a = 1 / (1 + np.exp(-linear(np.maximum(o, 0), w, "cif_output")[:, 0]))
    return np.maximum(0, a * config.smooth_factor - config.noise_threshold) * layout.centre


def dense_bridge(w, config, x):
    padded = np.pad(x, (config.pad, (0, 0)))
    starts = range(0, len(padded) - config.kernel_size + 1, config.stride)
    out = [np.einsum("oik,ki->o", w["conv.weight"], padded[s : s + config.kernel_size]) for s in starts]
    return np.maximum(np.stack(out) + w["conv.bias"], 0)


def run_chunks(engine, config, number, index, inputs, calls):
    """Our chunks of one pass, encoded in calls of so many chunks (the last ones together)."""
    buffer = RowBuffer(inputs.shape[1])
    buffer.append(inputs.astype(np.float32))
    carry = start_pass(plan_pass(config, number, index), buffer, 0, DecodingOptions(), decode=False, final=True)
    carry.num_frames = len(inputs)
    chunks = []
    for most in [*calls, 1000]:
        count = carry.ready_chunks(most)
        if count:
            chunks += encode(engine, [(carry, count)])[0]
    return carry, chunks


def assert_same_rows(carry, chunks, rows, alphas, layout):
    ours = np.concatenate([chunk.rows[chunk.valid > 0] for chunk in chunks])
    theirs = rows[layout.content]
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=2e-3 * max(1.0, np.abs(theirs).max()))
    pad = carry.plan.chunk.pad_left
    kept = np.concatenate([chunk.alphas[pad : pad + kept_count(carry, chunk)] for chunk in chunks])
    np.testing.assert_allclose(kept, alphas[layout.centre], atol=2e-3)


@relaxed
@given(
    config=network_configs(),
    seed=seeds,
    length=st.integers(1, 30),
    data=st.data(),
    calls=st.lists(st.integers(1, 4), max_size=6),
)
def test_chunks_give_the_rows_of_the_masked_sequence(config, seed, length, data, calls):
    index = data.draw(st.integers(0, config.num_latencies - 1))
    network = random_network(config, seed)
    engine = TorchEngine(uniasr_graphs(network))
    x = np.random.default_rng(seed).normal(0, 2, (length, config.frontend.feature_size))
    rows, layout = dense_encoder(weights_of(network.encoder), config.encoder, config.encoder.chunks[index], x)
    alphas = dense_alphas(weights_of(network.predictor), config.predictor, rows, layout)
    carry, chunks = run_chunks(engine, config, 1, index, x, calls)
    assert_same_rows(carry, chunks, rows, alphas, layout)

    joined = np.concatenate([x, rows[layout.centre]], axis=1)
    x2 = dense_bridge(weights_of(network.stride_conv), config.bridge, joined)
    assert len(x2) == (length - 1) // config.bridge.stride + 1
    rows2, layout2 = dense_encoder(weights_of(network.encoder2), config.encoder2, config.encoder2.chunks[index], x2)
    alphas2 = dense_alphas(weights_of(network.predictor2), config.predictor2, rows2, layout2)
    carry, chunks = run_chunks(engine, config, 2, index, joined, calls)
    assert_same_rows(carry, chunks, rows2, alphas2, layout2)


# CIF at run time and in training


def fired_by_loop(alphas, rows):
    """Embedding and row of each fired token: weight is added up, and what exceeds one opens the next token."""
    embeddings, at, weight, embedding = [], [], 0.0, np.zeros(rows.shape[1])
    for t, (alpha, row) in enumerate(zip(alphas, rows, strict=True)):
        if weight + alpha < 1:
            weight, embedding = weight + alpha, embedding + alpha * row
            continue
        embeddings.append(embedding + (1 - weight) * row)
        at.append(t)
        weight = weight + alpha - 1
        embedding = weight * row
    return np.array(embeddings).reshape(-1, rows.shape[1]), at


def integrate_at_run_time(alphas, rows, lengths):
    fired = []
    for own_alphas, own_rows, length in zip(alphas, rows, lengths, strict=True):
        _, firings = integrate(start_cif(own_rows.shape[1]), own_alphas, own_rows)
        assert len(firings.rows) == length
        fired.append((firings.embeddings, firings.rows.tolist()))
    return fired


def integrate_in_training(alphas, rows, lengths):
    result = cif.integrate(*(torch.from_numpy(array) for array in (alphas, rows, np.array(lengths))))
    assert result.embeddings.shape == (len(alphas), max(lengths), rows.shape[2])
    for own, length in zip(result.embeddings, lengths, strict=True):
        assert not own[length:].any()
    return [
        (embeddings[:length].numpy(), at[:length].tolist())
        for embeddings, at, length in zip(result.embeddings, result.rows, lengths, strict=True)
    ]


@pytest.mark.parametrize("implementation", [integrate_at_run_time, integrate_in_training])
@relaxed
@given(seed=seeds, sizes=st.lists(st.integers(1, 40), min_size=1, max_size=3))
def test_cif_fires_as_the_loop_over_rows_does(implementation, seed, sizes):
    rng = np.random.default_rng(seed)
    alphas = np.zeros((len(sizes), max(sizes)), np.float32)
    rows = rng.normal(0, 1, (*alphas.shape, 3)).astype(np.float32)
    for own, size in zip(alphas, sizes, strict=True):
        own[:size] = rng.uniform(0, 1, size) * rng.choice([0.0, 0.3, 1.0], size)
    sums = np.cumsum(alphas.astype(np.float64), axis=1)
    assume(np.abs(sums - np.round(sums))[sums > 0.5].min(initial=1.0) > 1e-3)  # ties are decided by rounding
    lengths = np.floor(sums[:, -1]).astype(int).tolist()
    assume(max(lengths) > 0)
    found = implementation(alphas, rows, lengths)
    for own_alphas, own_rows, (embeddings, at) in zip(alphas.astype(np.float64), rows, found, strict=True):
        wanted, wanted_at = fired_by_loop(own_alphas, own_rows)
        assert at == wanted_at
        np.testing.assert_allclose(embeddings, wanted, atol=1e-5)


def test_a_sum_just_below_the_integer_fires_the_last_token_in_training():
    alphas = torch.tensor([[0.5, 0.5 - 1e-6, 0.5, 0.5, 0.0]])
    rows = torch.eye(5)[None]
    result = cif.integrate(alphas, rows, torch.tensor([2]))
    assert result.rows.tolist() == [[1, 3]]
    np.testing.assert_allclose(result.embeddings[0], [[0.5, 0.5, 0, 0, 0], [0, 0, 0.5, 0.5, 0]], atol=1e-5)


def test_gradients_reach_weights_and_rows():
    alphas = torch.tensor([[0.7, 0.6, 0.5, 0.6]], requires_grad=True)
    rows = torch.randn(1, 4, 3, requires_grad=True)
    cif.integrate(alphas, rows, torch.tensor([2])).embeddings.square().sum().backward()
    assert bool((alphas.grad != 0).any())
    assert bool((rows.grad != 0).any())


# The decoder


@st.composite
def decoder_configs(draw):
    heads, layers = draw(st.integers(1, 2)), draw(st.integers(1, 4))
    return DecoderConfig(
        attention_dim=4 * heads,
        attention_heads=heads,
        linear_units=6,
        num_blocks=layers,
        att_layer_num=draw(st.integers(1, layers)),
        kernel_size=draw(st.sampled_from([3, 5, 11])),
        concat_embeds=draw(st.booleans()),
    )


def naive_decoder(w, config, tokens, acoustic, rows, seen):
    """Log-probabilities [L, V] of one utterance, step after step from the published equations."""
    log_probs, history = [], [[] for _ in range(config.num_blocks)]
    for token, embedding, sees in zip(tokens, acoustic, seen, strict=True):
        x = w["embed.0.weight"][token]
        if config.concat_embeds:
            x = inner_feed_forward(np.concatenate([x, embedding]), w, "embed_concat_ffn.0")
        for layer in range(config.num_blocks):
            attends = layer < config.att_layer_num
            name = f"decoders.{layer}" if attends else f"decoders2.{layer - config.att_layer_num}"
            t = norm(inner_feed_forward(x, w, name), w, f"{name}.norm2")
            history[layer].append(t)
            kernel = w[f"{name}.self_attn.fsmn_block.weight"][:, 0]
            recent = history[layer][-config.kernel_size :]
            x = x + t + sum(kernel[:, -1 - age] * past for age, past in enumerate(reversed(recent)))
            if attends:
                x = x + cross_attention(norm(x, w, f"{name}.norm3"), rows[sees], w, f"{name}.src_attn", config)
        x = inner_feed_forward(x, w, "decoders3.0")
        scores = linear(norm(x, w, "after_norm"), w, "output_layer")
        log_probs.append(scores - np.log(np.exp(scores - scores.max()).sum()) - scores.max())
    return np.stack(log_probs)


def inner_feed_forward(x, w, name):
    hidden = np.maximum(linear(norm(x, w, f"{name}.norm1"), w, f"{name}.feed_forward.w_1"), 0)
    return norm(hidden, w, f"{name}.feed_forward.norm") @ w[f"{name}.feed_forward.w_2.weight"].T


def cross_attention(x, rows, w, name, config):
    q = linear(x, w, f"{name}.linear_q")
    k, v = np.split(linear(rows, w, f"{name}.linear_k_v"), 2, axis=1)
    heads = []
    for q_h, k_h, v_h in zip(*(np.split(a, config.attention_heads, axis=-1) for a in (q, k, v)), strict=True):
        scores = k_h @ q_h / np.sqrt(len(q_h))
        weights = np.exp(scores - scores.max())
        heads.append(weights @ v_h / weights.sum())
    return linear(np.concatenate(heads), w, f"{name}.linear_out")


@relaxed
@given(config=decoder_configs(), seed=seeds, steps=st.integers(1, 14), num_rows=st.integers(1, 9))
def test_decoder_steps_and_sequence_follow_the_equations(config, seed, steps, num_rows):
    torch.manual_seed(seed)
    vocabulary, width = 7, 6
    decoder = ScamaDecoder(config, vocabulary, width).eval()
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    rng = np.random.default_rng(seed)
    tokens, acoustic = rng.integers(0, vocabulary, steps), rng.normal(0, 1, (steps, width))
    rows, seen = rng.normal(0, 1, (num_rows, width)), rng.random((steps, num_rows)) < 0.6
    seen[:, 0] |= ~seen.any(axis=1)
    wanted = naive_decoder(weights_of(decoder), config, tokens, acoustic, rows, seen)
    with torch.inference_mode():
        tokens, seen = torch.from_numpy(tokens), torch.from_numpy(seen)
        acoustic, rows = torch.from_numpy(acoustic).float(), torch.from_numpy(rows).float()
        whole = decoder.sequence(tokens[None], acoustic[None], rows[None], seen[None])[0]
        keys, values = decoder.memory(rows[None])
        cache = torch.zeros(1, 2, config.num_blocks, config.kernel_size - 1, config.attention_dim)
        single = []
        for step in range(steps):
            beam = torch.stack([tokens[step], torch.tensor((step * 3) % vocabulary)])[None]  # a second hypothesis
            log_probs, cache = decoder.step(beam, acoustic[step][None], keys, values, seen[step][None].float(), cache)
            single.append(log_probs[0, 0])
    np.testing.assert_allclose(whole, wanted, atol=2e-3)
    np.testing.assert_allclose(torch.stack(single), wanted, atol=2e-3)


# Dropout


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_keeps_the_mean_and_forgets_the_right_share(rate, dtype):
    layer = Dropout(rate)
    x = torch.ones(3, 7, 9_001, dtype=dtype, requires_grad=True)
    torch.manual_seed(4)
    y = layer(x)
    y.float().sum().backward()
    assert y.dtype == dtype
    assert torch.equal(x.grad, y)  # what is kept is only scaled
    gone = (y == 0).float()
    assert abs(float(gone.mean()) - rate) < 0.005
    assert abs(float(y.detach().float().mean()) - 1) < 0.01
    neighbours = float((gone[..., 1:] * gone[..., :-1]).mean())  # elements of one draw are independent
    assert abs(neighbours - rate**2) < 0.01
    torch.manual_seed(4)
    assert torch.equal(layer(x), y)
    assert layer.eval()(x) is x
