"""Places: names by what they end with, numbered addresses, spots; parts that stand side by side are one place.

Where a name begins is told by the words before it: it takes in nouns and names and stops at verbs, pronouns and the like.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from nlu.components import old_names
from nlu.components.regions import REGIONS, find_regions
from nlu.components.rooms import find_rooms
from nlu.components.words import NOT_IN_NAMES, Word, Words

Span = tuple[int, int]

_KINDS = (
    "小区|社区|花园|家园|花苑|佳苑|名苑|雅苑|新苑|嘉苑|家苑|丽苑|景苑|华苑|新村|新城|新邨|公寓|公馆|大厦|广场|华府|华庭|水郡|半岛|豪庭|雅居|别院|别墅区?|山庄|国际城|家属院|家属楼|宿舍楼?|宿舍区"
    "|安置房|安置小区|安置区|棚户区|城中村|科创园|软件园|物流园|产业城|工地|公园|植物园|动物园|游乐园|湿地公园|景区|风景区|菜市场|菜场|街市|夜市|早市|集市|花市|大集|粮站|粮库|供销社|邮局|水果市场|农贸市场|批发市场|集贸市场|市场|商场|商城|商厦|购物中心|超市|百货|商业街|美食街|美食城"
    "|步行街|街道|大道|大街|老街|胡同|环路|环线|村口|街口|巷口|路口|路段|国道|省道|高速|快速路|高架桥?|立交桥?|大桥|天桥|隧道|地下通道|医院|卫生院|卫生所|卫生室|卫生站|卫生服务中心|诊所|中学|小学|初中|高中|学校|一中|二中"
    "|幼儿园|大学|学院|职高|职校|中专|技校|党校|图书馆|博物馆|体育馆|体育场|体育中心|文化馆|文化宫|少年宫|活动中心|会展中心|地铁站|公交站|公交站台|火车站|汽车站|高铁站|客运站|车站|机场|汽车[东南西北]站"
    "|加油站|加气站|收费站|码头|工业园区?|产业园区?|科技园|创业园|园区|开发区|高新区|新区|商圈|酒家|饭庄|茶馆|客栈|民宿|士多店|便利店|大药房|桥头|渡口|垭口|泵站|水闸|变电站|电站|政务服务大厅|便民服务大厅|办事大厅|政务中心|市民中心|便民中心|行政中心|酒店|宾馆|饭店|大酒店|酒楼|茶楼|网吧|浴场|影城|电影院|儿童乐园|游乐场|养老院|敬老院|福利院|水库|祠堂|水厂|电厂|化工厂|钢铁厂|机械厂|纺织厂|棉纺厂|烟花厂|水泥厂|食品厂|家具厂|服装厂|面粉厂|酒厂|糖厂|药厂|造纸厂|印刷厂|农机厂|砖厂|厂区|大院"
    "|建材城|物流园|停车场|社区服务中心|党群服务中心|便民服务中心|政务服务中心|行政服务中心|服务站|保健院|保健站"
)
ONE_KIND = "村屯庄寨镇乡县区市省州旗路街巷桥苑"
"""Endings of one character: counted where a word ends with them and the rest of it is a name."""
_LARGE = "省市县区乡州旗"
ESTATE = "城苑府轩湾郡居庭邸庄坊园台阁墅岸峰郦院堡廷"
"""Names of estates end so, where a building's number or a resident follows: 春晖苑5栋."""
_ONLY_COMMON = frozenset(
    "道路 马路 公路 铁路 线路 电路 网路 思路 出路 半路 一路 走路 让路 修路 问路 带路 岔路 小路 大路 土路 老路 新路 远路 近路 弯路 冤路 挡路 拦路 空路 跑路 退路 生路 迷路 拦路 养路 探路 绕路 占路 堵路 套路 水路 油路 气路 通路 沿路 顺路 过路 "
    "逛街 大街 上街 小街 街巷 小巷 大桥 小桥 过桥 城市 都市 门市 上市 股市 楼市 夜市 早市 集市 省市 全市 本市 我市 市区 城区 地区 园区 片区 学区 灾区 郊区 辖区 校区 库区 景区 山区 "
    "厂区 院区 病区 新区 老区 小区 社区 农村 全村 乡村 本村 我村 新村 邻村 家乡 老乡 下乡 同乡 城乡 回乡 乡镇 城镇 村镇 小镇 全镇 本镇 全县 本县 全区 本区 全省 本省 外省 各省 外市 网站 本站 总站 "
    "车站 站 村庄 山庄 农庄 钱庄 家里 这里 那里 哪里 城里 村里 夜里 屋里 心里 手里 店里 车里 院里 校里 公里 邻里 里 国际 广州 作坊 牌坊 街坊 港湾 拐弯 海湾 后院 前院 学院 医院 法院 "
    "住院 出院 检察院 庭院 电影院 大院 公园 校园 花园 家园 菜园 果园 乐园 田园 法庭 家庭 开庭 政府 官府 学府 同居 邻居 定居 居 阳台 平台 电台 柜台 舞台 后台 前台 站台 灶台 吧台 窗台 "
    "楼台 讲台 一台 视台 高峰 对岸 两岸 自治区 直辖市 高速路 十字路 人行道 盲道 主干道 车行道 街道 大道 环路 路口 路段 高速 步行街 商业街 小学 中学 大学 高中 初中 学校 市场 超市 商场 广场 酒店 饭店 公寓 宿舍 "
    "国务院 务院 民区 之路 见路 单位 长城 县城 省城 进城 入城 全城 商城 新城 老城 古城 都城 小城 县 市 区 乡 镇 村 省 州 都 城 路 街 巷 院 园 苑 台 府 居 门店 现场 停车场 机场 工地".split()
)
_GENERIC = frozenset(
    "具体 楼盘 现在 目前 当时 现 那时 本 该 此 这 那 我 你 贵 各 全 整个 整 某 某个 每 每个 同 同一 另 别 别的 其他 其它 附近 旁边 周边 周围 隔壁 对面 门口 里面 外面 楼下 楼上 前面 后面 中间 旁 一个 两个 几个 多个 哪个 哪 这个 那个 这条 那条 一条 "
    "一 两 几 多 新 老 旧 大 小 高 好 高档 普通 豪华 公立 私立 民办 公办 重点 普惠 普惠性 住宅 居民 业主 整体 全体 政府 国家 农村 城市 乡镇 市级 县级 省级 三甲 "
    "大型 小型 中型 连锁 综合 专科 公共 封闭 开放 智慧 文明 平安 和谐 卫生 示范 危房 美丽 商业 主 主要 城乡 机动车 非机动车 交通 人行 过街 电动车 汽车 汽配 儿童 老年 农民 外来 当地 本地 "
    "相关 有关 所有 任何 许多 很多 大量 部分 其中 之间 以上 以下 以内 家门口 大 家里 家 楼 在建 露天 地下 地面 室外 室内 成熟 老旧 老式 高端 大城市 一线 二线 三线 中心 城市 孩子 老人 领导 "
    "女儿 儿子 孙子 孙女 闺女 外孙 侄子 弟弟 妹妹 哥哥 姐姐 老婆 老公 爱人 邻居家 物业 公司 开发商 房产 房地产 房子 项目 商品房 违建 医疗 教育 劳动 人才 二手 房地产 资本 国内 国外 全国 世界 股票 劳务 地铁 公交 火车 高铁 快递 外卖 建筑 施工 停车 楼房 单元 人家 咱家 他家 你家".split()
)
"""What says nothing of which one it is: 本小区, 老旧小区, 隔壁医院."""
_CUTS = re.compile(
    r"^(?:派人来|派人|人来|来(?!安)|我要|我想|投诉|举报|报修|反映|反应|感谢|表扬|建议|报警|求助|家住|住址|地址|地点|位置|关于|位于|本人|现住|改成|改为|应为|应该|咨询|请问|咱们|咱|我家|我们|家在|现居|坐落|希望|请求|经过|路过|途经|通往|沿着|靠近"
    r"|一[下哈]|报名|拿|喊|想订|想约|预订|预定|订(?=[小社])|往|拉着往|质疑|恳请|要求|解决|尽快|加快|调整|取消|彻查)+[:是为在于]?")
