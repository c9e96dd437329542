"""The forms of phone numbers, ticket numbers, scores and counters in Chinese text."""
from __future__ import annotations

import re

_SPOKEN = "零一二三四五六七八九幺〇洞拐"
_GAP = r"[-\s·.]?"
_TICKET = r"(?:工单|单子|投诉单|报修单|诉求单|受理单|回执单|信访件|(?<!快递)(?<!订)(?<!运)(?<!账)单)"
"""What a ticket is called; no parcel, order or bill."""
_TICKET_NUMBER = (
    rf"(?:{_TICKET}(?:编?号码?)?|(?<!快递)(?<!订单)(?<!合同)(?<!设备)(?<!灯杆)(?<!房屋)编号|流水号|(?:受理|诉求|回执|查询|登记|案件|事件|反映|报修|办件|业务|备案|立案|申报)(?:编?号码?|码)|原号)")
_IS = r"(?:就|应该?|更正|改|写|错)?[是为成:：\s，,（(【\[#]{0,3}(?:no\.?\s?)?"

_OF_OTHERS = re.compile(
    r"(?:(?:订|账|运|保|提|货|定|快递|物流|包裹|外卖|团购|支付|付款|交易|转账|充值|消费|购物|缴费|小票|收银|采购)单"
    r"|快递|物流|包裹|订货|合同|协议|发票|收据|收条|票据|小票|交易|支付|付款|转账|银行|微信|支付宝|淘宝|京东|美团|凭证|账户|账号|会员|卡|券|取件|提货|保单|保险|车架|发动机|型号|产品|商品|货|批|设备|序列"
    r"|处方|病历|住院|检查|学籍|房产证|产权证?|不动产权?证?|执照|许可证?|信用代码|税号|户号|水表|电表|燃气表|判决书|案卷)"
    r"(?:流水|交易|支付|凭证)?(?:编?号码?|单号|流水号?|码|编码|no\.?)?[上里]?[是为成写的:：\s，,（(【\[#]{0,3}$")
"""Before a number: an order's, a parcel's, a contract's, and no ticket's."""
_BEFORE = 16

