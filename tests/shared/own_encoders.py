"""Encoders of a user's own: an ONNX file, and a package with an entry point."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper, save

from ranking.encoders import InstalledModule, OnnxFile

SCALING: dict[str, Any] = {"mean": (0.0,) * 3, "deviation": (1.0,) * 3}
WIDTH = 5
ONE: Sequence[int | str] = ("photos", 3, 16, 16)


def onnx_settings(file: Path, **changes: Any) -> OnnxFile:
    """Returns the settings of an ONNX file for photos of 16 pixels."""
    asked = {"side": 16, "width": None, "digest": None, **SCALING, **changes}
    return OnnxFile(file=str(file), **asked)


def module_settings(name: str, **changes: Any) -> InstalledModule:
    """Returns the settings of an entry point for photos of 16 pixels."""
    asked = {"side": 16, "width": None, "digest": None, **SCALING, **changes}
    return InstalledModule(name=name, **asked)


def weights() -> np.ndarray[Any, np.dtype[np.float32]]:
    """[3, 5] what colours are multiplied with."""
    drawn = np.random.default_rng(0).normal(size=(3, WIDTH))
    return drawn.astype(np.float32)


def mean_colours(
    shape: Sequence[int | str] = ONE,
    *,
    type_: int = TensorProto.FLOAT,
    inputs: int = 1,
    outputs: int = 1,
) -> ModelProto:
    """Returns a model that multiplies a photo's mean colours with ``weights``."""
    given = [helper.make_tensor_value_info(f"x{n}", type_, shape) for n in range(inputs)]
    found = [
        helper.make_tensor_value_info(f"y{n}", TensorProto.FLOAT, None) for n in range(outputs)
    ]
    nodes = [
        helper.make_node("Cast", ["x0"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        *(helper.make_node("Gemm", ["flat", "w"], [f"y{n}"]) for n in range(outputs)),
        *(helper.make_node("Identity", [f"x{n}"], [f"unused{n}"]) for n in range(1, inputs)),
    ]
    graph = helper.make_graph(
        nodes, "mean colours", given, found, [numpy_helper.from_array(weights(), "w")]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def onnx_file(path: Path, **changes: Any) -> Path:
    """Writes ``mean_colours`` and returns where."""
    save(mean_colours(**changes), path)
    return path


def package(folder: Path, *, code: str, names: Sequence[str], version: str = "1.0") -> Path:
    """Writes an installed package ``own_encoders_<folder>`` as pip would leave it.

    Args:
        folder: Made; it must be on ``sys.path``.
        code: Of the module.
        names: Its functions, each an entry point of the same name.
        version: Of the package.
    """
    module = f"package_{folder.name}"
    facts = folder / f"{module}-{version}.dist-info"
    facts.mkdir(parents=True)
    (folder / f"{module}.py").write_text(code)
    (facts / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n"
    )
    points = "\n".join(f"{name} = {module}:{name}" for name in names)
    (facts / "entry_points.txt").write_text(f"[darkroom.encoders]\n{points}\n")
    return folder
