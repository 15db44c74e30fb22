"""What the compilers are told, from what the processor lists."""

import pytest

from python_runner.common.build.cpu import CpuFlags, flags_for, recipe_in_words
from python_runner.common.build.instructions import INSTRUCTION_SETS, without
from python_runner.common.build.probe import Outcome

CLOUD_XEON = """\
processor	: 0
model name	: Intel(R) Xeon(R) Processor @ 2.10GHz
flags		: fpu sse4_1 sse4_2 avx f16c fma bmi2 avx2 avx512f avx512cd avx512bw avx512dq \
avx512vl avx512vbmi avx512_vnni avx_vnni avx512_bf16 gfni amx_bf16 amx_tile amx_int8

processor	: 1
flags		: fpu
"""
OLD_DESKTOP = "flags\t: fpu sse4_1 sse4_2 avx f16c fma bmi2 avx2\n"
HALF_AVX512 = "flags\t: sse4_2 avx avx2 avx512f avx512cd\n"


def on(flags: CpuFlags) -> set[str]:
    return {
        argument.removeprefix("-D").removesuffix("=ON")
        for argument in flags.ggml
        if argument.endswith("=ON")
    }


def test_a_processor_gets_what_it_lists_and_no_amx() -> None:
    flags = flags_for(CLOUD_XEON, machine="x86_64")

    assert on(flags) == {
        "GGML_SSE42",
        "GGML_AVX",
        "GGML_F16C",
        "GGML_FMA",
        "GGML_BMI2",
        "GGML_AVX2",
        "GGML_AVX_VNNI",
        "GGML_AVX512",
        "GGML_AVX512_VBMI",
        "GGML_AVX512_VNNI",
        "GGML_AVX512_BF16",
    }
    assert "-DGGML_NATIVE=OFF" in flags.ggml
    assert "-DGGML_AMX_INT8=OFF" in flags.ggml
    assert flags.c == (
        "-O3",
        "-march=native",
        "-mno-amx-tile",
        "-mno-amx-int8",
        "-mno-amx-bf16",
    )
    assert flags.rust == (
        "-Ctarget-cpu=native",
        "-Ctarget-feature=-amx-tile,-amx-int8,-amx-bf16",
    )
    assert not any("amx" in name for name in flags.instruction_sets)
    assert "avx512_bf16" in flags.instruction_sets


def test_where_there_is_no_amx_the_flags_do_not_name_it() -> None:
    flags = flags_for(OLD_DESKTOP, machine="x86_64")

    assert flags.c == ("-O3", "-march=native")
    assert flags.rust == ("-Ctarget-cpu=native",)
    assert on(flags) == {
        "GGML_SSE42",
        "GGML_AVX",
        "GGML_F16C",
        "GGML_FMA",
        "GGML_BMI2",
        "GGML_AVX2",
    }


def test_every_option_is_written_out() -> None:
    few, many = (flags_for(text, machine="AMD64").ggml for text in (OLD_DESKTOP, CLOUD_XEON))

    assert [a.partition("=")[0] for a in few] == [a.partition("=")[0] for a in many]


def test_avx512_needs_all_the_parts_that_ggml_compiles_for() -> None:
    assert "-DGGML_AVX512=OFF" in flags_for(HALF_AVX512, machine="x86_64").ggml


@pytest.mark.parametrize(
    ("machine", "flag"), [("arm64", "-mcpu=native"), ("x86_64", "-march=native")]
)
def test_elsewhere_the_compiler_decides(machine: str, flag: str) -> None:
    flags = flags_for("", machine=machine)

    assert flags.ggml == ("-DGGML_NATIVE=ON",)
    assert flags.c == ("-O3", flag)
    assert flags.instruction_sets == ()


def test_an_arm_processor_is_not_read_as_x86() -> None:
    flags = flags_for("Features\t: fp asimd\n", machine="aarch64")

    assert flags.c == ("-O3", "-mcpu=native")


def test_the_recipe_holds_everything() -> None:
    flags = flags_for(CLOUD_XEON, machine="x86_64")

    assert flags.recipe() == {
        "ggml": list(flags.ggml),
        "c": list(flags.c),
        "rust": list(flags.rust),
        "instruction_sets": list(flags.instruction_sets),
    }


