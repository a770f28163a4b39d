"""Stated delays against the published tables and against the geometry taken literally; how users name a latency."""

from dataclasses import replace

import pytest
from fabricated import fabricated_config
from hypothesis import given, settings
from hypothesis import strategies as st

from uniasr.configs.decoding import ModeConfig, published_modes
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.records import from_plain, to_plain
from uniasr.configs.uniasr import BridgeConfig, ChunkConfig, UniasrConfig
from uniasr.errors import ModelError, OptionError
from uniasr.recognizers.uniasr.latency import choose, latencies


def config_of(chunks, chunks2, frontend=None, bridge=None):
    frontend = frontend or FrontendConfig()
    base = fabricated_config()
    size = frontend.feature_size
    return replace(
        base,
        frontend=frontend,
        bridge=bridge or BridgeConfig(),
        encoder=replace(base.encoder, input_size=size, chunks=tuple(chunks)),
        encoder2=replace(base.encoder2, input_size=size + base.encoder.output_size, chunks=tuple(chunks2)),
        modes=published_modes(len(chunks)),
    )


@pytest.fixture
def template():
    """The published chunk sizes."""
    return config_of(
        [ChunkConfig(size=20, stride=10, pad_left=5), ChunkConfig(size=60, stride=40, pad_left=10)],
        [ChunkConfig(size=45, stride=35, pad_left=5), ChunkConfig(size=70, stride=50, pad_left=10)],
    )


def literal_delay(config, number, index, chunk):
    """End of the audio that a chunk of a pass needs minus the start of its first kept row, row by row."""
    first, own = config.encoder.chunks[index], config.encoder_of(number).chunks[index]
    last_row = (chunk + 1) * own.stride + own.look_ahead - 1
    frame_of_pass_1 = last_row
    if number == 2:
        last_frame = last_row * config.bridge.stride - config.bridge.pad[0] + config.bridge.kernel_size - 1
        chunk_of_pass_1 = last_frame // first.stride
        frame_of_pass_1 = (chunk_of_pass_1 + 1) * first.stride + first.look_ahead - 1
    front = config.frontend
    left = (front.lfr_m - 1) // 2
    last_window = frame_of_pass_1 * front.lfr_n - left + front.lfr_m - 1
    needed = last_window * front.frame_shift_ms + front.frame_length_ms
    return needed - chunk * own.stride * config.row_ms(number)


