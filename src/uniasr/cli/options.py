"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import click

Option: TypeAlias = Callable[[Any], Any]
"""What `click.option` gives: it decorates a command."""


def option_group(*options: Option) -> Option:
    """Options that go together; `--help` lists them in this order."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


runtime_options = option_group(
    click.option("--device", default="cpu", show_default=True, metavar="cpu|cuda", help="Where the model runs."),
    click.option(
        "--backend",
        default="auto",
        show_default=True,
        metavar="auto|onnxruntime|torch",
        help="What runs the model; auto takes onnxruntime where the model has graphs for it.",
    ),
    click.option("--threads", type=int, metavar="N", help="Threads of the runtime.  [default: all cores]"),
)
"""What runs a model."""

punctuation_options = option_group(
    runtime_options,
    click.option(
        "--model",
        metavar="MODEL",
        help="The directory or name of a punctuation model.  [default: the packaged Japanese one]",
    ),
    click.option(
        "--style",
        metavar="published|plain",
        help="How Latin words are written: as the published system does, or as they are.  [default: the model's]",
    ),
)
"""Which punctuation model, what runs it, and how it writes."""

text_options = option_group(
    click.option("--language", default="ja", show_default=True, metavar="CODE", help="Language of the text."),
    click.option(
        "--whitelist",
        metavar="FILE",
        help="Phrases that you decide about: lines `phrase<TAB>text`, or `phrase` alone where it stays.",
    ),
    click.option("--spans", is_flag=True, help="Print JSON with the source span of every output span."),
)
"""Which language, and how a text is converted."""

part_options = option_group(
    click.option(
        "--vad",
        default="auto",
        show_default=True,
        metavar="MODEL|auto|none",
        help="Finds speech; auto takes what the recogniser's yaml names.",
    ),
    click.option(
        "--punctuation",
        default="auto",
        show_default=True,
        metavar="MODEL|auto|none",
        help="Puts marks; auto takes what the recogniser's yaml names.",
    ),
    click.option(
        "--itn",
        default="none",
        show_default=True,
        metavar="LANGUAGE|none",
        help="Language in which numbers get digits.",
    ),
    click.option("--max-segment", type=float, metavar="S", help="Longer segments are cut.  [default: 60]"),
    click.option(
        "--max-end-silence", type=int, metavar="MS", help="Silence that ends a stretch of speech.  [default: 800]"
    ),
)
"""What stands around the recogniser; "auto" takes what the model's yaml names."""


def model_options(default: str) -> Option:
    """Which model, and what runs it; `default` says which one is taken if none is named."""
    return option_group(
        click.option(
            "--model",
            metavar="MODEL",
            help=f"A model directory, or a name that `uniasr models` lists.  [default: {default}]",
        ),
        runtime_options,
    )


def decoding_options(default_mode: str) -> Option:
    """How a call decodes; the library checks the values."""
    return option_group(
        click.option(
            "--mode",
            default=default_mode,
            show_default=True,
            metavar="fast|normal|offline",
            help="fast: first pass only; normal: the second pass corrects it; offline: second pass, large chunks.",
        ),
        click.option(
            "--latency",
            metavar="INDEX|TIME",
            help="Index of a trained latency, or the longest delay allowed, like 900ms.  [default: the model's]",
        ),
        click.option("--beam-size", type=int, metavar="N", help="1 is greedy search.  [default: the model's]"),
        click.option(
            "--search",
            default="gated",
            show_default=True,
            metavar="gated|reference",
            help="When a hypothesis may end; reference does as the published system does.",
        ),
        click.option(
            "--hotwords",
            metavar="FILE|WORDS",
            help="Words to listen for: a file with lines `word reading weight`, or words separated by commas.",
        ),
        click.option(
            "--lm",
            metavar="PATH|none",
            help="A language model: a directory, an .arpa file or one of KenLM.  [default: the model's]",
        ),
        click.option(
            "--lm-weight",
            type=float,
            metavar="W",
            help="Of the language model's log-probabilities.  [default: the model's]",
        ),
        click.option(
            "--output-script",
            metavar="kana|written",
            help="What a recogniser of kana writes: kana, or kanji and kana.  [default: the model's]",
        ),
        click.option(
            "--converter",
            metavar="NAME|none",
            help="Writes kana as kanji, and judges which hypothesis makes sense.  [default: the model's]",
        ),
    )
