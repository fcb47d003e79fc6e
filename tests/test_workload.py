import numpy as np
import pytest

from skmtl import _workload
from skmtl._workload import check_work, long_work_note, time_text

FEW = np.full(5, 40)
MANY = np.full(10_000, 4)
OF_TASKS = ["pooled + dummies", "MultiTaskBayesianRidge"]
WORK = {"wide": False, "n_splits": 40}


@pytest.fixture(autouse=True)
def eight_gigabytes(monkeypatch):
    monkeypatch.setattr(_workload, "free_memory", lambda: 2**33)


def test_small_work_is_neither_refused_nor_told():
    assert check_work(200, 10, FEW, **WORK) is None


def test_columns_for_many_tasks_are_refused_with_the_bytes_and_the_way_out():
    with pytest.raises(MemoryError) as caught:
        check_work(40_000, 3, MANY, **WORK)
    said = str(caught.value)
    assert "tables of 40000 rows and 10003 columns, some 11.9 GiB in all" in said
    assert "8 GiB of memory are free" in said
    assert "--without 'pooled + dummies' --without 'MultiTaskBayesianRidge'" in said
    note = check_work(40_000, 3, MANY, without=OF_TASKS, **WORK)
    assert "minutes" in note


def test_too_many_columns_are_refused_whatever_is_left_out():
    with pytest.raises(MemoryError, match=r"; take fewer columns \(--drop\)"):
        check_work(4000, 100_000, FEW * 20, without=OF_TASKS, **WORK)


def test_a_system_that_does_not_tell_its_memory_refuses_nothing(monkeypatch):
    monkeypatch.setattr(_workload, "free_memory", lambda: None)
    check_work(10**7, 10**6, FEW, **WORK)


def test_long_work_is_told_with_the_model_that_takes_most_of_it(monkeypatch):
    monkeypatch.setattr(_workload, "free_memory", lambda: None)
    note = check_work(40_000, 3, MANY, without=["MultiTaskBayesianRidge"], **WORK)
    assert "--without 'pooled + dummies'" in note and "--repeats" in note
    assert "days" in note
    assert "days" not in check_work(40_000, 3, MANY, without=OF_TASKS, **WORK)


def test_a_note_names_the_total_and_what_takes_long():
    assert long_work_note({"a": 10.0, "b": 15.0}) is None
    note = long_work_note({"a": 10.0, "b": 440.0, "c": 150.0})
    assert note.startswith("this takes 10 minutes or so: ")
    assert note.endswith("--without 'b' --without 'c' leaves 10 seconds.")
    assert "--without" not in long_work_note({"a": 150.0, "b": 450.0})


@pytest.mark.parametrize(
    "seconds, said",
    [
        (2.2, "2 seconds"),
        (59, "59 seconds"),
        (200, "3 minutes"),
        (7300, "2 hours"),
        (2e5, "2 days"),
    ],
)
def test_times_are_in_the_unit_that_suits(seconds, said):
    assert time_text(seconds) == said