_NUM = r"(?:[a-z]{0,2}\d{1,4}[a-z]?|[a-z](?=\s?[栋座幢区馆段口])|[一二三四五六七八九十百零〇两]{1,5}|[甲乙丙丁东南西北](?=[区座栋幢]|单元|楼\s?\d))"
_UNIT = (
    r"(?:号楼(?!盘)|号院|号门洞|号房|号门(?![诊前口外卫])|门(?=\d{3,4})|排(?=\s?\d)|号?(?:停车位|车位|泊位)|号电梯|号床|号铺[面位]?|号摊位?|号档口|号门面|号商铺|号厂房|号地块|号别墅|号宿舍|栋楼(?![下前后上底旁道顶梯盘])|栋|幢|撞(?=\s?\d单元|\s?\d{3,4}|单元|电梯|楼|门|的|[,。!?\s]|$)|座|单元|门洞|梯口|室|层|#楼(?![下前后上底旁道顶梯盘])|#|弄|房(?![东产价屋贷租间])|区(?![别分域])|期(?!间|限|末|望|待|初)|组(?![织成合])|队(?![伍长员])|床(?![位被棉])|病区|病房|楼(?![下前后上底旁道顶梯盘])"
    r"|号(?!窗|线|柜|诊室|[前后以之开来去]|上午|下午|早|晚|就|说|的?时候|到|至|停|交|报|码|召|令|人(?![行民])))"
)
_PART = rf"{_NUM}\s?{_UNIT}"
_FLOOR = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})[楼层]"
_BESIDE_NUMBER = re.compile(rf"{_FLOOR}[到至]{_FLOOR}|{_FLOOR}之\d{{1,2}}|(?:顶楼|顶层)\d{{3,4}}(?!\d)")
"""9楼到10楼, 17楼之3, 顶楼1801."""
_CELLAR = r"(?:(?:负|地下|-)[一二三四1-4]|b[1-4](?=[层楼]))[层楼]"
_ROOM = r"(?:\s?[-－]?\s?[a-z]?\d{3,4}[a-z]?(?!\d|元|块|年|多|人|次|天|平|米|号|路|分|斤|字|车位)(?:室|房|号房)?|[一二三四五六七八九零〇]{3,4}(?![一-龥])|(?=[一二三四五六七八九]{1,2}[零〇])[一二三四五六七八九][一二三四五六七八九零〇]{1,2}[一二三四五六七八九](?![一二三四五六七八九零〇十元块年多人次天平米号路分斤层楼栋幢座单]))"
_NUMBERED = re.compile(rf"第?(?:{_PART}|{_CELLAR})(?:\s?(?:{_PART}|{_CELLAR})){{0,6}}{_ROOM}?")
_DASHED = re.compile(r"(?<![\d.\-])(?:\d{1,3}|[a-z]\d{0,2})[-－—]\d{1,2}[-－—]\d{2,4}(?![\d.\-])")
_DASHED_SHORT = re.compile(r"(?:(?<=#)|(?<=栋)|(?<=幢)|(?<=座)|(?<=住)|(?<=住在)|(?<=我家)|(?<=我是)|(?<=房号)|(?<=房号是)|(?<=门牌)|(?<=门牌号)|(?<=门牌是)|(?<=地址))\d{1,2}-\d{3,4}(?![\d.\-])")
_ROAD_NUMBER = re.compile(r"[-－]?[甲乙丙丁]?(?:\d{1,4}|[一二三四五六七八九十百零]{1,5})(?:号(?!线|窗|楼(?![上下]))(?:院|大院|附\d+)?|弄(?:\d+号)?)")
_FACILITY = (
    r"地下车库|地下停车场|地下室|停车场|车库|地库|楼道|楼梯间|消防通道|单元门|大门口|小区门口|村口|村头|火车站|高铁站|汽车站|客运站|(?<=站)[a-h]\d?(?:号|出入|出|入)?口|(?<![走前])后门|(?:东南|东北|西南|西北|东|南|西|北|正|侧)(?:大门|门)(?![子诊店])口?|[东南西北]广场|儿童游乐[区场]|儿童乐园|游乐场|健身区|健身广场|花坛|绿化带"
    "|垃圾站|垃圾房|垃圾桶旁|垃圾中转站|天台|楼顶|顶楼|电梯口|电梯间|服务大厅|办事大厅|办证大厅|政务大厅|政务中心|门诊大厅|急诊大厅|输液大厅|挂号大厅|候诊大厅|候诊区|候诊室|输液室|大厅|门诊楼|住院楼|急诊楼|门诊(?=[一二三四五六七八九十\\d]+[楼层])|医技楼|外科楼|内科楼"
    "|取药处|自助区|等候区|休息区|泵房|配电房|中心花园|中庭|喷泉|凉亭|岗亭|门岗|保安亭|门卫室|快递柜|快递驿站|充电桩|充电棚|车棚|篮球场|网球场|羽毛球场|游泳池|会所|架空层"
)
_SPOT = re.compile(_FACILITY)
_NOT_JOINED = re.compile(r"楼道|楼梯间|消防通道|单元门|大门口|电梯口|电梯间|花坛|绿化带|垃圾桶旁|快递柜|充电桩")
"""Where in a house: said after its number, it is not part of the address."""
_TAIL = re.compile(
    r"(?:(?<=号楼)|(?<=[苑园城里区院]))\d{1,2}-(?:\d-)?\d{3,4}(?![\d-])|(?<=[座层楼])[a-z]?\d{2,4}(?=铺|档)[铺档]|(?<=[座层楼])[a-z]\d{2,3}[铺档]?(?!\d)|顶层|底层|[左右]边那?[户家]|[东西南北中]边那[户家]|(?:中间|把头|最里|靠[东西左右路里外]边?)的?那[户家]|(?:(?<=[座栋幢])|(?<=铺面)|(?<=摊位))门口|(?<=[楼层])(?:活动室|会议室|阅览室|棋牌室|多功能厅|娱乐室|健身房)|[东南西北中]边?户(?![口型外主])|楼?梯?拐角|(?<=[楼层])(?:平台|[男女]厕所?|[男女]卫生间|走廊|过道|走道|[电楼]梯口|护士站|候诊区)|开水间|开水房|水房|茶水间|(?<=[市场])[东南西北]?(?:出入|入|出)口"
    r"|[东南西北]头(?:第[一二三四五六七八九十\d]+[排家户])?(?:[靠挨临][\u4e00-\u9fff]{1,2}?那?[户家])?")
