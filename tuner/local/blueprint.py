"""What an execution environment is made of, and the variables its processes see."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tuner.local.functions import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """Everything an environment is made of; equal blueprints give interchangeable environments."""

    function_uid: str
    function_name: str
    version: str
    settings: Settings
    task_root: Path
    region: str

    def variables(self, name: str) -> dict[str, str]:
        """The variables of environment ``name``, without what its runtime and its process add.

        Nothing of the server's own environment is among them: no credentials.
        """
        settings = self.settings
        return {
            **dict(settings.environment),
            **self._logging(),
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{settings.runtime}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory_mb),
            "AWS_LAMBDA_FUNCTION_NAME": self.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": self.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.function_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": time.strftime(f"%Y/%m/%d/[{self.version}]{name}", time.gmtime()),
            "AWS_REGION": self.region,
            "LAMBDA_TASK_ROOT": str(self.task_root),
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
            "TZ": ":UTC",
            "_HANDLER": settings.handler,
        }

    def _logging(self) -> Mapping[str, str]:
        logging = self.settings.logging
        if logging.format == "Text":
            return {}
        return {"AWS_LAMBDA_LOG_FORMAT": logging.format, "AWS_LAMBDA_LOG_LEVEL": logging.application_level}
