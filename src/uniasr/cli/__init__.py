"""The command `uniasr`: words of a command line become calls of the public interface, results become text.

app         the commands, and the one place where errors become sentences     options  what several commands share
parts       the pipeline that is asked for
transcribe  recordings to texts     sinks     where transcripts go     progress  the bar     journal  resuming
stream      live recognition        packets   where packets come from  live      how events are shown
vad         where speech is
models      which models there are  export    the onnxruntime directory of a checkpoint
data        checking, preparing     finetune, train, evaluate      training    what these share
punctuate   marks for texts         normalize numbers for texts, and back

Nothing that takes long to import is imported before it is needed.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process and exit."""
    from uniasr.cli.app import cli

    cli(prog_name="uniasr")
