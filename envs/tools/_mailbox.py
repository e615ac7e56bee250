"""A mailbox in memory with the calls of an API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rlvr_gym.tools import Tool, ToolError

__all__ = ["FOLDERS", "Mail", "Mailbox", "address_of"]

FOLDERS = ("inbox", "archive", "invoices", "travel", "trash")
MAX_SENT = 100
MAX_CHARS = 5_000
"""Of a mail that is sent."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that came in.

    Attributes:
        folder: where it is.
        sender: an address.
        subject: one line.
        body: the text.
    """

    folder: str
    sender: str
    subject: str
    body: str

    @property
    def facts(self) -> list[str]:
        """All of it as JSON."""
        return [self.folder, self.sender, self.subject, self.body]


def address_of(name: str) -> str:
    """The address of a person: ``Ada Faber`` has ``ada.faber@mail.example``."""
    return f"{name.lower().replace(' ', '.')}@mail.example"


class Mailbox:
    """The calls of the API.

    Args:
        mails: the mails at the beginning, as :attr:`Mail.facts`; their ids are 1, 2, ...
        people: the contacts' names.
    """

    def __init__(self, mails: Sequence[Sequence[str]], people: Sequence[str]) -> None:
        self.mails = {i: Mail(*facts) for i, facts in enumerate(mails, 1)}
        self.contacts = {name: address_of(name) for name in people}
        self.sent: list[tuple[tuple[str, ...], str, str]] = []
        """``(addresses, subject, body)`` of each mail that was sent, white space normalised."""

    def inside(self, folder: str) -> dict[int, Mail]:
        """The mails of a folder."""
        return {i: mail for i, mail in self.mails.items() if mail.folder == folder}

    # --- calls that look ---

    def list_mails(self, folder: str) -> str:
        """Id, sender and subject of each mail of a folder."""
        return _told(self.inside(_folder(folder)))

    def search_mails(self, text: str) -> str:
        """The same of each mail with a text in sender, subject or body."""
        wanted = text.casefold()
        return _told(
            {i: mail for i, mail in self.mails.items() if any(wanted in f.casefold() for f in mail.facts[1:])}
        )

    def read_mail(self, id: int) -> str:
        """All of a mail."""
        mail = self._mail(id)
        return f"from: {mail.sender}\nsubject: {mail.subject}\nfolder: {mail.folder}\n\n{mail.body}"

    def find_contact(self, name: str) -> str:
        """Names and addresses of contacts."""
        wanted = " ".join(name.split()).casefold()
        found = [
            f"{person}: {address}" for person, address in self.contacts.items() if wanted in person.casefold()
        ]
        return "\n".join(found) or "(no contact)"

    # --- calls that change ---

    def move_mail(self, id: int, folder: str) -> str:
        """Puts a mail into another folder."""
        self.mails[id] = replace(self._mail(id), folder=_folder(folder))
        return "(ok)"

    def send_mail(self, to: list[Any], subject: str, body: str) -> str:
        """Sends a mail to contacts."""
        known = {address.casefold(): address for address in self.contacts.values()}
        found = {
            known.get(address.strip().casefold()) if isinstance(address, str) else None for address in to
        }
        if None in found or not found:
            raise ToolError("A mail goes to one or more addresses of contacts; find_contact gives addresses.")
        if len(self.sent) >= MAX_SENT or len(subject) + len(body) > MAX_CHARS:
            raise ToolError(f"At most {MAX_SENT} mails of {MAX_CHARS:,} characters can be sent.")
        addresses = tuple(sorted(address for address in found if address))
        self.sent.append((addresses, " ".join(subject.split()), " ".join(body.split())))
        return f"(sent to {', '.join(addresses)})"

    def reply_mail(self, id: int, body: str) -> str:
        """Answers a mail's sender."""
        mail = self._mail(id)
        return self.send_mail([mail.sender], f"Re: {mail.subject}", body)

    def forward_mail(self, id: int, to: list[Any]) -> str:
        """Sends a mail on as it is."""
        mail = self._mail(id)
        return self.send_mail(to, f"Fwd: {mail.subject}", mail.body)

    def _mail(self, id: int) -> Mail:
        if id not in self.mails:
            raise ToolError(f"There is no mail with this id; ids go from 1 to {len(self.mails)}.")
        return self.mails[id]

    @property
    def tools(self) -> Sequence[Tool]:
        """The calls."""
        return (
            Tool("list_mails", f"the mails of a folder: {', '.join(FOLDERS)}", {"folder": str}, self.list_mails),
            Tool("search_mails", "the mails with a text anywhere in them", {"text": str}, self.search_mails),
            Tool("read_mail", "all of a mail", {"id": int}, self.read_mail),
            Tool("find_contact", "addresses by name", {"name": str}, self.find_contact),
            Tool("move_mail", "puts a mail into another folder", {"id": int, "folder": str}, self.move_mail),
            Tool("send_mail", "sends a mail to addresses", {"to": list, "subject": str, "body": str}, self.send_mail),
            Tool("reply_mail", "sends a mail back, with 'Re: ' before the subject", {"id": int, "body": str}, self.reply_mail),
            Tool("forward_mail", "sends a mail on to addresses, with 'Fwd: ' before the subject",
                 {"id": int, "to": list}, self.forward_mail),
        )  # fmt: skip


def _folder(name: str) -> str:
    folder = name.strip().lower()
    if folder not in FOLDERS:
        raise ToolError(f"The folders are {', '.join(FOLDERS)}; got {name[:40]!r}.")
    return folder


def _told(mails: dict[int, Mail]) -> str:
    lines = [f"id {i}: {mail.subject}, from {mail.sender}, in {mail.folder}" for i, mail in mails.items()]
    return "\n".join(lines) or "(no mails)"
