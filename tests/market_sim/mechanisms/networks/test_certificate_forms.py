"""Affine forms hold every value that the operation takes in the box, and little more."""

from fractions import Fraction

import pytest
import torch
from torch import nn

import market_sim as ms
from market_sim.mechanisms.networks.certificate import ENCLOSURES
from market_sim.mechanisms.networks.certificate_forms import Form, Parts, box_form, form_of

OTHER = torch.tensor([[1.5, -2.0, 0.5]]).double()
MATRIX = torch.tensor([[1.0, -2.0], [0.5, 3.0], [-1.5, 0.25]]).double()
OPERATIONS = {
    "add": lambda z: z + OTHER,
    "subtract from": lambda z: 2.0 - z,
    "subtract": lambda z: z - OTHER,
    "negative": lambda z: -z,
    "multiply": lambda z: z * OTHER,
    "product": lambda z: z * z.flip(-1),
    "square": lambda z: z.square(),
    "power": lambda z: z**2,
    "divide": lambda z: z / OTHER,
    "divide by": lambda z: OTHER / (z + 4.0),
    "tanh": torch.tanh,
    "steep tanh": lambda z: torch.tanh(4.0 * z),
    "sigmoid": torch.sigmoid,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": lambda z: (z + 4.0).log(),
    "sqrt": lambda z: (z + 4.0).sqrt(),
    "relu": torch.relu,
    "clamp": lambda z: z.clamp(-0.4, 0.3),
    "clamp below": lambda z: z.clamp(min=0.1),
    "clamp above": lambda z: z.clamp(max=0.1),
    "softmax": lambda z: z.softmax(dim=-1),
    "steep softmax": lambda z: (5.0 * z).softmax(dim=-1),
    "matrix": lambda z: z @ MATRIX,
    "matrix from the left": lambda z: MATRIX.T @ z.mT,
    "two forms": lambda z: z.unsqueeze(-2) @ z.unsqueeze(-1),
    "linear layer": nn.Linear(3, 2, dtype=torch.float64).requires_grad_(requires_grad=False),
    "sum and mean": lambda z: z.sum(dim=-1) - z.mean(dim=-1),
    "stack and cut": lambda z: torch.stack([z[..., 0], z[..., 2]], dim=-1).unbind(dim=-1)[1],
    "join": lambda z: torch.cat([z, OTHER.expand(z.shape)], dim=-1),
    "where": lambda z: torch.where(OTHER > 0, z, 2.0 * z),
    "order": lambda z: torch.where(z > -50.0, z, torch.zeros_like(z)),
    "shapes": lambda z: z.unflatten(-1, (3, 1)).flatten(-2).expand(2, *z.shape)[1],
    "float": lambda z: z.float().double(),
}


