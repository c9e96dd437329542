"""What a ticket is called in the queue: its matter, not the words with which people begin."""

import pytest

from ticketing.titles import find_title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("您好：\n3栋电梯又坏了，老人下不了楼。", "3栋电梯又坏了，老人下不了楼"),
        ("尊敬的领导：您好！我是6栋的业主。楼下烧烤店油烟很大，请管管。", "楼下烧烤店油烟很大，请管管"),
        ("喂你好，那个我想问一下，物业费能不能分期交", "物业费能不能分期交"),
        ("喂，你好，就是说我家暖气不热", "我家暖气不热"),
        ("感谢您百忙之中阅读来信。小区南门路灯不亮。", "小区南门路灯不亮"),
        ("我要投诉物业乱收费", "我要投诉物业乱收费"),
        ("我要投诉。楼上装修太吵", "楼上装修太吵"),
        ("好多人在楼道抽烟", "好多人在楼道抽烟"),
        ("这个月的水费不对", "这个月的水费不对"), ("嗯，那个，就是我家门锁坏了", "我家门锁坏了"), ("领导好，广场舞太吵", "广场舞太吵"),
        ("2幢门口路灯不亮了，13712340987", "2幢门口路灯不亮了"), ("电梯停了，我的电话是<PHONE_1>", "电梯停了"),
        ("13712340987，我家跳闸了，快来", "我家跳闸了，快来"), ("替我妈报修，热水器漏水，打她电话13712340987，谢谢", "替我妈报修，热水器漏水，谢谢"),
        ("停水", "停水"), ("", "来访事项"), ("停电了。3栋2单元", "停电了，3栋2单元"), ("您好。谢谢。路灯不亮了", "路灯不亮了"),
        ("停水。停电。3栋2单元", "停水，停电，3栋2单元"), ("停水！停电！", "停水，停电"), ("漏水。您好。漏水。3栋2单元", "漏水，3栋2单元"),
    ],
    ids=str,
)
def test_a_title_is_what_it_is_about(text: str, title: str):
    assert find_title(text) == title


@pytest.mark.parametrize("subject", ["你好", "投诉", "Re: 投诉", "无主题", "自动回复：我在休假", "关于投诉的问题", ""], ids=str)
def test_a_subject_that_says_nothing_names_no_ticket(subject: str):
    assert find_title("您好：\n路灯不亮了", subject) == "路灯不亮了"


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        ("Re: 南门路灯不亮", "南门路灯不亮"), ("Re: 南门路灯不亮 [HY20261126-00017]", "南门路灯不亮"),
        ("[HY20261126-00017] Re: 南门路灯不亮", "南门路灯不亮"), ("回复：[HY20261126-00017] Re: 南门路灯不亮", "南门路灯不亮"),
        ("Re: 【HY20261126-00017】：转发: 南门路灯不亮", "南门路灯不亮"), ("关于3栋电梯困人的投诉", "关于3栋电梯困人的投诉"),
    ],
    ids=str,
)
def test_a_mail_is_called_by_its_subject(subject: str, title: str):
    assert find_title("您好：\n如题，请处理。", subject) == title