"""What closes an address and is no place alone: 顶层西户, 楼梯拐角, 西头第三排靠沟那户."""
_ONLY_JOINED = frozenset(old_names.LISTS["only_joined"].split())
_PASSED = frozenset(old_names.LISTS["passed"].split())
_IS_AT = re.compile(r"(?:[在到去往是从]|位置|地点|那个)$")
_HAPPENS = re.compile(r"[里内中]?(?:那边|这边)?(?:有人|有个|一?位|着火|起火|冒|爆|晕|倒|打|漏|进水|积水|淹|塌|门口)")
_ANSWERS = re.compile(r"(?:就?是?在|位置|地点|在哪)?\W?")
_ENDS_ANSWER = re.compile(r"[里上旁内]?边?\W?")
_LISTED = re.compile(r"(?:\d{1,3}|[一二三四五六七八九十]{1,3})(?P<unit>号楼|单元|[楼层栋幢座])(?=(?:\d{1,3}|[一二三四五六七八九十]{1,3})(?P=unit))")
"""5楼6楼 are two floors."""
_STATION = re.compile(r"(?:地铁)?(?:\d{1,2}|[一二三四五六七八九十]{1,2})号线[^\W\d_a-z从到至往坐]{2,8}?站(?:[a-h\d]{1,2}号?(?:出入|出|入)?口)?")
_SHOP = re.compile(r"(?<=[号口])(?![的开楼院下上旁对后前门那这有是里])[\u4e00-\u9fff]{1,6}?(?:小吃|餐厅|饭馆|面馆|超市|药店|诊所|网吧|火锅店|店|馆|酒家|酒楼|公司|[^\W\d]厂)")
"""百花街22号|肠粉店: the shop belongs to its house."""
_ROOM_OF = re.compile(r"社区(?:活动室|会议室|阅览室|图书室|健身房|文化室|食堂|广场)|(?<=[在去到往])(?:村|社区)(?:委会|部)?(?:文化广场|晒谷场|卫生室)")
LONG_KIND = re.compile("|".join(sorted(_KINDS.split("|"), key=len, reverse=True)))
_DWELLERS = re.compile(r"\s|\s?(?:那[个边]|这[边栋个]|保安|\d|[一二三四五六七八九十]{1,3}(?:期|栋|号|幢|座|区|单元)|[a-z]\d*\s?[栋座幢区]|业主|居民|住户|物业|小区|住|地下|车库|地库|停车|门口|对面|附近|旁边|[东南西北]?门|$|[,。!?])")
_LETTERED = re.compile(r"(?<![a-z\d])[a-z]\d{0,3}(?P<kind>[省市县区州镇村]市?)(?![栋座])")
"""区 and 县 by a letter: A区, and places whose names were taken out of a text."""
_STOP = "我你他她它们在是的了住到去从就这那有和与跟把被让给对为不也都还要会能想请问您里边说看过叫吗呢吧啊往向由并将等及以因"
_WHOLE = re.compile(rf"[^{_STOP}\W\d_a-z]+")
_NTH = re.compile(r"(?<!老)第?[一二三四五六七八九十]{1,2}[中小校院幼]")
_GOES_ON = re.compile(r"价格|经济|监管|化|部(?!门)|式|型|网(?!格)|卡|生(?!意)|区(?=别)|舞|改造|建设|管理|行情|营销|份额|调节")
_STRAY = re.compile(rf"(?:[\W_]|[住在是])[^之其此该各某本贵咱{_STOP}\W\d_a-z]")
_LAST_CUT = re.compile(rf".*[{_STOP.translate(dict.fromkeys(map(ord, '和也里家会要想好边等因过看说都')))}]")
_OPENS = re.compile(r"(?:^|[\W_]|[在住到去是于省市县区镇乡村])$")
_BELOW = re.compile(rf"第?[一二三四五六七八九十]{{1,2}}(?:人民)?(?:医院|中学|小学|[中小](?=[\W]|门|的|老师|学生|食堂))|[^{_STOP}\W\d_a-z]{{1,4}}?(?:街道|社区|大道|小区|新村|[镇乡村屯路街巷组庄](?![民长委政面灯]))|[一二三四五六七八九十]+(?:组|队|社|区)|[^{_STOP}\W_a-z]{{1,3}}?组(?=[\W]|$)")
"""Smaller places after a larger one, whatever the words are taken for: …镇罘罳村石塘组."""
_BUILDING = re.compile(rf"(?<=[\u4e00-\u9fff])(?:{_NUM})(?=\s?(?:号楼|栋|幢|座|期(?![间限末望待初])|#|-\d{{1,2}}-\d))")
_HOUSE = re.compile(rf"{_NUM}\s?(?:号楼|栋|幢|座|#)|\d{{1,3}}-\d")
_CROSSING = re.compile(r"[与和跟、][^\W\d_a-z]{1,6}?[路街道巷弄](?:的?(?:交叉口|交叉路口|十字路口|路口|交汇处|交界处?|交口)|(?<=[路街巷])口)")
_CORNER = re.compile("的?(?:交叉口|交叉路口|十字路口|交汇处|交界处)")
"""The other road of a corner."""
_ROAD_NEXT = re.compile("[东南西北中]?(?:[一二三四五六七八九]?路|[正大]?街)|大道")
"""建设|北路|和平|路口: before a road within a name too stands its name."""
_NO_NAME = re.compile(r"电梯|物业|业主|小区|保安|电话|单元|楼道|房子|房屋|住户|门禁|地址|位置|工程|项目|[第共有]$")
_WITH_FLOORS = frozenset("活动中心 体育中心 图书馆 体育馆 文化馆 菜市场 农贸市场 超市 商场 养老院 敬老院 幼儿园".split())
_OF_WHOM = frozenset("老年 老人 儿童 职工 社区 居民".split())
_IS_FLOOR = re.compile(rf"负?{_FLOOR}")
_WITH_HOUSES_ALONE = frozenset("老街 大街 古街 产业园 工业园 科技园 创业园 园区 公寓 家属院 宿舍区 安置区 公租房".split())
_WITH_ROOMS = frozenset("公寓 大厦 酒店 宾馆 宿舍 宿舍楼 写字楼".split())
_UNITS = (("期", "区"), ("号楼", "号院", "栋", "幢", "座", "弄"), ("单元", "门洞"), ("楼", "层"), ("室", "房"))
"""From the larger to the smaller: 7栋，二单元，1904 is one address told with stops, 3栋，5栋 are two."""
_FIRST_UNIT = re.compile(rf"(?:{_CELLAR}|{_NUM}\s?(?P<unit>号楼|号院|栋楼?|幢|座|弄|单元|门洞|楼|层|室|房))")
_AFTER_STOP = re.compile(r"(?:(?<=[栋幢座楼层#]),|(?<=单元),)\s?(?P<it>[1-3]?\d(?:0[1-9]|1\d))(?=[,。!\s]|$)")
_ENGLISH = re.compile(
    r"\b(?:building|block|tower|unit|room|floor|apartment|apt|flat)\s?(?:no\.?\s?)?[a-z]?\d{1,4}[a-z]?(?:,?\s(?:building|block|tower|unit|room|floor|apartment|apt|flat)\s?[a-z]?\d{1,4}[a-z]?)*(?![a-z\d])")
