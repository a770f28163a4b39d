"""The calls of ModelScope's speech recognition pipeline, as the cards of the published UniASR models show them.

    from uniasr.compat.modelscope import Tasks, pipeline

    recognise = pipeline(task=Tasks.auto_speech_recognition, model="damo/speech_UniASR_asr_2pass-ja-...")
    recognise(audio_in="speech.wav", param_dict={"decoding_model": "offline"})    # {"text": "み ず を の む"}

Fine-tuning (`build_trainer`, `MsDataset`, `Trainers`) is described in `uniasr.compat.training`.

Results of published models are those of the published system: its search, its text with blanks between kana, its mode
`normal` unless decoding.yaml or the caller says otherwise. What differs is said at `pipeline` and
`SpeechRecognition.__call__`.
Source: modelscope 1.3.0 asr_inference_pipeline.py, the release that the cards name, with FunASR 0.2.0.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from uniasr.audio.inputs import NamedInput, expand
from uniasr.audio.load import Source, Waveform, load
from uniasr.checkpoints import read_model
from uniasr.checkpoints.language_model import has_language_model
from uniasr.checkpoints.published import MODES_OF_PASSES
from uniasr.compat.audio_bytes import holds_a_file
from uniasr.compat.training import MsDataset, Trainers, build_trainer
from uniasr.errors import AudioError, OptionError, UniasrError
from uniasr.formats import Recognised, RecognitionWriter
from uniasr.hub import resolve
from uniasr.pipeline import Pipeline
from uniasr.recognizers import load_model
from uniasr.recognizers.uniasr import Uniasr
from uniasr.text.hotwords import Hotwords
from uniasr.types import MODES, DecodingOptions, Transcript

__all__ = ["MsDataset", "SpeechRecognition", "Tasks", "Trainers", "build_trainer", "pipeline"]

Result: TypeAlias = dict[str, str] | list[dict[str, str]]

_SEARCH = ("beam_size", "token_num_relax", "penalty", "nbest")
_NEUTRAL = ("ngpu", "batch_size", "model_revision", "num_workers", "log_level", "seed", "dtype", "preprocessor")
"""Keywords that change no result here, and are accepted for that reason."""
_PARTS = ("vad_model", "punc_model")
_LM = ("lm_model", "lm_file", "lm_weight")
_PART_FILES = {f"{name}_file": name for name in _PARTS}
"""Single files of a part, which means nothing without its configuration, and the keyword for the whole part."""
_KNOWN = (*_SEARCH, *_NEUTRAL, *_PARTS, *_PART_FILES, *_LM)
_KNOWN += ("ctc_weight", "hotword", "param_dict", "decoding_mode", "decoding_ind")


class Tasks:
    """Names of tasks, as `modelscope.utils.constant.Tasks` has them."""

    auto_speech_recognition = "auto-speech-recognition"


def pipeline(
    task: str = Tasks.auto_speech_recognition,
    model: str | PathLike[str] | None = None,
    output_dir: str | PathLike[str] | None = None,
    **keywords: Any,
) -> SpeechRecognition:
    """A callable that recognises speech.

    Args:
        task: "auto-speech-recognition".
        model: a model directory, or a hub name whose files lie in a local cache; nothing is downloaded.
        output_dir: where every call writes `1best_recog/{text,score,time_stamp,rtf,token}`.
        keywords: `device` ("cpu", "gpu", "cuda:0"), `threads` and `backend` choose what runs the model (`ngpu` does
            not: without `device` it is the CPU); `beam_size`, `token_num_relax`, `penalty`, `nbest` replace the values
            of decoding.yaml; `hotword` (a .txt file with a word a line, or words separated by blanks) holds for calls
            that name none; `vad_model` and `punc_model` name parts around the recogniser, as `uniasr.Pipeline` takes
            them; `lm_model` or `lm_file` is a language model (docs/language-models.md) with the weight `lm_weight`,
            which alone means the one that the model's directory carries; `param_dict`, or `decoding_mode` with
            `decoding_ind`, set the mode of calls that name none. Keywords that change no result (`ngpu`, `batch_size`,
            `model_revision` and such) are accepted.

    Raises OptionError for another task, for a keyword that asks for something that is not there (`ctc_weight`
    above 0) or is unknown; ModelError and MissingExtraError as `uniasr.load_model` does.
    """
    if task != Tasks.auto_speech_recognition:
        raise OptionError(f"task is {task!r:.80}; this pipeline does {Tasks.auto_speech_recognition!r}")
    runtime = {name: keywords.pop(name) for name in ("backend", "threads") if name in keywords}
    device = str(keywords.pop("device", "cpu")).replace("gpu", "cuda")
    _refuse_unknown(keywords)
    for name, value in (("output_dir", output_dir), *((n, keywords.get(n)) for n in ("lm_model", "lm_file"))):
        if value is not None and not isinstance(value, str | PathLike):
            raise OptionError(f"{name} is {value!r:.60}; give a path")
    files = read_model(resolve(model))
    defaults = {**files.card.get("decoding", {}), **{k: keywords[k] for k in _SEARCH if k in keywords}}
    mode = _mode_of(keywords.get("param_dict")) or _mode_of_pass(keywords) or defaults.get("mode") or "normal"
    options = {name: value for name, value in defaults.items() if name in _SEARCH}
    options |= _language_model(keywords, defaults, files.directory)
    options["hotwords"] = _hotwords(keywords.get("hotword") or _entry(keywords.get("param_dict"), "hotword"))
    place = None if output_dir is None else Path(output_dir)
    recogniser = load_model(files.directory, device, **runtime)
    parts = [keywords.get(name) or None for name in _PARTS]  # "" is none, too
    whole = Pipeline(recogniser, *parts, device=device, **runtime)
    list(whole.attempt([], mode, **options))  # wrong values are told now, not at the first call
    published = "decoding" in files.card  # others have never been searched by that rule
    return SpeechRecognition(whole, recogniser, mode, options, place, "reference" if published else "gated")


@dataclass(frozen=True, slots=True)
class SpeechRecognition:
    """What `pipeline` returns. It keeps no state: what one call says does not reach the next."""

    pipeline: Pipeline
    model: Uniasr
    mode: str
    options: Mapping[str, Any]
    output_dir: Path | None
    search: str
    """The rule of `DecodingOptions.search` that the model is searched by."""

    def __call__(
        self,
        audio_in: Source,
        audio_fs: int | None = None,
        recog_type: str | None = None,
        audio_format: str | None = None,
        output_dir: str | PathLike[str] | None = None,
        param_dict: Mapping[str, Any] | None = None,
        hotword: Any = None,
    ) -> Result:
        """Recognise one input, or all of a list.

        Args:
            audio_in: path, URL, bytes, numpy array or torch tensor, [1, n] as torchaudio gives them included; or the
                path of an .scp list or a directory.
            audio_fs: rate of arrays and of raw bytes; None means the model's own rate (16000, for some models 8000).
                Files state theirs, which wins.
            recog_type: not needed.
            audio_format: "pcm" for bytes that are raw 16-bit little-endian samples. Otherwise bytes with the header
                of an audio file are a file, and others are such samples.
            output_dir: write there in this call.
            param_dict: `{"decoding_model": "fast" | "normal" | "offline"}`, and `hotword` as below.
            hotword: words to listen for in this call: the path of a .txt file with a word a line (docs/hotwords.md),
                or words separated by blanks.

        Returns:
            `{"text": ...}` for one input; `[{"key": ..., "value": ...}, ...]` for a list. That list is what FunASR
            0.2.0 hands to modelscope 1.3.0, which then kept only its first text. Where nothing was said the text is
            empty; modelscope left the entry out. With a punctuation model, and from a model that writes kanji, the text
            is that of `Transcript.text`: with marks, and blanks only between words of scripts that have them.

        Without a VAD model audio longer than a minute is cut at pauses and searched segment by segment, as `uniasr
        transcribe` does: the published search ends too early there. Models that are not published ones, the packaged
        `ja` among them, are always searched so. An input of a list that cannot be read raises
        when its turn comes.

        Raises AudioError, OptionError, OutputError.
        """
        mode = _mode_of(param_dict) or self.mode
        place = self.output_dir if output_dir is None else Path(output_dir)
        options = dict(self.options)
        if words := hotword or _entry(param_dict, "hotword"):
            options["hotwords"] = _hotwords(words)
        items, several = self._inputs(audio_in, audio_fs, audio_format)
        results = []
        writer: RecognitionWriter | None = None
        try:
            for key, audio in items:
                start = time.perf_counter()
                transcript = self._recognise(audio, mode, options)
                ranked = Recognised.all_of(transcript, self.model.vocabulary.tokens)
                if self.pipeline.punctuation is not None or any(token.reading for token in transcript.tokens):
                    ranked[0] = replace(ranked[0], text=transcript.text)
                results.append({"key": key, "value": ranked[0].text})
                if place is not None:  # earlier results stay until there is one
                    writer = writer or RecognitionWriter(place, nbest=self.options.get("nbest", 1))
                    worked_s = time.perf_counter() - start
                    writer.write(key, ranked, rtf=worked_s * 1000 / max(1, transcript.duration_ms))
        finally:
            if writer is not None:
                writer.close()
        return results if several else {"text": results[0]["value"]}

    def _inputs(
        self, audio_in: Any, audio_fs: int | None, audio_format: str | None
    ) -> tuple[Iterator[tuple[str, Waveform]], bool]:
        """Keys with audio, loaded when their turn comes, and whether the caller gave a list."""
        rate = self.model.config.frontend.sample_rate_hz if audio_fs is None else audio_fs
        if isinstance(audio_in, str | PathLike):
            name = fspath(audio_in)
            named = expand([name], files=False)
            if name == named[0].source:
                return iter([(_key(named[0]), load(named[0].source))]), False
            return ((_key(item), _loaded(item)) for item in named), True
        if isinstance(audio_in, bytes | bytearray | memoryview):
            audio_in = bytes(audio_in)
            if audio_format == "pcm" or not holds_a_file(audio_in):
                audio_in = _raw_samples(audio_in)
        return iter([("utt", load(audio_in, sample_rate=rate))]), False

    def _recognise(self, audio: Waveform, mode: str, options: Mapping[str, Any]) -> Transcript:
        long = len(audio.samples) > DecodingOptions().max_segment_s * audio.sample_rate_hz
        search = "gated" if long and self.pipeline.vad is None else self.search
        return self.pipeline.transcribe(audio.samples, audio.sample_rate_hz, mode, search=search, **options)


def _key(item: NamedInput) -> str:
    """One word, as the result files need it."""
    return "_".join(item.key.split())


def _loaded(item: NamedInput) -> Waveform:
    """The audio of an entry of a list; an error says which one it is."""
    try:
        return load(item.source)
    except UniasrError as error:
        raise type(error)(f"{item.key}: {error}") from error


def _raw_samples(data: bytes) -> np.ndarray[Any, np.dtype[np.int16]]:
    if not data:
        raise AudioError("the audio in memory is empty (0 bytes)")
    return np.frombuffer(data, "<i2", count=len(data) // 2)


def _refuse_unknown(keywords: Mapping[str, Any]) -> None:
    for name, value in keywords.items():
        if name in _PART_FILES and value is not None:
            raise OptionError(f"{name} is {value!r:.80}; give the model's whole directory as {_PART_FILES[name]}")
        if name == "ctc_weight" and value:
            raise OptionError(f"{name} is {value!r:.60}; published UniASR models have no such part, leave {name} out")
        if name not in _KNOWN:
            raise OptionError(f"unknown keyword {name!r}; known are device, backend, threads, {', '.join(_KNOWN)}")


def _mode_of(param_dict: Mapping[str, Any] | None) -> str | None:
    """The mode that a param_dict names, None if it names none."""
    if param_dict is None:
        return None
    if not isinstance(param_dict, Mapping) or set(param_dict) - {"decoding_model", "hotword"}:
        raise OptionError(f"param_dict is {param_dict!r:.80}; it may hold 'decoding_model' and 'hotword' alone")
    mode = param_dict.get("decoding_model")
    if mode is not None and mode not in MODES:
        raise OptionError(f"decoding_model is {mode!r:.80}; choose one of {', '.join(MODES)}")
    return mode


def _entry(param_dict: Mapping[str, Any] | None, name: str) -> Any:
    return None if param_dict is None else param_dict.get(name)


def _hotwords(hotword: Any) -> Hotwords | None:
    """The published spellings of a list: a file with a word a line, or words separated by blanks."""
    if not isinstance(hotword, str):
        return hotword or None
    if hotword.startswith(("http://", "https://")):
        raise OptionError(f"hotword is {hotword!r:.80}; nothing is downloaded here, fetch the list and give its path")
    return Path(hotword) if hotword.endswith(".txt") else hotword.split() or None


def _language_model(keywords: Mapping[str, Any], defaults: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """Options for the language model that the caller names, or that the model's directory carries."""
    weight = keywords.get("lm_weight", defaults.get("lm_weight"))
    given = {} if weight is None else {"lm_weight": weight}
    named = keywords.get("lm_model") or keywords.get("lm_file")
    if named is not None:
        return {"lm": named if Path(fspath(named)).exists() else resolve(fspath(named)), **given}
    if not weight:
        return {}
    if not has_language_model(directory):
        raise OptionError(
            f"lm_weight is {weight!r:.60}, but {directory} carries no language model; name one (lm_model)"
        )
    return {"lm": directory, **given}


def _mode_of_pass(keywords: Mapping[str, Any]) -> str | None:
    """The mode that `decoding_mode` and `decoding_ind` mean, None if neither is given."""
    chosen = keywords.get("decoding_mode"), keywords.get("decoding_ind")
    if chosen == (None, None):
        return None
    wanted = (chosen[0] or "model2", chosen[1] or 0)
    mode = next((mode for passes, mode in MODES_OF_PASSES.items() if passes == wanted), None)
    if mode is None:
        raise OptionError(
            f"decoding_mode {chosen[0]!r:.80} with decoding_ind {chosen[1]!r} is no mode; "
            f"known are {', '.join(f'{name} with {index}' for name, index in MODES_OF_PASSES)}"
        )
    return mode
