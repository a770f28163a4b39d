"""The fine-tuning script of the published UniASR cards, with the imports of this package.

    python finetune.py
    CUDA_VISIBLE_DEVICES=1,2 python -m torch.distributed.launch --nproc_per_node 2 finetune.py > 1234.txt 2>&1

The parameters stand at the end, as on the card; `NAME=VALUE` on the command line replaces one.
"""

import os
import sys

from uniasr.compat.modelscope import MsDataset, Trainers, build_trainer


def modelscope_finetune(params):
    if not os.path.exists(params["output_dir"]):
        os.makedirs(params["output_dir"], exist_ok=True)
    # dataset split ["train", "validation"]
    ds_dict = MsDataset.load(params["data_dir"])
    kwargs = dict(
        model=params["model"],
        data_dir=ds_dict,
        dataset_type=params["dataset_type"],
        work_dir=params["output_dir"],
        batch_bins=params["batch_bins"],
        max_epoch=params["max_epoch"],
        lr=params["lr"],
        unknown=params["unknown"],
    )
    trainer = build_trainer(Trainers.speech_asr_trainer, default_args=kwargs)
    trainer.train()


if __name__ == "__main__":
    params = {}
    params["output_dir"] = "./checkpoint"  # where the new model is written
    params["data_dir"] = "./example_data/"  # where the data lies
    params["batch_bins"] = 16000  # batch size
    params["dataset_type"] = "small"  # small for little data, large for more than 1000 hours
    params["max_epoch"] = 50  # training epochs
    params["lr"] = 0.00005  # learning rate
    params["model"] = "damo/speech_UniASR_asr_2pass-ja-16k-common-vocab93-tensorflow1-online"
    params["unknown"] = None  # extend or drop: what to do about characters that the model does not know
    for word in sys.argv[1:]:
        name, _, value = word.partition("=")
        if name in params:
            params[name] = type(params[name])(value) if params[name] is not None else value
    modelscope_finetune(params)