_GARAGE = re.compile("地库|车库|停车|车位|商铺|铺[面位]|店铺|摊位|档口|柜台|储藏室|仓库")
_GARAGE_FLOOR = re.compile(r"(?<![a-z\d])(?:b[1-4](?:[-－—]\d{1,4}(?![\d-]))?|(?<![京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼])[a-z]\d?[-－—]\d{1,4}(?![\d-]))(?:号(?:停?车位)?)?(?![\da-z驾照层楼栋幢座])")
"""B2, and a bay or a shop by its number: B2-118, A-023."""
_BARE_ROOM = re.compile(r"[a-z]?\d{3,4}(?![\d元块年])(?:室|房)?")
_WHO_LIVES = re.compile(r"(?:[一二三四五六七八九十]+|\d{1,2})[楼层]$")
"""A floor that only says who is meant or which door: 21号楼一楼的住户."""
_IN_FLOOR = re.compile(r"的?(?:住户|那户|那家|人家|邻居|业主|大门|以上|以下|那个)")
_COUNTED = re.compile(r"第?[一二两三四五六七八九十\d]+(?:层|房|室|区|组|队|期|座|栋|户|楼|床|号|弄|幢)$")
_WITH_HOUSES = old_names.KINDS | frozenset("路街巷道弄村同")
_LONGEST_NAME = 8
_FOLLOWS_NO_PLACE = re.compile(r"民|长|委|主任|支书|书记|干部|灯|面(?!前)|费|由|牌|域|级|别")


