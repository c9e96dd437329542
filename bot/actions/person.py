"""Who speaks: his name, for whom, and how much of it others may know. Pure functions over text and entities."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from actions.behalf import find_behalf, is_organisation

_WORDS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("secrecy.yml").read_text(encoding="utf-8"))
_DIALECT: dict[str, str] = _WORDS.pop("dialect")
_SECRECY: dict[str, re.Pattern[str]] = {name: re.compile("".join(form.split())) for name, form in _WORDS.items()}
_SAID_SO = re.compile("|".join(sorted(_DIALECT, key=len, reverse=True)))
_RELATION = (
    r"女儿|儿子|闺女|丈夫|老公|老伴|妻子|老婆|爱人|媳妇|儿媳妇?|女婿|妈妈?|爸爸?|母亲|父亲|奶奶|爷爷|外婆|外公|姥姥|姥爷|姐姐?|妹妹?|哥哥?|弟弟?|孙子|孙女|外孙女?"
    r"|侄子|侄女|外甥女?|家属|家长|亲戚|朋友|邻居|同事|监护人|房东|租客|租户|业主|住户|户主|居民|村民|患者|病人|员工|职工|店主|老板|负责人|经办人|代办人|代理人|法人|本人")
_OWN_NAME = re.compile(
    r"(?:我叫|我是|本人|我的?(?:名字|姓名)(?:是|叫)?|^(?:姓名|名字)(?:是|叫)?|(?<=[，。,.\s])(?:姓名|名字)(?:是|叫)?|联系人|称呼我?|反映人|投诉人|申请人|(?<![他她]是)业主|叫我)[：:是叫\s]{0,3}$"
    rf"|(?:我|本人)(?:就)?是[^，。！？,.!?\n]{{0,16}}?(?:的|{_RELATION})[：:，,\s]?$"
    r"|(?:^|[，,。！!；;\s])(?:我|本人)(?:就)?$")
_SIGNED = re.compile(r"(?:\n\s*|<PHONE_\d+>[，,。；;\s]*)$")
"""A name alone at the end, below the letter or behind the number, is who wrote it."""
_MY_FAMILY_NAME = re.compile(r"(?:^|[，,。！!；;\s>\d])(?:我|本人|免贵|敝)?姓$")
_FAMILY_NAME_ENDS = re.compile(r"\s*(?:[，,。！!；;\n]|谢谢|电话|手机|联系|住|$)")
_SIGNS_WITH = re.compile(r"(?:联系)?(?:电话|手机号?|号码|联系方式)|地址|住址|业主|住户|居民|此致|敬礼|敬上|谨上|谢谢|多谢|麻烦了|\W")
"""What may stand in the line below a letter beside name, home, number and day."""
_OF_OFFICE = re.compile(r"(?:师傅|医生|医师|大夫|护士长?|主任|经理|主管|科长|队长|班长|站长|所长|院长|校长|处长|局长|书记|镇长|村长|保安|保洁|管家|老师|教授|警官|民警|客服|店长|老板娘?)$")
"""Who has an office is who is spoken of, unless he says that it is he."""
_HIS_OWN = ("praise", "suggestion")
"""Kinds that everybody speaks for himself, unless he says for whom."""
_ASKS = re.compile(r"[吗吧么呢嘛?？]\s*$|[会能是]不[会能是]|可不可以|能否")
_OF_HIM = re.compile(rf"(?:我|俺|咱)们?家?(?:{_RELATION}|爹|娘|老人|孩子)(?:叫|是|名叫|，|,)?$")


def _plain(text: str) -> str:
    """别说是俺说嘞 as 别说是我说的, each word where it was."""
    return _SAID_SO.sub(lambda said: _DIALECT[said[0]], text)


def wants_confidence(text: str) -> bool:
    """请保密, 匿名."""
    wish = confidence_in(text)
    if wish is None:
        return "匿名" in text and stays_unnamed(text)
    return wish


def confidence_in(text: str) -> bool | None:
    """Whether he wishes for confidence by what he says last of it, or takes it back; None where he says nothing of it."""
    text = _plain(text)
    taken_back = [found.span() for found in _SECRECY["taken_back"].finditer(text)]
    wishes = [found.start() for found in _SECRECY["confidential"].finditer(text)
              if not any(begin <= found.start() < end for begin, end in taken_back)]
    if not taken_back and not wishes:
        return None
    return not taken_back or (bool(wishes) and wishes[-1] > taken_back[-1][0])


def asks_for_confidence(text: str) -> bool:
    """这个不会让他知道是我说的吧: he wants to hear that it stays so."""
    return confidence_in(text) is True and bool(_ASKS.search(text))


def without_wishes(text: str) -> str:
    """The text without its wish for confidence."""
    for wish in reversed(list(_SECRECY["confidential"].finditer(_plain(text)))):
        text = text[:wish.start()] + text[wish.end():]
    return text


def stays_unnamed(text: str) -> bool:
    """匿名, 不想留名字."""
    return bool(_SECRECY["anonymous"].search(_plain(text))) and not is_named_after_all(text)


def leaves_no_number(text: str) -> bool:
    """匿名, 不留电话, 不用给我回电话了: he is not asked where to call him."""
    return stays_unnamed(text) or (bool(_SECRECY["no_call"].search(_plain(text))) and not is_named_after_all(text))


def is_named_after_all(text: str) -> bool:
    """不匿名了, 实名."""
    return bool(_SECRECY["named_after_all"].search(_plain(text)))


def read_person(
    text: str, entities: list[dict[str, Any]], extra: dict[str, Any], *, kind: str | None = None, corrects: bool = False
) -> dict[str, Any]:
    """`extra` with what the message says of who speaks. `corrects`: it only puts something right, and speaks for nobody."""
    if is_named_after_all(text):
        extra.pop("anonymous", None)
    elif stays_unnamed(text):
        extra["anonymous"] = True
    if (wish := confidence_in(text)) is not None:
        extra.pop("confidential", None)
        extra |= {"confidential": True} if wish else {}
    if name := own_name(text, entities):
        extra["name"] = name
    who = None if corrects else find_behalf(text, only_said=kind in _HIS_OWN)
    if who and "on_behalf_of" not in extra:
        extra["on_behalf_of"] = {"relation": who}
        if is_organisation(who):
            extra["organisation"] = True
    if "on_behalf_of" in extra and (name := _name_of_other(text, entities)):
        extra["on_behalf_of"] = extra["on_behalf_of"] | {"name": name}
    return extra


def own_name(text: str, entities: list[dict[str, Any]]) -> str | None:
    """What he calls himself: 我叫, 我是她女儿, the signature; 姓范 where he gives no more of it."""
    people = [e for e in entities if e["entity"] == "person"]
    family = None
    for person in people:
        before, after = text[:person["start"]], text[person["end"]:]
        if _OWN_NAME.search(before) and not _OF_HIM.search(before):
            return str(person["value"])
        if _MY_FAMILY_NAME.search(before) and _FAMILY_NAME_ENDS.match(after):
            family = f"姓{person['value']}"
    return next((str(person["value"]) for person in people[-1:] if _is_signature(text, entities, person)), None) or family


def _is_signature(text: str, entities: list[dict[str, Any]], person: dict[str, Any]) -> bool:
    """The last line says nothing but who wrote, where he lives, his number and the day."""
    if _OF_OFFICE.search(person["value"]):
        return False
    after = text[person["end"]:]
    if _SIGNED.search(text[:person["start"]]) and not after.strip(" \n。."):
        return True
    begins = max(text.rfind(mark, 0, person["start"]) for mark in "。！？!?\n") + 1
    line, kinds = text[begins:], set[str]()
    for entity in sorted(entities, key=lambda e: -int(e["start"])):
        if entity["start"] >= begins and entity["entity"] in ("person", "place", "phone", "time", "id_number"):
            line = line[:entity["start"] - begins] + line[entity["end"] - begins:]
            kinds.add(entity["entity"])
    alone = not _SIGNS_WITH.sub("", re.sub(r"<[A-Z_]+\d+>", "", line))
    return alone and ("phone" in kinds or (begins > 0 and ("place" in kinds or not after.strip(" \n。."))))


def _name_of_other(text: str, entities: list[dict[str, Any]]) -> str | None:
    """我妈李秀英: the name of whom he speaks for."""
    return next((str(e["value"]) for e in entities if e["entity"] == "person" and _OF_HIM.search(text[:e["start"]])
                 and not _OF_OFFICE.search(e["value"])), None)
