"""What the user wants done around each invocation: a command on this machine, or another Lambda function."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tuner.engine.hook_process import run_process
from tuner.engine.ports import Invoker
from tuner.errors import UsageError

LAMBDA_PREFIX = "lambda:"
SHOWN_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationHooks:
    """``engine.ports.Hooks``. ``first`` and ``then`` are commands or ``lambda:NAME``."""

    first: str | None
    then: str | None
    invoker: Invoker

    async def before(self, payload: bytes) -> bytes:
        """What the hook answers is sent instead of ``payload``; an empty answer keeps it."""
        if self.first is None:
            return payload
        return (await self._run(self.first, payload)).strip() or payload

    async def after(self, answer: bytes) -> None:
        if self.then is not None:
            await self._run(self.then, answer)

    async def _run(self, hook: str, data: bytes) -> bytes:
        if hook.startswith(LAMBDA_PREFIX):
            return await self._invoke(hook.removeprefix(LAMBDA_PREFIX), data)
        return await _run_command(hook, data)

    async def _invoke(self, function: str, data: bytes) -> bytes:
        result = await self.invoker.invoke(function, "$LATEST", data)
        if result.function_error is not None:
            raise _failed(f"{LAMBDA_PREFIX}{function}", result.payload)
        return b"" if result.payload == b"null" else result.payload


async def _run_command(command: str, data: bytes) -> bytes:
    try:
        code, output, errors = await run_process(shlex.split(command), data)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The hook {command!r} cannot be run: {error}.", hint="Check --before and --after."
        ) from error
    if code != 0:
        raise _failed(command, errors)
    return output


def _failed(hook: str, words: bytes) -> UsageError:
    shown = words.decode(errors="replace").strip()[-SHOWN_CHARACTERS:]
    return UsageError(
        f"The hook {hook!r} failed: {shown or 'it said nothing'}.", hint="Make it succeed on its own first."
    )
