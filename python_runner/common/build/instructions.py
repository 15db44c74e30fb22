"""Instruction sets of x86: their names, what depends on what, an instruction of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class InstructionSet:
    """One instruction set, by the names it goes by."""

    name: str
    """In /proc/cpuinfo."""
    option: str
    """For GCC and Clang (`-mavx2`, `-mno-avx2`) and as rustc's target feature."""
    instruction: str
    """One that needs nothing but registers, in AT&T's syntax."""
    needs: tuple[str, ...] = ()
    """Sets without which the compilers leave this one out, too."""

    @property
    def is_amx(self) -> bool:
        """Whether it works on AMX's tiles, which are switched off wherever we compile."""
        return self.name.startswith("amx")


def _set(name: str, option: str, instruction: str, *needs: str) -> InstructionSet:
    return InstructionSet(name=name, option=option, instruction=instruction, needs=needs)


INSTRUCTION_SETS: tuple[InstructionSet, ...] = (
    _set("sse4_1", "sse4.1", "pmulld %xmm1, %xmm0"),
    _set("sse4_2", "sse4.2", "pcmpgtq %xmm1, %xmm0", "sse4_1"),
    _set("avx", "avx", "vaddps %ymm1, %ymm1, %ymm0", "sse4_2"),
    _set("f16c", "f16c", "vcvtph2ps %xmm1, %ymm0", "avx"),
    _set("fma", "fma", "vfmadd231ps %ymm1, %ymm1, %ymm0", "avx"),
    _set("bmi2", "bmi2", "pdep %rax, %rax, %rax"),
    _set("gfni", "gfni", "gf2p8mulb %xmm1, %xmm0"),
    _set("avx2", "avx2", "vpaddd %ymm1, %ymm1, %ymm0", "avx"),
    _set("avx_vnni", "avxvnni", "{vex} vpdpbusd %ymm1, %ymm1, %ymm0", "avx2"),
    _set("avx512f", "avx512f", "vpaddd %zmm1, %zmm1, %zmm0", "avx2", "fma", "f16c"),
    _set("avx512cd", "avx512cd", "vplzcntd %zmm1, %zmm0", "avx512f"),
    _set("avx512bw", "avx512bw", "vpaddb %zmm1, %zmm1, %zmm0", "avx512f"),
    _set("avx512dq", "avx512dq", "vpmullq %zmm1, %zmm1, %zmm0", "avx512f"),
    _set("avx512vl", "avx512vl", "vpaddd %ymm17, %ymm17, %ymm16", "avx512f"),
    _set("avx512ifma", "avx512ifma", "vpmadd52luq %zmm1, %zmm1, %zmm0", "avx512f"),
    _set("avx512vbmi", "avx512vbmi", "vpermb %zmm1, %zmm1, %zmm0", "avx512bw"),
    _set("avx512_vbmi2", "avx512vbmi2", "vpshldw $1, %zmm1, %zmm1, %zmm0", "avx512bw"),
    _set("avx512_vnni", "avx512vnni", "vpdpbusd %zmm1, %zmm1, %zmm0", "avx512f"),
    _set("avx512_bitalg", "avx512bitalg", "vpopcntb %zmm1, %zmm0", "avx512bw"),
    _set("avx512_vpopcntdq", "avx512vpopcntdq", "vpopcntd %zmm1, %zmm0", "avx512f"),
    _set("avx512_bf16", "avx512bf16", "vdpbf16ps %zmm1, %zmm1, %zmm0", "avx512bw"),
    _set(
        "avx512_fp16",
        "avx512fp16",
        "vaddph %zmm1, %zmm1, %zmm0",
        *("avx512bw", "avx512dq", "avx512vl"),
    ),
    _set("amx_tile", "amx-tile", "tilezero %tmm0"),
    _set("amx_int8", "amx-int8", "tdpbssd %tmm2, %tmm1, %tmm0", "amx_tile"),
    _set("amx_bf16", "amx-bf16", "tdpbf16ps %tmm2, %tmm1, %tmm0", "amx_tile"),
)


def without(lost: Iterable[str]) -> frozenset[str]:
    """`lost` and every set that cannot be had without one of them."""
    gone = set(lost)
    for found in INSTRUCTION_SETS:  # what is needed stands before what needs it
        if not gone.isdisjoint(found.needs):
            gone.add(found.name)
    return frozenset(gone)
