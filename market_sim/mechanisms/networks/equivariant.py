"""EquivariantRegretNet: one learned auction for every number of owners."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from market_sim.errors import InvalidInput
from market_sim.mechanisms.base import Guarantees
from market_sim.mechanisms.networks.attack_trials import changed, in_type
from market_sim.mechanisms.networks.base import Bids, DifferentiableMechanism, ExpectedOutcome
from market_sim.mechanisms.networks.checkpoints import load_network
from market_sim.mechanisms.networks.draws import market_uniforms
from market_sim.mechanisms.networks.equivariant_net import EquivariantNet
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array, as_budget, whole_number

KIND = "equivariant-net"
Variant = Literal["deterministic", "random"]
_CELLS = 2**17  # options of all owners worked on at once


@dataclass(frozen=True)
class EquivariantRegretNet(DifferentiableMechanism):
    r"""Option m of M, m eps_bar_i / M, pays T_i(m) = B exp(l) phi_i(m); each owner takes her best.

    l is the highest level at which all payments together cost at most the budget. phi_i comes from
    a network that is the same for every owner and sees her data size and pooled statistics of the
    others, so one network serves any number of owners, in time and memory O(n), and a permutation
    of the owners permutes the outcome. The payments are shares of the budget; the rest stays
    unspent. An owner's report moves her choice, which is the best for what she says, and the
    level: the smaller her share of the market, the less a lie is worth.

    Parameters
    ----------
    network
        Name of a shipped network or path of a file.
    variant
        - "deterministic" (default): the best option is taken, none if all are below cost, and
          only who sells is paid. Individually rational and budget feasible exactly.
        - "random": an option is drawn from a softmax of the gains and every owner is paid the
          expected sum, whatever is drawn. Budget feasible exactly, rational in expectation and
          nearly.
    seed
        Of the draws of the random variant; a lie about value or cap meets the same luck.
    options
        M, checked against the network's if given.

    Raises
    ------
    InvalidInput
        If there is no such network, its file is damaged, or it is of another kind or another M.

    Notes
    -----
    Source: FL-Market [S], 2022: sub-bids m eps_bar / M, softmax over options and losing, shares of
    the budget with an unspent one, training on the error bound with regret; [D] the equivariant
    network and its common level.
    """

    network: str | Path = "equivariant-2022"
    variant: Variant = "deterministic"
    seed: int = 0
    options: int | None = None

    def __post_init__(self) -> None:
        if self.variant not in get_args(Variant):
            raise InvalidInput(f"unknown variant {self.variant!r}, expected {get_args(Variant)}")
        whole_number("seed", self.seed, 0)
        count = self.module.settings.options
        if self.options is not None and whole_number("options", self.options, 1) != count:
            raise InvalidInput(
                f"the network {self.network} has M = {count} options an owner but {self.options} "
                f"were asked for: name a network trained with {self.options}"
            )

    @cached_property
    def _stored(self) -> tuple[Mapping[str, Any], EquivariantNet]:
        stored = load_network(self.network, KIND)
        module = EquivariantNet.from_stored(stored.metadata, stored.tensors)
        return stored.metadata, module.double().requires_grad_(False).eval()

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Settings, law of the training, recipe and figures of the training."""
        return self._stored[0]

    @property
    def module(self) -> EquivariantNet:
        """The network, in double precision, parameters fixed."""
        return self._stored[1]

    @property
    def guarantees(self) -> Guarantees:
        """Budget feasibility always; rationality and anonymity of the deterministic variant."""
        fixed = self.variant == "deterministic"
        return Guarantees(
            individually_rational=fixed,
            budget_feasible=True,
            deterministic=fixed,
            anonymous=fixed,
        )

    @property
    def name(self) -> str:
        """`equivariant-regret-net`, with `-random` for the random variant."""
        ending = "" if self.variant == "deterministic" else "-random"
        return f"equivariant-regret-net{ending}"

    def realize(self, seed: int) -> Self:
        """Return the same auction with other draws."""
        return replace(self, seed=seed)

    def expected_outcome(self, bids: Bids, budget: Float[Tensor, "*profiles"]) -> ExpectedOutcome:
        """Return the law of the outcome; see `DifferentiableMechanism.expected_outcome`."""
        smooth = 1.0 if self.variant == "random" else 0.0
        outcome = self.module(in_type(bids, torch.float64), budget.double(), temperature=smooth)
        assert isinstance(outcome, ExpectedOutcome)
        return outcome

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        money = as_budget(budget, reports.profiles)
        owners = reports.owners
        rows = changed(Bids.from_reports(reports), lambda column: column.reshape(-1, owners))
        purse = torch.from_numpy(money.reshape(-1))
        size = max(1, _CELLS // (owners * self.module.settings.options))
        blocks = [slice(start, start + size) for start in range(0, len(purse), size)]
        parts = [self._expect(_block(rows, block), purse[block]) for block in blocks]
        chance, paid = (np.concatenate(column) for column in zip(*parts, strict=True))
        option = self._choose(chance.reshape(*reports.shape, -1), reports, money)
        sold = np.append(0.0, self.module.shares.numpy())[option] * reports.cap
        return Outcome(sold, paid.reshape(reports.shape), money, reports.data_size)

    @torch.no_grad()
    def _expect(self, bids: Bids, budget: Tensor) -> tuple[Array, Array]:
        """Return chances and payments of some profiles, `(rows, owners[, M + 1])`."""
        expected = self.expected_outcome(bids, budget)
        return expected.probability.numpy(), expected.payment.numpy()

    def _choose(self, chance: Array, reports: Reports, money: Array) -> NDArray[np.intp]:
        """Return the option of each owner, 0 for losing."""
        if self.variant == "deterministic":
            return np.asarray(chance.argmax(axis=-1))
        luck = market_uniforms(reports, money, self.seed)
        below = chance[..., :-1].cumsum(axis=-1) <= luck[..., None]
        return np.asarray(below.sum(axis=-1))


def _block(bids: Bids, rows: slice) -> Bids:
    return changed(bids, lambda column: column[rows])