def test_delays_of_the_published_models(template):
    table = {(item.pass_number, item.index): item for item in latencies(template)}
    assert list(table) == [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert [table[key].emit_interval_ms for key in table] == [600, 2400, 4200, 6000]
    assert table[1, 0].worst_case_delay_ms == 895
    assert table[1, 1].worst_case_delay_ms == 2995
    assert literal_delay(template, 2, 0, 0) == 5095
    assert literal_delay(template, 2, 1, 0) == 7795
    for item in table.values():
        assert item.look_ahead_ms == item.worst_case_delay_ms - item.emit_interval_ms


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_worst_case_delay_is_the_largest_of_all_chunks(data):
    def chunk():
        stride, pad, ahead = (data.draw(st.integers(low, 9)) for low in (1, 0, 0))
        return ChunkConfig(size=stride + pad + ahead, stride=stride, pad_left=pad)

    lfr = data.draw(st.sampled_from([(7, 6), (4, 3), (1, 1), (5, 3)]))
    kernel = data.draw(st.integers(1, 4))
    left = data.draw(st.integers(0, kernel - 1))
    config = config_of(
        [chunk()],
        [chunk()],
        FrontendConfig(n_mels=4, lfr_m=lfr[0], lfr_n=lfr[1]),
        BridgeConfig(kernel_size=kernel, stride=data.draw(st.integers(1, 3)), pad=(left, kernel - 1 - left)),
    )
    for item in latencies(config):
        delays = [literal_delay(config, item.pass_number, 0, chunk) for chunk in range(200)]
        assert item.worst_case_delay_ms == max(delays)
        own = config.encoder_of(item.pass_number).chunks[0]
        assert item.emit_interval_ms == own.stride * config.row_ms(item.pass_number)


def test_a_mode_runs_its_passes_at_its_own_latency(template):
    def chosen(*arguments):
        return [(plan.number, plan.latency) for plan in choose(template, *arguments).live]

    assert chosen("fast", None) == [(1, 0)]
    assert chosen("normal", None) == [(1, 0), (2, 0)]
    assert chosen("offline", None) == [(1, 1), (2, 1)]
    assert chosen("fast", 1) == [(1, 1)]
    assert chosen("offline", "0") == [(1, 0), (2, 0)]
    own = replace(template, modes={**template.modes, "fast": ModeConfig(pass_number=2, latency=1)})
    assert [(plan.number, plan.latency) for plan in choose(own, "fast", None).live] == [(1, 1), (2, 1)]


def test_segments_are_heard_again_only_at_another_latency(template):
    normal = replace(template.modes["normal"], final_latency=1)
    own = replace(template, modes={**template.modes, "normal": normal})
    chosen = choose(own, "normal", None)
    assert [(plan.number, plan.latency) for plan in chosen.live] == [(1, 0), (2, 0)]
    assert [(plan.number, plan.latency) for plan in chosen.again] == [(1, 1), (2, 1)]
    assert choose(own, "normal", 1).again == choose(own, "offline", None).again == ()
    assert choose(template, "normal", None).again == ()
    for latency in (-1, 2):
        with pytest.raises(ValueError, match=r"modes\.normal"):
            replace(own, modes={**own.modes, "normal": replace(normal, final_latency=latency)})


def test_a_mode_may_keep_more_hypotheses_than_the_others(template):
    def with_beam(size):
        return replace(
            template, modes={**template.modes, "offline": replace(template.modes["offline"], beam_size=size)}
        )

    own = with_beam(7)
    assert [own.beam_of(mode) for mode in ("fast", "normal", "offline")] == [template.beam_size] * 2 + [7]
    for size in (0, 10**9):
        with pytest.raises(ValueError, match=f"beam_size is {size}"):
            with_beam(size)
        plain = to_plain(own)
        plain["modes"]["offline"]["beam_size"] = size
        with pytest.raises(ModelError, match=rf"model.yaml: modes.offline: beam_size is {size}"):
            from_plain(UniasrConfig, plain, "model.yaml")
    assert from_plain(UniasrConfig, to_plain(own), "model.yaml") == own


def test_a_longest_delay_picks_the_slowest_latency_within_it(template):
    def index(mode, latency):
        return choose(template, mode, latency).live[0].latency

    # first text comes from pass 1, in normal mode too
    for mode in ("fast", "normal"):
        assert index(mode, "895ms") == index(mode, "900ms") == index(mode, " 0.9 s ") == index(mode, "2994ms") == 0
        assert index(mode, "2995ms") == index(mode, "1h".replace("h", "000s")) == 1
        with pytest.raises(OptionError, match="895"):
            choose(template, mode, "894ms")
    worst = [item.worst_case_delay_ms for item in latencies(template) if item.pass_number == 2]
    assert index("offline", f"{worst[0]}ms") == 0
    assert index("offline", f"{worst[1]}ms") == 1
    with pytest.raises(OptionError, match=str(worst[0])):
        choose(template, "offline", f"{worst[0] - 1}ms")


@pytest.mark.parametrize(
    "latency", [2, -1, "2", "-1", "fast", "900", "900 m", "", "ms", "-5ms", "+-5", "²", "9" * 5000, 0.9, True, ["0"]]
)
def test_latencies_that_the_model_does_not_have(template, latency):
    with pytest.raises(OptionError, match="latency"):
        choose(template, "fast", latency)


@pytest.mark.parametrize("mode", ["Fast", "online", "", None, 0])
def test_modes_that_do_not_exist(template, mode):
    with pytest.raises(OptionError, match="fast, normal, offline"):
        choose(template, mode, None)
