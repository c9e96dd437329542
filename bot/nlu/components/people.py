"""Names of people: a surname with a title, after 我叫 or a role, hidden as 张某某, or a name that the words show as one."""
from __future__ import annotations

import re
from collections.abc import Iterator

from nlu.components.words import Word, Words

_FIRM = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶苏魏吕丁任沈姚卢姜崔钟谭陆汪范廖贾"
    "韦付邹孟熊秦邱江尹薛闫段雷侯龙陶黎贺顾毛郝龚邵万钱覃武戴莫孔汤康施樊葛邢齐尤戚喻窦奚郎鲁俞柳鲍岑倪滕殷毕邬傅卞伍"
    "卜萧湛祁禹狄臧庞纪舒屈项祝阮闵季娄童颜盛刁骆凌霍虞柯昝管裘缪郁杭洪诸钮嵇裴翁荀甄芮储靳汲邴糜隗宓郗仲伊宫宁栾钭戎符"
    "邝詹郜蓟蒲邰赖卓蔺屠蒙乔胥莘翟逄姬冉郦雍璩濮扈冀郏浦晏柴瞿阎茹宦艾易庾暨耿匡寇阙殳夔巩厍聂晁敖訾辛阚饶鞠蒯竺逯褚佟佘"
    "苟仝亓冼岳晋仉涂揭漆桂池巫焦甘厉仇隋鄢卿阳严史夏林金石贝谌禤牟芦郄亢桓郇缑蒿尧鄂"
)
"""Surnames that seldom begin another word."""
_LOOSE = (
    "高方白安温文牛向于程华水云章花昌苗费廉常乐皮元平和穆米明计伏成谈茅蓝席强路危梅支房干解应宗宣单包左吉滑荣羊惠曲封松井富"
    "乌巴弓牧山谷车全班秋祖景束幸司印宿怀索咸籍阴苍双闻党贡劳申桑寿边燕尚农庄麻原慕连习鱼容古戈衡步满国广禄东沃利隆师融冷简"
    "沙养丰巢关查荆红游权盖公代区欧邸商海火卫柏麦兰楚战宾凤蔚练"
)
"""Surnames that are ordinary words as well: they need more evidence."""
_DOUBLE = (
    "欧阳|上官|诸葛|司马|司徒|夏侯|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|司空|端木|南宫|独孤|轩辕|东郭|西门|百里|呼延|闻人|赫连"
    "|澹台|公冶|宗政|濮阳|淳于|单于|太叔|申屠|仲孙|钟离|鲜于|闾丘|亓官|司寇|子车|颛孙|巫马|公西|漆雕|乐正|壤驷|公良|拓跋|夹谷|宰父"
    "|谷梁|段干|东门|南门|羊舌|微生|梁丘|左丘|欧陽|纳兰|完颜|叶赫|爱新觉罗"
)
_NEVER_ALONE = frozenset(("东方", "西门", "东门", "南门", "百里", "乐正", "子车", "单于"))
"""Compound surnames that are places or words first."""
_HAN = r"[\u4e00-\u9fff]"
_SINGLE = rf"[{_FIRM}{_LOOSE}]"
_SURNAME = rf"(?:{_DOUBLE}|{_SINGLE})"

