"""Files of a run: what a damaged one, a full disk and an unwritable place do to the good ones."""

import errno
import warnings

import pytest

torch = pytest.importorskip("torch")
resource = pytest.importorskip("resource")

from tiny_training import train  # noqa: E402
from uniasr.errors import ModelError, OutputError  # noqa: E402
from uniasr.training.snapshots import Snapshots, newest_weights, read_snapshot  # noqa: E402

pytestmark = pytest.mark.torch


def snapshots(directory, keep=3, keep_best=0):
    return Snapshots(directory, keep, keep_best)


def write(place, step):
    place.write({"w": torch.full((500,), float(step))}, {"step": step}, [])


def flip(content):
    content[len(content) // 2] ^= 0x04
    return content


@pytest.mark.parametrize(
    "damage",
    [flip, lambda c: c[: len(c) // 2], lambda c: c[:-30], lambda c: b"", lambda c: bytes(len(c)), lambda c: b"PK\3\4"],
    ids=["bit", "half", "end", "empty", "zeros", "start"],
)
def test_a_damaged_file_costs_one_snapshot(tmp_path, damage):
    place = snapshots(tmp_path)
    write(place, 1)
    write(place, 2)
    last = tmp_path / "last.pt"
    last.write_bytes(damage(bytearray(last.read_bytes())))
    with pytest.warns(UserWarning, match="last.pt is damaged"):
        state = place.read()
    assert state["step"] == 1
    (tmp_path / "previous.pt").write_bytes(b"")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ModelError, match="no snapshot"):
            place.read()


def test_a_kill_between_the_renames_leaves_the_older_one(tmp_path):
    place = snapshots(tmp_path)
    assert place.read() is None
    write(place, 1)
    (tmp_path / "last.pt").replace(tmp_path / "previous.pt")
    assert place.read()["step"] == 1


def test_a_full_disk_stops_the_run_and_costs_nothing(tmp_path):
    """The system's limit on the size of files breaks writes half-way, as a full disk does."""
    train(tmp_path, steps=2)
    size = (tmp_path / "weights-0000002.pt").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (size // 2, size + 100):  # in the middle of the weights; of last.pt
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            with pytest.raises(OutputError, match="File too large; what was written before is untouched"):
                train(tmp_path, steps=4)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert not list(tmp_path.glob("*.tmp"))
        assert snapshots(tmp_path).read()["step"] == 2
        assert all(read_snapshot(path) for path in newest_weights(tmp_path))
    whole, rest = train(tmp_path / "whole", steps=4), train(tmp_path, steps=4)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, rest.network.state_dict()[name])


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(OutputError, match="cannot make"):
        snapshots(tmp_path / "run" / "deeper")


def test_an_error_of_the_system_is_named(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    place = snapshots(tmp_path)
    write(place, 1)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write(place, 2)
    assert place.read()["step"] == 1
