"""What must never be missed, whatever the model says: danger to somebody, and the wish to speak with a person.

A sign is a form of words, and what takes it back: a question about fees or rules, something long past, a comparison, a drill.
"""
from __future__ import annotations

import re
from collections.abc import Sequence

from nlu.components.normal import fold

Ranking = list[tuple[str, float]]

EMERGENCY, PERSON = "report_emergency", "ask_human"
SURE = 0.97
_SOMEBODY = r"(?:[^,，。!！?？;；\s]{0,8}(?:人|孩子?|娃|老头|老太太?|老人|大爷|大妈|奶奶|爷爷|女士|女孩|男孩|妈|爸|爹|娘|婆|公公|老公|老婆|老伴|丈夫|妻子|儿子|女儿|病人|患者|工人|邻居|同事|我))"
_HURT = r"晕(?:倒|过去|厥|了)|昏(?:倒|迷|过去)|休克|抽搐|口吐白沫|倒(?:地|在地|在)|叫不(?:醒|应)|没(?:有)?(?:呼吸|心跳|气|脉)|心(?:脏)?(?:骤停|梗)|喘不(?:上|过)|喘不上来|噎(?:住|着)|卡住喉咙|窒息|大出血|流了?(?:好多|很多|一地|不少)血|满(?:脸|身|头|手)(?:都)?是血|止不住血|血(?:流不止|止不住)|头破血流|触电|被电(?:到|着|了|倒)|溺水|落水|坠楼|摔(?:下楼|下来|断)|不省人事|羊水破|要生了|脑梗|中风|中毒|误(?:吞|食|服)"

