"""Model packages on disk: opened with every hash checked first, and written so that a half one is never seen."""

from typing import TYPE_CHECKING

from stream.lazy import lazy_face

if TYPE_CHECKING:
    from stream.store.catalogue import Listed, Shown, Switched, list_versions, roll_back, show_version
    from stream.store.engine_choice import Engine
    from stream.store.folder import (
        CARD,
        MANIFEST,
        MLMODEL,
        SIGNATURE,
        current_version,
        make_current,
        resolve,
        versions,
    )
    from stream.store.golden import Golden
    from stream.store.libraries import differences, distributions_of, library_versions
    from stream.store.manifests import EVENTS_FILE, NAME
    from stream.store.mlflow_folder import read_mlflow_head
    from stream.store.opening import (
        STEPS,
        Head,
        Package,
        Witness,
        events_of,
        golden_of,
        open_package,
        read_vouched_head,
        unwatched,
    )
    from stream.store.opening_child import answer, import_usual
    from stream.store.pack_request import PackRequest
    from stream.store.packing import Packed, pack, pack_estimator_file, rehearse
    from stream.store.projection import carried_paths
    from stream.store.registered_copy import (
        REGISTERED,
        registered_content,
        registered_of,
        write_registered,
    )
    from stream.store.signature import PublicKey, SigningKey, is_encrypted
    from stream.store.trust import Trust, check_signature, check_total, signature_of
    from stream.store.version_copy import Copied, copy_version
    from stream.store.version_files import read_file, read_head, read_vouched

__all__ = [
    "CARD",
    "EVENTS_FILE",
    "MANIFEST",
    "MLMODEL",
    "NAME",
    "REGISTERED",
    "SIGNATURE",
    "STEPS",
    "Copied",
    "Engine",
    "Golden",
    "Head",
    "Listed",
    "PackRequest",
    "Package",
    "Packed",
    "PublicKey",
    "Shown",
    "SigningKey",
    "Switched",
    "Trust",
    "Witness",
    "answer",
    "carried_paths",
    "check_signature",
    "check_total",
    "copy_version",
    "current_version",
    "differences",
    "distributions_of",
    "events_of",
    "golden_of",
    "import_usual",
    "is_encrypted",
    "library_versions",
    "list_versions",
    "make_current",
    "open_package",
    "pack",
    "pack_estimator_file",
    "read_file",
    "read_head",
    "read_mlflow_head",
    "read_vouched",
    "read_vouched_head",
    "registered_content",
    "registered_of",
    "rehearse",
    "resolve",
    "roll_back",
    "show_version",
    "signature_of",
    "unwatched",
    "versions",
    "write_registered",
]

__getattr__ = lazy_face(__name__)
