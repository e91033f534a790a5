"""Who asks, and what they may: the one place that decides it."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from digestbot.clock import Clock
from digestbot.config.dashboard import ANYBODY, DashboardConfig, ProxyConfig
from digestbot.web.origin import SAFE, Proxies, is_by_page, is_loopback, is_near, is_own
from digestbot.web.sessions import Sessions, cookie_of, take_back
from digestbot.web.users import Users, users_of

LONGEST_NAME = 200
# What web servers write where nobody is signed in.
_NAMELESS = {"", "-", "(null)"}


class Role(IntEnum):
    """What somebody may; whoever may more may all of the less."""

    NOBODY = 0
    READER = 1
    OPERATOR = 2


_ROLES: Final[dict[Literal["reader", "operator"], Role]] = {
    "reader": Role.READER,
    "operator": Role.OPERATOR,
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks.

    Attributes:
        name: What they are called; empty for nobody.
        how: How that is known.
        session: Which session of theirs it is, if it is one.
    """

    name: str
    role: Role
    how: Literal["", "token", "proxy", "session", "local"]
    session: str = field(default="", repr=False)

    @property
    def can_act(self) -> bool:
        """Whether they may ask for something."""
        return self.role >= Role.OPERATOR

    @property
    def is_carried(self) -> bool:
        """Whether a browser says who they are by itself, whatever page has it ask."""
        return self.how != "token"


NOBODY = Visitor("", Role.NOBODY, "")
WRONG_TOKEN = Visitor("", Role.NOBODY, "token")
"""Nobody, who sent what is nobody's token."""
LOCAL = Visitor("", Role.READER, "local")


class Access:
    """The rules of a configuration.

    Of four ways the first that a request takes decides: a bearer token, the header of a proxy
    that is believed, a session, and, where nothing is configured, being on this very machine. A
    wrong token, or a name that the configuration does not know, leads on to none of the others.
    """

    def __init__(
        self,
        users: Users,
        sessions: Sessions,
        proxy: ProxyConfig | None = None,
        *,
        is_local: bool = False,
        site: str = "",
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._proxy = proxy
        self._is_local = is_local
        self._site = site
        self._key = secrets.token_bytes()
        self.proxies = Proxies.at(proxy.addresses if proxy is not None else ())

    @property
    def has_login(self) -> bool:
        """Whether anybody can sign in on a page."""
        return bool(self._users)

    @property
    def hint(self) -> str:
        """What somebody may do who is not let in."""
        if self.has_login:
            return "sign in at /login, or send a token: 'Authorization: Bearer …'"
        if self._proxy is not None:
            return "ask by the reverse proxy, signed in as somebody whom the configuration names"
        if self._is_local:
            return "ask for http://localhost on this machine, or name dashboard.users"
        return "name dashboard.users or dashboard.proxy in the configuration"

    def visitor(self, request: Request) -> Visitor:
        """Who asks this.

        A request that changes something, and that a page elsewhere had the browser send, is
        nobody's, unless it has a bearer token, which browsers do not send by themselves.
        """
        found = (
            self._by_token(request)
            or self._by_proxy(request)
            or self._by_session(request)
            or self._by_place(request)
            or NOBODY
        )
        if found.is_carried and request.method not in SAFE and not self.is_own(request):
            return NOBODY
        return found

    def is_own(self, request: Request) -> bool:
        """Whether a page of the dashboard sends this."""
        return is_own(request, is_https=self.proxies.is_https(request), site=self._site)

    def is_foreign(self, request: Request) -> bool:
        """Whether a browser sends this for a page that is none of the dashboard."""
        return is_by_page(request) and not self.is_own(request)

    def csrf(self, visitor: Visitor) -> str:
        """What the forms of this visitor say, so that nobody else can make one."""
        user = self._users.named(visitor.name) if visitor.how == "session" else None
        # As the session itself, its forms outlive a restart.
        key = user.token.reveal().encode() if user is not None else self._key
        whose = f"digestbot.csrf\0{visitor.how}\0{visitor.name}\0{visitor.session}"
        return hmac.new(key, whose.encode(), "sha256").hexdigest()

    def check_csrf(self, visitor: Visitor, given: str) -> bool:
        """Whether what a form says is what the forms of this visitor say."""
        if not visitor.is_carried:
            return True
        expected = self.csrf(visitor).encode()
        return hmac.compare_digest(expected, given.encode("utf-8", "surrogatepass"))

    def sign_in(self, request: Request, response: Response, token: str) -> str:
        """Begin a session for the user whose token this is; their name, or nothing."""
        user = self._users.knowing(token)
        if user is None:
            return ""
        is_https = self.proxies.is_https(request)
        self._sessions.give(response, self._sessions.begin(user), is_https=is_https)
        return user.name

    def sign_out(self, request: Request, response: Response, visitor: Visitor) -> None:
        """End the session of a visitor."""
        self._sessions.end(visitor.session)
        take_back(response, is_https=self.proxies.is_https(request))

    def _by_token(self, request: Request) -> Visitor | None:
        given = request.headers.getlist("authorization")
        if not given:
            return None
        scheme, _, token = given[0].partition(" ")
        if len(given) == 1 and scheme.lower() != "bearer":
            return None  # A proxy may have asked for it, and left it there.
        user = self._users.knowing(token.strip(" ")) if len(given) == 1 else None
        return WRONG_TOKEN if user is None else Visitor(user.name, _ROLES[user.role], "token")

    def _by_proxy(self, request: Request) -> Visitor | None:
        proxy = self._proxy
        if proxy is None or proxy.header is None or not self.proxies.sent(request):
            return None
        given = request.headers.getlist(proxy.header)
        if not given:
            return None
        name = _name_in(given)
        return Visitor(name, _role_of(name, proxy), "proxy") if name else NOBODY

    def _by_session(self, request: Request) -> Visitor | None:
        cookie = cookie_of(request, is_https=self.proxies.is_https(request))
        session = self._sessions.read(cookie)
        if session is None:
            return None
        user = session.user
        return Visitor(user.name, _ROLES[user.role], "session", session.id)

    def _by_place(self, request: Request) -> Visitor | None:
        return LOCAL if self._is_local and is_near(request) else None


def access_of(
    config: DashboardConfig, environ: Mapping[str, str], host: str, clock: Clock | None = None
) -> Access:
    """The rules of a configuration, for a service that listens at this address.

    Raises:
        ConfigError: A user's token is missing, or none.
    """
    users = users_of(config.users, environ)
    sessions = Sessions(users, config.session, clock or Clock())
    is_local = not users and config.proxy is None and is_loopback(host)
    return Access(users, sessions, config.proxy, is_local=is_local, site=config.origin)


def _name_in(given: Sequence[str]) -> str:
    """The name in a header that a proxy sets; empty where it says none, or says two."""
    if len(given) != 1:
        return ""
    try:
        name = given[0].encode("latin-1").decode("utf-8")
    except UnicodeError:
        return ""
    is_name = len(name) <= LONGEST_NAME and name.isprintable() and name not in _NAMELESS
    return name if is_name else ""


def _role_of(name: str, proxy: ProxyConfig) -> Role:
    if not {name, ANYBODY}.isdisjoint(proxy.operators):
        return Role.OPERATOR
    return Role.READER if not {name, ANYBODY}.isdisjoint(proxy.readers) else Role.NOBODY
