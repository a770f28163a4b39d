"""Drives ja_synth.py with neural voices that no training here has heard, for `evaluate.py --unseen`.

    python unseen.py voice JA_SYNTH.py --text ja_text/dev.tsv.xz --engine kokoro ... --out synth/unseen-voice
    python unseen.py timbres JA_SYNTH.py ... --kokoro-extra kokoro-js/voices --extra-share 1 --out synth/unseen-timbres

voice: jf_tebukuro, the fifth Japanese voice of Kokoro-82M, which the script leaves out. timbres: eight voices of other
languages that it leaves out too, with the timing of the Japanese ones.
"""

import sys
from pathlib import Path

HELD_OUT = ["af_nicole", "am_onyx", "am_santa", "bf_lily", "em_santa", "pm_santa", "zf_xiaoyi", "zm_yunyang"]


def main() -> None:
    """Run the script with its lists of voices exchanged."""
    kind, script, *arguments = sys.argv[1:]
    sys.path.insert(0, str(Path(script).parent))  # its worker processes look there, too
    import ja_synth

    if kind == "voice":
        ja_synth.KOKORO, ja_synth.EXTRA = ("jf_tebukuro",), []
    else:
        ja_synth.EXTRA = HELD_OUT
    sys.exit(ja_synth.main(arguments))


if __name__ == "__main__":
    main()
