"""Messy texts with facts in them: e-mails, invoices, orders and logs, and what they say as values.

Each kind of document is a function that draws facts, tells them in one of several ways, and registers each with the
:class:`Document`. What is told beside the point (other numbers, dates and names of the same form) is counted as decoys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from rlvr_gym.envs._authoring import integer, pick, shuffled

__all__ = ["DOCUMENTS", "Document"]

FIRST = (
    "Amina",
    "Boris",
    "Clara",
    "Dmitri",
    "Elena",
    "Farid",
    "Greta",
    "Henrik",
    "Imani",
    "Jonas",
    "Keiko",
    "Lorena",
)
LAST = (
    "Albers",
    "Bianchi",
    "Castellano",
    "Dvorak",
    "Eklund",
    "Ferrante",
    "Grabowski",
    "Holm",
    "Ishikawa",
    "Jansen",
)
TOWNS = (
    "Bergen",
    "Coimbra",
    "Dresden",
    "Gdansk",
    "Leuven",
    "Malmo",
    "Nantes",
    "Trieste",
    "Utrecht",
    "Zagreb",
)
FIRMS = (
    "Nordlicht Tools",
    "Green Pier Trading",
    "Kite & Sons",
    "Blue Kettle Supplies",
    "Halden Paper",
    "Vega Optics",
)
GOODS = (
    "desk lamp",
    "office chair",
    "paper roll",
    "steel bolt",
    "garden hose",
    "tea kettle",
    "bicycle bell",
    "canvas bag",
)
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
NUMBER_WORDS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


@dataclass
class Document:
    """A text that is being written, and the facts in it.

    Attributes:
        rng: where all choices come from.
        noise: how many sentences beside the point are asked for.
        gaps: the chance that a fact that may be missing is not told.
        kinds: field -> type.
        values: field -> value; None where the text does not say it.
        notes: field -> how the value stands in the text.
        meanings: field -> what it is, for the prompt.
        decoys: how many values of the same form stand beside the point.
    """

    rng: np.random.Generator
    noise: int
    gaps: float
    kinds: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)
    decoys: int = 0

    def tell(self, name: str, kind: Any, meaning: str, value: Any, note: str) -> str:
        """Registers a fact; gives ``note`` back."""
        self.kinds[name], self.meanings[name] = kind, meaning
        self.values[name], self.notes[name] = value, note
        return note

    def maybe(self, name: str, kind: Any, meaning: str, value: Any, note: str, text: str) -> str:
        """Like :meth:`tell`, for a fact that the text may leave out: ``text`` with ``{}`` for the note, or nothing."""
        if self.rng.random() < self.gaps:
            self.tell(name, kind, meaning, None, "")
            return ""
        return text.replace("{}", self.tell(name, kind, meaning, value, note))

    def decoy(self, options: tuple[str, ...]) -> list[str]:
        """Sentences beside the point."""
        chosen = shuffled(self.rng, options)[: self.noise]
        self.decoys += len(chosen)
        return chosen

    # --- values and the ways of writing them ---

    def person(self) -> str:
        """A first and a last name."""
        return f"{pick(self.rng, FIRST)} {pick(self.rng, LAST)}"

    def day(self) -> date:
        """A day of three years."""
        return date(2024, 1, 1) + timedelta(days=integer(self.rng, 0, 1095))

    def written_day(self, day: date) -> str:
        """A day in one of the ways in which people write it, all of them unambiguous."""
        month = MONTHS[day.month - 1]
        suffix = "th" if 10 <= day.day <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
        return pick(
            self.rng,
            (
                f"{day.day} {month} {day.year}",
                f"{month} {day.day}, {day.year}",
                f"{day.day}{suffix} of {month} {day.year}",
                f"{month[:3]} {day.day} {day.year}",
                day.isoformat(),
                f"{day.year}/{day.month:02}/{day.day:02}",
            ),
        )

    def amount(self, most: int) -> tuple[float, str]:
        """A sum of money, and how it is written."""
        cents = integer(self.rng, 5, most) * 100 + pick(
            self.rng, (0, 0, 50, 99, 25, integer(self.rng, 1, 99))
        )
        value = cents / 100
        written = pick(self.rng, (f"{value:,.2f}", f"{value:.2f}", f"{value:,.2f}"))
        return value, pick(
            self.rng, (f"EUR {written}", f"{written} EUR", f"{written} euros", f"\u20ac{written}")
        )

    def count(self, low: int, high: int) -> tuple[int, str]:
        """A whole number; small ones may be in words, large ones with separators."""
        value = integer(self.rng, low, high)
        if value <= 12 and self.rng.random() < 0.5:
            return value, NUMBER_WORDS[value]
        return value, f"{value:,}" if value > 999 and self.rng.random() < 0.5 else str(value)


def _email(doc: Document) -> str:
    rng = doc.rng
    sender, receiver, firm = doc.person(), doc.person(), pick(rng, FIRMS)
    number = str(integer(rng, 10_000, 99_999))
    day, price = doc.day(), doc.amount(900)
    quantity, goods = doc.count(2, 40), pick(rng, GOODS)
    urgent = bool(rng.random() < 0.5)
    phone = f"+{integer(rng, 20, 49)} {integer(rng, 100, 999)} {integer(rng, 100_000, 999_999)}"
    noise = doc.decoy(
        (
            f"My colleague {doc.person()} says hello.",
            f"The last one, from {doc.written_day(doc.day())}, was fine.",
            f"We also looked at one for {doc.amount(900)[1]}, but it was too heavy.",
            f"Our own reference is {integer(rng, 10_000, 99_999)}.",
            f"There are {integer(rng, 3, 60)} of us in the office now.",
            f"The branch in {pick(rng, TOWNS)} is closed.",
        )
    )
    facts = [
        f"I am writing about order {doc.tell('order_number', 'integer', 'the number of the order', int(number), number)}.",
        f"{doc.tell('quantity', 'integer', 'how many pieces were ordered', quantity[0], quantity[1]).capitalize()} pieces "
        f"of the article \"{doc.tell('product', 'string', 'the article, as it stands in the text', goods, goods)}\" "
        f"were ordered on {doc.tell('ordered_on', 'date', 'the day of the order', day.isoformat(), doc.written_day(day))}.",
        doc.maybe("total", "number", "the sum that was paid", price[0], price[1], "I paid {} for all of it."),
        doc.tell("urgent", "boolean", "whether the sender says that it is urgent", urgent,
                 pick(rng, ("This is urgent.", "Please hurry, we need it at once."))
                 if urgent else pick(rng, ("There is no hurry.", "Take your time, it is not urgent."))),
        doc.maybe("phone", "string", "the sender's phone number, as it stands in the text", phone, phone,
                  "You can call me at {}."),
    ]  # fmt: skip
    body = [*facts[:2], *shuffled(rng, [*filter(None, facts[2:]), *noise])]
    doc.tell("sender", "string", "the name of the sender", sender, sender)
    return (
        f"From: {sender}\nTo: {receiver} <office@{firm.split()[0].lower()}.example>\nSubject: a question\n\n"
        f"Dear {receiver.split()[0]},\n\n{' '.join(body)}\n\nKind regards\n{sender}"
    )


def _articles(doc: Document) -> tuple[list[dict[str, Any]], list[str], float]:
    """The articles of an invoice, their lines, and the total."""
    rng = doc.rng
    items, lines, cents = [], [], 0
    for article in shuffled(rng, GOODS)[: integer(rng, 1, 2 + doc.noise)]:
        quantity, price = integer(rng, 1, 60), integer(rng, 40, 9000)
        form = pick(
            rng,
            (
                "{q} x {a} @ {p:.2f}",
                "{a} .... {q} pcs at EUR {p:.2f} each",
                "* {a} | qty {q} | unit {p:.2f} EUR",
            ),
        )
        items.append({"article": article, "quantity": quantity, "unit_price": price / 100})
        lines.append(form.format(a=article, q=quantity, p=price / 100))
        cents += quantity * price
    return items, lines, cents / 100


def _invoice(doc: Document) -> str:
    rng = doc.rng
    seller, buyer = shuffled(rng, FIRMS)[:2]
    number = f"{pick(rng, 'ABCKRX')}-{integer(rng, 1000, 9999)}/{integer(rng, 1, 99)}"
    day = doc.day()
    due = day + timedelta(days=pick(rng, (10, 14, 21, 30)))
    items, lines, total = _articles(doc)
    kinds = [{"article": "string", "quantity": "integer", "unit_price": "number"}]
    noise = doc.decoy(
        (
            f"Previous balance: {doc.amount(500)[1]} (settled)",
            f"Our account: {integer(rng, 10**9, 10**10 - 1)}",
            f"Replaces offer {pick(rng, 'ABCKRX')}-{integer(rng, 1000, 9999)} of {doc.written_day(doc.day())}",
            f"Shipped from {pick(rng, TOWNS)}, {integer(rng, 2, 40)} kg",
            f"Open Mon-Fri, {integer(rng, 7, 9)} to {integer(rng, 16, 19)}",
        )
    )
    discount = integer(rng, 2, 15)
    parts = [
        f"INVOICE no. {doc.tell('invoice_number', 'string', 'the number of the invoice, with its letter', number, number)}",
        f"date: {doc.tell('date', 'date', 'the date of the invoice', day.isoformat(), doc.written_day(day))}",
        f"from {doc.tell('seller', 'string', 'the firm that sells', seller, seller)}",
        f"billed to: {doc.tell('buyer', 'string', 'the firm that buys', buyer, buyer)}",
        *lines,
        f"TOTAL {doc.tell('total', 'number', 'the total', total, f'{total:,.2f}')} EUR",
        doc.maybe("due", "date", "the day until which it has to be paid", due.isoformat(), doc.written_day(due),
                  "payable until {}"),
        doc.maybe("discount_percent", "integer", "the discount for early payment, in percent", discount, str(discount),
                  "{}% off if paid within a week"),
    ]  # fmt: skip
    doc.tell(
        "items",
        kinds,
        "the articles that were bought, each with the price of one piece",
        items,
        "; ".join(lines),
    )
    return "\n".join([*parts[:4], "-" * 20, *filter(None, parts[4:]), *noise])


def _order(doc: Document) -> str:
    rng = doc.rng
    name, town = doc.person(), pick(rng, TOWNS)
    guests, day = doc.count(3, 30), doc.day()
    hour, minute = integer(rng, 11, 21), pick(rng, (0, 15, 30, 45))
    budget = doc.amount(1500)
    vegetarian, outside = doc.count(1, guests[0] - 1), bool(rng.random() < 0.5)
    noise = doc.decoy(
        (
            f"Last time we were {integer(rng, 31, 60)} and it was loud.",
            f"{doc.person()} recommended you.",
            f"On {doc.written_day(doc.day())} you were closed, by the way.",
            f"My office is in {pick(rng, TOWNS)} but that does not matter.",
            f"The other place wanted {doc.amount(1500)[1]}, far too much.",
            f"I will call around {integer(rng, 8, 10)}:{pick(rng, ('05', '20', '40'))}.",
        )
    )
    where = (
        pick(rng, ("in the garden", "outside on the terrace"))
        if outside
        else pick(rng, ("inside", "indoors"))
    )
    time = f"{hour}:{minute:02}"
    facts = [
        f"a table for {doc.tell('guests', 'integer', 'how many guests come', guests[0], guests[1])} on "
        f"{doc.tell('day', 'date', 'the day of the visit', day.isoformat(), doc.written_day(day))} at "
        f"{doc.tell('time', 'string', 'the time of the visit, as H:MM on a clock of 24 hours', time, time)} in your "
        f"{doc.tell('town', 'string', 'the town of the restaurant', town, town)} restaurant.",
        doc.maybe("vegetarians", "integer", "how many guests eat no meat", vegetarian[0], vegetarian[1],
                  "Of these, {} eat no meat."),
        doc.maybe("budget", "number", "the most that it may cost", budget[0], budget[1], "It may cost {} at most."),
        f"We would like to sit {doc.tell('outside', 'boolean', 'whether they want to sit outside', outside, where)}.",
        doc.maybe("name", "string", "the name of the guest who books", name, name, "The booking is for {}."),
    ]  # fmt: skip
    rest = shuffled(rng, [*filter(None, facts[1:]), *noise])
    return f"Hello!! I'd like to book {facts[0]} {' '.join(rest)} Thanks a lot"


def _log(doc: Document) -> str:
    rng = doc.rng
    start = doc.day()
    host, user = f"node-{integer(rng, 10, 99)}", f"{pick(rng, FIRST).lower()}{integer(rng, 1, 9)}"
    code, size = integer(rng, 1, 127), integer(rng, 1_000, 9_999_999)
    seconds, job = integer(rng, 100, 99_999) / 100, integer(rng, 1000, 9999)
    failed = bool(rng.random() < 0.5)
    other = job + integer(rng, 1, 50)
    noise = doc.decoy(
        (
            f"INFO  job {other} started by {pick(rng, FIRST).lower()}{integer(rng, 1, 9)}",
            f"INFO  job {other} wrote {integer(rng, 1_000, 9_999_999)} bytes",
            f"WARN  disk {integer(rng, 60, 99)}% full",
            f"INFO  job {other} took {integer(rng, 100, 99_999) / 100} s",
            f"DEBUG retry {integer(rng, 1, 5)} of 5 for job {other}",
            f"ERROR job {other} exit code {integer(rng, 1, 127)}",
        )
    )
    about = f"job {job}"
    lines = [
        f"INFO  {about} started by {doc.tell('user', 'string', 'the user who started the job', user, user)}",
        doc.maybe(
            "bytes_written",
            "integer",
            "how many bytes the job wrote",
            size,
            f"{size}",
            f"INFO  {about} wrote {{}} bytes",
        ),
        doc.maybe(
            "seconds",
            "number",
            "how many seconds the job took",
            seconds,
            f"{seconds}",
            f"INFO  {about} took {{}} s",
        ),
    ]
    # told by the level of the line alone, or with a code that only a failure has
    doc.tell(
        "failed", "boolean", "whether the job ended with an error", failed, "ERROR" if failed else "done"
    )
    if failed:
        lines.append(
            doc.maybe(
                "exit_code",
                "integer",
                "the exit code of the job",
                code,
                str(code),
                f"ERROR {about} exit code {{}}",
            )
            or f"ERROR {about} ended without a code"
        )
    else:
        doc.tell("exit_code", "integer", "the exit code of the job", None, "")
        lines.append(f"INFO  {about} done")
    doc.tell("host", "string", "the machine", host, host)
    doc.tell("date", "date", "the date of the log", start.isoformat(), f"{start:%Y%m%d}")
    doc.tell(
        "job",
        "integer",
        "the number of the job that the log is about: the first one that it names",
        job,
        str(job),
    )
    rows = [lines[0], *shuffled(rng, [*filter(None, lines[1:-1]), *noise]), lines[-1]]
    clock = integer(rng, 0, 70_000)
    stamped = []
    for row in rows:
        clock += integer(rng, 1, 900)
        stamped.append(f"[{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}] {host} {row}")
    return f"=== {start:%Y%m%d} ===\n" + "\n".join(stamped)


DOCUMENTS: dict[str, Callable[[Document], str]] = {
    "e-mail": _email,
    "invoice": _invoice,
    "booking": _order,
    "log": _log,
}
"""Kind of document -> its writer."""
