"""
Every setting: frozen types with their defaults. Standard library only.

`stream.configuration` loads them.
"""

from stream.settings.instance_names import DOCTOR_INSTANCE, REPLAY_INSTANCE, TAKEN_INSTANCES
from stream.settings.mlflow_settings import MlflowSettings
from stream.settings.plain_values import taken_plainly
from stream.settings.setting_tables import (
    SIGN_PASSWORD,
    BatchingSettings,
    DeadLetterSettings,
    DeliverySettings,
    InputSettings,
    KafkaSettings,
    LoggingSettings,
    ModelSettings,
    OutputSettings,
    RegistrySettings,
    ServeSettings,
    Settings,
    TelemetrySettings,
    WebSettings,
)
from stream.settings.setting_types import Bytes, Framing, Properties, Range, Seconds, Secret, Secrets, Side

__all__ = [
    "DOCTOR_INSTANCE",
    "REPLAY_INSTANCE",
    "SIGN_PASSWORD",
    "TAKEN_INSTANCES",
    "BatchingSettings",
    "Bytes",
    "DeadLetterSettings",
    "DeliverySettings",
    "Framing",
    "InputSettings",
    "KafkaSettings",
    "LoggingSettings",
    "MlflowSettings",
    "ModelSettings",
    "OutputSettings",
    "Properties",
    "Range",
    "RegistrySettings",
    "Seconds",
    "Secret",
    "Secrets",
    "ServeSettings",
    "Settings",
    "Side",
    "TelemetrySettings",
    "WebSettings",
    "taken_plainly",
]