_TITLE = (
    "先生|女士|小姐|太太|嬢嬢|孃孃|娘娘|娭毑|爹爹|大娘|大爹|婶子|婶婶|婶娘|嫂子|嫂嫂|阿婆|阿公|阿伯|阿叔|阿姐|伯母|伯娘|老师傅|老伯|老太太|老太|老爷子|老汉|太婆|师兄|师姐|阿姨|叔叔|大叔|大伯|伯伯|大爷|大妈|大姐|大哥|大婶|大嫂|奶奶|爷爷|婆婆|姐姐|师傅|师父|医生|医师|大夫|护士长|护士(?!站)|副主任|主任|主管"
    "|老师|教授|副?校长|副?院长|园长|副?总?经理|总监|总工|副?书记|副?市长|副?县长|副?区长|副?镇长|副?乡长|副?局长|副?处长|副?科长|副?所长|副?站长|副?队长|副?厂长|店长"
    "|班长|组长|村长|社长|会长|董事长|行长|部长|股长|会计|出纳|警官|警长|警员|辅警|片警|指导员|教导员|治疗师|康复师|营养师|护师|社工|楼长|网格长|网格员|主席|理事长|秘书长|保安|爷叔|姑姑|姨妈|舅舅|舅妈|姥姥|姥爷|外婆|外公|师母|民警|警察|同志|律师|法官|检察官|工程师|技工|管家|司机|老板|老板娘|教练|药师|技师|药剂师|干事|秘书|助理|专员|委员|代表|支书|台长"
)
_SHORT_TITLE = "姐|哥|叔|姨|婶|嫂|伯|爷|奶|妈|总|工|局|处|队|所|科|导|董|某"
_ROLE = (
    "医生|大夫|护士长|护士|主任|经理|师傅|老师|保安|保洁|保洁员|管家|科长|队长|所长|处长|局长|院长|校长|书记|村长|组长|店长|工作人员|办事员|客服|前台|收费员|网格员|楼长|楼管"
    "|业主|租客|租户|房东|邻居|住户|居民|村民|户主|业主代表|负责人|法人|法人代表|联系人|司机|老板|同志|同事|丈夫|老公|爱人|妻子|老婆|儿子|女儿|孩子|父亲|母亲|爸爸|妈妈|老伴|老人|患者|病人|学生|员工"
    "|我爸|我妈|我爹|我娘|我哥|我姐|我弟弟?|我妹妹?|我媳妇|我对象|我爷爷|我奶奶|我外婆|我外公|孩子爸|孩子妈|姐夫|妹夫|姑父|姑丈|姨父|姨丈|岳父|岳母|丈人|丈母娘|公公|婆婆|小叔子|小姑子|小舅子|大舅哥|表哥|表弟|表姐|表妹|堂哥|堂弟|堂姐|堂妹|姑妈|姨妈|舅妈|伯父|伯母|婶婶|亲家|继父|继母|养父|养母|干妈|网格员|巡逻员|巡防员|协管员|快递员|水管员|护理员|保育员|清洁工|包工头|工头|队长|班长|门卫|厨师|电工|水工|维修工|管道工|老汉儿?|老头子?|媳妇|闺女|孙子|孙女|外孙女?|女婿|儿媳妇?|侄子|侄女|外甥|舅舅|姑姑|嫂子|弟弟|妹妹|姐姐|哥哥|家属|监护人|室友|房客|护工|月嫂|导医|辅警|投诉人|举报人|反映人|申请人|当事人|被投诉人|民警|警官|志愿者|柜员|窗口"
)
_SAID = (
    r"(?:我叫|名叫|叫做|名字[是叫:]?\s?|姓名[:是]?\s?|本人[:是]?|(?:联系|联络)人[:是叫]?\s?|租户[:叫]\s?|投诉人[:是]?\s?|举报人[:是]?\s?|申请人[:是]?\s?|报修人[:是]?\s?"
    r"|反映人[:是]?\s?|(?:预约|挂号|就诊|经办|委托|代办|收件|签收|监护|紧急联系|被访|受益)人[:是叫]?\s?|(?:病人|患者|孩子|宝宝)[:叫]\s?|户主[:是叫]?\s?|业主[:叫]\s?|外号[叫是]?|小名[叫是]?|大名[叫是]?|真名[叫是]?|署名[:是]?\s?|落款[:是]?\s?|称呼我|就?叫我|我是|我的名字[是叫]|写的?是|登记的?是|改成|应该?[是为])"
)
_NO_GIVEN = (
    "的了时能会以感性证法费者间站路街村镇区县市桥湾苑府汇园寺庙就都也还要在是有没不和与跟把被让给对为从到这那哪个们里上下着过吗呢吧啊说去来住给想请好"
    "很太最先后再又才只可得地因所而但及或之其此某号楼栋室元块天月年日点分户卡单票款钱店门窗房厅梯车机水电气网灯锁墙板费局处所科组队部办委会厂场院校馆楼屋公私您你我他她它什怎几多少"
)
"""Characters that no given name has, or so seldom that a word is likelier."""
_GIVEN = rf"[^{_NO_GIVEN}\W\d_a-z]"
_SAID_GIVEN = r"[^的了是在有没不和与跟把被从那这哪个们吗呢吧啊你我他她它也都就还要想请时候上下来去日号\W\d_a-z]"
_TITLED_GIVEN = r"(?![说讲喊的了是在有没不和与跟把被让给叫请找从那这哪个见同问])[\u4e00-\u9fff]"
_QUOTE = "[\"'“”‘’「」]?"
_END = r"(?=$|[\W_]|某|电话|手机|联系|住|家|是|在|的|反映|投诉|举报|说|来|给|帮|于|今|昨|前天|系|女|男|你|我|对|把|被|和|与|跟|以?及|同志|先生|女士|医生|老师|师傅|名下|这|很|特别|态度|服务)"

