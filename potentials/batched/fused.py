"""The same MACE network with its two costliest parts as matrix products, for CPUs.

On a CPU the network's own code spends most of its time moving intermediate arrays: one of messages,
with channels times angular components per edge, and one of products of features per atom. Here

* the messages that scalar features send are summed over each atom's edges by a matrix product of
  radial weights with spherical harmonics, without an array of single messages;
* the symmetric contraction, a polynomial in an atom's features, is a matrix product of monomials
  with coefficients contracted beforehand for each element; the same product gives its slope.

Energies and forces are the network's own to rounding. What does not have this form (features beyond
scalars, correlation over 3) stays as it is. Second derivatives are not available.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

HIGHEST_CORRELATION = 3


def fused(model: torch.nn.Module) -> torch.nn.Module:
    """A copy of ``model``, sharing its weights, that gives the same numbers faster on a CPU.

    Args:
        model: a network whose parameters need no gradients; if it is not a MACE, it comes back.
    """
    if not (hasattr(model, "interactions") and hasattr(model, "products")):
        return model
    from e3nn.o3 import TensorProduct
    from mace.modules.symmetric_contraction import SymmetricContraction

    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    faster = copy.deepcopy(model, shared)
    for block in cast(Any, faster).interactions:
        if isinstance(block.conv_tp, TensorProduct) and not hasattr(block, "conv_fusion"):
            paths = _scalar_paths(block.conv_tp)
            if paths is not None:
                block.conv_tp = ScalarConvolution(paths)
                block.conv_fusion = True
    for product in cast(Any, faster).products:
        contraction = product.symmetric_contractions
        if not isinstance(contraction, SymmetricContraction):
            continue
        parts = cast(Any, contraction.contractions)
        if all(part.correlation <= HIGHEST_CORRELATION for part in parts):
            product.symmetric_contractions = PolynomialContraction(parts)
    return faster


@dataclass(frozen=True)
class ScalarPaths:
    """A tensor product of scalar features with spherical harmonics, path by path.

    Attributes:
        channels: number of scalar features.
        columns: for each path, the first and last (excluded) spherical harmonic it takes.
        factors: for each path, what the product is multiplied with.
        order: for each block of the result, the path that fills it.
    """

    channels: int
    columns: tuple[tuple[int, int], ...]
    factors: tuple[float, ...]
    order: tuple[int, ...]


def _scalar_paths(product: Any) -> ScalarPaths | None:
    """What ``product`` (e3nn's TensorProduct) does, if it has this form."""
    instructions = product.instructions
    features, harmonics, results = product.irreps_in1, product.irreps_in2, product.irreps_out
    if len(features) != 1 or features[0].ir.dim != 1:
        return None
    if any(each.mul != 1 for each in harmonics) or any(
        path.connection_mode != "uvu" or not path.has_weight for path in instructions
    ):
        return None
    blocks = {path.i_out: i for i, path in enumerate(instructions)}
    if len(blocks) != len(instructions) or len(blocks) != len(results):
        return None
    # The factor of each path, read off one edge with everything set to one.
    ones = [
        torch.ones((1, size), dtype=torch.float64)
        for size in (features.dim, harmonics.dim, product.weight_numel)
    ]
    with torch.no_grad():
        sample = copy.deepcopy(product).to(device="cpu", dtype=torch.float64)(*ones)[0]
    factors = []
    for path in instructions:
        values = sample[results.slices()[path.i_out]]
        if (values - values[0]).abs().max() > 1e-12:
            return None
        factors.append(float(values[0]))
    columns = tuple(
        (harmonics.slices()[path.i_in2].start, harmonics.slices()[path.i_in2].stop)
        for path in instructions
    )
    order = tuple(blocks[i] for i in range(len(results)))
    return ScalarPaths(features[0].mul, columns, tuple(factors), order)


class ScalarConvolution(torch.nn.Module):
    """Messages from scalar features, summed over the edges of each receiver."""

    def __init__(self, paths: ScalarPaths) -> None:
        super().__init__()
        self._paths = paths

    def forward(
        self, features: Tensor, harmonics: Tensor, weights: Tensor, edge_index: Tensor
    ) -> Tensor:
        """Summed messages, (n_atoms, sum of channels times components of each block).

        Args:
            features: (n_atoms, channels).
            harmonics: (n_edges, components).
            weights: (n_edges, paths times channels).
            edge_index: (2, n_edges), sorted by receiver.
        """
        sender, receiver = edge_index
        n_atoms = len(features)
        counts = torch.bincount(receiver, minlength=n_atoms)
        most = int(counts.max()) if len(receiver) else 0
        edges = torch.arange(len(receiver), device=receiver.device)
        place = receiver * most + edges - (counts.cumsum(0) - counts)[receiver]
        edge_at = receiver.new_zeros(n_atoms * most).index_copy(0, place, edges)
        return cast(
            Tensor,
            _SummedMessages.apply(
                features, harmonics, weights, sender, place, edge_at, self._paths
            ),
        )


class _SummedMessages(torch.autograd.Function):
    """Edges are laid out as (n_atoms, most edges of an atom); empty places have no harmonics."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        features: Tensor,
        harmonics: Tensor,
        weights: Tensor,
        sender: Tensor,
        place: Tensor,
        edge_at: Tensor,
        paths: ScalarPaths,
    ) -> Tensor:
        n_atoms = len(features)
        sent = features.index_select(0, sender)
        radial = (weights.unflatten(1, (-1, paths.channels)) * sent[:, None]).flatten(1)
        radial = radial.index_select(0, edge_at).view(n_atoms, -1, radial.shape[1])
        angular = harmonics.new_zeros((len(edge_at), harmonics.shape[1]))
        angular = angular.index_copy_(0, place, harmonics).view(n_atoms, -1, harmonics.shape[1])
        # One product for all paths: the parts that pair a path with another's harmonics are not
        # used, which costs less than products too small for the processor.
        sums = torch.bmm(radial.mT, angular).unflatten(1, (-1, paths.channels))
        blocks = []
        for path in paths.order:
            first, last = paths.columns[path]
            blocks.append((sums[:, path, :, first:last] * paths.factors[path]).flatten(1))
        ctx.save_for_backward(features, weights, sender, place, radial, angular, sent)
        ctx.paths = paths
        return torch.cat(blocks, dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        features, weights, sender, place, radial, angular, sent = ctx.saved_tensors
        paths: ScalarPaths = ctx.paths
        n_atoms = len(features)
        on_sums = slope.new_zeros((n_atoms, len(paths.order), paths.channels, angular.shape[2]))
        done = 0
        for path in paths.order:
            first, last = paths.columns[path]
            size = paths.channels * (last - first)
            block = slope[:, done : done + size].view(n_atoms, paths.channels, last - first)
            torch.mul(block, paths.factors[path], out=on_sums[:, path, :, first:last])
            done += size
        on_sums = on_sums.flatten(1, 2)
        on_radial = torch.bmm(angular, on_sums.mT).flatten(0, 1).index_select(0, place)
        on_radial = on_radial.unflatten(1, (-1, paths.channels))
        on_harmonics = torch.bmm(radial, on_sums).flatten(0, 1).index_select(0, place)
        on_features = None
        if ctx.needs_input_grad[0]:
            share = (on_radial * weights.unflatten(1, (-1, paths.channels))).sum(dim=1)
            on_features = torch.zeros_like(features).index_add_(0, sender, share)
        on_weights = on_radial.mul_(sent[:, None]).flatten(1)
        return on_features, on_harmonics, on_weights, None, None, None, None


class PolynomialContraction(torch.nn.Module):
    """The symmetric contraction of every output irrep, as polynomials of degree up to three."""

    def __init__(self, contractions: Iterable[torch.nn.Module]) -> None:
        super().__init__()
        self._contractions = torch.nn.ModuleList(contractions)
        self._tables: dict[int, tuple[Tensor, Tensor]] = {}

    def forward(self, features: Tensor, one_hot: Tensor) -> Tensor:
        """Contracted features, (n_atoms, sum of channels times components).

        Args:
            features: (n_atoms, channels, components).
            one_hot: (n_atoms, elements).
        """
        species = one_hot.argmax(dim=1)
        groups = [
            (torch.nonzero(species == element)[:, 0], *self._table(element))
            for element in species.unique().tolist()
        ]
        components = [_components(part) for part in self._contractions]
        values = cast(Tensor, _Polynomials.apply(features, groups, sum(components)))
        return torch.cat([part.flatten(1) for part in values.split(components, dim=2)], dim=1)

    def _table(self, element: int) -> tuple[Tensor, Tensor]:
        """Constants (channels, 1, outputs) and coefficients (channels, monomials, outputs).

        Outputs are what features are multiplied with to give the values, then the slopes.
        """
        if element not in self._tables:
            parts = [_coefficients(part, element) for part in self._contractions]
            constant = torch.cat([part[0] for part in parts], dim=1)
            linear = torch.cat([part[1] for part in parts], dim=1)
            quadratic = torch.cat([part[2] for part in parts], dim=1)
            values = torch.cat([linear, quadratic], dim=3)
            slopes = torch.cat([2 * linear, 3 * quadratic], dim=3)
            coefficients = torch.cat([values.flatten(1, 2), slopes.flatten(1, 2)], dim=1).mT
            constants = torch.cat([constant.flatten(1), constant.flatten(1)], dim=1)[:, None]
            self._tables[element] = (constants.contiguous(), coefficients.contiguous())
        return self._tables[element]


class _Polynomials(torch.autograd.Function):
    """Values x.v(x) with v of degree up to two, and their slopes from the same matrix product."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, features: Tensor, groups: list[tuple[Tensor, Tensor, Tensor]], outputs: int
    ) -> Tensor:
        n_atoms, channels, components = features.shape
        one, other = torch.triu_indices(components, components, device=features.device)
        values = features.new_empty((n_atoms, channels, outputs))
        slopes = features.new_empty((n_atoms, channels, outputs, components))
        for atoms, constants, coefficients in groups:
            x = features.index_select(0, atoms).transpose(0, 1).contiguous()
            monomials = torch.cat([x, x[:, :, one] * x[:, :, other]], dim=2)
            both = torch.baddbmm(constants, monomials, coefficients)
            factors, slope = both.view(channels, -1, 2, outputs, components).unbind(2)
            values[atoms] = (factors * x[:, :, None]).sum(dim=3).transpose(0, 1)
            slopes[atoms] = slope.transpose(0, 1)
        ctx.save_for_backward(slopes)
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        (slopes,) = ctx.saved_tensors
        return (slope[..., None] * slopes).sum(dim=2), None, None