DANGER: tuple[tuple[str, re.Pattern[str]], ...] = tuple((name, re.compile(form)) for name, form in (
    ("fire", r"(?<![不没点])(?:着|起|失|遭|找)火(?:了|啦|咯|咗|灾|快|$|[,，。!！🔥])|火灾(?!险|报警器|演)|(?:烧|燃)(?:起来|着了)|冒(?:着)?(?:浓|黑|白|出|大)?.{0,2}烟|浓烟|(?<!用)明火|火苗|冒火(?:花|星)?|大火|爆炸"),
    ("gas", r"(?:煤气|燃气|天然气|液化气|瓦斯|没气|煤汽)[^,，。!！?？]{0,8}(?:泄|漏|味|中毒|臭|滋滋|嘶嘶|被挖)|(?:漏|泄)(?:煤气|燃气|天然气|液化气|瓦斯)|(?:闻|有|股|满屋|全是).{0,6}(?:煤气|燃气|天然气|液化气)|(?:煤气|燃气)(?:灶|阀).{0,4}没关.{0,10}味"),
    ("trapped", r"(?:困|关|卡|夹|锁|反锁|憋)(?:在|住|咗|进|到|喺|死).{0,8}(?:电梯|轿厢|井|车里|车内|火|水|屋里|里面)|(?:电梯|轿厢).{0,16}(?:困|被关|关了|出不[来去]|拍门|呼救|坠|掉下|往下掉|夹(?:住|了|到|在)|里(?:面)?(?:还)?有(?:人|老人|孩子|小孩))|有人被困|困人"),
    ("left in a car", r"车(?:里|内|上).{0,8}(?:孩子?|娃|宝宝|婴儿|小孩).{0,12}(?:没大人|一个人|热|哭|锁|闷|出不来)|(?:孩子?|娃|宝宝|婴儿|小孩).{0,6}(?:被|给)?(?:锁|关|忘|反锁)(?:在)?车"),
    ("hurt", rf"{_SOMEBODY}[^,，。!！?？]{{0,10}}(?:{_HURT})|(?:{_HURT})[^,，。]{{0,6}}(?:快|救|怎么办|赶紧|了)|(?:砸|撞|压|夹|烫|烧|咬|刺|炸|摔)(?:伤|死|中|倒|着|住|到)(?:了)?[^,，。]{{0,4}}(?:{_SOMEBODY}|头|人)|{_SOMEBODY}[^,，。]{{0,6}}(?:被|给).{{0,6}}(?:砸|撞|压|轧)(?:伤|死|中|倒|着|住|到|在|了|飞)|(?:突然|忽然).{{0,8}}(?:说不出话|动不了|不会动|看不见|没反应)|躺在.{{0,4}}不动|压着.{{0,4}}(?:人|工人)|心口疼|胸口(?:好)?痛|心脏病(?:犯|发)|(?:摔|磕|碰|砸|打|咬|撞)[^。]{0,12}(?:流(?:了)?血|出血|满身(?:是)?血)|孕妇.{0,4}出血|大出血|(?:打|砍|捅)[^。]{0,4}出血|烫伤|(?:吞|咽)(?:了|下).{0,8}(?:电池|硬币|针|钉)|口吐白沫"),
    ("falls", r"(?:孩子?|娃|老人|有人|小孩|女孩|男孩|人).{0,6}(?:掉|摔|跌)(?:进|到|下|落).{0,6}(?:河|水|湖|井|坑|池|沟|楼|去)|(?:从|在).{0,6}(?:楼|窗|阳台|高处)[^,，。]{0,4}(?:人)?(?:掉|摔|跌)下|有人.{0,8}(?:楼|高处).{0,4}掉下|掉(?:进|到)?(?:河|水|湖|井|化粪池|池塘|下水道).{0,2}(?:里|了|去)|(?:河|湖|水|井|池)里.{0,4}(?:有人|有个(?:人|孩子?)).{0,6}(?:扑腾|挣扎|沉|漂)"),
    ("suicide", r"不想活|活(?:够了|不下去|着没(?:有)?意[思义]|着太)|想(?:死|自杀|不开|跳下去|一了百了)|要(?:自杀|跳楼|跳河|跳桥|寻死|轻生)|自杀|轻生|寻短见|跳(?:楼|河|桥|江)(?!价|机)|(?:从|往)楼[^,，。]{0,4}跳|准备去死|站在.{0,8}(?:天台|楼顶|阳台|窗台|桥).{0,8}(?:跳|边)|割(?:了)?(?:腕|手腕)|遗书|结束(?:我的|自己的)?生命|(?:喝|吃|吞).{0,4}(?:农药|百草枯|老鼠药|安眠药)|安眠药.{0,4}(?:吃|吞)|去死(?:算了|了)"),
    ("crime", r"(?:拿|持|举|挥|掏)(?:着)?.{0,2}(?:刀|枪|斧|棍|锤)|(?:动|抡)刀|砍(?:人|伤|了)|捅(?:了|人|伤|死)|抢(?:劫|包|钱|孩子|手机|东西)|打劫|绑(?:架|匪|走)|劫持|(?:小偷|贼|陌生人|有人|有个(?:人|男的)).{0,6}(?:正?在|进).{0,4}(?:偷|撬|翻|砸|爬|闯|我家|屋)|(?:撬|砸|踹)(?:我家)?(?:的)?门|入室|破门|遭(?:了)?贼|歹徒|强奸|猥亵|性侵|(?:拉|抱|拐|带).{0,3}走.{0,4}(?:孩子?|娃|小孩|女孩)|(?:孩子?|小孩|女孩|娃)[^。]{0,12}(?:被|有).{0,8}(?:抱|拉|拐|掳|带)(?:他|她|着)?走|(?:被|遭).{0,6}(?:家暴|殴打|尾随|跟踪)|(?:老公|丈夫|男人|他|老婆)(?:正?在|又|把我)?打(?:我|得|的)|一直(?:跟|尾随)着我|(?:尾随|跟踪)我|有人(?:尾随|跟踪)|往死里打|出人命|命案|群架"),
    ("collapse", r"(?:墙|楼|房|楼板|天花板|屋顶|脚手架|围墙|塔吊|桥|广告牌|山体|地面|路面)[^,，。]{0,6}(?:塌了|倒塌|坍塌|垮塌|要塌|滑坡|倒了.{0,4}(?:人|压))|塌了?[,，。]?(?:压|埋|砸)|倒(?:了|下来)[,，]?(?:砸|压)(?:到|着|住|倒|伤)|滑坡.{0,6}(?:埋|压|车)|高压线.{0,6}(?:断|落|掉)|(?:电线|电缆).{0,6}(?:断|掉|落|垂).{0,8}(?:水|地|火|电)|变压器.{0,4}(?:炸|着|火)"),
    ("flood", r"(?:水|积水|洪水).{0,12}(?:没过|淹到|涨到|齐腰|齐胸|漫过).{0,12}|(?:困|堵|关)(?:在|住|到).{0,6}(?:水|车|屋|房)里?(?=.{0,8}水)|车.{0,4}(?:泡|淹)在?水.{0,6}(?:人|出不来)|淹.{0,6}(?:有人|老人|人)"),
    ("help", r"救(?:命|名(?:啊|呀)|人(?:啊|呀|$|!|！|[,，]))|快(?:点|来)?.{0,2}救(?:我|他|她|人|火|救)|救救(?:我|他|她|孩子?)|(?:快(?:叫|打|拨)|叫)?(?:120快|119快|110快)|快(?:叫|打|拨)(?:120|110|119|救护车|警察|消防)|(?:帮我|赶紧|马上|快)报警(?!器)|快报警|车祸"),
)
)

