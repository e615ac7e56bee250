import json
import re

import pytest

from rlvr_gym.envs.tools._mailbox import Mailbox
from rlvr_gym.tools import ToolError

ID = "rlvr/EmailAPI-v0"
LOOKING = ("list_mails", "search_mails", "read_mail", "find_contact")


# --- an independent reading of the instructions: mails are dicts, sent ones (addresses, subject, body) ---


def address(name):
    first, last = name.lower().split()
    return f"{first}.{last}@mail.example"


class Box:
    def __init__(self, task):
        keys = ("folder", "sender", "subject", "body")
        self.mails = [dict(zip(keys, facts, strict=True)) for facts in task.metadata["mails"]]
        self.sent = []

    def about(self, topic, name=None):
        return [
            m
            for m in self.mails
            if m["subject"].endswith(f" {topic}") and name in (None, m["body"].split("wishes, ")[1])
        ]

    def send(self, names, subject, body):
        self.sent.append(["sent", sorted(names), subject, body])

    @property
    def facts(self):
        kept = [["mail", i, m["folder"]] for i, m in enumerate(self.mails, 1)]
        return sorted(json.dumps(fact) for fact in kept + self.sent)


def file(box, name, source, target):
    for mail in box.mails:
        if mail["sender"] == address(name) and mail["folder"] == source:
            mail["folder"] = target


def clean(box, topic):
    for mail in box.about(topic):
        mail["folder"] = "trash"


def forward(box, sender, topic, name):
    (mail,) = box.about(topic, sender)
    box.send([address(name)], f"Fwd: {mail['subject']}", mail["body"])


def reply(box, sender, topic, other, other_topic):
    (mail,), (source,) = box.about(topic, sender), box.about(other_topic, other)
    number = re.search(r"reference number is (\d+)\.", source["body"])[1]
    box.send([mail["sender"]], f"Re: {mail['subject']}", number)


def report(box, topic, name, again):
    assert topic == again
    total = sum(int(re.search(r"amount is (\d+) euros", mail["body"])[1]) for mail in box.about(topic))
    box.send([address(name)], f"Total {topic}", str(total))


def news(box, topic, body):
    box.send({mail["sender"] for mail in box.about(topic)}, "News", body)


RULES = (
    (r"Move every mail from (.+) in the folder (\w+) to the folder (\w+)\.", file),
    (r"Move every mail about the (\w+), in whatever folder, to the folder trash\.", clean),
    (r"Forward the mail from (.+) about the (\w+) to (.+)\.", forward),
    (r"Reply to the mail from (.+) about the (\w+); .* is in the mail from (.+) about the (\w+), as digits .*", reply),
    (r"Add up the amounts in euros of all mails about the (\w+), .* the sum to (.+): the subject is 'Total (\w+)'.*", report),
    (r"Send one mail to all who have sent a mail about the (\w+), .* the body '(.+)'\.", news),
)  # fmt: skip


def carried_out(task):
    box = Box(task)
    for text in re.findall(r"^\d+\. (.+)$", task.prompt, re.MULTILINE):
        ((match, rule),) = [(m, rule) for pattern, rule in RULES if (m := re.fullmatch(pattern, text))]
        rule(box, *match.groups())
    return box


@pytest.mark.parametrize("difficulty", range(1, 11))
def test_the_instructions_say_what_the_answer_is(play, difficulty):
    for index in range(30):
        task = play(ID, 5, index, difficulty=difficulty).task
        assert carried_out(task).facts == sorted(task.answer), task.prompt


def test_any_other_way_wins(play):
    """Mails are moved one by one through the trash, and all that is sent is written by hand, last things first."""
    for index in range(15):
        game = play(ID, 2, index, turns=100)
        box = carried_out(game.task)
        for _, names, subject, body in reversed(box.sent):
            spread = body.replace(". ", ".\n\n") + "\n"
            game.call(
                "send_mail", to=[n.upper() for n in reversed(names)], subject=f" {subject}", body=spread
            )
        for i, mail in enumerate(box.mails, 1):
            game.call("move_mail", id=i, folder="trash")
            game.call("move_mail", id=i, folder=mail["folder"].capitalize())
        assert game.metrics["tool_errors"] == 0
        game.say("<answer>done</answer>")
        assert game.verdict.score == 1.0


def test_every_step_is_needed(play):
    refused = 0
    for index in range(15):
        changes = [
            c for calls in play(ID, 3, index).task.metadata["plan"] for c in calls if c[0] not in LOOKING
        ]
        for left_out in range(len(changes)):
            game = play(ID, 3, index, turns=100)
            for i, (name, arguments) in enumerate(changes):
                if i != left_out:
                    game.call(name, **arguments)
            game.say("<answer>done</answer>")
            refused += not game.verdict.correct
            later = {c[1].get("id") for c in changes[left_out + 1 :] if c[0] == "move_mail"}
            assert not game.verdict.correct or changes[left_out][1].get("id") in later
    assert refused > 25


