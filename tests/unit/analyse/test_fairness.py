from python_runner.analyse.fairness import fairness_pairs, fairness_table, marks
from tests.golden.frames import FOUR, build_frames, rename

FACTS = {"device": "cpu", "threads": "2", "kv-cache": "f16"}
CONDITIONS = build_frames(
    [
        rename(FOUR[0], facts=FACTS),
        rename(FOUR[1], facts={**FACTS, "threads": "4"}),
        rename(FOUR[2], facts={"device": "cpu", "threads": "2"}),
        rename(FOUR[3], facts={}),
    ]
).conditions


def test_one_row_for_each_criterion() -> None:
    table = fairness_table(CONDITIONS).set_index("key")
    assert table.loc["device", "equality"] == "equal"
    assert table.loc["device", "holders"] == {"cpu": ("llama.cpp", "Ollama", "mistral.rs (wheel)")}
    assert table.loc["threads", "equality"] == "different"
    assert table.loc["kv-cache", "equality"] == "unknown"
    assert table.loc["kv-cache", "unknown"] == ("mistral.rs (wheel)",)
    assert table.loc["version", "holders"] == {}


def test_pairs_are_by_name_and_leave_out_what_was_never_looked_at() -> None:
    pairs = fairness_pairs(CONDITIONS)
    threads = pairs[pairs["key"] == "threads"]
    assert list(threads["equality"]) == ["different", "equal", "different"]
    assert "transformers" not in set(pairs["left"]) | set(pairs["right"])


def test_runs_of_old_have_neither() -> None:
    old = build_frames().conditions
    assert fairness_table(old).empty
    assert fairness_pairs(old).empty
    assert marks(old, {"allowed_unfair": []}) == {}
    assert fairness_pairs(build_frames([]).conditions).empty


def test_marks_say_who_has_what() -> None:
    (mark,) = marks(CONDITIONS, {"allowed_unfair": ["threads"]}).values()
    assert "threads" in mark
    assert "2 (llama.cpp, mistral.rs (wheel)), 4 (Ollama)" in mark
