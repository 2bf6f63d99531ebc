"""The network: three context embeddings and twelve sensors into six class probabilities.

Two heads share the same front. `Perceptron` is the ordinary one. `TiedFlow` is the deliberately expensive one:
one 512 x 512 matrix used again and again, small on disk and slow to run.
"""

import torch
from torch import Tensor, nn

from training.generator import Floats
from training.vocabulary import ASSETS, CLASSES, EMBEDDING_WIDTH, PRODUCTS, RECIPES, SENSORS

FEATURES = 3 * EMBEDDING_WIDTH + len(SENSORS)


class Head(nn.Module):
    """From features float32 [batch, 60] to classes. `forward` answers probabilities, `logits` is what is learnt over."""

    def logits(self, features: Tensor) -> Tensor:
        raise NotImplementedError

    def multiply_adds(self) -> int:
        """Of one batch-1 inference."""
        raise NotImplementedError


class Network(nn.Module):
    """`forward` answers probabilities float32 [batch, 6]; `logits` is what training minimises over.

    product, recipe, asset: int64 [batch]; sensors: float32 [batch, 12] in raw physical units.
    Standardisation is part of the network, so the device never has to know it.
    """

    sensor_mean: Tensor
    sensor_scale: Tensor

    def __init__(self, head: Head, sensor_mean: Floats, sensor_scale: Floats):
        super().__init__()
        self.product = nn.Embedding(PRODUCTS, EMBEDDING_WIDTH)
        self.recipe = nn.Embedding(RECIPES, EMBEDDING_WIDTH)
        self.asset = nn.Embedding(ASSETS, EMBEDDING_WIDTH)
        for table in (self.product, self.recipe, self.asset):
            nn.init.normal_(table.weight, std=0.1)
        self.head = head
        self.register_buffer("sensor_mean", torch.as_tensor(sensor_mean, dtype=torch.float32))
        self.register_buffer("sensor_scale", torch.as_tensor(sensor_scale, dtype=torch.float32))

    def features(self, product: Tensor, recipe: Tensor, asset: Tensor, sensors: Tensor) -> Tensor:
        """Embeddings and standardised sensors, float32 [batch, 60]."""
        standardised = (sensors - self.sensor_mean) / self.sensor_scale
        return torch.cat([self.product(product), self.recipe(recipe), self.asset(asset), standardised], dim=1)

    def logits(self, product: Tensor, recipe: Tensor, asset: Tensor, sensors: Tensor) -> Tensor:
        return self.head.logits(self.features(product, recipe, asset, sensors))

    def forward(self, product: Tensor, recipe: Tensor, asset: Tensor, sensors: Tensor) -> Tensor:
        probabilities: Tensor = self.head(self.features(product, recipe, asset, sensors))
        return probabilities


class Perceptron(Head):
    """Fully connected layers with ReLU between; `hidden` are their widths."""

    def __init__(self, hidden: tuple[int, ...], dropout: float = 0.0):
        super().__init__()
        widths = (FEATURES, *hidden)
        layers = []
        for narrow, wide in zip(widths, widths[1:]):
            layers += [nn.Linear(narrow, wide), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], len(CLASSES)))

    def logits(self, features: Tensor) -> Tensor:
        logits: Tensor = self.layers(features)
        return logits

    def forward(self, features: Tensor) -> Tensor:
        return torch.softmax(self.logits(features), dim=-1)

    def multiply_adds(self) -> int:
        """Multiply-adds of one batch-1 inference."""
        return sum(layer.weight.numel() for layer in self.layers if isinstance(layer, nn.Linear))


class TiedFlow(Head):
    """A neural ODE with one tied block: h' = W relu(norm(h)), integrated from 0 to 1 in equal Euler steps.

    `members` copies of a record start a little apart and their probabilities are averaged. More steps only
    integrate the same curve more finely, so it can be trained with few and served with many: accuracy stays,
    the work grows as steps x members x width^2, the file does not grow at all.
    """

    starts: Tensor

    def __init__(self, width: int, members: int, steps: int, apart: float = 0.05):
        super().__init__()
        self.enter = nn.Linear(FEATURES, width)
        self.norm = nn.LayerNorm(width)
        self.flow = nn.Linear(width, width)
        self.leave = nn.Linear(width, len(CLASSES))
        self.steps = steps
        self.apart = apart
        self.register_buffer("starts", apart * torch.randn(members, width))

    def integrate(self, h: Tensor) -> Tensor:
        for _ in range(self.steps):
            h = h + self.flow(torch.relu(self.norm(h))) * (1.0 / self.steps)
        logits: Tensor = self.leave(h)
        return logits

    def logits(self, features: Tensor) -> Tensor:
        """One member at a fresh random start, [batch, 6]: cheap enough to train on."""
        h = self.enter(features)
        return self.integrate(h + self.apart * torch.randn_like(h))

    def forward(self, features: Tensor) -> Tensor:
        """All members, averaged: [batch, 1, width] + [members, width] -> [batch, 6]."""
        h = self.enter(features).unsqueeze(1) + self.starts
        return torch.softmax(self.integrate(h), dim=-1).mean(dim=1)

    def multiply_adds(self) -> int:
        members = len(self.starts)
        return self.enter.weight.numel() + members * (
            self.steps * self.flow.weight.numel() + self.leave.weight.numel())