EXACT: list[tuple[str, re.Pattern[str]]] = [
    ("phone", re.compile(r"(?P<it><phone_\d+>)")),
    ("id_number", re.compile(r"(?P<it><id_\d+>|(?<!\d)\d{17}[\dx](?![\da-z]))")),
    ("id_number", re.compile(
        r"(?:护照|passport|通行证|回乡证|台胞证|居留证|证件)[^。!！?？\n]{0,14}?(?<![a-z\d])(?P<it>[a-z]{1,2}\d{7,9})(?![\da-z-])")),
    ("id_number", re.compile(r"身份证(?:号码?)?的?(?:最?后|末|尾)[几四六46]位?(?:数字?|号)?[是为:：\s]{0,2}(?P<it>\d{3,5}[\dx])(?![\da-z])")),
    ("id_number", re.compile(
        rf"(?:身份证|证件)号?码?[是为:：,，\s]{{0,2}}(?P<it>[{_SPOKEN}](?:(?:[\s,，、]|后面是?|然后|接着|再|中间){{0,3}}[{_SPOKEN}x]){{14,17}})")),
    ("ticket_number", re.compile(r"(?P<it>hy\s?\d{8}\s?-?\s?\d{5,})")),
    ("ticket_number", re.compile(r"(?<![a-z\d-])(?P<it>[a-z]{1,4}-?20\d{6}-?\d{2,8}|[a-z]{1,3}-\d{5,12}(?:-\d{1,6})?)(?![\da-z-])")),
    ("ticket_number", re.compile(r"(?<![a-z\d-])(?P<it>[a-z]{1,4}-?20\d\d-\d{3,8}(?:-\d{1,6})?)(?![\da-z-])")),
    ("ticket_number", re.compile(r"(?<![\da-z-])(?P<it>20\d\d[01]\d[0-3]\d-\d{3,7}|20\d\d-[01]\d[0-3]\d-\d{2,6})(?![\d-])")),
    ("ticket_number", re.compile(
        r"(?<![a-z\d-])(?P<it>[a-z]{2,4}-\d{2,6}-\d{2,6}|[a-z]{2}\d{2}-\d{5,6}|[a-z]{2}2\d(?:0[1-9]|1[0-2])\d{4}|20\d{6}-[\u4e00-\u9fff]{2,3}-\d{2,5})(?![\da-z-])")),
    ("ticket_number", re.compile(r"(?<![\u4e00-\u9fff])(?P<it>(?:(?:信访|投诉|举报|受理|[\u4e00-\u9fff]{1,2}(?:信|诉))[〔\[(]20\d\d[〕\])]\s?\d{1,5}号|[\u4e00-\u9fff]{2,4}20\d\d-\d{2}-\d{3,5}(?!\d)))")),
    ("ticket_number", re.compile(r"(?:报修|工单|投诉|受理|办件|回执)编?号码?[是为:：\s]{0,2}(?P<it>\d{3,4})(?![\d元块])")),
    ("ticket_number", re.compile(r"工单(?P<it>\d{3,4})(?=号|[的,，])")),
    ("ticket_number", re.compile(
        rf"{_TICKET_NUMBER}{_IS}(?P<it>[a-z]{{1,5}}-?\d{{4,}}(?:-\d{{1,8}})?|\d{{5,}}(?:-\d{{1,8}})?)(?![\da-z])")),
    ("ticket_number", re.compile(
        r"(?<![\da-z-])(?P<it>(?!1[3-9]\d{9}(?!\d))[a-z]{0,4}-?\d{4,16}(?:-\d{1,8})?)(?=号?的?(?:这|那)?(?:一?张|一?个|一)?(?:工单|单子|投诉单|报修单|单(?![位元价独号据]))"
        r"|号?的?(?:这|那)(?:一?张|单))")),
    ("ticket_number", re.compile(r"(?<![\da-z-])(?P<it>\d{4,6})(?=[\s,，、和跟]{1,2}\d{4,6}(?:这|那)两?(?:张|单))")),
    ("ticket_number", re.compile(r"尾号[是为]?(?P<it>\d{3,6})(?=的?(?:工单|单子|那[张单]))")),
    ("ticket_number", re.compile(rf"{_TICKET_NUMBER}{_IS}(?P<it>[{_SPOKEN}]{{5,}}(?:杠[{_SPOKEN}]+)*)")),
    ("ticket_number", re.compile(rf"(?<![{_SPOKEN}])(?P<it>(?:(?<![a-z])[a-z]{{2}}杠)?二[{_SPOKEN}]{{5,14}}杠[{_SPOKEN}]{{2,8}})")),
    ("phone", re.compile(
        rf"(?<![\d-])(?P<it>(?:\+?86{_GAP})?1[3-9](?:{_GAP}\d){{9}}|\(0\d{{2,3}}\)\s?\d{{3,4}}{_GAP}\d{{4}}|0\d{{2,3}}[-\s]?\d{{3,4}}[-\s]?\d{{4}}"
        r"|[48]00[-\s]?\d{3}[-\s]?\d{4}|[48]00[-\s]?\d{4}[-\s]?\d{3})(?!\d)")),
    ("phone", re.compile(r"(?:电话|座机|固话|号码|号|拨|拨打|致电|打)[是为:：\s]{0,3}(?P<it>[2-8]\d{2,3}[-\s]?\d{4})(?![\d元块-])")),
    ("phone", re.compile(rf"(?<![{_SPOKEN}\d])(?P<it>[一幺1][三四五六七八九拐3-9](?:[-\s,，、]?[{_SPOKEN}\d]){{9}})(?![{_SPOKEN}\d])")),
    ("phone", re.compile(rf"(?<![{_SPOKEN}])(?P<it>[零洞〇][{_SPOKEN}]{{2,3}}杠?[{_SPOKEN}]{{7,8}})(?![{_SPOKEN}])")),
]
"""Read on folded text; the group `it` is the entity."""

_POINTS = r"(?:(?<![\d.])\d{1,3}(?:\.\d)?|[一二三四五六七八九]?十[一二三四五六七八九]?|一百|[零一二两三四五六七八九]|负)(?:分半?|颗星|星)(?![都也][没不报]|未付)(?![钱没冤钟之类级开局院店饱熟货]|不少|不差|[菜田水旱坡园荒自耕]?地|冰箱|电视|手机|洗衣机|空调|洗碗机)"

BROAD: list[tuple[str, re.Pattern[str]]] = [
    ("score", re.compile(rf"(?P<it>(?<!考了)(?<!考得)(?<![扣差减加考第点百万十一二三四五六七八九零\d.]){_POINTS})(?!满分|制|(?<=十分)(?![，,。.!！吧啊呢嘛哦噢哈呗咯啦哟、\s好👍👏⭐]|$))")),
    ("score", re.compile(r"(?:到十分|到10分|-10分|[十百]分制|满分[十百]分?)[^。!！?？]{0,12}[选给打评]个?(?P<it>\d{1,2}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九])(?=[,，。!！\s]|$)")),
    ("score", re.compile(r"(?P<it>(?<![\d分])满分)(?!的话|是|为|制|几|多少)")),
    ("department", re.compile(
        r"(?P<it>(?:[a-z]|\d{1,3}|[一二三四五六七八九十]{1,3})号?窗口)")),
]
CONTENT = re.compile(r"(?P<it>(?:非常|很|特别|十分|挺|比较|相当)?(?:不太|不)?满意)")
"""A score in words; where one in numbers stands beside it, that is the score."""


def is_of_others(plain: str, start: int) -> bool:
    """订单号BY20261108-36: what stands before the number says that it is no ticket's."""
    return bool(_OF_OTHERS.search(plain, max(start - _BEFORE, 0), start))
