"""Personal data is found, masked for the log, and replaced by tokens that the office alone can resolve."""

import pytest

from core import privacy


def same(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        pytest.param("打13800001234", "打<PHONE_1>", id="mobile"),
        pytest.param("打138 0000 1234或138-0000-1234", "打<PHONE_1>或<PHONE_1>", id="grouped, the same one"),
        pytest.param("１３８００００１２３４", "<PHONE_1>", id="full width"),
        pytest.param("+8613800001234", "<PHONE_1>", id="with country code"),
        pytest.param("座机0571-55501234", "座机<PHONE_1>", id="fixed line"),
        pytest.param("证件33010619900307123X", "证件<ID_1>", id="identity number"),
        pytest.param("卡号6222 0212 3456 7890 123", "卡号<CARD_1>", id="bank card"),
        pytest.param("邮箱zhang.s@example.org。", "邮箱<EMAIL_1>。", id="e-mail after a Chinese character"),
        pytest.param("打幺三八零零零零一二三四", "打<PHONE_1>", id="as it is spoken"),
        pytest.param("打一三八，零零零零，一二三四，谢谢", "打<PHONE_1>，谢谢", id="spoken with pauses"),
        pytest.param("138零零零零1234，就是13800001234", "<PHONE_1>，就是<PHONE_1>", id="half spoken, the same one"),
        pytest.param("我住五13800001234", "我住五<PHONE_1>", id="a numeral beside it"),
        pytest.param("证件三三零一零六一九九零零三零七一二三X", "证件<ID_1>", id="identity number as it is spoken"),
        pytest.param("一九九八年三月二十一号，三，四，五楼", "一九九八年三月二十一号，三，四，五楼", id="dates and floors in words are none"),
        pytest.param("单号二零二六一一二五零零零八七", "单号二零二六一一二五零零零八七", id="a spoken ticket number is none"),
        pytest.param("1500，2000，300", "1500，2000，300", id="a list of sums is none"),
        pytest.param("工单HY20261123-00017", "工单HY20261123-00017", id="a ticket number is none"),
        pytest.param("订单12345678901234567890", "订单12345678901234567890", id="any long number is none"),
        pytest.param("2026-11-25交了1380元", "2026-11-25交了1380元", id="dates and sums are none"),
        pytest.param("拨打12345", "拨打12345", id="a service number is none"),
    ],
)
def test_what_is_personal_becomes_a_token_and_comes_back(text, hidden):
    found, values = privacy.tokenise(text, {}, same)
    assert found == hidden
    resolved = privacy.resolve(found, values)
    assert not privacy.has_token(resolved)


def test_a_token_that_a_resident_types_himself_resolves_to_nothing_of_his_file():
    hidden, _ = privacy.tokenise("我的电话是<PHONE_1>", {}, same)
    assert not privacy.has_token(hidden)


def test_the_offices_own_number_in_an_answer_is_nobodys_personal_data():
    hidden, new = privacy.tokenise("请拨0571-55500000", {}, same, only_known=True)
    assert hidden == "请拨0571-55500000" and new == {}


def test_a_log_line_shows_neither_phone_nor_card_nor_mail():
    masked = privacy.mask("13800001234 幺三八零零零零一二三四 6222021234567890123 zhang.s@example.org 330106199003071234")
    for secret in ("13800001234", "零零零零", "6222021234567890123", "zhang.s@", "330106199003071234"):
        assert secret not in masked
