"""What a latency costs in waiting, and how a user names one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import lcm

from uniasr.configs.decoding import DoubtConfig
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.uniasr import UniasrConfig
from uniasr.errors import OptionError
from uniasr.features.chunks import rows_needed
from uniasr.recognizers.uniasr.passes import PassPlan, plan_pass
from uniasr.types import MODES, Latency, Mode

_INDEX = re.compile(r"[+-]?[0-9]{1,9}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s)")


@dataclass(frozen=True, slots=True)
class ModePlans:
    """The passes that a mode runs on the audio as it comes, and those that hear each closed segment again, if any."""

    live: tuple[PassPlan, ...]
    again: tuple[PassPlan, ...] = ()
    doubt: DoubtConfig | None = None
    """When segments are heard in other ways, too."""
    closed: bool = False
    """Whether confidences are those of closed segments."""

    @property
    def final(self) -> tuple[PassPlan, ...]:
        """Those whose text is final."""
        return self.again or self.live


def latencies(config: UniasrConfig) -> tuple[Latency, ...]:
    """Every trained latency of both passes."""
    return tuple(describe(config, number, index) for number in (1, 2) for index in range(config.num_latencies))


def describe(config: UniasrConfig, number: int, index: int) -> Latency:
    """Emit interval, look-ahead and worst-case delay of one pass at one latency."""
    first, plan = plan_pass(config, 1, index), plan_pass(config, number, index)
    emit = plan.chunk.stride * plan.row_ms
    # The waits repeat when both passes' chunks begin together again.
    frames = plan.chunk.stride * plan.frames_per_row
    period = lcm(frames, first.chunk.stride) // frames
    worst = max(_audio_needed_ms(config, first, plan, chunk) - chunk * emit for chunk in range(period))
    return Latency(index, number, round(emit), round(worst - emit), round(worst))


def _audio_needed_ms(config: UniasrConfig, first: PassPlan, plan: PassPlan, chunk: int) -> float:
    """End of the audio that must have come before a chunk of a pass can be computed."""
    rows = rows_needed(chunk, plan.chunk)
    if plan.bridge is not None:
        frames = (rows - 1) * plan.bridge.stride - plan.bridge.pad[0] + plan.bridge.kernel_size
        rows = rows_needed(-(-frames // first.chunk.stride) - 1, first.chunk)
    return audio_of_rows_ms(config.frontend, rows)


def audio_of_rows_ms(front: FrontendConfig, rows: int) -> float:
    """Audio that must have come before so many feature rows are complete; a little less than what they stand for."""
    last_frame = (rows - 1) * front.lfr_n + front.lfr_m - 1 - (front.lfr_m - 1) // 2
    return last_frame * front.frame_shift_ms + front.frame_length_ms


def choose(config: UniasrConfig, mode: str, latency: int | str | None) -> ModePlans:
    """The passes that a mode runs live, by an index, by a longest delay like '900ms', or by the mode's default.

    A segment is heard again only where that is another latency. Where nothing is stable before it is closed, it may be
    doubted, and its confidences wait for its end. The delay is that of the mode's first visible text: pass 1's in fast
    and normal mode, pass 2's in offline mode.
    Raises OptionError for an unknown mode and for a latency that the model does not have.
    """
    if mode not in MODES:
        raise OptionError(f"mode is {mode!r:.80}; choose one of {', '.join(MODES)}")
    settings = config.modes[mode]
    if latency is None:
        index = settings.latency
    elif isinstance(latency, str) and not _INDEX.fullmatch(latency.strip()):
        index = _slowest_within(config, mode, settings.pass_number, latency)
    else:
        index = _trained(config, latency)
    numbers = range(1, settings.pass_number + 1)
    live = tuple(plan_pass(config, number, index) for number in numbers)
    again: tuple[PassPlan, ...] = ()
    if settings.final_latency not in (None, index):
        again = tuple(plan_pass(config, number, settings.final_latency) for number in numbers)
    if mode != "offline" and not again:
        return ModePlans(live)
    return ModePlans(live, again, config.doubt, config.confidence[settings.pass_number - 1].closed is not None)


def _trained(config: UniasrConfig, latency: int | str) -> int:
    if isinstance(latency, bool) or not isinstance(latency, int | str):
        raise OptionError(f"latency is {latency!r:.80}; give the index of a trained latency or a delay like '900ms'")
    index = int(latency)
    if not 0 <= index < config.num_latencies:
        raise OptionError(
            f"latency is {index}; this model has 0 to {config.num_latencies - 1}, and a delay has a unit, like '900ms'"
        )
    return index


def _slowest_within(config: UniasrConfig, mode: Mode | str, pass_number: int, text: str) -> int:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise OptionError(
            f"latency is {text!r:.60}; give the index of a trained latency or a delay like '900ms' or '1.2s'"
        )
    limit = float(match[1]) * (1000 if match[2] == "s" else 1)
    visible = pass_number if mode == "offline" else 1
    delays = [describe(config, visible, index).worst_case_delay_ms for index in range(config.num_latencies)]
    fitting = [index for index, delay in enumerate(delays) if delay <= limit]
    if not fitting:
        raise OptionError(f"no latency of this model's {mode} mode is within {text}; its fastest needs {min(delays)}ms")
    return max(fitting, key=lambda index: delays[index])
