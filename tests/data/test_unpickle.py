"""Pickles of strangers: arrays and plain containers come back, anything else is refused unrun."""

import collections
import contextlib
import pickle
import tracemalloc

import numpy as np
import pytest
from checks import Attack

from keras_gait.data import unpickle
from keras_gait.errors import GaitError


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_containers_come_back_from_every_protocol(protocol):
    given = {
        "array": np.arange(6, dtype=np.uint16).reshape(2, 3),
        "texts": np.array(["a", "bc"]),
        "scalar": np.float32(1.5),
        "big-endian": np.array([1.5, -2], ">f4"),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "flags": np.array([True, False]),
        "none": np.zeros((0, 3), np.float32),
        "bytes": bytearray(b"5"),
        "list": [1, "two", None, True, (3.0, b"4"), {5, 6}, 1j],
        "ordered": collections.OrderedDict(a=1),
        "objects": np.array([[1], "x"], dtype=object),
    }
    found = unpickle.loads(pickle.dumps(given, protocol), "here")
    assert found["array"].dtype == np.uint16
    for key in ("array", "texts", "objects", "big-endian", "columns", "flags", "none"):
        np.testing.assert_array_equal(found.pop(key), given.pop(key))
    assert found == given


def test_names_of_numpy_1_are_known():
    data = pickle.dumps(np.arange(3)).replace(b"numpy._core", b"numpy.core")
    data = data.replace(b"\x8c\x16numpy.core", b"\x8c\x15numpy.core").replace(
        b"\x8c\x13numpy.core", b"\x8c\x12numpy.core"
    )
    opcodes_without_frame = data[:2] + data[11:]  # the frame's length no longer fits
    assert unpickle.loads(opcodes_without_frame, "here").tolist() == [0, 1, 2]


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_foreign_global_is_refused_by_name_and_nothing_runs(tmp_path, protocol):
    data = pickle.dumps([np.zeros(2), Attack(tmp_path / "broken_in")], protocol)
    with pytest.raises(GaitError, match=r"here: this pickle asks for (posix|nt)\.system, which is refused"):
        unpickle.loads(data, "here")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["eval", "getattr", "__import__", "exec"])
def test_builtins_that_run_code_are_refused(name):
    with pytest.raises(GaitError, match=f"builtins.{name}"):
        unpickle.loads(b"cbuiltins\n%s\n." % name.encode(), "here")


def test_a_dotted_path_into_an_allowed_module_is_refused():
    data = b"\x80\x04\x8c\x05numpy\x8c\x11ndarray.__class__\x93."
    with pytest.raises(GaitError, match=r"numpy\.ndarray\.__class__"):
        unpickle.loads(data, "here")


class Call:
    """Pickles as a call of ``function``, and then a state for what it gave."""

    def __init__(self, function, *arguments, state=None):
        self.made = function, arguments, state

    def __reduce__(self):
        return self.made


RECONSTRUCT, SCALAR = np.zeros(1).__reduce__()[0], np.float32(0).__reduce__()[0]
FROM_BUFFER, ADDRESS = np.zeros(1).__reduce_ex__(5)[0], b"A" * 8
# the flags, last, deny that there are objects
POINTERS = Call(np.dtype, "V8", state=(3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0))
NUMBERS = Call(np.dtype, "i8", state=(3, "<", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0))


