"""Commands and their options, and the boundary where errors become sentences and exit codes."""

from __future__ import annotations

from typing import Any, NoReturn

import click

from uniasr import __version__
from uniasr.cli.data import data
from uniasr.cli.evaluate import evaluate
from uniasr.cli.finetune import finetune
from uniasr.cli.options import (
    decoding_options,
    model_options,
    part_options,
    punctuation_options,
    text_options,
)
from uniasr.cli.train import train
from uniasr.errors import AudioError, DataError, UniasrError

INPUT_FAILED, WRONG_CALL, INTERRUPTED = 1, 2, 130
_HELP = getattr(click.exceptions, "NoArgsIsHelpError", ())  # older versions of click just show the help


class Boundary(click.Group):
    """Runs a command; whatever a user can cause ends as one line on standard error."""

    def invoke(self, ctx: click.Context) -> Any:
        """Exit with 1 for unusable audio, 2 for a wrong option or model, 130 after Ctrl-C."""
        try:
            return super().invoke(ctx)
        except UniasrError as error:
            for problem in error.problems if isinstance(error, DataError) else ():
                click.echo(problem, err=True)
            complain(str(error))
            ctx.exit(INPUT_FAILED if isinstance(error, AudioError) else WRONG_CALL)
        except KeyboardInterrupt:
            complain("interrupted")
            ctx.exit(INTERRUPTED)
        except click.UsageError as error:
            _refuse(ctx, error)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Exit with 2 where an option of the command itself is wrong."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            _refuse(ctx, error)


def _refuse(ctx: click.Context, error: click.UsageError) -> NoReturn:
    """A command line that does not parse; asking for nothing at all shows the help."""
    if isinstance(error, _HELP):
        raise error
    path = error.ctx.command_path if error.ctx else f"{ctx.command_path} {ctx.invoked_subcommand or ''}".strip()
    complain(f"{error.format_message().rstrip('.')}; see {path} --help")
    ctx.exit(WRONG_CALL)


def complain(sentence: str) -> None:
    """Say what went wrong in one line on standard error."""
    click.echo(f"uniasr: {' '.join(sentence.split())}", err=True)


@click.group(cls=Boundary, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="uniasr")
def cli() -> None:
    """Speech recognition with one model for every latency.

    Exit codes: 0 all is done; 1 some input failed, the others are done; 2 a wrong option or model; 130 interrupted.
    """


@cli.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@model_options("the packaged Japanese model")
@decoding_options("offline")
@part_options
@click.option(
    "--merge",
    type=float,
    default=0.0,
    show_default=True,
    metavar="S",
    help="Join stretches of speech while they last at most this long.",
)
@click.option("--nbest", type=int, default=1, show_default=True, metavar="N", help="Hypotheses kept (json, layout).")
@click.option("--channel", type=int, metavar="N", help="Channel to take, from 0.  [default: the mix of all]")
@click.option(
    "--format",
    "fmt",
    metavar="txt|json|srt|vtt|ass|tsv|textgrid",
    help="Form of the results.  [default: txt; the recognition layout for one .scp with --output-dir]",
)
@click.option("--output-dir", metavar="DIR", help="Write one file KEY.FORMAT per input there.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run; needs --output-dir.")
@click.option(
    "--max-line-chars", type=int, metavar="N", help="Subtitles: full-width characters of a line.  [default: 16]"
)
@click.option("--max-cue-s", type=float, metavar="S", help="Subtitles: longest time on the screen.  [default: 7]")
@click.option("--max-cps", type=float, metavar="N", help="Subtitles: full-width characters a second.  [default: 7]")
def transcribe(inputs: tuple[str, ...], **options: Any) -> None:
    """Recognise recordings.

    INPUT is a file, a URL, a directory (all audio in it), a pattern like '*.wav', a list FILE.scp with lines
    `key path`, or - for a file on standard input.

    \b
    On standard output, a single file or URL gives
      txt            its text, a line per segment
      json           an object with segments, tokens, times, confidences
      srt, vtt, ass  subtitles
      tsv            a line `start_ms end_ms text` per segment, after a header
      textgrid       intervals of segments and tokens for Praat
    and several inputs (a directory, pattern or list counts as such)
      txt            a line `key<TAB>text` each
      json           an object with "key" on a line of its own each
      tsv            one table with a first column `key`
      the others     each file after a line like `==> key.srt <==`

    With --output-dir each input becomes DIR/KEY.FORMAT, whole or not at all. One FILE.scp with --output-dir and no
    --format gives DIR/1best_recog/{text,score,time_stamp,rtf,token} (2best_recog and so on with --nbest), written
    line by line as results come; rtf is the time worked so far divided by the audio done so far.

    With --resume, inputs whose file is there are left alone, with whatever options it was made, and others go on where
    an interrupted run with the same options stopped.

    An input that fails is named on standard error and does not stop the others.
    """  # noqa: D301 - \b is click's mark for lines that must not be filled
    from uniasr.cli.transcribe import Request, run

    if not run(Request(inputs=inputs, **options)):
        click.get_current_context().exit(INPUT_FAILED)