_TITLED = re.compile(rf"(?=(?P<it>(?P<surname>{_SURNAME})(?P<given>{_TITLED_GIVEN}{{0,2}}?)(?P<title>{_TITLE})))")
_SHORT = re.compile(rf"(?=(?P<it>(?P<surname>{_DOUBLE}|[{_FIRM}高方白温程文章华])(?P<title>{_SHORT_TITLE})))")
_DOUBLES = frozenset(_DOUBLE.split("|"))
_HAS_TITLE = re.compile(_TITLE)
_CALLED = re.compile(rf"(?=(?P<it>(?:小|老|阿)(?P<surname>{_DOUBLE}|[{_FIRM}高方白温程章欧])))(?<![最从太很较细大幼中古])")
_HIDDEN = re.compile(rf"(?P<it>{_SURNAME}(?:某某|某{_GIVEN}(?=$|[\W])|某|[*×]{{1,2}}{_HAN}?|x{{1,2}}(?![a-z])))")
_FAMILY = re.compile(rf"(?<!百)姓(?P<it>{_DOUBLE}|[\u4e00-\u9fff](?<![什啥谁哪名氏的不了我]))(?=$|[\W_]|的|那|这|,|电话|住|手机|吧|啊|先生|女士|叫|谢|麻烦|请你|是|就|你|说|您|\d)")
_INTRODUCED = re.compile(rf"{_SAID}{_QUOTE}(?P<it>{_SURNAME}(?:{_SAID_GIVEN}{{1,2}}?)){_END}")
_BESIDE_ROLE = re.compile(rf"(?:{_ROLE})[:是叫]?(?={_SURNAME}{_GIVEN})")
_FULL = re.compile(rf"(?P<it>(?:{_DOUBLE}){_GIVEN}{{1,2}}?|[{_FIRM}]{_GIVEN}{{2}}){_END}")
_ALONE = re.compile(rf"^\s*(?P<it>(?:{_DOUBLE}|[{_FIRM}高方白温安]){_GIVEN}{{1,2}})[,。:\s]*(?:电话|手机|联系电话)?[:是]?\s*(?=<phone|\+?\d[\d\s-]{{5}})")
_BY_NUMBER = re.compile(rf"(?<=[,。\s、，])(?P<it>(?:{_DOUBLE}|[{_FIRM}高方白温]){_GIVEN}{{1,2}})(?=[,，\s]{{0,2}}(?:身份证|电话|手机|号码)?[号是为:：\s]{{0,2}}(?:\d{{7}}|1[3-9]\d[-\s]\d{{4}}|<(?:id|phone)))")
"""A name alone between commas with a long number behind it, as people fill in forms."""
_CANTONESE = re.compile(rf"(?:联络|联系|揾|搵|找|同|跟|我系|我是|免贵|叫)(?P<it>{_SURNAME}生)(?=$|[\W\d]|嘅|的|话|讲|电)")
_NICK = re.compile(r"(?P<it>阿(?![姨婆公伯妈爸哥姐叔嫂爷奶])[\u4e00-\u9fff]|小(?![区孩伙姑妹时店房门路事广票窗程朋学心便组])[\u4e00-\u9fff])(?=$|[\W]|[说讲在帮态真很是做特话的从给把拿对跟来去有])")
"""阿强: only beside an office or a role."""
_TWICE = re.compile(r"(?<=[部科室站台处]的)(?P<it>(?P<one>(?![爸妈哥姐弟妹爷奶叔婶人天常种家户刚事样字句点慢好多大小说看等试谢问])[\u4e00-\u9fff])(?P=one))(?=$|[\W_]|[说讲帮给在是把跟去来很真态特])")
"""客服部的苗苗."""
_NAMED_SO = re.compile(rf"(?<![大小尖惨呼吼嚎鸣别不要会再去也想能请就])叫(?P<it>{_SURNAME}{_SAID_GIVEN}{{1,2}}?)(?=$|[\W_]|[是在住把]|电话|手机)")
_MISTAKEN = re.compile(rf"(?:记|写|听|当|登记|念|叫|读|打|输|喊|搞|弄|填|印)成(?:了|姓)?{_QUOTE}(?P<it>{_SURNAME}(?:{_GIVEN}{{1,2}}?)?)(?={_QUOTE}(?:了|$|,|\s))")
_NOT_BUT = re.compile(rf"不是(?:叫|姓)?(?P<it>{_SURNAME}{_GIVEN}{{1,2}}?)[,，\s]{{0,2}}(?:而?是|叫)(?P<other>{_SURNAME}{_GIVEN}{{1,2}})(?=$|[\W_])|(?:其实|实际上|应该)是?叫?(?P<true>{_SURNAME}{_GIVEN}{{1,2}})(?=$|[\W_])")
_OTHER_FAMILY = re.compile(rf"姓{_HAN}[,，\s]{{0,2}}(?:不是|不叫|可不是)姓?(?P<it>{_HAN})(?=$|[\W_])")
_ABOUT_NAMES = re.compile("姓|名|叫")
"""Corrections of names stand where names are spoken of."""
_SPELLED = re.compile(rf"^\s*(?P<it>(?P<s>{_SINGLE}){_HAN}{{1,2}})[\s,，](?=[^。]{{0,12}}的(?P=s))")
"""麦少芬 麦当劳的麦."""
_SIGNED = re.compile(rf"[。!！;；\n]\s*(?P<it>[{_FIRM}]{_GIVEN}{{1,2}})\s*$")
_KNOWN_AS = re.compile(rf"(?:人称|外号|绰号|(?:大家|他们|人家|都)(?:叫|喊)[他她]?|(?:名字|只)叫|喊做|叫做)(?P<it>(?![大我他她你小表亲老二三堂的什啥个]){_HAN}{{1,2}}[哥姐叔嫂爷婶姨伯])(?=$|[\W_]|的|[在是说])")
_PET = re.compile(rf"(?<![{_FIRM}最从太很较细大幼中古])(?P<it>小(?![区孩伙时店房门路事广票窗程朋学心便组]){_HAN}(?:护士|医生|大夫|师傅|老师|警官|同志))")
"""小麦护士: with what she is called at work."""
_NICKED = re.compile(rf"(?P<it>[{_FIRM}]老[大二三四五六七八九幺])(?=$|[\W_]|[在说家的他是把要去来给拿骂打有])")
"""陈老五: by his place among brothers."""
_APART = re.compile(rf"(?:{_ROLE})[,，]\s?(?P<it>[{_FIRM}]{_GIVEN}{{1,2}}|{_SURNAME}{_GIVEN}{{2}})(?=[,，]\s?(?:电话|手机|号码|联系|身份证|\+?\d|<))")
"""换成我姐，梅秀云，电话 …"""
_SOUND = r"[^是叫找请的了在我你他她和跟给让系于把被说来去\W\d_a-z]"
_WRITTEN = re.compile(rf"(?:名字?|联系人|登记|姓名)[就]?(?:写|填|留|登)(?:的?是)?(?P<it>[小老阿](?:{_DOUBLE}|[{_FIRM}]))(?=就|[\W_]|$|吧|好)")
"""名字写老秦就行."""
_PARENT_OF = re.compile(rf"(?:联系|[找是给为跟叫请]|^|[,，。\s])(?P<it>[{_FIRM}]{_GIVEN}{{1,2}})(?=的?(?:妈妈|爸爸|家长|母亲|父亲|爷爷|奶奶|外婆|姥姥|监护人|家属|班主任))")
"""李梓萱的妈妈."""
_FOREIGN = re.compile(
    rf"(?<!{_SOUND})(?<!·)(?:{_ROLE})?(?P<it>{_SOUND}{{2,6}}(?:·{_SOUND}{{1,6}}){{1,2}})(?!{_SOUND})"
    r"|(?:我叫|名叫|他叫|她叫|姓名[:是]?|名字[:是叫])\s?(?P<latin>[a-z]{2,15}(?:[\s·][a-z]{2,15}){0,2})(?![a-z\d])|\bmy name is (?P<english>[a-z]{2,15}(?: [a-z]{2,15}){0,2}?)(?= and\b| from\b|[^a-z ]|$)")
