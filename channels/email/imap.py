"""IMAP, read by one thread a mailbox: what is new is stored first and marked seen (or moved) only then.

IMAPClient blocks, so it lives in a thread; storing happens in the service's loop. How far a folder was read
is kept in the database (`MailboxPosition`), so that a mail that somebody opened in webmail is not overlooked.
"""

import asyncio
import logging
import select
import ssl
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientError, LoginError

from channels.email.settings import Mailbox
from core import log

CONNECT_S, READ_S, STORE_S = 15.0, 60.0, 120.0
BACK_OFF_S = (1.0, 5.0, 15.0, 60.0, 300.0)
LONGEST_IDLE_S = 540.0
"""Some providers drop a connection that idles for ten minutes."""
SLICE_S = 1.0
"""So often the thread looks whether it shall end."""
MAX_TRIES = 3
"""A mail that could not be stored so often, while others could, is set aside raw."""
SEARCH_BACK = timedelta(days=3)
"""After the server has renumbered its mails: what arrived from so long before the last look is looked at again."""
SELDOM = 30
"""A mail over which the connection broke so often as MAX_TRIES is tried in one of so many rounds."""
IDENTITY = {"name": "Huiyin", "version": "1", "vendor": "Huiyin"}

_log = log.logger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Position:
    """How far a folder was read."""

    validity: int
    uid: int
    read_at: datetime


class Store(Protocol):
    """What the thread asks of the service's loop."""

    async def take(self, raw: bytes) -> None:
        """Store one mail. Any error means that it was not stored."""

    async def put_aside(self, raw: bytes, error: str) -> None:
        """Store one mail raw, for a person to look at."""

    async def load_position(self) -> Position | None:
        """How far the folder was read; None at the first time."""

    async def save_position(self, validity: int, uid: int) -> None:
        """All up to this mail are stored."""