@cli.command()
@click.argument("source", required=False, metavar="[FILE|-]")
@model_options("the packaged Japanese model")
@decoding_options("normal")
@part_options
@click.option(
    "--endpoint",
    is_flag=True,
    help="End a text after 1.2 s of silence (5 s before any speech) or 20 s in all; then --vad auto is none.",
)
@click.option(
    "--refresh-ms", type=int, metavar="MS", help="Normal mode: least time between two corrections.  [default: none]"
)
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
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@model_options("the packaged detector")
@click.option(
    "--max-end-silence",
    type=int,
    metavar="MS",
    help="Silence that ends a segment, in milliseconds.  [default: the model's]",
)
@click.option(
    "--profile",
    default="classic",
    show_default=True,
    metavar="classic|dynamic",
    help="dynamic: the longer a segment has been open, the less silence ends it.",
)
@click.option("--channel", type=int, metavar="N", help="Channel to take, from 0.  [default: the mix of all]")
def vad(inputs: tuple[str, ...], **options: Any) -> None:
    """Find speech in recordings.

    INPUT is what `uniasr transcribe` takes: a file, a URL, a directory, a pattern, a list FILE.scp, or -.

    \b
    A single file or URL gives
      start_ms<TAB>end_ms        a line per stretch of speech, once it has ended
    and several inputs (a directory, pattern or list counts as such)
      key<TAB>start_ms<TAB>end_ms

    An input that fails is named on standard error and does not stop the others.
    """  # noqa: D301 - \b is click's mark for lines that must not be filled
    from uniasr.cli.vad import Request, run

    if not run(Request(inputs=inputs, **options)):
        click.get_current_context().exit(INPUT_FAILED)


@cli.command()
@click.argument("texts", nargs=-1, metavar="[TEXT...]")
@punctuation_options
@click.option("--live", is_flag=True, help="Write each line at once; a line goes on where the one before has stopped.")
def punctuate(texts: tuple[str, ...], **options: Any) -> None:
    """Put punctuation marks into TEXT, or into the lines of standard input without TEXT.

    Each TEXT or line gives a line. With --live the lines are pieces of one text that comes bit by bit: a mark that is
    found only with the next line begins that line, and the last full stop comes at the end of the input.
    """
    from uniasr.cli.punctuate import Request, run

    run(Request(texts=texts, **options))


@cli.command()
@click.option("--download", metavar="NAME", help="Fetch a model with a hub's client instead, and print its directory.")
def models(download: str | None) -> None:
    """List the models on this machine, and those published for UniASR.

    Nothing is downloaded without --download, which needs `uniasr[modelscope]` or `uniasr[hf]`; UNIASR_OFFLINE=1 and
    HF_HUB_OFFLINE=1 forbid it. Every command then knows the model by its name.
    """
    from uniasr.cli.models import fetch, run

    run() if download is None else fetch(download)


@cli.command()
@click.argument("model")
@click.option("--output", required=True, metavar="DIR", help="Directory to write; a model of ours there is replaced.")
@click.option(
    "--weights",
    type=click.Choice(["float32", "int8", "packed"]),
    default="float32",
    show_default=True,
    help="How the graphs store weights; int8 takes a quarter of the space, packed a fifth; arithmetic is float32.",
)
def export(model: str, output: str, weights: str) -> None:
    """Make the onnxruntime directory of MODEL, a checkpoint with PyTorch weights.

    Needs `uniasr[export]`. The directory that it writes runs without PyTorch.
    """
    from uniasr.cli.export import run

    run(model, output, weights)


@cli.command()
@click.argument("texts", nargs=-1, metavar="[TEXT...]")
@text_options
def itn(texts: tuple[str, ...], **options: Any) -> None:
    """Write numbers, dates, units and so on with digits and symbols.

    Converts each TEXT, or each line of standard input without one. ja and ko need nothing more, en and zh
    `uniasr[itn]`, and de, es, fr, id, pt, ru, tl, vi `uniasr[itn-more]`.
    """
    from uniasr.cli.normalize import Request, run

    run("itn", Request(texts=texts, **options))


@cli.command()
@click.argument("texts", nargs=-1, metavar="[TEXT...]")
@text_options
def tn(texts: tuple[str, ...], **options: Any) -> None:
    """Write digits and symbols as they are spoken.

    Converts each TEXT, or each line of standard input without one. ja needs nothing more, zh `uniasr[itn]`, and de,
    en, es `uniasr[itn-more]`.
    """
    from uniasr.cli.normalize import Request, run

    run("tn", Request(texts=texts, **options))


for command in (data, finetune, train, evaluate):
    cli.add_command(command)