"""阿依古丽·买买提, 我叫Thomas, my name is Anna Weber."""
_CALLED_ANY = re.compile(rf"(?:我|他|她|名|名字)叫(?P<it>(?!{_HAN}{{0,3}}(?:师傅|物业|医生|护士|保安|老师|救护|什么|一声)){_SAID_GIVEN}{{2,4}})(?=[,，。!！]|$)")
"""A name without any known surname: 他叫佐藤."""
_MYSELF = re.compile(rf"(?:我|本人)[,，]\s?(?P<it>{_SURNAME}{_GIVEN}{{1,2}})[,，]")
_I_AM = re.compile(rf"(?:^|[,，。!！;；\s>])(?:我|本人)(?P<it>[{_FIRM}高白温安]{_GIVEN}{{1,2}})(?=$|[,，。!！\s]|电话|手机|<phone|1[3-9]\d{{9}})")
"""我张涛, as one signs what was said."""
_OLD = re.compile(rf"(?P<it>老[{_FIRM}高方白温程章麦]头)(?![疼痛晕发部上顶像脑皮])")
_IN_LIST = re.compile(rf"\s?[、,和与及]\s?(?P<it>{_SURNAME}{_HAN}{{1,2}})(?=[\W_]|$|[和与及等])")
_NICKED_BY = re.compile(r"(?:部|科|中心|站|所|处|社区|物业|办|局|委|室|队|保安|保洁|管家|前台|护士|电工|客服)的$")
_KNOWN_BY = re.compile(r"(?:部|科|中心|站|所|处|口|台|社区|物业|公司|院|厅|办|局|委|室|队|处)的?$|(?:保安|保洁|管家|前台|护士|电工|客服)的?$")
"""The office before a name: 客服中心的小孟."""
_CALLS = re.compile(rf"(?:叫|喊|找|是|的|那个|投诉|表扬|感谢|举报|告|夸|跟|和|同|给|让|请|问|由|被|写|填|那位|这位|对面|隔壁|{_ROLE}|^|[\W_])$")
_AT_ROLE = re.compile(rf"(?:{_ROLE})$")
_AFTER_CALLED = re.compile(r"$|[\W_]|[我说讲帮给在是的把跟办收家接修来去也就哈呀啊打登填真很特又不没有对态骂凶那这了呢]")
NO_NAMES = frozenset("谢谢 多谢 谢谢您 谢谢你 戴眼镜 戴手套 戴头盔 戴红帽 毛毛虫 毛毛雨 金银花 戴帽子 戴口罩 安全带 马路边 马桶盖 金属门 石头路 童子军 甘肃省 林荫道".split())
_SAYS_MORE = re.compile(r"^(?:吧|说|讲|特别|态度|服务|负责|很|人|帮|给|把|的|不|来|去|也|小舅|儿子|老婆|亲戚|侄|,|。|$|!|今|昨|明|跟|对|在|修|这|骂|推|收|，|和|人|干|办|耐心|、)")


