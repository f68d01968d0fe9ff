"""The in-context gate: attention over past rounds, then over directions, to what each model is expected to score now.

Shape suffixes: E episodes, B bins of rounds, Z directions, M models, C context columns, W widths, H heads, F features.
(1) Every past round asks which other rounds were like it, in context, pattern and time, and takes over the mean of
their patterns: unrolled mean-shift, which sorts rounds into weathers without naming them. (2) The query asks the same
of all rounds; each head gives a conditional mean of the patterns. (3) In the basis in which these patterns vary most,
a small net says for each direction how far to trust which mean. (4) Directions become models by their loadings, and
what they leave of each model is added, shrunk. Everything is equivariant in the models and blind to copies.
Source: ours; after Garnelo et al. 2018 (neural processes), Mueller et al. 2022 (prior-data fitted networks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tournament.selectors.patterns import CONTEXT_WIDTHS, Sighting
from tournament.selectors.protocol import Floats

RECENT = (10.0, 50.0)
"""Rounds over which the plain recent means look back."""
HEADS, QUERY_HEADS, WIDTH = 4, 8, 48
MEANS = QUERY_HEADS + 1 + len(RECENT)
FAR = -1e9


@dataclass(frozen=True, slots=True)
class Sightings:
    """A batch of sightings as tensors, rounds padded at the old end; allocator and loss read the suffixed fields."""

    loading: Tensor
    share: Tensor
    copies_BM: Tensor
    active_BM: Tensor
    correlation_BMM: Tensor
    score_BM: Tensor
    pattern: Tensor
    smooth: Tensor
    weight: Tensor
    known: Tensor
    age: Tensor
    context: Tensor
    query_context: Tensor
    column: Tensor
    rest: Tensor
    scored: Tensor
    noise: Tensor
    rounds_a_bin: Tensor

    def __len__(self) -> int:
        return len(self.loading)

    def take(self, rows: Tensor) -> Sightings:
        """Some of the episodes."""
        return Sightings(*(getattr(self, field.name)[rows] for field in fields(self)))

    def to(self, device: str) -> Sightings:
        """The same on another device."""
        return Sightings(*(getattr(self, field.name).to(device) for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Asked:
    """A sighting with who is active, how alike they are, and what they scored (zeros where that is not known)."""

    sighting: Sighting
    active_M: NDArray[np.bool_]
    correlations_MM: Floats
    score_M: Floats


def in_contexts(seen: Sightings, query_context: Tensor) -> Sightings:
    """One sighting as many, each with another context of the query (E x C x W); all else is shared."""
    asked = len(query_context)
    shared = {name: wide(getattr(seen, name), asked) for name in (field.name for field in fields(seen))}
    return replace(Sightings(**shared), query_context=query_context)


def wide(values: Tensor, asked: int) -> Tensor:
    """The one row of a batch as many, without a copy."""
    return values.expand(asked, *values.shape[1:])


def stack(asked: Sequence[Asked]) -> Sightings:
    """Pad to the largest number of bins, models and columns, and stack."""
    seen = [one.sighting for one in asked]
    bins, models = max(len(one.age_B) for one in seen), max(len(one.active_M) for one in asked)
    columns = max(len(one.query_context_CW) for one in seen)
    pad = _pad
    return Sightings(
        pad([s.directions.loading_MZ for s in seen], models), _tensor([s.directions.share_Z for s in seen]),
        pad([s.directions.copies_M for s in seen], models, fill=1.0),
        pad([a.active_M.astype(float) for a in asked], models) > 0,
        pad([a.correlations_MM for a in asked], models, models), pad([a.score_M for a in asked], models),
        pad([s.pattern_BZ for s in seen], -bins), pad([s.smooth_BZW for s in seen], -bins),
        pad([s.weight_B for s in seen], -bins), pad([np.ones(len(s.age_B)) for s in seen], -bins) > 0,
        pad([s.age_B for s in seen], -bins), pad([s.context_BCW for s in seen], -bins, columns),
        pad([s.query_context_CW for s in seen], columns),
        pad([np.full(len(s.query_context_CW), 1.0 / max(1, len(s.query_context_CW))) for s in seen], columns),
        pad([s.rest_BM for s in seen], -bins, models), pad([s.scored_BM for s in seen], -bins, models),
        _tensor([np.array(s.noise) for s in seen]), _tensor([np.array(float(s.rounds_a_bin)) for s in seen]),
    )  # fmt: skip


def _pad(arrays: Sequence[Floats], *sizes: int, fill: float = 0.0) -> Tensor:
    """Stack arrays padded along their first axes to these sizes; a negative size pads at the front."""
    out = np.full((len(arrays), *map(abs, sizes), *arrays[0].shape[len(sizes) :]), fill, dtype=np.float32)
    for row, values in enumerate(arrays):
        place = tuple(
            slice(-have if size < 0 else 0, None if size < 0 else have)
            for size, have in zip(sizes, values.shape, strict=False)
        )
        out[(row, *place)] = values
    return torch.from_numpy(out)


def _tensor(arrays: Sequence[Floats]) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(np.float32))


class Likeness(nn.Module):
    """Attention by distance: of contexts at each width, of patterns, and of time, with learned precisions by head."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        start = {
            "context": [-9.0, 0.5, 0.0, 1.0, -1.0, 0.5, 1.0, 0.0],
            "pattern": [-9.0, -1.0, 1.0, 0.0, -9.0, 1.0, 0.0, -1.0],
            "forget": np.log([0.0005, 0.002, 0.005, 0.05, 0.02, 0.0015, 0.002, 0.1]).tolist(),
        }  # fmt: skip
        self.context = nn.Parameter(torch.tensor(start["context"][:heads]))
        self.pattern = nn.Parameter(torch.tensor(start["pattern"][:heads]))
        self.forget = nn.Parameter(torch.tensor(start["forget"][:heads]))
        self.widths = nn.Parameter(torch.zeros(heads, len(CONTEXT_WIDTHS)))

    def forward(self, asking: Keys, asked: Keys, lag: Tensor, weight: Tensor, known: Tensor) -> Tensor:
        """Attention of every asking round to every asked one (E x H x asking x asked)."""
        shares = torch.softmax(self.widths, -1) * self.widths.shape[1]
        contexts = [_distance(asking.context[..., place], asked.context[..., place]) for place in range(len(shares[0]))]
        apart = torch.stack([_distance(asking.pattern, asked.pattern), *contexts, lag.expand(contexts[0].shape)], 1)
        told = [
            0.5 * self.pattern.exp()[:, None],
            0.5 * self.context.exp()[:, None] * shares,
            self.forget.exp()[:, None],
        ]
        logits = torch.einsum("ht,etij->ehij", -torch.cat(told, 1), apart)  # all terms at once: they are large
        bias = torch.log(weight.clamp_min(1e-4)).masked_fill(~known, FAR)
        return torch.softmax(logits + bias[:, None, None], -1)