def find_places(plain: str, words: Words) -> Iterator[Span]:
    """Spans of places in folded text: numbers, names and spots, joined where they touch."""
    lettered = [match.span() for match in _LETTERED.finditer(plain)]
    parts = [(*span, "named") for span in _named(plain, words, lettered)] + [(*span, "named") for span in lettered]
    parts += [(*span, "named") for match in _BUILDING.finditer(plain) if (span := _before_number(plain, words, match.start()))]
    ends = {end for _, end, _ in parts}
    parts += [(*match.span(), "named") for pattern in (_CROSSING, _CORNER) for match in pattern.finditer(plain)
              if match.start() in ends and plain[match.start() - 1] in "路街道巷"]
    parts += [(*match.span(), "number") for pattern in (_NUMBERED, _DASHED, _DASHED_SHORT) for match in pattern.finditer(plain)
              if not _below_a_house(match, plain)]
    parts += [(*match.span(), "number") for match in _BESIDE_NUMBER.finditer(plain)]
    parts += [(*match.span(), "named") for match in _ENGLISH.finditer(plain)]
    parts += [(*match.span("it"), "door") for match in _AFTER_STOP.finditer(plain)]
    if _GARAGE.search(plain):
        parts += [(*match.span(), "named") for match in _GARAGE_FLOOR.finditer(plain)]
    parts += [(*match.span(), "named") for match in _STATION.finditer(plain)]
    parts += [(*match.span(), "named") for match in _ROOM_OF.finditer(plain)]
    parts += [(*span, "named") for span in find_regions(plain, words)]
    parts += [(*match.span(), "tail") for match in _SHOP.finditer(plain)]
    parts += [(*span, "door") for span in find_rooms(plain)]
    parts += [(*match.span(), "tail") for match in _TAIL.finditer(plain)]
    parts += [(*match.span(), "spot") for match in _SPOT.finditer(plain)]
    for start, end, kinds in _joined(plain, sorted(parts)):
        said = plain[start:end].rstrip("的 ")
        if (floor := _WHO_LIVES.search(said)) and _IN_FLOOR.match(plain, start + len(said)):
            said = said[:floor.start()] or ("" if plain.startswith("以", start + len(said)) else said)
        if len(said) < 2 or (kinds == {"number"} and _only_counts(said, plain[end:end + 2])) or (
                re.sub("^[小社]区", "", said) in _ONLY_JOINED and not _is_answer(plain, start, end)) or (said in _PASSED and not _happens_at(plain, start, end)):
            continue
        cuts = [0, *(cut.end() for cut in _LISTED.finditer(said)), len(said)]
        yield from ((start + begins, start + ends) for begins, ends in pairwise(cuts))


