"""What a configuration names, opened: its model package, the schemas of its topics, its scoring pipeline."""

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.resources.known_writers import KnownWriters
    from stream.resources.model_package import (
        ask_early,
        asked_of,
        log_origin,
        open_behind_child,
        open_configured,
    )
    from stream.resources.model_place import (
        is_remote,
        kept_versions,
        local_model,
        package_folder,
        registered_version,
        version_wanted,
    )
    from stream.resources.package_trust import trust_of
    from stream.resources.scoring_pipeline import build_pipeline
    from stream.resources.topic_schemas import (
        chosen_schema,
        input_schema,
        package_schema,
        package_writers,
        prefix_of,
        read_schema,
        registry_client,
        row_reader,
        subject_of,
        writers_of,
    )
    from stream.resources.value_schemas import ExaminedValue, ValueSchemas, opened_schemas

__all__ = [
    "ExaminedValue",
    "KnownWriters",
    "ValueSchemas",
    "ask_early",
    "asked_of",
    "build_pipeline",
    "chosen_schema",
    "input_schema",
    "is_remote",
    "kept_versions",
    "local_model",
    "log_origin",
    "open_behind_child",
    "open_configured",
    "opened_schemas",
    "package_folder",
    "package_schema",
    "package_writers",
    "prefix_of",
    "read_schema",
    "registered_version",
    "registry_client",
    "row_reader",
    "subject_of",
    "trust_of",
    "version_wanted",
    "writers_of",
]

__getattr__ = lazy_face(__name__)
