"""The recognition script of the published UniASR cards, with the imports of this package.

python infer.py AUDIO.wav|wav.scp [--model MODEL] [--output-dir DIR] [--mode normal]
"""

from __future__ import annotations

import argparse

from uniasr.compat.modelscope import Tasks, pipeline

MODEL = "damo/speech_UniASR_asr_2pass-ja-16k-common-vocab93-tensorflow1-online"


def main() -> None:
    """Recognise and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio_in")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--output-dir")
    parser.add_argument("--mode", default="normal", choices=["fast", "normal", "offline"])
    options = parser.parse_args()
    inference_pipeline = pipeline(
        task=Tasks.auto_speech_recognition, model=options.model, output_dir=options.output_dir
    )
    print(inference_pipeline(audio_in=options.audio_in, param_dict={"decoding_model": options.mode}))


if __name__ == "__main__":
    main()