def _happens_at(plain: str, start: int, end: int) -> bool:
    """在候诊区, 大厅里有人晕倒: somebody is there, or something happens there."""
    return bool(_IS_AT.search(plain[max(start - 2, 0):start]) or _HAPPENS.match(plain, end) or _is_answer(plain, start, end))


def _is_answer(plain: str, start: int, end: int) -> bool:
    """Whether nothing else is said: 就在楼顶."""
    return bool(_ANSWERS.fullmatch(plain[:start]) and _ENDS_ANSWER.fullmatch(plain[end:]))


def _below_a_house(match: re.Match[str], plain: str) -> bool:
    """解放路18号楼下: in a road, what lies below the house, and no building 18."""
    return match[0].endswith("楼") and plain[match.end():match.end() + 1] in "下上" and bool(re.search("[路街巷道]$", plain[max(match.start() - 1, 0):match.start()]))


def _before_number(plain: str, words: Words, end: int) -> Span | None:
    """A name without a known ending, between the beginning of what is said and a building: 盛世名门8号楼."""
    start = _beginning(plain, words, end, 0)
    start = _without_lead(plain, start, end)
    parts = words.within(start, end)
    named = len(parts) > 1 or (bool(parts) and (parts[0].tag[:2] in ("nr", "ns", "nz", "nt") or not Words.knows(parts[0].text)))
    opens = bool(re.search(r"(?:^|[\W_]|[在住到去是于过把从给往]|投诉|反映|举报|报修|感谢|表扬|我家)$", plain[max(start - 2, 0):start]))
    return (start, end) if named and opens and end - start >= (3 if len(parts) > 1 else 2) and not _NO_NAME.search(plain[start:end]) else None


def _joined(plain: str, parts: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, set[str]]]:
    """Parts side by side, or with a space between, are one place; a spot beside a spot is another one."""
    start = end = 0
    kinds: set[str] = set()
    for begins, ends, kind in parts:
        if kinds and ends <= end:
            continue
        inside = kind == "spot" and begins < end
        if kinds and kind == "spot" and plain[end:begins] == "的" and plain[end - 1] in _LARGE:
            continue  # 桃源县的大厅: theirs, and not ours.
        if kind == "tail" and not (kinds and begins == end):
            continue
        touches = begins <= end or plain[end:begins] == " " or (bool(kinds) and plain[end:begins] in (",", ", ") and _goes_down(plain, start, end, begins, kind)) or (plain[end:begins] == "的" and kind == "spot")
        if kinds and (inside or (touches and kind == "spot" and "number" in kinds and _NOT_JOINED.match(plain, begins))):
            continue
        if kinds and touches and not (kind == "spot" and kinds == {"spot"} and plain[end - 1] not in "门口"):
            end = ends
            kinds.add(kind)
            continue
        if kinds:
            yield start, end, kinds
        start, end, kinds = begins, ends, {kind}
    if kinds:
        yield start, end, kinds


