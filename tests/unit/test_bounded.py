"""Files of a model that are endless, or larger than such a file can be."""

import os
from pathlib import Path

import pytest

from uniasr.bounded import read_bounded
from uniasr.checkpoints import documents
from uniasr.checkpoints.documents import read_json, read_yaml
from uniasr.errors import ModelError
from uniasr.features import cmvn
from uniasr.features.cmvn import read_am_mvn
from uniasr.text import vocabulary
from uniasr.text.vocabulary import read_token_list

READERS = {"x.yaml": read_yaml, "x.json": read_json, "tokens.txt": read_token_list, "am.mvn": read_am_mvn}


def test_what_fits_is_read_whole(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345678")
    assert read_bounded(path, 8) == b"12345678"
    with pytest.raises(ModelError, match=r"a is too large.*at most 7 bytes"):
        read_bounded(path, 7)
    with pytest.raises(FileNotFoundError):
        read_bounded(tmp_path / "b", 8)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no endless device here")
def test_a_link_to_a_device_is_not_read(tmp_path, name):
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(ModelError, match=f"{name} .*no regular file"):
        READERS[name](tmp_path / name)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelError, match=r"pipe .*no regular file"):
        READERS[name](tmp_path / "pipe")


@pytest.mark.parametrize("name", READERS)
def test_too_large_a_file_is_named(tmp_path, monkeypatch, name):
    for module, limit in ((documents, "MAX_BYTES"), (vocabulary, "_MAX_BYTES"), (cmvn, "_MAX_BYTES")):
        monkeypatch.setattr(module, limit, 1000)
    (tmp_path / name).write_text("a" * 1001)
    with pytest.raises(ModelError, match=f"{name} is too large"):
        READERS[name](tmp_path / name)
