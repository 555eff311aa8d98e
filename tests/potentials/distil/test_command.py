import subprocess
import sys

import pytest

from potentials.distil.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["label", "--part", "2/2"], "part: '2/2' is no i/n"),
        (["label", "--part", "half"], "part: 'half' is no i/n"),
        (["label", "bulks"], "stage: no 'bulks'; choose from bulk, slab"),
        (["train", "--minutes", "1"], "frames: none in"),
        (["train", "--teacher", "emt", "--frames", "none.extxyz"], "frames: none.extxyz cannot be"),
        (["train", "--fine-tune", "mni", "--frames", "a"], "potential: 'mni' is unknown"),
        (["card"], "frames: none in"),
        (["train", "--fine-tune", "mace-mpa-0-medium"], "frames: a fine-tuning needs a file"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["distil", *arguments, "--folder", str(tmp_path / "new")])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith(said)
    assert "\n" not in error
    assert not (tmp_path / "new").exists()


def test_module_runs_and_names_its_steps():
    shown = subprocess.run(
        [sys.executable, "-m", "potentials.distil", "--help"], capture_output=True, text=True
    )
    assert shown.returncode == 0
    for step in ("label", "explore", "train", "evaluate", "card"):
        assert step in shown.stdout