def _goes_down(plain: str, start: int, end: int, begins: int, kind: str) -> bool:
    """Whether what follows a comma is a smaller part of the same address: 学府路88号，一楼."""
    before = next((rank for rank, units in reversed(list(enumerate(_UNITS))) if plain[start:end].endswith(units)), -1 if plain[start:end][-1:].isalpha() or plain[start:end].endswith("号") else 9)
    if kind == "door":
        return 0 < before < 4
    following = _FIRST_UNIT.match(plain, begins)
    if kind != "number" or following is None:
        return False
    unit = following["unit"] or "层"
    return before < next((rank for rank, units in enumerate(_UNITS) if unit.startswith(units)), -1)


def _named(plain: str, words: Words, known: list[Span]) -> Iterator[Span]:
    """Names by their endings, each with the words before it that belong to it."""
    last = 0
    for end, kind in sorted([*_endings(plain, words), *((end, "") for _, end in known)]):
        if end <= last:
            continue
        if not kind:
            last = end
            for span in _below(plain, end):
                last = span[1]
                yield span
            continue
        start = _beginning(plain, words, end - len(kind), last)
        start = _without_lead(plain, start, end - len(kind))
        if old_names.has_house(plain, end) and _STRAY.fullmatch(plain, max(start - 2, 0), start):
            start -= 1  # 是|融|创玖玺台8栋: one character that the segmenter takes for a verb.
        if last and 0 < start - last <= 2 and _joins(plain[last:start], words.within(last, start)):
            start = last
        stem = plain[start:end - len(kind)]
        start, stem = old_names.complete(plain, start, stem, kind)
        if kind in old_names.KINDS and not (old_names.is_name(plain, start, end) and (old_names.has_house(plain, end) or _stands_free(plain, words, start, end, last))):
            continue
        if kind in _WITH_FLOORS and _IS_FLOOR.match(plain, end):
            last = end
            yield start if stem and stem not in _GENERIC - _OF_WHOM else end - len(kind), end
            continue
        alone = kind in "苑轩邸" and bool(_OPENS.search(plain[max(start - 2, 0):start]))
        if not (stem == "" and last == start > 0) and not _is_stem(stem, kind, plain[start:end], alone or old_names.has_house(plain, end)):
            continue
        number = _ROAD_NUMBER.match(plain, end) if kind[-1] in _WITH_HOUSES else None
        if number is None and plain.startswith("口", end) and kind in ("路", "街", "巷", "村"):
            end += 1
        if number is None and kind in _WITH_ROOMS and (room := _BARE_ROOM.match(plain, end)):
            number = room
        if number is None and kind not in ("路", "街", "村", "镇", "乡", "县", "区", "市", "省", "街道") and plain.startswith("门口", end):
            end += 2
        last = number.end() if number else end
        yield start, last
        for span in _below(plain, last) if kind[-1] in "省市县区镇乡道村路" else ():
            last = span[1]
            yield span


def _stands_free(plain: str, words: Words, start: int, end: int, last: int) -> bool:
    """Whether what stands around it can stand around a name: 搬到|葵花里|来了."""
    before = start == last or not plain[start - 1].isalnum() or words.at(start - 1).tag[0] in "prvucdx" or bool(_CUTS.search(plain[max(start - 4, 0):start]))
    return before and (bool(_DWELLERS.match(plain, end)) or not plain[end].isalnum() or (words.begins(end) and words.at(end).tag[0] in "vurdpmxc"))


def _below(plain: str, at: int) -> Iterator[Span]:
    """Smaller places that follow a larger one."""
    while following := _BELOW.match(plain, at):
        number = _ROAD_NUMBER.match(plain, following.end()) if plain[following.end() - 1] in "路街巷道" else None
        end = number.end() if number else following.end()
        if number is None and plain.startswith("口", end) and plain[end - 1] in "路街巷":
            end += 1
        yield at, end
        at = end


def _joins(between: str, words: list[Word]) -> bool:
    """What the segmenter cut off between two parts of one address: …区马蹄路|多|美新苑."""
    return (len(between) == 1 or between not in _GENERIC) and bool(_WHOLE.fullmatch(between)) and all(
        word.tag[0] not in "vdf" or (len(between) == 2 and len(word.text) == 1) for word in words)


