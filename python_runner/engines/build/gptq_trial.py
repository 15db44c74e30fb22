"""A program: compiles GPT-QModel's kernels for this CPU and says which it would take.

So that nothing is compiled while a model is loaded.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Look the kernel up as transformers will, which compiles what is missing."""
    import torch
    from gptqmodel.extension import load
    from gptqmodel.utils.importer import hf_select_quant_linear_v2

    load(name="pack_block_cpu")
    kernel = hf_select_quant_linear_v2(
        bits=4,
        group_size=128,
        desc_act=False,
        sym=True,
        format="gptq",
        quant_method="gptq",
        device_map={"": torch.device("cpu")},
        pack=False,
    )
    sys.stdout.write(f"kernel: {kernel.__name__}\n")


if __name__ == "__main__":
    main()
