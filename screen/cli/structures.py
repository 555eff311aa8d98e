"""``structures``: the crystal library, one crystal, and facets and interfaces built to a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from screen.cli.options import Format, FormatOption
from screen.cli.output import console, write

if TYPE_CHECKING:
    from structures.crystal_library import CrystalFact

app = typer.Typer(
    help="List the crystal library; build a facet or an interface to a file.",
    no_args_is_help=True,
    epilog="Example: lithiophile structures facet Cu 111 --output cu111.cif",
)

CrystalArgument = Annotated[
    str, typer.Argument(help="Crystal of the library, such as Cu, CIF file or mp-id.")
]
FacetArgument = Annotated[str, typer.Argument(help="Miller index: 111, 1-10, 1,1,5 or 0001.")]
OutputOption = Annotated[
    Path, typer.Option("--output", help="File to write: .cif, .vasp, .xyz, .json or POSCAR.")
]

TerminationOption = Annotated[
    str | None, typer.Option("--termination", help="Which, where there are several.")
]


@app.command(name="list", epilog="Example: lithiophile structures list --within Li,P,S")
def list_(
    role: Annotated[
        str | None, typer.Option("--role", help="Only these, such as collector or coating.")
    ] = None,
    within: Annotated[
        str | None,
        typer.Option("--within", help="Only those of these elements alone, such as Li,P,S."),
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """List the crystals of the library, each with the source of its facts."""
    import csv
    import json
    import sys

    from rich import box
    from rich.table import Table

    from results.errors import nearest
    from screen.errors import CampaignError
    from structures.crystal_library import crystal_fact, crystal_names, crystal_names_within

    names = crystal_names() if within is None else crystal_names_within(_elements(within))
    facts = [crystal_fact(name) for name in names]
    if role is not None:
        roles = sorted(
            {known for fact in map(crystal_fact, crystal_names()) for known in fact.roles}
        )
        if role not in roles:
            raise CampaignError(f"--role = {role!r}: unknown; {nearest(role, roles)}")
        facts = [fact for fact in facts if role in fact.roles]
    if not facts:
        raise CampaignError(f"--within = {within!r}: the library has no such crystal; add elements")
    rows = [_row(fact) for fact in facts]
    if format is Format.json:
        write(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    elif format is Format.csv:
        writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        table = Table(box=box.SIMPLE_HEAD)
        for heading in ("Name", "Formula", "Space group", "a, b, c\nÅ", "Roles", "Source"):
            table.add_column(heading, overflow="fold")
        for fact in facts:
            lengths = " ".join(f"{length:.3f}" for length in fact.cell[:3])
            group = f"{fact.space_group_symbol} ({fact.space_group_number})"
            roles_of = ", ".join(fact.roles)
            table.add_row(fact.name, fact.formula, group, lengths, roles_of, fact.source)
        console().print(table)


@app.command(epilog="Example: lithiophile structures show mp-985585 --output li3ocl.cif")
def show(
    crystal: Annotated[
        str,
        typer.Argument(help="Crystal of the library, CIF file, mp-id or OPTIMADE address."),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", help="Write its conventional cell to this file.")
    ] = None,
) -> None:
    """Show one crystal: its cell, sites, source and what a user must know.

    One of the Materials Project or an OPTIMADE server is fetched and kept on the way, so that runs
    on machines without network have it.
    """
    from screen.structure_files import write_structure
    from structures.crystal_library import crystal as crystal_cell
    from structures.crystal_library import crystal_fact

    row = _row(fact := crystal_fact(crystal))
    for key, value in row.items():
        if value != "":
            write(f"{key:20} {value}\n")
    for site in fact.sites:
        position = " ".join(f"{part:.5f}" for part in site.position)
        write(f"{'site':20} {site.element} {site.wyckoff} {position}\n")
    if output is not None:
        write_structure(crystal_cell(crystal), output)
        write(f"{'written to':20} {output}\n")


def _row(fact: "CrystalFact") -> dict[str, str | int | float]:
    """One crystal as it is printed, exported and shown."""
    a, b, c, alpha, beta, gamma = (round(part, 5) for part in fact.cell)
    return {
        "name": fact.name,
        "aliases": ", ".join(fact.aliases),
        "formula": fact.formula,
        "space_group": fact.space_group_symbol,
        "space_group_number": fact.space_group_number,
        "a_angstrom": a,
        "b_angstrom": b,
        "c_angstrom": c,
        "alpha_degree": alpha,
        "beta_degree": beta,
        "gamma_degree": gamma,
        "roles": ", ".join(fact.roles),
        "tier": fact.tier,
        "source": fact.source,
        "note": fact.note,
    }


def _elements(text: str) -> list[str]:
    """Symbols of a list such as ``Li,P,S``."""
    from pymatgen.core.periodic_table import Element

    from screen.errors import CampaignError

    symbols = [part.strip() for part in text.replace("-", ",").split(",") if part.strip()]
    for symbol in symbols:
        if not Element.is_valid_symbol(symbol):
            raise CampaignError(f"--within: {symbol!r} is no element; give symbols such as Li,P,S")
    return symbols


@app.command(epilog="Example: lithiophile structures facet Cu 111 --output cu111.cif")
def facet(
    crystal: CrystalArgument,
    miller_index: FacetArgument,
    output: OutputOption,
    thickness: Annotated[
        float, typer.Option("--thickness", help="Thickness of crystal, Å.")
    ] = 10.0,
    vacuum: Annotated[float, typer.Option("--vacuum", help="Vacuum above it, Å.")] = 15.0,
    termination: TerminationOption = None,
) -> None:
    """Build a slab with a facet on top and write it to a file."""
    from results.query import parse_miller_index
    from screen.structure_files import write_structure
    from structures.slabs import facets

    built = facets(
        crystal,
        miller_indices=[parse_miller_index(miller_index)],
        min_thickness=thickness,
        min_vacuum=vacuum,
    )
    chosen = built[_chosen(termination, [one.termination for one in built])]
    write_structure(chosen.structure, output)
    console().print(
        f"{chosen.host} {chosen.miller_index} {chosen.termination}: {len(chosen.structure)} atoms, "
        f"area {chosen.area:.2f} Å², "
        f"{'' if chosen.symmetric else 'not '}symmetric; written to {output}"
    )


@app.command(
    epilog="Example: lithiophile structures interface Cu 111 --film-facet 110 --output li-cu.cif"
)
def interface(
    crystal: CrystalArgument,
    miller_index: FacetArgument,
    output: OutputOption,
    film: Annotated[str, typer.Option("--film", help="Crystal laid on it.")] = "Li",
    film_facet: Annotated[
        str, typer.Option("--film-facet", help="Miller index of the film.")
    ] = "110",
    max_strain: Annotated[
        float, typer.Option("--max-strain", help="Largest strain of the film.")
    ] = 0.04,
    max_atoms: Annotated[int, typer.Option("--max-atoms", help="Atoms at most.")] = 200,
    termination: TerminationOption = None,
    registry: Annotated[
        int, typer.Option("--registry", help="Which of the in-plane shifts, from 1.")
    ] = 1,
) -> None:
    """Build a coherent interface in its smallest common cell and write it to a file."""
    from results.query import parse_miller_index
    from screen.errors import CampaignError
    from screen.structure_files import write_structure
    from structures.coherent_interfaces import interfaces

    built = interfaces(
        film,
        crystal,
        film_miller_index=parse_miller_index(film_facet),
        substrate_miller_index=parse_miller_index(miller_index),
        max_strain=max_strain,
        max_atoms=max_atoms,
    )
    labels = list(dict.fromkeys(one.termination for one in built))
    label = labels[_chosen(termination, labels)]
    shifts = [one for one in built if one.termination == label]
    if not 1 <= registry <= len(shifts):
        raise CampaignError(f"--registry = {registry}: there are {len(shifts)}, counted from 1")
    chosen = shifts[registry - 1]
    write_structure(chosen.structure, output)
    strain = " / ".join(f"{100 * part:+.2f}" for part in chosen.film_strain)
    console().print(
        f"{chosen.film_host} {chosen.film_miller_index} on "
        f"{chosen.substrate_host} {chosen.substrate_miller_index}, {chosen.termination}: "
        f"{len(chosen.structure)} atoms, area {chosen.area:.2f} Å², strain of the film "
        f"{strain} % (xx / yy / xy), gap {chosen.gap:.2f} Å, registry {registry} of {len(shifts)}; "
        f"written to {output}"
    )


def _chosen(termination: str | None, labels: list[str]) -> int:
    """Position of the termination asked for; of the only one where none is."""
    from results.errors import nearest
    from screen.errors import CampaignError

    if termination is None:
        if len(labels) > 1:
            raise CampaignError(f"--termination: there are {', '.join(labels)}; name one")
        return 0
    if termination not in labels:
        mend = nearest(termination, labels)
        raise CampaignError(f"--termination = {termination!r}: unknown; {mend}")
    return labels.index(termination)
