"""From clean synthetic sentences to calls: a telephone line, other callers behind; 50 to learn from, 40 held back.

    python prepare.py --speech synth --out .

The folder of speech holds `shard-00000.zip` and a table beside it (columns `file` and `text`) of the sentences of
`texts.py`; the last 40 of them are only heard in the background.
"""

from __future__ import annotations

import argparse
import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import soundfile
import soxr

RATE, CLEAN_RATE = 8_000, 16_000
PARTS = {"train": range(50), "dev": range(50, 90)}
OTHERS = (90, 130)
READINGS = {
    "電話番号は、": "デンワバンゴーワ",
    "です。": "デス",
    "折り返しは、": "オリカエシワ",
    "までお願いします。": "マデオネガイシマス",
    "郵便番号は、": "ユービンバンゴーワ",
    "注文番号は、": "チューモンバンゴーワ",
    "ご予約番号を申し上げます、": "ゴヨヤクバンゴーオモーシアゲマス",
    "会員番号、": "カイインバンゴー",
    "の者です。": "ノモノデス",
    "で、登録してあります。": "デトーロクシテアリマス",
    "製品の型番が、": "セーヒンノカタバンガ",
    "なんですが。": "ナンデスガ",
    "下八桁は、": "シモハチケタワ",
    "に、送ってください。": "ニオクッテクダサイ",
}


def reading(text: str) -> str:
    """Pronunciation katakana of a sentence."""
    for part in sorted(READINGS, key=len, reverse=True):
        text = text.replace(part, READINGS[part])
    return text.replace("の、", "ノ").replace("、", "").replace("。", "")


def telephone(samples: np.ndarray) -> np.ndarray:
    """300 to 3400 Hz at 8 kHz."""
    samples = soxr.resample(samples, CLEAN_RATE, RATE)
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    return np.fft.irfft(spectrum, len(samples))


def mu_law(samples: np.ndarray) -> np.ndarray:
    """What 8 bits of G.711 leave."""
    coded = np.round(np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256) * 127) / 127
    return np.sign(coded) * (256 ** np.abs(coded) - 1) / 255


def call(samples: np.ndarray, others: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """One caller above the voices of six others, 8 to 18 dB."""
    samples = telephone(samples)
    babble = sum(
        np.resize(soxr.resample(others[i], CLEAN_RATE, RATE), len(samples)) for i in random.integers(0, len(others), 6)
    )
    level_db = random.uniform(8, 18)
    samples = samples / np.sqrt(np.mean(samples**2))
    samples = samples + babble / np.sqrt(np.mean(babble**2)) * 10 ** (-level_db / 20)
    return mu_law(0.5 * samples / np.abs(samples).max()).astype(np.float32)


def main() -> None:
    """Write both parts in the layout that `uniasr finetune` reads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with (options.speech / "shard-00000.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    with zipfile.ZipFile(options.speech / "shard-00000.zip") as archive:
        clean = [soundfile.read(io.BytesIO(archive.read(row["file"])), dtype="float32")[0] for row in rows]
    random = np.random.default_rng(3)
    for part, items in PARTS.items():
        (options.out / part / "audio").mkdir(parents=True, exist_ok=True)
        keys = [f"{part}{i:03d}" for i in items]
        for key, i in zip(keys, items, strict=True):
            path = options.out / part / "audio" / f"{key}.opus"
            samples = call(clean[i], clean[slice(*OTHERS)], random)
            soundfile.write(path, samples, RATE, format="OGG", subtype="OPUS", compression_level=0.9)
        texts = [reading(rows[i]["text"]) for i in items]
        (options.out / part / "wav.scp").write_text("".join(f"{key} audio/{key}.opus\n" for key in keys))
        pairs = zip(keys, texts, strict=True)
        (options.out / part / "text").write_text("".join(f"{key} {text}\n" for key, text in pairs), encoding="utf-8")


if __name__ == "__main__":
    main()
