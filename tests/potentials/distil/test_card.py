import json
from dataclasses import asdict

from potentials.distil.card import write_card
from potentials.distil.evaluation import TOLERANCES, Value, write_table
from potentials.distil.stability import Stability
from tests.potentials.distil.conftest import rattled


def test_card_says_what_was_reached_and_what_was_missed(tmp_path):
    frames = rattled(30)
    for i, frame in enumerate(frames):
        frame.info = {"system": f"bulk/{i}", "family": "bulk"}
    teacher = [Value(quantity, "one", 1.0) for quantity in TOLERANCES]
    teacher.append(Value("barrier", "two", 0.2))
    network = [Value(quantity, "one", 1.01) for quantity in TOLERANCES]
    network.append(Value("barrier", "two", 0.25))
    write_table(teacher, network, tmp_path / "evaluation.csv")
    (tmp_path / "errors.json").write_text(
        json.dumps({"all": {"frames": 7, "energy": 8.21, "forces": 44.4, "stress": 0.2}})
    )
    run = Stability(20.0, 501.2, 0.0012, 0.004, 2.21, 0, 0.31)
    (tmp_path / "dynamics.json").write_text(json.dumps({"Li on Cu": asdict(run) | {"atoms": 34}}))
    (tmp_path / "notes.md").write_text("## Speed\n\n40 ms\n")
    write_card(
        "emt",
        frames,
        tmp_path / "errors.json",
        tmp_path / "evaluation.csv",
        tmp_path / "dynamics.json",
        tmp_path / "notes.md",
        tmp_path / "card.md",
    )
    card = (tmp_path / "card.md").read_text()
    assert "| all | 7 | 8.2 | 44 | 0.200 |" in card
    assert "| Li barrier (bridge above hollow) | 0.03 eV | 1 of 2 | 0.030 | 0.050 (two) |" in card
    assert "| Li barrier (bridge above hollow) | two | 0.200 | 0.250 | eV | missed |" in card
    assert "of Al, Cu;" in card
    assert "| Li on Cu | 34 | 20 | 501 | 1.2 | 4.0 | 2.21 | 0 | 0.31 |" in card
    assert "distilled from `emt`" in card
    assert "CHGNet" not in card
    assert card.endswith("## Speed\n\n40 ms\n")
