"""Fine-tuning through ModelScope's calls, as the cards of the published UniASR models show them.

    from uniasr.compat.modelscope import MsDataset, Trainers, build_trainer

    trainer = build_trainer(Trainers.speech_asr_trainer, default_args={
        "model": "damo/speech_UniASR_asr_2pass-ja-...", "data_dir": MsDataset.load("./example_data/"),
        "dataset_type": "small", "work_dir": "./checkpoint", "batch_bins": 16000, "max_epoch": 50, "lr": 0.00005})
    trainer.train()

Sources: modelscope 1.3.0 modelscope/trainers/audio/asr_trainer.py; FunASR 0.2.0 funasr/datasets/ms_dataset.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from uniasr.errors import DataError, MissingExtraError, ModelNotFoundError, OptionError, OutputError

if TYPE_CHECKING:
    from uniasr.training.data.prepare import DataOptions
    from uniasr.training.fitting import RunOptions

SPLITS = {"train": "train", "validation": "dev"}
"""Parts of a hub's data set, and the folders that they become."""

_NEUTRAL = ("seed_everything", "train_configs", "cfg_file", "model_revision")


class Trainers:
    """Names of trainers, as `modelscope.metainfo.Trainers` has them."""

    speech_asr_trainer = "speech-asr-trainer"


@dataclass(frozen=True, slots=True)
class HubData:
    """A data set of a hub: rows of its parts, which become folders when training begins."""

    name: str
    splits: Mapping[str, Iterable[Mapping[str, Any]]]

    def write(self, directory: Path) -> Path:
        """The folder in the published form, written once."""
        for split, rows in self.splits.items():
            place = directory / SPLITS[split]
            if not (place / "text").is_file():
                _write_split(place, rows, f"{self.name}, {split}")
        return directory


Data: TypeAlias = str | PathLike[str] | HubData


class MsDataset:
    """Where data comes from, as `MsDataset` of FunASR 0.2.0 (a folder) and of modelscope (a name) has it."""

    @staticmethod
    def load(
        data_dir: str | PathLike[str] | None = None,
        dataset_name: str | None = None,
        namespace: str = "modelscope",
        **keywords: Any,
    ) -> Data:
        """A folder with `train` and `dev` (or `validation`), or a data set of the hub through its client.

        Raises ModelNotFoundError for a folder that does not exist, MissingExtraError without the client.
        """
        if (data_dir is None) == (dataset_name is None):
            raise OptionError("MsDataset.load takes either a folder or dataset_name with namespace")
        if data_dir is not None:
            if not Path(data_dir).is_dir():
                raise ModelNotFoundError(f"{fspath(data_dir)} is no folder; data of the hub needs dataset_name=...")
            return data_dir
        return _load_from_hub(str(dataset_name), namespace, keywords)


def build_trainer(name: str = Trainers.speech_asr_trainer, default_args: Mapping[str, Any] | None = None) -> Trainer:
    """A trainer that fine-tunes a model.

    Args:
        name: "speech-asr-trainer".
        default_args: `model` (name or directory), `data_dir` (a folder, or what `MsDataset.load` gives), `work_dir`
            (where the new model is written, default ./work_dir), `dataset_type` ("small" or "large"), `batch_bins`,
            `max_epoch`, `lr`, `distributed` (True asks for a start by `torch.distributed.launch` or `torchrun`);
            beyond the published ones `device` (default: the GPU if there is one), `unknown`, `spoil` and every field
            of `uniasr.training.fitting.RunOptions` and `uniasr.training.data.prepare.DataOptions`.

    Raises OptionError for another trainer and for unknown keywords; MissingExtraError without the extra `train`.
    """
    if name != Trainers.speech_asr_trainer:
        raise OptionError(f"trainer is {name!r:.80}; there is {Trainers.speech_asr_trainer!r:.80}")
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("training needs PyTorch: pip install 'uniasr[train]'") from error
    from uniasr.training.data.prepare import DataOptions
    from uniasr.training.fitting import RunOptions

    given = {key: value for key, value in (default_args or {}).items() if key not in _NEUTRAL}
    run = {field.name: given.pop(field.name) for field in fields(RunOptions) if given.get(field.name) is not None}
    reading = {field.name: given.pop(field.name) for field in fields(DataOptions) if given.get(field.name) is not None}
    if "seed" in run:
        reading["seed"] = run["seed"]
    data = given.pop("data_dir", None)
    if data is None:
        raise OptionError("data_dir is missing; give a folder or what MsDataset.load returns")
    default = "cuda" if torch.cuda.is_available() else "cpu"
    trainer = Trainer(
        model=given.pop("model", None),
        data=data,
        work_dir=Path(given.pop("work_dir", None) or "./work_dir"),
        run=RunOptions(**run),
        reading=DataOptions(**reading),
        device=str(given.pop("device", None) or default),
    )
    _check_launch(bool(given.pop("distributed", False)))
    if unknown := [key for key, value in given.items() if value is not None]:
        raise OptionError(f"unknown keywords {', '.join(unknown)}; see build_trainer for those that are known")
    return trainer


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """What `build_trainer` returns."""

    model: str | PathLike[str] | None
    data: Data
    work_dir: Path
    run: RunOptions
    reading: DataOptions
    device: str

    def train(self, *_: Any, **__: Any) -> None:
        """Fine-tune; `work_dir` then loads as a model. A second call, or script, goes on after a stop."""
        from uniasr.training.finetune import finetune

        data = self.data.write(self.work_dir / "run" / "data") if isinstance(self.data, HubData) else self.data
        model = None if self.model is None else fspath(self.model)
        finetune(model, [Path(data)], self.work_dir, self.run, self.reading, device=self.device, tell=_tell)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _check_launch(distributed: bool) -> None:
    """Several processes are a matter of how the script is started, not of a keyword."""
    from os import environ

    if distributed and "WORLD_SIZE" not in environ:
        _tell("distributed=True, but one process: start the script with `python -m torch.distributed.launch`")


def _load_from_hub(name: str, namespace: str, keywords: Mapping[str, Any]) -> HubData:
    try:
        from modelscope.msdatasets import MsDataset as Client
    except ImportError as error:
        raise MissingExtraError(
            f"data set {namespace}/{name} comes through the modelscope client: pip install 'uniasr[modelscope]'"
        ) from error
    return HubData(
        f"{namespace}/{name}",
        {split: Client.load(name, namespace=namespace, split=split, **keywords) for split in SPLITS},
    )


def _write_split(place: Path, rows: Iterable[Mapping[str, Any]], what: str) -> None:
    """`wav.scp` and `text` of a part; its columns are found by their names (`Audio:FILE`, `Text:LABEL`)."""
    paths, texts = [], []
    for number, row in enumerate(rows):
        audio = next((value for key, value in row.items() if "audio" in key.lower() or "wav" in key.lower()), None)
        text = next((value for key, value in row.items() if "text" in key.lower() or "sentence" in key.lower()), None)
        if not isinstance(audio, str | PathLike) or not isinstance(text, str):
            raise DataError(f"{what}, row {number}: no columns with audio files and texts among {', '.join(row)}")
        key = "_".join(f"{number:07}-{Path(audio).stem}".split())
        paths.append(f"{key} {fspath(audio)}\n")
        texts.append(f"{key} {' '.join(text.split())}\n")
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / "wav.scp").write_text("".join(paths), encoding="utf-8")
        (place / "text").write_text("".join(texts), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{place} cannot be written: {error.strerror}") from error
