"""An IMAP server on the loopback that keeps mails, wants to know who asks, and drops, stalls or says BYE as told."""

import asyncio
import re
import ssl
from dataclasses import dataclass, field


@dataclass
class Kept:
    """One mail of the folder."""

    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class FakeImap:
    """Records: `mails`, `commands` (in order, without tags), `logins`.

    `scripted` maps a command to what happens at its next use: `drop` (hang up), `drop-half` (in the middle of the
    answer), `stall`, `late` (a second later), `in-pieces` (NEWS alone: half a line first), `bye`, `no`, `bad`. `always` is the same for every use.
    """

    def __init__(
        self, *, idle: bool = True, wants_id: bool = False, move: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        self.mails: list[Kept] = []
        self.folders: dict[str, list[bytes]] = {}
        self.commands: list[str] = []
        self.logins = 0
        self.validity = 100
        self.scripted: dict[str, list[str]] = {}
        self.always: dict[str, str] = {}
        self.broken_uids: set[int] = set()
        """Mails over which the connection breaks whenever they are fetched."""
        self.comes_at_idle: list[bytes] = []
        """Mails that arrive in the moment in which the next IDLE begins, and are told in one packet with its answer."""
        self.capabilities = ["IMAP4rev1", "ID", "UIDPLUS", *(["IDLE"] if idle else []), *(["MOVE"] if move else [])]
        self.wants_id = wants_id
        self.port = 0
        self._tls = tls
        self._news = asyncio.Event()
        self._over = asyncio.Event()
        self._server: asyncio.Server

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._over.set()
        self._news.set()
        self._server.close()

    def put(self, raw: bytes, *flags: str) -> Kept:
        """A mail arrives."""
        uid = max((mail.uid for mail in self.mails), default=0) + 1
        self.mails.append(Kept(uid, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), set(flags)))
        self._news.set()
        return self.mails[-1]

    def seen(self) -> list[int]:
        """Which mails are marked."""
        return [mail.uid for mail in self.mails if "\\Seen" in mail.flags]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, _HangUp):
            pass
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said_id = False
        await self._play(writer, "", "GREETING")
        writer.write(b"* OK ready\r\n")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            tag, _, rest = line.partition(" ")
            while literal := re.search(r"\{(\d+)\}$", rest):
                writer.write(b"+ go on\r\n")
                rest = rest[: literal.start()] + (await reader.readexactly(int(literal[1]))).decode()
                rest += (await reader.readline()).decode().rstrip("\r\n")
            words = rest.split()
            name = words[0].upper() if words[0].upper() != "UID" else f"UID {words[1].upper()}"
            self.commands.append(rest if name != "LOGIN" else "LOGIN")
            if await self._play(writer, tag, name):
                continue
            said_id = said_id or name == "ID"
            if name in ("SELECT", "EXAMINE") and self.wants_id and not said_id:
                writer.write(f"{tag} NO SELECT Unsafe Login. Please contact the provider\r\n".encode())
                continue
            if name == "IDLE":
                await self._idle(reader, writer)
            for answer in self._answers(name, rest):
                writer.write(answer)
            writer.write(f"{tag} OK done\r\n".encode())
            await writer.drain()
            if name == "LOGOUT":
                return

    async def _play(self, writer: asyncio.StreamWriter, tag: str, name: str) -> bool:
        """Do what is scripted; True when the command was answered thereby."""
        trouble = self.scripted[name].pop(0) if self.scripted.get(name) else self.always.get(name)
        if trouble == "drop":
            raise _HangUp
        if trouble == "drop-half":
            writer.write(b"* 1 FETCH (UID 1 BODY[] {5000}\r\nhalf of it")
            await writer.drain()
            raise _HangUp
        if trouble == "stall":
            await self._over.wait()
            raise _HangUp
        if trouble == "in-pieces":
            writer.write(f"* {len(self.mails)} EX".encode())
            await writer.drain()
            await asyncio.sleep(0.3)
            writer.write(b"ISTS\r\n")
            return True
        if trouble == "late":
            await asyncio.sleep(1)
        if trouble == "bye":
            writer.write(b"* BYE too busy\r\n")
            await writer.drain()
            raise _HangUp
        if trouble in ("no", "bad"):
            writer.write(f"{tag} {trouble.upper()} [AUTHENTICATIONFAILED] refused\r\n".encode())
            return True
        return False

    async def _idle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        news = b""
        if self.comes_at_idle:
            self.put(self.comes_at_idle.pop(0))
            self._news.clear()
            news = f"* {len(self.mails)} EXISTS\r\n".encode()
        writer.write(b"+ idling\r\n" + news)
        await writer.drain()
        done = asyncio.ensure_future(reader.readline())
        while not done.done():
            heard = asyncio.ensure_future(self._news.wait())
            await asyncio.wait((done, heard), return_when=asyncio.FIRST_COMPLETED)
            heard.cancel()
            if self._news.is_set() and not done.done():
                self._news.clear()
                if not await self._play(writer, "", "NEWS"):
                    writer.write(f"* {len(self.mails)} EXISTS\r\n".encode())
                await writer.drain()
                if self._over.is_set():
                    raise _HangUp

    def _answers(self, name: str, rest: str) -> list[bytes]:
        if name == "CAPABILITY":
            return [f"* CAPABILITY {' '.join(self.capabilities)}\r\n".encode()]
        if name == "LOGIN":
            self.logins += 1
        if name in ("SELECT", "EXAMINE"):
            next_uid = max((mail.uid for mail in self.mails), default=0) + 1
            lines = [f"* {len(self.mails)} EXISTS", f"* OK [UIDVALIDITY {self.validity}] x", f"* OK [UIDNEXT {next_uid}] x"]
            return [f"{line}\r\n".encode() for line in lines]
        if name == "ID":
            return [b'* ID ("name" "fake")\r\n']
        if name == "UID SEARCH":
            return [f"* SEARCH {' '.join(str(mail.uid) for mail in self._search(rest))}\r\n".encode()]
        if name == "UID FETCH":
            return self._fetch(rest)
        if name == "UID STORE":
            for mail in self._named(rest):
                mail.flags |= set(re.findall(r"\\\w+", rest))
        if name in ("UID COPY", "UID MOVE"):
            folder = rest.split()[-1].strip('"')
            self.folders.setdefault(folder, []).extend(mail.raw for mail in self._named(rest))
            if name == "UID MOVE":
                self.mails = [mail for mail in self.mails if mail not in self._named(rest)]
        if name in ("UID EXPUNGE", "EXPUNGE"):
            self.mails = [mail for mail in self.mails if "\\Deleted" not in mail.flags]
        return []

    def _search(self, rest: str) -> list[Kept]:
        found = [mail for mail in self.mails if "\\Deleted" not in mail.flags]
        if "UNSEEN" in rest:
            found = [mail for mail in found if "\\Seen" not in mail.flags]
        if since := re.search(r"UID (\d+):\*", rest.partition("SEARCH")[2]):
            newest = max((mail.uid for mail in found), default=0)
            found = [mail for mail in found if mail.uid >= int(since[1]) or mail.uid == newest]
        return found

    def _named(self, rest: str) -> list[Kept]:
        uids = {int(number) for number in rest.split()[2].split(",")}
        return [mail for mail in self.mails if mail.uid in uids]

    def _fetch(self, rest: str) -> list[bytes]:
        answers = []
        for number, mail in enumerate(self._named(rest), start=1):
            if "SIZE" in rest:
                answers.append(f"* {number} FETCH (UID {mail.uid} RFC822.SIZE {len(mail.raw)})\r\n".encode())
                continue
            if mail.uid in self.broken_uids:
                raise _HangUp
            part = re.search(r"<0\.(\d+)>", rest)
            raw = mail.raw[: int(part[1])] if part else mail.raw
            label = "BODY[]<0>" if part else "BODY[]"
            answers.append(f"* {number} FETCH (UID {mail.uid} {label} {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")
        return answers


class _HangUp(Exception):
    """The connection ends here."""