def find_people(plain: str, words: Words) -> Iterator[tuple[int, int]]:
    """Spans of people in folded text, the surest form first."""
    for match in _INTRODUCED.finditer(plain):
        if not (match["it"] in _DOUBLES and _HAS_TITLE.match(plain, match.end("it"))):
            yield match.span("it")
            if plain.startswith("、", match.end("it")):
                yield from _listed_after(match.end("it"), plain)
    yield from (match.span(match.lastgroup or 0) for match in _FOREIGN.finditer(plain) if match.lastgroup != "it" or plain[match.start("it") - 1:match.start("it")] in tuple("叫名") or _no_words(*match.span("it"), words))
    yield from (match.span("it") for pattern in (_NAMED_SO, _MYSELF, _APART, _PARENT_OF) for match in pattern.finditer(plain) if _begins_no_word(match.start("it"), words))
    yield from (match.span("it") for match in _I_AM.finditer(plain) if not Words.knows(match["it"]) and _could_be_name(*match.span("it"), words))
    yield from (match.span("it") for match in _CALLED_ANY.finditer(plain) if _no_words(*match.span("it"), words))
    yield from (match.span("it") for pattern in (_PET, _KNOWN_AS, _OLD, _NICKED, _TWICE) for match in pattern.finditer(plain))
    for match in _TITLED.finditer(plain):
        if _is_titled(match, plain, words):
            # 祁小满同志 has his whole name; comrade is how he is spoken of.
            yield match.start("it"), match.start("title") if match["given"] and match["title"] == "同志" else match.end("it")
    yield from (match.span("it") for match in _HIDDEN.finditer(plain) if _is_hidden(match, words))
    yield from (match.span("it") for pattern in (_FAMILY, _ALONE, _BY_NUMBER, _CANTONESE, _OTHER_FAMILY, _SPELLED, _WRITTEN) for match in pattern.finditer(plain))
    if _ABOUT_NAMES.search(plain):
        yield from _corrected(plain, words)
    yield from (match.span("it") for match in _SIGNED.finditer(plain) if words.begins(match.start("it")) and not Words.knows(match["it"]))
    yield from (match.span("it") for match in _SHORT.finditer(plain) if _is_short(match, plain, words))
    yield from (match.span("it") for match in _CALLED.finditer(plain) if _is_called(match, plain, words))
    yield from (match.span("it") for match in _NICK.finditer(plain) if _is_nick(match[0], plain[max(match.start() - 3, 0):match.start()]))
    for match in _BESIDE_ROLE.finditer(plain):
        if end := _end_of_name(match.end(), plain, words):
            yield match.end(), end
    listed = 0
    for word in words.all:
        if word.start >= listed and _is_full_name(word):
            yield word.start, word.end
            for span in _listed_after(word.end, plain):
                yield span
                listed = span[1]


