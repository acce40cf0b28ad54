"""Runs the blocks of docs/operate/runbooks.md as they stand there."""

import os
import re
import subprocess
from pathlib import Path

from life import expect

PAGE = Path("docs/operate/runbooks.md")
BLOCK = re.compile(r"^ *<!-- runbook: ([a-z-]+) -->\n *```sh\n(.*?)^ *```$", re.M | re.S)


class Runbooks:
    """The page's blocks by their names, each with what all of them begin with in front."""

    def __init__(self, **environment):
        self.blocks, self.run, self.environment = dict(BLOCK.findall(PAGE.read_text())), set(), environment

    def __call__(self, name, then="", **variables):
        """What a block prints; `then` is a line after it."""
        self.run.add(name)
        text = f"{self.blocks['begin']}\n{self.blocks[name]}\n{then}\n"
        environment = {**os.environ, **self.environment, **variables}
        command = ["bash", "-euo", "pipefail", "-c", text]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        expect(done.returncode == 0, f"the runbook {name}: {done.stdout}{done.stderr}")
        return done.stdout

    def end(self, *elsewhere):
        """Nothing is left but what is run elsewhere."""
        left = set(self.blocks) - self.run - {"begin", *elsewhere}
        expect(not left, f"runbooks that were not run: {left}")