def listed_in(cpuinfo: str) -> dict[str, Outcome]:
    """The outcomes of a machine where all works that is listed."""
    words = cpuinfo.split()
    return {s.name: Outcome.WORKS for s in INSTRUCTION_SETS if s.name in words}


def test_where_all_works_the_builds_are_those_of_a_machine_that_was_not_tried() -> None:
    tried = flags_for(CLOUD_XEON, machine="x86_64", outcomes=listed_in(CLOUD_XEON))

    assert tried == flags_for(CLOUD_XEON, machine="x86_64")


@pytest.mark.parametrize("amx", [Outcome.WORKS, Outcome.DIES, Outcome.REFUSED])
def test_amx_stays_off_whatever_became_of_it(amx: Outcome) -> None:
    outcomes = listed_in(CLOUD_XEON) | dict.fromkeys(("amx_tile", "amx_int8", "amx_bf16"), amx)

    assert flags_for(CLOUD_XEON, machine="x86_64", outcomes=outcomes) == flags_for(
        CLOUD_XEON, machine="x86_64"
    )


def test_what_dies_is_left_out_for_all_three_compilers() -> None:
    outcomes = listed_in(CLOUD_XEON) | {"avx512_bf16": Outcome.DIES}
    flags = flags_for(CLOUD_XEON, machine="x86_64", outcomes=outcomes)

    assert "-DGGML_AVX512_BF16=OFF" in flags.ggml
    assert "-DGGML_AVX512=ON" in flags.ggml
    assert "-mno-avx512bf16" in flags.c
    assert "-avx512bf16" in flags.rust[-1].removeprefix("-Ctarget-feature=").split(",")
    assert "avx512_bf16" not in flags.instruction_sets
    assert "avx512f" in flags.instruction_sets


def test_what_stands_on_a_dead_set_goes_with_it() -> None:
    outcomes = listed_in(CLOUD_XEON) | {"avx512f": Outcome.DIES}
    cpuinfo = CLOUD_XEON.replace("gfni", "gfni avx512_of_tomorrow")
    flags = flags_for(cpuinfo, machine="x86_64", outcomes=outcomes)

    assert on(flags) == {
        "GGML_SSE42",
        "GGML_AVX",
        "GGML_F16C",
        "GGML_FMA",
        "GGML_BMI2",
        "GGML_AVX2",
        "GGML_AVX_VNNI",
    }
    assert {"-mno-avx512f", "-mno-avx512vl", "-mno-avx512bf16"} <= set(flags.c)
    assert not any(name.startswith("avx512") for name in flags.instruction_sets)
    assert "avx_vnni" in flags.instruction_sets


def test_a_compiler_is_not_told_to_leave_out_what_it_does_not_know() -> None:
    outcomes = listed_in(CLOUD_XEON) | {"avx_vnni": Outcome.UNKNOWN}
    flags = flags_for(CLOUD_XEON, machine="x86_64", outcomes=outcomes)

    assert "-DGGML_AVX_VNNI=OFF" in flags.ggml
    assert "-mno-avxvnni" not in flags.c
    assert "-avxvnni" in flags.rust[-1]


def test_what_could_not_be_tried_is_taken_to_work() -> None:
    outcomes = dict.fromkeys(listed_in(CLOUD_XEON), Outcome.UNCLEAR)

    assert flags_for(CLOUD_XEON, machine="x86_64", outcomes=outcomes) == flags_for(
        CLOUD_XEON, machine="x86_64"
    )


def test_every_need_stands_before_what_needs_it() -> None:
    seen: set[str] = set()
    for found in INSTRUCTION_SETS:
        assert set(found.needs) <= seen
        seen.add(found.name)


def test_without_follows_the_needs_to_the_end() -> None:
    assert "avx512_bf16" in without(["fma"])
    assert "avx2" not in without(["fma"])


def test_a_recipe_is_told_in_words() -> None:
    flags = flags_for(OLD_DESKTOP, machine="x86_64")

    assert recipe_in_words(flags.recipe()) == {
        "flags": "-O3 -march=native",
        "compiled for": "avx avx2 bmi2 f16c fma sse4_1 sse4_2",
    }
    elsewhere = flags_for("", machine="arm64")
    assert recipe_in_words(elsewhere.recipe())["compiled for"]