_TAKES_BACK: tuple[re.Pattern[str], ...] = tuple(re.compile(form) for form in (
    r"(?:煤气|燃气|天然气|液化气|水|电)(?:费|表|卡|公司|开户|过户|缴费|改造|置换)|开通(?:煤气|燃气|天然气)|(?:通|装|换|接|停|充)(?:不了)?(?:煤气|燃气|天然气)",
    r"演[练习]|演讲|培训|讲座|宣传|知识|保险|理赔|预防|防(?:火|盗|溺水|拐|诈)|如何避免|报警器|灭火器|消防(?:检查|验收|证|手续|知识)|提前了解|万一|如果.{0,12}(?:怎么|该|应|找谁|打)|要是.{0,10}(?:怎么|该|应)|假如",
    r"救(?:了|过)|抢救(?:过来|成功|及时)|多亏|感谢|表扬|点赞|锦旗|已经(?:扑灭|灭了|救出|出来了|没事|报警|送医)|虚惊|误会",
    r"(?:去年|前年|上个?月|上周|前几天|几年前|之前|以前|曾经|前些(?:天|年|日子)|上次|上回).{0,24}(?:着过?火|失火|起火|火灾|晕|摔|困|跳楼|撞|砸|触电|爆炸|抢|偷|打|溺|落水|中毒)",
    r"(?:饿|累|困|气|笑|热|冷|烦|急|吵|渴|丑|羞|吓|臭|忙|慢|贵|坑|堵|挤|疼|痒|无聊)(?:得)?(?:要|快|得)?死|(?:忙|累|急|气|热|冷|吵)(?:得)?(?:着火|冒烟|晕|爆炸|上吊|跳楼|吐血|要命)|火(?:锅|车|爆)|跳楼价|上火|(?:嗓子|喉咙)(?:都)?(?:冒烟|冒火)|急得|恨不得|烦得|绕晕|整晕|看晕|转晕|搞晕|听晕|绕得.{0,2}晕",
    r"(?:没有?|没|无)人(?:受伤|被困|员)|怕.{0,6}(?:着火|失火|起火|爆炸|砸|触电|摔)|容易(?:着火|起火|失火|引发|触电)|(?:会|可能|以防|防止|避免|引起|引发|存在).{0,6}(?:着火|起火|火灾|失火|爆炸|触电|砸伤|摔)|有.{0,6}(?:隐患)",
    r"烧烤|烧香|抽烟|吸烟|烟头|油烟|烟囱|排烟|冒烟.{0,4}扰民|半夜.{0,6}打(?:牌|麻将)|打(?:扫|电话|疫苗|印|卡|孔|桩|滴)",
))
_NOW = re.compile(r"快(?:来|点|叫|救)|救命|救救|正在|现在|刚(?:刚|才)?|突然|还在|赶紧|马上|里面(?:还)?有人|出不来|叫不醒|怎么办")
_ONLY_SPOKEN = re.compile(r"感谢|表扬|点赞|演[练习]|保险|提前了解|知识|费|价")
LIKELY = 0.3
"""A message that the model holds for an emergency with this share is one: a false alarm costs less than a missed one."""

