"""Where something is and who is meant, read out of a message: whole, and nothing else with it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bot"))

from nlu.components.finding import Finder

FINDER = Finder({"department": ["住院部", "物业", "骨科"]})


def named(said: str, kind: str) -> list[str]:
    """What of this kind is found in a message."""
    return [entity["value"] for entity in FINDER.find(said) if entity["entity"] == kind]


@pytest.mark.parametrize(("said", "place"), [
    pytest.param("投诉翠湖花园太吵", "翠湖花园", id="without the verb before it"),
    pytest.param("我在榆中县城关镇栖云北路86号开了面馆", "榆中县城关镇栖云北路86号", id="a house below a county's town"), pytest.param("泰和园12号楼2-301", "泰和园12号楼2-301", id="unit and room behind a building"),
    pytest.param("春晖苑5栋门禁坏了", "春晖苑5栋", id="an estate and a building"),
    pytest.param("9栋1单元702漏水", "9栋1单元702", id="a room without a word behind it"),
    pytest.param("我在幸福里住", "幸福里", id="an estate that ends like a word"),
    pytest.param("盛世名门8号楼电梯困人", "盛世名门8号楼", id="a name without a known ending before a building"),
    pytest.param("临江市青山县柳树镇石桥村5组断水三天", "临江市青山县柳树镇石桥村5组", id="a whole address in the country"),
    pytest.param("A市A3区咸阳新村房子漏水", "A市A3区咸阳新村", id="names hidden behind letters"),
    pytest.param("老城区文庙巷17号墙要倒了", "老城区文庙巷17号", id="a house in a lane"),
    pytest.param("建设北路和平路口往东有个大坑", "建设北路和平路口", id="a corner of two roads without a word between"), pytest.param("发展大道团结路口红绿灯不亮", "发展大道团结路口", id="of an avenue"),
    pytest.param("人民东路跟中山路口红绿灯坏了", "人民东路跟中山路口", id="a corner with a word between"), pytest.param("在光明中路文化路口被撞", "光明中路文化路口", id="a road whose name is a word"),
    pytest.param("建设路与和平街交叉口红绿灯坏了", "建设路与和平街交叉口", id="a corner of two roads"),
    pytest.param("第二人民医院停车太难了", "第二人民医院", id="a counted hospital"),
    pytest.param("市一中放学的时候堵得很", "市一中", id="a school by its short name"),
    pytest.param("解放路18号楼下烧烤店油烟大", "解放路18号", id="not what lies below it"),
    pytest.param("3栋2单元门口的灯泡不亮", "3栋2单元", id="not what lies before its door"),
    pytest.param("7号楼楼道里堆满了纸箱", "7号楼", id="not the stairs in it"),
    pytest.param("三栋二单元301没水了", "三栋二单元301", id="numbers in words"),
    pytest.param("12#楼门禁坏了", "12#楼", id="a hash"), pytest.param("A区3号楼停电", "A区3号楼", id="a lettered block"),
    pytest.param("5幢负一层积水", "5幢负一层", id="below ground"), pytest.param("地下二层车位被占", "地下二层", id="deeper"),
    pytest.param("住院部5楼12床没人换药", "住院部5楼12床", id="a bed in a department"),
    pytest.param("门诊三楼空调不凉", "门诊三楼", id="a floor of the clinic"),
    pytest.param("我家在丽景湾2-1-1801", "丽景湾2-1-1801", id="the short form"),
    pytest.param("荷塘月色12-2-401漏水", "荷塘月色12-2-401", id="the short form behind a name without an ending"),
    pytest.param("湖畔新村21号楼一楼的住户养鸡", "湖畔新村21号楼", id="not the floor of whom it is about"),
    pytest.param("鼎盛家园十二幢三单元七零二", "鼎盛家园十二幢三单元七零二", id="a room in words"),
    pytest.param("门牌是602", "602", id="the number on the door"),
    pytest.param("大学路77号兰姐饺子馆排烟", "大学路77号兰姐饺子馆", id="a shop in its house"), pytest.param("户口在遵义", "遵义", id="a city by itself"),
    pytest.param("老家是黎川的", "黎川", id="where somebody comes from"), pytest.param("想订三楼会议室", "三楼会议室", id="a room that is lent, on its floor"),
    pytest.param("隔壁803天天唱歌", "803", id="a neighbour's room"), pytest.param("6楼到8楼都停水", "6楼到8楼", id="a range of floors"),
    pytest.param("C座门口积水", "C座门口", id="before the door"), pytest.param("3病区5床要换药", "3病区5床", id="a bed of a ward"),
    pytest.param("地铁2号线博物馆站C口太滑", "地铁2号线博物馆站C口", id="an exit of a station"), pytest.param("水产市场A区9号摊位漏电", "水产市场A区9号摊位", id="a stall"),
    pytest.param("桂苑那边路灯不亮", "桂苑", id="a short name of an estate"), pytest.param("产业园B3栋电梯坏了", "产业园B3栋", id="the only one of its kind"),
    pytest.param("桐花路上全是落叶", "桐花路", id="a road on which something lies"), pytest.param("老街31号屋顶漏", "老街31号", id="the old street"),
    pytest.param("清江公馆一号5栋停电", "清江公馆一号5栋", id="a name with a number in it"), pytest.param("14楼之2住着老人", "14楼之2", id="as in Taiwan"),
    pytest.param("四单元六楼左边那户", "四单元六楼左边那户", id="which door"), pytest.param("县人民医院住院部3楼11床", "县人民医院住院部3楼11床", id="a bed of a hospital"),
    pytest.param("柳家坪桥头有人打架", "柳家坪桥头", id="at a bridge"), pytest.param("我是瀚林玖悦台3栋的", "瀚林玖悦台3栋", id="an estate the dictionary cuts"),
    pytest.param("八单元四零六的灯不亮", "八单元四零六", id="a room as it is spoken"), pytest.param("住东升路五十八号", "东升路五十八号", id="a house in words"),
    pytest.param("候诊区有人晕倒", "候诊区", id="where something happens"), pytest.param("人在会所", "会所", id="where somebody is"),
    pytest.param("西区9#2-1203水压低", "西区9#2-1203", id="behind a hash"), pytest.param("青石湾工地夜里施工", "青石湾工地", id="a building site"),
])
def test_a_place_is_read_whole_and_without_its_neighbours(said: str, place: str) -> None:
    assert named(said, "place") == [place]


@pytest.mark.parametrize("said", [
    "我们小区的垃圾没人收", "市场价格太高了，超市里也贵", "你们医院的宣传做得好", "12路公交线路改了", "马路上全是土", "一层灰没人擦",
    "拍了一组照片", "这条路什么时候修好", "四川人都吃辣", "拿小区的东西", "洗衣机两台", "大厅太冷了", "停车场收费不合理", "孙女上小学", "加一床被子", "外来车进小区", "看不见路", "门岗不让进", "跑了空路", "孩子交到学校我不放心", "法律禁止操纵市场价格",
])
def test_words_that_end_like_places_are_none(said: str) -> None:
    assert named(said, "place") == []


@pytest.mark.parametrize(("said", "places"), [
    ("五里坎农贸市场卖菜的把烂叶子到处甩", "五里坎农贸市场"), ("枫香坡的路灯从上周就没亮过", "枫香坡"), ("我们搬到海棠里来了，户口怎么迁", "海棠里"), ("给石榴里的曹奶奶也登记一个", "石榴里"),
    ("泥石流冲下来了！核桃沟", "核桃沟"), ("想在西关早市摆个烤红薯摊", "西关早市"), ("我家在梨花岭27号就是那个蓝门", "梨花岭27号"), ("老城墙胡同乙6号那个公厕没水了", "老城墙胡同乙6号"),
    ("11撞电梯又停了", "11撞"), ("银河苑9号楼顶层东户漏雨", "银河苑9号楼顶层东户"), ("忘写楼号了，是观云苑15号楼乙单元", "观云苑15号楼乙单元"),
    ("北苑车库B区12号的充电桩坏了", "北苑车库B区12号"), ("就门诊楼5层开水间", "门诊楼5层开水间"), ("有人困在兴宁路地铁站D口动不了", "兴宁路地铁站D口"),
    ("电视台家属院6号楼楼梯拐角堆了柜子", "电视台家属院6号楼楼梯拐角"), ("环城北路塌了一个坑", "环城北路"), ("建材新村和棉麻路交界那块空地", "建材新村|棉麻路"),
    ("3楼4楼都没暖气", "3楼|4楼"), ("我是1102的小齐，楼上漏水", "1102"), ("有人在打架，头上都是血，504", "504"), ("安泰里5号院有人晕倒了", "安泰里5号院"),
    ("小李庄村东头第二排靠河那户", "小李庄村东头第二排靠河那户"), ("电线断了掉在前山村口水沟里", "前山村口"), ("学学人家桃源县的大厅", "桃源县"),
    ("老人摔倒了，老供销社后门，快来", "老供销社后门"), ("邻居把垃圾扔在四楼平台没人管", "四楼平台"), ("地点在福安街街市入口", "福安街街市入口"),
    ("丰谷县清河镇杨树屯，进村第三家", "丰谷县清河镇杨树屯"), ("病人住心外科21号床", "21号床"), ("七里塘菜场门口天天堵车", "七里塘菜场门口"), ("野鸭洼没有路灯，晚上不敢走", "野鸭洼"),
    ("投诉一下青石嘴坎的养猪场", "青石嘴坎"), ("住在玉兰里，想问问学区", "玉兰里"), ("丁香里62号漏煤气了", "丁香里62号"), ("老屋湾14号的电线掉下来了", "老屋湾14号"),
    ("有人落水！鹭鸶滩", "鹭鸶滩"), ("北门早市没人收垃圾", "北门早市"), ("帽儿胡同丙3号厕所没灯", "帽儿胡同丙3号"), ("5撞2单元门禁坏了", "5撞2单元"),
    ("学苑路12号，三楼", "学苑路12号，三楼"), ("碧波名邸南区，5栋，一单元，1103", "碧波名邸南区，5栋，一单元，1103"),
    ("老人住心内二十床", "心内二十床"), ("住院部二楼走廊没灯", "住院部二楼走廊"),
    ("please come to Building 3 room 402", "Building 3 room 402"), ("写错了，是1203", "1203"), ("搬到了清河湾7号楼", "清河湾7号楼"),
    ("我住盛和苑3号楼底层西户", "盛和苑3号楼底层西户"), ("紫荆苑8号楼东单元停水", "紫荆苑8号楼东单元"), ("地址写错了，是西苑地库A区9号", "西苑地库A区9号"),
    ("外科楼7层茶水间漏水", "外科楼7层茶水间"), ("建国路地铁站A口扶梯停了", "建国路地铁站A口"), ("水利局家属院2号楼楼梯拐角有人抽烟", "水利局家属院2号楼楼梯拐角"),
    ("滨江东路的树倒了", "滨江东路"), ("棉纺新村和解放路交界的地方", "棉纺新村|解放路"), ("7栋8栋都停电了", "7栋|8栋"), ("家里没人开门，我住1503", "1503"),
    ("快来人，我妈晕倒了，1102", "1102"), ("荷叶里12号院", "荷叶里12号院"), ("马家寨南头第一家着火了", "马家寨南头第一家"), ("下马坊那边路灯全黑", "下马坊"),
    ("鹅卵石滩村十几户没水喝", "鹅卵石滩村"), ("石磨坪的老人没人管", "石磨坪"), ("人家清源县的医院就能刷", "清源县"), ("望月湖3期12栋着火", "望月湖3期12栋"),
    ("桑园弄9号墙塌了", "桑园弄9号"), ("白果巷里停满了车", "白果巷"), ("双桥村村主任不办事", "双桥村"),
])
def test_old_names_house_forms_and_whole_roads_are_read_as_a_clerk_would_copy_them(said: str, places: str) -> None:
    assert named(said, "place") == places.split("|")


@pytest.mark.parametrize("said", [
    "家里的水沟堵了", "他心里有道坎", "下坡的时候摔了", "老人手里拿着单子", "夜里的噪音太大", "村里的水沟没人清", "当着一病房人骂我", "小区健身区几点关", "哪里的水都不行", "后院里的树倒了",
    "车开到山沟里了", "厨房里有味道", "桥下面有积水", "阴沟里全是油", "群里的人都在说", "他住了2019年就搬走了", "小区的游泳池几点关", "厂房里有味道", "花园里的灯坏了",
    "在臭水沟边上", "草坪没人剪", "我是1998年来的", "验证码发来了，1204", "到了村里没人接", "拖了一年里外都没人管", "下水道口的台阶坏了", "充电桩什么时候装", "平台上投诉没人理",
    "孩子在斜坡上摔了", "池塘的水臭", "学校里的花坛", "车开进沟里", "东头没人打扫", "挂3号的号", "撞到人了", "被车撞了", "月光里拍的照片", "我9号去的", "我家装了太阳能，里头漏水",
    "门户网站打不开", "用户说不行", "微信群里说过", "十里八乡都知道", "停水三天了，投诉无门，1000多人受影响", "心里慌", "这一片里面没有厕所", "走后门", "花了1204", "报警了,110",
    "身份证后四位,1204", "我是2003的", "楼顶漏水", "充电桩坏了", "2撞1",
])
def test_ordinary_words_and_what_lies_in_every_house_are_no_places(said: str) -> None:
    assert named(said, "place") == []


@pytest.mark.parametrize("said", ["就在充电桩旁", "楼顶", "游泳池。"])
def test_what_lies_in_every_house_is_a_place_as_an_answer(said: str) -> None:
    assert len(named(said, "place")) == 1


@pytest.mark.parametrize(("said", "people"), [
    pytest.param("我叫欧阳静，住柳河镇", ["欧阳静"], id="a compound surname"),
    pytest.param("骨科司徒大夫的号", ["司徒大夫"], id="a compound surname with a title"),
    pytest.param("前台陈姐特别热情", ["陈姐"], id="姐"), pytest.param("今天张工来修的，很专业", ["张工"], id="工"),
    pytest.param("物业的小陈态度很好", ["小陈"], id="小"), pytest.param("保安老刘骂人", ["老刘"], id="老"),
    pytest.param("客服中心的小孟每次都说在走流程", ["小孟"], id="of an office"),
    pytest.param("戴宏伟，13800001234", ["戴宏伟"], id="with nothing but a number"),
    pytest.param("我姓晁，你记成赵了", ["晁", "赵"], id="written down wrongly"),
    pytest.param("那个姓陈的收了我两百块", ["陈"], id="only the surname"),
    pytest.param("张某某长期占道经营", ["张某某"], id="half hidden"), pytest.param("管家沈一诺服务好", ["沈一诺"], id="beside a role"),
    pytest.param("联系人诸葛明", ["诸葛明"], id="as in a form"), pytest.param("我妈赵桂芬住院了", ["赵桂芬"], id="in the middle"),
    pytest.param("张世云、周天富、向发芝", ["张世云", "周天富", "向发芝"], id="a list of names"),
    pytest.param("尊敬的贺书记您好", ["贺书记"], id="in the salutation"),
    pytest.param("门卫叫卞国才，夜班的", ["卞国才"], id="called so"), pytest.param("大家都叫她芳姐", ["芳姐"], id="by her first name"),
    pytest.param("儿科的小鱼护士会哄娃", ["小鱼护士"], id="by a pet name"), pytest.param("客服的小鹿帮我查的", ["小鹿"], id="by a pet name at an office"),
    pytest.param("喊廖嬢嬢来签字", ["廖嬢嬢"], id="as neighbours call her"), pytest.param("巡逻员小邹把伞借我", ["小邹"], id="before a verb that sticks to it"),
    pytest.param("上次是老纪登记的", ["老纪"], id="who did it"), pytest.param("老尤头天天来", ["老尤头"], id="an old man"),
    pytest.param("叶小芸 树叶的叶", ["叶小芸"], id="spelled"), pytest.param("名字错了，不是王倩，是汪倩", ["王倩", "汪倩"], id="the wrong one and the right one"),
    pytest.param("我姓芦，不是卢", ["芦", "卢"], id="the wrong surname"), pytest.param("请贵院予以核查。盛岚", ["盛岚"], id="a signature"),
    pytest.param("免贵姓来", ["来"], id="a rare surname"), pytest.param("叫我上官老师吧", ["上官老师"], id="as she wants to be called"),
    pytest.param("开票的是施总小舅子", ["施总"], id="a relation's"),
    pytest.param("我，蒲秀英，申请退款", ["蒲秀英"], id="in apposition"), pytest.param("我叫Olivier，刚搬来", ["Olivier"], id="in Latin letters"), pytest.param("My name is Petra Novak.", ["Petra Novak"], id="in English"),
    pytest.param("我叫阿依古丽·买买提，住5栋", ["阿依古丽·买买提"], id="with a dot, as she says"), pytest.param("房东是吐尔逊·艾力", ["吐尔逊·艾力"], id="with a dot"), pytest.param("她叫松岛，日本人", ["松岛"], id="of another country"),
    pytest.param("名字写成“陈颖”了，我是“陈莹”", ["陈颖", "陈莹"], id="in quotation marks"),
    pytest.param("联系人填老樊吧", ["老樊"], id="as it is to be written"), pytest.param("我是杜子昂家长", ["杜子昂"], id="a parent"),
    pytest.param("喊我表姐小邹来拿", ["小邹"], id="a cousin"), pytest.param("找我姐，葛秀珍，电话打不通", ["葛秀珍"], id="in apposition to kin"), pytest.param("毛警长说的", ["毛警长"], id="of the police"),
    pytest.param("客服部的芸芸帮我办的", ["芸芸"], id="said twice"), pytest.param("那位小骆呢", ["小骆"], id="that one"),
    pytest.param("找钱老三要钥匙", ["钱老三"], id="by his place among brothers"),
])
def test_people_are_read_by_surname_title_role_and_form(said: str, people: list[str]) -> None:
    assert named(said, "person") == people


@pytest.mark.parametrize("said", [
    "很高兴你们能方便群众", "于是我就打了电话，常常没人接", "温馨提示贴了，安全还是没人管", "白天也在施工", "和平解决就行，祝你们成功", "向师傅反映过了",
    "和老师说过", "高中老师不够", "项目经理不在", "让老板来", "小区里小孩多", "老人和姐姐住", "施工队长不管", "谢谢您", "全部都要许可证", "我是周一去的",
    "普通老百姓真的难", "保安师傅人好", "在毛家冲修路", "叫管水的来", "小雨天路滑", "火苗老高", "戴眼镜的那个", "三号窗口戴眼镜的姑娘", "劳驾派师傅来", "老师傅周四来不了", "百姓·安全隐患", "我是那家店的", "那个小区的",
])
def test_ordinary_words_are_nobody(said: str) -> None:
    assert named(said, "person") == []


@pytest.mark.parametrize("said", ["一" * 5000 + "栋", "张世云、" * 1500, "翠湖路与" * 1500, "小王说" * 1500, "3-" * 2500, "里" * 3000, "!" * 3000, "5楼6楼" * 1500, "柿子沟" * 1500])
def test_a_long_or_hostile_text_is_read_to_its_end(said: str) -> None:
    assert named(said + "，我住在翠湖花园3栋", "place")[-1] == "翠湖花园3栋"


@pytest.mark.parametrize(("said", "departments"), [
    pytest.param("胸外科在几楼", ["胸外科"], id="a clinic"), pytest.param("约个风湿免疫科", ["风湿免疫科"], id="of two specialties"),
    pytest.param("老年医学科门诊周几开", ["老年医学科门诊"], id="its consulting hours"), pytest.param("NICU能探视吗", ["NICU"], id="by letters"),
    pytest.param("不是普外，是骨科", ["普外", "骨科"], id="without 科"), pytest.param("水务局一直没人接", ["水务局"], id="an office"),
    pytest.param("市教育局招生办的人说的", ["市教育局", "招生办"], id="an office in another"),
    pytest.param("东湖新区管委会推给街道办", ["东湖新区管委会", "街道办"], id="with the place in its name"),
    pytest.param("后勤处小黎", ["后勤处"], id="of a hospital"), pytest.param("退役军人服务站不给盖章", ["退役军人服务站"], id="long"),
    pytest.param("投诉物业乱收费", ["物业"], id="the management, complained of"), pytest.param("物业的小陈来了", ["物业"], id="one of it"),
    pytest.param("城南税务分局在哪", ["城南税务分局"], id="with its quarter"), pytest.param("心内科病房太吵", ["心内科病房"], id="a ward of a clinic"),
    pytest.param("到二楼C6窗口交的", ["二楼C6窗口"], id="a lettered window"), pytest.param("退役窗口没人坐班", ["退役窗口"], id="a window by what it is for"), pytest.param("我在三楼6号窗口排队", ["三楼6号窗口"], id="a window on its floor"),
    pytest.param("二楼心电图室门锁着", ["二楼心电图室"], id="a room on its floor"), pytest.param("叫骨科护士站来人", ["骨科护士站"], id="a desk of a ward"),
    pytest.param("市妇幼保健院产科的床位", ["市妇幼保健院产科"], id="a clinic of a hospital"), pytest.param("给我挂个号，县中医院", ["县中医院"], id="a hospital one books with"),
    pytest.param("外科二病区太吵", ["外科二病区"], id="a ward by its number"), pytest.param("到办事大厅7号窗口交的", ["办事大厅7号窗口"], id="a window of a hall"),
    pytest.param("想挂个神内，周三的", ["神内"], id="a clinic in short"), pytest.param("四楼内分泌的大夫", ["四楼内分泌"], id="a clinic on its floor"), pytest.param("我爸住骨三科", ["骨三科"], id="a clinic by its number"), pytest.param("投诉北关区城管局", ["北关区城管局"], id="with the district it is of"), pytest.param("便民服务站的小程", ["便民服务站"], id="where she works"),
    pytest.param("肿瘤中心几点开", ["肿瘤中心"], id="a centre of a hospital"),
    pytest.param("挂明天的儿童口腔的号", ["儿童口腔"], id="what one takes a number for"), pytest.param("户籍登记窗口排了两个钟头", ["户籍登记窗口"], id="a window by its matter"),
    pytest.param("派出所的身份证窗口几点开", ["派出所的身份证窗口"], id="a window of an office"),
])
def test_offices_and_wards_are_read_by_their_whole_names(said: str, departments: list[str]) -> None:
    assert named(said, "department") == departments


@pytest.mark.parametrize("said", [
    "交了物业费也没人管", "派出所来过就走了", "你们物业是摆设吗", "这件事处理得不好", "办理不了", "网上缴费办完了", "外科学教材", "基建工程处理不当", "城管看见也不管",
    "多次向物业反映没下文", "建议窗口中午别关", "我司行政部打了分", "这个窗口不办", "单人病房多少钱",
])
def test_an_office_said_in_passing_and_words_that_begin_like_one_are_none(said: str) -> None:
    assert named(said, "department") == []


@pytest.mark.parametrize(("said", "services"), [
    pytest.param("公司要做营业执照变更", ["营业执照变更"], id="with what is done to it"), pytest.param("开个在读证明", ["在读证明"], id="a certificate"),
    pytest.param("高龄补贴停发了", ["高龄补贴"], id="a benefit"), pytest.param("约个热水器清洗", ["热水器清洗"], id="at home"),
    pytest.param("约12月3号的彩超", ["彩超"], id="booked with a day between"), pytest.param("离婚登记去哪", ["离婚登记"], id="an event of life"),
    pytest.param("发票能重开吗", ["发票"], id="what is asked about"), pytest.param("想订多功能厅", ["多功能厅"], id="a room"),
    pytest.param("想给爷爷打肺炎疫苗", ["肺炎疫苗"], id="a vaccine by its kind"), pytest.param("养蜂补贴被人领了", ["养蜂补贴"], id="a subsidy by its kind"),
    pytest.param("约一个入园体检", ["入园体检"], id="an examination by its kind"), pytest.param("腰椎间盘手术排到几号", ["腰椎间盘手术"], id="an operation"),
    pytest.param("补交出租车证复印件", ["出租车证"], id="a paper without the verb"), pytest.param("甲状腺结节复查多少钱", ["甲状腺结节复查"], id="a second look"),
    pytest.param("预约太阳能维修", ["太阳能维修"], id="a repair"), pytest.param("订星期三晚上的会议室", ["会议室"], id="a time between"),
    pytest.param("我的肠镜在下周四", ["肠镜"], id="a day behind it"), pytest.param("帮我约个民政窗口，离婚", ["离婚"], id="alone after a request"),
    pytest.param("重度残疾人护理补贴停了", ["重度残疾人护理补贴"], id="whose subsidy"), pytest.param("想给孩子报个书画班", ["书画班"], id="a course"),
    pytest.param("工作许可怎么延", ["工作许可"], id="of foreigners"), pytest.param("办张老年乘车卡", ["老年乘车卡"], id="a card"), pytest.param("预约除甲醛", ["除甲醛"], id="in the house"), pytest.param("地址变更批了没", ["地址变更"], id="of a firm"),
    pytest.param("麻烦开张陪护证明", ["陪护证明"], id="no 陪护证"), pytest.param("上午能抽血吗", ["抽血"], id="what one comes for"),
    pytest.param("验收原来约的9号", ["验收"], id="booked on a day gone by"),
    pytest.param("开张无违法证明", ["无违法证明"], id="a statement"), pytest.param("胃镜和肠镜怎么约", ["胃镜", "肠镜"], id="two at once"),
])
def test_what_is_applied_for_or_booked_is_a_service(said: str, services: list[str]) -> None:
    assert named(said, "service") == services


@pytest.mark.parametrize("said", ["装修垃圾堆在门口", "身份证号110101197512120006", "门禁卡刷不上", "有人冒领低保", "多功能厅的灯坏了", "拿假发票报销", "挂号系统太慢", "绿化带改成停车位", "咨询一下漏水怎么办", "照片为证",
                                  "电梯维修了三天", "上个月的检查费太贵", "信用卡刷不了", "凭居住登记凭证来", "不能过户也没人解释"])
def test_what_is_only_mentioned_is_no_service(said: str) -> None:
    assert named(said, "service") == []


@pytest.mark.parametrize(("said", "kind", "value"), [
    pytest.param("打0431-8812 0047", "phone", "0431-8812 0047", id="a gap in the number"),
    pytest.param("（0431）88120047", "phone", "（0431）88120047", id="the area in brackets"),
    pytest.param("幺五零零零幺二七七三六", "phone", "幺五零零零幺二七七三六", id="spoken"),
    pytest.param("座机8812 0047", "phone", "8812 0047", id="without the area"),
    pytest.param("GD20261108-0312到哪了", "ticket_number", "GD20261108-0312", id="of another system"),
    pytest.param("20261108-0312还没人管", "ticket_number", "20261108-0312", id="a day and a number"),
    pytest.param("受理编号是2026110800312", "ticket_number", "2026110800312", id="behind what it is called"),
    pytest.param("护照：EB3120047", "id_number", "EB3120047", id="a passport"), pytest.param("身份证后四位是114X", "id_number", "114X", id="its last four"),
    pytest.param("预约号YY-1118-026退掉", "ticket_number", "YY-1118-026", id="letters and two numbers"), pytest.param("回执上写的WX26110412", "ticket_number", "WX26110412", id="a short year and its month"),
    pytest.param("催一下20261027-甘谷-019", "ticket_number", "20261027-甘谷-019", id="with the county in it"), pytest.param("信访〔2026〕417号答复看不懂", "ticket_number", "信访〔2026〕417号", id="of letters and visits"),
    pytest.param("WX2026-0312还没人修", "ticket_number", "WX2026-0312", id="a year and a number"), pytest.param("受理号2026-1108-031", "ticket_number", "2026-1108-031", id="with its day behind the year"),
    pytest.param("报修号0312今天来不来", "ticket_number", "0312", id="its short number"), pytest.param("一到十分我给九", "score", "九", id="of ten"),
    pytest.param("尾号312的工单", "ticket_number", "312", id="its last digits"),
    pytest.param("二零二六一一零八杠零三一二", "ticket_number", "二零二六一一零八杠零三一二", id="read aloud"),
    pytest.param("打九十五分", "score", "九十五分", id="of a hundred"), pytest.param("十分满意，4分", "score", "4分", id="not how much"),
])
def test_numbers_are_read_as_residents_write_them(said: str, kind: str, value: str) -> None:
    assert named(said, kind) == [value]


@pytest.mark.parametrize("said", ["订单号BY20261108-36", "快递单号SF-20261108", "发票号码是2026-0312-77", "合同编号HT2026-0118", "银行流水 LS20261108-36", "快递单号773412345678", "13800001234这单是我的电话", "车牌浙A12345", "型号KFR-35", "2026-11-08", "一分不少", "十分感谢"])
def test_other_numbers_are_neither_tickets_nor_scores(said: str) -> None:
    assert named(said, "ticket_number") + named(said, "score") == []


@pytest.mark.parametrize(("said", "people"), [
    pytest.param("我姓邓谢谢啊", ["邓"], id="with thanks behind it"), pytest.param("搵黎生53881207", ["黎生"], id="生 as in the south"),
    pytest.param("网格员贺知秋同志辛苦了", ["贺知秋"], id="whole, without comrade"), pytest.param("预约人梁若兰", ["梁若兰"], id="who booked"),
    pytest.param("查一下，沈长风，320102196805054417", ["沈长风"], id="beside a long number"), pytest.param("能让石主任回电话吗", ["石主任"], id="not the verb"),
    pytest.param("后勤处小邝收了红包", ["小邝"], id="of an office"), pytest.param("住户是我爸韦德福", ["韦德福"], id="a father"),
    pytest.param("保安部的阿明很好", ["阿明"], id="阿"),
])
def test_people_are_read_however_they_are_named(said: str, people: list[str]) -> None:
    assert named(said, "person") == people


@pytest.mark.parametrize(("said", "times"), [
    pytest.param("昨晚上两点多还在吵", ["昨晚上两点多"], id="the small hours"), pytest.param("13号晚八点行吗", ["13号晚八点"], id="an evening"),
    pytest.param("明天下班前给我", ["明天下班前"], id="before work ends"), pytest.param("礼拜天一早来", ["礼拜天一早"], id="early"),
    pytest.param("午饭以后再来", ["午饭以后"], id="told by a meal"), pytest.param("琴日下晝去咗", ["琴日下晝"], id="in the south"),
    pytest.param("每天清早都在跳广场舞", ["每天清早"], id="every day"), pytest.param("前年八月装的", ["前年八月"], id="a month of a year"),
    pytest.param("初六上午搬", ["初六上午"], id="a day of the moon"), pytest.param("过了正月再修", ["过了正月"], id="after the first month"),
    pytest.param("端午那天开门吗", ["端午那天"], id="a feast"), pytest.param("春节假期第三天", ["春节假期第三天"], id="a day of a feast"),
    pytest.param("上旬就报了", ["上旬"], id="ten days"), pytest.param("周二到周四白天都行", ["周二到周四白天"], id="a range with its hours"),
    pytest.param("饿到十点都没人理", ["十点"], id="after 到"), pytest.param("前天夜里快十一点的事", ["前天夜里快十一点"], id="nearly"),
    pytest.param("今儿前晌来过", ["今儿前晌"], id="in the north"), pytest.param("明个儿下晌搬", ["明个儿下晌"], id="in the east"),
    pytest.param("夜来后半晌停的水", ["夜来后半晌"], id="yesterday in Shandong"), pytest.param("昨晚黑十点来钟", ["昨晚黑十点来钟"], id="in the southwest"),
    pytest.param("尋日透早噉嘈", ["尋日透早"], id="by sea"), pytest.param("早上七八点就堵", ["早上七八点"], id="between two hours"),
    pytest.param("11月30日（周一）开会", ["11月30日（周一）"], id="a day by both its names, in brackets"), pytest.param("12月2号，星期三，不在家", ["12月2号，星期三"], id="and behind a comma"),
    pytest.param("二零二零年七月八日领的", ["二零二零年七月八日"], id="a whole day in words"), pytest.param("前天夜里，大概三点", ["前天夜里，大概三点"], id="about an hour"),
    pytest.param("腊月二十六以前装好", ["腊月二十六以前"], id="late in the last month"), pytest.param("九月初三办的", ["九月初三"], id="a day of any month of the moon"),
    pytest.param("Please come next Tuesday at 10 am", ["next Tuesday at 10 am"], id="in English"),
    pytest.param("两年前就坏了", ["两年前"], id="years ago"), pytest.param("腊八那天送来", ["腊八那天"], id="a feast of winter"), pytest.param("立秋前装好", ["立秋前"], id="a day of the sun"),
    pytest.param("请今日内答复", ["今日内"], id="within today"), pytest.param("25号全天在家", ["25号全天"], id="a whole day"), pytest.param("最快六点到", ["六点"], id="at the earliest"),
    pytest.param("三点半后家里有人", ["三点半后"], id="after the hour"), pytest.param("下午以后都有空", ["下午以后"], id="after a part of the day"),
    pytest.param("9号周四行不", ["9号周四"], id="a day by both its names"), pytest.param("今天明天都行", ["今天明天"], id="two days in a row"),
    pytest.param("15号或16号上午都行", ["15号或16号上午"], id="an hour for either day"), pytest.param("初五没空，改到十四吧", ["初五", "十四"], id="days of the moon"),
    pytest.param("昨天从早上八点到现在没水", ["昨天从早上八点到现在"], id="until now"), pytest.param("房子二零一五年买的", ["二零一五年"], id="a year"),
    pytest.param("下个月6号往后", ["下个月6号往后"], id="from then on"), pytest.param("工作日晚上七点后", ["工作日晚上七点后"], id="on working days"),
    pytest.param("看一下下周三的号", ["下周三"], id="after 一下"), pytest.param("每晚九点都有人唱", ["每晚九点"], id="every evening"),
    pytest.param("12月3号8点半来", ["12月3号8点半"], id="a day in figures and its hour"), pytest.param("春节后再装", ["春节后"], id="after a feast"),
    pytest.param("大年初六上班吗", ["大年初六"], id="a day of the new year"), pytest.param("11.30上午送到", ["11.30上午"], id="a day with a dot"),
    pytest.param("下午两三点最晒", ["下午两三点"], id="two or three"),
])
def test_times_are_one_span_from_head_to_tail(said: str, times: list[str]) -> None:
    assert named(said, "time") == times


@pytest.mark.parametrize("said", ["哭了一下午", "孩子上初二", "听天由命吧", "住了三个月", "有一点多余", "每一层都这样", "今年七十了", "国庆路的灯坏了", "我剛才漏了一个零",
                                  "三月花店门口堵了", "你们师傅刚才去过", "三个工作日了", "去年度的报表", "两点建议", "清明苑3栋漏水", "中秋月饼没收到"])
def test_what_is_no_time_is_not_made_one(said: str) -> None:
    assert named(said, "time") == []


@pytest.mark.parametrize(("said", "begins", "ends"), [
    ("国庆假期最后一天", "2026-10-07T00:00", "2026-10-08T00:00"), ("初八搬", "2026-12-16T00:00", "2026-12-17T00:00"),
    ("出了正月再说", "2027-03-08T00:00", "2027-04-07T00:00"), ("去年十月就报了", "2025-10-01T00:00", "2025-11-01T00:00"),
    ("今天下班前", "2026-11-26T00:00", "2026-11-26T17:30"), ("昨晚上一点多", "2026-11-26T01:00", "2026-11-26T01:00"),
    ("今儿前晌", "2026-11-26T08:00", "2026-11-26T12:00"), ("明天后天", "2026-11-27T00:00", "2026-11-29T00:00"), ("二零零八年", "2008-01-01T00:00", "2009-01-01T00:00"), ("今天从早上六点到现在", "2026-11-26T06:00", "2026-11-26T06:00"),
    ("tomorrow afternoon", "2026-11-27T12:00", "2026-11-27T18:00"), ("last Friday", "2026-11-20T00:00", "2026-11-21T00:00"), ("二零二零年七月八日", "2020-07-08T00:00", "2020-07-09T00:00"),
    ("九月初三", "2026-10-12T00:00", "2026-10-13T00:00"),
    ("28号晚七点", "2026-11-28T19:00", "2026-11-28T19:00"), ("下旬再打", "2026-11-21T00:00", "2026-12-01T00:00"), ("中秋那天", "2026-09-25T00:00", "2026-09-26T00:00"),
])
def test_a_time_means_its_moments(said: str, begins: str, ends: str) -> None:
    (time,) = (entity for entity in FINDER.find(said, "2026-11-26T10:00:00+08:00") if entity["entity"] == "time")
    assert (time["from"], time["to"]) == (f"{begins}:00+08:00", f"{ends}:00+08:00")