class ImapReader:
    """Reads one folder of one mailbox until it is told to stop. `trouble` says what is wrong now, or ""."""

    def __init__(self, account: str, mailbox: Mailbox, store: Store, max_bytes: int) -> None:
        self.trouble = "not connected yet"
        self._account, self._mailbox, self._store, self._max_bytes = account, mailbox, store, max_bytes
        self._stop = threading.Event()
        self._validity = 0
        self._done: set[int] = set()
        """Stored, whether or not the server let us mark it."""
        self._failures: dict[int, int] = {}
        """How often a mail could not be stored."""
        self._breaks: dict[int, int] = {}
        """How often the connection broke over a mail."""
        self._rounds = 0
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in the running loop."""
        logging.getLogger("imapclient").setLevel(logging.WARNING)  # Its debug lines hold whole mails.
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name=f"imap-{self._account}", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """End; what was fetched and not stored is fetched again at the next start."""
        self._stop.set()
        if self._thread:
            for _ in range(40):
                if not self._thread.is_alive():
                    return
                await asyncio.sleep(0.05)

    def _run(self) -> None:
        tries = 0
        while not self._stop.is_set():
            client = None
            try:
                client = self._connect()
                for _ in self._read_on(client):
                    tries, self.trouble = 0, ""
                client.logout()
            except CancelledError:
                return
            except Exception as error:  # whatever a server does, the next connection may work
                self.trouble = _describe(error)
                if not self._stop.is_set():
                    _log.warning("imap_lost", channel="email", account=self._account, reason=self.trouble)
            finally:
                _hang_up(client)
            self._stop.wait(BACK_OFF_S[min(tries, len(BACK_OFF_S) - 1)])
            tries += 1

    def _connect(self) -> IMAPClient:
        box = self._mailbox
        context = None if box.imap_security == "none" else ssl.create_default_context()
        client = IMAPClient(
            box.imap_host, box.imap_port, ssl=box.imap_security == "tls",
            ssl_context=context if box.imap_security == "tls" else None, timeout=SocketTimeout(CONNECT_S, READ_S),
        )
        try:
            if box.imap_security == "starttls":
                client.starttls(context)
            if box.imap_user:
                client.login(box.imap_user, box.imap_password.get_secret_value())
            self._introduce(client)
        except BaseException:
            _hang_up(client)
            raise
        return client

    def _introduce(self, client: IMAPClient) -> None:
        """163, 126 and yeah.net call a client unsafe that does not say its name before it opens a folder."""
        try:
            client.id_(IDENTITY)
        except CapabilityError:
            return

    def _read_on(self, client: IMAPClient) -> Iterator[None]:
        """Read what is new, wait for more, again and again. Yields after each good round."""
        opened = client.select_folder(self._mailbox.imap_folder)
        validity = int(opened[b"UIDVALIDITY"])
        if validity != self._validity:
            self._validity = validity
            for numbers in (self._done, self._failures, self._breaks):
                numbers.clear()
        position = self._ask(self._store.load_position())
        known = position is not None and position.validity == validity
        if position is not None and known:
            last, saved, wanted = position.uid, position.uid, self._search(client, position.uid)
        else:
            newest = int(opened.get(b"UIDNEXT", 0)) - 1
            last = newest if newest >= 0 else max(client.search(["ALL"]), default=0)
            saved, wanted = -1, self._first_search(client, position)
        while True:
            left = self._read(client, wanted)
            waiting = [uid for uid in left if uid > last]
            reached = min(waiting) - 1 if waiting else max([last, *wanted])
            # A first look that left something behind is repeated after a restart: nothing is written down yet.
            if reached != saved and (known or not left):
                self._ask(self._store.save_position(validity, reached))
                known, saved = True, reached
            last = max(last, reached)
            yield
            self._wait(client)
            if self._stop.is_set():
                return
            wanted = self._search(client, last)

    def _first_search(self, client: IMAPClient, position: Position | None) -> list[int]:
        """At the very first time what nobody has read yet; after a renumbering the last days once more."""
        unread = client.search(["UNSEEN", "UNDELETED"])
        if position is None:
            return sorted(unread)
        _log.warning("imap_renumbered", channel="email", account=self._account)
        since = (position.read_at - SEARCH_BACK).date()
        return sorted({*unread, *client.search(["SINCE", since, "UNDELETED"])})

    def _search(self, client: IMAPClient, last: int) -> list[int]:
        """What came since, and what is unread. `n:*` names the newest mail even where it has a lower number."""
        since = client.search(["UID", f"{last + 1}:*", "UNDELETED"])
        unread = client.search(["UNSEEN", "UNDELETED"])
        return sorted({*(uid for uid in since if uid > last), *unread} - self._done)

    def _read(self, client: IMAPClient, wanted: list[int]) -> set[int]:
        """Store these mails, those that broke a connection before come last; gives which are left behind."""
        self._rounds += 1
        left = set(wanted)
        for uid in sorted(wanted, key=lambda uid: (self._breaks.get(uid, 0), uid)):
            if self._stop.is_set():
                break
            if self._breaks.get(uid, 0) >= MAX_TRIES and self._rounds % SELDOM:
                continue
            if self._read_one(client, uid):
                left.discard(uid)
        return left

    def _read_one(self, client: IMAPClient, uid: int) -> bool:
        """True when this mail needs no more attention."""
        self._breaks[uid] = self._breaks.get(uid, 0) + 1
        raw, whole = self._fetch(client, uid)
        del self._breaks[uid]
        if raw is None:
            return True  # Somebody deleted it meanwhile.
        try:
            self._ask(self._keep(raw, whole, self._failures.get(uid, 0)))
        except CancelledError:
            raise
        except Exception as error:  # the disk, or this mail: the others go on, and it is tried again
            self._failures[uid] = self._failures.get(uid, 0) + 1
            _log.error("not_stored", channel="email", account=self._account, door="imap", error=type(error).__name__)
            return False
        self._failures.pop(uid, None)
        self._done.add(uid)
        self._mark(client, uid)
        return True

    async def _keep(self, raw: bytes, whole: bool, failures: int) -> None:
        """In the service's loop. What fails again and again goes aside raw, when that much is possible."""
        if not whole:
            await self._store.put_aside(raw, f"larger than {self._max_bytes} bytes: the whole lies in the mailbox")
            return
        try:
            await self._store.take(raw)
        except Exception as error:
            if failures < MAX_TRIES:
                raise
            await self._store.put_aside(raw, f"could not be stored as a message ({type(error).__name__})")

    def _fetch(self, client: IMAPClient, uid: int) -> tuple[bytes | None, bool]:
        """The mail without marking it, and whether it is the whole of it."""
        sizes = client.fetch([uid], ["RFC822.SIZE"]).get(uid, {})
        whole = int(sizes.get(b"RFC822.SIZE", 0)) <= self._max_bytes
        item = "BODY.PEEK[]" if whole else f"BODY.PEEK[]<0.{self._max_bytes}>"
        for name, value in client.fetch([uid], [item]).get(uid, {}).items():
            if name.startswith(b"BODY[]"):
                return value or b"", whole
        return None, whole

    def _mark(self, client: IMAPClient, uid: int) -> None:
        """Seen, or moved. A server that refuses has the mail twice at most, and the second is known."""
        folder = self._mailbox.imap_move_to
        try:
            client.add_flags([uid], [b"\\Seen"], silent=True)
            if folder and client.has_capability("MOVE"):
                client.move([uid], folder)
            elif folder:
                client.copy([uid], folder)
                client.delete_messages([uid], silent=True)
                client.expunge([uid] if client.has_capability("UIDPLUS") else None)
        except (IMAPClient.AbortError, OSError):
            raise
        except IMAPClientError as error:
            _log.warning("imap_mark_refused", channel="email", account=self._account, reason=type(error).__name__)

    def _wait(self, client: IMAPClient) -> None:
        """Until the server says that something came, or `poll_s` is over: both ways at once."""
        if not client.has_capability("IDLE"):
            self._stop.wait(self._mailbox.poll_s)
            if not self._stop.is_set():
                client.noop()
            return
        client.idle()
        until = time.monotonic() + min(self._mailbox.poll_s, LONGEST_IDLE_S)
        while time.monotonic() < until and not self._stop.is_set() and not _has_spoken(client, SLICE_S):
            pass
        client.idle_done()

    def _ask(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Have the service's loop do it, and wait."""
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # The loop is closed: the service ends.
            work.close()
            raise CancelledError from None
        return future.result(STORE_S)


def _has_spoken(client: IMAPClient, timeout_s: float) -> bool:
    """Whether the server said anything while idle, or hung up, within so long. What it said is left to be read.

    `IMAPClient.idle_check` takes a line of which half has come for a lost connection, and overlooks what came in one
    packet with the answer before it.
    """
    sock = client.socket()
    sock.setblocking(False)
    try:
        if client._imap.file.peek(1):
            return True
    except ssl.SSLWantReadError:
        pass  # Nothing yet: the encrypted way of saying so.
    finally:
        sock.settimeout(READ_S)
    ready = select.poll()
    ready.register(sock, select.POLLIN)
    return bool(ready.poll(timeout_s * 1000))


def _hang_up(client: IMAPClient | None) -> None:
    if client is not None:
        with suppress(Exception):  # It may be closed already, in any of many ways.
            client.shutdown()


def _describe(error: Exception) -> str:
    """For the operator; nothing of a mail or a password is in it."""
    if isinstance(error, LoginError):
        return "the server refuses imap_user and imap_password (163, QQ and others want an app password 授权码)"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not valid: {error.verify_message}"
    if isinstance(error, IMAPClientError) and not isinstance(error, IMAPClient.AbortError):
        return f"the server refused a command: {log.mask_text(str(error))[:100]}"
    return f"the connection was lost ({type(error).__name__})"
