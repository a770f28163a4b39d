"""Commands and their options, and the boundary where errors become sentences and exit codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from uniasr import __version__
from uniasr.errors import AudioError, UniasrError

INPUT_FAILED, WRONG_CALL, INTERRUPTED = 1, 2, 130

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Boundary(click.Group):
    """Runs a command; whatever a user can cause ends as one line on standard error."""

    def invoke(self, ctx: click.Context) -> Any:
        """Exit with 1 for unusable audio, 2 for a wrong option or model, 130 after Ctrl-C."""
        try:
            return super().invoke(ctx)
        except UniasrError as error:
            complain(str(error))
            ctx.exit(INPUT_FAILED if isinstance(error, AudioError) else WRONG_CALL)
        except KeyboardInterrupt:
            complain("interrupted")
            ctx.exit(INTERRUPTED)


def complain(sentence: str) -> None:
    """Say what went wrong in one line on standard error."""
    click.echo(f"uniasr: {' '.join(sentence.split())}", err=True)


def model_options(command: _Command) -> _Command:
    """Which model, and what runs it."""
    for option in (
        click.option("--threads", type=int, metavar="N", help="Threads of the runtime.  [default: all cores]"),
        click.option(
            "--backend",
            default="auto",
            show_default=True,
            metavar="auto|onnxruntime|torch",
            help="What runs the model; auto takes onnxruntime where the model has graphs for it.",
        ),
        click.option("--device", default="cpu", show_default=True, metavar="cpu|cuda", help="Where the model runs."),
        click.option(
            "--model",
            metavar="MODEL",
            help="A model directory, or a name that `uniasr models` lists.  [default: the packaged Japanese model]",
        ),
    ):
        command = option(command)
    return command


def decoding_options(default_mode: str) -> Callable[[_Command], _Command]:
    """How a call decodes; the library checks the values."""

    def decorate(command: _Command) -> _Command:
        for option in (
            click.option(
                "--lm-weight",
                type=float,
                default=0.3,
                show_default=True,
                metavar="W",
                help="Of the language model's log-probabilities.",
            ),
            click.option("--lm", metavar="PATH", help="A language model: an .arpa file or a directory."),
            click.option(
                "--hotwords",
                metavar="FILE|WORDS",
                help="Words to listen for: a file with lines `word reading weight`, or words separated by commas.",
            ),
            click.option(
                "--search",
                default="gated",
                show_default=True,
                metavar="gated|reference",
                help="When a hypothesis may end; reference does as the published system does.",
            ),
            click.option(
                "--beam-size", type=int, default=5, show_default=True, metavar="N", help="1 is greedy search."
            ),
            click.option(
                "--latency",
                metavar="INDEX|TIME",
                help="Index of a trained latency, or the longest delay allowed, like 900ms.  [default: the model's]",
            ),
            click.option(
                "--mode",
                default=default_mode,
                show_default=True,
                metavar="fast|normal|offline",
                help="fast: first pass only; normal: second pass with small chunks; offline: best accuracy.",
            ),
        ):
            command = option(command)
        return command

    return decorate


@click.group(cls=Boundary, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="uniasr")
def cli() -> None:
    """Speech recognition with one model for every latency.

    Exit codes: 0 all is done; 1 some input failed, the others are done; 2 a wrong option or model; 130 interrupted.
    """


@cli.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@model_options
@decoding_options("offline")
@click.option("--nbest", type=int, default=1, show_default=True, metavar="N", help="Hypotheses kept (json, layout).")
@click.option("--channel", type=int, metavar="N", help="Channel to take, from 0.  [default: the mix of all]")
@click.option(
    "--format",
    "fmt",
    metavar="txt|json|srt|vtt|tsv",
    help="Form of the results.  [default: txt; the recognition layout for one .scp with --output-dir]",
)
@click.option("--output-dir", metavar="DIR", help="Write one file KEY.FORMAT per input there.")
def transcribe(inputs: tuple[str, ...], **options: Any) -> None:
    """Recognise recordings.

    INPUT is a file, a URL, a directory (all audio in it), a pattern like '*.wav', a list FILE.scp with lines
    `key path`, or - for a file on standard input.

    \b
    On standard output, a single file or URL gives
      txt        its text, a line per segment
      json       an object with segments, tokens, times, confidences
      srt, vtt   subtitles
      tsv        a line `start_ms end_ms text` per segment, after a header
    and several inputs (a directory, pattern or list counts as such)
      txt        a line `key<TAB>text` each
      json       an object with "key" on a line of its own each
      srt, vtt   each file after a line `==> key.srt <==`
      tsv        one table with a first column `key`

    With --output-dir each input becomes DIR/KEY.FORMAT, whole or not at all. One FILE.scp with --output-dir and no
    --format gives DIR/1best_recog/{text,score,time_stamp,rtf,token} (2best_recog and so on with --nbest), written
    line by line as results come; rtf is the time worked so far divided by the audio done so far.

    An input that fails is named on standard error and does not stop the others.
    """  # noqa: D301 - \b is click's mark for lines that must not be filled
    from uniasr.cli.transcribe import Request, run

    if not run(Request(inputs=inputs, **options)):
        click.get_current_context().exit(INPUT_FAILED)


@cli.command()
@click.argument("source", required=False, metavar="[FILE|-]")
@model_options
@decoding_options("normal")
@click.option("--realtime", is_flag=True, help="Feed the audio at the pace of speech.")
@click.option(
    "--sample-rate",
    type=int,
    default=16_000,
    show_default=True,
    metavar="HZ",
    help="Of raw samples on standard input, and of the microphone.",
)
@click.option("--channels", type=int, default=1, show_default=True, metavar="N", help="Of the same; they are mixed.")
@click.option("--packet-ms", type=int, default=100, show_default=True, metavar="MS", help="Audio fed at a time.")
def stream(source: str | None, **options: Any) -> None:
    """Recognise while the audio comes.

    Reads a FILE (or URL), raw 16-bit little-endian samples or a wav from standard input (-), or the microphone
    without FILE (needs `uniasr[mic]`; Ctrl-C ends the recording).

    On a terminal the text is redrawn as it grows: what never changes again in normal type, the rest dim; a line with
    times remains when a segment is complete. Otherwise each event is a line, written at once:

    \b
      partial|refresh|final <TAB> end of the audio covered, in ms <TAB> text of the segment
    """  # noqa: D301 - \b is click's mark for lines that must not be filled
    from uniasr.cli.stream import Request, run

    run(Request(source=source, **options))


@cli.command()
def models() -> None:
    """List the models on this machine, and those published for UniASR."""
    from uniasr.cli.models import run

    run()


@cli.command()
@click.argument("model")
@click.option("--output", required=True, metavar="DIR", help="Directory to write; a model of ours there is replaced.")
@click.option(
    "--weights",
    type=click.Choice(["float32", "int8"]),
    default="float32",
    show_default=True,
    help="How the graphs store weights; int8 takes a quarter of the space, arithmetic is float32 in both.",
)
def export(model: str, output: str, weights: str) -> None:
    """Make the onnxruntime directory of MODEL, a checkpoint with PyTorch weights.

    Needs `uniasr[export]`. The directory that it writes runs without PyTorch.
    """
    from uniasr.cli.export import run

    run(model, output, weights)
