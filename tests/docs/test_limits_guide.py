"""The policy that the guide to changing limits shows is right, and does all it says."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

from tests.docs.pages import ROOT

GUIDE = (ROOT / "docs" / "guides" / "limits-that-change.md").read_text()
PODIUM = str(pathlib.Path(sys.executable).parent / "podium")


def test_the_policy_of_the_guide_is_valid_and_every_field_of_it_is_acted_on(tmp_path: pathlib.Path) -> None:
    ((name, text),) = re.findall(r"^`([\w./]+)`:\n\n```yaml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    file = tmp_path / name
    file.parent.mkdir()
    file.write_text(text)
    command = [PODIUM, "policy", "check", str(tmp_path / "policies"), "-o", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["documents"], answer["problems"], answer["warnings"]) == (0, 4, [], []), done.stderr
