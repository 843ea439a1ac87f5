"""Addresses that may be asked."""

from urllib.parse import urljoin, urlsplit

from sources.errors import WebError


def host_of(url: str) -> str:
    """Give the host, with its port; raise `WebError` for what is no address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname and parts.netloc
    except ValueError:
        parts, host = None, None
    if parts is None or parts.scheme not in ("http", "https") or not host:
        raise WebError(f"'{url}' is no address; rule: https:// and a host")
    return host


def next_address(url: str, location: str) -> str:
    """Give where a redirect from `url` leads; raise `WebError` where it leaves HTTP or its encryption."""
    target = urljoin(url, location)
    if urlsplit(target).scheme not in ("http", "https") or (url.startswith("https:") and not target.startswith("https:")):
        raise WebError(f"{urlsplit(url).netloc}: sends on to {target}; rule: from https to https only; correct the address")
    return target
