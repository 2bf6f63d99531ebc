"""The words of the data: classes, sensors and context sizes, in the index order every model uses."""

from dataclasses import dataclass

# Index order is part of the model's interface. `normal` is first; the rest are failure modes.
CLASSES = ("normal", "bearing_wear", "overheating", "misalignment", "electrical_fault", "tool_wear")
NORMAL = CLASSES.index("normal")

PRODUCTS = 100
RECIPES = 50
ASSETS = 200
EMBEDDING_WIDTH = 16


@dataclass(frozen=True)
class Sensor:
    """One column of `sensors`, in raw physical units.

    nominal  -- what a typical healthy machine shows, in `unit`
    spread   -- natural variation as a fraction of nominal (one standard unit of the generator)
    decimals -- resolution of the instrument: readings are rounded to this many decimals
    """

    name: str
    unit: str
    nominal: float
    spread: float
    decimals: int


SENSORS = (
    Sensor("vibration_rms_mm_s", "mm/s", 2.4, 0.20, 3),
    Sensor("vibration_axial_mm_s", "mm/s", 1.1, 0.22, 3),
    Sensor("vibration_kurtosis", "1", 3.2, 0.15, 3),
    Sensor("bearing_temperature_c", "°C", 52.0, 0.08, 2),
    Sensor("motor_temperature_c", "°C", 68.0, 0.08, 2),
    Sensor("current_a", "A", 18.0, 0.12, 2),
    Sensor("current_imbalance_pct", "%", 1.6, 0.22, 3),
    Sensor("supply_voltage_v", "V", 400.0, 0.012, 1),
    Sensor("speed_rpm", "rpm", 2950.0, 0.06, 0),
    Sensor("torque_nm", "N·m", 46.0, 0.13, 2),
    Sensor("acoustic_level_db", "dB", 74.0, 0.05, 1),
    Sensor("coolant_flow_l_min", "L/min", 12.5, 0.10, 2),
)

CONTEXT_INPUTS = ("product", "recipe", "asset")
INPUTS = (*CONTEXT_INPUTS, "sensors")
OUTPUT = "probabilities"