@pytest.mark.parametrize(
    "attack",
    [
        Call(np.ndarray, (1,), "O", ADDRESS),
        Call(np.ndarray, (1,), np.dtype("O"), ADDRESS),
        Call(np.ndarray, (2,), "i8", ADDRESS),
        Call(np.ndarray, (1,), "i8", ADDRESS, 0, (8,)),
        Call(FROM_BUFFER, ADDRESS, POINTERS, (1,), "C"),
        Call(FROM_BUFFER, ADDRESS, NUMBERS, (1,), "C"),
        Call(FROM_BUFFER, ADDRESS, np.dtype("O"), (1,), "C"),
        Call(FROM_BUFFER, np.array([None]), np.dtype("i8"), (1,), "C"),
        Call(np.ndarray, (1,), "i8", np.array([None])),
        Call(SCALAR, POINTERS, ADDRESS),
        Call(SCALAR, np.dtype("O"), ADDRESS),
        Call(RECONSTRUCT, np.ndarray, (0,), b"b", state=(1, (1,), POINTERS, False, ADDRESS)),
        Call(RECONSTRUCT, np.ndarray, (0,), b"b", state=(1, (1,), np.dtype("O"), False, ADDRESS)),
        Call(RECONSTRUCT, np.ndarray, (0,), b"b", state=(1, (2,), np.dtype("i8"), False, ADDRESS)),
    ],
)
def test_no_bytes_of_a_pickle_become_addresses_of_objects(attack):
    with pytest.raises(GaitError, match="here: this pickle is damaged"):
        unpickle.loads(pickle.dumps(attack, 4), "here")


@pytest.mark.parametrize(
    "attack",
    [
        Call(np.ndarray, (10**12,)),
        Call(np.ndarray, (10**12,), "u1", b"1"),
        Call(RECONSTRUCT, np.ndarray, (10**12,), b"b"),
        Call(bytearray, 10**12),
        Call(SCALAR, Call(np.dtype, "S999999999")),
    ],
)
def test_a_small_pickle_makes_nothing_large(attack):
    data = pickle.dumps(attack, 4)
    tracemalloc.start()
    with pytest.raises(GaitError, match="here: this pickle is damaged"):
        unpickle.loads(data, "here")
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


def test_arrays_that_came_back_are_plain_when_they_are_pickled_again():
    found = unpickle.loads(pickle.dumps([np.arange(3)]), "here")
    assert type(pickle.loads(pickle.dumps(found))[0]) is np.ndarray


def test_a_damaged_pickle_is_named():
    with pytest.raises(GaitError, match="here: this pickle is damaged"):
        unpickle.loads(pickle.dumps(np.arange(100))[:60], "here")


def test_an_array_of_objects_comes_back_from_its_npy_file(tmp_path):
    np.save(tmp_path / "a.npy", np.array({3: [0, 1]}, object), allow_pickle=True)
    found = unpickle.load_npy(tmp_path / "a.npy")
    assert found.shape == ()
    assert found.item() == {3: [0, 1]}


def test_an_npy_file_that_runs_something_is_refused_unrun(tmp_path):
    np.save(tmp_path / "a.npy", np.array(Attack(tmp_path / "broken_in"), object), allow_pickle=True)
    with pytest.raises(GaitError, match=r"a\.npy: this pickle asks for (posix|nt)\.system"):
        unpickle.load_npy(tmp_path / "a.npy")
    assert not (tmp_path / "broken_in").exists()


def test_numbers_and_pickles_of_other_things_are_no_arrays_of_objects(tmp_path):
    np.save(tmp_path / "numbers.npy", np.arange(3))
    np.save(tmp_path / "a.npy", np.array(None, object), allow_pickle=True)
    data = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "other.npy").write_bytes(data[: data.index(b"\n") + 1] + pickle.dumps({1: [2]}))
    for name in ("numbers", "other"):
        with pytest.raises(GaitError, match=rf"{name}\.npy holds no array of objects"):
            unpickle.load_npy(tmp_path / f"{name}.npy")


def test_every_cut_and_every_spoilt_byte_of_an_npy_file_is_a_gait_error_or_harmless(tmp_path):
    np.save(tmp_path / "a.npy", np.array({3: [0, 1]}, object), allow_pickle=True)
    data, spoilt = (tmp_path / "a.npy").read_bytes(), tmp_path / "b.npy"
    rng = np.random.default_rng(0)
    for place in range(len(data)):
        for content in (data[:place], data[:place] + bytes([rng.integers(256)]) + data[place + 1 :]):
            spoilt.write_bytes(content)
            with contextlib.suppress(GaitError):
                assert isinstance(unpickle.load_npy(spoilt), np.ndarray)
