"""What a long text asks for: without salutation, pleasantries, signature and quotation, sentence by sentence."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nlu.components.normal import fold

Ranking = list[tuple[str, float]]

LONG = 70
"""Characters from which a text is looked at by sentences; shorter ones are read whole."""
MOST = 8
"""Sentences that are weighed; each costs a sentence vector."""

_QUOTED = re.compile(r"^\s*(?:>|&gt;|\|)|^\s*-{3,}.*(?:原始邮件|original|转发)|^\s*(?:发件人|收件人|抄送|主题|发送时间|from|to|subject|sent)\s*[:：]", re.I)
_QUOTE_BEGINS = re.compile(r"^\s*-{2,}\s*(?:原始邮件|original message|转发邮件)|.{0,60}(?:写道|wrote)\s*[:：]\s*$|^_{5,}\s*$", re.I)
_SIGNED = re.compile(r"^\s*(?:--\s*$|发自我的|发送自|来自我的|sent from|此致|敬礼|顺祝|祝好|祝您|此颂|谨上|敬上)", re.I)
_MANNERS = re.compile(
    r"^(?:尊敬的.{0,16}|(?:各位)?(?:领导|老师|同志|工作人员)(?:们)?[,，]?(?:您|你们|大家)?好?|.{0,8}(?:您好|你好|你们好|大家好)|打扰了?|百忙之中.{0,20}|"
    r"(?:首先)?(?:非常|十分|衷心)?感谢.{0,24}(?:支持|关心|帮助|工作|理解|付出|抽空|阅读|来信)?|谢谢(?:您|你们|大家)?.{0,8}|此致|敬礼|祝.{0,16}|盼复|望回复|在吗)$")
_ASKS = re.compile(
    r"请(?!问候)|恳[请求]|希望|要求|麻烦|帮(?:我|忙)|能否|能不能|可否|可不可以|请教|请问|咨询|想问|建议|提议|想法|投诉|反映|举报|检举|严肃查处|"
    r"表扬|表彰|点赞|预约|挂号|取消|查询|催|撤|怎么|如何|什么|哪|多少|几(?:月|点|天|号)|退(?:给|还)|处理|解决|给.{0,4}说法|管一?管|派|来修|换一?个")
_NEXT_MATTER = re.compile(r"^(?:另外|还有(?:一?[件个]|就是|,|,)|此外|再(?:一个|就是|有)|顺便|同时|第二|其二|二是|2[、.,)]|二、|对了)")
MANNERS = frozenset({"greet", "goodbye", "thanks", "affirm", "deny", "chitchat", "inform", "nlu_fallback"})
"""Intents that are no wish of their own in a long text."""
WISHES = frozenset({"complain", "request_service", "suggest", "praise", "report_misconduct", "ask_guide", "book_appointment"})


@dataclass(frozen=True)
class Sentence:
    """`text[start:end]` of the whole; `asks` where its words ask for something; `opens` where they begin another matter."""

    text: str
    start: int
    asks: bool
    opens: bool

    @property
    def end(self) -> int:
        """Where it ends in the whole."""
        return self.start + len(self.text)


def split(text: str) -> list[Sentence]:
    """The sentences of the resident's own words; all of the text as one where nothing else is left."""
    found = [sentence for line, start in _own_lines(text) for sentence in _sentences(line, start)]
    return found or [Sentence(text, 0, True, False)]


def _own_lines(text: str) -> Iterator[tuple[str, int]]:
    at = 0
    for line in text.splitlines(keepends=True):
        if _QUOTE_BEGINS.match(line) or (_SIGNED.match(line) and at):
            return
        if not _QUOTED.match(line):
            yield line, at
        at += len(line)


def _sentences(line: str, start: int) -> Iterator[Sentence]:
    for match in re.finditer(r"[^。！？!?；;\n]+[。！？!?；;]*", line):
        for piece, at in _not_too_long(match[0], start + match.start()):
            plain = fold(piece).strip(" \t\r\n。!?;,，:：")
            if len(plain) >= 2 and not _MANNERS.match(plain):
                yield Sentence(piece, at, bool(_ASKS.search(plain)), bool(_NEXT_MATTER.match(plain)))


def _not_too_long(piece: str, start: int) -> Iterator[tuple[str, int]]:
    """Who writes without full stops still breathes: commas and spaces end what is longer than a sentence."""
    if len(piece) <= 60:
        yield piece, start
        return
    begins = 0
    for match in re.finditer(r"[,，、\s]+", piece):
        if match.end() - begins >= 24:
            yield piece[begins:match.end()], start + begins
            begins = match.end()
    if piece[begins:].strip():
        yield piece[begins:], start + begins


def weigh(sentences: Sequence[Sentence], rank: Callable[[str], Ranking]) -> tuple[Ranking, list[tuple[Sentence, Ranking]]]:
    """The intents of all sentences together, those that ask counting most; and each sentence with its own."""
    chosen = _choose(sentences)
    ranked = [(sentence, rank(sentence.text.strip())) for sentence in chosen]
    votes: dict[str, float] = {}
    for n, (sentence, ranking) in enumerate(ranked):
        weight = (3.0 if sentence.asks else 1.0) * (1.3 if n == len(ranked) - 1 else 1.0)
        for name, share in ranking:
            votes[name] = votes.get(name, 0.0) + weight * share * (0.15 if name in MANNERS else 1.0)
    total = sum(votes.values()) or 1.0
    return sorted(((name, share / total) for name, share in votes.items()), key=lambda pair: -pair[1]), ranked


def _choose(sentences: Sequence[Sentence]) -> list[Sentence]:
    if len(sentences) <= MOST:
        return list(sentences)
    order = sorted(range(len(sentences)), key=lambda n: (not sentences[n].asks, -n if sentences[n].asks else n))
    return [sentences[n] for n in sorted(order[:MOST])]


def find_matters(ranked: Sequence[tuple[Sentence, Ranking]]) -> list[dict[str, object]]:
    """The distinct wishes of a text, in its order: another kind of wish, or one that is said to be another (另外…)."""
    matters: list[dict[str, object]] = []
    for sentence, ranking in ranked:
        name, share = ranking[0]
        if name not in WISHES or share < 0.5:
            continue
        last = matters[-1] if matters else None
        if last and not sentence.opens and (last["intent"] == name or not sentence.asks):
            last["end"] = sentence.end
        else:
            matters.append({"intent": name, "confidence": share, "start": sentence.start, "end": sentence.end})
    return matters if len(matters) > 1 else []