def boxes(width, seed=0):
    """Some rows of forms that depend on both inputs, and the same as a function of them."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn((40, 3, 2), generator=generator, dtype=torch.float64)
    shift = 0.5 * torch.randn((40, 3), generator=generator, dtype=torch.float64)
    low = torch.rand((40, 2), generator=generator, dtype=torch.float64)
    high = low + width

    def lines(one, two):
        return weight[..., 0] * one[:, None] + weight[..., 1] * two[:, None] + shift

    inputs = [box_form(low[:, axis], high[:, axis], axis) for axis in (0, 1)]
    return lines, lines(*inputs), low, high


def inside(low, high, count, seed=1):
    """Points of the boxes: random ones, corners and centers."""
    generator = torch.Generator().manual_seed(seed)
    for share in torch.rand((count, *low.shape), generator=generator, dtype=torch.float64):
        yield low + share * (high - low)
    for corner in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.5)):
        yield low + torch.tensor(corner, dtype=torch.float64) * (high - low)


@pytest.mark.parametrize("width", [0.0, 0.01, 0.3, 1.0])
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_value_in_the_box_is_enclosed(name, width):
    lines, form, low, high = boxes(width)
    if (form_of(form).bounds()[0] <= -4.0).any() and name in ("divide by", "log", "sqrt"):
        form = form * 0.3  # these need what is positive
        lines_before = lines

        def lines(one, two):
            return 0.3 * lines_before(one, two)

    operation = OPERATIONS[name]
    enclosed = operation(form)
    least, most = form_of(enclosed).bounds()
    spread = torch.full((2, *least.shape), torch.nan).double()
    for point in inside(low, high, 60):
        value = operation(lines(*point.unbind(dim=1)))
        assert value.shape == enclosed.shape
        tolerance = 1e-6 if name == "float" else 0.0  # the rule keeps double precision
        assert (value >= least - tolerance).all()
        assert (value <= most + tolerance).all()
        spread[0], spread[1] = torch.fmin(spread[0], value), torch.fmax(spread[1], value)
    if width == 0.0:
        assert (most - least).max() < 1e-10
    if width == 0.01:
        assert ((most - least) <= 1.5 * (spread[1] - spread[0]) + 1e-2).all()


@pytest.mark.parametrize("name", ["tanh", "exp", "softmax", "product", "log", "sqrt", "divide by"])
def test_what_is_beyond_a_line_shrinks_with_the_square_of_the_width(name):
    errors = []
    for width in (0.02, 0.002):
        form = 0.3 * boxes(width)[1]
        errors.append(form_of(OPERATIONS[name](form)).error.max())
    assert errors[1] < errors[0] / 80


def test_a_box_without_width_is_a_constant():
    place = torch.tensor([0.7], dtype=torch.float64)
    form = box_form(place, place, 0)
    low, high = form_of(form).bounds()
    assert low <= 0.7 <= high
    assert high - low < 2e-15


def test_wide_boxes_give_what_is_true_everywhere():
    zero = torch.zeros(3, dtype=torch.float64)
    wide = Form(Parts(zero, zero + 30.0, zero, zero))
    low, high = form_of(wide.softmax(dim=-1)).bounds()
    assert -1e-9 < low.min() < high.max() < 1 + 1e-9
    low, high = form_of(torch.tanh(wide)).bounds()
    assert -1 - 1e-9 < low.min() < high.max() < 1 + 1e-9


@pytest.mark.parametrize("operation", [torch.log, torch.sqrt, torch.reciprocal])
def test_of_what_reaches_zero_nothing_is_known(operation):
    low = torch.tensor([-0.1, 0.1], dtype=torch.float64)
    least, most = form_of(operation(box_form(low, low + 1.0, 0))).bounds()
    assert least.isnan().tolist() == most.isnan().tolist() == [True, False]


def test_a_result_made_of_an_extreme_of_all_profiles_is_unknown():
    form = boxes(0.1)[1]
    assert not float(form.max()) > -1e9
    low, high = form_of(form * form.max()).bounds()
    assert low.isnan().all()
    assert high.isnan().all()


def test_rounding_is_part_of_the_enclosure():
    """A sum that cancels: what is left is rounding, which the error must cover."""
    exact = torch.full((200,), 0.1, dtype=torch.float64)
    form = box_form(exact, exact, 0)
    apart = (form * 1e9).sum() - (form.flip(0) * 1e9).mean() * 200.0
    low, high = form_of(apart).bounds()
    value = (exact * 1e9).sum() - (exact.flip(0) * 1e9).mean() * 200.0
    assert low <= value <= high
    assert low < 0 < high
    assert high - low < 1e-2


def test_the_exact_sum_is_enclosed_too():
    """The enclosure's own rounding, too, is part of it: compared with fractions."""
    place = torch.tensor([0.1], dtype=torch.float64)
    form = total = box_form(place, place, 0)
    for _ in range(1000):
        total = total + form
    low, high = (Fraction(float(bound)) for bound in form_of(total).bounds())
    exact = 1001 * Fraction(0.1)
    assert low <= exact <= high
    assert Fraction(float(form_of(total).center)) != exact


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (torch.sin, "uses? the operation 'sin'"),
        (lambda z: z.argmax(), "operation 'argmax'"),
        (lambda z: z**3, "exponent 2 only"),
        (lambda z: z > 0.0, "order changes within a box"),
        (lambda z: z.max(dim=-1), "a maximum along an axis has no enclosure"),
    ],
)
def test_what_has_no_enclosure_is_refused(operation, words):
    form = boxes(1.0)[1]
    with pytest.raises(ms.InvalidInput, match=words) as caught:
        operation(form)
    assert "\n" not in str(caught.value)


def test_the_rules_are_registered_by_importing_them():
    assert {module.__name__.rsplit("_", 1)[1] for module in ENCLOSURES} == {"rules", "curves"}
    assert "Form(shape=(40, 3)" in repr(boxes(1.0)[1])