_WANTS_PERSON = re.compile(
    r"(?:转|接|找|要|换|叫|有没有|给我|请|需要|联系|呼叫|能不能|有)[^,，。!！?？]{0,8}(?:人工|真人|活人|坐席|座席|接线员|人共|人攻|人公|任工|人功)|^[\s]*人工[^智流费成资林授湖岛]?|"
    r"(?:真|活)人(?:客服|服务|说话|讲|聊|接|回|没|呢)|(?:叫|让|找|喊|换|请|要跟|要和|想跟|想和)[^,，。]{0,6}(?:领导|经理|主管|负责人|管事的|头儿|值班的?|主任)[^,，。]{0,4}(?:来|谈|说|出来|接|讲|联系|回|聊|听|打|$)|"
    r"(?:来|叫|找|换|喊|派)(?:一)?个?(?:活|真)?人(?:来)?(?:说话|说|跟我|和我|接|讲|聊|谈|给我打|打给我)|(?:不(?:要|想|跟|和)|别|讨厌).{0,4}(?:机器人?|程序|自动回复|罐头)|转人|(?:叫|转|换|找|接)(?:一?个)?客服|喘气的.{0,4}(?:出来|没)|当面(?:讲|谈|说)|转给(?:你)?(?:的)?同事|接线员")
_NOT_PERSON = re.compile(r"(?:不用|不要|别|不想|不需要|无需|没必要)(?:给我|帮我)?(?:转|找|叫|接|人工)(?!.{0,6}机器)|人工(?:智能|费|流产|授精|湖|成本|翻译|受孕|耳蜗|关节|晶体)|聊天|人工(?:窗口|通道|服务时间|几点|多少)")


_COMPLAINS = re.compile(r"投诉")
_REPORTS = re.compile(r"举报|检举|揭发|纪检|贿|红包|回扣|贪|挪用|私吞|侵吞|吃拿卡要|索要|好处费|滥用职权|以权谋私|徇私|公款|造假|作弊")
COMPLAINT, MISCONDUCT = "complain", "report_misconduct"


def see_danger(text: str) -> str | None:
    """Which danger a text reports; None where it reports none, or only speaks of it."""
    plain = fold(text)
    seen = next((name for name, form in DANGER if form.search(plain)), None)
    if seen is None:
        return None
    # Who asks, remembers or fears is in no danger; who cries for help is, whatever else he says.
    if is_spoken_of(text) and not (_NOW.search(plain) and not _ONLY_SPOKEN.search(plain)):
        return None
    return seen


def is_spoken_of(text: str) -> bool:
    """Whether danger is only a subject here: a fee, a rule, a memory, a comparison."""
    return any(form.search(fold(text)) for form in _TAKES_BACK)


def wants_person(text: str) -> bool:
    """Whether somebody asks for a person, in plain words."""
    plain = fold(text)
    return bool(_WANTS_PERSON.search(plain)) and not _NOT_PERSON.search(plain)


def decide(ranking: Sequence[tuple[str, float]], text: str) -> Ranking:
    """The model's ranking, with what must not be missed in its first place."""
    shares = dict(ranking)
    if see_danger(text) or (shares.get(EMERGENCY, 0.0) >= LIKELY and not is_spoken_of(text) and not wants_person(text)):
        return put_first(ranking, EMERGENCY)
    if wants_person(text) and len(text) <= 60 and ranking[0][0] != EMERGENCY:
        return put_first(ranking, PERSON)
    if ranking[0][0] == MISCONDUCT and _COMPLAINS.search(text) and not _REPORTS.search(text):
        # Who calls it a complaint, and names no corruption, complains: only an inspector would read a report.
        return [(COMPLAINT, ranking[0][1]), (MISCONDUCT, shares.get(COMPLAINT, 0.0)),
                *(pair for pair in ranking[1:] if pair[0] != COMPLAINT)]
    return list(ranking)


def put_first(ranking: Sequence[tuple[str, float]], name: str) -> Ranking:
    """The ranking with this intent as good as certain."""
    share = max(SURE, dict(ranking).get(name, 0.0))
    rest = [(other, value) for other, value in ranking if other != name]
    left = sum(value for _, value in rest) or 1.0
    return [(name, share), *((other, value / left * (1 - share)) for other, value in rest)]
