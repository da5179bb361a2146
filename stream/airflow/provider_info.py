"""
What Airflow is told of this provider, by the entry point `apache_airflow_provider`.

It is read while `airflow.sdk` is being imported: whatever imports that here, even indirectly, is a circular import.
"""

from __future__ import annotations

__all__ = ["get_provider_info"]

_NAME = "prediction-stream"


def get_provider_info() -> dict[str, object]:
    """The provider's metadata, as Airflow's `provider_info.schema.json` describes it."""
    assets = "stream.airflow.asset_uris"
    return {
        "package-name": _NAME,
        "name": "prediction-stream",
        "description": "Trains models with `stream train`, and scores files with `stream batch`.",
        "integrations": [{"integration-name": _NAME, "tags": ["software"]}],
        "operators": [{"integration-name": _NAME, "python-modules": ["stream.airflow.operators"]}],
        "triggers": [{"integration-name": _NAME, "python-modules": ["stream.airflow.run_trigger"]}],
        "asset-uris": [
            {
                "schemes": ["stream-model"],
                "handler": f"{assets}.sanitize",
                "factory": f"{assets}.model_asset",
                "to_openlineage_converter": f"{assets}.lineage_dataset",
            },
            {
                "schemes": ["stream-predictions"],
                "handler": f"{assets}.sanitize",
                "factory": f"{assets}.predictions_asset",
                "to_openlineage_converter": f"{assets}.lineage_dataset",
            },
        ],
        "extra-links": [
            f"stream.airflow.links.{name}" for name in ("ModelCardLink", "OutputLink", "TrackedRunLink")
        ],
        "config": {
            "prediction_stream": {
                "description": "The operators of prediction-stream.",
                "options": {
                    "command": {
                        "description": "How `stream` is started, where an operator does not say it.\n",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "/opt/stream/bin/stream",
                        "default": "",
                    },
                    "file_urls": {
                        "description": "JSON: where folders can be read in a browser, for the links in the UI.\n",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": '{"/data": "https://files.example/data"}',
                        "default": "",  # Airflow formats it: a brace would end every command of Airflow
                    },
                },
            }
        },
    }
