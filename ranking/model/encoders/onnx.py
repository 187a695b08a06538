"""An encoder in an ONNX file, on the host's processor."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ranking.encoders import External
from ranking.model.encoders.external import Opened
from ranking.model.encoders.trial import tried

FLOAT = "tensor(float)"
"""What ONNX Runtime calls float32."""

AXES = 4
"""Of an input: photos, colours, rows and columns."""

NOWHERE = "/nonexistent"
"""Where weights beside the file are looked for, and not found: what is not in the file is not
in its digest."""

WAY_OUT = "export it with one input [photos, 3, side, side] of float32"


def opened(settings: External) -> Opened:
    """Returns the encoder of ``settings``; a file that did not change is opened once.

    Raises:
        ValueError: The file, or ONNX Runtime, is not there, or it is no encoder; one sentence.
    """
    path = Path(settings.place)
    if not settings.place or not path.is_file():
        raise ValueError(
            f"ranking.encoder.file={settings.place} is no file: name an ONNX file, as "
            "ranking.encoder.file=encoder.onnx; a device names its own, as node-config encoder."
        )
    found = path.stat()
    return _opened(path, found.st_mtime_ns, found.st_size, settings.side)


@lru_cache(maxsize=4)
def _opened(path: Path, _changed: int, _size: int, side: int) -> Opened:
    try:
        content = path.read_bytes()
    except OSError as failure:
        raise ValueError(f"{path} cannot be read: {failure.strerror}.") from failure
    session = _session(content, path)
    at_once = _fits(session.get_inputs(), session.get_outputs(), side=side, path=path)
    name = session.get_inputs()[0].name

    def embed(photos: Tensor) -> Tensor:
        given = np.ascontiguousarray(photos.detach().cpu().numpy(), dtype=np.float32)
        (found,) = session.run(None, {name: given})
        return torch.from_numpy(np.array(found)).to(photos.device)

    try:
        trial = tried(embed, side=side, name=str(path), at_once=at_once)
    except ValueError:
        raise
    except Exception as failure:
        raise ValueError(f"{path} fails on photos of {side} pixels: {WAY_OUT}.") from failure
    return Opened(embed=embed, tried=trial, digest=hashlib.sha256(content).hexdigest())


def _session(content: bytes, path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as failure:
        raise ValueError(
            "ranking/encoder=onnx needs ONNX Runtime, which is not installed: run "
            '`.venv/bin/pip install -e ".[onnx]"` in the checkout.'
        ) from failure
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", NOWHERE
    )
    try:
        return onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    except Exception as failure:
        raise ValueError(
            f"{path} is no ONNX file that ONNX Runtime reads: export it again, with its "
            "weights inside and with operators that it knows."
        ) from failure


def _fits(
    inputs: Sequence[Any], outputs: Sequence[Any], *, side: int, path: Path
) -> int | None:
    """How many photos a call must have, None for any number.

    Raises:
        ValueError: The file has other inputs or outputs than an encoder; one sentence.
    """
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(
            f"{path} has {len(inputs)} inputs and {len(outputs)} outputs, and an encoder one "
            f"of each: {WAY_OUT}."
        )
    (only,), (given,) = inputs, outputs
    if only.type != FLOAT or given.type != FLOAT or len(only.shape) != AXES:
        raise ValueError(
            f"{path} takes {only.type} of {len(only.shape)} axes and gives {given.type}: "
            f"{WAY_OUT}."
        )
    fixed = [size if isinstance(size, int) else None for size in only.shape]
    wanted = (None, 3, side, side)
    for size, own in zip(fixed[1:], wanted[1:], strict=True):
        if size not in (None, own):
            raise ValueError(
                f"{path} takes photos of shape {fixed[1:]} and is asked with [3, {side}, "
                f"{side}]: set photos.side and ranking.encoder.side to its own, or {WAY_OUT}."
            )
    return fixed[0]
