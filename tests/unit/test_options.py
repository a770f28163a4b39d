"""Options of a call: whatever makes no sense is refused with a sentence before any work."""

import pytest
from click.testing import CliRunner

from uniasr.cli.app import cli
from uniasr.errors import OptionError
from uniasr.types import ENDPOINT_RULES, DecodingOptions

INFINITE, NOT_A_NUMBER = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("beam_size", (0, 2.0, True, "5", 10**9), "whole number from 1 to 1000"),
        ("nbest", (0, True, 10**9), "whole number from 1 to 1000"),
        *((name, (0, -1, True, "3", None, INFINITE, NOT_A_NUMBER), "seconds") for name in ("segment_s", "pause_s")),
        ("max_segment_s", (0, True, "3", INFINITE, NOT_A_NUMBER, 2e6), "positive number of seconds, at most 1e.06"),
        ("pause_s", (1e7,), "positive number of seconds, at most 1e.06"),
        ("refresh_ms", (0, -5, True, "3", INFINITE, NOT_A_NUMBER), "positive number of milliseconds"),
        ("endpoint", (ENDPOINT_RULES[0], (), 5, True, "default", ("a",)), "tuple of EndpointRule"),
        ("penalty", (True, "1", INFINITE, 1e308, 10**400), "number of at most"),
        ("lm_weight", (True, None, NOT_A_NUMBER), "number of at most"),
    ],
)
def test_values_that_make_no_sense(name, values, said):
    for value in values:
        with pytest.raises(OptionError, match=f"{name} is .*{said}"):
            DecodingOptions(**{name: value})


def test_values_that_make_sense():
    DecodingOptions(beam_size=1000, nbest=1000, segment_s=1, refresh_ms=3000, endpoint=ENDPOINT_RULES, penalty=-1)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        *((name, (0, -1), "at least 1") for name in ("max_epoch", "average", "warmup_steps", "evaluate_every")),
        *((name, (-1,), "negative") for name in ("patience", "seed", "workers", "dev_utterances", "max_steps")),
    ],
)
def test_a_run_of_training_with_values_that_make_no_sense(name, values, said):
    pytest.importorskip("torch")
    from uniasr.training.data.prepare import DataOptions
    from uniasr.training.fitting import RunOptions

    for value in values:
        with pytest.raises(OptionError, match=f"{name} is {value}; .*{said}"):
            (DataOptions if name == "seed" else RunOptions)(**{name: value})
    RunOptions(workers=0, dev_utterances=0, seed=0)


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [("pack", "--per-shard", 0), ("features", "--jobs", 0), ("features", "--copies", -1), ("features", "--seed", -1)],
)
def test_counts_of_data_commands(tmp_path, command, option, value):
    call = ["data", command, "--data", str(tmp_path), "--output", str(tmp_path / "out"), option, str(value)]
    result = CliRunner().invoke(cli, call)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert option in result.stderr
