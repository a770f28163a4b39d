"""What no call can take: one of our own errors, in a sentence of bounded length."""

from dataclasses import replace

import numpy as np
import pytest

import uniasr
from fabricated_punctuation import fabricated
from uniasr.audio.load import check_many
from uniasr.audio.pcm import PcmDecoder
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.fsmn_vad import FsmnConfig, VadOptions
from uniasr.errors import AudioError, OptionError, UniasrError
from uniasr.formats import CueRules
from uniasr.pipeline.parts import converter
from uniasr.recognizers.runtime import Runtime
from uniasr.text import Normalized
from uniasr.types import DecodingOptions, EndpointRule

LONG = "x" * 5000


@pytest.mark.parametrize("load", ["load_model", "load_vad", "load_punctuator", "load_converter"])
@pytest.mark.parametrize("name", [5, b"x", [], LONG])
def test_models_that_nothing_names(load, name):
    with pytest.raises(UniasrError) as caught:
        getattr(uniasr, load)(name)
    assert len(str(caught.value)) < 6000


@pytest.mark.parametrize(
    "make",
    [
        lambda: Runtime(device=0),
        lambda: Runtime(device=LONG),
        lambda: Runtime(threads=True),
        lambda: EndpointRule(name="a", silence_ms="1200"),
        lambda: EndpointRule(name="a", silence_ms=None),
        lambda: EndpointRule(name="a", length_ms=10**400),
        lambda: DecodingOptions(segment_s=10**400),
        lambda: DecodingOptions(converter_weight=-1e308),
        lambda: DecodingOptions(search=LONG),
        lambda: VadOptions(speech_2_noise_ratio=-1e308),
        lambda: VadOptions(speech_2_noise_ratio=-0.5),
        lambda: VadOptions(max_single_segment_time=10**400),
        lambda: VadOptions(silence_schedule="é"),
        lambda: VadOptions(silence_schedule=None),
        lambda: VadOptions(silence_schedule=((0, 1), (0, 2))),
        lambda: uniasr.text.itn("三", language=[]),
        lambda: uniasr.text.tn("3", language=LONG),
        lambda: check_many(None),
        lambda: check_many(5),
        lambda: fabricated().punctuate_batch(None),
        lambda: fabricated().punctuate_batch("text"),
        lambda: fabricated().punctuate_tokens(None),
        lambda: fabricated().punctuate_tokens("abc"),
        lambda: uniasr.load_converter().convert(None),
        lambda: uniasr.load_converter().log_probabilities([None]),
        lambda: uniasr.load_converter().settled(b"\x82\xa0"),
        lambda: uniasr.load_converter().alternatives(None),
        lambda: uniasr.load_converter().alternatives("ア", "3"),
        lambda: uniasr.load_converter().alternatives("ア", 2.5),
        lambda: uniasr.text.itn("a", whitelist=[["x"]]),
        lambda: uniasr.text.itn("a", whitelist=[LONG, 3]),
        lambda: uniasr.text.normalization.read_whitelist("a\0b"),
        lambda: CueRules(max_cps="7"),
        lambda: CueRules(max_cps=10**400),
        lambda: CueRules(max_ms=None),
        lambda: CueRules(gap_ms=2.5),
        lambda: converter(lambda text: Normalized(text, "abc", ()))("あ"),
    ],
)
def test_options_that_make_no_sense(make):
    with pytest.raises(OptionError) as caught:
        make()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("channels", [0, True, 10**400, "2"])
def test_numbers_of_channels_that_no_stream_has(channels):
    with pytest.raises(AudioError, match="channels"):
        PcmDecoder(channels)


@pytest.mark.parametrize("change", [{"lstride": 10**6}, {"proj_dim": 10**30}, {"lorder": 2**14, "lstride": 2}])
def test_shapes_that_would_fill_the_memory(change):
    with pytest.raises(ValueError, match=r"must lie|reach over"):
        replace(FsmnConfig(), **change)
    with pytest.raises(ValueError, match="sample_rate_hz"):
        FrontendConfig(sample_rate_hz=2**63)


@pytest.mark.parametrize("load", ["load_model", "load_vad"])
def test_a_finished_stream_takes_no_more(load):
    stream = getattr(uniasr, load)().stream()
    stream.finish()
    with pytest.raises(AudioError, match="has been finished"):
        stream.accept(np.zeros(160, np.int16))
    if hasattr(stream, "set_hotwords"):
        with pytest.raises(AudioError, match="has been finished"):
            stream.set_hotwords(["カイ"])
