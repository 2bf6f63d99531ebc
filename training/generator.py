"""Seeded synthetic machine data: one fixed factory, and records drawn from it.

The factory (`Factory`) is the part a model can learn: how each asset, product and recipe shifts what the
sensors show, and what each failure looks like. A draw (`draw`) is a set of records seen in that factory.
Everything below is in standard units `z`; the last step turns `z` into physical units.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.vocabulary import ASSETS, CLASSES, NORMAL, PRODUCTS, RECIPES, SENSORS

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Index = slice | npt.NDArray[np.intp]

FACTORY_SEED = 2025
MACHINE_FAMILIES = 4
RECIPES_PER_PRODUCT = 5
CLASS_SHARE = np.array([0.70, 0.075, 0.06, 0.055, 0.045, 0.065])

# One row per class, one column per sensor (order of SENSORS), in standard units at severity 1.
#                       rms  axial kurt  b.tmp m.tmp  cur  imbal  volt  spd  torq  acou  cool
SIGNATURE = np.array([[ 0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0,  0.0],  # normal
                      [ 1.9,  0.5,  2.4,  1.5,  0.2,  0.2,  0.0,  0.0, -0.2,  0.4,  1.5,  0.0],  # bearing_wear
                      [ 0.2,  0.1,  0.1,  1.4,  2.7,  0.7,  0.2, -0.2, -0.2,  0.3,  0.1, -2.0],  # overheating
                      [ 1.6,  2.8,  0.3,  0.9,  0.3,  0.5,  0.1,  0.0, -0.1,  1.1,  0.5,  0.0],  # misalignment
                      [ 0.3,  0.0,  0.1,  0.2,  1.2,  1.5,  2.7, -1.7, -0.5,  0.0,  0.4,  0.0],  # electrical_fault
                      [ 0.9,  0.4,  0.4,  0.2,  0.5,  1.6,  0.2, -0.1, -1.0,  2.3,  1.7,  0.1]])  # tool_wear
# How a heavy product and a fast recipe move healthy sensors.
LOAD_RESPONSE = np.array([0.4, 0.2, 0.1, 0.4, 0.7, 0.9, 0.1, -0.3, -0.5, 1.0, 0.3, 0.1])
PACE_RESPONSE = np.array([0.6, 0.3, 0.2, 0.5, 0.6, 0.4, 0.1, -0.1, 1.0, -0.2, 0.7, 0.2])

SEVERITY_MEDIAN = 1.25
SEVERITY_SPREAD = 0.30  # of log severity
BENIGN_WEAR = 0.22      # healthy machines show a little of one failure too


@dataclass(frozen=True)
class Records:
    """Arrays of equal length n: product, recipe, asset, label int64 [n]; sensors float32 [n, 12], physical units."""

    product: Ints
    recipe: Ints
    asset: Ints
    sensors: Floats
    label: Ints

    def __len__(self) -> int:
        return len(self.label)

    def take(self, index: Index) -> "Records":
        """The records at `index` (slice or integer array)."""
        return Records(self.product[index], self.recipe[index], self.asset[index],
                       self.sensors[index], self.label[index])


@dataclass(frozen=True)
class Factory:
    """What stays the same between draws. Offsets are [things, 12] in standard units."""

    asset_offset: Reals
    product_offset: Reals
    recipe_offset: Reals
    product_load: Reals       # [100] in -1..1
    recipe_pace: Reals        # [50] in -1..1
    product_recipes: Ints    # [100, 5] the recipes a product is made with
    asset_class_odds: Reals   # [200, 6] how prone an asset is to each class, 1 = typical
    asset_signature: Reals    # [200, 6, 12] the failure's look on this asset's family


def build_factory(seed: int = FACTORY_SEED) -> Factory:
    """The one factory all demo data comes from; the same seed gives the same factory."""
    rng = np.random.default_rng(seed)
    width = len(SENSORS)
    family = rng.integers(0, MACHINE_FAMILIES, ASSETS)
    family_offset = rng.normal(0, 0.8, (MACHINE_FAMILIES, width))
    family_signature = SIGNATURE * rng.uniform(0.7, 1.3, (MACHINE_FAMILIES, len(CLASSES), width))
    odds = np.exp(rng.normal(0, 0.5, (ASSETS, len(CLASSES))))
    odds[:, NORMAL] = 1.0
    return Factory(
        asset_offset=family_offset[family] + rng.normal(0, 0.9, (ASSETS, width)),
        product_offset=rng.normal(0, 0.35, (PRODUCTS, width)),
        recipe_offset=rng.normal(0, 0.45, (RECIPES, width)),
        product_load=rng.uniform(-1, 1, PRODUCTS),
        recipe_pace=rng.uniform(-1, 1, RECIPES),
        product_recipes=np.stack([rng.choice(RECIPES, RECIPES_PER_PRODUCT, replace=False) for _ in range(PRODUCTS)]),
        asset_class_odds=odds,
        asset_signature=family_signature[family],
    )


def draw(factory: Factory, count: int, seed: int) -> Records:
    """`count` independent records; the same factory, count and seed give the same bytes."""
    rng = np.random.default_rng([seed, count])
    asset = rng.integers(0, ASSETS, count)
    product = rng.integers(0, PRODUCTS, count)
    recipe = factory.product_recipes[product, rng.integers(0, RECIPES_PER_PRODUCT, count)]
    load, pace = factory.product_load[product], factory.recipe_pace[recipe]

    odds = CLASS_SHARE * factory.asset_class_odds[asset]
    odds[:, CLASSES.index("tool_wear")] *= np.exp(0.5 * load)      # heavy products eat tools
    odds[:, CLASSES.index("overheating")] *= np.exp(0.5 * pace)    # fast recipes run hot
    odds[:, 1:] *= ((1 - CLASS_SHARE[NORMAL]) / CLASS_SHARE[NORMAL]) * odds[:, NORMAL].mean() / odds[:, 1:].sum(1).mean()
    label = (rng.random((count, 1)) > np.cumsum(odds / odds.sum(1, keepdims=True), axis=1)).sum(1)

    healthy = label == NORMAL
    shown = np.where(healthy, rng.integers(1, len(CLASSES), count), label)
    severity = np.where(healthy, np.abs(rng.normal(0, BENIGN_WEAR, count)),
                        SEVERITY_MEDIAN * np.exp(rng.normal(0, SEVERITY_SPREAD, count)))

    z = factory.asset_offset[asset] + factory.product_offset[product] + factory.recipe_offset[recipe]
    z += load[:, None] * LOAD_RESPONSE + pace[:, None] * PACE_RESPONSE + 0.3 * (load * pace)[:, None] * LOAD_RESPONSE
    z += (severity * (1 + 0.2 * load))[:, None] * factory.asset_signature[asset, shown]
    z += rng.normal(0, 0.5, (count, 1)) * PACE_RESPONSE            # the hour's ambient and operator, shared by sensors
    z += rng.normal(0, 0.8, z.shape)                               # each sensor's own noise
    return Records(product, recipe, asset, to_physical(z), label)


def to_physical(z: Reals) -> Floats:
    """Standard units [n, 12] to physical units float32 [n, 12], rounded to each instrument's resolution."""
    columns = [np.round(s.nominal * np.exp(s.spread * z[:, i]), s.decimals) for i, s in enumerate(SENSORS)]
    return np.stack(columns, axis=1).astype(np.float32)
