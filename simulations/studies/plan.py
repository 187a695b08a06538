"""What a study will run, written down before it begins: it goes on with nothing else."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privacy.ledger.records import canonical
from protocol.rebuild import rebuild, to_plain
from simulations.configuration.settings import Config
from simulations.runs.run_folder import RunFolder
from simulations.runs.whole_files import write_whole

FILE = "plan.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyPlan:
    """A study with all that was decided before its first run.

    Attributes:
        config: The configuration that the arms change.
        arms: The configuration of each arm.
        trials: The arm of each trial of a search, drawn once: a second draw after some were
            seen would be another search than its ε is of. None for a comparison.
    """

    config: Config
    arms: Mapping[str, Config]
    trials: tuple[str, ...] | None = None

    def write(self, folder: RunFolder) -> None:
        """Writes the plan into the private half of a study's folder."""
        body = {
            "config": to_plain(self.config),
            "arms": {name: to_plain(arm) for name, arm in self.arms.items()},
            "order": list(self.arms),
            "trials": None if self.trials is None else list(self.trials),
        }
        whole = {"body": body, "sha256": _digest(body)}
        write_whole(folder.private / FILE, json.dumps(whole, indent=1) + "\n")

    @classmethod
    def read(cls, folder: RunFolder) -> "StudyPlan | None":
        """Returns the plan of a study; None where the folder is of none.

        Raises:
            ValueError: It is damaged.
        """
        path = folder.private / FILE
        try:
            whole = json.loads(path.read_text())
            body = whole["body"]
            if _digest(body) != whole["sha256"]:
                raise ValueError("the digest differs")
            trials = body["trials"]
            return cls(
                config=rebuild(Config, body["config"]),
                arms={name: rebuild(Config, body["arms"][name]) for name in body["order"]},
                trials=None if trials is None else tuple(trials),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as failure:
            raise ValueError(
                f"{path} is damaged or another version's; restore it from a copy, or start the "
                "study anew."
            ) from failure


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(body).encode()).hexdigest()
