"""The model card: what the network was made from, what it reached, and what it is not for."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from potentials.distil.frames import split

QUANTITIES = {
    "li_binding": "Li binding on a facet",
    "barrier": "Li barrier (bridge above hollow)",
    "surface_energy": "surface energy",
    "work_of_adhesion": "work of adhesion of Li",
    "vacancy_energy": "Li vacancy in a compound",
    "formation_energy": "Li alloy, formation energy",
    "volume_per_atom": "volume per atom",
}
_PLAIN = """# Model card

A small MACE network (Batatia et al., NeurIPS 2022) distilled from `{teacher}` by `python -m
potentials.distil`, which wrote this page.

**Not for** elements and kinds of structure that are not in the training set below. It inherits its
teacher's errors; the numbers below are errors against the teacher.
"""
_MINI = """# Model card: `mini`

`mini` is a small MACE network (Batatia et al., NeurIPS 2022) distilled from CHGNet 0.3.0 (Deng et
al., Nat. Mach. Intell. 5, 1031 (2023)), so that the quickstart, the tests and a first hour with the
program need no download. It is made and measured by `python -m potentials.distil`; this page is
written by the same command.

**Not for** publishing numbers, for ranking candidates that lie closer than the errors below, or for
chemistry that it was not shown: elements other than the seventeen below, oxidised or molecular
species, cathodes, electronic or magnetic questions, reaction energies between compounds, high
pressure. For a study take a foundation model (`lithiophile potentials list`).

**It inherits its teacher's errors.** CHGNet's energy surface is too soft: surface energies are 30
to 50 % under PBE (Li(100) 0.33 against 0.46, Cu(111) 0.84 against 1.34, Au(111) 0.37 against
0.73 J/m²), and what follows from them (adhesion, contact angles, vacancies) is low as well. The
numbers below are errors against the teacher, to which the teacher's own have to be added.

**A repulsive core** (`python -m potentials.distil core`) acts between atoms closer than three
quarters of the sum of their covalent radii, where the network was shown nothing. Without it, atoms
of liquid lithium fell into each other after some picoseconds. At the distances of bonds it is
exactly zero.
"""


def write_card(
    teacher: str,
    frames: Sequence[Atoms],
    errors: Path,
    evaluation: Path,
    dynamics: Path,
    notes: Path,
    card: Path,
) -> None:
    """Write the card.

    Args:
        teacher: name of the potential that gave the labels.
        frames: labelled frames, held-out ones included.
        errors: JSON of errors by family, as the training wrote it.
        evaluation: CSV of derived quantities, as the evaluation wrote it.
        dynamics: JSON of trajectories of contacts, where there is one.
        notes: Markdown to append, by hand (what was missed and why, speed).
        card: where to write.
    """
    head = _MINI if teacher == "chgnet" else _PLAIN.format(teacher=teacher)
    parts = [head, _training_set(frames), _errors(json.loads(errors.read_text()))]
    parts.append(_derived(evaluation))
    if dynamics.is_file():
        parts.append(_dynamics(json.loads(dynamics.read_text())))
    if notes.is_file():
        parts.append(notes.read_text())
    card.write_text("\n".join(parts).rstrip() + "\n")


def _training_set(frames: Sequence[Atoms]) -> str:
    training, held_out = split(frames)
    atoms = sum(map(len, training))
    symbols = sorted({s for f in frames for s in f.symbols})
    families = Counter(str(f.info.get("family", "given")) for f in training)
    lines = [
        "## Training set",
        "",
        f"{len(training):,} frames ({atoms:,} atoms) of {', '.join(symbols)}; {len(held_out):,}"
        " frames of other trajectories held out. Short Langevin trajectories (equal masses, 14 fs"
        " steps, 0 to 1000 K) from strained and rattled starts, every step labelled.",
        "",
        "| family | frames |",
        "|---|---|",
        *(f"| {family} | {count:,} |" for family, count in families.most_common()),
        "",
    ]
    return "\n".join(lines)


def _errors(errors: dict[str, dict[str, float]]) -> str:
    lines = [
        "## Errors on held-out trajectories, against the teacher",
        "",
        "| family | frames | energy, meV/atom | force component, meV/Å | stress, GPa |",
        "|---|---|---|---|---|",
    ]
    for family, e in errors.items():
        lines.append(
            f"| {family} | {e['frames']} | {e['energy']:.1f} | {e['forces']:.0f} |"
            f" {e['stress']:.3f} |"
        )
    return "\n".join([*lines, ""])


def _derived(path: Path) -> str:
    with path.open() as lines:
        rows = list(csv.DictReader(lines))
    found = [
        "## Derived quantities, against the teacher",
        "",
        "Each with the potential's own relaxed crystals and references; contacts in the teacher's"
        " cells.",
        "",
        "| quantity | tolerance | within | mean error | largest error |",
        "|---|---|---|---|---|",
    ]
    for quantity, title in QUANTITIES.items():
        chosen = [row for row in rows if row["quantity"] == quantity]
        if not chosen:
            continue
        errors = [_error(row) for row in chosen]
        worst = chosen[errors.index(max(errors))]
        within = sum(_is_within(row) for row in chosen)
        found.append(
            f"| {title} | {worst['tolerance']} {worst['unit']} | {within} of {len(chosen)} |"
            f" {sum(errors) / len(errors):.3f} | {max(errors):.3f} ({_plain(worst)}) |"
        )
    found += ["", "| quantity | system | teacher | `mini` | unit | |", "|---|---|---|---|---|---|"]
    for row in rows:
        found.append(
            f"| {QUANTITIES[row['quantity']]} | {_plain(row)} | {float(row['teacher']):.3f} |"
            f" {float(row['network']):.3f} | {row['unit']} |"
            f" {'' if _is_within(row) else 'missed'} |"
        )
    return "\n".join([*found, ""])


def _dynamics(runs: dict[str, dict[str, float]]) -> str:
    lines = [
        "## Molecular dynamics",
        "",
        "Langevin dynamics at constant volume, 2 fs steps, from the relaxed contact. Drift: mean"
        " potential energy of the last quarter minus that of the second. Left: atoms that were ever"
        " over 4 Å from all others.",
        "",
        "| contact | atoms | ps | mean T, K | drift, meV/atom | spread, meV/atom | shortest"
        " distance, Å | left | substrate moved, Å |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for contact, run in runs.items():
        lines.append(
            f"| {contact} | {run['atoms']} | {run['picoseconds']:g} | {run['temperature']:.0f} |"
            f" {1e3 * run['drift']:.1f} | {1e3 * run['spread']:.1f} | {run['shortest']:.2f} |"
            f" {run['left']} | {run['substrate_moved']:.2f} |"
        )
    return "\n".join([*lines, ""])


def _plain(row: dict[str, str]) -> str:
    """The system's name without the bar that would end a table's cell."""
    return row["system"].replace("|", " on ")


def _error(row: dict[str, str]) -> float:
    return abs(float(row["network"]) - float(row["teacher"]))


def _is_within(row: dict[str, str]) -> bool:
    return _error(row) <= float(row["tolerance"])