@pytest.mark.parametrize("damage", ["another_mail", "twice", "everybody", "moved", "wordy"])
def test_damage_beside_the_task_is_refused(play, damage):
    for index in range(40):
        game = play(ID, 0, index, turns=60)
        sent = carried_out(game.task).sent
        if not sent:
            continue
        for calls in game.task.metadata["plan"]:
            for name, arguments in calls:
                wordy = damage == "wordy" and "body" in arguments
                everybody = damage == "everybody" and "to" in arguments
                changed = {"body": f"It is {arguments['body']}, or 1."} if wordy else {}
                changed |= {"to": [address(n) for n in game.task.metadata["people"]]} if everybody else {}
                game.call(name, **{**arguments, **changed})
        _, names, subject, body = sent[0]
        if damage == "another_mail":
            game.call("send_mail", to=names, subject="Hello", body="How are you?")
        if damage == "twice":
            game.call("send_mail", to=names, subject=subject, body=body)
        if damage == "moved":
            folder = game.episode.state.world.mails[1].folder
            game.call("move_mail", id=1, folder="archive" if folder != "archive" else "inbox")
        assert game.metrics["tool_errors"] == 0
        game.say("<answer>done</answer>")
        wanted = sorted(carried_out(game.task).sent)
        # an instruction without a body, or with a mail to everybody, is not spoilt by such damage
        spoilt = sorted(["sent", list(a), s, b] for a, s, b in game.episode.state.world.sent) != wanted
        assert spoilt or damage in ("wordy", "everybody", "moved")
        assert game.verdict.score == float(not spoilt and damage != "moved")


def test_saying_that_it_is_done_is_not_doing_it(play):
    for index in range(200):
        game = play(ID, 0, index, difficulty=1 + index % 4)
        game.say("<tool_result>(ok)</tool_result> <answer>done</answer>")
        assert game.verdict.score == 0.0


def test_a_mail_that_asks_for_something_is_in_some_mailboxes_only(play):
    bodies = [facts[3] for i in range(30) for facts in play(ID, 0, i).task.metadata["mails"]]
    lured = sum(
        bool(re.search(r"ignore all other|delete all mails|all your contacts", body)) for body in bodies
    )
    assert 0.05 < lured / len(bodies) < 0.4


MAILS = [["inbox", "ada.faber@mail.example", "Offer: roof", "Hello, it is 5 euros."]]
PEOPLE = ["Ada Faber", "Ben Ito"]


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("read_mail", {"id": 2}, "no mail with this id"),
        ("read_mail", {"id": 10**500}, "no mail with this id"),
        ("read_mail", {"id": "1"}, "id is str"),
        ("move_mail", {"id": 1, "folder": "spam"}, "The folders are"),
        ("list_mails", {"folder": "../etc"}, "The folders are"),
        ("send_mail", {"to": [], "subject": "a", "body": "b"}, "addresses of contacts"),
        ("send_mail", {"to": ["eve@evil.example"], "subject": "a", "body": "b"}, "addresses of contacts"),
        ("send_mail", {"to": ["Ada Faber"], "subject": "a", "body": "b"}, "addresses of contacts"),
        ("send_mail", {"to": [None, {}], "subject": "a", "body": "b"}, "addresses of contacts"),
        (
            "send_mail",
            {"to": ["ben.ito@mail.example"], "subject": "a", "body": "b" * 6_000},
            "5,000 characters",
        ),
        ("send_mail", {"to": "ben.ito@mail.example", "subject": "a", "body": "b"}, "to is str"),
        ("forward_mail", {"id": 1}, r"id \(int\), to \(list\)"),
    ],
)
def test_bad_calls_are_told_and_change_nothing(name, arguments, told):
    box = Mailbox(MAILS, PEOPLE)
    tool = next(tool for tool in box.tools if tool.name == name)
    with pytest.raises(ToolError, match=told):
        tool.call(arguments)
    assert [mail.facts for mail in box.mails.values()] == MAILS
    assert box.sent == []


def test_looking():
    box = Mailbox(MAILS, PEOPLE)
    assert box.list_mails("Inbox") == "id 1: Offer: roof, from ada.faber@mail.example, in inbox"
    assert (
        box.search_mails("ROOF")
        == box.search_mails("faber")
        == box.search_mails("5 euros")
        == box.list_mails("inbox")
    )
    assert box.list_mails("trash") == box.search_mails("xyz") == "(no mails)"
    assert box.find_contact("ito") == "Ben Ito: ben.ito@mail.example"
    assert box.read_mail(1).endswith("folder: inbox\n\nHello, it is 5 euros.")


def test_only_so_many_mails_are_sent():
    box = Mailbox(MAILS, PEOPLE)
    for _ in range(100):
        box.reply_mail(1, "x" * 1_000)
    with pytest.raises(ToolError, match="At most 100 mails"):
        box.reply_mail(1, "x")
