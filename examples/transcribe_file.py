"""Text of recordings, and every token with its time and confidence.

python examples/transcribe_file.py speech.wav [more.wav ...]
"""

# ruff: noqa: T201
import sys

import uniasr


def main(paths: list[str]) -> int:
    """Transcribe each path; 1 if one of them could not be."""
    model = uniasr.load_model()
    failed = 0
    for path in paths:
        try:
            result = model.transcribe(path)
        except uniasr.UniasrError as error:
            print(error, file=sys.stderr)
            failed = 1
            continue
        print(path, result.text)
        for token in result.tokens:
            print(f"  {token.start_ms:6} - {token.end_ms:6} ms  {token.confidence:4.2f}  {token.text}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