def is_surname(character: str) -> bool:
    """Whether it is one of the surnames that seldom begin another word."""
    return character in _FIRM


def _is_nick(name: str, before: str) -> bool:
    """工程部那个阿涛, 前台的小鹿."""
    return bool((_KNOWN_BY if name[0] == "阿" else _NICKED_BY).search(before)) or (name[0] == "阿" and before.endswith(("那个", "叫")))


def _corrected(plain: str, words: Words) -> Iterator[tuple[int, int]]:
    """写成王芳了, 不是张伟，是章伟: the wrong name and the right one."""
    yield from (match.span("it") for match in _MISTAKEN.finditer(plain) if len(match["it"]) == 1 or _could_be_name(match.start("it"), match.end("it"), words))
    for match in _NOT_BUT.finditer(plain):
        spans = [match.span(name) for name in ("it", "other", "true") if match[name]]
        if all(_could_be_name(start, end, words) for start, end in spans):
            yield from spans


def _begins_no_word(start: int, words: Words) -> bool:
    """他叫石广田, but not 他叫高空作业队."""
    word = words.at(start)
    return word.start == start and (len(word.text) == 1 or word.tag[:2] in ("nr", "ns", "nz", "x"))


def _no_words(start: int, end: int, words: Words) -> bool:
    """Nothing that the dictionary has as anything but a name."""
    inside = words.within(start, end)
    return inside[0].start == start and all(word.tag[:2] in ("nr", "ns", "nz", "x") or word.text == "·" or len(word.text) == 1 for word in inside)


