"""One pooled HTTP session per API: default timeouts for every call, a total deadline, a size limit.

The timeout of ``requests`` applies to the time between two bytes: a server that sends one byte a minute would hold a
worker forever. So each call has a deadline as well, at which its socket is shut down while it is being read.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from sportmonks import __version__
from sportmonks.config.settings import API_CONN_ID
from sportmonks.errors import ConfigurationError, TransientApiError
from sportmonks.redaction import MASK, mask_body, mask_known

USER_AGENT = f"sportmonks-etl/{__version__} (Apache Airflow)"
CHUNK_BYTES = 256 * 1024
DEFAULT_MAX_BYTES = 256 * 1024 * 1024

_PLACEHOLDERS = frozenset({"changeme", "your_api_key", "your-api-key", "your_token", "api_key", "token", "xxx", "none"})


class UnreachableError(TransientApiError):
    """No connection could be opened: the address is wrong, or the API is down."""


class ResponseTooLargeError(TransientApiError):
    """The answer is larger than the size limit. The same request would fail again; a smaller one may succeed."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete HTTP answer; ``headers`` look up names without regard to case, ``seconds`` is its duration.

    Known secrets are masked in headers and body: some servers and proxies repeat the key that they were given.
    ``packed``: the body as it came (gzip), None when it came otherwise or holds a secret.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    packed: bytes | None = None


class _Deadline:
    """Ends the call of the current thread when its time is up."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._sock: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.name = "sportmonks-deadline"
        self._timer.daemon = True

    def bind(self, sock: socket.socket | None) -> None:
        with self._lock:
            self._sock = sock
            if self.expired:
                self._shut()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            self._shut()

    def _shut(self) -> None:
        if self._sock is not None:
            # The plain socket's method also for TLS: closing the TLS session would wait for the server.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def __enter__(self) -> _Deadline:
        self._timer.start()
        _current.deadline = self
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        _current.deadline = None
        self._timer.cancel()
        with self._lock:
            # The connection returns to the pool: a timer that fires at this time must not close it.
            self._sock = None


_current = threading.local()


class _BindsSocket:
    """Mixed into urllib3's connections: gives the deadline of the running call the socket to close."""

    sock: socket.socket | None

    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)  # type: ignore[misc]
        deadline = getattr(_current, "deadline", None)
        if deadline is not None:
            deadline.bind(self.sock)


class _Connection(_BindsSocket, HTTPConnection):
    pass


