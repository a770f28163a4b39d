"""Recordings in, transcripts out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from uniasr import __version__
from uniasr.audio.inputs import NamedInput, expand, several
from uniasr.checkpoints.stamps import stamp_of
from uniasr.cli.journal import Journal, fingerprint, journal_name
from uniasr.cli.parts import AUTO, NONE, PartRequest, open_pipeline
from uniasr.cli.progress import watched
from uniasr.cli.sinks import DirectorySink, LayoutSink, Sink, StdoutSink
from uniasr.errors import OptionError, UniasrError
from uniasr.formats import FORMATS, SUBTITLES, CueRules
from uniasr.pipeline import Memory, Pipeline
from uniasr.recognizers.uniasr import Uniasr


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(PartRequest):
    """What the command line asks for."""

    inputs: tuple[str, ...]
    nbest: int
    channel: int | None
    merge: float
    fmt: str | None
    output_dir: str | None
    resume: bool
    max_line_chars: int | None
    max_cue_s: float | None
    max_cps: float | None

    @property
    def call(self) -> dict[str, Any]:
        """The arguments of `Pipeline.attempt`."""
        own = {"mode": self.mode, "latency": self.latency, "nbest": self.nbest, "channel": self.channel}
        if self.layout:
            own["output"] = "kana"  # its token files hold what the vocabulary has
        return {**self.options, **own, "merge_s": self.merge}

    @property
    def layout(self) -> bool:
        """Whether results go into the published system's result directory."""
        one_list = len(self.inputs) == 1 and self.inputs[0].endswith(".scp")
        return self.output_dir is not None and self.fmt is None and one_list

    @property
    def rules(self) -> CueRules:
        """The limits of subtitles. Raises OptionError for limits without subtitles, or that make no sense."""
        given: dict[str, Any] = {"max_line_chars": self.max_line_chars, "max_cps": self.max_cps}
        if self.max_cue_s is not None:
            least = CueRules().min_ms
            if not least <= self.max_cue_s * 1000 < float("inf"):
                raise OptionError(f"--max-cue-s is {self.max_cue_s}; give seconds from {least / 1000} on")
            given["max_ms"] = int(self.max_cue_s * 1000)
        given = {name: value for name, value in given.items() if value is not None}
        if given and self.fmt not in SUBTITLES:
            raise OptionError(
                "--max-line-chars, --max-cue-s and --max-cps are limits of subtitles; "
                f"add --format with one of {', '.join(SUBTITLES)}"
            )
        return CueRules(**given)


def run(request: Request) -> bool:
    """Recognise all inputs; False when one of them failed. Wrong options raise before any work."""
    if request.fmt is not None and request.fmt not in FORMATS:
        raise OptionError(f"format {request.fmt!r:.80} is unknown; choose one of {', '.join(FORMATS)}")
    files = request.output_dir is not None and not request.layout
    rules, named = request.rules, expand(request.inputs, files=files)
    _check_parts(request)
    _check_names(request, named)
    pipeline, model = open_pipeline(request, bare=request.layout)
    call = request.call
    list(pipeline.attempt([], **call))  # no audio, only the options are looked at
    with _sink(request, rules, named, model) as sink:
        accounts = Accounts(request, pipeline, model, call)
        waiting = [item for item in named if not accounts.finished(item)]
        with watched(waiting) as (sources, bar):
            outcomes = pipeline.attempt(sources, memory=lambda number: accounts.open(waiting[number]), **call)
            all_done = True
            for item, outcome in zip(waiting, outcomes, strict=True):
                with bar.hidden():
                    try:
                        if isinstance(outcome, UniasrError):
                            raise outcome
                        sink.write(item.key, outcome)
                        accounts.close(item, done=True)
                    except UniasrError as error:
                        all_done = False
                        click.echo(f"{item.key}: {' '.join(str(error).split())}", err=True)
                        accounts.close(item, done=False)
                bar.done()
    return all_done


def _check_parts(request: Request) -> None:
    if request.output_dir == "":
        raise OptionError("--output-dir is empty; name a directory, '.' for the one you are in")
    changed = request.punctuation not in (AUTO, NONE) or request.itn != NONE or request.output_script == "written"
    if request.layout and changed:
        raise OptionError("the result directory holds bare tokens; choose a --format for marks, numbers and kanji")
    if request.resume and (request.output_dir is None or request.layout):
        raise OptionError("--resume needs --output-dir and a --format, whose finished files tell what is left to do")


def _check_names(request: Request, named: Sequence[NamedInput]) -> None:
    """Which of two inputs of one name an earlier run has done, nobody can tell."""
    if request.resume and (second := next((item for item in named if not item.alone), None)):
        raise OptionError(
            f"{second.source!s:.200} has the name of another input; with --resume every input needs one of its own: "
            "rename it, or list the inputs with keys in an .scp file"
        )


class Accounts:
    """The journals of a run that writes a file per input; where nothing could be resumed it keeps none."""

    def __init__(self, request: Request, pipeline: Pipeline, model: Uniasr, call: dict[str, Any]) -> None:
        self._request = request
        self._keeps = request.output_dir is not None and not request.layout
        detector = None if pipeline.vad is None else pipeline.vad.directory
        stamps = [place and stamp_of(place) for place in (model.directory, detector, *_named_parts(call))]
        self._facts = [__version__, *stamps, request.backend, call]
        """What results depend on, but the input."""
        self._open: dict[str, Journal] = {}

    def finished(self, item: NamedInput) -> bool:
        """Whether an earlier run has written this input's result, and the input has not changed since."""
        result = self._path(f"{item.key}.{self._request.fmt or 'txt'}")
        return self._request.resume and result.exists() and not _newer(item.source, result)

    def open(self, item: NamedInput) -> Memory | None:
        """What is remembered of an input."""
        if not self._keeps:
            return None
        about = fingerprint(_stamp(item.source), *self._facts)
        path = self._path(journal_name(item.key))
        self._open[item.key] = Journal(path, about, resume=self._request.resume)
        return self._open[item.key]

    def close(self, item: NamedInput, *, done: bool) -> None:
        """Nothing more will come of the input; `done`: its result is there."""
        if item.key in self._open:
            self._open.pop(item.key).close(done=done)

    def _path(self, name: str) -> Path:
        return Path(self._request.output_dir or ".") / name


def _stamp(source: str | bytes) -> list[Any]:
    """What tells whether an input or a file of a model is still the same."""
    if isinstance(source, bytes):
        return [hashlib.sha256(source).hexdigest()]
    try:
        status = Path(source).stat()
    except (OSError, ValueError):
        return [source]  # a URL, or no file
    return [source, status.st_size, status.st_mtime_ns]


def _newer(source: str | bytes, result: Path) -> bool:
    try:
        return not isinstance(source, bytes) and Path(source).stat().st_mtime_ns > result.stat().st_mtime_ns
    except (OSError, ValueError):
        return False  # a URL, or no file


def _named_parts(call: dict[str, Any]) -> Iterator[Path]:
    """The language model and the converter that a call names by their paths."""
    for name in (call.get("lm"), call.get("converter")):
        if name and Path(name).expanduser().exists():
            yield Path(name).expanduser()


def _sink(request: Request, rules: CueRules, named: Sequence[NamedInput], model: Uniasr) -> Sink:
    if request.output_dir is None:
        return StdoutSink(request.fmt or "txt", rules, several=several(request.inputs, named))
    directory = Path(request.output_dir)
    if request.layout:
        return LayoutSink(directory, model.vocabulary.tokens, nbest=request.nbest)
    return DirectorySink(directory, request.fmt or "txt", rules)