def _could_be_name(start: int, end: int, words: Words) -> bool:
    """No ordinary word: 甲平, 章伟."""
    return all(word.tag.startswith("nr") or len(word.text) == 1 or word.tag[0] not in "nvadm" for word in words.within(start, end))


def _listed_after(at: int, plain: str) -> Iterator[tuple[int, int]]:
    """张世云、周天富、向发芝: after one name the others of a list are names too."""
    while match := _IN_LIST.match(plain, at):
        yield match.span("it")
        at = match.end()


_OTHER_ROLES = frozenset("师傅 师父 孙子 孙女 经理 班长 管家 向我 和我 于是 来说".split())


def _end_of_name(start: int, plain: str, words: Words) -> int:
    """Where the name ends that begins here, beside a role; 0 when these are other words."""
    if plain[start:start + 2] in _OTHER_ROLES or plain[start - 1:start + 1] == "师傅" or plain[start:start + 3] in NO_NAMES:
        return 0
    word, double = words.at(start), bool(re.match(_DOUBLE, plain[start:start + 2]))
    if word.start == start and word.tag.startswith("nr") and len(word.text) >= 2 + double:
        if len(word.text) == 2 and (match := _FULL.match(plain, start)) and not (len(plain) >= word.end + 2 and Words.knows(plain[word.end:word.end + 2])):
            return match.end("it")
        return min(word.end, start + 3 + double) if re.fullmatch(f"{_GIVEN}+", plain[start + 1 + double:min(word.end, start + 3 + double)]) else 0
    match = _FULL.match(plain, start)
    return match.end("it") if match and (double or not Words.knows(plain[start:start + 2])) else 0


def _is_titled(match: re.Match[str], plain: str, words: Words) -> bool:
    """王师傅 and 温斯顿老师, but neither 和老师, 高中老师 nor 项目经理."""
    start, given, surname = match.start("it"), match["given"], match["surname"]
    before = plain[max(start - 1, 0):start]
    if not words.ends(match.end("it")) and words.at(match.end("it")).tag not in ("v", "d"):
        if words.at(match.end("it")).start >= match.start("title") and words.at(match.end("it")).end - match.start("title") > len(match["title"]):
            return False
    if match["it"].startswith(("谢谢", "劳驾", "劳烦")):
        return False
    if not given:
        word = words.at(start)
        if surname == "于" and not before.isalnum():
            return not plain.startswith(("来说", "而言"), match.end("it"))
        if word.start < start:
            return word.end == start + 1 and not Words.knows(word.text)
        if surname in _FIRM or len(surname) > 1:
            return before != "保" and not (word.text not in (surname, match["it"]) and word.end <= match.start("title"))
        return word.tag.startswith("nr") or (word.tag not in ("p", "c", "d", "r", "v", "u") and not before.isalnum()) \
            or (word.text == surname and before in tuple("的找叫是院科口业办处局室部站所队心让请跟见"))
    return _is_name(start, match.start("title"), words, titled=True) or (
        surname in _FIRM and bool(re.search(rf"(?:{_ROLE})$", plain[max(start - 4, 0):start])) and bool(re.fullmatch(f"{_GIVEN}+", given)))


