"""botocore's credentials inside an event loop: refreshed off the loop, reloaded when AWS says they have expired."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError, NoCredentialsError

from tuner.aws.transport.signing import SigningCredentials


class CredentialSource:
    """``load`` looks credentials up from the beginning, as a new botocore session does."""

    def __init__(self, load: Callable[[], Credentials | None]) -> None:
        self._load = load
        self._credentials = load()
        self._renewing = asyncio.Lock()

    async def current(self) -> SigningCredentials:
        """What to sign with now. Raises botocore's exceptions where there are none or a refresh fails.

        A refresh (SSO, STS, instance metadata) may take seconds: it runs on a thread, behind botocore's own lock.
        """
        credentials = self._credentials
        if credentials is None:
            raise NoCredentialsError
        if isinstance(credentials, RefreshableCredentials) and credentials.refresh_needed():
            return await asyncio.to_thread(_refreshed, credentials)
        return _frozen(credentials)

    async def renew(self, refused: SigningCredentials) -> bool:
        """Look again for credentials after AWS called ``refused`` expired; whether there are others now.

        However many calls were refused together, one of them looks.
        """
        async with self._renewing:
            if await self.current() == refused:
                self._credentials = await asyncio.to_thread(self._load)
            return await self.current() != refused


def _refreshed(credentials: RefreshableCredentials) -> SigningCredentials:
    try:
        return _frozen(credentials)
    except RuntimeError as error:  # what botocore raises when the refreshed credentials have expired, too
        raise CredentialRetrievalError(provider=credentials.method, error_msg=str(error)) from error


def _frozen(credentials: Credentials) -> SigningCredentials:
    """Key, secret and token of one and the same moment."""
    frozen = credentials.get_frozen_credentials()
    if not frozen.access_key or not frozen.secret_key:
        raise NoCredentialsError
    return SigningCredentials(
        access_key_id=frozen.access_key, secret_access_key=frozen.secret_key, session_token=frozen.token
    )