@dataclass(frozen=True, slots=True)
class Keys:
    """What rounds are compared by: contexts (E x rounds x C x W, scaled by the root of 1 / C) and patterns."""

    context: Tensor
    pattern: Tensor


def _distance(ours: Tensor, theirs: Tensor) -> Tensor:
    """Squared distances of rows (E x ours x theirs)."""
    lengths = (ours**2).sum(-1)[:, :, None] + (theirs**2).sum(-1)[:, None]
    return lengths - 2.0 * ours @ theirs.transpose(1, 2)


class InContextGate(nn.Module):
    """Sightings to expected scores (E x M), in units of the patterns' noise."""

    def __init__(self, layers: int = 2) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Likeness(HEADS) for _ in range(layers)])
        self.mixes = nn.ParameterList([nn.Parameter(torch.zeros(HEADS + 2)) for _ in range(layers)])
        self.asking = Likeness(QUERY_HEADS)
        self.smoothing = nn.Parameter(torch.tensor([1.0, 0.0]))
        self.key_scale = nn.Parameter(torch.tensor(-1.5))
        self.prior = nn.Parameter(torch.zeros(MEANS))
        self.trust = _net(3 * MEANS + 9, WIDTH, MEANS + 1, depth=2)
        self.own = _net(5, 24, 2)

    def forward(self, seen: Sightings) -> Tensor:
        """Expected scores."""
        weathers = self.weathers(seen)
        frame = principal(seen, weathers[1])
        return self.answer(seen, weathers, frame, self.attention(seen, *weathers))

    def answer(
        self, seen: Sightings, weathers: tuple[Tensor, Tensor], frame: tuple[Tensor, Tensor], attention: Tensor
    ) -> Tensor:
        """Expected scores from what the past is (its weathers and their frame) and the query's attention to it."""
        (mean, pattern), (basis, strength) = weathers, frame
        means, counts = self._means(seen, attention, mean)
        expected = self._trusted(seen, (means @ basis, counts), (basis, strength), (mean, pattern))
        by_model = torch.einsum("emz,ez->em", seen.loading, (basis @ expected[..., None])[..., 0])
        return by_model + self._rest(seen, attention, by_model)

    def _keys(self, seen: Sightings, mean: Tensor, pattern: Tensor) -> Keys:
        scaled = seen.context * seen.column.sqrt()[:, None, :, None]
        return Keys(scaled, (pattern - mean[:, None]) * self.key_scale.exp())

    def weathers(self, seen: Sightings) -> tuple[Tensor, Tensor]:
        """Mean pattern of all rounds (E x Z), and each round's after it took over those of its like (E x B x Z)."""
        weight = (seen.weight * seen.known)[..., None]
        mean = (seen.pattern * weight).sum(1) / (weight.sum(1) + 1e-6)
        pattern = (seen.smooth * torch.softmax(self.smoothing, 0)).sum(-1)
        lag = (seen.age[:, :, None] - seen.age[:, None]).abs()
        for layer, mix in zip(self.layers, self.mixes, strict=True):
            keys = self._keys(seen, mean, pattern)
            attention = layer(keys, keys, lag, seen.weight, seen.known)
            share = torch.softmax(mix, 0)
            mixed = (attention * share[:HEADS, None, None]).sum(1)
            pattern = mixed @ seen.pattern + share[HEADS] * pattern + share[HEADS + 1] * mean[:, None]
        return mean, pattern

    def attention(self, seen: Sightings, mean: Tensor, pattern: Tensor) -> Tensor:
        """Attention of the query to the rounds (E x heads x B): by its own context, and by the newest known pattern."""
        keys = self._keys(seen, mean, pattern)
        context = (seen.query_context * seen.column.sqrt()[..., None])[:, None]
        asking = Keys(context, keys.pattern[:, -1:])
        return self.asking(asking, keys, seen.age[:, None], seen.weight, seen.known)[:, :, 0]

    def _means(self, seen: Sightings, attention: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
        """Conditional, overall and recent mean patterns (E x F x Z) and over how many rounds each (E x F)."""
        recent = _recent(seen)
        means = torch.cat([attention @ seen.pattern, mean[:, None], recent @ seen.pattern], 1)
        known = seen.known.float().sum(1, keepdim=True)
        return means, torch.cat([1.0 / (attention**2).sum(-1), known, 1.0 / (recent**2).sum(-1)], 1)

    def _trusted(
        self,
        seen: Sightings,
        found: tuple[Tensor, Tensor],
        frame: tuple[Tensor, Tensor],
        weathers: tuple[Tensor, Tensor],
    ) -> Tensor:
        """Expected pattern in the frame (E x Z): by direction a mix of the means, and how much of it to believe."""
        (means, counts), (basis, strength), (mean, pattern) = found, frame, weathers
        size = means.shape[2]
        by_direction = means.transpose(1, 2)
        overall = (mean[:, None] @ basis)[:, 0]
        varies = _variance(seen, pattern @ basis, overall)
        facts = [
            by_direction.abs().clamp(max=6.0) / 2.0, by_direction.clamp(-6.0, 6.0) / 2.0,
            _spread(torch.log1p(counts) / 4.0, size), _spread(_about(seen), size),
            torch.log(torch.einsum("ezy,ez->ey", basis**2, seen.share) + 1e-4)[..., None] / 4.0,
            torch.log(varies + 1e-2)[..., None], torch.log(strength + 1e-2)[..., None],
            _spread(torch.log(varies.mean(1, keepdim=True) + 1e-2), size),
            _spread(overall.abs().mean(1, keepdim=True), size), by_direction[..., :QUERY_HEADS].std(-1, keepdim=True),
        ]  # fmt: skip
        told = self.trust(torch.cat(facts, -1))
        mix = torch.softmax(told[..., :MEANS] + self.prior, -1)
        return (mix * by_direction).sum(-1) * torch.sigmoid(told[..., MEANS] + 1.0)

    def _rest(self, seen: Sightings, attention: Tensor, by_model: Tensor) -> Tensor:
        """What each model is expected to score beside its directions (E x M), mostly shrunk away."""
        like = torch.cat([attention.mean(1, keepdim=True), _recent(seen)[:, 1:]], 1)
        mean = (like @ seen.rest) / (like @ seen.scored + 1e-3)
        seen_rounds = torch.log1p((seen.scored * seen.rounds_a_bin[:, None, None]).sum(1))
        facts = [
            mean.transpose(1, 2), seen_rounds[..., None] / 4.0, (seen.loading**2).sum(-1, keepdim=True),
            by_model[..., None],
        ]  # fmt: skip
        told = self.own(torch.cat(facts, -1))
        believed = torch.sigmoid(told[..., 0] - 2.0) * torch.sigmoid(seen_rounds - 2.0)
        return mean[:, 0] * believed + 0.1 * told[..., 1]


def _net(inside: int, width: int, outside: int, *, depth: int = 1) -> nn.Sequential:
    """A small net whose answer before any training is zero."""
    last = nn.Linear(width, outside)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    hidden = [part for _ in range(depth - 1) for part in (nn.Linear(width, width), nn.GELU())]
    return nn.Sequential(nn.Linear(inside, width), nn.GELU(), *hidden, last)


def _recent(seen: Sightings) -> Tensor:
    """Weights of the plain recent means (E x 2 x B)."""
    told = torch.log(seen.weight.clamp_min(1e-4))
    logits = torch.stack([told - seen.age / rounds for rounds in RECENT], 1)
    return torch.softmax(logits.masked_fill(~seen.known[:, None], FAR), -1)


def principal(seen: Sightings, pattern: Tensor) -> tuple[Tensor, Tensor]:
    """The basis (E x Z x Z) in which the patterns have their second moments, and these (E x Z); not differentiated."""
    with torch.no_grad():
        kept = pattern * seen.known[..., None]
        moments = torch.einsum("ebz,eby->ezy", kept, kept) / seen.known.sum(1)[:, None, None].clamp_min(1)
        values, basis = torch.linalg.eigh(moments.double())
        values, basis = values.flip(-1).float().clamp_min(0.0), basis.flip(-1).float()
        forward = torch.einsum("em,emz,ezy->ey", seen.active_BM / seen.copies_BM, seen.loading, basis)
        return basis * torch.where(forward < 0, -1.0, 1.0)[:, None], values


def _variance(seen: Sightings, pattern: Tensor, mean: Tensor) -> Tensor:
    """Variance of the patterns over the known rounds (E x Z)."""
    away = (pattern - mean[:, None]) ** 2 * seen.known[..., None]
    return away.sum(1) / seen.known.sum(1, keepdim=True).clamp_min(1)


def _about(seen: Sightings) -> Tensor:
    """How late scores are, how coarse the bins, and how many there are (E x 3)."""
    bins = seen.known.sum(1).float()
    newest = seen.age[:, -1]
    return torch.stack([newest / 5.0, torch.log(seen.rounds_a_bin), torch.log1p(bins * seen.rounds_a_bin) / 6.0], 1)


def _spread(values: Tensor, size: int) -> Tensor:
    """The same values for every direction (E x Z x columns)."""
    return values[:, None].expand(-1, size, -1)