def _endings(plain: str, words: Words) -> Iterator[tuple[int, str]]:
    """(end, kind) in order; longer kinds stand for the shorter ones in them."""
    found: dict[int, str] = {}
    for match in LONG_KIND.finditer(plain):
        if not _GOES_ON.match(plain, match.end()):
            found[match.end()] = match[0]
    for word in words.all:
        last = word.text[-1]
        if word.end in found or (word.tag[:1] in ("v", "d", "c", "p", "r") and len(word.text) > 1) or (len(word.text) > 1 and word.text[-2:] in _ONLY_COMMON):
            continue
        if _FOLLOWS_NO_PLACE.match(plain, word.end):
            continue
        if last in ONE_KIND or (last in ESTATE and _DWELLERS.match(plain, word.end)):
            found[word.end] = last
    found = {end: kind for end, kind in old_names.find_endings(plain)} | found
    found |= dict(old_names.find_counted(plain))
    found |= {match.end(): match[0] for match in _NTH.finditer(plain) if words.begins(match.start()) and words.ends(match.end())}
    return iter(sorted(found.items()))


def _beginning(plain: str, words: Words, end: int, last: int) -> int:
    """As far back from the ending as nouns and names go."""
    start = end
    while start > last:
        word = words.at(start - 1)
        begins = max(word.start, last)
        part = plain[begins:start]
        if end - begins > _LONGEST_NAME or not _may_name(word, part, start == end or bool(_ROAD_NEXT.match(plain, start)), plain[max(begins - 2, 0):begins]):
            break
        if (stop := _LAST_CUT.search(part)) and not words.knows(part):
            return begins + stop.end()
        start = begins
    return start


def _may_name(word: Word, part: str, next_to_kind: bool, before: str) -> bool:
    if not part.isalnum() or part in tuple("是在到去有把被让给对不请问说看叫往向从"):
        return False
    if old_names.is_inside(part, word, before if next_to_kind else None):
        return True
    if word.tag == "t" and part in tuple("清明唐宋元汉秦"):
        return True  # 清|河湾7号楼, where the segmenter takes it for a dynasty.
    if part in "小大新老" and not next_to_kind:
        return bool(_OPENS.search(before))
    if next_to_kind and part in REGIONS:
        return True
    if part in _GENERIC and not next_to_kind:
        return False
    if len(part) > 1 and _WHOLE.fullmatch(part) and not Words.knows(part):
        return True
    if word.tag[:1] in NOT_IN_NAMES:
        return (word.tag in ("x", "eng") and part.isalnum()) or (next_to_kind and len(part) >= 2 and word.tag[:1] == "t")
    if word.tag[0] == "v":
        return next_to_kind and (word.tag == "vn" or not before or bool(_OPENS.search(before)))
    if part[0] == "第" and len(part) > 1:
        return True
    if word.tag[0] in ("m", "q", "a", "i", "l"):
        return (next_to_kind and word.tag[0] != "q") or (word.tag == "a" and len(part) > 1 and bool(_OPENS.search(before)))
    return True


def _without_lead(plain: str, start: int, end: int) -> int:
    lead = _CUTS.match(plain[start:end])
    return start + lead.end() if lead and start + lead.end() <= end else start


def _is_stem(stem: str, kind: str, whole: str, numbered: bool) -> bool:
    if kind == "台" and stem[-1:] in tuple("一二两三四五六七八九十几0123456789"):
        return False  # 油烟机两台.
    if stem[-1:] in tuple("进出来去回离挡个座修建跨贵"):
        return False  # 车进小区.
    if stem[-1:] in tuple("上读念考升") and kind in ("小学", "中学", "初中", "高中", "大学", "幼儿园", "学校"):
        return False  # 孙女上小学.
    if kind == "路" and (re.search(r"\d$|不", stem) or (not numbered and re.fullmatch("[一二三四五六七八九十]{1,3}", stem))):
        return False  # 12路 is a bus.
    if not stem and kind == "工地":
        return False
    if not stem and numbered and kind in _WITH_HOUSES_ALONE:
        return True  # 产业园A1栋: the only one there is.
    if stem in ("老", "旧") and kind in old_names.INSTITUTIONS:
        return True
    shortest = 2 if kind in _LARGE or (kind in ESTATE and not numbered) else 1
    return len(stem) >= shortest and stem not in _GENERIC and whole not in _ONLY_COMMON and whole not in old_names.COMMON


def _only_counts(said: str, following: str) -> bool:
    """一层灰, 一组照片, 三期工程款: a measure word, not a place."""
    if said in ("一病房", "两病房", "一栋楼", "两栋楼", "一幢楼"):
        return True
    if not _COUNTED.fullmatch(said):
        return False
    if said[-1] in "号弄":
        return True
    return said[0] in "一两" and said[-1] in "层组队期房区" and following[:1] not in "，。的 ,"