class _SecureConnection(_BindsSocket, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    """Adds the default timeouts to calls without their own, and the pools whose connections know the deadline."""

    def __init__(self, timeout: tuple[float, float], pool_size: int) -> None:
        self._timeout = timeout
        super().__init__(pool_connections=2, pool_maxsize=pool_size, pool_block=False, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout
        return super().send(request, *args, **kwargs)


def unpack_gzip(packed: bytes, max_bytes: int) -> bytes | None:
    """The decompressed body, of all members of the gzip file; None when it is larger than ``max_bytes``.

    Raises zlib.error when it is damaged or not complete. Nothing at all is an empty body: answers without content,
    and refusals, may name an encoding all the same.
    """
    if not packed:
        return b""
    parts: list[bytes] = []
    left = max_bytes
    while True:
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        parts.append(member.decompress(packed, left + 1))
        left -= len(parts[-1])
        if left < 0:
            return None
        if not member.eof:
            raise zlib.error("the last member is not complete")
        packed = member.unused_data
        if not packed.startswith(b"\x1f\x8b"):
            # Padding after the last member says nothing.
            return b"".join(parts) if len(parts) > 1 else parts[0]


class TokenAuth(AuthBase):
    """The token alone in the Authorization header. As ``auth`` it also keeps a .netrc from replacing it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._token
        return request

    def __repr__(self) -> str:
        return f"TokenAuth({MASK})"


def clean_key(key: str | None, conn_id: str = API_CONN_ID) -> str:
    """The key without surrounding blanks. Raises ConfigurationError, without showing it, when it cannot be a key."""
    key = (key or "").strip()
    if not key or key.lower().strip("<>") in _PLACEHOLDERS:
        raise ConfigurationError(
            "There is no Sportmonks API key.",
            hint=f"Set SPORTMONKS_API_KEY, or the password of the Airflow connection {conn_id}.",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(
            "The Sportmonks API key holds characters that no key has (blanks, line ends or non-ASCII).",
            hint=f"Copy SPORTMONKS_API_KEY (the password of the Airflow connection {conn_id}) again.",
        )
    return key


def url_parts(host: str, schema: str | None, port: int | None, scheme: str = "https") -> SplitResult:
    """The URL that an Airflow connection's parts make. HTTP connections of Airflow keep the scheme in ``schema``, but
    those that were given as a URI keep the path there. ``scheme`` applies when neither host nor schema names one."""
    host, schema = host.strip(), (schema or "").strip("/ ")
    known = ("http", "https")
    if "://" not in host:
        host = f"{next((word for word in (schema, scheme) if word in known), 'https')}://{host}"
    parts = urlsplit(host)
    path = f"/{schema}" if schema and schema not in known and not parts.path.strip("/") else parts.path
    netloc = parts.netloc
    if port and not netloc.rpartition("]")[2].rpartition(":")[1]:
        netloc = f"{netloc}:{port}"
    return parts._replace(netloc=netloc, path=path)


def clean_base_url(url: str | None) -> str:
    """``https://host/v3``; ``url`` may end in ``/`` or ``/football``. Raises ConfigurationError."""
    hint = (
        "Set SPORTMONKS_BASE_URL (the host of the Airflow connection sportmonks_api) to https://api.sportmonks.com/v3."
    )
    try:
        parts = urlsplit((url or "").strip())
        port = parts.port
    except ValueError:
        raise ConfigurationError("The base URL of the Sportmonks API is not a URL.", hint=hint) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("The base URL of the Sportmonks API has no http(s):// or no host.", hint=hint)
    if parts.query or parts.fragment or parts.username or parts.password:
        # Not shown in the error: that part is most likely the key.
        raise ConfigurationError("The base URL of the Sportmonks API holds a user, query or fragment.", hint=hint)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/").removesuffix("/football").rstrip("/")
    return urlunsplit((parts.scheme, host if port is None else f"{host}:{port}", path, "", ""))


def _root_cause(error: BaseException) -> str:
    """The innermost reason in a few words; never the text of requests' errors, which contains the URL."""
    seen: set[int] = set()
    deepest: BaseException = error
    while id(deepest) not in seen:
        seen.add(id(deepest))
        reason = getattr(deepest, "reason", None)
        following = reason if isinstance(reason, BaseException) else deepest.__cause__ or deepest.__context__
        if following is None:
            following = next((arg for arg in deepest.args if isinstance(arg, BaseException)), None)
        if following is None:
            break
        deepest = following
    if isinstance(deepest, OSError) and deepest.strerror:
        return str(deepest.strerror)
    return type(deepest).__name__


class Transport:
    """Requests below one base URL with one key. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        connect_timeout: float,
        read_timeout: float,
        total_timeout: float,
        max_bytes: int = DEFAULT_MAX_BYTES,
        user_agent: str = USER_AGENT,
        pool_size: int = 10,
        verify: bool | str = True,
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = clean_base_url(base_url)
        self.host = urlsplit(self.base_url).netloc
        self.timeout = (connect_timeout, read_timeout)
        self.total_timeout = total_timeout
        self._max_bytes = max_bytes
        session = requests.Session()
        session.auth = TokenAuth(clean_key(key))
        session.headers.clear()
        session.headers.update({"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "gzip"})
        # Threads share the session, and nothing here needs a cookie.
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.verify = verify
        session.proxies = dict(proxies or {})
        adapter = _Adapter(self.timeout, pool_size)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        self.session = session

    def __repr__(self) -> str:
        return f"Transport({self.base_url})"

    def close(self) -> None:
        self.session.close()

    def fetch(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        label: str = "",
        timeout: tuple[float, float] | None = None,
        total_timeout: float | None = None,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        masked: bool = True,
    ) -> HttpResponse:
        """``base_url/path``, the complete body decompressed. ``label`` replaces the path in errors; ``body`` is sent.
        ``masked``: False for an answer that is a secret itself, such as a token, which may be known already.

        Raises TransientApiError (UnreachableError, ResponseTooLargeError) for everything that is not a complete HTTP
        answer, ConfigurationError for a certificate that does not verify.
        """
        label = label or path
        total = total_timeout or self.total_timeout
        started = time.monotonic()
        with _Deadline(total) as deadline:
            try:
                with self.session.request(
                    method,
                    f"{self.base_url}/{path.lstrip('/')}",
                    params=params,
                    data=body,
                    headers=headers,
                    stream=True,
                    timeout=timeout or self.timeout,
                    allow_redirects=False,
                ) as response:
                    packed = self._read_packed(response, label)
                    received = self._read(response, label) if packed is None else self._unpack(packed, label)
                    shown = mask_body(received) if masked else received
                    seconds = time.monotonic() - started
                    known = {name: mask_known(value) for name, value in response.headers.items()}
                    complete = HttpResponse(
                        response.status_code,
                        CaseInsensitiveDict(known),
                        shown,
                        seconds,
                        packed if masked and shown is received else None,
                    )
            except requests.exceptions.SSLError as error:
                if deadline.expired:
                    raise self._too_slow(label, total) from None
                raise self._tls_fault(label, error) from None
            except (requests.RequestException, OSError, ValueError) as error:
                # ValueError: a read from a file that the deadline closed at the same time.
                if deadline.expired:
                    raise self._too_slow(label, total) from None
                raise self._fault(label, error, timeout or self.timeout) from None
            if deadline.expired:
                # Without a Content-Length the closed socket looks like the end of the answer.
                raise self._too_slow(label, total)
        return complete

    def _read(self, response: requests.Response, path: str) -> bytes:
        announced = response.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) > self._max_bytes:
            raise self._too_large(path)
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_content(CHUNK_BYTES):
            size += len(chunk)
            if size > self._max_bytes:
                raise self._too_large(path)
            chunks.append(chunk)
        return b"".join(chunks)

    def _read_packed(self, response: requests.Response, path: str) -> bytes | None:
        """The body in gzip, if it comes so. Without the header it is not decompressed while it is read."""
        if response.headers.get("Content-Encoding", "").strip().lower() not in ("gzip", "x-gzip"):
            return None
        response.raw.headers.discard("content-encoding")
        return self._read(response, path)

    def _unpack(self, packed: bytes, path: str) -> bytes:
        try:
            body = unpack_gzip(packed, self._max_bytes)
        except zlib.error as error:
            raise requests.exceptions.ContentDecodingError(str(error)) from None
        if body is None:
            raise self._too_large(path)
        return body

    def _too_large(self, path: str) -> ResponseTooLargeError:
        return ResponseTooLargeError(
            f"{path}: the answer is larger than {self._max_bytes / 2**20:.0f} MiB.",
            hint="Request fewer fixtures or includes at once, or raise max_bytes.",
        )

    @staticmethod
    def _too_slow(path: str, total: float) -> TransientApiError:
        return TransientApiError(f"{path}: the answer was not complete after {total:g} s.")

    def _tls_fault(self, path: str, error: Exception) -> Exception:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return ConfigurationError(
                f"The certificate of {self.host} cannot be verified.",
                hint="Check SPORTMONKS_BASE_URL, the machine's clock and its CA certificates.",
            )
        return UnreachableError(f"{path}: no TLS connection to {self.host} ({_root_cause(error)}).")

    def _fault(self, path: str, error: Exception, timeout: tuple[float, float]) -> TransientApiError:
        if isinstance(error, requests.ConnectTimeout):
            return UnreachableError(f"{path}: no connection to {self.host} within {timeout[0]:g} s.")
        if isinstance(error, requests.ReadTimeout):
            return TransientApiError(f"{path}: no data for {timeout[1]:g} s.")
        cause = _root_cause(error)
        if isinstance(error, requests.exceptions.ProxyError):
            return UnreachableError(f"{path}: the proxy before {self.host} does not answer ({cause}).")
        if isinstance(error, requests.ConnectionError) and _never_connected(error):
            return UnreachableError(f"{path}: no connection to {self.host} ({cause}).")
        return TransientApiError(f"{path}: the connection broke off ({cause}).")


def _never_connected(error: requests.ConnectionError) -> bool:
    from urllib3.exceptions import NewConnectionError

    inner = error.args[0] if error.args else None
    return isinstance(getattr(inner, "reason", inner), NewConnectionError)
