"""Which account, region and endpoint: resolved as the AWS command line does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
import botocore.exceptions
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials

from tuner import __version__
from tuner.aws.endpoints import check_environment, endpoint_of_environment
from tuner.errors import AccessError, EndpointError, UsageError
from tuner.model import FunctionTarget

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client

CONTROL_ATTEMPTS = 5
INVOKE_GRACE_S = 30
"""How much longer than the function's timeout an Invoke may take: queueing and the network come on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedCredentials:
    """Credentials that are not looked up: those of the embedded Lambda."""

    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True, kw_only=True)
class AwsAccess:
    """How to reach Lambda: made once from the command line, turned into clients as needed.

    Its clients share one session: reading botocore's model of Lambda takes longer than everything else about them.
    """

    region: str
    profile: str | None = None
    endpoint_url: str | None = None
    credentials: FixedCredentials | None = None

    @property
    def named_endpoint_url(self) -> str | None:
        """Where Lambda is asked, if that is not AWS itself: the option's endpoint, or that of the environment.

        A later process, with another environment, has to come back to it.
        """
        return self.endpoint_url or endpoint_of_environment()

    def control_client(self) -> LambdaClient:
        """A client for the control plane: botocore's standard retries, ordinary timeouts."""
        return self._client(
            Config(
                retries={"mode": "standard", "total_max_attempts": CONTROL_ATTEMPTS},
                user_agent_extra=f"tuner/{__version__}",
            )
        )

    def invoke_client(self, *, timeout_s: int, connections: int) -> LambdaClient:
        """A client for Invoke that never repeats a call on its own: a repeated invocation is paid twice.

        Its read timeout outlasts the function's timeout (``timeout_s``), because a client that gives up earlier
        has paid for an answer it does not see.
        """
        return self._client(
            Config(
                read_timeout=timeout_s + INVOKE_GRACE_S,
                connect_timeout=10,
                retries={"mode": "standard", "total_max_attempts": 1},
                max_pool_connections=connections,
                tcp_keepalive=True,
                user_agent_extra=f"tuner/{__version__}",
            )
        )

    def logs_client(self) -> CloudWatchLogsClient | None:
        """None for another endpoint: it speaks Lambda, and the real logs have nothing to do with it."""
        if self.endpoint_url is not None:
            return None
        config = Config(retries={"mode": "standard", "total_max_attempts": CONTROL_ATTEMPTS})
        return self._session.client("logs", config=config)

    def s3_client(self) -> S3Client:
        return self._session.client("s3")

    def load_credentials(self) -> Credentials | None:
        """Credentials as a client would use them, looked up from the beginning; None where there are none.

        Those that expire refresh themselves: call ``get_frozen_credentials`` whenever something is to be signed.
        """
        return self._new_session().get_credentials()

    def ca_bundle(self) -> str | None:
        """The certificates to trust instead of botocore's own, from where botocore reads them: AWS_CA_BUNDLE,
        ``ca_bundle`` of the profile, REQUESTS_CA_BUNDLE."""
        configured = botocore.session.Session(profile=self.profile).get_config_variable("ca_bundle")
        return configured or os.environ.get("REQUESTS_CA_BUNDLE")

    def _client(self, config: Config) -> LambdaClient:
        try:
            return self._session.client("lambda", endpoint_url=self.endpoint_url, config=config)
        except ValueError as error:  # the profile's endpoint_url: options and variables were checked before
            raise EndpointError(
                f"The AWS configuration is not usable: {error}.",
                hint="Check endpoint_url in ~/.aws/config; it is written like http://localhost:4566",
            ) from error

    @cached_property
    def _session(self) -> boto3.Session:
        return self._new_session()

    def _new_session(self) -> boto3.Session:
        fixed = self.credentials
        if self.endpoint_url is None:
            check_environment()
        try:
            return boto3.Session(
                profile_name=self.profile,
                region_name=self.region,
                aws_access_key_id=fixed.access_key_id if fixed else None,
                aws_secret_access_key=fixed.secret_access_key if fixed else None,
            )
        except (botocore.exceptions.ProfileNotFound, botocore.exceptions.NoRegionError) as error:
            raise AccessError(str(error), hint="`aws configure list` shows what is configured.") from error


def resolve_region(target: FunctionTarget | None, *, region: str | None, profile: str | None) -> str:
    """``--region`` > region of the identifier > AWS_REGION > AWS_DEFAULT_REGION > profile.

    boto3 does not read AWS_REGION. Raises UsageError when ``--region`` contradicts the identifier, AccessError
    when nothing names a region.
    """
    own = target.region if target is not None else None
    if region and own and region != own:
        raise UsageError(
            f"--region {region} contradicts the function's own region {own}.",
            hint="Leave --region out, or name the function without its ARN.",
        )
    found = region or own or environment_region() or _profile_region(profile)
    if not found:
        raise AccessError(
            "No AWS region is set.", hint="Add --region, for example --region eu-central-1, or set AWS_REGION."
        )
    return found


def environment_region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def _profile_region(profile: str | None) -> str | None:
    try:
        return boto3.Session(profile_name=profile).region_name
    except botocore.exceptions.ProfileNotFound as error:
        raise AccessError(str(error), hint="`aws configure list-profiles` shows the profiles you have.") from error
