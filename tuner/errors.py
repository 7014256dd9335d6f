"""What can go wrong, as one tree. Every error says what happened and ends with what to do next.

TunerError
  UsageError              exit 2   the command line or a file given on it is wrong
    MemoryRangeError               --memory cannot be read
    IdentifierError                FUNCTION cannot be read
    EndpointError                  --endpoint-url or AWS_ENDPOINT_URL is not a URL
    PayloadError                   --payload cannot be read or is not JSON
    LocalFunctionError             the folder given with --local holds no function that can run
  InvalidMeasurementError exit 6   the run ended without a usable number
  CleanUpIncompleteError  exit 7   the function may not be as it was; the hint is the recovery command
  TargetError             exit 8   configuration, credentials or the function itself stand in the way
    FunctionNotFoundError
    CannotTuneError                a kind of function whose memory cannot be tuned
      SizeRefusedError             this account may not use a memory size
    NotPortableError               code that cannot run on the other architecture
    InvocationLostError            an invocation without a usable answer: it may have run and be billed
    ForeignChangeError             somebody else changed the function meanwhile
    OtherAccountError              what answered is not in the account, region or partition that was asked for
    RunInProgressError             another run on the function is going on, or has not cleaned up
    VersionInUseError              a version of ours that an alias points to, so that it cannot be deleted
    StorageError                   the disk is full, or the state folder is gone
    AccessError                    credentials missing, expired or not allowed
      PermissionsMissingError      IAM refuses actions that are named one by one
    PriceUnknownError              no price for the region in the package
    EmbeddedLambdaError            the embedded Lambda could not start or answer
    OutputError                    a result could not be written: the disk is full or broken

``slug`` is stable: documentation and scripts refer to it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    OK = 0
    INTERNAL = 1
    USAGE = 2
    REGRESSION = 3
    INCONCLUSIVE = 4
    BUDGET = 5
    INVALID = 6
    CLEAN_UP_INCOMPLETE = 7
    TARGET = 8
    INTERRUPTED = 130


class TunerError(Exception):
    """An error with a sentence for people, a hint what to do next, and an exit code for scripts."""

    slug: ClassVar[str] = "internal"
    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TunerError):
    slug = "usage"
    exit_code = ExitCode.USAGE


class MemoryRangeError(UsageError):
    slug = "memory-range"


class IdentifierError(UsageError):
    slug = "identifier"


class EndpointError(UsageError):
    slug = "endpoint"


class PayloadError(UsageError):
    slug = "payload"


class LocalFunctionError(UsageError):
    slug = "local-function"


class InvalidMeasurementError(TunerError):
    slug = "invalid-measurement"
    exit_code = ExitCode.INVALID


class CleanUpIncompleteError(TunerError):
    slug = "clean-up-incomplete"
    exit_code = ExitCode.CLEAN_UP_INCOMPLETE


class TargetError(TunerError):
    slug = "target"
    exit_code = ExitCode.TARGET


class FunctionNotFoundError(TargetError):
    slug = "function-not-found"


class CannotTuneError(TargetError):
    slug = "cannot-tune"


class SizeRefusedError(CannotTuneError):
    slug = "memory-quota"


class NotPortableError(TargetError):
    slug = "not-portable"


class InvocationLostError(TargetError):
    """The connection ended after the request was sent, or Lambda failed inside: the invocation may have run."""

    slug = "invocation-lost"


class ForeignChangeError(TargetError):
    slug = "foreign-change"


class OtherAccountError(TargetError):
    slug = "other-account"


class RunInProgressError(TargetError):
    slug = "run-in-progress"


class VersionInUseError(TargetError):
    slug = "version-in-use"


class StorageError(TargetError):
    slug = "storage"


class AccessError(TargetError):
    slug = "access"


class PermissionsMissingError(AccessError):
    slug = "permissions"


class PriceUnknownError(TargetError):
    slug = "price-unknown"


class EmbeddedLambdaError(TargetError):
    slug = "embedded-lambda"


class OutputError(TargetError):
    slug = "output"