def _components(contraction: Any) -> int:
    """2L + 1 of a contraction's output irrep."""
    linear = contraction.U_tensors(1)
    return 1 if linear.dim() == 2 else len(linear)


def _coefficients(contraction: Any, element: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of one output irrep and element: constant, linear and quadratic part of v.

    Returns:
        (channels, outputs, n), (channels, outputs, n, n) and (channels, outputs, n, pairs), with n
        features and the pairs of `torch.triu_indices`.
    """
    outputs, correlation = _components(contraction), contraction.correlation
    weights = {correlation: contraction.weights_max}
    weights |= {correlation - 1 - i: weight for i, weight in enumerate(contraction.weights)}
    full = []
    for degree in (1, 2, 3):
        couplings = contraction.U_tensors(min(degree, correlation))
        couplings = (
            couplings if couplings.dim() == min(degree, correlation) + 2 else couplings[None]
        )
        if degree > correlation:
            n = couplings.shape[1]
            full.append(couplings.new_zeros((weights[1].shape[2], outputs, *[n] * degree)))
        else:
            full.append(torch.tensordot(weights[degree][element].T, couplings, dims=([1], [-1])))
    constant, linear, quadratic = full
    linear = (linear + linear.mT) / 2
    orders = [(2, 3, 4), (2, 4, 3), (3, 2, 4), (3, 4, 2), (4, 2, 3), (4, 3, 2)]
    quadratic = torch.stack([quadratic.permute(0, 1, *order) for order in orders]).mean(dim=0)
    n = linear.shape[2]
    one, other = torch.triu_indices(n, n, device=linear.device)
    twice = torch.where(one == other, 1.0, 2.0).to(linear.dtype)
    return constant, linear, quadratic[:, :, :, one, other] * twice
