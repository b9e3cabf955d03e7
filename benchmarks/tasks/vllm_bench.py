"""vLLM's `bench serve`, run with the server environment's own Python.

Called through its module: the `vllm` command asks for the metadata of a
distribution named `vllm` and fails in builds for the CPU, which have another
name. The requests are read here, since vLLM's reader wants pandas, which a
server has no need of; reading is no part of what it times.
"""

import json
from pathlib import Path

from vllm.benchmarks.datasets import CustomDataset
from vllm.benchmarks.serve import add_cli_args, main
from vllm.utils.argparse_utils import FlexibleArgumentParser


def load_data(self: CustomDataset) -> None:
    """The rows of the dataset, in order."""
    self.data = [json.loads(line) for line in Path(self.dataset_path).read_text().splitlines()]


if __name__ == "__main__":
    CustomDataset.load_data = load_data
    parser = FlexibleArgumentParser()
    add_cli_args(parser)
    main(parser.parse_args())