def _is_name(start: int, end: int, words: Words, titled: bool = False) -> bool:
    """Whether these characters are no ordinary word: one word that is a name, or the surname with single characters."""
    parts = words.within(start, end)
    if not parts or parts[0].start != start:
        return False
    if len(parts) == 1:
        return parts[0].tag.startswith("nr") or (parts[0].end > end and titled and parts[0].tag.startswith("nr"))
    if any(part.tag[:1] in ("p", "r", "u", "c", "d", "y") or part.tag == "m" for part in parts[1:]):
        return False
    return parts[0].end - parts[0].start <= 2 and all(part.tag.startswith("nr") or len(part.text) == 1 or not titled for part in parts)


def _is_hidden(match: re.Match[str], words: Words) -> bool:
    return words.begins(match.start("it")) or match["it"][0] in _FIRM


def _is_short(match: re.Match[str], plain: str, words: Words) -> bool:
    """陈姐, 王总: one word of its own, or the surname and the title as two."""
    start, end = match.span("it")
    if match["title"] in "所科队局处工总导董妈奶" and not _SAYS_MORE.match(plain[end:]):
        return False
    parts = words.within(start, end)
    if parts[0].start != start:
        return False
    if parts[0].end == end:
        return parts[0].tag.startswith("nr") or (parts[0].tag == "n" and match["title"] in "姐哥叔姨婶嫂伯爷队工总")
    if parts[0].end == end + 1 and parts[0].tag.startswith("nr") and _SAYS_MORE.match(plain[end:]):
        return True
    if match["title"] in "叔婶姨伯爷" and plain.startswith("家", end):
        return True
    return parts[0].end == start + len(match["surname"]) and (parts[-1].end == end or words.at(end - 1).tag.startswith("v"))


def _is_called(match: re.Match[str], plain: str, words: Words) -> bool:
    """小张, 老刘: not 小区, 老板, 小方块; where somebody is called so, or before what people do or are."""
    start, end = match.span("it")
    parts = words.within(start, end)
    known = bool(_KNOWN_BY.search(plain[max(start - 3, 0):start])) or bool(_AT_ROLE.search(plain[max(start - 6, 0):start]))
    if known and match["surname"][0] in _FIRM and re.match(r"$|[\W]|[说讲帮给在是的把跟办收上来去做修很]", plain[end:]):
        return True
    whole = parts[0].start == start and words.at(end - 1).end == end
    calls = _CALLS.search(plain[max(start - 6, 0):start])
    if whole and not (parts[0].end == end and parts[0].tag[0] not in "nx") and calls and _AFTER_CALLED.match(plain, end):
        return True
    last = words.at(end - 1)
    if last.start == end - 1 and last.end == end + 1 and (last.tag.startswith("nr") or last.text[1] == "家") and calls and _AFTER_CALLED.match(plain, end):
        return True  # 网格员小|郑把: the verb is no given name.
    if parts[0].start != start or (words.at(end - 1).end != end and not known and plain[end:end + 1] not in tuple("帮说给")):
        return False
    if not known and parts[0].end == end and parts[0].tag not in ("n", "nr", "x", "nrt"):
        return False
    if match["surname"] in _LOOSE and not (known or calls):
        return False  # 火苗老高.
    return known or bool(_SAYS_MORE.match(plain[end:end + 2]))


def _is_full_name(word: Word) -> bool:
    """A word that the segmenter takes for a name, with a surname and a given name of two; shorter ones need a role."""
    if not word.tag.startswith("nr") or not 3 <= len(word.text) <= 4:
        return False
    surname = 2 if re.match(_DOUBLE, word.text) else 1
    given = word.text[surname:]
    if given[:1] == "家" or word.text in NO_NAMES:
        return False  # 刘家沟 is a place.
    return (surname == 2 or word.text[0] in _FIRM) and len(given) <= 2 and bool(re.fullmatch(f"{_GIVEN}+", given))
